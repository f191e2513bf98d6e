"""A scatter plot of alternatives: measured benefit against measured cost."""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import altair as alt

from tasks.report.charts.axes import WIDTH, Axis, chart, colours, ends, shapes
from tasks.report.charts.svg import INK, to_svg
from tasks.schema import Measurement

HEIGHT: Final = 280
PADDING: Final = 14


class Place(NamedTuple):
    """One alternative and its place."""

    name: str
    series: str
    x: Measurement
    """Good where it is low."""
    y: Measurement
    """Good where it is high."""


def scatter(
    places: Sequence[Place],
    x: Axis,
    y: Axis,
    *,
    key: str,
    label: str,
    ringed: str | None,
    beside: Literal["front", "intervals"],
) -> str:
    """A mark for each place, with a ring around one.

    Args:
        places: the alternatives; series keep their order in the legend.
        x: what is good where it is low.
        y: what is good where it is high.
        key: starts every id.
        label: what the chart shows.
        ringed: name of the place that is marked, if any.
        beside: the Pareto front, or the intervals of all.
    """
    if not places:
        return ""
    names = list(dict.fromkeys(place.series for place in places))
    y = y._replace(padding=PADDING)
    marks = chart([_row(place) for place in places]).encode(x.x("x", zero=True), y.y("y"))
    dots = marks.mark_point(filled=True, size=64, opacity=1).encode(colours(names), shapes(names))
    behind = _intervals(places, x, y) if beside == "intervals" else [_front(places, x, y)]
    return to_svg(
        alt.LayerChart(layer=[*behind, dots, *_ring(places, ringed, x, y)]),
        key=key,
        label=label,
        width=WIDTH,
        height=HEIGHT,
        details=f": {y.title} against {x.title}",
    )


def front_of(places: Sequence[Place]) -> list[Place]:
    """The Pareto front, the lowest first."""
    front: list[Place] = []
    for place in sorted(places, key=lambda p: (p.x.value, -p.y.value)):
        if not front or place.y.value > front[-1].y.value:
            front.append(place)
    return front


def _front(places: Sequence[Place], x: Axis, y: Axis) -> alt.Chart:
    rows = [{**_row(place), "order": i} for i, place in enumerate(front_of(places))]
    base = chart(rows).encode(x.x("x", zero=True), y.y("y"), order="order:Q")
    line: alt.Chart = base.mark_line(
        color=INK, strokeWidth=1, strokeDash=[3, 3], interpolate="step-after"
    )
    return line


def _intervals(places: Sequence[Place], x: Axis, y: Axis) -> list[alt.Chart]:
    names = list(dict.fromkeys(place.series for place in places))
    base = chart([_row(place) for place in places]).encode(colours(names))
    rule = base.mark_rule(strokeWidth=1.2)
    return [
        rule.encode(x.x("x_low", zero=True), y.y("y"), x2="x_high:Q"),
        rule.encode(x.x("x", zero=True), y.y("y_low"), y2="y_high:Q"),
    ]


def _ring(places: Sequence[Place], name: str | None, x: Axis, y: Axis) -> list[alt.Chart]:
    rows = [_row(place) for place in places if place.name == name]
    ring = chart(rows).mark_point(size=260, strokeWidth=1.6, color=INK)
    return [ring.encode(x.x("x", zero=True), y.y("y"))] if rows else []


def _row(place: Place) -> dict[str, float | str | None]:
    across, up = ends(place.x), ends(place.y)
    return {
        "name": place.name,
        "series": place.series,
        "x": across["value"],
        "x_low": across["low"],
        "x_high": across["high"],
        "y": up["value"],
        "y_low": up["low"],
        "y_high": up["high"],
    }
