"""What lies beyond the forecast window: the usual need for stored energy and its value, by day of year."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sitedesign.case.case import Case
from sitedesign.operation.forecast import DAYS, Climatology
from sitedesign.operation.policies import bellman_step
from sitedesign.operation.state import Machine, PriceSlopes

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
    able = build.sorted_capability(list(usual.capability))
    needs = np.empty((build.tech.size + build.tier.size, usual.solar_yield.size))
    _cyclic_needs(usual.load_mw, usual.solar_yield, able, build.tech, build.tier, build.plant, needs)
    return needs


@njit(cache=True, error_model="numpy")
def _cyclic_needs(
    load: FloatArray, solar: FloatArray, able: FloatArray,
    tech: NDArray[Any], tier: NDArray[Any], plant: NDArray[Any], needs: FloatArray,
) -> None:  # fmt: skip
    p, techs, steps = plant[0], tech.size, load.size
    power, full, down, up = p.battery_mw, p.battery_mwh, p.down, p.up
    firm, net, loaded = np.zeros(steps), np.empty(steps), 1.0
    for level in range(needs.shape[0]):
        if level < techs:
            counted = tech[level].units * tech[level].counted_mw
            for t in range(steps):
                firm[t] += counted * able[level, t]
        else:
            loaded -= tier[level - techs].width
        for t in range(steps):
            net[t] = loaded * load[t] - p.solar_mw * solar[t] - firm[t]
        need, needs[level] = 0.0, -1.0
        # The year repeats: the second turn goes on from the first, until nothing changes any more
        for position in range(2 * steps - 1, -1, -1):
            t = position % steps
            change = min(net[t], power) * down if net[t] > 0.0 else max(net[t], -power) * up
            need = max(min(need + change, full), 0.0)
            if needs[level, t] == need:
                break
            needs[level, t] = need


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
        np.ascontiguousarray(past.sole_resource.yield_mw_per_mw, dtype=np.float64),
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
