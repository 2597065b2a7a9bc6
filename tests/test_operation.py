"""What operation can get wrong: energy from nowhere, units out of order, a peek into the future."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from sitedesign.case.case import Tier
from sitedesign.case.dispatch import Dispatch
from sitedesign.case.plant import Plant
from sitedesign.errors import ReplayMismatch
from sitedesign.operation.forecast import Climatology, Forecast, climatology, resource_factors
from sitedesign.operation.operate import operate, operate_greedy
from sitedesign.operation.outages.sampling import (
    BlockOutages,
    FuelOutages,
    OutageConditions,
    OutageModel,
    UnitOutages,
    sample_outages,
    unit_availability,
)
from sitedesign.operation.state import Controller, UnitBehaviour
from sitedesign.reliability.replay import check_dispatch, rack_shortfall
from tests.cases import RACKS, operated_case, operated_unit
from tests.operated import operated
from tests.rolling_horizon import rolling_horizon


def test_greedy_matches_a_plant_run_by_hand():
    units = [operated_unit("dear", cost=90.0), operated_unit("cheap", unit_mw=2.0, cost=50.0)]
    case = operated_case(units=units)
    dispatch = operate_greedy(case, Plant((10.0,), 20.0, 6.0, (1, 1), 10))
    # hour 0: no sun; battery 6 MW (7.5 MWh out of it), cheap 2, dear 2
    # hour 1: sun equals load; hour 2: 10 MW surplus, 6 MW into the battery (5.4 MWh stored), 4 curtailed
    # hour 4: 10.4 MWh left give 8.32 MW, limited to 6; hour 5: 2.9 MWh left give 2.32 MW; 1.68 MW are shed
    assert dispatch.discharge_mw == pytest.approx([6, 0, 0, 6, 6, 2.32])
    assert dispatch.backup_mw[1] == pytest.approx([2, 0, 0, 2, 2, 2])
    assert dispatch.backup_mw[0] == pytest.approx([2, 0, 0, 2, 2, 4])
    assert dispatch.charge_mw == pytest.approx([0, 0, 6, 0, 0, 0])
    assert dispatch.curtailed_mw == pytest.approx([0, 0, 4, 0, 0, 0])
    assert dispatch.stored_mwh == pytest.approx([12.5, 12.5, 17.9, 10.4, 2.9, 0.0])
    assert dispatch.shed_mw == pytest.approx([0, 0, 0, 0, 0, 1.68])


def test_replay_accepts_greedy_and_adds_up_its_cost():
    case = operated_case(units=[operated_unit(cost=80.0)], years=1)
    plant = Plant((10.0,), 20.0, 6.0, (1,), 12)
    replay = check_dispatch(case, plant, operate_greedy(case, plant))
    assert replay.balance_residual_mw < 1e-12
    energy = replay.backup_mwh_per_yr[0]
    assert replay.operating_cost_usd_per_yr == pytest.approx(80 * energy)
    fixed = 10 * 100 + 20 * 10 + 6 * 5 + 1000 + 2 * 7 + 3 * 12
    assert replay.objective_usd_per_yr == pytest.approx(80 * energy + fixed)
    assert replay.renewable_share == pytest.approx(1 - energy / 60)
    assert replay.fuel_mmbtu_per_yr == pytest.approx(8 * energy)


def test_replay_names_every_violation():
    case = operated_case(units=[operated_unit()])
    plant = Plant((10.0,), 20.0, 6.0, (1,), 10)
    good = operate_greedy(case, plant)
    bad = dataclasses.replace(good, backup_mw=good.backup_mw + 5.0, lost_compute=good.lost_compute + 0.5)
    with pytest.raises(ReplayMismatch) as caught:
        check_dispatch(case, plant, bad)
    text = str(caught.value)
    assert "energy balance: off by 5 MW" in text
    assert "recip above its units" in text
    assert "lost compute against the tiers" in text


SERIES = [f.name for f in dataclasses.fields(Dispatch) if f.default is not None]  # always there


@pytest.mark.parametrize("field", SERIES)
def test_replay_catches_a_fault_in_any_series(field):
    case = operated_case(units=[operated_unit()], tiers=[Tier(0.2, 0.3), Tier(0.8, 1.175)])
    plant = Plant((10.0,), 20.0, 6.0, (1,), 10)
    good = operate_greedy(case, plant)
    series = getattr(good, field).copy()
    series[..., 4] += 0.01
    with pytest.raises(ReplayMismatch):
        check_dispatch(case, plant, dataclasses.replace(good, **{field: series}))
    series[..., 4] = np.nan
    with pytest.raises(ReplayMismatch):
        check_dispatch(case, plant, dataclasses.replace(good, **{field: series}))


def test_tiers_are_shed_cheapest_first():
    tiers = [Tier(0.1, 0.3), Tier(0.2, 0.6), Tier(0.7, 1.214285714285714)]
    case = operated_case(solar=(0.25, 0.0, 0.5, 1, 1, 1), tiers=tiers)
    dispatch = operate_greedy(case, Plant((10.0,), 0.0, 0.0, (), 10))
    assert dispatch.shed_mw == pytest.approx([7.5, 10, 5, 0, 0, 0])
    assert dispatch.lost_compute[1] == pytest.approx(1.0)
    assert dispatch.lost_compute[2] == pytest.approx(0.1 * 0.3 + 0.2 * 0.6 + 0.2 * 1.214285714285714)


def test_fade_under_a_full_battery_leaves_by_discharge():
    usable = np.array([1.0, 0.9, 0.9, 0.9, 0.9, 0.9])
    case = operated_case(solar=(1, 1, 1, 1, 1, 1), usable=usable)
    plant = Plant((10.0,), 50.0, 2.0, (), 10)
    dispatch = operate_greedy(case, plant)
    assert dispatch.stored_mwh == pytest.approx([50, 47.5, 45, 45, 45, 45])
    check_dispatch(case, plant, dispatch)


def test_each_unit_reads_its_own_capability_row():
    rows = np.array([[1.0] * 6, [0.0] * 6, [1.0] * 6])
    machine = dataclasses.replace(operated_unit(unit_mw=4.0), capability=rows)
    case = operated_case(solar=(0,) * 6, units=[machine])
    for units, served in ((1, 4), (2, 4), (3, 8), (4, 10)):
        dispatch = operate_greedy(case, Plant((0.0,), 0.0, 0.0, (units,), 10))
        assert dispatch.backup_mw[0] == pytest.approx(served)
        check_dispatch(case, Plant((0.0,), 0.0, 0.0, (units,), 10), dispatch)


@pytest.mark.parametrize("unit_mw", [0.0, 14.0])
def test_same_plant_agrees_at_60_30_and_15_minutes(unit_mw):
    # Exact when the units are none or enough; else a battery that empties within an hour is averaged over it
    rng = np.random.Generator(np.random.PCG64(5))
    solar, load = rng.uniform(0, 2, 48), rng.uniform(8, 12, 48)
    totals = []
    for split in (1, 2, 4):
        case = operated_case(
            np.repeat(solar, split),
            np.repeat(load, split),
            [operated_unit(unit_mw=unit_mw, steps=48 * split)],
            step_h=1.0 / split,
        )
        plant = Plant((8.0,), 20.0, 6.0, (1,), 10)
        replay = check_dispatch(case, plant, operate_greedy(case, plant))
        totals.append((replay.lost_mwh_per_yr, *replay.backup_mwh_per_yr, replay.curtailed_mwh_per_yr))
    assert totals[1] == pytest.approx(totals[0], rel=1e-9)
    assert totals[2] == pytest.approx(totals[0], rel=1e-9)


def test_rack_shortfall_against_enumeration():
    from math import comb

    for racks, contracted, a in ((3, 3, 0.9), (5, 4, 0.8), (12, 10, 0.97)):
        direct = sum(
            max(contracted - n, 0) * comb(racks, n) * a**n * (1 - a) ** (racks - n) for n in range(racks + 1)
        )
        assert rack_shortfall(racks, contracted, a) == pytest.approx(direct / contracted, abs=1e-14)


# --- causal operation


def sunny_case(years=1, seed=0, step_h=1.0, tiers=RACKS, units=((6.0, 60.0), (6.0, 90.0)), spread=0.3):
    """Days of random clearness under a seasonal sun, 10 MW of load."""
    rng = np.random.Generator(np.random.PCG64(seed))
    days, per_day = years * 365, round(24 / step_h)
    clear = np.clip(1 - spread * np.abs(rng.standard_normal(days)) ** 1.5, 0.05, 1.2)
    hour = (np.arange(per_day) + 0.5) * step_h
    season = 1 - 0.25 * np.cos(2 * np.pi * (np.arange(days) % 365 + 10) / 365)
    solar = (clear * season)[:, None] * np.maximum(np.sin(np.pi * (hour - 6) / 12), 0)[None, :]
    solar = solar.ravel()
    machines = [operated_unit(f"t{i}", mw, cost, solar.size) for i, (mw, cost) in enumerate(units)]
    return operated_case(solar, 10.0, machines, tiers, step_h=step_h, years=years)


GENTLE = (Tier(0.1, 0.3), Tier(0.2, 0.6), Tier(0.7, 0.85 / 0.7))
REAL = (
    UnitBehaviour(0.1, 0.4, 0.07, 0.05, 0.1, 24.0, "gas"),
    UnitBehaviour(0.4, 0.5, 0.2, 0.05, 0.1, 24.0, "gas"),
)
PLANT = Plant((64.0,), 120.0, 14.0, (1, 1), 10)


@pytest.mark.parametrize("kind", ["greedy", "latest_safe_start"])
@pytest.mark.parametrize("step_h", [1.0, 0.5])
def test_energy_balance_closes_every_step_with_everything_failing(kind, step_h):
    case = sunny_case(2, step_h=step_h, tiers=GENTLE)
    model = OutageModel(
        units=(UnitOutages("t0", "gas", 0.1, 20.0), UnitOutages("t1", "gas", 0.1, 20.0, None, 0.03, 0.1)),
        fuels=(FuelOutages("gas", 4.0, 12.0),),
        battery=BlockOutages(5, 0.05, 24.0, 0.001),
        solar=BlockOutages(4, 0.05, 24.0),
        site_events_per_yr=2.0,
    )
    conditions = OutageConditions(step_h, 2, 0, np.full(case.steps, 15.0), climatology(case))
    paths = sample_outages(model, PLANT.units, conditions, seed=1)
    rule = Controller(kind, start_soc=0.5)
    done = operated(case, PLANT, rule, behaviours=REAL, outages=paths, fuels=("gas",))
    d = done.dispatch
    supply = (
        done.solar_mw - d.curtailed_mw + d.discharge_mw - d.charge_mw + d.backup_mw.sum(axis=0) + d.shed_mw
    )
    assert np.abs(supply - case.load_mw).max() < 1e-9
    assert done.balance_residual_mw < 1e-9
    before = np.concatenate([[120.0], d.stored_mwh[:-1]])
    assert np.abs(d.stored_mwh - before - step_h * (0.9 * d.charge_mw - d.discharge_mw / 0.8)).max() < 1e-9
    for series in (d.curtailed_mw, d.charge_mw, d.discharge_mw, d.shed_mw, d.stored_mwh, d.backup_mw):
        assert series.min() >= -1e-9
    assert max(d.charge_mw.max(), d.discharge_mw.max()) <= 14.0 + 1e-9
    assert d.stored_mwh.max() <= 120.0 + 1e-9
    assert d.shed_mw.max() <= 10.0 + 1e-9
    available = np.array(
        [unit_availability(paths, model, PLANT.units, k, case.steps).sum(axis=0) for k in (0, 1)]
    )
    assert (d.backup_mw - 6.0 * available).max() < 1e-9
    energy = d.backup_mw.reshape(2, 2, -1).sum(axis=2) * step_h
    assert done.backup_mwh == pytest.approx(energy)
    assert (done.fuel_mmbtu >= 8.0 * done.backup_mwh - 1e-6).all()
    assert done.failed_starts.sum() > 0


@pytest.mark.parametrize("seed", range(3))
def test_causal_greedy_without_quirks_is_the_simple_one(seed):
    case = sunny_case(1, seed, tiers=GENTLE)
    simple = operate_greedy(case, PLANT)
    causal = operated(case, PLANT, Controller("greedy", start_soc=0.0)).dispatch
    for name in SERIES:
        assert getattr(causal, name) == pytest.approx(getattr(simple, name), abs=1e-9)
    check_dispatch(case, PLANT, causal)


@pytest.mark.parametrize("forecast", ["skill", "perfect"])
def test_causal_dispatch_of_ideal_units_passes_the_replay(forecast):
    case = sunny_case(1, 4, tiers=GENTLE)
    check_dispatch(case, PLANT, operated(case, PLANT, forecast=Forecast(forecast)).dispatch)


@pytest.mark.parametrize("kind", ["greedy", "latest_safe_start"])
@pytest.mark.parametrize("forecast", ["skill", "perfect", "persistence", "climatology"])
def test_no_decision_knows_the_future_beyond_the_horizon(kind, forecast):
    case = sunny_case(2, 1)
    sight, first = Forecast(forecast, horizon_h=72.0), 400  # days from 400 on are shuffled
    rng = np.random.Generator(np.random.PCG64(3))
    days = case.resources[0].yield_mw_per_mw.reshape(-1, 24).copy()
    days[first:] = days[first:][rng.permutation(len(days) - first)]
    other = case.with_resource(yield_mw_per_mw=days.ravel())
    rule = Controller(kind, start_soc=0.5)
    known = climatology(case)
    one, two = (
        operated(c, PLANT, rule, forecast=sight, behaviours=REAL, climate=known).dispatch
        for c in (case, other)
    )
    same = 24 * (first - sight.days)  # the window ends at the midnight that follows so many full days
    for name in SERIES:
        assert np.array_equal(getattr(one, name)[..., :same], getattr(two, name)[..., :same]), name
    assert not np.array_equal(one.stored_mwh, two.stored_mwh)
    if kind == "greedy" or forecast in ("persistence", "climatology"):  # these know nothing of tomorrow
        assert np.array_equal(one.stored_mwh[: 24 * first], two.stored_mwh[: 24 * first])


def test_forecast_errors_grow_with_lead_as_stated():
    case = sunny_case(60, 2)
    usual = climatology(case)
    sight = Forecast()
    factors = resource_factors(sight, usual, case, seed=1)[0]
    truth = case.resources[0].yield_mw_per_mw.reshape(60, 365, 24).sum(axis=2) / usual.solar_yield.reshape(
        365, 24
    ).sum(axis=1)
    truth = truth.ravel()
    for lead, nrmse in enumerate(sight.nrmse_by_lead_day[:5]):
        error = factors[: truth.size - lead, lead] - truth[lead:]
        stated = nrmse / sight.reference_sd * float((truth - 1).std())
        assert error.std() == pytest.approx(stated, rel=0.08)
        # a best guess: its error does not depend on itself
        assert abs(np.corrcoef(error, factors[: truth.size - lead, lead])[0, 1]) < 0.06


def test_better_forecasts_never_lose_more_and_burn_less_than_a_threshold():
    case = sunny_case(10, 5)
    lost, gas = [], []
    for rule, sight in (
        (Controller(forecast_z_score=0.0, reserve_h=0.0, capacity_credit=1.0), Forecast("perfect")),
        (Controller(), Forecast("skill")),
        (Controller(), Forecast("climatology")),
        (Controller("greedy", start_soc=0.8), Forecast()),
    ):
        done = operated(case, PLANT, rule, forecast=sight, record=False)
        lost.append((done.lost_compute * case.load_mw).sum() / case.load_mw.sum())
        gas.append(done.backup_mwh.sum() / case.load_mw.sum())
    assert lost[0] <= lost[1] <= lost[2]
    assert gas[0] <= gas[1] + 1e-3
    assert gas[1] < 0.85 * gas[3]


def test_throttling_early_and_gently_loses_less_compute_than_late_and_hard():
    case = sunny_case(5, 6, tiers=GENTLE, units=((3.0, 60.0),), spread=0.55)
    plant = Plant((42.0,), 120.0, 14.0, (1,), 10)
    early = operated(
        case, plant, Controller(forecast_z_score=0.0, capacity_credit=1.0), forecast=Forecast("perfect")
    )
    late = operated(case, plant, Controller("greedy", start_soc=1.0))
    assert early.lost_compute.sum() < 0.8 * late.lost_compute.sum()


@pytest.mark.parametrize("kind", ["greedy", "latest_safe_start"])
def test_causal_operation_agrees_at_60_30_and_15_minutes(kind):
    hourly = sunny_case(2, 7)
    totals = []
    for split in (1, 2, 4):
        case = operated_case(
            np.repeat(hourly.resources[0].yield_mw_per_mw, split), 10.0,
            [operated_unit(f"t{i}", 6.0, 60.0 + 30 * i, hourly.steps * split) for i in (0, 1)],
            step_h=1 / split, years=2,
        )  # fmt: skip
        done = operated(case, PLANT, Controller(kind, start_soc=0.5), forecast=Forecast("climatology"))
        gas = done.backup_mwh.sum() / (case.load_mw.sum() / split)
        totals.append((gas, done.lost_compute.mean()))
    # Shorter steps let a rule act sooner; nothing else may change
    for gas, lost in totals[1:]:
        assert gas == pytest.approx(totals[0][0], rel=0.04)
        assert lost == pytest.approx(totals[0][1], abs=3e-4)


def test_counting_on_fewer_units_keeps_energy_for_the_trip_of_one():
    case = sunny_case(10, 9, units=((3.0, 60.0),))
    plant = Plant((64.0,), 120.0, 14.0, (4,), 10)
    model = OutageModel(units=(UnitOutages("t0", "gas", 0.05, 24.0),))
    usual = climatology(case)
    paths = sample_outages(
        model, (4,), OutageConditions(1.0, 10, 0, np.full(case.steps, 15.0), usual), seed=1
    )
    lost, gas = [], []
    for credit in (1.0, 0.7):
        done = operated(
            case, plant, Controller(capacity_credit=credit), climate=usual, outages=paths, record=False
        )
        lost.append(done.lost_compute.sum())
        gas.append(done.backup_mwh.sum())
    assert lost[1] < 0.5 * lost[0]
    assert gas[1] < 1.05 * gas[0]


def foresight_cost(case, plant, shed_price, end_mwh):
    """Least cost of one plant with everything known, by an independent linear programme."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, eye_array, hstack, vstack

    steps, techs, tiers = case.steps, len(case.backup), len(case.tiers)
    eye, h = eye_array(steps, format="csr"), case.step_h
    shift = eye_array(steps, k=-1, format="csr")
    parts = 4 + techs + tiers  # charge, discharge, curtailed, stored, units, tiers
    balance = hstack([-eye, eye, -eye, csr_array((steps, steps)), *[eye] * (techs + tiers)])
    flow = hstack(
        [-h * case.eta_charge * eye, h / case.eta_discharge * eye, csr_array((steps, steps)), eye - shift]
        + [csr_array((steps, steps))] * (techs + tiers)
    )
    start = np.zeros(steps)
    start[0] = plant.battery_mwh
    right = np.concatenate([case.load_mw - plant.solar_mw * case.resources[0].yield_mw_per_mw, start])
    cost = np.zeros((parts, steps))
    for k, b in enumerate(case.backup):
        cost[4 + k] = h * b.marginal_cost_usd_per_mwh
    for j, tier in enumerate(case.tiers):
        cost[4 + techs + j] = h * shed_price * tier.weight
    top = np.full((parts, steps), np.inf)
    top[:2], top[3] = plant.battery_mw, plant.battery_mwh
    low = np.zeros((parts, steps))
    low[3, -1] = end_mwh
    for k, b in enumerate(case.backup):
        top[4 + k] = plant.units[k] * b.unit_mw
    for j, tier in enumerate(case.tiers):
        top[4 + techs + j] = tier.width * case.load_mw
    bounds = np.stack([low.ravel(), top.ravel()], axis=1)
    answer = linprog(cost.ravel(), A_eq=vstack([balance, flow]), b_eq=right, bounds=bounds, method="highs-ds")
    assert answer.status == 0
    return answer.fun


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_the_exact_recursion_on_a_perfect_window_reaches_the_foresight_optimum(seed):
    case = sunny_case(1, seed, tiers=GENTLE, units=((4.0, 60.0), (2.5, 90.0)), spread=0.5)
    plant = Plant((42.0,), 120.0, 14.0, (1, 1), 10)
    used, end_mwh = rolling_horizon(case, plant, 2000.0, 14)
    cost = (used * [60, 90, *(2000.0 * tier.weight for tier in GENTLE)]).sum()
    best = foresight_cost(case, plant, 2000.0, end_mwh)
    assert best <= cost * (1 + 1e-9)
    assert cost <= best * 1.005
    assert used[:, 2:].sum() > 1.0


