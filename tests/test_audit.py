"""The flow from definition to files, on tiny models: repeatable, resumable, honest about gaps."""

import json
import re
from pathlib import Path

import pytest
import yaml

from tasks.errors import AuditError, SpecError
from tasks.judge.gates import judge
from tasks.record.bundle import evidence_json, read_finished, render_again
from tasks.schema import Report, RunRecord
from tests.support.small import write_small_audit

pytestmark = [
    pytest.mark.usefixtures("prefect_server"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def run(path, out, **options):
    from flows.audit import audit

    return Path(audit(path, out, **options))


def counts(folder):
    record = RunRecord.model_validate_json((folder / "run.json").read_text())
    return record.shards_computed, record.shards_reused


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return write_small_audit(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def finished(small, prefect_server, tmp_path_factory):
    return run(small, tmp_path_factory.mktemp("reports"))


def test_an_audit_leaves_evidence_report_and_card(finished):
    report, explanations = read_finished(finished)
    names = {path.name for path in finished.iterdir()}
    assert {
        "evidence.json",
        "explanations.json",
        "report.html",
        "model_card.md",
        "run.json",
    } <= names
    assert [e.check.kind for e in report.evidence] == [
        "performance", "fairness", "attribution", "localisation", "probing",
    ]  # fmt: skip
    assert all(e.measurements for e in report.evidence)
    assert all(m.low is not None and m.n > 0 for e in report.evidence for m in e.measurements)
    assert {t.about for t in explanations.texts} == {f.id for f in report.findings} | {
        c.id for c in report.cases
    }


def test_the_summary_is_left_as_an_artifact(finished):
    from prefect.artifacts import Artifact

    left = Artifact.get("audit-small").data
    assert left.startswith("# small: PASS\n\nAll 2 gates passed.")
    assert "- **PASS** Accuracy" in left
    page = re.search(r"\[Report\]\(file://(.*?)\)", left)[1]
    assert Path(page) == (finished / "report.html").resolve()
    assert f"--directory '{finished.parents[1].resolve()}'" in left
    assert f"<http://127.0.0.1:8000/small/{finished.name}/report.html>" in left


def last_run():
    """What the server knows of the last run."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.sorting import FlowRunSort

    with get_client(sync_client=True) as client:
        (last,) = client.read_flow_runs(limit=1, sort=FlowRunSort.START_TIME_DESC)
    return last


def test_a_run_is_named_after_its_audit_its_day_and_its_verdict(small, finished):
    run(small, finished.parents[1])
    assert re.fullmatch(r"small 20\d\d-\d\d-\d\d PASS", last_run().name)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        pytest.param("name: [", "broken", id="not readable"),
        pytest.param(None, "small", id="data not there"),
    ],
)
def test_a_run_that_cannot_finish_is_named_after_its_audit(tmp_path, content, name):
    path = write_small_audit(tmp_path).rename(tmp_path / "broken.yaml")
    (tmp_path / "data.csv").unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(AuditError):
        run(path, tmp_path / "reports")
    assert re.fullmatch(rf"{name} 20\d\d-\d\d-\d\d", last_run().name)


def test_a_failed_gate_fails_the_run(small, finished):
    from flows.dashboard import GateFailed

    content = yaml.safe_load(small.read_text())
    content["gates"] = [{"check": "performance", "measure": "accuracy", "at_least": 0.999}]
    failing = small.with_name("failing.yaml")
    failing.write_text(yaml.safe_dump(content))
    address = "https://reports.example/"
    with pytest.raises(GateFailed, match=r"^fail: https://reports\.example/small/.*/report\.html$"):
        run(failing, finished.parents[1], must_pass=True, address=address)
    left = last_run()
    assert (left.state.type, left.state.name) == ("FAILED", "GateFailed")
    assert left.state.message.startswith(f"fail: {address}small/")
    assert left.name.endswith(" FAIL")


def test_an_address_that_is_none_is_refused_before_anything_runs(small, tmp_path):
    from prefect.exceptions import ParameterTypeError

    with pytest.raises(ParameterTypeError, match="address"):
        run(small, tmp_path, address="reports.example")


def test_evidence_reads_back_equal_and_judges_the_same_without_a_model(finished):
    report, _ = read_finished(finished)
    assert Report.model_validate_json(evidence_json(report)) == report
    assert judge(report.spec, report.evidence) == report.findings


def test_an_audit_measured_twice_gives_the_same_bytes(small, finished, tmp_path):
    again = run(small, tmp_path, fresh=True)
    assert counts(again)[1] == 0  # nothing was taken from the first run
    assert (again / "evidence.json").read_bytes() == (finished / "evidence.json").read_bytes()


def test_a_second_run_reuses_every_shard_and_overwrites_nothing(small, finished):
    out = finished.parents[1]
    before = {p: p.read_bytes() for p in finished.iterdir()}
    again = run(small, out)
    computed, reused = counts(again)
    assert (computed, reused) == (0, counts(finished)[0])
    assert again != finished
    assert {p: p.read_bytes() for p in finished.iterdir()} == before


def test_a_damaged_payload_is_measured_again(small, finished):
    out = finished.parents[1]
    payload = next((out / ".shards" / "payloads" / "attribution").glob("*.safetensors"))
    whole = payload.read_bytes()
    payload.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert counts(run(small, out))[0] == 1
    assert payload.read_bytes() == whole


def test_other_data_is_not_mistaken_for_the_same(small, finished, tmp_path):
    other = write_small_audit(tmp_path / "other", rows=90)
    assert counts(run(other, finished.parents[1]))[1] == 0


def test_a_report_is_rendered_again_without_its_model(finished):
    page = (finished / "report.html").read_bytes()
    (finished / "report.html").unlink()
    render_again(finished)
    assert (finished / "report.html").read_bytes() == page


def test_changed_evidence_is_not_rendered(finished, tmp_path):
    import shutil

    copy = shutil.copytree(finished, tmp_path / "copy")
    text = (copy / "evidence.json").read_text()
    (copy / "evidence.json").write_text(text.replace('"verdict": "pass"', '"verdict": "fail"', 1))
    with pytest.raises(SpecError, match=r"evidence.json is not the one this run left"):
        render_again(copy)


def test_what_a_subject_cannot_answer_is_listed_and_not_dropped(tmp_path):
    path = write_small_audit(tmp_path)
    content = yaml.safe_load(path.read_text())
    content["subjects"] = {"recorded": {"kind": "predictions", "prediction": "label"}}
    path.write_text(yaml.safe_dump(content))
    report, _ = read_finished(run(path, tmp_path / "reports"))
    told = {e.check.kind: e.not_run for e in report.evidence}
    assert told["performance"] is None
    assert told["fairness"] is None
    assert (
        told["attribution"] == "needs gradients; subject recorded (predictions) does not offer that"
    )
    assert (
        told["probing"] == "needs hidden states; subject recorded (predictions) does not offer that"
    )
    page = (next((tmp_path / "reports" / "small").glob("*/report.html"))).read_text()
    assert "needs gradients" in page


def test_groups_below_the_minimum_are_too_small_and_their_gate_is_inconclusive(tmp_path):
    path = write_small_audit(tmp_path)
    content = yaml.safe_load(path.read_text())
    content["data"]["minimum_group"] = 60
    content["checks"] = [{"kind": "fairness"}]
    content["gates"] = content["gates"][1:]
    path.write_text(yaml.safe_dump(content))
    report, _ = read_finished(run(path, tmp_path / "reports"))
    assert [(s.group, s.n) for s in report.evidence[0].too_small] == [("a", 48), ("b", 48)]
    assert report.verdict == "inconclusive"
    assert "too small: side: a (48), side: b (48)" in report.findings[0].reason


def test_a_comparison_names_what_changed(small, finished, tmp_path):
    path = write_small_audit(tmp_path, name="later", baseline="small", rows=80)
    later = run(path, finished.parents[1])
    told = json.loads((later / "comparison.json").read_text())
    assert told["baseline"] == "small"
    assert told["changed"] == ["the data"]
    assert {c["measure"] for c in told["changes"]} == {"accuracy", "adverse_impact_ratio"}
