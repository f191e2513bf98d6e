"""Is there a gap between groups?"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tasks.dataset import MISSING
from tasks.decided import Decided
from tasks.errors import EvidenceError
from tasks.gather.performance import unanswered
from tasks.measures import fairness, stats
from tasks.measures.fairness import Count
from tasks.plan import Plan
from tasks.schema import About, Evidence, Measurement, TooSmall
from tasks.spec import FairnessCheck


def evidence(plan: Plan, check: FairnessCheck, decided: Decided) -> Evidence:
    """Selection rates and the gaps derived from them, for every protected attribute."""
    measurements: list[Measurement] = []
    too_small: list[TooSmall] = []
    notes = list(unanswered(decided))
    for attribute in plan.spec.attributes_of(check):
        tables = _Tables(plan, decided, attribute)
        too_small += tables.too_small
        notes += tables.notes
        if len(tables.everyone) < 2:
            notes.append(f"{attribute}: fewer than two groups are large enough to compare.")
            continue
        measurements += tables.rates()
        try:
            measurements += tables.impact()
        except EvidenceError as error:
            notes.append(f"{attribute}: {error}.")
        measurements += tables.gaps()
    return Evidence(
        check=check,
        subject=decided.subject,
        measurements=tuple(_corrected(measurements)),
        too_small=tuple(too_small),
        notes=tuple(notes),
    )


class _Tables:
    """Counts of one attribute: everyone, those whose label is favourable, and the others."""

    def __init__(self, plan: Plan, decided: Decided, attribute: str) -> None:
        self.attribute = attribute
        rows = list(decided.rows)
        group = plan.data.group(attribute)[rows]
        selected = decided.decision == plan.spec.data.favourable
        there = decided.parsed & (group != MISSING)
        self.notes: list[str] = []
        if absent := int((group == MISSING).sum()):
            self.notes.append(f"{attribute}: {absent} texts without a group are left out.")
        sizes = fairness.counts(selected[there], group[there])
        least = plan.spec.data.minimum_group
        self.too_small = [
            TooSmall(attribute=attribute, group=g, n=c.n) for g, c in sizes.items() if c.n < least
        ]
        self.everyone = {g: c for g, c in sizes.items() if c.n >= least}
        there &= np.isin(group, list(self.everyone))
        self.positive: dict[str, Count] = {}
        self.negative: dict[str, Count] = {}
        if plan.spec.data.label is not None:
            label: NDArray[np.str_] = plan.data.labels()[rows]
            hoped = label == plan.spec.data.favourable
            other = ~hoped & (label != MISSING)
            self.positive = _large(selected[there & hoped], group[there & hoped], least)
            self.negative = _large(selected[there & other], group[there & other], least)

    def rates(self) -> list[Measurement]:
        """Selection, true and false positive rate of every group."""
        tables = {
            "selection_rate": self.everyone,
            "true_positive_rate": self.positive,
            "false_positive_rate": self.negative,
        }
        return [
            self._measurement(name, rate, table[g].n, stats.SHARE, group=g)
            for name, table in tables.items()
            for g, rate in fairness.rates(table).items()
        ]

    def impact(self) -> list[Measurement]:
        """Adverse impact ratio of every group against the one selected most often."""
        reference = fairness.reference_group(self.everyone)
        p = fairness.selection_p(self.everyone, reference)
        method = "ratio of selection rates, MOVER-R interval; p: Fisher's exact test"
        return [
            self._measurement(
                "adverse_impact_ratio",
                interval,
                self.everyone[g].n + self.everyone[reference].n,
                method,
                group=g,
                reference=reference,
            ).model_copy(update={"p": p[g], "family": "selection rates"})
            for g, interval in fairness.adverse_impact_ratio(self.everyone, reference).items()
        ]

    def gaps(self) -> list[Measurement]:
        """Demographic parity and equalized odds difference."""
        method = "largest gap between groups, joint Newcombe intervals folded at 0"
        found = [
            self._measurement(
                "demographic_parity_difference",
                fairness.demographic_parity_difference(self.everyone),
                _total(self.everyone),
                method,
            )
        ]
        if len(self.positive) > 1 and len(self.negative) > 1:
            odds = fairness.equalized_odds_difference(self.positive, self.negative)
            n = _total(self.positive) + _total(self.negative)
            found.append(self._measurement("equalized_odds_difference", odds, n, method))
        return found

    def _measurement(
        self,
        name: str,
        interval: stats.Interval,
        n: int,
        method: str,
        *,
        group: str | None = None,
        reference: str | None = None,
    ) -> Measurement:
        about = About(attribute=self.attribute, group=group, reference=reference)
        return Measurement.of(name, interval, n, method, about)


def _large(selected: NDArray[np.bool_], group: NDArray[np.str_], least: int) -> dict[str, Count]:
    """Counts of the groups that are large enough on this side of the label."""
    return {g: c for g, c in fairness.counts(selected, group).items() if c.n >= least}


def _corrected(measurements: list[Measurement]) -> list[Measurement]:
    """P values of the family corrected together."""
    tested = [i for i, m in enumerate(measurements) if m.p is not None]
    q = stats.benjamini_hochberg([measurements[i].p or 0.0 for i in tested])
    adjusted = dict(zip(tested, q, strict=True))
    return [
        m.model_copy(update={"q": adjusted[i]}) if i in adjusted else m
        for i, m in enumerate(measurements)
    ]


def _total(table: Mapping[str, Count]) -> int:
    return sum(c.n for c in table.values())
