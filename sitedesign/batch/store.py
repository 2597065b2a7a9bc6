"""Results on disk: a Parquet dataset that is complete at every moment, and a manifest that says what it is.

Layout of the folder::

    manifest.json       question, options, versions, seed, hash of the table of sites
    sites/part-*.parquet  one file per group of finished sites, written whole or not at all
    results.parquet     all sites of the table, sorted by key; rewritten when a run ends
    previous-1/         what ``new=True`` set aside

Every file is written beside its place, forced to the disk and then renamed, so that a power cut or ``kill
-9`` leaves the old file or the new one. Columns that begin with ``run_`` (time, memory) differ between runs
and stay out of ``results.parquet``, which is the same byte for byte whatever happened on the way.
"""

from __future__ import annotations

import errno
import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Self

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from filelock import BaseFileLock, FileLock, Timeout

from sitedesign.batch.one_site import BatchStopped, Outcome
from sitedesign.errors import Fault, InputError, shown
from sitedesign.util.atomic_file import open_private, sweep, write_atomic

FORMAT = "sitedesign-batch-1"
NEVER_FINAL = ("lost",)
RUN_FIELDS = (pa.field("run_seconds", pa.float64()), pa.field("run_rss_mb", pa.float64()))
_RESERVE_BYTES = 8_000_000
_MOST_SMALL_PARTS = 200
_SMALL_ROWS = 20_000
_ROWS_AT_ONCE = 100_000
_SHOWN_CHANGES = 12
_FULL = (errno.ENOSPC, errno.EDQUOT)
_KEPT = "Every site that was written is kept; those still with the workers are solved again."


