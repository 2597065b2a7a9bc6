"""What dates and rentals are worth: the question asked again with one of them changed.

Both answers, of the question as it is and as it would be, are taken on the same stages and from the same cuts
to a thousandth of the gap of a plan, so that their difference is no noise. All sizes are decided anew. With
many racks, of which one more or less is a crumb, as is a unit, nothing need be whole, and all is decided
anew: a linear program, unless whole plans are asked for (:mod:`sitedesign.phasing.resolved`). With few the
plan's whole numbers may move by one, by as many units as carry what one for rent carries, racks by what a
unit carries, and take those of the stage before or after.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sitedesign.case.grid_supply import GRID
from sitedesign.optimize.block_master import BlockMaster
from sitedesign.optimize.blocks import BlockSearch
from sitedesign.phasing.problem import Path, RoadmapProblem
from sitedesign.phasing.question import BATTERY_MW, BATTERY_MWH, DeliveryCase, RoadmapCase
from sitedesign.phasing.resolved import resolved
from sitedesign.phasing.search import RoadmapPlan, StagePlan, scale_of
from sitedesign.phasing.timeline import StageTime
from sitedesign.results.roadmap import MonthsWorth
from sitedesign.util.progress import Progress, silent

_GAP = 2e-6
_ROUNDS = 6
_SECONDS = 30.0  # for each question
_MANY_RACKS = 200  # of which one more or less is a crumb, as is a unit: they need not be whole here
_RACKS_NEAR = 0.01  # of the racks: how far those of a stage may move
_WITH_SUN = 2.0  # what a unit carries at most with an array beside it, of its own power
_NOISE = 4e-6  # of the scale: less is nothing


def months_worth(
    plan: RoadmapPlan, *, grid_alone: bool = False, whole: bool = False, progress: Progress = silent
) -> MonthsWorth:
    """Find what a month of earlier grid, one more unit for rent and a month less of lead time are worth.

    Parameters
    ----------
    plan : RoadmapPlan
        Of one path.
    grid_alone : bool
        Only of the grid; else also one more unit of each rental, and a month less of lead time of each
        technology that is delivered.
    whole : bool
        Solve whole plans anew for the grid and the rentals, which says how closely they are known.
    progress : callable

    Returns
    -------
    MonthsWorth
    """
    question = plan.paths[0].question
    ask = _Asked(plan)
    grid = None
    month = question.delivery(GRID).lead_months
    if any(item.name == GRID for item in question.case.imports) and month >= 1.0:
        grid = ask.worth(_sooner(question, (GRID,)), month)
    if grid_alone:
        return MonthsWorth(grid)
    more = {item.technology: _one_more(question, r) for r, item in enumerate(question.rentals)}
    rented = {name: ask.worth(changed, None) for name, changed in more.items()}
    sooner = {}
    for name in _delivered(question):
        names = (BATTERY_MWH, BATTERY_MW) if name == BATTERY_MWH else (name,)
        said = "battery" if name == BATTERY_MWH else name
        sooner[said] = ask.worth(_sooner(question, names), question.delivery(name).first_month)
    if not whole:
        return MonthsWorth(grid, rented, sooner)
    times = plan.paths[0].times
    about = dict(rented)
    if grid is not None:
        times = _with(plan.paths[0], month - 1.0)
        more[GRID], about[GRID] = _sooner(question, (GRID,)), grid
    known = resolved(plan, times, more, about, progress)
    within = {name: item.within_usd for name, item in known.items()}
    if GRID in known:
        grid = known[GRID].usd
    rented |= {name: item.usd for name, item in known.items() if name != GRID}
    return MonthsWorth(grid, rented, sooner, within.pop(GRID, None), within)


def _one_more(question: RoadmapCase, r: int) -> RoadmapCase:
    """Question in which one more unit of a rental is on offer."""
    item = question.rentals[r]
    more = replace(item, units=item.units + 1)
    return replace(question, rentals=(*question.rentals[:r], more, *question.rentals[r + 1 :]))


def _delivered(question: RoadmapCase) -> list[str]:
    """Names of what is delivered after some months, the grid apart and both sides of a battery as one."""
    return [
        name
        for name, item in question.deliveries.items()
        if name not in (GRID, BATTERY_MW) and item.lead_months >= 1.0 and name not in question.rented_only
    ]


def _sooner(question: RoadmapCase, names: Sequence[str]) -> RoadmapCase:
    """Question in which some things can be there a month sooner."""
    changed = {}
    for name in names:
        item = question.delivery(name)
        changed[name] = DeliveryCase(item.lead_months - 1.0, item.per_month, item.most)
    return replace(question, deliveries={**question.deliveries, **changed})


class _Asked:
    """Questions close to a plan; remembers the answers of the plan's own on different stages."""

    def __init__(self, plan: RoadmapPlan) -> None:
        self.plan, self.path, self.stages = plan, plan.paths[0], plan.stages[0]
        self._known: dict[tuple[StageTime, ...], float] = {}

    def worth(self, changed: RoadmapCase, month: float | None) -> float:
        """Find how much less the changed question costs; a stage begins a month before `month`. [USD]"""
        times = self.path.times if month is None else _with(self.path, month - 1.0)
        if times not in self._known:
            self._known[times] = self._least(self.path.question, times)
        saved = self._known[times] - self._least(changed, times)
        if not math.isfinite(saved) or abs(saved) < _NOISE * self.plan.scale_usd:
            return 0.0
        return saved

    def _least(self, question: RoadmapCase, times: tuple[StageTime, ...]) -> float:
        problem = RoadmapProblem([Path(question, times)], self.plan.pool)
        master = BlockMaster(problem.blocks, problem.couple)
        if question.case.racks_contracted > _MANY_RACKS:
            master.all_vary()
            return BlockSearch(master, _GAP, None, scale_of(problem)).relaxed_usd()
        self._stay_near(problem, master)
        return BlockSearch(master, _GAP, _SECONDS, scale_of(problem)).least_usd(_GAP, _ROUNDS)

    def _stay_near(self, problem: RoadmapProblem, master: BlockMaster) -> None:
        path, variables = problem.paths[0], problem.variables[0]
        case = path.question.case
        flows = [item.name for item in case.flows]
        names = {item.name: _units_near(path.question, item.unit_mw) for item in case.flows if item.whole}
        racks = _racks_near(path.question)
        for i, time in enumerate(path.times):
            near = self._near(time)
            b = master.model.block[i]
            for name, units in names.items():
                variable = b.units[name] if name in b.units else b.sink_units[name]
                counts = [dict(zip(flows, s.block.plant.counts, strict=True)) for s in near]
                _bound(master, variable, [c[name] for c in counts], units)
            for r in range(len(path.question.rentals)):
                _bound(master, variables.rented[i, r], [s.rented[r] for s in near], 1)
            _bound(master, b.racks, [s.block.plant.racks for s in near], racks)
            if problem.blocks[i].share is not None:
                _bound(master, b.racks_running, [s.block.racks_running for s in near], racks)

    def _near(self, time: StageTime) -> list[StagePlan]:
        """Stages of the plan at a time, and those before and after."""
        at = max((i for i, s in enumerate(self.stages) if s.time.begins <= time.begins), default=0)
        return list(self.stages[max(0, at - 1) : at + 2])


