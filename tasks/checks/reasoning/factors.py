"""Which fields of a text move the answer after a reasoning, and which the reasoning names."""

from collections.abc import Sequence

import torch
from torch import Tensor

from tasks.data.dataset import Row
from tasks.data.text_units import Span
from tasks.measures.attribution.inputs import Inputs
from tasks.measures.attribution.integrated_gradients import integrated_gradients
from tasks.measures.reasoning.reasoning_text import mentions
from tasks.subjects.local.batches import Batch
from tasks.subjects.local.prepared_texts import tokens_per_pass
from tasks.subjects.local.target import log_odds
from tasks.subjects.protocols import Opens, OpenWriter

TOLERANCE = 0.01


def named_fields(row: Row, reasoning: str) -> list[str]:
    """Fields of a text whose value or name stands in its reasoning."""
    return [
        name
        for name, value in row.fields.items()
        if row.places.get(name) and mentions(reasoning, [value, name.replace("_", " ")])
    ]


def attributed_fields(
    subject: OpenWriter,
    rows: Sequence[Row],
    reasonings: Sequence[str],
    answers: Sequence[str | None],
) -> list[dict[str, float] | None]:
    """Absolute attribution of each field, for the answer after the written reasoning.

    Integrated gradients of the answer's log-odds at the point where it is given. Only the fields of
    the text are attributed to: prompt and reasoning are the same in the baseline. What reaches the
    answer through the reasoning's own words is not counted.

    Args:
        subject: a local subject that knows its choices.
        rows: the texts.
        reasonings: what was written, [texts].
        answers: what was answered, [texts].

    Returns:
        Field -> attribution, for every text; none where no answer was read, no field stands in
        the text, or the whole does not fit into the subject's window.
    """
    given = subject.before_answer([row.text for row in rows], reasonings)
    beyond = set(subject.too_long(given))
    usable = [
        i
        for i, answer in enumerate(answers)
        if answer in subject.labels and i not in beyond and any(rows[i].places.values())
    ]
    attributions: list[dict[str, float] | None] = [None] * len(rows)
    for start in range(0, len(usable), subject.batch_size):
        part = usable[start : start + subject.batch_size]
        classes = torch.tensor([subject.labels.index(answers[i] or "") for i in part])
        values = _attributed(subject, [given[i] for i in part], [rows[i] for i in part], classes)
        for i, of_text in zip(part, values, strict=True):
            attributions[i] = of_text
    return attributions


def _attributed(
    subject: Opens, given: Sequence[str], rows: Sequence[Row], classes: Tensor
) -> list[dict[str, float]]:
    batch = subject.encode(given)
    names = [[name for name, spans in row.places.items() if spans] for row in rows]
    units = torch.tensor(
        [
            _units(batch, i, subject.text_start, [row.places[name] for name in names[i]])
            for i, row in enumerate(rows)
        ]
    )
    own = subject.embed(batch.ids)

    def score(embeddings: Tensor, of: Tensor) -> Tensor:
        here = of.to(subject.device)
        logits = subject.scores(batch.of(batch.ids[here], batch.mask[here]), embeddings)
        return log_odds(logits, classes[of].to(logits.device))

    inputs = Inputs(
        own=own,
        neutral=torch.where((units >= 0).unsqueeze(-1).to(own.device), subject.neutral(batch), own),
        units=units,
        score=score,
        tokens_per_pass=tokens_per_pass(subject, own.shape[1]),
    )
    values = integrated_gradients(inputs, tolerance=TOLERANCE).units.abs()
    return [
        {name: float(values[i, unit]) for unit, name in enumerate(known)}
        for i, known in enumerate(names)
    ]


def _units(batch: Batch, row: int, shift: int, places: Sequence[Sequence[Span]]) -> list[int]:
    """Which field every token of a row belongs to, -1 for none."""
    fields_of_tokens = []
    real = (batch.mask[row].cpu() == 1) & ~batch.special[row]
    for (start, end), is_text in zip(batch.offsets[row], real.tolist(), strict=True):
        owners = [
            unit
            for unit, spans in enumerate(places)
            if is_text and any(start - shift < b and end - shift > a for a, b in spans)
        ]
        fields_of_tokens.append(owners[0] if owners and start < end else -1)
    return fields_of_tokens
