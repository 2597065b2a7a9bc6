"""Classes of the load with targets of their own, and a value of lost compute: pencil, enumeration, replay."""

from __future__ import annotations

import contextlib
import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sitedesign.case.capacity_bounds import capacity_bounds, units_max
from sitedesign.case.case import Case, ClassShare, Tier
from sitedesign.case.dispatch import Dispatch, lost_by_class
from sitedesign.case.plant import Plant
from sitedesign.case.rack_shortfall import expected_shortfall, most_racks, racks_worth
from sitedesign.errors import InfeasibleDesign, ReplayMismatch
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.optimize.dispatch_oracle import NoDispatch, Oracle
from sitedesign.optimize.extensive_form import solve_extensive
from sitedesign.optimize.foresight_dispatch import foresight
from sitedesign.optimize.merit_order import order_of
from sitedesign.optimize.parametric import frontier
from sitedesign.reliability.replay import check_dispatch
from tests.cases import backup, case, year_case
from tests.hand_cases import NO_BATTERY, NO_SUN, engines
from tests.slow_rest import slow_after
from tests.small_cases import least_cost, random_case, random_point, solved_both_ways, study, with_classes

SOLVERS = (solve_cuts, solve_extensive)
SERVICE_AND_BATCH = (Tier(0.4, 1.0, 1), Tier(0.6, 1.0, 0))


def two_hours(service: float, batch: float) -> Case:
    """Two dark hours of 10 MW, of which 6 are `service` and 4 `batch`; 6 MW units, no sun, no battery."""
    return case(
        [0, 0],
        [10.0] * 2,
        limits=NO_BATTERY | NO_SUN,
        backup=(backup(2, unit_mw=6.0),),
        tiers=SERVICE_AND_BATCH,
        load_classes=(ClassShare("service", 0.6, service), ClassShare("batch", 0.4, batch)),
    )


# ---------------------------------------------------------------------- with a pencil


@pytest.mark.parametrize("solve", SOLVERS)
def test_two_classes_by_hand(solve) -> None:
    """One 6 MW unit carries the service load alone; half of the batch load asks for a second, and 4 MWh."""
    one = solve(two_hours(1.0, 0.0))
    assert one.plant.units == (1,)
    assert one.objective_usd_per_yr == pytest.approx(0.8e6 + 12 * 60)
    assert one.lost_by_class_mwh_per_yr == pytest.approx((0.0, 8.0), abs=1e-6)
    two = solve(two_hours(1.0, 0.5))
    assert two.plant.units == (2,)
    assert two.objective_usd_per_yr == pytest.approx(2 * 0.8e6 + 16 * 60)
    assert two.lost_by_class_mwh_per_yr == pytest.approx((0.0, 4.0), abs=1e-5)
    # fuel is what one MWh more or less of either class is worth, once the units stand
    assert two.uptime_prices == pytest.approx((60.0, 60.0))
    assert two.uptime_price_usd_per_mwh == pytest.approx(60.0)


@pytest.mark.parametrize("solve", SOLVERS)
@pytest.mark.parametrize(
    ("value", "units", "lost"), [(5e4, 0, 27.5), (6e4, 1, 12.5), (1e5, 2, 2.5), (4e5, 3, 0.0)]
)
def test_value_of_lost_compute_by_hand(solve, value, units, lost) -> None:
    """Half hours of 10, 25 and 20 MW: the units serve 15, 10 and 2.5 MWh, at 0.8 MUSD and 60 USD/MWh each."""
    free = dataclasses.replace(engines().case, uptime_target=0.0, lost_value_usd_per_mwh=value)
    answer = solve(free)
    assert answer.plant.units == (units,)
    assert answer.lost_mwh_per_yr == pytest.approx(lost, abs=1e-6)
    assert answer.lost_value_usd_per_yr == pytest.approx(value * lost, abs=0.1)
    assert answer.objective_usd_per_yr == pytest.approx(units * 0.8e6 + (27.5 - lost) * 60 + value * lost)
    assert answer.uptime_price_usd_per_mwh == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("solve", SOLVERS)
