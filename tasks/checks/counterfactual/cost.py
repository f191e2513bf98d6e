"""What identity swaps cost where the subject is behind an endpoint."""

from collections.abc import Iterator

from tasks.definition.checks.counterfactual import CounterfactualCheck
from tasks.run.cost import Asking, Calls, cases_beside, step_of
from tasks.run.plan import Plan


def calls(plan: Plan, check: CounterfactualCheck, asking: Asking | None) -> Iterator[Calls]:
    """Every text as it stands, exchanged, and with neutral words."""
    if asking is None:
        return
    texts = [row.text for row in plan.rows(plan.rows_of(check))]
    cases = cases_beside(plan, check)
    parts = [asking.write(texts), asking.unknown(cases)]
    for _ in check.swaps:  # exchanged, and with neutral words
        longest = [asking.cost(text) for text in [*texts, *asking.longest(cases)]]
        parts.append((2 * len(longest), 4 * sum(longest)))
    yield step_of(check.kind, asking, parts, exact=False)
