"""The fast solver against the hour-by-hour model, enumeration, and its own promises."""

from __future__ import annotations

import contextlib
import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sitedesign.case.case import Case
from sitedesign.case.plant import Plant
from sitedesign.case.rack_shortfall import expected_shortfall
from sitedesign.case.years import with_series
from sitedesign.errors import InfeasibleDesign, NotProvenOptimal
from sitedesign.optimize.annual_budgets import budgets_of
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.optimize.dispatch_oracle import NoDispatch
from sitedesign.optimize.extensive_form import annual_cost_usd, solve_extensive
from sitedesign.optimize.foresight_dispatch import foresight
from sitedesign.reliability.replay import check_dispatch
from tests import cases
from tests.cases import year_case
from tests.hand_cases import engines, night
from tests.slow_rest import slow_after
from tests.small_cases import least_cost, random_point, solved_both_ways, study


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_cuts_equal_extensive_and_each_plant_is_feasible_for_the_other(seed):
    case = study(seed)
    solved = solved_both_ways(case)
    if solved is None:
        return
    fast, reference = solved
    assert fast.objective_usd_per_yr >= reference.bound_usd_per_yr * (1 - 1e-6)
    assert reference.objective_usd_per_yr >= fast.bound_usd_per_yr * (1 - 1e-6)
    # its own promises, recomputed by code that shares nothing with it
    replay = check_dispatch(case, fast.plant, fast.dispatch, must_end_full=True)
    assert replay.balance_residual_mw < 1e-9
    assert replay.rack_uptime >= case.uptime_target
    assert replay.objective_usd_per_yr == pytest.approx(fast.objective_usd_per_yr, rel=1e-9)
    assert annual_cost_usd(case, fast.plant, fast.backup_mwh_per_yr, fast.lost_mwh_per_yr) == pytest.approx(
        fast.objective_usd_per_yr, rel=1e-9
    )
    # the fast plant in the hour-by-hour model: feasible, and no cheaper to run
    there = solve_extensive(case, fixed=fast.plant, gap=1e-6, explain_infeasible=False)
    assert there.objective_usd_per_yr == pytest.approx(fast.objective_usd_per_yr, rel=1e-5)
    # and the other way round, a hair above the solver's tolerance
    plant = reference.plant
    larger = dataclasses.replace(
        plant,
        resources_mw=(plant.solar_mw * (1 + 1e-6),),
        battery_mwh=plant.battery_mwh * (1 + 1e-6) + 1e-6,
        battery_mw=plant.battery_mw * (1 + 1e-6) + 1e-6,
    )
    lost = foresight(case, larger).lost_compute @ case.load_mw / case.load_mw.sum()
    lost += expected_shortfall(case.racks_contracted, plant.racks, case.rack_availability)
    assert lost <= 1 - case.uptime_target + 1e-6


@pytest.mark.parametrize("seed", slow_after(2, range(8)))
def test_pooled_cuts_lie_below_the_truth_at_random_points(seed):
    """Every cut a solve has made, at points and prices that had no part in it."""
    case = study(seed)
    pool = CutPool(case)
    with contextlib.suppress(InfeasibleDesign):
        solve_cuts(case, cut_pool=pool, explains=False)
    rng, oracle = np.random.default_rng(seed), pool.search.oracle
    totals = len(case.backup) + 1
    assert pool.count > 0
    for _ in range(10):
        point = random_point(rng, oracle)
        for number in rng.integers(0, pool.count, 5).tolist():
            row, lower = pool.row(number)
            truth = least_cost(case, oracle, point, row[:totals])
            if truth < np.inf:
                assert truth + row[totals:] @ point.vector >= lower - 1e-7 * max(1.0, abs(truth), abs(lower))


@pytest.mark.parametrize("seed", range(30))
def test_operating_cost_is_proven_by_one_of_its_own_cuts(seed):
    """Primal equals dual to 1e-7: the mixture's cost, and the cut at the best prices less priced budgets."""
    case = study(seed)
    pool = CutPool(case)
    rng, budgets = np.random.default_rng(seed), budgets_of(case, 0.0)
    for _ in range(5):
        point = random_point(rng, pool.search.oracle)
        operation = pool.search.operate(point, budgets)
        if not operation.feasible or len(budgets.limit) > 1:
            continue
        assert np.all(budgets.rows @ operation.totals <= budgets.limit)
        proofs = [0.0]
        for cut in operation.cuts:
            if np.array_equal(cut.prices[:-1], budgets.cost[:-1]):
                value = cut.coefficients @ np.append(1.0, point.vector)
                proofs.append(value - cut.prices[-1] * budgets.limit[0])
        assert max(proofs) == pytest.approx(operation.cost_usd_per_yr, rel=1e-7, abs=1e-4)


