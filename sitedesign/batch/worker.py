"""What runs inside worker processes of this machine besides the sites themselves."""

from __future__ import annotations

import signal
from contextlib import suppress
from typing import Any

from distributed import WorkerPlugin


class Secluded(WorkerPlugin):  # type: ignore[misc]  # distributed has no types
    """Leave Ctrl-C to the batch, and serve no pages.

    A terminal sends Ctrl-C to the workers too, and they would die in mid-site.
    """

    idempotent = True

    def setup(self, worker: Any) -> None:  # noqa: ANN401
        """Ignore the signal wherever the worker runs in a main thread, and stop its web server."""
        worker.http_server.stop()
        with suppress(ValueError):
            signal.signal(signal.SIGINT, signal.SIG_IGN)
