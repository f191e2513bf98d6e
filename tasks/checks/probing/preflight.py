"""What is knowable of probes and erasure before a model loads."""

from tasks.definition.checks.probing import ProbingCheck
from tasks.run.plan import Plan, lacks_favourable, lacks_groups
from tasks.run.preflight import Preflight, check_layers


def not_run(plan: Plan, _: ProbingCheck) -> str | None:
    """Without groups nothing can be read; without a favourable decision there is no gap."""
    return lacks_groups(plan) or lacks_favourable(plan)


def problems(plan: Plan, check: ProbingCheck) -> None:
    """The named layers exist."""
    check_layers(plan, check, "together", [x for layers in check.together for x in layers])


PREFLIGHT = Preflight(problems=problems, not_run=not_run)
