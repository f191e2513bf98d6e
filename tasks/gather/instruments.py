"""How far a reasoning test can be believed: it is run on controls whose truth is known."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.checks import ReasoningTest
from tasks.endpoint.second import SecondEndpoint
from tasks.gather.altered import answers_under
from tasks.gather.curves import areas
from tasks.gather.writing import Written
from tasks.measures.auroc import auroc, sensitivity, specificity
from tasks.schema import About, Measurement

THRESHOLD = 0.5
"""From this dependence on a test calls an answer dependent: half of the reasoning moves it. It is
fixed beforehand; chosen on the controls it would flatter the test."""


class Scored(NamedTuple):
    """What a test says of controls, and what is true of them."""

    scores: NDArray[np.float64]
    """Higher: the test finds what it looks for, [controls]."""
    truth: NDArray[np.bool_]
    """It is there, by construction, [controls]."""


def scored(
    subject: Any,
    texts: Sequence[str],
    written: Sequence[Written],
    truth: Sequence[bool],
    tests: Sequence[ReasoningTest],
    shares: Sequence[float],
    *,
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
        seed: the definition's.
        paraphraser: for the test that needs one.

    Returns:
        Test -> scores and truth, over the controls that it could change and read.
    """
    found = {}
    seeds = [seed + i for i in range(len(texts))]
    for test in tests:
        told = answers_under(
            subject, texts, written, test, shares, seeds=seeds, paraphraser=paraphraser
        )
        kept = [
            (i, {"answer": w.answer, "tests": {test: one}})
            for i, (w, one) in enumerate(zip(written, told, strict=True))
            if w.answer is not None and one is not None and None not in one["answers"]
        ]
        if kept:
            held = np.array([truth[i] for i, _ in kept], dtype=bool)
            found[str(test)] = Scored(areas(test, shares, [r for _, r in kept]), held)
    return found


def calibrated(
    tests: Mapping[str, tuple[NDArray[np.float64], NDArray[np.bool_]]],
    *,
    threshold: float = THRESHOLD,
) -> list[Measurement]:
    """How well each test tells the controls apart.

    Args:
        tests: test -> score of every control, and whether what it looks for is there.
        threshold: score from which on the test is taken to say yes.

    Returns:
        AUROC with DeLong's interval, sensitivity and specificity with Wilson's, by test; nothing
        for a test whose controls are all of one kind.
    """
    found = []
    for test, (scores, truth) in tests.items():
        positive, negative = int(truth.sum()), int((~truth).sum())
        if not positive or not negative:
            continue
        about = About(method=test)
        at = f"score of at least {threshold:g}, Wilson interval"
        value = auroc(scores, truth)
        found += [
            Measurement.of("instrument_auroc", value, len(scores), "DeLong interval", about),
            Measurement.of("instrument_sensitivity", sensitivity(scores, truth, threshold),
                           positive, at, about),
            Measurement.of("instrument_specificity", specificity(scores, truth, threshold),
                           negative, at, about),
        ]  # fmt: skip
    return found
