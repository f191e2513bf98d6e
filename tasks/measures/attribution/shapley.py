"""Shapley values: what a unit adds to the score, averaged over every order of arrival."""

from functools import lru_cache
from math import comb
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from torch import Tensor

from tasks.measures.attribution.game import between, blank, play
from tasks.measures.attribution.inputs import Attribution, Inputs
from tasks.measures.stats.random_streams import stream

Floats = NDArray[np.float64]

FALLOFFS = (0.1, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
NOISES = (1e-6, 1e-4, 1e-2)  # up to what bfloat16 adds to a score
LENGTHS = 32  # numbers of units whose coalitions and priors are kept; some megabytes each
LEAST = 1e-300  # so that a constant score has a likelihood


class Shapley(NamedTuple):
    """Shapley values with their standard errors."""

    attribution: Attribution
    error: Tensor
    """Standard error of every unit's value, [rows, units], in the unit of the score; smaller is
    better, 0 where every coalition was played. Under the smooth game that was fitted: correct on
    average over units and texts, not a bound for a single one."""


def shapley_values(
    inputs: Inputs, *, per_unit: int = 6, most: int = 512, exact_up_to: int = 7, seed: int = 0
) -> Attribution:
    """Shapley values of the units; `shapley_with_errors` without the errors."""
    return shapley_with_errors(
        inputs, per_unit=per_unit, most=most, exact_up_to=exact_up_to, seed=seed
    ).attribution


def shapley_with_errors(
    inputs: Inputs, *, per_unit: int = 6, most: int = 512, exact_up_to: int = 7, seed: int = 0
) -> Shapley:
    """Shapley values of the units, with a standard error.

    The value of a unit is what it adds to the score when it arrives, averaged over every order
    in which units can arrive, absent ones being neutral: above 0 speaks for the target, in the
    unit of the score, any size. Values add up to score - baseline score.

    Short rows play every coalition and are exact. Longer rows play coalitions in pairs with
    their complements, of which only the difference matters; a Gaussian process, smooth in the
    number of units by which coalitions differ, is conditioned on them, and its Shapley values
    are known in closed form. How smooth is chosen by marginal likelihood, row by row.
    There a unit that never matters is within its error of 0, not exactly 0.

    Args:
        inputs: rows to attribute the score of; no gradients are needed. `inputs.rough` is used
            for everything but both ends, if there is one.
        per_unit: evaluations per unit of a longer row, >= 2.
        most: evaluations of a row, but at least two for each of its units.
        exact_up_to: units up to which a row plays all 2^units coalitions.
        seed: of the coalitions; they depend on it and on the number of units, nothing else.

    Returns:
        Attribution and standard error per unit, [rows, units] each; NaN where scores are not
        finite.

    Raises:
        ValueError: too few evaluations to see every unit.
        MemoryError, RuntimeError: memory runs out even for a single text.

    Source: Shapley 1953; Owen 1972 (the closed form, by the multilinear extension); Covert and
    Lee 2021, arXiv:2012.01536 (pairs); Musco and Witter 2024, arXiv:2410.01917 (all sizes alike);
    Chau, Muandet and Sejdinovic 2023, arXiv:2305.15167 (Shapley values of Gaussian processes).
    """
    if per_unit < 2:
        raise ValueError(f"shapley: {per_unit} evaluations per unit do not see every unit")

    def chosen(n: int) -> NDArray[np.bool_]:
        if _exact(n, per_unit, exact_up_to):
            return _every_pair(n)
        return _some_pairs(n, budget(n), seed)

    def budget(n: int) -> int:
        """Pairs of coalitions for rows of that many units."""
        return max(n, min(per_unit * n, most) // 2)

    def pairs(n: int) -> NDArray[np.bool_]:
        return np.concatenate([chosen(n)[1:], ~chosen(n)[1:]])

    ends = score, baseline_score = inputs.ends()
    units, evaluations = blank(inputs)
    error = torch.zeros_like(units)
    for n, (rows, scores) in play(inputs, pairs, rough=True).items():
        present, without = np.split(scores, 2, axis=1)
        whole = (score - baseline_score)[rows, None].numpy()
        gains = np.concatenate([whole, present - without], axis=1)
        if _exact(n, per_unit, exact_up_to):
            units[rows, :n] = torch.from_numpy(gains @ _weights(chosen(n)))
        else:
            mean, deviation = _regress(n, budget(n), seed, gains)
            units[rows, :n], error[rows, :n] = torch.from_numpy(mean), torch.from_numpy(deviation)
        evaluations[rows] = 2 * len(chosen(n))
    return Shapley(between(ends, units, evaluations), error)


# --- which coalitions ---------------------------------------------------------------------


def _exact(n: int, per_unit: int, exact_up_to: int) -> bool:
    return n <= exact_up_to or 2**n <= per_unit * n + 2


@lru_cache(maxsize=LENGTHS)
def _every_pair(n: int) -> NDArray[np.bool_]:
    """One coalition of every pair of complements, the full one first, [2^(n-1), n]."""
    numbers = np.arange(2**n - 1, 2 ** (n - 1) - 1, -1)
    present: NDArray[np.bool_] = (numbers[:, None] >> np.arange(n)) & 1 == 1
    return present


@lru_cache(maxsize=LENGTHS)
def _some_pairs(n: int, pairs: int, seed: int) -> NDArray[np.bool_]:
    """The full coalition, every unit alone, random coalitions of uniform size, [pairs + 1, n].

    Neither a coalition nor its complement comes twice.
    """
    rng = stream(seed, "coalitions of Shapley values", n)
    coalitions = {unit.tobytes(): unit for unit in np.eye(n, dtype=bool)}
    while len(coalitions) < pairs:
        present = np.zeros(n, dtype=bool)
        present[rng.permutation(n)[: rng.integers(2, n - 1)]] = True
        present ^= present[0]
        coalitions[present.tobytes()] = present
    return np.stack([np.ones(n, dtype=bool), *coalitions.values()])


# --- from pairs to values -----------------------------------------------------------------


def _weights(present: NDArray[np.bool_]) -> Floats:
    """Weight of every pair's difference in every unit's value, all pairs given, [pairs, n]."""
    n = present.shape[1]
    sizes = present.sum(axis=1)
    ways = np.array([comb(n, int(s)) for s in sizes])
    inside = 1 / (sizes * ways)
    outside = 1 / (np.maximum(n - sizes, 1) * ways)
    weights: Floats = np.where(present, inside[:, None], -outside[:, None])
    return weights


class _Prior(NamedTuple):
    """One prior, conditioned on which coalitions are played, not yet on the scores."""

    factor: Floats
    """Cholesky factor of the covariance of the pairs' differences, [pairs, pairs]."""
    seen: Floats
    """Covariance of the differences with twice every unit's value, whitened, [pairs, n]."""
    left: Floats
    """Remaining variance of twice every unit's value, [n]."""


def _regress(n: int, pairs: int, seed: int, gains: Floats) -> tuple[Floats, Floats]:
    """Shapley values and standard errors from some pairs, [rows, n] each.

    Args:
        n: units.
        pairs: of coalitions, see `_some_pairs`.
        seed: of the coalitions.
        gains: score of one coalition of every pair less that of its complement, [rows, pairs].
    """
    best = np.full(len(gains), -np.inf)
    # rows whose scores are not finite stay so
    mean = np.full((len(gains), n), np.nan)
    deviation = mean.copy()
    for factor, seen, left in _priors(n, pairs, seed):
        white = solve_triangular(factor, gains.T, lower=True, check_finite=False)
        scale = np.maximum((white**2).mean(axis=0), LEAST)
        likelihood = -0.5 * len(white) * np.log(scale) - np.log(np.diag(factor)).sum()
        better = likelihood > best
        best[better], mean[better] = likelihood[better], (white.T @ seen / 2)[better]
        deviation[better] = (np.sqrt(scale[:, None] * left) / 2)[better]
    return mean, deviation


@lru_cache(maxsize=LENGTHS)
def _priors(n: int, pairs: int, seed: int) -> list[_Prior]:
    """Every prior for the coalitions of rows of `n` units."""
    present = _some_pairs(n, pairs, seed)
    priors = []
    for falloff in FALLOFFS:
        covariance, with_value, of_value = _prior(present, falloff)
        for noise in NOISES:
            # both ends are exact, so that values add up to their difference
            on_diagonal = np.diag(np.where(present.all(axis=1), 0.0, noise))
            factor = np.linalg.cholesky(covariance + on_diagonal)
            seen = solve_triangular(factor, with_value, lower=True)
            left = np.maximum(of_value - (seen**2).sum(axis=0), 0)
            priors.append(_Prior(factor, seen, left))
    return priors


def _prior(present: NDArray[np.bool_], falloff: float) -> tuple[Floats, Floats, float]:
    """Prior of a smooth game.

    The covariance of two coalitions' scores falls by the same factor for every unit by which
    they differ, to exp(-falloff) for complements.

    Returns:
        Covariance of the pairs' differences [pairs, pairs]; their covariance with twice every
        unit's Shapley value [pairs, n]; the variance of twice a unit's value.
    """
    n = present.shape[1]
    signs = 2.0 * present - 1
    distance = (n - signs @ signs.T) / 2
    keep = np.exp(-falloff / n)
    nodes, weights = np.polynomial.legendre.leggauss((n + 1) // 2)  # exact up to degree n
    nodes, weights = (nodes + 1) / 2, weights / 2
    # Owen: the Shapley value is the mean, over q in [0, 1], of the unit's expected contribution
    # when every other unit is present independently with probability q
    others = np.arange(n)[:, None]
    agree, differ = nodes + (1 - nodes) * keep, 1 - nodes + nodes * keep
    expected = (agree**others * differ ** (n - 1 - others)) @ weights
    with_value = 2 * (1 - keep) * signs * expected[present.sum(axis=1)[:, None] - present]
    same = np.outer(nodes, nodes) + np.outer(1 - nodes, 1 - nodes)
    of_value = 4 * (1 - keep) * weights @ (same + (1 - same) * keep) ** (n - 1) @ weights
    covariance = keep**distance - keep ** (n - distance)
    whole = covariance[0, 0]
    return covariance / whole, with_value / whole, float(of_value / whole)
