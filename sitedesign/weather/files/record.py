"""What every format module returns: one file's columns on interval starts in UTC, and how it was stamped."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from sitedesign.errors import Fault, InputError

COLUMNS = ("ghi", "dni", "dhi", "temp_air", "wind_speed")
TYPICAL_LABEL_YEAR = 2001
"""Any year without 29 February; the months of a typical year are put on it."""

Convention = Literal["start", "middle", "end", "instant"]


@dataclass(frozen=True)
class WeatherRecord:
    """One parsed weather file.

    Attributes
    ----------
    file : str
        File name without folder.
    kind : str
        Family and version, for people.
    frame : DataFrame
        Columns out of ``ghi, dni, dhi`` [W/m2], ``temp_air`` [degrees C], ``wind_speed`` [m/s], NaN where
        missing; index: start of each interval in UTC, naive.
    step_minutes : int
        [min]
    sun_offset_minutes : float
        Minutes after the start of an interval at which the sun stands as sampled. [min]
    convention : str
        The time convention in words.
    latitude, longitude : float or None
        [degrees]
    elevation_m : float or None
        [m]
    utc_offset_h : float or None
        Local standard time minus UTC, if the file says it. [h]
    typical : bool
        True for a typical year; its stamps are on the label year 2001.
    satellite : bool
        True where darkness may be an error of a retrieval (checked for days of false low irradiance).
    hourly_texture : bool
        False where the hours were made from daily totals.
    notes : tuple of str
        What was assumed while parsing.
    """

    file: str
    kind: str
    frame: pd.DataFrame
    step_minutes: int
    sun_offset_minutes: float
    convention: str
    latitude: float | None = None
    longitude: float | None = None
    elevation_m: float | None = None
    utc_offset_h: float | None = None
    typical: bool = False
    satellite: bool = False
    hourly_texture: bool = True
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Stamps:
    """Time axis of a file after its convention was applied.

    Attributes
    ----------
    start_utc : DatetimeIndex
        Start of each interval, naive UTC; on the label year for a typical year.
    step_minutes : int
        [min]
    sun_offset_minutes : float
        [min]
    typical : bool
    """

    start_utc: pd.DatetimeIndex
    step_minutes: int
    sun_offset_minutes: float
    typical: bool


def is_typical(stamps: pd.DatetimeIndex) -> bool:
    """Tell a typical year: months from several years, out of calendar order or with jumps between them."""
    if len(stamps) < 2 or stamps.year.nunique() < 2 or len(stamps) > 366 * 24 * 60:
        return False
    # The last stamp of an end-stamped month carries the next month's name, hence not quite all.
    by_month = pd.Series(stamps.year, index=stamps.month).groupby(level=0)
    one_year = bool((by_month.agg(lambda years: years.value_counts(normalize=True).iloc[0]) > 0.95).all())
    spacing = np.diff(stamps.to_numpy())
    # A clock set back goes back by an hour, a month of an earlier year by most of a year.
    backward = bool((spacing < -np.timedelta64(2, "D")).any())
    jump = bool((spacing > np.timedelta64(300, "D")).any())
    return one_year and (backward or jump)


def put_on_label_year(stamps: pd.DatetimeIndex) -> tuple[pd.DatetimeIndex, np.ndarray]:
    """Put the stamps of a typical year on the label year.

    Returns
    -------
    stamps : DatetimeIndex
        Without 29 February.
    keep : ndarray of bool
        False on 29 February.
    """
    keep = ~((stamps.month == 2) & (stamps.day == 29))
    kept = stamps[keep]
    year = pd.Timestamp(TYPICAL_LABEL_YEAR, 1, 1)
    leap_shift = (kept.is_leap_year & (kept.month > 2)).astype(int)
    days = kept.day_of_year - 1 - leap_shift
    since_midnight = kept - kept.normalize()
    return pd.DatetimeIndex(year + pd.to_timedelta(days, unit="D") + since_midnight), np.asarray(keep)


def step_of(stamps: pd.DatetimeIndex, file: str) -> int:
    """Find the step of a file as its commonest spacing.

    Raises
    ------
    InputError
        If stamps repeat, run backwards, or lie on different steps.
    """
    spacing = np.diff(stamps.to_numpy()) / np.timedelta64(1, "s")
    faults: list[Fault] = []
    if len(spacing) == 0:
        raise InputError(
            [Fault(file, f"{len(stamps)} rows", "needs at least a year of rows")], "Weather.read()"
        )
    daylight_saving = (
        "If the file is in daylight saving time, convert it to standard time, "
        "or give stamps with a UTC offset."
    )
    if (spacing == 0).any():
        first = stamps[int(np.argmax(spacing == 0))]
        found = f"{int((spacing == 0).sum())} duplicate stamps, the first {first:%Y-%m-%d %H:%M}"
        faults.append(Fault(file, found, "must have each stamp once", daylight_saving))
    if (spacing < 0).any():
        where = int(np.argmax(spacing < 0))
        found = (
            f"stamps out of order: {stamps[where + 1]:%Y-%m-%d %H:%M} follows {stamps[where]:%Y-%m-%d %H:%M}"
        )
        duplicated = int(stamps.duplicated().sum())
        found += f" ({duplicated} stamps occur twice)" if duplicated else ""
        faults.append(
            Fault(file, found, "must rise from row to row", f"Sort the file by time. {daylight_saving}")
        )
    positive = spacing[spacing > 0]
    values, counts = np.unique(positive, return_counts=True)
    step = float(values[np.argmax(counts)])
    off_grid = (positive % step != 0).mean()
    # A gap here and there is a multiple of the step too; every tenth spacing is another step.
    second = (values != step) & (values <= 3 * 3600) & (counts > 0.1 * len(positive))
    if off_grid > 0.001 or second.any():
        common = values[np.argsort(counts)[::-1][:3]] / 60
        found = "steps of " + ", ".join(f"{minutes:g}" for minutes in sorted(common)) + " minutes in one file"
        faults.append(
            Fault(file, found, "must have one step", "Give files of one step each, or resample first.")
        )
    if step % 60 or step > 3600:
        found = f"a step of {step / 60:g} minutes"
        allowed = "must be a whole number of minutes, at most 60 (daily totals only as USCRN daily01)"
        faults.append(Fault(file, found, allowed))
    if faults:
        raise InputError(faults, "Weather.read()")
    return int(step // 60)


def place_stamps(
    stamps: pd.DatetimeIndex,
    file: str,
    convention: Convention,
    file_offset_h: float,
    *,
    typical: bool | None = None,
    sun_shift_minutes: float | None = None,
) -> tuple[Stamps, np.ndarray]:
    """Turn naive stamps in the file's own time into interval starts in UTC.

    Parameters
    ----------
    stamps : DatetimeIndex
        Naive, in the file's fixed offset from UTC.
    file : str
        For messages.
    convention : {'start', 'middle', 'end', 'instant'}
        ``start``, ``middle``, ``end``: the value is the mean of the interval so stamped. ``instant``: the
        value was sampled at the stamp; the interval is the one of the regular grid that contains it.
    file_offset_h : float
        File time minus UTC. [h]
    typical : bool, optional
        Known from a header; else told from the stamps.
    sun_shift_minutes : float, optional
        Where the sun stands after the start of the interval, if it is neither the middle nor the stamp. [min]

    Returns
    -------
    stamps : Stamps
    keep : ndarray of bool
        Rows kept (29 February of a typical year is not).

    Raises
    ------
    InputError
        If stamps repeat, run backwards, lie on different steps, or at different minutes of their intervals.
    """
    typical = is_typical(stamps) if typical is None else typical
    keep = np.ones(len(stamps), dtype=bool)
    if typical:
        # 24:00 of the last day of a month belongs to that month, though its stamp has the next one's name.
        back = pd.Timedelta(minutes=1 if convention == "end" else 0)
        stamps, keep = put_on_label_year(stamps - back)
        stamps = stamps + back
    step = step_of(stamps, file)
    whole = pd.Timedelta(minutes=step)
    if convention == "instant":
        start = stamps.floor(f"{step}min")
        minutes = np.asarray((stamps - start) / pd.Timedelta(minutes=1))
        sun_offset = float(np.median(minutes))
        if np.abs(minutes - sun_offset).max() > 5:
            found = f"stamps at minutes {minutes.min():g} to {minutes.max():g} of their intervals"
            raise InputError(
                [Fault(file, found, "must lie at the same minute of every interval")], "Weather.read()"
            )
    else:
        start = stamps - {"start": 0, "middle": 0.5, "end": 1}[convention] * whole
        sun_offset = step / 2
    if sun_shift_minutes is not None:
        sun_offset = sun_shift_minutes
    start_utc = start - pd.Timedelta(minutes=round(file_offset_h * 60))
    return Stamps(pd.DatetimeIndex(start_utc), step, sun_offset, typical), keep


def record_from(
    data: pd.DataFrame,
    file: str,
    kind: str,
    convention: Convention,
    file_offset_h: float,
    *,
    words: str,
    typical: bool | None = None,
    sun_shift_minutes: float | None = None,
    latitude: float | None = None,
    longitude: float | None = None,
    elevation_m: float | None = None,
    utc_offset_h: float | None = None,
    satellite: bool = False,
    hourly_texture: bool = True,
    notes: tuple[str, ...] = (),
) -> WeatherRecord:
    """Build a record from a table with naive stamps in the file's own time and pvlib's column names.

    Parameters are those of :func:`place_stamps` and the attributes of :class:`WeatherRecord`; `words` is
    the time convention for people.

    Raises
    ------
    InputError
        See :func:`place_stamps`.
    """
    index = pd.DatetimeIndex(data.index)
    stamps, keep = place_stamps(
        index, file, convention, file_offset_h, typical=typical, sun_shift_minutes=sun_shift_minutes
    )
    present = [name for name in COLUMNS if name in data.columns]
    frame = data.loc[keep, present].astype(np.float64)
    frame.index = stamps.start_utc
    if stamps.typical and not keep.all():
        notes = (*notes, f"{int((~keep).sum())} rows of 29 February dropped from the typical year")
    return WeatherRecord(
        file=file,
        kind=kind,
        frame=frame,
        step_minutes=stamps.step_minutes,
        sun_offset_minutes=stamps.sun_offset_minutes,
        convention=words,
        latitude=latitude,
        longitude=longitude,
        elevation_m=elevation_m,
        utc_offset_h=utc_offset_h,
        typical=stamps.typical,
        satellite=satellite,
        hourly_texture=hourly_texture,
        notes=notes,
    )
