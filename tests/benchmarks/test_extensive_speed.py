"""One hourly year, 100 MW, two backup technologies in whole units: optimal to 1e-3 in under a minute.

Run with ``pytest tests/benchmarks/test_extensive_speed.py --benchmark-only``.
"""

from __future__ import annotations

import time

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from sitedesign.optimize.extensive_form import solve_extensive
from tests.cases import year_case


@pytest.mark.slow
def test_one_year_in_under_a_minute(benchmark: BenchmarkFixture) -> None:
    start = time.process_time()  # the solver is serial: on an idle machine this is the wall time
    s = benchmark.pedantic(lambda: solve_extensive(year_case(), gap=1e-3), rounds=1)
    assert time.process_time() - start < 60
    assert s.stopped_by == "gap"
    assert s.gap <= 1e-3
    assert s.objective_usd_per_yr == pytest.approx(70_500_712, rel=1.1e-3)
