"""A subject behind an endpoint: asked within bounds, paid for once, its channels kept apart."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from httpx import Headers
from typer.testing import CliRunner

from flows.cli import app
from tasks.checks.cost import calls
from tasks.checks.preflight import prepare
from tasks.definition import Budget, OpenAISubject, read_spec
from tasks.errors import SpecError, SubjectError
from tasks.judge.comparison import compare
from tasks.schema import Report
from tasks.subjects.endpoint.client import retry_after
from tasks.subjects.endpoint.kept_answers import KeptAnswers
from tasks.subjects.endpoint.reply import Reply as Answered
from tasks.subjects.endpoint.reply import split_thinking
from tasks.subjects.endpoint.subject import accounts, load_endpoint
from tasks.subjects.load import refer
from tasks.subjects.outputs import Written
from tests.support.asked import by_income, by_place, write_asked_audit
from tests.support.openai_server import (
    BROKEN,
    CHOICELESS,
    Reply,
    completion,
    failing,
    said,
    serving,
)

KEY = "sk-very-secret-1234567890"
CHOICE = {"form": "choice", "prefix": "Answer:", "choices": ("a", "b")}


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("ASSAY_TEST_KEY", KEY)


def remote(url, **changes):
    """The subject, in memory alone; nothing it answered to another test is known to it."""
    said = {"model": "tiny", "base_url": url, "key_env": "ASSAY_TEST_KEY", "timeout": 5}
    spec = OpenAISubject(**{**said, "retries": 2, "answer": CHOICE, **changes})
    accounts.forget()
    return load_endpoint(refer("remote", spec, Path()))


def asked(answer, texts, **changes):
    with serving(answer) as served:
        return remote(served.url, **changes).write(texts), served


def always(reply):
    return lambda *_: reply


# --- channels -----------------------------------------------------------------------------

BOTH = completion("I see it so. Answer: b", reasoning_content="hm, hm")


def test_text_before_the_answer_is_the_reasoning_and_thinking_stays_apart():
    (one,), served = asked(always(BOTH), ["x"])
    assert one == Written("I see it so.", "b", "I see it so. Answer: b", "hm, hm")
    assert served.requests[0]["messages"] == [{"role": "user", "content": "x"}]
    assert served.requests[0]["temperature"] == 0
    assert served.requests[0]["max_tokens"] == 512


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(completion("Answer: b", reasoning_content="hm, hm"), id="reasoning_content"),
        pytest.param(completion("Answer: b", reasoning="hm, hm"), id="reasoning"),
        pytest.param(completion("<think>\nhm, hm\n</think>\n\nAnswer: b"), id="tags"),
        pytest.param(completion("hm, hm\n</think>\nb"), id="closing tag alone, bare answer"),
    ],
)
def test_the_thinking_channel_is_the_reasoning_where_the_definition_says_so(reply):
    (one,), _ = asked(always(reply), ["x"], reasoning_from="thinking")
    assert (one.reasoning, one.answer, one.thinking) == ("hm, hm", "b", "hm, hm")


def test_thinking_that_was_cut_off_leaves_no_answer():
    assert split_thinking("<think>so I would say Answer: b") == ("so I would say Answer: b", "")
    (one,), _ = asked(always(completion("<think>Answer: b")), ["x"], reasoning_from="thinking")
    assert one.answer is None


def test_a_channel_that_is_never_used_is_an_error_not_a_silent_reasoning():
    with pytest.raises(SubjectError, match="none of 1 replies has a thinking channel"):
        asked(always(completion("Answer: b")), ["x"], reasoning_from="thinking")
    with pytest.raises(SubjectError, match="reasons in its text; there is: thinking"):
        asked(always(completion("Answer: b", reasoning="hm")), ["x"])


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(completion("I will not."), id="no answer in it"),
        pytest.param(completion(None), id="nothing"),
        pytest.param(completion(None, refusal="I cannot."), id="refused"),
        pytest.param(completion("I thi", finish="length"), id="cut off"),
    ],
)
def test_what_is_no_answer_is_unparsed_and_no_failure(reply):
    (one,), served = asked(always(reply), ["x"])
    assert one.answer is None
    assert len(served.requests) == 1


# --- answers after a given reasoning ------------------------------------------------------


def forced(answer, reasoning, **changes):
    with serving(answer) as served:
        subject = remote(served.url, prompt="Q: {text}", **changes)
        return subject.answer_after(["x"], [reasoning]), served.requests[0]


def test_ask_puts_the_reasoning_into_the_models_mouth_and_asks_for_the_answer():
    found, request = forced(always(completion("b")), "So far.", system="Be brief.")
    assert found == ["b"]
    roles = [m["role"] for m in request["messages"]]
    assert roles == ["system", "user", "assistant", "user"]
    assert request["messages"][2]["content"] == "So far."
    assert "'Answer:' followed by one of: a, b" in said(request)
    assert "continue_final_message" not in request


def test_ask_without_any_reasoning_is_one_message():
    found, request = forced(always(completion("Answer: a")), "")
    assert found == ["a"]
    assert [m["role"] for m in request["messages"]] == ["user"]
    assert said(request).startswith("Q: x\n\nGive the answer now")


@pytest.mark.parametrize("repeated", ["", "So far. Answer:"])
def test_prefill_begins_the_models_own_message(repeated):
    found, request = forced(always(completion(f"{repeated} b.")), "So far.", forcing="prefill")
    assert found == ["b"]
    assert request["messages"][-1] == {"role": "assistant", "content": "So far. Answer:"}
    assert (request["continue_final_message"], request["add_generation_prompt"]) == (True, False)
    assert request["max_tokens"] == 32


def test_prefilled_thinking_stands_in_its_tags():
    _, request = forced(always(completion("b")), "hm", forcing="prefill", reasoning_from="thinking")
    assert said(request) == "<think>\nhm\n</think>\n\n Answer:"


# --- faults -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(failing(429), id="429"),
        pytest.param(failing(500), id="500"),
        pytest.param(failing(503), id="503"),
        pytest.param(BROKEN, id="broken JSON"),
        pytest.param(CHOICELESS, id="no choices"),
        pytest.param(Reply("<html>busy</html>"), id="not the protocol"),
        pytest.param(Reply("{}", wait=3), id="hang"),
    ],
)
def test_a_fault_that_passes_is_retried(fault):
    (one,), served = asked(
        lambda _, number: fault if number == 0 else completion("Answer: b"), ["x"], timeout=0.7
    )
    assert one.answer == "b"
    assert len(served.requests) == 2


@pytest.mark.parametrize(
    ("fault", "told", "attempts"),
    [
        pytest.param(failing(429), "status 429", 3, id="429 for ever"),
        pytest.param(failing(500, f"key {KEY} is wrong"), "status 500", 3, id="key in an error"),
        pytest.param(failing(401, KEY), "status 401", 1, id="not allowed"),
        pytest.param(failing(400), "status 400", 1, id="not understood"),
        pytest.param(CHOICELESS, "without choices", 3, id="no choices for ever"),
        pytest.param(failing(429, retry_after="3600"), "asks to wait 3600 s", 1, id="tomorrow"),
        pytest.param(completion(f"It is {KEY[4:16]}"), "repeated a secret", 1, id="key answered"),
    ],
)
def test_a_fault_that_stays_is_one_line_without_the_key(fault, told, attempts):
    with serving(always(fault)) as served:
        subject = remote(served.url)
        with pytest.raises(SubjectError, match=told) as caught:
            subject.write(["x"])
    assert len(served.requests) == attempts
    assert KEY not in str(caught.value)
    assert KEY not in repr(subject)


def test_retry_after_is_honoured():
    started = time.monotonic()
    asked(lambda _, n: failing(429, retry_after="1") if n == 0 else completion("Answer: b"), ["x"])
    assert time.monotonic() - started >= 1


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "7", "retry-after-ms": "20"}, 0.02),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_as_the_standard_says(headers, expected):
    assert retry_after(Headers(headers)) == expected


def test_no_more_than_the_agreed_requests_are_in_flight():
    def slowly(*_):
        return Reply(completion("Answer: b").body, wait=0.1)

    found, served = asked(slowly, [f"text {i}" for i in range(7)], concurrency=3)
    assert len(found) == 7
    assert max(served.busiest) == 3


# --- paid for once ------------------------------------------------------------------------


def test_the_same_question_is_asked_once():
    found, served = asked(always(BOTH), ["x", "y", "x"])
    assert len(found) == 3
    assert len(served.requests) == 2


def test_what_came_before_a_failure_is_kept_and_not_asked_again(tmp_path):
    def third_fails(request, number):
        return failing(400) if said(request) == "2" else BOTH

    texts = [str(i) for i in range(5)]
    with serving(third_fails) as served:
        spec = remote(served.url, concurrency=1).spec
        ref = refer("remote", spec, Path()).model_copy(update={"folder": str(tmp_path)})
        with pytest.raises(SubjectError, match="2 of 5 answers of this step came and are kept"):
            load_endpoint(ref).write(texts)
        accounts.forget()  # another process
        with pytest.raises(SubjectError, match="0 of 3 answers"):
            load_endpoint(ref).write(texts)
    assert [said(r) for r in served.requests] == ["0", "1", "2", "2"]
    assert not any(KEY in p.read_text() for p in tmp_path.rglob("*.json"))


REQUEST = {"base_url": "http://h/v1", "model": "m", "messages": [], "temperature": 0}


@pytest.mark.parametrize(
    "change",
    [{"base_url": "http://i/v1"}, {"model": "n"}, {"messages": [{"a": "b"}]}, {"temperature": 1}],
    ids=lambda change: next(iter(change)),
)
def test_an_answer_is_found_by_everything_it_depends_on(tmp_path, change):
    kept = KeptAnswers(tmp_path)
    kept.keep(REQUEST, Answered(content="yes \ud83d", thinking="\u2028"))
    assert kept.find(dict(reversed(REQUEST.items()))).content == "yes \ud83d"
    assert kept.find(REQUEST | change) is None


def test_a_damaged_answer_is_asked_for_again(tmp_path):
    kept = KeptAnswers(tmp_path)
    kept.keep(REQUEST, Answered(content="yes"))
    (path,) = tmp_path.rglob("*.json")
    whole = path.read_text()
    for damaged in (whole[:-9], "", "[]", whole.replace('"m"', '"n"'), '{"request": 1}'):
        path.write_text(damaged)
        assert kept.find(REQUEST) is None


# --- budget -------------------------------------------------------------------------------


def test_a_budget_of_calls_stops_before_the_call_that_exceeds_it():
    with serving(always(BOTH)) as served:
        subject = remote(served.url, budget=Budget(calls=3), concurrency=2)
        with pytest.raises(SubjectError, match=r"budget of 3 calls is used up; 3 of 8 answers"):
            subject.write([str(i) for i in range(8)])
        assert len(served.requests) == 3
        subject.meter.restart()
        with pytest.raises(SubjectError, match="3 of 5 answers"):
            subject.write([str(i) for i in range(8)])


def test_failed_attempts_count_as_calls():
    with (
        serving(always(failing(500))) as served,
        pytest.raises(SubjectError, match="budget of 2 calls"),
    ):
        remote(served.url, budget=Budget(calls=2)).write(["x"])
    assert len(served.requests) == 2


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_budget_of_tokens_is_never_exceeded(concurrency):
    """A question costs 1 + 2 * 16 + 20 = 53 tokens at most and 30 in truth: 30 n + 53 <= 200."""
    reply = completion("I see. Answer: b", usage=(10, 20))
    with serving(always(reply)) as served:
        subject = remote(
            served.url, budget=Budget(tokens=200), max_tokens=20, concurrency=concurrency
        )
        with pytest.raises(SubjectError, match=r"200 tokens does not allow another call \(150"):
            subject.write(list("abcdefgh"))
    assert len(served.requests) == 5


def test_where_nothing_is_counted_the_upper_bound_is():
    with serving(always(BOTH)) as served, pytest.raises(SubjectError, match=r"\(159 used\)"):
        remote(served.url, budget=Budget(tokens=200), max_tokens=20).write(list("abcdef"))
    assert len(served.requests) == 3


# --- the definition -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"base_url": "http://me:pass@h/v1"}, "must not hold a user name"),
        ({"base_url": "http://h/v1?api_key=x"}, "must not hold a user name"),
        ({"base_url": "ftp://h"}, "must begin with http"),
        ({"answer": {"form": "choice"}}, "declare choices"),
        ({"answer": {"form": "label"}}, "needs answer.prefix"),
        ({"answer": {"form": "number", "choices": ["1"]}}, "need form choice"),
        ({"forcing": "prefill", "answer": {"form": "number"}}, "needs answer.prefix"),
        ({"parameters": {"messages": []}}, "set by the audit itself"),
        ({"prompt": "no place"}, "must contain {text} once"),
    ],
)
def test_what_is_wrong_with_a_definition_is_said_before_anything_is_asked(tmp_path, change, told):
    changes = {f"subject_{k}": v for k, v in change.items()}
    path = write_asked_audit(tmp_path, "http://h/v1", **changes)
    with pytest.raises(SpecError) as caught:
        read_spec(path)
    assert told in str(caught.value)
    assert "pass@" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_key_and_a_key_in_the_definition_are_found_before_the_run(tmp_path, monkeypatch):
    path = write_asked_audit(tmp_path, "http://h/v1", subject_parameters={"user": KEY})
    with pytest.raises(SpecError, match="the key itself stands in the definition") as caught:
        prepare(path)
    assert KEY not in str(caught.value)
    monkeypatch.delenv("ASSAY_TEST_KEY")
    with pytest.raises(SpecError, match="variable ASSAY_TEST_KEY holds no key"):
        prepare(path)
    prepare(write_asked_audit(tmp_path, "http://h/v1", subject_key_env=None))


def test_checks_that_look_inside_are_listed_as_not_run(tmp_path):
    checks = [{"kind": "attribution"}, {"kind": "probing"}, {"kind": "cue", "swap": None}]
    path = write_asked_audit(tmp_path, "http://h/v1", checks=checks[:2])
    outcome = CliRunner().invoke(app, ["check", str(path)])
    assert "needs gradients; subject remote (openai) does not offer that" in outcome.output
    with pytest.raises(SpecError, match="check cue: a cue is needed: swap"):
        read_spec(write_asked_audit(tmp_path, "http://h/v1", checks=checks[2:]))


# --- the whole audit ----------------------------------------------------------------------


def whole_audit(path, out, **options):
    from flows.audit import audit

    folder = Path(audit(path, out, **options))
    return Report.model_validate_json((folder / "evidence.json").read_text()), folder


CHECKS = [
    {"kind": "performance"},
    {"kind": "cue", "texts": 10, "swap": {"column": "place", "across": "side"}, "controls": None},
    {"kind": "reasoning", "texts": 6, "controls": None},
]


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
class TestAudit:
    def test_the_run_asks_no_more_than_the_dry_run_said(self, tmp_path):
        with serving(by_place) as served:
            path = write_asked_audit(tmp_path, served.url, checks=CHECKS)
            steps = calls(prepare(path))
            told = {step.step: (step.calls, step.exact) for step in steps}
            # 10 texts; nothing new; 10 exchanged; (6 + 2 shown) texts at 5 shares by 3 tests
            assert told == {
                "decisions": (10, True), "performance": (0, True),
                "cue": (10, True), "reasoning": (120, False),
            }  # fmt: skip
            report, folder = whole_audit(path, tmp_path / "out")
            first = len(served.requests)
            assert 20 < first <= sum(step.calls for step in steps)
            whole_audit(path, tmp_path / "out")
            assert len(served.requests) == first
            whole_audit(path, tmp_path / "out", fresh=True)
            assert len(served.requests) == 2 * first
        cue = report.evidence[1]
        assert cue.named("influence")[0].value == 1
        assert cue.named("undisclosed_influence")[0].value == 1
        assert cue.named("unparsed_difference")[0].value == 0
        page, card = ((folder / n).read_text() for n in ("report.html", "model_card.md"))
        assert "the weights behind an endpoint are not known by digest" in page
        assert "**The weights behind it are not known by digest**" in card
        (subject,) = report.provenance.subjects
        assert subject.known_by == "address"
        assert "perhaps the weights behind remote" in " ".join(compare(report, folder).changed)
        left = [p for p in tmp_path.rglob("*") if p.is_file()]
        assert not [p for p in left if KEY.encode() in p.read_bytes()]

    def test_no_influence_is_found_where_none_was_planted(self, tmp_path):
        with serving(by_income) as served:
            path = write_asked_audit(tmp_path, served.url)
            report, _ = whole_audit(path, tmp_path / "out")
        assert report.evidence[1].named("influence")[0].value == 0

    def test_retries_stay_within_the_number_that_was_said(self, tmp_path):
        def every_other(request, number):
            return failing(500) if number % 2 else by_place(request, number)

        with serving(every_other) as served:
            path = write_asked_audit(tmp_path, served.url, subject_concurrency=1)
            whole_audit(path, tmp_path / "out")
            steps = calls(prepare(path))
        assert 20 < len(served.requests) <= sum(s.calls * s.attempts for s in steps)

    def test_hostile_answers_are_text(self, tmp_path):
        hostile = "<script>alert(1)</script> {{ 7 * 7 }} Answer: yes"
        with serving(always(completion(hostile))) as served:
            path = write_asked_audit(tmp_path, served.url, checks=CHECKS)
            _, folder = whole_audit(path, tmp_path / "out")
        page = (folder / "report.html").read_text()
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page

    def test_a_budget_ends_a_run_with_one_line_and_exit_code_2(self, tmp_path):
        with serving(by_place) as served:
            path = write_asked_audit(tmp_path, served.url, subject_budget={"calls": 12})
            line = ["run", str(path), "--out", str(tmp_path / "out")]
            first = CliRunner().invoke(app, line)
            assert first.exit_code == 2
            (told,) = [x for x in first.stderr.splitlines() if x.startswith("error: ")]
            assert "budget of 12 calls is used up; 2 of 10 answers of this step came" in told
            assert len(served.requests) == 12
            second = CliRunner().invoke(app, line)
        assert second.exit_code == 3, second.output  # no gates, no verdict
        assert len(served.requests) == 20
        assert len({json.dumps(r, sort_keys=True) for r in served.requests}) == 20


@pytest.mark.slow
def test_a_killed_run_goes_on_and_repeats_no_call(tmp_path):
    """kill -9 in the middle; a call in flight at that moment is the only one that may repeat."""

    def slowly(request, number):
        return Reply(by_place(request, number).body, wait=0.25 if number < 14 else 0)

    with serving(slowly) as served:
        path = write_asked_audit(tmp_path, served.url, subject_concurrency=1)
        line = [sys.executable, "-m", "tests.support.measuring", str(path), str(tmp_path / "out")]
        run = subprocess.Popen(line, env={**os.environ, "PYTHONPATH": "."})
        until = time.monotonic() + 240
        while len(served.requests) < 13 and time.monotonic() < until and run.poll() is None:
            time.sleep(0.01)
        run.send_signal(signal.SIGKILL)
        assert run.wait() == -signal.SIGKILL
        time.sleep(0.3)
        kept = {
            json.loads(p.read_text())["request"]["messages"][-1]["content"]
            for p in (tmp_path / "out").rglob("answers/**/*.json")
        }
        before = len(served.requests)
        assert 12 <= len(kept) <= before
        subprocess.run(line, env={**os.environ, "PYTHONPATH": "."}, check=True)
    later = [said(r) for r in served.requests[before:]]
    assert not kept & set(later)
    assert len(later) == len(set(later)) == 20 - len(kept)
