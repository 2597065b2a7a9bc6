"""What one number does to the least cost of a planner who sees everything: exact, with shared cuts."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sitedesign.case.build import StudyCase, build_case_on, unit_costs, weather_of
from sitedesign.case.case import Case
from sitedesign.case.plant import Plant
from sitedesign.case.relaxation import relaxation
from sitedesign.case.years import cyclic_start_step, shift_start
from sitedesign.errors import InfeasibleDesign, InputError
from sitedesign.influence.ranges import RangedNumber, with_value
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.optimize.result import OptimizationResult
from sitedesign.results.sensitivity import End
from sitedesign.study.study import Study
from sitedesign.weather.weather import Weather


@dataclass(frozen=True, eq=False)
class Question:
    """A study, its arrays, and the same as the optimiser reads them.

    Attributes
    ----------
    study : Study
    study_case : StudyCase
    case : Case
        Relaxed where the metric needs it, and beginning where a battery is full.
    """

    study: Study
    study_case: StudyCase
    case: Case


#: What adds to an end, given the changed question, what else is found of it.
Judged = Callable[[Question, End], End]


def question(study: Study, weather: Weather) -> Question:
    """Put a study on weather years that are known."""
    made = build_case_on(study, weather, unit_costs(study))
    case = shift_start(relaxation(made.case, study.metric).case, cyclic_start_step(made.case))
    return Question(study, made, case)


class BoundSolver:
    """Least cost of a question, from which those of others like it start.

    Parameters
    ----------
    study : Study
    gap : float
        Relative optimality gap of each answer. [fraction]

    Attributes
    ----------
    base : Question
    answer : OptimizationResult
        Of the question as it is.
    pool : CutPool
        With all cuts that this answer took; nothing is added later.
    stopped : threading.Event
        Set when nobody waits for answers any longer.

    Raises
    ------
    InfeasibleDesign
        When no plant is possible as it is.
    """

    def __init__(self, study: Study, gap: float) -> None:
        self.gap = gap
        self.weather = weather_of(study)
        self.base = question(study, self.weather)
        self.stopped = threading.Event()
        self.pool = CutPool(self.base.case)
        self.answer = solve_cuts(self.base.case, gap=gap, cut_pool=self.pool, keeps_dispatch=False)

    def changed(self, study: Study) -> Question:
        """Put a changed study on the same weather years."""
        return question(study, self.weather)


class Branch:
    """Questions like the one of a solver, one after the other, with its cuts and those that they add.

    Cuts depend on the series, efficiencies and units, not on what anything costs and not on any limit.
    Whatever runs in other branches changes no answer of this one.

    Parameters
    ----------
    solver : BoundSolver
    """

    def __init__(self, solver: BoundSolver) -> None:
        self._solver = solver
        self._pool: CutPool | None = None

    def solve(self, case: Case) -> OptimizationResult:
        """Solve a question on the same weather years; InfeasibleDesign where no plant is possible."""
        if self._solver.stopped.is_set():
            raise CancelledError
        pool = self._pool_of(case)
        return solve_cuts(
            case,
            gap=self._solver.gap,
            warm_start=self._solver.answer.plant,
            cut_pool=pool,
            explains=False,
            keeps_dispatch=False,
            relaxes=not pool.count,
        )

    def _pool_of(self, case: Case) -> CutPool:
        if self._pool is None or not self._pool.fits(case):
            known = self._solver.pool
            self._pool = known.copy() if known.fits(case) else known.carried_to(case) or CutPool(case)
        return self._pool


def at_end(solver: BoundSolver, number: RangedNumber, value: float, judged: Judged | None = None) -> End:
    """Solve the question with one number at one end of its range, and once more with what is ordered now.

    `judged` adds to an end what else is found of the changed question, which is there to be read only once.
    """
    judged = judged or _by_the_bound
    if value == number.value:
        return judged(solver.base, _unchanged(value))
    try:
        changed = solver.changed(with_value(solver.base.study, number, value))
    except InputError as error:
        return End(value=value, reason=f"cannot be changed alone: {error.faults[0].allowed}")
    return judged(changed, _bounded(solver, changed, value))


def _by_the_bound(_asked: Question, end: End) -> End:
    return end


def _unchanged(value: float) -> End:
    return End(value=value, bound_usd_per_yr=0.0, bound_error_usd_per_yr=0.0, regret_usd_per_yr=0.0)


def _bounded(solver: BoundSolver, changed: Question, value: float) -> End:
    if same(changed.case, solver.base.case):
        return _unchanged(value)
    branch = Branch(solver)
    try:
        free = branch.solve(changed.case)
    except InfeasibleDesign as error:
        return End(value=value, reason=error.reason, impossible=True)
    now = solver.answer
    width = max(r.objective_usd_per_yr - r.bound_usd_per_yr for r in (now, free))
    return End(
        value=value,
        bound_usd_per_yr=free.bound_usd_per_yr - now.bound_usd_per_yr,
        bound_error_usd_per_yr=width,
        regret_usd_per_yr=_regret(solver.answer.plant, branch, changed.case, free),
    )


def _regret(ordered: Plant, branch: Branch, case: Case, free: OptimizationResult) -> float | None:
    """Find what it costs to have ordered the plant of today, to which more may be added; None: it cannot be.

    It is no plant but a lower bound of one, so it costs at least what the best does: never below zero.
    """
    if _holds(free.plant, ordered):
        return 0.0
    try:
        kept = branch.solve(at_least(case, ordered)).objective_usd_per_yr
    except InfeasibleDesign:
        return None
    return kept - min(kept, free.objective_usd_per_yr)


def _holds(plant: Plant, ordered: Plant) -> bool:
    """Whether a plant has everything that was ordered."""
    return all(
        np.all(np.asarray(a) >= np.asarray(b)) for a, b in zip(_sizes(plant), _sizes(ordered), strict=True)
    )


def _sizes(plant: Plant) -> tuple[Any, ...]:
    return (plant.resources_mw, plant.battery_mwh, plant.battery_mw, plant.units, plant.racks, plant.imports)


def at_least(case: Case, plant: Plant) -> Case:
    """Ask for no less of anything than a plant has; racks, units and connection included."""
    sizes = (*plant.resources_mw, plant.battery_mwh, plant.battery_mw)
    bounds = {
        item.name: (max(item.lower, mw), max(item.upper, mw))
        for item, mw in zip(case.sizes, sizes, strict=True)
    }
    backup = tuple(
        replace(item, units_min=max(item.units_min, n), units_max=max(item.units_max, n))
        for item, n in zip(case.backup, plant.units, strict=True)
    )
    imports = tuple(
        replace(item, units_min=max(item.units_min, n), units_max=max(item.units_max, n))
        for item, n in zip(case.imports, plant.imports, strict=True)
    )
    return replace(
        case.with_bounds(bounds),
        backup=backup,
        imports=imports,
        racks_min=max(case.racks_min, plant.racks),
        racks_max=max(case.racks_max, plant.racks),
    )


def same(one: Any, other: Any) -> bool:  # noqa: ANN401
    """Whether two values, arrays inside included, are equal."""
    if one is other:
        return True
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and np.array_equal(one, other)
    if dataclasses.is_dataclass(one) and not isinstance(one, type):
        names = [item.name for item in dataclasses.fields(one)]
        return type(one) is type(other) and all(same(getattr(one, n), getattr(other, n)) for n in names)
    if isinstance(one, tuple):
        return (
            isinstance(other, tuple)
            and len(one) == len(other)
            and all(same(a, b) for a, b in zip(one, other, strict=True))
        )
    return bool(one == other)
