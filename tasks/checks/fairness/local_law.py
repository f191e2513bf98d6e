"""Impact ratios as New York City's Local Law 144 of 2021 asks for them (6 RCNY 5-300 and after).

What is implemented: for sex, for race/ethnicity and for their intersection (5-301(b)) the number
of applicants, the number selected, the selection rate and the impact ratio, which is the selection
rate over that of the most selected category (5-300); how many were assessed without being in a
known category; and the exclusion of categories below 2 % of the data from the impact ratio, which
are still shown with applicants and selection rate (5-301(d)). The rule's other form, scoring rates
of a tool that scores, is not implemented, nor is the independence of whoever audits.
"""

import numpy as np
from numpy.typing import NDArray

from tasks.data.dataset import MISSING
from tasks.definition import CROSS
from tasks.definition.checks.fairness import LocalLaw144
from tasks.errors import EvidenceError
from tasks.measures.fairness import group_rates
from tasks.measures.fairness.group_rates import Count
from tasks.measures.stats import intervals
from tasks.schema import About, ImpactCategory, ImpactTable, Measurement

METHOD = (
    "selection rate over that of the most selected category, joint MOVER-R intervals "
    "(Tukey-Kramer) of the smallest ratio to any other category; 6 RCNY 5-301"
)


def categorisations(law: LocalLaw144) -> tuple[tuple[str, str], ...]:
    """Column, or two crossed ones, and what the rule calls it."""
    return (
        (law.sex, "sex"),
        (law.race_ethnicity, "race/ethnicity"),
        (f"{law.sex}{CROSS}{law.race_ethnicity}", "intersection of sex and race/ethnicity"),
    )


def impact(
    attribute: str,
    heading: str,
    category: NDArray[np.str_],
    selected: NDArray[np.bool_],
    exclude_below: float,
) -> tuple[ImpactTable, list[Measurement]]:
    """The table of one categorisation, and its impact ratios as measurements.

    Args:
        attribute: column, or two crossed ones.
        heading: what the rule calls it.
        category: of everyone who was assessed, `MISSING` where unknown, [applicants].
        selected: favourable decision, [applicants].
        exclude_below: share of all assessed under which a category gets no ratio.
    """
    known = category != MISSING
    of = group_rates.counts(selected[known], category[known])
    included = {g: c for g, c in of.items() if c.n >= exclude_below * len(category)}
    ratios = _ratios(included)
    table = ImpactTable(
        attribute=attribute,
        heading=heading,
        assessed=len(category),
        unknown=int((~known).sum()),
        categories=tuple(
            ImpactCategory(
                category=g,
                applicants=c.n,
                selected=c.selected,
                selection_rate=c.selected / c.n,
                impact_ratio=ratios[g].value if g in ratios else None,
                excluded=g not in included,
            )
            for g, c in of.items()
        ),
    )
    return table, [
        Measurement.of(
            "impact_ratio", ratio, included[g].n, METHOD, About(attribute=attribute, group=g)
        )
        for g, ratio in ratios.items()
    ]


def _ratios(of: dict[str, Count]) -> dict[str, intervals.Interval]:
    try:
        return group_rates.ratio_to_most_selected(of)
    except EvidenceError:
        return {}
