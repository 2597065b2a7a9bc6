"""Wear of a battery against the published model, rainflow against the standard's example, upkeep by hand."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
import rainflow

import sitedesign as sd
from sitedesign import library
from sitedesign.components.battery_wear import (
    BatteryDuty,
    capacity_by_year,
    duty_of,
    graphite_potential_v,
    pooled_capacity,
)
from sitedesign.results.battery_life import life_of

LFP, FINANCE = library.battery("lfp"), library.finance()
HOURS = np.arange(8761)
TRIANGLE = 1 - np.abs(2 * ((HOURS % 24) / 24) - 1)
SWING = 0.25 + 0.15 * np.cos(2 * np.pi * HOURS / 24 / 365)
SEASONS = np.clip(0.55 + 0.2 * np.sin(2 * np.pi * HOURS / 24 / 14) + SWING * (2 * TRIANGLE - 1), 0.05, 1.0)
#: Charge by hour, temperature [degC], capacity after 10 and 20 years by BLAST-Lite 1.1.1 (cell
#: Lfp_Gr_250AhPrismatic, `simulate_battery_life` on the same series, its defaults, 20 years).
PUBLISHED = {
    "a cycle of 80 % a day": (0.1 + 0.8 * TRIANGLE, 25.0, 0.88675, 0.81122),
    "a cycle of 40 % a day, warm": (0.5 + 0.4 * TRIANGLE, 30.0, 0.90600, 0.85366),
    "seasons and fortnights": (SEASONS, 25.0, 0.91541, 0.86369),
    "seasons and fortnights, hot": (SEASONS, 35.0, 0.89245, 0.83390),
    "at rest, full": (np.full(8761, 0.95), 25.0, 0.94302, 0.91796),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_capacity_is_that_of_the_published_model(name: str) -> None:
    charge, temperature, ten, twenty = PUBLISHED[name]
    cell = LFP.replace(soc_min_fraction=0.0, usable_fraction_at_check=1.0, cell_temperature_c=temperature)
    duty = duty_of(charge, np.ones(charge.size), 1.0, 1.0)
    assert duty is not None
    held = capacity_by_year(cell, duty, 20)
    assert held[10] == pytest.approx(ten, abs=0.005)  # half a point; two are asked for
    assert held[20] == pytest.approx(twenty, abs=0.005)
    assert (np.diff(held) < 0).all()


def test_rainflow_is_that_of_the_standard() -> None:
    """ASTM E1049-85, figure 6: ranges 3, 4, 6, 8, 9 with 0.5, 1.5, 0.5, 1.0 and 0.5 cycles."""
    series = [-2, 1, -3, 5, -1, 3, -4, 4, -2]
    assert rainflow.count_cycles(series) == [(3, 0.5), (4, 1.5), (6, 0.5), (8, 1.0), (9, 0.5)]
    share = (np.array(series) + 4) / 9
    duty = duty_of(share, np.ones(9), 1.0, 1.0)
    assert duty is not None
    ranges, counts = np.array([3, 4, 6, 8, 9]) / 9, np.array([0.5, 1.5, 0.5, 1.0, 0.5])
    assert duty.depth == pytest.approx((ranges**2 @ counts) / (ranges @ counts))
    assert sum(count for _, count in duty.cycles) == pytest.approx(4.0)


def test_a_duty_by_hand() -> None:
    """4 MWh of which 2 are used, up and down once: half a full cycle, one of all that is usable."""
    duty = duty_of(np.array([2.0, 1.0, 0.0, 1.0, 2.0]), np.full(5, 2.0), 4.0, 1.0)
    assert duty is not None
    assert duty.full_cycles_per_yr == pytest.approx(0.5)
    assert duty.depth == pytest.approx(1.0)
    assert duty.charge_shares[0] == pytest.approx(0.2)
    assert duty.charge_shares[10] == pytest.approx(0.4)
    assert duty.charge_shares[19] == pytest.approx(0.4)
    assert duty_of(np.zeros(5), np.zeros(5), 0.0, 1.0) is None


def test_potential_falls_with_charge() -> None:
    """About 0.2 V when nearly empty, below 0.1 V when full; what is fuller ages faster."""
    potential = graphite_potential_v(np.linspace(0.05, 1.0, 50))
    assert (np.diff(potential) < 0).all()
    assert 0.05 < potential[-1] < 0.1 < potential[0] < 0.35


def worn(cycles: float = 250.0) -> BatteryDuty:
    shares = np.zeros(20)
    shares[10:] = 0.1
    return BatteryDuty(cycles, 0.6, tuple(shares.tolist()))


def test_energy_is_added_just_before_too_little_is_left() -> None:
    life = life_of(LFP, FINANCE, 100.0, worn(), 20, "augment")
    assert life.holds
    assert min(life.held) >= 0.92
    first, mwh, usd = life.added[0]
    assert life.held_alone[first] >= 0.92 > life.held_alone[first + 1]
    assert life.enough_until == first == life.augmentation_yr
    assert mwh == pytest.approx(100 * (1 - life.held_alone[first]))
    assert usd == pytest.approx(mwh * 1e3 * LFP.capex_usd_per_kwh * 0.95**first)
    # Blocks of two ages, by hand
    assert life.held[first + 1] == pytest.approx(life.held_alone[first + 1] + mwh / 100 * life.held_alone[1])
    rate = FINANCE.wacc_power_real
    worth = sum(cost / (1 + rate) ** year for year, _, cost in life.added)
    assert life.cost_usd_per_yr == pytest.approx(worth * rate / (1 - (1 + rate) ** -20))
    assert life.paid_usd_per_yr == pytest.approx(0.01 * 100e3 * LFP.capex_usd_per_kwh)
    table = life.table()
    assert table["bought_mwh"].sum() == pytest.approx(sum(item[1] for item in life.added))
    assert table["held_percent"].iloc[-1] == pytest.approx(100 * life.held[-1])


def test_without_upkeep_the_worst_year_is_told() -> None:
    life = life_of(LFP, FINANCE, 100.0, worn(), 20, "none")
    assert not life.holds
    assert (life.added, life.cost_usd_per_yr, life.worst_year) == ((), 0.0, 20)
    assert f"NOT held: {life.held[20]:.1%} in year 20" in str(life)
    assert life.held == life.held_alone


def test_a_replaced_battery_is_new_again() -> None:
    hard = LFP.replace(cell_temperature_c=40.0)
    life = life_of(hard, FINANCE, 100.0, worn(365.0), 30, "replace")
    year, mwh, _ = life.added[0]
    assert mwh == 100.0
    assert life.held_alone[year] >= 0.7 > life.held_alone[year + 1]
    assert life.held[year + 1] == life.held_alone[1]
    assert not life.holds  # a plant that counts on 92 % is not served by that


def test_more_use_and_more_heat_wear_more() -> None:
    ends = [
        capacity_by_year(LFP.replace(cell_temperature_c=degrees), worn(cycles), 15)[-1]
        for cycles, degrees in ((0.0, 20.0), (0.0, 30.0), (100.0, 30.0), (365.0, 30.0))
    ]
    assert all(later < earlier for earlier, later in itertools.pairwise(ends))
    assert pooled_capacity(np.array([1.0, 0.9]), [(0, 1.0), (1, 0.1)], 1) == pytest.approx(1.0)


def test_warranty_is_told() -> None:
    assert life_of(LFP, FINANCE, 1.0, worn(300.0), 20, "augment").warranty_kept
    assert not life_of(LFP, FINANCE, 1.0, worn(400.0), 10, "augment").warranty_kept
    beyond = life_of(LFP, FINANCE, 1.0, worn(360.0), 25, "augment")  # 9,000 of 7,300
    assert not beyond.warranty_kept
    assert "BEYOND the warranty" in str(beyond)


def test_a_plant_that_was_operated_has_a_battery_life() -> None:
    site = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
    asked = sd.Study(site=site, racks=30, uptime=0.9, backup="mobile_gt", weather_years=1)
    plant = {"solar_mw": 20.0, "battery_mwh": 40.0, "battery_mw": 8.0, "backup": {"mobile_gt": 1}}
    result = sd.evaluate(asked, operation="causal", **plant)
    life = sd.battery_life(result, asked)
    discharged = result.energy_mwh_per_yr["battery_discharge"]
    out = discharged / np.sqrt(LFP.round_trip_efficiency) / 40.0
    assert life.duty.full_cycles_per_yr == pytest.approx(out, rel=0.01)
    assert 0.7 < life.held_alone[20] < life.held_alone[10] < 0.97
    certificate = sd.certify(result, asked, years=2, draws=1, attribute=False)
    assert certificate.battery_duty is not None
    assert certificate.battery_duty.full_cycles_per_yr == pytest.approx(
        certificate.battery_cycles_per_yr / np.sqrt(LFP.round_trip_efficiency), rel=0.02
    )
    with pytest.raises(sd.InputError, match="study: got nothing; is needed here"):
        sd.battery_life(result)
    none = sd.evaluate(asked, operation="greedy", **plant | {"battery_mwh": 0.0, "battery_mw": 0.0})
    with pytest.raises(sd.InputError, match=r"battery_mwh.*There is no battery"):
        sd.battery_life(none, asked)
    assert dataclasses.replace(life, upkeep="none").years == 20
