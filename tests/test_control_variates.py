"""What correcting for luck can get wrong: a mean that is off, an error too small, events that count twice."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sitedesign as sd
from sitedesign.case.build import build_case
from sitedesign.case.plant import Plant
from sitedesign.certified.environment import environment_of
from sitedesign.certified.evaluator import Evaluator
from sitedesign.certified.scenario_years import temperature_of_many_years_c
from sitedesign.operation.environment import OperatingEnvironment
from sitedesign.operation.forecast import Forecast, climatology
from sitedesign.operation.outages.interruptions import beyond_of, in_use, interruptions
from sitedesign.operation.outages.rates import (
    FUEL,
    SITE,
    UNIT,
    FuelOutages,
    OutageConditions,
    OutageModel,
    UnitOutages,
)
from sitedesign.operation.outages.sampling import cold_chance, sample_outages
from sitedesign.operation.outages.year_cache import OutageYearCache
from sitedesign.operation.state import Controller, UnitBehaviour
from sitedesign.reliability.certificate_plan import CertificatePlan
from sitedesign.reliability.control_variates import LONG_RUN_YEARS, control_variates, corrected
from sitedesign.reliability.metrics import YearTable, metrics_of_years
from sitedesign.reliability.monte_carlo import monte_carlo
from sitedesign.reliability.weather_blocks import WeatherBlock
from sitedesign.weather.generate import daily_temperature_c
from tests import cases
from tests.slow_rest import slow_after
from tests.test_outages import year_climate

HOURS = 8760
GAS = FuelOutages("natural_gas", 0.5, 24.0, 0.8, 48.0, 0.02, -5.0)
MODEL = OutageModel(fuels=(GAS,), site_events_per_yr=0.4, site_event_h=8.0)


def winter(years, step_h=1.0, shift=0.0, seed=0):
    """Temperatures with the coldest days around New Year, of which a run cuts some interruptions short."""
    days = np.arange(365)
    usual = 5 - 11 * np.cos(2 * np.pi * (days - shift) / 365)
    rng = np.random.default_rng(seed)
    daily = usual + rng.normal(0, 1.0, (years, 365))
    many = usual + rng.normal(0, 1.0, (500, 365))
    climate = year_climate().with_many_years(many)
    per_day = round(24 / step_h)
    return OutageConditions(step_h, years, 0, np.repeat(daily.ravel(), per_day), climate)


def counted(model, conditions, draw=0, seed=0):
    sample = sample_outages(model, [], conditions, draw, seed)
    return interruptions(model, sample.step, sample.kind, sample.index, sample.change, conditions)


def test_hours_are_those_of_each_year_whatever_else_fails():
    conditions = OutageConditions(0.5, 2, 0, np.full(2 * 2 * HOURS, 15.0), year_climate())
    year = 2 * HOURS
    # Gas from the last four steps of the first year to the sixth of the second; a unit; the site to the end
    step = np.array([10, 20, year - 4, year + 6, 2 * year - 3, 2 * year])
    kind = np.array([UNIT, UNIT, FUEL, FUEL, SITE, SITE])
    change = np.array([1, -1, 1, -1, 1, -1])
    found = interruptions(MODEL, step, kind, np.zeros(6, int), change, conditions)
    assert found.met_h.tolist() == [[2.0, 0.0], [3.0, 1.5]]


@pytest.mark.parametrize(("years", "step_h"), slow_after(1, [(3, 0.5), (1, 1.0)]))
def test_as_many_hours_are_expected_as_come_in_the_mean_of_many_draws(years, step_h):
    conditions = winter(years, step_h)
    drawn = [counted(MODEL, conditions, draw) for draw in range(3000)]
    beyond = np.array([one.met_h - one.expected_h for one in drawn])
    assert drawn[0].expected_h[:, 0].min() > 24 * 0.5  # extreme cold is most of it
    error = beyond.std(axis=0, ddof=1) / len(drawn) ** 0.5
    assert (np.abs(beyond.mean(axis=0)) < 4 * error).all()
    assert (error < 0.06 * drawn[0].expected_h).all()


@pytest.mark.parametrize("years", [1, 2])
def test_the_mean_over_all_weather_is_that_of_many_years(years):
    runs = [winter(years, seed=0)]
    known = runs[0].climatology
    each = known.many_years_c.reshape(-1, years, 365)
    runs = [OutageConditions(1.0, years, 0, np.repeat(daily.ravel(), 24), known) for daily in each]
    expected = np.mean([counted(MODEL, run).expected_h.mean(axis=0) for run in runs], axis=0)
    assert counted(MODEL, runs[0]).usual_h == pytest.approx(expected, rel=1e-9 if years == 1 else 1e-3)


def test_where_more_years_are_not_known_the_weather_of_the_sample_is_what_there_is():
    conditions = winter(2)
    short = dataclasses.replace(conditions.climatology, many_years_c=np.zeros((0, 365)))
    found = counted(MODEL, dataclasses.replace(conditions, climatology=short))
    assert np.isnan(found.usual_h).tolist() == [True, False]
    assert found.beyond_h.shape == (2, 4)
    assert (found.beyond_h[:, 2:] == 0).all()


@pytest.mark.parametrize("mean_h", [0.0, 1e-4])
def test_interruptions_without_any_length_are_expected_to_last_no_time(mean_h):
    model = OutageModel(fuels=(FuelOutages("natural_gas", 0.0, 12.0, 0.8, mean_h, 0.02, -5.0),))
    found = counted(model, winter(2))
    assert found.expected_h[:, 0] == pytest.approx([0.0, 0.0], abs=1e-3)
    assert found.usual_h[0] == pytest.approx(0.0, abs=1e-3)


def test_a_fuel_that_no_unit_burns_is_not_asked_for():
    units = tuple(
        UnitOutages(name, fuel, 0.1, 24.0) for name, fuel in (("a", "natural_gas"), ("b", "diesel"))
    )
    model = dataclasses.replace(MODEL, units=units, fuels=(FuelOutages("diesel", 0.1), GAS))
    assert in_use(model, (2, 0)).tolist() == [False, True, True]
    assert in_use(model, (0, 3)).tolist() == [True, False, True]
    assert in_use(model.without("fuel", "site"), (0, 3)).tolist() == [False, False, False]
    assert in_use(model.without("fuel"), (1, 1)).tolist() == [False, True, True]


def test_a_single_year_has_the_same_hours_in_a_search():
    conditions = winter(4)
    temps = conditions.temp_air_c.reshape(4, -1)
    cache = OutageYearCache(MODEL, temps, 1.0, conditions.climatology, 7)
    rows = [2, 5, 0]
    for row, found in zip(rows, cache.beyond_h(rows, 0), strict=True):
        draw, year = divmod(row, 4)
        alone = OutageConditions(1.0, 1, year, temps[year], conditions.climatology)
        assert found == pytest.approx(counted(MODEL, alone, draw, 7).beyond_h[0])


def sampled(years, seed, columns=2):
    """Hours beyond the usual of rare events, and then of the weather."""
    rng = np.random.default_rng(seed)
    hours = (rng.random((years, columns)) < 0.4) * rng.exponential(20.0, (years, columns)) - 4.0
    return np.concatenate([hours, rng.gamma(0.5, 2.0, (years, columns)) - 1.0], axis=1)


@given(seed=st.integers(0, 10**6), years=st.integers(80, 300))
def test_weights_are_those_of_a_regression_and_bring_hours_to_what_is_usual(seed, years):
    beyond = sampled(years, seed)
    known = control_variates(beyond, years)
    weights = known.weights()
    assert weights.mean() == pytest.approx(1.0)
    more = LONG_RUN_YEARS / (years + LONG_RUN_YEARS)
    left = beyond.mean(axis=0) * np.array([0.0, 0.0, 1 - more, 1 - more])
    assert beyond.T @ weights / years == pytest.approx(left, abs=1e-9)
    values = np.random.default_rng(seed + 1).gamma(1.0, 1.0, years) + beyond @ [0.1, 0.0, 0.2, 0.3]
    line = np.linalg.lstsq(np.column_stack([np.ones(years), beyond]), values, rcond=None)[0]
    assert weights @ values / years == pytest.approx(line[0] + line[1:] @ left)


def test_events_too_few_to_read_an_effect_off_correct_nothing():
    """What is to be expected decides, not what came: else only samples with many events were corrected."""
    runs = [counted(MODEL, winter(5, seed=seed), seed) for seed in range(8)]
    site = [run.events[:, 1] for run in runs]
    assert np.concatenate(site) == pytest.approx(np.full(40, 0.4))
    cold = winter(5, seed=3)
    limit_c, chance = cold_chance(GAS, cold.climatology)
    days = (cold.daily_temp_c < limit_c).reshape(5, 365).sum(axis=1)
    assert runs[3].events[:, 0] == pytest.approx(0.5 + chance * days)
    every = np.concatenate([run.beyond_h for run in runs])
    assert (beyond_of(runs, 16.0) == every).all()  # 16 faults of the site are to be expected
    kept = beyond_of(runs, 16.1)
    assert (kept[:, ::2] == every[:, ::2]).all()
    assert (kept[:, 1::2] == 0).all()
    nothing = control_variates(np.zeros((5, 4)), 5)
    lost = np.arange(5.0)
    assert corrected(lost, nothing) is lost
    assert nothing.weights().tolist() == [1.0] * 5


def test_what_only_follows_the_events_is_known_without_any_error():
    beyond = sampled(100, 1)
    lost = 50 + 3.0 * beyond[:, 0] + 2.0 * beyond[:, 1]
    found = corrected(lost, control_variates(beyond, 100))
    assert found == pytest.approx(np.full(100, 50.0))


def test_where_nothing_would_be_left_nothing_is_corrected():
    beyond = np.zeros((60, 2))
    beyond[:30, 0] = 100.0
    lost = np.where(beyond[:, 0] > 0, 1.0, 0.0)  # half as much as the half that is expected of no events
    assert corrected(lost, control_variates(beyond, 60)) is lost
    none = np.zeros(60)
    assert corrected(none, control_variates(beyond, 60)) is none


def test_each_year_is_corrected_by_slopes_of_the_others():
    beyond = sampled(50, 4)
    known, values = control_variates(beyond, 50), np.random.default_rng(5).gamma(1.0, 1.0, (3, 50))
    found = known.without_luck(values)
    luck = known.luck + (1 - np.sqrt(known.open_share)) * known.centred
    for year in (0, 17, 49):
        others = np.arange(50) != year
        line = np.column_stack([np.ones(49), beyond[others]])
        slopes = np.linalg.lstsq(line, values[:, others].T, rcond=None)[0][1:]
        assert found[:, year] == pytest.approx(values[:, year] - luck[year] @ slopes)


@pytest.mark.slow
def test_a_mean_of_few_years_has_no_bias():
    # An effect that grows with the hours themselves, which no line describes, and slopes off eight draws
    found = []
    for seed in range(20_000):
        hours = np.random.default_rng(seed).exponential(1.0, 8)
        known = control_variates(np.column_stack([hours - 1.0, np.zeros(8)]), 8)
        found.append(known.without_luck(hours**2).mean())
    assert np.mean(found) == pytest.approx(2.0, abs=4 * np.std(found) / len(found) ** 0.5)


def table_of(lost, beyond, cluster):
    years = lost.size
    hours = np.full(years, 8760.0)
    return YearTable(cluster, hours, hours * 100.0, *(lost,) * 7, beyond_h=beyond)


@pytest.mark.slow
def test_intervals_are_narrower_and_contain_the_truth_as_often_as_they_say():
    # Loss: 3.6 h of interruptions a year, 90 % of them lost, of which weather has a share, and other things
    truth, years, draws = 0.9 * 4.0 * 100 + 50.0, 100, 2
    above, below, narrow, found = 0, 0, [], []
    for seed in range(400):
        rng = np.random.default_rng(seed)
        cold = np.repeat(rng.gamma(0.5, 4.0, years), draws)  # hours to be expected in the weather of a year
        n = years * draws
        events = (rng.random(n) < 0.1) * rng.exponential(20.0, n)
        by_cold = np.where(rng.random(n) < 0.1, cold * rng.exponential(10.0, n), 0.0)
        beyond = np.zeros((n, 2))
        # The mean of 2000 other years is not exact either
        known = rng.gamma(0.5, 4.0, LONG_RUN_YEARS).mean()
        beyond[:, 0], beyond[:, 1] = events + by_cold - 2.0 - cold, cold - known
        lost = 90.0 * (events + by_cold) + rng.gamma(0.5, 100.0, n)
        cluster = np.repeat(np.arange(years), draws)
        with_luck = metrics_of_years(table_of(lost, np.zeros((n, 0)), cluster), 0.0, seed).eue_mwh_per_yr
        without = metrics_of_years(table_of(lost, beyond, cluster), 0.0, seed).eue_mwh_per_yr
        narrow.append(without.standard_error / with_luck.standard_error)
        found.append(without.value)
        above += without.upper_bound(0.95) >= truth
        below += without.lower_bound(0.95) <= truth
    assert np.mean(found) == pytest.approx(truth, abs=4 * np.std(found) / 400**0.5)
    assert np.mean(narrow) < 0.5
    assert above / 400 >= 0.92
    assert below / 400 >= 0.92


def ideal_plant(years):
    """One unit that never fails on its own, and a load that needs all of it."""
    steps = years * HOURS
    case = cases.case(
        np.zeros(steps), 10.0, years=years, uptime_target=0.99, racks_max=20,
        backup=(cases.backup(steps, "recip", unit_mw=10.0, annual_cost_usd_per_unit=1e5, units_max=9),),
    )  # fmt: skip
    return WeatherBlock(case, np.full(steps, 15.0)), Plant((0.0,), 0.0, 0.0, (1,), 10)


MODEL_OF_ONE = OutageModel(
    units=(UnitOutages("recip", "natural_gas", 0.0, 24.0),),
    fuels=(FuelOutages("natural_gas", 0.5, 24.0),),
    site_events_per_yr=0.2,
    site_event_h=4.0,
)
IDEAL = (UnitBehaviour(fuel="natural_gas"),)


def test_an_uptime_that_only_supply_decides_is_known_exactly_by_certificate_and_search():
    block, plant = ideal_plant(80)
    around = OperatingEnvironment(
        climatology(block.case, block.temp_air_c),
        outages=MODEL_OF_ONE,
        unit_behaviours=IDEAL,
        forecast=Forecast(kind="climatology"),
    )
    gas, site = 0.5 * 24 / HOURS, 0.2 * 4 / HOURS
    gas, site = gas / (1 + gas), site / (1 + site)
    plan = CertificatePlan(draws=2, seed=5, attribute=False)
    done = monte_carlo(block, plant, Controller(), around, plan)
    met, expected = zip(
        *[(row.met_h_per_yr, row.expected_h_per_yr) for row in done.interruptions], strict=True
    )
    assert expected == pytest.approx((gas * HOURS, site * HOURS))
    assert [row.corrected for row in done.interruptions] == [True, True]
    assert "corrected for luck" in str(done)
    few = monte_carlo(block.first_years(20), plant, Controller(), around, plan)
    assert [row.corrected for row in few.interruptions] == [False, False]  # and nothing says it were
    assert "luck" not in str(few)
    assert few.metrics.compute.value == pytest.approx(1 - np.mean(few.power_lost_h_by_year) / HOURS)
    raw = 1 - np.mean(done.power_lost_h_by_year) / HOURS
    # Only where both are out at once, which is rare, does less get lost than the hours of both together
    assert raw == pytest.approx(1 - sum(met) / HOURS, abs=3e-6)
    assert abs(done.uptime.value - (1 - gas - site)) < 5e-6 < abs(raw - (1 - gas - site))
    assert done.uptime.standard_error < 5e-6
    evaluator = Evaluator([block], around, "rack", 5, draws=2)
    found = evaluator.evaluate(plant, Controller())
    assert found.uptime_by_class[0] == pytest.approx(1 - gas - site, abs=5e-6)
    assert found.standard_errors[0] < 5e-6
    assert evaluator.select_scenarios(plant, Controller()).uptime_by_class == found.uptime_by_class


@pytest.mark.parametrize(("latitude", "step_minutes"), [(31.8, 60), (60.2, 30), (-33.9, 15)])
def test_temperatures_of_many_years_are_those_of_generated_weather(latitude, step_minutes):
    site = sd.Site(latitude=latitude, longitude=19.0 if latitude < 50 else 25.0)
    weather = sd.Weather.generate(site, years=3, seed=11, step_minutes=step_minutes)
    daily = weather.temp_air_c.reshape(3, 365, -1).mean(axis=2)
    assert daily_temperature_c(site, 3, 11, step_minutes) == pytest.approx(daily, abs=1e-9)


def test_extreme_cold_is_as_frequent_as_the_library_says_whatever_years_a_study_has():
    site = sd.Site(latitude=31.76, longitude=-106.49)
    model, usual = OutageModel(fuels=(FuelOutages("gas", 0.0, 12.0, 0.05, 48.0),)), []
    for seed in (1, 2):
        study_case = build_case(sd.Study(site=site, racks=50, uptime=0.99, weather_years=3, seed=seed))
        climate = environment_of(study_case).climatology
        conditions = OutageConditions(1.0, 3, 0, study_case.weather.temp_air_c.ravel(), climate)
        usual.append(counted(model, conditions).usual_h)
    assert usual[0] == pytest.approx(usual[1])
    assert usual[0][0] == pytest.approx(0.05 * 48, rel=0.02)  # the end of three years cuts some short


def test_a_record_says_nothing_of_more_years_than_it_has():
    site = sd.Site(latitude=31.76, longitude=-106.49)
    weather = sd.Weather.generate(site, years=2, seed=0)
    measured = dataclasses.replace(weather, source=dataclasses.replace(weather.source, kind="file"))
    study_case = build_case(sd.Study(site=site, racks=50, uptime=0.99, weather=measured))
    assert temperature_of_many_years_c(study_case).shape == (0, 365)
    assert environment_of(study_case).climatology.many_years_c.size == 0


def test_the_limit_of_the_cold_is_a_quantile():
    days = np.sort(np.random.default_rng(0).normal(5, 8, 999))
    climate = dataclasses.replace(year_climate(), daily_temp_c=days)
    for quantile in (0.0, 0.01, 0.5, 1.0):
        assert climate.cold_limit_c(quantile) == pytest.approx(np.quantile(days, quantile))
