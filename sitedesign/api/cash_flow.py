"""The cash flow of a design after taxes: what a lender or an owner asks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from sitedesign.errors import Fault, InputError
from sitedesign.finance import cash_flow as engine
from sitedesign.finance.terms import Terms, whole_terms
from sitedesign.report.cash_flow_sheet import write_sheet
from sitedesign.results.design import Design
from sitedesign.results.project_terms import SOLD, finance_of, project_of, usual_price
from sitedesign.util.gate import File, Kind, Measure, OneOf, takes

#: What is asked beside the design and its terms.
GATES = {
    "seller": OneOf(tuple(SOLD)),
    "price": Measure("USD/MWh, USD/GPU-h", 0, 100_000),
    "target_irr": Measure("fraction/yr", 0, 1, above=True),
}
BOOK = File((".xlsx",))


@dataclass(frozen=True, eq=False)
class CashFlow(engine.CashFlow):
    """Cash flow of a design.

    Attributes
    ----------
    site_name : str
    seller : {"power", "compute"}
    terms : Terms
        Whole, with what the library said.
    target_irr : float or None
        Return that the price was found for. [fraction/yr]
    certified : bool
        Whether the plant is certified; the cash flow of a bound is that of a plant nobody can run.

    The others are those of :class:`sitedesign.finance.cash_flow.CashFlow`.
    """

    site_name: str
    seller: Literal["power", "compute"]
    terms: Terms
    target_irr: float | None
    certified: bool

    @property
    def price(self) -> float:
        """Price of what is sold, in year 1. [USD/MWh, USD/GPU-h]"""
        price = self.project.revenues[0].usd_per_unit
        return price[0] if isinstance(price, tuple) else price

    @property
    def unit(self) -> str:
        """Unit of what is sold."""
        return SOLD[self.seller][1]

    def table(self) -> pd.DataFrame:
        """Show every line by year; what goes out is below zero. [USD]"""
        years = range(self.first_year, self.project.years + 1)
        frame = pd.DataFrame(dict(self.lines), index=pd.Index(years, name="year"))
        return frame.rename(columns={"amount": f"sold_{self.unit.lower().replace('-', '_')}"})

    @takes("to_excel()", path=BOOK)
    def to_excel(self, path: str | Path) -> Path:
        """Write a workbook whose formulas are alive: change a term in it and all of it follows.

        Parameters
        ----------
        path : path
            Of the file.

        Returns
        -------
        Path
        """
        return write_sheet(self, Path(path), self.site_name, self.unit)

    def to_dict(self) -> dict[str, Any]:
        """Give what it comes to, and every line by year, for JSON."""
        nominal, real = self.levelised(), self.levelised(real=True)
        cover = self.dscr
        return {
            "site_name": self.site_name,
            "seller": self.seller,
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

    def __str__(self) -> str:
        """Say in a few lines what it comes to."""
        nominal, real = self.levelised(), self.levelised(real=True)
        debt = "no debt"
        if self.debt_usd > 0:
            share = self.debt_usd / (self.debt_usd + self.equity_usd)
            cover = self.dscr
            debt = (
                f"{self.debt_usd / 1e6:,.1f} M USD ({share:.0%}) at {self.terms.debt_rate:.2%} over "
                f"{self.terms.debt_tenor_yr} years; cash covers its service {cover.min():.2f} times at "
                f"least, {cover.mean():.2f} in the mean"
            )
        found = "" if self.target_irr is None else f", at which equity earns {self.target_irr:.1%}"
        rows = [
            ("site", self.site_name),
            ("sells", f"{self.lines['amount'][-1]:,.0f} {self.unit}/yr of {SOLD[self.seller][0]}"),
            ("price", f"{self.price:,.2f} USD/{self.unit} in year 1{found}"),
            (
                "capital",
                f"{(self.debt_usd + self.equity_usd) / 1e6:,.1f} M USD with finance, fees and reserves",
            ),
            ("equity", f"{self.equity_usd / 1e6:,.1f} M USD"),
            ("debt", debt),
            ("return", f"equity {_rate(self.irr)} after tax, project {_rate(self.project_irr)} before tax"),
            ("worth", f"{self.npv_usd / 1e6:,.1f} M USD at {self.project.discount_nominal:.1%} to equity"),
            ("payback", "never" if self.payback_yr is None else f"{self.payback_yr:.1f} years"),
            ("levelised", f"{nominal[1]:,.2f} USD/{self.unit} nominal, {real[1]:,.2f} real"),
        ]
        if not self.certified:
            rows.insert(0, ("BOUND", "not a plant to build: nothing fails and the weather is foreseen"))
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {text}" for name, text in rows)


def _rate(value: float | None) -> str:
    return "without one return" if value is None else f"{value:.1%}"


@takes(
    "cash_flow()",
    design=Kind((Design,), "must be a Design, as sd.solve() gives it"),
    seller=GATES["seller"],
    price=GATES["price"],
    target_irr=GATES["target_irr"],
    terms=Kind((Terms,), "must be a sitedesign.Terms", "For example terms=sd.Terms(debt_dscr=1.3)."),
)
def cash_flow(
    design: Design,
    *,
    seller: Literal["power", "compute"] = "power",
    price: float | None = None,
    target_irr: float | None = None,
    terms: Terms | None = None,
) -> CashFlow:
    """Work out the cash flow of a design after taxes, for a price or for a return.

    A second calculation on a finished design: what the optimiser minimises stays the annualised cost.

    Parameters
    ----------
    design : Design
    seller : {"power", "compute"}
        ``power``: the plant is a company of its own and sells what it serves. ``compute``: hall and racks
        belong to it, and GPU-hours are sold.
    price : float, optional
        In year 1. [USD/MWh, USD/GPU-h]
    target_irr : float, optional
        Return of equity after tax for which a price is found. When neither is given: for power the library's
        cost of equity, for compute the rent of the study's rack. [fraction/yr]
    terms : Terms, optional
        Those of the study's library entry when left out.

    Returns
    -------
    CashFlow

    Raises
    ------
    InputError
        With every fault found; when nothing is sold, and when no price brings the return.
    """
    if price is not None and target_irr is not None:
        remedy = "Leave one of the two out."
        raise InputError(
            [Fault("price", f"{price:g} and a target_irr", "one decides", remedy)], "cash_flow()"
        )
    whole = whole_terms(terms or Terms(), finance_of(design))
    if price is None and target_irr is None:
        price = usual_price(design, seller)
        target_irr = finance_of(design).equity_rate if price is None else None
    project = project_of(design, seller, whole, 1.0 if price is None else price)
    _check(design, seller, project.cost_usd)
    try:
        if target_irr is None:
            flow = engine.cash_flow(project)
        else:
            flow = engine.cash_flow_for_return(project, target_irr)
    except ValueError as error:
        where, found = ("target_irr", target_irr) if target_irr is not None else ("terms", whole.debt_share)
        raise InputError([Fault(where, f"{found:g}", str(error))], "cash_flow()") from None
    return CashFlow(
        **vars(flow),
        site_name=design.site_name,
        seller=seller,
        terms=whole,
        target_irr=target_irr,
        certified=design.certificate is not None,
    )


def _check(design: Design, seller: str, cost_usd: float) -> None:
    faults = []
    if design.served_mwh_per_yr <= 0 or (seller == "compute" and design.delivered_rack_h_per_yr <= 0):
        faults.append(Fault("design", "nothing is served", "a project needs something to sell"))
    if cost_usd <= 0:
        faults.append(Fault("design", "nothing is built", "a project needs something to finance"))
    if faults:
        raise InputError(faults, "cash_flow()")
