"""The compiled simulation behind :mod:`sitedesign.operation.operate`: one pass over the steps.

The order inside a step is the order of events at a site: what fails, what is known, what is decided
(:mod:`sitedesign.operation.policies`), what then really happens
(:mod:`sitedesign.operation.unit_commitment`), what is written down.
"""

from __future__ import annotations

import numpy as np

from sitedesign.case.annual_use import NIGHT
from sitedesign.case.case import NOTHING
from sitedesign.operation.compiled import inlined, inside, njit
from sitedesign.operation.outages import rates
from sitedesign.operation.policies import (
    GREEDY,
    LATEST_SAFE_START,
    after_step,
    latest_safe_plan,
    recharge_plan,
    required_soc,
    reserve_at,
)
from sitedesign.operation.records import (
    Array,
    Fleet,
    Flows,
    Hub,
    Inputs,
    Outlook,
    Output,
    Plan,
    Record,
    State,
    Trail,
)
from sitedesign.operation.trading import drop_sinks, feed_sinks, trading_plan
from sitedesign.operation.trail import keep_midnight, resume
from sitedesign.operation.unit_commitment import (
    book_fuel,
    bridged_mw,
    commit,
    lower_units,
    off,
    raise_units,
    refresh,
    reserve_missing,
    send_to_service,
    switch_supply,
)


@inside
def _battery_share(p: Record) -> float:
    if p.battery_causes > 0:
        return 0.0
    return float(1.0 - p.battery_blocks_down / p.battery_blocks)


@inside
def _apply(state: State, kind: int, index: int, change: int, t: int) -> None:
    """Book one change of state; energy in battery blocks that are down is out of reach until they return."""
    p, tech = state.fleet.plant[0], state.fleet.tech
    if kind == rates.UNIT:
        state.unit[index].down += change
    elif kind == rates.TECHNOLOGY:
        if state.rank[index] < tech.size:  # else none of it is built
            tech[state.rank[index]].common_causes += change
    elif kind == rates.FUEL:
        state.fuel_causes[index] += change
        for k in range(tech.size):
            if tech[k].fuel == index:
                switch_supply(tech[k], state.fuel_causes[index] > 0, t)
    elif kind in (rates.BATTERY_BLOCK, rates.BATTERY):
        before = p.battery_share
        if kind == rates.BATTERY_BLOCK:
            p.battery_blocks_down += change
        else:
            p.battery_causes += change
        after = p.battery_share = _battery_share(p)
        moved = 0.0
        if after < before:
            moved = -p.stored_mwh * (1.0 - after / before)
        elif after > before:
            moved = p.stranded_mwh * ((after - before) / (1.0 - before))
        p.stored_mwh += moved
        p.stranded_mwh -= moved
    elif kind == rates.SOLAR_BLOCK:
        state.fleet.resource[0].blocks_down += change
    elif kind == rates.WIND_UNIT:
        state.fleet.resource[index].blocks_down += change
    else:
        p.site_causes += change


@inside
def _take_back(tier: Array, spare: float) -> float:
    """Undo throttling, dearest tier first, where there is power to spare; return how much of it. [MW]"""
    back = 0.0
    for j in range(tier.size - 1, -1, -1):
        part = min(spare - back, tier[j].throttled_mw)
        tier[j].throttled_mw -= part
        back += part
    return back


@inside
def _shed(tier: Array, load: float, short: float) -> tuple[float, float]:
    """Add a deficit to the throttled tiers, cheapest first; return shed load and its weighted loss. [MW]"""
    total, lost, last = 0.0, 0.0, tier.size - 1
    for j in range(last + 1):
        part = tier[j].throttled_mw
        more = short if j == last else min(short, max(tier[j].share * load - part, 0.0))
        short -= more
        total += part + more
        lost += tier[j].loss_per_mwh * (part + more)
    return total, lost


