"""Climate of a site: daily-clearness quantiles, persistence and temperature by month.

Two sources, one continuous rule. The base is the world's climate (:mod:`sitedesign.weather.climate.world`).
Over and near the United States the *differences* between the stations of ``weather/climate`` and that base
are interpolated and added: fully where the nearest station is within 300 km, fading to nothing at 1,000 km.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import ndtri

from sitedesign.errors import Fault, InputError
from sitedesign.weather.climate.level import Level
from sitedesign.weather.climate.merra2 import merra2_quantiles
from sitedesign.weather.climate.tables import (
    EARTH_RADIUS_KM,
    FADE_POWER,
    FULL_KM,
    KM_PER_KM_OF_HEIGHT,
    NONE_KM,
    distance_km,
    read_columns,
)
from sitedesign.weather.climate.world import TEMPERATURE_FIELDS, world_climate
from sitedesign.weather.site import Site, _land_timezone
from sitedesign.weather.solar_geometry import MONTH_STARTS, FloatArray, monthly_h0_kwh_m2_day

_KM_PER_LAND_SHARE = 1500.0  # what an inland site is away from a coast with its fog; measured as height is
_COAST_RADII_KM, _COAST_DIRECTIONS = (25.0, 50.0, 100.0), 16
_SHADED = ("NC_Asheville_8_SSW",)  # reads 13 % below its twin 10 km away: left out of interpolation
_LOWEST_KT, _HIGHEST_KT = 0.01, 0.93
_TOP_ROOM = 1.03  # a cloudless day bounds the clearness: bent quantiles stay below 1.03 of the largest
_EXTREME_SCORE = 3.2  # normal score of the smallest and largest of about 560 days

_PERCENTS = "0 0.1 0.2 0.5 1 2 5 10 15 20 25 30 35 40 45 50 55 60 65 70 75 80 85 90 95 98 99 100"
_FRACTION_NAMES = [f"q{percent}" for percent in _PERCENTS.split(" ")]
PROBABILITIES: FloatArray = np.array([float(name[1:]) / 100 for name in _FRACTION_NAMES])
SCORES: FloatArray = np.concatenate([[-_EXTREME_SCORE - 0.3], ndtri(PROBABILITIES[1:-1]), [_EXTREME_SCORE]])


@dataclass(frozen=True, eq=False)
class SiteClimate:
    """Everything the generator needs to know of a site; first axis is the month.

    Attributes
    ----------
    kt_quantiles : ndarray, shape (12, 28)
        Daily clearness index at the normal scores :data:`SCORES`; nodes at mid-month for linear
        interpolation.
    persistence : ndarray, shape (12,)
        Lag-1 autocorrelation of the normal scores.
    temperature : dict of ndarray, shape (12,)
        By name; ``temp_mean_c`` holds nodes at mid-month like `kt_quantiles`.
    station_share : float
        1 where station differences count fully, 0 where only the world's climate is known.
    nearest_station : str
    nearest_station_km : float
        [km]
    level : Level
        What reference places abroad have made of the world's climate here.
    """

    kt_quantiles: FloatArray
    persistence: FloatArray
    temperature: dict[str, FloatArray]
    station_share: float
    nearest_station: str
    nearest_station_km: float
    level: Level


@dataclass(frozen=True, eq=False)
class _Stations:
    """Station statistics less the world's climate at the stations; axes (station, month)."""

    names: tuple[str, ...]
    latitude: FloatArray
    longitude: FloatArray
    elevation_m: FloatArray
    land_share: FloatArray
    kt_mean_excess: FloatArray
    kt_sd_excess: FloatArray
    persistence_excess: FloatArray
    temperature_excess: dict[str, FloatArray]
    kt_quantiles: FloatArray  # the quantiles themselves; axes (station, month, probability)


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
    apart_km = distance_km(latitude, longitude, stations.latitude, stations.longitude)
    nearest = int(apart_km.argmin())
    fade = (NONE_KM - apart_km[nearest]) / (NONE_KM - FULL_KM)
    share = float(np.clip(fade, 0, 1))
    kt_mean, kt_sd, persistence = world.kt_mean, world.kt_sd, world.persistence
    temperature, quantiles = dict(world.temperature), np.zeros((12, len(PROBABILITIES)))
    if share < 1:
        quantiles += (1 - share) * merra2_quantiles(latitude, longitude, PROBABILITIES)
    if share > 0:
        height_km = (elevation_m - stations.elevation_m) / 1000
        inland = land_share_around(latitude, longitude) - stations.land_share
        weight = _weights(apart_km, height_km, inland, stations.names)
        kt_mean = kt_mean + share * (weight @ stations.kt_mean_excess)
        kt_sd = kt_sd + share * (weight @ stations.kt_sd_excess)
        persistence = persistence + share * (weight @ stations.persistence_excess)
        temperature = {
            name: world.temperature[name] + share * (weight @ stations.temperature_excess[name])
            for name in TEMPERATURE_FIELDS
        }
        quantiles += share * np.tensordot(weight, stations.kt_quantiles, axes=1)
    temperature["temp_mean_c"] = mid_month_nodes(temperature["temp_mean_c"])
    nodes = _mid_month_quantiles(_bent(quantiles, kt_mean, kt_sd))
    quantiles = np.maximum.accumulate(np.clip(nodes, _LOWEST_KT, _HIGHEST_KT), axis=1)
    name = stations.names[nearest]
    return SiteClimate(
        quantiles, persistence, temperature, share, name, float(apart_km[nearest]), world.level
    )


