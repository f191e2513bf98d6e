"""Do two attributions of the same text agree?"""

from collections.abc import Sequence

import numpy as np
from scipy import stats


def rank_agreement(a: Sequence[float], b: Sequence[float]) -> float:
    """Spearman rank correlation of two attributions of one text.

    1 is the same order, 0 no relation, -1 the inverted order. Neither is better: methods can agree
    and all be wrong. Signs count; where one method is unsigned, pass absolute values.

    Args:
        a: attribution of every unit by one method, [units].
        b: the same by another, [units].

    Returns:
        Correlation in [-1, 1], tied units at their mean rank; nan where one side gives all units
        the same value, since that is no order.

    Raises:
        ValueError: the two disagree on the number of units.

    Source: Spearman 1904, American Journal of Psychology 15:72-101; between attributions,
    Krishna et al. 2022, The disagreement problem, arXiv:2202.01602.
    """
    _same_units(a, b, "rank agreement")
    if len(a) == 0 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(stats.spearmanr(a, b).statistic)


def top_overlap(a: Sequence[float], b: Sequence[float], k: int) -> float:
    """Share of the k strongest units of two attributions that they have in common.

    1 is the same units in any order; two independent attributions share k / units on
    average, the chance level. Neither is better, see `rank_agreement`.

    Args:
        a: attribution of every unit by one method, [units].
        b: the same by another, [units].
        k: how many of the strongest by absolute value, in [1, units]; of equally strong units
            the one that stands first.

    Returns:
        Share in [0, 1].

    Raises:
        ValueError: the two disagree on the number of units, or there are no k of them.

    Source: Krishna et al. 2022, The disagreement problem, arXiv:2202.01602 (feature agreement).
    """
    _same_units(a, b, "top overlap")
    if not 1 <= k <= len(a):
        raise ValueError(f"top overlap: k must be in [1, {len(a)}] for {len(a)} units, got {k}")
    return len(_strongest(a, k) & _strongest(b, k)) / k


def _strongest(values: Sequence[float], k: int) -> set[int]:
    return set(sorted(range(len(values)), key=lambda i: (-abs(values[i]), i))[:k])


def _same_units(a: Sequence[float], b: Sequence[float], name: str) -> None:
    if len(a) != len(b):
        raise ValueError(f"{name}: {len(a)} units against {len(b)}")
