"""An audit before it runs: definition, data and subjects by exact reference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.data.dataset import MISSING, Dataset, Row
from tasks.definition import AuditSpec
from tasks.definition.checks import LOG_PROBABILITY, Check, ReasoningCheck, ReasoningTest
from tasks.definition.vocabulary import CHECK_NEEDS, OFFERS, Access
from tasks.subjects.load import reader_of
from tasks.subjects.reference import SubjectRef


@dataclass(frozen=True)
class Plan:
    """Everything that is known before a model is loaded."""

    spec: AuditSpec
    root: Path
    """Folder of the definition; relative paths start there."""
    definition_sha256: str
    data: Dataset
    subjects: Mapping[str, SubjectRef]
    """By name, in the order of the definition."""

    def rows_of(self, check: Check) -> list[int]:
        """Positions of the rows a check looks at: all, or a simple random sample.

        Simple, so that rates over the sample are unbiased for the data.
        """
        size, whole = check.texts, len(self.data.rows)
        if size is None or size >= whole:
            return list(range(whole))
        rng = np.random.default_rng([self.spec.seed, 1])
        return sorted(int(i) for i in rng.choice(whole, size=size, replace=False))

    def rows(self, positions: Sequence[int]) -> list[Row]:
        """The rows at these positions."""
        return [self.data.rows[i] for i in positions]

    def labels(self, subject: str) -> tuple[str, ...]:
        """Class names or choices of a subject; empty if it predicts tokens or only records."""
        ref = self.subjects[subject]
        return reader_of(ref.spec).labels(ref, self.data)

    def offers(self, subject: str) -> frozenset[Access]:
        """What a check may need of a subject and gets."""
        spec = self.spec.subjects[subject]
        return OFFERS[spec.kind] - spec.lacks

    @property
    def main(self) -> str:
        """The subject that decides: the first one of the definition."""
        return next(iter(self.spec.subjects))


def not_run(plan: Plan, check: Check) -> str | None:
    """Why a check cannot be answered by its subject or data; none if it can."""
    name = plan.spec.subject_of(check)
    subject = plan.spec.subjects[name]
    lacking = sorted(CHECK_NEEDS[check.kind] - plan.offers(name))
    if lacking:
        remedy = " without choices" if subject.lacks else ""
        offered = f"subject {name} ({subject.kind}) does not offer that{remedy}"
        return f"needs {', '.join(lacking)}; {offered}"
    if check.kind == "cue" and not subject.has_paired_conditions:
        return (
            "needs paired conditions; the definition names no columns.condition and columns.pair "
            f"of subject {name}"
        )
    if check.kind == "performance" and plan.spec.data.label is None:
        return "needs labels; the definition names no data.label"
    if check.kind == "remediation" and plan.spec.data.label is None:
        return "needs labels: a lever is chosen by the accuracy it leaves, too"
    if check.kind in {"fairness", "probing"} and not plan.spec.data.groups:
        return "needs protected attributes; the definition names no data.groups"
    by_decision = {"fairness", "counterfactual", "probing", "steering", "remediation"}
    if check.kind in by_decision and plan.spec.data.favourable is None:
        return "needs data.favourable: which decision is hoped for"
    return None


def withheld_tests(plan: Plan, check: ReasoningCheck) -> dict[ReasoningTest, str]:
    """The tests of a reasoning that are asked for and cannot be made, and why."""
    found: dict[ReasoningTest, str] = {
        test: "not run: needs a second model; the definition names no paraphraser"
        for test in check.tests
        if test not in check.runnable
    }
    name = plan.spec.subject_of(check)
    if LOG_PROBABILITY in check.tests and "log-probabilities" not in plan.offers(name):
        kind = plan.spec.subjects[name].kind
        found[LOG_PROBABILITY] = (
            "not run: needs log-probabilities of a given answer; "
            f"subject {name} ({kind}) does not offer that"
        )
    return found


def group_sizes(plan: Plan, attribute: str) -> dict[str, int]:
    """Rows per group of an attribute; rows without a group are left out."""
    names: NDArray[np.str_] = plan.data.group(attribute)
    return {str(g): int((names == g).sum()) for g in np.unique(names) if g != MISSING}
