"""How long weather and yield take: 20 hourly years under a second, yield under 0.7 s, wind under 0.5 s."""

from __future__ import annotations

from typing import Any

import pytest

from sitedesign import library
from sitedesign.components.pv import solar_yield
from sitedesign.components.wind import wind_yield
from sitedesign.weather import solar_geometry
from sitedesign.weather.climate import wind
from sitedesign.weather.generate_wind import generate_wind
from sitedesign.weather.site import Site
from sitedesign.weather.weather import Weather

# pvlib 0.16 still asks pandas 3.1 for a name that is going away.
pytestmark = pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofyear")

EL_PASO = Site(latitude=31.76, longitude=-106.49)


@pytest.fixture(scope="module")
def weather() -> Weather:
    return Weather.generate(EL_PASO, years=20, seed=0)


def forget_the_sun() -> None:
    """Make every round compute the solar geometry, as a new site would."""
    solar_geometry._geometry.cache_clear()


def median_s(benchmark: Any) -> float:
    """Median of the rounds; 0 under --benchmark-disable, which only checks that the code runs."""
    return float(benchmark.stats["median"]) if benchmark.stats else 0.0


def test_twenty_generated_years(benchmark: Any) -> None:
    benchmark.pedantic(
        lambda: Weather.generate(EL_PASO, years=20, seed=1), setup=forget_the_sun, rounds=5, warmup_rounds=1
    )
    assert median_s(benchmark) < 1.0


@pytest.mark.parametrize("name", ["tracker_ac", "fixed_ac", "fixed_dc"])
def test_yield_of_twenty_hourly_years(benchmark: Any, weather: Weather, name: str) -> None:
    pv = library.pv(name)
    benchmark.pedantic(
        lambda: solar_yield(weather, pv, 5.0), setup=forget_the_sun, rounds=10, warmup_rounds=1
    )
    assert median_s(benchmark) < 0.7


def test_twenty_years_of_wind_and_their_yield(benchmark: Any) -> None:
    weather = Weather.generate(EL_PASO, years=20, seed=1, wind=True)
    turbine = library.wind("onshore_6mw_170")

    def forget_the_place() -> None:
        wind._wind_climate.cache_clear()

    def both() -> None:
        generate_wind(EL_PASO, 20, 1, 60)
        wind_yield(weather, turbine)

    benchmark.pedantic(both, setup=forget_the_place, rounds=5, warmup_rounds=1)
    assert median_s(benchmark) < 0.5
