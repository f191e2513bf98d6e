"""Reading, editing and resuming layers: a toy by hand, and tiny models to the bit."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from tasks.definition import CausalSubject, ClassifierSubject
from tasks.errors import SubjectError
from tasks.measures.localisation import lens
from tasks.measures.localisation.formation import formation_layer
from tasks.measures.localisation.lens import read_layers, read_positions, reads_one_position
from tasks.measures.model.hooks import (
    captured,
    captured_up_to,
    edited,
    find_blocks,
    recorded,
    resumed,
)
from tasks.subjects.load import refer
from tasks.subjects.local.head_position import one_position
from tasks.subjects.local.loading import load_subject
from tests.support.tiny import DECODERS, ENCODERS, build

TEXTS = ["the applicant lives in north and earns a lot .", "very dull film !", "good ."]
FAMILIES = ("bert", "llama", "deberta-v2", "modernbert", "gpt2")


class Add(nn.Module):
    """A block that adds what it was built with; some blocks answer with a tuple."""

    def __init__(self, by, *, wrapped=False):
        super().__init__()
        self.by = nn.Parameter(torch.tensor(by))
        self.wrapped = wrapped
        self.calls = 0

    def forward(self, hidden_states):
        self.calls += 1
        out = hidden_states + self.by
        return (out, "more") if self.wrapped else out


class Toy(nn.Module):
    """Two blocks over a plane; the head doubles, and the larger coordinate is decided."""

    def __init__(self, *, wrapped=False, named=False):
        super().__init__()
        self.named = named
        self.layers = nn.ModuleList([Add([0.0, 0.5], wrapped=wrapped), Add([0.0, 1.0])])

    def forward(self, x):
        for block in self.layers:
            out = block(hidden_states=x) if self.named else block(x)
            x = out[0] if isinstance(out, tuple) else out
        return 2 * x[:, 0]


# one token each: decided 0 until the last block / 1 throughout / 0 at the embedding only
PLANE = torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]], [[1.0, 0.8]]])


@pytest.fixture(params=[(False, False), (True, False), (False, True)], ids=["plain", "tuple", "kw"])
def toy(request):
    return Toy(wrapped=request.param[0], named=request.param[1])


@pytest.fixture(scope="module", params=FAMILIES)
def subject(request, tmp_path_factory):
    folder = build(tmp_path_factory.mktemp(request.param) / "model", request.param)
    return load_subject(refer("tiny", ClassifierSubject(path=folder.name), folder.parent))


def untouched(blocks):
    return all(
        "forward" not in vars(b) and not b._forward_hooks and not b._forward_pre_hooks
        for b in blocks
    )


# --- formation ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("decisions", "expected"),
    [
        pytest.param([1, 1, 1, 1], 0, id="from the embedding on"),
        pytest.param([0, 0, 0, 1], 3, id="at the last layer only"),
        pytest.param([0, 1, 1, 1], 1, id="from the first block on"),
        pytest.param([1, 0, 1, 1], 2, id="lost and found again"),
        pytest.param([1, 1, 0, 1], 3, id="lost until the end"),
        pytest.param([2, 0, 1, 2], 3, id="three classes"),
        pytest.param([5], 0, id="no blocks"),
    ],
)
def test_a_decision_forms_where_it_stops_changing(decisions, expected):
    assert formation_layer(np.array(decisions)[:, None]).tolist() == [expected]


def test_every_text_forms_on_its_own():
    assert formation_layer(np.array([[0, 1, 0], [1, 1, 0], [1, 1, 1]])).tolist() == [1, 0, 2]


# --- the toy, by hand ---------------------------------------------------------------------


def test_every_layer_reads_as_the_head_would_read_it(toy):
    readings, states = read_layers(lambda: toy(PLANE), toy.layers)
    hidden = [PLANE, PLANE + torch.tensor([0, 0.5]), PLANE + torch.tensor([0, 1.5])]
    torch.testing.assert_close(readings, torch.stack([2 * h[:, 0] for h in hidden]))
    torch.testing.assert_close(torch.stack(states), torch.stack(hidden))
    classes = readings.argmax(-1).numpy()
    # (1, 0) (1, .5) (1, 1.5) -> 0 0 1;  (0, 1) -> 1 1 1;  (1, .8) (1, 1.3) (1, 2.3) -> 0 1 1
    assert classes.T.tolist() == [[0, 0, 1], [1, 1, 1], [0, 1, 1]]
    assert formation_layer(classes).tolist() == [2, 0, 1]
    assert untouched(toy.layers)


def test_reading_runs_every_block_once(toy):
    read_layers(lambda: toy(PLANE), toy.layers)
    assert [block.calls for block in toy.layers] == [1, 1]


def test_captured_states_carry_no_gradient(toy):
    with captured(toy.layers) as states:
        toy(PLANE)
    assert len(states) == 3
    assert not any(s.requires_grad for s in states)


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_an_edit_is_made_once_and_carried_on(toy, layer):
    seen = []

    def edit(hidden):
        seen.append(hidden.clone())
        return hidden * 10

    with edited(toy.layers, layer, edit):
        found = toy(PLANE)
    added = [torch.tensor([0, 0.5]), torch.tensor([0, 1.0])]
    before = PLANE + sum(added[:layer])
    after = before * 10 + sum(added[layer:])
    assert len(seen) == 1
    torch.testing.assert_close(seen[0], before)
    torch.testing.assert_close(found, 2 * after[:, 0])
    torch.testing.assert_close(toy(PLANE), 2 * (PLANE + 1.5 * torch.tensor([0.0, 1.0]))[:, 0])


@pytest.mark.parametrize(("layer", "calls"), [(0, [1, 1]), (1, [0, 1]), (2, [0, 0])])
def test_resuming_skips_the_blocks_below(toy, layer, calls):
    with recorded(toy.layers) as outputs:
        whole = toy(PLANE)
    for block in toy.layers:
        block.calls = 0
    with resumed(toy.layers, layer, outputs):
        torch.testing.assert_close(toy(PLANE), whole, atol=0, rtol=0)
    assert [block.calls for block in toy.layers] == calls


def test_resuming_takes_what_was_recorded_and_not_what_comes_in(toy):
    with recorded(toy.layers) as outputs:
        whole = toy(PLANE)
    with resumed(toy.layers, 1, outputs):
        torch.testing.assert_close(toy(PLANE * 7), whole)
    assert (toy(PLANE * 7) != whole).any()


# --- the stack ----------------------------------------------------------------------------


def test_the_stack_is_the_largest_list_of_modules_of_one_class():
    model = nn.Module()
    model.mixed = nn.ModuleList([nn.Linear(90, 90), nn.Tanh()])
    model.small = nn.ModuleList([nn.Linear(2, 2)] * 9)
    model.empty = nn.ModuleList()
    model.blocks = nn.ModuleList([nn.Linear(9, 9), nn.Linear(9, 9)])
    assert find_blocks(model) is model.blocks


def test_a_model_without_blocks_is_refused_by_name():
    with pytest.raises(SubjectError, match="no stack of transformer blocks found in Linear"):
        find_blocks(nn.Linear(2, 2))


# --- tiny models --------------------------------------------------------------------------


def turned(hidden):
    return hidden.flip(-1) * 1.5 + 0.1


@pytest.mark.parametrize("layer", [0, 1, 2, 3])
def test_resumed_and_edited_is_the_full_run_edited(subject, layer):
    batch = subject.encode(TEXTS)
    with torch.no_grad():
        with recorded(subject.blocks) as outputs:
            plain = subject.scores(batch)
        with edited(subject.blocks, layer, turned):
            full = subject.scores(batch)
        with resumed(subject.blocks, layer, outputs), edited(subject.blocks, layer, turned):
            short = subject.scores(batch)
        again = subject.scores(batch)
    torch.testing.assert_close(short, full, atol=0, rtol=0)
    torch.testing.assert_close(again, plain, atol=0, rtol=0)
    assert (full - plain).abs().max() > 1e-3  # the edit does something
    assert untouched(subject.blocks)


@pytest.mark.parametrize("layer", [0, 1, 2, 3])
def test_an_edit_that_changes_nothing_changes_nothing(subject, layer):
    batch = subject.encode(TEXTS)
    with torch.no_grad():
        with edited(subject.blocks, layer, lambda h: h.clone()):
            found = subject.scores(batch)
        torch.testing.assert_close(found, subject.scores(batch), atol=0, rtol=0)


def test_captured_states_are_what_edits_are_given(subject):
    batch, given = subject.encode(TEXTS), []

    def look(hidden):
        given.append(hidden.clone())
        return hidden

    with torch.no_grad():
        with captured(subject.blocks) as states:
            subject.scores(batch)
        for layer in range(subject.layers + 1):
            with edited(subject.blocks, layer, look):
                subject.scores(batch)
    assert len(given) == len(states) == subject.layers + 1
    for ours, seen in zip(states, given, strict=True):
        torch.testing.assert_close(ours, seen, atol=0, rtol=0)


def test_a_layer_reads_as_if_the_blocks_above_it_were_not_there(subject):
    batch = subject.encode(TEXTS)
    readings, states = read_layers(lambda: subject.scores(batch), subject.blocks)
    with torch.no_grad():  # the same by another way: every block above answers with its input
        for layer in range(subject.layers):
            with edited(subject.blocks, subject.layers, lambda _, s=states[layer]: s):
                own = subject.scores(batch)
            torch.testing.assert_close(readings[layer], own, atol=0, rtol=0)


def test_nothing_is_left_behind_when_the_run_breaks(subject):
    batch = subject.encode(TEXTS)
    with torch.no_grad(), recorded(subject.blocks) as outputs:
        plain = subject.scores(batch)
    contexts = [
        lambda: captured(subject.blocks),
        lambda: recorded(subject.blocks),
        lambda: resumed(subject.blocks, 2, outputs),
        lambda: edited(subject.blocks, 0, turned),
        lambda: edited(subject.blocks, 2, turned),
    ]
    for context in contexts:
        with pytest.raises(RuntimeError, match="in the middle"), context():
            broken_off(subject.blocks)
        assert untouched(subject.blocks)
    with pytest.raises(RuntimeError, match="in the middle"):
        read_layers(broken_after(subject, batch), subject.blocks)
    assert untouched(subject.blocks)
    with torch.no_grad():
        torch.testing.assert_close(subject.scores(batch), plain, atol=0, rtol=0)


def broken_off(blocks):
    assert not untouched(blocks)
    raise RuntimeError("in the middle")


def broken_after(subject, batch):
    runs = []

    def run():
        runs.append(0)
        if len(runs) == 2:
            raise RuntimeError("in the middle")
        return subject.scores(batch)

    return run


# --- every position -----------------------------------------------------------------------

KINDS = [(f, False) for f in (*DECODERS, *ENCODERS)] + [(f, True) for f in DECODERS]


@pytest.fixture(scope="module", params=KINDS, ids=lambda k: f"{k[0]}-{'causal' if k[1] else 'sc'}")
def any_subject(request, tmp_path_factory):
    return tiny_subject(tmp_path_factory.mktemp("any"), *request.param)


def tiny_subject(folder, family, causal=False, **spec):
    build(folder / "model", family, causal=causal)
    kind = CausalSubject if causal else ClassifierSubject
    return load_subject(refer("tiny", kind(path="model", **spec), folder))


def heads(subject, batch):
    return torch.arange(len(batch.ids)), subject.head_position(batch)


def test_every_position_reads_as_the_head_would_read_it(any_subject):
    """At the head's position: the subject's own scores at the last layer, the lens's elsewhere."""
    subject, batch = any_subject, any_subject.encode(TEXTS)
    stage = one_position(subject)
    readings, states = read_layers(lambda: subject.scores(batch), subject.blocks)
    with torch.no_grad():
        for layer, hidden in zip(readings, states, strict=True):
            torch.testing.assert_close(
                stage(hidden[heads(subject, batch)]), layer, atol=1e-5, rtol=1e-5
            )
    assert untouched(subject.blocks)


