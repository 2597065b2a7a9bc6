"""A grid connection asked for in a study: designs, their bills, files, what is refused."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

import sitedesign as sd
from sitedesign.batch import one_site
from sitedesign.batch.columns import result_schema
from sitedesign.batch.one_site import GRID_FIGURES, BatchJob
from sitedesign.batch.question import Question, make_question
from sitedesign.batch.table import read_sites
from sitedesign.case.build import build_case
from sitedesign.case.grid_supply import GridSupply, grid_supply
from sitedesign.cli import app
from sitedesign.components.price_series import PriceSeries
from sitedesign.errors import InputError
from sitedesign.foresight.plan import one_year_case
from sitedesign.report.content import assumptions, bill_rows, consequences, flow_rows, question_rows
from sitedesign.report.figures.dispatch import dispatch_week
from sitedesign.report.figures.duration import duration_curves, duration_curves_data
from sitedesign.report.figures.series import series
from sitedesign.report.figures.year import year_at_a_glance_data
from sitedesign.report.html import render_report
from sitedesign.report.packing import pack_series
from sitedesign.results.saved import plant_of, rebuilt_study
from sitedesign.study.grid import Grid
from tests.test_grid_hub import CLOCK, TEMP

SITE = sd.Site(latitude=31.5, longitude=-97.1, name="Waco, TX", elevation_m=145)
FREE: dict[str, Any] = {"capital_usd_per_kw": 0, "capital_usd": 0, "outages": False, "months": 1}
FLEXIBLE = {"kind": "flexible", "mw": 8, "tariff": "ercot"}


def study(grid: Any = None, **changes: Any) -> sd.Study:
    """Fifty racks, a generator and two generated years."""
    asked = {"racks": 50, "uptime": 0.999, "weather_years": 2, "seed": 3, "backup": ["diesel"]}
    return sd.Study(site=SITE, **(asked | changes), **({} if grid is None else {"grid": grid}))


def bound(grid: Any = None, gap: float | None = None, **changes: Any) -> sd.Design:
    return sd.solve(study(grid, **changes), certify=False, gap=gap)


def faults(**asked: Any) -> dict[str, str]:
    with pytest.raises(InputError) as caught:
        study(**asked)
    return {item.where: f"{item.found}; {item.allowed}. {item.remedy}" for item in caught.value.faults}


@pytest.fixture(scope="module")
def flexible() -> sd.Design:
    return bound(FLEXIBLE)


@pytest.fixture(scope="module")
def selling() -> sd.Design:
    grid = {"mw": (5, 5), "tariff": {"energy": 60, "export": 50}, "export_mw": (4, 4), "co2_t_per_mwh": 0.4}
    return bound(
        grid | FREE | {"export_capital_usd_per_kw": 1}, limits={"solar_mw": (30, 30)}, co2_price_usd_per_t=10
    )


def test_free_grid_that_is_always_there_leaves_nothing_to_build() -> None:
    found = bound({"tariff": 0, **FREE})
    assert found.solar_mw + found.battery_mwh == pytest.approx(0.0, abs=1e-6)
    assert sum(found.backup.values()) == 0
    spare = sum(item.usd_per_yr for item in found.costs if item.asset == "racks")
    assert found.cost == pytest.approx(spare, abs=1.0)
    assert found.grid is not None
    assert found.grid.import_mwh_per_yr == pytest.approx(found.served_mwh_per_yr, rel=1e-6)
    assert found.renewable_share == pytest.approx(0.0, abs=2e-3)


def test_grid_that_is_never_there_costs_as_much_as_none() -> None:
    never = {**FLEXIBLE, "curtailment": {"caps": [0.0] * 8760}, **FREE}
    alone, with_it = bound(gap=1e-8), bound(never, gap=1e-8)
    assert with_it.cost == pytest.approx(alone.cost, rel=1e-8)
    assert with_it.imports_mw == {"grid": 0.0}
    assert with_it.grid is not None
    assert with_it.grid.bill_usd_per_yr == {}


def test_more_connection_is_never_dearer() -> None:
    costs = [bound({**FLEXIBLE, "mw": mw}, gap=1e-6).cost for mw in (1, 3, 6, 12)]
    assert all(later <= earlier * (1 + 2e-6) for earlier, later in pairwise(costs))
    assert costs[-1] < 0.9 * costs[0]


def test_flexible_connection_is_called_for_its_hours_and_bridged(flexible: sd.Design) -> None:
    """177 called hours a year at Texas's prices: the connection carries most, the battery the calls."""
    grid = flexible.grid
    assert grid is not None
    assert grid.called_h_per_yr == pytest.approx(177.0, abs=0.5)
    assert 0 < grid.without_wires_h_per_yr < 40
    assert 1000 < grid.at_limit_h_per_yr <= 8760
    assert grid.peak_mw <= grid.contracted_mw * (1 + 1e-9) <= 8 * (1 + 1e-9)
    assert grid.import_mwh_per_yr > 0.5 * flexible.served_mwh_per_yr
    assert flexible.battery_mwh > 0
    assert flexible.cost < bound().cost
    assert flexible.months_to_power >= grid.months == 18
    drawn = flexible.dispatch["grid_mw"].to_numpy()
    case = build_case(study(FLEXIBLE)).case
    assert (drawn <= grid.contracted_mw * case.imports[0].capability[0] + 1e-6).all()


