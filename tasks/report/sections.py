"""The sections of the report: for each kind of check, its tables, charts and sentences."""

from collections.abc import Iterable
from dataclasses import dataclass

from tasks.checks.attribution.section import attribution
from tasks.checks.counterfactual.section import counterfactual
from tasks.checks.fairness.section import fairness
from tasks.checks.localisation.section import localisation
from tasks.checks.probing.section import probing
from tasks.checks.reasoning.section import contradiction, cue, reasoning
from tasks.checks.remediation.section import remediation
from tasks.checks.steering.section import steering
from tasks.definition.checks import (
    AttributionCheck,
    ContradictionCheck,
    CounterfactualCheck,
    CueCheck,
    FairnessCheck,
    LocalisationCheck,
    PerformanceCheck,
    ProbingCheck,
    ReasoningCheck,
    RemediationCheck,
    SteeringCheck,
)
from tasks.report.blocks import Block, Sentence, grid
from tasks.report.formats import about_words, title
from tasks.report.view import anchor, heading, marks
from tasks.schema import Evidence, Measurement, Report


@dataclass(frozen=True, slots=True)
class Section:
    """One check's evidence, ready for the page."""

    anchor: str
    heading: str
    question: str
    subject: str
    not_run: str | None
    notes: tuple[str, ...]
    blocks: tuple[Block, ...]
    measurements: tuple[Measurement, ...]
    marks: dict[Measurement, tuple[str, ...]]


def sections(report: Report) -> tuple[Section, ...]:
    """All evidence, in the order of the definition."""
    return tuple(
        Section(
            anchor=anchor(evidence),
            heading=heading(evidence, report),
            question=(type(evidence.check).__doc__ or "").strip(),
            subject=evidence.subject,
            not_run=evidence.not_run,
            notes=evidence.notes,
            blocks=tuple(
                [*blocks(evidence, marks(report, evidence)), *_left_out(evidence)]
                if evidence.not_run is None
                else ()
            ),
            measurements=evidence.measurements,
            marks=marks(report, evidence),
        )
        for evidence in report.evidence
    )


def blocks(evidence: Evidence, decided: Iterable[Measurement] = ()) -> list[Block]:
    """What a check's section holds between heading and full table.

    Args:
        evidence: what was measured.
        decided: the measurements that decided a gate.
    """
    match evidence.check:
        case PerformanceCheck():
            return _performance(evidence)
        case FairnessCheck():
            return fairness(evidence, evidence.check)
        case AttributionCheck():
            return attribution(evidence, decided)
        case LocalisationCheck():
            return localisation(evidence)
        case CounterfactualCheck():
            return counterfactual(evidence)
        case ProbingCheck():
            return probing(evidence)
        case SteeringCheck():
            return steering(evidence, evidence.check)
        case RemediationCheck():
            return remediation(evidence, evidence.check)
        case ReasoningCheck():
            return reasoning(evidence)
        case CueCheck():
            return cue(evidence)
        case ContradictionCheck():
            return contradiction(evidence)
        case _:
            raise TypeError(f"not a kind of check that is known here: {evidence.check.kind}")


def _left_out(evidence: Evidence) -> list[Block]:
    """Groups too small for a number, where no table holds a line for them."""
    if isinstance(evidence.check, FairnessCheck) or not evidence.too_small:
        return []
    groups = "; ".join(f"{s.attribute}: {s.group} (n = {s.n})" for s in evidence.too_small)
    return [Sentence(f"Too small, so not shown as a number: {groups}.")]


def _performance(evidence: Evidence) -> list[Block]:
    return grid(
        evidence.measurements,
        caption="How often the subject decides as labelled",
        corner="Texts",
        row=about_words,
        column=lambda m: title(m.name),
    )