def test_target_binds_on_top_of_the_value(solve) -> None:
    """At 60 USD/MWh fuel and a value of 20, a MWh more of uptime costs 40."""
    held = dataclasses.replace(
        engines().case,
        backup=(backup(3, units_min=3, units_max=3),),
        uptime_target=0.8,
        lost_value_usd_per_mwh=20.0,
    )
    answer = solve(held)
    assert answer.lost_mwh_per_yr == pytest.approx(5.5, rel=1e-5)
    assert answer.uptime_price_usd_per_mwh == pytest.approx(40.0)
    assert answer.objective_usd_per_yr == pytest.approx(3 * 0.8e6 + 22 * 60 + 5.5 * 20)


@pytest.mark.parametrize("solve", SOLVERS)
def test_racks_are_bought_for_the_value_of_what_they_save(solve) -> None:
    """Two contracted racks of 90 %: e = 0.1, 0.0145, 0.00185; the third saves 0.0855 x 30 MWh at 0.5 MUSD."""
    c = case([0, 0, 0], [10.0] * 3, uptime_target=0.0, limits=NO_BATTERY | NO_SUN,
             racks_contracted=2, racks_max=9, rack_availability=0.9)  # fmt: skip
    saved = 30 * 0.0855
    for value, racks in ((0.99 * 0.5e6 / saved, 2), (1.01 * 0.5e6 / saved, 3)):
        answer = solve(dataclasses.replace(c, lost_value_usd_per_mwh=value))
        assert answer.plant.racks == racks
        lost = 30 * float(expected_shortfall(2, racks, 0.9))
        assert answer.lost_value_usd_per_yr == pytest.approx(value * lost, rel=1e-6)


# ---------------------------------------------------------------------- both models, enumeration


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_cuts_equal_extensive_with_classes_and_a_value(seed) -> None:
    c = with_classes(study(seed), seed)
    solved = solved_both_ways(c)
    if solved is None:
        return
    fast, _ = solved
    for answer in solved:
        replay = check_dispatch(c, answer.plant, answer.dispatch, must_end_full=True)
        assert replay.objective_usd_per_yr == pytest.approx(answer.objective_usd_per_yr, rel=1e-6)
        assert replay.lost_mwh_per_yr == pytest.approx(sum(answer.lost_by_class_mwh_per_yr), abs=1e-6)
        for reached, wanted in zip(replay.class_uptime, c.classes, strict=True):
            assert reached >= wanted.uptime_target - 1e-6
    # with the counts held both models see the same linear program, hence the same prices unless it is kinked
    there = solve_extensive(c, fixed=fast.plant, gap=1e-6, explain_infeasible=False)
    assert there.objective_usd_per_yr == pytest.approx(fast.objective_usd_per_yr, rel=1e-5)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(seed=st.integers(0, 10**6), value=st.sampled_from([20.0, 70.0, 200.0, 2000.0]))
def test_cuts_equal_extensive_with_a_value_and_one_class(seed, value) -> None:
    c = study(seed, lost_value_usd_per_mwh=value)
    c = dataclasses.replace(c, uptime_target=0.0 if seed % 3 else c.uptime_target)
    solved = solved_both_ways(c)
    if solved is None:
        return
    fast, _ = solved
    replay = check_dispatch(c, fast.plant, fast.dispatch, must_end_full=True)
    assert replay.objective_usd_per_yr == pytest.approx(fast.objective_usd_per_yr, rel=1e-6)


