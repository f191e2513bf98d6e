"""Integrated gradients against closed forms and captum, and honest where they do not converge."""

import pytest
import torch
from captum.attr import IntegratedGradients
from torch.testing import assert_close

from tasks.definition import ClassifierSubject
from tasks.measures.attribution.inputs import Inputs
from tasks.measures.attribution.integrated_gradients import integrated_gradients
from tasks.subjects.load import refer
from tasks.subjects.local.batches import Batch
from tasks.subjects.local.loading import load_subject
from tests.support.tiny import build

_RANDOM = torch.Generator().manual_seed(0)
X = torch.randn(4, 5, 3, generator=_RANDOM).double()
BASELINE = torch.randn(4, 5, 3, generator=_RANDOM).double()
WEIGHT = torch.randn(5, 3, generator=_RANDOM).double()
TEXTS = ["the applicant lives in north and earns a lot .", "very dull film !", "good ."]


def given(score, own=X, neutral=BASELINE, **options):
    units = options.pop("units", torch.arange(own.shape[1]).expand(own.shape[:2]))
    return Inputs(own, neutral, units, score, **options)


def linear(x, _=None):
    return (x * WEIGHT).sum((1, 2))


def steep(k):
    """A step of width 1 / k at 0.3 along the path from 0 to 1."""
    return lambda x, _: torch.sigmoid(k * (x.sum((1, 2)) - 0.3))


ONE, NONE = torch.ones(1, 1, 1).double(), torch.zeros(1, 1, 1).double()


def test_a_linear_score_has_weight_times_distance_as_attribution():
    found = integrated_gradients(given(linear))
    assert_close(found.units, ((X - BASELINE) * WEIGHT).sum(-1))
    assert_close(found.score, linear(X))
    assert_close(found.baseline_score, linear(BASELINE))
    assert (found.evaluations == 18).all()  # nine points to begin with


def test_gradients_that_are_cubic_along_the_path_need_no_more_points():
    found = integrated_gradients(given(lambda x, _: (x**4).sum((1, 2))), tolerance=1e-9)
    assert_close(found.units, (X**4 - BASELINE**4).sum(-1))
    assert (found.evaluations == 18).all()


def test_errors_that_cancel_in_the_sum_are_still_found():
    def score(x, _):  # a peak and a pit between the first points, mirrored: the sum sees nothing
        first, second = x[:, 0, 0], x[:, 1, 0]
        return torch.sigmoid(400 * (first - 0.3)) - torch.sigmoid(400 * (second - 0.7)) + first

    pair = torch.ones(1, 2, 1).double()
    found = integrated_gradients(given(score, pair, 0 * pair))
    assert_close(found.units, torch.tensor([[2.0, -1.0]]).double(), atol=5e-3, rtol=0)


def test_a_sum_of_squares_has_its_difference_of_squares_as_attribution():
    # the integral over a of 2 (b + a (x - b)) (x - b) is x^2 - b^2
    found = integrated_gradients(given(lambda x, _: (x**2).sum((1, 2))))
    assert_close(found.units, (X**2 - BASELINE**2).sum(-1))


def test_a_sigmoid_shares_its_rise_out_by_the_weights():
    # f = sigmoid(z), z = w.x: attribution of token i = (f - f0) * w.(x - b)_i / (z - z0)
    found = integrated_gradients(given(lambda x, _: linear(x).sigmoid()), tolerance=1e-7)
    part = ((X - BASELINE) * WEIGHT).sum(-1)
    rise = linear(X).sigmoid() - linear(BASELINE).sigmoid()
    wanted = rise[:, None] * part / part.sum(1, keepdim=True)
    assert_close(found.units, wanted, atol=1e-6, rtol=0)


@pytest.mark.parametrize("k", [300, 3000, 30000])
def test_a_step_is_found_where_fifty_fixed_steps_miss_it(k):
    found = integrated_gradients(given(steep(k), ONE, NONE))
    assert abs(found.units.item() - 1) <= 1e-3
    assert found.delta.item() == pytest.approx(found.units.item() - 1, abs=1e-9)
    assert found.evaluations.item() < 200
    fixed = IntegratedGradients(lambda x: steep(k)(x, None)).attribute(ONE, NONE, n_steps=50)
    assert abs(fixed.item() - 1) > 0.05


def test_a_spike_up_and_one_down_do_not_hide_each_other():
    def score(x, _):
        z = x[:, 0, 0]
        return torch.sigmoid(100 * (z - 0.3)) * 2 - torch.sigmoid(100 * (z - 0.6)) + z

    found = integrated_gradients(given(score, ONE, NONE))
    assert abs(found.units.item() - 2) <= 2e-3
    assert found.evaluations.item() > 60


