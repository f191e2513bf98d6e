"""Gaps between groups: by hand, against fairlearn, and with a gap planted or not."""

import numpy as np
import pytest
from fairlearn import metrics
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import precision_score

from tasks.errors import EvidenceError
from tasks.measures.fairness.calibration import (
    bins,
    calibration,
    calibration_difference,
    calibration_interval,
    calibration_p,
    expected_calibration_error,
)
from tasks.measures.fairness.group_rates import (
    Count,
    adverse_impact_ratio,
    complement,
    counts,
    demographic_parity_ratio,
    largest_gap,
    largest_group,
    mean_gap,
    most_selected,
    rates,
    ratio_to_most_selected,
    selection_p,
)
from tasks.measures.stats.intervals import difference, ratio, tukey, wilson
from tasks.measures.stats.permutation import below_best_p, equal_shares_p

TABLE = {"a": Count(30, 50), "b": Count(40, 50), "c": Count(16, 40)}  # rates .6, .8, .4


def drawn(seed, n=400):
    rng = np.random.default_rng(seed)
    group = np.array(["a", "b", "c", "d"])[rng.integers(0, 4, n)]
    return rng.random(n) < 0.5, rng.random(n) < 0.3 + 0.1 * (group == "b"), group


def drawn_counts(rng, rates, n):
    """One table of groups `a`, `b`, ... with these true rates."""
    return {g: Count(int(rng.binomial(n, rate)), n) for g, rate in zip("abcd", rates, strict=False)}


COUNTS = st.lists(
    st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    min_size=2,
    max_size=5,
).map(lambda cells: {f"g{i}": Count(*cell) for i, cell in enumerate(cells)})


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
    assert most_selected(of) == expected


def test_without_anyone_selected_there_is_no_reference_group():
    with pytest.raises(EvidenceError, match="nobody was selected in any group: a, b"):
        most_selected({"a": Count(0, 5), "b": Count(0, 7)})
    with pytest.raises(EvidenceError, match="nobody was selected in any group: a, b"):
        ratio_to_most_selected({"a": Count(0, 5), "b": Count(0, 7)})


def test_the_largest_group_is_the_one_of_most_texts_then_the_first_by_name():
    assert largest_group(TABLE) == "a"
    assert largest_group({"a": Count(9, 9), "b": Count(0, 10)}) == "b"


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
    # .8 - .4 = .4, between b and c; three pairs share the error: 3.314 / sqrt(2) = 2.344 each
    found = largest_gap(TABLE)
    joint = difference((40, 50), (16, 40), level=1 - 2 * stats.norm.sf(3.3145 / 2**0.5))
    assert found == pytest.approx(joint, abs=1e-5)
    assert found.value == pytest.approx(0.4)


def test_equalized_odds_difference_takes_the_worse_of_both_rates():
    near = {"a": Count(9, 10), "b": Count(8, 10)}  # .1
    far = {"a": Count(1, 10), "b": Count(4, 10)}  # .3
    assert largest_gap(near, far).value == pytest.approx(0.3)
    assert largest_gap(far, near) == largest_gap(near, far)
    # two pairs share the error
    assert largest_gap(near, far).high == pytest.approx(
        difference((4, 10), (1, 10), level=0.975).high
    )


