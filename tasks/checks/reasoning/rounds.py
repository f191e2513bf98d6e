"""Does the answer depend on the written reasoning?"""

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

from tasks.checks.reasoning import controls, factor_controls, log_probabilities
from tasks.checks.reasoning.curves import curves, factors, left_out
from tasks.checks.reasoning.factors import attributed_fields, named_fields
from tasks.checks.reasoning.interventions import under_tests
from tasks.data.dataset import Row
from tasks.definition.checks import LOG_PROBABILITY, ReasoningCheck, ReasoningTest, second_model_of
from tasks.run.inputs import cut, read_all, records, rows_of, second_of
from tasks.run.plan import Plan, withheld_tests
from tasks.run.shards import Payload, ShardRef, StoredShard
from tasks.schema import Evidence, TruncatedReasoning
from tasks.subjects.load import open_writer, resumer
from tasks.subjects.outputs import Written
from tasks.subjects.protocols import OpenWriter

PER_SHARD = 50
BY_ANSWERS = ("dependence_on_reasoning", "answer_unchanged", "answer_accuracy")
"""What tests measure that ask whether the answer changes."""
LIKELIHOODS = tuple(product(log_probabilities.NAMES, log_probabilities.METHODS))


def shards(plan: Plan, check: ReasoningCheck, cases: Sequence[int]) -> list[ShardRef]:
    """Shards over a random sample of rows, then the cases that are only shown."""
    sample = plan.rows_of(check)
    shown = [case for case in cases if case not in set(sample)]
    tests = _made(plan, check)
    texts = cut(
        plan,
        check,
        "reasoning",
        sample + shown,
        PER_SHARD,
        tests=tests,
        shares=check.shares,
        second=second_model_of(check),
        factors=_attributes(plan, check),
    )
    return [*texts, *controls.shards(plan, check, tests), *factor_controls.shards(plan, check)]


def _attributes(plan: Plan, check: ReasoningCheck) -> bool:
    """Whether the fields of a text are attributed to: there are fields, classes and gradients."""
    name = plan.spec.subject_of(check)
    wanted = check.factors and bool(plan.spec.data.field_names)
    return wanted and "gradients" in plan.offers(name) and bool(plan.labels(name))


def measure(ref: ShardRef, store: Path) -> Payload:
    """Reasoning, answer, and the answer when the reasoning is changed at every share."""
    subject, rows = resumer(ref.subject), rows_of(ref)
    texts, shares = [row.text for row in rows], ref.option("shares")
    written = subject.write(texts)
    tests = under_tests(
        subject, texts, written, ref.option("tests"), shares,
        seeds=[ref.data.seed + position for position in ref.rows],
        paraphraser=second_of(ref, store),
    )  # fmt: skip
    factors = ref.option("factors")
    fields = _fields(open_writer(ref.subject), rows, written) if factors else [{}] * len(rows)
    return Payload(
        {},
        [
            {
                "id": row.id,
                "label": row.label,
                "reasoning": w.reasoning,
                "answer": w.answer,
                "tests": {test: of_text[i] for test, of_text in tests.items()},
                **fields[i],
            }
            for i, (row, w) in enumerate(zip(rows, written, strict=True))
        ],
    )


def _fields(
    subject: OpenWriter, rows: Sequence[Row], written: Sequence[Written]
) -> list[dict[str, Any]]:
    found = attributed_fields(
        subject, rows, [w.reasoning for w in written], [w.answer for w in written]
    )
    return [
        {"attributed": values, "named": named_fields(row, w.reasoning)} if values else {}
        for row, w, values in zip(rows, written, found, strict=True)
    ]


def evidence(
    plan: Plan,
    check: ReasoningCheck,
    cases: Sequence[int],
    store: Path,
    stored: Sequence[StoredShard],
) -> Evidence:
    """The curves of every test and their areas; named factors against attributed ones."""
    of: dict[str, list[StoredShard]] = {"reasoning": [], "controls": [], factor_controls.KIND: []}
    for one in stored:
        of[Path(one.path).parent.name].append(one)
    found: list[Any] = records(read_all(store, of["reasoning"]))
    calibrated, told = controls.calibration(check, read_all(store, of["controls"]))
    stated, why = factor_controls.calibration(check, read_all(store, of[factor_controls.KIND]))
    sample = found[: len(plan.rows_of(check))]
    shown = {plan.data.rows[case].id for case in cases}
    missing = withheld_tests(plan, check)
    tests = [test for test in _made(plan, check) if test != LOG_PROBABILITY]
    likelihoods = _made(plan, check) != tests
    withheld = {
        f"{name} by {method}": why
        for test, why in missing.items()
        for name, method in (
            LIKELIHOODS if test == LOG_PROBABILITY else product(BY_ANSWERS, [test])
        )
    }
    if LOG_PROBABILITY in missing:  # no other test measures these
        withheld |= dict.fromkeys(log_probabilities.NAMES, missing[LOG_PROBABILITY])
    return Evidence(
        check=check,
        subject=plan.spec.subject_of(check),
        measurements=(*curves(tests, check.shares, sample, plan.spec.seed),
                      *(log_probabilities.curve(check.shares, sample, plan.spec.seed)
                        if likelihoods else ()),
                      *factors(sample, plan.spec.seed), *calibrated, *stated),
        cases=tuple(_case(r, tests) for r in found if r["id"] in shown),
        notes=(*(f"Test {test} {why}." for test, why in missing.items()),
               *left_out(tests, sample),
               *(log_probabilities.left_out(sample) if likelihoods else ()), *told, *why),
        withheld=withheld,
    )  # fmt: skip


def _made(plan: Plan, check: ReasoningCheck) -> list[ReasoningTest]:
    missing = withheld_tests(plan, check)
    return [test for test in check.tests if test not in missing]


def _case(record: Any, tests: Sequence[ReasoningTest]) -> TruncatedReasoning:
    first = record["tests"].get(tests[0]) if tests else None
    return TruncatedReasoning(
        id=record["id"],
        reasoning=record["reasoning"],
        answer=record["answer"],
        answers=tuple(first["answers"]) if first else (),
    )
