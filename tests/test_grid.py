"""The grid as it is asked for, and as arrays: what is refused, what the library says, what it costs."""

from __future__ import annotations

import json
import math
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sitedesign import library
from sitedesign.case.grid_supply import Clock, grid_supply
from sitedesign.errors import InputError
from sitedesign.finance.annual_cost import capital_recovery_factor
from sitedesign.finance.bill import mean_usd_per_yr
from sitedesign.finance.tariff import Tariff
from sitedesign.study.grid import Grid
from tests.tariff_strategies import tariffs
from tests.test_grid_connection import air_c

CLOCK = Clock((1, 2), 60, "America/Chicago", -6.0)
FINANCE = library.finance()
TEMP = air_c(2)
PRICES = np.random.default_rng(0).normal(40, 30, 8760).round(2)


def faults(**asked: Any) -> dict[str, str]:
    with pytest.raises(InputError) as told:
        Grid(**asked)
    return {fault.where: str(fault) for fault in told.value.faults}


# Asked ------------------------------------------------------------------------------------------------------


def test_all_faults_come_at_once() -> None:
    found = faults(
        mw=-3, kind="flexibel", model="ex_smelterr", months=0, tariff="ercott", price_levels=0,
        curtailment={"hours_per_yr": 9000, "kept": 2}, outages={"interruption_h": 0}, export_mw="30",
        export=[{"usd_per_mwh": 3, "when": {"months": [0]}}], prices=[1, 2, 3], capital_usd_per_kw=-1, mww=4,
    )  # fmt: skip
    assert set(found) == {
        "grid.mw", "grid.kind", "grid.model", "grid.months", "grid.tariff", "grid.price_levels",
        "grid.curtailment.hours_per_yr", "grid.curtailment.kept", "grid.outages.interruption_h",
        "grid.export_mw", "grid.export[0].when[0].months[0]", "grid.prices", "grid.capital_usd_per_kw",
        "grid.mww",
    }  # fmt: skip
    assert "Did you mean 'ercot'" in found["grid.tariff"]
    assert "Did you mean 'ex_smelter'" in found["grid.model"]


@pytest.mark.parametrize(
    ("asked", "where", "said"),
    [
        ({}, "grid.tariff", "needs a region (caiso, ercot, miso, pjm, spp, tva)"),
        ({"kind": "none", "mw": 5}, "grid.mw", "there is no grid"),
        ({"kind": "none", "tariff": 3}, "grid.tariff", "there is no grid"),
        ({"tariff": 50, "kind": "firm", "model": "ex_smelter"}, "grid.kind", "must be 'flexible', as"),
        ({"tariff": 50, "curtailment": 100}, "grid.curtailment", "a firm connection is not called"),
        ({"tariff": 50, "model": "ex_smelter", "mw": 500}, "grid.mw", "at most the 480 MW"),
        ({"tariff": 50, "export": 4}, "grid.export", "needs export_mw"),
        ({"tariff": 50, "export_mw": 4}, "grid.export", "what is paid for power fed in"),
        ({"tariff": 50, "export_capital_usd_per_kw": 4}, "grid.export_capital_usd_per_kw", "needs export_mw"),
        ({"tariff": 50, "prices": PRICES}, "grid.prices", "needs a tariff with hourly=True"),
        ({"tariff": Tariff(hourly=True)}, "grid.prices", "the tariff has hourly=True"),
        ({"tariff": {"demnd": 3, "energy": 3}}, "grid.tariff.demnd", "Did you mean 'demand'"),
        ({"tariff": -3}, "grid.tariff", "[0, 20000] USD/MWh"),
        ({"tariff": [3]}, "grid.tariff", "must be a region, a sitedesign.Tariff"),
        ({"tariff": "nowhere.toml"}, "nowhere.toml", "must be the path of a TOML file"),
        (
            {"tariff": 50, "kind": "flexible", "curtailment": {"caps_mw": [5.0] * 8760}},
            "grid.curtailment.caps_mw",
            "needs a contracted power",
        ),
        (
            {"tariff": 50, "export": 3, "export_mw": 3, "export_prices": PRICES},
            "grid.export",
            "one of them is needed",
        ),
    ],
)
def test_contradictions_are_refused(asked: dict[str, Any], where: str, said: str) -> None:
    found = faults(**asked)
    assert said in found[where]


