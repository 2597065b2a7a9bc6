"""Does the generator reproduce the records? Every figure of the acceptance list, at seven places.

``python tests/test_weather_acceptance.py`` prints the whole table.

Long records (17 to 20 years, some 550 days a calendar month) are held to the bare limits. Short ones (31 or
62 days a month) are themselves uncertain by more than the limits, so two standard errors of the record are
allowed on top. What is known to fall short is named in ``SHORTFALLS`` and fails the test when it changes, for
better or worse.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sitedesign.weather.clearness import chain, clearness_shocks, persistence
from sitedesign.weather.climate import stations
from sitedesign.weather.climate.world import world_climate
from sitedesign.weather.generate import _clearness, generate
from sitedesign.weather.low_resource import worst_means_kwh_m2_day
from sitedesign.weather.site import Site
from sitedesign.weather.solar_geometry import MONTH_STARTS, monthly_h0_kwh_m2_day, solar_geometry

RECORDS = pd.read_csv(Path(__file__).parent / "data" / "reference_places.csv", comment="#")
PLACES = tuple(RECORDS["place"].unique())
TABLE_PLACES = ("Durham NC", "Muleshoe TX")  # stations of weather/climate themselves
LONG_RECORDS = ("Colusa CA", *TABLE_PLACES)
MONTH_OF_DAY = np.repeat(np.arange(12), np.diff([*MONTH_STARTS, 365]))
YEARS, SPELL_YEARS = 300, 1200

# Months (1 to 12) or spell lengths outside the limits, by place and figure. All but Colusa's February
# and Durham's ten days err on the dark side.
SHORTFALLS: dict[tuple[str, str], tuple[int, ...]] = {
    # Satellite years are smoother than the ground stations that the tables come from.
    ("Amarillo TX", "sd"): (1,),
    ("Colusa CA", "mean"): (2,),
    ("Colusa CA", "sd"): (1, 2, 3, 4, 7, 8, 9, 11),
    ("Colusa CA", "lag1"): (7, 8, 9),
    ("Colusa CA", "dark"): (3, 4),
    ("Colusa CA", "spells"): (3, 5),
    ("Phoenix AZ (TMY)", "sd"): (6, 7, 8),
    # One typical year and one real one: single months of 31 days.
    ("Phoenix AZ (TMY)", "lag1"): (10, 12),
    ("Ector County TX", "lag1"): (12,),
    # Sunny: the last ten days of 2015 were darker than nineteen of twenty generated records of 17 years hold.
    ("Durham NC", "spells"): (10,),
    # 0.10 where 0.08 is allowed.
    ("Muleshoe TX", "lag1"): (12,),
}


@dataclass(frozen=True)
class Compared:
    """Generated against recorded; monthly arrays of shape (12,), spells by length."""

    n_days: np.ndarray
    kt_difference: np.ndarray
    kt_error: np.ndarray
    sd_ratio: np.ndarray
    sd_error: np.ndarray
    lag1_difference: np.ndarray
    lag1_error: np.ndarray
    dark_generated: np.ndarray
    dark_recorded: np.ndarray
    dark_error: np.ndarray
    annual_ratio: float
    annual_cv: float
    spell_ratio: dict[int, float]
    spell_band: dict[int, tuple[float, float]]


@lru_cache(maxsize=8)
def compared(place: str) -> Compared:
    rows = RECORDS[RECORDS["place"] == place]
    year, months = rows[rows["month"] == "annual"].iloc[0], rows[rows["month"] != "annual"]
    site = Site(
        latitude=year["latitude_deg"], longitude=year["longitude_deg"], elevation_m=float(year["elevation_m"])
    )
    weather = generate(site, years=YEARS, seed=2)
    daily = weather.ghi_daily_kwh_m2
    kt = daily / solar_geometry(site).h0_kwh_m2_day
    by_month = [kt[:, month == MONTH_OF_DAY] for month in range(12)]
    recorded_kt = (months["ghi_mean_kwh_m2_d"] * year["ghi_scale"]).to_numpy() / monthly_h0_kwh_m2_day(
        site.latitude
    )
    restated = recorded_kt / months["kt_mean"].to_numpy()
    recorded_sd = months["kt_std"].to_numpy() * restated
    n_days, lag1 = months["n_days"].to_numpy(), months["kt_lag1"].to_numpy()
    effective = n_days * (1 - np.clip(lag1, 0, 0.9)) / (1 + np.clip(lag1, 0, 0.9))
    dark = months["frac_days_kt_lt_03"].to_numpy()
    # The generated distribution is the better known one: its kurtosis and dark share give the record's
    # errors.
    sd = np.array([part.std() for part in by_month])
    kurtosis = np.array([((part - part.mean()) ** 4).mean() / part.var() ** 2 for part in by_month])
    dark_generated = np.array([(part < 0.3).mean() for part in by_month])
    count = max(1, round(year["n_days"] / 365))
    spells = spell_distribution(site, count)
    lengths = (3, 5, 10)
    worst = {n: year[f"worst_{n}d_kwh_m2_d"] * year["ghi_scale"] for n in lengths}
    annual = daily.mean(axis=1)
    return Compared(
        n_days=n_days,
        kt_difference=np.array([part.mean() for part in by_month]) - recorded_kt,
        kt_error=sd / np.sqrt(effective),
        sd_ratio=sd / recorded_sd,
        sd_error=np.sqrt((kurtosis - 1) / 4 / effective),
        lag1_difference=np.array([_lag1(part) for part in by_month]) - lag1,
        lag1_error=1 / np.sqrt(n_days),
        dark_generated=dark_generated,
        dark_recorded=dark,
        dark_error=np.sqrt(dark_generated * (1 - dark_generated) / effective),
        annual_ratio=float(annual.mean() / (year["ghi_mean_kwh_m2_d"] * year["ghi_scale"])),
        annual_cv=float(annual.std() / annual.mean()),
        spell_ratio={n: float(np.median(spells[n]) / worst[n]) for n in lengths},
        spell_band={n: tuple(np.quantile(spells[n], [0.05, 0.95]) / worst[n]) for n in lengths},
    )


def spell_distribution(site: Site, years: int) -> dict[int, np.ndarray]:
    """Worst means of many records as long as the real one, from many seeds."""
    batches = []
    for seed in range(4):
        daily = generate(site, years=SPELL_YEARS // 4, seed=100 + seed).ghi_daily_kwh_m2
        batches += [daily[first : first + years] for first in range(0, len(daily) - years + 1, years)]
    found = [worst_means_kwh_m2_day(batch, (3, 5, 10)) for batch in batches]
    return {n: np.array([item[n] for item in found]) for n in (3, 5, 10)}


def _lag1(kt: np.ndarray) -> float:
    away = kt - kt.mean()
    return float((away[:, 1:] * away[:, :-1]).mean() / kt.var())


def outside(place: str, figure: str) -> tuple[int, ...]:
    """Months or spell lengths outside the acceptance limits, noise of short records allowed for."""
    got = compared(place)
    errors = 0.0 if place in LONG_RECORDS else 2.0
    if figure == "mean":
        off = np.abs(got.kt_difference) > (0.01 if place in TABLE_PLACES else 0.03) + errors * got.kt_error
    elif figure == "sd":
        off = np.abs(got.sd_ratio - 1) > (0.05 if place in TABLE_PLACES else 0.15) + errors * got.sd_error
    elif figure == "lag1":
        off = np.abs(got.lag1_difference) > 0.08 + errors * got.lag1_error
    elif figure == "dark":
        # A third of one day in fifty is less than a day a month: 0.015 at least.
        limit = np.maximum(got.dark_recorded / 3, 0.015) + errors * got.dark_error
        off = np.abs(got.dark_generated - got.dark_recorded) > limit
    else:
        return tuple(
            n for n, ratio in got.spell_ratio.items() if not 0.75 <= ratio <= 1.25 and not _noise(place, n)
        )
    return tuple(int(month) + 1 for month in np.flatnonzero(off))


def _noise(place: str, length: int) -> bool:
    """Whether a short record is one that the generator itself produces once in ten times or more."""
    low, high = compared(place).spell_band[length]
    return place not in LONG_RECORDS and low <= 1 <= high


pytestmark = pytest.mark.slow
FIGURES = ("mean", "sd", "lag1", "dark", "spells")


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("place", PLACES)
def test_figure_is_within_the_acceptance_limits_or_a_named_shortfall(place, figure):
    if figure == "spells" and "TMY" in place:
        pytest.skip("a typical year has no spells to compare with")
    assert outside(place, figure) == SHORTFALLS.get((place, figure), ())


@pytest.mark.parametrize("place", PLACES)
def test_year_is_right_within_five_percent_and_varies_as_years_do(place):
    got = compared(place)
    assert abs(got.annual_ratio - 1) < (0.01 if place in TABLE_PLACES else 0.05)
    assert 0.018 < got.annual_cv < 0.045


@pytest.fixture
def stations_without(monkeypatch):
    """Set the station tables to what is left without one station and its neighbours within 30 km."""
    full = stations._stations()
    fields = ("latitude", "longitude", "elevation_m", "land_share", "kt_mean_excess", "kt_sd_excess",
              "persistence_excess", "kt_quantiles")  # fmt: skip

    def without(place: int) -> None:
        apart = stations.distance_km(
            full.latitude[place], full.longitude[place], full.latitude, full.longitude
        )
        keep = np.flatnonzero((apart > 30) | np.isin(full.names, stations._SHADED))
        left = replace(
            full,
            names=tuple(full.names[index] for index in keep),
            temperature_excess={name: values[keep] for name, values in full.temperature_excess.items()},
            **{name: getattr(full, name)[keep] for name in fields},
        )
        monkeypatch.setattr(stations, "_stations", lambda: left)
        stations._site_climate.cache_clear()

    yield without
    monkeypatch.undo()
    stations._site_climate.cache_clear()


def test_spells_are_those_of_stations_that_the_tables_do_not_know(stations_without):
    """Interpolated from the others, every station has spells as dark as its own days make.

    Its own days: the quantiles of its months and their lag-1, in a plain first-order chain with the same
    shocks. That chain had 0.95 to 0.98, 0.97 to 1.00 and 1.03 to 1.06 of the measured worst 3, 5 and 10 days
    at 91 stations.
    """
    own, years, record = stations._stations(), 180, 18
    shocks = clearness_shocks(0, years)
    slow_stream = np.random.SeedSequence(0).spawn(2)[1]
    slow_shocks = np.random.Generator(np.random.PCG64(slow_stream)).standard_normal(shocks.shape)
    ratios, levels = [], []
    for place, name in enumerate(own.names):
        if name in stations._SHADED:
            continue
        where = [float(part[place]) for part in (own.latitude, own.longitude, own.elevation_m)]
        lag1 = own.persistence_excess[place] + world_climate(*where).persistence
        site = Site(latitude=where[0], longitude=where[1], elevation_m=where[2])
        h0 = solar_geometry(site).h0_kwh_m2_day
        scores = chain(shocks, lag1[MONTH_OF_DAY])
        measured = np.empty_like(scores)
        for month in range(12):
            days = month == MONTH_OF_DAY
            measured[:, days] = np.interp(scores[:, days], stations.SCORES, own.kt_quantiles[place, month])
        stations_without(place)
        climate = stations.site_climate(site)
        found = persistence(climate)
        scores = np.sqrt(1 - found.slow_share) * chain(shocks, found.fast_lag1)
        scores += np.sqrt(found.slow_share) * chain(slow_shocks, found.slow_lag1)
        generated = _clearness(scores, climate)
        worst = [_worst_of_records(kt * h0, record) for kt in (generated, measured)]
        ratios.append(worst[0] / worst[1])
        levels.append((generated * h0).mean() / (measured * h0).mean())
    assert len(ratios) == 103
    assert np.median(levels) == pytest.approx(1, abs=0.015)
    assert np.std(levels) < 0.045
    assert np.median(ratios, axis=0) == pytest.approx([1, 1, 1], abs=0.08)


def _worst_of_records(daily: np.ndarray, years: int) -> np.ndarray:
    """Median over records of so many years of their worst 3, 5 and 10 days."""
    starts = range(0, len(daily) - years + 1, years)
    found = [worst_means_kwh_m2_day(daily[at : at + years], (3, 5, 10)) for at in starts]
    return np.median([[worst[n] for n in (3, 5, 10)] for worst in found], axis=0)


def print_table() -> None:
    for place in PLACES:
        got = compared(place)
        days = int(got.n_days.mean())
        print(f"{place}: year {got.annual_ratio:.3f}, cv {got.annual_cv:.3f}, days a month {days}")
        for name, values in (
            ("Kt difference", got.kt_difference),
            ("2 standard errors", 2 * got.kt_error),
            ("sd ratio", got.sd_ratio),
            ("2 standard errors", 2 * got.sd_error),
            ("lag-1 difference", got.lag1_difference),
            ("dark generated", got.dark_generated),
            ("dark recorded", got.dark_recorded),
        ):
            print(f"   {name:18s}" + " ".join(f"{value:+.3f}" for value in values))
        for n, ratio in got.spell_ratio.items():
            low, high = got.spell_band[n]
            print(f"   worst {n:2d} days      {ratio:.2f} of the record, 5 to 95 %: {low:.2f} to {high:.2f}")
        for figure in FIGURES:
            print(f"   outside {figure:10s}{outside(place, figure)}")


if __name__ == "__main__":
    print_table()
