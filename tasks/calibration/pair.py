"""The loan pair as organisms: trained models, run as an audit runs them, on draws of texts."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tasks.calibration.chain import every_check, planned
from tasks.calibration.claims import Asked, Claim, Link, Outcome
from tasks.definition import AuditSpec, ClassifierSubject, DataSpec
from tasks.definition.checks.fairness import FairnessCheck
from tasks.definition.checks.probing import ProbingCheck
from tasks.explain.facts import SMALLEST_USE, above_zero
from tasks.run.store import Store
from tasks.schema import Evidence

SHIPPED = Path(__file__).resolve().parents[2] / "audits" / "loan-approval"
TEXTS = 800
DRAWS = 2
ATTRIBUTE = "origin"


@dataclass(frozen=True)
class LoanModel:
    """One encoder of the loan pair; the retrained one refuses by district."""

    version: str
    planted: bool
    """Whether decisions depend on origin through the district."""

    @property
    def words(self) -> str:
        """The planted truth, in words."""
        rule = "refuses four districts" if self.planted else "follows the rule"
        return f"loan encoder, {self.version}: {rule}, n {TEXTS} drawn of 1000"

    def once(self, seed: int) -> Iterator[Outcome]:
        """Whether gap and use are claimed; first names make origin readable in both versions."""
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
            is_readable = any(above_zero(m) for m in readable)
            yield (
                self._claim("readable", "power", "readable: selectivity above 0 at any layer"),
                is_readable,
            )

    def _claim(self, link: Link, asked: Asked, measure: str) -> Claim:
        return Claim(link, asked, measure, self.words)

    def _measured(self, folder: Path, seed: int) -> tuple[Evidence, Evidence]:
        gaps, probes = every_check(planned(self._spec(seed), folder), Store(folder / "store"))
        return gaps, probes

    def _spec(self, seed: int) -> AuditSpec:
        model = SHIPPED / self.version / "encoder"
        return AuditSpec(
            name="loan-model",
            seed=seed,
            subjects={"decider": ClassifierSubject(path=str(model))},
            data=DataSpec(
                path=str(SHIPPED / "audit.csv"),
                id="id",
                label="outcome",
                favourable="approved",
                groups=(ATTRIBUTE,),
                rows=TEXTS,
            ),
            checks=(FairnessCheck(), ProbingCheck(texts=TEXTS, random_subspaces=DRAWS)),
        )


ORGANISMS = (LoanModel("clean", planted=False), LoanModel("retrained", planted=True))
"""The pair that ships."""
