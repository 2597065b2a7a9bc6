"""Climate of any land cell: clearness from MERRA-2 (package ``gsee-climate-data``), the rest by formula.

The clearness of MERRA-2 is too sunny, and is corrected by formulas fitted at 115 stations in the United
States; persistence and temperature follow regressions fitted at the 104 stations of ``weather/climate``.
Everything here is also what the station tables are interpolated against
(:mod:`sitedesign.weather.climate.stations`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import gsee_climate_data
import numpy as np
from numpy.typing import NDArray

from sitedesign.weather.solar_geometry import FloatArray, monthly_h0_kwh_m2_day

_CELL_DEG = 3.0
_MONTH_PHASE = 2 * np.pi * (np.arange(1, 13) - 0.5) / 12
_DESERT_FROM, _DESERT_TO = 0.62, 0.70  # mean Kt of MERRA-2 between which half the raw value is blended in

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
    """

    kt_mean: FloatArray
    kt_sd: FloatArray
    persistence: FloatArray
    temperature: dict[str, FloatArray]


@dataclass(frozen=True, eq=False)
class _Cells:
    """The package's arrays; `land` has shape (lat, lon), the histograms (lat, lon, 12, 128)."""

    land: NDArray[np.bool_]
    bins_w_m2: NDArray[np.float32]
    probability: NDArray[np.float32]
    latitude: FloatArray
    longitude: FloatArray


@lru_cache(maxsize=1)
def _cells() -> _Cells:
    with gsee_climate_data.load() as stored:
        probability, bins = stored["pk"], stored["xk"]
        for array in (probability, bins):  # sea is stored as NaN
            np.copyto(array, 0, where=np.isnan(array))
        land = (probability.sum(axis=3) > 0).all(axis=2)
        return _Cells(land, bins, probability, stored["lat"], stored["lon"])


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
    corners = _land_corners(latitude, longitude)
    if not corners:
        return None
    raw_mean = np.zeros(12)
    raw_sd = np.zeros(12)
    for (row, column), weight in corners:
        mean, sd = _cell_moments(row, column)
        raw_mean += weight * mean
        raw_sd += weight * sd
    kt_mean, kt_sd = corrected_moments(raw_mean, raw_sd, latitude)
    persistence = persistence_by_formula(kt_mean, kt_sd, latitude)
    land_share = _land_share(latitude, longitude)
    drift = _north_atlantic_drift(latitude, longitude)
    temperature = temperature_by_formula(latitude, elevation_m, land_share, kt_mean, drift)
    return WorldClimate(kt_mean, kt_sd, persistence, temperature)


