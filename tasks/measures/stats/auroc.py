"""How well does a score separate two kinds of case? AUROC, sensitivity and specificity."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from tasks.errors import EvidenceError
from tasks.measures.stats.intervals import Floats, Interval, wilson

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


NO_VARIANCE = 1e-12
"""Bound below which a variance is 0 up to rounding."""


class Components(NamedTuple):
    """An AUROC with its structural components, one per case."""

    value: float
    positive: Floats
    """Share of negatives that each positive outranks, ties half, [positives]."""
    negative: Floats
    """Share of positives that outrank each negative, ties half, [negatives]."""

    @property
    def variance(self) -> float:
        """DeLong's variance of the value; nan with fewer than two cases of a kind."""
        return _covariance(self, self)


def components(scores: Floats, truth: Bools) -> Components:
    """The AUROC and its structural components.

    Args:
        scores: higher speaks for true, [n].
        truth: [n], bool.

    Raises:
        EvidenceError: no true case, or no false one.
        ValueError: scores and truth differ in length, or a score is not finite.
    """
    if len(scores) != len(truth):
        raise ValueError(f"AUROC: {len(scores)} scores against {len(truth)} truths")
    if not np.isfinite(scores).all():
        raise ValueError("AUROC: a score is not finite")
    positive, negative = scores[truth], scores[~truth]
    if len(positive) == 0 or len(negative) == 0:
        raise EvidenceError(
            f"AUROC of {len(positive)} true and {len(negative)} false cases: both are needed"
        )
    above = positive[:, None] > negative[None, :]
    wins = above + 0.5 * (positive[:, None] == negative[None, :])
    return Components(float(wins.mean()), wins.mean(axis=1), wins.mean(axis=0))


def auroc(
    scores: Floats, truth: Bools, *, groups: Sequence[str | int] | None = None, level: float = 0.95
) -> Interval:
    """Probability that a true case scores above a false one, with its DeLong interval.

    1 separates all, 0.5 is chance, 0 is the inverted order. The interval is symmetric on the logit
    scale and so stays in [0, 1]. Where DeLong's variance is 0 or undefined (perfect separation, or
    a single case of a kind) it would claim certainty; then the interval is Wilson's for as many
    independent pairs as the rarer kind has cases, which is wide on purpose.

    Args:
        scores: higher speaks for true, [n].
        truth: [n], bool.
        groups: cluster of every case, [n], if cases of a cluster are not independent; without it
            all cases are independent.
        level: coverage, in (0, 1).

    Returns:
        AUROC and interval, in [0, 1]; ties count half.

    Raises:
        EvidenceError: no true case, or no false one.

    Source: DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44:837-845; logit scale: Pepe 2003,
    The Statistical Evaluation of Medical Tests, 5.2; groups: Obuchowski 1997, Biometrics
    53:567-578.
    """
    parts = components(scores, truth)
    value = parts.value
    of = np.unique(np.arange(len(truth)) if groups is None else groups, return_inverse=True)[1]
    variance = parts.variance if groups is None else grouped_variance(parts, truth, of)
    if not variance > NO_VARIANCE or not 0 < value < 1:
        pairs = min(len(set(of[truth].tolist())), len(set(of[~truth].tolist())))
        return _wide(value, pairs, level)
    reach = _z(level) * math.sqrt(variance) / (value * (1 - value))
    middle = math.log(value / (1 - value))
    return Interval(value, _expit(middle - reach), _expit(middle + reach))


def grouped_variance(parts: Components, truth: Bools, groups: Ints) -> float:
    """Variance of an AUROC whose cases come in groups; nan with fewer than two groups of a kind.

    With every case in its own group it is DeLong's. A group with a true and a false case that err
    together makes it larger; one whose cases are both high or both low makes it smaller.

    Args:
        parts: see `components`.
        truth: [n], bool, as `components` was given it.
        groups: number of the group of every case from 0, [n].

    Source: Obuchowski 1997, Nonparametric analysis of clustered ROC curve data, Biometrics
    53:567-578.
    """
    size = int(groups.max()) + 1
    sizes = [np.bincount(groups[kind], minlength=size) for kind in (truth, ~truth)]
    deviations = [
        np.bincount(groups[kind], weights=values - parts.value, minlength=size)
        for kind, values in ((truth, parts.positive), (~truth, parts.negative))
    ]
    if min(int((n > 0).sum()) for n in sizes) < 2:
        return float("nan")
    own = [
        float((x**2).sum()) * k / (k - 1) / n.sum() ** 2
        for x, n in zip(deviations, sizes, strict=True)
        if (k := int((n > 0).sum()))
    ]
    across = (
        float(deviations[0] @ deviations[1]) * size / (size - 1) / (sizes[0].sum() * sizes[1].sum())
    )
    return float(sum(own) + 2 * across)


def sensitivity(scores: Floats, truth: Bools, threshold: float) -> Interval:
    """Share of the true cases that score at least `threshold`, with its Wilson interval.

    Raises:
        EvidenceError: no true case.
    """
    return wilson(int((scores[truth] >= threshold).sum()), int(truth.sum()))


def specificity(scores: Floats, truth: Bools, threshold: float) -> Interval:
    """Share of the false cases that score below `threshold`, with its Wilson interval.

    Raises:
        EvidenceError: no false case.
    """
    return wilson(int((scores[~truth] < threshold).sum()), int((~truth).sum()))


def _covariance(a: Components, b: Components) -> float:
    if min(len(a.positive), len(a.negative)) < 2:
        return float("nan")
    over_positives = float(np.cov(a.positive, b.positive)[0, 1])
    over_negatives = float(np.cov(a.negative, b.negative)[0, 1])
    return over_positives / len(a.positive) + over_negatives / len(a.negative)


def _wide(value: float, pairs: int, level: float) -> Interval:
    """Wilson's interval for a share of `pairs` that need not be a whole number of them."""
    z = _z(level)
    middle = (value + z * z / (2 * pairs)) / (1 + z * z / pairs)
    spread = z * math.sqrt(value * (1 - value) / pairs + z * z / (4 * pairs**2))
    reach = spread / (1 + z * z / pairs)
    return Interval(
        value, min(value, max(0.0, middle - reach)), max(value, min(1.0, middle + reach))
    )


def _z(level: float) -> float:
    return float(stats.norm.ppf((1 + level) / 2))


def _expit(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0
