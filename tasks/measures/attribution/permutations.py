"""Shapley values by permutation sampling, which makes no assumption about the game."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from tasks.measures.attribution.game import between, blank, play
from tasks.measures.attribution.inputs import Attribution, Inputs
from tasks.measures.stats.random_streams import stream


class Arrivals(NamedTuple):
    """Orders in which the units of a row arrive."""

    orders: NDArray[np.int64]
    """Permutations, every second one the reverse of the one before, [orders, n]."""
    coalitions: NDArray[np.bool_]
    """Distinct coalitions of units that have arrived at some moment of some order, [k, n]."""
    moment: NDArray[np.int64]
    """Index of the coalition after 0 .. n arrivals, [orders, n + 1]."""


def permutation_shapley(inputs: Inputs, *, pairs: int = 7, seed: int = 0) -> Attribution:
    """Shapley values of the units by antithetic permutations.

    The value of a unit is what it adds to the score when it arrives, averaged over sampled
    orders of arrival and their reverses: above 0 speaks for the target, in the unit of the score,
    any size. Unbiased whatever the game; `shapley_values` is more exact for as many evaluations
    where the score is smooth in the units. Values add up to score - baseline score, and a unit
    that never matters gets exactly 0.

    Args:
        inputs: rows to attribute the score of; no gradients are needed. `inputs.rough` is used
            for everything but both ends, if there is one.
        pairs: sampled orders, >= 1, each with its reverse; no coalition is evaluated twice.
        seed: of the orders; they depend on it and on the number of units, nothing else.

    Returns:
        Attribution per unit, [rows, units].

    Raises:
        ValueError: no orders.
        MemoryError, RuntimeError: memory runs out even for a single text.

    Source: Castro, Gomez and Tejada 2009; Mitchell et al. 2022, arXiv:2104.12199 (antithetic).
    """
    if pairs < 1:
        raise ValueError(f"shapley by permutations: {pairs} orders show no arrival")
    arrivals = lru_cache(lambda n: _arrivals(n, pairs, seed))
    ends = score, baseline_score = inputs.ends()
    units, evaluations = blank(inputs)
    # both ends have been scored
    between_ends = lru_cache(lambda n: arrivals(n).coalitions[1:-1])
    for n, (rows, scores) in play(inputs, between_ends, rough=True).items():
        orders, coalitions, moment = arrivals(n)
        nobody, everybody = baseline_score[rows, None].numpy(), score[rows, None].numpy()
        known = np.concatenate([nobody, scores, everybody], axis=1)
        gains = np.diff(known[:, moment], axis=2)
        values = np.zeros((len(rows), n))
        for order, gain in zip(orders, gains.transpose(1, 0, 2), strict=True):
            values[:, order] += gain / len(orders)
        units[rows, :n] = torch.from_numpy(values)
        evaluations[rows] = len(coalitions)
    return between(ends, units, evaluations)


def _arrivals(n: int, pairs: int, seed: int) -> Arrivals:
    """Orders of arrival; coalitions are sorted, so the empty one is first and the full one last."""
    rng = stream(seed, "orders of permutation Shapley values", n)
    sampled = [rng.permutation(n) for _ in range(pairs)]
    orders = np.array([order for forward in sampled for order in (forward, forward[::-1])])
    present = orders.argsort(axis=1)[:, None, :] < np.arange(n + 1)[None, :, None]
    coalitions, moment = np.unique(present.reshape(-1, n), axis=0, return_inverse=True)
    return Arrivals(orders, coalitions, moment.reshape(len(orders), n + 1))
