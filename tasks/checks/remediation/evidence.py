"""How a lever was chosen, and what the front and the chosen lever do on fresh texts."""

from collections.abc import Sequence

import numpy as np
from pydantic import JsonValue

from tasks.checks.interventions.exports import exported
from tasks.checks.interventions.levers import UNTOUCHED, Lever
from tasks.checks.interventions.thirds import note_on_thirds, thirds, usable
from tasks.checks.remediation.choice import Choice, Outcomes, about, choose
from tasks.checks.remediation.payload import FittedLevers, LeverDecisions
from tasks.checks.remediation.rounds import CONFIRMED, FITTED, TRIED
from tasks.definition.checks.remediation import RemediationCheck
from tasks.measures.fairness import gap_change as gaps
from tasks.measures.fairness.group_rates import LARGEST_GAP
from tasks.measures.stats import intervals, paired
from tasks.run.rounds import Asked, Finished
from tasks.run.store import Store
from tasks.schema import About, Evidence, Export, Measurement, Recommendation


def evidence(asked: Asked[RemediationCheck], finished: Finished) -> Evidence:
    """The untouched subject and the confirmed levers, measured on the last third."""
    too_small = tuple(usable(asked).too_small)
    notes = note_on_thirds(asked)
    if not finished.stored(CONFIRMED):
        return Evidence(
            check=asked.check, subject=asked.subject, too_small=too_small, notes=tuple(notes)
        )
    (fitted,), (tried,) = finished.of(FITTED), finished.of(TRIED)
    (confirmed,) = finished.of(CONFIRMED)
    choice = choose(asked, fitted, tried)
    outcomes = Outcomes.of(asked, thirds(asked).third, confirmed)
    measurements = _untouched(asked, outcomes)
    for i, lever in enumerate(choice.confirmed[1:], start=1):
        measurements += _remedied(asked, lever, outcomes, i)
    return Evidence(
        check=asked.check,
        subject=asked.subject,
        measurements=(*measurements, *choice.measurements),
        too_small=too_small,
        notes=(*_notes(fitted, tried, confirmed), *notes),
        recommendation=Recommendation(
            lever=None if choice.chosen is None else choice.chosen.name, why=choice.why
        ),
        exports=_exports(asked, finished.store, choice, fitted),
    )


def _untouched(asked: Asked[RemediationCheck], outcomes: Outcomes) -> list[Measurement]:
    at = about(asked, UNTOUCHED)
    return [
        Measurement.of("untouched_gap", outcomes.gap(0), outcomes.n, LARGEST_GAP, at),
        _accuracy("untouched_accuracy", outcomes, 0, at),
        *_rates("untouched_rate", outcomes, 0, at),
    ]


def _remedied(
    asked: Asked[RemediationCheck], lever: Lever, outcomes: Outcomes, i: int
) -> list[Measurement]:
    at, n, labelled = about(asked, lever), outcomes.n, outcomes.right.shape[1]
    gap_change, accuracy_change = outcomes.gap_change(i, asked.seed), outcomes.accuracy_change(i)
    return [
        Measurement.of("remedied_gap", outcomes.gap(i), n, LARGEST_GAP, at),
        Measurement.of("remedied_gap_change", gap_change, n, gaps.GAP_CHANGE, at),
        _accuracy("remedied_accuracy", outcomes, i, at),
        Measurement.of("remedied_accuracy_change", accuracy_change, labelled, paired.CHANGE, at),
        *_rates("remedied_rate", outcomes, i, at),
    ]


def _accuracy(name: str, outcomes: Outcomes, i: int, at: About) -> Measurement:
    hits = outcomes.right[i]
    return Measurement.of(name, intervals.share(hits), len(hits), intervals.SHARE, at)


def _rates(name: str, outcomes: Outcomes, i: int, at: About) -> list[Measurement]:
    selected = {
        str(g): outcomes.selected[i][outcomes.group == g] for g in np.unique(outcomes.group)
    }
    return [
        Measurement.of(
            name,
            intervals.share(of),
            len(of),
            intervals.SHARE,
            at.model_copy(update={"group": group}),
        )
        for group, of in selected.items()
    ]


def _notes(fitted: FittedLevers, tried: LeverDecisions, confirmed: LeverDecisions) -> Sequence[str]:
    ends, (choosing, fresh) = fitted.ends, (one.decided.shape[1] for one in (tried, confirmed))
    return [
        f"Levers were fitted on {fitted.n} texts, one was chosen on {choosing} others and "
        f"confirmed on {fresh} that neither fitted nor chose it. Intervals of the levers that "
        "are confirmed hold for each of them, not for all at once.",
        f"The steering vector leads from {ends.low} to {ends.high}, the group selected least "
        f"often and the one selected most often where it was fitted ({ends.n} texts).",
    ]


def _exports(
    asked: Asked[RemediationCheck], store: Store, choice: Choice, fitted: FittedLevers
) -> tuple[Export, ...]:
    """The chosen lever, ready to be served."""
    lever = choice.chosen
    if lever is None:
        return ()
    steps, attribute = fitted.steps(lever), asked.check.attribute
    arrays = {
        f"step/{i}/{part}": tensor.numpy()
        for i, step in enumerate(steps)
        for part, tensor in (
            ("left", step.left),
            ("right", step.right),
            ("mean", step.mean),
            ("shift", step.shift),
        )
    }
    served: dict[str, JsonValue] = {
        "kind": "lever",
        "attribute": attribute,
        "lever": lever.name,
        "n": fitted.n if lever.alpha is None else fitted.ends.n,
        "steps": [{"layer": step.layer, "where": step.where} for step in steps],
        **_ends_of(lever, fitted),
    }
    width = fitted.vectors.shape[1]
    says = f"{attribute}: {lever.name}"
    return (exported(asked, store, arrays, served, layers=fitted.last, width=width, says=says),)


def _ends_of(lever: Lever, fitted: FittedLevers) -> dict[str, JsonValue]:
    """Where a lever adds a vector: from which group to which."""
    if lever.alpha is None:
        return {}
    return {
        "low": fitted.ends.low,
        "high": fitted.ends.high,
        "alpha": "1 adds the whole difference between the means once",
    }
