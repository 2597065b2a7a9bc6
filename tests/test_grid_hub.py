"""A connection on the bus: what the optimiser makes of calls, prices and bills that are known by hand."""

from __future__ import annotations

import dataclasses
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sitedesign import library
from sitedesign.case.case import Case
from sitedesign.case.grid_supply import Clock, GridSupply, grid_supply, import_case, sale_case
from sitedesign.case.plant import imports_used, slowest_lead
from sitedesign.errors import InfeasibleDesign
from sitedesign.optimize.benders import solve_cuts
from sitedesign.reliability.replay import check_dispatch
from sitedesign.study.grid import Grid
from tests import cases
from tests.test_grid_connection import air_c

CLOCK = Clock((1,), 60, "America/Chicago", -6.0)
TEMP = air_c(1)
FLEXIBLE = json.loads((Path(__file__).parent / "data/tariff/worked_cases.json").read_text(encoding="utf-8"))[
    "textbook"
]["flexible_cap_5h"]
FREE: dict[str, Any] = {"capital_usd_per_kw": 0, "capital_usd": 0, "outages": False}


def supply(**asked: Any) -> GridSupply:
    found = grid_supply(Grid(**asked), CLOCK, TEMP, library.finance())
    assert found is not None
    return found


def hub(*supplies: GridSupply, load_mw: Any = 100.0, solar_mw: float = 0.0, **changes: Any) -> Case:
    """One year with a flat load, an array that shines from its first hour on, and connections."""
    shine = np.maximum(0.0, np.sin((np.arange(8760) + 6) * np.pi / 12))
    limits = {"solar_mw": (0.0, solar_mw)} | changes.pop("limits", {})
    plain = {"eta_charge": 1.0, "eta_discharge": 1.0, "backup": (), "uptime_target": 1.0}
    sales = [sale_case(item, f"sale_{k}", f"grid_{k}") for k, item in enumerate(supplies)]
    return dataclasses.replace(
        cases.case(shine, load_mw, **(plain | {"limits": limits} | changes)),
        imports=tuple(import_case(item, 1000.0, name=f"grid_{k}") for k, item in enumerate(supplies)),
        sinks=tuple(item for item in sales if item is not None),
    )


def test_free_grid_that_is_always_there_leaves_nothing_to_build() -> None:
    found = solve_cuts(hub(supply(tariff=0, **FREE), solar_mw=500.0), gap=1e-6)
    assert found.objective_usd_per_yr == pytest.approx(0.0, abs=1.0)
    assert sum(found.plant.resources_mw) + found.plant.battery_mwh == pytest.approx(0.0, abs=1e-6)


def test_battery_bridges_calls_of_known_length() -> None:
    """Fifty MW are missing for five hours on 35 days: 250 MWh serve all of it, 200 MWh leave 1,750.

    The connection has room to charge between the calls.
    """
    calls = {
        "hours_per_yr": FLEXIBLE["hours_per_event"] * FLEXIBLE["events"],
        "event_h": FLEXIBLE["hours_per_event"],
        "longest_event_h": FLEXIBLE["hours_per_event"],
        "kept": FLEXIBLE["cap_mw"] / 150,
    }
    one = supply(tariff=50, mw=(150, 150), kind="flexible", curtailment=calls, **FREE)
    found = solve_cuts(hub(one), gap=1e-7)
    assert found.plant.battery_mwh == pytest.approx(FLEXIBLE["battery_to_serve_all_mwh"], rel=1e-5)
    assert found.plant.battery_mw == pytest.approx(FLEXIBLE["battery_mw"], rel=1e-5)
    for mwh, unserved in (
        (0.0, "unserved_without_battery_mwh"),
        (FLEXIBLE["battery_mwh"], "unserved_with_battery_mwh"),
    ):
        mw = FLEXIBLE["battery_mw"] if mwh else 0.0
        fixed = {"battery_mwh": (mwh, mwh), "battery_mw": (mw, mw)}
        short = solve_cuts(hub(one, uptime_target=0.9, lost_value_usd_per_mwh=1e4, limits=fixed), gap=1e-7)
        assert np.sum(short.lost_mwh_per_yr) == pytest.approx(FLEXIBLE[unserved], rel=1e-5)