@inlined
def _fail(inputs: Inputs, state: State, event: int, t: int) -> tuple[int, bool, bool]:
    """Book what fails and what is repaired.

    Returns
    -------
    int
        The next event.
    bool, bool
        Whether plans are overturned, and whether a resource gives more or less than before.
    """
    p, changed, blocks = state.fleet.plant[0], t >= state.fleet.plant[0].next_repair, False
    while event < inputs.event_step.size and inputs.event_step[event] <= t:
        kind = inputs.event_kind[event]
        _apply(state, kind, inputs.event_index[event], inputs.event_change[event], t)
        # One block of battery, array or wind farm more or less does not overturn a plan before its time
        of_resource = kind in (rates.SOLAR_BLOCK, rates.WIND_UNIT)
        blocks = blocks or of_resource
        changed = changed or not (of_resource or kind == rates.BATTERY_BLOCK)
        event += 1
    if changed:
        refresh(state.fleet.tech, state.unit, p, t)
        p.planned_at, p.midnight_day = -1, -1
    return event, changed, blocks


@inside
def _of_second_fuel(one: Record, t: int) -> float:
    """Share of its power that a technology has in this step from its second fuel. [fraction]"""
    return float(one.second_fuel_share * min(max(t + 1.0 - one.switched_at, 0.0), 1.0))


@inside
def _day_of_supplies(inputs: Inputs, fleet: Fleet, plan: Plan, first: int, count: int) -> None:
    """Find what one unit of each supply can give in each step of a day."""
    tech, able, inverse = fleet.tech, plan.able_mw, plan.units_per_mw
    for k in range(tech.size):
        one = tech[k]
        unit_mw, least, row = one.unit_mw, one.min_load_mw, np.uint64(one.row)
        # Unsigned: an index that cannot be negative is what lets the compiler take several steps at once
        for s in range(np.uint64(count)):
            power = unit_mw * inputs.capability[row, np.uint64(first) + s]
            power = power if power >= least else 0.0  # below its lowest load none runs
            able[k, s], inverse[k, s] = power, 1.0 / power if power > 0.0 else 0.0


@inside
def _day_of_resources(
    inputs: Inputs, fleet: Fleet, hub: Hub | None, plan: Plan, first: int, count: int
) -> None:
    """Find what the resources give in each step of a day as long as no block fails or is repaired."""
    free = plan.free_mw
    for i in range(1 if hub is None else fleet.resource.size):
        one = fleet.resource[i]
        size, scale = one.size_mw, one.scale
        working = max(1.0 - one.blocks_down / one.blocks, 0.0)  # ice beside faults: more than there are
        for s in range(np.uint64(count)):
            power = size * inputs.yields[np.uint64(i), np.uint64(first) + s] * working * scale
            free[s] = power if i == 0 else free[s] + power


@inlined
def _offer(inputs: Inputs, fleet: Fleet, hub: Hub | None, plan: Plan, t: int, s: int) -> float:
    """Find what battery and supplies can do in this step; return the power of the resources. [MW]

    Nothing is decided yet: no unit gives anything, no tier is throttled; the last tier never is ahead.
    """
    p, tech, tier = fleet.plant[0], fleet.tech, fleet.tier
    p.power_mw = p.battery_mw * p.battery_share
    p.capacity_mwh = p.battery_mwh * inputs.usable[np.uint64(t)] * p.battery_share
    for j in range(tier.size - 1):
        tier[j].throttled_mw = 0.0
    for k in range(tech.size):
        tech[k].setpoint_mw, tech[k].unit_available_mw = 0.0, plan.able_mw[k, s]
        tech[k].units_per_mw = plan.units_per_mw[k, s]
        if hub is not None and tech[k].second_fuel != 0 and tech[k].interrupted != 0:
            able = tech[k].unit_mw * inputs.capability[tech[k].row, t] * _of_second_fuel(tech[k], t)
            able = able if able >= tech[k].min_load_mw else 0.0
            tech[k].unit_available_mw, tech[k].units_per_mw = able, 1.0 / able if able > 0.0 else 0.0
    return float(plan.free_mw[s])


