"""When a grid connection is there: calls to curtail, broken wires, emergencies of the region.

Everything is a share of the contracted power in each step of each weather year. Calls and emergencies come
with that year's own weather. Every year has a random stream of its own, keyed by seed, cause and year: it has
the same events whatever other years stand beside it.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sitedesign.components.own_profile.clock import ProfileRecord, whole_years
from sitedesign.components.own_profile.file import read_file
from sitedesign.components.own_profile.profile import resample
from sitedesign.errors import Fault, InputError, shown
from sitedesign.library import Connection
from sitedesign.util.checked import Checked
from sitedesign.util.gate import Kind, Measure, is_number
from sitedesign.util.packed_numbers import is_packed, pack_numbers, unpack_numbers

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
HOURS_PER_YEAR = 8760.0
_SHARE = Measure("fraction", 0, 1)
_HOURS_A_YEAR = Measure("h", 0, HOURS_PER_YEAR)
_EVENT_H = Measure("h", 0, 24, above=True)
_NOTICE_H = Measure("h", 0, 168)
_LENGTH_H = Measure("h", 0, 1000, above=True)
_EVENTS = Measure("events/yr", 0, 100)
_RARE = Measure("events/yr", 0, 10)
_CAPS = Kind((str, Path, tuple), "must be the path of a file, or numbers, one row a year")
_LEAST_WEIGHT = 0.5  # of an event's length that is shared out evenly; the rest is drawn
_NEARNESS = 0.5  # weight of the middle of an event against its day, in standard deviations


class Curtailment(Checked):
    """Calls to curtail of a flexible connection.

    By default hours are called in which the region is short: the hottest afternoons and the coldest mornings
    of the weather year, blurred by what the site's weather does not tell. The most short hours lose most.

    Parameters
    ----------
    hours_per_yr : float
        Called hours of each year. [h]
    event_h, longest_event_h : float
        Mean and longest length of a call; at most one a day. [h]
    kept : float, optional
        Share of the power that stays in every called hour; then the next four are not given. [fraction]
    kept_half, kept_three_quarters, kept_nine_tenths : float
        Shares of the called hours that keep at least so much; without any, every call takes `deepest`.
        [fraction]
    deepest : float
        Share of the power that the deepest call takes. [fraction]
    heat_share : float
        Calls on hot afternoons; the others are on cold mornings. [fraction]
    weather_correlation : float
        Of the region's shortness with the site's weather, day by day. [fraction]
    notice_h : float
        From the notice of a call to the call; before it, an operator knows only how often calls come at this
        hour of the year. [h]
    caps, caps_mw : path or array, optional
        A series of what stays, one year or as many as the weather's, in place of all the above, as a share of
        the contracted power or in MW.

    Raises
    ------
    InputError
        With every fault found.

    Examples
    --------
    >>> sd.Curtailment(hours_per_yr=177, kept_half=0.9).notice_h
    0.0
    """

    WHERE: ClassVar[str] = "curtailment"
    EXAMPLE: ClassVar[str] = "sd.Curtailment(hours_per_yr=177)"

    hours_per_yr: Annotated[float, _HOURS_A_YEAR] = 0.0
    event_h: Annotated[float, _EVENT_H] = 4.7
    longest_event_h: Annotated[float, _EVENT_H] = 12.0
    kept: Annotated[float, _SHARE] | None = None
    kept_half: Annotated[float, _SHARE] = 0.0
    kept_three_quarters: Annotated[float, _SHARE] = 0.0
    kept_nine_tenths: Annotated[float, _SHARE] = 0.0
    deepest: Annotated[float, _SHARE] = 1.0
    heat_share: Annotated[float, _SHARE] = 0.75
    weather_correlation: Annotated[float, _SHARE] = 0.9
    notice_h: Annotated[float, _NOTICE_H] = 0.0
    caps: Annotated[Any, _CAPS] = Field(default=None, repr=False)
    caps_mw: Annotated[Any, _CAPS] = Field(default=None, repr=False)

    @classmethod
    def _prepared(cls, known: dict[str, Any], faults: list[Fault]) -> dict[str, Any]:
        """Keep a series as tuples, which can be compared."""
        for name in ("caps", "caps_mw"):
            if is_packed(known.get(name)):
                try:
                    known[name] = unpack_numbers(known[name])
                except ValueError:
                    allowed = "must be as a saved study has them"
                    faults.append(Fault(f"curtailment.{name}", "packed numbers with a fault", allowed))
                    known.pop(name)
            if isinstance(known.get(name), list | tuple | np.ndarray):
                known[name] = _tuples(known[name])
            elif known.get(name, "") is None:
                known.pop(name)
        return known

    def _contradictions(self) -> list[Fault]:
        """Shares that cannot be, calls that do not fit into a year, a series beside rules."""
        series = [name for name in ("caps", "caps_mw") if getattr(self, name) is not None]
        if series:
            others = sorted(self.model_fields_set - {series[0], "notice_h"})
            return [
                Fault(
                    f"curtailment.{name}", f"given beside {series[0]}", "the series says all", "Leave it out."
                )
                for name in others
            ]
        faults = []
        table = ("kept_half", "kept_three_quarters", "kept_nine_tenths")
        if self.kept is not None:
            faults += [
                Fault(f"curtailment.{name}", "given beside kept", "every called hour keeps the same", "")
                for name in (*table, "deepest")
                if name in self.model_fields_set
            ]
        kept = [getattr(self, name) for name in table]
        if sorted(kept, reverse=True) != kept:
            found = ", ".join(f"{share:g}" for share in kept)
            allowed = "must not rise: an hour that keeps nine tenths keeps half"
            faults.append(Fault("curtailment.kept_three_quarters", found, allowed))
        lost = [depth for share, depth in zip(kept, (0.5, 0.25, 0.1), strict=True) if share < 1]
        if any(kept) and lost and self.deepest < lost[0]:
            allowed = f"must be at least {lost[0]:g}: some called hours lose as much"
            faults.append(Fault("curtailment.deepest", f"{self.deepest:g}", allowed))
        if self.longest_event_h < self.event_h:
            allowed = f"must be at least event_h, which is {self.event_h:g} h"
            faults.append(Fault("curtailment.longest_event_h", f"{self.longest_event_h:g}", allowed))
        if self.hours_per_yr > 365 * self.longest_event_h:
            most = 365 * self.longest_event_h
            allowed = f"must be at most {most:,.0f}: one call a day of longest_event_h"
            faults.append(Fault("curtailment.hours_per_yr", f"{self.hours_per_yr:g}", allowed))
        return faults

    def _says(self, name: str) -> bool:
        """Every field that counts is written, given or not: what is left out would be the model's."""
        if self.caps is not None or self.caps_mw is not None:
            return super()._says(name)
        without = ("kept_half", "kept_three_quarters", "kept_nine_tenths", "deepest")
        return getattr(self, name) is not None and not (self.kept is not None and name in without)

    def to_dict(self) -> dict[str, Any]:
        """Write what counts, a long series as one text."""
        written = super().to_dict()
        for name in ("caps", "caps_mw"):
            if (
                isinstance(getattr(self, name), tuple)
                and (values := _regular(getattr(self, name))) is not None
            ):
                written[name] = pack_numbers(values)
        return written

    @property
    def depth_table(self) -> tuple[FloatArray, FloatArray]:
        """Called hours that lose more than a depth, as points of a line: share of them, and depth."""
        lost = [1.0, 1 - self.kept_nine_tenths, 1 - self.kept_three_quarters, 1 - self.kept_half, 0.0]
        return np.array(lost), np.array([0.0, 0.1, 0.25, 0.5, self.deepest])

    @property
    def even_depth(self) -> float | None:
        """Share of the power that every called hour takes alike; None where hours differ. [fraction]"""
        if self.kept is not None:
            return 1 - self.kept
        table = (self.kept_half, self.kept_three_quarters, self.kept_nine_tenths)
        return None if any(table) else self.deepest

    @property
    def mean_depth(self) -> float:
        """Mean share of the power that a called hour takes. [fraction]"""
        if self.even_depth is not None:
            return self.even_depth
        share, depth = self.depth_table
        return float(((share[:-1] + share[1:]) / 2 * np.diff(depth)).sum())

    @property
    def energy_share(self) -> float:
        """Share of a flat load's energy that calls take. [fraction]"""
        return self.mean_depth * self.hours_per_yr / HOURS_PER_YEAR


