"""This audit against an earlier one: what is not the same, and what moved clear of itself."""

import hashlib
import json

import pytest

from tasks.checks.sections import section_of
from tasks.definition import AuditSpec, ClassifierSubject, DataSpec, Gate
from tasks.definition.checks.fairness import FairnessCheck
from tasks.errors import SpecError
from tasks.judge.comparison import compare, newest
from tasks.judge.gates import judge
from tasks.record.bundle import render_again
from tasks.report.head import failures, since
from tasks.report.page import render_report
from tasks.schema import (
    About,
    DataProvenance,
    Evidence,
    Explanations,
    Measurement,
    Provenance,
    Report,
    RunRecord,
    SubjectProvenance,
)
from tasks.schema.stored import read_report, read_run
from tests.support.sample_report import sample_run

RATIO = "adverse_impact_ratio"
GATE = Gate(check="fairness", measure=RATIO, at_least=0.8)


def m(value, low, high, *, name=RATIO, **about):
    about = {"attribute": "origin", "group": "b", "reference": "a"} | about
    return Measurement(
        name=name, value=value, low=low, high=high, n=100, about=About(**about), method="by hand"
    )


def report(*measurements, gates=(GATE,), seed=1, name="t", **provenance):
    said = {"data": "d0", "weights": {"one": "w0"}, "code": "c0", "versions": {"torch": "2.9"}}
    said |= provenance
    spec = AuditSpec(
        name=name,
        seed=seed,
        subjects={"one": ClassifierSubject(path="x")},
        data=DataSpec(path="d.csv", groups=("origin",)),
        checks=(FairnessCheck(),),
        gates=gates,
    )
    evidence = (Evidence(check=FairnessCheck(), subject="one", measurements=measurements),)
    return Report(
        spec=spec,
        provenance=Provenance(
            definition_sha256="s",
            code_sha256=said["code"],
            versions=said["versions"],
            data=DataProvenance(path="d.csv", sha256=said["data"], rows=9, rows_in_file=9),
            subjects=tuple(
                SubjectProvenance(name=n, kind="sequence-classification", path="x", sha256=w)
                for n, w in said["weights"].items()
            ),
        ),
        evidence=evidence,
        findings=judge(spec, evidence),
    )


def saved(folder, before):
    folder.mkdir(parents=True)
    (folder / "evidence.json").write_text(before.model_dump_json(), encoding="utf-8")
    run = RunRecord(started="2026-01-01T00:00:00Z", finished="2026-01-01T00:01:00Z")
    (folder / "run.json").write_text(run.model_dump_json(), encoding="utf-8")
    return folder


def held(now, before, tmp_path):
    return compare(now, saved(tmp_path / "t" / "2026-01-01", before))


PASS, FAIL = m(0.95, 0.9, 1.0), m(0.5, 0.4, 0.6)


def test_a_report_and_its_run_are_read_back_equal(tmp_path):
    before = report(PASS)
    folder = saved(tmp_path / "x", before)
    assert read_report(folder) == before
    assert read_run(folder).finished == "2026-01-01T00:01:00Z"


def test_the_newest_finished_report_of_an_audit_is_found(tmp_path):
    for day in ("2026-01-01", "2026-03-01", "2026-02-01"):
        saved(tmp_path / "t" / day, report(PASS))
    (tmp_path / "t" / "2026-04-01").mkdir()  # begun, not finished
    saved(tmp_path / "other" / "2026-05-01", report(PASS))
    assert newest(tmp_path, "t") == tmp_path / "t" / "2026-03-01"
    assert newest(tmp_path, "never-run") is None


def older(folder):
    """The same evidence as an earlier version of Assay left it."""
    path = folder / "evidence.json"
    old = json.loads(path.read_text()) | {"format": 1, "about": "a key of its own"}
    path.write_text(json.dumps(old))
    return folder


def test_evidence_of_an_earlier_version_is_refused_in_one_line(tmp_path):
    folder = older(saved(tmp_path / "x", report(PASS)))
    with pytest.raises(SpecError) as refused:
        render_again(folder)
    assert str(refused.value) == (
        f"{folder}: its evidence was left by an earlier version of Assay (format 1; this one reads "
        "2) and cannot be read; repeat that audit"
    )


def test_evidence_of_an_earlier_version_is_not_compared_and_the_report_says_so(tmp_path):
    now = report(FAIL)
    found = compare(now, older(saved(tmp_path / "t" / "2026-01-01", report(PASS))))
    assert (found.baseline, found.changes, found.same_data) == ("t", (), False)
    assert found.finished == "2026-01-01T00:01:00Z"
    assert found.refused == (
        "its evidence was left by an earlier version of Assay (format 1; this one reads 2)"
    )
    (line,) = {since(failed, found) for failed in ((), failures(now, found))}
    assert line == f"Not compared with audit t finished 2026-01-01: {found.refused}."
    page = render_report(
        now, Explanations(provider="template"), run=sample_run(), section_of=section_of,
        comparison=found,
    )  # fmt: skip
    told = page.partition("What changed against the earlier audit")[2].partition("</section>")[0]
    assert found.refused in told
    assert "the same" not in told
    assert "No gate" not in told