@pytest.mark.parametrize("seed", [0, 1])
def test_latest_safe_start_loses_little_more_than_the_exact_recursion_and_burns_little_more(seed):
    case = sunny_case(1, seed, tiers=GENTLE, units=((4.0, 60.0), (2.5, 90.0)), spread=0.5)
    plant = Plant((42.0,), 120.0, 14.0, (1, 1), 10)
    rule = Controller(forecast_z_score=0.0, reserve_h=0.0, capacity_credit=1.0, min_run_h=0.0)
    done = operated(case, plant, rule, forecast=Forecast("perfect"))
    used, _ = rolling_horizon(case, plant, 1e5, Forecast().days)
    lost = (used[:, 2:] * [tier.weight for tier in GENTLE]).sum()
    assert lost * (1 - 1e-9) <= (done.lost_compute * case.load_mw).sum() <= 1.02 * lost
    assert done.backup_mwh.sum() <= 1.01 * used[:, :2].sum()


def test_same_inputs_same_operation():
    case = sunny_case(1, 8)
    one, two = (operated(case, PLANT, Controller(), behaviours=REAL, seed=3) for _ in range(2))
    assert np.array_equal(one.dispatch.stored_mwh, two.dispatch.stored_mwh)
    other = operated(case, PLANT, Controller(), behaviours=REAL, seed=4)
    assert not np.array_equal(one.dispatch.stored_mwh, other.dispatch.stored_mwh)


