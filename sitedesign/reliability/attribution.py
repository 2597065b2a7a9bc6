"""What lost compute is due to: the same runs with one cause of failure switched off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sitedesign.reliability.certificate import WEATHER
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


def cause_shares(
    years: Sequence[NDArray[np.int64]],
    lost_mwh: Sequence[FloatArray],
    without_mwh: Mapping[str, Sequence[FloatArray]],
) -> dict[str, tuple[float, float]]:
    """Share of the lost compute that each cause explains, with its standard error over weather years.

    Parameters
    ----------
    years : sequence of ndarray of int
        Weather year of each simulated one that was re-run, in parts.
    lost_mwh, without_mwh : sequence of ndarray, mapping of them
        Lost compute of those years, and the same without each cause. [MWh]
    """
    if not lost_mwh or not np.concatenate(lost_mwh).any():
        return {}
    year = np.concatenate(years)
    lost = np.bincount(year, np.concatenate(lost_mwh))
    shares = {}
    for cause, parts in without_mwh.items():
        remaining = np.bincount(year, np.concatenate(parts))
        ratio = float(remaining.sum() / lost.sum())
        # Linearised error of a ratio of sums over independent years
        spread = float(((remaining - ratio * lost) ** 2).sum()) ** 0.5 / float(lost.sum())
        error = spread * (lost.size / (lost.size - 1)) ** 0.5 if lost.size > 1 else float("nan")
        shares[cause] = (ratio if cause == WEATHER else 1.0 - ratio, error)
    return shares
