"""Seeded sample paths of everything that can fail, on the study's time step.

Every component has its own random stream, keyed by (seed, name, unit, draw, first weather year): unit i of a
technology fails at the same moments whatever else is built (common random numbers), and switching one cause
off leaves the others as they were. Times to failure and repair are exponential in continuous time; a step
counts as down when its middle is, so that the sampled series is exactly the Markov chain ``expm(Q h)`` of the
two states.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sitedesign.operation.forecast import Climatology
from sitedesign.operation.outages import streams
from sitedesign.operation.outages.rates import (
    BATTERY,
    BATTERY_BLOCK,
    CAUSES,
    FUEL,
    SITE,
    SOLAR_BLOCK,
    TECHNOLOGY,
    UNIT,
    WIND_UNIT,
    BlockOutages,
    Cause,
    FarmOutages,
    FuelOutages,
    OutageConditions,
    OutageModel,
    OutageSample,
    UnitOutages,
)
from sitedesign.util.compiled import njit

__all__ = [
    "BATTERY",
    "BATTERY_BLOCK",
    "CAUSES",
    "FUEL",
    "SITE",
    "SOLAR_BLOCK",
    "TECHNOLOGY",
    "UNIT",
    "WIND_UNIT",
    "BlockOutages",
    "FarmOutages",
    "FuelOutages",
    "OutageConditions",
    "OutageModel",
    "OutageSample",
    "UnitOutages",
    "hazard_per_h",
    "interrupted",
    "resource_availability",
    "sample_outages",
    "unit_availability",
]

FloatArray = NDArray[np.float64]
# Steps, kind, index, change, order of the component, cause
_Part = tuple[NDArray[np.int64], int, int, int, int, int]
HOURS_PER_YEAR = 8760.0
DAYS = 365
# How components are numbered, so that events of one step have one order: by technology, then farms, the rest
_PLACE_BITS, _LAST, _FARM, _REST = 32, (1 << 30) - 1, 1 << 19, 1 << 20
_WORD = 0xFFFFFFFF


def hazard_per_h(unit: UnitOutages, temp_air_c: FloatArray) -> FloatArray:
    """Failure rate of one unit by air temperature, common causes included.

    Returns
    -------
    ndarray
        ``FOR(T) / (MTTR (1 - FOR(T)))`` with ``FOR(T) = FOR table(T) / table(15 degC)`` (Murphy, Sowell and
        Apt 2019, Applied Energy 253:113513). [1/h]
    """
    rate = np.full(np.shape(temp_air_c), unit.forced_outage_rate)
    if unit.forced_outage_by_temp_c is not None:
        celsius, fleet = np.array(unit.forced_outage_by_temp_c).T
        rate = rate * np.interp(temp_air_c, celsius, fleet) / np.interp(15.0, celsius, fleet)
    rate = np.minimum(rate, 0.95)
    result: FloatArray = rate / (unit.mttr_h * (1.0 - rate))
    return result


def sample_outages(
    model: OutageModel,
    units: Sequence[int],
    conditions: OutageConditions,
    draw: int = 0,
    seed: int = 0,
    resources_mw: Sequence[float] = (),
) -> OutageSample:
    """Sample one draw of everything that can fail.

    Parameters
    ----------
    model : OutageModel
    units : sequence of int
        Units per technology, in the order of ``model.units``.
    conditions : OutageConditions
    draw, seed : int
        Part of every random key.
    resources_mw : sequence of float
        Sizes in the order of the case, which say how many turbines can fail: none of what is left out. [MW]

    Returns
    -------
    OutageSample
    """
    events = Events()
    first = np.cumsum([0, *units])
    for number, count in enumerate(units):
        sample_units(events, model, number, range(count), conditions, draw, seed, first=int(first[number]))
    for number, blocks in enumerate(farm_blocks(model, resources_mw)):
        sample_farm(events, model, number, blocks, conditions, draw, seed)
    sample_rest(events, model, conditions, draw, seed)
    step, kind, index, change, cause = events.in_order()
    return OutageSample(
        step,
        kind,
        index,
        change,
        model.battery.blocks,
        model.solar.blocks,
        solar_scale(model),
        start_keys(model, units, conditions, draw, seed),
        model.has("starts"),
        model.has("common_starts"),
        *wind_state(model, resources_mw, conditions.climatology),
        cause=cause,
    )


def farm_blocks(model: OutageModel, resources_mw: Sequence[float]) -> list[int]:
    """Blocks of each farm that fail alone; none where its size is not said."""
    return [
        farm.blocks(resources_mw[farm.resource]) if farm.resource < len(resources_mw) else 0
        for farm in model.farms
    ]


def wind_state(
    model: OutageModel, resources_mw: Sequence[float], usual: Climatology
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Blocks of each resource and the factor on its yield when all work, up to the last farm."""
    blocks, scale = [1.0] * len(resources_mw), [1.0] * len(resources_mw)
    sampled = model.has("wind") or "wind" in model.off
    for farm, count in zip(model.farms, farm_blocks(model, resources_mw), strict=True):
        if count and sampled:
            # What fails and ices up is drawn: the mean of both in the case's yield is taken out again
            blocks[farm.resource] = float(count)
            scale[farm.resource] = 1.0 / (farm.availability * (1.0 - farm.iced_share(usual)))
    return (tuple(blocks), tuple(scale)) if model.farms else ((), ())


