"""A kernel is compiled by one process of a machine, and by every process that cannot wait for another."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import filelock
import numba
import numpy as np
import pytest

from sitedesign.util.compiled import _digest, sources_stamp

KERNELS = """
    from sitedesign.util.compiled import njit

    @njit(cache=True)
    def total(values):
        found = 0.0
        for value in values:
            found += value
        return found

    @njit(cache=True)
    def mistaken(values):
        return values.no_such_thing
"""
# Both have loaded everything before either begins
RACE = """
    import sys, time
    from pathlib import Path
    import numpy as np
    from kernels import total
    Path(f"ready{sys.argv[1]}").touch()
    while len(list(Path().glob("ready*"))) < 2:
        time.sleep(0.001)
    assert total(np.ones(3)) == 3.0
    print(sum(total.stats.cache_misses.values()), sum(total.stats.cache_hits.values()))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    (tmp_path / "kernels.py").write_text(textwrap.dedent(KERNELS))
    (tmp_path / "race.py").write_text(textwrap.dedent(RACE))
    return tmp_path


@pytest.fixture
def kernels(folder):
    spec = importlib.util.spec_from_file_location("kernels", folder / "kernels.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_one_of_two_processes_compiles_and_the_other_loads(folder):
    env = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    both = [
        subprocess.Popen([sys.executable, "race.py", str(i)], cwd=folder, env=env, stdout=subprocess.PIPE)
        for i in range(2)
    ]
    assert sorted(process.communicate()[0].decode().strip() for process in both) == ["0 1", "1 0"]
    assert not list(folder.rglob("*.lock"))


def test_kernels_are_plain_functions_where_the_compiler_is_switched_off(folder):
    """To step through one of them: NUMBA_DISABLE_JIT=1."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "NUMBA_DISABLE_JIT": "1"}
    told = "import kernels; print(type(kernels.total).__name__, kernels.total([1.0, 2.0]))"
    done = subprocess.run([sys.executable, "-c", told], cwd=folder, env=env, capture_output=True, text=True)
    assert done.stdout.split() == ["function", "3.0"], done.stderr


def test_what_cannot_be_compiled_keeps_nobody_waiting(kernels, folder):
    with pytest.raises(numba.TypingError):
        kernels.mistaken(np.ones(3))
    assert not list(folder.rglob("*.lock"))
    assert kernels.total(np.ones(3)) == 3.0


@pytest.mark.parametrize(
    "trouble", [PermissionError(), filelock.Timeout("held for long"), NotImplementedError()]
)
def test_without_a_lock_everybody_compiles(kernels, folder, monkeypatch, trouble):
    def refuse(*_, **__):
        raise trouble

    monkeypatch.setattr(filelock, "FileLock", refuse)
    assert kernels.total(np.ones(3)) == 3.0
    assert sum(kernels.total.stats.cache_misses.values()) == 1
    assert len(list(folder.rglob("*.nbc"))) == 1


OUTER = """
    from numbers_of import LIMIT
    from rows import Row
    from sitedesign.util.compiled import njit
    import inner, units

    @njit(cache=True)
    def outer(row: Row) -> float:
        return inner.twice(row.first) + LIMIT + units.PER_STEP

    print(outer(Row(1.0, 10.0)), sum(outer.stats.cache_hits.values()))
"""
INNER = """
    from sitedesign.util.compiled import njit

    @njit(cache=True)
    def twice(value):
        return 2.0 * value
"""
ROWS = """
    from typing import NamedTuple

    class Row(NamedTuple):
        first: float
        second: float
"""
PARTS = {"inner": INNER, "rows": ROWS, "numbers_of": "LIMIT = 100.0", "units": "PER_STEP = 1000.0"}


@pytest.mark.parametrize(
    ("file", "before", "after", "expected"),
    [
        ("inner.py", "2.0 *", "3.0 *", "1103.0 0"),
        ("numbers_of.py", "100.0", "200.0", "1202.0 0"),
        ("units.py", "1000.0", "2000.0", "2102.0 0"),
        ("rows.py", "first: float\n    second", "second: float\n    first", "1120.0 0"),
        ("rows.py", "nothing", "nothing", "1102.0 1"),
    ],
)
def test_a_kernel_is_compiled_anew_when_anything_it_is_made_of_has_changed(
    folder: Path, file: str, before: str, after: str, expected: str
) -> None:
    """Its own file stays as it is: numba by itself would go on with what it has kept."""
    for name, text in (PARTS | {"outer": OUTER}).items():
        (folder / f"{name}.py").write_text(textwrap.dedent(text))
    # Files that change within a second would be taken for what Python has kept of them
    env = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONDONTWRITEBYTECODE": "1"}

    def run() -> str:
        done = subprocess.run(
            [sys.executable, "outer.py"], cwd=folder, env=env, stdout=subprocess.PIPE, check=True
        )
        return done.stdout.decode().strip()

    assert run() == "1102.0 0"
    whole = (folder / file).read_text()
    (folder / file).write_text(whole.replace(before, after))
    assert run() == expected


def test_kernels_whose_source_cannot_be_read_still_run(kernels, folder) -> None:
    before = sources_stamp(kernels.total.py_func)
    _digest.cache_clear()
    (folder / "kernels.py").unlink()
    assert sources_stamp(kernels.total.py_func) != before
    assert kernels.total(np.ones(3)) == 3.0
