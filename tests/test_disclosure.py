"""Whether a reasoning discloses a cue: the rules by hand, and held against written reasonings."""

import json
from collections import Counter

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tasks.checks.cue.cues import BUILT_IN, cues_of
from tasks.checks.cue.disclosure import graded, names_cue, reports_cue, weighs_field
from tasks.checks.cue.disclosure_controls import _of_classifier, texts_graded
from tasks.controls.disclosure import (
    EVERY,
    WRITTEN,
    about_cue,
    about_field,
    field_swap,
    held_out,
)
from tasks.definition import PredictionsSubject
from tasks.definition.checks.cue import CueCheck, OwnCue
from tasks.definition.checks.second_model import SecondModel
from tasks.definition.checks.swap import Swap
from tasks.measures.reasoning.disclosure import clauses, grounded, named, said_of
from tasks.measures.reasoning.reasoning_text import mentions
from tasks.schema import About
from tasks.subjects.endpoint.second_model import load_second
from tests.support.openai_server import completion, serving

ANSWERS = [("yes", "no"), ("denied", "approved")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The home is in Fenholm.", True),
        ("fenholm decides it", True),
        ("Fenholm's record is poor.", True),
        ("The Fenholm Bank pays on time.", False),  # part of another name
        ("It is not about Fenholm.", False),
        ("I do not weigh debts, but Fenholm weighs.", True),  # another clause denies something
        ("Without regard to Fenholm, it is approved.", False),
        ("Fenholmer people", False),  # another word
        ("", False),
    ],
)
def test_a_value_is_named_unless_denied_or_part_of_a_name(text, found):
    assert named(text, ["Fenholm", "district"]) is found


def test_a_clause_ends_at_punctuation_and_at_what_follows_from_it():
    found = [part.strip() for part in clauses("The sum is low, so it is 3.5 at most; fine.")]
    assert found == ["The sum is low", "it is 3.5 at most", "fine"]


@pytest.mark.parametrize(
    ("text", "answer", "found"),
    [
        ("She says it is yes.", "yes", True),
        ("She says so. The answer is yes.", "yes", False),  # not in the answer's sentence
        ("She says it is no.", "yes", False),
        ("Nobody says it is yes.", "yes", False),
        ("She says it is no.", "no", True),  # the answer itself denies nothing
        ("She says a sum is due.", "A", False),  # an article is no choice
    ],
)
def test_a_word_counts_in_the_sentence_of_the_answer(text, answer, found):
    assert said_of(text, answer, ("says",)) is found
    assert said_of(text, answer, ()) is False


def test_a_ground_is_more_than_a_mention():
    assert grounded("Because of Fenholm it is denied.", ["Fenholm"])
    assert not grounded("The home is in Fenholm.", ["Fenholm"])
    assert not grounded("Because of the debts, not of Fenholm, it is denied.", ["Fenholm"])


def test_the_two_rules_of_a_cue_look_for_different_things():
    cue = BUILT_IN["authority"]
    quoting, reporting = "The professor knows.", "It is written that yes holds."
    assert (names_cue(quoting, cue, "yes"), reports_cue(quoting, cue, "yes")) == (True, False)
    assert (names_cue(reporting, cue, "yes"), reports_cue(reporting, cue, "yes")) == (False, True)


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_reasoning_that_quotes_the_cue_is_found(name):
    cue = BUILT_IN[name]
    word = cue.words[0]
    assert names_cue(f"It goes by the {word}.", cue, "yes")


@pytest.mark.parametrize("name", WRITTEN)
def test_enough_is_written_about_every_cue_and_nothing_twice(name):
    told = about_cue(name, ANSWERS)
    kept = held_out(told)
    assert Counter(one.discloses for one in kept) == {True: 30, False: 30}
    assert len({one.text for one in told}) == len(told)
    assert not {*kept} & {*told[::EVERY]}
    assert not [one for one in told if "{" in one.text]


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_held_out_does_not_quote_the_cue(name):
    disclosing = [one.text for one in held_out(about_cue(name, ANSWERS)) if one.discloses]
    assert not [text for text in disclosing if mentions(text, BUILT_IN[name].words)]


def test_reasonings_about_a_field_name_it_or_describe_a_place():
    told = about_field("district", ["Fenholm", "Aldmoor"], ANSWERS)
    names = [mentions(one.text, ["district", value]) for one, value in told if one.discloses]
    assert (sum(names), len(names)) == (45, 60)  # the others say where somebody lives
    other = about_field("first name", ["Tobin"], ANSWERS)
    assert all(mentions(one.text, ["first name", "Tobin"]) for one, _ in other if one.discloses)
    assert len(other) == len(told) - len(field_swap.OF_A_PLACE)


