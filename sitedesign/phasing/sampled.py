"""Dates drawn at random from what is known of them, and what becomes of a plan's orders on each draw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from sitedesign.errors import Fault, InputError
from sitedesign.phasing.from_study import planned_month
from sitedesign.phasing.on_dates import OnDates, PlanOnDates
from sitedesign.phasing.question import RoadmapCase
from sitedesign.phasing.search import RoadmapPlan
from sitedesign.results.sampled_dates import (
    QUANTILES,
    DateEffect,
    SampledDates,
    StageDate,
    standard_error,
)
from sitedesign.study.roadmap_inputs import DateRange
from sitedesign.util.progress import Progress, silent

_P90 = NormalDist().inv_cdf(0.9)
_TOLD_EVERY = 25


@dataclass(frozen=True)
class Spread:
    """Distribution of a date: its logarithm is normal on either side of the middle.

    Attributes
    ----------
    technology : str
    p10, p50, p90 : float
        [months]
    planned : float
        With which the plan reckons. [months]
    """

    technology: str
    p10: float
    p50: float
    p90: float
    planned: float

    def at(self, normal: NDArray[np.float64]) -> NDArray[np.float64]:
        """Whole months at values of the standard normal distribution, to the nearest. [months]"""
        below, above = (math.log(a / b) / _P90 for a, b in ((self.p50, self.p10), (self.p90, self.p50)))
        months: NDArray[np.float64] = np.rint(
            self.p50 * np.exp(np.where(normal < 0.0, below, above) * normal)
        )
        return months


def spreads_of(question: RoadmapCase, ranges: Sequence[DateRange]) -> list[Spread]:
    """Complete what is known of dates by the months that the plan reckons with.

    Raises
    ------
    InputError
        Where P10 and P90 do not lie around such a month.
    """
    found, faults = [], []
    for item in ranges:
        planned = planned_month(question, item.technology)
        middle = planned if item.p50_months is None else item.p50_months
        found.append(Spread(item.technology, item.p10_months, middle, item.p90_months, planned))
        if not item.p10_months <= middle <= item.p90_months:
            said = f"P10 {item.p10_months:g} and P90 {item.p90_months:g} months"
            allowed = f"must lie around the {middle:g} months of the plan"
            faults.append(Fault(f"dates {item.technology!r}", said, allowed, "Give p50_months, or others."))
    if faults:
        raise InputError(faults, "roadmap()")
    return found


def drawn_months(spreads: Sequence[Spread], draws: int, seed: int) -> dict[str, NDArray[np.float64]]:
    """Draw dates, each technology from numbers of its own, so that one more changes none of the others.

    Parameters
    ----------
    spreads : sequence of Spread
    draws, seed : int

    Returns
    -------
    dict of str to ndarray, shape (draws,)
        [months]
    """
    return {
        item.technology: item.at(
            np.random.default_rng([seed, *item.technology.encode()]).standard_normal(draws)
        )
        for item in spreads
    }


def sampled_dates(
    plan: RoadmapPlan, spreads: Sequence[Spread], draws: int, seed: int, progress: Progress = silent
) -> SampledDates:
    """Find what becomes of a plan's orders on dates drawn at random, all dates independent of one another.

    Parameters
    ----------
    plan : RoadmapPlan
        Of one path.
    spreads : sequence of Spread
    draws, seed : int
    progress : callable
    """
    on_dates = PlanOnDates(plan)
    months = drawn_months(spreads, draws, seed)
    late = {item.technology: months[item.technology] - item.planned for item in spreads}
    planned = on_dates.on({})
    effects = [_effect(on_dates, planned, item, late[item.technology]) for item in spreads]
    found: list[OnDates] = []
    for i in range(draws):
        if i % _TOLD_EVERY == 0:
            progress(f"plan on drawn dates: {i} of {draws}")
        found.append(on_dates.on({name: float(by[i]) for name, by in late.items()}))
    priced = plan.paths[0].question.value_usd_per_rack_month is not None
    effects.sort(key=lambda e: (-e.loss_usd if priced else -e.rack_months_late, -e.loss_usd))
    horizon = plan.paths[0].question.horizon_months
    first = [item.first_power_month for item in found]
    return SampledDates(
        draws,
        seed,
        {name: tuple(by.tolist()) for name, by in months.items()},
        tuple(item.net_present_value_usd for item in found),
        tuple(horizon if month is None else month for month in first),
        tuple(item.rack_months_late for item in found),
        planned.net_present_value_usd,
        tuple(effects),
        _stages(on_dates, found),
        _racks(found, math.ceil(horizon)),
    )


def _effect(on_dates: PlanOnDates, planned: OnDates, item: Spread, late: NDArray[np.float64]) -> DateEffect:
    """Say what a date does alone."""
    alone = [on_dates.on({item.technology: float(by)}) for by in late]
    losses = [planned.net_present_value_usd - one.net_present_value_usd for one in alone]
    return DateEffect(
        item.technology,
        item.p10,
        item.p50,
        item.p90,
        item.planned,
        float(np.mean(losses)),
        standard_error(losses),
        float(np.mean([one.rack_months_late for one in alone])),
    )


def _stages(on_dates: PlanOnDates, found: Sequence[OnDates]) -> tuple[StageDate, ...]:
    """How likely each stage in which racks run is to have them in its first month."""
    stages = []
    for stage in on_dates.stages:
        month, racks = stage.time.begins, stage.block.racks_running
        if racks:
            share = float(np.mean([item.racks(month) >= racks for item in found]))
            error = math.sqrt(share * (1.0 - share) / len(found))
            stages.append(StageDate(month, racks, share, error))
    return tuple(stages)


def _racks(found: Sequence[OnDates], months: int) -> tuple[tuple[int, int, int], ...]:
    """Racks that run by month at 10, 50 and 90 % of the draws."""
    running = np.array([[item.racks(float(month)) for month in range(months)] for item in found])
    at = np.quantile(running, QUANTILES, axis=0, method="inverted_cdf")
    return tuple((int(low), int(middle), int(high)) for low, middle, high in at.T)