def sample_farm(
    events: Events,
    model: OutageModel,
    number: int,
    blocks: int,
    conditions: OutageConditions,
    draw: int,
    seed: int,
) -> None:
    """Sample the turbines of farm `number` block by block, and ice, which comes to all farms at once."""
    farm = model.farms[number]
    if not blocks or not model.has("wind"):
        return
    outage, repair = 1.0 - farm.availability, farm.mttr_h / conditions.step_h
    if outage > 0:
        hazard = np.full(1, outage / (repair * farm.availability))
        for i in range(blocks):
            rng = _stream(farm.name, i, conditions, draw, seed)
            spans = _two_state(rng, hazard, repair, conditions.steps)
            events.add("wind", spans, WIND_UNIT, farm.resource, (_FARM + number, i))
    if farm.icing_per_cold_day > 0:
        days = (farm.icing_below_c, farm.icing_per_cold_day, farm.icing_h)
        spans = _spans_of_days(_stream("icing", 0, conditions, draw, seed), *days, conditions)
        events.add("wind", spans, WIND_UNIT, farm.resource, (_FARM + number, _LAST), size=blocks)


def resize_farms(table: NDArray[np.int64], blocks: Sequence[int]) -> NDArray[np.int64]:
    """Take from the events of large farms (:meth:`Events.table`) those of farms of so many blocks."""
    place, part = table[:, 4] >> _PLACE_BITS, (table[:, 4] & ((1 << _PLACE_BITS) - 1)) >> 1
    for number, count in enumerate(blocks):
        mine = place == _FARM + number
        keep = ~mine | (part < count) | ((part == _LAST) & (count > 0))
        table, place, part, mine = table[keep].copy(), place[keep], part[keep], mine[keep]
        ice = mine & (part == _LAST)
        table[ice, 3] = np.sign(table[ice, 3]) * count
    return table


def sample_rest(
    events: Events, model: OutageModel, conditions: OutageConditions, draw: int, seed: int
) -> None:
    """Sample everything whose outages do not depend on how many units are built."""
    for number, unit in enumerate(model.units):
        if model.has("common_cause"):
            spans, lethal = _common_causes(unit, conditions, draw, seed)
            events.add("common_cause", spans[lethal], TECHNOLOGY, number, (number, _LAST))
    for number, fuel in enumerate(model.fuels):
        place = events.next_place()
        if model.has("fuel"):
            events.add("fuel", _fuel_spans(fuel, conditions, draw, seed), FUEL, number, place)
        if model.has("cold") and fuel.cold_event_per_yr > 0:
            events.add("cold", _cold_spans(fuel, conditions, draw, seed), FUEL, number, place)
    if model.has("battery"):
        _sample_blocks(events, "battery", model.battery, (BATTERY_BLOCK, BATTERY), conditions, draw, seed)
    if model.has("solar"):
        _sample_blocks(events, "solar", model.solar, (SOLAR_BLOCK, SOLAR_BLOCK), conditions, draw, seed)
    if model.has("site"):
        rng = _stream("site", 0, conditions, draw, seed)
        rate = np.full(1, model.site_events_per_yr / HOURS_PER_YEAR * conditions.step_h)
        spans = _two_state(rng, rate, model.site_event_h / conditions.step_h, conditions.steps)
        events.add("site", spans, SITE, 0)