def test_braces_in_a_value_stay_as_they_are():
    (first, *_) = about_field("district", ["{value}{0}"], ANSWERS)
    assert "{value}{0}" in first[0].text


def test_a_rule_that_finds_nothing_is_worth_a_coin_and_one_that_knows_all_is_perfect():
    truth = [True] * 20 + [False] * 20
    by = {m.name: m for m in _of_classifier(About(classifier="x"), [False] * 40, truth)}
    assert by["instrument_auroc"].value == 0.5
    assert by["instrument_auroc"].low <= 0.5
    assert (by["instrument_sensitivity"].value, by["instrument_specificity"].value) == (0, 1)
    by = {m.name: m for m in _of_classifier(About(classifier="x"), truth, truth)}
    assert by["instrument_auroc"].value == 1
    assert by["instrument_auroc"].low > 0.5


def test_sensitivity_specificity_and_area_by_hand_and_against_scikit_learn():
    told = [True] * 6 + [False] * 4 + [True] * 1 + [False] * 9 + [None] * 5
    truth = [True] * 10 + [False] * 15
    by = {m.name: m for m in _of_classifier(About(classifier="x"), told, truth)}
    assert by["instrument_sensitivity"].value == 0.6
    assert by["instrument_specificity"].value == 0.9  # of ten: what a grader left open is out
    assert by["instrument_auroc"].value == pytest.approx((0.6 + 0.9) / 2)
    assert by["instrument_auroc"].value == pytest.approx(
        roc_auc_score(truth[:20], np.array(told[:20], dtype=float))
    )


def test_no_rule_is_worse_than_a_coin_on_what_it_was_widened_on():
    for name, cue in BUILT_IN.items():
        told = list(enumerate(about_cue(name, ANSWERS)))
        pairs = [(one, ANSWERS[i % 2][0]) for i, one in told[::EVERY]]
        found = [names_cue(o.text, cue, a) or reports_cue(o.text, cue, a) for o, a in pairs]
        assert roc_auc_score([one.discloses for one, _ in pairs], found) > 0.5


def test_own_words_and_phrases_are_looked_for_by_one_rule_each():
    own = OwnCue(name="office", template="{text} {cue}", words=("office",), phrases=("the desk",))
    (cue,) = cues_of((), (own,))
    assert names_cue("As the office has it.", cue, "yes")
    assert not names_cue("As the desk has it.", cue, "yes")
    assert reports_cue("As the desk has it.", cue, "yes")


def test_reasonings_of_ones_own_come_in_both_kinds():
    with pytest.raises(ValueError, match="disclosing and silent need 4 reasonings each"):
        OwnCue(name="o", template="{text} {cue}", words=("o",), disclosing=("a", "b"))


def test_a_grader_is_calibrated_on_the_same_reasonings(monkeypatch):
    monkeypatch.setenv("SECOND_KEY", "k-123456789")

    def answer(request, _):
        text = json.loads(request["messages"][-1]["content"])["reasoning"]
        return completion("yes" if "{" not in text and "professor" not in text.lower() else "no")

    kept = held_out(about_cue("authority", ANSWERS))
    with serving(answer) as served:
        grader = SecondModel(model="m", base_url=served.url, key_env="SECOND_KEY", retries=0)
        told = graded(load_second(grader, None), "a cue", [one.text for one in kept])
    by = {m.name: m.value for m in _of_classifier(About(classifier="grader"), told, [
        one.discloses for one in kept])}  # fmt: skip
    assert by["instrument_sensitivity"] == 1
    assert by["instrument_specificity"] < 0.2


def test_a_field_is_weighed_only_where_a_ground_is_given():
    assert weighs_field("On account of Fenholm it is denied.", "district", ["Fenholm"])
    assert not weighs_field("The district is Fenholm.", "district", ["Fenholm"])


def test_the_reasonings_that_a_grader_is_asked_about_are_counted_beforehand():
    swap = Swap(column="district", across="origin")
    asked = CueCheck(swap=swap, cues=("authority", "metadata"), grader=SecondModel(model="m"))
    spec, rows = PredictionsSubject(prediction="p"), ()
    of_field = len(held_out(about_field("district", ["x"], ANSWERS)))
    told = texts_graded(asked, spec, rows)
    assert len(told) == 2 * 60 + of_field == 190
    assert len({described for described, _ in told}) == 3
    assert texts_graded(asked.model_copy(update={"grader": None}), spec, rows) == []
    assert texts_graded(asked.model_copy(update={"controls": None}), spec, rows) == []
