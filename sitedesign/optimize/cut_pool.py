"""Cuts that hold for every question about the same data: other prices, limits and targets may come and go."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Iterable
from typing import TypeVar

import numpy as np

from sitedesign.case.case import BackupCase, Case, FloatArray, ImportCase, SinkCase
from sitedesign.optimize.annual_budgets import Budgets
from sitedesign.optimize.dispatch_oracle import Oracle, Point
from sitedesign.optimize.lagrangian import Cut, Operation, PriceSearch

_GROWTH = 256
_LAST_POINTS = 20  # fewer leave more to be found, more take longer than what they find
_ROW_SHARE = 1e-4
_ROUNDING = 1e-12  # of a ratio of two series that is the same in every step

Flow = BackupCase | ImportCase | SinkCase
Item = TypeVar("Item")


class CutPool:
    """Oracle of one set of data and all cuts it has given.

    A cut depends on the series, the efficiencies, the tiers with their classes and the units, not on what
    anything costs or on any budget or bound.

    Parameters
    ----------
    case : Case

    Attributes
    ----------
    search : PriceSearch
    count : int
        Number of cuts.
    last_points : deque of Point
        Where it was cut last: around an optimum, if one was found.
    """

    def __init__(self, case: Case) -> None:
        self.search = PriceSearch(Oracle(case))
        self.count = 0
        self.last_points: deque[Point] = deque(maxlen=_LAST_POINTS)
        self._case = case
        self._known: set[bytes] = set()
        totals = case.priced + len(case.classes)
        self._lines = np.empty((0, totals + self.search.oracle.columns.count))

    def fits(self, case: Case) -> bool:
        """Whether the cuts hold for a case."""
        return case is self._case or _same_data(case, self._case)

    def copy(self) -> CutPool:
        """Give a pool that begins as this one is, and that may be used while this one is."""
        twin = copy.copy(self)
        twin.search = self.search.on(self.search.oracle.copy())
        twin._known, twin._lines = set(self._known), self._lines.copy()
        twin.last_points = self.last_points.copy()
        return twin

    def carried_to(self, case: Case) -> CutPool | None:
        """Begin a pool of other data with what the cuts of this one say there; None where that is nothing.

        With no less load, and no more of everything that gives, no plant does better. So a cut holds for
        other data when each capacity counts for as much more as it gives more at most, and the whole for as
        much as the load is more at least. Where series are multiples of the others it says as much as before.
        """
        factors = _factors(case, self._case)
        if factors is None:
            return None
        load, capacities = factors
        pool = CutPool(case)
        pool.search = self.search.on(pool.search.oracle)
        lines = self._lines[: self.count].copy()
        totals = lines.shape[1] - capacities.size - 1
        lines[:, totals + 1 :] *= capacities / load
        lines[:, :totals] /= load
        pool._lines, pool.count = lines, len(lines)
        pool._known = {line.tobytes() for line in lines}
        return pool

    def cut_at(self, point: Point, budgets: Budgets, *, likely: bool = True) -> Operation:
        """Operate a point within budgets (:meth:`PriceSearch.operate`), and keep the cuts that come of it."""
        operation = self.search.operate(point, budgets, likely=likely)
        for cut in operation.cuts:
            self.add(cut)
        self.last_points.append(point)
        return operation

    def add(self, cut: Cut) -> int | None:
        """Keep a cut; returns its number, or None when it is known or says nothing.

        Rows are scaled to 1/10,000 of the load, so that what the master overlooks, 2e-7, is far below what
        counts as meeting a budget; conditions on the capacities alone stay in MWh, as the dispatch has it.
        """
        line = np.concatenate([cut.prices, -cut.coefficients])
        if not np.delete(line, cut.prices.size).any():
            return None
        if cut.prices.any():
            line /= _ROW_SHARE * self._case.load_mwh_per_yr * cut.prices.max()
        mark = line.tobytes()
        if mark in self._known:
            return None
        self._known.add(mark)
        if self.count == len(self._lines):
            self._lines = np.concatenate([self._lines, np.empty((_GROWTH, line.size))])
        self._lines[self.count] = line
        self.count += 1
        return self.count - 1

    def row(self, number: int) -> tuple[FloatArray, float]:
        """Coefficients of (totals, capacities) and lower bound of a cut, both scaled."""
        totals = self._lines.shape[1] - self.search.oracle.columns.count
        line = self._lines[number]
        return np.delete(line, totals), float(-line[totals])

    def missing(self, totals: FloatArray, capacities: FloatArray, share: float = 1.0) -> FloatArray:
        """By how much each cut is violated at a point, shape (count,); `share` of the load is there."""
        return np.asarray(-self._lines[: self.count] @ np.concatenate([totals, [share], capacities]))


def _same_data(case: Case, other: Case) -> bool:
    """Whether everything that the operation of a plant depends on is the same."""
    return (
        _same_kind(case, other)
        and (case.eta_charge, case.eta_discharge) == (other.eta_charge, other.eta_discharge)
        and all(a.unit_mw == b.unit_mw for a, b in zip(case.flows, other.flows, strict=True))
        and all(_equal(a, b) for a, b in zip(_series(case), _series(other), strict=True))
    )


def _same_kind(case: Case, other: Case) -> bool:
    """Whether two cases have the same steps, the same things on the bus, and the same ways to shed load."""
    return (
        [len(c) for c in (case.resources, case.backup, case.imports, case.sinks, case.classes)]
        == [len(c) for c in (other.resources, other.backup, other.imports, other.sinks, other.classes)]
        and (case.step_h, case.years, case.steps, case.tiers)
        == (other.step_h, other.years, other.steps, other.tiers)
        and all(_same_levels(a, b) for a, b in zip(case.flows, other.flows, strict=True))
    )


def _same_levels(one: Flow, other: Flow) -> bool:
    """Whether two flows have as many units of their own series, and the same levels at the same times."""
    active = one.active_level, other.active_level
    return (
        one.capability.shape == other.capability.shape
        and (len(one.capability) == 1 or one.units_max == other.units_max)
        and len(one.levels) == len(other.levels)
        and (active[0] is None) == (active[1] is None)
        and (active[0] is None or active[1] is None or np.array_equal(active[0], active[1]))
    )


def _series(case: Case) -> tuple[FloatArray, ...]:
    resources = (item.yield_mw_per_mw for item in case.resources)
    return (case.load_mw, case.usable, *resources, *(item.capability for item in case.flows))


def _equal(one: FloatArray, other: FloatArray) -> bool:
    return one is other or np.array_equal(one, other)


def _factors(case: Case, other: Case) -> tuple[float, FloatArray] | None:
    """Give how many times the load is another's at least, and how many times each capacity gives it at most.

    None where a cut of the other case says nothing: something gives where it gave nothing, or a battery
    fades or loses in another way.
    """
    if not _same_kind(case, other):
        return None
    if (case.eta_charge, case.eta_discharge) != (other.eta_charge, other.eta_discharge):
        return None
    load, usable = _least(case.load_mw, other.load_mw), _most(case.usable, other.usable)
    if not 0.0 < load < np.inf or usable - _least(case.usable, other.usable) > _ROUNDING * usable:
        return None
    give = [_most(a.yield_mw_per_mw, b.yield_mw_per_mw) for a, b in _both(case.resources, other.resources)]
    give += [usable, 1.0]
    for k, (mine, its) in enumerate(_both(case.flows, other.flows)):
        times = _most if k < len(case.supplies) else _least  # a sink is load
        unit = mine.unit_mw / its.unit_mw
        rows = slice(max(1, int(mine.units_max)) if len(mine.capability) > 1 else 1)
        give += [unit * times(a, b) for a, b in _both(mine.capability[rows], its.capability[rows])]
    factors = np.array(give)
    return (load, factors) if np.isfinite(factors).all() else None


def _both(ones: Iterable[Item], others: Iterable[Item]) -> Iterable[tuple[Item, Item]]:
    return zip(ones, others, strict=True)


def _most(one: FloatArray, other: FloatArray) -> float:
    """Give how many times one series is another at most; infinite where the other alone is nothing."""
    if one is other:
        return 1.0
    there = other > 0.0
    if np.any(one[~there] > 0.0):
        return np.inf
    return float((one[there] / other[there]).max(initial=0.0))


def _least(one: FloatArray, other: FloatArray) -> float:
    """Give how many times one series is another at least."""
    if one is other:
        return 1.0
    there = other > 0.0
    return float((one[there] / other[there]).min()) if there.any() else 1.0
