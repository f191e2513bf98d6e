"""`python -m tests.organisms build loan-approval --out FOLDER`: train organisms from nothing."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, TaskID

from flows.cli.errors import one_line
from tasks.errors import AuditError


class Organism(StrEnum):
    """Organisms that can be built."""

    loan_approval = "loan-approval"
    reasoner = "reasoner"


SEEDS = {Organism.loan_approval: 7, Organism.reasoner: 11}
"""Those of the shipped ones."""

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)


@app.callback()
def organisms() -> None:
    """Make the small models with a planted truth that ship with Assay."""


@app.command()
def build(
    name: Annotated[Organism, typer.Argument(help="Which organisms.")] = Organism.loan_approval,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder to build them in, organisms/NAME unless given; the shipped ones lie in "
            "audits/.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            help="Seed of everything random; that of the shipped ones unless given.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Train organisms from nothing: the loan-approval pairs, or the reasoners."""
    folder = Path("organisms") / name.value if out is None else out
    with one_line():
        if folder.exists() and any(folder.iterdir()):
            raise AuditError(f"{folder} is not empty; name a new folder with --out")
        with Progress() as bars:
            maker(name)(folder, seed=SEEDS[name] if seed is None else seed, on_progress=shown(bars))
    typer.echo(str(folder))


def maker(name: Organism) -> Callable[..., object]:
    """What builds these organisms; imported late, as it imports torch."""
    from tests.organisms.loan import build_loan_approval
    from tests.organisms.reasoner import build_reasoners

    return build_reasoners if name is Organism.reasoner else build_loan_approval


def shown(bars: Progress) -> Callable[[str, int, int], None]:
    """Progress as bars, one for each stage."""
    known: dict[str, TaskID] = {}

    def advance(stage: str, done: int, total: int) -> None:
        if stage not in known:
            known[stage] = bars.add_task(stage, total=total)
        bars.update(known[stage], completed=done)

    return advance


if __name__ == "__main__":
    app(prog_name="python -m tests.organisms")