def test_a_tolerance_is_kept_to_and_costs_more_when_it_is_tighter():
    loose = integrated_gradients(given(steep(100), ONE, NONE), tolerance=0.1)
    tight = integrated_gradients(given(steep(100), ONE, NONE), tolerance=1e-7)
    assert loose.evaluations < tight.evaluations
    assert tight.delta.abs() <= 1e-7
    assert loose.delta.abs() <= 0.1


@pytest.mark.parametrize("most", [18, 40, 100])
def test_a_row_that_is_given_up_says_so_and_spends_no_more(most):
    found = integrated_gradients(given(steep(1e5), ONE, NONE), max_evaluations=most)
    assert found.evaluations.item() <= most
    assert found.delta.abs().item() > 1e-3


def test_a_jump_ends_at_the_narrowest_panel():
    def score(x, _):  # the gradient is 0 on both sides
        return torch.where(x.sum((1, 2)) > 0.3, 1.0, 0.0) + 0.0 * x.sum((1, 2))

    found = integrated_gradients(given(score, ONE, NONE), max_evaluations=10**5)
    assert found.delta.item() == pytest.approx(-1)
    assert found.evaluations.item() < 200


def test_a_score_that_is_no_number_is_flagged_and_leaves_other_rows_alone():
    def score(x, rows):
        z = x.sum((1, 2))
        return torch.where(rows == 1, torch.log(z - 2), 3 * z)

    found = integrated_gradients(given(score, ONE.expand(3, 1, 1), NONE.expand(3, 1, 1)))
    assert found.delta.isnan().tolist() == [False, True, False]
    assert_close(found.units[[0, 2], 0], torch.full((2,), 3.0).double())
    assert (found.evaluations == 18).all()


@pytest.mark.parametrize("tokens_per_pass", [1, 35, 320, 10**6])
def test_a_batch_gives_each_row_what_it_gets_alone(tokens_per_pass):
    slope = torch.tensor([1.0, 30.0, 300.0, 2.0]).double()

    def score(x, rows):
        return torch.sigmoid(slope[rows] * x.mean((1, 2))) + rows

    together = integrated_gradients(given(score, tokens_per_pass=tokens_per_pass))
    assert len(set(together.evaluations.tolist())) > 1
    for i in range(len(X)):
        alone = integrated_gradients(
            given(lambda x, rows, i=i: score(x, rows + i), X[i : i + 1], BASELINE[i : i + 1])
        )
        for ours, own in zip(together, alone, strict=True):
            assert_close(ours[i : i + 1], own)


def test_tokens_of_a_unit_are_added_up_and_those_of_none_get_nothing():
    neutral = BASELINE.clone()
    neutral[:, 2] = X[:, 2]
    units = torch.tensor([0, 0, -1, 1, 2]).expand(4, 5)
    found = integrated_gradients(given(lambda x, _: linear(x).tanh(), X, neutral, units=units))
    each = integrated_gradients(given(lambda x, _: linear(x).tanh(), X, neutral)).units
    wanted = torch.stack([each[:, 0] + each[:, 1], each[:, 3], each[:, 4]], dim=1)
    assert_close(found.units, wanted)
    assert (each[:, 2] == 0).all()


@pytest.mark.parametrize("options", [{"tolerance": 0.0}, {"max_evaluations": 17}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match="integrated gradients: tolerance"):
        integrated_gradients(given(linear), **options)


def prepared(folder, family, texts):
    subject = load_subject(
        refer("tiny", ClassifierSubject(path="model"), build(folder / "model", family).parent)
    )
    batch = subject.encode(texts)

    def score(x, rows):
        mine = Batch(batch.ids[rows], batch.mask[rows], batch.special, [], rows, len(rows))
        logits = subject.scores(mine, x)
        return logits[:, 1] - logits[:, 0]

    real = ~batch.special & (batch.mask == 1)
    units = torch.where(real, real.long().cumsum(1) - 1, -1)
    return Inputs(
        subject.embed(batch.ids), subject.neutral(batch), units, score, blocks=subject.blocks
    )


@pytest.mark.parametrize("family", ["bert", "modernbert", "deberta-v2", "gpt2", "llama"])
def test_captum_at_many_steps_agrees_and_padding_changes_nothing(family, tmp_path):
    inputs = prepared(tmp_path, family, TEXTS)
    found = integrated_gradients(inputs, tolerance=1e-4)
    rows = torch.arange(len(TEXTS))
    oracle = IntegratedGradients(inputs.score).attribute(
        inputs.own, inputs.neutral, additional_forward_args=(rows,), n_steps=400
    )
    scale = float(found.units.abs().max())
    gap = (found.units - inputs.per_unit(oracle.sum(-1))).abs().max()
    assert gap <= 1e-3 * scale
    alone = prepared(tmp_path / "alone", family, TEXTS[1:2])
    assert_close(
        integrated_gradients(alone, tolerance=1e-4).units[0],
        found.units[1, :4],
        atol=1e-5,
        rtol=1e-3,
    )
