"""The one step: the sentences of every text, counted shard by shard."""

import numpy as np
from numpy.typing import NDArray

from assay_readability.kind import ReadabilityCheck
from tasks.definition.record import Record
from tasks.measures.reasoning.reasoning_text import sentences
from tasks.run.payload import Payload
from tasks.run.rounds import Asked, Finished, Piece, Round, Work, cut

PER_SHARD = 1000


class Options(Record):
    """What the counts depend on beside the texts."""

    longest: int


class Lengths(Payload):
    """What a shard leaves."""

    words: NDArray[np.float64]
    """Mean words per sentence, [texts of the shard]."""


def pieces(asked: Asked[ReadabilityCheck], _: Finished) -> list[Piece[Options]]:
    """The texts that the check looks at, so many at a time."""
    return cut(asked.sample, PER_SHARD, Options(longest=asked.check.longest))


def measure(work: Work[Options]) -> Lengths:
    """Words per sentence of every text."""
    longest = work.options.longest
    counts = [
        [min(longest, len(part.split())) for part in sentences(row.text)] for row in work.rows
    ]
    return Lengths(words=np.array([np.mean(of_text) for of_text in counts], dtype=np.float64))


COUNTING = Round(
    name="readability",
    title="sentences of the texts for {subject}",
    options=Options,
    payload=Lengths,
    pieces=pieces,
    measure=measure,
)
ROUNDS = (COUNTING,)
