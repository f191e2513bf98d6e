"""What is knowable of a fairness check before a model loads."""

from tasks.data.dataset import MISSING
from tasks.definition.checks.fairness import FairnessCheck
from tasks.definition.problems import nearest
from tasks.errors import SpecError
from tasks.run.plan import Plan, lacks_favourable, lacks_groups
from tasks.run.preflight import Preflight


def not_run(plan: Plan, _: FairnessCheck) -> str | None:
    """Without groups or without a favourable decision there is no gap."""
    return lacks_groups(plan) or lacks_favourable(plan)


def problems(plan: Plan, check: FairnessCheck) -> None:
    """The reference groups occur in the data."""
    named = check.reference
    for attribute, group in named.items() if isinstance(named, dict) else ():
        known = sorted(set(plan.data.grouping(attribute)) - {MISSING})
        if group not in known:
            raise SpecError(
                f"check fairness: reference: no group {group!r} in {attribute!r}; "
                f"{nearest(group, known)}"
            )


PREFLIGHT = Preflight(problems=problems, not_run=not_run)
