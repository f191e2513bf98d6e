"""What probes read: several layers, all attributes and all folds of one pooling at once."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.checks.probing.payload import ReadingOptions, Readings
from tasks.data.dataset import Row
from tasks.measures.probing import probes
from tasks.measures.probing.description_length import online_code
from tasks.measures.probing.logistic import Design, Readers, design
from tasks.measures.probing.nonlinear import nonlinear_probes
from tasks.measures.stats.random_streams import subseed
from tasks.run.rounds import Work

CONTROLS = 10
TURNS = 3

Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]


class Labelled(NamedTuple):
    """One attribute over the rows of a shard."""

    attribute: str
    groups: Sequence[str]
    concept: Codes
    """Group of every text, -1 where it has none that is large enough, [texts]."""
    fold: Codes
    """0, 1 or 2, and -1 where the text is not used, [texts]."""

    @classmethod
    def of(
        cls, rows: Sequence[Row], attribute: str, groups: Sequence[str], seed: int
    ) -> "Labelled":
        """The attribute of some rows, with its folds dealt."""
        names = sorted(groups)
        code = {name: i for i, name in enumerate(names)}
        concept = np.array([code.get(row.groups[attribute], -1) for row in rows], dtype=np.int64)
        fold = np.full(len(concept), -1, dtype=np.int64)
        fold[concept >= 0] = probes.three_folds(concept[concept >= 0], seed=seed)
        return cls(attribute, names, concept, fold)

    @property
    def used(self) -> Mask:
        """The texts that have a group."""
        return self.concept >= 0

    @property
    def known(self) -> Codes:
        """Group of the texts that have one, [used]."""
        return self.concept[self.used]

    @property
    def trained(self) -> Mask:
        """The texts that the probe of each turn trains on, [turns, texts]."""
        return np.stack([self.fold == (turn + 1) % TURNS for turn in range(TURNS)])

    def tested(self, read: Codes) -> Codes:
        """What was read of every used text when tested on, [.., turns, texts] -> [.., used].

        The eraser of a turn is fitted on fold `turn`, its probe trains on the next and is tested
        on the one after.
        """
        turn = (self.fold[self.used] + 1) % TURNS
        return np.take_along_axis(
            read[..., self.used], turn.reshape(*[1] * (read.ndim - 1), -1), axis=-2
        )[..., 0, :]


class Probed(NamedTuple):
    """What probes read, and the linear probes that read it."""

    readings: Readings
    fitted: Mapping[str, Readers]
    """By attribute, one problem per turn, for the states themselves."""


def measure(work: Work[ReadingOptions]) -> Readings:
    """Classes read by linear, control and non-linear probes, and bits of the online code."""
    return probed(work).readings


def probed(work: Work[ReadingOptions]) -> Probed:
    """The same with the fitted probes, for callers that let these read unseen texts."""
    options, seed = work.options, work.seed
    states = options.states.read(work.store, options.pooling, options.layers, work.ref.rows)
    features = design(states)
    labelled = [Labelled.of(work.rows, a, groups, seed) for a, groups in options.groups.items()]
    linear = LinearReadings({}, {}, {})
    nonlinear: dict[str, Codes] = {}
    for classes in sorted({len(one.groups) for one in labelled}):
        alike = [one for one in labelled if len(one.groups) == classes]
        linear = linear.also(linear_readings(features, alike, seed))
        nonlinear |= nonlinear_readings(features, alike, seed)
    readings = Readings(
        pooling=options.pooling,
        layers=options.layers,
        attributes=tuple(options.groups),
        concept={one.attribute: one.known for one in labelled},
        read=linear.read,
        nonlinear=nonlinear,
        control=linear.control,
        bits={one.attribute: code_lengths(features, one, seed) for one in labelled},
    )
    return Probed(readings, {of: one.of_states(features) for of, one in linear.fitted.items()})


class LinearReadings(NamedTuple):
    """What linear probes and their controls read, by attribute."""

    read: Mapping[str, Codes]
    """Class read of every text that has a group, [layers, used]."""
    control: Mapping[str, Mask]
    """Whether probes trained on control labels read it, [layers, draws, used]."""
    fitted: Mapping[str, Readers]
    """The linear probes, one problem per turn, for the columns of the design."""

    def also(self, more: "LinearReadings") -> "LinearReadings":
        """These and those of further attributes."""
        return LinearReadings(
            {**self.read, **more.read},
            {**self.control, **more.control},
            {**self.fitted, **more.fitted},
        )


def linear_readings(features: Design, labelled: Sequence[Labelled], seed: int) -> LinearReadings:
    """Linear probes and their controls, attributes with the same number of groups together."""
    classes, labels, trained = _together(labelled)
    linear = probes.linear_probes(features, labels, trained, classes, seed=seed)
    seeds = [subseed(seed, "control labelling", draw) for draw in range(CONTROLS)]
    control = probes.control_probes(features, labels, trained, classes, linear.strength, seeds)
    return LinearReadings(
        {one.attribute: one.tested(linear.read[:, of]) for one, of in _turns(labelled)},
        {
            one.attribute: one.tested(control[:, of].swapaxes(1, 2)) == one.known
            for one, of in _turns(labelled)
        },
        {one.attribute: linear.readers.problems(of) for one, of in _turns(labelled)},
    )


def nonlinear_readings(
    features: Design, labelled: Sequence[Labelled], seed: int
) -> dict[str, Codes]:
    """The class non-linear probes read, [layers, used] by attribute; see `linear_readings`."""
    classes, labels, trained = _together(labelled)
    curved = nonlinear_probes(features, labels, trained, classes, seed=seed)
    return {one.attribute: one.tested(curved[:, of]) for one, of in _turns(labelled)}


def code_lengths(features: Design, labelled: Labelled, seed: int) -> Floats:
    """Bits of the online code for the attribute and for control labels, [layers, 2, used]."""
    both = np.stack([labelled.known, probes.control_labels(labelled.known, seed=seed)])
    texts = features.texts(np.flatnonzero(labelled.used))
    return online_code(texts, both, len(labelled.groups), seed=seed).bits


def _together(labelled: Sequence[Labelled]) -> tuple[int, Codes, Mask]:
    """Number of groups; labels and training texts of the probes of all turns, [probes, texts]."""
    labels = np.concatenate([np.tile(one.concept, (TURNS, 1)) for one in labelled])
    return len(labelled[0].groups), labels, np.concatenate([one.trained for one in labelled])


def _turns(labelled: Sequence[Labelled]) -> list[tuple[Labelled, slice]]:
    """Every attribute with the slice of its probes."""
    return [(one, slice(i * TURNS, (i + 1) * TURNS)) for i, one in enumerate(labelled)]
