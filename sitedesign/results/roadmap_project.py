"""A roadmap as a project of finance: what is paid in which year, for what, and what the racks that run bring.

Year 1 begins with the first power. What is delivered in a year is placed in service in it, and paid at the
end of the year before, at its prices; energies, rents and racks of a year are those of its stages, by their
months.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sitedesign import library
from sitedesign.case.build import StudyCase
from sitedesign.finance import annual_cost
from sitedesign.finance.annual_cost import HOURS_PER_YEAR, AnnualCost
from sitedesign.finance.depreciation import RecoveryClass, recovery_class
from sitedesign.finance.price_paths import price_path
from sitedesign.finance.project import (
    Asset,
    Construction,
    Expense,
    ProductionCredit,
    Project,
    Replacement,
    Revenue,
    Taxes,
)
from sitedesign.finance.terms import Terms
from sitedesign.library.timing import Owner
from sitedesign.results.project_terms import credit_kind, debt_of, equity_rate, is_clean, known
from sitedesign.results.roadmap import Order, Roadmap, Stage
from sitedesign.results.roadmap_tables import date_after
from sitedesign.study.study import Study

FloatArray = NDArray[np.float64]
_MONTHS = 12
_LAND = "land"


def operating_years(roadmap: Roadmap) -> int:
    """Whole years from the first power to the horizon."""
    first = roadmap.first_power_month
    return 0 if first is None else math.floor((roadmap.horizon_months - first) / _MONTHS + 1e-9)


@dataclass(frozen=True)
class _Bought:
    """Something that is bought in a year."""

    name: str
    asset: str
    year: int
    amount: float
    unit: AnnualCost
    recovery: RecoveryClass
    credit: float
    mwh: tuple[float, ...] = ()


@dataclass(frozen=True)
class _Sheet:
    """What a project is made of."""

    roadmap: Roadmap
    study_case: StudyCase
    owner: Owner
    terms: Terms
    years: int

    @property
    def study(self) -> Study:
        return self.study_case.study

    @property
    def first_month(self) -> float:
        return self.roadmap.first_power_month or 0.0

    @property
    def rise(self) -> FloatArray:
        """Prices of each year over those of year 1."""
        growth: FloatArray = (1.0 + known(self.terms.inflation)) ** np.arange(self.years, dtype=np.float64)
        return growth

    def year_of(self, month: float) -> int:
        """Year of operation that a month lies in; what is there before belongs to the first."""
        return max(math.floor((month - self.first_month) / _MONTHS + 1e-9) + 1, 1)

    def overlaps(self) -> Iterator[tuple[Stage, FloatArray]]:
        """Each stage with the share of each year that it lasts."""
        begins = self.first_month + _MONTHS * np.arange(self.years)
        for stage in self.roadmap.stages:
            last = stage is self.roadmap.stages[-1]
            ends = math.inf if last else stage.ends_month
            months = np.minimum(begins + _MONTHS, ends) - np.maximum(begins, stage.begins_month)
            yield stage, np.clip(months, 0.0, _MONTHS) / _MONTHS

    def by_year(self, values: dict[int, float]) -> FloatArray:
        """Yearly values of each stage, by its number, as they fall into the years."""
        total = np.zeros(self.years)
        for number, (_, share) in enumerate(self.overlaps()):
            total += values.get(number, 0.0) * share
        return total


def project_of_roadmap(
    roadmap: Roadmap, study_case: StudyCase, owner: Owner, terms: Terms, usd_per_unit: float
) -> Project:
    """Make a roadmap a project.

    Parameters
    ----------
    roadmap : Roadmap
    study_case : StudyCase
        Of its study: its load, unit costs and connection.
    owner : Owner
    terms : Terms
        Whole; no longer than the roadmap (:func:`operating_years`).
    usd_per_unit : float
        Of what is sold, in year 1. [USD/MWh, USD/kW-month, USD/GPU-h]

    Returns
    -------
    Project
    """
    years = int(known(terms.years))
    sheet = _Sheet(roadmap, study_case, owner, terms, years)
    study, inflation = study_case.study, known(terms.inflation)
    bought = [item for item in _bought(sheet) if item.year <= years]
    first = [order for order in roadmap.orders if sheet.year_of(order.delivery_month) == 1]
    waits = [order.delivery_month - order.order_month for order in first if order.kind != "rented"]
    months = terms.construction_months
    return Project(
        years=years,
        assets=tuple(_asset(sheet, item) for item in bought),
        revenues=tuple(_revenues(sheet, usd_per_unit)),
        expenses=tuple(_expenses(sheet, bought)),
        replacements=tuple(_replacements(sheet, bought)),
        debt=debt_of(terms),
        construction=Construction(
            months=max(waits, default=0.0) if months is None else months,
            rate=known(terms.debt_rate),
            loan_share=terms.construction_share,
            fee=terms.construction_fee,
            draws=terms.construction_draws,
            compound=terms.construction_interest == "compound",
        ),
        taxes=Taxes(
            federal=known(terms.federal_tax),
            state=known(terms.state_tax),
            credit_basis_reduction=study.finance.itc_basis_reduction_fraction,
            credit_price=known(terms.credit_price),
            production_credits=tuple(_production_credits(sheet, bought)),
        ),
        inflation=inflation,
        discount_real=(1.0 + equity_rate(owner, study.finance)) / (1.0 + inflation) - 1.0,
        working_months=known(terms.reserve_months),
        salvage_share=terms.salvage,
    )


# Bought ----------------------------------------------------------------------------------------------------


def _bought(sheet: _Sheet) -> Iterator[_Bought]:
    """List all that is bought: plant by order, hall and racks with the racks that are installed."""
    seen: set[str] = set()
    for order in sheet.roadmap.orders:
        if order.kind == "rented":
            continue
        year = sheet.year_of(order.delivery_month)
        month = f" (month {order.delivery_month:g})"
        for name, asset, amount, unit in _parts(sheet, order, seen):
            kind = credit_kind(sheet.study, asset)
            credit = order.credit if unit.life_yr and is_clean(sheet.terms, sheet.study, kind) else 0.0
            recovery: RecoveryClass = _recovery(sheet, asset) if unit.life_yr else "none"
            mwh = _energy_of(sheet, order) if kind in ("pv", "wind") and unit.life_yr else ()
            yield _Bought(name + month, asset, year, amount, unit, recovery, credit, mwh)
        seen.add(order.technology)
    if sheet.owner.sells != "power":
        yield from _bought_with_racks(sheet)


def _recovery(sheet: _Sheet, asset: str) -> RecoveryClass:
    farms = {item.name for item in sheet.study.wind}
    return recovery_class("solar" if asset in farms else asset)


def _parts(sheet: _Sheet, order: Order, seen: set[str]) -> Iterator[tuple[str, str, float, AnnualCost]]:
    """Name, asset, amount and unit cost of what an order buys."""
    costs, case, study = sheet.study_case.unit_costs, sheet.study_case.case, sheet.study
    name, amount = order.technology, order.amount
    if order.kind == "grid":
        supply, grid = sheet.study_case.grid, study.grid
        assert supply is not None  # orders of a connection come from a study that has one
        assert grid is not None
        life = grid.connection.life_yr
        yield "grid connection", "grid", amount, AnnualCost(supply.capital_usd_per_mw, 0.0, 0.0, 0.0, life)
        if name not in seen and supply.capital_usd:
            yield (
                "grid connection at this site",
                "grid",
                1.0,
                AnnualCost(supply.capital_usd, 0.0, 0.0, 0.0, life),
            )
    elif name == "battery":
        unit = costs.battery_energy if order.unit == "MWh" else costs.battery_power
        yield f"battery {'energy' if order.unit == 'MWh' else 'power'}", "battery", amount, unit
    elif name in (farms := ["solar", *(item.name for item in study.wind)]):
        number = farms.index(name)
        unit = (costs.solar, *costs.wind)[number]
        land = annual_cost.land_cost(study.finance, case.resources[number].acres_per_mw)
        own = AnnualCost(
            unit.capital_usd - land.capital_usd,
            0.0,
            0.0,
            unit.fixed_usd_per_yr - land.fixed_usd_per_yr,
            unit.life_yr,
        )
        yield case.resources[number].label, name, amount, own
        yield f"{name} {_LAND}", name, amount, AnnualCost(land.capital_usd, 0.0, 0.0, 0.0)
    else:
        number = [item.name for item in study.backup].index(name)
        yield f"{name} units", name, amount, costs.backup[number]
        if name not in seen and costs.backup_site[number].capital_usd:
            yield f"{name} at this site", name, 1.0, costs.backup_site[number]


def _bought_with_racks(sheet: _Sheet) -> Iterator[_Bought]:
    """Hall by the racks that it holds; racks where they are the owner's, spare ones among them."""
    study, costs = sheet.study, sheet.study_case.unit_costs
    hall, land, staff = annual_cost.hall_costs(study.facility, study.finance, study.contracted_it_mw)
    there, share = 0, 0.0
    for stage in sheet.roadmap.stages:
        more, year = stage.racks_installed - there, sheet.year_of(stage.begins_month)
        month = f" (month {stage.begins_month:g})"
        filled = min(stage.racks_installed / study.contracted_racks, 1.0)
        if filled > share:
            with_staff = AnnualCost(hall.capital_usd, 0.0, 0.0, staff.fixed_usd_per_yr, hall.life_yr)
            yield _Bought(f"data hall{month}", "hall", year, filled - share, with_staff, "line_39", 0.0)
            yield _Bought(f"data hall land{month}", "hall", year, filled - share, land, "none", 0.0)
            share = filled
        if more > 0 and sheet.owner.sells == "compute":
            yield _Bought(f"racks{month}", "racks", year, more, costs.rack, recovery_class("racks"), 0.0)
        there = max(there, stage.racks_installed)


