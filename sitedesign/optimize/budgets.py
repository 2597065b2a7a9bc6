"""The budgets of a case as rows over the annual totals, and what those totals cost."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sitedesign.case import Case, FloatArray


@dataclass(frozen=True, eq=False)
class Budgets:
    """Linear budgets of the annual totals: ``rows @ totals <= limit``.

    Totals are the energy of each of K technologies and the weighted shed load of each of C classes.

    Attributes
    ----------
    cost : ndarray, shape (K + C,)
        Price of the totals in the objective; the last C entries are the value of lost compute. [USD/MWh]
    rows : ndarray, shape (budgets, K + C)
        The first C rows are the uptime budgets, each of the weighted shed load of its class alone.
    limit : ndarray, shape (budgets,)
        Infinite for a class that asks for nothing. [MWh/yr, or t/yr for carbon dioxide]
    classes : int
        C.
    """

    cost: FloatArray
    rows: FloatArray
    limit: FloatArray
    classes: int = 1

    @property
    def asked(self) -> NDArray[np.bool_]:
        """Which classes have an uptime budget, shape (C,)."""
        return np.isfinite(self.limit[: self.classes])

    def of_uptime(self) -> Budgets:
        """Leave out all but the uptime budgets."""
        return dataclasses.replace(self, rows=self.rows[: self.classes], limit=self.limit[: self.classes])

    def lost(self, totals: FloatArray) -> FloatArray:
        """Pick the weighted shed load of each class out of the totals, shape (C,). [MWh/yr]"""
        return totals[self.cost.size - self.classes :]


def budgets_of(case: Case, rack_lost_mwh_per_yr: float) -> Budgets:
    """Budgets of a case.

    Parameters
    ----------
    case : Case
    rack_lost_mwh_per_yr : float
        Part of the downtime budgets that broken racks use up; every class bears its share of it. [MWh/yr]

    Returns
    -------
    Budgets
    """
    technologies, classes = len(case.backup), len(case.classes)
    load, shed = case.load_mwh_per_yr, [0.0] * classes
    value = [case.lost_value_usd_per_mwh] * classes
    cost = np.array([item.marginal_cost_usd_per_mwh for item in case.backup] + value)
    rows = list(np.eye(technologies + classes)[technologies:])
    limit = [_allowed_mwh(case, c, rack_lost_mwh_per_yr) for c in range(classes)]
    if case.limits.min_renewable_share is not None and technologies:
        rows.append(np.array([1.0] * technologies + shed))
        limit.append((1 - case.limits.min_renewable_share) * load)
    if case.limits.max_co2_t_per_yr is not None and technologies:
        rows.append(np.array([item.co2_t_per_mwh for item in case.backup] + shed))
        limit.append(case.limits.max_co2_t_per_yr)
    return Budgets(cost, np.array(rows), np.array(limit), classes)


def _allowed_mwh(case: Case, c: int, rack_lost_mwh_per_yr: float) -> float:
    """Most that a class may lose for want of power; a target of 0 asks for nothing. [MWh/yr]"""
    mine = case.classes[c]
    if mine.uptime_target <= 0.0:
        return np.inf
    return (1 - mine.uptime_target) * mine.share * case.load_mwh_per_yr - mine.share * rack_lost_mwh_per_yr
