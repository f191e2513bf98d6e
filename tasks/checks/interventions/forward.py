"""A subject run over texts with or without levers: its states, decisions and scores."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.checks.interventions.states import place, pooled
from tasks.measures.interventions.levers import Step, applied
from tasks.measures.model.hooks import captured, recorded, resumed
from tasks.subjects.local.batches import Batch, batches
from tasks.subjects.protocols import Opens

Floats = NDArray[np.float64]
Classes = NDArray[np.int64]


class Read(NamedTuple):
    """States and decisions of a subject on some texts."""

    states: Floats
    """[layers + 1, texts, d]."""
    decided: Classes
    """[texts]."""


def read(subject: Opens, rendered: Sequence[str], pooling: str, steps: Sequence[Step] = ()) -> Read:
    """States of every layer and the decision; states at a layer of `steps` are before its step."""
    states: Floats = np.empty(0)
    decided = np.empty(len(rendered), dtype=np.int64)
    with torch.inference_mode():
        for positions, batch in batches(subject, rendered):
            with captured(subject.blocks) as hidden, applied(subject.model, steps):
                scores = batch.merged(subject.scores(batch))
            decided[positions] = scores.argmax(dim=-1).cpu().numpy()
            by_layer = [
                pooled(batch, h, place(subject, batch, pooling, layer)).double().cpu().numpy()
                for layer, h in enumerate(hidden)
            ]
            if not states.size:
                states = np.empty((len(by_layer), len(rendered), by_layer[0].shape[1]))
            states[:, positions] = by_layer
    return Read(states, decided)


def scores_with(subject: Opens, batch: Batch, sets: Sequence[Sequence[Step]]) -> Tensor:
    """Scores of every text with each of several sets of steps, [sets, texts, classes].

    The blocks below the first step of a set are not computed again for it.
    """
    scores = []
    with torch.inference_mode():
        with recorded(subject.blocks) as outputs:
            plain = subject.scores(batch)
        for steps in sets:
            if not steps:
                scores.append(plain)
                continue
            first = min(step.layer for step in steps)
            with resumed(subject.blocks, first, outputs), applied(subject.model, steps):
                scores.append(subject.scores(batch))
        return torch.stack([batch.merged(each) for each in scores])
