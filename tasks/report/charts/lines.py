"""Lines over layers, shares or doses, each with the band of its intervals."""

from typing import Final

import altair as alt

from tasks.report.charts.axes import (
    WIDTH,
    Axis,
    chart,
    colours,
    dashes,
    ends,
    in_words,
    rules,
    shapes,
)
from tasks.report.charts.series import Series
from tasks.report.charts.svg import to_svg

SHADE: Final = "#e8f1ec"
"""A shaded range behind the lines."""

HEIGHT: Final = 210


def lines(
    series: Series,
    x: Axis,
    y: Axis,
    *,
    key: str,
    label: str = "",
    shaded: tuple[float, float] | None = None,
) -> str:
    """One line with its band for each series.

    Args:
        series: name as the legend writes it -> points.
        x: the horizontal axis.
        y: what was measured.
        key: starts every id.
        label: what the chart shows, if not the title of `y`.
        shaded: a range of `x` to shade, unless it is empty.
    """
    names = list(series)
    rows = [
        {"at": point.at, "series": name, **ends(point.measured)}
        for name, points in series.items()
        for point in points
    ]
    if not rows:
        return ""
    at, value = x.x("at"), y.y("value")
    base = chart(rows).encode(at, colours(names))
    band = base.mark_area(opacity=0.14).encode(y.y("low"), y2="high:Q")
    marks = [
        band.transform_filter("isValid(datum.low)"),
        base.mark_line(strokeWidth=1.8).encode(value, strokeDash=dashes(names)),
        base.mark_point(filled=True, size=34, opacity=1).encode(value, shape=shapes(names)),
    ]
    return to_svg(
        alt.LayerChart(layer=[*_behind(shaded, at), *rules(x, y), *marks]),
        key=key,
        label=label or y.title,
        width=WIDTH,
        height=HEIGHT,
        details=in_words(names),
    )


def _behind(shaded: tuple[float, float] | None, at: alt.X) -> list[alt.Chart]:
    if shaded is None or shaded[0] >= shaded[1]:
        return []
    rows = chart([{"at": shaded[0], "end": shaded[1]}])
    return [rows.mark_rect(color=SHADE, opacity=1).encode(at, alt.X2("end:Q"))]
