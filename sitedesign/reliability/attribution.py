"""What lost compute is due to: the same runs with one cause of failure after the other switched off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sitedesign.reliability.certificate import RACKS, WEATHER
from sitedesign.reliability.events import Event

FloatArray = NDArray[np.float64]


def cause_of(event: Event, remaining: Mapping[str, FloatArray], step_h: float) -> str:
    """Cause whose absence spares most of an event; weather when failures explain less than half of it.

    Parameters
    ----------
    event : Event
    remaining : mapping of str to ndarray, shape (T,)
        Lost compute of the event's block with each cause switched off. [MWh]
    step_h : float
        [h]
    """
    part = slice(event.start_step, event.start_step + round(event.duration_h / step_h))
    gains = {cause: event.lost_mwh - float(series[part].sum()) for cause, series in remaining.items()}
    single = {cause: gain for cause, gain in gains.items() if cause != WEATHER}
    if not single or gains[WEATHER] < 0.5 * event.lost_mwh:
        return WEATHER
    best = max(single, key=lambda cause: single[cause])
    return best if single[best] > 0.2 * event.lost_mwh else "several failures together"


@dataclass(frozen=True, eq=False)
class YearLosses:
    """What each cause adds to the lost compute of some weather years; together they are all that is lost.

    Attributes
    ----------
    year : ndarray of int, shape (years,)
        Weather year of each.
    by_cause : dict of str to ndarray, shape (years,)
        ``weather`` is what is lost with every cause off. [MWh]
    racks : ndarray, shape (years,)
        Expected loss to broken racks. [MWh]
    """

    year: NDArray[np.int64]
    by_cause: dict[str, FloatArray]
    racks: FloatArray


def off_sets(causes: Sequence[str], seed: int, number: int) -> list[frozenset[str]]:
    """Give the sets of causes to switch off for run `number`: those of an order, and of its reverse.

    What two causes only do together is so divided evenly between them; what three do, on average over runs,
    each of which has an order of its own. Each set has one cause more or less than the one before.
    """
    order = _order(causes, seed, number)
    one_way = [frozenset(order[:count]) for count in range(1, len(order) + 1)]
    other_way = [frozenset(order[-count:]) for count in range(len(order) - 1, 0, -1)]
    return one_way + other_way


def marginal_losses(
    causes: Sequence[str], seed: int, number: int, lost_mwh: Mapping[frozenset[str], FloatArray]
) -> dict[str, FloatArray]:
    """Find what each cause adds to the loss, the mean of an order and its reverse: Shapley's division.

    Parameters
    ----------
    causes, seed, number
        As for :func:`off_sets`.
    lost_mwh : mapping of frozenset of str to ndarray
        Loss with each of these sets switched off, and with none. [MWh]

    Returns
    -------
    dict of str to ndarray
        Causes, then ``weather``; they add up to what is lost with nothing off. [MWh]
    """
    order = _order(causes, seed, number)
    added = {cause: np.zeros_like(lost_mwh[frozenset()]) for cause in causes}
    for way in (order, order[::-1]):
        for count, cause in enumerate(way):
            added[cause] += 0.5 * (lost_mwh[frozenset(way[:count])] - lost_mwh[frozenset(way[: count + 1])])
    return added | {WEATHER: lost_mwh[frozenset(causes)]}


def _order(causes: Sequence[str], seed: int, number: int) -> list[str]:
    shuffled = np.random.default_rng([seed, number]).permutation(len(causes))
    return [causes[i] for i in shuffled]


def cause_shares(losses: Sequence[YearLosses]) -> dict[str, tuple[float, float]]:
    """Share of all that is lost that each cause explains, with its standard error over weather years.

    They add up to 1; ``racks`` stands among them where racks are missing.
    """
    parts = [item.by_cause | ({RACKS: item.racks} if item.racks.any() else {}) for item in losses]
    if not parts:
        return {}
    year = np.concatenate([item.year for item in losses])
    by_year = {
        cause: np.bincount(year, np.concatenate([part[cause] for part in parts])) for cause in parts[0]
    }
    lost = np.sum(list(by_year.values()), axis=0)
    if not lost.any():
        return {}
    shares = {}
    for cause, mwh in by_year.items():
        ratio = float(mwh.sum() / lost.sum())
        # Linearised error of a ratio of sums over independent years
        spread = float(((mwh - ratio * lost) ** 2).sum()) ** 0.5 / float(lost.sum())
        error = spread * (lost.size / (lost.size - 1)) ** 0.5 if lost.size > 1 else float("nan")
        shares[cause] = (ratio, error)
    return shares
