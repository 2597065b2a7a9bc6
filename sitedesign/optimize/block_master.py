"""One small model over many blocks, stages or sites: tied by rows of the caller, fed with shared cuts.

The least operating cost Q is positively homogeneous: every size scales with the load, so Q(a x, a load) =
a Q(x, load) for each a > 0. A cut found for a load therefore holds for any share of it when its constant is
multiplied by the share: ``prices @ totals >= share * coefficients[0] + coefficients[1:] @ capacities``.
Blocks on the same weather share one pool; a cut enters a block only where that block's point violates it.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyomo.environ as pyo

from sitedesign.case.case import Case, FloatArray
from sitedesign.case.limits import ANNUAL_LIMITS, hours_limits
from sitedesign.case.rack_shortfall import expected_shortfall, shortfall_plane_at, shortfall_planes
from sitedesign.equations.variables import USD_PER_KUSD
from sitedesign.optimize.annual_budgets import HAIR, Budgets, budgets_of
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.optimize.dispatch_oracle import Point
from sitedesign.optimize.extensive_form import add_capacity_model, building
from sitedesign.optimize.highs import PersistentHighs, Status
from sitedesign.optimize.master_problem import MasterStopped

#: Adds variables and rows over ``m.block[i]`` to the model; returns further cost. [thousand USD]
Coupling = Callable[[pyo.ConcreteModel], Any]

_TOLERANCE = 1e-9  # of the solver, as in the master of one case
_VIOLATED = 2e-7  # of a scaled cut: above that tolerance
_AT_ONCE = 30  # pooled cuts brought into a block per round
_WIDE = 1e-2  # of a budget: how far inside it the first point is looked for
_SAME_LOAD = 1e-9
_ROUNDING = 1e-6  # of what the master reckons with for broken racks
_LEAST_ROOM = 1e-3  # of a downtime budget: with less lost one more spare rack wins nothing
_FEWER = 0.99  # of the racks: with more the chords of all are as good
_NO_LOSS = 1e-9  # of the load: what broken racks may lose without a word
NO_LOAD = 1e-6  # share of the load below which there is none


class Side(enum.Enum):
    """Where proposals lie: anywhere the budgets count as met, well inside, a hair inside, or just at them."""

    ANY = enum.auto()
    WIDE = enum.auto()
    INSIDE = enum.auto()
    AT = enum.auto()


@dataclass(frozen=True, eq=False)
class Block:
    """One plant among many that are decided together.

    Attributes
    ----------
    name : str
    case : Case
        Its own load, prices, bounds and budgets; every technology with units that derate alike. A bound that
        is derived, not given, is best opened (:func:`sitedesign.case.plant_limits.opened`).
    pool : CutPool
        Cuts of the same data at another size of the load; blocks may share one.
    weight : float
        Years that a year of it counts for, discounted. [yr]
    scale : float
        Its load over the pool's. [fraction]
    share : tuple of float, optional
        Bounds of the share of its load that is there, where that is decided as well. [fraction]
    """

    name: str
    case: Case
    pool: CutPool
    weight: float = 1.0
    scale: float = 1.0
    share: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Refuse a pool of other data."""
        pooled = self.pool.search.oracle
        if pooled.rows != len(self.case.flows) or self.case.limits.n_plus:
            message = f"block {self.name}: needs units that derate alike and no spare ones"
            raise ValueError(message)
        load = self.scale * pooled.case.load_mwh_per_yr
        if abs(load - self.case.load_mwh_per_yr) > _SAME_LOAD * load:
            message = f"block {self.name}: its load is not {self.scale} of the load of its pool"
            raise ValueError(message)


@dataclass(frozen=True, eq=False)
class BlocksProposal:
    """Solution of the master, or a point between two.

    Attributes
    ----------
    x : ndarray, shape (columns,)
        All of the master's variables.
    fixed_usd : float
        All costs but those of the totals. [USD]
    objective_usd, bound_usd : float
        Of the master: both are lower bounds of what it proposes. [USD]
    """

    x: FloatArray
    fixed_usd: float
    objective_usd: float
    bound_usd: float

    def towards(self, other: BlocksProposal, share: float) -> BlocksProposal:
        """Point between this proposal (share 0) and another (share 1)."""
        return replace(
            self,
            x=self.x + share * (other.x - self.x),
            fixed_usd=self.fixed_usd + share * (other.fixed_usd - self.fixed_usd),
        )


