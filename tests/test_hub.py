"""Many sources and sinks at one bus: the exact dispatch, its cuts and both models against each other."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sitedesign.case.case import Case, CaseLimits, ImportCase, PriceLevel, SinkCase, Tier
from sitedesign.case.dispatch import energy_by_level
from sitedesign.case.plant import Plant
from sitedesign.errors import InfeasibleDesign, ReplayMismatch
from sitedesign.operation.operate import operate_greedy
from sitedesign.optimize.annual_budgets import budgets_of
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.optimize.dispatch_oracle import NoDispatch, Oracle
from sitedesign.optimize.extensive_form import solve_extensive
from sitedesign.optimize.foresight_dispatch import foresight
from sitedesign.optimize.merit_order import order_of
from sitedesign.optimize.primal_recovery import annual_cost_usd
from sitedesign.reliability.replay import check_dispatch, fixed_cost_usd_per_yr
from tests.benchmarks.test_hub_speed import hub_of_years
from tests.cases import backup
from tests.cases import case as case_of
from tests.hub_cases import hub
from tests.slow_rest import slow_after
from tests.small_cases import least_cost, random_point

SHED_PRICES = [0.0, 40.0, 90.0, 100.0, 300.0, 1e4]


def some_prices(rng: np.random.Generator, case) -> np.ndarray:
    """Prices of a case's own levels, at times others, and of shed load."""
    own = np.array([level.usd_per_mwh for item in case.flows for level in item.levels])
    own = own if rng.random() < 0.5 else rng.choice([0.0, 50.0, 90.0, 100.0], own.size)
    return np.concatenate([own, rng.choice(SHED_PRICES, len(case.classes))])


@pytest.mark.parametrize("seed", slow_after(40, range(120)))
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


@pytest.mark.parametrize("hubs", [20, pytest.param(300, marks=pytest.mark.slow)])
def test_cuts_equal_the_hour_by_hour_model(hubs):
    @settings(max_examples=hubs, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(seed=st.integers(0, 10**6))
    def equal(seed):
        check_both_formulations(seed)

    equal()


def check_both_formulations(seed):
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
            n if i.whole else min(n * (1 + 1e-6), i.units_max)
            for i, n in zip(case.imports, fast.plant.imports, strict=True)
        ),
    )
    there = solve_extensive(case, fixed=hair, gap=1e-6, explain_infeasible=False)
    # The hair costs up to 1e-6 of the plant itself
    assert there.objective_usd_per_yr == pytest.approx(fast.objective_usd_per_yr, rel=1e-5, abs=3e-6 * size)


# Statements that must hold ----------------------------------------------------------------------------------


def cost_of(case) -> float:
    return solve_cuts(case, gap=1e-7, explains=False).objective_usd_per_yr


@pytest.mark.parametrize("seed", slow_after(4, range(12)))
def test_a_level_split_in_two_of_the_same_price_changes_nothing(seed):
    rng, case = np.random.default_rng(seed), hub(3000 + seed)
    split = []
    for item in case.flows:
        levels = item.levels
        active = np.zeros(case.steps, dtype=int) if item.active_level is None else item.active_level
        moved = np.where((active == 0) & (rng.random(case.steps) < 0.5), len(levels), active)
        twin = dataclasses.replace(levels[0], name="twin")
        if hasattr(item, "other_levels"):
            changed = {"other_levels": (*item.other_levels, twin)}
        else:
            changed = {"levels": (*levels, twin)}
        split.append(dataclasses.replace(item, active_level=moved, **changed))
    backup, supplies = len(case.backup), len(case.supplies)
    other = dataclasses.replace(
        case,
        backup=tuple(split[:backup]),
        imports=tuple(split[backup:supplies]),
        sinks=tuple(split[supplies:]),
    )
    try:
        cost = cost_of(case)
    except InfeasibleDesign:
        with pytest.raises(InfeasibleDesign):
            cost_of(other)
        return
    assert cost_of(other) == pytest.approx(cost, rel=1e-6, abs=1e-4)