def test_a_slow_unit_gives_only_what_is_left_of_the_step_and_then_waits():
    case = operated_case((0,) * 6, units=[operated_unit(unit_mw=10.0)])
    usual = Climatology(np.zeros(8760), np.full(8760, 10.0), np.ones((1, 8760)), np.zeros(365), np.zeros(0))
    plant = Plant((0,), 0, 0, (1,), 10)
    for start_h, served in ((0.25, [7.5, 10, 10, 10, 10, 10]), (2.5, [0, 0, 5, 10, 10, 10])):
        done = operated(
            case,
            plant,
            Controller("greedy", start_soc=0.0),
            behaviours=[UnitBehaviour(start_h)],
            climate=usual,
        )
        assert done.dispatch.backup_mw[0] == pytest.approx(served)


def test_part_load_fuel_follows_the_straight_line():
    case = operated_case((0,) * 6, load=6.0, units=[operated_unit(unit_mw=10.0)])
    usual = Climatology(np.zeros(8760), np.full(8760, 6.0), np.ones((1, 8760)), np.zeros(365), np.zeros(0))
    done = operated(
        case, Plant((0,), 0, 0, (1,), 10), Controller("greedy", start_soc=0.0),
        behaviours=[UnitBehaviour(intercept=0.2, fuel_usd_per_mmbtu=5.0)], climate=usual,
    )  # fmt: skip
    assert done.fuel_mmbtu.sum() == pytest.approx(8.0 * 6 * (0.2 * 10 + 0.8 * 6))
    assert done.extra_fuel_usd.sum() == pytest.approx(5.0 * 8.0 * 6 * (0.2 * 10 + 0.8 * 6 - 6))


