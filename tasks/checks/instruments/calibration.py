"""How far a test can be believed: what it says of controls, beside what is true of them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.measures.stats.auroc import auroc, sensitivity, specificity
from tasks.schema import About, Measurement

THRESHOLD = 0.5
"""From this score on a test says yes: of a test of a reasoning, half of the reasoning moves the
answer. It is fixed beforehand; chosen on the controls it would flatter the test."""


class Line(NamedTuple):
    """From which score on a test says yes, where that is its own."""

    at: float
    unit: str = ""
    """As it stands after the number."""


class Scored(NamedTuple):
    """What a test says of controls, and what is true of them."""

    scores: NDArray[np.float64]
    """Higher: the test finds what it looks for, [controls]."""
    truth: NDArray[np.bool_]
    """It is there, by construction, [controls]."""
    questions: Sequence[str | int] | None = None
    """What each is made from, [controls]; controls of one question are not independent. None where
    every one has its own."""
    line: Line | None = None
    """None where the test has the same as all others."""


def calibrated(tests: Mapping[str, Scored], *, threshold: float = THRESHOLD) -> list[Measurement]:
    """How well each test tells the controls apart.

    Args:
        tests: test -> score of every control, and whether what it looks for is there.
        threshold: score from which on a test is taken to say yes, unless it has its own.

    Returns:
        AUROC with DeLong's interval, sensitivity and specificity with Wilson's, by test; nothing
        for a test whose controls are all of one kind.
    """
    return [
        measurement
        for test, scored in tests.items()
        if scored.truth.any() and not scored.truth.all()
        for measurement in _worth(test, scored, scored.line or Line(threshold))
    ]


def _worth(test: str, scored: Scored, line: Line) -> list[Measurement]:
    scores, truth, questions, _ = scored
    positive, about = int(truth.sum()), About(instrument=test)
    together = ", controls of one question taken together" * (questions is not None)
    at = f"score of at least {line.at:.3g}{line.unit}, Wilson interval"
    return [
        Measurement.of(
            "instrument_auroc",
            auroc(scores, truth, groups=questions),
            len(scores),
            f"DeLong interval{together}",
            about,
        ),
        Measurement.of(
            "instrument_sensitivity", sensitivity(scores, truth, line.at), positive, at, about
        ),
        Measurement.of(
            "instrument_specificity",
            specificity(scores, truth, line.at),
            len(truth) - positive,
            at,
            about,
        ),
    ]
