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


@inside
def _settle_tank(one: Record, t: int) -> None:
    """Let a tank gain what lorries brought and lose what boiled off until this step."""
    if one.on_tank != 0 and one.tank_gain != 0.0:
        held = one.fuel_inventory + one.tank_gain * (t - one.settled_at)
        one.fuel_inventory = min(max(held, 0.0), one.fuel_inventory_max)
        one.settled_at = t


@inlined
def switch_supply(one: Record, cut_off: bool, t: int) -> None:
    """Let a technology run on its tank from this step on, or on its supply, which also fills the tank."""
    if cut_off and one.interrupted == 0:
        one.fuel_inventory = max(
            min(one.fuel_inventory + one.refill_rate * (t - one.refilled_from), one.fuel_inventory_max), 0.0
        )
        one.switched_at = t + one.switch_steps
    elif not cut_off and one.interrupted != 0:
        one.refilled_from = t
    _settle_tank(one, t)
    one.settled_at = t
    one.interrupted = 1 if cut_off else 0
    one.on_tank = 1 if cut_off or one.tracked != 0 else 0
    # Lorries bring a second fuel while the first is interrupted, and a first one but while it is not
    one.tank_gain = one.delivery * (one.tracked + one.interrupted == 1) - one.boil_off
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
    one.startable_at = t + one.min_down_steps
    one.gave_mw = 0.0


@inside
def refresh(tech: Array, unit: Array, p: Record, t: int) -> None:
    """Count units that are free and running after something changed; a unit that is down trips."""
    next_repair = np.inf
    for k in range(tech.size):
        _settle_tank(tech[k], t)
        supplied = tech[k].on_tank == 0 or not _dry(tech[k])
        if not supplied and tech[k].tank_gain > 0.0:
            next_repair = min(next_repair, t + 1.0)
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
                p.tripped_mw += tech[k].setpoint_mw / max(tech[k].n_on, 1)
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
        if unit[u].on != 0 or unit[u].down > 0 or max(unit[u].repaired_at, unit[u].startable_at) > t:
            continue
        unit[u].starts += 1
        tech[k].starts += 1
        wait = tech[k].start_steps + late
        if unit[u].start_key != 0 and _chance(unit[u].start_key, 2 * t) < tech[k].start_failure:
            # Failures of both kinds are told apart by the same draw: one switched off spares its own alone
            kind = _chance(tech[k].start_key, t)
            common = kind < tech[k].start_beta
            p.missed_starts |= 2 if common else 1
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
        tech[k].fuel_mwh += tech[k].start_fuel_mwh
        if tech[k].on_tank != 0:
            burnt = tech[k].start_fuel_mwh / (p.step_h * tech[k].unit_mw * tech[k].units)
            tech[k].fuel_inventory = max(tech[k].fuel_inventory - burnt, 0.0)


@inside
def _stop(tech: Array, unit: Array, p: Record, k: int, wanted: int, t: int) -> None:
    """Stop units of one technology, last first, until `wanted` run."""
    for u in range(tech[k].first_unit + tech[k].units - 1, tech[k].first_unit - 1, -1):
        if tech[k].n_on <= wanted:
            return
        if unit[u].on != 0:
            off(unit[u], p.step_h, t)
            tech[k].n_on -= 1


@inside
def unit_range(one: Record, unit: Record, t: int) -> tuple[float, float]:
    """Find between what one running unit can give on average over this step, with its ramp. [MW]"""
    part = min(1.0, t + 1.0 - unit.ready_at)
    low, high = one.min_load_mw, part * one.unit_available_mw
    if unit.on == 0 or part <= 0.0 or high < low:
        return 0.0, 0.0
    if one.ramp_mw > 0.0:
        high = min(high, max(unit.gave_mw + one.ramp_mw, low))
        low = max(low, min(unit.gave_mw - one.ramp_mw, high))
    return low, high


@inside
def share_out(one: Record, unit: Array, t: int, given: Array) -> None:
    """Share the output of a technology among its units: each as far up in its own range as the others.

    Units alike give alike. `given` receives what each unit gives, by its number. [MW]
    """
    low, high = 0.0, 0.0
    for u in range(one.first_unit, one.first_unit + one.units):
        least, most = unit_range(one, unit[u], t)
        low, high = low + least, high + most
    up = min(max((one.setpoint_mw - low) / (high - low), 0.0), 1.0) if high > low else 0.0
    for u in range(one.first_unit, one.first_unit + one.units):
        least, most = unit_range(one, unit[u], t)
        given[u] = least + up * (most - least)


