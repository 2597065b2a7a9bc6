"""Does generated wind reproduce the records? Thirteen places, wind alone and with the sun of the same days.

``python tests/test_wind_acceptance.py`` prints the table of ``weather/README.md``. Speeds are scaled to the
mean of the record (the level is tested by itself); figures are means or medians over generated records as
long as the real one. What is known to fall short is named in ``SHORTFALLS`` and fails the test when it
changes, for better or worse.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.special import ndtri
from scipy.stats import rankdata

import sitedesign as sd
from sitedesign.components.wind import wind_yield
from sitedesign.weather.climate.wind import (
    REFERENCE_HEIGHT_M,
    REFERENCE_LOSS_FRACTION,
    SHEAR_EXPONENT,
    wind_climate,
)
from sitedesign.weather.farm_curve import as_standard_density, farm_power
from sitedesign.weather.solar_geometry import MONTH_STARTS
from sitedesign.weather.wind_aloft import air_density_kg_m3

RECORDS = pd.read_csv(Path(__file__).parent / "data" / "wind_records.csv", comment="#", index_col="place")
PLACES = tuple(RECORDS.index)
TURBINE = sd.library.wind("onshore_6mw_170")
YEARS = 300
LENGTHS = (3, 5, 10)
SEASON_OF_DAY = np.repeat(np.array([0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 0]), np.diff([*MONTH_STARTS, 365]))
MONTH_OF_DAY = np.repeat(np.arange(12), np.diff([*MONTH_STARTS, 365]))

# Published figures of the method (the same tables, another program and another sun), at the same places:
# share of hours below a tenth of rated power, autocorrelation after 1, 6, 24 and 72 hours, and of days.
PUBLISHED = {
    "West Texas (ERA5)": (0.20, 0.88, 0.53, 0.15, 0.01, 0.35),
    "Iowa (ERA5)": (0.27, 0.90, 0.57, 0.11, 0.00, 0.31),
    "Ohio (ERA5)": (0.41, 0.90, 0.58, 0.14, 0.00, 0.36),
    "Georgia (ERA5)": (0.50, 0.85, 0.47, 0.17, 0.01, 0.43),
    "Phoenix AZ (ERA5)": (0.73, 0.81, 0.41, 0.12, 0.00, 0.36),
    "San Jose CA (ERA5)": (0.83, 0.79, 0.37, 0.13, 0.01, 0.39),
    "Sweetwater TX (WIND Toolkit)": (0.13, 0.87, 0.51, 0.13, 0.02, 0.32),
    "Muleshoe TX (WIND Toolkit)": (0.22, 0.88, 0.51, 0.11, 0.00, 0.31),
    "Amarillo TX (WIND Toolkit)": (0.15, 0.88, 0.51, 0.10, 0.00, 0.29),
    "McCamey TX (WIND Toolkit)": (0.24, 0.88, 0.52, 0.14, 0.00, 0.36),
    "Iron Range MN (WIND Toolkit)": (0.28, 0.90, 0.57, 0.11, 0.00, 0.30),
    "Golden CO (WIND Toolkit)": (0.39, 0.88, 0.50, 0.08, 0.00, 0.29),
    "Southwest MN (Open-Meteo)": (0.20, 0.90, 0.57, 0.11, 0.00, 0.29),
}
FIGURES = ("share_below_10_percent", "lag_1h", "lag_6h", "lag_24h", "lag_72h", "lag_1_day")

# Figures beyond the limits: foothills and coasts have their own winds.
SHORTFALLS = {
    # 1.35 of an eleven-year record whose own 5 to 95 % are 0.7 to 1.7; 5 and 10 days agree.
    ("Georgia (ERA5)", "worst_3_days_of_mix"),
    ("San Jose CA (ERA5)", "lag_1_day"),
    ("San Jose CA (ERA5)", "worst_3_days_of_mix"),
    ("Golden CO (WIND Toolkit)", "share_below_10_percent"),
    ("Golden CO (WIND Toolkit)", "worst_10_days_of_mix"),
}
# Records whose net capacity factor is more than 0.03 off the map's. ERA5 reads low: at one place (West Texas
# and Sweetwater, 27 km apart) it has 0.11 less than the WIND Toolkit, the map lies between. Years of the WIND
# Toolkit lie on both sides, by what one year and one site of a cell differ.
OFF_THE_MAP = {
    "Iowa (ERA5)": "below",
    "Ohio (ERA5)": "below",
    "Georgia (ERA5)": "below",
    "Phoenix AZ (ERA5)": "below",
    "San Jose CA (ERA5)": "below",
    "Sweetwater TX (WIND Toolkit)": "above",
    "Muleshoe TX (WIND Toolkit)": "below",
    "Amarillo TX (WIND Toolkit)": "above",
    "McCamey TX (WIND Toolkit)": "below",
}
LEVEL_LIMIT = 0.03
CELL_LEFT_OUT_RMSE = 0.027  # of the map, by its neighbours
SHARE_LIMIT, DAY_LIMIT, SPELL_LIMIT = 0.08, 0.10, 1 / 3


@cache
def generated(place: str) -> tuple[np.ndarray, np.ndarray]:
    """Gross hourly power of 300 years with the mean of the record, and the sun of the same hours."""
    row = RECORDS.loc[place]
    site = sd.Site(latitude=row["latitude_deg"], longitude=row["longitude_deg"])
    weather = sd.Weather.generate(site, years=YEARS, seed=0, wind=True)
    speed = weather.wind_aloft.speed_m_s[0]

    def excess(scale: float) -> float:
        return float(farm_power(scale * speed, TURBINE.power_curve).mean()) - row["gross_capacity_factor"]

    sun = weather.ghi_w_m2
    sun = np.minimum(sun, 800.0) if row["sun_cut_at_800_w_m2"] else sun
    return farm_power(brentq(excess, 0.3, 1.7, xtol=1e-6) * speed, TURBINE.power_curve), sun


def figures(power: np.ndarray, sun: np.ndarray) -> dict[str, float]:
    """What is compared, of one record; arrays of shape (years, 8760)."""
    hourly = _away(power)
    days = power.reshape(len(power), 365, 24).mean(axis=2)
    scores = np.empty_like(days)
    for month in range(12):
        of_month = days[:, month == MONTH_OF_DAY]
        ranks = (rankdata(of_month) - 0.5) / of_month.size
        scores[:, month == MONTH_OF_DAY] = ndtri(ranks).reshape(of_month.shape)
    found = {"share_below_10_percent": float((power < 0.1).mean()), "lag_1_day": _lag(scores.ravel(), 1)}
    found |= {f"lag_{hours}h": _lag(hourly, hours) for hours in (1, 6, 24, 72)}
    found |= {f"calms_{hours}h_per_year": calms_per_year(power.ravel(), hours) for hours in (24, 48, 72)}
    mix = power.ravel() / power.mean() + sun.ravel() / sun.mean()
    by_day = mix.reshape(-1, 24).mean(axis=1) / 2
    for length in LENGTHS:
        window = np.convolve(by_day, np.ones(length) / length, "valid")
        found[f"worst_{length}_days_of_mix"] = float(window.min())
    return found


def _away(power: np.ndarray) -> np.ndarray:
    """Power over its mean at the hour of the day and in the season."""
    away = power.reshape(len(power), 365, 24).copy()
    for season in range(4):
        of_season = away[:, season == SEASON_OF_DAY]
        away[:, season == SEASON_OF_DAY] = of_season - of_season.mean(axis=(0, 1))
    return away.ravel()


def _lag(values: np.ndarray, lag: int) -> float:
    return float((values[lag:] * values[:-lag]).mean() / (values * values).mean())


def calms_per_year(power: np.ndarray, hours: int) -> float:
    """Spells below a tenth of rated power of at least so many hours, a year."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (power < 0.1).astype(int), [0]])))
    return float(((edges[1::2] - edges[::2]) >= hours).sum() / (len(power) / 8760))


