"""Series of measurements: over the layers of a subject, shares of a text, doses of a vector."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from tasks.report.charts.axes import Axis
from tasks.schema import Measurement

LABELS: Final = 12
"""Most layers that an axis labels, about."""


class Point(NamedTuple):
    """A measurement and its place in the series."""

    at: float
    measured: Measurement


Series: TypeAlias = Mapping[str, Sequence[Point]]
"""Name as the legend writes it -> points."""

Name: TypeAlias = Callable[[Measurement], str]


def by_layer(measurements: Iterable[Measurement], name: Name) -> Series:
    """By layer; measurements about no single layer are left out."""
    return _series(measurements, name, lambda m: m.about.layer)


def by_share(measurements: Iterable[Measurement], name: Name) -> Series:
    """By the share that is kept."""
    return _series(measurements, name, lambda m: m.about.share)


def by_alpha(measurements: Iterable[Measurement], name: Name) -> Series:
    """By how often a vector was added."""
    return _series(measurements, name, lambda m: m.about.alpha)


def _series(
    measurements: Iterable[Measurement], name: Name, place: Callable[[Measurement], float | None]
) -> Series:
    series: dict[str, list[Point]] = {}
    for m in measurements:
        at = place(m)
        if at is not None:
            series.setdefault(name(m), []).append(Point(at, m))
    return series


def places(series: Series) -> list[float]:
    """Places of the points, in order."""
    return sorted({point.at for points in series.values() for point in points})


def layer_axis(series: Series) -> Axis:
    """The layers from the embedding on, about a dozen of them by name."""
    last = int(max(places(series), default=0))
    return Axis("Layer (0 = embedding)", ticks=tuple(range(0, last + 1, max(1, last // LABELS))))


def alpha_axis(series: Series) -> Axis:
    """The doses that were tried, with a rule at none."""
    title = "alpha (1 = the whole difference between the means)"
    return Axis(title, rule=0, ticks=tuple(places(series)))
