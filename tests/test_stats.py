"""Intervals and tests against arithmetic, closed forms, other packages and simulated truth."""

import math
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from statsmodels.stats.proportion import confint_proportions_2indep

from tasks.errors import EvidenceError
from tasks.measures.stats.intervals import (
    GroupMeans,
    Interval,
    benjamini_hochberg,
    bonferroni,
    bootstrap_mean,
    difference,
    fisher_exact,
    folded,
    group_means,
    largest,
    mean_of,
    minus,
    more_texts,
    percentile,
    ratio,
    share,
    unseen,
    wilson,
)

Z2 = 1.959963984540054**2
COUNTS = [((30, 60), (40, 60)), ((15, 80), (60, 90)), ((150, 500), (200, 500)), ((9, 50), (48, 50))]


# --- one share ----------------------------------------------------------------------------


def test_the_wilson_interval_of_5_in_10_is_the_one_by_hand():
    # centre (5 + 3.8415/2) / (10 + 3.8415) = .5
    # half width 1.95996 * sqrt(10 * .5 * .5 + 3.8415/4) / 13.8415 = .26341
    assert wilson(5, 10) == pytest.approx((0.5, 0.23659, 0.76341), abs=1e-5)


@pytest.mark.parametrize(
    ("successes", "expected"),
    [
        pytest.param(0, (0, 0, Z2 / (10 + Z2)), id="none: [0, z2 / (n + z2)]"),
        pytest.param(10, (1, 10 / (10 + Z2), 1), id="all: [n / (n + z2), 1]"),
    ],
)
def test_at_the_ends_the_wilson_interval_still_has_a_width(successes, expected):
    assert wilson(successes, 10) == pytest.approx(expected, abs=1e-12)


def test_a_higher_level_gives_a_wider_interval():
    # z_0.995 = 2.575829: half width 2.575829 * sqrt(2.5 + 6.6349/4) / 16.6349 = .31577
    assert wilson(5, 10, level=0.99) == pytest.approx((0.5, 0.18423, 0.81577), abs=1e-5)


def test_a_share_of_nothing_is_refused():
    with pytest.raises(EvidenceError, match="no texts"):
        wilson(0, 0)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_wilson_interval_holds_its_value_and_stays_in_0_to_1(case):
    value, low, high = wilson(*case)
    assert 0 <= low <= value <= high <= 1
    assert low < high


def test_share_counts_the_true_values():
    assert share(np.array([True, False, True, True])) == wilson(3, 4)
    with pytest.raises(EvidenceError):
        share(np.array([], dtype=bool))


# --- two shares ---------------------------------------------------------------------------


def test_newcombes_own_example_of_a_difference():
    # Newcombe 1998, table II (a), method 10: 56/70 - 48/80 = .2, [.0524, .3339]
    assert difference((56, 70), (48, 80)) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


@pytest.mark.parametrize(("a", "b"), [*COUNTS, ((0, 20), (0, 30)), ((20, 20), (0, 30))])
@pytest.mark.parametrize("level", [0.95, 0.99])
def test_difference_agrees_with_statsmodels(a, b, level):
    oracle = confint_proportions_2indep(*a, *b, compare="diff", method="newcomb", alpha=1 - level)
    assert difference(a, b, level=level)[1:] == pytest.approx(oracle, abs=1e-9)


def test_a_difference_changes_its_sign_with_its_order():
    value, low, high = difference((56, 70), (48, 80))
    assert difference((48, 80), (56, 70)) == pytest.approx((-value, -high, -low), abs=1e-12)


def test_a_difference_to_an_empty_group_is_refused():
    with pytest.raises(EvidenceError):
        difference((1, 2), (0, 0))


@pytest.mark.parametrize(("a", "b"), [*COUNTS, ((15, 30), (3, 30)), ((20, 20), (3, 20))])
def test_ratio_lies_within_four_percent_of_statsmodels_score_interval(a, b):
    low, high = confint_proportions_2indep(*a, *b, compare="ratio", method="score")
    ours = ratio(a, b)
    assert ours.value == pytest.approx((a[0] / a[1]) / (b[0] / b[1]))
    assert ours.high == pytest.approx(high, rel=0.04)
    if (a, b) != ((20, 20), (3, 20)):
        assert ours.low == pytest.approx(low, rel=0.04)


