"""Everything known about a case, on one card."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from tasks.report.maps import Map, lens_map, patching_map
from tasks.report.readings import Reading, readings_of
from tasks.schema import (
    Case,
    CaseEvidence,
    CuePair,
    ErasedCase,
    Evidence,
    Explanation,
    LayerReading,
    LensMap,
    PatchingMap,
    Report,
    TruncatedReasoning,
)

T = TypeVar("T", bound=CaseEvidence)

OPEN = 3
"""Cards that are open when the page opens."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The probability of the final decision at one layer."""

    layer: int
    probability: float
    shade: int
    formed: bool


@dataclass(frozen=True, slots=True)
class Strip:
    """The decision of one case, layer by layer."""

    subject: str
    target: str
    formed_at: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """Everything known about one case."""

    anchor: str
    case: Case
    right: bool | None
    readings: tuple[Reading, ...]
    strips: tuple[Strip, ...]
    maps: tuple[Map, ...]
    erased: tuple[tuple[str, ErasedCase], ...]
    """Subject, and its decision once an attribute is erased."""
    chains: tuple[tuple[str, TruncatedReasoning], ...]
    """Subject, and its reasoning with the answers when cut."""
    pairs: tuple[tuple[str, CuePair], ...]
    explanation: Explanation | None
    opened: bool


def anchors(report: Report) -> dict[str, str]:
    """Case id -> its place on the page; ids come from the data and may hold anything."""
    return {case.id: f"case-{i}" for i, case in enumerate(report.cases, start=1)}


def cards(report: Report, texts: Mapping[str, Explanation]) -> tuple[Card, ...]:
    """All cases of the report."""
    places = anchors(report)
    return tuple(
        _card(case, report, place=places[case.id], text=texts.get(case.id), opened=i < OPEN)
        for i, case in enumerate(report.cases)
    )


def _card(
    case: Case, report: Report, *, place: str, text: Explanation | None, opened: bool
) -> Card:
    names = report.spec.data.label_names
    label = None if case.label is None else names.get(case.label, case.label)
    return Card(
        anchor=place,
        case=case,
        right=None if label is None else label == case.decision,
        readings=tuple(r for evidence in report.evidence for r in readings_of(evidence, case)),
        strips=tuple(_strip(item, e.subject) for e, item in _seen(report, case, LayerReading)),
        maps=_maps(report, case, place),
        erased=tuple((e.subject, item) for e, item in _seen(report, case, ErasedCase)),
        chains=tuple((e.subject, item) for e, item in _seen(report, case, TruncatedReasoning)),
        pairs=tuple((e.subject, item) for e, item in _seen(report, case, CuePair)),
        explanation=text,
        opened=opened,
    )


def _seen(report: Report, case: Case, kind: type[T]) -> Iterator[tuple[Evidence, T]]:
    """Records of one kind about the case, in the order of the evidence."""
    for evidence in report.evidence:
        for item in evidence.cases:
            if item.id == case.id and isinstance(item, kind):
                yield evidence, item


def _maps(report: Report, case: Case, place: str) -> tuple[Map, ...]:
    read = [(e.subject, item) for e, item in _seen(report, case, LensMap)]
    patched = [(e.subject, item) for e, item in _seen(report, case, PatchingMap)]
    return (
        *(lens_map(item, subject, f"{place}-lens-{i}") for i, (subject, item) in enumerate(read)),
        *(
            patching_map(item, subject, f"{place}-patching-{i}")
            for i, (subject, item) in enumerate(patched)
        ),
    )


def _strip(item: LayerReading, subject: str) -> Strip:
    return Strip(
        subject=subject,
        target=item.target,
        formed_at=item.formed_at,
        cells=tuple(
            Cell(layer, p, min(9, int(p * 10)), layer == item.formed_at)
            for layer, p in enumerate(item.probabilities)
        ),
    )
