"""Cuts that hold for every question about the same data: other prices, limits and targets may come and go."""

from __future__ import annotations

import hashlib

import numpy as np

from sitedesign.case.case import BackupCase, Case, FloatArray, ImportCase, SinkCase
from sitedesign.optimize.dispatch_oracle import Oracle
from sitedesign.optimize.lagrangian import Cut, PriceSearch

_GROWTH = 256
_ROW_SHARE = 1e-4


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
    """

    def __init__(self, case: Case) -> None:
        self.search = PriceSearch(Oracle(case))
        self.count = 0
        self._case = case
        self._known: set[bytes] = set()
        totals = case.priced + len(case.classes)
        self._lines = np.empty((0, totals + self.search.oracle.columns.count))

    def fits(self, case: Case) -> bool:
        """Whether the cuts hold for a case."""
        return _same_arrays(case, self._case) or data_key(self._case) == data_key(case)

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


def _same_arrays(case: Case, other: Case) -> bool:
    """Whether two cases share their very data, as variations of one case do."""
    kinds = [(len(c.backup), len(c.imports), len(c.sinks)) for c in (case, other)]
    return (
        kinds[0] == kinds[1]
        and all(_same_flow(a, b) for a, b in zip(case.flows, other.flows, strict=True))
        and len(case.resources) == len(other.resources)
        and all(a is b for a, b in zip(_series(case), _series(other), strict=True))
        and (case.step_h, case.years, case.eta_charge, case.eta_discharge, case.tiers)
        == (other.step_h, other.years, other.eta_charge, other.eta_discharge, other.tiers)
        and len(case.classes) == len(other.classes)
    )


def _same_flow(one: BackupCase | ImportCase | SinkCase, other: BackupCase | ImportCase | SinkCase) -> bool:
    """Whether two flows share their very data, prices aside."""
    return (
        one.capability is other.capability
        and one.active_level is other.active_level
        and (one.unit_mw, one.units_max, len(one.levels))
        == (other.unit_mw, other.units_max, len(other.levels))
    )


def _series(case: Case) -> tuple[FloatArray, ...]:
    return (*(r.yield_mw_per_mw for r in case.resources), case.load_mw, case.usable)


def data_key(case: Case) -> str:
    """Fingerprint of everything the operation of a plant depends on."""
    digest = hashlib.sha256()
    for series in _series(case):
        digest.update(np.ascontiguousarray(series).tobytes())
    for item in case.flows:
        rows = 1 if item.capability.shape[0] == 1 else item.units_max
        digest.update(f"{type(item).__name__} {item.unit_mw!r} {rows} {len(item.levels)}".encode())
        digest.update(np.ascontiguousarray(item.capability).tobytes())
        if item.active_level is not None:
            digest.update(np.asarray(item.active_level, dtype=np.int64).tobytes())
    shedding = f"{len(case.classes)} {case.tiers!r}"
    digest.update(
        f"{case.step_h!r} {case.years} {case.eta_charge!r} {case.eta_discharge!r} {shedding}".encode()
    )
    return digest.hexdigest()
