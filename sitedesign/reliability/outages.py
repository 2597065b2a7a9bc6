"""Outages: seeded sample paths of everything that can fail, on the study's time step.

Every component has its own random stream, keyed by (seed, name, unit, draw, first weather year): unit i of
a technology fails at the same moments whatever else is built (common random numbers), and switching one cause off
leaves the others as they were. Times to failure and repair are exponential in continuous time; a step counts as
down when its middle is, so that the sampled series is exactly the Markov chain ``expm(Q h)`` of the two states.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sitedesign.library import Backup, Battery, Facility, Fuel, Pv
from sitedesign.reliability.forecast import Climatology

FloatArray = NDArray[np.float64]
HOURS_PER_YEAR = 8760.0
DAYS = 365

Cause = Literal["units", "starts", "planned", "common_cause", "fuel", "battery", "solar", "site"]
#: Everything that can be switched off, in the order in which certificates list it.
CAUSES: tuple[Cause, ...] = ("units", "starts", "planned", "common_cause", "fuel", "battery", "solar", "site")

# What an event changes; the numbers are read by the simulation.
UNIT, TECHNOLOGY, FUEL, BATTERY_BLOCK, BATTERY, SOLAR_BLOCK, SITE = range(7)


@dataclass(frozen=True)
class UnitOutages:
    """Failure rates of one backup technology; see :class:`sitedesign.library.Backup` for the fields' meaning."""

    name: str
    fuel: str
    forced_outage_rate: float
    mttr_h: float
    forced_outage_by_temp_c: tuple[tuple[float, float], ...] | None = None
    planned_outage_fraction: float = 0.0
    common_cause_beta_run: float = 0.0
    common_cause_mttr_h: float = 12.0


@dataclass(frozen=True)
class FuelOutages:
    """Supply interruptions of one fuel; see :class:`sitedesign.library.Fuel`."""

    name: str
    interruption_events_per_yr: float = 0.0
    interruption_h: float = 12.0
    cold_event_per_yr: float = 0.0
    cold_event_h: float = 48.0
    cold_quantile: float = 0.01


@dataclass(frozen=True)
class BlockOutages:
    """Equal blocks that fail one by one, and all together at `common_outage_rate`."""

    blocks: int = 1
    forced_outage_rate: float = 0.0
    mttr_h: float = 24.0
    common_outage_rate: float = 0.0


