"""The calendar by which a tariff is billed: months, kinds of day, hours of the clock on the wall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta, timezone
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.tseries.holiday import (
    AbstractHolidayCalendar,
    Holiday,
    USFederalHolidayCalendar,
    USLaborDay,
    USMemorialDay,
    USThanksgivingDay,
    sunday_to_monday,
)

from sitedesign.errors import Fault, InputError, shown
from sitedesign.util.checked import Checked
from sitedesign.util.gate import Gate, Measure, OneOf, Wrong, is_number

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Holidays = Literal["none", "nerc", "us_federal"]
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "holiday")
_SETS = {"all": DAYS, "weekdays": DAYS[:5], "weekends": DAYS[5:]}
MONTHS = tuple(range(1, 13))
#: Year of 365 days that stands for a weather year without a date; it begins on a Monday, as SAM's does.
PLAIN_YEAR = 2018
_SLOTS_PER_HOUR = 12  # a tariff tells time to five minutes
_HOLIDAY = 7
_FIRST_YEAR, _LAST_YEAR = 1900, 2200

_MONTH = Measure("", 1, 12, whole=True, says="must be a month from 1 to 12")
_DAY = OneOf((*_SETS, *DAYS))


class _HourPair(Gate):
    """From and to, in hours of the day."""

    def wrong(self, value: Any) -> Wrong | None:  # noqa: ANN401
        """Say what is wrong as (found, allowed, remedy), or None."""
        allowed = "must be a pair (from, to) of hours from 0 to 24, to five minutes"
        remedy = "For example (14, 20); all day is (0, 24)."
        if isinstance(value, list | tuple) and len(value) == 2 and all(map(_is_slot, value)):
            return None if value[0] != value[1] else (shown(value), allowed, remedy)
        return shown(value), allowed, remedy


def _is_slot(hour: object) -> bool:
    if not is_number(hour) or not 0 <= float(hour) <= 24:  # type: ignore[arg-type]
        return False
    slot = float(hour) * _SLOTS_PER_HOUR  # type: ignore[arg-type]
    return abs(slot - round(slot)) < 1e-6


class _NercCalendar(AbstractHolidayCalendar):
    """Off-peak holidays of the North American Electric Reliability Corporation."""

    rules = [  # noqa: RUF012  # as its base has it
        Holiday("New Year's Day", month=1, day=1, observance=sunday_to_monday),
        USMemorialDay,
        Holiday("Independence Day", month=7, day=4, observance=sunday_to_monday),
        USLaborDay,
        USThanksgivingDay,
        Holiday("Christmas", month=12, day=25, observance=sunday_to_monday),
    ]


class When(Checked):
    """Hours of the year: months, kinds of day, hours of the day.

    Parameters
    ----------
    months : sequence of int
        1 to 12; all when left out.
    days : str or sequence of str
        ``all``, ``weekdays``, ``weekends`` (holidays among them), or names of days, ``holiday`` for itself.
    hours : sequence of (float, float)
        From and to, in hours of the clock on the wall, to five minutes; ``(22, 6)`` runs through midnight.

    Raises
    ------
    InputError
        With every fault found.

    Examples
    --------
    >>> summer = sd.When(months=[6, 7, 8, 9], days="weekdays", hours=(14, 20))
    >>> summer.hours
    ((14.0, 20.0),)
    """

    WHERE: ClassVar[str] = "when"
    EXAMPLE: ClassVar[str] = "sd.When(months=[6, 7, 8, 9], days='weekdays', hours=[(14, 20)])"

    months: tuple[Annotated[int, _MONTH], ...] = MONTHS
    days: tuple[Annotated[str, _DAY], ...] = ("all",)
    hours: tuple[Annotated[tuple[float, float], _HourPair()], ...] = ((0, 24),)

    @classmethod
    def _prepared(cls, known: dict[str, Any], faults: list[Fault]) -> dict[str, Any]:
        """Read a single word, month or pair as one of several."""
        for name in ("months", "days"):
            if isinstance(known.get(name), str | int):
                known[name] = (known[name],)
        hours = known.get("hours")
        if isinstance(hours, list | tuple) and len(hours) == 2 and all(map(is_number, hours)):
            known["hours"] = (tuple(hours),)
        return known

    def _contradictions(self) -> list[Fault]:
        """Find what leaves no hour."""
        return [
            Fault(f"when.{name}", "nothing", "must name some", "Leave it out for all.")
            for name in ("months", "days", "hours")
            if not getattr(self, name)
        ]

    def mask(self) -> BoolArray:
        """Which twelfths of an hour it covers.

        Returns
        -------
        ndarray, shape (12, 8, 288)
            By month, kind of day and five minutes of the day.
        """
        return _mask(self.months, self.days, self.hours)


ALWAYS = When()


@lru_cache(maxsize=512)
def _mask(
    months: tuple[int, ...], days: tuple[str, ...], hours: tuple[tuple[float, float], ...]
) -> BoolArray:
    of_month, of_day = np.zeros(12, bool), np.zeros(len(DAYS), bool)
    of_month[[month - 1 for month in months]] = True
    for word in days:
        of_day[[DAYS.index(day) for day in _SETS.get(word, (word,))]] = True
    slots = np.arange(24 * _SLOTS_PER_HOUR)
    of_hour = np.zeros(len(slots), bool)
    for start, end in hours:
        first, last = round(start * _SLOTS_PER_HOUR), round(end * _SLOTS_PER_HOUR)
        inside = (slots >= first) & (slots < last) if first < last else (slots >= first) | (slots < last)
        of_hour |= inside
    mask: BoolArray = of_month[:, None, None] & of_day[:, None] & of_hour
    mask.setflags(write=False)
    return mask


@dataclass(frozen=True, eq=False)
class Calendar:
    """Steps of time as a tariff sees them.

    Attributes
    ----------
    step_minutes : int
        [min]
    labels : tuple of str
        Billing months in order, ``2018-01``.
    month : ndarray of int, shape (steps,)
        Billing month of each step, as a place in `labels`.
    month_of_year, day, slot : ndarray of int, shape (steps,)
        Month from 0, kind of day as a place in `DAYS`, five minutes of the day, where the step begins.
    dates : DatetimeIndex
        Beginnings of the steps, local standard time.
    """

    step_minutes: int
    labels: tuple[str, ...]
    month: IntArray
    month_of_year: IntArray
    day: IntArray
    slot: IntArray
    dates: pd.DatetimeIndex

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.month)

    @property
    def step_h(self) -> float:
        """Length of a step. [h]"""
        return self.step_minutes / 60

    def look_up(self, table: NDArray[Any]) -> NDArray[Any]:
        """Values of a table by month, kind of day and five minutes of the day, for each step."""
        return table[self.month_of_year, self.day, self.slot]

    def month_numbers(self) -> IntArray:
        """Month of the year, 1 to 12, of each billing month."""
        return np.array([int(label[-2:]) for label in self.labels], dtype=np.int64)


def calendar(
    start: str | pd.Timestamp,
    steps: int,
    step_minutes: int = 60,
    *,
    holidays: Holidays = "none",
    timezone_name: str | None = None,
    utc_offset_h: float | None = None,
    leap_days: bool = True,
) -> Calendar:
    """Lay a series on the calendar.

    Parameters
    ----------
    start : str or Timestamp
        Beginning of the first step, local standard time.
    steps : int
    step_minutes : int
        [min]
    holidays : {"none", "nerc", "us_federal"}
        Whose holidays count as ``holiday``.
    timezone_name : str, optional
        IANA name, whose daylight saving moves the hours of the tariff; standard time all year when left out.
    utc_offset_h : float, optional
        Standard time minus UTC, needed with `timezone_name`. [h]
    leap_days : bool
        Whether the series has 29 February in it.

    Returns
    -------
    Calendar
    """
    first = pd.Timestamp(start)
    if not _FIRST_YEAR <= first.year <= _LAST_YEAR:
        fault = Fault("start", f"{first.year}", f"the year must be in [{_FIRST_YEAR}, {_LAST_YEAR}]")
        raise InputError([fault], "the tariff")
    spare = 0 if leap_days else (steps * step_minutes // (365 * 1440) + 1) * 1440 // step_minutes
    dates = pd.date_range(first, periods=steps + spare, freq=pd.Timedelta(minutes=step_minutes))
    if not leap_days:
        dates = dates[~((dates.month == 2) & (dates.day == 29))][:steps]
    return _calendar_of(dates, step_minutes, holidays, timezone_name, utc_offset_h)


@lru_cache(maxsize=64)
def year_calendar(
    year: int,
    step_minutes: int,
    holidays: Holidays = "none",
    timezone_name: str | None = None,
    utc_offset_h: float | None = None,
) -> Calendar:
    """Calendar of one weather year of 365 days.

    Parameters
    ----------
    year : int
        Calendar year; of generated years, which are 1, 2, ..., each is billed as `PLAIN_YEAR`.
    step_minutes : int
        [min]
    holidays, timezone_name, utc_offset_h
        As for :func:`calendar`.
    """
    dated = year if _FIRST_YEAR <= year <= _LAST_YEAR else PLAIN_YEAR
    steps = 365 * 1440 // step_minutes
    return calendar(
        f"{dated}-01-01",
        steps,
        step_minutes,
        holidays=holidays,
        timezone_name=timezone_name,
        utc_offset_h=utc_offset_h,
        leap_days=False,
    )


def _calendar_of(
    dates: pd.DatetimeIndex,
    step_minutes: int,
    holidays: Holidays,
    timezone_name: str | None,
    utc_offset_h: float | None,
) -> Calendar:
    wall = dates
    if timezone_name is not None and utc_offset_h is not None:
        standard = dates.tz_localize(timezone(timedelta(hours=utc_offset_h)))
        wall = standard.tz_convert(timezone_name).tz_localize(None)
    day = wall.day_of_week.to_numpy().astype(np.int64)
    off = _holiday_dates(holidays, wall[0].year, wall[-1].year)
    if len(off):
        day = np.where(wall.normalize().isin(off), _HOLIDAY, day)
    # Months are billed by standard time: the hour of daylight saving moves no meter reading.
    number = (dates.year * 12 + dates.month - 1).to_numpy().astype(np.int64)
    months, month = np.unique(number, return_inverse=True)
    slot = (wall.hour * _SLOTS_PER_HOUR + wall.minute * _SLOTS_PER_HOUR // 60).to_numpy().astype(np.int64)
    return Calendar(
        step_minutes,
        tuple(f"{item // 12:04d}-{item % 12 + 1:02d}" for item in months),
        month.astype(np.int64),
        dates.month.to_numpy().astype(np.int64) - 1,
        day,
        slot,
        dates,
    )


def _holiday_dates(holidays: Holidays, first_year: int, last_year: int) -> pd.DatetimeIndex:
    if holidays == "none":
        return pd.DatetimeIndex([])
    rules = _NercCalendar() if holidays == "nerc" else USFederalHolidayCalendar()
    # A year on either side: New Year's Day of the next year may be kept on 31 December
    found = rules.holidays(pd.Timestamp(first_year - 1, 1, 1), pd.Timestamp(last_year + 1, 12, 31))
    return pd.DatetimeIndex(found)


def finer_than_the_step(parts: Sequence[When], step_minutes: int) -> float | None:
    """Find an hour of a tariff that lies inside a step; None where all lie between steps. [h]"""
    for part in parts:
        for hour in (hour for pair in part.hours for hour in pair):
            if abs(hour * 60 / step_minutes - round(hour * 60 / step_minutes)) > 1e-6:
                return hour
    return None
