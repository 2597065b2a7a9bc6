"""Runs without some causes of failure: to the bit what runs of their own give, of days that can differ."""

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
from sitedesign.certified.scenario_years import weather_block
from sitedesign.operation import records, reruns
from sitedesign.operation.environment import OperatingEnvironment
from sitedesign.operation.forecast import Forecast, resource_factors
from sitedesign.operation.operate import operate
from sitedesign.operation.outages.rates import CAUSES, FuelOutages
from sitedesign.operation.outages.sampling import (
    BlockOutages,
    FarmOutages,
    OutageConditions,
    OutageModel,
    UnitOutages,
    sample_outages,
)
from sitedesign.operation.rack_restart import Restart
from sitedesign.operation.reruns import Reruns
from sitedesign.operation.state import Controller
from tests import test_operation_physics as physics

OFTEN = sd.WireOutages(interruptions_per_yr=3.0, interruption_h=4.0)
OF_THE_CALENDAR = {"grid_calls", "grid_wires"}  # which are part of the weather years
#: Fields of the records that no day takes over from the day before: what a plant is, what each step finds
#: anew, and what is only added up.
NOT_TAKEN_OVER = {
    "tech": {
        "row", "unit_mw", "units", "first_unit", "rated_firm_mw", "intercept", "start_steps",
        "start_failure", "start_beta", "start_lethal", "start_coupling", "start_common_steps",
        "start_repair_steps", "retry_steps", "retry_success", "start_key", "fuel", "min_load_mw",
        "fuel_inventory_max", "refill_rate", "delivery", "boil_off", "tracked", "min_load_fuel",
        "min_run_steps", "ramp_mw", "start_fuel_mwh", "service_every_h", "service_steps", "divisible",
        "notice_steps", "announced", "second_fuel", "second_fuel_share", "switch_steps", "first_level",
        "able_mw", "n_plan", "n_keep", "n_target", "n_lost", "unit_available_mw", "units_per_mw",
        "energy_mwh", "fuel_mwh", "starts",
    },
    "unit": {
        "start_key", "min_down_steps", "starts", "failed_starts",
    },
    "tier": {
        "share", "loss_per_mwh",
    },
    "sink": {
        "size_mw", "first_level", "wanted_mw",
    },
    "resource": {
        "size_mw", "blocks", "scale", "forecast_mw", "told_day", "told_steps", "observed", "expected",
    },
    "plant": {
        "step_h", "battery_mwh", "battery_mw", "mwh_per_mw_charge", "mwh_per_mw_discharge", "min_run_steps",
        "priced", "imports", "battery_blocks", "single_starts", "common_starts", "day", "day_of_year",
        "day_step", "power_mw", "capacity_mwh", "planned_at", "planned_until", "known_levels",
        "midnight_day", "midnight_levels", "serviced", "reserve", "n_minus", "load_step_mw",
        "spinning_share", "resource_share", "held_mwh_per_mw", "ride_failure", "first_step", "missed_starts",
    },
}  # fmt: skip


def walk(rng, count):
    """Sets of causes, each with a few more or less than the one before."""
    off, found = set(), []
    for _ in range(count):
        off = off ^ set(rng.choice(sorted(set(CAUSES) - OF_THE_CALENDAR), rng.integers(0, 3)).tolist())
        found.append(frozenset(off))
    return [*found, frozenset(CAUSES) - OF_THE_CALENDAR, frozenset()]


def compare(case, plant, rule, environment, outages, start_mwh, sets, *, operated_first=False):
    """Hold reruns against runs of their own."""
    factors = resource_factors(environment.forecast, environment.climatology, case, seed=1)
    again = Reruns(case, plant, rule, environment, outages, factors, start_mwh)
    if operated_first:
        everything = operate(
            case, plant, rule, environment, outages=outages, forecast_factors=factors, start_mwh=start_mwh
        )
        first = again.operated(record=True)
        for field in dataclasses.fields(first):
            mine, its = getattr(first, field.name), getattr(everything, field.name)
            if field.name == "dispatch":
                mine, its = mine.stored_mwh, its.stored_mwh
            assert np.array_equal(mine, its), field.name
    for off in sets:
        alone = operate(
            case, plant, rule, environment, outages=outages.without(off), forecast_factors=factors,
            start_mwh=start_mwh, record=False,
        )  # fmt: skip
        assert np.array_equal(again.lost_mwh(off), alone.lost_compute * case.load_mw * case.step_h), off
    return again


