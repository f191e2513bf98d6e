"""What every shard starts from: its data and its rows; and rows cut into shards."""

from collections.abc import Sequence
from pathlib import Path

from tasks.data.dataset import Dataset, Row, load_dataset
from tasks.definition.checks import Check, SecondModel
from tasks.run.plan import Plan
from tasks.run.shards import DataRef, Payload, ShardRef, StoredShard, options, read_payload
from tasks.subjects.endpoint.second_model import SecondEndpoint, load_second


def second_of(ref: ShardRef, store: Path) -> SecondEndpoint | None:
    """Who helps with a shard; none where nobody does."""
    return None if ref.second is None else load_second(ref.second, store)


def dataset_of(ref: ShardRef) -> Dataset:
    """The whole data set that a shard's rows are positions in."""
    return load_dataset(ref.data.spec.model_dump_json(), Path(ref.data.root), ref.data.seed)


def rows_of(ref: ShardRef) -> list[Row]:
    """The rows of a shard."""
    rows = dataset_of(ref).rows
    return [rows[i] for i in ref.rows]


def cut(
    plan: Plan,
    check: Check | None,
    kind: str,
    rows: Sequence[int],
    per_shard: int,
    *,
    second: SecondModel | None = None,
    **values: object,
) -> list[ShardRef]:
    """Shards of at most `per_shard` rows for one kind of work."""
    name = plan.spec.subject_of(check) if check is not None else plan.main
    return [
        shard(plan, name, kind, rows[start : start + per_shard], second=second, **values)
        for start in range(0, len(rows), per_shard)
    ]


def shard(
    plan: Plan,
    subject: str,
    kind: str,
    rows: Sequence[int],
    *,
    second: SecondModel | None = None,
    **values: object,
) -> ShardRef:
    """One shard."""
    return ShardRef(
        kind=kind,
        subject=plan.subjects[subject],
        data=DataRef(
            spec=plan.spec.data,
            root=str(plan.root),
            sha256=plan.data.sha256,
            seed=plan.spec.seed,
        ),
        rows=tuple(rows),
        options=options(**values),
        second=second,
    )


def read_all(store: Path, stored: Sequence[StoredShard]) -> list[Payload]:
    """The payloads of shards, in order."""
    return [read_payload(store, one) for one in stored]


def records(payloads: Sequence[Payload]) -> list[dict[str, object]]:
    """The records of all payloads, in order."""
    return [record for payload in payloads for record in payload.records]
