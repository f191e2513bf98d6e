"""The top of the page: the verdict, whom it concerns, and since when."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import Final

from tasks.definition import Gate
from tasks.report.formats import day, joined, title
from tasks.report.gates import ICONS, WORDS, named, scope
from tasks.report.places import heading
from tasks.schema import (
    Comparison,
    Finding,
    Measurement,
    Report,
    RunRecord,
)

FIRST: Final = 6
"""Most failures listed at the top; the others are counted."""


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
    """Its verdict in the earlier audit; empty if that does not have it."""


@dataclass(frozen=True, slots=True)
class Head:
    """The summary that a reader grasps in ten seconds."""

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
    """Number of gates by verdict."""
    tally = Counter[str](f.verdict for f in findings)
    words = (("fail", "failed"), ("inconclusive", "inconclusive"), ("pass", "passed"))
    return ", ".join(f"{tally[v]} {word}" for v, word in words) if findings else "none drawn"


def summary(report: Report) -> str:
    """One sentence: the verdict, and whom it concerns."""
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
    """Whom failures concern: groups as `origin: migrant`, and attributes without a named group."""
    abouts = [f.gate if f.deciding is None else f.deciding.about for f in failed]
    with_groups = {a.attribute for a in abouts if a.group is not None}
    groups = [f"{a.attribute}: {a.group}" for a in abouts if a.group is not None]
    bare = [a.attribute for a in abouts if a.attribute not in {None, *with_groups}]
    return list(dict.fromkeys([*groups, *filter(None, bare)]))


def failures(report: Report, comparison: Comparison | None) -> tuple[Failure, ...]:
    """What failed, for whom, by how much, and the earlier verdict."""
    earlier = {} if comparison is None else {
        (c.check, c.measure, c.about): c.verdict_before for c in comparison.changes
    }  # fmt: skip
    words = {"pass": "passed", "fail": "failed already", "inconclusive": "inconclusive"}
    on_day = "" if comparison is None else f" on {day(comparison.finished)}"
    verdicts = {place: words[v] + on_day for place, v in earlier.items() if v is not None}
    return tuple(
        Failure(
            id=f.id,
            title=title(f.gate.measure),
            scope=scope(f),
            deciding=f.deciding,
            gate=f.gate,
            then=""
            if f.deciding is None
            else verdicts.get((f.gate.check, f.gate.measure, f.deciding.about.words()), ""),
        )
        for f in report.findings
        if f.verdict == "fail"
    )


def since(failed: Sequence[Failure], comparison: Comparison | None) -> str:
    """Since when, as far as an earlier report shows."""
    if comparison is None:
        return "No earlier report was at hand, so this one cannot say since when."
    earlier = f"audit {comparison.baseline} finished {day(comparison.finished)}"
    if comparison.refused:
        return f"Not compared with {earlier}: {comparison.refused}."
    if not failed:
        return f"Compared with {earlier}."
    states = ("passed", "failed already", "inconclusive")
    counted = [(sum(f.then.startswith(word) for f in failed), word) for word in states]
    known = [f"{count} {word}" for count, word in counted if count]
    if not known:
        return f"None of these gates was judged in {earlier}."
    return f"Of these {len(failed)}, in {earlier}: {', '.join(known)}."
