"""Who takes power while it pays: what is built of them, what they take and pay, files and faults."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import sitedesign as sd
from sitedesign.batch.one_site import BatchJob, solve_row
from sitedesign.batch.question import make_question
from sitedesign.batch.screening import result_schema
from sitedesign.batch.table import read_sites
from sitedesign.case.build import build_case
from sitedesign.case.case import Case
from sitedesign.case.dispatch import by_flow
from sitedesign.case.years import with_series
from sitedesign.cli import app
from sitedesign.errors import InputError
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.extensive_form import solve_extensive
from sitedesign.results.saved import plant_of, rebuilt_study

SITE = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX", elevation_m=1140)
PLANT: dict[str, Any] = {"solar_mw": 40, "battery_mwh": 60, "battery_mw": 20, "backup": {"recip_fast": 2}}
FREE = {"capital_usd_per_kw": 0, "fixed_usd_per_kw_yr": 0, "life_yr": 20}


def study(surplus: Any = (), **changes: Any) -> sd.Study:
    """Fifty racks, engines and two generated years."""
    asked = {"racks": 50, "uptime": 0.999, "weather_years": 2, "seed": 3, "backup": ["recip_fast"]}
    return sd.Study(site=SITE, **(asked | changes), surplus=surplus)


def bound(surplus: Any = (), gap: float = 1e-6, **changes: Any) -> sd.Design:
    return sd.solve(study(surplus, **changes), certify=False, gap=gap)


def faults(**asked: Any) -> dict[str, str]:
    with pytest.raises(InputError) as caught:
        study(**asked)
    return {item.where: f"{item.found}; {item.allowed}. {item.remedy}" for item in caught.value.faults}


def cheapest_marginal(case: Case) -> float:
    return min(level.usd_per_mwh for item in case.supplies for level in item.levels)


@pytest.fixture(scope="module")
def alone() -> sd.Design:
    return bound()


# What is built ----------------------------------------------------------------------------------------------


def test_taker_worth_less_than_any_power_is_not_built(alone: sd.Design) -> None:
    """30 USD/MWh pays neither a MWh of gas nor, on what is curtailed, 1,450 USD/kW of machines."""
    found = bound([{"model": "miner", "usd_per_mwh": 30}])
    assert cheapest_marginal(build_case(study()).case) > 30
    assert found.surplus[0].mw == pytest.approx(0.0, abs=1e-6)
    assert found.cost == pytest.approx(alone.cost, rel=2e-6)


def test_taker_is_built_as_soon_as_surplus_pays_its_capital(alone: sd.Design) -> None:
    """Free machines at 30 USD/MWh live on what nobody else wants, and never where an engine runs."""
    found = bound([{"model": "miner", "usd_per_mwh": 30, **FREE}])
    (miner,) = found.surplus
    assert miner.mw > 0.1
    assert found.cost < alone.cost
    frame = found.dispatch
    taken, engine = frame["miner_mw"].to_numpy(), frame["recip_fast_mw"].to_numpy()
    assert not ((taken > 1e-6) & (engine > 1e-6)).any()
    given = frame["solar_mw"] - frame["curtailed_mw"] + frame["discharge_mw"] + frame["recip_fast_mw"]
    used = frame["load_mw"] - frame["shed_mw"] + frame["charge_mw"] + frame["miner_mw"]
    assert given.to_numpy() == pytest.approx(used.to_numpy(), abs=1e-6)


def test_taker_worth_more_than_gas_runs_on_it() -> None:
    """A year at 300 USD/MWh pays machines and engines of its own: as much as may be built."""
    found = bound([{"model": "miner", "usd_per_mwh": 300, "mw": 5}])
    (miner,) = found.surplus
    assert miner.mw == pytest.approx(5.0, rel=1e-6)
    assert miner.full_power_h_per_yr == pytest.approx(0.95 * 8760, rel=0.02)
    assert found.cost < 0


def test_costs_add_up_to_the_objective() -> None:
    town = {"model": "town", "mw": (2, 2), "usd_per_mwh": 45}
    found = bound(
        [town, {"name": "smelter", "mw": 6, "usd_per_mwh": 35, "unit_mw": 2}], limits={"solar_mw": 60}
    )
    assert found.cost == pytest.approx(found.objective_usd_per_yr, rel=1e-9)
    one = next(item for item in found.surplus if item.name == "town")
    lines = {item.name: item for item in found.costs if item.asset == "town"}
    assert {item.kind for item in lines.values()} == {"capital", "revenue"}
    assert lines["town"].capital_usd == pytest.approx(2000 * 150)
    assert lines["town revenue"].usd_per_yr == pytest.approx(-45 * one.mwh_per_yr)
    assert one.mw == pytest.approx(2.0)
    smelter = found.surplus[1]
    assert smelter.mw / 2 == pytest.approx(round(smelter.mw / 2), abs=1e-9)  # whole potlines only


def test_cuts_and_the_hour_by_hour_model_agree() -> None:
    """Whole units and racks beside a town at prices of every hour."""
    prices = np.tile(np.r_[np.full(8, 15.0), np.full(8, 4.0), np.full(8, 40.0)], 365)
    surplus = [
        {"name": "town", "mw": 3, "prices": prices, "capital_usd_per_kw": 20},
        {"name": "mill", "mw": 2, "unit_mw": 1, "usd_per_mwh": 12, "capital_usd_per_kw": 40},
        {"name": "spot", "racks": (3, 3), "usd_per_rack_h": 12, "capital_usd_per_rack": 0},
    ]
    sunny = {"solar_mw": (12, 40), "battery_mwh": 20}
    case = three_weeks(build_case(study(surplus, racks=20, uptime=0.9, weather_years=1, limits=sunny)).case)
    exact, cuts = solve_extensive(case, gap=1e-6), solve_cuts(case, gap=1e-6)
    assert exact.objective_usd_per_yr == pytest.approx(cuts.objective_usd_per_yr, rel=1e-5)
    assert cuts.plant.sinks[2] == 3
    first = len(case.backup)
    taken = dict(zip(("town", "mill", "spot"), by_flow(case, cuts.level_mwh_per_yr)[first:], strict=True))
    assert all(sum(energy) > 1 for energy in taken.values())


def three_weeks(case: Case) -> Case:
    """Make a case of its first three weeks, at three weeks' share of what is paid a year."""
    steps, share = 21 * 24, 21 / 365

    def less(item: Any) -> Any:
        return dataclasses.replace(item, annual_cost_usd_per_unit=item.annual_cost_usd_per_unit * share)

    short = with_series(case, lambda series: series[:steps])
    (sun,) = short.resources
    return dataclasses.replace(
        short,
        resources=(dataclasses.replace(sun, annual_cost_usd_per_mw=sun.annual_cost_usd_per_mw * share),),
        backup=tuple(map(less, short.backup)),
        sinks=tuple(map(less, short.sinks)),
        battery_cost_usd_per_mwh_yr=short.battery_cost_usd_per_mwh_yr * share,
        battery_cost_usd_per_mw_yr=short.battery_cost_usd_per_mw_yr * share,
        rack_cost_usd_per_yr=short.rack_cost_usd_per_yr * share,
    )


