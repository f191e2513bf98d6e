"""Retraining: the loan-approval pair learns anew, and its audit is called for.

Run it from the root of a checkout: `python -m flows.retrain --out models/loan-approval`
"""

import hashlib
import tempfile
from pathlib import Path
from typing import Annotated
from uuid import NAMESPACE_URL, uuid5

import httpx
import typer
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.events import Event, Resource
from prefect.settings import PREFECT_API_URL

from flows.cli import one_line
from flows.progress import STAGES
from tasks.errors import AuditError
from tasks.subjects.local.folder import digest

MODEL = "model.loan-approval"
DEFINITION = "audits/loan-approval-retrained.yaml"
CLEAN = Path(__file__).resolve().parents[1] / "audits" / "loan-approval" / "clean"
FOLDERS = {"decider": "encoder", "reasoner": "decoder"}
"""Subject of the definition -> its folder in a pair."""


@flow(name="retrain")
def retrain(out: Path = Path("models/loan-approval"), seed: int = 7) -> str:
    """Train the shipped clean pair further, and tell Prefect of the new weights.

    Args:
        out: folder for retrained pairs; each lies below it, under the digest of its weights.
        seed: the one the clean pair was built with.

    Returns:
        Folder of the new pair.
    """
    check_server()
    with STAGES.stage("retraining"):
        folder = new_pair(out, seed)
    post(retrained(folder))
    return str(folder)


def new_pair(out: Path, seed: int) -> Path:
    """Train a pair and move it to its place when it is whole; the same weights, the same place."""
    from tests.organisms import loan

    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".draft-") as draft:
        pair = Path(draft) / "pair"
        loan.retrain(CLEAN, pair, seed=seed)
        folder = out.resolve() / revision(digests(pair))[:16]
        if not folder.exists():
            pair.rename(folder)
    return folder


def digests(pair: Path) -> dict[str, str]:
    """Digest of each subject's weights, as the evidence of an audit states them."""
    return {subject: digest(pair / folder) for subject, folder in FOLDERS.items()}


def revision(found: dict[str, str]) -> str:
    """One digest for the whole pair."""
    lines = "".join(f"{subject}\0{sha256}\n" for subject, sha256 in sorted(found.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def retrained(pair: Path) -> Event:
    """The event that starts the audit of a pair; its id is the weights', so telling twice is once.

    Prefect remembers an id for half an hour. A later repetition starts an audit that finds all
    its shards finished.
    """
    found = digests(pair)
    weights = {subject: str(pair.resolve() / folder) for subject, folder in FOLDERS.items()}
    return Event(
        id=uuid5(NAMESPACE_URL, f"{MODEL}@{revision(found)}"),
        event="model.retrained",
        resource=Resource({"prefect.resource.id": MODEL}),
        payload={
            "definition": DEFINITION,
            "weights": weights,
            "sha256": found,
            "revision": revision(found),
        },
    )


def check_server() -> None:
    """See that somebody listens, before minutes of training.

    Raises:
        AuditError: no server is configured, or none answers.
    """
    api = PREFECT_API_URL.value()
    if not api:
        raise AuditError(
            "no Prefect server is configured, so no audit would follow the training; set "
            "PREFECT_API_URL, for example to http://127.0.0.1:4200/api"
        )
    with get_client(sync_client=True) as client:
        if problem := client.api_healthcheck():
            raise AuditError(
                f"no Prefect server answers at {httpx.URL(api).netloc.decode()} "
                f"({type(problem).__name__}); start it with `prefect server start`"
            )


def post(event: Event) -> None:
    """Hand an event to the server and see it taken; `emit_event` would lose it without a word.

    Raises:
        AuditError: the server did not take it.
    """
    what = f"event {event.event} of {event.resource.id}, revision {event.payload['revision'][:16]}"
    try:
        with get_client(sync_client=True) as client:
            answer = client.request("POST", "/events", json=[event.model_dump(mode="json")])
    except (httpx.HTTPError, RuntimeError) as error:
        raise AuditError(f"{what}: not taken by the server ({type(error).__name__})") from error
    if answer.status_code != httpx.codes.NO_CONTENT:
        raise AuditError(f"{what}: the server answered {answer.status_code} instead of 204")


def main(
    out: Annotated[Path, typer.Option(help="Folder for retrained pairs.")] = Path(
        "models/loan-approval"
    ),
    seed: Annotated[int, typer.Option(help="Seed the clean pair was built with.")] = 7,
) -> None:
    """Retrain the loan-approval pair; the deployment that waits for it audits the new weights."""
    with one_line():
        check_server()
        typer.echo(retrain(out, seed))


if __name__ == "__main__":
    typer.run(main)