class WireOutages(Checked):
    """Interruptions of the connection.

    Parameters
    ----------
    interruptions_per_yr : float
        At any time. [1/yr]
    interruption_h : float
        Mean length. [h]
    emergencies_per_yr : float
        Long ones, in the coldest days of a year. [1/yr]
    emergency_h : float
        Mean length; from 0.7 to 1.3 times as long. [h]

    Raises
    ------
    InputError
        With every fault found.

    Examples
    --------
    >>> sd.WireOutages(interruptions_per_yr=0.12, interruption_h=1.4).emergencies_per_yr
    0.0
    """

    WHERE: ClassVar[str] = "outages"
    EXAMPLE: ClassVar[str] = "sd.WireOutages(interruptions_per_yr=0.12, interruption_h=1.4)"

    interruptions_per_yr: Annotated[float, _EVENTS] = 0.0
    interruption_h: Annotated[float, _LENGTH_H] = 1.4
    emergencies_per_yr: Annotated[float, _RARE] = 0.0
    emergency_h: Annotated[float, _LENGTH_H] = 55.0

    def _says(self, name: str) -> bool:
        """Every field is written: what is left out would be the model's."""
        return True

    @property
    def hours_per_yr(self) -> float:
        """Expected hours without supply. [h/yr]"""
        often = self.interruptions_per_yr * self.interruption_h
        return often + self.emergencies_per_yr * self.emergency_h


