"""After-tax cash flow of a project, year by year, and what it is worth: a pure function of its terms.

The order of lines and the conventions are those of single-owner models of project finance, so that they can
be held against them: all capital at the end of year 0, payments at the end of each year, debt sized on cash
before taxes, reserves refilled to the coming year's need and returned in the last, tax on losses earned at
once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq

from sitedesign.finance.construction import MONTHS_PER_YEAR, construction_usd, schedule
from sitedesign.finance.debt import loan
from sitedesign.finance.depreciation import deductions
from sitedesign.finance.project import Project, Revenue
from sitedesign.finance.returns import internal_rate_of_return, payback_yr, present_value
from sitedesign.util.gate import FLAG, Measure, takes

FloatArray = NDArray[np.float64]
MOST_USD_PER_UNIT = 1e5  # beyond which no price is looked for


@dataclass(frozen=True, eq=False)
class CashFlow:
    """Cash flow of a project.

    Attributes
    ----------
    project : Project
        With the price that was solved for, if one was.
    first_year : int
        Of the rows; 0 or, where equity is paid in over several years, below.
    lines : mapping of str to ndarray, shape (years,)
        What comes in above zero, what goes out below. [USD]
    debt_usd, equity_usd : float
        [USD]
    """

    project: Project
    first_year: int
    lines: Mapping[str, FloatArray]
    debt_usd: float
    equity_usd: float

    @property
    def after_tax(self) -> FloatArray:
        """Cash flow of the owner after taxes. [USD]"""
        return self.lines["after_tax"]

    @property
    def irr(self) -> float | None:
        """Return of the owner after taxes. [fraction/yr]"""
        return internal_rate_of_return(self.after_tax)

    @property
    def project_irr(self) -> float | None:
        """Return before taxes of a plant that is paid without debt. [fraction/yr]"""
        return internal_rate_of_return(self.lines["unlevered_pretax"])

    @property
    def npv_usd(self) -> float:
        """Net present value of the owner's cash flow after taxes. [USD]"""
        return present_value(self.after_tax, self.project.discount_nominal, self.first_year)

    @property
    def payback_yr(self) -> float | None:
        """Years of operation until the owner has his money back, undiscounted. [yr]"""
        found = payback_yr(self.after_tax)
        return None if found is None else found + self.first_year

    @property
    def wacc(self) -> float:
        """Cost of debt and equity after tax; equity at its nominal discount rate. [fraction/yr]"""
        project, debt = self.project, self.project.debt
        share = self.debt_usd / (self.debt_usd + self.equity_usd) if debt is not None else 0.0
        tax = project.taxes.federal + project.taxes.state * (1.0 - project.taxes.federal)
        owed = debt.rate * (1.0 - tax) if debt is not None else 0.0
        return share * owed + (1.0 - share) * project.discount_nominal

    def uses_and_sources(self) -> pd.DataFrame:
        """Show what is paid for until all is in service, and by whom.

        Returns
        -------
        DataFrame
            Columns ``side, item, usd``: each asset, interest and fees of construction, fee of the debt, what
            is kept aside at first; debt and equity. Both sides come to the same. [USD]
        """
        project, at = self.project, 1 - self.first_year
        built = construction_usd(project)
        later, drawn = -self.lines["later_capital"][at:], self.lines["later_debt"][at:]
        fee = project.debt.fee if project.debt is not None else 0.0
        gross = drawn / (1.0 - fee)
        debt_fee = fee * (self.debt_usd + float(gross.sum()))
        closing = project.debt.closing_usd if project.debt is not None else 0.0
        debt_usd = self.debt_usd + float(gross.sum())
        equity_usd = self.equity_usd + float((later - drawn).sum())
        kept = debt_usd + equity_usd - project.cost_usd - built - debt_fee - closing
        uses = [(asset.name, asset.cost_usd) for asset in project.assets]
        uses += [
            ("interest and fees of construction", built),
            ("fee and closing of the debt", debt_fee + closing),
        ]
        uses += [("reserves", kept if abs(kept) > 1e-9 * debt_usd + 1e-9 * equity_usd else 0.0)]
        rows = [("use", name, usd) for name, usd in uses]
        rows += [("source", "debt", debt_usd), ("source", "equity", equity_usd)]
        return pd.DataFrame(rows, columns=["side", "item", "usd"])

    def construction(self) -> pd.DataFrame:
        """Show construction by month: what is paid for each asset, interest, fee, and who pays.

        Returns
        -------
        DataFrame
            Indexed by the month in which a period ends. Columns: each asset, ``interest``, ``fee``, ``loan``
            and ``equity`` that pay for the assets, and ``balance`` of the loan with its interest. [USD]
        """
        project = self.project
        plan = schedule(project.assets, project.construction)
        fee = np.zeros(plan.months.size)
        fee[0] = plan.fee_usd
        frame = pd.DataFrame(dict(plan.draws), index=pd.Index(plan.months, name="month"))
        return frame.assign(
            interest=plan.interest, fee=fee, loan=plan.loan, equity=plan.equity,
            balance=np.cumsum(plan.loan + plan.interest),
        )  # fmt: skip

    @takes("irr_by()", year=Measure("yr", 1, 60, whole=True))
    def irr_by(self, year: int) -> float | None:
        """Return of the owner if all ended with a year. [fraction/yr]"""
        return internal_rate_of_return(self.after_tax[: year + 1 - self.first_year])

    @property
    def dscr(self) -> FloatArray:
        """Cash available over debt service, of the years of operation with debt."""
        service = -self.lines["debt_service"]
        paid = (service > 0) & (np.arange(service.size) + self.first_year > 0)
        result: FloatArray = self.lines["cash_for_debt"][paid] / service[paid]
        return result

    @takes("levelised()", real=FLAG)
    def levelised(self, *, real: bool = False) -> tuple[float, float]:
        """Levelised price and levelised cost of what the first revenue sells.

        Parameters
        ----------
        real : bool
            In money of year 0: the same worth over units discounted at the real rate.

        Returns
        -------
        (float, float)
            Worth of the revenue, and of revenue less the owner's cash flow, per unit. [USD/unit]
        """
        project = self.project
        nominal = project.discount_nominal
        amount = self.lines["amount"]
        units = present_value(amount, project.discount_real if real else nominal, self.first_year)
        sold = present_value(self.lines[project.revenues[0].name], nominal, self.first_year)
        income = present_value(self.lines["revenue"], nominal, self.first_year)
        return sold / units, (income - self.npv_usd) / units


