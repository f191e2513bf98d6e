"""Where a text's hidden state is taken, and the states of all layers from one pass over texts."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.data.dataset import Row
from tasks.data.text_units import Span
from tasks.measures.model.hooks import captured
from tasks.run.inputs import rows_of
from tasks.run.shards import Payload, ShardRef, StoredShard, read_array
from tasks.subjects.load import opened
from tasks.subjects.local.batches import Batch, batches, rendered_places
from tasks.subjects.protocols import Opens

Floats = NDArray[np.float32]


def measure(ref: ShardRef, _: Path) -> Payload:
    """One state per pooling, layer and text, float32 [texts, d] each.

    Layers are kept apart, so that whoever reads some of them holds no others in memory.
    """
    subject, texts = opened(ref.subject), rows_of(ref)
    rendered = [subject.render(row.text) for row in texts]
    spans = spans_of(subject, texts, ref.option("span"))
    poolings, layers = ref.option("poolings"), subject.layers + 1
    found: dict[str, Floats] = {}
    with torch.inference_mode():
        for positions, batch in batches(subject, rendered):
            own = [spans[i] for i in positions]
            with captured(subject.blocks) as states:
                subject.scores(batch)
            for pooling in poolings:
                for layer, hidden in enumerate(states):
                    one = pooled(batch, hidden, place(subject, batch, pooling, layer, own))
                    name = array_name(pooling, layer)
                    empty = np.empty((len(texts), one.shape[1]), dtype=np.float32)
                    found.setdefault(name, empty)[positions] = one.float().cpu().numpy()
    width = next(iter(found.values())).shape[1]
    return Payload(dict(found), [{"layers": layers, "width": width}])


def array_name(pooling: str, layer: int) -> str:
    """Name of one layer's states in a payload."""
    return f"{pooling}/{layer}"


def spans_of(subject: Opens, rows: Sequence[Row], field: str | None) -> list[list[Span]]:
    """Where a field stands in what the subject is given for every row; nowhere without one."""
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


def stored_states(ref: ShardRef, store: Path, pooling: str, layers: Sequence[int]) -> Floats:
    """States of the shard's rows at some layers, [layers, texts, d]."""
    at = {row: i for i, row in enumerate(ref.option("sampled"))}
    kept = [at[row] for row in ref.rows]
    stored = [StoredShard.model_validate(one) for one in ref.option("states")]
    return np.stack(
        [
            np.concatenate([read_array(store, one, array_name(pooling, layer)) for one in stored])[
                kept
            ]
            for layer in layers
        ]
    )
