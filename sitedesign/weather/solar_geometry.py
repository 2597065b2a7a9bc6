"""Where the sun stands: one 365-day year for a site and a grid, computed once and shared by everybody.

Right ascension, declination and sidereal time come from the NREL solar position algorithm (pvlib's ``spa``)
at one instant a day; between those a cubic spline is as good, so smooth are they. Hour angle, elevation and
azimuth then follow from spherical trigonometry, which makes a year of hours cost about a millisecond.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sitedesign.weather.site import Site

if TYPE_CHECKING:
    from scipy.interpolate import CubicSpline

FloatArray = NDArray[np.float64]

SOLAR_CONSTANT_W_M2 = 1361.0  # Gueymard 2018, doi:10.1016/j.solener.2018.04.001 (1361.1)
REPRESENTATIVE_YEAR = 2013  # one year after a leap year, in the middle of the years that records come from
DAYS_PER_YEAR = 365
MONTH_STARTS = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)  # day of the 365-day year, from 0
_MEAN_TEMPERATURE_C = 12.0  # as in pvlib and SPA; refraction only
_DELTA_T_S = 67.0  # terrestrial minus universal time in 2013; a minute of it moves the sun by 0.0007 degrees


@dataclass(frozen=True, eq=False)
class SolarGeometry:
    """Sun of one 365-day year on a grid; every array has shape (steps_per_year,) and is read-only.

    For means over an interval (`sun_offset_minutes` of half a step) the angles are those at the middle of the
    *sunlit part* of the interval, so that the hours of sunrise and sunset are seen with the sun above the
    horizon. For instants they are those of the instant. At night they are those of the same minute.

    Attributes
    ----------
    step_minutes : int
        [min]
    utc_offset_h : float
        Local standard time minus UTC. [h]
    sun_offset_minutes : float
        [min]
    zenith_deg, apparent_zenith_deg : ndarray
        Without and with atmospheric refraction. [degrees]
    azimuth_deg : ndarray
        Clockwise from north. [degrees]
    dni_extra_w_m2 : ndarray
        Extraterrestrial normal irradiance; not zero at night. [W/m2]
    ghi_extra_w_m2 : ndarray
        Extraterrestrial horizontal irradiance: exact mean over the whole interval for means, value of the
        instant for instants; zero at night. [W/m2]
    daylight_fraction : ndarray
        Share of the interval in which the middle of the sun is above the horizon, refraction left out; 0 or 1
        for instants.
    """

    step_minutes: int
    utc_offset_h: float
    sun_offset_minutes: float
    zenith_deg: FloatArray
    apparent_zenith_deg: FloatArray
    azimuth_deg: FloatArray
    dni_extra_w_m2: FloatArray
    ghi_extra_w_m2: FloatArray
    daylight_fraction: FloatArray

    @property
    def steps_per_day(self) -> int:
        """Steps in a day."""
        return 24 * 60 // self.step_minutes

    @property
    def is_day(self) -> NDArray[np.bool_]:
        """Intervals with any sun above the horizon, shape (steps_per_year,)."""
        day: NDArray[np.bool_] = self.daylight_fraction > 0
        return day

    @property
    def h0_kwh_m2_day(self) -> FloatArray:
        """Daily extraterrestrial horizontal irradiation, shape (365,). [kWh/m2/day]"""
        daily: FloatArray = self.ghi_extra_w_m2.reshape(DAYS_PER_YEAR, -1).sum(axis=1) * (
            self.step_minutes / 60_000
        )
        return daily


def solar_geometry(
    site: Site,
    step_minutes: int = 60,
    utc_offset_h: float | None = None,
    sun_offset_minutes: float | None = None,
    year: int = REPRESENTATIVE_YEAR,
) -> SolarGeometry:
    """Sun of one 365-day year at a site; cached.

    Parameters
    ----------
    site : Site
    step_minutes : int
        A divisor of a day. [min]
    utc_offset_h : float, optional
        Local standard time minus UTC; the site's when left out. [h]
    sun_offset_minutes : float, optional
        Minutes after the start of an interval at which the sun stands; half a step, meaning means over the
        interval, when left out. [min]
    year : int
        Calendar year whose sun is taken for all years (29 February dropped). Between years the sun differs by
        at most half a day, 0.2 degrees of declination at the equinoxes.

    Returns
    -------
    SolarGeometry
        Within 0.01 degrees of pvlib's ``nrel_numpy`` for that year (tested), in a few milliseconds.
    """
    offset = site.utc_offset_h if utc_offset_h is None else float(utc_offset_h)
    sun_offset = step_minutes / 2 if sun_offset_minutes is None else float(sun_offset_minutes)
    return _geometry(site.latitude, site.longitude, site.elevation_m, offset, step_minutes, sun_offset, year)


def monthly_h0_kwh_m2_day(latitude: float) -> FloatArray:
    """Monthly means of daily extraterrestrial horizontal irradiation, shape (12,). [kWh/m2/day]

    With the declination of noon UTC; within 0.1 % of :attr:`SolarGeometry.h0_kwh_m2_day`.
    """
    daily = _daily_h0(round(latitude, 6))
    monthly: FloatArray = np.add.reduceat(daily, MONTH_STARTS) / np.diff([*MONTH_STARTS, DAYS_PER_YEAR])
    return monthly


@lru_cache(maxsize=1024)
def _daily_h0(latitude: float) -> FloatArray:
    """Daily extraterrestrial horizontal irradiation by the integral over the day. [kWh/m2/day]"""
    declination, _, sun_w_m2 = (
        spline(np.arange(DAYS_PER_YEAR) + 0.5) for spline in _sun_of_year(REPRESENTATIVE_YEAR)
    )
    phi = np.radians(latitude)
    sunset = np.arccos(np.clip(-np.tan(phi) * np.tan(declination), -1, 1))
    horizontal = sunset * np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.sin(
        sunset
    )
    daily: FloatArray = 24 / np.pi * sun_w_m2 / 1000 * horizontal
    return daily


@lru_cache(maxsize=16)
def _geometry(
    latitude: float,
    longitude: float,
    elevation_m: float,
    utc_offset_h: float,
    step_minutes: int,
    sun_offset_minutes: float,
    year: int,
) -> SolarGeometry:
    start_d, year_grid = _grid_days(step_minutes, year)
    is_mean = sun_offset_minutes == step_minutes / 2
    utc_d = start_d + sun_offset_minutes / 1440 - utc_offset_h / 24
    declination, equation, sun_w_m2 = (spline(utc_d) for spline in _sun_of_year(year))
    day_fraction = utc_d - np.floor(utc_d)
    hour_angle = (2 * np.pi * day_fraction + np.radians(longitude) + equation) % (2 * np.pi) - np.pi

    sin_product = np.sin(np.radians(latitude)) * np.sin(declination)
    cos_product = np.cos(np.radians(latitude)) * np.cos(declination)
    if is_mean:
        hour_angle, daylight, cos_mean = _sunlit(hour_angle, step_minutes, sin_product, cos_product)
    sin_elevation = np.clip(sin_product + cos_product * np.cos(hour_angle), -1, 1)
    if not is_mean:
        daylight = (sin_elevation > 0).astype(float)
        cos_mean = sin_elevation * daylight
    elevation_deg = np.degrees(np.arcsin(sin_elevation))
    azimuth = np.arctan2(
        -np.cos(declination) * np.sin(hour_angle),
        np.cos(np.radians(latitude)) * np.sin(declination)
        - np.sin(np.radians(latitude)) * np.cos(declination) * np.cos(hour_angle),
    )
    from pvlib.atmosphere import alt2pres

    refraction = _refraction_deg(elevation_deg, float(alt2pres(elevation_m)))
    arrays = {
        "zenith_deg": 90 - elevation_deg,
        "apparent_zenith_deg": 90 - elevation_deg - refraction,
        "azimuth_deg": np.degrees(azimuth) % 360,
        "dni_extra_w_m2": sun_w_m2,
        "ghi_extra_w_m2": sun_w_m2 * cos_mean,
        "daylight_fraction": daylight,
    }
    arrays = {name: np.ascontiguousarray(value[year_grid]) for name, value in arrays.items()}
    for value in arrays.values():
        value.setflags(write=False)
    return SolarGeometry(step_minutes, utc_offset_h, sun_offset_minutes, **arrays)


def _grid_days(step_minutes: int, year: int) -> tuple[FloatArray, NDArray[np.intp]]:
    """Interval starts of a calendar year in days since its 1 January, and the 365-day year within it."""
    steps = 24 * 60 // step_minutes
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = np.arange(366 if leap else 365)
    starts = (days[:, None] + np.arange(steps) / steps).ravel()
    keep = days[days != 59] if leap else days
    grid = (keep[:, None] * steps + np.arange(steps)).ravel()
    return starts, grid


def _sunlit(
    hour_angle: FloatArray, step_minutes: int, sin_product: FloatArray, cos_product: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Middle of the sunlit part, its share of the interval, and the interval's mean of max(cos zenith, 0).

    Between -h0 and h0 the sun is up, with cos h0 = -tan(latitude) tan(declination).
    """
    half = np.pi * step_minutes / 1440
    sunset = np.arccos(np.clip(-sin_product / cos_product, -1, 1))
    # An interval that spans midnight of solar time can hold both an evening and a morning part; at the
    # latitudes served the sun is then down throughout, except close to the polar circles (a small error).
    first = np.maximum(hour_angle - half, -sunset)
    last = np.minimum(hour_angle + half, sunset)
    width = np.maximum(last - first, 0)
    lit = width > 1e-6
    middle = np.where(lit, (first + last) / 2, hour_angle)
    # Whole intervals are exactly 1, which rounding would spoil.
    daylight = np.where(width > 2 * half - 1e-9, 1, np.where(lit, width / (2 * half), 0))
    integral = sin_product * width + cos_product * (np.sin(last) - np.sin(first))
    cos_mean = np.where(lit, np.maximum(integral, 0) / (2 * half), 0)
    return middle, daylight, cos_mean


