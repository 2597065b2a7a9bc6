"""Puts stamps of any convention on the 365-day grid of local standard time that :class:`Weather` uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sitedesign.errors import Fault, InputError
from sitedesign.weather.files.record import COLUMNS, WeatherRecord

FloatArray = NDArray[np.float64]
MINUTES_PER_YEAR = 365 * 24 * 60
SPILL_HOURS = 26
"""A calendar year with no more than this at either end comes from the shift between UTC and local."""
ALLOWED_STEPS = (5, 10, 15, 30, 60)


@dataclass(frozen=True)
class YearGrid:
    """All records on one grid; NaN where nothing was given.

    Attributes
    ----------
    years : tuple of int
        Calendar years; ``(1,)`` for a typical year.
    step_minutes : int
        [min]
    utc_offset_h : float
        Local standard time minus UTC, to a whole number of steps. [h]
    sun_offset_minutes : float
        [min]
    columns : dict of ndarray, shape (years, steps)
        By name; a column that no file has is not there.
    typical : bool
    notes : tuple of str
        What was rolled, dropped or left out.
    """

    years: tuple[int, ...]
    step_minutes: int
    utc_offset_h: float
    sun_offset_minutes: float
    columns: dict[str, FloatArray]
    typical: bool
    notes: tuple[str, ...]


def lay_out(records: Sequence[WeatherRecord], utc_offset_h: float) -> YearGrid:
    """Put records on the grid of local standard time and join them across years.

    Parameters
    ----------
    records : sequence of WeatherRecord
        One site, in any order.
    utc_offset_h : float
        Local standard time minus UTC. [h]

    Returns
    -------
    YearGrid
        29 February dropped; the hours that a UTC file has in the neighbouring local year rolled to the other
        end; years that the record covers only in part at its beginning or end left out. All said in the
        notes.

    Raises
    ------
    InputError
        If steps or conventions differ between files, files overlap, or typical and calendar years are mixed.
    """
    records = [_coarsen(record) for record in sorted(records, key=lambda item: item.frame.index[0])]
    _check_agreement(records)
    step = records[0].step_minutes
    phase = _phase_minutes(records[0])
    # Days start where the file's own steps do: a file in UTC+5:30 has its days at UTC+5:30.
    offset_minutes = round((utc_offset_h * 60 + phase) / step) * step - phase
    notes: list[str] = list(dict.fromkeys(note for record in records for note in record.notes))
    if offset_minutes != round(utc_offset_h * 60):
        notes.append(
            f"days start at UTC{offset_minutes / 60:+g} h, as {utc_offset_h:+g} h is no whole number "
            "of steps of a file in another time"
        )
    typical = records[0].typical
    years, columns, found = _scatter(records, step, offset_minutes, typical=typical)
    notes += found
    light = light_of(columns)
    if not ((light > -90) & (light < 9999)).any():
        remedy = "Take a file that holds global irradiance, or direct and diffuse."
        fault = Fault("files", "no irradiance: every value is missing", "irradiance must be there", remedy)
        raise InputError([fault], "Weather.read()")
    if typical:
        years = (1,)
    else:
        years, columns, said = _trim(years, columns, step)
        notes += said
    return YearGrid(
        years, step, offset_minutes / 60, records[0].sun_offset_minutes, columns, typical, tuple(notes)
    )


def light_of(columns: dict[str, FloatArray]) -> FloatArray:
    """Global irradiance, or direct plus diffuse where a file has only those: when there was light."""
    ghi = columns["ghi"]
    if not {"dni", "dhi"} <= set(columns) or not np.isnan(ghi).all():
        return ghi
    return columns["dni"] + columns["dhi"]


def _phase_minutes(record: WeatherRecord) -> int:
    """How far into a whole step since midnight UTC the intervals of a record begin. [min]"""
    first = pd.DatetimeIndex(record.frame.index)[0]
    return int(first.hour * 60 + first.minute) % record.step_minutes


def _coarsen(record: WeatherRecord) -> WeatherRecord:
    """Average steps finer than 5 minutes to the smallest allowed multiple."""
    step = record.step_minutes
    if step >= ALLOWED_STEPS[0]:
        return record
    coarse = next(allowed for allowed in ALLOWED_STEPS if allowed % step == 0)
    grouped = record.frame.groupby(pd.DatetimeIndex(record.frame.index).floor(f"{coarse}min"))
    mean = grouped.mean().where(grouped.count() * 2 * step >= coarse)  # half of an interval must be there
    note = f"{step}-minute values averaged to {coarse} minutes"
    return replace(
        record, frame=mean, step_minutes=coarse, sun_offset_minutes=coarse / 2, notes=(*record.notes, note)
    )


def _check_agreement(records: Sequence[WeatherRecord]) -> None:
    faults: list[Fault] = []
    first = records[0]
    for record in records[1:]:
        if record.step_minutes != first.step_minutes:
            found = f"a step of {record.step_minutes} minutes; {first.file} has {first.step_minutes}"
            faults.append(Fault(record.file, found, "all files must have one step", "Read them separately."))
        elif abs(record.sun_offset_minutes - first.sun_offset_minutes) > 2.5:
            found = (
                f"the sun {record.sun_offset_minutes:g} min into the interval; "
                f"{first.file} has {first.sun_offset_minutes:g}"
            )
            faults.append(
                Fault(record.file, found, "all files must have one time convention", "Read them separately.")
            )
        elif _phase_minutes(record) != _phase_minutes(first):
            found = f"steps that begin at other minutes of UTC than those of {first.file}"
            faults.append(Fault(record.file, found, "all files must be in one time", "Read them separately."))
        if record.typical != first.typical:
            faults.append(
                Fault(
                    record.file, "typical and calendar years mixed", "give one kind", "Read them separately."
                )
            )
    if first.typical and len(records) > 1:
        found = f"{len(records)} typical years"
        faults.append(Fault("files", found, "only one typical year can be read at a time", "Give one file."))
    if first.step_minutes not in ALLOWED_STEPS:
        faults.append(
            Fault(first.file, f"a step of {first.step_minutes} minutes", f"must be one of {ALLOWED_STEPS}")
        )
    if faults:
        raise InputError(faults, "Weather.read()")


def _cells(
    record: WeatherRecord, step: int, offset_minutes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Local calendar year and step of year of every row, and whether it is on 29 February."""
    local = record.frame.index.to_numpy().astype("datetime64[m]") + np.timedelta64(offset_minutes, "m")
    year = local.astype("datetime64[Y]")
    minute = (local - year.astype("datetime64[m]")).astype(np.int64)
    number = year.astype(np.int64) + 1970
    leap = (number % 4 == 0) & ((number % 100 != 0) | (number % 400 == 0))
    february_29 = leap & (minute >= 59 * 1440) & (minute < 60 * 1440)
    minute = np.where(leap & (minute >= 60 * 1440), minute - 1440, minute)
    return number, minute // step, february_29


