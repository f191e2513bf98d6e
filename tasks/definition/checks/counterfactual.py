"""Counterfactual swaps: does the decision change when the text names another group?"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from tasks.definition.checks.base import BaseCheck
from tasks.definition.kind import Kind
from tasks.definition.record import Name, Record
from tasks.definition.vocabulary.counterfactual import COUNTERFACTUAL
from tasks.definition.vocabulary.topics import ABOUT_EXCHANGE

if TYPE_CHECKING:
    from tasks.definition.audit import AuditSpec


class TermSwap(Record):
    """Identity terms of several groups, exchanged for each other."""

    name: Name
    """What is exchanged: `pronouns`, `first names`, `districts`."""
    terms: dict[str, Annotated[tuple[str, ...], Field(min_length=1)]]
    """Group -> terms; the i-th of one group stands for the i-th of every other."""
    neutral: Annotated[tuple[tuple[str, str], ...], Field(min_length=1)]
    """Pairs of words whose exchange should move nothing: the control."""

    @model_validator(mode="after")
    def lists_match(self) -> Self:
        """A term without a partner could not be exchanged."""
        if len(self.terms) < 2:
            raise ValueError(f"swap {self.name}: two groups or more are needed")
        sizes = {group: len(terms) for group, terms in self.terms.items()}
        if len(set(sizes.values())) > 1:
            raise ValueError(f"swap {self.name}: lists of unequal length: {sizes}")
        blank = [
            t for terms in (*self.terms.values(), *self.neutral) for t in terms if not t.strip()
        ]
        if blank:
            raise ValueError(f"swap {self.name}: an empty term")
        same = [a for a, b in self.neutral if a.lower() == b.lower()]
        if same:
            raise ValueError(f"swap {self.name}: {same[0]!r} would be exchanged for itself")
        return self


class CounterfactualCheck(BaseCheck):
    """Does the decision change when the text names another group?"""

    kind: Literal["counterfactual"] = "counterfactual"
    texts: int = Field(default=300, ge=2)
    swaps: Annotated[tuple[TermSwap, ...], Field(min_length=1)]
    """Lists of identity terms, exchanged one list at a time."""

    @model_validator(mode="after")
    def swaps_differ(self) -> Self:
        """Two lists of one name would be indistinguishable in the report."""
        names = [swap.name for swap in self.swaps]
        if len(set(names)) < len(names):
            raise ValueError(f"swaps are named more than once: {', '.join(names)}")
        return self

    def gate_attributes(self, spec: "AuditSpec") -> Iterable[str]:
        """The lists of terms, by name."""
        return [swap.name for swap in self.swaps]


KIND = Kind(
    definition=CounterfactualCheck,
    title="Counterfactual identity swaps",
    vocabulary=COUNTERFACTUAL,
    needs=frozenset({"decisions", "asking again"}),
    room="tasks.checks.counterfactual",
    headlines=("flip_rate", "flip_rate_control", "flip_excess", "net_turned"),
    words=(ABOUT_EXCHANGE,),
)
