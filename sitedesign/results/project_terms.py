"""A design as a project of finance: what it buys, pays and sells, line by line from its table of costs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from sitedesign import library
from sitedesign.finance.project import (
    Asset,
    Construction,
    Debt,
    Expense,
    Project,
    Replacement,
    Revenue,
    Taxes,
)
from sitedesign.finance.terms import Terms
from sitedesign.library import Finance, Rack
from sitedesign.results.design import Design
from sitedesign.results.evaluation import CostItem

Seller = Literal["power", "compute"]
#: What each kind of seller sells, and its unit.
SOLD: dict[Seller, tuple[str, str]] = {"power": ("power", "MWh"), "compute": ("compute", "GPU-h")}
_NO_MONEY = "delay"  # an asset of the cost table that nobody pays


def finance_of(design: Design) -> Finance:
    """Entry of the library that a design was made with."""
    found: Finance = _entry("finance", design.study["finance"])
    return found


def usual_price(design: Design, seller: Seller) -> float | None:
    """Price of what is sold where the library knows one: the rent of a GPU. [USD/GPU-h]"""
    rack: Rack = _entry("rack", design.study["rack"])
    return rack.gpu_hour_usd if seller == "compute" else None


def _entry(kind: str, data: Mapping[str, Any]) -> Any:  # noqa: ANN401
    return library.KINDS[kind](**data)


def project_of(design: Design, seller: Seller, terms: Terms, usd_per_unit: float) -> Project:
    """Make a design a project.

    The library's money is that of one year; expenses and what is bought again grow with inflation from year 1
    on. A part whose life is shorter than the project is bought again at the same real price.

    Parameters
    ----------
    design : Design
    seller : str
        ``power``: the plant alone, which sells what it serves. ``compute``: hall and racks too.
    terms : Terms
        With nothing left out.
    usd_per_unit : float
        Of what is sold, in year 1. [USD/MWh, USD/GPU-h]
    """
    items = [*design.costs, *(design.project_costs if seller == "compute" else ())]
    without = (_NO_MONEY,) if seller == "compute" else (_NO_MONEY, "racks")
    items = [item for item in items if item.asset not in without]
    # Of land, which lasts, the upkeep is the cost of its capital, which the cash flow counts itself
    land = [item for item in items if item.capital_usd and item.recovery == "none"]
    paid = [item for item in items if item.upkeep_usd_per_yr and item not in land]
    amount = design.served_mwh_per_yr
    if seller == "compute":
        amount = design.delivered_rack_h_per_yr * design.gpus_per_rack
    bought = [item for item in items if item.capital_usd > 0]
    years, inflation = _known(terms.years), _known(terms.inflation)
    months = design.months_to_power if terms.construction_months is None else terms.construction_months
    debt = None
    share = _known(terms.debt_share)
    if share > 0 or terms.debt_dscr is not None:
        debt = Debt(
            share=share if terms.debt_dscr is None else None,
            dscr=terms.debt_dscr,
            most_share=share,
            rate=_known(terms.debt_rate),
            tenor_yr=int(_known(terms.debt_tenor_yr)),
            fee=_known(terms.debt_fee),
            reserve_months=_known(terms.reserve_months),
        )
    return Project(
        years=int(years),
        assets=tuple(_asset(item, _known(terms.bonus)) for item in bought),
        revenues=(
            Revenue(SOLD[seller][0], amount, usd_per_unit, terms.price_escalation),
            *(Revenue(item.name, 1.0, -item.usd_per_yr) for item in items if item.kind == "revenue"),
        ),
        expenses=tuple(_expense(item, terms) for item in paid if item.kind != "revenue"),
        replacements=tuple(again for item in bought for again in _replacements(item, int(years))),
        debt=debt,
        construction=Construction(months=months, rate=_known(terms.debt_rate)),
        taxes=Taxes(
            federal=_known(terms.federal_tax),
            state=_known(terms.state_tax),
            credit_basis_reduction=finance_of(design).itc_basis_reduction_fraction,
            credit_price=terms.credit_price,
        ),
        inflation=inflation,
        discount_real=(1.0 + finance_of(design).equity_rate) / (1.0 + inflation) - 1.0,
        working_months=_known(terms.reserve_months),
        salvage_share=terms.salvage,
    )


def _known(value: float | None) -> float:
    assert value is not None  # whole_terms() leaves nothing out
    return value


def _asset(item: CostItem, bonus: float) -> Asset:
    # Buildings get no bonus: only what is written off within twenty years does (26 USC 168(k)(2)(A))
    bonus = 0.0 if item.recovery in ("none", "line_39") else bonus
    return Asset(item.name, item.capital_usd, item.recovery, bonus, item.credit_usd / item.capital_usd)


def _expense(item: CostItem, terms: Terms) -> Expense:
    rise = terms.fuel_escalation if item.kind == "fuel" else terms.inflation
    name = item.name if item.kind != "capital" else f"{item.name} upkeep"
    return Expense(name, item.upkeep_usd_per_yr, _known(rise))


def _replacements(item: CostItem, years: int) -> list[Replacement]:
    if not item.life_yr or item.recovery == "line_39":  # a building outlives its annuity
        return []
    times = math.ceil(years / item.life_yr) - 1
    again = [math.floor(number * item.life_yr) for number in range(1, times + 1)]
    return [
        Replacement(f"{item.name} again", item.capital_usd, max(year, 1), item.recovery)
        for year in again
        if year < years
    ]
