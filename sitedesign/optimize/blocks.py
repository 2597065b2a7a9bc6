"""Least cost of many blocks together: the cutting-plane method of one case, for all of them at once.

As for one case (:mod:`sitedesign.optimize.benders`): first the relaxation, then whole numbers from the
master and continuous sizes polished for them, until bound and best plan meet. In each round all blocks are
operated before the master is solved again. The case of one block is that of
:func:`~sitedesign.optimize.benders.solve_cuts`.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sitedesign.case.case import FloatArray
from sitedesign.case.plant import Plant
from sitedesign.errors import InfeasibleDesign, NotProvenOptimal
from sitedesign.optimize.block_master import NO_LOAD, Block, BlockMaster, BlocksProposal, Coupling, Side
from sitedesign.optimize.in_out import Descent
from sitedesign.optimize.lagrangian import Operation
from sitedesign.optimize.master_problem import MasterStopped
from sitedesign.util.progress import Progress, silent

_RELAXED = 5.0  # gap at which the relaxation is left, in units of the gap asked for
_POLISHED = 0.4  # the same for the polishing of given whole numbers
_MASTER = 0.4  # gap of a whole-number master, in the same units
_LEAST_TURNS = 2  # of polishing, before other whole numbers are looked at
_OVERTAKEN = 3.0  # how far above the bound whole numbers must be for that, in units of the gap
_MOST_IDLE = 4  # rounds without progress: what is left is rounding, or the bound of broken racks
_TIGHTENED = 1  # such rounds, after which shares are bounded by what the best plan costs
_ROUGHLY = 5.0  # of the gap of a master: enough where it is small and no plan is known yet
_SWEEPS = 3  # over all shares, where the gap is to be small
_EDGED = 2  # such rounds, after which plants just at the budgets are looked for
_PROGRESS = 1e-2  # of the gap: what counts as progress
_ROOM = (0.4, 0.1, 0.02, 0.0)  # of downtime budgets for broken racks, where nothing better was found before
_DIGITS = 6  # of MW and MWh: closer than a watt two plants are one


@dataclass(frozen=True, eq=False)
class BlockPlan:
    """What was found for one block.

    Attributes
    ----------
    plant : Plant
        Racks installed among it.
    share : float
        Of its load that is there. [fraction]
    racks_running : int
    operation : Operation or None
        Of the plant at the size of the pool's load; None where there is no load.
    times : float
        Load that is there over the pool's load: what its totals are multiplied by. [fraction]
    rack_lost_mwh_per_yr : float
        Load not computed on because racks are broken. [MWh/yr]
    """

    plant: Plant
    share: float
    racks_running: int
    operation: Operation | None
    times: float
    rack_lost_mwh_per_yr: float

    @property
    def totals(self) -> FloatArray:
        """Energy of each level, what sinks miss, weighted shed load of each class. [MWh/yr]"""
        assert self.operation is not None
        return self.operation.totals * self.times


@dataclass(frozen=True, eq=False)
class BlocksResult:
    """The best plan for all blocks and what is proven.

    Attributes
    ----------
    plans : tuple of BlockPlan
    proposal : BlocksProposal
        The point of the master: values of the coupling's variables (:meth:`BlockMaster.value`).
    cost_usd, bound_usd : float
        Weighted cost of all blocks and of what ties them, and its proven lower bound. [USD]
    scale_usd : float
        What the gap is measured by. [USD]
    stopped_by : str
        ``gap``, ``time_limit`` or ``iteration_limit``.
    solves : int
        Of the master.
    seconds : float
        [s]
    """

    plans: tuple[BlockPlan, ...]
    proposal: BlocksProposal
    cost_usd: float
    bound_usd: float
    scale_usd: float
    stopped_by: str
    solves: int
    seconds: float

    @property
    def gap(self) -> float:
        """Gap to the bound, of the scale. [fraction]"""
        return (self.cost_usd - self.bound_usd) / self.scale_usd


#: What the gap of a proposal of some cost is measured by. [USD]
Scale = Callable[[BlockMaster, BlocksProposal, float], float]


def of_cost(master: BlockMaster, proposal: BlocksProposal, cost_usd: float) -> float:
    """Measure a gap by the cost itself."""
    del master, proposal
    return max(abs(cost_usd), 1e-9)


@dataclass
class _Incumbent:
    proposal: BlocksProposal
    operations: list[Operation | None]
    cost_usd: float


class _Stop(Exception):
    """A limit has been reached."""

    def __init__(self, limit: str) -> None:
        self.limit = limit
        super().__init__(limit)


@dataclass
class BlockSearch:
    """Search over all blocks of a master.

    Parameters
    ----------
    master : BlockMaster
    gap : float
        Relative gap at which to stop. [fraction]
    time_limit_s : float, optional
        [s]
    scale : callable
    progress : callable
    closely : bool
        The gap is so small that whole-number masters take nearly all time: shares are bounded anew by each
        plan found, and a master is not solved twice for the cuts that it violates.
    """

    master: BlockMaster
    gap: float = 1e-4
    time_limit_s: float | None = None
    scale: Scale = of_cost
    progress: Progress = silent
    closely: bool = False
    best: _Incumbent | None = None
    bound: float = -np.inf
    _began: float = field(default_factory=time.perf_counter)
    _descents: dict[tuple[float, ...], Descent[BlocksProposal]] = field(default_factory=dict)

    def solve(self) -> BlocksResult:
        """Find the best plan.

        Returns
        -------
        BlocksResult

        Raises
        ------
        InfeasibleDesign
            When nothing meets the request.
        NotProvenOptimal
            When a limit comes before the first plan.
        """
        stopped_by = "gap"
        try:
            self._relaxation(_RELAXED * self.gap)
            self.master.tighten_shares()
            self._whole_numbers()
        except _Stop as stop:
            stopped_by = stop.limit
        except MasterStopped as stop:
            stopped_by = stop.report.status.value
        return self._result(stopped_by)

    def least_usd(self, gap: float, rounds: int) -> float:
        """Find the least cost closely by whole-number masters alone: right where good cuts are known. [USD]

        Parameters
        ----------
        gap : float
            By how much the master may promise less than operation costs. [fraction]
        rounds : int
            Most masters.
        """
        least = np.inf
        for _ in range(rounds):
            try:
                proposal = self._ask(whole=True)
            except (_Stop, MasterStopped):
                return least
            if proposal is None:
                return np.inf
            least = proposal.objective_usd
            cost = self._operate(proposal, likely=True, side=Side.AT)[1]
            if cost - least <= gap * self._scale(proposal, least):
                break
        return least

    def relaxed_usd(self) -> float:
        """Find the least cost within the gap if nothing need be whole; infinite where nothing is. [USD]"""
        try:
            self._relaxation(self.gap)
        except InfeasibleDesign:
            return np.inf
        return self.bound

    # ------------------------------------------------------------------ outer loop

    def _relaxation(self, gap: float) -> None:
        descent: Descent[BlocksProposal] = Descent()
        self._first_centre(descent)
        while True:
            proposal = self._ask(whole=False)
            if proposal is None:
                reason = "no plan within the limits meets the budgets"
                raise InfeasibleDesign(reason)
            self.bound = max(self.bound, proposal.bound_usd)
            scale = self._scale(proposal, proposal.objective_usd)
            self.progress(f"master {self.master.solves}: bound {self.bound / 1e6:,.3f} M USD")
            if descent.ends(proposal.bound_usd, np.inf, gap, scale):
                return
            self._step(descent, proposal)

    def _first_centre(self, descent: Descent[BlocksProposal]) -> None:
        """Look well inside the budgets for a first point that keeps them: cuts there are worth having."""
        self.master.keep_to(Side.WIDE)
        try:
            while descent.centre is None:
                proposal = self._ask(whole=False)
                if proposal is None or descent.ends(proposal.bound_usd, np.inf, self.gap):
                    return
                self._step(descent, proposal)
        finally:
            self.master.keep_to(Side.ANY)
            descent.resume()

    def _whole_numbers(self) -> None:
        before, idle, tightened = (np.inf, -np.inf), 0, False
        while True:
            proposal = self._ask(whole=True)
            if proposal is None:
                reason = "no plan within the limits meets the budgets"
                raise InfeasibleDesign(reason)
            self.bound = max(self.bound, proposal.bound_usd)
            self.progress(self._news())
            if self._closed():
                return
            if self.closely:
                self.master.cut_shortfalls(proposal)
            self._polish(proposal, idle, _POLISHED * self.gap * 0.5**idle)
            if self._closed():
                return
            now = (self.best.cost_usd if self.best else np.inf, self.bound)
            still = _PROGRESS * self.gap * self._scale(proposal, proposal.objective_usd)
            idle = 0 if before[0] - now[0] > still or now[1] - before[1] > still else idle + 1
            if self.best is not None and (self.closely or (idle == _TIGHTENED and not tightened)):
                self._tighten(self.best.cost_usd + still)
                tightened = True
            if idle > _MOST_IDLE:
                limit = "iteration_limit"
                raise _Stop(limit)
            before = now

    def _tighten(self, most_usd: float) -> None:
        """Bound the shares by what a plan costs that is known; each bound lets the others be closer."""
        for _ in range(_SWEEPS if self.closely else 1):
            if not self.master.tighten_shares(most_usd):
                return

    def _polish(self, chosen: BlocksProposal, idle: int, gap: float) -> None:
        """Best sizes for given whole numbers, or proof that they cannot be the best."""
        master, side = self.master, Side.INSIDE if idle < _EDGED else Side.AT
        room = _ROOM[min(idle, len(_ROOM) - 1)]
        descent = self._descents.setdefault((*master.whole(chosen), room), Descent())
        descent.resume()
        master.fix_whole(chosen, room)
        try:
            for turn in itertools.count():
                wide = descent.centre is None and turn <= _LEAST_TURNS * 4
                master.keep_to(Side.WIDE if wide else side)
                proposal = self._ask(whole=False)
                if proposal is None and (wide or side is Side.INSIDE):
                    if not wide:
                        side = Side.AT
                    master.keep_to(side)
                    wide, proposal = False, self._ask(whole=False)
                    if proposal is None and side is Side.INSIDE:
                        side = Side.AT
                        master.keep_to(side)
                        proposal = self._ask(whole=False)
                if proposal is None:
                    return
                known = self.best.cost_usd if self.best else np.inf
                scale = self._scale(proposal, proposal.objective_usd)
                if not wide:
                    if descent.ends(proposal.bound_usd, known, gap, scale):
                        return
                    overtaken = proposal.bound_usd > self.bound + _OVERTAKEN * self.gap * scale
                    if overtaken and turn >= _LEAST_TURNS and self.best is not None:
                        return  # other whole numbers may be better: let the master choose again
                trial, operations, cost = self._step(descent, proposal, side)
                self._keep(trial, operations, cost)
        finally:
            master.keep_to(Side.ANY)
            master.free_whole()

    # ------------------------------------------------------------------ steps

    def _step(
        self, descent: Descent[BlocksProposal], proposal: BlocksProposal, side: Side = Side.AT
    ) -> tuple[BlocksProposal, list[Operation | None], float]:
        """Operate all blocks at a point between the proposal and the best one known."""
        trial = descent.trial(proposal)
        operations, cost = self._operate(trial, likely=trial is not proposal, side=side)
        descent.learn(trial, cost)
        return trial, operations, cost

    def _operate(
        self, proposal: BlocksProposal, *, likely: bool, side: Side
    ) -> tuple[list[Operation | None], float]:
        """Operate every block; operations and what all costs, infinite where one misses its budgets. [USD]"""
        operations: list[Operation | None] = []
        total = proposal.fixed_usd
        known: dict[tuple[Any, ...], Operation] = {}  # stages in which nothing changes are one
        for i, item in enumerate(self.master.blocks):
            point = self.master.at_pool(proposal, i)
            if point is None:
                operations.append(None)
                continue
            at, budgets, times = point
            same = id(item.pool), *_rounded(at.vector), *_rounded(budgets.limit), *budgets.cost.tolist()
            if same not in known:
                known[same] = item.pool.search.operate(at, budgets, likely=likely)
                for cut in known[same].cuts:
                    item.pool.add(cut)
            operation = known[same]
            operations.append(operation)
            counts = operation.strict or (operation.feasible and side is Side.AT)
            total += item.weight * times * operation.cost_usd_per_yr if counts else np.inf
        return operations, total

    def _keep(self, proposal: BlocksProposal, operations: list[Operation | None], cost_usd: float) -> None:
        if np.isfinite(cost_usd) and (self.best is None or cost_usd < self.best.cost_usd):
            self.best = _Incumbent(proposal, operations, cost_usd)

    def _ask(self, *, whole: bool) -> BlocksProposal | None:
        left = None
        if self.time_limit_s is not None:
            left = self.time_limit_s - (time.perf_counter() - self._began)
            if left <= 0.0:
                limit = "time_limit"
                raise _Stop(limit)
        if not (whole and self.closely):
            return self.master.propose(whole=whole, gap=_MASTER * self.gap, time_limit_s=left)
        gap = _MASTER * self.gap * (_ROUGHLY if self.best is None else 1.0)
        return self.master.propose(whole=True, gap=gap, time_limit_s=left, settled=False)

    def _scale(self, proposal: BlocksProposal, cost_usd: float) -> float:
        return self.scale(self.master, proposal, cost_usd)

    def _closed(self) -> bool:
        """Whether bound and best plan are within the gap."""
        if self.best is None:
            return False
        scale = self._scale(self.best.proposal, self.best.cost_usd)
        return self.best.cost_usd - self.bound <= self.gap * scale

    def _news(self) -> str:
        cost = "none yet" if self.best is None else f"{self.best.cost_usd / 1e6:,.3f}"
        return f"master {self.master.solves}: best {cost}, bound {self.bound / 1e6:,.3f} M USD"

    # ------------------------------------------------------------------ answer

    def _result(self, stopped_by: str) -> BlocksResult:
        if self.best is None:
            message = f"stopped by the {stopped_by.replace('_', ' ')} before any feasible plan was found"
            raise NotProvenOptimal(message, None, self.bound)
        best = self.best
        return BlocksResult(
            tuple(self._plan(best.proposal, i, operation) for i, operation in enumerate(best.operations)),
            best.proposal,
            best.cost_usd,
            min(self.bound, best.cost_usd),
            self._scale(best.proposal, best.cost_usd),
            stopped_by,
            self.master.solves,
            time.perf_counter() - self._began,
        )

    def _plan(self, proposal: BlocksProposal, i: int, operation: Operation | None) -> BlockPlan:
        master, item = self.master, self.master.blocks[i]
        b, case, sizes = master.model.block[i], item.case, master.capacities(proposal, i).tolist()
        resources = len(case.resources)
        energy, power, *counts = sizes[resources:]
        whole = [round(n) if flow.whole else n for flow, n in zip(case.flows, counts, strict=True)]
        backup, supplies = len(case.backup), len(case.supplies)
        plant = Plant(
            tuple(sizes[:resources]),
            energy,
            power,
            tuple(map(int, whole[:backup])),
            round(master.value(proposal, b.racks)),
            tuple(whole[backup:supplies]),
            tuple(whole[supplies:]),
        )
        share = master.share(proposal, i)
        lost = max(master.value(proposal, b.rack_lost_mwh_per_yr), 0.0)
        running = round(share * case.racks_contracted)
        there = share if share >= NO_LOAD else 0.0
        return BlockPlan(plant, share, running, operation, there * item.scale, lost)


def _rounded(values: FloatArray) -> list[float]:
    return [float(value) for value in np.round(values, _DIGITS)]


def solve_blocks(
    blocks: Sequence[Block],
    couple: Coupling,
    *,
    gap: float = 1e-4,
    time_limit_s: float | None = None,
    scale: Scale = of_cost,
    progress: Progress = silent,
) -> BlocksResult:
    """Find the least-cost plan of blocks that rows of the caller tie together.

    Parameters
    ----------
    blocks : sequence of Block
    couple : callable
        Adds variables and rows over ``m.block[i]`` to the model; returns further cost. [thousand USD]
    gap : float
        Relative gap between the best plan and the bound at which to stop. [fraction]
    time_limit_s : float, optional
        [s]
    scale : callable
        What the gap is measured by; the cost itself when left out.
    progress : callable
        Called with one line of text per master.

    Returns
    -------
    BlocksResult

    Raises
    ------
    InfeasibleDesign
        When nothing meets the request.
    NotProvenOptimal
        When a limit comes before the first plan.
    """
    return BlockSearch(BlockMaster(blocks, couple), gap, time_limit_s, scale, progress).solve()
