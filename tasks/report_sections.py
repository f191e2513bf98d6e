"""The sections of the report: for each kind of check, its tables, charts and sentences."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import assert_never

from markupsafe import Markup

from tasks import charts
from tasks.facts import SMALLEST_USE, above_zero, earned
from tasks.report_blocks import Block, Chains, Figure, Pairs, Sentence, Title, grid
from tasks.report_format import about_words, joined, title
from tasks.report_view import anchor, heading, marks
from tasks.schema import CuePair, Evidence, Measurement, Report, TruncatedReasoning
from tasks.spec import (
    AttributionCheck,
    CueCheck,
    FairnessCheck,
    LocalisationCheck,
    PerformanceCheck,
    ProbingCheck,
    ReasoningCheck,
)

EXAMPLES = 6
"""Cue pairs and chains of thought shown in full."""

RATES = ("selection_rate", "true_positive_rate", "false_positive_rate")
QUALITY = (
    "comprehensiveness", "comprehensiveness_random", "comprehensiveness_gain",
    "sufficiency", "sufficiency_random", "sufficiency_gain",
)  # fmt: skip
PROBES = (
    "probe_accuracy", "control_accuracy", "probe_after_erasure", "nonlinear_probe_after_erasure",
)  # fmt: skip
GAPS = ("gap_before", "gap_after_erasure", "gap_after_random")


@dataclass(frozen=True, slots=True)
class Section:
    """One check's evidence, ready for the page."""

    anchor: str
    heading: str
    question: str
    subject: str
    not_run: str | None
    notes: tuple[str, ...]
    blocks: tuple[Block, ...]
    measurements: tuple[Measurement, ...]
    marks: dict[Measurement, tuple[str, ...]]


def sections(report: Report) -> tuple[Section, ...]:
    """All evidence, in the order of the definition."""
    return tuple(
        Section(
            anchor=anchor(evidence),
            heading=heading(evidence, report),
            question=(type(evidence.check).__doc__ or "").strip(),
            subject=evidence.subject,
            not_run=evidence.not_run,
            notes=evidence.notes,
            blocks=tuple(blocks(evidence)) if evidence.not_run is None else (),
            measurements=evidence.measurements,
            marks=marks(report, evidence),
        )
        for evidence in report.evidence
    )


def blocks(evidence: Evidence) -> list[Block]:
    """What a check's section holds between heading and full table."""
    match evidence.check:
        case PerformanceCheck():
            return _performance(evidence)
        case FairnessCheck():
            return _fairness(evidence)
        case AttributionCheck():
            return _attribution(evidence)
        case LocalisationCheck():
            return _localisation(evidence)
        case ProbingCheck():
            return _probing(evidence)
        case ReasoningCheck():
            return _reasoning(evidence)
        case CueCheck():
            return _cue(evidence)
        case _:
            assert_never(evidence.check)


def _performance(evidence: Evidence) -> list[Block]:
    return grid(
        evidence.measurements,
        caption="How often the subject decides as labelled",
        corner="Texts",
        row=about_words,
        column=lambda m: title(m.name),
    )


# --- fairness -------------------------------------------------------------------------------


def _fairness(evidence: Evidence) -> list[Block]:
    named = [m.about.attribute for m in evidence.measurements if m.about.attribute is not None]
    small = [s.attribute for s in evidence.too_small]
    found: list[Block] = []
    for i, attribute in enumerate(dict.fromkeys([*named, *small])):
        key = f"{anchor(evidence)}-{i}"
        found += [Title(attribute), *_fairness_of(attribute, evidence, key)]
    return found


def _fairness_of(attribute: str, evidence: Evidence, key: str) -> list[Block]:
    about = [m for m in evidence.measurements if m.about.attribute == attribute]
    by_group = [m for m in about if m.about.group is not None]
    between = [m for m in about if m.about.group is None]
    rates = [m for m in by_group if m.name in RATES]
    return [
        *grid(
            between,
            caption="Between groups",
            corner="Attribute",
            row=about_words,
            column=lambda m: title(m.name),
        ),
        *grid(
            by_group,
            caption="By group; the adverse impact ratio is against the group selected most often",
            corner="Group",
            row=lambda m: m.about.group or "",
            column=lambda m: title(m.name),
            too_small=[s for s in evidence.too_small if s.attribute == attribute],
        ),
        *_figure(
            charts.group_rates, rates, key,
            "Rates by group; bars are the intervals of the table.",
        ),
    ]  # fmt: skip


# --- attribution ----------------------------------------------------------------------------


def _attribution(evidence: Evidence) -> list[Block]:
    quality = [m for m in evidence.measurements if m.name in QUALITY]
    gains = [m for m in quality if m.name.endswith("_gain")]
    shares = evidence.named("field_share")
    steady = evidence.named("converged")
    return [
        *_may_rest(evidence),
        *grid(
            quality,
            caption="The attribution held against a random order of the same words",
            corner="Words",
            row=_share_of_words,
            column=lambda m: title(m.name),
        ),
        *_figure(
            charts.attribution_quality, gains, f"{anchor(evidence)}-gain",
            "Gain over a random order; at 0 the attribution would be worth nothing.",
        ),
        *grid(steady, caption="Completeness", corner="Texts", row=about_words,
              column=lambda m: title(m.name)),
        *_figure(
            charts.field_shares, shares, f"{anchor(evidence)}-fields",
            "Share of the absolute attribution by field of the text and subset of texts.",
        ),
        *grid(
            shares,
            caption="Share of the absolute attribution",
            corner="Field",
            row=lambda m: m.about.field or "no field",
            column=lambda m: m.about.subset or "all explained texts",
        ),
    ]  # fmt: skip


