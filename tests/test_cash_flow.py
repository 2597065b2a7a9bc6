"""The cash flow of a design: what it buys, pays and sells, its workbook, its command, its errors."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from typer.testing import CliRunner

import sitedesign as sd
from sitedesign.cli import app
from sitedesign.finance.annual_cost import annual_cost
from sitedesign.finance.cash_flow import cash_flow_for_return
from sitedesign.finance.lending import whole_terms
from sitedesign.finance.project import Asset, Expense, Project, Revenue, Taxes
from sitedesign.finance.returns import present_value
from tests import roadmaps
from tests.slow_rest import slow_after
from tests.test_finance_roadmap import STUDY as STAGED


@pytest.fixture(scope="module")
def design() -> sd.Design:
    site = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
    return sd.solve(site=site, racks=50, uptime=0.99, weather_years=1, certify=False)


def test_capital_and_expenses_are_those_of_the_design(design: sd.Design) -> None:
    flow = sd.cash_flow(design, price=100.0, terms=sd.Terms(degradation=0.0))
    bought = [item for item in design.costs if item.capital_usd > 0 and item.asset != "racks"]
    assert flow.project.cost_usd == pytest.approx(sum(item.capital_usd for item in bought))
    paid = {item.name: item.usd_per_yr for item in design.costs if item.kind == "fuel"}
    table = flow.table()
    for name, usd in paid.items():
        assert table.loc[1, name] == pytest.approx(-usd) if usd else name not in table
    upkeep = sum(item.upkeep_usd_per_yr for item in bought if item.life_yr)
    assert -table.loc[1, "expenses"] == pytest.approx(upkeep + sum(paid.values()))
    assert table.loc[1, "revenue"] == pytest.approx(100.0 * design.served_mwh_per_yr)
    sides = flow.uses_and_sources().groupby("side")["usd"].sum()
    assert sides["use"] == pytest.approx(sides["source"])


def test_upkeep_and_capital_add_up_to_the_yearly_cost(design: sd.Design) -> None:
    """An item's annuity at the real cost of capital is what its yearly cost holds beside upkeep."""
    rate = sd.library.finance().wacc_power_real
    for item in [*design.costs, *design.project_costs]:
        if item.kind == "capital" and item.life_yr and item.asset not in ("racks",):
            factor = rate / (1 - (1 + rate) ** -item.life_yr)
            annuity = (item.capital_usd - item.credit_usd) * factor
            assert item.usd_per_yr == pytest.approx(annuity + item.upkeep_usd_per_yr), item.name


def test_price_for_a_return_and_return_for_a_price_agree(design: sd.Design) -> None:
    asked = sd.cash_flow(design, target_irr=0.13)
    again = sd.cash_flow(design, price=asked.price)
    assert present_value(again.after_tax, 0.13) == pytest.approx(0.0, abs=1.0)
    usual = sd.cash_flow(design)
    assert usual.target_irr == sd.library.finance().equity_rate
    assert usual.npv_usd == pytest.approx(0.0, abs=1.0)
    assert asked.price > usual.price


def test_without_debt_tax_and_inflation_the_price_is_the_annualised_cost() -> None:
    """What the optimiser minimises and the cash flow are one and the same where the terms are."""
    cost = annual_cost(capital_usd=1000.0, fixed_usd_per_yr=20.0, life_yr=25, wacc=0.07, itc_fraction=0.0)
    project = Project(
        years=25,
        assets=(Asset("plant", cost.capital_usd, "none"),),
        revenues=(Revenue("power", 10.0, 1.0),),
        expenses=(Expense("upkeep", cost.fixed_usd_per_yr),),
        taxes=Taxes(federal=0.0),
        inflation=0.0,
    )
    found = cash_flow_for_return(project, 0.07).project.revenues[0].usd_per_unit
    assert found == pytest.approx(cost.total_usd_per_yr / 10.0)