def _largest_mw(question: RoadmapCase) -> float:
    """Power of the largest unit for rent; 0 without one. [MW]"""
    unit_mw = {item.name: item.unit_mw for item in question.case.backup}
    return max((unit_mw[item.technology] for item in question.rentals), default=0.0)


def _units_near(question: RoadmapCase, unit_mw: float) -> int:
    """By how many units a stage may move: those that one for rent stands in for."""
    return max(1, math.ceil(_largest_mw(question) / unit_mw))


def _racks_near(question: RoadmapCase) -> int:
    """By how many racks a stage may move: what one more unit for rent carries with sun beside it."""
    case, largest = question.case, _largest_mw(question)
    per_rack = float(case.load_mw.mean()) / case.racks_contracted
    return 1 + math.ceil(_RACKS_NEAR * case.racks_contracted + _WITH_SUN * largest / per_rack)


def _bound(master: BlockMaster, variable: Any, values: Sequence[float], more: int) -> None:  # noqa: ANN401
    low, high = variable.bounds
    least, most = max(low, min(values) - more), min(high, max(values) + more)
    if least <= most:
        master.set_bounds(variable, float(least), float(most))


def _with(path: Path, month: float) -> tuple[StageTime, ...]:
    """Stages of a path with one more that begins in a month."""
    question, found = path.question, []
    for time in path.times:
        if not time.begins < month < time.ends:
            found.append(time)
            continue
        promised = question.value_usd_per_rack_month is None
        first = question.racks(month - 1.0 if promised else time.begins)
        found += [StageTime(time.begins, month, first), StageTime(month, time.ends, time.racks)]
    return tuple(found)
