"""The only file that knows HiGHS: a Pyomo model goes in, a report with status, incumbent and bound comes out.

The model's sparse matrices (:mod:`sitedesign.optimize.standard_form`) are handed to HiGHS in memory; the
model then stays alive in the solver, so that a master problem can add rows and solve again. One solver, one
version floor, no fallback. The only good status is :attr:`Status.OPTIMAL`; a limit reports the incumbent (if
there is one) and the proven bound.

HiGHS keeps one scheduler for each thread that calls it, made by whoever comes first, and refuses to run with
another number of threads. A solve here therefore has a scheduler to itself, and leaves none behind: what else
uses HiGHS in the process neither changes these answers nor is changed by them. A solver that calls back runs
in a thread of its own, so that Ctrl-C reaches the thread that waits, and not HiGHS. Others, whose solves take
milliseconds, run where they are called, which takes half of the time.

What "proven" means: HiGHS solves a linear program to a feasibility of 1e-7 in every row, so its optimum, the
bound, may lie below the true one by that much times the row's dual. A mixed-integer solve may stop at points
that break rows by up to `mip_feasibility_tolerance`, and 1.16 looks for such points (with the default of 1e-6
its feasibility jump found 8.999999 where the optimum is 9, and called it the bound as well). It is 1e-9 here,
and the incumbent is solved once more with its integers rounded and held: what is reported is a whole-number
point with its own cost, and a bound that may be too low by that much times the duals, but not too high.
"""

from __future__ import annotations

import enum
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import highspy
import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray
from pyomo.common.collections import ComponentMap

from sitedesign.errors import SolverFailed, nearest
from sitedesign.optimize.standard_form import MatrixForm, as_constraint, bounds_of, compile_model, linear

FloatArray = NDArray[np.float64]
FLOOR = (1, 15, 1)  # 1.14.0 called wrong MIP answers optimal (tests/test_solver.py holds the case)
_FEASIBLE = 2  # kSolutionStatusFeasible
_OURS = {"mip_rel_gap": "gap", "time_limit": "time_limit_s"}
_ALWAYS: dict[str, str | bool | float] = {
    "log_to_console": False,  # not output_flag: that would silence the callbacks too
    "threads": 1,  # the same path whatever the machine
    "mip_feasibility_tolerance": 1e-9,
}
_UNSCALED = 0  # simplex_scale_strategy
_LAST_LINES = 3  # of what HiGHS says before it fails, where it names no error
_PATIENCE_S = 1.0  # between looks at whether a solve has ended: Windows delivers no Ctrl-C to an endless wait


class Status(enum.Enum):
    """How a solve ended; :attr:`OPTIMAL` (within the requested gap) is the only good member."""

    OPTIMAL = "optimal"
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"
    TIME_LIMIT = "time_limit"
    ITERATION_LIMIT = "iteration_limit"


_MEANING = {
    highspy.HighsModelStatus.kOptimal: Status.OPTIMAL,
    highspy.HighsModelStatus.kModelEmpty: Status.OPTIMAL,
    highspy.HighsModelStatus.kInfeasible: Status.INFEASIBLE,
    highspy.HighsModelStatus.kUnbounded: Status.UNBOUNDED,
    highspy.HighsModelStatus.kTimeLimit: Status.TIME_LIMIT,
    highspy.HighsModelStatus.kIterationLimit: Status.ITERATION_LIMIT,
    highspy.HighsModelStatus.kSolutionLimit: Status.ITERATION_LIMIT,
}


@dataclass(frozen=True)
class SolveReport:
    """Outcome of one solve.

    Attributes
    ----------
    status : Status
    objective : float
        Value of the incumbent, in the unit of the model's objective; ``inf`` when there is none.
    bound : float
        Proven lower bound, in the same unit; ``-inf`` when nothing is proven.
    seconds : float
        Wall time. [s]
    nodes : int
        Branch-and-bound nodes (0 for a linear program).
    """

    status: Status
    objective: float
    bound: float
    seconds: float
    nodes: int

    @property
    def has_incumbent(self) -> bool:
        """Whether a feasible point is loaded."""
        return math.isfinite(self.objective)

    @property
    def gap(self) -> float:
        """Relative gap, (objective - bound) / abs(objective); ``inf`` without an incumbent. [fraction]"""
        if not self.has_incumbent:
            return math.inf
        return (self.objective - self.bound) / max(abs(self.objective), 1e-9)


