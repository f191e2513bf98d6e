"""The command line: run, check, list, render, schema, calibrate, organisms."""

import json
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.stopping import COULD_NOT_RUN, STOPPING
from tasks.errors import AuditError

if TYPE_CHECKING:
    from tasks.schema import Report

SHIPPED = Path(__file__).resolve().parents[1] / "audits"
EXIT = {"pass": 0, "fail": 1, "inconclusive": 3}


class Organism(StrEnum):
    """Organisms that can be built."""

    loan_approval = "loan-approval"
    reasoner = "reasoner"


SEEDS = {Organism.loan_approval: 7, Organism.reasoner: 11}

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Audit a transformer model from the inside: evidence, findings, report and model card.",
)
organisms = typer.Typer(
    no_args_is_help=True, help="The small models with a planted truth that ship with Assay."
)
app.add_typer(organisms, name="organisms")

Definition = Annotated[
    Path, typer.Argument(help="Audit definition: a YAML file, or the name of one that ships.")
]
Out = Annotated[Path, typer.Option(help="Folder for reports; finished work is kept in it too.")]


@app.command()
def run(
    definition: Definition,
    out: Out = Path("reports"),
    weights: Annotated[
        list[str] | None,
        typer.Option(help="SUBJECT=FOLDER: audit these weights instead of the definition's."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Measure everything anew; reuse no finished work.")
    ] = False,
) -> None:
    """Run an audit.

    Exit code 0: every gate passed; 1: at least one failed; 3: none failed, at least one is
    inconclusive; 2: the audit could not run.
    """
    with one_line(resumes=True):
        path, replaced = _find(definition), _weights(weights or [])
        _check_out(out)
        _settle_libraries()
        from flows.progress import STAGES
        from tasks.run.preflight import prepare

        plan = prepare(path, replaced)
        with STAGES.shown():
            with STAGES.stage("subjects"):
                from tasks.run.provenance import provenance

                provenance(plan)  # what is wrong with a model is said before Prefect starts
            with STAGES.stage("Prefect"):
                from flows.audit import audit
                from flows.private_server import start_private_server

                start_private_server()
            folder = Path(audit(path, out.resolve(), replaced, fresh))
        STOPPING.check()
        from tasks.record.bundle import read_finished

        report, _ = read_finished(folder)
        _print_findings(report)
        verdict = report.verdict.upper() if report.findings else "NO VERDICT (no gates)"
        typer.echo(f"\n{verdict}  {_relative(folder / 'report.html')}")
    raise typer.Exit(EXIT[report.verdict])


@app.command()
def check(definition: Definition) -> None:
    """Find everything wrong that is knowable before a model loads, and what endpoints will cost."""
    with one_line():
        from tasks.definition.checks import ReasoningCheck
        from tasks.run.cost import calls
        from tasks.run.plan import not_run, withheld_tests
        from tasks.run.preflight import prepare

        plan = prepare(_find(definition))
        for one in plan.spec.checks:
            reason = not_run(plan, one)
            subject = plan.spec.subject_of(one)
            typer.echo(f"{one.kind:14} {subject:14} {'not run: ' + reason if reason else 'ready'}")
            if isinstance(one, ReasoningCheck) and not reason:
                for test, lacking in withheld_tests(plan, one).items():
                    typer.echo(f"{one.kind:14} {subject:14} test {test} {lacking}")
        for step in calls(plan):
            typer.echo(f"{step.step:14} {step.subject:14} asks: {step.words()}")
        typer.echo(
            f"{plan.spec.name}: {len(plan.data.rows)} rows, {len(plan.spec.checks)} checks, "
            f"{len(plan.spec.gates)} gates"
        )


@app.command("list")
def list_() -> None:
    """List the audits that ship here."""
    with one_line():
        from tasks.definition import read_spec

        for path in sorted(SHIPPED.glob("*.yaml"), key=lambda path: path.stem):
            typer.echo(f"{path.stem:28} {read_spec(path).title}")


@app.command()
def render(
    folder: Annotated[Path, typer.Argument(help="Folder of a finished audit.")],
) -> None:
    """Render report and model card of a finished audit anew, without its model."""
    with one_line():
        from tasks.record.bundle import render_again

        for path in render_again(folder):
            typer.echo(str(path))


@app.command()
def schema() -> None:
    """Print the JSON schema of audit definitions, for editors."""
    from tasks.definition import AuditSpec

    typer.echo(json.dumps(AuditSpec.model_json_schema(), indent=2))


@app.command()
def calibrate(
    quick: Annotated[
        bool, typer.Option("--quick", help="A few organisms, in a minute on one processor.")
    ] = False,
    repeats: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Draws of every organism, gap four times; else 200, or 24 with --quick.",
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
        _settle_libraries()
        from flows.calibration import calibrate as run_calibration

        held = run_calibration(
            quick=quick, repeats=repeats, seed=seed, workers=workers, write=write
        )
    raise typer.Exit(0 if held else 1)


@organisms.command()
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
        from rich.progress import Progress, TaskID

        from tests.organisms.loan import build_loan_approval
        from tests.organisms.reasoner import build_reasoners

        with Progress() as bars:
            known: dict[str, TaskID] = {}

            def advance(stage: str, done: int, total: int) -> None:
                if stage not in known:
                    known[stage] = bars.add_task(stage, total=total)
                bars.update(known[stage], completed=done)

            made = build_reasoners if name is Organism.reasoner else build_loan_approval
            made(folder, seed=SEEDS[name] if seed is None else seed, on_progress=advance)
    typer.echo(str(folder))


@contextmanager
def one_line(*, resumes: bool = False) -> Iterator[None]:
    """Turn an error an auditor can act on, or a request to stop, into one line and exit code 2.

    Any other error keeps its traceback; its exit code is 2 as well, as 1 says that a gate failed.
    """
    with STOPPING.listening(resumes=resumes):
        try:
            yield
            STOPPING.check()
        except (SystemExit, GeneratorExit):
            raise
        except BaseException as error:
            # beside KeyboardInterrupt: Prefect's own, where it hears a SIGTERM that was ignored
            if STOPPING.asked or not isinstance(error, Exception):
                typer.echo(STOPPING.words(), err=True)
            elif isinstance(error, AuditError):
                typer.echo(f"error: {' '.join(str(error).split())}", err=True)
            else:
                traceback.print_exc()
            raise typer.Exit(COULD_NOT_RUN) from None


def _find(definition: Path) -> Path:
    """The definition itself, or one that ships under that name."""
    shipped = SHIPPED / f"{definition}.yaml"
    return shipped if not definition.exists() and shipped.is_file() else definition


def _weights(pairs: list[str]) -> dict[str, str]:
    found = dict(pair.partition("=")[::2] for pair in pairs)
    for pair in pairs:
        if "=" not in pair:
            raise AuditError(f"--weights {pair}: expected SUBJECT=FOLDER")
    return found


def _check_out(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise AuditError(f"--out {out} is a file; name a folder")


def _settle_libraries() -> None:
    """Settings libraries read when they are imported; what the caller set stands."""
    warnings.filterwarnings("ignore", message="`torch.jit.script`", category=FutureWarning)
    for name, value in {
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    }.items():
        os.environ.setdefault(name, value)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)


def _print_findings(report: "Report") -> None:
    """Gates and checks in a table, failed first."""
    from rich.console import Console
    from rich.table import Table

    from tasks.report.formats import interval, line, title, value

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("verdict", "check", "measure", "about", "value", "95 % interval", "line", "n"):
        table.add_column(heading)
    order = {"fail": 0, "inconclusive": 1, "pass": 2}
    for finding in sorted(report.findings, key=lambda f: order[f.verdict]):
        m, gate = finding.deciding, finding.gate
        table.add_row(
            finding.verdict,
            gate.check,
            title(gate.measure),
            m.about.words() if m else finding.reason,
            value(m) if m else "",
            interval(m) if m else "",
            line(gate),
            str(m.n) if m else "",
        )
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    for one in report.evidence:
        if one.not_run:
            typer.echo(f"not run       {one.check.kind}: {one.not_run}")


def _relative(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
