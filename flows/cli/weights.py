"""`--weights SUBJECT=FOLDER`: weights that replace those of the definition."""

from typing import Annotated

import typer

from tasks.errors import AuditError

Weights = Annotated[
    list[str] | None,
    typer.Option(help="SUBJECT=FOLDER: audit these weights instead of the definition's."),
]


def folders(weights: list[str] | None) -> dict[str, str]:
    """Subject -> folder.

    Raises:
        AuditError: one of them names no folder.
    """
    pairs = weights or []
    for pair in pairs:
        if "=" not in pair:
            raise AuditError(f"--weights {pair}: expected SUBJECT=FOLDER")
    return dict(pair.partition("=")[::2] for pair in pairs)