class _Silent(highspy.Highs):
    """HiGHS that writes on nobody's screen.

    Version 1.16 greets on standard output as soon as callbacks are set up, which the constructor does.
    """

    def enableCallbacks(self) -> None:
        """Set callbacks up, silently."""
        self.setOptionValue("log_to_console", False)
        super().enableCallbacks()  # type: ignore[no-untyped-call]


@cache
def _options() -> frozenset[str]:
    """Names of all options."""
    return frozenset(name for name in dir(highspy.HighsOptions()) if not name.startswith("_"))


def _run_here(highs: highspy.Highs) -> None:
    """Run HiGHS in this thread, by a scheduler of this run's own."""
    highspy.Highs.resetGlobalScheduler(True)
    try:
        highs.run()
    finally:
        highspy.Highs.resetGlobalScheduler(True)


class SmallProgram:
    """Linear programs of a few rows, one after the other, without a model: ``min c x``, rows and x bounded.

    Handing matrices over takes a tenth of the time that a general interface takes to look at them.
    """

    def __init__(self) -> None:
        self._highs = _Silent()  # type: ignore[no-untyped-call]
        for name, value in (_ALWAYS | {"presolve": "off", "solver": "simplex"}).items():
            self._highs.setOptionValue(name, value)

    def solve(
        self,
        cost: FloatArray,
        rows: FloatArray,
        row_bounds: tuple[FloatArray, FloatArray],
        column_bounds: tuple[FloatArray, FloatArray],
    ) -> tuple[FloatArray, FloatArray, float] | None:
        """Solve one.

        Parameters
        ----------
        cost : ndarray, shape (n,)
        rows : ndarray, shape (m, n)
        row_bounds, column_bounds : tuple of ndarray
            Lower and upper, infinite where there is none.

        Returns
        -------
        tuple of (ndarray, ndarray, float) or None
            The point, the dual of each row (change of the optimum per unit of its bound), the optimum; None
            when nothing is feasible.

        Raises
        ------
        SolverFailed
            When HiGHS ends in any other way.
        """
        lp = highspy.HighsLp()
        lp.num_row_, lp.num_col_ = rows.shape
        lp.col_cost_ = cost
        lp.row_lower_, lp.row_upper_ = row_bounds
        lp.col_lower_, lp.col_upper_ = column_bounds
        row, column = np.nonzero(rows)
        matrix = lp.a_matrix_
        matrix.format_ = highspy.MatrixFormat.kRowwise
        matrix.num_row_, matrix.num_col_ = rows.shape
        matrix.start_ = np.searchsorted(row, np.arange(len(rows) + 1))
        matrix.index_, matrix.value_ = column, rows[row, column]
        # HiGHS itself takes numbers that are none for coefficients
        finite = np.isfinite(rows).all() and np.isfinite(cost).all()
        if not finite or self._highs.passModel(lp) == highspy.HighsStatus.kError:
            message = "HiGHS refuses the matrices: a number in them is not finite or out of range"
            raise SolverFailed(message)
        _run_here(self._highs)
        status = _MEANING.get(self._highs.getModelStatus())
        if status is Status.INFEASIBLE:
            return None
        if status is not Status.OPTIMAL:
            state = self._highs.modelStatusToString(self._highs.getModelStatus())
            message = f"HiGHS {self._highs.version()} ended a small program with {state!r}"
            raise SolverFailed(message)
        found = self._highs.getSolution()
        objective = float(self._highs.getInfo().objective_function_value)
        return np.array(found.col_value), np.array(found.row_dual), objective


