"""Checks that read decisions: are they right, and are they even between groups?"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tasks.definition.checks.base import BaseCheck
from tasks.definition.record import Name, Record


class PerformanceCheck(BaseCheck):
    """How often is the subject right?"""

    kind: Literal["performance"] = "performance"


class LocalLaw144(Record):
    """Which columns hold the categories of New York City's Local Law 144 of 2021."""

    sex: str
    """Column with the sex category, one of `data.groups`."""
    race_ethnicity: str
    """Column with the race/ethnicity category, one of `data.groups`."""
    exclude_below: float = Field(default=0.02, ge=0, le=0.02)
    """Categories below this share of the data get no impact ratio; the rule allows up to 2 %."""


class FairnessCheck(BaseCheck):
    """Is there a gap between groups?"""

    kind: Literal["fairness"] = "fairness"
    attributes: tuple[str, ...] = ()
    """Protected attributes; all of `data.groups` unless named."""
    reference: Literal["most-selected", "largest"] | dict[str, str] = "most-selected"
    """Group that ratios divide by: the one selected most often, the largest, or by attribute a
    group that is named (attributes not named take the one selected most often)."""
    intersections: tuple[tuple[str, str], ...] | bool = False
    """Also the groups of two attributes crossed: all pairs of attributes, or these pairs."""
    local_law_144: LocalLaw144 | bool = False
    """Also the impact ratios of New York City's Local Law 144; with `true` the first attribute
    is the sex and the second the race/ethnicity category, and there are no others."""


class TermSwap(Record):
    """Identity terms of several groups that stand for each other."""

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
        """Two lists of one name could not be told apart in the report."""
        names = [swap.name for swap in self.swaps]
        if len(set(names)) < len(names):
            raise ValueError(f"swaps are named more than once: {', '.join(names)}")
        return self
