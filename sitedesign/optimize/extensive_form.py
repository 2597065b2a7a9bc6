"""The hour-by-hour model: every step of every weather year in one mixed-integer program.

The readable reference and the yardstick of the fast method. One year takes HiGHS some tens of seconds.
"""

from __future__ import annotations

import dataclasses
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.common.gc_manager import PauseGC

from sitedesign.case.case import NOTHING, Case
from sitedesign.case.dispatch import Dispatch, by_flow, energy_by_level
from sitedesign.case.limits import annual_limits
from sitedesign.case.plant import Plant, imports_used, sizes_of
from sitedesign.case.plant_limits import opened
from sitedesign.case.rack_shortfall import shortfall_chords, shortfall_curve
from sitedesign.case.reserve import ReserveRule
from sitedesign.equations import (
    arrival,
    backup,
    balance,
    battery,
    cost,
    limits,
    racks,
    reserve,
    sinks,
    uptime,
)
from sitedesign.equations.variables import USD_PER_KUSD, declare_capacities, declare_operation
from sitedesign.errors import InfeasibleDesign, NotProvenOptimal, SolverFailed
from sitedesign.optimize.branch_and_bound import branch_and_bound
from sitedesign.optimize.highs import PersistentHighs, SolveReport, Status
from sitedesign.optimize.infeasibility import Minimise, Quantity, explain
from sitedesign.optimize.limit_prices import limit_prices
from sitedesign.optimize.primal_recovery import (
    annual_cost_usd,
    lost_by_class_mwh,
    lost_value_usd,
    tidy_dispatch,
    turnover_usd,
)
from sitedesign.optimize.result import OptimizationResult
from sitedesign.optimize.spare_units import with_spare_units, working_case, working_plant
from sitedesign.optimize.widening import unbound
from sitedesign.util.progress import Progress

SECONDS_A_QUESTION = 60.0  # for each limit that is freed to explain why there is no design


@contextmanager
def building() -> Iterator[None]:
    """Build a model without a word: Pyomo logs to standard output what it raises as well, also a Ctrl-C."""
    mine = threading.get_ident()

    def of_others(record: logging.LogRecord) -> bool:
        return record.thread != mine

    handlers = list(logging.getLogger("pyomo").handlers)
    for handler in handlers:
        handler.addFilter(of_others)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(of_others)


def add_capacity_model(m: pyo.ConcreteModel, case: Case, share: tuple[float, float] | None = None) -> None:
    """Add everything that does not depend on the step: capacities, counts, budgets of annual totals, cost.

    Parameters
    ----------
    m : pyomo.environ.ConcreteModel
        Empty. A master problem may start from this and bound the annual totals by cuts.
    case : Case
    share : tuple of float, optional
        Bounds of the share of the load that is there, where that is decided as well. [fraction]
    """
    curve = shortfall_curve(case.racks_contracted, case.racks_max, case.rack_availability)
    declare_capacities(m, case, shortfall_chords(curve), share)
    backup.unit_count.add(m)
    backup.unit_order.add(m)
    backup.technology_link.add(m)
    backup.lead_time.add(m)
    arrival.resource_link.add(m)
    arrival.resource_lead_time.add(m)
    arrival.battery_link.add(m)
    arrival.battery_lead_time.add(m)
    sinks.sink_link.add(m)
    racks.rack_shortfall_chord.add(m)
    uptime.uptime.add(m)
    if case.limits.land_acres is not None:
        limits.land_limit.add(m)
    if case.limits.min_duration_h is not None:
        limits.least_duration.add(m)
    if case.limits.max_duration_h is not None:
        limits.longest_duration.add(m)
    if case.reserve is not None:
        _add_reserve(m, case.reserve)
    if case.limits.most_units is not None and case.backup:
        limits.total_units.add(m)
    for own, _ in annual_limits(case):
        getattr(limits, own.equation).add(m)
    limits.run_hours.add(m)
    cost.annual_cost.add(m)


def _add_reserve(m: pyo.ConcreteModel, rule: ReserveRule) -> None:
    """Add what a reserve asks of all that is built."""
    reserve.power_for_reserve.add(m)
    if rule.battery_alone and rule.n_minus:
        reserve.battery_carries_trip.add(m)
    if rule.battery_alone and rule.load_step_mw > 0.0:
        reserve.battery_carries_step.add(m)


