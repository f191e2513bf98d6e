"""Exchange one named field of a text for the value it has in another group's row."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tasks.dataset import MISSING, Row
from tasks.errors import DataError
from tasks.spec import Swap


class Exchanged(NamedTuple):
    """A text with one field exchanged."""

    position: int
    """Which of the rows."""
    text: str
    original: str
    exchanged: str


def occurrences(text: str, value: str) -> list[tuple[int, int]]:
    """Character spans where `value` stands in `text` as words of its own."""
    if not value.strip():
        return []
    pattern = rf"(?<!\w){re.escape(value)}(?!\w)"
    return [match.span() for match in re.finditer(pattern, text)]


def exchange(rows: Sequence[Row], swap: Swap, *, seed: int) -> list[Exchanged]:
    """One exchanged text for every row whose text holds the field's value.

    The new value is that of a row drawn at random from the other groups of `swap.across`, among
    the values that differ; everything else stays to the letter.

    Args:
        rows: the rows to change; donors are drawn from them too.
        swap: which field, across which attribute.
        seed: drawn from the definition's seed.

    Raises:
        DataError: no text holds its field's value, or there is no other value to give.
    """
    rng = np.random.default_rng(seed)
    donors: dict[str, list[str]] = {}
    for group in sorted({row.groups[swap.across] for row in rows} - {MISSING}):
        donors[group] = sorted(
            row.fields[swap.column]
            for row in rows
            if row.groups[swap.across] not in {group, MISSING} and row.fields[swap.column].strip()
        )
    found = []
    for position, row in enumerate(rows):
        value, group = row.fields[swap.column], row.groups[swap.across]
        others = [v for v in donors.get(group, []) if v != value]
        if others and occurrences(row.text, value):
            new = others[int(rng.integers(len(others)))]
            found.append(Exchanged(position, replaced(row.text, value, new), value, new))
    if not found:
        raise DataError(
            f"swap of {swap.column!r} across {swap.across!r}: no text holds the value of that "
            "column, or no other group has another value"
        )
    return found


def replaced(text: str, value: str, new: str) -> str:
    """`text` with every occurrence of `value` as words of its own replaced."""
    for start, end in reversed(occurrences(text, value)):
        text = text[:start] + new + text[end:]
    return text
