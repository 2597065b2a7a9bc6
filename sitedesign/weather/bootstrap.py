"""Extra years from a real record, by stationary block bootstrap with the season kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitedesign.errors import Fault, InputError
from sitedesign.util.gate import Measure, takes
from sitedesign.weather.solar_geometry import DAYS_PER_YEAR, FloatArray, SolarGeometry, solar_geometry
from sitedesign.weather.years import WeatherSource, WeatherYears

FEWEST_YEARS = 6
_MOST_STRETCH = 1.5  # of a step's irradiance when a day is moved in the season; only low sun comes near it
IntArray = NDArray[np.int64]


def _record_faults(given: Mapping[str, Any]) -> list[Fault]:
    """Faults of the record, whatever is drawn from it."""
    weather: WeatherYears = given["weather"]
    faults = []
    count = len(weather.years)
    if weather.source.is_tmy:
        remedy = "A typical year has had its spells removed; read a record of many years."
        faults.append(
            Fault("weather", "a typical meteorological year", "must be a record of real years", remedy)
        )
    elif count < FEWEST_YEARS:
        remedy = "Read or fetch more years, or generate them."
        faults.append(
            Fault("weather.years", f"{count} years", f"must be at least {FEWEST_YEARS} years", remedy)
        )
    return faults


def _whole(low: int, high: int) -> Measure:
    return Measure("", low, high, whole=True, says=f"must be a whole number from {low:,} to {high:,}")


@takes(
    "bootstrap()",
    also=_record_faults,
    years=_whole(1, 10_000),
    seed=_whole(0, 2**53),
    block_days=_whole(1, DAYS_PER_YEAR),
    season_days=_whole(0, DAYS_PER_YEAR // 2),
)
def bootstrap(
    weather: WeatherYears, years: int, seed: int = 0, block_days: int = 15, season_days: int = 10
) -> WeatherYears:
    """Draw years from a record in blocks of whole days (Politis and Romano 1994, doi:10.2307/2290993).

    Block lengths are geometric with mean `block_days`; a block starts in a random year at most `season_days`
    from its new date. Clearness moves with the day: irradiance is scaled by the extraterrestrial irradiance
    of the new date, step by step and then so that the day's clearness is kept. No spell longer than its
    blocks is new.

    Parameters
    ----------
    weather : WeatherYears
        A record of at least 6 years.
    years : int
        Years to draw.
    seed : int
        Not negative. The first years of a longer draw are those of a shorter one.
    block_days : int
        Mean block length. [days]
    season_days : int
        Largest shift in the season, to either side. [days]

    Returns
    -------
    WeatherYears
        Years numbered 1, 2, ...; direct irradiance never makes more than the global.

    Raises
    ------
    InputError
        If the record is a typical year or too short, or an argument is out of range.
    """
    faults = _record_faults({"weather": weather})
    if faults:
        raise InputError(faults, "bootstrap()")
    source_year, source_day = drawn_days(weather.years, years, seed, block_days, season_days)
    sun = solar_geometry(weather.site, weather.step_minutes, weather.utc_offset_h, weather.sun_offset_minutes)
    ghi, stretch = _moved_ghi(weather, sun, source_year, source_day)
    dni = _picked(weather.dni_w_m2, weather, source_year, source_day)
    cos_zenith = np.maximum(np.cos(np.radians(sun.apparent_zenith_deg)), 0)
    dni = np.where(stretch > 0, dni, 0).reshape(years, -1)
    dni = np.minimum(dni, ghi / np.maximum(cos_zenith, 1e-3))
    # The same days: wind and sun of different days would lose the calms that come with the dark.
    wind = weather.wind_aloft and weather.wind_aloft.at(
        lambda series: _picked(series, weather, source_year, source_day).reshape(years, -1)
    )
    source = WeatherSource(
        kind="bootstrap",
        description=f"{years} years drawn from {len(weather.years)} of: {weather.source.description}",
        files=weather.source.files,
        seed=seed,
        notes=(
            f"Stationary block bootstrap, blocks of {block_days} days on average, "
            f"moved by at most {season_days} days in the season.",
            "No spell longer than its blocks is new.",
            *weather.source.notes,
        ),
        flags=weather.source.flags,
        doubts=weather.source.doubts,
    )
    return WeatherYears(
        site=weather.site, step_minutes=weather.step_minutes, years=tuple(range(1, years + 1)), ghi_w_m2=ghi,
        dni_w_m2=dni, dhi_w_m2=ghi - dni * cos_zenith,
        temp_air_c=_picked(weather.temp_air_c, weather, source_year, source_day).reshape(years, -1),
        wind_speed_m_s=_picked(weather.wind_speed_m_s, weather, source_year, source_day).reshape(years, -1),
        utc_offset_h=weather.utc_offset_h, source=source, sun_offset_minutes=weather.sun_offset_minutes,
        wind_aloft=wind,
    )  # fmt: skip


def drawn_days(
    record: tuple[int, ...], years: int, seed: int = 0, block_days: int = 15, season_days: int = 10
) -> tuple[IntArray, IntArray]:
    """Days of a record that :func:`bootstrap` takes with the same arguments, for what else belongs to them.

    Parameters
    ----------
    record : tuple of int
        Calendar years of the record: a block runs on into the next only where there is one.
    years, seed, block_days, season_days : int
        As for :func:`bootstrap`; with no shift in the season every day keeps its date.

    Returns
    -------
    tuple of ndarray of int, shape (years * 365,)
        Row and day of the record for every day drawn.
    """
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))
    return _draw(rng, years, _follows(record), block_days, season_days)


def _follows(years: tuple[int, ...]) -> IntArray:
    """Row of the year after each, or -1 where the record has none, shape (years,)."""
    row = {year: index for index, year in enumerate(years)}
    return np.array([row.get(year + 1, -1) for year in years], dtype=np.int64)


def _draw(
    rng: np.random.Generator, years: int, follows: IntArray, block_days: int, season_days: int
) -> tuple[IntArray, IntArray]:
    """Row and day of the record for every day drawn, shape (years * 365,) each.

    Three numbers a day are drawn whether used or not, so that longer draws begin like shorter ones.
    """
    uniform = rng.random((years * DAYS_PER_YEAR, 3))
    new_block = uniform[:, 0] < 1 / block_days
    new_year = (uniform[:, 1] * len(follows)).astype(np.int64)
    shift = (uniform[:, 2] * (2 * season_days + 1)).astype(np.int64) - season_days
    row, day = np.empty(len(uniform), dtype=np.int64), np.empty(len(uniform), dtype=np.int64)
    for index in range(len(uniform)):
        starts = index == 0 or new_block[index]
        if not starts:
            row[index], day[index] = row[index - 1], day[index - 1] + 1
            if day[index] == DAYS_PER_YEAR:
                row[index], day[index] = follows[row[index]], 0
                starts = row[index] < 0
        if starts:
            row[index] = new_year[index]
            day[index] = (index % DAYS_PER_YEAR + shift[index]) % DAYS_PER_YEAR
    return row, day


def _picked(values: FloatArray, weather: WeatherYears, row: IntArray, day: IntArray) -> FloatArray:
    """Days picked from a series of the record, shape (days drawn, steps_per_day)."""
    by_day = values.reshape(len(weather.years), DAYS_PER_YEAR, weather.steps_per_day)
    picked: FloatArray = by_day[row, day]
    return picked


def _moved_ghi(
    weather: WeatherYears, sun: SolarGeometry, row: IntArray, day: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Global irradiance on the new dates, shape (years, steps_per_year), and each step's stretch by day."""
    extra = sun.ghi_extra_w_m2.reshape(DAYS_PER_YEAR, weather.steps_per_day)
    target_day = np.arange(len(day)) % DAYS_PER_YEAR
    was, now = extra[day], extra[target_day]
    stretch = np.where(was > 0, np.minimum(now / np.maximum(was, 1e-9), _MOST_STRETCH), 0)
    picked = _picked(weather.ghi_w_m2, weather, row, day)
    moved = picked * stretch
    clearness = picked.sum(axis=1) / np.maximum(was.sum(axis=1), 1e-9)
    wanted = clearness * now.sum(axis=1)
    total = moved.sum(axis=1)
    moved *= np.where(total > 0, wanted / np.maximum(total, 1e-9), 0)[:, None]
    return moved.reshape(-1, DAYS_PER_YEAR * weather.steps_per_day), stretch
