"""What a check of cues costs where the subject or its grader is behind an endpoint."""

from collections.abc import Iterator

from tasks.checks.cue import disclosure_controls, field_swap_controls, influence_controls
from tasks.checks.cue.cues import cues_of
from tasks.checks.cue.disclosure import described_cue, described_field
from tasks.checks.instruments.cost import of_pairs
from tasks.checks.instruments.second_model import to_judge
from tasks.data.field_swap import exchange
from tasks.definition.checks.cue import CueCheck
from tasks.definition.checks.second_model import SecondModel
from tasks.run.cost import RETOLD, Asking, Calls, cases_beside, helping, longest_reasoning, step_of
from tasks.run.plan import Plan
from tasks.subjects.endpoint.messages import tokens_at_most

EXAMPLES_AND_QUESTION = 6
"""Whole questions that a text with a cue holds at most."""


def calls(plan: Plan, check: CueCheck, asking: Asking | None) -> Iterator[Calls]:
    """Every text with and without each cue, then the controls, then the grader."""
    if asking is not None:
        cases = cases_beside(plan, check)
        exact = not cases and not (check.cues or check.own)
        yield step_of(check.kind, asking, list(_texts(asking, check, cases)), exact=exact)
        yield from _controls(asking, check)
    yield from _judgements(plan, check)


def _controls(asking: Asking, check: CueCheck) -> Iterator[Calls]:
    if check.controls is None:
        return
    seed = asking.plan.spec.seed
    if check.swap is not None:
        yield of_pairs(asking, field_swap_controls.items_of(check.controls, seed))
    if check.cues or check.own:
        yield of_pairs(asking, influence_controls.items_of(check.controls, seed))


def _texts(asking: Asking, check: CueCheck, cases: int) -> Iterator[tuple[int, int]]:
    plan, sampled = asking.plan, asking.plan.rows_of(check)
    beside_text = len(cues_of(check.cues, check.own))
    if beside_text:
        texts = [plan.data.rows[position].text for position in sampled]
        yield asking.write(texts)
        yield asking.unknown(cases)
        # what a cue adds to a question is not written yet; it holds at most a few whole questions
        longest = sum(asking.cost(text) for text in [*texts, *asking.longest(cases)])
        yield beside_text * (len(texts) + cases), beside_text * EXAMPLES_AND_QUESTION * longest
    if check.swap is None:
        return
    pairs = {e.position: e for e in exchange(plan.data.rows, check.swap, seed=plan.spec.seed)}
    sample = [position for position in plan.rows_of(check) if position in pairs]
    yield asking.write([plan.data.rows[position].text for position in sample])
    yield asking.unknown(cases)
    yield asking.write([pairs[position].text for position in sample])
    beside = [e.text for position, e in pairs.items() if position not in set(sample)]
    costs = sorted((asking.cost(text) for text in beside), reverse=True)[:cases]
    yield len(costs), sum(costs)


def _judgements(plan: Plan, check: CueCheck) -> Iterator[Calls]:
    """Once per pair whose answer a cue moved, and per written reasoning of known truth."""
    settings = check.second_model
    if settings is None or plan.spec.on_record(check):
        return
    texts = len(plan.rows_of(check)) + cases_beside(plan, check)
    reasoning = RETOLD * longest_reasoning(plan, check)
    described = [(described_cue(cue), 1) for cue in cues_of(check.cues, check.own)]
    if check.swap is not None:
        described.append((described_field(check.swap.column), 2))
    tokens = texts * sum(
        tokens_at_most(to_judge(about, ""), settings.max_tokens) + read * reasoning
        for about, read in described
    )
    yield helping("judgements", settings, len(described) * texts, tokens)
    yield from _of_written(plan, check, settings)


def _of_written(plan: Plan, check: CueCheck, settings: SecondModel) -> Iterator[Calls]:
    """Once per reasoning written about a cue, of known truth."""
    spec = plan.spec.subjects[plan.spec.subject_of(check)]
    asked = disclosure_controls.texts_graded(check, spec, plan.data.rows)
    tokens = sum(tokens_at_most(to_judge(*request), settings.max_tokens) for request in asked)
    if asked:
        yield helping("control judgements", settings, len(asked), tokens)
