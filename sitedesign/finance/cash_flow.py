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
from numpy.typing import NDArray
from scipy.optimize import brentq

from sitedesign.finance.depreciation import deductions
from sitedesign.finance.project import Debt, Project
from sitedesign.finance.returns import internal_rate_of_return, payback_yr, present_value
from sitedesign.util.gate import FLAG, Measure, takes

FloatArray = NDArray[np.float64]
MONTHS_PER_YEAR = 12
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

    @takes("irr_by()", year=Measure("yr", 1, 60, whole=True))
    def irr_by(self, year: int) -> float | None:
        """Return of the owner if all ended with a year. [fraction/yr]"""
        return internal_rate_of_return(self.after_tax[: year + 1 - self.first_year])

    @property
    def dscr(self) -> FloatArray:
        """Cash available over debt service, of the years with debt."""
        service = -self.lines["debt_service"]
        paid = service > 0
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
    years = project.years
    lines: dict[str, FloatArray] = {}
    amount, revenue = np.zeros(years), np.zeros(years)
    for i, stream in enumerate(project.revenues):
        units = _by_year(stream.amount_per_yr, years)
        lines[stream.name] = units * _by_year(stream.usd_per_unit, years, stream.escalation)
        revenue += lines[stream.name]
        amount = units if i == 0 else amount
    if project.salvage_share:
        lines["salvage"] = np.zeros(years)
        lines["salvage"][-1] = project.salvage_share * project.cost_usd
        revenue += lines["salvage"]
    expenses = _expenses(project, lines)
    ebitda = revenue - expenses
    aside = _put_aside(project)
    cash_for_debt = ebitda - aside
    finance_usd = construction_usd(project)
    debt_usd, service, interest = _debt(project, cash_for_debt, project.cost_usd + finance_usd, expenses)
    reserves = _reserves(project, service, expenses)
    earned = project.reserve_interest * (reserves[:-1] + _kept_for_replacement(project))
    moved = -np.diff(reserves)
    credits_usd = sum(a.credit * _basis(project, a.cost_usd, finance_usd) for a in project.assets)
    bought_again = _replacement_deductions(project)
    federal_deductions = _deductions(project, finance_usd, with_bonus=True) + bought_again
    state_deductions = _deductions(project, finance_usd, with_bonus=False) + bought_again
    income = ebitda + earned - interest
    state = -project.taxes.state * (income - state_deductions)
    federal = -project.taxes.federal * (income - federal_deductions + state)
    investment_credit = np.zeros(years)
    investment_credit[0] = credits_usd * project.taxes.credit_price
    production_credit = _production_credit(project)
    pretax = ebitda - aside + earned - service + moved
    after_tax = pretax + federal + state + investment_credit + production_credit

    uses = project.cost_usd + finance_usd + float(reserves[0])
    if project.debt is not None:
        uses += project.debt.fee * debt_usd + project.debt.closing_usd
    equity_usd = uses - debt_usd
    paid_in = np.full(project.construction.equity_years, -equity_usd / project.construction.equity_years)
    before = np.zeros(paid_in.size)

    def row(operation: FloatArray, construction: FloatArray = before) -> FloatArray:
        return np.concatenate([construction, operation])

    all_in = np.full(paid_in.size, -(project.cost_usd + finance_usd) / paid_in.size)
    table = {name: row(values) for name, values in lines.items()}
    table |= {
        "amount": row(amount),
        "revenue": row(revenue),
        "expenses": row(-expenses),
        "ebitda": row(ebitda),
        "replacement_reserve": row(-aside),
        "cash_for_debt": row(np.where(service > 0, cash_for_debt, 0.0)),
        "interest": row(-interest),
        "principal": row(interest - service),
        "debt_service": row(-service),
        "reserve_interest": row(earned),
        "reserve_release": row(moved),
        "pretax": row(pretax, paid_in),
        "federal_deductions": row(federal_deductions),
        "state_deductions": row(state_deductions),
        "federal_tax": row(federal),
        "state_tax": row(state),
        "investment_credit": row(investment_credit),
        "production_credit": row(production_credit),
        "after_tax": row(after_tax, paid_in),
        "unlevered_pretax": row(ebitda - aside, all_in),
    }
    return CashFlow(project, 1 - paid_in.size, table, debt_usd, equity_usd)


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


