"""What every shard starts from: its subject and its rows; and batches of texts to run."""

from collections.abc import Iterator, Sequence
from typing import Any

from tasks.data.text_units import Span
from tasks.definition import OpenAISubject, TranscriptsSubject
from tasks.run.shards import ShardRef
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
