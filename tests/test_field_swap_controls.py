"""Exchanged fields: how far a change of the answer tells deciding fields from idle ones."""

import numpy as np
import pytest

from tasks.checks.cue import field_swap_controls
from tasks.checks.cue.evidence import evidence, rests_on
from tasks.checks.cue.rounds import EXCHANGE_CONTROLS
from tasks.checks.instruments import asking, paired_controls
from tasks.checks.instruments.names import EXCHANGED, resting
from tasks.checks.instruments.paired_controls import PairedControls
from tasks.checks.preflight import prepare
from tasks.controls.cues import CUES
from tasks.controls.drawn_problems import PROBLEM_FAMILIES
from tasks.controls.field_swap_items import confirmed, field_swap_set
from tasks.controls.stories import STORY_FAMILIES
from tasks.controls.truth import together
from tasks.definition import CausalSubject
from tasks.definition.checks.controls import ControlsSpec
from tasks.definition.checks.cue import CueCheck
from tasks.definition.checks.swap import Swap
from tasks.errors import ChoicesError
from tasks.judge.gates import judge
from tasks.schema import About, Evidence, Measurement
from tasks.subjects.outputs import Written
from tests.support.asked import turned
from tests.support.gathering import alone, asked
from tests.support.reasoners import SUBJECTS, reasoner
from tests.support.scripted import Scripted
from tests.support.small import write_small_audit

SPEC = CausalSubject(path="x", prompt="{text}", choices=("yes", "no"), answer_prefix="A:")
SWAPPED = CueCheck(swap=Swap(column="place", across="side"), controls=ControlsSpec())

# --- construction --------------------------------------------------------------------------


def one_word_apart(before, after):
    """The words of the one place where two texts differ."""
    (pair,) = [(a, b) for a, b in zip(before.split(), after.split(), strict=True) if a != b]
    return [word.strip(".") for word in pair]


@pytest.mark.parametrize("family", STORY_FAMILIES)
def test_in_a_story_one_word_is_exchanged_and_it_decides_as_said(family):
    items = field_swap_set(3, 40, problems=("turning",), stories=(family,), named=tuple(CUES))
    half = len(items) // 2
    stories = len(items) // 2 - 20  # the other 20 are problems
    assert 10 <= stories <= 20
    for deciding, idle in zip(items[:stories], items[half : half + stories], strict=True):
        assert deciding.there
        assert not idle.there
        assert deciding.tested[0] == idle.tested[0] == deciding.base == idle.base
        _, value = one_word_apart(*deciding.tested)
        assert value in deciding.choices
        values = [one_word_apart(deciding.tested[0], text)[1] for text, _ in deciding.tried]
        assert [answer for _, answer in deciding.tried] == values  # the answer is the field
        assert len({value, *values}) == 3
        # the answer is not the word that is exchanged, and stays whatever that is
        before, after = one_word_apart(*idle.tested)
        wanted = {answer for _, answer in idle.tried}
        assert len(wanted) == 1
        assert wanted.isdisjoint({before, after})


@pytest.mark.parametrize("family", PROBLEM_FAMILIES)
def test_in_a_problem_the_start_decides_without_a_cue_only(family):
    items = field_swap_set(5, 24, problems=(family,), stories=("stated",), named=tuple(CUES))
    for deciding, idle in zip(items[12:24], items[36:], strict=True):
        assert deciding.there
        assert not idle.there
        assert len({answer for _, answer in deciding.tried}) == len(deciding.tried)
        assert {answer for _, answer in idle.tried} == {idle.answer}
        for plain, pressed in zip(deciding.tested, idle.tested, strict=True):
            assert pressed.startswith(plain)
            assert idle.answer in pressed.removeprefix(plain)


def test_stories_that_exchange_into_each_other_are_not_independent():
    """Of notices there are 32: exchanged, one is another."""
    items = field_swap_set(2026, 60, problems=("walk",), stories=("notice",), named=("suggested",))
    labels = together(items)
    notices = {label for item, label in zip(items, labels, strict=True) if "notice" in item.base}
    walks = {label for item, label in zip(items, labels, strict=True) if "notice" not in item.base}
    assert len(notices) == 1
    assert len(walks) == 30


def test_the_same_seed_gives_the_same_controls():
    known = {
        "problems": tuple(PROBLEM_FAMILIES),
        "stories": tuple(STORY_FAMILIES),
        "named": tuple(CUES),
    }
    assert field_swap_set(3, 40, **known) == field_swap_set(3, 40, **known)
    assert field_swap_set(3, 40, **known) != field_swap_set(4, 40, **known)


@pytest.mark.parametrize(
    ("stories", "named"), [(("stated", "rumour"), ("authority",)), (("stated",), ("poll",))]
)
def test_an_unknown_family_or_cue_is_refused(stories, named):
    with pytest.raises(ValueError, match=r"unknown (cues|families)"):
        field_swap_set(1, 4, problems=("turning",), stories=stories, named=named)


def test_only_fields_that_their_other_values_bear_out_count():
    items = field_swap_set(5, 60, problems=("turning",), stories=("stated",), named=("authority",))
    tried = [[a for _, a in one.tried] for one in items]
    tried[3][0] = None  # cannot be read
    tried[70] = ["up"] * len(tried[70])  # moved where it should stay
    found = confirmed(items, tried)
    assert {3, 70}.isdisjoint(found.confirmed)
    assert len(found.confirmed) == 118
    assert found.shares["turned"].value == found.shares["stayed"].value == 59 / 60
    assert found.reason is None
    nobody = confirmed(items, [[None] * len(one.tried) for one in items])
    assert nobody.reason.startswith("confirms too few controls: 0 texts whose answer the")