@inside
def _limit_ramp(one: Record, unit: Array, t: int) -> None:
    """Keep the mean output of each running unit within a ramp of that of the step before."""
    low, high = 0.0, 0.0
    for u in range(one.first_unit, one.first_unit + one.units):
        least, most = unit_range(one, unit[u], t)
        low, high = low + least, high + most
    one.max_mw = min(one.max_mw, high)
    one.min_mw = min(max(one.min_mw, low), one.max_mw)


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
    one.running_mw, one.n_given = share * one.unit_available_mw, count
    one.max_mw, one.min_mw = one.running_mw, count * one.min_load_mw
    if one.on_tank != 0:
        _settle_tank(one, t)
        fuel = one.fuel_inventory * one.units * one.unit_mw - one.intercept * one.running_mw
        one.max_mw = max(min(one.running_mw, fuel / (1.0 - one.intercept)), min(one.min_mw, one.running_mw))
    if one.ramp_mw > 0.0:
        _limit_ramp(one, unit, t)


@inlined
def _place(tech: Array, hub: Hub | None, i: int) -> int:
    """Row of the i-th cheapest supply of this step; on an island prices never change."""
    return i if hub is None else tech[i].place


@inlined
def _units_with_fuel(one: Record) -> int:
    """Count the free units that supply or tank can keep at their lowest load for a step."""
    if one.on_tank != 0 and one.min_load_fuel > 0.0:
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
            one.n_plan = min(int(np.ceil(one.setpoint_mw * one.units_per_mw - 1e-9)), available)
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
                missing = max(int(np.ceil((net - lasting - able) * one.units_per_mw - 1e-9)), 0)
                one.n_keep = min(one.n_keep, missing)
        one.n_target = max(one.n_plan, one.n_keep)
        able += one.n_target * size
        minimum += one.n_target * one.min_load_mw
    if minimum > room:
        _make_room(tech, hub, p, net, room, able, minimum)


@inside
def _make_room(
    tech: Array, hub: Hub | None, p: Record, net: float, room: float, able: float, minimum: float
) -> None:
    """Do without units that are only to charge, where there is no room for what all give at least.

    `able` and `minimum` are what those decided on can give together, and give at least. [MW]
    """
    must, fits = net - min(p.power_mw, p.stored_mwh / p.mwh_per_mw_discharge), False
    for i in range(tech.size - 1, -1, -1):
        one = tech[_place(tech, hub, i)]
        while not fits and one.n_target > one.n_keep and able - one.unit_available_mw >= must:
            if minimum <= one.min_load_mw and one.min_load_mw > net + p.power_mw:
                break  # a lone unit that never has room is not waited for
            one.n_target -= 1
            able -= one.unit_available_mw
            minimum -= one.min_load_mw
            fits = minimum <= room
        if not (fits or able - one.unit_available_mw < must):
            one.n_plan = 0  # not needed, so none is kept on for it


@inside
def reserve_missing(tech: Array, p: Record, wanted: float, stored_mwh: float, decided: bool) -> float:
    """Power that would be missing after the worst event that the reserve is for, below zero what is spare.

    What units on line, imports and the battery can give without those that an event takes, against what is
    wanted. The battery counts with what it can give for as long as a reserve has to hold.

    Parameters
    ----------
    tech, p
    wanted : float
        Load that is left to battery and units, and what is to be held on top. [MW]
    stored_mwh : float
        After the step. [MWh]
    decided : bool
        Whether units decided on count, or those that run.

    Returns
    -------
    float
        [MW]
    """
    able, taken = min(p.power_mw, stored_mwh / p.held_mwh_per_mw), 0.0
    for k in range(tech.size):
        tech[k].n_lost = 0
        able += _units_of(tech[k], decided) * _each_able(tech[k], decided)
    for _ in range(p.n_minus):
        largest, most = -1, 0.0
        for k in range(tech.size):
            if tech[k].n_lost < _units_of(tech[k], decided) and _each_able(tech[k], decided) > most:
                largest, most = k, _each_able(tech[k], decided)
        if largest >= 0:
            tech[largest].n_lost += 1
            taken += most
    return float(wanted + max(taken, p.load_step_mw) - able)


@inlined
def _units_of(one: Record, decided: bool) -> int:
    """Count the units on line; an import is always."""
    if one.divisible != 0:
        return int(one.n_free)
    return int(one.n_target if decided else min(one.n_given, one.n_on))


@inlined
def _each_able(one: Record, decided: bool) -> float:
    """Power that each unit on line can give in this step. [MW]"""
    if decided or one.divisible != 0 or one.n_given == 0:
        return float(one.unit_available_mw)
    return float(one.max_mw / one.n_given)