def _may_rest(evidence: Evidence) -> list[Block]:
    if not evidence.named("comprehensiveness_gain"):
        return [
            Sentence(
                "Whether the attribution beats a random order of words was not measured; "
                "no explanation may rest on it.",
                "caution",
            )
        ]
    if earned(evidence):
        return [
            Sentence(
                "Explanations may rest on this attribution: replacing its top words moves the "
                "decision more than replacing words in a random order, and the intervals of the "
                "gain lie above 0."
            )
        ]
    return [
        Sentence(
            "No explanation may rest on this attribution: its gain over a random order of words "
            "is not clearly above 0.",
            "caution",
        )
    ]


def _share_of_words(m: Measurement) -> str:
    share = "all shares" if m.about.share is None else f"top {m.about.share:.0%} of words"
    rest = m.about.model_copy(update={"share": None}).words()
    return f"{share}, {rest}" if rest else share


# --- localisation ---------------------------------------------------------------------------


def _localisation(evidence: Evidence) -> list[Block]:
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
        *_layer_figure(
            charts.agreement_by_layer, agreement, f"{key}-agreement",
            "Share of texts whose decision read at a layer is already the final one.",
        ),
        *_by_layer(agreement, "Agreement with the final decision, by layer"),
        *_layer_figure(
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


def _probing(evidence: Evidence) -> list[Block]:
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
        *_layer_figure(
            charts.probes_by_layer, [m for m in about if m.name in PROBES], f"{key}-probes",
            f"What can be read about {attribute}: the probe, the same on shuffled labels, and "
            "fresh probes after erasure.", named=True,
        ),
        *_layer_figure(
            charts.gaps_by_layer, _spread([m for m in about if m.name in GAPS]), f"{key}-gaps",
            "The gap between groups: untouched, with the attribute erased, and with random "
            "subspaces of equal rank erased.", named=True,
        ),
        *_layer_figure(
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


# --- reasoning and cue ----------------------------------------------------------------------


def _reasoning(evidence: Evidence) -> list[Block]:
    curve = evidence.named("answer_unchanged")
    rest = [m for m in evidence.measurements if m.name != "answer_unchanged"]
    chains = [c for c in evidence.cases if isinstance(c, TruncatedReasoning)]
    shares = evidence.check.shares if isinstance(evidence.check, ReasoningCheck) else ()
    shown: list[Block] = [
        Sentence(
            "This is dependence of the answer on the written reasoning. An answer that moves when "
            "the reasoning is cut depends on it; the curve says nothing about whether the "
            "reasoning tells the true cause."
        ),
        *grid(rest, caption="The area over the curve, and answers that could not be read",
              corner="Texts", row=about_words, column=lambda m: title(m.name)),
        *_figure_of(
            charts.truncation_curve, _series(curve), f"{anchor(evidence)}-curve",
            "Share of answers that stay the same when only this share of the sentences is kept.",
        ),
        *grid(curve, caption="Answers unchanged, by share of the reasoning kept",
              corner="Reasoning", row=about_words, column=lambda m: title(m.name)),
    ]  # fmt: skip
    if chains:
        some = chains[: EXAMPLES // 2]
        cut = tuple((c, tuple(zip(shares, c.answers, strict=False))) for c in some)
        shown.append(Chains(cut, len(chains) - len(cut)))
    return shown


def _cue(evidence: Evidence) -> list[Block]:
    pairs = sorted((c for c in evidence.cases if isinstance(c, CuePair)), key=_telling)
    shown = grid(
        evidence.measurements,
        caption="What exchanging the cue does, and whether the reasoning says so",
        corner="Texts",
        row=about_words,
        column=lambda m: title(m.name),
    )
    if pairs:
        some = tuple(pairs[:EXAMPLES])
        shown.append(Pairs(some, len(pairs) - len(some)))
    return shown


def _telling(pair: CuePair) -> tuple[bool, bool]:
    """Moved and silent first, then moved and open, then the rest."""
    return pair.answer == pair.answer_exchanged, pair.mentions


# --- figures --------------------------------------------------------------------------------


def _figure(
    draw: charts.Draw, measurements: Sequence[Measurement], key: str, caption: str
) -> list[Block]:
    if not measurements:
        return []
    return [Figure(Markup(draw(measurements, key=key)), caption)]  # noqa: S704


def _figure_of(
    draw: charts.DrawSeries, series: charts.Series, key: str, caption: str
) -> list[Block]:
    if not series:
        return []
    return [Figure(Markup(draw(series, key=key)), caption)]  # noqa: S704


def _layer_figure(
    draw: charts.DrawSeries,
    measurements: Iterable[Measurement],
    key: str,
    caption: str,
    *,
    named: bool = False,
) -> list[Block]:
    """A chart over layers, one series per measure or per subset; none for fewer than 2 layers."""
    on_layers = [m for m in measurements if m.about.layer is not None]
    if len({m.about.layer for m in on_layers}) < 2:
        return []
    return _figure_of(draw, _series(on_layers, named=named), key, caption)


def _series(measurements: Iterable[Measurement], *, named: bool = False) -> charts.Series:
    found: dict[str, list[Measurement]] = {}
    for m in measurements:
        rest = m.about.model_copy(update={"layer": None, "share": None})
        found.setdefault(title(m.name) if named else rest.words() or "all texts", []).append(m)
    return found