@pytest.mark.parametrize("seed", slow_after(4, range(12)))
def test_what_is_never_there_changes_nothing(seed):
    """A grid that never gives, a sink that never takes or pays nothing, a level that never holds."""
    case = hub(4000 + seed)
    nothing = np.zeros((1, case.steps))
    dead = ImportCase("dead", nothing, (PriceLevel("free", 0.0),), 0.0, 0.0, 0.0, 50.0)
    deaf = SinkCase("deaf", nothing, (PriceLevel("dear", 500.0),), 0.0, 9.0, 9.0)
    poor = SinkCase("poor", nothing + 1.0, (PriceLevel("nothing", 0.0),), 0.0, 9.0, 9.0)
    unheard = tuple(
        dataclasses.replace(item, levels=(*item.levels, PriceLevel("never", 0.0))) for item in case.imports
    )
    other = dataclasses.replace(case, imports=(*unheard, dead), sinks=(*case.sinks, deaf, poor))
    try:
        cost = cost_of(case)
    except InfeasibleDesign:
        with pytest.raises(InfeasibleDesign):
            cost_of(other)
        return
    found = solve_cuts(other, gap=1e-7)
    assert found.objective_usd_per_yr == pytest.approx(cost, rel=1e-6, abs=1e-4)
    assert found.level_mwh_per_yr[-2] == 0.0  # nothing for what never takes


@pytest.mark.parametrize("seed", range(12))
def test_a_free_grid_that_never_fails_makes_every_plant_empty(seed):
    case = dataclasses.replace(hub(5000 + seed), sinks=(), load_classes=(), delay_cost_usd_per_month_yr=0.0)
    case = dataclasses.replace(case, tiers=(Tier(1.0, 1.0),), limits=CaseLimits((0.0, 300.0), (0.0, 300.0)))
    grid = ImportCase("grid", np.ones((1, case.steps)), (PriceLevel("free", 0.0),), 0.0, 0.0, 0.0, 40.0)
    imports = tuple(dataclasses.replace(item, units_min=0.0) for item in case.imports)
    plant = solve_cuts(dataclasses.replace(case, imports=(*imports, grid))).plant
    assert plant.resources_mw == tuple(0.0 for _ in case.resources)
    assert (plant.battery_mwh, plant.battery_mw) == (0.0, 0.0)
    assert not any(plant.units)


@pytest.mark.parametrize("seed", slow_after(4, range(12)))
def test_more_connection_is_never_dearer(seed):
    case, costs = hub(6000 + seed), []
    for most in (0.0, 2.0, 5.0, 12.0):
        grid = ImportCase("grid", np.ones((1, case.steps)), (PriceLevel("p", 60.0),), 20.0, 0.0, 0.0, most)
        try:
            costs.append(cost_of(dataclasses.replace(case, imports=(*case.imports, grid))))
        except InfeasibleDesign:
            costs.append(np.inf)
    scale = max(1.0, *(abs(c) for c in costs if np.isfinite(c)), 1.0)
    assert all(more <= less + 1e-6 * scale for less, more in itertools.pairwise(costs))


# By hand ----------------------------------------------------------------------------------------------------


def island(hours: int = 4, **changes):
    """10 MW of load, no sun, ten engines of 1 MW at 60 USD/MWh that cost nothing to own."""
    engine = backup(hours, unit_mw=1.0, annual_cost_usd_per_unit=0.0, units_min=10, units_max=10)
    return case_of(np.zeros(hours), np.full(hours, 10.0), backup=(engine,), uptime_target=1.0, **changes)


def test_value_of_a_sink_between_two_marginal_costs_decides_who_feeds_it():
    """The engines have 10 MW, the grid 3 MW at 20 USD/MWh: 3 MW are worth selling at 50, nothing more.

    The load draws 3 MW from the grid and 7 from engines; to sell at 50 what an engine makes at 60 loses. At
    70 USD/MWh the 3 MW of engines that the grid sets free are sold.
    """
    grid = ImportCase("grid", np.ones((1, 4)), (PriceLevel("p", 20.0),), 0.0, 0.0, 3.0, 3.0)
    for value, sold in ((10.0, 0.0), (50.0, 0.0), (70.0, 3.0)):
        town = SinkCase("town", np.ones((1, 4)), (PriceLevel("v", value),), 0.0, 5.0, 5.0)
        found = solve_cuts(island(imports=(grid,), sinks=(town,)))
        engines, imported, taken = found.level_mwh_per_yr
        assert (engines, imported, taken) == pytest.approx((4 * (7 + sold), 12.0, 4 * sold))
        assert found.objective_usd_per_yr == pytest.approx(60 * engines + 20 * imported - value * taken)


