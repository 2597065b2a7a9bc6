"""A package that cannot be written to, used by somebody without a home: containers and clusters."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli_runs import SMALL

ROOT = Path(__file__).resolve().parent.parent
PLANT = ["--solar-mw", "5", "--battery-mwh", "5", "--battery-mw", "2", "--units", "recip_fast=1"]


@pytest.fixture(scope="module")
def read_only(tmp_path_factory) -> Path:
    """Copy of the package in which nothing compiled can be kept, not even by an administrator."""
    copy = tmp_path_factory.mktemp("read_only")
    for name in ("sitedesign", "models", "weather"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    folders = [path for path in (copy / "sitedesign").rglob("*") if path.is_dir()]
    for folder in [copy / "sitedesign", *folders]:
        (folder / "__pycache__").write_text("a file where a folder is needed")
    return copy


def used(package: Path, folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command without a home, temporary files in a folder of the test."""
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    homeless = {"HOME": os.devnull, "XDG_CACHE_HOME": os.devnull, "LOCALAPPDATA": os.devnull}
    kept = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
    env = kept | homeless | {"PYTHONPATH": str(package), "TMPDIR": str(temporary)} | variables
    command = [sys.executable, "-m", "sitedesign", *words, "--json"]
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not list(temporary.glob("sitedesign-kernels-*"))  # nothing is left behind
    return done


@pytest.mark.slow
def test_evaluate_says_once_how_to_keep_kernels(read_only, tmp_path):
    done = used(read_only, tmp_path, "evaluate", *SMALL, *PLANT)
    assert done.stderr.count("NUMBA_CACHE_DIR") == 1
    assert json.loads(done.stdout)["racks"] > 0
    assert "NUMBA_CACHE_DIR" not in used(read_only, tmp_path, "library", "list").stderr


@pytest.mark.slow
def test_batch_and_solve_share_what_they_compile(read_only, tmp_path):
    sites = tmp_path / "sites.csv"
    sites.write_text("name,latitude,longitude\nEl Paso,31.76,-106.49\nTucson,32.2,-110.9\n")
    question = ["--it-mw", "2", "--years", "2", "--uptime", "0.99", "--workers", "1"]
    done = used(
        read_only, tmp_path, "batch", str(sites), "--out", str(tmp_path / "out"), *question, "--workers", "1"
    )
    assert done.stderr.count("NUMBA_CACHE_DIR") == 1
    assert "Tucson" in done.stdout


@pytest.mark.slow
def test_folder_of_the_users_own_keeps_kernels_and_nothing_is_said(read_only, tmp_path):
    kernels = tmp_path / "kernels"
    done = used(read_only, tmp_path, "evaluate", *SMALL, *PLANT, NUMBA_CACHE_DIR=str(kernels))
    assert "NUMBA_CACHE_DIR" not in done.stderr
    assert list(kernels.rglob("*.nbi"))