@st.composite
def surroundings(draw):
    """What is seldom asked of units and operators, beside what every plant has."""
    some = st.sampled_from
    ways = {
        "min_down_h": draw(some([0.0, 3.0, 30.0])),
        "ramp_per_min": draw(some([0.0, 0.005])),
        "start_fuel_h": draw(some([0.0, 0.3])),
        "service_every_h": draw(some([0.0, 0.0, 500.0])),
        "service_h": 20.0,
        "delivered_mmbtu_per_h": draw(some([None, None, 30.0])),
        "boil_off_per_day": draw(some([0.0, 0.01])),
        "start_failure": draw(some([0.0, 0.1, 0.3])),
        "start_beta": draw(some([0.1, 0.6])),
    }
    around = {
        "forecast": Forecast(draw(some(["skill", "perfect", "persistence"]))),
        "restart": draw(some([None, Restart(0.5, 2.0)])),
        "ride_through_failure": draw(some([0.0, 0.0, 0.1])),
    }
    rule = draw(some(["latest_safe_start", "greedy", "marginal_value"]))
    return ways, around, rule, draw(st.integers(0, 99))


@physics.FEW
@given(physics.plants(), surroundings())
def test_a_rerun_is_to_the_bit_what_a_run_of_its_own_gives(drawn, more):
    case, plant, ways, rule, outages = drawn
    units, around, kind, seed = more
    model = OutageModel(fuels=tuple(FuelOutages(fuel) for fuel in physics.FUELS))
    ways = tuple(dataclasses.replace(way, **units) for way in ways)
    climate = dataclasses.replace(physics.usual_of(case), past=case)
    environment = OperatingEnvironment(climate, model, ways, **around)
    sets = walk(np.random.default_rng(seed), 6)
    start = 0.5 * plant.battery_mwh
    rule = dataclasses.replace(rule, kind=kind)
    compare(case, plant, rule, environment, outages, start, sets, operated_first=seed % 2 == 0)


@pytest.mark.parametrize("practice", ["plain", "careful"])
@pytest.mark.parametrize("kind", ["latest_safe_start", "marginal_value"])
def test_reruns_of_a_hub_are_what_runs_of_their_own_give(kind, practice):
    """Wind that ices up, a grid that calls, a second fuel, prices, a reserve."""
    study = sd.Study(
        site=sd.Site(latitude=44.98, longitude=-93.27), racks=60, uptime=0.99, weather_years=2, seed=3,
        backup=["mobile_gt_dual", "recip_fast"], wind=["onshore_6mw_170"], practice=practice,
        grid=sd.Grid(mw=(8, 8), kind="flexible", tariff="ercot", outages=OFTEN),
    )  # fmt: skip
    study_case = build_case(study)
    case, environment = study_case.case, environment_of(study_case)
    fuels = tuple(
        dataclasses.replace(f, interruption_events_per_yr=6.0, cold_event_per_yr=3.0)
        for f in environment.outages.fuels
    )
    environment = dataclasses.replace(
        environment, outages=dataclasses.replace(environment.outages, fuels=fuels)
    )
    plant = Plant((15.0, 10.0), 40.0, 6.0, tuple(2 for _ in case.backup), 62, (8.0,))
    block = weather_block(study_case)
    conditions = OutageConditions(case.step_h, 2, 0, block.temp_air_c, environment.climatology)
    outages = sample_outages(environment.outages, plant.units, conditions, 0, 1, plant.resources_mw)
    sets = walk(np.random.default_rng(4), 8)
    compare(
        case, plant, Controller(kind), environment, outages, 10.0, sets, operated_first=practice == "plain"
    )


