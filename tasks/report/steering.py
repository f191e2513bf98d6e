"""The steering section: how decisions respond to the difference between two groups."""

from collections.abc import Sequence

from markupsafe import Markup

from tasks.checks import SteeringCheck
from tasks.explain.facts import above_zero
from tasks.report import charts, dose
from tasks.report.blocks import Block, Code, Figure, Sentence, Table, Title, grid
from tasks.report.figures import layer_figure
from tasks.report.formats import interval, joined, layer_words, title, value
from tasks.report.view import anchor
from tasks.schema import Evidence, Measurement

SLOPES = ("steering_slope", "steering_reach")
SAFE = ("safe_alpha_lowest", "safe_alpha_highest")
DOSES = ("steered_rate", "steered_gap", "steered_accuracy_change", "steered_perplexity_ratio")
COMPOSED = ("composed_response", "summed_response", "composition_excess")


def steering(evidence: Evidence, check: SteeringCheck) -> list[Block]:
    """Response by layer beside the control, dose and response, the safe range, composition."""
    effects = evidence.named("steering_effect")
    if not effects:
        return []
    key = anchor(evidence)
    layer = max(effects, key=lambda m: m.value).about.layer
    return [
        Sentence(moves_decisions(check.attribute, effects, evidence.named("steering_slope"))),
        *layer_figure(
            charts.erasure_effect_by_layer, effects, f"{key}-effect",
            "How much further a unit of the vector moves the log-odds of the favourable decision "
            "than random vectors of the same length reach; the intervals hold jointly over layers.",
        ),
        *grid([*effects, *_named(evidence, SLOPES)], caption="Slope of the response, by layer",
              corner="Layer", row=layer_words, column=lambda m: title(m.name)),
        Title(f"Dose and response at layer {layer}"),
        *_response(evidence, layer, key),
        *_safe(evidence, check),
        *_composition(evidence, check),
        *grid(_named(evidence, DOSES), caption="Response at every layer and alpha",
              corner="Layer and alpha", row=_layer_and_alpha, column=_column, folded=True),
        *files(evidence, SERVE_VECTOR.format(layer=layer)),
    ]  # fmt: skip


def moves_decisions(
    attribute: str, effects: Sequence[Measurement], slopes: Sequence[Measurement]
) -> str:
    """At which layers the vector moves decisions more than a random one does."""
    moving = [m for m in effects if above_zero(m)]
    if not moving:
        return (
            f"At no layer does the vector of {attribute} clearly move the decisions more than "
            "random vectors of the same length do."
        )
    layers = sorted({m.about.layer for m in moving if m.about.layer is not None})
    strongest = max(moving, key=lambda m: m.value)
    slope = next(m for m in slopes if m.about.layer == strongest.about.layer)
    return (
        f"At layer{'s' if len(layers) > 1 else ''} {joined([str(x) for x in layers], 40)} the "
        f"vector of {attribute} moves the decisions clearly more than random vectors of the same "
        "length do (whole interval above 0, q below .05). It moves them most at layer "
        f"{strongest.about.layer}: by {value(slope)} ({interval(slope)}) in log-odds per unit of "
        "alpha."
    )


def _response(evidence: Evidence, layer: int | None, key: str) -> list[Block]:
    """Rates by group, and gap beside accuracy, at one layer."""
    here = [m for m in evidence.measurements if m.about.layer == layer]
    safe = _range(here)
    shaded = " The shaded range is safe." if safe else ""
    rates: dict[str, list[Measurement]] = {}
    for m in here:
        if m.name == "steered_rate":
            rates.setdefault(m.about.group or "all texts", []).append(m)
    both = {
        title(name): [m for m in here if m.name == name]
        for name in ("steered_gap", "steered_accuracy_change", "steered_perplexity_ratio")
    }
    both = {name: some for name, some in both.items() if some}
    pictures = (
        (rates, "rates", "Selection rate", True, "Share of each group that receives the "
         f"favourable decision when the vector is added alpha times.{shaded}"),
        (both, "price", "Difference", False, "Gap between the groups, and change of the accuracy "
         f"against the untouched subject.{shaded}"),
    )  # fmt: skip
    return [
        Figure(
            Markup(  # noqa: S704
                dose.dose_response(
                    series, key=f"{key}-{name}", label=label, safe=safe, percent=percent
                )
            ),
            caption,
        )
        for series, name, label, percent, caption in pictures
    ]


def _range(here: Sequence[Measurement]) -> tuple[float, float] | None:
    ends = {m.name: m.value for m in here if m.name in SAFE}
    return (ends[SAFE[0]], ends[SAFE[1]]) if len(ends) == len(SAFE) else None


def _safe(evidence: Evidence, check: SteeringCheck) -> list[Block]:
    ends = _named(evidence, SAFE)
    if not ends:
        return []
    return [
        Title("What range is safe"),
        Sentence(
            f"The range around 0 in which {_loss(evidence)} by at most "
            f"{check.tolerance:g} with its whole interval, among the alphas that were tried. Few "
            "texts make it narrow: a range of 0 alone says that nothing further is known."
        ),
        *grid(ends, caption="Safe range of alpha, by layer", corner="Layer", row=layer_words,
              column=lambda m: title(m.name)),
    ]  # fmt: skip


def _loss(evidence: Evidence) -> str:
    if evidence.named("steered_perplexity_ratio"):
        return "the perplexity of the texts exceeds that of the untouched subject"
    return "the accuracy falls"


def _composition(evidence: Evidence, check: SteeringCheck) -> list[Block]:
    if check.compose is None:
        return []
    found = _named(evidence, COMPOSED)
    apart = [m for m in found if m.name == "composition_excess" and not _holds_zero(m)]
    told = (
        "At every layer the intervals of the excess hold 0: the vectors add up, as far as these "
        "texts show."
        if not apart
        else f"At layer {joined([layer_words(m) for m in apart], 40)} the excess is clearly not 0: "
        "there the two do not simply add up."
    )
    return [
        Title(f"{check.attribute} and {check.compose} at once"),
        Sentence(f"Both vectors are added once, and each alone. {told}"),
        *grid(found, caption="Response in log-odds to both vectors, and to each added up",
              corner="Layer", row=layer_words, column=lambda m: title(m.name)),
    ]  # fmt: skip


# --- parts ----------------------------------------------------------------------------------

SERVE_VECTOR = """from tasks.serving import load_lever
lever = load_lever("{{file}}", layer={layer}, alpha=-0.5)
with lever.applied(model):
    model(**inputs)"""


def files(evidence: Evidence, serve: str) -> list[Block]:
    """The exported files with their digests, and how to serve them.

    Args:
        evidence: what was exported.
        serve: code of a serving process; `{file}` stands for the file.
    """
    if not evidence.exports:
        return []
    return [
        Table(
            "Files beside this report",
            ("File", "What it holds", "sha256"),
            tuple((e.file, e.says, e.sha256) for e in evidence.exports),
        ),
        Code(serve.format(file=evidence.exports[0].file)),
    ]


def _named(evidence: Evidence, names: Sequence[str]) -> list[Measurement]:
    return [m for name in names for m in evidence.named(name)]


def _holds_zero(m: Measurement) -> bool:
    return m.low is None or m.high is None or m.low <= 0 <= m.high


def _layer_and_alpha(m: Measurement) -> str:
    return f"layer {layer_words(m)}, alpha {m.about.alpha or 0:g}"


def _column(m: Measurement) -> str:
    return f"{title(m.name)}, {m.about.group}" if m.about.group else title(m.name)
