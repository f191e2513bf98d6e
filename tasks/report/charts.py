"""Charts of measurements as inline SVG: value, interval, and nothing that the numbers lack.

Every function is pure and gives the same bytes for the same measurements. Series differ by
colour, dash and mark, so that none is told by colour alone.
"""

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final, Protocol

import altair as alt
import vl_convert

from tasks.schema import Measurement
from tasks.vocabulary import MEASURES

FONT: Final = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif"
"""The page's own font stack, so that charts and text agree."""

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
REPEATED: Final = (
    f' font-family="{FONT}"', ' font-size="12px"', ' opacity="1"', ' pointer-events="none"',
)  # fmt: skip
"""Attributes of nearly every mark that the whole drawing says once, or that change nothing."""

INK, RULE = "#3b3f45", "#d9dbdf"
WIDTH: Final = 500
CELL: Final = 14
"""Side of a cell of a heat map."""

Series = Mapping[str, Sequence[Measurement]]
"""Name as the legend writes it -> measurements."""


class Draw(Protocol):
    """A chart of measurements that say themselves what they are about."""

    def __call__(self, measurements: Sequence[Measurement], /, *, key: str) -> str:
        """Draw them; `key` starts every id."""
        ...


class DrawSeries(Protocol):
    """A chart of named series."""

    def __call__(self, series: Series, /, *, key: str) -> str:
        """Draw them; `key` starts every id."""
        ...


_TITLES: Final = {name: m.title for check in MEASURES.values() for name, m in check.items()}


# --- one function per chart -----------------------------------------------------------------


def group_rates(rates: Sequence[Measurement], *, key: str) -> str:
    """Rates of every group, as dots with their intervals."""
    attribute = rates[0].about.attribute or "group"
    return _dots(
        [(_or_all(m.about.group), _title(m.name), m) for m in rates],
        key=key,
        label=f"Rates by {attribute}",
        unit="Share of texts",
        domain=(0, 1),
        percent=True,
    )


def ratios_to_reference(ratios: Sequence[Measurement], *, key: str) -> str:
    """Ratio of every group's selection rate to that of the reference group."""
    return _dots(
        [(_or_all(m.about.group), f"against {m.about.reference}", m) for m in ratios],
        key=key,
        label=_title("adverse_impact_ratio"),
        unit="Ratio of selection rates (1 = parity)",
    )


def field_shares(shares: Sequence[Measurement], *, key: str) -> str:
    """Part of the absolute attribution that falls on each field, by subset of texts."""
    return _dots(
        [(_or_all(m.about.field), _or_all(m.about.subset), m) for m in shares],
        key=key,
        label=_title("field_share"),
        unit="Share of the absolute attribution",
        percent=True,
    )


def attribution_quality(gains: Sequence[Measurement], *, key: str) -> str:
    """What every method gains over what knows nothing."""
    return _dots(
        [(_or_all(m.about.method), f"against {m.about.against}", m) for m in gains],
        key=key,
        label=_title("comprehensiveness_gain"),
        unit="Difference in probability (0 = no better than knowing nothing)",
        zero=True,
    )


def word_attributions(words: Sequence[Measurement], *, key: str) -> str:
    """What single words add to each decision, over the texts that hold them."""
    return _dots(
        [(_or_all(m.about.word), _or_all(m.about.subset), m) for m in words],
        key=key,
        label=_title("word_attribution"),
        unit="Part of the attribution (below 0: against the decision)",
        zero=True,
    )


def agreement_by_layer(agreement: Series, *, key: str) -> str:
    """Share of texts whose decision read at a layer is the final one."""
    return _layers(
        agreement, key=key, label=_title("agreement_with_final"), domain=(0, 1), percent=True
    )


def swap_effect_by_layer(effect: Series, *, key: str) -> str:
    """How far exchanging a field moves the favourable probability read at a layer."""
    return _layers(effect, key=key, label=_title("swap_effect"), zero=True)


def divergence_by_layer(divergence: Series, *, key: str) -> str:
    """How far what a layer reads lies from the final distribution."""
    return _layers(divergence, key=key, label="Divergence from the final one (nats)", zero=True)


def recovered_share_by_layer(shares: Series, *, key: str) -> str:
    """What of an exchange's effect single sites carry, by layer."""
    return _layers(shares, key=key, label=_title("recovered_share"), zero=True)


def probes_by_layer(probes: Series, *, key: str) -> str:
    """Probe, control and probes after erasure, by layer."""
    return _layers(probes, key=key, label="Balanced accuracy", percent=True)


def description_length_by_layer(codes: Series, *, key: str) -> str:
    """Bits per text of the online code, for the groups and for shuffled ones, by layer."""
    return _layers(codes, key=key, label="Bits per text", zero=True)


def gaps_by_layer(gaps: Series, *, key: str) -> str:
    """The gap between groups before erasure, after it, and after a random one, by layer."""
    return _layers(gaps, key=key, label="Gap between groups", zero=True)


def accuracy_by_layer(accuracy: Series, *, key: str) -> str:
    """Accuracy of the same texts before and after erasure, by layer of the erasure."""
    return _layers(accuracy, key=key, label="Accuracy", percent=True)


def erasure_effect_by_layer(effect: Series, *, key: str) -> str:
    """How much of the gap goes with the attribute, by layer."""
    return _layers(effect, key=key, label=_title("erasure_effect"), zero=True)


