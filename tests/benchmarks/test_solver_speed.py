"""Speed of the fast solver, as one table: ``pytest tests/benchmarks/test_solver_speed.py --benchmark-only``.

Times are processor seconds of one core (on an idle machine that is the wall time), medians of several
runs, compilation excluded; both sides of a ratio are measured in the same run. PyPSA is compared on one
weather year when it is installed.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from sitedesign.case.case import Case, ClassShare, Tier
from sitedesign.case.rack_shortfall import expected_shortfall
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.optimize.dispatch_oracle import Oracle
from sitedesign.optimize.extensive_form import solve_extensive
from sitedesign.optimize.merit_order import order_of
from sitedesign.optimize.parametric import frontier
from tests.benchmarks.pypsa_model import solve_in_pypsa
from tests.cases import year_case

pytestmark = pytest.mark.slow

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")

ROOT = Path(__file__).resolve().parents[2]
THREE_TIERS = (Tier(0.2, 0.5), Tier(0.3, 0.9), Tier(0.5, 1.26))


def big(years: int, step_h: float = 1.0) -> Case:
    """Battery, two backup technologies, three shed tiers, racks."""
    return year_case(years=years, seed=1, step_h=step_h, tiers=THREE_TIERS)


def cpu(call, rounds: int = 3):
    """Median processor time and the last result."""
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        result = call()
        taken.append(time.process_time() - start)
    return statistics.median(taken), result


@pytest.fixture(scope="module")
def table(request):
    """Rows of the table, printed when all are known; compiles first and says how long that took."""
    start = time.process_time()
    solve_cuts(big(1))
    rows = [("compile and first solve", f"{time.process_time() - start:.1f} s", "")]
    yield rows
    lines = [f"{what:68} {measured:>24} {wanted:>14}" for what, measured, wanted in rows]
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print("", f"{'what':68} {'measured':>24} {'at least':>14}", *lines, sep="\n")


@pytest.fixture
def once(benchmark):
    """Run under pytest-benchmark, so that only ``--benchmark-only`` runs it."""
    return lambda call: benchmark.pedantic(call, rounds=1)


def in_a_process(years: int, step_h: float) -> dict[str, float]:
    """Solve in a fresh process, for its peak memory: seconds, MB, gap."""
    # VmHWM, for ru_maxrss starts from the peak of the process that started this one
    code = (
        "import json, time; from pathlib import Path;"
        "from tests.benchmarks.test_solver_speed import big, solve_cuts;"
        f"solve_cuts(big(1)); case = big({years}, {step_h}); start = time.process_time();"
        "s = solve_cuts(case); seconds = time.process_time() - start;"
        "peak = Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0];"
        "print(json.dumps({'seconds': seconds, 'gap': s.gap, 'mb': int(peak) / 1024}))"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_one_year_against_the_hour_by_hour_model(once, table):
    case = year_case()
    fast, s = cpu(lambda: solve_cuts(case), 5)
    slow, reference = once(lambda: cpu(lambda: solve_extensive(case, gap=1e-4), 1))
    difference = abs(s.objective_usd_per_yr / reference.objective_usd_per_yr - 1)
    table.append((f"one year: cuts {fast:.2f} s, extensive {slow:.1f} s", f"{slow / fast:.0f} x", "50 x"))
    table.append(("one year: relative difference of the objectives", f"{difference:.1e}", "1e-4"))
    assert slow > 50 * fast
    assert difference < 1e-4


@needs_linux
def test_twenty_years_in_two_seconds_and_400_mb(once, table):
    runs = once(lambda: [in_a_process(20, 1.0) for _ in range(3)])
    seconds, mb = (statistics.median(run[key] for run in runs) for key in ("seconds", "mb"))
    table.append(("20 years, battery, two backup technologies, three tiers", f"{seconds:.2f} s", "2 s"))
    table.append(("the same, peak memory of the whole process", f"{mb:.0f} MB", "400 MB"))
    assert max(run["gap"] for run in runs) <= 1e-4
    assert seconds < 2
    assert mb < 400


def test_racks_and_tiers_cost_at_most_twice_the_plain_rack_metric(once, table):
    with_both = big(20)
    plain = dataclasses.replace(
        with_both, tiers=(Tier(1.0, 1.0),), rack_availability=1.0, racks_max=with_both.racks_contracted
    )
    # by turns, so that whatever else the machine does meets both alike
    turns = once(
        lambda: [[cpu(lambda c=c: solve_cuts(c), 1)[0] for c in (with_both, plain)] for _ in range(5)]
    )
    ours, theirs = (statistics.median(times) for times in zip(*turns, strict=True))
    what = f"20 years: racks and tiers {ours:.2f} s, plain rack metric {theirs:.2f} s"
    table.append((what, f"{ours / theirs:.2f} x", "at most 2 x"))
    assert ours < 2 * theirs


def test_classes_and_a_value_of_lost_compute(once, table):
    case = big(20)
    two = dataclasses.replace(
        case,
        tiers=(Tier(0.4, 1.0, 1), Tier(0.2, 0.5), Tier(0.4, 1.25)),
        load_classes=(ClassShare("service", 0.6, 0.999), ClassShare("batch", 0.4, 0.99)),
    )
    priced = dataclasses.replace(case, uptime_target=0.0, lost_value_usd_per_mwh=1000.0)
    (classes, s), (value, v) = once(lambda: [cpu(lambda c=c: solve_cuts(c), 1) for c in (two, priced)])
    table.append(("20 years, two classes with targets of their own", f"{classes:.2f} s", ""))
    table.append(("20 years, no target but a value of lost compute", f"{value:.2f} s", ""))
    assert max(s.gap, v.gap) <= 1e-4


@needs_linux
def test_forty_years_in_quarter_hours(once, table):
    run = once(lambda: in_a_process(40, 0.25))
    measured = f"{run['seconds']:.1f} s, {run['mb']:.0f} MB"
    table.append(("40 years of 15 minutes (1.4 million steps)", measured, "30 s"))
    assert run["gap"] <= 1e-4
    assert run["seconds"] < 30


def test_oracle_below_100_ns_a_step(once, table):
    case = big(20)
    oracle, order = Oracle(case), order_of(case, np.array([62.0, 85.0, 400.0]))
    point = oracle.point(solve_cuts(case).plant)
    seconds, _ = once(lambda: cpu(lambda: oracle.run(point, order), 15))
    ns = 1e9 * seconds / case.steps
    table.append(
        ("dispatch and subgradients, two technologies, three tiers", f"{ns:.0f} ns/step", "100 ns/step")
    )
    assert ns < 100


def test_growth_from_5_to_40_years(once, table):
    def times(years: int) -> float:
        return (
            cpu(lambda: solve_cuts(big(years)), 1)[0]
            if years > 20
            else cpu(lambda: solve_cuts(cases[years]), 3)[0]
        )

    cases = {5: big(5), 40: big(40)}
    short, long = once(lambda: [cpu(lambda n=n: solve_cuts(cases[n]), 3)[0] for n in (5, 40)])
    measured = f"{long / short / 8:.2f} x linear"
    table.append((f"growth from 5 years ({short:.2f} s) to 40 ({long:.2f} s)", measured, "1.20 x linear"))
    assert long < 8 * 1.2 * short


def test_frontier_of_twenty_points_on_twenty_years(once, table):
    case = big(20)
    pool = CutPool(case)
    targets = 1 - np.logspace(-2, -4, 20)
    seconds, points = once(lambda: cpu(lambda: frontier(case, "uptime", targets, cut_pool=pool), 1))
    measured = f"{seconds:.1f} s"
    table.append(
        (f"20-point uptime frontier on 20 years ({pool.search.oracle.calls} dispatches)", measured, "5 s")
    )
    assert all(point.sizing.gap <= 1e-4 for point in points)
    assert seconds < 5


@pytest.mark.filterwarnings("ignore")  # of PyPSA's own dependencies
def test_one_year_against_pypsa(once, table):
    if importlib.util.find_spec("pypsa") is None:
        pytest.skip("PyPSA is not installed (pip install pypsa)")
    base = year_case()
    racks = solve_cuts(base).plant.racks
    lost = float(expected_shortfall(base.racks_contracted, racks, base.rack_availability))
    # PyPSA knows no spare racks: hold them, and take what they lose off the budget
    case = dataclasses.replace(
        base, rack_availability=1.0, racks_max=base.racks_contracted, uptime_target=base.uptime_target + lost
    )
    fast, s = cpu(lambda: solve_cuts(case), 5)
    slow, objective = once(lambda: cpu(lambda: solve_in_pypsa(case), 1))
    difference = abs(s.objective_usd_per_yr / objective - 1)
    table.append((f"one year: cuts {fast:.2f} s, PyPSA with HiGHS {slow:.1f} s", f"{slow / fast:.0f} x", ""))
    table.append(("one year: relative difference to PyPSA", f"{difference:.1e}", ""))
    assert difference < 1.1e-3
