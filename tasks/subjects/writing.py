"""Subjects at work: they reason, then answer; or answer after a reasoning that is given to them.

The one place that lets any subject write: a local model, one behind an endpoint, or one on record.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from tasks.definition import CausalSubject
from tasks.errors import SubjectError
from tasks.measures.reasoning.answers import read_written
from tasks.run.inputs import batches
from tasks.subjects.endpoint import writing
from tasks.subjects.endpoint.subject import EndpointSubject
from tasks.subjects.local.subject import Subject
from tasks.subjects.transcripts import RecordedSubject

Writer = Subject | EndpointSubject | RecordedSubject

SHORT = 16
"""Tokens that an answer may take that no list of choices bounds."""


class Written(NamedTuple):
    """One completion, split."""

    reasoning: str
    answer: str | None
    """In canonical writing; none when none can be read."""
    completion: str = ""
    """All that was written, where it is at hand."""
    thinking: str = ""
    """What was thought beside it, where the subject has a channel for that."""


def write(subject: Writer, texts: Sequence[str]) -> list[Written]:
    """Let the subject reason and answer, one completion per text."""
    match subject:
        case EndpointSubject():
            return [Written(*one) for one in writing.written(subject, texts)]
        case RecordedSubject():
            return [Written(t.reasoning, t.answer) for t in subject.of(texts)]
        case Subject():
            return _written(subject, texts)


def answer_after(
    subject: Writer, texts: Sequence[str], reasonings: Sequence[str]
) -> list[str | None]:
    """The answer the subject gives when its reasoning is as stated and it must answer now.

    Raises:
        SubjectError: the subject is on record and cannot be asked anything new.
    """
    match subject:
        case EndpointSubject():
            return writing.answered_after(subject, texts, reasonings)
        case RecordedSubject():
            raise SubjectError(
                f"subject {subject.ref.name}: transcripts cannot be asked again, as an answer "
                "after another reasoning needs"
            )
        case Subject():
            return _answered_after(subject, texts, reasonings)


def _written(subject: Subject, texts: Sequence[str]) -> list[Written]:
    spec = _causal(subject)
    rendered = [subject.render(text) for text in texts]
    form = spec.answer
    return [
        Written(*read_written(completion, form.form, form.prefix, form.choices), completion)
        for completion in _generated(subject, rendered, spec.max_new_tokens)
    ]


def _answered_after(
    subject: Subject, texts: Sequence[str], reasonings: Sequence[str]
) -> list[str | None]:
    spec = _causal(subject)
    form = spec.answer
    rendered = [
        " ".join(part for part in (subject.render(t), r, form.prefix) if part)
        for t, r in zip(texts, reasonings, strict=True)
    ]
    if form.known:
        return [subject.labels[choice] for choice in _best(subject, rendered)]
    ends = _generated(subject, rendered, min(SHORT, spec.max_new_tokens))
    return [
        read_written(f"{form.prefix} {end}", form.form, form.prefix, form.choices).answer
        for end in ends
    ]


def _generated(subject: Subject, rendered: Sequence[str], longest: int) -> list[str]:
    """What the subject writes next, greedily."""
    found = [""] * len(rendered)
    with torch.inference_mode():
        for positions, batch in batches(subject, rendered):
            output = subject.model.generate(
                input_ids=batch.ids,
                attention_mask=batch.mask,
                max_new_tokens=longest,
                do_sample=False,
                pad_token_id=subject.tokenizer.pad_token_id,
            )
            completions = subject.tokenizer.batch_decode(
                output[:, batch.ids.shape[1] :], skip_special_tokens=True
            )
            for position, completion in zip(positions, completions, strict=True):
                found[position] = completion
    return found


def _best(subject: Subject, rendered: Sequence[str]) -> list[int]:
    """The likeliest choice, by its first token."""
    found = [0] * len(rendered)
    with torch.inference_mode():
        for positions, batch in batches(subject, rendered):
            best: list[Any] = subject.scores(batch).argmax(dim=-1).tolist()
            for position, choice in zip(positions, best, strict=True):
                found[position] = int(choice)
    return found


def _causal(subject: Subject) -> CausalSubject:
    if not isinstance(subject.ref.spec, CausalSubject):
        raise TypeError(f"{subject.ref.name} is no causal-lm and does not write")
    return subject.ref.spec