def test_both_ends_of_a_ratio_solve_the_equation_that_defines_them():
    # MOVER: at its lower end R, (top - R bottom)^2 = (top - top.low)^2 + R^2 (bottom.high -
    # bottom)^2 with top - R bottom >= 0; at its upper end the other way round.
    for a, b in [*COUNTS, ((15, 30), (3, 30)), ((29, 30), (1, 30)), ((2, 40), (1, 40))]:
        top, bottom, r = wilson(*a), wilson(*b), ratio(a, b)
        below = math.hypot(top.value - top.low, r.low * (bottom.high - bottom.value))
        above = math.hypot(top.high - top.value, r.high * (bottom.value - bottom.low))
        assert top.value - r.low * bottom.value == pytest.approx(below, abs=1e-9)
        assert r.high * bottom.value - top.value == pytest.approx(above, abs=1e-9)


def test_five_times_the_rate_of_a_rare_reference_is_not_held_to_be_perhaps_nothing():
    # 15 of 30 against 3 of 30: the upper end of 3/30, .256, is above twice the share
    assert wilson(3, 30).high > 2 * 3 / 30
    assert ratio((15, 30), (3, 30)).low == pytest.approx(1.767, abs=5e-4)


def test_a_ratio_holds_where_nobody_in_the_group_was_selected():
    value, low, high = ratio((0, 50), (20, 50))
    _, oracle = confint_proportions_2indep(0, 50, 20, 50, compare="ratio", method="score")
    assert (value, low) == (0, 0)
    assert high == pytest.approx(oracle, rel=0.04)
    assert ratio((0, 30), (3, 30))[:2] == (0, 0)


def test_a_ratio_to_nobody_is_refused():
    with pytest.raises(EvidenceError, match="nobody in the reference group"):
        ratio((3, 10), (0, 10))
    with pytest.raises(EvidenceError):
        ratio((0, 0), (1, 10))


@given(
    st.tuples(st.integers(1, 300), st.floats(0, 1), st.integers(1, 300), st.floats(0, 1)).map(
        lambda t: ((round(t[0] * t[1]), t[0]), (max(1, round(t[2] * t[3])), t[2]))
    )
)
def test_every_ratio_lies_in_its_interval(case):
    value, low, high = ratio(*case)
    assert 0 <= low <= value <= high < math.inf


@pytest.mark.parametrize(
    ("interval", "truth"),
    [(difference, 0.3 - 0.5), (ratio, 0.3 / 0.5)],
    ids=["difference", "ratio"],
)
def test_95_percent_intervals_hold_the_truth_95_times_in_100(interval, truth):
    rng = np.random.default_rng(1)
    draws = zip(rng.binomial(60, 0.3, 2000), rng.binomial(60, 0.5, 2000), strict=True)
    found = [interval((int(a), 60), (int(b), 60)) for a, b in draws]
    covered = np.mean([low <= truth <= high for _, low, high in found])
    assert 0.93 <= covered <= 0.975  # standard error of the simulation .005
    below = np.mean([truth < low for _, low, _ in found])
    assert 0.01 <= below <= 0.04  # and it misses on both sides alike


# --- absolute, largest, jointly -----------------------------------------------------------


@pytest.mark.parametrize(
    ("signed", "expected"),
    [
        pytest.param((0.2, 0.1, 0.3), (0.2, 0.1, 0.3), id="above zero"),
        pytest.param((-0.2, -0.3, -0.1), (0.2, 0.1, 0.3), id="below zero"),
        pytest.param((-0.1, -0.3, 0.1), (0.1, 0.0, 0.3), id="straddling, longer below"),
        pytest.param((0.1, -0.1, 0.3), (0.1, 0.0, 0.3), id="straddling, longer above"),
        pytest.param((0.1, 0.0, 0.3), (0.1, 0.0, 0.3), id="touching zero"),
    ],
)
def test_a_signed_difference_is_folded_at_zero(signed, expected):
    assert folded(Interval(*signed)) == expected


def test_largest_takes_the_largest_of_each():
    parts = [Interval(0.1, 0.0, 0.5), Interval(0.3, 0.2, 0.4), Interval(0.2, 0.15, 0.25)]
    assert largest(parts) == (0.3, 0.2, 0.5)


def test_bonferroni_shares_the_error_out():
    # .05 / 5 = .01 for each of five
    assert bonferroni(0.95, 5) == pytest.approx(0.99)
    assert bonferroni(0.95, 1) == bonferroni(0.95, 0) == pytest.approx(0.95)


