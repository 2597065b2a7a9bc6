"""The small model above the dispatch: capacities, counts and annual totals, with cuts as rows."""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from threading import Lock
from typing import Any

import numpy as np
import pyomo.environ as pyo

from sitedesign.case.case import Case, FloatArray, ImportCase, SinkCase
from sitedesign.case.limits import ANNUAL_LIMITS, hours_limits
from sitedesign.case.plant import Plant, imports_used
from sitedesign.equations.variables import USD_PER_KUSD
from sitedesign.optimize.annual_budgets import budgets_of
from sitedesign.optimize.branch_and_bound import branch_and_bound
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.optimize.dispatch_oracle import Point
from sitedesign.optimize.extensive_form import add_capacity_model, building, expression_of, importance
from sitedesign.optimize.highs import PersistentHighs, SolveReport, Status
from sitedesign.optimize.infeasibility import Quantity
from sitedesign.optimize.limit_prices import limit_prices

_TOLERANCE = 1e-9  # of the solver: MWh a year in the rows of budgets, far below what counts as meeting one
_VIOLATED = 2e-7  # of a scaled cut: above the solver's tolerance, and far below that too
_MOMENT = 1e-6  # months: rounding of the solver
_AT_ONCE = 30  # pooled cuts brought in per round
_MODELLING = Lock()  # Pyomo promises nothing to two threads


class MasterStopped(Exception):
    """The master ran into a limit; carries the solver's report."""

    def __init__(self, report: SolveReport) -> None:
        self.report = report
        super().__init__(report.status.value)


class Side(enum.Enum):
    """Where proposals lie: anywhere the budgets count as met, a hair inside them, or just at them."""

    ANY = enum.auto()
    INSIDE = enum.auto()
    AT = enum.auto()


@dataclass(frozen=True, eq=False)
class Proposal:
    """Solution of the master.

    Attributes
    ----------
    point : Point
    racks : float
    rack_lost_mwh_per_yr : float
        Downtime that broken racks use up. [MWh/yr]
    months_to_power : float
        [months]
    totals : ndarray, shape (K + C,)
        What the cuts so far let the operation be. [MWh/yr]
    capital_usd_per_yr : float
        All costs but those of the totals: of energy, and of the compute lost for want of it. [USD/yr]
    objective_usd_per_yr, bound_usd_per_yr : float
        Of the master: both are lower bounds of what they propose. [USD/yr]
    """

    point: Point
    racks: float
    rack_lost_mwh_per_yr: float
    months_to_power: float
    totals: FloatArray
    capital_usd_per_yr: float
    objective_usd_per_yr: float
    bound_usd_per_yr: float

    def towards(self, other: Proposal, share: float) -> Proposal:
        """Point between this proposal (share 0) and another (share 1)."""

        def mix(a: float, b: float) -> float:
            return a + share * (b - a)

        mine, yours = self.point, other.point
        between = Point(
            mine.resources_mw + share * (yours.resources_mw - mine.resources_mw),
            mix(mine.battery_mwh, yours.battery_mwh),
            mix(mine.battery_mw, yours.battery_mw),
            mine.units + share * (yours.units - mine.units),
        )
        return Proposal(
            between,
            mix(self.racks, other.racks),
            mix(self.rack_lost_mwh_per_yr, other.rack_lost_mwh_per_yr),
            mix(self.months_to_power, other.months_to_power),
            self.totals + share * (other.totals - self.totals),
            mix(self.capital_usd_per_yr, other.capital_usd_per_yr),
            self.objective_usd_per_yr,
            self.bound_usd_per_yr,
        )


