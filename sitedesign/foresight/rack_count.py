"""How many racks to install when spares share the work: a proven search over the count.

Sharing changes the load itself, so each count is a question of its own. More racks never make the power plant
dearer, hence what a count costs bounds all smaller ones from below: less than it by no more than the racks
left out. Intervals of counts are halved until that bound rules them out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

Priced = Callable[[int], "tuple[float, float] | None"]


@dataclass(frozen=True)
class RackCount:
    """Best count of racks.

    Attributes
    ----------
    racks : int
    cost_usd_per_yr, bound_usd_per_yr : float
        Of the best count; lower bound of all counts. [USD/yr]
    """

    racks: int
    cost_usd_per_yr: float
    bound_usd_per_yr: float


def best_rack_count(
    price: Priced, low: int, high: int, rack_usd_per_yr: float, gap: float
) -> RackCount | None:
    """Find the count of racks at which plant and racks together cost least.

    Parameters
    ----------
    price : callable
        Count -> (cost, lower bound) of plant and racks together, or None where no plant is possible; the
        plant alone never costs more with more racks. [USD/yr]
    low, high : int
        Counts to consider, both ends included.
    rack_usd_per_yr : float
        Cost of one more rack, in what `price` gives. [USD/yr]
    gap : float
        Relative gap within which counts are not told apart. [fraction]

    Returns
    -------
    RackCount or None
        None when no plant is possible with `high` racks, and so with no count.
    """
    first = price(high)
    if first is None:
        return None
    best, bound = (high, first[0]), first[1]
    open_ = [(low, high, first[1])]  # counts from `low` to below `high`, whose own bound is known
    while open_:
        low, high, of_high = open_.pop()
        if low >= high:
            continue
        lower_bound = of_high - (high - low) * rack_usd_per_yr
        if lower_bound >= best[1] * (1 - gap):
            bound = min(bound, lower_bound)
            continue
        middle = (low + high - 1) // 2
        found = price(middle)
        open_.append((middle + 1, high, of_high))
        if found is None:
            continue  # fewer racks are no easier: nothing from `low` to `middle`
        if found[0] < best[1]:
            best = (middle, found[0])
        bound = min(bound, found[1])
        open_.append((low, middle, found[1]))
    return RackCount(best[0], best[1], min(bound, best[1]))


def most_racks_to_consider(
    contracted: int, availability: float, useful: float, cost_usd_per_yr: float, rack_usd_per_yr: float
) -> int:
    """Count beyond which more racks neither save power nor can pay for themselves.

    Parameters
    ----------
    contracted : int
    availability : float
        [fraction]
    useful : float
        Racks at work over racks contracted beyond which no power is saved.
    cost_usd_per_yr : float
        Cost of plant and spare racks of any design. [USD/yr]
    rack_usd_per_yr : float
        [USD/yr]
    """
    saves = contracted * useful / availability
    pays = contracted + cost_usd_per_yr / rack_usd_per_yr if rack_usd_per_yr > 0 else math.inf
    return max(contracted, math.ceil(min(saves, pays)))