@dataclass(frozen=True, eq=False)
class _Columns:
    """Where the variables of one block stand."""

    totals: FloatArray
    capacities: FloatArray
    racks: int
    rack_lost: int
    share: int | None


class BlockMaster:
    """Many blocks and what ties them, kept alive in HiGHS.

    Parameters
    ----------
    blocks : sequence of Block
    couple : callable
        Gets the model, whose blocks are ``m.block[0]`` and on, each with the variables of
        :func:`sitedesign.equations.variables.declare_capacities`.

    Attributes
    ----------
    model : pyomo.environ.ConcreteModel
    solves : int
        Proposals asked for so far.
    """

    def __init__(self, blocks: Sequence[Block], couple: Coupling) -> None:
        self.blocks, self.solves = tuple(blocks), 0
        self.model = m = pyo.ConcreteModel(name="blocks")
        with building():
            m.block = pyo.Block(range(len(blocks)))
            for i, item in enumerate(self.blocks):
                add_block(m.block[i], item)
            extra = couple(m)
            cost = sum(item.weight * m.block[i].annual_cost.expr for i, item in enumerate(self.blocks))
            m.cost = pyo.Objective(expr=cost + extra)
        self._highs = PersistentHighs(m, {"primal_feasibility_tolerance": _TOLERANCE})
        self._integers = self._highs.integers
        self._running: dict[int, tuple[int, int]] = {}  # racks of a block, at least and at most
        self._chords: dict[int, list[int]] = {}
        self._highs.relax_integers()
        self._budgets = [budgets_of(item.case, 0.0) for item in self.blocks]
        self._columns = [self._columns_of(i) for i in range(len(self.blocks))]
        self._in_model = [np.zeros(0, dtype=bool) for _ in self.blocks]
        self._rows = {side: list(self._tightened(side)) for side in (Side.WIDE, Side.INSIDE, Side.AT)}
        for i, budgets in enumerate(self._budgets):
            for row, by in zip(self._budget_rows(i), budgets.tolerance, strict=True):
                if row is not None:
                    self._highs.widen(row, float(by))
        self.keep_to(Side.ANY)

    def _columns_of(self, i: int) -> _Columns:
        b, column = self.model.block[i], self._highs.column
        sizes = (*b.resource_mw.values(), b.battery_mwh, b.battery_mw)
        flows = (*b.units.values(), *b.sink_units.values())
        totals = (
            *b.energy_mwh_per_yr.values(),
            *b.missed_mwh_per_yr.values(),
            *b.lost_mwh_per_yr.values(),
        )
        return _Columns(
            np.array([column(v) for v in totals]),
            np.array([column(v) for v in (*sizes, *flows)]),
            column(b.racks),
            column(b.rack_lost_mwh_per_yr),
            None if self.blocks[i].share is None else column(b.share),
        )

    # ------------------------------------------------------------------ what may vary

    def _budget_rows(self, i: int) -> list[Any]:
        """Constraint of each budget of a block; None for a class that asks for nothing."""
        b, item = self.model.block[i], self.blocks[i].case
        rows = [b.uptime[c.name] if c.name in b.uptime else None for c in item.classes]  # noqa: SIM401
        rows += [row for own in ANNUAL_LIMITS if (row := b.component(own.equation)) is not None]
        return rows + [b.run_hours[tech.name] for _, tech, _ in hours_limits(item)]

    def _tightened(self, side: Side) -> Iterator[tuple[int, float]]:
        """Add the budgets of all blocks once more, tightened; rows with their upper bounds."""
        for i, budgets in enumerate(self._budgets):
            columns, item = self._columns[i], self.blocks[i]
            for number, most in enumerate(_most(budgets, side).tolist()):
                used = np.flatnonzero(budgets.rows[number])
                at, values = columns.totals[used].tolist(), budgets.rows[number][used].tolist()
                if number < budgets.classes:
                    at.append(columns.rack_lost)
                    values.append(item.case.classes[number].share)
                if (hours := number - budgets.limit.size + budgets.of_units) >= 0:  # it grows with the units
                    k, tech, most_h = list(hours_limits(item.case))[hours]
                    at.append(int(columns.capacities[len(item.case.resources) + 2 + k]))
                    values.append(-most_h * tech.unit_mw * (1.0 if side is Side.AT else 1.0 - HAIR))
                if columns.share is not None and np.isfinite(most) and _scales(budgets, number, item.case):
                    at.append(columns.share)
                    values.append(-most)
                    most = 0.0
                yield self._highs.add_row(at, values, -np.inf, np.inf), most

    def keep_to(self, side: Side) -> None:
        """Ask for more than the budgets, so that what is proposed can truly meet them."""
        for known, rows in self._rows.items():
            for row, most in rows:
                self._highs.set_row_bounds(row, -np.inf, most if known is side else np.inf)

    def fix_whole(self, proposal: BlocksProposal, room: float = 0.0) -> None:
        """Hold all whole numbers at those of a proposal, and broken racks at what they then cost.

        The master takes spare racks of a share of the load for the same share of those of all of it, which is
        a bound: few racks need more spare ones. They get as many as lose no more than it reckons with, or
        than some room in their budgets: a part of a budget may be cheaper than a rack.

        Parameters
        ----------
        proposal : BlocksProposal
        room : float
            Share of the downtime budgets that broken racks may use up at least. [fraction]
        """
        for variable in self._integers:
            self._highs.fix(variable, float(np.rint(self.value(proposal, variable))))
        for i, item in enumerate(self.blocks):
            if item.share is None:
                continue
            b = self.model.block[i]
            racks, running = (round(self.value(proposal, v)) for v in (b.racks, b.racks_running))
            reckoned = max(self.value(proposal, b.rack_lost_mwh_per_yr), 0.0) * (1 + _ROUNDING)
            reckoned = max(reckoned, max(room, _LEAST_ROOM) * _downtime_mwh(item.case, running))
            while racks < item.case.racks_max and rack_lost_mwh(item.case, racks, running) > reckoned:
                racks += 1
            self._highs.fix(b.racks, float(racks))
            self._highs.set_bounds(b.rack_lost_mwh_per_yr, rack_lost_mwh(item.case, racks, running), np.inf)

    def free_whole(self) -> None:
        """Undo :meth:`fix_whole`."""
        for variable in self._integers:
            self._highs.unfix(variable)
        for i, item in enumerate(self.blocks):
            if item.share is not None:
                self._highs.unfix(self.model.block[i].rack_lost_mwh_per_yr)

    def tighten_shares(self, most_usd: float = np.inf) -> bool:
        """Bound each share that is decided by what the cuts so far allow, with the spare racks of that.

        A share t of K racks loses at least t times what K racks lose with a share t of the spare ones, as
        large numbers even out. Where what can be delivered bounds the share, that of the fewer racks is
        nearly what they truly lose. Where a plan is known, its cost bounds the share from below as well:
        between two close numbers of racks what is lost is nearly a straight line.

        Parameters
        ----------
        most_usd : float
            Cost of a plan that is known: what costs more is not looked for. [USD]

        Returns
        -------
        bool
            Whether a share is bounded more closely than before.
        """
        known, closer = None, False
        if np.isfinite(most_usd):
            limit = pyo.Constraint(expr=self.model.cost.expr <= most_usd / USD_PER_KUSD)
            self.model.del_component("known_cost")
            self.model.add_component("known_cost", limit)
            known = self._highs.add_constraint(limit)
        for i, item in enumerate(self.blocks):
            if item.share is None or item.case.rack_availability >= 1.0:
                continue
            most = self._extreme_racks(i, -1.0)
            least = 0 if known is None else self._extreme_racks(i, 1.0)
            if most is None or least is None:
                break
            closer = self._bound_racks(i, least, most) or closer
        if known is not None:  # the bounds that it gave stay
            self._highs.set_row_bounds(known, -np.inf, np.inf)
        self._highs.set_objective(self.model.cost.expr)
        return closer

    def _extreme_racks(self, i: int, sign: float) -> int | None:
        """Fewest racks of a block (1) or most (-1) that the cuts so far let run; None without an answer."""
        racks, share = self.blocks[i].case.racks_contracted, self.model.block[i].share
        self._highs.set_objective(sign * share)
        report = self._highs.solve()
        if report.status is not Status.OPTIMAL:
            return None
        if sign > 0.0:
            return max(math.ceil((report.objective - _ROUNDING) * racks), 0)
        return min(math.floor((_ROUNDING - report.objective) * racks), racks)

    def _bound_racks(self, i: int, least: int, most: int) -> bool:
        """Let between so many racks of a block run, with the spare ones of those; whether this is news."""
        racks, share = self.blocks[i].case.racks_contracted, self.model.block[i].share
        known = self._running.get(i, (0, racks))
        least, most = max(least, known[0]), min(most, known[1])
        if (least, most) == known or least > most:
            return False
        self._running[i] = least, most
        low, high = self._highs.bounds(share)
        self._highs.set_bounds(share, max(low, least / racks), min(high, most / racks))
        for row in self._chords.pop(i, []):
            self._highs.set_row_bounds(row, -np.inf, np.inf)
        if most > 0 and (least > 0 or most < _FEWER * racks):
            case = self.blocks[i].case
            planes = shortfall_planes(least, most, case.racks_max, case.rack_availability)
            self._chords[i] = [self._add_plane(i, plane) for plane in planes]
        return True

    def cut_shortfalls(self, proposal: BlocksProposal) -> None:
        """Bound what broken racks lose at the whole numbers of a proposal, where it reckons with less."""
        for i, (least, most) in self._running.items():
            case, b, columns = self.blocks[i].case, self.model.block[i], self._columns[i]
            racks, running = (round(self.value(proposal, v)) for v in (b.racks, b.racks_running))
            reckoned, lost = float(proposal.x[columns.rack_lost]), rack_lost_mwh(case, racks, running)
            if lost <= reckoned * (1 + _ROUNDING) + _NO_LOSS * case.load_mwh_per_yr:
                continue
            plane = shortfall_plane_at((running, racks), least, most, case.racks_max, case.rack_availability)
            if plane is not None:
                self._chords.setdefault(i, []).append(self._add_plane(i, plane))

    def _add_plane(self, i: int, plane: tuple[float, float, float]) -> int:
        """Bound what broken racks lose from below by a plane over racks that run and racks installed."""
        case, columns = self.blocks[i].case, self._columns[i]
        per_rack = case.load_mwh_per_yr / case.racks_contracted
        constant, of_running, of_racks = plane
        at = [columns.rack_lost, columns.racks, self._highs.column(self.model.block[i].share)]
        line = [1.0, -per_rack * of_racks, -case.load_mwh_per_yr * of_running]
        return self._highs.add_row(at, line, per_rack * constant, np.inf)

    def set_bounds(self, variable: Any, lower: float, upper: float) -> None:  # noqa: ANN401
        """Bound a variable of the model anew."""
        self._highs.set_bounds(variable, lower, upper)

    def all_vary(self) -> None:
        """Take all whole numbers for continuous from now on."""
        self._integers = []

    def whole(self, proposal: BlocksProposal) -> tuple[int, ...]:
        """Whole numbers of a proposal."""
        return tuple(int(np.rint(proposal.x[self._highs.column(v)])) for v in self._integers)

    # ------------------------------------------------------------------ solving

    def propose(
        self,
        *,
        whole: bool,
        gap: float = 1e-5,
        time_limit_s: float | None = None,
        settled: bool = True,
    ) -> BlocksProposal | None:
        """Solve the master with the cuts known so far, bringing in those that it violates.

        Parameters
        ----------
        whole : bool
            Whole numbers, or the linear relaxation.
        gap : float
            Relative gap of a whole-number solve. [fraction]
        time_limit_s : float, optional
            [s]
        settled : bool
            Solve again until no cut known is violated; else what is violated is brought in for the next time.

        Returns
        -------
        BlocksProposal or None
            None when the master is infeasible: then nothing meets the request.

        Raises
        ------
        MasterStopped
            When the time limit ends the solve.
        """
        self.solves += 1
        while True:
            proposal = self._solve(whole=whole, gap=gap, time_limit_s=time_limit_s)
            if proposal is None or not self._bring_in(proposal) or not settled:
                return proposal

    def _solve(self, *, whole: bool, gap: float, time_limit_s: float | None) -> BlocksProposal | None:
        whole = whole and bool(self._integers)
        self._highs.relax_integers(relaxed=not whole)
        try:
            report = self._highs.solve(gap=gap, time_limit_s=time_limit_s)
        finally:
            self._highs.relax_integers()
        if report.status is Status.INFEASIBLE:
            return None
        if report.status is not Status.OPTIMAL:
            raise MasterStopped(report)
        x = self._highs.point()
        objective, bound = report.objective * USD_PER_KUSD, report.bound * USD_PER_KUSD
        energy = sum(
            item.weight * float(budgets.cost @ x[columns.totals])
            for item, budgets, columns in zip(self.blocks, self._budgets, self._columns, strict=True)
        )
        return BlocksProposal(x, objective - energy, objective, bound)

    def _bring_in(self, proposal: BlocksProposal) -> bool:
        """Add pooled cuts that a block's point violates, worst first."""
        found = False
        for i, item in enumerate(self.blocks):
            known = np.zeros(item.pool.count, dtype=bool)
            known[: self._in_model[i].size] = self._in_model[i]
            self._in_model[i] = known
            columns = self._columns[i]
            violation = item.pool.missing(
                proposal.x[columns.totals] / item.scale,
                proposal.x[columns.capacities] / item.scale,
                self.share(proposal, i),
            )
            violation[known] = 0.0
            worst = np.argsort(-violation)[:_AT_ONCE]
            worst = worst[violation[worst] > _VIOLATED]
            for number in worst.tolist():
                self._add_row(i, number)
            found = found or bool(worst.size)
        return found

    def _add_row(self, i: int, number: int) -> None:
        item, columns = self.blocks[i], self._columns[i]
        coefficients, constant = item.pool.row(number)
        at = np.concatenate([columns.totals, columns.capacities])
        values, lower = coefficients / item.scale, constant
        if columns.share is not None:
            at, values, lower = np.append(at, columns.share), np.append(values, -constant), 0.0
        used = np.flatnonzero(values)
        self._highs.add_row(at[used].tolist(), values[used].tolist(), lower, np.inf)
        self._in_model[i][number] = True

    # ------------------------------------------------------------------ reading

    def value(self, proposal: BlocksProposal, variable: Any) -> float:  # noqa: ANN401
        """Value of a variable of the model in a proposal."""
        column = self._highs.column(variable)
        if column >= proposal.x.size:  # in no row and at no cost
            return self._highs.bounds(variable)[0]
        return float(proposal.x[column])

    def share(self, proposal: BlocksProposal, i: int) -> float:
        """Share of the load of a block that is there. [fraction]"""
        column = self._columns[i].share
        return 1.0 if column is None else float(proposal.x[column])

    def capacities(self, proposal: BlocksProposal, i: int) -> FloatArray:
        """Capacities of a block, in the order of its oracle's columns."""
        sizes: FloatArray = np.maximum(proposal.x[self._columns[i].capacities], 0.0)
        return sizes

    def at_pool(self, proposal: BlocksProposal, i: int) -> tuple[Point, Budgets, float] | None:
        """Block's point and budgets at the size of its pool's load, and the share of that; None without load.

        Parameters
        ----------
        proposal : BlocksProposal
        i : int

        Returns
        -------
        tuple of (Point, Budgets, float) or None
        """
        item, columns, budgets = self.blocks[i], self._columns[i], self._budgets[i]
        share = self.share(proposal, i)
        if share < NO_LOAD:
            return None
        times = share * item.scale
        lost = max(float(proposal.x[columns.rack_lost]), 0.0)
        of_rack = [item.case.classes[c].share * lost for c in range(budgets.classes)]
        grows = [_scales(budgets, number, item.case) for number in range(budgets.limit.size)]
        limit = np.where(grows, share, 1.0) * np.where(np.isfinite(budgets.limit), budgets.limit, 0.0)
        limit[: budgets.classes] -= of_rack
        limit[~np.isfinite(budgets.limit)] = np.inf
        units = self.capacities(proposal, i)[len(item.case.resources) + 2 :]
        for row, (k, tech, most_h) in enumerate(hours_limits(item.case), limit.size - budgets.of_units):
            limit[row] = most_h * tech.unit_mw * units[k]
        point = item.pool.search.oracle.columns.point(self.capacities(proposal, i) / times)
        normal = replace(budgets, limit=limit / times, size=budgets.size * (share / times))
        return point, normal, times

    @property
    def costs(self) -> list[FloatArray]:
        """Price of the totals of each block. [USD/MWh]"""
        return [budgets.cost for budgets in self._budgets]


