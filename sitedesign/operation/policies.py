"""What an operator decides in one step, compiled: rules that see the past, the present and a forecast.

`latest_safe_plan` keeps just enough in the battery that all units at full power from the next step on would
avoid shedding (documentation, method/operation); `recharge_plan` starts units below a state of charge. Both
write the setpoint of each technology, and the first the load throttled per tier.
"""

from __future__ import annotations

import numpy as np

from sitedesign.operation.compiled import inlined, inside
from sitedesign.operation.records import Array, Fleet, Horizon, Hub, Outlook, Plan, Record

GREEDY, LATEST_SAFE_START, MARGINAL_VALUE = range(3)
DAYS_ONE_BY_ONE = 3  # that are looked at until what follows is of no account: they seldom leave it open


@inside
def today_factor(
    one: Record,
    seen: Array,
    usual: Array,
    day_steps: int,
    p: Record,
    usual_day: float,
    value: float,
) -> float:
    """Correct a resource's forecast factor of today by what was seen, the more the further the day is.

    What was seen of a day is added up as it comes, not each time anew.
    """
    if one.told_day != p.day:
        one.told_day, one.told_steps, one.observed, one.expected = p.day, 0, 0.0, 0.0
    steps, observed, expected = p.day_step, one.observed, one.expected
    first, clock = p.day * day_steps, p.day_of_year * day_steps
    for s in range(one.told_steps, steps):
        observed += seen[first + s]
        expected += usual[clock + s]
    one.told_steps, one.observed, one.expected = steps, observed, expected
    if expected <= 0.0:
        return value
    passed = expected / usual_day
    trust = passed / (passed + 0.15)
    return float(value + trust * (observed / expected - value))


@inlined
def _in_year(step: int, steps_per_year: int) -> int:
    """Find the step of the year of a step that may lie beyond its end."""
    while step >= steps_per_year:
        step -= steps_per_year
    return step


@inlined
def required_soc(outlook: Outlook, fleet: Fleet, hub: Hub | None, plan: Plan, level: int) -> None:
    """Energy that must be stored at the start of the planned step and of those up to midnight, for `level`.

    Level m means: the m + 1 cheapest technologies at full power from then on and nothing dearer; levels
    beyond the technologies add throttled tiers. Backwards over the window, deficits add and surpluses refill,
    both within the battery's power and energy. What midnight requires holds for all plans of a day.
    """
    p, r, change, horizon = fleet.plant[0], fleet.rule[0], plan.change_mwh, outlook.horizon
    resource = fleet.resource
    day_steps, ends, full, day0 = r.day_steps, horizon.window.shape[1], p.capacity_mwh, p.day
    if full <= 0.0:  # nothing can be stored, so nothing has to be
        for s in range(day_steps + 1):
            plan.required_mwh[level, s] = 0.0
        return
    if p.midnight_day != day0:
        p.midnight_day, p.midnight_levels = day0, 0
    if level >= p.midnight_levels:
        plan.midnight_mwh[level] = _midnight_need(outlook, fleet, hub, plan, level)
        p.midnight_levels = level + 1
    need, skipped = plan.midnight_mwh[level], p.planned_at - day0 * day_steps
    base = p.planned_at if r.perfect != 0 else p.day_of_year * day_steps + skipped
    steps = min(day_steps - skipped, ends - base)
    issued = min(day0, horizon.factor.shape[1] - 1)
    for i in range(1 if hub is None else resource.size):
        factor = horizon.factor[i, issued, 0]
        if r.blends_observed != 0:
            usual_day = outlook.day_yields[i, p.day_of_year]
            seen, usual = outlook.seen[i], outlook.yields[i]
            factor = today_factor(resource[i], seen, usual, day_steps, p, usual_day, factor)
        resource[i].forecast_mw = resource[i].size_mw * factor
    _changes(horizon, base, steps, p.planned_at, fleet, hub, level, change)
    required = plan.required_mwh
    required[level, day_steps - skipped] = need
    for s in range(steps - 1, -1, -1):
        need += change[s]
        need = need if need > 0.0 else 0.0
        need = need if need < full else full
        required[level, s] = need


