"""Two shares over the same texts: their difference with its interval, and the exact test."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats as distributions

from tasks.errors import EvidenceError
from tasks.measures.stats import Interval, wilson

Bools = NDArray[np.bool_]


def mcnemar(a: Bools, b: Bools) -> float:
    """Two-sided p of the exact McNemar test that two shares over the same texts are equal.

    Only texts where the two differ say anything: under equality each goes one way or the other
    with probability 1/2.

    Args:
        a: whether a text counts under the first condition, [texts].
        b: the same under the second.

    Returns:
        p in (0, 1]; 1 where no text differs.

    Source: McNemar 1947, Psychometrika 12:153-157, in its exact binomial form.
    """
    one_way, other_way = int(np.sum(a & ~b)), int(np.sum(~a & b))
    if one_way + other_way == 0:
        return 1.0
    return float(distributions.binomtest(one_way, one_way + other_way, 0.5).pvalue)


def paired_difference(a: Bools, b: Bools, *, level: float = 0.95) -> Interval:
    """Share under the first condition minus that under the second, over the same texts.

    Newcombe's hybrid score interval for paired shares, with the correlation of the two conditions
    taken from the table (his method 10, with the continuity correction of the correlation).

    Args:
        a: whether a text counts under the first condition, [texts].
        b: the same under the second.
        level: coverage, in (0, 1).

    Returns:
        Difference and interval, in [-1, 1]; 0 is no difference.

    Raises:
        EvidenceError: no texts.

    Source: Newcombe 1998, Statistics in Medicine 17:2635-2650.
    """
    n = len(a)
    if n == 0 or len(b) != n:
        raise EvidenceError(f"difference of paired shares: {n} and {len(b)} texts")
    both, only_a = int(np.sum(a & b)), int(np.sum(a & ~b))
    only_b, neither = int(np.sum(~a & b)), int(np.sum(~a & ~b))
    first, second = wilson(both + only_a, n, level=level), wilson(both + only_b, n, level=level)
    phi = _correlation(both, only_a, only_b, neither)
    below = (first.value - first.low, second.high - second.value)
    above = (first.high - first.value, second.value - second.low)
    value = (only_a - only_b) / n
    return Interval(value, value - _joined(*below, phi), value + _joined(*above, phi))


def _correlation(both: int, only_a: int, only_b: int, neither: int) -> float:
    margins = (both + only_a) * (only_b + neither) * (both + only_b) * (only_a + neither)
    if margins == 0:
        return 0.0
    n, cross = both + only_a + only_b + neither, both * neither - only_a * only_b
    corrected = max(cross - n / 2, 0.0) if cross > 0 else float(cross)
    return corrected / math.sqrt(margins)


def _joined(x: float, y: float, phi: float) -> float:
    return math.sqrt(max(0.0, x * x - 2 * phi * x * y + y * y))
