"""Hourly wind aloft out of climate statistics, tied to the generated days of sun.

Normal scores of the speed are the sum of a chain of days and a short-lived hourly part. What is new in a day
of wind follows in part from what is new in the clearness of the same day and of the day before, so that calm
and dark days come together as often as they do. A screening source: ``weather/README.md`` says what it
reproduces.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.special import gamma, log_ndtr, ndtr, ndtri

from sitedesign.library import wind as library_wind
from sitedesign.util.words import count
from sitedesign.weather.clearness import Persistence, chain, clearness_shocks, persistence
from sitedesign.weather.climate.stations import SiteClimate, daily_from_months, site_climate
from sitedesign.weather.climate.wind import (
    REFERENCE_HEIGHT_M,
    REFERENCE_LOSS_FRACTION,
    REFERENCE_TURBINE,
    SHEAR_EXPONENT,
    WindClimate,
    wind_climate,
)
from sitedesign.weather.farm_curve import as_standard_density, farm_power
from sitedesign.weather.low_resource import worst_means_kwh_m2_day
from sitedesign.weather.site import Site
from sitedesign.weather.solar_geometry import DAYS_PER_YEAR, FloatArray
from sitedesign.weather.wind_aloft import WindAloft, air_density_kg_m3

# Of the seed's children the sun has the first five; its series must not change with the wind.
_DAY_STREAM, _HOUR_STREAM = 5, 6
# Mean and sd of the size of a standard normal number.
_MEAN_SIZE, _SD_SIZE = np.sqrt(2 / np.pi), np.sqrt(1 - 2 / np.pi)
_MOST_EXPLAINED = 0.95
_LEVEL_DAYS, _LEVEL_SCORES = 5, 64  # every fifth day, and scores of equal probability, tell the level to 1e-4
_WARMEST_H = 15.0


def generate_wind(site: Site, years: int, seed: int, step_minutes: int) -> WindAloft:
    """Generate the wind that blows in the years of the generated sun.

    Parameters
    ----------
    site : Site
    years, seed, step_minutes : int
        As for :func:`sitedesign.weather.generate.generate`; the first years of a longer run are those of a
        shorter one.

    Returns
    -------
    WindAloft
        At the hub of the reference farm, whose capacity factor over many years is that of the level table.

    Raises
    ------
    InputError
        If the site has no wind climate.
    """
    climate, sky = wind_climate(site), site_climate(site)
    scores = wind_scores(climate, persistence(sky), years, seed, step_minutes)
    course = relative_course(climate, site, step_minutes)
    shape = _by_step(climate.weibull_k, step_minutes)
    mean = mean_speed_m_s(climate, sky, site)
    # One year more was drawn: the last evening of a short run knows the same tomorrow as in a long one.
    speed = mean * course * _weibull(scores[:years], shape)
    return WindAloft(
        heights_m=(REFERENCE_HEIGHT_M,),
        speed_m_s=speed[None],
        source=f"{count(years, 'year')} generated from wind statistics (screening), seed {seed}",
        shear_exponent=SHEAR_EXPONENT,
    )


def wind_notes(site: Site, wind: WindAloft, ghi_w_m2: FloatArray) -> tuple[str, ...]:
    """Say what to know of generated wind, for the notes of the weather that it belongs to."""
    climate = wind_climate(site)
    reference = library_wind(REFERENCE_TURBINE)
    density = air_density_kg_m3(site.elevation_m + REFERENCE_HEIGHT_M)
    power = farm_power(as_standard_density(wind.speed_m_s[0], density), reference.power_curve)
    mix = (power / power.mean() + ghi_w_m2 / ghi_w_m2.mean()) / 2
    by_day = mix.reshape(len(mix), DAYS_PER_YEAR, -1).mean(axis=2)
    found = worst_means_kwh_m2_day(by_day, (3, 5, 10))
    worst = ", ".join(f"{days} days {mean:.2f}" for days, mean in found.items())
    return (
        f"Worst means of an equal mix of wind and sun among these years: {worst} of its mean.",
        f"Wind at {wind.heights_m[0]:g} m: {wind.speed_m_s.mean():.2f} m/s on average, from NREL's capacity "
        f"factor {climate.net_capacity_factor:.3f} (sd {climate.sd_within_cell:.3f} within a cell, nearest "
        f"cell at {climate.cell_km:.0f} km), chained to the sun's days. Screening source: single years at "
        "single sites differ from it by 0.04 (rms), built farms yield 5 to 15 % less; icing is in the "
        "losses, not in the days.",
    )


def wind_scores(
    climate: WindClimate, sun: Persistence, years: int, seed: int, step_minutes: int
) -> FloatArray:
    """Draw the normal scores of the speed, shape (years + 1, steps)."""
    children = np.random.SeedSequence(seed).spawn(_HOUR_STREAM + 1)
    days = np.random.Generator(np.random.PCG64(children[_DAY_STREAM]))
    hours = np.random.Generator(np.random.PCG64(children[_HOUR_STREAM]))
    fresh = _innovations(climate, sun, clearness_shocks(seed, years + 1), days)
    daily = chain(fresh, climate.day_lag1)
    share = _by_step(climate.day_share, step_minutes)
    slow = _noon_to_noon(daily, climate.day_lag1, step_minutes)
    fast = _hourly_chain(hours, climate.hour_memory_h, years + 1, step_minutes)
    scores: FloatArray = np.sqrt(share) * slow + np.sqrt(1 - share) * fast
    return scores


def _innovations(
    climate: WindClimate, sun: Persistence, shocks: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Draw what is new in each day of wind, of unit variance, shape of `shocks` (years, 365).

    Correlations are wanted between *daily means* of wind and the fast part of clearness; what a day's mean
    sees of the chain follows from the straight lines from noon to noon and from the hourly part.
    """
    lag = climate.day_lag1
    centre, side, spread = _mean_of_day(climate)
    visible = np.sqrt(1 - sun.slow_share)
    same = spread * climate.with_clearness / visible
    before = spread * climate.with_clearness_before / visible
    fast = sun.fast_lag1
    # Two linear equations in the correlations of the chain with today's and yesterday's clearness.
    a11, a12, a21, a22 = centre + side * fast, side, side, centre + side * lag
    determinant = a11 * a22 - a12 * a21
    today = (a22 * same - a12 * before) / determinant
    after = (a11 * before - a21 * same) / determinant
    q = np.sqrt((1 - fast**2) * (1 - lag**2))
    on_today, on_yesterday = (today - fast * after) / q, (after - lag * today) / q
    extremes = np.full(DAYS_PER_YEAR, climate.calm_at_extremes)
    explained = on_today**2 + on_yesterday**2 + extremes**2
    held = np.sqrt(np.minimum(1, _MOST_EXPLAINED / np.maximum(explained, 1e-12)))
    yesterday = np.concatenate([[0.0], shocks.ravel()[:-1]]).reshape(shocks.shape)
    size = (np.abs(shocks) - _MEAN_SIZE) / _SD_SIZE
    known = held * (on_today * shocks + on_yesterday * yesterday - extremes * size)
    rest = np.sqrt(1 - held**2 * explained)
    innovations: FloatArray = known + rest * rng.standard_normal(shocks.shape)
    return innovations


