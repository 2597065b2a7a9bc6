"""What a worker process does: solve a study and leave the result as files. Nothing here knows the browser."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import sitedesign as sd
from sitedesign.api.design import Design
from sitedesign.report import figures
from sitedesign.study.study import Study
from sitedesign.util.atomic_file import write_atomic
from sitedesign.util.progress import Progress

log = logging.getLogger(__name__)

DESIGN, FIGURES, REPORT, DISPATCH = "design.json", "figures.json", "report.html", "dispatch.csv"
#: What a person may download.
FILES = (REPORT, DESIGN, DISPATCH)


@dataclass(frozen=True)
class Task:
    """One study to solve into a folder."""

    study: Study
    certify: bool
    folder: Path


@dataclass(frozen=True)
class ProgressMessage:
    """One line of progress."""

    line: str


@dataclass(frozen=True)
class EndMessage:
    """End of a task: `error` is empty where there is a design; `note` is what a reader must know about it."""

    error: str = ""
    note: str = ""


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
    """Solve a task and write its files.

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
        design, note = _solved(task, progress)
        _write(design, task.folder, progress)
    except sd.SiteDesignError as error:
        return EndMessage(error=str(error))
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        return EndMessage(error=f"The files of the result could not be written: {error}")
    except Exception as error:
        log.exception("an internal error; please report it")
        text = f"{type(error).__name__}: {error}"
        return EndMessage(error=f"An internal error; please report it. The terminal shows where. {text}")
    return EndMessage(note=note)


def _solved(task: Task, progress: Progress) -> tuple[Design, str]:
    try:
        return sd.solve(task.study, certify=task.certify, progress=progress), ""
    except sd.NotProvenOptimal as error:
        if error.incumbent is None:
            raise
        return error.incumbent, error.message


def _write(design: Design, folder: Path, progress: Progress) -> None:
    from pyarrow import Table
    from pyarrow.csv import write_csv

    progress("writing the report")
    design.report(folder / REPORT)
    progress("writing the dispatch")
    frame = design.dispatch.rename_axis("time").reset_index()
    frame["time"] = frame["time"].map(lambda time: time.isoformat())
    write_csv(Table.from_pandas(frame, preserve_index=False), folder / DISPATCH)
    write_atomic(folder / FIGURES, json.dumps(drawn(design)).encode())
    design.save(folder / DESIGN)


def drawn(design: Design) -> dict[str, Any]:
    """Figures of the page, by name, as plotly JSON in light colours."""
    shown = {"week": figures.worst_week(design), "cost": figures.cost_breakdown(design)}
    if design.certificate is not None and design.certificate.causes:
        shown["causes"] = figures.uptime_by_cause(design.certificate)
    uptime = design.certificate.uptime if design.certificate is not None else None
    shown["kept"] = figures.certified_against_promised(design, uptime)
    shown["years"] = figures.uptime_by_year(design)
    return {name: json.loads(figure.to_json()) for name, figure in shown.items()}
