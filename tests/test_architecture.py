"""Imports go one way, and the judge shares nothing with the judged: the contracts of pyproject.toml."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "sitedesign"
MODULES = sorted(PACKAGE.rglob("*.py"))
MOST_ROOMS = 22
OTHERS = {"__init__.py", "__main__.py", "py.typed", "errors.py"}
FACE = PACKAGE / "__init__.py"  # loads what it names on first use


def calls(tree: ast.AST) -> tuple[set[str], set[str]]:
    """Names of the functions that a module calls, and of the methods."""
    found = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    functions = {item.id for item in found if isinstance(item, ast.Name)}
    return functions, {item.attr for item in found if isinstance(item, ast.Attribute)}


def test_contracts_of_the_imports_are_kept() -> None:
    """In a process of its own: import-linter sets up logging anew."""
    command = "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-cache'])"
    done = subprocess.run(
        [sys.executable, "-c", command], cwd=PACKAGE.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "kept, 0 broken" in done.stdout


def test_a_room_is_found_within_a_minute() -> None:
    entries = {path for path in PACKAGE.iterdir() if path.name not in ("__pycache__", "_library")}
    rooms = {path for path in entries if path.is_dir()}
    assert {path.name for path in entries - rooms} == OTHERS
    assert len(rooms) <= MOST_ROOMS


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_import_can_be_seen(path: Path) -> None:
    """A module that is imported by its name as text escapes the contracts; only the command line prints."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions, methods = calls(tree)
    assert path == FACE or not (functions | methods) & {"import_module", "__import__"}
    assert not functions & {"print", "exec", "eval"}
    assert all(node.level == 0 for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))


def test_the_map_names_every_room_in_the_order_of_the_layers() -> None:
    root = PACKAGE.parent
    contracts = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = contracts["contracts"][0]["layers"]
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)(?:/|\.py)` \|", text, flags=re.MULTILINE) == layers[::-1]


def test_a_change_touches_four_files_that_are_there() -> None:
    text = (PACKAGE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("## What a change touches")[2].partition("## ")[0]
    rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == 13
    for change, files in rows:
        named = re.findall(r"`([\w/]+\.\w+)`", files)
        assert 1 <= len(named) <= 4, change
        for name in named:
            folder = PACKAGE.parent if name.startswith("models/") else PACKAGE
            path = folder / name
            assert path.parent.is_dir() if path.stem == "NAME" else path.is_file(), name