@pytest.mark.parametrize("seed", slow_after(2, [5, 13, 1, 7]))
def test_brute_force_over_racks(seed) -> None:
    """Racks held one number after the other, their failures as a smaller budget and a fixed sum of money."""
    c = with_classes(study(seed, rack_availability=0.97, racks_max=13), seed)
    c = dataclasses.replace(c, lost_value_usd_per_mwh=80.0)
    best = np.inf
    for racks in range(10, 14):
        short = float(expected_shortfall(10, racks, 0.97))
        classes = tuple(
            dataclasses.replace(item, uptime_target=item.uptime_target + short) for item in c.load_classes
        )
        held = dataclasses.replace(c, racks_max=10, rack_availability=1.0, load_classes=classes)
        with contextlib.suppress(InfeasibleDesign):
            found = solve_cuts(held, gap=1e-6, explains=False).objective_usd_per_yr
            failures = c.lost_value_usd_per_mwh * short * c.load_mwh_per_yr
            best = min(best, found + failures + (racks - 10) * c.rack_cost_usd_per_yr)
    if best == np.inf:
        with pytest.raises(InfeasibleDesign):
            solve_cuts(c, explains=False)
    else:
        assert solve_cuts(c, gap=1e-6).objective_usd_per_yr == pytest.approx(best, rel=4e-6)


@pytest.mark.parametrize("seed", slow_after(2, range(6)))
@pytest.mark.parametrize("solve", SOLVERS)
def test_one_class_is_no_class(seed, solve) -> None:
    c = study(seed)
    named = dataclasses.replace(
        c, load_classes=(ClassShare("everything", 1.0, c.uptime_target),), uptime_target=0.123
    )
    try:
        plain = solve(c)
    except InfeasibleDesign:
        with pytest.raises(InfeasibleDesign):
            solve(named)
        return
    again = solve(named)
    assert again.plant == plain.plant
    assert again.objective_usd_per_yr == plain.objective_usd_per_yr
    assert again.lost_mwh_per_yr == plain.lost_mwh_per_yr
    assert again.uptime_prices == plain.uptime_prices


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_a_budget_for_each_class_costs_no_less_than_one_for_all(seed) -> None:
    """What meets every class's budget meets their sum; so equal targets are dearer apart than pooled."""
    c = with_classes(study(seed), seed)
    target = 0.9
    apart = dataclasses.replace(
        c, load_classes=tuple(dataclasses.replace(item, uptime_target=target) for item in c.load_classes)
    )
    # one pool needs tiers of one class in the order of their weights
    tiers = sorted((dataclasses.replace(tier, load_class=0) for tier in c.tiers), key=lambda t: t.weight)
    pooled = dataclasses.replace(c, tiers=tuple(tiers), load_classes=(), uptime_target=target)
    try:
        dearer = solve_cuts(apart, gap=1e-5, explains=False)
    except InfeasibleDesign:
        return
    assert solve_cuts(pooled, gap=1e-5).bound_usd_per_yr <= dearer.objective_usd_per_yr * (1 + 1e-9)


@pytest.mark.parametrize("classes", [False, True])
def test_cost_is_concave_in_the_value_and_losses_fall(classes) -> None:
    """A least value over designs of functions linear in the price."""
    c = year_case(seed=5, uptime_target=0.0, racks_max=760)
    if classes:
        c = dataclasses.replace(
            c,
            tiers=SERVICE_AND_BATCH,
            load_classes=(ClassShare("service", 0.6, 0.99), ClassShare("batch", 0.4, 0.0)),
        )
    values = [50.0, 100.0, 150.0]
    points = frontier(c, "lost_value_usd_per_mwh", values)
    low, middle, high = (point.sizing for point in points)
    assert low.objective_usd_per_yr + high.objective_usd_per_yr <= 2 * middle.objective_usd_per_yr * (
        1 + 1e-4
    )
    lost = [s.lost_value_usd_per_yr / v for s, v in zip((low, middle, high), values, strict=True)]
    assert lost[0] > lost[1] > lost[2]
    for s, v in zip((low, middle, high), values, strict=True):
        alone = solve_cuts(dataclasses.replace(c, lost_value_usd_per_mwh=v))
        assert s.objective_usd_per_yr == pytest.approx(alone.objective_usd_per_yr, rel=1.1e-4)


