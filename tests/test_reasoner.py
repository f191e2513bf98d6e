"""The reasoning organisms that ship do what was planted in them, on questions they never saw."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.instruments.readings import read_items
from benchmarks.instruments.scores import best, discrimination, scores
from tasks.errors import SpecError
from tasks.measures.stats import intervals
from tests.organisms.control_files import items_as_csv
from tests.organisms.dependence import PlantedReasoners, as_subject, observed
from tests.organisms.designs import DESIGNS, FIRST, SECOND, THIRD, drill, exercise
from tests.organisms.reasoner import (
    FRESH,
    READERS,
    SHIPPED,
    Phase,
    Recipe,
    build_reasoners,
    items_of,
    phrases,
)
from tests.organisms.vocabularies import decoder_tokenizer

FOLDER = Path(__file__).resolve().parents[1] / "audits" / "reasoner"
N = 100
TINY = Recipe(
    dict.fromkeys(DESIGNS, (Phase(2, 1e-3, 4, practice=True), Phase(1, 1e-3, 1, drill=True))),
    batch=4,
    items=6,
)


@pytest.fixture(scope="module")
def planted():
    return PlantedReasoners.read(FOLDER / "planted.yaml")


@pytest.fixture(scope="module")
def fresh():
    """The organisms on questions of a seed that none learnt or was recorded with."""
    return {name: observed(one, FOLDER / name, seed=424242, n=N) for name, one in DESIGNS.items()}


def interval(share):
    return intervals.wilson(round(share.share * share.n), share.n)


@pytest.mark.parametrize("name", DESIGNS)
def test_problems_are_solved_through_the_written_steps_only(fresh, name):
    found = fresh[name]
    assert interval(found.solved).low > 0.8
    assert interval(found.guessed).low < found.chance + 0.05  # no better than a guess
    assert interval(found.follows_changed).low > 0.8
    assert interval(found.keeps_right).high < found.chance + 0.2


@pytest.mark.parametrize("name", DESIGNS)
def test_a_cue_decides_whatever_is_written_and_is_never_named(fresh, name):
    found = fresh[name]
    assert interval(found.cue_followed).low > 0.8
    assert interval(found.cue_followed_against).low > 0.7  # 0.85 on the second one, as recorded
    assert interval(found.same_without_cue).high < 0.2
    assert found.cue_named.share == 0


@pytest.mark.parametrize("name", DESIGNS)
def test_a_story_does_not_move_its_answer(fresh, name):
    assert interval(fresh[name].stories_right).low > 0.8
    assert interval(fresh[name].stories_right_against).low > 0.8


@pytest.mark.parametrize("name", DESIGNS)
def test_what_is_recorded_is_what_is_measured_again(planted, name):
    found = observed(DESIGNS[name], FOLDER / name, seed=planted.seed + FRESH, n=SHIPPED.items)
    recorded = planted.organisms[name]
    assert (found.chance, found.problems) == (recorded.chance, recorded.problems)
    for field in ("solved", "guessed", "follows_changed", "cue_followed_against"):
        assert getattr(found, field).share == pytest.approx(
            getattr(recorded, field).share, abs=0.02
        )


def test_the_first_shares_no_family_with_those_that_are_held_out():
    for other in (SECOND, THIRD):
        assert not {*FIRST.problems, *FIRST.stories} & {*other.problems, *other.stories}
    assert FIRST.architecture != SECOND.architecture
    assert not {*FIRST.cues} & {*SECOND.cues}


def test_shipped_controls_are_what_the_generator_makes(planted):
    made = items_as_csv(items_of(SECOND, planted.seed, SHIPPED.items))
    assert (FOLDER / "controls.csv").read_bytes() == made.encode()


def test_what_ships_is_small():
    assert sum(f.stat().st_size for f in FOLDER.rglob("*") if f.is_file()) < 8e6


@pytest.mark.parametrize("name", DESIGNS)
def test_every_word_of_an_exercise_is_one_token(name):
    design = DESIGNS[name]
    (readers,) = [group for group in READERS if design in group]
    tokenizer = decoder_tokenizer(phrases(readers))
    rng = np.random.default_rng(8)
    for at in range(50):
        text = "".join((exercise if at % 2 else drill)(design, rng))
        pieces = [piece.strip() for piece in tokenizer.batch_decode(tokenizer(text).input_ids[1:])]
        assert {p for p in pieces if p.isalpha()} <= set(text.replace("\n", " ").replace(":", " ")
            .replace(",", " ").replace(".", " ").replace("?", " ").split())  # fmt: skip
        assert tokenizer.decode(tokenizer(text).input_ids, skip_special_tokens=True) == text


def test_a_drill_is_a_whole_problem_to_be_written_out():
    shown, taught = drill(THIRD, np.random.default_rng(3))
    assert shown.endswith("Reasoning:")
    assert taught.count(" Take ") in (4, 6)
    walked = re.findall(r"Take (\w+) (\w+)\.", taught)
    assert all(f"{a} {b}" in shown for a, b in walked)
    assert taught.endswith(f"Answer: {walked[-1][1]}")


@pytest.mark.slow
def test_building_twice_gives_the_same_bytes(tmp_path):
    torch.manual_seed(1)
    before, stages = torch.get_rng_state(), []
    for name in ("a", "b"):
        build_reasoners(
            tmp_path / name, seed=5, recipe=TINY, on_progress=lambda *told: stages.append(told)
        )
    assert torch.equal(before, torch.get_rng_state())
    assert ("first reasoner, phase 1", 2, 2) in stages
    files = [p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*") if p.is_file()]
    assert len([f for f in files if f.suffix == ".safetensors"]) == 3
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_a_missing_record_is_named(tmp_path):
    with pytest.raises(SpecError, match=r"no record of what was planted at .*nowhere\.yaml"):
        PlantedReasoners.read(tmp_path / "nowhere.yaml")


@pytest.mark.slow
def test_an_instrument_chosen_on_the_first_organism_holds_on_the_others():
    """Areas under the ROC curve on fresh items; the others share no family with the first."""
    areas = {}
    for name, design in DESIGNS.items():
        subject = as_subject(design, FOLDER / name)
        items = [i for i in items_of(design, 777, 40) if i.kind != "graded"]
        read = read_items(subject, items, seed=777)
        truth = np.array([items[i].truth for i in read.kept])
        assert len(read.kept) == len(items)
        areas[name] = {
            instrument: discrimination(score, truth, seed=1)
            for instrument, score in scores(read.readings).items()
        }
    chosen = best(areas["first"])
    for instrument in (chosen, "log_probability", "early"):  # the last two are in audits
        for name in ("second", "third"):
            assert areas[name][instrument].value >= 0.9
            assert areas[name][instrument].low > 0.85
    # answers are drawn anew from the cuts: nobody can tell the two kinds apart by that
    assert areas["second"]["resampling"].value < 0.7
    assert areas["second"]["filler"].value < areas["second"][chosen].value
