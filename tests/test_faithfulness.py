"""Erasing words: by hand, and true order > random > inverted on a scorer whose words we know."""

import numpy as np
import pytest
import torch
from captum.metrics import infidelity as captum_infidelity
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import EvidenceError
from tasks.measures.attribution.faithfulness import (
    by_attribution,
    comprehensiveness,
    earns_its_place,
    infidelity_parts,
    random_orders,
    removal_sets,
    sufficiency,
    top,
)
from tasks.measures.stats.intervals import bootstrap_mean

WEIGHTS = torch.tensor([0.5, 3.0, -2.0, 1.0, 0.0, 2.0, -1.0, 0.2, 0.1, 0.4])
SHARES = (0.1, 0.2, 0.3, 0.5)
FULL = torch.sigmoid(WEIGHTS.sum())[None]


def dropped(order):
    """Probability of a bag of words without, and with only, the top words of `order`."""
    without, only = [], []
    for share in SHARES:
        chosen = torch.zeros(len(WEIGHTS))
        chosen[top(order, share)] = 1
        without.append(torch.sigmoid(WEIGHTS @ (1 - chosen)))
        only.append(torch.sigmoid(WEIGHTS @ chosen))
    return torch.stack(without)[:, None], torch.stack(only)[:, None]


def both(order):
    without, only = dropped(order)
    return comprehensiveness(FULL, without).item(), sufficiency(FULL, only).item()


@pytest.mark.parametrize("measure", [comprehensiveness, sufficiency])
def test_the_mean_drop_by_hand(measure):
    full = torch.tensor([0.9, 0.5])
    changed = torch.tensor([[0.5, 0.5], [0.1, 0.9]])
    # ((.9 - .5) + (.9 - .1)) / 2 = .6;  ((.5 - .5) + (.5 - .9)) / 2 = -.2
    torch.testing.assert_close(measure(full, changed), torch.tensor([0.6, -0.2]))


@pytest.mark.parametrize("measure", [comprehensiveness, sufficiency])
@pytest.mark.parametrize(
    "changed", [torch.zeros(4, 3), torch.zeros(2), torch.zeros(2, 4, 1)], ids=["texts", "1d", "3d"]
)
def test_shapes_that_disagree_are_refused_by_name(measure, changed):
    with pytest.raises(ValueError, match=rf"{measure.__name__}: expected .* got \(2,\)"):
        measure(torch.zeros(2), changed)


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        pytest.param(0.1, 1, id="a tenth of ten"),
        pytest.param(0.11, 2, id="rounded up"),
        pytest.param(0.3, 3, id="three tenths of ten"),
        pytest.param(0.001, 1, id="at least one"),
        pytest.param(1.0, 10, id="all"),
    ],
)
def test_top_takes_the_first_share_rounded_up(share, expected):
    assert top(range(10), share) == list(range(expected))


def test_round_off_in_the_share_takes_no_further_word():
    assert 0.07 * 100 > 7  # 7.000000000000001
    assert len(top(range(100), 0.07)) == 7


def test_top_of_no_words_is_none():
    assert top([], 0.5) == []


def test_words_are_ordered_from_for_to_against_and_ties_by_position():
    assert by_attribution([0.1, -3.0, 2.0, 0.1, 0.0]) == [2, 0, 3, 4, 1]


def test_random_orders_are_permutations_that_differ_and_repeat_with_their_seed():
    orders = random_orders(8, 5, seed=1)
    assert len(orders) == 5
    assert all(sorted(o) == list(range(8)) for o in orders)
    assert len({tuple(o) for o in orders}) == 5
    assert [list(o) for o in random_orders(8, 5, seed=1)] == [list(o) for o in orders]
    assert [list(o) for o in random_orders(8, 5, seed=2)] != [list(o) for o in orders]


def test_random_orders_put_every_word_everywhere_equally_often():
    first = [o[0] for o in random_orders(4, 2000, seed=0)]
    assert [first.count(i) / 2000 for i in range(4)] == pytest.approx([0.25] * 4, abs=0.04)


def test_the_true_order_beats_random_ones_and_these_beat_the_inverted_one():
    true = by_attribution(WEIGHTS.tolist())
    chance = [both([int(i) for i in o]) for o in random_orders(len(WEIGHTS), 50, seed=0)]
    comprehensive, sufficient = (sum(c) / 50 for c in zip(*chance, strict=True))
    assert both(true)[0] > comprehensive + 0.1 > comprehensive - 0.05 > both(true[::-1])[0]
    assert both(true)[1] < sufficient - 0.1 < sufficient + 0.05 < both(true[::-1])[1]


def test_no_order_drops_more_than_the_true_one():
    best = both(by_attribution(WEIGHTS.tolist()))[0]
    assert all(both([int(i) for i in o])[0] <= best for o in random_orders(10, 200, seed=3))


# --- infidelity ---------------------------------------------------------------------------

LINEAR = np.array([2.0, -1.0, 0.5, 3.0])


def infidelity(values, removed, fall, **options):
    """Of one text, relative to attributing nothing."""
    error, square = infidelity_parts(values, removed, fall, **options)
    return error / square


def test_relative_infidelity_by_hand():
    removed = np.array([[True, False], [False, True]])
    fall = np.array([1.0, 2.0])
    # predicted 1 and 0: errors 0 and 4, squares 1 and 4
    assert infidelity_parts([1.0, 0.0], removed, fall) == (2.0, 2.5)
    assert infidelity([1.0, 0.0], removed, fall) == 0.8