def test_costs_add_up_to_the_objective_by_kind(flexible: sd.Design, selling: sd.Design) -> None:
    for found in (flexible, selling):
        assert found.grid is not None
        assert found.cost == pytest.approx(found.objective_usd_per_yr, rel=1e-9)
        kinds = {item.name: item.kind for item in found.costs if item.asset in ("grid", "sale")}
        assert kinds["grid energy"] == kinds["grid demand charges"] == "tariff"
        assert kinds["grid connection"] == "capital"
        tariff = sum(item.usd_per_yr for item in found.costs if item.kind in ("tariff", "revenue"))
        assert tariff == pytest.approx(found.grid.charged, rel=1e-9)
    assert {item.kind for item in selling.costs if item.asset == "sale"} == {"capital", "revenue"}


def test_bill_is_that_of_the_tariff_for_the_import_series() -> None:
    """Energy by the hour, demand of the month's peak with a ratchet, fixed charges; below what is counted."""
    tariff = sd.Tariff(
        name="own",
        clock="standard",
        energy=[{"name": "evening", "usd_per_mwh": 120, "when": {"hours": [[17, 22]]}}, {"usd_per_mwh": 35}],
        demand={"usd_per_kw_month": 9, "ratchet": 0.6},
        usd_per_month=2000,
    )
    found = bound({"tariff": tariff, **FREE})
    grid = found.grid
    assert grid is not None
    drawn = np.maximum(found.dispatch["grid_mw"].to_numpy().reshape(2, -1), 0.0)
    bills = [tariff.bill(row, start="2018-01-01", step_minutes=60) for row in drawn]
    assert {"energy", "demand", "fixed"} <= set(grid.bill_by_kind)
    for kind in ("energy", "demand", "fixed"):
        usd = np.mean([item.usd_of(kind) for item in bills])
        assert grid.bill_by_kind[kind] == pytest.approx(usd, rel=1e-9)
        assert grid.bill_by_kind[kind] <= grid.charged_usd_per_yr[kind] * (1 + 1e-6)
    assert grid.bill == pytest.approx(np.mean([item.usd for item in bills]), rel=1e-9)
    assert 12 * 9000 * grid.contracted_mw == pytest.approx(grid.charged_usd_per_yr["demand"])


def test_sale_and_carbon_are_paid_and_counted(selling: sd.Design) -> None:
    grid, energy = selling.grid, selling.energy_mwh_per_yr
    assert grid is not None
    sold, drawn = energy["sale"], energy["grid"]
    assert sold > 1000
    assert grid.bill_by_kind["export"] == pytest.approx(-50 * sold, rel=1e-9)
    assert grid.bill_by_kind["energy"] == pytest.approx(60 * drawn, rel=1e-9)
    carbon = next(item for item in selling.costs if item.name == "CO2 of the grid")
    assert carbon.usd_per_yr == pytest.approx(10 * 0.4 * drawn, rel=1e-9)
    frame = selling.dispatch
    given = frame["solar_mw"] - frame["curtailed_mw"] + frame["discharge_mw"] + frame["grid_mw"]
    given += frame["diesel_mw"] + frame["shed_mw"]
    taken = frame["load_mw"] + frame["charge_mw"] + frame["sale_mw"]
    assert given.to_numpy() == pytest.approx(taken.to_numpy(), abs=1e-6)


