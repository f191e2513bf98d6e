"""One yes or no per text, before and after: did more turn one way than the other?"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from tasks.errors import EvidenceError
from tasks.measures.stats.intervals import Interval

CHANGE = "paired difference, Bonett and Price"


class Turned(NamedTuple):
    """How many pairs turned which way."""

    gained: int
    """No before, yes after."""
    lost: int
    """Yes before, no after."""
    n: int
    """All pairs."""


def turned(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> Turned:
    """Count the pairs that turned, [pairs] each."""
    if len(before) != len(after):
        raise ValueError(f"pairs: {len(before)} before against {len(after)} after")
    return Turned(int((~before & after).sum()), int((before & ~after).sum()), len(before))


def mcnemar_exact(pairs: Turned) -> float:
    """Two-sided p of McNemar's exact test: turned pairs go either way with probability 1/2.

    1 where no pair turned: nothing speaks against chance.

    Source: McNemar 1947, Psychometrika 12:153-157; exact: binomial on the turned pairs.
    """
    if pairs.gained + pairs.lost == 0:
        return 1.0
    return float(stats.binomtest(pairs.gained, pairs.gained + pairs.lost, 0.5).pvalue)


def paired_difference(pairs: Turned, *, level: float = 0.95) -> Interval:
    """Share after minus share before, with Bonett and Price's adjusted interval.

    Args:
        pairs: see `turned`.
        level: coverage, in (0, 1).

    Returns:
        Difference and interval, in [-1, 1]; 0 is no change on balance.

    Raises:
        EvidenceError: no pairs.

    Source: Bonett and Price 2012, J. of Educational and Behavioral Statistics 37:479-488.
    """
    if pairs.n < 1:
        raise EvidenceError("difference of no pairs: at least one is needed")
    up, down = (pairs.gained + 1) / (pairs.n + 2), (pairs.lost + 1) / (pairs.n + 2)
    middle = up - down
    error = math.sqrt((up + down - middle**2) / (pairs.n + 2))
    reach = float(stats.norm.ppf((1 + level) / 2)) * error
    value = (pairs.gained - pairs.lost) / pairs.n
    low, high = max(-1.0, middle - reach), min(1.0, middle + reach)
    return Interval(value, min(low, value), max(high, value))
