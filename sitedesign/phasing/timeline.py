"""Stages of a roadmap: where the plant may change, merged to a number that can be solved."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

from sitedesign.phasing.question import BATTERY_MW, RoadmapCase

_MOST_RAMP = 24  # steps of a ramp that is a promise: merging them asks for racks too early


@dataclass(frozen=True)
class StageTime:
    """One stage in time.

    Attributes
    ----------
    begins, ends : float
        [months]
    racks : int
        Asked for: where they are a promise, of its last month, so that nothing promised is missed; else
        what may run from its first month on.
    """

    begins: float
    ends: float
    racks: int

    @property
    def months(self) -> float:
        """[months]"""
        return self.ends - self.begins


def stage_times(question: RoadmapCase, wanted: Mapping[str, float] | None = None) -> tuple[StageTime, ...]:
    """Divide the time until the horizon into stages in which the plant stays as it is.

    A stage begins where racks are added, something can first be delivered or rented, the least time of a
    rental is over, or a tax credit changes; what is built at a rate is added in steps, the longest of which
    are divided as long as stages are left.

    Parameters
    ----------
    question : RoadmapCase
    wanted : mapping of str to float, optional
        About how much of each technology will be built: until then it grows. [MW, or MWh of battery]

    Returns
    -------
    tuple of StageTime
        Without gap, from the first racks that can run to the horizon; empty when there are none.
    """
    end = question.horizon_months
    promised = question.value_usd_per_rack_month is None
    ramp = [month for month, racks in question.steps if racks > 0 and month < end]
    if not ramp:
        return ()
    sources = question.sources
    first = ramp[0] if promised else max(ramp[0], min(sources.values(), default=math.inf))
    if first >= end:
        return ()
    steps = {month for month in ramp if month > first}
    others = {month for month in (*sources.values(), *_credit_months(question, first)) if first < month < end}
    battery = question.delivery(BATTERY_MW).first_month
    others |= {battery} if first < battery < end else set()
    others |= {month for month in _leaving_months(question, first) if first < month < end}
    kept = {first, *steps}
    if promised and len(kept) > _MOST_RAMP:
        kept = _merged(question, sorted(kept), _MOST_RAMP)
    begins = _thinned(kept, others, question.most_stages)
    grown = [(a, min(b, end - 1.0)) for a, b in _grown_by(question, wanted or {})]
    begins = _divided(begins, first, grown, question.most_stages)
    return tuple(
        StageTime(a, b, question.racks(b - 1.0 if promised else a))
        for a, b in itertools.pairwise([*sorted(begins), end])
    )


def _leaving_months(question: RoadmapCase, first: float) -> set[float]:
    """Months in which what is rented may leave that came with the first racks, or with the last.

    Without a stage that begins then, units would have to stay until the next, if there is one.
    """
    found = set()
    last = max((month for month, racks in question.steps if racks > 0), default=first)
    for item in question.rentals:
        if item.units > 0 and item.min_term_months > 0.0:
            comes = {max(first, item.from_month), max(first, last, item.from_month)}
            found |= {float(math.ceil(month + item.min_term_months)) for month in comes}
    return found


def _credit_months(question: RoadmapCase, first: float) -> list[float]:
    """Months from which on something costs more or less than the month before, for its credit."""
    if question.costs_at is None:
        return []
    costs, found = question.costs_at(first), []
    for month in range(math.floor(first) + 1, math.ceil(question.horizon_months)):
        now = question.costs_at(month)
        if now != costs:
            found.append(float(month - 1))  # what comes just in time
        costs = now
    return [month for month in found if month > first]


def _merged(question: RoadmapCase, months: list[float], most: int) -> set[float]:
    """Leave out the steps of a ramp that come too early by the fewest rack-months."""
    kept = list(months)
    while len(kept) > most:
        early = [
            (question.racks(month) - question.racks(before)) * (month - before)
            for before, month in itertools.pairwise(kept)
        ]
        del kept[1 + early.index(min(early))]
    return set(kept)


def _thinned(kept: set[float], others: set[float], most: int) -> set[float]:
    """Add the other dates; while there are too many, leave out the one closest to another."""
    found = kept | others
    while len(found) > most and found - kept:
        inside = sorted(found)
        follows = dict(itertools.pairwise([*inside, math.inf]))
        before = {b: a for a, b in itertools.pairwise(inside)}
        idle = {month: min(follows[month] - month, month - before.get(month, -math.inf)) for month in inside}
        found.remove(min(found - kept, key=lambda month: (idle[month], month)))
    return found


def _grown_by(question: RoadmapCase, wanted: Mapping[str, float]) -> list[tuple[float, float]]:
    """When what is built at a rate begins and ends to grow."""
    grown = []
    for name, item in question.deliveries.items():
        size = min(wanted.get(name, 0.0), item.most)
        if math.isfinite(item.per_month) and size > 0.0:
            grown.append((item.lead_months, item.lead_months + size / item.per_month))
    return grown


def _divided(begins: set[float], first: float, grown: list[tuple[float, float]], most: int) -> set[float]:
    """Divide the longest stages in which something grows."""
    found = set(begins)
    done = max((math.ceil(until) for _, until in grown), default=first)
    if done > first and len(found) < most:
        found.add(float(done))
    while len(found) < most:
        inside = sorted(month for month in found if month <= done)
        gaps = [(b - a, -a, a) for a, b in itertools.pairwise(inside) if _grows(grown, a, b)]
        longest = max(gaps, default=(0.0, 0.0, 0.0))
        if longest[0] < 2.0:
            break
        found.add(longest[2] + math.floor(longest[0] / 2))
    return found


def _grows(grown: list[tuple[float, float]], begins: float, ends: float) -> bool:
    return any(a < ends and b > begins for a, b in grown)