def test_summary_tells_the_grid(flexible: sd.Design, selling: sd.Design) -> None:
    text = str(flexible.details)
    assert "MW contracted" in text
    assert "called 177 h/yr" in text
    assert "by the tariff: energy" in text
    assert "MWh/yr sold" in str(selling.details)
    assert "co2_t_per_mwh is not known" in text
    assert "co2_t_per_mwh is not known" not in str(selling.details)


def test_design_comes_back_from_its_file(flexible: sd.Design, tmp_path: Path) -> None:
    again = sd.Design.load(flexible.save(tmp_path / "design.json"))
    assert again == flexible
    asked = rebuilt_study(again)
    assert asked.grid == study(FLEXIBLE).grid
    case = build_case(asked).case
    plant = plant_of(again, case)
    assert plant.imports == (flexible.imports_mw["grid"],)
    assert plant.sinks == ()


@pytest.mark.slow
def test_design_of_both_methods_is_the_same() -> None:
    island = {"weather_years": 1, "racks": 20, "backup": [], "uptime": 0.99, "limits": {"battery_mwh": 0}}
    tariff = {"energy": 70, "demand": {"usd_per_kw_month": 5}}
    grid = {"mw": 3, "tariff": tariff, "export_mw": (1, 1), "export": 30, **FREE}
    exact = sd.solve(study(grid, **island), method="extensive")
    cuts = bound(grid, **island)
    assert exact.objective_usd_per_yr == pytest.approx(cuts.objective_usd_per_yr, rel=1.1e-3)
    assert exact.cost == pytest.approx(exact.objective_usd_per_yr, rel=1e-6)
    assert exact.grid is not None
    assert cuts.grid is not None
    assert exact.grid.contracted_mw == pytest.approx(cuts.grid.contracted_mw, rel=0.02)


def test_hour_by_hour_model_takes_the_prices_of_its_year() -> None:
    """Prices of years in turn go with the weather year that is chosen, not with the first."""
    prices = np.repeat([[10.0], [20.0], [30.0]], 8760, axis=1)
    grid = {"prices": PriceSeries(prices, 60, (1, 2, 3), "three years"), "mw": 5, **FREE}
    chosen = one_year_case(study(grid, weather_years=3))
    (year,) = chosen.weather.years
    assert chosen.grid is not None
    assert chosen.case.years == 1
    assert np.unique(chosen.grid.levels.price) == pytest.approx([10.0 * year])
    assert chosen.grid.hourly_usd_per_mwh == pytest.approx(10.0 * year)
    drawn = np.ones((1, 8760))
    assert chosen.grid.bills(1.0, drawn)[0].usd == pytest.approx(87_600 * year)


def test_calls_and_wires_come_with_the_seed() -> None:
    def there(seed: int) -> Any:
        case = build_case(study(FLEXIBLE, seed=seed)).case
        return case.imports[0].capability

    assert np.array_equal(there(1), there(1))
    assert not np.array_equal(there(1), there(2))


def test_months_of_the_connection_are_limited(flexible: sd.Design) -> None:
    early = bound(FLEXIBLE, limits={"months_to_power": 17})
    assert early.imports_mw == {"grid": 0.0}
    assert flexible.imports_mw["grid"] > 1
    sale = {**FLEXIBLE, "export_mw": 4, "export": 20, "export_capital_usd_per_kw": 0}
    assert bound(sale, limits={"months_to_power": 17, "solar_mw": (80, 80)}).sinks_mw == {"sale": 0.0}
    fixed = sale | {"mw": (5, 5), "export_mw": (4, 4)}
    assert set(faults(grid=fixed, limits={"months_to_power": 17})) == {
        "study.grid.mw",
        "study.grid.export_mw",
    }


