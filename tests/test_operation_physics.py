"""Operation held against physics, by plain Python that knows nothing of the compiled simulation.

A ledger goes through what an operator did, step by step, with the sampled outages, and books energy, fuel and
starts on its own: what it cannot explain is a fault of the simulation.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sitedesign.case.case import Tier
from sitedesign.case.plant import Plant
from sitedesign.operation.forecast import Climatology, Forecast
from sitedesign.operation.outages.sampling import (
    BATTERY,
    BATTERY_BLOCK,
    FUEL,
    SITE,
    SOLAR_BLOCK,
    TECHNOLOGY,
    UNIT,
    BlockOutages,
    FuelOutages,
    OutageConditions,
    OutageModel,
    OutageSample,
    UnitOutages,
    sample_outages,
)
from sitedesign.operation.state import Controller, UnitBehaviour
from sitedesign.reliability.replay import check_dispatch
from tests import cases
from tests.operated import operated

KINDS = ("latest_safe_start", "greedy")
YEAR = 8760
# A year takes a tenth of a second: a failing one is shown as it is
FEW = settings(max_examples=30, deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate))
CLOSE = 1e-6
FUELS = ("gas", "oil")


# --- the ledger


class Ledger:
    """What one technology did: units up, units on, tank, fuel and starts, rebuilt from its output alone."""

    def __init__(self, case, k, plant, way, outages, step_h):
        self.backup, self.way, self.count, self.step_h = case.backup[k], way, plant.units[k], step_h
        self.size_mw = (self.backup.unit_mw * case.backup[k].capability[0]).tolist()  # lists are read faster
        first = sum(plant.units[:k])
        self.mine = {(UNIT, first + i): i for i in range(self.count)}
        self.k, self.down, self.common, self.cut = k, [0] * self.count, 0, 0
        self.events = [] if outages is None else list(
            np.array([outages.step, outages.kind, outages.index, outages.change]).T.tolist()
        )  # fmt: skip
        self.site, self.tank_h = 0, way.storage_h
        self.fuel_mwh = self.energy_mwh = 0.0
        self.rises, self.on_before = 0, False

    def go(self, t):
        """Book the events of a step."""
        while self.events and self.events[0][0] <= t:
            _, kind, index, change = self.events.pop(0)
            if (kind, index) in self.mine:
                self.down[self.mine[kind, index]] += change
            elif kind == TECHNOLOGY and index == self.k:
                self.common += change
            elif kind == FUEL and FUELS[index] == self.way.fuel:
                self.cut += change
            elif kind == SITE:
                self.site += change

    def up(self):
        """Units that nothing keeps down."""
        return 0 if self.common or self.site else sum(1 for d in self.down if d == 0)

    def book(self, t, mw):
        """Check one step's output and book it."""
        way, one = self.way, self.backup.unit_mw
        size = self.size_mw[t]
        assert mw >= 0.0
        assert mw <= self.up() * size + CLOSE, "more than the units that are up can give"
        on = math.ceil(mw / size - CLOSE) if mw > CLOSE else 0
        assert mw >= on * way.min_load * one - CLOSE, "below minimum load"
        # So many units at least; one that is starting runs for a part of the step only
        late = way.start_h > 0.0 or way.start_failure > 0.0
        idle = way.intercept * (mw if late else on * size)
        burnt = idle + (1.0 - way.intercept) * mw if on else 0.0
        if self.cut:
            self.tank_h -= burnt * self.step_h / (one * max(self.count, 1))
            assert self.tank_h >= -CLOSE, "more fuel burnt than there was"
        else:
            self.tank_h = min(way.storage_h, self.tank_h + way.refill_h_per_h * self.step_h)
        self.fuel_mwh += burnt * self.step_h
        self.energy_mwh += mw * self.step_h
        self.rises += on > 0 and not self.on_before
        self.on_before = on > 0

    def most(self, t):
        """Power that nothing but start failures could have kept from the load; fuel in the tank bounds it."""
        size = self.size_mw[t]
        if size < self.way.min_load * self.backup.unit_mw:
            return 0.0
        able = self.up() * size
        if self.cut:  # of several units more may have run than must have, and burnt more
            known = self.count == 1 or self.way.intercept == 0.0
            sip = self.way.intercept + (1.0 - self.way.intercept) * self.way.min_load
            if not known or self.tank_h < self.step_h * (self.up() / max(self.count, 1) + sip):
                return 0.0
        return able