@pytest.mark.parametrize("truth", [(0.3, 0.4, 0.5, 0.6), (0.5, 0.5, 0.5, 0.5)], ids=["gap", "none"])
def test_the_largest_of_joint_intervals_holds_the_largest_gap(truth):
    rng = np.random.default_rng(2)
    pairs = [(i, j) for i in range(4) for j in range(i)]
    level = bonferroni(0.95, len(pairs))
    gap, covered = max(truth) - min(truth), 0
    known = lru_cache(maxsize=None)(lambda a, b: difference((a, 80), (b, 80), level=level))
    for k in rng.binomial(80, truth, (2000, 4)).tolist():
        _, low, high = largest([folded(known(k[i], k[j])) for i, j in pairs])
        covered += low <= gap <= high
    assert covered / 2000 >= 0.94


# --- bootstrap ----------------------------------------------------------------------------


def test_the_bootstrap_mean_of_many_values_is_the_one_of_normal_theory():
    values = np.random.default_rng(3).normal(5, 2, 3000)
    low, high = scipy_stats.norm.interval(0.95, values.mean(), values.std() / math.sqrt(3000))
    found = [bootstrap_mean(values, seed=seed) for seed in range(8)]
    assert {f.value for f in found} == {values.mean()}
    # one run of 2,000 resamples is off by about 4 % of the half width, the mean of eight by 1.5 %
    assert np.mean(found, axis=0)[1:] == pytest.approx((low, high), abs=0.05 * (high - low) / 2)


def test_a_higher_level_widens_the_bootstrap_as_normal_theory_says():
    values = np.random.default_rng(3).normal(0, 1, 2000)
    widths = [np.ptp(bootstrap_mean(values, seed=0, level=level)[1:]) for level in (0.8, 0.95)]
    assert widths[1] / widths[0] == pytest.approx(1.95996 / 1.28155, rel=0.06)


def test_the_bootstrap_leans_to_the_side_of_the_tail():
    values = np.random.default_rng(4).exponential(size=40)
    rng = np.random.default_rng(5)
    means = values[rng.integers(0, 40, (20000, 40))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])  # without bias correction and acceleration
    found = bootstrap_mean(values, seed=0)
    assert found.high > high
    assert found.low > low


@pytest.mark.parametrize("values", [[0.3], [0.25] * 7, [0.0] * 100, [1 / 3] * 9])
def test_equal_values_give_an_interval_without_width(values):
    value, low, high = bootstrap_mean(np.array(values), seed=0)
    assert low == value == high == pytest.approx(values[0])


@pytest.mark.parametrize("values", [[0, 1], [0, 0, 0, 1], [0] * 99 + [1], [1] * 99 + [0]])
def test_the_bootstrap_stands_few_and_lopsided_values(values):
    value, low, high = bootstrap_mean(np.array(values, dtype=float), seed=0)
    assert value == np.mean(values)
    assert 0 <= low <= value <= high <= 1
    assert low < high


def test_the_bootstrap_repeats_with_its_seed_and_refuses_no_texts():
    values = np.random.default_rng(0).normal(size=30)
    assert bootstrap_mean(values, seed=1) == bootstrap_mean(values, seed=1)
    assert bootstrap_mean(values, seed=1) != bootstrap_mean(values, seed=2)
    with pytest.raises(EvidenceError, match="no texts"):
        bootstrap_mean(np.array([]), seed=0)


GROUP = np.array(["b", "a", "a", "b", "b"])
COLUMNS = np.array([[1.0, 0], [0, 0], [1, 1], [0, 1], [1, 1]])


def test_group_means_by_hand():
    # a: rows 1, 2 -> (.5, .5); b: rows 0, 3, 4 -> (2/3, 2/3)
    found = group_means(COLUMNS, GROUP, seed=0, resamples=50)
    np.testing.assert_allclose(found.point, [[1 / 2, 1 / 2], [2 / 3, 2 / 3]])
    assert found.draws.shape == (50, 2, 2)
    assert set(np.round(found.draws[:, 0, 0] * 2)) == {0, 1, 2}  # two texts of a, always two
    np.testing.assert_allclose(found.draws * [[[2], [3]]] % 1, 0, atol=1e-12)