def steering_by_layer(slopes: Series, *, key: str) -> str:
    """How far a vector moves the decisions, and how far random ones reach, by layer."""
    return _layers(slopes, key=key, label="Log-odds per unit of alpha", zero=True)


def truncation_curve(curve: Series, *, key: str) -> str:
    """Share of answers that stay the same, by share of the reasoning that is kept."""
    label = _title("answer_unchanged")
    return _lines(*_by_share(curve), key=key, label=label, domain=(0, 1), percent=True)


def log_probability_curve(curve: Series, *, key: str) -> str:
    """Change in the log-probability of the own answer, by share of the reasoning that is kept."""
    label = f"{_title('log_probability_change')} (nats)"
    return _lines(*_by_share(curve), key=key, label=label, zero=True)


def _by_share(curve: Series) -> tuple[list[dict[str, object]], alt.X]:
    rows = [
        _row(m, series=name, at=m.about.share)
        for name, some in curve.items()
        for m in some
        if m.about.share is not None
    ]
    at = alt.X(
        "at:Q",
        title="Share of the reasoning kept",
        scale=alt.Scale(domain=(0, 1)),
        axis=alt.Axis(format="%"),
    )
    return rows, at


# --- the two shapes -------------------------------------------------------------------------


def _layers(
    series: Series,
    *,
    key: str,
    label: str,
    domain: tuple[float, float] | None = None,
    zero: bool = False,
    percent: bool = False,
) -> str:
    rows = [
        _row(m, series=name, at=m.about.layer)
        for name, some in series.items()
        for m in some
        if m.about.layer is not None
    ]
    last = max(int(str(row["at"])) for row in rows)
    ticks = list(range(0, last + 1, max(1, last // 12)))
    axis = alt.Axis(values=ticks, format="d", grid=False)
    at = alt.X("at:Q", title="Layer (0 = embedding)", axis=axis, scale=alt.Scale(nice=False))
    return _lines(rows, at, key=key, label=label, domain=domain, zero=zero, percent=percent)


def _lines(
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


def _dots(
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
    rows = [_row(m, place=place, series=series) for place, series, m in points]
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


# --- parts ----------------------------------------------------------------------------------


def _row(m: Measurement, **where: object) -> dict[str, object]:
    return {"value": m.value, "low": m.low, "high": m.high, **where}


def _title(name: str) -> str:
    return _TITLES.get(name, name.replace("_", " ").capitalize())


def _or_all(name: str | None) -> str:
    return name or "all texts"


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


def drawn(
    chart: alt.LayerChart,
    *,
    key: str,
    label: str,
    width: int,
    height: int,
    told: str = "",
    numbers: str = "the table",
) -> str:
    """A chart as SVG that can stand in a page beside others.

    Args:
        chart: the chart, not yet sized.
        key: starts every id.
        label: what it shows, for those who hear it.
        width: of the plot, in pixels.
        height: of the plot, in pixels.
        told: what else is told about it, after the label.
        numbers: where its numbers stand.
    """
    spec = _configured(chart.properties(width=width, height=height)).to_dict()
    svg: str = vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])
    body = svg[svg.index(">") + 1 :]
    size = re.search(r'viewBox="0 0 (\d+(?:\.\d+)?) (\d+(?:\.\d+)?)"', svg)
    if size is None:
        raise ValueError("vl-convert gave an SVG without a viewBox")
    wide, high = size.groups()
    return (
        f'<svg class="chart" role="img" aria-labelledby="{key}-title {key}-desc" '
        f'viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" '
        f'font-family="{FONT}" font-size="12px">'
        f'<title id="{key}-title">{escape(label)}</title>'
        f'<desc id="{key}-desc">{escape(f"{label}{told}; the numbers stand in the table.")}'
        f"</desc>{_namespaced(body, key)}"
    )


def _configured(chart: alt.LayerChart) -> alt.LayerChart:
    words = {"labelFont": FONT, "titleFont": FONT, "labelColor": INK, "titleColor": INK}
    configured: alt.LayerChart = (
        chart.configure(aria=False, background="transparent", font=FONT, padding=4)
        .configure_view(stroke=None)
        .configure_axis(
            **words,
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
            gridColor=RULE,
            domainColor=INK,
            tickColor=INK,
            labelLimit=170,
            labelFlush=False,
            titleLimit=420,
        )
        .configure_legend(
            **words,
            labelFontSize=12,
            orient="top",
            direction="horizontal",
            labelLimit=230,
            symbolSize=60,
            symbolOpacity=1,
            symbolStrokeWidth=0,
            offset=6,
        )
    )
    return configured


def _namespaced(svg: str, key: str) -> str:
    """Ids that collide with no other chart's, and attributes said once; text stays as it is.

    Ids are numbered anew: the engine counts some of them over all charts of a process.
    """
    tags = re.compile(r"<[a-z][^>]*>")
    found = dict.fromkeys(re.findall(r'\sid="([^"]*)"', " ".join(tags.findall(svg))))
    ids = {old: f"{key}-{old.rstrip('0123456789')}{i}" for i, old in enumerate(found)}

    def within_tag(tag: re.Match[str]) -> str:
        short = tag.group()
        for said in REPEATED:
            short = short.replace(said, "")
        return re.sub(
            r"""(\sid="|url\(["']?#|href="#)([^"')]*)""",
            lambda at: at[1] + ids.get(at[2], f"{key}-{at[2]}"),
            short,
        )

    return tags.sub(within_tag, svg)
