"""Climate of a site: daily-clearness quantiles, persistence and temperature by month.

Two sources, one continuous rule. The base is the world's climate (:mod:`sitedesign.resource.climate_world`). Over
and near the United States the *differences* between the stations of ``weather/climate`` and that base are
interpolated and added: fully where the nearest station is within 300 km, fading to nothing at 1,000 km.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import ndtri

from sitedesign.errors import Fault, InputError
from sitedesign.library.files import library_folder
from sitedesign.resource.climate_world import TEMPERATURE_FIELDS, world_climate, world_shape
from sitedesign.resource.sun import MONTH_STARTS, FloatArray, monthly_h0_kwh_m2_day
from sitedesign.site import Site

EARTH_RADIUS_KM = 6371.0
STATION_FULL_KM, STATION_NONE_KM = 300.0, 1000.0
_POWER = 3.0  # of inverse distance; measured against 2, 2.5 and 4 by leaving stations out
_KM_PER_KM_OF_HEIGHT = 200.0  # a kilometre of height counts as 200 km of distance; measured likewise
_SHADED = ("NC_Asheville_8_SSW",)  # reads 13 % below its twin 10 km away: left out of interpolation
_LOWEST_KT, _HIGHEST_KT = 0.02, 0.88
_EXTREME_SCORE = 3.2  # normal score of the smallest and largest of about 560 days

_FRACTION_NAMES = (
    "q0 q0.1 q0.2 q0.5 q1 q2 q5 q10 q15 q20 q25 q30 q35 q40 q45 q50 q55 q60 q65 q70 q75 q80 q85 q90 q95 q98 q99 q100"
).split()
PROBABILITIES: FloatArray = np.array([float(name[1:]) / 100 for name in _FRACTION_NAMES])
SCORES: FloatArray = np.concatenate([[-_EXTREME_SCORE - 0.3], ndtri(PROBABILITIES[1:-1]), [_EXTREME_SCORE]])


@dataclass(frozen=True, eq=False)
class SiteClimate:
    """Everything the generator needs to know of a site; first axis is the month.

    Attributes
    ----------
    kt_quantiles : ndarray, shape (12, 28)
        Daily clearness index at the normal scores :data:`SCORES`; nodes at mid-month for linear interpolation.
    persistence : ndarray, shape (12,)
        Lag-1 autocorrelation of the normal scores.
    temperature : dict of ndarray, shape (12,)
        By name; ``temp_mean_c`` holds nodes at mid-month like `kt_quantiles`.
    station_share : float
        1 where station differences count fully, 0 where only the world's climate is known.
    nearest_station : str
    nearest_station_km : float
        [km]
    """

    kt_quantiles: FloatArray
    persistence: FloatArray
    temperature: dict[str, FloatArray]
    station_share: float
    nearest_station: str
    nearest_station_km: float


@dataclass(frozen=True, eq=False)
class _Stations:
    """Station statistics less the world's climate at the stations; axes (station, month)."""

    names: tuple[str, ...]
    latitude: FloatArray
    longitude: FloatArray
    elevation_m: FloatArray
    kt_mean_excess: FloatArray
    kt_sd_excess: FloatArray
    persistence_excess: FloatArray
    temperature_excess: dict[str, FloatArray]
    shape: FloatArray  # (station, month, probability): standardised quantiles


def site_climate(site: Site) -> SiteClimate:
    """Climate of a site; cached.

    Parameters
    ----------
    site : Site

    Returns
    -------
    SiteClimate

    Raises
    ------
    InputError
        If the point is too far out at sea for any climate data.
    """
    return _site_climate(site.latitude, site.longitude, site.elevation_m)


