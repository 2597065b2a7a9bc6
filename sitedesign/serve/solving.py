"""What a worker process does: answer a question and leave the result as files."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import sitedesign as sd
from sitedesign.errors import LimitChange
from sitedesign.serve import answering
from sitedesign.serve.questions import Question
from sitedesign.util.atomic_file import write_atomic
from sitedesign.util.progress import Progress

log = logging.getLogger(__name__)

VIEW = "view.json"


@dataclass(frozen=True)
class Task:
    """One question to answer into a folder."""

    question: Question
    folder: Path


@dataclass(frozen=True)
class ProgressMessage:
    """One line of progress."""

    line: str


@dataclass(frozen=True)
class EndMessage:
    """End of a task.

    Attributes
    ----------
    error : str
        Empty where there is an answer.
    note : str
        What a reader must know about it.
    remedies : tuple of LimitChange
        Changes of one limit each, any of which would bring an answer.
    """

    error: str = ""
    note: str = ""
    remedies: tuple[LimitChange, ...] = ()


def work(pipe: Connection) -> None:
    """Take tasks from a pipe until it closes; answer each with progress messages and one end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which then ends its workers
    if hasattr(os, "nice"):
        os.nice(5)  # pages stay quick while every core solves
    with contextlib.suppress(EOFError, OSError):  # the server is gone
        while True:
            task: Task = pipe.recv()
            pipe.send(perform(task, lambda line: pipe.send(ProgressMessage(line))))


def perform(task: Task, progress: Progress) -> EndMessage:
    """Answer a task and write its files.

    Parameters
    ----------
    task : Task
    progress : callable
        Called with one line of text now and then; what it raises ends the task.

    Returns
    -------
    EndMessage
        What went wrong is in words, never an exception: the next task must not suffer from it.
    """
    try:
        view, note = answering.answer(task.question, task.folder, progress)
        write_atomic(task.folder / VIEW, view.to_json().encode())
    except sd.InfeasibleDesign as error:
        return EndMessage(error=str(error), remedies=error.relaxations)
    except sd.SiteDesignError as error:
        return EndMessage(error=str(error))
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        return EndMessage(error=f"The files of the result could not be written or read: {error}")
    except Exception as error:
        log.exception("an internal error; please report it")
        text = f"{type(error).__name__}: {error}"
        return EndMessage(error=f"An internal error; please report it. The terminal shows where. {text}")
    return EndMessage(note=note)
