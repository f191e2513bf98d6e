"""Controls put to a subject behind an endpoint: calibrated where it confirms them, and counted."""

import json
import zlib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app
from tasks.checks.cost import calls
from tasks.checks.preflight import prepare
from tasks.checks.reasoning.controls import items_of, texts_of
from tasks.definition.checks.controls import ControlsSpec
from tasks.schema import Report
from tests.support.asked import by_place, write_asked_audit
from tests.support.openai_server import completion, serving

SETTINGS = {"items": 20, "problems": ["turning", "facing"], "stories": ["notice"]}
CHECK = {"kind": "reasoning", "texts": 2, "tests": ["truncation", "filler", "mistake"]}
SEED = 3


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("ASSAY_TEST_KEY", "sk-very-secret-1234567890")


def audit_of(folder, url, **changes):
    check = {**CHECK, "controls": changes.pop("controls", SETTINGS)}
    return write_asked_audit(folder, url, checks=[check], **changes)


def known_items(path):
    """The controls by how they are put."""
    plan = prepare(path)
    items = items_of(ControlsSpec(**SETTINGS), plan.spec.seed)
    return dict(zip(texts_of(plan.spec.subjects["remote"], items), items, strict=True))


class Solver:
    """Solves problems in writing, follows cues, reads stories; else answers by the place."""

    def __init__(self, *, by_steps):
        self.by_steps = by_steps
        self.items = {}
        self.asked = []
        """Requests about controls."""

    def __call__(self, request, number):
        question, *rest = [m["content"] for m in request["messages"]]
        text, now, _ = question.partition("\n\nGive the answer now")
        item = self.items.get(text)
        if item is None:
            return by_place(request, number)
        self.asked.append(request)
        if not rest and not now:
            return completion(f"{item.reasoning} Answer: {item.answer}")
        return completion(f"Answer: {self.now(item, rest[0] if rest else '')}")

    def now(self, item, reasoning):
        """The last value that stands in the reasoning; a guess where there is none."""
        if item.kind != "bottleneck" or not self.by_steps:
            return item.answer
        words = reasoning.replace(".", " ").split()
        values = [word for word in words if word in item.choices]
        guess = item.choices[zlib.crc32(item.prompt.encode()) % len(item.choices)]
        return values[-1] if values else guess


def whole_audit(path, out):
    from flows.audit import audit

    folder = Path(audit(path, out))
    return Report.model_validate_json((folder / "evidence.json").read_text()), folder


def tokens_of(request):
    """One per byte and sixteen around every message, as a budget counts beforehand."""
    sent = sum(len(m["content"].encode()) + 16 for m in request["messages"])
    return sent + 16 + request["max_tokens"]


def test_the_dry_run_shows_controls_as_a_step_and_null_switches_them_off(tmp_path):
    path = audit_of(tmp_path, "http://h/v1")
    shown = CliRunner().invoke(app, ["check", str(path)]).output
    (line,) = [x for x in shown.splitlines() if x.startswith("controls ")]
    steps = {step.step: step for step in calls(prepare(path))}
    # each text reasoned about once; each control answered without a reasoning and after
    # another's, and put to 3 tests at 5 shares
    different = len(known_items(path))
    assert 40 < different <= 60
    assert steps["controls"].calls == different + 60 * (2 + 3 * 5)
    assert not steps["controls"].exact
    assert f"asks: at most {steps['controls'].calls} calls" in line
    off = calls(prepare(audit_of(tmp_path, "http://h/v1", controls=None)))
    assert [step.step for step in off] == ["decisions", "reasoning"]


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
class TestAudit:
    def test_one_that_solves_through_its_steps_is_calibrated_within_the_dry_run(self, tmp_path):
        solver = Solver(by_steps=True)
        with serving(solver) as served:
            path = audit_of(tmp_path, served.url)
            solver.items = known_items(path)
            report, folder = whole_audit(path, tmp_path / "out")
            first = len(served.requests)
            whole_audit(path, tmp_path / "out")
            assert len(served.requests) == first
        assert len({json.dumps(r, sort_keys=True) for r in served.requests}) == first
        step = next(s for s in calls(prepare(path)) if s.step == "controls")
        assert 10 * len(solver.items) < len(solver.asked) <= step.calls
        assert sum(map(tokens_of, solver.asked)) <= step.tokens
        (evidence,) = report.evidence
        found = {m.about.instrument: m for m in evidence.named("instrument_auroc")}
        assert set(found) == {"truncation", "filler", "mistake"}
        assert found["truncation"].value > 0.95
        assert found["truncation"].low > 0.8
        assert found["truncation"].n == 60
        told = " ".join(evidence.notes)
        assert "Calibrated on 60 controls" in told
        assert "1.00 of those that need their steps solved" in told
        assert "put to the endpoint in words of their own" in told
        assert "AUROC on controls" in (folder / "report.html").read_text()

    def test_one_that_ignores_its_reasoning_is_not_calibrated_and_asked_no_further(self, tmp_path):
        solver = Solver(by_steps=False)
        with serving(solver) as served:
            path = audit_of(tmp_path, served.url)
            solver.items = known_items(path)
            report, _ = whole_audit(path, tmp_path / "out")
        (evidence,) = report.evidence
        assert not evidence.named("instrument_auroc")
        assert "solves the controls without the steps: 1.00 right" in " ".join(evidence.notes)
        assert len(solver.asked) == 2 * len(solver.items)

    def test_controls_are_paid_from_the_subjects_own_budget(self, tmp_path):
        solver = Solver(by_steps=True)
        with serving(solver) as served:
            path = audit_of(tmp_path, served.url, subject_budget={"calls": 90})
            solver.items = known_items(path)
            outcome = CliRunner().invoke(app, ["run", str(path), "--out", str(tmp_path / "out")])
            assert len(served.requests) == 90
        assert outcome.exit_code == 2
        assert len(solver.asked) > 10
        assert "subject remote: the budget of 90 calls is used up" in outcome.stderr
