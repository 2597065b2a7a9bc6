"""The least operating cost of a fixed plant within its annual budgets, and the prices that prove it.

With a price on every budget the exact dispatch is one
:meth:`~sitedesign.optimize.dispatch_oracle.Oracle.run`. The best such prices are found by a concave
maximisation that needs only a few runs, because a result changes only when the order of the slopes does. At
the best prices two or more dispatches cost the same, and a mixture of them meets the budgets exactly: the
optimum of the linear program, with its proof.
"""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import dataclass

import numpy as np

from sitedesign.case.case import Case, FloatArray
from sitedesign.optimize.annual_budgets import MET, Budgets
from sitedesign.optimize.dispatch_oracle import NoDispatch, Oracle, Point, Run
from sitedesign.optimize.highs import SmallProgram
from sitedesign.optimize.merit_order import Order, order_of

_INSIDE = 1e-9  # how far inside the uptime budget a mixture stays, so that rounding cannot break it
_PART = 1e-3  # of the size of a budget: the unit in which several budgets are compared
_HAIR, _SOLVER = 5e-7, 1e-7  # the same with several, in that unit; and the feasibility tolerance it covers
_MET = MET / _PART  # what counts as met, in that unit
_PROVEN = 1e-3  # least excess, in that unit, that makes a cut worth stopping at

_KEPT = 64  # last dispatches that are kept: of a plant that many questions begin with
Runs = dict[tuple[int, ...], Run]


@dataclass(frozen=True, eq=False)
class Cut:
    """``prices @ totals >= coefficients @ (1, capacities)`` for every plant and all it can do.

    A condition on the capacities alone has prices of zero.
    """

    prices: FloatArray
    coefficients: FloatArray


@dataclass(frozen=True, eq=False)
class Operation:
    """Least-cost operation of a point.

    Attributes
    ----------
    cost_usd_per_yr : float
        Cost of energy and of lost compute; inf when the budgets cannot be met.
    totals : ndarray, shape (K + C,)
        Of the mixture, or of the best that can be done when budgets cannot be met. [MWh/yr]
    mixture : tuple of (Order, float)
        Dispatches and their shares; empty when the battery cannot end full.
    cuts : tuple of Cut
        Valid everywhere. When the operation is feasible one of them is exact at this point.
    strict : bool
        Whether the budgets are met without the tolerance on them.
    """

    cost_usd_per_yr: float
    totals: FloatArray
    mixture: tuple[tuple[Order, float], ...]
    cuts: tuple[Cut, ...]
    strict: bool = False

    @property
    def feasible(self) -> bool:
        """Whether all budgets are met."""
        return bool(np.isfinite(self.cost_usd_per_yr))


