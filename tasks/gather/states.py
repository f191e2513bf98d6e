"""Where a text's hidden state is taken, and the states of all layers from one pass over texts."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.gather.inputs import batches, rows_of, subject_of
from tasks.measures.hooks import captured
from tasks.shards import Payload, ShardRef, StoredShard, read_array
from tasks.subject import Batch, Subject

Floats = NDArray[np.float32]


def measure(ref: ShardRef, _: Path) -> Payload:
    """One state per pooling, layer and text, float32 [texts, d] each.

    Layers are kept apart, so that whoever reads some of them holds no others in memory.
    """
    subject, texts = subject_of(ref), rows_of(ref)
    rendered = [subject.render(row.text) for row in texts]
    poolings, layers = ref.option("poolings"), subject.layers + 1
    found: dict[str, Floats] = {}
    with torch.inference_mode():
        for positions, batch in batches(subject, rendered):
            with captured(subject.blocks) as states:
                subject.scores(batch)
            for pooling in poolings:
                for layer, hidden in enumerate(states):
                    one = pooled(batch, hidden, place(subject, batch, pooling, layer))
                    name = array_name(pooling, layer)
                    empty = np.empty((len(texts), one.shape[1]), dtype=np.float32)
                    found.setdefault(name, empty)[positions] = one.float().cpu().numpy()
    width = next(iter(found.values())).shape[1]
    return Payload(dict(found), [{"layers": layers, "width": width}])


def array_name(pooling: str, layer: int) -> str:
    """Name of one layer's states in a payload."""
    return f"{pooling}/{layer}"


def place(subject: Subject, batch: Batch, pooling: str, layer: int) -> Tensor:
    """True for the tokens whose mean is a text's state, and which are erased, [windows, tokens].

    At the embedding that is all tokens: single positions there are often the same for every text
    and carry nothing.
    """
    real: Tensor = batch.mask.bool()
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


def pooled(batch: Batch, hidden: Tensor, chosen: Tensor) -> Tensor:
    """Mean of the hidden states over the chosen tokens of every text, [texts, d]."""
    weight = chosen.unsqueeze(-1).to(hidden.dtype)
    return batch.merged((hidden * weight).sum(1) / weight.sum(1))


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