def test_what_wears_out_is_bought_again(design: sd.Design) -> None:
    flow = sd.cash_flow(design, terms=sd.Terms(years=40))
    lives = {f"{item.name} again": item.life_yr for item in design.costs if 0 < item.life_yr < 40}
    for item in flow.project.replacements:
        assert item.year % lives[item.name] == 0.0
    expected = sum(-(-40 // life) - 1 for item, life in lives.items()
                   if any(again.name == item for again in flow.project.replacements))  # fmt: skip
    assert len(flow.project.replacements) == expected > 0


def test_compute_sells_gpu_hours_and_pays_for_hall_and_racks(design: sd.Design) -> None:
    flow = sd.cash_flow(design, owner="gpu_owner")
    rack = sd.library.rack(design.study["rack"]["name"])
    assert flow.price == rack.gpu_hour_usd
    hours = design.delivered_rack_h_per_yr * design.gpus_per_rack
    assert flow.table().loc[1, "sold_gpu_h"] == pytest.approx(hours)
    assert flow.project.cost_usd > sd.cash_flow(design).project.cost_usd + design.racks * rack.price_usd
    racks_again = [item for item in flow.project.replacements if "racks" in item.name]
    assert racks_again  # they live five years
    falling = sd.cash_flow(design, owner="gpu_owner", terms=sd.Terms(price_escalation=-0.2))
    assert falling.npv_usd < flow.npv_usd


def test_better_terms_never_ask_for_a_higher_price(design: sd.Design) -> None:
    plain = sd.cash_flow(design).price
    assert sd.cash_flow(design, terms=sd.Terms(debt_rate=0.06)).price < plain
    assert sd.cash_flow(design, terms=sd.Terms(bonus=0.0)).price > plain
    # With interest deducted and all written off at once, taxes are no burden; without debt and bonus they are
    bare = {"debt_share": 0.0, "bonus": 0.0}
    taxed = sd.cash_flow(design, terms=sd.Terms(**bare)).price
    assert sd.cash_flow(design, terms=sd.Terms(federal_tax=0.0, state_tax=0.0, **bare)).price < taxed
    assert sd.cash_flow(design, terms=sd.Terms(reserve_months=12)).price > plain
    assert sd.cash_flow(design, terms=sd.Terms(fuel_escalation=0.05)).price > plain
    assert sd.cash_flow(design, terms=sd.Terms(debt_fee=0.05)).price > plain


@pytest.fixture(scope="module")
def hub() -> sd.Design:
    """A farm with a name of the user's, a connection, and miners that have to be fed."""
    turbine = sd.library.wind("onshore_6mw_170").replace(name="mine")
    return sd.solve(
        site=sd.Site(latitude=32.47, longitude=-100.41, name="=1+1"), racks=50, uptime=0.9, weather_years=1,
        wind=[turbine], grid=sd.Grid(mw=(5, 5), months=12, tariff=60),
        surplus=[sd.Surplus(model="miner", mw=(5, 5))],
        limits={"wind_mw": {"mine": (6, 6)}}, certify=False,
    )  # fmt: skip


def test_all_of_a_hub_is_bought_kept_up_and_bought_again(hub: sd.Design) -> None:
    flow = sd.cash_flow(hub, price=80.0, terms=sd.Terms(years=60))
    recovery = {asset.name: asset.recovery for asset in flow.project.assets}
    farm = next(item for item in hub.costs if item.asset == "mine" and item.life_yr)
    assert recovery[farm.name] == recovery["solar array"] == "macrs_5"
    assert recovery["mine land"] == "none"
    (miner,) = hub.surplus
    table = flow.table()
    assert miner.upkeep_usd_per_yr > 0
    assert table.loc[1, "miner upkeep"] == pytest.approx(-miner.upkeep_usd_per_yr)
    assert table.loc[1, "miner revenue"] == pytest.approx(miner.usd_per_yr)
    again = {item.name.removesuffix(" again") for item in flow.project.replacements}
    assert {"miner", "grid connection", farm.name} <= again
    assert not any("land" in name for name in again)
    # Every line of cost is paid once: with its capital, or every year, or as revenue
    mine = [item for item in hub.costs if item.asset not in ("racks", "delay")]
    kept = sum(item.upkeep_usd_per_yr for item in mine if item.kind == "capital" and item.recovery != "none")
    yearly = sum(item.usd_per_yr for item in mine if item.kind in ("fuel", "tariff", "fixed"))
    assert -table.loc[1, "expenses"] == pytest.approx(kept + yearly)


def test_names_are_text_in_the_workbook(hub: sd.Design, tmp_path: Path) -> None:
    path = sd.cash_flow(hub, price=80.0).to_excel(tmp_path / "flow.xlsx")
    cell = openpyxl.load_workbook(path)["Summary"]["A1"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")


def test_the_workbook_refuses_what_it_has_no_lines_for(hub: sd.Design, tmp_path: Path) -> None:
    flow = sd.cash_flow(hub, price=80.0)
    insured = dataclasses.replace(flow, project=dataclasses.replace(flow.project, insurance_rate=0.01))
    with pytest.raises(ValueError, match="no lines for insurance"):
        insured.to_excel(tmp_path / "flow.xlsx")


def test_combined_tax_below_the_federal_rate_is_what_is_paid(design: sd.Design) -> None:
    free = sd.library.finance().replace(tax_fraction=0.0)
    terms = whole_terms(sd.Terms(), free)
    assert (terms.federal_tax, terms.state_tax) == (0.0, 0.0)
    usual = whole_terms(sd.Terms(), sd.library.finance())
    assert usual.federal_tax is not None
    assert usual.state_tax is not None
    both = usual.federal_tax + usual.state_tax * (1 - usual.federal_tax)
    assert both == pytest.approx(sd.library.finance().tax_fraction)


def test_a_bound_says_that_it_is_one(design: sd.Design) -> None:
    text = str(sd.cash_flow(design))
    assert text.startswith("BOUND")
    assert "USD/MWh in year 1, at which equity earns 12.0 %" in text


BOOKS = {
    "plain": sd.Terms(),
    "cover": sd.Terms(debt_dscr=1.3, years=25, salvage=0.05, debt="finance"),
    "all": sd.Terms(
        debt_repayment="bullet", construction_draws="delivery", construction_interest="compound",
        construction_share=0.65, construction_fee=0.0125, credit="production", credits="sold",
        augmentation_yr=4, contract_yr=8, market_price=55, market_escalation=0.01, price_escalation=0.02,
    ),
}  # fmt: skip


def book(design: sd.Design, name: str, folder: Path) -> tuple[sd.CashFlow, Path]:
    """Workbook on some terms."""
    flow = sd.cash_flow(design, terms=BOOKS[name])
    return flow, flow.to_excel(folder / "cash flow.xlsx")


@pytest.mark.parametrize("name", slow_after(1, ["all", "cover"]))
def test_workbook_calculates_to_the_same_figures(design: sd.Design, name: str, tmp_path: Path) -> None:
    """Every formula, calculated again by a library that knows nothing of this one."""
    flow, path = book(design, name, tmp_path)
    script = """
import json, sys, warnings
warnings.simplefilter("ignore")
import formulas, openpyxl
path = sys.argv[1]
kept, live = openpyxl.load_workbook(path, data_only=True), openpyxl.load_workbook(path)
found = {str(k).upper(): v for k, v in formulas.ExcelModel().loads(path).finish().calculate().items()}
rows = []
for sheet in live:
    for row in sheet.iter_rows():
        for cell in row:
            if str(cell.value).startswith("="):
                at = cell.coordinate
                value = found[f"'[CASH FLOW.XLSX]{sheet.title.upper()}'!{at}"].value[0, 0]
                rows.append((sheet.title, at, float(value), kept[sheet.title][at].value))
print(json.dumps(rows))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    rows = json.loads(done.stdout.splitlines()[-1])
    assert len(rows) > 400
    for sheet, cell, again, ours in rows:
        assert again == pytest.approx(ours, rel=1e-8, abs=1e-2), (sheet, cell)
    summary = {cell: value for sheet, cell, value, _ in rows if sheet == "Summary"}
    assert summary["B3"] == pytest.approx(flow.price)
    assert summary["B8"] == pytest.approx(flow.npv_usd, abs=0.01)


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice (soffice) is not installed")
def test_spreadsheet_opens_and_calculates_workbooks_again(design: sd.Design, tmp_path: Path) -> None:
    """A lender's program: all cached values thrown away, every cell calculated anew."""
    books = {name: sd.cash_flow(design, terms=terms) for name, terms in BOOKS.items()}
    books["hall"] = sd.cash_flow(design, owner="landlord")
    books["stages"] = sd.cash_flow(roadmaps.roadmap(study=STAGED.to_dict()), price=110.0)
    books["racks"] = sd.cash_flow(design, owner="gpu_owner", terms=sd.Terms(price_path="v", sold=0.75))
    for name, flow in books.items():
        flow.to_excel(tmp_path / f"{name}.xlsx")
        openpyxl.load_workbook(tmp_path / f"{name}.xlsx").save(tmp_path / f"bare {name}.xlsx")  # no values
    subprocess.run(
        [
            "soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--norestore",
            "--convert-to", "xlsx", "--outdir", str(tmp_path / "again"),
            *(str(tmp_path / f"bare {name}.xlsx") for name in books),
        ],
        capture_output=True, check=True, timeout=300,
    )  # fmt: skip
    for name in books:
        live, kept, found = (
            openpyxl.load_workbook(path, data_only=values)
            for path, values in (
                (tmp_path / f"{name}.xlsx", False),
                (tmp_path / f"{name}.xlsx", True),
                (tmp_path / "again" / f"bare {name}.xlsx", True),
            )
        )
        cells = [
            (sheet.title, cell.coordinate)
            for sheet in live
            for row in sheet.iter_rows()
            for cell in row
            if str(cell.value).startswith("=")
        ]
        assert len(cells) > 400
        for sheet, at in cells:
            assert found[sheet][at].value == pytest.approx(kept[sheet][at].value, rel=1e-8, abs=1e-2), (
                name,
                at,
            )


def test_faults_are_told_together_with_a_remedy(design: sd.Design) -> None:
    with pytest.raises(sd.InputError) as told:
        sd.Terms(debt_dscr=0.5, debt_rate=0.7, years=0)
    assert len(told.value.faults) == 3
    with pytest.raises(sd.InputError, match="one decides"):
        sd.cash_flow(design, price=50.0, target_irr=0.1)
    with pytest.raises(sd.InputError, match="must be a Design"):
        sd.cash_flow("design.json")  # type: ignore[arg-type]
    with pytest.raises(sd.InputError, match="operated for 10 years"):
        sd.Terms(years=10, debt_tenor_yr=18)


def test_command(design: sd.Design, tmp_path: Path) -> None:
    saved = tmp_path / "design.json"
    design.save(saved)
    book, lines = tmp_path / "flow.xlsx", tmp_path / "flow.csv"
    words = ["finance", str(saved), "--debt-dscr", "1.3", "--target-irr", "0.11"]
    plain = CliRunner().invoke(app, [*words, "--excel", str(book), "--csv", str(lines)])
    assert plain.exit_code == 0, plain.output
    assert "equity earns 11.0 %" in plain.output
    assert book.stat().st_size > 5_000
    assert lines.read_text().startswith("year,")
    told = json.loads(CliRunner().invoke(app, [*words, "--json"]).output)
    flow = sd.cash_flow(design, target_irr=0.11, terms=sd.Terms(debt_dscr=1.3))
    assert told["price_usd_per_unit"] == pytest.approx(flow.price)
    assert np.allclose(told["lines_usd"]["after_tax"], flow.after_tax)
    wrong = CliRunner().invoke(app, ["finance", str(saved), "--debt-dscr", "0.2"])
    assert wrong.exit_code == 2
    assert "--debt-dscr" in wrong.output
    words = [
        "finance",
        str(saved),
        "--owner",
        "town",
        "--target-irr",
        "-0.6",
        "--debt-rate",
        "0.7",
        "--excel",
        "x.csv",
    ]
    told = CliRunner().invoke(app, words).output
    assert "4 problems" in told
    assert all(option in told for option in ("--owner", "--target-irr", "--debt-rate", "--excel"))
