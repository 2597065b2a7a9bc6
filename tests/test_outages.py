"""What sampled failures can get wrong: rates, independence, seasons, and the closed forms they must meet."""

from __future__ import annotations

import dataclasses
from math import comb

import numpy as np
import pytest

import sitedesign as sd
from sitedesign.case.build import build_case
from sitedesign.case.case import Tier
from sitedesign.case.plant import Plant
from sitedesign.certified.environment import environment_of
from sitedesign.certified.scenario_years import weather_block
from sitedesign.operation import unit_commitment
from sitedesign.operation.forecast import Climatology
from sitedesign.operation.outages import streams
from sitedesign.operation.outages.rates import MOST_BLOCKS
from sitedesign.operation.outages.sampling import (
    FUEL,
    SITE,
    WIND_UNIT,
    BlockOutages,
    FarmOutages,
    FuelOutages,
    OutageConditions,
    OutageModel,
    UnitOutages,
    hazard_per_h,
    sample_outages,
    unit_availability,
)
from sitedesign.operation.outages.year_cache import OutageYearCache
from sitedesign.operation.state import Controller, UnitBehaviour, lay_out
from sitedesign.reliability.metrics import uptime_metrics
from tests.cases import operated_case, operated_unit
from tests.operated import operated

HOURS = 8760
MURPHY = ((-15.0, 0.199), (-5.0, 0.051), (15.0, 0.024), (35.0, 0.066))