def test_second_fuel_is_burnt_only_while_the_first_is_away():
    """One hour of four without gas: 10 MWh of diesel at 200 USD/MWh, 30 MWh of gas at 60."""
    c = island()
    diesel = (PriceLevel("diesel", 200.0, 0.7, 9.0),)
    engine = dataclasses.replace(c.backup[0], other_levels=diesel, active_level=np.array([0, 1, 0, 0]))
    found = solve_cuts(dataclasses.replace(c, backup=(engine,)))
    assert found.level_mwh_per_yr == pytest.approx((30.0, 10.0))
    assert found.backup_mwh_per_yr == pytest.approx((40.0,))
    assert found.objective_usd_per_yr == pytest.approx(30 * 60 + 10 * 200)
    replay = check_dispatch(c_with(c, engine), found.plant, found.dispatch, must_end_full=True)
    assert replay.co2_t_per_yr == pytest.approx(30 * 0.45 + 10 * 0.7)
    assert replay.fuel_mmbtu_per_yr == pytest.approx(30 * 8.5 + 10 * 9.0)


def c_with(c, engine):
    return dataclasses.replace(c, backup=(engine,))


def test_battery_buys_at_the_low_level_and_saves_the_high_one():
    """Two hours at 10, two at 100 USD/MWh, from a full lossless battery of 5 MWh and 5 MW that ends full.

    It gives 5 MWh in a dear hour and takes them back in the cheap one that comes last.
    """
    grid = ImportCase(
        "grid", np.ones((1, 4)), (PriceLevel("low", 10.0), PriceLevel("high", 100.0)), 0.0, 0.0, 15.0, 15.0,
        active_level=np.array([0, 1, 1, 0]),
    )  # fmt: skip
    c = dataclasses.replace(
        island(eta_charge=1.0, eta_discharge=1.0), backup=(), imports=(grid,),
        limits=CaseLimits(battery_mwh=(5.0, 5.0), battery_mw=(5.0, 5.0)),
        battery_cost_usd_per_mwh_yr=0.0, battery_cost_usd_per_mw_yr=0.0,
    )  # fmt: skip
    found = solve_cuts(c)
    assert found.level_mwh_per_yr == pytest.approx((25.0, 15.0))
    assert found.objective_usd_per_yr == pytest.approx(250 + 1500)


def test_size_of_a_sink_is_decided_by_what_it_earns():
    """Surplus engines of 6 MW at 60: racks worth 100 USD/MWh earn 40 x 4 h = 160 a MW-year, at 150 or 170."""
    for cost, size in ((150.0, 6.0), (170.0, 0.0)):
        c = island()
        engine = dataclasses.replace(c.backup[0], units_min=16, units_max=16)
        racks = SinkCase(
            "racks", np.ones((1, 4)), (PriceLevel("v", 100.0),), 2 * cost, 0, 5, unit_mw=2.0, whole=True
        )
        found = solve_cuts(dataclasses.replace(c, backup=(engine,), sinks=(racks,)))
        assert found.plant.sinks == (size / 2,)
        assert found.objective_usd_per_yr == pytest.approx(40 * 60 - size * (160 - cost))


def test_a_price_below_zero_is_refused():
    with pytest.raises(ValueError, match="below zero"):
        PriceLevel("night", -3.0)


