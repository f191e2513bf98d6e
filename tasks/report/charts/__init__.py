"""Charts of measurements as inline SVG, one function for each form.

* `lines`: values over layers, shares or doses, each series with the band of its intervals
* `dots`: values by group, method, field or word, each with its interval
* `heat_map`: values by two names
* `scatter`: two measurements of each thing that was tried

Every form is pure and gives the same bytes for the same measurements; where there is nothing to
draw it gives an empty string.
"""

from tasks.report.charts.axes import Axis
from tasks.report.charts.dots import Dot, dots
from tasks.report.charts.heat import Cell, Names, heat_map, layer_cells
from tasks.report.charts.lines import lines
from tasks.report.charts.scatter import Place, front_of, scatter
from tasks.report.charts.series import (
    Point,
    Series,
    alpha_axis,
    by_alpha,
    by_layer,
    by_share,
    layer_axis,
)

__all__ = [
    "Axis",
    "Cell",
    "Dot",
    "Names",
    "Place",
    "Point",
    "Series",
    "alpha_axis",
    "by_alpha",
    "by_layer",
    "by_share",
    "dots",
    "front_of",
    "heat_map",
    "layer_axis",
    "layer_cells",
    "lines",
    "scatter",
]
