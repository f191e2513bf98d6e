"""Groups large enough to be compared, and the classes that their decisions are counted by."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.data.dataset import MISSING
from tasks.definition.checks.base import BaseCheck
from tasks.run.plan import Plan
from tasks.run.rounds import Asked
from tasks.schema import TooSmall

Classes = NDArray[np.int64]


class LargeGroups(NamedTuple):
    """Rows of the groups that are large enough, and the groups that are not."""

    rows: list[int]
    """Empty unless at least two groups are large enough."""
    too_small: list[TooSmall]


def large_groups(plan: Plan, attribute: str, rows: Sequence[int], least: int) -> LargeGroups:
    """The rows whose group has at least `least` texts among them."""
    group = plan.data.group(attribute)[list(rows)]
    sizes = {str(g): int((group == g).sum()) for g in np.unique(group) if g != MISSING}
    small = [TooSmall(attribute=attribute, group=g, n=n) for g, n in sizes.items() if n < least]
    large = [g for g, n in sizes.items() if n >= least]
    in_large = [row for row, g in zip(rows, group, strict=True) if g in large]
    return LargeGroups(in_large if len(large) > 1 else [], small)


def group_names(plan: Plan, attribute: str, rows: Sequence[int]) -> tuple[str, ...]:
    """The groups that these rows belong to, in order."""
    return tuple(sorted({str(g) for g in plan.data.group(attribute)[list(rows)]}))


def right_classes(asked: Asked[BaseCheck], rows: Sequence[int]) -> Classes:
    """Index of the true class of every row, [rows]; -1 where there is no label."""
    labels = asked.plan.labels(asked.subject)
    if asked.plan.spec.data.label is None:
        return np.full(len(rows), -1, dtype=np.int64)
    of = asked.plan.data.labels()[list(rows)]
    return np.array([labels.index(name) if name in labels else -1 for name in of], dtype=np.int64)


def favourable_class(asked: Asked[BaseCheck]) -> int:
    """Index of the favourable class."""
    return asked.plan.labels(asked.subject).index(str(asked.plan.spec.data.favourable))