def build_model(case: Case) -> pyo.ConcreteModel:
    """Build the hour-by-hour model of a case.

    Parameters
    ----------
    case : Case

    Returns
    -------
    pyomo.environ.ConcreteModel
        Objective in thousand USD a year.
    """
    m = pyo.ConcreteModel(name=case.name)
    with PauseGC(), building():  # a year makes 10^5 small objects, none of which is garbage
        add_capacity_model(m, case)
        add_operation_model(m, case)
    return m


def add_operation_model(m: pyo.ConcreteModel, case: Case) -> None:
    """Add everything that depends on the step, which makes the annual totals what they are.

    Parameters
    ----------
    m : pyomo.environ.ConcreteModel
        With what :func:`add_capacity_model` adds.
    case : Case
    """
    declare_operation(m, case)
    balance.power_balance.add(m)
    battery.battery_start.add(m)
    battery.battery_energy_balance.add(m)
    battery.battery_end.add(m)
    battery.battery_energy_limit.add(m)
    battery.charge_limit.add(m)
    battery.discharge_limit.add(m)
    backup.alike_generation_limit.add(m)
    backup.differing_generation_limit.add(m)
    backup.supply_energy.add(m)
    sinks.sink_limit.add(m)
    sinks.missed_energy.add(m)
    uptime.lost_energy.add(m)


def solve_extensive(
    case: Case,
    *,
    gap: float = 1e-3,
    time_limit_s: float | None = None,
    fixed: Plant | None = None,
    progress: Progress | None = None,
    relax_integers: bool = False,
    explain_infeasible: bool = True,
    start: Plant | None = None,
) -> OptimizationResult:
    """Size the least-cost plant of a case with the hour-by-hour model, or dispatch a fixed one.

    Parameters
    ----------
    case : Case
    gap : float
        Relative gap at which the search may stop. [fraction]
    time_limit_s : float, optional
        Wall time of building and solving. [s]
    fixed : Plant, optional
        Hold these capacities; their bounds and limits are then set aside, the budgets (uptime, renewable
        share, carbon dioxide) are kept.
    progress : callable, optional
        Called with one line of text whenever the search has news.
    relax_integers : bool
        Solve the linear relaxation. Objective and bound are those of the relaxation; counts of the plant are
        rounded up.
    explain_infeasible : bool
        Look for the limits that bind when there is no design (this takes several more solves).
    start : Plant, optional
        Its whole numbers are tried first, so that a design is known early; the bound owes it nothing.

    Returns
    -------
    OptimizationResult
        With the dispatch. `stopped_by` says whether the gap was reached.

    Raises
    ------
    InfeasibleDesign
        When no plant meets the case; says what binds.
    NotProvenOptimal
        When a limit came before the first design; carries the bound.
    """
    if case.limits.n_plus:
        found = solve_extensive(
            working_case(case),
            gap=gap,
            time_limit_s=time_limit_s,
            fixed=None if fixed is None else working_plant(case, fixed),
            progress=progress,
            relax_integers=relax_integers,
            explain_infeasible=explain_infeasible,
            start=None if start is None else working_plant(case, start),
        )
        return with_spare_units(case, found)
    end = math.inf if time_limit_s is None else time.perf_counter() + time_limit_s
    if fixed is not None:
        case = _holding(case, fixed)

    def size(bounded: Case, known: Plant | None) -> OptimizationResult:
        left = None if time_limit_s is None else max(end - time.perf_counter(), 0.0)
        first = (known or start) if fixed is None else None
        return _size(bounded, gap, left, fixed, progress, relax_integers=relax_integers, start=first)

    try:
        return unbound(case, size)
    except InfeasibleDesign:
        if not explain_infeasible:
            raise
        raise explain(opened(case), _oracle(fixed, end), plant=fixed) from None


