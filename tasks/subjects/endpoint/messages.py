"""The conversations with a subject behind an endpoint, and their highest cost."""

from collections.abc import Sequence
from typing import Final

from tasks.definition import AnswerForm, OpenAISubject

Messages = tuple[dict[str, str], ...]
"""Role and content of every message, oldest first."""

PER_MESSAGE: Final = 16
"""Tokens that a chat template may put around a message, allowed for in upper bounds."""

SHORT: Final = 32
"""Tokens that an answer may take once its prefix is written."""

EXPECTED: Final = {"number": "a number", "yes-no": "yes or no", "label": "the answer"}


def question(spec: OpenAISubject, text: str) -> Messages:
    """The question about a text."""
    return (*_system(spec), _user(spec.prompt.replace("{text}", text)))


def answer_now(spec: OpenAISubject, text: str, reasoning: str) -> Messages:
    """The conversation that asks for an answer after a given reasoning, as the definition says."""
    conversation = question(spec, text)
    if spec.forcing == "prefill":
        return (*conversation, {"role": "assistant", "content": _begun(spec, reasoning)})
    now = request_for(spec.answer)
    if reasoning:
        return (*conversation, {"role": "assistant", "content": reasoning}, _user(now))
    # many endpoints refuse an empty message, or two of one role in a row
    return (*_system(spec), _user(f"{conversation[-1]['content']}\n\n{now}"))


def request_for(form: AnswerForm) -> str:
    """The words that ask for an answer without further reasoning."""
    expected = EXPECTED.get(form.form) or f"one of: {', '.join(form.choices)}"
    prefix = f"{form.prefix!r} followed by " if form.prefix else ""
    return f"Give the answer now, without further reasoning. Write {prefix}{expected}."


def longest_answer_now(spec: OpenAISubject) -> int:
    """Tokens that a forced answer may take; a model that is asked anew may think first."""
    return min(SHORT, spec.max_tokens) if spec.forcing == "prefill" else spec.max_tokens


def tokens_at_most(messages: Sequence[dict[str, str]], longest: int) -> int:
    """Tokens that messages and an answer of `longest` tokens can cost.

    One per byte, which no byte-level tokenizer exceeds, and some for every message's frame.
    """
    prompt_tokens = sum(
        len(m["content"].encode("utf-8", "replace")) + PER_MESSAGE for m in messages
    )
    return prompt_tokens + PER_MESSAGE + longest


def _begun(spec: OpenAISubject, reasoning: str) -> str:
    """The model's own message, begun with reasoning and prefix for it to go on."""
    thought = spec.reasoning_from == "thinking"
    thinking = f"<think>\n{reasoning}\n</think>\n\n" if thought else reasoning
    return " ".join(part for part in (thinking, spec.answer.prefix) if part)


def _system(spec: OpenAISubject) -> Messages:
    return () if spec.system is None else ({"role": "system", "content": spec.system},)


def _user(content: str) -> dict[str, str]:
    return {"role": "user", "content": content}