def test_hourly_prices_decide_when_it_is_taken() -> None:
    """Worth 100 at noon and nothing else: every MWh is taken at noon and paid 100."""
    prices = np.tile(np.r_[np.zeros(12), [100.0], np.zeros(11)], 365)
    found = bound([{"name": "noon", "mw": (4, 4), "prices": prices}])
    (noon,) = found.surplus
    hours = found.dispatch["noon_mw"].to_numpy().reshape(-1, 24).sum(axis=0)
    assert noon.usd_per_yr == pytest.approx(100 * hours[12] / 2)
    assert hours[12] > 0.9 * 4 * 365 * 2


# What a given plant does ------------------------------------------------------------------------------------


def test_price_below_every_marginal_cost_takes_what_is_curtailed_and_no_more() -> None:
    without = sd.evaluate(study(), **PLANT)
    asked = study([{"name": "cheap", "mw": 30, "usd_per_mwh": 1, "availability": 1.0}])
    found = sd.evaluate(asked, **PLANT, surplus_size={"cheap": 8})
    before, after = (item.dispatch["curtailed_mw"].to_numpy() for item in (without, found))
    assert found.dispatch["cheap_mw"].to_numpy() == pytest.approx(np.minimum(before, 8.0), abs=1e-9)
    assert before - after == pytest.approx(np.minimum(before, 8.0), abs=1e-9)
    for name in ("backup", "shed", "battery_discharge"):
        assert found.energy_mwh_per_yr[name] == pytest.approx(without.energy_mwh_per_yr[name], abs=1e-6)
    seen = sd.evaluate(asked, **PLANT, surplus_size={"cheap": 8}, operation="foresight")
    blind = sd.evaluate(study(), **PLANT, operation="foresight")
    assert seen.energy_mwh_per_yr["backup"] == pytest.approx(blind.energy_mwh_per_yr["backup"], rel=1e-6)


