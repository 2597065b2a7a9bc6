"""A worker process for the tests of the queue: quick, and does what the seed of the study says."""

from __future__ import annotations

import contextlib
import os
import time

from sitedesign.serve.solving import EndMessage, ProgressMessage

FAIL, DIE, LAST = 1, 2, 3


def work(pipe):
    """Answer tasks until the pipe closes; the seed says how."""
    with contextlib.suppress(EOFError, OSError):
        while True:
            task = pipe.recv()
            pipe.send(ProgressMessage(f"process {os.getpid()}"))
            if task.question.study.seed == DIE:
                os._exit(1)
            if task.question.study.seed == LAST:
                time.sleep(3600)  # longer than any test waits: it must be ended
            (task.folder / "design.json").write_text("{}")
            pipe.send(EndMessage(error="cannot be done" if task.question.study.seed == FAIL else ""))
