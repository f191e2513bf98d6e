"""Probing organisms: their states are drawn, their decisions follow a known rule.

Drawn states, and a rule that decides from a state, stand in for a model. Folds,
erasers, probes, scaling, controls and evidence are those of the probing check, run by its rounds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from tasks.calibration.chain import ATTRIBUTE, Drawn, audit
from tasks.checks import room_of
from tasks.checks.gather import decide, in_process, measured
from tasks.checks.probing import erasure, probes
from tasks.checks.probing.erased_run import Erasers, Erasing
from tasks.checks.probing.erasure import Turn
from tasks.checks.probing.payload import States, state_name
from tasks.checks.probing.rounds import ERASURE, READING, STATES
from tasks.definition.checks.probing import ProbingCheck
from tasks.measures.probing.logistic import Readers
from tasks.run.rounds import AnyRound, Asked, Finished
from tasks.run.shards import ShardRef
from tasks.run.store import Store, StoredShard
from tasks.schema import Evidence

Floats = NDArray[np.float64]
States32 = NDArray[np.float32]
Codes = NDArray[np.int64]
Rule = Callable[[Floats], NDArray[np.bool_]]
"""States [texts, d] -> whether each text is selected."""

LEAST = 30  # the usual smallest group; every group of an organism is larger


class Probed(NamedTuple):
    """An audit by probes and erasure, with the probes and erasers fitted in it."""

    evidence: Evidence
    readers: Readers | None
    """The linear probes, one problem per turn; none where they were not asked for."""
    turns: list[Turn]
    """Of erasure; empty where it was not asked for."""


def probed(
    states: Floats, concept: Codes, rule: Rule, asked_for: Sequence[AnyRound], *, seed: int
) -> Probed:
    """Audit a subject that has these states by the probing check.

    Args:
        states: [layers, texts, d]; kept in float32, as those of a model are.
        concept: group of every text, [texts].
        rule: what is decided from the state of the last layer.
        asked_for: `READING`, `ERASURE`, or both.
        seed: of the audit.
    """
    states32 = states.astype(np.float32)
    groups = {ATTRIBUTE: [f"g{code}" for code in concept]}
    drawn = Drawn(groups, rule(states32[-1].astype(np.float64)))
    check = ProbingCheck(texts=max(len(concept), LEAST))
    with audit(drawn, check, seed=seed, least=LEAST) as (plan, store):
        asked = Asked(plan, check, decide(plan, store, in_process(store)))
        bench = Bench(store, states32, rule, asked_for)
        finished = measured(asked, Finished(store), bench)
        evidence = room_of(check.kind).evidence(asked, finished)
    return Probed(evidence, bench.readers.get(ATTRIBUTE), bench.turns)


@dataclass
class Bench:
    """Measures shards as a worker does, for a given subject that needs no loading."""

    store: Store
    states: States32
    rule: Rule
    asked_for: Sequence[AnyRound]
    """Rounds that are measured beside that of the states; the others leave nothing."""
    readers: dict[str, Readers] = field(default_factory=dict)
    turns: list[Turn] = field(default_factory=list)

    def __call__(self, _: str, refs: Sequence[ShardRef]) -> list[StoredShard]:
        """Measure the shards of a round."""
        names = {STATES.name, *(round_.name for round_ in self.asked_for)}
        return [self._measured(ref) for ref in refs if ref.round in names]

    def _measured(self, ref: ShardRef) -> StoredShard:
        if ref.round == STATES.name:
            return self.store.write(ref, self._states(ref))
        if ref.round == READING.name:
            read = probes.probed(READING.work(ref, self.store))
            self.readers |= read.fitted
            return self.store.write(ref, read.readings)
        of = erasure.Attribute.of(ERASURE.work(ref, self.store))
        turns = list(erasure.turns(KnownRule(of.layers, of.states, self.rule), of))
        self.turns += turns
        return self.store.write(ref, erasure.payload(of, turns))

    def _states(self, ref: ShardRef) -> States:
        (pooling,) = STATES.work(ref, self.store).options.poolings
        rows = self.states[:, list(ref.rows)]
        layers, _, width = rows.shape
        return States(
            layers=layers,
            width=width,
            states={state_name(pooling, layer): own for layer, own in enumerate(rows)},
        )


@dataclass(frozen=True)
class KnownRule(Erasing):
    """Decides by a rule from the state of its last layer; no layer feeds the next."""

    layers: Sequence[int]
    drawn: Mapping[int, Floats]
    """Layer -> states, [texts, d]."""
    rule: Rule

    def decide(self, texts: Codes, changes: Sequence[Erasers]) -> Codes:
        """Whether every text is selected, without a change and with each change."""
        last = self.layers[-1]
        seen = [self.states(erasers, texts, last) for erasers in ({}, *changes)]
        return np.stack([self.rule(states) for states in seen]).astype(np.int64)

    def states(self, erasers: Erasers, texts: Codes, layer: int) -> Floats:
        """The drawn states after the layer's eraser."""
        own = self.drawn[layer][texts]
        return erasers[layer](torch.from_numpy(own)).numpy() if layer in erasers else own
