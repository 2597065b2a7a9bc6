"""Climate of any land cell: clearness from MERRA-2, levelled abroad, the rest by formula.

The clearness of MERRA-2 (:mod:`sitedesign.weather.climate.merra2`) is too sunny in ways that the formulas
fitted in the United States do not know; near the reference places abroad its level is theirs
(:mod:`sitedesign.weather.climate.level`). Persistence and temperature follow regressions fitted at the 104
stations of ``weather/climate``. Everything here is also what the station tables are interpolated against
(:mod:`sitedesign.weather.climate.stations`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sitedesign.weather.climate.level import Level, level_abroad
from sitedesign.weather.climate.merra2 import (
    LEAST_KT,
    MOST_KT,
    land_share,
    merra2_moments,
    season,
)
from sitedesign.weather.solar_geometry import FloatArray

TEMPERATURE_FIELDS = (
    "temp_mean_c",
    "temp_anom_sd_c",
    "temp_anom_lag1",
    "diurnal_range_mean_c",
    "diurnal_range_sd_c",
    "corr_temp_ghi",
    "corr_range_ghi",
)
# Least squares on the 1,248 station-months against 1, |latitude|/40, cos t, sin t and mean Kt; the last two
# columns are the 2 % and 98 % quantiles of the stations, to which the result is held.
_TEMPERATURE_FITS = {
    "temp_anom_sd_c": (-0.855, 3.866, 1.508, 0.542, 2.127, 1.4, 7.5),
    "temp_anom_lag1": (0.627, 0.041, 0.0, -0.003, 0.082, 0.59, 0.83),
    "diurnal_range_mean_c": (-1.929, 1.746, -0.089, -0.201, 22.724, 6.9, 19.6),
    "diurnal_range_sd_c": (1.683, 2.062, 0.602, 0.269, 0.689, 1.9, 6.3),
    "corr_temp_ghi": (-0.481, 0.062, -0.249, -0.006, 0.878, -0.46, 0.56),
    "corr_range_ghi": (1.068, -0.238, -0.103, -0.026, -0.441, 0.2, 0.8),
}
_LAPSE_C_PER_KM = 4.0  # of stations, valleys and plateaus alike; the free atmosphere's 6.5 overcools plateaus


@dataclass(frozen=True, eq=False)
class WorldClimate:
    """Monthly daily-clearness statistics and temperatures of a place; arrays have shape (12,).

    Attributes
    ----------
    kt_mean, kt_sd : ndarray
        Daily clearness index, corrected.
    persistence : ndarray
        Lag-1 autocorrelation of its normal scores.
    temperature : dict of ndarray
        By :data:`TEMPERATURE_FIELDS`. [degrees C, or -]
    level : Level
        What the reference places abroad have made of the level.
    """

    kt_mean: FloatArray
    kt_sd: FloatArray
    persistence: FloatArray
    temperature: dict[str, FloatArray]
    level: Level


def world_climate(latitude: float, longitude: float, elevation_m: float) -> WorldClimate | None:
    """Climate of a place anywhere on land, without station tables.

    Parameters
    ----------
    latitude, longitude : float
        [degrees]
    elevation_m : float
        [m]

    Returns
    -------
    WorldClimate or None
        None where none of the four surrounding cells holds data (open ocean).
    """
    moments = merra2_moments(latitude, longitude)
    if moments is None:
        return None
    kt_mean, kt_sd = moments
    level = level_abroad(latitude, longitude, elevation_m)
    kt_mean = np.clip(level.factor * kt_mean, LEAST_KT, MOST_KT)
    persistence = persistence_by_formula(kt_mean, kt_sd, latitude)
    drift = _north_atlantic_drift(latitude, longitude)
    temperature = temperature_by_formula(
        latitude, elevation_m, land_share(latitude, longitude), kt_mean, drift
    )
    return WorldClimate(kt_mean, kt_sd, persistence, temperature, level)


def persistence_by_formula(kt_mean: FloatArray, kt_sd: FloatArray, latitude: float) -> FloatArray:
    """Lag-1 autocorrelation of the normal scores of daily Kt, shape (12,).

    Regression on the 1,248 station-months (standard error 0.09); latitude is held to the 25 to 50 degrees of
    the stations, the result to 0.12 .. 0.58.
    """
    phase = season(latitude)
    reach = np.clip(abs(latitude), 25, 50) / 40
    fit = (
        0.409
        + 0.455 * kt_mean
        - 0.413 * kt_sd
        - 0.009 * np.cos(phase)
        - 0.035 * np.sin(phase)
        - 0.245 * reach
    )
    persistence: FloatArray = np.clip(fit, 0.12, 0.58)
    return persistence


def temperature_by_formula(
    latitude: float, elevation_m: float, land_share: float, kt_mean: FloatArray, drift: float = 0.0
) -> dict[str, FloatArray]:
    """Monthly temperature statistics without stations; means are good to about 5 degrees.

    The annual mean falls with latitude as in North (1975, J. Atmos. Sci. 32, 2033-2043); its level, the lapse
    rate and the seasonal swing against the share of land around are fitted at the stations. `drift` of 1 adds
    the 7 degrees by which western Europe is warmer than its latitude.
    """
    sine = np.sin(np.radians(latitude))
    annual = 16.7 - 28.0 * (3 * sine**2 - 1) / 2 - _LAPSE_C_PER_KM * elevation_m / 1000 + 7.0 * drift
    swing = (3.72 + 15.35 * land_share) * abs(sine) * (1 - 0.45 * drift)
    phase = season(latitude)
    warmest = 2 * np.pi * 6.64 / 12  # 20 July
    found = {"temp_mean_c": annual + swing * np.cos(phase - warmest)}
    reach = np.clip(abs(latitude), 0, 50) / 40
    for name, (one, lat, cos, sin, clear, low, high) in _TEMPERATURE_FITS.items():
        value = one + lat * reach + cos * np.cos(phase) + sin * np.sin(phase) + clear * kt_mean
        found[name] = np.clip(value, low, high)
    return found


def _north_atlantic_drift(latitude: float, longitude: float) -> float:
    """How much of the North Atlantic's warmth a place gets, 0 to 1.

    A bell around 57 N, 5 E, set so that London, Paris and Berlin come out within a degree of their published
    normals (11, 12 and 10 degrees C).
    """
    east = (longitude - 5 + 180) % 360 - 180
    return float(np.exp(-((east / 30) ** 2) - ((latitude - 57) / 15) ** 2))
