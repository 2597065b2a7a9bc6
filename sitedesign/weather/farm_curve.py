"""Power of a wind farm over an hour, from the power curve of one turbine."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

STANDARD_DENSITY_KG_M3 = 1.225
"""Air for which power curves are published (IEC 61400-12-1)."""
# Turbines of a farm meet different winds, and the wind of an hour is not one wind.
SPEED_SPREAD_M_S = 0.7
_STEP_M_S = 0.05
_FASTEST_M_S = 50.0


def farm_power(speed_m_s: FloatArray, power_curve: Sequence[tuple[float, float]]) -> FloatArray:
    """Gross power of a farm, over rated: the curve smoothed by a normal spread of speeds.

    Parameters
    ----------
    speed_m_s : ndarray
        At hub height, in air of standard density (see :func:`as_standard_density`). [m/s]
    power_curve : sequence of (float, float)
        Speed and power over rated of one turbine; nothing below the first and above the last speed.

    Returns
    -------
    ndarray, shape of `speed_m_s`
        [fraction of rated]
    """
    grid = _smoothed(tuple((float(speed), float(power)) for speed, power in power_curve))
    # Equal steps: an index and a share are several times faster than a search for each value.
    place = np.clip(speed_m_s, 0, _FASTEST_M_S) * (1 / _STEP_M_S)
    left = place.astype(np.intp)
    share = place - left
    power: FloatArray = grid[left] * (1 - share) + grid[left + 1] * share
    return power


def as_standard_density(speed_m_s: FloatArray, density_kg_m3: FloatArray | float) -> FloatArray:
    """Speed in air of standard density that carries the same power. [m/s]"""
    speed: FloatArray = speed_m_s * np.cbrt(np.asarray(density_kg_m3) / STANDARD_DENSITY_KG_M3)
    return speed


@lru_cache(maxsize=64)
def _smoothed(power_curve: tuple[tuple[float, float], ...]) -> FloatArray:
    """Smoothed curve on steps of equal width from 0, one more than any speed needs."""
    speeds, powers = (np.array(column) for column in zip(*power_curve, strict=True))
    reach = round(4 * SPEED_SPREAD_M_S / _STEP_M_S)
    offset = np.arange(-reach, reach + 1) * _STEP_M_S
    kernel = np.exp(-0.5 * (offset / SPEED_SPREAD_M_S) ** 2)
    grid = np.arange(-reach, round(_FASTEST_M_S / _STEP_M_S) + 2 + reach) * _STEP_M_S
    sharp = np.interp(grid, speeds, powers, left=0.0, right=0.0)
    smooth: FloatArray = np.convolve(sharp, kernel / kernel.sum(), mode="valid")
    smooth.flags.writeable = False
    return smooth
