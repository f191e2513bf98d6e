"""Checks that change what the subject holds: steering and remediation."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tasks.definition.checks.base import BaseCheck, Swap
from tasks.definition.checks.inside import Pooling


class BaseLeverCheck(BaseCheck):
    """What steering and remediation have in common."""

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
    """How often the vector is added: once is the whole difference between the means."""
    tolerance: float = Field(default=0.02, gt=0, lt=1)
    """Largest tolerable loss of accuracy; of perplexity, as a share, where a subject that writes is
    steered and nothing is labelled."""

    @model_validator(mode="after")
    def alphas_are_symmetric(self) -> Self:
        """Both directions are asked alike, and nothing twice."""
        if sorted(self.alphas) != sorted({-a for a in self.alphas}):
            raise ValueError(f"alphas must be symmetric around 0, got {list(self.alphas)}")
        if len(set(self.layers)) < len(self.layers):
            raise ValueError(f"a layer is named more than once: {list(self.layers)}")
        if self.swap is not None and self.swap.across != self.attribute:
            raise ValueError(
                f"swap.across {self.swap.across!r} is not the attribute {self.attribute!r}"
            )
        return self


class SteeringCheck(BaseLeverCheck):
    """How do decisions respond when the difference between two groups is added inside?"""

    kind: Literal["steering"] = "steering"
    texts: int = Field(default=600, ge=30)
    alphas: Annotated[tuple[float, ...], Field(min_length=1)] = (
        -4.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 4.0,
    )  # fmt: skip
    """How often the vector is added: once is the whole difference between the means; 0 and 1 are
    among them."""
    shuffles: int = Field(default=8, ge=3)
    """Vectors between shuffled groups that the response is held against."""
    compose: str | None = None
    """Another protected attribute: does adding both vectors do what each does, added up?"""

    @model_validator(mode="after")
    def can_be_compared(self) -> Self:
        """Every response is held against alpha 0, and its unit is alpha 1."""
        if not {0.0, 1.0} <= set(self.alphas):
            raise ValueError(f"alphas must hold 0 and 1, got {list(self.alphas)}")
        if self.compose == self.attribute:
            raise ValueError(f"compose: {self.compose!r} is the attribute itself")
        return self


class RemediationCheck(BaseLeverCheck):
    """What would close the gap between groups, and at what price?"""

    kind: Literal["remediation"] = "remediation"
    texts: int = Field(default=1000, ge=90)
    alphas: Annotated[tuple[float, ...], Field(min_length=1)] = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)
    """How often the steering vector is added: once is the whole difference between the means."""