@inlined
def _midnight_need(outlook: Outlook, fleet: Fleet, hub: Hub | None, plan: Plan, level: int) -> float:
    """Energy that the days to come, and what the climate asks for after them, ask for at the midnight. [MWh]

    Some days may bring everything from nothing to full to one need: what follows is then of no account.
    """
    p, r, terminal, horizon = fleet.plant[0], fleet.rule[0], outlook.terminal_mwh, outlook.horizon
    low, high, last, full, change = 0.0, p.capacity_mwh, 0, p.capacity_mwh, plan.following_mwh
    looked_at = min(r.lead_days, DAYS_ONE_BY_ONE)
    for ahead in range(1, looked_at + 1):
        first = last
        last += _day_changes(horizon, fleet, hub, change[first:], p.day + ahead, level)
        low, high = narrowed(change, first, last, low, high, full)
        if low == high:
            return low
    beyond = _in_year((p.day_of_year + r.lead_days + 1) * r.day_steps, terminal.shape[1])
    need = min(terminal[level, beyond], full)
    for ahead in range(r.lead_days, looked_at, -1):
        steps = _day_changes(horizon, fleet, hub, plan.change_mwh, p.day + ahead, level)
        for s in range(steps - 1, -1, -1):
            need += plan.change_mwh[s]
            need = need if need > 0.0 else 0.0
            need = need if need < full else full
    return need_before(change, last, need, low, high)


@inlined
def narrowed(
    change: Array, first: int, last: int, low: float, high: float, full: float
) -> tuple[float, float]:
    """Find between what a need lies before all steps, when those from `first` to `last` are known as well.

    `low` and `high` are what it lies between by the steps before `first`.
    """
    least, most = 0.0, full
    for s in range(last - 1, first - 1, -1):
        least, most = least + change[s], most + change[s]
        least = least if least > 0.0 else 0.0
        least = least if least < full else full
        most = most if most > 0.0 else 0.0
        most = most if most < full else full
    if first > 0:  # both at once as in `need_before`
        for s in range(first - 1, -1, -1):
            least, most = least + change[s], most + change[s]
        least, most = max(min(least, high), low), max(min(most, high), low)
    return least, most


@inlined
def need_before(change: Array, last: int, need: float, low: float, high: float) -> float:
    """Find what must be stored before all steps for `need` after the last, between `low` and `high`.

    A need that meets neither nothing nor full on its way is a plain sum, another one that of nothing or of
    full. Rounding keeps order, so it comes to exactly the same as step by step within both.
    """
    for s in range(last - 1, -1, -1):
        need += change[s]
    return max(min(need, high), low)


@inside
def _day_changes(horizon: Horizon, fleet: Fleet, hub: Hub | None, change: Array, day: int, level: int) -> int:
    """Write what each step of a day to come takes from the battery; return their number."""
    p, r, factor, resource = fleet.plant[0], fleet.rule[0], horizon.factor, fleet.resource
    start, ends, day0 = day * r.day_steps, horizon.window.shape[1], p.day
    base = start
    if r.perfect == 0:
        base = _in_year((p.day_of_year + day - day0) * r.day_steps, ends)
    steps = max(min(r.day_steps, ends - base), 0)
    issued, lead = min(day0, factor.shape[1] - 1), min(day - day0, factor.shape[2] - 1)
    for i in range(1 if hub is None else resource.size):
        resource[i].forecast_mw = resource[i].size_mw * factor[i, issued, lead]
    _changes(horizon, base, steps, start, fleet, hub, level, change)
    return int(steps)


