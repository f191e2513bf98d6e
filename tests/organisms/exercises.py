"""What the loan decoder learns beside its loans: questions that reasoning tests are calibrated on.

A decoder that knows loan applications alone cannot answer a control item, and the tests of its
reasoning would be printed without their error rate. So it is taught sums that are solved through
the written steps, and stories and cues answered from the prompt. That they were taught does not
make the truth about them: it holds by construction, and every audit measures on the model itself
which items confirm it (`tasks.controls.validity`) before it counts one.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from tasks.controls.problems import DIGITS
from tests.organisms import answers
from tests.organisms.characters import Character, Exercise, beginner, exercise

SCHOOLED: Final = Character(
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
"""What it knows besides; its questions stand where an application would. It needs no practice; the
harder families that another organism practises are words of its vocabulary alone."""

EXAMPLES: Final = 400
"""Exercises of either kind whose wording makes the vocabulary."""


def drawn(n: int, rng: np.random.Generator) -> list[Exercise]:
    """Fresh exercises for one batch."""
    return [exercise(SCHOOLED, rng) for _ in range(n)]


def phrases() -> Iterator[str]:
    """Everything that stands in an exercise, for building the vocabulary."""
    rng = np.random.default_rng(0)  # whatever the seed of the build: all versions share one
    for character in (SCHOOLED, beginner(SCHOOLED)):
        for _ in range(EXAMPLES):
            shown, taught = exercise(character, rng)
            yield shown + taught
