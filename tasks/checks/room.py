"""The room of a kind of check: the package that does its work, one part imported when needed.

Every room has the same parts; the first two import no model library, so that an audit can be
checked in seconds:

* `preflight.py`: `PREFLIGHT`, what is knowable before a model loads; may be absent
* `cost.py`: `calls(...)`, what an endpoint is asked at most; may be absent
* `rounds.py`: `ROUNDS`, the steps that measure, in order
* `evidence.py`: `evidence(asked, finished)`, the measurements made of what they left
* `facts.py`: `OFFERS`, what it contributes to explanations of findings; may be absent
* `section.py`: `section(shown)`, the blocks of its section in the report
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

    from tasks.definition.checks.base import BaseCheck
    from tasks.explain.offers import Offers
    from tasks.report.blocks import Block
    from tasks.report.shown import Shown
    from tasks.run.cost import Asking, Calls
    from tasks.run.plan import Plan
    from tasks.run.preflight import Preflight
    from tasks.run.rounds import AnyRound, Asked, Finished
    from tasks.schema import Evidence


@dataclass(frozen=True)
class Room:
    """One kind's package."""

    package: str
    """Import path, such as `tasks.checks.fairness`."""

    @property
    def preflight(self) -> Preflight[Any]:
        """What is knowable before a model loads."""
        from tasks.run.preflight import Preflight

        part = self._part("preflight")
        known: Preflight[Any] = Preflight() if part is None else part.PREFLIGHT
        return known

    def calls(self, plan: Plan, check: BaseCheck, asking: Asking | None) -> Iterator[Calls]:
        """What the check asks of endpoints at most."""
        part = self._part("cost")
        yield from () if part is None else part.calls(plan, check, asking)

    @property
    def rounds(self) -> Sequence[AnyRound]:
        """The steps that measure, in order."""
        rounds: Sequence[AnyRound] = import_module(f"{self.package}.rounds").ROUNDS
        return rounds

    def evidence(self, asked: Asked[Any], finished: Finished) -> Evidence:
        """The measurements made of what the rounds left."""
        evidence: Evidence = import_module(f"{self.package}.evidence").evidence(asked, finished)
        return evidence

    @property
    def offers(self) -> Offers[Any]:
        """What the kind contributes to explanations."""
        from tasks.explain.offers import Offers

        part = self._part("facts")
        known: Offers[Any] = Offers() if part is None else part.OFFERS
        return known

    def section(self, shown: Shown[Any]) -> list[Block]:
        """What the kind's section of the report holds between heading and full table."""
        blocks: list[Block] = import_module(f"{self.package}.section").section(shown)
        return blocks

    def _part(self, name: str) -> ModuleType | None:
        """A part that may be absent."""
        module = f"{self.package}.{name}"
        return import_module(module) if find_spec(module) else None