def _expenses(project: Project, lines: dict[str, FloatArray]) -> FloatArray:
    """Add up all that is paid every year, and note each line below zero. [USD]"""
    years, taxes = project.years, project.taxes
    paid = {e.name: _by_year(e.usd_per_yr, years, e.escalation) for e in project.expenses}
    if project.insurance_rate:
        paid["insurance"] = _by_year(project.insurance_rate * project.cost_usd, years, project.inflation)
    if taxes.property_rate:
        value = np.maximum(1.0 - taxes.property_decline * np.arange(years), 0.0)
        paid["property_tax"] = taxes.property_rate * project.cost_usd * value
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


def construction_usd(project: Project) -> float:
    """Interest and fees until the plant is finished. [USD]"""
    terms = project.construction
    loan = terms.loan_share * project.cost_usd
    # An even pace: on average, half of the loan is drawn
    return loan * (terms.rate * terms.months / MONTHS_PER_YEAR / 2 + terms.fee)


def _basis(project: Project, cost_usd: float, finance_usd: float) -> float:
    """Cost of an asset with its share of the cost of construction finance. [USD]"""
    return cost_usd * (1.0 + finance_usd / project.cost_usd)


def _deductions(project: Project, finance_usd: float, *, with_bonus: bool) -> FloatArray:
    total, reduction = np.zeros(project.years), project.taxes.credit_basis_reduction
    for asset in project.assets:
        basis = _basis(project, asset.cost_usd, finance_usd) * (1.0 - reduction * asset.credit)
        bonus = asset.bonus if with_bonus else 0.0
        total += basis * deductions(asset.recovery, project.years, bonus)
    return total


def _debt(
    project: Project, cash: FloatArray, cost_usd: float, expenses: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """Size of the debt, its service and its interest year by year. [USD]"""
    debt, years = project.debt, project.years
    if debt is None or not (debt.share or debt.dscr):
        return 0.0, np.zeros(years), np.zeros(years)
    working = project.working_months / MONTHS_PER_YEAR * float(expenses[0])
    with_it = cost_usd + working + debt.closing_usd
    if debt.dscr is not None:
        service = np.zeros(years)
        service[: debt.tenor_yr] = np.maximum(cash[: debt.tenor_yr], 0.0) / debt.dscr
        size = present_value(service, debt.rate, 1)
        most = _share_of_uses(debt, debt.most_share, with_it, float(service[0]) / size if size else 0.0)
        if size > most:
            service, size = service * (most / size), most
    else:
        assert debt.share is not None
        payment = float(1.0 / np.sum((1.0 + debt.rate) ** -np.arange(1.0, debt.tenor_yr + 1)))
        size = _share_of_uses(debt, debt.share, with_it, payment)
        service = np.zeros(years)
        service[: debt.tenor_yr] = size * payment
    return size, service, _interest(size, service, debt.rate)


def _share_of_uses(debt: Debt, share: float, cost_usd: float, first_payment: float) -> float:
    """Debt that is a share of all that is financed, its own fee and reserve among it. [USD]"""
    own = debt.fee + debt.reserve_months / MONTHS_PER_YEAR * first_payment
    if share * own >= 1.0:
        message = (
            f"fee and reserve of the debt alone are {own:.2f} times the debt: no share of it pays for more"
        )
        raise ValueError(message)
    return share * cost_usd / (1.0 - share * own)


def _interest(size: float, service: FloatArray, rate: float) -> FloatArray:
    interest, balance = np.zeros(service.size), size
    for year, paid in enumerate(service):
        interest[year] = rate * balance if paid > 0 or balance > 1e-6 * size else 0.0
        balance += interest[year] - paid
    return interest


def _reserves(project: Project, service: FloatArray, expenses: FloatArray) -> FloatArray:
    """Find what is kept aside for debt service and expenses at the end of each year, from year 0 on. [USD]"""
    months = 0.0 if project.debt is None else project.debt.reserve_months
    need = (months * service + project.working_months * expenses) / MONTHS_PER_YEAR
    return np.append(need, 0.0)


def _production_credit(project: Project) -> FloatArray:
    taxes, years = project.taxes, project.years
    if not taxes.production_credit_usd_per_mwh:
        return np.zeros(years)
    rate = _by_year(taxes.production_credit_usd_per_mwh, years, project.inflation)
    mwh = _by_year(taxes.production_credit_mwh, years)
    mwh[taxes.production_credit_yr :] = 0.0
    # 26 USC 45(b)(2): rounded to a tenth of a cent, halves up
    return np.floor(rate + 0.5) * mwh * taxes.credit_price
