"""Branch and bound over the few integers of a large, sparse model, by warm-started linear programs.

The hour-by-hour model has 10^5 continuous variables and a handful of integers (units, racks). HiGHS spends
minutes on cuts and sub-problems of that size before it branches; here each node is one linear program that
continues from the last optimal basis, which takes seconds or less. Bounds are as proven as any.
"""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitedesign.optimize.highs import PersistentHighs, SolveReport, Status

INTEGRAL = 1e-6  # distance to a whole number that counts as none, where the gap does not notice it
EXACT = 1e-9  # distance that is none

Box = NDArray[np.float64]
News = Callable[[float, float, float], None]


@dataclass(frozen=True)
class BranchResult:
    """Outcome of the search.

    Attributes
    ----------
    report : SolveReport
        ``nodes`` counts linear programs.
    integers : ndarray or None
        Values of the integer variables in the incumbent, in the order given.
    """

    report: SolveReport
    integers: NDArray[np.float64] | None


@dataclass
class _Search:
    """State of one search: the boxes still to be looked at, the incumbent, and what has been cut off."""

    gap: float
    incumbent: float = math.inf
    best: NDArray[np.float64] | None = None
    point: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))  # the same, not yet rounded
    basis: Any = None  # of the incumbent
    cut_off: float = math.inf  # least bound among boxes dropped because they cannot win more than the gap
    queue: list[tuple[float, int, Box, Any]] = field(default_factory=list)
    count: int = 0

    @property
    def bound(self) -> float:
        """Proven lower bound over the queue, the boxes cut off and the incumbent."""
        opened = self.queue[0][0] if self.queue else math.inf
        return min(opened, self.cut_off, self.incumbent)

    @property
    def worth(self) -> float:
        """Bound from which on a box cannot improve the incumbent by more than the gap."""
        return self.incumbent - self.gap * abs(self.incumbent) if math.isfinite(self.incumbent) else math.inf

    def push(self, bound: float, box: Box, basis: Any) -> None:  # noqa: ANN401
        """Queue a box with the bound and the basis of the box it was cut from."""
        heapq.heappush(self.queue, (bound, self.count, box, basis))
        self.count += 1

    def hopeless(self, bound: float) -> bool:
        """Whether a box cannot improve the incumbent by more than the gap; its bound is remembered."""
        if bound < self.worth:
            return False
        self.cut_off = min(self.cut_off, bound)
        return True


def branch_and_bound(
    solver: PersistentHighs,
    importance: Mapping[Any, float],
    *,
    gap: float,
    time_limit_s: float | None = None,
    news: News | None = None,
    first: Mapping[Any, float] | None = None,
) -> BranchResult:
    """Minimise over integer variables, with a linear program at every node.

    The search dives: of two children the one rounded up (more units: more likely feasible, and close to the
    last basis) is solved at once, the other waits in a queue ordered by bound.

    Parameters
    ----------
    solver : PersistentHighs
        Holds the model; its integers are relaxed. Afterwards it stands at the incumbent, if there is one:
        integers fixed, values and duals those of the linear program that remains.
    importance : mapping {variable: float}
        The integer variables, and what one step of each costs: the dearest fraction is branched on first.
    gap : float
        Relative gap at which the search ends. [fraction]
    time_limit_s : float, optional
        [s]
    news : callable, optional
        Called with (seconds, incumbent, bound) after every linear program.
    first : mapping {variable: float}, optional
        Whole numbers to try after the relaxation, whose basis is close to theirs: a first incumbent.

    Returns
    -------
    BranchResult
    """
    start = time.perf_counter()
    variables = list(importance)
    weight = np.array([importance[v] for v in variables], dtype=np.float64).clip(1e-9)
    solver.relax_integers()
    search = _Search(gap)
    box: Box | None = np.array([solver.bounds(v) for v in variables], dtype=np.float64).reshape(-1, 2)
    columns = np.array([solver.column(v) for v in variables], dtype=np.int32)
    parent, nodes = -math.inf, 0

    def result(status: Status, bound: float) -> BranchResult:
        if search.best is not None:
            for held in (
                search.best,
                search.point,
            ):  # a hair of one, times a large factor, may be needed
                _set_bounds(solver, columns, np.column_stack([held, held]))
                solver.restore_basis(search.basis)
                if solver.solve().status is Status.OPTIMAL:
                    break
        seconds = time.perf_counter() - start
        bound = min(bound, search.incumbent)
        return BranchResult(SolveReport(status, search.incumbent, bound, seconds, nodes), search.best)

    while box is not None:
        _set_bounds(solver, columns, box)
        left = None if time_limit_s is None else max(time_limit_s - (time.perf_counter() - start), 0.0)
        node = solver.solve(time_limit_s=left)
        nodes += 1
        if node.status not in (Status.OPTIMAL, Status.INFEASIBLE):
            return result(node.status, min(search.bound, max(parent, node.bound)))
        if node.status is Status.OPTIMAL:
            point, basis = solver.point()[columns], solver.basis()
            if nodes == 1 and first is not None:
                _try(search, solver, columns, box, np.array([first[v] for v in variables], float), left)
            least = INTEGRAL
            if _fraction_pays(search, solver, columns, point, node.objective, left):
                least, nodes = EXACT, nodes + 1
            box, parent = _expand(search, point, node.objective, basis, box, weight, least), node.objective
        else:
            box = None
        while box is None and search.queue:
            parent, _, waiting, basis = heapq.heappop(search.queue)
            if not search.hopeless(parent):
                box = waiting
                # From there the box is one bound away; from any other basis, thousands of steps.
                solver.restore_basis(basis)
        if news is not None:
            bound = search.bound if box is None else min(parent, search.bound)
            news(time.perf_counter() - start, search.incumbent, bound)
    return result(Status.INFEASIBLE if search.best is None else Status.OPTIMAL, search.bound)