def _mean_of_day(climate: WindClimate) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Weights of a day and of each neighbour in the mean of its hours, and that mean's sd, shape (365,).

    All relative to the slow part alone, whose share is `day_share`.
    """
    lag, share, steps = climate.day_lag1, climate.day_share, 24
    own, other = _weights(steps)
    sd = np.sqrt(own**2 + other**2 + 2 * own * other * lag[:, None])
    half = (np.arange(steps) + 0.5) / steps < 0.5
    centre = (own / sd).mean(axis=1)
    side = np.where(half, other / sd, 0).sum(axis=1) / steps
    slow = centre**2 + 2 * side**2 + 4 * centre * side * lag + 2 * side**2 * lag**2
    keep = np.exp(-1 / climate.hour_memory_h)
    total = keep / (1 - keep) * (steps - (1 - keep**steps) / (1 - keep))
    fast = (steps + 2 * total) / steps**2
    return centre, side, np.sqrt(slow + (1 - share) / share * fast)


def _weights(steps: int) -> tuple[FloatArray, FloatArray]:
    """Weights of a day and of its nearer neighbour on a straight line from noon to noon, shape (steps,)."""
    other = np.abs((np.arange(steps) + 0.5) / steps - 0.5)
    return 1 - other, other


def _noon_to_noon(daily: FloatArray, lag1: FloatArray, step_minutes: int) -> FloatArray:
    """Scores of the steps on straight lines between noons, of unit variance everywhere, (years, steps)."""
    years, steps = daily.shape[0], 24 * 60 // step_minutes
    own, other = _weights(steps)
    flat = daily.ravel()[:, None]
    to_day = np.tile(lag1, years)[:, None]  # with the day before
    half = steps // 2
    out = np.empty((flat.size, steps))
    yesterday = np.concatenate([flat[:1], flat[:-1]])
    tomorrow = np.concatenate([flat[1:], flat[-1:]])
    from_day = np.concatenate([to_day[1:], to_day[:1]])
    for part, neighbour, lag in (
        (slice(0, half), yesterday, to_day),
        (slice(half, steps), tomorrow, from_day),
    ):
        sd = np.sqrt(own[part] ** 2 + other[part] ** 2 + 2 * own[part] * other[part] * lag)
        out[:, part] = (own[part] * flat + other[part] * neighbour) / sd
    return out.reshape(years, -1)


def _hourly_chain(rng: np.random.Generator, memory_h: float, years: int, step_minutes: int) -> FloatArray:
    """First-order chain of hours of unit variance; shorter steps lie on lines between mid-hours."""
    from scipy.signal import lfilter  # half a second, of which an array of panels needs nothing

    keep = np.exp(-1 / memory_h)
    fresh = rng.standard_normal(years * DAYS_PER_YEAR * 24)
    fresh[1:] *= np.sqrt(1 - keep**2)
    hourly: FloatArray = np.asarray(lfilter([1.0], [1.0, -keep], fresh), dtype=np.float64)
    per_hour = 60 // step_minutes
    if per_hour == 1:
        return hourly.reshape(years, -1)
    own, other = _weights(per_hour)
    early = np.arange(per_hour) < per_hour / 2
    before = np.concatenate([hourly[:1], hourly[:-1]])[:, None]
    after = np.concatenate([hourly[1:], hourly[-1:]])[:, None]
    joined: FloatArray = own * hourly[:, None] + other * np.where(early, before, after)
    joined /= np.sqrt(own**2 + other**2 + 2 * own * other * keep)
    return joined.reshape(years, -1)


def relative_course(climate: WindClimate, site: Site, step_minutes: int) -> FloatArray:
    """Mean speed of every step of the year over the year's mean, shape (steps,)."""
    steps = 24 * 60 // step_minutes
    # The table's hours are named by their start: its course at t holds for the hour that begins at t.
    clock_h = (np.arange(steps) + 0.5) * step_minutes / 60 - 0.5
    solar_h = clock_h + site.longitude / 15 - site.utc_offset_h
    turn = 2 * np.pi * solar_h / 24
    waves = np.stack([np.cos(turn), np.sin(turn), np.cos(2 * turn), np.sin(2 * turn)])
    course = climate.relative_speed[:, None] * (1 + climate.harmonics @ waves)
    course = np.maximum(course, 0.05)
    normed: FloatArray = (course / course.mean()).ravel()
    return normed


