"""Texts made ready for attribution: the right score, the right units, nothing else touched."""

from pathlib import Path

import pytest
import torch

from tasks.checks.attribution.methods import METHODS
from tasks.definition import CausalSubject, ClassifierSubject
from tasks.definition.target import Target
from tasks.errors import SubjectError
from tasks.subjects.load import refer
from tasks.subjects.local.loading import load_subject
from tasks.subjects.local.prepared_texts import Explained, explained
from tasks.subjects.local.target import log_odds
from tests.support.tiny import DECODERS, ENCODERS, build

TEXTS = [
    "the applicant lives in north and earns a lot .",
    "a very dull story .",
    "good film , very long and bright !",
]
PROMPT = "the story : {text} good or bad ?"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """Subjects by (family, causal), built once."""
    known = {}

    def load(family, *, causal=False, **changes):
        key = (family, causal, *sorted(changes.items()))
        if key not in known:
            folder = tmp_path_factory.mktemp(family)
            build(folder / "m", family, causal=causal)
            spec = (
                CausalSubject(path="m", prompt=PROMPT, **changes)
                if causal
                else ClassifierSubject(path="m", **changes)
            )
            known[key] = load_subject(refer("it", spec, Path(folder)))
        return known[key]

    return load


def everything(texts: Explained) -> torch.Tensor:
    return torch.ones(len(texts.units), texts.widest, dtype=torch.bool)


def all_scores(texts, present=None, operator="neutral"):
    present = everything(texts) if present is None else present
    return texts.values(torch.arange(len(texts.units)), present, operator)


FAMILIES = [
    *(pytest.param(f, False, id=f"{f} classifier") for f in (*ENCODERS, *DECODERS)),
    *(pytest.param(f, True, id=f"{f} causal") for f in DECODERS),
]


@pytest.mark.parametrize(("family", "causal"), FAMILIES)
def test_a_batch_scores_like_its_texts_alone(loaded, family, causal):
    subject = loaded(family, causal=causal)
    together = explained(subject, TEXTS)
    halves = everything(together)
    halves[:, ::2] = False
    for operator in ("neutral", "delete"):
        batched = all_scores(together, halves, operator)
        for i, text in enumerate(TEXTS):
            alone = explained(subject, [text])
            single = all_scores(alone, halves[i : i + 1, : alone.widest], operator)
            assert batched[i] == pytest.approx(single.item(), abs=1e-5)


@pytest.mark.parametrize(("family", "causal"), FAMILIES)
def test_deleted_words_are_as_if_they_had_never_stood_there(loaded, family, causal):
    subject = loaded(family, causal=causal)
    texts = explained(subject, TEXTS[:1])
    present = everything(texts)
    present[0, [1, 4]] = False
    without = "the lives in and earns a lot ."
    kept = explained(subject, [without], classes=texts.scoring.classes)
    assert all_scores(texts, present, "delete").item() == pytest.approx(
        all_scores(kept).item(), abs=1e-5
    )


@pytest.mark.parametrize("name", ["integrated-gradients", "shapley", "leave-one-out"])
@pytest.mark.parametrize(("family", "causal"), FAMILIES)
def test_attributions_of_a_batch_are_those_of_its_texts_alone(loaded, family, causal, name):
    subject = loaded(family, causal=causal)
    together = explained(subject, TEXTS)
    found = together.merged(METHODS[name].run(together.inputs, 0, 1e-3))
    for i, text in enumerate(TEXTS):
        alone = explained(subject, [text])
        single = alone.merged(METHODS[name].run(alone.inputs, 0, 1e-3))[0]
        assert found[i].values == pytest.approx(single.values, abs=1e-5)


def test_the_score_of_a_decision_is_its_log_odds(loaded):
    subject = loaded("bert")
    texts = explained(subject, TEXTS)
    probability = subject.scores(texts.batch).softmax(dim=1).max(dim=1).values
    assert all_scores(texts).numpy() == pytest.approx(
        (probability / (1 - probability)).log().numpy(), abs=1e-5
    )
    assert texts.scoring.probability(all_scores(texts)).numpy() == pytest.approx(
        probability.numpy(), abs=1e-6
    )


def test_a_named_class_is_explained_whatever_was_decided(loaded):
    subject = loaded("bert")
    yes, no = (all_scores(explained(subject, TEXTS, target=Target(label=c))) for c in ("yes", "no"))
    assert yes.numpy() == pytest.approx((-no).numpy(), abs=1e-5)


def test_a_contrast_of_two_tokens_is_the_difference_of_their_logits(loaded):
    subject = loaded("llama", causal=True)
    texts = explained(subject, TEXTS, target=Target(label="good", against="bad"))
    logits = subject.scores(texts.batch)
    good, bad = (subject.class_index(word) for word in ("good", "bad"))
    assert all_scores(texts).numpy() == pytest.approx(
        (logits[:, good] - logits[:, bad]).numpy(), abs=1e-5
    )
    assert texts.scoring.name(0) == "good rather than bad"