class PersistentHighs:
    """A Pyomo model kept alive in HiGHS.

    Parameters
    ----------
    model : pyomo.environ.ConcreteModel
        Linear, at most one active objective, minimised. Fixed variables become columns with equal bounds,
        so that they can be freed later. Later changes of the Pyomo model are *not* seen: use the methods.
    options : mapping, optional
        HiGHS options by name. Unknown names and values out of range are refused.
    interruptible : bool
        Let Ctrl-C stop HiGHS in the midst of a solve. Without, it waits for the end of the solve: right for
        solves of milliseconds, as HiGHS asks in every iteration whether it shall stop.

    Raises
    ------
    ValueError
        For an unknown option, an option with its own argument (gap, time limit), or a model to be maximised.
    RuntimeError
        When the installed HiGHS is older than the floor.
    """

    def __init__(
        self,
        model: pyo.ConcreteModel,
        options: Mapping[str, str | bool | float] | None = None,
        *,
        interruptible: bool = False,
    ) -> None:
        self._highs = _Silent()  # type: ignore[no-untyped-call]
        installed = (self._highs.versionMajor(), self._highs.versionMinor(), self._highs.versionPatch())
        if installed < FLOOR:
            message = f"HiGHS {installed} is too old: {FLOOR} or newer is needed (pip install -U highspy)"
            raise RuntimeError(message)
        for name, value in _ALWAYS.items():
            self._set(name, value=value)
        for name, value in (options or {}).items():
            if name in _OURS:
                message = f"option {name!r} has its own argument: solve({_OURS[name]}=...)"
                raise ValueError(message)
            self._set(name, value=value)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="highs")
        self._stop = threading.Event()
        self._listeners = 0
        if interruptible:
            self._listen_for(self._stop)
        self._solution: NDArray[np.float64] | None = None
        self._row_dual: NDArray[np.float64] | None = None
        self._column_dual: NDArray[np.float64] | None = None
        form = compile_model(model)
        self._impossible = form is None
        self._variables: list[Any] = [] if form is None else form.variables
        self._column = ComponentMap((v, c) for c, v in enumerate(self._variables))
        self._rows: ComponentMap = ComponentMap() if form is None else form.rows
        self._integers = {c for c, v in enumerate(self._variables) if not v.is_continuous()}
        if form is not None:
            self._pass(form)

    # ------------------------------------------------------------------ building

    def add_constraint(self, constraint: Any) -> int:  # noqa: ANN401
        """Add a row for a Pyomo constraint or relational expression.

        Parameters
        ----------
        constraint : ConstraintData or relational expression
            Linear. New variables become new columns.

        Returns
        -------
        int
            Index of the row, for :meth:`dual` and :meth:`set_row_bounds`.

        Raises
        ------
        ValueError
            When the expression is not linear.
        """
        data = constraint if hasattr(constraint, "to_bounded_expression") else as_constraint(constraint)
        lower, body, upper = data.to_bounded_expression(evaluate_bounds=True)
        repn = linear(body)
        columns = [self._column_of(v) for v in repn.linear_vars]
        shift = float(repn.constant)
        return self.add_row(
            columns,
            repn.linear_coefs,
            -math.inf if lower is None else float(lower) - shift,
            math.inf if upper is None else float(upper) - shift,
        )

    def add_row(
        self, columns: Iterable[int], coefficients: Iterable[float], lower: float, upper: float
    ) -> int:
        """Add ``lower <= coefficients @ x[columns] <= upper`` (the fast way to add a cut).

        Parameters
        ----------
        columns : iterable of int
            From :meth:`column`.
        coefficients : iterable of float
        lower, upper : float
            May be infinite.

        Returns
        -------
        int
            Index of the row.

        Raises
        ------
        ValueError
            When a coefficient is not finite: HiGHS would take it.
        """
        index = np.fromiter(columns, dtype=np.int32)
        value = np.fromiter(coefficients, dtype=np.float64)
        if not np.isfinite(value).all():
            message = f"a coefficient of a row is not finite: {value[~np.isfinite(value)][0]}"
            raise ValueError(message)
        self._accepted(self._highs.addRow(lower, upper, index.size, index, value), "a row")
        return int(self._highs.getNumRow()) - 1

    def set_row_bounds(self, row: int, lower: float, upper: float) -> None:
        """Replace the bounds of a row; ``-inf, inf`` switches it off."""
        self._highs.changeRowBounds(row, lower, upper)

    def widen(self, constraint: Any, by: float) -> None:  # noqa: ANN401
        """Let a constraint of the model be exceeded, in its own unit.

        One whose coefficients are all zero always holds and is no row of the solver's.
        """
        for row in self._rows.get(constraint, ()):
            _, lower, upper, _ = self._highs.getRow(row)  # status, bounds, number of entries
            self._highs.changeRowBounds(row, lower - by, upper + by)

    def set_objective(self, expression: Any) -> None:  # noqa: ANN401
        """Replace the objective, which is minimised.

        Raises
        ------
        ValueError
            When the expression is not linear.
        """
        repn = linear(expression)
        columns = [self._column_of(v) for v in repn.linear_vars]
        cost = np.zeros(len(self._variables))
        np.add.at(cost, columns, np.asarray(repn.linear_coefs, dtype=float))
        self._highs.changeColsCost(cost.size, np.arange(cost.size, dtype=np.int32), cost)
        self._highs.changeObjectiveOffset(float(repn.constant))

    @property
    def integers(self) -> list[Any]:
        """Integer variables of the model, in the order of their columns."""
        return [self._variables[column] for column in sorted(self._integers)]

    def set_bounds(self, variable: Any, lower: float, upper: float) -> None:  # noqa: ANN401
        """Replace the bounds of a variable in the solver (the Pyomo variable keeps its own)."""
        self._highs.changeColBounds(self._column_of(variable), lower, upper)

    def set_column_bounds(
        self, columns: NDArray[np.int32], lower: NDArray[np.float64], upper: NDArray[np.float64]
    ) -> None:
        """Replace the bounds of several columns at once (:meth:`column`)."""
        if columns.size:
            low, high = np.ascontiguousarray(lower), np.ascontiguousarray(upper)
            self._highs.changeColsBounds(columns.size, columns, low, high)

    def bounds(self, variable: Any) -> tuple[float, float]:  # noqa: ANN401
        """Lower and upper bound of a variable as the solver has them now."""
        column = self._column_of(variable)
        _, _, lower, upper, _ = self._highs.getCol(column)
        return float(lower), float(upper)

    def fix(self, variable: Any, value: float) -> None:  # noqa: ANN401
        """Hold a variable at a value."""
        self.set_bounds(variable, value, value)

    def unfix(self, variable: Any) -> None:  # noqa: ANN401
        """Give a variable its Pyomo bounds back."""
        self.set_bounds(variable, *bounds_of(variable))

    def relax_integers(self, *, relaxed: bool = True) -> None:
        """Treat all integer variables as continuous, or as integers again."""
        kind = highspy.HighsVarType.kContinuous if relaxed else highspy.HighsVarType.kInteger
        for column in sorted(self._integers):
            self._highs.changeColIntegrality(column, kind)

    def column(self, variable: Any) -> int:  # noqa: ANN401
        """Index of a variable's column; made when the model did not use the variable so far."""
        return self._column_of(variable)

    # ------------------------------------------------------------------ solving

    def solve(
        self,
        *,
        gap: float = 1e-4,
        time_limit_s: float | None = None,
        warm_start: bool | Mapping[Any, float] = False,
        progress: Callable[[float, float, float], None] | None = None,
    ) -> SolveReport:
        """Solve the model as it stands.

        Parameters
        ----------
        gap : float
            Relative gap at which a mixed-integer solve may stop. [fraction]
        time_limit_s : float, optional
            Wall time of this solve. [s]
        warm_start : bool or mapping
            True offers the last solution, a mapping {variable: value} offers a (partial) point. A linear
            program continues from its last basis in any case.
        progress : callable, optional
            Called with (seconds, incumbent, bound) whenever a mixed-integer solve has news.

        Returns
        -------
        SolveReport

        Raises
        ------
        KeyboardInterrupt
            Ctrl-C during the solve; raised when HiGHS has come to rest.
        SolverFailed
            When HiGHS ends, however it is started, without any of the statuses; says what HiGHS said.
        """
        if not 0.0 <= gap < math.inf:
            message = f"gap must be a fraction of at least 0, got {gap}"
            raise ValueError(message)
        if time_limit_s is not None and not time_limit_s >= 0.0:
            message = f"time_limit_s must be at least 0, got {time_limit_s}"
            raise ValueError(message)
        start = time.perf_counter()
        self._set("mip_rel_gap", value=float(gap))
        used = self._highs.getRunTime()  # HiGHS counts its limit from the birth of the instance
        self._set("time_limit", value=math.inf if time_limit_s is None else used + float(time_limit_s))
        if self._impossible:
            return SolveReport(Status.INFEASIBLE, math.inf, math.inf, time.perf_counter() - start, 0)
        self._offer(warm_start)
        with self._telling(progress):
            self._run()
            return self._report(start) or self._again(start)

    # ------------------------------------------------------------------ reading

    def value(self, variable: Any) -> float:  # noqa: ANN401
        """Incumbent value of one variable."""
        return float(self._need(self._solution)[self._column_of(variable)])

    def values(self, variables: Any) -> NDArray[np.float64]:  # noqa: ANN401
        """Incumbent values of an indexed variable, in the order of its index set, shape (len,)."""
        items = variables.values() if hasattr(variables, "values") else variables
        solution = self._need(self._solution)
        return np.array([solution[self._column[v]] if v in self._column else _idle(v) for v in items])

    def point(self) -> NDArray[np.float64]:
        """Incumbent value of every column, shape (columns,)."""
        return self._need(self._solution).copy()

    def dual(self, row: Any) -> float:  # noqa: ANN401
        """Dual of a constraint of the model or of an added row (by index) after a linear solve.

        Change of the optimal objective per unit of the right-hand side (negative for a binding ``<=`` row).
        """
        dual = self._need(self._row_dual)
        if isinstance(row, int):
            return float(dual[row])
        return float(sum(dual[index] for index in self._rows.get(row, ())))

    def reduced_cost(self, variable: Any) -> float:  # noqa: ANN401
        """Reduced cost of a variable after a linear solve: negative where its upper bound holds it back."""
        if variable not in self._column:  # in no row and at no cost
            return 0.0
        return float(self._need(self._column_dual)[self._column[variable]])

    def basis(self) -> highspy.HighsBasis:
        """Copy of the last optimal basis, for :meth:`restore_basis`."""
        return self._highs.getBasis()

    def restore_basis(self, basis: highspy.HighsBasis) -> None:
        """Let the next linear solve continue from an earlier basis of the same rows and columns."""
        self._highs.setBasis(basis)

    def load(self) -> None:
        """Write the incumbent into the Pyomo variables."""
        solution = self._need(self._solution)
        for variable, value in zip(self._variables, solution.tolist(), strict=True):
            variable.set_value(value, skip_validation=True)

    # ------------------------------------------------------------------ inside

    def _set(self, name: str, *, value: str | bool | float) -> None:
        if name not in _options():
            message = f"unknown HiGHS option {name!r}. {nearest(name, _options())}".rstrip()
            raise ValueError(message)
        if self._highs.setOptionValue(name, value) != highspy.HighsStatus.kOk:
            message = f"HiGHS refuses {value!r} for option {name!r}"
            raise ValueError(message)

    def _pass(self, form: MatrixForm) -> None:
        """Hand the matrices to HiGHS."""
        rows, columns = len(form.row_lower), len(form.variables)
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = columns, rows
        lp.col_cost_, lp.offset_ = form.cost, form.offset
        lp.col_lower_, lp.col_upper_ = form.column_lower, form.column_upper
        lp.row_lower_, lp.row_upper_ = form.row_lower, form.row_upper
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.num_col_, lp.a_matrix_.num_row_ = columns, rows
        lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = form.start, form.index, form.value
        if self._integers:
            kinds = [highspy.HighsVarType.kContinuous] * columns
            for column in self._integers:
                kinds[column] = highspy.HighsVarType.kInteger
            lp.integrality_ = kinds
        self._accepted(self._highs.passModel(lp), "the model")

    def _accepted(self, status: highspy.HighsStatus, what: str) -> None:
        """Make sure that HiGHS has taken what it was given, for it goes on without what it refuses."""
        if status == highspy.HighsStatus.kError:
            message = f"HiGHS refuses {what}: a number in it is not finite or out of range"
            raise SolverFailed(message)

    def _column_of(self, variable: Any) -> int:  # noqa: ANN401
        if variable not in self._column:
            column = len(self._variables)
            lower, upper = bounds_of(variable)
            self._highs.addCol(0.0, lower, upper, 0, np.empty(0, np.int32), np.empty(0))
            if not variable.is_continuous():
                self._highs.changeColIntegrality(column, highspy.HighsVarType.kInteger)
                self._integers.add(column)
            self._variables.append(variable)
            self._column[variable] = column
        return int(self._column[variable])

    def _offer(self, warm_start: bool | Mapping[Any, float]) -> None:
        if warm_start is False or (warm_start is True and self._solution is None):
            return
        if warm_start is True:
            solution = self._need(self._solution)
            index, value = np.arange(solution.size, dtype=np.int32), solution
        else:
            index = np.array([self._column_of(v) for v in warm_start], dtype=np.int32)
            value = np.array(list(warm_start.values()), dtype=np.float64)
        self._highs.setSolution(index.size, index, value)

    def _listen_for(self, stop: threading.Event) -> None:
        def listener(event: Any) -> None:  # noqa: ANN401
            if stop.is_set():
                event.interrupt()

        for asked in (self._highs.cbSimplexInterrupt, self._highs.cbIpmInterrupt, self._highs.cbMipInterrupt):
            asked.subscribe(listener)
        self._listeners += 1

    @contextmanager
    def _heard(self, event: Any, listener: Callable[[Any], None]) -> Iterator[None]:  # noqa: ANN401
        """Have HiGHS call back for a while."""
        event.subscribe(listener)
        self._listeners += 1
        try:
            yield
        finally:
            event.unsubscribe(listener)
            self._listeners -= 1

    @contextmanager
    def _telling(self, progress: Callable[[float, float, float], None] | None) -> Iterator[None]:
        """Tell of news while mixed-integer solves run."""
        if progress is None:
            yield
            return

        def listener(event: Any) -> None:  # noqa: ANN401
            data = event.data_out
            progress(data.running_time, data.mip_primal_bound, data.mip_dual_bound)

        with self._heard(self._highs.cbMipLogging, listener):
            yield

    def _run(self) -> None:
        """Run HiGHS; where it calls back in the thread of this solver, where Ctrl-C stops it first."""
        if not self._listeners:
            _run_here(self._highs)
            return
        self._stop.clear()
        running = self._thread.submit(self._highs.run)
        try:
            while True:
                with suppress(TimeoutError):
                    running.result(timeout=_PATIENCE_S)
                    return
        except BaseException:
            self._stop.set()
            wait([running])
            raise

    def _again(self, start: float) -> SolveReport:
        """Run again after a failure, first without the last basis, then without scaling, and listen to HiGHS.

        Raises
        ------
        SolverFailed
        """
        said: list[str] = []

        def listener(event: Any) -> None:  # noqa: ANN401
            said.append(str(event.message).strip())

        usual = self._highs.getOptions().simplex_scale_strategy
        with self._heard(self._highs.cbLogging, listener):
            for scaling in (usual, _UNSCALED):
                with self._option("simplex_scale_strategy", scaling):
                    self._highs.clearSolver()
                    self._run()
                    report = self._report(start)
                if report is not None:
                    return report
        state = self._highs.modelStatusToString(self._highs.getModelStatus())
        errors = dict.fromkeys(line for line in said if line.startswith(("ERROR", "WARNING")))
        words = " ".join(errors or [line for line in said if line][-_LAST_LINES:])
        message = f"HiGHS {self._highs.version()} failed with model status {state!r}. It says: {words}"
        raise SolverFailed(message)

    def _report(self, start: float) -> SolveReport | None:
        """Read what the last run found; None when it failed."""
        status = self._status()
        if self._highs.getModelStatus() == highspy.HighsModelStatus.kUnboundedOrInfeasible:
            with self._option("presolve", "off"):  # presolve cannot tell the two apart, simplex can
                self._run()
            status = self._status()
        if status is None:
            return None
        info = self._highs.getInfo()
        is_mip = any(kind != highspy.HighsVarType.kContinuous for kind in self._highs.getLp().integrality_)
        feasible = info.primal_solution_status == _FEASIBLE or status is Status.OPTIMAL
        objective = float(info.objective_function_value) if feasible else math.inf
        if status is Status.INFEASIBLE:
            bound = math.inf
        elif is_mip:
            bound = max(float(info.mip_dual_bound), self._trivial_bound())
        else:
            bound = objective if status is Status.OPTIMAL else self._trivial_bound()
        nodes = max(int(info.mip_node_count), 0) if is_mip else 0
        self._remember(feasible=feasible)
        if is_mip and feasible:
            objective = self._settled()
            if math.isinf(objective):
                return None
        return SolveReport(status, objective, min(bound, objective), time.perf_counter() - start, nodes)

    def _status(self) -> Status | None:
        return _MEANING.get(self._highs.getModelStatus())

    def _remember(self, *, feasible: bool) -> None:
        solution = self._highs.getSolution()
        self._solution = np.array(solution.col_value) if feasible else None
        self._row_dual = np.array(solution.row_dual) if solution.dual_valid else None
        self._column_dual = np.array(solution.col_dual) if solution.dual_valid else None

    def _settled(self) -> float:
        """Round the incumbent's integers, hold them, solve for the rest; returns the cost, inf if none."""
        lp, point = self._highs.getLp(), self._need(self._solution)
        kinds = list(lp.integrality_)
        whole = [c for c, kind in enumerate(kinds) if kind != highspy.HighsVarType.kContinuous]
        bounds = [(float(lp.col_lower_[c]), float(lp.col_upper_[c])) for c in whole]
        for column in whole:
            value = float(np.rint(point[column]))
            self._highs.changeColIntegrality(column, highspy.HighsVarType.kContinuous)
            self._highs.changeColBounds(column, value, value)
        with self._option("time_limit", math.inf):
            self._run()
        found = self._status() is Status.OPTIMAL
        objective = float(self._highs.getInfo().objective_function_value) if found else math.inf
        self._remember(feasible=found)
        for column, (lower, upper) in zip(whole, bounds, strict=True):
            self._highs.changeColBounds(column, lower, upper)
            self._highs.changeColIntegrality(column, kinds[column])
        return objective

    @contextmanager
    def _option(self, name: str, value: str | bool | float) -> Iterator[None]:
        """Set an option for a while."""
        before = getattr(self._highs.getOptions(), name)
        self._set(name, value=value)
        try:
            yield
        finally:
            self._set(name, value=before)

    def _trivial_bound(self) -> float:
        """Bound from the column bounds alone: what is known when the first relaxation was not finished."""
        lp = self._highs.getLp()
        cost = np.array(lp.col_cost_)
        used = np.flatnonzero(cost)
        best = np.where(cost[used] > 0, np.array(lp.col_lower_)[used], np.array(lp.col_upper_)[used])
        return float(cost[used] @ best + lp.offset_)

    @staticmethod
    def _need(array: NDArray[np.float64] | None) -> NDArray[np.float64]:
        if array is None:
            message = "the last solve left no such values"
            raise RuntimeError(message)
        return array


def solve_once(
    model: pyo.ConcreteModel,
    *,
    gap: float = 1e-4,
    time_limit_s: float | None = None,
    options: Mapping[str, str | bool | float] | None = None,
) -> SolveReport:
    """Solve a Pyomo model and load the incumbent, if any, into its variables.

    Parameters
    ----------
    model : pyomo.environ.ConcreteModel
    gap : float
        Relative gap. [fraction]
    time_limit_s : float, optional
        Wall time. [s]
    options : mapping, optional
        HiGHS options by name.

    Returns
    -------
    SolveReport
    """
    solver = PersistentHighs(model, options)
    report = solver.solve(gap=gap, time_limit_s=time_limit_s)
    if report.has_incumbent:
        solver.load()
    return report


def _idle(variable: Any) -> float:  # noqa: ANN401
    """Value of a variable in no row and no objective, which the solver never saw: any in its bounds does."""
    lower, upper = bounds_of(variable)
    return min(max(0.0, lower), upper)
