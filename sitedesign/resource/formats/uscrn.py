"""USCRN daily01 files: measured daily totals, from which hours are made."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sitedesign.resource.formats.record import Record, record_from
from sitedesign.resource.sun import SolarGeometry, solar_geometry
from sitedesign.site import Site

FloatArray = NDArray[np.float64]

PYRANOMETER_SCALE = 1.065
"""USCRN pyranometers read 5-8 % low against SURFRAD stations within 1 km (2023-24: ratios 0.923-0.951)."""
_COLUMNS = 28
_WBAN, _DATE, _LONGITUDE, _LATITUDE, _T_MAX, _T_MIN, _T_MEAN, _SOLAR = 0, 1, 3, 4, 5, 6, 7, 10


def recognise(head: str) -> bool:
    """Tell a daily01 file by 28 columns, a station number and a date."""
    fields = head.splitlines()[0].split() if head.strip() else []
    return len(fields) == _COLUMNS and bool(
        re.fullmatch(r"\d{5}", fields[0]) and re.fullmatch(r"\d{8}", fields[1])
    )


def parse(path: Path, site: Site | None = None) -> Record:  # one signature for all families
    """Read one year of daily totals and make hours that sum to them.

    Irradiation is column 11 [MJ/m2/day], times 1.065; temperature swings between the day's minimum and
    maximum about its mean. -9999 is missing.

    Parameters
    ----------
    path : Path
    site : Site, optional
        Not needed.

    Returns
    -------
    Record
        Hourly means in local standard time; missing days are NaN.

    Raises
    ------
    InputError
        If the stamps are faulty.
    """
    table = pd.read_csv(path, sep=r"\s+", header=None, dtype={_WBAN: str, _DATE: str})
    place = Site(latitude=float(table[_LATITUDE].iloc[0]), longitude=float(table[_LONGITUDE].iloc[0]))
    days = pd.DatetimeIndex(pd.to_datetime(table[_DATE], format="%Y%m%d"))
    numbers = table[[_SOLAR, _T_MAX, _T_MIN, _T_MEAN]].astype(np.float64)
    numbers = numbers.where(numbers > -90)
    geometry = solar_geometry(place, 60)
    ghi_kwh = numbers[_SOLAR].to_numpy() * PYRANOMETER_SCALE / 3.6
    leap_shift = (days.is_leap_year & (days.day_of_year > 59)).astype(int)
    day_of_year = np.asarray(days.day_of_year - 1 - leap_shift)
    seed = int(table[_WBAN].iloc[0]) * 10_000 + int(days.year[0])
    hours, how = hours_of_days(ghi_kwh, day_of_year, geometry, seed)
    temp = _hourly_temperature(*(numbers[name].to_numpy() for name in (_T_MAX, _T_MIN, _T_MEAN)))
    index = (days.to_numpy()[:, None] + np.arange(24) * np.timedelta64(1, "h")).ravel()
    data = pd.DataFrame({"ghi": hours.ravel(), "temp_air": temp.ravel()}, index=pd.DatetimeIndex(index))
    return record_from(
        data,
        path.name,
        "USCRN daily01",
        "start",
        place.utc_offset_h,
        words=f"hours made from daily totals, UTC{place.utc_offset_h:+g} all year",
        typical=False,
        latitude=place.latitude,
        longitude=place.longitude,
        utc_offset_h=place.utc_offset_h,
        hourly_texture=False,
        notes=(f"USCRN irradiation multiplied by {PYRANOMETER_SCALE}: its pyranometers read 5-8 % low", how),
    )


def hours_of_days(
    ghi_kwh_m2: FloatArray, day_of_year: NDArray[np.int64], geometry: SolarGeometry, seed: int
) -> tuple[FloatArray, str]:
    """Spread daily totals over their hours.

    Parameters
    ----------
    ghi_kwh_m2 : ndarray, shape (days,)
        NaN where missing. [kWh/m2]
    day_of_year : ndarray of int, shape (days,)
        0 to 364.
    geometry : SolarGeometry
        Hourly.
    seed : int

    Returns
    -------
    ndarray, shape (days, 24)
        Hourly means that sum to the totals. [W/m2]
    str
        How, for the notes.
    """
    extra = geometry.ghi_extra_w_m2.reshape(365, 24)[day_of_year]
    # Air mass takes more from a low sun, so the day's profile is narrower than outside the atmosphere.
    height = extra / extra.max(axis=1, keepdims=True)
    weight = extra * height**0.15
    share = weight / weight.sum(axis=1, keepdims=True)
    return ghi_kwh_m2[
        :, None
    ] * 1000 * share, "hours within a day follow the sun's height, without passing clouds"


def _hourly_temperature(t_max: FloatArray, t_min: FloatArray, t_mean: FloatArray) -> FloatArray:
    """Diurnal cosine with its peak at 15 h, shape (days, 24); the mean of the day is kept. [degrees C]"""
    middle = np.where(np.isnan(t_mean), (t_max + t_min) / 2, t_mean)
    phase = np.cos(2 * np.pi * (np.arange(24) + 0.5 - 15) / 24)
    temp: FloatArray = middle[:, None] + (t_max - t_min)[:, None] / 2 * phase
    return temp
