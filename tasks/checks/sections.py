"""The section of any check in the report, made by its room."""

from collections.abc import Iterable

from tasks.checks import room_of
from tasks.report.blocks import Block
from tasks.report.shown import Shown
from tasks.schema import Evidence, Measurement


def section_of(evidence: Evidence, decided: Iterable[Measurement] = ()) -> list[Block]:
    """What a check's section of the report holds between heading and full table."""
    return room_of(evidence.check.kind).section(Shown(evidence, evidence.check, tuple(decided)))