@pytest.mark.parametrize("seed", slow_after(3, [1, 15, 50, 5, 7, 13]))
def test_brute_force_over_units_and_racks(seed):
    """Fixing the counts one by one and solving for sun and battery never beats the mixed-integer answer."""
    case = study(seed, uptime_target=0.97, rack_availability=0.97, racks_max=13)
    case = dataclasses.replace(
        case, backup=tuple(dataclasses.replace(b, units_max=2) for b in case.backup[:1])
    )
    if case.limits.min_renewable_share is not None and not case.backup:
        case = dataclasses.replace(case, limits=dataclasses.replace(case.limits, min_renewable_share=None))
    best = np.inf
    for units in range(3 if case.backup else 1):
        for racks in range(10, 14):
            counted = tuple(dataclasses.replace(b, units_min=units, units_max=units) for b in case.backup)
            lost = float(expected_shortfall(10, racks, case.rack_availability))
            held = dataclasses.replace(
                case,
                backup=counted,
                racks_contracted=10,
                racks_max=10,
                rack_availability=1.0,
                uptime_target=case.uptime_target + lost,
            )
            if held.uptime_target > 1:
                continue
            try:
                found = solve_cuts(held, gap=1e-6, explains=False).objective_usd_per_yr
            except InfeasibleDesign:
                continue
            best = min(best, found + (racks - 10) * case.rack_cost_usd_per_yr)
    if best == np.inf:
        with pytest.raises(InfeasibleDesign):
            solve_cuts(case, explains=False)
    else:
        assert solve_cuts(case, gap=1e-6).objective_usd_per_yr == pytest.approx(best, rel=4e-6)


@pytest.fixture(scope="module")
def year() -> Case:
    return year_case(years=1, seed=3)


@pytest.fixture(scope="module")
def answer(year):
    return solve_cuts(year, gap=1e-5)


def test_a_year_is_solved_to_its_gap_and_replays(year, answer):
    assert answer.stopped_by == "gap"
    assert 0 <= answer.gap <= 1e-5
    replay = check_dispatch(year, answer.plant, answer.dispatch, must_end_full=True)
    assert replay.rack_uptime >= year.uptime_target
    assert replay.objective_usd_per_yr == pytest.approx(answer.objective_usd_per_yr, rel=1e-9)


def test_higher_target_is_never_cheaper(year, answer):
    stricter = solve_cuts(dataclasses.replace(year, uptime_target=0.9995, racks_max=740), gap=1e-5)
    assert stricter.objective_usd_per_yr >= answer.bound_usd_per_yr
    # the price of uptime is the slope of the convex relaxation; between whole units it is at least positive
    assert answer.uptime_price_usd_per_mwh > 0


def test_dearer_battery_never_buys_more_battery(year, answer):
    """Revealed preference, exact up to the gaps: (new price - old price) * (new size - old size) <= gaps."""
    dearer = dataclasses.replace(year, battery_cost_usd_per_mwh_yr=1.5 * year.battery_cost_usd_per_mwh_yr)
    other = solve_cuts(dearer, gap=1e-5)
    price = 0.5 * year.battery_cost_usd_per_mwh_yr
    slack = 1e-5 * (answer.objective_usd_per_yr + other.objective_usd_per_yr)
    assert price * (other.plant.battery_mwh - answer.plant.battery_mwh) <= slack


def test_more_sun_never_costs_more(year, answer):
    sunnier = year.with_resource(yield_mw_per_mw=year.resources[0].yield_mw_per_mw * 1.05)
    assert solve_cuts(sunnier, gap=1e-5).bound_usd_per_yr <= answer.objective_usd_per_yr


def test_price_of_uptime_predicts_the_cost_of_a_little_less_downtime(year, answer):
    """With counts held, cost is convex in the budget: its slope lies between two finite differences."""
    held = tuple(
        dataclasses.replace(b, units_min=n, units_max=n)
        for b, n in zip(year.backup, answer.plant.units, strict=True)
    )
    lost = float(expected_shortfall(year.racks_contracted, answer.plant.racks, year.rack_availability))
    base = dataclasses.replace(
        year, backup=held, rack_availability=1.0, racks_max=700, uptime_target=year.uptime_target + lost
    )
    step = 0.1 * (1 - base.uptime_target)
    costs = [
        solve_cuts(dataclasses.replace(base, uptime_target=base.uptime_target + k * step), gap=1e-6)
        for k in (-1, 0, 1)
    ]
    down, middle, up = (s.objective_usd_per_yr for s in costs)
    mwh = step * year.load_mwh_per_yr
    tolerance = 2e-6 * middle / mwh
    assert (
        (middle - down) / mwh - tolerance
        <= costs[1].uptime_price_usd_per_mwh
        <= (up - middle) / mwh + tolerance
    )


