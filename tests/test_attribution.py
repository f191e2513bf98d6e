"""Integrated gradients against closed forms and captum, and honest where they do not converge."""

import pytest
import torch
from captum.attr import IntegratedGradients

from tasks.measures.attribution import FIRST_STEPS, integrated_gradients

torch.manual_seed(0)
X, BASELINE = torch.randn(4, 5, 3).double(), torch.randn(4, 5, 3).double()
WEIGHT = torch.randn(5, 3).double()


def linear(x, _):
    return (x * WEIGHT).sum((1, 2))


def square(x, _):
    return (x**2).sum((1, 2))


def bent(x, _):
    return torch.tanh((x * WEIGHT).sum((1, 2))) + (x[:, 0] * x[:, 1]).sum(1)


def steep(k):
    """A step of width 1 / k at 0.3 along the path from 0 to 1."""
    return lambda x, _: torch.sigmoid(k * (x.sum((1, 2)) - 0.3))


ONE, NONE = torch.ones(1, 1, 1).double(), torch.zeros(1, 1, 1).double()


def test_a_linear_scorer_has_weight_times_distance_as_attribution():
    found = integrated_gradients(linear, X, BASELINE)
    torch.testing.assert_close(found.tokens, ((X - BASELINE) * WEIGHT).sum(-1))
    torch.testing.assert_close(found.score, linear(X, None))
    torch.testing.assert_close(found.baseline_score, linear(BASELINE, None))
    assert found.converged.all()
    assert (found.steps == FIRST_STEPS).all()


def test_a_sum_of_squares_has_its_difference_of_squares_as_attribution():
    # the integral over a of 2 (b + a (x - b)) (x - b) is x^2 - b^2
    found = integrated_gradients(square, X, BASELINE)
    torch.testing.assert_close(found.tokens, (X**2 - BASELINE**2).sum(-1))


def test_a_sigmoid_shares_its_rise_out_by_the_weights():
    # f = sigmoid(z), z = w.x: attribution of token i = (f - f0) * w.(x - b)_i / (z - z0)
    def scorer(x, _):
        return torch.sigmoid(linear(x, None))

    found = integrated_gradients(scorer, X, BASELINE)
    part = ((X - BASELINE) * WEIGHT).sum(-1)
    rise = scorer(X, None) - scorer(BASELINE, None)
    torch.testing.assert_close(found.tokens, rise[:, None] * part / part.sum(1, keepdim=True))


def test_attributions_add_up_to_the_score_less_that_of_the_baseline():
    found = integrated_gradients(bent, X, BASELINE)
    total = found.score - found.baseline_score
    torch.testing.assert_close(found.tokens.sum(1) - total, found.delta)
    assert (found.delta.abs() <= 1e-3 * total.abs().clamp(min=1e-2)).all()
    assert found.converged.all()


def test_a_token_equal_to_its_baseline_gets_nothing():
    baseline = BASELINE.clone()
    baseline[:, 2] = X[:, 2]
    found = integrated_gradients(bent, X, baseline)
    assert (found.tokens[:, 2] == 0).all()
    assert (found.tokens[:, 0] != 0).all()