def test_selling_dearer_than_buying_is_refused_with_the_steps() -> None:
    found = faults(tariff="ercot", export=45, export_mw=30)["grid.export"]
    assert "steps in which selling is dearer than buying: first 01 January 00:00 (45 above 39.2" in found
    assert "most 01 January 09:00 (45 above 29.4)" in found
    by_hour = {
        "energy": [{"usd_per_mwh": 20, "when": {"hours": [10, 14]}}, {"usd_per_mwh": 60}],
        "export": [{"usd_per_mwh": 20.01, "when": {"months": 7, "hours": [13, 15]}}],
    }
    assert "31 of 8,760 steps" in faults(tariff=by_hour, export_mw=1)["grid.export"]
    Grid(tariff=50, export=50, export_mw=30)  # as dear is no pump
    tiers = {"energy": {"tiers": [(0, 90), (1000, 30)]}}
    assert "(40 above 30 USD/MWh)" in faults(tariff=tiers, export=40, export_mw=1)["grid.export"]


def test_what_is_left_out_is_the_models() -> None:
    smelter = Grid(model="ex_smelter", tariff="pjm")
    assert smelter.import_mw == (0, 480)
    assert smelter.months_to_energise == 24
    assert smelter.is_flexible
    assert smelter.calls is not None
    assert smelter.calls.hours_per_yr == 177
    amended = Grid(
        model="ex_smelter", tariff="pjm", months=12, curtailment=300, outages={"interruption_h": 3}
    )
    assert amended.calls is not None
    assert (amended.calls.hours_per_yr, amended.calls.kept_half) == (300, smelter.calls.kept_half)
    assert (amended.wires.interruption_h, amended.wires.interruptions_per_yr) == (3, 0.12)
    assert amended.months_to_energise == 12
    assert Grid(tariff=50, outages=False).wires.hours_per_yr == 0
    assert Grid(tariff=50).calls is None
    assert Grid(tariff=50, kind="flexible", model="ex_miner").calls is not None
    assert Grid(kind="none").is_absent


def test_region_can_be_amended() -> None:
    quoted = {"extends": "spp", "on_peak_demand_usd_per_kw_month": 8.0, "ratchet_fraction": 0.5}
    rates = Grid(tariff=quoted).rates
    assert [(item.name, item.usd_per_kw_month, item.ratchet) for item in rates.demand] == [
        ("on-peak", 8.0, 0.5),
        ("off-peak", 2.47, 0.5),
    ]
    assert (
        Grid(
            tariff=library.tariff("spp").replace(**{k: v for k, v in quoted.items() if k != "extends"})
        ).rates
        == rates
    )
    found = faults(tariff={"extends": "sp", "demand_usd_per_kw_month": 3})
    assert "Did you mean 'spp'" in found["grid.tariff"]
    found = faults(tariff={"extends": "spp", "demand_usd_per_kw": 3, "ratchet_fraction": 2})
    assert set(found) == {"grid.tariff.demand_usd_per_kw", "grid.tariff.ratchet_fraction"}


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "none"},
        {"tariff": {"extends": "ercot", "energy_usd_per_mwh": 60}, "mw": 50},
        {"mw": 100, "tariff": "ercot"},
        {"mw": (100, 100), "tariff": 50, "kind": "flexible", "curtailment": 200, "outages": False},
        {"model": "ex_miner", "tariff": "spp", "export_mw": 20, "export": 10, "months": 9, "line_miles": 2},
        {"tariff": 30, "kind": "flexible", "curtailment": {"kept": 0.5, "hours_per_yr": 10}, "mw": 10},
        {"tariff": 30, "kind": "flexible", "curtailment": {"caps": [0.5] * 8760}, "co2_t_per_mwh": 0.4},
        {"prices": {"file": "prices.csv", "unit": "USD/MWh"}, "tariff": "pjm", "price_levels": 20},
        {"prices": PRICES, "export_prices": PRICES - 1, "export_mw": 3, "outages": {"emergencies_per_yr": 1}},
        {"tariff": {"energy": [{"usd_per_mwh": 9, "when": {"hours": [22, 6]}}, {"tiers": [[0, 4], [9, 8]]}]}},
    ],
)
def test_question_survives_json_and_toml(asked: dict[str, Any]) -> None:
    grid = Grid(**asked)
    assert Grid.from_dict(json.loads(json.dumps(grid.to_dict()))) == grid
    assert Grid(**tomllib.loads(grid.to_toml())["grid"]) == grid
    assert grid.replace() == grid


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(tariffs(), st.integers(1, 500))
def test_any_tariff_makes_a_grid_that_survives_toml(tariff: Tariff, mw: int) -> None:
    grid = Grid(tariff=tariff, mw=mw)
    assert Grid.from_dict(tomllib.loads(grid.to_toml("a b"))["a b"]) == grid


