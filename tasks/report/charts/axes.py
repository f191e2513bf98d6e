"""Parts that all charts share: axes, and series that differ by colour, dash and mark.

No two series differ by colour alone.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import altair as alt

from tasks.report.charts.svg import INK
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
"""Of a plot, in pixels."""

ACROSS: Final = 8
"""Labels across a plot, about."""

UPWARDS: Final = 6
"""The same on its side."""

LETTER, SYMBOL = 6.3, 30
"""Room that a letter and a symbol of a legend take, in pixels."""

PERCENT: Final = "format(100 * datum.value, '.10~g') + ' %'"
"""A Vega expression that writes a share as the tables do."""


class Axis(NamedTuple):
    """What an axis of a chart shows."""

    title: str
    percent: bool = False
    domain: tuple[float, float] | None = None
    rule: float | None = None
    """A value that a rule marks, such as 0 for no effect."""
    ticks: tuple[float, ...] = ()
    """Positions of the labels, if not the engine's; there is no grid then."""
    padding: int | None = None
    """Padding in pixels of an axis that need not include 0."""

    def x(self, field: str, *, zero: bool = False) -> alt.X:
        """This axis across, for a field of the rows."""
        scale, axis = _scale(self, zero=zero), _axis(self, labels=ACROSS)
        return alt.X(f"{field}:Q", title=self.title, scale=scale, axis=axis)

    def y(self, field: str) -> alt.Y:
        """This axis upwards, for a field of the rows."""
        return alt.Y(
            f"{field}:Q", title=self.title, scale=_scale(self), axis=_axis(self, labels=UPWARDS)
        )


def _axis(axis: Axis, *, labels: int) -> alt.Axis:
    if axis.ticks:
        return alt.Axis(values=list(axis.ticks), format="~g", grid=False, labelOverlap=True)
    percent = alt.Axis(labelExpr=PERCENT, tickCount=labels)
    return percent if axis.percent else alt.Axis(tickCount=labels)


def _scale(axis: Axis, *, zero: bool = False) -> alt.Scale:
    if axis.domain is not None:
        return alt.Scale(domain=axis.domain)
    if axis.ticks:
        return alt.Scale(nice=False)
    if axis.padding is not None:
        return alt.Scale(zero=False, padding=axis.padding)
    return alt.Scale(zero=zero or axis.rule == 0)


def rules(x: Axis | None, y: Axis | None) -> list[alt.Chart]:
    """The rules of both axes, drawn behind the marks."""
    layers = []
    if x is not None and x.rule is not None:
        layers.append(_ruled(x.rule).encode(alt.X("rule:Q")))
    if y is not None and y.rule is not None:
        layers.append(_ruled(y.rule).encode(alt.Y("rule:Q")))
    return layers


def _ruled(at: float) -> alt.Chart:
    rule: alt.Chart = chart([{"rule": at}]).mark_rule(color=INK, strokeWidth=0.8)
    return rule


def chart(rows: Sequence[Mapping[str, float | str | None]]) -> alt.Chart:
    """A chart whose rows are part of its specification."""
    return alt.Chart(alt.InlineData(values=[dict(row) for row in rows]))


def ends(m: Measurement) -> dict[str, float | None]:
    """A measurement as a row has it."""
    return {"value": m.value, "low": m.low, "high": m.high}


def colours(names: Sequence[str]) -> alt.Color:
    """A colour for each series."""
    scale = alt.Scale(domain=list(names), range=_of(OKABE_ITO, names))
    return alt.Color("series:N", scale=scale, legend=_legend(names))


def shapes(names: Sequence[str]) -> alt.Shape:
    """A mark for each series."""
    scale = alt.Scale(domain=list(names), range=_of(SHAPES, names))
    return alt.Shape("series:N", scale=scale, legend=_legend(names))


def dashes(names: Sequence[str]) -> alt.StrokeDash:
    """A dash for each series; the legend shows marks."""
    strokes = [list(DASHES[i % len(DASHES)]) for i in range(len(names))]
    scale = alt.Scale(domain=list(names), range=strokes)
    return alt.StrokeDash("series:N", scale=scale, legend=None)


def _of(looks: Sequence[str], names: Sequence[str]) -> list[str]:
    return [looks[i % len(looks)] for i in range(len(names))]


def _legend(names: Sequence[str]) -> alt.Legend | None:
    """The legend, in one row if that fits; none for a single series."""
    if len(names) < 2:
        return None
    room = sum(LETTER * len(name) + SYMBOL for name in names)
    columns = 2 if len(names) == 4 or max(map(len, names)) > 24 else 3
    return alt.Legend(title=None, columns=len(names) if room <= WIDTH else columns)


def in_words(names: Sequence[str]) -> str:
    """The series, for screen readers; empty for a single one."""
    return f" for {'; '.join(names)}" if len(names) > 1 else ""
