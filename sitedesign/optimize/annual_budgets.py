"""The budgets of a case as rows over the annual totals, and what those totals cost."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sitedesign.case.case import Case, FloatArray
from sitedesign.case.limits import annual_limits, hours_limits

# Of the load: by how much a budget may be exceeded and still be met. 30 ms a year, more than the rounding of
# sums over all steps, which grows with the load and not with a budget, as that may be 0.
MET = 1e-9
HAIR = 2e-6  # of a budget, or of what it leaves to serve: how far inside it a plant is looked for
_ROUNDING = 4e-10  # of the size: more than the tolerances of the linear programs make of it


@dataclass(frozen=True, eq=False)
class Budgets:
    """Linear budgets of the annual totals: ``rows @ totals <= limit``.

    Totals are the energy of each of K levels, of supplies what they give and of sinks what they miss, and the
    weighted shed load of each of C classes.

    Attributes
    ----------
    cost : ndarray, shape (K + C,)
        Price of the totals in the objective; the last C entries are the value of lost compute. [USD/MWh]
    rows : ndarray, shape (budgets, K + C)
        The first C rows are the uptime budgets, each of the weighted shed load of its class alone.
    limit : ndarray, shape (budgets,)
        Infinite for a class that asks for nothing. [MWh/yr, or t/yr of what is emitted]
    size : ndarray, shape (budgets,)
        What each could be at most without sinks: the load of a class, all load, emissions of all load
        from the dirtiest supply. Rounding is in proportion to it. [as `limit`]
    classes : int
        C.
    of_units : int
        The last so many are limits on run hours: they grow with the units that are built.
    """

    cost: FloatArray
    rows: FloatArray
    limit: FloatArray
    size: FloatArray
    classes: int = 1
    of_units: int = 0

    @property
    def fixed_limit(self) -> FloatArray:
        """Part of `limit` that no unit adds to, shape (budgets,)."""
        grows = np.arange(self.limit.size) >= self.limit.size - self.of_units
        return np.where(grows, 0.0, self.limit)

    @property
    def tolerance(self) -> FloatArray:
        """By how much each budget may be exceeded and still be met, shape (budgets,)."""
        return MET * self.size

    @property
    def most(self) -> FloatArray:
        """What counts as within each budget, shape (budgets,)."""
        return self.limit + self.tolerance

    @property
    def hair(self) -> FloatArray:
        """How far inside each budget a plant is looked for, shape (budgets,)."""
        limit = np.where(np.isfinite(self.limit), self.limit, 0.0)
        return HAIR * np.minimum(np.abs(limit), np.abs(self.size - limit))

    @property
    def sought(self) -> FloatArray:
        """What a plant keeps that is a hair inside each budget, shape (budgets,): the budget itself.

        Rounding is allowed for where it is more than the hair, as with a budget of 0.
        """
        return self.limit + np.maximum(_ROUNDING * self.size - self.hair, 0.0)

    @property
    def asked(self) -> NDArray[np.bool_]:
        """Which classes have an uptime budget, shape (C,)."""
        return np.isfinite(self.limit[: self.classes])

    def of_uptime(self) -> Budgets:
        """Leave out all but the uptime budgets."""
        rows, limit, size = (item[: self.classes] for item in (self.rows, self.limit, self.size))
        return dataclasses.replace(self, rows=rows, limit=limit, size=size, of_units=0)

    def lost(self, totals: FloatArray) -> FloatArray:
        """Pick the weighted shed load of each class out of the totals, shape (C,). [MWh/yr]"""
        return totals[self.cost.size - self.classes :]


def budgets_of(case: Case, rack_lost_mwh_per_yr: float, units: Sequence[float] | None = None) -> Budgets:
    """Budgets of a case.

    Parameters
    ----------
    case : Case
    rack_lost_mwh_per_yr : float
        Part of the downtime budgets that broken racks use up; every class bears its share of it. [MWh/yr]
    units : sequence of float, optional
        Built of each backup technology, for limits on run hours; the most there may be when left out.

    Returns
    -------
    Budgets
    """
    priced, classes = case.priced, len(case.classes)
    supplied = [level for item in case.supplies for level in item.levels]
    load, unserved = case.load_mwh_per_yr, [0.0] * (priced - len(supplied) + classes)
    value = [case.lost_value_usd_per_mwh] * classes
    cost = np.array([level.usd_per_mwh for item in case.flows for level in item.levels] + value)
    rows = list(np.eye(priced + classes)[priced:])
    limit = [_allowed_mwh(case, c, rack_lost_mwh_per_yr) for c in range(classes)]
    size = [mine.share * load for mine in case.classes]
    for own, given in annual_limits(case):
        per_mwh = [own.per_mwh(level) for level in supplied]
        rows.append(np.array(per_mwh + unserved))
        limit.append(own.most(case, given))
        size.append(load * max(per_mwh))
    hours = list(hours_limits(case))
    first = np.cumsum([0, *(len(item.levels) for item in case.supplies)])
    for k, item, most_h in hours:
        row = np.zeros(priced + classes)
        row[first[k] : first[k + 1]] = 1.0
        rows.append(row)
        limit.append(most_h * item.unit_mw * (item.units_max if units is None else units[k]))
        size.append(load)
    return Budgets(cost, np.array(rows), np.array(limit), np.array(size), classes, len(hours))


def _allowed_mwh(case: Case, c: int, rack_lost_mwh_per_yr: float) -> float:
    """Most that a class may lose for want of power; a target of 0 asks for nothing. [MWh/yr]"""
    mine = case.classes[c]
    if mine.uptime_target <= 0.0:
        return np.inf
    return (1 - mine.uptime_target) * mine.share * case.load_mwh_per_yr - mine.share * rack_lost_mwh_per_yr
