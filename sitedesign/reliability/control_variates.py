"""What luck with rare events adds to a mean over sampled years, taken out again: control variates.

How many hours the supply of fuel or the whole site is out in a sample of years is chance, and most of what
a plant loses may depend on it; how many hours they are in the long run is known
(:mod:`sitedesign.operation.outages.interruptions`). A mean is corrected by what it changes with them:
regression estimator, with two-phase sampling for what only more weather years tell (Cochran 1977, Sampling
Techniques, chs. 7 and 12; Lavenberg and Welch 1981, Management Science 27:322).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
LEAST_YEARS = 10  # with more than usual, for the effect to be read off them
LONG_RUN_YEARS = 2000  # whose temperatures say how frequent extreme cold is


class ControlVariates(NamedTuple):
    """What is known of sampled years apart from what a plant does in them.

    Attributes
    ----------
    centred : ndarray, shape (years, J)
        Less their means.
    away : ndarray, shape (J,)
        How far the means are from the best that is known of them: the exact ones, or those of the sampled
        years and many more together.
    open_share : ndarray, shape (J,)
        Share of the variance of the means that stays for want of still more years; 0 where they are exact.
    inverse : ndarray, shape (J, J)
        Of the sums of squares.
    """

    centred: FloatArray
    away: FloatArray
    open_share: FloatArray
    inverse: FloatArray

    def weights(self) -> FloatArray:
        """Weights of the years, 1 on average, by which every mean is corrected, shape (years,)."""
        result: FloatArray = 1.0 - len(self.centred) * (self.centred @ (self.inverse @ self.away))
        return result

    def scatter(self, values: FloatArray) -> FloatArray:
        """Find by how much corrected means scatter, year by year, shape (..., years).

        Each year is compared with what the others let expect of it (jackknife), so that a year that alone
        has an event does not explain itself.
        """
        own = 1.0 / len(self.centred) + ((self.centred @ self.inverse) * self.centred).sum(axis=1)
        apart = values - values.mean(axis=-1, keepdims=True)
        slopes = (apart @ self.centred) @ self.inverse
        apart = (apart - slopes @ self.centred.T) / np.maximum(1.0 - own, 1e-9)
        result: FloatArray = apart - apart.mean(axis=-1, keepdims=True)
        result += (slopes * np.sqrt(self.open_share)) @ self.centred.T
        return result


def control_variates(beyond: FloatArray, weather_years: int) -> ControlVariates:
    """Take what is known of sampled years for control variates.

    Parameters
    ----------
    beyond : ndarray, shape (years, 2 supplies)
        :attr:`~sitedesign.operation.outages.interruptions.Interruptions.beyond_h`: first what is beyond an
        exact mean, then what is beyond that of :data:`LONG_RUN_YEARS` others. Columns that are above 0 in
        fewer than :data:`LEAST_YEARS` are left out.
    weather_years : int
        How many of the years are of different weather.

    Returns
    -------
    ControlVariates
        Of none, where none is left: then nothing is corrected.
    """
    exact = np.arange(beyond.shape[1]) < beyond.shape[1] // 2
    kept = (beyond > 0).sum(axis=0) >= LEAST_YEARS
    open_share = np.where(exact, 0.0, weather_years / (weather_years + LONG_RUN_YEARS))[kept]
    means = beyond[:, kept].mean(axis=0)
    centred = beyond[:, kept] - means
    return ControlVariates(
        centred, (1.0 - open_share) * means, open_share, np.linalg.pinv(centred.T @ centred, hermitian=True)
    )


def corrected(part: FloatArray, whole: FloatArray, known: ControlVariates) -> FloatArray:
    """Correct the numerator of a ratio of sums over years, year by year.

    The sum becomes what it would be with the usual events; around it the years scatter as far as these do not
    explain.

    Parameters
    ----------
    part, whole : ndarray, shape (years,)
        Of each year, the first a loss.
    known : ControlVariates

    Returns
    -------
    ndarray, shape (years,)
        As it was where nothing is lost, or nothing would be left of it.
    """
    if not known.away.size or not part.any():
        return part
    weights = known.weights()
    ratio = float(weights @ part) / float(weights @ whole)
    if ratio <= 0.0:
        return part
    result: FloatArray = ratio * whole + known.scatter(part - ratio * whole)
    return result
