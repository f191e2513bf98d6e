"""How the replies of a subject behind an endpoint are read."""

from collections.abc import Sequence

from tasks.definition import AnswerForm, OpenAISubject
from tasks.errors import SubjectError
from tasks.measures.reasoning.answers import read_written, whole_answer
from tasks.subjects.endpoint.reply import Reply
from tasks.subjects.outputs import Written


def read_reasoned(spec: OpenAISubject, reply: Reply) -> Written:
    """Reasoning and answer in a reply, from the channels that the definition names."""
    form = spec.answer
    read = read_written(reply.content, form.form, form.prefix, form.choices)
    reasoning = reply.thinking if spec.reasoning_from == "thinking" else read.reasoning
    whole = whole_answer(reply.content, form.form, form.choices)
    if whole is not None and spec.reasoning_from == "text":
        reasoning = ""
    answer = whole if whole is not None and not read.answer else read.answer
    return Written(reasoning, answer, reply.content, reply.thinking)


def read_answer_after(spec: OpenAISubject, reply: Reply) -> str | None:
    """The answer in a reply to `messages.answer_now`."""
    if spec.forcing == "prefill":
        return _after_prefix(spec.answer, reply.content)
    return _answer(spec.answer, reply.content)


def check_channels(name: str, spec: OpenAISubject, replies: Sequence[Written]) -> None:
    """Refuse replies none of which has the reasoning channel that the definition names.

    A subject that did reason would else be measured with empty reasonings.

    Raises:
        SubjectError: no reply has it.
    """
    if not replies or any(reply.reasoning for reply in replies):
        return
    if spec.reasoning_from == "thinking":
        raise SubjectError(
            f"subject {name}: reasoning_from thinking, but none of {len(replies)} "
            "replies has a thinking channel (reasoning_content, reasoning, <think>); there is: text"
        )
    if any(reply.thinking for reply in replies):
        raise SubjectError(
            f"subject {name}: reasoning_from text, but none of {len(replies)} replies "
            "reasons in its text; there is: thinking"
        )


def _answer(form: AnswerForm, content: str) -> str | None:
    whole = whole_answer(content, form.form, form.choices) if form.form != "label" else None
    return whole or read_written(content, form.form, form.prefix, form.choices).answer


def _after_prefix(form: AnswerForm, content: str) -> str | None:
    """The answer in the text after a prefix; some endpoints repeat the prefix."""
    again = content if form.prefix in content else f"{form.prefix} {content}"
    return read_written(again, form.form, form.prefix, form.choices).answer
