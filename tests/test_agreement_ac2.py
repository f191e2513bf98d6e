"""Two raters: Gwet's published tables, prevalence, and intervals that cover."""

import numpy as np
import pytest

from tasks.errors import EvidenceError
from tasks.measures.stats.raters import gwet_ac2, raw_agreement


def table(counts):
    """Ratings of two raters from their table of counts."""
    pairs = [(i, j) for i, row in enumerate(counts) for j, n in enumerate(row) for _ in range(n)]
    return [a for a, _ in pairs], [b for _, b in pairs]


def test_the_published_table_with_high_prevalence():
    # Gwet 2002: 125 cases, 118 / 5 / 2 / 0. Agreement 118 / 125 = .944; prevalence
    # (123 + 120) / 250 = .972; chance 2 * .972 * .028 = .054432; (.944 - .0544) / (1 - .0544).
    first, second = table([[118, 5], [2, 0]])
    found = gwet_ac2(first, second, (0, 1))
    assert raw_agreement(first, second).value == pytest.approx(0.944)
    assert found.value == pytest.approx((0.944 - 0.054432) / (1 - 0.054432), abs=1e-9)
    assert found.value == pytest.approx(0.9408, abs=5e-5)


def test_the_variance_is_that_of_resampled_cases():
    first, second = map(np.array, table([[60, 12], [8, 40]]))
    found = gwet_ac2(list(first), list(second), (0, 1))
    rng = np.random.default_rng(0)
    values = []
    for _ in range(2000):
        rows = rng.integers(len(first), size=len(first))
        values.append(gwet_ac2(list(first[rows]), list(second[rows]), (0, 1)).value)
    assert (found.high - found.low) / (2 * 1.98) == pytest.approx(np.std(values), rel=0.1)


def test_raters_who_toss_coins_agree_by_chance_only():
    rng = np.random.default_rng(1)
    held = []
    for _ in range(300):
        a, b = rng.integers(2, size=(2, 80)).tolist()
        found = gwet_ac2(a, b, (0, 1))
        held.append(found.low <= 0 <= found.high)
    assert np.mean(held) > 0.92


def test_full_agreement_is_one_and_leaves_something_open():
    found = gwet_ac2([0, 1] * 10, [0, 1] * 10, (0, 1))
    assert found.value == 1 == found.high
    # rule of three: at most 1 - .05 ** (1 / 20) = .139 may disagree; chance is .5
    assert found.low == pytest.approx((1 - 0.139 - 0.5) / 0.5, abs=2e-3)


def test_one_category_alone_is_full_agreement_not_a_division_by_nothing():
    assert gwet_ac2(["no"] * 9, ["no"] * 9, ("no", "yes")).value == 1


def test_full_disagreement_lies_below_nothing():
    assert gwet_ac2([0, 1] * 10, [1, 0] * 10, (0, 1)).value == pytest.approx(-1)


def test_weights_give_credit_for_near_misses():
    # three categories, all one step apart: linear credit 1/2, quadratic 3/4, identity none
    first, second = [0, 1, 1, 2] * 5, [1, 0, 2, 1] * 5
    identity, linear, quadratic = (
        gwet_ac2(first, second, (0, 1, 2), weights=w).value
        for w in ("identity", "linear", "quadratic")
    )
    assert identity < linear < quadratic
    # prevalence (1/4, 1/2, 1/4): sum pi (1 - pi) = .625; weights sum to 5; chance 5 / 6 * .625
    chance = 5 / 6 * 0.625
    assert linear == pytest.approx((0.5 - chance) / (1 - chance))


def test_what_cannot_be_rated_is_refused():
    with pytest.raises(EvidenceError, match="at least two"):
        gwet_ac2([0], [0], (0, 1))
    with pytest.raises(ValueError, match="none of the categories"):
        gwet_ac2([0, 2], [0, 1], (0, 1))
    with pytest.raises(ValueError, match="2 cases against 1"):
        raw_agreement([0, 1], [0])
    with pytest.raises(ValueError, match="two categories"):
        gwet_ac2([0, 0], [0, 0], (0,))
