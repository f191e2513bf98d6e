"""Shapley values by antithetic permutations: the definition, sampled."""

import numpy as np
import pytest
import torch

from tasks.measures.attribution.permutations import permutation_shapley
from tests.support.games import SOLVED, bent, by_every_order, game


@pytest.mark.parametrize("name", ["not bad", "one", "nobody"])
def test_games_in_which_a_pair_of_orders_tells_all(name):
    """With at most two units that interact, an order and its reverse hold both arrivals."""
    inputs, values = SOLVED[name]
    found = permutation_shapley(inputs, pairs=1).units[0]
    torch.testing.assert_close(found, torch.tensor(values).double())


def test_every_order_in_the_limit():
    inputs = bent(6)
    exact = by_every_order(inputs, 6)
    few, many = (permutation_shapley(inputs, pairs=k).units[0] for k in (2, 2000))
    assert (many - exact).abs().max() < 0.003 < (few - exact).abs().max()


def test_it_adds_up_and_a_unit_that_never_matters_gets_nothing():
    inputs = game(lambda z: torch.tanh(z[:, :8].sum(1)) * (1 + z[:, 3]), 9)
    found = permutation_shapley(inputs, pairs=3)
    assert found.delta.abs().max() < 1e-12
    assert found.units[0, 8] == 0


def test_no_coalition_is_evaluated_twice():
    seen = []

    def f(z):
        seen.extend(map(bytes, z.numpy().astype(np.uint8)))
        return z.sum(1)

    found = permutation_shapley(game(f, 9), pairs=7)
    assert len(seen) == len(set(seen)) == found.evaluations.item()


def test_what_else_is_in_the_batch_does_not_matter_and_seeds_do():
    weight = torch.linspace(-1, 1, 8, dtype=torch.float64)
    f = lambda z: torch.tanh(z @ weight) * z[:, 0]  # noqa: E731
    alone, together = (permutation_shapley(game(f, 8, rows=k)).units for k in (1, 3))
    torch.testing.assert_close(together, alone.expand(3, -1))
    assert not torch.equal(permutation_shapley(game(f, 8), seed=1).units, alone)


def test_no_orders_are_refused():
    with pytest.raises(ValueError, match="0 orders"):
        permutation_shapley(game(lambda z: z.sum(1), 3), pairs=0)
