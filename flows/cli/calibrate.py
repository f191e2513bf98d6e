"""`assay calibrate`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.errors import one_line
from flows.cli.libraries import settle_libraries


def calibrate(
    quick: Annotated[
        bool, typer.Option("--quick", help="A few organisms, in a minute on one processor.")
    ] = False,
    repeats: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Draws of every organism (gap: four times, loan pair: a tenth); else 200, "
            "or 12 with --quick.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 7,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; as many as processors unless given.")
    ] = None,
    write: Annotated[
        Path | None, typer.Option(help="Also write the table, and every organism's, as Markdown.")
    ] = None,
) -> None:
    """Count how often the bias chain is right, on organisms of known truth.

    Gap, readable, used, removed: coverage of the intervals, false alarms, power. Exit code 0: no
    target was missed; 1: at least one was, by more than chance explains.
    """
    with one_line():
        settle_libraries()
        from flows.calibration import calibrate as run_calibration

        on_target = run_calibration(
            quick=quick, repeats=repeats, seed=seed, workers=workers, write=write
        )
    raise typer.Exit(0 if on_target else 1)