@inlined
def _changes(
    horizon: Horizon, base: int, steps: int, start: int, fleet: Fleet, hub: Hub | None, level: int,
    change: Array,
) -> None:  # fmt: skip
    """Write what each of `steps` steps from `start` on takes from the battery, or gives it.

    `base` is the first of them in the window.
    """
    p, tech, tier, resource, window = fleet.plant[0], fleet.tech, fleet.tier, fleet.resource, horizon.window
    techs, loaded, resources = tech.size, 1.0, 1 if hub is None else resource.size
    sun_mw, ahead = resource[0].forecast_mw, start - p.planned_at
    for j in range(level + 1 - techs):
        loaded -= tier[j].share
    # Unsigned: an index that cannot be negative is what lets the compiler take several steps at once
    first, count = np.uint64(base), np.uint64(steps)
    for s in range(count):
        change[s] = loaded * window[0, first + s] - sun_mw * window[1, first + s]
    for i in range(1, resources):
        scale = resource[i].forecast_mw
        for s in range(count):
            change[s] -= scale * window[np.uint64(1 + i), first + s]
    for k in range(min(level + 1, techs)):
        capable = np.uint64(1 + resources + k)
        waiting, running = 0, tech[k].n_on * tech[k].firm_mw
        if tech[k].start_steps > 1.0:  # until others have started, only what runs already counts
            waiting = min(max(int(np.ceil(tech[k].start_steps)) - ahead, 0), steps)
        for s in range(np.uint64(waiting)):
            change[s] -= running * window[capable, first + s]
        firm = tech[k].n_free * tech[k].firm_mw
        for s in range(np.uint64(waiting), count):
            change[s] -= firm * window[capable, first + s]
        if hub is not None:
            _announce(horizon, fleet, k, base, steps, ahead, change)
    up, down = p.mwh_per_mw_charge, p.mwh_per_mw_discharge
    high, low = p.power_mw * down, -p.power_mw * up
    for s in range(count):
        net = change[s]
        gone = net * down if net > 0.0 else net * up
        gone = gone if gone < high else high
        change[s] = gone if gone > low else low


@inside
def _announce(
    horizon: Horizon, fleet: Fleet, k: int, base: int, steps: int, ahead: int, change: Array
) -> None:
    """Put what calls leave of an import in place of what may be relied on, as far as its notice reaches."""
    p, one, capable = fleet.plant[0], fleet.tech[k], 1 + fleet.resource.size
    if one.notice_steps == 0:
        return
    firm, told = one.n_free * one.firm_mw, horizon.announced[one.announced]
    first = p.planned_at + ahead
    for s in range(min(steps, one.notice_steps + 1 - ahead, told.size - first)):
        change[s] -= firm * (told[first + s] - horizon.window[capable + k, base + s])


@inlined
def after_step(p: Record, net: float) -> float:
    """Find the stored energy after a step that leaves `net` to the battery; negative when it cannot. [MWh]"""
    if net > p.power_mw:
        return -1.0
    if net > 0.0:
        return float(p.stored_mwh - net * p.mwh_per_mw_discharge)
    return float(min(p.stored_mwh + min(-net, p.power_mw) * p.mwh_per_mw_charge, p.capacity_mwh))


@inlined
def reserve_at(fleet: Fleet, plan: Plan, level: int, t: int) -> float:
    """Energy that a level requires after a step, with the rule's reserve on top. [MWh]"""
    p, r = fleet.plant[0], fleet.rule[0]
    reserve = r.reserve_mwh if level < fleet.tech.size else r.throttle_reserve_mwh
    required = plan.required_mwh[np.uint64(level), np.uint64(t + 1 - p.planned_at)]
    return float(min(required + reserve, p.capacity_mwh))