def cash_flow(project: Project) -> CashFlow:
    """Work out the cash flow of a project.

    Parameters
    ----------
    project : Project

    Returns
    -------
    CashFlow

    Raises
    ------
    ValueError
        When fee and reserve of the debt alone are more than the debt.
    """
    years, taxes, terms = project.years, project.taxes, project.construction
    lines, amount, revenue = _revenue(project)
    over = 1.0 + construction_usd(project) / project.cost_usd if project.cost_usd else 1.0
    capital = over * _paid(project)
    federal_deductions = _deductions(project, over, with_bonus=True)
    book_usd = over * np.cumsum(_paid(project))[:-1] - np.cumsum(federal_deductions)
    expenses = _expenses(project, lines, book_usd)
    bought_again = _replacement_deductions(project)
    federal_deductions += bought_again
    state_deductions = _deductions(project, over, with_bonus=False) + bought_again
    ebitda = revenue - expenses
    aside = _put_aside(project)
    cash_for_debt = ebitda - aside
    working = project.working_months / MONTHS_PER_YEAR
    ahead = working * float(expenses[0]) if project.working_of == "expenses" else 0.0
    debt = loan(project.debt, cash_for_debt, capital, ahead)
    need = np.zeros(years + 1)
    if project.debt is not None:
        need[:-1] += project.debt.reserve_months / MONTHS_PER_YEAR * debt.service
    need[:-1] += working * expenses if project.working_of == "expenses" else 0.0
    earned = project.reserve_interest * (need[:-1] + _kept_for_replacement(project))

    # Years before the first of operation, in which owners may pay interest already
    before = max(terms.equity_years, terms.early_years + 1)
    early_interest = np.zeros(before)
    if terms.early_years:
        early_interest[1:] = project.debt.rate * debt.first_usd if project.debt is not None else 0.0

    def whole(operation: FloatArray, construction: FloatArray | None = None) -> FloatArray:
        return np.concatenate([np.zeros(before) if construction is None else construction, operation])

    interest = whole(debt.interest, early_interest)
    income = whole(ebitda + earned) - interest
    state_tax = -taxes.state * (income - whole(state_deductions))
    federal_tax = -taxes.federal * (income - whole(federal_deductions) + state_tax)
    kept = whole(need[1:], np.append(np.zeros(before - 1), need[0]))
    if project.working_of == "outlays":
        outlays = whole(expenses) + interest - federal_tax - state_tax
        outlays[-1] = 0.0
        kept += working * outlays
    moved = -np.diff(kept, prepend=0.0)
    moved[before - 1] += need[0]  # the first reserves are among the uses that equity and debt pay
    uses = float(capital[0] + need[0])
    if project.debt is not None:
        uses += project.debt.fee * debt.first_usd + project.debt.closing_usd
    equity_usd = uses - debt.first_usd
    paid_in = np.zeros(before)
    if terms.early_years:
        paid_in[0] = -equity_usd
    else:
        paid_in[:] = -equity_usd / before
    later = -capital[1:]
    drawn = debt.drawn[1:] * (1.0 - (project.debt.fee if project.debt is not None else 0.0))
    service = whole(debt.service, early_interest)
    pretax = whole(ebitda - aside + earned + later + drawn, paid_in) - service + moved
    investment_credit = whole(_investment_credits(project, over))
    production_credit = whole(_production_credit(project))
    after_tax = pretax + federal_tax + state_tax + investment_credit + production_credit
    all_in = np.zeros(before)
    all_in[0 if terms.early_years else slice(None)] = -capital[0] / (1 if terms.early_years else before)
    table = {name: whole(values) for name, values in lines.items()}
    table |= {
        "amount": whole(amount),
        "revenue": whole(revenue),
        "expenses": whole(-expenses),
        "ebitda": whole(ebitda),
        "replacement_reserve": whole(-aside),
        "cash_for_debt": whole(np.where(debt.service > 0, cash_for_debt, 0.0)),
        "interest": -interest,
        "principal": whole(debt.interest - debt.service),
        "debt_service": whole(-debt.service, -early_interest),
        "reserve_interest": whole(earned),
        "reserve_release": moved,
        "later_capital": whole(later),
        "later_debt": whole(drawn),
        "pretax": pretax,
        "federal_deductions": whole(federal_deductions),
        "state_deductions": whole(state_deductions),
        "federal_tax": federal_tax,
        "state_tax": state_tax,
        "investment_credit": investment_credit,
        "production_credit": production_credit,
        "after_tax": after_tax,
        "unlevered_pretax": whole(ebitda - aside + later, all_in),
    }
    return CashFlow(project, 1 - before, table, debt.first_usd, equity_usd)