# ---------------------------------------------------------------------- dispatch and cuts


@pytest.mark.parametrize("seed", range(30))
def test_dispatch_with_a_price_for_each_class_equals_the_linear_program(seed) -> None:
    """Cost, cuts at other points, primal equal to dual in every component, and the dispatch's own losses."""
    rng = np.random.default_rng(seed)
    c = with_classes(
        random_case(rng, steps=24, technologies=int(rng.integers(0, 3)), ties=seed % 2 == 0), seed
    )
    oracle = Oracle(c)
    shed = rng.choice([0.0, 20.0, 90.0, 100.0, 1e4], len(c.classes))
    prices = np.array([item.marginal_cost_usd_per_mwh for item in c.backup] + shed.tolist())
    order = order_of(c, prices)
    points = [random_point(rng, oracle) for _ in range(4)]
    truth = [least_cost(c, oracle, point, prices) for point in points]
    for point, value in zip(points, truth, strict=True):
        result = oracle.run(point, order)
        if isinstance(result, NoDispatch):
            assert value == np.inf
            continue
        scale = max(1.0, float(np.abs(result.totals).max()))
        assert prices @ result.totals == pytest.approx(value, rel=1e-7, abs=1e-6)
        assert result.totals == pytest.approx(result.cut @ np.append(1.0, point.vector), abs=1e-12 * scale)
        for other, cost in zip(points, truth, strict=True):
            assert prices @ result.cut @ np.append(1.0, other.vector) <= cost + 1e-7 * max(1.0, abs(cost))
        done = oracle.dispatch(point, order)
        lost = (done.lost_by_class * c.load_mw).sum(axis=1) * c.step_h / c.years
        assert lost == pytest.approx(result.totals[len(c.backup) :], abs=1e-8)
        assert done.lost_by_class.sum(axis=0) == pytest.approx(done.lost_compute)


@pytest.mark.parametrize("seed", slow_after(2, range(8)))
def test_pooled_cuts_of_classes_lie_below_the_truth_at_random_points(seed) -> None:
    c = with_classes(study(seed), seed)
    pool = CutPool(c)
    with contextlib.suppress(InfeasibleDesign):
        solve_cuts(c, cut_pool=pool, explains=False)
    rng, oracle = np.random.default_rng(seed), pool.search.oracle
    totals = len(c.backup) + len(c.classes)
    assert pool.count > 0
    for _ in range(10):
        point = random_point(rng, oracle)
        for number in rng.integers(0, pool.count, 5).tolist():
            row, lower = pool.row(number)
            truth = least_cost(c, oracle, point, row[:totals])
            if truth < np.inf:
                assert truth + row[totals:] @ point.vector >= lower - 1e-7 * max(1.0, abs(truth), abs(lower))


def test_pool_belongs_to_its_classes() -> None:
    c = two_hours(0.9, 0.5)
    pool = CutPool(c)
    assert pool.fits(dataclasses.replace(two_hours(0.5, 0.9), lost_value_usd_per_mwh=50.0))
    assert not pool.fits(dataclasses.replace(c, tiers=(Tier(1.0, 1.0),), load_classes=()))
    assert not pool.fits(dataclasses.replace(c, tiers=(Tier(0.4, 1.0, 0), Tier(0.6, 1.0, 1))))


def test_foresight_meets_every_budget_or_sheds_least() -> None:
    """12 MWh from one unit: 7.9 of 12 MWh of service and 4 of 8 MWh of batch can be met, 11 and 4 cannot."""
    plant = Plant((0.0,), 0.0, 0.0, (1,), 10)
    modest = two_hours(7.9 / 12, 4 / 8)
    done = check_dispatch(modest, plant, foresight(modest, plant), must_end_full=True)
    assert done.class_uptime == pytest.approx((7.9 / 12, 4 / 8), abs=1e-5)
    assert done.backup_mwh_per_yr == pytest.approx((11.9,), rel=1e-5)
    greedy = two_hours(11 / 12, 4 / 8)
    done = check_dispatch(greedy, plant, foresight(greedy, plant), must_end_full=True)
    assert done.lost_mwh_per_yr == pytest.approx(8.0)


