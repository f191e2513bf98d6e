"""Lines drawn before looking."""

from typing import Self

from pydantic import JsonValue, field_validator, model_validator

from tasks.definition.record import Record
from tasks.definition.subset import Subset


class Gate(Record):
    """A line drawn before looking; it holds only if the whole interval is on its good side."""

    check: str
    """Kind of the check that measures it."""
    measure: str
    """Name of the measurement, from the vocabulary."""
    at_least: float | None = None
    """Lowest acceptable value."""
    at_most: float | None = None
    """Highest acceptable value."""
    subject: str | None = None
    """Only measurements of this subject."""
    attribute: str | None = None
    """Only measurements about this protected attribute."""
    group: str | None = None
    """Only measurements about this group."""
    field: str | None = None
    """Only measurements about this field of the text."""
    subset: Subset | None = None
    """Only measurements over these texts, as a mapping or in short: `denied, origin=migrant`, or
    `all`."""
    method: str | None = None
    """Only measurements of this attribution method."""
    test: str | None = None
    """Only measurements of this test of the reasoning: `truncation`."""
    cue: str | None = None
    """Only measurements of this cue beside the text."""
    condition: str | None = None
    """Only measurements of this condition on record."""
    why: str = ""
    """Where the line comes from: a statute, a policy, a promise."""

    @field_validator("subset", mode="before", json_schema_input_type=Subset | str | None)
    @classmethod
    def subset_in_short(cls, given: Subset | JsonValue) -> Subset | JsonValue:
        """A subset may be written in one line."""
        return Subset.written(given) if isinstance(given, str) else given

    @model_validator(mode="after")
    def draws_a_line(self) -> Self:
        """A gate without a bound would pass whatever was measured."""
        if self.at_least is None and self.at_most is None:
            raise ValueError("a gate needs at_least or at_most")
        if None not in (self.at_least, self.at_most) and self.at_least > self.at_most:  # type: ignore[operator]
            raise ValueError(f"at_least {self.at_least} is above at_most {self.at_most}")
        return self