def solar_scale(model: OutageModel) -> float:
    """Factor on the case's solar yield when every block works. [fraction]"""
    # Where blocks are sampled or switched off, the mean availability in the case's yield is taken out again
    sampled = model.has("solar") or "solar" in model.off
    return 1.0 / model.solar_mean_availability if sampled else 1.0


class Events:
    """Spans of downtime, collected per component and put in order of time.

    Events of one step stand in the order of their components, whatever the order in which they were sampled.
    """

    def __init__(self) -> None:
        self.parts: list[_Part] = []

    def add(
        self,
        cause: Cause,
        spans: NDArray[np.int64],
        kind: int,
        index: int,
        place: tuple[int, int] | None = None,
        size: int = 1,
    ) -> None:
        """Book spans of one component, shape (spans, 2).

        `place`: technology and number, or the next one; `size`: how much of what is counted is down.
        """
        place = place or self.next_place()
        if spans.size:
            order, number = (place[0] << _PLACE_BITS) + 2 * place[1], CAUSES.index(cause)
            self.parts.append((spans[:, 0], kind, index, size, order, number))
            self.parts.append((spans[:, 1], kind, index, -size, order + 1, number))

    def next_place(self) -> tuple[int, int]:
        """Place of a component after all those so far, of those that nobody counts."""
        return _REST, len(self.parts)

    def table(self) -> NDArray[np.int64]:
        """Every event in order, one row each: step, kind, index, change, order of its component."""
        step, which, parts = self._sorted()
        about = np.array([part[1:5] for part in parts], np.int64).reshape(-1, 4)
        return np.column_stack([step, about[which]])

    def in_order(
        self,
    ) -> tuple[NDArray[np.int64], NDArray[np.int8], NDArray[np.int16], NDArray[np.int8], NDArray[np.int8]]:
        """Step, kind, index, change and cause of every event."""
        step, which, parts = self._sorted()
        return (
            step,
            np.array([part[1] for part in parts], np.int8)[which],
            np.array([part[2] for part in parts], np.int16)[which],
            np.array([part[3] for part in parts], np.int8)[which],
            np.array([part[5] for part in parts], np.int8)[which],
        )

    def _sorted(self) -> tuple[NDArray[np.int64], NDArray[np.int64], list[_Part]]:
        """Give steps in order, the part that each is of, and the parts in order of their components."""
        parts = sorted(self.parts, key=lambda part: part[4])
        step = np.concatenate([np.zeros(0, np.int64), *(part[0] for part in parts)])
        which = np.repeat(np.arange(len(parts)), [len(part[0]) for part in parts])
        both = np.sort((step << _PLACE_BITS) + which)  # far faster than to sort one by the other
        return both >> _PLACE_BITS, both & _WORD, parts