def test_drawn_means_of_hits_are_binomial():
    hits = np.array([[1.0]] * 80 + [[0.0]] * 120)
    found = group_means(hits, np.repeat("a", 200), seed=0)
    oracle = scipy_stats.binom.ppf([0.025, 0.975], 200, 0.4) / 200
    _, low, high = percentile(found, lambda m: m[..., 0, 0])
    assert (low, high) == pytest.approx(oracle, abs=0.0076)  # one text and a half
    assert found.draws.std() == pytest.approx(math.sqrt(0.4 * 0.6 / 200), rel=0.05)


def test_drawing_texts_that_are_alike_together_changes_no_distribution():
    # two columns of hits: their means, spreads and correlation are those of single texts
    columns = np.array([[1.0, 1], [1, 0], [0, 0], [0, 0], [1, 1]] * 40)
    draws = group_means(columns, np.repeat("a", 200), seed=0, resamples=20_000).draws[:, 0]
    assert draws.mean(axis=0) == pytest.approx([0.6, 0.4], abs=0.001)
    expected = np.cov(columns.T, bias=True) / 200
    np.testing.assert_allclose(np.cov(draws.T), expected, rtol=0.05)


def test_a_gap_of_group_means_agrees_with_a_bootstrap_in_a_plain_loop():
    rng = np.random.default_rng(6)
    group = np.array(["a"] * 40 + ["b"] * 70)
    column = rng.normal(size=110) + (group == "a")
    a, b = column[:40], column[40:]
    loop = [rng.choice(a, 40).mean() - rng.choice(b, 70).mean() for _ in range(4000)]
    means = group_means(column[:, None], group, seed=0)
    value, low, high = percentile(means, lambda m: m[..., 0, 0] - m[..., 1, 0])
    assert value == pytest.approx(a.mean() - b.mean())
    assert (low, high) == pytest.approx(np.quantile(loop, [0.025, 0.975]), abs=0.05)


def test_columns_are_paired_so_equal_columns_differ_by_exactly_nothing():
    column = np.random.default_rng(7).normal(size=90)
    means = group_means(np.stack([column, column, column + 1], 1), np.repeat("a", 90), seed=0)
    assert percentile(means, lambda m: m[..., 0, 0] - m[..., 0, 1]) == (0, 0, 0)
    # unpaired, the shift by 1 would be known to +- .29 only
    assert percentile(means, lambda m: m[..., 0, 2] - m[..., 0, 0]) == pytest.approx((1, 1, 1))


def test_percentile_reads_its_quantiles_and_always_holds_the_value():
    draws = np.linspace(0, 100, 101)[:, None, None]
    means = GroupMeans(np.array([[50.0]]), draws)
    assert percentile(means, lambda m: m[..., 0, 0]) == pytest.approx((50, 2.5, 97.5))
    assert percentile(means, lambda m: m[..., 0, 0], level=0.9) == pytest.approx((50, 5, 95))
    far = GroupMeans(np.array([[-3.0]]), draws)
    assert percentile(far, lambda m: m[..., 0, 0]) == pytest.approx((-3, -3, 97.5))


