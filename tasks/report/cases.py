"""One text followed through all sections: everything known about a case, on one card."""

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.schema import (
    AttributedText,
    Case,
    CuePair,
    Evidence,
    Explanation,
    LayerReading,
    Report,
    TruncatedReasoning,
    Word,
)
from tasks.spec import ReasoningCheck

LISTED = 120
"""Words of a case listed with their number; the others stand in evidence.json."""

OPEN = 3
"""Cards that are open when the page is."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the text: a word with its attribution, or what lies between words."""

    text: str
    word: Word | None = None
    tone: str = ""
    """Class that colours and underlines it: p1 .. p5 for the decision, n1 .. n5 against."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Where one subject looked in the text."""

    subject: str
    attributed: AttributedText
    pieces: tuple[Piece, ...]
    listed: tuple[Word, ...]
    difference: float
    """Log-odds on the text minus those on the baseline: all that the attribution explains."""
    foregone: bool
    """The baseline, which says nothing, is already decided the same way."""


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
class Chain:
    """A reasoning of the case and its answers when cut."""

    subject: str
    chain: TruncatedReasoning
    answers: tuple[tuple[float, str | None], ...]


@dataclass(frozen=True, slots=True)
class Card:
    """Everything known about one case."""

    anchor: str
    case: Case
    right: bool | None
    readings: tuple[Reading, ...]
    strips: tuple[Strip, ...]
    chains: tuple[Chain, ...]
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
    readings: list[Reading] = []
    strips: list[Strip] = []
    chains: list[Chain] = []
    pairs: list[tuple[str, CuePair]] = []
    for evidence in report.evidence:
        floor = faintest(evidence)
        shares = evidence.check.shares if isinstance(evidence.check, ReasoningCheck) else ()
        for item in evidence.cases:
            if item.id != case.id:
                continue
            match item:
                case AttributedText():
                    readings.append(_reading(item, case.text, evidence.subject, floor))
                case LayerReading():
                    strips.append(_strip(item, evidence.subject))
                case TruncatedReasoning():
                    answers = tuple(zip(shares, item.answers, strict=False))
                    chains.append(Chain(evidence.subject, item, answers))
                case CuePair():
                    pairs.append((evidence.subject, item))
    return Card(
        anchor=place,
        case=case,
        right=None if label is None else label == case.decision,
        readings=tuple(readings),
        strips=tuple(strips),
        chains=tuple(chains),
        pairs=tuple(pairs),
        explanation=text,
        opened=opened,
    )


def _reading(item: AttributedText, text: str, subject: str, floor: float) -> Reading:
    largest = sorted(item.words, key=lambda w: -abs(w.value))
    return Reading(
        subject=subject,
        attributed=item,
        pieces=pieces(item.words, text, floor),
        listed=tuple(largest[:LISTED]),
        difference=item.score - item.baseline_score,
        foregone=item.foregone,
    )


def faintest(evidence: Evidence) -> float:
    """A fifth of a check's largest attribution: no text's colours are scaled finer than that."""
    texts = (c for c in evidence.cases if isinstance(c, AttributedText))
    return max((abs(w.value) for text in texts for w in text.words), default=0.0) / 5


def pieces(words: tuple[Word, ...], text: str, floor: float = 0.0) -> tuple[Piece, ...]:
    """The whole text, cut at its words; `floor` keeps noise from being coloured as signal."""
    top = max([floor, *(abs(w.value) for w in words)])
    found, at = [], 0
    for word in sorted(words, key=lambda w: w.start):
        if word.start > at:
            found.append(Piece(text[at : word.start]))
        found.append(Piece(word.text, word, tone(word.value, top)))
        at = max(at, word.end)
    if at < len(text):
        found.append(Piece(text[at:]))
    return tuple(found)


def tone(value: float, top: float) -> str:
    """Five steps on either side; below a tenth of the largest value a word stays plain."""
    part = abs(value) / top if top > 0 else 0.0
    if part < 0.1:
        return ""
    return f"{'p' if value > 0 else 'n'}{min(5, 1 + int(part * 5))}"


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
