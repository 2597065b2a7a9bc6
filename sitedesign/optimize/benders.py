"""Least-cost plant over many weather years: a small mixed-integer master and an exact dispatch that cuts it.

First the linear relaxation, with cheap cuts at points between its solution and the best plant known (in-out
separation keeps it from zigzagging). Then whole units and racks: the master proposes counts, the continuous
capacities are polished for them, and the master's bound and the best plant close in on each other.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import math
import time

import numpy as np

from sitedesign.case.case import NOTHING, Case, FloatArray
from sitedesign.case.dispatch import appetite_mwh, by_flow
from sitedesign.case.plant import Plant, slowest_lead
from sitedesign.case.plant_limits import (
    battery_bounds,
    clipped_flows,
    opened,
    resource_bounds,
    resource_most_mw,
    units_allowed,
)
from sitedesign.case.reserve import least_battery_mw
from sitedesign.equations.variables import USD_PER_KUSD
from sitedesign.errors import InfeasibleDesign, NotProvenOptimal
from sitedesign.optimize.annual_budgets import budgets_of
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.optimize.dispatch_oracle import Point
from sitedesign.optimize.foresight_dispatch import mixed_dispatch
from sitedesign.optimize.in_out import Descent, above
from sitedesign.optimize.infeasibility_cuts import explained
from sitedesign.optimize.lagrangian import Operation
from sitedesign.optimize.master_problem import MasterModel, MasterStopped, Proposal, Side
from sitedesign.optimize.primal_recovery import annual_cost_usd, lost_value_usd, turnover_usd
from sitedesign.optimize.result import OptimizationResult, gap_scale_usd
from sitedesign.optimize.spare_units import with_spare_units, working_case, working_plant
from sitedesign.optimize.widening import including, unbound
from sitedesign.util.progress import Progress

_PUSHES = (0.005, 0.03, 0.1)  # how much more sun and battery is tried when a proposal falls short by little
_PER_PUSH = 20.0  # what counts as little, in units of the budget: excess over it, per share of the push
_LITTLE = 1e-4  # of the load: what stands for the budget there where that is smaller, or nothing
_RELAXED = 20.0  # gap at which the relaxation is left, in units of the gap asked for
_LEAST_TURNS = 2  # of polishing, before other counts are looked at
_OVERTAKEN = 10.0  # how far above the bound a count must be for that, in units of the gap
_ROUNDING = 1e-6  # by how much a bound may seem to exceed a cost
_EDGED = 4  # rounds without any progress, after which plants just at the budgets are looked for
_MOST_IDLE = 8  # rounds without any progress, which only rounding can cause
_CRUMB = 2e-3  # of the mean load, or hours of it: an array or battery that only the gap may keep
_PRICED = 1e-6  # gap at which the duals of limits are read
_POLISHED = 0.6  # the same for the polishing of given counts


@dataclasses.dataclass(frozen=True, eq=False)
class _Incumbent:
    plant: Plant
    operation: Operation
    cost_usd_per_yr: float


class _Infeasible(Exception):
    """The master has no solution."""


class _Stop(Exception):
    """A limit has been reached."""

    def __init__(self, limit: str) -> None:
        self.limit = limit
        super().__init__(limit)


def solve_cuts(
    case: Case,
    *,
    gap: float = 1e-4,
    time_limit_s: float | None = None,
    iteration_limit: int | None = None,
    warm_start: Plant | None = None,
    cut_pool: CutPool | None = None,
    progress: Progress | None = None,
    explains: bool = True,
    keeps_dispatch: bool = True,
    relaxes: bool = True,
) -> OptimizationResult:
    """Find the least-cost plant of a case by cuts from the exact dispatch.

    Parameters
    ----------
    case : Case
    gap : float
        Relative gap between incumbent and bound at which to stop. [fraction]
    time_limit_s : float, optional
        [s]
    iteration_limit : int, optional
        Most solves of the master.
    warm_start : Plant, optional
        A plant to start from, feasible or not.
    cut_pool : CutPool, optional
        Cuts of earlier solves on the same data; new ones are added to it.
    progress : callable, optional
        Called with one line of text for each solve of the whole-number master.
    explains : bool
        Look for the limits that bind when there is no design (this takes several more solves).
    keeps_dispatch : bool
        Return the dispatch of the incumbent.
    relaxes : bool
        Cut the linear relaxation before any units are whole: it costs more than it brings where the pool
        holds the cuts of a question nearby.

    Returns
    -------
    OptimizationResult
        With the dispatch of the incumbent.

    Raises
    ------
    InfeasibleDesign
        When no plant meets the request.
    NotProvenOptimal
        When a limit is reached before any feasible plant is known.
    ValueError
        When the pool belongs to other data.
    """
    if case.limits.n_plus:
        found = solve_cuts(
            working_case(case),
            gap=gap,
            time_limit_s=time_limit_s,
            iteration_limit=iteration_limit,
            warm_start=None if warm_start is None else working_plant(case, warm_start),
            cut_pool=cut_pool,
            progress=progress,
            explains=explains,
            keeps_dispatch=keeps_dispatch,
            relaxes=relaxes,
        )
        return with_spare_units(case, found)
    if cut_pool is not None and not cut_pool.fits(case):
        message = "the cut pool belongs to other weather, load, battery or units: start a new one"
        raise ValueError(message)
    pool = cut_pool or CutPool(case)
    end = None if time_limit_s is None else time.perf_counter() + time_limit_s
    solves = 0

    def size(bounded: Case, known: Plant | None) -> OptimizationResult:
        nonlocal solves
        left = None if iteration_limit is None else iteration_limit - solves
        search = _Search(bounded, gap, end, left, pool, progress)
        try:
            return search.solve(known or warm_start, keeps_dispatch=keeps_dispatch, relaxes=relaxes)
        except _Infeasible as error:
            reason = "no plant within the limits meets the budgets"
            raise InfeasibleDesign(reason) from error
        finally:
            solves += search.model.solves

    try:
        return unbound(including(case, warm_start), size)
    except InfeasibleDesign as error:
        if explains:
            raise explained(opened(case), pool) from error
        raise


class _Search:
    def __init__(
        self,
        case: Case,
        gap: float,
        end: float | None,
        iteration_limit: int | None,
        pool: CutPool,
        progress: Progress | None,
    ) -> None:
        self.start = time.perf_counter()
        self.case, self.gap, self.end = case, gap, end
        self.iteration_limit = iteration_limit
        self.pool = pool
        self.model = MasterModel(case, pool)
        self.say = progress or (lambda _: None)
        self.best: _Incumbent | None = None
        self.bound = -np.inf
        self.warm: tuple[Proposal, float] | None = None
        self.descents: dict[tuple[tuple[float, ...], int, tuple[bool, ...]], Descent[Proposal]] = {}

    # ------------------------------------------------------------------ outer loop

    def solve(self, warm_start: Plant | None, *, keeps_dispatch: bool, relaxes: bool) -> OptimizationResult:
        stopped_by = "gap"
        try:
            if warm_start is not None:
                self._try_plant(warm_start)
            if relaxes:
                self._relaxation()
            self._whole_numbers()
            self._leave_out_crumbs()
        except _Stop as stop:
            stopped_by = stop.limit
        except MasterStopped as stop:
            stopped_by = stop.report.status.value
            self.bound = max(self.bound, stop.report.bound * USD_PER_KUSD)
        return self._sizing(stopped_by, keeps_dispatch=keeps_dispatch)

    def _relaxation(self) -> None:
        """Cuts for the linear relaxation, until its own gap is a few times the one asked for."""
        descent: Descent[Proposal] = Descent()
        if self.warm is not None:
            descent.learn(*self.warm)
        while True:
            proposal = self._propose(whole=False)
            self.bound = max(self.bound, proposal.bound_usd_per_yr)
            if descent.ends(proposal.bound_usd_per_yr, np.inf, _RELAXED * self.gap):
                return
            self._step(descent, proposal)
            may_stop = self.end is not None or self.iteration_limit is not None
            if may_stop and self.best is None and descent.centre is not None:
                self._round_up(descent.centre)

    def _whole_numbers(self) -> None:
        """Let the master choose units and racks and polish its choice, until bound and best plant meet."""
        before, idle = (np.inf, -np.inf), 0
        while True:
            proposal = self._propose(whole=True)
            self.bound = max(self.bound, proposal.bound_usd_per_yr)
            self.say(self._news())
            if self._closed():
                return
            plant = self.model.plant(proposal)
            operation = self._operate(proposal, likely=False)
            self._keep(plant, operation, _side(idle))
            self._polish(plant, proposal.months_to_power, idle)
            if self._closed():
                return
            now = (self.best.cost_usd_per_yr if self.best else np.inf, self.bound)
            idle = idle + 1 if now == before else 0
            if idle > _MOST_IDLE:
                limit = "iteration_limit"
                raise _Stop(limit)
            before = now

    def _polish(self, counts: Plant, months: float, idle: int, gap: float | None = None) -> None:
        """Best sizes for given whole units and racks, or proof that they cannot be the best."""
        gap = _POLISHED * self.gap * 0.5**idle if gap is None else gap
        side = _side(idle)
        self.model.fix_counts(counts, months)
        self.model.keep_to(side)
        whole = [n for item, n in zip(self.case.flows, counts.counts, strict=True) if item.whole]
        choice = tuple(whole), counts.racks, self.model.arriving(counts, months)
        descent = self.descents.setdefault(choice, Descent())
        descent.resume()
        try:
            for turn in itertools.count():
                proposal = self._ask(whole=False)
                if proposal is None and turn == 0:  # units that just meet a budget leave no hair
                    side = Side.AT
                    self.model.keep_to(side)
                    proposal = self._ask(whole=False)
                known = self.best.cost_usd_per_yr if self.best else np.inf
                if proposal is None or descent.ends(proposal.bound_usd_per_yr, known, gap):
                    return
                overtaken = proposal.bound_usd_per_yr > above(self.bound, _OVERTAKEN * self.gap)
                if overtaken and turn >= _LEAST_TURNS:
                    return  # other counts may be better: let the master choose again
                trial, operation = self._step(descent, proposal, side)
                self._keep(self.model.plant(trial), operation, side)
        finally:
            self.model.keep_to(Side.ANY)
            self.model.free_counts()

    # ------------------------------------------------------------------ steps

    def _step(
        self, descent: Descent[Proposal], proposal: Proposal, side: Side = Side.AT
    ) -> tuple[Proposal, Operation]:
        """Operate a point between the proposal and the best one known; without one, a larger plant.

        Only what could be kept on that side of the budgets is learnt from as the best: a point within the
        tolerance on them would end the descent, and leave nothing.
        """
        trial = descent.trial(proposal)
        operation = self._operate(trial, likely=trial is not proposal)
        if descent.centre is None:
            for share in self._pushes(operation, proposal, side):
                trial = self._larger(proposal, 1.0 + share)
                operation = self._operate(trial)
                if _counts(operation, side):
                    break
        cost = operation.cost_usd_per_yr if _counts(operation, side) else np.inf
        descent.learn(trial, trial.capital_usd_per_yr + cost)
        return trial, operation

    def _ask(self, *, whole: bool) -> Proposal | None:
        """Solve the master unless a limit forbids it."""
        self._check_limits()
        left = None if self.end is None else self.end - time.perf_counter()
        return self.model.propose(whole=whole, gap=0.1 * self.gap, time_limit_s=left)

    def _propose(self, *, whole: bool) -> Proposal:
        proposal = self._ask(whole=whole)
        if proposal is None:
            raise _Infeasible
        return proposal

    def _operate(self, proposal: Proposal, *, likely: bool = True) -> Operation:
        units = self.pool.search.oracle.counts(proposal.point)
        budgets = budgets_of(self.case, proposal.rack_lost_mwh_per_yr, units)
        return self.pool.cut_at(proposal.point, budgets, likely=likely)

    def _pushes(self, operation: Operation, proposal: Proposal, side: Side) -> tuple[float, ...]:
        """Shares by which a plant that misses its uptime budgets by little might be enlarged."""
        budgets = budgets_of(self.case, proposal.rack_lost_mwh_per_yr).of_uptime()
        lost = budgets.lost(operation.totals)
        if _counts(operation, side) or not lost.any():
            return ()
        little = _PER_PUSH * np.maximum(budgets.limit, _LITTLE * budgets.size)
        return tuple(share for share in _PUSHES if np.all(lost <= budgets.limit + little * share))

    def _larger(self, proposal: Proposal, factor: float) -> Proposal:
        case, limits, old = self.case, self.case.limits, proposal.point
        acres = np.array([item.acres_per_mw for item in case.resources])
        resources = old.resources_mw.copy()
        for r, item in enumerate(case.resources):
            taken = float(np.delete(resources * acres, r).sum())
            resources[r] = min(resources[r] * factor, resource_most_mw(case, item, taken))
        units, imports_usd = self._larger_imports(old.units, factor)
        energy = min(old.battery_mwh * factor, battery_bounds(case, limits.battery_mwh)[1])
        power = min(old.battery_mw * factor, battery_bounds(case, limits.battery_mw)[1])
        if limits.min_duration_h:
            power = min(power, energy / limits.min_duration_h)
        if limits.max_duration_h is not None:
            energy = min(energy, power * limits.max_duration_h)
        extra = (
            sum(
                item.annual_cost_usd_per_mw * float(now - was)
                for item, now, was in zip(case.resources, resources, old.resources_mw, strict=True)
            )
            + case.battery_cost_usd_per_mwh_yr * (energy - old.battery_mwh)
            + case.battery_cost_usd_per_mw_yr * (power - old.battery_mw)
            + imports_usd
        )
        return dataclasses.replace(
            proposal,
            point=Point(resources, energy, power, units),
            capital_usd_per_yr=proposal.capital_usd_per_yr + extra,
        )

    def _larger_imports(self, units: FloatArray, factor: float) -> tuple[FloatArray, float]:
        """Enlarge the imports that may have any size; all units, and what it costs. [USD/yr]"""
        larger, extra, start = units.copy(), 0.0, self.pool.search.oracle.row_start
        for k, item in enumerate(self.case.imports, start=len(self.case.backup)):
            row = int(start[k])
            if not item.whole:
                larger[row] = max(units[row], min(units[row] * factor, units_allowed(self.case, item)))
                extra += item.annual_cost_usd_per_unit * float(larger[row] - units[row])
        return larger, extra

    def _keep(
        self, plant: Plant, operation: Operation, side: Side = Side.INSIDE, *, preferred: bool = False
    ) -> None:
        """Keep a plant that works, at what it costs itself: the master may pay for months that it spares.

        Only at the edge does it count as well what meets the budgets within the tolerance on them. One that
        is preferred may be dearer than the best, as far as the gap goes.
        """
        if not _counts(operation, side):
            return
        energy, lost = self._energy_and_lost(plant, operation)
        cost = annual_cost_usd(self.case, plant, energy, float(lost.sum()))
        found = _Incumbent(plant, operation, cost)
        chosen = preferred and self._within_gap(found)
        if self.best is None or cost < self.best.cost_usd_per_yr or chosen:
            self.best = found

    def _energy_and_lost(self, plant: Plant, operation: Operation) -> tuple[tuple[float, ...], FloatArray]:
        """Energy given or taken at each level, and weighted shed load of each class. [MWh/yr]"""
        case = self.case
        energy, lost = np.split(operation.totals, [case.priced])
        supplied = sum(len(item.levels) for item in case.supplies)
        wished = [
            n * mwh
            for sink, n in zip(case.sinks, plant.sinks, strict=True)
            for mwh in appetite_mwh(case, sink)
        ]
        taken = [most - missed for most, missed in zip(wished, energy[supplied:].tolist(), strict=True)]
        return (*energy[:supplied].tolist(), *taken), lost

    def _turnover(self, best: _Incumbent) -> float:
        """Money of which a cost near nothing is the rest, to which rounding is in proportion. [USD/yr]"""
        return 1.0 + turnover_usd(self.case, self._energy_and_lost(best.plant, best.operation)[0])

    def _closed(self) -> bool:
        """Whether bound and best plant are within the gap."""
        return self.best is not None and self._within_gap(self.best)

    def _within_gap(self, found: _Incumbent) -> bool:
        """Whether a plant is within the gap of the bound; of a cost near nothing the turnover counts."""
        scale = gap_scale_usd(found.cost_usd_per_yr, self._turnover(found))
        return found.cost_usd_per_yr - self.bound <= self.gap * scale

    def _round_up(self, proposal: Proposal) -> None:
        """Whole units and racks that do at least as much: a first plant, should a limit stop the search."""
        self._try_plant(self.model.plant(proposal, lambda count: math.ceil(count - 1e-6)))

    def _try_plant(self, plant: Plant, *, preferred: bool = False) -> None:
        """Operate a plant given from outside, brought within the bounds, if the other limits allow it."""
        plant = _within_bounds(self.case, plant)
        self.model.fix_counts(plant, slowest_lead(self.case, plant)[0])
        self.model.fix_plant(plant)
        proposal = self._ask(whole=False)
        self.model.free_plant()
        self.model.free_counts()
        if proposal is not None:
            operation = self._operate(proposal)
            self._keep(plant, operation, preferred=preferred)
            if operation.feasible and self.warm is None:
                self.warm = proposal, proposal.capital_usd_per_yr + operation.cost_usd_per_yr

    def _leave_out_crumbs(self) -> None:
        """Build no resource or battery of next to no size where the gap allows to be without."""
        assert self.best is not None  # the search has come to its end
        plant, crumb = self.best.plant, _CRUMB * float(self.case.load_mw.mean())
        resources = tuple(0.0 if mw < crumb else mw for mw in plant.resources_mw)
        battery = (0.0, 0.0) if plant.battery_mwh < crumb else (plant.battery_mwh, plant.battery_mw)
        without = dataclasses.replace(
            plant, resources_mw=resources, battery_mwh=battery[0], battery_mw=battery[1]
        )
        if without != plant and without == _within_bounds(self.case, without):
            with contextlib.suppress(_Stop, MasterStopped):  # the answer stands without it
                self._try_plant(without, preferred=True)

    def _check_limits(self) -> None:
        if self.end is not None and time.perf_counter() >= self.end:
            limit = "time_limit"
            raise _Stop(limit)
        if self.iteration_limit is not None and self.model.solves >= self.iteration_limit:
            limit = "iteration_limit"
            raise _Stop(limit)

    def _news(self) -> str:
        cost = "none yet" if self.best is None else f"{self.best.cost_usd_per_yr / 1e6:,.3f}"
        return f"master {self.model.solves}: best {cost}, bound {self.bound / 1e6:,.3f} M USD/yr"

    def _sizing(self, stopped_by: str, *, keeps_dispatch: bool) -> OptimizationResult:
        best = self.best
        if best is None:
            message = f"stopped by the {stopped_by.replace('_', ' ')} before any feasible plant was found"
            raise NotProvenOptimal(message, None, self.bound)
        if self.bound > above(best.cost_usd_per_yr, _ROUNDING) + _ROUNDING * self._turnover(best):
            message = (
                f"bound {self.bound} above the plant's cost {best.cost_usd_per_yr}: a fault of the optimiser"
            )
            raise AssertionError(message)
        energy, lost = self._energy_and_lost(best.plant, best.operation)
        iterations = self.model.solves
        budget_prices, limit_prices = self._prices(best.plant)
        prices = budget_prices[: len(self.case.classes)]
        dispatch = None
        if keeps_dispatch:
            oracle = self.pool.search.oracle
            dispatch = mixed_dispatch(oracle, oracle.point(best.plant), best.operation)
        return OptimizationResult(
            plant=best.plant,
            objective_usd_per_yr=best.cost_usd_per_yr,
            bound_usd_per_yr=min(self.bound, best.cost_usd_per_yr),
            backup_mwh_per_yr=tuple(map(sum, by_flow(self.case, energy)[: len(self.case.backup)])),
            lost_mwh_per_yr=float(lost.sum()),
            method="cuts",
            stopped_by=stopped_by,
            seconds=time.perf_counter() - self.start,
            iterations=iterations,
            uptime_price_usd_per_mwh=max(prices) if prices else None,
            uptime_prices=prices,
            budget_prices=budget_prices,
            limit_prices=limit_prices,
            lost_by_class_mwh_per_yr=tuple(lost.tolist()),
            lost_value_usd_per_yr=lost_value_usd(self.case, best.plant, float(lost.sum())),
            dispatch=dispatch,
            level_mwh_per_yr=energy,
            turnover_usd_per_yr=self._turnover(best),
        )

    def _prices(self, plant: Plant) -> tuple[tuple[float, ...], dict[str, float]]:
        """Duals of the budgets and of the limits at the incumbent's units and racks.

        Those of limits that bind are looked at again when the cuts there are close enough to tell them.
        """
        months = slowest_lead(self.case, plant)[0]
        prices = self._duals(plant, months)
        if any(abs(usd) >= 1.0 for usd in prices[1].values()):
            with contextlib.suppress(_Stop, MasterStopped):  # then they are as near as the gap
                self._polish(plant, months, 0, _PRICED)
            return prices[0], self._duals(plant, months)[1]
        return prices

    def _duals(self, plant: Plant, months: float) -> tuple[tuple[float, ...], dict[str, float]]:
        self.model.fix_counts(plant, months)
        for side in (Side.INSIDE, Side.AT):
            self.model.keep_to(side)
            if self.model.propose(whole=False) is not None:
                return self.model.budget_prices(), self.model.limit_prices()
        return (), {}


def _side(idle: int) -> Side:
    """Where to look for plants after so many rounds without any progress."""
    return Side.INSIDE if idle < _EDGED else Side.AT


def _within_bounds(case: Case, plant: Plant) -> Plant:
    def clip(value: float, bounds: tuple[float, float]) -> float:
        return min(max(value if value > NOTHING else 0.0, bounds[0]), bounds[1])

    units = tuple(
        int(min(max(count, item.units_min), max(item.units_min, units_allowed(case, item))))
        for count, item in zip(plant.units, case.backup, strict=True)
    )
    power = max(plant.battery_mw, least_battery_mw(case, units))
    return Plant(
        tuple(
            clip(mw, resource_bounds(case, item))
            for item, mw in zip(case.resources, plant.resources_mw, strict=True)
        ),
        clip(plant.battery_mwh, battery_bounds(case, case.limits.battery_mwh)),
        clip(power, battery_bounds(case, case.limits.battery_mw)),
        units,
        min(max(plant.racks, case.racks_contracted, case.racks_min), case.racks_max),
        *clipped_flows(plant, case),
    )


def _counts(operation: Operation, side: Side) -> bool:
    """Whether a plant meets its budgets: at the edge of them, the tolerance on them counts as well."""
    return operation.strict or (operation.feasible and side is Side.AT)
