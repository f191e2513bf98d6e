"""Shuffled weights on tiny models: what is shuffled, what stays to the bit, and what is shared."""

import pytest
import torch
from torch import nn
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from tasks.measures.attribution.randomisation import randomised
from tasks.measures.model.hooks import captured, find_blocks
from tests.support.tiny import build

MODELS = [
    ("bert", False),
    ("distilbert", False),
    ("deberta-v2", False),
    ("modernbert", False),
    ("llama", False),
    ("gpt_neox", True),
    ("gpt2", True),  # head tied to the embeddings
]
HEADS = ("lm_head", "classifier", "score", "embed_out")
IDS = torch.tensor([[2, 7, 9, 11, 13, 3], [2, 8, 20, 6, 5, 3]])


@pytest.fixture(scope="module", params=MODELS, ids=lambda m: f"{m[0]}{' causal' * m[1]}")
def model(request, tmp_path_factory):
    family, causal = request.param
    folder = build(tmp_path_factory.mktemp(family), family, causal=causal)
    kind = AutoModelForCausalLM if causal else AutoModelForSequenceClassification
    return kind.from_pretrained(folder).eval()


def read(model):
    with torch.no_grad(), captured(find_blocks(model)) as states:
        scores = model(input_ids=IDS).logits
    return states, scores


def entries(weight):
    return weight.detach().flatten().sort().values


@pytest.mark.parametrize("how", ["top", "all"])
def test_every_tensor_keeps_its_entries_and_scores_differ(model, how):
    shuffled = randomised(model, how, find_blocks(model), seed=0)
    before, after = model.state_dict(), shuffled.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(entries(before[k]), entries(after[k])) for k in before)
    assert not torch.allclose(read(model)[1], read(shuffled)[1], atol=1e-3)


def test_top_leaves_everything_below_the_last_block_to_the_bit(model):
    states, _ = read(model)
    shuffled, _ = read(randomised(model, "top", find_blocks(model), seed=0))
    assert all(torch.equal(a, b) for a, b in zip(states[:-1], shuffled[:-1], strict=True))
    assert not torch.allclose(states[-1], shuffled[-1], atol=1e-3)


def test_top_shuffles_the_last_block_and_a_head_of_its_own_and_not_the_embeddings(model):
    shuffled = randomised(model, "top", find_blocks(model), seed=0)
    differs = {k for k, v in model.state_dict().items() if not v.equal(shuffled.state_dict()[k])}
    last = find_blocks(model)[-1]
    matrices = [p for p in last.parameters() if p.ndim > 1]
    names = {id(p): n for n, p in model.named_parameters()}
    assert {names[id(p)] for p in matrices} <= differs
    assert model.get_input_embeddings().weight.equal(shuffled.get_input_embeddings().weight)
    embeddings = model.get_input_embeddings().weight
    heads = [m for n, m in model.named_modules() if n.split(".")[-1] in HEADS]
    assert heads
    for head in heads:
        assert (f"{names[id(head.weight)]}" in differs) is (head.weight is not embeddings)


def test_all_shuffles_the_embeddings_and_every_block(model):
    shuffled = randomised(model, "all", find_blocks(model), seed=0)
    assert all(
        a.min() == a.max() or not a.equal(b)
        for a, b in zip(model.parameters(), shuffled.parameters(), strict=True)
    )


def test_what_is_tied_stays_tied(tmp_path):
    tied = AutoModelForCausalLM.from_pretrained(build(tmp_path, "gpt2", causal=True)).eval()
    assert tied.lm_head.weight is tied.transformer.wte.weight
    for how in ("top", "all"):
        shuffled = randomised(tied, how, find_blocks(tied), seed=0)
        assert shuffled.lm_head.weight is shuffled.transformer.wte.weight


def test_the_model_itself_is_untouched(model):
    before = {k: v.clone() for k, v in model.state_dict().items()}
    model.requires_grad_(False)
    for how in ("top", "all"):
        shuffled = randomised(model, how, find_blocks(model), seed=0)
        assert not shuffled.training
        assert not any(p.requires_grad for p in [*model.parameters(), *shuffled.parameters()])
    model.requires_grad_(True)
    randomised(model, "top", find_blocks(model), seed=0)
    assert all(p.requires_grad and p.grad is None for p in model.parameters())
    assert all(torch.equal(v, model.state_dict()[k]) for k, v in before.items())
    assert not any(m._forward_pre_hooks for m in model.modules())


@pytest.mark.parametrize("how", ["top", "all"])
def test_the_seed_decides(model, how):
    one, again, other = (
        read(randomised(model, how, find_blocks(model), seed=s))[1] for s in (1, 1, 2)
    )
    assert torch.equal(one, again)
    assert not torch.allclose(one, other, atol=1e-3)


def test_blocks_of_another_model_are_refused():
    with pytest.raises(ValueError, match="no part of the model"):
        randomised(nn.Linear(2, 2), "top", nn.ModuleList([nn.Linear(2, 2)]), seed=0)
