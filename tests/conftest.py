"""Fixtures shared by all tests."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer.testing

ROOT = Path(__file__).resolve().parent.parent
if "PYTEST_XDIST_WORKER" in os.environ:  # workers share the cores; before numpy is loaded
    os.environ.setdefault("OMP_NUM_THREADS", "1")
# Dozens of processes begin during the suite: without bytecode each compiles every module again, a second each
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# A run of a command builds the whole command line, a tenth of a second for all its options: once is enough
typer.testing._get_command = cache(typer.testing._get_command)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that runs everything."""
    parser.addoption("--slow", action="store_true", help="run tests that are marked slow as well")


def _picked(config: pytest.Config) -> bool:
    """Whether somebody picks tests by file, name or what happened before."""
    option = config.option
    return config.args_source is not pytest.Config.ArgsSource.TESTPATHS or any(
        (option.keyword, option.lf, option.failedfirst, option.stepwise, option.trace, option.capture == "no")
    )


def pytest_configure(config: pytest.Config) -> None:
    """Leave slow tests out of the suite as a whole only."""
    config.option.slow = config.option.slow or bool(config.option.markexpr) or _picked(config)


def pytest_report_header(config: pytest.Config) -> str:
    """Say what is left out."""
    return "" if config.option.slow else "tests marked slow are left out: pytest --slow runs everything"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes long."""
    if not config.option.slow:
        slow = [item for item in items if item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if not item.get_closest_marker("slow")]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Look for garbage in what tests make, not among modules and thousands of tests: 5 % of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Use every core for the whole suite; one process where somebody picks tests, measures or debugs."""
    if _picked(config) or config.option.benchmark_only:
        return 0
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@pytest.fixture(scope="session")
def weather_real() -> Path:
    """Folder of measured weather files; the test is skipped where it is not there."""
    folder = Path(os.environ.get("SITEDESIGN_WEATHER_REAL", ROOT.parent / "shared" / "weather_real"))
    if not folder.is_dir():
        pytest.skip(f"measured weather files are not here (no {folder.name}/; set SITEDESIGN_WEATHER_REAL)")
    return folder


@pytest.fixture(scope="session")
def wind_real() -> Path:
    """Folder of real files of wind aloft; the test is skipped where it is not there."""
    folder = Path(os.environ.get("SITEDESIGN_WIND_REAL", ROOT.parent / "shared" / "wind_real"))
    if not folder.is_dir():
        pytest.skip(f"real wind files are not here (no {folder.name}/; set SITEDESIGN_WIND_REAL)")
    return folder


def pytest_unconfigure() -> None:
    """Close the map of time zones while warnings of open files still have somewhere to go."""
    if site := sys.modules.get("sitedesign.weather.site"):
        site._finder.cache_clear()
