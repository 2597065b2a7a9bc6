"""The bill that a tariff makes of what was drawn and fed in: every charge exactly, month by month."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from sitedesign.errors import Fault, InputError, shown
from sitedesign.finance.billing_calendar import (
    ALWAYS,
    BoolArray,
    Calendar,
    FloatArray,
    Holidays,
    IntArray,
    calendar,
    finer_than_the_step,
)
from sitedesign.finance.charges import (
    KW_PER_MW,
    CoincidentCharge,
    DemandCharge,
    EnergyCharge,
    Tiers,
    usd_per_kw,
)
from sitedesign.util.gate import Measure

if TYPE_CHECKING:
    from sitedesign.finance.tariff import Tariff

LineKind = Literal["energy", "demand", "coincident", "fixed", "minimum", "export"]


@dataclass(frozen=True, eq=False)
class BillLine:
    """One charge of a bill.

    Attributes
    ----------
    kind : str
        ``energy``, ``demand``, ``coincident``, ``fixed``, ``minimum`` or ``export``.
    name : str
        Of the charge.
    usd : ndarray, shape (months,)
        Below zero where something is paid. [USD]
    amount : ndarray, shape (months,)
        What is billed. [`unit`]
    unit : str
        ``MWh``, ``MW``, or empty.
    """

    kind: LineKind
    name: str
    usd: FloatArray
    amount: FloatArray
    unit: str


@dataclass(frozen=True, eq=False)
class Bill:
    """What a tariff makes of a series.

    Attributes
    ----------
    months : tuple of str
        ``2027-01``, in order.
    lines : tuple of BillLine
        One for each charge.
    """

    months: tuple[str, ...]
    lines: tuple[BillLine, ...]

    def __repr__(self) -> str:
        """Show the sum of each line, and how to see the months."""
        head = f"Bill({self.months[0]} to {self.months[-1]}: {self.usd:,.0f} USD, by month: to_frame())"
        lines = (f"  {item.kind + ': ' + item.name:<32} {item.usd.sum():>16,.0f} USD" for item in self.lines)
        return "\n".join([head, *lines])

    @property
    def usd(self) -> float:
        """All of it. [USD]"""
        return float(sum(line.usd.sum() for line in self.lines))

    def usd_of(self, kind: LineKind) -> float:
        """All lines of one kind. [USD]"""
        return float(sum(line.usd.sum() for line in self.lines if line.kind == kind))

    def line(self, kind: LineKind, name: str) -> BillLine:
        """One line by kind and name."""
        return next(item for item in self.lines if (item.kind, item.name) == (kind, name))

    def to_frame(self) -> pd.DataFrame:
        """Return one row a month, one column a charge ("demand: on-peak"), the sum last. [USD]"""
        columns = {f"{line.kind}: {line.name}": line.usd for line in self.lines}
        frame = pd.DataFrame(columns, index=pd.Index(self.months, name="month"))
        frame["total"] = frame.sum(axis=1)
        return frame


def mean_usd_per_yr(bills: Sequence[Bill]) -> dict[str, float]:
    """Mean of the bills of several years, by charge as in :meth:`Bill.to_frame`. [USD/yr]"""
    found: dict[str, float] = {}
    for item in bills:
        for line in item.lines:
            name = f"{line.kind}: {line.name}"
            found[name] = found.get(name, 0.0) + float(line.usd.sum()) / len(bills)
    return found


def bill(
    tariff: Tariff,
    days: Calendar,
    import_mw: Any,  # noqa: ANN401
    export_mw: Any = None,  # noqa: ANN401
    *,
    contract_mw: float | None = None,
    hourly_usd_per_mwh: Any = None,  # noqa: ANN401
    export_usd_per_mwh: Any = None,  # noqa: ANN401
    system_load: Any = None,  # noqa: ANN401
) -> Bill:
    """Bill a series that has been laid on a calendar; as :meth:`Tariff.bill`.

    Raises
    ------
    InputError
        With every fault found: series of another length, that are no numbers or below zero, or that the
        tariff needs and nobody gave.
    """
    given = {
        "import_mw": import_mw,
        "export_mw": export_mw,
        "hourly_usd_per_mwh": hourly_usd_per_mwh,
        "export_usd_per_mwh": export_usd_per_mwh,
        "system_load": system_load,
    }
    series, faults = {}, _missing(tariff, given, contract_mw)
    for name, values in given.items():
        if values is not None:
            # Prices below zero are real; what is hot may be colder than nothing
            least = None if name in ("hourly_usd_per_mwh", "export_usd_per_mwh", "system_load") else 0.0
            series[name], found = _series(name, values, days.steps, least)
            faults += found
    charges = (*tariff.energy, *tariff.demand, *tariff.coincident, *tariff.export)
    parts = [part for charge in charges for part in charge.when]
    hour = finer_than_the_step(parts, days.step_minutes)
    if hour is not None:
        found_text = f"hours that change at {hour:g} h"
        allowed = f"must change between steps of {days.step_minutes} min"
        faults.append(Fault("tariff", found_text, allowed, "Give a finer series."))
    faults += [
        Fault("tariff.coincident.windows", f"step {max(window)}", f"must be below {days.steps}")
        for charge in tariff.coincident
        for window in charge.windows or ()
        if max(window) >= days.steps
    ]
    interval = tariff.demand_interval_minutes
    if interval is not None and (interval % days.step_minutes or days.steps * days.step_minutes % interval):
        allowed = f"must be whole steps of {days.step_minutes} min"
        faults.append(Fault("tariff.demand_interval_minutes", f"{interval}", allowed))
    if faults:
        raise InputError(faults, "the bill")
    energy = series["import_mw"] * days.step_h
    lines = list(_energy_lines(tariff, days, energy, series.get("hourly_usd_per_mwh")))
    lines += _demand_lines(tariff, days, series["import_mw"], contract_mw or 0.0)
    lines += _coincident_lines(tariff, days, series["import_mw"], series.get("system_load"))
    months = np.ones(len(days.labels))
    if tariff.usd_per_month:
        lines.append(BillLine("fixed", "fixed", tariff.usd_per_month * months, months, ""))
    if tariff.minimum_usd_per_month:
        so_far = sum((line.usd for line in lines), np.zeros(len(months)))
        lack = np.maximum(tariff.minimum_usd_per_month - so_far, 0.0)
        lines.append(BillLine("minimum", "minimum bill", lack, months, ""))
    if "export_mw" in series:
        fed_in = series["export_mw"] * days.step_h
        lines += _export_lines(tariff, days, fed_in, series.get("export_usd_per_mwh"))
    return Bill(days.labels, tuple(lines))


def days_of(import_mw: Any, start: str | pd.Timestamp, step_minutes: int, holidays: Holidays) -> Calendar:  # noqa: ANN401
    """Lay a series that begins at a day on the calendar.

    Raises
    ------
    InputError
        If it is no series, or does not begin at a day.
    """
    first = _day(start)
    drawn, faults = _series("import_mw", import_mw, None)
    if faults:
        raise InputError(faults, "Tariff.bill()")
    return calendar(first, len(drawn), step_minutes, holidays=holidays)


def _day(start: str | pd.Timestamp) -> pd.Timestamp:
    """Read the beginning of a series."""
    try:
        found = pd.Timestamp(start)
    except ValueError:
        found = None
    if found is None or pd.isna(found) or found.tz is not None:
        allowed = "must be a day such as '2027-01-01', without time zone"
        raise InputError([Fault("start", shown(start), allowed)], "Tariff.bill()")
    return found


def _missing(tariff: Tariff, given: dict[str, Any], contract_mw: float | None) -> list[Fault]:
    """Faults of what the tariff needs and nobody gave, and of what is given and does nothing."""
    faults = []
    hourly = given["hourly_usd_per_mwh"] is not None
    if tariff.hourly and not hourly:
        faults.append(Fault("hourly_usd_per_mwh", "nothing", "is needed: the tariff has hourly prices"))
    if hourly and not tariff.hourly:
        remedy = "Give the tariff hourly=True."
        faults.append(Fault("hourly_usd_per_mwh", "a series", "the tariff has no hourly prices", remedy))
    if given["import_mw"] is None:
        faults.append(Fault("import_mw", "nothing", "is needed, in MW"))
    if given["system_load"] is None and any(item.windows is None for item in tariff.coincident):
        remedy = "Give the system's load, or the windows of its peaks in the tariff."
        faults.append(Fault("system_load", "nothing", "is needed to find the coincident peaks", remedy))
    if contract_mw is None and any(item.minimum_take for item in tariff.demand):
        faults.append(Fault("contract_mw", "nothing", "is needed, in MW: the tariff has a minimum take"))
    elif contract_mw is not None:
        gate = Measure("MW", 0, 1e7)
        faults += gate.faults("contract_mw", gate.clean(contract_mw))
    if given["export_mw"] is not None and not tariff.export and given["export_usd_per_mwh"] is None:
        remedy = "Give the tariff an export price; 0 is one."
        faults.append(Fault("export_mw", "power fed in", "needs a price", remedy))
    return faults


def _series(
    name: str,
    values: Any,  # noqa: ANN401
    steps: int | None,
    least: float | None = 0.0,
) -> tuple[FloatArray, list[Fault]]:
    """Numbers of a series, and its faults."""
    unit = "USD/MWh" if name.endswith("mwh") else "MW"
    allowed = f"must be a row of numbers of {unit}"
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        return np.zeros(0), [Fault(name, shown(values), allowed)]
    if found.ndim != 1 or found.size == 0 or isinstance(values, str | bytes):
        return np.zeros(0), [Fault(name, f"numbers in the shape {found.shape}", allowed)]
    if steps is not None and len(found) != steps:
        return np.zeros(0), [Fault(name, f"{len(found)} steps", f"must have the {steps} of import_mw")]
    bad = ~np.isfinite(found)
    if bad.any():
        text = f"{int(bad.sum())} values that are no finite numbers, the first at step {int(bad.argmax())}"
        return np.zeros(0), [Fault(name, text, allowed)]
    if least is not None and (found < least).any():
        step = int((found < least).argmax())
        text = (
            f"{int((found < least).sum())} values below {least:g}, the first {found[step]:g} at step {step}"
        )
        return np.zeros(0), [Fault(name, text, f"must be at least {least:g} {unit}")]
    return found, []


def charge_of_step(charges: Sequence[EnergyCharge], days: Calendar) -> IntArray:
    """Place of the charge that prices each step, -1 where none does."""
    table = np.full(ALWAYS.mask().shape, -1, dtype=np.int64)
    for number in reversed(range(len(charges))):
        table[charges[number].mask()] = number
    found: IntArray = days.look_up(table)
    return found


def _tiered(amount: FloatArray, tiers: Tiers) -> FloatArray:
    """Cost of an amount whose parts have prices of their own."""
    cost = np.zeros_like(amount)
    ends = [*(start for start, _ in tiers[1:]), np.inf]
    for (start, price), end in zip(tiers, ends, strict=True):
        cost += price * np.clip(amount - start, 0.0, end - start)
    return cost


def _by_month(days: Calendar, values: FloatArray) -> FloatArray:
    return np.bincount(days.month, values, minlength=len(days.labels)).astype(np.float64)


def _energy_lines(
    tariff: Tariff, days: Calendar, energy_mwh: FloatArray, hourly: FloatArray | None
) -> Iterator[BillLine]:
    mine = charge_of_step(tariff.energy, days)
    for number, charge in enumerate(tariff.energy):
        amount = _by_month(days, np.where(mine == number, energy_mwh, 0.0))
        yield BillLine("energy", charge.name, _tiered(amount, charge.prices), amount, "MWh")
    if hourly is not None:
        paid = _by_month(days, energy_mwh * hourly)
        yield BillLine("energy", "hourly prices", paid, _by_month(days, energy_mwh), "MWh")


def _export_lines(
    tariff: Tariff, days: Calendar, fed_in_mwh: FloatArray, hourly: FloatArray | None
) -> Iterator[BillLine]:
    mine = charge_of_step(tariff.export, days)
    for number, charge in enumerate(tariff.export):
        amount = _by_month(days, np.where(mine == number, fed_in_mwh, 0.0))
        yield BillLine("export", charge.name, -_tiered(amount, charge.prices), amount, "MWh")
    if hourly is not None:
        paid = _by_month(days, fed_in_mwh * hourly)
        yield BillLine("export", "hourly prices", -paid, _by_month(days, fed_in_mwh), "MWh")


def _demand_lines(
    tariff: Tariff, days: Calendar, import_mw: FloatArray, contract_mw: float
) -> Iterator[BillLine]:
    if not tariff.demand:
        return
    metered = _metered(import_mw, tariff.demand_interval_minutes, days.step_minutes)
    months = days.month_numbers()
    for charge in tariff.demand:
        inside = days.look_up(charge.mask())
        peak = _peaks(metered, days, inside)
        charged = np.bincount(days.month[inside], minlength=len(months)) > 0
        billed = np.maximum(peak, charge.ratchet * _looked_back(peak, months, charge))
        billed = np.where(charged, np.maximum(billed, charge.minimum_take * contract_mw), 0.0)
        if charge.tiers:
            cost = KW_PER_MW * _tiered(billed, charge.tiers)
        else:
            cost = KW_PER_MW * billed * np.array([usd_per_kw(charge, month) for month in months.tolist()])
        yield BillLine("demand", charge.name, cost, billed, "MW")


def _metered(power_mw: FloatArray, interval: int | None, step_minutes: int) -> FloatArray:
    """Power as the meter averages it."""
    if interval is None or interval == step_minutes:
        return power_mw
    block = interval // step_minutes
    return np.repeat(power_mw.reshape(-1, block).mean(axis=1), block)


def _peaks(power_mw: FloatArray, days: Calendar, inside: BoolArray) -> FloatArray:
    """Highest power of each month in some of its steps; 0 where there are none. [MW]"""
    peak = np.zeros(len(days.labels))
    np.maximum.at(peak, days.month[inside], power_mw[inside])
    return peak


def _looked_back(peak_mw: FloatArray, months: IntArray, charge: DemandCharge) -> FloatArray:
    """Highest peak of the months before each one that count for the ratchet. [MW]"""
    counted = peak_mw
    if charge.lookback_in is not None:
        counted = np.where(np.isin(months, charge.lookback_in), peak_mw, 0.0)
    best = np.zeros(len(peak_mw))
    # Twelve months are one of many equal years: January looks back at the December of the same year
    turns = len(peak_mw) == 12
    for back in range(1, min(charge.lookback_months, len(peak_mw) - 1) + 1):
        earlier = np.roll(counted, back)
        if not turns:
            earlier[:back] = 0.0
        best = np.maximum(best, earlier)
    return best


def _coincident_lines(
    tariff: Tariff, days: Calendar, import_mw: FloatArray, system_load: FloatArray | None
) -> Iterator[BillLine]:
    for charge in tariff.coincident:
        windows = coincident_windows(charge, days, system_load)
        usd, amount = np.zeros(len(days.labels)), np.zeros(len(days.labels))
        share = KW_PER_MW * charge.usd_per_kw_yr / _peaks_a_year(charge)
        for window in windows:
            month = days.month[window[0]]
            highest = float(import_mw[window].max())
            usd[month] += share * highest
            amount[month] = max(amount[month], highest)
        yield BillLine("coincident", charge.name, usd, amount, "MW")


def _peaks_a_year(charge: CoincidentCharge) -> int:
    """Peaks over which the price of a year is spread."""
    if charge.windows is not None:
        return len(charge.windows)
    return charge.peaks * (len(charge.months) if charge.each_month else 1)


def coincident_windows(
    charge: CoincidentCharge, days: Calendar, system_load: FloatArray | None, *, candidates: int = 1
) -> list[list[int]]:
    """Find the steps in which the system peaks.

    Parameters
    ----------
    charge : CoincidentCharge
    days : Calendar
    system_load : ndarray, shape (steps,), or None
        Highest where the system draws most; not needed where the windows are known.
    candidates : int
        So many times as many days as there are peaks.

    Returns
    -------
    list of list of int
        One window for each peak, of the earliest and highest step of a day.
    """
    if charge.windows is not None:
        return [list(window) for window in charge.windows]
    assert system_load is not None  # asked for by the callers
    inside = days.look_up(charge.mask())
    date = days.dates.normalize()
    scope = days.month if charge.each_month else (days.dates.year - days.dates.year[0]).to_numpy()
    table = pd.DataFrame({"scope": scope, "date": date, "load": system_load})[inside]
    highest = table.loc[table.groupby("date")["load"].idxmax()]
    most = charge.peaks * candidates
    chosen = highest.sort_values("load", ascending=False, kind="stable").groupby("scope").head(most)
    return [[int(step)] for step in sorted(chosen.index)]