# As arrays --------------------------------------------------------------------------------------------------


def test_region_on_weather_years() -> None:
    grid = Grid(tariff="ercot", kind="flexible", mw=200, export_mw=50, capital_usd=0)
    found = grid_supply(grid, CLOCK, TEMP, FINANCE)
    assert found is not None
    assert found.export is not None
    assert found.mw == (0, 200)
    assert found.state.available.shape == TEMP.shape
    assert 1 - found.state.cap.mean() == pytest.approx(0.005, rel=1e-3)
    assert found.state.called_h_per_yr(1.0) == 177
    assert found.state.broken_h_per_yr(1.0) == (~found.state.wires).sum() / 2
    assert found.levels.is_exact
    recovery = capital_recovery_factor(FINANCE.wacc_power_real, 30)
    demand = 7.2 * 12 * 1000
    assert found.annual_usd_per_mw == pytest.approx(250_000 * recovery + demand)
    assert found.annual_usd == 0
    assert found.export.annual_usd_per_mw == pytest.approx(150_000 * recovery)
    assert set(found.export.levels.usd_per_mwh) == {12.0}


def test_planned_cost_of_a_full_draw_is_that_of_the_bill() -> None:
    """Energy, demand and expected coincident peaks of a contract drawn in full add up to the exact bill."""
    grid = Grid(tariff="pjm", mw=(100, 100), outages=False, price_levels=1000)
    found = grid_supply(grid, CLOCK, TEMP, FINANCE)
    assert found is not None
    full = np.full(TEMP.shape, 100.0)
    planned = (full * found.levels.price).sum(axis=1)
    recovery = capital_recovery_factor(FINANCE.wacc_power_real, 30)
    planned += 100 * (found.annual_usd_per_mw - 250_000 * recovery)
    billed = [item.usd for item in found.bills(100, full)]
    assert planned == pytest.approx(billed, rel=1e-9)
    by_charge = mean_usd_per_yr(found.bills(100, full))
    assert sum(by_charge.values()) == pytest.approx(np.mean(billed))
    assert by_charge["demand: month's peak"] == pytest.approx(6.5 * 12 * 100_000)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(tariffs(tiers=False), st.integers(0, 100))
def test_planned_cost_without_coincident_peaks_is_an_upper_bound(tariff: Tariff, seed: int) -> None:
    tariff = tariff.replace(coincident=(), minimum_usd_per_month=0)
    grid = Grid(
        tariff=tariff, mw=(100, 100), outages=False, price_levels=1000, capital_usd_per_kw=0, capital_usd=0
    )
    found = grid_supply(grid, CLOCK, TEMP, FINANCE)
    assert found is not None
    power = np.random.default_rng(seed).uniform(0, 100, TEMP.shape)
    planned = (power * found.levels.price).sum(axis=1) + 100 * found.annual_usd_per_mw + found.annual_usd
    for cost, item in zip(planned, found.bills(100, power), strict=True):
        assert item.usd <= cost * (1 + 1e-9)


def test_hourly_prices_take_the_place_of_a_regions_energy() -> None:
    grid = Grid(tariff="pjm", prices=PRICES, mw=(100, 100), outages=False)
    found = grid_supply(grid, CLOCK, TEMP, FINANCE)
    assert found is not None
    assert found.hourly_usd_per_mwh is not None
    assert found.hourly_usd_per_mwh[1] == pytest.approx(np.maximum(PRICES, 0))
    below = int((PRICES < 0).sum())
    assert any(f"{2 * below:,} steps with a price below zero" in note for note in found.notes)
    assert any("put into 8 levels: off by at most" in note for note in found.notes)
    power = np.full(TEMP.shape, 10.0)
    assert found.bills(100, power)[0].usd_of("energy") == pytest.approx(10 * np.maximum(PRICES, 0).sum())


