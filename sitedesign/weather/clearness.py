"""How the clearness of days persists: chains of normal scores, and what is new in each day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sitedesign.util.compiled import njit
from sitedesign.weather.climate.stations import SiteClimate, daily_from_months
from sitedesign.weather.solar_geometry import DAYS_PER_YEAR, FloatArray

# Part of the variance that changes over weeks: none where days hardly persist, 0.15 in California, as the
# lag-5 and lag-7 autocorrelations of the records at Durham, Muleshoe and Colusa ask for.
_SLOW_PER_PERSISTENCE, _SLOW_FROM, _SLOW_MOST = 0.80, 0.33, 0.20
_SLOW_DAYS = 30.0


def clearness_shocks(seed: int, years: int) -> FloatArray:
    """Draw again what is new in the fast part of each day's clearness, shape (years, 365)."""
    stream = np.random.SeedSequence(seed).spawn(1)[0]
    return np.random.Generator(np.random.PCG64(stream)).standard_normal((years, DAYS_PER_YEAR))


@dataclass(frozen=True, eq=False)
class Persistence:
    """How clearness persists: a fast and a slow chain of normal scores; lags of shape (365,).

    Attributes
    ----------
    slow_share : float
        Of the variance.
    slow_lag1, fast_lag1 : ndarray
    """

    slow_share: float
    slow_lag1: FloatArray
    fast_lag1: FloatArray


def persistence(climate: SiteClimate) -> Persistence:
    """Split the persistence of a site's clearness between days and weeks."""
    lag1 = daily_from_months(climate.persistence)
    slow_lag1 = np.full(DAYS_PER_YEAR, np.exp(-1 / _SLOW_DAYS))
    slow = float(np.clip(_SLOW_PER_PERSISTENCE * (lag1.mean() - _SLOW_FROM), 0, _SLOW_MOST))
    return Persistence(slow, slow_lag1, np.clip((lag1 - slow * slow_lag1) / (1 - slow), 0, 0.95))


def chain(shocks: FloatArray, lag1: FloatArray) -> FloatArray:
    """Unit-variance first-order chain over all days of all years, shape of `shocks` (years, 365).

    The first day comes from the stationary distribution, so that no year is special.
    """
    found = np.empty_like(shocks)
    _chain(shocks, lag1, np.sqrt(1 - lag1**2), found)
    return found


@njit(cache=True, nogil=True, _nrt=False)
def _chain(shocks: FloatArray, lag1: FloatArray, fresh: FloatArray, found: FloatArray) -> None:
    state = shocks[0, 0]
    for year in range(shocks.shape[0]):
        for day in range(lag1.size):
            if year or day:
                state = lag1[day] * state + fresh[day] * shocks[year, day]
            found[year, day] = state
