"""Anchors and titles of sections, and the numbers that decided a gate."""

from tasks.definition.kinds import kind_of
from tasks.schema import (
    Evidence,
    Measurement,
    Report,
)


def anchor(evidence: Evidence) -> str:
    """Names a section on the page."""
    return f"{evidence.check.kind}-{evidence.subject}"


def heading(evidence: Evidence, report: Report) -> str:
    """Title of a section; with the subject's name when there are several."""
    name = kind_of(evidence.check.kind).title
    return f"{name}: {evidence.subject}" if len(report.spec.subjects) > 1 else name


def marks(report: Report, evidence: Evidence) -> dict[Measurement, tuple[str, ...]]:
    """Measurement -> ids of the findings that it decided."""
    ids: dict[Measurement, tuple[str, ...]] = {}
    for finding in report.findings:
        place = (finding.gate.check, finding.subject)
        if finding.deciding is not None and place == (evidence.check.kind, evidence.subject):
            ids[finding.deciding] = (*ids.get(finding.deciding, ()), finding.id)
    return ids
