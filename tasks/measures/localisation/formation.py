"""At which layer decisions form, and the difference between two sets of texts."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.errors import EvidenceError
from tasks.measures.stats import intervals
from tasks.measures.stats.random_streams import stream

PERMUTATIONS = 9999


def formation_layer(decisions: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first layer from which on the decision read is the final one.

    Args:
        decisions: class read at every layer, [layers + 1, texts].

    Returns:
        Layer per text, [texts], in 0 .. layers: low means that the decision forms early.
    """
    agrees = decisions == decisions[-1]
    settled = np.flip(np.cumprod(np.flip(agrees, axis=0), axis=0), axis=0).astype(bool)
    first: NDArray[np.int64] = settled.argmax(axis=0)
    return first


class Delay(NamedTuple):
    """How much later decisions form."""

    interval: intervals.Interval
    """Layers; above 0 is later."""
    p: float
    """Two-sided permutation test."""


def formation_delay(
    formed: NDArray[np.int64], reference: NDArray[np.int64], *, layers: int, seed: int
) -> Delay:
    """Mean formation layer of some texts minus that of others.

    Args:
        formed: layer of every text in question, [texts].
        reference: layer of every text of the other set, [others].
        layers: the last layer.
        seed: drawn from the definition's seed.

    Returns:
        Difference in layers, in [-layers, layers], 0 where both form alike, with the BCa
        bootstrap intervals of both means combined by MOVER; and p under exchange of the texts.

    Raises:
        EvidenceError: one of the sets is empty.

    Source: Zou and Donner 2008, Statistics in Medicine 27:1693-1702; Phipson and Smyth 2010,
    Stat. Appl. Genet. Mol. Biol. 9:39, for p.
    """
    bounds = (0.0, float(layers))
    mean = intervals.bootstrap_mean(formed.astype(np.float64), seed=seed, bounds=bounds)
    reference_mean = intervals.bootstrap_mean(
        reference.astype(np.float64), seed=seed, bounds=bounds
    )
    value = mean.value - reference_mean.value
    below = math.hypot(mean.value - mean.low, reference_mean.high - reference_mean.value)
    above = math.hypot(mean.high - mean.value, reference_mean.value - reference_mean.low)
    interval = intervals.Interval(value, value - below, value + above)
    return Delay(interval, permutation_p(formed, reference, seed=seed))


def permutation_p(a: NDArray[np.int64], b: NDArray[np.int64], *, seed: int) -> float:
    """Two-sided p of equal means of whole numbers, by exchange of texts between two sets.

    Raises:
        EvidenceError: one of the sets is empty.
    """
    if len(a) == 0 or len(b) == 0:
        raise EvidenceError("permutation test of no texts: at least one is needed on either side")
    values, counts = np.unique(np.concatenate([a, b]), return_counts=True)
    # equal values are interchangeable, so the counts determine the permutation
    drawn = stream(seed, "permuted formation layers").multivariate_hypergeometric(
        counts, len(a), size=PERMUTATIONS
    )
    total = float(values @ counts)
    sums = drawn @ values
    means = sums / len(a) - (total - sums) / len(b)
    seen = abs(float(a.mean() - b.mean()))
    return float((1 + (np.abs(means) >= seen - 1e-12).sum()) / (1 + PERMUTATIONS))
