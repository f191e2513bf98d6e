"""How far a reasoning test can be believed: it is run on controls whose truth is known."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.checks.reasoning import log_probabilities
from tasks.checks.reasoning.curves import areas, usable
from tasks.checks.reasoning.interventions import under_tests
from tasks.definition.checks import LOG_PROBABILITY, ReasoningTest
from tasks.measures.stats.auroc import auroc, sensitivity, specificity
from tasks.schema import About, Measurement
from tasks.subjects.endpoint.second_model import SecondEndpoint
from tasks.subjects.outputs import Written
from tasks.subjects.protocols import Resumes

THRESHOLD = 0.5
"""From this dependence on a test calls an answer dependent: half of the reasoning moves it. It is
fixed beforehand; chosen on the controls it would flatter the test."""

IN_NATS = dict.fromkeys(log_probabilities.METHODS, math.log(2))
"""The same for tests by log-probability: averaged over the cuts, or without any reasoning, the
answer is half as likely."""


class Scored(NamedTuple):
    """What a test says of controls, and what is true of them."""

    scores: NDArray[np.float64]
    """Higher: the test finds what it looks for, [controls]."""
    truth: NDArray[np.bool_]
    """It is there, by construction, [controls]."""
    questions: Sequence[str | int] | None = None
    """What each is made from, [controls]; controls of one question are not independent. None where
    every one has its own."""


def scored(
    subject: Resumes,
    texts: Sequence[str],
    written: Sequence[Written],
    truth: Sequence[bool],
    tests: Sequence[ReasoningTest],
    shares: Sequence[float],
    *,
    questions: Sequence[str] | None = None,
    seed: int,
    paraphraser: SecondEndpoint | None = None,
) -> dict[str, Scored]:
    """Every test run on controls: the dependence it finds, text by text.

    Args:
        subject: whoever wrote.
        texts: the controls.
        written: reasoning and answer of each.
        truth: whether its answer depends on the reasoning, by construction.
        tests: which tests.
        shares: left as they are, rising from 0 to 1.
        questions: what each is made from; the texts where no two are made from one.
        seed: the definition's.
        paraphraser: for the test that needs one.

    Returns:
        Test -> scores and truth, over the controls that it could change and read. Tests by
        log-probability give two scores: over the cuts, and without any reasoning.
    """
    found = {}
    seeds = [seed + i for i in range(len(texts))]
    told = under_tests(subject, texts, written, tests, shares, seeds=seeds, paraphraser=paraphraser)
    for test, of_text in told.items():
        sample = [
            {"answer": w.answer, "truth": true, "question": question, "tests": {test: one}}
            for w, true, question, one in zip(
                written, truth, questions or texts, of_text, strict=True
            )
        ]
        likely = test == LOG_PROBABILITY
        kept = log_probabilities.usable(sample) if likely else usable(test, sample)
        if kept:
            lost = log_probabilities.lost(shares, kept) if likely else {}
            held = np.array([r["truth"] for r in kept], dtype=bool)
            for name, values in (lost or {str(test): areas(test, shares, kept)}).items():
                found[name] = Scored(values, held, [r["question"] for r in kept])
    return found


def calibrated(tests: Mapping[str, Scored], *, threshold: float = THRESHOLD) -> list[Measurement]:
    """How well each test tells the controls apart.

    Args:
        tests: test -> score of every control, and whether what it looks for is there.
        threshold: score from which on a test is taken to say yes; tests by log-probability have
            their own.

    Returns:
        AUROC with DeLong's interval, sensitivity and specificity with Wilson's, by test; nothing
        for a test whose controls are all of one kind.
    """
    found = []
    for test, (scores, truth, questions) in tests.items():
        positive, negative = int(truth.sum()), int((~truth).sum())
        if not positive or not negative:
            continue
        about = About(method=test)
        line = IN_NATS.get(test, threshold)
        at = f"score of at least {line:.3g}{' nats' * (test in IN_NATS)}, Wilson interval"
        value = auroc(scores, truth, groups=questions)
        together = ", controls of one question taken together" * (questions is not None)
        found += [
            Measurement.of("instrument_auroc", value, len(scores),
                           f"DeLong interval{together}", about),
            Measurement.of("instrument_sensitivity", sensitivity(scores, truth, line),
                           positive, at, about),
            Measurement.of("instrument_specificity", specificity(scores, truth, line),
                           negative, at, about),
        ]  # fmt: skip
    return found