def _size(
    case: Case,
    gap: float,
    time_limit_s: float | None,
    fixed: Plant | None,
    progress: Progress | None,
    *,
    relax_integers: bool,
    start: Plant | None,
) -> OptimizationResult:
    """Solve the model of a case with its bounds as they stand."""
    began = time.perf_counter()
    m = build_model(case)
    if fixed is not None:
        _fix(m, fixed)
    solver = PersistentHighs(m, interruptible=True)
    left = None if time_limit_s is None else max(time_limit_s - (time.perf_counter() - began), 0.0)
    if relax_integers:
        solver.relax_integers()
        report = solver.solve(gap=gap, time_limit_s=left)
    else:
        news = None if progress is None else _teller(progress)
        first = None if start is None else whole_numbers(m, case, start)
        report = branch_and_bound(
            solver, importance(m), gap=gap, time_limit_s=left, news=news, first=first
        ).report
    _raise_without_design(report)

    plant, dispatch = _read(case, m, solver)
    energy = energy_by_level(case, dispatch)
    lost = lost_by_class_mwh(case, dispatch)
    value = lost_value_usd(case, plant, sum(lost))
    objective = report.objective * USD_PER_KUSD
    if not relax_integers:
        objective = annual_cost_usd(case, plant, energy, sum(lost))
    asked = [solver.dual(m.uptime[c]) if c in m.uptime else 0.0 for c in m.load_class]
    prices = tuple(max(0.0, -dual * USD_PER_KUSD) for dual in asked)
    return OptimizationResult(
        plant=plant,
        objective_usd_per_yr=objective,
        bound_usd_per_yr=min(report.bound * USD_PER_KUSD, objective),
        backup_mwh_per_yr=tuple(map(sum, by_flow(case, energy)[: len(case.backup)])),
        lost_mwh_per_yr=sum(lost),
        method="extensive",
        stopped_by="gap" if report.status is Status.OPTIMAL else "time_limit",
        seconds=time.perf_counter() - began,
        uptime_price_usd_per_mwh=max(prices),
        uptime_prices=prices,
        limit_prices=limit_prices(m, solver, case),
        lost_by_class_mwh_per_yr=lost,
        lost_value_usd_per_yr=value,
        dispatch=dispatch,
        level_mwh_per_yr=energy,
        turnover_usd_per_yr=turnover_usd(case, energy),
    )


# ---------------------------------------------------------------------- inside


def _holding(case: Case, plant: Plant) -> Case:
    """Open the limits of the capacities, so that any plant can be dispatched; budgets stay."""

    def opened(items: tuple[Any, ...], counts: tuple[float, ...]) -> tuple[Any, ...]:
        return tuple(
            dataclasses.replace(item, units_min=0, units_max=max(item.units_max, n))
            for item, n in zip(items, counts, strict=True)
        )

    sizes = sizes_of(case, plant)
    case = case.with_bounds({s.name: (0.0, max(sizes[s.name], s.upper)) for s in case.sizes})
    resources = tuple(dataclasses.replace(r, widest_mw=None) for r in case.resources)
    wide = dataclasses.replace(
        case.limits,
        land_acres=None,
        min_duration_h=None,
        max_duration_h=None,
        months_to_power=None,
        widest=None,
    )
    most = max(plant.racks, case.racks_max)
    return dataclasses.replace(
        case,
        resources=resources,
        backup=opened(case.backup, plant.units),
        imports=opened(case.imports, plant.imports),
        sinks=opened(case.sinks, plant.sinks),
        limits=wide,
        racks_max=most,
        reserve=None,
    )


def _fix(m: pyo.ConcreteModel, plant: Plant) -> None:
    for r, mw in zip(m.resource, plant.resources_mw, strict=True):
        m.resource_mw[r].fix(mw)
    m.battery_mwh.fix(plant.battery_mwh)
    m.battery_mw.fix(plant.battery_mw)
    m.racks.fix(plant.racks)
    for variable, units in zip((*m.units.values(), *m.sink_units.values()), plant.counts, strict=True):
        variable.fix(units)


