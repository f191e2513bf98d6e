"""Agreement of two attributions and sparsity of one: by hand, by scipy, and none where none is."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from tasks.measures.attribution.sparsity import gini
from tasks.measures.stats.agreement import rank_agreement, top_overlap
from tasks.measures.stats.intervals import bootstrap_mean

VALUES = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=12)


def test_the_same_order_agrees_and_the_inverted_one_disagrees():
    assert rank_agreement([1, 2, 3], [10, 20, 400]) == pytest.approx(1)
    assert rank_agreement([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    # ranks 1 2 3 against 1 3 2: 1 - 6 * (0 + 1 + 1) / (3 * 8) = .5
    assert rank_agreement([1, 2, 3], [1, 3, 2]) == pytest.approx(0.5)


@pytest.mark.parametrize("a", [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
def test_a_constant_is_no_order(a):
    assert math.isnan(rank_agreement(a, [1.0, 2.0, 3.0]))
    assert math.isnan(rank_agreement([1.0, 2.0, 3.0], a))


@pytest.mark.parametrize("values", [[], [1.0]])
def test_fewer_than_two_units_have_no_order(values):
    assert math.isnan(rank_agreement(values, values))


@given(pairs=st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=2, max_size=12))
def test_rank_agreement_is_the_correlation_of_mean_ranks(pairs):
    a, b = (list(map(float, side)) for side in zip(*pairs, strict=True))
    if len(set(a)) > 1 and len(set(b)) > 1:
        ranks = [scipy_stats.rankdata(side) for side in (a, b)]
        assert rank_agreement(a, b) == pytest.approx(np.corrcoef(*ranks)[0, 1], abs=1e-9)
        assert rank_agreement(a, b) == pytest.approx(rank_agreement(b, a))


def test_unrelated_attributions_agree_on_nothing():
    rng = np.random.default_rng(0)
    found = np.array([rank_agreement(*rng.normal(size=(2, 15))) for _ in range(300)])
    interval = bootstrap_mean(found, seed=0)
    assert interval.low < 0 < interval.high
    assert interval.high - interval.low < 0.1


def test_the_overlap_of_the_strongest_by_hand():
    assert top_overlap([3, -2, 1, 0], [-9, 0, 0, 8], 1) == 1  # strong against counts as strong
    assert top_overlap([3, -2, 1, 0], [-9, 0, 0, 8], 2) == 0.5
    assert top_overlap([3, -2, 1, 0], [-9, 0, 0, 8], 4) == 1


def test_of_equally_strong_units_the_first_counts():
    assert top_overlap([1, 1, -1], [5, 0, 0], 1) == 1
    assert top_overlap([1, 1, -1], [0, 0, 5], 1) == 0


def test_unrelated_attributions_overlap_by_k_of_n():
    rng = np.random.default_rng(0)
    found = np.array([top_overlap(*rng.normal(size=(2, 12)), 3) for _ in range(1000)])
    interval = bootstrap_mean(found, seed=0)
    assert interval.low < 3 / 12 < interval.high


@pytest.mark.parametrize("k", [0, 4, -1])
def test_more_units_than_there_are_cannot_be_strongest(k):
    with pytest.raises(ValueError, match=r"top overlap: k must be in \[1, 3\]"):
        top_overlap([1, 2, 3], [1, 2, 3], k)


def test_attributions_of_different_texts_are_refused():
    with pytest.raises(ValueError, match="rank agreement: 2 units against 3"):
        rank_agreement([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="top overlap: 2 units against 3"):
        top_overlap([1, 2], [1, 2, 3], 1)


def test_sparsity_by_hand():
    assert gini([2.0, -2.0, 2.0, 2.0]) == pytest.approx(0)
    assert gini([0.0, 0.0, -7.0, 0.0]) == pytest.approx(3 / 4)
    # mean absolute difference of 1 and 3 over twice the mean: (0 + 2 + 2 + 0) / 4 / (2 * 2)
    assert gini([1.0, 3.0]) == pytest.approx(0.25)


@pytest.mark.parametrize("values", [[], [0.0], [0.0, -0.0]])
def test_no_attribution_is_neither_sparse_nor_spread(values):
    assert math.isnan(gini(values))


@given(values=VALUES, scale=st.sampled_from([1e-300, 1e-3, 1.0, -4.0, 1e300]))
def test_sparsity_is_half_the_relative_mean_absolute_difference(values, scale):
    strength = np.abs(values)
    if strength.any():
        apart = np.abs(strength[:, None] - strength[None, :]).mean()
        expected = apart / (2 * strength.mean())
        assert gini([scale * v for v in values]) == pytest.approx(expected, abs=1e-9)
        assert 0 <= gini(values) <= 1 - 1 / len(values) + 1e-9
