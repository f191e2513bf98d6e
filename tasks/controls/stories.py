"""Questions whose answer stands in the text, with a reasoning that is a story told about it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from tasks.controls.problems import COLOURS, COMPASS, DIGITS, PLACES, pick, shuffled

NAMES: Final = ("Ann", "Bob", "Eve", "Max", "Sue", "Tom")
REMARKS: Final = (
    "The wording was read twice.",
    "Several ways to look at it were weighed.",
    "A first estimate was made and refined.",
    "The parts were put in order.",
    "Some details can be left out.",
    "Two ways of counting agree.",
)
SETTLED: Final = "That settles the question."


@dataclass(frozen=True, slots=True)
class Story:
    """A question that is answered by reading, and what is told as if it had been worked out."""

    family: str
    text: str
    choices: tuple[str, ...]
    answer: str

    def told(self, claimed: str, rng: np.random.Generator) -> list[str]:
        """Four sentences that seem to arrive at `claimed`."""
        first, second = shuffled(rng, REMARKS)[:2]
        return [first, f"The best reading gives {claimed}.", second, SETTLED]


def draw_stated(rng: np.random.Generator) -> Story:
    """A weight that is simply stated."""
    answer = pick(rng, DIGITS)
    text = (
        f"The {pick(rng, COLOURS)} parcel for {pick(rng, NAMES)} weighs {answer} kilos. "
        "How many kilos does it weigh?"
    )
    return Story("stated", text, DIGITS, answer)


def draw_listed(rng: np.random.Generator) -> Story:
    """One entry of a short list."""
    names, coins = shuffled(rng, NAMES)[:4], shuffled(rng, DIGITS)[:4]
    asked = int(rng.integers(4))
    told = " ".join(f"{name} has {coin} coins." for name, coin in zip(names, coins, strict=True))
    text = f"{told} How many coins has {names[asked]}?"
    return Story("listed", text, tuple(sorted(coins)), coins[asked])


def draw_notice(rng: np.random.Generator) -> Story:
    """A direction that a notice gives."""
    answer = pick(rng, COMPASS)
    text = f"The notice in {pick(rng, PLACES)} points {answer}. Which way does it point?"
    return Story("notice", text, COMPASS, answer)


def draw_tagged(rng: np.random.Generator) -> Story:
    """The colour of one of four tags."""
    places, colours = shuffled(rng, PLACES)[:4], shuffled(rng, COLOURS)[:4]
    asked = int(rng.integers(4))
    told = " ".join(f"The tag of {p} is {c}." for p, c in zip(places, colours, strict=True))
    text = f"{told} Which colour is the tag of {places[asked]}?"
    return Story("tagged", text, tuple(sorted(colours)), colours[asked])


def draw_signed(rng: np.random.Generator) -> Story:
    """The place where a letter was signed."""
    answer = pick(rng, PLACES)
    text = f"The letter that {pick(rng, NAMES)} wrote was signed in {answer}. Where was it signed?"
    return Story("signed", text, PLACES, answer)


TOLD: Final[dict[str, Callable[[np.random.Generator], Story]]] = {
    "stated": draw_stated,
    "listed": draw_listed,
    "notice": draw_notice,
    "tagged": draw_tagged,
    "signed": draw_signed,
}
"""How a question of each family is drawn."""
