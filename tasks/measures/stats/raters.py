"""Do two raters who sort the same cases agree beyond chance?"""

from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np
from scipy import stats

from tasks.errors import EvidenceError
from tasks.measures.stats.intervals import Floats, Interval, share, unseen

Weights = Literal["identity", "linear", "quadratic"]


def raw_agreement(first: Sequence[Hashable], second: Sequence[Hashable]) -> Interval:
    """Share of cases that both raters sort alike, with its Wilson interval.

    Raises:
        EvidenceError: no cases.
        ValueError: the raters saw different numbers of cases.
    """
    _same_cases(first, second)
    return share(np.array([a == b for a, b in zip(first, second, strict=True)]))


def gwet_ac2(
    first: Sequence[Hashable],
    second: Sequence[Hashable],
    categories: Sequence[Hashable],
    *,
    weights: Weights = "identity",
    level: float = 0.95,
) -> Interval:
    """Agreement of two raters corrected for chance, robust to high prevalence.

    1 is perfect, 0 what chance gives, below 0 worse. With identity weights it is Gwet's AC1;
    unlike Cohen's kappa it stays near the raw agreement when nearly all cases fall into one
    category. The interval uses Gwet's linearised variance and Student's t with n - 1 degrees of
    freedom; for raters who never disagree it is that of the rule of three.

    Args:
        first: category of every case by one rater, [n].
        second: the same by the other.
        categories: all that there are, at least two; in order, for weights that use it.
        weights: credit for near misses; `identity` gives none.
        level: coverage, in (0, 1).

    Returns:
        AC2 and interval, in [-1, 1].

    Raises:
        EvidenceError: fewer than two cases.
        ValueError: a category is unknown, or there are fewer than two of them.

    Source: Gwet 2008, British J. of Mathematical and Statistical Psychology 61:29-48; weights and
    variance: Gwet 2014, Handbook of Inter-Rater Reliability, 4th ed., ch. 5.
    """
    _same_cases(first, second)
    if len(first) < 2:
        raise EvidenceError(f"AC2 of {len(first)} cases: at least two are needed")
    credit = _credit(weights, len(categories))
    rows, columns = _places(first, categories), _places(second, categories)
    agreed = credit[rows, columns]
    sorted_into = (np.eye(len(categories))[rows] + np.eye(len(categories))[columns]) / 2
    prevalence = sorted_into.mean(axis=0)
    scale = credit.sum() / (len(categories) * (len(categories) - 1))
    chance = float(scale * (prevalence * (1 - prevalence)).sum())
    value = float((agreed.mean() - chance) / (1 - chance))
    if agreed.min() == 1:
        return Interval(value, (1 - unseen(len(first), level=level) - chance) / (1 - chance), 1.0)
    chance_of = scale * (sorted_into * (1 - prevalence)).sum(axis=1)
    alone = (agreed - chance) / (1 - chance)
    linear = alone - 2 * (1 - value) * (chance_of - chance) / (1 - chance)
    n = len(first)
    error = float(np.sqrt(((linear - value) ** 2).sum() / (n * (n - 1))))
    reach = float(stats.t.ppf((1 + level) / 2, n - 1)) * error
    return Interval(value, max(-1.0, value - reach), min(1.0, value + reach))


def _credit(weights: Weights, q: int) -> Floats:
    if q < 2:
        raise ValueError(f"AC2: at least two categories are needed, got {q}")
    distance = np.abs(np.subtract.outer(np.arange(q), np.arange(q))) / (q - 1)
    match weights:
        case "identity":
            return np.eye(q)
        case "linear":
            return np.asarray(1 - distance)
        case "quadratic":
            return np.asarray(1 - distance**2)


def _places(sorted_: Sequence[Hashable], categories: Sequence[Hashable]) -> list[int]:
    known = {category: place for place, category in enumerate(categories)}
    strange = [category for category in sorted_ if category not in known]
    if strange:
        raise ValueError(f"AC2: {strange[0]!r} is none of the categories {list(categories)}")
    return [known[category] for category in sorted_]


def _same_cases(first: Sequence[Hashable], second: Sequence[Hashable]) -> None:
    if len(first) != len(second):
        raise ValueError(f"raters: {len(first)} cases against {len(second)}")
