"""What an operator of a hub decides in one step, compiled: buy, sell, charge, discharge by marginal value.

Everything that gives or takes power in the step has a price, and so has stored energy (`records.Worth`).
First load and sinks are served without the battery, the cheapest supplies first, as long as that pays. Then
the battery takes the place of what is dearer than the energy it holds, or else stores what is cheaper. Latest
safe start is the floor: below it energy is kept, or bought, at any price.
"""

from __future__ import annotations

import numpy as np

from sitedesign.operation.compiled import inlined
from sitedesign.operation.policies import after_step, missing_mw, reserve_at
from sitedesign.operation.records import Array, Fleet, Hub, Plan

_SMALL = 1e-9  # MW, MWh
_ANY_PRICE = 1e30
_TIES = 1.0 - 1e-6  # what is worth the same to the digits of the table is kept


@inlined
def trading_plan(fleet: Fleet, hub: Hub, plan: Plan, t: int, clock: int, load: float, net: float) -> int:
    """Decide what supplies give, what sinks take and what is throttled.

    Returns
    -------
    int
        -1 when the plan stands; else the level whose need must be found first, and then the plan made anew.
    """
    p, r, tech, tier, sink = fleet.plant[0], fleet.rule[0], fleet.tech, fleet.tier, hub.sink
    worth = hub.worth
    techs, floor = tech.size, 0.0
    if techs > 0:
        if p.known_levels < techs:
            return techs - 1
        floor = reserve_at(fleet, plan, techs - 1, t)
    for j in range(tier.size):
        tier[j].throttled_mw = 0.0
    short = _serve(fleet, hub, t, net)
    given, taken = _sums(tech, sink)
    row = worth.usd_per_mwh[worth.day_class[t // r.day_steps], clock]
    inside = p.stored_mwh / p.mwh_per_mw_discharge
    used = min(short, p.power_mw, inside)
    power = p.power_mw - used
    stored = p.stored_mwh - used * p.mwh_per_mw_discharge
    drawn = _discharge(fleet, hub, row, stored, floor, power)
    if used + drawn <= 0.0:
        _charge(fleet, hub, row, floor, net + taken - given)
    elif drawn > 0.0:
        _fill_units(tech, used + drawn)
    given, taken = _sums(tech, sink)
    uncovered = net - given
    for level in range(max(techs - 1, 0), techs + tier.size - 1):
        if level >= p.known_levels:
            return level
        target = reserve_at(fleet, plan, level, t)
        if after_step(p, uncovered + (taken if level < techs else 0.0)) >= target - 1e-9:
            break
        if level >= techs:
            j = level - techs
            missing = missing_mw(p, uncovered, target)
            tier[j].throttled_mw = max(0.0, min(missing, tier[j].share * load))
            uncovered -= tier[j].throttled_mw
    return -1


@inlined
def _sums(tech: Array, sink: Array) -> tuple[float, float]:
    """Add up what supplies give and sinks take. [MW]"""
    given, taken = 0.0, 0.0
    for k in range(tech.size):
        given += tech[k].setpoint_mw
    for k in range(sink.size):
        taken += sink[k].taken_mw
    return given, taken


@inlined
def _serve(fleet: Fleet, hub: Hub, t: int, net: float) -> float:
    """Serve load, then sinks as far as they pay for it, without the battery; return what is missing. [MW]"""
    tech, sink = fleet.tech, hub.sink
    need, spare = max(net, 0.0), max(-net, 0.0)
    for i in range(tech.size):
        one = tech[tech[i].place]
        one.able_mw = one.n_free * one.unit_available_mw
        one.setpoint_mw = min(need, one.able_mw)
        need -= one.setpoint_mw
    for i in range(sink.size):
        one = sink[sink[i].place]
        one.wanted_mw = one.size_mw * hub.sink_capability[sink[i].place, t]
        one.taken_mw = min(spare, one.wanted_mw)
        spare -= one.taken_mw
    if need > 0.0:
        return need
    i = 0
    for s in range(sink.size):
        one = sink[sink[s].place]
        while i < tech.size and one.wanted_mw - one.taken_mw > _SMALL:
            source = tech[tech[i].place]
            if source.usd_per_mwh >= one.usd_per_mwh:
                return 0.0
            more = min(source.able_mw - source.setpoint_mw, one.wanted_mw - one.taken_mw)
            source.setpoint_mw += more
            one.taken_mw += more
            if source.able_mw - source.setpoint_mw <= _SMALL:
                i += 1
    return 0.0


@inlined
def _cells_above(row: Array, usd_per_mwh: float) -> int:
    """Count the parts of the battery whose energy is worth more than a price."""
    count = 0
    for cell in range(np.uint64(row.size)):  # eight at a time, without a guess: half the time of a bisection
        count += 1 if row[cell] > usd_per_mwh else 0
    return count


@inlined
def _discharge(fleet: Fleet, hub: Hub, row: Array, stored: float, floor: float, power: float) -> float:
    """Let the battery do what is worth more than what it holds; return what it gives. [MW]"""
    p, tech, sink = fleet.plant[0], fleet.tech, hub.sink
    per_stored = p.mwh_per_mw_discharge / p.step_h  # stored energy per energy given
    drawn, k, s = 0.0, tech.size - 1, 0
    while power - drawn > _SMALL:
        while k >= 0 and tech[tech[k].place].setpoint_mw <= _SMALL:
            k -= 1
        while s < sink.size and sink[sink[s].place].wanted_mw - sink[sink[s].place].taken_mw <= _SMALL:
            s += 1
        gives = tech[tech[k].place].usd_per_mwh if k >= 0 else -1.0
        pays = sink[sink[s].place].usd_per_mwh if s < sink.size else -1.0
        usd = max(gives, pays)
        if usd < 0.0:
            break
        now = stored - drawn * p.mwh_per_mw_discharge
        # Down to where what is left is worth as much
        worthy = _cells_above(row, usd / per_stored * _TIES) * hub.worth.cell_mwh
        least = max(worthy, floor)
        part = min((now - least) / p.mwh_per_mw_discharge, power - drawn)
        if part <= _SMALL:
            break
        if gives >= pays:
            one = tech[tech[k].place]
            part = min(part, one.setpoint_mw)
            one.setpoint_mw -= part
        else:
            taker = sink[sink[s].place]
            part = min(part, taker.wanted_mw - taker.taken_mw)
            taker.taken_mw += part
        drawn += part
    return drawn


@inlined
def _charge(fleet: Fleet, hub: Hub, row: Array, floor: float, balance: float) -> None:
    """Store what is cheaper than it will be worth: free power, that of sinks and of supplies."""
    p, tech, sink = fleet.plant[0], fleet.tech, hub.sink
    per_bought = p.mwh_per_mw_charge / p.step_h  # stored energy per energy bought
    power = p.power_mw
    free = min(max(-balance, 0.0), power)  # stored whatever it is worth, as nobody wants it
    stored = min(p.stored_mwh + free * p.mwh_per_mw_charge, p.capacity_mwh)
    bought, k, s = free, 0, sink.size - 1
    while power - bought > _SMALL:
        while k < tech.size and tech[tech[k].place].able_mw - tech[tech[k].place].setpoint_mw <= _SMALL:
            k += 1
        while s >= 0 and sink[sink[s].place].taken_mw <= _SMALL:
            s -= 1
        asks = tech[tech[k].place].usd_per_mwh if k < tech.size else _ANY_PRICE
        pays = sink[sink[s].place].usd_per_mwh if s >= 0 else _ANY_PRICE
        usd = min(asks, pays)
        if usd >= _ANY_PRICE:
            return
        # Up to where more of it is worth no more than that
        worthy = _cells_above(row, usd / per_bought) * hub.worth.cell_mwh
        most = min(max(worthy, floor), p.capacity_mwh)
        part = min((most - stored) / p.mwh_per_mw_charge, power - bought)
        if part <= _SMALL:
            return
        if pays <= asks:
            taker = sink[sink[s].place]
            part = min(part, taker.taken_mw)
            taker.taken_mw -= part
        else:
            one = tech[tech[k].place]
            part = min(part, one.able_mw - one.setpoint_mw)
            one.setpoint_mw += part
        bought += part
        stored += part * p.mwh_per_mw_charge


@inlined
def _fill_units(tech: Array, drawn: float) -> None:
    """Units once committed rather run full than have the battery discharge."""
    for i in range(tech.size):
        one = tech[tech[i].place]
        if one.setpoint_mw > _SMALL and one.divisible == 0 and drawn > 0.0:
            size = one.unit_available_mw
            more = min(np.ceil(one.setpoint_mw / size - 1e-9) * size, one.able_mw) - one.setpoint_mw
            more = min(more, drawn)
            one.setpoint_mw += more
            drawn -= more


@inlined
def drop_sinks(sink: Array, short: float) -> float:
    """Take power back from the sinks, the worst paying first; return how much. [MW]"""
    back = 0.0
    for i in range(sink.size - 1 if short > 1e-12 else -1, -1, -1):
        one = sink[sink[i].place]
        part = min(short - back, one.taken_mw)
        one.taken_mw -= part
        back += part
    return back


@inlined
def feed_sinks(hub: Hub, spare: float, t: int) -> float:
    """Give the sinks what nothing else takes, the best paying first; return how much they take. [MW]"""
    sink, taken = hub.sink, 0.0
    for i in range(sink.size):
        one = sink[sink[i].place]
        wanted = one.size_mw * hub.sink_capability[sink[i].place, t]
        part = max(min(spare - taken, wanted - one.taken_mw), 0.0)
        one.taken_mw += part
        taken += part
    return taken
