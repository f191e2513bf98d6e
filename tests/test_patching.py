"""Activation patching: shares by hand, and tiny models of every architecture to the bit."""

from itertools import chain

import numpy as np
import pytest
import torch
from torch import nn

from tasks.definition import ClassifierSubject
from tasks.errors import EvidenceError, SubjectError
from tasks.measures.localisation.patching import (
    Recovery,
    Site,
    log_odds,
    patched_scores,
    record,
    recovered_share,
)
from tasks.measures.model.hooks import find_part
from tasks.subjects.load import refer
from tasks.subjects.local.loading import load_subject
from tests.support.tiny import DECODERS, ENCODERS, build

TEXTS = ["the applicant lives in north and earns a lot .", "very dull film in north !"]
OTHERS = ["the applicant lives in south and earns a lot .", "very dull film in south !"]
PRE_NORM = ("gpt2", "llama", "qwen3", "gemma3_text", "gpt_neox", "mistral", "phi", "modernbert")
NORMS = {  # module that follows attention, module that follows the MLP
    "bert": ("attention.output.LayerNorm", "output.LayerNorm"),
    "roberta": ("attention.output.LayerNorm", "output.LayerNorm"),
    "electra": ("attention.output.LayerNorm", "output.LayerNorm"),
    "deberta-v2": ("attention.output.LayerNorm", "output.LayerNorm"),
    "distilbert": ("sa_layer_norm", "output_layer_norm"),
}


class Tiny:
    """A tiny subject with two matched texts, both recorded."""

    def __init__(self, folder, family):
        self.family = family
        build(folder / "model", family)
        self.subject = load_subject(refer("tiny", ClassifierSubject(path="model"), folder))
        self.blocks = self.subject.blocks
        self.halves = {
            part: [find_part(block, part) for block in self.blocks] for part in ("attention", "mlp")
        }
        self.batch = self.subject.encode(TEXTS)
        other = self.subject.encode(OTHERS)
        self.original = record(lambda: self.subject.scores(self.batch), self.blocks, self.halves)
        self.exchanged = record(lambda: self.subject.scores(other), self.blocks, self.halves)

    def run(self, rows):
        return self.subject.scores(self.batch.of(self.batch.ids[rows], self.batch.mask[rows]))

    def patched(self, site, donor, rows, masks, size=32):
        return patched_scores(
            self.run, self.blocks, self.halves, site, self.original, donor.at(*site), rows, masks,
            size,
        )  # fmt: skip

    def sites(self):
        layers = len(self.blocks)
        yield from (Site("residual", layer) for layer in range(layers + 1))
        yield from (Site(part, i) for part in self.halves for i in range(1, layers + 1))


@pytest.fixture(scope="module", params=(*DECODERS, *ENCODERS))
def tiny(request, tmp_path_factory):
    return Tiny(tmp_path_factory.mktemp("tiny"), request.param)


BOTH = torch.tensor([0, 1])


def same(found, expected):
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_a_block_is_the_sum_of_its_parts_or_their_norm(tiny):
    """Residual in, attention out and MLP out make residual out: they are what they are called."""
    activations = tiny.original.activations
    for layer, block in enumerate(tiny.blocks, start=1):
        before = tiny.original.at("residual", layer - 1)
        attention, mlp = (activations[part][layer - 1] for part in ("attention", "mlp"))
        if tiny.family in PRE_NORM:
            found = before + attention + mlp
        else:
            first, second = (block.get_submodule(name) for name in NORMS[tiny.family])
            found = second(first(before + attention) + mlp)
        real = tiny.batch.mask.bool()
        same(found[real], tiny.original.at("residual", layer)[real])


def test_a_text_patched_with_itself_stays_as_it_is(tiny):
    everywhere = torch.ones(2, tiny.batch.ids.shape[1], dtype=torch.bool)
    for site in tiny.sites():
        same(tiny.patched(site, tiny.original, BOTH, everywhere), tiny.original.scores)


def test_exchanging_nothing_changes_nothing(tiny):
    nowhere = torch.zeros(2, tiny.batch.ids.shape[1], dtype=torch.bool)
    for site in tiny.sites():
        same(tiny.patched(site, tiny.exchanged, BOTH, nowhere), tiny.original.scores)


def test_exchanging_everything_is_the_exchanged_text(tiny):
    everywhere = torch.ones(2, tiny.batch.ids.shape[1], dtype=torch.bool)
    assert (tiny.exchanged.scores - tiny.original.scores).abs().max() > 1e-4
    for layer in range(len(tiny.blocks) + 1):
        site = Site("residual", layer)
        same(tiny.patched(site, tiny.exchanged, BOTH, everywhere), tiny.exchanged.scores)