@dataclass(frozen=True)
class OutageModel:
    """Every rate of failure of a plant, each cause with its switch.

    Attributes
    ----------
    units : tuple of UnitOutages
        In the order of ``Case.backup``.
    fuels : tuple of FuelOutages
    battery, solar : BlockOutages
    site_events_per_yr, site_event_h : float
        Faults that stop the whole site. [1/yr, h]
    solar_mean_availability : float
        Mean availability that the case's solar yield already contains; taken out again where blocks are
        sampled. [fraction]
    off : frozenset of str
        Causes that do not happen, out of :data:`CAUSES`.
    """

    units: tuple[UnitOutages, ...] = ()
    fuels: tuple[FuelOutages, ...] = ()
    battery: BlockOutages = BlockOutages()
    solar: BlockOutages = BlockOutages()
    site_events_per_yr: float = 0.0
    site_event_h: float = 4.0
    solar_mean_availability: float = 1.0
    off: frozenset[str] = frozenset()

    @staticmethod
    def from_library(
        backup: Sequence[Backup], fuels: Mapping[str, Fuel], battery: Battery, pv: Pv, facility: Facility
    ) -> OutageModel:
        """Take every rate from library entries.

        Parameters
        ----------
        backup : sequence of Backup
            In the order of the case.
        fuels : mapping of name to Fuel
            With an entry for each ``Backup.fuel``.
        battery, pv, facility : Battery, Pv, Facility
        """
        names = sorted({item.fuel for item in backup})
        return OutageModel(
            units=tuple(
                UnitOutages(
                    name=item.name,
                    fuel=item.fuel,
                    forced_outage_rate=item.forced_outage_rate,
                    mttr_h=item.mttr_h,
                    forced_outage_by_temp_c=item.forced_outage_by_temp_c,
                    planned_outage_fraction=item.planned_outage_fraction,
                    common_cause_beta_run=item.common_cause_beta_run,
                    common_cause_mttr_h=item.common_cause_mttr_h,
                )
                for item in backup
            ),
            fuels=tuple(
                FuelOutages(
                    name=name,
                    interruption_events_per_yr=fuels[name].interruption_events_per_yr,
                    interruption_h=fuels[name].interruption_h,
                    cold_event_per_yr=fuels[name].cold_event_per_yr,
                    cold_event_h=fuels[name].cold_event_h,
                    cold_quantile=fuels[name].cold_quantile,
                )
                for name in names
            ),
            battery=BlockOutages(
                battery.blocks, battery.forced_outage_rate, battery.mttr_h, battery.common_outage_rate
            ),
            solar=BlockOutages(pv.blocks, pv.block_forced_outage_rate, pv.block_mttr_h),
            site_events_per_yr=facility.site_shock_events_per_yr,
            site_event_h=facility.site_shock_h,
            solar_mean_availability=pv.availability,
        )

    def without(self, *causes: str) -> OutageModel:
        """Switch causes off; all others keep their moments of failure."""
        return replace(self, off=self.off | frozenset(causes))

    def has(self, cause: str) -> bool:
        """Whether a cause happens at all: it is not switched off and some rate of it is positive."""
        if cause in self.off:
            return False
        rates = {
            "units": [u.forced_outage_rate for u in self.units],
            "starts": [1.0],  # the probability lives with the behaviour of the units
            "planned": [u.planned_outage_fraction for u in self.units],
            "common_cause": [u.common_cause_beta_run * u.forced_outage_rate for u in self.units],
            "fuel": [f.interruption_events_per_yr + f.cold_event_per_yr for f in self.fuels],
            "battery": [self.battery.forced_outage_rate, self.battery.common_outage_rate],
            "solar": [self.solar.forced_outage_rate],
            "site": [self.site_events_per_yr],
        }
        return max(rates[cause], default=0.0) > 0


@dataclass(frozen=True, eq=False)
class OutagePaths:
    """Changes of state in order of time; a component is down while its changes add up to more than zero.

    Attributes
    ----------
    step, kind, index, change : ndarray, shape (events,)
        Step from which the change holds; what changes (``UNIT`` and so on); which one (unit number counted over
        all technologies, technology, or fuel); +1 down, -1 up again.
    battery_blocks, solar_blocks : int
    solar_scale : float
        Factor on the case's solar yield when every block works. [fraction]
    start_keys : ndarray of uint64, shape (units + technologies,)
        Keys of the streams of start failures, units first; all zero keys mean starts never fail.
    """

    step: NDArray[np.int64]
    kind: NDArray[np.int8]
    index: NDArray[np.int16]
    change: NDArray[np.int8]
    battery_blocks: int
    solar_blocks: int
    solar_scale: float
    start_keys: NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class OutageSky:
    """What outages depend on besides chance: clock and temperature of a run of weather years.

    Attributes
    ----------
    step_h : float
        [h]
    years, first_year : int
        Number of weather years, and the number of the first one (part of every random key).
    temp_air_c : ndarray, shape (T,)
        [degrees C]
    climatology : Climatology
        Gives the cold-day limit and the sunny season; fixed before the years are seen.
    """

    step_h: float
    years: int
    first_year: int
    temp_air_c: FloatArray
    climatology: Climatology

    @property
    def steps(self) -> int:
        """Number of steps."""
        return int(self.temp_air_c.size)


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
    model: OutageModel, units: Sequence[int], sky: OutageSky, draw: int = 0, seed: int = 0
) -> OutagePaths:
    """Sample one draw of everything that can fail.

    Parameters
    ----------
    model : OutageModel
    units : sequence of int
        Units per technology, in the order of ``model.units``.
    sky : OutageSky
    draw, seed : int
        Part of every random key.

    Returns
    -------
    OutagePaths
    """
    parts: list[tuple[NDArray[np.int64], int, int, int]] = []  # (steps, kind, index, change)

    def add(spans: NDArray[np.int64], kind: int, index: int) -> None:
        if spans.size:
            parts.append((spans[:, 0], kind, index, 1))
            parts.append((spans[:, 1], kind, index, -1))

    first = 0
    for number, (unit, count) in enumerate(zip(model.units, units, strict=True)):
        _sample_units(add, model, unit, count, first, number, sky, draw, seed)
        first += count
    for number, fuel in enumerate(model.fuels):
        if model.has("fuel"):
            add(_fuel_spans(fuel, sky, draw, seed), FUEL, number)
    if model.has("battery"):
        _sample_blocks(add, "battery", model.battery, (BATTERY_BLOCK, BATTERY), sky, draw, seed)
    if model.has("solar"):
        _sample_blocks(add, "solar", model.solar, (SOLAR_BLOCK, SOLAR_BLOCK), sky, draw, seed)
    if model.has("site"):
        rng = _stream("site", 0, sky, draw, seed)
        rate = np.full(1, model.site_events_per_yr / HOURS_PER_YEAR * sky.step_h)
        add(_two_state(rng, rate, model.site_event_h / sky.step_h, sky.steps), SITE, 0)
    scale = 1.0 / model.solar_mean_availability if model.has("solar") or "solar" in model.off else 1.0
    keys = np.zeros(first + len(units), dtype=np.uint64)
    if "starts" not in model.off:
        keys = _start_keys(model, units, sky, draw, seed)
    return _merge(parts, model, scale, keys)


