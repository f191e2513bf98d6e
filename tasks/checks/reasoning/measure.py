"""Texts reasoned about, and answered again after every change of the reasoning."""

from collections.abc import Sequence

from tasks.checks.reasoning.factors import attributed_fields, named_fields
from tasks.checks.reasoning.interventions import under_tests
from tasks.checks.reasoning.payload import (
    NamedFields,
    ReasonedText,
    ReasonedTexts,
    ReasoningOptions,
)
from tasks.data.dataset import Row
from tasks.run.inputs import subject_of
from tasks.run.rounds import Work
from tasks.subjects.local.subject import Subject
from tasks.subjects.writing import Writer, Written, write


def measure(work: Work[ReasoningOptions]) -> ReasonedTexts:
    """Reasoning, answer, and the answer when the reasoning is changed at every share."""
    subject, rows, asked = subject_of(work.ref), work.rows, work.options
    texts = [row.text for row in rows]
    written = write(subject, texts)
    tested = under_tests(
        subject,
        texts,
        written,
        asked.tests,
        asked.shares,
        seeds=[work.seed + position for position in work.ref.rows],
        paraphraser=work.second,
    )
    fields = _fields(subject, rows, written) if asked.factors else [None] * len(rows)
    return ReasonedTexts(
        texts=tuple(
            ReasonedText(
                id=row.id,
                label=row.label,
                reasoning=own.reasoning,
                answer=one.answer,
                by_test=one.by_test,
                log_probabilities=one.log_probabilities,
                fields=of_text,
            )
            for row, own, one, of_text in zip(rows, written, tested, fields, strict=True)
        )
    )


def _fields(
    subject: Writer, rows: Sequence[Row], written: Sequence[Written]
) -> list[NamedFields | None]:
    """Attributed and named fields of every text."""
    if not isinstance(subject, Subject) or not subject.labels:
        return [None] * len(rows)
    attributed = attributed_fields(
        subject, rows, [one.reasoning for one in written], [one.answer for one in written]
    )
    return [
        NamedFields(attributed=values, named=tuple(named_fields(row, own.reasoning)))
        if values
        else None
        for row, own, values in zip(rows, written, attributed, strict=True)
    ]