@cache
def levels(place: str) -> tuple[float, float, float]:
    """Net capacity factor at 115 m of the map's years and of the record's, and the record's standard error.

    The record's hours are those of the generator, scaled until they have its gross capacity factor at its
    height; losses, density and height are then the same for both.
    """
    row = RECORDS.loc[place]
    site = sd.Site(latitude=row["latitude_deg"], longitude=row["longitude_deg"])
    speed = sd.Weather.generate(site, years=60, seed=1, wind=True).wind_aloft.speed_m_s[0]
    at_record = speed * (_record_height_m(place) / REFERENCE_HEIGHT_M) ** SHEAR_EXPONENT
    density = air_density_kg_m3(site.elevation_m + REFERENCE_HEIGHT_M)

    def excess(scale: float) -> float:
        gross = float(farm_power(scale * at_record, TURBINE.power_curve).mean())
        return gross - row["gross_capacity_factor"]

    scale = brentq(excess, 0.3, 1.7, xtol=1e-6)
    map_years, record_years = (
        (1 - REFERENCE_LOSS_FRACTION)
        * farm_power(as_standard_density(factor * speed, density), TURBINE.power_curve).mean(axis=1)
        for factor in (1.0, scale)
    )
    cell = wind_climate(site).sd_within_cell
    error = np.sqrt(map_years.var() / row["years"] + cell**2 + CELL_LEFT_OUT_RMSE**2)
    return float(map_years.mean()), float(record_years.mean()), float(error)


