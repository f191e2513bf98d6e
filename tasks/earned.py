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