@pytest.mark.parametrize("seed", range(5))
def test_values_are_fairlearns(seed):
    truth, selected, group = drawn(seed)
    of = counts(selected, group)
    kept = {"sensitive_features": group}
    assert largest_gap(of).value == pytest.approx(
        metrics.demographic_parity_difference(truth, selected, **kept)
    )
    assert largest_gap(*tables(truth, selected, group)).value == pytest.approx(
        metrics.equalized_odds_difference(truth, selected, **kept)
    )
    parity = pytest.approx(metrics.demographic_parity_ratio(truth, selected, **kept))
    assert min(i.value for i in ratio_to_most_selected(of).values()) == parity
    assert min(i.value for i in adverse_impact_ratio(of, most_selected(of)).values()) == parity
    assert demographic_parity_ratio(of).value == parity
    positive, negative = tables(truth, selected, group)
    assert largest_gap(positive).value == pytest.approx(
        metrics.equal_opportunity_difference(truth, selected, **kept)
    )
    frame = metrics.MetricFrame(
        metrics={
            "tpr": metrics.true_positive_rate,
            "fnr": metrics.false_negative_rate,
            "fpr": metrics.false_positive_rate,
            "tnr": metrics.true_negative_rate,
            "ppv": precision_score,
        },
        y_true=truth,
        y_pred=selected,
        **kept,
    )
    ours = {
        "tpr": positive,
        "fnr": complement(positive),
        "fpr": negative,
        "tnr": complement(negative),
        "ppv": counts(truth[selected], group[selected]),
    }
    for name, table in ours.items():
        found = {g: i.value for g, i in rates(table).items()}
        assert found == pytest.approx(frame.by_group[name].to_dict())
    assert largest_gap(ours["ppv"]).value == pytest.approx(frame.difference()["ppv"])
    for g, rate in rates(of).items():
        own = group == g
        assert rate.value == pytest.approx(metrics.selection_rate(truth[own], selected[own]))


@pytest.mark.parametrize("one", [{}, {"a": Count(1, 2)}])
def test_a_gap_needs_two_groups(one):
    with pytest.raises(EvidenceError, match="two groups"):
        largest_gap(one)
    with pytest.raises(EvidenceError, match="two groups"):
        largest_gap(TABLE, one)


def test_a_planted_gap_is_found_and_where_none_is_planted_none_is_found():
    rng = np.random.default_rng(0)

    def gaps(truth):
        tables = [
            {g: Count(int(k), 120) for g, k in zip("abc", row, strict=True)}
            for row in rng.binomial(120, truth, (300, 3))
        ]
        return np.mean([largest_gap(t).low > 0 for t in tables])

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
            found[planted] += largest_gap(fair, negative).low > 0
    assert found[False] / 300 <= 0.05
    assert found[True] / 300 >= 0.95


def test_four_fifths_fails_where_planted_and_not_where_the_rates_are_equal():
    rng = np.random.default_rng(2)

    def below(truth):
        found = [ratio_to_most_selected(drawn_counts(rng, truth, 200)) for _ in range(300)]
        return np.mean([any(i.high < 0.8 for i in ratios.values()) for ratios in found])

    assert below([0.5, 0.5, 0.5]) <= 0.05
    assert below([0.6, 0.6, 0.3]) >= 0.95


# --- the best group is chosen after looking -------------------------------------------------


def test_with_two_groups_the_choice_of_the_better_one_costs_nothing():
    clear = ratio_to_most_selected({"a": Count(30, 60), "b": Count(50, 70)})
    assert clear["a"] == pytest.approx(ratio((30, 60), (50, 70)))
    assert clear["b"] == (1.0, 1.0, 1.0)
    near = ratio_to_most_selected({"a": Count(30, 60), "b": Count(36, 70)})
    assert near["b"].low < 1.0 == near["b"].high  # which one is the better is not sure either


def test_a_ratio_to_the_best_is_the_smallest_of_the_ratios_to_all_others_by_hand():
    found = ratio_to_most_selected(TABLE)
    joint = tukey(0.95, 3)
    assert {g: i.value for g, i in found.items()} == pytest.approx({"a": 0.75, "b": 1, "c": 0.5})
    assert found["c"].high == pytest.approx(ratio(TABLE["c"], TABLE["b"], level=joint).high)
    assert demographic_parity_ratio(TABLE) == pytest.approx(found["c"])


def test_a_group_of_which_nobody_was_selected_leaves_the_others_their_ratio():
    found = ratio_to_most_selected({"a": Count(20, 40), "b": Count(30, 40), "none": Count(0, 40)})
    assert found["none"][:2] == (0.0, 0.0)
    assert found["none"].high < 0.4
    assert found["a"].value == pytest.approx(2 / 3)


