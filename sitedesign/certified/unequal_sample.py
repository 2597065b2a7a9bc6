"""Few of many by chance, each the likelier the larger it is, and how many of the whole each stands for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sitedesign.case.case import FloatArray


def unequal_sample(size: FloatArray, count: int, start: float) -> tuple[NDArray[np.int64], FloatArray]:
    """Draw a systematic sample with chances in proportion to size.

    Parameters
    ----------
    size : ndarray, shape (N,)
        Above 0.
    count : int
        How many are drawn; all where there are no more.
    start : float
        From 0 to 1, by chance: where the first is taken.

    Returns
    -------
    chosen : ndarray of int, shape (count,)
        In rising order.
    weight : ndarray, shape (count,)
        One by the chance of each, by which sums over the sample estimate sums over all without bias (Horvitz
        and Thompson, J. Am. Stat. Assoc. 47, 1952).

    Notes
    -----
    From the largest to the smallest one is taken each time that chances have added up to one more (Madow,
    Ann. Math. Stat. 20, 1949): the sample holds as much of the large, the middling and the small as there is.
    """
    chance = _chances(size, count)
    order = np.argsort(-size, kind="stable")
    passed = np.floor(np.cumsum(chance[order]) - start + 1e-9)
    chosen = np.sort(order[np.diff(passed, prepend=np.floor(-start + 1e-9)) > 0])
    return chosen, 1.0 / chance[chosen]


def _chances(size: FloatArray, count: int) -> FloatArray:
    """Chances in proportion to size that add up to `count`; those that would be above 1 are certain."""
    chance, certain = np.ones(size.size), np.zeros(size.size, np.bool_)
    while (left := count - int(certain.sum())) < size.size - int(certain.sum()):
        chance[~certain] = left * size[~certain] / size[~certain].sum()
        if (chance <= 1.0).all():
            break
        certain |= chance > 1.0
        chance[certain] = 1.0
    return chance