def test_the_true_weights_of_a_linear_scorer_predict_every_removal():
    removed = removal_sets(4, 50, seed=0)
    assert infidelity(LINEAR, removed, removed @ LINEAR) == pytest.approx(0)
    assert infidelity(7 * LINEAR, removed, removed @ LINEAR) == pytest.approx(36)
    assert infidelity(7 * LINEAR, removed, removed @ LINEAR, normalised=True) == pytest.approx(0)


@pytest.mark.parametrize("normalised", [False, True])
def test_attributing_nothing_is_exactly_one(normalised):
    removed = removal_sets(4, 50, seed=0)
    assert infidelity(np.zeros(4), removed, removed @ LINEAR, normalised=normalised) == 1


def test_no_scale_redeems_an_attribution_upside_down():
    removed = removal_sets(4, 50, seed=0)
    fall = removed @ np.abs(LINEAR)
    assert infidelity(-np.abs(LINEAR), removed, fall, normalised=True) == 1


def test_nothing_to_predict_has_no_infidelity():
    assert infidelity_parts([1.0, 2.0], removal_sets(2, 5, seed=0), np.zeros(5)).square == 0


def test_random_attribution_is_worse_than_none():
    rng = np.random.default_rng(0)
    found, scaled = [], []
    for seed in range(200):
        weights, guess = rng.normal(size=(2, 10))
        removed = removal_sets(10, 64, seed=seed)
        found.append(infidelity(guess, removed, removed @ weights))
        scaled.append(infidelity(guess, removed, removed @ weights, normalised=True))
    assert bootstrap_mean(np.array(found), seed=0).low > 1
    assert 0.7 < np.mean(scaled) <= 1


@pytest.mark.parametrize("normalised", [False, True])
def test_infidelity_is_captums(normalised):
    rng = np.random.default_rng(1)
    weights = torch.tensor(rng.normal(size=6))
    removed = removal_sets(6, 40, seed=3)

    def score(present):
        return torch.tanh(present @ weights) + present[:, 0] * present[:, 1]

    whole = torch.ones(1, 6, dtype=torch.float64)
    gone = torch.tensor(removed, dtype=torch.float64)
    fall = (score(whole) - score(1 - gone)).numpy()
    values = weights + 0.3
    expected = captum_infidelity(
        score,
        lambda inputs: (gone, inputs - gone),
        whole,
        values[None],
        n_perturb_samples=40,
        normalize=normalised,
    ).item()
    error, square = infidelity_parts(values.numpy(), removed, fall, normalised=normalised)
    assert error == pytest.approx(expected)
    assert infidelity(values.numpy(), removed, fall, normalised=normalised) == error / square


@pytest.mark.parametrize("shape", [(3, 2), (2, 3), (6,)], ids=["units", "draws", "1d"])
def test_removals_that_do_not_fit_are_refused(shape):
    with pytest.raises(ValueError, match=r"infidelity: expected \[draws, 3\]"):
        infidelity_parts([1.0, 2.0, 3.0], np.zeros(shape, dtype=bool), np.zeros(3))


def test_no_draws_are_refused():
    with pytest.raises(ValueError, match="infidelity"):
        infidelity([1.0], np.zeros((0, 1), dtype=bool), np.zeros(0))


@given(n=st.integers(0, 12), draws=st.integers(0, 20), seed=st.integers(0, 9))
def test_removal_sets_take_some_units_and_leave_some(n, draws, seed):
    removed = removal_sets(n, draws, seed=seed)
    assert removed.shape == (draws, n)
    assert (removed == removal_sets(n, draws, seed=seed)).all()
    if n > 1:
        assert ((removed.sum(axis=1) >= 1) & (removed.sum(axis=1) <= n - 1)).all()
    if n == 1:
        assert removed.all()


def test_removal_sets_have_every_size_and_every_unit_equally_often():
    removed = removal_sets(5, 8000, seed=0)
    sizes = np.bincount(removed.sum(axis=1), minlength=6) / 8000
    np.testing.assert_allclose(sizes, [0, 0.25, 0.25, 0.25, 0.25, 0], atol=0.03)
    np.testing.assert_allclose(removed.mean(axis=0), 0.5, atol=0.03)


# --- earning a place ----------------------------------------------------------------------


def test_a_method_that_beats_all_baselines_earns_its_place():
    rng = np.random.default_rng(0)
    better = rng.normal(0.2, 0.1, size=(40, 3))
    place = earns_its_place(better, seed=0)
    assert place.earned
    assert [g.value for g in place.gains] == pytest.approx(better.mean(axis=0))
    better[:, 1] -= 0.2
    assert not earns_its_place(better, seed=0).earned


def test_the_intervals_hold_jointly():
    gains = np.random.default_rng(0).normal(size=(30, 1))
    alone = earns_its_place(gains, seed=0).gains[0]
    among = earns_its_place(np.repeat(gains, 3, axis=1), seed=0).gains[0]
    assert among.low < alone.low < alone.high < among.high
    assert alone == bootstrap_mean(gains[:, 0], seed=0)


def test_a_single_text_proves_nothing():
    assert not earns_its_place(np.array([[0.9, 0.9]]), seed=0).earned
    assert not earns_its_place(np.full((5, 2), 0.1), seed=0).earned


def test_where_there_is_nothing_to_beat_nothing_is_earned():
    with pytest.raises(ValueError, match=r"\[texts, baselines\]"):
        earns_its_place(np.zeros((5, 0)), seed=0)
    with pytest.raises(EvidenceError):
        earns_its_place(np.zeros((0, 2)), seed=0)


def test_a_method_without_any_gain_seldom_earns_its_place():
    rng = np.random.default_rng(0)
    earned = [earns_its_place(rng.normal(size=(20, 2)), seed=i).earned for i in range(40)]
    assert sum(earned) <= 1
