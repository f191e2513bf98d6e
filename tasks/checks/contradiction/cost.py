"""What contradictory questions cost where the subject is behind an endpoint."""

from collections.abc import Iterator

from tasks.checks.contradiction import controls
from tasks.checks.instruments.cost import of_pairs
from tasks.definition.checks.contradiction import ContradictionCheck
from tasks.run.cost import Asking, Calls, step_of
from tasks.run.plan import Plan


def calls(plan: Plan, check: ContradictionCheck, asking: Asking | None) -> Iterator[Calls]:
    """Every question once, then the controls."""
    if asking is None:
        return
    yield step_of(check.kind, asking, [asking.write(plan.data.texts)], exact=False)
    if check.controls is not None:
        yield of_pairs(asking, controls.items_of(check.controls, plan.spec.seed))
