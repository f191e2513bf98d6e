"""The command line: exact exit codes, one line per error, nothing half-written."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app
from tasks.definition.kinds import built_in
from tests.support.small import write_small_audit
from tests.support.tiny import build


def invoke(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return write_small_audit(tmp_path_factory.mktemp("small"))


def test_check_lists_what_will_run(small):
    outcome = invoke("check", small)
    assert outcome.exit_code == 0
    assert outcome.output.splitlines()[-1] == "small: 96 rows, 5 checks, 2 gates"


def test_list_names_the_shipped_audits():
    names = [line.split()[0] for line in invoke("list").output.splitlines()]
    controls = ["contradiction-controls", "cue-controls", "reasoning-controls"]
    assert names == [*controls[:2], "loan-approval", "loan-approval-retrained", controls[2]]


def test_list_names_every_kind_of_check_with_its_question_and_its_needs():
    heading, *lines = invoke("list", "--checks").output.splitlines()
    assert heading.split() == ["check", "title", "question", "needs", "from"]
    assert {line.split()[0] for line in lines} == {kind.name for kind in built_in()}
    (fairness,) = [line for line in lines if line.startswith("fairness")]
    assert re.split(r"  +", fairness.strip()) == [
        "fairness",
        "Fairness between groups",
        "Is there a gap between groups?",
        "decisions",
        "assay",
    ]


def test_the_version_is_that_of_the_package():
    declared = tomllib.loads(Path("pyproject.toml").read_text())["project"]["version"]
    outcome = invoke("--version")
    assert outcome.exit_code == 0
    assert outcome.output == f"assay {declared}\n"


@pytest.mark.parametrize("heavy", ["torch", "prefect", "pydantic", "rich", "yaml"])
def test_the_commands_are_named_before_anything_heavy_is_imported(heavy):
    code = f"import sys, flows.cli; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_shipped_audit_is_found_by_its_name():
    assert invoke("check", "loan-approval").exit_code == 0


def test_schema_describes_definitions():
    assert set(json.loads(invoke("schema").output)["required"]) >= {"name", "subjects", "checks"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(
            ("check", "nowhere.yaml"),
            "error: no audit definition at nowhere.yaml; `assay list` shows those that ship here",
            id="no definition",
        ),
        pytest.param(
            ("render", "tests"),
            "error: no evidence.json in tests; `assay run` leaves one in each run's folder",
            id="nothing to render",
        ),
        pytest.param(
            ("run", "loan-approval", "--weights", "decider"),
            "error: --weights decider: expected SUBJECT=FOLDER",
            id="weights without a folder",
        ),
        pytest.param(
            ("run", "loan-approval", "--weights", "decidr=x"),
            "error: weights for subject 'decidr': did you mean 'decider'? "
            "there are: decider, reasoner",
            id="weights of nobody",
        ),
        pytest.param(
            ("run", "loan-approval", "--out", "README.md"),
            "error: --out README.md is a file; name a folder",
            id="out is a file",
        ),
    ],
)
def test_wrong_input_is_one_line_and_exit_2(words, message):
    outcome = invoke(*words)
    assert outcome.exit_code == 2
    assert outcome.output.strip() == message


def spoil(folder):
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    weights["classifier.weight"][0, 0] = float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def test_nan_weights_stop_a_run_before_anything_is_written(tmp_path):
    path = write_small_audit(tmp_path)
    spoil(tmp_path / "classifier")
    outcome = invoke("run", path, "--out", tmp_path / "reports")
    assert outcome.exit_code == 2
    assert "weight classifier.weight" in outcome.output
    assert "holds NaN" in outcome.output
    assert not (tmp_path / "reports").exists()


def test_a_text_too_long_stops_a_run_where_the_definition_says_so(tmp_path):
    import yaml

    path = write_small_audit(tmp_path)
    content = yaml.safe_load(path.read_text())
    content["subjects"]["decider"]["too_long"] = "reject"
    path.write_text(yaml.safe_dump(content))
    data = tmp_path / "data.csv"
    data.write_text(data.read_text() + f"long,in north {'good ' * 90},yes,a,north\n")
    outcome = invoke("run", path, "--out", tmp_path / "reports")
    assert outcome.exit_code == 2
    assert "1 texts are longer than its window of 60 tokens, first: row long" in outcome.output


def command(path, out):
    return [sys.executable, "-m", "flows", "run", str(path), "--out", str(out)]


def wait_for(condition, seconds=600):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)


def hear_everything():
    """Whoever starts the tests in the background has them ignore Ctrl-C; the audit is not to."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def started(path, out, home):
    """A run in a process group of its own, which is gone when the block ends."""
    log = home.with_suffix(".log")
    with log.open("w") as stream:
        process = subprocess.Popen(
            command(path, out),
            env=os.environ | {"PREFECT_HOME": str(home)},
            stdout=stream,
            stderr=stream,
            start_new_session=True,
            preexec_fn=hear_everything,
        )
        try:
            yield process, log
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # with the private server it started
            process.wait()


def group_is_empty(process):
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture
def slow_small(tmp_path):
    """A small audit with enough shards to be caught in the middle."""
    checks = [
        {
            "kind": "attribution",
            "texts": 96,
            "trust_texts": 96,
            "methods": ["integrated-gradients", "leave-one-out"],
        }
    ]
    return write_small_audit(tmp_path, checks=checks, gates=[], cases=0)


SHARDS = 7
"""96 decisions, and 6 times 16 attributions."""


@pytest.mark.parametrize(
    ("send", "how"),
    [
        pytest.param(os.kill, signal.SIGKILL, id="kill -9"),
        pytest.param(os.killpg, signal.SIGINT, id="Ctrl-C"),
        pytest.param(os.kill, signal.SIGTERM, id="SIGTERM"),
    ],
)
@pytest.mark.slow
def test_a_run_that_was_stopped_goes_on_where_it_was(slow_small, tmp_path, send, how):
    """A terminal sends Ctrl-C to every process of the job, the private server included."""
    out, done = tmp_path / "reports", tmp_path / "reports" / ".shards" / "payloads"
    home = tmp_path / "prefect"

    def finished():
        return len(list(done.glob("attribution/*.safetensors"))) + len(
            list(done.glob("decisions/*.safetensors"))
        )

    with started(slow_small, out, home) as (process, log):
        wait_for(lambda: finished() >= 3)
        send(process.pid, how)
        process.wait(timeout=300)
        kept = finished()
        assert kept < SHARDS, "it was over before it was stopped"
        if how != signal.SIGKILL:
            assert process.returncode == 2, log.read_text()
            last = log.read_text().strip().splitlines()[-1]
            assert last.startswith("error: interrupted; no report was written")
            assert "Traceback" not in log.read_text()
            wait_for(lambda: group_is_empty(process), seconds=30)
    assert not list(out.glob("small/*"))
    with started(slow_small, out, home) as (process, log):
        assert process.wait(timeout=600) == 3, log.read_text()  # no gates, so no verdict
    record = json.loads(next(out.glob("small/*/run.json")).read_text())
    assert record["shards_computed"] + record["shards_reused"] == SHARDS
    assert kept - 1 <= record["shards_reused"] <= kept  # what was in flight is measured again
    assert record["shards_reused"] >= 2


def test_weights_given_at_the_start_are_the_ones_audited(small, tmp_path):
    from tasks.checks.preflight import prepare

    other = build(tmp_path / "other", "bert", seed=9)
    plan, given = prepare(small), prepare(small, {"decider": str(other)})
    assert given.subjects["decider"].sha256 != plan.subjects["decider"].sha256
    assert Path(given.subjects["decider"].folder) == other
