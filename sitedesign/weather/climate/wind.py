"""Wind climate of a site: how much wind there is, and how it comes and goes.

Two tables of the contiguous United States in ``weather/wind``: the long-term capacity factor of a reference
farm (cells of a quarter degree) and the course of the wind in time (cells of a degree). Nowhere else is there
an open one, and wind cannot be guessed from latitude and season as temperature can: elsewhere is refused.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sitedesign.errors import Fault, InputError
from sitedesign.library.files import library_folder
from sitedesign.weather.climate.stations import daily_from_months
from sitedesign.weather.climate.tables import distance_km
from sitedesign.weather.site import Site, _land_timezone
from sitedesign.weather.solar_geometry import DAYS_PER_YEAR, FloatArray

REFERENCE_TURBINE = "onshore_6mw_170"
"""Of the level table: its hub is where the generated wind blows."""
REFERENCE_HEIGHT_M = 115.0
REFERENCE_LOSS_FRACTION = 0.163
"""Gross over net energy of the level table, stops by cold and ice apart."""
SHEAR_EXPONENT = 0.20
FARTHEST_CELL_KM = 60.0

_NEAREST = 4
_OUTSIDE_KM = 1000.0
_SEASONS = ("djf", "mam", "jja", "son")
_MID_SEASON_DAY = (15.0, 105.0, 196.0, 288.0)  # middle of January, April, July, October
_REMEDY = (
    "Give a file of wind at hub height with the sun of the same years: "
    "sd.Weather.read(sun).with_wind(wind), or leave wind out."
)


@dataclass(frozen=True, eq=False)
class WindClimate:
    """What the generator of wind needs to know of a site; daily arrays have shape (365,).

    Attributes
    ----------
    net_capacity_factor : float
        Of the reference farm, over many years, all losses taken off. [fraction]
    sd_within_cell : float
        Spread of that among the sites of a cell. [fraction]
    cell_km : float
        Distance to the nearest cell of the level table. [km]
    relative_speed : ndarray
        Daily mean speed over the year's.
    weibull_k : ndarray
        Shape of the hourly speeds.
    day_share : ndarray
        Share of the variance of the scores that belongs to whole days.
    day_lag1 : ndarray
        Lag-1 autocorrelation of the chain of days.
    hour_memory_h : float
        Memory of the hourly part. [h]
    with_clearness, with_clearness_before : ndarray, float
        Correlation of a day's wind with the clearness of the same day and of the day before.
    calm_at_extremes : float
        Loading on how far from usual the day's clearness is, whichever way: calm when very dark or bright.
    harmonics : ndarray, shape (365, 4)
        Cosine and sine of the first two harmonics of the course of the day, in local mean solar time.
    """

    net_capacity_factor: float
    sd_within_cell: float
    cell_km: float
    relative_speed: FloatArray
    weibull_k: FloatArray
    day_share: FloatArray
    day_lag1: FloatArray
    hour_memory_h: float
    with_clearness: FloatArray
    with_clearness_before: float
    calm_at_extremes: float
    harmonics: FloatArray


def wind_climate(site: Site) -> WindClimate:
    """Wind climate of a site; cached.

    Parameters
    ----------
    site : Site
        Within 60 km of a cell of the level table: the contiguous United States without their waters.

    Returns
    -------
    WindClimate

    Raises
    ------
    InputError
        Elsewhere, with the remedy: a file.
    """
    return _wind_climate(site.latitude, site.longitude, site.country)


def wind_climate_fault(site: Site) -> Fault | None:
    """Say why there is no wind climate for a site, None where there is one."""
    distance = _apart_km(_level(), site.latitude, site.longitude).min()
    return _place_fault(site.latitude, site.longitude, site.country, float(distance))


@lru_cache(maxsize=256)
def _wind_climate(latitude: float, longitude: float, country: str) -> WindClimate:
    level, time = _level(), _time()
    apart = _apart_km(level, latitude, longitude)
    fault = _place_fault(latitude, longitude, country, float(apart.min()))
    if fault is not None:
        raise InputError([fault], "wind climate")
    factor, spread = _blended(level, apart, ("net_capacity_factor", "sd_within_cell")).tolist()
    apart_time = _apart_km(time, latitude, longitude)

    def monthly(prefix: str) -> FloatArray:
        return _blended(time, apart_time, [f"{prefix}_m{month:02d}" for month in range(1, 13)])

    def seasonal(prefix: str) -> FloatArray:
        return _daily_from_seasons(_blended(time, apart_time, [f"{prefix}_{name}" for name in _SEASONS]))

    memory_h, before, extremes = _blended(time, apart_time, ("tau_h", "corr_kt_prev", "vee")).tolist()
    return WindClimate(
        net_capacity_factor=factor,
        sd_within_cell=spread,
        cell_km=float(apart.min()),
        relative_speed=daily_from_months(monthly("rel")),
        weibull_k=seasonal("k"),
        day_share=seasonal("day_share"),
        day_lag1=seasonal("day_lag1"),
        hour_memory_h=memory_h,
        with_clearness=seasonal("corr_kt"),
        with_clearness_before=before,
        calm_at_extremes=extremes,
        harmonics=np.stack([seasonal(name) for name in ("cos1", "sin1", "cos2", "sin2")], axis=1),
    )


def _place_fault(latitude: float, longitude: float, country: str, cell_km: float) -> Fault | None:
    """Why a place has no wind climate; what lies across a border near a cell has one."""
    at_sea = not _land_timezone(latitude, longitude)
    if cell_km <= FARTHEST_CELL_KM and not at_sea:
        return None
    where = (
        "at sea" if at_sea
        else "abroad" if country not in ("US", "")
        else "in Alaska or Hawaii" if cell_km > _OUTSIDE_KM
        else "where no wind was mapped"
    )  # fmt: skip
    found = f"{latitude:g}, {longitude:g}, {where}: {cell_km:,.0f} km from the nearest cell"
    allowed = (
        f"must be on land and within {FARTHEST_CELL_KM:.0f} km of a cell of the contiguous United States"
    )
    return Fault("site", f"no wind climate for {found}", allowed, _REMEDY)


def _daily_from_seasons(values: FloatArray) -> FloatArray:
    """Values of the 365 days, by straight lines between mid-seasons, shape (365,)."""
    nodes = np.array(
        [_MID_SEASON_DAY[-1] - DAYS_PER_YEAR, *_MID_SEASON_DAY, _MID_SEASON_DAY[0] + DAYS_PER_YEAR]
    )
    around = np.array([values[-1], *values, values[0]])
    daily: FloatArray = np.interp(np.arange(DAYS_PER_YEAR) + 0.5, nodes, around)
    return daily


Table = dict[str, FloatArray]


def _apart_km(table: Table, latitude: float, longitude: float) -> FloatArray:
    """Distances to the cells of a table. [km]"""
    return distance_km(latitude, longitude, table["latitude_deg"], table["longitude_deg"])


def _blended(table: Table, apart_km: FloatArray, columns: list[str] | tuple[str, ...]) -> FloatArray:
    """Values of the nearest cells by inverse squared distance, shape (columns,)."""
    nearest = np.argsort(apart_km, kind="stable")[:_NEAREST]
    weight = 1 / np.maximum(apart_km[nearest], 1.0) ** 2
    values = np.stack([table[name][nearest] for name in columns])
    blended: FloatArray = values @ (weight / weight.sum())
    return blended


@lru_cache(maxsize=1)
def _level() -> Table:
    return _table("us_wind_level.csv")


@lru_cache(maxsize=1)
def _time() -> Table:
    return _table("us_wind_time.csv")


def _table(name: str) -> Table:
    """Columns of a table in ``weather/wind`` as numbers."""
    path = library_folder("weather") / "wind" / name
    with path.open(newline="", encoding="utf-8") as lines:
        names = next(csv.reader(lines))
    values = np.loadtxt(path, delimiter=",", skiprows=1, encoding="utf-8")
    return {column: values[:, place] for place, column in enumerate(names)}
