"""What Prefect's pages show of an audit: its run's name, its summary, and a failed gate."""

from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

from prefect.artifacts import create_markdown_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.context import FlowRunContext
from prefect.events import emit_event
from prefect.exceptions import Abort
from prefect.states import Failed

from tasks.definition import read_spec
from tasks.errors import AuditError
from tasks.record.summary import REPORT
from tasks.report.head import Head
from tasks.schema import Report


class GateFailed(Abort):
    """Ends a run whose failed state the server already has.

    Prefect logs any other exit of a failed flow with a traceback; a verdict is no error.
    """

    def __init__(self, message: str, state: State[None] | None) -> None:
        super().__init__(message)
        self.state = state  # Prefect reads the run's final state from here when it logs the end


def first_name() -> str:
    """The name of a run that begins: which audit, and the day."""
    context = FlowRunContext.get()
    path = Path((context.parameters if context and context.parameters else {})["definition"])
    try:
        name = read_spec(path).name
    except AuditError:
        name = path.stem  # the run itself says what is wrong
    return f"{name} {datetime.now(UTC):%Y-%m-%d}"


def add_verdict(head: Head) -> None:
    """Complete the name of the run."""
    run = _run()
    if run is not None:
        with get_client(sync_client=True) as client:
            client.update_flow_run(run.id, name=f"{run.name} {head.word}")


def address_of(folder: Path, out: Path, address: str | None) -> str:
    """Address under which a browser opens the files of a report, with a slash at its end.

    Args:
        folder: of the report.
        out: folder for reports, which holds it.
        address: under which `out` is served; without one, the files' own location is used.
    """
    if address is None:
        return f"{folder.resolve().as_uri()}/"
    return f"{address.rstrip('/')}/{quote(folder.relative_to(out).as_posix())}/"


def announce(report: Report, text: str, folder: Path, address: str) -> None:
    """Leave the summary where schedules and triggers can see it."""
    # the pattern of a definition's name is within that of an artifact's key
    create_markdown_artifact(key=f"audit-{report.spec.name}", markdown=text, description="Audit")
    emit_event(
        "audit.finished",
        resource={
            "prefect.resource.id": f"audit.{report.spec.name}",
            "assay.verdict": report.verdict,  # triggers match labels, not payloads
        },
        payload={
            "verdict": report.verdict,
            "report": str(folder.resolve()),
            "address": f"{address}{REPORT}",
        },
    )


def fail(report: Report, address: str) -> NoReturn:
    """End the run as failed because of its verdict, without an error.

    Raises:
        GateFailed: always.
    """
    run = _run()
    state: State[None] | None = None
    message = f"{report.verdict}: {address}{REPORT}"
    if run is not None:
        with get_client(sync_client=True) as client:
            # an event has the name of its state, and automations on failure wait for `Failed`
            for name in ("Failed", "GateFailed"):
                failed: State[None] = Failed(name=name, message=message)
                state = client.set_flow_run_state(run.id, failed).state
                if state is None or not state.is_failed():
                    break  # the server wants something else, such as a retry
    raise GateFailed(message, state)


def _run() -> FlowRun | None:
    context = FlowRunContext.get()
    return context.flow_run if context else None