# ---------------------------------------------------------------------- replay


def shed_all_of(c: Case, mw: list[float], by_class: list[list[float]] | None) -> Dispatch:
    """Dispatch of two dark hours in which one unit gives what is not shed."""
    shed, nothing = np.array(mw), np.zeros(2)
    lost = lost_by_class(c, shed) if by_class is None else np.array(by_class)
    return Dispatch(
        nothing, nothing, nothing, shed, nothing, (c.load_mw - shed)[np.newaxis], lost.sum(axis=0),
        None if by_class is None else lost,
    )  # fmt: skip


def test_load_shed_in_order_is_shared_out_tier_by_tier() -> None:
    c = dataclasses.replace(
        two_hours(0.9, 0.5), tiers=(Tier(0.3, 0.5, 0), Tier(0.4, 1.0, 1), Tier(0.3, 1.5, 0))
    )
    lost = lost_by_class(c, np.array([5.0, 8.0]))
    assert lost == pytest.approx(np.array([[0.15, 0.15 + 0.1 * 1.5], [0.2, 0.4]]))
    silent = dataclasses.replace(c, load_mw=np.array([10.0, 0.0]))
    assert lost_by_class(silent, np.array([5.0, 0.0]))[:, 1].tolist() == [0.0, 0.0]


def test_replay_reads_each_class_or_the_order_of_the_tiers() -> None:
    c, plant = two_hours(0.9, 0.5), Plant((0.0,), 0.0, 0.0, (2,), 10)
    in_order = check_dispatch(c, plant, shed_all_of(c, [3.0, 5.0], None))
    assert in_order.class_uptime == pytest.approx((1 - 1 / 12, 1 - 7 / 8))
    chosen = check_dispatch(c, plant, shed_all_of(c, [3.0, 5.0], [[0.3, 0.3], [0.0, 0.2]]))
    assert chosen.class_uptime == pytest.approx((1 - 6 / 12, 1 - 2 / 8))
    assert chosen.rack_uptime == pytest.approx(0.6)


@pytest.mark.parametrize(
    "claim",
    [
        [[0.1, 0.3], [0.0, 0.2]],  # 0.3 of the first hour was shed
        [[0.0, 0.0], [0.3, 0.5]],  # batch has but 0.4
        [[-0.1, 0.3], [0.4, 0.2]],
        [[np.nan, 0.3], [0.0, 0.2]],
    ],
)
def test_replay_refuses_claims_that_the_shed_load_does_not_explain(claim) -> None:
    c, plant = two_hours(0.9, 0.5), Plant((0.0,), 0.0, 0.0, (2,), 10)
    with pytest.raises(ReplayMismatch, match="lost compute against the tiers"):
        check_dispatch(c, plant, shed_all_of(c, [3.0, 5.0], claim))


def test_replay_refuses_parts_that_are_not_the_total() -> None:
    c, plant = two_hours(0.9, 0.5), Plant((0.0,), 0.0, 0.0, (2,), 10)
    good = shed_all_of(c, [3.0, 5.0], [[0.3, 0.3], [0.0, 0.2]])
    with pytest.raises(ReplayMismatch):
        check_dispatch(c, plant, dataclasses.replace(good, lost_compute=good.lost_compute + 0.01))


