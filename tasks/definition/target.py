"""The score that is attributed, and how units of a text are removed."""

from typing import Literal, Self

from pydantic import model_validator

from tasks.definition.record import Record

Operator = Literal["neutral", "delete"]
"""How a unit is taken out: replaced by neutral tokens, or deleted so that the text closes up."""


class Target(Record):
    """What is explained: the decision itself, unless something is named."""

    label: str | None = None
    """The log-odds of this class, choice or token, whatever was decided."""
    against: str | None = None
    """With `label`: how much likelier it is than this one (log-odds of the two)."""
    answer: str | None = None
    """The log-probability of this whole answer after the prompt."""

    @model_validator(mode="after")
    def names_one_thing(self) -> Self:
        """Each target needs an attribution of its own."""
        if self.answer is not None and (self.label or self.against):
            raise ValueError("a target is a label or an answer, not both")
        if self.against is not None and self.label is None:
            raise ValueError("target.against needs target.label")
        return self
