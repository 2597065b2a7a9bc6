"""Operation of a fixed plant by somebody who knows the future: the least cost, exactly."""

from __future__ import annotations

import dataclasses

import numpy as np

from sitedesign.case.case import Case
from sitedesign.case.dispatch import Dispatch
from sitedesign.case.plant import Plant
from sitedesign.case.rack_shortfall import expected_shortfall
from sitedesign.errors import InfeasibleDesign
from sitedesign.optimize.annual_budgets import budgets_of
from sitedesign.optimize.dispatch_oracle import NoDispatch, Oracle, Point, PricePath, Run
from sitedesign.optimize.lagrangian import Operation, PriceSearch

__all__ = ["NoDispatch", "Oracle", "Point", "PricePath", "Run", "foresight", "mixed_dispatch"]


def foresight(case: Case, plant: Plant) -> Dispatch:
    """Least-cost operation that meets the uptime budgets if the plant can, else the least weighted shedding.

    With several classes that is the least of all classes together, whichever budget is missed.

    Parameters
    ----------
    case : Case
    plant : Plant

    Returns
    -------
    Dispatch
        Battery full at the start and at the end.

    Raises
    ------
    InfeasibleDesign
        When the battery cannot be full again at the end.
    """
    oracle = Oracle(case)
    shortfall = float(expected_shortfall(case.racks_contracted, plant.racks, case.rack_availability))
    budgets = budgets_of(case, shortfall * case.load_mwh_per_yr).of_uptime()
    point, search = oracle.point(plant), PriceSearch(oracle)
    operation = search.operate(point, budgets)
    if budgets.classes > 1 and not operation.feasible:
        operation = search.least_shed(point, budgets)
    if not operation.mixture:
        message = "the battery cannot be full again at the end: usable energy grows more than can be charged"
        raise InfeasibleDesign(message)
    return mixed_dispatch(oracle, point, operation)


def mixed_dispatch(oracle: Oracle, point: Point, operation: Operation) -> Dispatch:
    """Dispatch of an operation: a mixture of feasible dispatches is feasible and meets the budgets exactly.

    Parameters
    ----------
    oracle : Oracle
    point : Point
    operation : Operation
        With a mixture.

    Returns
    -------
    Dispatch
    """
    parts = [(oracle.dispatch(point, order), share) for order, share in operation.mixture]
    if len(parts) == 1:
        return parts[0][0]
    fields = [
        item.name for item in dataclasses.fields(Dispatch) if getattr(parts[0][0], item.name) is not None
    ]
    return Dispatch(
        **{name: np.sum([getattr(d, name) * share for d, share in parts], axis=0) for name in fields}
    )