def audit(case, plant, ways, done, outages=None, *, exact=False, start_mwh=None):
    """Go through a whole operation; `exact`: units start at once and never fail to."""
    d, h = done.dispatch, case.step_h
    ledgers = [Ledger(case, k, plant, way, outages, h) for k, way in enumerate(ways)]
    stored = plant.battery_mwh * float(case.usable[0]) if start_mwh is None else start_mwh
    fails = outages is not None and bool(np.isin(outages.kind, (BATTERY_BLOCK, BATTERY, SOLAR_BLOCK)).any())
    given = np.reshape(d.backup_mw, (-1, case.steps)).T.tolist()
    series = (done.solar_mw, case.load_mw, d.charge_mw, d.discharge_mw, d.curtailed_mw, d.shed_mw,
              d.stored_mwh, d.lost_compute, case.usable)  # fmt: skip
    rows = zip(*(row.tolist() for row in series), strict=True)
    for t, (g, row) in enumerate(zip(given, rows, strict=True)):
        sun, load, charge, discharge, curtailed, shed, held, lost, usable = row
        for ledger in ledgers:
            ledger.go(t)
        able = sum(ledger.most(t) for ledger in ledgers)
        for ledger, mw in zip(ledgers, g, strict=True):
            ledger.book(t, mw)
        assert abs(sun - curtailed + discharge - charge + sum(g) + shed - load) <= CLOSE  # faster than approx
        assert min(charge, discharge, curtailed, shed) >= -CLOSE
        assert shed <= load + CLOSE
        assert curtailed <= sun + discharge + sum(g) + CLOSE
        assert max(charge, discharge) <= plant.battery_mw + CLOSE
        assert min(charge, discharge) <= CLOSE
        full = plant.battery_mwh * usable
        before, stored = stored, stored + h * (case.eta_charge * charge - discharge / case.eta_discharge)
        assert abs(held - stored) <= CLOSE
        stored = held
        assert -CLOSE <= stored <= max(full, before) + CLOSE
        deepest, width = 0.0, shed / load if load > 0.0 else 0.0
        for tier in case.tiers:
            deepest += tier.weight * min(width, tier.width)
            width -= min(width, tier.width)
        assert abs(lost - deepest) <= CLOSE
        if ledgers and ledgers[0].site:
            assert abs(shed - load) <= CLOSE
        elif shed > CLOSE:
            # Nothing is shed, and nothing thrown away, while battery or units could have served it
            assert curtailed <= CLOSE
            if exact and not fails:
                battery = min(plant.battery_mw, before * case.eta_discharge / h)
                assert discharge >= battery - CLOSE, "shed before the battery was empty"
                assert sum(g) >= able - CLOSE, "shed before the units were at full power"
    for k, ledger in enumerate(ledgers):
        rate = case.backup[k].fuel_mmbtu_per_mwh
        assert done.backup_mwh[k].sum() == pytest.approx(ledger.energy_mwh, rel=1e-9, abs=1e-6)
        assert done.fuel_mmbtu[k].sum() >= rate * ledger.fuel_mwh - 1e-6
        mine = slice(sum(plant.units[:k]), sum(plant.units[: k + 1]))
        if ways[k].min_load > 0.0:  # else a unit may run and give nothing
            assert done.starts[mine].sum() >= ledger.rises
        if exact and plant.units[k] == 1 and ways[k].min_load > 0.0:  # it runs when it gives power
            assert done.fuel_mmbtu[k].sum() == pytest.approx(rate * ledger.fuel_mwh, rel=1e-9, abs=1e-6)
            assert done.run_h[mine].sum() == pytest.approx(h * (d.backup_mw[k] > 0.0).sum())
            assert done.starts[mine].sum() == ledger.rises
    return ledgers


# --- cases


