"""Annuities, unit costs and marginal costs, against figures worked out by hand."""

from __future__ import annotations

import pytest

from sitedesign import library
from sitedesign.finance import annual_cost


@pytest.mark.parametrize(
    ("years", "factor"), [(5, 0.2439), (10, 0.1424), (15, 0.1098), (20, 0.0944), (25, 0.0858), (30, 0.0806)]
)
def test_capital_recovery_factor_agrees_with_published_table(years: int, factor: float) -> None:
    assert annual_cost.capital_recovery_factor(0.07, years) == pytest.approx(factor, abs=5e-5)


def test_annuity_repays_exactly_the_capital() -> None:
    payment = annual_cost.capital_recovery_factor(0.07, 20)
    assert sum(payment / 1.07**year for year in range(1, 21)) == pytest.approx(1.0, rel=1e-12)


def test_zero_rate_is_straight_line() -> None:
    assert annual_cost.capital_recovery_factor(0.0, 8) == 0.125


def test_tax_credit_reduces_only_the_capital() -> None:
    plain = annual_cost.annual_cost(100.0, 3.0, 20, 0.07)
    credited = annual_cost.annual_cost(100.0, 3.0, 20, 0.07, itc_fraction=0.3)
    assert credited.capital_usd_per_yr == pytest.approx(0.7 * plain.capital_usd_per_yr)
    assert credited.fixed_usd_per_yr == plain.fixed_usd_per_yr
    assert credited.credit_usd == 30.0


def test_marginal_cost_of_a_gas_engine_by_hand() -> None:
    # 8300 Btu/kWh = 8.3 MMBtu/MWh; at 5 USD/MMBtu 41.5, plus 8 variable O&M
    engine, gas, path = library.backup("recip_medium"), library.fuel("natural_gas"), library.power_path("ac")
    assert annual_cost.backup_marginal_cost(engine, gas, path, 5.0, 0.0) == pytest.approx(49.5)
    # 53.06 kg/MMBtu x 8.3 = 440.4 kg/MWh; at 100 USD/t 44.04 USD/MWh
    assert annual_cost.backup_marginal_cost(engine, gas, path, 5.0, 100.0) == pytest.approx(
        49.5 + 44.04, abs=0.01
    )


def test_battery_cost_splits_energy_and_power() -> None:
    battery, finance = library.battery("lfp"), library.finance()
    energy = annual_cost.battery_energy_cost(battery, finance, 0.0)
    # 195 USD/kWh: 195000 USD/MWh x CRF(5.5 %, 20 yr) .083679 = 16317, plus 2.5 % O&M = 4875
    assert energy.total_usd_per_yr == pytest.approx(16317 + 4875, abs=2)
    power = annual_cost.battery_power_cost(battery, finance, 0.0)
    assert power.capital_usd == pytest.approx(120_000)


def test_fuel_storage_and_reservation_are_charged_per_unit() -> None:
    diesel, fuel, finance = library.backup("diesel"), library.fuel("diesel"), library.finance()
    with_tank = annual_cost.backup_unit_cost(diesel, fuel, finance, 0.0)
    without = annual_cost.backup_unit_cost(diesel, fuel.replace(storage_h=0.0), finance, 0.0)
    tank = 2.5 * 10.3 * 48 * fuel.storage_usd_per_mmbtu  # MW x MMBtu/MWh x h x USD/MMBtu
    assert with_tank.capital_usd - without.capital_usd == pytest.approx(tank)
    engine, gas = library.backup("recip_medium"), library.fuel("natural_gas")
    unit = annual_cost.backup_unit_cost(engine, gas, finance, 0.0)
    # 18.8 MW x 20 USD/kW-yr = 376000; reservation .35 x 24 x 365 x 18.8 x 8.3 MMBtu/h
    assert unit.fixed_usd_per_yr == pytest.approx(376_000 + 0.35 * 24 * 365 * 18.8 * 8.3)
