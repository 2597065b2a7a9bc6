"""The compiled simulation behind :mod:`sitedesign.operation.operate`: one pass over the steps.

The order inside a step is the order of events at a site: what fails, what is known, what is decided
(:mod:`sitedesign.operation.policies`), what then really happens.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitedesign.operation.compiled import njit
from sitedesign.operation.policies import (
    GREEDY,
    LATEST_SAFE_START,
    after_step,
    latest_safe_plan,
    need_level,
    rolling_plan,
)

Array = NDArray[Any]
Record = Any  # one row of a record array: in calls, far cheaper than the array
_DROP = 1e-9  # of fuel: what rounding may leave or take


@njit(cache=True, error_model="numpy")
def _chance(key: Any, step: int) -> float:  # noqa: ANN401 - a 64-bit unsigned integer, which numba types
    """Uniform number of one stream at one step (splitmix64), the same whatever happened before."""
    z = np.uint64(key) + np.uint64(step + 1) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@njit(cache=True, error_model="numpy")
def _battery_share(plant: Array) -> float:
    p = plant[0]
    if p.battery_all > 0:
        return 0.0
    return float(1.0 - p.battery_down / p.battery_blocks)


@njit(cache=True, error_model="numpy")
def _apply(
    tech: Array, unit: Array, plant: Array, fuel_out: Array, rank: Array, kind: int, index: int, change: int,
    t: int,
) -> None:  # fmt: skip
    """Book one change of state; energy in battery blocks that are down is out of reach until they return."""
    p = plant[0]
    if kind == 0:
        unit[index].down += change
    elif kind == 1:
        tech[rank[index]].common += change
    elif kind == 2:
        fuel_out[index] += change
        for k in range(tech.size):
            if tech[k].fuel == index:
                _switch_supply(tech[k], fuel_out[index] > 0, t)
    elif kind in (3, 4):
        before = _battery_share(plant)
        if kind == 3:
            p.battery_down += change
        else:
            p.battery_all += change
        after = _battery_share(plant)
        moved = 0.0
        if after < before:
            moved = -p.stored * (1.0 - after / before)
        elif after > before:
            moved = p.frozen * ((after - before) / (1.0 - before))
        p.stored += moved
        p.frozen -= moved
    elif kind == 5:
        p.solar_down += change
    else:
        p.site_down += change


@njit(cache=True, error_model="numpy", inline="always")
def _switch_supply(one: Record, cut_off: bool, t: int) -> None:
    """Let a technology run on its tank from this step on, or on its supply, which also fills the tank."""
    if cut_off and one.cut_off == 0:
        one.tank = min(one.tank + one.refill * (t - one.filled), one.tank_steps)
    elif not cut_off and one.cut_off != 0:
        one.filled = t
    one.cut_off = 1 if cut_off else 0


@njit(cache=True, error_model="numpy", inline="always")
def _dry(one: Record) -> bool:
    """Whether the tank cannot even keep one unit at its lowest load for a step."""
    return bool(one.tank < max(one.sip, _DROP) * (1.0 - _DROP))


@njit(cache=True, error_model="numpy", inline="always")
def _off(one: Record, step_h: float, t: int) -> None:
    """Book the hours of a unit from its start to this step, in which it does not run."""
    one.on = 0
    one.run_h += (t - one.since) * step_h


@njit(cache=True, error_model="numpy")
def _refresh(tech: Array, unit: Array, plant: Array, t: int) -> None:
    """Count units that are free and running after something changed; a unit that is down trips."""
    expiry = np.inf
    for k in range(tech.size):
        supplied = tech[k].cut_off == 0 or not _dry(tech[k])
        usable = supplied and tech[k].common == 0 and plant[0].site_down == 0
        free, running = 0, 0
        for u in range(tech[k].first, tech[k].first + tech[k].units):
            if unit[u].repair > t:
                expiry = min(expiry, unit[u].repair)
            if usable and unit[u].down == 0 and unit[u].repair <= t:
                free += 1
                running += unit[u].on
            elif unit[u].on != 0:
                _off(unit[u], plant[0].step_h, t)
        tech[k].n_free, tech[k].n_on = free, running
    plant[0].expiry = expiry


@njit(cache=True, error_model="numpy")
def _break(tech: Array, unit: Array, p: Record, k: int, u: int, t: int) -> None:
    """Send a unit that failed to start to repair."""
    unit[u].repair = t + tech[k].start_repair_steps
    p.expiry = min(p.expiry, unit[u].repair)
    tech[k].n_free -= 1


@njit(cache=True, error_model="numpy")
def _start(tech: Array, unit: Array, p: Record, k: int, wanted: int, t: int) -> None:
    """Start units of one technology until `wanted` run or none is left; each may fail, once with a retry."""
    late = 0.0
    first, end = tech[k].first, tech[k].first + tech[k].units
    for u in range(first, end):
        if tech[k].n_on >= wanted:
            return
        if unit[u].on != 0 or unit[u].down > 0 or unit[u].repair > t:
            continue
        unit[u].starts += 1
        wait = tech[k].start_steps + late
        if unit[u].key != 0 and _chance(unit[u].key, 2 * t) < tech[k].start_failure:
            unit[u].failed += 1
            late = tech[k].retry_steps
            if _chance(tech[k].start_key, t) < tech[k].start_beta:
                for other in range(first, end):
                    if unit[other].on == 0 and unit[other].down == 0 and unit[other].repair <= t:
                        _break(tech, unit, p, k, other, t)
                return
            if _chance(unit[u].key, 2 * t + 1) >= tech[k].retry_success:
                _break(tech, unit, p, k, u, t)
                continue
            wait += tech[k].retry_steps
        unit[u].on, unit[u].since = 1, t
        unit[u].ready = t + wait
        tech[k].settled = max(tech[k].settled, unit[u].ready)
        tech[k].n_on += 1


@njit(cache=True, error_model="numpy")
def _stop(tech: Array, unit: Array, p: Record, k: int, wanted: int, t: int) -> None:
    """Stop units of one technology, last first, until `wanted` run."""
    for u in range(tech[k].first + tech[k].units - 1, tech[k].first - 1, -1):
        if tech[k].n_on <= wanted:
            return
        if unit[u].on != 0:
            _off(unit[u], p.step_h, t)
            tech[k].n_on -= 1


@njit(cache=True, error_model="numpy", inline="always")
def _set_range(tech: Array, unit: Array, k: int, t: int) -> None:
    """Find between what the running units of one technology can give on average over this step. [MW]

    A unit that would not reach its lowest load on average, because most of the step is left to its start,
    comes on line with the next step.
    """
    one = tech[k]
    share, count = float(one.n_on), one.n_on
    if one.n_on > 0 and t < one.settled:
        share, count = 0.0, 0
        for u in range(one.first, one.first + one.units):
            if unit[u].on != 0:
                part = min(1.0, t + 1.0 - unit[u].ready)
                if part > 0.0 and part * one.each_mw >= one.floor_mw:
                    share += part
                    count += 1
    one.full = share * one.each_mw
    one.most, one.least = one.full, count * one.floor_mw
    if one.cut_off != 0:
        fuel = one.tank * one.units * one.unit_mw - one.intercept * one.full
        one.most = max(min(one.full, fuel / (1.0 - one.intercept)), min(one.least, one.full))


@njit(cache=True, error_model="numpy", inline="always")
def _units_with_fuel(one: Record) -> int:
    """Count the free units that supply or tank can keep at their lowest load for a step."""
    if one.cut_off != 0 and one.sip > 0.0:
        return min(int(one.n_free), int(one.tank / one.sip + _DROP))
    return int(one.n_free)


@njit(cache=True, error_model="numpy", inline="always")
def _count_units(tech: Array, p: Record, t: int, net: float, room: float, reserve: float) -> None:
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
    able, least = 0.0, 0.0
    for k in range(tech.size):
        one = tech[k]
        size, one.n_plan, one.n_keep = one.each_mw, 0, 0
        most = _units_with_fuel(one) if size > 0.0 else 0
        if one.want > 0.0 and most > 0:
            one.n_plan = min(int(np.ceil(one.want / size - 1e-9)), most)
        if one.n_on > 0 and most > 0:
            one.n_keep = min(one.n_on, most)
            if t >= one.hold:
                if lasting < 0.0:
                    spare = max(p.stored - reserve, 0.0) / p.hold_steps if p.hold_steps > 0.0 else p.stored
                    lasting = min(p.power, spare / p.down)
                missing = max(int(np.ceil((net - lasting - able) / size - 1e-9)), 0)
                one.n_keep = min(one.n_keep, missing)
        one.n_want = max(one.n_plan, one.n_keep)
        able += one.n_want * size
        least += one.n_want * one.floor_mw
    fits = least <= room
    must = net if fits else net - min(p.power, p.stored / p.down)
    for k in range(tech.size - 1, -1, -1):
        one = tech[k]
        # Units that are only to charge run where there is room for what they give at least; a lone unit that
        # never has room is not waited for
        while not fits and one.n_want > one.n_keep and able - one.each_mw >= must:
            if least <= one.floor_mw and one.floor_mw > net + p.power:
                break
            one.n_want -= 1
            able -= one.each_mw
            least -= one.floor_mw
            fits = least <= room
        if one.n_plan > 0 and one.n_plan >= one.n_on and (fits or able - one.each_mw < must):
            one.hold = t + p.hold_steps


@njit(cache=True, error_model="numpy", inline="always")
def _commit(
    tech: Array, unit: Array, p: Record, t: int, net: float, room: float, reserve: float, kind: int
) -> float:
    """Start and stop units for what is wanted; return what they give together. [MW]

    Units not wanted any more that stay on for a while take load off the battery, where the rule is to keep
    energy in it.
    """
    _count_units(tech, p, t, net, room, reserve)
    left = net
    for k in range(tech.size):
        one = tech[k]
        if one.n_want > one.n_on:
            _start(tech, unit, p, k, one.n_want, t)
        elif one.n_want < one.n_on:
            _stop(tech, unit, p, k, one.n_want, t)
        _set_range(tech, unit, k, t)
        one.want = min(max(one.want, one.least), one.most)
        left -= one.want
    if left > 0.0 and (kind == LATEST_SAFE_START or (kind == GREEDY and reserve > 0.0)):
        for k in range(tech.size):
            more = min(left, tech[k].most - tech[k].want)
            if more > 0.0 and (kind == GREEDY or t < tech[k].hold):
                tech[k].want += more
                left -= more
    return net - left


@njit(cache=True, error_model="numpy")
def _raise_units(tech: Array, unit: Array, p: Record, t: int, short: float) -> float:
    """Cover a deficit that the battery cannot: units up, then more units; return what they add. [MW]"""
    added = 0.0
    for turn in range(2):
        for k in range(tech.size):
            one = tech[k]
            before = one.want
            if turn == 1 and short - added > 1e-12 and one.each_mw > 0.0 and one.n_free > one.n_on:
                called = one.n_on + _units_to_call(one, short - added)
                _start(tech, unit, p, k, min(called, _units_with_fuel(one)), t)
                _set_range(tech, unit, k, t)
                one.hold = t + p.hold_steps
            one.want = min(max(one.want + max(short - added, 0.0), one.least), one.most)
            added += one.want - before
            if one.want > before:
                one.hold = t + p.hold_steps
    return added


@njit(cache=True, error_model="numpy", inline="always")
def _units_to_call(one: Record, short: float) -> int:
    """Count the units to start for a deficit, those being started already taken off."""
    share = 1.0 - one.start_steps
    if share * one.each_mw < max(one.floor_mw, 1e-3 * one.each_mw):
        # None helps in this step; what has been called helps in the next
        waiting = one.n_on * one.each_mw - one.full
        return int(np.ceil(max(short - waiting, 0.0) / one.each_mw - 1e-9))
    # A unit that needs part of the step to start gives less, so more of them are called
    return int(np.ceil(short / (one.each_mw * share) - 1e-9))


@njit(cache=True, error_model="numpy", inline="always")
def _lower_units(tech: Array, spare: float) -> float:
    """Turn units down to their least load before solar is curtailed; return the surplus left. [MW]"""
    for k in range(tech.size - 1, -1, -1):
        less = min(spare, tech[k].want - tech[k].least)
        if less > 0.0:
            tech[k].want -= less
            spare -= less
    return spare


@njit(cache=True, error_model="numpy", inline="always")
def _take_back(tier: Array, spare: float) -> float:
    """Undo throttling, dearest tier first, where there is power to spare; return how much of it. [MW]"""
    back = 0.0
    for j in range(tier.size - 1, -1, -1):
        part = min(spare - back, tier[j].throttle)
        tier[j].throttle -= part
        back += part
    return back


@njit(cache=True, error_model="numpy", inline="always")
def _shed(tier: Array, load: float, short: float) -> tuple[float, float]:
    """Add a deficit to the throttled tiers, cheapest first; return shed load and its weighted loss. [MW]"""
    total, lost, last = 0.0, 0.0, tier.size - 1
    for j in range(last + 1):
        part = tier[j].throttle
        more = short if j == last else min(short, max(tier[j].width * load - part, 0.0))
        short -= more
        total += part + more
        lost += tier[j].weight * (part + more)
    return total, lost


@njit(cache=True, error_model="numpy", inline="always")
def _book_fuel(tech: Array, p: Record, t: int) -> None:
    """Add up energy and fuel of the running units; draw on tanks while the supply is interrupted."""
    for k in range(tech.size):
        if tech[k].n_on == 0:
            continue
        g, b = tech[k].want, tech[k].intercept
        fuel = b * tech[k].full + (1.0 - b) * g
        tech[k].energy += g * p.step_h
        tech[k].burnt += fuel * p.step_h
        if tech[k].cut_off != 0:
            tech[k].tank = max(tech[k].tank - fuel / (tech[k].unit_mw * tech[k].units), 0.0)
            if _dry(tech[k]):
                p.expiry = t + 1  # counted anew at the next step


@njit(cache=True, error_model="numpy")
def _greedy_plan(tech: Array, p: Record, r: Record, net: float) -> bool:
    """Units at full power below a state of charge until a little above it; else what the battery lacks.

    No more than load and battery take on the way there. Returns whether anything is wanted.
    """
    if p.stored < r.start_soc * p.full:
        p.charging = 1
    elif p.stored >= (r.start_soc + r.soc_band) * p.full:
        p.charging = 0
    if p.charging != 0:
        level = min(r.start_soc + r.soc_band, 1.0) * p.full
        left = net + min(p.power, max(level - p.stored, 0.0) / p.up)
    else:
        left = net - min(p.power, p.stored / p.down)
    any_wanted = bool(left > 0.0)
    for k in range(tech.size):
        tech[k].want = max(min(left, tech[k].n_free * tech[k].each_mw), 0.0)
        left -= tech[k].want
    return any_wanted


@njit(cache=True, error_model="numpy")
def simulate(
    solar: Array, load: Array, usable: Array, capability: Array,
    event_step: Array, event_kind: Array, event_index: Array, event_change: Array, rank: Array,
    fuel_out: Array, usual_solar: Array, usual_load: Array, usual_able: Array, factor: Array,
    usual_need: Array, end_value: Array,
    values: Array, down_slot: Array, up_slot: Array, price: Array,
    known: Array, usual_day: Array, needs: Array, midnight: Array, change: Array, slopes: Array, block: Array,
    tech: Array, unit: Array, tier: Array, plant: Array, rule: Array,
    shed: Array, lost: Array, series: Array, backup: Array, energy: Array, burnt: Array, cycled: Array,
) -> float:  # fmt: skip
    """Run all steps; the state stays in `tech`, `unit`, `tier` and `plant`, results go to the last seven.

    `known` (load, solar yield, capability) and `usual_day` (solar yield) are what the forecast window reads;
    from `needs` to `block` it is room to plan in. `series` holds rows for curtailed, charge, discharge,
    stored and available solar power, or no columns when only shed load is kept; `energy`, `burnt` (K, years)
    and `cycled` (years,) are sums over each year.

    Returns
    -------
    float
        Largest energy-balance error of any step. [MW]
    """
    p, r = plant[0], rule[0]
    steps, per_year, keep, techs = load.size, usual_solar.size, series.shape[1] > 0, tech.size
    event, events, worst, year_end, year = 0, event_step.size, 0.0, per_year, 0
    p.expiry, p.planned_at, p.night_of = -1.0, -1, -1
    share, clock, day_clock = _battery_share(plant), 0, 0
    lead = 0  # first level of need that is planned for: of the cheapest technology built, else of a tier
    while lead < techs and tech[lead].units == 0:
        lead += 1
    margin = r.reserve_mwh if lead < techs else r.throttle_reserve_mwh
    busy = True  # something was running or throttled in the step before
    for t in range(steps):
        if t >= p.expiry or (event < events and event_step[event] <= t):
            changed = t >= p.expiry
            while event < events and event_step[event] <= t:
                kind = event_kind[event]
                which = event_index[event]
                _apply(tech, unit, plant, fuel_out, rank, kind, which, event_change[event], t)
                # One block of the battery or array more or less does not overturn a plan before its time
                changed = changed or kind not in (3, 5)
                event += 1
            share = _battery_share(plant)
            if changed:
                _refresh(tech, unit, plant, t)
                p.planned_at, p.night_of, busy = -1, -1, True
        if day_clock == r.day_steps:
            day_clock, p.seen, p.usual = 0, 0.0, 0.0
        p.power, p.full = p.battery_mw * share, p.battery_mwh * usable[t] * share
        sun = p.solar_mw * solar[t] * (1.0 - p.solar_down / p.solar_blocks) * p.solar_scale
        need, net = load[t], load[t] - sun
        for k in range(techs):
            able = tech[k].unit_mw * capability[k, t]
            tech[k].each_mw = able if able >= tech[k].floor_mw else 0.0  # below its lowest load none runs
        if busy:
            for k in range(techs):
                tech[k].want = 0.0
            for j in range(tier.size):
                tier[j].throttle = 0.0
        charge, discharge, curtailed, given, short, weighted = 0.0, 0.0, sun, 0.0, 0.0, 0.0
        if p.site_down > 0:
            short = need
            weighted = need
        else:
            # --- decide; a plan is needed only where the battery alone might not be enough
            act = busy
            if r.kind == LATEST_SAFE_START:
                # A plan holds till midnight, or till the sun has told something of the day
                if (
                    p.planned_at < 0
                    or day_clock == 0
                    or (
                        r.blend != 0
                        and t - p.planned_at >= r.issue_steps
                        and p.usual > 0.0
                        and usual_solar[clock] > 0.0
                    )
                ):
                    p.planned_at, p.levels = t, 0
                if (
                    p.levels == 0
                    or busy
                    or (
                        after_step(plant, net)
                        < min(needs[lead, t + 1 - p.planned_at] + margin, p.full) - 1e-9
                    )
                ):
                    act = True
                    while True:
                        lacking = latest_safe_plan(need, tech, tier, plant, rule, needs, t, net)
                        if lacking < 0:
                            break
                        need_level(
                            known, usual_day, factor, tech, tier, plant, rule, usual_need, midnight, needs,
                            change, lacking,
                        )  # fmt: skip
                        p.levels = lacking + 1
            elif r.kind == GREEDY:
                if busy or r.start_soc > 0.0:
                    act = _greedy_plan(tech, p, r, net) or act
            else:
                rolling_plan(
                    solar, load, capability, usual_solar, usual_load, usual_able, usual_day, factor, tech,
                    tier, plant, rule, end_value, values, down_slot, up_slot, price, slopes, block, t, net,
                )  # fmt: skip
                act = True
            # --- happen
            stored, into = p.stored, min(p.power, max(p.full - p.stored, 0.0) / p.up)
            balance, limit, throttled, missing = net, need, 0.0, 0.0
            if act:
                for j in range(tier.size):
                    throttled += tier[j].throttle
                limit -= throttled
                balance -= throttled
                reserve = 0.0
                if r.kind == LATEST_SAFE_START:
                    reserve = min(needs[lead, t + 1 - p.planned_at] + margin, p.full)
                elif r.kind == GREEDY:
                    reserve = r.start_soc * p.full
                given = _commit(tech, unit, p, t, balance, limit + into, reserve, r.kind)
                balance -= given
            inside = stored / p.down
            if balance > min(p.power, inside) + 1e-12:
                balance -= _raise_units(tech, unit, p, t, balance - min(p.power, inside))
                act = True
            if stored > p.full:  # capacity faded under a full battery: the excess has to leave first
                discharge = min((stored - p.full) / p.down, p.power, limit)
                balance -= discharge
            if balance > 0.0:
                more = min(balance, p.power - discharge, inside - discharge)
                if more > 0.0:
                    discharge += more
                    balance -= more
                curtailed = 0.0
                if balance > 1e-12:
                    missing = balance
                    act = True
            else:
                curtailed = -balance
                if discharge == 0.0:
                    charge = min(curtailed, into)
                    curtailed -= charge
                if act and curtailed > 1e-12:
                    back = _take_back(tier, curtailed)
                    limit += back
                    curtailed = _lower_units(tech, curtailed - back)
            if act:
                if missing > 0.0 or limit < need:
                    short, weighted = _shed(tier, need, missing)
                given, busy = 0.0, short > 0.0
                for k in range(techs):
                    given += tech[k].want
                    busy = busy or tech[k].n_on > 0
            p.stored = max(stored + p.up * charge - p.down * discharge, 0.0)
            error = abs(sun - curtailed + discharge - charge + given + short - need)
            worst = max(worst, error)
            if busy:
                _book_fuel(tech, p, t)
        # --- write down
        p.seen += solar[t]
        p.usual += usual_solar[clock]
        cycled[year] += discharge * p.step_h
        shed[t] = short
        lost[t] = weighted / need if short > 0.0 else 0.0
        if keep:
            series[0, t], series[1, t], series[2, t] = curtailed, charge, discharge
            series[3, t], series[4, t] = p.stored + p.frozen, sun
            for k in range(techs):
                backup[k, t] = tech[k].want if p.site_down == 0 else 0.0
        clock += 1
        day_clock += 1
        if t + 1 == year_end or t + 1 == steps:
            for k in range(techs):
                energy[k, year], burnt[k, year] = tech[k].energy, tech[k].burnt
                tech[k].energy, tech[k].burnt = 0.0, 0.0
            clock, year, year_end = 0, year + 1, year_end + per_year
    for u in range(unit.size):
        if unit[u].on != 0:
            _off(unit[u], p.step_h, steps)
    return worst
