"""What hot and thin air leaves of a generator's rated power."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sitedesign.library import Backup

FloatArray = NDArray[np.float64]


def backup_capability(backup: Backup, temp_air_c: FloatArray, elevation_m: float) -> FloatArray:
    """Share of rated power that a working unit can give.

    Parameters
    ----------
    backup : Backup
        Its derates are negative; both are straight lines (manufacturers' curves).
    temp_air_c : ndarray
        Dry-bulb temperature, any shape. [degrees C]
    elevation_m : float
        Height of the site above sea level. [m]

    Returns
    -------
    ndarray
        ``1 + derate_per_c * max(0, T - T0) + derate_per_300m * max(0, z - z0) / 300``, in [0, 1]. Cold air
        adds nothing: contracts and generators end at the rating. [fraction]
    """
    height = backup.power_derate_per_300m * max(0.0, elevation_m - backup.altitude_free_m) / 300
    heat = backup.power_derate_per_c * np.maximum(temp_air_c - backup.derate_above_c, 0)
    return np.clip(1 + heat + height, 0, 1)
