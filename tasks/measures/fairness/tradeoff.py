"""Which levers are worth having: the Pareto front of gap and accuracy, and one chosen by a rule."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.measures.stats.intervals import Interval

Floats = NDArray[np.float64]


def front(gap: Floats, accuracy: Floats) -> NDArray[np.bool_]:
    """True for levers that no other dominates: as good in gap and accuracy, and better in one.

    Args:
        gap: gap between groups with each lever, [levers]; the smaller, the better.
        accuracy: accuracy, or its change, with each lever, [levers]; the larger, the better.

    Returns:
        [levers]; of levers that are equal in both all are on the front.
    """
    no_worse = (gap[:, None] <= gap[None, :]) & (accuracy[:, None] >= accuracy[None, :])
    better = (gap[:, None] < gap[None, :]) | (accuracy[:, None] > accuracy[None, :])
    return np.asarray(~(no_worse & better).any(axis=0))


def choose(
    gaps: Sequence[float],
    gap_changes: Sequence[Interval],
    accuracy_changes: Sequence[Interval],
    tolerance: float,
) -> int | None:
    """The lever with the smallest gap among those that narrow it clearly and keep the accuracy.

    Clearly: the whole interval of the change lies below 0. The accuracy is kept where it falls by
    at most the tolerance and its fall is not clear either. Ties go to the higher accuracy, then
    to the lever that is named first.

    Args:
        gaps: gap between groups with each lever.
        gap_changes: its change against the untouched subject.
        accuracy_changes: change of the accuracy against the untouched subject.
        tolerance: largest tolerable fall of the accuracy.

    Returns:
        Position of the lever; none where no lever qualifies.
    """
    fit = [
        i
        for i, (gap_change, accuracy_change) in enumerate(
            zip(gap_changes, accuracy_changes, strict=True)
        )
        if gap_change.high < 0 and accuracy_change.value >= -tolerance and accuracy_change.high >= 0
    ]
    return min(
        fit, key=lambda i: (round(gaps[i], 12), -round(accuracy_changes[i].value, 12)), default=None
    )
