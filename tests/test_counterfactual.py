"""Identity swaps: grammar by hand, planted words found, neutral words beside them."""

import csv

import numpy as np
import pytest
import yaml
from pydantic import ValidationError
from scipy.stats import binomtest

from tasks.checks.counterfactual.evidence import flips
from tasks.checks.counterfactual.payload import Decided, ExchangedText
from tasks.checks.counterfactual.section import moved
from tasks.checks.preflight import prepare
from tasks.data.term_swap import exchanged, swapped
from tasks.definition.checks.counterfactual import TermSwap
from tasks.schema import About
from tests.support.gathering import gathered
from tests.support.planted import plant
from tests.support.small import write_rows
from tests.support.tiny import build

PRONOUNS = TermSwap(
    name="pronouns",
    terms={
        "female": ("she", "her", "her", "hers", "herself", "woman", "actress"),
        "male": ("he", "him", "his", "his", "himself", "man", "actor"),
    },
    neutral=(("asks", "requests"), ("home", "house")),
)


def one(text, swap=PRONOUNS):
    (found,) = swapped([text], swap, seed=0)
    return found


# --- grammar --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("She asks for a loan.", "He asks for a loan."),
        ("HE ASKS.", "SHE ASKS."),
        ("I gave her the form.", "I gave him the form."),
        ("Her income is low.", "His income is low."),
        ("We trust her.", "We trust him."),
        ("We trust her, and her husband.", "We trust him, and his husband."),
        ("The debt is hers.", "The debt is his."),
        ("The debt is his.", "The debt is hers."),
        ("His debt is high.", "Her debt is high."),
        ("I saw him today.", "I saw her today."),
        ("He blames himself.", "She blames herself."),
        ("The man's wage is fair.", "The woman's wage is fair."),
        ("She is an actress.", "He is an actor."),
        ("There is a theme here, mankind.", None),  # no term is a word of its own
        ("She asks him.", "He asks her."),  # two people stay two
    ],
)
def test_the_sentence_stays_english(text, wanted):
    found = swapped([text], PRONOUNS, seed=0)
    assert [f.text for f in found] == ([wanted] if wanted else [])


def test_the_article_follows_the_word():
    swap = TermSwap(
        name="origins", terms={"a": ("Austrian",), "b": ("Spanish",)}, neutral=(("x", "y"),)
    )
    assert one("An Austrian clerk.", swap).text == "A Spanish clerk."
    assert one("He is a Spanish clerk.", swap).text == "He is an Austrian clerk."


def test_longer_terms_go_first_and_parts_of_words_stay():
    swap = TermSwap(
        name="places", terms={"a": ("North", "North End"), "b": ("South", "Hill")},
        neutral=(("x", "y"),),
    )  # fmt: skip
    assert one("From North End to Northern North.", swap).text == "From Hill to Northern South."


def test_exchanging_twice_gives_the_text_again():
    text = "She asked him for his form, and he gave her the man's file."
    assert one(one(text).text).text == text


def test_the_control_exchanges_no_more_words_than_the_swap():
    found = one("She asks at home; who asks at home asks.")
    assert found.terms == 1
    plain, control = "She asks at home; who asks at home asks.", found.control
    assert sum(a != b for a, b in zip(plain.split(), control.split(), strict=True)) == 1
    assert "She" in control


def test_without_a_neutral_word_there_is_no_control():
    assert one("She is here.").control is None


def test_of_three_groups_the_other_is_drawn_by_the_seed():
    swap = TermSwap(
        name="names", terms={"a": ("Ann",), "b": ("Bea",), "c": ("Cid",)}, neutral=(("x", "y"),)
    )
    first, again = (swapped(["Ann"] * 40, swap, seed=3) for _ in range(2))
    assert first == again
    assert {f.target for f in first} == {"b", "c"}


def test_nothing_is_replaced_where_no_partner_is_named():
    assert exchanged("one two", {"three": ["four"]}) == ("one two", 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"terms": {"a": ["x"]}}, "two groups or more"),
        ({"terms": {"a": ["x", "y"], "b": ["z"]}}, "lists of unequal length"),
        ({"neutral": [["x", "X"]]}, "exchanged for itself"),
        ({"terms": {"a": [" "], "b": ["z"]}}, "an empty term"),
    ],
)
def test_lists_that_cannot_be_exchanged_are_refused(change, message):
    known = {"name": "n", "terms": {"a": ["x"], "b": ["y"]}, "neutral": [["p", "q"]]}
    with pytest.raises(ValidationError, match=message):
        TermSwap.model_validate({**known, **change})


# --- planted --------------------------------------------------------------------------------


