"""Names that a check uses and the rest of the definition lacks, one line each."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tasks.definition.audit import AuditSpec


def not_in_groups(kind: str, key: str, names: Iterable[str], spec: "AuditSpec") -> Iterator[str]:
    """A line for every name under `key` that is not in `data.groups`."""
    groups = spec.data.groups
    for name in names:
        if name not in groups:
            yield (
                f"check {kind}: {key} {name!r} is not in data.groups: "
                f"{', '.join(groups) or 'empty'}"
            )


def no_named_field(kind: str, key: str, names: Iterable[str], spec: "AuditSpec") -> Iterator[str]:
    """A line for every name under `key` that is no named field of the data."""
    fields = spec.data.field_names
    for name in names:
        if name not in fields:
            yield (
                f"check {kind}: {key} {name!r} is no named field of data: "
                f"{', '.join(fields) or 'empty'}"
            )
