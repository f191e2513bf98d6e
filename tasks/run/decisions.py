"""A subject's decision and its probability for every row: the round that all checks share."""

from collections.abc import Sequence

import numpy as np

from tasks.definition.checks.base import BaseCheck
from tasks.run.decisions_table import Decided
from tasks.run.payload import Payload
from tasks.run.plan import Plan
from tasks.run.rounds import Asked, Finished, NoOptions, Piece, Round, Work, cut
from tasks.subjects.load import decider
from tasks.subjects.outputs import Decision

PER_SHARD = 250


class Decisions(Payload):
    """The decisions of a shard, one per row."""

    rows: tuple[Decision, ...]


def pieces(plan: Plan, subject: str, rows: Sequence[int]) -> list[Piece[NoOptions]]:
    """Shards that decide `rows`; none for a subject whose decisions stand in the data."""
    if plan.spec.subjects[subject].data_columns:
        return []
    return cut(rows, PER_SHARD, NoOptions())


def measure(work: Work[NoOptions]) -> Decisions:
    """Decision and its probability for every row of a shard."""
    return Decisions(rows=tuple(decider(work.ref.subject).decide(work.rows)))


def _of_another_subject(asked: Asked[BaseCheck], _: Finished) -> list[Piece[NoOptions]]:
    """No shards for the first subject, whose decisions on all rows are measured before."""
    return (
        [] if asked.subject == asked.plan.main else pieces(asked.plan, asked.subject, asked.sample)
    )


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
    ref = plan.subjects[subject]
    each = (
        decider(ref).decide(plan.rows(rows))
        if ref.spec.data_columns
        else [row for payload in payloads for row in payload.rows]
    )
    sure = [np.nan if decision.probability is None else decision.probability for decision in each]
    return Decided(
        subject=subject,
        rows=tuple(rows),
        decision=np.array([decision.label or "" for decision in each], dtype=np.str_),
        probability=np.array(sure, dtype=np.float64),
    )