def test_warm_start_and_pool_shorten_the_search(year, answer):
    pool = CutPool(year)
    first = solve_cuts(year, cut_pool=pool)
    calls = pool.search.oracle.calls
    again = solve_cuts(year, cut_pool=pool, warm_start=first.plant)
    assert again.objective_usd_per_yr == pytest.approx(answer.objective_usd_per_yr, rel=1e-4)
    assert pool.search.oracle.calls - calls < calls / 3


def other_years(year):
    """Other data by what a cut has to mind: multiples, less and more in some steps, another unit."""
    sun = year.resources[0].yield_mw_per_mw
    noon = np.arange(year.steps) % 24 < 12
    (first, *others) = year.backup
    return [
        year.with_resource(yield_mw_per_mw=sun * 0.9),
        year.with_resource(yield_mw_per_mw=sun * np.where(noon, 1.05, 0.97)),
        dataclasses.replace(year, load_mw=year.load_mw * 1.1),
        dataclasses.replace(year, load_mw=year.load_mw * np.where(noon, 0.95, 1.02)),
        dataclasses.replace(year, usable=year.usable * 0.8),
        dataclasses.replace(year, backup=(dataclasses.replace(first, unit_mw=first.unit_mw * 0.7), *others)),
        dataclasses.replace(
            year, backup=(dataclasses.replace(first, capability=first.capability * 0.97), *others)
        ),
    ]


@pytest.mark.parametrize("which", range(7))
def test_cuts_carried_to_other_data_leave_out_no_plant_of_it(year, which):
    """Every carried cut against dispatches of the other data at many plants; and the answer of both ways."""
    other, pool = other_years(year)[which], CutPool(year)
    found = solve_cuts(year, cut_pool=pool)
    carried = pool.carried_to(other)
    assert carried.count == pool.count
    oracle, rng = carried.search.oracle, np.random.default_rng(1)
    centre = oracle.point(found.plant).vector
    (ladder,) = pool.search._ladders.values()
    orders = [ladder.order(rung) for rung in (0, ladder.last)]
    closest = np.inf
    for _ in range(12):
        point = oracle.columns.point(centre * rng.uniform(0.6, 1.4, centre.size))
        for order in orders:
            run = oracle.run(point, order)
            if isinstance(run, NoDispatch):
                continue
            missing = carried.missing(run.totals, point.vector)
            assert missing.max() < 1e-6
            closest = min(closest, -missing.max())
    assert closest < 20.0  # of 10,000: they say something
    fresh = solve_cuts(other)
    again = solve_cuts(other, cut_pool=carried, warm_start=found.plant, relaxes=False)
    assert again.bound_usd_per_yr <= fresh.objective_usd_per_yr * (1 + 1e-7)
    assert fresh.bound_usd_per_yr <= again.objective_usd_per_yr * (1 + 1e-7)


def test_no_cut_is_carried_where_it_says_nothing(year):
    pool = CutPool(year)
    assert pool.carried_to(dataclasses.replace(year, eta_charge=0.9 * year.eta_charge)) is None
    night = year.with_resource(yield_mw_per_mw=year.resources[0].yield_mw_per_mw + 0.1)
    assert pool.carried_to(night) is None
    fading = dataclasses.replace(year, usable=year.usable * np.linspace(1.0, 0.9, year.steps))
    assert pool.carried_to(fading) is None


def test_a_copied_pool_leaves_its_model_alone(year):
    pool = CutPool(year)
    first = solve_cuts(year, cut_pool=pool)
    count, calls = pool.count, pool.search.oracle.calls
    solve_cuts(dataclasses.replace(year, uptime_target=0.9), cut_pool=pool.copy())
    assert (pool.count, pool.search.oracle.calls) == (count, calls)
    again = pool.copy()
    solve_cuts(year, cut_pool=again, warm_start=first.plant)
    assert again.search.oracle.calls < calls / 3


def test_pool_of_other_data_is_refused(year):
    other = year.with_resource(yield_mw_per_mw=year.resources[0].yield_mw_per_mw * 0.9)
    with pytest.raises(ValueError, match="cut pool belongs to other"):
        solve_cuts(other, cut_pool=CutPool(year))


