"""An audit before it runs: definition, data and subjects by exact reference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.data.dataset import MISSING, Dataset, Row
from tasks.definition import AuditSpec
from tasks.definition.access import OFFERS, Access
from tasks.definition.checks.base import BaseCheck
from tasks.definition.kinds import kind_of
from tasks.measures.stats.random_streams import stream
from tasks.subjects.load import reader_of
from tasks.subjects.reference import SubjectRef


@dataclass(frozen=True)
class Plan:
    """All that is known before a model is loaded."""

    spec: AuditSpec
    root: Path
    """Folder of the definition; relative paths start there."""
    definition_sha256: str
    data: Dataset
    subjects: Mapping[str, SubjectRef]
    """By name, in the order of the definition."""

    def rows_of(self, check: BaseCheck) -> list[int]:
        """Positions of the rows a check looks at: all, or a simple random sample.

        Simple, so that rates over the sample are unbiased for the data.
        """
        size, whole = check.texts, len(self.data.rows)
        if size is None or size >= whole:
            return list(range(whole))
        rng = stream(self.spec.seed, "sample of rows")
        return sorted(int(i) for i in rng.choice(whole, size=size, replace=False))

    def rows(self, positions: Sequence[int]) -> list[Row]:
        """The rows at these positions."""
        return [self.data.rows[i] for i in positions]

    def labels(self, subject: str) -> tuple[str, ...]:
        """Class names or choices of a subject; empty if it predicts tokens or only records."""
        ref = self.subjects[subject]
        return reader_of(ref.spec).labels(ref, self.data)

    def offers(self, subject: str) -> frozenset[Access]:
        """The access that a subject gives."""
        spec = self.spec.subjects[subject]
        return OFFERS[spec.kind] - spec.lacks

    @property
    def main(self) -> str:
        """The subject that decides: the first one of the definition."""
        return next(iter(self.spec.subjects))


def lacking_access(plan: Plan, check: BaseCheck) -> str | None:
    """The access that a check needs and its subject lacks; none if it lacks none."""
    name = plan.spec.subject_of(check)
    subject = plan.spec.subjects[name]
    lacking = sorted(kind_of(check.kind).needs - plan.offers(name))
    if not lacking:
        return None
    remedy = " without choices" if subject.lacks else ""
    offered = f"subject {name} ({subject.kind}) does not offer that{remedy}"
    return f"needs {', '.join(lacking)}; {offered}"


def lacks_groups(plan: Plan) -> str | None:
    """Why groups cannot be compared; none if they can."""
    if plan.spec.data.groups:
        return None
    return "needs protected attributes; the definition names no data.groups"


def lacks_favourable(plan: Plan) -> str | None:
    """Why no decision counts as favourable; none if one does."""
    if plan.spec.data.favourable is not None:
        return None
    return "needs data.favourable: which decision is hoped for"


def group_sizes(plan: Plan, attribute: str) -> dict[str, int]:
    """Rows per group of an attribute; rows without a group are left out."""
    names: NDArray[np.str_] = plan.data.group(attribute)
    return {str(g): int((names == g).sum()) for g in np.unique(names) if g != MISSING}