def curtailment_of(entry: Connection) -> Curtailment | None:
    """Take the calls of a library's connection; None for a firm one."""
    if entry.connection == "firm":
        return None
    table = {
        "kept_half": entry.kept_half_fraction or 0.0,
        "kept_three_quarters": entry.kept_three_quarters_fraction or 0.0,
        "kept_nine_tenths": entry.kept_nine_tenths_fraction or 0.0,
    }
    hours = entry.curtailed_h_per_yr
    target = (entry.curtailed_energy_fraction or 0.0) * HOURS_PER_YEAR / hours if hours else 0.0
    calls = {
        "hours_per_yr": hours,
        "event_h": entry.event_h,
        "longest_event_h": entry.longest_event_h,
        "heat_share": entry.heat_fraction,
        "weather_correlation": entry.weather_correlation,
        "notice_h": (entry.notice_minutes or 0.0) / 60,
    }
    if not any(table.values()):
        return Curtailment(**calls, deepest=min(target, 1.0))
    # Depths up to one half follow from the shares; what the deepest calls add makes up the energy
    shallow = Curtailment(**table, deepest=0.5).mean_depth
    beyond = 1 - table["kept_half"]
    deepest = 0.5 + 2 * (target - shallow) / beyond if beyond else 0.5
    return Curtailment(**calls, **table, deepest=float(np.clip(deepest, 0.5, 1.0)))


def outages_of(entry: Connection) -> WireOutages:
    """Interruptions of a library's connection."""
    return WireOutages(
        interruptions_per_yr=entry.interruptions_per_yr,
        interruption_h=entry.interruption_h,
        emergencies_per_yr=entry.emergencies_per_yr,
        emergency_h=entry.emergency_h,
    )


@dataclass(frozen=True, eq=False)
class WireState:
    """What stands between a site and the grid in each step.

    Attributes
    ----------
    cap : ndarray, shape (years, steps)
        Share of the contracted power that calls leave. [fraction]
    wires : ndarray of bool, shape (years, steps)
        Whether the connection is there.
    """

    cap: FloatArray
    wires: BoolArray

    @property
    def available(self) -> FloatArray:
        """Share of the contracted power that may be drawn. [fraction]"""
        return np.where(self.wires, self.cap, 0.0)

    def called_h_per_yr(self, step_h: float) -> float:
        """Hours of a mean year in which import is capped. [h/yr]"""
        return float((self.cap < 1).sum(axis=1).mean()) * step_h

    def broken_h_per_yr(self, step_h: float) -> float:
        """Hours of a mean year without wires. [h/yr]"""
        return float((~self.wires).sum(axis=1).mean()) * step_h


