"""Dots with their intervals: one line for each place, one dot for each series."""

from collections.abc import Sequence
from typing import NamedTuple

import altair as alt

from tasks.report.charts.axes import WIDTH, Axis, chart, colours, ends, in_words, rules, shapes
from tasks.report.charts.svg import to_svg
from tasks.schema import Measurement


class Dot(NamedTuple):
    """A measurement, its line and its series."""

    place: str
    series: str
    measured: Measurement


def dots(points: Sequence[Dot], x: Axis, *, key: str, label: str) -> str:
    """A row for each place in order; the axis starts at 0 unless it has a domain.

    Args:
        points: what was measured, where.
        x: the scale of all measurements.
        key: starts every id.
        label: what the chart shows.
    """
    if not points:
        return ""
    places = list(dict.fromkeys(point.place for point in points))
    names = list(dict.fromkeys(point.series for point in points))
    rows = [{"place": p.place, "series": p.series, **ends(p.measured)} for p in points]
    base = chart(rows).encode(
        alt.Y("place:N", title=None, sort=places),
        alt.YOffset("series:N", sort=names, scale=alt.Scale(paddingOuter=0.6)),
        colours(names),
    )
    span = base.mark_rule(strokeWidth=1.6).encode(x.x("low", zero=True), x2="high:Q")
    marks = [
        span.transform_filter("isValid(datum.low)"),
        base.mark_point(filled=True, size=52, opacity=1).encode(
            x.x("value", zero=True), shape=shapes(names)
        ),
    ]
    return to_svg(
        alt.LayerChart(layer=[*rules(x, None), *marks]),
        key=key,
        label=label,
        width=WIDTH,
        height=max(60, len(places) * max(26, 13 * len(names) + 8)),
        details=in_words(names),
    )
