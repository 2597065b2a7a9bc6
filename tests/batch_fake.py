"""A batch whose sites take a moment and need no solver, for the tests that kill it.

Workers are spawned, import this file again as their main module, and so solve in the same way.
Usage: python batch_fake.py SITES OUT [--workers N] [--seconds S] [--log FILE] [--cluster] [--out-of-process]
"""

from __future__ import annotations

import argparse
import os
import signal
import time
from pathlib import Path
from typing import Any

from sitedesign.batch import one_site
from sitedesign.study.study import Study

SECONDS = float(os.environ.get("FAKE_SECONDS", "0.02"))
LOG = os.environ.get("FAKE_LOG")


def solve(study: Study, job: one_site.BatchJob) -> Study:
    """Take a moment, and say so; the site named ``killer`` takes its worker along."""
    time.sleep(SECONDS)
    if study.site.name == "killer":
        os._exit(1)
    if LOG:
        with Path(LOG).open("a", encoding="utf-8") as file:
            file.write(f"{os.getpid()} {study.site.latitude} {study.site.longitude}\n")
    return study


def figures(study: Any) -> dict[str, Any]:
    """Numbers that only depend on the row."""
    place = 1e3 * study.site.latitude + study.site.longitude
    found = {name: place * (number + 1) / 7 for number, name in enumerate(one_site.FIGURES)}
    return found | {"racks_installed": study.contracted_racks, "units_diesel": 1, "units_recip_medium": 2}


one_site._solve, one_site.figures, one_site.check_job = solve, figures, lambda job, studies=(): None  # type: ignore[assignment]


def main() -> None:
    from sitedesign.batch import screening

    # A test run in the background hands down that interrupts are ignored; this one is to be interrupted.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    screening.check_job = lambda job, studies=(): None
    parser = argparse.ArgumentParser()
    parser.add_argument("sites")
    parser.add_argument("out")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--cluster", action="store_true", help="own scheduler on the loopback interface")
    options = parser.parse_args()
    where: dict[str, Any] = {"workers": options.workers}
    if options.cluster:
        from distributed import LocalCluster

        cluster = LocalCluster(
            n_workers=options.workers, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
        )
        where = {"scheduler": cluster.scheduler_address}
    screening.solve_many(options.sites, out=options.out, uptime=0.999, racks=10, **where)


if __name__ == "__main__":
    main()
