"""One check from its first round to its evidence: the one loop that audits and calibrations run."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from tasks.checks import room_of
from tasks.checks.preflight import not_run
from tasks.definition.checks.base import BaseCheck
from tasks.run.decisions import DECISIONS, decided, pieces
from tasks.run.decisions_table import Decided
from tasks.run.plan import Plan
from tasks.run.rounds import AnyRound, Asked, Finished
from tasks.run.shards import ShardRef
from tasks.run.store import Store, StoredShard
from tasks.schema import Evidence

RunShards: TypeAlias = Callable[[str, Sequence[ShardRef]], Sequence[StoredShard]]
"""Measures the shards of a step, given its title; returns where their payloads are stored."""


def decide(plan: Plan, store: Store, run: RunShards) -> Decided:
    """The decisions of an audit's first subject over all rows."""
    rows = range(len(plan.data.rows))
    refs = [
        DECISIONS.shard(plan, None, plan.main, piece) for piece in pieces(plan, plan.main, rows)
    ]
    stored = run(DECISIONS.title.format(subject=plan.main), refs) if refs else []
    payloads = [store.read(shard, DECISIONS.payload) for shard in stored]
    return decided(plan, plan.main, rows, payloads)


def gather(asked: Asked[BaseCheck], store: Store, run: RunShards) -> Evidence:
    """Run a check's rounds one after another and put its evidence together.

    For a check that its subject or data cannot answer, the evidence is the reason.
    """
    reason = not_run(asked.plan, asked.check)
    if reason is not None:
        return Evidence(check=asked.check, subject=asked.subject, not_run=reason)
    room = room_of(asked.check.kind)
    return room.evidence(asked, measured(asked, Finished(store), run))


def measured(asked: Asked[BaseCheck], finished: Finished, run: RunShards) -> Finished:
    """Run all rounds of a check; returns what they have finished."""
    for step in room_of(asked.check.kind).rounds:
        refs = step.shards(asked, finished)
        if refs:
            finished = finished.after(step, run(step.title.format(subject=asked.subject), refs))
    return finished


def round_of(ref: ShardRef) -> AnyRound:
    """The round that a shard belongs to."""
    if ref.check is None or ref.round == DECISIONS.name:
        return DECISIONS
    return next(step for step in room_of(ref.check).rounds if step.name == ref.round)


def in_process(store: Store) -> RunShards:
    """Measure shards in this process, one after another; a stored shard is not measured again."""

    def run(_: str, refs: Sequence[ShardRef]) -> list[StoredShard]:
        return [store.find(ref) or round_of(ref).run(ref, store) for ref in refs]

    return run