def test_pump_between_two_series_is_refused_with_the_steps() -> None:
    dear = PRICES.copy()
    dear[[100, 200]] = np.maximum(PRICES[[100, 200]], 0) + np.array([1, 5])
    grid = Grid(prices=PRICES, export_prices=dear, export_mw=5)
    with pytest.raises(
        InputError, match="2 of 8,760 steps in which selling is dearer than buying: first 05 Jan"
    ):
        grid_supply(grid, CLOCK, TEMP, FINANCE)
    assert (
        grid_supply(Grid(prices=PRICES, export_prices=PRICES, export_mw=5), CLOCK, TEMP, FINANCE) is not None
    )


def test_faults_of_files_come_together(tmp_path: Path) -> None:
    grid = Grid(
        prices=tmp_path / "no.csv", export_prices=tmp_path / "none.csv", export_mw=5, kind="flexible",
        curtailment={"caps": str(tmp_path / "caps.csv")},
    )  # fmt: skip
    with pytest.raises(InputError) as told:
        grid_supply(grid, CLOCK, TEMP, FINANCE)
    assert [fault.where for fault in told.value.faults] == ["no.csv", "none.csv", "caps.csv"]


def test_caps_in_megawatts_are_shares_of_the_contract() -> None:
    grid = Grid(
        tariff=50, mw=(80, 80), kind="flexible", curtailment={"caps_mw": [20.0] * 8760}, outages=False
    )
    found = grid_supply(grid, CLOCK, TEMP, FINANCE)
    assert found is not None
    assert np.unique(found.state.available).tolist() == [0.25]


def test_no_grid_is_no_supply_and_unbounded_grid_is_unbounded() -> None:
    assert grid_supply(Grid(kind="none"), CLOCK, TEMP, FINANCE) is None
    found = grid_supply(Grid(tariff=50), CLOCK, TEMP, FINANCE)
    assert found is not None
    assert found.mw == (0, math.inf)
    fee = library.grid("firm").study_fee_usd
    assert found.annual_usd == pytest.approx(fee * capital_recovery_factor(FINANCE.wacc_power_real, 30))


@pytest.mark.parametrize("name", library.names("grid"))
@pytest.mark.parametrize("tariff", ["ercot", "tva"])
def test_every_connection_and_region_makes_a_supply(name: str, tariff: str) -> None:
    found = grid_supply(Grid(model=name, tariff=tariff, export_mw=10), CLOCK, TEMP, FINANCE)
    assert found is not None
    assert found.months == library.grid(name).months_to_energise
    assert found.annual_usd_per_mw > 0


def test_files_of_ones_own_amend_the_library(tmp_path: Path) -> None:
    tariff = tmp_path / "mine.toml"
    tariff.write_text('kind = "tariff"\nextends = "ercot"\ndemand_usd_per_kw_month = 5\n', encoding="utf-8")
    connection = tmp_path / "site.toml"
    connection.write_text('kind = "grid"\nextends = "ex_smelter"\nimport_mw = 300\n', encoding="utf-8")
    grid = Grid(tariff=str(tariff), model=str(connection))
    assert [item.usd_per_kw_month for item in grid.rates.demand] == [5.0]
    assert grid.import_mw == (0, 300)
    assert Grid.from_dict(grid.to_dict()) == grid
    tariff.write_text('kind = "tariff"\nextends = "ercot"\ndemand_usd_per_kw_month = -5\n', encoding="utf-8")
    assert set(faults(tariff=str(tariff))) == {f"{tariff} [demand_usd_per_kw_month]"}
    connection.write_text('kind = "grid"\nextends = "firm"\nlife_yr = 0\nlief = 3\n', encoding="utf-8")
    assert set(faults(tariff=3, model=str(connection))) == {f"{connection} [life_yr]", f"{connection} [lief]"}
    other = tmp_path / "battery.toml"
    other.write_text('kind = "battery"\nextends = "lfp"\n', encoding="utf-8")
    assert faults(tariff=str(other)).keys() == {f"{other} kind"}
