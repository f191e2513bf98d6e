"""The units of attribution: tokens, words, or named fields of a text."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Span = tuple[int, int]
"""First character, one past the last."""

WORD = re.compile(r"\w+(?:[.,'’\-]\w+)*|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Unit:
    """One part of a text that attribution falls on."""

    spans: tuple[Span, ...]
    """Its spans in the text; a field can occur more than once."""
    field: str | None = None
    """Named field it belongs to."""

    def words(self, text: str) -> str:
        """The unit as it first stands in the text."""
        start, end = self.spans[0]
        return text[start:end]


def words_of(text: str) -> list[Span]:
    """Character spans of the words and punctuation marks of a text."""
    return [match.span() for match in WORD.finditer(text)]


def occurrences(text: str, value: str) -> list[Span]:
    """Character spans where `value` stands in `text` as words of its own."""
    if not value.strip():
        return []
    pattern = rf"(?<!\w){re.escape(value)}(?!\w)"
    return [match.span() for match in re.finditer(pattern, text)]


def units_of(
    kind: Literal["tokens", "words", "fields"],
    text: str,
    places: Mapping[str, Sequence[Span]],
    tokens: Sequence[Span] = (),
) -> list[Unit]:
    """The units of a text, in the order in which they stand there.

    Args:
        kind: `tokens` of the subject, `words`, or `fields`: every named field as one unit, words
            outside fields as they are.
        text: the text.
        places: named field -> where it stands in the text.
        tokens: character spans of the subject's tokens, for `tokens`.
    """
    named = [(span, name) for name, spans in places.items() for span in spans]
    parts = [span for span in tokens if span[0] < span[1]] if kind == "tokens" else words_of(text)
    owned = [(span, _field_at(span, named)) for span in parts]
    if kind != "fields":
        return [Unit((span,), name) for span, name in owned]
    whole = {
        name: Unit(tuple(sorted(span for span, n in named if n == name)), name) for _, name in named
    }
    present = {name for _, name in owned if name is not None}
    alone = [Unit((span,)) for span, name in owned if name is None]
    return sorted([*alone, *(whole[name] for name in present)], key=lambda unit: unit.spans[0])


def token_units(units: Sequence[Unit], offsets: Iterable[Span], length: int) -> list[int]:
    """The unit of every token: that of its first character which is in a unit; -1 for none.

    A token without a visible character of its own (a space, a byte of a longer character) goes
    with the unit before it, so that nothing of the text is left out.

    Args:
        units: of the text.
        offsets: characters every token of one row stands for.
        length: characters of the text.
    """
    owner = [-1] * length
    for position, unit in enumerate(units):
        for start, end in unit.spans:
            owner[start:end] = [position] * (end - start)
    owners, last = [], -1
    for start, end in offsets:
        visible = next((i for i in range(start, min(end, length)) if owner[i] >= 0), None)
        if visible is not None:
            last = owner[visible]
        owners.append(last)
    return owners


def _field_at(span: Span, named: Sequence[tuple[Span, str]]) -> str | None:
    start, end = span
    return next((name for (a, b), name in named if a <= start and end <= b), None)
