"""What all checks have in common."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import Field

from tasks.definition.checks.second_model import SecondModel
from tasks.definition.record import Record

if TYPE_CHECKING:
    from tasks.definition.audit import AuditSpec


class BaseCheck(Record):
    """What all checks have in common.

    The methods say what the rest of a definition must know of a check; a kind overrides those that
    it needs.
    """

    subject: str | None = None
    """Which subject answers; may be left out when there is only one."""
    texts: int | None = Field(default=None, ge=2)
    """At most this many texts, drawn at random with the definition's seed."""
    kind: str
    """Name of the kind of check; every kind narrows it to its own."""

    def problems(self, spec: "AuditSpec") -> Iterable[str]:
        """A line for every name that this check uses and `spec` does not have."""
        return ()

    def gate_attributes(self, spec: "AuditSpec") -> Iterable[str]:
        """What a gate may name as its attribute because of this check, beside `data.groups`."""
        return ()

    @property
    def second_model(self) -> SecondModel | None:
        """The second model of this check; none without one."""
        return None

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the data that this check reads, beside those that `data` names."""
        return ()