def year_climate(temp=15.0):
    clock = np.arange(HOURS) % 24
    season = 1 - 0.3 * np.cos(2 * np.pi * (np.arange(HOURS) // 24 + 10) / 365)
    sun = np.maximum(np.sin(np.pi * (clock - 6) / 12), 0) * season
    return Climatology(
        sun, np.full(HOURS, 10.0), np.ones((1, HOURS)), np.full(365, 0.3), np.sort(np.full(365, temp))
    )


def sky(years=20, temp=15.0, step_h=1.0, first_year=0):
    steps = round(years * HOURS / step_h)
    return OutageConditions(step_h, years, first_year, np.full(steps, temp), year_climate())


def icy_sky(years, temp, first_year=0):
    return dataclasses.replace(sky(years, temp, first_year=first_year), climatology=year_climate(temp))


def one(rate=0.05, mttr=20.0, **more):
    return UnitOutages("recip", "natural_gas", rate, mttr, **more)


def flat_case(years, load, units, step_h=1.0):
    steps = round(years * HOURS / step_h)
    return operated_case(np.zeros(steps), load, units, years=years, step_h=step_h)


def constant_climate(load, technologies=1):
    flat = np.zeros(HOURS)
    return Climatology(flat, np.full(HOURS, load), np.ones((technologies, HOURS)), np.zeros(365), np.zeros(0))


def test_two_state_availability_and_persistence_are_the_markov_chain():
    rate, mttr, years = 0.05, 20.0, 200
    model = OutageModel(units=(one(rate, mttr),))
    paths = sample_outages(model, [4], sky(years), seed=1)
    up = unit_availability(paths, model, [4], 0, years * HOURS)
    assert up.mean() == pytest.approx(1 - rate, abs=3 * 0.0009)
    fail, repair = rate / (mttr * (1 - rate)), 1 / mttr
    stays_down = 1 - (repair / (fail + repair)) * (1 - np.exp(-(fail + repair)))
    down = up[:, :-1] == 0
    assert (up[:, 1:][down] == 0).mean() == pytest.approx(stays_down, abs=0.001)


@pytest.mark.parametrize("step_h", [1.0, 0.25])
def test_availability_does_not_depend_on_the_step(step_h):
    model = OutageModel(units=(one(0.1, 3.0),))
    years = 60
    up = unit_availability(
        sample_outages(model, [2], sky(years, step_h=step_h), seed=2),
        model,
        [2],
        0,
        round(years * HOURS / step_h),
    )
    assert up.mean() == pytest.approx(0.9, abs=0.0035)


def test_a_unit_fails_at_the_same_moments_whatever_else_is_built():
    few = OutageModel(units=(one(),))
    many = OutageModel(
        units=(dataclasses.replace(one(), name="aero"), one()),
        site_events_per_yr=1.0,
        battery=BlockOutages(10, 0.02, 24.0),
    )
    alone = unit_availability(sample_outages(few, [2], sky(), seed=5), few, [2], 0, 20 * HOURS)
    among = unit_availability(sample_outages(many, [3, 6], sky(), seed=5), many, [3, 6], 1, 20 * HOURS)
    assert np.array_equal(alone, among[:2])
    other = unit_availability(sample_outages(few, [2], sky(), seed=6), few, [2], 0, 20 * HOURS)
    assert not np.array_equal(alone, other)


def test_switching_one_cause_off_leaves_the_others_alone():
    model = OutageModel(
        units=(one(common_cause_beta_run=0.1, planned_outage_fraction=0.02),),
        fuels=(FuelOutages("natural_gas", 2.0, 12.0),),
        site_events_per_yr=3.0,
    )
    full, less = (
        sample_outages(m, [3], sky(), seed=1) for m in (model, model.without("common_cause", "planned"))
    )
    for kind in (FUEL, SITE):
        assert np.array_equal(full.step[full.kind == kind], less.step[less.kind == kind])
    assert full.step.size > less.step.size


def test_fuel_on_site_bridges_interruptions_where_a_plant_is_sized():
    model = OutageModel(units=(one(),), fuels=(FuelOutages("natural_gas", 20.0, 50.0),))
    paths, steps = sample_outages(model, [2], sky(), seed=1), 20 * HOURS
    alone = dataclasses.replace(model, fuels=())
    without = unit_availability(paths, model, [2], 0, steps)
    bridged = unit_availability(paths, model, [2], 0, steps, stored_fuel=True)
    assert np.array_equal(
        bridged, unit_availability(sample_outages(alone, [2], sky(), seed=1), alone, [2], 0, steps)
    )
    assert (without <= bridged).all()
    assert without.mean() < 0.95 * bridged.mean()


@pytest.mark.parametrize("length", range(1, 9))
def test_a_stream_is_that_of_numpy_for_the_same_key(length):
    for words in np.random.default_rng(length).integers(0, 2**32, (50, length)):
        place = length // 2
        ours = streams.seeds(words.copy(), place, 3, 4)
        # Some of the exponential ones from the tail and the edges of layers
        drawn = streams.drawn(ours.copy(), 2, 200)
        for number, mine, numbers in zip(range(3, 7), ours, drawn, strict=True):
            words[place] = number
            key = np.random.SeedSequence(words.astype(np.uint32))
            np.testing.assert_array_equal(mine, key.generate_state(4, np.uint64))
            theirs = np.random.Generator(np.random.PCG64(key))
            wanted = [theirs.random(), theirs.random(), *theirs.standard_exponential(200)]
            np.testing.assert_array_equal(numbers, wanted)


def test_hazards_are_those_of_the_temperature_that_takes_the_place_of_another():
    unit, mild = one(forced_outage_by_temp_c=MURPHY), sky(years=1)
    model = OutageModel(units=(unit,))
    sample_outages(model, (3,), mild)
    cold = np.full(HOURS, -15.0)
    after = sample_outages(model, (3,), dataclasses.replace(mild, temp_air_c=cold))
    fresh = sample_outages(model, (3,), dataclasses.replace(sky(years=1), temp_air_c=cold))
    np.testing.assert_array_equal(after.step, fresh.step)
    assert after.step.size > sample_outages(model, (3,), mild).step.size


def test_same_seed_same_events_and_draws_differ():
    model = OutageModel(units=(one(),))
    first, again = (sample_outages(model, [3], sky(), draw=1, seed=4) for _ in range(2))
    assert np.array_equal(first.step, again.step)
    assert not np.array_equal(first.step, sample_outages(model, [3], sky(), draw=2, seed=4).step)


@pytest.mark.parametrize(
    ("temp", "expected"), [(-15.0, 0.04 * 0.199 / 0.024), (15.0, 0.04), (35.0, 0.04 * 0.066 / 0.024)]
)
def test_forced_outage_rate_follows_the_air_temperature(temp, expected):
    unit = dataclasses.replace(one(0.04, 48.0), forced_outage_by_temp_c=MURPHY)
    assert hazard_per_h(unit, np.array([temp]))[0] == pytest.approx(expected / (48 * (1 - expected)))
    model = OutageModel(units=(unit,))
    up = unit_availability(sample_outages(model, [8], sky(100, temp), seed=3), model, [8], 0, 100 * HOURS)
    assert 1 - up.mean() == pytest.approx(expected, rel=0.06)


def test_planned_maintenance_is_staggered_in_the_sunny_half():
    model = OutageModel(units=(one(0.0, planned_outage_fraction=0.04),))
    up = unit_availability(sample_outages(model, [6], sky(3), seed=0), model, [6], 0, 3 * HOURS)
    assert (1 - up).sum(axis=1) == pytest.approx([3 * round(0.04 * HOURS)] * 6)
    assert (1 - up).sum(axis=0).max() == 1
    assert model.units[0].planned_outage_fraction * 6 < 0.5
    days = np.flatnonzero((up == 0).any(axis=0)[:HOURS]) // 24
    assert 80 < days.min() < days.max() < 265


def test_common_cause_takes_all_units_at_once_and_is_part_of_the_rate():
    model = OutageModel(units=(one(0.05, 12.0, common_cause_beta_run=0.2),))
    up = unit_availability(sample_outages(model, [3], sky(200), seed=1), model, [3], 0, 200 * HOURS)
    assert 1 - up.mean() == pytest.approx(0.05, rel=0.05)
    together = 0.2 * 0.05 + (0.8 * 0.05) ** 3
    assert (up.sum(axis=0) == 0).mean() == pytest.approx(together, rel=0.15)


def test_some_common_causes_take_every_unit_and_the_others_each_by_chance():
    """Binomial failure rate: the rate of a unit stays, and of 4 units k go out together as it says."""
    lethal, coupling, years = 0.35, 0.31, 2000
    model = OutageModel(units=(one(0.05, 12.0, common_cause_beta_run=1.0, common_cause_lethal_fraction=lethal,
                                   common_cause_coupling_fraction=coupling),))  # fmt: skip
    up = unit_availability(sample_outages(model, [4], sky(years), seed=2), model, [4], 0, years * HOURS)
    assert 1 - up.mean(axis=1) == pytest.approx([0.05] * 4, rel=0.06)
    out = 4 - up.sum(axis=0)
    begun = out[np.flatnonzero((out[1:] > 0) & (out[:-1] == 0)) + 1]
    chance = np.array([comb(4, k) * coupling**k * (1 - coupling) ** (4 - k) for k in range(5)]) * (1 - lethal)
    chance[4] += lethal
    seen = np.bincount(begun.astype(int), minlength=5)[1:] / begun.size
    assert seen == pytest.approx(chance[1:] / chance[1:].sum(), abs=0.02)


def test_a_unit_that_is_built_later_leaves_the_common_causes_of_the_others_alone():
    model = OutageModel(units=(one(0.05, 12.0, common_cause_beta_run=0.5, common_cause_lethal_fraction=0.3,
                                   common_cause_coupling_fraction=0.4),))  # fmt: skip
    few, many = (
        unit_availability(sample_outages(model, [n], sky(50), seed=2), model, [n], 0, 50 * HOURS)
        for n in (3, 7)
    )
    assert (few == many[:3]).all()


@pytest.mark.parametrize(("group", "alphas"), [(2, (1.0,)), (3, (0.484, 0.516)), (4, (0.426, 0.192, 0.382))])
def test_the_library_takes_as_many_units_as_the_published_alpha_factors(group, alphas):
    """Shares of 2, 3 ... units among the common causes that a failed start has, by the size of the group."""
    unit = sd.library.backup("mobile_gt")
    lethal, coupling = unit.common_cause_lethal_fraction, unit.common_cause_coupling_fraction
    others = [comb(group - 1, k) * coupling**k * (1 - coupling) ** (group - 1 - k) for k in range(group)]
    shares = [(1 - lethal) * chance / (1 - others[0]) for chance in others[1:]]
    shares[-1] += lethal
    assert shares == pytest.approx(alphas, abs=0.05)


def test_a_failed_start_with_a_common_cause_takes_units_that_stand_still():
    """Counted in the compiled start itself: every one, or each by chance, as often as it says."""
    lethal, coupling, repair = 0.35, 0.31, 12.0
    case = operated_case(np.zeros(24), 10.0, [operated_unit(unit_mw=5.0, steps=24)])
    behaviour = UnitBehaviour(start_failure=1.0, start_beta=1.0, retry_success=0.5, start_lethal=lethal,
                              start_coupling=coupling, start_common_h=repair)  # fmt: skip
    plant = Plant((0.0,), 0, 0, (6,), 10)
    taken, lasted = [], []
    for t in range(4000):
        machine = lay_out(case, plant, Controller(), [behaviour], [], np.zeros(1))
        machine.plant["common_starts"] = machine.plant["single_starts"] = 1
        machine.plant["next_repair"] = np.inf
        machine.tech["n_free"], machine.tech["start_key"] = 6, 17
        machine.unit["start_key"] = np.arange(101, 107)
        machine.unit["down"][0] = machine.unit["on"][1] = 1  # one is out already, and one runs
        unit_commitment._break_together(
            machine.tech, machine.unit, machine.plant[0], 0, 2, t, bool(t % 100 < 100 * lethal)
        )
        out = machine.unit["repaired_at"] > t
        assert out.tolist()[:3] == [False, False, True]
        assert machine.tech["n_free"][0] == 6 - out.sum()
        taken.append(int(out.sum()))
        lasted.append(float(machine.plant["next_repair"][0]) - t)
    chance = np.array([comb(3, k) * coupling**k * (1 - coupling) ** (3 - k) for k in range(4)]) * (1 - lethal)
    chance[3] += lethal
    assert np.bincount(taken, minlength=5)[1:] / 4000 == pytest.approx(chance, abs=0.025)
    assert set(lasted) == {0.25, repair}  # reset at the retry, or repaired
    assert lasted.count(0.25) / 4000 == pytest.approx(0.5, abs=0.03)


def test_fuel_interruptions_come_at_their_rate_and_cold_ones_on_cold_days():
    years = 400
    coldest = -20.0
    temps = np.repeat(np.tile(coldest + np.arange(365.0), years), 24)
    climate = dataclasses.replace(year_climate(), daily_temp_c=coldest + np.arange(365.0))
    place = OutageConditions(1.0, years, 0, temps, climate)
    model = OutageModel(fuels=(FuelOutages("natural_gas", 0.2, 12.0),))
    starts = sample_outages(model, [], place, seed=1)
    assert (starts.change == 1).sum() / years == pytest.approx(0.2, abs=0.07)
    model = OutageModel(fuels=(FuelOutages("natural_gas", 0.0, 12.0, 0.5, 48.0, 0.01),))
    cold = sample_outages(model, [], place, seed=1)
    begins = cold.step[cold.change == 1]
    assert begins.size / years == pytest.approx(0.5, abs=0.11)
    assert set((begins // 24) % 365) <= {0, 1, 2, 3, 4}  # 4 days lie below the quantile


@pytest.mark.parametrize(
    ("coldest_c", "per_yr", "warmest_c"),
    [
        (24.0, 0.0, None),  # never cold
        (-4.0, 0.0, None),  # its coldest days are not cold enough for wells to freeze off
        (-6.5, 0.5, -5.0),  # two days a year are
        (-30.0, 0.5, -26.0),  # where it is often colder than that, supply is built for it: the coldest 1 %
    ],
)
def test_extreme_cold_is_cold_both_for_water_and_for_the_place(coldest_c, per_yr, warmest_c):
    years = 400
    days = coldest_c + np.arange(365.0)
    place = OutageConditions(
        1.0, years, 0, np.repeat(np.tile(days, years), 24),
        dataclasses.replace(year_climate(), daily_temp_c=days),
    )  # fmt: skip
    model = OutageModel(fuels=(FuelOutages("natural_gas", 0.0, 12.0, 0.5, 48.0, 0.01),))
    paths = sample_outages(model, [], place, seed=1)
    begins = np.minimum(paths.step[paths.change == 1], place.steps - 1)
    assert begins.size / years == pytest.approx(per_yr, abs=0.11)
    if warmest_c is not None:
        # One late in the day may begin in the first step of the next
        assert np.mean(place.temp_air_c[begins] < warmest_c) > 0.9


def test_a_cold_that_the_site_has_never_seen_cuts_the_supply():
    days = np.full(365, 10.0)
    days[7] = -12.0
    usual = dataclasses.replace(year_climate(), daily_temp_c=np.full(365, 10.0))
    place = OutageConditions(1.0, 1, 0, np.repeat(days, 24), usual)
    model = OutageModel(fuels=(FuelOutages("natural_gas", 0.0, 12.0, 0.1, 48.0, 0.01),))
    paths = sample_outages(model, [], place, seed=1)
    assert ((paths.step[paths.change == 1] - 1) // 24).tolist() == [7]


@pytest.mark.parametrize(("units", "need"), [(3, 2), (5, 4), (8, 7)])
def test_loss_of_load_without_storage_is_binomial(units, need):
    rate, years = 0.05, 60
    model = OutageModel(units=(one(rate, 20.0),))
    case = flat_case(years, 10.0 * need, [operated_unit(unit_mw=10.0, steps=years * HOURS)])
    paths = sample_outages(model, [units], sky(years), seed=9)
    done = operated(
        case, Plant((0,), 0, 0, (units,), 10), Controller("greedy", start_soc=0.0), outages=paths,
        climate=constant_climate(10.0 * need),
    )  # fmt: skip
    metrics = uptime_metrics(case, done.dispatch)
    up = [comb(units, n) * (1 - rate) ** n * rate ** (units - n) for n in range(units + 1)]
    lolp = sum(up[:need])
    energy = sum(p * 10 * (need - n) for n, p in enumerate(up) if n < need)
    hours, mwh = metrics.lolh_h_per_yr, metrics.eue_mwh_per_yr
    assert hours.value == pytest.approx(lolp * HOURS, abs=3 * hours.standard_error)
    assert mwh.value == pytest.approx(energy * HOURS, abs=3 * mwh.standard_error)
    assert hours.standard_error < 0.1 * hours.value


def test_three_unequal_units_computed_by_hand():
    # 10 MW (5 % out), 10 MW (10 %) and 5 MW (20 %) against 15 MW. Short with: both tens out (0 or 5 left),
    # one ten and the five out (10 left). P = .05*.1 + (.95*.1 + .05*.9)*.2 = .033;
    # unserved = .05*.1*(.8*10 + .2*15) + .028*5 = .195 MW
    years, steps = 60, 60 * HOURS
    names = (("a", 10.0, 0.05), ("b", 10.0, 0.10), ("c", 5.0, 0.20))
    units = [operated_unit(name, mw, 50.0 + i, steps) for i, (name, mw, _) in enumerate(names)]
    case = flat_case(years, 15.0, units)
    model = OutageModel(units=tuple(UnitOutages(n, "", q, 10.0) for n, _, q in names))
    paths = sample_outages(model, [1, 1, 1], sky(years), seed=2)
    done = operated(
        case, Plant((0,), 0, 0, (1, 1, 1), 10), Controller("greedy", start_soc=0.0), outages=paths,
        climate=constant_climate(15.0, 3),
    )  # fmt: skip
    metrics = uptime_metrics(case, done.dispatch)
    hours, mwh = metrics.lolh_h_per_yr, metrics.eue_mwh_per_yr
    assert hours.value == pytest.approx(0.033 * HOURS, abs=3 * hours.standard_error)
    assert mwh.value == pytest.approx(0.195 * HOURS, abs=3 * mwh.standard_error)


def test_units_and_storage_match_the_exact_markov_chain():
    """Two 6 MW units, 10 MW load, 20 MWh without loss; units refill whenever the battery is not full."""
    rate, mttr, years, full, load = 0.2, 10.0, 100, 20, 10
    fail, repair = rate / (mttr * (1 - rate)), 1 / mttr
    speed = 1 - np.exp(-(fail + repair))
    down, back = fail / (fail + repair) * speed, repair / (fail + repair) * speed
    units = np.zeros((3, 3))  # P(n' up | n up)
    for n in range(3):
        for stay in range(n + 1):
            for rise in range(3 - n):
                units[n, stay + rise] += (
                    comb(n, stay) * (1 - down) ** stay * down ** (n - stay)
                    * comb(2 - n, rise) * back**rise * (1 - back) ** (2 - n - rise)
                )  # fmt: skip
    states = [(n, e) for n in range(3) for e in range(full + 1)]
    index = {state: i for i, state in enumerate(states)}
    chain, shed = np.zeros((len(states),) * 2), np.zeros(len(states))
    for n, e in states:  # n up in this step, e stored before it
        net = load - 6 * n if e < full else load
        after = min(e - net, full)
        shed[index[n, e]] = max(-after, 0)
        for m in range(3):
            chain[index[n, e], index[m, max(after, 0)]] += units[n, m]
    share = np.full(len(states), 1 / len(states))
    for _ in range(4000):
        share = share @ chain
    steps = years * HOURS
    case = flat_case(years, float(load), [operated_unit(unit_mw=6.0, steps=steps)])
    case = dataclasses.replace(case, eta_charge=1.0, eta_discharge=1.0)
    paths = sample_outages(OutageModel(units=(one(rate, mttr),)), [2], sky(years), seed=8)
    # The chain keeps no unit on beyond the step in which it was needed
    done = operated(
        case, Plant((0,), full, 20.0, (2,), 10),
        Controller("greedy", start_soc=1.0, soc_band=0.0, min_run_h=0.0),
        outages=paths, climate=constant_climate(float(load)),
    )  # fmt: skip
    metrics = uptime_metrics(case, done.dispatch)
    hours, mwh = metrics.lolh_h_per_yr, metrics.eue_mwh_per_yr
    assert hours.value == pytest.approx(share[shed > 0].sum() * HOURS, abs=3 * hours.standard_error)
    assert mwh.value == pytest.approx(share @ shed * HOURS, abs=3 * mwh.standard_error)
    assert mwh.standard_error < 0.05 * mwh.value


def test_diesel_outlasts_an_interruption_by_its_tank_and_gas_does_not():
    steps = HOURS
    case = flat_case(1, 8.0, [operated_unit(unit_mw=4.0, steps=steps)])
    model = OutageModel(fuels=(FuelOutages("diesel", 6.0, 100.0),))
    paths = sample_outages(model, [], sky(1), seed=3)
    spans = sorted(zip(paths.step[paths.change == 1], paths.step[paths.change == -1], strict=True))
    for storage in (0.0, 24.0):
        done = operated(
            case, Plant((0,), 0, 0, (2,), 10), Controller("greedy", start_soc=0.0),
            climate=constant_climate(8.0),
            outages=dataclasses.replace(paths, start_keys=np.zeros(3, np.uint64)), fuels=("diesel",),
            behaviours=[UnitBehaviour(fuel="diesel", storage_h=storage)],
        )  # fmt: skip
        expected = sum(max(end - start - storage, 0) for start, end in spans)
        assert (done.shed_mw > 0).sum() == expected
    assert expected > 0


def test_failed_starts_come_at_their_probability_and_cost_time():
    clock = np.arange(HOURS * 4) % 24
    solar = np.where((clock > 6) & (clock < 18), 2.0, 0.0)
    case = operated_case(solar, 10.0, [operated_unit(unit_mw=5.0, steps=solar.size)], years=4)
    model = OutageModel(units=(one(0.0),))
    paths = sample_outages(model, [2], sky(4), seed=3)
    behaviour = [UnitBehaviour(start_failure=0.1, mttr_h=24.0)]
    done = operated(
        case, Plant((10.0,), 0, 0, (2,), 10), Controller("greedy", start_soc=0.0), behaviours=behaviour,
        outages=paths, climate=constant_climate(10.0),
    )  # fmt: skip
    starts, failed = done.starts.sum(), done.failed_starts.sum()
    assert failed / starts == pytest.approx(0.1, abs=3 * (0.09 / starts) ** 0.5)
    # a quarter of an hour for every retry that works, half a repair time for the others
    assert 0.4 * failed / 2 * 5 < done.shed_mw.sum() < failed / 2 * 12 * 5 + failed * 1.25
    quiet = operated(
        case, Plant((10.0,), 0, 0, (2,), 10), Controller("greedy", start_soc=0.0), behaviours=behaviour,
        outages=sample_outages(model.without("starts"), [2], sky(4), seed=3), climate=constant_climate(10.0),
    )  # fmt: skip
    assert quiet.shed_mw.sum() == pytest.approx(0.0, abs=1e-9)


def test_starts_that_fail_together_and_alone_are_spared_apart():
    solar = np.tile(np.where(np.arange(24) < 12, 0.0, 1.0), 365 * 4)
    case = operated_case(solar, 10.0, [operated_unit(unit_mw=5.0, steps=solar.size)], years=4)
    behaviour = [UnitBehaviour(start_failure=0.2, mttr_h=24.0, start_beta=0.3)]

    def failed(*off):
        paths = sample_outages(OutageModel(units=(one(0.0),)).without(*off), [2], sky(4), seed=3)
        done = operated(
            case, Plant((10.0,), 0, 0, (2,), 10), Controller("greedy", start_soc=0.0), behaviours=behaviour,
            outages=paths, climate=constant_climate(10.0),
        )  # fmt: skip
        return done.failed_starts.sum() / done.starts.sum(), done.shed_mw.sum()

    (both, lost), (common, _), (single, less) = failed(), failed("starts"), failed("common_starts")
    assert both == pytest.approx(0.2, abs=0.02)
    assert common == pytest.approx(0.2 * 0.3, abs=0.015)
    assert single == pytest.approx(0.2 * 0.7, abs=0.02)
    assert less < lost
    assert failed("starts", "common_starts") == (0.0, pytest.approx(0.0, abs=1e-9))


def test_battery_blocks_take_their_energy_with_them_and_bring_it_back():
    rng = np.random.Generator(np.random.PCG64(1))
    solar = rng.uniform(0, 2.2, HOURS * 2)
    case = operated_case(solar, 10.0, (), years=2, tiers=[Tier(1.0, 1.0)])
    model = OutageModel(battery=BlockOutages(5, 0.1, 30.0, 0.02), solar=BlockOutages(4, 0.05, 24.0))
    paths = sample_outages(model, [], sky(2), seed=3)
    done = operated(
        case, Plant((10.0,), 60.0, 12.0, (), 10), Controller("greedy", start_soc=0.0), outages=paths,
        climate=constant_climate(10.0, 0),
    )  # fmt: skip
    d = done.dispatch
    before = np.concatenate([[60.0], d.stored_mwh[:-1]])
    assert np.abs(d.stored_mwh - before - 0.9 * d.charge_mw + d.discharge_mw / 0.8).max() < 1e-9
    balance = done.solar_mw - d.curtailed_mw + d.discharge_mw - d.charge_mw + d.shed_mw - case.load_mw
    assert np.abs(balance).max() < 1e-9
    assert done.solar_mw.sum() == pytest.approx(10 * solar.sum() * 0.95, rel=0.02)
    assert d.stored_mwh.max() <= 60.0 + 1e-9
    assert (d.discharge_mw > 12.0 + 1e-9).sum() == 0


def test_a_site_fault_stops_everything():
    case = flat_case(1, 10.0, [operated_unit(unit_mw=10.0, steps=HOURS)])
    model = OutageModel(units=(one(0.0),), site_events_per_yr=5.0, site_event_h=8.0)
    paths = sample_outages(model, [1], sky(1), seed=2)
    spans = zip(paths.step[paths.change == 1], paths.step[paths.change == -1], strict=True)
    done = operated(
        case,
        Plant((0,), 0, 0, (1,), 10),
        Controller("greedy", start_soc=0.0),
        outages=paths,
        climate=constant_climate(10.0),
    )
    assert (done.shed_mw == 10.0).sum() == sum(end - start for start, end in spans) > 0


@pytest.mark.parametrize(
    ("latitude", "longitude", "least", "most"),
    [
        (1.35, 103.82, 0.0, 0.0),  # Singapore: its coldest days have 25 degrees C
        (25.76, -80.19, 0.0, 0.0),  # Miami
        (31.76, -106.49, 0.02, 0.25),  # El Paso: cold enough once in some years
        (44.98, -93.27, 0.02, 0.25),  # Minneapolis: only far below what freezes wells elsewhere
    ],
)
def test_gas_of_a_real_place_is_cut_by_cold_where_wells_freeze(latitude, longitude, least, most):
    study = sd.Study(
        site=sd.Site(latitude=latitude, longitude=longitude), racks=100, uptime=0.99, weather_years=20
    )
    study_case = build_case(study)
    environment, temp_c = environment_of(study_case), weather_block(study_case).temp_air_c
    fuels = tuple(dataclasses.replace(f, interruption_events_per_yr=0.0) for f in environment.outages.fuels)
    model = dataclasses.replace(environment.outages, fuels=fuels)
    place = OutageConditions(1.0, 20, 0, temp_c, environment.climatology)
    begins = []
    for draw in range(20):
        paths = sample_outages(model, [0] * len(model.units), place, draw, seed=1)
        begins += paths.step[(paths.kind == FUEL) & (paths.change == 1)].tolist()
    assert least <= len(begins) / 400 <= most
    daily = temp_c.reshape(-1, 24).mean(axis=1)
    # One late in the day may begin in the first step of the next
    on = np.minimum(daily[np.array(begins, int) // 24], daily[np.maximum(np.array(begins, int) - 1, 0) // 24])
    assert (on < -5.0).all()


FARM = FarmOutages(1, "turbine", unit_mw=6.0, availability=0.97, mttr_h=72.0)
ICY = dataclasses.replace(FARM, availability=1.0, icing_per_cold_day=0.05, icing_h=20.0)


def down_blocks(paths, resource, steps):
    mine = (paths.kind == WIND_UNIT) & (paths.index == resource)
    changes = np.zeros(steps + 1)
    np.add.at(changes, paths.step[mine], paths.change[mine])
    return np.cumsum(changes[:-1])


@pytest.mark.parametrize(
    ("mw", "blocks"), [(0.0, 1), (5.9, 1), (6.0, 1), (6.1, 2), (96.0, 16), (900.0, MOST_BLOCKS)]
)
def test_turbines_are_out_as_often_as_stated_whatever_the_size_of_the_farm(mw, blocks):
    years = 60
    paths = sample_outages(OutageModel(farms=(FARM,)), [], sky(years), seed=4, resources_mw=(50.0, mw))
    assert paths.wind_blocks == (1.0, float(blocks))
    assert paths.wind_scale == (1.0, pytest.approx(1 / 0.97))
    share = down_blocks(paths, 1, years * HOURS).reshape(years, -1).mean(axis=1) / blocks
    assert share.mean() == pytest.approx(0.03, abs=4 * share.std(ddof=1) / years**0.5)
    assert share.std() > 0.0


def test_the_turbines_of_a_small_farm_are_the_first_of_a_large_one_in_any_year_and_at_once():
    model = OutageModel(
        farms=(dataclasses.replace(ICY, availability=0.97),), fuels=(FuelOutages("gas", 3.0, 9.0),)
    )
    cache = OutageYearCache(model, np.full((3, HOURS), -5.0), 1.0, year_climate(-5.0), 9)
    for mw in (30.0, 12.0, 90.0, 1000.0):
        found = cache.sample([1], [], (0.0, mw))
        alone = sample_outages(model, [], icy_sky(1, -5.0, first_year=1), 0, 9, (0.0, mw))
        for name in ("step", "kind", "index", "change", "wind_blocks", "wind_scale"):
            assert np.array_equal(getattr(found, name), getattr(alone, name)), (mw, name)


def test_ice_stops_all_farms_at_once_in_the_cold_and_its_mean_is_taken_out_of_the_yield():
    farms = (ICY, dataclasses.replace(ICY, resource=2, name="other", unit_mw=3.0))
    cold = sample_outages(
        OutageModel(farms=farms), [], icy_sky(100, -5.0), seed=3, resources_mw=(0.0, 60.0, 30.0)
    )
    first, second = (down_blocks(cold, row, 100 * HOURS) for row in (1, 2))
    assert np.array_equal(first > 0, second > 0)
    assert first[first > 0].min() >= 10
    stopped = (first > 0).reshape(100, -1).mean(axis=1)
    assert stopped.mean() == pytest.approx(ICY.iced_share(year_climate(-5.0)), abs=4 * stopped.std() / 10)
    assert cold.wind_scale[1] == pytest.approx(1 / (1 - ICY.iced_share(year_climate(-5.0))))
    warm = sample_outages(OutageModel(farms=farms), [], sky(100, 5.0), seed=3, resources_mw=(0.0, 60.0, 30.0))
    assert not (warm.kind == WIND_UNIT).any()
    assert warm.wind_scale == (1.0, 1.0, 1.0)


def test_turbines_that_never_fail_give_what_they_would_without_their_mean_outages():
    model = OutageModel(farms=(FARM,))
    off = sample_outages(model.without("wind"), [], sky(2), seed=1, resources_mw=(0.0, 60.0))
    assert not (off.kind == WIND_UNIT).any()
    assert off.wind_scale == (1.0, pytest.approx(1 / 0.97))
    unsaid = sample_outages(model, [], sky(2), seed=1)
    assert not (unsaid.kind == WIND_UNIT).any()
    assert unsaid.wind_scale == ()


def test_a_unit_that_nothing_happens_to_is_always_there():
    safe = OutageModel(units=(one(0.0),), fuels=())
    paths = sample_outages(safe, [3], sky(2), seed=1)
    assert unit_availability(paths, safe, [3], 0, 2 * HOURS).all()
