"""How bright the years are far from the stations: the level of reference places abroad.

MERRA-2 lacks cloud where it is low and persistent: over basins, highlands and the maritime middle latitudes.
What the formulas fitted in the United States leave of that is seen at the places of ``level_abroad.csv``, and
taken off around them by the rule of the stations: fully within 300 km, fading to nothing at 1,000 km.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sitedesign.weather.climate.merra2 import merra2_moments
from sitedesign.weather.climate.tables import (
    FADE_POWER,
    FULL_KM,
    KM_PER_KM_OF_HEIGHT,
    NONE_KM,
    distance_km,
    read_columns,
)
from sitedesign.weather.solar_geometry import DAYS_PER_YEAR, MONTH_STARTS, FloatArray, monthly_h0_kwh_m2_day


@dataclass(frozen=True)
class Level:
    """What the reference places say of a place.

    Attributes
    ----------
    factor : float
        On the mean clearness of all months; 1 where no reference place is near.
    nearest_place : str
    nearest_place_km : float
        A kilometre of height counted as 200 km. [km]
    """

    factor: float
    nearest_place: str
    nearest_place_km: float

    @property
    def is_known(self) -> bool:
        """Whether a reference place counts fully."""
        return self.nearest_place_km <= FULL_KM


@dataclass(frozen=True, eq=False)
class _References:
    """Reference places; arrays have shape (places,)."""

    names: tuple[str, ...]
    latitude: FloatArray
    longitude: FloatArray
    elevation_m: FloatArray
    log_excess: FloatArray  # of MERRA-2, corrected, over the reference


def level_abroad(latitude: float, longitude: float, elevation_m: float) -> Level:
    """Level of a place by the reference places around it.

    Parameters
    ----------
    latitude, longitude : float
        [degrees]
    elevation_m : float
        [m]

    Returns
    -------
    Level
    """
    places = _references()
    across_km = distance_km(latitude, longitude, places.latitude, places.longitude)
    up_km = KM_PER_KM_OF_HEIGHT * (elevation_m - places.elevation_m) / 1000
    apart_km = np.hypot(across_km, up_km)
    nearest = int(apart_km.argmin())
    share = float(np.clip((NONE_KM - apart_km[nearest]) / (NONE_KM - FULL_KM), 0, 1))
    weight = np.hypot(apart_km, 1.0) ** -FADE_POWER
    excess = float(weight @ places.log_excess / weight.sum())
    return Level(float(np.exp(-share * excess)), places.names[nearest], float(apart_km[nearest]))


def annual_ghi_kwh_m2(latitude: float, kt_mean: FloatArray) -> float:
    """Irradiation of a year of monthly mean clearness. [kWh/m2]"""
    return float((kt_mean * monthly_h0_kwh_m2_day(latitude)) @ np.diff([*MONTH_STARTS, DAYS_PER_YEAR]))


@lru_cache(maxsize=1)
def _references() -> _References:
    """Read the reference places and compare MERRA-2 with them."""
    table = read_columns("level_abroad.csv")
    columns = ("latitude_deg", "longitude_deg", "elevation_m", "ghi_kwh_m2_year")
    latitude, longitude, elevation, measured = (np.array(table[name], dtype=float) for name in columns)
    found = []
    for lat, lon in zip(latitude.tolist(), longitude.tolist(), strict=True):
        moments = merra2_moments(lat, lon)
        assert moments is not None, "a reference place lies at sea"  # tests read the table
        found.append(annual_ghi_kwh_m2(lat, moments[0]))
    return _References(
        tuple(table["place"]), latitude, longitude, elevation, np.log(np.array(found) / measured)
    )
