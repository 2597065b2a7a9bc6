"""What an operator pays for not knowing the weather: the value of perfect information about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from sitedesign.case.plant import sizes_of, with_sizes
from sitedesign.case.plant_limits import clip_to_limits
from sitedesign.certified.evaluator import Evaluator
from sitedesign.certified.objective import Candidate
from sitedesign.operation.forecast import Forecast

# Share of resources and battery that is tried, and hours of reserve on top
SMALLER, MORE_RESERVE_H = 0.85, (0.0, 3.0)
LEAST_LOST = 1e-9  # what stands for nothing lost, where a logarithm is taken. [fraction]


def perfect_forecast_value(evaluator: Evaluator, best: Candidate) -> float:
    """Find what a perfect forecast of the weather would save a plant at the same uptime. [USD/yr]

    Failures still come as they come. The plant as it is and with less array and battery is evaluated with
    that forecast, with the reserve it has and with more, and its cost is read off at the uptime that is kept
    without it in the same years: a part of all, as what is saved varies little from year to year. The search
    is not repeated: its luck would be mistaken for the value of a forecast. He who foresees may also do what
    the other does, so that he never pays more.

    Parameters
    ----------
    evaluator : Evaluator
        Of the operator who does not foresee.
    best : Candidate
        What he found, evaluated on all years.
    """
    few, plant, rule = evaluator.on_fewer_years(), best.plant, best.controller
    best, foreseeing = few.evaluate(plant, rule), few.with_forecast(Forecast(kind="perfect"))
    sizes = {name: SMALLER * size for name, size in sizes_of(evaluator.case, plant).items()}
    smaller = clip_to_limits(with_sizes(evaluator.case, plant, sizes), evaluator.case)
    rules = [replace(rule, reserve_h=rule.reserve_h + more) for more in MORE_RESERVE_H]
    candidates = foreseeing.evaluate_all(list(product((plant, smaller), rules)))
    points = [
        (_log_more_lost(candidate, best), candidate.cost_usd_per_yr)
        for candidate in candidates
        if not candidate.excess_mwh_per_yr
    ]
    return max(0.0, best.cost_usd_per_yr - _cost_at_no_more_lost(points))


def _log_more_lost(candidate: Candidate, best: Candidate) -> float:
    """Logarithm of what is lost over what may be, of the class that loses most of what it may."""
    pairs = zip(candidate.uptime_by_class, best.uptime_by_class, strict=True)
    return max(
        float(np.log(max(1 - uptime, LEAST_LOST) / max(1 - asked, LEAST_LOST))) for uptime, asked in pairs
    )


def _cost_at_no_more_lost(points: Sequence[tuple[float, float]]) -> float:
    """Read the least cost off the lines between points of (logarithm of loss, cost), where it is 0."""
    costs = [cost for more, cost in points if more <= 0]
    for (more, cheap), (less, dear) in product(points, points):
        if less < 0 < more:
            costs.append(dear + (cheap - dear) * less / (less - more))
    return min(costs, default=np.inf)