def test_levels_of_export_are_never_above_those_of_import() -> None:
    """Two partitions of the same prices cross; an optimiser would pump money between them."""
    rng = np.random.default_rng(5)
    prices = rng.gamma(2.0, 20.0, (1, 8760))
    grid = sd.Grid(
        prices=PriceSeries(prices, 60, (1,), "p"),
        export_prices=PriceSeries(prices, 60, (1,), "p"),
        mw=10,
        export_mw=10,
    )
    load = rng.uniform(0.2, 1.0, (1, 8760))
    supply = grid_supply(grid, CLOCK, TEMP, study().finance, load_mw=load)
    assert isinstance(supply, GridSupply)
    assert supply.export is not None
    assert (supply.export.levels.price <= supply.levels.price).all()
    error = np.abs(supply.export.levels.price - prices)
    assert supply.export.levels.largest_error_usd_per_mwh == pytest.approx(error.max())


def test_carbon_of_the_grid_is_needed_where_it_counts() -> None:
    for asked in ({"limits": {"co2_t_per_yr": 100}}, {"co2_price_usd_per_t": 5}):
        told = faults(grid=FLEXIBLE, **asked)
        assert list(told) == ["study.grid.co2_t_per_mwh"]
        assert "0 is a number" in told["study.grid.co2_t_per_mwh"]
        study({**FLEXIBLE, "co2_t_per_mwh": 0}, **asked)


def test_faults_of_the_connection_are_told_with_those_of_the_study() -> None:
    told = faults(grid={"mw": -1, "tarif": "ercot"}, uptime=7)
    assert {"study.grid.mw", "study.grid.tarif", "study.uptime"} <= set(told)
    assert "study.grid" in faults(grid="ercot")
    assert study({"kind": "none"}).grid is None


def test_wind_and_grid_are_operated_without_foresight() -> None:
    both = study(FLEXIBLE, wind="onshore_6mw_170")
    found = sd.evaluate(both, solar_mw=1, battery_mwh=1, battery_mw=1, grid_mw=4, operation="causal")
    assert 0 < found.energy_mwh_per_yr["grid"] < 4 * 8760


def test_given_plant_is_operated_with_its_connection() -> None:
    plant: dict[str, Any] = {"solar_mw": 5, "battery_mwh": 10, "battery_mw": 3}
    asked = study({"mw": 9, "tariff": 50, **FREE})
    blind = sd.evaluate(asked, **plant, grid_mw=9)
    seen = sd.evaluate(asked, **plant, grid_mw=9, operation="foresight")
    assert blind.energy_mwh_per_yr["shed"] == pytest.approx(0.0, abs=1e-6)
    filling = 50 * 10 / 0.9 / 2  # only who sees the future has the battery full at the end of both years
    assert seen.cost_usd_per_yr <= blind.cost_usd_per_yr + filling
    assert sd.evaluate(asked, **plant).imports_mw == {"grid": 0.0}
    beyond = sd.evaluate(asked, **plant, grid_mw=12)
    assert any("MW of grid" in note for note in beyond.provenance.notes)
    with pytest.raises(InputError, match="grid_mw"):
        sd.evaluate(study(), **plant, grid_mw=1)
    with pytest.raises(InputError, match="sale_mw"):
        sd.evaluate(asked, **plant, sale_mw=1)


def test_study_file_holds_the_connection_and_finds_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "prices.csv").write_text("USD/MWh\n" + "41.5\n" * 8760)
    (folder / "caps.csv").write_text("fraction\n" + "1\n" * 8000 + "0.5\n" * 760)
    path = folder / "study.toml"
    path.write_text(
        "racks = 50\nuptime = 0.999\nweather_years = 1\n[site]\nlatitude = 31.5\nlongitude = -97.1\n"
        'timezone = "America/Chicago"\nelevation_m = 145\n'
        '[grid]\nkind = "flexible"\nmw = 8\nprices = "prices.csv"\n[grid.curtailment]\ncaps = "caps.csv"\n'
    )
    read = build_case(sd.read_study(path))
    assert read.grid is not None
    assert np.unique(read.grid.levels.price) == pytest.approx([41.5])
    assert read.grid.state.called_h_per_yr(1.0) == 760
    less = sd.read_study(path, grid={"mw": 3}).grid
    assert (less.mw, less.kind) == ((0, 3), "flexible")
    path.write_text(path.read_text().replace("mw = 8", "mw = -8"))
    with pytest.raises(InputError, match=r"study.toml \[grid\] mw"):
        sd.read_study(path)


