"""Gaps between groups: by hand, against fairlearn, and with a gap planted or not."""

import numpy as np
import pytest
from fairlearn import metrics

from tasks.errors import EvidenceError
from tasks.measures.fairness import (
    Count,
    adverse_impact_ratio,
    counts,
    demographic_parity_difference,
    equalized_odds_difference,
    rates,
    reference_group,
    selection_p,
)
from tasks.measures.stats import difference, wilson

TABLE = {"a": Count(30, 50), "b": Count(40, 50), "c": Count(16, 40)}  # rates .6, .8, .4


def drawn(seed, n=400):
    rng = np.random.default_rng(seed)
    group = np.array(["a", "b", "c", "d"])[rng.integers(0, 4, n)]
    return rng.random(n) < 0.5, rng.random(n) < 0.3 + 0.1 * (group == "b"), group


def tables(truth, selected, group):
    return counts(selected[truth], group[truth]), counts(selected[~truth], group[~truth])


def test_counts_by_hand():
    selected = np.array([True, False, True, True])
    assert counts(selected, np.array(["b", "a", "b", "a"])) == {"a": (1, 2), "b": (2, 2)}
    assert list(counts(selected, np.array(["z", "a", "m", "a"]))) == ["a", "m", "z"]


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        pytest.param(TABLE, "b", id="the highest rate"),
        pytest.param({"a": Count(1, 2), "b": Count(5, 10)}, "b", id="tie: the larger"),
        pytest.param({"z": Count(1, 2), "b": Count(1, 2)}, "b", id="tie of size: the name"),
        pytest.param({"a": Count(0, 90), "b": Count(1, 90)}, "b", id="one selected at all"),
    ],
)
def test_the_group_others_are_held_against(of, expected):
    assert reference_group(of) == expected


def test_without_anyone_selected_there_is_no_reference_group():
    with pytest.raises(EvidenceError, match="nobody was selected in any group: a, b"):
        reference_group({"a": Count(0, 5), "b": Count(0, 7)})


def test_adverse_impact_ratio_by_hand():
    found = adverse_impact_ratio(TABLE, "b")
    # .6 / .8 = .75, .4 / .8 = .5
    assert {g: i.value for g, i in found.items()} == pytest.approx({"a": 0.75, "c": 0.5})
    assert all(i.low < i.value < i.high for i in found.values())
    assert found["c"].high < 0.8 < found["a"].high  # c is surely below four fifths, a is not


def test_an_impact_ratio_to_nobody_is_refused():
    with pytest.raises(EvidenceError):
        adverse_impact_ratio({"a": Count(3, 9), "b": Count(0, 9)}, "b")


def test_rates_are_shares_with_their_wilson_interval():
    assert rates(TABLE) == {"a": wilson(30, 50), "b": wilson(40, 50), "c": wilson(16, 40)}


def test_selection_p_holds_every_other_group_against_the_reference():
    found = selection_p({"tea": Count(3, 4), "milk": Count(1, 4), "x": Count(3, 4)}, "tea")
    assert found == pytest.approx({"milk": 34 / 70, "x": 1})


def test_demographic_parity_difference_by_hand():
    # .8 - .4 = .4, between b and c; three pairs share the error: 1 - .05 / 3 each
    found = demographic_parity_difference(TABLE)
    joint = difference((40, 50), (16, 40), level=1 - 0.05 / 3)
    assert found == pytest.approx(joint)
    assert found.value == pytest.approx(0.4)


def test_equalized_odds_difference_takes_the_worse_of_both_rates():
    near = {"a": Count(9, 10), "b": Count(8, 10)}  # .1
    far = {"a": Count(1, 10), "b": Count(4, 10)}  # .3
    assert equalized_odds_difference(near, far).value == pytest.approx(0.3)
    assert equalized_odds_difference(far, near) == equalized_odds_difference(near, far)
    # two pairs share the error
    assert equalized_odds_difference(near, far).high == pytest.approx(
        difference((4, 10), (1, 10), level=0.975).high
    )


@pytest.mark.parametrize("seed", range(5))
def test_values_are_fairlearns(seed):
    truth, selected, group = drawn(seed)
    of = counts(selected, group)
    kept = {"sensitive_features": group}
    assert demographic_parity_difference(of).value == pytest.approx(
        metrics.demographic_parity_difference(truth, selected, **kept)
    )
    assert equalized_odds_difference(*tables(truth, selected, group)).value == pytest.approx(
        metrics.equalized_odds_difference(truth, selected, **kept)
    )
    ratios = adverse_impact_ratio(of, reference_group(of))
    assert min(i.value for i in ratios.values()) == pytest.approx(
        metrics.demographic_parity_ratio(truth, selected, **kept)
    )
    for g, rate in rates(of).items():
        own = group == g
        assert rate.value == pytest.approx(metrics.selection_rate(truth[own], selected[own]))


@pytest.mark.parametrize("one", [{}, {"a": Count(1, 2)}])
def test_a_gap_needs_two_groups(one):
    with pytest.raises(EvidenceError, match="two groups"):
        demographic_parity_difference(one)
    with pytest.raises(EvidenceError, match="two groups"):
        equalized_odds_difference(TABLE, one)


def test_a_planted_gap_is_found_and_where_none_is_planted_none_is_found():
    rng = np.random.default_rng(0)

    def gaps(truth):
        tables = [
            {g: Count(int(k), 120) for g, k in zip("abc", row, strict=True)}
            for row in rng.binomial(120, truth, (300, 3))
        ]
        return np.mean([demographic_parity_difference(t).low > 0 for t in tables])

    assert gaps([0.5, 0.5, 0.5]) <= 0.05  # false alarms
    assert gaps([0.6, 0.3, 0.6]) >= 0.95


def test_a_planted_gap_in_one_rate_only_is_found_by_equalized_odds():
    rng = np.random.default_rng(1)
    fair = {"a": Count(90, 100), "b": Count(91, 100)}
    found = {True: 0, False: 0}
    for planted in found:
        for _ in range(300):
            k = rng.binomial(100, [0.1, 0.4 if planted else 0.1])
            negative = {"a": Count(int(k[0]), 100), "b": Count(int(k[1]), 100)}
            found[planted] += equalized_odds_difference(fair, negative).low > 0
    assert found[False] / 300 <= 0.05
    assert found[True] / 300 >= 0.95


def test_four_fifths_fails_where_planted_and_not_where_the_rates_are_equal():
    rng = np.random.default_rng(2)

    def below(truth):
        found = 0
        for row in rng.binomial(200, truth, (300, 3)):
            of = {g: Count(int(k), 200) for g, k in zip("abc", row, strict=True)}
            ratios = adverse_impact_ratio(of, reference_group(of))
            found += any(i.high < 0.8 for i in ratios.values())
        return found / 300

    assert below([0.5, 0.5, 0.5]) <= 0.05
    assert below([0.6, 0.6, 0.3]) >= 0.95
