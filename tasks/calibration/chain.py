"""Organisms as audits: draws become data, which an audit's loop measures."""

import csv
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.checks.gather import decide, gather, in_process
from tasks.checks.preflight import prepare
from tasks.definition import AuditSpec, DataSpec, Gate, PredictionsSubject
from tasks.definition.checks.base import BaseCheck
from tasks.judge.gates import judge
from tasks.run.plan import Plan
from tasks.run.rounds import Asked
from tasks.run.store import Store
from tasks.schema import Evidence, Verdict

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
YES, NO = "yes", "no"
ATTRIBUTE = "group"
LABEL, DECISION, PROBABILITY = "label", "decision", "probability"


class Drawn(NamedTuple):
    """Texts of known truth and what was decided about them; they differ in nothing else."""

    groups: Mapping[str, Sequence[str]]
    """Attribute -> group of every text."""
    selected: Bools
    """Decided favourably, [texts]."""
    label: Bools | None = None
    """Whether the label is favourable, [texts]."""
    probability: Floats | None = None
    """Of the class decided for, [texts]."""

    @property
    def columns(self) -> dict[str, Sequence[str]]:
        """The texts as a table."""
        columns: dict[str, Sequence[str]] = {"text": ["-"] * len(self.selected), **self.groups}
        columns[DECISION] = _answers(self.selected)
        if self.label is not None:
            columns[LABEL] = _answers(self.label)
        if self.probability is not None:
            columns[PROBABILITY] = [repr(float(p)) for p in self.probability]
        return columns


class Audited(NamedTuple):
    """The evidence and verdicts of an audit of one check."""

    plan: Plan
    evidence: Evidence

    @property
    def verdicts(self) -> list[Verdict]:
        """Verdict of every gate."""
        return [finding.verdict for finding in judge(self.plan.spec, (self.evidence,))]


def audited(
    drawn: Drawn, check: BaseCheck, *, seed: int, least: int, gates: tuple[Gate, ...] = ()
) -> Audited:
    """Audit recorded decisions by one check.

    Args:
        drawn: the texts.
        check: what is asked of them.
        seed: of the audit.
        least: smallest group that is measured.
        gates: what the evidence is judged by.
    """
    with audit(drawn, check, seed=seed, least=least, gates=gates) as (plan, store):
        (evidence,) = every_check(plan, store)
    return Audited(plan, evidence)


def every_check(plan: Plan, store: Store) -> list[Evidence]:
    """The evidence of all checks of an audit, shard after shard in this process."""
    run = in_process(store)
    decided = decide(plan, store, run)
    return [gather(Asked(plan, check, decided), store, run) for check in plan.spec.checks]


@contextmanager
def audit(
    drawn: Drawn, check: BaseCheck, *, seed: int, least: int, gates: tuple[Gate, ...] = ()
) -> Iterator[tuple[Plan, Store]]:
    """Audit recorded decisions in a temporary folder with an empty store; see `audited`."""
    known = None if drawn.probability is None else PROBABILITY
    spec = AuditSpec(
        name="calibration",
        seed=seed,
        subjects={"rule": PredictionsSubject(prediction=DECISION, probability=known)},
        data=DataSpec(
            path="drawn.csv",
            label=None if drawn.label is None else LABEL,
            favourable=YES,
            groups=tuple(drawn.groups),
            minimum_group=least,
        ),
        checks=(check,),
        gates=gates,
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "drawn.csv").open("w", newline="", encoding="utf-8") as stream:
            table = csv.writer(stream)
            table.writerow(drawn.columns)
            table.writerows(zip(*drawn.columns.values(), strict=True))
        yield planned(spec, folder), Store(folder / "store")


def planned(spec: AuditSpec, folder: Path) -> Plan:
    """An audit, checked as `assay run` checks it."""
    path = folder / "definition.yaml"
    path.write_text(spec.model_dump_json(), encoding="utf-8")
    return prepare(path)


def _answers(favourable: Bools) -> list[str]:
    return [YES if yes else NO for yes in favourable]
