"""Charts of measurements as inline SVG: value, interval, and nothing that the numbers lack.

Every function is pure and gives the same bytes for the same measurements.
"""

from collections.abc import Sequence
from typing import Protocol

import altair as alt

from tasks.definition.kinds import measure_named
from tasks.report import shapes
from tasks.report.shapes import Series
from tasks.schema import Measurement


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


def group_rates(rates: Sequence[Measurement], *, key: str) -> str:
    """Rates of every group, as dots with their intervals."""
    attribute = rates[0].about.attribute or "group"
    return shapes.dots(
        [(_or_all(m.about.group), _title(m.name), m) for m in rates],
        key=key,
        label=f"Rates by {attribute}",
        unit="Share of texts",
        domain=(0, 1),
        percent=True,
    )


def ratios_to_reference(ratios: Sequence[Measurement], *, key: str) -> str:
    """Ratio of every group's selection rate to that of the reference group."""
    return shapes.dots(
        [(_or_all(m.about.group), f"against {m.about.reference}", m) for m in ratios],
        key=key,
        label=_title("adverse_impact_ratio"),
        unit="Ratio of selection rates (1 = parity)",
    )


def field_shares(shares: Sequence[Measurement], *, key: str) -> str:
    """Part of the absolute attribution that falls on each field, by subset of texts."""
    return shapes.dots(
        [(_or_all(m.about.field), _or_all(m.about.subset), m) for m in shares],
        key=key,
        label=_title("field_share"),
        unit="Share of the absolute attribution",
        percent=True,
    )


def attribution_quality(gains: Sequence[Measurement], *, key: str) -> str:
    """What every method gains over what knows nothing."""
    return shapes.dots(
        [(_or_all(m.about.method), f"against {m.about.against}", m) for m in gains],
        key=key,
        label=_title("comprehensiveness_gain"),
        unit="Difference in probability (0 = no better than knowing nothing)",
        zero=True,
    )


def word_attributions(words: Sequence[Measurement], *, key: str) -> str:
    """What single words add to each decision, over the texts that hold them."""
    return shapes.dots(
        [(_or_all(m.about.word), _or_all(m.about.subset), m) for m in words],
        key=key,
        label=_title("word_attribution"),
        unit="Part of the attribution (below 0: against the decision)",
        zero=True,
    )


def agreement_by_layer(agreement: Series, *, key: str) -> str:
    """Share of texts whose decision read at a layer is the final one."""
    return shapes.layers(
        agreement, key=key, label=_title("agreement_with_final"), domain=(0, 1), percent=True
    )


def swap_effect_by_layer(effect: Series, *, key: str) -> str:
    """How far exchanging a field moves the favourable probability read at a layer."""
    return shapes.layers(effect, key=key, label=_title("swap_effect"), zero=True)


def divergence_by_layer(divergence: Series, *, key: str) -> str:
    """How far what a layer reads lies from the final distribution."""
    return shapes.layers(
        divergence, key=key, label="Divergence from the final one (nats)", zero=True
    )


def recovered_share_by_layer(shares: Series, *, key: str) -> str:
    """What of an exchange's effect single sites carry, by layer."""
    return shapes.layers(shares, key=key, label=_title("recovered_share"), zero=True)


def probes_by_layer(probes: Series, *, key: str) -> str:
    """Probe, control and probes after erasure, by layer."""
    return shapes.layers(probes, key=key, label="Balanced accuracy", percent=True)


def description_length_by_layer(codes: Series, *, key: str) -> str:
    """Bits per text of the online code, for the groups and for shuffled ones, by layer."""
    return shapes.layers(codes, key=key, label="Bits per text", zero=True)


def gaps_by_layer(gaps: Series, *, key: str) -> str:
    """The gap between groups before erasure, after it, and after a random one, by layer."""
    return shapes.layers(gaps, key=key, label="Gap between groups", zero=True)


def accuracy_by_layer(accuracy: Series, *, key: str) -> str:
    """Accuracy of the same texts before and after erasure, by layer of the erasure."""
    return shapes.layers(accuracy, key=key, label="Accuracy", percent=True)


def erasure_effect_by_layer(effect: Series, *, key: str) -> str:
    """How much of the gap goes with the attribute, by layer."""
    return shapes.layers(effect, key=key, label=_title("erasure_effect"), zero=True)


def steering_by_layer(slopes: Series, *, key: str) -> str:
    """How far a vector moves the decisions, and how far random ones reach, by layer."""
    return shapes.layers(slopes, key=key, label="Log-odds per unit of alpha", zero=True)


def truncation_curve(curve: Series, *, key: str) -> str:
    """Share of answers that stay the same, by share of the reasoning that is kept."""
    label = _title("answer_unchanged")
    return shapes.lines(*_by_share(curve), key=key, label=label, domain=(0, 1), percent=True)


def log_probability_curve(curve: Series, *, key: str) -> str:
    """Change in the log-probability of the own answer, by share of the reasoning that is kept."""
    label = f"{_title('log_probability_change')} (nats)"
    return shapes.lines(*_by_share(curve), key=key, label=label, zero=True)


def _by_share(curve: Series) -> tuple[list[dict[str, object]], alt.X]:
    rows = [
        shapes.row(m, series=name, at=m.about.share)
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


def _title(name: str) -> str:
    known = measure_named(name)
    return name.replace("_", " ").capitalize() if known is None else known.title


def _or_all(name: str | None) -> str:
    return name or "all texts"
