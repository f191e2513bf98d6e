"""`assay render`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.errors import one_line

Folder = Annotated[Path, typer.Argument(help="Folder of a finished audit.")]


def render(folder: Folder) -> None:
    """Render report and model card of a finished audit anew, without its model."""
    with one_line():
        from tasks.record.bundle import render_again

        for path in render_again(folder):
            typer.echo(str(path))
