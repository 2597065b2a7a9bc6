"""The clock of a user's own profile: which step it has, which years it covers, what is missing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta, timezone

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sitedesign.components.own_profile.units import Unit
from sitedesign.components.own_profile.wall_clock import standard_time_of
from sitedesign.errors import Fault

FloatArray = NDArray[np.float64]
STEPS_MINUTES = (5, 15, 30, 60)
_DAY_MINUTES = 1440
_FEB_29 = 59  # days before 29 February
PLAIN_YEAR = 2013  # 365 days, for stamps whose year means nothing


@dataclass(frozen=True, eq=False)
class ProfileRecord:
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
    unit : Unit or None
        What the numbers are in, when anybody says so.
    said_by : str
        Who says so, for messages: the name of a column, a comment, the user.
    rated_mw : float or None
        Size of the array that the file states. [MWdc]
    zone_h : float or None
        Clock minus UTC where the record says so beside its stamps. [h]
    wall_clock : bool
        Whether the clock is said to keep daylight saving time.
    ends : bool
        Whether the stamps are said to be ends of intervals.
    step_minutes : int or None
        Step that a count of hours, minutes or seconds tells. [min]
    yearless : bool
        Whether the years of the stamps mean nothing.
    notes : tuple of str
        What was chosen or dropped on the way here.
    commas_may_group : bool
        Whether commas read as decimal marks may as well group thousands: all have three digits after them.
    refused : Fault or None
        When the file says that the values are something else.
    """

    values: FloatArray
    index: pd.DatetimeIndex | None
    where: str
    description: str
    rows: int | None = None
    unit: Unit | None = None
    said_by: str = ""
    rated_mw: float | None = None
    zone_h: float | None = None
    wall_clock: bool = False
    ends: bool = False
    step_minutes: int | None = None
    yearless: bool = False
    notes: tuple[str, ...] = ()
    commas_may_group: bool = False
    refused: Fault | None = None

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


def whole_years(
    record: ProfileRecord, step_minutes: int | None, utc_offset_h: float | None, zone: str | None = None
) -> Clock:
    """Cut a record into 365-day years.

    Parameters
    ----------
    record : ProfileRecord
    step_minutes : int or None
        Step of a record without stamps, when its length has more than one reading. [min]
    utc_offset_h : float or None
        The site's standard time minus UTC. [h]
    zone : str, optional
        The site's IANA zone, whose daylight saving a record without zone may follow.

    Returns
    -------
    Clock
        With faults instead of rows when the step is irregular, stamps are missing or years are not whole.
    """
    if record.index is not None:
        typical = _typical_year(record.index)
        if typical is not None:
            note = f"a typical year put together from {', '.join(map(str, sorted(set(record.index.year))))}"
            record = replace(record, index=typical, yearless=True)
        found = _from_stamps(record, step_minutes, utc_offset_h, zone)
        if record.yearless:
            found = replace(found, years=tuple(range(1, len(found.rows) + 1)))
        return found if typical is None else replace(found, notes=(note, *found.notes))
    if record.wall_clock:
        remedy = "Give stamps, or standard time all year."
        fault = Fault(
            record.where, "wall-clock time without stamps", "must have a stamp at each value", remedy
        )
        return Clock(faults=(fault,))
    found = _from_length(record, step_minutes)
    if record.rows is not None:
        found = _from_rows(record, record.rows, step_minutes)
    if record.zone_h is None or utc_offset_h is None:
        return found
    shift = round((utc_offset_h - record.zone_h) * 60)
    notes = (*found.notes, *([_moved_by(shift)] if shift else []))
    return replace(found, shift_minutes=shift, notes=notes)


def _typical_year(index: pd.DatetimeIndex) -> pd.DatetimeIndex | None:
    """Stamps of months of several years in one year; None for others."""
    if len(index) < 2 or index.hasnans or index.year.nunique() < 3 or (_gaps(index) >= 0).all():
        return None
    # The end of the last interval belongs to the year that it ends, not to the next.
    naive = index.tz_localize(None)
    ahead = pd.Timedelta(seconds=1) if _minutes_into_year(naive[0]) else pd.Timedelta(0)
    naive -= ahead
    parts = {"year": PLAIN_YEAR, "month": naive.month, "day": naive.day}
    days = pd.DatetimeIndex(pd.to_datetime(pd.DataFrame(parts), errors="coerce"))
    together = days + (naive - naive.normalize()) + ahead
    if together.hasnans or len(set(_gaps(together).tolist())) != 1:
        return None
    return together.tz_localize(index.tz)


