"""The texts of a check in three parts: what is fitted on one is measured on the others."""

from typing import NamedTuple

from tasks.checks.interventions.groups import LargeGroups, large_groups
from tasks.definition.checks.lever import LeverCheck
from tasks.measures.probing.probes import three_folds
from tasks.run.rounds import Asked

PARTS = 3


class Thirds(NamedTuple):
    """Rows in three parts, the groups spread evenly over them; empty where none are usable."""

    fit: list[int]
    second: list[int]
    third: list[int]

    @property
    def unfitted(self) -> list[int]:
        """The rows that nothing is fitted on, in order."""
        return sorted([*self.second, *self.third])


def usable(asked: Asked[LeverCheck]) -> LargeGroups:
    """Sampled rows of groups that are large enough in every third, and the groups that are not."""
    least = PARTS * asked.plan.spec.data.minimum_group
    return large_groups(asked.plan, asked.check.attribute, asked.sample, least)


def thirds(asked: Asked[LeverCheck]) -> Thirds:
    """The usable rows in three parts."""
    rows = usable(asked).rows
    if not rows:
        return Thirds([], [], [])
    group = asked.plan.data.group(asked.check.attribute)[rows]
    fold = three_folds(group, seed=asked.seed)
    return Thirds(
        *([row for row, f in zip(rows, fold, strict=True) if f == part] for part in range(PARTS))
    )


def note_on_thirds(asked: Asked[LeverCheck]) -> list[str]:
    """Why a group may be too small here that is large enough elsewhere."""
    if not usable(asked).too_small:
        return []
    least = asked.plan.spec.data.minimum_group
    return [
        f"The texts are split in three, so a group needs {PARTS * least} texts here, {least} in "
        "each third."
    ]