def _record_height_m(place: str) -> float:
    return 80.0 if place.startswith("Golden") else 100.0


@cache
def compared(place: str) -> pd.DataFrame:
    """Figures of generated records as long as the real one, a row each."""
    power, sun = generated(place)
    years = int(RECORDS.loc[place, "years"])
    starts = range(0, YEARS - years + 1, years)
    return pd.DataFrame([figures(power[at : at + years], sun[at : at + years]) for at in starts])


def median_ratio(place: str, length: int) -> float:
    column = f"worst_{length}_days_of_mix"
    return float(compared(place)[column].median() / RECORDS.loc[place, column])


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_generated_wind_is_that_of_the_record(place):
    row, mean = RECORDS.loc[place], compared(place).mean()
    outside = {
        figure
        for figure, limit in (("share_below_10_percent", SHARE_LIMIT), ("lag_1_day", DAY_LIMIT))
        if abs(mean[figure] - row[figure]) > limit
    }
    outside |= {
        f"worst_{length}_days_of_mix"
        for length in LENGTHS
        if abs(median_ratio(place, length) - 1) > SPELL_LIMIT
    }
    assert outside == {figure for known, figure in SHORTFALLS if known == place}


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_published_figures_of_the_method_come_out(place):
    mean = compared(place).mean()
    for figure, published in zip(FIGURES, PUBLISHED[place], strict=True):
        # Years of 31 days a month hold less persistence than long records by the way it is measured.
        single = figure == "lag_1_day" and RECORDS.loc[place, "years"] == 1
        limit = 0.08 if single else 0.05 if figure == "lag_6h" else 0.03
        assert mean[figure] == pytest.approx(published, abs=limit), figure


@pytest.mark.slow
@pytest.mark.parametrize("length", LENGTHS)
def test_dark_calms_are_as_bad_as_in_the_records_over_all_places(length):
    ratios = [median_ratio(place, length) for place in PLACES]
    assert 0.85 <= np.median(ratios) <= 1.15


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_the_level_is_that_of_the_table(place):
    """Net, with all losses and the stops by cold, over 300 years."""
    row = RECORDS.loc[place]
    site = sd.Site(latitude=row["latitude_deg"], longitude=row["longitude_deg"])
    weather = sd.Weather.generate(site, years=60, seed=1, wind=True)
    net = float(wind_yield(weather, TURBINE).mean()) * TURBINE.availability
    assert net == pytest.approx(wind_climate(site).net_capacity_factor, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_the_level_of_the_record_is_that_of_the_map_or_named(place):
    on_map, recorded, _ = levels(place)
    off = recorded - on_map
    side = "" if abs(off) <= LEVEL_LIMIT else "above" if off > 0 else "below"
    assert side == OFF_THE_MAP.get(place, "")


@pytest.mark.slow
def test_single_years_lie_around_the_map_within_their_errors():
    """The records of many years are ERA5's, which read low together."""
    single = [levels(place) for place in PLACES if RECORDS.loc[place, "years"] == 1]
    scores = np.array([(recorded - on_map) / error for on_map, recorded, error in single])
    assert len(scores) == 7
    assert abs(scores.mean()) < 2 / np.sqrt(len(scores))
    assert np.abs(scores).max() < 2.2


def main() -> None:
    """Print the table of ``weather/README.md``."""
    for place in PLACES:
        row, mean, every = RECORDS.loc[place], compared(place).mean(), compared(place)
        cells = [place, f"{row['years']:g}"]
        cells += [f"{row[name]:.2f} {mean[name]:.2f}" for name in ("share_below_10_percent", "lag_1_day")]
        cells += [
            "/".join(f"{source[f'lag_{hours}h']:.2f}" for hours in (1, 6, 24)) for source in (row, mean)
        ]
        cells += [
            f"{row[name]:.1f} {mean[name]:.1f}" for name in ("calms_24h_per_year", "calms_48h_per_year")
        ]
        for length in LENGTHS:
            name = f"worst_{length}_days_of_mix"
            low, high = np.quantile(every[name] / row[name], [0.05, 0.95])
            cells.append(f"{median_ratio(place, length):.2f} ({low:.2f}-{high:.2f})")
        on_map, recorded, error = levels(place)
        cells.append(f"{recorded:.3f} {on_map:.3f} ({error:.3f})")
        print("| " + " | ".join(cells) + " |")
    for length in LENGTHS:
        print(length, np.median([median_ratio(place, length) for place in PLACES]))


if __name__ == "__main__":
    main()
