"""Second models in a whole audit: paid for once, within budget and dry run, failures counted."""

import csv
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from flows.cli import app
from tasks.checks.cost import calls
from tasks.checks.cue.rounds import DISCLOSURE_CONTROLS
from tasks.checks.instruments.second_model import judged, other_words
from tasks.checks.preflight import prepare
from tasks.controls import control_set
from tasks.definition.checks.second_model import SecondModel
from tasks.errors import SpecError, SubjectError
from tasks.run.answers import with_answers
from tasks.run.store import Store
from tasks.schema import Report
from tasks.subjects.endpoint.second_model import load_second, second_models
from tests.support.gathering import alone
from tests.support.gathering import asked as asked_of
from tests.support.measuring import measure
from tests.support.openai_server import CHOICELESS, Reply, completion, echo, failing, said, serving

KEY = "sk-very-secret-1234567890"
ROOT = Path(__file__).resolve().parents[1]
REASONER = ROOT / "audits" / "reasoner"
FAMILIES = {"problems": ("turning", "facing"), "stories": ("notice",)}
CUES = {"named": ("authority", "metadata")}
TEXTS = 8
WORDS, JUDGE, TELLER = "words", "judge", "teller"
"""Names of the two second models, and of who explains; all are behind the same address."""


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("ASSAY_TEST_KEY", KEY)
    second_models.forget()


def settings(url, model=WORDS, **changes):
    said = {"model": model, "base_url": url, "key_env": "ASSAY_TEST_KEY", "timeout": 5}
    return {**said, "retries": 1, **changes}


