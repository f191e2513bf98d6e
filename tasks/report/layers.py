"""The sections that look inside: where a decision forms, what can be read, what is used."""

from collections.abc import Sequence

from tasks.explain.facts import SMALLEST_USE, above_zero
from tasks.report import charts
from tasks.report.blocks import Block, Sentence, Title, grid
from tasks.report.figures import layer_figure
from tasks.report.formats import about_words, joined, title
from tasks.report.view import anchor
from tasks.schema import Evidence, Measurement

PROBES = (
    "probe_accuracy", "control_accuracy", "probe_after_erasure", "nonlinear_probe_after_erasure",
)  # fmt: skip
ACCURACIES = ("accuracy_before", "accuracy_after_erasure")
GAPS = ("gap_before", "gap_after_erasure", "gap_after_random")


# --- localisation ---------------------------------------------------------------------------


def localisation(evidence: Evidence) -> list[Block]:
    """Where decisions form, and from where on an exchanged field moves them."""
    agreement = evidence.named("agreement_with_final")
    effect = evidence.named("swap_effect")
    key = anchor(evidence)
    return [
        *grid(
            evidence.named("formation_layer"),
            caption="Where the decision forms",
            corner="Texts",
            row=about_words,
            column=lambda m: title(m.name),
        ),
        *layer_figure(
            charts.agreement_by_layer, agreement, f"{key}-agreement",
            "Share of texts whose decision read at a layer is already the final one.",
        ),
        *_by_layer(agreement, "Agreement with the final decision, by layer"),
        *layer_figure(
            charts.swap_effect_by_layer, effect, f"{key}-swap",
            "How far exchanging the field moves the favourable probability read at a layer.",
        ),
        *_by_layer(effect, "Swap effect, by layer"),
    ]  # fmt: skip


def _by_layer(measurements: Sequence[Measurement], caption: str) -> list[Block]:
    return grid(
        measurements,
        caption=caption,
        corner="Layer",
        row=_layer,
        column=_beside_layer,
        folded=True,
    )


def _layer(m: Measurement) -> str:
    return "all" if m.about.layer is None else str(m.about.layer)


def _beside_layer(m: Measurement) -> str:
    return m.about.model_copy(update={"layer": None}).words() or "all texts"


# --- probing --------------------------------------------------------------------------------


def probing(evidence: Evidence) -> list[Block]:
    """What can be read about each attribute, and whether erasing it moves the decisions."""
    attributes = dict.fromkeys(m.about.attribute or "attribute" for m in evidence.measurements)
    found: list[Block] = []
    for attribute in attributes:
        about = [
            m for m in evidence.measurements if (m.about.attribute or "attribute") == attribute
        ]
        found += [Title(attribute), *_probing_of(attribute, about, anchor(evidence))]
    return found


def _probing_of(attribute: str, about: Sequence[Measurement], key: str) -> list[Block]:
    effect = [m for m in about if m.name == "erasure_effect"]
    return [
        Sentence(read_is_not_used(attribute, about)),
        *layer_figure(
            charts.probes_by_layer, [m for m in about if m.name in PROBES], f"{key}-probes",
            f"What can be read about {attribute}: the probe, the same on shuffled labels, and "
            "fresh probes after erasure.", named=True,
        ),
        *layer_figure(
            charts.gaps_by_layer, _spread([m for m in about if m.name in GAPS]), f"{key}-gaps",
            "The gap between groups: untouched, with the attribute erased, and with random "
            "subspaces of equal rank erased.", named=True,
        ),
        *layer_figure(
            charts.accuracy_by_layer, [m for m in about if m.name in ACCURACIES],
            f"{key}-accuracy",
            "Accuracy untouched, and with the attribute erased: whether what goes with the gap "
            "is the rule or the harm.", named=True,
        ),
        *layer_figure(
            charts.erasure_effect_by_layer, effect, f"{key}-effect",
            "What of the gap goes with the attribute beyond what goes with a random subspace; "
            "the intervals hold jointly over layers where the method says so.",
        ),
        *grid(
            about,
            caption=f"All numbers about {attribute}, by layer",
            corner="Layer",
            row=_layer,
            column=lambda m: title(m.name),
            folded=True,
        ),
    ]  # fmt: skip


def read_is_not_used(attribute: str, about: Sequence[Measurement]) -> str:
    """Where an attribute can be read, and where erasing it moves the decisions."""
    readable = [m for m in about if m.name == "selectivity" and above_zero(m)]
    effects = [m for m in about if m.name == "erasure_effect"]
    used = [m for m in effects if above_zero(m, SMALLEST_USE)]
    read = f"can be read at {_layers(readable)}" if readable else "is not clearly readable anywhere"
    if not effects:
        use = "what erasing it does to the decisions was not measured"
    elif used:
        use = f"erasing it clearly narrows the gap between groups at {_layers(used)}"
    else:
        use = "erasing it does not clearly narrow the gap between groups at any layer"
    return (
        f"That {attribute} can be read does not mean it is used. Here, {attribute} {read}; {use}."
    )


def _layers(measurements: Sequence[Measurement]) -> str:
    layers = sorted({m.about.layer for m in measurements if m.about.layer is not None})
    if not layers:
        return "the state the head reads"
    return f"layer{'s' if len(layers) > 1 else ''} {joined([str(x) for x in layers], 40)}"


def _spread(gaps: Sequence[Measurement]) -> list[Measurement]:
    """The gap before erasure has no layer; the chart draws it at each."""
    layers = sorted({m.about.layer for m in gaps if m.about.layer is not None})
    return [
        m.model_copy(update={"about": m.about.model_copy(update={"layer": layer})})
        for m in gaps
        for layer in (layers if m.about.layer is None else [m.about.layer])
    ]