def test_command_line_solves_a_study_with_a_grid(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(
        "racks = 20\nuptime = 0.99\nweather_years = 1\nbackup = []\n[site]\nlatitude = 31.5\n"
        "longitude = -97.1\n[grid]\nmw = 4\ntariff = 60\n"
    )
    done = CliRunner().invoke(app, ["solve", str(path), "--no-certify", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["grid"]["contracted_mw"] == told["imports_mw"]["grid"] > 0


def test_report_says_and_draws_the_connection(flexible: sd.Design, selling: sd.Design) -> None:
    assert dict(question_rows(flexible))["Grid connection"].startswith("flexible, 0 to 8 MW, tariff ERCOT")
    assert "grid" in [trace.name for trace in dispatch_week(flexible).data]
    assert "grid_mw" in [item["name"] for item in pack_series(flexible).header["columns"]]
    data = series(selling)
    frame = data.frame
    given = frame["solar_used_mw"] + frame["discharge_mw"] + frame["grid_mw"] + frame["shed_mw"]
    given += sum(frame[f"{name}_mw"] for name in data.backup)
    taken = frame["load_mw"] + frame["charge_mw"] + frame["sale_mw"]
    assert given.to_numpy() == pytest.approx(taken.to_numpy(), abs=1e-6)
    sun = (frame["solar_used_mw"].sum() + frame["curtailed_mw"].sum()) / frame["load_mw"].sum()
    told = render_report(selling)
    assert f"The array can give {sun:.2f} times the energy that the load needs" in told
    assert "A power plant with 5 MW of grid connection for" in told


def test_report_names_every_entry_and_every_taker_of_a_hub(flexible: sd.Design) -> None:
    hub = study(
        sd.Grid(model="flexible", mw=8, tariff="ercot", capital_usd_per_kw=250),
        wind="onshore_6mw_170",
        backup=["mobile_gt_dual"],
        surplus=["miner", sd.Surplus(model="miner", name="other", mw=2, usd_per_mwh=61)],
    )
    design = flexible.model_copy(update={"study": hub.to_dict()})
    named = [(table.entry.kind, table.entry.name) for table in assumptions(design)]
    assert len(named) == len(set(named))
    assert set(named) >= {
        ("wind", "onshore_6mw_170"), ("fuel", "natural_gas"), ("fuel", "diesel"), ("grid", "flexible"),
        ("tariff", "ercot"), ("surplus", "miner"), ("backup", "mobile_gt_dual"),
    }  # fmt: skip
    told = question_rows(design)
    assert [text for label, text in told if label == "Taker of surplus"] == [
        "miner: as much as pays at 76 USD/MWh (model miner)",
        "other: 0 to 2 MW at 61 USD/MWh (model miner, name other, usd per mwh 61.0)",
    ]
    assert dict(told)["Wind allowed"] == hub.wind[0].title
    assert "capital usd per kw 250" in dict(told)["Grid connection"]
    assert all(text for _, text in told)  # no row of what nobody asked


def test_energy_and_money_by_source_and_sink_add_up(flexible: sd.Design, selling: sd.Design) -> None:
    for design in (flexible, selling):
        energy = design.energy_mwh_per_yr
        flows = {flow.name: flow for flow in design.flows}
        given = sum(flow.mwh_per_yr for flow in design.flows if flow.role != "sink")
        taken = sum(flow.mwh_per_yr for flow in design.flows if flow.role == "sink")
        assert given == pytest.approx(taken + energy["battery_charge"], rel=1e-6)
        assert flows["grid"].mwh_per_yr == pytest.approx(design.grid.import_mwh_per_yr)
        assert flows["load"].mwh_per_yr == pytest.approx(design.served_mwh_per_yr)
        others = [item for item in design.costs if item.asset not in flows and item.usd_per_yr]
        spent = sum(flow.usd_per_yr for flow in design.flows)
        assert spent + sum(item.usd_per_yr for item in others) == pytest.approx(design.cost_usd_per_yr)
        assert {item.asset for item in others} <= {"racks"}
        told = dict(design.summary())
        assert f"grid {flows['grid'].mwh_per_yr / 1000:,.1f} GWh/yr for" in told["sources"]
        assert "load " in told["sinks"]
        again = sd.Design.from_dict(json.loads(json.dumps(design.to_dict())))
        assert [row[0] for row in flow_rows(again)] == [flow.name.replace("_", " ") for flow in design.flows]
    earned = next(flow for flow in selling.flows if flow.name == "sale").usd_per_yr
    assert earned < 0
    assert "sale" in dict(selling.summary())["sinks"]
    assert "earning" in dict(selling.summary())["sinks"]


def test_money_of_flows_adds_up_where_a_connection_only_sells_and_units_run_at_part_load() -> None:
    asked = study(
        sd.Grid(model="firm", mw=0, tariff=200.0, export_mw=(5, 5), export=15, capital_usd=5e6),
        backup=["recip_fast", "diesel"],
    )
    found = sd.evaluate(
        asked, solar_mw=40, battery_mwh=20, battery_mw=8, operation="causal",
        backup={"recip_fast": 1, "diesel": 2},
    )  # fmt: skip
    flows = {flow.name: flow for flow in found.flows}
    assert flows["grid"].usd_per_yr > 1e5
    assert sum(item.usd_per_yr for item in found.costs if "part-load" in item.name) > 0
    others = sum(item.usd_per_yr for item in found.costs if item.asset == "racks")
    spent = sum(flow.usd_per_yr for flow in flows.values())
    assert spent + others == pytest.approx(found.cost_usd_per_yr, rel=1e-12)


def test_the_bill_is_told_by_component_and_adds_up(flexible: sd.Design) -> None:
    rows = bill_rows(flexible)
    billed = [float(usd.replace(",", "")) for name, usd, _ in rows[:-1] if not name.startswith("\u2003")]
    parts = [float(usd.replace(",", "")) for name, usd, _ in rows if name.startswith("\u2003")]
    assert rows[-1][0] == "together"
    assert sum(billed) == pytest.approx(flexible.grid.bill / 1e6, abs=2e-3)
    assert sum(parts) == pytest.approx(flexible.grid.bill_by_kind["energy"] / 1e6, abs=3e-3)
    counted = [float(usd.replace(",", "")) for name, _, usd in rows[:-1] if usd]
    assert sum(counted) == pytest.approx(flexible.grid.charged / 1e6, abs=2e-3)
    told = render_report(flexible)
    assert "The bill of the grid" in told
    assert "Energy and money by source and sink" in told
    labels = [fact.label for fact in consequences(flexible, None)]
    assert {"Grid called", "Bill of the grid"} <= set(labels)


def test_curves_and_week_of_a_hub_show_every_source_and_sink(selling: sd.Design) -> None:
    table = duration_curves_data(selling)
    for name in ("grid", "sale"):
        energy = (table["width_h"] * table[f"{name}_mw"]).sum()
        assert energy == pytest.approx(selling.energy_mwh_per_yr[name], rel=1e-6)
    assert {"from the grid", "to sale"} <= {trace.name for trace in duration_curves(selling).data}
    week = {trace.name: trace for trace in dispatch_week(selling, day=180, year=1).data}
    line = week["load and sale"]
    assert list(line.meta) == ["load_mw", "sale_mw"]
    taken = np.array(line.customdata)
    np.testing.assert_allclose(np.array(line.y), np.array(week["load"].y) + taken, atol=2e-3)
    packed = [item["name"] for item in pack_series(selling).header["columns"]]
    assert {"load_mw", "sale_mw", "grid_mw"} <= set(packed)
    glance = year_at_a_glance_data(selling, "imported", year=2)
    assert glance.to_numpy().sum() == pytest.approx(series(selling).annual_mwh("grid_mw")[1])
    assert year_at_a_glance_data(selling, "taken", year=1).to_numpy().sum() == pytest.approx(
        series(selling).annual_mwh("sale_mw")[0]
    )


def test_series_of_a_connection_are_saved_short_and_to_the_last_bit() -> None:
    rng = np.random.default_rng(5)
    prices = PriceSeries(rng.normal(40, 20, (2, 8760)), 60, (2021, 2022), "a market", ("a note",))
    for caps in (rng.uniform(0, 1, 8760), rng.uniform(0, 1, (2, 8760)), rng.uniform(0, 1, (1, 8760))):
        grid = sd.Grid(kind="flexible", mw=8, prices=prices, curtailment={"caps": caps})
        written = json.dumps(grid.to_dict(), indent=1)
        assert sd.Grid.from_dict(json.loads(written)) == grid
        assert len(written) < 13 * (prices.usd_per_mwh.size + caps.size)  # of digits without any pattern
    asked = study({"kind": "flexible", "mw": 8, "prices": prices, "curtailment": {"caps": caps}})
    assert Grid(**json.loads(json.dumps(asked.to_dict()))["grid"]) == asked.grid
    for caps in ({"packed": "x"}, {"packed": 1}, {"packed": prices.to_dict()["data"]["packed"][:40]}):
        told = faults(grid={"kind": "flexible", "mw": 8, "tariff": 50, "curtailment": {"caps": caps}})
        assert list(told) == ["study.grid.curtailment.caps"]


def test_what_the_exact_bill_takes_beyond_the_design_is_said(flexible: sd.Design) -> None:
    grid = flexible.grid
    assert grid is not None
    dear = grid.model_copy(update={"bill_usd_per_yr": {"energy": grid.charged + 2e6, "fixed": 1.0}})
    assert "above what the design counts" in dict(dear.lines())["grid bill"]
    assert f"energy {(grid.charged + 2e6 - grid.charged_usd_per_yr['energy']) / 1e6:,.3f}" in dear.note
    cheap = grid.model_copy(update={"bill_usd_per_yr": {"energy": 1.0}})
    assert cheap.note == ""


def test_table_of_sites_has_columns_of_the_connection() -> None:
    place = {"latitude": 31.5, "longitude": -97.1}
    rows = [place | {"grid.mw": "2:4"}, place | {"grid.mw": 5, "grid.kind": "flexible"}]
    table = read_sites(rows)
    question = make_question(None, {"racks": 50, "uptime": 0.99, "grid": sd.Grid(tariff=50, mw=1)}, table)
    first, second = (question.study(row) for row in table.rows)
    assert first.grid == sd.Grid(tariff=50, mw=(2, 4))
    assert second.grid == sd.Grid(tariff=50, mw=5, kind="flexible")


def test_a_batch_that_no_site_can_do_is_refused_before_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked of the whole question or row by row; a row that alone cannot be done fails alone."""
    places = [{"latitude": 31.5, "longitude": -97.1}, {"latitude": 32.5, "longitude": -98.1}]
    asked: dict[str, Any] = {"racks": 50, "uptime": 0.99, "weather_years": 1}
    compute = [place | {"objective": "compute_cost"} for place in places]
    monkeypatch.setattr(one_site, "_solve", lambda *_: pytest.fail("a site was solved"))
    for rows, more in ((places, {"objective": "compute_cost"}), (compute, {})):
        with pytest.raises(InputError, match="extensive"):
            sd.solve_many(rows, method="extensive", **(asked | more))
    tried = []
    monkeypatch.setattr(one_site, "_solve", lambda study, _: tried.append(study) or bad())
    frame = sd.solve_many([compute[0], places[1]], method="extensive", **asked)
    assert len(frame) == len(tried) == 2


def bad() -> sd.Design:
    raise InputError([sd.Fault("x", "y", "z")])


def test_results_of_a_batch_keep_wind_and_grid(tmp_path: Path) -> None:
    """In a folder, whose columns are known before the first site, as in memory."""
    rows = [
        {"latitude": 31.5, "longitude": -97.1, "wind": "onshore_6mw_170;onshore_3mw_148", "grid.mw": 3},
        {"latitude": 31.5, "longitude": -97.1, "wind": "none", "grid.kind": "none", "grid.tariff": "ercot"},
    ]
    table, question = read_sites(rows), Question({"racks": 50, "uptime": 0.99, "grid": {"tariff": "ercot"}})
    schema = result_schema(table, question, BatchJob())
    farms = ["onshore_3mw_148_mw", "onshore_6mw_170_mw"]
    assert {*farms, *GRID_FIGURES} <= set(schema.names)
    assert schema.field("grid.tariff").type == schema.field("wind").type == pa.string()
    assert not {*farms, *GRID_FIGURES} & set(
        result_schema(read_sites([{"latitude": 1, "longitude": 2}]), Question({}), BatchJob()).names
    )
    assert [item.name for item in question.study(table.rows[0]).wind] == [
        "onshore_6mw_170",
        "onshore_3mw_148",
    ]
