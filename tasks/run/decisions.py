"""What a subject decides for every row, and how sure it is: the round that all checks share."""

from collections.abc import Sequence

import numpy as np
import torch

from tasks.definition import Answering, PredictionsSubject
from tasks.definition.checks import BaseCheck
from tasks.definition.record import Record
from tasks.run.decisions_table import Decided
from tasks.run.inputs import batches, subject_of
from tasks.run.payload import Payload
from tasks.run.plan import Plan
from tasks.run.rounds import Asked, Finished, NoOptions, Piece, Round, Work, cut
from tasks.subjects.local.subject import Subject
from tasks.subjects.writing import Writer, write

PER_SHARD = 250


class Decision(Record):
    """What was decided for one text."""

    decision: str | None
    """Class or answer; none where no answer can be read."""
    probability: float | None
    """Of that decision; none where the subject does not give it."""


class Decisions(Payload):
    """The decisions of a shard, one per row."""

    rows: tuple[Decision, ...]


def pieces(rows: Sequence[int]) -> list[Piece[NoOptions]]:
    """Shards that decide `rows`."""
    return cut(rows, PER_SHARD, NoOptions())


def measure(work: Work[NoOptions]) -> Decisions:
    """Decision and its probability for every row of a shard."""
    subject, texts = subject_of(work.ref), [row.text for row in work.rows]
    spec = work.ref.subject.spec
    if isinstance(spec, Answering) and spec.answers:
        return Decisions(rows=tuple(_written(subject, texts)))
    return Decisions(rows=tuple(_read(subject, texts)))


def _of_another_subject(asked: Asked[BaseCheck], _: Finished) -> list[Piece[NoOptions]]:
    """Nothing for the first subject, which decided all rows before, nor for one on record."""
    known = asked.subject == asked.plan.main or asked.subject not in asked.plan.subjects
    return [] if known else pieces(asked.sample)


DECISIONS: Round[BaseCheck, NoOptions, Decisions] = Round(
    name="decisions",
    title="decisions of {subject}",
    options=NoOptions,
    payload=Decisions,
    pieces=_of_another_subject,
    measure=measure,
)


def decisions_of(asked: Asked[BaseCheck], finished: Finished) -> Decided:
    """The decisions of a check's subject over its rows, for checks that have `DECISIONS`."""
    if asked.subject == asked.plan.main:
        return asked.decided.at(asked.sample)
    return decided(asked.plan, asked.subject, asked.sample, finished.of(DECISIONS))


def decided(
    plan: Plan, subject: str, rows: Sequence[int], payloads: Sequence[Decisions]
) -> Decided:
    """The decisions of a subject over `rows`, from its shards or its recorded column."""
    spec = plan.spec.subjects[subject]
    if isinstance(spec, PredictionsSubject):
        return _recorded(plan, spec, subject, rows)
    each = [row for payload in payloads for row in payload.rows]
    return Decided(
        subject=subject,
        rows=tuple(rows),
        decision=np.array([one.decision or "" for one in each], dtype=np.str_),
        probability=np.array(
            [np.nan if one.probability is None else one.probability for one in each],
            dtype=np.float64,
        ),
    )


def _recorded(plan: Plan, spec: PredictionsSubject, subject: str, rows: Sequence[int]) -> Decided:
    chosen = plan.rows(rows)
    column = spec.probability
    sure = [float(r.columns[column]) if column is not None else np.nan for r in chosen]
    return Decided(
        subject=subject,
        rows=tuple(rows),
        decision=np.array([row.columns[spec.prediction] for row in chosen], dtype=np.str_),
        probability=np.array(sure, dtype=np.float64),
    )


def _read(subject: Subject, texts: list[str]) -> list[Decision]:
    """Decisions of a classifier, or the next token of a causal subject without choices."""
    decisions = [Decision(decision=None, probability=None)] * len(texts)
    rendered = [subject.render(text) for text in texts]
    with torch.inference_mode():
        for positions, batch in batches(subject, rendered):
            probabilities = batch.merged(subject.scores(batch)).double().softmax(dim=-1)
            best = probabilities.argmax(dim=-1)
            for row, position in enumerate(positions):
                label = int(best[row])
                decisions[position] = Decision(
                    decision=subject.class_name(label),
                    probability=min(1.0, float(probabilities[row, label])),
                )
    return decisions


def _written(subject: Writer, texts: list[str]) -> list[Decision]:
    """Decisions of a subject that writes, after its own reasoning."""
    return [Decision(decision=w.answer, probability=None) for w in write(subject, texts)]
