"""Cash flows of projects against three independent tools, by hand, and laws that all of them keep."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sitedesign.finance.cash_flow import CashFlow, cash_flow, cash_flow_for_return
from sitedesign.finance.depreciation import deductions
from sitedesign.finance.project import (
    Asset,
    Construction,
    Debt,
    Expense,
    ProductionCredit,
    Project,
    Replacement,
    Revenue,
    Taxes,
)
from sitedesign.finance.returns import internal_rate_of_return, payback_yr, present_value

DATA = Path(__file__).parent / "data" / "finance" / "worked_cases.json"
CASES: dict[str, Any] = json.loads(DATA.read_text(encoding="utf-8"))
LEVEL, SCULPTED = CASES["so_a_level_debt_no_credit"], CASES["so_b_itc_bonus_dscr"]


def level_debt() -> Project:
    return Project(
        years=25,
        assets=(Asset("plant", 120e6, "macrs_5"),),
        revenues=(Revenue("power", 262_800, 60.0, 0.01),),
        expenses=(Expense("operation", 2e6, 0.025),),
        debt=Debt(share=0.6, rate=0.07, tenor_yr=18),
    )


def sculpted_debt(usd_per_mwh: float) -> Project:
    return replace(
        level_debt(),
        assets=(Asset("plant", 120e6, "macrs_5", bonus=1.0, credit=0.3),),
        revenues=(Revenue("power", 262_800, usd_per_mwh, 0.01),),
        debt=Debt(dscr=1.3, rate=0.07, tenor_yr=18),
    )


# Published -------------------------------------------------------------------------------------------------


def test_level_debt_is_that_of_a_single_owner_model() -> None:
    flow, known = cash_flow(level_debt()), LEVEL["scalars"]
    assert flow.after_tax == pytest.approx(LEVEL["series"]["cf_project_return_aftertax"], abs=1e-3)
    assert flow.lines["ebitda"] == pytest.approx(LEVEL["series"]["cf_ebitda"], abs=1e-3)
    assert flow.lines["federal_tax"] == pytest.approx(LEVEL["series"]["cf_fedtax"], abs=1e-3)
    assert flow.debt_usd == pytest.approx(72e6, abs=1e-3)
    assert flow.irr == pytest.approx(known["project_return_aftertax_irr"] / 100, rel=2e-5)
    assert flow.irr_by(20) == pytest.approx(known["flip_actual_irr"] / 100, rel=2e-5)
    assert flow.npv_usd == pytest.approx(known["project_return_aftertax_npv"], rel=1e-8)
    assert flow.dscr.min() == pytest.approx(known["min_dscr"], rel=1e-9)
    nominal, real = flow.levelised(), flow.levelised(real=True)
    assert nominal == pytest.approx((10 * known["lppa_nom"], 10 * known["lcoe_nom"]), rel=1e-9)
    assert real == pytest.approx((10 * known["lppa_real"], 10 * known["lcoe_real"]), rel=1e-9)


def test_debt_sized_by_its_cover_is_that_of_a_single_owner_model() -> None:
    known = SCULPTED["scalars"]
    flow = cash_flow(sculpted_debt(10 * known["ppa"]))
    assert flow.after_tax == pytest.approx(SCULPTED["series"]["cf_project_return_aftertax"], abs=1e-3)
    assert -flow.lines["debt_service"] == pytest.approx(SCULPTED["series"]["cf_debt_payment_total"], abs=1e-3)
    assert flow.lines["federal_deductions"] == pytest.approx(SCULPTED["series"]["cf_feddepr_total"], abs=1e-3)
    assert flow.debt_usd == pytest.approx(known["size_of_debt"], abs=1e-3)
    assert flow.equity_usd == pytest.approx(known["size_of_equity"], abs=1e-3)
    assert flow.npv_usd == pytest.approx(known["project_return_aftertax_npv"], rel=1e-8)
    assert flow.irr == pytest.approx(known["project_return_aftertax_irr"] / 100, rel=2e-5)


def test_price_for_a_return_in_a_year_is_found() -> None:
    found = cash_flow_for_return(sculpted_debt(1.0), 0.11, by_year=20)
    assert found.project.revenues[0].usd_per_unit == pytest.approx(36.0563, rel=1e-5)
    assert found.irr_by(20) == pytest.approx(0.11, abs=1e-10)


def offgrid(case: dict[str, Any], credit: float, escalation: float) -> Project:
    """Plant of a published workbook: 70 % debt at 7.5 %, equity paid in over two years."""
    solar, battery, gas, engine = (
        case["solar_mw"], case["battery_mw_4h"], case["gas_mw"], case["gas_kind"] == "engine",
    )  # fmt: skip
    hard = {
        "solar": 0.77e6 * solar,
        "battery": 260e3 * 4 * battery,
        "gas": (1150e3 if engine else 885e3) * gas,
        "integration": 410e3 * 100,
    }
    soft = 1 + 0.005 + 0.05 + 0.005 + 0.0005 + 0.0025 + 0.005 + 0.05
    table = (0.20, 0.32, 0.192, 0.115, 0.115, 0.058)
    generated = case["generator_output_mwh_per_yr"]
    mmbtu_per_mwh = 8.9893 if engine else 9.630
    upkeep = 11e3 * solar + 2.5e3 * battery + (10e3 if engine else 15e3) * gas + 6e3 * 100
    upkeep += (25 if engine else 5) * generated + 0.0025 * sum(hard.values())
    return Project(
        years=20,
        assets=tuple(
            Asset(name, usd * soft, table, credit=credit if name in ("solar", "battery") else 0.0)
            for name, usd in hard.items()
        ),
        revenues=(Revenue("power", case["load_served_mwh_per_yr"], 80.0, escalation),),
        expenses=(Expense("fuel", generated * mmbtu_per_mwh * 5, 0.03), Expense("upkeep", upkeep, 0.025)),
        debt=Debt(share=0.7, rate=0.075, tenor_yr=20),
        construction=Construction(equity_years=2),
    )


@pytest.mark.parametrize("case", CASES["offgrid"]["cases"], ids=lambda case: case["case"])
def test_break_even_price_of_off_grid_plants_is_that_of_their_workbook(case: dict[str, Any]) -> None:
    for credit, escalation, known in (
        (0.3, 0.0, "lcoe_usd_per_mwh"),
        (0.0, 0.0, "lcoe_without_itc"),
        (0.3, 0.02, "lcoe_with_2pct_escalator"),
    ):
        found = cash_flow_for_return(offgrid(case, credit, escalation), 0.11)
        assert found.project.revenues[0].usd_per_unit == pytest.approx(case[known], abs=1e-6)
        worth = present_value(found.after_tax, 0.11, found.first_year)
        assert worth == pytest.approx(0.0, abs=1.0)


@pytest.mark.parametrize("case", CASES["h2integrate"]["npv_before_tax"], ids=lambda c: c["price_usd_per_kwh"])
def test_worth_before_tax_of_a_hybrid_plant(case: dict[str, Any]) -> None:
    given_ = CASES["h2integrate"]["common_inputs"]
    costs = given_["fixed_opex_usd_per_yr"] | {"fuel": given_["variable_opex_usd_per_yr"]["natural_gas"]}
    project = Project(
        years=given_["plant_life_yr"],
        assets=tuple(Asset(name, usd, "none") for name, usd in given_["capex_usd"].items()),
        revenues=(Revenue("power", given_["energy_kwh_per_yr"] / 1e3, 1e3 * case["price_usd_per_kwh"]),),
        expenses=tuple(Expense(name, usd) for name, usd in costs.items()),
        taxes=Taxes(federal=0.0),
        inflation=0.0,
        discount_real=case["discount_rate"],
    )
    assert cash_flow(project).npv_usd == pytest.approx(case["expected_npv_usd"], rel=1e-6)


@pytest.mark.parametrize("case", CASES["reopt"], ids=lambda case: case["case"])
def test_net_capital_of_another_tool(case: dict[str, Any]) -> None:
    given_ = case["inputs"]
    project = Project(
        years=25,
        assets=(Asset("plant", given_["basis_usd_per_kw"], "macrs_5", given_["bonus"], given_["itc"]),),
        revenues=(Revenue("none", 0.0, 0.0),),
        taxes=Taxes(federal=given_["tax"]),
        inflation=0.0,
        discount_real=given_["discount"],
    )
    assert -cash_flow(project).npv_usd == pytest.approx(case["expected"], abs=1e-3)


def test_annuity_with_growth_in_its_first_period() -> None:
    payments = 1.0166 ** np.arange(1, 26)
    assert present_value(payments, 0.0624, 1) == pytest.approx(14.82026, abs=1e-5)


# By hand ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["macrs_5", "macrs_7", "macrs_15", "macrs_20", "line_15", "line_20", "line_39"]
)
def test_all_of_a_basis_is_deducted_and_no_more(name: Any) -> None:
    assert deductions(name, 60).sum() == pytest.approx(1.0, abs=1e-9)
    assert deductions(name, 60, bonus=0.4).sum() == pytest.approx(1.0, abs=1e-9)
    assert deductions(name, 60, bonus=1.0)[0] == 1.0
    assert (deductions(name, 3) == deductions(name, 60)[:3]).all()


def test_what_is_kept_aside_comes_back_and_earns() -> None:
    plain = level_debt()
    assert plain.debt is not None
    kept = replace(
        plain,
        debt=replace(plain.debt, reserve_months=6),
        working_months=6,
        reserve_interest=0.02,
    )
    flow = cash_flow(kept)
    service, expenses = -flow.lines["debt_service"][1:], -flow.lines["expenses"][1:]
    first = (service[0] + expenses[0]) / 2
    assert flow.equity_usd + flow.debt_usd == pytest.approx(120e6 + first)
    assert flow.debt_usd == pytest.approx(0.6 * (120e6 + first))
    assert flow.lines["reserve_release"].sum() == pytest.approx(first)
    assert flow.lines["reserve_interest"][1] == pytest.approx(0.02 * first)
    assert flow.lines["reserve_interest"][25] == pytest.approx(0.02 * expenses[-1] / 2)  # the debt is repaid


def test_a_replacement_is_saved_for_bought_and_deducted() -> None:
    renewed = replace(level_debt(), replacements=(Replacement("inverters", 10e6, 15),))
    flow, before = cash_flow(renewed), cash_flow(level_debt())
    usd = 10e6 * 1.025**14
    assert flow.lines["replacement_reserve"][1:16] == pytest.approx(-usd / 15)
    assert flow.lines["replacement_reserve"].sum() == pytest.approx(-usd)
    more = flow.lines["federal_deductions"] - before.lines["federal_deductions"]
    assert more[15:21] == pytest.approx(usd * np.array([0.2, 0.32, 0.192, 0.1152, 0.1152, 0.0576]))
    assert more[:15] == pytest.approx(0.0)


def test_debt_is_sized_on_what_replacements_leave() -> None:
    flow = cash_flow(replace(sculpted_debt(60.0), replacements=(Replacement("inverters", 10e6, 15),)))
    left = flow.lines["ebitda"] + flow.lines["replacement_reserve"]
    assert left[1:19] == pytest.approx(-1.3 * flow.lines["debt_service"][1:19])


def test_fees_and_interest_of_construction() -> None:
    terms = Construction(months=24, rate=0.06, loan_share=1.0, fee=0.01)
    flow = cash_flow(replace(level_debt(), construction=terms, debt=None))
    # On average half of the loan is drawn: 2 years x 6 % / 2, and the fee
    assert flow.equity_usd == pytest.approx(120e6 * (1 + 0.06 + 0.01))
    assert flow.lines["federal_deductions"].sum() == pytest.approx(flow.equity_usd)


def test_insurance_and_property_tax() -> None:
    taxes = Taxes(property_rate=0.01, property_decline=0.05)
    flow = cash_flow(replace(level_debt(), insurance_rate=0.005, taxes=taxes))
    assert flow.lines["insurance"][[1, 3]] == pytest.approx([-0.6e6, -0.6e6 * 1.025**2])
    assert flow.lines["property_tax"][[1, 3, 21, 25]] == pytest.approx([-1.2e6, -1.08e6, 0.0, 0.0])
    both = flow.lines["insurance"] + flow.lines["property_tax"]
    assert flow.lines["expenses"] - cash_flow(level_debt()).lines["expenses"] == pytest.approx(both)


def test_production_credit_is_rounded_as_the_law_does() -> None:
    taxes = Taxes(production_credits=(ProductionCredit("sun", 30.0, 1.0),))
    flow = cash_flow(replace(level_debt(), taxes=taxes))
    paid = flow.lines["production_credit"][1:11]
    assert paid.tolist() == [30, 31, 32, 32, 33, 34, 35, 36, 37, 37]
    assert not flow.lines["production_credit"][11:].any()


def test_debt_never_exceeds_its_cap() -> None:
    rich = cash_flow(
        replace(sculpted_debt(500.0), debt=Debt(dscr=1.3, rate=0.07, tenor_yr=18, most_share=0.8))
    )
    assert rich.debt_usd == pytest.approx(0.8 * 120e6)
    assert rich.dscr.min() > 1.3
    assert rich.irr is not None


def test_state_tax_is_deducted_from_federal_income() -> None:
    flow = cash_flow(replace(level_debt(), debt=None, taxes=Taxes(federal=0.21, state=0.05)))
    year = 10  # nothing is depreciated any more
    income = flow.lines["ebitda"][year]
    assert flow.lines["state_tax"][year] == pytest.approx(-0.05 * income)
    assert flow.lines["federal_tax"][year] == pytest.approx(-0.21 * 0.95 * income)


def test_payback_and_return_of_a_simple_row() -> None:
    row = np.array([-100.0, 60.0, 60.0])
    assert payback_yr(row) == pytest.approx(1 + 40 / 60)
    assert internal_rate_of_return(row) == pytest.approx(0.130662, abs=1e-6)
    assert payback_yr(np.array([-100.0, 10.0])) is None
    assert internal_rate_of_return(np.array([-100.0, -1.0])) is None
    assert internal_rate_of_return(np.array([-100.0, 230.0, -132.0])) is None  # 10 and 20 %: neither is told


def test_no_price_is_low_enough() -> None:
    rich = (*level_debt().revenues, Revenue("sale", 1.0, 1e9))
    with pytest.raises(ValueError, match="at a price of nothing"):
        cash_flow_for_return(replace(level_debt(), revenues=rich), 0.1)


def test_a_debt_that_pays_for_itself_alone_is_refused() -> None:
    debt = Debt(share=0.9, rate=0.5, tenor_yr=1, reserve_months=12)  # a reserve of 1.5 times the debt
    with pytest.raises(ValueError, match=r"1\.50 times the debt"):
        cash_flow(replace(level_debt(), debt=debt))


def test_payback_counts_years_of_operation() -> None:
    early = replace(level_debt(), debt=None, construction=Construction(equity_years=2))
    assert cash_flow(early).payback_yr == cash_flow(replace(level_debt(), debt=None)).payback_yr


def test_no_price_is_enough() -> None:
    with pytest.raises(ValueError, match="no price"):
        cash_flow_for_return(replace(level_debt(), revenues=(Revenue("power", 0.0, 1.0),)), 0.1)


# Laws ------------------------------------------------------------------------------------------------------


@st.composite
def projects(draw: st.DrawFn) -> Project:
    share = st.floats(0.0, 0.9)
    rate = st.floats(0.0, 0.15)
    years = draw(st.integers(5, 30))
    assets = tuple(
        Asset(
            f"asset {i}",
            draw(st.floats(1e6, 1e9)),
            draw(st.sampled_from(["macrs_5", "macrs_15", "line_39", "none"])),
            draw(st.floats(0, 1)),
            draw(st.sampled_from([0.0, 0.3])),
        )
        for i in range(draw(st.integers(1, 3)))
    )
    sized = {"share": draw(share)} if draw(st.booleans()) else {"dscr": draw(st.floats(1.05, 2.5))}
    debt = Debt(
        **sized,
        most_share=0.9,
        rate=draw(rate),
        tenor_yr=draw(st.integers(1, years)),
        fee=draw(st.floats(0, 0.03)),
        reserve_months=draw(st.sampled_from([0, 6])),
    )
    return Project(
        years,
        assets,
        (Revenue("power", 1e6, draw(st.floats(1.0, 300.0)), draw(st.floats(-0.02, 0.05))),),
        (Expense("running", draw(st.floats(0, 5e7)), 0.025),),
        (Replacement("again", 1e6, draw(st.integers(1, years))),),
        debt if draw(st.booleans()) else None,
        Construction(draw(st.floats(0, 48)), draw(rate), equity_years=draw(st.integers(1, 3))),
        Taxes(draw(st.floats(0, 0.35)), draw(st.floats(0, 0.1)), credit_price=draw(st.floats(0.8, 1))),
        working_months=draw(st.sampled_from([0, 6])),
        reserve_interest=draw(st.floats(0, 0.03)),
        salvage_share=draw(st.sampled_from([0.0, 0.1])),
    )


def ledger(project: Project, flow: CashFlow) -> np.ndarray:
    """Cash of the owner, added up again line by line from what the other lines say, without the engine."""
    at = -flow.first_year
    names = ["revenue", "expenses", "replacement_reserve", "interest", "principal", "reserve_interest"]
    names += ["reserve_release", "federal_tax", "state_tax", "investment_credit", "production_credit"]
    total = sum(flow.lines[name] for name in names)
    total[: at + 1] -= flow.equity_usd / (at + 1)
    return np.asarray(total)


@settings(max_examples=150, deadline=None)
@given(project=projects())
def test_laws_of_every_cash_flow(project: Project) -> None:
    flow = cash_flow(project)
    scale = project.cost_usd
    assert flow.after_tax == pytest.approx(ledger(project, flow), abs=1e-9 * scale)
    assert flow.lines["principal"].sum() == pytest.approx(-flow.debt_usd, abs=1e-6 * scale)  # all is repaid
    kept = (
        0.0
        if project.debt is None
        else project.debt.reserve_months * -flow.lines["debt_service"][-flow.first_year + 1]
    )
    kept += project.working_months * -flow.lines["expenses"][-flow.first_year + 1]
    assert flow.lines["reserve_release"].sum() == pytest.approx(kept / 12, abs=1e-9 * scale)
    if project.debt is not None and project.debt.dscr is not None and flow.dscr.size:
        assert flow.dscr.min() >= project.debt.dscr * (1 - 1e-9)
        assert flow.debt_usd <= 0.9 * (flow.debt_usd + flow.equity_usd) * (1 + 1e-9)
    if project.debt is not None and project.debt.share:
        assert flow.debt_usd == pytest.approx(project.debt.share * (flow.debt_usd + flow.equity_usd))


@settings(max_examples=40, deadline=None)
@given(project=projects(), target=st.floats(0.02, 0.25))
def test_price_for_a_return_brings_that_return(project: Project, target: float) -> None:
    free = cash_flow(replace(project, revenues=(replace(project.revenues[0], usd_per_unit=0.0),)))
    if present_value(free.after_tax, target, free.first_year) > 0.0:
        with pytest.raises(ValueError, match="at a price of nothing"):
            cash_flow_for_return(project, target)
        return
    found = cash_flow_for_return(project, target)
    worth = present_value(found.after_tax, target, found.first_year)
    assert worth == pytest.approx(0.0, abs=1e-6 * project.cost_usd)
