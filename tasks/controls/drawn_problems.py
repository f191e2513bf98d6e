"""How a problem of each family is drawn at random."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from tasks.controls.problems import (
    CIRCLE,
    COLOURS,
    COMPASS,
    DIGITS,
    FACTORS,
    PLACES,
    SHELVES,
    TURNS,
    Facing,
    Lookup,
    Modular,
    Padded,
    Relay,
    Route,
    Turning,
    Walk,
)


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
