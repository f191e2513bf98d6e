"""The localisation section: where decisions form, and which activation carries an exchange."""

from collections.abc import Callable, Iterable, Sequence

from tasks.definition.checks.localisation import LocalisationCheck
from tasks.report import charts
from tasks.report.blocks import Block, Sentence, Title, grid
from tasks.report.charts import Axis, Series
from tasks.report.figures import figure, layer_figure
from tasks.report.formats import about_words, joined, layer_words, title
from tasks.report.places import anchor
from tasks.report.shown import Shown
from tasks.schema import Evidence, Measurement
from tasks.schema.notation import Notation

CLEAR = 0.05
"""Largest q at which a delay is stated as clear."""

FORMATION = ("formation_layer", "formation_delay")
LENSES = ("lens_kl", "tuned_lens_kl")
SWAPS = ("swap_effect", "swap_effect_control", "swap_excess")
RECOVERED = ("recovered_share", "recovered_share_control")
ARRIVAL = ("lens_layer", "patching_layer")


def section(shown: Shown[LocalisationCheck]) -> list[Block]:
    """Where decisions form, at which layers an exchanged field moves them, and what carries it."""
    evidence = shown.evidence
    return [
        *_formation(evidence, shown.notation),
        *_lens(evidence),
        *_swap(evidence),
        *_patching(evidence, shown.notation),
    ]


# --- where decisions form -------------------------------------------------------------------


def _formation(evidence: Evidence, notation: Notation) -> list[Block]:
    delays, formed = evidence.named("formation_delay"), evidence.named("formed_at")
    key = anchor(evidence)
    return [
        Title("Where the decision forms"),
        Sentence(
            "Every layer is read as if it were the last one. That a decision can be read at a "
            "layer does not show that the subject decides there."
        ),
        *([Sentence(who_forms_later(delays))] if delays else []),
        *grid(_named(evidence, FORMATION), caption="Where the decision forms, by set of texts",
              corner="Texts", row=about_words, column=lambda m: title(m.name)),
        *figure(
            _map(formed, about_subset, notation, f"{key}-formed",
                 "Share of the decisions that form at the layer", (0.0, 1.0)),
            "At which layer the decisions of each set of texts form.",
        ),
        *grid(formed, caption="Decisions formed at each layer, by set of texts", corner="Layer",
              row=layer_words, column=about_subset, folded=True),
    ]  # fmt: skip


def who_forms_later(delays: Sequence[Measurement]) -> str:
    """Which sets of texts are decided later or earlier than those that are handled well."""
    clear = [m for m in delays if m.q is not None and m.q <= CLEAR]
    later = [about_subset(m) for m in clear if m.value > 0]
    earlier = [about_subset(m) for m in clear if m.value < 0]
    against = "the other texts that are decided as labelled"
    if not clear:
        return (
            f"In no set of texts does the decision form clearly later or earlier than in {against} "
            f"(every q above {CLEAR}); that is no proof that all are decided alike."
        )
    parts = [
        f"{way} than in {against}: {'; '.join(subsets)}"
        for way, subsets in (("later", later), ("earlier", earlier))
        if subsets
    ]
    return (
        f"The decision forms clearly (q at most {CLEAR}) {', and '.join(parts)}. A delay says that "
        "these texts are read differently, not why, and not that the decision is wrong."
    )


def _lens(evidence: Evidence) -> list[Block]:
    agreement = evidence.named("agreement_with_final")
    divergence = _named(evidence, LENSES)
    key = anchor(evidence)
    tuned = [
        Sentence(
            "A plain lens reads a layer with the subject's own head, a tuned one through an "
            "affine map fitted on other texts. What only the tuned lens reads is there, but not "
            "yet in the form that the head uses."
        )
    ]
    return [
        *layer_figure(
            Axis(title("agreement_with_final"), percent=True, domain=(0, 1)),
            agreement, f"{key}-agreement",
            "Share of texts whose decision read at a layer is already the final one.",
        ),
        *_layers_of(agreement, "Agreement with the final decision, by layer"),
        *(tuned if evidence.named("tuned_lens_kl") else []),
        *layer_figure(
            Axis("Divergence from the final one (nats)", rule=0), divergence, f"{key}-lens",
            "How far what is read at a layer lies from the final distribution, on texts that the "
            "tuned lens was not fitted on; 0 is the same.", named=True,
        ),
        *_layers_of(divergence, "Divergence of plain and tuned lens, by layer"),
    ]  # fmt: skip


# --- what an exchange moves -----------------------------------------------------------------


def _swap(evidence: Evidence) -> list[Block]:
    effect, control, excess = (evidence.named(name) for name in SWAPS)
    if not effect:
        return []
    field = _field(evidence)
    return [
        Title(f"What exchanging {field} moves"),
        Sentence(moved_beyond_control(field, excess)),
        *layer_figure(
            Axis(title("swap_effect"), rule=0), [*effect, *control], f"{anchor(evidence)}-swap",
            f"How far exchanging {field} moves the favourable probability read at a layer: for a "
            "value of another group, and for another value of the same group.", named=True,
        ),
        *_layers_of([*effect, *control, *excess], "Swap effect across and within groups, by layer"),
    ]  # fmt: skip


def moved_beyond_control(field: str, excess: Sequence[Measurement]) -> str:
    """At which layers the exchange moves more than another value of the same group does."""
    if not excess:
        return (
            f"No text has another value of {field} within its group, so how much of this any "
            "exchange would move is not known."
        )
    beyond = [m for m in excess if m.low is not None and m.low > 0]
    than = "than another value of the same group does"
    if not beyond:
        return (
            f"At no layer does a value of another group clearly move the reading more {than}: "
            "what moves it may be the field itself, whatever the group."
        )
    return (
        f"At {_layers(beyond)} a value of another group moves the reading clearly more {than} "
        "(the interval of the difference lies above 0). This is what can be read there; what "
        "carries it is measured by patching."
    )


