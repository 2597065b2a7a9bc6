"""What imports, sinks and second fuels cost and earn in a dispatch: lines that add to those of an island."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sitedesign.case.build import StudyCase
from sitedesign.case.case import NOTHING, BackupCase, Case, FloatArray, ImportCase, SinkCase
from sitedesign.case.dispatch import Dispatch, split_by_level
from sitedesign.case.plant import Plant, imports_used
from sitedesign.finance.depreciation import recovery_class
from sitedesign.results.evaluation import CostItem, CostKind
from sitedesign.results.grid_result import GridResult
from sitedesign.results.surplus_result import SurplusResult

Flow = BackupCase | ImportCase | SinkCase


def at_levels(case: Case, item: Flow, power_mw: FloatArray, figure: str) -> float:
    """Annual energy of a flow, each MWh times a figure of the level that holds when it flows.

    Parameters
    ----------
    case : Case
    item : BackupCase, ImportCase or SinkCase
    power_mw : ndarray, shape (T,)
        [MW]
    figure : str
        Field of :class:`~sitedesign.case.case.PriceLevel`.

    Returns
    -------
    float
        [of the figure, per year]
    """
    energy = split_by_level(case, item, power_mw)
    return sum(float(getattr(level, figure)) * mwh for level, mwh in zip(item.levels, energy, strict=True))


def exchange_sizes(case: Case, plant: Plant) -> dict[str, dict[str, float]]:
    """Sizes of imports and sinks by name. [MW]"""
    imports = zip(case.imports, plant.imports, strict=True)
    sinks = zip(case.sinks, plant.sinks, strict=True)
    return {
        "imports_mw": {item.name: n * item.unit_mw for item, n in imports},
        "sinks_mw": {item.name: n * item.unit_mw for item, n in sinks},
    }


def exchange_energy(case: Case, dispatch: Dispatch) -> dict[str, float]:
    """Annual energy that each import gives and each sink takes. [MWh/yr]"""
    scale = case.step_h / case.years
    names = (item.name for item in case.flows[len(case.backup) :])
    flows = zip(names, (*dispatch.imported_mw, *dispatch.sink_mw), strict=True)
    return {name: float(mw.sum()) * scale for name, mw in flows}


def exchange_co2_t_per_yr(case: Case, dispatch: Dispatch) -> float:
    """Carbon dioxide of what is imported. [t/yr]"""
    items = zip(case.imports, dispatch.imported_mw, strict=True)
    return sum(at_levels(case, item, mw, "co2_t_per_mwh") for item, mw in items)


def exchange_costs(study_case: StudyCase, plant: Plant, dispatch: Dispatch) -> Iterator[CostItem]:
    """Lines of cost: connection and energy of each import, size and revenue of each sink.

    The yearly price of a connection holds its capital and its demand charges together, as the case does. Of
    those who take surplus more is known (:func:`surplus_costs`).
    """
    case, surplus = study_case.case, {item.case.name for item in study_case.surplus}
    imports = zip(case.imports, plant.imports, imports_used(case, plant), dispatch.imported_mw, strict=True)
    for item, size, used, mw in imports:
        once = item.site_cost_usd_per_yr if used else 0.0
        held = size * item.annual_cost_usd_per_unit + once
        yield _line(f"{item.name} connection and demand", item.name, "tariff", held)
        yield _line(f"{item.name} energy", item.name, "tariff", at_levels(case, item, mw, "usd_per_mwh"))
    for sink, size, mw in zip(case.sinks, plant.sinks, dispatch.sink_mw, strict=True):
        if sink.name in surplus:
            continue
        yield _line(f"{sink.name} size", sink.name, "fixed", size * sink.annual_cost_usd_per_unit)
        yield _line(f"{sink.name} revenue", sink.name, "revenue", -at_levels(case, sink, mw, "usd_per_mwh"))


def grid_costs(study_case: StudyCase, grid: GridResult) -> Iterator[CostItem]:
    """Lines of cost of a connection of which capital and tariff are known apart, as the optimiser counts.

    The exact bill of the same dispatch is told beside them (:class:`GridResult`).
    """
    supply, case = study_case.grid, study_case.case
    assert supply is not None
    life_yr = study_case.study.grid.connection.life_yr if study_case.study.grid is not None else 0.0
    mw, there = grid.contracted_mw, max(grid.contracted_mw, grid.sale_mw) > NOTHING
    capital = mw * supply.capital_usd_per_mw + there * supply.capital_usd
    yearly = mw * (supply.annual_usd_per_mw - supply.demand_usd_per_mw_yr)
    yearly += there * (supply.annual_usd - supply.fixed_usd_per_yr)
    yield _line("grid connection", "grid", "capital", yearly, capital, life_yr)
    charged = grid.charged_usd_per_yr
    yield _line("grid energy", "grid", "tariff", charged["energy"])
    yield _line("grid demand charges", "grid", "tariff", charged["demand"])
    yield _line("grid fixed charges", "grid", "tariff", charged["fixed"])
    price = study_case.study.co2_price_usd_per_t
    if price:
        co2_t = grid.import_mwh_per_yr * case.imports[0].levels[0].co2_t_per_mwh
        yield _line("CO2 of the grid", "grid", "fuel", co2_t * price)
    sale, sale_mw = supply.export, grid.sale_mw
    if sale is not None:
        capital, yearly = sale_mw * sale.capital_usd_per_mw, sale_mw * sale.annual_usd_per_mw
        yield _line("connection for sale", "sale", "capital", yearly, capital, life_yr)
        yield _line("power sold", "sale", "revenue", charged["export"])


def surplus_costs(surplus: Sequence[SurplusResult]) -> Iterator[CostItem]:
    """Lines of cost of those who take surplus: what it takes to have them, and what they pay."""
    for item in surplus:
        line = _line(item.name, item.name, "capital", item.cost_usd_per_yr, item.capital_usd, item.life_yr)
        yield line.model_copy(update={"upkeep_usd_per_yr": item.upkeep_usd_per_yr})
        yield _line(f"{item.name} revenue", item.name, "revenue", -item.usd_per_yr)


def _line(
    name: str, asset: str, kind: CostKind, usd_per_yr: float, capital_usd: float = 0.0, life_yr: float = 0.0
) -> CostItem:
    return CostItem(
        name=name,
        asset=asset,
        kind=kind,
        capital_usd=capital_usd,
        usd_per_yr=usd_per_yr,
        upkeep_usd_per_yr=0.0 if capital_usd else usd_per_yr,
        life_yr=life_yr,
        recovery=recovery_class(asset) if capital_usd else "none",
    )
