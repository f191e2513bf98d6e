"""Where a text's hidden state is taken, and which tokens a lever changes there."""

from collections.abc import Sequence

import torch
from torch import Tensor

from tasks.data.dataset import Row
from tasks.data.text_units import Span
from tasks.measures.interventions.levers import Where
from tasks.subjects.local.batches import Batch, rendered_places
from tasks.subjects.protocols import Opens


def spans_of(subject: Opens, rows: Sequence[Row], field: str | None) -> list[list[Span]]:
    """Spans of a field in the rendered text of every row; no spans where no field is named."""
    return [
        rendered_places(subject, row.places.get(field, [])) if field is not None else []
        for row in rows
    ]


def place(
    subject: Opens, batch: Batch, pooling: str, layer: int, spans: Sequence[Sequence[Span]] = ()
) -> Tensor:
    """True for the tokens whose mean is a text's state, and which are erased, [windows, tokens].

    At the embedding that is all tokens: single positions there are often the same for every text
    and carry nothing.

    Args:
        subject: reads the texts.
        batch: the texts.
        pooling: which tokens; see `Pooling`.
        layer: 0 is the embedding.
        spans: of every text of the batch, where the field stands that `span` means.
    """
    real: Tensor = batch.mask.bool()
    if pooling == "span":
        return real & _overlapping(batch, spans).to(real.device)
    if pooling == "mean" or layer == 0:
        return real
    if pooling == "head":
        at = subject.head_position(batch)
    elif pooling == "first":
        at = real.int().argmax(dim=1)
    else:
        at = real.shape[1] - 1 - real.int().flip(1).argmax(dim=1)
    chosen = torch.zeros_like(real)
    chosen[torch.arange(len(real), device=real.device), at.to(real.device)] = True
    return chosen


def _overlapping(batch: Batch, spans: Sequence[Sequence[Span]]) -> Tensor:
    """Tokens that stand for a character of the spans of their text, [windows, tokens]."""
    return torch.tensor(
        [
            [any(a < end and start < b for start, end in spans[owner]) for a, b in offsets]
            for offsets, owner in zip(batch.offsets, batch.owner.tolist(), strict=True)
        ],
        dtype=torch.bool,
    )


def pooled(batch: Batch, hidden: Tensor, chosen: Tensor) -> Tensor:
    """Mean of the hidden states over the chosen tokens of every text, [texts, d].

    NaN for a text without a chosen token.
    """
    weight = chosen.unsqueeze(-1).to(hidden.dtype)
    return batch.merged((hidden * weight).sum(1)) / batch.merged(weight.sum(1))


def where_of(subject: Opens, pooling: str, layer: int) -> Where:
    """The tokens of `place`, named so that the name holds for padding on either side."""
    if pooling == "mean" or layer == 0:
        return "all"
    if pooling == "head":
        return "last" if subject.left_padded else "first"
    return "first" if pooling == "first" else "last"