def _asset(sheet: _Sheet, item: _Bought) -> Asset:
    bonus = 0.0 if item.recovery in ("none", "line_39") else known(sheet.terms.bonus)
    taken = 0.0 if sheet.terms.credit == "production" and item.mwh else item.credit
    usd = item.amount * item.unit.capital_usd * sheet.rise[item.year - 1]
    return Asset(item.name, float(usd), item.recovery, bonus, taken, item.year)


def _energy_of(sheet: _Sheet, order: Order) -> tuple[float, ...]:
    """Energy that a block of sun or wind gives in each year: its share of all that stands. [MWh/yr]"""
    there, values = 0.0, {}
    own = [other for other in sheet.roadmap.orders if other.technology == order.technology]
    for number, stage in enumerate(sheet.roadmap.stages):
        there = sum(other.amount for other in own if other.delivery_month <= stage.begins_month + 1e-9)
        if order.delivery_month <= stage.begins_month + 1e-9 and there > 0.0:
            values[number] = stage.energy_mwh_per_yr.get(order.technology, 0.0) * order.amount / there
    return tuple(sheet.by_year(values).tolist())


def _production_credits(sheet: _Sheet, bought: list[_Bought]) -> Iterator[ProductionCredit]:
    """Credits by the MWh of the blocks that are in time for them."""
    if sheet.terms.credit != "production":
        return
    study, start = sheet.study, sheet.roadmap.start
    for item in bought:
        if not item.mwh:
            continue
        kind = credit_kind(study, item.asset)
        served = date_after(start, sheet.first_month + _MONTHS * (item.year - 1))
        usd = library.production_credit_usd_per_mwh(kind, start, served, study.finance)
        if usd and is_clean(sheet.terms, study, kind):
            years = study.finance.production_credit_yr
            yield ProductionCredit(item.name, usd, item.mwh, item.year, years)


