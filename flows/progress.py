"""Says what the audit is doing while it does it: a bar on a terminal, a line in a log."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

LOG = logging.getLogger("assay")
LOG.setLevel(logging.INFO)


class Stages:
    """The stages of one run: their bars, and how long each took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._bars: Progress | None = None

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Draw bars while the block runs, if somebody is watching."""
        console = Console(stderr=True)
        if not console.is_terminal:
            yield
            return
        columns = (
            TextColumn("{task.description:<32}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=console) as self._bars:
            try:
                yield
            finally:
                self._bars.stop()
        self._bars = None

    @contextmanager
    def stage(self, name: str, total: int = 1) -> Iterator[Callable[[], None]]:
        """One stage; call what it yields after every part that is done."""
        began = time.monotonic()
        bar = self._bars.add_task(name, total=max(1, total)) if self._bars else None

        def advance() -> None:
            if self._bars is not None and bar is not None:
                self._bars.advance(bar)

        yield advance
        took = time.monotonic() - began
        self.seconds[name] = round(self.seconds.get(name, 0.0) + took, 2)
        if self._bars is not None and bar is not None:
            self._bars.update(bar, completed=max(1, total))
        elif not sys.stderr.isatty():
            LOG.info(f"{name}: {took:.1f} s")


STAGES = Stages()
"""The stages of this process's run."""