@inside
def _book(one: Record, output: Output, year: int) -> None:
    """Book what a supply has given on its level of price and the year."""
    row = one.first_level + max(one.level, 0)
    output.energy_mwh[row, year] += one.energy_mwh
    output.fuel_mwh[row, year] += one.fuel_mwh
    one.energy_mwh, one.fuel_mwh = 0.0, 0.0
    output.starts[row, year] += one.starts
    one.starts = 0


@inlined
def _set_prices(fleet: Fleet, hub: Hub, output: Output, t: int, year: int) -> None:
    """Put the levels of price that hold in force, and bring supplies and sinks in order of price."""
    tech, sink, moved = fleet.tech, hub.sink, False
    for k in range(tech.size):
        level = hub.level[tech[k].row, t] if hub.level.shape[1] > 0 else 0
        if tech[k].second_fuel != 0:
            level = 1 if tech[k].interrupted != 0 else 0
        if level != tech[k].level:
            _book(tech[k], output, year)
            moved = True
            tech[k].level = level
            tech[k].usd_per_mwh = hub.usd_per_mwh[tech[k].first_level + level]
    if moved:
        for i in range(1, tech.size):  # nearly in order already
            row, j = tech[i].place, i
            while j > 0 and tech[tech[j - 1].place].usd_per_mwh > tech[row].usd_per_mwh:
                tech[j].place = tech[j - 1].place
                j -= 1
            tech[j].place = row
    moved = False
    for k in range(sink.size if hub.sink_level.shape[1] > 0 else 0):
        moved = moved or sink[k].level != hub.sink_level[k, t]
        sink[k].level = hub.sink_level[k, t]
        sink[k].usd_per_mwh = hub.usd_per_mwh[sink[k].first_level + sink[k].level]
    for i in range(1, sink.size if moved else 0):
        row, j = sink[i].place, i
        while j > 0 and sink[sink[j - 1].place].usd_per_mwh < sink[row].usd_per_mwh:
            sink[j].place = sink[j - 1].place
            j -= 1
        sink[j].place = row


@inlined
def _hear(inputs: Inputs, outlook: Outlook, fleet: Fleet, t: int, clock: int) -> bool:
    """Hear what calls are announced, and whether wires are down; return whether plans are overturned."""
    p, tech, horizon, changed = fleet.plant[0], fleet.tech, outlook.horizon, False
    capable = 1 + fleet.resource.size
    for k in range(tech.size):
        one = tech[k]
        if one.divisible == 0:
            continue
        left = horizon.announced[one.announced, t] if one.announced >= 0 else 1.0
        if one.announced < 0:
            left = min(left, horizon.window[capable + k, clock])
        intact = 1 if inputs.capability[one.row, t] >= left - 1e-9 else 0
        changed = changed or intact != one.intact
        one.intact = intact
        one.firm_mw = one.rated_firm_mw * intact
        heard = t + one.notice_steps
        if one.notice_steps > 0 and heard < inputs.load_mw.size:
            told = horizon.announced[one.announced]
            relied_on = horizon.window[capable + k, (clock + one.notice_steps) % horizon.window.shape[1]]
            changed = changed or told[heard] < relied_on or told[heard] != told[heard - 1]
    if changed:
        p.planned_at, p.midnight_day = -1, -1
    return changed


@inside
def _tells(outlook: Outlook, fleet: Fleet, clock: int, passed: int) -> bool:
    """Whether a resource has told something of its day in the steps passed of it, and goes on doing so."""
    for i in range(fleet.resource.size):
        built = i == 0 or fleet.resource[i].size_mw > 0.0
        if built and outlook.yields[i, clock] > 0.0:
            for s in range(clock - 1, clock - passed - 1, -1):
                if outlook.yields[i, s] > 0.0:
                    return True
    return False


