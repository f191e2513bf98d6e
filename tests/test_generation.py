"""Reading on from a cache gives what reading everything anew gives, for every architecture."""

from dataclasses import replace

import pytest
import torch

from tasks.definition import CausalSubject
from tasks.subjects.load import refer
from tasks.subjects.local import cached_reading, generation
from tasks.subjects.local.generation import (
    answers_at_cuts,
    cache_is_sound,
    continued,
)
from tasks.subjects.local.loading import load_subject
from tests.support.tiny import DECODERS, build

TEXTS = ["the applicant lives in north and earns a lot", "very dull film", "good", "a long story"]
REASONINGS = [
    "one short text . another bright story , and debt . income !",
    "no .",
    "",
    "the film , the story , the debt . good good good . bad ?",
]
CUTS = [
    ["", "", "", ""],  # nothing kept
    ["one short text .", "no .", "", "the film , the story"],  # a prefix
    REASONINGS,  # everything
    ["bad one short", "very no .", "dull", "the debt"],  # departs at once, longer or shorter
    ["one short text . bad bad bad bad bad bad bad bad bad bad bad", "no . no", "yes", "the film"],
]
OPTIONS = {
    "prompt": "the text {text} .",
    "answer_prefix": "very",
    "choices": ["yes", "no"],
    "max_new_tokens": 12,
    "batch": 3,  # so that rows are padded, and one batch is not full
}


def scores_at_cuts(subject, texts, reasonings, cuts):
    """Scores of the choices alone, as `answers_at_cuts` reads them."""
    return generation.at_cuts(subject, texts, reasonings, cuts, [None] * len(texts)).scores


def load(folder, family, **options):
    build(folder / "model", family, causal=True)
    return load_subject(refer("tiny", CausalSubject(path="model", **OPTIONS | options), folder))


@pytest.fixture(scope="module", params=DECODERS)
def subject(request, tmp_path_factory):
    return load(tmp_path_factory.mktemp(request.param), request.param)


def alone(subject, text, reasoning):
    """Logits of the choices with one text read on its own."""
    parts = (subject.render(text), reasoning, subject.ref.spec.answer_prefix)
    with torch.inference_mode():
        return subject.scores(subject.encode([" ".join(p for p in parts if p)]))[0].cpu()


def generated(subject, text, reasoning, limit):
    """What the library's own greedy loop writes for one text on its own."""
    batch = subject.encode([" ".join(p for p in (subject.render(text), reasoning) if p)])
    output = subject.model.generate(
        input_ids=batch.ids,
        attention_mask=batch.mask,
        max_new_tokens=limit,
        do_sample=False,
        pad_token_id=subject.tokenizer.pad_token_id,
    )
    return subject.tokenizer.decode(output[0, batch.ids.shape[1] :], skip_special_tokens=True)


def test_scores_are_those_of_the_plain_loop(subject):
    assert cache_is_sound(subject)
    found = scores_at_cuts(subject, TEXTS, REASONINGS, CUTS)
    expected = [
        torch.stack([alone(subject, t, r) for t, r in zip(TEXTS, cut, strict=True)]) for cut in CUTS
    ]
    torch.testing.assert_close(found, torch.stack(expected), atol=1e-4, rtol=1e-4)


def test_answers_are_those_of_the_plain_loop(subject):
    found = answers_at_cuts(subject, TEXTS, REASONINGS, CUTS)
    assert found == [
        [
            subject.labels[int(alone(subject, t, r).argmax())]
            for t, r in zip(TEXTS, cut, strict=True)
        ]
        for cut in CUTS
    ]


def completions(subject):
    """What a subject writes after each text when nothing stands there yet."""
    nothing = [""] * len(TEXTS)
    return continued(subject, TEXTS, nothing, [nothing])[0]


def test_what_is_written_is_what_the_library_writes(subject):
    assert completions(subject) == [generated(subject, t, "", 12) for t in TEXTS]


def test_going_on_from_a_cut_is_what_the_library_writes(subject):
    starts = [cut for cut in CUTS if max(len(c.split()) for c in cut) < 12][:3]
    found = continued(subject, TEXTS, REASONINGS, starts)
    for told, cut in zip(found, starts, strict=True):
        for text, start, completion in zip(TEXTS, cut, told, strict=True):
            room = 12 - len(start.split())
            assert completion == generated(subject, text, start, room)


def test_reading_versions_leaves_what_was_read_untouched(subject):
    twice = scores_at_cuts(subject, TEXTS, REASONINGS, [CUTS[1], CUTS[4], CUTS[1]])
    torch.testing.assert_close(twice[0], twice[2], atol=0, rtol=0)


def test_a_text_that_ends_frees_its_place(tmp_path):
    subject = load(tmp_path, "llama", max_new_tokens=30)
    head = subject.model.lm_head.weight
    with torch.no_grad():  # the end becomes likely enough that some texts reach it early
        head[3] = head[4:].mean(dim=0) + 1.5 * head[7]
    subject.model.generation_config.eos_token_id = [3, 9]
    expected = [generated(subject, t, "", 30) for t in TEXTS]
    assert completions(subject) == expected
    assert len({len(e.split()) for e in expected}) > 1


def test_a_sliding_window_is_never_looked_past(tmp_path):
    build(tmp_path / "model", "mistral", causal=True)
    config = (tmp_path / "model/config.json").read_text()
    assert '"sliding_window": 4096' in config
    (tmp_path / "model/config.json").write_text(
        config.replace('"sliding_window": 4096', '"sliding_window": 12')
    )
    subject = load_subject(refer("tiny", CausalSubject(path="model", **OPTIONS), tmp_path))
    found = scores_at_cuts(subject, TEXTS, REASONINGS, CUTS)
    for row, cut in zip(found, CUTS, strict=True):
        for scores, text, reasoning in zip(row, TEXTS, cut, strict=True):
            torch.testing.assert_close(
                scores, alone(subject, text, reasoning), atol=1e-4, rtol=1e-4
            )


def test_a_cache_that_gives_other_scores_is_not_used(tmp_path, monkeypatch):
    subject = load(tmp_path, "llama")
    onward = cached_reading._onward

    def wrong(*arguments):
        reading = onward(*arguments)
        return replace(reading, logits=reading.logits + 1)

    monkeypatch.setattr(cached_reading, "_onward", wrong)
    cache_is_sound.cache_clear()
    try:
        assert not cache_is_sound(subject)
        found = scores_at_cuts(subject, TEXTS[:1], REASONINGS[:1], [CUTS[1][:1]])
    finally:
        cache_is_sound.cache_clear()
    expected = alone(subject, TEXTS[0], CUTS[1][0])
    torch.testing.assert_close(found[0, 0], expected, atol=1e-4, rtol=1e-4)


def test_settings_that_bend_greedy_generation_are_obeyed(tmp_path):
    subject = load(tmp_path, "gpt2")
    subject.model.generation_config.repetition_penalty = 5.0
    bent = [generated(subject, t, "", 12) for t in TEXTS]
    assert completions(subject) == bent
    subject.model.generation_config.repetition_penalty = 1.0
    assert bent != [generated(subject, t, "", 12) for t in TEXTS]
