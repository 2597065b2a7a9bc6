"""Clearness as MERRA-2 has it anywhere on land (package ``gsee-climate-data``), and its first correction.

MERRA-2 is too sunny; formulas fitted at 115 stations in the United States take off what they can
(:func:`corrected_moments`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import gsee_climate_data
import numpy as np
from numpy.typing import NDArray

from sitedesign.weather.solar_geometry import FloatArray, monthly_h0_kwh_m2_day

_CELL_DEG = 3.0
LEAST_KT, MOST_KT = 0.12, 0.80
"""Of a month's mean, after all corrections."""
_MONTH_PHASE = 2 * np.pi * (np.arange(1, 13) - 0.5) / 12
_DESERT_FROM, _DESERT_TO = 0.62, 0.70  # mean Kt of MERRA-2 between which half the raw value is blended in


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


def merra2_moments(latitude: float, longitude: float) -> tuple[FloatArray, FloatArray] | None:
    """Corrected mean and standard deviation of daily Kt, shape (12,); None where only sea is around."""
    corners = _land_corners(latitude, longitude)
    if not corners:
        return None
    raw_mean = np.zeros(12)
    raw_sd = np.zeros(12)
    for (row, column), weight in corners:
        mean, sd = _cell_moments(row, column)
        raw_mean += weight * mean
        raw_sd += weight * sd
    return corrected_moments(raw_mean, raw_sd, latitude)


def corrected_moments(
    raw_mean: FloatArray, raw_sd: FloatArray, latitude: float
) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of daily Kt from those of MERRA-2, shape (12,).

    Fitted at 115 stations in the United States (leave-one-out). In deserts, where it runs 1 to 3 % low and
    the raw value 5 % high, half of the raw value is blended in as its mean rises from 0.62 to 0.70.
    """
    phase = season(latitude)
    cos_t, sin_t = np.cos(phase), np.sin(phase)
    mean = 0.1016 + 0.8640 * raw_mean - 0.0710 * cos_t + 0.0070 * sin_t
    mean += 0.0874 * raw_mean * cos_t - 0.0553 * abs(latitude) / 40
    sd = (
        -0.1426 + 0.5719 * raw_mean - 0.4244 * raw_mean**2 + 0.0149 * cos_t + 0.0042 * sin_t + 0.8858 * raw_sd
    )
    raw_share = 0.5 * np.clip((raw_mean - _DESERT_FROM) / (_DESERT_TO - _DESERT_FROM), 0, 1)
    mean += raw_share * (raw_mean - mean)
    sd += raw_share * (raw_sd - sd)
    return np.clip(mean, LEAST_KT, MOST_KT), np.clip(sd, 0.03, 0.28)


def merra2_quantiles(latitude: float, longitude: float, probabilities: FloatArray) -> FloatArray:
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


def season(latitude: float) -> FloatArray:
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


def land_share(latitude: float, longitude: float) -> float:
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
