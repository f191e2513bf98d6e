"""What a kind of check contributes to explanations: of its own findings, and of others'."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, Literal, NamedTuple, TypeAlias, TypeVar

from tasks.definition.checks.base import BaseCheck
from tasks.explain.facts import Fact
from tasks.schema import Evidence, Measurement, Report

C = TypeVar("C", bound=BaseCheck)

Role: TypeAlias = Literal["where the model looks", "what an exchange does", "what an erasure does"]
"""What a fact adds to a finding about a group; of each role the first kind that has one speaks."""

ROLES: tuple[Role, ...] = ("where the model looks", "what an exchange does", "what an erasure does")
"""In the order in which they are said."""


class Behind(NamedTuple):
    """A failed finding that facts of other kinds are sought for."""

    report: Report
    subject: str
    attribute: str
    """Protected attribute that the finding is about."""
    group: str | None
    """The group that fares worse, where one is named."""
    exchanged: frozenset[str]
    """Fields that a check of the audit exchanges."""


Facts: TypeAlias = Callable[[Behind, Evidence, C], Iterable[Fact]]


@dataclass(frozen=True)
class Offers(Generic[C]):
    """One kind's contribution; every part may be left out."""

    beside: Callable[[Evidence, Measurement], Mapping[str, Measurement]] = lambda _, __: {}
    """Further measurements that the sentence about a deciding one needs, by their part in it;
    `lowest` names the group that fares worst."""
    names: Callable[[C], Mapping[str, str]] = lambda _: {}
    """Names of fields and attributes in the check's sentences: `swapped`, `across`."""
    used: Callable[[Measurement, C], frozenset[str]] = lambda _, __: frozenset()
    """Attributes and fields whose use a measurement shows."""
    supported: bool = False
    """Its failed findings are told with facts of other kinds."""
    role: Role | None = None
    """What its facts add to failed findings of other kinds."""
    first: bool = False
    """Speaks before other kinds of the same role."""
    elsewhere: bool = False
    """Its evidence about other subjects speaks, too."""
    behind: Callable[[Behind, Evidence, C], Iterable[Fact]] = lambda _, __, ___: ()
    """Facts of that role about a failed finding of another kind."""


OffersOf: TypeAlias = Callable[[str], "Offers[BaseCheck]"]
"""The contribution of a kind, by its name."""