def test_many_items_in_passes_are_each_item_alone(tiny):
    """Resumed and batched, against a full run with a hook written here."""
    tokens = tiny.batch.ids.shape[1]
    rows = BOTH.repeat_interleave(tokens)
    masks = torch.eye(tokens, dtype=torch.bool).repeat(2, 1)
    for site in tiny.sites():
        together = tiny.patched(site, tiny.exchanged, rows, masks, size=5)
        for item in (0, 4, tokens + 4):
            alone = by_hand(tiny, site, int(rows[item]), masks[item])
            same(together[item : item + 1], alone)


def by_hand(tiny, site, text, mask):
    part, layer = site
    donor = tiny.exchanged.at(part, layer)[text]
    module = tiny.blocks[layer - 1] if part == "residual" else tiny.halves[part][layer - 1]

    def put(hidden):
        changed = hidden.clone()
        changed[0, mask] = donor[mask]
        return changed

    def before(_, args, kwargs):
        if args:
            return (put(args[0]), *args[1:]), kwargs
        return args, kwargs | {"hidden_states": put(kwargs["hidden_states"])}

    def after(_, __, output):
        return (put(output[0]), *output[1:]) if isinstance(output, tuple) else put(output)

    if layer == 0:
        hook = tiny.blocks[0].register_forward_pre_hook(before, with_kwargs=True)
    else:
        hook = module.register_forward_hook(after)
    with torch.no_grad():
        found = tiny.run(torch.tensor([text]))
    hook.remove()
    return found


def test_nothing_is_left_behind(tiny):
    with torch.no_grad():
        same(tiny.subject.scores(tiny.batch), tiny.original.scores)
    for module in chain(tiny.blocks, *tiny.halves.values()):
        assert not module._forward_hooks
        assert "forward" not in vars(module)


def test_a_block_of_unknown_halves_is_refused_by_name():
    with pytest.raises(SubjectError, match="no mlp output found in Linear"):
        find_part(nn.Linear(2, 2), "mlp")


# --- shares, by hand ----------------------------------------------------------------------


def test_log_odds_are_those_of_one_class_against_all_others():
    scores = torch.log(torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]))
    found = log_odds(scores, torch.tensor([0, 2]))
    assert found.tolist() == pytest.approx([0.0, np.log(4)], abs=1e-6)


def test_a_recovered_share_is_the_part_of_the_effect_that_is_there():
    """Effects 2 and -4: (1 + 0) / 6, (2 + 4) / 6, and -(1 + 2) / 6 the other way."""
    effect = np.array([2.0, -4.0])
    change = np.array([[1.0, 2.0, -1.0], [0.0, -4.0, 2.0]])
    found = recovered_share(effect, change, seed=0)
    assert found.point.tolist() == pytest.approx([1 / 6, 1.0, -0.5])
    assert (found.interval(1).low, found.interval(1).high) == (1.0, 1.0)


def test_the_interval_of_a_share_covers_what_was_planted():
    rng = np.random.default_rng(1)
    covered = 0
    for seed in range(100):
        effect = rng.choice([-1, 1], 48) * rng.uniform(1, 3, 48)
        change = (0.6 * effect + rng.normal(0, 0.5, 48))[:, None]
        interval = recovered_share(effect, change, seed=seed).interval(0)
        covered += interval.low <= 0.6 <= interval.high
    assert covered >= 87  # 95 of 100, less three standard errors


def test_the_same_seed_gives_the_same_interval():
    rng = np.random.default_rng(2)
    effect, change = rng.normal(size=20), rng.normal(size=(20, 3))
    one, other = (recovered_share(effect, change, seed=5) for _ in range(2))
    np.testing.assert_array_equal(one.draws, other.draws)


@pytest.mark.parametrize(
    ("shares", "layer"),
    [
        pytest.param([0.0, 0.1, 0.5, 1.0], 2, id="half is enough"),
        pytest.param([1.0, 0.0, 0.0, 1.0], 0, id="the first counts"),
        pytest.param([0.0, 0.0, 0.1, 0.2], 3, id="nowhere: the last"),
    ],
)
def test_the_layer_is_the_first_with_half_of_the_effect(shares, layer):
    found = Recovery(np.array(shares), np.array([shares] * 50)).first_half()
    assert found == (layer, layer, layer)


@pytest.mark.parametrize("effect", [np.array([]), np.zeros(9)], ids=["no pairs", "no effect"])
def test_nothing_is_recovered_from_nothing(effect):
    with pytest.raises(EvidenceError, match="nothing to recover"):
        recovered_share(effect, np.zeros((len(effect), 2)), seed=0)
