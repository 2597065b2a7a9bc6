"""A design as a project of finance: what it buys, pays and sells, line by line from its table of costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sitedesign import library
from sitedesign.components.lead_times import backup_months, hall_months
from sitedesign.finance.lending import whole_terms
from sitedesign.finance.price_paths import price_path
from sitedesign.finance.project import (
    Asset,
    Construction,
    Debt,
    Expense,
    ProductionCredit,
    Project,
    Replacement,
    Revenue,
    Taxes,
)
from sitedesign.finance.terms import Terms
from sitedesign.library import Finance
from sitedesign.library.timing import Owner
from sitedesign.results.evaluation import CostItem
from sitedesign.results.sized_plant import Financed
from sitedesign.study.study import Study

Sold = Literal["power", "hosting", "compute"]
#: Unit of what each kind of owner sells.
UNITS: dict[str, str] = {"power": "MWh", "hosting": "kW-month", "compute": "GPU-h"}
_NO_MONEY = "delay"  # an asset of the cost table that nobody pays
_MONTHS_PER_YEAR = 12
_MIDDLE = 0.5  # of a year, in which a plant has its mean age


def owner_of(name: str) -> Owner:
    """Look an owner of the library up."""
    return library.owner(name)


def equity_rate(owner: Owner, finance: Finance) -> float:
    """Return after tax that the owner asks for, or else the study's finance entry. [fraction/yr]"""
    return finance.equity_rate if owner.equity_rate is None else owner.equity_rate


def usual_price(owner: Owner, study: Study) -> float | None:
    """Price of what is sold where the library knows one: rent of a GPU, or of a hall. [USD per unit]"""
    if owner.sells == "compute":
        return study.rack.gpu_hour_usd
    return owner.usd_per_kw_month if owner.sells == "hosting" else None


def terms_of(terms: Terms, owner: Owner, study: Study) -> Terms:
    """Terms with nothing left out that the library knows."""
    return whole_terms(terms, study.finance, owner.debt)


@dataclass(frozen=True)
class _Sheet:
    """What a project is made of."""

    result: Financed
    study: Study
    owner: Owner
    terms: Terms
    years: int

    @property
    def items(self) -> list[CostItem]:
        """Lines of the cost table that are the owner's."""
        own = [] if self.owner.sells == "power" else self.result.project_costs
        without = (_NO_MONEY,) if self.owner.sells == "compute" else (_NO_MONEY, "racks")
        return [item for item in (*self.result.costs, *own) if item.asset not in without]


def project_of(result: Financed, study: Study, owner: Owner, terms: Terms, usd_per_unit: float) -> Project:
    """Make a plant a project.

    The library's money is that of one year; expenses and what is bought again grow with inflation from year 1
    on. A part whose life is shorter than the project is bought again at the same real price.

    Parameters
    ----------
    result : Financed
        A design, a plant that was evaluated, or one that was sized.
    study : Study
        Its own.
    owner : Owner
        ``power``: the plant alone, which sells what it serves. ``hosting``: the hall too, let by the kW.
        ``compute``: hall and racks.
    terms : Terms
        As :func:`terms_of` fills them.
    usd_per_unit : float
        Of what is sold, in year 1. [USD/MWh, USD/kW-month, USD/GPU-h]

    Returns
    -------
    Project
    """
    years = int(known(terms.years))
    sheet = _Sheet(result, study, owner, terms, years)
    items, inflation, finance = sheet.items, known(terms.inflation), study.finance
    # Of land, which lasts, the upkeep is the cost of its capital, which the cash flow counts itself
    land = [item for item in items if item.capital_usd and item.recovery == "none"]
    paid = [item for item in items if item.upkeep_usd_per_yr and item not in land and item.kind != "revenue"]
    bought = [item for item in items if item.capital_usd > 0]
    months = terms.construction_months
    expenses = tuple(_expense(sheet, item) for item in paid)
    return Project(
        years=years,
        assets=tuple(_asset(sheet, item) for item in bought),
        revenues=_revenues(sheet, items, expenses, usd_per_unit),
        expenses=expenses,
        replacements=tuple(again for item in bought for again in _replacements(sheet, item)),
        debt=debt_of(terms),
        construction=Construction(
            months=result.months_to_power if months is None else months,
            rate=known(terms.debt_rate),
            loan_share=terms.construction_share,
            fee=terms.construction_fee,
            draws=terms.construction_draws,
            compound=terms.construction_interest == "compound",
        ),
        taxes=Taxes(
            federal=known(terms.federal_tax),
            state=known(terms.state_tax),
            credit_basis_reduction=finance.itc_basis_reduction_fraction,
            credit_price=known(terms.credit_price),
            production_credits=_production_credits(sheet),
        ),
        inflation=inflation,
        discount_real=(1.0 + equity_rate(owner, finance)) / (1.0 + inflation) - 1.0,
        working_months=known(terms.reserve_months),
        salvage_share=terms.salvage,
    )


