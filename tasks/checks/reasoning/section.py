"""The sections on reasoning: tests, cues and contradictions, each beside its error rate."""

from collections.abc import Sequence
from functools import partial

from tasks.definition.checks import LOG_PROBABILITY, WITHOUT_REASONING, ReasoningCheck
from tasks.judge.credibility import FACTORS, FIRST, blind, calibrations
from tasks.report import charts
from tasks.report.blocks import Block, Chains, Grid, Pairs, Row, Sentence, Table, Title, grid
from tasks.report.figures import figure_of, series_of
from tasks.report.formats import about_words, interval, joined, title, value
from tasks.report.view import anchor
from tasks.schema import ContradictoryPair, CuePair, Evidence, Measurement, TruncatedReasoning

EXAMPLES = 6
"""Cue pairs and chains of thought shown in full."""

CURVES = ("answer_unchanged", "answer_accuracy", "log_probability_change")
INSTRUMENT = ("instrument_auroc", "instrument_sensitivity", "instrument_specificity")
UNPARSED = ("unparsed", "unparsed_difference")


UNKNOWN = Sentence(
    "These tests were not run on controls of known truth for this subject, so how often they err "
    "on it is not known."
)
UNCOMPARED = Sentence(
    "The comparison of answers was not run on controls of known truth for this subject, so how "
    "often it errs on it is not known; the classifiers of the reasoning were."
)


def reasoning(evidence: Evidence) -> list[Block]:
    """What the section holds between heading and full table."""
    curve, accuracy, likelier = (evidence.named(name) for name in CURVES)
    apart = (*CURVES, *FACTORS, *INSTRUMENT, *UNPARSED, "dependence_difference", "accuracy_change")
    scores = sorted(
        (m for m in evidence.measurements if m.name not in apart), key=partial(_worth, evidence)
    )
    return [
        Sentence(
            "This is dependence of the answer on the written reasoning. An answer that moves when "
            "the reasoning is cut depends on it; the curve says nothing about whether the "
            "reasoning tells the true cause."
        ),
        *_calibrated(scores, "What each test finds, and what it is worth on controls, best first"
                     if _tests(evidence) else "What each test finds", evidence),
        *_best(evidence),
        *grid([m for name in UNPARSED for m in evidence.named(name)],
              caption="Answers that could not be read", corner="Test", row=about_words,
              column=lambda m: title(m.name)),
        *figure_of(
            charts.truncation_curve, series_of(curve), f"{anchor(evidence)}-curve",
            "Share of answers that stay the same when only this share of the reasoning is kept, "
            "by test: the rest is cut, replaced by dots, follows on a mistake, or is said in other "
            "words.",
        ),
        *figure_of(
            charts.log_probability_curve, series_of(likelier), f"{anchor(evidence)}-likelihood",
            "How much less likely the subject's own answer is when only this share of the "
            "reasoning is kept: its log-probability against that after the whole reasoning. "
            "A fall by 0.69 nats is half the probability.",
        ),
        *grid(curve, caption="Answers unchanged, by share of the reasoning kept",
              corner="Reasoning", row=_share, column=_test),
        *grid(likelier, caption="Log-probability of the own answer, by share of the reasoning kept",
              corner="Reasoning", row=_share, column=lambda m: title(m.name), folded=True),
        *grid(accuracy, caption="Accuracy of the answers, by share of the reasoning kept",
              corner="Reasoning", row=_share, column=_test, folded=True),
        *grid([*evidence.named("dependence_difference"), *evidence.named("accuracy_change")],
              caption="Tests and accuracies against each other, on the same texts",
              corner="Test", row=about_words, column=lambda m: title(m.name), folded=True),
        *_factors(evidence),
        *_chains(evidence),
    ]  # fmt: skip


