"""Kill a batch in every way and go on: the results must be those of an undisturbed run, byte for byte."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

import pandas as pd
import psutil
import pytest

from sitedesign.batch.site_grid import land_grid

FAKE = Path(__file__).with_name("batch_fake.py")
SITES = 60
PATIENCE_S = 600  # a guard against hanging, not a measure of speed
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty good sites, two that are the same, and three that make no sense."""
    path = tmp_path_factory.mktemp("sites") / "sites.csv"
    frame = land_grid(32, 41, -115, -85, 2).astype(str).head(SITES - 5)
    extra = [["95", "10"], ["31.76", "word"], ["30", "-40"], ["31.76", "-106.49"], ["31.76", "-106.49"]]
    pd.concat([frame, pd.DataFrame(extra, columns=frame.columns)]).to_csv(path, index=False)
    return path


STARTED: list[subprocess.Popen[bytes]] = []


@pytest.fixture(scope="module")
def undisturbed(sites: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    out = tmp_path_factory.mktemp("undisturbed")
    assert start(sites, out, "--workers", "1", seconds=0).wait(PATIENCE_S) == 0
    return (out / "results.parquet").read_bytes()


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    """End what a failed test left running, workers included."""
    yield
    while STARTED:
        process = STARTED.pop()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def start(
    sites: Path, out: Path, *options: str, seconds: float = 0.02, log: Path | None = None, failures: int = 3
) -> subprocess.Popen[bytes]:
    env = os.environ | {"FAKE_SECONDS": str(seconds), "PYTHONPATH": str(FAKE.parent.parent)}
    env["DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES"] = str(failures)
    if log is not None:
        env["FAKE_LOG"] = str(log)
    process = subprocess.Popen(
        [sys.executable, str(FAKE), str(sites), str(out), *options],
        env=env,
        start_new_session=True,
        preexec_fn=_hear_interrupts,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    STARTED.append(process)
    return process


def _hear_interrupts() -> None:
    """Undo what a shell does to background jobs, which would make the interrupt test wait in vain."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert process.poll() is None, "the batch ended before it could be disturbed"
        assert time.monotonic() < end
        time.sleep(0.1)


def parts(out: Path) -> list[Path]:
    return sorted((out / "sites").glob("part-*.parquet"))


@cache
def _keys(path: Path, size: int) -> frozenset[str]:
    return frozenset(pd.read_parquet(path, columns=["key"])["key"])


def finished(out: Path) -> int:
    """Sites in the parts; each is read once, however often somebody asks."""
    return len(set().union(*(_keys(path, path.stat().st_size) for path in parts(out))))


def lines(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


@pytest.fixture(scope="module")
def shuffled(sites: Path) -> Path:
    """Put the same sites in another order."""
    path = sites.with_name("shuffled.csv")
    pd.read_csv(sites, dtype=str).sample(frac=1, random_state=1).to_csv(path, index=False)
    return path


def test_order_of_sites_and_own_scheduler_change_nothing(
    shuffled: Path, undisturbed: bytes, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    process = start(shuffled, tmp_path / "out", "--workers", "2", "--cluster", log=log)
    assert process.wait(PATIENCE_S) == 0
    assert len({line.split()[0] for line in lines(log)}) == 2  # both workers worked
    assert (tmp_path / "out" / "results.parquet").read_bytes() == undisturbed


def test_killed_twice_interrupted_and_resumed_while_a_worker_is_killed(
    sites: Path, shuffled: Path, undisturbed: bytes, tmp_path: Path
) -> None:
    out, log, before = tmp_path / "out", tmp_path / "log", 0
    for wanted in (8, 16):
        process = start(sites, out, "--workers", "2", seconds=0.3, log=log)
        wait_until(lambda wanted=wanted: finished(out) >= wanted, process)
        workers = psutil.Process(process.pid).children(recursive=True)
        process.kill()  # only the batch itself: its workers must notice
        process.wait(PATIENCE_S)
        assert psutil.wait_procs(workers, timeout=PATIENCE_S)[1] == []  # no worker is left behind
        before = finished(out)
        assert wanted <= before < SITES

    process = start(sites, out, "--workers", "2", seconds=0.3, log=log)
    wait_until(lambda: finished(out) >= before + 5, process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers as well
    assert process.wait(PATIENCE_S) != 0
    kept = pd.read_parquet(out / "results.parquet")
    assert before + 5 <= len(kept) < SITES
    assert len(kept) == finished(out)
    assert "lost" not in set(kept["status"])

    told = len(lines(log))
    process = start(shuffled, out, "--workers", "2", seconds=0.2, log=log)
    wait_until(lambda: len({line.split()[0] for line in lines(log)[told:]}) == 2, process)
    os.kill(int(lines(log)[-1].split()[0]), signal.SIGKILL)
    assert process.wait(PATIENCE_S) == 0
    assert (out / "results.parquet").read_bytes() == undisturbed
    assert not list(out.rglob("*.tmp"))
    # Only what the two workers had in hand or not yet handed over was solved again.
    assert len(lines(log)) <= SITES + 4 * 6


def test_site_that_kills_its_worker_is_a_row_and_tried_again(tmp_path: Path) -> None:
    path, out = tmp_path / "sites.csv", tmp_path / "out"
    path.write_text("latitude,longitude,name\n31.76,-106.49,killer\n35,-100,a\n36,-100,b\n")
    assert start(path, out, "--workers", "2", failures=1).wait(PATIENCE_S) == 0
    found = pd.read_parquet(out / "results.parquet").set_index("name")
    assert found["status"].to_dict() == {"killer": "lost", "a": "solved", "b": "solved"}
    assert "the worker was lost" in found.loc["killer", "error"]
    count = len(parts(out))
    assert start(path, out, "--workers", "1", failures=0).wait(PATIENCE_S) == 0
    assert len(parts(out)) == count + 1  # the killer again, nothing else
