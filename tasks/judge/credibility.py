"""Whether a number may be relied on: a credible method, a test that separates its controls."""

from collections.abc import Iterable, Sequence
from typing import Final, Literal, TypeVar

from tasks.definition.digits import given
from tasks.schema import Evidence, Measurement
from tasks.schema.notation import PLAIN

M = TypeVar("M", bound=str)

RANDOM: Final = "random order"
REDONE: Final[dict[str, Literal["top", "all"]]] = {
    "last block and head shuffled": "top",
    "all weights shuffled": "all",
}
"""Randomised weights that a method is run on again."""

AGAINST: Final = (RANDOM, *REDONE)
"""Baselines that a method must beat."""

CHANCE: Final = 0.5
"""AUROC of a test at chance."""


def is_credible(method: str, measurements: Iterable[Measurement]) -> bool:
    """Whether a method beats a random order and itself on randomised weights.

    It does when removing the units that it ranks highest moves the decision more than each baseline
    does: all three intervals of the comprehensiveness gain lie above 0.

    Source: Adebayo et al. 2018, arXiv:1810.03292, for the randomised weights.
    """
    by_baseline = {
        m.about.baseline: m
        for m in measurements
        if m.name == "comprehensiveness_gain" and m.about.method == method
    }
    gains = [by_baseline.get(baseline) for baseline in AGAINST]
    return all(m is not None and m.low is not None and m.low > 0 for m in gains)


def first_credible(methods: Sequence[M], measurements: Sequence[Measurement]) -> M | None:
    """The first of `methods` that is credible; none if none is."""
    return next((method for method in methods if is_credible(method, measurements)), None)


def calibrations(m: Measurement, evidence: Evidence) -> tuple[Measurement, ...]:
    """AUROC on controls of the tests that a measurement depends on, where measured."""
    return tuple(t for t in evidence.named("instrument_auroc") if t.about in m.rests_on)


def untrusted(m: Measurement, evidence: Evidence) -> str:
    """Why a measurement decides nothing: its test does not separate controls; empty if it may."""
    for test in calibrations(m, evidence):
        if test.low is None or test.low > CHANCE:
            continue
        level = given(test.level, "share")
        return f"{_test(test)}: AUROC {PLAIN.value(test)}, {level} interval {PLAIN.span(test)}"
    return ""


def _test(test: Measurement) -> str:
    """Words for a test that does not separate its controls."""
    about = test.about
    if about.classifier is not None:
        cue = f"field {about.field}" if about.field else f"cue {about.cue}"
        return (
            f"written reasonings that disclose {cue} are not shown to be recognised by "
            f"{about.classifier}"
        )
    name = f"test {about.instrument}" if about.instrument else "the test"
    return f"{name} is not shown to tell controls apart on this subject"
