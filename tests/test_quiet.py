"""Nothing but the answer on standard output, whatever HiGHS prints; the same answer whatever ran before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import highspy
import numpy as np
import pytest

from sitedesign import cli
from sitedesign.case.case import Case
from sitedesign.errors import SolverFailed
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.extensive_form import solve_extensive
from sitedesign.optimize.highs import PersistentHighs, solve_once
from sitedesign.optimize.result import OptimizationResult
from tests.cli_runs import QUICK, SMALL
from tests.conftest import ROOT
from tests.small_cases import random_case
from tests.test_solver import canary, knapsack

CASE = random_case(np.random.default_rng(3), steps=48, ties=False)
HANGS_S = 600  # a guard against hanging, far above what the slowest machine takes


def run_alone(*command: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a fresh process, its file descriptors captured."""
    env = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, check=False, timeout=HANGS_S, env=env
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A design and a list of one place; `solve` with ``--json`` prints one document."""
    path = tmp_path_factory.mktemp("quiet")
    done = run_alone(
        "-m", "sitedesign", "solve", *SMALL, *QUICK, "--save", str(path / "design.json"), "--json"
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["study"]
    assert "HiGHS" not in done.stderr
    (path / "sites.csv").write_text("latitude,longitude\n31.76,-106.49\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "command",
    ["evaluate", *(pytest.param(name, marks=pytest.mark.slow) for name in ("certify", "frontier", "batch"))],
)
def test_a_fresh_process_prints_one_json_document(command: str, folder: Path) -> None:
    plant = ("--solar-mw", "10", "--battery-mwh", "30", "--battery-mw", "3", "--units", "recip_fast=1")
    words = {
        "evaluate": (*SMALL, *plant, "--operation", "foresight"),
        "certify": (str(folder / "design.json"), "--years", "4", "--draws", "1"),
        "frontier": (*SMALL, "--over", "min-renewable-share", "--values", "0.2:0.4:2"),
        "batch": (str(folder / "sites.csv"), "--out", str(folder / "out"), *SMALL[4:], "--workers", "1"),
    }
    done = run_alone("-m", "sitedesign", command, *words[command], "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)
    assert "HiGHS" not in done.stderr


@pytest.fixture
def nothing_printed(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Both file descriptors, not only what Python calls standard output."""
    yield
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("nothing_printed")
@pytest.mark.parametrize("method", [solve_cuts, solve_extensive])
def test_nothing_is_printed_from_python_or_from_a_thread(
    method: Callable[[Case], OptimizationResult],
) -> None:
    here = method(CASE)
    with ThreadPoolExecutor(1) as pool:
        there = pool.submit(method, CASE).result()
    assert here.objective_usd_per_yr == there.objective_usd_per_yr


@pytest.mark.usefixtures("nothing_printed")
def test_progress_is_told_and_not_printed() -> None:
    told: list[str] = []
    solve_cuts(CASE, progress=told.append)
    solve_extensive(CASE, progress=told.append)
    PersistentHighs(knapsack()).solve(gap=0.1, progress=lambda *news: told.append(str(news)))
    assert len(told) >= 3


def foreign(threads: int) -> str:
    """Use HiGHS as other packages do, in this thread."""
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", threads)
    highs.addVar(0, 1)
    highs.changeColCost(0, 1.0)
    highs.addRow(0.5, 2, 1, np.array([0], dtype=np.int32), np.array([1.0]))
    highs.run()
    return str(highs.modelStatusToString(highs.getModelStatus()))


