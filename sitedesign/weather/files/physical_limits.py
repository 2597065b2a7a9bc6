"""Compares weather with what the sky over its place can give: brightness, seasons, warmth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pvlib.irradiance import get_extra_radiation
from pvlib.solarposition import declination_spencer71

from sitedesign.errors import Fault, InputError
from sitedesign.weather.clear_sky import clear_sky
from sitedesign.weather.site import Site
from sitedesign.weather.solar_geometry import SolarGeometry

FloatArray = NDArray[np.float64]

BRIGHTNESS_BAND = (0.55, 1.35)
"""Brightest days over a clear sky: a wrong unit or a tilted plane lies outside, no climate does."""
_RUN_DAYS = 30
_BRIGHT = 0.95
_UPPER = 0.75  # of the runs: a season of rain has no bright day
_FEWEST_RUNS = 6
_FEWEST_DAYS = 20
_MISSING_SHARE = 0.3
_TROPIC_DEG = 8.0
"""Nearer to the equator the seasons do not tell the hemispheres apart."""
_SEASON_SPREAD = 0.15
_FARTHEST_CLIMATE_C = 17.0
"""Annual means of stations and of the embedded climate differ by less, on mountains too."""


def brightness(ghi: FloatArray, geometry: SolarGeometry, site: Site) -> FloatArray:
    """Brightest days of each thirty over a cloudless day, whatever the clock says.

    Parameters
    ----------
    ghi : ndarray, shape (years, steps)
        NaN where missing. [W/m2]
    geometry : SolarGeometry
    site : Site

    Returns
    -------
    ndarray, shape (12,)
        NaN where too many days are missing.
    """
    clear = clear_sky(site, geometry)[0].reshape(365, -1).sum(axis=1)
    by_day = np.where(np.isnan(ghi), 0.0, ghi).reshape(len(ghi), 365, -1).sum(axis=2)
    lit = geometry.is_day.reshape(365, -1)
    missing = (np.isnan(ghi).reshape(len(ghi), 365, -1) & lit).sum(axis=2) / lit.sum(axis=1)
    ratio = np.where(missing <= _MISSING_SHARE, by_day / clear, np.nan)
    levels = np.full(12, np.nan)
    for run in range(12):
        days = ratio[:, run * _RUN_DAYS : (run + 1) * _RUN_DAYS]
        known = days[np.isfinite(days)]
        if known.size >= _FEWEST_DAYS:
            levels[run] = np.quantile(known, _BRIGHT)
    return levels


def sky_faults(ghi: FloatArray, geometry: SolarGeometry, site: Site) -> list[Fault]:
    """Say when irradiance is not of this place or not in its unit.

    Parameters
    ----------
    ghi : ndarray, shape (years, steps)
        As given, NaN where missing. [W/m2]
    geometry : SolarGeometry
    site : Site

    Returns
    -------
    list of Fault
    """
    levels = brightness(ghi, geometry, site)
    known = levels[np.isfinite(levels)]
    if known.size < _FEWEST_RUNS:
        return []
    if (fault := _hemisphere_fault(levels, site)) is not None:
        return [fault]
    level = float(np.quantile(known, _UPPER))
    if BRIGHTNESS_BAND[0] <= level <= BRIGHTNESS_BAND[1]:
        return []
    found = f"irradiance whose brightest days are {level:.2f} of a cloudless day at "
    found += f"{site.latitude:g}, {site.longitude:g}"
    low, high = BRIGHTNESS_BAND
    remedy = "Check the unit (power or energy in a step), the place, and that it is on the horizontal."
    return [Fault("irradiance of the files", found, f"must be {low:g} to {high:g} of it", remedy)]


def _hemisphere_fault(levels: FloatArray, site: Site) -> Fault | None:
    """Say when the seasons are those of the other hemisphere."""
    if abs(site.latitude) < _TROPIC_DEG:
        return None
    known = np.isfinite(levels)
    mirrored = levels * _daily_extra(site.latitude) / _daily_extra(-site.latitude)
    here, there = float(np.std(np.log(levels[known]))), float(np.std(np.log(mirrored[known])))
    if here < _SEASON_SPREAD or there > 0.5 * here:
        return None
    found = f"irradiance whose seasons are those of latitude {-site.latitude:g}, not of {site.latitude:g}"
    remedy = "Check the sign of the latitude (south is negative)."
    return Fault("place of the files", found, "the two must agree", remedy)


def _daily_extra(latitude: float) -> FloatArray:
    """Extraterrestrial horizontal irradiation of the middle of each run, any unit, shape (12,)."""
    day = np.arange(12) * _RUN_DAYS + _RUN_DAYS // 2
    declination = np.asarray(declination_spencer71(day), dtype=np.float64)
    phi = np.radians(latitude)
    sunset = np.arccos(np.clip(-np.tan(phi) * np.tan(declination), -1, 1))
    distance = np.asarray(get_extra_radiation(day), dtype=np.float64)
    daily: FloatArray = distance * (
        np.cos(phi) * np.cos(declination) * np.sin(sunset) + sunset * np.sin(phi) * np.sin(declination)
    )
    return daily


def temperature_fault(temp_air: FloatArray, site: Site) -> Fault | None:
    """Say when the mean temperature is far from the climate's: a unit that was not what it was called.

    Parameters
    ----------
    temp_air : ndarray, shape (years, steps)
        NaN where missing. [degrees C]
    site : Site

    Returns
    -------
    Fault or None
        None too where no climate is embedded.
    """
    from sitedesign.weather.climate.stations import site_climate

    if not np.isfinite(temp_air).any():
        return None
    try:
        usual = float(site_climate(site).temperature["temp_mean_c"].mean())
    except InputError:
        return None
    mean = float(np.nanmean(temp_air))
    if abs(mean - usual) <= _FARTHEST_CLIMATE_C:
        return None
    fits = {"degrees F": (mean - 32) / 1.8, "K": mean - 273.15, "degrees C": mean * 1.8 + 32}
    likely = [unit for unit, value in fits.items() if abs(value - usual) <= _FARTHEST_CLIMATE_C / 2]
    found = f"a mean temperature of {mean:.0f} degrees C where the climate has {usual:.0f}"
    remedy = "Check the unit of temperature and the place."
    remedy += f" The values look like {likely[0]}." if likely else ""
    allowed = f"must be within {_FARTHEST_CLIMATE_C:.0f} degrees of the climate's"
    return Fault("temperature of the files", found, allowed, remedy)
