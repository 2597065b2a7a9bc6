"""Units of backup in one step, compiled: what starts, may fail to, runs, stops and burns.

Rows are records of :mod:`sitedesign.operation.records`; `k` is the row of a technology, `t` the step.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sitedesign.operation.compiled import inlined, inside, njit
from sitedesign.operation.policies import GREEDY, LATEST_SAFE_START
from sitedesign.operation.records import Array, Hub, Record

_DROP = 1e-9  # of fuel: what rounding may leave or take


@inside
def _chance(key: Any, step: int) -> float:  # noqa: ANN401 - a 64-bit unsigned integer, which numba types
    """Uniform number of one stream at one step (splitmix64), the same whatever happened before."""
    z = np.uint64(key) + np.uint64(step + 1) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@inlined
def switch_supply(one: Record, cut_off: bool, t: int) -> None:
    """Let a technology run on its tank from this step on, or on its supply, which also fills the tank."""
    if cut_off and one.interrupted == 0:
        one.fuel_inventory = min(
            one.fuel_inventory + one.refill_rate * (t - one.refilled_from), one.fuel_inventory_max
        )
        one.switched_at = t + one.switch_steps
    elif not cut_off and one.interrupted != 0:
        one.refilled_from = t
    one.interrupted = 1 if cut_off else 0
    one.firm_mw = one.rated_firm_mw * (one.second_fuel_share if cut_off else 1.0)


@inlined
def _dry(one: Record) -> bool:
    """Whether the tank cannot even keep one unit at its lowest load for a step."""
    return bool(one.fuel_inventory < max(one.min_load_fuel, _DROP) * (1.0 - _DROP))


@inlined
def off(one: Record, step_h: float, t: int) -> None:
    """Book the hours of a unit from its start to this step, in which it does not run."""
    one.on = 0
    one.run_h += (t - one.started_at) * step_h


@inside
def refresh(tech: Array, unit: Array, p: Record, t: int) -> None:
    """Count units that are free and running after something changed; a unit that is down trips."""
    next_repair = np.inf
    for k in range(tech.size):
        supplied = tech[k].interrupted == 0 or not _dry(tech[k])
        usable = supplied and tech[k].common_causes == 0 and p.site_causes == 0
        free, running = 0, 0
        for u in range(tech[k].first_unit, tech[k].first_unit + tech[k].units):
            if unit[u].repaired_at > t:
                next_repair = min(next_repair, unit[u].repaired_at)
            if usable and unit[u].down == 0 and unit[u].repaired_at <= t:
                free += 1
                running += unit[u].on
            elif unit[u].on != 0:
                off(unit[u], p.step_h, t)
        tech[k].n_free, tech[k].n_on = free, running
    p.next_repair = next_repair


@inside
def _break(tech: Array, unit: Array, p: Record, k: int, u: int, t: int, steps: float) -> None:
    """Send a unit that failed to start to repair, which takes so many steps."""
    unit[u].repaired_at = t + steps
    p.next_repair = min(p.next_repair, unit[u].repaired_at)
    tech[k].n_free -= 1


@njit(cache=True, error_model="numpy")
def _break_together(tech: Array, unit: Array, p: Record, k: int, u: int, t: int, lethal: bool) -> None:
    """Send all units that stand still, or each by chance, with the one whose start failed to repair.

    A cause that is reset when the start is tried again lasts until then.
    """
    reset = _chance(unit[u].start_key, 2 * t + 1) < tech[k].retry_success
    steps = tech[k].retry_steps if reset else tech[k].start_common_steps
    for other in range(tech[k].first_unit, tech[k].first_unit + tech[k].units):
        if unit[other].on == 0 and unit[other].down == 0 and unit[other].repaired_at <= t:
            taken = _chance(unit[other].start_key ^ tech[k].start_key, t) < tech[k].start_coupling
            if other == u or lethal or taken:
                _break(tech, unit, p, k, other, t, steps)


@inside
def _start(tech: Array, unit: Array, p: Record, k: int, wanted: int, t: int) -> None:
    """Start units of one technology until `wanted` run or none is left; each may fail, once with a retry."""
    late = 0.0
    first, end = tech[k].first_unit, tech[k].first_unit + tech[k].units
    for u in range(first, end):
        if tech[k].n_on >= wanted:
            return
        if unit[u].on != 0 or unit[u].down > 0 or unit[u].repaired_at > t:
            continue
        unit[u].starts += 1
        wait = tech[k].start_steps + late
        if unit[u].start_key != 0 and _chance(unit[u].start_key, 2 * t) < tech[k].start_failure:
            # Failures of both kinds are told apart by the same draw: one switched off spares its own alone
            kind = _chance(tech[k].start_key, t)
            common = kind < tech[k].start_beta
            if common and p.common_starts != 0:
                unit[u].failed_starts += 1
                late = tech[k].retry_steps
                _break_together(tech, unit, p, k, u, t, kind < tech[k].start_beta * tech[k].start_lethal)
                continue
            if not common and p.single_starts != 0:
                unit[u].failed_starts += 1
                late = tech[k].retry_steps
                if _chance(unit[u].start_key, 2 * t + 1) >= tech[k].retry_success:
                    _break(tech, unit, p, k, u, t, tech[k].start_repair_steps)
                    continue
                wait += tech[k].retry_steps
        unit[u].on, unit[u].started_at = 1, t
        unit[u].ready_at = t + wait
        tech[k].ramped_at = max(tech[k].ramped_at, unit[u].ready_at)
        tech[k].n_on += 1


@inside
def _stop(tech: Array, unit: Array, p: Record, k: int, wanted: int, t: int) -> None:
    """Stop units of one technology, last first, until `wanted` run."""
    for u in range(tech[k].first_unit + tech[k].units - 1, tech[k].first_unit - 1, -1):
        if tech[k].n_on <= wanted:
            return
        if unit[u].on != 0:
            off(unit[u], p.step_h, t)
            tech[k].n_on -= 1


@inlined
def _set_range(tech: Array, unit: Array, k: int, t: int) -> None:
    """Find between what the running units of one technology can give on average over this step. [MW]

    A unit that would not reach its lowest load on average, because most of the step is left to its start,
    comes on line with the next step.
    """
    one = tech[k]
    share, count = float(one.n_on), one.n_on
    if one.n_on > 0 and t < one.ramped_at:
        share, count = 0.0, 0
        for u in range(one.first_unit, one.first_unit + one.units):
            if unit[u].on != 0:
                part = min(1.0, t + 1.0 - unit[u].ready_at)
                if part > 0.0 and part * one.unit_available_mw >= one.min_load_mw:
                    share += part
                    count += 1
    one.running_mw = share * one.unit_available_mw
    one.max_mw, one.min_mw = one.running_mw, count * one.min_load_mw
    if one.interrupted != 0:
        fuel = one.fuel_inventory * one.units * one.unit_mw - one.intercept * one.running_mw
        one.max_mw = max(min(one.running_mw, fuel / (1.0 - one.intercept)), min(one.min_mw, one.running_mw))


@inlined
def _place(tech: Array, hub: Hub | None, i: int) -> int:
    """Row of the i-th cheapest supply of this step; on an island prices never change."""
    return i if hub is None else tech[i].place


@inlined
def _units_with_fuel(one: Record) -> int:
    """Count the free units that supply or tank can keep at their lowest load for a step."""
    if one.interrupted != 0 and one.min_load_fuel > 0.0:
        return min(int(one.n_free), int(one.fuel_inventory / one.min_load_fuel + _DROP))
    return int(one.n_free)


@inlined
def _count_units(
    tech: Array, hub: Hub | None, p: Record, t: int, net: float, room: float, reserve: float
) -> None:
    """Decide how many units of each technology run: those that are wanted, and those worth keeping.

    A unit is worth keeping for a while after it was needed, and for as long as the battery could not replace
    it for that while.

    Parameters
    ----------
    tech, p, t
    net : float
        Load that is left to battery and units. [MW]
    room : float
        What load and battery can take at most. [MW]
    reserve : float
        Stored energy below which units would be wanted again. [MWh]
    """
    lasting = -1.0  # what the battery could give for as long as a unit is kept on [MW]
    able, minimum = 0.0, 0.0
    for i in range(tech.size):
        one = tech[_place(tech, hub, i)]
        size, one.n_plan, one.n_keep = one.unit_available_mw, 0, 0
        available = _units_with_fuel(one) if size > 0.0 else 0
        if one.setpoint_mw > 0.0 and available > 0:
            one.n_plan = min(int(np.ceil(one.setpoint_mw / size - 1e-9)), available)
        if one.n_on > 0 and available > 0:
            one.n_keep = min(one.n_on, available)
            if t >= one.min_up_until:
                if lasting < 0.0:
                    spare = (
                        max(p.stored_mwh - reserve, 0.0) / p.min_run_steps
                        if p.min_run_steps > 0.0
                        else p.stored_mwh
                    )
                    lasting = min(p.power_mw, spare / p.mwh_per_mw_discharge)
                missing = max(int(np.ceil((net - lasting - able) / size - 1e-9)), 0)
                one.n_keep = min(one.n_keep, missing)
        one.n_target = max(one.n_plan, one.n_keep)
        able += one.n_target * size
        minimum += one.n_target * one.min_load_mw
    fits = minimum <= room
    must = net if fits else net - min(p.power_mw, p.stored_mwh / p.mwh_per_mw_discharge)
    for i in range(tech.size - 1, -1, -1):
        one = tech[_place(tech, hub, i)]
        # Units that are only to charge run where there is room for what they give at least; a lone unit that
        # never has room is not waited for
        while not fits and one.n_target > one.n_keep and able - one.unit_available_mw >= must:
            if minimum <= one.min_load_mw and one.min_load_mw > net + p.power_mw:
                break
            one.n_target -= 1
            able -= one.unit_available_mw
            minimum -= one.min_load_mw
            fits = minimum <= room
        if one.n_plan > 0 and one.n_plan >= one.n_on and (fits or able - one.unit_available_mw < must):
            one.min_up_until = t + one.min_run_steps


@inlined
def commit(
    tech: Array, hub: Hub | None, unit: Array, p: Record, t: int, net: float, room: float, reserve: float,
    kind: int,
) -> float:  # fmt: skip
    """Start and stop units for what is wanted; return what they give together. [MW]

    Units not wanted any more that stay on for a while take load off the battery, where the rule is to keep
    energy in it.
    """
    _count_units(tech, hub, p, t, net, room, reserve)
    uncovered = net
    for k in range(tech.size):
        one = tech[k]
        if one.n_target > one.n_on:
            _start(tech, unit, p, k, one.n_target, t)
        elif one.n_target < one.n_on:
            _stop(tech, unit, p, k, one.n_target, t)
        _set_range(tech, unit, k, t)
        one.setpoint_mw = min(max(one.setpoint_mw, one.min_mw), one.max_mw)
        uncovered -= one.setpoint_mw
    if uncovered > 0.0 and (kind == LATEST_SAFE_START or (kind == GREEDY and reserve > 0.0)):
        for i in range(tech.size):
            one = tech[_place(tech, hub, i)]
            more = min(uncovered, one.max_mw - one.setpoint_mw)
            if more > 0.0 and (kind == GREEDY or t < one.min_up_until):
                one.setpoint_mw += more
                uncovered -= more
    return net - uncovered


@inside
def raise_units(tech: Array, hub: Hub | None, unit: Array, p: Record, t: int, short: float) -> float:
    """Cover a deficit that the battery cannot: units up, then more units; return what they add. [MW]"""
    added = 0.0
    for turn in range(2):
        for i in range(tech.size):
            k = _place(tech, hub, i)
            one = tech[k]
            before = one.setpoint_mw
            # An import costs nothing to start
            may_start = turn == 1 or one.divisible != 0
            able = one.unit_available_mw > 0.0 and one.n_free > one.n_on
            if may_start and able and short - added > 1e-12:
                called = one.n_on + _units_to_call(one, short - added)
                _start(tech, unit, p, k, min(called, _units_with_fuel(one)), t)
                _set_range(tech, unit, k, t)
                one.min_up_until = t + one.min_run_steps
            one.setpoint_mw = min(max(one.setpoint_mw + max(short - added, 0.0), one.min_mw), one.max_mw)
            added += one.setpoint_mw - before
            if one.setpoint_mw > before:
                one.min_up_until = t + one.min_run_steps
    return added


@inlined
def _units_to_call(one: Record, short: float) -> int:
    """Count the units to start for a deficit, those being started already taken off."""
    share = 1.0 - one.start_steps
    if share * one.unit_available_mw < max(one.min_load_mw, 1e-3 * one.unit_available_mw):
        # None helps in this step; what has been called helps in the next
        waiting = one.n_on * one.unit_available_mw - one.running_mw
        return int(np.ceil(max(short - waiting, 0.0) / one.unit_available_mw - 1e-9))
    # A unit that needs part of the step to start gives less, so more of them are called
    return int(np.ceil(short / (one.unit_available_mw * share) - 1e-9))


@inlined
def lower_units(tech: Array, hub: Hub | None, spare: float) -> float:
    """Turn units down to their least load before solar is curtailed; return the surplus left. [MW]"""
    for i in range(tech.size - 1, -1, -1):
        one = tech[_place(tech, hub, i)]
        less = min(spare, one.setpoint_mw - one.min_mw)
        if less > 0.0:
            one.setpoint_mw -= less
            spare -= less
    return spare


@inlined
def book_fuel(tech: Array, p: Record, t: int) -> None:
    """Add up energy and fuel of the running units; draw on tanks while the supply is interrupted."""
    for k in range(tech.size):
        if tech[k].n_on == 0:
            continue
        g, b = tech[k].setpoint_mw, tech[k].intercept
        fuel = b * tech[k].running_mw + (1.0 - b) * g
        tech[k].energy_mwh += g * p.step_h
        tech[k].fuel_mwh += fuel * p.step_h
        if tech[k].interrupted != 0:
            tech[k].fuel_inventory = max(
                tech[k].fuel_inventory - fuel / (tech[k].unit_mw * tech[k].units), 0.0
            )
            if _dry(tech[k]):
                p.next_repair = t + 1  # counted anew at the next step