def _replacements(sheet: _Sheet, bought: list[_Bought]) -> Iterator[Replacement]:
    """List what is bought again within the years."""
    for item in bought:
        if not item.unit.life_yr or item.recovery == "line_39":
            continue
        again = item.year + math.floor(item.unit.life_yr)
        while again <= sheet.years:
            usd = item.amount * item.unit.capital_usd
            yield Replacement(f"{item.name} again", float(usd), again, item.recovery)
            again += math.floor(item.unit.life_yr)


# Paid and earned -------------------------------------------------------------------------------------------


def _expenses(sheet: _Sheet, bought: list[_Bought]) -> Iterator[Expense]:
    """Upkeep from the year of service on; energy, rents and bills of the stages; what is paid once."""
    for item in bought:
        if item.unit.fixed_usd_per_yr and item.recovery != "none":
            stands = tuple((np.arange(1, sheet.years + 1) >= item.year).astype(float).tolist())
            usd = float(item.amount * item.unit.fixed_usd_per_yr)
            yield Expense(f"{item.name} upkeep", usd, known(sheet.terms.inflation), stands)
    names = dict.fromkeys(
        name
        for stage in sheet.roadmap.stages
        for name in stage.cost_usd_per_yr
        if name.startswith(("energy ", "rent "))
    )
    for name in names:
        values = {n: stage.cost_usd_per_yr.get(name, 0.0) for n, stage in enumerate(sheet.roadmap.stages)}
        fuel = name.startswith("energy ") and name != "energy grid"
        rise = sheet.terms.fuel_escalation if fuel else sheet.terms.inflation
        yield from _shaped(name, sheet.by_year(values), known(rise))
    supply = sheet.study_case.grid
    if supply is not None:
        demand = {
            n: stage.connected_mw * supply.demand_usd_per_mw_yr
            + (supply.fixed_usd_per_yr if stage.connected_mw > 0 else 0.0)
            for n, stage in enumerate(sheet.roadmap.stages)
        }
        yield from _shaped(
            "grid demand and fixed charges", sheet.by_year(demand), known(sheet.terms.inflation)
        )
    once: dict[str, FloatArray] = {}
    for stage in sheet.roadmap.stages:
        year = sheet.year_of(stage.begins_month)
        for name, usd in stage.once_usd.items():
            if year <= sheet.years:
                once.setdefault(name, np.zeros(sheet.years))[year - 1] += usd
    for name, values_by_year in once.items():
        yield from _shaped(name, values_by_year, known(sheet.terms.inflation))