def test_replay_finds_what_imports_and_sinks_cannot_do():
    grid = ImportCase("grid", np.ones((1, 4)), (PriceLevel("p", 20.0),), 0.0, 0.0, 3.0, 3.0)
    town = SinkCase("town", np.ones((1, 4)), (PriceLevel("v", 70.0),), 0.0, 2.0, 2.0)
    c = island(imports=(grid,), sinks=(town,))
    found = solve_cuts(c)
    right = found.dispatch
    for change, words in (
        (
            {"import_mw": right.import_mw + 1.0, "curtailed_mw": right.curtailed_mw + 1.0},
            "grid above its size",
        ),
        ({"taken_mw": right.taken_mw + 1.0, "shed_mw": right.shed_mw + 1.0}, "town above its size"),
        ({"taken_mw": right.taken_mw - 3.0, "curtailed_mw": right.curtailed_mw + 3.0}, "town below zero"),
        ({"taken_mw": right.taken_mw - 1.0}, "energy balance"),
    ):
        with pytest.raises(ReplayMismatch, match=words):
            check_dispatch(c, found.plant, dataclasses.replace(right, **change))


def test_cap_on_carbon_counts_every_level():
    """Diesel in one of four hours would emit 7 t of 20.5; the cap is met by both models at the same cost."""
    c = island()
    diesel = (PriceLevel("diesel", 200.0, 0.7, 9.0),)
    engine = dataclasses.replace(c.backup[0], other_levels=diesel, active_level=np.array([0, 1, 0, 0]))
    c = dataclasses.replace(c, backup=(engine,), uptime_target=0.9)
    capped = dataclasses.replace(c, limits=dataclasses.replace(c.limits, max_co2_t_per_yr=18.5))
    found = solve_cuts(capped, gap=1e-7)
    gas, liquid = found.level_mwh_per_yr
    assert 0.45 * gas + 0.7 * liquid <= 18.5 * (1 + 1e-6)
    assert found.objective_usd_per_yr == pytest.approx(
        solve_extensive(capped, gap=1e-7).objective_usd_per_yr, rel=1e-5
    )


def test_pool_knows_hubs_apart():
    case = hub(7)
    pool = CutPool(case)
    assert pool.fits(dataclasses.replace(case, uptime_target=0.5))
    grid = ImportCase("other", np.ones((1, case.steps)), (PriceLevel("p", 1.0),), 0.0, 0.0, 0.0, 1.0)
    assert not pool.fits(dataclasses.replace(case, imports=(*case.imports, grid)))


def test_foresight_of_a_hub_costs_what_its_sizing_says():
    case = next(c for c in map(hub, range(200)) if c.imports and c.sinks and c.uptime_target > 0.7)
    found = solve_cuts(case, gap=1e-7)
    replay = check_dispatch(case, found.plant, foresight(case, found.plant), must_end_full=True)
    budgets = budgets_of(case, 0.0)
    assert len(budgets.cost) == case.priced + len(case.classes)
    assert replay.objective_usd_per_yr == pytest.approx(found.objective_usd_per_yr, rel=1e-5, abs=1e-3)


@pytest.mark.parametrize("seed", range(40))
def test_greedy_operation_of_a_hub_is_possible_and_no_cheaper_than_foresight(seed):
    """The same plant without look-ahead: every balance holds, and no uptime at less than its least cost."""
    case = dataclasses.replace(hub(8000 + seed), load_classes=(), tiers=(Tier(0.4, 0.8), Tier(0.6, 1.2)))
    plant = solve_cuts(dataclasses.replace(case, uptime_target=0.0), explains=False).plant
    blind = operate_greedy(case, plant)
    replay = check_dispatch(case, plant, blind)
    if blind.stored_mwh[-1] < plant.battery_mwh * case.usable[-1] - 1e-9:
        return  # it has used up what the other must leave
    lost = max(1.0 - replay.power_uptime, 0.0)
    free = dataclasses.replace(case.limits, min_renewable_share=None, max_co2_t_per_yr=None)
    same = dataclasses.replace(case, limits=free, uptime_target=max(1.0 - lost - 1e-9, 0.0))
    best = check_dispatch(same, plant, foresight(same, plant)).objective_usd_per_yr
    scale = abs(best) + fixed_cost_usd_per_yr(case, plant) + 1.0
    assert best <= replay.objective_usd_per_yr + 1e-6 * scale