def _moved_by(minutes: int) -> str:
    return f"moved by {minutes / 60:+g} h to the site's standard time; the ends wrap round"


def _from_rows(record: ProfileRecord, rows: int, step_minutes: int | None) -> Clock:
    width = record.values.size // rows
    readings = {_DAY_MINUTES * days // width: days for days in (365, 366) if _DAY_MINUTES * days % width == 0}
    step, days = next(((step, days) for step, days in readings.items() if step in STEPS_MINUTES), (0, 0))
    if not step or (step_minutes is not None and step_minutes != step):
        return Clock(faults=(_length_fault(record, f"{rows} rows of {width} values", step_minutes),))
    years = [_without_leap_day(row, step) for row in record.values.reshape(rows, width)]
    notes = ("29 February dropped from every year",) if days == 366 else ()
    return Clock(tuple(years), tuple(range(1, rows + 1)), step, notes=notes)


def _from_length(record: ProfileRecord, step_minutes: int | None) -> Clock:
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


def _length_fault(record: ProfileRecord, found: str, step_minutes: int | None) -> Fault:
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


def _from_stamps(
    record: ProfileRecord, step_minutes: int | None, utc_offset_h: float | None, zone: str | None
) -> Clock:
    assert record.index is not None  # the caller looked
    if record.index.isna().any():
        bad = int(np.flatnonzero(record.index.isna())[0])
        return Clock(
            faults=(Fault(record.where, f"no time stamp at position {bad}", "every value needs one"),)
        )
    if len(record.index) < 2:
        return Clock(faults=(_length_fault(record, "1 value", step_minutes),))
    index, values, notes = record.index, record.values, []
    if index.tz is None and record.zone_h is not None:
        index = index.tz_localize(timezone(timedelta(hours=record.zone_h)))
    step = _usual_step(index)
    if index.tz is None and zone and utc_offset_h is not None and step in STEPS_MINUTES:
        wall = standard_time_of(values, index, zone, utc_offset_h, step, known=record.wall_clock)
        if wall is not None:
            values, index, note = wall
            notes = [note]
    stamps, shift, said = _standard_time(index, utc_offset_h, step, ends=record.ends)
    notes += said
    if index.tz is not None and step in STEPS_MINUTES:
        stamps, values = _without_early_hour(stamps, values, step)
    gaps = _gaps(stamps)
    if step not in STEPS_MINUTES or (step_minutes is not None and step != step_minutes):
        allowed = f"must be {step_minutes} min" if step_minutes else "must be 5, 15, 30 or 60 min"
        return Clock(faults=(Fault(record.where, f"a step of {step} min", allowed),))
    faults = _gap_faults(record, stamps, gaps, step)
    if record.ends and _minutes_into_year(stamps[0]) == 0:
        shift -= step
        notes.append("stamps said to be ends of intervals: moved by one step; the ends wrap round")
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
            rows.append(values[here])
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


def _gaps(stamps: pd.DatetimeIndex) -> NDArray[np.int64]:
    """Minutes from each stamp to the next."""
    return np.rint(np.diff(stamps.asi8) / _nanoseconds(stamps) / 60e9).astype(np.int64)


def _usual_step(stamps: pd.DatetimeIndex) -> int:
    return int(Counter(_gaps(stamps).tolist()).most_common(1)[0][0])


def _nanoseconds(stamps: pd.DatetimeIndex) -> float:
    """Ticks of the index per nanosecond, whatever unit pandas chose."""
    return {"s": 1e-9, "ms": 1e-6, "us": 1e-3, "ns": 1.0}[stamps.unit]


def _without_early_hour(
    stamps: pd.DatetimeIndex, values: FloatArray, step: int
) -> tuple[pd.DatetimeIndex, FloatArray]:
    """Bring the hour before 1 January, as summer time at new year has it, to the record's end."""
    first = stamps[0]
    early = round((pd.Timestamp(first.year + 1, 1, 1) - first) / pd.Timedelta(minutes=step))
    if not 0 < early * step <= max(STEPS_MINUTES) or len(stamps) <= early:
        return stamps, values
    moved = [stamps[-1] + pd.Timedelta(minutes=step * (number + 1)) for number in range(early)]
    joined = pd.DatetimeIndex(stamps[early:].append(pd.DatetimeIndex(moved)))
    return joined, np.r_[values[early:], values[:early]]


def _standard_time(
    index: pd.DatetimeIndex, utc_offset_h: float | None, step: int, *, ends: bool
) -> tuple[pd.DatetimeIndex, int, list[str]]:
    """Stamps without zone on the record's own standard time, and the shift to the site's standard time."""
    if index.tz is None:
        return index, 0, []
    offsets = (index.tz_localize(None) - index.tz_convert("UTC").tz_localize(None)).total_seconds() / 60
    own = int(offsets.min())  # daylight saving only ever adds
    universal = index.tz_convert("UTC").tz_localize(None)
    # Cut to years by the site's clock, whatever zone the index is in? An hour east of it, ends of the site's
    # intervals look like beginnings of its own.
    by_its_own = _minutes_into_year(universal[0], own) < step and not ends
    by_the_sites = utc_offset_h is not None and _minutes_into_year(universal[0], utc_offset_h * 60) <= step
    if by_the_sites and not by_its_own:
        own = round((utc_offset_h or 0) * 60)
    stamps = universal + pd.Timedelta(minutes=own)
    notes = [f"time index in {index.tz}, read at standard time (UTC{own / 60:+g} h)"]
    shift = 0 if utc_offset_h is None else round(utc_offset_h * 60) - own
    if shift:
        notes.append(_moved_by(shift))
    return stamps, shift, notes


def _minutes_into_year(stamp: pd.Timestamp, offset_minutes: float = 0) -> float:
    """Minutes since 1 January 00:00 on a clock that is `offset_minutes` ahead of the stamp."""
    moved = stamp + pd.Timedelta(minutes=offset_minutes)
    return float((moved - pd.Timestamp(year=moved.year, month=1, day=1)).total_seconds() / 60)


def _gap_faults(
    record: ProfileRecord, stamps: pd.DatetimeIndex, gaps: NDArray[np.int64], step: int
) -> list[Fault]:
    """Faults of the step; a 29 February left out is none."""
    exchanged = _exchanged_days(stamps, step) if (gaps < 0).any() else 0
    if exchanged:
        found = (
            f"{exchanged} days on which day and month are exchanged, as a spreadsheet of another country does"
        )
        remedy = "Export the file again with dates as year-month-day."
        return [Fault(record.where, found, "must have one order of day and month", remedy)]
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
            "Fill the gaps first.",
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


def _exchanged_days(stamps: pd.DatetimeIndex, step: int) -> int:
    """Days of a record that becomes regular when day and month change places wherever both can; else 0."""
    both = stamps.day <= 12
    year, month, day = (np.asarray(part) for part in (stamps.year, stamps.month, stamps.day))
    turned = pd.DataFrame(
        {"year": year, "month": np.where(both, day, month), "day": np.where(both, month, day)}
    )
    midnights = pd.DatetimeIndex(pd.to_datetime(turned))
    again = midnights + (stamps - stamps.normalize())
    if not (_gaps(again) == step).all():
        return 0
    return int(np.unique(np.asarray(midnights)[np.asarray(midnights != stamps.normalize())]).size)


def _interval_starts(stamps: pd.DatetimeIndex, step: int) -> tuple[pd.DatetimeIndex, str]:
    """Shift stamps at the middle or the end of each interval to its start."""
    into_year = _minutes_into_year(stamps[0])
    if into_year == step:
        return stamps - pd.Timedelta(minutes=step), "stamps read as the end of each interval"
    within = into_year % step
    if within:
        return stamps - pd.Timedelta(minutes=within), f"stamps read as {within:g} min into each interval"
    return stamps, ""
