"""Seeded sample paths of everything that can fail, on the study's time step.

Every component has its own random stream, keyed by (seed, name, unit, draw, first weather year): unit i of a
technology fails at the same moments whatever else is built (common random numbers), and switching one cause
off leaves the others as they were. Times to failure and repair are exponential in continuous time; a step
counts as down when its middle is, so that the sampled series is exactly the Markov chain ``expm(Q h)`` of the
two states.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sitedesign.operation.compiled import inside, njit
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
from sitedesign.util.piecewise import piecewise

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
_Part = tuple[NDArray[np.int64], int, int | NDArray[np.int64], int, int | NDArray[np.int64], int]
HOURS_PER_YEAR = 8760.0
DAYS = 365
# How components are numbered, so that events of one step have one order: by technology, then farms, the rest
_PLACE_BITS, _LAST, _FARM, _REST, _ORDER_BITS = 21, (1 << 20) - 1, 1 << 9, 1 << 10, 32
_WORD = 0xFFFFFFFF
_NONE = np.zeros(0)


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
        rate = rate * piecewise(temp_air_c, celsius, fleet) / np.interp(15.0, celsius, fleet)
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
    built = [number for number, count in enumerate(units) if count]
    sample_rest(events, model, built, conditions, draw, seed)
    step, kind, index, change, _, cause = events.table().T
    return OutageSample(
        np.ascontiguousarray(step),
        kind.astype(np.int8),
        index.astype(np.int16),
        change.astype(np.int8),
        model.battery.blocks,
        model.solar.blocks,
        solar_scale(model),
        start_keys(model, units, conditions, draw, seed),
        model.has("starts"),
        model.has("common_starts"),
        *wind_state(model, resources_mw, conditions.climatology),
        cause=cause.astype(np.int8),
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
        key = _Key.of(farm.name, conditions, draw, seed)
        hazard = outage / (repair * farm.availability)
        spans, block = _failures(key, range(blocks), hazard, repair, conditions)
        events.add("wind", spans, WIND_UNIT, farm.resource, (_FARM + number, block))
    if farm.icing_per_cold_day > 0:
        days = (farm.icing_below_c, farm.icing_per_cold_day, farm.icing_h)
        spans = _spans_of_days(_Key.of("icing", conditions, draw, seed), *days, conditions)
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
    events: Events,
    model: OutageModel,
    technologies: Iterable[int],
    conditions: OutageConditions,
    draw: int,
    seed: int,
) -> None:
    """Sample everything whose outages do not depend on how many units of some technologies are built."""
    for number in technologies:
        if model.has("common_cause"):
            spans, lethal = _common_causes(model.units[number], conditions, draw, seed)
            events.add("common_cause", spans[lethal], TECHNOLOGY, number, (number, _LAST))
    for number, fuel in enumerate(model.fuels):
        if model.has("fuel"):
            events.add("fuel", _fuel_spans(fuel, conditions, draw, seed), FUEL, number)
        if model.has("cold") and fuel.cold_event_per_yr > 0:
            events.add("cold", _cold_spans(fuel, conditions, draw, seed), FUEL, number)
    if model.has("battery"):
        _sample_blocks(events, "battery", model.battery, (BATTERY_BLOCK, BATTERY), conditions, draw, seed)
    if model.has("solar"):
        _sample_blocks(events, "solar", model.solar, (SOLAR_BLOCK, SOLAR_BLOCK), conditions, draw, seed)
    if model.has("site"):
        key, rate = _Key.of("site", conditions, draw, seed), model.site_events_per_yr / HOURS_PER_YEAR
        repair = model.site_event_h / conditions.step_h
        spans, _ = _failures(key, range(1), rate * conditions.step_h, repair, conditions)
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
        self.places = 0

    def add(
        self,
        cause: Cause,
        spans: NDArray[np.int64],
        kind: int,
        index: int | NDArray[np.int64],
        place: tuple[int, int | NDArray[np.int64]] | None = None,
        size: int = 1,
    ) -> None:
        """Book spans of one component, or of several, shape (spans, 2).

        `index` and the number in `place` are those of one component, or of that of each span. `place`:
        technology and number, or the next one; `size`: how much of what is counted is down.
        """
        technology, number = place or self.next_place()
        self.places += 1
        if spans.size:
            order = (technology << _PLACE_BITS) + 2 * number
            for end, change in ((0, size), (1, -size)):
                self.parts.append((spans[:, end], kind, index, change, order + end, CAUSES.index(cause)))

    def next_place(self) -> tuple[int, int]:
        """Place of a component after all those so far, of those that nobody counts."""
        return _REST, self.places

    def table(self) -> NDArray[np.int64]:
        """Every event in order, one row each: step, kind, index, change, order of its component, cause."""
        sizes = [len(part[0]) for part in self.parts]
        found = np.empty((sum(sizes), 6), np.int64)
        ends = np.cumsum(sizes, dtype=np.int64).tolist()
        for end, size, part in zip(ends, sizes, self.parts, strict=True):
            for column, values in enumerate(part):
                found[end - size : end, column] = values
        return in_order(found)


def in_order(table: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sort a table of :meth:`Events.table` by step, then by component."""
    # One key is sorted in a fifth of the time of two; events of equal keys are equal
    return table[np.argsort((table[:, 0] << _ORDER_BITS) + table[:, 4])]


