"""What lies beyond the forecast window: the usual need for stored energy, by day of year."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitedesign.operation.forecast import Climatology
from sitedesign.operation.state import Machine
from sitedesign.util.compiled import njit

FloatArray = NDArray[np.float64]


def terminal_mwh(machine: Machine, climate: Climatology) -> FloatArray:
    """Energy that the average year needs in the battery, per level of resources.

    Parameters
    ----------
    machine : Machine
    climate : Climatology

    Returns
    -------
    ndarray, shape (supplies built + tiers, steps per year)
        Row m: the m + 1 cheapest of them at full power, then tiers throttled. [MWh]
    """
    share, free = machine.of_built(climate.supply_share), machine.free_mw(climate.yields)
    capability = np.array(share).reshape(len(share), free.size)
    required = np.empty((machine.tech.size + machine.tier.size, climate.solar_yield.size))
    _cyclic_needs(climate.load_mw, free, capability, machine.tech, machine.tier, machine.plant, required)
    return required


@njit(cache=True, error_model="numpy")
def _cyclic_needs(
    load: FloatArray, free: FloatArray, capability: FloatArray,
    tech: NDArray[Any], tier: NDArray[Any], plant: NDArray[Any], required: FloatArray,
) -> None:  # fmt: skip
    p, techs, steps = plant[0], tech.size, load.size
    power, full, down, up = p.battery_mw, p.battery_mwh, p.mwh_per_mw_discharge, p.mwh_per_mw_charge
    firm, net, loaded = np.zeros(steps), np.empty(steps), 1.0
    for level in range(required.shape[0]):
        if level < techs:
            counted = tech[level].units * tech[level].firm_mw
            for t in range(steps):
                firm[t] += counted * capability[level, t]
        else:
            loaded -= tier[level - techs].share
        for t in range(steps):
            net[t] = loaded * load[t] - free[t] - firm[t]
        need, required[level] = 0.0, -1.0
        # The year repeats: the second turn goes on from the first, until nothing changes any more
        for position in range(2 * steps - 1, -1, -1):
            t = position % steps
            change = min(net[t], power) * down if net[t] > 0.0 else max(net[t], -power) * up
            need = max(min(need + change, full), 0.0)
            if required[level, t] == need:
                break
            required[level, t] = need
