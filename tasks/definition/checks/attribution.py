"""Attribution: which words drive the decision?"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tasks.definition.checks.base import BaseCheck
from tasks.definition.kind import Kind
from tasks.definition.record import Share
from tasks.definition.target import Operator, Target
from tasks.definition.vocabulary.attribution import ATTRIBUTION

MethodName = Literal[
    "integrated-gradients",
    "shapley",
    "shapley-permutations",
    "partition",
    "lime",
    "leave-one-out",
    "sliding-window",
    "gradient-x-input",
    "layer-conductance",
    "gradient-x-attention",
    "attention-rollout",
]
"""The ways to attribute a score to the units of a text."""


class AttributionCheck(BaseCheck):
    """Which words drive the decision?"""

    kind: Literal["attribution"] = "attribution"
    texts: int = Field(default=300, ge=2)
    """Texts over which fields and words are counted, drawn at random."""
    trust_texts: int = Field(default=32, ge=2)
    """Of these, texts on which every method is compared with its baselines."""
    methods: Annotated[tuple[MethodName, ...], Field(min_length=1)] = (
        "integrated-gradients",
        "shapley",
        "leave-one-out",
        "gradient-x-input",
    )
    """Ways to attribute. Sentences and shares rest on the first that earns its place."""
    units: Literal["tokens", "words", "fields"] = "words"
    """What attribution falls on; with `fields` every named field is one unit, other words stay."""
    target: Target = Target()
    """What is explained."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Precision for the variants of a text that Shapley values and LIME average over. `bfloat16` is
    several times as fast on processors that have it, but scores then depend on the batch by more
    than 1e-5."""
    tolerance: float = Field(default=1e-3, gt=0)
    """Largest accepted |completeness error| as a share of |f(x) - f(baseline)|."""
    shares: tuple[Share, ...] = (0.1, 0.2, 0.3, 0.5)
    """Shares of units taken out or kept for comprehensiveness and sufficiency."""
    operators: Annotated[tuple[Operator, ...], Field(min_length=1)] = ("neutral", "delete")
    """How units are taken out for comprehensiveness and sufficiency."""
    random_orders: int = Field(default=5, ge=1)
    """Random orders that a method is compared with, per text."""
    draws: int = Field(default=16, ge=4)
    """Random sets of units taken out per text, for infidelity."""
    neutral_words: tuple[tuple[str, str], ...] = ()
    """Pairs of words that mean the same, for the stability of the attribution."""

    @model_validator(mode="after")
    def methods_differ(self) -> Self:
        """A method that is named twice would agree with itself."""
        if len(set(self.methods)) < len(self.methods):
            raise ValueError(f"methods are named more than once: {', '.join(self.methods)}")
        return self


KIND = Kind(
    definition=AttributionCheck,
    title="Attribution",
    vocabulary=ATTRIBUTION,
    needs=frozenset({"gradients"}),
    room="tasks.checks.attribution",
    headlines=("comprehensiveness_gain", "explained", "field_share"),
    words=(r"\battribution|\bweigh\w*|\bspeaks? for|\bcomprehensiv|\bsufficien",),
)