def test_class_of_best_effort_and_racks_that_take_surplus_are_one_mechanism() -> None:
    """Forty racks on what is curtailed: the same energy, rack-hours and worth, however they are asked for."""
    classes = [
        sd.LoadClass(name="served", racks=50, uptime=0.999),
        sd.LoadClass(name="spot", racks=40, value_usd_per_rack_h=2.0),
    ]
    old = sd.evaluate(study(racks=None, uptime=None, classes=classes), **PLANT)
    new = sd.evaluate(study([{"name": "spot", "racks": (40, 40), "usd_per_rack_h": 2.0}]), **PLANT)
    (taken,) = new.surplus
    best = next(item for item in old.classes if item.target is None)
    assert taken.racks == best.racks == 40
    assert taken.mwh_per_yr == pytest.approx(old.energy_mwh_per_yr["best_effort"], rel=1e-9)
    # The worth of a MWh follows the air in eight levels
    assert taken.usd_per_yr == pytest.approx(best.value_usd_per_yr, rel=1e-3)
    assert taken.usd_per_yr == pytest.approx(2.0 * best.delivered_rack_h_per_yr, rel=1e-3)
    bought = {item.name: item for item in old.project_costs}
    parts = [value for name, value in bought.items() if name.startswith("spot")]
    assert taken.cost_usd_per_yr == pytest.approx(sum(item.usd_per_yr for item in parts), rel=1e-9)
    assert taken.capital_usd == pytest.approx(sum(item.capital_usd for item in parts), rel=1e-9)


def test_sale_and_takers_stand_side_by_side() -> None:
    grid = {"mw": (5, 5), "tariff": {"energy": 60, "export": 10}, "export_mw": (4, 4)}
    asked = study([{"name": "mill", "mw": (3, 3), "usd_per_mwh": 20}], grid=grid)
    found = sd.evaluate(asked, **PLANT, grid_mw=5, sale_mw=4, surplus_size={"mill": 3})
    frame = found.dispatch
    assert found.grid is not None
    assert found.grid.sale_mwh_per_yr == pytest.approx(frame["sale_mw"].sum() / 2)
    assert found.surplus[0].mwh_per_yr == pytest.approx(frame["mill_mw"].sum() / 2)
    short = frame["mill_mw"] < 3 - 1e-6
    assert frame["sale_mw"][short].max() == pytest.approx(0.0, abs=1e-6)  # who pays more is served first
    assert "mill" in str(found)


def test_faults_of_a_plant_name_the_taker() -> None:
    asked = study(["miner", {"name": "spot", "racks": 9, "usd_per_rack_h": 1}])
    with pytest.raises(InputError) as caught:
        sd.evaluate(asked, **PLANT, surplus_size={"minr": 1, "spot": 2.5})
    assert {item.where for item in caught.value.faults} == {"surplus_size.minr", "surplus_size.spot"}
    beyond = sd.evaluate(asked, **PLANT, surplus_size={"spot": 12})
    assert any("spot" in note and "at most 9" in note for note in beyond.provenance.notes)


# How it is asked for ----------------------------------------------------------------------------------------


def test_taker_may_be_a_name_a_mapping_or_itself() -> None:
    one = sd.Surplus(model="miner", mw=4)
    assert study(one).surplus == study([{"model": "miner", "mw": 4}]).surplus == (one,)
    assert study("miner").surplus == study(["miner"]).surplus == (sd.Surplus(model="miner"),)
    assert study(None).surplus == ()
    assert study("miner").replace(racks=60).surplus == (sd.Surplus(model="miner"),)


