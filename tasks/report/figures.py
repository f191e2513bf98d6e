"""Charts as blocks of a section; none without data."""

from collections.abc import Iterable

from markupsafe import Markup

from tasks.report import charts
from tasks.report.blocks import Block, Figure
from tasks.report.formats import title
from tasks.schema import Measurement


def figure(svg: str, caption: str) -> list[Block]:
    """A chart with what it shows."""
    return [Figure(Markup(svg), caption)] if svg else []  # noqa: S704


def layer_figure(
    y: charts.Axis,
    measurements: Iterable[Measurement],
    key: str,
    caption: str,
    *,
    named: bool = False,
) -> list[Block]:
    """A chart over layers, one series per measure or per subset; none for fewer than 2 layers.

    Args:
        y: what was measured.
        measurements: what is drawn; those about no layer are left out.
        key: starts every id.
        caption: what the chart shows.
        named: whether series are measures, not what the measurements are about.
    """
    on_layers = [m for m in measurements if m.about.layer is not None]
    if len({m.about.layer for m in on_layers}) < 2:
        return []
    series = charts.by_layer(on_layers, measure_name if named else rest_name)
    return figure(charts.lines(series, charts.layer_axis(series), y, key=key), caption)


def measure_name(m: Measurement) -> str:
    """A series named after its measure."""
    return title(m.name)


def rest_name(m: Measurement) -> str:
    """A series named after what it is about besides layer and share."""
    rest = m.about.model_copy(update={"layer": None, "share": None})
    return rest.words() or "all texts"
