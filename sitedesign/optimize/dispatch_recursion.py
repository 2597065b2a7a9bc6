"""The passes of the dispatch recursion, compiled; `dispatch_oracle.py` says what they mean.

The cost-to-go of stored energy after a step is a row of *edges*: edge j is the energy at which slope j
begins, between none and a full battery. Going back over a step, every edge moves by what the battery does at
its price, and stops at empty and at full: ``edge = min(max(edge + shift, 0), full)``, each on its own. Which
slope the optimum lies in follows forward from how many edges are past either end, and the slope alone gives
the prices: the slope changes only where the battery is full or empty.

An edge that has stopped knows nothing of what came before. So the steps are cut into eight stretches that run
side by side, each from a guess of the edges at its end, and begin again from what the next stretch came to,
until none of them changes: what comes out is what one pass through all steps gives, to the last bit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sitedesign.util.compiled import njit
from sitedesign.util.eight import (
    LANES,
    equal,
    everywhere,
    larger,
    less,
    load_eight,
    smaller,
    store_eight,
)

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Why no dispatch exists: not full again at the end, or forced below full early
LATE_CHARGE, EARLY_FADE = 1, 2
INTERCEPT, FIRST_RESOURCE = 0, 1  # columns of a cut; those of the battery follow the resources
_ROWS = 16  # of eight steps each, that the forward pass works on at a time
ROWS_APART = 64  # rows between the edges that are kept to see whether a stretch changes
# What only kernels call needs no way in from Python, which takes long to compile. What makes no arrays is
# compiled without the counting of references to them: two threads that count wait for each other.
_makes_arrays = njit(cache=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
_inside = njit(cache=True, no_cpython_wrapper=True, no_cfunc_wrapper=True, _nrt=False)
# What runs for every step becomes part of its caller: to hand all arrays over takes longer than what it does.
_inlined = njit(cache=True, no_cpython_wrapper=True, no_cfunc_wrapper=True, _nrt=False, forceinline=True)


class Series(NamedTuple):
    """Data of a case: step [h], yields [MW/MW], load [MW], usable share, capability rows of so many MW.

    Series are side by side (:func:`side_by_side`), of resources and levels one after the other; `usable` is
    that before each step, `usable_end` that after the last. `capability` is in the order of time, all rows of
    a step together; those of each flow (supplies, then sinks) follow each other from `row_start`.
    `active_level` says which level of a flow holds in each step.
    """

    steps: int
    step_h: float
    resource_yield: FloatArray
    load: FloatArray
    usable: FloatArray
    usable_end: float
    eta_charge: float
    eta_discharge: float
    capability: FloatArray
    row_mw: FloatArray
    row_start: IntArray
    active_level: NDArray[np.int16]
    supplies: int


class Capacities(NamedTuple):
    """Resources [MW]; battery [MWh, MW]; what each flow can give or take, side by side [MW]."""

    resources: FloatArray
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
    slope_rank: IntArray
    slope_charges: IntArray
    below_charge: IntArray
    below_discharge: IntArray


class Memory(NamedTuple):
    """First and last slope with any length before each step, and the slope taken, side by side.

    Further the edges of all stretches now and after every few rows of steps, and those after each step where
    a path is recorded. [MWh]
    """

    first: NDArray[np.int16]
    final: NDArray[np.int16]
    slope: NDArray[np.int16]
    edge: FloatArray
    kept: FloatArray
    recorded: FloatArray


class Outputs(NamedTuple):
    """Totals and bound coefficients per component; paths, or empty arrays when they are not wanted."""

    totals: FloatArray
    cut: FloatArray
    stored: FloatArray
    bus_rank: IntArray
    bus_factor: FloatArray
    slope: IntArray


@_inlined
def _stack(
    series: Series, plant: Capacities, tables: Tables, place: int, stack: FloatArray, start: int
) -> None:
    """Write, for eight steps, what all blocks below each rank give, and the load that the sun leaves. [MW]"""
    steps = series.load.size
    load = load_eight(series.load, place)
    net = load
    for flow in range(series.supplies, series.row_start.size - 1):
        net = net + load_eight(plant.flow, flow * steps + place)
    for r in range(plant.resources.size):
        net = net - everywhere(plant.resources[r]) * load_eight(series.resource_yield, r * steps + place)
    upper = everywhere(0.0)
    store_eight(stack, start, upper)
    for rank in range(tables.flow.size):
        flow, level = tables.flow[rank], tables.level[rank]
        if flow < 0:
            size = everywhere(tables.width[rank]) * load
        else:
            size = load_eight(plant.flow, flow * steps + place)
            if level >= 0:
                active = load_eight(series.active_level, flow * steps + place)
                size = size * equal(active, everywhere(float(level)))
        upper = upper + size
        store_eight(stack, start + (rank + 1) * LANES, upper)
    store_eight(stack, start + (tables.flow.size + 1) * LANES, net)


@njit(cache=True, nogil=True)
def backward(series: Series, plant: Capacities, tables: Tables, memory: Memory) -> tuple[int, int]:
    """Fill the memory; return 0 or why there is no dispatch, and its step."""
    edges = tables.slope_rank.size + 1
    entry, exit_ = np.zeros(edges * LANES), np.zeros(edges * LANES)
    stack = np.empty((tables.flow.size + 2) * LANES)
    end_mwh = plant.energy * series.usable_end
    for lane in range(LANES):
        full = plant.energy * series.usable[lane + 1] if lane + 1 < LANES else end_mwh
        for j in range(edges):
            entry[j * LANES + lane] = full if j > 0 or lane + 1 == LANES else 0.0
    for index in range(memory.kept.size):  # in loops: what numba makes of whole arrays takes long to compile
        memory.kept[index] = np.nan
    late = False
    for _ in range(LANES):  # each round settles one more stretch at least
        _copy(entry, memory.edge, 0)
        settled, missing = _back_through(series, plant, tables, memory, stack, exit_)
        late = late or missing
        if settled:
            break
        same = True
        for j in range(edges):
            for lane in range(j * LANES, j * LANES + LANES - 1):
                same = same and entry[lane] == exit_[lane + 1]
                entry[lane] = exit_[lane + 1]
        if same:
            break
    if late:
        return LATE_CHARGE, _late_step(series, plant, tables, stack)
    full, top = plant.energy * series.usable[0], (edges - 1) * LANES
    if exit_[top] < full - _tolerance_mwh(plant):
        return EARLY_FADE, _forced_step(series, plant)
    memory.final[0] = edges - 2  # the state at the start is full: in the most valuable slope that reaches it
    for j in range(1, edges - 1):
        if exit_[j * LANES] >= full:
            memory.final[0] -= 1
    memory.final[0] = max(memory.first[0], memory.final[0])  # with no battery an edge is at both ends
    return 0, 0


@_inside
def _tolerance_mwh(plant: Capacities) -> float:
    """More than the master's own tolerance on the condition cut."""
    return 1e-6 + 1e-9 * plant.energy


