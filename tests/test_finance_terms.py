"""Terms of finance on a design: owners, debts at their curves, credits by date, paths of prices, wear."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import sitedesign as sd
from sitedesign import library
from sitedesign.cli import app
from sitedesign.finance.lending import base_rate, whole_terms
from sitedesign.finance.price_paths import price_path
from sitedesign.finance.terms import Terms
from sitedesign.report import figures
from sitedesign.report.figures.style import LIGHT
from sitedesign.results.after_tax import ranking_note

FINANCE = library.finance()


@pytest.fixture(scope="module")
def design() -> sd.Design:
    site = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
    bounds = {"battery_mwh": (20, 20), "battery_mw": (5, 5)}
    return sd.solve(site=site, racks=50, uptime=0.99, weather_years=1, limits=bounds, certify=False)


# Owners ----------------------------------------------------------------------------------------------------


def test_what_each_owner_buys_and_sells(design: sd.Design) -> None:
    power, hall, racks = (sd.cash_flow(design, owner=o) for o in ("developer", "landlord", "gpu_owner"))
    assert (power.unit, hall.unit, racks.unit) == ("MWh", "kW-month", "GPU-h")
    names = [{asset.name for asset in flow.project.assets} for flow in (power, hall, racks)]
    assert names[0] < names[1] < names[2]
    assert "data hall" in names[1] - names[0]
    assert "contracted racks" in names[2] - names[1]
    kw = design._study.contracted_it_mw * 1000  # type: ignore[union-attr]
    assert hall.lines["hosting"][1] == pytest.approx(12 * kw * library.owner("landlord").usd_per_kw_month)
    assert hall.price == library.owner("landlord").usd_per_kw_month
    assert hall.project.discount_nominal == pytest.approx(library.owner("landlord").equity_rate)
    assert racks.terms.debt == "gpu_non_investment_grade"


def test_a_tenant_pays_fuel_beside_the_rent(design: sd.Design) -> None:
    all_of_it, half, none = (
        sd.cash_flow(design, owner="landlord", price=150, terms=sd.Terms(pass_through=share)).table()
        for share in (1.0, 0.5, 0.0)
    )
    fuel = sum(-all_of_it[item.name] for item in design.costs if item.kind == "fuel" and item.usd_per_yr)
    assert all_of_it["fuel and bills passed on"][1:].to_numpy() == pytest.approx(fuel[1:].to_numpy())
    assert half["fuel and bills passed on"][3] == pytest.approx(0.5 * fuel[3])
    assert "fuel and bills passed on" not in none
    with pytest.raises(sd.InputError, match="only a tenant of a hall"):
        sd.cash_flow(design, terms=sd.Terms(pass_through=0.5))


# Debt ------------------------------------------------------------------------------------------------------


def test_debt_stands_on_its_curve() -> None:
    contracted, racks = library.debt("power_contracted"), library.debt("gpu_non_investment_grade")
    assert base_rate(contracted, FINANCE, 10) == pytest.approx(0.0425)
    assert base_rate(contracted, FINANCE, 20) == pytest.approx((0.0425 + 0.0483) / 2)
    assert base_rate(contracted, FINANCE, 40) == pytest.approx(0.0483)
    assert base_rate(racks, FINANCE, 20) == FINANCE.overnight_rate
    filled = whole_terms(Terms(debt="power_contracted"), FINANCE)
    assert filled.debt_rate == pytest.approx(0.07, abs=2e-4)  # System Advisor Model
    assert (filled.debt_dscr, filled.debt_share, filled.debt_tenor_yr) == (1.3, 0.8, 18)
    hall = whole_terms(Terms(debt="hall_investment_grade", years=30), FINANCE)
    assert hall.debt_rate == pytest.approx(0.0658, abs=4e-3)  # Hyperion; the curve has moved since
    assert (hall.debt_dscr, hall.debt_tenor_yr, hall.debt_share) == (None, 24, 0.91)
    assert whole_terms(Terms(debt="hall_investment_grade", years=15), FINANCE).debt_tenor_yr == 15
    by_share = whole_terms(Terms(debt="power_merchant", debt_share=0.3), FINANCE)
    assert (by_share.debt_dscr, by_share.debt_share) == (None, 0.3)
    assert whole_terms(Terms(), FINANCE).debt_rate == FINANCE.debt_rate


def test_cash_that_does_not_pay_the_debt_is_told(design: sd.Design) -> None:
    text = str(sd.cash_flow(design, price=1.0))
    assert "SHORT" in text
    assert "SHORT" not in str(sd.cash_flow(design, terms=sd.Terms(debt_dscr=1.3)))


def test_construction_by_month(design: sd.Design) -> None:
    terms = {"construction_months": 12, "debt_rate": 0.08}
    flow = sd.cash_flow(design, price=90.0, terms=sd.Terms(**terms))
    plan = flow.construction()
    assert len(plan) == 12
    assert plan[[asset.name for asset in flow.project.assets]].to_numpy().sum() == pytest.approx(
        flow.project.cost_usd
    )
    assert plan["interest"].sum() == pytest.approx(0.04 * flow.project.cost_usd)
    late = sd.cash_flow(design, price=90.0, terms=sd.Terms(construction_draws="delivery", **terms))
    array = next(item for item in flow.project.assets if item.name == "solar array")
    months = library.pv(design.study["pv"]["name"]).lead_months
    paid = late.construction()["solar array"]
    assert paid.iloc[min(int(months), 11)] == pytest.approx(0.8 * array.cost_usd)
    more = sd.cash_flow(design, price=90.0, terms=sd.Terms(construction_interest="compound", **terms))
    assert more.construction()["interest"].sum() > plan["interest"].sum()


# Credits ---------------------------------------------------------------------------------------------------


def test_credits_by_date() -> None:
    late, soon = date(2027, 1, 1), date(2027, 12, 1)
    assert library.production_credit_usd_per_mwh("pv", late, soon) == 30.0
    assert library.production_credit_usd_per_mwh("wind", late, date(2028, 1, 1)) == 0.0
    assert library.production_credit_usd_per_mwh("battery", late, soon) == 0.0
    least = library.least_share_of_no_foreign_entity
    assert least("battery", date(2025, 12, 31)) == least("none", late) == 0.0
    assert [least("battery", date(year, 1, 1)) for year in (2026, 2028, 2030, 2040)] == [
        0.55,
        0.65,
        0.75,
        0.75,
    ]
    assert [least("pv", date(year, 1, 1)) for year in (2026, 2028, 2030, 2040)] == [0.4, 0.5, 0.6, 0.6]
    with pytest.raises(sd.InputError, match="must be one of"):
        least("solar", late)


def test_a_battery_of_foreign_cells_loses_its_credit(design: sd.Design) -> None:
    """Construction starts in 2027: 60 % of storage has to come from elsewhere."""
    credit = {}
    for share in (None, 0.6, 0.59):
        flow = sd.cash_flow(design, price=90.0, terms=sd.Terms(clean_share=share))
        credit[share] = {asset.name: asset.credit for asset in flow.project.assets}["battery energy"]
    assert credit == {None: 0.3, 0.6: 0.3, 0.59: 0.0}


def test_credits_that_are_sold_bring_less(design: sd.Design) -> None:
    used, sold = (
        sd.cash_flow(design, price=90.0, terms=sd.Terms(credits=use)).lines["investment_credit"][1]
        for use in ("used", "sold")
    )
    assert sold == pytest.approx(FINANCE.credit_transfer_price * used)
    own = sd.cash_flow(design, price=90.0, terms=sd.Terms(credits="sold", credit_price=0.9))
    assert own.lines["investment_credit"][1] == pytest.approx(0.9 * used)


def test_production_credit_of_an_array_that_is_in_time(design: sd.Design) -> None:
    study = design._study
    assert isinstance(study, sd.Study)
    terms = sd.Terms(credit="production")
    late = sd.cash_flow(design, price=90.0, terms=terms)  # in service in July 2028
    assert late.project.taxes.production_credits == ()
    soon = design.model_copy()
    soon._study = study.replace(in_service=date(2027, 12, 1))
    flow = sd.cash_flow(soon, price=90.0, terms=terms)
    sun = next(item.mwh_per_yr for item in design.flows if item.name == "solar")
    assert flow.lines["production_credit"][1] == pytest.approx(30 * sun)
    assert flow.lines["production_credit"][10] == pytest.approx(37 * sun)
    assert not flow.lines["production_credit"][11:].any()
    assert {a.name: a.credit for a in flow.project.assets}["solar array"] == 0.0


# Prices over the years -------------------------------------------------------------------------------------


def test_paths_of_rents_begin_again_with_new_racks() -> None:
    falling = price_path("falling", 7, 5, FINANCE)
    assert falling == pytest.approx([1, 0.8, 0.64, 0.512, 0.4096, 1, 0.8])
    assert price_path("v", 7, 5, FINANCE) == pytest.approx([1, 0.57, 0.79, 0.79, 0.79, 1, 0.57])
    assert price_path("flat", 3, 5, FINANCE, 0.02) == pytest.approx([1, 1.02, 1.02**2])
    assert price_path("falling", 4, 60, FINANCE, 0.25) == pytest.approx([1, 1, 1, 1])


def test_falling_rents_ask_for_a_higher_first_one(design: sd.Design) -> None:
    flat, v, falling = (
        sd.cash_flow(design, owner="gpu_owner", target_irr=0.15, terms=sd.Terms(price_path=path)).price
        for path in ("flat", "v", "falling")
    )
    assert flat < v
    assert flat < falling
    sold = sd.cash_flow(design, owner="gpu_owner", terms=sd.Terms(sold=0.75))
    assert sold.lines["amount"][1] == pytest.approx(
        0.75 * design.delivered_rack_h_per_yr * design.gpus_per_rack
    )
    with pytest.raises(sd.InputError, match="only rents of GPUs"):
        sd.cash_flow(design, terms=sd.Terms(price_path="v"))


def test_after_a_contract_the_market_pays(design: sd.Design) -> None:
    terms = sd.Terms(contract_yr=10, market_price=40.0, market_escalation=0.02, price_escalation=0.01)
    flow = sd.cash_flow(design, price=100.0, terms=terms)
    per_mwh = flow.lines["power"][1:] / flow.lines["amount"][1:]
    assert per_mwh[9] == pytest.approx(100 * 1.01**9)
    assert per_mwh[10] == pytest.approx(40 * 1.02**10)
    dearer = sd.cash_flow(design, target_irr=0.12, terms=terms).price
    assert dearer > sd.cash_flow(design, target_irr=0.12, terms=sd.Terms(price_escalation=0.01)).price
    with pytest.raises(sd.InputError, match="needs market_price as well"):
        sd.Terms(contract_yr=10)


# Wear ------------------------------------------------------------------------------------------------------


def test_an_older_array_burns_more_fuel(design: sd.Design) -> None:
    """Sized at the age of ten: less fuel before, more after; by hand for the third year."""
    flow = sd.cash_flow(design, price=90.0, terms=sd.Terms(degradation=0.01))
    item = next(item for item in design.costs if item.kind == "fuel" and item.usd_per_yr > 0)
    sun = next(flow.mwh_per_yr for flow in design.flows if flow.name == "solar")
    backup = design.energy_mwh_per_yr["backup"]
    expected = item.usd_per_yr * 1.025**2 * (1 + sun * (1 - 0.99 ** (2.5 - 10)) / backup)
    assert -flow.lines[item.name][3] == pytest.approx(expected)
    plain = sd.cash_flow(design, price=90.0, terms=sd.Terms(degradation=0.0))
    more = flow.lines[item.name] / plain.lines[item.name].clip(max=-1e-9)
    assert more[1] < 1 < more[20]
    assert (np.diff(more[1:]) > 0).all()


def test_augmentation_is_bought_every_few_years(design: sd.Design) -> None:
    flow = sd.cash_flow(design, price=90.0, terms=sd.Terms(augmentation_yr=4, years=20))
    plan = flow.replacements()
    battery = library.battery(design.study["battery"]["name"])
    energy = next(item for item in design.costs if item.name == "battery energy")
    bought = plan[plan["item"] == "battery augmentation"]
    assert bought["year"].tolist() == [4, 8, 12, 16]
    lost = battery.fade_per_yr * 4 * energy.capital_usd
    assert bought["usd_real"].tolist() == pytest.approx([lost * 0.95**year for year in (4, 8, 12, 16)])
    assert bought["usd_nominal"].iloc[0] == pytest.approx(lost * 0.95**4 * 1.025**3)
    upkeep = -flow.lines["battery energy upkeep"][1]
    held = battery.augmentation_in_fixed_om_fraction_per_yr * energy.capital_usd
    assert upkeep == pytest.approx(energy.upkeep_usd_per_yr - held)


# Ranking ---------------------------------------------------------------------------------------------------


def test_a_sweep_carries_what_its_plants_cost_after_taxes(design: sd.Design) -> None:
    study = design._study
    assert isinstance(study, sd.Study)
    terms = sd.Terms(degradation=0.0)
    table = sd.frontier(study, "min_renewable_share", [0.1, 0.6], finance=terms)
    for row, share in enumerate((0.1, 0.6)):
        alone = sd.solve(study.replace(min_renewable_share=share), certify=False)
        assert table["lcoe_usd_per_mwh"][row] == pytest.approx(alone.lcoe_usd_per_mwh, rel=2e-3)
        price = sd.cash_flow(alone, terms=terms).price
        assert table["price_usd_per_mwh"][row] == pytest.approx(price, rel=2e-3)
    assert "rank these 2 plants" in table.attrs["note"]
    dear = sd.frontier(study, "battery price", [100.0, 400.0], finance=terms)
    assert dear["price_usd_per_mwh"][1] > dear["price_usd_per_mwh"][0]
    with pytest.raises(sd.InputError, match="finances islands"):
        sd.tradeoff(study.replace(grid=sd.Grid(mw=5, tariff=60)), finance=terms)


def test_a_flip_is_told_by_its_widest_pair() -> None:
    note = ranking_note(["a", "b", "c"], [50.0, 51.0, 60.0], [80.0, 78.0, 90.0])
    assert note == (
        "After taxes one pair of plants stand the other way round than annualised cost says: b needs 78.00 "
        "USD/MWh and a 80.00, though their annualised cost is 51.00 against 50.00."
    )
    alike = ranking_note(["a", "b"], [50.0, 51.0], [80.0, 81.0])
    assert alike == "Annualised cost and the price after taxes rank these 2 plants alike."
    assert ranking_note(["a", "b"], [50.0, float("nan")], [80.0, 81.0]) == ""


def test_designs_are_compared_both_ways(design: sd.Design) -> None:
    """More capital and less of everything else: cheaper by the year, dearer to equity that asks for 12 %."""
    items = [
        item.model_copy(
            update={
                "usd_per_yr": 0.97 * item.usd_per_yr,
                "capital_usd": 1.3 * item.capital_usd,
            }
        )
        for item in design.costs
    ]
    heavy = design.model_copy(update={"costs": items})
    heavy._study = design._study
    table = sd.compare({"as found": design, "more capital": heavy})
    assert table["rank_annualised"].tolist() == [2, 1]
    assert table["rank_after_tax"].tolist() == [1, 2]
    assert table.loc["as found", "price_usd_per_mwh"] == pytest.approx(sd.cash_flow(design).price)
    assert "stand the other way round" in table.attrs["note"]
    with pytest.raises(sd.InputError, match="must be a Design"):
        sd.compare({"a": 1})  # type: ignore[dict-item]


# Figures and report ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("owner", ["developer", "landlord", "gpu_owner"])
def test_steps_of_the_price_add_up_to_it(design: sd.Design, owner: str) -> None:
    flow = sd.cash_flow(design, owner=owner)
    steps = figures.price_waterfall_data(flow)
    assert steps["usd_per_unit"][:-1].sum() == pytest.approx(flow.levelised()[0])
    assert steps["usd_per_unit"].iloc[-1] == pytest.approx(flow.levelised()[0])
    assert (steps["from_usd_per_unit"].diff()[1:-1] - steps["usd_per_unit"].shift()[1:-1]).abs().max() < 1e-9
    cash = figures.cash_by_year_data(flow)
    parts = cash.drop(columns=["after_tax", "total"])
    assert parts.sum(axis=1).to_numpy() == pytest.approx(flow.after_tax, abs=1e-3)
    assert cash["total"].iloc[-1] == pytest.approx(flow.after_tax.sum())
    for fig in (figures.price_waterfall(flow), figures.cash_by_year(flow)):
        colours = {colour for trace in fig.data for colour in np.atleast_1d(trace.marker.color or [])}
        assert colours <= set(LIGHT.values())


def test_report_tells_the_cash_flow_when_asked(design: sd.Design, tmp_path: Path) -> None:
    flow = sd.cash_flow(design, terms=sd.Terms(debt_dscr=1.3))
    text = design.report(tmp_path / "report.html", finance=flow).read_text(encoding="utf-8")
    assert "What it is worth after taxes" in text
    assert f"{flow.price:,.2f} USD/MWh in year 1" in text
    assert f"{flow.debt_usd / 1e6:,.2f}" in text
    plain = design.report(tmp_path / "plain.html").read_text(encoding="utf-8")
    assert "What it is worth after taxes" not in plain
    saved = tmp_path / "design.json"
    design.save(saved)
    assert "--finance" in CliRunner().invoke(app, ["report", str(saved), "--finance", "bank"]).output


# Sale and leaseback ----------------------------------------------------------------------------------------


def test_a_design_is_sold_and_rented_back(design: sd.Design) -> None:
    flow = sd.cash_flow(design, price=110.0, terms=sd.Terms(debt_share=0.0))
    both = flow.sale_leaseback(500_000.0, development_fee=0.02)
    assert both.sale_usd == pytest.approx(flow.uses_and_sources().loc[
        lambda table: (table["side"] == "use") & (table["item"] != "reserves"), "usd"
    ].sum() + 0.02 * flow.project.cost_usd)  # fmt: skip
    assert both.lines["margin"][1:3] == pytest.approx([500_000, 510_000])
    assert both.lessor_irr is not None
    with pytest.raises(sd.InputError, match="margin_usd_per_yr"):
        flow.sale_leaseback(-1.0)


def test_command_sells_and_rents_back(design: sd.Design, tmp_path: Path) -> None:
    saved = design.save(tmp_path / "design.json")
    words = ["finance", str(saved), "--price", "110", "--leaseback"]
    told = json.loads(CliRunner().invoke(app, [*words, "500000", "--json"]).output)
    both = sd.cash_flow(design, price=110.0).sale_leaseback(500_000.0)
    assert told["leaseback"]["lessor_irr"] == pytest.approx(both.lessor_irr)
    assert "lessor" in CliRunner().invoke(app, [*words, "500000"]).output
    assert "--leaseback" in CliRunner().invoke(app, [*words, "-1"]).output