def test_limits_are_reported_and_carry_a_bound(year, answer):
    with pytest.raises(NotProvenOptimal) as caught:
        solve_cuts(year, iteration_limit=3)
    assert 0 < caught.value.bound_usd_per_yr <= answer.objective_usd_per_yr
    stopped = solve_cuts(year, gap=1e-9, iteration_limit=30)
    assert stopped.stopped_by == "iteration_limit"
    assert (
        stopped.bound_usd_per_yr <= answer.objective_usd_per_yr <= stopped.objective_usd_per_yr * (1 + 1e-5)
    )
    with pytest.raises(NotProvenOptimal, match="time limit"):
        solve_cuts(year, time_limit_s=1e-3)


def test_same_question_same_bytes(year, answer):
    again = solve_cuts(year, gap=1e-5)
    assert again.plant == answer.plant
    assert again.objective_usd_per_yr == answer.objective_usd_per_yr
    assert again.dispatch.stored_mwh.tobytes() == answer.dispatch.stored_mwh.tobytes()


def test_foresight_of_the_incumbent_costs_what_the_sizing_says(year, answer):
    replay = check_dispatch(year, answer.plant, foresight(year, answer.plant), must_end_full=True)
    assert replay.objective_usd_per_yr == pytest.approx(answer.objective_usd_per_yr, rel=1e-7)


def test_foresight_sheds_least_when_the_budget_is_out_of_reach(year):
    """A plant too small: no operation loses less, so the hour-by-hour model fails with a smaller budget."""
    days = slice(0, 240)
    case = with_series(year, lambda series: series[days])
    small = Plant((50.0,), 100.0, 30.0, (3, 1), 720)
    replay = check_dispatch(case, small, foresight(case, small), must_end_full=True)
    assert replay.rack_uptime < case.uptime_target

    def target(uptime):
        return dataclasses.replace(case, uptime_target=uptime)

    assert solve_extensive(target(replay.rack_uptime - 1e-7), fixed=small).stopped_by == "gap"
    with pytest.raises(InfeasibleDesign):
        solve_extensive(target(replay.rack_uptime + 1e-6), fixed=small, explain_infeasible=False)


def test_a_battery_that_cannot_refill_is_sized_away():
    """Usable energy that grows into the dark: the master learns by conditions, not by costs."""
    case = study(3, usable=np.linspace(0.6, 1.0, study(3).steps))
    pool = CutPool(case)
    fast = solve_cuts(case, gap=1e-6, cut_pool=pool)
    reference = solve_extensive(case, gap=1e-6)
    assert fast.objective_usd_per_yr == pytest.approx(reference.objective_usd_per_yr, rel=3e-6)
    assert not isinstance(foresight(case, fast.plant), NoDispatch)


@pytest.mark.parametrize("name", ["solar", "battery", "land", "units"])
def test_impossible_requests_are_explained_as_by_the_hour_by_hour_model(name):
    """Same worst spell, same binding limits, same smallest relaxations, word for word."""
    dark, motors = night().case, engines().case

    def limited(**limits):
        return cases.limited(dark, **limits)

    case = {
        "solar": limited(solar_mw=(0.0, 20.0), battery_mwh=(0.0, 30.0)),
        "battery": limited(battery_mwh=(0.0, 10.0)),
        "land": limited(land_acres=100.0),
        "units": dataclasses.replace(motors, backup=(dataclasses.replace(motors.backup[0], units_max=2),)),
    }[name]
    with pytest.raises(InfeasibleDesign) as reference:
        solve_extensive(case)
    with pytest.raises(InfeasibleDesign) as fast:
        solve_cuts(case)
    assert str(fast.value) == str(reference.value)
    assert fast.value.relaxations


def test_units_with_outages_of_their_own_are_built_in_order():
    """Three engines of 10 MW fail in a step of their own each: 30 MW without pause need a fourth."""
    steps = 6
    on = np.ones((5, steps))
    on[0, 1] = on[1, 2] = on[2, 3] = 0.0
    engine = cases.backup(steps, capability=on, annual_cost_usd_per_unit=1e5, units_max=5)
    nothing_else = dict.fromkeys(cases.SIZES, (0.0, 0.0))
    case = cases.case(np.zeros(steps), 30.0, backup=(engine,), uptime_target=1.0, limits=nothing_else)
    answer = solve_cuts(case)
    assert answer.plant.units == (4,)
    assert answer.backup_mwh_per_yr == (pytest.approx(180.0),)
    assert solve_extensive(case).plant.units == (4,)
