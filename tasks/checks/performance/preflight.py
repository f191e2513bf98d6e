"""What is knowable of a performance check before a model loads."""

from tasks.definition.checks.performance import PerformanceCheck
from tasks.run.plan import Plan
from tasks.run.preflight import Preflight


def not_run(plan: Plan, _: PerformanceCheck) -> str | None:
    """Without labels nothing is right or wrong."""
    if plan.spec.data.label is None:
        return "needs labels; the definition names no data.label"
    return None


PREFLIGHT = Preflight(not_run=not_run)
