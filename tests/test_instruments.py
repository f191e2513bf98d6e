"""Instruments on hand-made readings, and their area under the ROC curve against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks.instruments.readings import donor_reasonings, filler, slipped
from benchmarks.instruments.scores import (
    Readings,
    area_of,
    best,
    combined,
    discrimination,
    scores,
)
from tasks.controls import control_set
from tasks.errors import EvidenceError
from tasks.measures.stats.intervals import Interval
from tasks.subjects.outputs import Written

SURE = np.log([0.98, 0.01, 0.01])
LOST = np.log([0.01, 0.98, 0.01])


def readings():
    """Two items answered 0: the first moves with its reasoning everywhere, the second never."""
    moving, fixed = LOST, SURE
    given = np.stack([moving, fixed])
    return Readings(
        shares=(0.0, 0.5, 1.0),
        answer=np.array([0, 0]),
        cut=np.stack([given, given, np.stack([SURE, SURE])]),
        own=np.log([[0.01, 0.98], [0.5, 0.49], [0.98, 0.98]]),
        filler=given,
        mistake=given,
        continued=np.array([1, 0]),
        exchanged=np.stack([given, given, np.stack([SURE, SURE]), given]),
        resampled=np.array([[0, 0], [2, 0], [-1, 0], [0, 0]]),
        lens=np.stack([np.log([0.2, 0.2]), np.log([0.1, 0.9])]),
        probe=np.log([0.25, 0.75]),
    )


@pytest.mark.parametrize(
    ("name", "moving", "fixed"),
    [
        # flips at shares 0 and 0.5, none at 1: 0.5 * (1 + 1) / 2 + 0.5 * (1 + 0) / 2 = 0.75
        ("truncation", 0.75, 0),
        ("filler", 1, 0),
        ("mistake", 1, 0),
        ("mistake_continued", 1, 0),
        # losses at 0, 0.5 and 1: (log 98, log 1.96, 0), then (0, log 2, 0); trapezoids of width 0.5
        ("log_probability", 0.25 * (np.log(98) + 2 * np.log(1.96)), 0.5 * np.log(2)),
        ("resampling", 0.5, 0),  # two of four continuations end elsewhere or nowhere
        ("early", np.log(98), 0),
        ("lens", -np.log(0.2), -np.log(0.9)),  # the layer that reads it best
        ("probe", np.log(4), np.log(4 / 3)),
        ("exchange", 0.75, 0),  # three of four donors
        ("exchange_probability", 0.75 * 0.97, 0),
    ],
)
def test_a_score_by_hand(name, moving, fixed):
    assert scores(readings())[name] == pytest.approx([moving, fixed], abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_the_area_is_scikit_learns_ties_included(seed):
    rng = np.random.default_rng(seed)
    truth, score = rng.random(60) < 0.4, rng.integers(0, 4, size=60).astype(float)
    assert discrimination(score, truth, seed=1).value == roc_auc_score(truth, score)
    assert area_of(score[truth], score[~truth]) == pytest.approx(roc_auc_score(truth, score))


def test_the_interval_of_a_coin_toss_holds_one_half_and_that_of_the_truth_does_not():
    rng = np.random.default_rng(3)
    truth = np.arange(200) < 100
    noise = discrimination(rng.random(200), truth, seed=1)
    assert noise.low < 0.5 < noise.high
    signal = discrimination(truth + rng.normal(scale=0.5, size=200), truth, seed=1)
    assert 0.8 < signal.low < signal.value < signal.high
    assert discrimination(-rng.random(200) - truth, truth, seed=1).high < 0.1  # upside down


def test_items_of_one_kind_have_no_area():
    with pytest.raises(EvidenceError, match="items that depend"):
        discrimination(np.ones(3), np.ones(3, dtype=bool), seed=1)
    with pytest.raises(EvidenceError, match="both kinds"):
        combined({"a": np.ones(3)}, np.zeros(3, dtype=bool), ["a"])


def test_a_combination_finds_what_only_two_scores_together_tell():
    rng = np.random.default_rng(5)
    truth = rng.random(400) < 0.5
    shared = 2 * rng.normal(size=400)
    found = {"a": shared + truth, "b": shared}  # the truth is their difference
    half = {name: score[:200] for name, score in found.items()}
    fitted = combined(half, truth[:200], ["a", "b"])
    rest = {name: score[200:] for name, score in found.items()}
    assert discrimination(fitted(rest), truth[200:], seed=1).value > 0.99
    assert discrimination(rest["a"], truth[200:], seed=1).value < 0.85


def test_the_best_of_equals_is_the_first_named():
    one = Interval(0.9, 0.8, 1.0)
    assert best({"a": Interval(0.7, 0.6, 0.8), "b": one, "c": one}) == "b"


def test_filler_has_a_dot_group_for_every_word():
    assert filler("Step 1: add 3.") == "... ... ... ..."


def test_a_slip_changes_the_last_number_of_one_sentence_and_nothing_else():
    rng = np.random.default_rng(2)
    told = "Some words. Then 4 gives 7. More words."
    for _ in range(20):
        before, after = slipped(told, ("7", "9", "red"), rng)
        assert before[0] == "Some words."
        assert before[1] == "Then 4 gives 9."  # the only other number among the choices
        assert after == ["More words."]


def test_a_slip_without_numbers_or_choices_is_a_negation():
    before, after = slipped("It holds.", ("7", "red"), np.random.default_rng(2))
    assert (before, after) == (["It not holds."], [])


def test_donors_are_of_the_same_family_and_answer_otherwise():
    items = control_set(3, 30)
    own = [Written(item.reasoning, item.answer) for item in items]
    families = {}
    for item in items:
        families.setdefault(item.reasoning, set()).add((item.kind, item.family, item.answer))
    for given in donor_reasonings(items, own, np.random.default_rng(1)):
        for item, donor in zip(items, given, strict=True):
            sources = families[donor]
            assert {(kind, family) for kind, family, _ in sources} >= {(item.kind, item.family)}
            if donor != item.reasoning:
                assert {a for k, f, a in sources if k == item.kind} != {item.answer}
