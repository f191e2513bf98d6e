"""The kinds of checks on a terminal: what each asks, what it needs, where it comes from."""

import sys

HEADINGS = ("check", "title", "question", "needs", "from")
HERE = "assay"
"""Origin of the kinds that ship with Assay."""


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
    from tasks.definition.kinds import kinds, package_of

    return [
        (
            kind.name,
            kind.title,
            kind.question,
            ", ".join(sorted(kind.needs)) or "nothing",
            package_of(kind) or HERE,
        )
        for kind in kinds()
    ]