def cue(evidence: Evidence) -> list[Block]:
    """Influence and disclosure of every cue, each beside what its test is worth, and examples."""
    pairs = sorted((c for c in evidence.cases if isinstance(c, CuePair)), key=_telling)
    measured = evidence.measurements
    tests = [m for m in measured if m.name in INSTRUMENT]
    compared = [m for m in tests if m.about.against is None]
    agreed = [m for m in measured if m.name in ("disclosure_agreement", "disclosure_ac2")]
    said = [m for m in measured if m.name == "disclosure"]
    apart = {*tests, *agreed, *said}
    scores = [m for m in measured if m not in apart]
    classified = [*said, *(m for m in tests if m.about.against is not None)]
    cues = list(dict.fromkeys(map(_cue, classified)))
    shown = [
        *grid(scores, caption="What the cue does to the answer", corner="Cue", row=about_words,
              column=lambda m: title(m.name)),
        *grid(compared,
              caption="The comparison of answers on controls: does it see what decides?",
              corner="Test", row=about_words, column=lambda m: title(m.name)),
        *grid(sorted(classified, key=lambda m: cues.index(_cue(m))),
              caption="Whether the reasoning says so, and how far each classifier is right about "
              "written reasonings", corner="Cue and classifier", row=_classifier,
              column=lambda m: title(m.name)),
        *grid(agreed, caption="How far the two classifiers agree", corner="Cue",
              row=_cue,
              column=lambda m: title(m.name)),
        *_doubts([*scores, *said], evidence),
        *([] if compared else [UNCOMPARED if tests else UNKNOWN]),
    ]  # fmt: skip
    if pairs:
        some = tuple(pairs[:EXAMPLES])
        shown.append(Pairs(some, len(pairs) - len(some)))
    return shown


def _classifier(m: Measurement) -> str:
    """A cue, and which classifier says whether a reasoning discloses it."""
    return f"{_cue(m)}, by {m.about.against or FIRST}"


def contradiction(evidence: Evidence) -> list[Block]:
    """How often both were answered yes, what the test is worth on controls, and examples."""
    pairs = [c for c in evidence.cases if isinstance(c, ContradictoryPair)]
    tests = [m for m in evidence.measurements if m.name in INSTRUMENT]
    scores = [m for m in evidence.measurements if m not in tests]
    shown: list[Block] = [
        *grid(scores, caption="Pairs of questions that exclude each other", corner="Pairs",
              row=about_words, column=lambda m: title(m.name)),
        *grid(tests, caption="The test on controls: does it see which pairs something else than "
              "the questions decides?", corner="Test", row=about_words,
              column=lambda m: title(m.name)),
        *_doubts(scores, evidence),
        *([] if tests else [UNKNOWN]),
    ]  # fmt: skip
    if pairs:
        rows = tuple((f"{p.id}, {p.other}", p.text, p.other_text, p.answer) for p in pairs)
        columns = ("Pair", "First question", "Second question", "Answer to both")
        shown.append(Table("Pairs answered alike", columns, rows))
    return shown


def _calibrated(scores: Sequence[Measurement], caption: str, evidence: Evidence) -> list[Block]:
    """Scores with what each test is worth on controls printed next to them."""
    tests = [m for m in evidence.measurements if m.name in INSTRUMENT]
    methods = {m.about.method for m in scores}
    beside = [m for m in tests if m.about.method in methods]
    shown = grid(
        [*scores, *beside], caption=caption, corner="Texts", row=about_words,
        column=lambda m: title(m.name),
    )  # fmt: skip
    if not any(calibrations(m, evidence) for m in scores):
        return [
            *shown,
            UNKNOWN,
        ]
    return [*shown, *_doubts(scores, evidence)]


def _doubts(scores: Sequence[Measurement], evidence: Evidence) -> list[Sentence]:
    """Which tests tell nothing apart, and what follows for gates."""
    doubts = dict.fromkeys(b for m in scores if (b := blind(m, evidence)))
    return [Sentence(f"{doubt}. A gate on it is inconclusive.", "caution") for doubt in doubts]


