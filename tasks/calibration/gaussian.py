"""Gaussian states whose groups differ in the mean: true rates of linear readers and decisions."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from tasks.measures.probing.erasure import Eraser

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


class Draw(NamedTuple):
    """States and the group of every text."""

    states: Floats
    """[texts, d]."""
    concept: Codes
    """[texts]."""


def drawn(means: Floats, sizes: tuple[int, ...], rng: np.random.Generator) -> Draw:
    """Texts of given group sizes, normal about their group's mean [groups, d], variance 1."""
    concept = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return Draw(means[concept] + rng.normal(size=(len(concept), means.shape[1])), concept)


def accuracy(means: Floats, weight: Floats, bias: Floats) -> float:
    """Balanced accuracy of an affine reader on unseen texts, in closed form.

    Differences of its scores are normal; a group is read correctly where its own score exceeds all
    others, an orthant of that normal distribution. With two groups that is Phi.

    Args:
        means: of the groups, [groups, d]; the variance is 1 in every direction.
        weight: one column for two groups, one per group for more, [columns, d].
        bias: [columns].
    """
    if len(weight) == 1:
        weight, bias = np.vstack([0 * weight, weight]), np.array([0.0, bias[0]])
    right = []
    for g, mean in enumerate(means):
        others = [h for h in range(len(means)) if h != g]
        ahead = weight[g] - weight[others]
        margin = ahead @ mean + bias[g] - bias[others]
        right.append(orthant(margin, ahead @ ahead.T))
    return float(np.mean(right))


def orthant(mean: Floats, covariance: Floats) -> float:
    """Probability that every coordinate of a normal vector is above 0; 1/2 for a constant one."""
    spread = np.sqrt(np.diag(covariance))
    if (spread < 1e-12).any():
        return 1 / (len(mean) + 1)
    if len(mean) == 1:
        return float(stats.norm.cdf(mean[0] / spread[0]))
    law = stats.multivariate_normal(np.zeros(len(mean)), covariance, allow_singular=True)
    return float(law.cdf(mean))


def selected(means: Floats, weight: Floats, bias: float) -> Floats:
    """Share of every group with weight @ x + bias > 0, [groups]."""
    rates: Floats = stats.norm.cdf((means @ weight + bias) / np.linalg.norm(weight))
    return rates


def through(eraser: Eraser, weight: Floats, bias: Floats) -> tuple[Floats, Floats]:
    """An affine map of erased states, written as a map of the states: weight [.., d], bias [..]."""
    left, right, mean = (part.numpy() for part in eraser)
    removed = weight @ left @ right
    return weight - removed, bias + removed @ mean