def known(value: float | None) -> float:
    """Term that :func:`terms_of` has filled."""
    assert value is not None  # whole_terms() leaves nothing out
    return value


# Sale ------------------------------------------------------------------------------------------------------


def amount_sold(result: Financed, study: Study, sells: Sold, share: float = 1.0) -> float:
    """Units of what is sold in a year. [MWh, kW-month, GPU-h]"""
    if sells == "hosting":
        return share * study.contracted_it_mw * 1000 * _MONTHS_PER_YEAR
    if sells == "compute":
        return share * result.delivered_rack_h_per_yr * result.gpus_per_rack
    return share * result.served_mwh_per_yr


def _revenues(
    sheet: _Sheet, items: Sequence[CostItem], expenses: Sequence[Expense], usd_per_unit: float
) -> tuple[Revenue, ...]:
    terms, owner = sheet.terms, sheet.owner
    price: float | tuple[float, ...] = usd_per_unit
    if terms.price_path != "flat":
        path = price_path(
            terms.price_path,
            sheet.years,
            sheet.study.rack.life_yr,
            sheet.study.finance,
            terms.price_escalation,
        )
        price = tuple((usd_per_unit * path).tolist())
    first = Revenue(
        owner.sells,
        amount_sold(sheet.result, sheet.study, owner.sells, terms.sold),
        price,
        terms.price_escalation,
        contract_yr=terms.contract_yr,
        market_usd_per_unit=terms.market_price or 0.0,
        market_escalation=terms.market_escalation,
    )
    found = [first]
    if owner.sells == "hosting" and terms.pass_through:
        running = {item.name for item in items if item.kind in ("fuel", "tariff")}
        year = np.arange(sheet.years)
        passed = sum(
            (
                item.usd_per_yr * (1.0 + item.escalation) ** year * np.array(item.shape or 1.0)
                for item in expenses
                if item.name in running and not isinstance(item.usd_per_yr, tuple)
            ),
            np.zeros(sheet.years),
        )
        if passed.any():
            found.append(
                Revenue("fuel and bills passed on", 1.0, tuple((terms.pass_through * passed).tolist()))
            )
    return (*found, *(Revenue(item.name, 1.0, -item.usd_per_yr) for item in items if item.kind == "revenue"))


# Expenses --------------------------------------------------------------------------------------------------


def _expense(sheet: _Sheet, item: CostItem) -> Expense:
    terms = sheet.terms
    rise = known(terms.fuel_escalation if item.kind == "fuel" else terms.inflation)
    name = item.name if item.kind != "capital" else f"{item.name} upkeep"
    usd = item.upkeep_usd_per_yr
    if terms.augmentation_yr is not None and _is_battery_energy(item):
        # What upkeep holds for augmentation is bought as such instead
        part = sheet.study.battery.augmentation_in_fixed_om_fraction_per_yr
        usd = max(usd - part * item.capital_usd, 0.0)
    return Expense(name, usd, rise, _fuel_by_age(sheet) if item.kind == "fuel" else ())


def _fuel_by_age(sheet: _Sheet) -> tuple[float, ...]:
    """Fuel of each year over that of the year for which the plant was sized.

    What the array gives less of than at that age, and the load takes more, backup and grid give more, in
    their proportion; of the array the part is lost that would have been used.
    """
    result, pv = sheet.result, sheet.study.pv
    loss = pv.degradation_per_yr if sheet.terms.degradation is None else sheet.terms.degradation
    bought = result.energy_mwh_per_yr["backup"] + sum(
        result.energy_mwh_per_yr[name] for name in result.imports_mw
    )
    used = sum(flow.mwh_per_yr for flow in result.flows if flow.name == "solar")
    growth = sheet.study.load_growth_per_yr
    if bought <= 0.0 or (growth <= 0.0 and (loss <= 0.0 or used <= 0.0)):
        return ()
    age = np.arange(sheet.years) + _MIDDLE - sheet.study.plant_age_yr
    missing = used * (1.0 - (1.0 - loss) ** age)
    if growth:
        missing += result.served_mwh_per_yr * ((1.0 + growth) ** age - 1.0)
    return tuple(np.maximum(1.0 + missing / bought, 0.0).tolist())