def test_replay_bounds_what_throttling_of_a_class_can_explain() -> None:
    """Service loses 0.15: 0.3 shed from its cheap tier, or 0.1 from its dear one, or something between."""
    c = dataclasses.replace(
        two_hours(0.9, 0.5), tiers=(Tier(0.3, 0.5, 0), Tier(0.4, 1.0, 1), Tier(0.3, 1.5, 0))
    )
    plant = Plant((0.0,), 0.0, 0.0, (2,), 10)
    for shed in (1.0, 2.0, 3.0):
        check_dispatch(c, plant, shed_all_of(c, [shed, 0.0], [[0.15, 0.0], [0.0, 0.0]]))
    for shed in (0.9, 3.1):
        with pytest.raises(ReplayMismatch):
            check_dispatch(c, plant, shed_all_of(c, [shed, 0.0], [[0.15, 0.0], [0.0, 0.0]]))


def test_dispatch_of_classes_rolls_back() -> None:
    c = two_hours(0.9, 0.5)
    done = shed_all_of(c, [3.0, 5.0], [[0.3, 0.3], [0.0, 0.2]]).rolled_back(1)
    assert done.lost_by_class is not None
    assert done.lost_by_class[1].tolist() == [0.2, 0.0]
    assert shed_all_of(c, [3.0, 5.0], None).rolled_back(1).lost_by_class is None


# ---------------------------------------------------------------------- limits


@pytest.mark.parametrize("solve", SOLVERS)
def test_the_class_that_cannot_be_met_is_named(solve) -> None:
    """One unit gives 12 of 20 MWh: 6.4, 80 % of batch, leave 5.6 of 12; 9, 75 % of service, 3 of 8."""
    c = two_hours(0.75, 0.8)
    c = dataclasses.replace(c, backup=(dataclasses.replace(c.backup[0], units_max=1),))
    with pytest.raises(InfeasibleDesign) as caught:
        solve(c)
    assert "75 % for service and 80 % for batch cannot be met" in str(caught.value)
    needed = {item.limit: item.needed for item in caught.value.relaxations}
    assert needed["uptime of service"] == pytest.approx(5.6 / 12, abs=2e-6)
    assert needed["uptime of batch"] == pytest.approx(3 / 8, abs=2e-6)
    assert needed["units of engine"] == 2


def test_racks_worth_is_where_the_next_one_does_not_pay() -> None:
    for loss in (1e6, 3e7, 1e9):
        most = racks_worth(700, 0.985, loss, 0.5e6)
        short = expected_shortfall(700, [most - 1, most, most + 1], 0.985)
        assert (short[1] - short[2]) * loss <= 0.5e6
        assert most == 700 or (short[0] - short[1]) * loss > 0.5e6
    assert racks_worth(700, 1.0, 1e9, 0.5e6) == 700
    assert racks_worth(10, 0.9, 1e6, 0.0) < 100  # racks for nothing: until they save nothing either


@pytest.mark.parametrize("value", slow_after(1, [300.0, 60.0, 5000.0]))
def test_derived_bounds_hold_without_a_target(value) -> None:
    """Ten times the room, and racks without end, do not make a cheaper design."""
    c = year_case(seed=2, uptime_target=0.0, lost_value_usd_per_mwh=value)
    bounds = capacity_bounds(c.resources[0].yield_mw_per_mw, c.load_mw, c.step_h, 1.0, 0.95)
    sizes = dataclasses.asdict(bounds)
    peak = float(c.load_mw.max())

    def room(factor: int) -> Case:
        techs = tuple(
            dataclasses.replace(b, units_max=factor * units_max(peak, b.unit_mw, b.capability))
            for b in c.backup
        )
        wide = c.with_bounds({name: (0.0, factor * top) for name, top in sizes.items()})
        return dataclasses.replace(wide, backup=techs, racks_max=factor * most_racks(c))

    tight, wide = (solve_cuts(room(factor), gap=1e-5) for factor in (1, 10))
    assert tight.bound_usd_per_yr <= wide.objective_usd_per_yr
    assert tight.objective_usd_per_yr <= wide.objective_usd_per_yr * (1 + 1e-5)
