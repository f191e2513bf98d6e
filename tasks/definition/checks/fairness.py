"""Fairness: is there a gap between groups?"""

from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from tasks.definition.checks.group_check import GroupCheck
from tasks.definition.data import CROSS
from tasks.definition.kind import Kind
from tasks.definition.record import Record
from tasks.definition.vocabulary.fairness import FAIRNESS

if TYPE_CHECKING:
    from tasks.definition.audit import AuditSpec


class LocalLaw144(Record):
    """Which columns hold the categories of New York City's Local Law 144 of 2021."""

    sex: str
    """Column with the sex category, one of `data.groups`."""
    race_ethnicity: str
    """Column with the race/ethnicity category, one of `data.groups`."""
    exclude_below: float = Field(default=0.02, ge=0, le=0.02)
    """Categories below this share of the data get no impact ratio; the rule allows up to 2 %."""


class FairnessCheck(GroupCheck):
    """Is there a gap between groups?"""

    kind: Literal["fairness"] = "fairness"
    reference: Literal["most-selected", "largest"] | dict[str, str] = "most-selected"
    """Group that ratios divide by: the one selected most often, the largest, or by attribute a
    group that is named (attributes not named take the one selected most often)."""
    intersections: tuple[tuple[str, str], ...] | bool = False
    """Also the groups of two attributes crossed: all pairs of attributes, or these pairs."""
    local_law_144: LocalLaw144 | bool = False
    """Also the impact ratios of New York City's Local Law 144; with `true` the first attribute
    is the sex and the second the race/ethnicity category, and there are no others."""

    def crossings_of(self, spec: "AuditSpec") -> tuple[tuple[str, str], ...]:
        """Pairs of protected attributes whose crossed groups this check is also about."""
        if isinstance(self.intersections, bool):
            return tuple(combinations(self.attributes_of(spec), 2)) if self.intersections else ()
        return self.intersections

    def groupings_of(self, spec: "AuditSpec") -> tuple[str, ...]:
        """Attributes and, after them, their crossings, by name."""
        crossed = (CROSS.join(pair) for pair in self.crossings_of(spec))
        return (*self.attributes_of(spec), *crossed)

    def local_law_of(self, spec: "AuditSpec") -> LocalLaw144 | None:
        """Columns of the impact ratios under Local Law 144, if they are asked for."""
        if isinstance(self.local_law_144, LocalLaw144):
            return self.local_law_144
        attributes = self.attributes_of(spec)
        if not self.local_law_144 or len(attributes) != 2:
            return None
        return LocalLaw144(sex=attributes[0], race_ethnicity=attributes[1])

    def gate_attributes(self, spec: "AuditSpec") -> Iterable[str]:
        """Crossed attributes, those of Local Law 144 too."""
        yield from self.groupings_of(spec)
        law = self.local_law_of(spec)
        if law is not None:
            yield f"{law.sex}{CROSS}{law.race_ethnicity}"

    def problems(self, spec: "AuditSpec") -> Iterable[str]:
        """Unknown attributes; crossings and Local Law 144 columns that do not fit the data."""
        yield from super().problems(spec)
        yield from self._unknown_names(spec)
        if any(first == second for first, second in self.crossings_of(spec)):
            yield "check fairness: an attribute cannot be crossed with itself"
        if self.local_law_144 is True and len(self.attributes_of(spec)) != 2:
            yield (
                "check fairness: local_law_144: true needs two attributes, the sex and the "
                "race/ethnicity category; or name them: {sex: .., race_ethnicity: ..}"
            )

    def _unknown_names(self, spec: "AuditSpec") -> Iterator[str]:
        crossed = [name for pair in self.crossings_of(spec) for name in pair]
        referred = self.reference if isinstance(self.reference, dict) else ()
        law = self.local_law_of(spec)
        uses = (
            ("intersections", crossed, self.attributes_of(spec)),
            ("reference", referred, self.groupings_of(spec)),
            ("local_law_144", (law.sex, law.race_ethnicity) if law else (), spec.data.groups),
        )
        for key, names, known in uses:
            for name in names:
                if name not in known:
                    yield (
                        f"check fairness: {key}: {name!r} is not among: "
                        f"{', '.join(known) or 'none'}"
                    )


KIND = Kind(
    definition=FairnessCheck,
    title="Fairness between groups",
    vocabulary=FAIRNESS,
    needs=frozenset({"decisions"}),
    room="tasks.checks.fairness",
    headlines=(
        "selection_rate",
        "true_positive_rate",
        "false_positive_rate",
        "positive_predictive_value",
        "adverse_impact_ratio",
        "demographic_parity_difference",
        "equal_opportunity_difference",
        "equalized_odds_difference",
        "predictive_parity_difference",
        "calibration_difference",
    ),
    indexed=True,
)
