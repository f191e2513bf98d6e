"""Does an attribution rank highest the words that the decision depends on?"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from tasks.measures.stats.intervals import Floats, Interval, bonferroni, bootstrap_mean
from tasks.measures.stats.random_streams import stream

GAIN = (-2.0, 2.0)  # two drops of a probability lie this far apart at most


def comprehensiveness(full: Tensor, without: Tensor) -> Tensor:
    """How far the decision's probability falls when its top words are replaced.

    The drop `full - without`, averaged over the shares of words replaced. High is faithful to
    the decision; 0 means the words did not matter; negative means the subject was surer
    without them. It depends on the replacement: call it once for each operator, with `full` under
    the same one.

    Args:
        full: probability of the decision on the whole text, [texts], in [0, 1].
        without: the same once the top words are replaced, [shares, texts].

    Returns:
        Mean drop per text, [texts], in [-1, 1].

    Raises:
        ValueError: the two disagree on the number of texts.

    Source: DeYoung et al. 2020, ERASER, arXiv:1911.03429; the mean is over the given shares,
    the empty removal (drop 0) is not counted.
    """
    _same_texts(full, without, "comprehensiveness")
    return (full - without).mean(dim=0)


def sufficiency(full: Tensor, only: Tensor) -> Tensor:
    """How far the decision's probability falls when only its top words are kept.

    Low is good: the words suffice. Negative means the subject is surer of the decision on the
    words alone.

    Args:
        full: probability of the decision on the whole text, [texts], in [0, 1].
        only: the same once all but the top words are replaced, [shares, texts].

    Returns:
        Mean drop per text, [texts], in [-1, 1].

    Raises:
        ValueError: the two disagree on the number of texts.

    Source: DeYoung et al. 2020, ERASER, arXiv:1911.03429; see `comprehensiveness`.
    """
    _same_texts(full, only, "sufficiency")
    return (full - only).mean(dim=0)


def top(order: Sequence[int], share: float) -> list[int]:
    """The first `share` of `order`, at least one, rounded up."""
    return list(order[: max(1, math.ceil(share * len(order) - 1e-9))])


def by_attribution(values: Sequence[float]) -> list[int]:
    """Word positions from the strongest for the decision to the strongest against it."""
    return sorted(range(len(values)), key=lambda i: (-values[i], i))


def random_orders(n: int, draws: int, *, seed: int) -> list[NDArray[np.int64]]:
    """`draws` random orders of `n` words."""
    rng = stream(seed, "random orders")
    return [rng.permutation(n) for _ in range(draws)]


def removal_sets(n: int, draws: int, *, seed: int) -> NDArray[np.bool_]:
    """Random sets of units to take out of a text, sizes uniform over 1 .. n - 1.

    Args:
        n: units of the text; a single unit is taken out alone.
        draws: how many sets; they can repeat.
        seed: drawn from the definition's seed.

    Returns:
        Which units are gone, [draws, n].
    """
    rng = stream(seed, "removal sets")
    sizes = rng.integers(1, max(1, n - 1), size=draws, endpoint=True)
    ranks = rng.random((draws, n)).argsort(axis=1).argsort(axis=1)
    return ranks < sizes[:, None]


class InfidelityParts(NamedTuple):
    """Numerator and denominator of the relative infidelity of one text."""

    error: float
    """Mean squared error of the falls that the attribution predicts, score unit squared."""
    square: float
    """Mean square of the falls themselves, score unit squared."""


def infidelity_parts(
    values: Sequence[float] | Floats,
    removed: NDArray[np.bool_],
    fall: Floats,
    *,
    normalised: bool = False,
) -> InfidelityParts:
    """How far the attribution of removed units is from the effect of their removal on the score.

    Infidelity relative to that of attributing nothing is error / square. Low is faithful: 0
    predicts every change, 1 is no better than attributing nothing, above 1 is worse. Over several
    texts, divide the sum of errors by the sum of squares: a mean of ratios would depend on the
    texts whose score hardly moves.

    Args:
        values: attribution of every unit, [units], in the unit of the score.
        removed: which units were taken out, [draws, units], see `removal_sets`.
        fall: score of the whole text minus that of the rest, [draws].
        normalised: scale the attribution by the one factor >= 0 that fits best (least squares),
            for methods with a scale of their own, such as attention. A negative factor would
            accept an inverted attribution. Fitted and measured on the same draws, so that with
            few of them even a random attribution gets a little below `square`.

    Raises:
        ValueError: the shapes disagree, or there are no draws.

    Source: Yeh et al. 2019, On the (in)fidelity and sensitivity of explanations,
    arXiv:1901.09392, with removals by neutral tokens as perturbations.
    """
    units = np.asarray(values, dtype=np.float64)
    if len(fall) == 0 or removed.shape != (len(fall), len(units)):
        raise ValueError(
            f"infidelity: expected [draws, {len(units)}] removals and [draws] falls, "
            f"got {removed.shape} and {fall.shape}"
        )
    predicted = removed @ units
    if normalised:
        spread = float(predicted @ predicted)
        predicted = predicted * (max(0.0, float(predicted @ fall)) / spread if spread else 0.0)
    return InfidelityParts(float(np.mean((predicted - fall) ** 2)), float(np.mean(fall**2)))


class Place(NamedTuple):
    """Whether a method beats its baselines, and by how much."""

    gains: list[Interval]
    """Mean gain over every baseline; the intervals hold jointly."""
    earned: bool
    """All of them lie above 0."""


def earns_its_place(
    gains: Floats,
    *,
    seed: int,
    level: float = 0.95,
    bounds: tuple[float, float] = GAIN,
) -> Place:
    """Does a method beat all of its baselines on the same texts?

    Args:
        gains: how much better than the baseline the method is, [texts, baselines]; above 0 is
            better.
        seed: drawn from the definition's seed.
        level: joint coverage of the intervals (Bonferroni over baselines), in (0, 1).
        bounds: smallest and largest gain that a text can have. They keep one text, or several
            equal ones, from giving a significant gain.

    Returns:
        Interval of every gain, in the unit of `gains`, and whether all lie above 0.

    Raises:
        EvidenceError: no texts.
        ValueError: no baselines.
    """
    if gains.ndim != 2 or gains.shape[1] == 0:
        raise ValueError(f"gains: expected [texts, baselines], got {gains.shape}")
    level_each = bonferroni(level, gains.shape[1])
    intervals = [
        bootstrap_mean(column, seed=seed, level=level_each, bounds=bounds) for column in gains.T
    ]
    return Place(intervals, all(interval.low > 0 for interval in intervals))


def _same_texts(full: Tensor, changed: Tensor, name: str) -> None:
    if full.ndim != 1 or changed.ndim != 2 or changed.shape[1] != len(full):
        raise ValueError(
            f"{name}: expected [texts] and [shares, texts], "
            f"got {tuple(full.shape)} and {tuple(changed.shape)}"
        )
