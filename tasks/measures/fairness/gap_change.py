"""How a change of decisions moves the gap between groups."""

import numpy as np
from numpy.typing import NDArray

from tasks.measures.stats import intervals
from tasks.measures.stats.intervals import Interval

Bools = NDArray[np.bool_]
Groups = NDArray[np.generic]

GAP_CHANGE = "paired bootstrap within groups"


def gap_change(
    before: Bools, after: Bools, group: Groups, *, seed: int, level: float = 0.95
) -> Interval:
    """Change of the gap between groups on the same texts, after - before; below 0 it narrows.

    Args:
        before: whether a text was decided favourably, [texts].
        after: the same afterwards, [texts].
        group: group of every text, [texts].
        seed: drawn from the definition's seed.
        level: coverage, in (0, 1).

    Returns:
        Change and percentile interval in [-1, 1]; where no decision changes, the interval of the
        rule of three.

    Raises:
        EvidenceError: no texts.
    """
    if (before == after).all() and len(before):
        open_ = intervals.unseen(len(before), level=level)
        return Interval(0.0, -open_, open_)
    columns = np.stack([before, after], axis=1).astype(float)
    means = intervals.group_means(columns, group, seed=seed)
    return intervals.percentile(
        means, lambda of: np.ptp(of[..., 1], axis=-1) - np.ptp(of[..., 0], axis=-1), level=level
    )