def importance(m: pyo.ConcreteModel) -> pyo.ComponentMap:
    """Integer variables with what one step of each costs. [thousand USD/yr].

    What is built at all, 0 or 1, is left out where that costs nothing: a fraction of it can then be rounded
    up for nothing, and no branch is spent on it.
    """
    weights = pyo.ComponentMap()
    delay = pyo.value(m.delay_cost)
    for k in m.technology:
        if m.units[k].is_integer():
            weights[m.units[k]] = pyo.value(m.unit_cost[k])
        weights[m.technology_used[k]] = delay * pyo.value(m.lead_months[k]) + pyo.value(m.site_cost[k])
        if m.component("battery_carries_trip") is not None and k in m.tripping_technology:
            carried = pyo.value(m.tripped_units) * pyo.value(m.unit_mw[k])
            weights[m.technology_used[k]] += carried * pyo.value(m.battery_power_cost)
    for k, i in m.unit:
        weights[m.unit_built[k, i]] = pyo.value(m.unit_cost[k])
    for s in m.sink:
        if m.sink_units[s].is_integer():
            weights[m.sink_units[s]] = pyo.value(m.sink_cost[s])
    weights[m.racks] = pyo.value(m.rack_cost)
    for r in m.resource:
        weights[m.resource_built[r]] = delay * pyo.value(m.resource_lead_months[r])
    weights[m.battery_built] = delay * pyo.value(m.battery_lead_months)
    for variable in (*m.technology_used.values(), *m.resource_built.values(), m.battery_built):
        if weights[variable] <= 0.0:
            del weights[variable]
    return weights


def whole_numbers(m: pyo.ConcreteModel, case: Case, plant: Plant) -> pyo.ComponentMap:
    """Values of all integer variables in a plant."""
    values = pyo.ComponentMap()
    there = (*(n > 0 for n in plant.units), *imports_used(case, plant))
    for k, count, used in zip(m.technology, plant.counts, there, strict=False):
        values[m.units[k]] = count
        values[m.technology_used[k]] = float(used)
    for k, i in m.unit:
        values[m.unit_built[k, i]] = float(i < values[m.units[k]])
    for variable, size in zip(m.sink_units.values(), plant.sinks, strict=True):
        values[variable] = size
    values[m.racks] = plant.racks
    for variable, mw in zip(m.resource_built.values(), plant.resources_mw, strict=True):
        values[variable] = float(mw > NOTHING)
    values[m.battery_built] = float(plant.battery_mwh > NOTHING)
    return values


def _teller(progress: Progress) -> Callable[[float, float, float], None]:
    def tell(seconds: float, incumbent: float, bound: float) -> None:
        best = "no design yet" if math.isinf(incumbent) else f"best {incumbent / 1e3:,.3f} M USD/yr"
        proven = "no bound yet" if math.isinf(bound) else f"bound {bound / 1e3:,.3f} M USD/yr"
        progress(f"{seconds:.0f} s: {best}, {proven}")

    return tell


def _oracle(fixed: Plant | None, deadline: float) -> Minimise:
    """Build the oracle of :func:`explain`: a minute for each question, the time left for all of them."""

    def minimise(case: Case, quantity: Quantity) -> float | None:
        left = min(SECONDS_A_QUESTION, deadline - time.perf_counter())
        if left <= 0:
            raise TimeoutError
        return minimise_extensive(case, quantity, fixed=fixed, time_limit_s=left)

    return minimise


def _raise_without_design(report: SolveReport) -> None:
    if report.status is Status.INFEASIBLE:
        reason = "no plant within the limits meets the budgets."
        raise InfeasibleDesign(reason)
    if not report.has_incumbent:
        bound = report.bound * USD_PER_KUSD
        message = (
            f"The hour-by-hour model found no design within its limit ({report.status.value}, "
            f"{report.seconds:.0f} s); no design costs less than {bound / 1e6:,.2f} M USD/yr. "
            "Allow more time, fewer weather years, or use the method of cuts."
        )
        raise NotProvenOptimal(message, None, bound)


