"""Gradient x input, attention and conductance: by hand, against captum, and on tiny models."""

import pytest
import torch
from captum.attr import InputXGradient, LayerConductance
from torch import nn
from torch.testing import assert_close

from tasks.definition import ClassifierSubject
from tasks.measures.attribution.attention import attention_rollout, gradient_x_attention
from tasks.measures.attribution.gradient_x_input import gradient_x_input
from tasks.measures.attribution.inputs import Attended, Inputs
from tasks.measures.attribution.layer_conductance import layer_conductance
from tasks.subjects.load import refer
from tasks.subjects.local.batches import Batch
from tasks.subjects.local.loading import load_subject
from tests.support.tiny import build

TEXTS = ["the applicant lives in north and earns a lot .", "very dull film !", "good ."]
FAMILIES = ("bert", "deberta-v2", "gpt2", "llama")  # padded right, right, left, left


def prepared(folder, family, texts):
    subject = load_subject(
        refer("tiny", ClassifierSubject(path="model"), build(folder / "model", family).parent)
    )
    subject.model.set_attn_implementation("eager")
    batch = subject.encode(texts)

    def variant(rows):
        return Batch(batch.ids[rows], batch.mask[rows], batch.special, [], rows, len(rows))

    def score(x, rows):
        logits = subject.scores(variant(rows), x)
        return logits[:, 1] - logits[:, 0]

    def attend(x, rows):
        mine = variant(rows)
        places = {"position_ids": (mine.mask.cumsum(-1) - 1).clamp(min=0)}
        out = subject.model(
            inputs_embeds=x,
            attention_mask=mine.mask,
            output_attentions=True,
            **(places if subject.left_padded else {}),
        )
        return Attended(out.logits[:, 1] - out.logits[:, 0], list(out.attentions))

    real = ~batch.special & (batch.mask == 1)
    return Inputs(
        subject.embed(batch.ids),
        subject.neutral(batch),
        torch.where(real, real.long().cumsum(1) - 1, -1),
        score,
        attend=attend,
        read_at=subject.head_position(batch),
        blocks=subject.blocks,
    )


@pytest.fixture(scope="module", params=FAMILIES)
def pair(request, tmp_path_factory):
    """Three texts together, and the shorter second one alone."""
    together = prepared(tmp_path_factory.mktemp("a"), request.param, TEXTS)
    return together, prepared(tmp_path_factory.mktemp("b"), request.param, TEXTS[1:2])


@pytest.mark.parametrize(
    "method",
    [
        gradient_x_input,
        attention_rollout,
        lambda inputs: attention_rollout(inputs, fusion="max", discard=0.5),
        gradient_x_attention,
        lambda inputs: layer_conductance(inputs, 2),
    ],
    ids=["gradient", "rollout", "rollout-max", "gradient-attention", "conductance"],
)
def test_padding_changes_nothing(pair, method):
    together, alone = pair
    found, own = method(together), method(alone)
    assert_close(found.units[1, :4], own.units[0], atol=1e-5, rtol=1e-3)
    assert (found.units[1, 4:] == 0).all()
    assert (own.units.abs() > 0).any()


def test_captum_gives_the_same_gradient_times_input(pair):
    inputs, _ = pair
    rows = torch.arange(len(inputs))
    oracle = InputXGradient(inputs.score).attribute(
        inputs.own.clone().requires_grad_(), additional_forward_args=(rows,)
    )
    assert_close(gradient_x_input(inputs).units, inputs.per_unit(oracle.detach().sum(-1)))


@pytest.mark.parametrize("family", ["bert", "gpt2", "llama"])  # captum takes no tuples
def test_captum_at_many_steps_gives_the_same_conductance(family, tmp_path):
    inputs = prepared(tmp_path, family, TEXTS[1:2])
    oracle = LayerConductance(inputs.score, inputs.blocks[1]).attribute(
        inputs.own,
        inputs.neutral,
        additional_forward_args=(torch.zeros(1, dtype=torch.long),),
        n_steps=300,
        method="riemann_trapezoid",  # Gauss-Legendre would leave out both ends of the way
    )
    wanted = oracle.detach().sum(-1)
    # captum takes differences from step to step, which is exact to the first order only
    scale = float(wanted.abs().max())
    found = layer_conductance(inputs, 2, tolerance=1e-4)
    assert_close(found.units, inputs.per_unit(wanted), atol=2e-2 * scale, rtol=0)


def test_conductance_adds_up_at_every_layer(pair):
    inputs, _ = pair
    assert len(inputs.blocks) == 3
    for layer in (1, 2, 3):
        found = layer_conductance(inputs, layer)
        allowed = 1e-3 * (found.score - found.baseline_score).abs().clamp(min=1e-2)
        assert (found.delta.abs() <= allowed + 1e-5).all()


class Twice(nn.Module):
    """Hidden states of every position, doubled."""

    def forward(self, hidden):
        return 2 * hidden


def test_conductance_of_a_product_by_hand():
    # f = (2 x) (2 y) along x = a, y = 3 a: each gains the integral of 12 a, which is 6
    blocks = nn.ModuleList([Twice()])
    own = torch.tensor([[[1.0], [3.0]]]).double()

    def score(x, _):
        h = blocks[0](x)
        return h[:, 0, 0] * h[:, 1, 0]

    inputs = Inputs(own, torch.zeros_like(own), torch.tensor([[0, 1]]), score, blocks=blocks)
    found = layer_conductance(inputs, 1)
    assert_close(found.units, torch.tensor([[6.0, 6.0]]).double())
    assert (found.evaluations == 22).all()


