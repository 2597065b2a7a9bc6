"""The clock of a user's own profile: which step it has, which years it covers, what is missing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sitedesign.errors import Fault

FloatArray = NDArray[np.float64]
STEPS_MINUTES = (5, 15, 30, 60)
_DAY_MINUTES = 1440
_FEB_29 = 59  # days before 29 February


@dataclass(frozen=True, eq=False)
class Record:
    """A profile as it was given, before anything is assumed.

    Attributes
    ----------
    values : ndarray, shape (n,)
    index : DatetimeIndex or None
        Stamps, when there are any.
    where : str
        Name for messages.
    description : str
        Where it came from.
    rows : int or None
        Number of years, when it was given as one row a year.
    """

    values: FloatArray
    index: pd.DatetimeIndex | None
    where: str
    description: str
    rows: int | None = None

    def place(self, position: int) -> str:
        """Name one value for a message: its time stamp, else its number counted from 0."""
        return f"position {position}" if self.index is None else str(self.index[position])


@dataclass(frozen=True, eq=False)
class Clock:
    """What :func:`whole_years` found; `rows` is usable only when `faults` is empty.

    Attributes
    ----------
    rows : tuple of ndarray, each of shape (steps,)
        One 365-day year each.
    years : tuple of int
        Calendar years, or 1, 2, ...
    step_minutes : int
        [min]
    shift_minutes : int
        By how much the site's standard time is ahead of the record's. [min]
    notes : tuple of str
    faults : tuple of Fault
    """

    rows: tuple[FloatArray, ...] = ()
    years: tuple[int, ...] = ()
    step_minutes: int = 60
    shift_minutes: int = 0
    notes: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = field(default=())


def whole_years(record: Record, step_minutes: int | None, utc_offset_h: float | None) -> Clock:
    """Cut a record into 365-day years.

    Parameters
    ----------
    record : Record
    step_minutes : int or None
        Step of a record without stamps, when its length has more than one reading. [min]
    utc_offset_h : float or None
        The site's standard time minus UTC. [h]

    Returns
    -------
    Clock
        With faults instead of rows when the step is irregular, stamps are missing or years are not whole.
    """
    if record.index is not None:
        return _from_stamps(record, step_minutes, utc_offset_h)
    if record.rows is not None:
        return _from_rows(record, record.rows, step_minutes)
    return _from_length(record, step_minutes)


def _from_rows(record: Record, rows: int, step_minutes: int | None) -> Clock:
    width = record.values.size // rows
    readings = {_DAY_MINUTES * days // width: days for days in (365, 366) if _DAY_MINUTES * days % width == 0}
    step, days = next(((step, days) for step, days in readings.items() if step in STEPS_MINUTES), (0, 0))
    if not step or (step_minutes is not None and step_minutes != step):
        return Clock(faults=(_length_fault(record, f"{rows} rows of {width} values", step_minutes),))
    years = [_without_leap_day(row, step) for row in record.values.reshape(rows, width)]
    notes = ("29 February dropped from every year",) if days == 366 else ()
    return Clock(tuple(years), tuple(range(1, rows + 1)), step, notes=notes)


def _from_length(record: Record, step_minutes: int | None) -> Clock:
    count = record.values.size
    steps = STEPS_MINUTES if step_minutes is None else (step_minutes,)
    readings = [
        (step, n) for step in steps if step in STEPS_MINUTES for n in [_plain_years(count, step)] if n
    ]
    if not readings:
        return Clock(faults=(_length_fault(record, f"{count} values", step_minutes),))
    if len(readings) > 1:
        texts = " or ".join(f"{n} year{'s' if n > 1 else ''} of {step} minutes" for step, n in readings)
        remedy = "Say which: give a time index, an array of shape (years, steps), or step_minutes."
        return Clock(
            faults=(
                Fault(record.where, f"{count} values, which may be {texts}", "must have one reading", remedy),
            )
        )
    step, n = readings[0]
    years = [_without_leap_day(row, step) for row in record.values.reshape(n, -1)]
    notes = ("29 February dropped",) if count * step == 366 * _DAY_MINUTES else ()
    return Clock(tuple(years), tuple(range(1, n + 1)), step, notes=notes)


def _plain_years(count: int, step: int) -> int:
    """Whole years that `count` steps may be: any number of 365 days, or one of 366; 0 for neither."""
    minutes = count * step
    if minutes == 366 * _DAY_MINUTES:
        return 1
    return minutes // (365 * _DAY_MINUTES) if minutes % (365 * _DAY_MINUTES) == 0 else 0


def _length_fault(record: Record, found: str, step_minutes: int | None) -> Fault:
    steps = STEPS_MINUTES if step_minutes is None else (step_minutes,)
    lengths = ", ".join(f"{365 * _DAY_MINUTES // step} at {step} min" for step in steps if step > 0)
    remedy = "" if step_minutes in (None, *STEPS_MINUTES) else "The step must be 5, 15, 30 or 60 minutes."
    allowed = f"must be whole years of 365 days, or one of 366: {lengths} a year"
    return Fault(record.where, found, allowed, remedy or "Several years with leap days need a time index.")


def _without_leap_day(row: FloatArray, step: int) -> FloatArray:
    per_day = _DAY_MINUTES // step
    if row.size == 365 * per_day:
        return row
    return np.delete(row, slice(_FEB_29 * per_day, (_FEB_29 + 1) * per_day))


def _from_stamps(record: Record, step_minutes: int | None, utc_offset_h: float | None) -> Clock:
    assert record.index is not None  # the caller looked
    if record.index.isna().any():
        bad = int(np.flatnonzero(record.index.isna())[0])
        return Clock(
            faults=(Fault(record.where, f"no time stamp at position {bad}", "every value needs one"),)
        )
    stamps, shift, notes = _standard_time(record.index, utc_offset_h)
    if len(stamps) < 2:
        return Clock(faults=(_length_fault(record, "1 value", step_minutes),))
    gaps = np.rint(np.diff(stamps.asi8) / _nanoseconds(stamps) / 60e9).astype(np.int64)
    step = Counter(gaps.tolist()).most_common(1)[0][0]
    if step not in STEPS_MINUTES or (step_minutes is not None and step != step_minutes):
        allowed = f"must be {step_minutes} min" if step_minutes else "must be 5, 15, 30 or 60 min"
        return Clock(faults=(Fault(record.where, f"a step of {step} min", allowed),))
    faults = _gap_faults(record, stamps, gaps, step)
    starts, label = _interval_starts(stamps, step)
    if label:
        notes.append(label)
    day = starts.day_of_year.to_numpy()
    minute = (starts.hour * 60 + starts.minute).to_numpy()
    leap = starts.is_leap_year & (day == _FEB_29 + 1)
    if leap.any():
        notes.append("29 February dropped")
    rows: list[FloatArray] = []
    years: list[int] = []
    for year in starts.year.unique():
        here = (starts.year == year) & ~leap
        expected = 365 * _DAY_MINUTES // step
        if here.sum() == expected:
            rows.append(record.values[here])
            years.append(int(year))
        elif (
            not any("missing" in fault.found for fault in faults) or day[here][0] != 1 or minute[here][0] != 0
        ):
            remedy = (
                "Give whole calendar years from 1 January; a typical year put together from several years is "
                "best given without its index."
            )
            found = f"{int(here.sum())} of the {expected} steps of the year {year}"
            faults.append(Fault(record.where, found, "must be whole years of 365 or 366 days", remedy))
    return Clock(tuple(rows), tuple(years), int(step), shift, tuple(notes), tuple(faults))


def _nanoseconds(stamps: pd.DatetimeIndex) -> float:
    """Ticks of the index per nanosecond, whatever unit pandas chose."""
    return {"s": 1e-9, "ms": 1e-6, "us": 1e-3, "ns": 1.0}[stamps.unit]


def _standard_time(
    index: pd.DatetimeIndex, utc_offset_h: float | None
) -> tuple[pd.DatetimeIndex, int, list[str]]:
    """Stamps without zone on the record's own standard time, and the shift to the site's standard time."""
    if index.tz is None:
        return index, 0, []
    offsets = (index.tz_localize(None) - index.tz_convert("UTC").tz_localize(None)).total_seconds() / 60
    own = int(offsets.min())  # daylight saving only ever adds
    universal = index.tz_convert("UTC").tz_localize(None)
    if utc_offset_h is not None and _minutes_into_year(universal[0], utc_offset_h * 60) <= max(STEPS_MINUTES):
        own = round(utc_offset_h * 60)  # cut to years by the site's clock, whatever zone the index is in
    stamps = universal + pd.Timedelta(minutes=own)
    notes = [f"time index in {index.tz}, read at standard time (UTC{own / 60:+g} h)"]
    shift = 0 if utc_offset_h is None else round(utc_offset_h * 60) - own
    if shift:
        notes.append(f"moved by {shift / 60:+g} h to the site's standard time; the ends wrap round")
    return stamps, shift, notes


def _minutes_into_year(stamp: pd.Timestamp, offset_minutes: float = 0) -> float:
    """Minutes since 1 January 00:00 on a clock that is `offset_minutes` ahead of the stamp."""
    moved = stamp + pd.Timedelta(minutes=offset_minutes)
    return float((moved - pd.Timestamp(year=moved.year, month=1, day=1)).total_seconds() / 60)


def _gap_faults(record: Record, stamps: pd.DatetimeIndex, gaps: NDArray[np.int64], step: int) -> list[Fault]:
    """Faults of the step; a 29 February left out is none."""
    before, after = stamps[:-1], stamps[1:]
    skipped = (gaps == _DAY_MINUTES + step) & (before.year == after.year) & before.is_leap_year
    # Interval ends may be stamped 29 Feb 00:00, so the stamp before the jump is looked at a step earlier.
    skipped &= (before - pd.Timedelta(minutes=step)).day_of_year <= _FEB_29
    skipped &= after.day_of_year >= _FEB_29 + 1
    faults = []
    cases = (
        (
            gaps == 0,
            "times given twice",
            "Is this local time with daylight saving? Give standard time all year.",
        ),
        (gaps < 0, "times that go backwards", "Sort the series by time."),
        (
            (gaps > step) & (gaps % step == 0) & ~skipped,
            "places where steps are missing",
            "Fill the holes first.",
        ),
        (
            (gaps > 0) & (gaps % step != 0),
            f"steps that are not {step} min long",
            "Put the series on a regular step.",
        ),
    )
    for bad, what, remedy in cases:
        if bad.any():
            first = int(np.flatnonzero(bad)[0])
            found = f"{int(bad.sum())} {what}, first after {stamps[first]}"
            faults.append(Fault(record.where, found, f"must be regular steps of {step} min", remedy))
    return faults


def _interval_starts(stamps: pd.DatetimeIndex, step: int) -> tuple[pd.DatetimeIndex, str]:
    """Shift stamps at the middle or the end of each interval to its start."""
    into_year = _minutes_into_year(stamps[0])
    if into_year == step:
        return stamps - pd.Timedelta(minutes=step), "stamps read as the end of each interval"
    within = into_year % step
    if within:
        return stamps - pd.Timedelta(minutes=within), f"stamps read as {within:g} min into each interval"
    return stamps, ""
