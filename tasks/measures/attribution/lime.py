"""LIME: a linear model of the score around a text."""

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import Ridge

from tasks.measures.attribution.game import between, blank, play
from tasks.measures.attribution.inputs import Attribution, Inputs
from tasks.measures.stats.random_streams import stream

KERNEL_WIDTH = 25.0  # of distances in percent, as the authors' implementation has it for text
PENALTY = 1.0


def lime(inputs: Inputs, *, samples: int = 256, seed: int = 0) -> Attribution:
    """Attribution of a score by a weighted ridge regression on which units are present.

    The value of a unit is its coefficient: by how much the score rises on average when the unit
    is there, near the text. Above 0 speaks for the target, in the unit of the score, any size.
    Coefficients need not add up to the score. Ridge, not lasso: a lasso's penalty depends on
    the scale of the score and takes every unit of a flat score to 0.

    Args:
        inputs: rows to attribute the score of; no gradients are needed. `inputs.rough` is used
            for everything but both ends, if there is one.
        samples: coalitions drawn, >= 2; the number of absent units is uniform. A coalition that
            is drawn again counts again but is not evaluated again.
        seed: of the coalitions; they depend on it and on the number of units, nothing else.

    Returns:
        Attribution per unit, [rows, units].

    Raises:
        ValueError: too few samples.
        MemoryError, RuntimeError: memory runs out even for a single text.

    Source: Ribeiro, Singh and Guestrin 2016, arXiv:1602.04938; kernel, sampling and penalty as
    in their package lime 0.2.
    """
    if samples < 2:
        raise ValueError(f"lime: no line goes through {samples} samples")
    drawn = lru_cache(lambda n: _drawn(n, samples, seed))
    ends = inputs.ends()
    units, evaluations = blank(inputs)
    for n, (rows, scores) in play(inputs, lambda n: drawn(n)[0], rough=True).items():
        between_ends, times = drawn(n)
        present = np.concatenate([np.ones((1, n)), np.zeros((1, n)), between_ends])
        known = np.concatenate([torch.stack(ends, dim=1)[rows].numpy(), scores], axis=1)
        model = Ridge(alpha=PENALTY).fit(present, known.T, times * _closeness(present))
        units[rows, :n] = torch.from_numpy(model.coef_)
        evaluations[rows] = len(present)
    return between(ends, units, evaluations)


def _drawn(n: int, samples: int, seed: int) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Coalitions except the full and the empty one, [k, n], and how often each was drawn.

    The counts begin with those of the full coalition, which is drawn once, and of the empty one.
    """
    rng = stream(seed, "neighbours of LIME", n)
    absent = rng.integers(1, n + 1, size=samples - 1)
    ranks = rng.permuted(np.tile(np.arange(n), (samples - 1, 1)), axis=1)
    present, times = np.unique(ranks >= absent[:, None], axis=0, return_counts=True)
    nothing = ~present.any(axis=1)
    return present[~nothing], np.array([1, times[nothing].sum(), *times[~nothing]])


def _closeness(present: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weight of every coalition by its cosine distance from the full one, [k], 0 to 1."""
    distance = 100 * (1 - np.sqrt(present.mean(axis=1)))
    closeness: NDArray[np.float64] = np.exp(-((distance / KERNEL_WIDTH) ** 2) / 2)
    return closeness
