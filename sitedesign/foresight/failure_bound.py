"""A bound that knows failures: the mean over sampled draws of them, of an optimum with foresight of each.

Let a plant x be run by any rule whatever, causal or not, so that on the mean over all failures that could
happen its budgets are kept: ``E[U(x)] <= b`` (lost compute; energy and carbon dioxide where those are
limited). For every vector of prices ``mu >= 0`` that was fixed before the draws were made,

    E[cost(x)]  >=  E[cost(x) + mu (U(x) - b)]                       as the budgets are kept on the mean
                >=  E[min over x', rule with foresight of (cost + mu U)] - mu b,

since in each draw the best plant and the best operation for that draw cost no more than x under its rule. The
mean over independent draws of the last expression estimates it without bias, and its spread gives the
standard error. Budgets must be priced and not asked of each draw: to keep them in every draw, lucky or not,
is more than to keep them on the mean, and what it costs would be no bound. The prices must not have seen the
draws that are averaged: they are tuned on another one. Poor prices make the bound low, never wrong.

What is relaxed besides: nothing fails but units and their fuel, starts never fail, units have no least load;
small units are taken together by their mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from scipy.optimize import linprog

from sitedesign.case.case import Case, FloatArray, PriceLevel
from sitedesign.case.limits import ANNUAL_LIMITS, hours_limits
from sitedesign.case.plant import Plant
from sitedesign.case.rack_shortfall import expected_shortfall
from sitedesign.optimize.annual_budgets import Budgets, budgets_of
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.optimize.dispatch_oracle import Point
from sitedesign.optimize.foresight_dispatch import least_cost_usd
from sitedesign.optimize.result import OptimizationResult
from sitedesign.reliability.estimate import Estimate
from sitedesign.util.threads import ahead, cores

GAP = 1e-3  # of the draw that prices are tuned on
SAVED_GAP = (
    2e-3  # of those that are averaged: what stays open lowers the bound, mostly by less than its error
)
_CLOSE = 2e-3  # to the optimum within the budgets: prices that come so near are good enough
_LEAST_GAIN = 5e-4  # that other prices have to promise, for one more try
_MOST_TRIES = 6
_STEP = 2.0  # factor by which the first try may change a price, squared at the second, and so on
_Found = TypeVar("_Found")


@dataclass(frozen=True)
class FailureBound:
    """What a planner who foresees weather and failures pays, on the mean over draws of the failures.

    Attributes
    ----------
    bound : Estimate
        No plant that keeps its budgets on the mean costs less on the mean. [USD/yr]
    same_plant : Estimate
        Cost of a given plant when he runs it, less what he then loses less than allowed, at the prices of
        the bound. [USD/yr]
    """

    bound: Estimate
    same_plant: Estimate

    def at_least(self, bound_usd_per_yr: float) -> FailureBound:
        """Take the bound of a world in which nothing fails where it is higher: it holds in any.

        Prices in the place of budgets lose something where few whole units decide; kept budgets do not.
        """
        raised = (
            replace(item, value=max(item.value, bound_usd_per_yr)) for item in (self.bound, self.same_plant)
        )
        return FailureBound(*raised)


@dataclass(frozen=True, eq=False)
class _Priced:
    """A case with prices in the place of its budgets.

    Attributes
    ----------
    case : Case
    weights : ndarray, shape (C,)
        By which the tiers of each class were multiplied, so that one price does for all classes.
    allowed_usd_per_yr : float
        Price of what the budgets allow, to be taken off the cost. [USD/yr]
    """

    case: Case
    weights: FloatArray
    allowed_usd_per_yr: float


def price_budgets(case: Case, prices: FloatArray) -> _Priced:
    """Put prices in the place of the budgets of a case.

    Parameters
    ----------
    case : Case
    prices : ndarray, shape (budgets,)
        In the order of :class:`Budgets`; of a class that asks for nothing it is not read. [USD/MWh, or per
        unit of the total]
    """
    budgets, classes = budgets_of(case, 0.0), len(case.classes)
    asked = np.isfinite(budgets.limit)
    prices = np.where(asked, prices, 0.0)
    hours, credit = budgets.limit.size - budgets.of_units, dict[str, float]()
    for row, (_, item, most_h) in enumerate(hours_limits(case), start=hours):
        brings = most_h * item.unit_mw  # a unit more allows so much more energy; it is never paid to be built
        prices[row] = (
            min(prices[row], item.annual_cost_usd_per_unit / brings) if brings > 0.0 else prices[row]
        )
        credit[item.name] = float(prices[row]) * brings
    shares = np.array([item.share for item in case.classes])
    values = case.lost_value_usd_per_mwh + prices[:classes]
    value = float(shares @ values)
    weights = values / value if value > 0.0 else np.ones(classes)
    on_top = iter((prices[classes:] @ budgets.rows[classes:]).tolist())

    def dearer(levels: Sequence[PriceLevel]) -> tuple[PriceLevel, ...]:
        return tuple(replace(level, usd_per_mwh=level.usd_per_mwh + next(on_top)) for level in levels)

    backup = []
    for item in case.backup:
        first, *others = dearer(item.levels)
        backup.append(
            replace(
                item,
                marginal_cost_usd_per_mwh=first.usd_per_mwh,
                other_levels=tuple(others),
                annual_cost_usd_per_unit=item.annual_cost_usd_per_unit - credit.get(item.name, 0.0),
                run_h_limit=None,
            )
        )
    without: dict[str, Any] = dict.fromkeys(item.name for item in ANNUAL_LIMITS)
    priced = replace(
        case,
        uptime_target=0.0,
        load_classes=tuple(replace(item, uptime_target=0.0) for item in case.load_classes),
        lost_value_usd_per_mwh=value,
        tiers=tuple(replace(t, weight=t.weight * float(weights[t.load_class])) for t in case.tiers),
        limits=replace(case.limits, **without),
        backup=tuple(backup),
        imports=tuple(replace(item, levels=dearer(item.levels)) for item in case.imports),
    )
    return _Priced(priced, weights, float(prices[asked] @ budgets.fixed_limit[asked]))


def tuned_prices(case: Case, optimum: OptimizationResult, pool: CutPool) -> FloatArray:
    """Find prices of the budgets with which the bound of one draw comes close to its optimum within them.

    Parameters
    ----------
    case : Case
        With one draw of failures, which is none of those that are averaged.
    optimum : OptimizationResult
        Its duals are tried first. Those of whole units may say little; then better ones are looked for by
        cutting planes (the bound is concave in the prices).
    pool : CutPool
        Of the case.

    Returns
    -------
    ndarray, shape (budgets,)
    """
    budgets = budgets_of(case, 0.0)
    prices = np.array(optimum.budget_prices or np.zeros(budgets.limit.size))
    tried: list[tuple[float, FloatArray, FloatArray]] = []
    while True:
        priced = price_budgets(case, prices)
        own = pool if pool.fits(priced.case) else None
        found = _sized(priced.case, optimum.plant, own)
        value = found.bound_usd_per_yr - priced.allowed_usd_per_yr
        tried.append((value, prices, _excess(case, priced, budgets, found)))
        best, at, _ = max(tried, key=lambda item: item[0])
        close = best >= optimum.objective_usd_per_yr - _CLOSE * abs(optimum.objective_usd_per_yr)
        if close or len(tried) == _MOST_TRIES:
            return at
        floor = np.abs(optimum.objective_usd_per_yr) / np.maximum(budgets.size, 1e-9)
        prices, promised = _most_promising(tried, at, floor)
        if promised < best + _LEAST_GAIN * abs(best):
            return at


def saved_by_optima(
    draws: Iterable[Case], prices: FloatArray, planned: Plant, points: Sequence[Point] = ()
) -> list[float]:
    """Find what the optimum of each draw of failures saves a planner who foresees it, against a known plant.

    Optima under different draws are close to each other: where the cuts of one were made is a good place for
    those of another.

    Parameters
    ----------
    draws : iterable of Case
        The same question under independent draws of failures.
    prices : ndarray, shape (budgets,)
        Of the budgets, fixed without any of these draws.
    planned : Plant
        An optimum under another draw.
    points : sequence of Point
        Where cuts were made to find it.

    Returns
    -------
    list of float
        Not below 0. [USD/yr]
    """

    def saved(draw: Case) -> float:
        priced = price_budgets(draw, prices).case
        pool = CutPool(priced)
        for point in points:
            pool.cut_at(point, budgets_of(priced, 0.0, pool.search.oracle.counts(point)), likely=False)
        found = _sized(priced, planned, pool, SAVED_GAP, relaxes=not points)
        return least_cost_usd(priced, planned, pool.search) - found.bound_usd_per_yr

    return list(ahead(saved, draws, cores()))  # no more draws are held


def bound_with_failures(
    draws: Iterable[Case],
    prices: FloatArray,
    plant: Plant,
    planned: Plant,
    saved: Sequence[float],
    seed: int,
) -> FailureBound:
    """Average over draws of failures what a planner pays who foresees them.

    His optimum takes a hundred times as long as his operation of a plant that is known, and hardly differs
    from the optimum under another draw. So that plant is run under all draws, and the optimum of each found
    for few of them: the mean of the former less the mean of what the latter save (a control variate).

    Parameters
    ----------
    draws : iterable of Case
        The same question under independent draws of failures, two or more.
    prices : ndarray, shape (budgets,)
        Fixed without any of these draws.
    plant : Plant
        That he runs as well.
    planned : Plant
        An optimum under another draw.
    saved : sequence of float
        What optima save against it, of two draws or more (:func:`saved_by_optima`). [USD/yr]
    seed : int
        Of the draws.
    """

    def run(draw: Case) -> list[float]:
        priced = price_budgets(draw, prices)
        search = CutPool(priced.case).search
        return [
            least_cost_usd(priced.case, item, search) - priced.allowed_usd_per_yr for item in (planned, plant)
        ]

    known, same = zip(*ahead(run, draws, cores()), strict=True)
    return FailureBound(
        Estimate(float(np.mean(known) - np.mean(saved)), _error(known) + _error(saved), len(known), seed),
        Estimate(float(np.mean(same)), _error(same), len(same), seed),
    )


def _sized(
    case: Case, warm_start: Plant, pool: CutPool | None, gap: float = GAP, *, relaxes: bool = True
) -> OptimizationResult:
    return solve_cuts(
        case,
        gap=gap,
        warm_start=warm_start,
        cut_pool=pool,
        explains=False,
        keeps_dispatch=False,
        relaxes=relaxes,
    )


def _error(values: Sequence[float] | FloatArray) -> float:
    """Find the standard error of a mean; not known of one value."""
    return float(np.std(values, ddof=1)) / len(values) ** 0.5 if len(values) > 1 else float("nan")


def _excess(case: Case, priced: _Priced, budgets: Budgets, found: OptimizationResult) -> FloatArray:
    """By how much a plant exceeds each budget: the slope of the bound in its price. [as the budget]"""
    shares = np.array([item.share for item in case.classes])
    short = float(expected_shortfall(case.racks_contracted, found.plant.racks, case.rack_availability))
    lost = np.divide(
        found.lost_by_class_mwh_per_yr,
        priced.weights,
        out=shares * case.load_mwh_per_yr,  # free to lose
        where=priced.weights > 0.0,
    )
    supplied = sum(len(item.levels) for item in case.supplies)
    energy = np.array(found.level_mwh_per_yr[:supplied])
    used = np.concatenate(
        [
            lost + shares * short * case.load_mwh_per_yr,
            budgets.rows[len(shares) :, :supplied] @ energy,
        ]
    )
    limit = budgets_of(case, 0.0, found.plant.units).limit
    return np.where(np.isfinite(limit), used - limit, 0.0)


def _most_promising(
    tried: Sequence[tuple[float, FloatArray, FloatArray]], at: FloatArray, floor: FloatArray
) -> tuple[FloatArray, float]:
    """Find prices near the best at which the bound could be highest by all that is known, and how high."""
    values, prices, slopes = (np.array(column) for column in zip(*tried, strict=True))
    scale = np.maximum(at, floor)
    unit = max(float(np.abs(values).max()), 1.0)
    step = _STEP ** len(tried)
    low, high = at / scale / step, np.full(at.size, step)
    # value <= values_i + slopes_i (prices - prices_i), prices in units of the scale
    rows = np.hstack([-slopes * scale, np.full((len(tried), 1), unit)])
    result = linprog(
        np.append(np.zeros(at.size), -1.0),
        A_ub=rows / unit,
        b_ub=(values - (slopes * prices).sum(axis=1)) / unit,
        bounds=[*zip(low, high, strict=True), (None, None)],
        method="highs",
    )
    if result.x is None:
        return at, -np.inf
    # At the edge of a step nothing is said of what lies beyond: a little more for twice the price may be much
    at_edge = np.any((result.x[:-1] > high * (1 - 1e-9)) & slopes.any(axis=0))
    return result.x[:-1] * scale, np.inf if at_edge else float(result.x[-1] * unit)