def test_planned_cost_is_that_of_the_bill_where_the_contract_is_drawn_in_full() -> None:
    one = supply(tariff="miso", mw=(100, 100), **FREE)
    found = solve_cuts(hub(one), gap=1e-7)
    drawn = found.dispatch.import_mw[0].reshape(1, -1)
    billed = one.bills(100.0, drawn)[0].usd
    assert found.objective_usd_per_yr == pytest.approx(billed, rel=1e-6)


def test_bill_of_the_dispatch_is_below_the_planned_cost() -> None:
    one = supply(tariff="spp", **FREE)
    found = solve_cuts(hub(one, solar_mw=400.0), gap=1e-5)
    contract = found.plant.imports[0]
    drawn = np.maximum(found.dispatch.import_mw[0].reshape(1, -1), 0.0)
    planned = float((drawn * one.levels.price).sum()) + contract * one.annual_usd_per_mw
    billed = one.bills(contract, drawn)[0].usd
    assert 0.5 * planned < billed <= planned * (1 + 1e-9)
    assert drawn.max() <= contract * (1 + 1e-9)


def test_more_connection_is_never_dearer_and_none_is_as_one_that_is_never_there() -> None:
    costs = []
    for mw in (0.0, 20.0, 60.0, 100.0):
        one = supply(tariff="ercot", kind="flexible", mw=mw, **FREE)
        costs.append(solve_cuts(hub(one, solar_mw=1000.0), gap=1e-6).objective_usd_per_yr)
    assert all(later <= earlier * (1 + 2e-6) for earlier, later in pairwise(costs))
    never = supply(tariff="ercot", kind="flexible", mw=100, curtailment={"caps": [0.0] * 8760}, **FREE)
    alone = solve_cuts(hub(solar_mw=1000.0), gap=1e-6).objective_usd_per_yr
    with_it = solve_cuts(hub(never, solar_mw=1000.0), gap=1e-6).objective_usd_per_yr
    assert with_it == pytest.approx(alone, rel=2e-6)
    assert costs[0] == pytest.approx(alone, rel=2e-6)


def test_surplus_is_sold_at_the_tariffs_price() -> None:
    """Free sun beyond the load goes to the grid; the bill pays what the plan said."""
    one = supply(
        tariff={"energy": 60, "export": 20},
        mw=(100, 100),
        export_mw=(50, 50),
        export_capital_usd_per_kw=0,
        **FREE,
    )
    solar = {"annual_cost_usd_per_mw": 1.0, "acres_per_mw": 1.0}
    found = solve_cuts(
        hub(
            one, solar=solar, limits={"solar_mw": (400.0, 400.0), "battery_mwh": (0, 0), "battery_mw": (0, 0)}
        ),
        gap=1e-7,
    )
    shine = np.maximum(0.0, np.sin((np.arange(8760) + 6) * np.pi / 12)) * 400
    sold = np.clip(shine - 100, 0, 50)
    bought = np.clip(100 - shine, 0, None)
    assert found.dispatch.sink_mw[0] == pytest.approx(sold, abs=1e-6)
    bill = one.bills(100.0, bought[None], sold[None])[0]
    assert found.objective_usd_per_yr - 400 == pytest.approx(bill.usd, rel=1e-6)


def test_battery_saves_the_demand_charge_of_a_rectangular_peak() -> None:
    case = json.loads((Path(__file__).parent / "data/tariff/worked_cases.json").read_text(encoding="utf-8"))
    asked = case["textbook"]["peak_shaving_rectangle"]
    load = np.full(8760, asked["base_mw"])
    load[np.arange(8760) % 24 >= 24 - int(asked["hours"])] += asked["peak_above_mw"]
    load = np.roll(load, -12)
    one = supply(
        tariff={"energy": 0, "demand": {"usd_per_kw_month": asked["demand_usd_per_kw_month"]}}, **FREE
    )
    costs = {}
    for share in (0.0, 1.0):
        mwh, mw = share * asked["battery_mwh"], share * asked["battery_mw"]
        free = {"battery_cost_usd_per_mwh_yr": 0.0, "battery_cost_usd_per_mw_yr": 0.0}
        limits = {"battery_mwh": (mwh, mwh), "battery_mw": (mw, mw)}
        found = solve_cuts(hub(one, load_mw=load, limits=limits, **free), gap=1e-8)
        costs[share] = found.objective_usd_per_yr
        drawn = found.dispatch.import_mw[0].reshape(1, -1)
        assert one.bills(found.plant.imports[0], drawn)[0].usd == pytest.approx(costs[share], rel=1e-6)
    assert found.plant.imports[0] == pytest.approx(asked["billed_mw"], rel=1e-6)
    assert costs[0.0] - costs[1.0] == pytest.approx(asked["saving_usd_per_yr"], rel=1e-6)


