"""What uptime is worth buying: the plant at which a delivered rack-hour of the whole project costs least.

The ratio (project cost) / (rack-hours delivered) is minimised by Dinkelbach's method: for a price on lost
compute, the least of plant cost plus lost compute is an exact problem of the optimiser; the price is then set
to the ratio of its answer, until it stays. Cuts hold for every price, so each further round is cheap.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sitedesign.case.case import Case
from sitedesign.case.rack_shortfall import expected_shortfall
from sitedesign.finance import annual_cost
from sitedesign.optimize import parametric
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.optimize.result import OptimizationResult
from sitedesign.results.compute_cost import ComputeCost, ComputeCostPoint
from sitedesign.util.deadline import Deadline
from sitedesign.util.progress import Progress, silent

CURVE_TARGETS = (0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999)
_GAP_FACTOR = 0.3  # of the inner gap, once the price has settled
_ROUNDING = 1e-6  # by how much a bound may seem to exceed the ratio
_MAX_ITERATIONS = 30  # convergence is faster than linear: three or four are usual


@dataclass(frozen=True, eq=False)
class CheapestCompute:
    """Answer to "what uptime is worth buying?".

    Attributes
    ----------
    case : Case
        With the price on lost compute at which `sizing` is the optimum.
    sizing : OptimizationResult
    uptime : float
        That the optimiser chose. [fraction]
    cost : ComputeCost
        Of a delivered rack-hour, with its bound and the curve against uptime.
    """

    case: Case
    sizing: OptimizationResult
    uptime: float
    cost: ComputeCost

    @property
    def plant_cost_usd_per_yr(self) -> float:
        """Cost of the plant and the spare racks. [USD/yr]"""
        return plant_cost_usd_per_yr(self.sizing)

    @property
    def plant_bound_usd_per_yr(self) -> float:
        """No plant that loses no more compute costs less. [USD/yr]"""
        return self.sizing.bound_usd_per_yr - self.sizing.lost_value_usd_per_yr


def cheapest_compute(
    case: Case,
    sunk_usd_per_yr: float,
    *,
    lost_compute_usd_per_rack_h: float | None = None,
    gap: float = 1e-4,
    time_limit_s: float | None = None,
    targets: Sequence[float] = CURVE_TARGETS,
    progress: Progress | None = None,
) -> CheapestCompute:
    """Find the plant at which delivered compute costs least, and the uptime that goes with it.

    Parameters
    ----------
    case : Case
        With one class of load and no price on lost compute; its `uptime_target` is a floor.
    sunk_usd_per_yr : float
        What the project costs beside what the optimiser decides: contracted racks, hall, staff. [USD/yr]
    lost_compute_usd_per_rack_h : float, optional
        Price of lost compute; then plant and lost compute together cost least, in one solve. [USD/rack-h]
    gap : float
        Relative gap, of the rack-hour's cost and of each solve. [fraction]
    time_limit_s : float, optional
        For all of it but the curve. [s]
    targets : sequence of float
        Uptimes of the curve. [fraction]
    progress : callable, optional
        Called with one line of text now and then.

    Returns
    -------
    CheapestCompute
        `sizing.stopped_by` is ``iteration_limit`` when the ratio has not settled within the gap.

    Raises
    ------
    InfeasibleDesign
        When no plant keeps the floor within the limits.
    NotProvenOptimal
        When the time limit comes before any design.
    """
    problem = _PricedProblem(
        case, sunk_usd_per_yr, CutPool(case), Deadline.after(time_limit_s), progress or silent
    )
    if lost_compute_usd_per_rack_h is None:
        found = _dinkelbach(problem, gap)
    else:
        found = problem.solve(lost_compute_usd_per_rack_h, None, gap)
    problem.progress("cost of compute against uptime")
    uptime = _uptime(case, found.sizing)
    cost = ComputeCost(
        usd_per_rack_h=found.usd_per_rack_h,
        bound_usd_per_rack_h=found.bound_usd_per_rack_h,
        uptime=uptime,
        lost_compute_usd_per_rack_h=found.price_usd_per_rack_h,
        curve=_curve(case, sunk_usd_per_yr, targets, gap, problem.pool),
    )
    return CheapestCompute(found.case, found.sizing, uptime, cost)


@dataclass(frozen=True, eq=False)
class _Priced:
    """Optimum at one price of lost compute, the ratio of its plant, and a bound of all ratios where known."""

    price_usd_per_rack_h: float
    case: Case
    sizing: OptimizationResult
    usd_per_rack_h: float
    bound_usd_per_rack_h: float | None = None


@dataclass(frozen=True, eq=False)
class _PricedProblem:
    """Least cost of plant and lost compute, at any price of the latter; cuts found for one serve all."""

    case: Case
    sunk_usd_per_yr: float
    pool: CutPool
    deadline: Deadline
    progress: Progress

    def solve(self, price_usd_per_rack_h: float, warm: OptimizationResult | None, gap: float) -> _Priced:
        priced = with_lost_compute(self.case, price_usd_per_rack_h)
        sizing = solve_cuts(
            priced,
            gap=gap,
            time_limit_s=self.deadline.remaining_s,
            warm_start=None if warm is None else warm.plant,
            cut_pool=self.pool,
            progress=self.progress,
        )
        return _Priced(price_usd_per_rack_h, priced, sizing, _ratio(self.case, sizing, self.sunk_usd_per_yr))


def _dinkelbach(problem: _PricedProblem, gap: float) -> _Priced:
    """Set the price to the ratio of the answer until it stays; gives the last price with the best plant."""
    case, sunk = problem.case, problem.sunk_usd_per_yr
    price = sunk / _contracted_rack_h(case)  # nothing costs less: all delivered, by a free plant
    best: _Priced | None = None
    bound, ratio, inner_gap, stopped_by = price, math.inf, gap, "iteration_limit"
    for iteration in range(1, _MAX_ITERATIONS + 1):
        found = problem.solve(price, None if best is None else best.sizing, inner_gap)
        bound = max(bound, _ratio_bound(case, found.sizing, price, sunk))
        if best is None or found.usd_per_rack_h < ratio:
            best, ratio = found, found.usd_per_rack_h
        problem.progress(f"round {iteration}: {found.usd_per_rack_h:,.4f} USD/rack-h, bound {bound:,.4f}")
        settled = ratio - bound <= gap * ratio
        if iteration == _MAX_ITERATIONS:
            break
        if settled or found.sizing.stopped_by != "gap":
            stopped_by = "gap" if settled else found.sizing.stopped_by
            break
        if ratio == price:
            inner_gap *= _GAP_FACTOR  # its own gap is what remains
        price = ratio if math.isfinite(ratio) else 2 * price
    assert best is not None  # the loop runs at least once
    if bound > ratio * (1 + _ROUNDING):
        message = f"bound {bound} above the ratio {ratio}: a fault of the optimiser"
        raise AssertionError(message)
    return replace(
        best,
        price_usd_per_rack_h=price,
        sizing=replace(best.sizing, stopped_by=stopped_by),
        bound_usd_per_rack_h=min(bound, ratio),
    )


def with_lost_compute(case: Case, usd_per_rack_h: float) -> Case:
    """Price lost compute; with one class a weighted MWh lost is the same share of the rack-hours."""
    per_mwh = usd_per_rack_h * _contracted_rack_h(case) / case.load_mwh_per_yr
    return replace(case, lost_value_usd_per_mwh=per_mwh)


def delivered_rack_h_per_yr(case: Case, sizing: OptimizationResult) -> float:
    """Rack-hours at full throughput that a sizing delivers, failures of racks included. [1/yr]"""
    return _contracted_rack_h(case) * _uptime(case, sizing)


def plant_cost_usd_per_yr(sizing: OptimizationResult) -> float:
    """Cost of plant and spare racks, the value of lost compute left out. [USD/yr]"""
    return sizing.objective_usd_per_yr - sizing.lost_value_usd_per_yr


def _contracted_rack_h(case: Case) -> float:
    return case.racks_contracted * float(annual_cost.HOURS_PER_YEAR)


def _uptime(case: Case, sizing: OptimizationResult) -> float:
    short = float(expected_shortfall(case.racks_contracted, sizing.plant.racks, case.rack_availability))
    return 1.0 - sizing.lost_mwh_per_yr / case.load_mwh_per_yr - short


def _ratio(case: Case, sizing: OptimizationResult, sunk_usd_per_yr: float) -> float:
    delivered = delivered_rack_h_per_yr(case, sizing)
    total = sunk_usd_per_yr + plant_cost_usd_per_yr(sizing)
    return total / delivered if delivered > 0 else math.inf


def _ratio_bound(case: Case, sizing: OptimizationResult, price: float, sunk_usd_per_yr: float) -> float:
    """Lower bound of the ratio from the bound of the priced problem.

    With N the project's cost and D its rack-hours, the priced problem proves N - price D >= f for every
    plant. For f >= 0 every ratio is at least price + f / (most D). For f < 0 a plant with a ratio below the
    price has D > N / price >= sunk / price, so its ratio is at least price + f price / sunk.
    """
    most = _contracted_rack_h(case)
    f = sunk_usd_per_yr + sizing.bound_usd_per_yr - price * most
    return price + f / most if f >= 0 else price * (1 + f / sunk_usd_per_yr)


def _curve(
    case: Case, sunk_usd_per_yr: float, targets: Sequence[float], gap: float, pool: CutPool
) -> list[ComputeCostPoint]:
    """Cheapest plant for each uptime; those that are not possible are left out."""
    wanted = [target for target in targets if target >= case.uptime_target]
    points = parametric.frontier(case, "uptime", wanted, gap=gap, cut_pool=pool)
    return [
        ComputeCostPoint(
            uptime=point.value,
            delivered_rack_h_per_yr=delivered_rack_h_per_yr(case, point.sizing),
            plant_usd_per_yr=point.sizing.objective_usd_per_yr,
            usd_per_rack_h=_ratio(case, point.sizing, sunk_usd_per_yr),
        )
        for point in points
        if point.sizing is not None
    ]
