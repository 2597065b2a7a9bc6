"""The cash flow of a design after taxes: what a lender or an owner asks."""

from __future__ import annotations

from pathlib import Path

from sitedesign.errors import Fault, InputError
from sitedesign.finance import cash_flow as engine
from sitedesign.finance.terms import Terms
from sitedesign.library import names
from sitedesign.report.cash_flow_sheet import write_sheet
from sitedesign.results import cash_flow as results
from sitedesign.results.design import Design
from sitedesign.results.project_terms import (
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


class CashFlow(results.CashFlow):
    """Cash flow of a design, with its workbook.

    Everything else is that of :class:`sitedesign.results.cash_flow.CashFlow`.
    """

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
