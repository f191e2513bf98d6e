"""THE table: kind of check -> its room, with its rounds, its evidence, its section.

`tasks.definition.kinds` holds what a definition may ask of a kind, and names the kind's room.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

from tasks.checks.room import Room
from tasks.definition.kinds import kind_of

if TYPE_CHECKING:
    from tasks.explain.offers import Offers


@cache
def room_of(kind: str) -> Room:
    """The room of a kind of check."""
    return Room(kind_of(kind).room)


def offers_of(kind: str) -> "Offers[Any]":
    """What a kind of check contributes to explanations."""
    return room_of(kind).offers
