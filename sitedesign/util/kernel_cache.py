"""Where compiled kernels are kept, settled before numba is loaded, which fails where it may write nowhere.

Numba keeps a kernel beside its source or in the cache folder of the user. In a container or on a cluster
neither may be open for writing; a folder for the life of the process then takes their place.
"""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import platformdirs

VARIABLE = "NUMBA_CACHE_DIR"
_temporary: set[str] = set()  # folders made by this process
_PACKAGES_WITH_KERNELS = ("sitedesign", "timezonefinder")


def keep_somewhere() -> None:
    """Name a temporary folder for compiled kernels where none can be kept; child processes share it."""
    given = os.environ.get(VARIABLE)
    if given and _writable(Path(given)):
        return
    beside = all(_writable(folder) for folder in _sources())
    if beside or _writable(Path(platformdirs.user_cache_dir("numba", appauthor=False))):
        return
    folder = tempfile.mkdtemp(prefix="sitedesign-kernels-")
    os.environ[VARIABLE] = folder
    _temporary.add(folder)
    atexit.register(_remove, folder, os.getpid())


@cache
def warn() -> None:
    """Say once what to do where kernels are not kept; nothing where they are, and in child processes."""
    if os.environ.get(VARIABLE, "") not in _temporary:
        return
    logging.getLogger("sitedesign").warning(
        "Compiled kernels can be kept neither beside the package nor in the user's cache folder: every run "
        f"compiles them anew. Set {VARIABLE} to a folder that can be written to, and they are kept."
    )


def _sources() -> list[Path]:
    """Folders of compiled files beside the sources."""
    specs = [find_spec(name) for name in _PACKAGES_WITH_KERNELS]
    return [
        Path(folder) / "__pycache__"
        for spec in specs
        if spec
        for folder in spec.submodule_search_locations or ()
    ]


def _writable(folder: Path) -> bool:
    """Whether files can be written to a folder, which is made if need be."""
    if not folder.is_absolute():
        return False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _remove(folder: str, owner: int) -> None:
    if os.getpid() == owner:  # not in a forked child
        shutil.rmtree(folder, ignore_errors=True)