def _weibull(scores: FloatArray, shape: FloatArray) -> FloatArray:
    """Weibull numbers of mean 1 at normal scores."""
    speed: FloatArray = (-log_ndtr(-scores)) ** (1 / shape) / gamma(1 + 1 / shape)
    return speed


def _by_step(daily: FloatArray, step_minutes: int) -> FloatArray:
    """Repeat values of the days on all steps, shape (steps,)."""
    return np.repeat(daily, 24 * 60 // step_minutes)


def mean_speed_m_s(climate: WindClimate, sky: SiteClimate, site: Site) -> float:
    """Mean speed at 115 m with which the reference farm has the net capacity factor of the table. [m/s]

    Stops by cold are in the table's figure and are made hour by hour from the weather later: they are taken
    into account here, so that they do not count twice.
    """
    turbine = library_wind(REFERENCE_TURBINE)
    days = slice(_LEVEL_DAYS // 2, None, _LEVEL_DAYS)
    course = relative_course(climate, site, 60).reshape(DAYS_PER_YEAR, 24)[days, :, None]
    scores = ndtri((np.arange(_LEVEL_SCORES) + 0.5) / _LEVEL_SCORES)
    spread = _weibull(scores, climate.weibull_k[days, None, None])
    density = air_density_kg_m3(site.elevation_m + REFERENCE_HEIGHT_M)
    per_mean = as_standard_density(course * spread, density)
    runs = 1 - _stopped_by_cold(sky, turbine.low_temperature_stop_c)[days]

    def excess(mean: float) -> float:
        power = farm_power(mean * per_mean, turbine.power_curve).mean(axis=2)
        return float((power * runs).mean()) * (1 - REFERENCE_LOSS_FRACTION) - climate.net_capacity_factor

    return float(brentq(excess, 1.0, 16.0, xtol=1e-4))


def _stopped_by_cold(sky: SiteClimate, stop_c: float) -> FloatArray:
    """Share of time below a temperature, shape (365, 24)."""
    daily = {name: daily_from_months(values) for name, values in sky.temperature.items()}
    shape = np.cos(2 * np.pi * (np.arange(24) + 0.5 - _WARMEST_H) / 24)
    mean = daily["temp_mean_c"][:, None] + daily["diurnal_range_mean_c"][:, None] / 2 * shape
    share: FloatArray = ndtr((stop_c - mean) / np.maximum(daily["temp_anom_sd_c"][:, None], 0.1))
    return share
