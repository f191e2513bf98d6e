"""Ctrl-C and a scheduler's SIGTERM: the run stops, even if the exception is swallowed."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)

COULD_NOT_RUN: Final = 2
"""Exit code of a run without a verdict."""


class Stopping:
    """Whether this process was asked to stop, and what it had finished by then."""

    def __init__(self) -> None:
        self.asked = False
        self.report: Path | None = None
        """Folder of the report, once it is written."""
        self.leave: Callable[[], object] | None = None
        """Runs before the process ends at once."""
        self._listening = False
        self._heard = False
        self._resumes = False

    @contextmanager
    def listening(self, *, resumes: bool = False) -> Iterator[None]:
        """Listen while the block runs; what is ignored when it begins stays ignored.

        Shells have the background jobs of a script ignore Ctrl-C, which is not meant for them.

        Args:
            resumes: whether the same command goes on from what is finished.
        """
        self.asked, self._heard, self.report, self._resumes = False, False, None, resumes
        handlers = {number: signal.getsignal(number) for number in SIGNALS}
        active = {n: h for n, h in handlers.items() if h not in (None, signal.SIG_IGN)}
        if threading.current_thread() is not threading.main_thread():
            active = {}  # only the main thread receives signals
        for number in active:
            signal.signal(number, self._hear)
        self._listening = True
        try:
            yield
        finally:
            for number, handler in active.items():
                signal.signal(number, handler)
            self._listening = self.asked = False

    def note(self) -> None:
        """Record a stop request that another handler received; a flow's caller stops by itself."""
        self.asked = self._listening

    def check(self) -> None:
        """Stop here if a stop was requested and the exception was swallowed.

        Raises:
            KeyboardInterrupt: a stop was requested.
        """
        if self.asked:
            raise KeyboardInterrupt

    def words(self) -> str:
        """One line for the user who stopped the run."""
        if self.report is not None:
            return f"error: interrupted; the report had been written before: {self.report}"
        if not self._resumes:
            return "error: interrupted"
        return (
            "error: interrupted; no report was written, finished work is kept and the same "
            "command goes on from there"
        )

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        """On the first signal unwind what is running; on the second end at once."""
        if self._heard:
            if self.leave is not None:
                self.leave()
            os.write(2, f"{self.words()}\n".encode())
            os._exit(COULD_NOT_RUN)
        self._heard = self.asked = True
        raise KeyboardInterrupt


STOPPING = Stopping()
"""The stop requests of this process's run."""
