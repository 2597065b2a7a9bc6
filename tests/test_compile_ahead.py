"""What is compiled beside the solver is what the search runs, and nothing is compiled twice."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

from sitedesign.util import compile_ahead as ahead

# What another process compiles is loaded here: where it would serve no search, a search would compile its own
SEARCH = """
    import sitedesign as sd
    from sitedesign.case.plant import Plant
    from sitedesign.certified.environment import environment_of
    from sitedesign.certified.scenario_years import weather_block
    from sitedesign.certified.evaluator import Evaluator
    from sitedesign.case.build import build_case
    from sitedesign.util import compile_ahead as compiled
    from sitedesign.operation import simulation
    from sitedesign.operation import rack_restart
    from sitedesign.operation.state import Controller
    from sitedesign.reliability.ahead import compile_simulation

    is_compiled, compiled._is_compiled = compiled._is_compiled, lambda: False
    compiled.compile_ahead()
    [process] = compiled._compiling
    compiled._is_compiled = is_compiled
    kernels = (simulation.simulate, rack_restart._restarts)
    compile_simulation()  # what the process has done, once it has ended
    assert process.returncode == 0
    assert not compiled._compiling
    for item in kernels:
        assert sum(item.stats.cache_hits.values()) == 1, item
        assert not item.stats.cache_misses, item
    ahead = [item.signatures for item in kernels]
    for backup in (["recip_fast", "diesel"], []):
        site = sd.Site(latitude=31.76, longitude=-106.49)
        study_case = build_case(sd.Study(site=site, racks=70, uptime=0.9, backup=backup, weather_years=2))
        environment = environment_of(study_case)
        evaluator = Evaluator([weather_block(study_case)], environment, "rack", seed=1, draws=2)
        plant = Plant((20.0,), 60.0, 10.0, (1,) * len(backup), 72)
        assert evaluator.evaluate(plant, Controller()).cost_usd_per_yr > 0
    assert [item.signatures for item in kernels] == ahead
    compiled.compile_ahead()
    assert not compiled._compiling  # what is compiled is not compiled again
"""
# Numba says itself where it would keep a kernel
KEPT = """
    import sys
    from pathlib import Path
    from sitedesign.util.compile_ahead import _is_compiled

    assert not _is_compiled()
    from sitedesign.operation.simulation import simulate
    index = Path(simulate._cache._cache_file._index_path)
    assert Path(sys.argv[1]) in index.parents
    index.touch()
    assert _is_compiled()
"""


def run(script: str, *arguments: str, **variables: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        env=os.environ | {"OMP_NUM_THREADS": "2"} | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_search_compiles_nothing_more():
    run(SEARCH)


def test_kernels_in_a_folder_of_the_users_own_are_found(tmp_path):
    run(KEPT, str(tmp_path), NUMBA_CACHE_DIR=str(tmp_path))


def test_a_process_that_cannot_be_started_costs_nothing_but_time(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setattr(ahead, "_is_compiled", lambda: False)
    monkeypatch.setattr(ahead.sys, "executable", "/no/such/python")
    ahead.compile_ahead()
    assert ahead._compiling == []


def test_one_core_compiles_when_it_must(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(ahead, "_is_compiled", lambda: False)
    ahead.compile_ahead()
    assert ahead._compiling == []


def test_the_first_simulation_waits():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.5)"])
    ahead._compiling.append(process)
    ahead.settled()
    assert process.returncode == 0
    assert ahead._compiling == []


def test_the_process_that_compiles_loads_nothing_that_takes_long():
    code = "import sys, sitedesign.reliability.ahead; print([m for m in sys.argv[1:] if m in sys.modules])"
    words = [sys.executable, "-c", code, "scipy.stats", "pandas", "sitedesign.library", "pyomo", "numba"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['numba']"
