"""What is knowable of a remediation before a model loads."""

from tasks.definition.checks.remediation import RemediationCheck
from tasks.run.plan import Plan, lacks_favourable
from tasks.run.preflight import Preflight, check_layers


def not_run(plan: Plan, _: RemediationCheck) -> str | None:
    """A gap needs a favourable decision; the choice of a lever needs labels."""
    if plan.spec.data.label is None:
        return "needs labels: a lever is chosen by the accuracy it leaves, too"
    return lacks_favourable(plan)


def problems(plan: Plan, check: RemediationCheck) -> None:
    """The named layers exist."""
    check_layers(plan, check, "layers", check.layers)


PREFLIGHT = Preflight(problems=problems, not_run=not_run)