def cash_flow_for_return(project: Project, target_irr: float, by_year: int | None = None) -> CashFlow:
    """Find the price of the first revenue at which the owner earns a return.

    Parameters
    ----------
    project : Project
        Its price is only a first guess of the shape: it is scaled where it is given year by year.
    target_irr : float
        After taxes. [fraction/yr]
    by_year : int, optional
        Year by which it is earned; the last when left out.

    Returns
    -------
    CashFlow
        At that price.

    Raises
    ------
    ValueError
        When no price up to 100,000 USD a unit brings it, or none is low enough to bring no more.
    """
    last = project.years if by_year is None else by_year

    def worth(usd_per_unit: float) -> float:
        flow = cash_flow(_priced(project, usd_per_unit))
        return present_value(flow.after_tax[: last + 1 - flow.first_year], target_irr, flow.first_year)

    high, low = 100.0, 0.0
    while worth(high) <= 0.0:
        high *= 10.0
        if high > MOST_USD_PER_UNIT:
            message = (
                f"no price up to {MOST_USD_PER_UNIT:,.0f} USD a unit brings a return of {target_irr:.2%}"
            )
            raise ValueError(message)
    if worth(low) > 0.0:
        message = f"what else is sold brings more than a return of {target_irr:.2%} at a price of nothing"
        raise ValueError(message)
    price = float(brentq(worth, low, high, xtol=1e-12, rtol=1e-15))
    return cash_flow(_priced(project, price))


def _priced(project: Project, usd_per_unit: float) -> Project:
    """Give the first revenue a price of year 1, whatever the shape of its price over the years."""
    first, *others = project.revenues
    price: float | tuple[float, ...] = usd_per_unit
    if isinstance(first.usd_per_unit, tuple):
        price = tuple(usd_per_unit * value / first.usd_per_unit[0] for value in first.usd_per_unit)
    return replace(project, revenues=(replace(first, usd_per_unit=price), *others))


def _by_year(given: float | tuple[float, ...], years: int, escalation: float = 0.0) -> FloatArray:
    if isinstance(given, tuple):
        return np.array(given[:years], dtype=np.float64)
    growth: FloatArray = (1.0 + escalation) ** np.arange(years, dtype=np.float64)
    return float(given) * growth


def price_by_year(stream: Revenue, years: int) -> FloatArray:
    """Price of what is sold in each year: the agreed one, then that of the market. [USD/unit]"""
    price = _by_year(stream.usd_per_unit, years, stream.escalation)
    if stream.contract_yr is not None:
        market = _by_year(stream.market_usd_per_unit, years, stream.market_escalation)
        price[stream.contract_yr :] = market[stream.contract_yr :]
    return price