def _sample_units(add, model, unit, count, first, number, sky, draw, seed):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    hazard = hazard_per_h(unit, sky.temp_air_c) * sky.step_h if unit.forced_outage_by_temp_c else None
    rate = hazard_per_h(unit, np.full(1, 15.0)) * sky.step_h
    beta = unit.common_cause_beta_run
    total = rate if hazard is None else np.concatenate([[0.0], np.cumsum(hazard)])
    for i in range(count):
        if model.has("units"):
            rng = _stream(unit.name, i, sky, draw, seed)
            add(_two_state(rng, total * (1 - beta), unit.mttr_h / sky.step_h, sky.steps), UNIT, first + i)
        if model.has("planned"):
            add(_planned(unit.planned_outage_fraction, i, sky), UNIT, first + i)
    if model.has("common_cause") and beta > 0:
        rng = _stream(f"{unit.name} common", 0, sky, draw, seed)
        add(
            _two_state(rng, total * beta, unit.common_cause_mttr_h / sky.step_h, sky.steps),
            TECHNOLOGY,
            number,
        )


def _sample_blocks(add, name, block, kinds, sky, draw, seed):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    def rate(outage: float) -> FloatArray:
        return np.full(1, outage / (block.mttr_h * (1 - outage)) * sky.step_h)

    repair = block.mttr_h / sky.step_h
    for i in range(block.blocks):
        if block.forced_outage_rate > 0:
            rng = _stream(name, i, sky, draw, seed)
            add(_two_state(rng, rate(block.forced_outage_rate), repair, sky.steps), kinds[0], i)
    if block.common_outage_rate > 0:
        rng = _stream(f"{name} common", 0, sky, draw, seed)
        add(_two_state(rng, rate(block.common_outage_rate), repair, sky.steps), kinds[1], 0)


def _merge(
    parts: list[tuple[NDArray[np.int64], int, int, int]],
    model: OutageModel,
    scale: float,
    keys: NDArray[np.uint64],
) -> OutagePaths:
    sizes = [len(part[0]) for part in parts]
    step = np.concatenate([part[0] for part in parts]) if parts else np.zeros(0, np.int64)
    columns = [np.repeat(np.array([p[c] for p in parts], np.int16), sizes) for c in (1, 2, 3)]
    order = np.argsort(step, kind="stable")
    kind, index, change = (column[order] for column in columns)
    return OutagePaths(
        step[order],
        kind.astype(np.int8),
        index,
        change.astype(np.int8),
        model.battery.blocks,
        model.solar.blocks,
        scale,
        keys,
    )


def _key(name: str, unit: int, sky: OutageSky, draw: int, seed: int) -> np.random.SeedSequence:
    return np.random.SeedSequence([seed, zlib.crc32(name.encode()), unit, draw, sky.first_year])