def mid_month_nodes(monthly_mean: FloatArray) -> FloatArray:
    """Values at mid-month between which linear interpolation has the given monthly means, shape (12,)."""
    return np.asarray(np.linalg.solve(_monthly_mean_of_nodes(), monthly_mean), dtype=np.float64)


def _mid_month_quantiles(monthly: FloatArray) -> FloatArray:
    """Quantile functions at mid-month between which the days keep the monthly means, shape (12, 28).

    Only the mean is moved so that interpolation returns it. To do the same to each quantile by itself would
    double the noise of the darkest days, of which a month has seen one or two, and darken the worst spells
    of the year by 3 to 5 %: they fall where that noise is most negative.
    """
    mean = monthly @ _mass_of_scores()[0]
    return monthly * (mid_month_nodes(mean) / mean)[:, None]


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


def _bent(quantiles: FloatArray, kt_mean: FloatArray, kt_sd: FloatArray) -> FloatArray:
    """Bend quantile functions to given means and sds without leaving the physical range, shape (12, 28).

    A straight line between the logits of old and new values, found by Newton's method: near the bounds it
    scales where a shift would pile the darkest days up at the bound.
    """
    top = quantiles[:, -1:] * _TOP_ROOM
    logit = _logit(quantiles / top)
    centre = (logit @ _mass_of_scores()[0])[:, None]
    tilt = np.stack([np.zeros(12), np.ones(12)], axis=1)  # offset and factor by month
    wanted = np.stack([kt_mean, kt_sd], axis=1)

    def moments(tilt: FloatArray) -> FloatArray:
        return np.stack(_moments(top * _expit(centre + tilt[:, :1] + tilt[:, 1:] * (logit - centre))), axis=1)

    small = 1e-4
    for _ in range(12):
        now = moments(tilt)
        by_offset = (moments(tilt + np.array([small, 0])) - now) / small
        by_factor = (moments(tilt + np.array([0, small])) - now) / small
        jacobian = np.stack([by_offset, by_factor], axis=2)
        step = np.linalg.solve(jacobian, (wanted - now)[:, :, None])[:, :, 0]
        tilt = tilt + np.clip(step, -0.5, 0.5)
        tilt[:, 1] = np.clip(tilt[:, 1], 0.2, 4.0)
        if np.abs(step).max() < 1e-7:
            break
    return top * _expit(centre + tilt[:, :1] + tilt[:, 1:] * (logit - centre))


def _logit(share: FloatArray) -> FloatArray:
    held = np.clip(share, 1e-3, 1 - 1e-3)
    result: FloatArray = np.log(held / (1 - held))
    return result


def _expit(logit: FloatArray) -> FloatArray:
    result: FloatArray = 1 / (1 + np.exp(-logit))
    return result


