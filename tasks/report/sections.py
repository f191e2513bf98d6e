"""The sections of the report: for each kind of check, its tables, charts and sentences."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import assert_never

from tasks.explain.facts import above_zero, earned
from tasks.report import charts
from tasks.report.blocks import Block, Chains, Pairs, Sentence, Title, grid
from tasks.report.figures import figure, figure_of, series_of
from tasks.report.formats import about_words, title
from tasks.report.layers import localisation, probing
from tasks.report.view import anchor, heading, marks
from tasks.schema import AttributedText, CuePair, Evidence, Measurement, Report, TruncatedReasoning
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

MOST_SUBSETS = 4
"""Subsets charted whatever they are."""

RATES = ("selection_rate", "true_positive_rate", "false_positive_rate")
QUALITY = (
    "comprehensiveness", "comprehensiveness_random", "comprehensiveness_gain",
    "sufficiency", "sufficiency_random", "sufficiency_gain",
)  # fmt: skip


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
            blocks=tuple(
                [*blocks(evidence, marks(report, evidence)), *_left_out(evidence)]
                if evidence.not_run is None
                else ()
            ),
            measurements=evidence.measurements,
            marks=marks(report, evidence),
        )
        for evidence in report.evidence
    )


def blocks(evidence: Evidence, decided: Iterable[Measurement] = ()) -> list[Block]:
    """What a check's section holds between heading and full table.

    Args:
        evidence: what was measured.
        decided: the measurements that decided a gate.
    """
    match evidence.check:
        case PerformanceCheck():
            return _performance(evidence)
        case FairnessCheck():
            return _fairness(evidence)
        case AttributionCheck():
            return _attribution(evidence, decided)
        case LocalisationCheck():
            return localisation(evidence)
        case ProbingCheck():
            return probing(evidence)
        case ReasoningCheck():
            return _reasoning(evidence)
        case CueCheck():
            return _cue(evidence)
        case _:
            assert_never(evidence.check)


def _left_out(evidence: Evidence) -> list[Block]:
    """Groups too small for a number, where no table holds a line for them."""
    if isinstance(evidence.check, FairnessCheck) or not evidence.too_small:
        return []
    groups = "; ".join(f"{s.attribute}: {s.group} (n = {s.n})" for s in evidence.too_small)
    return [Sentence(f"Too small, so not shown as a number: {groups}.")]


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
        *figure(
            charts.group_rates, rates, key,
            "Rates by group; bars are the intervals of the table.",
        ),
    ]  # fmt: skip


# --- attribution ----------------------------------------------------------------------------


def _attribution(evidence: Evidence, decided: Iterable[Measurement]) -> list[Block]:
    quality = [m for m in evidence.measurements if m.name in QUALITY]
    gains = [m for m in quality if m.name.endswith("_gain")]
    shares = evidence.named("field_share")
    shown = first_subsets(shares, decided)
    steady = [*evidence.named("converged"), *evidence.named("explained")]
    return [
        *_may_rest(evidence),
        *_foregone(evidence),
        *grid(
            quality,
            caption="The attribution held against a random order of the same words",
            corner="Words",
            row=_share_of_words,
            column=lambda m: title(m.name),
        ),
        *figure(
            charts.attribution_quality, gains, f"{anchor(evidence)}-gain",
            "Gain over a random order; at 0 the attribution would be worth nothing.",
        ),
        *grid(steady, caption="How far it can be believed", corner="Texts", row=about_words,
              column=lambda m: title(m.name)),
        *figure(
            charts.field_shares, shown, f"{anchor(evidence)}-fields",
            "Share of the absolute attribution by field of the text and subset of texts.",
        ),
        *_by_field(shown, "Share of the absolute attribution"),
        *_by_field(
            [m for m in shares if m not in shown],
            "Share of the absolute attribution in further subsets", folded=True,
        ),
    ]  # fmt: skip


def _by_field(shares: Sequence[Measurement], caption: str, *, folded: bool = False) -> list[Block]:
    return grid(
        shares,
        caption=caption,
        corner="Field",
        row=lambda m: m.about.field or "no field",
        column=lambda m: m.about.subset or "all explained texts",
        folded=folded,
    )


def first_subsets(
    shares: Sequence[Measurement], decided: Iterable[Measurement]
) -> list[Measurement]:
    """Shares of the subsets a reader needs first.

    Those that name no group, and those that differ from one that decided a gate by their group
    only; all, where there are few.
    """
    subsets = dict.fromkeys(m.about.subset or "" for m in shares)
    stems = {m.about.subset.split("=")[0] for m in decided if m.about.subset is not None}
    kept = {s for s in subsets if "=" not in s or s.split("=")[0] in stems}
    few = len(subsets) <= MOST_SUBSETS or not kept
    return [m for m in shares if few or (m.about.subset or "") in kept]


def _foregone(evidence: Evidence) -> list[Block]:
    """How often attribution cannot say why, because the baseline is decided the same way."""
    texts = [c for c in evidence.cases if isinstance(c, AttributedText)]
    foregone = sum(c.foregone for c in texts)
    if not foregone:
        return []
    return [
        Sentence(
            f"In {foregone} of the {len(texts)} explained texts the baseline, which says nothing, "
            "is already decided the same way. There the attribution explains only the difference "
            "from the baseline: a word may count "
            "against a decision and still be what leads to it elsewhere.",
            "caution",
        )
    ]


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
                "decision more than replacing words in a random order; the whole interval of the "
                f"comprehensiveness gain lies above 0.{_sufficient(evidence)}"
            )
        ]
    return [
        Sentence(
            "No explanation may rest on this attribution: its gain over a random order of words "
            "is not clearly above 0.",
            "caution",
        )
    ]


def _sufficient(evidence: Evidence) -> str:
    gains = evidence.named("sufficiency_gain")
    if not gains or all(above_zero(m) for m in gains):
        return ""
    return (
        " The sufficiency gain is not clearly above 0: its top words alone do not clearly carry "
        "the decision better than random words do."
    )


def _share_of_words(m: Measurement) -> str:
    share = "all shares" if m.about.share is None else f"top {m.about.share:.0%} of words"
    rest = m.about.model_copy(update={"share": None}).words()
    return f"{share}, {rest}" if rest else share


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
        *figure_of(
            charts.truncation_curve, series_of(curve), f"{anchor(evidence)}-curve",
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
