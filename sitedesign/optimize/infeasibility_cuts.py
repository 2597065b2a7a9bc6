"""The least value of one quantity in any design: what an explanation of an impossible request asks for."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence

import numpy as np

from sitedesign.case.case import Case
from sitedesign.errors import InfeasibleDesign, SolverFailed
from sitedesign.optimize.annual_budgets import MET, Budgets, budgets_of
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.optimize.infeasibility import Quantity, energy_weights, explain
from sitedesign.optimize.master_problem import MasterModel, MasterStopped, Proposal

_SLACK = 1e-6  # by how much a budget may be exceeded here: far less than a relaxation is rounded
_MOST_ROUNDS = 400


def minimise_cuts(
    case: Case, quantity: Quantity, *, pool: CutPool | None = None, time_limit_s: float = 60.0
) -> float | None:
    """Find the least value of a quantity in any design of a case; None when there is no design.

    Parameters
    ----------
    case : Case
        With the limit in question freed.
    quantity : Quantity
        What to minimise.
    pool : CutPool, optional
        Cuts to start from; used when they belong to the same data.
    time_limit_s : float
        [s]

    Returns
    -------
    float or None
        In the unit of the quantity.

    Raises
    ------
    TimeoutError
        When no answer is found in time.
    """
    end = time.perf_counter() + time_limit_s
    pool = pool if pool is not None and pool.fits(case) else CutPool(case)
    model = MasterModel(case, pool)
    model.minimise(quantity)
    for whole in (False, True):
        for _ in range(_MOST_ROUNDS):
            try:
                proposal = model.propose(whole=whole, gap=1e-6, time_limit_s=end - time.perf_counter())
            except (MasterStopped, SolverFailed) as stop:
                raise TimeoutError from stop
            if proposal is None:
                return None
            units = pool.search.oracle.counts(proposal.point)
            budgets = _budgets_with(case, quantity, proposal, units)
            operation = pool.search.operate(proposal.point, budgets, likely=False)
            news = [pool.add(cut) for cut in operation.cuts]
            if operation.feasible or all(number is None for number in news):
                break
            if time.perf_counter() > end:
                raise TimeoutError
        else:
            raise TimeoutError
    return model.least


def explained(case: Case, pool: CutPool, time_limit_s: float = 300.0) -> InfeasibleDesign:
    """Say what binds in an infeasible case, with the fast method.

    Parameters
    ----------
    case : Case
    pool : CutPool
        Cuts that are known already.
    time_limit_s : float
        For all questions together. [s]

    Returns
    -------
    InfeasibleDesign
        To be raised by the caller.
    """
    end = time.perf_counter() + time_limit_s

    def minimise(freed: Case, quantity: Quantity) -> float | None:
        left = end - time.perf_counter()
        if left <= 0.0:
            raise TimeoutError
        return minimise_cuts(freed, quantity, pool=pool, time_limit_s=min(left, 60.0))

    return explain(case, minimise)


def _budgets_with(case: Case, quantity: Quantity, proposal: Proposal, units: Sequence[float]) -> Budgets:
    """Budgets of the case, a hair relaxed, and the total that the master promises as one more."""
    budgets = budgets_of(case, proposal.rack_lost_mwh_per_yr, units)
    rows, limit, size = budgets.rows, budgets.limit.copy(), budgets.size
    if quantity.name == "lost_mwh_per_yr":
        names = [c.name for c in case.classes]
        c = names.index(quantity.load_class) if quantity.load_class else 0
        limit[c] = min(limit[c], float(budgets.lost(proposal.totals)[c]))
    elif (given := energy_weights(case, quantity)) is not None and case.supplies:
        weights = np.zeros(budgets.cost.size)
        weights[: len(given)] = given
        rows, limit = np.vstack([rows, weights]), np.append(limit, float(weights @ proposal.totals))
        size = np.append(size, case.load_mwh_per_yr * float(weights.max()))
    return dataclasses.replace(
        budgets, rows=rows, limit=limit + _SLACK * np.abs(limit) + MET * size, size=size
    )
