"""Calibration of a test: its scores of controls against their known truth."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.measures.stats.auroc import auroc, sensitivity, specificity
from tasks.schema import About, Measurement

THRESHOLD = 0.5
"""A test says yes at this score or above: half of the reasoning moves the answer, for a test of a
reasoning. It is fixed beforehand; chosen on the controls it would flatter the test."""


class Line(NamedTuple):
    """A test's own threshold: it says yes at this score or above."""

    at: float
    unit: str = ""
    """As written after the number."""


class Scored(NamedTuple):
    """A test's scores of controls, and their truth."""

    scores: NDArray[np.float64]
    """Higher where the test detects its target, [controls]."""
    truth: NDArray[np.bool_]
    """Whether the target is present, by construction, [controls]."""
    questions: Sequence[str | int] | None = None
    """What each is made from, [controls]; controls of one question are not independent. None where
    each has its own."""
    line: Line | None = None
    """None for the common threshold."""


def calibrated(tests: Mapping[str, Scored], *, threshold: float = THRESHOLD) -> list[Measurement]:
    """How well each test separates the controls.

    Args:
        tests: test -> score of every control, and whether its target is present.
        threshold: a test says yes at this score or above, unless it has its own.

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