class PriceSearch:
    """Inner maximisation over prices; remembers where the last search ended.

    Parameters
    ----------
    oracle : Oracle
    """

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self._ladders: dict[tuple[float, ...], Ladder] = {}
        self._program = SmallProgram()
        self._mixed: tuple[Order, ...] = ()  # of the last operation that several budgets bound
        self._kept: dict[tuple[bytes, tuple[int, ...]], Run] = {}

    def on(self, oracle: Oracle) -> PriceSearch:
        """Give a search that begins where this one is, on an oracle with the same order of slopes."""
        twin = PriceSearch(oracle)
        twin._ladders = {key: copy.copy(ladder) for key, ladder in self._ladders.items()}
        twin._mixed = self._mixed
        if oracle.case is self.oracle.case:
            twin._kept = dict(self._kept)
        return twin

    def operate(self, point: Point, budgets: Budgets, *, likely: bool = True) -> Operation:
        """Find the least-cost operation of a point within its budgets.

        Parameters
        ----------
        point : Point
        budgets : Budgets
        likely : bool
            Whether the point is expected to meet the uptime budgets: decides what is tried first.

        Returns
        -------
        Operation
        """
        found = self._operate(point, budgets, likely=likely)
        strict = found.feasible and bool(np.all(budgets.rows @ found.totals <= budgets.sought))
        return dataclasses.replace(found, strict=strict)

    def _operate(self, point: Point, budgets: Budgets, *, likely: bool) -> Operation:
        runs: Runs = {}
        if budgets.classes > 1:
            return self._several_classes(point, budgets, runs, likely=likely)
        if len(budgets.limit) > 1 and self._mixed:
            return self._all_budgets(point, budgets, self._mixed, runs)
        simple = self._uptime_only(point, budgets, runs, likely=likely)
        if not simple.feasible or np.all(budgets.rows @ simple.totals <= budgets.most):
            return simple
        return self._all_budgets(point, budgets, tuple(order for order, _ in simple.mixture), runs)

    def least_shed(self, point: Point, budgets: Budgets) -> Operation:
        """Shed as little weighted load as can be, all classes alike, whatever it costs and budgets say.

        Parameters
        ----------
        point : Point
        budgets : Budgets
            For the prices of energy, which decide among ways that shed equally little.

        Returns
        -------
        Operation
        """
        ladder = self._ladder(budgets)
        run = self._run(point, ladder.order(ladder.rungs - 1), {})
        if isinstance(run, NoDispatch):
            return _no_dispatch(run, budgets)
        return _mixture([(run, 1.0)], budgets, [])

    def _run(self, point: Point, order: Order, runs: Runs) -> Run | NoDispatch:
        if order.key not in runs:
            key = point.vector.tobytes(), order.key
            result = self._kept.pop(key, None) or self.oracle.run(point, order)
            if isinstance(result, NoDispatch):
                return result
            runs[order.key] = self._kept[key] = result  # the last of them
            if len(self._kept) > _KEPT:
                del self._kept[next(iter(self._kept))]
        return runs[order.key]

    # ------------------------------------------------------------------ one budget

    def _uptime_only(self, point: Point, budgets: Budgets, runs: Runs, *, likely: bool) -> Operation:
        ladder = self._ladder(budgets)
        limit = float(budgets.limit[0])
        if np.isfinite(limit):
            limit -= _INSIDE * abs(limit)
        low, high = -1, ladder.rungs
        at: dict[int, Run] = {}
        while high - low > 1:
            rung = ladder.guess(low, high, likely=likely)
            result = self._run(point, ladder.order(rung), runs)
            if isinstance(result, NoDispatch):
                return _no_dispatch(result, budgets)
            at[rung] = result
            if result.totals[-1] <= limit:
                high = rung
            else:
                low = rung
        cuts = [cut for rung, run in at.items() if rung in (low, high) for cut in ladder.cuts(rung, run)]
        if high == ladder.rungs and at[low].totals[-1] <= budgets.most[0]:
            low, high = -1, low  # as little as can be shed is just what may be
        if high == ladder.rungs:
            return Operation(np.inf, at[low].totals, ((at[low].order, 1.0),), tuple(cuts))
        ladder.last = high
        parts = [(at[high], 1.0)]
        if low >= 0:
            lost = float(at[low].totals[-1] - at[high].totals[-1])
            share = min(max((float(at[low].totals[-1]) - limit) / lost, 0.0), 1.0)
            parts = [(at[high], share), (at[low], 1.0 - share)]
        return _mixture(parts, budgets, cuts)

    def _ladder(self, budgets: Budgets) -> Ladder:
        key = tuple(budgets.cost.tolist())
        if key not in self._ladders:
            self._ladders[key] = Ladder(self.oracle.case, budgets.cost)
        return self._ladders[key]

    # ------------------------------------------------------------------ several budgets

    def _several_classes(self, point: Point, budgets: Budgets, runs: Runs, *, likely: bool) -> Operation:
        """Test first, or when the budgets are missed, whether all classes together can lose so little.

        That cut is strong where a plant is far too small, and one dispatch gives it.
        """
        dear, alone = _nothing_shed(self.oracle.case, budgets)
        order = order_of(self.oracle.case, dear)
        if not (likely and self._mixed):
            together = self._run(point, order, runs)
            if isinstance(together, NoDispatch):
                return _no_dispatch(together, budgets)
            asked = budgets.asked
            if budgets.lost(together.totals)[asked].sum() > budgets.of_uptime().most[asked].sum():
                missed = _mixture([(together, 1.0)], budgets, _cuts_of(together, dear, alone))
                return dataclasses.replace(missed, cost_usd_per_yr=np.inf)
        start = self._mixed or (order, order_of(self.oracle.case, budgets.cost))
        operation = self._all_budgets(point, budgets, start, runs)
        if operation.feasible or not operation.mixture:
            return operation
        together = self._run(point, order, runs)
        assert isinstance(together, Run)
        return dataclasses.replace(operation, cuts=(*operation.cuts, *_cuts_of(together, dear, alone)))

    def _all_budgets(self, point: Point, budgets: Budgets, start: tuple[Order, ...], runs: Runs) -> Operation:
        """Column generation: first until the budgets can be met, then until no dispatch is cheaper."""
        cuts: list[Cut] = []
        for order in start:
            result = self._run(point, order, runs)
            if isinstance(result, NoDispatch):
                return _no_dispatch(result, budgets)
        excess = 0.0
        mixture = _mixture([(run, 1.0) for run in list(runs.values())[:1]], budgets, cuts)
        for feasibility in (True, False) if np.isfinite(budgets.limit).any() else (False,):
            while True:
                best_mixture = _restricted(
                    self._program, list(runs.values()), budgets, excess, feasibility=feasibility
                )
                if best_mixture is None:  # just beyond what the solver took for possible: not met
                    return dataclasses.replace(mixture, cost_usd_per_yr=np.inf)
                prices, value, shares, allowance = best_mixture
                if feasibility and value <= _SOLVER:
                    break
                order = order_of(self.oracle.case, prices)
                known = list(runs.values())
                run = self._run(point, order, runs)
                assert isinstance(run, Run)
                cuts.append(Cut(prices, prices @ run.cut))
                if feasibility and prices @ run.totals - allowance > _PROVEN:
                    # These prices prove that the budgets cannot be met; by how much, the best mixture tells.
                    proof = _restricted(self._program, list(runs.values()), budgets, excess, feasibility=True)
                    shares = shares if proof is None else proof[2]
                    break
                best = min(float(prices @ other.totals) for other in known)
                if prices @ run.totals >= best - 1e-12 * max(abs(best), 1.0):
                    break
            parts = [(run, float(part)) for run, part in zip(runs.values(), shares, strict=False)]
            mixture = _mixture(parts, budgets, cuts)
            if feasibility and value > _MET:
                return dataclasses.replace(mixture, cost_usd_per_yr=np.inf)
            excess = max(value, 0.0) if feasibility else excess  # the least with which they can be met
        self._mixed = tuple(order for order, _ in mixture.mixture)
        return mixture


