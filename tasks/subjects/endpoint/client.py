"""One request to an OpenAI-compatible endpoint: bounded in time, retried, silent about its key."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Final, Self, TypeVar

import openai
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletion

from tasks.definition import Budget, EndpointAddress
from tasks.subjects.endpoint.meter import Bill, Meter

T = TypeVar("T")

PASSING: Final = frozenset({408, 409, 425, 429})
"""Statuses below 500 that are retried."""

LONGEST_WAIT: Final = 120.0
"""Longest `retry-after` that is waited for, in seconds; more is a failure."""

LONGEST_PAUSE: Final = 8.0
"""Longest pause between two attempts where the endpoint asks for none, in seconds."""

KEYLESS: Final = "none"
"""Sent instead of a key to an endpoint that asks for none."""


class NoAnswerError(Exception):
    """The endpoint gave no usable answer; the message says why, in our words only."""

    def __init__(
        self,
        why: str,
        *,
        status: int | None = None,
        passing: bool = False,
        unreachable: bool = False,
        wait: float | None = None,
    ) -> None:
        super().__init__(why)
        self.status = status
        self.passing = passing
        """Whether another attempt may succeed."""
        self.unreachable = unreachable
        self.wait = wait
        """Seconds that the endpoint asks to wait."""


def as_it_is(completion: ChatCompletion, _: Bill) -> ChatCompletion:
    """The completion as the client gives it."""
    return completion


@dataclass
class Client:
    """An endpoint with its limits; open it with `async with`."""

    address: EndpointAddress
    key: str | None = field(repr=False)
    meter: Meter = field(default_factory=lambda: Meter(Budget()))

    async def __aenter__(self) -> Self:
        """Open the connection pool."""
        self._inner = AsyncOpenAI(
            api_key=self.key or KEYLESS,
            base_url=self.address.base_url,
            timeout=self.address.timeout,
            max_retries=0,  # attempts are counted here
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self._inner.close()

    async def complete(
        self,
        request: Mapping[str, Any],
        read: Callable[[ChatCompletion, Bill], T],
        *,
        at_most: int = 0,
    ) -> T:
        """A chat completion, after as many attempts as the address allows.

        Args:
            request: what the client's `create` takes.
            read: reads the answer from the completion and enters its cost in the bill; a passing
                `NoAnswerError` from it is retried like one of the endpoint.
            at_most: tokens that one attempt may cost.

        Raises:
            NoAnswerError: no attempt succeeded, or none can.
            OverBudgetError: the budget allows for no further attempt.
        """
        for attempt in range(self.address.retries + 1):
            try:
                async with self.meter.attempt(at_most) as bill:
                    return read(await self._once(request, bill), bill)
            except NoAnswerError as error:
                if attempt == self.address.retries or not error.passing:
                    raise
                usual = min(0.5 * 2**attempt, LONGEST_PAUSE)
                pause = usual if error.wait is None else error.wait
            await asyncio.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    async def _once(self, request: Mapping[str, Any], bill: Bill) -> ChatCompletion:
        create: Callable[..., Awaitable[ChatCompletion]] = self._inner.chat.completions.create
        try:
            async with asyncio.timeout(self.address.timeout):
                return await create(**request)
        except (TimeoutError, openai.APITimeoutError):
            why = f"endpoint: timeout after {self.address.timeout:g} s"
            raise NoAnswerError(why, passing=True) from None
        except openai.APIStatusError as error:
            bill.tokens = 0  # refused requests are not charged
            raise _refused(error) from None
        except openai.APIConnectionError:
            bill.tokens = 0
            raise NoAnswerError("endpoint: no connection", passing=True, unreachable=True) from None
        except (openai.OpenAIError, ValueError, TypeError, AttributeError) as error:
            # A server may answer anything; its words are not repeated, as they may hold the key.
            kind = type(error).__name__
            raise NoAnswerError(
                f"endpoint: answer could not be read ({kind})", passing=True
            ) from None


def _refused(error: openai.APIStatusError) -> NoAnswerError:
    status = error.status_code
    passing = status in PASSING or status >= 500
    wait = retry_after(error.response.headers) if passing else None
    if wait is not None and wait > LONGEST_WAIT:
        why = f"endpoint: status {status}, and it asks to wait {wait:.0f} s"
        return NoAnswerError(why, status=status)
    return NoAnswerError(f"endpoint: status {status}", status=status, passing=passing, wait=wait)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that an endpoint asks to wait, >= 0; none if it does not.

    Args:
        headers: of the response; names in any case.

    Source: RFC 9110, section 10.2.3 (seconds or a date); `retry-after-ms` as OpenAI sends it.
    """
    try:
        if (milliseconds := headers.get("retry-after-ms")) is not None:
            return max(0.0, float(milliseconds) / 1000)
        if (value := headers.get("retry-after")) is None:
            return None
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(headers["retry-after"]).timestamp() - time.time())
    except (KeyError, ValueError):
        return None
