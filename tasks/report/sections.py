"""The sections of the report: for each kind of check, its tables, charts and sentences."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from tasks.checks import (
    AttributionCheck,
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
from tasks.report import charts
from tasks.report.attribution import attribution
from tasks.report.blocks import Block, Chains, Pairs, Sentence, grid
from tasks.report.counterfactual import counterfactual
from tasks.report.fairness import fairness
from tasks.report.figures import figure_of, series_of
from tasks.report.formats import about_words, title
from tasks.report.layers import probing
from tasks.report.localisation import localisation
from tasks.report.remediation import remediation
from tasks.report.steering import steering
from tasks.report.view import anchor, heading, marks
from tasks.schema import CuePair, Evidence, Measurement, Report, TruncatedReasoning

EXAMPLES = 6
"""Cue pairs and chains of thought shown in full."""


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
            return _reasoning(evidence)
        case CueCheck():
            return _cue(evidence)
        case _:
            assert_never(evidence.check)


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


# --- reasoning and cue ----------------------------------------------------------------------


def _reasoning(evidence: Evidence) -> list[Block]:
    curve = evidence.named("answer_unchanged")
    rest = [m for m in evidence.measurements if m.name != "answer_unchanged"]
    chains = [c for c in evidence.cases if isinstance(c, TruncatedReasoning)]
    shares = evidence.check.shares if isinstance(evidence.check, ReasoningCheck) else ()
    shown: list[Block] = [
        Sentence(
            "This is dependence of the answer on the written reasoning. An answer that moves when "
            "the reasoning is cut depends on it; the curve says nothing about whether the "
            "reasoning tells the true cause."
        ),
        *grid(rest, caption="The area over the curve, and answers that could not be read",
              corner="Texts", row=about_words, column=lambda m: title(m.name)),
        *figure_of(
            charts.truncation_curve, series_of(curve), f"{anchor(evidence)}-curve",
            "Share of answers that stay the same when only this share of the sentences is kept.",
        ),
        *grid(curve, caption="Answers unchanged, by share of the reasoning kept",
              corner="Reasoning", row=about_words, column=lambda m: title(m.name)),
    ]  # fmt: skip
    if chains:
        some = chains[: EXAMPLES // 2]
        cut = tuple((c, tuple(zip(shares, c.answers, strict=False))) for c in some)
        shown.append(Chains(cut, len(chains) - len(cut)))
    return shown


def _cue(evidence: Evidence) -> list[Block]:
    pairs = sorted((c for c in evidence.cases if isinstance(c, CuePair)), key=_telling)
    shown = grid(
        evidence.measurements,
        caption="What exchanging the cue does, and whether the reasoning says so",
        corner="Texts",
        row=about_words,
        column=lambda m: title(m.name),
    )
    if pairs:
        some = tuple(pairs[:EXAMPLES])
        shown.append(Pairs(some, len(pairs) - len(some)))
    return shown


def _telling(pair: CuePair) -> tuple[bool, bool]:
    """Moved and silent first, then moved and open, then the rest."""
    return pair.answer == pair.answer_exchanged, pair.mentions