@given(COUNTS.filter(lambda of: any(c.selected for c in of.values())))
def test_ratios_to_the_best_are_shares_of_it_and_their_intervals_hold_them(of):
    found = ratio_to_most_selected(of)
    assert found[most_selected(of)].value == 1.0
    for interval in (*found.values(), demographic_parity_ratio(of)):
        assert 0 <= interval.low <= interval.value <= interval.high <= 1


@given(COUNTS)
def test_a_rate_and_its_complement_have_the_same_gap(of):
    assert largest_gap(complement(of)) == pytest.approx(largest_gap(of))


@pytest.mark.parametrize(("groups", "n"), [(2, 50), (3, 100), (4, 100), (4, 250)])
def test_ratios_to_the_best_cover_one_where_all_groups_are_equal(groups, n):
    """Wrong in at most 5.6 % by the docstring; 500 tables may show 2.6 standard errors more."""
    rng = np.random.default_rng(3)
    found = [
        ratio_to_most_selected(drawn_counts(rng, [0.5] * groups, n)).values() for _ in range(500)
    ]
    wrong = np.mean([any(i.high < 1 for i in ratios) for ratios in found])
    assert wrong <= 0.056 + 2.6 * (0.056 * 0.944 / 500) ** 0.5


@pytest.mark.parametrize("truth", [[0.5, 0.4], [0.5, 0.5, 0.4], [0.5, 0.45, 0.4, 0.3]])
def test_ratios_to_the_truly_best_group_are_covered_jointly(truth):
    rng = np.random.default_rng(4)
    theta = dict(zip("abcd", np.array(truth) / max(truth), strict=False))
    covered = [
        all(
            i.low - 1e-9 <= theta[g] <= i.high + 1e-9
            for g, i in ratio_to_most_selected(drawn_counts(rng, truth, 100)).items()
        )
        for _ in range(500)
    ]
    assert np.mean(covered) >= 0.93


def test_the_studentized_range_with_two_groups_is_the_usual_level():
    assert tukey(0.95, 2) == pytest.approx(0.95)
    assert tukey(0.95, 3) == pytest.approx(1 - 2 * stats.norm.sf(3.3145 / 2**0.5), abs=1e-5)
    assert tukey(0.95, 4) < 1 - 0.05 / 6


# --- tests ----------------------------------------------------------------------------------


def test_with_two_groups_the_permutation_test_is_fishers():
    of = {"a": Count(30, 60), "b": Count(45, 60)}
    exact = stats.fisher_exact([[30, 30], [45, 15]]).pvalue
    assert equal_shares_p(of, seed=0) == pytest.approx(exact, abs=0.004)
    assert below_best_p(of, seed=0)["a"] == pytest.approx(exact, abs=0.004)


def test_tests_of_equal_shares_alarm_as_often_as_stated_and_find_what_is_planted():
    rng = np.random.default_rng(5)

    def share(truth, n=80):
        found = []
        for seed in range(300):
            of = drawn_counts(rng, truth, n)
            p = below_best_p(of, seed=seed, permutations=499)
            found.append((equal_shares_p(of, seed=seed, permutations=499), min(p.values())))
        return np.mean(np.array(found) <= 0.05, axis=0)

    assert (share([0.4] * 4) <= 0.08).all()
    assert (share([0.5, 0.5, 0.5, 0.2]) >= 0.95).all()


def test_a_test_over_two_tables_sees_the_one_with_the_gap():
    fair, unfair = {"a": Count(40, 50), "b": Count(40, 50)}, {"a": Count(5, 50), "b": Count(25, 50)}
    assert equal_shares_p(fair, seed=0) == 1.0
    assert equal_shares_p(fair, unfair, seed=0) < 0.001


@pytest.mark.parametrize("k", [0, 40])
def test_where_all_are_decided_alike_nothing_is_unlikely(k):
    of = {"a": Count(k, 40), "b": Count(k, 40)}
    assert equal_shares_p(of, seed=0) == 1.0
    assert below_best_p(of, seed=0) == {"a": 1.0, "b": 1.0}


