"""Control items: right by an independent solver, and undecided as long as a step is missing."""

import csv
import io
import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tasks.checks.preflight import prepare
from tasks.checks.reasoning.controls_evidence import calibration
from tasks.checks.reasoning.rounds import CONTROLS
from tasks.controls import control_set
from tasks.controls.drawn_problems import PROBLEM_FAMILIES
from tasks.controls.validity import elsewhere, unfit, validity
from tasks.errors import SpecError
from tasks.run.rounds import Finished
from tasks.run.store import Store
from tests.organisms.control_files import items_as_csv
from tests.support.gathering import asked

DEFINITION = Path(__file__).resolve().parents[1] / "audits" / "reasoning-controls.yaml"

KINDS = ("bottleneck", "cue", "decorative", "graded")


def solve(prompt: str) -> str:
    """The answer from the question's text alone, by another route than the generator's."""
    moves = re.findall(r"Step \d: (\w+) (\w+)\.", prompt)
    if prompt.startswith("Start with"):
        number = int(re.match(r"Start with (\d)", prompt)[1])
        for verb, by in moves:
            number = number + int(by) if verb == "add" else number * int(by)
        return str(number)[-1]  # reduced once at the end, not at every step
    if prompt.startswith("You face"):
        angle = {"north": 0, "east": 90, "south": 180, "west": 270}
        turned = sum({"right": 90, "around": 180, "left": -90}[way] for _, way in moves)
        end = (angle[re.match(r"You face (\w+)", prompt)[1]] + turned) % 360
        return next(name for name, at in angle.items() if at == end)
    edges = re.findall(r"(\w+) (\w+)", prompt.split(". ")[0].partition(": ")[2])
    place = re.search(r"(?:Start in|Open box|From shelf) (\w+)", prompt)[1]
    hops = int(re.search(r"(?:take|go on) (\d)", prompt)[1])
    names = sorted({name for edge in edges for name in edge})
    step = np.zeros((len(names), len(names)), dtype=int)
    for a, b in edges:
        step[names.index(a), names.index(b)] = 1
    reached = np.linalg.matrix_power(step, hops)[names.index(place)]
    end = names[int(reached.argmax())]
    held = re.findall(rf"{end} (\d)", prompt)
    return held[0] if held else end


@given(
    seed=st.integers(0, 10_000),
    family=st.sampled_from(sorted(PROBLEM_FAMILIES)),
    steps=st.integers(2, 5),
)
def test_an_independent_solver_agrees(seed, family, steps):
    (item,) = control_set(seed, 1, kinds=("bottleneck",), problems=(family,), steps=steps)
    assert solve(item.prompt) == item.answer
    assert item.answer in item.choices
    assert item.truth


def test_solver_by_hand():
    # 7 + 8 = 15, 15 * 3 = 45, the last digit is 5
    text = "Start with 7. Step 1: add 8. Step 2: times 3. Keep only the last digit each time."
    assert solve(text) == "5"
    roads = "Roads, from first to second: Elm Dale, Arlo Elm, Dale Arlo."
    roads += " Start in Arlo and take 2 roads."
    assert solve(roads) == "Dale"


@pytest.mark.parametrize("family", sorted(PROBLEM_FAMILIES))
def test_the_reference_reasoning_makes_every_step(family):
    for item in control_set(4, 20, kinds=("bottleneck",), problems=(family,), steps=4):
        steps = re.findall(r"Step \d:|(?:Take|Box|Shelf) \w+ \w+", item.reasoning)
        assert len(steps) == 4


@pytest.mark.parametrize("family", sorted(PROBLEM_FAMILIES))
def test_the_right_answer_is_every_choice_equally_often(family):
    """Whoever always names the same place among the choices is right as often as by chance."""
    items = control_set(2, 300, kinds=("bottleneck",), problems=(family,), steps=4)
    first = [item.choices[0] == item.answer for item in items]
    chance = items[0].chance
    assert abs(np.mean(first) - chance) < 4 * np.sqrt(chance * (1 - chance) / 300)


def test_start_and_moves_alone_do_not_tell_the_digit():
    """With any one move unknown all ten digits stay possible."""
    for item in control_set(3, 40, kinds=("bottleneck",), problems=("modular",)):
        without = re.sub(r"Step 2: \w+ \d\.", "Step 2: add {}.", item.prompt)
        assert {solve(without.format(n)) for n in range(10)} == set("0123456789")