def _scatter(
    records: Sequence[WeatherRecord], step: int, offset_minutes: int, *, typical: bool
) -> tuple[tuple[int, ...], dict[str, FloatArray], list[str]]:
    """Write every value into its cell; the first of two overlapping files wins over a few hours only."""
    steps = MINUTES_PER_YEAR // step
    cells = [_cells(record, step, offset_minutes) for record in records]
    every = np.unique(np.concatenate([np.unique(number) for number, _, _ in cells]))
    years = tuple(range(int(every[0]), int(every[-1]) + 1)) if not typical else (0,)
    names = [name for name in COLUMNS if any(name in record.frame.columns for record in records)]
    columns = {name: np.full((len(years), steps), np.nan) for name in names}
    owner = np.full((len(years), steps), -1)
    faults: list[Fault] = []
    dropped = 0
    for number, (record, (year, position, february_29)) in enumerate(zip(records, cells, strict=True)):
        keep = ~february_29
        dropped += int(february_29.sum())
        row = np.zeros(int(keep.sum()), dtype=np.int64) if typical else (year[keep] - years[0])
        column = position[keep]
        taken = owner[row, column] >= 0
        if taken.sum() * step > SPILL_HOURS * 60:
            other = records[int(owner[row, column][taken][0])].file
            found = f"{int(taken.sum()) * step / 60:.0f} hours that {other} has too"
            faults.append(Fault(record.file, found, "files must not overlap", "Give each period once."))
        fresh = ~taken
        owner[row[fresh], column[fresh]] = number
        for name in names:
            if name in record.frame.columns:
                values = record.frame[name].to_numpy()[keep]
                columns[name][row[fresh], column[fresh]] = values[fresh]
    if faults:
        raise InputError(faults, "Weather.read()")
    notes = [f"29 February dropped ({dropped * step / 1440:.0f} days)"] if dropped else []
    return years, columns, notes


def _trim(
    years: tuple[int, ...], columns: dict[str, FloatArray], step: int
) -> tuple[tuple[int, ...], dict[str, FloatArray], list[str]]:
    """Roll the hours spilled over by the shift from UTC, then leave out empty and partial end years."""
    notes: list[str] = []
    given = ~np.isnan(light_of(columns))
    hours = given.sum(axis=1) * step / 60
    spilled = (hours > 0) & (hours <= SPILL_HOURS)
    full = np.flatnonzero(hours > SPILL_HOURS)
    if full.size == 0:
        fault = Fault("files", f"{hours.sum():.0f} hours in all", "needs at least one whole calendar year")
        raise InputError([fault], "Weather.read()")
    first, last = int(full[0]), int(full[-1])
    for spill, end in ((first - 1, last), (last + 1, first)):
        if 0 <= spill < len(years) and spilled[spill]:
            notes += _roll(columns, spill, end, years, step)
    keep = [row for row in range(first, last + 1) if hours[row] > 0]
    light = light_of(columns)
    lead, tail = _edge_days(light[first], step), _edge_days(light[last][::-1], step)
    # A record that begins or ends within a year is natural; half a year is still no year.
    for row, missing, what in ((first, lead, "begins"), (last, tail, "ends")):
        if missing > 10 and len(keep) > 1 and row in keep:
            keep.remove(row)
            notes.append(
                f"{years[row]} left out: the record {what} within it, {missing:.0f} days are missing"
            )
    absent = [years[row] for row in range(keep[0], keep[-1] + 1) if row not in keep]
    if absent:
        notes.append(
            f"no data for {', '.join(map(str, absent))}: the years around follow each other directly"
        )
    return tuple(years[row] for row in keep), {name: array[keep] for name, array in columns.items()}, notes


def _roll(
    columns: dict[str, FloatArray], spill: int, end: int, years: tuple[int, ...], step: int
) -> list[str]:
    light = light_of(columns)
    wanted = np.isnan(light[end]) & ~np.isnan(light[spill])
    if not wanted.any():
        return []
    for array in columns.values():
        array[end, wanted] = array[spill, wanted]
    return [
        f"{wanted.sum() * step / 60:g} hours missing at the edge of {years[end]} in local time taken from "
        "the same hours of "
        f"{years[spill]} (UTC file rolled)"
    ]


def _edge_days(values: FloatArray, step: int) -> float:
    present = ~np.isnan(values)
    first = int(np.argmax(present)) if present.any() else len(values)
    return first * step / 1440
