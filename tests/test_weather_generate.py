"""The generator, apart from its statistics: physics, determinism, the sun, the seams, and misuse."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pvlib
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sitedesign.errors import InputError
from sitedesign.weather.clear_sky import clear_sky, direct_normal
from sitedesign.weather.clearness import chain
from sitedesign.weather.climate import stations
from sitedesign.weather.climate.stations import daily_from_months, mid_month_nodes, site_climate
from sitedesign.weather.generate import _HOURLY_LAG1, _HOURLY_SD, _chain_for_step, _clearness, generate
from sitedesign.weather.low_resource import low_resource_periods, worst_means_kwh_m2_day
from sitedesign.weather.site import Site
from sitedesign.weather.solar_geometry import MONTH_STARTS, solar_geometry
from sitedesign.weather.weather import Weather

FIELDS = ("ghi_w_m2", "dni_w_m2", "dhi_w_m2", "temp_air_c", "wind_speed_m_s")
EL_PASO = Site(latitude=31.76, longitude=-106.49, elevation_m=1140, name="El Paso, TX")
LAPSED = {
    "sydney": (-33.87, 150.9),
    "helsinki": (60.25, 24.9),
    "kampala": (0.31, 32.6),
    "calama": (-22.46, -68.93),
}


def cos_zenith(sun):
    return np.maximum(np.cos(np.radians(sun.apparent_zenith_deg)), 0)


# --- the sun ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", LAPSED)
def test_sun_stands_where_the_nrel_algorithm_says(place):
    site = Site(latitude=LAPSED[place][0], longitude=LAPSED[place][1], elevation_m=100)
    sun = solar_geometry(site, 60, sun_offset_minutes=15)
    stamps = pd.date_range("2013-01-01", periods=8760, freq="h") + pd.Timedelta(minutes=15)
    stamps = (stamps - pd.Timedelta(hours=site.utc_offset_h)).tz_localize("UTC")
    spa = pvlib.solarposition.get_solarposition(stamps, site.latitude, site.longitude, altitude=100)
    up = spa["apparent_zenith"].to_numpy() < 90
    assert np.abs(sun.zenith_deg - spa["zenith"]).max() < 0.01
    assert np.abs(sun.apparent_zenith_deg - spa["apparent_zenith"])[up].max() < 0.01
    turn = np.abs((sun.azimuth_deg - spa["azimuth"].to_numpy() + 180) % 360 - 180)
    assert (turn * np.sin(np.radians(sun.zenith_deg))).max() < 0.01


def test_means_over_hours_hold_the_energy_of_five_minute_instants():
    hours = solar_geometry(EL_PASO, 60).ghi_extra_w_m2
    instants = solar_geometry(EL_PASO, 5, sun_offset_minutes=2.4).ghi_extra_w_m2.reshape(-1, 12).mean(axis=1)
    assert np.abs(hours - instants).max() < 9
    assert hours.sum() == pytest.approx(instants.sum(), rel=1e-4)


def test_hour_of_sunrise_is_seen_with_the_sun_up_and_a_share_of_daylight():
    sun = solar_geometry(EL_PASO, 60)
    edge = (sun.daylight_fraction > 0) & (sun.daylight_fraction < 1)
    assert edge.sum() == pytest.approx(730, abs=5)
    assert (sun.apparent_zenith_deg[edge] < 90).all()
    instants = solar_geometry(EL_PASO, 5, sun_offset_minutes=2.4).daylight_fraction
    assert sun.daylight_fraction.sum() == pytest.approx(instants.sum() / 12, abs=1.5)  # hours a year


def test_sun_is_shared_and_cannot_be_written_to():
    assert solar_geometry(EL_PASO, 60) is solar_geometry(EL_PASO, 60)
    with pytest.raises(ValueError, match="read-only"):
        solar_geometry(EL_PASO, 60).zenith_deg[0] = 1


# --- irradiance ---------------------------------------------------------------------------------------------


def test_direct_irradiance_is_that_of_pvlibs_disc():
    sun = solar_geometry(EL_PASO, 60)
    lit = (sun.zenith_deg < 86) & (sun.daylight_fraction == 1)
    zenith = sun.zenith_deg[lit]
    ghi = np.linspace(20, 1150, lit.sum()) * np.cos(np.radians(zenith))
    stamps = pd.date_range("2013-01-01", periods=8760, freq="h")[lit]
    extra = pvlib.irradiance.get_extra_radiation(stamps, solar_constant=1370.0, method="spencer").to_numpy()
    theirs = pvlib.irradiance.disc(ghi, zenith, stamps, pressure=88_000.0)["dni"]
    ours = direct_normal(ghi, zenith, extra, 88_000.0)
    assert np.abs(ours - theirs).max() < 1e-6
    # Rows of irradiance under one sun, and each with its own
    both = direct_normal(np.stack([ghi, ghi]), zenith, extra, 88_000.0)
    np.testing.assert_array_equal(both, np.stack([ours, ours]))
    np.testing.assert_array_equal(
        direct_normal(np.stack([ghi, ghi]), np.stack([zenith, zenith]), extra, 88_000.0), both
    )


def test_sky_without_clouds_is_that_of_pvlib_with_clean_air():
    sun = solar_geometry(EL_PASO, 60)
    ghi, dni = clear_sky(EL_PASO, sun)
    stamps = pd.date_range("2013-01-01 00:30", periods=8760, freq="h", tz="Etc/GMT+7")
    location = pvlib.location.Location(EL_PASO.latitude, EL_PASO.longitude, altitude=EL_PASO.elevation_m)
    turbidity = pvlib.clearsky.lookup_linke_turbidity(stamps, location.latitude, location.longitude) * 0.8
    theirs = location.get_clearsky(stamps, linke_turbidity=turbidity)
    full = sun.daylight_fraction == 1
    # pvlib's extraterrestrial irradiance is 1366.1 W/m2 and less exact over the year.
    assert np.abs(ghi[full] / theirs["ghi"][full] - 1361 / 1366.1).max() < 0.01
    assert np.abs(dni[full] - theirs["dni"][full] * 1361 / 1366.1).max() < 12
    assert (ghi[~sun.is_day] == 0).all()


def test_days_do_not_depend_on_the_step():
    coarse, fine = (generate(EL_PASO, years=2, seed=4, step_minutes=step) for step in (60, 10))
    assert np.abs(fine.ghi_daily_kwh_m2 / coarse.ghi_daily_kwh_m2 - 1).max() < 2e-3
    assert fine.ghi_w_m2.shape == (2, 52_560)
    assert fine.sun_offset_minutes == 5


@pytest.mark.parametrize("step_minutes", [5, 15, 30, 60])
def test_hourly_means_of_short_steps_scatter_like_hours(step_minutes):
    count = 60 // step_minutes
    lag1, sd = _chain_for_step(step_minutes)
    shocks = np.random.default_rng(0).standard_normal((20_000, 10 * count))
    for column in (0, 4, 7):
        chain = shocks.copy()
        fresh = np.sqrt(1 - lag1[column] ** 2)
        for step in range(1, chain.shape[1]):
            chain[:, step] = lag1[column] * chain[:, step - 1] + fresh * shocks[:, step]
        hours = sd[column] * chain.reshape(-1, 10, count).mean(axis=2)
        away = hours - hours.mean(axis=1, keepdims=True)
        assert away.std() == pytest.approx(_HOURLY_SD[column], rel=0.02)
        # Subtracting a mean of ten also correlates neighbours by about -0.1 more than the formula knows.
        assert (away[:, 1:] * away[:, :-1]).mean() / away.var() == pytest.approx(
            _HOURLY_LAG1[column], abs=0.06
        )


def test_sunny_desert_hours_hold_a_plausible_beam():
    weather = generate(EL_PASO, years=10, seed=0)
    assert weather.ghi_w_m2.sum() / 10_000 == pytest.approx(2100, rel=0.05)  # kWh/m2 a year
    assert weather.dni_w_m2.sum() / 10_000 == pytest.approx(2500, rel=0.08)
    assert weather.ghi_w_m2.max() < 1250
    assert weather.dni_w_m2.max() < 1120


# --- any place on land --------------------------------------------------------------------------------------


@settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.filter_too_much]
)
@given(st.floats(-55, 65), st.floats(-180, 180), st.integers(0, 2**32), st.sampled_from([15, 30, 60]))
def test_weather_of_any_place_is_physical(latitude, longitude, seed, step_minutes):
    try:
        site = Site(latitude=latitude, longitude=longitude)
        weather = generate(site, years=2, seed=seed, step_minutes=step_minutes)
    except InputError:
        assume(False)
    sun = solar_geometry(site, step_minutes)
    for name in FIELDS:
        assert np.isfinite(getattr(weather, name)).all()
        assert name == "temp_air_c" or getattr(weather, name).min() >= 0
    assert not weather.ghi_w_m2[:, ~sun.is_day].any()
    assert np.abs(weather.ghi_w_m2 - weather.dhi_w_m2 - weather.dni_w_m2 * cos_zenith(sun)).max() < 1e-9
    assert (weather.ghi_daily_kwh_m2 < 0.95 * sun.h0_kwh_m2_day + 1e-9).all()
    assert weather.ghi_w_m2.max() < 1400
    assert weather.temp_air_c.min() > -70
    assert weather.temp_air_c.max() < 57


@pytest.mark.parametrize(
    ("place", "latitude", "longitude", "low", "high"),
    [  # kWh/m2/day, within 12 % of the Global Solar Atlas (long-term GHI, read off the map)
        ("Seville", 37.4, -6.0, 4.6, 5.5),
        ("Riyadh", 24.7, 46.7, 5.6, 6.7),
        ("Calama, Atacama", -22.46, -68.93, 6.3, 7.6),
        ("Johannesburg", -26.2, 28.05, 5.1, 6.3),
        ("Delhi", 28.6, 77.2, 4.5, 5.6),
        ("Helsinki", 60.25, 24.95, 2.4, 3.0),
    ],
)
def test_irradiation_abroad_is_plausible(place, latitude, longitude, low, high):
    weather = generate(Site(latitude=latitude, longitude=longitude, name=place), years=10, seed=0)
    assert low < weather.ghi_daily_kwh_m2.mean() < high


def test_southern_winter_is_in_july():
    johannesburg = generate(Site(latitude=-26.2, longitude=28.05), years=5, seed=0)
    by_month = np.add.reduceat(johannesburg.ghi_daily_kwh_m2.mean(axis=0), MONTH_STARTS)
    assert by_month[0] > 1.4 * by_month[5]
    temperature = johannesburg.temp_air_c.reshape(5, 365, 24).mean(axis=(0, 2))
    assert temperature[0:31].mean() > temperature[181:212].mean() + 8


def test_climate_is_continuous_from_the_stations_to_the_rest_of_the_world():
    sites = [Site(latitude=latitude, longitude=-105.0) for latitude in np.arange(49.0, 59.5, 0.1)]
    share = np.array([site_climate(site).station_share for site in sites])
    mean = np.array([site_climate(site).kt_quantiles.mean() for site in sites])
    assert share.min() == 0
    assert share.max() == 1
    assert np.abs(np.diff(share)).max() < 0.03
    assert np.abs(np.diff(mean)).max() < 0.02


def test_months_join_without_jumps_and_keep_their_means():
    monthly = np.array([0.51, 0.52, 0.59, 0.63, 0.67, 0.71, 0.74, 0.73, 0.70, 0.64, 0.55, 0.49])
    daily = daily_from_months(mid_month_nodes(monthly))
    means = np.add.reduceat(daily, MONTH_STARTS) / np.diff([*MONTH_STARTS, 365])
    assert means == pytest.approx(monthly, abs=1e-12)
    assert np.abs(np.diff(np.append(daily, daily[0]))).max() < 0.005


def test_days_between_months_are_as_dark_as_the_months_say():
    """Same scores through the days' quantiles and through the months': the worst spells must not differ.

    A darkest quantile is one or two days of a month; to solve for nodes of each quantile doubles its noise,
    and spells of 18 years come out 2.5 % darker than the station's (the median of 35 stations knows them to
    0.7 %).
    """
    own, years, record = stations._stations(), 180, 18
    scores = chain(np.random.default_rng(0).standard_normal((years, 365)), np.full(365, 0.3))
    month_of_day = np.repeat(np.arange(12), np.diff([*MONTH_STARTS, 365]))
    ratios = []
    for place in range(0, len(own.names), 3):
        where = [float(part[place]) for part in (own.latitude, own.longitude, own.elevation_m)]
        site = Site(latitude=where[0], longitude=where[1], elevation_m=where[2])
        quantiles = own.kt_quantiles[place]
        monthly = np.empty_like(scores)
        for month in range(12):
            days = month == month_of_day
            monthly[:, days] = np.interp(scores[:, days], stations.SCORES, quantiles[month])
        h0 = solar_geometry(site).h0_kwh_m2_day
        worst = [
            [list(worst_means_kwh_m2_day(kt[at : at + record] * h0, (3, 5, 10)).values())
             for at in range(0, years, record)]
            for kt in (_clearness(scores, site_climate(site)), monthly)
        ]  # fmt: skip
        ratios.append(np.median(np.array(worst[0]) / np.array(worst[1]), axis=0))
    assert np.median(ratios, axis=0) == pytest.approx([1, 1, 1], abs=0.018)


# --- temperature --------------------------------------------------------------------------------------------


def test_temperature_has_the_course_and_the_spread_of_the_station():
    site = Site(latitude=33.96, longitude=-102.77, elevation_m=1174)  # Muleshoe, a station of the table
    weather = generate(site, years=60, seed=1)
    hourly = weather.temp_air_c.reshape(60, 365, 24)
    january = hourly[:, :31]
    assert january.mean() == pytest.approx(2.96, abs=1.0)
    assert january.mean(axis=2).std() == pytest.approx(5.5, rel=0.25)
    assert hourly.mean(axis=(0, 1)).argmax() in (15, 16)
    assert hourly.mean(axis=(0, 1)).argmin() in (5, 6, 7)
    assert np.abs(np.diff(weather.temp_air_c, axis=1)).max() < 12  # no jump at midnight


def test_dark_winter_days_are_warm_in_alabama_as_its_station_says():
    site = Site(latitude=30.55, longitude=-87.88, elevation_m=30)
    weather = generate(site, years=60, seed=1)
    dark = weather.ghi_daily_kwh_m2[:, :31].ravel()
    warm = weather.temp_air_c.reshape(60, 365, 24)[:, :31].mean(axis=2).ravel()
    assert np.corrcoef(dark, warm)[0, 1] == pytest.approx(-0.437, abs=0.12)


# --- determinism --------------------------------------------------------------------------------------------


def test_same_seed_same_bytes_and_another_seed_other_weather():
    first, again, other = (generate(EL_PASO, years=3, seed=seed) for seed in (7, 7, 8))
    for name in FIELDS:
        assert getattr(first, name).tobytes() == getattr(again, name).tobytes()
    assert not np.array_equal(first.ghi_w_m2, other.ghi_w_m2)


@pytest.mark.parametrize("seed", range(7, 12))
def test_first_years_of_a_long_run_are_those_of_a_short_one(seed):
    long, short = generate(EL_PASO, years=20, seed=seed), generate(EL_PASO, years=5, seed=seed)
    for name in ("ghi_w_m2", "dni_w_m2", "dhi_w_m2"):
        assert getattr(long, name)[:5].tobytes() == getattr(short, name).tobytes()
    # The last noon looks forward to a day that the short run does not have.
    assert np.array_equal(long.temp_air_c[:5].ravel()[:-12], short.temp_air_c.ravel()[:-12])


# --- what it says -------------------------------------------------------------------------------------------


def test_result_says_that_it_is_for_screening_and_how_dark_it_gets():
    weather = Weather.generate(EL_PASO, years=20, seed=0)
    notes = " ".join(weather.source.notes)
    worst = weather.low_resource_periods(days=(10,))["ghi_kwh_m2_day"].iloc[0]
    assert weather.source.kind == "generated"
    assert weather.source.seed == 0
    assert "Screening source" in notes
    assert f"10 days {worst:.2f}" in notes
    assert "NM_Socorro_20_N" in notes
    assert "Wind near the ground is a constant 3 m/s" in notes


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"years": 0}, "years: got 0; must be a whole number from 1 to 10,000"),
        ({"seed": -1}, "seed: got -1; must be a whole number, not negative"),
        ({"step_minutes": 20}, "step_minutes: got 20; must be one of (5, 10, 15, 30, 60) minutes"),
    ],
)
def test_wrong_arguments_are_named(arguments, text):
    with pytest.raises(InputError) as caught:
        generate(EL_PASO, **arguments)
    assert text in str(caught.value)


def test_all_wrong_arguments_are_named_at_once():
    with pytest.raises(InputError) as caught:
        generate(EL_PASO, years=2.5, seed="a", step_minutes=7)
    assert len(caught.value.faults) == 3


def test_island_without_climate_data_is_refused_with_a_remedy():
    honolulu = Site(latitude=21.3, longitude=-157.85)
    with pytest.raises(InputError, match=r"have only sea.*read or fetch weather"):
        generate(honolulu)


# --- spells -------------------------------------------------------------------------------------------------


def made(daily_kwh_m2, years):
    """Weather with given daily sums, all in one hour of noon."""
    ghi = np.zeros((len(years), 365, 24))
    ghi[:, :, 12] = np.asarray(daily_kwh_m2) * 1000
    flat = ghi.reshape(len(years), -1)
    template = generate(EL_PASO, years=1)
    return Weather(EL_PASO, 60, tuple(years), flat, flat, flat, flat, flat, -7.0, template.source, 30.0)


def test_spell_runs_over_new_year_only_where_the_record_does():
    daily = np.full((2, 365), 5.0)
    daily[0, 363:], daily[1, :1] = 1.0, 1.0
    joined = low_resource_periods(made(daily, (2004, 2005)), days=(3,)).iloc[0]
    assert (joined["year"], joined["start"], joined["end"]) == (2004, "12-30", "01-01")
    assert joined["ghi_kwh_m2_day"] == pytest.approx(1.0)
    torn = low_resource_periods(made(daily, (2004, 2007)), days=(3,)).iloc[0]
    assert (torn["start"], torn["end"]) == ("12-29", "12-31")
    assert torn["ghi_kwh_m2_day"] == pytest.approx(7 / 3)


def test_spells_do_not_overlap_and_are_compared_with_their_season():
    daily = np.full((2, 365), 4.0)
    daily[0, 100:104] = 0.5
    daily[1, 200:203] = 1.0
    table = low_resource_periods(made(daily, (1, 2)), days=(3,), count=2)
    assert table["rank"].tolist() == [1, 2]
    assert table["start"].tolist()[1] == "07-20"
    assert table["ghi_kwh_m2_day"].tolist() == pytest.approx([0.5, 1.0])
    assert table["share_of_season"].tolist() == pytest.approx([0.5 / 2.25, 1.0 / 2.5])


def test_spells_of_impossible_length_are_refused():
    with pytest.raises(InputError, match="days: got 0; must be a whole number of days from 1 to 365"):
        low_resource_periods(generate(EL_PASO, years=1), days=(0, 3))
