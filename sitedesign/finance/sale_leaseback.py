"""Sale and leaseback: a developer sells the finished plant to an owner who can use its credits, and rents it.

The conventions are those of the sale-leaseback model of the System Advisor Model (NREL, ssc, saleleaseback):
the lessee keeps an agreed margin and pays all other cash as rent; it holds the reserves; the lessor takes
depreciation and credits; state tax is deducted from federal income on both sides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sitedesign.finance.cash_flow import cash_flow
from sitedesign.finance.construction import MONTHS_PER_YEAR
from sitedesign.finance.project import Project
from sitedesign.finance.returns import internal_rate_of_return, present_value

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Lease:
    """What lessee and lessor agree.

    Attributes
    ----------
    margin_usd_per_yr : float
        Cash that the lessee keeps in year 1. [USD/yr]
    margin_escalation : float
        [fraction/yr]
    development_fee_usd : float
        Part of the price of the plant that the lessee earns on the sale. [USD]
    reserve_months : float
        Of the first year's rent, which the lessee keeps aside to the end. [months]
    """

    margin_usd_per_yr: float
    margin_escalation: float = 0.0
    development_fee_usd: float = 0.0
    reserve_months: float = 6.0


@dataclass(frozen=True, eq=False)
class SaleLeaseback:
    """Cash flows of both sides.

    Attributes
    ----------
    project : Project
    lease : Lease
    sale_usd : float
        Price of the plant: its cost, construction finance and the development fee. [USD]
    lessee_equity_usd : float
        Reserves that the lessee brings. [USD]
    lines : mapping of str to ndarray, shape (years + 1,)
        From year 0 on: ``revenue``, ``expenses``, ``margin``, ``rent``, ``lessee_pretax``, ``lessee_tax``,
        ``lessee``, ``lessor_pretax``, ``lessor_deductions``, ``lessor_tax``, ``lessor_credits``, ``lessor``.
        What comes in above zero; ``rent`` as the lessor gets it. [USD]
    """

    project: Project
    lease: Lease
    sale_usd: float
    lessee_equity_usd: float
    lines: Mapping[str, FloatArray]

    @property
    def lessee_irr(self) -> float | None:
        """Return of the lessee after taxes; None where he brings no more than he is paid. [fraction/yr]"""
        return internal_rate_of_return(self.lines["lessee"])

    @property
    def lessor_irr(self) -> float | None:
        """Return of the lessor after taxes. [fraction/yr]"""
        return internal_rate_of_return(self.lines["lessor"])

    def table(self) -> pd.DataFrame:
        """Show every line by year, from year 0 on. [USD]"""
        years = range(self.project.years + 1)
        return pd.DataFrame(dict(self.lines), index=pd.Index(years, name="year"))

    def summary(self) -> list[tuple[str, str]]:
        """Say what both sides pay and earn, as (label, text)."""
        rent, fee = self.lines["rent"], self.lease.development_fee_usd
        return [
            ("sold for", f"{self.sale_usd / 1e6:,.1f} M USD, {fee / 1e6:,.1f} of it development fee"),
            ("rent", f"{rent[1] / 1e6:,.2f} M USD in year 1, {rent[-1] / 1e6:,.2f} in the last"),
            ("lessee", f"keeps {self.lease.margin_usd_per_yr / 1e6:,.2f} M USD in year 1 and sets "
             f"{self.lessee_equity_usd / 1e6:,.1f} M USD aside; earns {_rate(self.lessee_irr)} after tax"),
            ("lessor", f"takes {self.lines['lessor_credits'].sum() / 1e6:,.1f} M USD of credits and all "
             f"depreciation; earns {_rate(self.lessor_irr)} after tax"),
        ]  # fmt: skip

    def __str__(self) -> str:
        """Say in a few lines what both sides pay and earn."""
        return "\n".join(f"{name:<8}  {text}" for name, text in self.summary())

    def npv_usd(self, side: str) -> float:
        """Net present value of a side after taxes.

        Parameters
        ----------
        side : {"lessee", "lessor"}

        Returns
        -------
        float
            At the project's nominal discount rate. [USD]
        """
        return present_value(self.lines[side], self.project.discount_nominal)


def sale_leaseback(project: Project, lease: Lease) -> SaleLeaseback:
    """Work out what lessee and lessor earn.

    Parameters
    ----------
    project : Project
        Its debt is left out: the sale pays for the plant.
    lease : Lease

    Returns
    -------
    SaleLeaseback

    Raises
    ------
    ValueError
        When a part of the plant is placed in service after the sale.
    """
    if any(asset.in_service > 1 for asset in project.assets):
        message = "a plant is sold and rented when it is finished: all of it has to be in service in year 1"
        raise ValueError(message)
    years = project.years
    bare = replace(project, debt=None, construction=replace(project.construction, equity_years=1))
    whole = cash_flow(bare)
    operated = {name: values[1:] for name, values in whole.lines.items()}
    working: FloatArray = _with_nothing_left(project.working_months / MONTHS_PER_YEAR * -operated["expenses"])
    margin: FloatArray = lease.margin_usd_per_yr * (1.0 + lease.margin_escalation) ** np.arange(
        years, dtype=np.float64
    )
    earned = operated["reserve_interest"]
    kept = np.diff(working)
    kept[-1] = 0.0  # in the last year the reserve goes to the lessee
    salvage = operated.get("salvage", np.zeros(years))  # the lessor's
    rent = operated["ebitda"] - salvage + operated["replacement_reserve"] + earned - kept - margin
    reserve = lease.reserve_months / MONTHS_PER_YEAR * float(rent[0])
    on_reserve = np.full(years, project.reserve_interest * reserve)
    equity = reserve + float(working[0])

    lessee_pretax: FloatArray = margin + on_reserve
    lessee_pretax[-1] += reserve + float(working[-2])
    income: FloatArray = operated["ebitda"] - salvage + earned + on_reserve - rent
    fee = lease.development_fee_usd
    income[0] += fee
    lessee_tax = _tax(project, income, income)

    sale_usd = whole.equity_usd - float(working[0]) + fee
    scale = sale_usd / (sale_usd - fee)  # the fee is part of the lessor's basis
    federal, state = (scale * operated[f"{name}_deductions"] for name in ("federal", "state"))
    lessor_tax = _tax(project, rent + salvage - federal, rent + salvage - state)
    credits: FloatArray = scale * operated["investment_credit"] + operated["production_credit"]
    lines = {
        "revenue": _from_year_0(0.0, operated["revenue"]),
        "expenses": _from_year_0(0.0, operated["expenses"]),
        "margin": _from_year_0(0.0, margin),
        "rent": _from_year_0(0.0, rent),
        "lessee_pretax": _from_year_0(-equity, lessee_pretax),
        "lessee_tax": _from_year_0(0.0, lessee_tax),
        "lessee": _from_year_0(fee - equity, lessee_pretax + lessee_tax),
        "lessor_pretax": _from_year_0(-sale_usd, rent + salvage),
        "lessor_deductions": _from_year_0(0.0, federal),
        "lessor_tax": _from_year_0(0.0, lessor_tax),
        "lessor_credits": _from_year_0(0.0, credits),
        "lessor": _from_year_0(-sale_usd, rent + salvage + lessor_tax + credits),
    }
    return SaleLeaseback(project, lease, sale_usd, equity, lines)


def _rate(value: float | None) -> str:
    return "without one return" if value is None else f"{value * 100:.1f} %"


def _tax(project: Project, federal_income: FloatArray, state_income: FloatArray) -> FloatArray:
    """Taxes on an income, that of the state deducted from the federal one; losses earn theirs. [USD]"""
    state = -project.taxes.state * state_income
    total: FloatArray = state - project.taxes.federal * (federal_income + state)
    return total


def _with_nothing_left(needed: FloatArray) -> FloatArray:
    """Reserve at the end of each year from year 0 on: the coming year's need, nothing in the end. [USD]"""
    return np.append(needed, 0.0)


def _from_year_0(first: float, later: FloatArray) -> FloatArray:
    return np.concatenate([[first], later])
