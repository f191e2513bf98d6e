"""The section on reasoning: every test's scores, always beside its calibration."""

from collections.abc import Iterable, Sequence
from functools import partial

from tasks.checks.instruments.names import FACTORS
from tasks.checks.instruments.section import INSTRUMENT, UNKNOWN, doubts
from tasks.definition.checks.reasoning import LOG_PROBABILITY, WITHOUT_REASONING, ReasoningCheck
from tasks.definition.digits import given
from tasks.judge.credibility import calibrations
from tasks.report import charts
from tasks.report.blocks import Block, Chains, Grid, Row, Sentence, Title, grid
from tasks.report.charts import Axis
from tasks.report.figures import figure, rest_name
from tasks.report.formats import about_words, joined, title
from tasks.report.places import anchor
from tasks.report.shown import Shown
from tasks.schema import Evidence, Measurement, TruncatedReasoning
from tasks.schema.notation import Notation

CHAINS = 3
"""Chains of thought shown in full."""

CURVES = ("answer_unchanged", "answer_accuracy", "log_probability_change")
UNPARSED = ("unparsed", "unparsed_difference")
COMPARED = ("dependence_difference", "accuracy_change")
APART = (*CURVES, *FACTORS, *INSTRUMENT, *UNPARSED, *COMPARED)
"""Measurements shown apart from the scores of the tests."""


def section(shown: Shown[ReasoningCheck]) -> list[Block]:
    """The tests beside their calibration, their curves, named factors, and examples."""
    evidence = shown.evidence
    return [
        Sentence(
            "This is dependence of the answer on the written reasoning. An answer that moves when "
            "the reasoning is cut depends on it; the curve says nothing about whether the "
            "reasoning tells the true cause."
        ),
        *_scores(evidence),
        *_best(evidence, shown.notation),
        *grid(_named(UNPARSED, evidence), caption="Answers that could not be read", corner="Test",
              row=about_words, column=lambda m: title(m.name)),
        *_pictures(evidence),
        *_curves(evidence),
        *grid(_named(COMPARED, evidence),
              caption="Tests and accuracies against each other, on the same texts",
              corner="Test", row=about_words, column=lambda m: title(m.name), folded=True),
        *_factors(evidence),
        *_chains(shown),
    ]  # fmt: skip


def _scores(evidence: Evidence) -> list[Block]:
    """Scores, with each test's calibration printed next to them, best first."""
    scores = sorted(
        (m for m in evidence.measurements if m.name not in APART), key=partial(_worth, evidence)
    )
    methods = {m.about.test for m in scores}
    beside = [
        m for m in evidence.measurements if m.name in INSTRUMENT and m.about.instrument in methods
    ]
    caption = "What each test finds" + ", and what it is worth on controls, best first" * bool(
        _tests(evidence)
    )
    known = any(calibrations(m, evidence) for m in scores)
    return [
        *grid(
            [*scores, *beside],
            caption=caption,
            corner="Texts",
            row=about_words,
            column=lambda m: title(m.name),
        ),
        *(doubts(scores, evidence) if known else [UNKNOWN]),
    ]


def _worth(evidence: Evidence, m: Measurement) -> float:
    """Smaller for a better test; a measurement of no test comes last."""
    return -max((test.value for test in calibrations(m, evidence)), default=-1.0)


def _tests(evidence: Evidence) -> list[Measurement]:
    """AUROC of the tests that alter a reasoning; stated factors have controls of their own."""
    apart = FACTORS.values()
    return [m for m in evidence.named("instrument_auroc") if m.about.instrument not in apart]


def _best(evidence: Evidence, notation: Notation) -> list[Block]:
    """Which test separates the controls best here, and which was chosen before."""
    tests = sorted(_tests(evidence), key=lambda m: -m.value)
    if not tests:
        return []
    equals = [m.about.instrument or "" for m in tests if m.value == tests[0].value]
    words = (
        f"In this audit {joined(equals, len(equals))} told the controls apart best: AUROC "
        f"{notation.estimate(tests[0])}."
    )
    if LOG_PROBABILITY in [m.about.instrument for m in tests]:
        words += (
            f" The test chosen beforehand, on other models, is {LOG_PROBABILITY}: on the very "
            "controls that it is chosen by, the best of several tests looks better than it is."
        )
    if WITHOUT_REASONING in equals:
        words += (
            " The controls that depend on their reasoning are questions that have no answer before "
            "it, so a test of the answer without reasoning is at its best on them."
        )
    return [Sentence(words)]


