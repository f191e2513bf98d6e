"""What a kind of check contributes to explanations of its own and of other kinds' findings."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, Literal, NamedTuple, TypeAlias, TypeVar

from tasks.definition.checks.base import BaseCheck
from tasks.explain.facts import Fact
from tasks.schema import Evidence, Measurement, Report

C = TypeVar("C", bound=BaseCheck)

Role: TypeAlias = Literal["where the model looks", "what an exchange does", "what an erasure does"]
"""Role of a fact in a finding about a group; each role is filled by the first kind with a fact."""

ROLES: tuple[Role, ...] = ("where the model looks", "what an exchange does", "what an erasure does")
"""In the order of the sentences."""


class Behind(NamedTuple):
    """A failed finding that other kinds may add facts to."""

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
    """Whether facts of other kinds are added to its failed findings."""
    role: Role | None = None
    """What its facts add to failed findings of other kinds."""
    first: bool = False
    """Whether it comes before other kinds of the same role."""
    elsewhere: bool = False
    """Whether its evidence about other subjects counts, too."""
    behind: Callable[[Behind, Evidence, C], Iterable[Fact]] = lambda _, __, ___: ()
    """Facts of that role about a failed finding of another kind."""


OffersOf: TypeAlias = Callable[[str], "Offers[BaseCheck]"]
"""The contribution of a kind, by its name."""
