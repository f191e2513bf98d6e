"""Counts by group, and the decisions, labels and probabilities behind them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.data.dataset import MISSING
from tasks.measures.fairness import group_rates
from tasks.measures.fairness.group_rates import Count
from tasks.run.decisions_table import Decided
from tasks.run.plan import Plan
from tasks.schema import TooSmall

Bools = NDArray[np.bool_]
Strings = NDArray[np.str_]


@dataclass(frozen=True)
class Outcomes:
    """What is known of every decided text, [rows]."""

    answered: Bools
    selected: Bools
    """Decided favourably."""
    labelled: Bools
    favourable_label: Bools
    """The label is favourable."""
    probability: NDArray[np.float64]
    """Of the favourable class; NaN where the subject does not say."""
    uncalibrated: str | None
    """Why calibration cannot be measured, if it cannot."""

    @classmethod
    def of(cls, plan: Plan, decided: Decided) -> "Outcomes":
        """Decisions beside labels, as far as the definition names them."""
        data = plan.spec.data
        selected = decided.decision == data.favourable
        blank = np.full(len(decided.rows), MISSING, dtype=np.str_)
        label = plan.data.labels()[list(decided.rows)] if data.label is not None else blank
        classes = {*plan.labels(decided.subject), *(str(x) for x in np.unique(label))} - {MISSING}
        probability = decided.probability
        return cls(
            answered=decided.parsed,
            selected=selected,
            labelled=label != MISSING,
            favourable_label=label == data.favourable,
            probability=np.where(selected, probability, 1 - probability),
            uncalibrated=_why_uncalibrated(
                data.label is not None, probability[decided.parsed], len(classes)
            ),
        )


@dataclass(frozen=True)
class Grouping:
    """One attribute, or two crossed ones, with the counts of its groups."""

    attribute: str
    group: Strings
    """[rows]; `MISSING` where the text is in no group that is large enough."""
    everyone: Mapping[str, Count]
    positive: Mapping[str, Count]
    """Selected among those whose label is favourable."""
    negative: Mapping[str, Count]
    """Selected among those whose label is unfavourable."""
    chosen: Mapping[str, Count]
    """Favourable label among those who are selected."""
    too_small: tuple[TooSmall, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, attribute: str, group: Strings, outcomes: Outcomes, least: int) -> "Grouping":
        """Counts of the groups; each table holds those with at least `least` texts of its own."""
        grouped = outcomes.answered & (group != MISSING)
        sizes = group_rates.counts(outcomes.selected[grouped], group[grouped])
        large = np.where(grouped & np.isin(group, _large(sizes, least)), group, MISSING)
        positive = _table(outcomes.selected, large, outcomes.labelled & outcomes.favourable_label)
        negative = _table(outcomes.selected, large, outcomes.labelled & ~outcomes.favourable_label)
        chosen = _table(outcomes.favourable_label, large, outcomes.labelled & outcomes.selected)
        by_side = {
            "with a favourable label": positive,
            "with an unfavourable label": negative,
            "with a favourable decision": chosen,
        }
        notes = [_absent(attribute, group)]
        notes += [_few(attribute, side, table, least) for side, table in by_side.items()]
        return cls(
            attribute=attribute,
            group=large,
            everyone={g: sizes[g] for g in _large(sizes, least)},
            positive={g: positive[g] for g in _large(positive, least)},
            negative={g: negative[g] for g in _large(negative, least)},
            chosen={g: chosen[g] for g in _large(chosen, least)},
            too_small=tuple(
                TooSmall(attribute=attribute, group=g, n=c.n)
                for g, c in sizes.items()
                if c.n < least
            ),
            notes=tuple(filter(None, notes)),
        )


def _table(hits: Bools, group: Strings, where: Bools) -> dict[str, Count]:
    counted = where & (group != MISSING)
    return group_rates.counts(hits[counted], group[counted])


def _large(table: Mapping[str, Count], least: int) -> list[str]:
    return [g for g, c in table.items() if c.n >= least]


def _absent(attribute: str, group: Strings) -> str:
    absent = int((group == MISSING).sum())
    return f"{attribute}: {absent} texts without a group are left out." if absent else ""


def _few(attribute: str, side: str, table: Mapping[str, Count], least: int) -> str:
    small = ", ".join(f"{g} ({c.n})" for g, c in table.items() if c.n < least)
    return f"{attribute}: too few texts {side}, so not shown as a number: {small}." if small else ""


def _why_uncalibrated(labels: bool, probability: NDArray[np.float64], classes: int) -> str | None:
    if not labels:
        return "needs labels; the definition names no data.label"
    if len(probability) == 0 or np.isnan(probability).any():
        return "needs probabilities; the subject gives none"
    if classes > 2:
        return f"needs two classes; there are {classes}; the probability of the others is unknown"
    return None
