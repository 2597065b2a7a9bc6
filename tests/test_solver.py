"""The HiGHS wrapper: nothing but OPTIMAL is good, limits are told, options are checked."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import highspy
import numpy as np
import pyomo.environ as pyo
import pytest
from scipy.optimize import linprog

from sitedesign.errors import SolverFailed
from sitedesign.optimize.highs import PersistentHighs, SmallProgram, SolveReport, Status, solve_once


def canary() -> pyo.ConcreteModel:
    """HiGHS 1.14.0 called a wrong point of this model optimal; the optimum is x = 4.5, z = 0, cost 9."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 10))
    m.z = pyo.Var(bounds=(0, 10), domain=pyo.Integers)
    m.need = pyo.Constraint(expr=m.x + m.z >= 4.5)
    m.cost = pyo.Objective(expr=2 * m.x + 3 * m.z)
    return m


def knapsack(n: int = 80, rows: int = 20, seed: int = 1) -> pyo.ConcreteModel:
    """A dense multi-knapsack that takes HiGHS minutes."""
    rng = np.random.Generator(np.random.PCG64(seed))
    m = pyo.ConcreteModel()
    m.i = pyo.RangeSet(0, n - 1)
    m.y = pyo.Var(m.i, domain=pyo.Binary)
    worth = rng.integers(50, 100, n)
    size = rng.integers(5, 60, (rows, n))
    m.room = pyo.Constraint(
        pyo.RangeSet(0, rows - 1), rule=lambda m, r: sum(int(size[r, i]) * m.y[i] for i in m.i) <= 30 * n / 4
    )
    m.cost = pyo.Objective(expr=-sum(int(worth[i]) * m.y[i] for i in m.i))
    return m


def test_canary_of_wrong_optimal_answers() -> None:
    m = canary()
    report = solve_once(m, gap=0.0)
    assert report.status is Status.OPTIMAL
    assert report.objective == pytest.approx(9.0, abs=1e-9)
    assert report.bound == pytest.approx(9.0, abs=1e-6)
    assert (m.x.value, m.z.value) == pytest.approx((4.5, 0.0), abs=1e-9)


def test_variables_in_no_row_and_no_objective_have_a_value_within_their_bounds() -> None:
    m = canary()
    m.idle = pyo.Var([1, 2, 3], bounds=lambda _, i: {1: (0, 5), 2: (2, 5), 3: (-5, -1)}[i])
    solver = PersistentHighs(m)
    assert solver.solve(gap=0.0).status is Status.OPTIMAL
    assert solver.values(m.idle).tolist() == [0.0, 2.0, -1.0]
    assert solver.values([m.x, m.z, m.idle[2]]) == pytest.approx([4.5, 0.0, 2.0])


def test_canary_with_presolve_off() -> None:
    report = solve_once(canary(), gap=0.0, options={"presolve": "off"})
    assert report.objective == pytest.approx(9.0, abs=1e-9)


def test_infeasible_is_a_status_and_leaves_no_values() -> None:
    m = canary()
    m.never = pyo.Constraint(expr=m.x + m.z <= 4)
    solver = PersistentHighs(m)
    report = solver.solve()
    assert report.status is Status.INFEASIBLE
    assert not report.has_incumbent
    assert math.isinf(report.gap)
    with pytest.raises(RuntimeError, match="no such values"):
        solver.value(m.x)


def test_row_without_variables_that_cannot_hold_is_infeasible() -> None:
    m = canary()
    m.p = pyo.Param(initialize=1.0, mutable=True)
    m.never = pyo.Constraint(expr=0 * m.x + m.p <= 0)
    assert PersistentHighs(m).solve().status is Status.INFEASIBLE


def test_unbounded_is_not_reported_as_optimal() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var()
    m.cost = pyo.Objective(expr=m.x)
    assert solve_once(m).status is Status.UNBOUNDED


def test_time_limit_reports_incumbent_and_bound() -> None:
    report = solve_once(knapsack(), gap=0.0, time_limit_s=1.0)
    assert report.status is Status.TIME_LIMIT  # not a quarter of an hour later, and optimal
    assert report.has_incumbent
    assert report.bound < report.objective
    assert 0 < report.gap < 1


