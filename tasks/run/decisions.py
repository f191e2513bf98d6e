"""What a subject decides for every row, and how sure it is."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from tasks.definition import Answering, PredictionsSubject
from tasks.definition.checks import BaseCheck
from tasks.run.decisions_table import Decided
from tasks.run.inputs import batches, cut, read_all, records, rows_of, subject_of
from tasks.run.plan import Plan
from tasks.run.shards import Payload, ShardRef, StoredShard
from tasks.subjects.local.subject import Subject
from tasks.subjects.writing import Writer, write

PER_SHARD = 250


def shards(plan: Plan, subject: str, rows: Sequence[int]) -> list[ShardRef]:
    """Shards that decide `rows`."""
    check: BaseCheck | None = None
    found = cut(plan, check, "decisions", rows, PER_SHARD)
    return [ref.model_copy(update={"subject": plan.subjects[subject]}) for ref in found]


def measure(ref: ShardRef, _: Path) -> Payload:
    """Decision and its probability for every row of a shard."""
    subject, texts = subject_of(ref), [row.text for row in rows_of(ref)]
    if isinstance(ref.subject.spec, Answering) and ref.subject.spec.answers:
        return Payload({}, _written(subject, texts))
    return Payload({}, _read(subject, texts))


def decided(
    plan: Plan, subject: str, rows: Sequence[int], store: Path, stored: Sequence[StoredShard]
) -> Decided:
    """The decisions of a subject over `rows`, from its shards or its recorded column."""
    spec = plan.spec.subjects[subject]
    if isinstance(spec, PredictionsSubject):
        return _recorded(plan, spec, subject, rows)
    found = records(read_all(store, stored))
    return Decided(
        subject=subject,
        rows=tuple(rows),
        decision=np.array([str(r["decision"] or "") for r in found], dtype=np.str_),
        probability=np.array(
            [np.nan if r["probability"] is None else r["probability"] for r in found],
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


def _read(subject: Subject, texts: list[str]) -> list[dict[str, object]]:
    """Decisions of a classifier, or the next token of a causal subject without choices."""
    found: list[dict[str, object]] = [{}] * len(texts)
    rendered = [subject.render(text) for text in texts]
    with torch.inference_mode():
        for positions, batch in batches(subject, rendered):
            probabilities = batch.merged(subject.scores(batch)).double().softmax(dim=-1)
            best = probabilities.argmax(dim=-1)
            for row, position in enumerate(positions):
                label = int(best[row])
                found[position] = {
                    "decision": subject.class_name(label),
                    "probability": min(1.0, float(probabilities[row, label])),
                }
    return found


def _written(subject: Writer, texts: list[str]) -> list[dict[str, object]]:
    """Decisions of a subject that writes, after its own reasoning."""
    return [{"decision": w.answer, "probability": None} for w in write(subject, texts)]
