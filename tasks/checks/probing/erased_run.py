"""A subject run over texts while something is erased from its states, at one layer or several."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.checks.interventions.states import place, pooled, spans_of
from tasks.checks.probing.payload import ErasureOptions
from tasks.data.text_units import Span
from tasks.measures.model.hooks import captured_up_to, edited, recorded, resumed
from tasks.measures.probing.erasure import Eraser
from tasks.run.rounds import Work
from tasks.subjects.load import opened
from tasks.subjects.local.batches import Batch, batches
from tasks.subjects.protocols import Opens

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
Erasers = dict[int, Eraser]
"""Layer -> what erases there; several take effect together."""
Fit = Callable[[int, Floats], Eraser]
"""Layer and states of the texts that are fitted on -> what erases there."""


class PlacedBatch(NamedTuple):
    """Texts that are run together."""

    positions: list[int]
    """Among the texts that were asked for."""
    batch: Batch
    places: dict[int, Tensor]
    """Layer -> the tokens whose state is erased there, [windows, tokens]."""


class Erasing(ABC):
    """Texts that are decided about while something is erased from their states."""

    layers: Sequence[int]
    """Where it is erased, in order."""

    @abstractmethod
    def decide(self, texts: Places, changes: Sequence[Erasers]) -> NDArray[np.int64]:
        """Class decided for every text: untouched, then with each change, [changes + 1, texts]."""

    @abstractmethod
    def states(self, erasers: Erasers, texts: Places, layer: int) -> Floats:
        """States at a layer while erasers are at work, [texts, d]."""

    def erasers(self, states: Mapping[int, Floats], fits: Places, fit: Fit) -> Erasers:
        """An eraser at every layer, fitted on some texts.

        In order: each eraser is fitted on the states left at its layer once the layers below are
        erased, or the blocks between would bring back what was taken away.
        """
        erasers: Erasers = {}
        for layer in self.layers:
            seen = self.states(erasers, fits, layer) if erasers else states[layer][fits]
            erasers[layer] = fit(layer, seen)
        return erasers

    def states_after(self, states: Mapping[int, Floats], erasers: Erasers, texts: Places) -> Floats:
        """States at the last of the layers after erasure, [texts, d]."""
        last = self.layers[-1]
        if len(self.layers) > 1:
            return self.states(erasers, texts, last)
        return erasers[last](torch.from_numpy(states[last][texts])).numpy()


@dataclass(frozen=True)
class ErasedRun(Erasing):
    """A subject whose states are erased on their way."""

    subject: Opens
    rendered: Sequence[str]
    spans: Sequence[Sequence[Span]]
    """Of every text, where the field stands that the pooling `span` means."""
    pooling: str
    layers: Sequence[int]
    """Where it is erased, in order."""

    @classmethod
    def of(cls, work: Work[ErasureOptions]) -> "ErasedRun":
        """The subject and texts of a shard."""
        subject = opened(work.ref.subject)
        rendered = [subject.render(row.text) for row in work.rows]
        spans = spans_of(subject, work.rows, work.options.span)
        return cls(subject, rendered, spans, work.options.pooling, work.options.layers)

    def decide(self, texts: Places, changes: Sequence[Erasers]) -> NDArray[np.int64]:
        """Class decided for every text: untouched, then with each change, [changes + 1, texts].

        Blocks below the first changed layer are computed once and reused for every change.
        """
        decided = np.empty((len(changes) + 1, len(texts)), dtype=np.int64)
        blocks = self.subject.blocks
        with torch.inference_mode():
            for positions, batch, places in self._batches(texts):
                with recorded(blocks) as outputs:
                    scores = [self.subject.scores(batch)]
                for erasers in changes:
                    with (
                        resumed(blocks, self.layers[0], outputs),
                        self._erased(erasers, places),
                    ):
                        scores.append(self.subject.scores(batch))
                merged = torch.stack([batch.merged(s).argmax(dim=-1) for s in scores])
                decided[:, positions] = merged.cpu().numpy()
        return decided

    def states(self, erasers: Erasers, texts: Places, layer: int) -> Floats:
        """States at a layer while erasers are at work, [texts, d]."""
        parts: list[tuple[list[int], Floats]] = []
        with torch.inference_mode():
            for positions, batch, places in self._batches(texts):
                blocks = self.subject.blocks
                with self._erased(erasers, places), captured_up_to(blocks, layer) as hidden:
                    self.subject.scores(batch)
                state = pooled(batch, hidden[layer], places[layer])
                parts.append((positions, state.double().cpu().numpy()))
        order = np.argsort(np.concatenate([positions for positions, _ in parts]))
        return np.concatenate([states for _, states in parts])[order]

    def _batches(self, texts: Places) -> list[PlacedBatch]:
        placed = []
        for positions, batch in batches(self.subject, [self.rendered[i] for i in texts]):
            spans = [self.spans[texts[i]] for i in positions]
            places = {
                layer: place(self.subject, batch, self.pooling, layer, spans)
                for layer in self.layers
            }
            placed.append(PlacedBatch(positions, batch, places))
        return placed

    def _erased(self, erasers: Erasers, places: Mapping[int, Tensor]) -> ExitStack:
        """Erasers at work, each where the state of its layer is taken."""
        stack = ExitStack()
        for layer, eraser in erasers.items():
            edit = partial(_erase, eraser, places[layer])
            stack.enter_context(edited(self.subject.blocks, layer, edit))
        return stack


def _erase(eraser: Eraser, where: Tensor, hidden: Tensor) -> Tensor:
    changed = hidden.clone()
    changed[where] = eraser(hidden[where])
    return changed
