"""THE table: kind of check -> its room, with its rounds, its evidence, its section.

What a definition may ask of a kind stands in `tasks.definition.kinds`, which also names the room.
"""

from functools import cache

from tasks.checks.room import Room


@cache
def room_of(kind: str) -> Room:
    """The room of a kind of check."""
    return Room(f"tasks.checks.{kind}")
