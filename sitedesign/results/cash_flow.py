"""The cash flow of a design: whose it is, on what terms, in tables and in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from sitedesign.errors import Fault, InputError
from sitedesign.finance import cash_flow as engine
from sitedesign.finance.sale_leaseback import Lease, SaleLeaseback, sale_leaseback
from sitedesign.finance.terms import Terms
from sitedesign.results.project_terms import UNITS
from sitedesign.util.gate import Measure, takes

_MONEY = Measure("USD/yr", 0, 1e12)
_MONTHS = Measure("months", 0, 120)
_SHARE = Measure("fraction", 0, 1)


@dataclass(frozen=True, eq=False)
class CashFlow(engine.CashFlow):
    """Cash flow of a design.

    Attributes
    ----------
    site_name : str
    owner : str
        Name in the library.
    sells : {"power", "hosting", "compute"}
    terms : Terms
        Whole, with what the library said.
    target_irr : float or None
        Return that the price was found for. [fraction/yr]
    certified : bool
        Whether the plant is certified; the cash flow of a bound is that of a plant nobody can run.

    The others are those of :class:`sitedesign.finance.cash_flow.CashFlow`.
    """

    site_name: str
    owner: str
    sells: Literal["power", "hosting", "compute"]
    terms: Terms
    target_irr: float | None
    certified: bool

    @property
    def price(self) -> float:
        """Price of what is sold, in year 1. [USD/MWh, USD/kW-month, USD/GPU-h]"""
        price = self.project.revenues[0].usd_per_unit
        return price[0] if isinstance(price, tuple) else price

    @property
    def unit(self) -> str:
        """Unit of what is sold."""
        return UNITS[self.sells]

    def table(self) -> pd.DataFrame:
        """Show every line by year; what goes out is below zero. [USD]"""
        years = range(self.first_year, self.project.years + 1)
        frame = pd.DataFrame(dict(self.lines), index=pd.Index(years, name="year"))
        return frame.rename(columns={"amount": f"sold_{self.unit.lower().replace('-', '_')}"})

    def replacements(self) -> pd.DataFrame:
        """Show what is bought again, and the energy that the battery loses and is given back.

        Returns
        -------
        DataFrame
            Columns ``item, year, usd_real, usd_nominal, put_aside_usd_per_yr``. [USD, USD/yr]
        """
        rise = 1.0 + self.project.inflation
        rows = [
            (item.name, item.year, item.cost_usd, item.cost_usd * rise ** (item.year - 1))
            for item in sorted(self.project.replacements, key=lambda again: again.year)
        ]
        frame = pd.DataFrame(rows, columns=["item", "year", "usd_real", "usd_nominal"])
        return frame.assign(put_aside_usd_per_yr=frame["usd_nominal"] / frame["year"])

    @takes(
        "sale_leaseback()",
        margin_usd_per_yr=_MONEY,
        margin_escalation=Measure("fraction/yr", -0.5, 0.5),
        development_fee=_SHARE,
        reserve_months=_MONTHS,
    )
    def sale_leaseback(
        self,
        margin_usd_per_yr: float,
        *,
        margin_escalation: float = 0.02,
        development_fee: float = 0.03,
        reserve_months: float = 6.0,
    ) -> SaleLeaseback:
        """Sell the finished plant to somebody who takes its credits and depreciation, and rent it back.

        Parameters
        ----------
        margin_usd_per_yr : float
            Cash that the lessee keeps in year 1; all else is rent. [USD/yr]
        margin_escalation : float
            [fraction/yr]
        development_fee : float
            What the lessee earns on the sale, of the cost of the plant. [fraction]
        reserve_months : float
            Of the first rent, which the lessee keeps aside. [months]

        Returns
        -------
        SaleLeaseback

        Raises
        ------
        InputError
            When a part of the plant is placed in service after the sale.
        """
        fee = development_fee * self.project.cost_usd
        lease = Lease(margin_usd_per_yr, margin_escalation, fee, reserve_months)
        try:
            return sale_leaseback(self.project, lease)
        except ValueError as error:
            fault = Fault("cash flow", "a plant built in stages", str(error))
            raise InputError([fault], "sale_leaseback()") from None

    def to_dict(self) -> dict[str, Any]:
        """Give what it comes to, and every line by year, for JSON."""
        nominal, real = self.levelised(), self.levelised(real=True)
        cover = self.dscr
        return {
            "site_name": self.site_name,
            "owner": self.owner,
            "sells": self.sells,
            "certified": self.certified,
            "unit": self.unit,
            "price_usd_per_unit": self.price,
            "target_irr": self.target_irr,
            "terms": self.terms.to_dict(),
            "debt_usd": self.debt_usd,
            "equity_usd": self.equity_usd,
            "irr": self.irr,
            "project_irr": self.project_irr,
            "npv_usd": self.npv_usd,
            "payback_yr": self.payback_yr,
            "dscr_min": float(cover.min()) if cover.size else None,
            "dscr_mean": float(cover.mean()) if cover.size else None,
            "levelised_usd_per_unit": {"nominal": nominal[1], "real": real[1]},
            "first_year": self.first_year,
            "lines_usd": {name: values.tolist() for name, values in self.lines.items()},
        }

    def summary(self) -> list[tuple[str, str]]:
        """Say what it comes to, as (label, text)."""
        nominal, real = self.levelised(), self.levelised(real=True)
        debt = "no debt"
        if self.debt_usd > 0:
            share = self.debt_usd / (self.debt_usd + self.equity_usd)
            cover = self.dscr
            debt = (
                f"{self.debt_usd / 1e6:,.1f} M USD ({share * 100:.0f} %) at "
                f"{(self.terms.debt_rate or 0) * 100:.2f} % over "
                f"{self.terms.debt_tenor_yr} years; cash covers its service {cover.min():.2f} times at "
                f"least, {cover.mean():.2f} in the mean"
            )
        found = "" if self.target_irr is None else f", at which equity earns {self.target_irr * 100:.1f} %"
        rows = [
            ("site", self.site_name),
            ("owner", self.owner.replace("_", " ")),
            ("sells", f"{self.lines['amount'][-1]:,.0f} {self.unit}/yr of {self.sells}"),
            ("price", f"{self.price:,.2f} USD/{self.unit} in year 1{found}"),
            (
                "capital",
                f"{(self.debt_usd + self.equity_usd) / 1e6:,.1f} M USD with finance, fees and reserves",
            ),
            ("equity", f"{self.equity_usd / 1e6:,.1f} M USD"),
            ("debt", debt),
            ("return", f"equity {_rate(self.irr)} after tax, project {_rate(self.project_irr)} before tax"),
            (
                "worth",
                f"{_near(self.npv_usd) / 1e6:,.1f} M USD at {self.project.discount_nominal * 100:.1f} % "
                "to equity",
            ),
            ("payback", "never" if self.payback_yr is None else f"{self.payback_yr:.1f} years"),
            ("levelised", f"{nominal[1]:,.2f} USD/{self.unit} nominal, {real[1]:,.2f} real"),
        ]
        if self.debt_usd > 0 and self.dscr.min() < 1.0:
            paid = f"{self.dscr.min() * 100:.0f} %"
            short = f"cash pays {paid} of the debt service of its worst year; owners pay the rest"
            rows.insert(0, ("SHORT", f"{short}. Ask for debt_dscr, less debt or more years of it"))
        if not self.certified:
            rows.insert(0, ("BOUND", "not a plant to build: nothing fails and the weather is foreseen"))
        return rows

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        """Say in a few lines what it comes to."""
        rows = self.summary()
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {text}" for name, text in rows)


def _near(usd: float) -> float:
    """Nothing, where it is nothing in thousands: a price found for a return leaves cents. [USD]"""
    return 0.0 if abs(usd) < 1e3 else usd


def _rate(value: float | None) -> str:
    return "without one return" if value is None else f"{value * 100:.1f} %"
