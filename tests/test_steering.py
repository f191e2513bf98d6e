"""Steering: a planted direction is found and followed, none where nothing was planted."""

import numpy as np
import pytest
from scipy import stats as scipy_stats

from tasks.measures.interventions.steering import (
    beyond_random,
    contrast,
    difference_of_means,
    perplexity_ratio,
    reach,
    safe_range,
    shuffled_contrast,
    shuffled_difference,
    slopes,
)

D = 16
PLANTED = np.zeros(D)
PLANTED[3] = 2.0


def cosine(a, b):
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def material(shift, n=4000, seed=0):
    """Unit-variance states; those of group b are moved by `shift`."""
    rng = np.random.default_rng(seed)
    second = np.arange(n) % 2 == 1
    return rng.normal(size=(n, D)) + np.outer(second, shift), second


# --- the vector ---------------------------------------------------------------------------


def test_the_difference_of_means_by_hand():
    states = np.array([[0.0, 0.0], [2.0, 4.0], [1.0, 1.0], [3.0, 3.0]])
    found = difference_of_means(states, np.array([False, False, True, True]))
    assert found.tolist() == [1.0, 0.0]  # (2, 2) - (1, 2)


def test_the_planted_direction_is_found():
    found = difference_of_means(*material(PLANTED))
    assert cosine(found, PLANTED) > 0.99
    assert np.linalg.norm(found) == pytest.approx(2.0, abs=0.1)


def test_where_nothing_was_planted_the_vector_is_noise():
    """Its length is that of a difference of two means of 2,000 texts in 16 dimensions."""
    found = difference_of_means(*material(np.zeros(D)))
    assert np.linalg.norm(found) < 2 * np.sqrt(2 / 2000 * D)


def test_adding_the_vector_once_moves_one_mean_onto_the_other():
    states, second = material(PLANTED)
    moved = states[~second] + difference_of_means(states, second)
    np.testing.assert_allclose(moved.mean(axis=0), states[second].mean(axis=0), atol=1e-12)


def test_within_a_pair_everything_but_the_field_cancels():
    """Texts differ far more than the field moves them, and eight pairs find it exactly."""
    rng = np.random.default_rng(0)
    original = 100 * rng.normal(size=(8, D))
    toward = np.arange(8) < 3
    exchanged = original + np.where(toward, 1.0, -1.0)[:, None] * PLANTED
    np.testing.assert_allclose(contrast(original, exchanged, toward), PLANTED, atol=1e-9)


def test_a_vector_needs_both_groups():
    with pytest.raises(ValueError, match="each of the two groups needs a text"):
        difference_of_means(np.ones((3, 2)), np.array([True, True, True]))
    with pytest.raises(ValueError, match="at least one pair"):
        contrast(np.ones((0, 2)), np.ones((0, 2)), np.ones(0, dtype=bool))


# --- the control --------------------------------------------------------------------------


def test_shuffled_groups_differ_by_as_much_as_chance_makes_them():
    """Means of 2,000 unit-variance texts each: every place has variance 2 / 2,000, mean 0."""
    states, second = material(np.zeros(D))
    found = shuffled_difference(states, second, 300, seed=1)
    assert found.shape == (300, D)
    assert found.var() == pytest.approx(2 / 2000, rel=0.1)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=0.01)


def test_a_planted_direction_is_far_longer_than_any_shuffled_one():
    states, second = material(PLANTED)
    planted = difference_of_means(states, second)[3]
    shuffled = shuffled_difference(states, second, 50, seed=0)[:, 3]
    assert planted > 10 * np.abs(shuffled).max()


def test_pairs_whose_direction_is_drawn_cancel():
    """Each of 400 pairs moves place 3 by 2 or by -2: variance 4 / 400."""
    original = np.zeros((400, D))
    found = shuffled_contrast(original, original + PLANTED, 300, seed=1)
    assert found[:, 3].var() == pytest.approx(4 / 400, rel=0.25)
    assert (np.delete(found, 3, axis=1) == 0).all()


def test_a_vector_that_means_nothing_stays_within_reach_as_often_as_stated():
    """10,000 times a slope and five others of the same distribution."""
    drawn = np.random.default_rng(0).normal(size=(10_000, 6))
    beyond = np.abs(drawn[:, 0]) > reach(drawn[:, 1:], level=0.95)
    assert beyond.mean() == pytest.approx(0.05, abs=0.007)
    p = [beyond_random(float(one[0]), one[1:]) for one in drawn[:2000]]
    assert (np.array(p) < 0.05).tolist() == beyond[:2000].tolist()  # the same test


def test_the_p_of_a_slope_is_that_of_students_t():
    """Root mean square of 3, 4, 0 is 5 / sqrt(3); 10 is 2 sqrt(3) of it, on three degrees."""
    expected = 2 * scipy_stats.t.sf(2 * np.sqrt(3), 3)
    assert beyond_random(10.0, np.array([3.0, 4.0, 0.0])) == pytest.approx(expected)


@pytest.mark.parametrize(("slope", "p"), [(0.0, 1.0), (1.0, 0.0)])
def test_where_shuffled_groups_move_nothing(slope, p):
    assert beyond_random(slope, np.zeros(4)) == p


# --- the response -------------------------------------------------------------------------


def test_the_slope_of_a_linear_response_is_its_coefficient():
    """A linear head: adding alpha v to x moves w.x by alpha w.v, whatever x is."""
    states, second = material(PLANTED, n=200)
    v, w = difference_of_means(states, second), np.arange(D) / D
    alphas = (-1.0, -0.5, 0.0, 0.5, 1.0)
    response = np.stack([(states + a * v) @ w for a in alphas])
    np.testing.assert_allclose(slopes(response, alphas), w @ v)
    both = (states + v + 2 * PLANTED) @ w - states @ w  # vectors compose by addition
    np.testing.assert_allclose(both, w @ v + 2 * PLANTED @ w)


def test_the_slope_is_that_of_least_squares():
    rng = np.random.default_rng(0)
    alphas = (-1.0, 0.25, 3.0, 4.0)
    response = rng.normal(size=(4, 1))
    assert slopes(response, alphas)[0] == pytest.approx(
        scipy_stats.linregress(alphas, response[:, 0]).slope
    )


@pytest.mark.parametrize(
    ("worst", "expected"),
    [
        pytest.param((0.0, 0.0, 0.0, 0.0, 0.0), (-2, 2), id="nothing is lost"),
        pytest.param((0.3, 0.01, 0.0, 0.02, 0.3), (-1, 1), id="the outer ones cost too much"),
        pytest.param((0.0, 0.3, 0.0, 0.0, 0.0), (0, 2), id="beyond a loss nothing is safe"),
        pytest.param((0.0, 0.021, 0.0, 0.021, 0.0), (0, 0), id="both sides"),
    ],
)
def test_the_safe_range_is_contiguous_around_0(worst, expected):
    assert safe_range((-2.0, -1.0, 0.0, 1.0, 2.0), worst, 0.02) == expected


def test_the_perplexity_ratio_by_hand():
    """Two texts of 1 and 3 tokens, 0.4 nats dearer over 4 tokens: exp(0.1)."""
    found = perplexity_ratio(
        np.array([1.0, 3.0]), np.array([1.1, 3.3]), np.array([1.0, 3.0]), seed=0
    )
    assert found.value == pytest.approx(np.exp(0.1))
    assert found.low == pytest.approx(found.high)  # 0.1 nats a token in both texts
