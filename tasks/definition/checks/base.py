"""What all checks have in common."""

from pydantic import Field

from tasks.definition.record import Record


class Swap(Record):
    """Exchange one field of the text for the value it has in another group's row."""

    column: str
    """Field to exchange: one of the named fields."""
    across: str
    """Protected attribute: the new value comes from a row of another of its groups."""


class BaseCheck(Record):
    """What all checks have in common."""

    subject: str | None = None
    """Which subject answers; may be left out when there is only one."""
    texts: int | None = Field(default=None, ge=2)
    """At most this many texts, drawn at random with the definition's seed."""
