"""How the kernels of the simulation are compiled."""

from __future__ import annotations

from functools import partial

from sitedesign.util import compiled
from sitedesign.util.kernel_cache import warn

warn()

# Without the runtime that counts references to arrays: its atomic counting took more than half of the time.
# Such a kernel allocates nothing, its caller does. Without the interpreter's lock several run at once.
njit = partial(compiled.njit, nogil=True, _nrt=False)
