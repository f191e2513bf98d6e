"""`assay run`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.definitions import Definition, find
from flows.cli.errors import one_line
from flows.cli.findings import print_findings
from flows.cli.libraries import settle_libraries
from flows.cli.weights import Weights, folders
from flows.stopping import STOPPING
from tasks.errors import AuditError

EXIT = {"pass": 0, "fail": 1, "inconclusive": 3}

Out = Annotated[Path, typer.Option(help="Folder for reports; finished work is kept in it too.")]


def run(
    definition: Definition,
    out: Out = Path("reports"),
    weights: Weights = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Measure everything anew; reuse no finished work.")
    ] = False,
) -> None:
    """Run an audit.

    Exit code 0: every gate passed; 1: at least one failed; 3: none failed, at least one is
    inconclusive; 2: the audit could not run.
    """
    with one_line(resumes=True):
        path, replaced = find(definition), folders(weights)
        check_out(out)
        settle_libraries()
        folder = audit(path, out, replaced, fresh)
        STOPPING.check()
        from tasks.record.bundle import read_finished

        report, _ = read_finished(folder)
        print_findings(report)
        verdict = report.verdict.upper() if report.findings else "NO VERDICT (no gates)"
        typer.echo(f"\n{verdict}  {from_here(folder / 'report.html')}")
    raise typer.Exit(EXIT[report.verdict])


def audit(path: Path, out: Path, weights: dict[str, str], fresh: bool) -> Path:
    """Run the flow; returns the folder of its report."""
    from flows.progress import STAGES
    from tasks.checks.preflight import prepare

    plan = prepare(path, weights)
    with STAGES.shown():
        with STAGES.stage("subjects"):
            from tasks.run.provenance import provenance

            provenance(plan)  # report a model's faults before Prefect starts
        with STAGES.stage("Prefect"):
            from flows.audit import audit as flow
            from flows.private_server import start_private_server

            start_private_server()
        return Path(flow(path, out.resolve(), weights, fresh))


def check_out(out: Path) -> None:
    """Check that reports can be written there.

    Raises:
        AuditError: it is a file.
    """
    if out.exists() and not out.is_dir():
        raise AuditError(f"--out {out} is a file; name a folder")


def from_here(path: Path) -> Path:
    """The shortest way to write a path in this folder."""
    working_directory = Path.cwd()
    return path.relative_to(working_directory) if path.is_relative_to(working_directory) else path