def test_what_a_sample_without_a_cause_holds_is_what_a_model_without_it_brings_about():
    model = OutageModel(
        units=(
            UnitOutages("a", "gas", 0.1, 20.0, None, 0.05, 0.3, 12.0, 0.5, 0.5),
            UnitOutages("b", "oil", 0.1, 20.0, None, 0.05, 0.3, 12.0, 0.5, 0.5),
        ),
        fuels=(FuelOutages("gas", 9.0, 40.0, 9.0, 40.0), FuelOutages("oil", 9.0, 40.0, 9.0, 40.0)),
        battery=BlockOutages(4, 0.05, 24.0, 0.01),
        solar=BlockOutages(4, 0.05, 24.0),
        site_events_per_yr=5.0,
        farms=(FarmOutages(1, "farm", 5.0, 0.95, 72.0, 5.0, 0.2, 12.0),),
    )
    rng = np.random.default_rng(2)
    temp_c = 10.0 + 15.0 * rng.standard_normal(3 * 365).repeat(24)
    usual = physics.usual_of(physics.flat(10.0))
    usual = dataclasses.replace(usual, daily_temp_c=np.sort(temp_c[::24]))
    conditions = OutageConditions(1.0, 3, 0, temp_c, usual)
    everything = sample_outages(model, [3, 2], conditions, 1, 5, (10.0, 40.0))
    causes = set(CAUSES) - OF_THE_CALENDAR - {"starts", "common_starts"}
    assert {CAUSES[number] for number in set(everything.cause.tolist())} == causes
    for off in [{cause} for cause in CAUSES] + [{"fuel", "units", "site"}, {"common_cause", "cold"}, causes]:
        alone = sample_outages(model.without(*off), [3, 2], conditions, 1, 5, (10.0, 40.0))
        for field in dataclasses.fields(alone):
            here = getattr(everything.without(off), field.name)
            assert np.array_equal(here, getattr(alone, field.name)), (off, field.name)


def test_days_that_nothing_can_change_are_left_out():
    case, plant = physics.flat(15.0), Plant((0.0,), 0.0, 0.0, (3,), 10)
    model = OutageModel(units=(UnitOutages("t", "", 0.0, 20.0),), site_events_per_yr=3.0)
    environment = OperatingEnvironment(physics.usual_of(case), model)
    conditions = OutageConditions(1.0, 1, 0, np.full(case.steps, 15.0), environment.climatology)
    outages = sample_outages(model, plant.units, conditions, seed=2)
    days = np.unique(outages.step // 24)
    assert 2 <= days.size <= 10
    again = compare(case, plant, Controller(), environment, outages, 0.0, [frozenset()])
    operated = again._output.shed_mw
    operated[:] = -1.0  # what is not operated stays so
    again.lost_mwh({"site"})
    found = np.flatnonzero((operated >= 0.0).reshape(365, 24).any(axis=1))
    assert set(days.tolist()) <= set(found.tolist()) <= {*days.tolist(), *(days + 1).tolist()}
    operated[:] = -1.0
    again.lost_mwh({"site", "planned"})  # of which there are none
    assert (operated == -1.0).all()


@pytest.mark.parametrize(("name", "record"), [
    ("tech", records.TECH), ("unit", records.UNIT), ("tier", records.TIER), ("sink", records.SINK),
    ("resource", records.RESOURCE), ("plant", records.PLANT),
])  # fmt: skip
def test_of_every_field_of_a_record_it_is_known_whether_a_day_takes_it_over(name, record):
    taken_over = {*reruns.CARRIED[name], *reruns.UNTIL.get(name, ())}
    taken_over |= set(reruns.OF_SERVICES if name == "unit" else ())
    taken_over |= set(reruns.OF_RIDE_THROUGH if name == "plant" else ())
    assert taken_over.isdisjoint(NOT_TAKEN_OVER[name])
    assert taken_over | NOT_TAKEN_OVER[name] == set(record.names)
    # All are seen as words of one memory, those of steps as numbers
    assert record.itemsize == 8 * len(record.names)
    assert all(record[field] == np.float64 for field in reruns.UNTIL.get(name, ()))
