"""An endpoint's reply: the text, the thinking channel, and the tokens."""

import re
from typing import Final

from openai.types.chat import ChatCompletion

from tasks.definition.record import Record
from tasks.subjects.endpoint.client import NoAnswerError
from tasks.subjects.endpoint.meter import Bill

LONGEST_ANSWER: Final = 1_000_000
"""Characters of an answer that are read at most."""

_TAG = re.compile(r"\s*<(think|thinking)>(.*?)(?:</\1>|\Z)", re.DOTALL)
_CLOSED_ONLY = re.compile(r"(.*?)</(?:think|thinking)>", re.DOTALL)


class Reply(Record):
    """One answer, its two channels apart."""

    content: str
    """The answer."""
    thinking: str = ""
    """The thinking before it, if the endpoint returns it."""
    finish: str = ""
    """Why it ended: `stop`, `length`, ..."""
    tokens_read: int | None = None
    tokens_written: int | None = None


def read_reply(completion: ChatCompletion, bill: Bill) -> Reply:
    """The reply in a chat completion; the tokens that the endpoint charged go into the bill.

    An empty answer, a refusal and a truncated one are the subject's answers; only a completion
    without any is refused.

    Raises:
        NoAnswerError: there are no choices or no message, or the text is beyond all bounds.
    """
    usage = getattr(completion, "usage", None)
    counts = [getattr(usage, name, None) for name in ("prompt_tokens", "completion_tokens")]
    known = [n if isinstance(n, int) and n >= 0 else None for n in counts]
    if None not in known:
        bill.tokens = sum(n or 0 for n in known)
    choices = getattr(completion, "choices", None) or [None]
    message = getattr(choices[0], "message", None)
    if message is None:
        raise NoAnswerError("endpoint: answer without choices", passing=True)
    text = getattr(message, "content", None) or getattr(message, "refusal", None) or ""
    thought = [getattr(message, name, None) for name in ("reasoning_content", "reasoning")]
    channel = next((t for t in thought if isinstance(t, str) and t), "")
    if not isinstance(text, str) or len(text) + len(channel) > LONGEST_ANSWER:
        raise NoAnswerError("endpoint: answer could not be read (content)", passing=True)
    tagged, content = split_thinking(text)
    return Reply(
        content=content,
        thinking="\n".join(part for part in (channel, tagged) if part),
        finish=str(getattr(choices[0], "finish_reason", None) or ""),
        tokens_read=known[0],
        tokens_written=known[1],
    )


def split_thinking(text: str) -> tuple[str, str]:
    """Thinking between <think> tags at the start of a text, and the rest.

    A closing tag alone ends a thinking that the prompt's template began; an opening tag alone
    begins one that was cut off.
    """
    if match := _TAG.match(text):
        return match[2].strip(), text[match.end() :].strip()
    if match := _CLOSED_ONLY.match(text):
        return match[1].strip(), text[match.end() :].strip()
    return "", text
