"""Intervals and tests: the uncertainty of a number, given its texts."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from tasks.errors import EvidenceError
from tasks.measures.stats.random_streams import stream

Floats = NDArray[np.float64]
RESAMPLES = 2000

SHARE = "share of texts, Wilson interval"
MEAN = "mean over texts, BCa bootstrap"


class Interval(NamedTuple):
    """A point estimate with the two ends of its interval."""

    value: float
    low: float
    high: float


def wilson(successes: int, n: int, *, level: float = 0.95) -> Interval:
    """A share with its Wilson score interval.

    Args:
        successes: texts that count, in [0, n].
        n: texts looked at, > 0.
        level: coverage, in (0, 1).

    Returns:
        successes / n and its interval, all in [0, 1].

    Raises:
        EvidenceError: no texts; a share of nothing is not zero.

    Source: Wilson 1927, JASA 22:209-212.
    """
    if n < 1:
        raise EvidenceError("share of no texts: at least one is needed")
    low, high = proportion_confint(successes, n, alpha=1 - level, method="wilson")
    value = successes / n
    return Interval(value, min(float(low), value), max(float(high), value))


def share(hits: NDArray[np.bool_], *, level: float = 0.95) -> Interval:
    """Share of true values, [texts], with its Wilson interval; see `wilson`."""
    return wilson(int(np.sum(hits)), len(hits), level=level)


def difference(a: tuple[int, int], b: tuple[int, int], *, level: float = 0.95) -> Interval:
    """Difference of two independent shares, a - b, with Newcombe's hybrid score interval.

    Args:
        a: (successes, n) of the first group.
        b: (successes, n) of the second group.
        level: coverage, in (0, 1).

    Returns:
        Difference and interval, in [-1, 1]; 0 is no difference.

    Raises:
        EvidenceError: one of the groups is empty.

    Source: Newcombe 1998, Statistics in Medicine 17:873-890, method 10.
    """
    value, low, high = minus(wilson(*a, level=level), wilson(*b, level=level))
    return Interval(value, max(-1.0, low), min(1.0, high))


def minus(a: Interval, b: Interval) -> Interval:
    """Difference of two independent quantities, a - b, from their own intervals (MOVER).

    The distance of each end is the root of the sum of the squared distances of the corresponding
    ends of the parts; unlike a normal interval it keeps their skew.

    Source: Zou and Donner 2008, Statistics in Medicine 27:1693-1702.
    """
    value = a.value - b.value
    below = math.hypot(a.value - a.low, b.high - b.value)
    above = math.hypot(a.high - a.value, b.value - b.low)
    return Interval(value, value - below, value + above)


def mean_of(parts: Sequence[Interval]) -> Interval:
    """Mean of independent quantities from their own intervals (MOVER), such as a balanced accuracy.

    With the Wilson intervals of shares it has a width where every text was a hit; a bootstrap would
    have none.

    Args:
        parts: intervals of the same level, at least one.

    Raises:
        EvidenceError: no parts.

    Source: Zou, Huang and Zhang 2009, Comput. Stat. Data Anal. 53:1080-1085.
    """
    if not parts:
        raise EvidenceError("mean of no quantities: at least one is needed")
    k = len(parts)
    value = sum(p.value for p in parts) / k
    below = math.hypot(*(p.value - p.low for p in parts)) / k
    above = math.hypot(*(p.high - p.value for p in parts)) / k
    return Interval(value, value - below, value + above)


def ratio(a: tuple[int, int], b: tuple[int, int], *, level: float = 0.95) -> Interval:
    """Ratio of two independent shares, a / b, with Newcombe's MOVER-R interval.

    Unlike intervals on the log scale it holds when nobody in `a` was selected.

    Args:
        a: (successes, n) of the group.
        b: (successes, n) of the reference group, successes > 0.
        level: coverage, in (0, 1).

    Returns:
        Ratio >= 0 and interval; 1 is parity.

    Raises:
        EvidenceError: nobody in the reference group was selected, or a group is empty.

    Source: Donner and Zou 2012, Stat. Methods in Medical Research 21:347-359;
    Newcombe 2013, Confidence Intervals for Proportions, ch. 7.
    """
    top, bottom = wilson(*a, level=level), wilson(*b, level=level)
    if bottom.value == 0:
        raise EvidenceError("ratio of shares: nobody in the reference group was selected")
    product = top.value * bottom.value

    def root(t: float, b: float) -> float:
        inside = product**2 - t * b * (2 * top.value - t) * (2 * bottom.value - b)
        return math.sqrt(max(0.0, inside))

    # The published lower end, (product - root) / (b (2 bottom - b)), times (product + root) above
    # and below: the same root without 0 / 0 where the interval of `b` reaches twice its share.
    below = top.low * (2 * top.value - top.low)
    low = below / (product + root(top.low, bottom.high)) if below > 0 else 0.0
    high = (product + root(top.high, bottom.low)) / (bottom.low * (2 * bottom.value - bottom.low))
    value = top.value / bottom.value
    return Interval(value, min(max(0.0, low), value), max(high, value))


def folded(signed: Interval) -> Interval:
    """The absolute value of a signed difference, with the interval folded at zero."""
    low = 0.0 if signed.low <= 0 <= signed.high else min(abs(signed.low), abs(signed.high))
    return Interval(abs(signed.value), low, max(abs(signed.low), abs(signed.high)))


def largest(intervals: Sequence[Interval]) -> Interval:
    """The largest of several quantities, from intervals that hold jointly.

    If every interval covers its quantity, the largest quantity lies between the largest lower
    and the largest upper end; so with Bonferroni-adjusted parts the stated coverage holds, also
    when the largest is selected from the data.
    """
    return Interval(
        max(i.value for i in intervals),
        max(i.low for i in intervals),
        max(i.high for i in intervals),
    )


def bonferroni(level: float, family: int) -> float:
    """Coverage each of `family` intervals needs so that all hold jointly at `level`."""
    return 1 - (1 - level) / max(1, family)


def tukey(level: float, groups: int) -> float:
    """Coverage each pairwise interval needs so that all pairs of `groups` hold jointly at `level`.

    From the studentized range; with two groups it is `level` itself, with more it is less than
    Bonferroni over all pairs asks for. Joint coverage is exact for normal means of equal variance
    and conservative for groups of unequal size.

    Args:
        level: joint coverage, in (0, 1).
        groups: how many, >= 2.

    Source: Tukey 1953; Kramer 1956, Biometrics 12:307-310; Hayter 1984, Ann. Stat. 12:61-75.
    """
    reach = stats.studentized_range.ppf(level, groups, np.inf) / math.sqrt(2)
    return float(1 - 2 * stats.norm.sf(reach))


def bootstrap_mean(
    values: Floats,
    *,
    seed: int,
    level: float = 0.95,
    bounds: tuple[float, float] | None = None,
) -> Interval:
    """Mean over texts with its BCa bootstrap interval.

    Args:
        values: one number per text, [texts]; pairs are given as their difference.
        seed: drawn from the definition's seed.
        level: coverage, in (0, 1).
        bounds: smallest and largest value a text can have, if known.

    Returns:
        Mean and interval, in the unit of `values`. Equal values carry no information about
        spread: then the interval is that of the rule of three within `bounds`, or the value
        itself where these are not known.

    Raises:
        EvidenceError: no texts.

    Source: Efron 1987, JASA 82:171-185.
    """
    if len(values) == 0:
        raise EvidenceError("mean of no texts: at least one is needed")
    mean = float(np.mean(values))
    if np.ptp(values) < 1e-12:
        low, high = bounds or (mean, mean)
        open_ = unseen(len(values), level=level)
        return Interval(mean, mean - open_ * (mean - low), mean + open_ * (high - mean))
    outcome = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=level,
        method="BCa",
        rng=stream(seed, "bootstrap of a mean"),
        vectorized=True,
        batch=256,
    ).confidence_interval
    return Interval(mean, min(float(outcome.low), mean), max(float(outcome.high), mean))


class GroupMeans(NamedTuple):
    """Means of several columns within groups, on all texts and on resampled ones."""

    point: Floats
    """[groups, columns]."""
    draws: Floats
    """[resamples, groups, columns]; columns of one draw come from the same texts."""


def group_means(
    columns: Floats, group: NDArray[np.generic], *, seed: int, resamples: int = RESAMPLES
) -> GroupMeans:
    """Bootstrap the means of columns within groups, groups keeping their size.

    Statistics that compare columns (before and after, concept and control) are paired, since a
    draw takes the same texts for all of them.

    Args:
        columns: one number per text and column, [texts, columns].
        group: group of every text, [texts].
        seed: drawn from the definition's seed.
        resamples: how many, >= 2,000 for reported numbers.

    Raises:
        EvidenceError: no texts.

    Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, ch. 8.
    """
    if len(columns) == 0:
        raise EvidenceError("mean of no texts: at least one is needed")
    rng = stream(seed, "bootstrap of group means")
    points, draws = [], []
    for g in np.unique(group):
        # texts with equal values in all columns are drawn together: there are few patterns of hits
        alike, times = np.unique(columns[group == g], axis=0, return_counts=True)
        n = int(times.sum())
        points.append(times @ alike / n)
        draws.append(rng.multinomial(n, times / n, size=resamples) @ alike / n)
    return GroupMeans(np.array(points), np.stack(draws, axis=1))


def percentile(
    means: GroupMeans, statistic: Callable[[Floats], Floats], *, level: float = 0.95
) -> Interval:
    """A statistic of group means with its percentile interval.

    Args:
        means: see `group_means`.
        statistic: [..., groups, columns] -> [...].
        level: coverage, in (0, 1).
    """
    return spread(float(statistic(means.point)), statistic(means.draws), level=level)


def spread(value: float, draws: Floats, *, level: float = 0.95) -> Interval:
    """A value with the percentile interval of its bootstrap draws, [resamples]."""
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, min(float(low), value), max(float(high), value))


def unseen(n: int, *, level: float = 0.95) -> float:
    """Largest share of texts that may show an effect none of `n` texts showed (rule of three).

    The exact one-sided bound 1 - (1 - level) ** (1 / n), in (0, 1]; about 3 / n.
    """
    return float(1 - (1 - level) ** (1 / n))


def fisher_exact(a: tuple[int, int], b: tuple[int, int]) -> float:
    """Two-sided p of Fisher's exact test for equal shares in two groups of (successes, n)."""
    table = [[a[0], a[1] - a[0]], [b[0], b[1] - b[0]]]
    return float(stats.fisher_exact(table).pvalue)


def benjamini_hochberg(p: Sequence[float]) -> list[float]:
    """P values adjusted for the false discovery rate over their family.

    Source: Benjamini and Hochberg 1995, JRSS B 57:289-300.
    """
    if not p:
        return []
    return [float(q) for q in stats.false_discovery_control(np.asarray(p), method="bh")]


def more_texts(interval: Interval, line: float, n: int, *, power: float = 0.8) -> int | None:
    """Further texts that would decide on which side of `line` the true value lies.

    Assumes that the estimate is the true value and that the interval shrinks with the square
    root of n: then the interval at n' texts clears the line with probability `power` when the
    distance is (z_0.975 + z_power) standard errors.

    Args:
        interval: the 95 % interval that straddles the line.
        line: the gate.
        n: texts behind it.
        power: probability of deciding, in (0, 1).

    Returns:
        Texts to add, >= 1; none when the value lies on the line, which no number of texts decides.
    """
    distance = abs(interval.value - line)
    error = (interval.high - interval.low) / (2 * stats.norm.ppf(0.975))
    if distance < 1e-9 or error <= 0:
        return None
    needed: float = n * ((stats.norm.ppf(0.975) + stats.norm.ppf(power)) * error / distance) ** 2
    return max(1, math.ceil(needed - n))