def in_order(table: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sort a table of :meth:`Events.table` by step, then by component."""
    return table[np.lexsort((table[:, 4], table[:, 0]))]


def technology_of(order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Technology of a unit's events from the order of their component."""
    return order >> _PLACE_BITS


def _hazard(unit: UnitOutages, conditions: OutageConditions) -> FloatArray:
    """Failures per step, or cumulated at each step's start where they depend on temperature."""
    if unit.forced_outage_by_temp_c is None:
        return hazard_per_h(unit, np.full(1, 15.0)) * conditions.step_h
    known = conditions.hazards
    if unit not in known:
        per_step = hazard_per_h(unit, conditions.temp_air_c) * conditions.step_h
        known[unit] = np.concatenate([[0.0], np.cumsum(per_step)])
    return known[unit]


def sample_units(
    events: Events,
    model: OutageModel,
    number: int,
    which: range,
    conditions: OutageConditions,
    draw: int,
    seed: int,
    *,
    first: int = 0,
) -> None:
    """Sample outages of some units of technology `number`, counted from `first`: trips, common ones, plans.

    Common causes that take every unit are not among them: they are those of the technology.
    """
    unit = model.units[number]
    forced, planned = model.has("units"), model.has("planned")
    hazard = _hazard(unit, conditions) * (1 - unit.common_cause_beta_run) if forced and which else np.zeros(1)
    common = np.zeros((0, 2), np.int64)
    if which and model.has("common_cause"):
        spans, lethal = _common_causes(unit, conditions, draw, seed)
        common = spans[~lethal]
    for i in which:
        if forced:
            rng = _stream(unit.name, i, conditions, draw, seed)
            spans = _two_state(rng, hazard, unit.mttr_h / conditions.step_h, conditions.steps)
            events.add("units", spans, UNIT, first + i, (number, 3 * i))
        if planned:
            spans = (
                _in_week(unit.maintenance_weeks[i % len(unit.maintenance_weeks)], conditions)
                if unit.maintenance_weeks
                else _planned(unit.planned_outage_fraction, i, conditions)
            )
            events.add("planned", spans, UNIT, first + i, (number, 3 * i + 1))
        if common.size:
            rng = _stream(f"{unit.name} common", 1 + i, conditions, draw, seed)
            taken = rng.uniform(size=len(common)) < unit.common_cause_coupling_fraction
            events.add("common_cause", common[taken], UNIT, first + i, (number, 3 * i + 2))


def _common_causes(
    unit: UnitOutages, conditions: OutageConditions, draw: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Spans of common causes of one technology, and which of them take every unit (binomial failure rate).

    They come so often that the share `common_cause_beta_run` of each unit's failures is theirs, whatever the
    number of units.
    """
    lethal, coupling = unit.common_cause_lethal_fraction, unit.common_cause_coupling_fraction
    taken = lethal + (1 - lethal) * coupling  # of the units, on average
    rng = _stream(f"{unit.name} common", 0, conditions, draw, seed)
    hazard = _hazard(unit, conditions) * (unit.common_cause_beta_run / taken)
    spans = _two_state(rng, hazard, unit.common_cause_mttr_h / conditions.step_h, conditions.steps)
    return spans, rng.uniform(size=len(spans)) < lethal


def _sample_blocks(
    events: Events,
    name: Literal["battery", "solar"],
    block: BlockOutages,
    kinds: tuple[int, int],
    conditions: OutageConditions,
    draw: int,
    seed: int,
) -> None:
    """Sample blocks one by one, then all together; `kinds` says what each changes."""
    alone = [(name, i, kinds[0]) for i in range(block.blocks)]
    together = [(f"{name} common", 0, kinds[1])]
    for outage, components in ((block.forced_outage_rate, alone), (block.common_outage_rate, together)):
        if outage > 0:
            rate = np.full(1, outage / (block.mttr_h * (1 - outage)) * conditions.step_h)
            for label, i, kind in components:
                rng = _stream(label, i, conditions, draw, seed)
                spans = _two_state(rng, rate, block.mttr_h / conditions.step_h, conditions.steps)
                events.add(name, spans, kind, i)


def _key(name: str, unit: int, conditions: OutageConditions, draw: int, seed: int) -> NDArray[np.int64]:
    """Random key of a component; words are what numpy makes of a list of numbers."""
    words = list[int]()
    for number in (seed, zlib.crc32(name.encode()), unit, draw, conditions.first_year):
        words.append(number & _WORD)
        while number := number >> 32:
            words.append(number & _WORD)
    return np.array(words, np.int64)


def _stream(name: str, unit: int, conditions: OutageConditions, draw: int, seed: int) -> np.random.Generator:
    """Stream of a component; it holds until the next one begins."""
    return streams.begin(_key(name, unit, conditions, draw, seed))


def start_keys(
    model: OutageModel, units: Sequence[int], conditions: OutageConditions, draw: int, seed: int
) -> NDArray[np.uint64]:
    """One key a unit, then one a technology (for starts that fail together)."""
    names = [(f"{u.name} start", i) for u, n in zip(model.units, units, strict=True) for i in range(n)]
    names += [(f"{u.name} start common", 0) for u in model.units]
    states = [streams.seeds(_key(name, i, conditions, draw, seed), 1)[0] for name, i in names]
    return np.array(states, dtype=np.uint64)


def _planned(fraction: float, unit: int, conditions: OutageConditions) -> NDArray[np.int64]:
    """One spell a year in the sunny season; units take turns around its middle, latest next to earliest."""
    if fraction <= 0:
        return np.zeros((0, 2), np.int64)
    per_year = conditions.steps // conditions.years
    length = max(1, round(fraction * per_year))
    turns = max(1, per_year // 2 // length)  # as many as fit into the sunnier half of the year
    turn = unit % turns
    offset = (turn + 1) // 2 * (1 if turn % 2 else -1)
    middle = conditions.climatology.sunny_day * (per_year // DAYS)
    start = middle + offset * length - length // 2 + np.arange(-1, conditions.years + 1) * per_year
    spans = np.stack([start, start + length], axis=1)
    return np.clip(spans[(spans[:, 1] > 0) & (spans[:, 0] < conditions.steps)], 0, conditions.steps)


def _in_week(week: int, conditions: OutageConditions) -> NDArray[np.int64]:
    """Spell of a week in each year, counted from 1 January."""
    per_day = conditions.steps // conditions.years // DAYS
    start = (np.arange(conditions.years) * DAYS + (week - 1) * 7) * per_day
    return np.stack([start, start + 7 * per_day], axis=1)


def _fuel_spans(fuel: FuelOutages, conditions: OutageConditions, draw: int, seed: int) -> NDArray[np.int64]:
    """Interruptions at any time."""
    rate = np.full(1, fuel.interruption_events_per_yr / HOURS_PER_YEAR * conditions.step_h)
    rng = _stream(f"{fuel.name} supply", 0, conditions, draw, seed)
    return _two_state(rng, rate, fuel.interruption_h / conditions.step_h, conditions.steps)


def _cold_spans(fuel: FuelOutages, conditions: OutageConditions, draw: int, seed: int) -> NDArray[np.int64]:
    """Interruptions that extreme cold brings about."""
    climate = conditions.climatology
    limit_c = min(climate.cold_limit_c(fuel.cold_quantile), fuel.cold_limit_c)
    # On each such day: the rarer extreme cold is, the less the region's supply is built for it
    days_per_yr = DAYS * climate.share_below(limit_c)
    chance = fuel.cold_event_per_yr / max(days_per_yr, fuel.cold_event_per_yr)
    rng = _stream(f"{fuel.name} cold", 0, conditions, draw, seed)
    return _spans_of_days(rng, limit_c, chance, fuel.cold_event_h, conditions)


def _spans_of_days(
    rng: np.random.Generator, limit_c: float, chance: float, mean_h: float, conditions: OutageConditions
) -> NDArray[np.int64]:
    """Spans that begin, by chance, at any time of days whose mean temperature is below a limit."""
    per_day = round(24 / conditions.step_h)
    daily = conditions.temp_air_c.reshape(-1, per_day).mean(axis=1)
    luck, when, length = (
        rng.uniform(size=daily.size),
        rng.uniform(size=daily.size),
        rng.exponential(size=daily.size),
    )
    days = np.flatnonzero((daily < limit_c) & (luck < chance))
    start = (days + when[days]) * per_day
    cold = np.stack([start, start + length[days] * mean_h / conditions.step_h], axis=1)
    return np.clip(np.ceil(cold - 0.5), 0, conditions.steps).astype(np.int64)


def _two_state(
    rng: np.random.Generator, hazard: FloatArray, repair_steps: float, steps: int
) -> NDArray[np.int64]:
    """Spans of steps in which one component is down; starts in the stationary state.

    `hazard` holds one value (failures per step, constant) or the cumulated hazard at each step's start,
    shape (T + 1,).
    """
    constant = hazard.size == 1
    expected = float(hazard[0]) * steps if constant else float(hazard[-1])
    if expected <= 0:
        return np.zeros((0, 2), np.int64)
    begin = float(hazard[0]) if constant else float(hazard[1])
    down = rng.random() < begin * repair_steps / (1.0 + begin * repair_steps)
    count = int(expected + 6 * expected**0.5 + 12)
    draws = rng.standard_exponential((count, 2))
    return _walk(hazard, constant, repair_steps, steps, down, draws)


@njit(cache=True)
def _walk(
    hazard: FloatArray, constant: bool, repair: float, steps: int, down: bool, draws: FloatArray
) -> NDArray[np.int64]:
    spans = np.empty((draws.shape[0], 2), np.int64)
    found, now = 0, 0.0
    for i in range(draws.shape[0]):
        failure = now
        if not (down and i == 0):
            if constant:
                failure = now + draws[i, 0] / hazard[0]
            else:
                below = int(now)
                reached = hazard[below] + (now - below) * (hazard[below + 1] - hazard[below]) + draws[i, 0]
                j = np.searchsorted(hazard, reached)
                if j >= hazard.size:
                    break
                failure = j - (hazard[j] - reached) / (hazard[j] - hazard[j - 1])
        if failure >= steps:
            break
        now = failure + draws[i, 1] * repair
        first, end = int(np.ceil(failure - 0.5)), min(int(np.ceil(now - 0.5)), steps)
        if end > first:
            spans[found, 0], spans[found, 1] = first, end
            found += 1
        if now >= steps:
            break
    return spans[:found]


def resource_availability(sample: OutageSample, resource: int, steps: int) -> FloatArray:
    """Find the factor on the yield of a resource: blocks that work, mean outages taken out, shape (steps,).

    Parameters
    ----------
    sample : OutageSample
    resource : int
        Row in the case, the array first.
    steps : int
    """
    if resource == 0:
        mine, blocks, scale = sample.kind == SOLAR_BLOCK, float(sample.solar_blocks), sample.solar_scale
    elif resource < len(sample.wind_blocks):
        mine = (sample.kind == WIND_UNIT) & (sample.index == resource)
        blocks, scale = sample.wind_blocks[resource], sample.wind_scale[resource]
    else:
        return np.ones(steps)
    changes = np.zeros(steps + 1)
    np.add.at(changes, sample.step[mine], sample.change[mine])
    # Where ice stops a farm, more may be down than there is
    result: FloatArray = scale * np.maximum(1.0 - np.cumsum(changes[:-1]) / blocks, 0.0)
    return result


def unit_availability(
    sample: OutageSample,
    model: OutageModel,
    units: Sequence[int],
    technology: int,
    steps: int,
    *,
    stored_fuel: bool = False,
) -> NDArray[np.bool_]:
    """Availability of each unit of one technology, for sizing.

    Parameters
    ----------
    sample, model, units, technology, steps
    stored_fuel : bool
        Whether fuel on site bridges interruptions; for how long depends on the load, so none is counted here.

    Returns
    -------
    ndarray of bool, shape (units of the technology, steps)
        Unit, common cause and fuel together; multiply it onto a capability row.
    """
    first = sum(units[:technology])
    mine = (sample.kind == UNIT) & (sample.index >= first) & (sample.index < first + units[technology])
    together = (sample.kind == TECHNOLOGY) & (sample.index == technology)
    if not stored_fuel:
        together |= _of_fuel(sample, model, technology)
    step, change = sample.step, sample.change
    available = np.ones((units[technology], steps), dtype=bool)
    for i, row in enumerate(available):
        which = np.flatnonzero(together | (mine & (sample.index == first + i)))
        down = np.cumsum(change[which], dtype=np.int64) > 0
        begin = step[which].tolist()
        end = [*begin[1:], steps][: len(begin)]  # a unit that nothing happens to is always there
        for first_step, last_step, away in zip(begin, end, down, strict=True):
            if away:
                row[first_step:last_step] = False
    return available


def interrupted(sample: OutageSample, model: OutageModel, technology: int, steps: int) -> NDArray[np.bool_]:
    """Find the steps in which the supply of a technology's fuel is interrupted.

    Parameters
    ----------
    sample, model, technology, steps
        As for :func:`unit_availability`.

    Returns
    -------
    ndarray of bool, shape (steps,)
    """
    return _in_force(sample, _of_fuel(sample, model, technology), steps)


def _of_fuel(sample: OutageSample, model: OutageModel, technology: int) -> NDArray[np.bool_]:
    """Find the events of the supply of a technology's fuel."""
    names = [fuel.name for fuel in model.fuels]
    fuel = names.index(model.units[technology].fuel) if model.units[technology].fuel in names else -1
    found: NDArray[np.bool_] = (sample.kind == FUEL) & (sample.index == fuel)
    return found


def _in_force(sample: OutageSample, which: NDArray[np.bool_], steps: int) -> NDArray[np.bool_]:
    """Find the steps in which any of some events is in force."""
    changes = np.zeros(steps + 1)
    np.add.at(changes, sample.step[which], sample.change[which])
    found: NDArray[np.bool_] = np.cumsum(changes[:-1]) >= 0.5
    return found
