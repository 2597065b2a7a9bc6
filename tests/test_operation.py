"""What operation can get wrong: energy from nowhere, units out of order, a peek into the future."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from sitedesign.case import BackupCase, Case, CaseLimits, Dispatch, Plant, Tier
from sitedesign.errors import ReplayMismatch
from sitedesign.reliability.operation import operate_greedy
from sitedesign.reliability.replay import check_dispatch, rack_shortfall


def backup(name="recip", unit_mw=4.0, cost=80.0, steps=6, capability=1.0):
    return BackupCase(
        name=name,
        unit_mw=unit_mw,
        capability=np.full((1, steps), capability),
        annual_cost_usd_per_unit=1000.0,
        marginal_cost_usd_per_mwh=cost,
        fuel_mmbtu_per_mwh=8.0,
        co2_t_per_mwh=0.44,
        lead_months=12.0,
        units_min=0,
        units_max=10,
    )


RACKS = (Tier(1.0, 1.0),)


def small_case(solar=(0, 1, 2, 0, 0, 0), load=10.0, units=(), tiers=RACKS, step_h=1.0, years=1, **extra):
    solar = np.asarray(solar, dtype=float)
    values = {
        "name": "hand",
        "step_h": step_h,
        "years": years,
        "solar_yield": solar,
        "load_mw": np.broadcast_to(np.asarray(load, dtype=float), solar.shape).copy(),
        "usable": np.ones(solar.size),
        "eta_charge": 0.9,
        "eta_discharge": 0.8,
        "backup": tuple(units),
        "tiers": tuple(tiers),
        "solar_cost_usd_per_mw_yr": 100.0,
        "battery_cost_usd_per_mwh_yr": 10.0,
        "battery_cost_usd_per_mw_yr": 5.0,
        "solar_acres_per_mw": 4.0,
        "solar_lead_months": 6.0,
        "battery_lead_months": 9.0,
        "racks_contracted": 10,
        "racks_max": 20,
        "rack_availability": 1.0,
        "rack_cost_usd_per_yr": 7.0,
        "uptime_target": 0.9,
        "delay_cost_usd_per_month_yr": 3.0,
        "limits": CaseLimits((0, 100), (0, 100), (0, 100)),
    }
    return Case(**{**values, **extra})


def test_greedy_matches_a_plant_run_by_hand():
    case = small_case(units=[backup("dear", cost=90.0), backup("cheap", unit_mw=2.0, cost=50.0)])
    dispatch = operate_greedy(case, Plant(10.0, 20.0, 6.0, (1, 1), 10))
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
    case = small_case(units=[backup(cost=80.0)], years=1)
    plant = Plant(10.0, 20.0, 6.0, (1,), 12)
    replay = check_dispatch(case, plant, operate_greedy(case, plant))
    assert replay.balance_residual_mw < 1e-12
    energy = replay.backup_mwh_per_yr[0]
    assert replay.operating_cost_usd_per_yr == pytest.approx(80 * energy)
    fixed = 10 * 100 + 20 * 10 + 6 * 5 + 1000 + 2 * 7 + 3 * 12
    assert replay.objective_usd_per_yr == pytest.approx(80 * energy + fixed)
    assert replay.renewable_share == pytest.approx(1 - energy / 60)
    assert replay.fuel_mmbtu_per_yr == pytest.approx(8 * energy)


def test_replay_names_every_violation():
    case = small_case(units=[backup()])
    plant = Plant(10.0, 20.0, 6.0, (1,), 10)
    good = operate_greedy(case, plant)
    bad = dataclasses.replace(good, backup_mw=good.backup_mw + 5.0, lost_compute=good.lost_compute + 0.5)
    with pytest.raises(ReplayMismatch) as caught:
        check_dispatch(case, plant, bad)
    text = str(caught.value)
    assert "energy balance: off by 5 MW" in text
    assert "recip above its units" in text
    assert "lost compute against the tiers" in text


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(Dispatch)])
def test_replay_catches_a_fault_in_any_series(field):
    case = small_case(units=[backup()], tiers=[Tier(0.2, 0.3), Tier(0.8, 1.175)])
    plant = Plant(10.0, 20.0, 6.0, (1,), 10)
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
    case = small_case(solar=(0.25, 0.0, 0.5, 1, 1, 1), tiers=tiers)
    dispatch = operate_greedy(case, Plant(10.0, 0.0, 0.0, (), 10))
    assert dispatch.shed_mw == pytest.approx([7.5, 10, 5, 0, 0, 0])
    assert dispatch.lost_compute[1] == pytest.approx(1.0)
    assert dispatch.lost_compute[2] == pytest.approx(0.1 * 0.3 + 0.2 * 0.6 + 0.2 * 1.214285714285714)


def test_fade_under_a_full_battery_leaves_by_discharge():
    usable = np.array([1.0, 0.9, 0.9, 0.9, 0.9, 0.9])
    case = small_case(solar=(1, 1, 1, 1, 1, 1), usable=usable)
    plant = Plant(10.0, 50.0, 2.0, (), 10)
    dispatch = operate_greedy(case, plant)
    assert dispatch.stored_mwh == pytest.approx([50, 47.5, 45, 45, 45, 45])
    check_dispatch(case, plant, dispatch)


def test_each_unit_reads_its_own_capability_row():
    rows = np.array([[1.0] * 6, [0.0] * 6, [1.0] * 6])
    machine = dataclasses.replace(backup(unit_mw=4.0), capability=rows)
    case = small_case(solar=(0,) * 6, units=[machine])
    for units, served in ((1, 4), (2, 4), (3, 8), (4, 10)):
        dispatch = operate_greedy(case, Plant(0.0, 0.0, 0.0, (units,), 10))
        assert dispatch.backup_mw[0] == pytest.approx(served)
        check_dispatch(case, Plant(0.0, 0.0, 0.0, (units,), 10), dispatch)


@pytest.mark.parametrize("unit_mw", [0.0, 14.0])
def test_same_plant_agrees_at_60_30_and_15_minutes(unit_mw):
    # Exact when the units are none or enough; else a battery that empties within an hour is averaged over it
    rng = np.random.Generator(np.random.PCG64(5))
    solar, load = rng.uniform(0, 2, 48), rng.uniform(8, 12, 48)
    totals = []
    for split in (1, 2, 4):
        case = small_case(
            np.repeat(solar, split),
            np.repeat(load, split),
            [backup(unit_mw=unit_mw, steps=48 * split)],
            step_h=1.0 / split,
        )
        plant = Plant(8.0, 20.0, 6.0, (1,), 10)
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
