"""A grid connection as arrays: what may be drawn and fed in, in levels of price, and what it costs a year."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sitedesign.case.case import Case, ImportCase, PriceLevel, SinkCase
from sitedesign.components.grid_connection import ConnectionDraws, WireState, curtailment_caps
from sitedesign.components.price_series import read_prices
from sitedesign.errors import Fault, InputError
from sitedesign.finance.annual_cost import annual_cost
from sitedesign.finance.bill import Bill, bill
from sitedesign.finance.billing_calendar import Calendar, year_calendar
from sitedesign.finance.charges import KW_PER_MW
from sitedesign.finance.price_levels import HOURS_PER_YEAR, PriceLevels, on_levels, price_levels
from sitedesign.finance.tariff import Tariff
from sitedesign.finance.tariff_prices import (
    coincident_usd_per_mwh,
    demand_usd_per_mw_yr,
    energy_usd_per_mwh,
    export_price,
    least_usd_per_mwh,
)
from sitedesign.library import Finance
from sitedesign.study.grid import Grid, dearer_to_sell

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
MONTHS_PER_YEAR, DAYS = 12, 365
# Names on the bus.
GRID, SALE = "grid", "sale"


@dataclass(frozen=True, eq=False)
class Clock:
    """Weather years on the calendar.

    Attributes
    ----------
    years : tuple of int
        Of the weather; 1, 2, ... where it is generated.
    step_minutes : int
        [min]
    timezone : str
        IANA name of the site's zone.
    utc_offset_h : float
        Standard time minus UTC. [h]
    """

    years: tuple[int, ...]
    step_minutes: int
    timezone: str
    utc_offset_h: float


@dataclass(frozen=True, eq=False)
class ExportSink:
    """Power that may be fed in.

    Attributes
    ----------
    mw : (float, float)
        Least and most. [MW]
    levels : PriceLevels
        What is paid, shape (years, steps).
    available : ndarray of bool, shape (years, steps)
        Whether the wires are there.
    capital_usd_per_mw : float
        [USD/MW]
    annual_usd_per_mw : float
        Capital annualised. [USD/MW-yr]
    """

    mw: tuple[float, float]
    levels: PriceLevels
    available: BoolArray
    capital_usd_per_mw: float
    annual_usd_per_mw: float


@dataclass(frozen=True, eq=False)
class GridSupply:
    """Power that may be drawn, and its price.

    Attributes
    ----------
    mw : (float, float)
        Least and most contracted power; infinite where nothing bounds it. [MW]
    state : WireState
        ``state.available`` is the share of the contracted power in each step, shape (years, steps).
    draws : ConnectionDraws
        How `state` was drawn, and others are.
    levels : PriceLevels
        Price of each step in levels, coincident peaks as expected among them.
    capital_usd_per_mw, capital_usd : float
        By contracted power, and once. [USD/MW, USD]
    annual_usd_per_mw : float
        Capital annualised, and demand charges on one MW that every month's peak reaches: no import within the
        contracted power is charged more. [USD/MW-yr]
    annual_usd : float
        What is paid whatever the power: capital annualised and fixed charges. [USD/yr]
    months : float
        Until energised. [months]
    export : ExportSink or None
    tariff : Tariff
    calendars : tuple of Calendar
        One for each weather year.
    hourly_usd_per_mwh, export_usd_per_mwh : ndarray, shape (years, steps), or None
        Prices of hourly series, below zero taken as zero. [USD/MWh]
    system_load : ndarray, shape (years, steps)
        Highest where the region draws most.
    notes : tuple of str
        Everything that was assumed.
    notice_h : float or None
        From the notice of a call to the call; None where import is never called. [h]
    """

    mw: tuple[float, float]
    state: WireState
    draws: ConnectionDraws
    levels: PriceLevels
    capital_usd_per_mw: float
    capital_usd: float
    annual_usd_per_mw: float
    annual_usd: float
    months: float
    export: ExportSink | None
    tariff: Tariff
    calendars: tuple[Calendar, ...]
    hourly_usd_per_mwh: FloatArray | None
    export_usd_per_mwh: FloatArray | None
    system_load: FloatArray
    notes: tuple[str, ...]
    notice_h: float | None = None

    @property
    def demand_usd_per_mw_yr(self) -> float:
        """Demand charges on one MW that every month's peak reaches. [USD/MW-yr]"""
        return demand_usd_per_mw_yr(self.tariff)

    @property
    def fixed_usd_per_yr(self) -> float:
        """Fixed charges. [USD/yr]"""
        return MONTHS_PER_YEAR * self.tariff.usd_per_month

    def of_years(self, rows: IntArray) -> GridSupply:
        """Pick weather years, in the order given; levels of price stay those of all years."""

        def picked(values: FloatArray | None) -> FloatArray | None:
            return None if values is None else values[rows]

        sale = self.export
        if sale is not None:
            levels = replace(sale.levels, level=sale.levels.level[rows])
            sale = replace(sale, levels=levels, available=sale.available[rows])
        return replace(
            self,
            state=WireState(self.state.cap[rows], self.state.wires[rows]),
            draws=self.draws.of_years(rows),
            levels=replace(self.levels, level=self.levels.level[rows]),
            export=sale,
            calendars=tuple(self.calendars[row] for row in rows.tolist()),
            hourly_usd_per_mwh=picked(self.hourly_usd_per_mwh),
            export_usd_per_mwh=picked(self.export_usd_per_mwh),
            system_load=self.system_load[rows],
        )

    def bills(
        self, contract_mw: float, import_mw: FloatArray, export_mw: FloatArray | None = None
    ) -> tuple[Bill, ...]:
        """Bill a dispatch exactly, year by year.

        Parameters
        ----------
        contract_mw : float
            [MW]
        import_mw, export_mw : ndarray, shape (years, steps)
            At the meter. [MW]
        """
        return tuple(
            bill(
                self.tariff,
                days,
                import_mw[row],
                None if export_mw is None else export_mw[row],
                contract_mw=contract_mw,
                hourly_usd_per_mwh=_row(self.hourly_usd_per_mwh, row),
                export_usd_per_mwh=None if export_mw is None else _row(self.export_usd_per_mwh, row),
                system_load=self.system_load[row],
            )
            for row, days in enumerate(self.calendars)
        )


