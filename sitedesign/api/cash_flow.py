"""The cash flow of a design after taxes: what a lender or an owner asks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from sitedesign.errors import Fault, InputError
from sitedesign.finance import cash_flow as engine
from sitedesign.finance.sale_leaseback import Lease, SaleLeaseback, sale_leaseback
from sitedesign.finance.terms import Terms
from sitedesign.library import names
from sitedesign.report.cash_flow_sheet import write_sheet
from sitedesign.results.design import Design
from sitedesign.results.project_terms import (
    UNITS,
    equity_rate,
    owner_of,
    project_of,
    terms_of,
    usual_price,
)
from sitedesign.results.saved import rebuilt_study
from sitedesign.util.gate import File, Kind, Measure, OneOf, takes

#: What is asked beside the design and its terms.
GATES = {
    "owner": OneOf(names("owner")),
    "price": Measure("USD/MWh, USD/kW-month, USD/GPU-h", 0, 100_000),
    "target_irr": Measure("fraction/yr", 0, 1, above=True),
}
BOOK = File((".xlsx",))
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

    def __str__(self) -> str:
        """Say in a few lines what it comes to."""
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
                f"{self.npv_usd / 1e6:,.1f} M USD at {self.project.discount_nominal * 100:.1f} % to equity",
            ),
            ("payback", "never" if self.payback_yr is None else f"{self.payback_yr:.1f} years"),
            ("levelised", f"{nominal[1]:,.2f} USD/{self.unit} nominal, {real[1]:,.2f} real"),
        ]
        if self.debt_usd > 0 and self.dscr.min() < 1.0:
            short = (
                f"cash pays {self.dscr.min():.0%} of the debt service of its worst year; owners pay the rest"
            )
            rows.insert(0, ("SHORT", f"{short}. Ask for debt_dscr, less debt or more years of it"))
        if not self.certified:
            rows.insert(0, ("BOUND", "not a plant to build: nothing fails and the weather is foreseen"))
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {text}" for name, text in rows)


def _rate(value: float | None) -> str:
    return "without one return" if value is None else f"{value * 100:.1f} %"


@takes(
    "cash_flow()",
    design=Kind((Design,), "must be a Design, as sd.solve() gives it"),
    owner=GATES["owner"],
    price=GATES["price"],
    target_irr=GATES["target_irr"],
    terms=Kind((Terms,), "must be a sitedesign.Terms", "For example terms=sd.Terms(debt_dscr=1.3)."),
)
def cash_flow(
    design: Design,
    *,
    owner: str = "developer",
    price: float | None = None,
    target_irr: float | None = None,
    terms: Terms | None = None,
) -> CashFlow:
    """Work out the cash flow of a design after taxes, for a price or for a return.

    A second calculation on a finished design: what the optimiser minimises stays the annualised cost.

    Parameters
    ----------
    design : Design
    owner : str
        An owner of the library. ``developer``: the plant is a company of its own and sells what it serves.
        ``landlord``: the hall belongs to it and is let by the kW. ``gpu_owner``: hall and racks belong to it,
        and GPU-hours are sold.
    price : float, optional
        In year 1. [USD/MWh, USD/kW-month, USD/GPU-h]
    target_irr : float, optional
        Return of equity after tax for which a price is found. When neither is given: for power the library's
        cost of equity, for a hall its usual rent, for compute the rent of the study's rack. [fraction/yr]
    terms : Terms, optional
        Those of the owner and of the study's library entry when left out.

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
    who, study = owner_of(owner), rebuilt_study(design)
    whole = terms_of(terms or Terms(), who, study)
    _check_terms(whole, who.sells)
    if price is None and target_irr is None:
        price = usual_price(who, study)
        target_irr = equity_rate(who, study.finance) if price is None else None
    project = project_of(design, study, who, whole, 1.0 if price is None else price)
    _check(design, who.sells, project.cost_usd)
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
        owner=owner,
        sells=who.sells,
        terms=whole,
        target_irr=target_irr,
        certified=design.certificate is not None,
    )


def _check_terms(terms: Terms, sells: str) -> None:
    """Refuse terms that would say nothing for what is sold."""
    faults = []
    if terms.price_path != "flat" and sells != "compute":
        remedy = "Use price_escalation."
        allowed = "only rents of GPUs have a path of their own"
        faults.append(Fault("terms.price_path", repr(terms.price_path), allowed, remedy))
    if "pass_through" in terms.model_fields_set and sells != "hosting":
        allowed = "only a tenant of a hall pays bills beside the rent"
        faults.append(Fault("terms.pass_through", f"{terms.pass_through:g}", allowed, "Leave it out."))
    if faults:
        raise InputError(faults, "cash_flow()")


def _check(design: Design, sells: str, cost_usd: float) -> None:
    faults = []
    if design.served_mwh_per_yr <= 0 or (sells == "compute" and design.delivered_rack_h_per_yr <= 0):
        faults.append(Fault("design", "nothing is served", "a project needs something to sell"))
    if cost_usd <= 0:
        faults.append(Fault("design", "nothing is built", "a project needs something to finance"))
    if faults:
        raise InputError(faults, "cash_flow()")