def _refraction_deg(elevation_deg: FloatArray, pressure_pa: float) -> FloatArray:
    """Refraction while any of the disc is visible; Reda and Andreas 2004, equation 42. [degrees]"""
    scale = (pressure_pa / 101_000) * (283 / (273 + _MEAN_TEMPERATURE_C))
    visible = elevation_deg >= -0.8333
    safe = np.where(visible, elevation_deg, 0)
    bend = scale * 1.02 / (60 * np.tan(np.radians(safe + 10.3 / (safe + 5.11))))
    refraction: FloatArray = np.where(visible, bend, 0)
    return refraction


@lru_cache(maxsize=32)
def _sun_of_year(year: int) -> tuple[CubicSpline, CubicSpline, CubicSpline]:
    """Declination [rad], equation of time [rad], normal irradiance [W/m2] by days since 1 January UTC."""
    from pvlib import spa  # with SciPy half of what a process takes to begin, and not each asks for the sun
    from scipy.interpolate import CubicSpline

    days = np.arange(-3.0, 370.0)
    midnight_s = float(np.datetime64(f"{year}-01-01", "s").astype(np.int64))
    unixtime = midnight_s + days * 86_400
    nothing = (0.0, 0.0, 0.0, 1013.25, _MEAN_TEMPERATURE_C, _DELTA_T_S, 0.5667, 1)
    sidereal, right_ascension, declination = spa.solar_position_numpy(unixtime, *nothing, sst=True)
    distance_au = spa.solar_position_numpy(unixtime, *nothing, esd=True)[0]
    # At 0 h UTC the mean sun stands opposite the Greenwich meridian: hour angle -180 degrees.
    equation = (sidereal - right_ascension + 360) % 360 - 180
    return (
        CubicSpline(days, np.radians(declination)),
        CubicSpline(days, np.radians(equation)),
        CubicSpline(days, SOLAR_CONSTANT_W_M2 / np.asarray(distance_au) ** 2),
    )
