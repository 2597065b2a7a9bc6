"""Compile the simulation before it is needed, in a process beside the solver.

The first run on a machine compiles for about ten seconds. The compiler holds the interpreter's lock for most
of that, so that a thread would only take the time away from the solver; what a process of its own compiles
reaches this one through the cache of kernels. Nothing here loads the compiler.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import platformdirs

from sitedesign.util.kernel_cache import VARIABLE
from sitedesign.util.threads import cores

_COMMAND = (
    "import gc; gc.disable(); "  # nearly all that a compiler makes lives until it ends
    "from sitedesign.reliability.ahead import compile_simulation; compile_simulation()"
)
_SOURCE = Path(__file__).resolve().parents[1] / "operation" / "simulation.py"
_compiling: list[subprocess.Popen[bytes]] = []


def compile_ahead() -> None:
    """Begin to compile where nothing is compiled yet; the first simulation waits for the end of it.

    With one core there is nothing to gain: the simulation is then compiled when it is needed, as it is
    wherever the process cannot be started or ends without having compiled anything.
    """
    if cores() < 2 or _compiling or _is_compiled():
        return
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    nothing = subprocess.DEVNULL
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", _COMMAND], env=environment, stdin=nothing, stdout=nothing, stderr=nothing
        )
    except OSError:
        return
    _compiling.append(process)


def settled() -> None:
    """Wait until nobody else compiles the simulation, whether that went well or not."""
    if not _compiling:
        return
    try:
        for process in _compiling:
            process.wait()
    except BaseException:  # Ctrl-C: a process that nobody waits for would outlive this one
        for process in _compiling:
            process.kill()
        raise
    finally:
        _compiling.clear()


def _is_compiled() -> bool:
    """Whether the cache holds the simulation as its source stands, wherever numba may keep it."""
    # Numba's own names: folders of a cache are called by the folder of the source and its hash
    folder = f"{_SOURCE.parent.name}_{hashlib.sha1(str(_SOURCE.parent).encode()).hexdigest()}"
    given = os.environ.get(VARIABLE)
    users = platformdirs.user_cache_dir("numba", appauthor=False)
    places = [Path(given) / folder] if given else [_SOURCE.parent / "__pycache__", Path(users) / folder]
    written = _SOURCE.stat().st_mtime
    indices = (path for place in places for path in place.glob(f"{_SOURCE.stem}.simulate-*.nbi"))
    return any(path.stat().st_mtime >= written for path in indices)
