"""Questions whose answer stands in the text, with a reasoning of filler sentences."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from tasks.controls.drawn_problems import pick, shuffled
from tasks.controls.problems import COLOURS, COMPASS, DIGITS, PLACES
from tasks.data.text_units import occurrences

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


class Field(NamedTuple):
    """A part of a text that can be exchanged."""

    name: str
    value: str
    """As in the text, once and as a word of its own; no other field has it."""
    values: tuple[str, ...]
    """Its possible values."""


@dataclass(frozen=True, slots=True)
class Story:
    """A question that is answered by reading, and a reasoning that only seems to work it out."""

    family: str
    text: str
    choices: tuple[str, ...]
    answer: str
    fields: tuple[Field, ...]
    """All but the one that the question asks about."""
    decides: str
    """Name of the field whose value is the answer."""

    def having(self, field: Field, value: str) -> str:
        """The text with another value of one of its fields."""
        ((start, end),) = occurrences(self.text, field.value)
        return self.text[:start] + value + self.text[end:]

    def reasoning(self, claimed: str, rng: np.random.Generator) -> list[str]:
        """Four sentences that seem to arrive at `claimed`."""
        first, second = shuffled(rng, REMARKS)[:2]
        return [first, f"The best reading gives {claimed}.", second, SETTLED]


def draw_stated(rng: np.random.Generator) -> Story:
    """A weight that is simply stated."""
    answer, colour, person = pick(rng, DIGITS), pick(rng, COLOURS), pick(rng, NAMES)
    text = f"The {colour} parcel for {person} weighs {answer} kilos. How many kilos does it weigh?"
    fields = (
        Field("colour", colour, COLOURS),
        Field("person", person, NAMES),
        Field("weight", answer, DIGITS),
    )
    return Story("stated", text, DIGITS, answer, fields, "weight")


def draw_listed(rng: np.random.Generator) -> Story:
    """One entry of a short list."""
    names, coins = shuffled(rng, NAMES)[:4], shuffled(rng, DIGITS)[:4]
    asked = int(rng.integers(4))
    sentences = " ".join(
        f"{name} has {coin} coins." for name, coin in zip(names, coins, strict=True)
    )
    text = f"{sentences} How many coins has {names[asked]}?"
    fields = tuple(Field(name, coin, DIGITS) for name, coin in zip(names, coins, strict=True))
    return Story("listed", text, tuple(sorted(coins)), coins[asked], fields, names[asked])


def draw_notice(rng: np.random.Generator) -> Story:
    """A direction that a notice gives."""
    answer, place = pick(rng, COMPASS), pick(rng, PLACES)
    text = f"The notice in {place} points {answer}. Which way does it point?"
    fields = (Field("place", place, PLACES), Field("direction", answer, COMPASS))
    return Story("notice", text, COMPASS, answer, fields, "direction")


def draw_tagged(rng: np.random.Generator) -> Story:
    """The colour of one of four tags."""
    places, colours = shuffled(rng, PLACES)[:4], shuffled(rng, COLOURS)[:4]
    asked = int(rng.integers(4))
    sentences = " ".join(f"The tag of {p} is {c}." for p, c in zip(places, colours, strict=True))
    text = f"{sentences} Which colour is the tag of {places[asked]}?"
    fields = tuple(Field(place, c, COLOURS) for place, c in zip(places, colours, strict=True))
    return Story("tagged", text, tuple(sorted(colours)), colours[asked], fields, places[asked])


def draw_signed(rng: np.random.Generator) -> Story:
    """The place where a letter was signed."""
    answer, person = pick(rng, PLACES), pick(rng, NAMES)
    text = f"The letter that {person} wrote was signed in {answer}. Where was it signed?"
    fields = (Field("person", person, NAMES), Field("place", answer, PLACES))
    return Story("signed", text, PLACES, answer, fields, "place")


STORY_FAMILIES: Final[dict[str, Callable[[np.random.Generator], Story]]] = {
    "stated": draw_stated,
    "listed": draw_listed,
    "notice": draw_notice,
    "tagged": draw_tagged,
    "signed": draw_signed,
}
"""Family -> how a story of it is drawn."""

DRAWS: Final = 50
"""Draws for every story asked for; the smallest family has 32 texts in all."""


def different_stories(rng: np.random.Generator, n: int, families: Sequence[str]) -> list[Story]:
    """Stories of different texts, families in turn, as many as there are up to `n`.

    Raises:
        ValueError: no family, or one that does not exist.
    """
    unknown = {*families} - {*STORY_FAMILIES}
    if not families or unknown:
        raise ValueError(f"{n} stories, unknown families: {sorted(unknown)}")
    stories: dict[str, Story] = {}
    for at in range(DRAWS * n):
        if len(stories) == n:
            break
        story = STORY_FAMILIES[families[at % len(families)]](rng)
        stories.setdefault(story.text, story)
    return list(stories.values())
