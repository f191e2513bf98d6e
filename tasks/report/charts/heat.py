"""Heat maps: methods by methods, sites by layers, layers by words."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import altair as alt

from tasks.report.charts.axes import chart
from tasks.report.charts.svg import to_svg

CELL: Final = 14
"""Side of a cell, in pixels."""

WRITTEN: Final = 16
"""Heat maps of up to this many columns show their numbers; wider ones only colours."""

STEPS: Final = 20
"""Steps of a scale; cells of one colour are drawn as one."""

SHORT: Final = 3
"""Names of columns up to this long stand upright."""

DARK: Final = 0.6
"""Part of the scale beyond which numbers are written in white."""


class Cell(NamedTuple):
    """One cell."""

    row: int
    column: int
    value: float
    written: str = ""
    """The number as the report writes it."""


class Names(NamedTuple):
    """The names along one side, first at the top or left, and their title."""

    names: Sequence[str]
    """They may repeat, as words of a text do."""
    title: str | None = None


def heat_map(
    cells: Iterable[Cell],
    rows: Names,
    columns: Names,
    *,
    key: str,
    label: str,
    domain: tuple[float, float],
    numbers: str = "the table",
) -> str:
    """A heat map; readable for twelve layers by sixty words.

    Args:
        cells: a cell that is missing stays white.
        rows: names of the rows.
        columns: names of the columns.
        key: starts every id.
        label: what the colour stands for.
        domain: values of the lightest and darkest colour; around 0, blue is above it.
        numbers: where the numbers stand.
    """
    marks = [_row(cell, domain) for cell in cells]
    if not marks:
        return ""
    few = len(columns.names) <= WRITTEN
    base = chart(marks).encode(_across(columns, upright=few), _down(rows))
    scale = alt.Scale(domain=list(domain), scheme="redblue" if domain[0] < 0 else "blues")
    colour = alt.Color("value:Q", scale=scale, legend=_legend(label))
    layers = [base.mark_rect(stroke="#ffffff", strokeWidth=0.5).encode(colour)]
    if few:
        layers.append(_numbers(base, max(map(abs, domain))))
    svg = to_svg(
        alt.LayerChart(layer=layers),
        key=key,
        label=label,
        width=CELL * (4 if few else 1) * len(columns.names),
        height=CELL * (2 if few else 1) * len(rows.names),
        numbers=numbers,
    )
    return _merged(svg)


class Layered(NamedTuple):
    """Cells of a map whose columns are layers."""

    cells: list[Cell]
    rows: Names
    columns: Names


def layer_cells(values: Iterable[tuple[str, int, float, str]]) -> Layered:
    """Values by name and layer, each with its text, as a map of layers."""
    known = list(values)
    names = list(dict.fromkeys(name for name, *_ in known))
    layers = sorted({layer for _, layer, *_ in known})
    return Layered(
        [
            Cell(names.index(name), layers.index(layer), value, written)
            for name, layer, value, written in known
        ],
        Names(names),
        Names([str(layer) for layer in layers], "Layer (0 = embedding)"),
    )


def _row(cell: Cell, domain: tuple[float, float]) -> dict[str, float | str | None]:
    low, high = domain
    step = (high - low) / STEPS
    value = min(high, max(low, round(cell.value / step) * step))
    return {"row": cell.row, "column": cell.column, "value": value, "written": cell.written}


def _across(columns: Names, *, upright: bool) -> alt.X:
    upright = upright and all(len(name) <= SHORT for name in columns.names)
    axis = _axis(columns, angle=0 if upright else -60, limit=110)
    places = list(range(len(columns.names)))
    return alt.X("column:O", title=columns.title, sort=places, axis=axis)


def _down(rows: Names) -> alt.Y:
    axis = _axis(rows, angle=0, limit=250)
    return alt.Y("row:O", title=rows.title, sort=list(range(len(rows.names))), axis=axis)


def _axis(side: Names, *, angle: int, limit: int) -> alt.Axis:
    """Every name, whether or not it fits; without ticks and rules, which cells do not need."""
    # A Vega expression writes the name of a position: names are data, never code.
    return alt.Axis(
        labelExpr=f"{json.dumps(list(side.names))}[datum.value]",
        labelAngle=angle,
        labelLimit=limit,
        labelPadding=5,
        labelOverlap=False,
        ticks=False,
        domain=False,
    )


def _legend(label: str) -> alt.Legend:
    return alt.Legend(
        title=label,
        orient="top",
        gradientLength=180,
        titleLimit=420,
        titleFontSize=12,
        titleFontWeight="normal",
    )


def _numbers(base: alt.Chart, furthest: float) -> alt.Chart:
    dark = alt.expr.abs(alt.datum.value) > furthest * DARK
    ink = alt.when(dark).then(alt.value("#ffffff")).otherwise(alt.value("#1c1f23"))
    numbers: alt.Chart = base.mark_text(fontSize=12).encode(text="written:N", color=ink)
    return numbers


def _merged(svg: str) -> str:
    """Merge cells of one colour into one path: a page of many maps has a fifth of its size."""
    cell = re.compile(r'<path d="(M[^"]*Z)" (fill="[^"]*" stroke="#ffffff" stroke-width="0.5")/>')
    outlines: dict[str, list[str]] = {}
    for outline, look in cell.findall(svg):
        outlines.setdefault(look, []).append(outline)

    def first_of_its_look(path: re.Match[str]) -> str:
        paths = outlines.pop(path[2], None)
        return f'<path d="{"".join(paths)}" {path[2]}/>' if paths else ""

    return cell.sub(first_of_its_look, svg)
