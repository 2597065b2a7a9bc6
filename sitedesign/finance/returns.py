"""What a row of yearly cash flows is worth: net present value, internal rate of return, payback."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

FloatArray = NDArray[np.float64]
# Between which a root is looked for
_LOSSES = (-0.99, -0.9, -0.7, -0.5, -0.3, -0.1, -1e-9)
_GAINS = (0.0, 0.02, 0.05, 0.08, 0.11, 0.15, 0.2, 0.3, 0.5, 1.0, 3.0, 10.0)


def present_value(flow: FloatArray, rate: float, first_year: int = 0) -> float:
    """Add up a row of yearly flows, each discounted from the end of its year.

    Parameters
    ----------
    flow : ndarray, shape (years,)
        [USD]
    rate : float
        [fraction/yr]
    first_year : int
        Year of the first flow; year 0 is not discounted.

    Returns
    -------
    float
        [USD]
    """
    years = first_year + np.arange(flow.size)
    return float(flow @ (1.0 + rate) ** -years)


def internal_rate_of_return(flow: FloatArray) -> float | None:
    """Rate at which a row of yearly flows is worth nothing.

    Parameters
    ----------
    flow : ndarray, shape (years,)
        [USD]

    Returns
    -------
    float or None
        None where nothing is spent or nothing comes back, and where several gains would do. A rate of loss
        counts only where no gain does: expenses that outgrow a price at the end of a life bring one along.
        [fraction/yr]
    """
    if not ((flow < 0).any() and (flow > 0).any()):
        return None
    for rates in (_GAINS, _LOSSES):
        values = [present_value(flow, rate) for rate in rates]
        changes = [i for i in range(len(rates) - 1) if (values[i] > 0) != (values[i + 1] > 0)]
        if len(changes) > 1:
            return None
        if changes:
            low, high = rates[changes[0]], rates[changes[0] + 1]
            return float(brentq(lambda rate: present_value(flow, rate), low, high, xtol=1e-14, rtol=1e-14))
    return None


def payback_yr(flow: FloatArray) -> float | None:
    """Years until what came back is as much as what was spent, undiscounted; None where it never is.

    Parameters
    ----------
    flow : ndarray, shape (years,)
        From year 0 on. [USD]

    Returns
    -------
    float or None
        Whole years and the share of the year in which it happens. [yr]
    """
    total = np.cumsum(flow)
    open_years = np.flatnonzero(total < 0)
    if open_years.size == 0:
        return 0.0
    last = int(open_years[-1])
    if last == flow.size - 1:
        return None
    return last + float(-total[last] / flow[last + 1])