def _try(
    search: _Search,
    solver: PersistentHighs,
    columns: NDArray[np.int32],
    box: Box,
    point: NDArray[np.float64],
    time_limit_s: float | None,
) -> None:
    """Take whole numbers given from outside for a first incumbent, if they are allowed."""
    if np.any(point < box[:, 0]) or np.any(point > box[:, 1]):
        return
    _set_bounds(solver, columns, np.column_stack([point, point]))
    found = solver.solve(time_limit_s=time_limit_s)
    if found.status is Status.OPTIMAL:
        search.incumbent, search.best, search.point = found.objective, point, point
        search.basis = solver.basis()


def _fraction_pays(
    search: _Search,
    solver: PersistentHighs,
    columns: NDArray[np.int32],
    point: NDArray[np.float64],
    objective: float,
    time_limit_s: float | None,
) -> bool:
    """Whether what a point lacks to whole numbers, though it counts as none, saves more than the gap.

    A millionth of a large unit may be all that a small plant needs. The whole numbers themselves are then the
    incumbent, and the fraction is branched on: the bound would be that of a plant which nobody can build.
    """
    held = np.rint(point)
    if not EXACT < np.abs(point - held).max(initial=0.0) <= INTEGRAL:
        return False
    basis = solver.basis()
    _set_bounds(solver, columns, np.column_stack([held, held]))
    found = solver.solve(time_limit_s=time_limit_s)
    pays = found.status is Status.OPTIMAL and found.objective > objective + search.gap * abs(objective)
    if pays and found.objective < search.incumbent:
        search.incumbent, search.best, search.point = found.objective, held, held
        search.basis = solver.basis()
    solver.restore_basis(basis)
    return pays


def _set_bounds(solver: PersistentHighs, columns: NDArray[np.int32], box: Box) -> None:
    solver.set_column_bounds(columns, box[:, 0], box[:, 1])


def _expand(
    search: _Search,
    point: NDArray[np.float64],
    objective: float,
    basis: Any,  # noqa: ANN401
    box: Box,
    weight: NDArray[np.float64],
    least: float = INTEGRAL,
) -> Box | None:
    """Take a solved box's point, drop the box, or split it; return the child to dive into, if any."""
    distance = np.abs(point - np.rint(point))
    if distance.max(initial=0.0) <= least:
        if objective < search.incumbent:
            search.incumbent, search.best, search.basis = objective, np.rint(point), basis
            search.point = point
        return None
    if search.hopeless(objective):
        return None
    branch = int(np.argmax(np.where(distance > least, distance * weight, -1.0)))
    down, up = box.copy(), box.copy()
    down[branch, 1], up[branch, 0] = math.floor(point[branch]), math.ceil(point[branch])
    search.push(objective, down, basis)
    return up
