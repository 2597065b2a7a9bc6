"""The exact dispatch against a general linear program, and every bound it gives against the true cost."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from sitedesign.case.plant import Plant, sum_of_resources
from sitedesign.optimize.dispatch_oracle import NoDispatch, Oracle, Point
from sitedesign.optimize.merit_order import allows, order_of, slope_values
from tests import cases
from tests.small_cases import backup_mw, least_cost, random_case, random_point

SHED_PRICES = [0.5, 40.0, 90.0, 100.0, 300.0, 1e4]


def instance(seed):
    rng = np.random.default_rng(seed)
    case = random_case(
        rng,
        steps=int(rng.choice([1, 2, 5, 24, 48])),
        technologies=int(rng.integers(0, 4)),
        tiers=int(rng.integers(1, 4)),
        step_h=float(rng.choice([0.25, 0.5, 1.0])),
        ties=seed % 2 == 0,
    )
    prices = np.array([item.marginal_cost_usd_per_mwh for item in case.backup] + [rng.choice(SHED_PRICES)])
    return rng, case, Oracle(case), prices


@pytest.mark.parametrize("seed", range(60))
def test_cost_equals_linear_program_and_every_cut_lies_below_it(seed):
    rng, case, oracle, prices = instance(seed)
    order = order_of(case, prices)
    points = [random_point(rng, oracle) for _ in range(5)]
    truth = [least_cost(case, oracle, point, prices) for point in points]
    for point, value in zip(points, truth, strict=True):
        result = oracle.run(point, order)
        if isinstance(result, NoDispatch):
            assert value == np.inf
            assert result.cut @ np.append(1.0, point.vector) > 0.0
            for other, cost in zip(points, truth, strict=True):
                if cost < np.inf:
                    assert result.cut @ np.append(1.0, other.vector) <= 1e-9
            continue
        assert prices @ result.totals == pytest.approx(value, rel=1e-7, abs=1e-6)
        for other, cost in zip(points, truth, strict=True):
            assert prices @ result.cut @ np.append(1.0, other.vector) <= cost + 1e-7 * max(1.0, abs(cost))


@pytest.mark.parametrize("seed", range(60, 90))
def test_primal_equals_dual_per_component(seed):
    rng, case, oracle, prices = instance(seed)
    for _ in range(10):
        point = random_point(rng, oracle)
        result = oracle.run(point, order_of(case, prices))
        if not isinstance(result, NoDispatch):
            scale = max(1.0, float(np.abs(result.totals).max()))
            assert result.totals == pytest.approx(
                result.cut @ np.append(1.0, point.vector), abs=1e-12 * scale
            )


@pytest.mark.parametrize("seed", range(90, 130))
def test_recovered_prices_prove_the_cost(seed):
    """The dual objective, rebuilt here from the price paths alone, equals the primal cost to 1e-7."""
    rng, case, oracle, prices = instance(seed)
    point = random_point(rng, oracle)
    order = order_of(case, prices)
    result = oracle.run(point, order)
    if isinstance(result, NoDispatch):
        return
    path = oracle.prices(point, prices)
    bus, stored, h = path.bus_usd_per_mwh, path.stored_usd_per_mwh, case.step_h
    assert bus.min() >= 0.0
    dual = h * bus @ (case.load_mw - sum_of_resources(case, point.resources_mw))
    dual -= h * point.battery_mw * np.maximum(0, case.eta_charge * stored - bus).sum()
    dual -= h * point.battery_mw * np.maximum(0, bus - stored / case.eta_discharge).sum()
    for k, room in enumerate(backup_mw(case, oracle, point)):
        dual -= h * room @ np.maximum(0, bus - prices[k])
    for tier in case.tiers:
        dual -= h * tier.width * case.load_mw @ np.maximum(0, bus - prices[-1] * tier.weight)
    full = point.battery_mwh * case.usable
    dual -= full[:-1] @ np.maximum(0, np.diff(stored))
    dual += full[-1] * stored[-1] - full[0] * stored[0]
    assert dual / case.years == pytest.approx(prices @ result.totals, rel=1e-7, abs=1e-6)


@pytest.mark.parametrize("seed", range(130, 160))
def test_dispatch_is_feasible_and_costs_what_the_totals_say(seed):
    rng, case, oracle, prices = instance(seed)
    point, order = random_point(rng, oracle), order_of(case, prices)
    result = oracle.run(point, order)
    if isinstance(result, NoDispatch):
        with pytest.raises(ValueError, match="full battery"):
            oracle.dispatch(point, order)
        return
    d = oracle.dispatch(point, order)
    supply = sum_of_resources(case, point.resources_mw) - d.curtailed_mw + d.discharge_mw - d.charge_mw
    assert supply + d.backup_mw.sum(axis=0) + d.shed_mw == pytest.approx(case.load_mw, abs=1e-9)
    before = np.append(point.battery_mwh * case.usable[0], d.stored_mwh[:-1])
    change = case.step_h * (case.eta_charge * d.charge_mw - d.discharge_mw / case.eta_discharge)
    assert d.stored_mwh == pytest.approx(before + change, abs=1e-9)
    assert d.stored_mwh.min() >= 0.0
    assert np.all(d.stored_mwh <= point.battery_mwh * case.usable + 1e-9)
    assert d.stored_mwh[-1] == pytest.approx(point.battery_mwh * case.usable[-1], abs=1e-9)
    assert max(d.charge_mw.max(), d.discharge_mw.max()) <= point.battery_mw + 1e-9
    assert np.all(d.backup_mw <= backup_mw(case, oracle, point) + 1e-9)
    totals = [*d.backup_mw.sum(axis=1), (d.lost_compute * case.load_mw).sum()]
    assert np.array(totals) * case.step_h / case.years == pytest.approx(result.totals, abs=1e-8)


def test_battery_that_cannot_refill_is_infeasible_and_the_cut_says_how_much_is_missing():
    """Usable energy rises by 5 MWh over two sunless steps; without backup 2.5 MW of charging never comes."""
    case = dataclasses.replace(
        random_case(np.random.default_rng(0), steps=3, technologies=0, tiers=1),
        resources=(cases.resource(np.zeros(3)),),
        usable=np.array([0.5, 0.5, 1.0]),
        eta_charge=1.0,
        eta_discharge=1.0,
    )
    oracle = Oracle(case)
    result = oracle.run(Point(np.array([100.0]), 10.0, 2.0, np.zeros(0)), order_of(case, np.array([100.0])))
    assert isinstance(result, NoDispatch)
    assert result.cut.tolist() == [0.0, 0.0, 0.5, 0.0]  # half of any nameplate energy is missing, so E = 0


def test_fade_faster_than_discharge_is_infeasible():
    """20 % of 100 MWh must leave in the first step, but only 10 MW can."""
    case = dataclasses.replace(
        random_case(np.random.default_rng(0), steps=3, technologies=0, tiers=1),
        usable=np.array([1.0, 0.7, 0.7]),
        eta_charge=1.0,
        eta_discharge=1.0,
    )
    result = Oracle(case).run(
        Point(np.array([0.0]), 100.0, 10.0, np.zeros(0)), order_of(case, np.array([100.0]))
    )
    assert isinstance(result, NoDispatch)
    assert result.cut == pytest.approx([0.0, 0.0, 0.3, -2.0])


def test_three_step_plant_by_hand():
    """Two dark hours, then 11 MW of surplus sun that stores 9.9 MWh: the full battery lends just that much.

    It gives 8.91 MWh of the 20 MWh of dark load; engines give the rest, which set the price.
    """
    engine = cases.backup(3, unit_mw=5.0, marginal_cost_usd_per_mwh=100.0)
    case = cases.case([0.0, 0.0, 1.0], 10.0, eta_charge=0.9, eta_discharge=0.9, backup=(engine,))
    oracle = Oracle(case)
    order = order_of(case, np.array([100.0, 1000.0]))
    result = oracle.run(oracle.point(Plant((21.0,), 10.0, 20.0, (3,), 10)), order)
    assert result.totals[0] == pytest.approx(20.0 - 0.9 * 9.9)
    assert result.totals[1] == 0.0
    path = oracle.prices(oracle.point(Plant((21.0,), 10.0, 20.0, (3,), 10)), np.array([100.0, 1000.0]))
    assert path.bus_usd_per_mwh == pytest.approx([100.0, 100.0, 81.0])  # sun is worth what it saves later


def test_order_is_allowed_by_its_own_prices_and_refused_by_others():
    _, case, _, _ = instance(2)
    for seed in range(20):
        prices = np.random.default_rng(seed).uniform(0, 100, len(case.backup) + 1)
        order = order_of(case, prices)
        assert allows(case, order, prices)
        assert np.all(np.diff(slope_values(case, order, prices)) <= 0.0)
    if case.backup:
        order = order_of(case, np.append(np.full(len(case.backup), 50.0), 1e4))
        assert not allows(case, order, np.append(np.full(len(case.backup), 50.0), 1.0))
