"""How often the bias chain is right: draw, count, print."""

import os
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from flows.progress import STAGES
from tasks.calibration.repeats import counted, pieces
from tasks.calibration.table import HEADINGS, markdown, rows
from tasks.errors import AuditError


def calibrate(
    *, quick: bool, repeats: int | None, seed: int, workers: int | None, write: Path | None
) -> bool:
    """Print the table, and write it if asked to; returns whether no target was missed."""
    if write is not None and (write.is_dir() or not write.parent.is_dir()):
        raise AuditError(f"--write {write}: name a file in a folder that exists")
    work = pieces(quick=quick, repeats=repeats, seed=seed)
    at_once = workers or (1 if quick else os.cpu_count() or 1)
    with STAGES.shown(), STAGES.stage("calibration", len(work)) as advance:
        counts = counted(work, workers=at_once, on_piece=advance)
    table_rows = rows(counts)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in HEADINGS:
        table.add_column(heading)
    for row in table_rows:
        table.add_row(*row.cells())
    Console(width=None if sys.stdout.isatty() else 220).print(table)
    if write is not None:
        write.write_text(markdown(table_rows, counts), encoding="utf-8")
    return all(row.verdict != "missed" for row in table_rows)
