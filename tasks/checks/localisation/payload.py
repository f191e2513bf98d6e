"""Options and payloads of the rounds of localisation."""

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tasks.definition.checks.swap import Swap
from tasks.definition.record import Record
from tasks.measures.model.hooks import Part
from tasks.run.payload import Payload
from tasks.schema import LensMap, PatchingMap

Floats = NDArray[np.float64]
Classes = NDArray[np.int64]


class LensOptions(Record):
    """What is read of a shard's texts at every layer."""

    swap: Swap | None
    mapped: tuple[int, ...]
    """Rows that are also read token by token."""


class PatchOptions(Record):
    """Which exchange's effect is followed."""

    swap: Swap


class ReadText(Record):
    """One text that was read at every layer."""

    id: str
    target: str
    """The final decision."""
    map: LensMap | None


class LensReadings(Payload):
    """What the lens reads of some texts, as they stand and with a field exchanged.

    Changes are NaN where there is nothing to exchange.
    """

    classes: Classes
    """Class read, [layers + 1, texts]."""
    final: Floats
    """Probability of the class that is finally decided, [layers + 1, texts]."""
    change: Floats
    """Change of the followed probability for a value of another group, [layers + 1, texts]."""
    control: Floats
    """The same for another value of the same group, [layers + 1, texts]."""
    odds: Floats
    """Change of the followed log-odds for a value of another group, [layers + 1, texts]."""
    flips: Classes
    """1 for texts whose decision flips and that can be patched, 2 for those that flip and cannot,
    0 for those that do not flip, -1 for those that have nothing to exchange, [texts]."""
    texts: tuple[ReadText, ...]

    @classmethod
    def joined(cls, parts: Sequence["LensReadings"]) -> Self:
        """The readings of all texts, in order."""
        return cls(
            classes=np.concatenate([part.classes for part in parts], axis=1),
            final=np.concatenate([part.final for part in parts], axis=1),
            change=np.concatenate([part.change for part in parts], axis=1),
            control=np.concatenate([part.control for part in parts], axis=1),
            odds=np.concatenate([part.odds for part in parts], axis=1),
            flips=np.concatenate([part.flips for part in parts]),
            texts=tuple(text for part in parts for text in part.texts),
        )


class PatchedSite(Record):
    """Where an activation is exchanged."""

    part: Part
    layer: int
    position: str
    """Which tokens."""


class PatchedPairs(Payload):
    """Change by every site in pairs whose decision flips."""

    rows: Classes
    """Positions in the data set, [pairs]."""
    effect: Floats
    """Change of the log-odds under the whole exchange, [pairs]."""
    change: Floats
    """Change with one site exchanged, [pairs, sites]."""
    control: Floats
    """The same with another value that keeps the decision, NaN where there is none,
    [pairs, control sites]."""
    sites: tuple[PatchedSite, ...]
    control_sites: tuple[PatchedSite, ...]
    notes: tuple[str, ...]

    @classmethod
    def joined(cls, parts: Sequence["PatchedPairs"]) -> Self:
        """All pairs, in order; every part patches the same sites."""
        return cls(
            rows=np.concatenate([part.rows for part in parts]),
            effect=np.concatenate([part.effect for part in parts]),
            change=np.concatenate([part.change for part in parts]),
            control=np.concatenate([part.control for part in parts]),
            sites=parts[0].sites,
            control_sites=parts[0].control_sites,
            notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
        )


class PatchingMaps(Payload):
    """Single texts, patched token by token."""

    maps: tuple[PatchingMap, ...]


class LensDivergence(Payload):
    """How far each layer's reading is from the decision, on texts that no lens was fitted on."""

    plain: Floats
    """In nats, [layers, texts]; empty where no lens can be fitted."""
    tuned: Floats
    """Likewise."""
    notes: tuple[str, ...] = ()
