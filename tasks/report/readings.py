"""Attributions in a text: words in colour, and their values by every method."""

from dataclasses import dataclass

from tasks.schema import AttributedText, Case, Evidence, Word

LISTED = 120
"""Words of a case listed with their value; the others are in evidence.json."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the text: a word with its attribution, or the characters between words."""

    text: str
    word: Word | None = None
    tone: str = ""
    """Class that colours and underlines it: p1 .. p5 for the decision, n1 .. n5 against."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The attributions of one subject in the text."""

    subject: str
    attributed: AttributedText
    """By the method that may be cited; by the first one if none may."""
    earned: bool
    pieces: tuple[Piece, ...]
    methods: tuple[str, ...]
    """All methods, the one shown first."""
    listed: tuple[tuple[Word, tuple[float, ...]], ...]
    """Units from the largest, with their values by every method."""
    difference: float
    """Log-odds on the text minus those on the baseline, which the attribution distributes."""
    foregone: bool
    """Whether the baseline, which has no content, gets the same decision."""


def readings_of(evidence: Evidence, case: Case) -> list[Reading]:
    """One reading of a case: the method that may be cited in colour, all methods in its table."""
    method = evidence.cited
    attributed = [c for c in evidence.cases if isinstance(c, AttributedText) and c.id == case.id]
    ranked = sorted(attributed, key=lambda c: c.method != method)
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
    """A fifth of a method's largest attribution: lower bound of the scale of a text's colours."""
    texts = (c for c in evidence.cases if isinstance(c, AttributedText) and c.method == method)
    return max((abs(w.value) for text in texts for w in text.words), default=0.0) / 5


def pieces(words: tuple[Word, ...], text: str, floor: float = 0.0) -> tuple[Piece, ...]:
    """The whole text, cut at its words; `floor` keeps noise from being coloured as signal."""
    top = max([floor, *(abs(w.value) for w in words)])
    placed = [(span, w) for w in words for span in ((w.start, w.end), *w.further)]
    cut, at = [], 0
    for (start, end), word in sorted(placed, key=lambda p: p[0]):
        if start > at:
            cut.append(Piece(text[at:start]))
        cut.append(Piece(text[start:end], word, tone(word.value, top)))
        at = max(at, end)
    if at < len(text):
        cut.append(Piece(text[at:]))
    return tuple(cut)


def tone(value: float, top: float) -> str:
    """Five steps on either side; below a tenth of the largest value a word stays plain."""
    part = abs(value) / top if top > 0 else 0.0
    if part < 0.1:
        return ""
    return f"{'p' if value > 0 else 'n'}{min(5, 1 + int(part * 5))}"
