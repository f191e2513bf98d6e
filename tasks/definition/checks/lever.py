"""What checks that change hidden states have in common."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from tasks.definition.checks.base import BaseCheck
from tasks.definition.checks.names import not_in_groups
from tasks.definition.checks.pooling import Pooling
from tasks.definition.checks.swap import Swap

if TYPE_CHECKING:
    from tasks.definition.audit import AuditSpec


class LeverCheck(BaseCheck):
    """What checks that change hidden states along a protected attribute have in common."""

    attribute: str
    """Protected attribute, one of `data.groups`."""
    swap: Swap | None = None
    """The steering vector is taken from texts with this field exchanged between two groups;
    without it, from the means of the two groups."""
    pooling: Pooling = "head"
    """State that is read and changed; see the check `probing`."""
    layers: tuple[Annotated[int, Field(ge=0)], ...] = ()
    """Layers at which the state is changed, 0 is the embedding; all unless named."""
    alphas: Annotated[tuple[float, ...], Field(min_length=1)]
    """How often the vector is added; 1 is the whole difference between the means."""
    tolerance: float = Field(default=0.02, gt=0, lt=1)
    """Largest tolerable loss of accuracy; of perplexity, as a share, where a subject that writes is
    steered and nothing is labelled."""

    @model_validator(mode="after")
    def alphas_are_symmetric(self) -> Self:
        """Symmetric alphas, no layer named twice, and a swap across the attribute."""
        if sorted(self.alphas) != sorted({-a for a in self.alphas}):
            raise ValueError(f"alphas must be symmetric around 0, got {list(self.alphas)}")
        if len(set(self.layers)) < len(self.layers):
            raise ValueError(f"a layer is named more than once: {list(self.layers)}")
        if self.swap is not None and self.swap.across != self.attribute:
            raise ValueError(
                f"swap.across {self.swap.across!r} is not the attribute {self.attribute!r}"
            )
        return self

    def problems(self, spec: "AuditSpec") -> Iterable[str]:
        """An attribute or a field to exchange that the data does not have."""
        yield from not_in_groups(self.kind, "attribute", [self.attribute], spec)
        if self.swap is not None:
            yield from self.swap.problems(self.kind, spec)
