"""The steering section: how decisions respond to the difference between two groups."""

from collections.abc import Sequence

from tasks.checks.interventions.export_blocks import exported_files
from tasks.definition.checks.steering import SteeringCheck
from tasks.definition.digits import count, given
from tasks.explain.facts import SMALLEST_USE, above_zero
from tasks.report import charts
from tasks.report.blocks import Block, Sentence, Table, Title, grid
from tasks.report.charts import Axis, Series
from tasks.report.figures import figure, layer_figure, measure_name
from tasks.report.formats import joined, layer_words, title
from tasks.report.places import anchor
from tasks.report.shown import Shown
from tasks.schema import Evidence, Measurement
from tasks.schema.notation import Notation

SLOPES = ("steering_slope", "steering_reach")
SAFE = ("safe_alpha_lowest", "safe_alpha_highest")
PRICE = ("steered_gap", "steered_accuracy_change", "steered_perplexity_ratio")
DOSES = ("steered_rate", *PRICE)
COMPOSED = ("composed_response", "summed_response", "composition_excess")


def section(shown: Shown[SteeringCheck]) -> list[Block]:
    """Response by layer beside the control, dose and response, the safe range, composition."""
    evidence, check, notation = shown.evidence, shown.check, shown.notation
    effects = evidence.named("steering_effect")
    if not effects:
        return []
    key = anchor(evidence)
    slopes = evidence.named("steering_slope")
    layer = _shown_layer(effects, slopes)
    return [
        Sentence(moves_decisions(check.attribute, effects, slopes, notation)),
        *layer_figure(
            Axis("Log-odds per unit of alpha", rule=0), _named(evidence, SLOPES), f"{key}-slopes",
            "How far a unit of the vector moves the log-odds of the favourable decision, and how "
            "far one between shuffled groups reaches, jointly over layers.", named=True,
        ),
        *grid([*effects, *_named(evidence, SLOPES)], caption="Slope of the response, by layer",
              corner="Layer", row=layer_words, column=lambda m: title(m.name)),
        Title(f"Dose and response at layer {layer}"),
        *_response(evidence, layer, key),
        *_safe(evidence, check, notation),
        *_composition(evidence, check, notation),
        *grid(_named(evidence, DOSES), caption="Response at every layer and alpha",
              corner="Layer and alpha", row=_layer_and_alpha, column=_column, folded=True),
        *exported_files(evidence, SERVE_VECTOR.format(layer=layer)),
    ]  # fmt: skip


def _shown_layer(effects: Sequence[Measurement], slopes: Sequence[Measurement]) -> int | None:
    """The layer whose response is shown: the largest effect, or failing one the largest slope."""
    moving = [m for m in effects if above_zero(m, SMALLEST_USE)]
    return max(moving or slopes, key=lambda m: abs(m.value)).about.layer


def moves_decisions(
    attribute: str,
    effects: Sequence[Measurement],
    slopes: Sequence[Measurement],
    notation: Notation,
) -> str:
    """At which layers the vector moves decisions more than a random one does."""
    moving = [m for m in effects if above_zero(m, SMALLEST_USE)]
    if not moving:
        return (
            f"At no layer does the vector of {attribute} clearly move the decisions more than one "
            "between shuffled groups can be expected to. What tells the groups apart on "
            "average is not shown to be what the decisions follow."
        )
    layers = sorted({m.about.layer for m in moving if m.about.layer is not None})
    strongest = max(moving, key=lambda m: m.value)
    slope = next(m for m in slopes if m.about.layer == strongest.about.layer)
    at, by = strongest.about.layer, f"{notation.estimate(slope)}"
    return (
        f"At layer{'s' if len(layers) > 1 else ''} {joined([str(x) for x in layers], 40)} the "
        f"vector of {attribute} moves the decisions clearly more than one between shuffled "
        "groups can be expected to (whole interval clearly above 0, q below .05), most of all "
        f"at layer {at}: by {by} in log-odds per unit of alpha. Late layers hold the "
        "decision itself: there a vector between groups that are decided differently moves it "
        "whatever the cause."
    )


