"""Are probabilities equally well calibrated in every group?

Probabilities are those of the favourable class; outcomes are true where the label is favourable.
"""

from collections.abc import Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.errors import EvidenceError
from tasks.measures.stats.intervals import Interval, bonferroni, folded, largest
from tasks.measures.stats.random_streams import stream

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

BINS = 10
RESAMPLES = 2000
PERMUTATIONS = 1999
AT_ONCE = 2_000_000  # random numbers held in memory


class Calibration(NamedTuple):
    """Expected calibration error of one group, and the distribution of its noise."""

    error: float
    noise: Floats
    """Bound on the error that chance adds or hides, [resamples]."""
    n: int


def bins(probability: Floats) -> NDArray[np.int64]:
    """Bin of every probability, 0 .. 9, of equal width; 1 belongs to the last."""
    return np.minimum((probability * BINS).astype(np.int64), BINS - 1)


def expected_calibration_error(probability: Floats, outcome: Bools) -> float:
    """Mean distance, over texts, of stated probability and frequency within ten equal bins.

    0 is perfect calibration, 1 the worst. It cannot be negative, so chance alone makes it
    positive, more so with fewer texts: judge it by the lower end of its interval.

    Args:
        probability: of the favourable class, in [0, 1], [texts].
        outcome: the label is favourable, [texts].

    Raises:
        EvidenceError: no texts.

    Source: Naeini, Cooper and Hauskrecht 2015, AAAI; Guo et al. 2017, arXiv:1706.04599.
    """
    if len(probability) == 0:
        raise EvidenceError("calibration of no texts: at least one is needed")
    residual = outcome - probability
    sums = np.bincount(bins(probability), weights=residual, minlength=BINS)
    return float(np.abs(sums).sum() / len(probability))


def calibration(probability: Floats, outcome: Bools, *, seed: int) -> Calibration:
    """Expected calibration error with the noise that it may contain.

    The error of every bin is off by some noise, and the sum of absolute values by at most the
    sum of the absolute noise. Its distribution is simulated twice: from outcomes drawn at the
    stated probabilities (exact if these are calibrated) and from the spread of the residuals
    within bins (if they are not); the one with the larger 95 % point is kept.

    Args:
        probability: of the favourable class, in [0, 1], [texts].
        outcome: the label is favourable, [texts].
        seed: drawn from the definition's seed.

    Raises:
        EvidenceError: no texts.

    Source: Broecker and Smith 2007, Weather and Forecasting 22:651-661 (consistency resampling).
    """
    error = expected_calibration_error(probability, outcome)
    rng = stream(seed, "noise of a calibration error")
    where, n = bins(probability), len(probability)
    calibrated, spread = np.zeros(RESAMPLES), np.zeros(RESAMPLES)
    for b in np.unique(where):
        p, residual = probability[where == b], (outcome - probability)[where == b]
        calibrated += np.abs(_drawn_sums(p, rng) - p.sum()) / n
        variance = residual.var(ddof=1) if len(p) > 1 else float(p[0] * (1 - p[0]))
        spread += np.abs(rng.normal(0, np.sqrt(variance * len(p)), RESAMPLES)) / n
    noise = max(calibrated, spread, key=lambda draws: float(np.quantile(draws, 0.95)))
    return Calibration(error, noise, n)


def calibration_interval(of: Calibration, *, level: float = 0.95) -> Interval:
    """Expected calibration error, in [0, 1], with its interval.

    The lower end is above 0 in at most 1 - `level` of groups that are perfectly calibrated; where
    calibration is poor the interval is wider than it need be.
    """
    reach = float(np.quantile(of.noise, level))
    return Interval(of.error, max(0.0, of.error - reach), min(1.0, of.error + reach))


def calibration_difference(of: Mapping[str, Calibration]) -> Interval:
    """Largest minus smallest expected calibration error over the groups, in [0, 1]; 0 is parity.

    The interval adds the noise of both groups and is therefore wide: in 300 simulations of
    two perfectly calibrated groups of 100 and 400 its lower end was never above 0. The test is
    `calibration_p`, which was below .05 in 4 % of 100.

    Raises:
        EvidenceError: fewer than two groups.
    """
    if len(of) < 2:
        raise EvidenceError(f"a gap needs two groups, got: {', '.join(of) or 'none'}")
    pairs = list(combinations(sorted(of), 2))
    level = bonferroni(0.95, len(pairs))
    gaps = []
    for a, b in pairs:
        gap = of[a].error - of[b].error
        reach = float(np.quantile(of[a].noise + of[b].noise, level))
        gaps.append(folded(Interval(gap, gap - reach, gap + reach)))
    low, high = (max(i[end] for i in gaps) for end in (1, 2))
    return Interval(largest(gaps).value, low, min(1.0, high))


def calibration_p(
    probability: Floats, outcome: Bools, group: NDArray[np.str_], *, seed: int
) -> float:
    """P for outcomes that are independent of the group given the probability.

    Groups are exchanged within bins of the probability; the statistic is the largest minus the
    smallest expected calibration error.

    Args:
        probability: of the favourable class, in [0, 1], [texts].
        outcome: the label is favourable, [texts].
        group: group of every text, [texts].
        seed: drawn from the definition's seed.

    Returns:
        p in (0, 1]; the observed order counts as one permutation.

    Source: Barocas, Hardt and Narayanan 2023, Fairness and Machine Learning, ch. 3 (sufficiency).
    """
    rng = stream(seed, "test of equal calibration")
    order = np.argsort(bins(probability), kind="stable")
    where, residual = bins(probability)[order], (outcome - probability)[order]
    names, code = np.unique(group[order], return_inverse=True)
    sizes, cell = np.bincount(code), code * BINS + where

    def gap(residuals: Floats) -> float:
        sums = np.bincount(cell, weights=residuals, minlength=len(names) * BINS)
        errors = np.abs(sums).reshape(len(names), BINS).sum(axis=1) / sizes
        return float(np.ptp(errors))

    observed = gap(residual)
    drawn = [gap(residual[np.argsort(where + rng.random(len(where)))]) for _ in range(PERMUTATIONS)]
    return float((1 + np.sum(np.array(drawn) >= observed - 1e-9)) / (1 + PERMUTATIONS))


def _drawn_sums(probability: Floats, rng: np.random.Generator) -> Floats:
    """How many outcomes are favourable when each is drawn at its probability, [resamples]."""
    step = max(1, AT_ONCE // len(probability))
    parts = [
        (rng.random((min(step, RESAMPLES - start), len(probability))) < probability).sum(axis=1)
        for start in range(0, RESAMPLES, step)
    ]
    return np.concatenate(parts).astype(np.float64)