@inside
def _hold_reserve(tech: Array, hub: Hub | None, p: Record, t: int, net: float, wanted: float) -> None:
    """Let more units run, the cheapest first, until the worst event would leave nothing missing."""
    given = 0.0
    for k in range(tech.size):
        given += max(tech[k].setpoint_mw, tech[k].n_target * tech[k].min_load_mw)
    drawn = min(max(net - given, 0.0), p.power_mw) * p.mwh_per_mw_discharge
    stored = max(p.stored_mwh - drawn, 0.0)
    missing = reserve_missing(tech, p, wanted, stored, True)
    for i in range(tech.size):
        one = tech[_place(tech, hub, i)]
        able = _units_with_fuel(one) if one.divisible == 0 and one.unit_available_mw > 0.0 else 0
        while missing > 1e-9 and one.n_target < able:
            one.n_target += 1
            one.min_up_until = t + one.min_run_steps
            missing = reserve_missing(tech, p, wanted, stored, True)


@inside
def bridged_mw(tech: Array, unit: Array, p: Record, t: int, spare: float) -> float:
    """Power of units that tripped which nothing but the ride-through carries until others have started.

    `spare` is what the battery could give beside. [MW]
    """
    fresh = 0.0
    for k in range(tech.size):
        for u in range(tech[k].first_unit, tech[k].first_unit + tech[k].units):
            if unit[u].on != 0 and unit[u].started_at == t and tech[k].divisible == 0:
                fresh += tech[k].setpoint_mw / max(tech[k].n_given, 1)
    bridged = min(p.tripped_mw, max(fresh - spare, 0.0))
    p.tripped_mw = 0.0
    return float(bridged)


@inside
def send_to_service(tech: Array, unit: Array, p: Record, t: int) -> None:
    """Take the unit out that has run longest beyond its hours, of each technology one at a time."""
    for k in range(tech.size if p.serviced != 0 else 0):
        due, most, out = -1, tech[k].service_every_h, tech[k].service_every_h <= 0.0
        for u in range(tech[k].first_unit, tech[k].first_unit + tech[k].units):
            ran = unit[u].run_h - unit[u].serviced_h + unit[u].on * (t - unit[u].started_at) * p.step_h
            out = out or unit[u].serviced_until > t
            if ran >= most and unit[u].down == 0 and unit[u].repaired_at <= t:
                due, most = u, ran
        if due >= 0 and not out:
            if unit[due].on != 0:
                off(unit[due], p.step_h, t)
            unit[due].serviced_h = unit[due].run_h
            unit[due].repaired_at = unit[due].serviced_until = t + tech[k].service_steps
            p.next_repair = t  # counted anew in this step


@inlined
def commit(
    tech: Array, hub: Hub | None, unit: Array, p: Record, t: int, net: float, room: float, reserve: float,
    kind: int, wanted: float,
) -> float:  # fmt: skip
    """Start and stop units for what is wanted; return what they give together. [MW]

    `wanted` is what a reserve must carry through an event. Units not wanted any more that stay on for a while
    take load off the battery, where the rule is to keep energy in it.
    """
    _count_units(tech, hub, p, t, net, room, reserve)
    if p.reserve != 0:
        _hold_reserve(tech, hub, p, t, net, wanted)
    uncovered = net
    for k in range(tech.size):
        one = tech[k]
        if one.n_plan > 0 and one.n_plan >= one.n_on:
            one.min_up_until = t + one.min_run_steps
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


@inside
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
def book_fuel(tech: Array, unit: Array, p: Record, unit_mw: Array, t: int) -> tuple[float, bool]:
    """Add up energy and fuel of the running units; draw on tanks while the supply is interrupted.

    Write down what each unit gives where `unit_mw` has room for it. Returns what all give together, and
    whether any runs. [MW]
    """
    given, running = 0.0, False
    for k in range(tech.size):
        if tech[k].n_on == 0:
            continue
        g, b = tech[k].setpoint_mw, tech[k].intercept
        given, running = given + g, True
        if unit_mw.shape[1] > 0:
            share_out(tech[k], unit, t, unit_mw[:, t])
        fuel = b * tech[k].running_mw + (1.0 - b) * g
        tech[k].energy_mwh += g * p.step_h
        tech[k].fuel_mwh += fuel * p.step_h
        if tech[k].ramp_mw > 0.0:
            share_out(tech[k], unit, t, unit["gave_mw"])
        if tech[k].on_tank != 0:
            tech[k].fuel_inventory = max(
                tech[k].fuel_inventory - fuel / (tech[k].unit_mw * tech[k].units), 0.0
            )
            if _dry(tech[k]):
                p.next_repair = t + 1  # counted anew at the next step
    return given, running
