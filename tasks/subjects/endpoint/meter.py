"""Spending at an endpoint, checked against a budget before anything is sent."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tasks.definition import Budget


class OverBudgetError(Exception):
    """The next request could exceed the budget; nothing was sent."""


@dataclass
class Bill:
    """One attempt: its highest cost, then its actual cost."""

    tokens: int


@dataclass
class Meter:
    """Calls and tokens so far; requests in flight count with their highest cost."""

    budget: Budget
    calls: int = 0
    tokens: int = 0
    in_flight: int = 0
    reserved: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def restart(self) -> None:
        """Begin a new run with nothing spent."""
        self.calls = self.tokens = 0

    @asynccontextmanager
    async def attempt(self, at_most: int) -> AsyncIterator[Bill]:
        """Count one attempt that may cost `at_most` tokens; its actual cost is entered in the bill.

        Raises:
            OverBudgetError: the budget does not allow for it.
        """
        while not self._begin(at_most):
            if not self.in_flight:
                raise OverBudgetError(self._why())
            await asyncio.sleep(0.01)  # requests in flight may cost less than their highest cost
        bill = Bill(at_most)
        try:
            yield bill
        finally:
            with self.lock:
                self.in_flight -= 1
                self.reserved -= at_most
                self.tokens += bill.tokens

    def _begin(self, at_most: int) -> bool:
        """Reserve one attempt, if the budget allows for it; shards may run in several threads."""
        with self.lock:
            if not self._allows(at_most):
                return False
            self.calls += 1
            self.in_flight += 1
            self.reserved += at_most
            return True

    def _allows(self, at_most: int) -> bool:
        calls, tokens = self.budget.calls, self.budget.tokens
        if calls is not None and self.calls >= calls:
            return False
        return tokens is None or self.tokens + self.reserved + at_most <= tokens

    def _why(self) -> str:
        calls, tokens = self.budget.calls, self.budget.tokens
        if calls is not None and self.calls >= calls:
            return f"the budget of {calls} calls is used up"
        return f"the budget of {tokens} tokens does not allow another call ({self.tokens} used)"
