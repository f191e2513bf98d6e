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
from tasks.measures.stats.random_streams import subseed
from tasks.run.rounds import Work
from tasks.subjects.load import open_writer, resumer
from tasks.subjects.outputs import Written
from tasks.subjects.protocols import OpenWriter


def measure(work: Work[ReasoningOptions]) -> ReasonedTexts:
    """Reasoning, answer, and the answer when the reasoning is changed at every share."""
    subject, rows, asked = resumer(work.ref.subject), work.rows, work.options
    texts = [row.text for row in rows]
    written = subject.write(texts)
    tested = under_tests(
        subject,
        texts,
        written,
        asked.tests,
        asked.shares,
        seeds=[subseed(work.seed, "text reasoned about", at) for at in work.ref.rows],
        paraphraser=work.second,
    )
    fields: Sequence[NamedFields | None] = [None] * len(rows)
    if asked.factors:
        fields = _fields(open_writer(work.ref.subject), rows, written)
    return ReasonedTexts(
        texts=tuple(
            ReasonedText(
                id=row.id,
                label=row.label,
                reasoning=own.reasoning,
                answer=outcome.answer,
                by_test=outcome.by_test,
                log_probabilities=outcome.log_probabilities,
                fields=of_text,
            )
            for row, own, outcome, of_text in zip(rows, written, tested, fields, strict=True)
        )
    )


def _fields(
    subject: OpenWriter, rows: Sequence[Row], written: Sequence[Written]
) -> list[NamedFields | None]:
    """Attributed and named fields of every text."""
    attributed = attributed_fields(
        subject, rows, [own.reasoning for own in written], [own.answer for own in written]
    )
    return [
        NamedFields(attributed=values, named=tuple(named_fields(row, own.reasoning)))
        if values
        else None
        for row, own, values in zip(rows, written, attributed, strict=True)
    ]
