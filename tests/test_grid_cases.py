"""Published cases of tariffs and connections through the whole chain: connection, optimum, bill."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sitedesign import library
from sitedesign.case.grid_supply import Clock, grid_supply, import_case
from sitedesign.components.price_series import PriceSeries
from sitedesign.errors import InputError
from sitedesign.finance.annual_cost import annual_cost
from sitedesign.optimize.benders import solve_cuts
from sitedesign.study.grid import Grid
from tests import cases
from tests.test_grid_connection import air_c
from tests.test_grid_hub import CLOCK, FREE, TEMP, hub, supply

CASES = json.loads((Path(__file__).parent / "data/tariff/whole_chain_cases.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def shared_cases() -> Path:
    folder = Path(os.environ.get("SITEDESIGN_CASES", Path(__file__).parents[2] / "shared" / "cases"))
    if not (folder / "tariff").is_dir():
        pytest.skip("the folder of worked cases is not here (set SITEDESIGN_CASES)")
    return folder


def test_array_stops_at_the_size_to_which_what_it_sells_earns_the_retail_price() -> None:
    """Net metering to 30 kW, wholesale price beyond: two connections, of which a site has one."""
    asked = CASES["net_metering_limit_binds"]
    retail, wholesale = 1e3 * asked["retail_usd_per_kwh"], 1e3 * asked["wholesale_usd_per_kwh"]
    limit_mw, load_mw = asked["nem_limit_kw"] / 1e3, asked["annual_kwh"] / 8.76e6
    finance = asked["finance"]
    solar = annual_cost(
        1e6 * asked["pv_usd_per_w"],
        0.0,
        finance["life_yr"],
        finance["real_discount"],
        finance["itc"],
    ).total_usd_per_yr

    def optimum(price: float, most_mw: float) -> Any:
        sold = {"export_mw": (most_mw, most_mw), "export_capital_usd_per_kw": 0}
        one = supply(tariff={"energy": retail, "export": price}, mw=(1, 1), **sold, **FREE)
        none = {"battery_mwh": (0, 0), "battery_mw": (0, 0)}
        return solve_cuts(
            hub(
                one,
                load_mw=load_mw,
                solar_mw=most_mw,
                limits=none,
                solar={"annual_cost_usd_per_mw": solar, "acres_per_mw": 5.0},
            ),
            gap=1e-7,
        )

    metered, merchant = optimum(retail, limit_mw), optimum(wholesale, 1.0)
    assert metered.objective_usd_per_yr < merchant.objective_usd_per_yr
    assert metered.plant.resources_mw[0] * 1e3 == pytest.approx(asked["pv_kw"], abs=asked["tolerance_kw"])
    # The limit binds: one more kW of it would be worth having
    assert metered.limit_prices["solar_mw"] > 0
    assert merchant.plant.resources_mw[0] < limit_mw


def test_selling_dearer_than_buying_in_january_is_refused_with_its_hours() -> None:
    """A price of export above retail in one month pumps money through the meter."""
    asked = CASES["january_export_rate"]
    hours = np.repeat(np.arange(12), np.multiply([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], 24))
    retail = 1e3 * np.array(asked["monthly_usd_per_kwh"])[hours]
    sell = np.where(hours == 0, retail + 1e3 * asked["above_retail_in_january_usd_per_kwh"], 0.0)
    with pytest.raises(InputError) as caught:
        supply(
            tariff={"energy": 0, "hourly": True},
            prices=PriceSeries(retail[None], 60, (1,), "retail"),
            export_prices=PriceSeries(sell[None], 60, (1,), "export"),
            export_mw=0.2,
            export_capital_usd_per_kw=0,
            mw=(1, 1),
            **FREE,
        )
    (fault,) = caught.value.faults
    assert fault.where == "grid.export"
    assert f"{31 * 24:,} of 8,760 steps" in fault.found
    assert "first 01 January 00:00" in fault.found


def test_battery_cuts_a_triangular_peak_by_the_root_of_what_it_holds() -> None:
    """The connection that is left is the peak less sqrt(2 E h / d): steps of five minutes, 1 %."""
    asked = CASES["peak_shaving_triangle"]
    step_minutes = 5
    per_day = 1440 // step_minutes
    hour = (np.arange(per_day) + 0.5) * step_minutes / 60
    height, width = asked["peak_above_mw"], asked["hours"]
    peak = np.maximum(0.0, height * (1 - np.abs(hour - 10.0) / (width / 2)))
    load = asked["base_mw"] + np.tile(peak, 365)
    clock = Clock((1,), step_minutes, CLOCK.timezone, CLOCK.utc_offset_h)
    tariff = {"energy": 0, "demand": {"usd_per_kw_month": 15}}
    one = grid_supply(
        Grid(tariff=tariff, **FREE), clock, air_c(1, step_minutes), library.finance(), load_mw=load[None]
    )
    assert one is not None
    left = {}
    for mwh in (0.0, asked["battery_mwh"]):
        limits = {"solar_mw": (0.0, 0.0), "battery_mwh": (mwh, mwh), "battery_mw": (0.0, 100.0)}
        plain = {"eta_charge": 1.0, "eta_discharge": 1.0, "backup": (), "uptime_target": 1.0}
        free = {"battery_cost_usd_per_mwh_yr": 0.0, "battery_cost_usd_per_mw_yr": 0.0}
        case = cases.case(np.zeros(load.size), load, step_h=step_minutes / 60, limits=limits, **plain, **free)
        case = dataclasses.replace(case, imports=(import_case(one, 1000.0),))
        found = solve_cuts(case, gap=1e-6)
        left[mwh] = found.plant.imports[0]
        assert found.dispatch is not None
        drawn = found.dispatch.import_mw[0].reshape(1, -1)
        assert one.bills(left[mwh], drawn)[0].usd == pytest.approx(found.objective_usd_per_yr, rel=1e-6)
    # What steps cut off the very tip of the triangle is none of the battery's doing
    cut = asked["base_mw"] + height - left[asked["battery_mwh"]]
    assert left[0.0] == pytest.approx(load.max(), rel=1e-6)
    assert cut == pytest.approx(asked["cut_mw"], rel=asked["tolerance"])
    assert asked["cut_mw"] == pytest.approx((2 * asked["battery_mwh"] * height / width) ** 0.5, rel=1e-6)


def test_loss_of_supply_of_published_years_lies_within_what_the_library_takes() -> None:
    """Reliability of supply, EIA table 11.1: an ordinary year by the default, 2021 by its emergency."""
    firm = library.grid("firm")
    ordinary, storm = CASES["loss_of_supply"]["2023"], CASES["loss_of_supply"]["2021"]
    rate, hours = firm.interruptions_per_yr, firm.interruption_h
    assert ordinary["saifi"] == pytest.approx(rate, rel=0.2)
    assert ordinary["saidi_min"] == pytest.approx(rate * hours * 60, rel=0.2)
    assert ordinary["saidi_min"] / ordinary["saifi"] / 60 == pytest.approx(hours, rel=0.05)
    mean_emergency_min = firm.emergencies_per_yr * firm.emergency_h * 60
    assert storm["saidi_min"] < rate * hours * 60 + mean_emergency_min


def test_cases_are_those_that_were_given(shared_cases: Path) -> None:
    published = json.loads((shared_cases / "tariff/published_small_cases.json").read_text(encoding="utf-8"))
    by_name = {item["case"]: item for item in published}
    own, given = CASES["net_metering_limit_binds"], by_name["net_metering_limit_binds"]["inputs"]
    assert own["pv_usd_per_w"] == given["pv_capex"] / 1e3
    assert (own["retail_usd_per_kwh"], own["wholesale_usd_per_kwh"], own["nem_limit_kw"]) == (
        given["retail"],
        given["wholesale"],
        given["nem_limit_kw"],
    )
    rectangle = json.loads((shared_cases / "time_to_power/textbook.json").read_text(encoding="utf-8"))
    assert CASES["peak_shaving_triangle"]["base_mw"] == rectangle["peak_shaving_rectangle"]["base_mw"]
    assert TEMP.shape == (1, 8760)
