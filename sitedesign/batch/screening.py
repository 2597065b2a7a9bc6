"""Solve one question at many sites: the batch from table to table."""

from __future__ import annotations

import hashlib
import json
import logging
import platform
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import pandas as pd
import pyarrow as pa

from sitedesign.batch.columns import result_schema, taken_columns
from sitedesign.batch.engine import DaskEngine, Engine, SerialEngine
from sitedesign.batch.guard import check_main_guard
from sitedesign.batch.one_site import (
    CERTIFIED_FIGURES,
    STAGES,
    BatchJob,
    Outcome,
    check_job,
)
from sitedesign.batch.progress import ProgressMeter, open_progress
from sitedesign.batch.question import Question, assumptions, make_question
from sitedesign.batch.ranking import rank
from sitedesign.batch.store import FORMAT, Store, outcome_row
from sitedesign.batch.table import Row, Sites, SiteTable, read_sites
from sitedesign.errors import Fault, InputError, shown, unknown_name
from sitedesign.study.effort import EFFORT, GAP, METHOD, TIME_LIMIT_S, EffortName, Method
from sitedesign.study.question import QuestionOfSites, with_fields
from sitedesign.study.roadmap_file import ROADMAP_KEYS
from sitedesign.study.study import Study
from sitedesign.util import kernel_cache
from sitedesign.util.gate import CALL, FLAG, TEXT, File, Gate, Kind, Measure, OneOf, Wrong, takes
from sitedesign.util.progress import Progress
from sitedesign.util.validation import unknown_keys

log = logging.getLogger("sitedesign.batch")

if TYPE_CHECKING:
    from distributed import Client

_WRITE_EVERY_S = 0.5
# Packages whose version can change a figure.
_PACKAGES = ("gsee-climate-data", "highspy", "numba", "numpy", "pandas", "pvlib", "pyomo", "scipy")


def _question_faults(given: Mapping[str, Any]) -> list[Fault]:
    """Faults of table and question, for a caller whose options are wrong too."""
    try:
        make_question(given.get("study"), given.get("question", {}), read_sites(given["sites"]))
    except InputError as error:
        return list(error.faults)
    return []


class _Scheduler(Gate):
    """Address of a dask scheduler, or a client, whose package is loaded only where it is used."""

    def wrong(self, value: Any) -> Wrong | None:  # noqa: ANN401
        if isinstance(value, str) and re.fullmatch(r"\S+", value):
            return None
        if type(value).__module__.partition(".")[0] == "distributed":
            return None
        return (
            shown(value),
            "must be the address of a dask scheduler, or a client",
            "Try tcp://10.0.0.1:8786.",
        )