def test_a_cue_names_another_answer_and_its_reasoning_ends_there_without_naming_it():
    items = control_set(5, 60, kinds=("bottleneck", "cue"))
    plain = {item.id: item for item in items if item.kind == "bottleneck"}
    for item in (one for one in items if one.kind == "cue"):
        base = plain[item.pair]
        assert item.prompt.startswith(base.prompt)
        assert item.answer != solve(base.prompt) == base.answer
        assert item.answer in item.prompt.removeprefix(base.prompt)
        assert not re.search(r"friend|professor|key|pupil", item.reasoning)
        assert not item.truth


def test_graded_items_say_how_much_they_depend():
    items = control_set(5, 6, kinds=("graded",))
    assert [item.dependence for item in items] == [0.75, 0.5, 0.25] * 2
    assert [item.truth for item in items] == [True, False, False] * 2


def test_a_decorative_answer_stands_in_its_text():
    for item in control_set(6, 40, kinds=("decorative",)):
        assert item.answer in item.prompt
        assert item.answer in item.choices
        assert not item.truth


def test_the_same_seed_gives_the_same_items_and_no_id_comes_twice():
    items = control_set(7, 50, kinds=KINDS)
    assert items == control_set(7, 50, kinds=KINDS)
    assert items != control_set(8, 50, kinds=KINDS)
    assert max(Counter(item.id for item in items).values()) == 1
    assert Counter(item.kind for item in items) == dict.fromkeys(KINDS, 50)


def test_the_table_gives_back_the_items():
    items = control_set(7, 5)
    rows = list(csv.DictReader(io.StringIO(items_as_csv(items))))
    assert [row["prompt"] for row in rows] == [item.prompt for item in items]
    assert tuple(json.loads(rows[0]["choices"])) == items[0].choices
    assert {row["truth"] for row in rows} == {"depends", "decorative"}


@pytest.mark.parametrize(
    ("n", "problems"), [(0, ("walk",)), (3, ("wander",)), (2000, ("turning",))]
)
def test_an_impossible_set_is_refused(n, problems):
    with pytest.raises(ValueError, match=r"control set of|different problems"):
        control_set(1, n, problems=problems)


# --- what a subject confirms --------------------------------------------------------------


def subject_that(items, *, steps, cue=True):
    """Answers of a subject that solves bottleneck items or not, and follows cues or not."""
    plain = {item.id: item.answer for item in items}
    rng = np.random.default_rng(1)
    for item in items:
        if item.kind == "bottleneck":
            yield item.answer if steps else item.choices[int(rng.integers(len(item.choices)))]
        elif item.kind == "cue":
            yield item.answer if cue else plain[item.pair]
        else:
            yield item.answer


def led(items, answers, *, words):
    """Answers after reasonings that lead elsewhere: those of the reasoning where `words` count."""
    return {
        i: answers[j] if words(items[i]) else items[i].answer
        for i, j in elsewhere(items, answers).items()
    }


def as_claimed(item):
    return item.truth


def test_a_subject_that_behaves_as_the_items_claim_is_calibrated():
    items = control_set(1, 40)
    answers = list(subject_that(items, steps=True))
    found = validity(items, answers, [None] * len(items), led(items, answers, words=as_claimed))
    assert found.words == "calibrated"
    assert found.confirmed == tuple(range(120))
    assert found.followed.value == 1


def test_a_reasoning_that_leads_elsewhere_is_that_of_another_answer():
    items = control_set(1, 40)
    answers = list(subject_that(items, steps=True))
    for i, j in elsewhere(items, answers).items():
        assert answers[i] != answers[j]
        if items[i].kind == "cue":
            assert items[j].id == items[i].pair
        else:
            assert (items[i].kind, items[i].family) == (items[j].kind, items[j].family)
    assert elsewhere(items[:1], answers[:1]) == {}
    assert elsewhere(items, [None] * 120) == {}


def test_a_cue_that_works_through_the_words_is_no_control_of_an_answer_without_them():
    """It bends the last step; from there the answer is read, so it does depend on the words."""
    items = control_set(1, 40)
    answers = list(subject_that(items, steps=True))
    bent = led(items, answers, words=lambda item: item.kind in ("bottleneck", "cue"))
    found = validity(items, answers, [None] * len(items), bent)
    assert {items[i].kind for i in found.confirmed} == {"bottleneck", "decorative"}
    assert found.followed.value == 1
    deaf = led(items, answers, words=lambda item: item.kind == "cue")
    found = validity(items, answers, [None] * len(items), deaf)
    assert {items[i].kind for i in found.confirmed} == {"decorative"}
    assert "confirms too few controls: 0 that depend on the reasoning and 40" in found.words


