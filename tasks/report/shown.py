"""The input of a section of the report."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from tasks.definition.checks.base import BaseCheck
from tasks.report.blocks import Block
from tasks.schema import Evidence, Measurement
from tasks.schema.notation import PLAIN, Notation

C = TypeVar("C", bound=BaseCheck, covariant=True)


@dataclass(frozen=True, slots=True)
class Shown(Generic[C]):
    """One check's evidence, and which of its measurements decided a gate."""

    evidence: Evidence
    check: C
    """What was asked, as its own kind of check."""
    decided: tuple[Measurement, ...] = ()
    notation: Notation = PLAIN
    """The report's notation of measurements."""


SectionOf: TypeAlias = Callable[[Evidence, Iterable[Measurement], Notation], list[Block]]
"""Makes the blocks of a check's section, from its evidence and the deciding measurements."""
