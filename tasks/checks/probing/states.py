"""The hidden states of texts at all layers, from one pass over them."""

import numpy as np
import torch
from numpy.typing import NDArray

from tasks.checks.interventions.states import place, pooled, spans_of
from tasks.checks.probing.payload import States, StatesOptions, state_name
from tasks.measures.model.hooks import captured
from tasks.run.rounds import Work
from tasks.subjects.load import opened
from tasks.subjects.local.batches import batches


def measure(work: Work[StatesOptions]) -> States:
    """One state per pooling, layer and text."""
    subject = opened(work.ref.subject)
    rows, layers = work.rows, subject.layers + 1
    rendered = [subject.render(row.text) for row in rows]
    spans = spans_of(subject, rows, work.options.span)
    states: dict[str, NDArray[np.float32]] = {}
    with torch.inference_mode():
        for positions, batch in batches(subject, rendered):
            own = [spans[i] for i in positions]
            with captured(subject.blocks) as hidden:
                subject.scores(batch)
            for pooling in work.options.poolings:
                for layer, of in enumerate(hidden):
                    state = pooled(batch, of, place(subject, batch, pooling, layer, own))
                    name = state_name(pooling, layer)
                    empty = np.empty((len(rows), state.shape[1]), dtype=np.float32)
                    states.setdefault(name, empty)[positions] = state.float().cpu().numpy()
    width = next(iter(states.values())).shape[1]
    return States(layers=layers, width=width, states=states)