class Store:
    """The dataset of one batch. Use as a context manager: it holds a lock.

    Parameters
    ----------
    folder : Path
        Made when it is not there.
    manifest : dict
        ``assumptions`` (must not change between runs), ``input`` and whatever else is worth keeping.
    schema : pyarrow.Schema
        ``key``, the columns of the table, figures, ``error``; the run's own columns are added here.
    new : bool
        Set earlier results aside instead of resuming.

    Raises
    ------
    InputError
        If the folder cannot be written, is in use, or holds answers to another question.

    Attributes
    ----------
    damaged : list of Path
        Parts that could not be read, where they were moved; their sites are solved again.
    """

    def __init__(
        self, folder: Path, manifest: Mapping[str, Any], schema: pa.Schema, *, new: bool = False
    ) -> None:
        self.folder = folder
        self.schema = schema
        self._writes = 0
        self._number: int | None = None
        self._parts_folder = folder / "sites"
        self._full_schema = pa.schema([*schema, *RUN_FIELDS])
        _make_writable(folder)
        self._lock = _lock(folder)
        try:
            earlier = None if new else _read_manifest(folder)
            if new:
                _set_aside(folder)
            if earlier is not None:
                _refuse_changes(earlier, manifest, folder)
            self._parts_folder.mkdir(exist_ok=True)
            for place in (folder, self._parts_folder):
                sweep(place)
            self.damaged = _set_damaged_aside(self._parts())
            self._reserve()
            write_atomic(folder / "manifest.json", json.dumps(manifest, indent=1, sort_keys=True).encode())
        except BaseException as error:
            self.close()
            if isinstance(error, OSError):
                raise _unwritable(folder, error) from None
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the lock and the reserve."""
        (self.folder / ".reserve").unlink(missing_ok=True)
        self._lock.release()

    def finished(self, *, retry_failed: bool = False) -> dict[str, str]:
        """Keys that need no more work, with their status."""
        again = (*NEVER_FINAL, "bad input", "error") if retry_failed else NEVER_FINAL
        found: dict[str, str] = {}
        for path in self._parts():
            part = pq.read_table(path, columns=["key", "status"])
            found.update(zip(part["key"].to_pylist(), part["status"].to_pylist(), strict=True))
        return {key: status for key, status in found.items() if status not in again}

    def write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add finished sites; on return they survive anything but the loss of the disk.

        Raises
        ------
        BatchStopped
            If the disk is full; the rows are saved all the same, from the space kept in reserve.
        """
        if not rows:
            return
        data = _encode(pa.Table.from_pylist(list(rows), schema=self._full_schema))
        path = self._next_part()
        try:
            write_atomic(path, data)
        except OSError as error:
            if error.errno not in _FULL:
                raise _stopped(self.folder, error) from error
            (self.folder / ".reserve").unlink(missing_ok=True)
            try:
                write_atomic(path, data)
            except OSError as again:
                lost = f"{len(rows)} finished sites could not be saved ({again.strerror})"
                message = f"{lost} and are solved again."
                raise _stopped(self.folder, error, message) from error
            raise _stopped(self.folder, error) from error
        self._compact()

    def table(self, keys: Iterable[str] | None = None, *, run_columns: bool = False) -> pa.Table:
        """Every site once, sorted by key: of equal keys the row written last.

        Parameters
        ----------
        keys : iterable of str, optional
            Only these.
        run_columns : bool
            With time and memory, which differ between runs.
        """
        joined = self._all(run_columns=run_columns)
        return pc.take(joined, _newest(joined, None if keys is None else sorted(set(keys)))).combine_chunks()

    def frame(self, keys: Sequence[str]) -> pd.DataFrame:
        """Every finished site of the table in the order of `keys`; made column by column to be small."""
        joined = self._all()
        rows = _newest(joined, keys)
        columns = {}
        for name in joined.column_names:
            columns[name] = joined[name].take(rows).to_pandas()
            joined = joined.drop_columns([name])
        return pd.DataFrame(columns, copy=False)

    def _all(self, *, run_columns: bool = False) -> pa.Table:
        """All parts, in the order in which they were written."""
        schema = self._full_schema if run_columns else self.schema
        parts = [_conform(pq.read_table(path), schema) for path in self._parts()]
        return pa.concat_tables([schema.empty_table(), *parts])

    def finish(self, keys: Iterable[str]) -> Path:
        """Write ``results.parquet`` with every finished site of the table.

        Raises
        ------
        BatchStopped
            If the disk is full; the parts hold everything.
        """
        path = self.folder / "results.parquet"
        try:
            joined = self._all()
            rows = _newest(joined, sorted(set(keys)))
            write_atomic(path, lambda file: _write_rows(joined, rows, file))
        except OSError as error:
            raise _stopped(self.folder, error) from error
        return path

    def _parts(self) -> list[Path]:
        return sorted(self._parts_folder.glob("part-*.parquet"))

    def _next_part(self) -> Path:
        """Name of the next part: numbers only grow, so that the last part of a key is the newest."""
        if self._number is None:
            parts = self._parts()
            self._number = int(parts[-1].stem.removeprefix("part-")) if parts else -1
        self._number += 1
        return self._parts_folder / f"part-{self._number:08d}.parquet"

    def _compact(self) -> None:
        """Join many small parts into one; killed in between, rows stand twice and are read once."""
        self._writes += 1
        if self._writes % _MOST_SMALL_PARTS:
            return
        small = [path for path in self._parts() if pq.read_metadata(path).num_rows < _SMALL_ROWS]
        if len(small) < 2:
            return
        try:
            joined = _merged([pq.read_table(path) for path in small])
            write_atomic(self._next_part(), _encode(joined))
        except (OSError, pa.ArrowInvalid, pa.ArrowTypeError):
            return  # a full disk, of which the next write tells, or two shapes: small parts do no harm
        for path in small:
            path.unlink()

    def _reserve(self) -> None:
        """Keep some space, so that a full disk cannot take finished sites."""
        path = self.folder / ".reserve"
        path.unlink(missing_ok=True)
        with os.fdopen(open_private(path), "wb") as file:
            file.write(b"\0" * _RESERVE_BYTES)
            file.flush()
            os.fsync(file.fileno())


