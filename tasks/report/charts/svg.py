"""From altair to SVG that can share a page with others: sets ids and titles."""

import re
from html import escape
from typing import Final

import altair as alt
import vl_convert

FONT: Final = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif"
"""The page's own font stack, so that charts and text agree."""

REPEATED: Final = (
    f' font-family="{FONT}"', ' font-size="12px"', ' opacity="1"', ' pointer-events="none"',
)  # fmt: skip
"""Attributes of nearly every mark that the drawing states once, or that have no effect."""

INK, RULE = "#3b3f45", "#d9dbdf"


def to_svg(
    chart: alt.LayerChart,
    *,
    key: str,
    label: str,
    width: int,
    height: int,
    details: str = "",
    numbers: str = "the table",
) -> str:
    """A chart as SVG with a label for screen readers; the same bytes for the same chart.

    Args:
        chart: the chart, not yet sized.
        key: starts every id.
        label: what it shows, for screen readers.
        width: of the plot, in pixels.
        height: of the plot, in pixels.
        details: what else it shows, after the label.
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
        f'<desc id="{key}-desc">{escape(f"{label}{details}; the numbers stand in {numbers}.")}'
        f"</desc>{namespaced(body, key)}"
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


def namespaced(svg: str, key: str) -> str:
    """Make ids unique on the page, and state attributes once; text is not changed.

    Ids are renumbered: the engine counts some of them over all charts of a process.
    """
    tags = re.compile(r"<[a-z][^>]*>")
    old_ids = dict.fromkeys(re.findall(r'\sid="([^"]*)"', " ".join(tags.findall(svg))))
    ids = {old: f"{key}-{old.rstrip('0123456789')}{i}" for i, old in enumerate(old_ids)}

    def within_tag(tag: re.Match[str]) -> str:
        short = tag.group()
        for attribute in REPEATED:
            short = short.replace(attribute, "")
        return re.sub(
            r"""(\sid="|url\(["']?#|href="#)([^"')]*)""",
            lambda at: at[1] + ids.get(at[2], f"{key}-{at[2]}"),
            short,
        )

    return tags.sub(within_tag, svg)
