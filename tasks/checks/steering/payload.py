"""Options and payloads of the rounds of steering: vectors, then responses to them."""

import numpy as np
from numpy.typing import NDArray

from tasks.checks.interventions.group_vector import Ends
from tasks.definition.checks.pooling import Pooling
from tasks.definition.checks.swap import Swap
from tasks.definition.record import Record
from tasks.measures.interventions.levers import Where
from tasks.run.payload import Payload
from tasks.run.store import StoredShard

Floats = NDArray[np.float64]


class DirectionsOptions(Record):
    """Which vectors are fitted."""

    attribute: str
    compose: str | None
    """A second attribute, whose vector is added beside the first."""
    groups: dict[str, tuple[str, ...]]
    """Attribute -> its groups that are large enough."""
    favourable: str
    swap: Swap | None
    pooling: Pooling
    draws: int
    """How often the groups are shuffled, for the control."""


class Directions(Payload):
    """The vectors of all layers, and those between shuffled groups."""

    ends: Ends
    composed_ends: Ends | None
    where: tuple[Where, ...]
    """Tokens that are changed, by layer."""
    vectors: Floats
    """[layers + 1, d]."""
    random: Floats
    """Between shuffled groups, [layers + 1, draws, d]."""
    composed: Floats | None
    """Of the second attribute, [layers + 1, d]."""

    @property
    def layers(self) -> int:
        """The embedding counted."""
        return len(self.vectors)


class SteeringOptions(Record):
    """What is added at one layer."""

    layer: int
    alphas: tuple[float, ...]
    pooling: Pooling
    favourable: str
    directions: StoredShard
    composed: bool
    """Also add the vector of the second attribute, alone and with the first."""
    perplexity: bool
    """Also measure what the vector does to the likelihood of the texts."""


class Responses(Payload):
    """What is decided with the vector of one layer added."""

    layer: int
    odds: Floats
    """Log-odds of the favourable class at every alpha, [alphas, texts]."""
    decided: NDArray[np.int64]
    """Class at every alpha, [alphas, texts]."""
    random: Floats
    """Log-odds with vectors between shuffled groups, taken away and added, [draws, 2, texts]."""
    composed: Floats | None
    """Log-odds with the second vector, and with both, [2, texts]."""
    surprise: Floats | None
    """Negative log-likelihood of the texts at every alpha, in nats, [alphas, texts]."""
    tokens: Floats | None
    """Of every text, that the likelihood is summed over, [texts]."""
