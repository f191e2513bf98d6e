"""Probes, erasure and their controls, for every attribute at every layer."""

from collections.abc import Sequence

from tasks.checks.interventions.groups import favourable_class, group_names, right_classes
from tasks.checks.probing.erasure_evidence import Erased
from tasks.checks.probing.probe_evidence import read_measurements
from tasks.checks.probing.rounds import ERASURE, READING, usable
from tasks.definition.checks.probing import ProbingCheck
from tasks.run.rounds import Asked, Finished
from tasks.schema import ErasedCase, Evidence, Measurement

AFTER = frozenset(
    {"probe_after_erasure", "decisions_changed", "decisions_changed_random", "selection_change"}
)


def evidence(asked: Asked[ProbingCheck], finished: Finished) -> Evidence:
    """What is read of every attribute, what erasing it does, and the decisions of cases."""
    plan, check = asked.plan, asked.check
    measurements = read_measurements(
        finished.of(READING), check.pooling, seed=asked.seed, span=check.span
    )
    shown: list[ErasedCase] = []
    groups = {a: usable(asked, a, check.pooling) for a in check.attributes_of(plan.spec)}
    erasures = finished.of(ERASURE)
    for attribute, of in groups.items():
        sites = [erasure for erasure in erasures if erasure.attribute == attribute]
        if sites:
            erased = _erased(asked, attribute, of.rows)
            measurements += erased.measurements(sites)
            shown += erased.cases(sites, asked.cases)
    return Evidence(
        check=check,
        subject=asked.subject,
        measurements=tuple(measurements),
        cases=tuple(shown),
        too_small=tuple(small for of in groups.values() for small in of.too_small),
        notes=(
            "Erasure effects hold jointly over the places where an attribute is erased "
            "(Bonferroni).",
            *_left_out(asked),
            *_notes(measurements),
        ),
    )


def _erased(asked: Asked[ProbingCheck], attribute: str, rows: Sequence[int]) -> Erased:
    plan = asked.plan
    return Erased(
        groups=group_names(plan, attribute, rows),
        names=plan.labels(asked.subject),
        favourable=favourable_class(asked),
        rows=rows,
        ids=[row.id for row in plan.rows(rows)],
        right=right_classes(asked, rows),
        seed=asked.seed,
    )


def _left_out(asked: Asked[ProbingCheck]) -> list[str]:
    """Texts that have no span."""
    span, sample = asked.check.span, asked.sample
    if span is None:
        return []
    lacking = sum(not row.places.get(span) for row in asked.plan.rows(sample))
    if not lacking:
        return []
    return [
        f"{lacking} of {len(sample)} texts do not hold the field {span}; what is read or "
        "erased at its words is without them."
    ]


def _notes(measurements: Sequence[Measurement]) -> list[str]:
    """Where erasure was incomplete, and where no erasure changes any decision."""
    erased = [m for m in measurements if m.name in AFTER]
    notes = []
    for attribute in dict.fromkeys(str(m.about.attribute) for m in erased):
        of = [m for m in erased if m.about.attribute == attribute]
        left = _incomplete(of, _chance(measurements, attribute))
        if left:
            notes.append(
                f"{attribute}: a fresh linear probe still reads it after erasure at "
                f"{', '.join(left)}; erasure, fitted on a third of the texts, is incomplete there, "
                "and its effect on the decisions at least what is shown."
            )
        still = _unmoved(of)
        if still:
            notes.append(
                f"{attribute}: at {', '.join(still)} no erasure, of the attribute or at "
                "random, changes any decision; what is read there has no visible part in them."
            )
    return notes


def _chance(measurements: Sequence[Measurement], attribute: str) -> dict[int | None, float]:
    """Layer -> the upper end of the accuracy of probes of control labels."""
    return {
        m.about.layer: max(m.value, m.high or 0.0)
        for m in measurements
        if (m.name, m.about.attribute, m.about.position) == ("control_accuracy", attribute, None)
    }


def _incomplete(erased: Sequence[Measurement], chance: dict[int | None, float]) -> list[str]:
    """Places where a fresh probe reads more after erasure than control labels allow."""
    return [
        m.about.site
        for m in erased
        if m.name == "probe_after_erasure"
        and m.low is not None
        and m.low > chance.get(max(m.about.all_layers), 1.0)
    ]


def _unmoved(erased: Sequence[Measurement]) -> list[str]:
    """Places where no erasure changes any decision."""
    sites = dict.fromkeys(m.about.site for m in erased)
    return [
        site
        for site in sites
        if sum(m.value for m in erased if m.about.site == site and "changed" in m.name) == 0
    ]
