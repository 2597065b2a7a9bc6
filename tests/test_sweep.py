"""Sweeps: each answer equals a solve of its own, cuts of the pool stay valid, and curves have their shape."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from sitedesign.case.case import Case
from sitedesign.errors import InputError
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.optimize.parametric import frontier, tradeoff
from tests.cases import year_case


@pytest.fixture(scope="module")
def year() -> Case:
    return year_case(years=1, seed=5)


def costs(points):
    return [point.sizing.objective_usd_per_yr for point in points]


@pytest.mark.parametrize(
    ("over", "values"),
    [
        ("uptime", [0.99, 0.999, 0.9999]),
        ("min_renewable_share", [0.3, 0.6, 0.8]),
        ("battery_cost_usd_per_mwh_yr", [11e3, 22e3, 44e3]),
        ("land_acres", [300.0, 900.0]),
    ],
)
def test_each_answer_equals_a_solve_of_its_own(year, over, values):
    points = frontier(year, over, values)
    for value, point in zip(values, points, strict=True):
        if over == "uptime":
            racks = max(year.racks_max, point.sizing.plant.racks + 1)
            alone = dataclasses.replace(year, uptime_target=value, racks_max=racks)
        elif over.endswith("_yr"):
            alone = dataclasses.replace(year, **{over: value})
        else:
            alone = dataclasses.replace(year, limits=dataclasses.replace(year.limits, **{over: value}))
        own = solve_cuts(alone, gap=1e-4)
        assert point.value == value
        assert point.sizing.stopped_by == "gap"
        assert point.sizing.gap <= 1e-4
        assert point.sizing.bound_usd_per_yr <= own.objective_usd_per_yr * (1 + 1e-9)
        assert own.bound_usd_per_yr <= point.sizing.objective_usd_per_yr * (1 + 1e-9)


def test_uptime_costs_more_and_more(year):
    points = frontier(year, "uptime", 1 - np.logspace(-2, -4.5, 8))
    for cheaper, dearer in pairwise(points):
        assert dearer.sizing.objective_usd_per_yr >= cheaper.sizing.bound_usd_per_yr
    assert costs(points)[-1] > 1.01 * costs(points)[0]


def test_impossible_values_are_rows_with_a_reason(year):
    nothing = dataclasses.replace(year, backup=())
    points = frontier(nothing, "land_acres", [10.0, 50_000.0])
    assert points[0].sizing is None
    assert points[0].reason == "no plant within the limits meets the budgets"
    assert points[1].sizing is not None


def test_a_callable_may_vary_anything_but_the_data(year):
    def dearer_fuel(case, factor):
        backup = tuple(
            dataclasses.replace(b, marginal_cost_usd_per_mwh=b.marginal_cost_usd_per_mwh * factor)
            for b in case.backup
        )
        return dataclasses.replace(case, backup=backup)

    points = frontier(year, dearer_fuel, [1.0, 1.5, 2.0])
    burnt = [sum(point.sizing.backup_mwh_per_yr) for point in points]
    assert costs(points) == sorted(costs(points))
    assert burnt[2] < 0.8 * burnt[0]
    alone = solve_cuts(dearer_fuel(year, 2.0))
    assert costs(points)[2] == pytest.approx(alone.objective_usd_per_yr, rel=1e-4)
    with pytest.raises(ValueError, match="cut pool belongs to other"):
        frontier(
            year,
            lambda case, sun: case.with_resource(yield_mw_per_mw=case.resources[0].yield_mw_per_mw * sun),
            [0.9],
        )


def test_a_sweep_needs_far_fewer_dispatches_than_separate_solves(year):
    values = 1 - np.logspace(-2, -4, 10)
    pool = CutPool(year)
    frontier(year, "uptime", values, cut_pool=pool)
    separate = 0
    for value in values[[0, 5, 9]]:
        own = CutPool(year)
        solve_cuts(dataclasses.replace(year, uptime_target=value, racks_max=760), cut_pool=own)
        separate += own.search.oracle.calls
    assert pool.search.oracle.calls < 0.5 * separate / 3 * 10


def test_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(InputError, match="Did you mean 'min_renewable_share'"):
        frontier(year_case(years=1, seed=5), "renewable_share", [0.5])


def test_tradeoff_passes_through_the_optimum_and_rises_on_both_sides(year):
    """Along the curve uptime is the same; panels replace battery and fuel, and the optimum is broad."""
    best = solve_cuts(year)
    points = tradeoff(year, points=7)
    sizes = [point.value for point in points]
    cost = costs(points)
    assert sizes == sorted(sizes)
    assert sizes[0] == pytest.approx(best.plant.solar_mw / 2, rel=0.02)
    assert min(cost) == pytest.approx(best.objective_usd_per_yr, rel=2e-4)
    least = int(np.argmin(cost))
    assert 0 < least < 6
    assert cost[0] > cost[least] * 1.01
    assert cost[-1] > cost[least] * 1.01
    for point in points:
        assert point.sizing.plant.solar_mw == pytest.approx(point.value)
        assert point.sizing.lost_mwh_per_yr <= (1 - year.uptime_target) * year.load_mwh_per_yr


def test_tradeoff_without_backup_trades_panels_for_battery(year):
    """More panels need less battery for the same uptime: the iso-uptime curve falls."""
    nothing = dataclasses.replace(year, backup=())
    best = solve_cuts(nothing)
    sizes = best.plant.solar_mw * np.array([0.8, 1.0, 1.3, 1.8])
    points = tradeoff(nothing, sizes)
    energy = [point.sizing.plant.battery_mwh for point in points]
    assert energy == sorted(energy, reverse=True)
    assert energy[-1] < 0.8 * energy[0]
