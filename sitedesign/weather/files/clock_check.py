"""Measures from the data itself where the sun stood: catches wrong time zones and interval conventions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pvlib.solarposition import equation_of_time_spencer71

FloatArray = NDArray[np.float64]

TOLERANCE_MINUTES = 20.0
"""Larger differences between declared and measured time are flagged: clouds and hills explain less."""


ENOUGH_CLEAR_DAYS = 12
"""Fewer clear days in a year say nothing of its clock."""


def solar_noon_minutes(longitude: float, utc_offset_h: float) -> FloatArray:
    """Clock time of solar noon, shape (365,). [minutes after midnight, local standard time]

    Equation of time after Spencer 1971, within half a minute.
    """
    equation: FloatArray = np.asarray(equation_of_time_spencer71(np.arange(1, 366)), dtype=np.float64)
    return 720 - 4 * (longitude - 15 * utc_offset_h) - equation


def clear_days(ghi: FloatArray, ghi_extra: FloatArray, per_month: int = 4) -> NDArray[np.bool_]:
    """Pick the clearest days by their brightness and smoothness, both blind to any shift of the clock.

    Parameters
    ----------
    ghi : ndarray, shape (days, steps_per_day)
        NaN where missing. [W/m2]
    ghi_extra : ndarray, shape (days,)
        Extraterrestrial, mean of each day. [W/m2]
    per_month : int
        Days to pick out of each run of 30.

    Returns
    -------
    ndarray of bool, shape (days,)
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        kt = ghi.mean(axis=1) / ghi_extra
        rough = np.abs(np.diff(ghi, n=2, axis=1)).sum(axis=1) / ghi.sum(axis=1)
    picked = np.zeros(len(ghi), dtype=bool)
    for start in range(0, len(ghi), 30):
        span = slice(start, start + 30)
        usable = np.flatnonzero(np.isfinite(kt[span]) & np.isfinite(rough[span]))
        if usable.size < per_month:
            continue
        bright = usable[np.argsort(kt[span][usable])[::-1][: 2 * per_month]]
        picked[start + bright[np.argsort(rough[span][bright])[:per_month]]] = True
    clear: NDArray[np.bool_] = picked & (kt > 0.5)
    return clear


def _without_blank_nights(by_day: FloatArray) -> FloatArray:
    """Take hours that a file leaves blank on most days of a month for nights, whatever its clock says."""
    filled = by_day.copy()
    for start in range(0, len(by_day), 30):
        month = filled[start : start + 30]
        blank = np.isnan(month)
        if blank.any():
            month[blank & (blank.mean(axis=0) > 0.8)] = 0.0
    return filled


def _centre_minutes(day: FloatArray, minutes_from_noon: FloatArray) -> float:
    """Where on the clock's circle the light of clear days is, 0 unless it is hours from noon. [min]

    Only so does a clock half a day out show as half a day: there the light stands on both sides of midnight.
    """
    angle = minutes_from_noon * (2 * np.pi / 1440)
    centre = float(np.angle((day * np.exp(1j * angle)).sum())) * 1440 / (2 * np.pi)
    return centre if abs(centre) > 180 else 0.0


def sun_error_minutes(
    ghi: FloatArray, ghi_extra: FloatArray, longitude: float, utc_offset_h: float, sun_offset_minutes: float
) -> FloatArray:
    """How much later than declared the sun stood, year by year. [min]

    The centre of gravity of a clear day's irradiance lies at solar noon, whatever the haze.

    Parameters
    ----------
    ghi : ndarray, shape (years, steps)
        NaN where missing. [W/m2]
    ghi_extra : ndarray, shape (steps,)
        [W/m2]
    longitude, utc_offset_h : float
        [degrees], [h]
    sun_offset_minutes : float
        Declared position of the sun within an interval. [min]

    Returns
    -------
    ndarray, shape (years,)
        Median over the clear days of each year; NaN where there are fewer than 12 of them. Positive: the data
        run behind the declared time.
    """
    days = clear_day_errors(ghi, ghi_extra, longitude, utc_offset_h, sun_offset_minutes)
    errors = np.full(len(ghi), np.nan)
    for row, by_day in enumerate(days):
        known = np.isfinite(by_day)
        if known.sum() >= ENOUGH_CLEAR_DAYS:
            errors[row] = np.median(by_day[known])
    return errors


def clear_day_errors(
    ghi: FloatArray, ghi_extra: FloatArray, longitude: float, utc_offset_h: float, sun_offset_minutes: float
) -> FloatArray:
    """How much later than declared the sun stood on each clear day. [min]

    Parameters are those of :func:`sun_error_minutes`.

    Returns
    -------
    ndarray, shape (years, 365)
        NaN on days that are not clear.
    """
    steps_per_day = ghi.shape[1] // 365
    stamps = np.arange(steps_per_day) * (1440 / steps_per_day) + sun_offset_minutes
    noon = solar_noon_minutes(longitude, utc_offset_h)
    daily_extra = ghi_extra.reshape(365, steps_per_day).mean(axis=1)
    errors = np.full((len(ghi), 365), np.nan)
    for row, series in enumerate(ghi):
        by_day = _without_blank_nights(series.reshape(365, steps_per_day))
        clear = clear_days(by_day, daily_extra)
        if clear.any():
            day = by_day[clear]
            # Distances wrap half a day from where the light is, which may be far from noon.
            centre = _centre_minutes(day, stamps[None, :] - noon[clear, None])
            distance = (stamps[None, :] - noon[clear, None] - centre + 720) % 1440 - 720 + centre
            errors[row, clear] = (day * distance).sum(axis=1) / day.sum(axis=1)
    return errors