@_inside
def _back_through(
    series: Series, plant: Capacities, tables: Tables, memory: Memory, stack: FloatArray, exit_: FloatArray
) -> tuple[bool, bool]:
    """Move the edges of all stretches back to their beginnings, or to where they are as they were before.

    Returns whether they were, and whether more energy must be there than a battery holds.
    """
    rows, blocks, slopes = series.load.size // LANES, tables.flow.size, tables.slope_rank.size
    edge, kept, recorded = memory.edge, memory.kept, memory.recorded
    record = recorded.size > 0
    zero, last, top_edge = everywhere(0.0), everywhere(float(slopes - 1)), slopes * LANES
    power, energy = everywhere(plant.power), everywhere(plant.energy)
    gain = everywhere(series.step_h * series.eta_charge)
    drain = everywhere(series.step_h / series.eta_discharge)
    reach = drain * power
    most_late = zero
    settled = False
    for row in range(rows - 1, -1, -1):
        place = row * LANES
        if row % ROWS_APART == 0 and _same(edge, kept, row // ROWS_APART * edge.size):
            settled = True
            break
        if record:
            _copy(edge, recorded, row * edge.size)
        _stack(series, plant, tables, place, stack, 0)
        net = load_eight(stack, (blocks + 1) * LANES)
        full = energy * load_eight(series.usable, place)
        top, bottom = net + power, net - power
        charge = gain * (smaller(larger(load_eight(stack, blocks * LANES), net), top) - net)
        discharge = zero
        low = load_eight(edge, 0) - charge
        most_late = larger(most_late, low - full)
        store_eight(edge, 0, smaller(larger(low, zero), full))
        empty, filled = zero, zero
        for k in range(slopes - 1):
            under = load_eight(stack, tables.slope_rank[k] * LANES)
            if tables.slope_charges[k]:
                charge = gain * (smaller(larger(under, net), top) - net)
            else:
                discharge = drain * (net - larger(smaller(under, net), bottom))
            moved = load_eight(edge, (k + 1) * LANES) + (discharge - charge)
            empty = empty + less(moved, zero)
            filled = filled + less(full, moved)
            store_eight(edge, (k + 1) * LANES, smaller(larger(moved, zero), full))
        store_eight(edge, top_edge, smaller(load_eight(edge, top_edge) + reach, full))
        store_eight(memory.first, place, empty)
        store_eight(memory.final, place, last - filled)
    if not settled:
        _copy(edge, exit_, 0)
    store_eight(stack, 0, most_late)
    missing = 0.0
    for lane in range(LANES):
        missing = max(missing, stack[lane])
    return settled, missing > _tolerance_mwh(plant)


@_inside
def _copy(values: FloatArray, to: FloatArray, place: int) -> None:
    """Write values from a place on."""
    for index in range(values.size):
        to[place + index] = values[index]


@_inside
def _same(edge: FloatArray, kept: FloatArray, start: int) -> bool:
    """Whether the edges are those kept from `start` on, which they are from now on."""
    same = True
    for index in range(edge.size):
        same = same and edge[index] == kept[start + index]
        kept[start + index] = edge[index]
    return same


@_inside
def _net_and_supply(series: Series, plant: Capacities, t: int) -> tuple[float, float]:
    """Load with all sinks less the resources in one step, and all that resources and flows give. [MW]"""
    steps = series.load.size
    rows = steps // LANES
    place = t % rows * LANES + t // rows
    weather = 0.0
    for r in range(plant.resources.size):
        weather += plant.resources[r] * series.resource_yield[r * steps + place]
    net, supply = series.load[place] - weather, weather
    for flow in range(series.row_start.size - 1):
        if flow < series.supplies:
            supply += plant.flow[flow * steps + place]
        else:
            net += plant.flow[flow * steps + place]
    return net, supply


@_inside
def _usable_before(series: Series, t: int) -> float:
    rows = series.load.size // LANES
    return series.usable[t % rows * LANES + t // rows] if t < series.steps else series.usable_end


@_inside
def _late_step(series: Series, plant: Capacities, tables: Tables, stack: FloatArray) -> int:
    """Step before which more energy must be there than a battery holds, moved to where it lacks the most."""
    rows, blocks = series.load.size // LANES, tables.flow.size
    gain, energy = series.step_h * series.eta_charge, plant.energy
    low = energy * series.usable_end
    for t in range(series.steps - 1, -1, -1):
        lane = t // rows
        _stack(series, plant, tables, t % rows * LANES, stack, 0)
        net, total = stack[(blocks + 1) * LANES + lane], stack[blocks * LANES + lane]
        low -= gain * (min(max(total, net), net + plant.power) - net)
        full = energy * _usable_before(series, t)
        if low > full + _tolerance_mwh(plant):
            return _latest_charge(series, plant, t, low)
        low = min(low, full)
    return 0


@_inside
def _latest_charge(series: Series, plant: Capacities, step: int, low: float) -> int:
    """Step from which, at or before `step`, a battery that must end full lacks the most charge."""
    gain, energy = series.step_h * series.eta_charge, plant.energy
    worst, worst_step = 0.0, step
    for t in range(step, -1, -1):
        if t < step:
            low -= min(_net_and_supply(series, plant, t)[1], plant.power) * gain
        missing = low - energy * _usable_before(series, t)
        if missing > worst:
            worst, worst_step = missing, t
        if low <= 0.0:
            break
    return worst_step


@_inside
def _forced_step(series: Series, plant: Capacities) -> int:
    """Step whose usable energy is the furthest out of reach from full at the start."""
    worst, worst_step = 0.0, 0
    drain = plant.power * series.step_h / series.eta_discharge
    for t in range(series.steps):
        missing = plant.energy * (series.usable[0] - _usable_before(series, t + 1)) - (t + 1) * drain
        if missing > worst:
            worst, worst_step = missing, t
    return worst_step


@_inside
def _follow_slopes(
    series: Series, plant: Capacities, memory: Memory, last: int, held: FloatArray, given: FloatArray
) -> None:
    """Find the slope of every step; add up its price of room, in usable share, and what leaves the battery.

    The slope changes only where the battery is full, or empty.
    """
    rows, usable, energy = series.load.size // LANES, series.usable, plant.energy
    first, final, slopes = memory.first, memory.final, memory.slope
    slope, stored = last, energy * usable[0]
    for lane in range(LANES):
        inside = min(max(series.steps - lane * rows, 0), rows)
        for row in range(inside):
            place = row * LANES + lane
            new = min(max(slope, first[place]), final[place])
            if new != slope:
                now = 0.0
                if new < slope:  # full: stored energy will be worth more, so room has a price
                    now = energy * usable[place]
                    held[new] -= usable[place]
                    held[slope] += usable[place]
                given[slope] += stored - now
                stored, slope = now, new
            slopes[place] = slope
        for row in range(inside, rows):  # padding: the slope that is worth nothing
            slopes[row * LANES + lane] = last
    held[slope] += series.usable_end
    given[slope] += stored - plant.energy * series.usable_end


class _Sums(NamedTuple):
    """What is added up over the steps of each group: same slope, same price at the bus.

    A price is that of a rank, or of charging or discharging at a slope: `key` says which, and `full` how many
    ranks are used to the full at it. `hours` counts steps; `series` adds up shift, load and yields; `rows`
    and `shed` what flows and tiers below the price give, `rank_rows` and `rank_shed` the same by rank, where
    that cannot be told from the former; `used` is what each rank gives.
    """

    key: IntArray
    full: IntArray
    hours: IntArray
    series: FloatArray
    rows: FloatArray
    shed: FloatArray
    rank_rows: FloatArray
    rank_shed: FloatArray
    used: FloatArray


class _Room(NamedTuple):
    """Room in which the forward pass works on some rows of steps: as :func:`_ranks_at` says, and by step."""

    ranks: IntArray
    stack: FloatArray
    at: FloatArray
    shift: FloatArray
    group: IntArray
    key: IntArray


@_makes_arrays
def _room(tables: Tables) -> _Room:
    steps = _ROWS * LANES
    return _Room(
        np.empty((4, tables.slope_rank.size), dtype=np.int64),
        np.empty(steps * (tables.flow.size + 2)),
        np.empty(5 * steps),
        np.empty(steps),
        np.empty(steps, dtype=np.int64),
        np.empty(steps, dtype=np.int64),
    )


@_makes_arrays
def _no_sums(series: Series, tables: Tables) -> _Sums:
    blocks, slopes, rows = tables.flow.size, tables.slope_rank.size, series.row_mw.size
    passed = blocks + 1
    key, full = np.empty(slopes * 3 * passed, dtype=np.int64), np.empty(blocks + 2 * slopes, dtype=np.int64)
    for rank in range(blocks):
        full[rank] = rank
    for k in range(slopes):
        full[blocks + k], full[blocks + slopes + k] = tables.below_charge[k], tables.below_discharge[k]
        for count in range(passed):
            way = k * 3 * passed + count
            key[way] = count - 1
            key[way + passed] = count - 1 if count > tables.below_charge[k] else blocks + k
            key[way + 2 * passed] = count - 1 if count > tables.below_discharge[k] else blocks + slopes + k
    keys, groups, resources = full.size, slopes * 3 * passed, series.resource_yield.size
    resources //= series.load.size
    return _Sums(
        key,
        full,
        np.zeros(groups * LANES, dtype=np.int64),
        np.zeros(groups * LANES * (2 + resources)),
        np.zeros(keys * rows),
        np.zeros(keys),
        np.zeros(blocks * rows),
        np.zeros(blocks),
        np.zeros(blocks * LANES),
    )


@njit(cache=True, nogil=True)
def forward(series: Series, plant: Capacities, tables: Tables, memory: Memory, out: Outputs) -> None:
    """Follow the optimum; add up totals and the dual objective's coefficients per component."""
    blocks, slopes, resources = tables.flow.size, tables.slope_rank.size, plant.resources.size
    held, given, sums = np.zeros(slopes), np.zeros(slopes), _no_sums(series, tables)
    _follow_slopes(series, plant, memory, slopes - 1, held, given)
    _follow_optimum(series, plant, tables, memory, sums, _room(tables), out)
    priced, limited = np.zeros((blocks + 2 * slopes, 2 + resources)), np.zeros((slopes, 3))
    _total(series, tables, sums, held, given, priced, limited, out)
    if out.stored.size > 0:
        _follow_state(series, plant, memory, slopes + 1, out)


@_inside
def _follow_optimum(
    series: Series,
    plant: Capacities,
    tables: Tables,
    memory: Memory,
    sums: _Sums,
    room: _Room,
    out: Outputs,
) -> None:
    """Operate all steps at the slopes that were found, and add up by group what they give and take."""
    rows, blocks = series.load.size // LANES, tables.flow.size
    stack, at, shift, group, key = room.stack, room.at, room.shift, room.group, room.key
    _ranks_at(tables, room.ranks)
    for begin in range(0, rows, _ROWS):
        count = min(_ROWS, rows - begin)
        for row in range(count):
            _stack(series, plant, tables, (begin + row) * LANES, stack, row * (blocks + 2) * LANES)
        slope = memory.slope[begin * LANES : (begin + count) * LANES]
        _look_up(slope, room.ranks, stack, blocks, at)
        for row in range(count):
            _operate(series, plant, blocks, stack, row, at, sums.used, shift, group)
        _add_series(series, sums, group, shift, begin, count, key)
        _add_rows(series, tables, sums, stack, key, begin, count)
        if out.stored.size > 0:
            _record(series, tables, slope, key, shift, begin, out)


@_inside
def _ranks_at(tables: Tables, ranks: IntArray) -> None:
    """Write how many ranks the battery charges from and leaves at each slope, and how many are cheaper."""
    slopes = tables.slope_rank.size
    charge, discharge = tables.flow.size, tables.flow.size
    for k in range(slopes):
        ranks[0, k], ranks[1, k] = charge, discharge
        ranks[2, k], ranks[3, k] = tables.below_charge[k], tables.below_discharge[k]
        if tables.slope_charges[k]:
            charge = tables.slope_rank[k]
        else:
            discharge = tables.slope_rank[k]


@_inlined
def _look_up(
    slopes: NDArray[np.int16], ranks: IntArray, stack: FloatArray, blocks: int, at: FloatArray
) -> None:
    """Write what is below the ranks of the slope of each step, the last two ranks themselves, and the slope.

    Numbers without sign: numba looks for indices below zero otherwise.
    """
    size, lanes, width = np.uintp(at.size // 5), np.uintp(LANES), np.uintp((blocks + 2) * LANES)
    for index in range(np.uintp(slopes.size)):
        slope = np.uintp(slopes[index])
        start = index // lanes * width + index % lanes
        at[index] = stack[start + np.uintp(ranks[0, slope]) * lanes]
        at[size + index] = stack[start + np.uintp(ranks[1, slope]) * lanes]
        at[np.uintp(2) * size + index] = ranks[2, slope]
        at[np.uintp(3) * size + index] = ranks[3, slope]
        at[np.uintp(4) * size + index] = slopes[index]


@_inlined
def _operate(
    series: Series,
    plant: Capacities,
    blocks: int,
    stack: FloatArray,
    row: int,
    at: FloatArray,
    used: FloatArray,
    shift: FloatArray,
    group: IntArray,
) -> None:
    """Operate eight steps: add what each rank gives, find what the battery takes and the price at the bus.

    The battery does all at the slope taken that costs nothing more: charges at it, does not discharge. The
    price clears the step when stored energy is worth its slope: by how many ranks begin below the load with a
    battery that charges, does nothing, or discharges.
    """
    start, place, size = row * (blocks + 2) * LANES, row * LANES, at.size // 5
    net, power = load_eight(stack, start + (blocks + 1) * LANES), everywhere(plant.power)
    top, bottom = net + power, net - power
    charged = smaller(larger(load_eight(at, place), net), top)
    discharged = larger(smaller(load_eight(at, size + place), net), bottom)
    need = charged + discharged - net
    gain, drain = series.step_h * series.eta_charge, series.step_h / series.eta_discharge
    store_eight(shift, place, everywhere(drain) * (net - discharged) - everywhere(gain) * (charged - net))
    passed_top, passed, passed_bottom = everywhere(0.0), everywhere(0.0), everywhere(0.0)
    lower = load_eight(stack, start)
    for rank in range(blocks):
        passed_top = passed_top + less(lower, top)
        passed = passed + less(lower, net)
        passed_bottom = passed_bottom + less(lower, bottom)
        upper = load_eight(stack, start + (rank + 1) * LANES)
        gives = larger(smaller(need, upper), lower) - lower
        store_eight(used, rank * LANES, load_eight(used, rank * LANES) + gives)
        lower = upper
    most, least = load_eight(at, 2 * size + place), load_eight(at, 3 * size + place)
    charges = less(most, passed_top + less(lower, top))  # as much as it can
    discharges = charges * less(least, passed + less(lower, net))
    ranks = (everywhere(1.0) - charges) * passed_top
    ranks = ranks + (charges - discharges) * larger(passed, most)
    ranks = ranks + discharges * larger(passed_bottom, least)
    way = load_eight(at, 4 * size + place) * everywhere(3.0) + charges + discharges
    store_eight(group, place, way * everywhere(float(blocks + 1)) + ranks)


@_inlined
def _add_series(
    series: Series, sums: _Sums, groups: IntArray, shift: FloatArray, begin: int, count: int, keys: IntArray
) -> None:
    """Add shift, load and yields of some rows to those of their groups; write down the keys of the prices."""
    load, resource_yield, steps = series.load, series.resource_yield, np.uintp(series.load.size)
    group_key, hours, added = sums.key, sums.hours, sums.series
    lanes, width = np.uintp(LANES), np.uintp(added.size // hours.size)
    begin_at = np.uintp(begin * LANES)
    for index in range(np.uintp(count * LANES)):
        group, place = np.uintp(groups[index]), begin_at + index
        keys[index] = group_key[group]
        group = group * lanes + index % lanes
        hours[group] += 1
        first = group * width
        added[first] += shift[index]
        added[first + np.uintp(1)] += load[place]
        for r in range(np.uintp(2), width):
            added[first + r] += resource_yield[(r - np.uintp(2)) * steps + place]


@_inlined
def _add_rows(
    series: Series, tables: Tables, sums: _Sums, stack: FloatArray, keys: IntArray, begin: int, count: int
) -> None:
    """Add what all ranks give that are used to the full, and what sinks take."""
    blocks, steps = tables.flow.size, series.load.size
    flows, levels, active, row_start = tables.flow, tables.level, series.active_level, series.row_start
    full, supplies = sums.full, series.supplies
    capability, first_sink, rows = series.capability, series.row_start[series.supplies], series.row_mw.size
    by_key, by_rank, shed, rank_shed = sums.rows, sums.rank_rows, sums.shed, sums.rank_shed
    for index in range(count * LANES):
        key, place = keys[index], begin * LANES + index
        if key < 0:
            continue
        t = index % LANES * (steps // LANES) + begin + index // LANES
        for rank in range(full[key]):
            flow = flows[rank]
            if flow < 0:
                start = (index // LANES * (blocks + 2) + rank) * LANES + index % LANES
                size = stack[start + LANES] - stack[start]
                shed[key] += size
                rank_shed[rank] += size
            elif levels[rank] < 0 or active[flow * steps + place] == levels[rank]:
                first, own = row_start[flow], row_start[flow + 1] - row_start[flow]
                _add(by_key, key * rows + first, capability, t * rows + first, own, 1.0)
                if levels[rank] >= 0 or flow >= supplies:  # of others, the sums at all prices tell
                    _add(by_rank, rank * rows + first, capability, t * rows + first, own, 1.0)
        if t < series.steps and first_sink < rows:  # a sink is load, of a size that is decided
            own = rows - first_sink
            _add(by_key, key * rows + first_sink, capability, t * rows + first_sink, own, -1.0)


@_inlined
def _add(to: FloatArray, place: int, values: FloatArray, start: int, count: int, times: float) -> None:
    """Add some values, times a number, to others."""
    at, first = np.uintp(place), np.uintp(start)
    for index in range(np.uintp(count)):
        to[at + index] += times * values[first + index]


@_inlined
def _record(
    series: Series,
    tables: Tables,
    slopes: NDArray[np.int16],
    keys: IntArray,
    shift: FloatArray,
    begin: int,
    out: Outputs,
) -> None:
    """Note slopes and prices of some rows; where the state goes is found afterwards."""
    blocks, losses = tables.flow.size, series.eta_charge * series.eta_discharge
    for index in range(slopes.size):
        t = index % LANES * (series.load.size // LANES) + begin + index // LANES
        if t >= series.steps:
            continue
        slope, key = slopes[index], keys[index]
        out.stored[t], out.slope[t] = shift[index], slope
        out.bus_rank[t] = key if key < blocks else tables.slope_rank[slope]
        out.bus_factor[t] = 1.0
        if key >= blocks:
            charges = key < blocks + tables.slope_rank.size
            if charges and not tables.slope_charges[slope]:
                out.bus_factor[t] = losses
            elif not charges and tables.slope_charges[slope]:
                out.bus_factor[t] = 1.0 / losses


@_inside
def _follow_state(series: Series, plant: Capacities, memory: Memory, edges: int, out: Outputs) -> None:
    """Follow the state from full through the recorded edges; what costs nothing stays in the battery."""
    rows, stored = series.load.size // LANES, plant.energy * series.usable[0]
    for t in range(series.steps):
        edge = (t % rows * edges + out.slope[t]) * LANES + t // rows
        stored = min(max(stored - out.stored[t], memory.recorded[edge]), memory.recorded[edge + LANES])
        out.stored[t] = stored


@_inside
def _total(
    series: Series,
    tables: Tables,
    sums: _Sums,
    held: FloatArray,
    given: FloatArray,
    priced: FloatArray,
    limited: FloatArray,
    out: Outputs,
) -> None:
    """Put the sums of all groups together: totals, and coefficients of the dual objective.

    By price come steps at full charge less discharge, load and yields (`priced`), and by slope the steps that
    charge, do neither, and discharge to the limit (`limited`); both begin at zero.
    """
    totals, cut, component, weight = out.totals, out.cut, tables.component, tables.weight
    step_h, eta_c, eta_d, row_mw = series.step_h, series.eta_charge, series.eta_discharge, series.row_mw
    blocks, slopes = tables.flow.size, tables.slope_rank.size
    groups = sums.key.size
    resources = sums.series.size // (groups * LANES) - 2
    battery_mwh = FIRST_RESOURCE + resources
    battery_mw, first_row, rows = battery_mwh + 1, battery_mwh + 2, row_mw.size
    for rank in range(blocks):
        used = 0.0
        for lane in range(rank * LANES, (rank + 1) * LANES):
            used += sums.used[lane]
        totals[component[rank]] += used * step_h * weight[rank]
        cut[component[rank], INTERCEPT] += step_h * weight[rank] * sums.rank_shed[rank]
        flow = tables.flow[rank]
        for row in range(series.row_start[flow] if flow >= 0 else 0, series.row_start[flow + 1]):
            give = sums.rank_rows[rank * rows + row]
            if tables.level[rank] < 0 and flow < series.supplies:
                for key in range(sums.full.size):
                    if sums.full[key] > rank:
                        give += sums.rows[key * rows + row]
            cut[component[rank], first_row + row] += step_h * row_mw[row] * give
    for group in range(groups):
        slope, way = group // (3 * (blocks + 1)), group // (blocks + 1) % 3
        for lane in range(LANES):
            first = (group * LANES + lane) * (2 + resources)
            hours = float(sums.hours[group * LANES + lane])
            given[slope] -= sums.series[first]
            limited[slope, way] += hours
            if sums.key[group] >= 0:
                priced[sums.key[group], 0] += (1 - way) * hours
                for column in range(1, 2 + resources):
                    priced[sums.key[group], column] += sums.series[first + column]
    for slope in range(slopes - 1):
        rank, charges = tables.slope_rank[slope], tables.slope_charges[slope]
        theta = weight[rank] * (1.0 / eta_c if charges else eta_d)
        totals[component[rank]] -= given[slope] * theta
        cut[component[rank], battery_mwh] += held[slope] * theta
        cut[component[rank], battery_mw] += (
            step_h * theta * (limited[slope, 2] / eta_d - limited[slope, 0] * eta_c)
        )
        priced_slopes = blocks + slope, blocks + slopes + slope
        for key, factor in zip(priced_slopes, (eta_c, 1.0 / eta_d)):  # noqa: B905
            _price(sums, priced, key, step_h * theta * factor, component[rank], row_mw, cut)
    for rank in range(blocks):
        _price(sums, priced, rank, step_h * weight[rank], component[rank], row_mw, cut)


@_inside
def _price(
    sums: _Sums,
    priced: FloatArray,
    key: int,
    hourly: float,
    component: int,
    row_mw: FloatArray,
    cut: FloatArray,
) -> None:
    """Add what the steps at one price are worth, per unit of each capacity."""
    battery_mwh = FIRST_RESOURCE + priced.shape[1] - 2
    line = cut[component]
    line[INTERCEPT] += hourly * (priced[key, 1] - sums.shed[key])
    for r in range(priced.shape[1] - 2):
        line[FIRST_RESOURCE + r] -= hourly * priced[key, 2 + r]
    line[battery_mwh + 1] += hourly * priced[key, 0]
    for row in range(row_mw.size):
        line[battery_mwh + 2 + row] -= hourly * row_mw[row] * sums.rows[key * row_mw.size + row]
