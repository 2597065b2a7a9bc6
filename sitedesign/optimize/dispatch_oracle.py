"""The exact least-cost dispatch of one battery: a recursion over a fixed set of slopes, no solver, no matrix.

The cost-to-go of stored energy is convex, and its slopes come from a small fixed set
(:mod:`sitedesign.optimize.merit_order`): it is a short vector of segment lengths, most valuable first. A
backward pass merges the segments of each step's own cost into it and trims it to what the battery holds; a
forward pass follows one state through the vectors and reads off dispatch and prices.

The passes compare *positions in the order of the slopes*, never floating-point levels: the price path is
dual feasible by construction, ties included, so every linear bound built from it is valid. Bounds are kept
per price component: one :class:`Run` holds for every price vector that puts the slopes in the same order.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sitedesign.case.case import Case, FloatArray
from sitedesign.case.dispatch import Dispatch
from sitedesign.case.plant import Plant, sum_of_resources
from sitedesign.optimize.dispatch_recursion import (
    FIRST_RESOURCE,
    LATE_CHARGE,
    ROWS_APART,
    Capacities,
    IntArray,
    Memory,
    Outputs,
    Series,
    Tables,
    backward,
    forward,
)
from sitedesign.optimize.merit_order import Order, block_prices, order_of, slope_values
from sitedesign.util.eight import LANES, in_sequence, side_by_side


@dataclass(frozen=True, eq=False)
class Point:
    """Capacities as the oracle takes them; `units` may be fractional.

    Attributes
    ----------
    resources_mw : ndarray, shape (R,)
    battery_mwh, battery_mw : float
    units : ndarray, shape (rows,)
        How many units follow each capability row (rows of all flows in sequence).
    """

    resources_mw: FloatArray
    battery_mwh: float
    battery_mw: float
    units: FloatArray

    @property
    def vector(self) -> FloatArray:
        """All capacities, in the order of :class:`Columns`, shape (R + 2 + rows,)."""
        return np.concatenate([self.resources_mw, [self.battery_mwh, self.battery_mw], self.units])


@dataclass(frozen=True)
class Columns:
    """Where what stands in a cut: an intercept, resources, battery energy, battery power, capability rows.

    Attributes
    ----------
    resources, rows : int
        How many there are.
    """

    resources: int
    rows: int

    @property
    def battery_mwh(self) -> int:
        """Column of the battery's energy."""
        return FIRST_RESOURCE + self.resources

    @property
    def battery_mw(self) -> int:
        """Column of the battery's power."""
        return self.battery_mwh + 1

    @property
    def first_row(self) -> int:
        """Column of the first capability row."""
        return self.battery_mwh + 2

    @property
    def count(self) -> int:
        """Number of columns, the intercept included."""
        return self.first_row + self.rows

    def point(self, vector: FloatArray) -> Point:
        """Capacities of a :attr:`Point.vector`."""
        line = np.concatenate([[1.0], vector])
        energy, power = float(line[self.battery_mwh]), float(line[self.battery_mw])
        return Point(line[FIRST_RESOURCE : self.battery_mwh], energy, power, line[self.first_row :])


@dataclass(frozen=True, eq=False)
class Run:
    """Least-cost dispatch of one point in one order of the slopes.

    Attributes
    ----------
    order : Order
    totals : ndarray, shape (K + C,)
        Energy of each level of the supplies, what sinks miss at each level, and weighted shed load of each
        class. [MWh/yr]
    cut : ndarray, shape (K + C, columns)
        Row i times (1, capacities) is entry i of `totals`; the columns are those of :class:`Columns`. For
        every price vector p in this order, ``p @ cut`` is an affine function of the capacities that never
        exceeds the least cost: intercept and subgradient at once. [MWh/yr, MWh/yr per unit of capacity]
    """

    order: Order
    totals: FloatArray
    cut: FloatArray


@dataclass(frozen=True, eq=False)
class NoDispatch:
    """The battery cannot end (or stay) full; every workable plant has ``cut @ (1, capacities) <= 0``."""

    cut: FloatArray


@dataclass(frozen=True, eq=False)
class PricePath:
    """Prices along the optimum, of power at the bus and of stored energy, shape (T,) each. [USD/MWh]"""

    bus_usd_per_mwh: FloatArray
    stored_usd_per_mwh: FloatArray


