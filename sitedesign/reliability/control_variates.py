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
LONG_RUN_YEARS = 2000  # whose temperatures say how frequent extreme cold is


class ControlVariates(NamedTuple):
    """What is known of sampled years apart from what a plant does in them.

    Attributes
    ----------
    centred : ndarray, shape (years, J)
        Less their means.
    means : ndarray, shape (J,)
        What their means would be without any luck is 0.
    open_share : ndarray, shape (J,)
        Share of the variance of the means that stays for want of more years; 0 where 0 is exact.
    inverse : ndarray, shape (J, J)
        Of the sums of squares.
    """

    centred: FloatArray
    means: FloatArray
    open_share: FloatArray
    inverse: FloatArray

    @property
    def luck(self) -> FloatArray:
        """How far the means are from the best that is known of them: 0, or pooled with many more years."""
        result: FloatArray = (1.0 - self.open_share) * self.means
        return result

    def weights(self) -> FloatArray:
        """Weights of the years, 1 on average, by which every mean is corrected, shape (years,)."""
        result: FloatArray = 1.0 - len(self.centred) * (self.centred @ (self.inverse @ self.luck))
        return result

    def without_luck(self, values: FloatArray) -> FloatArray:
        """Take from each year's value what luck adds to it, shape (..., years).

        By slopes of a regression without the year itself: they know nothing of its luck, so that the mean
        stays without bias however few years there are, and scatters as the years do.
        """
        lever = self.centred @ self.inverse
        apart = values - values.mean(axis=-1, keepdims=True)
        slopes = apart @ lever
        left = apart - slopes @ self.centred.T
        own = 1.0 / len(self.centred) + (lever * self.centred).sum(axis=1)
        own_slopes = (
            slopes[..., np.newaxis, :] - (left / np.maximum(1.0 - own, 1e-9))[..., np.newaxis] * lever
        )
        luck = self.luck + (1.0 - np.sqrt(self.open_share)) * self.centred
        result: FloatArray = values - (own_slopes * luck).sum(axis=-1)
        return result


def control_variates(beyond: FloatArray, weather_years: int) -> ControlVariates:
    """Take what is known of sampled years for control variates.

    Parameters
    ----------
    beyond : ndarray, shape (years, 2 supplies)
        :attr:`~sitedesign.operation.outages.interruptions.Interruptions.beyond_h`: first what is beyond an
        exact mean, then what is beyond that of :data:`LONG_RUN_YEARS` others. What is 0 in all years says
        nothing and is left out.
    weather_years : int
        How many of the years are of different weather.

    Returns
    -------
    ControlVariates
        Of none, where none is left: then nothing is corrected.
    """
    exact = np.arange(beyond.shape[1]) < beyond.shape[1] // 2
    kept = beyond.any(axis=0)
    open_share = np.where(exact, 0.0, weather_years / (weather_years + LONG_RUN_YEARS))[kept]
    means = beyond[:, kept].mean(axis=0)
    centred = beyond[:, kept] - means
    return ControlVariates(centred, means, open_share, np.linalg.pinv(centred.T @ centred, hermitian=True))


def corrected(losses: FloatArray, known: ControlVariates) -> FloatArray:
    """Take luck out of the losses of sampled years, shape (years,).

    They stay as they are where nothing is lost, or nothing would be left in the sum.
    """
    if not known.means.size or not losses.any():
        return losses
    without = known.without_luck(losses)
    return without if without.sum() > 0.0 else losses
