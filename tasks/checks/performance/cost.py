"""What deciding costs where the subject is behind an endpoint."""

from collections.abc import Iterator

from tasks.definition.checks.performance import PerformanceCheck
from tasks.run.cost import Asking, Calls, step_of
from tasks.run.plan import Plan


def calls(plan: Plan, check: PerformanceCheck, asking: Asking | None) -> Iterator[Calls]:
    """Every row once."""
    if asking is not None:
        texts = [row.text for row in plan.rows(plan.rows_of(check))]
        yield step_of(check.kind, asking, [asking.write(texts)])
