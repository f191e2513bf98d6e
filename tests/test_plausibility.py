"""Against what people marked: by hand, by sklearn, and chance where nothing was planted."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score

from tasks.measures.attribution.plausibility import auprc, token_f1
from tasks.measures.stats.intervals import bootstrap_mean

BOTH = pytest.mark.parametrize("measure", [token_f1, auprc])


def test_by_hand():
    rationale = [True, False, True, False]
    assert token_f1([4, 3, 2, 1], rationale) == 0.5  # the top two hold one of two
    assert auprc([4, 3, 2, 1], rationale) == pytest.approx((1 / 1 + 2 / 3) / 2)


@BOTH
def test_pointing_where_people_pointed_is_perfect(measure):
    assert measure([0.9, -1.0, 0.8, 0.1], [True, False, True, False]) == 1


def test_speaking_strongly_against_the_decision_is_no_reason_for_it():
    assert token_f1([-9.0, 1.0, 0.0], [True, False, False]) == 0
    assert auprc([-9.0, 1.0, 0.0], [True, False, False]) == pytest.approx(1 / 3)


def test_of_equal_units_f1_takes_the_first():
    assert token_f1([1.0, 1.0], [True, False]) == 1
    assert token_f1([1.0, 1.0], [False, True]) == 0


def test_equal_units_leave_auprc_at_chance():
    assert auprc([1.0] * 4, [True, False, False, False]) == 0.25


@BOTH
@pytest.mark.parametrize("rationale", [[False] * 3, [True] * 3])
def test_where_no_order_can_fail_there_is_no_number(measure, rationale):
    assert math.isnan(measure([1.0, 2.0, 3.0], rationale))


@BOTH
def test_no_units_have_no_number(measure):
    assert math.isnan(measure([], []))


@BOTH
def test_marks_of_another_text_are_refused(measure):
    with pytest.raises(ValueError, match="plausibility: 2 units against 3 marks"):
        measure([1.0, 2.0], [True, False, True])


@given(
    marked=st.lists(st.booleans(), min_size=2, max_size=10), order=st.randoms(use_true_random=False)
)
def test_both_are_sklearns(marked, order):
    if any(marked) and not all(marked):
        values = [float(v) for v in range(len(marked))]
        order.shuffle(values)
        chosen = np.argsort(values)[::-1][: sum(marked)]
        top = np.isin(np.arange(len(marked)), chosen)
        assert token_f1(values, marked) == pytest.approx(f1_score(marked, top))
        assert auprc(values, marked) == pytest.approx(average_precision_score(marked, values))


def test_random_attribution_reaches_the_share_marked():
    rng = np.random.default_rng(0)
    marked = [True] * 4 + [False] * 16
    found = np.array([token_f1(rng.normal(size=20), marked) for _ in range(1000)])
    interval = bootstrap_mean(found, seed=0)
    assert interval.low < 0.2 < interval.high
