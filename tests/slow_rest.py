"""Values of which the first are tried whenever the tests run, and the rest where slow tests are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest


def slow_after(count: int, values: Sequence[Any]) -> list[Any]:
    """Mark all values but the first as slow; a tuple is of several arguments."""
    rest = (value if isinstance(value, tuple) else (value,) for value in values[count:])
    return [*values[:count], *(pytest.param(*value, marks=pytest.mark.slow) for value in rest)]
