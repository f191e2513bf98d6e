"""`assay --version`."""

from typing import Annotated

import typer

DISTRIBUTION = "assay-audit"
"""Name of the package that this command line was installed with."""


def show(asked: bool) -> None:
    """Print the version and end."""
    if asked:
        from importlib.metadata import version

        typer.echo(f"assay {version(DISTRIBUTION)}")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=show, is_eager=True, help="Show the version and exit.")
]
