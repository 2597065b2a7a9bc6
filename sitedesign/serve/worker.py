"""Jobs and the processes that solve them: first come, first served; a job can be cancelled at any time."""

from __future__ import annotations

import multiprocessing
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, Literal

from sitedesign.api.design import Design
from sitedesign.errors import LimitChange
from sitedesign.serve.answering import DESIGN
from sitedesign.serve.questions import Question
from sitedesign.serve.remaining import share_of
from sitedesign.serve.solving import VIEW, EndMessage, ProgressMessage, Task, work
from sitedesign.serve.view import View

State = Literal["waiting", "solving", "done", "failed", "cancelled"]
_SPAWN = multiprocessing.get_context("spawn")  # the server has threads: a fork could copy a held lock


@dataclass(eq=False)
class PlannerJob:
    """One question on its way to an answer.

    Attributes
    ----------
    key : str
        Cannot be guessed; part of the addresses of its files.
    question : Question
    folder : Path
        Holds the files of the result.
    owner, label : str
        Session that asked, and what the session calls the job.
    state : {"waiting", "solving", "done", "failed", "cancelled"}
    line : str
        Latest line of progress.
    progress_share, share_since_s : float
        Share of the work that was behind when it last told, and after how long that was. [fraction, s]
    answers : mapping
        Of the form that asked; what is left out was not touched.
    error, note : str
        Why it failed; what a reader must know about the result.
    remedies : tuple of LimitChange
        Any of which would bring an answer, where it failed.
    began, ended : float or None
        [s, monotonic]
    """

    key: str
    question: Question
    folder: Path
    owner: str
    label: str
    answers: Mapping[str, Any] = field(default_factory=dict)
    state: State = "waiting"
    line: str = ""
    progress_share: float = 0.0
    share_since_s: float = 0.0
    error: str = ""
    note: str = ""
    remedies: tuple[LimitChange, ...] = ()
    began: float | None = None
    ended: float | None = None

    @property
    def open(self) -> bool:
        """Whether it still waits or is being solved."""
        return self.state in ("waiting", "solving")

    @property
    def cancelled(self) -> bool:
        """Whether somebody has cancelled it."""
        return self.state == "cancelled"

    @property
    def seconds(self) -> float:
        """Time spent solving so far. [s]"""
        if self.began is None:
            return 0.0
        return (self.ended if self.ended is not None else time.monotonic()) - self.began

    def hear(self, line: str) -> None:
        """Take a line of progress."""
        self.line = line
        share = share_of(self.question.kind, line, certify=self.question.certify)
        if share is not None and share > self.progress_share:
            self.progress_share, self.share_since_s = share, self.seconds

    @cached_property
    def design(self) -> Design:
        """Design of a plant that is done, without its time series."""
        return Design.load(self.folder / DESIGN)

    @cached_property
    def view(self) -> View:
        """What the page shows of a job that is done."""
        return View.from_json((self.folder / VIEW).read_text(encoding="utf-8"))


class Pool:
    """Worker processes behind one queue.

    Parameters
    ----------
    folder : Path
        Every job gets a folder in it.
    workers : int
        Questions answered at a time. A process starts with its first job and stays for the next.
    target : callable
        What a process runs: takes `Task` from a pipe, answers with `ProgressMessage` and one `EndMessage`.
    """

    def __init__(self, folder: Path, workers: int, target: Callable[[Connection], None] = work) -> None:
        self.folder = folder
        self._target = target
        self._waiting: list[PlannerJob] = []
        self._running: dict[PlannerJob, SpawnProcess] = {}
        self._changed = threading.Condition()
        self._closing = False
        self._threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(workers)]
        for thread in self._threads:
            thread.start()

    def submit(
        self,
        question: Question,
        *,
        owner: str = "",
        label: str = "",
        answers: Mapping[str, Any] | None = None,
    ) -> PlannerJob:
        """Queue a question."""
        key = secrets.token_urlsafe(18)
        job = PlannerJob(key, question, self.folder / key, owner, label, answers or {})
        job.folder.mkdir(parents=True)
        with self._changed:
            self._waiting.append(job)
            self._changed.notify()
        return job

    def store(
        self,
        question: Question,
        view: View,
        files: Mapping[str, bytes],
        *,
        owner: str = "",
        label: str = "",
        answers: Mapping[str, Any] | None = None,
    ) -> PlannerJob:
        """Put a result that is there already in a folder, as a job that is done."""
        key = secrets.token_urlsafe(18)
        job = PlannerJob(key, question, self.folder / key, owner, label, answers or {}, state="done")
        job.folder.mkdir(parents=True)
        for name, content in files.items():
            (job.folder / name).write_bytes(content)
        (job.folder / VIEW).write_text(view.to_json(), encoding="utf-8")
        job.ended = time.monotonic()
        return job

    def position(self, job: PlannerJob) -> int:
        """Place in the queue, 1 for the next; 0 for a job that does not wait."""
        with self._changed:
            return self._waiting.index(job) + 1 if job in self._waiting else 0

    def cancel(self, job: PlannerJob) -> None:
        """Take a job from the queue, or end the process that solves it; nothing for one that has ended."""
        with self._changed:
            if not job.open:
                return
            job.state = "cancelled"
            if job in self._waiting:
                self._waiting.remove(job)
            if job in self._running:
                self._running[job].kill()

    def forget(self, job: PlannerJob) -> None:
        """Cancel a job and delete its files."""
        self.cancel(job)
        shutil.rmtree(job.folder, ignore_errors=True)

    def close(self) -> None:
        """Cancel everything and wait until the processes have ended."""
        with self._changed:
            self._closing = True
            for job in [*self._waiting, *self._running]:
                self.cancel(job)
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout=10)

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _serve(self) -> None:
        """Life of one slot: its thread waits for jobs and listens to its process."""
        process: SpawnProcess | None = None
        pipe: Connection | None = None
        while job := self._next():
            if process is None or pipe is None or not process.is_alive():
                process, pipe = _start(self._target)
            self._attend(job, process, pipe)
        if process is not None and pipe is not None:
            pipe.close()  # an idle process ends with its pipe
            process.join(timeout=2)
            process.kill()

    def _next(self) -> PlannerJob | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            if self._closing:
                return None
            job = self._waiting.pop(0)
            job.state, job.began = "solving", time.monotonic()
            return job

    def _attend(self, job: PlannerJob, process: SpawnProcess, pipe: Connection) -> None:
        """Send a job to a process and follow it to its end."""
        with self._changed:
            if job.cancelled:  # while the process started
                return
            self._running[job] = process
        ended = EndMessage(error="The process that worked on this died; it may have run out of memory.")
        try:
            job.line = "starting"
            pipe.send(Task(job.question, job.folder))
            while isinstance(message := pipe.recv(), ProgressMessage):
                job.hear(message.line)
            ended = message
        except (EOFError, OSError):
            process.join()
        with self._changed:
            del self._running[job]
            job.ended = time.monotonic()
            if job.state == "solving":
                job.error, job.note, job.remedies = ended.error, ended.note, ended.remedies
                job.state = "failed" if ended.error else "done"
        if job.cancelled:
            process.join()  # it was told to end, if only after its answer


def _start(target: Callable[[Connection], None]) -> tuple[SpawnProcess, Connection]:
    here, there = _SPAWN.Pipe()
    process = _SPAWN.Process(target=target, args=(there,), daemon=True)
    process.start()
    there.close()  # so that the death of the process ends the pipe
    return process, here
