"""Run a coroutine to its end from synchronous code."""

import asyncio
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def run_to_end(work: Awaitable[T]) -> T:
    """Run to the end, in a thread of its own if a loop is already running."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(_ended(work))
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, _ended(work)).result()


async def _ended(work: Awaitable[T]) -> T:
    return await work
