"""A batch of a million sites with a stand-in for the solver: what the driver itself takes, killed twice.

The stand-in answers at once, or at the rate of a cluster (``--rate 100``: rows a second of a hundred cores).
The driver is a process of its own, killed with SIGKILL at a third and at two thirds of the rows and started
again; then every site must be there once, and ranking and map are drawn. What a run took is printed as JSON::

    python tests/benchmarks/million_rows.py --rows 1000000 --folder /tmp/million
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import psutil

from sitedesign.batch import one_site, screening
from sitedesign.batch.map import write_map
from sitedesign.batch.one_site import BatchJob, Outcome
from sitedesign.batch.question import Question
from sitedesign.batch.ranking import rank
from sitedesign.batch.store import read_results

AT_ONCE = 30  # finished sites that a driver of a hundred workers finds waiting
_MB = 1e6


class StandIn:
    """Engine whose sites are solved by arithmetic, taken one by one as every engine takes them."""

    rate = 0.0

    def __init__(self, tasks: Iterator[Any], question: Question, job: BatchJob, *_: object) -> None:
        self._tasks, self._done, self._start = tasks, 0, time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def next_batch(self) -> list[Outcome]:
        """Answer the next sites, no sooner than the rate allows."""
        found = [outcome(*task) for _, task in zip(range(AT_ONCE), self._tasks, strict=False)]
        self._done += len(found)
        if self.rate:
            time.sleep(max(0.0, self._start + self._done / self.rate - time.monotonic()))
        return found

    def drain(self) -> list[Outcome]:
        """Nothing waits here."""
        return []


def outcome(key: str, row: dict[str, Any]) -> Outcome:
    """Figures that only depend on the place; one site in a thousand has no design."""
    place = 1e3 * row["latitude"] + row["longitude"]
    if int(place * 7) % 1000 == 0:
        return Outcome(key, {"status": "infeasible", "error": "No design: too little land."}, 0.5, 400.0)
    found: dict[str, Any] = {name: abs(place) * (n + 1) for n, name in enumerate(one_site.FIGURES)}
    found |= {"racks_installed": 700, "units_recip_medium": 5, "units_mobile_gt": 1, "units_diesel": 2}
    name = f"{row['latitude']:.2f}, {row['longitude']:.2f}"
    return Outcome(key, {"status": "solved", "name": name, "country": "US"} | found, 0.5, 400.0)


def drive(folder: Path, rate: float) -> None:
    """Run the batch as ``solve_many`` does, and leave what it took in a file."""
    StandIn.rate = rate
    screening.DaskEngine = StandIn  # type: ignore[misc, assignment]
    screening.check_main_guard = lambda: None
    begun, first = time.monotonic(), []

    def progress(line: str) -> None:
        if not first:
            first.append(time.monotonic() - begun)
            (folder / "resumed.json").write_text(
                json.dumps({"seconds_to_first_site": first[0], "line": line})
            )

    frame = screening.solve_many(
        folder / "sites.parquet", out=folder / "out", racks=700, uptime=0.999, progress=progress
    )
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    told = {"rows": len(frame), "seconds": time.monotonic() - begun, "peak_mb": peak_mb}
    (folder / "finished.json").write_text(json.dumps(told))


def table(rows: int, path: Path) -> None:
    """Write sites over the contiguous United States on a grid as fine as is needed."""
    side = int(np.ceil(np.sqrt(rows)))
    latitude, longitude = np.meshgrid(np.linspace(25, 49, side), np.linspace(-124, -67, side))
    frame = pd.DataFrame({"latitude": latitude.ravel(), "longitude": longitude.ravel()}).round(5).head(rows)
    frame.to_parquet(path)


def stored(folder: Path) -> int:
    """Rows on the disk by the sizes of the parts, which say nothing of rows that stand twice."""
    import pyarrow.parquet as pq

    found = 0
    for path in (folder / "out" / "sites").glob("part-*.parquet"):
        try:
            found += pq.read_metadata(path).num_rows
        except OSError:  # joined with others meanwhile
            continue
    return found


def run(folder: Path, rows: int, rate: float) -> dict[str, Any]:
    """Start, kill at a third and at two thirds, finish, rank and draw."""
    folder.mkdir(parents=True, exist_ok=True)
    table(rows, folder / "sites.parquet")
    told: dict[str, Any] = {"rows": rows, "runs": []}
    for kill_at in (rows // 3, 2 * rows // 3, None):
        (folder / "resumed.json").unlink(missing_ok=True)
        begun, peak = time.monotonic(), 0.0
        command = [sys.executable, __file__, "--drive", "--folder", str(folder), "--rate", str(rate)]
        driver = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})
        process = psutil.Process(driver.pid)
        before = stored(folder)
        while driver.poll() is None:
            time.sleep(0.5)
            try:
                peak = max(peak, process.memory_info().rss / _MB)
            except psutil.NoSuchProcess:
                break
            if kill_at is not None and stored(folder) >= kill_at:
                driver.send_signal(signal.SIGKILL)
                driver.wait()
        took = time.monotonic() - begun
        resumed = json.loads((folder / "resumed.json").read_text())
        wrote = stored(folder) - before
        told["runs"].append({"killed": kill_at is not None, "seconds": took, "peak_mb": peak,
                             "rows_a_second": wrote / took, **resumed})  # fmt: skip
    told["finished"] = json.loads((folder / "finished.json").read_text())
    found = read_results(folder / "out")
    assert found.num_rows == rows == len(set(found["key"].to_pylist())), "a site is missing or stands twice"
    begun = time.monotonic()
    frame = found.to_pandas()
    told["best"] = float(rank(frame)["cost_usd_per_yr"].iloc[0])
    told["rank_seconds"], begun = time.monotonic() - begun, time.monotonic()
    page = write_map(frame, folder / "map.html")
    told |= {"map_seconds": time.monotonic() - begun, "map_mb": page.stat().st_size / _MB}
    return told


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rate", type=float, default=0.0, help="rows a second; 0 for as fast as it goes")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--drive", action="store_true", help="be the driver")
    options = parser.parse_args()
    if options.drive:
        drive(options.folder, options.rate)
    else:
        sys.stdout.write(json.dumps(run(options.folder, options.rows, options.rate), indent=1) + "\n")


if __name__ == "__main__":
    main()