def import_case(
    supply: GridSupply,
    most_mw: float,
    co2_t_per_mwh: float = 0.0,
    name: str = GRID,
    co2_price_usd_per_t: float = 0.0,
) -> ImportCase:
    """Make the connection a supply of a case.

    Parameters
    ----------
    supply : GridSupply
    most_mw : float
        Size beyond which more is of no use, where nothing else bounds it. [MW]
    co2_t_per_mwh : float
        Of the power drawn. [t/MWh]
    name : str
    co2_price_usd_per_t : float
        Paid on top of the prices. [USD/t]
    """
    least, most = supply.mw
    return ImportCase(
        name,
        supply.state.available.reshape(1, -1),
        _levels(supply.levels, co2_t_per_mwh, co2_price_usd_per_t),
        annual_cost_usd_per_unit=supply.annual_usd_per_mw,
        lead_months=supply.months,
        units_min=least,
        units_max=max(least, min(most, most_mw)),
        widest_units=most,
        active_level=supply.levels.level.ravel(),
        site_cost_usd_per_yr=supply.annual_usd,
        announced=None if supply.notice_h is None else supply.state.cap.ravel(),
        notice_h=supply.notice_h or 0.0,
    )


def sale_case(supply: GridSupply, name: str = SALE, wires: str = GRID) -> SinkCase | None:
    """Make what may be fed in a sink of a case, through the wires of an import; None where nothing may be."""
    sale = supply.export
    if sale is None:
        return None
    return SinkCase(
        name,
        sale.available.astype(np.float64).reshape(1, -1),
        _levels(sale.levels),
        annual_cost_usd_per_unit=sale.annual_usd_per_mw,
        units_min=sale.mw[0],
        units_max=sale.mw[1],
        active_level=sale.levels.level.ravel(),
        needs=wires,
    )


def with_wires(case: Case, state: WireState) -> Case:
    """Put other calls and interruptions between a case and its grid; prices and sizes stay."""
    drawn, fed_in = state.available.reshape(1, -1), state.wires.astype(np.float64).reshape(1, -1)
    return replace(
        case,
        imports=tuple(
            replace(
                item,
                capability=drawn,
                announced=None if item.announced is None else state.cap.ravel(),
            )
            if item.name == GRID
            else item
            for item in case.imports
        ),
        sinks=tuple(replace(item, capability=fed_in) if item.name == SALE else item for item in case.sinks),
    )


def _levels(
    levels: PriceLevels, co2_t_per_mwh: float = 0.0, co2_price_usd_per_t: float = 0.0
) -> tuple[PriceLevel, ...]:
    on_top = co2_t_per_mwh * co2_price_usd_per_t
    return tuple(
        PriceLevel(f"{price:,.2f} USD/MWh", price + on_top, co2_t_per_mwh) for price in levels.usd_per_mwh
    )


def _row(values: FloatArray | None, row: int) -> FloatArray | None:
    return None if values is None else values[row]