class _Path(NamedTuple):
    run: Run
    outputs: Outputs


class Oracle:
    """Dispatch of one case for any capacities and prices; holds the working memory.

    Parameters
    ----------
    case : Case

    Attributes
    ----------
    row_start : ndarray of int, shape (flows + 1,)
        First capability row of each of ``Case.flows``, and the number of all rows.
    columns : Columns
    calls : int
        Dispatches solved so far.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self._rows = [_rows_used(item.capability, item.units_max) for item in case.flows]
        counts = [rows.shape[0] for rows in self._rows]
        self.row_start = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)
        self._series = Series(
            case.steps,
            float(case.step_h),
            _side_by_side([r.yield_mw_per_mw for r in case.resources]).ravel(),
            _side_by_side([case.load_mw]).ravel(),
            side_by_side(np.append(case.usable[0], case.usable[:-1]), float(case.usable[-1])),
            float(case.usable[-1]),
            float(case.eta_charge),
            float(case.eta_discharge),
            np.concatenate([np.zeros((0, case.steps)), *self._rows]).T.ravel(),
            np.repeat([float(item.unit_mw) for item in case.flows], counts),
            self.row_start,
            side_by_side(_active_levels(case)).ravel(),
            len(case.supplies),
        )
        self._blocks = _blocks(case)
        self._slopes = 2 * (case.priced + len(case.tiers)) + 1
        self._memory = _memory(_padded(case.steps), self._slopes)
        self._flow = np.empty((len(counts), _padded(case.steps)))
        self._units: FloatArray | None = None
        self.columns = Columns(len(case.resources), self.rows)
        self.calls = 0

    def copy(self) -> Oracle:
        """Give an oracle of the same case that may run while this one does."""
        twin = copy.copy(self)
        twin._memory = _memory(self._memory.slope.size, self._slopes)
        twin._flow, twin._units = np.empty_like(self._flow), None
        twin.calls = 0
        return twin

    @property
    def rows(self) -> int:
        """Number of capability rows over all flows."""
        return int(self.row_start[-1])

    def point(self, plant: Plant) -> Point:
        """Spread the unit counts of a plant over the capability rows."""
        units = np.zeros(self.rows)
        for k, count in enumerate(plant.counts):
            first, last = self.row_start[k], self.row_start[k + 1]
            built = np.clip(count - np.arange(last - first, dtype=float), 0.0, 1.0)
            built[-1] = max(0.0, float(count - (last - first - 1)))  # the last row serves all further units
            units[first:last] = built
        return Point(np.array(plant.resources_mw, dtype=float), plant.battery_mwh, plant.battery_mw, units)

    def counts(self, point: Point) -> list[float]:
        """Units of each of ``Case.flows``, which may be fractional."""
        ends = self.row_start.tolist()
        return [float(point.units[a:b].sum()) for a, b in pairwise(ends)]

    def run(self, point: Point, order: Order) -> Run | NoDispatch:
        """Least-cost dispatch: totals and subgradients.

        Parameters
        ----------
        point : Point
        order : Order

        Returns
        -------
        Run or NoDispatch
        """
        path = self._passes(point, order, record=False)
        return path if isinstance(path, NoDispatch) else path.run

    def dispatch(self, point: Point, order: Order) -> Dispatch:
        """Least-cost dispatch as time series.

        Raises
        ------
        ValueError
            When the battery cannot end full.
        """
        outputs = self._recorded(point, order)
        flow = in_sequence(self._flow, self.case.steps)
        return _dispatch_of(self.case, point, order, outputs.stored, flow)

    def prices(self, point: Point, prices: FloatArray) -> PricePath:
        """Price paths at a price vector; with them the dual value equals the least cost.

        Raises
        ------
        ValueError
            When the battery cannot end full.
        """
        order = order_of(self.case, prices)
        outputs = self._recorded(point, order)
        by_rank = np.append(block_prices(self.case, prices)[order.rank_block], 0.0)  # [-1]: a price of zero
        stored = slope_values(self.case, order, prices)[outputs.slope]
        return PricePath(by_rank[outputs.bus_rank] * outputs.bus_factor, stored)

    def _recorded(self, point: Point, order: Order) -> Outputs:
        path = self._passes(point, order, record=True)
        if isinstance(path, NoDispatch):
            message = "no dispatch ends with a full battery"
            raise ValueError(message)  # noqa: TRY004
        return path.outputs

    def _passes(self, point: Point, order: Order, *, record: bool) -> _Path | NoDispatch:
        self.calls += 1
        self._set_flow(point)
        plant = Capacities(
            np.array(point.resources_mw, dtype=np.float64),
            float(point.battery_mwh),
            float(point.battery_mw),
            self._flow.ravel(),
        )
        tables, memory = self._tables(order), self._memory
        if record:
            memory = memory._replace(recorded=np.empty(memory.slope.size * (self._slopes + 1)))
        why, step = backward(self._series, plant, tables, memory)
        if why:
            return NoDispatch(self._feasibility_cut(point, why, step))
        size, components = self.case.steps if record else 0, self.case.priced + len(self.case.classes)
        outputs = Outputs(
            np.zeros(components),
            np.zeros((components, self.columns.count)),
            np.empty(size),
            np.empty(size, dtype=np.int64),
            np.empty(size),
            np.empty(size, dtype=np.int64),
        )
        forward(self._series, plant, tables, memory, outputs)
        years = self.case.years
        return _Path(Run(order, outputs.totals / years, outputs.cut / years), outputs)

    def _set_flow(self, point: Point) -> None:
        """Fill in what each flow can give or take in each step, where its units have changed. [MW]"""
        known, self._units = self._units, point.units.copy()
        for k, item in enumerate(self.case.flows):
            rows = slice(self.row_start[k], self.row_start[k + 1])
            if known is not None and np.array_equal(known[rows], point.units[rows]):
                continue
            size = point.units[rows] * item.unit_mw
            built = int(np.flatnonzero(size).max(initial=-1)) + 1
            # No product of matrices: threads of BLAS wait in a loop, on the cores that other work wants
            self._flow[k] = side_by_side(np.einsum("i,it->t", size[:built], self._rows[k][:built]))

    def _tables(self, order: Order) -> Tables:
        flow, level, component = (column[order.rank_block] for column in self._blocks[:3])
        width, weight = (column[order.rank_block] for column in self._blocks[3:])
        slope = np.arange(order.slope_rank.size)[:, np.newaxis]
        return Tables(
            flow,
            level,
            width,
            weight,
            component,
            order.slope_rank,
            order.slope_charges,
            np.count_nonzero(order.charge_slope > slope, axis=1),
            np.count_nonzero(order.discharge_slope > slope, axis=1),
        )

    def _feasibility_cut(self, point: Point, why: int, step: int) -> FloatArray:
        """Linear condition that the point breaks and every workable plant meets.

        A battery that must be full after the last step needs, from any step on, more charge than power
        limit and supply allow together; each step contributes the smaller of its two limits at this point.
        """
        case, columns = self.case, self.columns
        cut = np.zeros(columns.count)
        tail = slice(step, None)
        if why == LATE_CHARGE:
            before = case.usable[step - 1] if step else case.usable[0]
            weather = sum_of_resources(case, point.resources_mw)
            supplies = len(case.supplies)
            supply = (weather + in_sequence(self._flow[:supplies], case.steps).sum(axis=0))[tail]
            by_power = supply >= point.battery_mw
            gain = case.step_h * case.eta_charge
            cut[columns.battery_mwh] = case.usable[-1] - before
            cut[columns.battery_mw] = -gain * np.count_nonzero(by_power)
            for r, item in enumerate(case.resources, start=FIRST_RESOURCE):
                cut[r] = -gain * item.yield_mw_per_mw[tail][~by_power].sum()
            able = np.array([float(row[tail][~by_power].sum()) for rows in self._rows for row in rows])
            able[self.row_start[supplies] :] = 0.0  # a sink gives nothing
            cut[columns.first_row :] = -gain * self._series.row_mw * able
        else:
            cut[columns.battery_mwh] = case.usable[0] - case.usable[step]
            cut[columns.battery_mw] = -(step + 1) * case.step_h / case.eta_discharge
        return cut


def _memory(steps: int, slopes: int) -> Memory:
    edges = (slopes + 1) * LANES
    first, final, slope = np.empty((3, steps), dtype=np.int16)
    return Memory(
        first,
        final,
        slope,
        np.empty(edges),
        np.empty((steps // LANES // ROWS_APART + 1) * edges),
        np.empty(0),
    )


def _padded(steps: int) -> int:
    return -(-steps // LANES) * LANES


def _rows_used(capability: FloatArray, units_max: float) -> FloatArray:
    rows: FloatArray = np.atleast_2d(capability)
    return rows if rows.shape[0] == 1 else rows[: max(1, int(units_max))]


def _active_levels(case: Case) -> NDArray[np.int16]:
    """Which level of each flow holds in each step, shape (flows, T)."""
    active = np.zeros((len(case.flows), case.steps), dtype=np.int16)
    for row, item in zip(active, case.flows, strict=True):
        if item.active_level is not None:
            row[:] = item.active_level
    return active


def _blocks(case: Case) -> tuple[IntArray, IntArray, IntArray, FloatArray, FloatArray]:
    """Flow, level, price component, width and weight of each block: levels of flows, then tiers."""
    levels = [(k, i) for k, item in enumerate(case.flows) for i in range(len(item.levels))]
    always = [len(item.levels) == 1 and item.active_level is None for item in case.flows]
    tiers = case.tiers
    return (
        np.array([k for k, _ in levels] + [-1] * len(tiers), dtype=np.int64),
        np.array([-1 if always[k] else i for k, i in levels] + [-1] * len(tiers), dtype=np.int64),
        np.array([*range(len(levels)), *(len(levels) + tier.load_class for tier in tiers)], dtype=np.int64),
        np.array([0.0] * len(levels) + [tier.width for tier in tiers]),
        np.array([1.0] * len(levels) + [tier.weight for tier in tiers]),
    )


def _dispatch_of(
    case: Case, point: Point, order: Order, stored: FloatArray, capacity: FloatArray
) -> Dispatch:
    """Fill in the rest of a dispatch from its stored energy, blocks in merit order."""
    before = np.concatenate([[point.battery_mwh * case.usable[0]], stored[:-1]])
    change = stored - before
    charge = np.maximum(change, 0.0) / (case.step_h * case.eta_charge)
    discharge = np.maximum(-change, 0.0) * case.eta_discharge / case.step_h
    supplies, classes = len(case.supplies), len(case.classes)
    demand = case.load_mw + capacity[supplies:].sum(axis=0) if case.sinks else case.load_mw
    missing = demand - sum_of_resources(case, point.resources_mw) + charge - discharge
    curtailed = np.maximum(-missing, 0.0)
    missing = np.maximum(missing, 0.0)
    used_mw, shed, lost = np.zeros_like(capacity), np.zeros(case.steps), np.zeros((classes, case.steps))
    safe_load = np.where(case.load_mw > 0.0, case.load_mw, 1.0)
    blocks = [(k, i) for k, item in enumerate(case.flows) for i in range(len(item.levels))]
    for block in order.rank_block.tolist():
        if block < len(blocks):
            k, level = blocks[block]
            active = case.flows[k].active_level
            offered = capacity[k] if active is None else np.where(active == level, capacity[k], 0.0)
            used = np.minimum(missing, offered if active is not None or level == 0 else 0.0)
            used_mw[k] += used
        else:
            tier = case.tiers[block - len(blocks)]
            used = np.minimum(missing, tier.width * case.load_mw)
            shed += used
            lost[tier.load_class] += tier.weight * used / safe_load
        missing = missing - used
    shed += missing  # rounding of the widths may leave 1e-13 MW: keep the balance exact
    backup, imports, missed = np.split(used_mw, [len(case.backup), supplies])
    return Dispatch(
        curtailed,
        charge,
        discharge,
        shed,
        stored,
        backup,
        lost.sum(axis=0),
        lost_by_class=lost if classes > 1 else None,
        import_mw=imports if case.imports else None,
        taken_mw=capacity[supplies:] - missed if case.sinks else None,
    )


def _side_by_side(series: Sequence[FloatArray] | FloatArray) -> FloatArray:
    return side_by_side(np.array(series, dtype=np.float64))
