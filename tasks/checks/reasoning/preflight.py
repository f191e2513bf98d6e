"""What is knowable of reasoning tests before a model loads."""

from collections.abc import Iterator
from itertools import pairwise

from tasks.checks.instruments.preflight import check_controls
from tasks.definition.checks.reasoning import LOG_PROBABILITY, ReasoningCheck, ReasoningTest
from tasks.errors import SpecError
from tasks.run.plan import Plan
from tasks.run.preflight import Preflight


def problems(plan: Plan, check: ReasoningCheck) -> None:
    """The shares make a curve, and the controls exist."""
    rising = all(a < b for a, b in pairwise(check.shares))
    if check.shares[:1] != (0,) or check.shares[-1:] != (1,) or not rising:
        raise SpecError(f"check reasoning: shares must rise from 0 to 1: {list(check.shares)}")
    check_controls(plan, check, check.controls)


def withheld_tests(plan: Plan, check: ReasoningCheck) -> dict[ReasoningTest, str]:
    """The tests of a reasoning that are asked for and cannot be run, and why."""
    withheld: dict[ReasoningTest, str] = {
        test: "not run: needs a second model; the definition names no paraphraser"
        for test in check.tests
        if test not in check.runnable
    }
    name = plan.spec.subject_of(check)
    if LOG_PROBABILITY in check.tests and "log-probabilities" not in plan.offers(name):
        kind = plan.spec.subjects[name].kind
        withheld[LOG_PROBABILITY] = (
            "not run: needs log-probabilities of a given answer; "
            f"subject {name} ({kind}) does not offer that"
        )
    return withheld


def remarks(plan: Plan, check: ReasoningCheck) -> Iterator[str]:
    """Tests that cannot be run."""
    for test, lacking in withheld_tests(plan, check).items():
        yield f"test {test} {lacking}"


PREFLIGHT = Preflight(problems=problems, remarks=remarks)