def test_conductance_of_a_score_that_is_no_number_is_flagged():
    blocks = nn.ModuleList([Twice()])
    own = torch.ones(1, 1, 1).double()
    inputs = Inputs(
        own,
        torch.zeros_like(own),
        torch.zeros(1, 1).long(),
        lambda x, _: torch.log(blocks[0](x) - 9).sum((1, 2)),
        blocks=blocks,
    )
    assert layer_conductance(inputs, 1).delta.isnan().all()


@pytest.mark.parametrize("layer", [0, 2])
def test_a_layer_that_is_not_there_is_refused(layer):
    own = torch.ones(1, 1, 1)
    inputs = Inputs(
        own,
        own,
        torch.zeros(1, 1).long(),
        lambda x, _: x.sum((1, 2)),
        blocks=nn.ModuleList([Twice()]),
    )
    with pytest.raises(ValueError, match="no layer "):
        layer_conductance(inputs, layer)


def test_gradient_times_input_of_a_square_by_hand():
    # the gradient of x^2 is 2 x; twice the gain, so it is not complete
    own = torch.tensor([[[2.0], [3.0]]])
    inputs = Inputs(
        own, torch.zeros_like(own), torch.tensor([[0, 1]]), lambda x, _: (x**2).sum((1, 2))
    )
    found = gradient_x_input(inputs)
    assert found.units.tolist() == [[8.0, 18.0]]
    assert found.delta.item() == 13


FIRST = [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.2, 0.2, 0.6]]
SECOND = [[1.0, 0.0, 0.0], [0.8, 0.2, 0.0], [0.0, 0.4, 0.6]]


def attending(heads, score=lambda x, *_: x.sum((1, 2))):
    """Three tokens, read at the last, under the attention of given heads of two blocks."""
    layers = [torch.tensor(layer).unsqueeze(0) for layer in heads]

    def attend(x, _):
        held = [layer + 0 * x.sum() for layer in layers]
        return Attended(score(x, *held), held)

    own = torch.ones(1, 3, 1)
    return Inputs(
        own,
        0.5 * own,
        torch.tensor([[0, 1, 2]]),
        lambda x, _: x.sum((1, 2)),
        attend=attend,
        read_at=torch.tensor([2]),
    )


def test_rollout_over_two_blocks_by_hand():
    # last rows of .5 A + .5 I: (0, .2, .8) over [(1, 0, 0), (.25, .75, 0), (.1, .1, .8)]
    found = attention_rollout(attending([[FIRST], [SECOND]]))
    assert_close(found.units, torch.tensor([[0.13, 0.23, 0.64]]).double(), atol=1e-6, rtol=0)
    assert (found.evaluations == 3).all()


def test_heads_are_fused_as_asked():
    eye = torch.eye(3).tolist()
    mean = attention_rollout(attending([[FIRST, eye], [eye, eye]])).units
    assert_close(mean, torch.tensor([[0.05, 0.05, 0.9]]).double(), atol=1e-6, rtol=0)
    least = attention_rollout(attending([[FIRST, eye], [eye, eye]]), fusion="min").units
    assert_close(least, torch.tensor([[0.0, 0.0, 1.0]]).double(), atol=1e-6, rtol=0)
    most = attention_rollout(attending([[FIRST, eye], [eye, eye]]), fusion="max").units
    # (.1, .1, 1) scaled to sum to 1
    assert_close(most, torch.tensor([[1, 1, 10]]).double() / 12, atol=1e-6, rtol=0)


def test_the_weakest_attention_is_dropped_but_never_a_positions_own():
    # of the last query's .1 .3 .6 a third goes: .1
    last = [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.1, 0.3, 0.6]]
    eye = torch.eye(3).tolist()
    found = attention_rollout(attending([[last], [eye]]), discard=0.34).units
    assert_close(found, torch.tensor([[0.0, 0.15, 0.8]]).double() / 0.95, atol=1e-6, rtol=0)
    own = [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.3, 0.6, 0.1]]
    found = attention_rollout(attending([[own], [eye]]), discard=0.34).units
    assert_close(found, torch.tensor([[0.15, 0.3, 0.55]]).double(), atol=1e-6, rtol=0)


def test_attention_counts_by_what_it_does_for_the_target():
    # the score takes what the last query gives to token 0 for the target, to token 1 against it
    def score(x, first, second):
        return first[:, 0, 2, 0] - first[:, 0, 2, 1] + 0 * second.sum((1, 2, 3))

    eye = torch.eye(3).tolist()
    found = gradient_x_attention(attending([[FIRST], [eye]], score))
    assert found.units.tolist() == [[1.0, 0.0, 0.0]]
    none = gradient_x_attention(attending([[FIRST], [eye]], lambda x, a, b: 0 * score(x, a, b)))
    assert none.units.tolist() == [[0.0, 0.0, 0.0]]


@pytest.mark.parametrize("method", [attention_rollout, gradient_x_attention])
def test_shares_are_unsigned_and_sum_to_one_at_most(pair, method):
    found = method(pair[0]).units
    assert (found >= 0).all()
    assert (found.sum(1) <= 1 + 1e-6).all()
    assert (found.sum(1) > 0).all()


@pytest.mark.parametrize("method", [attention_rollout, gradient_x_attention])
def test_a_subject_without_attention_is_refused(method):
    own = torch.ones(1, 1, 1)
    with pytest.raises(ValueError, match="does not show its attention"):
        method(Inputs(own, own, torch.zeros(1, 1).long(), lambda x, _: x.sum((1, 2))))


def test_a_share_to_drop_out_of_range_is_refused():
    with pytest.raises(ValueError, match="discard"):
        attention_rollout(attending([[FIRST], [SECOND]]), discard=1.0)
