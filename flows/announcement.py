"""New weights are announced to a Prefect server, whose deployments audit them."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import httpx
from prefect.client.orchestration import get_client
from prefect.events import Event, Resource
from prefect.settings import PREFECT_API_URL

from tasks.errors import AuditError
from tasks.subjects.local.folder import digest


def retrained(model: str, definition: Path, weights: Mapping[str, Path]) -> Event:
    """The event that starts an audit; its id is derived from the weights, so that it counts once.

    Prefect remembers an id for half an hour. A later repetition starts an audit that finds all
    its shards finished.

    Args:
        model: name of the model; triggers match the resource `model.NAME`.
        definition: of the audit.
        weights: subject of the definition -> folder.
    """
    resource, sha256 = f"model.{model}", digests(weights)
    return Event(
        id=uuid5(NAMESPACE_URL, f"{resource}@{revision(sha256)}"),
        event="model.retrained",
        resource=Resource({"prefect.resource.id": resource}),
        payload={
            "definition": str(definition),
            "weights": {subject: str(folder.resolve()) for subject, folder in weights.items()},
            "sha256": sha256,
            "revision": revision(sha256),
        },
    )


def digests(weights: Mapping[str, Path]) -> dict[str, str]:
    """Digest of each subject's weights, as the evidence of an audit states them."""
    return {subject: digest(folder) for subject, folder in weights.items()}


def revision(sha256: Mapping[str, str]) -> str:
    """One digest for the weights of all subjects."""
    lines = "".join(f"{subject}\0{value}\n" for subject, value in sorted(sha256.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def check_server() -> None:
    """Check that a server answers, before minutes of training.

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
    """Post an event and check that the server took it; `emit_event` would drop it silently.

    Raises:
        AuditError: the server did not take it.
    """
    description = (
        f"event {event.event} of {event.resource.id}, revision {event.payload['revision'][:16]}"
    )
    try:
        with get_client(sync_client=True) as client:
            answer = client.request("POST", "/events", json=[event.model_dump(mode="json")])
    except (httpx.HTTPError, RuntimeError) as error:
        raise AuditError(
            f"{description}: not taken by the server ({type(error).__name__})"
        ) from error
    if answer.status_code != httpx.codes.NO_CONTENT:
        raise AuditError(f"{description}: the server answered {answer.status_code} instead of 204")