@with_fields(QuestionOfSites)
@takes(
    "solve_many()",
    also=_question_faults,
    out=File(says="must be the path of a folder"),
    workers=Measure("workers", 1, 4096, whole=True, says="must be at least 1"),
    scheduler=_Scheduler(),
    stage=OneOf(STAGES),
    effort=EFFORT,
    certify_best=Measure("sites", 0, 1_000_000, whole=True),
    by=TEXT,
    new=FLAG,
    retry_failed=FLAG,
    method=METHOD,
    gap=GAP,
    time_limit_s=TIME_LIMIT_S,
    roadmap=Kind((Mapping,), "must be what sd.roadmap takes, by name", "For example {'ramp': {12: 700}}."),
    progress=CALL,
    quiet=FLAG,
)
def solve_many(
    sites: Sites,
    study: Study | None = None,
    *,
    out: str | Path | None = None,
    workers: int | None = None,
    scheduler: str | Client | None = None,
    stage: str = "bound",
    effort: EffortName = "screening",
    certify_best: int = 0,
    by: str = "cost_usd_per_yr",
    new: bool = False,
    retry_failed: bool = False,
    method: Method = "cuts",
    gap: float | None = None,
    time_limit_s: float | None = None,
    roadmap: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    quiet: bool = False,
    **question: Unpack[QuestionOfSites],
) -> pd.DataFrame:
    """Solve the same question at many sites, on every core or a cluster.

    Parameters
    ----------
    sites : path, DataFrame, or iterable of Site or mapping
        CSV, xlsx, Parquet or GeoJSON points. Columns ``latitude`` and ``longitude`` (degrees), optionally
        ``name``, ``elevation_m``, ``timezone``, and any field of a study (``uptime``, ``racks``, ``rack``
        ...), which then overrides the question for that site; with dots what lies inside a field
        (``limits.land_acres``, ``limits.units.recip_medium``); ``gas_price`` [USD/MMBtu]; ``weather``: files
        with ``;`` between them, relative to the table. Headings in any case. A column that no input is called
        like is carried through to the results; one that looks like an input with a slip in it is refused.
    study : Study, optional
        The question; its own site is replaced. Or give its fields as keywords.
    out : path, optional
        Folder for the results. With it the batch can be interrupted at any moment and goes on where it
        stopped; without it everything stays in memory.
    workers : int, optional
        Worker processes. Without `out`, `workers` or `scheduler` the sites are solved in this process;
        otherwise one process per core is the default.
    scheduler : str or distributed.Client, optional
        Address of a dask scheduler, or a client: a cluster instead of this machine.
    stage : {"bound", "certified"}
        ``bound``: the optimum with perfect foresight, fastest. ``certified``: with proof under causal
        operation and equipment outages.
    effort : {"screening", "standard"}
        How long to search for each certified design; see :func:`solve`.
    certify_best : int
        After screening at ``bound``, certify so many of the best sites in a second stage (0 for none).
    by : str
        Column by which `certify_best` ranks, least first.
    new : bool
        Set earlier results in `out` aside (in ``previous-N``) instead of resuming.
    retry_failed : bool
        Try sites again that ended as ``bad input`` or ``error``.
    method : {"cuts", "extensive"}
    gap : float, optional
        [fraction]
    time_limit_s : float, optional
        Per site; results then depend on the machine. [s]
    roadmap : mapping of str to object, optional
        What :func:`sitedesign.roadmap` is asked at every site, as plain values: ``{"ramp": {12: 700}}``. Adds
        ``first_power_months``, ``value_of_month_usd`` (of a grid a month earlier) and ``roadmap_usd`` (value
        less cost, net present).
    progress : callable, optional
        Called with one line of text per site; shown on standard error when left out and `out`, `workers`
        or `scheduler` is given.
    quiet : bool
        Show nothing.

    Returns
    -------
    DataFrame
        One row a site in the order given: the site's columns, ``status`` (``solved``, ``gap``,
        ``infeasible``, ``bad input``, ``error``, ``lost``), the design's figures with units in their names,
        ``error``. With a folder or workers, also ``key``.

    Raises
    ------
    InputError
        If the table, the question or the folder cannot be used, before any work; a single bad site only
        makes its own row fail.
    BatchStopped
        If the disk is full or the scheduler is gone; what was finished is in `out`.

    Notes
    -----
    A script that starts workers needs the guard ``if __name__ == "__main__":``, as all multiprocessing does;
    one without it is refused before the first is started.

    Two stages: ``solve_many(..., certify_best=20)`` screens every site and certifies the best twenty; their
    figures stand in columns that begin with ``certified_``.

    Sites share what does not depend on the order in which they are solved: the technology library, the
    climate statistics and the compiled kernels, once per worker. Weather, yield and load of 20 years take a
    twentieth of a second, so there is nothing to gain from sharing the sun along a parallel; and a start from
    a neighbour's design would make every result depend on which site happened to come first.

    Examples
    --------
    >>> results = sd.solve_many(sites, study)
    >>> results["status"].tolist()
    ['solved', 'solved']
    """
    table = read_sites(sites)
    asked = make_question(study, question, table)
    job = BatchJob(stage, effort, method, gap, time_limit_s, _roadmap_asked(roadmap))
    table = table.beside(taken_columns(table, asked, job))
    asked = replace(asked, carried=table.carried)
    check_job(job, asked.kinds(table.rows))
    if certify_best:
        check_job(replace(job, stage="certified", roadmap=None), asked.kinds(table.rows))
    here = out is None and workers is None and scheduler is None
    batch = _Batch(
        table, asked, job, workers, scheduler, new, retry_failed, progress, quiet or (here and not progress)
    )
    if by not in batch.schema.names:
        raise InputError([unknown_name("by", by, batch.schema.names)], "solve_many()")
    if not here and scheduler is None:
        check_main_guard()
    kernel_cache.warn()  # the workers that compile say nothing
    if table.carried and not quiet:
        log.warning("Carried through, as no input is called so: %s.", ", ".join(table.carried))
    if here:
        frame = batch.in_memory(SerialEngine)
    elif out is None:
        frame = batch.in_memory(batch.dask)
    else:
        frame = batch.in_folder(Path(out))
    if certify_best:
        frame = _second_stage(batch, frame, certify_best, by, None if out is None else Path(out), here)
    return frame


