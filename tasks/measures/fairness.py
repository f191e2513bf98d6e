"""Gaps between groups: selection rates, and what is derived from them.

Decisions are given as booleans, true for the favourable one. Names and definitions are
fairlearn's; intervals are ours.
"""

from collections.abc import Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.errors import EvidenceError
from tasks.measures.stats import (
    Interval,
    bonferroni,
    difference,
    fisher_exact,
    folded,
    largest,
    ratio,
    wilson,
)

Bools = NDArray[np.bool_]
Strings = NDArray[np.str_]


class Count(NamedTuple):
    """How many of a group were selected."""

    selected: int
    n: int


def counts(selected: Bools, group: Strings) -> dict[str, Count]:
    """Selected and all texts of every group, in the order of their names.

    Args:
        selected: favourable decision, [texts].
        group: group of every text, [texts].
    """
    return {
        str(g): Count(int(selected[group == g].sum()), int((group == g).sum()))
        for g in np.unique(group)
    }


def reference_group(of: Mapping[str, Count]) -> str:
    """The group that others are held against: the one selected most often.

    On a tie the larger group, then the first by name.

    Raises:
        EvidenceError: nobody in any group was selected.

    Source: 29 CFR 1607.4(D), Uniform Guidelines on Employee Selection Procedures.
    """
    if not any(c.selected for c in of.values()):
        raise EvidenceError(
            f"adverse impact ratio: nobody was selected in any group: {', '.join(of)}"
        )
    return min(of, key=lambda g: (-of[g].selected / of[g].n, -of[g].n, g))


def adverse_impact_ratio(of: Mapping[str, Count], reference: str) -> dict[str, Interval]:
    """Selection rate of every other group over that of the reference group.

    1 is parity; below 0.8 is the four-fifths rule's sign of adverse impact; above 1.25 is the
    same finding with the groups swapped.

    Args:
        of: selected and all texts per group.
        reference: the group to divide by.

    Returns:
        Ratio >= 0 with its MOVER-R interval for every group but the reference; with several
        groups the intervals hold jointly (Bonferroni).

    Raises:
        EvidenceError: nobody in the reference group was selected.

    Source: 29 CFR 1607.4(D), Uniform Guidelines on Employee Selection Procedures.
    """
    level = bonferroni(0.95, len(of) - 1)
    return {g: ratio(c, of[reference], level=level) for g, c in of.items() if g != reference}


def selection_p(of: Mapping[str, Count], reference: str) -> dict[str, float]:
    """Fisher's exact p for equal selection rates, every other group against the reference."""
    return {g: fisher_exact(c, of[reference]) for g, c in of.items() if g != reference}


def rates(of: Mapping[str, Count]) -> dict[str, Interval]:
    """Share selected of every group, with its Wilson interval."""
    return {g: wilson(c.selected, c.n) for g, c in of.items()}


def demographic_parity_difference(of: Mapping[str, Count]) -> Interval:
    """Largest minus smallest selection rate over the groups.

    0 is parity, 1 the largest possible gap. The interval is the largest of all pairwise
    Newcombe intervals, which hold jointly (Bonferroni), folded at zero.

    Args:
        of: selected and all texts per group, at least two groups.

    Returns:
        Difference in [0, 1] with its interval.

    Raises:
        EvidenceError: fewer than two groups.

    Source: fairlearn, `demographic_parity_difference` (between groups).
    """
    return _largest_gap([of])


def equalized_odds_difference(
    positive: Mapping[str, Count], negative: Mapping[str, Count]
) -> Interval:
    """The larger of the gaps in true positive and in false positive rate between groups.

    0 is parity. See `demographic_parity_difference` for the interval.

    Args:
        positive: selected and all texts per group among those whose label is favourable.
        negative: the same among those whose label is unfavourable.

    Returns:
        Difference in [0, 1] with its interval.

    Raises:
        EvidenceError: fewer than two groups on either side.

    Source: Hardt, Price and Srebro 2016, arXiv:1610.02413; fairlearn, worst case form.
    """
    return _largest_gap([positive, negative])


def _largest_gap(tables: list[Mapping[str, Count]]) -> Interval:
    pairs = [(t[a], t[b]) for t in tables for a, b in combinations(sorted(t), 2)]
    if any(len(t) < 2 for t in tables):
        names = sorted({g for t in tables for g in t})
        raise EvidenceError(f"a gap needs two groups, got: {', '.join(names) or 'none'}")
    level = bonferroni(0.95, len(pairs))
    return largest([folded(difference(a, b, level=level)) for a, b in pairs])