@lru_cache(maxsize=256)
def _site_climate(latitude: float, longitude: float, elevation_m: float) -> SiteClimate:
    world = world_climate(latitude, longitude, elevation_m)
    if world is None:
        found = f"{latitude:g}, {longitude:g}, where the climate data have only sea"
        remedy = "Choose a point on land, or read or fetch weather for this one."
        raise InputError(
            [Fault("site", found, "must be within about 3 degrees of mapped land", remedy)], "generate()"
        )
    stations = _stations()
    distance_km = _distance_km(latitude, longitude, stations.latitude, stations.longitude)
    nearest = int(distance_km.argmin())
    fade = (STATION_NONE_KM - distance_km[nearest]) / (STATION_NONE_KM - STATION_FULL_KM)
    share = float(np.clip(fade, 0, 1))
    kt_mean, kt_sd, persistence = world.kt_mean, world.kt_sd, world.persistence
    temperature, shape = world.temperature, np.zeros((12, len(PROBABILITIES)))
    if share < 1:
        shape += (1 - share) * world_shape(latitude, longitude, PROBABILITIES)
    if share > 0:
        height_km = (elevation_m - stations.elevation_m) / 1000
        weight = _weights(distance_km, height_km, stations.names)
        kt_mean = kt_mean + share * (weight @ stations.kt_mean_excess)
        kt_sd = kt_sd + share * (weight @ stations.kt_sd_excess)
        persistence = persistence + share * (weight @ stations.persistence_excess)
        temperature = {
            name: world.temperature[name] + share * (weight @ stations.temperature_excess[name])
            for name in TEMPERATURE_FIELDS
        }
        shape += share * np.tensordot(weight, stations.shape, axes=1)
    temperature["temp_mean_c"] = mid_month_nodes(temperature["temp_mean_c"])
    quantiles = _quantiles(mid_month_nodes(kt_mean), mid_month_nodes(kt_sd), shape)
    name = stations.names[nearest]
    return SiteClimate(quantiles, persistence, temperature, share, name, float(distance_km[nearest]))


def mid_month_nodes(monthly_mean: FloatArray) -> FloatArray:
    """Values at mid-month between which linear interpolation has the given monthly means, shape (12,)."""
    nodes: FloatArray = np.linalg.solve(_monthly_mean_of_nodes(), monthly_mean)
    return nodes


def daily_from_months(nodes: FloatArray) -> FloatArray:
    """Values of the 365 days from nodes at mid-month, shape (365, ...)."""
    daily: FloatArray = np.tensordot(_interpolation(), nodes, axes=1)
    return daily


@lru_cache(maxsize=1)
def _interpolation() -> FloatArray:
    """Weights of the twelve mid-month nodes on each day, shape (365, 12)."""
    lengths = np.diff([*MONTH_STARTS, 365])
    middle = np.array(MONTH_STARTS) + lengths / 2
    around = np.concatenate([middle[-1:] - 365, middle, middle[:1] + 365])
    day = np.arange(365) + 0.5
    left = np.searchsorted(around, day, side="right") - 1
    share = (day - around[left]) / (around[left + 1] - around[left])
    weights = np.zeros((365, 12))
    weights[np.arange(365), (left - 1) % 12] += 1 - share
    weights[np.arange(365), left % 12] += share
    return weights


@lru_cache(maxsize=1)
def _monthly_mean_of_nodes() -> FloatArray:
    """Monthly means of the interpolated days as a linear map of the nodes, shape (12, 12)."""
    lengths = np.diff([*MONTH_STARTS, 365])
    means: FloatArray = np.add.reduceat(_interpolation(), MONTH_STARTS, axis=0) / lengths[:, None]
    return means


def _quantiles(kt_mean: FloatArray, kt_sd: FloatArray, shape: FloatArray) -> FloatArray:
    """Quantiles with given mean and sd and the given shape, within physical bounds and rising, shape (12, 28)."""
    centre, spread = _moments(shape)
    standard = (shape - centre[:, None]) / spread[:, None]
    quantiles = kt_mean[:, None] + kt_sd[:, None] * standard
    for _ in range(3):  # clipping the tails moves the moments a little: move them back
        quantiles = np.clip(quantiles, _LOWEST_KT, _HIGHEST_KT)
        centre, spread = _moments(quantiles)
        quantiles = kt_mean[:, None] + (quantiles - centre[:, None]) * (kt_sd / spread)[:, None]
    bounded = np.clip(quantiles, _LOWEST_KT, _HIGHEST_KT)
    rising: FloatArray = np.maximum.accumulate(bounded, axis=1)
    return rising


