"""The section of any check in the report, made by its room."""

from collections.abc import Iterable

from tasks.checks import room_of
from tasks.report.blocks import Block
from tasks.report.shown import Shown
from tasks.schema import Evidence, Measurement
from tasks.schema.notation import PLAIN, Notation


def section_of(
    evidence: Evidence, decided: Iterable[Measurement] = (), notation: Notation = PLAIN
) -> list[Block]:
    """What a check's section of the report holds between heading and full table."""
    shown = Shown(evidence, evidence.check, tuple(decided), notation)
    return room_of(evidence.check.kind).section(shown)
