"""How far a batch is: a bar in a terminal, one live line in a notebook, plain lines in a log."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from sitedesign.util.progress import Progress

_LOG_EVERY_S = 15.0
_LIVE_EVERY_S = 0.5
_WINDOW_S = 300.0  # the rate is that of the last five minutes
FAILURES = ("bad input", "infeasible", "error", "lost")


class ProgressMeter:
    """Counts finished sites and says so now and then.

    Parameters
    ----------
    total : int
        Sites of the table.
    done : int
        Finished by earlier runs.
    show : callable
        Takes one line of text.
    every_s : float
        Least time between two lines. [s]
    """

    def __init__(
        self,
        total: int,
        done: int,
        show: Progress,
        every_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total, self.done, self.failed = total, done, 0
        self._show, self._every_s, self._clock = show, every_s, clock
        self._recent: deque[tuple[float, int]] = deque([(clock(), done)])
        self._said = -float("inf")

    def add(self, status: str) -> None:
        """Count one finished site."""
        self.done += 1
        self.failed += status in FAILURES
        now = self._clock()
        self._recent.append((now, self.done))
        while now - self._recent[0][0] > _WINDOW_S and len(self._recent) > 2:
            self._recent.popleft()
        if now - self._said >= self._every_s or self.done == self.total:
            self._said = now
            self._show(self.line())

    @property
    def rate_per_minute(self) -> float:
        """Sites per minute over the last five minutes; nan before anything is known. [1/min]"""
        (start, before), now = self._recent[0], self._clock()
        return (
            60 * (self.done - before) / (now - start) if now > start and self.done > before else float("nan")
        )

    def line(self) -> str:
        """One line: finished, failures, rate, time left."""
        parts = [f"{self.done:,} of {self.total:,} sites"]
        if self.failed:
            parts.append(f"{self.failed:,} without a design")
        rate = self.rate_per_minute
        if rate == rate:
            parts.append(f"{rate:.1f} sites/min")
            parts.append(f"{_duration(60 * (self.total - self.done) / rate)} left")
        return ", ".join(parts)


def open_progress(
    total: int, done: int, stack: ExitStack, progress: Progress | None = None, *, quiet: bool = False
) -> ProgressMeter:
    """Choose how to show progress.

    Parameters
    ----------
    total, done : int
        Sites of the table, and those finished before.
    stack : ExitStack
        Closes what is opened.
    progress : callable, optional
        Takes every line instead.
    quiet : bool
        Show nothing.
    """
    if progress is not None:
        return ProgressMeter(total, done, progress, 0.0)
    if quiet:
        return ProgressMeter(total, done, lambda _: None, float("inf"))
    if _in_notebook():
        return ProgressMeter(total, done, _notebook_line(), _LIVE_EVERY_S)
    if sys.stderr.isatty():
        return _bar(total, done, stack)
    return ProgressMeter(total, done, _log_line, _LOG_EVERY_S)


def _bar(total: int, done: int, stack: ExitStack) -> ProgressMeter:
    """Count beside a bar in a terminal."""
    from rich import progress as rich
    from rich.console import Console

    columns = (rich.BarColumn(), rich.TextColumn("{task.description}", markup=False))
    bar = stack.enter_context(rich.Progress(*columns, console=Console(stderr=True)))
    task = bar.add_task("starting", total=total, completed=done)
    meter = ProgressMeter(
        total, done, lambda line: bar.update(task, completed=meter.done, description=line), _LIVE_EVERY_S
    )
    return meter


def _log_line(line: str) -> None:
    sys.stderr.write(time.strftime("%H:%M:%S ") + line + "\n")
    sys.stderr.flush()


def _in_notebook() -> bool:
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    shell = get_ipython()
    return shell is not None and type(shell).__name__ == "ZMQInteractiveShell"


def _notebook_line() -> Progress:
    """One line of text in the cell's output, rewritten in place."""
    from IPython.display import display

    show: Any = display  # without types
    handle = show({"text/plain": "starting"}, raw=True, display_id=True)
    return lambda line: handle.update({"text/plain": line}, raw=True)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
