"""How kernels are compiled: each by one process of a machine, while others wait for what it keeps.

Numba looks for a kernel on disk when it is first called, and compiles it where there is none. Processes that
begin together, the workers of a batch, would all compile the same, half a minute each for the simulation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, TypeVar

import numba
import numpy as np
from numba.core.caching import FunctionCache
from numba.core.compiler_lock import global_compiler_lock
from numba.np.random import _constants
from numpy.typing import NDArray

#: Layers by which numpy draws exponential numbers, of which it shows nothing, but numba has a copy.
EXPONENTIAL_ACCEPTED: NDArray[np.uint64] = _constants.ke_double
EXPONENTIAL_WIDTH: NDArray[np.float64] = _constants.we_double
EXPONENTIAL_DENSITY: NDArray[np.float64] = _constants.fe_double
EXPONENTIAL_TAIL = float(_constants.ziggurat_exp_r)
_LONGEST_S = 300.0  # nothing takes as long to compile: who holds a lock for longer hangs
_Function = TypeVar("_Function", bound=Callable[..., Any])


def njit(**options: Any) -> Callable[[_Function], _Function]:  # noqa: ANN401 - numba's own
    """Compile a function as :func:`numba.njit` does with these options, once on a machine, and keep it."""

    def kernel_of(function: _Function) -> _Function:
        kernel = numba.njit(**options)(function)
        cache = _WaitingCache(function)
        compile_alone = kernel.compile

        def compile_once(signature: Any) -> Any:  # noqa: ANN401
            with global_compiler_lock, cache.held:  # whatever comes of it, others wait no longer
                return compile_alone(signature)

        kernel._cache, kernel.compile = cache, compile_once
        return kernel  # type: ignore[no-any-return]

    return kernel_of


class _WaitingCache(FunctionCache):  # type: ignore[misc]
    """Kernels of one function on disk; one that is not there is locked until `held` closes."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self.held = ExitStack()

    def load_overload(self, sig: Any, target_context: Any) -> Any:  # noqa: ANN401
        found = super().load_overload(sig, target_context)
        if found is None and self._lock(str(sig), self.held):
            found = super().load_overload(sig, target_context)
        return found

    def save_overload(self, sig: Any, data: Any) -> None:  # noqa: ANN401
        with ExitStack() as index:  # which lists all kernels of a function
            self._lock("index", index)
            super().save_overload(sig, data)

    def _lock(self, what: str, held: ExitStack) -> bool:
        """Lock something beside the kernels until `held` closes; False where that cannot be done."""
        from filelock import FileLock  # a third of a second, and nothing to lock where all is compiled

        name = f"{self._impl.filename_base}-{hashlib.sha1(what.encode()).hexdigest()}.lock"
        path = Path(self.cache_path) / name
        with suppress(OSError, NotImplementedError):
            held.enter_context(FileLock(path, timeout=_LONGEST_S))
            held.callback(_remove, path)
            return True
        return False


def _remove(path: Path) -> None:
    with suppress(OSError):  # somebody waits for it: on Windows the last of them removes it
        path.unlink()
