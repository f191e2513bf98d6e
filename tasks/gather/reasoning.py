"""Does the answer depend on the written reasoning?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tasks.checks import ReasoningCheck, ReasoningTest, SecondModel
from tasks.dataset import Row
from tasks.gather.answering import forced, going_on
from tasks.gather.curves import curves, factors, left_out
from tasks.gather.factors import attributed_fields, named_fields
from tasks.gather.inputs import cut, read_all, records, rows_of, subject_of
from tasks.gather.second_model import other_words
from tasks.gather.versions import Tokens, Version, tokens_by, version
from tasks.gather.writing import Written, write
from tasks.measures.reasoning import sentences
from tasks.plan import Plan
from tasks.schema import Evidence, TruncatedReasoning
from tasks.shards import Payload, ShardRef, StoredShard
from tasks.subject import Subject

PER_SHARD = 50
NEEDS_SECOND_MODEL = "not run: needs a second model; the definition names no paraphraser"


def shards(plan: Plan, check: ReasoningCheck, cases: Sequence[int]) -> list[ShardRef]:
    """Shards over a random sample of rows, then the cases that are only shown."""
    sample = plan.rows_of(check)
    shown = [case for case in cases if case not in set(sample)]
    return cut(
        plan,
        check,
        "reasoning",
        sample + shown,
        PER_SHARD,
        tests=runnable(check),
        shares=check.shares,
        paraphraser=check.paraphraser.model_dump() if check.paraphraser else None,
        factors=check.factors and bool(plan.spec.data.field_names),
    )


def runnable(check: ReasoningCheck) -> list[ReasoningTest]:
    """The tests that can be made with what the definition names."""
    return [t for t in check.tests if t != "paraphrase" or check.paraphraser is not None]


def measure(ref: ShardRef, _: Path) -> Payload:
    """Reasoning, answer, and the answer when the reasoning is changed at every share."""
    subject, rows = subject_of(ref), rows_of(ref)
    texts, shares = [row.text for row in rows], ref.option("shares")
    written = write(subject, texts)
    settings = ref.option("paraphraser")
    tests = {
        test: answers_under(
            subject, texts, written, test, shares,
            seeds=[ref.data.seed + position for position in ref.rows],
            paraphraser=SecondModel(**settings) if settings else None,
        )
        for test in ref.option("tests")
    }  # fmt: skip
    fields = _fields(subject, rows, written) if ref.option("factors") else [{}] * len(rows)
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


def answers_under(
    subject: Any,
    texts: Sequence[str],
    written: Sequence[Written],
    test: ReasoningTest,
    shares: Sequence[float],
    *,
    seeds: Sequence[int],
    paraphraser: SecondModel | None = None,
) -> list[dict[str, Any] | None]:
    """One test on every text: answers and how many tokens were left as they are, by share.

    Args:
        subject: whoever wrote.
        texts: the questions.
        written: reasoning and answer of each.
        test: what is done to the reasoning.
        shares: left as they are, rising from 0 to 1.
        seeds: of each text, for mistakes.
        paraphraser: who says a reasoning in other words.

    Returns:
        For every text `answers` and `kept`; none where the test cannot change its reasoning.
    """
    tokens = tokens_by(subject)
    said: list[Any] = [None] * len(texts)
    if test == "paraphrase" and paraphraser is not None:
        said = list(other_words(paraphraser, [sentences(w.reasoning) for w in written]))
    made = [
        [
            version(test, w.reasoning, share, tokens, seed=seed, other_words=words)
            for w, seed, words in zip(written, seeds, said, strict=True)
        ]
        for share in shares
    ]
    usable = [i for i in range(len(texts)) if all(row[i] is not None for row in made)]
    kept: list[list[Version]] = [[row[i] for i in usable if row[i]] for row in made]  # type: ignore[misc]
    ask = going_on if test == "mistake" else forced
    answers = ask(
        subject,
        [texts[i] for i in usable],
        [written[i].reasoning for i in usable],
        [[v.text for v in row] for row in kept],
    )
    found: list[dict[str, Any] | None] = [None] * len(texts)
    for place, i in enumerate(usable):
        told = [row[place] for row in answers]
        if test == "mistake":  # the whole has none, so nothing was changed
            told = [
                written[i].answer if share == 1 else answer
                for share, answer in zip(shares, told, strict=True)
            ]
        found[i] = {"answers": told, "kept": [_length(tokens, row[place]) for row in kept]}
    return found


def _length(tokens: Tokens, one: Version) -> int:
    return len(tokens(one.same))


def _fields(subject: Any, rows: Sequence[Row], written: Sequence[Written]) -> list[dict[str, Any]]:
    if not isinstance(subject, Subject) or not subject.labels:
        return [{}] * len(rows)
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
    """The curves of every test and the areas over them; named factors against attributed ones."""
    found: list[Any] = records(read_all(store, stored))
    sample = found[: len(plan.rows_of(check))]
    shown = {plan.data.rows[case].id for case in cases}
    tests = runnable(check)
    missing = [test for test in check.tests if test not in tests]
    withheld = {
        f"{name} by {test}": NEEDS_SECOND_MODEL
        for test in missing
        for name in ("dependence_on_reasoning", "answer_unchanged", "answer_accuracy")
    }
    return Evidence(
        check=check,
        subject=plan.spec.subject_of(check),
        measurements=(*curves(tests, check.shares, sample, plan.spec.seed),
                      *factors(sample, plan.spec.seed)),
        cases=tuple(_case(r, tests) for r in found if r["id"] in shown),
        notes=(*(f"Test {test} {NEEDS_SECOND_MODEL}." for test in missing),
               *left_out(tests, sample)),
        withheld=withheld,
    )  # fmt: skip


def _case(record: Any, tests: Sequence[ReasoningTest]) -> TruncatedReasoning:
    first = record["tests"].get(tests[0]) if tests else None
    return TruncatedReasoning(
        id=record["id"],
        reasoning=record["reasoning"],
        answer=record["answer"],
        answers=tuple(first["answers"]) if first else (),
    )