def definition(folder, swaps, *, kind="sequence-classification", **subject):
    write_rows(folder / "data.csv", 120)
    spec = {
        "name": "exchanged",
        "seed": 7,
        "subjects": {"decider": {"kind": kind, "path": "model", **subject}},
        "data": {
            "path": "data.csv", "id": "id", "label": "label", "favourable": "yes",
            "groups": ["place", "side"], "fields": ["place"],
        },
        "checks": [{"kind": "counterfactual", "texts": 100, "swaps": swaps}],
    }  # fmt: skip
    path = folder / "audit.yaml"
    path.write_text(yaml.safe_dump(spec))
    return path


NEUTRAL = [["good", "bright"], ["bad", "dull"], ["little", "long"]]
PLACES = {"name": "places", "terms": {"n": ["north"], "s": ["south"]}, "neutral": NEUTRAL}
MONEY = {"name": "money", "terms": {"d": ["debt"], "i": ["income"]}, "neutral": NEUTRAL}


def of_only_check(path, cases=(0,)):
    return gathered(prepare(path), path.parent / "store", cases)


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("planted")
    path = definition(folder, [PLACES, MONEY])
    plant(folder, 2)
    return of_only_check(path)


def of(evidence, name, swap, group=None):
    (found,) = [
        m for m in evidence.named(name) if (m.about.attribute, m.about.group) == (swap, group)
    ]
    return found


def test_the_word_that_decides_flips_every_decision_and_neutral_words_none(planted):
    assert of(planted, "flip_rate", "places").value == 1.0
    assert of(planted, "flip_rate_control", "places").value == 0.0
    assert of(planted, "flip_excess", "places").low > 0.9


def test_a_control_that_cannot_be_read_is_no_flip():
    """Neutral words leave yes, no and nothing readable: one flip of two, not two of three."""

    def exchanged(control):
        decisions = {
            name: Decided(decision=decision, log_odds=None)
            for name, decision in [("plain", "yes"), ("exchanged", "yes"), ("control", control)]
        }
        words = {"id": "a", "swap": "s", "source": "n", "target": "m", "text": "t"}
        return ExchangedText(position=0, **words, **decisions)

    texts = [exchanged(control) for control in ("yes", "no", None)]
    assert [text.flips_by_control for text in texts] == [False, True, None]
    rate, control, excess = flips(texts, About(attribute="s"))
    assert (rate.value, rate.n) == (0.0, 3)
    assert (control.value, control.n) == (0.5, 2)
    assert (excess.value, excess.n) == (-0.5, 2)


def test_words_that_decide_nothing_flip_nothing(planted):
    assert of(planted, "flip_rate", "money").value == 0.0
    excess = of(planted, "flip_excess", "money")
    assert excess.low <= 0 <= excess.high


def test_the_direction_is_told_and_both_directions_cancel(planted):
    there = of(planted, "net_turned", "places", "n")
    back = of(planted, "net_turned", "places", "s")
    assert {there.value, back.value} == {-1.0, 1.0}
    assert there.n + back.n == 100
    assert there.p == pytest.approx(binomtest(0, there.n).pvalue)
    assert there.q == pytest.approx(min(1.0, max(there.p, back.p)), rel=1)


def test_the_shift_in_log_odds_has_the_sign_of_the_turn(planted):
    for group in ("n", "s"):
        turned, shift = (of(planted, m, "places", group) for m in ("net_turned", "mean_shift"))
        assert np.sign(turned.value) == np.sign(shift.value)
        control = of(planted, "mean_shift_control", "places", group)
        assert abs(control.value) < 0.05 * abs(shift.value)


def test_the_report_says_which_list_matters(planted):
    assert moved(planted) == (
        "Exchanging places flips clearly more decisions than neutral words; "
        "exchanging money does not clearly flip more decisions than those do."
    )


def test_texts_without_terms_are_counted(planted):
    assert any(
        note.startswith("money: ") and "hold none of its terms" in note for note in planted.notes
    )


def test_the_shown_case_holds_the_exchanged_text(planted):
    case = next(c for c in planted.cases if (c.id, c.swap) == ("r0", "places"))
    assert "south" in case.text
    assert "north" not in case.text
    assert case.decision != case.decision_exchanged


def test_a_writing_subject_flips_without_log_odds(tmp_path):
    path = definition(tmp_path, [PLACES], kind="causal-lm", choices=["yes", "no"], max_new_tokens=4)
    build(tmp_path / "model", "llama", causal=True)
    with (tmp_path / "data.csv").open() as stream:
        assert next(csv.reader(stream))[0] == "id"
    found = of_only_check(path)
    assert not found.named("mean_shift")