@st.composite
def plants(draw):
    """A year of rough weather, a plant of one or two technologies, outages of everything, a rule."""
    rng = np.random.Generator(np.random.PCG64(draw(st.integers(0, 2**32 - 1))))
    split = draw(st.sampled_from([1, 1, 2, 4]))
    steps, h = YEAR * split, 1.0 / split
    clock = (np.arange(steps) * h) % 24
    sun = np.clip(np.sin(np.pi * (clock - 6) / 12), 0, None) * np.repeat(
        rng.uniform(0.05, 1.2, steps // (24 * split)), 24 * split
    )
    if draw(st.booleans()):
        sun = sun * rng.uniform(0, 1, steps)
    load = draw(st.sampled_from([5.0, 15.0, 60.0])) * (
        1 + draw(st.sampled_from([0.0, 0.5])) * rng.uniform(-1, 1, steps)
    )
    techs = draw(st.integers(1, 2))
    units, machines, ways, models = [], [], [], []
    for k in range(techs):
        units.append(draw(st.integers(0 if k else 1, 4)))
        able = (
            np.ones(steps)
            if draw(st.booleans())
            else rng.uniform(draw(st.sampled_from([0.0, 0.6])), 1, steps)
        )
        machines.append(
            cases.backup(
                steps, f"t{k}", unit_mw=draw(st.sampled_from([5.0, 20.0, 100.0])),
                marginal_cost_usd_per_mwh=draw(st.sampled_from([40.0, 60.0, 90.0])), capability=able[None, :],
            )
        )  # fmt: skip
        ways.append(
            UnitBehaviour(
                start_h=draw(st.sampled_from([0.0, 0.0, 5 / 60, 0.4, 1.5])),
                min_load=draw(st.sampled_from([0.0, 0.3, 0.5, 0.8])),
                intercept=draw(st.sampled_from([0.0, 0.1, 0.25])),
                start_failure=draw(st.sampled_from([0.0, 0.0, 0.1])),
                start_beta=0.1,
                start_lethal=draw(st.sampled_from([0.0, 0.35, 1.0])),
                start_coupling=0.3,
                fuel=draw(st.sampled_from(FUELS)),
                storage_h=draw(st.sampled_from([0.0, 0.5, 10.0, 48.0])),
                refill_h_per_h=draw(st.sampled_from([0.0, 0.25, 2.0])),
            )
        )
        models.append(
            UnitOutages(f"t{k}", ways[k].fuel, draw(st.sampled_from([0.0, 0.1])), 20.0, None, 0.02, 0.1)
        )
    model = OutageModel(
        units=tuple(models),
        fuels=tuple(FuelOutages(f, draw(st.sampled_from([0.0, 30.0])), 40.0) for f in FUELS),
        battery=BlockOutages(4, draw(st.sampled_from([0.0, 0.05])), 24.0, 0.0),
        solar=BlockOutages(4, draw(st.sampled_from([0.0, 0.05])), 24.0),
        site_events_per_yr=draw(st.sampled_from([0.0, 2.0])),
    )
    battery = draw(st.sampled_from([(0.0, 0.0), (8.0, 4.0), (60.0, 30.0), (400.0, 80.0)]))
    plant = Plant((draw(st.sampled_from([0.0, 30.0, 200.0])),), *battery, tuple(units), 10)
    kind = draw(st.sampled_from(KINDS))
    rule = Controller(
        kind,
        start_soc=draw(st.sampled_from([0.0, 0.5, 1.0])),
        min_run_h=draw(st.sampled_from([0.0, 2.0, 6.0])),
    )
    # What is in a block that is down does not fade with it
    fade = 0.0 if model.battery.forced_outage_rate > 0.0 else draw(st.sampled_from([0.0, 0.2]))
    usable = np.linspace(1.0, 1.0 - fade, steps)
    case = cases.case(sun, load, backup=tuple(machines), step_h=h, usable=usable)
    conditions = OutageConditions(h, 1, 0, np.full(steps, 15.0), usual_of(case))
    return case, plant, ways, rule, sample_outages(model, units, conditions, seed=draw(st.integers(0, 99)))


def usual_of(case):
    """Average year that an operator knows: here the year itself, hour by hour of the day."""
    per_day = round(24 / case.step_h)

    def mean(x):
        return np.tile(np.reshape(x, (365, per_day)).mean(axis=0), 365)

    return Climatology(
        mean(case.resources[0].yield_mw_per_mw), mean(case.load_mw),
        np.array([mean(b.capability[0]) for b in case.backup]),
        np.full(365, 0.3), np.zeros(0),
    )  # fmt: skip


def run(case, plant, ways, rule, outages=None, **more):
    return operated(
        case, plant, rule, behaviours=ways, outages=outages, fuels=FUELS, climate=usual_of(case), **more
    )


@settings(FEW)
@given(
    plants(),
    st.sampled_from([(Tier(1.0, 1.0),), (Tier(0.1, 0.3), Tier(0.2, 0.6), Tier(0.7, 0.85 / 0.7))]),
    st.sampled_from(["skill", "perfect", "persistence"]),
    st.sampled_from([0.0, 0.5, 1.0]),
)
def test_no_operation_breaks_physics(drawn, tiers, sight, charged):
    case, plant, ways, rule, outages = drawn
    case, start = dataclasses.replace(case, tiers=tiers), charged * plant.battery_mwh
    done = run(case, plant, ways, rule, outages, forecast=Forecast(sight), start_mwh=start)
    audit(case, plant, ways, done, outages, start_mwh=start)


@settings(FEW)
@given(plants())
def test_nothing_is_shed_that_could_be_served(drawn):
    case, plant, ways, rule, outages = drawn
    ways = [dataclasses.replace(way, start_h=0.0, start_failure=0.0) for way in ways]
    done = run(case, plant, ways, rule, outages)
    audit(case, plant, ways, done, outages, exact=True)


# --- minimum load


def flat(load_mw, step_h=1.0, sun=None, **unit):
    steps = round(YEAR / step_h)
    machine = cases.backup(steps, **{"unit_mw": 100.0, **unit})
    load = np.broadcast_to(np.asarray(load_mw, float), (steps,)).copy()
    return cases.case(np.zeros(steps) if sun is None else sun, load, backup=(machine,), step_h=step_h)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("start_h", [0.0, 5 / 60])
@pytest.mark.parametrize("step_h", [1.0, 0.25])
def test_a_unit_larger_than_the_load_runs_at_its_minimum_and_the_rest_is_not_used(kind, start_h, step_h):
    case, plant = flat(15.0, step_h), Plant((0.0,), 0.0, 0.0, (1,), 10)
    ways = [UnitBehaviour(start_h=start_h, min_load=0.3, intercept=0.2)]
    done = run(case, plant, ways, Controller(kind))
    assert done.dispatch.backup_mw[0] == pytest.approx(30.0)
    assert done.dispatch.curtailed_mw == pytest.approx(15.0)
    assert done.shed_mw.sum() == pytest.approx(0.0)
    assert done.starts.tolist() == [1]
    start = min(start_h, step_h)  # fuel of the part of the first step before it runs
    assert done.fuel_mmbtu.sum() == pytest.approx(8.5 * (YEAR * (0.2 * 100 + 0.8 * 30) - start * 0.2 * 100))
    replay = check_dispatch(case, plant, done.dispatch)
    assert replay.curtailed_mwh_per_yr == pytest.approx(15.0 * YEAR)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("load", "least"), [(110.0, 120.0), (130.0, 130.0), (50.0, 60.0)])
