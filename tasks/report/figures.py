"""Charts as blocks of a section: none where there is nothing to draw."""

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from tasks.report import charts
from tasks.report.blocks import Block, Figure
from tasks.report.formats import title
from tasks.report.shapes import Series
from tasks.schema import Measurement


def figure(
    draw: charts.Draw, measurements: Sequence[Measurement], key: str, caption: str
) -> list[Block]:
    """A chart of measurements that say themselves what they are about."""
    if not measurements:
        return []
    return [Figure(Markup(draw(measurements, key=key)), caption)]  # noqa: S704


def figure_of(draw: charts.DrawSeries, series: Series, key: str, caption: str) -> list[Block]:
    """A chart of named series."""
    if not series:
        return []
    return [Figure(Markup(draw(series, key=key)), caption)]  # noqa: S704


def layer_figure(
    draw: charts.DrawSeries,
    measurements: Iterable[Measurement],
    key: str,
    caption: str,
    *,
    named: bool = False,
) -> list[Block]:
    """A chart over layers, one series per measure or per subset; none for fewer than 2 layers."""
    on_layers = [m for m in measurements if m.about.layer is not None]
    if len({m.about.layer for m in on_layers}) < 2:
        return []
    return figure_of(draw, series_of(on_layers, named=named), key, caption)


def series_of(measurements: Iterable[Measurement], *, named: bool = False) -> Series:
    """By measure, or by what the measurements are about besides layer and share."""
    found: dict[str, list[Measurement]] = {}
    for m in measurements:
        rest = m.about.model_copy(update={"layer": None, "share": None})
        found.setdefault(title(m.name) if named else rest.words() or "all texts", []).append(m)
    return found
