"""What the report's page shows, in typed records: head, gates, changes, provenance."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import Final

from tasks.definition import Gate
from tasks.definition.digits import count
from tasks.definition.kinds import kind_of
from tasks.report.formats import day, joined, title
from tasks.schema import (
    Change,
    Comparison,
    Evidence,
    Explanation,
    Explanations,
    Finding,
    Measurement,
    Report,
    RunRecord,
)

ORDER: Final = {"fail": 0, "inconclusive": 1, "pass": 2}
"""Failed first."""

WORDS: Final = {
    "fail": "FAIL",
    "inconclusive": "INCONCLUSIVE",
    "pass": "PASS",
    "none": "NO VERDICT",
}
ICONS: Final = {"fail": "✕", "inconclusive": "?", "pass": "✓", "none": "–"}

FIRST: Final = 6
"""Failures told at the top; the others are counted."""

NO_GATES: Final = "No gate was drawn, so nothing passed and nothing failed."


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed gate in a line."""

    id: str
    title: str
    scope: str
    deciding: Measurement | None
    gate: Gate
    then: str
    """How it stood in the earlier audit; empty where that does not hold it."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a reader knows after ten seconds."""

    verdict: str
    word: str
    icon: str
    title: str
    summary: str
    failures: tuple[Failure, ...]
    more_failures: int
    since: str
    counts: str
    subjects: tuple[str, ...]
    rows: int
    rows_in_file: int
    finished: str
    not_run: tuple[str, ...]
    intended_use: str


@dataclass(frozen=True, slots=True)
class GateRow:
    """One gate, what was measured, and the text about it."""

    finding: Finding
    word: str
    icon: str
    title: str
    scope: str
    evidence: str
    """Anchor of the section it rests on; empty when there is none."""
    section: str
    explanation: Explanation | None
    more_texts: int | None
    """Texts that would decide it, where the explanation does not say so already."""


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One gate then and now."""

    change: Change
    title: str
    before: str
    after: str


def anchor(evidence: Evidence) -> str:
    """Names a section on the page."""
    return f"{evidence.check.kind}-{evidence.subject}"


def heading(evidence: Evidence, report: Report) -> str:
    """Title of a section; with the subject's name when there are several."""
    name = kind_of(evidence.check.kind).title
    return f"{name}: {evidence.subject}" if len(report.spec.subjects) > 1 else name


def head(report: Report, run: RunRecord, comparison: Comparison | None) -> Head:
    """The top of the page."""
    verdict = report.verdict if report.findings else "none"
    data = report.provenance.data
    failed = failures(report, comparison)
    return Head(
        verdict=verdict,
        word=WORDS[verdict],
        icon=ICONS[verdict],
        title=report.spec.title or report.spec.name,
        summary=summary(report),
        failures=failed[:FIRST],
        more_failures=len(failed[FIRST:]),
        since=since(failed, comparison),
        counts=counts(report.findings),
        subjects=tuple(f"{s.name} ({s.kind})" for s in report.provenance.subjects),
        rows=data.rows,
        rows_in_file=data.rows_in_file,
        finished=run.finished,
        not_run=tuple(
            f"{heading(e, report)} ({shorten(e.not_run, 120, placeholder=' …')})"
            for e in report.evidence
            if e.not_run is not None
        ),
        intended_use=report.spec.intended_use,
    )


def counts(findings: Sequence[Finding]) -> str:
    """How many gates came out which way."""
    found = Counter[str](f.verdict for f in findings)
    words = (("fail", "failed"), ("inconclusive", "inconclusive"), ("pass", "passed"))
    return ", ".join(f"{found[v]} {word}" for v, word in words) if findings else "none drawn"


def summary(report: Report) -> str:
    """One sentence: what came out, and for whom."""
    findings = report.findings
    if not findings:
        return NO_GATES
    failed = [f for f in findings if f.verdict == "fail"]
    undecided = [named(f) for f in findings if f.verdict == "inconclusive"]
    if failed:
        whom = joined(whose(failed), 4)
        ending = f", for {whom}." if whom else "."
        return f"{len(failed)} of {_gates(len(findings))} failed{ending}"
    if undecided:
        return (
            f"No gate failed, but {len(undecided)} of {_gates(len(findings))} could not be "
            f"decided: {joined(undecided, 5)}."
        )
    if len(findings) == 1:
        return f"The one gate drawn passed: {named(findings[0])}."
    return f"All {len(findings)} gates passed."


def _gates(count: int) -> str:
    return f"{count} gate{'' if count == 1 else 's'}"