@pytest.mark.parametrize("family", DECODERS)
def test_an_answer_is_scored_by_the_probability_of_all_its_tokens(loaded, family):
    """Against the plain forward pass of transformers, token by token."""
    subject = loaded(family, causal=True)
    texts = explained(subject, TEXTS, target=Target(answer="a good story"))
    for i, text in enumerate(TEXTS):
        prompt = subject.tokenizer(subject.render(text), return_tensors="pt")["input_ids"]
        answer = subject.tokenizer("a good story", add_special_tokens=False)["input_ids"]
        whole = torch.cat([prompt[0], torch.tensor(answer)]).unsqueeze(0)
        told = subject.model(input_ids=whole).logits[0].log_softmax(dim=-1)
        expected = sum(told[prompt.shape[1] - 1 + k, t] for k, t in enumerate(answer))
        assert all_scores(texts)[i].item() == pytest.approx(expected.item(), abs=1e-4)


def test_prompt_and_answer_stand_in_the_baseline_as_they_are(loaded):
    subject = loaded("llama", causal=True)
    texts = explained(subject, TEXTS[:1], target=Target(answer="bad"))
    assert [u.words(TEXTS[0]) for u in texts.units[0]] == TEXTS[0].split()
    same = (texts.inputs.own == texts.inputs.neutral).all(dim=-1)[0]
    tokens = subject.tokenizer.convert_ids_to_tokens(texts.batch.ids[0].tolist())
    frame = [t for t, kept in zip(tokens, same.tolist(), strict=True) if kept]
    kept = [t for t in frame if t != "[CLS]"]
    assert kept == ["the", "story", "[UNK]", "good", "[UNK]", "bad", "?", "bad"]


@pytest.mark.parametrize(
    ("causal", "target", "problem"),
    [
        pytest.param(False, {"answer": "good"}, "does not write", id="a classifier has no answer"),
        pytest.param(False, {"label": "maybe"}, "no class 'maybe'; there are: no, yes", id="class"),
        pytest.param(True, {"label": "very good"}, "2 tokens", id="two tokens are an answer"),
    ],
)
def test_a_target_that_is_none_is_said(loaded, causal, target, problem):
    subject = loaded("llama", causal=True) if causal else loaded("bert")
    with pytest.raises(SubjectError, match=problem):
        explained(subject, TEXTS, target=Target(**target))


def test_a_long_text_is_read_in_windows_and_its_attribution_is_their_mean(loaded):
    subject = loaded("bert", too_long="window")
    long = " ".join(["the applicant lives in north and earns a little"] * 12)
    texts = explained(subject, [long, TEXTS[1]], target=Target(label="yes"))
    windows = int((texts.batch.owner == 0).sum())
    assert windows > 1
    assert len(texts.units[0]) == 108
    found = METHODS["integrated-gradients"].run(texts.inputs, 0, 1e-4)
    merged = texts.merged(found)[0]
    of_windows = texts.batch.owner == 0
    expected = (found.score - found.baseline_score)[of_windows].mean()
    assert sum(merged.values) == pytest.approx(expected.item(), abs=1e-3)
    assert all_scores(texts)[0].item() == pytest.approx(found.score[of_windows].mean().item())
    first, last = merged.values[0], merged.values[-1]
    assert first == pytest.approx(found.units[0, 0].item() / windows)
    row = int(torch.nonzero(of_windows)[-1])
    assert last == pytest.approx(found.units[row, texts.inputs.counts[row] - 1].item() / windows)


def test_log_odds_of_three_classes():
    """p = (1/2, 1/4, 1/4): the odds of the first are 1, of the others 1/3."""
    logits = torch.tensor([[0.5, 0.25, 0.25]]).log().expand(2, -1)
    found = log_odds(logits, torch.tensor([0, 2]))
    assert found.tolist() == pytest.approx([0.0, -1.0986123])


def test_fields_as_units_move_together(loaded):
    subject = loaded("bert")
    text = "the applicant lives in north and south ."
    places = [{"place": [(23, 28), (33, 38)]}]
    texts = explained(subject, [text], units="fields", places=places, target=Target(label="yes"))
    at = next(i for i, u in enumerate(texts.units[0]) if u.field == "place")
    present = everything(texts)
    present[0, at] = False
    alone = explained(subject, [text], target=Target(label="yes"))
    both = everything(alone)
    both[0, [4, 6]] = False
    assert all_scores(texts, present).item() == pytest.approx(all_scores(alone, both).item())