def _above(m: Measurement, other: Measurement | None) -> bool:
    if other is None or m.low is None or other.high is None:
        return False
    return m.low > other.high


# --- what carries it ------------------------------------------------------------------------


def _patching(evidence: Evidence, notation: Notation) -> list[Block]:
    shares, control = (evidence.named(name) for name in RECOVERED)
    if not shares:
        return []
    key, carried = anchor(evidence), _residual([*shares, *control])
    return [
        Title(f"What carries the effect of {_field(evidence)}"),
        Sentence(
            f"In {shares[0].n} pairs whose decision the exchange flips, one site at a time takes "
            "its activation from the exchanged text. 1 says that the site alone carries the whole "
            "change in log-odds. Sites carry the same change one after the other, so their shares "
            "do not add up; and a site at 0 may still take part where another can stand in for it."
        ),
        *_beside_control(control, notation),
        *figure(
            charts.lines(
                carried, charts.layer_axis(carried), Axis(title("recovered_share"), rule=0),
                key=f"{key}-recovered",
            ),
            "Recovered share at the field and where the head reads, and the same with another "
            "value of the same group that keeps the decision (control).",
        ),
        *figure(
            _map([*shares, *control], site, notation, f"{key}-sites",
                 "Recovered share of the effect", (-1.0, 1.0)),
            "Recovered share of every site. Residual is the state between blocks, attention and "
            "MLP what a block adds to it; before, after: the words around the field.",
        ),
        *grid([*shares, *control], caption="Recovered share of every site, with intervals",
              corner="Layer", row=layer_words, column=site, folded=True),
        *_arrival(evidence),
    ]  # fmt: skip


def _beside_control(control: Sequence[Measurement], notation: Notation) -> list[Block]:
    if not control:
        return [Sentence("There is no control to hold this against.", "caution")]
    largest = max(control, key=lambda m: abs(m.value))
    return [
        Sentence(
            "The control, another value of the same group that keeps the decision, recovers at "
            f"most {notation.estimate(largest)}: so much is disturbance, not the effect."
        )
    ]


def _residual(shares: Iterable[Measurement]) -> Series:
    """The residual stream at the field and at the head, each with its control."""
    apart = ("before", "after", "everything", None)
    return charts.by_layer(
        (m for m in shares if m.about.part == "residual" and m.about.position not in apart),
        lambda m: f"{m.about.position}{_control(m)}",
    )


def _arrival(evidence: Evidence) -> list[Block]:
    """The layer by lens and by patching, and whether they name the same one."""
    both = _named(evidence, ARRIVAL)
    return [
        *([Sentence(agreement_of(*both))] if len(both) == len(ARRIVAL) else []),
        *grid(both, caption="Layer at which half of the effect has reached the head",
              corner="Texts", row=about_words, column=lambda m: title(m.name)),
    ]  # fmt: skip


def agreement_of(lens: Measurement, patching: Measurement) -> str:
    """Whether lens and patching place the effect at the same layer, and what that shows."""
    if _above(lens, patching) or _above(patching, lens):
        order = "before" if lens.value < patching.value else "only after"
        return (
            f"The effect can be read {order} the position that the head reads carries it alone. "
            "Patching intervenes, the lens only reads; where they differ, patching is the one to "
            "believe about cause."
        )
    return (
        "The effect can be read at the layer from which on it is carried, within the intervals. "
        "Neither lens nor patching shows that no other path would carry it if this one were closed."
    )


def _map(
    measurements: Iterable[Measurement],
    row: Callable[[Measurement], str],
    notation: Notation,
    key: str,
    label: str,
    domain: tuple[float, float],
) -> str:
    """Measurements by layer, in rows."""
    cells, rows, columns = charts.layer_cells(
        (row(m), m.about.layer, m.value, notation.value(m))
        for m in measurements
        if m.about.layer is not None
    )
    return charts.heat_map(cells, rows, columns, key=key, label=label, domain=domain)


def site(m: Measurement) -> str:
    """Positions and part of the subject that were patched, beside the layer."""
    return f"{m.about.part or 'residual'}, {m.about.position or 'everything'}{_control(m)}"


def about_subset(m: Measurement) -> str:
    """The texts that a measurement is about."""
    return "all texts" if m.about.subset is None else m.about.subset.words()


def _control(m: Measurement) -> str:
    return ", control" if m.name == "recovered_share_control" else ""


# --- parts ----------------------------------------------------------------------------------


def _named(evidence: Evidence, names: Sequence[str]) -> list[Measurement]:
    return [m for name in names for m in evidence.named(name)]


def _field(evidence: Evidence) -> str:
    check = evidence.check
    swap = check.swap if isinstance(check, LocalisationCheck) else None
    return "a field" if swap is None else swap.column


def _layers_of(measurements: Sequence[Measurement], caption: str) -> list[Block]:
    return grid(
        measurements,
        caption=caption,
        corner="Layer",
        row=layer_words,
        column=_beside_layer,
        folded=True,
    )


def _beside_layer(m: Measurement) -> str:
    rest = m.about.model_copy(update={"layer": None, "field": None}).words()
    return f"{title(m.name)}, {rest}" if rest else title(m.name)


def _layers(measurements: Sequence[Measurement]) -> str:
    layers = [layer_words(m) for m in measurements]
    return f"layer{'s' if len(layers) > 1 else ''} {joined(layers, 40)}"