def _is_battery_energy(item: CostItem) -> bool:
    return item.asset == "battery" and item.name == "battery energy"


# Assets ----------------------------------------------------------------------------------------------------


def _asset(sheet: _Sheet, item: CostItem) -> Asset:
    # Buildings get no bonus: only what is written off within twenty years does (26 USC 168(k)(2)(A))
    bonus = 0.0 if item.recovery in ("none", "line_39") else known(sheet.terms.bonus)
    credit = item.credit_usd / item.capital_usd
    kind = credit_kind(sheet.study, item.asset)
    if not is_clean(sheet.terms, sheet.study, kind) or (
        sheet.terms.credit == "production" and kind in ("pv", "wind")
    ):
        credit = 0.0
    delivered = delivered_month(sheet.study, item.asset)
    return Asset(item.name, item.capital_usd, item.recovery, bonus, credit, delivered_month=delivered)


def delivered_month(study: Study, asset: str) -> float | None:
    """Months from the order until something is there; None where nothing is known of it. [months]"""
    if asset == "solar":
        return study.pv.lead_months
    if asset == "battery":
        return study.battery.lead_months
    if asset == "hall":
        return hall_months(study.facility, library.schedule())
    leads = {item.name: backup_months(item, library.schedule()) for item in study.backup}
    leads |= {item.name: item.lead_months for item in study.wind}
    return leads.get(asset)


def credit_kind(study: Study, asset: str) -> str:
    """Kind of credit of an asset, as :func:`sitedesign.library.itc_fraction` calls it."""
    kinds = {"solar": "pv", "battery": "battery"}
    kinds |= {item.name: "wind" for item in study.wind}
    kinds |= {item.name: item.tax_credit for item in study.backup}
    return kinds.get(asset, "none")


def is_clean(terms: Terms, study: Study, kind: str) -> bool:
    """Whether enough of a part's cost comes from no prohibited foreign entity."""
    share = terms.clean_share
    least = library.least_share_of_no_foreign_entity(kind, study.construction_start, study.finance)
    return share is None or share >= least


def _production_credits(sheet: _Sheet) -> tuple[ProductionCredit, ...]:
    """Credits of sun and wind by the MWh that is used, where they are in time for them."""
    if sheet.terms.credit != "production":
        return ()
    study, found = sheet.study, []
    for flow in sheet.result.flows:
        kind = credit_kind(sheet.study, flow.name)
        if kind not in ("pv", "wind") or not is_clean(sheet.terms, sheet.study, kind):
            continue
        usd = library.production_credit_usd_per_mwh(
            kind, study.construction_start, study.in_service, study.finance
        )
        if usd and flow.mwh_per_yr > 0.0:
            years = study.finance.production_credit_yr
            found.append(ProductionCredit(flow.name, usd, flow.mwh_per_yr, years=years))
    return tuple(found)


def _replacements(sheet: _Sheet, item: CostItem) -> list[Replacement]:
    """List what is bought again: parts at the end of their lives, and the energy that batteries lose."""
    years, found = sheet.years, []
    if item.life_yr and item.recovery != "line_39":  # a building outlives its annuity
        times = math.ceil(years / item.life_yr) - 1
        again = [math.floor(number * item.life_yr) for number in range(1, times + 1)]
        found = [
            Replacement(f"{item.name} again", item.capital_usd, max(year, 1), item.recovery)
            for year in again
            if year < years
        ]
    every = sheet.terms.augmentation_yr
    if every is not None and _is_battery_energy(item):
        battery, renewed = sheet.study.battery, {again.year for again in found}
        lost = battery.fade_per_yr * every * item.capital_usd
        found += [
            Replacement(
                "battery augmentation",
                lost * (1.0 - battery.price_decline_per_yr) ** year,
                year,
                item.recovery,
            )
            for year in range(every, years, every)
            if year not in renewed
        ]
    return found


# Debt ------------------------------------------------------------------------------------------------------


def debt_of(terms: Terms) -> Debt | None:
    """Debt of a project; none where its share is nothing."""
    share = known(terms.debt_share)
    if share <= 0 and terms.debt_dscr is None:
        return None
    return Debt(
        share=share if terms.debt_dscr is None else None,
        dscr=terms.debt_dscr,
        most_share=share,
        rate=known(terms.debt_rate),
        tenor_yr=int(known(terms.debt_tenor_yr)),
        fee=known(terms.debt_fee),
        reserve_months=known(terms.reserve_months),
        repayment=terms.debt_repayment or "level",
    )
