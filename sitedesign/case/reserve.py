"""Reserve: what units on line and the battery must carry in every step, and what follows for what is built.

An operator holds it step by step. What is built has to be able to: a battery that carries a trip by its power
while other units start, and as much power in all as load and reserve ask for in nearly every step. Both are
rows over capacities, exact in either formulation; which units are on line in a step is the operator's alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sitedesign.case.case import Case


@dataclass(frozen=True)
class ReserveRule:
    """What must be carried without the units that an event takes, for `hold_h`.

    The load with `spinning_share` on top, less sun and wind with `resource_share` off, and a `load_step_mw`
    where that is more than the units taken. Sinks are dropped first and ask for none.

    Attributes
    ----------
    n_minus : int
        Largest units on line, imports among them, that an event takes.
    load_step_mw : float
        [MW]
    spinning_share, resource_share : float
        [fraction]
    hold_h : float
        How long the battery must be able to give what it is counted with. [h]
    battery_alone : bool
        Whether the power of the battery must carry the trip of so many units of each technology built, and a
        step of the load, by itself: while other units start.
    short_h_per_yr : float
        Hours in which the reserve may be missing, such as while a unit is repaired. [h/yr]
    spare_units : int
        Units of each technology built that a plan does without, which count as reserve all the same.
    """

    n_minus: int = 1
    load_step_mw: float = 0.0
    spinning_share: float = 0.0
    resource_share: float = 0.0
    hold_h: float = 0.5
    battery_alone: bool = False
    short_h_per_yr: float = 0.0
    spare_units: int = 0


@dataclass(frozen=True)
class FullStep:
    """A bound of what any plant needs in some step in which the reserve is there.

    ``P + sum of units * most_mw + sum of S * most_yield >= needed_mw``

    Attributes
    ----------
    needed_mw : float
        [MW]
    unit_mw : tuple of float
        What a unit of each supply gives at most in those steps. [MW]
    resource_yield : tuple of float
        [MW/MW]
    """

    needed_mw: float
    unit_mw: tuple[float, ...]
    resource_yield: tuple[float, ...]


def least_battery_mw(case: Case, units: Sequence[int]) -> float:
    """Least power of the battery for so many units of each technology. [MW]"""
    rule = case.reserve
    if rule is None or not rule.battery_alone:
        return 0.0
    trips = (rule.n_minus * item.unit_mw for item, n in zip(case.backup, units, strict=True) if n)
    return max(rule.load_step_mw, *trips, 0.0)


def full_step(case: Case) -> FullStep | None:
    """Find what the built power must reach; None without a reserve.

    A plant may lack its reserve in n steps, and shed what its targets allow. So among any m steps, m - n hold
    it, and shed on average no more than the whole allowance over m - n. Those of most load among the darkest
    are taken: what they need at least, against what anything gives in them at most; m is the best of some.
    Which units an event takes is left out, as none need be on line: a relaxation.
    """
    rule = case.reserve
    if rule is None:
        return None
    free = sum((r.yield_mw_per_mw for r in case.resources), np.zeros(case.steps))
    order = np.lexsort((-case.load_mw, free))
    short = int(rule.short_h_per_yr * case.years / case.step_h + 1e-9)
    dark = max(int((free <= 0.0).sum()), min(short + 1, case.steps))
    shed_mw_steps = _most_shed(case) * float(case.load_mw.sum())
    candidates = [
        (float(case.load_mw[order[:m]].min()) * (1.0 + rule.spinning_share) - shed_mw_steps / (m - short), m)
        for m in np.unique(np.geomspace(short + 1, dark, 30).astype(int)).tolist()
        if short < m <= case.steps
    ]
    if not candidates:
        return FullStep(0.0, tuple(s.unit_mw for s in case.supplies), tuple(1.0 for _ in case.resources))
    needed, m = max(candidates)
    rows = order[:m]
    return FullStep(
        max(needed + rule.load_step_mw, 0.0),
        tuple(float(item.capability[:, rows].max()) * item.unit_mw for item in case.supplies),
        tuple(float(r.yield_mw_per_mw[rows].max()) * (1.0 - rule.resource_share) for r in case.resources),
    )


def _most_shed(case: Case) -> float:
    """Most of the load that targets allow to be shed, were only what costs least compute shed. [fraction]"""
    shares = []
    for c, part in enumerate(case.classes):
        cheapest = min(tier.weight for tier in case.tiers if tier.load_class == c)
        shares.append(min((1.0 - part.uptime_target) / max(cheapest, 1e-9), 1.0) * part.share)
    return sum(shares)
