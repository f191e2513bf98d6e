"""Reading, editing and resuming layers: a toy by hand, and tiny models to the bit."""

import numpy as np
import pytest
import torch
from tiny import build
from torch import nn

from tasks.errors import SubjectError
from tasks.measures.lens import (
    captured,
    edited,
    find_blocks,
    formation_layer,
    read_layers,
    recorded,
    resumed,
)
from tasks.spec import ClassifierSubject
from tasks.subject import load_subject
from tasks.weights import refer

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
