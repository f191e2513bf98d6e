"""Gaps between groups: selection rates, and measures derived from them.

Decisions are given as booleans, true for the favourable one. Names and definitions are
fairlearn's; intervals are ours. A quantity that is selected by the data (the best group, the widest
gap) has an interval that allows for the selection: it is built from intervals of all pairs of
groups, which hold jointly.
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.errors import EvidenceError
from tasks.measures.stats.intervals import (
    Interval,
    bonferroni,
    difference,
    fisher_exact,
    folded,
    largest,
    ratio,
    tukey,
    wilson,
)

Bools = NDArray[np.bool_]
Strings = NDArray[np.str_]
LEVEL = 0.95
LARGEST_GAP = "largest gap between groups, joint Newcombe intervals (Tukey-Kramer) folded at 0"
"""How `largest_gap` and its interval are computed, in words."""


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


Table = Mapping[str, Count]
"""Group -> how many were selected."""


def most_selected(of: Table) -> str:
    """The group selected most often; on a tie the larger, then the first by name.

    Raises:
        EvidenceError: nobody in any group was selected.

    Source: 29 CFR 1607.4(D), Uniform Guidelines on Employee Selection Procedures;
    6 RCNY 5-300, `impact ratio`.
    """
    if not any(c.selected for c in of.values()):
        raise EvidenceError(f"ratio: nobody was selected in any group: {', '.join(of)}")
    return min(of, key=lambda g: (-of[g].selected / of[g].n, -of[g].n, g))


def largest_group(of: Table) -> str:
    """The group of most texts; on a tie the first by name."""
    return min(of, key=lambda g: (-of[g].n, g))


def adverse_impact_ratio(of: Table, reference: str) -> dict[str, Interval]:
    """Selection rate of every other group over that of a reference group fixed in advance.

    1 is parity; below 0.8 is the four-fifths rule's sign of adverse impact; above 1.25 is the
    same finding with the groups swapped. Where the reference is chosen by its selection rate,
    `ratio_to_most_selected` allows for the choice and this does not.

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
    level = bonferroni(LEVEL, len(of) - 1)
    return {g: ratio(c, of[reference], level=level) for g, c in of.items() if g != reference}


def selection_p(of: Table, reference: str) -> dict[str, float]:
    """Fisher's exact p for equal selection rates, every other group against the reference."""
    return {g: fisher_exact(c, of[reference]) for g, c in of.items() if g != reference}


def ratio_to_most_selected(of: Table) -> dict[str, Interval]:
    """Selection rate of every group over that of the group selected most often.

    1 is parity and the largest possible value; below 0.8 is the four-fifths rule's sign of
    adverse impact. The true best group is not known, only the one with the highest sample
    rate. So the interval is for the smallest of a group's ratios to all others, cut at 1, from
    MOVER-R intervals of all pairs that hold jointly (Tukey-Kramer); it does not use which group
    came out best. Multiple comparisons with the best (Hsu), but with a lower and an upper end.

    Simulated with 2, 3 and 4 groups of equal selection rate (.2, .5, .8) and 100, 400 and 1000
    texts in all, 20,000 times each: the share in which some interval lies below 1, meant to be
    5 %, is 3.5 to 5.6 %, but 7.0 % for four groups of 25 at a rate of .5. An interval that takes
    the sample's best group as given is wrong in up to 8.8 %, a bootstrap that
    chooses the best group anew in every resample in up to 22 % (500 times each).

    Args:
        of: selected and all texts per group, at least two groups.

    Returns:
        Ratio in [0, 1] with its interval for every group, in the order given; the intervals
        hold jointly.

    Raises:
        EvidenceError: nobody was selected, or fewer than two groups.

    Source: 29 CFR 1607.4(D); 6 RCNY 5-300; Hsu 1996, Multiple Comparisons, ch. 4 and 5.
    """
    _at_least_two([of])
    best = most_selected(of)
    level = _tukey(LEVEL, len(of))
    intervals = {}
    for g in of:
        ratios = [_ratio(of[g], of[h], level) for h in of if h != g]
        value = (of[g].selected / of[g].n) / (of[best].selected / of[best].n)
        low, high = (min(1.0, min(ends)) for ends in zip(*ratios, strict=True))
        intervals[g] = Interval(value, min(low, value), max(high, value))
    return intervals


