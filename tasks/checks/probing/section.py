"""The probing section: what can be read about an attribute, and whether it is used."""

from collections.abc import Sequence

from tasks.definition.checks.probing import ProbingCheck
from tasks.explain.facts import SMALLEST_USE, above_zero
from tasks.report.blocks import Block, Sentence, Title, grid
from tasks.report.charts import Axis
from tasks.report.figures import layer_figure
from tasks.report.formats import joined, layer_words, title
from tasks.report.places import anchor
from tasks.report.shown import Shown
from tasks.schema import Measurement

PROBES = (
    "probe_accuracy", "control_accuracy", "nonlinear_probe_accuracy", "probe_after_erasure",
    "nonlinear_probe_after_erasure",
)  # fmt: skip
CODES = ("mdl", "mdl_control")
ACCURACIES = ("accuracy_before", "accuracy_after_erasure")
GAPS = ("gap_before", "gap_after_erasure", "gap_after_random")
USED = (
    *GAPS, "gap_after_random_smallest", "gap_after_unrelated", "erasure_effect", "accuracy_change",
)  # fmt: skip


def section(shown: Shown[ProbingCheck]) -> list[Block]:
    """What can be read about each attribute, and whether erasing it moves the decisions."""
    evidence = shown.evidence
    attributes = dict.fromkeys(m.about.attribute or "attribute" for m in evidence.measurements)
    blocks: list[Block] = []
    for attribute in attributes:
        about = [
            m for m in evidence.measurements if (m.about.attribute or "attribute") == attribute
        ]
        blocks += [Title(attribute), *_probing_of(attribute, about, anchor(evidence))]
    return blocks


def _probing_of(attribute: str, everything: Sequence[Measurement], key: str) -> list[Block]:
    about = [m for m in everything if m.about.position is None]
    return [
        Sentence(read_is_not_used(attribute, about)),
        *_curves(attribute, about, key),
        *_tables(attribute, about),
        *_elsewhere(attribute, everything),
    ]


def _curves(attribute: str, about: Sequence[Measurement], key: str) -> list[Block]:
    """What is read and what erasure does, by layer."""
    return [
        *layer_figure(
            Axis("Balanced accuracy", percent=True),
            [m for m in about if m.name in PROBES], f"{key}-probes",
            f"What can be read about {attribute}: the probe, the same on shuffled labels, a small "
            "non-linear probe, and fresh probes after erasure.", named=True,
        ),
        *layer_figure(
            Axis("Bits per text", rule=0), [m for m in about if m.name in CODES],
            f"{key}-bits",
            f"Bits that it takes to code the group of a text from the layer: {attribute}, and the "
            "same groups shuffled.", named=True,
        ),
        *layer_figure(
            Axis("Gap between groups", rule=0),
            _spread([m for m in about if m.name in GAPS]), f"{key}-gaps",
            "The gap between groups: untouched, with the attribute erased, and with random "
            "subspaces of equal rank erased.", named=True,
        ),
        *layer_figure(
            Axis("Accuracy", percent=True), [m for m in about if m.name in ACCURACIES],
            f"{key}-accuracy",
            "Accuracy untouched, and with the attribute erased: where it falls, erasure takes away "
            "more than the gap.", named=True,
        ),
        *layer_figure(
            Axis(title("erasure_effect"), rule=0), [m for m in about if m.name == "erasure_effect"],
              f"{key}-effect",
            "How much more erasing the attribute narrows the gap than erasing a random subspace "
            "does; the intervals hold jointly over layers where the method says so.",
        ),
    ]  # fmt: skip


def _tables(attribute: str, about: Sequence[Measurement]) -> list[Block]:
    """Gaps and rates by layer, and folded all other numbers."""
    return [
        *grid(
            [m for m in about if m.name in USED],
            caption=f"Erasing {attribute}, a random subspace, and what is unrelated: the gap",
            corner="Layer",
            row=layer_words,
            column=_against,
        ),
        *grid(
            [m for m in about if m.name == "selection_change"],
            caption=f"What erasing {attribute} does to the selection rate of each group",
            corner="Layer",
            row=layer_words,
            column=lambda m: str(m.about.group),
        ),
        *grid(
            [m for m in about if m.name not in {*USED, "selection_change"}],
            caption=f"All other numbers about {attribute}, by layer",
            corner="Layer",
            row=layer_words,
            column=lambda m: title(m.name),
            folded=True,
        ),
    ]


def _elsewhere(attribute: str, everything: Sequence[Measurement]) -> list[Block]:
    """What is read at further positions."""
    positions = dict.fromkeys(m.about.position for m in everything)
    return [
        block
        for position in positions
        if position is not None
        for block in grid(
            [m for m in everything if m.about.position == position],
            caption=f"What can be read about {attribute} elsewhere ({position}), by layer",
            corner="Layer",
            row=layer_words,
            column=lambda m: title(m.name),
            folded=True,
        )
    ]


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
        use = "erasing it does not clearly narrow the gap between groups anywhere"
    return (
        f"That {attribute} can be read does not mean it is used. Here, {attribute} {read}; {use}."
    )


def _layers(measurements: Sequence[Measurement]) -> str:
    layers = sorted({m.about.layer for m in measurements if m.about.layer is not None})
    together = [m.about.site for m in measurements if m.about.layers]
    one = f"layer{'s' if len(layers) > 1 else ''} {joined([str(x) for x in layers], 40)}"
    return joined([*([one] if layers else []), *together], 40) or "the state the head reads"


def _against(m: Measurement) -> str:
    return title(m.name) + (
        f", {m.about.erased} erased instead" if m.about.erased is not None else ""
    )


def _spread(gaps: Sequence[Measurement]) -> list[Measurement]:
    """The gap before erasure has no layer; the chart draws it at each."""
    layers = sorted({m.about.layer for m in gaps if m.about.layer is not None})
    return [
        m.model_copy(update={"about": m.about.model_copy(update={"layer": layer})})
        for m in gaps
        if not m.about.layers
        for layer in (layers if m.about.layer is None else [m.about.layer])
    ]