@dataclass(frozen=True, eq=False)
class ConnectionDraws:
    """How calls and interruptions of a connection are drawn on weather years.

    Attributes
    ----------
    calls : Curtailment or None
    wires : WireOutages
    temp_air_c : ndarray, shape (years, steps)
        [degrees C]
    step_minutes : int
        [min]
    years : tuple of int
        Names of the weather years, part of the random keys, as the seed is.
    seed : int
    caps : ndarray, shape (years, steps), or None
        What calls leave where a user says it step by step: the same in every draw. [fraction]
    """

    calls: Curtailment | None
    wires: WireOutages
    temp_air_c: FloatArray
    step_minutes: int
    years: tuple[int, ...]
    seed: int
    caps: FloatArray | None = None

    def state(self, draw: int = 0) -> WireState:
        """Draw what stands between the site and the grid."""
        temp, step, years = self.temp_air_c, self.step_minutes, self.years
        cap = np.ones(temp.shape) if self.caps is None else self.caps
        if self.calls is not None and self.caps is None:
            cap = curtailment_caps(self.calls, temp, step, years, self.seed, draw=draw)
        return WireState(cap, wire_outages(self.wires, temp, step, years, self.seed, draw=draw))

    def of_years(self, rows: IntArray) -> ConnectionDraws:
        """Pick weather years, in the order given."""
        return replace(
            self,
            temp_air_c=self.temp_air_c[rows],
            years=tuple(self.years[row] for row in rows.tolist()),
            caps=None if self.caps is None else self.caps[rows],
        )


def curtailment_caps(
    curtailment: Curtailment,
    temp_air_c: FloatArray,
    step_minutes: int,
    years: Sequence[int],
    seed: int = 0,
    *,
    contract_mw: float = 1.0,
    draw: int = 0,
) -> FloatArray:
    """Share of the contracted power that calls leave.

    Parameters
    ----------
    curtailment : Curtailment
    temp_air_c : ndarray, shape (years, steps)
        Of each weather year. [degrees C]
    step_minutes : int
        [min]
    years : sequence of int
        Names of the weather years, part of the random keys.
    seed : int
    contract_mw : float
        Contracted power, of which caps in MW are a share. [MW]
    draw : int
        Part of the random keys.

    Returns
    -------
    ndarray, shape (years, steps)
        1 where import is not called. [fraction]

    Raises
    ------
    InputError
        If a series of caps does not fit the weather's years.
    """
    if curtailment.caps is not None:
        return series_of_caps(curtailment.caps, "caps", len(years), step_minutes)
    if curtailment.caps_mw is not None:
        caps_mw = series_of_caps(curtailment.caps_mw, "caps_mw", len(years), step_minutes)
        return np.minimum(caps_mw / contract_mw, 1.0)
    rows = [
        _year_of_calls(curtailment, temp, step_minutes, _stream("calls", seed, year, draw))
        for temp, year in zip(temp_air_c, years, strict=True)
    ]
    return np.stack(rows)


def wire_outages(
    outages: WireOutages,
    temp_air_c: FloatArray,
    step_minutes: int,
    years: Sequence[int],
    seed: int = 0,
    *,
    draw: int = 0,
) -> BoolArray:
    """Sample whether the connection is there.

    Interruptions come at any time, last exponentially, and count in the steps whose middle they cover.
    Emergencies begin in the coldest hours of a year.

    Parameters
    ----------
    outages, temp_air_c, step_minutes, years, seed, draw
        As for :func:`curtailment_caps`.

    Returns
    -------
    ndarray of bool, shape (years, steps)
    """
    there = np.ones(temp_air_c.shape, dtype=bool)
    step_h = step_minutes / 60
    for row, year in enumerate(years):
        spans = _interruptions(outages, _stream("wires", seed, year, draw))
        rng = _stream("emergencies", seed, year, draw)
        spans += _emergencies(outages, temp_air_c[row], step_h, rng)
        for start_h, length_h in spans:
            first = int(np.ceil(start_h / step_h - 0.5))
            last = int(np.ceil((start_h + length_h) / step_h - 0.5))
            there[row, max(first, 0) : last] = False
    return there


