"""One text followed through all sections: everything known about a case, on one card."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from tasks.definition.checks.reasoning import ReasoningCheck
from tasks.report.charts import Cell as MapCell
from tasks.report.charts import Names, heat_map
from tasks.schema import (
    AttributedText,
    Case,
    ContradictoryPair,
    CuePair,
    ErasedCase,
    Evidence,
    Explanation,
    LayerReading,
    LensMap,
    PatchingMap,
    Report,
    TruncatedReasoning,
    Word,
)

LISTED = 120
"""Words of a case listed with their number; the others stand in evidence.json."""

OPEN = 3
"""Cards that are open when the page is."""

LABEL = 14
"""Characters of a token that a map writes."""

READ_BACK = 24
"""Tokens of a text whose likeliest next tokens are listed, up to the one the head reads."""


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
    """By the method that sentences rest on; by the first one where none may be cited."""
    earned: bool
    pieces: tuple[Piece, ...]
    methods: tuple[str, ...]
    """All methods, the one shown first."""
    listed: tuple[tuple[Word, tuple[float, ...]], ...]
    """Units from the largest, with what every method gives them."""
    difference: float
    """Log-odds on the text minus those on the baseline: all that the attribution explains."""
    foregone: bool
    """The baseline, which says nothing, is already decided the same way."""


@dataclass(frozen=True, slots=True)
class Tops:
    """The likeliest next token read at each layer, by token of the text."""

    layers: tuple[int, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    tokens: int
    """How many tokens the text has."""


@dataclass(frozen=True, slots=True)
class Map:
    """Layers by tokens of one text, as a picture."""

    heading: str
    svg: Markup
    caption: str
    tops: Tops | None = None


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
    maps: tuple[Map, ...]
    erased: tuple[tuple[str, ErasedCase], ...]
    """Subject, and what it decides once an attribute is erased."""
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
    maps: list[Map] = []
    erased: list[tuple[str, ErasedCase]] = []
    chains: list[Chain] = []
    pairs: list[tuple[str, CuePair]] = []
    for evidence in report.evidence:
        readings += _readings(evidence, case)
        shares = evidence.check.shares if isinstance(evidence.check, ReasoningCheck) else ()
        for item in evidence.cases:
            if item.id != case.id:
                continue
            match item:
                case AttributedText():
                    pass  # all methods together, above
                case LensMap():
                    key = f"{place}-lens-{len(maps)}"
                    maps.append(_lens_map(item, evidence.subject, key))
                case PatchingMap():
                    key = f"{place}-patching-{len(maps)}"
                    maps.append(_patching_map(item, evidence.subject, key))
                case LayerReading():
                    strips.append(_strip(item, evidence.subject))
                case ErasedCase():
                    erased.append((evidence.subject, item))
                case TruncatedReasoning():
                    answers = tuple(zip(shares, item.answers, strict=False))
                    chains.append(Chain(evidence.subject, item, answers))
                case CuePair():
                    pairs.append((evidence.subject, item))
                case ContradictoryPair():
                    pass  # two texts; their own section shows them
    return Card(
        anchor=place,
        case=case,
        right=None if label is None else label == case.decision,
        readings=tuple(readings),
        strips=tuple(strips),
        maps=tuple(maps),
        erased=tuple(erased),
        chains=tuple(chains),
        pairs=tuple(pairs),
        explanation=text,
        opened=opened,
    )


def _readings(evidence: Evidence, case: Case) -> list[Reading]:
    """One reading of a case: the method that may be cited in colour, all methods in its table."""
    method = evidence.cited
    found = [c for c in evidence.cases if isinstance(c, AttributedText) and c.id == case.id]
    ranked = sorted(found, key=lambda c: c.method != method)
    if not ranked:
        return []
    item = ranked[0]
    by_place = [{(w.start, w.end): w.value for w in other.words} for other in ranked]
    largest = sorted(item.words, key=lambda w: -abs(w.value))[:LISTED]
    return [
        Reading(
            subject=evidence.subject,
            attributed=item,
            earned=item.method == method,
            pieces=pieces(item.words, case.text, faintest(evidence, item.method)),
            methods=tuple(other.method for other in ranked),
            listed=tuple(
                (w, tuple(values[w.start, w.end] for values in by_place)) for w in largest
            ),
            difference=item.score - item.baseline_score,
            foregone=item.foregone,
        )
    ]


def faintest(evidence: Evidence, method: str) -> float:
    """A fifth of a method's largest attribution: no text's colours are scaled finer than that."""
    texts = (c for c in evidence.cases if isinstance(c, AttributedText) and c.method == method)
    return max((abs(w.value) for text in texts for w in text.words), default=0.0) / 5


def pieces(words: tuple[Word, ...], text: str, floor: float = 0.0) -> tuple[Piece, ...]:
    """The whole text, cut at its words; `floor` keeps noise from being coloured as signal."""
    top = max([floor, *(abs(w.value) for w in words)])
    placed = [(span, w) for w in words for span in ((w.start, w.end), *w.further)]
    found, at = [], 0
    for (start, end), word in sorted(placed, key=lambda p: p[0]):
        if start > at:
            found.append(Piece(text[at:start]))
        found.append(Piece(text[start:end], word, tone(word.value, top)))
        at = max(at, end)
    if at < len(text):
        found.append(Piece(text[at:]))
    return tuple(found)


def tone(value: float, top: float) -> str:
    """Five steps on either side; below a tenth of the largest value a word stays plain."""
    part = abs(value) / top if top > 0 else 0.0
    if part < 0.1:
        return ""
    return f"{'p' if value > 0 else 'n'}{min(5, 1 + int(part * 5))}"


def _lens_map(item: LensMap, subject: str, key: str) -> Map:
    shown = f"P({printable(item.target)})"
    return Map(
        f"Lens, layer by word: {subject}",
        _drawn(item.probabilities, item.tokens, key=key, label=shown, domain=(0.0, 1.0)),
        f"Probability of {item.target!r} if the head read this word at this layer."
        + _head(item.tokens, item.head),
        _tops(item),
    )


def _patching_map(item: PatchingMap, subject: str, key: str) -> Map:
    label = "Recovered share of the effect"
    return Map(
        f"Patching, layer by word: {subject}",
        _drawn(item.recovered, item.tokens, key=key, label=label, domain=(-1.0, 1.0)),
        f"Exchanging {item.field} {item.original!r} for {item.exchanged!r} turns "
        f"{item.decision!r} into {item.decision_exchanged!r}. Each cell is the share of that "
        "change which the exchanged text's state brings back at this layer and word alone."
        + _head(item.tokens, item.head),
    )


def _drawn(
    rows: Sequence[Sequence[float]],
    tokens: Sequence[str],
    *,
    key: str,
    label: str,
    domain: tuple[float, float],
) -> Markup:
    """Layers from the last, on top, down to the embedding."""
    last = len(rows) - 1
    cells = [
        MapCell(last - layer, token, value)
        for layer, row in enumerate(rows)
        for token, value in enumerate(row)
    ]
    svg = heat_map(
        cells,
        Names([str(last - row) for row in range(len(rows))], "Layer"),
        Names([printable(token) for token in tokens]),
        key=key,
        label=label,
        domain=domain,
        numbers="evidence.json",
    )
    return Markup(svg)  # noqa: S704


def _head(tokens: Sequence[str], head: int | None) -> str:
    if head is None:
        return ""
    return f" The head reads token {head + 1} of {len(tokens)}, {tokens[head]!r}."


def _tops(item: LensMap) -> Tops | None:
    """The tokens up to the one the head reads, where the subject predicts tokens at all."""
    if not item.tops:
        return None
    end = len(item.tokens) if item.head is None else item.head + 1
    return Tops(
        layers=tuple(range(len(item.tops))),
        rows=tuple(
            (printable(item.tokens[at]), tuple(printable(layer[at]) for layer in item.tops))
            for at in range(max(0, end - READ_BACK), end)
        ),
        tokens=len(item.tokens),
    )


def printable(token: str) -> str:
    """A token as a label: short, on one line, without marks that turn the text around it."""
    plain = "".join(c if c.isprintable() else "·" for c in token.strip()) or "␣"
    return plain if len(plain) <= LABEL else f"{plain[: LABEL - 1]}…"


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
