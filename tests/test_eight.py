"""Eight numbers side by side: as numpy has them; the dispatch recursion as one pass through time gives it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numba import njit

from sitedesign.optimize.dispatch_oracle import Oracle, Point
from sitedesign.optimize.merit_order import order_of
from sitedesign.util.eight import (
    LANES,
    equal,
    everywhere,
    in_sequence,
    larger,
    less,
    load_eight,
    side_by_side,
    smaller,
    store_eight,
)
from tests.small_cases import random_case


@njit
def _all_of(a, b, found, counted):
    x, y = load_eight(a, 2), load_eight(b, 1)
    number = 0
    for octet in (
        x + y,
        x - y,
        x * y,
        smaller(x, y),
        larger(x, y),
        less(x, y),
    ):
        store_eight(found, number, octet)
        number += LANES
    store_eight(found, number, equal(x, y) + everywhere(2.5))
    store_eight(counted, 1, less(x, y) * everywhere(3.0))


def test_octets_do_what_numpy_does_lane_by_lane():
    rng = np.random.default_rng(1)
    a, b = np.round(rng.normal(size=12), 1), np.round(rng.normal(size=12), 1)
    x, y = a[2:10], b[1:9]
    x[3] = y[3]
    found, counted = np.zeros(7 * LANES), np.zeros(10, dtype=np.int16)
    _all_of(a, b, found, counted)
    truth = [x + y, x - y, x * y, np.minimum(x, y), np.maximum(x, y), x < y, (x == y) + 2.5]
    assert found.tolist() == np.concatenate(truth).tolist()
    assert counted.tolist() == [0, *(3 * (x < y)), 0]


@pytest.mark.parametrize("steps", [1, 7, 8, 9, 64, 100])
def test_series_come_back_in_sequence(steps):
    series = np.arange(3.0 * steps).reshape(3, steps)
    beside = side_by_side(series, -1.0)
    rows = beside.shape[1] // LANES
    assert rows == -(-steps // LANES)
    assert beside[1, (steps - 1) % rows * LANES + (steps - 1) // rows] == series[1, -1]
    assert np.count_nonzero(beside == -1.0) == 3 * (rows * LANES - steps)
    assert np.array_equal(in_sequence(beside, steps), series)


def _stored_step_by_step(case, point, order):
    """Stored energy as one pass back through all steps and one forward give it."""
    gain, drain = case.step_h * case.eta_charge, case.step_h / case.eta_discharge
    net = case.load_mw.copy()
    for mw, item in zip(point.resources_mw, case.resources, strict=True):
        net -= mw * item.yield_mw_per_mw
    sizes = [n * item.unit_mw * item.capability[0] for n, item in zip(point.units, case.backup, strict=True)]
    sizes += [tier.width * case.load_mw for tier in case.tiers]
    under = np.cumsum([np.zeros(case.steps), *(sizes[block] for block in order.rank_block)], axis=0)
    charge, discharge = (
        gain * (np.minimum(np.maximum(under[-1], net), net + point.battery_mw) - net),
        0.0 * net,
    )
    shifts = [discharge - charge]
    for rank, charges in zip(order.slope_rank[:-1], order.slope_charges[:-1], strict=True):
        if charges:
            charge = gain * (np.minimum(np.maximum(under[rank], net), net + point.battery_mw) - net)
        else:
            discharge = drain * (net - np.maximum(np.minimum(under[rank], net), net - point.battery_mw))
        shifts.append(discharge - charge)
    shift = np.array([*shifts, np.full(case.steps, drain * point.battery_mw)]).T
    full = point.battery_mwh * np.append(case.usable[0], case.usable)
    edge, edges, moved = np.full(len(shift[0]), full[-1]), [], []
    for t in range(case.steps - 1, -1, -1):
        edges.append(edge)
        moved.append(edge + shift[t])
        edge = np.minimum(np.maximum(moved[-1], 0.0), full[t])
    stored, last, path = full[0], len(edge) - 2, []
    slope = last
    for t, (after, before) in enumerate(zip(reversed(edges), reversed(moved), strict=True)):
        past = before[1:-1] >= full[t] if t == 0 else before[1:-1] > full[t]
        first, final = np.count_nonzero(before[1:-1] < 0.0), last - np.count_nonzero(past)
        slope = min(max(slope, first), final)
        stored = min(max(stored - shift[t, slope], after[slope]), after[slope + 1])
        path.append(stored)
    return np.array(path)


@pytest.mark.parametrize("steps", [8 * 64 * 5, 4099])
@pytest.mark.parametrize("hours", [3.0, 60.0, 2000.0])
def test_stretches_side_by_side_are_one_pass_to_the_last_bit(steps, hours):
    rng = np.random.default_rng(int(hours))
    case = random_case(rng, steps=steps, technologies=2, tiers=2, ties=False)
    engines = tuple(dataclasses.replace(item, capability=item.capability[:1]) for item in case.backup)
    fade = case.usable if hours < 10.0 else np.linspace(1.0, 0.9, steps)
    case = dataclasses.replace(case, backup=engines, usable=fade)
    oracle = Oracle(case)
    peak = float(case.load_mw.max())
    sun = np.array([1.5 * peak for _ in case.resources])
    prices = np.array([item.marginal_cost_usd_per_mwh for item in case.backup] + [300.0])
    order = order_of(case, prices)
    for point in (
        Point(sun, 0.3 * peak * hours, 0.3 * peak, np.full(oracle.rows, 0.5)),
        Point(0.5 * sun, 0.1 * peak * hours, 0.1 * peak, np.full(oracle.rows, 2.0)),
    ):
        stored = oracle.dispatch(point, order).stored_mwh
        assert np.array_equal(stored, _stored_step_by_step(case, point, order))
        assert np.ptp(stored) > 0.0