def series_of_caps(data: Any, name: str, years: int, step_minutes: int) -> FloatArray:  # noqa: ANN401
    """Caps that a user gives, on the weather's years and step.

    Parameters
    ----------
    data : path or array
        One year or as many as the weather's, in local standard time.
    name : str
        ``caps`` [fraction] or ``caps_mw`` [MW].
    years : int
    step_minutes : int
        [min]

    Raises
    ------
    InputError
        With every fault.
    """
    where = f"curtailment.{name}"
    if isinstance(data, str | Path):
        record = read_file(Path(data), "load")
    else:
        try:
            values = np.asarray(data, dtype=np.float64)
        except (TypeError, ValueError, OverflowError):
            values = np.zeros(0)
        if values.size == 0 or values.ndim > 2:
            raise InputError([Fault(where, shown(data), _CAPS.says)], where)
        record = ProfileRecord(
            values.ravel(), None, where, where, rows=len(values) if values.ndim == 2 else None
        )
    most = 1.0 if name == "caps" else 1e7
    unit = "a fraction" if name == "caps" else "MW"
    bad = ~np.isfinite(record.values) | (record.values < 0) | (record.values > most)
    found = whole_years(record, record.step_minutes, None)
    faults = list(found.faults)
    if bad.any():
        place = int(bad.argmax())
        text = f"{int(bad.sum())} values such as {record.values[place]:g} at position {place}"
        faults.append(Fault(where, text, f"must be {unit} in [0, {most:g}]"))
    if not found.faults and len(found.rows) not in (1, years):
        faults.append(
            Fault(where, f"{len(found.rows)} years", f"must have 1 year or the {years} of the weather")
        )
    if faults:
        raise InputError(faults, where)
    caps = resample(np.stack(found.rows), found.step_minutes, step_minutes)
    return np.repeat(caps, years, axis=0) if len(caps) == 1 else caps


def _tuples(data: Any) -> Any:  # noqa: ANN401
    """One or several years of numbers as tuples."""
    rows = data.tolist() if isinstance(data, np.ndarray) else data
    if not isinstance(rows, list | tuple):
        return rows
    if len(rows) == 1 and isinstance(rows[0], list | tuple | np.ndarray):
        rows = rows[0]
    return tuple(tuple(row) if isinstance(row, list | np.ndarray) else row for row in rows)


def _regular(rows: tuple[Any, ...]) -> FloatArray | None:
    """Tuples as an array; None for what is no table of numbers, which whoever reads the caps refuses."""
    numbers = [item for row in rows for item in (row if isinstance(row, tuple) else (row,))]
    if not all(is_number(item) for item in numbers) or len({np.shape(row) for row in rows}) != 1:
        return None
    return np.array(rows, dtype=np.float64)


def _stream(name: str, seed: int, year: int, draw: int) -> np.random.Generator:
    key = [seed, zlib.crc32(f"grid {name}".encode()), year]
    return np.random.default_rng([*key, draw] if draw else key)


# --- Calls -------------------------------------------------------------------------------------------------


