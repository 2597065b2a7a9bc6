"""The two passes of the dispatch recursion, compiled; `dispatch_oracle.py` says what they mean."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sitedesign.util.compiled import njit

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LATE_CHARGE, EARLY_FADE = (
    1,
    2,
)  # why no dispatch exists: not full again at the end, or forced below full early


INTERCEPT, FIRST_RESOURCE = 0, 1  # columns of a cut; those of the battery follow the resources


class Series(NamedTuple):
    """Data of a case: step [h], yields [MW/MW], load [MW], usable share, capability rows of so many MW.

    The rows of each flow (supplies, then sinks) follow each other from `row_start`; `active_level` says which
    level of a flow holds in each step.
    """

    step_h: float
    resource_yield: FloatArray
    load: FloatArray
    usable: FloatArray
    eta_charge: float
    eta_discharge: float
    capability: FloatArray
    row_mw: FloatArray
    row_start: IntArray
    active_level: NDArray[np.int16]
    supplies: int


class Capacities(NamedTuple):
    """Resources together, and load with all sinks less that, per step [MW]; battery [MWh, MW]; flows [MW]."""

    weather: FloatArray
    net: FloatArray
    energy: float
    power: float
    flow: FloatArray


class Tables(NamedTuple):
    """Order of the slopes: what stands at each rank, and slopes and ranks both ways.

    A block is a level of a flow, or a tier (`flow` of -1) of some width; a `level` of -1 holds in every step.
    """

    flow: IntArray
    level: IntArray
    width: FloatArray
    weight: FloatArray
    component: IntArray
    charge_slope: IntArray
    discharge_slope: IntArray
    slope_rank: IntArray
    slope_charges: IntArray
    below_charge: IntArray
    below_discharge: IntArray


class Memory(NamedTuple):
    """Cost-to-go after each step: segment lengths [MWh], least energy [MWh], where both ends were cut."""

    segments: FloatArray
    floor: FloatArray
    trim_at: NDArray[np.int8]
    trim_by: FloatArray


class Outputs(NamedTuple):
    """Totals and bound coefficients per component; paths, or empty arrays when they are not wanted."""

    totals: FloatArray
    cut: FloatArray
    stored: FloatArray
    bus_rank: IntArray
    bus_factor: FloatArray
    slope: IntArray


@njit(cache=True, nogil=True)
def backward(
    series: Series, plant: Capacities, tables: Tables, memory: Memory
) -> tuple[int, int, int, float]:
    """Fill the memory; return (0 or why infeasible, its step, slope and offset of the state at the start)."""
    step_h, load, usable, active = series.step_h, series.load, series.usable, series.active_level
    demand, energy, power, flow_mw = plant.net, plant.energy, plant.power, plant.flow
    flows, levels, width = tables.flow, tables.level, tables.width
    charge_slope, discharge_slope = tables.charge_slope, tables.discharge_slope
    segments, floor, trim_at, trim_by = memory.segments, memory.floor, memory.trim_at, memory.trim_by
    steps, slopes = segments.shape
    blocks, last = flows.size, slopes - 1
    gain, drain = step_h * series.eta_charge, step_h / series.eta_discharge
    line = np.zeros(slopes)
    low, held = energy * usable[steps - 1], 0.0  # least energy, and how much more than that
    tolerance = 1e-6 + 1e-9 * energy  # more than the master's own tolerance on the condition cut [MWh]
    for t in range(steps - 1, -1, -1):
        for index in range(slopes):
            segments[t, index] = line[index]
        floor[t] = low
        net = demand[t]
        top, bottom = net + power, net - power
        charged = 0.0
        if net < 0.0:
            charged = (-net if top > 0.0 else power) * gain
            line[last] += charged + power * drain
        elif bottom < 0.0:
            line[last] -= bottom * drain
        if top > 0.0:
            lower = 0.0
            for rank in range(blocks):
                flow, level = flows[rank], levels[rank]
                if flow < 0:
                    upper = lower + width[rank] * load[t]
                elif level < 0 or active[flow, t] == level:
                    upper = lower + flow_mw[flow, t]
                else:  # another level of the flow holds
                    continue
                if upper > net and upper > lower:
                    length = (min(top, upper) - max(net, lower)) * gain
                    line[charge_slope[rank]] += length
                    charged += length
                if net > lower and bottom < upper:
                    line[discharge_slope[rank]] += (min(net, upper) - max(bottom, lower)) * drain
                lower = upper
                if lower >= top:
                    break
        low -= charged
        held += charged + power * drain
        full = energy * usable[t - 1] if t > 0 else energy * usable[0]
        if low > full + tolerance:
            return LATE_CHARGE, _latest_charge(series, plant, t, low), 0, 0.0
        if t > 0:
            low, held = _trim(line, low, held, full, trim_at[t], trim_by[t])
    rest = energy * usable[0] - low
    for index in range(slopes):
        if rest <= line[index]:
            return 0, 0, index, max(rest, 0.0)
        rest -= line[index]
    if rest > tolerance:
        return EARLY_FADE, _forced_step(usable, energy, power * drain), 0, 0.0
    return 0, 0, last, line[last]


@njit(cache=True)
def _latest_charge(series: Series, plant: Capacities, step: int, low: float) -> int:
    """Step from which, at or before `step`, a battery that must end full lacks the most charge."""
    gain, energy, usable = series.step_h * series.eta_charge, plant.energy, series.usable
    worst, worst_step = 0.0, step
    for t in range(step, -1, -1):
        if t < step:
            supply = plant.weather[t]
            for k in range(series.supplies):
                supply += plant.flow[k, t]
            low -= min(supply, plant.power) * gain
        missing = low - energy * usable[max(t - 1, 0)]
        if missing > worst:
            worst, worst_step = missing, t
        if low <= 0.0:
            break
    return worst_step


@njit(cache=True)
def _trim(
    line: FloatArray, low: float, held: float, full: float, at_end: NDArray[np.int8], by_end: FloatArray
) -> tuple[float, float]:
    """Cut the segments back to [0, full], most valuable end first; note slope and offset of both new ends."""
    slopes = line.size
    at, by = 0, 0.0
    if low < 0.0:
        excess = -low
        held, low = held - excess, 0.0
        while at < slopes - 1 and line[at] <= excess:
            excess -= line[at]
            line[at] = 0.0
            at += 1
        by = min(excess, line[at])
        line[at] -= by
    elif low > full:
        low = full
    excess = low + held - full
    end = slopes - 1
    if excess > 0.0:
        held = full - low
        while end > at and line[end] <= excess:
            excess -= line[end]
            line[end] = 0.0
            end -= 1
        line[end] = max(line[end] - excess, 0.0)
    at_end[0], at_end[1] = at, end
    by_end[0], by_end[1] = by, line[end] + (by if end == at else 0.0)
    return low, held


@njit(cache=True)
def _forced_step(usable: FloatArray, energy: float, drain: float) -> int:
    """Step whose usable energy is the furthest out of reach from full at the start."""
    worst, worst_step = 0.0, 0
    for t in range(usable.size):
        missing = energy * (usable[0] - usable[t]) - (t + 1) * drain
        if missing > worst:
            worst, worst_step = missing, t
    return worst_step


@njit(cache=True, nogil=True)
def forward(
    series: Series, plant: Capacities, tables: Tables, memory: Memory, start: tuple[int, float], out: Outputs
) -> None:
    """Follow the optimum from `start`; add up totals and the dual objective's coefficients per component."""
    step_h, load, usable, resource_yield = series.step_h, series.load, series.usable, series.resource_yield
    active, first_sink = series.active_level, series.row_start[series.supplies]
    eta_c, eta_d, capability, row_mw = (
        series.eta_charge,
        series.eta_discharge,
        series.capability,
        series.row_mw,
    )
    row_start = series.row_start
    demand, energy, power, flow_mw = plant.net, plant.energy, plant.power, plant.flow
    flows, levels, width = tables.flow, tables.level, tables.width
    resources = resource_yield.shape[0]
    battery_mwh = FIRST_RESOURCE + resources
    battery_mw, first_row = battery_mwh + 1, battery_mwh + 2
    weight, component = tables.weight, tables.component
    slope_rank, slope_charges = tables.slope_rank, tables.slope_charges
    below_charge, below_discharge = tables.below_charge, tables.below_discharge
    segments, floor, trim_at, trim_by = memory.segments, memory.floor, memory.trim_at, memory.trim_by
    totals, cut = out.totals, out.cut
    steps, slopes = segments.shape
    blocks, rows, last = flows.size, row_mw.size, slopes - 1
    record = out.stored.size > 0
    available = np.zeros(blocks)
    theta_component = np.zeros(slopes, dtype=np.int64)
    theta_factor = np.zeros(slopes)
    for index in range(slopes):
        rank = slope_rank[index]
        if rank >= 0:
            theta_component[index] = component[rank]
            theta_factor[index] = weight[rank] * (1.0 / eta_c if slope_charges[index] else eta_d)
    index, inside = start
    before = energy * usable[0]
    cut[theta_component[index], battery_mwh] -= theta_factor[index] * usable[0]
    for t in range(steps):
        theta_c, theta = theta_component[index], theta_factor[index]
        # Primal: split the segment the state lies in; where prices tie, energy stays in the battery.
        kept = min(inside, segments[t, index])
        after = floor[t] + kept
        for j in range(index):
            after += segments[t, j]
        after = min(after, energy * usable[t])
        change = after - before
        net = demand[t]
        need = net + (change / (step_h * eta_c) if change > 0.0 else change * eta_d / step_h)
        looked_at = 0
        while need > 0.0 and looked_at < blocks:
            flow, level, size = flows[looked_at], levels[looked_at], 0.0
            if flow < 0:
                size = width[looked_at] * load[t]
            elif level < 0 or active[flow, t] == level:
                size = flow_mw[flow, t]
            available[looked_at] = size
            totals[component[looked_at]] += min(need, size) * step_h * weight[looked_at]
            need -= size
            looked_at += 1
        # Dual: the bus price that clears the step when stored energy is worth theta; `place` is the rank
        # that sets it, -1 for a price of zero, -2 and -3 for charging and discharging at their own price.
        short = net + (power if index < last else -power)
        passed, charge_passed, discharge_passed = 0, index == last, index == last
        price_c, price, place = 0, 0.0, -1
        while short > 0.0:
            if not charge_passed and passed == below_charge[index]:
                charge_passed = True
                short -= power
                price_c, price, place = theta_c, theta * eta_c, -2
            elif not discharge_passed and passed == below_discharge[index]:
                discharge_passed = True
                short -= power
                price_c, price, place = theta_c, theta / eta_d, -3
            elif passed < blocks:
                if passed == looked_at:
                    flow, level, size = flows[passed], levels[passed], 0.0
                    if flow < 0:
                        size = width[passed] * load[t]
                    elif level < 0 or active[flow, t] == level:
                        size = flow_mw[flow, t]
                    available[passed] = size
                    looked_at += 1
                short -= available[passed]
                price_c, price, place = component[passed], weight[passed], passed
                passed += 1
            else:
                break
        if place != -1:
            hourly, served = step_h * price, load[t]
            for rank in range(passed - 1 if place >= 0 else passed):
                flow, level = flows[rank], levels[rank]
                if flow >= 0:
                    if level >= 0 and active[flow, t] != level:
                        continue
                    for row in range(row_start[flow], row_start[flow + 1]):
                        give = row_mw[row] * capability[row, t]
                        cut[price_c, first_row + row] -= hourly * give
                        cut[component[rank], first_row + row] += step_h * give
                else:
                    served -= available[rank]
                    cut[component[rank], INTERCEPT] += step_h * weight[rank] * available[rank]
            for row in range(first_sink, rows):  # a sink is load, of a size that is decided
                cut[price_c, first_row + row] += hourly * row_mw[row] * capability[row, t]
            cut[price_c, INTERCEPT] += hourly * served
            for r in range(resources):
                cut[price_c, FIRST_RESOURCE + r] -= hourly * resource_yield[r, t]
        if not charge_passed:
            cut[theta_c, battery_mw] -= step_h * eta_c * theta
            cut[price_c, battery_mw] += step_h * price
        elif discharge_passed:
            cut[price_c, battery_mw] -= step_h * price
            cut[theta_c, battery_mw] += step_h * theta / eta_d
        if record:
            out.stored[t] = after
            out.slope[t] = index
            out.bus_rank[t] = place if place >= -1 else slope_rank[index]
            out.bus_factor[t] = 1.0
            if place == -2 and not slope_charges[index]:
                out.bus_factor[t] = eta_c * eta_d
            elif place == -3 and slope_charges[index]:
                out.bus_factor[t] = 1.0 / (eta_c * eta_d)
        if t + 1 < steps:  # the same state among the untrimmed segments of the next step
            at, end = trim_at[t + 1, 0], trim_at[t + 1, 1]
            new, inside = index, kept + (trim_by[t + 1, 0] if index == at else 0.0)
            if index < at:
                new, inside = at, trim_by[t + 1, 0]
            elif index > end:
                new, inside = end, trim_by[t + 1, 1]
            if new < index:  # full: stored energy will be worth more, so room has a price
                cut[theta_component[new], battery_mwh] -= usable[t] * theta_factor[new]
                cut[theta_c, battery_mwh] += usable[t] * theta
            index = new
        before = after
    cut[theta_component[index], battery_mwh] += theta_factor[index] * usable[steps - 1]
