"""What would close the gap: levers fitted on one third, chosen on another, confirmed on the last.

What is stated as result comes from the last third alone; it is run only with the levers that the
second third left.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.checks.interventions.exports import exported
from tasks.checks.interventions.group_vector import (
    favourable_class,
    note_on_thirds,
    right_classes,
    thirds,
    usable,
)
from tasks.checks.probing.erasure_evidence import METHOD_GAP as GAP
from tasks.checks.remediation.measure import Lever, levers_of, steps_of
from tasks.definition.checks import RemediationCheck
from tasks.measures.fairness import gap_change as gaps
from tasks.measures.fairness import group_rates, tradeoff
from tasks.measures.stats import intervals, paired
from tasks.measures.stats.intervals import Interval
from tasks.run.inputs import read_all, shard
from tasks.run.plan import Plan
from tasks.run.shards import Payload, ShardRef, StoredShard, read_payload
from tasks.schema import About, Evidence, Export, Measurement, Recommendation

Bools = NDArray[np.bool_]

NO_GAP = "there was no gap to close"
"""Begins the reason where nothing needs a remedy."""
NONE_FITS = "no lever"
"""Begins the reason where nothing helps."""


def fit_shards(plan: Plan, check: RemediationCheck) -> list[ShardRef]:
    """The shard that fits all levers; none where too few texts are usable."""
    fit, _, _ = thirds(plan, check)
    if not fit:
        return []
    return [
        shard(
            plan,
            plan.spec.subject_of(check),
            "levers",
            fit,
            attribute=check.attribute,
            groups=sorted({str(g) for g in plan.data.group(check.attribute)[fit]}),
            swap=check.swap.model_dump() if check.swap else None,
            layers=sorted(check.layers),
            pooling=check.pooling,
        )
    ]


def choose_shards(
    plan: Plan, check: RemediationCheck, store: Path, fitted: Sequence[StoredShard]
) -> list[ShardRef]:
    """The shard that tries every lever."""
    if not fitted:
        return []
    levers = _levers(check, read_payload(store, fitted[0]))
    return [_decided(plan, check, fitted[0], thirds(plan, check)[1], levers, "choose")]


def confirm_shards(
    plan: Plan,
    check: RemediationCheck,
    store: Path,
    fitted: Sequence[StoredShard],
    tried: Sequence[StoredShard],
) -> list[ShardRef]:
    """The shard that runs the front, the chosen lever among it, on texts nobody looked at."""
    if not fitted or not tried:
        return []
    choice = choose(plan, check, read_payload(store, fitted[0]), read_payload(store, tried[0]))
    return [_decided(plan, check, fitted[0], thirds(plan, check)[2], choice.confirmed, "confirm")]


def _decided(
    plan: Plan,
    check: RemediationCheck,
    fitted: StoredShard,
    rows: Sequence[int],
    levers: Sequence[Lever],
    stage: str,
) -> ShardRef:
    return shard(
        plan,
        plan.spec.subject_of(check),
        "remedies",
        rows,
        levers=levers,
        fitted=fitted.model_dump(),
        stage=stage,
    )


def _levers(check: RemediationCheck, fitted: Payload) -> list[Lever]:
    told: Any = fitted.records[0]
    return levers_of(told["layers"], told["last"], check.alphas)


# --- choosing -----------------------------------------------------------------------------


class Choice(NamedTuple):
    """What the second third says."""

    measurements: tuple[Measurement, ...]
    front: tuple[Lever, ...]
    """Levers that no other beats, beside the untouched subject."""
    chosen: Lever | None
    why: str
    """Why this one, or why none."""

    @property
    def confirmed(self) -> tuple[Lever, ...]:
        """What is run on the last third: the untouched subject, the front and the chosen lever.

        Where no gap is there to close that is the untouched subject alone.
        """
        if self.why.startswith(NO_GAP):
            return (Lever(),)
        chosen = () if self.chosen is None else (self.chosen,)
        return tuple(dict.fromkeys((Lever(), *chosen, *self.front)))


def choose(plan: Plan, check: RemediationCheck, fitted: Payload, tried: Payload) -> Choice:
    """The front and the chosen lever, on the texts that choose."""
    levers, told = _levers(check, fitted), _Told.of(plan, check, thirds(plan, check)[1], tried)
    several = range(len(levers))
    left = [
        group_rates.largest_gap(group_rates.counts(told.selected[i], told.group)) for i in several
    ]
    narrowed = [told.gap_change(i, plan.spec.seed) for i in several]
    kept = [told.accuracy_change(i) for i in several]
    points = [(round(g.value, 12), round(k.value, 12)) for g, k in zip(left, kept, strict=True)]
    on_front = tradeoff.front(*np.array(points).T)
    # of levers that do the same the first is kept, and doing nothing comes first
    front = tuple(levers[i] for i in several if on_front[i] and i and points[i] not in points[:i])
    found = [m for i in several for m in _chosen_by(check, levers[i], left[i], kept[i], told)]
    best = tradeoff.choose(
        [g.value for g in left[1:]], narrowed[1:], kept[1:], tolerance=check.tolerance
    )
    if left[0].low == 0:
        why = (
            f"{NO_GAP}: on the {len(told.group)} texts that choose, the gap of the untouched "
            f"subject is {left[0].value:.3f}, with an interval that reaches 0"
        )
        return Choice(tuple(found), front, None, why)
    if best is None:
        why = (
            f"{NONE_FITS} narrows the gap clearly while the accuracy falls by at most "
            f"{check.tolerance:g} and not clearly, on the {len(told.group)} texts that choose"
        )
        return Choice(tuple(found), front, None, why)
    return Choice(tuple(found), front, levers[best + 1], "")


class _Told(NamedTuple):
    """Decisions of some texts with several levers, the untouched subject first."""

    selected: Bools
    """Decided favourably, [levers, texts]."""
    right: Bools
    """Decided as labelled, [levers, labelled texts]."""
    group: NDArray[np.str_]

    @classmethod
    def of(
        cls, plan: Plan, check: RemediationCheck, rows: Sequence[int], payload: Payload
    ) -> "_Told":
        decided = payload.arrays["decided"]
        right = right_classes(plan, check, rows)
        hits = (decided == right)[:, right >= 0]
        selected = np.equal(decided, favourable_class(plan, check))
        return cls(selected, hits, plan.data.group(check.attribute)[rows])

    def gap_change(self, i: int, seed: int) -> Interval:
        """Change of the gap with lever i."""
        return gaps.gap_change(self.selected[0], self.selected[i], self.group, seed=seed)

    def accuracy_change(self, i: int) -> Interval:
        """Change of the accuracy with lever i."""
        return paired.paired_difference(paired.turned(self.right[0], self.right[i]))


def _chosen_by(
    check: RemediationCheck, lever: Lever, gap: Interval, kept: Interval, told: _Told
) -> list[Measurement]:
    about = _about(check, lever)
    return [
        Measurement.of("choosing_gap", gap, len(told.group), GAP, about),
        Measurement.of("choosing_accuracy_change", kept, told.right.shape[1], paired.CHANGE, about),
    ]


def _about(check: RemediationCheck, lever: Lever) -> About:
    return About(attribute=check.attribute, lever=lever.name)


# --- evidence -----------------------------------------------------------------------------


def evidence(
    plan: Plan, check: RemediationCheck, store: Path, stored: Sequence[StoredShard]
) -> Evidence:
    """How a lever was chosen, and what the front and the chosen lever do on fresh texts."""
    subject, small = plan.spec.subject_of(check), tuple(usable(plan, check)[1])
    if not stored:
        notes = tuple(note_on_thirds(plan, check))
        return Evidence(check=check, subject=subject, too_small=small, notes=notes)
    fitted, tried, confirmed = read_all(store, stored)
    choice = choose(plan, check, fitted, tried)
    told = _Told.of(plan, check, thirds(plan, check)[2], confirmed)
    found = _untouched(check, told)
    for i, lever in enumerate(choice.confirmed):
        if i:
            found += _remedied(plan, check, lever, told, i)
    return Evidence(
        check=check,
        subject=subject,
        measurements=(*found, *choice.measurements),
        too_small=small,
        notes=(*_notes(fitted, tried, confirmed), *note_on_thirds(plan, check)),
        recommendation=Recommendation(
            lever=None if choice.chosen is None else choice.chosen.name, why=choice.why
        ),
        exports=_exports(plan, check, store, choice, fitted),
    )


def _untouched(check: RemediationCheck, told: _Told) -> list[Measurement]:
    about = _about(check, Lever())
    gap = group_rates.largest_gap(group_rates.counts(told.selected[0], told.group))
    return [
        Measurement.of("untouched_gap", gap, len(told.group), GAP, about),
        *_accuracy("untouched_accuracy", told, 0, about),
        *_rates("untouched_rate", told, 0, about),
    ]


def _remedied(
    plan: Plan, check: RemediationCheck, lever: Lever, told: _Told, i: int
) -> list[Measurement]:
    about, n = _about(check, lever), len(told.group)
    gap = group_rates.largest_gap(group_rates.counts(told.selected[i], told.group))
    narrowed, kept = told.gap_change(i, plan.spec.seed), told.accuracy_change(i)
    labelled = told.right.shape[1]
    return [
        Measurement.of("remedied_gap", gap, n, GAP, about),
        Measurement.of("remedied_gap_change", narrowed, n, gaps.GAP_CHANGE, about),
        *_accuracy("remedied_accuracy", told, i, about),
        Measurement.of("remedied_accuracy_change", kept, labelled, paired.CHANGE, about),
        *_rates("remedied_rate", told, i, about),
    ]


def _accuracy(name: str, told: _Told, i: int, about: About) -> list[Measurement]:
    hits = told.right[i]
    return [Measurement.of(name, intervals.share(hits), len(hits), intervals.SHARE, about)]


def _rates(name: str, told: _Told, i: int, about: About) -> list[Measurement]:
    found = []
    for group in np.unique(told.group):
        of = told.selected[i][told.group == group]
        here = about.model_copy(update={"group": str(group)})
        found.append(Measurement.of(name, intervals.share(of), len(of), intervals.SHARE, here))
    return found


def _notes(fitted: Payload, tried: Payload, confirmed: Payload) -> list[str]:
    told: Any = fitted.records[0]
    sizes = [payload.arrays["decided"].shape[1] for payload in (tried, confirmed)]
    return [
        f"Levers were fitted on {told['n']} texts, one was chosen on {sizes[0]} others and "
        f"confirmed on {sizes[1]} that neither fitted nor chose it. Intervals of the levers that "
        "are confirmed hold for each of them, not for all at once.",
        f"The steering vector leads from {told['low']} to {told['high']}, the group selected least "
        f"often and the one selected most often where it was fitted ({told['n_vector']} texts).",
    ]


def _exports(
    plan: Plan, check: RemediationCheck, store: Path, choice: Choice, fitted: Payload
) -> tuple[Export, ...]:
    """The chosen lever, ready to be served."""
    lever = choice.chosen
    if lever is None:
        return ()
    told: Any = fitted.records[0]
    steps = steps_of(lever, fitted)
    about = {
        "kind": "lever",
        "attribute": check.attribute,
        "lever": lever.name,
        "n": told["n"] if lever.alpha is None else told["n_vector"],
        "steps": [{"layer": step.layer, "where": step.where} for step in steps],
    }
    if lever.alpha is not None:
        about |= {"low": told["low"], "high": told["high"]}
        about["alpha"] = "1 adds the whole difference between the means once"
    arrays = {
        f"step/{i}/{part}": getattr(step, part).numpy()
        for i, step in enumerate(steps)
        for part in ("left", "right", "mean", "shift")
    }
    shape = fitted.arrays["vectors"].shape
    says = f"{check.attribute}: {lever.name}"
    return (exported(plan, check, store, arrays, about, shape, says),)
