"""How the kernels of the simulation are compiled."""

from __future__ import annotations

from functools import partial

from sitedesign.util import compiled
from sitedesign.util.kernel_cache import warn

warn()

# Without the runtime that counts references to arrays: its atomic counting took more than half of the time.
# Such a kernel allocates nothing, its caller does. Without the interpreter's lock several run at once.
njit = partial(compiled.njit, nogil=True, _nrt=False)

# What only kernels call needs no way in from Python. `inlined` becomes part of its caller: LLVM does that in
# half the time that numba takes with inline="always", which copies what it inlines once for every level, and
# the trading of a hub into the simulation of an island, to drop it there.
_inner = partial(njit, cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
inside, inlined = _inner(), _inner(forceinline=True)
