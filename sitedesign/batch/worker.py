"""What runs inside worker processes of this machine besides the sites themselves."""

from __future__ import annotations

import signal
from contextlib import suppress
from typing import Any

from distributed import WorkerPlugin


class IgnoreInterrupt(WorkerPlugin):  # type: ignore[misc]  # distributed has no types
    """Leave Ctrl-C to the batch: a terminal sends it to the workers too, and they would die in mid-site."""

    idempotent = True

    def setup(self, worker: Any) -> None:  # noqa: ANN401
        """Ignore the signal wherever the worker runs in a main thread."""
        with suppress(ValueError):
            signal.signal(signal.SIGINT, signal.SIG_IGN)