@inside
def _plan_lasts(outlook: Outlook, fleet: Fleet, clock: int) -> int:
    """Count the steps for which a plan holds: till midnight, or till the sun has told something of it."""
    p, r = fleet.plant[0], fleet.rule[0]
    left = r.day_steps - p.day_step
    if r.blends_observed != 0:
        for steps in range(r.issue_steps, left):
            if _tells(outlook, fleet, clock + steps, p.day_step + steps):
                return steps
    return int(left)


@inlined
def _decide(
    outlook: Outlook, fleet: Fleet, hub: Hub | None, plan: Plan, t: int, clock: int, load: float, net: float,
    busy: bool,
) -> bool:  # fmt: skip
    """Decide what units give and what is throttled; return whether there is anything to do.

    A plan is needed only where the battery alone might not be enough.
    """
    p, r, act = fleet.plant[0], fleet.rule[0], busy
    if r.kind != GREEDY:
        if p.planned_at < 0 or t >= p.planned_until:
            p.planned_at, p.known_levels = t, 0
            p.planned_until = t + _plan_lasts(outlook, fleet, clock)
        if r.kind != LATEST_SAFE_START:
            act = True
            if hub is not None:
                while True:
                    lacking = trading_plan(fleet, hub, plan, t, clock, load, net)
                    if lacking < 0:
                        break
                    required_soc(outlook, fleet, hub, plan, lacking)
                    p.known_levels = lacking + 1
        elif p.known_levels == 0 or busy or after_step(p, net) < reserve_at(fleet, plan, 0, t) - 1e-9:
            act = True
            while True:
                lacking = latest_safe_plan(fleet, hub, plan, t, load, net)
                if lacking < 0:
                    break
                required_soc(outlook, fleet, hub, plan, lacking)
                p.known_levels = lacking + 1
    elif busy or r.start_soc > 0.0:
        act = recharge_plan(fleet.tech, hub, p, r, net) or act
    if p.reserve != 0 and not act:
        left = max(p.stored_mwh - max(net, 0.0) * p.mwh_per_mw_discharge, 0.0)
        act = reserve_missing(fleet.tech, p, _held(p, load, load - net), left, False) > 1e-9
    return act


@inlined
def _held(p: Record, load: float, free: float) -> float:
    """Load that must be carried through an event by units and battery, sinks left out. [MW]"""
    return float(load * (1.0 + p.spinning_share) - free * (1.0 - p.resource_share))


