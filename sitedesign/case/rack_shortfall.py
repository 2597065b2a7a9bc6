"""Spare racks: what is expected to be missing when R racks are installed and K must work.

With each rack working a share `a` of the time, independently, the number of working racks is binomial and
the expected shortfall is e(R) = E[(K - Bin(R, a))+] / K. It is convex and decreasing in R, hence described
exactly, at whole racks, by its chords.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc

from sitedesign.case.case import Case

NEGLIGIBLE_SHARE = 1e-3  # of the downtime budget: what the last spare rack could still win
_NO_LOSS = 1e-9  # of the racks: what may be missing without a word
_CLOSE = 200  # racks between which what is missing is looked at number by number
_BLOCK = 64  # rack counts looked at together while searching


def expected_shortfall(racks_contracted: int, racks: ArrayLike, availability: float) -> NDArray[np.float64]:
    """Compute the expected share of the contracted racks that is missing, e(R).

    Summed as E[(K - B)+] = P(B <= 0) + ... + P(B <= K - 1): every term is positive, so small values keep
    their digits.

    Parameters
    ----------
    racks_contracted : int
        K, at least 1.
    racks : array_like of int
        R, installed racks, any shape.
    availability : float
        Share of time an installed rack works, in [0, 1]. [fraction]

    Returns
    -------
    ndarray of float, shape of `racks`
        [fraction]

    Raises
    ------
    ValueError
        When K is below 1, an R is negative, or the availability is outside [0, 1].
    """
    installed = np.asarray(racks)
    if racks_contracted < 1 or (installed < 0).any() or not 0.0 <= availability <= 1.0:
        message = (
            f"needs racks_contracted >= 1, racks >= 0 and availability in [0, 1]; "
            f"got {racks_contracted}, {installed}, {availability}"
        )
        raise ValueError(message)
    working = np.arange(racks_contracted)
    spare = installed[..., np.newaxis] - working
    # P(B <= k) = I_{1-a}(R - k, k + 1), DLMF 8.17.24; scipy.stats takes half a second to load
    below = np.where(spare > 0, betainc(np.maximum(spare, 1), working + 1, 1.0 - availability), 1.0)
    return np.asarray(below.sum(axis=-1) / racks_contracted, dtype=np.float64)


def racks_needed(racks_contracted: int, availability: float, downtime: float) -> int:
    """Most racks worth considering: where the shortfall is below 1/1000 of the downtime budget.

    Parameters
    ----------
    racks_contracted : int
        K.
    availability : float
        Share of time an installed rack works, in (0, 1]. [fraction]
    downtime : float
        Downtime budget 1 - A, above 0. [fraction]

    Returns
    -------
    int
        Smallest R >= K with e(R) < `downtime` / 1000; K when racks never fail.

    Raises
    ------
    ValueError
        When racks never work, or no downtime is allowed while racks can fail: then no number is enough.
    """
    if availability >= 1.0:
        return racks_contracted
    if not (availability > 0.0 and downtime > 0.0):
        message = f"no number of racks gives downtime {downtime} at availability {availability}"
        raise ValueError(message)
    first = racks_contracted
    while True:
        short = _consecutive(racks_contracted, first, first + _BLOCK - 1, availability)
        enough = short < NEGLIGIBLE_SHARE * downtime
        if enough.any():
            return first + int(np.argmax(enough))
        first += _BLOCK


def racks_worth(
    racks_contracted: int, availability: float, loss_usd_per_yr: float, rack_usd_per_yr: float
) -> int:
    """Most racks worth considering where lost compute has a price: the next one costs more than it saves.

    Parameters
    ----------
    racks_contracted : int
        K.
    availability : float
        Share of time an installed rack works, in [0, 1]. [fraction]
    loss_usd_per_yr : float
        What it would cost to lose all compute. [USD/yr]
    rack_usd_per_yr : float
        Annualised cost of one more rack. [USD/yr]

    Returns
    -------
    int
        Smallest R >= K at which rack R + 1 does not pay; a saving below 1e-9 of the loss never does.
    """
    least = max(rack_usd_per_yr, 1e-9 * loss_usd_per_yr)
    first = racks_contracted
    while True:
        short = _consecutive(racks_contracted, first, first + _BLOCK, availability)
        idle = -np.diff(short) * loss_usd_per_yr <= least  # the curve is convex: all further ones are as well
        if idle.any():
            return first + int(np.argmax(idle))
        first += _BLOCK


def most_racks(case: Case) -> int:
    """Most racks worth considering for the targets of a case and its value of lost compute.

    Parameters
    ----------
    case : Case
        Its ``racks_max`` is not read.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        When no number is enough: a target of 1 with racks that can fail.
    """
    racks, availability = case.racks_contracted, case.rack_availability
    strictest = max(item.uptime_target for item in case.classes)
    enough = racks_needed(racks, availability, 1.0 - strictest) if strictest > 0.0 else racks
    loss = case.lost_value_usd_per_mwh * case.load_mwh_per_yr
    return max(enough, racks_worth(racks, availability, loss, case.rack_cost_usd_per_yr))


def with_racks(case: Case, racks: int) -> Case:
    """Take a case with fewer racks, or more: their share of the load, and spare ones as they need."""
    if racks == case.racks_contracted:
        return case
    load = case.load_mw * (racks / case.racks_contracted)
    fewer = replace(case, load_mw=load, racks_contracted=racks, racks_min=0)
    most = most_racks(fewer)
    if "racks" in case.given:
        most = min(most, max(racks, case.racks_max))
    return replace(fewer, racks_max=most)


def shortfall_curve(racks_contracted: int, racks_max: int, availability: float) -> NDArray[np.float64]:
    """e(R) for R = K .. `racks_max`.

    Parameters
    ----------
    racks_contracted, racks_max : int
    availability : float
        [fraction]

    Returns
    -------
    ndarray, shape (racks_max - K + 1,)
        [fraction]
    """
    return _consecutive(racks_contracted, racks_contracted, racks_max, availability)


def _consecutive(contracted: int, first: int, last: int, availability: float) -> NDArray[np.float64]:
    """e(R) for R = `first` .. `last`, from the last one downwards, a term each.

    One more rack helps if it works while too few others do: K e(R) = K e(R + 1) + a P(Bin(R, a) <= K - 1).
    """
    spare = np.arange(last - 1, first - 1, -1) - contracted + 1
    below = np.where(spare > 0, betainc(np.maximum(spare, 1), contracted, 1.0 - availability), 1.0)
    end = expected_shortfall(contracted, last, availability)
    return np.cumsum(np.concatenate([[float(end)], availability * below / contracted]))[::-1]


def shortfall_chords(curve: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Chords of a convex curve given at consecutive whole numbers: value at the left end and slope.

    Parameters
    ----------
    curve : ndarray, shape (n,)
        From :func:`shortfall_curve`, n >= 1.

    Returns
    -------
    value, slope : ndarray, shape (max(n - 1, 1),)
        The curve is at least ``value[i] + slope[i] * (R - K - i)`` everywhere and equals the largest of these
        at whole racks; a single point is its own, level, chord. [fraction, fraction per rack]
    """
    if curve.size == 1:
        return curve.copy(), np.zeros(1)
    return curve[:-1].copy(), np.diff(curve)


