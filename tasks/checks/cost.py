"""How often a definition asks its endpoints, and what that costs at most, before anything is sent.

The order is that of the run: the decisions of the first subject; check by check the subject, where
it is behind an endpoint, its controls, and the second model that helps with the check; who explains
the findings. What was asked before is kept and not asked again, so it is counted where it is first
needed; explanations are not kept.
"""

from tasks.checks import room_of
from tasks.checks.preflight import not_run
from tasks.run.cost import Calls, asking, step_of
from tasks.run.plan import Plan


def calls(plan: Plan) -> tuple[Calls, ...]:
    """The steps of an audit that ask an endpoint; empty where there is none."""
    known = {name: one for name in plan.spec.subjects if (one := asking(plan, name)) is not None}
    steps = []
    if plan.main in known:
        main = known[plan.main]
        steps.append(step_of("decisions", main, [main.write(plan.data.texts)]))
    for check in plan.spec.checks:
        if not_run(plan, check) is None:
            of = known.get(plan.spec.subject_of(check))
            steps += room_of(check.kind).calls(plan, check, of)
    if plan.spec.explain.provider == "openai":
        steps.append(_of_explanations(plan))
    return tuple(steps)


def _of_explanations(plan: Plan) -> Calls:
    """A text for every finding and case; twice where the endpoint refuses the form asked for."""
    asked = plan.spec.explain
    findings = sum(
        gate.check == check.kind and gate.subject in (None, plan.spec.subject_of(check))
        for gate in plan.spec.gates
        for check in plan.spec.checks
    )
    return Calls(
        step="explanations",
        subject=asked.model or "",
        calls=2 * (findings + min(plan.spec.cases, len(plan.data.rows))),
        exact=False,
        tokens=None,
        attempts=asked.retries + 1,
    )