def in_fresh_thread(*steps: Callable[[], object]) -> list[object]:
    """Run one step after the other in one new thread, in which HiGHS was never called."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: [step() for step in steps]).result()


def cuts() -> tuple[object, ...]:
    found = solve_cuts(CASE)
    return found.plant, found.objective_usd_per_yr, found.bound_usd_per_yr, found.stopped_by


def extensive() -> tuple[object, ...]:
    found = solve_extensive(CASE)
    return found.plant, found.objective_usd_per_yr, found.bound_usd_per_yr, found.stopped_by


def test_answers_do_not_depend_on_what_ran_before() -> None:
    orders = [
        (cuts, extensive),
        (extensive, cuts),
        (lambda: foreign(4), cuts, extensive),
        (lambda: foreign(0), cuts, extensive),
    ]
    answers = [[a for a in in_fresh_thread(*steps) if isinstance(a, tuple)] for steps in orders]
    assert answers[0] == answers[1][::-1] == answers[2] == answers[3]


def test_others_may_use_highs_as_they_like_after_us() -> None:
    assert in_fresh_thread(cuts, lambda: foreign(4))[1] == "Optimal"
    assert in_fresh_thread(extensive, lambda: foreign(2))[1] == "Optimal"
    assert in_fresh_thread(lambda: foreign(4), cuts, lambda: foreign(4))[::2] == ["Optimal", "Optimal"]


@pytest.mark.parametrize("method", [cuts, extensive])
def test_several_threads_solve_at_once(method: Callable[[], object]) -> None:
    alone = method()
    with ThreadPoolExecutor(4) as pool:
        assert {pool.submit(method).result() for _ in range(8)} == {alone}


def test_no_thread_is_left_behind() -> None:
    before = threading.active_count()
    for _ in range(20):
        solve_once(canary())
    left = [thread for thread in threading.enumerate() if thread.name.startswith("highs")]
    for thread in left:  # on their way out: nothing holds their solver any longer
        thread.join(HANGS_S)
    assert threading.active_count() <= before


def test_failure_says_what_highs_said(monkeypatch: pytest.MonkeyPatch) -> None:
    solver = PersistentHighs(canary())
    monkeypatch.setattr(type(solver._highs), "getModelStatus", lambda _: highspy.HighsModelStatus.kSolveError)
    with pytest.raises(SolverFailed, match=r"HiGHS \d.* failed with model status 'Solve error'. It says: \w"):
        solver.solve()


def test_numbers_that_highs_would_take_without_a_word_are_refused() -> None:
    with pytest.raises(ValueError, match="not finite: nan"):
        PersistentHighs(canary()).add_row([0], [float("nan")], 0.0, 1.0)


INTERRUPTED = """
import os, signal, sys, threading
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job would ignore it
import numpy as np
from sitedesign import cli
from sitedesign.optimize import {where}
plain = {where}.{name}
def interrupted(*a, **k):
    {where}.{name} = plain
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    return plain(*a, **k)
{where}.{name} = interrupted
sys.argv = ["sitedesign", "solve", *{words!r}]
cli.main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")
@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "name"),
    [("extensive_form", "build_model"), ("extensive_form", "branch_and_bound")],
    ids=["build", "solve"],
)
def test_ctrl_c_while_the_hourly_model_is_built_or_solved(where: str, name: str) -> None:
    words = [*SMALL[:4], "--it-mw", "20", "--years", "1", "--uptime", "0.999", "--method", "extensive"]
    done = run_alone("-c", INTERRUPTED.format(where=where, name=name, words=[*words, "--json"]))
    assert done.returncode == cli.INTERRUPTED, done.stderr
    assert json.loads(done.stdout)["message"] == "Interrupted."
    assert done.stderr == ""


def test_whole_number_points_are_whole_and_cost_what_is_said() -> None:
    """The feasibility jump of HiGHS 1.16 takes points that break rows by a tolerance."""
    for seed in range(30):
        rng = np.random.default_rng(seed)
        m = canary()
        need, price = rng.uniform(1.0, 15.0), rng.uniform(1.0, 4.0, 2)
        m.need.set_value((None, -m.x - m.z, -need))
        m.cost.set_value(price[0] * m.x + price[1] * m.z)
        report = solve_once(m, gap=0.0)
        best = min(price[0] * max(need - z, 0.0) + price[1] * z for z in range(11) if need - z <= 10)
        assert report.objective == pytest.approx(best, rel=1e-12)
        assert best * (1 - 1e-8) <= report.bound <= report.objective
        assert m.z.value == round(m.z.value)
        assert m.x.value + m.z.value >= need - 1e-12