def _shaped(name: str, usd: FloatArray, rise: float) -> Iterator[Expense]:
    """Expense that is not the same every year, in money of year 1."""
    most = float(np.abs(usd).max(initial=0.0))
    if most > 0.0:
        yield Expense(name, most, rise, tuple((usd / most).tolist()))


def _revenues(sheet: _Sheet, usd_per_unit: float) -> Iterator[Revenue]:
    terms, owner, study = sheet.terms, sheet.owner, sheet.study
    case = sheet.study_case.case
    each = {
        "power": case.load_mwh_per_yr / case.racks_contracted,
        "hosting": study.contracted_it_mw * 1000 / study.contracted_racks * _MONTHS,
        "compute": HOURS_PER_YEAR * study.rack.gpus,
    }[owner.sells]
    sold = {
        n: terms.sold * each * stage.racks_running * (1.0 if owner.sells == "hosting" else stage.uptime)
        for n, stage in enumerate(sheet.roadmap.stages)
    }
    price: float | tuple[float, ...] = usd_per_unit
    if terms.price_path != "flat":
        path = price_path(
            terms.price_path, sheet.years, study.rack.life_yr, study.finance, terms.price_escalation
        )
        price = tuple((usd_per_unit * path).tolist())
    yield Revenue(
        owner.sells,
        tuple(sheet.by_year(sold).tolist()),
        price,
        terms.price_escalation,
        contract_yr=terms.contract_yr,
        market_usd_per_unit=terms.market_price or 0.0,
        market_escalation=terms.market_escalation,
    )
    if owner.sells == "hosting" and terms.pass_through:
        paid = np.zeros(sheet.years)
        for item in _expenses(sheet, []):
            if isinstance(item.usd_per_yr, float) and not item.name.startswith("mobilisation"):
                rise = (1.0 + item.escalation) ** np.arange(sheet.years)
                paid += item.usd_per_yr * rise * np.array(item.shape or 1.0)
        yield Revenue("fuel and bills passed on", 1.0, tuple((terms.pass_through * paid).tolist()))
    sales = dict.fromkeys(
        name for stage in sheet.roadmap.stages for name in stage.cost_usd_per_yr if name.startswith("sale ")
    )
    for name in sales:
        values = {n: -stage.cost_usd_per_yr.get(name, 0.0) for n, stage in enumerate(sheet.roadmap.stages)}
        yield Revenue(name, 1.0, tuple(sheet.by_year(values).tolist()))