def test_units_share_the_load_so_that_none_is_below_its_minimum(kind, load, least):
    done = run(flat(load), Plant((0.0,), 0.0, 0.0, (3,), 10), [UnitBehaviour(min_load=0.6)], Controller(kind))
    assert done.dispatch.backup_mw[0] == pytest.approx(least)
    assert done.starts.sum() == math.ceil(load / 100)


@pytest.mark.parametrize("kind", KINDS)
def test_excess_at_minimum_load_charges_the_battery(kind):
    case, plant = flat(15.0), Plant((0.0,), 200.0, 50.0, (1,), 10)
    ways = [UnitBehaviour(min_load=0.3)]
    done = run(case, plant, ways, Controller(kind))
    audit(case, plant, ways, done, exact=True)
    assert done.dispatch.charge_mw.sum() > 0.2 * 15.0 * YEAR
    assert done.shed_mw.sum() == pytest.approx(0.0, abs=1e-6)
    assert done.dispatch.curtailed_mw.sum() < 0.01 * 15.0 * YEAR
    # On till the battery carries the load for as long as a unit runs, and off for that long
    assert done.starts[0] <= YEAR / (2 * 2.0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("battery", [(0.0, 0.0), (5.0, 5.0), (25.0, 100.0)])
@pytest.mark.parametrize("step_h", [1.0, 0.25])
def test_a_unit_that_would_be_started_again_soon_keeps_running(kind, battery, step_h):
    case, plant = flat(15.0, step_h), Plant((0.0,), *battery, (1,), 10)
    done = run(case, plant, [UnitBehaviour(min_load=0.3)], Controller(kind, start_soc=0.0))
    assert done.starts[0] <= 2
    assert done.shed_mw.sum() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("battery", [(5.0, 5.0), (25.0, 100.0), (200.0, 50.0)])
@pytest.mark.parametrize("step_h", [1.0, 0.25])
def test_a_battery_to_refill_does_not_start_units_that_have_nothing_to_do(battery, step_h):
    case, plant = flat(95.0, step_h), Plant((0.0,), *battery, (3,), 10)
    done = run(case, plant, [UnitBehaviour(min_load=0.5)], Controller("greedy"))
    assert done.starts.sum() <= 2
    assert done.dispatch.curtailed_mw.sum() < 1e-3 * 95.0 * case.steps


@pytest.mark.parametrize("kind", KINDS)
def test_sun_that_comes_and_goes_by_the_hour_does_not_start_a_unit_every_hour(kind):
    clouds = np.tile([1.0, 0.0], YEAR // 2)
    case = flat(15.0, sun=clouds)
    plant = Plant((20.0,), 0.0, 0.0, (1,), 10)
    ways = [UnitBehaviour(min_load=0.3)]
    done = run(case, plant, ways, Controller(kind))
    audit(case, plant, ways, done, exact=True)
    assert done.starts[0] == 1
    # A long spell of sun is another matter
    case = flat(15.0, sun=np.tile(np.repeat([1.0, 0.0], 12), YEAR // 24))
    done = run(case, plant, ways, Controller(kind))
    assert done.starts[0] == 365
    assert (done.dispatch.backup_mw[0] == 0.0).sum() >= 9 * 365


@pytest.mark.parametrize("kind", KINDS)
def test_a_unit_that_cannot_reach_its_minimum_in_heat_stays_off(kind):
    steps = np.arange(YEAR)
    case = flat(15.0, capability=np.where(steps % 24 < 6, 0.25, 1.0)[None, :])
    done = run(case, Plant((0.0,), 0.0, 0.0, (1,), 10), [UnitBehaviour(min_load=0.3)], Controller(kind))
    assert np.array_equal(done.dispatch.backup_mw[0], np.where(steps % 24 < 6, 0.0, 30.0))
    assert done.shed_mw == pytest.approx(np.where(steps % 24 < 6, 15.0, 0.0))


def test_units_whose_start_takes_longer_than_a_step_are_called_once():
    case, plant = flat(100.0, 0.25, unit_mw=10.0), Plant((0.0,), 0.0, 0.0, (30,), 10)
    done = run(
        case, plant, [UnitBehaviour(start_h=25 / 60, min_load=0.4)], Controller("greedy", start_soc=0.0)
    )
    assert done.starts.sum() == 10
    # 25 minutes: one step of nothing, then a third of a step, which is below the minimum load
    assert done.shed_mw[:4].tolist() == pytest.approx([100.0, 100.0, 0.0, 0.0])


def test_load_is_not_throttled_for_power_that_nothing_takes():
    case = dataclasses.replace(flat(15.0), tiers=(Tier(0.3, 0.3), Tier(0.7, 1.3)))
    plant = Plant((0.0,), 0.0, 0.0, (1,), 10)
    done = run(case, plant, [UnitBehaviour(min_load=0.3)], Controller(throttle_reserve_h=5.0, reserve_h=5.0))
    assert done.shed_mw.sum() == 0.0


def test_the_array_gives_what_its_working_blocks_give_from_the_very_step_on():
    """Of five blocks one fails at ten, two more at noon; a unit's failure between them changes nothing."""
    sun = np.full(YEAR, 0.5)
    table = [(10, SOLAR_BLOCK, 0, 1), (11, UNIT, 0, 1), (12, SOLAR_BLOCK, 0, 2), (14, UNIT, 0, -1),
             (15, SOLAR_BLOCK, 0, -3)]  # fmt: skip
    columns = zip((np.array(c) for c in zip(*table, strict=True)), "qbhb", strict=True)
    outages = OutageSample(
        *(column.astype(kind) for column, kind in columns), 1, 5, 1.2, np.zeros(2, np.uint64)
    )
    done = run(
        flat(40.0, sun=sun), Plant((50.0,), 0.0, 0.0, (1,), 10), [UnitBehaviour()], Controller(), outages
    )
    working = np.array([5, 4, 4, 2, 2, 2, 5, 5])
    assert done.solar_mw[9:17] == pytest.approx(50.0 * 0.5 * 1.2 * working / 5)
    assert done.shed_mw[9:17] == pytest.approx([0, 0, 16, 28, 28, 0, 0, 0])


# --- fuel on site


def interrupted(units, *spans):
    """Outages of a plant in which gas is cut off in the spans of steps given, and nothing else fails."""
    events = sorted([(a, 1) for a, _ in spans] + [(b, -1) for _, b in spans])
    steps, change = zip(*events, strict=True)
    return OutageSample(
        np.array(steps), np.full(len(steps), FUEL, np.int8), np.zeros(len(steps), np.int16),
        np.array(change, np.int8), 1, 1, 1.0, np.zeros(sum(units) + len(units), np.uint64),
    )  # fmt: skip


def hours_on_tank(way, units=(1,), load=40.0, step_h=1.0, spans=((1000, 1400),)):
    case, plant = flat(load, step_h), Plant((0.0,), 0.0, 0.0, units, 10)
    outages = interrupted(units, *spans)
    ways = [way]
    done = run(case, plant, ways, Controller(), outages)
    audit(case, plant, ways, done, outages)
    out = np.zeros(case.steps, bool)
    for a, b in spans:
        out[a:b] = True
    assert done.shed_mw[~out].sum() == pytest.approx(0.0, abs=1e-9)
    return [float((done.shed_mw[a:b] < 1e-9).sum() * step_h) for a, b in spans], done


@pytest.mark.parametrize("step_h", [1.0, 0.25])
@pytest.mark.parametrize("intercept", [0.0, 0.1, 0.25])
def test_a_tank_lasts_as_long_as_its_fuel_at_the_real_heat_rate(step_h, intercept):
    way = UnitBehaviour(intercept=intercept, fuel="gas", storage_h=10.0)
    (ran,), _ = hours_on_tank(way, step_h=step_h)
    lasts = 10.0 / (intercept + (1.0 - intercept) * 0.4)
    assert lasts - 2 * step_h < ran <= lasts + 1e-9


def test_half_of_the_units_run_twice_as_long_on_the_tank_of_all():
    way = UnitBehaviour(intercept=0.25, fuel="gas", storage_h=10.0)
    (one,), _ = hours_on_tank(way, (1,), load=100.0)
    (two,), _ = hours_on_tank(way, (2,), load=100.0)
    assert (one, two) == (10.0, 20.0)
    (both,), _ = hours_on_tank(way, (2,), load=120.0)
    assert both == pytest.approx(20.0 / (2 * 0.25 + 0.75 * 1.2), abs=1.0)


def test_a_tank_is_refilled_at_its_rate():
    way = UnitBehaviour(fuel="gas", storage_h=10.0, refill_h_per_h=0.25)
    for pause_h, expected in ((1, 0.0), (20, 5.0), (40, 10.0), (400, 10.0)):
        spans = ((1000, 1050), (1050 + pause_h, 1100 + pause_h))
        (first, second), _ = hours_on_tank(way, load=100.0, spans=spans)
        assert (first, second) == (10.0, expected)
    never = dataclasses.replace(way, refill_h_per_h=0.0)
    (_, second), _ = hours_on_tank(never, load=100.0, spans=((1000, 1050), (5000, 5050)))
    assert second == 0.0


def test_a_technology_whose_only_fuel_is_its_tank_burns_just_that():
    way = UnitBehaviour(intercept=0.1, min_load=0.3, fuel="gas", storage_h=48.0)
    (ran,), done = hours_on_tank(way, (3,), load=150.0, spans=((0, YEAR),))
    assert done.fuel_mmbtu.sum() <= 8.5 * 300.0 * 48.0 * (1 + 1e-12)
    assert done.fuel_mmbtu.sum() >= 8.5 * 300.0 * 48.0 - 8.5 * 100.0
    assert ran == pytest.approx(48.0 * 300.0 / (0.1 * 200.0 + 0.9 * 150.0), abs=2.0)


def test_two_technologies_of_one_fuel_have_a_tank_each_and_other_fuels_are_left_alone():
    steps = YEAR
    machines = tuple(
        cases.backup(steps, f"t{k}", unit_mw=50.0, marginal_cost_usd_per_mwh=40.0 + 10 * k) for k in range(3)
    )
    case = cases.case(np.zeros(steps), np.full(steps, 150.0), backup=machines)
    plant, outages = Plant((0.0,), 0.0, 0.0, (1, 1, 1), 10), interrupted((1, 1, 1), (1000, 1100))
    ways = [UnitBehaviour(fuel=f, storage_h=s) for f, s in (("gas", 10.0), ("gas", 30.0), ("oil", 0.0))]
    done = run(case, plant, ways, Controller(), outages)
    audit(case, plant, ways, done, outages, exact=True)
    served = done.dispatch.backup_mw[:, 1000:1100].sum(axis=1)
    assert served.tolist() == pytest.approx([500.0, 1500.0, 5000.0])
