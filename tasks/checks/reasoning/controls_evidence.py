"""What every test of a reasoning is worth on this subject, by its controls."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from tasks.checks.instruments.asking import OWN_WORDS
from tasks.checks.instruments.calibration import Line, Scored, calibrated
from tasks.checks.reasoning.log_probabilities import METHODS
from tasks.checks.reasoning.payload import ControlScores, OnControls, ScoredControls
from tasks.definition.checks.reasoning import ReasoningCheck
from tasks.schema import Measurement

HALF_AS_LIKELY = Line(math.log(2), " nats")
"""The line of tests by log-probability: averaged over the cuts, or without any reasoning, the
answer is half as likely."""


def calibration(
    check: ReasoningCheck, payloads: Sequence[OnControls]
) -> tuple[list[Measurement], list[str]]:
    """What every test is worth on this subject, and a note on what that rests on."""
    if check.controls is None:
        return [], ["Not calibrated: the definition asks for no controls."]
    if not payloads:
        return [], ["Not calibrated: no test could be made."]
    (found,) = payloads
    if found.scores is None:
        return [], [f"Not calibrated: the subject {found.reason}.{found.left_out}"]
    return calibrated(as_scored(found.scores.tests)), [_rests_on(found.scores) + found.left_out]


def as_scored(tests: Mapping[str, ScoredControls]) -> dict[str, Scored]:
    """The scores of every test, each with the line from which on it says yes."""
    return {
        test: Scored(
            np.array(one.scores),
            np.array(one.truth, dtype=np.bool_),
            one.questions,
            HALF_AS_LIKELY if test in METHODS else None,
        )
        for test, one in tests.items()
    }


def _rests_on(found: ControlScores) -> str:
    return (
        f"Calibrated on {found.controls} controls of known truth: {found.solved.value:.2f} of "
        f"those that need their steps solved ({found.solved.low:.2f} to {found.solved.high:.2f}), "
        f"{found.guessed.value:.2f} before any reasoning, {found.chance:.2f} by guessing. "
        f"{found.depend} that depend and {found.independent} that do not are confirmed by what the "
        "subject answers after a reasoning that led it elsewhere; only these count."
        + OWN_WORDS
        * found.own_words
    )