def corrected_moments(
    raw_mean: FloatArray, raw_sd: FloatArray, latitude: float
) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of daily Kt from those of MERRA-2, shape (12,).

    Fitted at 115 stations in the United States (leave-one-out). In deserts, where it runs 1 to 3 % low and
    the raw value 5 % high, half of the raw value is blended in as its mean rises from 0.62 to 0.70.
    """
    phase = _season(latitude)
    cos_t, sin_t = np.cos(phase), np.sin(phase)
    mean = 0.1016 + 0.8640 * raw_mean - 0.0710 * cos_t + 0.0070 * sin_t
    mean += 0.0874 * raw_mean * cos_t - 0.0553 * abs(latitude) / 40
    sd = (
        -0.1426 + 0.5719 * raw_mean - 0.4244 * raw_mean**2 + 0.0149 * cos_t + 0.0042 * sin_t + 0.8858 * raw_sd
    )
    raw_share = 0.5 * np.clip((raw_mean - _DESERT_FROM) / (_DESERT_TO - _DESERT_FROM), 0, 1)
    mean += raw_share * (raw_mean - mean)
    sd += raw_share * (raw_sd - sd)
    return np.clip(mean, 0.12, 0.80), np.clip(sd, 0.03, 0.28)


def persistence_by_formula(kt_mean: FloatArray, kt_sd: FloatArray, latitude: float) -> FloatArray:
    """Lag-1 autocorrelation of the normal scores of daily Kt, shape (12,).

    Regression on the 1,248 station-months (standard error 0.09); latitude is held to the 25 to 50 degrees of
    the stations, the result to 0.12 .. 0.58.
    """
    phase = _season(latitude)
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
    phase = _season(latitude)
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


def world_quantiles(latitude: float, longitude: float, probabilities: FloatArray) -> FloatArray:
    """Quantiles of daily Kt as MERRA-2 has them, shape (12, probabilities).

    Quantile functions of the surrounding land cells, averaged with bilinear weights.
    """
    quantiles = np.zeros((12, len(probabilities)))
    cells = _cells()
    for (row, column), weight in _land_corners(latitude, longitude):
        h0_w_m2 = _cell_h0_w_m2(row)
        for month in range(12):
            mass = cells.probability[row, column, month].astype(float)
            mass /= mass.sum()
            held = mass > 0
            middle = (np.cumsum(mass) - mass / 2)[held]
            bins = cells.bins_w_m2[row, column, month].astype(float)[held]
            quantiles[month] += weight * np.interp(probabilities, middle, bins) / h0_w_m2[month]
    return quantiles


def _season(latitude: float) -> FloatArray:
    """Phase of the middle of each month, shifted by half a year in the southern hemisphere. [rad]"""
    return _MONTH_PHASE + (np.pi if latitude < 0 else 0)


def _land_corners(latitude: float, longitude: float) -> list[tuple[tuple[int, int], float]]:
    """Land cells among the four around a point, with bilinear weights that add to one."""
    cells = _cells()
    across = (longitude - cells.longitude[0]) / _CELL_DEG
    up = np.clip((latitude - cells.latitude[0]) / _CELL_DEG, 0, len(cells.latitude) - 1.001)
    row, column = int(np.floor(up)), int(np.floor(across))
    share_up, share_across = up - row, across - column
    found = []
    for row_step, row_weight in ((0, 1 - share_up), (1, share_up)):
        for column_step, column_weight in ((0, 1 - share_across), (1, share_across)):
            place = (row + row_step, (column + column_step) % len(cells.longitude))
            if cells.land[place] and row_weight * column_weight > 0:
                found.append((place, row_weight * column_weight))
    total = sum(weight for _, weight in found)
    return [(place, weight / total) for place, weight in found]


@lru_cache(maxsize=4096)
def _cell_moments(row: int, column: int) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of daily Kt in a cell as MERRA-2 has it, shape (12,) each."""
    cells = _cells()
    bins = cells.bins_w_m2[row, column].astype(float)
    mass = cells.probability[row, column].astype(float)
    mass /= mass.sum(axis=1, keepdims=True)
    mean = (mass * bins).sum(axis=1)
    sd = np.sqrt(np.maximum((mass * bins**2).sum(axis=1) - mean**2, 0))
    h0_w_m2 = _cell_h0_w_m2(row)
    return mean / h0_w_m2, sd / h0_w_m2


def _cell_h0_w_m2(row: int) -> FloatArray:
    """Monthly extraterrestrial horizontal irradiance of a row of cells, shape (12,). [W/m2]"""
    return monthly_h0_kwh_m2_day(float(np.clip(_cells().latitude[row], -66, 66))) * 1000 / 24


def _land_share(latitude: float, longitude: float) -> float:
    """Share of land in a box 15 degrees high, 21 wide and shifted 6 to the west, whence weather comes."""
    land = _cells().land
    cells = _cells()
    up = np.clip((latitude - cells.latitude[0]) / _CELL_DEG, 0, land.shape[0] - 1)
    across = (longitude - cells.longitude[0]) / _CELL_DEG
    rows = np.clip(np.arange(-2, 3) + up, 0, land.shape[0] - 1)
    columns = np.arange(-5, 2) + across
    return float(np.mean([[_interpolated_land(row, column) for column in columns] for row in rows]))


def _interpolated_land(row: float, column: float) -> float:
    """Bilinear land mask, so that neighbouring sites have neighbouring climates."""
    land = _cells().land
    low_row, low_column = int(np.floor(row)), int(np.floor(column))
    share_row, share_column = row - low_row, column - low_column
    high_row = min(low_row + 1, land.shape[0] - 1)
    left, right = low_column % land.shape[1], (low_column + 1) % land.shape[1]
    lower = (1 - share_column) * land[low_row, left] + share_column * land[low_row, right]
    upper = (1 - share_column) * land[high_row, left] + share_column * land[high_row, right]
    return float((1 - share_row) * lower + share_row * upper)