def read_results(folder: Path) -> pa.Table:
    """Read the results of a batch: finished, interrupted or still running.

    Parameters
    ----------
    folder : Path
        The batch's folder, or any Parquet file of results.

    Raises
    ------
    InputError
        If there is no batch.
    """
    if folder.is_file():
        return _read_part(folder)
    parts = sorted((folder / "sites").glob("part-*.parquet"))
    if not parts:
        remedy = "Name the folder given as out to solve_many() or --out."
        raise InputError(
            [Fault("results", str(folder), "must be the folder of a batch", remedy)], "the batch"
        )
    tables = [_read_part(path) for path in parts]
    return _merged([_conform(table, tables[-1].schema) for table in tables])


def _read_part(path: Path) -> pa.Table:
    """Read one Parquet file of results, for somebody who looks at them."""
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        found = f"{path}, which cannot be read ({shown(str(error).partition(chr(10))[0])})"
        allowed = "must be a whole Parquet file of results"
        remedy = "The same batch, started again, sets a damaged part aside and solves its sites again."
        raise InputError([Fault("results", found, allowed, remedy)], "the batch") from None


def _set_damaged_aside(parts: Sequence[Path]) -> list[Path]:
    """Rename parts that cannot be read, as after a disk fault, so that the rest can be gone on with."""
    moved = []
    for path in parts:
        try:
            pq.read_table(path, columns=["key", "status"])
            pq.read_table(path)
        except (OSError, pa.ArrowException, KeyError):
            aside = path.with_name(f"{path.name}.damaged")
            path.replace(aside)
            moved.append(aside)
    return moved


def _conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Bring a part into the columns of the present table of sites, which may have grown since."""
    columns = [
        _cast(table[field.name], field.type)
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _cast(column: Any, kind: pa.DataType) -> Any:  # noqa: ANN401
    """Column in another type; text that is no number (a pair of limits) becomes missing."""
    try:
        return column.cast(kind)
    except pa.ArrowInvalid:
        texts = column.to_pylist()
        return pa.array([None if text is None or ":" in text else float(text) for text in texts], kind)


def _merged(tables: Sequence[pa.Table]) -> pa.Table:
    """Join tables, keep the last row of each key, sort by key."""
    joined = pa.concat_tables(tables, promote_options="default")
    return pc.take(joined, _newest(joined, None)).combine_chunks()


def _newest(joined: pa.Table, keys: Iterable[str] | None) -> pa.Array:
    """Rows that were written last of each key: in the order of `keys`, or sorted where there are none."""
    last = {key: row for row, key in enumerate(joined["key"].to_pylist())}
    order = sorted(last) if keys is None else [key for key in keys if key in last]
    return pa.array([last[key] for key in order], pa.int64())


def _encode(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def _write_rows(table: pa.Table, rows: pa.Array, file: IO[bytes]) -> None:
    """Write rows of a table a few at a time: a copy of all of them would be large."""
    with pq.ParquetWriter(file, table.schema, compression="zstd") as writer:
        for at in range(0, max(len(rows), 1), _ROWS_AT_ONCE):
            writer.write_table(pc.take(table, rows.slice(at, _ROWS_AT_ONCE)).combine_chunks())


def outcome_row(row: Mapping[str, Any], outcome: Outcome, kinds: Mapping[str, pa.DataType]) -> dict[str, Any]:
    """One row of the dataset: the cells as given, what came of them, and the run's own columns.

    `kinds` are the types of the columns by name, without those of the run.
    """
    cells = {name: _fitted(value, kinds[name]) for name, value in row.items()}
    found = {name: value for name, value in outcome.row.items() if name in kinds}
    run = {"run_seconds": outcome.seconds, "run_rss_mb": outcome.rss_mb}
    return cells | found | {"key": outcome.key} | run


def _fitted(value: Any, kind: pa.DataType) -> Any:  # noqa: ANN401
    """Cell in the type of its column; text where a number belongs is told in the row's error."""
    if kind == pa.string():
        return value if isinstance(value, str) else json.dumps(value, default=str)
    if isinstance(value, str) and value.endswith("%"):
        with suppress(ValueError):
            return float(value.removesuffix("%")) / 100
    return float(value) if isinstance(value, int | float) else None


