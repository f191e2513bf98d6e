"""A subject behind an endpoint: conversations in, replies out, each paid for once."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from tasks.endpoint.client import Client, NoAnswerError
from tasks.endpoint.kept import KeptAnswers, Request, name_of
from tasks.endpoint.loop import run_to_end
from tasks.endpoint.messages import Messages, tokens_at_most
from tasks.endpoint.meter import Meter, OverBudgetError
from tasks.endpoint.reply import Reply, read_reply
from tasks.endpoint.secret import has_key
from tasks.errors import SubjectError
from tasks.keys import key_in
from tasks.plan import Plan
from tasks.spec import OpenAISubject
from tasks.weights import SubjectRef

_LOADING = threading.Lock()


@dataclass(frozen=True)
class EndpointSubject:
    """A model that can be asked and no more; nothing of its weights is known."""

    ref: SubjectRef
    spec: OpenAISubject
    key: str | None = field(repr=False)
    meter: Meter
    kept: KeptAnswers

    @property
    def labels(self) -> tuple[str, ...]:
        """The answers that exist, where they are known beforehand."""
        return self.spec.choices

    def ask(
        self,
        conversations: Sequence[Messages],
        *,
        max_tokens: int | None = None,
        **parameters: JsonValue,
    ) -> list[Reply]:
        """The reply to every conversation; what was answered before is not asked again.

        Args:
            conversations: messages, oldest first.
            max_tokens: longest reply, where it is less than the definition's.
            parameters: sent beside those of the definition.

        Raises:
            SubjectError: the budget is used up, or the endpoint gives no answer; what was
                answered until then is kept.
        """
        requests = [self._request(c, max_tokens, parameters) for c in conversations]
        wanted = {name_of(r): r for r in requests}
        found = {name: self.kept.find(request) for name, request in wanted.items()}
        missing = {name: wanted[name] for name, reply in found.items() if reply is None}
        if missing:
            found |= run_to_end(self._ask_all(missing))
        return [reply for r in requests if (reply := found[name_of(r)]) is not None]

    def _request(
        self, messages: Messages, max_tokens: int | None, parameters: dict[str, JsonValue]
    ) -> dict[str, JsonValue]:
        spec = self.spec
        said: list[JsonValue] = [{**message} for message in messages]
        return {
            "base_url": spec.base_url.rstrip("/"),
            "model": spec.model,
            "messages": said,
            spec.limit_key: min(max_tokens or spec.max_tokens, spec.max_tokens),
            **spec.parameters,
            **parameters,
        }

    async def _ask_all(self, wanted: dict[str, dict[str, JsonValue]]) -> dict[str, Reply]:
        """Ask what is missing, so many at once as the definition says; stop at the first failure.

        What is in flight then is waited for and kept: it is paid for.
        """
        free = asyncio.Semaphore(self.spec.concurrency)
        answered: dict[str, Reply] = {}
        failed: list[Exception] = []

        async with Client(self.spec, self.key, self.meter) as client:

            async def one(name: str, request: Request) -> None:
                async with free:
                    if failed:
                        return
                    try:
                        reply = await self._ask_one(client, request)
                    except (NoAnswerError, OverBudgetError) as error:
                        failed.append(error)
                        return
                    self.kept.keep(request, reply)
                    answered[name] = reply

            await asyncio.gather(*(one(*item) for item in wanted.items()))
        if failed:
            why = str(failed[0]).removeprefix("endpoint: ")
            raise SubjectError(
                f"subject {self.ref.name}: {why}; {len(answered)} of {len(wanted)} answers of this "
                "step came and are kept, and the same command goes on from there"
            )
        return answered

    async def _ask_one(self, client: Client, request: Request) -> Reply:
        sent: dict[str, Any] = {k: v for k, v in request.items() if k != "base_url"}
        named = {"model", "messages"}
        body = {k: v for k, v in sent.items() if k not in named}
        create = {**{k: sent[k] for k in named}, "extra_body": body}
        at_most = tokens_at_most(sent["messages"], sent[self.spec.limit_key])
        reply = await client.complete(create, read_reply, at_most=at_most)
        if self.key and has_key(reply.content + "\n" + reply.thinking, self.key):
            raise NoAnswerError("endpoint: the answer repeated a secret")
        return reply


def with_answers(plan: Plan, store: Path, *, fresh: bool = False) -> Plan:
    """The plan with a place for the answers of its endpoints, and their budgets untouched.

    Args:
        plan: the audit.
        store: folder of finished work.
        fresh: forget what they answered before.
    """
    asked = {
        name: ref.model_copy(update={"folder": str(store / "answers" / ref.sha256[:16])})
        for name, ref in plan.subjects.items()
        if isinstance(ref.spec, OpenAISubject)
    }
    for ref in asked.values():
        subject = load_endpoint(ref)
        subject.meter.restart()
        if fresh:
            subject.kept.forget()
    return replace(plan, subjects={**plan.subjects, **asked})


def load_endpoint(ref: SubjectRef) -> EndpointSubject:
    """The subject of a reference, once per process, so that its budget is one.

    Raises:
        SpecError: the environment holds no key under the name that the definition gives.
    """
    with _LOADING:
        return _load(ref.model_dump_json())


@lru_cache(maxsize=8)
def _load(reference: str) -> EndpointSubject:
    ref = SubjectRef.model_validate_json(reference)
    if not isinstance(ref.spec, OpenAISubject):
        raise TypeError(f"{ref.name} is not asked over an endpoint")
    return EndpointSubject(
        ref=ref,
        spec=ref.spec,
        key=key_in(ref.spec.key_env, f"subject {ref.name}"),
        meter=Meter(ref.spec.budget),
        kept=KeptAnswers(Path(ref.folder) if ref.folder else None),
    )
