"""Probes: a planted concept is found, nothing is found where nothing was planted."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from tasks.errors import EvidenceError
from tasks.measures.probing import (
    balanced_accuracy,
    control_labels,
    linear_probe,
    living,
    nonlinear_probe,
    three_folds,
)

CONCEPT = np.repeat(["left", "right"], [200, 400])


def states(seed=0, d=16):
    return np.random.default_rng(seed).normal(size=(600, d))


def planted(shift=3.0):
    found = states()
    found[CONCEPT == "right"] += shift * np.eye(16)[3]
    return found


def held_out(probe, x, concept=CONCEPT, **options):
    """Balanced accuracy on every other text of a probe trained on the rest."""
    return balanced_accuracy(concept[1::2], probe(x[::2], concept[::2], x[1::2], **options))


def forest(train, concept, test):
    return nonlinear_probe(train, concept, test, seed=0)


@pytest.mark.parametrize("probe", [linear_probe, forest])
def test_a_planted_concept_is_read(probe):
    # two normal curves 3 apart: the best reader is right with probability Phi(1.5) = .933
    assert held_out(probe, planted()) == pytest.approx(0.933, abs=0.05)


@pytest.mark.parametrize("probe", [linear_probe, forest])
def test_where_nothing_is_planted_nothing_is_read(probe):
    found = [held_out(probe, states(seed)) for seed in range(5)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.04)


@pytest.mark.parametrize("probe", [linear_probe, forest])
def test_a_concept_that_is_taken_out_again_is_not_read(probe):
    x = planted()
    assert held_out(probe, x) > 0.85
    x[CONCEPT == "right"] -= 3.0 * np.eye(16)[3]
    assert held_out(probe, x) < 0.6


def test_what_no_line_separates_the_forest_reads():
    x = states(d=4)
    concept = np.where(x[:, 0] * x[:, 1] > 0, "same", "other")
    assert held_out(linear_probe, x, concept) < 0.6
    assert held_out(forest, x, concept) > 0.85


def test_three_groups_are_read_and_rare_ones_weigh_the_same():
    rng = np.random.default_rng(0)
    concept = np.repeat(["a", "b", "c"], [500, 60, 40])
    x = rng.normal(size=(600, 5)) + 5 * np.eye(5)[np.repeat([0, 1, 2], [500, 60, 40])]
    assert held_out(linear_probe, x, concept) > 0.95
    # where nothing is planted the many are not simply read for everyone
    predicted = linear_probe(rng.normal(size=(600, 5)), concept, rng.normal(size=(900, 5)))
    assert all(0.15 < np.mean(predicted == g) < 0.55 for g in "abc")


def test_the_scale_of_a_column_does_not_matter():
    x, scale = planted(), 10.0 ** np.linspace(-2, 2, 16)
    assert held_out(linear_probe, x * scale) == held_out(linear_probe, x)


@pytest.mark.parametrize("probe", [linear_probe, forest])
def test_round_off_in_dead_columns_does_not_leak_the_concept(probe):
    x = states()
    right = CONCEPT == "right"
    x[:, 5] = 1e-17 * right  # what is left in an erased column
    x[:, 6] = 1 + 1e-7 * right  # one step of float32 at 1
    assert living(x).tolist() == [i not in {5, 6} for i in range(16)]
    assert held_out(probe, x) < 0.6
    x[:, 5] = right
    assert held_out(probe, x) == 1.0  # alive, it is read


@pytest.mark.parametrize("value", [0.0, 1.0, -7.5])
@pytest.mark.parametrize("probe", [linear_probe, forest])
def test_the_same_state_for_every_text_reads_at_chance(probe, value):
    assert held_out(probe, np.full((600, 16), value)) == 0.5


def test_living_by_hand():
    # spreads 0, .5, 5e-8 (0.05 of the 1e-6 of the largest value, 1)
    x = np.array([[1.0, 0.0, 0.5], [1.0, 1.0, 0.5 + 1e-7]])
    assert living(x).tolist() == [False, True, False]
    assert not living(np.zeros((3, 2))).any()


def test_the_forest_repeats_with_its_seed():
    x = states()
    one, same = (nonlinear_probe(x[::2], CONCEPT[::2], x[1::2], seed=4) for _ in range(2))
    assert (one == same).all()
    assert (one != nonlinear_probe(x[::2], CONCEPT[::2], x[1::2], seed=5)).any()


# --- accuracy, folds, control -------------------------------------------------------------


def test_balanced_accuracy_by_hand():
    # a: 6 of 8 right, .75; b: 1 of 2, .5; mean .625, while 7 of 10 texts are right
    concept = np.array(["a"] * 8 + ["b"] * 2)
    predicted = np.array(["a"] * 6 + ["b"] * 2 + ["b", "a"])
    assert balanced_accuracy(concept, predicted) == 0.625
    assert balanced_accuracy(concept, np.full(10, "a")) == 0.5
    assert balanced_accuracy(concept, concept) == 1.0


def test_balanced_accuracy_is_sklearns():
    rng = np.random.default_rng(0)
    truth, read = rng.choice(list("aaab"), 200), rng.choice(list("ab"), 200)
    assert balanced_accuracy(truth, read) == pytest.approx(balanced_accuracy_score(truth, read))


@pytest.mark.parametrize("seed", range(3))
def test_three_folds_hold_every_group_evenly(seed):
    concept = np.repeat(["a", "b", "c"], [3, 31, 200])
    fold = three_folds(concept, seed=seed)
    for group, n in [("a", 3), ("b", 31), ("c", 200)]:
        sizes = np.bincount(fold[concept == group], minlength=3)
        assert sizes.sum() == n
        assert len(sizes) == 3
        assert np.ptp(sizes) <= 1


def test_folds_are_dealt_at_random_and_repeat_with_their_seed():
    fold = three_folds(CONCEPT, seed=0)
    assert (fold == three_folds(CONCEPT, seed=0)).all()
    assert np.mean(fold == three_folds(CONCEPT, seed=1)) == pytest.approx(1 / 3, abs=0.07)
    # no fold sits at one end of the data
    assert np.ptp([np.mean(np.flatnonzero(fold == f)) for f in range(3)]) < 80


def test_a_group_of_two_cannot_be_put_into_three_folds():
    with pytest.raises(EvidenceError, match="group 'b' has 2 texts; three folds need three"):
        three_folds(np.array(["a"] * 5 + ["b"] * 2), seed=0)


def test_control_labels_have_the_same_groups_and_nothing_to_read():
    control = control_labels(CONCEPT, seed=0)
    assert sorted(control) == sorted(CONCEPT)
    assert (control == control_labels(CONCEPT, seed=0)).all()
    assert (control != control_labels(CONCEPT, seed=1)).any()
    x = planted()
    read = [
        balanced_accuracy(
            CONCEPT[1::2], linear_probe(x[::2], control_labels(CONCEPT[::2], seed=s), x[1::2])
        )
        for s in range(20)
    ]
    assert np.mean(read) == pytest.approx(0.5, abs=0.1)
    assert held_out(linear_probe, x) > np.max(read)
