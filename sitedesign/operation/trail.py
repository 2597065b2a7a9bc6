"""Trails of runs, compiled: what a plant takes over from day to day, and where two runs meet.

Two runs of the same years that are in the same state at a midnight go the same way until something fails in
one of them alone. What is compared is what the next day reads, no more: hours and starts that are added up,
or when a repair ended that is over, make no difference.
"""

from __future__ import annotations

import numpy as np

from sitedesign.operation.compiled import inside
from sitedesign.operation.records import Array, Fleet, Trail

NO_TRAIL = Trail(
    np.zeros(0, np.int64),
    np.zeros(0),
    np.zeros(0, np.int64),
    np.zeros(0, np.int64),
    np.zeros((0, 0), np.int64),
    np.zeros(0, np.bool_),
    np.zeros(0, np.int64),
)


@inside
def keep_midnight(trail: Trail, fleet: Fleet, day: int, t: int) -> int:
    """Keep the state before the first step of a day; return the day to go on with, itself or a later one."""
    _settle(fleet.tech, t)
    words, numbers, kept = trail.words, trail.numbers, trail.kept
    same, count = True, trail.carried.size
    for i in range(count):
        word = words[trail.carried[i]]
        if kept[day, i] != word:
            same = False
            kept[day, i] = word
    for i in range(trail.until.size):
        place = trail.until[i]
        word = words[place] if numbers[place] > t else 0
        if kept[day, count + i] != word:
            same = False
            kept[day, count + i] = word
    while same and day < kept.shape[0] and not trail.differs[day]:
        day += 1
    return day


@inside
def resume(trail: Trail, fleet: Fleet, day: int) -> None:
    """Bring a plant into the state that is kept of a midnight."""
    words, kept, count = trail.words, trail.kept, trail.carried.size
    for i in range(count):
        words[trail.carried[i]] = kept[day, i]
    for i in range(trail.until.size):
        words[trail.until[i]] = kept[day, count + i]
    p = fleet.plant[0]
    p.planned_at, p.midnight_day = -1, -1  # a plan is made at each midnight anyway
    for i in range(fleet.resource.size):
        fleet.resource[i].told_day = -1


@inside
def _settle(tech: Array, t: int) -> None:
    """Forget how a tank came to be full, and when it was last burnt from."""
    for k in range(tech.size):
        one = tech[k]
        if one.on_tank == 0:
            one.settled_at = 0.0
            held = one.fuel_inventory + one.refill_rate * (t - one.refilled_from)
            if one.refill_rate >= 0.0 and held >= one.fuel_inventory_max:
                one.fuel_inventory, one.refilled_from = one.fuel_inventory_max, 0.0
