"""How kernels are compiled: each by one process of a machine, while others wait for what it keeps.

Numba looks for a kernel on disk when it is first called, and compiles it where there is none. Processes that
begin together, the workers of a batch, would all compile the same, half a minute each for the simulation.

Numba takes a kernel for fresh as long as its own file is the same. What it calls stands in other files, of
which an upgrade may change one and leave what was compiled from the old: here all of them count.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from functools import cache, cached_property
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
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
        if kernel is function:  # NUMBA_DISABLE_JIT: who debugs steps through Python
            return function
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
        _digest(function.__code__.co_filename)  # as it is loaded, whatever an upgrade puts there meanwhile

    @cached_property
    def _stamp(self) -> bytes:
        """Found when a kernel is first called: by then all that it calls is there."""
        return sources_stamp(self._py_func)

    def load_overload(self, sig: Any, target_context: Any) -> Any:  # noqa: ANN401
        self._cache_file._source_stamp = self._stamp
        found = super().load_overload(sig, target_context)
        if found is None and self._lock(str(sig), self.held):
            found = super().load_overload(sig, target_context)
        return found

    def save_overload(self, sig: Any, data: Any) -> None:  # noqa: ANN401
        self._cache_file._source_stamp = self._stamp
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


def sources_stamp(kernel: FunctionType) -> bytes:
    """Hash of all that a kernel is compiled from.

    Parameters
    ----------
    kernel : function

    Returns
    -------
    bytes
        Of the files of the kernel, of all that it calls and of the tuples they are given, and of the numbers
        that they read.
    """
    files, numbers, coming = set[str](), set[str](), [kernel]
    met = set[FunctionType]()
    while coming:
        one = coming.pop()
        if one in met:
            continue
        met.add(one)
        files.add(one.__code__.co_filename)
        for name, value in _read(one):
            called = getattr(value, "py_func", getattr(value, "_defn", None))  # a kernel, or an intrinsic
            if isinstance(called, FunctionType):
                coming.append(called)
            elif isinstance(value, type) and issubclass(value, tuple):
                files.add(
                    getattr(sys.modules[value.__module__], "__file__", None) or one.__code__.co_filename
                )
            elif isinstance(value, np.ndarray):
                numbers.add(f"{name} {hashlib.sha256(value.tobytes()).hexdigest()}")
            elif isinstance(value, bool | int | float | str | tuple | np.generic):
                numbers.add(f"{name} {value!r}")
    stamp = hashlib.sha256("\n".join(sorted(numbers)).encode())
    for digest in sorted(map(_digest, files)):
        stamp.update(digest)
    return stamp.digest()


@cache
def _digest(file: str) -> bytes:
    with suppress(OSError):
        return hashlib.sha256(Path(file).read_bytes()).digest()
    return b""  # in an archive or frozen, which changes as a whole and numba looks at by itself


def _read(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """All globals that a function may read, and what it may read of modules among them."""
    names = {*_names(function.__code__), *re.findall(r"\w+", str(function.__annotations__))}
    for name in names & function.__globals__.keys():
        value = function.__globals__[name]
        yield name, value
        if isinstance(value, ModuleType) and value is not np:
            yield from ((f"{name}.{own}", getattr(value, own)) for own in names if hasattr(value, own))


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)
