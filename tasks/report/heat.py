"""Heat maps as inline SVG: methods by methods, sites by layers, layers by words."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import altair as alt

from tasks.report.svg import drawn
from tasks.schema import Measurement

CELL: Final = 14
"""Side of a cell, in pixels."""

WRITTEN: Final = 16
"""Heat maps of up to this many columns carry their numbers; wider ones are read by colour."""

STEPS: Final = 20
"""Steps of a scale; cells of one colour are drawn as one."""

SHORT: Final = 3
"""Names of columns up to this long stand upright."""

PLAIN: Final[dict[str, Any]] = {
    "ticks": False, "domain": False, "labelPadding": 5, "labelOverlap": False,
}  # fmt: skip
"""Every name is written, whether or not it fits; ticks and rules say nothing beside cells."""


class Cell(NamedTuple):
    """One cell."""

    row: int
    column: int
    value: float


def heat_map(
    cells: Sequence[Cell],
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    key: str,
    label: str,
    domain: tuple[float, float],
    rows_title: str | None = None,
    columns_title: str | None = None,
    numbers: str = "the table",
) -> str:
    """A heat map; readable for twelve layers by sixty words.

    Args:
        cells: what is known; a cell that is missing stays white.
        rows: names of the rows, top first; names may repeat, as words of a text do.
        columns: names of the columns.
        key: starts every id.
        label: what the colour stands for.
        domain: values of the lightest and darkest colour; around 0, blue is above it.
        rows_title: what the rows are.
        columns_title: what the columns are.
        numbers: where the numbers stand.
    """
    low, high = domain
    step = (high - low) / STEPS
    points: list[dict[str, object]] = [
        {
            "row": c.row,
            "column": c.column,
            "value": min(high, max(low, round(c.value / step) * step)),
            "shown": f"{round(c.value, 2) + 0.0:.2f}".replace("-", "\N{MINUS SIGN}"),
        }
        for c in cells
    ]
    both = low < 0
    scale = alt.Scale(domain=list(domain), scheme="redblue" if both else "blues")
    few = len(columns) <= WRITTEN
    upright = few and all(len(name) <= SHORT for name in columns)
    size = (CELL * 4, CELL * 2) if few else (CELL, CELL)
    x = alt.X(
        "column:O",
        title=columns_title,
        sort=list(range(len(columns))),
        axis=alt.Axis(
            labelExpr=_names(columns),
            labelAngle=0 if upright else -60,
            labelLimit=110,
            **PLAIN,
        ),
    )
    y = alt.Y(
        "row:O",
        title=rows_title,
        sort=list(range(len(rows))),
        axis=alt.Axis(labelExpr=_names(rows), labelLimit=250, **PLAIN),
    )
    base = alt.Chart(alt.InlineData(values=points)).encode(x, y)
    legend = alt.Legend(
        title=label,
        orient="top",
        gradientLength=180,
        titleLimit=420,
        titleFontSize=12,
        titleFontWeight="normal",
    )
    layers = [
        base.mark_rect(stroke="#ffffff", strokeWidth=0.5).encode(
            alt.Color("value:Q", scale=scale, legend=legend)
        )
    ]
    if few:
        far = max(abs(low), abs(high)) * 0.6
        dark = alt.expr.abs(alt.datum.value) > far
        ink = alt.when(dark).then(alt.value("#ffffff")).otherwise(alt.value("#1c1f23"))
        layers.append(base.mark_text(fontSize=12).encode(text="shown:N", color=ink))
    svg = drawn(
        alt.LayerChart(layer=layers),
        key=key,
        label=label,
        width=size[0] * len(columns),
        height=size[1] * len(rows),
        numbers=numbers,
    )
    return _merged(svg)


def agreement_matrix(agreement: Sequence[Measurement], *, key: str) -> str:
    """Rank agreement of every method with every other; a method agrees with itself."""
    methods = list(dict.fromkeys(n for m in agreement for n in (m.about.method, m.about.against)))
    cells = [Cell(i, i, 1.0) for i in range(len(methods))]
    for m in agreement:
        one, other = methods.index(m.about.method), methods.index(m.about.against)
        cells += [Cell(one, other, m.value), Cell(other, one, m.value)]
    names = [str(name) for name in methods]
    label = "Mean Spearman correlation between methods"
    return heat_map(cells, names, names, key=key, label=label, domain=(-1.0, 1.0))


def formation_map(formed: Sequence[Measurement], *, key: str) -> str:
    """Share of each set's decisions that form at each layer."""
    label = "Share of the decisions that form at the layer"
    return _by_layer(
        formed, lambda m: m.about.subset or "all texts", key=key, label=label, domain=(0.0, 1.0)
    )


def recovered_map(shares: Sequence[Measurement], *, key: str) -> str:
    """Recovered share of every site, layer by layer."""
    label = "Recovered share of the effect"
    return _by_layer(shares, site, key=key, label=label, domain=(-1.0, 1.0))


def site(m: Measurement) -> str:
    """Positions and part of the subject that were patched, beside the layer."""
    control = ", control" if m.name.endswith("_control") else ""
    return f"{m.about.part or 'residual'}, {m.about.position or 'everything'}{control}"


def _by_layer(
    measurements: Sequence[Measurement],
    row: Callable[[Measurement], str],
    *,
    key: str,
    label: str,
    domain: tuple[float, float],
) -> str:
    placed = [(row(m), m.about.layer, m.value) for m in measurements if m.about.layer is not None]
    rows = list(dict.fromkeys(name for name, _, _ in placed))
    layers = sorted({layer for _, layer, _ in placed})
    return heat_map(
        [Cell(rows.index(name), layers.index(at), value) for name, at, value in placed],
        rows,
        [str(layer) for layer in layers],
        key=key,
        label=label,
        domain=domain,
        columns_title="Layer (0 = embedding)",
    )


def _merged(svg: str) -> str:
    """Cells of one colour as one path: a page of many maps stays a fifth of its size."""
    cell = re.compile(r'<path d="(M[^"]*Z)" (fill="[^"]*" stroke="#ffffff" stroke-width="0.5")/>')
    outlines: dict[str, list[str]] = {}
    for outline, look in cell.findall(svg):
        outlines.setdefault(look, []).append(outline)

    def first_of_its_look(path: re.Match[str]) -> str:
        found = outlines.pop(path[2], None)
        return f'<path d="{"".join(found)}" {path[2]}/>' if found else ""

    return cell.sub(first_of_its_look, svg)


def _names(names: Sequence[str]) -> str:
    """A Vega expression that writes the name of a position; names are data, never code."""
    return f"{json.dumps(list(names))}[datum.value]"