@inlined
def _happen(
    fleet: Fleet, hub: Hub | None, unit: Array, plan: Plan, unit_mw: Array, t: int, free: float, load: float,
    act: bool,
) -> tuple[Flows, bool]:  # fmt: skip
    """Serve the load as decided; return the flows, and whether anything runs or is shed."""
    p, r, tech, tier = fleet.plant[0], fleet.rule[0], fleet.tech, fleet.tier
    stored = p.stored_mwh
    into = min(p.power_mw, max(p.capacity_mwh - p.stored_mwh, 0.0) / p.mwh_per_mw_charge)
    balance, limit, throttled, missing, taken = load - free, load, 0.0, 0.0, 0.0
    charge, discharge, given, short, weighted, busy = 0.0, 0.0, 0.0, 0.0, 0.0, False
    fallen = 0.0
    if hub is not None:
        for k in range(hub.sink.size):
            taken += hub.sink[k].taken_mw
        balance += taken
    if act:
        for j in range(tier.size - 1):  # the last is never throttled ahead
            throttled += tier[j].throttled_mw
        limit -= throttled
        balance -= throttled
        reserve = r.start_soc * p.capacity_mwh
        if r.kind == LATEST_SAFE_START:
            reserve = reserve_at(fleet, plan, 0, t)
        elif r.kind != GREEDY:
            reserve = reserve_at(fleet, plan, tech.size - 1, t) if tech.size > 0 else 0.0
        given = commit(
            tech,
            hub,
            unit,
            p,
            t,
            balance,
            limit + taken + into,
            reserve,
            r.kind,
            _held(p, load, free) - throttled,
        )
        balance -= given
    inside = stored / p.mwh_per_mw_discharge
    if hub is not None:
        dropped = drop_sinks(hub.sink, balance - min(p.power_mw, inside))
        taken -= dropped
        balance -= dropped
    if balance > min(p.power_mw, inside) + 1e-12:
        balance -= raise_units(tech, hub, unit, p, t, balance - min(p.power_mw, inside))
        act = True
    if p.ride_failure > 0.0 and act:
        left = min(p.power_mw, inside) - max(balance, 0.0)
        fallen = p.ride_failure * bridged_mw(tech, unit, p, t, max(left, 0.0))
        balance -= fallen
    if stored > p.capacity_mwh:  # capacity faded under a full battery: the excess has to leave first
        discharge = min((stored - p.capacity_mwh) / p.mwh_per_mw_discharge, p.power_mw, limit)
        balance -= discharge
    if balance > 0.0:
        more = min(balance, p.power_mw - discharge, inside - discharge)
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
            curtailed = lower_units(tech, hub, curtailed - back)
        if hub is not None:
            fed = feed_sinks(hub, curtailed, t)
            taken += fed
            curtailed -= fed
    if act:
        missing += fallen
        if missing > 0.0 or limit < load:
            short, weighted = _shed(tier, load, missing)
        given, busy = book_fuel(tech, unit, p, unit_mw, t)
        busy = busy or short > 0.0
    p.stored_mwh = max(stored + p.mwh_per_mw_charge * charge - p.mwh_per_mw_discharge * discharge, 0.0)
    error = abs(free - curtailed + discharge - charge + given + short - load - taken)
    return Flows(free, charge, discharge, curtailed, short, weighted, error), busy


@inlined
def _record(
    inputs: Inputs, fleet: Fleet, hub: Hub | None, output: Output, flows: Flows, t: int, year: int
) -> None:
    """Write down what a step gave."""
    p, tech, series, step = fleet.plant[0], fleet.tech, output.series, np.uint64(t)
    output.cycled_mwh[np.uint64(year)] += flows.discharge * p.step_h
    output.shed_mw[step] = flows.shed
    output.lost_compute[step] = flows.weighted / inputs.load_mw[step] if flows.shed > 0.0 else 0.0
    if series.shape[1] > 0:
        series[0, t], series[1, t], series[2, t] = flows.curtailed, flows.charge, flows.discharge
        series[3, t], series[4, t] = p.stored_mwh + p.stranded_mwh, flows.free
        for k in range(tech.size):
            output.supply_mw[k, t] = tech[k].setpoint_mw if p.site_causes == 0 else 0.0
    if p.reserve != 0 and p.site_causes == 0:
        wanted = _held(p, inputs.load_mw[t], flows.free) - flows.shed
        lacking = reserve_missing(tech, p, wanted, p.stored_mwh, False)
        if lacking > 1e-6:
            output.reserve[0, year] += p.step_h
            output.reserve[1, year] = max(output.reserve[1, year], lacking)
            output.reserve[2, year] += lacking * p.step_h
            if series.shape[1] > 0:
                series[5, t] = lacking
    if hub is not None:
        for k in range(hub.sink.size):
            one = hub.sink[k]
            if series.shape[1] > 0:
                output.taken_mw[k, t] = one.taken_mw
            output.energy_mwh[one.first_level + one.level, year] += one.taken_mw * p.step_h
            one.taken_mw = 0.0


@inside
def _count_hours(tech: Array, p: Record, output: Output, year: int) -> None:
    """Count a step in which units of a technology, or any at all, give power: by day or at night."""
    hour, heard = p.day_step * p.step_h + 1e-9, False
    part = 1 if hour >= NIGHT[0] or hour < NIGHT[1] else 0
    for k in range(tech.size):
        if tech[k].divisible == 0 and tech[k].setpoint_mw > NOTHING:
            output.on_h[tech[k].row, part, year] += p.step_h
            heard = True
    if heard:
        output.on_h[output.on_h.shape[0] - 1, part, year] += p.step_h


