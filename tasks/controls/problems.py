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