def _downtime_mwh(case: Case, running: int) -> float:
    """Least downtime that a class of the racks that run may have, as if all load were its own. [MWh/yr]"""
    asked = [1.0 - item.uptime_target for item in case.classes if item.uptime_target > 0.0]
    return min(asked, default=0.0) * case.load_mwh_per_yr * running / case.racks_contracted


def rack_lost_mwh(case: Case, racks: int, running: int) -> float:
    """Load not computed on because racks are broken, where some of the contracted racks run. [MWh/yr]

    Parameters
    ----------
    case : Case
    racks, running : int
        Installed, and those that are to work.
    """
    if running <= 0:
        return 0.0
    short = float(expected_shortfall(running, max(racks, running), case.rack_availability))
    return short * case.load_mwh_per_yr * running / case.racks_contracted


def add_block(b: Any, item: Block) -> None:  # noqa: ANN401
    """Fill a block with the equations of a plant; when things come is said by bounds and by the coupling."""
    add_capacity_model(b, replace(item.case, delay_cost_usd_per_month_yr=0.0), item.share)
    b.annual_cost.deactivate()
    for there in (*b.resource_built.values(), b.battery_built):
        there.fix(1.0)
    for k, used in b.technology_used.items():
        wired = any(b.sink_supply[s] == k for s in b.wired_sink)
        if pyo.value(b.site_cost[k]) == 0.0 and not wired:
            used.fix(1.0)
    if item.case.reserve is not None and b.component("battery_carries_trip") is not None:
        _carry_trips(b, item.case)
    if item.share is not None:
        racks = item.case.racks_contracted
        b.racks_running = pyo.Var(domain=pyo.NonNegativeIntegers, bounds=(0, racks))
        b.racks_that_run = pyo.Constraint(expr=b.racks_running == racks * b.share)
        b.racks_enough = pyo.Constraint(expr=b.racks >= b.racks_running)


