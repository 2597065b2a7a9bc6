"""The cash flow of a design after taxes: what a lender or an owner asks."""

from __future__ import annotations

from pathlib import Path

from sitedesign.case.build import StudyCase, build_case
from sitedesign.errors import Fault, InputError
from sitedesign.finance import cash_flow as engine
from sitedesign.finance.project import Project
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
from sitedesign.results.roadmap import Roadmap
from sitedesign.results.roadmap_project import operating_years, project_of_roadmap
from sitedesign.results.saved import SERIES, rebuilt_study
from sitedesign.study.study import Study
from sitedesign.util.gate import File, Kind, Measure, OneOf, takes

#: What is asked beside the design and its terms.
GATES = {
    "owner": OneOf(names("owner")),
    "price": Measure("USD/MWh, USD/kW-month, USD/GPU-h", 0, 100_000),
    "target_irr": Measure("fraction/yr", 0, 1, above=True, percent_from=2),
    "leaseback": Measure("USD/yr", 0, 1e12),
}
BOOK = File((".xlsx",))


class CashFlow(results.CashFlow):
    """Cash flow of a design, with its workbook.

    Everything else is that of :class:`sitedesign.results.cash_flow.CashFlow`.

    Examples
    --------
    >>> flow = sd.cash_flow(design, owner="landlord")
    >>> flow.sells, flow.unit
    ('hosting', 'kW-month')
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
    design=Kind((Design, Roadmap), "must be a Design or a Roadmap, as sd.solve() and sd.roadmap() give them"),
    owner=GATES["owner"],
    price=GATES["price"],
    target_irr=GATES["target_irr"],
    terms=Kind((Terms,), "must be a sitedesign.Terms", "For example terms=sd.Terms(debt_dscr=1.3)."),
)
def cash_flow(
    design: Design | Roadmap,
    *,
    owner: str = "developer",
    price: float | None = None,
    target_irr: float | None = None,
    terms: Terms | None = None,
) -> CashFlow:
    """Work out the cash flow of a design or a roadmap after taxes, for a price or for a return.

    A second calculation on a finished design: what the optimiser minimises stays the annualised cost.

    Parameters
    ----------
    design : Design or Roadmap
        Of a roadmap year 1 begins with the first power; what is delivered later is paid, financed, deducted
        and credited in its year, and sold is what its racks that run draw, rent or deliver.
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

    Examples
    --------
    >>> flow = sd.cash_flow(design, target_irr=0.12)
    >>> round(flow.irr, 4)
    0.12
    """
    if price is not None and target_irr is not None:
        remedy = "Leave one of the two out."
        raise InputError(
            [Fault("price", f"{price:g} and a target_irr", "one decides", remedy)], "cash_flow()"
        )
    who = owner_of(owner)
    if isinstance(design, Roadmap):
        study_case = _case_of(design)
        study = study_case.study
        whole = _within(design, terms_of(terms or Terms(), who, study), terms or Terms())
    else:
        study, study_case = rebuilt_study(design), None
        whole = terms_of(terms or Terms(), who, study)
    _check_terms(whole, who.sells)
    if price is None and target_irr is None:
        price = usual_price(who, study)
        target_irr = equity_rate(who, study.finance) if price is None else None
    first = 1.0 if price is None else price
    if isinstance(design, Roadmap):
        assert study_case is not None
        project = project_of_roadmap(design, study_case, who, whole, first)
    else:
        project = project_of(design, study, who, whole, first)
    _check(project)
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
        site_name=study.site.name,
        owner=owner,
        sells=who.sells,
        terms=whole,
        target_irr=target_irr,
        certified=_is_certified(design),
    )


def _is_certified(design: Design | Roadmap) -> bool:
    """Whether what is financed keeps its promise without foresight."""
    if isinstance(design, Roadmap):
        running = [stage for stage in design.stages if stage.racks_running]
        return bool(running) and all(stage.certificate is not None for stage in running)
    return design.certificate is not None


def _case_of(roadmap: Roadmap) -> StudyCase:
    """Give the load, costs and connection of a roadmap back.

    Raises
    ------
    InputError
        If its weather or profiles came from files, or something was ordered that nobody can price.
    """
    faults = [
        Fault("roadmap", f"{name.replace('_', ' ')} from files", "a roadmap does not hold it")
        for name in SERIES
        if roadmap.study.get(name)
    ]
    if faults:
        raise InputError(faults, "cash_flow()")
    given = {name: value for name, value in roadmap.study.items() if name not in SERIES}
    study = Study(**given).replace(construction_start=roadmap.start)
    priced = {"solar", "battery", *(item.name for item in (*study.wind, *study.backup))}
    unknown = {item.technology for item in roadmap.orders if item.kind == "owned"} - priced
    if unknown:
        allowed = "a cash flow prices arrays, farms, batteries, backup, connections and rentals"
        raise InputError([Fault("roadmap", ", ".join(sorted(unknown)), allowed)], "cash_flow()")
    return build_case(study)


def _within(roadmap: Roadmap, whole: Terms, asked: Terms) -> Terms:
    """Terms that end with the roadmap.

    Raises
    ------
    InputError
        If more years are asked for than it has, or what it does not know.
    """
    years, faults = operating_years(roadmap), []
    if years < 1:
        allowed = "a project needs a whole year between the first power and the horizon"
        raise InputError([Fault("roadmap", f"{years} years of power", allowed)], "cash_flow()")
    if asked.years is not None and asked.years > years:
        remedy = "Give a longer horizon_months to sd.roadmap()."
        faults.append(
            Fault("terms.years", f"{asked.years}", f"the roadmap has {years} years of power", remedy)
        )
    for name in ("degradation", "augmentation_yr"):
        if getattr(asked, name) is not None:
            allowed = "the energies of a roadmap are of one age"
            faults.append(Fault(f"terms.{name}", f"{getattr(asked, name):g}", allowed, "Leave it out."))
    if faults:
        raise InputError(faults, "cash_flow()")
    years = min(int(whole.years or years), years)
    return whole.replace(years=years, debt_tenor_yr=min(int(whole.debt_tenor_yr or years), years))


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


def _check(project: Project) -> None:
    faults = []
    amount = project.revenues[0].amount_per_yr
    if not (any(amount) if isinstance(amount, tuple) else amount > 0):
        faults.append(Fault("design", "nothing is served", "a project needs something to sell"))
    if project.cost_usd <= 0:
        faults.append(Fault("design", "nothing is built", "a project needs something to finance"))
    if faults:
        raise InputError(faults, "cash_flow()")