def _moments(quantiles: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and sd of distributions given at :data:`SCORES`, shape (12,) each."""
    mass, second_mass = _mass_of_scores()
    mean = quantiles @ mass
    second = np.einsum("mi,ij,mj->m", quantiles, second_mass, quantiles)
    return mean, np.sqrt(np.maximum(second - mean**2, 1e-12))


@lru_cache(maxsize=1)
def _mass_of_scores() -> tuple[FloatArray, FloatArray]:
    """Weights for mean and mean square of a function of a normal score, linear between :data:`SCORES`."""
    score = ndtri((np.arange(20_000) + 0.5) / 20_000)
    hats = np.stack([np.interp(score, SCORES, unit) for unit in np.eye(len(SCORES))])
    return hats.mean(axis=1), hats @ hats.T / score.size


def land_share_around(latitude: float, longitude: float) -> float:
    """Share of land on rings of 25, 50 and 100 km, which tells a coast from the inland behind it."""
    phi = np.radians(latitude)
    angle = 2 * np.pi * np.arange(_COAST_DIRECTIONS) / _COAST_DIRECTIONS
    hits = 0
    for radius_km in _COAST_RADII_KM:
        degrees = np.degrees(radius_km / EARTH_RADIUS_KM)
        north = np.clip(latitude + degrees * np.cos(angle), -90, 90).tolist()
        east = (longitude + degrees * np.sin(angle) / np.cos(phi) + 180) % 360 - 180
        hits += sum(bool(_land_timezone(*point)) for point in zip(north, east.tolist(), strict=True))
    return hits / (len(_COAST_RADII_KM) * _COAST_DIRECTIONS)


def _weights(
    apart_km: FloatArray, height_km: FloatArray, inland: FloatArray, names: tuple[str, ...]
) -> FloatArray:
    """Inverse-distance weights of the stations, height and coast counted as distance; they add to one."""
    apart = apart_km**2 + (KM_PER_KM_OF_HEIGHT * height_km) ** 2 + (_KM_PER_LAND_SHARE * inland) ** 2
    weight = np.sqrt(apart + 1.0) ** -FADE_POWER
    weight[[names.index(name) for name in _SHADED]] = 0
    normalised: FloatArray = weight / weight.sum()
    return normalised


@lru_cache(maxsize=1)
def _stations() -> _Stations:
    """Read the station tables and subtract the world's climate."""
    places = read_columns("us_stations.csv")
    clearness = read_columns("us_daily_clearness.csv")
    warmth = read_columns("us_daily_temperature.csv")
    names = tuple(places["station"])
    count = len(names)
    columns = ("latitude_deg", "longitude_deg", "elevation_m", "land_share")
    latitude, longitude, elevation, land_share = (np.array(places[name], dtype=float) for name in columns)

    def by_month(table: dict[str, list[str]], column: str) -> FloatArray:
        return np.array(table[column], dtype=float).reshape(count, 12)

    h0 = np.array([monthly_h0_kwh_m2_day(value) for value in latitude])
    table_kt = by_month(clearness, "kt_mean")
    # The table's Kt rests on Spencer's declination, 0.5 degrees off in spring and autumn: go back to
    # irradiation.
    restated = by_month(clearness, "ghi_mean_kwh_m2_d") / h0 / table_kt
    quantiles = np.stack([by_month(clearness, name) for name in _FRACTION_NAMES], axis=2)
    table_sd, lag1 = by_month(clearness, "kt_std"), by_month(clearness, "rho1_normal_score")
    world = [world_climate(*place) for place in zip(latitude, longitude, elevation, strict=True)]
    base = [item for item in world if item is not None]
    return _Stations(
        names, latitude, longitude, elevation, land_share,
        kt_mean_excess=table_kt * restated - np.array([item.kt_mean for item in base]),
        kt_sd_excess=table_sd * restated - np.array([item.kt_sd for item in base]),
        persistence_excess=lag1 - np.array([item.persistence for item in base]),
        temperature_excess={
            name: by_month(warmth, name) - np.array([item.temperature[name] for item in base])
            for name in TEMPERATURE_FIELDS
        },
        kt_quantiles=quantiles * restated[:, :, None],
    )  # fmt: skip