def _revenue(project: Project) -> tuple[dict[str, FloatArray], FloatArray, FloatArray]:
    """Each stream, the units of the first, and all of them together. [USD, unit, USD]"""
    years = project.years
    lines: dict[str, FloatArray] = {}
    amount, revenue = np.zeros(years), np.zeros(years)
    for i, stream in enumerate(project.revenues):
        units = _by_year(stream.amount_per_yr, years, stream.change)
        lines[stream.name] = units * price_by_year(stream, years)
        revenue += lines[stream.name]
        amount = units if i == 0 else amount
    if project.salvage_share:
        lines["salvage"] = np.zeros(years)
        lines["salvage"][-1] = project.salvage_share * project.cost_usd
        revenue += lines["salvage"]
    return lines, amount, revenue


def _paid(project: Project) -> FloatArray:
    """Find the overnight cost paid at the end of each year from year 0 on. [USD]"""
    paid = np.zeros(project.years + 1)
    for asset in project.assets:
        paid[asset.in_service - 1] += asset.cost_usd
    return paid


def _expenses(project: Project, lines: dict[str, FloatArray], book_usd: FloatArray) -> FloatArray:
    """Add up all that is paid every year, and note each line below zero. [USD]"""
    years, taxes = project.years, project.taxes
    paid = {
        e.name: _by_year(e.usd_per_yr, years, e.escalation) * _by_year(e.shape or 1.0, years)
        for e in project.expenses
    }
    standing = np.cumsum(_paid(project))[:years]
    if project.insurance_rate:
        paid["insurance"] = project.insurance_rate * standing * _by_year(1.0, years, project.inflation)
    if taxes.property_rate:
        value = standing * np.maximum(1.0 - taxes.property_decline * np.arange(years), 0.0)
        paid["property_tax"] = taxes.property_rate * (book_usd if taxes.property_on_book else value)
    lines |= {name: -values for name, values in paid.items()}
    total: FloatArray = sum(paid.values(), np.zeros(years))
    return total


def _replacement_usd(project: Project) -> list[tuple[int, float]]:
    """Year and nominal cost of each replacement within the project's life."""
    return [
        (item.year, item.cost_usd * (1.0 + project.inflation) ** (item.year - 1))
        for item in project.replacements
    ]


def _put_aside(project: Project) -> FloatArray:
    """Find what is put aside each year for replacements. [USD]"""
    aside = np.zeros(project.years)
    for year, usd in _replacement_usd(project):
        aside[:year] += usd / year
    return aside


def _kept_for_replacement(project: Project) -> FloatArray:
    """Find the opening balance of what is put aside for replacements. [USD]"""
    kept = np.zeros(project.years)
    for year, usd in _replacement_usd(project):
        kept[:year] += usd / year * np.arange(min(year, project.years))
    return kept


def _replacement_deductions(project: Project) -> FloatArray:
    total = np.zeros(project.years)
    for item, (year, usd) in zip(project.replacements, _replacement_usd(project), strict=True):
        total[year - 1 :] += usd * deductions(item.recovery, project.years - year + 1)
    return total


def _deductions(project: Project, over: float, *, with_bonus: bool) -> FloatArray:
    """Find what the assets deduct; `over` is their cost with construction finance, over their cost. [USD]"""
    total, reduction = np.zeros(project.years), project.taxes.credit_basis_reduction
    for asset in project.assets:
        basis = over * asset.cost_usd * (1.0 - reduction * asset.credit)
        bonus, first = asset.bonus if with_bonus else 0.0, asset.in_service - 1
        total[first:] += basis * deductions(asset.recovery, project.years - first, bonus)
    return total


def _investment_credits(project: Project, over: float) -> FloatArray:
    """Credits of the assets in their first years, at what a dollar of them brings. [USD]"""
    total = np.zeros(project.years)
    for asset in project.assets:
        total[asset.in_service - 1] += over * asset.cost_usd * asset.credit * project.taxes.credit_price
    return total


def _production_credit(project: Project) -> FloatArray:
    total, years = np.zeros(project.years), project.years
    for item in project.taxes.production_credits:
        first = item.from_year - 1
        # 26 USC 45(b)(2): rounded to a tenth of a cent, halves up
        rate = np.floor(_by_year(item.usd_per_mwh, years, project.inflation) + 0.5)
        paid = rate * _by_year(item.mwh_per_yr, years) * project.taxes.credit_price
        total[first : first + item.years] += paid[first : first + item.years]
    return total
