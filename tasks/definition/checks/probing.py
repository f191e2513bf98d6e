"""Probing: can a protected attribute be read inside the subject, and is it used?"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from tasks.definition.checks.group_check import GroupCheck
from tasks.definition.checks.names import no_named_field
from tasks.definition.checks.pooling import Pooling
from tasks.definition.kind import Kind
from tasks.definition.vocabulary.probing import PROBING
from tasks.definition.vocabulary.topics import ABOUT_LAYERS

if TYPE_CHECKING:
    from tasks.definition.audit import AuditSpec

ProbePooling = Pooling | Literal["span"]
"""The same; `span`: the mean over the tokens of a named field."""


class ProbingCheck(GroupCheck):
    """Can a protected attribute be read inside the subject, and is it used?"""

    kind: Literal["probing"] = "probing"
    texts: int = Field(default=1000, ge=30)
    pooling: ProbePooling = "head"
    """State that is read and erased: at the position the head reads, at the first or the last
    token (at the embedding, where single positions are often the same for every text, the mean
    over tokens), or the mean over tokens at every layer."""
    also_read: tuple[ProbePooling, ...] = ()
    """Further states that are read by the probes and not erased."""
    span: str | None = None
    """Named field over whose tokens the pooling `span` averages; it leaves out other texts."""
    random_subspaces: int = Field(default=20, ge=2)
    """Random subspaces of equal rank that the erasure is compared with. With 19 or more the
    erasure can differ from all of them at p <= 0.05; time grows with their number."""
    together: tuple[
        Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=2)], ...
    ] = ()
    """Sets of layers at which the attribute is erased together; every layer together always is."""

    @model_validator(mode="after")
    def poolings_differ(self) -> Self:
        """A state that is read twice would be counted twice."""
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

    def problems(self, spec: "AuditSpec") -> Iterable[str]:
        """Unknown attributes, and a span that is no named field."""
        yield from super().problems(spec)
        if self.span is not None:
            yield from no_named_field(self.kind, "span", [self.span], spec)


KIND = Kind(
    definition=ProbingCheck,
    title="Bias probes and erasure",
    vocabulary=PROBING,
    needs=frozenset({"hidden states", "decisions"}),
    room="tasks.checks.probing",
    headlines=(
        "probe_accuracy",
        "control_accuracy",
        "selectivity",
        "gap_before",
        "gap_after_erasure",
        "gap_after_random",
        "accuracy_before",
        "accuracy_after_erasure",
        "erasure_effect",
    ),
    words=(r"\beras\w+|\bprobe\w*|\bsubspace|\bcan be read at", ABOUT_LAYERS),
)
