"""The kinds of checks on a terminal: what each asks, what it needs, where it comes from."""

import sys
from typing import get_args

HEADINGS = ("check", "title", "question", "needs", "from")
HERE = "assay"
"""Where the kinds come from that are no plug-in's."""


def print_kinds() -> None:
    """Print the kinds of checks in a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in HEADINGS:
        table.add_column(heading)
    for row in rows():
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 180).print(table)


def rows() -> list[tuple[str, ...]]:
    """One row for each kind, in the order of the report."""
    from tasks.definition.checks import Check
    from tasks.definition.vocabulary import CHECK_NEEDS, CHECK_TITLES

    asked = {
        one.model_fields["kind"].default: (one.__doc__ or "").splitlines()[0]
        for one in get_args(get_args(Check)[0])
    }
    return [
        (name, title, asked[name], ", ".join(sorted(CHECK_NEEDS[name])), HERE)
        for name, title in CHECK_TITLES.items()
    ]