def _response(evidence: Evidence, layer: int | None, key: str) -> list[Block]:
    """Rates by group, and gap beside accuracy, at one layer."""
    here = [m for m in evidence.measurements if m.about.layer == layer]
    safe = _range(here)
    shaded = " The shaded range is safe." if safe else ""
    rates = charts.by_alpha(
        (m for m in here if m.name == "steered_rate"), lambda m: m.about.group or "all texts"
    )
    price = charts.by_alpha((m for name in PRICE for m in here if m.name == name), measure_name)
    share = Axis("Selection rate", percent=True, domain=(0, 1))
    return [
        *figure(
            _by_alpha(rates, share, safe, f"{key}-rates"),
            "Share of each group that receives the favourable decision when the vector is added "
            f"alpha times.{shaded}",
        ),
        *figure(
            _by_alpha(price, Axis("Difference", rule=0), safe, f"{key}-price"),
            "Gap between the groups, and change of the accuracy against the untouched "
            f"subject.{shaded}",
        ),
    ]


def _by_alpha(series: Series, y: Axis, safe: tuple[float, float] | None, key: str) -> str:
    x, label = charts.alpha_axis(series), f"{y.title} by alpha"
    return charts.lines(series, x, y, key=key, label=label, shaded=safe)


def _range(here: Sequence[Measurement]) -> tuple[float, float] | None:
    ends = {m.name: m.value for m in here if m.name in SAFE}
    return (ends[SAFE[0]], ends[SAFE[1]]) if len(ends) == len(SAFE) else None


def _safe(evidence: Evidence, check: SteeringCheck, notation: Notation) -> list[Block]:
    ends = _named(evidence, SAFE)
    if not ends:
        return []
    return [
        Title("What range is safe"),
        Sentence(
            f"The range around 0 in which {_loss(evidence)} by at most "
            f"{given(check.tolerance)} with its whole interval, among the alphas that were tried. "
            "Few texts make it narrow: a range of 0 alone says that nothing further is known."
        ),
        Table(
            "Safe range of alpha, by layer",
            ("Layer", "From", "To", "Texts"),
            tuple(
                (layer_words(low), notation.value(low), notation.value(high), count(low.n))
                for low, high in zip(*(evidence.named(name) for name in SAFE), strict=True)
            ),
        ),
    ]  # fmt: skip


def _loss(evidence: Evidence) -> str:
    if evidence.named("steered_perplexity_ratio"):
        return "the perplexity of the texts exceeds that of the untouched subject"
    return "the accuracy falls"


def _composition(evidence: Evidence, check: SteeringCheck, notation: Notation) -> list[Block]:
    if check.compose is None:
        return []
    composed = _named(evidence, COMPOSED)
    excess = [m for m in composed if m.name == "composition_excess"]
    widest = max(excess, key=lambda m: abs(m.value))
    beside = next(
        m for m in composed
        if m.name == "composed_response" and m.about.layer == widest.about.layer
    )  # fmt: skip
    apart = (
        "What both do at once differs from the sum of what each does alone by at most "
        f"{notation.estimate(widest)}, at layer {layer_words(widest)}, beside a response "
        f"of {notation.value(beside)} in log-odds."
    )
    return [
        Title(f"{check.attribute} and {check.compose} at once"),
        Sentence(f"Both vectors are added once, and each alone. {apart}"),
        *grid(composed, caption="Response in log-odds to both vectors, and to each added up",
              corner="Layer", row=layer_words, column=lambda m: title(m.name)),
    ]  # fmt: skip


# --- parts ----------------------------------------------------------------------------------

SERVE_VECTOR = """from tasks.subjects.local.serving import load_lever
lever = load_lever("{{file}}", layer={layer}, alpha=alpha)  # within the safe range
with lever.applied(model):
    model(**inputs)"""


def _named(evidence: Evidence, names: Sequence[str]) -> list[Measurement]:
    return [m for name in names for m in evidence.named(name)]


def _layer_and_alpha(m: Measurement) -> str:
    return f"layer {layer_words(m)}, alpha {given(m.about.alpha or 0)}"


def _column(m: Measurement) -> str:
    return f"{title(m.name)}, {m.about.group}" if m.about.group else title(m.name)