def _moments(quantiles: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and sd of distributions given at :data:`SCORES`, shape (12,) each."""
    probability = (np.arange(2000) + 0.5) / 2000
    score = ndtri(probability)
    values = np.array([np.interp(score, SCORES, row) for row in quantiles])
    return values.mean(axis=1), values.std(axis=1)


def _distance_km(
    latitude: float, longitude: float, others_lat: FloatArray, others_lon: FloatArray
) -> FloatArray:
    """Great-circle distance (haversine). [km]"""
    phi, others = np.radians(latitude), np.radians(others_lat)
    half_lat = (others - phi) / 2
    half_lon = np.radians(others_lon - longitude) / 2
    inner = np.sin(half_lat) ** 2 + np.cos(phi) * np.cos(others) * np.sin(half_lon) ** 2
    distance: FloatArray = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(inner))
    return distance


def _weights(distance_km: FloatArray, height_km: FloatArray, names: tuple[str, ...]) -> FloatArray:
    """Inverse-distance weights of the stations, height counted as distance; they add to one."""
    apart = np.sqrt(distance_km**2 + (_KM_PER_KM_OF_HEIGHT * height_km) ** 2 + 1.0)
    weight = apart**-_POWER
    weight[[names.index(name) for name in _SHADED]] = 0
    normalised: FloatArray = weight / weight.sum()
    return normalised


@lru_cache(maxsize=1)
def _stations() -> _Stations:
    """Read the station tables and subtract the world's climate."""
    places = _read("us_stations.csv")
    clearness = _read("us_daily_clearness.csv")
    warmth = _read("us_daily_temperature.csv")
    names = tuple(places["station"])
    count = len(names)
    latitude, longitude, elevation = (
        np.array(places[column], dtype=float) for column in ("latitude_deg", "longitude_deg", "elevation_m")
    )

    def by_month(table: dict[str, list[str]], column: str) -> FloatArray:
        return np.array(table[column], dtype=float).reshape(count, 12)

    h0 = np.array([monthly_h0_kwh_m2_day(value) for value in latitude])
    table_kt = by_month(clearness, "kt_mean")
    # The table's Kt rests on Spencer's declination, 0.5 degrees off in spring and autumn: go back to irradiation.
    restated = by_month(clearness, "ghi_mean_kwh_m2_d") / h0 / table_kt
    quantiles = np.stack([by_month(clearness, name) for name in _FRACTION_NAMES], axis=2)
    table_sd = by_month(clearness, "kt_std")
    world = [world_climate(*place) for place in zip(latitude, longitude, elevation, strict=True)]
    base = [item for item in world if item is not None]
    return _Stations(
        names, latitude, longitude, elevation,
        kt_mean_excess=table_kt * restated - np.array([item.kt_mean for item in base]),
        kt_sd_excess=table_sd * restated - np.array([item.kt_sd for item in base]),
        persistence_excess=by_month(clearness, "rho1_normal_score") - np.array([item.persistence for item in base]),
        temperature_excess={
            name: by_month(warmth, name) - np.array([item.temperature[name] for item in base])
            for name in TEMPERATURE_FIELDS
        },
        shape=(quantiles - table_kt[:, :, None]) / table_sd[:, :, None],
    )  # fmt: skip


def _read(name: str) -> dict[str, list[str]]:
    """Columns of a table in ``weather/climate``, as text."""
    with (library_folder("weather") / "climate" / name).open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    return {column: [row[column] for row in rows] for column in rows[0]}