def whose(failed: Sequence[Finding]) -> list[str]:
    """For whom: groups as `origin: migrant`, and attributes of which no group is named."""
    abouts = [f.gate if f.deciding is None else f.deciding.about for f in failed]
    with_groups = {a.attribute for a in abouts if a.group is not None}
    groups = [f"{a.attribute}: {a.group}" for a in abouts if a.group is not None]
    bare = [a.attribute for a in abouts if a.attribute not in {None, *with_groups}]
    return list(dict.fromkeys([*groups, *filter(None, bare)]))


def failures(report: Report, comparison: Comparison | None) -> tuple[Failure, ...]:
    """What failed, for whom, by how much, and how it stood earlier."""
    earlier = {} if comparison is None else {
        (c.check, c.measure, c.about): c.verdict_before for c in comparison.changes
    }  # fmt: skip
    words = {"pass": "passed", "fail": "failed already", "inconclusive": "inconclusive"}
    when = "" if comparison is None else f" on {day(comparison.finished)}"
    stood = {place: words[v] + when for place, v in earlier.items() if v is not None}
    return tuple(
        Failure(
            id=f.id,
            title=title(f.gate.measure),
            scope=scope(f),
            deciding=f.deciding,
            gate=f.gate,
            then=""
            if f.deciding is None
            else stood.get((f.gate.check, f.gate.measure, f.deciding.about.words()), ""),
        )
        for f in report.findings
        if f.verdict == "fail"
    )


def named(finding: Finding) -> str:
    """A finding's measure and for whom, as a sentence has it."""
    where = scope(finding)
    name = title(finding.gate.measure).lower()
    return f"{name} ({where})" if where else name


def scope(finding: Finding) -> str:
    """For whom: what the deciding measurement is about, else what the gate asks about."""
    if finding.deciding is not None:
        return finding.deciding.about.words()
    gate = finding.gate
    group = f"{gate.attribute}: {gate.group}" if gate.group else gate.attribute
    parts = (group, f"field {gate.field}" if gate.field else None, gate.subset)
    return ", ".join(part for part in parts if part)


def since(failed: Sequence[Failure], comparison: Comparison | None) -> str:
    """Since when, as far as an earlier report tells."""
    if comparison is None:
        return "No earlier report was at hand, so this one cannot say since when."
    earlier = f"audit {comparison.baseline} finished {day(comparison.finished)}"
    if not failed:
        return f"Compared with {earlier}."
    stood = ("passed", "failed already", "inconclusive")
    told = [(sum(f.then.startswith(word) for f in failed), word) for word in stood]
    known = [f"{count} {word}" for count, word in told if count]
    if not known:
        return f"None of these gates was judged in {earlier}."
    return f"Of these {len(failed)}, in {earlier}: {', '.join(known)}."


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
    told = text is not None and more is not None and count(more) in text.text
    return None if told else more


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


def marks(report: Report, evidence: Evidence) -> dict[Measurement, tuple[str, ...]]:
    """Measurement -> ids of the findings that it decided."""
    found: dict[Measurement, tuple[str, ...]] = {}
    for finding in report.findings:
        place = (finding.gate.check, finding.subject)
        if finding.deciding is not None and place == (evidence.check.kind, evidence.subject):
            found[finding.deciding] = (*found.get(finding.deciding, ()), finding.id)
    return found


@dataclass(frozen=True, slots=True)
class Method:
    """How one kind of number came about."""

    check: str
    name: str
    title: str
    meaning: str
    methods: tuple[str, ...]
    families: tuple[str, ...]


def glossary(report: Report) -> tuple[Method, ...]:
    """Every measure of the checks in this report, with the methods that were used."""
    kinds = dict.fromkeys(e.check.kind for e in report.evidence)
    found = []
    for kind in kinds:
        for name, measure in kind_of(kind).vocabulary.items():
            used = [
                m for e in report.evidence if e.check.kind == kind for m in e.measurements
                if m.name == name
            ]  # fmt: skip
            found.append(
                Method(
                    check=kind_of(kind).title,
                    name=name,
                    title=measure.title,
                    meaning=measure.meaning,
                    methods=tuple(dict.fromkeys(m.method for m in used)),
                    families=tuple(dict.fromkeys(m.family for m in used if m.family)),
                )
            )
    return tuple(found)


def written_by(explanations: Explanations) -> str:
    """Who wrote the texts, and how far they were checked."""
    if not explanations.texts:
        return "No explanations were written."
    if all(t.written_by == "template" for t in explanations.texts) and not explanations.checked:
        return (
            "The explanations are templates filled with measured numbers. "
            "No language model was used: 0 claims checked, 0 rejected."
        )
    by_model = sum(t.written_by == "model" for t in explanations.texts)
    return (
        f"{by_model} of {len(explanations.texts)} explanations were written by a language model "
        f"(provider {explanations.provider}) and held against the evidence: "
        f"{explanations.checked} claims checked, {explanations.rejected} rejected. "
        "A text with a rejected claim was replaced by a template filled with measured numbers."
    )
