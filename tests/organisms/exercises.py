"""Exercises of the loan decoder beside its loans: questions that calibrate reasoning tests.

A decoder that knows loan applications alone cannot answer a control item, and the tests of its
reasoning would be printed without their error rate. So it is taught sums that are solved through
the written steps, and stories and cues answered from the prompt. Their truth does not rest on the
teaching: it holds by construction, and every audit counts only the items that the model's own
answers confirm (`tasks.controls.validity`).
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from tasks.controls.problems import DIGITS
from tests.organisms import answers
from tests.organisms.designs import Design, Exercise, beginner, exercise

SCHOOLED: Final = Design(
    name="loan-approval",
    architecture="llama",
    problems=("adding", "padded"),
    stories=("stated",),
    cues=("suggested",),
    polled="adding",
    practised=("modular", "lookup", "modular"),
    prompt=answers.prompt("{text}"),
    prefix=answers.DECISION,
    choices=DIGITS,
)
"""What it knows beside loans; its questions take the place of an application. It needs no practice:
the harder families, which another organism practises, only add words to its vocabulary."""

EXAMPLES: Final = 400
"""Exercises of either kind whose wording makes the vocabulary."""


def drawn(n: int, rng: np.random.Generator) -> list[Exercise]:
    """Fresh exercises for one batch."""
    return [exercise(SCHOOLED, rng) for _ in range(n)]


def phrases() -> Iterator[str]:
    """Everything that stands in an exercise, for building the vocabulary."""
    rng = np.random.default_rng(0)  # for every seed of the build: all versions share one
    for design in (SCHOOLED, beginner(SCHOOLED)):
        for _ in range(EXAMPLES):
            shown, taught = exercise(design, rng)
            yield shown + taught
