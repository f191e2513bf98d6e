"""A model behind an endpoint: conversations in, replies out, each paid for once."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import JsonValue, TypeAdapter

from tasks.definition.endpoints import AskedModel
from tasks.errors import SubjectError
from tasks.subjects.endpoint.client import Client, NoAnswerError
from tasks.subjects.endpoint.kept_answers import KeptAnswers, Request, name_of
from tasks.subjects.endpoint.loop import run_to_end
from tasks.subjects.endpoint.messages import Messages, tokens_at_most
from tasks.subjects.endpoint.meter import Meter, OverBudgetError
from tasks.subjects.endpoint.reply import Reply, read_reply
from tasks.subjects.endpoint.secret import has_key

REFUSES_ALL: Final = frozenset({401, 402, 403, 404})
"""Statuses that the next request would get as well."""

MESSAGES: Final = TypeAdapter(list[dict[str, str]])
LENGTH: Final = TypeAdapter(int)
"""Parts of a request, which is JSON, with their types."""


@dataclass(frozen=True, kw_only=True)
class Asker(ABC):
    """A model asked over the network, with its stored answers and its cost."""

    spec: AskedModel
    key: str | None = field(repr=False)
    meter: Meter
    kept: KeptAnswers

    @property
    @abstractmethod
    def who(self) -> str:
        """Who is asked, in words for an error message."""

    def begin(self, *, fresh: bool) -> None:
        """Begin a run with nothing spent.

        Args:
            fresh: delete stored answers.
        """
        self.meter.restart()
        if fresh:
            self.kept.forget()

    def replies(self, requests: Sequence[Request], *, all_or_none: bool) -> list[Reply | None]:
        """The reply to every request; a request with a stored answer is not sent again.

        Args:
            requests: what is sent, see `request`.
            all_or_none: stop at the first failure. Else a request that fails alone has no reply,
                and the caller counts it; if none is answered, now or before, it is an outage.

        Raises:
            SubjectError: the budget is used up, the endpoint refuses everything, or a required
                request failed; answers until then are stored.
        """
        by_name = {name_of(r): r for r in requests}
        stored = {name: self.kept.find(request) for name, request in by_name.items()}
        answered = {name: reply for name, reply in stored.items() if reply is not None}
        missing = {name: request for name, request in by_name.items() if name not in answered}
        if missing:
            answered |= run_to_end(self._ask_all(missing, all_or_none, bool(answered)))
        return [answered.get(name_of(r)) for r in requests]

    def request(
        self, messages: Messages, max_tokens: int | None = None, **parameters: JsonValue
    ) -> dict[str, JsonValue]:
        """All that a reply depends on; without the key.

        Args:
            messages: oldest first.
            max_tokens: longest reply, where it is less than the definition's.
            parameters: sent beside those of the definition.
        """
        spec = self.spec
        sent: list[JsonValue] = [{**message} for message in messages]
        return {
            "base_url": (spec.base_url or "").rstrip("/"),
            "model": spec.model,
            "messages": sent,
            spec.limit_key: min(max_tokens or spec.max_tokens, spec.max_tokens),
            **spec.parameters,
            **parameters,
        }

    async def _ask_all(
        self, missing: dict[str, Request], all_or_none: bool, some_known: bool
    ) -> dict[str, Reply]:
        """Send the missing requests, as many at once as the definition allows.

        When it stops, requests in flight are awaited and stored: they are paid for.
        """
        free = asyncio.Semaphore(self.spec.concurrency)
        answered: dict[str, Reply] = {}
        alone: list[NoAnswerError] = []
        stopped: list[Exception] = []

        async with Client(self.spec, self.key, self.meter) as client:

            async def ask(name: str, request: Request) -> None:
                async with free:
                    if stopped:
                        return
                    try:
                        reply = await self._ask_one(client, request)
                    except OverBudgetError as error:
                        stopped.append(error)
                        return
                    except NoAnswerError as error:
                        fails_all = all_or_none or error.unreachable or error.status in REFUSES_ALL
                        (stopped if fails_all else alone).append(error)
                        return
                    self.kept.keep(request, reply)
                    answered[name] = reply

            await asyncio.gather(*(ask(*item) for item in missing.items()))
        if not answered and not some_known and all(error.passing for error in alone):
            stopped += alone
        if stopped:
            why = str(stopped[0]).removeprefix("endpoint: ")
            raise SubjectError(
                f"{self.who}: {why}; {len(answered)} of {len(missing)} answers of this "
                "step came and are kept, and the same command goes on from there"
            )
        return answered

    async def _ask_one(self, client: Client, request: Request) -> Reply:
        body = {k: v for k, v in request.items() if k not in {"base_url", "model", "messages"}}
        create = {"model": request["model"], "messages": request["messages"], "extra_body": body}
        messages = MESSAGES.validate_python(request["messages"])
        at_most = tokens_at_most(messages, LENGTH.validate_python(request[self.spec.limit_key]))
        reply = await client.complete(create, read_reply, at_most=at_most)
        if self.key and has_key(reply.content + "\n" + reply.thinking, self.key):
            raise NoAnswerError("endpoint: the answer repeated a secret")
        return reply
