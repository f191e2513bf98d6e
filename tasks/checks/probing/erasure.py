"""What is decided once an attribute is erased at one layer or at several, and what is still read.

Three folds take turns: one fits the erasers, one trains the probe, one is tested on; so no number
is taken from texts that anything was fitted on.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.checks.interventions.states import place, pooled, spans_of, stored_states
from tasks.data.dataset import Row
from tasks.measures.model.hooks import captured_up_to, edited, recorded, resumed
from tasks.measures.probing import erasure, probes
from tasks.measures.probing.erasure import Eraser
from tasks.measures.probing.logistic import design
from tasks.measures.probing.nonlinear import forest_probe
from tasks.run.inputs import rows_of
from tasks.run.shards import Payload, ShardRef
from tasks.subjects.load import opened
from tasks.subjects.local.batches import Batch, batches
from tasks.subjects.protocols import Opens

TURNS = 3
TOGETHER = 3  # random subspaces at several layers: each is fitted in order, layer by layer

Floats = NDArray[np.float64]
Strings = NDArray[np.str_]
Erasers = dict[int, Eraser]
"""Layer -> what erases there; several take effect together."""
Fit = Callable[[int, Floats], Eraser]
"""Layer and states of the texts that are fitted on -> what erases there."""


def measure(ref: ShardRef, store: Path) -> Payload:
    """What is decided and what probes read with the attribute erased, beside its controls."""
    running = _Running.of(ref)
    attribute, layers, seed = ref.option("attribute"), ref.option("layers"), ref.data.seed
    named = np.array([row.groups[attribute] for row in running.rows], dtype=np.str_)
    concept, _ = probes.coded(named)
    states = {
        layer: one.astype(np.float64)
        for layer, one in zip(
            layers, stored_states(ref, store, ref.option("pooling"), layers), strict=True
        )
    }
    unrelated = _unrelated(running.rows, named, ref.option("others"), seed)
    draws = ref.option("random_subspaces")
    draws = draws if len(layers) == 1 else min(draws, TOGETHER)
    fold = probes.three_folds(concept, seed=seed)
    decisions = np.empty((2 + draws + len(unrelated), len(named)), dtype=np.int64)
    read = np.empty((2, len(named)), dtype=np.int64)
    for turn in range(TURNS):
        fits, trains, tests = (np.flatnonzero(fold == (turn + k) % TURNS) for k in range(TURNS))
        own = running.erasers(states, fits, partial(_leace, named[fits]))
        random = [
            running.erasers(states, fits, partial(_random, states, own, seed + draw))
            for draw in range(draws)
        ]
        others = [
            running.erasers(states, fits, partial(_leace, labels[fits]))
            for labels in unrelated.values()
        ]
        decisions[:, tests] = running.decide(tests, [own, *random, *others])
        left = running.read_after(states, own, np.concatenate([trains, tests]))
        read[:, tests] = _read(left, concept, trains, tests, seed)
    return Payload(
        {
            "concept": concept,
            "erased": read[0],
            "forest": read[1],
            "plain": decisions[0],
            "after": decisions[1],
            "random": decisions[2 : 2 + draws],
            "unrelated": decisions[2 + draws :],
        },
        [{"attribute": attribute, "layers": layers, "unrelated": list(unrelated)}],
    )


def _unrelated(
    rows: Sequence[Row], named: Strings, others: Sequence[str], seed: int
) -> dict[str, Strings]:
    """Labels whose erasure should leave the attribute's gap: other attributes, and a shuffle.

    The shuffled attribute has the same groups in the same numbers and is held by no state.
    """
    shuffled = np.random.default_rng([seed, 5]).permutation(named)
    return {
        **{a: np.array([row.groups[a] for row in rows], dtype=np.str_) for a in others},
        "shuffled": shuffled,
    }


def _leace(labels: Strings, _: int, states: Floats) -> Eraser:
    return erasure.leace(states, labels)


def _random(
    whole: dict[int, Floats], own: Erasers, seed: int, layer: int, states: Floats
) -> Eraser:
    """As many directions as the attribute's own eraser takes at the layer.

    At one layer they are drawn among the states of all texts, so that all turns take away the
    same; at several, among the states that are left by the layers below.
    """
    among = whole[layer] if len(own) == 1 else None
    return erasure.random_eraser(states, own[layer].rank, seed=seed + 1009 * layer, among=among)


def _read(
    states: Floats,
    concept: NDArray[np.int64],
    trains: NDArray[np.int64],
    tests: NDArray[np.int64],
    seed: int,
) -> NDArray[np.int64]:
    """What a fresh linear probe and a forest read of the tested texts, [2, tested].

    Args:
        states: after erasure, those that train first, [trains + tests, d].
        concept: group of every text.
        trains: texts the probes train on.
        tests: texts they read.
        seed: drawn from the definition's seed.
    """
    cut, labels = len(trains), concept[np.concatenate([trains, tests])]
    training = np.arange(len(labels)) < cut
    classes = int(concept.max()) + 1
    linear = probes.linear_probes(
        design(states[None]), labels[None], training[None], classes, seed=seed
    )
    forest = forest_probe(states[:cut], labels[:cut], states[cut:], seed=seed)
    return np.stack([linear.read[0, 0, cut:], forest])


class _Running(NamedTuple):
    """A subject whose states are erased on their way."""

    subject: Opens
    rows: list[Row]
    rendered: list[str]
    spans: list[list[tuple[int, int]]]
    pooling: str
    layers: list[int]

    @classmethod
    def of(cls, ref: ShardRef) -> "_Running":
        """The subject and texts of a shard."""
        subject, rows = opened(ref.subject), rows_of(ref)
        return cls(
            subject,
            rows,
            [subject.render(row.text) for row in rows],
            spans_of(subject, rows, ref.option("span")),
            ref.option("pooling"),
            ref.option("layers"),
        )

    def erasers(self, states: dict[int, Floats], fits: NDArray[np.int64], fit: Fit) -> Erasers:
        """An eraser at every layer, fitted on some texts.

        In order: what is left at a layer once the layers below are erased is what its eraser is
        fitted on, or the layers between would bring back what was taken away.
        """
        found: Erasers = {}
        for layer in self.layers:
            seen = self._states(found, fits, layer) if found else states[layer][fits]
            found[layer] = fit(layer, seen)
        return found

    def read_after(
        self, states: dict[int, Floats], erasers: Erasers, texts: NDArray[np.int64]
    ) -> Floats:
        """States at the last of the layers after erasure, [texts, d]."""
        last = self.layers[-1]
        if len(self.layers) > 1:
            return self._states(erasers, texts, last)
        return erasers[last](torch.from_numpy(states[last][texts])).numpy()

    def decide(self, texts: NDArray[np.int64], changes: Sequence[Erasers]) -> NDArray[np.int64]:
        """Class decided for every text: untouched, then with each change, [changes + 1, texts].

        Blocks below the first changed layer are computed once and answer the same for every
        change.
        """
        found = np.empty((len(changes) + 1, len(texts)), dtype=np.int64)
        blocks = self.subject.blocks
        with torch.inference_mode():
            for positions, batch, places in self._batches(texts):
                with recorded(blocks) as outputs:
                    scores = [self.subject.scores(batch)]
                for erasers in changes:
                    with resumed(blocks, self.layers[0], outputs), _erased(self, erasers, places):
                        scores.append(self.subject.scores(batch))
                merged = torch.stack([batch.merged(s).argmax(dim=-1) for s in scores])
                found[:, positions] = merged.cpu().numpy()
        return found

    def _states(self, erasers: Erasers, texts: NDArray[np.int64], layer: int) -> Floats:
        """States at a layer while erasers are at work, [texts, d]."""
        found: list[tuple[list[int], Floats]] = []
        with torch.inference_mode():
            for positions, batch, places in self._batches(texts):
                blocks = self.subject.blocks
                with _erased(self, erasers, places), captured_up_to(blocks, layer) as states:
                    self.subject.scores(batch)
                one = pooled(batch, states[layer], places[layer])
                found.append((positions, one.double().cpu().numpy()))
        order = np.argsort(np.concatenate([positions for positions, _ in found]))
        return np.concatenate([states for _, states in found])[order]

    def _batches(
        self, texts: NDArray[np.int64]
    ) -> "list[tuple[list[int], Batch, dict[int, Tensor]]]":
        """Texts in batches: their positions, and where their state is taken at every layer."""
        found = []
        for positions, batch in batches(self.subject, [self.rendered[i] for i in texts]):
            spans = [self.spans[texts[i]] for i in positions]
            places = {
                layer: place(self.subject, batch, self.pooling, layer, spans)
                for layer in self.layers
            }
            found.append((positions, batch, places))
        return found


def _erased(running: _Running, erasers: Erasers, places: dict[int, Tensor]) -> ExitStack:
    """Erasers at work, each where the state of its layer is taken."""
    stack = ExitStack()
    for layer, eraser in erasers.items():
        edit = partial(_erase, eraser, places[layer])
        stack.enter_context(edited(running.subject.blocks, layer, edit))
    return stack


def _erase(eraser: Eraser, where: Tensor, hidden: Tensor) -> Tensor:
    changed = hidden.clone()
    changed[where] = eraser(hidden[where])
    return changed
