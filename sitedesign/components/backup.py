"""What hot and thin air does to a generator: less power, more fuel."""

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
    warm = np.array(temp_air_c, dtype=np.float64)
    warm -= backup.derate_above_c
    # In place: of years in blocks, an array for each sum would not stay in the processor's cache
    np.maximum(warm, 0, out=warm)
    warm *= backup.power_derate_per_c
    warm += 1
    warm += height
    np.maximum(warm, 0, out=warm)
    return np.minimum(warm, 1, out=warm)


def heat_rate_factor(backup: Backup, temp_air_c: FloatArray) -> FloatArray:
    """Fuel per MWh over that in cool air.

    Parameters
    ----------
    backup : Backup
    temp_air_c : ndarray
        Dry-bulb temperature, any shape. [degrees C]

    Returns
    -------
    ndarray
        ``1 + heat_rate_per_c * max(0, T - T0)`` with T0 where the derate begins. [fraction]
    """
    return 1 + backup.heat_rate_per_c * np.maximum(temp_air_c - backup.derate_above_c, 0)


def mean_heat_rate_factor(backup: Backup, temp_air_c: FloatArray, load_mw: FloatArray) -> float:
    """Mean of :func:`heat_rate_factor` over all steps, each weighted with its load.

    An exact dispatch needs one marginal cost per technology for all steps, so this stands for the heat rate
    of every hour: exact for units that carry the load alone, a little high for units that run in winter and
    at night only, a little low for units that run in heat waves only.

    Parameters
    ----------
    backup : Backup
    temp_air_c : ndarray
        [degrees C]
    load_mw : ndarray
        Of as many steps. [MW]

    Returns
    -------
    float
        [fraction]
    """
    if backup.heat_rate_per_c == 0.0:
        return 1.0
    return float(np.average(heat_rate_factor(backup, temp_air_c).ravel(), weights=load_mw.ravel()))
