"""Sale and leaseback, debt repaid at the end, construction by month, stages, markets: cases and laws."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sitedesign.finance.annual_cost import capital_recovery_factor
from sitedesign.finance.cash_flow import cash_flow, cash_flow_for_return
from sitedesign.finance.construction import Schedule, construction_usd, schedule
from sitedesign.finance.project import (
    Asset,
    Construction,
    Debt,
    Expense,
    ProductionCredit,
    Project,
    Revenue,
    Taxes,
)
from sitedesign.finance.returns import present_value
from sitedesign.finance.sale_leaseback import Lease, sale_leaseback
from tests.test_project_finance import CASES, level_debt, sculpted_debt

# Published -------------------------------------------------------------------------------------------------


def leased() -> Project:
    """Default case of a sale-leaseback model; its margin, fee and O&M read off its first two years."""
    known = CASES["sale_leaseback"]["series"]
    return Project(
        years=25,
        assets=(Asset("plant", 120e6, "line_20"),),
        revenues=(Revenue("power", known["cf_total_revenue"][1] / 70.0, 70.0, 0.01),),
        expenses=(Expense("operation", 2.5e6, 0.025),),
        construction=Construction(fee=3_166_500 / 120e6),
        taxes=Taxes(federal=0.21, state=0.07),
        insurance_rate=0.005,
        working_months=6,
        reserve_interest=0.0175,
    )


def test_sale_and_leaseback_is_that_of_its_model() -> None:
    case = CASES["sale_leaseback"]
    known, series = case["scalars"], case["series"]
    fee = known["sponsor_pretax_development"]
    found = sale_leaseback(leased(), Lease(2e6, 0.02, fee, 6))
    for ours, theirs in (
        ("lessee", "cf_sponsor_aftertax"),
        ("lessor", "cf_tax_investor_aftertax"),
        ("lessor_pretax", "cf_tax_investor_pretax"),
        ("lessor_deductions", "cf_feddepr_total"),
        ("revenue", "cf_total_revenue"),
    ):
        assert found.lines[ours] == pytest.approx(series[theirs], abs=1e-3), ours
    assert found.lines["lessee_pretax"][1:] == pytest.approx(series["cf_sponsor_pretax"][1:], abs=1e-3)
    assert found.sale_usd == pytest.approx(known["sale_of_property"])
    assert found.lessee_equity_usd == pytest.approx(known["sponsor_equity_in_lessee_llc"])
    assert found.table()["lessor"].to_numpy() == pytest.approx(found.lines["lessor"])
    assert "earns 7.7 % after tax" in str(found)
    assert found.lessee_irr == pytest.approx(known["sponsor_aftertax_irr"] / 100, rel=2e-5)
    assert found.lessor_irr == pytest.approx(known["tax_investor_aftertax_irr"] / 100, rel=2e-5)
    assert found.npv_usd("lessee") == pytest.approx(known["sponsor_aftertax_npv"], rel=1e-8)
    assert found.npv_usd("lessor") == pytest.approx(known["tax_investor_aftertax_npv"], rel=1e-8)


def test_sale_and_leaseback_share_what_one_owner_would_earn() -> None:
    """Before tax, both sides together have what an owner without debt has."""
    project = leased()
    found, whole = sale_leaseback(project, Lease(2e6, 0.02, 3.6e6, 6)), cash_flow(project)
    both = found.lines["lessee_pretax"] + found.lines["lessor_pretax"]
    both[0] += 3.6e6  # from one side to the other
    interest = project.reserve_interest * 0.5 * found.lines["rent"][1]
    both[0] += 0.5 * found.lines["rent"][1]  # the reserve for rent, which one owner has no need of
    both[1:] -= interest
    both[-1] -= 0.5 * found.lines["rent"][1]
    assert both == pytest.approx(whole.lines["pretax"], abs=1e-3)


def test_what_comes_later_cannot_be_sold() -> None:
    late = replace(leased(), assets=(Asset("plant", 1e6, in_service=2),))
    with pytest.raises(ValueError, match="in service in year 1"):
        sale_leaseback(late, Lease(1.0))


def test_price_of_a_plant_on_debt_that_is_repaid_at_the_end() -> None:
    """All is paid three years ahead, interest by owners; first-quarter depreciation, tax on book value."""
    case = CASES["h2integrate"]
    given_, known = case["common_inputs"], case["profast"]["expected"]
    costs = given_["fixed_opex_usd_per_yr"] | {"fuel": given_["variable_opex_usd_per_yr"]["natural_gas"]}
    shares = (0.35, 0.26, 0.156, 0.1101, 0.1101, 0.0138)  # Publication 946, table A-2
    project = Project(
        years=30,
        assets=tuple(Asset(name, usd, shares) for name, usd in given_["capex_usd"].items()),
        revenues=(Revenue("power", given_["energy_kwh_per_yr"] / 1e3, 1.0),),
        expenses=tuple(Expense(name, usd) for name, usd in costs.items()),
        debt=Debt(share=1.72 / 2.72, rate=0.046, tenor_yr=30, repayment="bullet"),
        construction=Construction(early_years=3),
        taxes=Taxes(federal=0.2574, property_rate=0.015, property_on_book=True),
        inflation=0.0,
        discount_real=known["irr"],
        working_months=1,
        working_of="outlays",
    )
    flow = cash_flow_for_return(project, known["irr"])
    assert flow.project.revenues[0].usd_per_unit == pytest.approx(known["lcoe_usd_per_mwh"], rel=1e-6)
    assert flow.irr == pytest.approx(known["irr"], rel=1e-6)
    assert flow.levelised()[1] == pytest.approx(known["lcoe_usd_per_mwh"], rel=1e-6)
    assert flow.after_tax[1:].sum() / -flow.after_tax[0] == pytest.approx(known["profit_index"], rel=1e-6)
    assert flow.payback_yr is not None
    assert math.ceil(flow.payback_yr - flow.first_year) == known["investor_payback_yr"]
    assert flow.wacc == pytest.approx(known["wacc"], rel=1e-6)
    assert capital_recovery_factor(flow.wacc, 33) == pytest.approx(known["crf"], rel=1e-6)


# By hand ---------------------------------------------------------------------------------------------------


def built(**terms: object) -> Schedule:
    assets = (Asset("array", 60e6, delivered_month=6.0), Asset("engines", 60e6, delivered_month=12.0))
    return schedule(assets, Construction(months=12, rate=0.06, **terms))  # type: ignore[arg-type]


def test_draws_by_month() -> None:
    even, curve, by_delivery = built(), built(draws="s_curve"), built(draws="delivery")
    assert even.spent == pytest.approx(10e6)
    assert (
        even.finance_usd == curve.finance_usd == pytest.approx(120e6 * 0.06 / 2)
    )  # half is drawn on average
    assert curve.spent[:6] == pytest.approx(curve.spent[:5:-1])  # as slow at the end as at the start
    assert curve.spent[5] > 1.4 * even.spent[5]
    assert by_delivery.draws["array"] == pytest.approx([12e6] + 5 * [0.0] + [48e6] + 5 * [0.0])
    assert by_delivery.draws["engines"][[0, -1]] == pytest.approx([12e6, 48e6])
    # 24 M for eleven and a half months, 48 M for five and a half, 48 M for half a month
    owed = 24e6 * 11.5 + 48e6 * 5.5 + 48e6 * 0.5
    assert by_delivery.finance_usd == pytest.approx(owed * 0.06 / 12)


def test_interest_on_interest_and_fees() -> None:
    plain, more = built(), built(compound=True, fee=0.01, loan_share=0.65)
    assert more.fee_usd == pytest.approx(0.01 * 0.65 * 120e6)
    assert more.equity.sum() == pytest.approx(0.35 * 120e6)
    balance = 0.0
    for interest, loan in zip(more.interest, more.loan, strict=True):
        assert interest == pytest.approx(0.005 * (balance + loan / 2))
        balance += loan + interest
    assert more.interest.sum() > 0.65 * plain.interest.sum()


def test_half_a_month_and_none() -> None:
    short = schedule((Asset("a", 1e6),), Construction(months=0.5, rate=0.12))
    assert short.months == pytest.approx([0.5])
    assert short.finance_usd == pytest.approx(1e6 * 0.12 / 24 / 2)
    assert schedule((Asset("a", 1e6),), Construction()).finance_usd == 0.0


def test_a_stage_is_paid_deducted_and_credited_in_its_year() -> None:
    plain = replace(level_debt(), debt=None)
    later = Asset("more", 10e6, "macrs_5", credit=0.3, in_service=4)
    flow, before = cash_flow(replace(plain, assets=(*plain.assets, later))), cash_flow(plain)
    assert flow.lines["later_capital"][3] == -10e6
    assert np.count_nonzero(flow.lines["later_capital"]) == 1
    assert flow.lines["investment_credit"][4] == pytest.approx(3e6)
    more = flow.lines["federal_deductions"] - before.lines["federal_deductions"]
    assert more[4:10] == pytest.approx(8.5e6 * np.array([0.2, 0.32, 0.192, 0.1152, 0.1152, 0.0576]))
    assert not more[:4].any()


def test_debt_of_a_stage_is_drawn_and_repaid_with_it() -> None:
    later = Asset("more", 10e6, "macrs_5", in_service=4)
    debt = Debt(share=0.6, rate=0.07, tenor_yr=18)
    flow = cash_flow(replace(level_debt(), assets=(*level_debt().assets, later), debt=debt))
    payment = 0.07 / (1 - 1.07**-18)
    service = -flow.lines["debt_service"]
    assert flow.lines["later_debt"][3] == pytest.approx(6e6)
    assert service[1] == pytest.approx(72e6 * payment)
    assert service[4] == pytest.approx(78e6 * payment)
    assert service[19] == pytest.approx(6e6 * payment)
    assert not service[22:].any()
    assert flow.lines["principal"].sum() == pytest.approx(-78e6)


def test_after_a_contract_the_market_pays() -> None:
    stream = Revenue("power", 100.0, 60.0, 0.02, contract_yr=5, market_usd_per_unit=30.0,
                     market_escalation=0.01, change=-0.005)  # fmt: skip
    flow = cash_flow(replace(level_debt(), revenues=(stream,)))
    assert flow.lines["power"][5] == pytest.approx(100 * 0.995**4 * 60 * 1.02**4)
    assert flow.lines["power"][6] == pytest.approx(100 * 0.995**5 * 30 * 1.01**5)
    dear = cash_flow_for_return(
        replace(level_debt(), revenues=(replace(stream, amount_per_yr=262_800),)), 0.1
    )
    assert dear.lines["power"][6] == pytest.approx(262_800 * 0.995**5 * 30 * 1.01**5)  # not solved for
    assert dear.irr == pytest.approx(0.1)


def test_production_credit_begins_with_its_block() -> None:
    credits = (ProductionCredit("first", 30.0, 100.0), ProductionCredit("second", 30.0, 10.0, from_year=3))
    flow = cash_flow(replace(level_debt(), taxes=Taxes(production_credits=credits, credit_price=0.9)))
    paid = flow.lines["production_credit"]
    assert paid[[1, 2, 3]] == pytest.approx([0.9 * 3000, 0.9 * 3100, 0.9 * (3200 + 320)])
    assert paid[[11, 12]] == pytest.approx([0.9 * 380, 0.9 * 390])  # the first ten years are over
    assert paid[13] == 0.0


def test_debt_repaid_at_the_end() -> None:
    debt = Debt(share=0.5, rate=0.06, tenor_yr=10, repayment="bullet")
    flow = cash_flow(replace(level_debt(), debt=debt))
    service = -flow.lines["debt_service"]
    assert service[1:10] == pytest.approx(3.6e6)
    assert service[10] == pytest.approx(63.6e6)
    assert not service[11:].any()


# Laws ------------------------------------------------------------------------------------------------------


@st.composite
def staged(draw: st.DrawFn) -> Project:
    years = draw(st.integers(6, 25))
    in_service = [1, *draw(st.lists(st.integers(1, years), max_size=3))]
    assets = tuple(
        Asset(f"stage {i}", draw(st.floats(1e6, 1e8)), "macrs_15", draw(st.floats(0, 1)), 0.3, year)
        for i, year in enumerate(in_service)
    )
    sized = draw(st.sampled_from([{"share": 0.6}, {"dscr": 1.3}, {"share": 0.5, "repayment": "bullet"}]))
    debt = Debt(**sized, rate=draw(st.floats(0.0, 0.1)), tenor_yr=draw(st.integers(1, years)),
                most_share=0.8, fee=draw(st.sampled_from([0.0, 0.02])))  # fmt: skip
    pace = draw(st.sampled_from(("even", "s_curve")))
    return Project(
        years,
        assets,
        (Revenue("power", 1e5, draw(st.floats(10.0, 400.0))),),
        (Expense("running", draw(st.floats(0, 5e6)), 0.025),),
        debt=debt,
        construction=Construction(draw(st.floats(0, 36)), 0.07, draws=pace),
        taxes=Taxes(state=0.05),
    )


@settings(max_examples=60, deadline=None)
@given(project=staged())
def test_sources_are_uses_in_every_stage(project: Project) -> None:
    flow = cash_flow(project)
    drawn = flow.lines["later_debt"].sum() / (1 - project.debt.fee) + flow.debt_usd  # type: ignore[union-attr]
    scale = project.cost_usd
    assert flow.lines["principal"].sum() == pytest.approx(-drawn, abs=1e-6 * scale)
    paid = -flow.lines["later_capital"].sum() + flow.debt_usd + flow.equity_usd
    own = project.debt.fee * flow.debt_usd  # type: ignore[union-attr]
    assert paid == pytest.approx(project.cost_usd + construction_usd(project) + own, abs=1e-6 * scale)
    table = flow.uses_and_sources()
    sides = table.groupby("side")["usd"].sum()
    assert sides["use"] == pytest.approx(sides["source"], abs=1e-6 * scale)
    # What is drawn is worth what is repaid
    worth = present_value(-flow.lines["debt_service"], project.debt.rate)  # type: ignore[union-attr]
    later = flow.lines["later_debt"] / (1 - project.debt.fee)  # type: ignore[union-attr]
    assert worth == pytest.approx(flow.debt_usd + present_value(later, project.debt.rate), abs=1e-6 * scale)  # type: ignore[union-attr]


@settings(max_examples=40, deadline=None)
@given(project=staged(), price=st.floats(100.0, 400.0))
def test_cover_is_what_was_asked_in_every_year_of_a_sculpted_debt(project: Project, price: float) -> None:
    debt = Debt(dscr=1.4, rate=0.06, tenor_yr=project.years, most_share=0.99)
    flow = cash_flow(replace(project, debt=debt, revenues=(Revenue("power", 1e5, price),)))
    cover = flow.dscr
    if cover.size:
        assert cover.min() >= 1.4 - 1e-9
        assert cover == pytest.approx(cover[0])  # scaled in every year alike where it is capped


@settings(max_examples=60, deadline=None)
@given(project=staged())
def test_what_is_worth_nothing_at_its_return(project: Project) -> None:
    flow = cash_flow(project)
    if flow.irr is not None:
        gross = present_value(np.abs(flow.after_tax), flow.irr)
        assert present_value(flow.after_tax, flow.irr) == pytest.approx(0.0, abs=1e-9 * gross)


@settings(max_examples=30, deadline=None)
@given(months=st.floats(0, 60), share=st.floats(0, 1), seed=st.integers(0, 5))
def test_construction_pays_for_all_assets_once(months: float, share: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    assets = tuple(
        Asset(f"{i}", usd, delivered_month=month)
        for i, (usd, month) in enumerate(zip(rng.uniform(1, 1e6, 4), rng.uniform(0, 80, 4), strict=True))
    )
    for draws in ("even", "s_curve", "delivery"):
        plan = schedule(assets, Construction(months, 0.08, share, draws=draws, compound=True))  # type: ignore[arg-type]
        assert plan.spent.sum() == pytest.approx(sum(asset.cost_usd for asset in assets))
        assert (plan.spent >= 0).all()
        assert plan.equity + plan.loan == pytest.approx(plan.spent)
        assert plan.finance_usd >= 0


def test_sculpted_debt_is_worth_its_service() -> None:
    flow = cash_flow(sculpted_debt(36.0))
    assert present_value(-flow.lines["debt_service"], 0.07) == pytest.approx(flow.debt_usd)
