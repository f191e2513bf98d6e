"""The command line, `assay`: one module for each group of commands."""

import typer

from flows.cli import calibrate, check, listing, render, run
from flows.cli.version import Version

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Audit a transformer model from the inside: evidence, findings, report and model card.",
)


@app.callback()
def assay(version: Version = False) -> None:
    """Take the options that belong to no command."""


app.command("run")(run.run)
app.command("check")(check.check)
app.command("list")(listing.list_)
app.command("render")(render.render)
app.command("schema")(listing.schema)
app.command("calibrate")(calibrate.calibrate)
