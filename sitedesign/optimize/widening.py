"""Derived upper bounds must not decide: proof that they cost nothing, or the question again with wider ones.

Every part of the objective is at least 0 but what sinks pay, which has a most. A plant that is cheaper than
one already known has at most as large an array, and as large a battery, as the whole cost of the known plant
and all that sinks can pay would buy. Derived bounds that
allow so much leave out nothing better. Where they allow less they are widened to that, and where no plant is
found within them, to whatever the user allows.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

from sitedesign.case.case import Case
from sitedesign.case.dispatch import appetite_mwh
from sitedesign.case.plant import Plant, sizes_of, slowest_lead
from sitedesign.case.plant_limits import derived_sizes, opened, with_upper
from sitedesign.errors import InfeasibleDesign, NotProvenOptimal
from sitedesign.optimize.result import OptimizationResult

Solve = Callable[[Case, Plant | None], OptimizationResult]

_ROUNDING = 1e-9


def unbound(case: Case, solve: Solve) -> OptimizationResult:
    """Solve a case so that its derived bounds have cost nothing.

    Parameters
    ----------
    case : Case
    solve : callable
        ``solve(case, known)`` sizes a case with the bounds as they stand; `known` is a plant to start from.

    Returns
    -------
    OptimizationResult
        Its bound holds for every plant that the user allows.

    Raises
    ------
    InfeasibleDesign, NotProvenOptimal
        As `solve` does, of all that the user allows.
    """
    floors = _least_usd_per_unit(case)
    try:
        first = solve(case, None)
    except InfeasibleDesign:
        if not derived_sizes(case):
            raise
        first = _sized_openly(case, solve)
        if case.delay_cost_usd_per_month_yr == 0.0:
            return first
    except NotProvenOptimal as stop:
        bound = min(stop.bound_usd_per_yr, _outside(case, floors))
        raise NotProvenOptimal(stop.message, stop.incumbent, bound) from None
    wider = _affordable(case, floors, first.objective_usd_per_yr)
    if wider is None:
        return first
    try:
        second = solve(wider, first.plant)
    except NotProvenOptimal:  # a time limit: what is known, with what is proven of plants outside the bounds
        bound = min(first.bound_usd_per_yr, _outside(case, floors))
        return dataclasses.replace(first, bound_usd_per_yr=bound, stopped_by="time_limit")
    return dataclasses.replace(
        second,
        bound_usd_per_yr=min(second.bound_usd_per_yr, _outside(wider, floors)),
        seconds=first.seconds + second.seconds,
        iterations=first.iterations + second.iterations,
    )


def _least_usd_per_unit(case: Case) -> dict[str, float]:
    """Least that one MW or MWh of each size costs in any plant, with what it cannot be without."""
    energy, power = case.battery_cost_usd_per_mwh_yr, case.battery_cost_usd_per_mw_yr
    shortest, longest = case.limits.min_duration_h or 0.0, case.limits.max_duration_h
    return {
        **{r.size_name: r.annual_cost_usd_per_mw for r in case.resources},
        "battery_mwh": energy + (power / longest if longest else 0.0),
        "battery_mw": power + shortest * energy,
        **{f"{item.name}_mw": item.annual_cost_usd_per_unit for item in case.imports},
    }


def _outside(case: Case, floors: dict[str, float]) -> float:
    """Least cost of a plant beyond a derived bound. [USD/yr]"""
    least = min((floors[size.name] * size.upper for size in derived_sizes(case)), default=math.inf)
    return least - _most_revenue_usd(case)


def _most_revenue_usd(case: Case) -> float:
    """Most that the sinks of a case can pay, beyond what they cost. [USD/yr]"""
    paid = 0.0
    for sink in case.sinks:
        values = zip(sink.levels, appetite_mwh(case, sink), strict=True)
        unit = sum(level.usd_per_mwh * mwh for level, mwh in values) - sink.annual_cost_usd_per_unit
        paid += max(unit * sink.units_min, unit * sink.units_max)
    return paid


def _affordable(case: Case, floors: dict[str, float], cost_usd_per_yr: float) -> Case | None:
    """Widen the derived bounds to what so much money buys; None when they allow it already."""
    wider = {}
    for size in derived_sizes(case):
        money = cost_usd_per_yr + _most_revenue_usd(case)
        bought = money / floors[size.name] if floors[size.name] > 0.0 else math.inf
        if bought > size.upper * (1 + _ROUNDING):
            wider[size.name] = min(bought, size.most)
    return with_upper(case, wider) if wider else None


def _sized_openly(case: Case, solve: Solve) -> OptimizationResult:
    """Size a case with all that the user allows; months are added for the plant, not weighed against others.

    Without bounds there is no telling by linear equations whether an array is built.
    """
    found = solve(dataclasses.replace(opened(case), delay_cost_usd_per_month_yr=0.0), None)
    delay = case.delay_cost_usd_per_month_yr * slowest_lead(case, found.plant)[0]
    return dataclasses.replace(found, objective_usd_per_yr=found.objective_usd_per_yr + delay)


def including(case: Case, plant: Plant | None) -> Case:
    """Widen derived bounds to hold a plant, as far as the user allows it."""
    if plant is None:
        return case
    imports = zip(case.imports, plant.imports, strict=True)
    known = sizes_of(case, plant) | {f"{item.name}_mw": mw for item, mw in imports}
    upper = {size.name: max(min(known[size.name], size.most), size.upper) for size in derived_sizes(case)}
    return with_upper(case, upper)
