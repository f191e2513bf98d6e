"""The choice of a lever, by a rule fixed beforehand, on texts that no lever was fitted on."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.checks.interventions.groups import favourable_class, right_classes
from tasks.checks.interventions.levers import UNTOUCHED, Lever, levers_of
from tasks.checks.interventions.thirds import thirds
from tasks.checks.remediation.payload import FittedLevers, LeverDecisions
from tasks.definition.checks.remediation import RemediationCheck
from tasks.measures.fairness import gap_change as gaps
from tasks.measures.fairness import group_rates, tradeoff
from tasks.measures.fairness.group_rates import LARGEST_GAP
from tasks.measures.stats import paired
from tasks.measures.stats.intervals import Interval
from tasks.run.rounds import Asked
from tasks.schema import About, Measurement

Bools = NDArray[np.bool_]

NO_GAP = "there was no gap to close"
"""First words of the reason where nothing needs a remedy."""
NONE_FITS = "no lever"
"""First words of the reason where no lever helps."""


def tried_levers(asked: Asked[RemediationCheck], fitted: FittedLevers) -> tuple[Lever, ...]:
    """Every lever that is tried, the untouched subject first."""
    return tuple(levers_of(fitted.layers, fitted.last, asked.check.alphas))


def about(asked: Asked[RemediationCheck], lever: Lever) -> About:
    """What a measurement with a lever is about."""
    return About(attribute=asked.check.attribute, lever=lever.name)


class Outcomes(NamedTuple):
    """Decisions about some texts with several levers, the untouched subject first."""

    selected: Bools
    """Decided favourably, [levers, texts]."""
    right: Bools
    """Decided as labelled, [levers, labelled texts]."""
    group: NDArray[np.str_]

    @classmethod
    def of(
        cls, asked: Asked[RemediationCheck], rows: Sequence[int], decisions: LeverDecisions
    ) -> "Outcomes":
        """Decisions about these rows, beside their labels and groups."""
        right = right_classes(asked, rows)
        hits = (decisions.decided == right)[:, right >= 0]
        selected = np.equal(decisions.decided, favourable_class(asked))
        return cls(selected, hits, asked.plan.data.group(asked.check.attribute)[list(rows)])

    @property
    def n(self) -> int:
        """Texts."""
        return len(self.group)

    def gap(self, i: int) -> Interval:
        """The gap with lever i."""
        return group_rates.largest_gap(group_rates.counts(self.selected[i], self.group))

    def gap_change(self, i: int, seed: int) -> Interval:
        """Change of the gap with lever i."""
        return gaps.gap_change(self.selected[0], self.selected[i], self.group, seed=seed)

    def accuracy_change(self, i: int) -> Interval:
        """Change of the accuracy with lever i."""
        return paired.paired_difference(paired.turned(self.right[0], self.right[i]))


class Choice(NamedTuple):
    """What is measured and chosen on the second third."""

    measurements: tuple[Measurement, ...]
    front: tuple[Lever, ...]
    """Levers that no other beats, beside the untouched subject."""
    chosen: Lever | None
    why: str
    """Why none, where none is chosen."""

    @property
    def confirmed(self) -> tuple[Lever, ...]:
        """What is run on the last third: the untouched subject, the front and the chosen lever.

        Where there is no gap to close, only the untouched subject is run.
        """
        if self.why.startswith(NO_GAP):
            return (UNTOUCHED,)
        chosen = () if self.chosen is None else (self.chosen,)
        return tuple(dict.fromkeys((UNTOUCHED, *chosen, *self.front)))


def choose(asked: Asked[RemediationCheck], fitted: FittedLevers, tried: LeverDecisions) -> Choice:
    """The front and the chosen lever, on the texts that choose."""
    levers = tried_levers(asked, fitted)
    outcomes, several = Outcomes.of(asked, thirds(asked).second, tried), range(len(levers))
    remaining = [outcomes.gap(i) for i in several]
    accuracy_changes = [outcomes.accuracy_change(i) for i in several]
    best = tradeoff.choose(
        [gap.value for gap in remaining[1:]],
        [outcomes.gap_change(i, asked.seed) for i in several[1:]],
        accuracy_changes[1:],
        tolerance=asked.check.tolerance,
    )
    why = _why_none(asked.check, remaining[0], outcomes.n, none_fits=best is None)
    return Choice(
        measurements=tuple(
            m
            for lever, gap, accuracy in zip(levers, remaining, accuracy_changes, strict=True)
            for m in _measured(asked, lever, gap, accuracy, outcomes)
        ),
        front=tuple(levers[i] for i in _front(remaining, accuracy_changes)),
        chosen=None if why or best is None else levers[best + 1],
        why=why,
    )


def _front(remaining: Sequence[Interval], accuracy_changes: Sequence[Interval]) -> list[int]:
    """Indices of the levers that no other beats, without the untouched subject at index 0.

    Of levers with equal gap and accuracy only the first is kept.
    """
    points = [
        (round(g.value, 12), round(a.value, 12))
        for g, a in zip(remaining, accuracy_changes, strict=True)
    ]
    on_front = tradeoff.front(*np.array(points).T)
    return [i for i in range(1, len(points)) if on_front[i] and points[i] not in points[:i]]


def _why_none(check: RemediationCheck, gap: Interval, n: int, *, none_fits: bool) -> str:
    """Why nothing is chosen; empty where something is."""
    if gap.low == 0:
        return (
            f"{NO_GAP}: on the {n} texts that choose, the gap of the untouched "
            f"subject is {gap.value:.3f}, with an interval that reaches 0"
        )
    if none_fits:
        return (
            f"{NONE_FITS} narrows the gap clearly while the accuracy falls by at most "
            f"{check.tolerance:g} and not clearly, on the {n} texts that choose"
        )
    return ""


def _measured(
    asked: Asked[RemediationCheck],
    lever: Lever,
    gap: Interval,
    accuracy: Interval,
    outcomes: Outcomes,
) -> list[Measurement]:
    at, labelled = about(asked, lever), outcomes.right.shape[1]
    return [
        Measurement.of("choosing_gap", gap, outcomes.n, LARGEST_GAP, at),
        Measurement.of("choosing_accuracy_change", accuracy, labelled, paired.CHANGE, at),
    ]
