"""What prefect.yaml promises, and that a real server keeps it: a schedule, audits on retraining."""

import inspect
import os
import re
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
import typer
import yaml
from prefect.events import DeploymentEventTrigger, Resource
from prefect.flows import load_flow_from_entrypoint
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows import announcement, training
from flows.retrain import main as retrain_by_hand
from flows.retrain import options_of, retrain
from tasks.checks.preflight import prepare
from tasks.definition import read_spec
from tasks.errors import AuditError
from tests.organisms.retraining import FOLDERS
from tests.support.small import write_small_audit

ROOT = Path(__file__).resolve().parents[1]
RETRAINED = ROOT / "audits" / "loan-approval" / "retrained"
DEFINITION = Path("audits/loan-approval-retrained.yaml")
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


def pair(folder):
    """Subject -> its folder in a loan-approval pair."""
    return {subject: folder / name for subject, name in FOLDERS.items()}


def event_of(folder):
    return announcement.retrained("loan-approval", DEFINITION, pair(folder))


def test_the_trigger_waits_for_the_event_of_a_retraining():
    trigger = DeploymentEventTrigger.model_validate(TRIGGER)
    event = event_of(RETRAINED)
    assert trigger.expect == {event.event}
    assert trigger.match.matches(event.resource)
    assert not trigger.match.matches(Resource({"prefect.resource.id": "model.other"}))


def test_an_event_names_weights_the_audit_accepts_and_their_digests():
    payload = event_of(RETRAINED).payload
    plan = prepare(ROOT / payload["definition"], payload["weights"])
    assert {name: ref.sha256 for name, ref in plan.subjects.items()} == payload["sha256"]


def test_the_same_weights_make_the_same_event_wherever_they_lie(tmp_path):
    event, copied = event_of(RETRAINED), tmp_path / "copied"
    shutil.copytree(RETRAINED, copied)
    assert event_of(copied).id == event.id
    with (copied / "encoder" / "config.json").open("a") as config:
        config.write("\n")
    assert event_of(copied).id != event.id


# --- training functions of anybody's ------------------------------------------------------


def copies(out, **_):
    """A trainer that is done at once."""
    shutil.copytree(RETRAINED, out, dirs_exist_ok=True)
    return FOLDERS


def test_new_weights_lie_under_their_digest_once(tmp_path):
    first = training.train(copies, tmp_path, {})
    assert training.train(copies, tmp_path, {}) == first
    assert announcement.digests(first) == announcement.digests(pair(RETRAINED))
    (place,) = tmp_path.iterdir()
    assert first == pair(place)


def test_a_training_that_dies_leaves_nothing(tmp_path):
    def dies(out):
        (out / "encoder").mkdir()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training.train(dies, tmp_path, {})
    assert not list(tmp_path.iterdir())


def test_a_trainer_gets_its_options_by_name(tmp_path):
    seen = {}

    def notes(out, **options):
        seen.update(options)
        return copies(out)

    training.train(notes, tmp_path, {"seed": 3, "labels": "corrected"})
    assert seen == {"seed": 3, "labels": "corrected"}


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        pytest.param(None, "the trainer returned None; expected subject -> folder", id="nothing"),
        pytest.param({}, "the trainer returned {}; expected subject -> folder", id="no subject"),
        pytest.param({"decider": "nowhere"}, "returned 'nowhere' for decider", id="no folder"),
        pytest.param({"decider": RETRAINED}, "below the one it was given", id="another folder"),
    ],
)
def test_a_trainer_that_returns_something_else_is_told_what_to_return(tmp_path, returned, message):
    with pytest.raises(AuditError, match=re.escape(message)):
        training.train(lambda out: returned, tmp_path, {})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("path", "message"),
    [
        pytest.param("ours.training", "expected MODULE:FUNCTION", id="no function"),
        pytest.param("nowhere_at_all:train", "No module named 'nowhere_at_all'", id="no module"),
        pytest.param("flows.training:fit", "has no attribute 'fit'", id="no such function"),
        pytest.param("flows.training:Option", "it is no function", id="cannot be called"),
    ],
)
def test_a_trainer_that_is_not_there_is_named(path, message):
    with pytest.raises(AuditError, match=message):
        training.trainer_at(path)


