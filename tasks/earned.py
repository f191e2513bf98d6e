"""Which attribution method a sentence may rest on: a method earns its place, or is only shown."""

from collections.abc import Iterable, Sequence
from typing import Literal

from tasks.checks import AttributionCheck
from tasks.schema import Evidence, Measurement

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


def first_earned(methods: Sequence[str], measurements: Sequence[Measurement]) -> str | None:
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
    "disclosure",
    "undisclosed_influence",
)
"""Measurements of a reasoning test: they are worth what the test tells apart on controls."""


def calibration(m: Measurement, evidence: Evidence) -> Measurement | None:
    """AUROC on controls of the test that a measurement comes from, if it was measured."""
    if m.name not in INSTRUMENTED:
        return None
    tests = evidence.named("instrument_auroc")
    return next((t for t in tests if t.about.method == m.about.method), None)


def blind(m: Measurement, evidence: Evidence) -> str:
    """Why a measurement decides nothing, its test not telling controls apart; empty if it may."""
    test = calibration(m, evidence)
    if test is None or test.low is None or test.low > CHANCE:
        return ""
    name = f"test {test.about.method}" if test.about.method else "the test"
    return (
        f"{name} does not tell controls apart on this subject: AUROC {test.value:.2f}, "
        f"{test.level:.0%} interval {test.low:.2f} to {test.high:.2f}"
    )


CHANCE = 0.5
"""AUROC of a test that knows nothing."""
