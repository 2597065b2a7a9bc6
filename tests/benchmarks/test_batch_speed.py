"""How fast sites are solved: 25 bounds or 3 certified designs a minute and core, twice that on two."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

import sitedesign as sd
from sitedesign.batch.one_site import BatchJob, solve_row
from sitedesign.batch.question import Question
from sitedesign.batch.table import Row

# From the desert to the Great Lakes: how long a site takes depends on where it lies.
PLACES = [
    (31.8, -106.5), (36.1, -115.2), (39.7, -105.0), (45.0, -90.0), (41.9, -93.6), (33.7, -84.4),
    (47.6, -122.3), (42.4, -71.1), (29.8, -95.4), (35.2, -101.8),
]  # fmt: skip
ROWS: list[Row] = [{"latitude": latitude, "longitude": longitude} for latitude, longitude in PLACES]
QUESTION = Question({"racks": 700, "uptime": 0.999})


def solved(rows: list[Row]) -> list[float]:
    """Solve each row in this process; memory of the process after each. [MB]"""
    outcomes = [solve_row(QUESTION, BatchJob(), str(number), row) for number, row in enumerate(rows)]
    assert {item.row["status"] for item in outcomes} == {"solved"}
    return [item.rss_mb for item in outcomes]


def test_twenty_five_sites_a_minute_on_one_core(benchmark: Any) -> None:
    solved(ROWS[:1])  # imports and compiled kernels
    start = time.process_time()
    benchmark.pedantic(solved, args=(ROWS,), rounds=1)
    assert 60 * len(ROWS) / (time.process_time() - start) >= 25


def test_three_certified_sites_a_minute_on_one_core(benchmark: Any) -> None:
    certified = BatchJob(stage="certified")
    solve_row(QUESTION, certified, "warm", {"latitude": 31.8, "longitude": -106.5, "weather_years": 2})
    rows = [ROWS[number] for number in (0, 3, 5, 7)]
    start = time.process_time()
    outcomes = benchmark.pedantic(
        lambda: [solve_row(QUESTION, certified, str(number), row) for number, row in enumerate(rows)],
        rounds=1,
    )
    took_s = time.process_time() - start
    assert [item.row["certified_met"] for item in outcomes] == [1.0] * 4
    assert max(item.rss_mb for item in outcomes) < 1000
    benchmark.extra_info["M USD/yr"] = [round(item.row["cost_usd_per_yr"] / 1e6, 2) for item in outcomes]
    assert 60 * len(rows) / took_s >= 3


def test_memory_of_a_worker_is_small_and_flat(benchmark: Any) -> None:
    memory_mb = benchmark.pedantic(solved, args=(ROWS * 4,), rounds=1)
    assert max(memory_mb) < 1000
    assert max(memory_mb[30:]) < 1.1 * max(memory_mb[:10])


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="needs two cores")
def test_two_cores_against_one(benchmark: Any, tmp_path: Path) -> None:
    took_s, parent_s = {}, {}
    for workers in (1, 2):
        rows = [row | {"seed": seed} for seed in range(4) for row in ROWS]
        finished: list[tuple[float, float]] = []
        sd.solve_many(
            rows, out=tmp_path / f"{workers}", workers=workers, racks=700, uptime=0.999,
            progress=lambda _, clocks=finished: clocks.append((time.perf_counter(), time.process_time())),
        )  # fmt: skip
        # From the first site on: before it one worker starts and the kernels are compiled
        took_s[workers], parent_s[workers] = (finished[-1][i] - finished[0][i] for i in (0, 1))
    benchmark.extra_info |= {"took_s": took_s, "parent_cpu_s": parent_s}
    benchmark.pedantic(lambda: None, rounds=1)
    same = [(tmp_path / f"{workers}" / "results.parquet").read_bytes() for workers in (1, 2)]
    assert same[0] == same[1]
    assert parent_s[2] < 0.1 * took_s[2]  # who hands out the sites is not what they wait for
    assert took_s[1] / took_s[2] >= 1.8
