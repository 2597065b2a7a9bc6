"""Weather years out of climate statistics: days first, then the hours within them.

A day's clearness is drawn from the site's monthly quantiles along a chain of normal scores (first-order
persistence plus, in persistent climates, a slow part); the hours scatter around the day and add up to it
exactly. A screening source: ``weather/README.md`` says what it reproduces and what not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pvlib.atmosphere import alt2pres

from sitedesign.util.compiled import njit
from sitedesign.util.gate import FLAG, Measure, OneOf, takes
from sitedesign.util.pairwise import pairwise_sum
from sitedesign.util.words import count
from sitedesign.weather.clear_sky import clear_sky, direct_normal
from sitedesign.weather.clearness import chain, persistence
from sitedesign.weather.climate.stations import SCORES, SiteClimate, daily_from_months, site_climate
from sitedesign.weather.climate.wind import wind_climate
from sitedesign.weather.low_resource import worst_means_kwh_m2_day
from sitedesign.weather.site import Site
from sitedesign.weather.solar_geometry import DAYS_PER_YEAR, FloatArray, SolarGeometry, solar_geometry
from sitedesign.weather.years import WeatherSource, WeatherYears

STEPS_MINUTES = (5, 10, 15, 30, 60)
WIND_M_S = 3.0
MOST_YEARS = 10_000

# Deviation of the hourly clear-sky index from the day's mean at seven SURFRAD stations, by daily Kt.
_KT_CENTRES = np.array([0.10, 0.20, 0.30, 0.40, 0.50, 0.60, 0.70, 0.80])
_HOURLY_SD = np.array([0.09, 0.16, 0.22, 0.25, 0.25, 0.20, 0.11, 0.06])
_BRIGHT_HOURS = 10
_HOURLY_LAG1 = np.array([0.55, 0.52, 0.57, 0.59, 0.58, 0.52, 0.39, 0.27])

# Exponent of the lognormal that gives the deviations the skewness of 18 years at Colusa and one at Table
# Mountain (2.1, 1.2, 0.6, 0.1, -0.4, -0.9, -2.1, -2.4): bright gaps on dark days, passing clouds on bright
# ones.
_HOURLY_SKEW = np.array([0.55, 0.38, 0.20, 0.03, -0.13, -0.29, -0.55, -0.62])


_DAY_OVER_CLEAR = 1.20  # largest day against a cloudless one; a guard, met by hardly any day
_STEP_OVER_CLEAR = 1.10  # largest hour; shorter steps see more enhancement at cloud edges
_SHORT_STEP_OVER_CLEAR = 1.25
_LEAST_OF_DAY = 0.10  # darkest step against the day's mean clear-sky index
_DIFFUSE_LEAST = 0.04  # of global: the blue sky
_DNI_OVER_CLEAR = 1.10  # the turbidity map is a monthly mean: clean days are clearer
_WARMEST_SOLAR_H = 15.0
_LEAST_RANGE_C = 1.0


@dataclass(frozen=True, eq=False)
class _Days:
    """Daily draws, each of shape (years, 365)."""

    kt: FloatArray
    temp_mean_c: FloatArray
    temp_range_c: FloatArray


@takes(
    "generate()",
    years=Measure("", 1, MOST_YEARS, whole=True, says=f"must be a whole number from 1 to {MOST_YEARS:,}"),
    seed=Measure("", 0, 2**53, whole=True, says="must be a whole number, not negative"),
    step_minutes=OneOf(STEPS_MINUTES, "minutes"),
    wind=FLAG,
)
def generate(
    site: Site, years: int = 20, seed: int = 0, step_minutes: int = 60, *, wind: bool = False
) -> WeatherYears:
    """Generate weather years from embedded climate statistics.

    The first years of a longer run are those of a shorter one, and the days are the same at every step
    length. Sites share the random numbers of a seed, so that they can be compared.

    Parameters
    ----------
    site : Site
    years : int
        1 to 10,000.
    seed : int
        Not negative.
    step_minutes : int
        5, 10, 15, 30 or 60. [min]
    wind : bool
        Whether to add the wind aloft of these years; the sun is the same with and without.

    Returns
    -------
    WeatherYears
        Daily sums are clearness times extraterrestrial irradiation; ``ghi = dhi + dni cos(apparent zenith)``
        with the zenith of :func:`~sitedesign.weather.solar_geometry.solar_geometry`.

    Raises
    ------
    InputError
        If an argument is out of range or the site has no climate data, or no wind climate for `wind`.
    """
    from sitedesign.weather.generate_wind import generate_wind, wind_notes

    if wind:
        wind_climate(site)  # where there is none, that is what to say first
    climate = site_climate(site)
    sun = solar_geometry(site, step_minutes)
    clear_ghi, clear_dni = clear_sky(site, sun)
    *daily_streams, hourly = np.random.SeedSequence(seed).spawn(5)
    days = _draw_days(climate, _daily(sun, clear_ghi) / _daily(sun, sun.ghi_extra_w_m2), years, daily_streams)
    ghi = _steps_of_days(days.kt, sun, clear_ghi, np.random.Generator(np.random.PCG64(hourly)))
    dni, dhi = _direct_and_diffuse(ghi, sun, clear_dni, float(alt2pres(site.elevation_m)))
    temp = _steps_of_temperature(days, sun)
    aloft = generate_wind(site, years, seed, step_minutes) if wind else None
    source = WeatherSource(
        kind="generated",
        description=f"{count(years, 'year')} generated from climate statistics (screening), seed {seed}",
        seed=seed,
        notes=(*_notes(climate, ghi, step_minutes), *(wind_notes(site, aloft, ghi) if aloft else ())),
    )
    return WeatherYears(
        site=site, step_minutes=step_minutes, years=tuple(range(1, years + 1)), ghi_w_m2=ghi, dni_w_m2=dni,
        dhi_w_m2=dhi, temp_air_c=temp, wind_speed_m_s=np.full_like(ghi, WIND_M_S),
        utc_offset_h=site.utc_offset_h, source=source, sun_offset_minutes=step_minutes / 2,
        wind_aloft=aloft,
    )  # fmt: skip


def _daily(sun: SolarGeometry, values: FloatArray) -> FloatArray:
    """Daily sums of a step series of one year, shape (365,)."""
    daily: FloatArray = values.reshape(DAYS_PER_YEAR, sun.steps_per_day).sum(axis=1)
    return daily


def daily_temperature_c(site: Site, years: int, seed: int, step_minutes: int = 60) -> FloatArray:
    """Mean temperature of every day of the years that :func:`generate` gives, at a small part of its work.

    Parameters
    ----------
    site, years, seed, step_minutes
        As for :func:`generate`.

    Returns
    -------
    ndarray, shape (years, 365)
        [degrees C]
    """
    sun, climate = solar_geometry(site, step_minutes), site_climate(site)
    *daily_streams, _ = np.random.SeedSequence(seed).spawn(5)
    mean_c, range_c = _draw_temperature(climate, _draw_chains(climate, years, daily_streams))
    before, after = _shares_of_neighbours(sun.steps_per_day)
    shares = np.array([before, 1 - before - after, after])
    # Of the day before, the day itself and the day after: of means, and of the course between them
    of_mean = shares.mean(axis=1)
    of_range = _diurnal_shape(sun).reshape(DAYS_PER_YEAR, -1) @ shares.T / (2 * sun.steps_per_day)
    days = np.arange(years * DAYS_PER_YEAR)
    near = np.clip(days + np.array([[-1], [0], [1]]), 0, days.size - 1)
    swing = (of_range[days % DAYS_PER_YEAR].T * range_c.ravel()[near]).sum(axis=0)
    found: FloatArray = (of_mean @ mean_c.ravel()[near] + swing).reshape(years, DAYS_PER_YEAR)
    return found


class _Chains(NamedTuple):
    """What the draws of the days are made of: normal scores of clearness, shocks, shape (years, 365) each."""

    scores: FloatArray
    clear_shock: FloatArray
    warm_shock: FloatArray
    range_shock: FloatArray


def _draw_chains(climate: SiteClimate, years: int, streams: list[np.random.SeedSequence]) -> _Chains:
    """Draw the shocks of every day, and the scores of its clearness."""
    shocks = [
        np.random.Generator(np.random.PCG64(s)).standard_normal((years, DAYS_PER_YEAR)) for s in streams
    ]
    clear_shock, slow_shock, warm_shock, range_shock = shocks
    found = persistence(climate)
    slow = found.slow_share
    fast_scores = chain(clear_shock, found.fast_lag1)
    scores = np.sqrt(1 - slow) * fast_scores + np.sqrt(slow) * chain(slow_shock, found.slow_lag1)
    return _Chains(scores, clear_shock, warm_shock, range_shock)


def _draw_days(
    climate: SiteClimate, clear_kt: FloatArray, years: int, streams: list[np.random.SeedSequence]
) -> _Days:
    """Draw clearness, mean temperature and temperature range of every day."""
    chains = _draw_chains(climate, years, streams)
    kt = np.minimum(_clearness(chains.scores, climate), _DAY_OVER_CLEAR * clear_kt)
    return _Days(kt, *_draw_temperature(climate, chains))


def _draw_temperature(climate: SiteClimate, drawn: _Chains) -> tuple[FloatArray, FloatArray]:
    """Mean temperature and temperature range of every day, shape (years, 365) each."""
    found = persistence(climate)
    slow, fast_lag1 = found.slow_share, found.fast_lag1
    weather = {name: daily_from_months(values) for name, values in climate.temperature.items()}
    warm_lag1 = np.clip(weather["temp_anom_lag1"], 0, 0.95)
    # Shared shocks give the wanted correlation of the two chains: their covariance is r / (1 - a b) times
    # both sds.
    wanted = weather["corr_temp_ghi"] / np.sqrt(1 - slow)
    shared = wanted * (1 - warm_lag1 * fast_lag1) / np.sqrt((1 - warm_lag1**2) * (1 - fast_lag1**2))
    shared = np.clip(shared, -0.95, 0.95)
    warm_scores = chain(shared * drawn.clear_shock + np.sqrt(1 - shared**2) * drawn.warm_shock, warm_lag1)
    temp_mean = weather["temp_mean_c"] + weather["temp_anom_sd_c"] * warm_scores
    follow = np.clip(weather["corr_range_ghi"], -0.95, 0.95)
    range_scores = follow * drawn.scores + np.sqrt(1 - follow**2) * drawn.range_shock
    temp_range = weather["diurnal_range_mean_c"] + weather["diurnal_range_sd_c"] * range_scores
    return temp_mean, np.maximum(temp_range, _LEAST_RANGE_C)


def _clearness(scores: FloatArray, climate: SiteClimate) -> FloatArray:
    """Daily clearness index at normal scores, by each day's own quantile function, shape (years, 365)."""
    quantiles = daily_from_months(climate.kt_quantiles)
    slopes = np.diff(quantiles, axis=1) / np.diff(SCORES)
    # All days at once, as np.interp does it day by day
    part = np.clip(np.searchsorted(SCORES, scores, side="right") - 1, 0, len(SCORES) - 2)
    day = np.arange(DAYS_PER_YEAR)
    inside = slopes[day, part] * (scores - SCORES[part]) + quantiles[day, part]
    below = np.where(scores < SCORES[0], quantiles[:, 0], inside)
    found: FloatArray = np.where(scores >= SCORES[-1], quantiles[:, -1], below)
    return found


