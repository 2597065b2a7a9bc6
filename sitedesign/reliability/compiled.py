"""How the kernels of the simulation are compiled."""

from __future__ import annotations

import logging
import subprocess
from functools import partial

import numba

from sitedesign.kernel_cache import note

if note():
    logging.getLogger("sitedesign").warning(note())

# Without the runtime that counts references to arrays: its atomic counting took more than half of the time.
# Such a kernel allocates nothing, its caller does. Without the interpreter's lock several run at once.
njit = partial(numba.njit, nogil=True, _nrt=False)

_compiling: list[subprocess.Popen[bytes]] = []


def when_compiled(process: subprocess.Popen[bytes]) -> None:
    """Let :func:`settled` wait for a process that compiles the kernels into the cache."""
    _compiling.append(process)


def settled() -> None:
    """Wait until nobody else compiles the kernels; whether that went well or not."""
    try:
        for process in _compiling:
            process.wait()
    except BaseException:  # Ctrl-C: a process that nobody waits for would outlive this one
        for process in _compiling:
            process.kill()
        raise
    finally:
        _compiling.clear()