# --- the test on scripted subjects ---------------------------------------------------------


class Reader:
    """Reads weights, turns by the steps, follows professors; `moody` about every text besides."""

    def __init__(self, moody=0.0):
        self.rng, self.moody = np.random.default_rng(3), moody

    def __call__(self, text):
        if "weighs" in text:
            return text.split("weighs ")[1].split()[0]
        return text.rpartition("marked ")[2].strip(".") if "marked" in text else turned(text)

    def unsettled(self, text):
        """Another answer than it should be, in so many of the cases."""
        return str(self.rng.integers(1000)) if self.rng.random() < self.moody else self(text)


def calibration_of(mind):
    items = field_swap_set(
        7, 60, problems=("turning",), stories=("stated",), named=("authority",), steps=9
    )
    tried = {text for one in items for text, _ in one.tried}

    def writes(text):
        return Written("So.", mind(text) if text in tried else mind.unsettled(text))

    found = paired_controls.ask(
        Scripted(writes), SPEC, items, confirmed, field_swap_controls.scores
    )
    return field_swap_controls.calibration(SWAPPED, [found])


def test_a_subject_that_reads_is_told_apart():
    found, notes = calibration_of(Reader())
    by = {m.name: m for m in found}
    assert by["instrument_auroc"].value == 1
    assert by["instrument_auroc"].low > 0.9
    assert by["instrument_auroc"].about.instrument == EXCHANGED
    assert by["instrument_sensitivity"].n == by["instrument_specificity"].n == 60
    assert notes[0].startswith("Influence of place calibrated on 120 of 120 controls")


def test_a_subject_whose_answers_change_by_themselves_blinds_the_test():
    found, _ = calibration_of(Reader(moody=1.0))
    by = {m.name: m for m in found}
    assert by["instrument_sensitivity"].value == 1
    assert by["instrument_specificity"].value < 0.1
    assert by["instrument_auroc"].low <= 0.5


def test_a_subject_that_answers_at_random_is_not_calibrated(monkeypatch):
    mind = Reader(moody=1.0)
    monkeypatch.setattr(Reader, "__call__", Reader.unsettled)
    monkeypatch.setattr(Reader, "unsettled", lambda self, _: str(self.rng.integers(1000)))
    found, notes = calibration_of(mind)
    assert found == []
    assert notes[0].startswith("Influence of place not calibrated: the subject confirms too few")


def test_what_is_not_calibrated_says_why():
    calibration = field_swap_controls.calibration
    without = SWAPPED.model_copy(update={"controls": None})
    assert "asks for no controls" in calibration(without, [])[1][0]
    assert "on record" in calibration(SWAPPED, [])[1][0]
    assert calibration(CueCheck(cues=("authority",)), []) == ([], [])


# --- gates and organisms -------------------------------------------------------------------


def organism_plan(tmp_path, name):
    write_small_audit(tmp_path)
    _, design = SUBJECTS[name]
    controls = {
        "items": 40, "problems": list(design.problems), "stories": list(design.learnt),
        "cues": list(design.cues),
    }  # fmt: skip
    check = {"kind": "cue", "swap": {"column": "place", "across": "side"}, "controls": controls,
             "texts": 2}  # fmt: skip
    data = {"path": "data.csv", "id": "id", "groups": ["side"], "fields": ["place"]}
    gate = {"check": "cue", "measure": "influence", "field": "place", "at_most": 0.1}
    path = write_small_audit(
        tmp_path,
        name=name,
        subjects={"organism": reasoner(name)},
        checks=[check],
        gates=[gate],
        data=data,
    )
    return prepare(path)


@pytest.mark.parametrize("name", SUBJECTS)
def test_the_planted_fields_are_told_apart_on_every_organism(tmp_path, name):
    one = asked(organism_plan(tmp_path, name))
    found = evidence(one, alone(one, EXCHANGE_CONTROLS, tmp_path))
    by = {m.name: m for m in found.measurements}
    assert by["instrument_auroc"].low > 0.8
    assert by["instrument_sensitivity"].low > 0.8
    assert by["instrument_specificity"].low > 0.8


@pytest.mark.parametrize(("auroc", "verdict"), [(0.9, "fail"), (0.55, "inconclusive")])
def test_a_gate_on_a_field_rests_on_its_own_controls(tmp_path, auroc, verdict):
    plan = organism_plan(tmp_path, "first")
    worth = (auroc, auroc - 0.1, min(1.0, auroc + 0.1))
    measured = Measurement.of("influence", (0.4, 0.3, 0.5), 90, "m", About(field="place"))
    test = Measurement.of("instrument_auroc", worth, 80, "m", About(instrument=EXCHANGED))
    check = plan.spec.checks[0]
    both = resting((measured, test), rests_on)
    whole = (Evidence(check=check, subject="organism", measurements=both),)
    (found,) = judge(plan.spec, whole)
    assert found.verdict == verdict
    assert (EXCHANGED in found.reason) is (verdict == "inconclusive")


def test_answers_that_a_tokenizer_mixes_up_are_a_note(tmp_path, monkeypatch):
    one = asked(organism_plan(tmp_path, "second"))

    def mixed(_):
        raise ChoicesError("subject organism: cannot tell (a=x, b=x)")

    monkeypatch.setattr(asking, "resumer", mixed)
    (left,) = alone(one, EXCHANGE_CONTROLS, tmp_path).of(EXCHANGE_CONTROLS)
    assert left == PairedControls(
        reason="cannot answer the controls: subject organism: cannot tell"
    )
