"""Hours in which a fuel's supply or the whole site is out, and how many of them are to be expected.

These events are rare and hit everything at once, so that chance decides how many a sample of years has; but
their rates are inputs, so that how many there ought to be is known, whatever plant is built.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sitedesign.operation.outages.rates import FUEL, SITE, OutageConditions, OutageModel
from sitedesign.operation.outages.sampling import DAYS, HOURS_PER_YEAR, cold_chance

FloatArray = NDArray[np.float64]
_WHOLE_SITE = "site"


class Interruptions(NamedTuple):
    """Hours of interruptions, a column for each supply: fuels in the order of the model, then the site.

    Attributes
    ----------
    met_h : ndarray, shape (years, supplies)
        Drawn in each year. Interruptions of one supply that overlap count twice, here as below. [h]
    expected_h : ndarray, shape (years, supplies)
        Mean over all draws in the weather of each year: exact. [h]
    usual_h : ndarray, shape (supplies,)
        Mean over all weather, so far as that is known (:attr:`Climatology.many_years_c`); else NaN, where it
        depends on the weather. [h]
    events : ndarray, shape (years, supplies)
        How many of them are to be expected in the weather of each year.
    """

    met_h: FloatArray
    expected_h: FloatArray
    usual_h: FloatArray
    events: FloatArray

    def of(self, used: NDArray[np.bool_]) -> Interruptions:
        """Keep some supplies only."""
        return Interruptions(
            self.met_h[:, used], self.expected_h[:, used], self.usual_h[used], self.events[:, used]
        )

    @property
    def beyond_h(self) -> FloatArray:
        """Hours beyond those to be expected in the weather of a year, then what its weather adds to them.

        Shape (years, 2 supplies); 0 for what the weather adds where its mean is not known. [h]
        """
        by_weather = np.nan_to_num(self.expected_h - self.usual_h)
        return np.concatenate([self.met_h - self.expected_h, by_weather], axis=1)


def beyond_of(found: Sequence[Interruptions], least_events: float) -> FloatArray:
    """Put the hours beyond those to be expected of several runs together, shape (years, 2 supplies).

    Nothing of supplies of which fewer interruptions are to be expected in all: what these do could not be
    read off so few. How many there are by chance must not decide it: where few came, nothing would be
    corrected, and it would be where many did. [h]
    """
    beyond = np.concatenate([item.beyond_h for item in found])
    return np.where(np.tile(are_enough(found, least_events), 2), beyond, 0.0)


def are_enough(found: Sequence[Interruptions], least_events: float) -> NDArray[np.bool_]:
    """Say of which supplies so many interruptions are to be expected in several runs together."""
    result: NDArray[np.bool_] = np.concatenate([item.events for item in found]).sum(axis=0) >= least_events
    return result


def supplies(model: OutageModel) -> tuple[str, ...]:
    """Name the supplies: fuels, then the whole site."""
    return (*(fuel.name for fuel in model.fuels), _WHOLE_SITE)


def in_use(model: OutageModel, units: Sequence[int]) -> NDArray[np.bool_]:
    """Say which supplies are interrupted now and then, and used by a plant with so many units."""
    burnt = {unit.fuel for unit, count in zip(model.units, units, strict=True) if count > 0}
    at_any_time, in_the_cold = model.has("fuel"), model.has("cold")
    of_fuels = [
        fuel.name in burnt
        and at_any_time * fuel.interruption_events_per_yr + in_the_cold * fuel.cold_event_per_yr > 0
        for fuel in model.fuels
    ]
    return np.array([*of_fuels, model.has("site")], np.bool_)


def interruptions(
    model: OutageModel,
    step: NDArray[np.int64],
    kind: NDArray[np.integer],
    index: NDArray[np.integer],
    change: NDArray[np.integer],
    conditions: OutageConditions,
) -> Interruptions:
    """Count the hours of interruptions in each year of a sample, and those to be expected.

    Parameters
    ----------
    model : OutageModel
    step, kind, index, change : ndarray, shape (events,)
        As in :class:`~sitedesign.operation.outages.rates.OutageSample`.
    conditions : OutageConditions
        Of the sample.
    """
    columns, per_year = len(model.fuels) + 1, conditions.steps // conditions.years
    mine = (kind == FUEL) | (kind == SITE)
    column = np.where(kind[mine] == SITE, columns - 1, index[mine])
    # From a change to the end of each year: what is out from then on, less what is back
    first = np.arange(conditions.years)[:, np.newaxis] * per_year
    left = per_year - np.clip(step[mine] - first, 0, per_year)
    met = np.zeros((columns, conditions.years))
    np.add.at(met, column, (change[mine] * left).T * conditions.step_h)
    at_any_time, hours = _at_any_time(model), per_year * conditions.step_h
    expected = np.repeat(hours * at_any_time[np.newaxis], conditions.years, axis=0)
    usual, climate = hours * at_any_time, conditions.climatology
    events = np.repeat(_events_per_yr(model)[np.newaxis], conditions.years, axis=0)
    for place, fuel in enumerate(model.fuels):
        if model.has("cold") and fuel.cold_event_per_yr * fuel.cold_event_h > 0:
            limit_c, chance = cold_chance(fuel, climate)
            run = conditions.years, chance, fuel.cold_event_h, conditions.step_h
            cold = conditions.daily_temp_c < limit_c
            expected[:, place] += _of_cold(cold, *run)
            events[:, place] += chance * cold.reshape(conditions.years, -1).sum(axis=1)
            usual[place] += _of_cold(np.tile(climate.chance_below(limit_c), conditions.years), *run).mean()
    return Interruptions(met.T, expected, usual, events)


def _events_per_yr(model: OutageModel) -> FloatArray:
    """How often each supply is interrupted by what may happen in any weather. [1/yr]"""
    per_yr = [model.has("fuel") * fuel.interruption_events_per_yr for fuel in model.fuels]
    return np.array([*per_yr, model.has("site") * model.site_events_per_yr], np.float64)


def _at_any_time(model: OutageModel) -> FloatArray:
    """Share of the time in which each supply is out by what may happen in any weather."""
    mean_h = np.array([*(fuel.interruption_h for fuel in model.fuels), model.site_event_h])
    ratio = _events_per_yr(model) * mean_h / HOURS_PER_YEAR
    result: FloatArray = ratio / (1.0 + ratio)  # of a component that starts in its stationary state
    return result


def _of_cold(share: NDArray[Any], years: int, chance: float, mean_h: float, step_h: float) -> FloatArray:
    """Mean hours in each year of interruptions that begin by chance on days of extreme cold. [h]

    Each begins at any time of its day with the same chance and lasts an exponential time; a step counts when
    its middle is inside. The sum over steps is a geometric series.

    Parameters
    ----------
    share : ndarray, shape (days of the run,)
        Chance that a day is extremely cold: 0 or 1 where that is known. [fraction]
    years : int
    chance : float
        Of an interruption on such a day. [fraction]
    mean_h, step_h : float
        [h]
    """
    cold, mean, per_day = np.flatnonzero(share), mean_h / step_h, round(24 / step_h)
    ends = (np.arange(years + 1) * DAYS)[:, np.newaxis]
    after = (ends - cold - 1) * per_day / mean  # mean lengths from the end of its day to that of a year
    # However short it is: beyond so much a hyperbolic sine is no number
    tail = mean / per_day * (1.0 - np.exp(-per_day / mean)) / (2.0 * np.sinh(min(0.5 / mean, 700.0)))
    # What is left of it after each end; before its own day has begun, all of it
    left = np.where(after >= 0, tail * np.exp(-np.maximum(after, 0.0)), mean)
    result: FloatArray = chance * step_h * (left[:-1] - left[1:]) @ share[cold]
    return result
