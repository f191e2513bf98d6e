"""What is knowable of steering before a model loads."""

from tasks.definition.checks.steering import SteeringCheck
from tasks.run.plan import Plan, lacks_favourable
from tasks.run.preflight import Preflight, check_layers


def not_run(plan: Plan, _: SteeringCheck) -> str | None:
    """A gap needs a favourable decision."""
    return lacks_favourable(plan)


def problems(plan: Plan, check: SteeringCheck) -> None:
    """The named layers exist."""
    check_layers(plan, check, "layers", check.layers)


PREFLIGHT = Preflight(problems=problems, not_run=not_run)