def write_audit(folder, url, *, controls=None, **changes):
    """A local reasoner, a paraphraser and a grader; returns the definition."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = control_set(77, TEXTS, kinds=("bottleneck",), **FAMILIES)
    with (folder / "data.csv").open("w", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(["id", "text", "label"])
        out.writerows([item.id, item.prompt, item.answer] for item in rows)
    reasoner = yaml.safe_load((REASONER.parent / "reasoning-controls.yaml").read_text())["subjects"]
    reasoner["reasoner"]["path"] = str(REASONER / "second")
    # cues speak for directions alone, and this organism was made to follow those
    reasoner["reasoner"]["answer"]["choices"] = ["north", "east", "south", "west"]
    marked = {
        "name": "mark",
        "template": "{text} The professor has marked {cue}.",
        "words": ["professor"],
    }
    spec = {
        "name": "helped",
        "seed": 2,
        "subjects": reasoner,
        "data": {"path": "data.csv", "id": "id", "label": "label"},
        "cases": 2,
        "checks": [
            {
                "kind": "reasoning",
                "texts": 6,
                "tests": ["truncation", "paraphrase"],
                "controls": controls,
                "paraphraser": settings(url, WORDS, **changes),
            },
            {"kind": "cue", "own": [marked], "grader": settings(url, JUDGE, **changes)},
        ],
    }
    path = folder / "audit.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False))
    return path


CONTROLS = {"items": 24, "problems": ["turning", "facing"], "stories": ["notice"],
            "cues": ["authority", "metadata"]}  # fmt: skip


def helping(*, words=None, judgement="no"):
    """Sentences are replaced by `words`, or given back; every judgement is the same."""

    def answer(request, _):
        if request["model"] == JUDGE:
            return completion(judgement)
        parts = json.loads(said(request))
        return completion(json.dumps([words or part for part in parts]))

    return answer


def by_model(served):
    return Counter(request["model"] for request in served.requests)


def prompts(requests):
    return [json.dumps(r, sort_keys=True) for r in requests]


def whole_audit(path, out):
    from flows.audit import audit

    folder = Path(audit(path, out))
    return Report.model_validate_json((folder / "evidence.json").read_text()), folder


def one(found, name, **about):
    (value,) = [
        m for m in found.named(name) if all(getattr(m.about, k) == v for k, v in about.items())
    ]
    return value


# --- one model ------------------------------------------------------------------------------


def second(url, store=None, **changes):
    return load_second(SecondModel(**settings(url, **changes)), store)


def test_answers_are_kept_for_another_process_without_the_key(tmp_path):
    with serving(helping()) as served:
        first = other_words(second(served.url, tmp_path), [["One."], ["Two."]])
        second_models.forget()  # another process
        again = other_words(second(served.url, tmp_path), [["One."], ["Two."], ["Three."]])
        assert again == [*first, ["Three."]]
        assert len(served.requests) == 3
        other_words(second(served.url, tmp_path, parameters={"temperature": 1}), [["One."]])
        assert len(served.requests) == 4
    assert served.requests[0]["max_tokens"] == 2048
    assert served.keys == [f"Bearer {KEY}"] * 4
    left = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert len(left) == 4
    assert not [p for p in left if KEY in p.read_text()]


def test_a_new_run_has_its_budget_anew_and_a_fresh_one_forgets(tmp_path):
    with serving(helping()) as served:
        plan = prepare(write_audit(tmp_path, served.url, budget={"calls": 1}))
        asked = load_second(plan.spec.checks[0].paraphraser, tmp_path)
        for fresh, sent in ((False, 1), (False, 1), (True, 2)):
            with_answers(plan, Store(tmp_path), fresh=fresh)
            assert other_words(asked, [["One."]]) == [["One."]]
            assert len(served.requests) == sent


def test_thinking_is_no_part_of_the_answer():
    told = completion('<think>They want a list: [1]</think>["Said."]')
    with serving(lambda *_: told) as served:
        assert other_words(second(served.url), [["One."]]) == [["Said."]]
    with serving(lambda *_: completion("No.", reasoning_content="Yes, or")) as served:
        assert judged(second(served.url), "a cue", ["x"]) == [False]


def test_a_reasoning_without_sentences_costs_nothing():
    with serving(helping()) as served:
        assert other_words(second(served.url), [[], ["One."], []]) == [[], ["One."], []]
    assert len(served.requests) == 1


def test_the_same_settings_in_two_checks_have_one_budget():
    with serving(helping()) as served:
        asked = {"budget": {"calls": 3}, "concurrency": 1}
        other_words(second(served.url, **asked), [["One."], ["Two."]])
        with pytest.raises(SubjectError, match=r"words: the budget of 3 calls .*; 1 of 2 answers"):
            other_words(second(served.url, **asked), [["Three."], ["Four."]])
    assert len(served.requests) == 3


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(failing(429), id="429 for ever"),
        pytest.param(failing(500, KEY), id="500 for ever"),
        pytest.param(CHOICELESS, id="no choices"),
        pytest.param(failing(400), id="one that it refuses"),
        pytest.param(completion(f"yes {KEY}"), id="key answered"),
        pytest.param(completion("Perhaps"), id="nonsense"),
        pytest.param(completion(None), id="nothing"),
    ],
)
def test_a_failure_of_one_answer_is_that_one_alone(fault):
    def answer(request, _):
        return fault if "Bad" in said(request) else completion("Yes.")

    with serving(answer) as served:
        assert judged(second(served.url), "a cue", ["a", "Bad", "c"]) == [True, None, True]


@pytest.mark.parametrize(
    ("fault", "told", "sent"),
    [
        pytest.param(failing(401, KEY), "status 401", 1, id="not allowed"),
        pytest.param(failing(404), "status 404", 1, id="no such model"),
        pytest.param(failing(503), "status 503", 4, id="out of order: 2 texts, 2 attempts"),
    ],
)
def test_an_endpoint_that_answers_nothing_stops_the_run_with_one_line(fault, told, sent):
    with (
        serving(lambda *_: fault) as served,
        pytest.raises(SubjectError, match=f"second model words: {told}; 0 of 2") as caught,
    ):
        judged(second(served.url, concurrency=1), "a cue", ["a", "b"])
    assert len(served.requests) == sent
    assert KEY not in str(caught.value)


def test_nobody_there_stops_the_run():
    with serving(helping()) as served:
        pass
    with pytest.raises(SubjectError, match="no connection; 0 of 1"):
        judged(second(served.url, retries=0), "a cue", ["a"])


def test_one_failure_beside_answers_that_are_kept_is_no_outage(tmp_path):
    def answer(request, _):
        return failing(500) if "b" in said(request) else completion("yes")

    with serving(answer) as served:
        one = second(served.url, tmp_path, retries=0)
        assert judged(one, "it", ["x", "b"]) == [True, None]
        assert judged(one, "it", ["x", "b"]) == [True, None]  # as after a kill
        with pytest.raises(SubjectError, match="0 of 1 answers"):
            judged(one, "it", ["b"])


def test_a_retry_that_helps_is_no_failure():
    with serving(lambda _, n: failing(500) if n == 0 else completion("yes")) as served:
        assert judged(second(served.url), "a cue", ["a"]) == [True]
    assert len(served.requests) == 2


def test_what_is_wrong_with_a_definition_is_said_before_the_run(tmp_path, monkeypatch):
    path = write_audit(tmp_path, "http://h/v1", parameters={"user": KEY})
    with pytest.raises(SpecError, match="second model words: the key itself stands") as caught:
        prepare(path)
    assert KEY not in str(caught.value)
    for change, told in (
        ({"base_url": "http://a:b@h/v1"}, "must not hold a user name"),
        ({"parameters": {"messages": []}}, "set by the audit itself"),
    ):
        with pytest.raises(SpecError, match=told):
            prepare(write_audit(tmp_path, "http://h/v1", **change))
    monkeypatch.delenv("ASSAY_TEST_KEY")
    with pytest.raises(SpecError, match="ASSAY_TEST_KEY holds no key"):
        prepare(write_audit(tmp_path, "http://h/v1"))
    prepare(write_audit(tmp_path, "http://h/v1", key_env=None))


def test_judgements_of_written_reasonings_are_counted_and_no_more_are_asked_for(tmp_path):
    with serving(helping(judgement="yes")) as served:
        path = write_audit(tmp_path, served.url)
        spec = yaml.safe_load(path.read_text())
        spec["checks"] = [spec["checks"][1] | {"own": [], "cues": ["authority"]}]
        path.write_text(yaml.safe_dump(spec))
        plan = prepare(path)
        steps = {step.step: step for step in calls(plan)}
        assert (steps["control judgements"].calls, steps["control judgements"].subject) == (
            60,
            JUDGE,
        )
        one = asked_of(plan)
        (left,) = alone(one, DISCLOSURE_CONTROLS, tmp_path / "store").of(DISCLOSURE_CONTROLS)
        assert len(served.requests) == 60
    sent = sum(len(m["content"].encode()) + 16 for r in served.requests for m in r["messages"])
    assert sent + 60 * 2064 <= steps["control judgements"].tokens
    (about,) = left.about
    assert [one.judgement.second for one in about.reasonings] == [True] * 60


# --- the whole audit ------------------------------------------------------------------------


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
class TestAudit:
    def test_a_budget_ends_a_run_and_a_larger_one_goes_on_within_the_dry_run(self, tmp_path):
        line = ["run", "audit.yaml", "--out", str(tmp_path / "out")]
        with serving(helping(words="Nothing was found.", judgement="yes")) as served:
            line[1] = str(write_audit(tmp_path, served.url, controls=CONTROLS, budget={"calls": 9}))
            first = CliRunner().invoke(app, line)
            assert first.exit_code == 2, first.output
            (told,) = [x for x in first.stderr.splitlines() if x.startswith("error: ")]
            assert "second model words: the budget of 9 calls is used up; 2 of" in told
            assert len(served.requests) == 9  # 7 texts: one of the two shown is in the sample
            path = write_audit(tmp_path, served.url, controls=CONTROLS)
            report, folder = whole_audit(path, tmp_path / "out")
            asked = list(served.requests)
            whole_audit(path, tmp_path / "out")
            assert len(served.requests) == len(asked)
        assert len(set(prompts(asked))) == len(asked)
        steps = {step.step: step for step in calls(prepare(path))}
        told = {name: (step.subject, step.calls, step.exact) for name, step in steps.items()}
        # 6 texts and 2 shown; 3 kinds of 24 controls; 8 texts with one cue
        assert told == {
            "paraphrases": (WORDS, 8, False),
            "control words": (WORDS, 72, False),
            "judgements": (JUDGE, 8, False),
        }
        made = by_model(served)
        assert 7 + 48 <= made[WORDS] <= 8 + 72  # two of three controls at least are confirmed
        assert made[JUDGE] == 8  # every answer follows its cue, so every one is judged
        bytes_sent = sum(len(m["content"].encode()) + 16 for r in asked for m in r["messages"])
        assert bytes_sent + 2064 * len(asked) <= sum(step.tokens for step in steps.values())
        dependence, cued = report.evidence
        # with other words in place of its steps the reasoner is lost; a cue's answer stays
        assert one(dependence, "answer_unchanged", test="paraphrase", share=1).value == 1
        assert one(dependence, "dependence_on_reasoning", test="paraphrase").value > 0.1
        assert one(dependence, "instrument_auroc", instrument="paraphrase").value > 0.9
        assert one(cued, "disclosure", classifier=None).value == 0
        assert one(cued, "disclosure", classifier="grader").value == 1  # it says yes to all
        assert one(cued, "disclosure_agreement").value == 0
        page = (folder / "report.html").read_text()
        assert "paraphrase" in page
        assert "grader" in page
        left = [p for p in tmp_path.rglob("*") if p.is_file()]
        assert not [p for p in left if KEY.encode() in p.read_bytes()]

    def test_sentences_given_back_change_nothing_and_failures_are_counted(self, tmp_path):
        def answer(request, number):
            faults = {0: failing(500), 1: failing(429), 2: completion('["one too few"]')}
            if request["model"] == WORDS:
                parts = said(request)
                at = seen.setdefault(parts, len(seen))
                return faults.get(at) or completion(parts)
            if request["model"] == TELLER:
                return failing(400) if "response_format" in request else echo(request, number)
            at = heard.setdefault(said(request), len(heard))
            return completion("Who knows") if at == 0 else completion("no")

        seen, heard = {}, {}
        with serving(answer) as served:
            path = write_audit(tmp_path, served.url, concurrency=1)
            teller = {"provider": "openai", "model": TELLER, "base_url": served.url,
                      "key_env": "ASSAY_TEST_KEY", "concurrency": 1}  # fmt: skip
            spec = yaml.safe_load(path.read_text()) | {"explain": teller}
            path.write_text(yaml.safe_dump(spec, sort_keys=False))
            report, _ = whole_audit(path, tmp_path / "out")
        step = next(s for s in calls(prepare(path)) if s.step == "explanations")
        assert (step.subject, step.calls) == (TELLER, 4)  # two cases, each perhaps twice
        assert by_model(served)[TELLER] == 3
        assert step.words() == "at most 4 calls (12 if every one needs every retry)"
        dependence, cued = report.evidence
        assert len(seen) == 7
        assert one(dependence, "dependence_on_reasoning", test="truncation").n == 6
        value = one(dependence, "dependence_on_reasoning", test="paraphrase")
        assert value.value == 0
        lost = 6 - value.n
        assert lost >= 2  # of the seven, one is only shown
        noted = f"Test paraphrase: {lost} of 6 reasonings could not be changed and are left out."
        assert noted in dependence.notes
        assert one(cued, "disclosure", classifier="grader").value == 0
        assert one(cued, "disclosure_agreement").value == 1
        assert f"Second model judge: 1 of {len(heard)} judgements could not be read." in cued.notes


@pytest.mark.slow
def test_a_killed_run_goes_on_and_repeats_no_prompt(tmp_path):
    """kill -9 in the middle; a call in flight at that moment is the only one that may repeat."""
    honest = helping()

    def slowly(request, number):
        return Reply(honest(request, number).body, wait=0.25 if number == 5 else 0)

    with serving(slowly) as served:
        path = write_audit(tmp_path, served.url, concurrency=1)
        line = [sys.executable, "-m", "tests.support.measuring", str(path), str(tmp_path / "out")]
        run = subprocess.Popen(line, cwd=ROOT)
        until = time.monotonic() + 240
        while len(served.requests) < 6 and time.monotonic() < until:
            time.sleep(0.01)
        run.send_signal(signal.SIGKILL)
        assert run.wait() == -signal.SIGKILL
        time.sleep(0.3)
        before = list(served.requests)
        assert len(before) == 6
        kept = [json.loads(p.read_text()) for p in (tmp_path / "out").rglob("answers/**/*.json")]
        known = {(k["request"]["model"], said(k["request"])) for k in kept}
        assert len(known) == 5
        measure(path, tmp_path / "out")  # in another process than the one that was killed
    later = [(r["model"], said(r)) for r in served.requests[6:]]
    assert not known & set(later)
    assert len(later) == len(set(later))
    assert {(r["model"], said(r)) for r in before} - set(later) == known
