"""What prefect.yaml promises, and that a real server keeps it: a schedule, audits on retraining."""

import inspect
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import httpx
import pytest
import yaml
from prefect.events import DeploymentEventTrigger, Resource
from prefect.flows import load_flow_from_entrypoint
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows import retrain as retraining
from tasks.checks.preflight import prepare
from tasks.definition import read_spec
from tasks.errors import AuditError
from tests.organisms import loan

ROOT = Path(__file__).resolve().parents[1]
RETRAINED = ROOT / "audits" / "loan-approval" / "retrained"
DEPLOYMENTS = {
    one["name"]: one for one in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
}
(TRIGGER,) = DEPLOYMENTS["loan-approval-on-retrain"]["triggers"]


def parameters_named(deployment):
    """Every parameter a deployment, its schedules or its triggers name."""
    sources = [deployment, *deployment.get("schedules", ()), *deployment.get("triggers", ())]
    return {name for source in sources for name in source.get("parameters", {})}


@pytest.mark.parametrize("deployment", DEPLOYMENTS.values(), ids=DEPLOYMENTS)
def test_an_entrypoint_loads_and_takes_the_parameters_named(deployment, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "path", [*sys.path])  # Prefect puts flows/ on it and leaves it there
    flow = load_flow_from_entrypoint(deployment["entrypoint"], use_placeholder_flow=False)
    assert parameters_named(deployment) <= set(inspect.signature(flow.fn).parameters)


@pytest.mark.parametrize("deployment", DEPLOYMENTS.values(), ids=DEPLOYMENTS)
def test_a_definition_named_is_one_that_ships(deployment):
    if definition := deployment["parameters"].get("definition"):
        assert read_spec(ROOT / definition).subjects


def test_no_path_of_one_machine_stands_in_prefect_yaml():
    text = (ROOT / "prefect.yaml").read_text()
    assert "pull" not in yaml.safe_load(text)
    assert str(ROOT) not in text
    assert not any(word.startswith("/") for word in text.split())


def test_the_trigger_waits_for_the_event_of_a_retraining():
    trigger = DeploymentEventTrigger.model_validate(TRIGGER)
    event = retraining.retrained(RETRAINED)
    assert trigger.expect == {event.event}
    assert trigger.match.matches(event.resource)
    assert not trigger.match.matches(Resource({"prefect.resource.id": "model.other"}))


def test_an_event_names_weights_the_audit_accepts_and_their_digests():
    payload = retraining.retrained(RETRAINED).payload
    plan = prepare(ROOT / payload["definition"], payload["weights"])
    assert {name: ref.sha256 for name, ref in plan.subjects.items()} == payload["sha256"]


def test_the_same_weights_make_the_same_event_wherever_they_lie(tmp_path):
    event, copied = retraining.retrained(RETRAINED), tmp_path / "copied"
    shutil.copytree(RETRAINED, copied)
    assert retraining.retrained(copied).id == event.id
    with (copied / "encoder" / "config.json").open("a") as config:
        config.write("\n")
    assert retraining.retrained(copied).id != event.id


def test_a_new_pair_lies_under_its_digest_once(tmp_path, monkeypatch):
    monkeypatch.setattr(loan, "retrain", lambda _, out, *, seed: shutil.copytree(RETRAINED, out))
    first = retraining.new_pair(tmp_path, seed=1)
    assert retraining.new_pair(tmp_path, seed=1) == first
    assert retraining.digests(first) == retraining.digests(RETRAINED)
    assert list(tmp_path.iterdir()) == [first]


def test_a_training_that_dies_leaves_nothing(tmp_path, monkeypatch):
    def dies(_, out, *, seed):
        (out / "encoder").mkdir(parents=True)
        raise KeyboardInterrupt

    monkeypatch.setattr(loan, "retrain", dies)
    with pytest.raises(KeyboardInterrupt):
        retraining.new_pair(tmp_path, seed=1)
    assert not list(tmp_path.iterdir())


def test_without_a_server_nothing_is_trained():
    with (
        temporary_settings({PREFECT_API_URL: None}),
        pytest.raises(AuditError, match=r"no Prefect server is configured.*set PREFECT_API_URL"),
    ):
        retraining.check_server()


def test_a_server_that_does_not_answer_is_named_without_its_password():
    url = f"http://someone:secret@127.0.0.1:{free_port()}/api"
    with (
        temporary_settings({PREFECT_API_URL: url}),
        pytest.raises(AuditError, match=r"no Prefect server answers at 127\.0\.0\.1:\d+ \(Conn"),
    ):
        retraining.check_server()


def test_an_event_that_nobody_takes_is_an_error():
    event = retraining.retrained(RETRAINED)
    with (
        temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{free_port()}/api"}),
        pytest.raises(AuditError, match=r"event model\.retrained.*not taken by the server"),
    ):
        retraining.post(event)


def test_a_server_plans_the_weekly_audit_and_starts_one_per_retrained_pair(tmp_path):
    with server(tmp_path) as (url, env):
        prefect(env, "work-pool", "create", "assay", "--type", "process")
        prefect(env, "--no-prompt", "deploy", "--all")
        event = retraining.retrained(RETRAINED)
        with temporary_settings({PREFECT_API_URL: url}):
            retraining.check_server()
            retraining.post(event)
            retraining.post(event)
        planned = runs_of(url, "loan-approval-weekly")
        started = runs_of(url, "loan-approval-on-retrain")

    starts = [datetime.fromisoformat(run["expected_start_time"]) for run in planned]
    assert {(start.isoweekday(), start.hour, start.minute) for start in starts} == {(1, 3, 0)}
    assert {run["state"]["name"] for run in planned} == {"Scheduled"}
    assert [run["parameters"] for run in started] == [
        {
            "definition": "audits/loan-approval-retrained.yaml",
            "out": "reports",
            "must_pass": True,
            "weights": event.payload["weights"],
        }
    ]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def server(home):
    """A Prefect server of its own: its API's address, and the environment of its clients."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/api"
    env = os.environ | {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": url,
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
    }
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", "server", "start"],
            env=env,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a group of its own, ended as a whole
        )
        try:
            wait_for(lambda: answers(url), f"server: {home / 'server.log'}")
            yield url, env
        finally:
            end(process)


def end(process):
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            return


def answers(url):
    try:
        return httpx.get(f"{url}/health").is_success
    except httpx.TransportError:
        return False


def prefect(env, *arguments):
    command = [sys.executable, "-m", "prefect", *arguments]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def runs_of(url, deployment):
    """The runs of a deployment, as soon as there are any."""

    def found():
        asked = {"deployments": {"name": {"any_": [deployment]}}}
        return httpx.post(f"{url}/flow_runs/filter", json=asked).raise_for_status().json()

    return wait_for(found, f"runs of {deployment}")


def wait_for(found, what, seconds=150):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := found():
            return answer
        time.sleep(0.5)
    pytest.fail(f"{what}: nothing after {seconds} s")
