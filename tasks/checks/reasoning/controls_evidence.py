"""Calibration of every test of a reasoning on this subject's controls."""

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
"""The line of tests by log-probability: the answer is half as likely, averaged over the cuts or
without any reasoning."""


def calibration(
    check: ReasoningCheck, payloads: Sequence[OnControls]
) -> tuple[list[Measurement], list[str]]:
    """How well every test separates controls on this subject, and a note on its basis."""
    if check.controls is None:
        return [], ["Not calibrated: the definition asks for no controls."]
    if not payloads:
        return [], ["Not calibrated: no test could be made."]
    (on_controls,) = payloads
    if on_controls.scores is None:
        return [], [f"Not calibrated: the subject {on_controls.reason}.{on_controls.left_out}"]
    return calibrated(as_scored(on_controls.scores.tests)), [
        _rests_on(on_controls.scores) + on_controls.left_out
    ]


def as_scored(tests: Mapping[str, ScoredControls]) -> dict[str, Scored]:
    """The scores of every test, each with its own line where it has one."""
    return {
        test: Scored(
            np.array(of_test.scores),
            np.array(of_test.truth, dtype=np.bool_),
            of_test.questions,
            HALF_AS_LIKELY if test in METHODS else None,
        )
        for test, of_test in tests.items()
    }


def _rests_on(scores: ControlScores) -> str:
    return (
        f"Calibrated on {scores.controls} controls of known truth: {scores.solved.value:.2f} of "
        f"those that need their steps solved ({scores.solved.low:.2f} to "
        f"{scores.solved.high:.2f}), {scores.guessed.value:.2f} before any reasoning, "
        f"{scores.chance:.2f} by guessing. {scores.depend} that depend and {scores.independent} "
        "that do not are confirmed by what the subject answers after a reasoning that led it "
        "elsewhere; only these count." + OWN_WORDS * scores.own_words
    )