def test_captum_at_many_fixed_steps_gives_the_same():
    def scorer(x, _=None):
        return steep(20)(x / 3, None) + bent(x, None)

    oracle = IntegratedGradients(scorer).attribute(X, BASELINE, n_steps=500).sum(-1)
    found = integrated_gradients(scorer, X, BASELINE, tolerance=1e-8)
    torch.testing.assert_close(found.tokens, oracle, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("rows_per_pass", [1, 7, 64, 1000])
def test_a_batch_gives_each_text_what_it_gets_alone(rows_per_pass):
    slope = torch.tensor([1.0, 30.0, 300.0, 2.0]).double()

    def scorer(x, rows):  # a scorer of its own for every row
        return torch.sigmoid(slope[rows] * x.mean((1, 2))) + rows

    together = integrated_gradients(scorer, X, BASELINE, rows_per_pass=rows_per_pass)
    assert len(set(together.steps.tolist())) > 1  # texts need different numbers of steps
    for i in range(len(X)):
        alone = integrated_gradients(
            lambda x, rows, i=i: scorer(x, rows + i), X[i : i + 1], BASELINE[i : i + 1]
        )
        for ours, own in zip(together, alone, strict=True):
            torch.testing.assert_close(ours[i : i + 1], own)


def test_steps_double_until_the_attribution_adds_up():
    easy = integrated_gradients(steep(3), ONE, NONE)
    hard = integrated_gradients(steep(300), ONE, NONE)
    assert (easy.steps.item(), easy.converged.item()) == (32, True)
    assert hard.converged.item()
    assert hard.steps.item() in {128, 256, 512, 1024}
    assert abs(hard.delta.item()) <= 1e-3
    # one fixed pass of the first size is wrong here
    short = integrated_gradients(steep(300), ONE, NONE, max_steps=32)
    assert abs(short.delta.item()) > 1e-2


@pytest.mark.parametrize("max_steps", [32, 256])
def test_a_text_that_does_not_converge_says_so_and_keeps_its_error(max_steps):
    found = integrated_gradients(steep(1e5), ONE, NONE, max_steps=max_steps)
    assert not found.converged.item()
    assert found.delta.item() == pytest.approx(found.tokens.sum().item() - 1, abs=1e-6)
    assert abs(found.delta.item()) > 1e-3
    assert 32 <= found.steps.item() <= max_steps


def test_a_text_that_does_not_converge_keeps_its_best_attribution():
    tried = [
        IntegratedGradients(lambda x: steep(3000)(x, None)).attribute(ONE, NONE, n_steps=n).item()
        for n in (32, 64, 128)
    ]
    best = min(tried, key=lambda t: abs(t - 1))
    found = integrated_gradients(steep(3000), ONE, NONE, max_steps=128)
    assert found.tokens.item() == pytest.approx(best)
    assert found.steps.item() == 32 * 2 ** tried.index(best)


def test_one_text_that_does_not_converge_leaves_the_others_alone():
    def scorer(x, rows):
        return torch.where(rows == 1, steep(1e5)(x, rows), steep(3)(x, rows))

    found = integrated_gradients(scorer, ONE.expand(3, 1, 1), NONE.expand(3, 1, 1), max_steps=64)
    assert found.converged.tolist() == [True, False, True]
    assert found.steps.tolist()[::2] == [32, 32]


def test_a_score_that_is_no_number_does_not_converge():
    found = integrated_gradients(lambda x, _: torch.log(x.sum((1, 2)) - 2), ONE, NONE, max_steps=64)
    assert not found.converged.any()


def test_a_tolerance_is_kept_to():
    loose = integrated_gradients(steep(100), ONE, NONE, tolerance=0.1)
    tight = integrated_gradients(steep(100), ONE, NONE, tolerance=1e-6)
    assert loose.steps < tight.steps
    assert tight.delta.abs() <= 1e-6


def test_half_precision_scores_still_give_attributions():
    found = integrated_gradients(linear_half, X.bfloat16(), BASELINE.bfloat16(), tolerance=0.1)
    assert found.tokens.dtype == torch.float64
    torch.testing.assert_close(found.tokens, ((X - BASELINE) * WEIGHT).sum(-1), atol=0.1, rtol=0.05)


def linear_half(x, _):
    return (x * WEIGHT.bfloat16()).sum((1, 2))


@pytest.mark.parametrize(
    ("x", "baseline"),
    [
        pytest.param(torch.zeros(2, 3, 4), torch.zeros(2, 3, 5), id="another width"),
        pytest.param(torch.zeros(2, 3, 4), torch.zeros(1, 3, 4), id="another number of texts"),
        pytest.param(torch.zeros(2, 3), torch.zeros(2, 3), id="no tokens"),
    ],
)
def test_shapes_that_disagree_are_refused(x, baseline):
    with pytest.raises(ValueError, match="integrated gradients: expected"):
        integrated_gradients(linear, x, baseline)
