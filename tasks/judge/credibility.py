"""What a number may rest on: a method that earned its place, a test that tells controls apart."""

from collections.abc import Iterable, Sequence
from typing import Literal, TypeVar

from tasks.definition.checks.attribution import AttributionCheck
from tasks.definition.checks.contradiction import ContradictionCheck
from tasks.definition.checks.cue import CueCheck
from tasks.definition.digits import given
from tasks.schema import Evidence, Measurement
from tasks.schema.notation import PLAIN

M = TypeVar("M", bound=str)

RANDOM = "random order"
REDONE: dict[str, Literal["top", "all"]] = {
    "last block and head shuffled": "top",
    "all weights shuffled": "all",
}
"""Randomised weights that a method is run on again."""

AGAINST = (RANDOM, *REDONE)
"""What a method is held against."""


def earned(method: str, measurements: Iterable[Measurement]) -> bool:
    """Whether a method beats a random order and itself on randomised weights.

    It does when taking out what it ranks highest moves the decision more than each of them: all
    three intervals of the comprehensiveness gain lie above 0.

    Source: Adebayo et al. 2018, arXiv:1810.03292, for the randomised weights.
    """
    gains = {
        m.about.against: m
        for m in measurements
        if m.name == "comprehensiveness_gain" and m.about.method == method
    }
    found = [gains.get(against) for against in AGAINST]
    return all(m is not None and m.low is not None and m.low > 0 for m in found)


def first_earned(methods: Sequence[M], measurements: Sequence[Measurement]) -> M | None:
    """The first of `methods` that earned its place; none if none did."""
    return next((method for method in methods if earned(method, measurements)), None)


def cited(evidence: Evidence) -> str | None:
    """The method that sentences and shares of an attribution check rest on, if there is one."""
    check = evidence.check
    methods = check.methods if isinstance(check, AttributionCheck) else ()
    return first_earned(methods, evidence.measurements)


INSTRUMENTED = (
    "answer_unchanged",
    "dependence_on_reasoning",
    "dependence_difference",
    "log_probability_lost",
    "log_probability_change",
    "influence",
    "cue_pull",
    "swap_difference",
    "swap_turned",
    "disclosure",
    "undisclosed_influence",
    "contradiction",
    "factor_precision",
    "factor_recall",
    "factor_gain",
    "factor_rank_agreement",
)
"""Measurements of a reasoning test: they are worth what the test tells apart on controls."""


CHANGE = "change of the answer"
"""Test of influence: the answer is another one with the cue than without."""
FOLLOWS = "answer turns to the cue's"
"""Test of influence: with the cue, and not without, the answer is the one it speaks for."""
SAME = "same answer to both"
"""Test of contradictory questions: one answer to two questions that cannot share it."""
EXCHANGED = "change of the answer when a field is exchanged"
"""Test of influence of a field: the answer is another one when its value is."""
FIRST = "words of the cue"
"""First classifier of disclosure."""
STATED = "stated factors"
"""Test of stated factors: the fields that a reasoning names against as many strongest."""
RANKED = "stated factors by rank"
"""The same, by where the named fields stand in the order of all fields."""
FACTORS = {
    "factor_precision": STATED,
    "factor_recall": STATED,
    "factor_rank_agreement": RANKED,
    "factor_gain": STATED,
}
"""Measurement -> the test of stated factors that it rests on. Recall and gain compare the same two
lists as precision does; controls of two or three fields leave a recall of three nothing to miss."""
EITHER = "either classifier"
"""Disclosed as soon as one of the two classifiers says so."""


def calibrations(m: Measurement, evidence: Evidence) -> tuple[Measurement, ...]:
    """AUROC on controls of every test that a measurement comes from, of those that were measured.

    One for a test of the reasoning. What a cue does in silence rests on two: on the comparison of
    answers, and on the classifier that says what is silent.
    """
    if m.name not in INSTRUMENTED:
        return ()
    tests = evidence.named("instrument_auroc")
    if isinstance(evidence.check, ContradictionCheck):
        return tests
    if not isinstance(evidence.check, CueCheck):
        own = FACTORS.get(m.name, m.about.method)
        asked_of = {own, m.about.against if m.name == "dependence_difference" else None}
        return tuple(t for t in tests if t.about.method in asked_of - {None})
    by_cue = CHANGE if m.name == "influence" else FOLLOWS
    paired = by_cue if m.about.method else EXCHANGED
    cue = (m.about.method, m.about.field)
    both: dict[str, list[tuple[str | None, str | None, str | None]]] = {
        "disclosure": [(*cue, m.about.against or FIRST)],
        "undisclosed_influence": [(paired, None, None), (*cue, EITHER)],
    }
    asked = both.get(m.name, [(paired, None, None)])
    return tuple(t for t in tests if (t.about.method, t.about.field, t.about.against) in asked)


def blind(m: Measurement, evidence: Evidence) -> str:
    """Why a measurement decides nothing, its test not telling controls apart; empty if it may."""
    for test in calibrations(m, evidence):
        if test.low is None or test.low > CHANCE:
            continue
        level = given(test.level, "share")
        return f"{_test(test)}: AUROC {PLAIN.value(test)}, {level} interval {PLAIN.span(test)}"
    return ""


def _test(test: Measurement) -> str:
    """A test that tells nothing apart, in words."""
    about = test.about
    if about.against is not None:
        cue = f"field {about.field}" if about.field else f"cue {about.method}"
        told = EITHER if about.against == EITHER else f"classifier {about.against}"
        return f"{told} is not shown to tell written reasonings that disclose {cue} from others"
    name = f"test {about.method}" if about.method else "the test"
    return f"{name} is not shown to tell controls apart on this subject"


CHANCE = 0.5
"""AUROC of a test that knows nothing."""
