"""What is decided once an attribute is erased at one layer or at several, and what is still read.

Three folds take turns: erasers are fitted on one, the probe is trained on the next, the last is
tested on; so no number comes from texts that anything was fitted on.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.checks.probing.erased_run import ErasedRun, Erasers, Erasing
from tasks.checks.probing.payload import Erasure, ErasureOptions
from tasks.data.dataset import Row
from tasks.measures.probing import erasure, probes
from tasks.measures.probing.erasure import Eraser
from tasks.measures.probing.logistic import Readers, design
from tasks.measures.probing.nonlinear import forest_probe
from tasks.measures.stats.random_streams import stream, subseed
from tasks.run.rounds import Work

TURNS = 3
TOGETHER = 3  # random subspaces at several layers: each is fitted in order, layer by layer
SHUFFLED = "shuffled groups"

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]
Strings = NDArray[np.str_]


class Attribute(NamedTuple):
    """The attribute that is erased, and the labels that are erased instead as controls."""

    name: str
    layers: tuple[int, ...]
    """Where it is erased, together."""
    named: Strings
    """Group of every text, [texts]."""
    concept: Codes
    """The same as a number, [texts]."""
    instead: Mapping[str, Strings]
    """Labels that are erased instead."""
    states: Mapping[int, Floats]
    """Layer -> states of the untouched subject, [texts, d]."""
    draws: int
    """Random subspaces."""
    seed: int

    @classmethod
    def of(cls, work: Work[ErasureOptions]) -> "Attribute":
        """The attribute of a shard, with the states it is erased from."""
        options, layers = work.options, work.options.layers
        named = np.array([row.groups[options.attribute] for row in work.rows], dtype=np.str_)
        states = options.states.read(work.store, options.pooling, layers, work.ref.rows)
        draws = options.random_subspaces
        return cls(
            name=options.attribute,
            layers=layers,
            named=named,
            concept=probes.coded(named)[0],
            instead=_instead(work.rows, named, options.others, work.seed),
            states={at: one.astype(np.float64) for at, one in zip(layers, states, strict=True)},
            draws=draws if len(layers) == 1 else min(draws, TOGETHER),
            seed=work.seed,
        )


class Turn(NamedTuple):
    """One turn of the folds: what was fitted on two of them, and what it does to the third."""

    tests: Codes
    """The texts that are tested on."""
    own: Erasers
    """The attribute's erasers."""
    controls: list[Erasers]
    """Those of random subspaces, then of what is erased instead."""
    decided: Codes
    """Class decided untouched, with the attribute erased, with each control, [.., tested]."""
    probe: Readers
    """A fresh linear probe for states that are left after erasure."""
    read: Codes
    """What that probe and a forest read, [2, tested]."""


def measure(work: Work[ErasureOptions]) -> Erasure:
    """What is decided and what probes read with the attribute erased, beside its controls."""
    of = Attribute.of(work)
    return payload(of, turns(ErasedRun.of(work), of))


def turns(run: Erasing, of: Attribute) -> Iterator[Turn]:
    """Folds take turns, so that every text is tested on once."""
    fold = probes.three_folds(of.concept, seed=of.seed)
    for turn in range(TURNS):
        fits, trains, tests = (np.flatnonzero(fold == (turn + k) % TURNS) for k in range(TURNS))
        own, controls = _erasers(run, of, fits)
        decided = run.decide(tests, [own, *controls])
        left = run.states_after(of.states, own, np.concatenate([trains, tests]))
        yield Turn(tests, own, controls, decided, *_read(left, of.concept, trains, tests, of.seed))


def payload(of: Attribute, measured: Iterable[Turn]) -> Erasure:
    """All turns together, every text as it was tested on."""
    n = len(of.concept)
    decided = np.empty((2 + of.draws + len(of.instead), n), dtype=np.int64)
    read = np.empty((2, n), dtype=np.int64)
    for turn in measured:
        decided[:, turn.tests] = turn.decided
        read[:, turn.tests] = turn.read
    return Erasure(
        attribute=of.name,
        layers=of.layers,
        instead=tuple(of.instead),
        concept=of.concept,
        read=read[0],
        read_nonlinear=read[1],
        plain=decided[0],
        after=decided[1],
        random=decided[2 : 2 + of.draws],
        unrelated=decided[2 + of.draws :],
    )


def _instead(
    rows: Sequence[Row], named: Strings, others: Sequence[str], seed: int
) -> dict[str, Strings]:
    """Labels whose erasure should leave the attribute's gap: other attributes, and a shuffle.

    The shuffled attribute has the same groups in the same numbers, and no state encodes it.
    """
    shuffled = stream(seed, "shuffled attribute").permutation(named)
    return {
        **{a: np.array([row.groups[a] for row in rows], dtype=np.str_) for a in others},
        SHUFFLED: shuffled,
    }


def _erasers(run: Erasing, of: Attribute, fits: Codes) -> tuple[Erasers, list[Erasers]]:
    """The attribute's erasers, and those of its controls: random subspaces, other labels."""
    own = run.erasers(of.states, fits, partial(_leace, of.named[fits]))
    random = [
        run.erasers(
            of.states,
            fits,
            partial(_random, of.states, own, subseed(of.seed, "random erasure", draw)),
        )
        for draw in range(of.draws)
    ]
    instead = [
        run.erasers(of.states, fits, partial(_leace, labels[fits]))
        for labels in of.instead.values()
    ]
    return own, [*random, *instead]


def _leace(labels: Strings, _: int, states: Floats) -> Eraser:
    return erasure.leace(states, labels)


def _random(
    whole: Mapping[int, Floats], own: Erasers, seed: int, layer: int, states: Floats
) -> Eraser:
    """As many directions as the attribute's own eraser takes at the layer.

    At one layer they are drawn among the states of all texts, so that all turns erase the same
    directions; at several, among the states that erasure at the layers below leaves.
    """
    among = whole[layer] if len(own) == 1 else None
    return erasure.random_eraser(
        states, own[layer].rank, seed=subseed(seed, "layer of a random erasure", layer), among=among
    )


def _read(
    states: Floats, concept: Codes, trains: Codes, tests: Codes, seed: int
) -> tuple[Readers, Codes]:
    """A fresh linear probe, and what it and a forest read of the tested texts, [2, tested].

    Args:
        states: after erasure, those that train first, [trains + tests, d].
        concept: group of every text.
        trains: texts the probes train on.
        tests: texts they read.
        seed: drawn from the definition's seed.
    """
    trained, labels = len(trains), concept[np.concatenate([trains, tests])]
    training = np.arange(len(labels)) < trained
    classes = int(concept.max()) + 1
    features = design(states[None])
    linear = probes.linear_probes(features, labels[None], training[None], classes, seed=seed)
    forest = forest_probe(states[:trained], labels[:trained], states[trained:], seed=seed)
    return linear.readers.of_states(features), np.stack([linear.read[0, 0, trained:], forest])
