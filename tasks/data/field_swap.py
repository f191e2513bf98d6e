"""Exchange one named field of a text for the value it has in another group's row."""

from collections.abc import Sequence
from typing import NamedTuple

from tasks.data.dataset import MISSING, Row
from tasks.data.text_units import Span
from tasks.definition.checks.swap import Swap
from tasks.errors import DataError
from tasks.measures.stats.random_streams import stream


class Exchanged(NamedTuple):
    """A text with one field exchanged."""

    position: int
    """Which of the rows."""
    text: str
    original: str
    exchanged: str
    donor: str = MISSING
    """Group of the row that the new value comes from."""


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
    rng = stream(seed, "value of another group")
    donors: dict[str, list[tuple[str, str]]] = {}
    for group in sorted({row.groups[swap.across] for row in rows} - {MISSING}):
        donors[group] = sorted(
            (row.fields[swap.column], row.groups[swap.across])
            for row in rows
            if row.groups[swap.across] not in {group, MISSING}
            and row.fields.get(swap.column, "").strip()
        )
    swaps = []
    for position, row in enumerate(rows):
        value, group = row.fields.get(swap.column, ""), row.groups[swap.across]
        others = [(v, donor) for v, donor in donors.get(group, []) if v != value]
        places = row.places.get(swap.column, [])
        if others and places:
            new, donor = others[int(rng.integers(len(others)))]
            text = replaced(row.text, places, new)
            swaps.append(Exchanged(position, text, value, new, donor))
    if not swaps:
        raise DataError(
            f"swap of {swap.column!r} across {swap.across!r}: no text holds the value of that "
            "column, or no other group has another value"
        )
    return swaps


def replaced(text: str, places: Sequence[Span], new: str) -> str:
    """`text` with what stands at `places` replaced."""
    for start, end in sorted(places, reverse=True):
        text = text[:start] + new + text[end:]
    return text
