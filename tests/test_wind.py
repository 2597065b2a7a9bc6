"""Generated wind and the yield of turbines: tied to the sun, the same for everybody, physical."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm, rankdata

import sitedesign as sd
from sitedesign.case.build import build_case
from sitedesign.case.wind_farm import wind_farm
from sitedesign.components.wind import wind_yield
from sitedesign.finance.annual_cost import capital_recovery_factor, wind_cost
from sitedesign.optimize.benders import solve_cuts
from sitedesign.report.study_toml import study_toml
from sitedesign.weather.climate.wind import wind_climate, wind_climate_fault
from sitedesign.weather.farm_curve import farm_power
from sitedesign.weather.solar_geometry import solar_geometry
from sitedesign.weather.wind_aloft import WindAloft, air_density_kg_m3

WEST_TEXAS = sd.Site(latitude=32.5, longitude=-100.0)
PLACES = {
    "West Texas": WEST_TEXAS,
    "Iowa": sd.Site(latitude=42.0, longitude=-93.5),
    "Ohio": sd.Site(latitude=40.0, longitude=-83.0),
    "Houston": sd.Site(latitude=29.7, longitude=-95.4),
    "northern Minnesota": sd.Site(latitude=47.5, longitude=-92.5),
    "Wyoming": sd.Site(latitude=41.8, longitude=-106.5),
}
TURBINE = sd.library.wind("onshore_6mw_170")
SEASONS = np.repeat(
    np.array([0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 0]), [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
)


# Generated --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step_minutes", [15, 60])
def test_the_sun_is_the_same_to_the_byte_with_and_without_wind(step_minutes):
    alone = sd.Weather.generate(WEST_TEXAS, years=2, seed=7, step_minutes=step_minutes)
    both = sd.Weather.generate(WEST_TEXAS, years=2, seed=7, step_minutes=step_minutes, wind=True)
    for name in ("ghi_w_m2", "dni_w_m2", "dhi_w_m2", "temp_air_c", "wind_speed_m_s"):
        assert getattr(alone, name).tobytes() == getattr(both, name).tobytes()
    assert alone.wind_aloft is None
    assert alone.source.notes == both.source.notes[:-2]


@pytest.mark.parametrize("step_minutes", [5, 60])
def test_first_years_of_a_long_run_are_those_of_a_short_one(step_minutes):
    long, short = (
        sd.Weather.generate(WEST_TEXAS, years=years, seed=3, step_minutes=step_minutes, wind=True).wind_aloft
        for years in (3, 1)
    )
    assert long.speed_m_s[:, :1].tobytes() == short.speed_m_s.tobytes()


def test_seeds_decide_and_nothing_else():
    first, again, other = (
        sd.Weather.generate(WEST_TEXAS, years=1, seed=seed, wind=True).wind_aloft.speed_m_s
        for seed in (1, 1, 2)
    )
    assert first.tobytes() == again.tobytes()
    assert np.corrcoef(first.ravel(), other.ravel())[0, 1] < 0.4


def test_days_are_the_same_at_every_step_length():
    hourly, fine = (
        sd.Weather.generate(WEST_TEXAS, years=3, seed=1, step_minutes=step, wind=True).wind_aloft.speed_m_s[0]
        for step in (60, 10)
    )
    by_hour = fine.reshape(3, 8760, 6).mean(axis=2)
    assert np.corrcoef(by_hour.ravel(), hourly.ravel())[0, 1] > 0.99
    assert by_hour.mean() == pytest.approx(hourly.mean(), rel=2e-3)
    assert fine.std() == pytest.approx(hourly.std(), rel=0.01)  # every step has the hour's distribution


@pytest.mark.parametrize("place", PLACES)
def test_the_long_term_yield_is_that_of_the_level_table(place):
    weather = sd.Weather.generate(PLACES[place], years=60, seed=1, wind=True)
    net = float(wind_yield(weather, TURBINE).mean()) * TURBINE.availability
    assert net == pytest.approx(wind_climate(PLACES[place]).net_capacity_factor, abs=0.01)


@pytest.mark.parametrize("place", ["West Texas", "Ohio", "Houston"])
def test_wind_is_tied_to_clearness_as_the_tables_say(place):
    site = PLACES[place]
    years = 200
    weather = sd.Weather.generate(site, years=years, seed=5, wind=True)
    climate = wind_climate(site)
    clearness = _scores(weather.ghi_daily_kwh_m2 / solar_geometry(site).h0_kwh_m2_day)
    # The speed's own scores: its course over the day and year taken off.
    wind = _scores(weather.wind_aloft.speed_m_s[0].reshape(years, 365, 24).mean(axis=2))
    for season in range(4):
        here = season == SEASONS
        found = float((clearness[:, here] * wind[:, here]).mean())
        assert found == pytest.approx(climate.with_clearness[here].mean(), abs=0.03)
    before = float((clearness.ravel()[:-1] * wind.ravel()[1:]).mean())
    assert before == pytest.approx(climate.with_clearness_before, abs=0.03)


def test_the_darkest_and_the_brightest_days_of_the_high_plains_are_calm():
    site = sd.Site(latitude=33.0, longitude=-101.0)
    weather = sd.Weather.generate(site, years=100, seed=2, wind=True)
    clearness = _scores(weather.ghi_daily_kwh_m2 / solar_geometry(site).h0_kwh_m2_day)
    wind = _scores(weather.wind_aloft.speed_m_s[0].reshape(100, 365, 24).mean(axis=2))
    winter = np.broadcast_to(SEASONS == 0, wind.shape)
    dark, bright, usual = (wind[winter & part].mean() for part in (
        clearness < -1.28, clearness > 1.28, np.abs(clearness) < 0.5
    ))  # fmt: skip
    assert -0.5 < dark < -0.1
    assert max(dark, bright) < usual


def _scores(values: np.ndarray) -> np.ndarray:
    """Normal scores by calendar day, shape of `values` (years, 365)."""
    ranks = np.apply_along_axis(rankdata, 0, values)
    return norm.ppf((ranks - 0.5) / len(values))


def test_months_and_hours_follow_the_tables():
    climate = wind_climate(WEST_TEXAS)
    speed = sd.Weather.generate(WEST_TEXAS, years=100, seed=1, wind=True).wind_aloft.speed_m_s[0]
    by_day = speed.mean(axis=0).reshape(365, 24)
    spring, summer = by_day[75:135].mean(), by_day[195:255].mean()
    wanted = climate.relative_speed[75:135].mean() / climate.relative_speed[195:255].mean()
    assert spring / summer == pytest.approx(wanted, rel=0.02)
    # By night the wind at the hub of the plains in summer is strongest, by day weakest.
    course = by_day[152:244].mean(axis=0)
    assert course[[22, 23, 0, 1]].mean() > 1.15 * course[9:13].mean()


def test_the_notes_name_worst_spells_level_and_doubt():
    weather = sd.Weather.generate(WEST_TEXAS, years=1, wind=True)
    worst, note = weather.source.notes[-2:]
    mix = wind_yield(weather, TURBINE) / wind_yield(weather, TURBINE).mean()
    mix = (mix + weather.ghi_w_m2 / weather.ghi_w_m2.mean()).reshape(365, 24).mean(axis=1) / 2
    calmest = np.convolve(mix, np.ones(10) / 10, "valid").min()
    assert f"10 days {calmest:.2f} of its mean" in worst
    assert "115 m" in note
    assert "Screening source" in note
    assert f"{wind_climate(WEST_TEXAS).net_capacity_factor:.3f}" in note


# Elsewhere --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("latitude", "longitude", "where"),
    [
        (61.2, -149.9, "Alaska or Hawaii"),
        (19.7, -155.1, "Alaska or Hawaii"),
        (48.86, 2.35, "abroad"),
        (-33.9, 151.0, "abroad"),
        (25.67, -100.31, "abroad"),
        (49.9, -97.1, "abroad"),
    ],
)
def test_places_without_a_wind_climate_are_refused_with_the_remedy(latitude, longitude, where):
    site = sd.Site(latitude=latitude, longitude=longitude)
    fault = wind_climate_fault(site)
    assert where in fault.found
    assert "km from the nearest cell" in fault.found
    assert "Give a file" in fault.remedy
    with pytest.raises(sd.InputError, match="Give a file"):
        sd.Weather.generate(site, years=1, wind=True)


def test_the_sea_is_refused_near_a_cell_too():
    sea = sd.Site(latitude=40.9, longitude=-71.3, timezone="America/New_York", elevation_m=0)
    assert "at sea" in wind_climate_fault(sea).found


def test_land_near_the_border_has_its_neighbours_wind():
    assert wind_climate_fault(sd.Site(latitude=31.69, longitude=-106.42)) is None  # Ciudad Juarez


# Yield ------------------------------------------------------------------------------------------------------


def weather_with(speed: float, *, height: float = 115.0, temp_c: float = 10.0, **wind: object) -> sd.Weather:
    """One year of constant wind."""
    weather = sd.Weather.generate(WEST_TEXAS, years=1)
    aloft = WindAloft((height,), np.full((1, 1, 8760), speed), "constant", **wind)
    return replace(weather, temp_air_c=np.full((1, 8760), temp_c), wind_aloft=aloft)


def remaining() -> float:
    return (
        (1 - TURBINE.wake_loss_fraction)
        * (1 - TURBINE.electrical_loss_fraction)
        * (1 - TURBINE.performance_loss_fraction)
    )


@pytest.mark.parametrize("name", sd.library.names("wind"))
def test_a_farm_smooths_the_curve_of_a_turbine(name):
    curve = sd.library.wind(name).power_curve
    speed = np.linspace(0, 45, 901)
    power = farm_power(speed, curve)
    assert power.min() >= 0
    assert power.max() <= 1
    assert (power[speed > curve[-1][0] + 3] < 1e-4).all()
    straight = np.interp(speed, *zip(*curve, strict=True), left=0, right=0)
    assert np.trapezoid(power, speed) == pytest.approx(np.trapezoid(straight, speed), rel=1e-3)
    middle = (speed > 14.5) & (speed < curve[-1][0] - 4)
    np.testing.assert_allclose(power[middle], 1, atol=2e-3)


def test_dense_air_carries_more_power():
    light, heavy = (
        wind_yield(weather_with(8.0, density_kg_m3=np.full((1, 8760), rho), density_height_m=115.0), TURBINE)[
            0, 0
        ]
        for rho in (1.0, 1.225)
    )
    assert heavy == pytest.approx(remaining() * farm_power(np.array([8.0]), TURBINE.power_curve)[0])
    shifted = farm_power(np.array([8.0 * (1 / 1.225) ** (1 / 3)]), TURBINE.power_curve)[0]
    assert light == pytest.approx(remaining() * shifted)
    assert air_density_kg_m3(0) == pytest.approx(1.225, abs=1e-3)
    assert air_density_kg_m3(2000) == pytest.approx(1.0066, abs=1e-3)  # US Standard Atmosphere 1976


@pytest.mark.parametrize("hub", [90.0, 115.0, 140.0])
def test_one_height_is_carried_to_the_hub_by_the_shear_given(hub):
    turbine = TURBINE.replace(hub_height_m=hub)
    given = wind_yield(weather_with(7.0, shear_exponent=0.3), turbine)[0, 0]
    straight = wind_yield(weather_with(7.0 * (hub / 115) ** 0.3, height=hub), turbine)[0, 0]
    assert given == pytest.approx(straight, rel=1e-9)


def test_two_heights_give_the_exponent_of_every_hour():
    low, high = np.array([4.0, 6.0, 5.0, 0.0]), np.array([5.0, 6.0, 12.0, 0.2])
    wind = WindAloft((50.0, 100.0), np.stack([low, high])[:, None, :], "two")
    between = wind.speed_at(70.71067811865476)[0]  # the geometric middle
    np.testing.assert_allclose(between[:3], np.sqrt(low * high)[:3])
    assert between[3] == pytest.approx(0.1)
    exponent = np.clip(np.log(high[:3] / low[:3]) / np.log(2), 0, 0.5)
    np.testing.assert_allclose(wind.speed_at(120.0)[0][:3], high[:3] * 1.2**exponent)
    np.testing.assert_allclose(wind.speed_at(40.0)[0][:3], low[:3] * 0.8**exponent)
    np.testing.assert_array_equal(wind.speed_at(100.0)[0], high)


@pytest.mark.parametrize(
    ("height", "refused"), [(10.0, True), (2.0, True), (50.0, True), (80.0, False), (100.0, False)]
)
def test_wind_near_the_ground_needs_a_shear_from_somebody_who_knows_it(height, refused):
    weather = weather_with(6.0, height=height)
    if not refused:
        assert wind_yield(weather, TURBINE).mean() > 0
        return
    with pytest.raises(sd.InputError, match="shear_exponent"):
        wind_yield(weather, TURBINE)
    assert wind_yield(weather_with(6.0, height=height, shear_exponent=0.2), TURBINE).mean() > 0


def test_two_heights_near_the_ground_are_refused_too():
    wind = WindAloft((2.0, 10.0), np.full((2, 1, 8760), 5.0), "mast")
    weather = replace(weather_with(5.0), wind_aloft=wind)
    with pytest.raises(sd.InputError, match="wind at 2, 10 m for a hub at 115 m"):
        wind_yield(weather, TURBINE)


@pytest.mark.parametrize(
    ("temp_c", "humidity", "runs"),
    [(-19.9, None, True), (-20.1, None, False), (-1.0, 0.96, False), (-1.0, 0.94, True), (1.0, 0.99, True)],
)
def test_cold_and_ice_stop_the_farm(temp_c, humidity, runs):
    series = None if humidity is None else np.full((1, 8760), humidity)
    weather = weather_with(9.0, temp_c=temp_c, humidity_fraction=series)
    assert (wind_yield(weather, TURBINE) > 0).all() == runs


def test_weather_without_wind_is_refused_with_both_ways_out():
    with pytest.raises(sd.InputError) as caught:
        wind_yield(sd.Weather.generate(WEST_TEXAS, years=1), TURBINE)
    assert "wind=True" in str(caught.value)
    assert "with_wind" in str(caught.value)


def test_a_farm_costs_its_capital_its_upkeep_and_the_land_it_takes():
    finance = sd.library.finance()
    cost = wind_cost(TURBINE, finance, 0.3)
    acres = 0.015 / 0.0109
    assert cost.capital_usd == pytest.approx(1.7e6 + acres * finance.land_usd_per_acre)
    assert cost.credit_usd == pytest.approx(0.3 * 1.7e6)
    recovery = capital_recovery_factor(finance.wacc_power_real, 30)
    assert cost.capital_usd_per_yr == pytest.approx(0.7 * 1.7e6 * recovery)
    land = acres * finance.land_usd_per_acre * finance.wacc_power_real
    assert cost.fixed_usd_per_yr == pytest.approx(34_000 + land)


@pytest.fixture(scope="module")
def windy_case():
    """Two years of west Texas for 100 racks: the case, and the farm that could stand beside its array."""
    weather = sd.Weather.generate(WEST_TEXAS, years=2, seed=1, wind=True)
    study = sd.Study(site=WEST_TEXAS, racks=100, uptime=0.99, weather=weather)
    case = build_case(study).case
    cost = wind_cost(TURBINE, study.finance, 0.0)
    return study, weather, case, wind_farm(study, weather, TURBINE, cost, case.load_mw)


def test_a_farm_is_a_resource_of_the_case(windy_case):
    study, weather, case, farm = windy_case
    share = TURBINE.availability * study.path.generator_to_bus_efficiency
    np.testing.assert_allclose(farm.yield_mw_per_mw, share * wind_yield(weather, TURBINE).ravel())
    assert farm.name == "onshore_6mw_170"
    assert (farm.lead_months, farm.acres_per_mw) == (24, pytest.approx(1.376, abs=1e-3))
    calmest = farm.yield_mw_per_mw.reshape(-1, 240)[: farm.yield_mw_per_mw.size // 240].mean(axis=1).min()
    assert farm.bounds_mw[1] >= case.load_mw.mean() / calmest
    assert np.isfinite(farm.bounds_mw[1])
    cost = wind_cost(TURBINE, study.finance, 0.0)
    given = wind_farm(study, weather, TURBINE, cost, case.load_mw, (10.0, 50.0))
    assert (given.bounds_mw, given.widest_mw) == ((10.0, 50.0), 50.0)


def test_wind_beside_sun_is_never_dearer_and_is_built_in_west_texas(windy_case):
    _, _, case, farm = windy_case
    alone, both = solve_cuts(case), solve_cuts(replace(case, resources=(*case.resources, farm)))
    assert both.bound_usd_per_yr <= alone.objective_usd_per_yr
    assert both.objective_usd_per_yr < 0.98 * alone.objective_usd_per_yr
    assert both.plant.resources_mw[1] > 0


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"heights_m": (100.0, 80.0)}, "rising heights"),
        ({"heights_m": (80.0,)}, "must have the shape"),
        ({"speed_m_s": np.full((2, 1, 8760), np.nan)}, "values that are not"),
        ({"speed_m_s": np.full((2, 1, 8760), -1.0)}, "values that are not"),
        ({"speed_m_s": "windy"}, "must be numbers"),
        ({"density_kg_m3": np.ones((1, 10))}, "must have the shape"),
        ({"shear_exponent": 2.0}, "at most 0.6"),
    ],
)
def test_wind_that_is_none_is_refused(change, cause):
    good = {"heights_m": (80.0, 100.0), "speed_m_s": np.full((2, 1, 8760), 7.0), "source": "made"}
    with pytest.raises(sd.InputError, match=cause):
        WindAloft(**(good | change))


def test_wind_on_another_grid_than_its_weather_is_refused():
    weather = sd.Weather.generate(WEST_TEXAS, years=2)
    with pytest.raises(sd.InputError, match="of the weather"):
        replace(weather, wind_aloft=WindAloft((100.0,), np.full((1, 1, 8760), 7.0), "one year"))


@pytest.mark.parametrize(
    ("curve", "cause"),
    [
        (((3.0, 0.0), (12.0, 1.0)), "must begin at 0, reach 1 and end at 0"),
        (((3.0, 0.1), (12.0, 1.0), (25.0, 0.0)), "must begin at 0"),
        (((3.0, 0.0), (12.0, 0.5), (25.0, 0.0)), "Divide by rated power"),
        (((25.0, 0.0), (12.0, 1.0), (3.0, 0.0)), "must rise"),
    ],
)
def test_a_power_curve_that_is_none_is_refused(curve, cause):
    with pytest.raises(sd.InputError, match=cause):
        TURBINE.replace(power_curve=curve)


# Asked for --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def windy_study():
    return sd.Study(
        site=WEST_TEXAS, racks=100, uptime=0.99, weather_years=2, wind="onshore_6mw_170", region=None
    )


@pytest.fixture(scope="module")
def windy_design(windy_study):
    return sd.solve(windy_study, certify=False)


def test_a_study_builds_wind_and_pays_for_it(windy_design):
    mw = windy_design.resources_mw["onshore_6mw_170"]
    assert mw > 5
    assert windy_design.cost_usd_per_yr == pytest.approx(windy_design.bound, rel=2e-4)
    spent = {item.name: item for item in windy_design.costs if item.asset == "onshore_6mw_170"}
    assert sum(item.capital_usd for item in spent.values()) == pytest.approx(
        mw * (1.7e6 + 0.015 / 0.0109 * 3000)
    )
    assert windy_design.months_to_power == 24


def test_a_design_with_wind_is_saved_reported_and_asked_again(windy_design, windy_study, tmp_path):
    windy_design.save(tmp_path / "design.json")
    assert sd.Design.load(tmp_path / "design.json").resources_mw == windy_design.resources_mw
    windy_design.report(tmp_path / "design.html")
    assert "onshore_6mw_170" in (tmp_path / "design.html").read_text(encoding="utf-8")
    (tmp_path / "study.toml").write_text(study_toml(windy_design))
    assert sd.read_study(tmp_path / "study.toml").wind == windy_study.wind


def test_a_given_plant_with_wind_is_evaluated(windy_study, windy_design):
    plant = {"solar_mw": 5.0, "battery_mwh": 5.0, "battery_mw": 2.0, "backup": {"recip_medium": 1}}
    without, with_wind = (
        sd.evaluate(windy_study, operation="foresight", wind_mw=wind, **plant)
        for wind in (None, {"onshore_6mw_170": 15.0})
    )
    assert with_wind.co2_t_per_yr < 0.8 * without.co2_t_per_yr
    with pytest.raises(sd.InputError, match="Did you mean 'onshore_6mw_170'"):
        sd.evaluate(windy_study, wind_mw={"onshore_6mw": 15.0}, **plant)
    assert windy_design.cost_usd_per_yr <= with_wind.cost_usd_per_yr + 1


@pytest.mark.parametrize(
    ("asked", "cause"),
    [
        ({"wind": "onshore_6mw_17"}, "Did you mean 'onshore_6mw_170'"),
        ({"wind": ["onshore_6mw_170"] * 2}, "twice"),
        ({"wind": {"onshore_6mw_170": 3}}, "must be names of technologies"),
        ({"wind": ["tracker_ac"]}, "must be one of onshore"),
        ({"site": sd.Site(latitude=48.86, longitude=2.35), "wind": "onshore_6mw_170"}, "Give a file"),
        ({"weather": sd.Weather.generate(WEST_TEXAS, years=1), "wind": "onshore_6mw_170"}, "wind=True"),
        ({"solar_profile": [0.2] * 8760, "wind": "onshore_6mw_170"}, "of the same days"),
    ],
)
def test_wind_that_cannot_be_asked_for_is_refused_before_any_solver(asked, cause):
    with pytest.raises(sd.InputError, match=cause):
        sd.Study(**({"site": WEST_TEXAS, "racks": 100, "uptime": 0.99} | asked))


def test_wind_that_comes_too_late_or_takes_too_much_land_is_not_built(windy_study):
    soon = sd.solve(windy_study.replace(limits={"months_to_power": 20}), certify=False)
    assert soon.resources_mw["onshore_6mw_170"] == 0
    narrow = sd.solve(windy_study.replace(limits={"land_acres": 7.0}), certify=False)
    assert 0 < narrow.resources_mw["onshore_6mw_170"] <= 7.0 / (0.015 / 0.0109) + 1e-6
