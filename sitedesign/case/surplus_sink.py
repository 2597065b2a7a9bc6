"""Who takes surplus as sinks of a case: power at a price, or racks of the study's model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sitedesign.case.case import FloatArray, PriceLevel, SinkCase
from sitedesign.case.grid_supply import Clock, OtherYears, SurplusPrices, hourly_prices
from sitedesign.components.load import load_mw
from sitedesign.errors import Fault, InputError
from sitedesign.finance.annual_cost import AnnualCost, annual_cost, hall_costs, rack_cost
from sitedesign.finance.charges import KW_PER_MW
from sitedesign.finance.price_levels import LEVELS, PriceLevels, on_levels, price_levels
from sitedesign.study.study import Study
from sitedesign.study.surplus import Surplus, units_between
from sitedesign.weather.weather import Weather


@dataclass(frozen=True, eq=False)
class SurplusSink:
    """One who may take surplus.

    Attributes
    ----------
    asked : Surplus
    case : SinkCase
    cost : AnnualCost
        Of one MW, unit or rack.
    prices : SurplusPrices or None
        None for a price that does not change.
    notes : tuple of str
        What was done to its prices.
    """

    asked: Surplus
    case: SinkCase
    cost: AnnualCost
    prices: SurplusPrices | None = None
    notes: tuple[str, ...] = ()


def surplus_sinks(
    study: Study, weather: Weather, clock: Clock, load: FloatArray, other: OtherYears | None = None
) -> tuple[SurplusSink, ...]:
    """Put all who may take surplus on the weather years.

    Parameters
    ----------
    study : Study
    weather : Weather
    clock : Clock
    load : ndarray, shape (T,)
        Of the contracted racks: its peak bounds what nobody bounds. [MW at the bus]
    other : OtherYears, optional
        Where the years are others than the study's own: levels stay those, and no series is read again.

    Raises
    ------
    InputError
        With every fault of their series of prices.
    """
    faults: list[Fault] = []
    known = (None,) * len(study.surplus) if other is None else other.surplus
    found = []
    for number, (item, own) in enumerate(zip(study.surplus, known, strict=True)):
        if item.racks is not None:
            found.append(_of_racks(study, item, weather, own))
            continue
        notes: list[str] = []
        where = f"study.surplus[{number}].prices"
        series = hourly_prices(item.prices, where, clock, notes, faults) if other is None else None
        if other is not None and own is not None:
            series = other.drawn(own.series)
        prices = None
        if series is not None:
            levels = (
                price_levels(series, item.price_levels or LEVELS)
                if own is None
                else on_levels(series, own.levels)
            )
            prices = SurplusPrices(levels, series)
            notes += levels.notes(f"{item.label}: prices")
        found.append(_of_power(study, item, float(load.max()), load.size, prices, tuple(notes)))
    if faults:
        raise InputError(faults, "solve()")
    return tuple(found)


def _of_power(
    study: Study,
    item: Surplus,
    peak_mw: float,
    steps: int,
    prices: SurplusPrices | None,
    notes: tuple[str, ...],
) -> SurplusSink:
    mw = (0.0, peak_mw) if item.mw is None else item.mw
    unit_mw = item.unit or 1.0
    bounds = mw if item.unit is None else units_between(mw, unit_mw)
    finance = study.finance
    cost = annual_cost(
        item.capex_usd_per_kw * KW_PER_MW * unit_mw,
        item.upkeep_usd_per_kw_yr * KW_PER_MW * unit_mw,
        item.economic_life_yr or finance.analysis_yr,
        finance.wacc_power_real,
    )
    case = SinkCase(
        item.label,
        np.full((1, steps), item.available_fraction),
        (PriceLevel(item.label, item.value_usd_per_mwh),) if prices is None else _levels(prices.levels),
        annual_cost_usd_per_unit=cost.total_usd_per_yr,
        units_min=float(bounds[0]),
        units_max=float(bounds[1]),
        active_level=None if prices is None else prices.levels.level.ravel(),
        unit_mw=unit_mw,
        whole=item.unit is not None,
    )
    return SurplusSink(item, case, cost, prices, notes)


def _of_racks(study: Study, item: Surplus, weather: Weather, own: SurplusPrices | None) -> SurplusSink:
    """Racks as they are: cooling follows the air, and with it the power of a rack and the worth of a MWh.

    Racks fail as all others do, and have no spares: what fails takes its power and is worth nothing.
    """
    assert item.racks is not None
    asks = load_mw(weather, study.rack, 1, study.facility, study.path, study.sustained)
    worth = (item.usd_per_rack_h or 0.0) * study.rack.availability / asks
    put = price_levels(worth, LEVELS) if own is None else on_levels(worth, own.levels)
    rack = rack_cost(study.rack, study.finance)
    if item.capital_usd_per_rack is not None:
        life_yr, wacc = study.rack.life_yr, study.finance.wacc_compute
        rack = annual_cost(item.capital_usd_per_rack, 0.0, life_yr, wacc)
    cost = rack
    for part in hall_costs(study.local(study.facility), study.local(study.finance), study.rack_mw):
        cost = cost + part
    # Of other years as of the study's own, so that years can stand in one sequence
    unit_mw = float(asks.max()) if own is None else own.unit_mw
    case = SinkCase(
        item.label,
        asks.reshape(1, -1) / unit_mw,
        _levels(put),
        annual_cost_usd_per_unit=cost.total_usd_per_yr,
        units_min=float(item.racks[0]),
        units_max=float(item.racks[1]),
        active_level=put.level.ravel(),
        unit_mw=unit_mw,
        whole=True,
    )
    return SurplusSink(
        item,
        case,
        cost,
        SurplusPrices(put, unit_mw=unit_mw),
        put.notes(f"{item.label}: worth of a MWh, by the air,"),
    )


def _levels(levels: PriceLevels) -> tuple[PriceLevel, ...]:
    return tuple(PriceLevel(f"{price:,.2f} USD/MWh", price) for price in levels.usd_per_mwh)
