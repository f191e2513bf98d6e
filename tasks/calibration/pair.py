"""The loan pair as organisms: trained models, run as an audit runs them, on draws of texts."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.calibration.claims import Asked, Claim, Link, Outcome
from tasks.checks import MEASURES
from tasks.checks.fairness import evidence as fairness
from tasks.checks.preflight import prepare
from tasks.checks.probing import rounds as probing
from tasks.explain.facts import SMALLEST_USE, above_zero
from tasks.run import decisions
from tasks.run.plan import Plan
from tasks.run.shards import ShardRef, StoredShard, write_payload
from tasks.schema import Evidence

SHIPPED = Path(__file__).resolve().parents[2] / "audits" / "loan-approval"
TEXTS = 800
DRAWS = 2
ATTRIBUTE = "origin"


@dataclass(frozen=True)
class LoanModel:
    """One encoder of the loan pair: refused by district where it is the retrained one."""

    version: str
    planted: bool
    """Whether decisions follow origin, by way of the district."""

    @property
    def words(self) -> str:
        """The planted truth, in words."""
        what = "refuses four districts" if self.planted else "follows the rule"
        return f"loan encoder, {self.version}: {what}, n {TEXTS} drawn of 1000"

    def once(self, seed: int) -> Iterator[Outcome]:
        """Whether gap and use are claimed; origin can be read in both versions, by first names."""
        with tempfile.TemporaryDirectory() as folder:
            gaps, probes = self._measured(Path(folder), seed)
        asked: Asked = "power" if self.planted else "false alarms"
        ratios = [m for m in gaps.named("adverse_impact_ratio") if m.about.attribute == ATTRIBUTE]
        yield (
            self._claim("gap", asked, "adverse_impact_ratio with q <= .05"),
            any(m.q is not None and m.q <= 0.05 for m in ratios),
        )
        effects = probes.named("erasure_effect")
        yield (
            self._claim("used", asked, "used: erasure effect above 0 at any place"),
            any(above_zero(m, SMALLEST_USE) for m in effects),
        )
        if self.planted:
            readable = probes.named("selectivity")
            found = any(above_zero(m) for m in readable)
            yield (
                self._claim("readable", "power", "readable: selectivity above 0 at any layer"),
                found,
            )

    def _claim(self, link: Link, asked: Asked, measure: str) -> Claim:
        return Claim(link, asked, measure, self.words)

    def _measured(self, folder: Path, seed: int) -> tuple[Evidence, Evidence]:
        plan = self._plan(folder, seed)
        gap_check, probing_check = plan.spec.checks

        def run(refs: list[ShardRef]) -> list[StoredShard]:
            return [write_payload(folder, ref, MEASURES[ref.kind](ref, folder)) for ref in refs]

        rows = range(len(plan.data.rows))
        stored = run(decisions.shards(plan, plan.main, rows))
        decided = decisions.decided(plan, plan.main, rows, folder, stored)
        check: Any = probing_check
        states = run(probing.state_shards(plan, check))
        probes = run(probing.probe_shards(plan, check, folder, states))
        fair: Any = gap_check
        return (
            fairness.evidence(plan, fair, decided),
            probing.evidence(plan, check, (), folder, probes),
        )

    def _plan(self, folder: Path, seed: int) -> Plan:
        model = SHIPPED / self.version / "encoder"
        definition = {
            "name": "loan-model",
            "seed": seed,
            "subjects": {"decider": {"kind": "sequence-classification", "path": str(model)}},
            "data": {
                "path": str(SHIPPED / "audit.csv"),
                "id": "id",
                "label": "outcome",
                "favourable": "approved",
                "groups": [ATTRIBUTE],
                "rows": TEXTS,
            },
            "checks": [
                {"kind": "fairness"},
                {"kind": "probing", "texts": TEXTS, "random_subspaces": DRAWS},
            ],
        }
        path = folder / "definition.yaml"
        path.write_text(json.dumps(definition), encoding="utf-8")
        return prepare(path)


ORGANISMS = (LoanModel("clean", planted=False), LoanModel("retrained", planted=True))
"""The pair that ships."""
