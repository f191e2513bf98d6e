"""Steering: the vector that leads from one group to another, and how decisions respond to it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from tasks.measures.stats.intervals import Interval, group_means, percentile
from tasks.measures.stats.random_streams import stream

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def difference_of_means(states: Floats, toward: Bools) -> Floats:
    """Mean state of one group minus that of the other, [d].

    Adding it once to the states of the second moves their mean onto that of the first: this is
    the unit in which alpha counts.

    Args:
        states: hidden states, [texts, d].
        toward: True for the group that the vector leads to, [texts].

    Raises:
        ValueError: one of the two groups is empty.

    Source: Marks and Tegmark 2023, The Geometry of Truth, arXiv:2310.06824 (mass mean).
    """
    if not toward.any() or toward.all():
        raise ValueError("difference of means: each of the two groups needs a text")
    difference: Floats = states[toward].mean(axis=0) - states[~toward].mean(axis=0)
    return difference


def contrast(original: Floats, exchanged: Floats, toward: Bools) -> Floats:
    """Mean difference over pairs of the same text with one field exchanged, [d].

    Differences between the groups other than the field cancel within a pair.

    Args:
        original: states of the texts as they stand, [pairs, d].
        exchanged: states of the same texts with the field exchanged, [pairs, d].
        toward: True where the exchange leads to the group that the vector leads to, [pairs];
            the other pairs count with the opposite sign.

    Raises:
        ValueError: no pairs.

    Source: Panickssery et al. 2023, Contrastive Activation Addition, arXiv:2312.06681.
    """
    if len(original) == 0:
        raise ValueError("contrast: at least one pair is needed")
    sign = np.where(toward, 1.0, -1.0)[:, None]
    difference: Floats = (sign * (exchanged - original)).mean(axis=0)
    return difference


def shuffled_difference(states: Floats, toward: Bools, draws: int, *, seed: int) -> Floats:
    """Differences of means between groups that were shuffled, [draws, d]: the control.

    The vector's distribution if groups do not matter. Unlike a vector in a random direction it
    lies where the states vary, and its length is that of chance.

    Args:
        states: hidden states, [texts, d].
        toward: True for the group that the vector leads to, [texts].
        draws: how many.
        seed: drawn from the definition's seed.
    """
    rng = stream(seed, "shuffled difference of means")
    return np.stack([difference_of_means(states, rng.permutation(toward)) for _ in range(draws)])


def shuffled_contrast(original: Floats, exchanged: Floats, draws: int, *, seed: int) -> Floats:
    """Contrasts of the same pairs with the direction of each drawn at random, [draws, d].

    Args:
        original: states of the texts as they stand, [pairs, d].
        exchanged: states of the same texts with the field exchanged, [pairs, d].
        draws: how many.
        seed: drawn from the definition's seed.
    """
    rng = stream(seed, "shuffled contrast")
    sides = rng.random((draws, len(original))) < 0.5
    return np.stack([contrast(original, exchanged, side) for side in sides])


def slopes(response: Floats, alphas: Sequence[float]) -> Floats:
    """Change of a text's response per unit of alpha, by least squares, [texts].

    Args:
        response: such as log-odds, [alphas, texts].
        alphas: how often the vector was added, [alphas]; at least two differ.
    """
    centred = np.asarray(alphas, dtype=np.float64) - np.mean(alphas)
    slope: Floats = centred @ response / np.square(centred).sum()
    return slope


def beyond_random(slope: float, random: Floats) -> float:
    """Two-sided p that a vector moves the response as one between shuffled groups does.

    The response to a small vector is linear, and the vector is a mean over many texts, so under the
    null its slope is normal around 0. The slope over the root mean square of the draws' slopes
    follows Student's t with as many degrees of freedom as there are draws.

    Args:
        slope: mean slope of the vector.
        random: mean slope of every vector between shuffled groups, [draws].

    Returns:
        p in [0, 1]; 1 where nothing moves the response.
    """
    spread = float(np.sqrt(np.square(random).mean()))
    if spread == 0:
        return 0.0 if slope else 1.0
    return float(2 * stats.t.sf(abs(slope) / spread, len(random)))


def reach(random: Floats, *, level: float = 0.95) -> Floats:
    """Bound on how far a vector between shuffled groups moves the response, with a probability.

    The quantile of the same t distribution, so that a vector without effect stays within the bound
    with that probability, however few draws there are.

    Args:
        random: mean slope of every vector between shuffled groups, [..., draws].
        level: the probability, in (0, 1).

    Returns:
        [...], >= 0.
    """
    draws = random.shape[-1]
    rms = np.sqrt(np.square(random).mean(axis=-1))
    quantile: Floats = stats.t.ppf((1 + level) / 2, draws) * rms
    return quantile


def perplexity_ratio(before: Floats, after: Floats, tokens: Floats, *, seed: int) -> Interval:
    """Perplexity of texts after over before, with its percentile interval over texts.

    Args:
        before: negative log-likelihood of every text, in nats, [texts].
        after: the same afterwards.
        tokens: tokens that it is summed over, [texts].
        seed: drawn from the definition's seed.

    Returns:
        Ratio > 0 and interval; 1 is no loss, above 1 the texts have become less likely.
    """
    columns = np.column_stack([after - before, tokens])
    means = group_means(columns, np.zeros(len(tokens)), seed=seed)
    return percentile(means, lambda of: np.exp(of[..., 0, 0] / of[..., 0, 1]))


class Range(NamedTuple):
    """The alphas from `low` to `high`."""

    low: float
    high: float


def safe_range(alphas: Sequence[float], worst: Sequence[float], tolerance: float) -> Range:
    """Largest contiguous range of alphas around 0 in which the loss's upper limit is tolerable.

    On either side the alphas are tested outwards, and the first intolerable one ends the range: a
    fixed sequence of tests, which needs no correction for their number.

    Args:
        alphas: the alphas, in any order; 0 is tolerable by definition.
        worst: upper limit of the loss at each.
        tolerance: largest tolerable loss.

    Source: Maurer, Hothorn and Lehmacher 1995 (fixed-sequence testing).
    """
    loss = dict(zip(alphas, worst, strict=True))
    ends = []
    for side in (-1, 1):
        end = 0.0
        for alpha in sorted((a for a in alphas if a * side > 0), key=abs):
            if loss[alpha] > tolerance:
                break
            end = alpha
        ends.append(end)
    return Range(*ends)
