"""USCRN daily01 files: measured daily totals, from which hours are made."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sitedesign.weather.clear_sky import clear_sky
from sitedesign.weather.files.formats.source import SourceText
from sitedesign.weather.files.record import WeatherRecord, record_from
from sitedesign.weather.generate import _steps_of_days
from sitedesign.weather.site import Site
from sitedesign.weather.solar_geometry import solar_geometry

FloatArray = NDArray[np.float64]

PYRANOMETER_SCALE = 1.065
"""USCRN pyranometers read 5-8 % low against SURFRAD stations within 1 km (2023-24: ratios 0.923-0.951)."""
_COLUMNS = 28
_FILLER_KT = 0.5  # for missing days, which become NaN again
_WBAN, _DATE, _LONGITUDE, _LATITUDE, _T_MAX, _T_MIN, _T_MEAN, _SOLAR = 0, 1, 3, 4, 5, 6, 7, 10


def recognise(head: str) -> bool:
    """Tell a daily01 file by 28 columns, a station number and a date."""
    fields = head.splitlines()[0].split() if head.strip() else []
    return len(fields) == _COLUMNS and bool(
        re.fullmatch(r"\d{5}", fields[0]) and re.fullmatch(r"\d{8}", fields[1])
    )


def parse(source: SourceText, site: Site | None = None) -> WeatherRecord:  # one signature for all families
    """Read one year of daily totals and make hours that sum to them.

    Irradiation is column 11 [MJ/m2/day], times 1.065; temperature swings between the day's minimum and
    maximum about its mean. -9999 is missing.

    Parameters
    ----------
    source : SourceText
    site : Site, optional
        Not needed.

    Returns
    -------
    WeatherRecord
        Hourly means in local standard time; missing days are NaN.

    Raises
    ------
    InputError
        If the stamps are faulty.
    """
    table = pd.read_csv(source.stream, sep=r"\s+", header=None, dtype={_WBAN: str, _DATE: str})
    dates = pd.to_datetime(table[_DATE], format="%Y%m%d")
    leap_day = (dates.dt.month == 2) & (dates.dt.day == 29)
    table, days = table[~leap_day], pd.DatetimeIndex(dates[~leap_day])
    place = Site(latitude=float(table[_LATITUDE].iloc[0]), longitude=float(table[_LONGITUDE].iloc[0]))
    numbers = table[[_SOLAR, _T_MAX, _T_MIN, _T_MEAN]].astype(np.float64)
    numbers = numbers.where(numbers > -90)
    ghi_kwh = numbers[_SOLAR].to_numpy() * PYRANOMETER_SCALE / 3.6
    seed = (int(table[_WBAN].iloc[0]), int(days.year[0]))
    hours = hours_of_days(ghi_kwh, days, place, seed)
    temp = _hourly_temperature(*(numbers[name].to_numpy() for name in (_T_MAX, _T_MIN, _T_MEAN)))
    index = (days.to_numpy()[:, None] + np.arange(24) * np.timedelta64(1, "h")).ravel()
    data = pd.DataFrame({"ghi": hours.ravel(), "temp_air": temp.ravel()}, index=pd.DatetimeIndex(index))
    return record_from(
        data,
        source.name,
        "USCRN daily01",
        "start",
        place.utc_offset_h,
        words=f"hours made from daily totals, UTC{place.utc_offset_h:+g} all year",
        typical=False,
        latitude=place.latitude,
        longitude=place.longitude,
        utc_offset_h=place.utc_offset_h,
        hourly_texture=False,
        notes=(
            f"USCRN irradiation multiplied by {PYRANOMETER_SCALE}: its pyranometers read 5-8 % low",
            "hours within a day have the generator's cloud texture; the daily totals are the measured ones",
            *(("29 February dropped",) if leap_day.any() else ()),
        ),
    )


def hours_of_days(
    ghi_kwh_m2: FloatArray, days: pd.DatetimeIndex, site: Site, seed: tuple[int, ...]
) -> FloatArray:
    """Spread daily totals over their hours, with the texture of the generator's clouds.

    Parameters
    ----------
    ghi_kwh_m2 : ndarray, shape (days,)
        NaN where missing. [kWh/m2]
    days : DatetimeIndex
        Without 29 February.
    site : Site
    seed : tuple of int
        Same seed, same hours.

    Returns
    -------
    ndarray, shape (days, 24)
        Hourly means that sum to the totals. [W/m2]
    """
    sun = solar_geometry(site, 60)
    row = np.asarray(days.year - days.year[0])
    leap_shift = (days.is_leap_year & (days.month > 2)).astype(int)
    day = np.asarray(days.day_of_year - 1 - leap_shift)
    clearness = np.full((int(row.max()) + 1, 365), _FILLER_KT)
    clearness[row, day] = np.where(np.isnan(ghi_kwh_m2), _FILLER_KT, ghi_kwh_m2 / sun.h0_kwh_m2_day[day])
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))
    by_day = _steps_of_days(clearness, sun, clear_sky(site, sun)[0], rng).reshape(-1, 365, 24)
    hours: FloatArray = np.where(np.isnan(ghi_kwh_m2)[:, None], np.nan, by_day[row, day])
    return hours


def _hourly_temperature(t_max: FloatArray, t_min: FloatArray, t_mean: FloatArray) -> FloatArray:
    """Diurnal cosine with its peak at 15 h, shape (days, 24); the mean of the day is kept. [degrees C]"""
    middle = np.where(np.isnan(t_mean), (t_max + t_min) / 2, t_mean)
    phase = np.cos(2 * np.pi * (np.arange(24) + 0.5 - 15) / 24)
    temp: FloatArray = middle[:, None] + (t_max - t_min)[:, None] / 2 * phase
    return temp
