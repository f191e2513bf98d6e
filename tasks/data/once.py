"""Load what is costly once per process, whichever threads ask for it."""

import threading
from collections.abc import Callable, Hashable
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Once(Generic[P, T]):
    """A function whose newest answers are cached; a second thread waits for the first."""

    def __init__(self, function: Callable[P, T], maxsize: int) -> None:
        self._function = function
        self._maxsize = maxsize
        self._kept: dict[Hashable, T] = {}
        self._lock = threading.RLock()

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """The answer to these arguments, from the cache if it is there."""
        key = (args, tuple(sorted(kwargs.items())))
        with self._lock:
            # remove and insert again, so that the first entry is the least recently used
            answer = self._kept.pop(key) if key in self._kept else self._function(*args, **kwargs)
            self._kept[key] = answer
            if len(self._kept) > self._maxsize:
                del self._kept[next(iter(self._kept))]
            return answer

    def forget(self) -> None:
        """Drop every answer."""
        with self._lock:
            self._kept.clear()


def once(maxsize: int) -> Callable[[Callable[P, T]], Once[P, T]]:
    """Cache the `maxsize` newest answers of a function, safely under threads.

    `functools.lru_cache` runs the function again for a thread that asks before the first answer
    is there, which for weights costs their memory twice.
    """
    return lambda function: Once(function, maxsize)
