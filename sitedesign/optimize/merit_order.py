"""The order of the slopes: all that the recursion needs to know about prices.

With a price on each technology's energy and one on the weighted shed load of each class, stored energy can
only be worth {0} and {price * discharge efficiency, price / charge efficiency}. All that follows depends on
the order of these slopes alone, so that a result holds for every price vector with the same order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sitedesign.case.case import Case, FloatArray
from sitedesign.optimize.dispatch_recursion import IntArray


@dataclass(frozen=True, eq=False)
class Order:
    """An order of the slopes, as index tables for the passes.

    Blocks are the levels of supplies and sinks, and shed tiers, in merit order (``rank``); a slope index
    counts from the most valuable slope to the last, which is zero. A sink is load that is shed at its value.

    Attributes
    ----------
    rank_block : ndarray of int, shape (B,)
        Block at each rank: k for level k of ``Case.flows``, K + j for tier j.
    charge_slope, discharge_slope : ndarray of int, shape (B,)
        Slope index used when the block at this rank is loaded for charging, or relieved by discharging.
    slope_rank : ndarray of int, shape (2B + 1,)
        Rank behind each slope; -1 for the zero slope.
    slope_charges : ndarray of int, shape (2B + 1,)
        1 where the slope is a price over the charge efficiency, 0 where it is a price times the discharge
        efficiency.
    """

    rank_block: IntArray
    charge_slope: IntArray
    discharge_slope: IntArray
    slope_rank: IntArray
    slope_charges: IntArray

    @property
    def key(self) -> tuple[int, ...]:
        """Hashable identity."""
        return (*self.rank_block.tolist(), *self.charge_slope.tolist(), *self.discharge_slope.tolist())


def block_prices(case: Case, prices: FloatArray) -> FloatArray:
    """Price of each block: one per level, its class's price times the weight per tier, shape (B,)."""
    levels = case.priced
    shed = [prices[levels + tier.load_class] * tier.weight for tier in case.tiers]
    return np.concatenate([prices[:levels], shed])


def order_of(case: Case, prices: FloatArray) -> Order:
    """Sort the slopes for a price vector.

    Parameters
    ----------
    case : Case
    prices : ndarray, shape (K + C,)
        Price of the energy of each level and of the weighted shed load of each class. [USD/MWh]

    Returns
    -------
    Order
        Ties are broken so that the segments of one step always follow the order (charging first, dearer
        block first).
    """
    price = block_prices(case, prices)
    blocks = price.size
    rank_block = np.argsort(price, kind="stable")
    slopes = [
        (-price[block] / case.eta_charge, 0, -rank, rank) for rank, block in enumerate(rank_block.tolist())
    ] + [
        (-price[block] * case.eta_discharge, 1, -rank, rank) for rank, block in enumerate(rank_block.tolist())
    ]
    charge, discharge = np.zeros(blocks, dtype=np.int64), np.zeros(blocks, dtype=np.int64)
    slope_rank = np.full(2 * blocks + 1, -1, dtype=np.int64)
    slope_charges = np.zeros(2 * blocks + 1, dtype=np.int64)
    for index, (_, side, _, rank) in enumerate(sorted(slopes)):
        (discharge if side else charge)[rank] = index
        slope_rank[index] = rank
        slope_charges[index] = 1 - side
    return Order(rank_block.astype(np.int64), charge, discharge, slope_rank, slope_charges)


def slope_values(case: Case, order: Order, prices: FloatArray) -> FloatArray:
    """Value of each slope at a price vector, shape (2B + 1,). [USD/MWh stored]"""
    by_rank = block_prices(case, prices)[order.rank_block]
    price = np.where(order.slope_rank >= 0, by_rank[order.slope_rank], 0.0)
    return np.where(order.slope_charges == 1, price / case.eta_charge, price * case.eta_discharge)


def allows(case: Case, order: Order, prices: FloatArray) -> bool:
    """Whether a price vector has its slopes in this order (ties allowed, to 1e-12 of the largest)."""
    values = slope_values(case, order, prices)
    by_rank = block_prices(case, prices)[order.rank_block]
    slack = 1e-12 * max(float(values.max()), 1e-300)
    return bool(np.all(np.diff(values) <= slack) and np.all(np.diff(by_rank) >= -slack))