def test_who_only_sells_pays_for_the_connection_and_waits_for_it() -> None:
    """No power is drawn, all of the sun is sold: wires cost what they cost once, and their months."""
    once_usd, sell = 40e6, {"tariff": {"energy": 90, "export": 60}, "export_mw": 80}
    free = FREE | {"export_capital_usd_per_kw": 0, "months": 36}
    solar = {"annual_cost_usd_per_mw": 30e3, "acres_per_mw": 1.0}
    own = {
        "backup": (cases.backup(8760, annual_cost_usd_per_unit=1.0, marginal_cost_usd_per_mwh=10.0),),
        "limits": {"battery_mwh": (0, 0), "battery_mw": (0, 0)},
        "solar": solar,
        "solar_mw": 80.0,
        "delay_cost_usd_per_month_yr": 1.0,
    }
    found = {}
    for name, capital in (("free", 0.0), ("dear", once_usd), ("too dear", 100 * once_usd)):
        one = supply(**sell, **(free | {"capital_usd": capital, "mw": (0, 50)}))
        case = hub(one, **own)
        found[name] = solve_cuts(case, gap=1e-7)
        plant = found[name].plant
        assert plant.imports[0] == pytest.approx(0.0, abs=1e-6)
        assert imports_used(case, plant) == (plant.sinks[0] > 1.0,)
        months = slowest_lead(case, plant)[0]
        assert months == (36 if plant.sinks[0] > 1.0 else case.backup[0].lead_months)
        assert found[name].objective_usd_per_yr == pytest.approx(
            check_dispatch(case, plant, found[name].dispatch).objective_usd_per_yr, rel=1e-6
        )
    dear, free_one = found["dear"], found["free"]
    yearly = supply(**sell, **(free | {"capital_usd": once_usd})).annual_usd
    assert dear.plant.sinks[0] == pytest.approx(80.0)
    assert dear.objective_usd_per_yr - free_one.objective_usd_per_yr == pytest.approx(yearly, rel=1e-4)
    assert found["too dear"].plant.sinks[0] == 0.0
    # The hour-by-hour model pays for the wires as well
    short = dataclasses.replace(case, sinks=(dataclasses.replace(case.sinks[0], units_min=1.0),))
    assert solve_cuts(short).objective_usd_per_yr > found["too dear"].objective_usd_per_yr + 50 * yearly


@pytest.mark.parametrize("usd_per_mw", [0.0, 1.0])
def test_a_connection_that_nobody_bounds_is_as_large_as_its_calls_ask_for(usd_per_mw: float) -> None:
    """Calls leave 4 % for ten hours: a hundred MW of load take 2,500 MW, more than the bound begins with."""
    caps = np.ones(8760)
    caps[4000:4010] = 0.04
    one = supply(tariff=50, kind="flexible", curtailment={"caps": caps.tolist()}, **FREE)
    case = hub(one, limits={"battery_mwh": (0, 0), "battery_mw": (0, 0)})
    grid = dataclasses.replace(case.imports[0], annual_cost_usd_per_unit=usd_per_mw)
    found = solve_cuts(dataclasses.replace(case, imports=(grid,)), gap=1e-7)
    assert grid.units_max < 2500.0 <= found.plant.imports[0] * (1 + 1e-6)
    assert found.objective_usd_per_yr == pytest.approx(876e3 * 50 + 2500 * usd_per_mw, rel=1e-6)
    given = dataclasses.replace(grid, widest_units=grid.units_max)
    with pytest.raises(InfeasibleDesign):
        solve_cuts(dataclasses.replace(case, imports=(given,)))
