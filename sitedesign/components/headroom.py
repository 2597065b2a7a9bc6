"""Room that a region's grid has for a flexible load, and the calls that come with it.

A grid that was built for its peak has room for a new load in all other hours. The load is called where the
region's demand and its own would pass the highest demand of the season (Norris et al. 2025, Rethinking Load
Growth, Duke University NI R 25-01, appendix C).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from sitedesign.errors import Fault, InputError, shown
from sitedesign.util.gate import Measure, OrNone

FloatArray = NDArray[np.float64]
_LIMIT = Measure("fraction", 0, 1, above=True, below=True)
_PEAK = OrNone(Measure("MW", 0, 1e9))
_OF = "headroom()"


@dataclass(frozen=True, eq=False)
class Headroom:
    """Largest load whose curtailed energy stays within a limit.

    Attributes
    ----------
    mw : float
        [MW]
    cap : ndarray, in the shape of the demand
        Share of that load that may run, 1 where it is not called: for ``Curtailment(caps=...)``. [fraction]
    """

    mw: float
    cap: FloatArray

    @property
    def called_steps(self) -> int:
        """Steps in which the load is called."""
        return int((self.cap < 1).sum())

    def share_keeping(self, fraction: float) -> float:
        """Share of the called steps in which at least so much of the load runs. [fraction]"""
        called = self.cap[self.cap < 1]
        return float((called >= fraction).mean()) if called.size else 1.0


def headroom(
    demand_mw: Any,  # noqa: ANN401  # any array of numbers
    limit: float,
    season: Any = None,  # noqa: ANN401
    *,
    peak_mw: float | None = None,
) -> Headroom:
    """Find the largest flat load whose calls take at most a share of its energy.

    Parameters
    ----------
    demand_mw : array
        Of the region, in steps of one length. [MW]
    limit : float
        Share of the new load's energy that may be curtailed. [fraction]
    season : array, optional
        Season of each step; each has a peak of its own. One when left out.
    peak_mw : float, optional
        What the grid can carry, where that is above the highest demand given. [MW]

    Returns
    -------
    Headroom

    Raises
    ------
    InputError
        With every fault found.
    """
    faults = _LIMIT.faults("limit", _LIMIT.clean(limit))
    try:
        demand = np.asarray(demand_mw, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        demand = np.zeros(0)
    if demand.size == 0 or not np.isfinite(demand).all() or (demand < 0).any():
        faults.append(Fault("demand_mw", shown(demand_mw), "must be numbers of MW, at least 0"))
    try:
        label = np.asarray(np.zeros(demand.shape) if season is None else season, dtype=np.str_)
    except (TypeError, ValueError, RuntimeError):
        label = np.zeros(0, dtype=np.str_)
    faults += _PEAK.faults("peak_mw", peak_mw)
    if label.shape != demand.shape:
        faults.append(Fault("season", f"the shape {label.shape}", f"must be one for each of {demand.shape}"))
    if faults:
        raise InputError(faults, _OF)
    _, place = np.unique(label, return_inverse=True)
    peak = np.zeros(int(place.max()) + 1)
    np.maximum.at(peak, place.ravel(), demand.ravel())
    peak = np.maximum(peak, peak_mw or 0.0)
    room = peak[place.reshape(demand.shape)] - demand

    def over(load_mw: float) -> float:
        return float(np.maximum(load_mw - room, 0.0).mean()) / load_mw - limit

    least = max(float(room.max()), 1.0) * 1e-9
    most = max(float(room.max()), 1.0)
    while over(most) < 0:
        most *= 2
    if over(least) >= 0:  # the peak itself lasts longer than the limit allows
        return Headroom(0.0, np.ones(demand.shape))
    mw = float(brentq(over, least, most, xtol=1e-12 * most, rtol=1e-14))
    return Headroom(mw, np.clip(room / mw, 0.0, 1.0))
