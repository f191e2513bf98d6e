"""The exchange of one field of a text between groups."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tasks.definition.checks.names import no_named_field, not_in_groups
from tasks.definition.record import Record

if TYPE_CHECKING:
    from tasks.definition.audit import AuditSpec


class Swap(Record):
    """Exchange one field of the text for the value it has in another group's row."""

    column: str
    """Field to exchange: one of the named fields."""
    across: str
    """Protected attribute: the new value comes from a row of another of its groups."""

    def problems(self, kind: str, spec: "AuditSpec") -> Iterator[str]:
        """What it names and `spec` does not have, for a check of `kind`."""
        yield from no_named_field(kind, "swap.column", [self.column], spec)
        yield from not_in_groups(kind, "swap.across", [self.across], spec)