def test_a_padded_batch_reads_every_position_as_a_single_text(any_subject):
    subject, batch = any_subject, any_subject.encode(TEXTS)
    stage, k = one_position(subject), 2
    logits, states = read_layers(lambda: subject.scores(batch), subject.blocks)
    together = read_positions(stage, states, logits[-1].argmax(-1), k)
    for i, text in enumerate(TEXTS):
        alone = subject.encode([text])
        own, states = read_layers(lambda b=alone: subject.scores(b), subject.blocks)
        single = read_positions(stage, states, own[-1].argmax(-1), k)
        real = batch.mask[i].bool()
        for ours, theirs in zip(together, single, strict=True):
            found = ours[:, i, real].double()
            torch.testing.assert_close(found, theirs[:, 0].double(), atol=1e-5, rtol=1e-5)


def test_the_likeliest_come_first_with_their_probabilities(any_subject):
    subject, batch = any_subject, any_subject.encode(TEXTS)
    logits, states = read_layers(lambda: subject.scores(batch), subject.blocks)
    read = read_positions(one_position(subject), states, logits[-1].argmax(-1), k=3)
    whole = logits[-1].double().softmax(-1).topk(min(3, logits.shape[-1]))
    at_head = (-1, *heads(subject, batch))
    assert read.top[at_head].tolist() == whole.indices.tolist()
    torch.testing.assert_close(read.probabilities[at_head], whole.values, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(read.watched[at_head], whole.values[:, 0], atol=1e-5, rtol=1e-5)


def test_choices_are_read_as_choices(tmp_path):
    prompt = {"prompt": "{text} good or bad ?", "choices": ("good", "bad")}
    subject = tiny_subject(tmp_path, "llama", causal=True, **prompt)
    batch = subject.encode([subject.render(t) for t in TEXTS])
    logits, states = read_layers(lambda: subject.scores(batch), subject.blocks)
    read = read_positions(one_position(subject), states, torch.zeros(3, dtype=torch.long), k=2)
    own = logits.double().softmax(-1)[..., 0]
    found = read.watched[(slice(None), *heads(subject, batch))]
    torch.testing.assert_close(found, own, atol=1e-5, rtol=1e-5)


def test_passes_of_any_size_read_the_same(any_subject, monkeypatch):
    subject, batch = any_subject, any_subject.encode(TEXTS)
    logits, states = read_layers(lambda: subject.scores(batch), subject.blocks)
    arguments = one_position(subject), states, logits[-1].argmax(-1), 1
    whole = read_positions(*arguments)
    monkeypatch.setattr(lens, "PASS", 5)
    torch.testing.assert_close(read_positions(*arguments).watched, whole.watched)


def test_the_head_reads_one_position_and_the_mean_reads_all(any_subject, tmp_path):
    batch = any_subject.encode(TEXTS)
    position = any_subject.head_position(batch)
    assert reads_one_position(lambda: any_subject.scores(batch), any_subject.blocks, position)
    wrong = position + (-1 if any_subject.left_padded else 1)
    assert not reads_one_position(lambda: any_subject.scores(batch), any_subject.blocks, wrong)


def test_a_mean_over_tokens_reads_all_positions_and_each_of_them_as_its_own(tmp_path):
    folder = build(tmp_path / "model", "modernbert")
    config = json.loads((folder / "config.json").read_text()) | {"classifier_pooling": "mean"}
    (folder / "config.json").write_text(json.dumps(config))
    subject = load_subject(refer("tiny", ClassifierSubject(path="model"), tmp_path))
    batch = subject.encode(TEXTS)
    position = subject.head_position(batch)
    assert not reads_one_position(lambda: subject.scores(batch), subject.blocks, position)
    same = torch.randn(3, 32, generator=torch.Generator().manual_seed(0))
    everywhere = same.unsqueeze(1).expand(-1, batch.ids.shape[1], -1)
    with torch.no_grad():
        with edited(subject.blocks, subject.layers, lambda _: everywhere):
            whole = subject.scores(batch)
        torch.testing.assert_close(one_position(subject)(same), whole, atol=1e-5, rtol=1e-5)


def test_the_last_stage_passes_gradients_to_the_hidden_states(any_subject):
    width = any_subject.model.config.get_text_config().hidden_size
    hidden = torch.ones(2, width, requires_grad=True)
    any_subject.model.requires_grad_(False)
    one_position(any_subject)(hidden + 0.1)[:, 0].sum().backward()
    assert hidden.grad is not None
    assert torch.isfinite(hidden.grad).all()


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_a_pass_that_ends_early_has_the_same_states_and_runs_no_further(toy, layer):
    with captured(toy.layers) as whole:
        toy(PLANE)
    calls = [block.calls for block in toy.layers]
    with captured_up_to(toy.layers, layer) as states:
        toy(PLANE)
    assert len(states) == layer + 1
    for ours, known in zip(states, whole, strict=False):
        torch.testing.assert_close(ours, known)
    assert [block.calls - n for block, n in zip(toy.layers, calls, strict=True)] == [
        int(i < layer) for i in range(2)
    ]
    toy(PLANE)  # and nothing is left behind