@inlined
def _next_event(inputs: Inputs, event: int) -> int:
    """Find the step of an event, beyond all steps when there is none."""
    return int(inputs.event_step[event]) if event < inputs.event_step.size else int(inputs.load_mw.size)


@njit(cache=True, error_model="numpy")
def simulate(
    inputs: Inputs, outlook: Outlook, state: State, plan: Plan, output: Output, hub: Hub | None, trail: Trail
) -> float:
    """Run all steps from the plant's first one on; the state stays in `state`, results go to `output`.

    With a trail, days that go as they went in the run before are left out.

    Returns
    -------
    float
        Largest energy-balance error of any step. [MW]
    """
    fleet, unit = state.fleet, state.unit
    p, r, tech = fleet.plant[0], fleet.rule[0], fleet.tech
    steps, per_year, worst = inputs.load_mw.size, outlook.yields.shape[1], 0.0
    if p.first_step == 0:
        p.next_repair = -1.0
    p.planned_at, p.midnight_day = -1, -1
    p.battery_share, p.day_step = _battery_share(p), 0
    event = p.day_step  # a zero that is read: a written one has a type of its own, compiled once more
    due = _next_event(inputs, event)
    busy = p.busy != 0  # something was running or throttled in the step before
    t, today = p.first_step, -1
    while t < steps:
        if trail.kept.shape[0] > 0:
            if today >= 0:
                trail.missed_starts[today] = p.missed_starts
            p.busy, p.missed_starts = 1 if busy else 0, 0
            today = keep_midnight(trail, fleet, t // r.day_steps, t)
            if today * r.day_steps >= steps:
                break
            if today * r.day_steps > t:
                t = today * r.day_steps
                resume(trail, fleet, today)
                busy = p.busy != 0
            while due < t:
                event += 1
                due = _next_event(inputs, event)
        if p.serviced != 0 and t > 0:
            send_to_service(tech, unit, p, t)
        year = t // per_year
        first, start, count = t, t - year * per_year, min(r.day_steps, steps - t)
        p.day, p.day_of_year = t // r.day_steps, start // r.day_steps
        _day_of_supplies(inputs, fleet, plan, first, count)
        _day_of_resources(inputs, fleet, hub, plan, first, count)
        load_mw = inputs.load_mw[first : first + count]
        for s in range(count):
            t, clock, p.day_step = first + s, start + s, s
            if t >= due or t >= p.next_repair:
                event, changed, blocks = _fail(inputs, state, event, t)
                due, busy = _next_event(inputs, event), busy or changed
                if blocks:
                    _day_of_resources(inputs, fleet, hub, plan, first, count)
            if hub is not None:
                if p.priced != 0:
                    _set_prices(fleet, hub, output, t, year)
                if p.imports != 0 and r.perfect == 0:
                    busy = _hear(inputs, outlook, fleet, t, clock) or busy
            free, load = _offer(inputs, fleet, hub, plan, t, s), load_mw[s]
            if p.site_causes > 0:
                flows = Flows(free, 0.0, 0.0, free, load, load, 0.0)
            else:
                act = _decide(outlook, fleet, hub, plan, t, clock, load, load - free, busy)
                flows, busy = _happen(fleet, hub, unit, plan, output.unit_mw, t, free, load, act)
                if busy and output.on_h.shape[0] > 0:
                    _count_hours(tech, p, output, year)
                worst = max(worst, flows.error)
            _record(inputs, fleet, hub, output, flows, t, year)
        t = first + count
        if t == (year + 1) * per_year or t == steps:
            for k in range(tech.size):
                _book(tech[k], output, year)
    if today >= 0 and today * r.day_steps < steps:
        trail.missed_starts[today] = p.missed_starts
    for u in range(unit.size):
        if unit[u].on != 0:
            off(unit[u], p.step_h, steps)
    return float(worst)
