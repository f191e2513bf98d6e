"""A check of any kind, as it stands in a definition or in evidence."""

from typing import Annotated

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from tasks.definition.checks.base import BaseCheck
from tasks.definition.kinds import kinds


class AnyKind:
    """Reads a check by its `kind`, whichever package that comes from.

    The kinds are asked for when a record with a check is first built, not on import: a package
    that offers a kind can then import the definition while it is itself being imported.
    """

    def __get_pydantic_core_schema__(
        self, source: type[BaseCheck], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """One schema per kind."""
        return core_schema.tagged_union_schema(
            {kind.name: handler.generate_schema(kind.definition) for kind in kinds()},
            discriminator="kind",
        )


Check = Annotated[BaseCheck, AnyKind()]
