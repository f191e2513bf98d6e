"""AUROC, its interval and its paired difference: by hand, against scikit-learn and resampling."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tasks.errors import EvidenceError
from tasks.measures.stats.auroc import (
    auroc,
    components,
    grouped_variance,
    sensitivity,
    specificity,
)


def drawn(seed, n=60, shift=1.0):
    rng = np.random.default_rng(seed)
    truth = np.arange(n) % 3 == 0
    return rng.normal(size=n) + shift * truth, truth


@pytest.mark.parametrize(
    ("positive", "negative", "expected"),
    [
        pytest.param([3, 4], [1, 2], 1.0, id="all told apart"),
        pytest.param([1, 2], [3, 4], 0.0, id="inverted"),
        pytest.param([2, 4], [1, 3], 0.75, id="three of four pairs"),
        pytest.param([1, 1], [1, 1], 0.5, id="all tied"),
        pytest.param([1, 2], [1, 0], 0.875, id="one tie of four pairs: (.5 + 1 + 1 + 1) / 4"),
    ],
)
def test_auroc_is_the_share_of_pairs_in_order(positive, negative, expected):
    scores = np.array([*positive, *negative], dtype=float)
    assert auroc(scores, np.array([True, True, False, False])).value == expected


@pytest.mark.parametrize("seed", range(5))
def test_the_value_is_that_of_scikit_learn(seed):
    scores, truth = drawn(seed)
    scores = scores.round(1)  # with ties
    assert auroc(scores, truth).value == pytest.approx(roc_auc_score(truth, scores), abs=1e-12)


def test_the_variance_by_hand():
    # positives 2, 4 and negatives 1, 3: V10 = (.5, 1), V01 = (1, .5); each variance is .125,
    # so the variance is .125 / 2 + .125 / 2
    parts = components(np.array([2.0, 4, 1, 3]), np.array([True, True, False, False]))
    assert parts.variance == pytest.approx(0.125)


def test_the_variance_is_that_of_resampling():
    scores, truth = drawn(3, n=150)
    rng = np.random.default_rng(0)
    positive, negative = scores[truth], scores[~truth]
    values = []
    for _ in range(1200):
        a, b = rng.choice(positive, len(positive)), rng.choice(negative, len(negative))
        values.append(roc_auc_score([1] * len(a) + [0] * len(b), [*a, *b]))
    assert components(scores, truth).variance == pytest.approx(np.var(values), rel=0.15)


PAIRED = np.array([1.0, 1, 1, 0, 0, 0, 0, 1])  # four texts, right about three of them
OF_EITHER = np.arange(8) < 4


def test_a_text_on_either_side_by_hand():
    # right puts the true case above the false one of the same text, wrong below: one coin for
    # two cases. AUROC 3/4, and the variance is that of three right of four: .75 * .25 / 3
    parts = components(PAIRED, OF_EITHER)
    assert parts.value == 0.75
    assert grouped_variance(parts, OF_EITHER, np.arange(8) % 4) == pytest.approx(0.0625)
    assert parts.variance == pytest.approx(0.03125)  # as if there were eight texts


def test_cases_that_stand_for_themselves_are_delongs():
    scores, truth = drawn(7)
    parts = components(scores, truth)
    assert grouped_variance(parts, truth, np.arange(60)) == pytest.approx(parts.variance)
    names = [str(i) for i in range(60)]
    assert auroc(scores, truth, groups=names) == pytest.approx(auroc(scores, truth))
    assert np.isnan(grouped_variance(parts, truth, np.zeros(60, dtype=int)))


def test_the_variance_of_groups_is_that_of_resampled_groups():
    rng = np.random.default_rng(9)
    groups = np.repeat(np.arange(80), 3)
    truth = np.tile([True, False, True], 80)
    scores = rng.normal(size=80)[groups] * np.where(truth, 1, -1) + rng.normal(size=240) + truth
    values = []
    for _ in range(1000):
        rows = np.concatenate([np.arange(3) + 3 * g for g in rng.integers(80, size=80)])
        values.append(roc_auc_score(truth[rows], scores[rows]))
    found = grouped_variance(components(scores, truth), truth, groups)
    assert found == pytest.approx(np.var(values), rel=0.15)
    assert found > 1.3 * components(scores, truth).variance


def test_all_told_apart_counts_texts_not_cases():
    truth = np.arange(20) < 10
    found = auroc(np.where(truth, 1.0, 0.0), truth, groups=[str(i % 5) for i in range(20)])
    # Wilson for 5 of 5: low end 1 / (1 + 1.96^2 / 5) = .5655
    assert found.low == pytest.approx(0.5655, abs=1e-3)


def test_the_interval_covers_as_often_as_it_says():
    # two unit normals one apart: AUROC = Phi(1 / sqrt 2) = 0.7602
    held = [(i.low, i.high) for i in (auroc(*drawn(seed)) for seed in range(600))]
    assert 0.93 <= np.mean([low <= 0.7602 <= high for low, high in held]) <= 0.975


@pytest.mark.parametrize(("high", "value"), [(True, 1.0), (False, 0.0)])
def test_all_told_apart_is_not_certainty(high, value):
    truth = np.arange(20) < 10
    found = auroc(np.where(truth == high, 1.0, 0.0), truth)
    # Wilson for 10 of 10: low end 1 / (1 + 1.96^2 / 10) = .7225
    assert found.value == value
    assert max(found.high - found.low, 0) == pytest.approx(1 - 0.7225, abs=1e-3)


def test_a_score_that_knows_nothing_leaves_a_half_in():
    found = auroc(np.ones(40), np.arange(40) < 20)
    assert found.low < 0.5 == found.value < found.high


def test_a_single_case_of_a_kind_has_a_wide_interval():
    found = auroc(np.array([1.0, 0, 0.5]), np.array([True, False, False]))
    assert found.value == 1
    assert found.low < 0.25


@pytest.mark.parametrize("truth", [np.ones(3, dtype=bool), np.zeros(3, dtype=bool)])
def test_one_kind_alone_cannot_be_told_apart(truth):
    with pytest.raises(EvidenceError, match="both are needed"):
        auroc(np.arange(3.0), truth)


def test_a_score_must_be_a_number():
    with pytest.raises(ValueError, match="not finite"):
        auroc(np.array([np.nan, 1]), np.array([True, False]))


def test_sensitivity_and_specificity_at_a_threshold():
    scores = np.array([0.9, 0.5, 0.4, 0.5, 0.1, 0.0])
    truth = np.array([True, True, True, False, False, False])
    assert sensitivity(scores, truth, 0.5).value == pytest.approx(2 / 3)
    assert specificity(scores, truth, 0.5).value == pytest.approx(2 / 3)
    with pytest.raises(EvidenceError):
        sensitivity(scores[3:], truth[3:], 0.5)


def test_no_variance_but_rounding_is_no_certainty():
    """Three texts of the same scores on either side: 0.5, and nothing known beside it."""
    scores = np.array([0.1, 0.7, 0.3] * 2)
    truth = np.array([True] * 3 + [False] * 3)
    found = auroc(scores, truth, groups=["a", "b", "c"] * 2)
    assert found.value == 0.5
    assert found.high - found.low > 0.5
