"""Figures of a plant with an import, a second fuel and a sink: their sum is what the optimiser minimised."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import sitedesign as sd
from sitedesign.case.build import build_case
from sitedesign.case.case import ImportCase, PriceLevel, SinkCase
from sitedesign.optimize.benders import solve_cuts
from sitedesign.reliability.replay import check_dispatch
from sitedesign.results.accounting import evaluate_dispatch


def test_lines_of_cost_and_energy_of_a_hub_add_up_to_its_objective() -> None:
    study = sd.Study(
        site=sd.Site(latitude=31.76, longitude=-106.49), racks=70, uptime=0.99, weather_years=1,
        backup=["recip_medium"],
    )  # fmt: skip
    whole = build_case(study)
    case, rng = whole.case, np.random.default_rng(1)
    hours, load = np.arange(case.steps) % 24, float(case.load_mw.mean())
    grid = ImportCase(
        "grid", np.ones((1, case.steps)), (PriceLevel("night", 30.0, 0.3), PriceLevel("day", 55.0, 0.4)),
        120e3, 20.0, 0.0, 0.4 * load, active_level=(hours > 6).astype(int), site_cost_usd_per_yr=5e4,
    )  # fmt: skip
    town = SinkCase("town", np.ones((1, case.steps)), (PriceLevel("sale", 35.0),), 2e3, 0.0, 0.3 * load)
    engine = dataclasses.replace(
        case.backup[0],
        other_levels=(PriceLevel("diesel", 250.0, 0.7, 9.5),),
        active_level=(rng.random(case.steps) < 0.02).astype(int),
    )
    case = dataclasses.replace(case, imports=(grid,), sinks=(town,), backup=(engine,))
    hub = dataclasses.replace(whole, case=case)
    found = solve_cuts(case, gap=1e-5)
    replay = check_dispatch(case, found.plant, found.dispatch, must_end_full=True)
    shown = evaluate_dispatch(hub, found.plant, found.dispatch, "foresight")

    assert shown.cost_usd_per_yr == pytest.approx(found.objective_usd_per_yr, rel=1e-9)
    assert shown.imports_mw == {"grid": found.plant.imports[0]}
    assert shown.sinks_mw == {"town": found.plant.sinks[0]}
    assert shown.imports_mw["grid"] > 0.1 * load
    assert shown.energy_mwh_per_yr["grid"] == pytest.approx(replay.import_mwh_per_yr[0])
    assert shown.energy_mwh_per_yr["town"] == pytest.approx(replay.taken_mwh_per_yr[0])
    lines = dict(shown.summary())
    assert lines["grid"].endswith(f"{replay.import_mwh_per_yr[0]:,.0f} MWh/yr drawn")
    assert lines["town"].startswith(f"{found.plant.sinks[0]:,.1f} MW, ")
    assert shown.renewable_share == pytest.approx(replay.renewable_share)
    assert shown.co2_t_per_yr == pytest.approx(replay.co2_t_per_yr)
    assert sum(shown.fuel_mmbtu_per_yr.values()) == pytest.approx(replay.fuel_mmbtu_per_yr)
    by_kind = {item.name: item for item in shown.costs}
    assert by_kind["town revenue"].usd_per_yr == pytest.approx(-35.0 * replay.taken_mwh_per_yr[0])
    assert {by_kind[name].kind for name in ("grid energy", "grid connection and demand")} == {"tariff"}
    table = {name: column.to_numpy() for name, column in shown.dispatch.items()}
    supply = sum(table[f"{name}_mw"] for name in ("solar", "recip_medium", "grid", "discharge", "shed"))
    use = sum(table[f"{name}_mw"] for name in ("load", "town", "charge", "curtailed"))
    assert supply == pytest.approx(use, abs=1e-6 * load)