def rates(of: Table) -> dict[str, Interval]:
    """Share selected of every group, with its Wilson interval."""
    return {g: wilson(c.selected, c.n) for g, c in of.items()}


def complement(of: Table) -> dict[str, Count]:
    """The same table, counting those that were not selected."""
    return {g: Count(c.n - c.selected, c.n) for g, c in of.items()}


def demographic_parity_ratio(of: Table) -> Interval:
    """Smallest over largest selection rate over the groups.

    1 is parity, 0 the largest possible gap. See `ratio_to_most_selected` for the interval.

    Args:
        of: selected and all texts per group, at least two groups.

    Returns:
        Ratio in [0, 1] with its interval.

    Raises:
        EvidenceError: nobody was selected, or fewer than two groups.

    Source: fairlearn, `demographic_parity_ratio` (between groups).
    """
    ratios = ratio_to_most_selected(of).values()
    return Interval(*(min(ends) for ends in zip(*ratios, strict=True)))


def largest_gap(*tables: Table) -> Interval:
    """Largest difference between two groups of the same table.

    Over all texts it is the demographic parity difference; over texts with a favourable label the
    equal opportunity difference; over these, and in a second table those with an unfavourable
    label, the equalized odds difference; over selected texts, with the label in place of the
    decision, the predictive parity difference.

    Args:
        tables: selected and all texts per group, at least two groups in each.

    Returns:
        Difference in [0, 1]; 0 is parity. The pairwise Newcombe intervals hold jointly
        (Tukey-Kramer within a table, Bonferroni over tables) and are folded at zero.

    Raises:
        EvidenceError: fewer than two groups.

    Source: Hardt, Price and Srebro 2016, arXiv:1610.02413 (equal opportunity, equalized odds);
    fairlearn (between groups, worst case form); Chouldechova 2017, Big Data 5:153-163
    (predictive parity).
    """
    _at_least_two(tables)
    each = bonferroni(LEVEL, len(tables))
    pairs = [
        folded(difference(t[a], t[b], level=_tukey(each, len(t))))
        for t in tables
        for a, b in combinations(sorted(t), 2)
    ]
    return largest(pairs)


def mean_gap(tables: Sequence[Table]) -> Interval:
    """Mean over several tables of the largest difference between two groups.

    Both ends are the means of the tables' own ends. A mean of quantities varies no more than they
    do on average, whatever their correlation; so the interval holds for tables over the same
    texts, and is wide where the tables differ by chance alone. A bootstrap of the mean gap never
    covers small gaps: chance makes each of them larger.

    Args:
        tables: selected and all texts per group; at least one table.

    Returns:
        Mean difference in [0, 1]; 0 is parity in every table.

    Raises:
        EvidenceError: no table, or fewer than two groups.
    """
    if not tables:
        raise EvidenceError("mean gap of no tables: at least one is needed")
    gaps = [largest_gap(t) for t in tables]
    low, high = (
        sum(ends) / len(gaps) for ends in zip(*((g.low, g.high) for g in gaps), strict=True)
    )
    return Interval(sum(g.value for g in gaps) / len(gaps), low, high)


def _ratio(a: Count, b: Count, level: float) -> tuple[float, float]:
    """Interval of a / b, also where nobody in `b` was selected: then it is open above."""
    if b.selected:
        _, low, high = ratio(a, b, level=level)
        return low, high
    if a.selected:
        return 1 / ratio(b, a, level=level).high, math.inf
    return 0.0, math.inf


def _at_least_two(tables: Sequence[Table]) -> None:
    if any(len(t) < 2 for t in tables):
        names = sorted({g for t in tables for g in t})
        raise EvidenceError(f"a gap needs two groups, got: {', '.join(names) or 'none'}")


@lru_cache(maxsize=64)
def _tukey(level: float, groups: int) -> float:
    return tukey(level, groups)
