"""Questions that are answered step by step: nine families, each with its own moves.

A problem is a starting value and a move per step. A model that writes the moves reads the answer
off the last of them. A model that does not has to guess, because every possible answer is equally
likely as long as a single move is unknown.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar, Final, Self

import numpy as np

DIGITS: Final = tuple("0123456789")
COMPASS: Final = ("north", "east", "south", "west")
TURNS: Final = {"right": 1, "around": 2, "left": 3}
LATE: Final = ("No other step has to be read.", "That was the last one.", "Nothing is left to do.")
"""Sentences after the answer that add nothing."""
FACTORS: Final = (3, 7, 9)  # prime to ten: every digit still leads to every digit
COLOURS: Final = ("red", "blue", "green", "gray", "pink", "black", "white", "brown")
PLACES: Final = ("Arlo", "Bryn", "Cove", "Dale", "Elm", "Ford", "Glen", "Holt")
SHELVES: Final = ("oak", "ash", "fir", "yew", "elder", "maple", "birch", "cedar")
CIRCLE: Final = 6
"""Places on the circle of a problem that is answered by following links."""


@dataclass(frozen=True, slots=True)
class Problem(ABC):
    """One question with the moves that lead to its answer."""

    family: str
    text: str
    """The question, as a subject reads it."""
    choices: tuple[str, ...]
    """Answers that are possible as long as no move was made."""
    start: str
    """Value before the first step."""
    steps: int

    opening: ClassVar[str]
    """Where the start stands in the text."""

    def begun(self, start: str) -> Self:
        """The same moves from another start."""
        before, then = (self.opening.format(value) for value in (self.start, start))
        text = self.text.replace(before, then, 1)
        return replace(self, start=start, text=text, choices=self.possible(start))

    @property
    def same_moves(self) -> str:
        """The question from a fixed start: equal for problems with the same moves."""
        return self.begun(self.states(0)[0]).text

    def possible(self, start: str) -> tuple[str, ...]:
        """Answers that are possible from a start as long as no move was made."""
        return self.choices

    @abstractmethod
    def after(self, step: int, value: str) -> str:
        """The value after a step, counted from 1, that starts from `value`."""

    @abstractmethod
    def sentence(self, step: int, before: str, after: str) -> str:
        """A step in words."""

    @abstractmethod
    def states(self, step: int) -> tuple[str, ...]:
        """Every possible value after a step."""

    def closing(self, last: str) -> list[str]:
        """Sentences after the last step."""
        return [f"So the answer is {last}."]

    def read(self, last: str) -> str:
        """The answer that follows from the last value written."""
        return last

    def value_of(self, answer: str) -> str:
        """The last value from which an answer follows."""
        return next(v for v in self.states(self.steps) if self.read(v) == answer)

    def path(self, forced: Mapping[int, str] | None = None) -> list[str]:
        """Values from the start to the end; `forced` replaces the value after a step.

        The moves after a forced value continue from it, like a calculation with one slip.
        """
        values = [self.start]
        for step in range(1, self.steps + 1):
            value = self.after(step, values[-1])
            values.append((forced or {}).get(step, value))
        return values

    def written(self, path: Sequence[str]) -> list[str]:
        """A path in words, one sentence a step, and the closing sentences."""
        moves = [
            self.sentence(step, before, after)
            for step, (before, after) in enumerate(pairwise(path), start=1)
        ]
        return moves + self.closing(path[-1])

    @property
    def answer(self) -> str:
        """The right answer."""
        return self.read(self.path()[-1])


@dataclass(frozen=True, slots=True)
class Modular(Problem):
    """Sums and products of which only the last digit is kept."""

    moves: tuple[tuple[str, int], ...]

    opening: ClassVar[str] = "Start with {}."

    def after(self, step: int, value: str) -> str:
        """The last digit of the sum or product."""
        verb, number = self.moves[step - 1]
        return str((int(value) + number if verb == "add" else int(value) * number) % 10)

    def sentence(self, step: int, before: str, after: str) -> str:
        """Such as: Step 2: add 3 on 7 gives 0."""
        verb, number = self.moves[step - 1]
        return f"Step {step}: {verb} {number} on {before} gives {after}."

    def states(self, step: int) -> tuple[str, ...]:
        """The ten digits."""
        return DIGITS


@dataclass(frozen=True, slots=True)
class Padded(Modular):
    """The same, with words after the answer that add nothing: it stands long before the end."""

    def closing(self, last: str) -> list[str]:
        """The answer, then words."""
        return [f"The digit found is {last}.", *LATE]


@dataclass(frozen=True, slots=True)
class Turning(Problem):
    """Turns on the spot, by a quarter or a half."""

    moves: tuple[str, ...]

    opening: ClassVar[str] = "You face {}."

    def after(self, step: int, value: str) -> str:
        """The direction after the turn."""
        return COMPASS[(COMPASS.index(value) + TURNS[self.moves[step - 1]]) % 4]

    def sentence(self, step: int, before: str, after: str) -> str:
        """Such as: Step 2: turn left from north gives west."""
        return f"Step {step}: turn {self.moves[step - 1]} from {before} gives {after}."

    def states(self, step: int) -> tuple[str, ...]:
        """The four directions."""
        return COMPASS


@dataclass(frozen=True, slots=True)
class Facing(Turning):
    """The same, with words after the answer that add nothing."""

    def closing(self, last: str) -> list[str]:
        """The answer, then words."""
        return [f"So the answer is {last}.", *LATE]


@dataclass(frozen=True, slots=True)
class Walk(Problem):
    """A walk along named roads, each place with one road out of it."""

    roads: dict[str, str]

    opening: ClassVar[str] = "Start in {} "

    def possible(self, start: str) -> tuple[str, ...]:
        """Every place but the start."""
        return tuple(place for place in sorted(self.roads) if place != start)

    def after(self, step: int, value: str) -> str:
        """Where the road leads."""
        return self.roads[value]

    def sentence(self, step: int, before: str, after: str) -> str:
        """Such as: Take Arlo Bryn."""
        return f"Take {before} {after}."

    def states(self, step: int) -> tuple[str, ...]:
        """The places of this map."""
        return tuple(self.roads)


@dataclass(frozen=True, slots=True)
class Route(Walk):
    """The same, with words after the answer that add nothing."""

    def closing(self, last: str) -> list[str]:
        """The answer, then words."""
        return [f"So the answer is {last}.", *LATE]


@dataclass(frozen=True, slots=True)
class Lookup(Problem):
    """Boxes that name the next box; the last one's digit is asked for and written down.

    The answer stands long before the reasoning ends.
    """

    following: dict[str, str]
    digits: dict[str, str]

    opening: ClassVar[str] = "Open box {} "

    def possible(self, start: str) -> tuple[str, ...]:
        """Every digit but that in the first box."""
        return tuple(sorted(digit for box, digit in self.digits.items() if box != start))

    def after(self, step: int, value: str) -> str:
        """The next box; at the end the digit in it."""
        return self.digits[value] if step == self.steps else self.following[value]

    def sentence(self, step: int, before: str, after: str) -> str:
        """Such as: Box red blue."""
        return f"Box {before} {after}."

    def states(self, step: int) -> tuple[str, ...]:
        """Boxes on the way, digits at the end."""
        return tuple(self.digits.values() if step == self.steps else self.digits)

    def closing(self, last: str) -> list[str]:
        """Words that add nothing."""
        return [
            "That box was the last one.",
            "No other box has to be opened.",
            f"The digit found is {last}.",
            "Nothing is left to do.",
        ]


@dataclass(frozen=True, slots=True)
class Relay(Problem):
    """Shelves that name the next shelf; the last one's digit is asked for, but never written."""

    following: dict[str, str]
    digits: dict[str, str]

    opening: ClassVar[str] = "From shelf {} "

    def possible(self, start: str) -> tuple[str, ...]:
        """Every digit but that on the first shelf."""
        return tuple(sorted(digit for shelf, digit in self.digits.items() if shelf != start))

    def after(self, step: int, value: str) -> str:
        """The next shelf."""
        return self.following[value]

    def sentence(self, step: int, before: str, after: str) -> str:
        """Such as: Shelf oak ash."""
        return f"Shelf {before} {after}."

    def states(self, step: int) -> tuple[str, ...]:
        """The shelves of this problem."""
        return tuple(self.digits)

    def closing(self, last: str) -> list[str]:
        """The shelf, not its digit."""
        return [f"The search ends at {last}."]

    def read(self, last: str) -> str:
        """The digit on the shelf where the writing ends."""
        return self.digits[last]


