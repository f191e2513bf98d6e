"""Asking an OpenAI-compatible endpoint for sentences: bounded in time, silent about its key."""

import asyncio
import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import openai
from openai.types.chat import ChatCompletion
from openai.types.shared_params import ResponseFormatJSONSchema
from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.definition import ExplainSpec
from tasks.explain.claims import Claim
from tasks.subjects.endpoint.api_key import key_in
from tasks.subjects.endpoint.client import LONGEST_PAUSE, Client, NoAnswerError, as_it_is
from tasks.subjects.endpoint.secret import has_key

LONGEST_ANSWER: Final = 20_000
"""Characters of an answer that are read at most."""

FAILURES_IN_A_ROW: Final = 3
"""Failures after which the endpoint is not asked again."""

LONGEST_IN_ALL: Final = 1800.0
"""Seconds after which no further text is asked for."""


class _Sentence(BaseModel):
    """One sentence of an answer."""

    model_config = ConfigDict(extra="ignore")

    text: str
    facts: list[str]


class _Answer(BaseModel):
    """What the endpoint is asked to return."""

    model_config = ConfigDict(extra="ignore")

    sentences: list[_Sentence]


_SCHEMA: Final[ResponseFormatJSONSchema] = {
    "type": "json_schema",
    "json_schema": {
        "name": "explanation",
        "strict": True,
        "schema": {
            "type": "object",
            "additionalProperties": False,
            "required": ["sentences"],
            "properties": {
                "sentences": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["text", "facts"],
                        "properties": {
                            "text": {"type": "string"},
                            "facts": {"type": "array", "items": {"type": "string"}},
                        },
                    },
                }
            },
        },
    },
}


@dataclass
class Endpoint:
    """An endpoint, and whether it is still worth asking."""

    spec: ExplainSpec
    client: Client
    deadline: float
    down: str = ""
    failures: int = 0
    structured: bool = True

    async def sentences(self, system: str, user: str) -> tuple[Claim, ...]:
        """The endpoint's sentences with the facts they cite.

        Raises:
            NoAnswerError: it failed, refused, was too slow, or did not answer as asked.
        """
        if self.down:
            raise NoAnswerError(f"endpoint: not asked any more after: {self.down}")
        try:
            content = await self._ask(system, user)
        except NoAnswerError as error:
            self._count(str(error))
            raise
        self.failures = 0
        if self.client.key and has_key(content, self.client.key):
            raise NoAnswerError("endpoint: the answer repeated a secret")
        return _claims(content)

    def _count(self, why: str) -> None:
        self.failures += 1
        if self.failures >= FAILURES_IN_A_ROW:
            self.down = self.down or why.removeprefix("endpoint: ")

    async def _ask(self, system: str, user: str) -> str:
        once = (self.spec.timeout + LONGEST_PAUSE) * (self.spec.retries + 1)
        left = self.deadline - time.monotonic()
        try:
            async with asyncio.timeout(max(0.0, min(once, left))):
                return _content(await self._complete(system, user))
        except TimeoutError:
            if left <= once:
                self.down = f"{LONGEST_IN_ALL:g} s for all texts were used up"
            raise NoAnswerError(self.down or f"endpoint: no answer within {once:g} s") from None
        except NoAnswerError as error:
            if error.unreachable or error.status in (401, 403, 404):
                self.down = str(error).removeprefix("endpoint: ")
            raise
        except (ValueError, TypeError, AttributeError) as error:
            # A server may answer anything; its words are not repeated, as they may hold the key.
            kind = type(error).__name__
            raise NoAnswerError(f"endpoint: answer could not be read ({kind})") from None

    async def _complete(self, system: str, user: str) -> ChatCompletion:
        if not self.structured:
            return await self._create(system, user, openai.omit)
        try:
            return await self._create(system, user, _SCHEMA)
        except NoAnswerError as error:
            if error.status not in (400, 422):
                raise
            answer = await self._create(system, user, openai.omit)
            self.structured = False  # it answers, but not with response_format
            return answer

    async def _create(
        self, system: str, user: str, form: ResponseFormatJSONSchema | openai.Omit
    ) -> ChatCompletion:
        return await self.client.complete(
            {
                "model": self.spec.model or "",
                "messages": [
                    {"role": "system", "content": system},
                    {"role": "user", "content": user},
                ],
                "temperature": 0,
                "response_format": form,
            },
            as_it_is,
        )


def open_endpoint(spec: ExplainSpec) -> Endpoint:
    """A client for the endpoint that the definition names.

    Raises:
        SpecError: the environment variable with the key is not set.
    """
    key = key_in(spec.key_env, "explain.provider openai", "set it, or use provider template")
    return Endpoint(spec, Client(spec, key), deadline=time.monotonic() + LONGEST_IN_ALL)


def _content(completion: ChatCompletion) -> str:
    choices = getattr(completion, "choices", None)
    if not choices:
        raise NoAnswerError("endpoint: answer without choices")
    message = choices[0].message
    if getattr(message, "refusal", None):
        raise NoAnswerError("endpoint: refused to answer")
    if choices[0].finish_reason in ("length", "content_filter"):
        raise NoAnswerError("endpoint: answer was cut off")
    if not isinstance(message.content, str) or not message.content.strip():
        raise NoAnswerError("endpoint: empty answer")
    if len(message.content) > LONGEST_ANSWER:
        raise NoAnswerError(f"endpoint: answer of more than {LONGEST_ANSWER} characters")
    return message.content


def _claims(content: str) -> tuple[Claim, ...]:
    """The sentences of an answer, also if its JSON is fenced or surrounded by other words."""
    for text in _candidates(content):
        try:
            answer = _Answer.model_validate_json(text)
        except ValidationError:
            continue
        if answer.sentences:
            return tuple(Claim(s.text.strip(), tuple(s.facts)) for s in answer.sentences)
    raise NoAnswerError("endpoint: answer is not the JSON that was asked for")


def _candidates(content: str) -> Iterable[str]:
    yield content
    if fence := re.search(r"```(?:json)?\s*(\{.*\})\s*```", content, re.DOTALL):
        yield fence[1]
    start, end = content.find("{"), content.rfind("}")
    if 0 <= start < end:
        yield content[start : end + 1]


def fenced(data: object) -> str:
    """Data as JSON between marks that cannot occur within it."""
    text = json.dumps(data, ensure_ascii=False, indent=1)
    safe = text.replace("<", "\\u003c").replace(">", "\\u003e")
    return f"<data>\n{safe}\n</data>"