def test_library_says_what_is_left_out_and_nothing_else() -> None:
    entry, one = sd.library.surplus("miner"), sd.Surplus(model="miner", usd_per_mwh=90)
    told = (one.value_usd_per_mwh, one.capex_usd_per_kw, one.upkeep_usd_per_kw_yr, one.economic_life_yr)
    assert told == (90, entry.capex_usd_per_kw, entry.fixed_om_usd_per_kw_yr, entry.life_yr)
    bare = sd.Surplus(name="x", usd_per_mwh=5)
    assert (bare.capex_usd_per_kw, bare.upkeep_usd_per_kw_yr, bare.available_fraction) == (0, 0, 1)
    free = sd.Surplus(model="miner", capital_usd_per_kw=0, fixed_usd_per_kw_yr=0)
    assert free.capex_usd_per_kw == free.upkeep_usd_per_kw_yr == 0


def test_bound_that_nobody_gives_is_the_peak_of_the_load_and_is_said() -> None:
    case = build_case(study(["miner"]))
    assert case.case.sinks[0].units_max == pytest.approx(case.case.load_mw.max())
    assert any("peak of the contracted load" in note for note in case.notes)
    assert not any("peak of" in note for note in build_case(study([{"model": "miner", "mw": 3}])).notes)


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ([{"racks": 3, "name": "a"}], {"usd_per_rack_h"}),
        ([{"racks": 3, "name": "a", "usd_per_rack_h": 1, "mw": 3}], {"mw"}),
        (
            [{"racks": 3, "name": "a", "usd_per_rack_h": 1, "model": "miner", "unit_mw": 2}],
            {"model", "unit_mw"},
        ),
        ([{"usd_per_mwh": 3}], {"name"}),
        ([{"name": "a"}], {"usd_per_mwh"}),
        ([{"name": "a", "usd_per_mwh": 3, "usd_per_rack_h": 1}], {"usd_per_rack_h"}),
        ([{"name": "a", "usd_per_mwh": 3, "prices": [1.0] * 8760}], {"prices"}),
        ([{"name": "a", "usd_per_mwh": 3, "price_levels": 3}], {"price_levels"}),
        ([{"name": "a", "usd_per_mwh": 3, "unit_mw": 7, "mw": (1, 6)}], {"mw"}),
        ([{"name": "a", "usd_per_mwh": 3, "unit_mw": 7, "mw": 6}], {"mw"}),
        ([{"name": "grid", "usd_per_mwh": 3}], {"name"}),
        ([{"name": "a b", "usd_per_mwh": 3}], {"name"}),
        ([{"name": "recip_fast", "usd_per_mwh": 3}], {"name"}),
        ([{"model": "miner", "usd_per_mhw": 3}], {"usd_per_mhw"}),
        ([{"model": "minr"}], {"model"}),
        ([{"model": "miner", "life_yr": 0}], {"life_yr"}),
        ([{"model": "miner", "availability": 1.5}], {"availability"}),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(given: Any, where: set[str]) -> None:
    assert {name.removeprefix("study.surplus[0].") for name in faults(surplus=given)} == where


def test_names_are_told_apart() -> None:
    assert "twice" in faults(surplus=["miner", "miner"])["study.surplus[1].name"]
    both = [sd.LoadClass(name="a", racks=5, uptime=0.9)]
    asked = {"racks": None, "uptime": None, "classes": both}
    assert set(faults(surplus=[{"name": "a", "usd_per_mwh": 1}], **asked)) == {"study.surplus[0].name"}


def test_design_comes_back_from_its_file(tmp_path: Path) -> None:
    prices = np.full(8760, 33.0)
    asked = [{"model": "town", "mw": (1, 1)}, {"name": "x", "mw": (2, 2), "prices": prices}]
    found = bound(asked, gap=1e-3, weather_years=1)
    again = sd.Design.load(found.save(tmp_path / "design.json"))
    assert again == found
    back = rebuilt_study(again)
    assert back.surplus == study(asked).surplus
    assert plant_of(again, build_case(back).case).sinks == pytest.approx((1.0, 2.0))


