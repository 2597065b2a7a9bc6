"""Upper bounds of the capacities, derived from the arrays of a case: what more than this could not help.

None of them is guessed. They fill :class:`~sitedesign.case.limits.CaseLimits` where a study sets no limit, so
that every variable is bounded by what the site can physically use. Each assumes that the other sizes are
free: :mod:`sitedesign.optimize.widening` proves of every answer that they have cost nothing, or widens them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sitedesign.case.case import Case, FloatArray

Pair = tuple[float, float]

_DARK = 1e-6  # a stretch below this share of the mean yield is without sun


@dataclass(frozen=True)
class CapacityBounds:
    """Derived upper bounds.

    Attributes
    ----------
    solar_mw, battery_mwh, battery_mw : float
        [MWdc, MWh nameplate, MW]
    """

    solar_mw: float
    battery_mwh: float
    battery_mw: float


def bounds_of(case: Case) -> CapacityBounds:
    """Give the upper bounds that a case has."""
    limits = case.limits
    return CapacityBounds(case.resources[0].bounds_mw[1], limits.battery_mwh[1], limits.battery_mw[1])


def units_max(peak_mw: float, unit_mw: float, capability: FloatArray) -> int:
    """Units that carry the peak load alone at their worst derating.

    With that many units alike every step in which they run at all can be served without sun and battery; one
    more unit has nothing to do. Steps in which they cannot run (capability 0) are no reason for more of them.

    Parameters
    ----------
    peak_mw : float
        Highest load. [MW at the bus]
    unit_mw : float
        Rated power of one unit. [MW at the bus]
    capability : ndarray
        Share of the rating that a unit can give in each step. [fraction]

    Returns
    -------
    int
        0 when the units can never run.
    """
    running = capability[capability > 0.0]
    if running.size == 0 or peak_mw <= 0.0:
        return 0
    return math.ceil(peak_mw / (unit_mw * float(running.min())) - 1e-9)


def solar_upper_mw(solar_yield: FloatArray, load_mw: FloatArray, step_h: float, round_trip: float) -> float:
    """Array that carries every single day, the darkest too, from that day's own sun.

    With it the battery bridges only the night; a larger array meets darker days than there are. When some day
    has no sun at all, the shortest stretch of days that always has some takes the place of the day.

    Parameters
    ----------
    solar_yield : ndarray, shape (T,)
        [MW/MWdc]
    load_mw : ndarray, shape (T,)
        [MW]
    step_h : float
        [h]
    round_trip : float
        Round-trip efficiency of the battery, through which all of it is taken to pass. [fraction]

    Returns
    -------
    float
        [MWdc]; 0 when the sun never shines.
    """
    mean = float(solar_yield.mean()) if solar_yield.size else 0.0
    if mean <= 0.0:
        return 0.0
    width = max(1, min(round(24.0 / step_h), solar_yield.size))
    while True:
        sun = _stretches(solar_yield, width)
        if float(sun.min()) > _DARK * mean * width or width >= solar_yield.size:
            need = _stretches(load_mw, width) / np.maximum(sun, _DARK * mean * width)
            return float(need.max()) / round_trip
        width = min(2 * width, solar_yield.size)


def battery_upper_mwh(
    solar_yield: FloatArray, load_mw: FloatArray, step_h: float, usable: float, one_way: float
) -> float:
    """Seasonal store of the smallest array whose sun, over all years and after losses, equals the load.

    It is the largest swing of the stored energy when that array carries the load alone and the weather years
    repeat without end. A smaller array cannot fill such a store, a larger one does not need it.

    Parameters
    ----------
    solar_yield, load_mw : ndarray, shape (T,)
        [MW/MWdc, MW]
    step_h : float
        [h]
    usable : float
        Least usable share of the nameplate energy. [fraction]
    one_way : float
        One-way efficiency of the battery. [fraction]

    Returns
    -------
    float
        [MWh nameplate]; without any sun the load of one day, for then the battery only smooths the backup.
    """
    day = round(24.0 / step_h)
    one_day = float(_stretches(load_mw, max(1, min(day, load_mw.size))).max(initial=0.0)) * step_h
    floor = one_day / one_way / usable
    total_sun = float(solar_yield.sum())
    if total_sun <= 0.0:
        return floor
    solar_mw = float(load_mw.sum()) / total_sun / one_way**2
    surplus = solar_mw * solar_yield - load_mw
    change = np.where(surplus > 0.0, surplus * one_way, surplus / one_way) * step_h
    twice = np.cumsum(np.concatenate([change, change]))
    highest = np.maximum.accumulate(twice)
    highest -= twice
    swing = float(highest.max(initial=0.0))
    return max(swing / usable, floor)


def within(derived: float, asked: Pair | None) -> tuple[Pair, float]:
    """Put a derived bound where a user set none, or a wider one.

    Parameters
    ----------
    derived : float
        Upper bound of a size.
    asked : tuple of float or None
        (least, most), None where nothing was said.

    Returns
    -------
    bounds, widest : tuple of float, float
        What an optimiser begins with, and how far it may go.
    """
    least, most = asked or (0.0, math.inf)
    return (least, max(least, min(most, derived))), most


def capacity_bounds(
    solar_yield: FloatArray, load_mw: FloatArray, step_h: float, usable: float, one_way: float
) -> CapacityBounds:
    """Derive the upper bounds of array, battery energy and battery power.

    Battery power need not exceed the peak load, nor what the largest array gives beyond the load.

    Parameters
    ----------
    solar_yield, load_mw : ndarray, shape (T,)
        [MW/MWdc, MW]
    step_h : float
        [h]
    usable : float
        Least usable share of the nameplate energy. [fraction]
    one_way : float
        One-way efficiency of the battery. [fraction]

    Returns
    -------
    CapacityBounds
    """
    solar_mw = solar_upper_mw(solar_yield, load_mw, step_h, one_way**2)
    battery_mwh = battery_upper_mwh(solar_yield, load_mw, step_h, usable, one_way)
    peak = float(load_mw.max(initial=0.0))
    power = max(peak, solar_mw * float(solar_yield.max(initial=0.0)) - float(load_mw.min(initial=peak)))
    # Filling and emptying the whole store within one step is as fast as any step can ask for.
    return CapacityBounds(solar_mw, battery_mwh, min(power, battery_mwh / one_way / step_h))


def _stretches(series: FloatArray, width: int) -> FloatArray:
    """Sum consecutive, non-overlapping stretches of `width` steps (a shorter rest is left out)."""
    count = series.size // width
    return np.asarray(series[: count * width].reshape(count, width).sum(axis=1), dtype=np.float64)