class MasterModel:
    """Pyomo model kept alive in HiGHS, fed with the cuts of a pool as they are needed.

    Parameters
    ----------
    case : Case
    pool : CutPool

    Attributes
    ----------
    solves : int
        Proposals asked for so far.
    least : float
        Objective of the last proposal, in the unit of the objective.
    """

    def __init__(self, case: Case, pool: CutPool) -> None:
        self.case, self.pool, self.solves, self.least = case, pool, 0, -np.inf
        self._m = m = pyo.ConcreteModel(name=case.name)
        with _MODELLING:
            with building():
                add_capacity_model(m, case)
            self._highs = PersistentHighs(m, {"primal_feasibility_tolerance": _TOLERANCE})
        self._totals = [
            *m.energy_mwh_per_yr.values(),
            *m.missed_mwh_per_yr.values(),
            *(m.lost_mwh_per_yr[c.name] for c in case.classes),
        ]
        self._units = [self._rows_of(k) for k in range(len(case.flows))]
        self._capacities = [
            *m.resource_mw.values(),
            m.battery_mwh,
            m.battery_mw,
            *(v for rows in self._units for v in rows),
        ]
        self._importance = importance(m)
        self._highs.relax_integers()
        self._used = np.array([v is not None for v in [*self._totals, *self._capacities]])
        self._columns = [self._highs.column(v) for v in [*self._totals, *self._capacities] if v is not None]
        self._budgets = budgets_of(case, 0.0)
        self._inside = [self._add_tightened(i) for i in range(len(self._budgets.limit))]
        self._in_model = np.zeros(0, dtype=bool)
        self._meet_budgets_as_dispatch_does()
        self.keep_to(Side.ANY)

    def _rows_of(self, k: int) -> list[Any]:
        """Variables that count the units of each capability row; None where no unit is allowed."""
        m, item, start = self._m, self.case.flows[k], self.pool.search.oracle.row_start
        if item.capability.shape[0] == 1:
            return [(m.units if k < len(self.case.supplies) else m.sink_units)[item.name]]
        rows = range(int(start[k + 1] - start[k]))
        return [m.unit_built[item.name, i] if (item.name, i) in m.unit else None for i in rows]

    # ------------------------------------------------------------------ what may vary

    def _meet_budgets_as_dispatch_does(self) -> None:
        """Widen the rows of the budgets to what counts as met: the bound is that of all such plants."""
        for row, by in zip(self._rows_of_budgets(), self._budgets.tolerance, strict=True):
            if row is not None:
                self._highs.widen(row, float(by))

    def _rows_of_budgets(self) -> list[Any]:
        """Constraint of each budget; None for a class that asks for nothing."""
        m, own = self._m, self._m.uptime
        rows = [own[c.name] if c.name in own else None for c in self.case.classes]  # noqa: SIM401
        rows += [row for own in ANNUAL_LIMITS if (row := m.component(own.equation)) is not None]
        return rows + [m.run_hours[item.name] for _, item, _ in hours_limits(self.case)]

    def keep_to(self, side: Side) -> None:
        """Ask for a hair more than the budgets, so that what is proposed can truly meet them."""
        given = self._budgets
        limits = {
            Side.ANY: np.full(given.limit.shape, np.inf),
            Side.INSIDE: given.fixed_limit - given.hair,
            Side.AT: (given.fixed_limit + (given.fixed_limit + given.tolerance)) / 2,
        }[side]
        for row, limit in zip(self._inside, limits, strict=True):
            self._highs.set_row_bounds(row, -np.inf, limit)

    def minimise(self, quantity: Quantity) -> None:
        """Minimise another quantity than cost; :attr:`least` is then its value in the last proposal."""
        self._highs.set_objective(expression_of(self._m, quantity))

    def arriving(self, plant: Plant, months: float) -> tuple[bool, ...]:
        """Whether each resource, a battery and each import may be there by then; always if delay is free.

        Imports of which any size has a price of its own are counted like units.
        """
        case, limit = self.case, self.case.limits.months_to_power
        by = months + _MOMENT if case.delay_cost_usd_per_month_yr > 0.0 else np.inf
        by = by if limit is None else min(by, limit)
        imports = (
            item.lead_months <= by and (item.site_cost_usd_per_yr <= 0.0 or used)
            for item, used in zip(case.imports, imports_used(case, plant), strict=True)
        )
        return *(r.lead_months <= by for r in case.resources), case.battery_lead_months <= by, *imports

    def fix_counts(self, plant: Plant, months: float) -> None:
        """Hold whole units and racks at those of a plant; of the rest what comes in time stays free.

        Parameters
        ----------
        plant : Plant
        months : float
            First power that is paid for. [months]
        """
        m, highs = self._m, self._highs
        imports = (m.technology_used[item.name] for item in self.case.imports)
        built = (*m.resource_built.values(), m.battery_built, *imports)
        for variable, there in zip(built, self.arriving(plant, months), strict=True):
            highs.fix(variable, float(there))
        highs.fix(m.racks, plant.racks)
        for flow, variable, count in self._sized(plant):
            if flow.whole:
                highs.fix(variable, count)
        for k, (item, count) in enumerate(zip(self.case.backup, plant.units, strict=True)):
            highs.fix(m.units[item.name], count)
            highs.fix(m.technology_used[item.name], float(count > 0))
            if item.capability.shape[0] > 1:
                for i, built in enumerate(self._units[k]):
                    if built is not None:
                        highs.fix(built, float(i < count))

    def _sized(self, plant: Plant) -> Iterator[tuple[ImportCase | SinkCase, Any, float]]:
        """Go through imports and sinks with their variables and sizes."""
        case, m = self.case, self._m
        yield from zip(case.imports, (m.units[i.name] for i in case.imports), plant.imports, strict=True)
        yield from zip(case.sinks, m.sink_units.values(), plant.sinks, strict=True)

    def fix_plant(self, plant: Plant) -> None:
        """Hold all sizes at those of a plant."""
        for _, variable, size in self._sized(plant):
            self._highs.fix(variable, size)
        for variable, mw in zip(self._m.resource_mw.values(), plant.resources_mw, strict=True):
            self._highs.fix(variable, mw)
        self._highs.fix(self._m.battery_mwh, plant.battery_mwh)
        self._highs.fix(self._m.battery_mw, plant.battery_mw)

    def free_plant(self) -> None:
        """Undo :meth:`fix_plant`."""
        m = self._m
        flows = (*(m.units[item.name] for item in self.case.imports), *m.sink_units.values())
        for variable in (*m.resource_mw.values(), m.battery_mwh, m.battery_mw, *flows):
            self._highs.unfix(variable)

    def free_counts(self) -> None:
        """Undo :meth:`fix_counts`."""
        m = self._m
        built = [v for rows in self._units for v in rows if v is not None]
        there = [*m.resource_built.values(), m.battery_built, *m.technology_used.values()]
        for variable in [m.racks, *m.units.values(), *m.sink_units.values(), *there, *built]:
            self._highs.unfix(variable)

    # ------------------------------------------------------------------ solving

    def propose(
        self, *, whole: bool, gap: float = 1e-5, time_limit_s: float | None = None
    ) -> Proposal | None:
        """Solve the master with the cuts known so far.

        Parameters
        ----------
        whole : bool
            Whole units and racks, or the linear relaxation.
        gap : float
            Relative gap of a whole-number solve. [fraction]
        time_limit_s : float, optional
            [s]

        Returns
        -------
        Proposal or None
            None when the master is infeasible: then no plant meets the request.

        Raises
        ------
        MasterStopped
            When the time limit ends the solve.
        """
        self.solves += 1
        end = None if time_limit_s is None else time.perf_counter() + time_limit_s
        while True:
            left = None if end is None else max(end - time.perf_counter(), 1e-3)
            if whole:
                # HiGHS spends 40 ms on presolve and heuristics, a dozen warm nodes take a tenth of that.
                report = branch_and_bound(self._highs, self._importance, gap=gap, time_limit_s=left).report
                self.free_counts()
            else:
                report = self._highs.solve(time_limit_s=left)
            if report.status is Status.INFEASIBLE:
                return None
            if report.status is not Status.OPTIMAL:
                raise MasterStopped(report)
            proposal = self._read(report)
            if not self._bring_in(proposal):
                return proposal

    def budget_prices(self) -> tuple[float, ...]:
        """Duals of the budgets, of classes first, after a relaxed solve that stayed inside. [USD per unit]"""
        pairs = zip(self._inside, self._rows_of_budgets(), strict=True)
        duals = [
            self._highs.dual(inside) + (0.0 if row is None else self._highs.dual(row))
            for inside, row in pairs
        ]
        return tuple(max(0.0, -USD_PER_KUSD * dual) for dual in duals)

    def limit_prices(self) -> dict[str, float]:
        """Find what one more unit of each limit saves, after a relaxed solve (:func:`limit_prices`)."""
        return limit_prices(self._m, self._highs, self.case)

    def plant(self, proposal: Proposal, whole: Callable[[float], int] = round) -> Plant:
        """Plant of a proposal, with whole units and racks."""
        start, rows = self.pool.search.oracle.row_start, proposal.point.units
        counts: list[float] = []
        for item, (a, b) in zip(self.case.flows, pairwise(start), strict=True):
            count = float(rows[a:b].sum())
            counts.append(whole(count) if item.whole else count)
        backup, supplies = len(self.case.backup), len(self.case.supplies)
        units, imports, sinks = counts[:backup], counts[backup:supplies], counts[supplies:]
        point = proposal.point
        return Plant(
            tuple(point.resources_mw.tolist()),
            float(point.battery_mwh),
            float(point.battery_mw),
            tuple(map(int, units)),
            whole(proposal.racks),
            tuple(imports),
            tuple(sinks),
        )

    # ------------------------------------------------------------------ inside

    def _read(self, report: SolveReport) -> Proposal:
        m = self._m
        values = np.zeros(self._used.size)
        values[self._used] = self._highs.values(
            [v for v in [*self._totals, *self._capacities] if v is not None]
        )
        totals, capacities = values[: len(self._totals)], np.maximum(values[len(self._totals) :], 0.0)
        objective, self.least = report.objective * USD_PER_KUSD, report.objective
        return Proposal(
            self.pool.search.oracle.columns.point(capacities),
            self._highs.value(m.racks),
            max(self._highs.value(m.rack_lost_mwh_per_yr), 0.0),
            self._highs.value(m.months_to_power),
            totals,
            objective - float(self._budgets.cost @ totals),
            objective,
            report.bound * USD_PER_KUSD,
        )

    def _bring_in(self, proposal: Proposal) -> bool:
        """Add pooled cuts that the proposal violates, worst first."""
        known = np.zeros(self.pool.count, dtype=bool)
        known[: self._in_model.size] = self._in_model
        self._in_model = known
        if known.all():
            return False
        violation = self.pool.missing(proposal.totals, proposal.point.vector)
        violation[known] = 0.0
        worst = np.argsort(-violation)[:_AT_ONCE]
        worst = worst[violation[worst] > _VIOLATED]
        for number in worst.tolist():
            self._add_row(number)
        return bool(worst.size)

    def _add_row(self, number: int) -> None:
        coefficients, lower = self.pool.row(number)
        self._highs.add_row(self._columns, coefficients[self._used], lower, np.inf)
        self._in_model[number] = True

    def _add_tightened(self, budget: int) -> int:
        columns = [self._highs.column(v) for v in self._totals]
        coefficients = self._budgets.rows[budget].tolist()
        hours = budget - self._budgets.limit.size + self._budgets.of_units
        if hours >= 0:  # the limit grows with the units
            _, item, most_h = list(hours_limits(self.case))[hours]
            columns.append(self._highs.column(self._m.units[item.name]))
            coefficients.append(-most_h * item.unit_mw)
        if budget < len(self.case.classes):
            columns.append(self._highs.column(self._m.rack_lost_mwh_per_yr))
            coefficients.append(self.case.classes[budget].share)
        return self._highs.add_row(columns, coefficients, -np.inf, np.inf)
