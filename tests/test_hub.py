"""Many sources and sinks at one bus: the exact dispatch, its cuts and both models against each other."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sitedesign.case.dispatch import energy_by_level
from sitedesign.errors import InfeasibleDesign
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.dispatch_oracle import NoDispatch, Oracle
from sitedesign.optimize.extensive_form import solve_extensive
from sitedesign.optimize.merit_order import order_of
from sitedesign.optimize.primal_recovery import annual_cost_usd
from sitedesign.reliability.replay import check_dispatch, fixed_cost_usd_per_yr
from tests.hub_cases import hub
from tests.small_cases import least_cost, random_point

SHED_PRICES = [0.0, 40.0, 90.0, 100.0, 300.0, 1e4]


def some_prices(rng: np.random.Generator, case) -> np.ndarray:
    """Prices of a case's own levels, at times others, and of shed load."""
    own = np.array([level.usd_per_mwh for item in case.flows for level in item.levels])
    own = own if rng.random() < 0.5 else rng.choice([0.0, 50.0, 90.0, 100.0], own.size)
    return np.concatenate([own, rng.choice(SHED_PRICES, len(case.classes))])


@pytest.mark.parametrize("seed", range(120))
def test_dispatch_costs_what_a_linear_program_finds_and_every_cut_lies_below_it(seed):
    rng, case = np.random.default_rng(seed), hub(seed)
    oracle, prices = Oracle(case), some_prices(np.random.default_rng(seed), case)
    order = order_of(case, prices)
    points = [random_point(rng, oracle) for _ in range(5)]
    truth = [least_cost(case, oracle, point, prices) for point in points]
    for point, value in zip(points, truth, strict=True):
        result = oracle.run(point, order)
        if isinstance(result, NoDispatch):
            assert value == np.inf
            assert result.cut @ np.append(1.0, point.vector) > 0.0
            assert all(
                result.cut @ np.append(1.0, other.vector) <= 1e-9
                for other, cost in zip(points, truth, strict=True)
                if cost < np.inf
            )
            continue
        assert prices @ result.totals == pytest.approx(value, rel=1e-7, abs=1e-6)
        scale = max(1.0, float(np.abs(result.totals).max()))
        assert result.totals == pytest.approx(result.cut @ np.append(1.0, point.vector), abs=1e-11 * scale)
        for other, cost in zip(points, truth, strict=True):
            assert prices @ result.cut @ np.append(1.0, other.vector) <= cost + 1e-7 * max(1.0, abs(cost))
        dispatch = oracle.dispatch(point, order)
        energy = np.array(energy_by_level(case, dispatch))
        supplied = sum(len(item.levels) for item in case.supplies)
        assert energy[:supplied] == pytest.approx(result.totals[:supplied], abs=1e-8)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_cuts_equal_the_hour_by_hour_model(seed):
    case = hub(seed)
    try:
        reference = solve_extensive(case, gap=1e-6, explain_infeasible=False)
    except InfeasibleDesign:
        with pytest.raises(InfeasibleDesign):
            solve_cuts(case, explains=False)
        return
    fast = solve_cuts(case, gap=1e-6)
    # What sinks pay may make nothing of the whole: the parts are what tolerances are in proportion to
    size = abs(fast.objective_usd_per_yr) + fixed_cost_usd_per_yr(case, fast.plant) + 1.0
    assert fast.objective_usd_per_yr == pytest.approx(
        reference.objective_usd_per_yr, rel=3e-5, abs=1e-6 * size
    )
    assert fast.bound_usd_per_yr <= reference.objective_usd_per_yr + 1e-5 * size
    assert reference.bound_usd_per_yr <= fast.objective_usd_per_yr + 1e-5 * size
    for sizing in (fast, reference):
        replay = check_dispatch(case, sizing.plant, sizing.dispatch, must_end_full=True)
        assert replay.balance_residual_mw < 1e-6 * max(float(case.load_mw.max()), 1.0)
        for mine, uptime in zip(case.classes, replay.class_uptime, strict=True):
            assert uptime >= mine.uptime_target - 1e-6
        assert replay.objective_usd_per_yr == pytest.approx(
            sizing.objective_usd_per_yr, rel=1e-6, abs=1e-6 * size
        )
        cost = annual_cost_usd(case, sizing.plant, sizing.level_mwh_per_yr, sizing.lost_mwh_per_yr)
        assert cost == pytest.approx(sizing.objective_usd_per_yr, rel=1e-9, abs=1e-9 * size)
    hair = dataclasses.replace(  # above the solver's tolerance
        fast.plant,
        resources_mw=tuple(mw * (1 + 1e-6) for mw in fast.plant.resources_mw),
        battery_mwh=fast.plant.battery_mwh * (1 + 1e-6),
        battery_mw=fast.plant.battery_mw * (1 + 1e-6),
        imports=tuple(
            n if i.whole else n * (1 + 1e-6) for i, n in zip(case.imports, fast.plant.imports, strict=True)
        ),
    )
    there = solve_extensive(case, fixed=hair, gap=1e-6, explain_infeasible=False)
    assert there.objective_usd_per_yr == pytest.approx(fast.objective_usd_per_yr, rel=1e-5, abs=1e-6 * size)