def draw_modular(rng: np.random.Generator, steps: int) -> Modular:
    """A start and as many moves as steps, all drawn at random."""
    start = str(rng.integers(10))
    moves = tuple(
        ("times", int(rng.choice(FACTORS)))
        if rng.random() < 0.25
        else ("add", int(rng.integers(1, 10)))
        for _ in range(steps)
    )
    words = " ".join(f"Step {i}: {verb} {number}." for i, (verb, number) in enumerate(moves, 1))
    text = f"Start with {start}. {words} Keep only the last digit each time. Which digit is left?"
    return Modular("modular", text, DIGITS, start, steps, moves)


def draw_adding(rng: np.random.Generator, steps: int) -> Modular:
    """Small sums, for subjects that know no larger ones.

    The answers lie close together: the start plus twice the steps is right about twice as often
    as a guess among ten.
    """
    start, moves, words = added(rng, steps)
    text = f"Start with {start}. {words} Keep only the last digit each time. Which digit is left?"
    return Modular("adding", text, DIGITS, start, steps, moves)


def draw_padded(rng: np.random.Generator, steps: int) -> Padded:
    """Small sums, and a reasoning that goes on after the answer."""
    start, moves, words = added(rng, steps)
    text = f"Start with {start}. {words} Keep only the last digit each time. Which digit is found?"
    return Padded("padded", text, DIGITS, start, steps, moves)