def strung_together(
    table: NDArray[np.int64],
    ends: NDArray[np.int64],
    steps: int,
    first: NDArray[np.int64],
    built: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int8], NDArray[np.int16], NDArray[np.int8]]:
    """Step, kind, index and change of the events of several years, one after the other.

    Parameters
    ----------
    table : ndarray
        :meth:`Events.table` of every year, units numbered inside their technology.
    ends : ndarray
        Rows at which the years end.
    steps : int
        Of a year.
    first, built : ndarray, shape (K,)
        Number of each technology's first unit, and how many there are: events of others are left out.
    """
    size = len(table)
    step, kind = np.empty(size, np.int64), np.empty(size, np.int8)
    index, change = np.empty(size, np.int16), np.empty(size, np.int8)
    found = _string_together(table, ends, steps, first, built, step, kind, index, change)
    return step[:found], kind[:found], index[:found], change[:found]


@njit(cache=True)
def _string_together(
    table: NDArray[np.int64],
    ends: NDArray[np.int64],
    steps: int,
    first: NDArray[np.int64],
    built: NDArray[np.int64],
    step: NDArray[np.int64],
    kind: NDArray[np.int8],
    index: NDArray[np.int16],
    change: NDArray[np.int8],
) -> int:
    found = row = 0
    for year in range(ends.size):
        while row < ends[year]:
            number = table[row, 2]
            technology = table[row, 4] >> _PLACE_BITS
            if table[row, 1] != UNIT or number < built[technology]:
                step[found], kind[found] = table[row, 0] + year * steps, table[row, 1]
                index[found] = number + first[technology] if table[row, 1] == UNIT else number
                change[found] = table[row, 3]
                found += 1
            row += 1
    return found


def _hazard(unit: UnitOutages, conditions: OutageConditions) -> float | FloatArray:
    """Failures per step, or cumulated at each step's start where they depend on temperature."""
    if unit.forced_outage_by_temp_c is None:
        return _usual_hazard_per_h(unit) * conditions.step_h
    known = conditions.hazards
    if unit not in known:
        per_step = hazard_per_h(unit, conditions.temp_air_c) * conditions.step_h
        known[unit] = np.concatenate([[0.0], np.cumsum(per_step)])
    return known[unit]


@lru_cache(maxsize=256)
def _usual_hazard_per_h(unit: UnitOutages) -> float:
    """Failure rate of a unit to which temperature does nothing. [1/h]"""
    return float(hazard_per_h(unit, np.full(1, 15.0))[0])


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
    if not which:
        return
    unit = model.units[number]
    if model.has("units"):
        key, hazard = _Key.of(unit.name, conditions, draw, seed), _hazard(unit, conditions)
        alone, repair = 1 - unit.common_cause_beta_run, unit.mttr_h / conditions.step_h
        spans, i = _failures(key, which, hazard, repair, conditions, alone)
        events.add("units", spans, UNIT, first + i, (number, 3 * i))
    if model.has("planned"):
        spans, i = _planned(unit, which, conditions)
        events.add("planned", spans, UNIT, first + i, (number, 3 * i + 1))
    if model.has("common_cause"):
        spans, lethal = _common_causes(unit, conditions, draw, seed)
        if not lethal.all():
            key = _Key.of(f"{unit.name} common", conditions, draw, seed)
            count, coupling = int((~lethal).sum()), float(unit.common_cause_coupling_fraction)
            # A unit's stream is not that of all, whose number is 0
            keys = streams.seeds(*key, 1 + which.start, len(which))
            i, span = np.nonzero(streams.drawn(keys, count, 0) < coupling)
            i += which.start
            events.add("common_cause", spans[~lethal][span], UNIT, first + i, (number, 3 * i + 2))


