"""A yardstick for causal operation: the exact recursion, solved in every step on a window seen perfectly.

Ideal units, nothing fails. It shares no code with the simulation, and knows prices, which no rule of the
package does.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

DAYS = 365


class Problem(NamedTuple):
    """Load and sun [MW], resources by step [MW], their prices and slopes, and the battery."""

    net_mw: np.ndarray
    resource_mw: np.ndarray  # (steps, R), cheapest first
    price: np.ndarray  # [USD/MWh at the bus]
    values: np.ndarray  # marginal values of stored energy, dearest first [USD/MWh stored]
    discharge_slot: np.ndarray  # where a resource stands when it replaces discharge
    charge_slot: np.ndarray  # where it stands when it charges
    zero_slot: int
    power_mw: float
    capacity_mwh: float
    eta_charge: float
    eta_discharge: float
    day_steps: int


def rolling_horizon(case, plant, voll_usd_per_mwh, window_days):
    """Power of every resource in every step (technologies, then tiers), and what is stored in the end."""
    assert case.step_h == 1.0
    assert (case.usable == 1.0).all()
    units = [n * b.unit_mw * b.capability[0] for b, n in zip(case.backup, plant.units, strict=True)]
    tiers = [tier.width * case.load_mw for tier in case.tiers]
    price = np.array(
        [b.marginal_cost_usd_per_mwh for b in case.backup] + [voll_usd_per_mwh * t.weight for t in case.tiers]
    )
    assert (np.diff(price) > 0).all()
    every = np.concatenate([price * case.eta_discharge, price / case.eta_charge, [0.0]])
    order = np.argsort(-every, kind="stable")
    slot = np.argsort(order, kind="stable")
    sun = plant.resources_mw[0] * case.resources[0].yield_mw_per_mw
    problem = Problem(
        case.load_mw - sun, np.array([*units, *tiers]).T.copy(), price, every[order],
        slot[: price.size].copy(), slot[price.size : -1].copy(), int(slot[-1]), plant.battery_mw,
        plant.battery_mwh, case.eta_charge, case.eta_discharge, 24,
    )  # fmt: skip
    return _run(problem, _value_of_days(problem), window_days)


@njit(cache=True)
def _overlap(low, high, a, b):
    return max(0.0, min(high, b) - max(low, a))


@njit(cache=True)
def _bellman_step(problem, slopes, t):
    """Go one step back: merge what the step's resources are worth into the value, trim to what fits."""
    net, power = problem.net_mw[t], problem.power_mw
    down, up = 1.0 / problem.eta_discharge, problem.eta_charge
    low, zero = 0.0, problem.zero_slot
    charged = _overlap(-np.inf, 0.0, net, net + power) * up
    slopes[zero] += charged + _overlap(-np.inf, 0.0, net - power, net) * down
    for i in range(problem.price.size):
        high = low + problem.resource_mw[t, i]
        slopes[problem.discharge_slot[i]] += _overlap(low, high, net - power, net) * down
        part = _overlap(low, high, net, net + power) * up
        slopes[problem.charge_slot[i]] += part
        charged += part
        low = high
    for i in range(slopes.size):
        cut = min(slopes[i], charged)
        slopes[i] -= cut
        charged -= cut
    excess = slopes.sum() - problem.capacity_mwh
    slopes[zero] += max(-excess, 0.0)
    for i in range(slopes.size - 1, -1, -1):
        cut = min(slopes[i], max(excess, 0.0))
        slopes[i] -= cut
        excess -= cut


@njit(cache=True)
def _value_of_days(problem):
    """Value of stored energy at each midnight, all years solved with hindsight and averaged."""
    steps, day_steps = problem.net_mw.size, problem.day_steps
    slopes = np.zeros(problem.values.size)
    slopes[problem.zero_slot] = problem.capacity_mwh
    out = np.zeros((DAYS, slopes.size))
    # Sixty days once more after the end, so that the value in the last winter knows of a spring
    for position in range(steps + min(steps, 60 * day_steps) - 1, -1, -1):
        t = position % steps
        _bellman_step(problem, slopes, t)
        if position < steps and t % day_steps == 0:
            out[(t // day_steps) % DAYS] += slopes
    for day in range(DAYS):
        out[day] *= problem.capacity_mwh / max(out[day].sum(), 1e-12)
    return out


@njit(cache=True)
def _worth(problem, slopes, price, stored):
    """Sum the stored energy above `stored` whose marginal value exceeds a price. [MWh]"""
    total = 0.0
    for i in range(slopes.size):
        if problem.values[i] <= price * (1.0 + 1e-12):
            break
        total += slopes[i]
    return max(total - stored, 0.0)


@njit(cache=True)
def _take(problem, slopes, t, stored, used):
    """From the deepest discharge upwards, take resources while stored energy is worth more."""
    net, power = problem.net_mw[t], problem.power_mw
    down, up = 1.0 / problem.eta_discharge, problem.eta_charge
    deepest = min(power, stored / down, max(net, 0.0))
    stored += min(max(-net, 0.0), power, (problem.capacity_mwh - stored) / up) * up - deepest * down
    drawn, low = net - deepest, 0.0  # what resources must give at the deepest discharge
    for i in range(problem.price.size):
        high = low + problem.resource_mw[t, i]
        used[i] = min(max(drawn - low, 0.0), high - low)
        # First instead of discharging, then for charging
        place = max(0.0, min(high, net) - max(low, drawn))
        worth = _worth(problem, slopes, problem.price[i] / down, stored) / down
        more = min(worth, place)
        stored += more * down
        used[i] += more
        if more >= place - 1e-12:
            place = max(0.0, min(high, net + power) - max(low, net, drawn))
            more = min(_worth(problem, slopes, problem.price[i] / up, stored) / up, place)
            stored += more * up
            used[i] += more
        low = high
    return stored


@njit(cache=True)
def _run(problem, end_value, window_days):
    steps, day_steps = problem.net_mw.size, problem.day_steps
    used = np.zeros((steps, problem.price.size))
    stored = problem.capacity_mwh
    for t in range(steps):
        end = min((t // day_steps + window_days + 1) * day_steps, steps)
        slopes = end_value[(end // day_steps) % DAYS].copy()
        for s in range(end - 1, t, -1):
            _bellman_step(problem, slopes, s)
        stored = _take(problem, slopes, t, stored, used[t])
    return used, stored