class Ladder:
    """All orders of the slopes that one price on shed load of all classes can bring about, the others fixed.

    Parameters
    ----------
    case : Case
    cost : ndarray, shape (K + C,)
        Prices of energy, and the value of lost compute: the least price that shed load can have.
    """

    def __init__(self, case: Case, cost: FloatArray) -> None:
        losses = case.eta_charge * case.eta_discharge
        self._priced = case.priced
        self._least = float(cost[-1])
        steps = {
            float(price / tier.weight * factor)
            for price in cost[: self._priced]
            for tier in case.tiers
            if tier.weight > 0.0
            for factor in (losses, 1.0, 1.0 / losses)
        }
        self._case, self._cost = case, cost
        self.steps: list[float] = sorted(step for step in steps if step > self._least)
        self._orders: dict[int, Order] = {}
        self.rungs = len(self.steps) + 1
        self.last = self.rungs - 1

    def guess(self, low: int, high: int, *, likely: bool) -> int:
        """Rung to try next between one that sheds too much and one that does not.

        The answer is nearly always where it was the last time, or there is none.
        """
        top = self.rungs - 1
        if high == self.rungs and (low >= 0 or not likely):
            return top
        if low < self.last < high:
            return self.last
        if low < 0:  # further and further down from there
            return max(high - max(1, self.last - high), 0)
        if low >= self.last:  # or up
            return min(low + max(1, low - self.last), high - 1)
        return (low + high) // 2

    def price(self, rung: int) -> float:
        """Return a price of shed load inside a rung."""
        if not self.steps:
            return 2.0 * self._least or 1.0
        if rung == 0:
            return (self._least + self.steps[0]) / 2
        if rung == len(self.steps):
            return self.steps[-1] * 2
        return float(np.sqrt(self.steps[rung - 1] * self.steps[rung]))

    def order(self, rung: int) -> Order:
        """Order of the slopes in a rung."""
        if rung not in self._orders:
            self._orders[rung] = order_of(self._case, self._with(self.price(rung)))
        return self._orders[rung]

    def cuts(self, rung: int, run: Run) -> list[Cut]:
        """Cuts at both ends of a rung; above the last one shed load alone counts."""
        lower = self._with(self.steps[rung - 1] if rung else self._least)
        only_shed = np.zeros_like(self._cost)
        only_shed[self._priced :] = 1.0
        upper = self._with(self.steps[rung]) if rung < len(self.steps) else only_shed
        return _cuts_of(run, lower, upper)

    def _with(self, shed_price: float) -> FloatArray:
        prices = self._cost.copy()
        prices[self._priced :] = shed_price
        return prices


