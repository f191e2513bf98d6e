"""Charts of levers as inline SVG: response by dose, and gap against accuracy."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import altair as alt

from tasks.report.formats import title
from tasks.report.shapes import DASHES, OKABE_ITO, SHAPES, WIDTH, Series
from tasks.report.svg import INK, drawn
from tasks.schema import Measurement

SHADE: Final = "#e8f1ec"
"""The range that is safe, behind the lines."""

GAP: Final = "Gap between groups"

KINDS: Final = ("untouched", "erase at one layer", "erase together", "steer")
"""Kinds of levers, each with a colour and a mark of its own."""


class Point(NamedTuple):
    """One lever in the plane of gap and accuracy."""

    name: str
    kind: str
    gap: Measurement
    accuracy: Measurement


class DrawLevers(Protocol):
    """A picture of levers, the chosen one marked."""

    def __call__(self, points: Sequence[Point], chosen: str | None, /, *, key: str) -> str:
        """Draw them; `key` starts every id."""
        ...


def dose_response(
    series: Series, *, key: str, label: str, safe: tuple[float, float] | None, percent: bool
) -> str:
    """A response by alpha, one line with its band per series; the safe range is shaded.

    Args:
        series: name as the legend writes it -> measurements with an alpha.
        key: starts every id.
        label: what the response is.
        safe: the range that is shaded, if it is known.
        percent: whether the response is a share.
    """
    rows = [
        {"at": m.about.alpha, "value": m.value, "low": m.low, "high": m.high, "series": name}
        for name, some in series.items()
        for m in some
    ]
    names = list(series)
    doses = sorted({float(str(row["at"])) for row in rows})
    at = alt.X(
        "at:Q",
        title="alpha (1 = the whole difference between the means)",
        axis=alt.Axis(values=doses, format="~g", grid=False, labelOverlap=True),
    )
    axis = alt.Axis(format="%") if percent else alt.Axis()
    scale = alt.Scale(domain=(0, 1)) if percent else alt.Scale(zero=True)
    value = alt.Y("value:Q", title=label, axis=axis, scale=scale)
    base = _chart(rows).encode(at, _colour(names))
    dash = alt.Scale(domain=names, range=[list(DASHES[i % len(DASHES)]) for i in range(len(names))])
    layers = [
        base.mark_area(opacity=0.14).encode(alt.Y("low:Q", title=label), y2="high:Q"),
        base.mark_line(strokeWidth=1.8).encode(
            value, strokeDash=alt.StrokeDash("series:N", scale=dash, legend=None)
        ),
        base.mark_point(filled=True, size=34, opacity=1).encode(value, shape=_shape(names)),
    ]
    nought = _chart([{"at": 0}]).mark_rule(color=INK, strokeWidth=0.8).encode(at)
    behind = [_shaded(safe, at)] if safe is not None and safe[0] < safe[1] else []
    return drawn(
        alt.LayerChart(layer=[*behind, nought, *layers]),
        key=key,
        label=f"{label} by alpha",
        width=WIDTH,
        height=210,
        told=f" for {'; '.join(names)}",
    )


def _shaded(safe: tuple[float, float], at: alt.X) -> alt.Chart:
    rows: list[dict[str, object]] = [{"at": safe[0], "end": safe[1]}]
    shade: alt.Chart = _chart(rows).mark_rect(color=SHADE, opacity=1).encode(at, alt.X2("end:Q"))
    return shade


def levers_tried(points: Sequence[Point], chosen: str | None, /, *, key: str) -> str:
    """Gap and accuracy with every lever that was tried, and the front that no other beats."""
    rows = [_place(p) for p in points]
    front = [{**_place(p), "order": i} for i, p in enumerate(front_of(points))]
    gap, accuracy = _axes(points)
    line = (
        _chart(front)
        .mark_line(color=INK, strokeWidth=1, strokeDash=[3, 3], interpolate="step-after")
        .encode(gap, accuracy, order="order:Q")
    )
    return _plane([line], rows, points, chosen, key=key, label="Levers tried")


def levers_confirmed(points: Sequence[Point], chosen: str | None, /, *, key: str) -> str:
    """Gap and accuracy with the levers that were confirmed, with both intervals."""
    told = [p._replace(kind=p.name) for p in points] if len(points) <= len(SHAPES) else points
    rows = [
        {
            **_place(p),
            "gap_low": p.gap.low,
            "gap_high": p.gap.high,
            "low": p.accuracy.low,
            "high": p.accuracy.high,
        }
        for p in told
    ]
    gap, accuracy = _axes(points)
    base = _chart(rows).encode(_colour(_names(told)))
    spans = [
        base.mark_rule(strokeWidth=1.2).encode(
            alt.X("gap_low:Q", title=GAP), accuracy, x2="gap_high:Q"
        ),
        base.mark_rule(strokeWidth=1.2).encode(
            gap, alt.Y("low:Q", title=_price(points)), y2="high:Q"
        ),
    ]
    return _plane(spans, rows, told, chosen, key=key, label="Levers confirmed")


def front_of(points: Sequence[Point]) -> list[Point]:
    """Levers that no other beats in gap and accuracy, the smallest gap first."""
    found: list[Point] = []
    for p in sorted(points, key=lambda p: (p.gap.value, -p.accuracy.value)):
        if not found or p.accuracy.value > found[-1].accuracy.value:
            found.append(p)
    return found


def _plane(
    behind: list[alt.Chart],
    rows: list[dict[str, object]],
    points: Sequence[Point],
    chosen: str | None,
    *,
    key: str,
    label: str,
) -> str:
    names = _names(points)
    gap, accuracy = _axes(points)
    base = _chart(rows).encode(gap, accuracy)
    dots = base.mark_point(filled=True, size=64, opacity=1).encode(_colour(names), _shape(names))
    ring = [r for r in rows if r["name"] == chosen]
    marked = _chart(ring).mark_point(size=260, strokeWidth=1.6, color=INK).encode(gap, accuracy)
    return drawn(
        alt.LayerChart(layer=[*behind, dots, *([marked] if ring else [])]),
        key=key,
        label=label,
        width=WIDTH,
        height=280,
        told=f": {_price(points)} against {GAP}",
    )


def _names(points: Sequence[Point]) -> list[str]:
    """Kinds in their own order, or the names that stand for them."""
    found = dict.fromkeys(p.kind for p in points)
    known = [kind for kind in KINDS if kind in found]
    return [*known, *(name for name in found if name not in KINDS)]


def _axes(points: Sequence[Point]) -> tuple[alt.X, alt.Y]:
    gap = alt.X("gap:Q", title=GAP, scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=8))
    named = _price(points)
    axis = alt.Axis(format="%") if named == "Accuracy" else alt.Axis()
    scale = alt.Scale(zero=False, padding=14)
    return gap, alt.Y("accuracy:Q", title=named, axis=axis, scale=scale)


def _price(points: Sequence[Point]) -> str:
    """Accuracy itself, or its change."""
    name = points[0].accuracy.name
    return "Accuracy" if name.endswith("accuracy") else title(name)


def _place(p: Point) -> dict[str, object]:
    return {"name": p.name, "series": p.kind, "gap": p.gap.value, "accuracy": p.accuracy.value}


def _colour(names: Sequence[str]) -> alt.Color:
    colours = [OKABE_ITO[i % len(OKABE_ITO)] for i in range(len(names))]
    scale = alt.Scale(domain=list(names), range=colours)
    return alt.Color("series:N", scale=scale, legend=_legend(names))


def _shape(names: Sequence[str]) -> alt.Shape:
    shapes = [SHAPES[i % len(SHAPES)] for i in range(len(names))]
    scale = alt.Scale(domain=list(names), range=shapes)
    return alt.Shape("series:N", scale=scale, legend=_legend(names))


def _legend(names: Sequence[str]) -> alt.Legend | None:
    return (
        alt.Legend(title=None, columns=4 if max(map(len, names)) < 20 else 3)
        if len(names) > 1
        else None
    )


def _chart(rows: Sequence[Mapping[str, object]]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=[dict(row) for row in rows]))