def shortfall_planes(
    least: int, most: int, racks_max: int, availability: float
) -> list[tuple[float, float, float]]:
    """Bound the missing racks L(K, R) = K e(R) from below for all K of a range: planes over K and R.

    For a saving s of each further rack, L(K, R) + s R is least at one R for each K, and that least is nearly
    a straight line in K; the plane goes through its ends, lowered until it lies nowhere above. Over a range
    that is too wide for that, and from K = 0 on, the line is the one through 0: with fewer racks the same
    share of spare ones loses more, as large numbers even out.

    Parameters
    ----------
    least, most : int
        Fewest and most racks that must work.
    racks_max : int
        Most that are installed for the racks in the end.
    availability : float
        [fraction]

    Returns
    -------
    list of tuple of (float, float, float)
        ``a, b, c``: ``L(K, R) >= a + b K + c R``. [racks]
    """
    curve = most * shortfall_curve(most, max(most, racks_max), availability)
    useful = int(np.count_nonzero(curve > _NO_LOSS * most)) + 1
    value, slope = shortfall_chords(curve[:useful])
    if least <= 0 or most - least > _CLOSE:
        at = zip(value.tolist(), slope.tolist(), strict=True)
        return [(0.0, (lost - c * racks) / most, c) for racks, (lost, c) in enumerate(at, start=most)]
    running, installed, missing = _missing(least, most, most + useful, availability)
    planes = []
    for c in slope.tolist():
        lowest = (missing - c * installed).min(axis=1)
        b = float(lowest[-1] - lowest[0]) / max(most - least, 1)
        planes.append((float((lowest - b * running).min()), b, c))
    return planes


def _missing(
    least: int, most: int, installed_most: int, availability: float
) -> tuple[NDArray[np.int_], NDArray[np.int_], NDArray[np.float64]]:
    """Compute L(K, R) for K = least .. most by R = least .. installed_most; infinite where R < K. [racks]"""
    running, installed = np.arange(least, most + 1), np.arange(least, installed_most + 1)
    # L(K + 1, R) = L(K, R) + P(B <= K)
    working = running[:-1, np.newaxis]
    spare = installed - working
    below = np.where(spare > 0, betainc(np.maximum(spare, 1), working + 1, 1.0 - availability), 1.0)
    first = least * expected_shortfall(least, installed, availability)
    missing = np.cumsum(np.vstack([first, below]), axis=0)
    missing[installed < running[:, np.newaxis]] = np.inf
    return running, installed, missing


def shortfall_plane_at(
    at: tuple[int, int], least: int, most: int, racks_max: int, availability: float
) -> tuple[float, float, float] | None:
    """Find the plane below the missing racks L(K, R) of a range that is highest at one K and R.

    Parameters
    ----------
    at : tuple of (int, int)
        K within the range, R.
    least, most, racks_max, availability
        As of :func:`shortfall_planes`.

    Returns
    -------
    tuple of (float, float, float) or None
        ``a, b, c``: ``L(K, R) >= a + b K + c R`` for all whole K and R of the range; None where it is wide.
    """
    if least <= 0 or most - least > _CLOSE or not least <= at[0] <= most:
        return None
    from scipy.optimize import linprog

    curve = most * shortfall_curve(most, max(most, racks_max), availability)
    last = max(most + int(np.count_nonzero(curve > _NO_LOSS * most)), at[1])
    running, installed, missing = _missing(least, most, last, availability)
    missing = missing - missing[-1, -1]  # with still more racks next to nothing is missing, but not more
    there = np.isfinite(missing)
    k, r = (part[there].astype(float) for part in np.meshgrid(running, installed, indexing="ij"))
    rows = np.column_stack([np.ones(k.size), k - at[0], r - at[1]])
    signs = [(None, None), (None, None), (None, 0.0)]
    found = linprog([-1.0, 0.0, 0.0], A_ub=rows, b_ub=missing[there], bounds=signs, method="highs")
    if found.status != 0 or found.x is None:
        return None
    value, b, c = found.x.tolist()
    lowered = min(float((missing[there] - rows @ found.x).min()), 0.0)
    return value + lowered - b * at[0] - c * at[1], b, c