@inlined
def missing_mw(p: Record, net: float, target: float) -> float:
    """Reduction of net load that brings the stored energy to `target` after the step. [MW]"""
    if target == p.stored_mwh:
        lift = net  # as for all steps of a plant without a battery
    elif target <= p.stored_mwh:
        lift = net - (p.stored_mwh - target) / p.mwh_per_mw_discharge
    else:
        lift = net + (target - p.stored_mwh) / p.mwh_per_mw_charge
    return float(max(min(lift, net + p.power_mw), net - p.power_mw))


@inlined
def latest_safe_plan(fleet: Fleet, hub: Hub | None, plan: Plan, t: int, load: float, net: float) -> int:
    """Use the next dearer resource only when what is stored would fall below what the level before requires.

    Returns
    -------
    int
        -1 when the plan stands; else the level whose need must be found first, and then the plan made anew.
    """
    p, r, tech, tier = fleet.plant[0], fleet.rule[0], fleet.tech, fleet.tier
    techs, uncovered = tech.size, net
    for level in range(techs + tier.size - 1):
        if level >= p.known_levels:
            return level
        target = reserve_at(fleet, plan, level, t)
        if after_step(p, uncovered) >= target - 1e-9:
            break
        missing = missing_mw(p, uncovered, target)
        if level < techs:
            size = tech[level].unit_available_mw
            able = tech[level].n_free * size
            wanted = min(missing, able)
            if wanted > 0.0:
                # Units once committed rather run full than have the battery discharge
                committed = min(np.ceil(wanted * tech[level].units_per_mw - 1e-9) * size, able)
                committed = committed if tech[level].divisible == 0 else wanted
                tech[level].setpoint_mw = max(wanted, min(committed, uncovered))
                uncovered -= tech[level].setpoint_mw
            if missing <= able and r.throttle_reserve_mwh <= r.reserve_mwh:
                break  # dearer levels need less
        else:
            j = level - techs
            tier[j].throttled_mw = max(0.0, min(missing, tier[j].share * load))
            uncovered -= tier[j].throttled_mw
    if hub is not None:
        _cheapest_first(tech, net)
    return -1


@inside
def _cheapest_first(tech: Array, net: float) -> None:
    """Give what is wanted of all supplies together to those that are cheapest in this step."""
    before, usual = -1, True
    for i in range(tech.size):
        usual = usual and tech[i].place > before
        before = tech[i].place
    if usual:
        return
    wanted, uncovered = 0.0, net
    for k in range(tech.size):
        wanted += tech[k].setpoint_mw
    for i in range(tech.size):
        one = tech[tech[i].place]
        size, able = one.unit_available_mw, one.n_free * one.unit_available_mw
        part = max(min(wanted, able), 0.0)
        if part > 0.0 and one.divisible == 0:
            committed = min(np.ceil(part * one.units_per_mw - 1e-9) * size, able)
            part = max(part, min(committed, uncovered))
        one.setpoint_mw = part
        wanted -= part
        uncovered -= part


@inside
def recharge_plan(tech: Array, hub: Hub | None, p: Record, r: Record, net: float) -> bool:
    """Units at full power below a state of charge until a little above it; else what the battery lacks.

    No more than load and battery take on the way there. Returns whether anything is wanted.
    """
    if p.stored_mwh < r.start_soc * p.capacity_mwh:
        p.recharging = 1
    elif p.stored_mwh >= (r.start_soc + r.soc_band) * p.capacity_mwh:
        p.recharging = 0
    if p.recharging != 0:
        level = min(r.start_soc + r.soc_band, 1.0) * p.capacity_mwh
        uncovered = net + min(p.power_mw, max(level - p.stored_mwh, 0.0) / p.mwh_per_mw_charge)
    else:
        uncovered = net - min(p.power_mw, p.stored_mwh / p.mwh_per_mw_discharge)
    any_wanted = bool(uncovered > 0.0)
    for i in range(tech.size):
        one = tech[i if hub is None else tech[i].place]
        one.setpoint_mw = max(min(uncovered, one.n_free * one.unit_available_mw), 0.0)
        uncovered -= one.setpoint_mw
    return any_wanted