def test_greedy_operation_of_a_hub_by_hand():
    """Grid at 20, then 90 USD/MWh against engines at 60; 2 MW of surplus sun is sold where it pays most."""
    grid = ImportCase(
        "grid", np.ones((1, 4)), (PriceLevel("low", 20.0), PriceLevel("high", 90.0)), 0.0, 0.0, 8.0, 8.0,
        active_level=np.array([0, 1, 0, 0]),
    )  # fmt: skip
    town = SinkCase("town", np.ones((1, 4)), (PriceLevel("v", 30.0),), 0.0, 1.5, 1.5)
    racks = SinkCase("racks", np.ones((1, 4)), (PriceLevel("v", 50.0),), 0.0, 1.0, 1.0)
    c = island(imports=(grid,), sinks=(town, racks)).with_resource(yield_mw_per_mw=np.array([0, 0, 0, 12.0]))
    plant = Plant((1.0,), 0.0, 0.0, (10,), 10, (8.0,), (1.5, 1.0))
    done = operate_greedy(c, plant)
    check_dispatch(c, plant, done)
    assert done.import_mw.tolist() == [[8.0, 0.0, 8.0, 0.0]]
    assert done.backup_mw.tolist() == [[2.0, 10.0, 2.0, 0.0]]
    assert done.taken_mw.tolist() == [[0, 0, 0, 1.0], [0, 0, 0, 1.0]]


def test_a_price_for_every_step_is_exact():
    """Eighty prices are eighty blocks: more slopes than a byte counts."""
    rng = np.random.default_rng(5)
    steps, sun = 80, rng.random(80)
    prices = tuple(PriceLevel(f"hour {t}", float(p)) for t, p in enumerate(rng.uniform(5, 200, steps)))
    grid = ImportCase(
        "grid", np.ones((1, steps)), prices, 0.0, 0.0, 20.0, 20.0, active_level=np.arange(steps)
    )
    engine = backup(steps, unit_mw=2.0, units_max=3)
    case = case_of(sun, np.full(steps, 10.0), backup=(engine,), imports=(grid,))
    oracle = Oracle(case)
    own = np.array([level.usd_per_mwh for item in case.flows for level in item.levels] + [1e4])
    for plant in (Plant((8.0,), 30.0, 6.0, (1,), 10, (20.0,)), Plant((0.0,), 0.0, 0.0, (0,), 10, (20.0,))):
        point = oracle.point(plant)
        result = oracle.run(point, order_of(case, own))
        assert own @ result.totals == pytest.approx(least_cost(case, oracle, point, own), rel=1e-8)
        assert own @ result.cut @ np.append(1.0, point.vector) == pytest.approx(own @ result.totals, rel=1e-9)


def test_plant_at_the_very_edge_of_two_budgets_is_no_fault_of_the_solver():
    """No load may be lost, 30 % be renewable: one linear program calls a mixture possible, the next not."""
    found = solve_cuts(hub(599051), gap=1e-6)
    assert found.stopped_by == "gap"
    assert found.lost_mwh_per_yr == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("left_usd", [0.0, 300.0, -2e3])
def test_a_cost_that_sales_cancel_is_found_as_soon_as_any_other(left_usd: float) -> None:
    """A constant makes the net cost next to nothing: the gap is then measured by what cancels."""
    case = hub_of_years(1, seed=3)

    def with_town(usd_per_mw: float) -> Case:
        town = dataclasses.replace(
            case.sinks[0],
            annual_cost_usd_per_unit=usd_per_mw,
            levels=(PriceLevel("sale", 200.0),),
            units_min=40.0,
            units_max=40.0,
        )
        return dataclasses.replace(case, sinks=(town, case.sinks[1]))

    usual = solve_cuts(with_town(0.0))
    net = (left_usd - usual.objective_usd_per_yr) / 40.0
    found = solve_cuts(with_town(net))
    assert abs(found.objective_usd_per_yr - left_usd) < 2e-4 * abs(usual.objective_usd_per_yr)
    assert found.stopped_by == "gap"
    assert found.gap <= 1e-4
    assert found.iterations <= 2 * usual.iterations
