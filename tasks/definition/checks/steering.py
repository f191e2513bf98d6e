"""Steering: how do decisions respond when the difference between two groups is added inside?"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from tasks.definition.checks.lever import LeverCheck
from tasks.definition.checks.names import not_in_groups
from tasks.definition.kind import Kind
from tasks.definition.vocabulary.steering import STEERING
from tasks.definition.vocabulary.topics import ABOUT_LAYERS

if TYPE_CHECKING:
    from tasks.definition.audit import AuditSpec


class SteeringCheck(LeverCheck):
    """How do decisions respond when the difference between two groups is added inside?"""

    kind: Literal["steering"] = "steering"
    texts: int = Field(default=600, ge=30)
    alphas: Annotated[tuple[float, ...], Field(min_length=1)] = (
        -4.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 4.0,
    )  # fmt: skip
    """How often the vector is added; 1 is the whole difference between the means. 0 and 1 must be
    among them."""
    shuffles: int = Field(default=8, ge=3)
    """Vectors between shuffled groups that the response is compared with."""
    compose: str | None = None
    """Another protected attribute: does adding both vectors do what each does, added up?"""

    @model_validator(mode="after")
    def can_be_compared(self) -> Self:
        """Every response is compared with that at alpha 0, and its unit is alpha 1."""
        if not {0.0, 1.0} <= set(self.alphas):
            raise ValueError(f"alphas must hold 0 and 1, got {list(self.alphas)}")
        if self.compose == self.attribute:
            raise ValueError(f"compose: {self.compose!r} is the attribute itself")
        return self

    def problems(self, spec: "AuditSpec") -> Iterable[str]:
        """Attributes or a field to exchange that the data does not have."""
        yield from super().problems(spec)
        if self.compose is not None:
            yield from not_in_groups(self.kind, "compose", [self.compose], spec)


KIND = Kind(
    definition=SteeringCheck,
    title="Steering",
    vocabulary=STEERING,
    needs=frozenset({"hidden states", "decisions"}),
    room="tasks.checks.steering",
    headlines=(
        "steering_slope",
        "steering_reach",
        "steering_effect",
        "safe_alpha_lowest",
        "safe_alpha_highest",
    ),
    words=(ABOUT_LAYERS, r"\bvectors?\b"),
)