def test_a_test_needs_two_groups():
    with pytest.raises(EvidenceError, match="two groups, got: a"):
        equal_shares_p({"a": Count(1, 2)}, seed=0)
    with pytest.raises(EvidenceError, match="needs a table"):
        equal_shares_p(seed=0)


# --- calibration ----------------------------------------------------------------------------


def test_expected_calibration_error_by_hand():
    probability = np.array([0.15, 0.15, 0.92, 0.98, 1.0])
    outcome = np.array([True, False, True, True, False])
    # bin .1: |1 - .3| = .7; last bin: |2 - 2.9| = .9; over five texts
    assert list(bins(probability)) == [1, 1, 9, 9, 9]
    assert expected_calibration_error(probability, outcome) == pytest.approx(1.6 / 5)


def stated(rng, n, *, pulled=1.0):
    """Probabilities, and outcomes drawn at them or, `pulled` below 1, nearer to one half."""
    p = rng.beta(0.7, 0.7, n)
    return p, rng.random(n) < 0.5 + pulled * (p - 0.5)


def test_a_calibrated_group_is_found_so_and_a_miscalibrated_one_is_not():
    rng = np.random.default_rng(6)

    def above(pulled):
        found = [calibration(*stated(rng, 150, pulled=pulled), seed=s) for s in range(150)]
        return np.mean([calibration_interval(c).low > 0 for c in found])

    assert above(1.0) <= 0.05 + 2 * (0.05 * 0.95 / 150) ** 0.5
    assert above(0.3) >= 0.95


def test_a_gap_in_calibration_is_found_where_planted_and_not_where_groups_differ_in_size_only():
    rng = np.random.default_rng(7)

    def found(pulled):
        a, b = stated(rng, 300, pulled=pulled), stated(rng, 600)
        group = np.repeat(["a", "b"], [300, 600])
        p, outcome = np.concatenate([a[0], b[0]]), np.concatenate([a[1], b[1]])
        gap = calibration_difference({"a": calibration(*a, seed=0), "b": calibration(*b, seed=0)})
        return gap, calibration_p(p, outcome, group, seed=0)

    gap, p = found(0.2)
    assert (gap.low > 0, p < 0.01) == (True, True)
    even = [found(1.0) for _ in range(30)]
    assert not any(gap.low > 0 for gap, _ in even)
    assert sum(p < 0.05 for _, p in even) <= 4


def test_calibration_needs_texts_and_two_groups():
    with pytest.raises(EvidenceError, match="no texts"):
        expected_calibration_error(np.array([]), np.array([], dtype=bool))
    with pytest.raises(EvidenceError, match="two groups, got: a"):
        calibration_difference({"a": calibration(np.array([0.5]), np.array([True]), seed=0)})


# --- the mean gap of several tables -------------------------------------------------------


def test_the_mean_gap_is_the_mean_of_the_gaps_and_of_their_ends():
    even = {"a": Count(20, 50), "b": Count(20, 50)}
    parts = [largest_gap(TABLE), largest_gap(even)]
    assert mean_gap([TABLE, even]) == pytest.approx([np.mean(ends) for ends in zip(*parts)])  # noqa: B905
    assert mean_gap([TABLE]) == largest_gap(TABLE)
    with pytest.raises(EvidenceError, match="no tables"):
        mean_gap([])


@pytest.mark.parametrize("gap", [0.0, 0.02, 0.3])
def test_the_mean_gap_is_covered_where_the_same_texts_stand_behind_all_tables(gap):
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        tables = []
        a, b = rng.random(200), rng.random(200)
        for _ in range(5):  # a tenth of the texts is decided anew in every table
            new = rng.random((2, 200)) < 0.1
            x, y = (np.where(m, rng.random(200), t) for m, t in zip(new, (a, b), strict=True))
            one = Count(int((x < 0.4 + gap).sum()), 200), Count(int((y < 0.4).sum()), 200)
            tables.append({"a": one[0], "b": one[1]})
        _, low, high = mean_gap(tables)
        covered += low - 1e-9 <= gap <= high
    assert covered / 400 >= (0.93 if gap else 0.8)