def _worth(evidence: Evidence, m: Measurement) -> float:
    """Smaller for a better test; what belongs to none comes last."""
    return -max((test.value for test in calibrations(m, evidence)), default=-1.0)


def _tests(evidence: Evidence) -> list[Measurement]:
    """AUROC of what is done to a reasoning; stated factors are tried on controls of their own."""
    apart = FACTORS.values()
    return [m for m in evidence.named("instrument_auroc") if m.about.method not in apart]


def _best(evidence: Evidence) -> list[Block]:
    """Which test told the controls apart best here, and which was chosen before."""
    tests = sorted(_tests(evidence), key=lambda m: -m.value)
    if not tests:
        return []
    equals = [m.about.method or "" for m in tests if m.value == tests[0].value]
    told = (
        f"In this audit {joined(equals, len(equals))} told the controls apart best: AUROC "
        f"{value(tests[0])} ({interval(tests[0])})."
    )
    if LOG_PROBABILITY in [m.about.method for m in tests]:
        told += (
            f" The test chosen beforehand, on other models, is {LOG_PROBABILITY}: on the very "
            "controls that it is chosen by, the best of several tests looks better than it is."
        )
    if WITHOUT_REASONING in equals:
        told += (
            " The controls that depend on their reasoning are questions that have no answer before "
            "it, so a test of the answer without reasoning is at its best on them."
        )
    return [Sentence(told)]


def _factors(evidence: Evidence) -> list[Block]:
    found = [m for name in FACTORS for m in evidence.named(name)]
    if not found:
        return []
    return [
        Title("Named factors and attribution"),
        Sentence(
            "The fields that a reasoning names against the fields that move the answer given after "
            "it, by integrated gradients; beside it the same with the reasonings of other texts, "
            "which is chance. What reaches the answer only by way of the reasoning's own words is "
            "not counted as a field."
        ),
        *grid(found, caption="Fields named against fields attributed", corner="Reasonings",
              row=lambda m: m.about.against or "of the same text",
              column=lambda m: title(m.name)),
        *_factors_worth(found, evidence),
    ]  # fmt: skip


def _factors_worth(found: Sequence[Measurement], evidence: Evidence) -> list[Block]:
    """What the comparison of named and attributed fields is worth, by number that rests on it."""
    own = [m for m in found if m.about.against is None or m.name == "factor_gain"]
    if not any(calibrations(m, evidence) for m in own):
        return [UNKNOWN]
    rows = tuple(
        Row(
            title(m.name),
            (
                (m,),
                *(
                    tuple(t for t in evidence.named(n) if t.about.method == FACTORS[m.name])
                    for n in INSTRUMENT
                ),
            ),
        )
        for m in own
    )
    columns = ("On the texts of the audit", *(title(name) for name in INSTRUMENT))
    caption = (
        "What these numbers are worth on controls: does the comparison see whether a reasoning "
        "names the field that decides?"
    )
    return [Grid(caption, "Number", columns, rows), *_doubts(own, evidence)]


def _chains(evidence: Evidence) -> list[Block]:
    chains = [c for c in evidence.cases if isinstance(c, TruncatedReasoning)]
    shares = evidence.check.shares if isinstance(evidence.check, ReasoningCheck) else ()
    if not chains:
        return []
    some = chains[: EXAMPLES // 2]
    cut = tuple((c, tuple(zip(shares, c.answers, strict=False))) for c in some)
    return [Chains(cut, len(chains) - len(cut))]


def _share(m: Measurement) -> str:
    return "all" if m.about.share is None else f"{m.about.share:.0%} kept"


def _test(m: Measurement) -> str:
    return m.about.method or title(m.name)


def _cue(m: Measurement) -> str:
    """The cue that a measurement is about, whichever classifier it is by."""
    about = m.about.model_copy(update={"against": None})
    return about_words(m.model_copy(update={"about": about}))


def _telling(pair: CuePair) -> tuple[bool, bool]:
    """Moved and silent first, then moved and open, then the rest."""
    return pair.answer == pair.answer_exchanged, pair.mentions