def test_time_limit_counts_from_each_solve() -> None:
    solver = PersistentHighs(knapsack())
    first = solver.solve(gap=0.0, time_limit_s=0.5)
    again = solver.solve(gap=0.0, time_limit_s=0.5, warm_start=True)
    assert first.status is Status.TIME_LIMIT
    assert again.status is Status.TIME_LIMIT
    assert again.seconds > 0.3
    assert again.objective <= first.objective


def test_time_limit_of_zero_still_has_a_bound_from_the_column_bounds() -> None:
    m = canary()
    solver = PersistentHighs(m, {"presolve": "off"})
    report = solver.solve(time_limit_s=0.0)
    assert report.status in (Status.TIME_LIMIT, Status.OPTIMAL)
    assert 0.0 <= report.bound <= 9.0


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"mip_rel_gab": 1e-3}, "unknown HiGHS option 'mip_rel_gab'. Did you mean"),
        ({"mip_rel_gap": 1e-3}, r"solve\(gap="),
        ({"time_limit": 3}, r"solve\(time_limit_s="),
        ({"presolve": "maybe"}, "refuses 'maybe' for option 'presolve'"),
        ({"threads": -5}, "refuses -5 for option 'threads'"),
    ],
)
def test_options_are_checked(options: dict[str, str | float], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        PersistentHighs(canary(), options)


def test_bad_gap_and_limit_are_refused() -> None:
    solver = PersistentHighs(canary())
    with pytest.raises(ValueError, match="gap must be"):
        solver.solve(gap=-1.0)
    with pytest.raises(ValueError, match="time_limit_s must be"):
        solver.solve(time_limit_s=float("nan"))


def test_maximising_is_refused() -> None:
    m = canary()
    m.cost.sense = pyo.maximize
    with pytest.raises(ValueError, match="minimised"):
        PersistentHighs(m)


def test_rows_objective_and_bounds_change_between_solves() -> None:
    m = canary()
    solver = PersistentHighs(m)
    assert solver.solve(gap=0.0).objective == pytest.approx(9.0)
    row = solver.add_constraint(m.z >= 1.5)  # so z = 2, x = 2.5
    assert solver.solve(gap=0.0).objective == pytest.approx(11.0)
    solver.set_row_bounds(row, -math.inf, math.inf)
    solver.fix(m.x, 1.0)  # so z = 4
    assert solver.solve(gap=0.0).objective == pytest.approx(14.0)
    solver.unfix(m.x)
    solver.set_objective(3 * m.x + 2 * m.z + 100)  # so z = 4, x = 0.5
    report = solver.solve(gap=0.0)
    assert report.objective == pytest.approx(109.5)
    assert solver.values([m.x, m.z]) == pytest.approx([0.5, 4.0])


def test_variables_unknown_to_the_model_become_columns() -> None:
    m = canary()
    m.late = pyo.Var(bounds=(0, 3), domain=pyo.Integers)
    solver = PersistentHighs(m)
    solver.set_objective(2 * m.x + 3 * m.z - m.late)
    solver.add_constraint(m.late <= m.x + 0.2)
    assert solver.solve(gap=0.0).objective == pytest.approx(6.0)
    assert solver.value(m.late) == 3.0


def test_dual_after_relaxing_integers() -> None:
    m = canary()
    solver = PersistentHighs(m)
    solver.relax_integers()
    report = solver.solve()
    assert report.objective == report.bound == pytest.approx(9.0)
    assert solver.dual(m.need) == pytest.approx(2.0)  # one more unit of need is met by x at 2
    row = solver.add_constraint(m.x <= 4)
    assert solver.solve().objective == pytest.approx(9.5)
    assert solver.dual(row) == pytest.approx(-1.0)  # one more x saves 3 - 2
    solver.relax_integers(relaxed=False)
    assert solver.solve(gap=0.0).objective == pytest.approx(2 * 3.5 + 3)


def test_fixed_variable_can_be_freed_in_the_solver() -> None:
    m = canary()
    m.z.fix(3)
    solver = PersistentHighs(m)
    assert solver.solve(gap=0.0).objective == pytest.approx(12.0)
    assert m.z.fixed
    m.z.unfix()
    solver.unfix(m.z)
    assert solver.solve(gap=0.0).objective == pytest.approx(9.0)


def test_warm_start_by_mapping_is_taken_as_incumbent() -> None:
    m = knapsack()
    solver = PersistentHighs(m, {"mip_heuristic_effort": 0.0})
    first = solver.solve(gap=0.0, time_limit_s=1.0)
    start = dict(zip(m.y.keys(), solver.values(m.y), strict=True))
    other = PersistentHighs(m)
    again = other.solve(gap=1.0, warm_start=pyo.ComponentMap((m.y[i], v) for i, v in start.items()))
    assert again.objective <= first.objective + 1e-6


def test_progress_is_told() -> None:
    told: list[tuple[float, float, float]] = []
    PersistentHighs(knapsack()).solve(gap=0.0, time_limit_s=1.0, progress=lambda *news: told.append(news))
    assert told
    assert all(bound <= incumbent + 1e-9 for _, incumbent, bound in told)


def test_interruptible_gives_the_same_answer() -> None:
    assert PersistentHighs(canary(), interruptible=True).solve(gap=0.0).objective == pytest.approx(9.0)


def test_gap_of_a_report() -> None:
    assert SolveReport(Status.OPTIMAL, 10.0, 9.0, 0.0, 0).gap == pytest.approx(0.1)


def test_small_programs_are_solved_like_by_a_general_interface() -> None:
    """One after the other in one object, of other sizes, feasible or not."""
    rng, program, infinite = np.random.default_rng(3), SmallProgram(), np.inf
    infeasible = 0
    for _ in range(60):
        m, n = rng.integers(1, 5), rng.integers(1, 9)
        cost, rows = rng.normal(size=n), rng.normal(size=(m, n)) * (rng.random((m, n)) < 0.8)
        most = rng.normal(size=m) + 0.5
        whole = np.vstack([rows, np.ones(n)])
        found = program.solve(
            cost,
            whole,
            (np.append(np.full(m, -infinite), 1.0), np.append(most, 1.0)),
            (np.zeros(n), np.full(n, infinite)),
        )
        known = linprog(cost, rows, most, np.ones((1, n)), [1.0])
        if found is None:
            assert known.status == 2
            infeasible += 1
            continue
        point, dual, value = found
        assert value == pytest.approx(known.fun, abs=1e-7)
        assert cost @ point == pytest.approx(value)
        # Strong duality: each row's dual times its bound adds up to the optimum
        assert dual[:-1] @ most + dual[-1] == pytest.approx(value, abs=1e-7)
        assert (dual[:-1] <= 1e-9).all()
    assert 0 < infeasible < 40


def test_a_small_program_without_an_end_or_with_a_number_that_is_none_says_so() -> None:
    one, zero, infinite = np.ones(1), np.zeros(1), np.full(1, np.inf)
    with pytest.raises(SolverFailed, match="Unbounded"):
        SmallProgram().solve(-one, np.zeros((1, 1)), (zero, one), (zero, infinite))
    with pytest.raises(SolverFailed, match="not finite"):
        SmallProgram().solve(one, np.full((1, 1), np.nan), (zero, one), (zero, infinite))


@pytest.mark.parametrize("threads", [2, 3])
def test_whoever_runs_highs_in_the_same_thread_with_more_threads_is_not_in_the_way(threads: int) -> None:
    """HiGHS refuses a run in a thread that has a scheduler of another number of threads."""

    def of_somebody_else() -> float:
        highs = highspy.Highs()  # type: ignore[no-untyped-call]
        highs.setOptionValue("output_flag", False)
        highs.setOptionValue("threads", threads)
        x = highs.addVariable(1.0, 5.0, 1.0)
        assert x is not None
        assert highs.run() == highspy.HighsStatus.kOk
        return float(highs.getInfo().objective_function_value)

    before = of_somebody_else()
    assert solve_once(canary()).objective == 9.0
    assert of_somebody_else() == before == 1.0
    assert solve_once(canary()).objective == 9.0


def test_small_programs_in_many_threads_are_solved_as_in_one() -> None:
    rng = np.random.default_rng(0)
    questions = [(rng.random(12), rng.random((8, 12))) for _ in range(60)]
    bounds = (np.ones(8), np.full(8, np.inf)), (np.zeros(12), np.full(12, 10.0))

    def optima(_: int) -> list[float]:
        program = SmallProgram()
        found = [program.solve(cost, rows, *bounds) for cost, rows in questions]
        return [item[2] for item in found if item is not None]

    alone = optima(0)
    assert len(alone) == len(questions)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(optima, range(8))) == [alone] * 8
