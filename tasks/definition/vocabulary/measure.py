"""What a reader must know before reading a number."""

from typing import Literal, NamedTuple

from tasks.definition.digits import Unit

Good = Literal["high", "low", "near 1", "neither"]


class Measure(NamedTuple):
    """What a reader must know before reading the number."""

    title: str
    """How reports write it."""
    meaning: str
    """One sentence, in words."""
    good: Good
    """Which way is good; `neither` for a plain description."""
    unit: Unit = "share"
    """How it is written down."""


UNPARSED_DIFFERENCE = Measure(
    "Difference in unparsed answers",
    "Unparsed answers under the second of two conditions minus those under the first, on the same "
    "texts; away from 0, answers are compared on texts that the condition itself has chosen.",
    "neither",
    "difference",
)
