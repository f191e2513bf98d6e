"""Does the answer depend on the written reasoning?"""

from collections.abc import Mapping, Sequence
from itertools import product

from tasks.checks.instruments.names import FACTORS, resting
from tasks.checks.reasoning import controls_evidence, factors_evidence, log_probabilities
from tasks.checks.reasoning.curves import curves, left_out
from tasks.checks.reasoning.payload import ReasonedText
from tasks.checks.reasoning.preflight import withheld_tests
from tasks.checks.reasoning.rounds import CONTROLS, FACTOR_CONTROLS, REASONING, tests_made
from tasks.definition.checks.reasoning import LOG_PROBABILITY, ReasoningCheck, ReasoningTest
from tasks.run.rounds import Asked, Finished
from tasks.schema import About, Evidence, Measurement, TruncatedReasoning

INSTRUMENTED = (
    "answer_unchanged",
    "dependence_on_reasoning",
    "dependence_difference",
    "log_probability_lost",
    "log_probability_change",
    *FACTORS,
)
"""Measurements that rest on a test calibrated on controls."""
BY_ANSWERS = ("dependence_on_reasoning", "answer_unchanged", "answer_accuracy")
"""Measurements of the tests that ask whether the answer changes."""
LIKELIHOODS = tuple(product(log_probabilities.NAMES, log_probabilities.METHODS))


def evidence(asked: Asked[ReasoningCheck], finished: Finished) -> Evidence:
    """The curves of every test and their areas; named factors beside attributed ones."""
    texts = [text for payload in finished.of(REASONING) for text in payload.texts]
    sample = texts[: len(asked.sample)]
    missing = withheld_tests(asked.plan, asked.check)
    calibrated, worth = controls_evidence.calibration(asked.check, finished.of(CONTROLS))
    stated, limits = factors_evidence.calibration(finished.of(FACTOR_CONTROLS))
    measured, notes = _of_sample(asked, sample)
    shown = {asked.plan.data.rows[case].id for case in asked.cases}
    return Evidence(
        check=asked.check,
        subject=asked.subject,
        measurements=(*resting(measured, rests_on), *calibrated, *stated),
        cases=tuple(
            _case(text, _by_answers(asked), asked.check.shares)
            for text in texts
            if text.id in shown
        ),
        notes=(*(f"Test {test} {why}." for test, why in missing.items()), *notes, *worth, *limits),
        withheld=_withheld(missing),
    )


def rests_on(m: Measurement) -> list[About]:
    """The test itself, both where two are compared, or the comparison of stated factors."""
    if m.name not in INSTRUMENTED:
        return []
    both = (FACTORS.get(m.name, m.about.test), m.about.other)
    return [About(instrument=test) for test in both if test is not None]


def _of_sample(
    asked: Asked[ReasoningCheck], sample: Sequence[ReasonedText]
) -> tuple[list[Measurement], list[str]]:
    """Measurements on the texts of the sample, and notes on texts that a test leaves out."""
    tests, shares, seed = _by_answers(asked), asked.check.shares, asked.seed
    measured, notes = curves(tests, shares, sample, seed), left_out(tests, sample)
    if LOG_PROBABILITY in tests_made(asked):
        measured += log_probabilities.curve(shares, sample, seed)
        notes += log_probabilities.left_out(sample)
    fields = [text.fields for text in sample if text.fields is not None]
    return measured + factors_evidence.factors(fields, seed), notes


def _by_answers(asked: Asked[ReasoningCheck]) -> list[ReasoningTest]:
    """The tests that ask whether the answer changes."""
    return [test for test in tests_made(asked) if test != LOG_PROBABILITY]


def _withheld(missing: Mapping[ReasoningTest, str]) -> dict[str, str]:
    """Measurement and test -> why it is missing, for tests that could not be run."""
    withheld = {
        f"{name} by {method}": why
        for test, why in missing.items()
        for name, method in (
            LIKELIHOODS if test == LOG_PROBABILITY else product(BY_ANSWERS, [test])
        )
    }
    if LOG_PROBABILITY in missing:  # no other test measures these
        withheld |= dict.fromkeys(log_probabilities.NAMES, missing[LOG_PROBABILITY])
    return withheld


def _case(
    text: ReasonedText, tests: Sequence[ReasoningTest], shares: tuple[float, ...]
) -> TruncatedReasoning:
    first = text.by_test[tests[0]] if tests else None
    return TruncatedReasoning(
        id=text.id,
        reasoning=text.reasoning,
        answer=text.answer,
        shares=() if first is None else shares,
        answers=() if first is None else first.answers,
    )
