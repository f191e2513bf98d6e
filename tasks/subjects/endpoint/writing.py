"""A subject behind an endpoint: what it is asked, and how its replies are read."""

from collections.abc import Sequence
from typing import NamedTuple

from pydantic import JsonValue

from tasks.definition import AnswerForm
from tasks.errors import SubjectError
from tasks.measures.reasoning.answers import read_written, whole_answer
from tasks.subjects.endpoint.messages import answer_now, longest_answer_now, question
from tasks.subjects.endpoint.reply import Reply
from tasks.subjects.endpoint.subject import EndpointSubject


class Asked(NamedTuple):
    """One reply, split."""

    reasoning: str
    answer: str | None
    completion: str
    thinking: str


def written(subject: EndpointSubject, texts: Sequence[str]) -> list[Asked]:
    """Reasoning and answer for every text.

    Raises:
        SubjectError: no reply came, or none has the channel that the definition takes for the
            reasoning; an empty reasoning would be held against a subject that did reason.
    """
    replies = subject.ask([question(subject.spec, text) for text in texts])
    found = [_split(subject, reply) for reply in replies]
    if found and not any(one.reasoning for one in found):
        _check_channels(subject, found)
    return found


def answered_after(
    subject: EndpointSubject, texts: Sequence[str], reasonings: Sequence[str]
) -> list[str | None]:
    """The answer after a given reasoning: prefilled or asked for, as the definition says."""
    spec = subject.spec
    form, prefilled = spec.answer, spec.forcing == "prefill"
    conversations = [
        answer_now(spec, text, reasoning) for text, reasoning in zip(texts, reasonings, strict=True)
    ]
    more: dict[str, JsonValue] = spec.prefill_parameters if prefilled else {}
    replies = subject.ask(conversations, max_tokens=longest_answer_now(spec), **more)
    if prefilled:
        return [_after_prefix(form, reply.content) for reply in replies]
    return [_answer(form, reply.content) for reply in replies]


def _split(subject: EndpointSubject, reply: Reply) -> Asked:
    form = subject.spec.answer
    read = read_written(reply.content, form.form, form.prefix, form.choices)
    reasoning = reply.thinking if subject.spec.reasoning_from == "thinking" else read.reasoning
    whole = whole_answer(reply.content, form.form, form.choices)
    if whole is not None and subject.spec.reasoning_from == "text":
        reasoning = ""
    answer = whole if whole is not None and not read.answer else read.answer
    return Asked(reasoning, answer, reply.content, reply.thinking)


def _answer(form: AnswerForm, content: str) -> str | None:
    whole = whole_answer(content, form.form, form.choices) if form.form != "label" else None
    return whole or read_written(content, form.form, form.prefix, form.choices).answer


def _after_prefix(form: AnswerForm, content: str) -> str | None:
    """The answer in what follows a prefix; some endpoints repeat what they were given."""
    again = content if form.prefix in content else f"{form.prefix} {content}"
    return read_written(again, form.form, form.prefix, form.choices).answer


def _check_channels(subject: EndpointSubject, found: Sequence[Asked]) -> None:
    if subject.spec.reasoning_from == "thinking":
        raise SubjectError(
            f"subject {subject.ref.name}: reasoning_from thinking, but none of {len(found)} "
            "replies has a thinking channel (reasoning_content, reasoning, <think>); there is: text"
        )
    if any(one.thinking for one in found):
        raise SubjectError(
            f"subject {subject.ref.name}: reasoning_from text, but none of {len(found)} replies "
            "reasons in its text; there is: thinking"
        )
