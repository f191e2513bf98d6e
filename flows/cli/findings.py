"""The findings of an audit on a terminal."""

import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from tasks.schema import Finding, Report
    from tasks.schema.notation import Notation

HEADINGS = ("verdict", "check", "measure", "about", "value", "95 % interval", "line", "n")
ORDER = {"fail": 0, "inconclusive": 1, "pass": 2}


def print_findings(report: "Report") -> None:
    """Print the gates in a table, failed first, and the checks that were not run."""
    from rich.console import Console
    from rich.table import Table

    from tasks.schema.notation import Notation

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in HEADINGS:
        table.add_column(heading)
    notation = Notation.of(report)
    for finding in sorted(report.findings, key=lambda f: ORDER[f.verdict]):
        table.add_row(*cells(finding, notation))
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    for evidence in report.evidence:
        if evidence.not_run:
            typer.echo(f"not run       {evidence.check.kind}: {evidence.not_run}")


def cells(finding: "Finding", notation: "Notation") -> tuple[str, ...]:
    """One row of the table."""
    from tasks.definition.digits import count
    from tasks.report.formats import title
    from tasks.schema.notation import line

    m, gate = finding.deciding, finding.gate
    return (
        finding.verdict,
        gate.check,
        title(gate.measure),
        m.about.words() if m else finding.reason,
        notation.value(m) if m else "",
        notation.interval(m) if m else "",
        line(gate),
        count(m.n) if m else "",
    )
