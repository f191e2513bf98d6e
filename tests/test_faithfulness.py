"""Erasing words: by hand, and true order > random > inverted on a scorer whose words we know."""

import pytest
import torch

from tasks.measures.faithfulness import (
    by_attribution,
    comprehensiveness,
    random_orders,
    sufficiency,
    top,
)

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
