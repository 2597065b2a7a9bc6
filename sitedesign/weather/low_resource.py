"""The darkest spells of a record, which are what decides a plant that must not stop."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sitedesign.util.gate import Many, Measure, takes
from sitedesign.weather.solar_geometry import FloatArray
from sitedesign.weather.years import DAYS_PER_YEAR, WeatherYears

_LENGTH = Measure(
    "days", 1, DAYS_PER_YEAR, whole=True, says=f"must be a whole number of days from 1 to {DAYS_PER_YEAR}"
)


@takes(
    "low_resource_periods()",
    days=Many(_LENGTH, "must be a list of days", least=1, most=DAYS_PER_YEAR),
    count=Measure("spells", 1, 10_000, whole=True),
)
def low_resource_periods(
    weather: WeatherYears, days: Sequence[int] = (3, 5, 10), count: int = 1
) -> pd.DataFrame:
    """Darkest spells in the record, not overlapping.

    A spell may run from one year into the next where the next row is the next calendar year (or the next
    generated year), never across a gap in the record.

    Parameters
    ----------
    weather : WeatherYears
    days : sequence of int
        Lengths. [days]
    count : int
        Spells per length.

    Returns
    -------
    DataFrame
        Columns ``days``, ``rank``, ``year`` (of the first day), ``start`` and ``end`` (month-day, both within
        the spell), ``ghi_kwh_m2_day``, ``share_of_season``; fewer than `count` rows a length where the record
        has no room for more.

    Raises
    ------
    InputError
        If a length is not between 1 and 365 days or `count` is not positive.
    """
    columns = ["days", "rank", "year", "start", "end", "ghi_kwh_m2_day", "share_of_season"]
    return pd.DataFrame(darkest_spells(weather, days, count), columns=columns)


def darkest_spells(
    weather: WeatherYears, days: Sequence[int] = (3, 5, 10), count: int = 1
) -> list[dict[str, Any]]:
    """Rows of :func:`low_resource_periods`, for a tenth of the time that a table takes."""
    daily = weather.ghi_daily_kwh_m2
    season = np.tile(daily.mean(axis=0), len(weather.years))
    labels = _labels()
    rows = []
    for length in days:
        means = _running_means(daily, length, _joined(weather))
        for rank in range(1, count + 1):
            first = int(np.nanargmin(means)) if np.isfinite(means).any() else -1
            if first < 0:
                break
            last = first + length - 1
            usual = season[first : last + 1].mean()
            rows.append({
                "days": length,
                "rank": rank,
                "year": weather.years[first // DAYS_PER_YEAR],
                "start": labels[first % DAYS_PER_YEAR],
                "end": labels[last % DAYS_PER_YEAR],
                "ghi_kwh_m2_day": float(means[first]),
                "share_of_season": float(means[first] / usual) if usual > 0 else float("nan"),
            })  # fmt: skip
            means[max(0, first - length + 1) : last + 1] = np.nan
    return rows


@cache
def _labels() -> list[str]:
    """Month and day of each day of a year."""
    return [f"{date(2001, 1, 1) + timedelta(days=day):%m-%d}" for day in range(DAYS_PER_YEAR)]


def worst_means_kwh_m2_day(daily: FloatArray, days: Sequence[int]) -> dict[int, float]:
    """Smallest running mean of daily values per length, years taken to follow each other.

    Parameters
    ----------
    daily : ndarray, shape (years, 365)
        [kWh/m2/day]
    days : sequence of int
        Lengths. [days]

    Returns
    -------
    dict
        Length to smallest mean. [kWh/m2/day]
    """
    joined = np.ones(max(len(daily) - 1, 0), dtype=bool)
    return {length: float(np.nanmin(_running_means(daily, length, joined))) for length in days}


def _joined(weather: WeatherYears) -> NDArray[np.bool_]:
    """Whether each row is followed by its next year, shape (years - 1,)."""
    joined: NDArray[np.bool_] = np.diff(np.array(weather.years, dtype=int)) == 1
    return joined


def _running_means(daily: FloatArray, length: int, joined: NDArray[np.bool_]) -> FloatArray:
    """Mean of `length` days from each, NaN where they would leave the record, shape (years * 365,)."""
    flat = daily.ravel()
    sums = np.concatenate([[0.0], np.cumsum(flat)])
    means = np.full(flat.size, np.nan)
    if length <= flat.size:
        means[: flat.size - length + 1] = (sums[length:] - sums[:-length]) / length
    for row in np.flatnonzero(~joined):
        end = (row + 1) * DAYS_PER_YEAR
        means[end - length + 1 : end] = np.nan
    return means
