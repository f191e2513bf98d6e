"""Texts as a model reads them: batches of similar length, and the text's position in them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tasks.data.text_units import Span
from tasks.subjects.protocols import Opens


@dataclass(frozen=True)
class Batch:
    """Texts as the model reads them; a text can stand in several windows."""

    ids: Tensor
    """Token ids, [windows, tokens]."""
    mask: Tensor
    """1 for tokens, 0 for padding, [windows, tokens]."""
    special: Tensor
    """True for tokens that belong to no text, [windows, tokens]."""
    offsets: list[list[tuple[int, int]]]
    """Characters that every token stands for, in the rendered text."""
    owner: Tensor
    """Which text a window belongs to, [windows]."""
    texts: int

    def of(self, ids: Tensor, mask: Tensor) -> "Batch":
        """This batch with other rows, only for scores: their text is not known."""
        return Batch(ids, mask, mask == 0, [], torch.arange(len(ids)), len(ids))

    def merged(self, values: Tensor) -> Tensor:
        """Mean over the windows of each text: [windows, ...] -> [texts, ...]."""
        owner = self.owner.to(values.device)
        total = torch.zeros(self.texts, *values.shape[1:], dtype=values.dtype, device=values.device)
        count = torch.zeros(self.texts, dtype=values.dtype, device=values.device)
        total.index_add_(0, owner, values)
        count.index_add_(0, owner, torch.ones_like(owner, dtype=values.dtype))
        return total / count.view(-1, *[1] * (values.ndim - 1))


def batches(
    subject: Opens, rendered: Sequence[str], size: int | None = None
) -> Iterator[tuple[list[int], Batch]]:
    """Texts of similar length together: positions in `rendered`, and the batch.

    Args:
        subject: the subject that will read them.
        rendered: the strings that it reads.
        size: texts per batch; the definition's `batch` unless given.
    """
    order = sorted(range(len(rendered)), key=lambda i: (len(rendered[i]), i))
    step = size or subject.batch_size
    for start in range(0, len(order), step):
        positions = order[start : start + step]
        yield positions, subject.encode([rendered[i] for i in positions])


def rendered_places(subject: Opens, places: Sequence[Span]) -> list[Span]:
    """Spans in a text as spans in the rendered text."""
    before = subject.text_start
    return [(start + before, end + before) for start, end in places]