def _nothing_shed(case: Case, budgets: Budgets) -> tuple[FloatArray, FloatArray]:
    """Prices at which shedding a class with a budget comes after all else; prices of that shed load alone."""
    losses = case.eta_charge * case.eta_discharge
    asked = np.flatnonzero(budgets.asked) + case.priced
    weights = [tier.weight for tier in case.tiers if tier.weight > 0.0]
    alone = np.zeros_like(budgets.cost)
    alone[asked] = 1.0
    dear = budgets.cost.copy()
    largest = max(float(budgets.cost.max()) * max(1.0, *weights), 1.0)
    dear[asked] = 2.0 * largest / (losses * min(weights))
    return dear, alone


def _cuts_of(run: Run, *prices: FloatArray) -> list[Cut]:
    return [Cut(p, p @ run.cut) for p in prices if p.any()]


def _no_dispatch(result: NoDispatch, budgets: Budgets) -> Operation:
    zero = np.zeros_like(budgets.cost)
    return Operation(np.inf, zero, (), (Cut(zero, result.cut),))


def _mixture(parts: list[tuple[Run, float]], budgets: Budgets, cuts: list[Cut]) -> Operation:
    used = [(run, share) for run, share in parts if share > 0.0]
    totals = np.sum([run.totals * share for run, share in used], axis=0)
    orders = tuple((run.order, share) for run, share in used)
    return Operation(float(budgets.cost @ totals), totals, orders, tuple(cuts))


def _restricted(
    program: SmallProgram, runs: list[Run], budgets: Budgets, excess: float, *, feasibility: bool
) -> tuple[FloatArray, float, FloatArray, float] | None:
    """Best mixture of known dispatches: prices of the totals, value, shares, priced budgets; None if none is.

    Budgets are met a hair inside, which is more than the solver's tolerance, or with an excess over that.
    The feasibility problem minimises the largest excess, in thousandths of the size of its budget.
    """
    binding = np.isfinite(budgets.limit)
    limit, rows = budgets.limit[binding], budgets.rows[binding]
    scale = _PART * np.maximum(budgets.size[binding], 1e-9)
    room = limit / scale - _HAIR
    use = rows @ np.array([run.totals for run in runs]).T / scale[:, np.newaxis]
    cost = np.array([budgets.cost @ run.totals for run in runs])
    unit = 1.0 if feasibility else max(float(np.abs(cost).max()), 1e-9)
    above = int(feasibility)  # one more column: the excess
    most = room + (0.0 if feasibility else excess + 2 * _SOLVER)
    rows_of = np.zeros((len(scale) + 1, len(runs) + above))
    rows_of[:-1, : len(runs)], rows_of[-1, : len(runs)] = use, 1.0
    rows_of[:-1, len(runs) :] = -1.0
    least = np.zeros(len(runs) + above)
    least[len(runs) :] = -np.inf
    found = program.solve(
        np.append(np.zeros(len(runs)), 1.0) if feasibility else cost / unit,
        rows_of,
        (np.append(np.full(len(scale), -np.inf), 1.0), np.append(most, 1.0)),
        (least, np.full(least.size, np.inf)),
    )
    if found is None:
        return None
    shares, dual, value = found
    duals = np.maximum(-dual[:-1], 0.0) * unit
    allowance = float(duals @ room)
    prices = (np.zeros_like(budgets.cost) if feasibility else budgets.cost) + (duals / scale) @ rows
    return prices, value * unit, shares[: len(runs)], allowance