def _pictures(evidence: Evidence) -> list[Block]:
    """The curves as pictures: answers that stay, and how much less likely they get."""
    unchanged, _, likelier = (evidence.named(name) for name in CURVES)
    return [
        *figure(
            _by_share(unchanged, Axis(title("answer_unchanged"), percent=True, domain=(0, 1)),
                      f"{anchor(evidence)}-curve"),
            "Share of answers that stay the same when only this share of the reasoning is kept, "
            "by test: the rest is cut, replaced by dots, follows on a mistake, or is said in other "
            "words.",
        ),
        *figure(
            _by_share(likelier, Axis(f"{title('log_probability_change')} (nats)", rule=0),
                      f"{anchor(evidence)}-likelihood"),
            "How much less likely the subject's own answer is when only this share of the "
            "reasoning is kept: its log-probability against that after the whole reasoning. "
            "A fall by 0.69 nats is half the probability.",
        ),
    ]  # fmt: skip


def _by_share(curves: Sequence[Measurement], y: Axis, key: str) -> str:
    x = Axis("Share of the reasoning kept", percent=True, domain=(0, 1))
    return charts.lines(charts.by_share(curves, rest_name), x, y, key=key)


def _curves(evidence: Evidence) -> list[Block]:
    """The curves as tables."""
    unchanged, accuracy, likelier = (evidence.named(name) for name in CURVES)
    return [
        *grid(unchanged, caption="Answers unchanged, by share of the reasoning kept",
              corner="Reasoning", row=_share, column=_test),
        *grid(likelier, caption="Log-probability of the own answer, by share of the reasoning kept",
              corner="Reasoning", row=_share, column=lambda m: title(m.name), folded=True),
        *grid(accuracy, caption="Accuracy of the answers, by share of the reasoning kept",
              corner="Reasoning", row=_share, column=_test, folded=True),
    ]  # fmt: skip


def _factors(evidence: Evidence) -> list[Block]:
    measurements = _named(FACTORS, evidence)
    if not measurements:
        return []
    return [
        Title("Named factors and attribution"),
        Sentence(
            "The fields that a reasoning names against the fields that move the answer given after "
            "it, by integrated gradients; beside it the same with the reasonings of other texts, "
            "which is chance. What reaches the answer only by way of the reasoning's own words is "
            "not counted as a field."
        ),
        *grid(measurements, caption="Fields named against fields attributed", corner="Reasonings",
              row=lambda m: m.about.baseline or "of the same text",
              column=lambda m: title(m.name)),
        *_factors_worth(measurements, evidence),
    ]  # fmt: skip


def _factors_worth(measurements: Sequence[Measurement], evidence: Evidence) -> list[Block]:
    """Calibration of the comparison of named and attributed fields, by measurement."""
    own = [m for m in measurements if m.about.baseline is None or m.name == "factor_gain"]
    if not any(calibrations(m, evidence) for m in own):
        return [UNKNOWN]
    rows = tuple(
        Row(
            title(m.name),
            (
                (m,),
                *(
                    tuple(t for t in evidence.named(n) if t.about.instrument == FACTORS[m.name])
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
    return [Grid(caption, "Number", columns, rows), *doubts(own, evidence)]


def _chains(shown: Shown[ReasoningCheck]) -> list[Block]:
    chains = [c for c in shown.evidence.cases if isinstance(c, TruncatedReasoning)]
    if not chains:
        return []
    first = tuple(chains[:CHAINS])
    return [Chains(first, len(chains) - len(first))]


def _named(names: Iterable[str], evidence: Evidence) -> list[Measurement]:
    return [m for name in names for m in evidence.named(name)]


def _share(m: Measurement) -> str:
    return "all" if m.about.share is None else f"{given(m.about.share, 'share')} kept"


def _test(m: Measurement) -> str:
    return m.about.test or title(m.name)
