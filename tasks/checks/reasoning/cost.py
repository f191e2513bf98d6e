"""What reasoning tests cost where the subject or its paraphraser is behind an endpoint."""

from collections.abc import Iterator, Sequence

from tasks.checks.instruments.asking import form_of
from tasks.checks.instruments.second_model import to_say_otherwise
from tasks.checks.reasoning import controls
from tasks.checks.reasoning.preflight import withheld_tests
from tasks.controls.items import Item
from tasks.definition.checks.reasoning import ReasoningCheck
from tasks.run.cost import RETOLD, Asking, Calls, cases_beside, helping, longest_reasoning, step_of
from tasks.run.plan import Plan
from tasks.subjects.endpoint.messages import tokens_at_most


def calls(plan: Plan, check: ReasoningCheck, asking: Asking | None) -> Iterator[Calls]:
    """Every text reasoned about and answered after every altered reasoning; then the controls."""
    if asking is not None:
        yield step_of(check.kind, asking, list(_texts(asking, check)), exact=False)
        if check.controls is not None:
            yield _controls(asking, check, controls.items_of(check.controls, plan.spec.seed))
    yield from _paraphrases(plan, check)


def _texts(asking: Asking, check: ReasoningCheck) -> Iterator[tuple[int, int]]:
    cases = cases_beside(asking.plan, check)
    sample = [row.text for row in asking.plan.rows(asking.plan.rows_of(check))]
    yield asking.write(sample)
    yield asking.unknown(cases)
    yield asking.forced(
        [*sample, *asking.longest(cases)], len(check.shares) * _runnable(asking, check)
    )


def _runnable(asking: Asking, check: ReasoningCheck) -> int:
    """How many tests can be run."""
    withheld = withheld_tests(asking.plan, check)
    return sum(test not in withheld for test in check.tests)


def _controls(asking: Asking, check: ReasoningCheck, items: Sequence[Item]) -> Calls:
    """Every control reasoned about, answered without and with another reasoning, and tested."""
    texts = sorted(set(controls.texts_of(asking.spec, items)))
    own = asking.answering(form_of(asking.spec, controls.choices_of(items)))
    # with no reasoning, with another's, in every test
    times = 2 + len(check.shares) * _runnable(asking, check)
    every = controls.texts_of(asking.spec, items)  # a repeated text may be altered twice
    return step_of("controls", asking, [own.write(texts), own.forced(every, times)], exact=False)


def _paraphrases(plan: Plan, check: ReasoningCheck) -> Iterator[Calls]:
    """Once per reasoning."""
    settings = check.second_model
    if settings is None or plan.spec.on_record(check):
        return
    texts = len(plan.rows_of(check)) + cases_beside(plan, check)
    reasoning = RETOLD * longest_reasoning(plan, check)
    each = tokens_at_most(to_say_otherwise([]), settings.max_tokens) + reasoning
    yield helping("paraphrases", settings, texts, texts * each)
    if check.controls is not None:
        items = controls.items_of(check.controls, plan.spec.seed)
        yield helping("control words", settings, len(items), len(items) * each)
