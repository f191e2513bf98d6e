"""The two shapes of a chart: lines over layers or shares, and dots with their intervals.

Series differ by colour, dash and mark, so that none is told by colour alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt

from tasks.report.svg import INK, drawn
from tasks.schema import Measurement

OKABE_ITO: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES: Final = ((1, 0), (6, 3), (2, 2), (8, 3, 2, 3), (4, 1), (1, 3), (10, 4))
SHAPES: Final = (
    "circle",
    "square",
    "triangle-up",
    "diamond",
    "cross",
    "triangle-down",
    "triangle-left",
)
WIDTH: Final = 500

Series = Mapping[str, Sequence[Measurement]]
"""Name as the legend writes it -> measurements."""


def layers(
    series: Series,
    *,
    key: str,
    label: str,
    domain: tuple[float, float] | None = None,
    zero: bool = False,
    percent: bool = False,
) -> str:
    """Lines over the layers of a subject, each with the band of its intervals."""
    rows = [
        row(m, series=name, at=m.about.layer)
        for name, some in series.items()
        for m in some
        if m.about.layer is not None
    ]
    last = max(int(str(row["at"])) for row in rows)
    ticks = list(range(0, last + 1, max(1, last // 12)))
    axis = alt.Axis(values=ticks, format="d", grid=False)
    at = alt.X("at:Q", title="Layer (0 = embedding)", axis=axis, scale=alt.Scale(nice=False))
    return lines(rows, at, key=key, label=label, domain=domain, zero=zero, percent=percent)


def lines(
    rows: list[dict[str, object]],
    at: alt.X,
    *,
    key: str,
    label: str,
    domain: tuple[float, float] | None = None,
    zero: bool = False,
    percent: bool = False,
) -> str:
    """Lines over `at`, each with the band of its intervals."""
    names = list(dict.fromkeys(str(row["series"]) for row in rows))
    scale = alt.Scale(domain=domain) if domain else alt.Scale(zero=zero)
    base = _chart(rows).encode(at, alt.Color("series:N", **_told(names)))
    axis = alt.Axis(format="%") if percent else alt.Axis()
    value = alt.Y("value:Q", title=label, scale=scale, axis=axis)
    band = base.mark_area(opacity=0.14).encode(alt.Y("low:Q", title=label, axis=axis), y2="high:Q")
    dash = alt.Scale(domain=names, range=[list(DASHES[i % len(DASHES)]) for i in range(len(names))])
    line = base.mark_line(strokeWidth=1.8).encode(
        value, strokeDash=alt.StrokeDash("series:N", scale=dash, legend=None)
    )
    dots = base.mark_point(filled=True, size=34, opacity=1).encode(value, shape=_shape(names))
    layers = [band.transform_filter("isValid(datum.low)"), line, dots]
    return _svg(_over_zero(layers, zero, "y"), key=key, label=label, names=names, height=210)


def dots(
    points: list[tuple[str, str, Measurement]],
    *,
    key: str,
    label: str,
    unit: str,
    domain: tuple[float, float] | None = None,
    zero: bool = False,
    percent: bool = False,
) -> str:
    """One line per place, one dot with its interval per series."""
    rows = [row(m, place=place, series=series) for place, series, m in points]
    places = list(dict.fromkeys(place for place, _, _ in points))
    names = list(dict.fromkeys(series for _, series, _ in points))
    scale = alt.Scale(domain=domain) if domain else alt.Scale(zero=True)
    base = _chart(rows).encode(
        alt.Y("place:N", title=None, sort=places),
        alt.YOffset("series:N", sort=names, scale=alt.Scale(paddingOuter=0.6)),
        alt.Color("series:N", **_told(names)),
    )
    axis = alt.Axis(format="%") if percent else alt.Axis()
    span = base.mark_rule(strokeWidth=1.6).encode(
        alt.X("low:Q", title=unit, scale=scale, axis=axis), x2="high:Q"
    )
    dots = base.mark_point(filled=True, size=52, opacity=1).encode(
        alt.X("value:Q", title=unit, scale=scale, axis=axis), shape=_shape(names)
    )
    height = max(60, len(places) * max(26, 13 * len(names) + 8))
    layers = [span.transform_filter("isValid(datum.low)"), dots]
    return _svg(_over_zero(layers, zero, "x"), key=key, label=label, names=names, height=height)


def row(m: Measurement, **where: object) -> dict[str, object]:
    """A measurement as a chart takes it, with whatever places it."""
    return {"value": m.value, "low": m.low, "high": m.high, **where}


def _legend(names: list[str]) -> alt.Legend | None:
    columns = 2 if len(names) == 4 or max(map(len, names)) > 24 else 3
    return alt.Legend(title=None, columns=columns) if len(names) > 1 else None


def _told(names: list[str]) -> dict[str, Any]:
    colours = [OKABE_ITO[i % len(OKABE_ITO)] for i in range(len(names))]
    return {"scale": alt.Scale(domain=names, range=colours), "legend": _legend(names)}


def _shape(names: list[str]) -> alt.Shape:
    shapes = [SHAPES[i % len(SHAPES)] for i in range(len(names))]
    return alt.Shape("series:N", scale=alt.Scale(domain=names, range=shapes), legend=_legend(names))


def _chart(rows: list[dict[str, object]]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=rows))


def _over_zero(layers: list[alt.Chart], zero: bool, axis: str) -> alt.LayerChart:
    if not zero:
        return alt.LayerChart(layer=layers)
    nought = _chart([{"nought": 0}]).mark_rule(color=INK, strokeWidth=0.8)
    place = alt.Y("nought:Q") if axis == "y" else alt.X("nought:Q")
    return alt.LayerChart(layer=[nought.encode(place), *layers])


def _svg(chart: alt.LayerChart, *, key: str, label: str, names: list[str], height: int) -> str:
    series = f" for {'; '.join(names)}" if len(names) > 1 else ""
    return drawn(chart, key=key, label=label, width=WIDTH, height=height, told=series)
