"""The sections of the report: for each check its tables, charts and sentences."""

from dataclasses import dataclass

from tasks.report.blocks import Block, Grid, Sentence
from tasks.report.places import anchor, heading, marks
from tasks.report.shown import SectionOf
from tasks.schema import Evidence, Measurement, Report
from tasks.schema.notation import Notation


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


def sections(report: Report, section_of: SectionOf, notation: Notation) -> tuple[Section, ...]:
    """All evidence, in the order of the definition."""
    return tuple(_section(report, each, section_of, notation) for each in report.evidence)


def _section(
    report: Report, evidence: Evidence, section_of: SectionOf, notation: Notation
) -> Section:
    decided = marks(report, evidence)
    blocks = section_of(evidence, decided, notation) if evidence.not_run is None else []
    return Section(
        anchor=anchor(evidence),
        heading=heading(evidence, report),
        question=(type(evidence.check).__doc__ or "").strip(),
        subject=evidence.subject,
        not_run=evidence.not_run,
        notes=evidence.notes,
        blocks=(*blocks, *_left_out(evidence, blocks)),
        measurements=evidence.measurements,
        marks=decided,
    )


def _left_out(evidence: Evidence, blocks: list[Block]) -> list[Block]:
    """Groups too small for a number, unless a table has a row for them."""
    in_tables = any(row.instead for b in blocks if isinstance(b, Grid) for row in b.rows)
    if evidence.not_run is not None or in_tables or not evidence.too_small:
        return []
    groups = "; ".join(f"{s.attribute}: {s.group} (n = {s.n})" for s in evidence.too_small)
    return [Sentence(f"Too small, so not shown as a number: {groups}.")]
