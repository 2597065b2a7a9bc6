"""Operation of a fixed plant by somebody who knows the future: the least cost, exactly."""

from __future__ import annotations

import dataclasses

import numpy as np

from sitedesign.case.case import Case
from sitedesign.case.dispatch import Dispatch, appetite_mwh
from sitedesign.case.plant import Plant
from sitedesign.case.rack_shortfall import expected_shortfall
from sitedesign.errors import InfeasibleDesign
from sitedesign.optimize.annual_budgets import budgets_of
from sitedesign.optimize.dispatch_oracle import NoDispatch, Oracle, Point, PricePath, Run
from sitedesign.optimize.lagrangian import Operation, PriceSearch
from sitedesign.optimize.primal_recovery import annual_cost_usd

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


def least_cost_usd(case: Case, plant: Plant, search: PriceSearch) -> float:
    """Cost of a plant of a case without budgets, run by somebody who knows the future. [USD/yr]

    Parameters
    ----------
    case : Case
        Where no class and no limit asks for anything: prices alone decide.
    plant : Plant
    search : PriceSearch
        Of the data of the case.

    Raises
    ------
    InfeasibleDesign
        When the battery cannot be full again at the end.
    """
    operation = search.operate(search.oracle.point(plant), budgets_of(case, 0.0))
    if not operation.mixture:
        message = "the battery cannot be full again at the end: usable energy grows more than can be charged"
        raise InfeasibleDesign(message)
    sinks = zip(case.sinks, plant.sinks, strict=True)
    wished = [n * mwh for sink, n in sinks for mwh in appetite_mwh(case, sink)]
    nothing = [0.0] * (case.priced - len(wished))
    # What sinks miss is among the cost of the operation
    return annual_cost_usd(case, plant, (*nothing, *wished), 0.0) + operation.cost_usd_per_yr


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