def _roadmap_asked(given: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Write what a roadmap is asked at every site as a manifest can hold it.

    Raises
    ------
    InputError
        With every key that there is not; what the values may be is said by the roadmap itself.
    """
    if given is None:
        return None
    faults = unknown_keys("roadmap", given, ROADMAP_KEYS)
    if faults:
        raise InputError(faults, "solve_many()")
    plain: dict[str, Any] = json.loads(json.dumps(dict(given), default=_plain))
    return plain


def _plain(value: Any) -> Any:  # noqa: ANN401
    return value.to_dict() if hasattr(value, "to_dict") else str(value)


@dataclass(frozen=True, eq=False)
class _Batch:
    """One stage of a batch: a table, a question, a job and who does it; see :func:`solve_many`."""

    table: SiteTable
    question: Question
    job: BatchJob
    workers: int | None
    scheduler: str | Client | None
    new: bool
    retry_failed: bool
    progress: Progress | None
    quiet: bool

    @cached_property
    def schema(self) -> pa.Schema:
        """Columns of the results."""
        return result_schema(self.table, self.question, self.job)

    def dask(self, tasks: Iterator[tuple[str, Row]], question: Question, job: BatchJob) -> Engine:
        return DaskEngine(tasks, question, job, self.scheduler, self.workers)

    def in_memory(self, engine: Callable[..., Engine]) -> pd.DataFrame:
        """Solve every site and keep the rows."""
        rows = dict(zip(self.table.keys, self.table.rows, strict=True))
        found: dict[str, Row] = {}

        def keep(outcomes: Sequence[Outcome]) -> None:
            found.update({item.key: rows[item.key] | item.row for item in outcomes})

        self._run(engine, iter(rows.items()), 0, keep)
        return pd.DataFrame([found[key] for key in self.table.keys])

    def in_folder(self, folder: Path) -> pd.DataFrame:
        """Solve the sites that the folder does not hold yet."""
        rows = dict(zip(self.table.keys, self.table.rows, strict=True))
        with Store(folder, self.manifest(), self.schema, new=self.new) as store:
            if store.damaged and not self.quiet:
                names = ", ".join(path.name for path in store.damaged)
                log.warning(
                    "Set aside in %s, as they cannot be read: %s. Their sites are solved again.",
                    folder,
                    names,
                )
            finished = store.finished(retry_failed=self.retry_failed)
            todo = [key for key in self.table.keys if key not in finished]

            writer = _Writer(store, rows, {field.name: field.type for field in self.schema})
            try:
                if todo:
                    tasks = ((key, rows[key]) for key in todo)
                    self._run(self.dask, tasks, len(rows) - len(todo), writer.keep)
            finally:
                try:
                    writer.write()
                finally:
                    store.finish(self.table.keys)
            return store.frame(self.table.keys)

    def _run(
        self,
        engine: Callable[..., Engine],
        tasks: Iterator[tuple[str, Row]],
        done: int,
        keep: Callable[[Sequence[Outcome]], None],
    ) -> None:
        """Move outcomes from the engine to where they are kept, whatever happens."""
        with ExitStack() as stack:
            stack.enter_context(_terminate_as_interrupt())
            running = stack.enter_context(engine(tasks, self.question, self.job))
            meter = open_progress(len(self.table.rows), done, stack, self.progress, quiet=self.quiet)
            outcomes: list[Outcome] = []
            try:
                while outcomes := running.next_batch():
                    keep(outcomes)
                    _count(meter, outcomes)
            except KeyboardInterrupt:
                # Written twice is read once, so what may have been kept already is kept again.
                keep([*outcomes, *running.drain()])
                raise

    def manifest(self) -> dict[str, Any]:
        """Say what the folder stands on; ``assumptions`` must not change between runs."""
        stands_on = assumptions(self.question) | {"job": self.job.to_dict(), "versions": _versions()}
        text = json.dumps(stands_on, sort_keys=True)
        return {
            "format": FORMAT,
            "assumptions": json.loads(text),
            "assumptions_sha256": hashlib.sha256(text.encode()).hexdigest(),
            "input": {
                "source": self.table.source,
                "sites": len(self.table.rows),
                "sha256": self.table.digest,
            },
            "seed": self.question.fields.get("seed", 0),
            "python": platform.python_version(),
            "columns": self.schema.names,
        }


class _Writer:
    """Writes finished sites one by one while they come slowly, several at once while they come fast.

    What a kill takes with it is what came within a moment of the last write: it is solved again.
    """

    def __init__(self, store: Store, rows: Mapping[str, Row], kinds: Mapping[str, pa.DataType]) -> None:
        self._store, self._rows, self._kinds = store, rows, kinds
        self._waiting: list[Row] = []
        self._written = -float("inf")

    def keep(self, outcomes: Sequence[Outcome]) -> None:
        self._waiting += [outcome_row(self._rows[item.key], item, self._kinds) for item in outcomes]
        if time.monotonic() - self._written >= _WRITE_EVERY_S:
            self.write()

    def write(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._store.write(waiting)
        self._written = time.monotonic()


def _second_stage(
    batch: _Batch, frame: pd.DataFrame, count: int, by: str, out: Path | None, here: bool
) -> pd.DataFrame:
    """Certify the best sites and put their figures beside those of the screening."""
    frame = frame.assign(key=batch.table.keys)
    if by not in frame:  # no site has a design
        return frame
    best = rank(frame, by=by).head(count)["key"].tolist()
    rows = dict(zip(batch.table.keys, batch.table.rows, strict=True))
    table = replace(batch.table, rows=[rows[key] for key in best], keys=best)
    stage = replace(batch, table=table, job=replace(batch.job, stage="certified", roadmap=None))
    if out is None:
        found = stage.in_memory(SerialEngine if here else stage.dask).assign(key=best)
    else:
        found = stage.in_folder(out / "certified")
    given = {*batch.table.columns, "key", "name", "stage"}
    # Of a certified design the uptime stands twice: as every design's, and as what was certified
    twice = {name.removeprefix("certified_") for name in CERTIFIED_FIGURES}
    own = [name for name in found.columns if name not in given | twice]
    found = found[["key", *own]].rename(
        columns={name: f"certified_{name.removeprefix('certified_')}" for name in own}
    )
    return frame.merge(found, on="key", how="left", validate="one_to_one")


def _count(meter: ProgressMeter, outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        meter.add(outcome.row["status"])


def _versions() -> dict[str, str]:
    found = {}
    for name in ("sitedesign", *_PACKAGES):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


@contextmanager
def _terminate_as_interrupt() -> Iterator[None]:
    """Treat the batch system's polite end (SIGTERM) like Ctrl-C, so that finished sites are kept."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
