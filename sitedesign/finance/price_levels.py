"""Prices that change from step to step, put into a few levels: what an optimiser can carry.

A supply whose price changes is one block for each level, of which one is there in each step. Few prices are
kept as they are. Many are put into levels, each at the mean of its prices, so that the money of an even draw
is exact. Of all partitions of the sorted prices that with the least mean error is taken, found by dynamic
programming (Fisher 1958, On grouping for maximum homogeneity, J. Am. Stat. Assoc. 53:789, with the error in
place of its square); how far a single step is off is said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
LEVELS = 8
HOURS_PER_YEAR = 8760.0
_FINEST = 600  # distinct prices among which the partition is sought


@dataclass(frozen=True, eq=False)
class PriceLevels:
    """Prices of every step in a few levels.

    Attributes
    ----------
    level : ndarray of int
        Level of each step, in the shape of the prices.
    usd_per_mwh : tuple of float
        Price of each level, rising. [USD/MWh]
    largest_error_usd_per_mwh : float
        Of one step. [USD/MWh]
    mean_error_usd_per_mwh : float
        Mean of the error without its sign, by weight. [USD/MWh]
    error_usd_per_mw_yr : float
        By how much the levels may move the yearly cost of power that stays below 1 MW, at most: the error of
        every step without its sign, added up. [USD/MW-yr]
    taken_as_zero : int
        Steps whose price is below zero.
    lowest_usd_per_mwh : float
        Lowest price as it was given. [USD/MWh]
    """

    level: IntArray
    usd_per_mwh: tuple[float, ...]
    largest_error_usd_per_mwh: float
    mean_error_usd_per_mwh: float
    error_usd_per_mw_yr: float
    taken_as_zero: int
    lowest_usd_per_mwh: float

    @property
    def price(self) -> FloatArray:
        """Price of each step as the optimiser has it. [USD/MWh]"""
        found: FloatArray = np.array(self.usd_per_mwh)[self.level]
        return found

    @property
    def is_exact(self) -> bool:
        """Whether every step has its own price, those below zero apart."""
        return self.largest_error_usd_per_mwh == 0.0

    def notes(self, of: str) -> tuple[str, ...]:
        """Say what was done to the prices."""
        said = []
        if self.taken_as_zero:
            said.append(
                f"{of}: {self.taken_as_zero:,} steps with a price below zero, the lowest "
                f"{self.lowest_usd_per_mwh:,.2f} USD/MWh, taken as 0"
            )
        if not self.is_exact:
            said.append(
                f"{of} put into {len(self.usd_per_mwh)} levels: off by at most "
                f"{self.largest_error_usd_per_mwh:,.2f} USD/MWh, "
                f"by {self.mean_error_usd_per_mwh:,.3f} in the mean, which moves the cost by less than "
                f"{self.error_usd_per_mw_yr:,.0f} USD a year for each MW"
            )
        return tuple(said)


def price_levels(
    usd_per_mwh: FloatArray, most: int = LEVELS, weight: FloatArray | None = None
) -> PriceLevels:
    """Put prices into at most `most` levels.

    Parameters
    ----------
    usd_per_mwh : ndarray
        Price of each step; below zero is taken as zero. [USD/MWh]
    most : int
        With as many as there are distinct prices the levels are exact.
    weight : ndarray, optional
        Of each step, in the shape of the prices: the load, for example; all alike when left out.

    Returns
    -------
    PriceLevels
    """
    given = np.asarray(usd_per_mwh, dtype=np.float64)
    price = np.maximum(given, 0.0)
    value, place = np.unique(price, return_inverse=True)
    place = place.reshape(price.shape)
    mass = np.bincount(
        place.ravel(), None if weight is None else np.asarray(weight, float).ravel(), minlength=len(value)
    ).astype(np.float64)
    if mass.sum() <= 0:
        mass = np.ones(len(value))
    group = np.arange(len(value)) if len(value) <= most else _partition(value, mass, most)
    count = int(group[-1]) + 1
    total = np.bincount(group, mass, minlength=count)
    sums = np.bincount(group, mass * value, minlength=count)
    plain = np.bincount(group, value, minlength=count) / np.bincount(group, minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(total > 0, sums / total, plain)
    if len(value) <= most:
        means = value
    error = np.abs(means[group] - value)
    lowest = float(given.min())
    return PriceLevels(
        group[place],
        tuple(means.tolist()),
        float(error.max()),
        float(np.average(error, weights=mass)),
        float(error[place].mean()) * HOURS_PER_YEAR,
        int((given < 0).sum()),
        lowest,
    )


def on_levels(
    usd_per_mwh: FloatArray, known: PriceLevels, most_usd_per_mwh: FloatArray | None = None
) -> PriceLevels:
    """Put prices of other years into levels that are already known, each into the nearest.

    Parameters
    ----------
    usd_per_mwh : ndarray
        [USD/MWh]
    known : PriceLevels
    most_usd_per_mwh : ndarray, optional
        Price of each step above which no level is taken while a lower one is there. [USD/MWh]

    Returns
    -------
    PriceLevels
    """
    given = np.asarray(usd_per_mwh, dtype=np.float64)
    price, levels = np.maximum(given, 0.0), np.array(known.usd_per_mwh)
    level = np.searchsorted((levels[:-1] + levels[1:]) / 2, price, side="left")
    if most_usd_per_mwh is not None:
        highest = np.searchsorted(levels, most_usd_per_mwh, side="right") - 1
        level = np.minimum(level, np.maximum(highest, 0))
    error = np.abs(levels[level] - price)
    return PriceLevels(
        level,
        known.usd_per_mwh,
        float(error.max()),
        float(error.mean()),
        float(error.mean()) * HOURS_PER_YEAR,
        int((given < 0).sum()),
        float(given.min()),
    )


def _partition(value: FloatArray, mass: FloatArray, most: int) -> IntArray:
    """Group of each rising value: the partition into `most` intervals of least weighted error."""
    bundle = np.arange(len(value)) if len(value) <= _FINEST else _bundles(value, mass)
    count = int(bundle[-1]) + 1
    weights, money = (
        np.bincount(bundle, mass, minlength=count),
        np.bincount(bundle, mass * value, minlength=count),
    )
    plain = np.bincount(bundle, value, minlength=count) / np.bincount(bundle, minlength=count)
    middle = np.divide(money, weights, out=plain, where=weights > 0)
    w, s = (np.concatenate([[0.0], np.cumsum(item)]) for item in (weights, money))
    # Error of bundles i..j-1 about their mean: twice what lies below it; without weight there is none
    dw, ds = w[None, :] - w[:, None], s[None, :] - s[:, None]
    mean = np.divide(ds, dw, out=np.zeros_like(ds), where=dw > 0)
    below = np.maximum(np.searchsorted(middle, mean), np.arange(count + 1)[:, None])
    cost = np.where(dw > 0, 2 * (mean * (w[below] - w[:, None]) - (s[below] - s[:, None])), 0.0)
    cost = np.where(np.tri(count + 1, k=0, dtype=bool), np.inf, np.maximum(cost, 0.0))
    best = cost[0].copy()
    best[0] = 0.0
    cut = np.zeros((most, count + 1), dtype=np.int64)
    for level in range(1, most):
        total = best[:, None] + cost
        cut[level] = total.argmin(axis=0)
        best = total.min(axis=0)
        best[0] = np.inf
    ends, end = [], count
    for level in range(most - 1, -1, -1):
        ends.append(end)
        end = int(cut[level, end])
    group_of_bundle = np.searchsorted(np.array(sorted(ends)), np.arange(count), side="right")
    _, group = np.unique(group_of_bundle[bundle], return_inverse=True)
    result: IntArray = group.astype(np.int64)
    return result


def _bundles(value: FloatArray, mass: FloatArray) -> IntArray:
    """Bundle neighbouring values, half of the bundles even in weight and half even in price."""
    share = np.cumsum(mass) / mass.sum()
    half = _FINEST // 2
    by_weight = np.minimum((share * half).astype(np.int64), half - 1)
    by_price = ((value - value[0]) / (value[-1] - value[0]) * (half - 1)).astype(np.int64)
    _, bundle = np.unique(by_weight + by_price, return_inverse=True)  # both rise, and so does their sum
    result: IntArray = bundle.astype(np.int64)
    return result
