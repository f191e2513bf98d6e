"""How often a definition asks its endpoints, and what that costs at most, before anything is sent.

Steps stand in the order of the run: the decisions of the first subject; for each check the subject
(where it is behind an endpoint), its controls and the second model that helps with the check; the
explanations of findings. An answer is stored and not asked for again, so a call is counted where it
is first needed; explanations are not stored.
"""

from tasks.checks import room_of
from tasks.checks.preflight import not_run
from tasks.run.cost import Calls, asking, step_of
from tasks.run.plan import Plan


def calls(plan: Plan) -> tuple[Calls, ...]:
    """The steps of an audit that ask an endpoint; empty where there is none."""
    endpoints = {
        name: endpoint
        for name in plan.spec.subjects
        if (endpoint := asking(plan, name)) is not None
    }
    steps = []
    if plan.main in endpoints:
        main = endpoints[plan.main]
        steps.append(step_of("decisions", main, [main.write(plan.data.texts)]))
    for check in plan.spec.checks:
        if not_run(plan, check) is None:
            endpoint = endpoints.get(plan.spec.subject_of(check))
            steps += room_of(check.kind).calls(plan, check, endpoint)
    if plan.spec.explain.provider == "openai":
        steps.append(_of_explanations(plan))
    return tuple(steps)


def _of_explanations(plan: Plan) -> Calls:
    """One text per finding and case, asked for twice if the endpoint refuses the first form."""
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
