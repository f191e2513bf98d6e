"""THE table: kind of check -> its room, with its rounds, its evidence, its section.

What a definition may ask of a kind stands in `tasks.definition.kinds`, which also names the room.
"""

from collections.abc import Iterable
from functools import cache

from tasks.checks.room import Room
from tasks.report.blocks import Block
from tasks.report.shown import Shown
from tasks.run.decisions import DECISIONS
from tasks.run.rounds import AnyRound
from tasks.run.shards import ShardRef
from tasks.schema import Evidence, Measurement


@cache
def room_of(kind: str) -> Room:
    """The room of a kind of check."""
    return Room(f"tasks.checks.{kind}")


def round_of(ref: ShardRef) -> AnyRound:
    """The round that a shard belongs to."""
    if ref.check is None or ref.round == DECISIONS.name:
        return DECISIONS
    return next(one for one in room_of(ref.check).rounds if one.name == ref.round)


def section_of(evidence: Evidence, decided: Iterable[Measurement] = ()) -> list[Block]:
    """What a check's section of the report holds between heading and full table."""
    return room_of(evidence.check.kind).section(Shown(evidence, evidence.check, tuple(decided)))