def _year_of_calls(
    curtailment: Curtailment, temp_air_c: FloatArray, step_minutes: int, rng: np.random.Generator
) -> FloatArray:
    cap = np.ones(temp_air_c.size)
    per_day = 1440 // step_minutes
    steps = round(curtailment.hours_per_yr * 60 / step_minutes)
    days = temp_air_c.size // per_day
    # Draws do not depend on how many hours are called: more calls keep the days of fewer
    blur, lengths = rng.standard_normal((2, days)), rng.exponential(size=days)
    if steps == 0:
        return cap
    longest = max(1, round(curtailment.longest_event_h * 60 / step_minutes))
    events = round(curtailment.hours_per_yr / curtailment.event_h)
    events = min(max(events, math.ceil(steps / longest)), days, steps)
    size = np.sort(_event_lengths(steps, events, longest, lengths[:events]))[::-1]
    temp = temp_air_c.reshape(days, per_day)
    chosen, middle, score = _called_days(curtailment, temp, events, blur)
    called, stress = [], []
    for day, centre, level, length in zip(chosen, middle, score, size, strict=True):
        first = int(np.clip(centre - length // 2, 0, per_day - length))
        place = np.arange(first, first + length)
        called.append(day * per_day + place)
        stress.append(level - _NEARNESS * np.abs(place - centre) / length)
    at, order = np.concatenate(called), np.argsort(-np.concatenate(stress), kind="stable")
    cap[at[order]] = 1.0 - _depths(curtailment, steps)
    return cap


def _event_lengths(steps: int, events: int, longest: int, draws: FloatArray) -> IntArray:
    """Lengths of calls in steps, of 1 to `longest` each, which sum to `steps`."""
    weight = _LEAST_WEIGHT + (1 - _LEAST_WEIGHT) * draws
    size = np.clip(np.floor(steps * weight / weight.sum()).astype(np.int64), 1, longest)
    while (lack := steps - int(size.sum())) != 0:
        able = np.flatnonzero(size < longest) if lack > 0 else np.flatnonzero(size > 1)
        turn = able[np.argsort(size[able], kind="stable")[:: 1 if lack > 0 else -1]][: abs(lack)]
        size[turn] += 1 if lack > 0 else -1
    result: IntArray = size
    return result


def _called_days(
    curtailment: Curtailment, temp: FloatArray, events: int, blur: FloatArray
) -> tuple[IntArray, IntArray, FloatArray]:
    """Days that are called, the step of the day around which, and how short the region is; shortest first."""
    rho = curtailment.weather_correlation
    noise = np.sqrt(1 - rho**2)
    hot, cold = (
        rho * _standardised(extreme) + noise * luck
        for extreme, luck in zip((temp.max(axis=1), -temp.min(axis=1)), blur, strict=True)
    )
    hours = temp.shape[1] / 24
    noon, morning = round(12 * hours), round(12 * hours)
    hottest = noon + temp[:, noon:].argmax(axis=1) + round(hours)  # net of the sun the peak comes later
    coldest = temp[:, :morning].argmin(axis=1) + round(hours)
    in_heat = round(events * curtailment.heat_share)
    by_heat = np.argsort(-hot, kind="stable")[:in_heat]
    left = np.setdiff1d(np.arange(len(temp)), by_heat)
    by_cold = left[np.argsort(-cold[left], kind="stable")[: events - in_heat]]
    days = np.concatenate([by_heat, by_cold])
    middle = np.concatenate([hottest[by_heat], coldest[by_cold]])
    score = np.concatenate([hot[by_heat], cold[by_cold]])
    order = np.argsort(-score, kind="stable")
    return days[order], middle[order], score[order]


def _standardised(values: FloatArray) -> FloatArray:
    spread = float(values.std())
    found: FloatArray = (values - values.mean()) / spread if spread > 0 else np.zeros_like(values)
    return found


def _depths(curtailment: Curtailment, steps: int) -> FloatArray:
    """Share of the power that each called step takes, the deepest first; their mean is exact."""
    if curtailment.even_depth is not None:
        return np.full(steps, curtailment.even_depth)
    share, depth = curtailment.depth_table
    # Mean depth of each of so many equal parts of the called hours, by the integral of the line
    edges = np.linspace(0.0, 1.0, steps + 1)
    knots = np.unique(np.concatenate([edges, share]))
    height = np.interp(knots, share[::-1], depth[::-1])
    area = np.concatenate([[0.0], np.cumsum((height[1:] + height[:-1]) / 2 * np.diff(knots))])
    mean: FloatArray = np.diff(np.interp(edges, knots, area)) * steps
    return np.clip(mean, 0.0, 1.0)


# --- Wires -------------------------------------------------------------------------------------------------


def _interruptions(outages: WireOutages, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Beginnings and lengths in one year. [h]"""
    count = int(rng.poisson(outages.interruptions_per_yr))
    starts = np.sort(rng.uniform(0, HOURS_PER_YEAR, count))
    lengths = rng.exponential(outages.interruption_h, count)
    return list(zip(starts.tolist(), lengths.tolist(), strict=True))


def _emergencies(
    outages: WireOutages, temp_air_c: FloatArray, step_h: float, rng: np.random.Generator
) -> list[tuple[float, float]]:
    """Beginnings and lengths in one year: around the coldest day, then around the coldest outside it. [h]"""
    count = int(rng.poisson(outages.emergencies_per_yr))
    lengths = outages.emergency_h * rng.uniform(0.7, 1.3, count)
    per_day = round(24 / step_h)
    daily = temp_air_c.reshape(-1, per_day).mean(axis=1)
    spans = []
    for length in lengths.tolist():
        day = int(daily.argmin())
        reach = int(np.ceil(length / 24)) + 1
        daily = daily.copy()
        daily[max(0, day - reach) : day + reach + 1] = np.inf
        start = np.clip(day * 24 + 12 - length / 2, 0, HOURS_PER_YEAR - length)
        spans.append((float(start), length))
        if not np.isfinite(daily).any():
            break
    return spans
