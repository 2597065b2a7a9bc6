"""What racks lose when power is short: a throughput-power curve turned into tiers of load."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from sitedesign.case.case import Tier

Curve = Sequence[tuple[float, float]]
_SAME = 1e-12


def throttle_tiers(curve: Curve, fixed_share: float, floor: float = 0.0) -> tuple[Tier, ...]:
    """Turn a throughput-power curve into tiers of load, cheapest loss first.

    Racks may be throttled or switched off in blocks, so what can be had is the concave hull of the curve and
    the origin; its segments are the tiers.

    Parameters
    ----------
    curve : sequence of (float, float)
        Power fraction and throughput fraction, from (1, 1) downwards.
    fixed_share : float
        Share of the facility's load that does not fall with the racks (cooling overhead); it goes with the
        last tier, when everything is off. [fraction]
    floor : float
        Power fraction below which no rack is throttled: racks are switched off in blocks instead. [fraction]

    Returns
    -------
    tuple of Tier
        Widths sum to 1, width times weight sum to 1.
    """
    return _tiers(hull_of(curve, floor), fixed_share)


def shared_tiers(
    curve: Curve, fixed_share: float, floor: float, rack_ratio: float
) -> tuple[float, tuple[Tier, ...]]:
    """Load and tiers when more racks than contracted do the contracted work, each at less power.

    Throughput of all racks at power p is ``rack_ratio * r(p / rack_ratio)``, concave in both: the same
    segments, each as much longer as there are more racks, up to the throughput that is contracted.

    Parameters
    ----------
    curve, fixed_share, floor
        As :func:`throttle_tiers` takes them.
    rack_ratio : float
        Racks at work over racks contracted, at least 1.

    Returns
    -------
    float
        Facility load at full throughput over that of the contracted racks at full power. [fraction]
    tuple of Tier
        Of that lower load.
    """
    hull = hull_of(curve, floor)
    powers, throughputs = np.array(hull[::-1]).T
    full = rack_ratio * float(np.interp(1 / rack_ratio, throughputs, powers))
    scaled = [(rack_ratio * f / full, rack_ratio * r) for f, r in hull if rack_ratio * r < 1 - _SAME]
    load = fixed_share + (1 - fixed_share) * full
    return load, _tiers([(1.0, 1.0), *scaled], fixed_share / load)


def most_useful_rack_ratio(curve: Curve, floor: float) -> float:
    """Racks at work over racks contracted beyond which more racks save no more power."""
    return 1 / hull_of(curve, floor)[-2][1]


def hull_of(curve: Curve, floor: float) -> list[tuple[float, float]]:
    """Concave hull of a curve and the origin, from (1, 1) to (0, 0)."""
    hull = [(1.0, 1.0)]
    points = [point for point in usable_points(curve, floor) if point[0] < 1.0] + [(0.0, 0.0)]
    while points:
        power, throughput = hull[-1]
        losses = [(throughput - r) / (power - f) for f, r in points]
        cheapest = min(range(len(points)), key=lambda i: (losses[i], points[i][0]))
        hull.append(points[cheapest])
        points = points[cheapest + 1 :]
    return hull


def _tiers(hull: Sequence[tuple[float, float]], fixed_share: float) -> tuple[Tier, ...]:
    """Segments of a hull as tiers of the facility's load."""
    shrink = 1 - fixed_share
    tiers = [
        Tier((f0 - f1) * shrink, (r0 - r1) / ((f0 - f1) * shrink)) for (f0, r0), (f1, r1) in pairwise(hull)
    ]
    last = tiers.pop()
    width = 1 - sum(tier.width for tier in tiers)
    loss = 1 - sum(tier.width * tier.weight for tier in tiers)
    # The cooling overhead is shed with the last racks; spreading it over that tier keeps the curve concave.
    tiers.append(Tier(width, max(loss / width, tiers[-1].weight if tiers else 0.0)) if fixed_share else last)
    return tuple(tiers)


def usable_points(curve: Curve, floor: float) -> list[tuple[float, float]]:
    """Points of a curve down to the floor, which is one of them, from full power downwards."""
    points = sorted(((float(f), float(r)) for f, r in curve), reverse=True)
    if floor <= points[-1][0]:
        return points
    powers, throughputs = np.array(points[::-1]).T
    above = [point for point in points if point[0] > floor]
    return [*above, (floor, float(np.interp(floor, powers, throughputs)))]