def _stream(name: str, unit: int, sky: OutageSky, draw: int, seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(_key(name, unit, sky, draw, seed)))


def _start_keys(
    model: OutageModel, units: Sequence[int], sky: OutageSky, draw: int, seed: int
) -> NDArray[np.uint64]:
    """One key a unit, then one a technology (for starts that fail together)."""
    names = [(f"{u.name} start", i) for u, n in zip(model.units, units, strict=True) for i in range(n)]
    names += [(f"{u.name} start common", 0) for u in model.units]
    states = [_key(name, i, sky, draw, seed).generate_state(1, np.uint64)[0] for name, i in names]
    return np.array(states, dtype=np.uint64)


def _planned(fraction: float, unit: int, sky: OutageSky) -> NDArray[np.int64]:
    """One spell a year in the sunny season; units take turns around its middle, latest next to earliest."""
    if fraction <= 0:
        return np.zeros((0, 2), np.int64)
    per_year = sky.steps // sky.years
    length = max(1, round(fraction * per_year))
    turns = max(1, per_year // 2 // length)  # as many as fit into the sunnier half of the year
    turn = unit % turns
    offset = (turn + 1) // 2 * (1 if turn % 2 else -1)
    middle = sky.climatology.sunny_day * (per_year // DAYS)
    start = middle + offset * length - length // 2 + np.arange(-1, sky.years + 1) * per_year
    spans = np.stack([start, start + length], axis=1)
    return np.clip(spans[(spans[:, 1] > 0) & (spans[:, 0] < sky.steps)], 0, sky.steps)


def _fuel_spans(fuel: FuelOutages, sky: OutageSky, draw: int, seed: int) -> NDArray[np.int64]:
    """Interruptions at any time, and those that extreme cold brings about."""
    rate = np.full(1, fuel.interruption_events_per_yr / HOURS_PER_YEAR * sky.step_h)
    rng = _stream(f"{fuel.name} supply", 0, sky, draw, seed)
    spans = _two_state(rng, rate, fuel.interruption_h / sky.step_h, sky.steps)
    if fuel.cold_event_per_yr <= 0:
        return spans
    rng = _stream(f"{fuel.name} cold", 0, sky, draw, seed)
    per_day = round(24 / sky.step_h)
    daily = sky.temp_air_c.reshape(-1, per_day).mean(axis=1)
    chance = fuel.cold_event_per_yr / (fuel.cold_quantile * DAYS)  # on each day below the quantile
    luck, when, length = (
        rng.uniform(size=daily.size),
        rng.uniform(size=daily.size),
        rng.exponential(size=daily.size),
    )
    days = np.flatnonzero((daily < sky.climatology.cold_limit_c(fuel.cold_quantile)) & (luck < chance))
    start = (days + when[days]) * per_day
    cold = np.stack([start, start + length[days] * fuel.cold_event_h / sky.step_h], axis=1)
    return np.concatenate([spans, np.clip(np.ceil(cold - 0.5), 0, sky.steps).astype(np.int64)])


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
    down = rng.uniform() < begin * repair_steps / (1.0 + begin * repair_steps)
    count = int(expected + 6 * expected**0.5 + 12)
    draws = rng.exponential(size=(count, 2))
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


def unit_availability(
    paths: OutagePaths, model: OutageModel, units: Sequence[int], technology: int, steps: int
) -> FloatArray:
    """Availability of each unit of one technology, for sizing.

    Returns
    -------
    ndarray, shape (units of the technology, steps)
        0 or 1: unit, common cause and fuel together; multiply it onto a capability row.
    """
    first = sum(units[:technology])
    names = [fuel.name for fuel in model.fuels]
    fuel = names.index(model.units[technology].fuel) if model.units[technology].fuel in names else -1
    available = np.ones((units[technology], steps))
    for i in range(units[technology]):
        mine = (paths.kind == UNIT) & (paths.index == first + i)
        mine |= (paths.kind == TECHNOLOGY) & (paths.index == technology)
        mine |= (paths.kind == FUEL) & (paths.index == fuel)
        changes = np.zeros(steps + 1)
        np.add.at(changes, paths.step[mine], paths.change[mine])
        available[i] = np.cumsum(changes[:-1]) < 0.5
    return available
