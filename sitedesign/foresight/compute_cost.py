"""What uptime is worth buying: the plant at which a delivered rack-hour of the whole project costs least.

The ratio (project cost) / (rack-hours delivered) is minimised by Dinkelbach's method: for a price on lost
compute, the least of plant cost plus lost compute is an exact problem of the optimiser; the price is then set
to the ratio of its answer, until it stays. Cuts hold for every price, so each further round is cheap.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sitedesign.case.case import Case, Sizing
from sitedesign.case.rack_shortfall import expected_shortfall
from sitedesign.finance import annual_cost
from sitedesign.optimize import parametric
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.results.design import ComputeCost, ComputeCostPoint
from sitedesign.util.progress import Progress

CURVE_TARGETS = (0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999)
_TIGHTER = 0.3
_ROUNDING = 1e-6  # by how much a bound may seem to exceed the ratio
_MOST_ROUNDS = 30  # convergence is faster than linear: three or four are usual


@dataclass(frozen=True, eq=False)
class CheapestCompute:
    """Answer to "what uptime is worth buying?".

    Attributes
    ----------
    case : Case
        With the price on lost compute at which `sizing` is the optimum.
    sizing : Sizing
    uptime : float
        That the optimiser chose. [fraction]
    cost : ComputeCost
        Of a delivered rack-hour, with its bound and the curve against uptime.
    """

    case: Case
    sizing: Sizing
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
    say, pool = progress or (lambda _: None), CutPool(case)
    end = math.inf if time_limit_s is None else time.perf_counter() + time_limit_s

    def solve(usd_per_rack_h: float, before: Sizing | None, gap: float) -> tuple[Case, Sizing]:
        priced = with_lost_compute(case, usd_per_rack_h)
        left = None if time_limit_s is None else max(end - time.perf_counter(), 1e-3)
        warm = None if before is None else before.plant
        return priced, solve_cuts(
            priced, gap=gap, time_limit_s=left, warm_start=warm, cut_pool=pool, progress=progress
        )

    if lost_compute_usd_per_rack_h is not None:
        price, bound = lost_compute_usd_per_rack_h, None
        best: Sizing | None
        priced, best = solve(price, None, gap)
        ratio = _ratio(case, best, sunk_usd_per_yr)
    else:
        price = sunk_usd_per_yr / _contracted_rack_h(
            case
        )  # nothing costs less: all delivered, by a free plant
        best, bound, ratio, inner = None, price, math.inf, gap
        for turn in range(1, _MOST_ROUNDS + 1):
            asked, now = solve(price, best, inner)
            found = _ratio(case, now, sunk_usd_per_yr)
            bound = max(bound, _ratio_bound(case, now, price, sunk_usd_per_yr))
            if best is None or found < ratio:
                priced, best, ratio = asked, now, found
            say(f"round {turn}: {found:,.4f} USD/rack-h, bound {bound:,.4f}")
            settled = ratio - bound <= gap * ratio
            if settled or now.stopped_by != "gap" or turn == _MOST_ROUNDS:
                stopped_by = "gap" if settled else now.stopped_by
                best = replace(best, stopped_by="iteration_limit" if turn == _MOST_ROUNDS else stopped_by)
                break
            if ratio == price:
                inner *= _TIGHTER  # the price has settled, its own gap is what is left
            price = ratio if math.isfinite(ratio) else 2 * price
        assert best is not None  # the loop runs at least once
        if bound > ratio * (1 + _ROUNDING):
            message = f"bound {bound} above the ratio {ratio}: a fault of the optimiser"
            raise AssertionError(message)
        bound = min(bound, ratio)
    say("cost of compute against uptime")
    uptime = _uptime(case, best)
    cost = ComputeCost(
        usd_per_rack_h=ratio,
        bound_usd_per_rack_h=bound,
        uptime=uptime,
        lost_compute_usd_per_rack_h=price,
        curve=_curve(case, sunk_usd_per_yr, targets, gap, pool),
    )
    return CheapestCompute(priced, best, uptime, cost)


def with_lost_compute(case: Case, usd_per_rack_h: float) -> Case:
    """Price lost compute; with one class a weighted MWh lost is the same share of the rack-hours."""
    per_mwh = usd_per_rack_h * _contracted_rack_h(case) / case.load_mwh_per_yr
    return replace(case, lost_value_usd_per_mwh=per_mwh)


def delivered_rack_h_per_yr(case: Case, sizing: Sizing) -> float:
    """Rack-hours at full throughput that a sizing delivers, failures of racks included. [1/yr]"""
    return _contracted_rack_h(case) * _uptime(case, sizing)


def plant_cost_usd_per_yr(sizing: Sizing) -> float:
    """Cost of plant and spare racks, the value of lost compute left out. [USD/yr]"""
    return sizing.objective_usd_per_yr - sizing.lost_value_usd_per_yr


def _contracted_rack_h(case: Case) -> float:
    return case.racks_contracted * float(annual_cost.HOURS_PER_YEAR)


def _uptime(case: Case, sizing: Sizing) -> float:
    short = float(expected_shortfall(case.racks_contracted, sizing.plant.racks, case.rack_availability))
    return 1.0 - sizing.lost_mwh_per_yr / case.load_mwh_per_yr - short


def _ratio(case: Case, sizing: Sizing, sunk_usd_per_yr: float) -> float:
    delivered = delivered_rack_h_per_yr(case, sizing)
    total = sunk_usd_per_yr + plant_cost_usd_per_yr(sizing)
    return total / delivered if delivered > 0 else math.inf


def _ratio_bound(case: Case, sizing: Sizing, price: float, sunk_usd_per_yr: float) -> float:
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