@dataclass(frozen=True, eq=False)
class SurplusPrices:
    """What surplus is worth to one who takes it, on a study's years.

    Attributes
    ----------
    levels : PriceLevels
    series : ndarray, shape (years, steps), or None
        As a user gave it; None where it follows from the weather. [USD/MWh]
    unit_mw : float
        Of one who takes it, where that follows from the weather. [MW]
    """

    levels: PriceLevels
    series: FloatArray | None = None
    unit_mw: float = 0.0


@dataclass(frozen=True, eq=False)
class OtherYears:
    """What the connection and the takers of surplus of other years take from those of a study's own.

    Attributes
    ----------
    connection : GridSupply or None
        On the study's years: its levels of price, and the series that a user gave; None without a grid.
    row, day : ndarray of int, shape (days,)
        Year, by position, and day of it from which each day takes its part of those series.
    seed : int
        Of calls and outages.
    surplus : tuple of SurplusPrices or None
        In the order of the study; None for a price that does not change.
    """

    connection: GridSupply | None
    row: IntArray
    day: IntArray
    seed: int
    surplus: tuple[SurplusPrices | None, ...] = ()

    @property
    def own(self) -> GridSupply:
        """Connection on the study's years, where there is a grid."""
        assert self.connection is not None
        return self.connection

    def drawn(self, series: FloatArray | None) -> FloatArray | None:
        """Put a series of the study's years on the others, shape (years, steps)."""
        if series is None:
            return None
        days = series.reshape(len(series), DAYS, -1)[self.row, self.day]
        return np.ascontiguousarray(days).reshape(len(self.row) // DAYS, -1)


def grid_supply(
    grid: Grid,
    clock: Clock,
    temp_air_c: FloatArray,
    finance: Finance,
    *,
    seed: int = 0,
    load_mw: FloatArray | None = None,
    other: OtherYears | None = None,
) -> GridSupply | None:
    """Put a connection on weather years.

    Parameters
    ----------
    grid : Grid
    clock : Clock
    temp_air_c : ndarray, shape (years, steps)
        Of the weather. [degrees C]
    finance : Finance
        Gives the cost of capital.
    seed : int
        Of calls and outages.
    load_mw : ndarray, shape (years, steps), optional
        Weighs the prices that are put into levels, and its highest value picks the tier of a tariff where
        nothing bounds the contracted power. [MW]
    other : OtherYears, optional
        Where the years are others than the study's own: its seed counts, and no series is read again.

    Returns
    -------
    GridSupply or None
        None where there is no grid.

    Raises
    ------
    InputError
        With every fault of the series of prices and caps, and of selling dearer than buying.
    """
    if grid.is_absent:
        return None
    tariff = grid.rates
    notes: list[str] = []
    faults: list[Fault] = []
    zone = (clock.timezone, clock.utc_offset_h) if tariff.clock == "wall" else (None, None)
    calendars = tuple(year_calendar(year, clock.step_minutes, tariff.holidays, *zone) for year in clock.years)
    if other is None:
        hourly, export_hourly = (
            hourly_prices(getattr(grid, name), f"grid.{name}", clock, notes, faults)
            for name in ("prices", "export_prices")
        )
        caps = _caps(grid, clock, temp_air_c, faults)
    else:
        own, seed = other.own, other.seed
        series = (own.hourly_usd_per_mwh, own.export_usd_per_mwh, own.draws.caps)
        hourly, export_hourly, caps = map(other.drawn, series)
    draws = ConnectionDraws(grid.calls, grid.wires, temp_air_c, clock.step_minutes, clock.years, seed, caps)
    if faults:
        raise InputError(faults, "the grid")
    sell = export_hourly
    if sell is None:
        sell = np.stack([export_price(tariff, days) for days in calendars])
    if grid.sells and other is None:
        faults = _pump_faults(tariff, calendars, hourly, sell)
        if faults:
            raise InputError(faults, "the grid")
    state = draws.state()
    mw = grid.import_mw or (0.0, math.inf)
    reference = mw[1] if math.isfinite(mw[1]) else float(load_mw.max()) if load_mw is not None else 100.0
    system = temp_air_c  # the region draws most when it is hottest
    price = np.stack(
        [
            energy_usd_per_mwh(tariff, days, reference, _row(hourly, row))
            + coincident_usd_per_mwh(tariff, days, system[row])
            for row, days in enumerate(calendars)
        ]
    )
    if other is None:
        levels = price_levels(price, grid.price_levels, load_mw)
    else:
        levels = on_levels(price, other.own.levels)
    notes += levels.notes("prices of import")
    entry = grid.connection
    per_kw = entry.connection_usd_per_kw if grid.capital_usd_per_kw is None else grid.capital_usd_per_kw
    once = entry.study_fee_usd if grid.capital_usd is None else grid.capital_usd
    once += grid.line_miles * entry.line_usd_per_mile
    by_power = annual_cost(per_kw * KW_PER_MW, 0.0, entry.life_yr, finance.wacc_power_real)
    whole = annual_cost(once, 0.0, entry.life_yr, finance.wacc_power_real)
    sink = None
    if grid.sells:
        sink = _sink(grid, sell, levels.price, state, finance, other)
        notes += sink.levels.notes("prices of export")
    return GridSupply(
        mw,
        state,
        draws,
        levels,
        by_power.capital_usd,
        whole.capital_usd,
        by_power.capital_usd_per_yr + demand_usd_per_mw_yr(tariff),
        whole.capital_usd_per_yr + MONTHS_PER_YEAR * tariff.usd_per_month,
        grid.months_to_energise,
        sink,
        tariff,
        calendars,
        hourly,
        export_hourly,
        system,
        tuple(notes),
        None if grid.calls is None else grid.calls.notice_h,
    )


def hourly_prices(
    given: object, where: str, clock: Clock, notes: list[str], faults: list[Fault]
) -> FloatArray | None:
    """Put the prices of a series on the weather's years, those below zero taken as zero.

    Parameters
    ----------
    given : object
        For :func:`~sitedesign.components.price_series.read_prices`; None where there is none.
    where : str
        Name for messages.
    clock : Clock
    notes, faults : list
        To which what was assumed, and what is wrong, is added.

    Returns
    -------
    ndarray, shape (years, steps), or None
        [USD/MWh]
    """
    if given is None:
        return None
    try:
        series = read_prices(given, where=where, utc_offset_h=clock.utc_offset_h, timezone=clock.timezone)
        values, said = series.on_years(clock.years, clock.step_minutes)
    except InputError as error:
        faults += error.faults
        return None
    notes += [*series.notes, *said]
    below = values < 0
    if below.any():
        notes.append(
            f"{where}: {int(below.sum()):,} steps with a price below zero, the lowest "
            f"{values.min():,.2f} USD/MWh, taken as 0"
        )
    return np.maximum(values, 0.0)


def _caps(grid: Grid, clock: Clock, temp_air_c: FloatArray, faults: list[Fault]) -> FloatArray | None:
    """Read what calls leave where a series says it, shape (years, steps). [fraction]"""
    calls, contract_mw = grid.calls, 1.0 if grid.mw is None else grid.mw[1]
    if calls is None or (calls.caps is None and calls.caps_mw is None):
        return None
    try:
        return curtailment_caps(calls, temp_air_c, clock.step_minutes, clock.years, contract_mw=contract_mw)
    except InputError as error:
        faults += error.faults
    return None


def _pump_faults(
    tariff: Tariff, calendars: tuple[Calendar, ...], hourly: FloatArray | None, sell: FloatArray
) -> list[Fault]:
    """Faults of the first year in which selling is dearer than buying."""
    for row, days in enumerate(calendars):
        found = dearer_to_sell(least_usd_per_mwh(tariff, days, _row(hourly, row)), sell[row], days)
        if found:
            return found
    return []


def _sink(
    grid: Grid,
    sell: FloatArray,
    buy: FloatArray,
    state: WireState,
    finance: Finance,
    other: OtherYears | None,
) -> ExportSink:
    entry = grid.connection
    asked = grid.export_capital_usd_per_kw
    per_kw = entry.export_connection_usd_per_kw if asked is None else asked
    cost = annual_cost(per_kw * KW_PER_MW, 0.0, entry.life_yr, finance.wacc_power_real)
    known = None if other is None else other.own.export
    if known is None:
        levels = _below(price_levels(sell, grid.price_levels), buy, sell)
    else:
        levels = on_levels(sell, known.levels, buy)
    return ExportSink(
        grid.export_mw or (0.0, 0.0), levels, state.wires, cost.capital_usd, cost.capital_usd_per_yr
    )


def _below(levels: PriceLevels, buy: FloatArray, sell: FloatArray) -> PriceLevels:
    """Levels of export nowhere above those of import.

    Where selling is never dearer than buying, prices put into levels of their own may still cross, and an
    optimiser would draw and feed in at once for money that no bill pays.
    """
    if not (levels.price > buy).any():
        return levels
    capped = np.minimum(levels.price, buy)
    exact = price_levels(capped, capped.size)
    error = np.abs(capped - np.maximum(sell, 0.0))
    return replace(
        exact,
        largest_error_usd_per_mwh=float(error.max()),
        mean_error_usd_per_mwh=float(error.mean()),
        error_usd_per_mw_yr=float(error.mean()) * HOURS_PER_YEAR,
        taken_as_zero=levels.taken_as_zero,
        lowest_usd_per_mwh=levels.lowest_usd_per_mwh,
    )
