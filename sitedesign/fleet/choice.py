"""The choice itself: a mixed-integer program over sites, solved by HiGHS through scipy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from sitedesign.errors import InfeasibleDesign, NotProvenOptimal
from sitedesign.fleet.curves import FloatArray, Pieces, SiteCosts, pieces_of

IntArray = NDArray[np.int64]
_USED = 0.5
_ROUNDING = 1e-9
_OPTIMAL, _LIMIT = 0, 1  # status of scipy's milp


@dataclass(frozen=True, eq=False)
class Asked:
    """What all sites together must hold.

    Attributes
    ----------
    racks : int
    most_sites : int or None
    regions : ndarray of int, shape (sites,)
        Number of the region of each site.
    region_racks : mapping of int to (float, float)
        Least and most racks in a region.
    ramp : tuple of (int, int)
        Months by which sites with power must hold so many racks, and how many. [months, racks]
    """

    racks: int
    most_sites: int | None
    regions: IntArray
    region_racks: Mapping[int, tuple[float, float]]
    ramp: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, eq=False)
class Choice:
    """Sites chosen.

    Attributes
    ----------
    racks : ndarray of int, shape (sites,)
    cost_usd_per_yr, bound_usd_per_yr : float
        By the costs of the sites, and its proven lower bound. [USD/yr]
    rack_usd_per_yr : float
        What one more rack would cost. [USD/yr]
    region_usd_per_yr : dict of int to float
        The same in regions with a site that is built, what a bound of the region is worth included.
    """

    racks: IntArray
    cost_usd_per_yr: float
    bound_usd_per_yr: float
    rack_usd_per_yr: float
    region_usd_per_yr: dict[int, float]


def choose(costs: SiteCosts, asked: Asked, gap: float, time_limit_s: float | None = None) -> Choice:
    """Choose sites and their racks at least cost.

    Parameters
    ----------
    costs : SiteCosts
    asked : Asked
    gap : float
        Relative, of the mixed-integer program. [fraction]
    time_limit_s : float, optional
        [s]

    Raises
    ------
    InfeasibleDesign
        If the sites cannot hold the racks.
    NotProvenOptimal
        If the time ends without any choice.
    """
    count = len(costs.most) if asked.most_sites is None else asked.most_sites
    if asked.racks < costs.least.min() or np.sort(costs.most)[::-1][:count].sum() < asked.racks:
        raise InfeasibleDesign(_reason(costs, asked))
    rows, known = _useful(costs, asked), None
    if asked.most_sites is None:
        rows, known = _worth_it(costs, rows, asked, gap, time_limit_s)
    few = costs.subset(rows)
    pieces = pieces_of(few)
    regions = asked.regions[rows]
    model = _Model(pieces, regions, asked)
    options: Any = {"mip_rel_gap": gap} | ({} if time_limit_s is None else {"time_limit": time_limit_s})
    rows_of = LinearConstraint(model.matrix, model.least, model.most)
    solved = milp(
        model.prices, integrality=model.whole, bounds=Bounds(0, 1), constraints=rows_of, options=options
    )
    if solved.x is None:
        if known is not None:  # with fewer sites; the bound is of any number
            return known
        if solved.status == _LIMIT:
            message = "The time ended before any choice of sites was found."
            raise NotProvenOptimal(message)
        raise InfeasibleDesign(_reason(costs, asked))
    used = np.round(solved.x[: model.count]) > _USED
    loads = model.loads(used, solved.x[model.count :], len(rows))
    racks = np.zeros(len(costs.least), dtype=np.int64)
    racks[rows] = _whole(loads, few, asked)
    price, by_region = _marginals(model, used, asked)
    total = float(costs.at(racks.astype(float)).sum())
    return Choice(racks, total, float(solved.mip_dual_bound), price, by_region)


class _Model:
    """Rows and columns: for each piece whether it is used, and how far along it the site lies.

    Pieces without length are left out, but for one of a site that has no other.
    """

    def __init__(self, pieces: Pieces, regions: IntArray, asked: Asked) -> None:
        real = pieces.high > pieces.low
        real[:, 0] |= ~real.any(axis=1)
        sites = len(real)
        self.site = np.nonzero(real)[0]
        self.low, self.rise = pieces.low[real], (pieces.high - pieces.low)[real]
        self.cost_low, self.cost_rise = pieces.cost_low[real], (pieces.cost_high - pieces.cost_low)[real]
        self.region, self.count = regions[self.site], len(self.site)
        self.months = pieces.months[real]
        self.prices = np.concatenate([self.cost_low, self.cost_rise])
        self.whole = np.concatenate([np.ones(self.count), np.zeros(self.count)])
        racks = np.concatenate([self.low, self.rise])
        one = sparse.csr_matrix(
            (np.ones(self.count), (self.site, np.arange(self.count))), (sites, self.count)
        )
        nothing = sparse.csr_matrix((sites, self.count))
        eye = sparse.identity(self.count, format="csr")
        rows = [sparse.csr_matrix(racks), sparse.hstack([one, nothing]), sparse.hstack([-eye, eye])]
        least: list[Any] = [[asked.racks], np.full(sites, -np.inf), np.full(self.count, -np.inf)]
        most: list[Any] = [[asked.racks], np.ones(sites), np.zeros(self.count)]
        if asked.most_sites is not None:
            rows.append(sparse.csr_matrix(self.whole))
            least, most = [*least, [0]], [*most, [asked.most_sites]]
        for number, (fewest, highest) in asked.region_racks.items():
            rows.append(sparse.csr_matrix(racks * np.tile(self.region == number, 2)))
            least, most = [*least, [fewest]], [*most, [highest]]
        for month, early in asked.ramp:
            rows.append(sparse.csr_matrix(racks * np.tile(self.months <= month, 2)))
            least, most = [*least, [early]], [*most, [np.inf]]
        self.matrix = sparse.vstack(rows, format="csr")
        self.least, self.most = np.concatenate(least), np.concatenate(most)

    def loads(self, used: NDArray[np.bool_], along: FloatArray, sites: int) -> FloatArray:
        """Racks of each site."""
        held = np.where(used, self.low + self.rise * np.clip(along, 0, 1), 0.0)
        total: FloatArray = np.bincount(self.site, held, sites).astype(float)
        return total


def _useful(costs: SiteCosts, asked: Asked) -> NDArray[np.intp]:
    """Sites that some least-cost choice may need.

    Of the sites of one region with the same bounds and thresholds, and power by the same step of the ramp,
    one that costs at least as much at every size as so many others as may be built at all is never needed: a
    cheaper one is free to take its place.
    """
    least = float(costs.least.min())
    many = int(min(len(costs.least), asked.racks // max(least, 1.0)))
    most_sites = many if asked.most_sites is None else min(asked.most_sites, many)
    tied = np.where(np.isin(asked.regions, list(asked.region_racks)), asked.regions, -1)
    steps = [month for month, _ in asked.ramp]
    dates = [np.searchsorted(steps, costs.power_months + wait) for wait in (0.0, costs.wait_months)]
    keys = np.stack([tied, costs.least, costs.most, costs.threshold_racks, *dates], axis=1)
    keep: list[int] = []
    _, group = np.unique(np.nan_to_num(keys, posinf=1e18), axis=0, return_inverse=True)
    pieces = pieces_of(costs)
    ends = np.concatenate([pieces.cost_low, pieces.cost_high], axis=1)
    for number in range(int(group.max()) + 1):
        rows = np.flatnonzero(group.ravel() == number)
        order = rows[np.argsort(ends[rows].sum(axis=1), kind="stable")]
        kept: list[int] = []
        for row in order.tolist():  # by their mean cost, so that whoever is cheaper everywhere stands before
            cheaper = int(np.count_nonzero((ends[kept] <= ends[row]).all(axis=1))) if kept else 0
            if cheaper < most_sites:
                kept.append(row)
        keep += kept
    return np.sort(np.array(keep, dtype=np.intp))


def _worth_it(
    costs: SiteCosts, rows: NDArray[np.intp], asked: Asked, gap: float, time_limit_s: float | None
) -> tuple[NDArray[np.intp], Choice | None]:
    """Leave out sites that no choice cheaper than one with few sites holds; that choice with a bound of all.

    With a price on every rack the sites come apart: what all of them cost above it is a lower bound, and what
    one that is not worth it adds to that bound must not lift it above a choice that is known.
    """
    fewest = int(np.searchsorted(np.cumsum(np.sort(costs.most)[::-1]), asked.racks)) + 1
    try:
        known = choose(costs, replace(asked, most_sites=fewest), gap, time_limit_s)
    except (InfeasibleDesign, NotProvenOptimal):
        return rows, None
    pieces = pieces_of(costs.subset(rows))
    racks = np.concatenate([pieces.low, pieces.high], axis=1)
    cost = np.concatenate([pieces.cost_low, pieces.cost_high], axis=1)
    mean = (cost / racks).min(axis=1)
    order = np.argsort(mean, kind="stable")
    last = int(np.searchsorted(np.cumsum(costs.most[rows][order]), asked.racks))
    price = float(mean[order[min(last, len(order) - 1)]])
    above = (cost - price * racks).min(axis=1)
    bound = price * asked.racks + float(np.minimum(above, 0.0).sum())
    worth = bound + np.maximum(above, 0.0) <= known.cost_usd_per_yr * (1.0 + _ROUNDING)
    return np.asarray(rows[worth]), replace(known, bound_usd_per_yr=min(bound, known.bound_usd_per_yr))


def _whole(loads: FloatArray, costs: SiteCosts, asked: Asked) -> IntArray:
    """Whole racks with the same sum, each site inside its bounds, early sites first where there is a ramp."""
    racks, total = np.floor(loads + _ROUNDING).astype(np.int64), asked.racks
    built = loads > _ROUNDING
    missing = total - int(racks.sum())
    dates = costs.power_months + (loads >= costs.threshold_racks) * costs.wait_months
    order = np.lexsort((racks - loads, dates if asked.ramp else np.zeros(len(loads))))
    while missing > 0:
        room = [i for i in order.tolist() if built[i] and racks[i] + 1 <= costs.most[i] + _ROUNDING]
        if not room:
            break
        for i in room[:missing]:
            racks[i] += 1
        missing = total - int(racks.sum())
    return racks


def _marginals(model: _Model, used: NDArray[np.bool_], asked: Asked) -> tuple[float, dict[int, float]]:
    """Price of a rack with the pieces in use held: the dual value of the sum of racks, region by region."""
    at = np.flatnonzero(used)
    if not at.size:
        return float("nan"), {}
    low, rise, slope, where = model.low[at], model.rise[at], model.cost_rise[at], model.region[at]
    rows, ends = [], []
    bounded = list(asked.region_racks.items())
    for number, (fewest, highest) in bounded:
        there = rise * (where == number)
        fixed = float(low[where == number].sum())
        rows += [there, -there]
        ends += [highest - fixed, fixed - fewest]
    for month, early in asked.ramp:
        soon = model.months[at] <= month
        rows.append(-rise * soon)
        ends.append(float(low[soon].sum()) - early)
    solved = linprog(
        slope,
        A_ub=np.array(rows) if rows else None,
        b_ub=np.array(ends) if rows else None,
        A_eq=rise[None, :],
        b_eq=[asked.racks - low.sum()],
        bounds=(0, 1),
        method="highs",
    )
    if solved.status != _OPTIMAL:
        return float("nan"), {}
    price = float(solved.eqlin.marginals[0])
    extra = dict.fromkeys(where.tolist(), price)
    for number, (most, fewest) in zip(
        [number for number, _ in bounded],
        np.reshape(solved.ineqlin.marginals[: 2 * len(bounded)], (-1, 2)).tolist(),
        strict=True,
    ):
        if number in extra:
            extra[number] = price + most - fewest
    return price, extra


def _most_by(costs: SiteCosts, month: float) -> FloatArray:
    """Racks that each site can hold with power by a month."""
    before = np.minimum(costs.most, np.ceil(costs.threshold_racks) - 1.0)
    most = np.where(costs.power_months + costs.wait_months <= month, costs.most, before)
    return np.where((costs.power_months <= month) & (most >= costs.least), most, 0.0)


def _reason(costs: SiteCosts, asked: Asked) -> str:
    """Say why no choice is possible."""
    count = len(costs.most) if asked.most_sites is None else asked.most_sites
    room = float(np.sort(costs.most)[::-1][:count].sum())
    if room < asked.racks:
        return f"the {count:,} largest sites hold {room:,.0f} racks, {asked.racks:,} are asked for"
    if asked.racks < costs.least.min():
        return f"a site holds at least {costs.least.min():,.0f} racks, {asked.racks:,} are asked for"
    for month, early in asked.ramp:
        held = np.sort(_most_by(costs, month))[::-1][:count].sum()
        if held < early:
            there = f"the {count:,} largest sites with power by then hold {held:,.0f}"
            return f"month {month} asks for {early:,} racks, {there}"
    return f"bounds of sites and regions leave no way to place {asked.racks:,} racks"
