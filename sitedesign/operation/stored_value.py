"""What stored energy is worth: a table by step of the year, state of charge and outlook, from past years.

Stochastic dynamic programming on sampled past years. In every step an operator who knows the outlook of the
day (poor, usual or rich) sees load, weather, prices and calls of one of the past years, drawn anew, and does
what is cheapest in that step and after it. Values are slopes: energy in each of 32 equal parts of the battery
has one marginal value, falling from part to part. One step back is a merge of two falling lists: what keeping
is worth, and what drawing saves; no solver, no grid of decisions.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from sitedesign.case.case import BackupCase, Case, ImportCase, SinkCase
from sitedesign.case.plant import Plant
from sitedesign.operation.forecast import DAYS, SMOOTH_DAYS, Climatology, Forecast, resource_factors
from sitedesign.operation.records import Worth
from sitedesign.util.compiled import njit

FloatArray = NDArray[np.float64]
CELLS = 32  # equal parts of the battery
CLASSES = 3  # outlooks of a day: poor, usual, rich
_TERCILE = 0.43  # standard deviations between the middle and the outer thirds of a normal distribution
_AHEAD = 2  # days whose forecast makes the outlook of a day
_SAMPLES = 20  # days that stand for one day of the year, at least where the record has them
_MOST_YEARS = 20  # of a record, spread evenly
_WARM_UP = 45  # days after which nobody knows any more what the table ended with
_SHED = 20.0  # value of load over the dearest price or sale; never less, as sinks are dropped before load
_STREAM = 0x7A15  # keeps the forecasts of past years apart from those that are operated
_MOST_TABLES = 8  # remembered; a search goes back to few plants, a certificate runs one in many blocks
_Tables = OrderedDict[tuple[Any, ...], NDArray[np.float32]]
_tables: WeakKeyDictionary[Climatology, _Tables] = WeakKeyDictionary()
_lock = Lock()  # plants are run in several threads


def no_worth() -> Worth:
    """Stand in where no rule asks what stored energy is worth."""
    return Worth(np.zeros((CLASSES, 1, CELLS), np.float32), np.zeros(1, np.int8), 1.0)


def worth(plant: Plant, usual: Climatology, forecast: Forecast, factors: FloatArray) -> Worth:
    """Say what stored energy is worth to a plant, and the outlook of each day that is operated.

    Parameters
    ----------
    plant : Plant
    usual : Climatology
        With the past years it was made of.
    forecast : Forecast
    factors : ndarray, shape (R, days, leads)
        Forecast of the days that are operated, not lowered. [fraction]

    Returns
    -------
    Worth

    Raises
    ------
    ValueError
        Without past years.
    """
    sizes = (plant.resources_mw, plant.battery_mwh, plant.battery_mw, *plant.counts)
    key = (*sizes, forecast)
    past = usual.past
    if past is None:
        message = "the climatology has no past years, from which the value of stored energy is found"
        raise ValueError(message)
    with _lock:
        known = _tables.setdefault(usual, OrderedDict())
        table = known.get(key)
    if table is None:
        table = _table(past, plant, usual, forecast)
        with _lock:
            table = known.setdefault(key, table)
            while len(known) > _MOST_TABLES:
                known.popitem(last=False)
    cell_mwh = _usable_mwh(past, plant) / CELLS
    return Worth(table, day_classes(plant, usual, factors, _thresholds(plant, usual, forecast)), cell_mwh)


def _usable_mwh(past: Case, plant: Plant) -> float:
    return max(plant.battery_mwh * float(past.usable.max()), 1e-9)


def _anomaly(plant: Plant, usual: Climatology, factors: FloatArray) -> FloatArray:
    """Forecast energy of the next days above that of the average year, by day of issue."""
    days, leads = factors.shape[1], min(_AHEAD, factors.shape[2])
    by_day = usual.yields.reshape(len(usual.yields), DAYS, -1).sum(axis=2)
    total = np.zeros(days)
    for mw, daily, factor in zip(plant.resources_mw, by_day, factors, strict=True):
        for lead in range(leads):
            total += mw * np.resize(np.roll(daily, -lead), days) * (factor[:, lead] - 1.0)
    return total


def _past_factors(usual: Climatology, forecast: Forecast, past: Case) -> FloatArray:
    """Forecasts of the past years; with perfect sight the truth itself would be known."""
    return resource_factors(forecast, usual, past, seed=_STREAM)


def _thresholds(plant: Plant, usual: Climatology, forecast: Forecast) -> FloatArray:
    """Anomaly by day of year up to which an outlook is usual, on either side. [as the anomaly]"""
    # From the spread of each resource, as if they were independent: the same for every year that is operated
    share = [forecast.error_share(), *[forecast.error_share(wind=True)] * len(usual.other_yields)]
    by_day = usual.yields.reshape(len(usual.yields), DAYS, -1).sum(axis=2)
    variance = np.zeros(DAYS)
    for mw, daily, sd, error in zip(
        plant.resources_mw, by_day, [usual.daily_sd, *usual.other_daily_sd], share, strict=True
    ):
        for lead in range(min(_AHEAD, error.size)):
            skill = max(1.0 - float(error[lead]) ** 2, 0.0)
            variance += (mw * np.roll(daily * sd, -lead)) ** 2 * skill
    result: FloatArray = _TERCILE * np.sqrt(variance)
    return result


def day_classes(
    plant: Plant, usual: Climatology, factors: FloatArray, thresholds: FloatArray
) -> NDArray[np.int8]:
    """Outlook of each day: 0 poor, 1 usual, 2 rich."""
    anomaly = _anomaly(plant, usual, factors)
    limit = np.resize(thresholds, anomaly.size)
    classes: NDArray[np.int8] = (1 + (anomaly > limit) - (anomaly < -limit)).astype(np.int8)
    return classes


def _table(past: Case, plant: Plant, usual: Climatology, forecast: Forecast) -> NDArray[np.float32]:
    """Marginal value of stored energy after each step, shape (classes, steps per year, cells). [USD/MWh]"""
    years = np.unique(np.linspace(0, past.years - 1, min(past.years, _MOST_YEARS)).round().astype(np.int64))
    factors = _past_factors(usual, forecast, past)
    classes = day_classes(plant, usual, factors, _thresholds(plant, usual, forecast)).reshape(
        past.years, DAYS
    )
    widest = min(-(-_SAMPLES // years.size) // 2, SMOOTH_DAYS)
    size, price = _blocks(past, plant)
    net = past.load_mw - sum(
        mw * item.yield_mw_per_mw for mw, item in zip(plant.resources_mw, past.resources, strict=True)
    )
    sinks = len(past.sinks)
    asked = net + size[:sinks].sum(axis=0)
    built = zip(past.flows, plant.counts, strict=True)
    dearest = max((level.usd_per_mwh for item, n in built if n > 0 for level in item.levels), default=1.0)
    shed = max(past.lost_value_usd_per_mwh, _SHED * dearest)
    per_year = past.steps // past.years
    # Half the digits and a day in one piece: what a simulation reads in each step stays near the processor
    table = np.zeros((CLASSES, per_year, CELLS), np.float32)
    _backwards(
        table,
        np.ascontiguousarray(asked.reshape(past.years, per_year)),
        np.ascontiguousarray(size.reshape(len(size), past.years, per_year)),
        np.ascontiguousarray(price.reshape(len(price), past.years, per_year)),
        classes,
        years,
        np.array([_usable_mwh(past, plant), plant.battery_mw, past.step_h, past.eta_charge,
                  past.eta_discharge, shed]),
        widest,
        _WARM_UP,
    )  # fmt: skip
    return table


def _blocks(past: Case, plant: Plant) -> tuple[FloatArray, FloatArray]:
    """Size [MW] and price [USD/MWh] of sinks, then supplies, in each step of the past, shapes (S + K, T)."""
    items: Sequence[tuple[BackupCase | ImportCase | SinkCase, float]] = [
        *zip(past.sinks, plant.sinks, strict=True),
        *zip(past.backup, plant.units, strict=True),
        *zip(past.imports, plant.imports, strict=True),
    ]
    size, price = np.zeros((len(items), past.steps)), np.zeros((len(items), past.steps))
    for row, (item, count) in enumerate(items):
        size[row] = count * item.unit_mw * item.capability[0]
        usd = np.array([level.usd_per_mwh for level in item.levels])
        price[row] = usd[0] if item.active_level is None else usd[item.active_level]
    return size, price


@njit(cache=True, error_model="numpy", nogil=True)
def _backwards(
    table: NDArray[np.float32], asked: FloatArray, size: FloatArray, price: FloatArray, classes: NDArray[Any],
    years: NDArray[Any], battery: FloatArray, widest: int, warm_up: int,
) -> None:  # fmt: skip
    """Fill the table from the end of the year to its beginning, begun some days after the end."""
    kinds, per_year, cells = table.shape
    days = classes.shape[1]
    day_steps = per_year // days
    after, before = np.zeros((kinds, cells)), np.zeros((kinds, cells))
    count = np.zeros(kinds)
    order = np.zeros(size.shape[0], np.int64)
    slope, length = np.zeros(2 * size.shape[0] + 6), np.zeros(2 * size.shape[0] + 6)
    merged, every = np.zeros(cells), np.zeros(cells)
    for turn in range(days + warm_up - 1, -1, -1):
        day = turn % days
        # After the last step of a day the outlook of the next is not known yet: what it was in past years
        for q in range(kinds):
            before[q, :] = 0.0
            count[q] = 0.0
        every[:] = 0.0
        total = 0.0
        for row in range(years.size):
            for off in range(-widest, widest + 1):
                q = classes[years[row], (day + off) % days]
                then = classes[years[row], (day + off + 1) % days]
                before[q] += after[then]
                every += after[then]
                count[q] += 1.0
                total += 1.0
        for q in range(kinds):
            after[q] = before[q] / count[q] if count[q] > 0.0 else every / total
        for step in range(day_steps - 1, -1, -1):
            t = day * day_steps + step
            table[:, t] = after
            before[:] = 0.0
            for row in range(years.size):
                for off in range(-widest, widest + 1):
                    there = (day + off) % days
                    q = classes[years[row], there]
                    s = there * day_steps + step
                    used = _draws(
                        asked[years[row], s], size, price, years[row], s, order, battery, slope, length
                    )
                    _merge(after[q], battery, slope, length, used, merged)
                    before[q] += merged
            every[:] = 0.0
            for q in range(kinds):
                every += before[q]
            for q in range(kinds):
                after[q] = before[q] / count[q] if count[q] > 0.0 else every / total


@njit(cache=True, error_model="numpy", nogil=True)
def _draws(
    asked: float, size: FloatArray, price: FloatArray, year: int, s: int, order: NDArray[Any],
    battery: FloatArray, slope: FloatArray, length: FloatArray,
) -> int:  # fmt: skip
    """List what drawing energy saves, dearest first: slope [USD/MWh stored] and length [MWh stored].

    Load and all sinks ask for power; not serving a sink costs its value, like power from a supply. From the
    largest charge to the largest discharge the battery goes down this ladder of prices.
    """
    power, h, into, out, shed = battery[1], battery[2], battery[3], battery[4], battery[5]
    for i in range(order.size):
        j = i
        while j > 0 and price[order[j - 1], year, s] > price[i, year, s]:
            order[j] = order[j - 1]
            j -= 1
        order[j] = i
    top, used = 0.0, 0
    for i in range(order.size):
        top += size[i, year, s]
    high, low = asked + power, asked - power
    for i in range(order.size, -2, -1):
        # The ladder: load shed above all supplies, then blocks, then power that nobody wants
        if i == order.size:
            begin, end, usd = top, max(high, top), shed
        elif i >= 0:
            begin, end, usd = top - size[order[i], year, s], top, price[order[i], year, s]
            top = begin
        else:
            begin, end, usd = min(low, 0.0), 0.0, 0.0
        charge = min(end, high) - max(begin, asked)
        if charge > 0.0:
            slope[used], length[used] = usd / into, charge * h * into
            used += 1
        discharge = min(end, asked) - max(begin, low)
        if discharge > 0.0:
            slope[used], length[used] = usd * out, discharge * h / out
            used += 1
    return used


@njit(cache=True, error_model="numpy", nogil=True)
def _merge(
    keep: FloatArray,
    battery: FloatArray,
    slope: FloatArray,
    length: FloatArray,
    used: int,
    result: FloatArray,
) -> None:
    """Merge what keeping is worth with what drawing saves; the mean slope of each cell of the battery."""
    cell = battery[0] / keep.size
    skip = battery[1] * battery[2] * battery[3]  # all that may be charged stands before the empty battery
    i, j, left_keep, left_draw = 0, 0, cell, length[0] if used > 0 else 0.0
    place, room, total = 0, cell, 0.0
    while place < keep.size:
        if j < used and (i >= keep.size or slope[j] >= keep[i]):
            value, part = slope[j], left_draw
        elif i < keep.size:
            value, part = keep[i], left_keep
        else:
            value, part = 0.0, skip + room
        part = min(part, skip if skip > 0.0 else room)
        if j < used and (i >= keep.size or slope[j] >= keep[i]):
            left_draw -= part
            if left_draw <= 0.0:
                j += 1
                left_draw = length[j] if j < used else 0.0
        elif i < keep.size:
            left_keep -= part
            if left_keep <= 0.0:
                i, left_keep = i + 1, cell
        if skip > 0.0:
            skip -= part
            continue
        total += value * part
        room -= part
        if room <= cell * 1e-9:
            result[place] = total / (cell - room)
            place, room, total = place + 1, cell, 0.0
