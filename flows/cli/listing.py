"""`assay list` and `assay schema`: what can be asked."""

import json
from typing import Annotated

import typer

from flows.cli.definitions import shipped
from flows.cli.errors import one_line
from flows.cli.kinds import print_kinds

Checks = Annotated[
    bool, typer.Option("--checks", help="List the kinds of checks a definition can ask for.")
]


def list_(checks: Checks = False) -> None:
    """List the audits that ship here, or the kinds of checks."""
    with one_line():
        if checks:
            print_kinds()
        else:
            list_audits()


def list_audits() -> None:
    """Print one line for each definition that ships."""
    from tasks.definition import read_spec

    for path in shipped():
        typer.echo(f"{path.stem:28} {read_spec(path).title}")


def schema() -> None:
    """Print the JSON schema of audit definitions, for editors."""
    from tasks.definition import AuditSpec

    typer.echo(json.dumps(AuditSpec.model_json_schema(), indent=2))
