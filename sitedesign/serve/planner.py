"""What all pages share: the jobs of every session, their files, the map."""

from __future__ import annotations

import re
import time
from collections import Counter
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

from sitedesign.errors import Fault, InputError
from sitedesign.serve.answering import FILES
from sitedesign.serve.example import example_in
from sitedesign.serve.questions import StoredQuestion, size_words

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sitedesign.serve.opening import Opened
    from sitedesign.serve.questions import Question
    from sitedesign.serve.worker import PlannerJob, Pool

MOST_OPEN = 6  # of one session, waiting or being solved
MOST_KEPT = 30  # of one session; 20 weather years take some 30 MB
MOST_OF_ALL = 120  # of all sessions
FORGOTTEN_S = 24 * 3600.0  # a result of another session may go after this time
_FINANCED = ("plant", "roadmap")


class Planner:
    """Jobs of all sessions.

    Parameters
    ----------
    pool : Pool
    warning : str
        Shown on every page; may be empty.
    """

    def __init__(self, pool: Pool, warning: str = "") -> None:
        self.pool = pool
        self.warning = warning
        self._jobs: list[PlannerJob] = []
        self._asked: Counter[str] = Counter()
        self.example = example_in(pool.folder)

    def jobs(self, owner: str) -> list[PlannerJob]:
        """Jobs of one session, oldest first."""
        return [job for job in self._jobs if job.owner == owner]

    def submit(
        self, question: Question, *, owner: str, answers: Mapping[str, Any] | None = None
    ) -> PlannerJob:
        """Queue a question of a session, with the answers of the form that asked it.

        Raises
        ------
        InputError
            If the session has enough in the queue, or there is no room for more results.
        """
        self._make_room(owner)
        waiting = sum(job.open for job in self.jobs(owner))
        if waiting >= MOST_OPEN:
            allowed = f"at most {MOST_OPEN} can wait or be solved at a time"
            raise InputError([Fault("queue", f"{waiting} runs", allowed, "Wait, or cancel one.")], "the form")
        label = letter(self._asked[owner])
        job = self.pool.submit(question, owner=owner, label=label, answers=answers)
        self._asked[owner] += 1
        self._jobs.append(job)
        return job

    def keep(self, opened: Opened, *, owner: str) -> PlannerJob | None:
        """Put a result from a file among the runs of a session; None for a study, which has none."""
        if opened.kind is None or opened.view is None:
            return None
        self._make_room(owner)
        question: Question
        if opened.kind == "portfolio" or opened.study is None:
            question = StoredQuestion("portfolio", "from a file", "Portfolio")
        else:
            place = opened.study.site.name
            question = StoredQuestion(opened.kind, place, f"{size_words(opened.study)}, from a file")
        job = self.pool.store(question, opened.view, {opened.file: opened.content}, owner=owner,
                              label=letter(self._asked[owner]), answers=opened.answers)  # fmt: skip
        self._asked[owner] += 1
        self._jobs.append(job)
        return job

    def finished(self, owner: str) -> dict[str, PlannerJob]:
        """Give the runs that a cash flow can be made of, by key: those of a session, and the example."""
        example = [] if self.example is None else [self.example]
        done = [job for job in self.jobs(owner) if job.state == "done"]
        return {job.key: job for job in (*reversed(done), *example) if job.question.kind in _FINANCED}

    def _make_room(self, owner: str) -> None:
        """Forget the session's own oldest results, and of others only what is a day old."""
        mine = [job for job in self.jobs(owner) if not job.open]
        for old in mine[: max(0, len(self.jobs(owner)) + 1 - MOST_KEPT)]:
            self.forget(old)
        now = time.monotonic()
        stale = [job for job in self._jobs if job.ended is not None and now - job.ended > FORGOTTEN_S]
        for old in stale[: max(0, len(self._jobs) + 1 - MOST_OF_ALL)]:
            self.forget(old)
        if len(self._jobs) >= MOST_OF_ALL:
            found, allowed = f"{len(self._jobs)} runs of all sessions", f"keeps at most {MOST_OF_ALL}"
            remedy = "Remove runs that are no longer needed, or start another planner on another port."
            raise InputError([Fault("queue", found, allowed, remedy)], "the form")

    def forget(self, job: PlannerJob) -> None:
        """Cancel a job, delete its files and take it from the list."""
        self.pool.forget(job)
        if job in self._jobs:
            self._jobs.remove(job)

    def file(self, owner: str, key: str, name: str) -> tuple[Path, str] | None:
        """Find a file of a session's own job, with the name that a download gets; None for anything else."""
        example = [] if self.example is None else [self.example]
        for job in (*self.jobs(owner), *example):
            if job.key == key and job.state == "done" and name in FILES and (job.folder / name).is_file():
                return job.folder / name, f"{slug(job.question.place)}-{name}"
        return None


def slug(name: str) -> str:
    """Name of a place as part of a file name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "site"


def letter(number: int) -> str:
    """Letters of runs: A to Z, then A2 and so on."""
    turn, place = divmod(number, len(ascii_uppercase))
    return ascii_uppercase[place] + (str(turn + 1) if turn else "")