def test_a_trainer_of_the_working_directory_is_found(tmp_path, monkeypatch):
    (tmp_path / "training_of_ours.py").write_text("def train(out):\n    return {'screener': out}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert training.trainer_at("training_of_ours:train")(tmp_path) == {"screener": tmp_path}


def test_the_trainer_of_a_deployment_is_found_and_takes_its_options(monkeypatch):
    monkeypatch.chdir(ROOT)
    parameters = DEPLOYMENTS["retrain-loan-approval"]["parameters"]
    function = training.trainer_at(parameters["trainer"])
    assert set(parameters["options"]) < set(inspect.signature(function).parameters)
    assert f"model.{parameters['model']}" == TRIGGER["match"]["prefect.resource.id"]


@pytest.mark.parametrize("both", [{}, {"trainer": "ours:train", "weights": {"decider": RETRAINED}}])
def test_weights_are_trained_or_brought_and_not_both(both):
    with pytest.raises(AuditError, match=r"one of the two"):
        retrain.fn(DEFINITION, "loan-approval", **both)


@pytest.fixture
def posted(monkeypatch):
    """Events handed to a server that takes all of them."""
    events = []
    monkeypatch.setattr("flows.retrain.check_server", lambda: None)
    monkeypatch.setattr("flows.retrain.post", events.append)
    return events


def test_weights_that_were_trained_elsewhere_are_announced(posted):
    announced = retrain.fn(ROOT / DEFINITION, "loan-approval", weights=pair(RETRAINED))
    assert announced == {name: str(folder) for name, folder in pair(RETRAINED).items()}
    (event,) = posted
    assert event.id == event_of(RETRAINED).id
    assert event.payload["weights"] == announced


def test_weights_that_the_audit_would_refuse_are_not_announced(posted):
    with pytest.raises(AuditError, match="did you mean 'decider'"):
        retrain.fn(ROOT / DEFINITION, "loan-approval", weights={"decidr": RETRAINED / "encoder"})
    assert not posted


def test_a_definition_that_is_not_there_is_named_before_training(posted, tmp_path):
    with pytest.raises(AuditError, match="no audit definition at"):
        retrain.fn(tmp_path / "nowhere.yaml", "loan-approval", trainer="nowhere:train")
    assert not posted


def test_options_of_the_command_line_are_numbers_truth_values_or_texts():
    assert options_of(["seed=7", "rate=1e-3", "again=true", "labels=corrected"]) == {
        "seed": 7,
        "rate": 1e-3,
        "again": True,
        "labels": "corrected",
    }
    with pytest.raises(AuditError, match="--option seed: expected NAME=VALUE"):
        options_of(["seed"])


def test_the_flow_by_hand_ends_in_one_line_without_a_server(capsys):
    with temporary_settings({PREFECT_API_URL: None}), pytest.raises(typer.Exit) as ended:
        retrain_by_hand(DEFINITION, "loan-approval", weights=[f"decider={RETRAINED / 'encoder'}"])
    assert ended.value.exit_code == 2
    assert capsys.readouterr().err.startswith("error: no Prefect server is configured")


# --- the server ---------------------------------------------------------------------------


def test_without_a_server_nothing_is_trained():
    with (
        temporary_settings({PREFECT_API_URL: None}),
        pytest.raises(AuditError, match=r"no Prefect server is configured.*set PREFECT_API_URL"),
    ):
        announcement.check_server()


def test_a_server_that_does_not_answer_is_named_without_its_password():
    url = f"http://someone:secret@127.0.0.1:{free_port()}/api"
    with (
        temporary_settings({PREFECT_API_URL: url}),
        pytest.raises(AuditError, match=r"no Prefect server answers at 127\.0\.0\.1:\d+ \(Conn"),
    ):
        announcement.check_server()


def test_an_event_that_nobody_takes_is_an_error():
    event = event_of(RETRAINED)
    with (
        temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{free_port()}/api"}),
        pytest.raises(AuditError, match=r"event model\.retrained.*not taken by the server"),
    ):
        announcement.post(event)


@pytest.mark.slow
def test_a_server_plans_the_weekly_audit_and_starts_one_per_retrained_pair(tmp_path):
    with server(tmp_path) as (url, env):
        prefect(env, "work-pool", "create", "assay", "--type", "process")
        prefect(env, "--no-prompt", "deploy", "--all")
        event = event_of(RETRAINED)
        with temporary_settings({PREFECT_API_URL: url}):
            announcement.check_server()
            announcement.post(event)
            announcement.post(event)
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


@pytest.mark.slow
def test_a_worker_ends_a_failed_gate_as_failed_and_logs_no_error(tmp_path):
    gate = {"check": "performance", "measure": "accuracy", "at_least": 0.999}
    path = write_small_audit(tmp_path / "small", checks=[{"kind": "performance"}], gates=[gate])
    out, address = tmp_path / "reports", "https://reports.example/"
    given = {"definition": path, "out": out, "address": address}
    parameters = [word for pair in given.items() for word in ("--param", "{}={}".format(*pair))]
    with server(tmp_path) as (url, env):
        prefect(env, "work-pool", "create", "assay", "--type", "process")
        prefect(env, "--no-prompt", "deploy", "--name", "loan-approval-on-retrain")
        prefect(env, "deployment", "run", "audit/loan-approval-on-retrain", *parameters)
        shown = env | {"PREFECT_LOGGING_LEVEL": "INFO"}
        log = prefect(shown, "worker", "start", "--pool", "assay", "--run-once")
        (run,) = runs_of(url, "loan-approval-on-retrain")
        asked = {"flow_runs": {"id": {"any_": [run["id"]]}}}

        def tasks():
            found = httpx.post(f"{url}/task_runs/filter", json=asked).raise_for_status().json()
            return {task["name"] for task in found}

        def states():
            asked = {"filter": {"event": {"prefix": ["prefect.flow-run."]}}}
            found = httpx.post(f"{url}/events/filter", json=asked).raise_for_status().json()
            return {event["event"].removeprefix("prefect.flow-run.") for event in found["events"]}

        wait_for(lambda: tasks() == {"decisions of decider, texts 1-96"}, "names of tasks")
        wait_for(lambda: {"Failed", "GateFailed"} <= states(), "events that automations wait for")
        (left,) = httpx.post(f"{url}/artifacts/latest/filter", json={}).raise_for_status().json()

    (report,) = out.glob("small/*/report.html")
    page = f"{address}{report.relative_to(out)}"
    assert (run["state"]["type"], run["state"]["name"]) == ("FAILED", "GateFailed")
    assert run["state"]["message"] == f"fail: {page}"
    assert re.fullmatch(r"small 20\d\d-\d\d-\d\d FAIL", run["name"])
    assert left["key"] == "audit-small"
    assert f"[Report]({page})" in left["data"]
    assert "GateFailed(" in log
    assert not re.search(r"Traceback|ERROR|exception|pickle|persist|cache", log), log


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
            wait_for(lambda: answers(url), f"server: {home / 'server.log'}", seconds=300)
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
    return done.stdout + done.stderr


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
