"""What lies beyond the forecast window: the usual need for stored energy and its value, by day of year."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sitedesign.case import Case
from sitedesign.reliability.decide import bellman_step
from sitedesign.reliability.forecast import DAYS, Climatology
from sitedesign.reliability.machine import Machine, PriceSlopes

FloatArray = NDArray[np.float64]


def usual_need(build: Machine, usual: Climatology) -> FloatArray:
    """Energy that the average year needs in the battery, per level of resources.

    Parameters
    ----------
    build : Machine
    usual : Climatology

    Returns
    -------
    ndarray, shape (technologies + tiers, steps per year)
        Row m: all units of the m + 1 cheapest technologies at full power, then tiers throttled. [MWh]
    """
    tech, tier, plant = build.tech, build.tier, build.plant[0]
    able = build.sorted_capability(list(usual.capability))
    needs = np.zeros((tech.size + tier.size, usual.solar_yield.size))
    for level in range(tech.size + tier.size):
        used = slice(0, min(level + 1, tech.size))
        firm = ((tech["units"] * tech["counted_mw"])[used, None] * able[used]).sum(axis=0)
        loaded = 1.0 - float(tier["width"][: max(0, level + 1 - tech.size)].sum())
        net = loaded * usual.load_mw - plant["solar_mw"] * usual.solar_yield - firm
        needs[level] = _cyclic_need(
            net, plant["battery_mw"], plant["battery_mwh"], plant["down"], plant["up"]
        )
    return needs


@njit(cache=True)
def _cyclic_need(net: FloatArray, power: float, full: float, down: float, up: float) -> FloatArray:
    need, out = 0.0, np.empty_like(net)
    for _ in range(2):
        for t in range(net.size - 1, -1, -1):
            need = max(min(need + min(net[t], power) * down, full), 0.0) if net[t] > 0.0 else need
            need = need if net[t] > 0.0 else max(need + max(net[t], -power) * up, 0.0)
            out[t] = need
    return out


def usual_value(past: Case, build: Machine, slopes: PriceSlopes) -> FloatArray:
    """Value of stored energy at each midnight, averaged over past years solved with hindsight.

    Parameters
    ----------
    past : Case
    build : Machine
    slopes : PriceSlopes

    Returns
    -------
    ndarray, shape (365, slopes)
        Share of the usable energy at each marginal value; rows sum to 1. [fraction]
    """
    return _average_slopes(
        np.ascontiguousarray(past.solar_yield, dtype=np.float64),
        np.ascontiguousarray(past.load_mw, dtype=np.float64),
        np.ascontiguousarray(past.usable, dtype=np.float64),
        build.sorted_capability([b.capability[0] for b in past.backup]),
        build.tech,
        build.tier,
        build.plant,
        slopes.down_slot,
        slopes.up_slot,
        slopes.zero_slot,
        np.zeros(slopes.values.size),
        round(24 / past.step_h),
    )


@njit(cache=True)
def _average_slopes(
    solar: FloatArray, load: FloatArray, usable: FloatArray, capability: FloatArray,
    tech: NDArray[Any], tier: NDArray[Any], plant: NDArray[Any],
    down_slot: NDArray[np.int64], up_slot: NDArray[np.int64], zero_slot: int, slopes: FloatArray,
    day_steps: int,
) -> FloatArray:  # fmt: skip
    p, steps, techs = plant[0], load.size, tech.size
    slopes[zero_slot] = p.battery_mwh * usable[steps - 1]
    block = np.empty(techs + tier.size)
    out = np.zeros((DAYS, slopes.size))
    # Sixty days once more after the end, so that the value in the last winter knows of a spring
    for position in range(steps + min(steps, 60 * day_steps) - 1, -1, -1):
        t = position % steps
        for k in range(techs):
            block[k] = tech[k].units * tech[k].counted_mw * capability[k, t]
        for j in range(tier.size):
            block[techs + j] = tier[j].width * load[t]
        full = p.battery_mwh * usable[t]
        net = load[t] - p.solar_mw * solar[t]
        bellman_step(slopes, block, down_slot, up_slot, zero_slot, net, p.battery_mw, full, p.down, p.up)
        if position < steps and t % day_steps == 0:
            for i in range(slopes.size):
                out[(t // day_steps) % DAYS, i] += slopes[i]
    for day in range(DAYS):
        total = out[day].sum()
        if total > 0.0:
            out[day] /= total
        else:
            out[day, zero_slot] = 1.0
    return out
