"""What an operator decides in one step, compiled: rules that see the past, the present and a forecast.

`latest_safe_plan` keeps just enough in the battery that all units at full power from the next step on would
avoid shedding (documentation, method/operation). `rolling_plan` solves the exact single-storage recursion
(method/dispatch) over the forecast window. Both write the backup power wanted per technology and the load
throttled per tier.

State and constants travel as record arrays, which compiled code reads without touching reference counts.
Technologies are in order of marginal cost, tiers in order of weight.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitedesign.operation.compiled import njit

Array = NDArray[Any]
GREEDY, LATEST_SAFE_START, ROLLING = range(3)
DAYS = 365

#: One row a technology: constants, then state.
TECH = np.dtype(
    [
        ("unit_mw", "f8"),
        ("units", "i8"),
        ("first", "i8"),  # number of its first unit
        ("counted_mw", "f8"),  # power of one unit that plans count on [MW]
        ("price", "f8"),  # marginal cost [USD/MWh]
        ("intercept", "f8"),
        ("start_steps", "f8"),
        ("start_failure", "f8"),
        ("start_beta", "f8"),
        ("start_repair_steps", "f8"),
        ("retry_steps", "f8"),
        ("retry_success", "f8"),
        ("start_key", "u8"),
        ("fuel", "i8"),  # number of its fuel, -1 for none that can be interrupted
        ("floor_mw", "f8"),  # lowest load of one unit [MW]
        ("tank_steps", "f8"),  # fuel kept on site, in steps of all units at full load
        ("refill", "f8"),  # the same, brought in one step
        ("sip", "f8"),  # the same, burnt in one step by one unit at its lowest load
        ("n_on", "i8"),
        ("n_free", "i8"),  # units that are not down, running or not
        ("n_plan", "i8"),  # units that the plan wants
        ("n_keep", "i8"),  # running units that are not stopped
        ("n_want", "i8"),  # units decided on
        ("hold", "f8"),  # step until which running units stay on
        ("settled", "f8"),  # step from which all running units give full power
        ("each_mw", "f8"),  # what one unit can give in this step [MW]
        ("full", "f8"),  # what the running units can give in this step [MW]
        ("most", "f8"),  # what their fuel lets them give of it [MW]
        ("least", "f8"),  # what they give at least [MW]
        ("want", "f8"),  # decided, then real output [MW]
        ("common", "i8"),  # common causes in force
        ("cut_off", "i8"),  # supply of its fuel is interrupted
        ("tank", "f8"),
        ("filled", "f8"),  # step from which the tank fills again
        ("energy", "f8"),  # of this year [MWh]
        ("burnt", "f8"),  # of this year, full-load equivalent [MWh]
    ],
    align=True,
)
UNIT = np.dtype(
    [
        ("on", "i8"),
        ("down", "i8"),  # causes that keep it down
        ("since", "i8"),  # step of its last start
        ("ready", "f8"),  # step at which it delivers after a start
        ("repair", "f8"),  # step until which it is repaired after a failed start
        ("key", "u8"),  # stream of its start failures, 0 for none
        ("run_h", "f8"),
        ("starts", "i8"),
        ("failed", "i8"),
    ],
    align=True,
)
TIER = np.dtype([("width", "f8"), ("weight", "f8"), ("throttle", "f8")], align=True)
#: One row: the plant, then what changes.
PLANT = np.dtype(
    [
        ("step_h", "f8"),
        ("solar_mw", "f8"),
        ("battery_mwh", "f8"),
        ("battery_mw", "f8"),
        ("up", "f8"),  # stored energy per MW charged over a step [MWh]
        ("down", "f8"),  # stored energy per MW discharged over a step [MWh]
        ("hold_steps", "f8"),
        ("battery_blocks", "f8"),
        ("solar_blocks", "f8"),
        ("solar_scale", "f8"),
        ("stored", "f8"),
        ("frozen", "f8"),  # energy in battery blocks that are down
        ("battery_down", "f8"),
        ("battery_all", "f8"),
        ("solar_down", "f8"),
        ("site_down", "f8"),
        ("expiry", "f8"),  # next step at which a repair ends
        ("charging", "i8"),  # greedy: units run to refill
        ("power", "f8"),  # battery power now [MW]
        ("full", "f8"),  # battery energy now [MWh]
        ("seen", "f8"),  # solar yield of this day so far
        ("usual", "f8"),  # the same of the average year
        ("planned_at", "i8"),  # step of the last plan, -1 when it is stale
        ("levels", "i8"),  # levels of need known since
        ("night_of", "i8"),  # day whose coming midnight is known, -1 when it is stale
        ("nights", "i8"),  # levels known of it
    ],
    align=True,
)
RULE = np.dtype(
    [
        ("kind", "i8"),
        ("start_soc", "f8"),
        ("soc_band", "f8"),
        ("reserve_mwh", "f8"),
        ("throttle_reserve_mwh", "f8"),
        ("issue_steps", "i8"),
        ("perfect", "i8"),
        ("blend", "i8"),  # what was seen of today corrects its forecast
        ("days", "i8"),
        ("day_steps", "i8"),
        ("zero_slot", "i8"),
    ],
    align=True,
)


@njit(cache=True, error_model="numpy")
def today_factor(plant: Array, rule: Array, usual_day: Array, day: int, value: float) -> float:
    """Correct the forecast factor of today by what was seen, the more the further the day is."""
    p, r = plant[0], rule[0]
    if r.blend == 0 or p.usual <= 0.0:
        return value
    passed = p.usual / usual_day[day % usual_day.size]
    trust = passed / (passed + 0.15)
    return float(value + trust * (p.seen / p.usual - value))


@njit(cache=True, error_model="numpy")
def need_level(
    known: Array, usual_day: Array, factor: Array, tech: Array, tier: Array, plant: Array, rule: Array,
    usual_need: Array, midnight: Array, needs: Array, change: Array, level: int,
) -> None:  # fmt: skip
    """Energy that must be stored at the start of the planned step and of those up to midnight, for `level`.

    Level m means: the m + 1 cheapest technologies at full power from then on and nothing dearer; levels
    beyond the technologies add throttled tiers. Backwards over the window, deficits add and surpluses refill,
    both within the battery's power and energy. What the coming midnight needs holds for all plans of a day.
    """
    p, r = plant[0], rule[0]
    day_steps, ends, full = r.day_steps, known.shape[1], p.full
    day0 = p.planned_at // day_steps
    issued = min(day0, factor.shape[0] - 1)
    if p.night_of != day0:
        p.night_of, p.nights = day0, 0
    if level >= p.nights:
        need = min(usual_need[level, (day0 + r.days + 1) * day_steps % usual_need.shape[1]], full)
        # The next day alone may bring everything from nothing to full to one need: what follows is then of no
        # account. Rounding keeps order, so the need in between comes to exactly the same.
        least, most = 0.0, full
        steps = _day_changes(known, factor, issued, day0, day0 + 1, tech, tier, plant, rule, level, change)
        for s in range(steps - 1, -1, -1):
            least, most = least + change[s], most + change[s]
            least = least if least > 0.0 else 0.0
            least = least if least < full else full
            most = most if most > 0.0 else 0.0
            most = most if most < full else full
        if least == most:
            need = least
        else:
            for day in range(day0 + r.days, day0, -1):
                steps = _day_changes(known, factor, issued, day0, day, tech, tier, plant, rule, level, change)
                for s in range(steps - 1, -1, -1):
                    need += change[s]
                    need = need if need > 0.0 else 0.0
                    need = need if need < full else full
        midnight[level] = need
        p.nights = level + 1
    need, skipped = midnight[level], p.planned_at - day0 * day_steps
    base = p.planned_at if r.perfect != 0 else p.planned_at % ends
    steps = min(day_steps - skipped, ends - base)
    scale = p.solar_mw * today_factor(plant, rule, usual_day, day0, factor[issued, 0])
    _changes(known, base, steps, 0, scale, tech, tier, plant, level, change)
    needs[level, day_steps - skipped] = need
    for s in range(steps - 1, -1, -1):
        need += change[s]
        need = need if need > 0.0 else 0.0
        need = need if need < full else full
        needs[level, s] = need


@njit(cache=True, error_model="numpy")
def _day_changes(
    known: Array, factor: Array, issued: int, day0: int, day: int, tech: Array, tier: Array, plant: Array,
    rule: Array, level: int, change: Array,
) -> int:  # fmt: skip
    """Write what each step of a day to come takes from the battery; return their number."""
    p, r = plant[0], rule[0]
    start, ends = day * r.day_steps, known.shape[1]
    base = start if r.perfect != 0 else start % ends
    steps = max(min(r.day_steps, ends - base), 0)
    scale = p.solar_mw * factor[issued, min(day - day0, factor.shape[1] - 1)]
    _changes(known, base, steps, start - p.planned_at, scale, tech, tier, plant, level, change)
    return int(steps)


@njit(cache=True, error_model="numpy", inline="always")
def _changes(
    known: Array, base: int, steps: int, ahead: int, solar_mw: float, tech: Array, tier: Array, plant: Array,
    level: int, change: Array,
) -> None:  # fmt: skip
    """Write what each of `steps` steps from `base` on takes from the battery, or gives it.

    `ahead` is the time from the planned step to the first of them. [steps]
    """
    p, techs = plant[0], tech.size
    loaded = 1.0
    for j in range(level + 1 - techs):
        loaded -= tier[j].width
    # Unsigned: an index that cannot be negative is what lets the compiler take several steps at once
    first, count = np.uint64(base), np.uint64(steps)
    for s in range(count):
        change[s] = loaded * known[0, first + s] - solar_mw * known[1, first + s]
    for k in range(min(level + 1, techs)):
        waiting, running = 0, tech[k].n_on * tech[k].counted_mw
        if tech[k].start_steps > 1.0:  # until others have started, only what runs already counts
            waiting = min(max(int(np.ceil(tech[k].start_steps)) - ahead, 0), steps)
        for s in range(np.uint64(waiting)):
            change[s] -= running * known[2 + k, first + s]
        firm = tech[k].n_free * tech[k].counted_mw
        for s in range(np.uint64(waiting), count):
            change[s] -= firm * known[2 + k, first + s]
    up, down, most, least = p.up, p.down, p.power * p.down, -p.power * p.up
    for s in range(count):
        net = change[s]
        gone = net * down if net > 0.0 else net * up
        gone = gone if gone < most else most
        change[s] = gone if gone > least else least


@njit(cache=True, error_model="numpy", inline="always")
def after_step(plant: Array, net: float) -> float:
    """Find the stored energy after a step that leaves `net` to the battery; negative when it cannot. [MWh]"""
    p = plant[0]
    if net > p.power:
        return -1.0
    if net > 0.0:
        return float(p.stored - net * p.down)
    return float(min(p.stored + min(-net, p.power) * p.up, p.full))


@njit(cache=True, error_model="numpy", inline="always")
def _missing(plant: Array, net: float, target: float) -> float:
    """Reduction of net load that brings the stored energy to `target` after the step. [MW]"""
    p = plant[0]
    lift = net - (p.stored - target) / p.down if target <= p.stored else net + (target - p.stored) / p.up
    return float(max(min(lift, net + p.power), net - p.power))


@njit(cache=True, error_model="numpy", inline="always")
def latest_safe_plan(
    need_mw: float, tech: Array, tier: Array, plant: Array, rule: Array, needs: Array, t: int, net: float
) -> int:
    """Use the next dearer resource only when what is stored would fall below the need that it leaves.

    Returns
    -------
    int
        -1 when the plan stands; else the level whose need must be found first, and then the plan made anew.
    """
    p, r = plant[0], rule[0]
    techs, left = tech.size, net
    for k in range(techs):
        tech[k].want = 0.0
    for level in range(techs + tier.size - 1):
        if level < techs and tech[level].units == 0:
            continue  # the need stays that of the level before
        if level >= p.levels:
            return level
        margin = r.reserve_mwh if level < techs else r.throttle_reserve_mwh
        target = min(needs[level, t + 1 - p.planned_at] + margin, p.full)
        if after_step(plant, left) >= target - 1e-9:
            break
        missing = _missing(plant, left, target)
        if level < techs:
            size = tech[level].each_mw
            able = tech[level].n_free * size
            wanted = min(missing, able)
            if wanted > 0.0:
                # Units once committed rather run full than have the battery discharge
                committed = min(np.ceil(wanted / size - 1e-9) * size, able)
                tech[level].want = max(wanted, min(committed, left))
                left -= tech[level].want
            if missing <= able and r.throttle_reserve_mwh <= r.reserve_mwh:
                break  # dearer levels need less
        else:
            j = level - techs
            tier[j].throttle = max(0.0, min(missing, tier[j].width * need_mw))
            left -= tier[j].throttle
    return -1


@njit(cache=True, error_model="numpy")
def _overlap(low: float, high: float, a: float, b: float) -> float:
    return max(0.0, min(high, b) - max(low, a))


@njit(cache=True, error_model="numpy")
def bellman_step(
    slopes: Array, block: Array, down_slot: Array, up_slot: Array, zero_slot: int, net: float, power: float,
    full: float, down: float, up: float,
) -> None:  # fmt: skip
    """Go one step back in the exact recursion: merge the stage's slopes into the value's, trim to [0, full].

    `slopes[i]` is the length of stored energy at the i-th marginal value, dearest first; `block` holds the
    power of each resource in order of price. Documentation, method/dispatch.
    """
    low = 0.0
    free = _overlap(-np.inf, 0.0, net, net + power) * up
    slopes[zero_slot] += free + _overlap(-np.inf, 0.0, net - power, net) * down
    charged = free
    for i in range(block.size):
        high = low + block[i]
        slopes[down_slot[i]] += _overlap(low, high, net - power, net) * down
        part = _overlap(low, high, net, net + power) * up
        slopes[up_slot[i]] += part
        charged += part
        low = high
    for i in range(slopes.size):
        cut = min(slopes[i], charged)
        slopes[i] -= cut
        charged -= cut
        if charged <= 0.0:
            break
    excess = -full
    for i in range(slopes.size):
        excess += slopes[i]
    if excess < 0.0:
        slopes[zero_slot] -= excess
    for i in range(slopes.size - 1, -1, -1):
        if excess <= 0.0:
            break
        cut = min(slopes[i], excess)
        slopes[i] -= cut
        excess -= cut


@njit(cache=True, error_model="numpy")
def rolling_plan(
    solar: Array, load: Array, capability: Array, usual_solar: Array, usual_load: Array, usual_able: Array,
    usual_day: Array, factor: Array, tech: Array, tier: Array, plant: Array, rule: Array, end_value: Array,
    values: Array, down_slot: Array, up_slot: Array, price: Array, slopes: Array, block: Array, t: int,
    net: float,
) -> None:  # fmt: skip
    """Solve the forecast window back to the next step, then take stored energy that is worth its price."""
    p, r = plant[0], rule[0]
    steps, per_year, day_steps, techs = load.size, usual_solar.size, r.day_steps, tech.size
    power, full, up, down, zero = p.power, p.full, p.up, p.down, r.zero_slot
    day0 = t // day_steps
    end = (day0 + r.days + 1) * day_steps
    if r.perfect != 0 and end > steps:
        end = steps
    year_day = (end // day_steps) % DAYS
    for i in range(slopes.size):
        slopes[i] = end_value[year_day, i] * full
    for day in range((end - 1) // day_steps, day0 - 1, -1):
        start = day * day_steps
        base = start % per_year
        scale = p.solar_mw
        if r.perfect == 0:
            value = factor[min(day0, factor.shape[0] - 1), min(day - day0, factor.shape[1] - 1)]
            scale *= today_factor(plant, rule, usual_day, day, value) if day == day0 else value
        for s in range(min(day_steps, end - start) - 1, max(t + 1 - start, 0) - 1, -1):
            perfect = r.perfect != 0
            served = load[start + s] if perfect else usual_load[base + s]
            sun = solar[start + s] if perfect else usual_solar[base + s]
            for k in range(techs):
                able = capability[k, start + s] if perfect else usual_able[k, base + s]
                block[k] = tech[k].n_free * tech[k].counted_mw * able
            for j in range(tier.size):
                block[techs + j] = tier[j].width * served
            bellman_step(slopes, block, down_slot, up_slot, zero, served - scale * sun, power, full, down, up)
    for k in range(techs):
        block[k] = tech[k].n_free * tech[k].unit_mw * capability[k, t]
    for j in range(tier.size):
        block[techs + j] = tier[j].width * load[t]
    _take(tech, tier, plant, values, price, slopes, block, net)


@njit(cache=True, error_model="numpy")
def _take(
    tech: Array,
    tier: Array,
    plant: Array,
    values: Array,
    price: Array,
    slopes: Array,
    block: Array,
    net: float,
) -> None:
    """From the deepest possible discharge upwards, add resources while stored energy is worth more."""
    p = plant[0]
    up, down, power = p.up, p.down, p.power
    eta_d, eta_c = p.step_h / down, up / p.step_h
    deepest = min(power, p.stored / down, max(net, 0.0))
    level = p.stored - deepest * down + min(max(-net, 0.0), power) * up
    drawn = net - deepest  # what resources must give at the deepest discharge
    low = 0.0
    for i in range(block.size):
        high = low + block[i]
        used = min(max(drawn - low, 0.0), block[i])
        # first instead of discharging, then for charging
        place = max(0.0, min(high, net) - max(low, drawn))
        more = min(_worth(values, slopes, price[i] * eta_d, level) / down, place)
        level += more * down
        used += more
        if more >= place - 1e-12:
            place = max(0.0, min(high, net + power) - max(low, net, drawn))
            more = min(_worth(values, slopes, price[i] / eta_c, level) / up, place)
            level += more * up
            used += more
        if used > 1e-9:
            if i < tech.size:
                tech[i].want = used
            else:
                tier[i - tech.size].throttle = used
        low = high


@njit(cache=True, error_model="numpy")
def _worth(values: Array, slopes: Array, price: float, level: float) -> float:
    """Sum the stored energy above `level` whose marginal value exceeds a price. [MWh]"""
    total = 0.0
    for i in range(slopes.size):
        if values[i] <= price * (1.0 + 1e-12):
            break
        total += slopes[i]
    return max(total - level, 0.0)
