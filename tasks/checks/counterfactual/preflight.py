"""What is knowable of identity swaps before a model loads."""

from tasks.definition.checks.counterfactual import CounterfactualCheck
from tasks.run.plan import Plan, lacks_favourable
from tasks.run.preflight import Preflight


def not_run(plan: Plan, _: CounterfactualCheck) -> str | None:
    """A changed decision has a direction only where one decision is favourable."""
    return lacks_favourable(plan)


PREFLIGHT = Preflight(not_run=not_run)
