"""Units that burn a second fuel from a tank while the first is interrupted: price, tank, sizing."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import numpy as np
import pytest

import sitedesign as sd
from sitedesign.api.tanks import with_best_tanks
from sitedesign.case.build import build_case
from sitedesign.case.case import Case, PriceLevel
from sitedesign.case.plant import Plant
from sitedesign.certified.environment import environment_of
from sitedesign.certified.scenario_years import weather_block
from sitedesign.certified.starting_points import _on_second_fuel, sampled_outage_case
from sitedesign.errors import InputError
from sitedesign.finance import annual_cost
from sitedesign.operation.environment import OperatingEnvironment
from sitedesign.operation.forecast import climatology
from sitedesign.operation.operate import operate
from sitedesign.operation.outages.sampling import (
    CAUSES,
    FUEL,
    FuelOutages,
    OutageModel,
    OutageSample,
    UnitOutages,
    interrupted,
)
from sitedesign.operation.state import Controller, UnitBehaviour
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.extensive_form import solve_extensive
from tests.cases import backup
from tests.cases import case as case_of
from tests.report_designs import make_certificate, make_design

SITE = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX", elevation_m=1140)
LIBRARY = sd.library
DUAL, ALONE = LIBRARY.backup("mobile_gt_dual"), LIBRARY.backup("mobile_gt")
GAS, DIESEL = LIBRARY.fuel("natural_gas"), LIBRARY.fuel("diesel")


def study(*backup: Any, **changes: Any) -> sd.Study:
    asked = {"racks": 130, "uptime": 0.999, "weather_years": 1, "seed": 3, "region": None}
    return sd.Study(site=SITE, backup=list(backup) or ["mobile_gt_dual"], **(asked | changes))


# Price ------------------------------------------------------------------------------------------------------


def test_second_level_is_priced_by_its_own_heat_rate_and_carbon() -> None:
    asked = study(co2_price_usd_per_t=40, fuel_price_usd_per_mmbtu={"diesel": 30})
    (unit,) = build_case(asked).case.backup
    (level,) = unit.other_levels
    path = asked.path.generator_to_bus_efficiency
    heat = level.fuel_mmbtu_per_mwh / (10.25 / path)
    assert heat == pytest.approx(unit.fuel_mmbtu_per_mwh / (10.5 / path), rel=1e-12)  # hot air, as on gas
    assert level.name == "diesel"
    assert level.co2_t_per_mwh == pytest.approx(level.fuel_mmbtu_per_mwh * 0.07396)
    assert level.usd_per_mwh == pytest.approx(
        level.fuel_mmbtu_per_mwh * 30 + 10 / path + 40 * level.co2_t_per_mwh
    )
    assert unit.active_level is None  # nothing is interrupted before failures are drawn
    assert build_case(study("mobile_gt")).case.backup[0].other_levels == ()


def test_tank_is_paid_by_its_hours() -> None:
    """48 h at 16.5 MW less 3 %, 10,250 Btu/kWh, 36.23 USD/MMBtu; a study may ask for other hours."""
    asked = study()

    def unit(hours: float | None) -> annual_cost.AnnualCost:
        one = asked if hours is None else study(tank_h={"mobile_gt_dual": hours})
        fuel, second = one.fuel(DUAL), one.second_fuel(DUAL)
        return annual_cost.backup_unit_cost(DUAL, fuel, one.finance, 0.0, second)

    per_h = 16.5 * 0.97 * 10.25 * DIESEL.storage_usd_per_mmbtu
    assert unit(None).capital_usd - unit(0).capital_usd == pytest.approx(48 * per_h)
    assert unit(72).capital_usd - unit(48).capital_usd == pytest.approx(24 * per_h)
    alone = annual_cost.backup_unit_cost(ALONE, asked.fuel(ALONE), asked.finance, 0.0)
    assert unit(0).capital_usd - alone.capital_usd == pytest.approx(16_500 * 70)
    assert asked.second_fuel(ALONE) is None
    cost = build_case(study(tank_h={"mobile_gt_dual": 96})).unit_costs.backup[0]
    assert cost.capital_usd == pytest.approx(unit(96).capital_usd)


def test_hours_of_a_tank_are_also_those_of_diesel_sets() -> None:
    asked = study("diesel", "mobile_gt_dual", tank_h={"diesel": 24})
    diesel = LIBRARY.backup("diesel")
    assert asked.fuel(diesel).storage_h == 24
    assert asked.second_fuel(DUAL).storage_h == DUAL.second_fuel_tank_h == 48  # type: ignore[union-attr]
    assert asked.fuel(DUAL).storage_h == GAS.storage_h == 0
    with pytest.raises(InputError, match="burns from a tank: diesel, mobile_gt_dual"):
        study("diesel", "mobile_gt_dual", "mobile_gt", tank_h={"mobile_gt": 5})
    with pytest.raises(InputError, match=r"tank_h\.diesel"):
        study(tank_h={"diesel": 5})


def test_behaviour_takes_tank_derate_and_change_over() -> None:
    asked = study(co2_price_usd_per_t=10)
    way = UnitBehaviour.from_library(DUAL, asked.fuel(DUAL), asked.facility, 10, asked.second_fuel(DUAL))
    assert (way.fuel, way.storage_h, way.refill_h_per_h) == ("natural_gas", 48, DIESEL.refill_h_per_h)
    assert (way.second_fuel_derate, way.switch_h) == (-0.03, 0.05)
    assert way.second_fuel_usd_per_mmbtu == pytest.approx(DIESEL.price_usd_per_mmbtu + 0.7396)
    assert way.fuel_usd_per_mmbtu == pytest.approx(GAS.price_usd_per_mmbtu + 0.5306)
    plain = UnitBehaviour.from_library(ALONE, asked.fuel(ALONE), asked.facility, 10)
    assert (plain.storage_h, plain.second_fuel_derate, plain.switch_h, plain.second_fuel_usd_per_mmbtu) == (
        0, 0.0, 0.0, 0.0,
    )  # fmt: skip


# Sizing -----------------------------------------------------------------------------------------------------


def test_gas_that_is_never_interrupted_costs_the_extra_capital_and_burns_no_liquid() -> None:
    """The same plant of either kind: dearer by nozzles and tank, and by nothing else."""
    plant: dict[str, Any] = {"solar_mw": 60, "battery_mwh": 80, "battery_mw": 20}
    dual = sd.evaluate(study(), **plant, backup={"mobile_gt_dual": 2}, operation="foresight")
    alone = sd.evaluate(study("mobile_gt"), **plant, backup={"mobile_gt": 2}, operation="foresight")
    one = study()
    extra = 2 * (
        annual_cost.backup_unit_cost(
            DUAL, one.fuel(DUAL), one.finance, 0.0, one.second_fuel(DUAL)
        ).total_usd_per_yr
        - annual_cost.backup_unit_cost(ALONE, one.fuel(ALONE), one.finance, 0.0).total_usd_per_yr
    )
    assert extra > 100_000
    assert dual.cost_usd_per_yr - alone.cost_usd_per_yr == pytest.approx(extra, rel=1e-6)
    assert dual.co2_t_per_yr == pytest.approx(alone.co2_t_per_yr, rel=1e-9)
    assert dual.fuel_mmbtu_per_yr["mobile_gt_dual"] == pytest.approx(alone.fuel_mmbtu_per_yr["mobile_gt"])
    both = sd.solve(study("mobile_gt", "mobile_gt_dual"), certify=False, gap=1e-5)
    assert both.backup["mobile_gt_dual"] == 0


OIL = PriceLevel("diesel", 200.0, 0.7, 9.0)


def island(**changes: Any) -> Case:
    """Four hours of 10 MW, no sun, engines of 1 MW at 60 USD/MWh; 60 % must be served."""
    engine = backup(4, unit_mw=1.0, annual_cost_usd_per_unit=20.0, units_min=0, units_max=15)
    return case_of(np.zeros(4), np.full(4, 10.0), backup=(engine,), uptime_target=0.6, **changes)


def failing(case: Case, away: list[int], way: UnitBehaviour) -> Case:
    """Let gas of the only technology be interrupted in some hours."""
    steps = np.array([step for start in away for step in (start, start + 1)], dtype=np.int64)
    count = len(away)
    sample = OutageSample(
        steps,
        np.full(2 * count, FUEL, np.int8),
        np.zeros(2 * count, np.int16),
        np.tile(np.array([1, -1], np.int8), count),
        1, 1, 1.0,
        np.zeros(2, np.uint64),
    )  # fmt: skip
    model = OutageModel(units=(UnitOutages("gas", "gas", 0.0, 24.0),), fuels=(FuelOutages("gas"),))
    known = climatology(case, np.full(case.steps, 15.0)) if case.steps >= 8760 else None
    environment = OperatingEnvironment(known, model, (way,))  # type: ignore[arg-type]
    assert interrupted(sample, model, 0, case.steps).nonzero()[0].tolist() == away
    unit = _on_second_fuel(case.backup[0], environment, 0, sample, case.step_h)
    return dataclasses.replace(case, backup=(unit,))


def test_interruption_sets_the_second_level_with_its_power_and_the_time_to_change_over() -> None:
    """Gas is away in hours 1 and 2: a quarter of the first of them is lost, then 10 % of the power."""
    case = island()
    unit = dataclasses.replace(case.backup[0], other_levels=(OIL,))
    way = UnitBehaviour(fuel="gas", storage_h=48.0, second_fuel_derate=-0.1, switch_h=0.25)
    found = failing(dataclasses.replace(case, backup=(unit,)), [1, 2], way).backup[0]
    assert found.active_level is not None
    assert found.active_level.tolist() == [0, 1, 1, 0]
    assert found.capability == pytest.approx(
        case.backup[0].capability * np.array([1.0, 0.9 * 0.75, 0.9, 1.0])
    )
    alone = failing(case, [1, 2], way).backup[0]
    assert alone is case.backup[0]  # no second level: outages of its fuel are in its availability


@pytest.mark.parametrize("away", [[1], [0, 3], [0, 1, 2, 3]])
def test_cuts_and_the_hour_by_hour_model_agree_on_second_fuels(away: list[int]) -> None:
    """Engines of 1 MW at 60 and, where gas is away, 200 USD/MWh, against engines at 90 that need no gas."""
    case = island(battery_cost_usd_per_mwh_yr=3.0, battery_cost_usd_per_mw_yr=1.0)
    unit = dataclasses.replace(case.backup[0], other_levels=(OIL,))
    way = UnitBehaviour(fuel="gas", storage_h=48.0, second_fuel_derate=-0.1, switch_h=0.5)
    case = failing(dataclasses.replace(case, backup=(unit,)), away, way)
    other = dataclasses.replace(
        case.backup[0], name="oil", capability=np.ones((1, 4)), other_levels=(), active_level=None,
        marginal_cost_usd_per_mwh=90.0, annual_cost_usd_per_unit=30.0,
    )  # fmt: skip
    both = dataclasses.replace(case, backup=(case.backup[0], other))
    for one in (case, both):
        cuts, exact = solve_cuts(one, gap=1e-7), solve_extensive(one, gap=1e-7)
        assert cuts.objective_usd_per_yr == pytest.approx(exact.objective_usd_per_yr, rel=1e-5)
    liquid = solve_cuts(case, gap=1e-7).level_mwh_per_yr[1]
    assert (liquid > 0) == bool(away)


def often_interrupted() -> tuple[Any, ...]:
    """Gas that is away twenty times a year for half a day."""
    return (GAS.replace(interruption_events_per_yr=20.0, interruption_h=12.0),)


@cache
def bound_with_interruptions(*names: str) -> tuple[float, tuple[float, ...]]:
    """Least cost, with a battery that is held small, of who foresees every interruption; energy by level."""
    asked = study(*names, own_entries=often_interrupted(), limits={"battery_mwh": 250})
    study_case = build_case(asked)
    environment = environment_of(study_case)
    only = dataclasses.replace(environment.outages, off=frozenset(CAUSES) - {"fuel", "cold"})
    case = sampled_outage_case(
        weather_block(study_case), dataclasses.replace(environment, outages=only), seed=5
    )
    found = solve_cuts(case, gap=1e-4)
    return found.objective_usd_per_yr, found.level_mwh_per_yr


def test_second_fuel_lowers_the_bound_with_failures() -> None:
    """Where gas is often away, a unit that burns liquid meanwhile is worth its nozzles and its tank."""
    without, _ = bound_with_interruptions("mobile_gt")
    beside, energy = bound_with_interruptions("mobile_gt", "mobile_gt_dual")
    assert beside < without * 0.995
    gas, dual, liquid = energy
    assert liquid > 10
    assert liquid < 0.2 * (gas + dual)


# Operation --------------------------------------------------------------------------------------------------


def test_operation_is_billed_by_the_fuel_that_was_burnt() -> None:
    """A plant of dual units alone, gas away twenty times a year: every figure tells gas from diesel."""
    asked = study(own_entries=often_interrupted(), weather_years=2, co2_price_usd_per_t=20)
    plant: dict[str, Any] = {"solar_mw": 0, "battery_mwh": 20, "battery_mw": 10}
    found = sd.evaluate(asked, **plant, backup={"mobile_gt_dual": 3}, operation="causal")
    (unit,) = build_case(asked).case.backup
    gas, diesel = unit.levels
    liquid = found.second_fuel_mwh_per_yr["mobile_gt_dual"]
    energy = found.energy_mwh_per_yr["mobile_gt_dual"]
    assert 0.005 < liquid / energy < 0.06
    lines = {item.name: item.usd_per_yr for item in found.costs}
    billed = (energy - liquid) * gas.usd_per_mwh + liquid * diesel.usd_per_mwh
    assert lines["mobile_gt_dual fuel and running"] == pytest.approx(billed, rel=1e-9)
    burnt = found.second_fuel_mmbtu_per_yr["mobile_gt_dual"]
    assert burnt >= liquid * diesel.fuel_mmbtu_per_mwh * (1 - 1e-9)  # part load burns more
    rest = found.fuel_mmbtu_per_yr["mobile_gt_dual"] - burnt
    assert rest >= (energy - liquid) * gas.fuel_mmbtu_per_mwh * (1 - 1e-9)
    tonnes = burnt * diesel.co2_t_per_mwh / diesel.fuel_mmbtu_per_mwh
    assert found.co2_t_per_yr == pytest.approx(tonnes + rest * gas.co2_t_per_mwh / gas.fuel_mmbtu_per_mwh)
    assert "second fuel" in str(found.details)
    (flow,) = (flow for flow in found.flows if flow.name == "mobile_gt_dual")
    assert (flow.second_fuel_mwh_per_yr, flow.mwh_per_yr) == pytest.approx((liquid, energy))
    assert sd.Evaluation(**found.to_dict()) == found


def test_interruptions_that_a_tank_bridges_cost_no_uptime() -> None:
    """The same turbines with no tank, one of an hour and one of two days: more tank, more uptime."""
    plant: dict[str, Any] = {"solar_mw": 0, "battery_mwh": 2, "battery_mw": 2}

    def uptime(name: str, **changes: Any) -> float:
        asked = study(name, own_entries=often_interrupted(), weather_years=2, **changes)
        done = sd.evaluate(asked, **plant, backup={name: 4}, operation="causal")
        return done.uptime.value

    hours = [uptime("mobile_gt_dual", tank_h={"mobile_gt_dual": h}) for h in (0, 1, 48)]
    assert hours[0] < hours[1] < hours[2]
    assert hours[2] - hours[0] > 0.01
    assert uptime("mobile_gt") == pytest.approx(hours[0], abs=0.01)


def test_as_many_units_start_as_give_the_power_in_the_heat_and_on_the_second_fuel() -> None:
    """Engines of 1 MW, 70 % of it on a hot day, 80 % on diesel, as by hand, while a battery is refilled."""
    able = np.ones((1, 8760))
    able[0, 24:48] = 0.7
    engine = backup(8760, unit_mw=1.0, capability=able, units_min=0, units_max=20)
    case = case_of(
        np.zeros(8760), np.full(8760, 10.0), usable=np.ones(8760), uptime_target=0.6,
        backup=(dataclasses.replace(engine, other_levels=(OIL,)),), eta_charge=0.95, eta_discharge=0.95,
    )  # fmt: skip
    away = np.array([60, 84]), np.full(2, FUEL, np.int8), np.zeros(2, np.int16), np.array([1, -1], np.int8)
    model = OutageModel(units=(UnitOutages("unit", "gas", 0.0, 24.0),), fuels=(FuelOutages("gas"),))
    way = UnitBehaviour(fuel="gas", storage_h=48.0, second_fuel_derate=-0.2)
    environment = OperatingEnvironment(climatology(case, np.full(8760, 15.0)), model, (way,))
    done = operate(
        case, Plant((0.0,), 20.0, 5.0, (20,), 10), Controller("greedy", start_soc=0.5), environment,
        outages=OutageSample(*away, 1, 1, 1.0, np.zeros(21, np.uint64)), record_units=True,
    )  # fmt: skip
    assert done.unit_mw is not None
    assert done.dispatch is not None
    on, stored = (done.unit_mw > 1e-9).sum(axis=0), done.dispatch.stored_mwh
    for first, share, units in ((24, 0.7, 20), (60, 0.8, 16)):
        # Ten engines go on, the battery covers the rest, falls below half, and is refilled to 55 %
        below = 11.0 - 10.0 * (1.0 - share) / 0.95
        assert (on[first - 1], stored[first - 1]) == (10, pytest.approx(11.0))
        assert (on[first], stored[first]) == (10, pytest.approx(below))
        assert units == np.ceil((10.0 + (11.0 - below) / 0.95) / share)
        assert (on[first + 1], stored[first + 1]) == (units, pytest.approx(11.0))
    assert done.shed_mw.sum() == 0.0


@pytest.mark.slow
def test_certificate_counts_what_is_left_of_interruptions_with_a_tank_and_without() -> None:
    """Gas away three times a month, a town beside: two days of diesel leave nothing of it, no diesel much."""
    gas = GAS.replace(interruption_events_per_yr=36.0, interruption_h=8.0)
    town = {"model": "town", "mw": (3, 3), "usd_per_mwh": 20}
    asked = study(
        "mobile_gt_dual", racks=60, uptime=0.99, own_entries=(gas,), surplus=[town],
        limits={"battery_mwh": 60, "units": {"mobile_gt_dual": (2, 2)}},
    )  # fmt: skip
    found = sd.solve(asked, certify=False, gap=1e-3)
    usual, unfailing, dry = (
        sd.certify(found, one, years=20, draws=1, without=without).uptime.value
        for one, without in (
            (asked, ()),
            (asked, ["fuel", "cold"]),
            (asked.replace(tank_h={"mobile_gt_dual": 0}), ()),
        )
    )
    assert usual == pytest.approx(unfailing, abs=1e-3)
    assert dry < usual - 0.005


def test_tanks_are_chosen_with_the_plant_that_goes_with_them():
    """Solved without a search: a plant costs what its tank costs, and keeps the target from 20 h on."""
    site, question = SITE, {"racks": 7, "uptime": 0.5, "backup": ["diesel"]}
    study = sd.Study(site=site, weather_years=1, **question, tank_choices_h={"diesel": [40, 5, 20]})
    assert study.fuel(study.backup[0]).storage_h == 5  # of a bound: nothing is proven of a dearer one
    asked = []

    def solve(item):
        asked.append(dict(item.tank_h))
        made = make_design(units=(1,), solar_mw=5.0, battery_mwh=9.0, years=1, **question, tank_h=item.tank_h)
        return made.model_copy(update={"certificate": make_certificate(made)})

    chosen = with_best_tanks(study, solve, lambda _: None)
    # As much comes as is burnt: each keeps a target of 50 %, and the smallest is the cheapest
    assert asked == [{"diesel": 40}, {"diesel": 5}]
    assert chosen.study["tank_h"] == {"diesel": 5}
    (tried, anew) = chosen.provenance.notes[-2:]
    assert tried.startswith("Tanks of diesel tried with the plant of the largest: 5 h")
    assert tried.endswith("5 h taken.")
    assert "the cheaper is this design" in anew
    with pytest.raises(sd.InputError) as caught:
        sd.Study(site=site, **question, tank_h={"diesel": 9}, tank_choices_h={"diesel": [5], "boiler": [2]})
    assert {fault.where for fault in caught.value.faults} == {
        "study.tank_choices_h.boiler", "study.tank_choices_h.diesel",
    }  # fmt: skip
