"""The room of a kind of check: the package that does its work, one part imported when needed.

Every room has the same parts:

* `rounds.py`: `ROUNDS`, the steps that measure, in order
* `evidence.py`: `evidence(asked, finished)`, the measurements made of what they left
* `section.py`: `section(shown)`, the blocks of its section in the report
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

from tasks.definition.checks import BaseCheck
from tasks.report.blocks import Block
from tasks.report.shown import Shown
from tasks.run.rounds import AnyRound, Asked, Finished
from tasks.schema import Evidence


@dataclass(frozen=True)
class Room:
    """One kind's package."""

    package: str
    """Import path, such as `tasks.checks.fairness`."""

    @property
    def rounds(self) -> Sequence[AnyRound]:
        """The steps that measure, in order."""
        rounds: Sequence[AnyRound] = import_module(f"{self.package}.rounds").ROUNDS
        return rounds

    def evidence(self, asked: Asked[BaseCheck], finished: Finished) -> Evidence:
        """The measurements made of what the rounds left."""
        evidence: Evidence = import_module(f"{self.package}.evidence").evidence(asked, finished)
        return evidence

    def section(self, shown: Shown[BaseCheck]) -> list[Block]:
        """What the kind's section of the report holds between heading and full table."""
        blocks: list[Block] = import_module(f"{self.package}.section").section(shown)
        return blocks
