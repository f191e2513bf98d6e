"""Options and payloads of the rounds of probing: states, readings, erasures."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.definition.checks.probing import ProbePooling
from tasks.definition.record import Record
from tasks.run.payload import Payload
from tasks.run.store import Store, StoredShard
from tasks.schema import About

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
States32 = NDArray[np.float32]


# --- states -------------------------------------------------------------------------------


class StatesOptions(Record):
    """Which states of a text are kept."""

    poolings: tuple[ProbePooling, ...]
    span: str | None
    """Field that the pooling `span` means."""


def state_name(pooling: str, layer: int) -> str:
    """Name of one layer's states among those of a shard."""
    return f"{pooling}/{layer}"


class States(Payload):
    """One state per pooling, layer and text of a shard."""

    layers: int
    """The embedding counted."""
    width: int
    states: dict[str, States32]
    """By `state_name`, [texts, d] each, so that layers can be loaded one by one."""


class StoredStates(Record):
    """Where the states of a check's texts lie."""

    shards: tuple[StoredShard, ...]
    rows: tuple[int, ...]
    """Positions in the data set, in the order of the shards."""

    def read(
        self, store: Store, pooling: str, layers: Sequence[int], rows: Sequence[int]
    ) -> States32:
        """States of some rows at some layers, [layers, texts, d]."""
        at = {row: i for i, row in enumerate(self.rows)}
        places = [at[row] for row in rows]
        return np.stack([self._layer(store, pooling, layer)[places] for layer in layers])

    def _layer(self, store: Store, pooling: str, layer: int) -> States32:
        name = f"states/{state_name(pooling, layer)}"
        return np.concatenate(
            [store.array(shard, name).astype(np.float32, copy=False) for shard in self.shards]
        )


# --- readings -----------------------------------------------------------------------------


class ReadingOptions(Record):
    """Which layers of one pooling are read, for which groups."""

    states: StoredStates
    pooling: ProbePooling
    layers: tuple[int, ...]
    groups: dict[str, tuple[str, ...]]
    """Attribute -> its groups that are large enough."""


class LayerReading(NamedTuple):
    """What was read of an attribute at one layer."""

    concept: Codes
    """Group of every text, [texts]."""
    read: Codes
    """Group that the linear probe reads, [texts]."""
    nonlinear: Codes
    """Group that the non-linear probe reads, [texts]."""
    control: Bools
    """Whether probes of control labels read the group, [labellings, texts]."""
    bits: Floats
    """Of the online code, for the attribute and for control labels, [2, texts]."""


class Readings(Payload):
    """What probes read of every attribute; texts are those that have a group of it."""

    pooling: ProbePooling
    layers: tuple[int, ...]
    attributes: tuple[str, ...]
    concept: Mapping[str, Codes]
    """[texts]; by attribute, as are all fields below."""
    read: Mapping[str, Codes]
    """[layers, texts]."""
    nonlinear: Mapping[str, Codes]
    """[layers, texts]."""
    control: Mapping[str, Bools]
    """[layers, labellings, texts]."""
    bits: Mapping[str, Floats]
    """[layers, 2, texts]."""

    def at(self, attribute: str, layer: int) -> LayerReading:
        """What was read at one of the layers."""
        i = self.layers.index(layer)
        return LayerReading(
            self.concept[attribute],
            self.read[attribute][i],
            self.nonlinear[attribute][i],
            self.control[attribute][i],
            self.bits[attribute][i],
        )


# --- erasures -----------------------------------------------------------------------------


class ErasureOptions(Record):
    """Which attribute is erased at which layers together."""

    states: StoredStates
    attribute: str
    others: tuple[str, ...]
    """Attributes that are erased instead, for comparison."""
    layers: tuple[int, ...]
    pooling: ProbePooling
    span: str | None
    random_subspaces: int


class Erasure(Payload):
    """What is decided and read once an attribute is erased at some layers."""

    attribute: str
    layers: tuple[int, ...]
    instead: tuple[str, ...]
    """What was erased instead, one row of `unrelated` each."""
    concept: Codes
    """Group of every text, [texts]."""
    read: Codes
    """Group that a fresh linear probe reads after erasure, [texts]."""
    read_nonlinear: Codes
    """Group that a forest reads after erasure, [texts]."""
    plain: Codes
    """Class decided untouched, [texts]."""
    after: Codes
    """Class decided with the attribute erased, [texts]."""
    random: Codes
    """Class decided with random subspaces erased, [subspaces, texts]."""
    unrelated: Codes
    """Class decided with something unrelated erased, [unrelated, texts]."""

    @property
    def about(self) -> About:
        """The attribute, and where it was erased."""
        if len(self.layers) == 1:
            return About(attribute=self.attribute, layer=self.layers[0])
        return About(attribute=self.attribute, layers=self.layers)