def test_group_means_of_no_texts_are_refused_and_seeds_repeat():
    with pytest.raises(EvidenceError, match="no texts"):
        group_means(np.empty((0, 2)), np.array([]), seed=0)
    one, same, other = (group_means(COLUMNS, GROUP, seed=s).draws for s in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


# --- what was not seen, tests, more texts -------------------------------------------------


@pytest.mark.parametrize(("n", "expected"), [(1, 0.95), (10, 0.25887), (60, 0.04870)])
def test_unseen_is_the_share_at_which_seeing_nothing_has_probability_5_percent(n, expected):
    # n = 10: 1 - .05 ** (1/10) = .25887, and (1 - .25887) ** 10 = .05
    assert unseen(n) == pytest.approx(expected, abs=1e-5)
    assert (1 - unseen(n)) ** n == pytest.approx(0.05)


def test_unseen_is_about_three_over_n():
    assert unseen(1000) * 1000 == pytest.approx(3, abs=0.01)
    assert unseen(100, level=0.99) > unseen(100)


def test_fishers_own_examples():
    # the lady who tasted 3 of 4 and 1 of 4: (16 + 16 + 1 + 1) / 70 = .4857
    assert fisher_exact((3, 4), (1, 4)) == pytest.approx(34 / 70)
    # Fisher 1962: convicted 2 of 17 dizygotic and 10 of 13 monozygotic twins
    assert fisher_exact((2, 17), (10, 13)) == pytest.approx(0.0005367, abs=1e-7)


def test_equal_shares_have_p_1():
    assert fisher_exact((10, 20), (10, 20)) == pytest.approx(1)
    assert fisher_exact((0, 20), (0, 30)) == 1


def test_benjamini_hochberg_by_hand():
    # p * 4 / rank: .04, .04, .04, .04
    assert benjamini_hochberg([0.01, 0.02, 0.03, 0.04]) == pytest.approx([0.04] * 4)
    # ranks 3, 1, 2: .04, .003, .045 -> the second may not exceed the third: .04
    assert benjamini_hochberg([0.04, 0.001, 0.03]) == pytest.approx([0.04, 0.003, 0.04])
    assert benjamini_hochberg([0.2]) == [0.2]
    assert benjamini_hochberg([]) == []


def test_benjamini_hochberg_keeps_false_discoveries_at_5_percent():
    rng = np.random.default_rng(8)
    wrong = []
    for _ in range(500):
        p = np.concatenate([rng.uniform(size=30), rng.uniform(0, 1e-4, size=10)])
        found = np.array(benjamini_hochberg(p.tolist())) <= 0.05
        assert found[30:].all()
        wrong.append(found[:30].sum() / found.sum())
    assert np.mean(wrong) <= 0.05


@pytest.mark.parametrize(
    ("successes", "n", "line"), [(30, 50, 0.5), (35, 100, 0.4), (172, 200, 0.9)]
)
def test_with_the_texts_asked_for_the_interval_clears_the_line_about_four_times_in_five(
    successes, n, line
):
    found = wilson(successes, n)
    assert found.low < line < found.high
    total = n + more_texts(found, line, n)
    drawn = np.random.default_rng(9).binomial(total, successes / n, 1500)
    ends = [wilson(int(k), total)[1:] for k in drawn]
    decided = np.mean([low > line if found.value > line else high < line for low, high in ends])
    assert decided == pytest.approx(0.8, abs=0.1)


def test_more_texts_by_hand():
    # standard error .1 (half width .196), distance .1: n' = 100 * ((1.95996 + .84162) * 1) ** 2
    # = 784.9, so 685 more
    assert more_texts(Interval(0.6, 0.404, 0.796), 0.5, 100) == 685
    # twice as far away: 784.9 / 4 = 196.2
    assert more_texts(Interval(0.7, 0.504, 0.896), 0.5, 100) == 97


def test_more_texts_knows_what_no_number_decides():
    assert more_texts(Interval(0.5, 0.4, 0.6), 0.5, 100) is None
    assert more_texts(Interval(0.6, 0.6, 0.6), 0.5, 100) is None
    assert more_texts(Interval(0.9, 0.89, 0.91), 0.5, 100) == 1


# --- combining intervals ------------------------------------------------------------------


def test_minus_by_hand():
    # 3 and 4 below, so 5; 5 and 12 above, so 13
    a, b = Interval(10.0, 7.0, 15.0), Interval(2.0, -10.0, 6.0)
    assert minus(a, b) == pytest.approx((8.0, 3.0, 21.0))


def test_mean_of_by_hand():
    # 3 and 4 below, 6 and 8 above, half of each
    assert mean_of([Interval(10.0, 7, 16), Interval(20.0, 16, 28)]) == pytest.approx((15, 12.5, 20))
    assert mean_of([Interval(0.3, 0.1, 0.4)]) == pytest.approx((0.3, 0.1, 0.4))
    with pytest.raises(EvidenceError, match="no quantities"):
        mean_of([])


@pytest.mark.parametrize(
    ("p", "n", "least"),
    [
        ((0.6, 0.7), 30, 0.935),
        ((0.9, 0.5, 0.7), 60, 0.935),
        ((0.97, 0.97), 40, 0.905),  # few shares are possible so near 1
    ],
)
def test_the_mean_of_shares_is_covered(p, n, least):
    rng = np.random.default_rng(8)
    hits = rng.binomial(n, p, size=(1000, len(p)))
    found = [mean_of([wilson(int(h), n) for h in row]) for row in hits]
    covered = np.mean([low <= np.mean(p) <= high for _, low, high in found])
    assert least <= covered <= 0.98
    all_right = mean_of([wilson(n, n)] * 2)
    assert all_right.high == 1 > all_right.low