def test_unit_rows_are_refused_where_outages_are_sampled():
    rows = dataclasses.replace(operated_unit(), capability=np.ones((2, 6)))
    with pytest.raises(ValueError, match="one row a unit"):
        operate(operated_case(units=[rows]), Plant((1,), 1, 1, (1,), 10))


@pytest.mark.parametrize("kind", ["greedy", "latest_safe_start"])
def test_a_plant_without_any_technology_runs_on_sun_and_battery(kind):
    case = sunny_case(units=())
    done = operated(case, Plant((80.0,), 120.0, 14.0, (), 10), Controller(kind))
    assert done.backup_mwh.shape == (0, 1)
    assert 0.0 < done.shed_mw.sum() < 0.5 * case.load_mw.sum()
    assert done.balance_residual_mw < 1e-9


@pytest.mark.parametrize("built", [(1, 0), (0, 1), (0, 0)])
@pytest.mark.parametrize("reserve_h", [0.0, 2.0])
def test_technologies_that_are_not_built_change_nothing(built, reserve_h):
    units = ((6.0, 60.0), (6.0, 90.0))
    rule = Controller(reserve_h=reserve_h, throttle_reserve_h=reserve_h / 2)
    offered = sunny_case(3, 4, tiers=GENTLE, units=units, spread=0.55)
    kept = tuple(unit for unit, count in zip(units, built, strict=True) if count)
    alone = sunny_case(3, 4, tiers=GENTLE, units=kept, spread=0.55)
    usual = climatology(offered)
    shed = [
        operated(
            case, Plant((42.0,), 120.0, 14.0, counts, 10), rule, seed=5,
            climate=dataclasses.replace(usual, capability=usual.capability[: len(counts)]),
        ).shed_mw
        for case, counts in ((offered, built), (alone, (1,) * len(kept)))
    ]  # fmt: skip
    assert shed[0].sum() > 0
    np.testing.assert_allclose(shed[0], shed[1], atol=1e-12)


