"""Clocks that are put forward in summer: hours that are skipped and hours that come twice."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def standard_time_of(
    values: FloatArray,
    stamps: pd.DatetimeIndex,
    zone: str,
    utc_offset_h: float,
    step_minutes: int,
    *,
    known: bool,
) -> tuple[FloatArray, pd.DatetimeIndex, str] | None:
    """Put a record that was kept by the clock on the wall on standard time.

    Parameters
    ----------
    values : ndarray, shape (n,)
    stamps : DatetimeIndex
        Without time zone, from 1 January, not going back but for the hour that comes twice.
    zone : str
        IANA name, whose rules say when the clock is changed.
    utc_offset_h : float
        Standard time minus UTC. [h]
    step_minutes : int
        [min]
    known : bool
        Whether the record is known to be on wall-clock time; otherwise what is missing and what comes twice
        must be what the zone's clock skips or repeats.

    Returns
    -------
    values, stamps, note, or None
        None when the record does not follow the wall clock.
    """
    step = pd.Timedelta(minutes=step_minutes)
    if not 0 <= (stamps[-1] - stamps[0]) / step <= 2 * len(stamps):  # not in order, or mostly gaps
        return None
    for late in (pd.Timedelta(0), step):  # stamps at the beginning or at the end of the interval
        starts = stamps - late
        skipped, repeated = _changes(starts, zone, step)
        if not len(skipped) and not len(repeated):
            continue
        twice = starts[starts.duplicated()]
        full = pd.date_range(starts[0], starts[-1], freq=step)
        missing = full.difference(starts)
        missing = missing[~((missing.month == 2) & (missing.day == 29))]
        follows = (len(missing) > 0 and missing.equals(skipped)) or (
            len(twice) > 0 and twice.equals(repeated)
        )
        if known or follows:
            moved, notes = _moved(values, starts, zone, utc_offset_h, step)
            return moved.to_numpy(), pd.DatetimeIndex(moved.index) + late, notes
    return None


def _changes(
    starts: pd.DatetimeIndex, zone: str, step: pd.Timedelta
) -> tuple[pd.DatetimeIndex, pd.DatetimeIndex]:
    """Find the steps that the zone's clock skips in the years of a record, and those that it shows twice."""
    full = pd.date_range(starts[0], starts[-1], freq=step)
    skipped = full[full.tz_localize(zone, ambiguous=np.zeros(len(full), bool), nonexistent="NaT").isna()]
    repeated = full[full.tz_localize(zone, ambiguous="NaT", nonexistent="shift_forward").isna()]
    return skipped, repeated


def _moved(
    values: FloatArray, starts: pd.DatetimeIndex, zone: str, utc_offset_h: float, step: pd.Timedelta
) -> tuple[pd.Series, str]:
    """Series on standard time, without gaps at the changes, and what was done."""
    _, repeated = _changes(starts, zone, step)
    # Where the hour that comes twice is there but once, it is the first that programs keep.
    first_of_two = starts.isin(repeated) & ~starts.duplicated()
    aware = starts.tz_localize(zone, ambiguous=np.asarray(first_of_two), nonexistent="NaT")
    there = np.asarray(aware.notna())
    universal = aware[there].tz_convert("UTC").tz_localize(None)
    series = pd.Series(values[there], universal + pd.Timedelta(hours=utc_offset_h))
    series = _wrapped(series[~series.index.duplicated()], step)
    note = "local time with daylight saving put on standard time"
    if not there.all():
        note += f"; {int(np.sum(~there))} values at times that the clock skips left out"
    full = pd.date_range(series.index[0], series.index[-1], freq=step)
    gaps = full[~full.isin(series.index)]
    filled = gaps[gaps.isin(repeated - pd.Timedelta(hours=1)) | gaps.isin(repeated)]
    if len(filled):
        series = pd.concat([series, pd.Series(np.nan, filled)]).sort_index().interpolate()
        note += f"; {len(filled)} values of hours that come twice filled between their neighbours"
    return series, note


def _wrapped(series: pd.Series, step: pd.Timedelta) -> pd.Series:
    """Bring what falls before 1 January, as where summer time holds at new year, to the record's end."""
    first = series.index[0]
    if (first.month, first.day) != (12, 31):
        return series
    early = np.asarray(series.index < pd.Timestamp(first.year + 1, 1, 1))
    moved = series[early]
    moved.index = pd.date_range(series.index[-1] + step, periods=len(moved), freq=step)
    joined: pd.Series = pd.concat([series[~early], moved])
    return joined
