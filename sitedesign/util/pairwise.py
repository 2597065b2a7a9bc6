"""Sums in compiled code, to the last bit those of numpy over a row."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sitedesign.util.compiled import njit

_BLOCK = 128  # of numpy: what is longer is cut in two


@njit(cache=True, _nrt=False)
def pairwise_sum(row: NDArray[np.float64]) -> float:
    """Sum a row as ``row.sum()`` does: in eight parts that are put together, or in two halves."""
    count = row.size
    if count > _BLOCK:
        half = count // 2
        half -= half % 8
        return pairwise_sum(row[:half]) + pairwise_sum(row[half:])
    total = 0.0
    if count < 8:
        for value in row:
            total += value
        return total
    a, b, c, d, e, f, g, h = row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7]
    whole = count - count % 8
    for i in range(8, whole, 8):
        a += row[i]
        b += row[i + 1]
        c += row[i + 2]
        d += row[i + 3]
        e += row[i + 4]
        f += row[i + 5]
        g += row[i + 6]
        h += row[i + 7]
    total = ((a + b) + (c + d)) + ((e + f) + (g + h))
    for i in range(whole, count):
        total += row[i]
    return total  # type: ignore[no-any-return]
