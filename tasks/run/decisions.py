"""What a subject decides for every row, and how sure it is."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tasks.definition.checks import Check
from tasks.run.decisions_table import Decided
from tasks.run.inputs import cut, read_all, records, rows_of
from tasks.run.plan import Plan
from tasks.run.shards import Payload, ShardRef, StoredShard
from tasks.subjects.load import decider
from tasks.subjects.outputs import Decision

PER_SHARD = 250


def shards(plan: Plan, subject: str, rows: Sequence[int]) -> list[ShardRef]:
    """Shards that decide `rows`; none for a subject whose decisions stand in the data."""
    if plan.spec.subjects[subject].data_columns:
        return []
    check: Check | None = None
    found = cut(plan, check, "decisions", rows, PER_SHARD)
    return [ref.model_copy(update={"subject": plan.subjects[subject]}) for ref in found]


def measure(ref: ShardRef, _: Path) -> Payload:
    """Decision and its probability for every row of a shard."""
    found = decider(ref.subject).decide(rows_of(ref))
    return Payload({}, [{"decision": d.label, "probability": d.probability} for d in found])


def decided(
    plan: Plan, subject: str, rows: Sequence[int], store: Path, stored: Sequence[StoredShard]
) -> Decided:
    """The decisions of a subject over `rows`, from its shards or its recorded column."""
    ref = plan.subjects[subject]
    if ref.spec.data_columns:
        return _decided(subject, rows, decider(ref).decide(plan.rows(rows)))
    found: list[Any] = records(read_all(store, stored))
    return _decided(subject, rows, [Decision(r["decision"], r["probability"]) for r in found])


def _decided(subject: str, rows: Sequence[int], found: Sequence[Decision]) -> Decided:
    sure = [np.nan if d.probability is None else d.probability for d in found]
    return Decided(
        subject=subject,
        rows=tuple(rows),
        decision=np.array([d.label or "" for d in found], dtype=np.str_),
        probability=np.array(sure, dtype=np.float64),
    )