def _make_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(folder / ".probe", b"")
        (folder / ".probe").unlink()
    except OSError as error:
        raise _unwritable(folder, error) from None


def _unwritable(folder: Path, error: OSError) -> InputError:
    remedy = "Choose another folder, or free space and rights there."
    found = f"{folder} ({error.strerror or error})"
    return InputError([Fault("out", found, "must be a folder that can be written", remedy)], "solve_many()")


def _stopped(folder: Path, error: OSError, more: str = _KEPT) -> BatchStopped:
    reason = "the disk is full" if error.errno in _FULL else f"writing failed ({error.strerror or error})"
    return BatchStopped(
        f"The batch stopped: {reason} at {folder}. {more} Free some space and run the same command again; "
        "it goes on with the sites that are missing."
    )


def _lock(folder: Path) -> BaseFileLock:
    """Hold the folder; the system frees it when the process ends, however it ends."""
    lock = FileLock(folder / ".lock", timeout=0, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        remedy = "Wait for the other batch, or choose another folder."
        fault = Fault("out", f"{folder}, in use by another batch", "one batch at a time", remedy)
        raise InputError([fault], "solve_many()") from None
    except OSError as error:
        raise _unwritable(folder / ".lock", error) from None
    return lock


def _read_manifest(folder: Path) -> dict[str, Any] | None:
    path = folder / "manifest.json"
    if not path.is_file():
        return None
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        manifest = {}
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        remedy = "Choose another folder, or --new (new=True) to set it aside."
        fault = Fault("out", f"{path}, which is none of this version's", f"must be {FORMAT}", remedy)
        raise InputError([fault], "solve_many()")
    return manifest


def _refuse_changes(earlier: Mapping[str, Any], now: Mapping[str, Any], folder: Path) -> None:
    """Say what differs from the question that the folder answers."""
    before, after = _flat(earlier["assumptions"]), _flat(now["assumptions"])
    names = [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]
    if not names:
        return
    remedy = (
        "Results of two questions do not belong in one table: choose another folder, "
        "or --new (new=True) to set these aside and start over."
    )
    faults = [
        Fault(
            name,
            str(after.get(name, "nothing")),
            f"the results in {folder} stand on {before.get(name, 'nothing')}",
        )
        for name in names[:_SHOWN_CHANGES]
    ]
    if len(names) > _SHOWN_CHANGES:
        more = len(names) - _SHOWN_CHANGES
        faults.append(Fault("and", f"{more} more changes", "must be as before"))
    faults[-1] = Fault(faults[-1].where, faults[-1].found, faults[-1].allowed, remedy)
    raise InputError(faults, "solve_many()")


def _flat(data: Any, prefix: str = "") -> dict[str, Any]:  # noqa: ANN401
    """Nested mappings as one, with dotted names."""
    if not isinstance(data, Mapping):
        return {prefix: data}
    flat: dict[str, Any] = {}
    for key, value in data.items():
        flat |= _flat(value, f"{prefix}.{key}" if prefix else str(key))
    return flat


def _set_aside(folder: Path) -> None:
    """Move earlier results into ``previous-N``; nothing is ever deleted."""
    names = ("manifest.json", "sites", "results.parquet", "certified")
    there = [folder / name for name in names if (folder / name).exists()]
    if not there:
        return
    numbers = [path.name.removeprefix("previous-") for path in folder.glob("previous-*")]
    number = 1 + max((int(text) for text in numbers if text.isdecimal()), default=0)
    aside = folder / f"previous-{number}"
    aside.mkdir()
    for path in there:
        path.rename(aside / path.name)
