"""Finds files on the wall clock, which daylight saving moves, by the sun; puts them on standard time.

A clock that is an hour ahead in summer shows as clear days whose noon is an hour later in summer than in
winter. Nothing else does: a wrong zone or convention moves both seasons alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sitedesign.errors import Fault, InputError
from sitedesign.weather.files.clock_check import clear_day_errors
from sitedesign.weather.files.record import WeatherRecord, record_from
from sitedesign.weather.files.year_grid import lay_out, light_of
from sitedesign.weather.site import Site
from sitedesign.weather.solar_geometry import solar_geometry

OF = "Weather.read()"
_FEWEST_DAYS = 6
"""Clear days that a season must have to be measured."""
_NO_SEASON_MINUTES = 30.0
"""Haze, hills and afternoon cloud move the centre of clear days by less from season to season."""
_TOLERANCE_MINUTES = 20.0
_LABELS = pd.date_range("2001-01-01", periods=365, freq="D")


@dataclass(frozen=True, eq=False)
class Unwound:
    """A table whose stamps were on the wall clock.

    Attributes
    ----------
    data : DataFrame
        Index: naive stamps in local standard time.
    zone_h : float
        Local standard time minus UTC. [h]
    note : str
    """

    data: pd.DataFrame
    zone_h: float
    note: str


def unwind(data: pd.DataFrame, file: str, site: Site) -> Unwound | None:
    """Put a table on standard time if its stamps follow the wall clock.

    Parameters
    ----------
    data : DataFrame
        Columns of a record; index: naive stamps.
    file : str
        For messages.
    site : Site

    Returns
    -------
    Unwound or None
        None if the seasons do not differ, or too few clear days tell.

    Raises
    ------
    InputError
        If noon moves with the season, but not as the clocks of the site's time zone do.
    """
    stamps = pd.DatetimeIndex(data.index)
    if len(stamps) < 2 or (stamps[-1] - stamps[0]) < pd.Timedelta(days=300):
        return None
    once = data[~stamps.duplicated(keep="first")].sort_index()
    moved = _season_minutes(once, file, site)
    if not abs(moved) > _NO_SEASON_MINUTES:
        return None
    found = f"clear days whose noon is {moved:+.0f} min later in summer than in winter"
    remedy = "Convert the file to standard time all year, or give stamps with their offset from UTC."
    step = pd.Timedelta(np.median(np.diff(once.index.to_numpy())))
    back = step if _counts_from_start(stamps, step, site) else pd.Timedelta(0)
    converted, keep = _standard_time(stamps - back, site)
    converted = converted + back
    still = np.inf
    if _summer(site, stamps).any():
        repaired = data[keep].set_axis(converted[keep])
        still = _season_minutes(repaired[~repaired.index.duplicated()].sort_index(), file, site)
    if not abs(still) < _TOLERANCE_MINUTES:
        allowed = f"must keep one time all year; the clocks of {site.timezone} do not explain it"
        raise InputError([Fault(file, found, allowed, remedy)], OF)
    note = (
        f"stamps follow the wall clock of {site.timezone} ({found}): put on standard time, "
        f"{int((~keep).sum())} rows in hours that the clock skips left out"
    )
    return Unwound(repaired, site.utc_offset_h, note)


def _season_minutes(data: pd.DataFrame, file: str, site: Site) -> float:
    """How much later noon is on the clear days of summer time than on the others, NaN if unknown. [min]"""
    try:
        record: WeatherRecord = record_from(
            data, file, "", "start", site.utc_offset_h, words="", typical=False, sun_shift_minutes=0.0
        )
        grid = lay_out([record], site.utc_offset_h)
    except InputError:
        return float("nan")  # faults of the stamps are reported by whoever reads them
    geometry = solar_geometry(site, grid.step_minutes, grid.utc_offset_h, grid.sun_offset_minutes)
    light = light_of(grid.columns)
    light = np.where((light < -20) | (light > 2500), np.nan, light)
    # A clock that skips an hour leaves a blank there, which must not cost the day.
    light = np.where(np.isnan(light) & ~geometry.is_day, 0.0, light)
    errors = clear_day_errors(
        light, geometry.ghi_extra_w_m2, site.longitude, grid.utc_offset_h, grid.sun_offset_minutes
    )
    summer = np.array([_summer_of_days(site, year) for year in grid.years])
    inside, outside = errors[summer & np.isfinite(errors)], errors[~summer & np.isfinite(errors)]
    if min(len(inside), len(outside)) < _FEWEST_DAYS:
        return float("nan")
    return float(np.median(inside) - np.median(outside))


def _summer_of_days(site: Site, year: int) -> NDArray[np.bool_]:
    """Days of summer time of a calendar year, shape (365,); April to September where there is none."""
    noons = pd.DatetimeIndex([day.replace(year=year) for day in _LABELS + pd.Timedelta(hours=12)])
    summer = _summer(site, noons)
    north = site.latitude >= 0
    warm = ((noons.month >= 4) & (noons.month <= 9)) == north
    result: NDArray[np.bool_] = summer if summer.any() else np.asarray(warm)
    return result


def _offsets_h(site: Site, utc: pd.DatetimeIndex) -> NDArray[np.float64]:
    """Offset of the wall clock from UTC at instants of UTC. [h]"""
    local = utc.tz_localize("UTC").tz_convert(site.timezone)
    naive = local.tz_localize(None)
    return np.asarray((naive - utc) / pd.Timedelta(hours=1), dtype=np.float64)


def _summer(site: Site, stamps: pd.DatetimeIndex) -> NDArray[np.bool_]:
    """Whether the clock is ahead of standard time at stamps of about local time."""
    utc = stamps - pd.Timedelta(hours=site.utc_offset_h)
    result: NDArray[np.bool_] = _offsets_h(site, utc) > site.utc_offset_h + 0.01
    return result


def _counts_from_start(stamps: pd.DatetimeIndex, step: pd.Timedelta, site: Site) -> bool:
    """Whether stamps are the clock at the start of their steps plus one step, as hours from 1 to 24 are.

    Then the hour that a file has twice, or that it skips, is the clock's own only a step earlier.
    """
    twice = stamps[stamps.duplicated(keep="first")]
    if len(twice):
        return not _ambiguous(twice, site).all() and bool(_ambiguous(twice - step, site).all())
    return not _standard_time(stamps, site)[1].all() and bool(_standard_time(stamps - step, site)[1].all())


def _ambiguous(stamps: pd.DatetimeIndex, site: Site) -> NDArray[np.bool_]:
    """Whether stamps of the wall clock occur twice."""
    as_standard = stamps - pd.Timedelta(hours=site.utc_offset_h)
    hour_before = as_standard - pd.Timedelta(hours=1)
    result: NDArray[np.bool_] = (np.abs(_offsets_h(site, as_standard) - site.utc_offset_h) < 0.01) & (
        np.abs(_offsets_h(site, hour_before) - site.utc_offset_h - 1) < 0.01
    )
    return result


def _standard_time(stamps: pd.DatetimeIndex, site: Site) -> tuple[pd.DatetimeIndex, NDArray[np.bool_]]:
    """Give standard time for stamps of the wall clock; False for stamps that the clock skips."""
    standard_h = site.utc_offset_h
    as_standard = stamps - pd.Timedelta(hours=standard_h)
    fits_standard = np.abs(_offsets_h(site, as_standard) - standard_h) < 0.01
    ahead = float(max(_offsets_h(site, as_standard).max() - standard_h, 0.0))
    as_summer = as_standard - pd.Timedelta(hours=ahead)
    fits_summer = np.abs(_offsets_h(site, as_summer) - standard_h - ahead) < 0.01
    # The repeated hour: its first writing is summer time; a file that has it once has the later one.
    second = stamps.duplicated(keep="first")
    first_of_two = stamps.duplicated(keep="last") & ~second
    summer = fits_summer & (~fits_standard | first_of_two)
    moved = pd.DatetimeIndex(np.where(summer, stamps - pd.Timedelta(hours=ahead), stamps))
    return moved, fits_standard | fits_summer
