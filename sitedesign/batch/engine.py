"""Who does the work: this process, every core of this machine, or a cluster.

Both engines take sites one by one from an iterator and hand outcomes back in the order in which they finish.
Only a few sites per worker are ever with the scheduler, so a million sites cost it nothing.
"""

from __future__ import annotations

import logging
import os
import pickle
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, Protocol, Self

from sitedesign.batch.one_site import BatchJob, BatchStopped, Outcome, solve_row
from sitedesign.batch.question import Question
from sitedesign.batch.table import Row
from sitedesign.errors import Fault, InputError

if TYPE_CHECKING:
    from distributed import Client, Future

Task = tuple[str, Row]
_PER_THREAD = 3  # sites per worker thread with the scheduler: one at work and two waiting
_RECOUNT_S = 5.0
_CONNECT_S = 30
_LOCAL = {
    # The profile of every second is kept for an hour: hundreds of megabytes a worker, and nobody looks.
    "distributed.worker.profile.enabled": False,
    # Nobody looks at pages of the scheduler and the workers, and other users of this machine must not.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    # A worker that is not back after 15 s would be given up for good, and a busy machine needs longer.
    "distributed.deploy.lost-worker-timeout": "1h",
}


class Engine(Protocol):
    """What the batch asks of an engine."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def next_batch(self) -> list[Outcome]:
        """Wait for sites to finish; empty when all have."""

    def drain(self) -> list[Outcome]:
        """Fetch what has finished already, without waiting; nothing new is started."""


class SerialEngine:
    """One site after the other in this process."""

    def __init__(self, tasks: Iterator[Task], question: Question, job: BatchJob) -> None:
        self._tasks, self._question, self._job = tasks, question, job

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def next_batch(self) -> list[Outcome]:
        """Solve one site; empty when there are none left."""
        task = next(self._tasks, None)
        return [] if task is None else [solve_row(self._question, self._job, *task)]

    def drain(self) -> list[Outcome]:
        """Nothing waits here."""
        return []


class DaskEngine:
    """Sites on the workers of a dask scheduler.

    Parameters
    ----------
    tasks : iterator of (key, row)
    question : Question
    job : BatchJob
    scheduler : str or distributed.Client, optional
        Address such as ``tls://10.0.0.1:8786``, or a client. Without one, a LocalCluster of
        `workers` processes with one thread each is started and closed again; its connections are encrypted
        with certificates made for this run, so that no other user of the machine can send it work.
    workers : int, optional
        One per core when left out.

    Notes
    -----
    Workers hold no state: the question travels once as a task of its own, so that the scheduler can make it
    again when the worker that held it is lost. Sites of a lost worker are tried again elsewhere; a site whose
    workers keep dying (dask's ``distributed.scheduler.allowed-failures``) becomes a row with status ``lost``,
    which the next run tries again.
    """

    def __init__(
        self,
        tasks: Iterator[Task],
        question: Question,
        job: BatchJob,
        scheduler: str | Client | None = None,
        workers: int | None = None,
    ) -> None:
        self._tasks, self._job = tasks, job
        self._payload = pickle.dumps(question)
        self._scheduler, self._workers = scheduler, workers
        self._to_close: list[Any] = []
        self._settings = ExitStack()
        self._inflight: dict[Future, Task] = {}
        self._counted, self._threads = 0.0, 1
        self._first = True
        self._run = uuid.uuid4().hex[:8]  # a shared scheduler may know the same sites from another batch

    def __enter__(self) -> Self:
        self._client = self._connect()
        from distributed import as_completed

        self._done = as_completed(with_results=False)
        self._question = self._client.submit(pickle.loads, self._payload)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(Exception):  # a scheduler that is gone cannot be told
            self._client.cancel([*self._inflight, self._question], force=True)
        self._inflight.clear()
        for item in self._to_close:
            with suppress(Exception):
                item.close()
        self._settings.close()

    def next_batch(self) -> list[Outcome]:
        """Keep every worker busy and wait for at least one site."""
        self._refill()
        if not self._inflight:
            return []
        first = next(self._done)
        ready = [first, *(future for future in self._done.next_batch(block=False))]
        self._first = False
        return [self._outcome(future) for future in ready if future in self._inflight]

    def drain(self) -> list[Outcome]:
        """Fetch what has finished already."""
        return [self._outcome(future) for future in list(self._inflight) if future.status == "finished"]

    def _outcome(self, future: Future) -> Outcome:
        key, _ = self._inflight.pop(future)
        if self._client.status != "running" or future.cancelled():
            message = (
                "The batch stopped: the scheduler is gone. What finished is kept; run the same command again."
            )
            raise BatchStopped(message)
        try:
            outcome: Outcome = future.result()
        except Exception as error:  # the worker was lost again and again, or could not run the site at all
            text = f"the worker was lost: {type(error).__name__}: {error}"
            outcome = Outcome(key, {"status": "lost", "error": text}, float("nan"), float("nan"))
        future.release()
        return outcome

    def _refill(self) -> None:
        while len(self._inflight) < self._window():
            task = next(self._tasks, None)
            if task is None:
                return
            key, row = task
            name = f"site-{key}-{self._run}"
            future = self._client.submit(solve_row, self._question, self._job, key, row, key=name, pure=False)
            self._inflight[future] = task
            self._done.add(future)

    def _window(self) -> int:
        """Sites that may be with the scheduler, by the workers there are now."""
        if self._first and self._scheduler is None:
            return 1  # the first site compiles the kernels into the cache that all workers read
        now = time.monotonic()
        if now - self._counted > _RECOUNT_S:
            self._threads = max(1, sum(self._client.nthreads().values()))
            self._counted = now
        return _PER_THREAD * self._threads

    def _connect(self) -> Client:
        import dask
        from distributed import Client, LocalCluster

        from sitedesign.batch.worker import Secluded

        if isinstance(self._scheduler, Client):
            return self._scheduler
        if self._scheduler is not None:
            try:
                client = Client(self._scheduler, timeout=_CONNECT_S)
            except (OSError, ValueError) as error:
                remedy = (
                    "Start one with 'dask scheduler' and workers with 'dask worker ADDRESS --nthreads 1'."
                )
                found = f"{self._scheduler} ({error})"
                fault = Fault("scheduler", found, "must be the address of a running dask scheduler", remedy)
                raise InputError([fault], "solve_many()") from None
            self._to_close = [client]
            return client
        self._settings.enter_context(dask.config.set(_LOCAL))
        cluster = LocalCluster(
            n_workers=self._workers or os.cpu_count(),
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            # What travels is pickled code: only holders of this run's own certificates may send it
            security=True,
            dashboard_address=None,
            scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
            silence_logs=logging.CRITICAL,
        )
        cluster.scheduler.http_server.stop()
        client = Client(cluster)
        self._to_close = [client, cluster]
        client.register_plugin(Secluded())
        return client
