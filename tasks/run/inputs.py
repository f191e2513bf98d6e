"""What every shard starts from: its subject and its rows; and batches of texts to run."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tasks.data.dataset import Dataset, Row, load_dataset
from tasks.data.text_units import Span
from tasks.definition import OpenAISubject, TranscriptsSubject
from tasks.definition.checks import BaseCheck, SecondModel
from tasks.run.plan import Plan
from tasks.run.shards import DataRef, Payload, ShardRef, StoredShard, options, read_payload
from tasks.subjects.endpoint.second_model import SecondEndpoint, load_second
from tasks.subjects.endpoint.subject import load_endpoint
from tasks.subjects.local.subject import Batch, Subject, load_subject
from tasks.subjects.transcripts import load_transcripts


def subject_of(ref: ShardRef) -> Any:
    """The subject of a shard: a loaded model, one behind an endpoint, or one on record.

    Which of them it is follows from the check: only checks that need nothing but writing reach a
    subject without weights (`tasks.plan.not_run`).
    """
    match ref.subject.spec:
        case OpenAISubject():
            return load_endpoint(ref.subject)
        case TranscriptsSubject():
            return load_transcripts(ref.subject)
        case _:
            return load_subject(ref.subject)


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


def rendered_places(subject: Subject, places: Sequence[Span]) -> list[Span]:
    """Places in a text as places in what the subject is given for it."""
    before = subject.render("\0").index("\0")
    return [(start + before, end + before) for start, end in places]


def batches(
    subject: Subject, rendered: Sequence[str], size: int | None = None
) -> Iterator[tuple[list[int], Batch]]:
    """Texts of similar length together: positions in `rendered`, and the batch.

    Args:
        subject: the subject that will read them.
        rendered: what it is given.
        size: texts per batch; the definition's `batch` unless given.
    """
    order = sorted(range(len(rendered)), key=lambda i: (len(rendered[i]), i))
    step = size or subject.ref.spec.batch
    for start in range(0, len(order), step):
        positions = order[start : start + step]
        yield positions, subject.encode([rendered[i] for i in positions])


def cut(
    plan: Plan,
    check: BaseCheck | None,
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
