"""The blocks of a section of the report, and how measurements are arranged in a grid."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from tasks.schema import CuePair, Measurement, TooSmall, TruncatedReasoning


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a grid; each cell holds the measurements that fall there, usually one."""

    label: str
    cells: tuple[tuple[Measurement, ...], ...] = ()
    instead: str = ""
    """Text across the row instead of numbers."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Measurements in a table by two parts of their scope."""

    caption: str
    corner: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    folded: bool = False
    """Collapsed, because a chart above shows the same."""
    kind: Literal["grid"] = "grid"


@dataclass(frozen=True, slots=True)
class Table:
    """A table of counts and words that are no measurements, with a note on what it leaves out."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    kind: Literal["table"] = "table"


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart with what it shows."""

    svg: Markup
    caption: str
    kind: Literal["figure"] = "figure"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence that interprets the numbers."""

    text: str
    weight: Literal["plain", "caution"] = "plain"
    kind: Literal["sentence"] = "sentence"


@dataclass(frozen=True, slots=True)
class Title:
    """A heading within the section."""

    text: str
    kind: Literal["title"] = "title"


@dataclass(frozen=True, slots=True)
class Pairs:
    """Examples of the planted cue."""

    pairs: tuple[CuePair, ...]
    rest: int
    kind: Literal["pairs"] = "pairs"


@dataclass(frozen=True, slots=True)
class Chains:
    """Examples of reasoning cut short."""

    chains: tuple[TruncatedReasoning, ...]
    rest: int
    kind: Literal["chains"] = "chains"


@dataclass(frozen=True, slots=True)
class Code:
    """Lines of a program."""

    text: str
    kind: Literal["code"] = "code"


Block = Grid | Table | Figure | Sentence | Title | Pairs | Chains | Code


def grid(
    measurements: Sequence[Measurement],
    *,
    caption: str,
    corner: str,
    row: Callable[[Measurement], str],
    column: Callable[[Measurement], str],
    too_small: Iterable[TooSmall] = (),
    folded: bool = False,
) -> list[Block]:
    """One grid, or none where nothing was measured."""
    small = [
        Row(s.group, instead=f"too small (n = {s.n}): not shown as a number") for s in too_small
    ]
    columns = tuple(dict.fromkeys(column(m) for m in measurements))
    labels = dict.fromkeys(row(m) for m in measurements)
    rows = [
        Row(
            label,
            tuple(
                tuple(m for m in measurements if row(m) == label and column(m) == name)
                for name in columns
            ),
        )
        for label in labels
    ]
    all_rows = (*rows, *small)
    return [Grid(caption, corner, columns or ("",), all_rows, folded)] if all_rows else []
