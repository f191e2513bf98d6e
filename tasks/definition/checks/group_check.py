"""What checks of differences between groups have in common."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tasks.definition.checks.base import BaseCheck
from tasks.definition.checks.names import not_in_groups

if TYPE_CHECKING:
    from tasks.definition.audit import AuditSpec


class GroupCheck(BaseCheck):
    """What checks of differences between groups have in common."""

    attributes: tuple[str, ...] = ()
    """Protected attributes; all of `data.groups` unless named."""

    def attributes_of(self, spec: "AuditSpec") -> tuple[str, ...]:
        """Protected attributes that this check is about."""
        return self.attributes or spec.data.groups

    def problems(self, spec: "AuditSpec") -> Iterable[str]:
        """Attributes that are not in `data.groups`."""
        return not_in_groups(self.kind, "attribute", self.attributes, spec)