def test_run_hours_are_those_between_a_start_and_a_stop():
    case = sunny_case(2, 3, units=((6.0, 60.0), (6.0, 90.0)))
    ways = [UnitBehaviour(min_load=0.3), UnitBehaviour(min_load=0.3)]
    done = operated(case, Plant((42.0,), 60.0, 14.0, (1, 1), 10), behaviours=ways)
    running = (done.dispatch.backup_mw > 0).sum(axis=1)
    assert done.starts.min() > 10
    assert done.run_h.tolist() == running.tolist()
    assert done.run_h[0] < case.steps


def test_a_unit_held_at_no_load_burns_what_it_burns_at_no_load():
    case = operated_case((0, 1, 1, 1, 1, 1), load=6.0, units=[operated_unit(unit_mw=10.0)])
    usual = Climatology(np.zeros(8760), np.full(8760, 6.0), np.ones((1, 8760)), np.zeros(365), np.zeros(0))
    for hold_h, idle_h in ((0.0, 0), (3.0, 2)):
        done = operated(
            case, Plant((6.0,), 0, 0, (1,), 10), Controller("greedy", start_soc=0.0, min_run_h=hold_h),
            behaviours=[UnitBehaviour(intercept=0.2)], climate=usual,
        )  # fmt: skip
        assert done.backup_mwh.sum() == pytest.approx(6.0)
        assert done.fuel_mmbtu.sum() == pytest.approx(8.0 * (0.2 * 10 * (1 + idle_h) + 0.8 * 6))
        assert done.run_h.tolist() == [1 + idle_h]
