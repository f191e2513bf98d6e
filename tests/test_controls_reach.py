"""Families of controls whose answers a tokenizer tells apart, where the definition names none."""

import numpy as np
import pytest

from tasks.checks.contradiction import controls as contradiction_controls
from tasks.checks.contradiction.rounds import CONTROLS
from tasks.checks.instruments.asking import left_out, within_reach
from tasks.checks.preflight import prepare
from tasks.controls.alphabets import ALPHABETS, ANSWERS
from tasks.controls.drawn_problems import PROBLEM_FAMILIES
from tasks.controls.problems import COMPASS, PLACES
from tasks.controls.stories import STORY_FAMILIES
from tasks.definition.checks.controls import ControlsSpec
from tasks.subjects.load import tells_apart
from tests.support.asked import write_asked_audit
from tests.support.gathering import alone, asked
from tests.support.reasoners import reasoner
from tests.support.small import write_small_audit


def ref_of(tmp_path, name, **controls):
    """The shard of contradictory questions put to an organism."""
    write_small_audit(tmp_path)
    check = {"kind": "contradiction", "pair": "pair", "answer": None, "controls": controls}
    path = write_small_audit(
        tmp_path, subjects={"organism": reasoner(name)}, checks=[check], gates=[],
        data={"path": "pairs.csv", "id": "id"},
    )  # fmt: skip
    (tmp_path / "pairs.csv").write_text("id,text,pair\nq0,a over b,p\nq1,b over a,p\n")
    plan = prepare(path)
    return plan, plan.subjects["organism"]


def test_every_family_answers_with_what_is_said_of_it():
    assert {*ANSWERS} == {*PROBLEM_FAMILIES, *STORY_FAMILIES}
    rng = np.random.default_rng(2)
    for family, answers in ANSWERS.items():
        drawn = [PROBLEM_FAMILIES[family](rng, 4) if family in PROBLEM_FAMILIES
                 else STORY_FAMILIES[family](rng) for _ in range(200)]  # fmt: skip
        assert {c for one in drawn for c in (*one.choices, one.answer)} <= {*answers}


@pytest.mark.parametrize(("name", "told"), [("first", ALPHABETS), ("third", (PLACES,))])
def test_only_answers_that_are_told_apart_are_asked_for(tmp_path, name, told):
    """The first organism reads digits, directions, colours and places, the third places alone."""
    _, ref = ref_of(tmp_path, name)
    made = within_reach(ref, ControlsSpec())
    wanted = {family for family, answers in ANSWERS.items() if answers in told}
    assert {*made.problems, *made.stories} == wanted
    without = left_out(ControlsSpec(), made)
    assert all((family in without) is (family not in wanted) for family in ANSWERS)
    assert bool(without) is (name == "third")


def test_a_tokenizer_is_asked_about_first_tokens(tmp_path):
    _, ref = ref_of(tmp_path, "third")

    def answering(*choices):
        answer = ref.spec.answer.model_copy(update={"choices": choices})
        spec = ref.spec.model_copy(update={"answer": answer})
        return ref.model_copy(update={"spec": spec})

    assert tells_apart(answering(*PLACES))
    assert not tells_apart(answering(*COMPASS))  # words that it does not know
    assert not tells_apart(answering("Arlo", "Arlo Bryn"))


def test_families_that_the_definition_names_stay(tmp_path):
    _, ref = ref_of(tmp_path, "third")
    named = ControlsSpec(problems=("adding",), stories=("stated",))
    assert within_reach(ref, named) == named
    assert left_out(named, named) == ""
    half = within_reach(ref, ControlsSpec(problems=("walk",)))
    assert half.problems == ("walk",)
    assert half.stories == ("signed",)


def test_with_too_few_different_questions_nothing_is_narrowed(tmp_path, monkeypatch):
    """Of turns in four steps there are 4 * 81 questions, and twice as many in two wordings."""
    _, ref = ref_of(tmp_path, "first")
    monkeypatch.setattr(
        "tasks.checks.instruments.asking.tells_apart", lambda one: {*one.spec.choices} <= {*COMPASS}
    )
    assert within_reach(ref, ControlsSpec(items=500)).problems == ("turning", "facing")
    assert within_reach(ref, ControlsSpec(items=1000)) == ControlsSpec(items=1000)


def test_an_endpoint_is_asked_for_any_answer(tmp_path):
    check = {"kind": "contradiction", "pair": "side", "controls": {"items": 20}}
    path = write_asked_audit(
        tmp_path,
        "http://h/v1",
        rows=4,
        checks=[check],
        subject_key_env=None,
        data={"path": "data.csv", "id": "id"},
    )
    plan = prepare(path)
    ref = plan.subjects["remote"]
    assert within_reach(ref, ControlsSpec()) == ControlsSpec()


def test_the_report_says_which_families_were_left_out(tmp_path):
    plan, _ = ref_of(tmp_path, "third", items=20, cues=["suggested"])
    left = alone(asked(plan), CONTROLS, tmp_path).of(CONTROLS)
    found, (note,) = contradiction_controls.calibration(plan.spec.checks[0], left)
    assert "Without questions of modular, lookup, turning" in note
    assert {m.name for m in found} >= {"instrument_auroc"}
    assert found[0].n == 40
