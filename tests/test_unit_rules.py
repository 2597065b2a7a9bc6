"""Rules of units and the reserve in operation: hand-solved cases, and no violation in many random steps."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import stats

import sitedesign as sd
from sitedesign.case.plant import Plant
from sitedesign.case.reserve import ReserveRule
from sitedesign.certified.objective import unheld_mwh
from sitedesign.operation.environment import OperatingEnvironment
from sitedesign.operation.forecast import climatology
from sitedesign.operation.operate import operate
from sitedesign.operation.outages.sampling import (
    FUEL,
    UNIT,
    FuelOutages,
    OutageConditions,
    OutageModel,
    OutageSample,
    UnitOutages,
    sample_outages,
)
from sitedesign.operation.state import Controller, UnitBehaviour
from sitedesign.reliability.weather_blocks import WeatherBlock
from sitedesign.report.study_toml import study_toml
from tests import cases
from tests.operated import assessed
from tests.report_designs import make_design

CLOSE = 1e-6


def islanded(load, solar=None, *, units=4, unit_mw=10.0, battery=(0.0, 0.0), step_h=1.0, array_mw=0.0):
    """A site with one technology and as much of the sun and a battery as is said."""
    load = np.asarray(load, dtype=float)
    solar = np.zeros(load.size) if solar is None else np.asarray(solar, dtype=float)
    machine = cases.backup(
        load.size, "engine", unit_mw=unit_mw, marginal_cost_usd_per_mwh=50.0, units_max=units
    )
    one = cases.case(solar, load, step_h=step_h, backup=(machine,), eta_charge=1.0, eta_discharge=1.0)
    return one, Plant((array_mw,), battery[0], battery[1], (units,), one.racks_contracted)


def run(one, plant, way, reserve=None, *, kind="greedy", down=(), ride_through_failure=0.0, **more):
    """Operate it; `down` are (step, unit, change)."""
    rule = Controller(kind, start_soc=0.0, soc_band=0.0, min_run_h=more.pop("min_run_h", 0.0))
    one = dataclasses.replace(one, reserve=reserve)
    around = OperatingEnvironment(
        climatology(one), OutageModel(), (way,), ride_through_failure=ride_through_failure
    )
    step, index, change = np.array(sorted(down), dtype=np.int64).reshape(-1, 3).T.copy()
    outages = OutageSample(
        step, np.full(step.size, UNIT, np.int8), index.astype(np.int16), change.astype(np.int8), 1, 1, 1.0,
        np.zeros(plant.units[0] + 1, np.uint64),
    )  # fmt: skip
    return operate(one, plant, rule, around, outages=outages, record_units=True, **more)


YEAR = 8760


def constant(mw, steps=YEAR):
    return np.full(steps, float(mw))


def test_one_more_unit_runs_so_that_the_trip_of_the_largest_leaves_nothing_missing():
    # 25 MW need three units of 10 MW; without one of them two would give 20: a fourth runs
    one, plant = islanded(constant(25), units=5)
    plain = run(one, plant, UnitBehaviour())
    held = run(one, plant, UnitBehaviour(), ReserveRule())
    assert (plain.unit_mw > 0).sum(axis=0).max() == 3
    assert (held.unit_mw > 0).sum(axis=0).min() == 4
    assert held.reserve_short_h.sum() == 0
    np.testing.assert_allclose(held.unit_mw[:4], 25 / 4)  # shared equally


def test_two_units_out_ask_for_two_more():
    one, plant = islanded(constant(25), units=6)
    held = run(one, plant, UnitBehaviour(), ReserveRule(n_minus=2))
    assert ((held.unit_mw > 0).sum(axis=0) == 5).all()


def test_what_units_cannot_hold_is_counted_with_what_is_missing():
    # Three units for 25 MW: without one 20 MW are left, 5 MW are missing in every hour
    one, plant = islanded(constant(25), units=3)
    held = run(one, plant, UnitBehaviour(), ReserveRule())
    np.testing.assert_allclose(held.reserve_short_h, 8760)
    np.testing.assert_allclose(held.reserve_short_mw, 5.0)
    np.testing.assert_allclose(held.reserve_missing_mw, 5.0)


@pytest.mark.parametrize(
    ("battery", "short_mw"),
    [((20.0, 5.0), 0.0), ((20.0, 4.0), 1.0), ((1.0, 5.0), 3.0)],  # 1 MWh give 2 MW for half an hour
)
def test_a_battery_holds_what_its_power_and_its_energy_can_give(battery, short_mw):
    one, plant = islanded(constant(25), units=3, battery=battery)
    held = run(one, plant, UnitBehaviour(), ReserveRule(hold_h=0.5), kind="latest_safe_start")
    np.testing.assert_allclose(held.reserve_short_mw, short_mw, atol=1e-9)


def test_shares_of_load_and_sun_and_a_step_of_the_load_come_on_top():
    # Operating reserve as HOMER and REopt state it: a share of the load, and one of what the sun gives.
    # 40 MW of load, 20 MW of sun: 10 % of the load and 25 % of the sun are 4 + 5 MW on top of the 20 MW left
    one, plant = islanded(constant(40), constant(1.0), units=6, array_mw=20.0)
    rule = ReserveRule(n_minus=0, spinning_share=0.1, resource_share=0.25)
    held = run(one, plant, UnitBehaviour(), rule)
    assert ((held.unit_mw > 0).sum(axis=0) == 3).all()  # 29 MW: three units of 10 MW
    stepped = run(one, plant, UnitBehaviour(), ReserveRule(n_minus=0, load_step_mw=21.0))
    assert ((stepped.unit_mw > 0).sum(axis=0) == 5).all()  # 41 MW
    both = run(one, plant, UnitBehaviour(), ReserveRule(n_minus=1, load_step_mw=21.0))
    assert ((both.unit_mw > 0).sum(axis=0) == 5).all()  # the worse of both events, not their sum


def test_sun_that_nobody_takes_is_reserve():
    one, plant = islanded(constant(20), constant(1.0), units=4, array_mw=40.0)
    held = run(one, plant, UnitBehaviour(), ReserveRule(load_step_mw=15.0))
    assert held.reserve_short_h.sum() == 0
    assert held.unit_mw.max() == 0


def test_a_unit_that_is_down_takes_the_reserve_with_it():
    one, plant = islanded(constant(25), units=4)
    held = run(one, plant, UnitBehaviour(), ReserveRule(), down=[(100, 0, 1), (124, 0, -1)])
    assert held.reserve_short_h.sum() == 24
    assert np.flatnonzero(held.reserve_missing_mw).tolist() == list(range(100, 124))
    assert held.shed_mw.sum() == 0


def test_what_fails_of_the_ride_through_falls_when_a_unit_trips():
    # Four units carry 35 MW; one trips, and one that stood still starts: its 8.75 MW were bridged
    one, plant = islanded(constant(35), units=5)
    down = [(100, 0, 1)]
    safe = run(one, plant, UnitBehaviour(), down=down)
    assert safe.shed_mw.sum() == 0
    weak = run(one, plant, UnitBehaviour(), down=down, ride_through_failure=0.01)
    np.testing.assert_allclose(weak.shed_mw[100], 0.01 * 8.75)
    assert np.flatnonzero(weak.shed_mw).tolist() == [100]
    # With a unit more on line, or a battery of that power, nothing has to be bridged
    held = run(one, plant, UnitBehaviour(), ReserveRule(), down=down, ride_through_failure=0.01)
    assert held.shed_mw.sum() == 0
    one, plant = islanded(constant(35), units=5, battery=(40.0, 10.0))
    backed = run(one, plant, UnitBehaviour(), down=down, ride_through_failure=0.01, kind="latest_safe_start")
    assert backed.shed_mw.sum() == 0


def test_a_start_burns_its_fuel_and_wears():
    load = np.tile(np.r_[np.full(12, 10.0), np.zeros(12)], 365)
    one, plant = islanded(load, units=1)
    way = UnitBehaviour(start_fuel_h=0.25, start_usd=700.0)
    plain, worn = run(one, plant, UnitBehaviour()), run(one, plant, way)
    assert plain.starts_by_year.tolist() == worn.starts_by_year.tolist() == [[365.0]]
    fuel = one.backup[0].fuel_mmbtu_per_mwh
    np.testing.assert_allclose(worn.fuel_mmbtu - plain.fuel_mmbtu, 365 * 0.25 * 10 * fuel)
    np.testing.assert_allclose(worn.operating_usd - plain.operating_usd, 365 * 700)
    np.testing.assert_allclose(worn.extra_fuel_usd, 365 * 700)  # what the fuel costs is not said here


def test_a_unit_that_stopped_stands_still_for_its_down_time():
    load = np.tile(np.r_[np.full(2, 10.0), np.zeros(2)], 2190)
    one, plant = islanded(load, units=2)
    waiting = run(one, plant, UnitBehaviour(min_down_h=7.0))
    assert _shortest_off(waiting.unit_mw > 0) >= 7
    assert waiting.shed_mw[8] == 10.0  # one of two units may start again at 9, the other at 13
    assert run(one, plant, UnitBehaviour(min_down_h=6.0)).shed_mw.sum() == 0
    assert _shortest_off(run(one, plant, UnitBehaviour()).unit_mw > 0) == 2


def test_output_moves_by_a_ramp_a_step():
    # 5-minute steps, 2 % a minute: 1 MW a step for a unit of 10 MW
    load = np.tile(np.r_[np.full(36, 10.0), np.full(36, 40.0)], 365 * 4)
    one, plant = islanded(load, units=5, step_h=1 / 12, battery=(200.0, 40.0))
    way = UnitBehaviour(ramp_per_min=0.02, min_load=0.2)
    done = run(one, plant, way, kind="latest_safe_start")
    moved = np.diff(done.unit_mw, axis=1)
    running = (done.unit_mw[:, 1:] > 0) & (done.unit_mw[:, :-1] > 0)
    assert np.abs(moved[running]).max() <= 1.0 + CLOSE
    fresh = (done.unit_mw[:, 1:] > 0) & (done.unit_mw[:, :-1] == 0)
    assert done.unit_mw[:, 1:][fresh].max() <= 2.0 + CLOSE


@pytest.mark.parametrize("per_hour", [1, 4, 12])
def test_hours_of_noise_are_those_of_the_clock(per_hour):
    # Always on, but for a day in which all units are out: 364 nights of nine hours
    one, plant = islanded(constant(15, YEAR * per_hour), units=2, step_h=1 / per_hour)
    day = [(at * per_hour, unit, change) for unit in (0, 1) for at, change in ((48, 1), (72, -1))]
    done = run(one, plant, UnitBehaviour(), down=day)
    np.testing.assert_allclose(done.on_h, 364 * 24)
    np.testing.assert_allclose(done.night_h, 364 * 9)
    # On from 21 to 23 h alone: one hour of it is night
    hour = np.arange(YEAR * per_hour) / per_hour % 24
    one, plant = islanded(
        np.where((hour >= 21) & (hour < 23), 15.0, 0.0) + 1e-9, units=2, step_h=1 / per_hour
    )
    done = run(one, plant, UnitBehaviour())
    np.testing.assert_allclose((done.on_h, done.night_h), ([[730.0]] * 2, [[365.0]] * 2))


def test_service_by_run_hours_comes_one_unit_at_a_time():
    one, plant = islanded(constant(25), units=4)
    done = run(one, plant, UnitBehaviour(service_every_h=1000.0, service_h=48.0), min_run_h=2.0)
    off = done.unit_mw == 0
    assert done.shed_mw.sum() == 0
    for runs in (np.diff(np.flatnonzero(np.r_[True, row, True])) - 1 for row in off):
        assert runs.max() <= 1000 + 24 + 3 * 48  # until midnight, and until the others are back
    assert done.run_h.sum() == pytest.approx(3 * 8760, rel=0.01)


def test_units_on_liquid_fuel_live_on_the_tank_and_on_what_lorries_bring():
    # 10 MW of load, a tank of 24 h, lorries for half of it: in a year half of the load, and the tank
    one, plant = islanded(constant(10), units=1)
    way = UnitBehaviour(fuel="oil", storage_h=24.0, delivered_mmbtu_per_h=0.5 * 10 * 8.5)
    done = run(one, plant, way)
    np.testing.assert_allclose(done.backup_mwh, 10 * (24 + 0.5 * 8760), rtol=1e-3)
    assert not done.shed_mw[:47].any()
    assert done.shed_mw[49:60].all()
    # A lorry too many is no use: the tank is full
    enough = run(one, plant, dataclasses.replace(way, delivered_mmbtu_per_h=2 * 10 * 8.5))
    assert enough.shed_mw.sum() == 0


@pytest.mark.parametrize(
    ("more", "lasts_h"),
    [
        ({}, 100),
        ({"boil_off_per_day": 0.1}, 100 / (1 + 10 / 24)),  # of 100 h in a day: 0.42 h in an hour
        ({"delivered_mmbtu_per_h": 2 * 10 * 8.5}, 100),  # no lorry comes: what they bring is cut off
    ],
)
def test_how_long_a_tank_lasts_while_its_fuel_is_cut_off(more, lasts_h):
    one, plant = islanded(constant(10), units=1)
    way = UnitBehaviour(fuel="oil", storage_h=100.0, refill_h_per_h=1.0, **more)
    around = OperatingEnvironment(climatology(one), OutageModel(fuels=(FuelOutages("oil"),)), (way,))
    cut = OutageSample(
        np.array([1000, 1300]), np.full(2, FUEL, np.int8), np.zeros(2, np.int16),
        np.array([1, -1], np.int8), 1, 1, 1.0, np.zeros(2, np.uint64),
    )  # fmt: skip
    done = operate(one, plant, Controller("greedy", start_soc=0.0, min_run_h=0.0), around, outages=cut)
    short = np.flatnonzero(done.shed_mw[1000:1300])
    assert short[0] == pytest.approx(lasts_h, abs=1.0)


def test_hours_without_reserve_of_n_plus_one_are_those_of_the_binomial():
    """Three units needed and four built: N-1 lacks where any is out, load where two are."""
    years, q, steps = 60, 0.05, 60 * YEAR
    machine = cases.backup(steps, "engine")
    one = cases.case(np.zeros(steps), 25.0, years=years, backup=(machine,), reserve=ReserveRule())
    plant = Plant((0.0,), 0.0, 0.0, (4,), one.racks_contracted)
    fails = OutageModel(units=(UnitOutages("engine", "gas", q, 24.0),))
    rule = Controller("greedy", start_soc=0.0, min_run_h=0.0)
    found = assessed(
        WeatherBlock(one, np.full(steps, 15.0)), plant, fails, (UnitBehaviour(),), controller=rule, draws=1,
        seed=5, attribute=False,
    )  # fmt: skip
    up = stats.binom(4, 1 - q)
    short = found.reserve.short_h_per_yr
    assert short.value == pytest.approx(YEAR * up.cdf(3), abs=4 * short.standard_error)
    assert short.standard_error < 0.05 * short.value
    lost = sum(up.pmf(n) * max(25 - 10 * n, 0) for n in range(5)) / 25
    assert 1 - found.uptime.value == pytest.approx(lost, abs=4 * found.uptime.standard_error)
    assert not found.reserve.met
    assert not found.met
    assert "N-1" in str(found)
    allowed = dataclasses.replace(one, reserve=ReserveRule(short_h_per_yr=2000.0))
    assert unheld_mwh(allowed, short.value, 100.0) == 0.0 < unheld_mwh(one, short.value, 100.0)


def test_units_are_out_in_the_weeks_of_their_calendar():
    one, plant = islanded(constant(25), units=5)
    unit = UnitOutages("engine", "gas", 0.0, 24.0, maintenance_weeks=(10, 20))
    conditions = OutageConditions(1.0, 1, 0, np.full(YEAR, 15.0), climatology(one))
    sample = sample_outages(OutageModel(units=(unit,)), plant.units, conditions)
    out = {(int(i), int(t), int(c)) for t, i, c in zip(sample.step, sample.index, sample.change, strict=True)}
    tenth, twentieth = 9 * 168, 19 * 168
    starts = {(i, tenth if i % 2 == 0 else twentieth, 1) for i in range(5)}
    assert out == starts | {(i, t + 168, -1) for i, t, _ in starts}


def test_no_rule_is_broken_in_many_random_steps():
    """Load, sun, trips and rules at random; what each unit gave is looked at from outside."""
    steps, rng = 105_120, np.random.default_rng(5)
    for seed in range(10):
        step_h = 1 / 12
        load = 30 + np.cumsum(rng.normal(0, 0.4, steps))
        load = np.clip(np.abs(load), 5, 55)
        sun = np.clip(np.sin(np.arange(steps) * 2 * np.pi / 288) * rng.uniform(0.3, 1, steps), 0, 1)
        units, min_load, ramp, down_h = int(rng.integers(3, 8)), rng.uniform(0, 0.5), 0.03, rng.uniform(0, 3)
        one, plant = islanded(
            load, sun, units=units, battery=(rng.uniform(0, 60), rng.uniform(0, 30)), step_h=step_h,
            array_mw=rng.uniform(0, 80),
        )  # fmt: skip
        way = UnitBehaviour(
            start_h=rng.uniform(0, 0.4), min_load=min_load, min_down_h=down_h, ramp_per_min=ramp,
            service_every_h=700.0, service_h=10.0, start_fuel_h=0.1, start_usd=100.0,
        )  # fmt: skip
        out = rng.choice(steps, 40, replace=False)
        down = [(int(t), int(u), 1) for t, u in zip(out, rng.integers(0, units, 40), strict=True)]
        down += [(t + 200, u, -1) for t, u, _ in down if t + 200 < steps]
        reserve = ReserveRule(spinning_share=0.05, resource_share=0.2) if seed % 2 else None
        kind = "latest_safe_start" if seed % 3 else "greedy"
        done = run(one, plant, way, reserve, kind=kind, down=down, min_run_h=1.0)
        given, lowest, change = done.unit_mw, min_load * 10.0, ramp * 5 * 10.0
        on = given > 0
        assert done.balance_residual_mw < CLOSE
        np.testing.assert_allclose(given.sum(axis=0), done.dispatch.backup_mw[0], atol=CLOSE)
        assert given[on].min(initial=lowest) >= lowest - CLOSE
        assert given.max() <= 10.0 + CLOSE
        both = on[:, 1:] & on[:, :-1]
        assert np.abs(np.diff(given, axis=1)[both]).max(initial=0.0) <= change + CLOSE
        fresh = on[:, 1:] & ~on[:, :-1]
        assert given[:, 1:][fresh].max(initial=0.0) <= max(change, lowest) + CLOSE
        # A unit that starts gives nothing at first: what is seen as standing still is longer than it was
        assert _shortest_off(on) >= down_h / step_h - 1e-9
        if reserve is not None:
            _check_reserve(one, plant, done, reserve)


def _shortest_off(on):
    """Steps that a unit stood still between two runs at least."""
    spells = [np.diff(np.flatnonzero(np.r_[row])) - 1 for row in on]
    return min((int(s[s > 0].min()) for s in spells if (s > 0).any()), default=10**9)


def _check_reserve(one, plant, done, rule):
    """Count again, in plain arrays, in which steps the loss of the largest unit could not be carried."""
    free, load, shed = done.solar_mw, one.load_mw, done.shed_mw
    battery = np.minimum(plant.battery_mw, done.dispatch.stored_mwh / rule.hold_h)
    most = np.sort(np.where(done.unit_mw > 0, 10.0, 0.0), axis=0)
    left = most[: len(most) - rule.n_minus].sum(axis=0) + battery
    need = load * (1 + rule.spinning_share) - free * (1 - rule.resource_share) - shed
    # Ramps and starts leave less than the rating: no step that is short at full rating may be missed
    assert (done.reserve_missing_mw[need - left > 1e-4] > 0).all()


def test_rules_that_are_the_librarys_stand_in_the_study_file_of_a_design():
    design = make_design(
        years=1, racks=7, backup=["diesel", "recip_fast"], units=(1, 1), solar_mw=5.0, battery_mwh=9.0,
        uptime=0.5, unit_rules={"diesel": {}, "recip_fast": {"min_down_h": 2}},
    )  # fmt: skip
    text = study_toml(design)
    assert text is not None
    assert "[unit_rules.diesel]" in text
    assert "min_down_h = 2" in text


def test_a_larger_tank_costs_more_and_keeps_more():
    """Diesel sets, and a lorry in a hundred days: the tank is what is left of the start of a year."""
    design = make_design(
        years=1, racks=7, backup=["diesel"], units=(1,), solar_mw=5.0, battery_mwh=9.0, uptime=0.5,
        lorries_per_day={"diesel": 0.01},
    )  # fmt: skip
    table = sd.tank_sizes(design, "diesel", [500, 5, 50], years=2, draws=1)
    assert table["tank_h"].tolist() == [5.0, 50.0, 500.0]
    assert table["uptime"].is_monotonic_increasing
    assert table["uptime"].iloc[-1] > table["uptime"].iloc[0]
    assert table["best"].sum() == int(table["met"].any())
    assert (
        not table.loc[table["best"], "cost_usd_per_yr"]
        .gt(table.loc[table["met"], "cost_usd_per_yr"].min())
        .any()
    )
    with pytest.raises(sd.InputError, match="burns from a tank: diesel"):
        sd.tank_sizes(design, "recip_medium")
