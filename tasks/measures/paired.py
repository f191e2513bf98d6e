"""Gaps between groups, and what changes between two decisions on the same texts."""

import math
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats as scipy_stats

from tasks.errors import EvidenceError
from tasks.measures import stats
from tasks.measures.stats import Interval

Bools = NDArray[np.bool_]
Groups = NDArray[np.generic]

GAP = "largest difference between groups, Newcombe, Tukey for more than two"
GAP_CHANGE = "paired bootstrap within groups"
CHANGE = "paired difference, Bonett and Price"


def change(before: Bools, after: Bools, *, level: float = 0.95) -> Interval:
    """Change of a share on the same texts, after - before, with its adjusted Wald interval.

    Holds where few or no texts change, which a bootstrap does not see.

    Args:
        before: whether a text counted, [texts].
        after: the same afterwards, [texts].
        level: coverage, in (0, 1).

    Returns:
        Difference and interval in [-1, 1]; 0 is no change.

    Raises:
        EvidenceError: no texts.

    Source: Bonett and Price 2012, J. Educ. Behav. Stat. 37:479-488.
    """
    n = len(before)
    if n == 0:
        raise EvidenceError("change of a share of no texts: at least one is needed")
    gained, lost = int((after & ~before).sum()), int((before & ~after).sum())
    up, down = (gained + 1) / (n + 2), (lost + 1) / (n + 2)
    middle = up - down
    reach = scipy_stats.norm.ppf((1 + level) / 2) * math.sqrt((up + down - middle**2) / (n + 2))
    value = (gained - lost) / n
    low, high = max(-1.0, middle - reach), min(1.0, middle + reach)
    return Interval(value, min(float(low), value), max(float(high), value))


def gap(selected: Bools, group: Groups, *, level: float = 0.95) -> Interval:
    """Largest minus smallest selection rate over groups; 0 is parity.

    All pairs of groups hold jointly, so the interval reaches 0 where no gap is shown, whichever
    two groups lie furthest apart.

    Args:
        selected: whether a text was decided favourably, [texts].
        group: group of every text, [texts]; at least two.
        level: coverage, in (0, 1).

    Returns:
        Gap and interval in [0, 1].

    Raises:
        EvidenceError: fewer than two groups.
    """
    counts = [(int(selected[group == g].sum()), int((group == g).sum())) for g in np.unique(group)]
    if len(counts) < 2:
        raise EvidenceError("gap between groups: two are needed")
    joint = stats.tukey(level, len(counts)) if len(counts) > 2 else level
    return stats.largest(
        [stats.folded(stats.difference(a, b, level=joint)) for a, b in combinations(counts, 2)]
    )


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
        Change and percentile interval in [-1, 1]; where no decision changes, what the rule of
        three leaves open.

    Raises:
        EvidenceError: no texts.
    """
    if (before == after).all() and len(before):
        open_ = stats.unseen(len(before), level=level)
        return Interval(0.0, -open_, open_)
    columns = np.stack([before, after], axis=1).astype(float)
    means = stats.group_means(columns, group, seed=seed)
    return stats.percentile(
        means, lambda of: np.ptp(of[..., 1], axis=-1) - np.ptp(of[..., 0], axis=-1), level=level
    )