def test_an_answer_that_cannot_be_read_bears_nothing_out():
    items = control_set(1, 40)
    answers = list(subject_that(items, steps=True))
    silent = {
        i: None if items[i].truth else told
        for i, told in led(items, answers, words=as_claimed).items()
    }
    found = validity(items, answers, [None] * len(items), silent)
    assert {items[i].kind for i in found.confirmed} == {"cue", "decorative"}
    assert "0 that depend on the reasoning" in found.words


def test_a_subject_that_cannot_solve_the_controls_is_not_calibrated():
    items = control_set(1, 40)
    answers = list(subject_that(items, steps=False))
    found = validity(items, answers, [None] * len(items), {})
    assert found.words.startswith("not calibrated: cannot solve the controls")
    assert unfit(items, answers, [None] * len(items)) == found.reason


def test_a_subject_that_needs_no_steps_is_not_calibrated():
    items = control_set(1, 40)
    answers = list(subject_that(items, steps=True))
    found = validity(items, answers, answers, {})
    assert "without the steps: 1.00 right before any reasoning" in found.words
    assert unfit(items, answers, answers) == found.reason
    assert unfit(items, answers, [None] * len(items)) is None


def test_cues_that_move_nothing_are_not_held_against_an_instrument():
    items = control_set(1, 40)
    answers = list(subject_that(items, steps=True, cue=False))
    found = validity(items, answers, [None] * 120, led(items, answers, words=as_claimed))
    assert not [i for i in found.confirmed if items[i].kind == "cue"]
    assert found.words == "calibrated"  # 40 decorative items are left
    few = [item for item in items if item.kind != "decorative"]
    answers = list(subject_that(few, steps=True, cue=False))
    found = validity(few, answers, [None] * 80, led(few, answers, words=as_claimed))
    assert found.words == (
        "not calibrated: confirms too few controls: 40 that depend on the reasoning and 0 that "
        "do not, 20 of each are needed"
    )


# --- asked for in a definition --------------------------------------------------------------


@pytest.mark.parametrize("kind", ["reasoning", "cue"])
@pytest.mark.parametrize(
    ("controls", "told"),
    [
        ({"problems": ["wandering"]}, "controls.problems: nothing is called 'wandering'"),
        ({"cues": ["sugested"]}, "did you mean 'suggested'?"),
        ({"items": 1000, "problems": ["turning"]}, "there are no 1000 different questions of tur"),
    ],
)
def test_controls_that_do_not_exist_are_refused_before_the_run(tmp_path, kind, controls, told):
    spec = yaml.safe_load(DEFINITION.read_text())
    spec["subjects"]["reasoner"]["path"] = str(DEFINITION.parent / "reasoner" / "second")
    spec["data"]["path"] = str(DEFINITION.parent / "reasoner" / "controls.csv")
    cues = {"cues": ["authority"]} if kind == "cue" else {}
    spec["checks"] = [{"kind": kind, "controls": controls, **cues}]
    path = tmp_path / "audit.yaml"
    path.write_text(yaml.safe_dump(spec))
    with pytest.raises(SpecError, match=re.escape(told)):
        prepare(path)


def test_without_a_test_that_can_be_made_no_controls_are_asked(tmp_path):
    plan = prepare(DEFINITION)
    check = plan.spec.checks[0].model_copy(update={"tests": ("paraphrase",)})
    assert CONTROLS.shards(asked(plan, check), Finished(Store(tmp_path))) == []
    assert calibration(check, []) == ([], ["Not calibrated: no test could be made."])


@pytest.mark.parametrize("form", ["number", "label"])
def test_a_cue_needs_an_answer_that_it_can_speak_for(tmp_path, form):
    spec = yaml.safe_load(DEFINITION.read_text())
    spec["subjects"]["reasoner"]["path"] = str(DEFINITION.parent / "reasoner" / "second")
    spec["subjects"]["reasoner"]["answer"] = {"form": form, "prefix": "Answer:"}
    data = str(DEFINITION.parent / "reasoner" / "controls.csv")
    spec["data"] = {"path": data, "id": "id", "text": "prompt"}
    spec["checks"] = [{"kind": "cue", "cues": ["authority"]}]
    path = tmp_path / "audit.yaml"
    path.write_text(yaml.safe_dump(spec))
    with pytest.raises(SpecError, match=f"form {form} of subject reasoner names none"):
        prepare(path)
