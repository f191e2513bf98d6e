"""A causal subject at work: it reasons, then answers; or answers from a reasoning cut short."""

from collections.abc import Sequence
from typing import NamedTuple

import torch

from tasks.gather.inputs import batches
from tasks.measures.reasoning import read_answer
from tasks.spec import CausalSubject
from tasks.subject import Subject


class Written(NamedTuple):
    """One completion, split."""

    reasoning: str
    answer: str | None


def write(subject: Subject, texts: Sequence[str]) -> list[Written]:
    """Let the subject reason and answer, greedily, one completion per text."""
    spec = _causal(subject)
    found = [Written("", None)] * len(texts)
    rendered = [subject.render(text) for text in texts]
    with torch.inference_mode():
        for positions, batch in batches(subject, rendered):
            output = subject.model.generate(
                input_ids=batch.ids,
                attention_mask=batch.mask,
                max_new_tokens=spec.max_new_tokens,
                do_sample=False,
                pad_token_id=subject.tokenizer.pad_token_id,
            )
            completions = subject.tokenizer.batch_decode(
                output[:, batch.ids.shape[1] :], skip_special_tokens=True
            )
            for position, completion in zip(positions, completions, strict=True):
                found[position] = Written(
                    *read_answer(completion, spec.answer_prefix, spec.choices)
                )
    return found


def answer_after(subject: Subject, texts: Sequence[str], reasonings: Sequence[str]) -> list[str]:
    """The choice the subject gives when its reasoning is as stated and it must answer now."""
    spec = _causal(subject)
    rendered = [
        " ".join(part for part in (subject.render(t), r, spec.answer_prefix) if part)
        for t, r in zip(texts, reasonings, strict=True)
    ]
    found = [""] * len(texts)
    with torch.inference_mode():
        for positions, batch in batches(subject, rendered):
            best = subject.scores(batch).argmax(dim=-1).tolist()
            for position, choice in zip(positions, best, strict=True):
                found[position] = subject.labels[choice]
    return found


def _causal(subject: Subject) -> CausalSubject:
    if not isinstance(subject.ref.spec, CausalSubject):
        raise TypeError(f"{subject.ref.name} is no causal-lm and does not write")
    return subject.ref.spec
