"""Operation of a fixed plant, step by step, by somebody who cannot see the future.

No Pyomo and nothing from ``optimize/`` or ``equations/``: the judge shares no code with the judged.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sitedesign.case import Case, Dispatch, Plant

FloatArray = NDArray[np.float64]


def available_backup_mw(case: Case, plant: Plant) -> FloatArray:
    """Sum what the units of each technology can give in each step.

    Parameters
    ----------
    case : Case
        ``capability`` may hold one row for all units or one row a unit.
    plant : Plant

    Returns
    -------
    ndarray, shape (K, T)
        [MW at the bus]
    """
    available = np.zeros((len(case.backup), case.steps))
    for row, (backup, units) in enumerate(zip(case.backup, plant.units, strict=True)):
        rows = backup.capability.shape[0]
        own = min(units, rows)
        available[row] = backup.capability[:own].sum(axis=0)
        available[row] += (units - own) * backup.capability[rows - 1]
        available[row] *= backup.unit_mw
    return available


def operate_greedy(case: Case, plant: Plant) -> Dispatch:
    """Run a plant without any look-ahead: solar, then battery, then units, then shedding.

    Solar serves the load and its surplus charges the battery; a deficit is met by the battery, then by the
    units in order of marginal cost, then by shedding tier after tier. Units follow the load freely (no start
    time, no minimum load), as in the optimiser's equations, so that the two can be compared exactly. The
    battery is full at the start; what is in it at the end is not topped up for free but reported
    (:class:`~sitedesign.reliability.replay.Replay`).

    Parameters
    ----------
    case : Case
    plant : Plant

    Returns
    -------
    Dispatch
        Closes the energy balance to rounding.
    """
    order = np.argsort([backup.marginal_cost_usd_per_mwh for backup in case.backup], kind="stable").astype(
        np.int64
    )
    out = _greedy(
        case.step_h,
        plant.solar_mw * case.solar_yield,
        np.ascontiguousarray(case.load_mw, dtype=np.float64),
        plant.battery_mwh * case.usable,
        plant.battery_mw,
        case.eta_charge,
        case.eta_discharge,
        available_backup_mw(case, plant),
        order,
        np.array([tier.width for tier in case.tiers]),
        np.array([tier.weight for tier in case.tiers]),
    )
    return Dispatch(*out)


@njit(cache=True)
def _greedy(
    step_h: float,
    solar: FloatArray,
    load: FloatArray,
    room_mwh: FloatArray,
    power_mw: float,
    eta_c: float,
    eta_d: float,
    available: FloatArray,
    order: NDArray[np.int64],
    width: FloatArray,
    weight: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    steps = load.size
    curtailed, charge, discharge = np.zeros(steps), np.zeros(steps), np.zeros(steps)
    shed, stored, lost = np.zeros(steps), np.zeros(steps), np.zeros(steps)
    backup = np.zeros((order.size, steps))
    energy = room_mwh[0]
    for t in range(steps):
        net = load[t] - solar[t]
        room = room_mwh[t] - energy
        if room < 0.0:  # capacity faded under a full battery: the excess has to leave first
            discharge[t] = min(-room * eta_d / step_h, power_mw, load[t])
            net -= discharge[t]
        if net <= 0.0:
            if room > 0.0:
                charge[t] = min(-net, power_mw, room / (eta_c * step_h))
            curtailed[t] = -net - charge[t]
        else:
            more = min(net, power_mw - discharge[t], energy * eta_d / step_h - discharge[t])
            if more > 0.0:
                discharge[t] += more
                net -= more
            for k in order:
                backup[k, t] = min(net, available[k, t])
                net -= backup[k, t]
            for j in range(width.size):
                part = net if j == width.size - 1 else min(net, width[j] * load[t])
                shed[t] += part
                lost[t] += weight[j] * part
                net -= part
        if load[t] > 0.0:
            lost[t] /= load[t]
        energy += step_h * (eta_c * charge[t] - discharge[t] / eta_d)
        if energy < 0.0:  # rounding
            energy = 0.0
        stored[t] = energy
    return curtailed, charge, discharge, shed, stored, backup, lost
