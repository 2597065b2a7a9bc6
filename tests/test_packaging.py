"""What the repository says of its dependencies: floors, tested versions, the README's commands."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
if not (ROOT / "constraints.txt").exists():
    pytest.skip("a checkout only has the files of its own upkeep", allow_module_level=True)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LINES = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
TESTED = dict(
    line.split("==")
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
)


def release(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))


def asked() -> list[tuple[str, str]]:
    """Name and lowest version of everything that is asked for by name, with serve, map and test."""
    extras = PROJECT["optional-dependencies"]
    texts = [*PROJECT["dependencies"], *extras["serve"], *extras["excel"], *extras["map"], *extras["test"]]
    return [tuple(text.split(">=")) for text in texts]


@pytest.mark.parametrize(("name", "floor"), sorted(set(asked())))
def test_tested_versions_cover_every_dependency_and_its_floor(name, floor):
    assert release(TESTED[name.lower()]) >= release(floor)


def test_solver_that_works_is_not_ruled_out():
    floors = dict(asked())
    assert floors["highspy"] == "1.15.1"


@pytest.mark.parametrize("name", ["distributed", "plotly", "h5py", "timezonefinder", "psutil"])
def test_what_looks_dispensable_says_what_it_is_for(name):
    line = next(line for line in LINES if line.startswith(f'  "{name}>='))
    assert len(line.partition("# ")[2]) > 10


def test_every_python_of_ci_is_classified():
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    pythons = re.findall(r'"(3\.\d+)"', workflow)
    classified = [text.rsplit(" ", 1)[1] for text in PROJECT["classifiers"] if "Python :: 3." in text]
    assert pythons == classified == ["3.11", "3.12", "3.13", "3.14"]
    assert "schedule:" in workflow


@pytest.mark.parametrize("part", ["pip install . &&", "--report", "pytest"])
def test_ci_finds_the_commands_of_the_readme(part):
    command = [sys.executable, ROOT / ".ci" / "readme.py", part]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert part in found
    assert found in (ROOT / "README.md").read_text(encoding="utf-8")