def _steps_of_days(
    kt: FloatArray, sun: SolarGeometry, clear_ghi: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Global irradiance of all steps whose sums are exactly the days', shape (years, steps_per_year). [W/m2]

    The clear-sky index scatters around the day's mean as a first-order chain; the day is then rescaled, steps
    that meet their bound staying there.
    """
    years, steps = kt.shape[0], sun.steps_per_day
    clear = clear_ghi.reshape(DAYS_PER_YEAR, steps)
    extra_day = _daily(sun, sun.ghi_extra_w_m2)
    clear_day = np.maximum(clear.sum(axis=1), 1e-9)
    index = kt * extra_day / clear_day
    scatter, sd = _scatter(kt, sun.step_minutes, rng)
    enhanced = _STEP_OVER_CLEAR + (_SHORT_STEP_OVER_CLEAR - _STEP_OVER_CLEAR) * (1 - sun.step_minutes / 60)
    most = np.maximum(enhanced, 1.05 * index)
    ghi = np.empty_like(scatter)
    room = np.empty((2, steps))
    _rescaled(scatter, sd, clear, clear_day, index, most, kt * extra_day, ghi, room[0], room[1])
    return ghi.reshape(years, -1)


@njit(cache=True, nogil=True, _nrt=False)
def _rescaled(
    scatter: FloatArray,
    sd: FloatArray,
    clear: FloatArray,
    clear_day: FloatArray,
    index: FloatArray,
    most: FloatArray,
    target: FloatArray,
    ghi: FloatArray,
    limit: FloatArray,
    part: FloatArray,
) -> None:
    """Global irradiance of the steps of every day: `scatter` times `sd` around `index`, of the sum `target`.

    Shapes (years, 365, steps), (365, steps), (365,) and (years, 365); `most` is of the clear-sky index;
    `limit` and `part` are room for a day.
    """
    steps = scatter.shape[2]
    for year in range(scatter.shape[0]):
        for day in range(scatter.shape[1]):
            own, sky, wanted = ghi[year, day], clear[day], target[year, day]
            level, highest = index[year, day], most[year, day]
            for t in range(steps):
                own[t] = scatter[year, day, t] * sd[year, day]
                part[t] = own[t] * sky[t]
            mean = pairwise_sum(part) / clear_day[day]
            for t in range(steps):
                own[t] = min(max(level + (own[t] - mean), _LEAST_OF_DAY * level), highest) * sky[t]
                limit[t] = highest * sky[t]
            for _ in range(30):
                if abs(pairwise_sum(own) - wanted) <= 1e-9 * max(wanted, 1e-9):
                    break
                for t in range(steps):
                    part[t] = 0.0 if own[t] >= limit[t] else own[t]
                free = pairwise_sum(part)
                for t in range(steps):
                    part[t] = limit[t] if own[t] >= limit[t] else 0.0
                scale = (wanted - pairwise_sum(part)) / max(free, 1e-12)
                for t in range(steps):
                    own[t] = limit[t] if own[t] >= limit[t] else min(own[t] * scale, limit[t])


def _scatter(kt: FloatArray, step_minutes: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Deviations of the clear-sky index from the day's mean, shape (years, 365, steps_per_day), and their sd.

    First-order chains within each day. At steps below an hour the chain is the one whose hourly means have
    the table's standard deviation and lag-1 correlation.
    """
    years, _ = kt.shape
    steps = 24 * 60 // step_minutes
    lag1_table, sd_table = _chain_for_step(step_minutes)
    lag1 = np.interp(kt, _KT_CENTRES, lag1_table)
    sd = np.interp(kt, _KT_CENTRES, sd_table)
    fresh = np.sqrt(1 - lag1**2)
    # Year by year and step by step: a shorter run draws the same numbers as the start of a longer one.
    chain = rng.standard_normal((years, DAYS_PER_YEAR, steps))
    bend = np.interp(kt, _KT_CENTRES, _HOURLY_SKEW)
    bend = np.where(np.abs(bend) < 0.02, 0.02, bend)
    _bent_chain(chain, lag1, fresh, bend)
    np.expm1(chain, out=chain)
    return chain, sd * np.sign(bend) / np.sqrt(np.expm1(bend**2))


@njit(cache=True, nogil=True, _nrt=False)
def _bent_chain(chain: FloatArray, lag1: FloatArray, fresh: FloatArray, bend: FloatArray) -> None:
    """Make chains of shocks within days, then the exponents of their lognormals."""
    for year in range(chain.shape[0]):
        for day in range(chain.shape[1]):
            keep, new, times = lag1[year, day], fresh[year, day], bend[year, day]
            half, state = times * times / 2, chain[year, day, 0]
            chain[year, day, 0] = times * state - half
            for step in range(1, chain.shape[2]):
                state = chain[year, day, step] * new + keep * state
                chain[year, day, step] = times * state - half


def _chain_for_step(step_minutes: int) -> tuple[FloatArray, FloatArray]:
    """Lag-1 correlation and sd of the chain at the given step, by daily Kt.

    The table is about hourly means less the day's mean; the chain is longer-lived and wider than that by what
    the mean over an hour and the subtraction of the mean over a day of ten bright hours take away.
    """
    lag = np.linspace(0.01, 0.9995, 4000)
    count = 60 // step_minutes
    hour_variance = _variance_of_mean(lag, count)
    hour_lag1 = lag * ((1 - lag**count) / (1 - lag)) ** 2 / count**2 / hour_variance
    day_share = _variance_of_mean(lag, count * _BRIGHT_HOURS) / hour_variance
    seen_lag1 = (hour_lag1 - day_share) / (1 - day_share)
    step_lag1 = np.interp(_HOURLY_LAG1, seen_lag1, lag)
    seen_variance = np.interp(step_lag1, lag, hour_variance * (1 - day_share))
    return step_lag1, _HOURLY_SD / np.sqrt(seen_variance)


def _variance_of_mean(lag1: FloatArray, count: int) -> FloatArray:
    """Variance of the mean of `count` values of unit first-order chains."""
    total = lag1 / (1 - lag1) * (count - (1 - lag1**count) / (1 - lag1))
    variance: FloatArray = (count + 2 * total) / count**2
    return variance


def _cos_apparent(sun: SolarGeometry) -> FloatArray:
    """Cosine of the apparent zenith, at least 0, shape (steps_per_year,)."""
    return np.maximum(np.cos(np.radians(sun.apparent_zenith_deg)), 0)


def _direct_and_diffuse(
    ghi: FloatArray, sun: SolarGeometry, clear_dni: FloatArray, pressure_pa: float
) -> tuple[FloatArray, FloatArray]:
    """Direct normal and diffuse irradiance of all steps: DISC, within what the sky can hold. [W/m2]"""
    lit = np.flatnonzero(sun.is_day)
    share, ghi_lit = sun.daylight_fraction[lit], np.take(ghi, lit, axis=1)
    found = direct_normal(ghi_lit / share, sun.zenith_deg[lit], sun.dni_extra_w_m2[lit], pressure_pa)
    dni, dhi = np.zeros_like(ghi), np.empty_like(ghi)
    _held(ghi, found, lit, share, _cos_apparent(sun), _DNI_OVER_CLEAR * clear_dni, dni, dhi)
    return dni, dhi


@njit(cache=True, nogil=True, _nrt=False)
def _held(
    ghi: FloatArray,
    found: FloatArray,
    lit: NDArray[np.int64],
    share: FloatArray,
    cos_apparent: FloatArray,
    most: FloatArray,
    dni: FloatArray,
    dhi: FloatArray,
) -> None:
    """Keep direct irradiance within what global and a cloudless sky allow; the rest is diffuse."""
    for year in range(ghi.shape[0]):
        for i in range(lit.size):
            t = lit[i]
            beam_most = (1 - _DIFFUSE_LEAST) * ghi[year, t] / max(cos_apparent[t], 1e-6)
            dni[year, t] = min(min(found[year, i] * share[i], beam_most), most[t])
        for t in range(ghi.shape[1]):
            dhi[year, t] = max(ghi[year, t] - dni[year, t] * cos_apparent[t], 0.0)


def _steps_of_temperature(days: _Days, sun: SolarGeometry) -> FloatArray:
    """Air temperature of all steps, shape (years, steps_per_year). [degrees C]

    The day's mean and range run linearly from noon to noon, so that midnight shows no jump.
    """
    before, after = _shares_of_neighbours(sun.steps_per_day)
    mean, wide = days.temp_mean_c.ravel(), days.temp_range_c.ravel()
    shape = _diurnal_shape(sun)
    found = np.empty((len(days.kt), shape.size))
    _noon_to_noon(mean, wide, before, after, shape, found.reshape(-1))
    return found


def _shares_of_neighbours(steps: int) -> tuple[FloatArray, FloatArray]:
    """Shares of the day before and of the day after in each step of a day, shape (steps_per_day,) each."""
    passed = (np.arange(steps) + 0.5) / steps  # of the day
    return np.clip(0.5 - passed, 0, 1), np.clip(passed - 0.5, 0, 1)


@njit(cache=True, nogil=True, _nrt=False)
def _noon_to_noon(
    mean: FloatArray,
    wide: FloatArray,
    before: FloatArray,
    after: FloatArray,
    shape: FloatArray,
    found: FloatArray,
) -> None:
    """Mean and range on lines between noons, shares of the days before and after given, put together."""
    steps = before.size
    for day in range(mean.size):
        first, last = day - min(day, 1), min(day + 1, mean.size - 1)
        of_year = day * steps % shape.size
        for t in range(steps):
            own = 1 - before[t] - after[t]
            here = mean[day] * own + mean[first] * before[t] + mean[last] * after[t]
            half = (wide[day] * own + wide[first] * before[t] + wide[last] * after[t]) / 2
            found[day * steps + t] = here + half * shape[of_year + t]


@lru_cache(maxsize=4)
def _diurnal_shape(sun: SolarGeometry) -> FloatArray:
    """Course of a day's temperature, range 2, mean 0: coldest at sunrise, warmest at 15 h solar.

    Shape (steps_per_year,).
    """
    steps = sun.steps_per_day
    clock = (np.arange(steps) + 0.5) * 24 / steps
    light = sun.daylight_fraction.reshape(DAYS_PER_YEAR, steps)
    length_h = np.clip(light.sum(axis=1) * 24 / steps, 4, 20)
    weight = np.maximum(sun.ghi_extra_w_m2.reshape(DAYS_PER_YEAR, steps), 1e-9)
    turn = np.exp(2j * np.pi * clock / 24)
    noon_h = np.angle((weight * turn).sum(axis=1)) * 24 / (2 * np.pi) % 24
    since_sunrise = (clock - (noon_h - length_h / 2)[:, None]) % 24
    rise_h = (length_h / 2 + _WARMEST_SOLAR_H - 12)[:, None]
    rising = -np.cos(np.pi * since_sunrise / rise_h)
    # Cooling is quick in the evening and slow before dawn.
    falling = np.cos(np.pi * (np.maximum(since_sunrise - rise_h, 0) / (24 - rise_h)) ** 0.7)
    shape = np.where(since_sunrise < rise_h, rising, falling)
    course: FloatArray = (shape - shape.mean(axis=1, keepdims=True)).ravel()
    return course


def _notes(climate: SiteClimate, ghi: FloatArray, step_minutes: int) -> tuple[str, ...]:
    daily = ghi.reshape(ghi.shape[0], DAYS_PER_YEAR, -1).sum(axis=2) * step_minutes / 60_000
    worst = ", ".join(
        f"{days} days {mean:.2f}" for days, mean in worst_means_kwh_m2_day(daily, (3, 5, 10)).items()
    )
    near = f"nearest station {climate.nearest_station} at {climate.nearest_station_km:.0f} km"
    origin = f"station tables ({near})" if climate.station_share == 1 else (
        f"MERRA-2 statistics, station differences weighted {climate.station_share:.2f} ({near})"
        if climate.station_share > 0
        else "MERRA-2 statistics 2011-2015, corrected by formula; temperature by formula"
    )  # fmt: skip
    return (
        "Screening source: confirm a decision with a measured or satellite record of many years.",
        f"Climate from {origin}.",
        *_level_notes(climate),
        f"Worst means among these years: {worst} kWh/m2/day.",
        f"Wind near the ground is a constant {WIND_M_S:g} m/s.",
    )


def _level_notes(climate: SiteClimate) -> tuple[str, ...]:
    """Say how far the year's irradiation may be off where the stations do not decide it alone."""
    if climate.station_share == 1:
        return ()
    level = climate.level
    near = f"{level.nearest_place} at {level.nearest_place_km:.0f} km"
    if level.is_known:
        return (f"Level of the year taken from {near}: {level.factor - 1:+.0%}; good to about 10 %.",)
    moved = "" if level.factor == 1 else f" (moved by {level.factor - 1:+.0%} towards the nearest, {near})"
    return (
        f"Level of the year not known here{moved}: MERRA-2 is too bright by 12 to 25 % at most reference "
        "places abroad, by 80 % in the Sichuan basin, right in deserts. Confirm it before anything else.",
    )
