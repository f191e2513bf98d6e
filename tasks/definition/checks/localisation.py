"""Localisation: at which layer does the decision form?"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from tasks.definition.checks.base import BaseCheck
from tasks.definition.checks.swap import Swap
from tasks.definition.kind import Kind
from tasks.definition.vocabulary.localisation import LOCALISATION
from tasks.definition.vocabulary.topics import ABOUT_EXCHANGE, ABOUT_LAYERS

if TYPE_CHECKING:
    from tasks.definition.audit import AuditSpec


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
    """Also: how much more of the decision does a lens read that was fitted to every layer?"""

    def problems(self, spec: "AuditSpec") -> Iterable[str]:
        """A field to exchange that the data does not have."""
        return () if self.swap is None else self.swap.problems(self.kind, spec)


KIND = Kind(
    definition=LocalisationCheck,
    title="Localisation",
    vocabulary=LOCALISATION,
    needs=frozenset({"hidden states"}),
    room="tasks.checks.localisation",
    headlines=(
        "formation_layer",
        "swap_effect",
        "swap_effect_control",
        "swap_excess",
        "lens_layer",
        "patching_layer",
    ),
    headlines_by_subset=("formation_delay",),
    words=(ABOUT_EXCHANGE, ABOUT_LAYERS),
)
