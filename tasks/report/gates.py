"""The gates of a report, their deciding measurements, and changes since an earlier audit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tasks.definition.digits import count
from tasks.report.formats import title
from tasks.report.places import anchor, heading
from tasks.schema import (
    Change,
    Comparison,
    Evidence,
    Explanation,
    Finding,
    Report,
)

ORDER: Final = {"fail": 0, "inconclusive": 1, "pass": 2}
"""Order of the verdicts: failed first."""


WORDS: Final = {
    "fail": "FAIL",
    "inconclusive": "INCONCLUSIVE",
    "pass": "PASS",
    "none": "NO VERDICT",
}


ICONS: Final = {"fail": "✕", "inconclusive": "?", "pass": "✓", "none": "–"}


@dataclass(frozen=True, slots=True)
class GateRow:
    """One gate, what was measured, and the text about it."""

    finding: Finding
    word: str
    icon: str
    title: str
    scope: str
    evidence: str
    """Anchor of the section with its measurement; empty when there is none."""
    section: str
    explanation: Explanation | None
    more_texts: int | None
    """Further texts that would decide it, unless the explanation states them already."""


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One gate then and now."""

    change: Change
    title: str
    before: str
    after: str


def gate_rows(report: Report, texts: Mapping[str, Explanation]) -> tuple[GateRow, ...]:
    """All gates, failed first."""
    by_place: dict[tuple[str, str], Evidence] = {
        (e.check.kind, e.subject): e for e in report.evidence
    }
    rows = []
    for finding in sorted(report.findings, key=lambda f: ORDER[f.verdict]):
        source = by_place.get((finding.gate.check, finding.subject))
        rows.append(
            GateRow(
                finding=finding,
                word=WORDS[finding.verdict],
                icon=ICONS[finding.verdict],
                title=title(finding.gate.measure),
                scope=scope(finding),
                evidence=anchor(source) if source else "",
                section=heading(source, report) if source else "",
                explanation=texts.get(finding.id),
                more_texts=_untold(finding, texts.get(finding.id)),
            )
        )
    return tuple(rows)


def _untold(finding: Finding, text: Explanation | None) -> int | None:
    more = finding.more_texts
    is_counted = text is not None and more is not None and count(more) in text.text
    return None if is_counted else more


def change_rows(comparison: Comparison | None) -> tuple[ChangeRow, ...]:
    """What changed, clear changes first."""
    if comparison is None:
        return ()
    return tuple(
        ChangeRow(
            change=change,
            title=title(change.measure),
            before=WORDS.get(change.verdict_before or "", "not judged"),
            after=WORDS.get(change.verdict_after or "", "not judged"),
        )
        for change in sorted(comparison.changes, key=lambda c: not c.clear)
    )


def named(finding: Finding) -> str:
    """A finding's measure and scope, as in a sentence."""
    where = scope(finding)
    name = title(finding.gate.measure).lower()
    return f"{name} ({where})" if where else name


def scope(finding: Finding) -> str:
    """Scope: what the deciding measurement is about, else what the gate is about."""
    if finding.deciding is not None:
        return finding.deciding.about.words()
    gate = finding.gate
    group = f"{gate.attribute}: {gate.group}" if gate.group else gate.attribute
    field = f"field {gate.field}" if gate.field else None
    parts = (group, field, gate.subset.words() if gate.subset else None)
    return ", ".join(part for part in parts if part)
