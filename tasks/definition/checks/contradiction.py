"""Contradiction: does the subject say yes to two questions that exclude each other?"""

from typing import Literal

from pydantic import AliasChoices, Field

from tasks.definition.checks.base import BaseCheck
from tasks.definition.checks.controls import ControlsSpec
from tasks.definition.kind import Kind
from tasks.definition.vocabulary.contradiction import CONTRADICTION


class ContradictionCheck(BaseCheck):
    """Does the subject say yes to two questions that exclude each other?"""

    kind: Literal["contradiction"] = "contradiction"
    texts: int | None = Field(default=None, ge=2)
    """At most so many questions, in whole pairs."""
    pair: str = "pair"
    """Column that names the pair: two rows with the same value ask, say, whether A is larger than B
    and whether B is larger than A."""
    answer: str | None = Field(default="yes", validation_alias=AliasChoices("answer", "yes"))
    """The answer that both questions of a pair cannot have; null where they can share no answer.
    In quotes: YAML reads a bare yes as true."""
    controls: ControlsSpec | None = ControlsSpec()
    """Pairs of questions made by Assay, on which the test is calibrated. An endpoint is asked twice
    for every pair to see what decides it, and twice more where enough pairs are decided as
    intended; null leaves them out."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The column that names the pair."""
        return (self.pair,)


KIND = Kind(
    definition=ContradictionCheck,
    title="Contradictory questions",
    vocabulary=CONTRADICTION,
    needs=frozenset({"writing", "answers"}),
    room="tasks.checks.contradiction",
    headlines=("contradiction", "contradiction_chance", "instrument_auroc", "unparsed"),
)