def minimise_extensive(
    case: Case, quantity: Quantity, *, fixed: Plant | None = None, time_limit_s: float | None = None
) -> float | None:
    """Find the least value of a quantity in any design of a case; None when there is no design.

    Parameters
    ----------
    case : Case
        With the limit in question freed.
    quantity : Quantity
        What to minimise.
    fixed : Plant, optional
        Capacities to hold.
    time_limit_s : float, optional
        When it ends the search, the best value so far is returned: enough, but perhaps not the least. [s]

    Returns
    -------
    float or None
        In the unit of the quantity.

    Raises
    ------
    TimeoutError
        When the limit came before the first design, or the solver broke down.
    """
    m = build_model(case)
    if fixed is not None:
        _fix(m, fixed)
    m.annual_cost.deactivate()
    m.least = pyo.Objective(expr=expression_of(m, quantity), sense=pyo.minimize)
    solver = PersistentHighs(m, interruptible=True)
    try:
        result = branch_and_bound(solver, importance(m), gap=1e-4, time_limit_s=time_limit_s).report
    except SolverFailed as error:
        raise TimeoutError from error
    if not result.has_incumbent and result.status is not Status.INFEASIBLE:
        raise TimeoutError
    return result.objective if result.has_incumbent else None


def expression_of(m: pyo.ConcreteModel, quantity: Quantity) -> Any:  # noqa: ANN401
    """Pyomo expression of a quantity."""
    resources = {f"{r}_mw": m.resource_mw[r] for r in m.resource}
    if quantity.name in resources:
        return resources[quantity.name]
    expressions = {
        "battery_mwh": lambda: m.battery_mwh,
        "battery_mw": lambda: m.battery_mw,
        "land_acres": lambda: sum(m.resource_acres_per_mw[r] * m.resource_mw[r] for r in m.resource),
        "units": lambda: m.units[quantity.technology],
        "lost_mwh_per_yr": lambda: _lost_expression(m, quantity.load_class),
        "technology_mwh_per_yr": lambda: sum(
            m.energy_mwh_per_yr[k, i] for k, i in m.supply_level if k == quantity.technology
        ),
        "backup_mwh_per_yr": lambda: sum(m.energy_mwh_per_yr.values()),
    }
    if quantity.name in expressions:
        return expressions[quantity.name]()
    per_mwh = m.find_component(quantity.name.removesuffix("_per_yr") + "_per_mwh")  # tonnes of something
    if per_mwh is None:
        message = f"no such quantity: {quantity.name}"
        raise ValueError(message)
    return sum(per_mwh[key] * m.energy_mwh_per_yr[key] for key in m.supply_level)


def _lost_expression(m: pyo.ConcreteModel, load_class: str) -> Any:  # noqa: ANN401
    """Shed load and rack shortfall, of one class or of the only one."""
    c = load_class or m.load_class.first()
    return m.lost_mwh_per_yr[c] + m.load_share[c] * m.rack_lost_mwh_per_yr


def _read(case: Case, m: pyo.ConcreteModel, solver: PersistentHighs) -> tuple[Plant, Dispatch]:
    """Plant and dispatch of the incumbent."""

    def size(variable: Any) -> float:  # noqa: ANN401
        return max(solver.value(variable), 0.0) + 0.0  # not -0.0

    counts = [
        math.ceil(n - 1e-6) if item.whole else max(n, 0.0) + 0.0
        for item, n in zip(
            case.flows, [*solver.values(m.units).tolist(), *solver.values(m.sink_units).tolist()], strict=True
        )
    ]
    ends = len(case.backup), len(case.supplies)
    plant = Plant(
        resources_mw=tuple(size(mw) for mw in m.resource_mw.values()),
        battery_mwh=size(m.battery_mwh),
        battery_mw=size(m.battery_mw),
        units=tuple(map(int, counts[: ends[0]])),
        racks=math.ceil(solver.value(m.racks) - 1e-6),
        imports=tuple(counts[ends[0] : ends[1]]),
        sinks=tuple(counts[ends[1] :]),
    )
    generated = solver.values(m.supply_mw).reshape(len(case.supplies), case.steps).clip(min=0.0)
    taken = solver.values(m.taken_mw).reshape(len(case.sinks), case.steps).clip(min=0.0)
    by_tier = solver.values(m.shed_mw).reshape(len(case.tiers), case.steps).clip(min=0.0)
    shed = np.zeros((len(case.classes), case.steps))
    np.add.at(shed, [tier.load_class for tier in case.tiers], by_tier)
    return plant, tidy_dispatch(case, plant, generated, shed, taken)