def test_an_audit_against_itself_shows_no_change(tmp_path):
    found = held(report(PASS), report(PASS), tmp_path)
    assert found.changed == ()
    assert found.same_data
    (change,) = found.changes
    assert change.before == change.after == PASS
    assert (change.verdict_before, change.verdict_after) == ("pass", "pass")
    assert not change.clear


def test_a_comparison_says_what_it_was_held_against(tmp_path):
    found = held(report(PASS), report(PASS, name="last-year"), tmp_path)
    raw = (tmp_path / "t" / "2026-01-01" / "evidence.json").read_bytes()
    assert found.baseline == "last-year"
    assert found.finished == "2026-01-01T00:01:00Z"
    assert found.evidence_sha256 == hashlib.sha256(raw).hexdigest()


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        pytest.param({"data": "d1"}, ["the data"], id="data"),
        pytest.param({"weights": {"one": "w1"}}, ["the weights of one"], id="weights"),
        pytest.param({"weights": {"two": "w0"}}, ["subject two is new"], id="subject"),
        pytest.param({"seed": 2}, ["the definition's seed"], id="seed"),
        pytest.param({"gates": ()}, ["the definition's gates"], id="gates"),
        pytest.param({"code": "c1"}, ["the code of Assay"], id="code"),
        pytest.param({"versions": {"torch": "2.10"}}, ["torch 2.9 -> 2.10"], id="version"),
        pytest.param(
            {"versions": {"torch": "2.9", "shap": "1"}}, ["shap absent -> 1"], id="new library"
        ),
        pytest.param(
            {"data": "d1", "weights": {"one": "w1"}}, ["the data", "the weights of one"], id="two"
        ),
    ],
)
def test_what_is_not_the_same_is_named_and_nothing_else(tmp_path, other, expected):
    found = held(report(PASS, **other), report(PASS), tmp_path)
    assert list(found.changed) == expected
    assert found.same_data == ("the data" not in expected)


@pytest.mark.parametrize(
    ("before", "after", "clear"),
    [
        pytest.param((0.9, 0.85, 0.95), (0.5, 0.4, 0.6), True, id="fell apart"),
        pytest.param((0.5, 0.4, 0.6), (0.9, 0.85, 0.95), True, id="rose apart"),
        pytest.param((0.9, 0.8, 0.95), (0.7, 0.6, 0.8), False, id="touching"),
        pytest.param((0.9, 0.7, 0.95), (0.7, 0.6, 0.8), False, id="overlapping"),
        pytest.param((0.9, 0.85, 0.95), (0.5, None, None), False, id="no interval after"),
        pytest.param((0.9, None, None), (0.5, 0.4, 0.6), False, id="no interval before"),
    ],
)
def test_a_change_is_clear_where_the_intervals_lie_apart(tmp_path, before, after, clear):
    (change,) = held(report(m(*after)), report(m(*before)), tmp_path).changes
    assert change.clear is clear
    assert (change.before.value, change.after.value) == (before[0], after[0])


def test_verdicts_of_both_audits_stand_side_by_side(tmp_path):
    (change,) = held(report(FAIL), report(PASS), tmp_path).changes
    assert (change.verdict_before, change.verdict_after) == ("pass", "fail")
    assert (change.check, change.measure) == ("fairness", RATIO)
    assert change.about == "origin: b against a"


def test_what_decides_now_is_held_against_the_same_thing_then(tmp_path):
    # b decided then, c decides now: c then is what it is compared with
    before = report(m(0.5, 0.4, 0.6, group="b"), m(0.9, 0.85, 0.95, group="c"))
    now = report(m(0.9, 0.85, 0.95, group="b"), m(0.3, 0.2, 0.4, group="c"))
    (change,) = held(now, before, tmp_path).changes
    assert change.before.about.group == change.after.about.group == "c"
    assert (change.before.value, change.after.value) == (0.9, 0.3)
    assert change.verdict_before == "fail"


def test_a_reference_group_may_have_moved(tmp_path):
    before = report(m(0.9, 0.85, 0.95, group="b", reference="a"))
    now = report(m(0.5, 0.4, 0.6, group="a", reference="b"))
    (change,) = held(now, before, tmp_path).changes
    assert change.before.about.group == "b"
    assert change.after.about.group == "a"


def test_a_gate_that_was_not_drawn_then_has_no_verdict_then(tmp_path):
    line = Gate(check="fairness", measure=RATIO, at_least=0.6)
    (change,) = held(report(FAIL, gates=(line,)), report(PASS), tmp_path).changes
    assert change.verdict_before is None
    assert change.before == PASS


@pytest.mark.parametrize(
    ("now", "before"),
    [
        pytest.param([], [PASS], id="nothing measured now"),
        pytest.param([PASS], [], id="nothing measured then"),
        pytest.param([PASS], [m(0.5, 0.4, 0.6, name="selection_rate")], id="another measure then"),
        pytest.param([PASS], [m(0.5, 0.4, 0.6, attribute="age")], id="another attribute then"),
    ],
)
def test_what_cannot_be_compared_is_left_out(tmp_path, now, before):
    assert held(report(*now), report(*before), tmp_path).changes == ()
