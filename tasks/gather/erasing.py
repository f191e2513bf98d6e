"""The decisions once an attribute is erased at one layer, and what probes still read there.

Three folds take turns: one fits the eraser, one trains the probe, one is tested on; so no number
is taken from texts that anything was fitted on.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.gather.inputs import batches, rows_of, subject_of
from tasks.gather.states import place, stored_states
from tasks.measures import erasure, probing
from tasks.measures.erasure import Eraser
from tasks.measures.hooks import edited, recorded, resumed
from tasks.measures.logistic import design
from tasks.measures.nonlinear import forest_probe
from tasks.shards import Payload, ShardRef
from tasks.subject import Subject


def measure(ref: ShardRef, store: Path) -> Payload:
    """What probes read once the attribute is erased, and what the subject decides."""
    subject, texts = subject_of(ref), rows_of(ref)
    attribute, layer, seed = ref.option("attribute"), ref.option("layer"), ref.data.seed
    named = np.array([row.groups[attribute] for row in texts], dtype=np.str_)
    concept, names = probing.coded(named)
    states = stored_states(ref, store, ref.option("pooling"), [layer])[0].astype(np.float64)
    fold = probing.three_folds(concept, seed=seed)
    erased, forest = np.empty_like(concept), np.empty_like(concept)
    draws = ref.option("random_subspaces")
    decisions = np.empty((draws + 2, len(texts)), dtype=np.int64)
    for turn in range(3):
        fits, trains, tests = (fold == (turn + k) % 3 for k in range(3))
        eraser = erasure.leace(states[fits], named[fits])
        clean = eraser(torch.from_numpy(states)).numpy()
        fresh = probing.linear_probes(
            design(clean[None]), concept[None], trains[None], len(names), seed=seed
        )
        erased[tests] = fresh.read[0, 0, tests]
        forest[tests] = forest_probe(clean[trains], concept[trains], clean[tests], seed=seed)
        random = [
            erasure.random_eraser(states[fits], eraser.rank, seed=seed + 31 * turn + draw)
            for draw in range(draws)
        ]
        tested = np.flatnonzero(tests)
        rendered = [subject.render(texts[i].text) for i in tested]
        decisions[:, tested] = _decide(subject, rendered, [eraser, *random], ref)
    return Payload(
        {
            "concept": concept,
            "erased": erased,
            "forest": forest,
            "plain": decisions[0],
            "after": decisions[1],
            "random": decisions[2:],
        },
        [{"attribute": attribute, "layer": layer}],
    )


def _decide(
    subject: Subject, rendered: list[str], erasers: Sequence[Eraser], ref: ShardRef
) -> NDArray[np.int64]:
    """Class decided for every text: untouched, then with each eraser, [erasers + 1, texts].

    Blocks below the layer are computed once and answer the same for every eraser.
    """
    found = np.empty((len(erasers) + 1, len(rendered)), dtype=np.int64)
    layer = ref.option("layer")
    with torch.inference_mode():
        for positions, batch in batches(subject, rendered):
            with recorded(subject.blocks) as outputs:
                scores = [subject.scores(batch)]
            where = place(subject, batch, ref.option("pooling"), layer)
            for eraser in erasers:
                edit = partial(_erase, eraser, where)
                with resumed(subject.blocks, layer, outputs), edited(subject.blocks, layer, edit):
                    scores.append(subject.scores(batch))
            merged = torch.stack([batch.merged(s).argmax(dim=-1) for s in scores])
            found[:, positions] = merged.cpu().numpy()
    return found


def _erase(eraser: Eraser, where: Tensor, hidden: Tensor) -> Tensor:
    """Erase where the state was taken."""
    changed = hidden.clone()
    changed[where] = eraser(hidden[where])
    return changed
