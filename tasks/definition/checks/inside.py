"""Checks that look inside: which words weigh, where the decision forms, what is readable."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tasks.definition.checks.base import BaseCheck, Swap
from tasks.definition.record import Record, Share

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


Operator = Literal["neutral", "delete"]
"""How a unit is taken out: replaced by neutral tokens, or deleted so that the text closes up."""


Pooling = Literal["head", "first", "last", "mean"]
"""Which tokens' hidden state stands for a text."""


ProbePooling = Pooling | Literal["span"]
"""The same; `span`: the mean over the tokens of a named field."""


class Target(Record):
    """What is explained: the decision itself, unless something is named."""

    label: str | None = None
    """The log-odds of this class, choice or token, whatever was decided."""
    against: str | None = None
    """With `label`: how much likelier it is than this one (log-odds of the two)."""
    answer: str | None = None
    """The log-probability of this whole answer after the prompt."""

    @model_validator(mode="after")
    def names_one_thing(self) -> Self:
        """Two targets would be two attributions."""
        if self.answer is not None and (self.label or self.against):
            raise ValueError("a target is a label or an answer, not both")
        if self.against is not None and self.label is None:
            raise ValueError("target.against needs target.label")
        return self


class AttributionCheck(BaseCheck):
    """Which words drive the decision?"""

    kind: Literal["attribution"] = "attribution"
    texts: int = Field(default=300, ge=2)
    """Texts over which fields and words are counted, drawn at random."""
    trust_texts: int = Field(default=32, ge=2)
    """Of these, texts on which every method is held against its baselines."""
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
    """Of the variants of a text that Shapley values and LIME average over; `bfloat16` is several
    times as fast on processors that have it, but a batch is no longer its texts to 1e-5."""
    tolerance: float = Field(default=1e-3, gt=0)
    """Largest accepted |completeness error| as a share of |f(x) - f(baseline)|."""
    shares: tuple[Share, ...] = (0.1, 0.2, 0.3, 0.5)
    """Shares of units taken out or kept for comprehensiveness and sufficiency."""
    operators: Annotated[tuple[Operator, ...], Field(min_length=1)] = ("neutral", "delete")
    """How units are taken out for comprehensiveness and sufficiency."""
    random_orders: int = Field(default=5, ge=1)
    """Random orders that a method is held against, per text."""
    draws: int = Field(default=16, ge=4)
    """Random sets of units taken out per text, for infidelity."""
    neutral_words: tuple[tuple[str, str], ...] = ()
    """Pairs of words that mean the same, for the stability of the attribution."""

    @model_validator(mode="after")
    def methods_differ(self) -> Self:
        """The same method twice would agree with itself."""
        if len(set(self.methods)) < len(self.methods):
            raise ValueError(f"methods are named more than once: {', '.join(self.methods)}")
        return self


class LocalisationCheck(BaseCheck):
    """At which layer does the decision form?"""

    kind: Literal["localisation"] = "localisation"
    texts: int = Field(default=300, ge=2)
    swap: Swap | None = None
    """Also: at which layer does exchanging this field move the decision, and which activation
    carries it?"""
    pairs: int = Field(default=48, ge=8)
    """At most this many of the texts whose decision the exchange flips are patched."""
    tuned: bool = False
    """Also: how much more of the decision reads a lens that was fitted to every layer?"""


class ProbingCheck(BaseCheck):
    """Can a protected attribute be read inside the subject, and is it used?"""

    kind: Literal["probing"] = "probing"
    texts: int = Field(default=1000, ge=30)
    attributes: tuple[str, ...] = ()
    """Protected attributes; all of `data.groups` unless named."""
    pooling: ProbePooling = "head"
    """State that is read and erased: at the position the head reads, at the first or the last
    token (at the embedding, where single positions are often the same for every text, the mean
    over tokens), or the mean over tokens at every layer."""
    also_read: tuple[ProbePooling, ...] = ()
    """Further states that are read by the probes and not erased."""
    span: str | None = None
    """Named field whose tokens the pooling `span` means; texts without it are left out there."""
    random_subspaces: int = Field(default=20, ge=2)
    """Random subspaces of equal rank that the erasure is held against. With 19 or more the
    erasure can be told from all of them at p <= 0.05; time grows with their number."""
    together: tuple[
        Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=2)], ...
    ] = ()
    """Sets of layers at which the attribute is erased together; every layer together always is."""

    @model_validator(mode="after")
    def poolings_differ(self) -> Self:
        """The same state read twice would be counted twice."""
        twice = [p for p in self.poolings if self.poolings.count(p) > 1]
        if twice:
            raise ValueError(f"pooling {twice[0]!r} is named more than once")
        if ("span" in self.poolings) != (self.span is not None):
            raise ValueError("pooling 'span' needs the key span, a named field, and the other way")
        for layers in self.together:
            if sorted(set(layers)) != list(layers):
                raise ValueError(f"together: layers must rise, got {list(layers)}")
        return self

    @property
    def poolings(self) -> tuple[ProbePooling, ...]:
        """Every state that is read, the erased one first."""
        return (self.pooling, *self.also_read)