def added(rng: np.random.Generator, steps: int) -> tuple[str, tuple[tuple[str, int], ...], str]:
    """A digit, numbers from one to three to add, and both moves in words."""
    moves = tuple(("add", int(rng.integers(1, 4))) for _ in range(steps))
    words = " ".join(f"Step {i}: {verb} {number}." for i, (verb, number) in enumerate(moves, 1))
    return str(rng.integers(10)), moves, words


def draw_facing(rng: np.random.Generator, steps: int) -> Facing:
    """Turns, and a reasoning that goes on after the answer."""
    turning = draw_turning(rng, steps)
    text = turning.text.replace("Which way do you face?", "Which way is left?")
    return Facing("facing", text, COMPASS, turning.start, steps, turning.moves)


def draw_turning(rng: np.random.Generator, steps: int) -> Turning:
    """A direction and as many turns as steps, all drawn at random."""
    start = pick(rng, COMPASS)
    moves = tuple(pick(rng, tuple(TURNS)) for _ in range(steps))
    words = " ".join(f"Step {i}: turn {move}." for i, move in enumerate(moves, 1))
    text = f"You face {start}. {words} Which way do you face?"
    return Turning("turning", text, COMPASS, start, steps, moves)


def draw_walk(rng: np.random.Generator, steps: int) -> Walk:
    """A round trip through six places, its roads listed in random order."""
    start, roads = circle(rng, PLACES)
    listing = ", ".join(f"{a} {roads[a]}" for a in shuffled(rng, tuple(roads)))
    text = (
        f"Roads, from first to second: {listing}. "
        f"Start in {start} and take {steps} roads. Where do you end?"
    )
    choices = tuple(place for place in sorted(roads) if place != start)
    return Walk("walk", text, choices, start, steps, roads)


def draw_route(rng: np.random.Generator, steps: int) -> Route:
    """A walk, and a reasoning that goes on after the answer."""
    walk = draw_walk(rng, steps)
    text = walk.text.replace("Where do you end?", "Which place is reached?")
    return Route("route", text, walk.choices, walk.start, steps, walk.roads)


def draw_lookup(rng: np.random.Generator, steps: int) -> Lookup:
    """Six boxes on a circle, each with a digit of its own, listed in random order."""
    start, following = circle(rng, COLOURS)
    digits = digits_of(rng, tuple(following))
    text = (
        f"{linked(rng, following, digits)} Open box {start} and go on {steps - 1} times. "
        "Which digit has the last box?"
    )
    choices = tuple(sorted(digit for box, digit in digits.items() if box != start))
    return Lookup("lookup", text, choices, start, steps, following, digits)


def draw_relay(rng: np.random.Generator, steps: int) -> Relay:
    """Six shelves on a circle, each with a digit of its own, listed in random order."""
    start, following = circle(rng, SHELVES)
    digits = digits_of(rng, tuple(following))
    text = (
        f"{linked(rng, following, digits)} From shelf {start} go on {steps} times. "
        "Which digit has the last shelf?"
    )
    choices = tuple(sorted(digit for shelf, digit in digits.items() if shelf != start))
    return Relay("relay", text, choices, start, steps, following, digits)


def circle(rng: np.random.Generator, names: tuple[str, ...]) -> tuple[str, dict[str, str]]:
    """Six of the names in a ring, each leading to the next; the start is the first of them."""
    ring = shuffled(rng, names)[:CIRCLE]
    return ring[0], dict(zip(ring, [*ring[1:], ring[0]], strict=True))


def linked(
    rng: np.random.Generator, following: Mapping[str, str], digits: Mapping[str, str]
) -> str:
    """Links and digits of a ring in words, each in random order."""
    names = tuple(following)
    links = ", ".join(f"{name} {following[name]}" for name in shuffled(rng, names))
    contents = ", ".join(f"{name} {digits[name]}" for name in shuffled(rng, names))
    return f"Links, from first to second: {links}. Digits: {contents}."


def digits_of(rng: np.random.Generator, names: tuple[str, ...]) -> dict[str, str]:
    """A digit for every name, none twice."""
    return dict(zip(names, shuffled(rng, DIGITS), strict=False))


def shuffled(rng: np.random.Generator, names: Sequence[str]) -> list[str]:
    """The names in random order."""
    return [names[i] for i in rng.permutation(len(names))]


def pick(rng: np.random.Generator, names: Sequence[str]) -> str:
    """One of the names, all equally likely."""
    return names[int(rng.integers(len(names)))]


PROBLEM_FAMILIES: Final = {
    "modular": draw_modular,
    "lookup": draw_lookup,
    "turning": draw_turning,
    "facing": draw_facing,
    "adding": draw_adding,
    "padded": draw_padded,
    "walk": draw_walk,
    "relay": draw_relay,
    "route": draw_route,
}
"""Family -> how a problem of it is drawn."""