def _common_causes(
    unit: UnitOutages, conditions: OutageConditions, draw: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Spans of common causes of one technology, and which of them take every unit (binomial failure rate).

    They come so often that the share `common_cause_beta_run` of each unit's failures is theirs, whatever the
    number of units.
    """
    lethal, coupling = unit.common_cause_lethal_fraction, unit.common_cause_coupling_fraction
    taken = lethal + (1 - lethal) * coupling  # of the units, on average
    key, hazard = _Key.of(f"{unit.name} common", conditions, draw, seed), _hazard(unit, conditions)
    repair, share = unit.common_cause_mttr_h / conditions.step_h, unit.common_cause_beta_run / taken
    spans, _, every = _drawn(key, range(1), hazard, repair, conditions, share, lethal)
    return spans, every


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
    alone, together = (name, block.blocks, kinds[0]), (f"{name} common", 1, kinds[1])
    for outage, group in ((block.forced_outage_rate, alone), (block.common_outage_rate, together)):
        if outage > 0:
            label, count, kind = group
            rate = outage / (block.mttr_h * (1 - outage)) * conditions.step_h
            key, repair = _Key.of(label, conditions, draw, seed), block.mttr_h / conditions.step_h
            spans, i = _failures(key, range(count), rate, repair, conditions)
            technology, place = events.next_place()
            events.add(name, spans, kind, i, (technology, place + i))
            events.places += count - 1


class _Key(NamedTuple):
    """Random keys of components of one name: words as numpy makes them of numbers, place of the unit."""

    words: NDArray[np.int64]
    place: int

    @staticmethod
    def of(name: str, conditions: OutageConditions, draw: int, seed: int) -> _Key:
        """Keys of one year's or run's components in one draw."""
        words, place = list[int](), 0
        for number in (seed, zlib.crc32(name.encode()), None, draw, conditions.first_year):
            place = len(words) if number is None else place
            words.append((number or 0) & _WORD)
            while number := (number or 0) >> 32:
                words.append(number & _WORD)
        return _Key(np.array(words, np.int64), place)


def start_keys(
    model: OutageModel, units: Sequence[int], conditions: OutageConditions, draw: int, seed: int
) -> NDArray[np.uint64]:
    """One key a unit, then one a technology (for starts that fail together)."""
    names = [(f"{u.name} start", n) for u, n in zip(model.units, units, strict=True)]
    names += [(f"{u.name} start common", 1) for u in model.units]
    states = [streams.seeds(*_Key.of(name, conditions, draw, seed), 0, count)[:, 0] for name, count in names]
    return np.concatenate([np.zeros(0, np.uint64), *states])


def _planned(
    unit: UnitOutages, which: range, conditions: OutageConditions
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Spans in which some units are out by plan, and which one each span is of."""
    sunny_day = conditions.climatology.sunny_day
    return _by_plan(unit, which, sunny_day, conditions.years, conditions.steps)


@lru_cache(maxsize=1024)  # the same in every draw, and in years of the same length
def _by_plan(
    unit: UnitOutages, which: range, sunny_day: int, years: int, steps: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    weeks = unit.maintenance_weeks
    spans = [
        _in_week(weeks[i % len(weeks)], years, steps)
        if weeks
        else _in_season(unit.planned_outage_fraction, i, sunny_day, years, steps)
        for i in which
    ]
    return np.concatenate(spans), np.repeat(which, [len(part) for part in spans])


def _in_season(fraction: float, unit: int, sunny_day: int, years: int, steps: int) -> NDArray[np.int64]:
    """One spell a year in the sunny season; units take turns around its middle, latest next to earliest."""
    if fraction <= 0:
        return np.zeros((0, 2), np.int64)
    per_year = steps // years
    length = max(1, round(fraction * per_year))
    turns = max(1, per_year // 2 // length)  # as many as fit into the sunnier half of the year
    turn = unit % turns
    offset = (turn + 1) // 2 * (1 if turn % 2 else -1)
    middle = sunny_day * (per_year // DAYS)
    start = middle + offset * length - length // 2 + np.arange(-1, years + 1) * per_year
    spans = np.stack([start, start + length], axis=1)
    return np.clip(spans[(spans[:, 1] > 0) & (spans[:, 0] < steps)], 0, steps)


def _in_week(week: int, years: int, steps: int) -> NDArray[np.int64]:
    """Spell of a week in each year, counted from 1 January."""
    per_day = steps // years // DAYS
    start = (np.arange(years) * DAYS + (week - 1) * 7) * per_day
    return np.stack([start, start + 7 * per_day], axis=1)


def _fuel_spans(fuel: FuelOutages, conditions: OutageConditions, draw: int, seed: int) -> NDArray[np.int64]:
    """Interruptions at any time."""
    rate = fuel.interruption_events_per_yr / HOURS_PER_YEAR * conditions.step_h
    repair = fuel.interruption_h / conditions.step_h
    key = _Key.of(f"{fuel.name} supply", conditions, draw, seed)
    return _failures(key, range(1), rate, repair, conditions)[0]


def cold_chance(fuel: FuelOutages, usual: Climatology) -> tuple[float, float]:
    """Give the temperature below which a day is extremely cold, and the chance of an interruption on it.

    The rarer extreme cold is, the less the region's supply is built for it. [degrees C, fraction]
    """
    limit_c = min(usual.cold_limit_c(fuel.cold_quantile), fuel.cold_limit_c)
    days_per_yr = DAYS * usual.share_below(limit_c)
    return limit_c, fuel.cold_event_per_yr / max(days_per_yr, fuel.cold_event_per_yr)


def _cold_spans(fuel: FuelOutages, conditions: OutageConditions, draw: int, seed: int) -> NDArray[np.int64]:
    """Interruptions that extreme cold brings about."""
    limit_c, chance = cold_chance(fuel, conditions.climatology)
    key = _Key.of(f"{fuel.name} cold", conditions, draw, seed)
    return _spans_of_days(key, limit_c, chance, fuel.cold_event_h, conditions)


def _spans_of_days(
    key: _Key, limit_c: float, chance: float, mean_h: float, conditions: OutageConditions
) -> NDArray[np.int64]:
    """Spans that begin, by chance, at any time of days whose mean temperature is below a limit."""
    cold = np.flatnonzero(conditions.daily_temp_c < limit_c)
    if not cold.size:
        return np.zeros((0, 2), np.int64)
    days, step_h = conditions.daily_temp_c.size, conditions.step_h
    luck, when, lasting = streams.drawn(streams.seeds(*key, 0, 1), 2 * days, days).reshape(3, days)
    cold = cold[luck[cold] < chance]
    start = (cold + when[cold]) * round(24 / step_h)
    spans = np.stack([start, start + lasting[cold] * mean_h / step_h], axis=1)
    return np.clip(np.ceil(spans - 0.5), 0, conditions.steps).astype(np.int64)


def _parts(hazard: float | FloatArray, share: float) -> tuple[FloatArray, float]:
    """Cumulated hazard, empty where it is constant, and the failures per step of a share of it."""
    return (_NONE, float(hazard * share)) if isinstance(hazard, float) else (hazard, 0.0)


def _failures(
    key: _Key,
    which: range,
    hazard: float | FloatArray,
    repair_steps: float,
    conditions: OutageConditions,
    share: float = 1.0,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Spans of steps in which each of some components is down, and which one each span is of.

    `hazard` is a number (failures per step, constant) or the cumulated hazard at each step's start, shape
    (T + 1,); `share`: of it that counts. Each component starts in its stationary state.
    """
    return _drawn(key, which, hazard, repair_steps, conditions, share)[:2]


def _drawn(
    key: _Key,
    which: range,
    hazard: float | FloatArray,
    repair_steps: float,
    conditions: OutageConditions,
    share: float,
    lethal: float = -1.0,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Spans of some components, which one each is of, and of common causes which of them take every unit."""
    cumulated, rate = _parts(hazard, share)
    most = _most_spans(cumulated, rate, share, conditions.steps)
    if not most:
        return np.zeros((0, 2), np.int64), np.zeros(0, np.int64), np.zeros(0, np.bool_)
    keys = streams.seeds(*key, which.start, len(which))
    size = len(which) * most
    spans, component = np.empty((size, 2), np.int64), np.empty(size, np.int64)
    every = np.empty(size, np.bool_)
    # A whole number would be a kernel of its own
    numbers = rate, float(share), float(repair_steps), conditions.steps, float(lethal)
    found = _two_states(keys, which.start, most, cumulated, *numbers, spans, component, every)
    return spans[:found], component[:found], every[:found]


@njit(cache=True)
def _two_states(
    keys: NDArray[np.uint64],
    first: int,
    most: int,
    cumulated: FloatArray,
    rate: float,
    share: float,
    repair: float,
    steps: int,
    lethal: float,
    spans: NDArray[np.int64],
    component: NDArray[np.int64],
    every: NDArray[np.bool_],
) -> int:
    """Book what :func:`_drawn` gives, and say how many spans there are."""
    found = int(np.int64(0))  # a walk from the number 0 itself would be a kernel of its own
    for i in range(len(keys)):
        stream = keys[i]
        streams.begin(stream)
        drawn, until = _walk(stream, cumulated, rate, share, repair, steps, most, spans, found)
        if lethal >= 0.0:  # drawn behind all that a walk may draw
            for _ in range(2 * (most - drawn)):
                streams.exponential(stream)
        for k in range(found, until):
            component[k] = first + i
            every[k] = lethal >= 0.0 and streams.uniform(stream) < lethal
        found = until
    return found


def _most_spans(cumulated: FloatArray, rate: float, share: float, steps: int) -> int:
    """Give more failures of one component than ever come; 0 where none come."""
    expected = float(cumulated[-1]) * share if cumulated.size else rate * steps
    return int(expected + 6 * expected**0.5 + 12) if expected > 0 else 0


@inside
def _walk(
    stream: streams.Stream,
    cumulated: FloatArray,
    rate: float,
    share: float,
    repair: float,
    steps: int,
    most: int,
    spans: NDArray[np.int64],
    found: int,
) -> tuple[int, int]:
    """Book the spans of one component behind those that are there: failures drawn, spans there are then."""
    begin = cumulated[1] * share if cumulated.size else rate
    down = streams.uniform(stream) < begin * repair / (1.0 + begin * repair)
    now = 0.0
    for i in range(most):
        until, lasting = streams.exponential(stream), streams.exponential(stream)
        failure = now
        if not (down and i == 0):
            failure = _failure_after(now, until, cumulated, rate, share)
        if failure >= steps:
            return i + 1, found
        now = failure + lasting * repair
        first, end = math.ceil(failure - 0.5), min(math.ceil(now - 0.5), steps)
        if end > first:
            spans[found, 0], spans[found, 1] = first, end
            found += 1
        if now >= steps:
            return i + 1, found
    return most, found


@inside
def _failure_after(now: float, until: float, cumulated: FloatArray, rate: float, share: float) -> float:
    """Time at which so much hazard more has passed; infinite where that is not before the end."""
    if not cumulated.size:
        return now + until / rate
    below = int(now)
    at = cumulated[below] * share
    reached = at + (now - below) * (cumulated[below + 1] * share - at) + until
    low, high = below, cumulated.size
    while low < high:  # the first step at whose start it has passed
        middle = (low + high) // 2
        if cumulated[middle] * share < reached:
            low = middle + 1
        else:
            high = middle
    if low == cumulated.size:
        return np.inf
    over = cumulated[low] * share
    return low - (over - reached) / (over - cumulated[low - 1] * share)  # type: ignore[no-any-return]


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
