"""Options and payloads of the rounds of remediation: levers, then decisions with them."""

import numpy as np
import torch
from numpy.typing import NDArray

from tasks.checks.interventions.group_vector import Ends
from tasks.checks.interventions.levers import Lever
from tasks.definition.checks.pooling import Pooling
from tasks.definition.checks.swap import Swap
from tasks.definition.record import Record
from tasks.measures.interventions.levers import Step, Where, adding, erasing
from tasks.measures.probing.erasure import Eraser
from tasks.run.payload import Payload
from tasks.run.store import StoredShard

Floats = NDArray[np.float64]


class FitOptions(Record):
    """For which attribute and layers levers are fitted."""

    attribute: str
    groups: tuple[str, ...]
    favourable: str
    swap: Swap | None
    layers: tuple[int, ...]
    """Layers that levers may change; empty stands for all."""
    pooling: Pooling


class FittedLevers(Payload):
    """Erasers and vectors of every layer."""

    layers: tuple[int, ...]
    """Layers that levers may change."""
    last: int
    """The last layer of the subject."""
    where: tuple[Where, ...]
    """Tokens that are changed, by layer."""
    n: int
    """Texts that erasers were fitted on."""
    ends: Ends
    """Of the vector."""
    vectors: Floats
    """[layers + 1, d]."""
    alone: dict[str, Floats]
    """Parts of the eraser of each layer that is used without the others; see `part_name`."""
    together: dict[str, Floats]
    """The same of the erasers that are used together."""

    def steps(self, lever: Lever) -> list[Step]:
        """The steps of a lever, layer by layer."""
        if lever.alpha is not None:
            vectors = torch.from_numpy(self.vectors)
            return [adding(at, self.where[at], lever.alpha * vectors[at]) for at in lever.layers]
        erasers = self.together if len(lever.layers) > 1 else self.alone
        return [
            erasing(
                at,
                self.where[at],
                *(torch.from_numpy(erasers[part_name(at, part)]) for part in Eraser._fields),
            )
            for at in lever.layers
        ]


def part_name(layer: int, part: str) -> str:
    """Name of one part of a layer's eraser."""
    return f"{layer}/{part}"


class DecideOptions(Record):
    """With which levers decisions are made."""

    levers: tuple[Lever, ...]
    """The untouched subject is the first."""
    fitted: StoredShard


class LeverDecisions(Payload):
    """What is decided with every lever."""

    decided: NDArray[np.int64]
    """Class, [levers, texts]."""
