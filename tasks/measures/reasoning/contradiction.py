"""How often two questions that exclude each other have the same answer by chance."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy.stats import norm

from tasks.measures.stats.intervals import Interval, wilson

NO_ERROR: Final = 1e-9
"""Bound below which a standard error is 0 up to rounding."""


def by_chance(
    answers: Sequence[tuple[str, str]], shared: str | None, *, level: float = 0.95
) -> Interval:
    """How often questions of different pairs have the same answer that a pair cannot share.

    A mean over all combinations of two question pairs (a U statistic, unbiased), with the jackknife
    standard error over pairs. A standard error of 0 would claim certainty; then the interval is
    Wilson's for as many pairs.

    Args:
        answers: to the two questions of every pair, [pairs, 2], at least two pairs.
        shared: the answer that both cannot have; none where they can share no answer.
        level: coverage, in (0, 1).

    Returns:
        Share in [0, 1] and its interval.

    Source: Efron and Stein 1981, The jackknife estimate of variance, Annals of Statistics
    9:586-596.
    """
    n = len(answers)
    counted = [Counter(a for a in pair if shared in (None, a)) for pair in answers]
    total: Counter[str] = Counter()
    for counts in counted:
        total.update(counts)
    square = sum(times**2 for times in total.values())
    own = np.array([sum(k**2 for k in counts.values()) for counts in counted])
    across = np.array([sum(k * total[a] for a, k in counts.items()) for counts in counted])
    value = float((square - own.sum()) / (4 * n * (n - 1)))
    if n < 3:
        return Interval(value, 0.0, 1.0)
    without = (square - 2 * across + own - (own.sum() - own)) / (4 * (n - 1) * (n - 2))
    error = math.sqrt((n - 1) / n * float(((without - without.mean()) ** 2).sum()))
    if error < NO_ERROR:
        wide = wilson(round(value * n), n, level=level)
        return Interval(value, min(value, wide.low), max(value, wide.high))
    reach = float(norm.ppf((1 + level) / 2)) * error
    return Interval(value, max(0.0, value - reach), min(1.0, value + reach))