def test_study_file_names_takers_and_finds_their_files(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("USD/MWh\n" + "41.5\n" * 8760)
    (tmp_path / "own.toml").write_text(
        'kind = "surplus"\nextends = "town"\ntitle = "mine"\n[usd_per_mwh]\nvalue = 61\nunit = "USD/MWh"\n'
    )
    path = tmp_path / "study.toml"
    path.write_text(
        "racks = 50\nuptime = 0.999\nweather_years = 1\n[site]\nlatitude = 31.76\nlongitude = -106.49\n"
        'elevation_m = 1140\n[[surplus]]\nname = "mill"\nmw = 4\nprices = "prices.csv"\n'
        '[[surplus]]\nmodel = "own.toml"\nmw = 5\n'
    )
    case = build_case(sd.read_study(path)).case
    assert [item.name for item in case.sinks] == ["mill", "own"]
    assert [item.levels[0].usd_per_mwh for item in case.sinks] == pytest.approx([41.5, 61.0])
    path.write_text(path.read_text().replace("mw = 4", "mw = -4"))
    with pytest.raises(InputError, match=r"\[\[surplus\]\] 1 mw"):
        sd.read_study(path)
    head, text = path.read_text().split("[[surplus]]")[0], str(tmp_path)
    path.write_text(f'{head}[surplus]\nmodel = "own.toml"\nprices = "prices.csv"\n')  # one needs no list
    (alone,) = sd.read_study(path).surplus
    assert alone.prices.startswith(text)
    assert alone.model.startswith(text)
    path.write_text(f'surplus = "own.toml"\n{head}')
    assert sd.read_study(path).surplus[0].model.startswith(text)


def test_table_of_sites_and_command_line_name_takers() -> None:
    sites = read_sites(
        [{"latitude": 31.76, "longitude": -106.49, "surplus": "miner;town", "tank_h.diesel": 60}]
    )
    asked = {"racks": 7, "uptime": 0.9, "backup": ["diesel"]}
    row = make_question(None, asked, sites).study(sites.rows[0])
    assert [item.label for item in row.surplus] == ["miner", "town"]
    assert row.tank_h == {"diesel": 60}
    words = "evaluate --lat 31.76 --lon -106.49 --racks 50 --uptime 0.999 --years 1 --surplus town --json"
    words += " --solar-mw 40 --battery-mwh 60 --battery-mw 20 --units recip_fast=2 --surplus-size town=3"
    result = CliRunner().invoke(app, words.split())
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert answer["sinks_mw"] == {"town": 3.0}
    assert answer["surplus"][0]["mwh_per_yr"] > 0
    wrong = CliRunner().invoke(app, [*words.split(), "--surplus-size", "town=x"])
    assert wrong.exit_code == 2
    assert "--surplus-size" in wrong.stderr + wrong.stdout


def test_batch_keeps_what_each_taker_took_and_what_was_burnt() -> None:
    """A site with a taker of its own, one with that of the question; tanks stand in a column."""
    place = {"latitude": 31.76, "longitude": -106.49, "elevation_m": 1140}
    rows = [place | {"surplus": "town", "tank_h.mobile_gt_dual": 24}, place | {"racks": 30}]
    asked = {"racks": 50, "uptime": 0.9, "weather_years": 1, "backup": ["mobile_gt_dual"]}
    mill = {"name": "mill", "mw": (2, 2), "usd_per_mwh": 5}
    sites = read_sites(rows)
    question, job = make_question(None, asked | {"surplus": [mill]}, sites), BatchJob(gap=1e-3)
    names = result_schema(sites, question, job).names
    done = [solve_row(question, job, key, row).row for key, row in zip(sites.keys, sites.rows, strict=True)]
    assert [row["status"] for row in done] == ["solved", "solved"]
    own, usual = ({name: row.get(name) for name in names} for row in done)
    assert usual["mill_mw"] == 2.0
    assert usual["mill_usd_per_yr"] == pytest.approx(5 * usual["mill_mwh_per_yr"])
    assert own["town_mwh_per_yr"] >= 0
    assert own["mill_mw"] is usual["town_mw"] is None
    assert own["second_fuel_mmbtu_mobile_gt_dual"] == usual["second_fuel_mmbtu_mobile_gt_dual"] == 0.0


def test_farms_of_wind_are_bounded_by_turbine() -> None:
    turbine = "onshore_6mw_170"
    case = build_case(study(wind=[turbine], limits={"wind_mw": {turbine: (3, 12)}})).case
    assert case.resources[1].bounds_mw == (3, 12)
    assert f"{turbine}_mw" in case.given
    design = bound(wind=[turbine], limits={"wind_mw": {turbine: (3, 3)}}, gap=1e-3)
    assert design.resources_mw[turbine] == pytest.approx(3.0)
    assert "study.limits.wind_mw.onshore_3mw_121" in faults(limits={"wind_mw": {"onshore_3mw_121": 3}})
