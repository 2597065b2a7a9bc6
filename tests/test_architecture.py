"""Imports go one way, and the judge shares nothing with the judged."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "sitedesign"
# Rooms in the order in which data flows; a module may import from its own room and from those before it.
ORDER = (
    "errors", "util", "library", "weather", "finance", "components", "study", "case", "equations", "optimize",
    "operation", "reliability", "results", "report", "foresight", "certified", "api", "batch", "serve", "cli",
)  # fmt: skip
MODULES = sorted(
    path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or not path.stem.startswith("__")
)


def room(path: Path) -> str:
    """First part of a module's place inside the package."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Absolute names that a module imports, wherever in the file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative imports hide the room"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_every_module_has_a_room() -> None:
    assert {room(path) for path in MODULES} <= set(ORDER)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path: Path) -> None:
    allowed = set(ORDER[: ORDER.index(room(path)) + 1])
    parts = [name.split(".") for name in imported(path) if name.startswith("sitedesign.")]
    rooms = {part[1] for part in parts if part[1] in ORDER}
    assert rooms <= allowed, f"{path.name} imports from a later room: {sorted(rooms - allowed)}"


@pytest.mark.parametrize("path", sorted((PACKAGE / "reliability").glob("*.py")), ids=lambda path: path.name)
def test_judge_shares_nothing_with_the_judged(path: Path) -> None:
    names = imported(path)
    assert not [name for name in names if name.split(".")[0] in ("pyomo", "highspy")]
    assert not [name for name in names if name.startswith(("sitedesign.optimize", "sitedesign.equations"))]


def test_only_one_file_knows_the_solver() -> None:
    knows = {path.name for path in MODULES if any(name.split(".")[0] == "highspy" for name in imported(path))}
    assert knows == {"highs.py"}


def test_nothing_prints_but_the_command_line() -> None:
    calls = {
        path.name
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert not calls
