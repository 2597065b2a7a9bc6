"""What somebody sends who is no page of ours must not fill the log."""

from __future__ import annotations

import logging
import time

_EVERY_S = 10.0


class OneLine(logging.Filter):
    """Turn tracebacks of the framework into one line each, the same line at most every ten seconds.

    A traceback that leads through code of this package is an error of ours and stays whole.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten a record, or drop one that was just said."""
        if not record.exc_info or record.exc_info[1] is None or _ours(record.exc_info[1]):
            return True
        error = record.exc_info[1]
        record.msg, record.args = f"not understood: {type(error).__name__}: {str(error)[:120]!r}", ()
        record.exc_info, record.exc_text = None, None
        now = time.monotonic()
        if now - self._said.get(record.msg, -_EVERY_S) < _EVERY_S:
            return False
        if len(self._said) > 100:
            self._said.clear()
        self._said[record.msg] = now
        return True


def _ours(error: BaseException) -> bool:
    """Whether an error came up in code of this package."""
    frame = error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_globals.get("__name__", "").startswith("sitedesign."):
            return True
        frame = frame.tb_next
    return False


def quieten(*loggers: logging.Logger) -> None:
    """Give loggers the filter."""
    one_line = OneLine()
    for logger in loggers:
        logger.addFilter(one_line)