def _carry_trips(b: Any, case: Case) -> None:  # noqa: ANN401
    """Let the battery carry the trip of what stands: a site may stay prepared when its units have left."""
    b.battery_carries_trip.deactivate()
    most = {item.name: item.units_max for item in case.backup}
    b.tripping = pyo.Var(b.tripping_technology, domain=pyo.Binary)
    b.stands = pyo.ConstraintList()
    for k, on in b.tripping.items():
        b.stands.add(b.units[k] <= most[k] * on)
        b.stands.add(b.battery_mw >= b.tripped_units * b.unit_mw[k] * on)


def _most(budgets: Budgets, side: Side) -> FloatArray:
    """Most of each budget on a side of it, shape (budgets,)."""
    if side is Side.AT:
        return 0.5 * (budgets.fixed_limit + (budgets.fixed_limit + budgets.tolerance))
    limit = np.where(np.isfinite(budgets.limit), budgets.limit, 0.0)
    wide: FloatArray = _WIDE * np.minimum(np.abs(limit), np.abs(budgets.size - limit))
    less = budgets.hair if side is Side.INSIDE else wide
    less[less.size - budgets.of_units :] = 0.0  # each unit allows a hair less: none at all allows nothing
    return np.asarray(budgets.fixed_limit - less)


def _scales(budgets: Budgets, number: int, case: Case) -> bool:
    """Whether a budget grows with the load: that of uptime and the renewable share do, tonnes do not."""
    if number < budgets.classes or number >= budgets.limit.size - budgets.of_units:
        return number < budgets.classes
    given = [own for own in ANNUAL_LIMITS if own.given(case.limits) is not None]
    return given[number - budgets.classes].name == "min_renewable_share"
