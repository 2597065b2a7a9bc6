"""The bound with failures: against every causal rule of a small world, by weak duality, with its error."""

from __future__ import annotations

import dataclasses
import itertools
from unittest.mock import Mock

import numpy as np
import pytest
from scipy.optimize import linprog

from sitedesign.case.case import Case
from sitedesign.case.plant import Plant
from sitedesign.errors import InfeasibleDesign
from sitedesign.foresight import failure_bound
from sitedesign.foresight.failure_bound import (
    SAVED_GAP,
    FailureBound,
    bound_with_failures,
    price_budgets,
    saved_by_optima,
    tuned_prices,
)
from sitedesign.optimize.annual_budgets import budgets_of
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.reliability.estimate import Estimate
from tests import cases
from tests.hub_cases import hub
from tests.slow_rest import slow_after
from tests.small_cases import study, with_classes

STEPS, UNITS, UP = 3, 3, 0.7  # hours of a year of the small world, units and how often each is there
LOAD_MW, UNIT_MW, FUEL_USD, UNIT_USD, MWH_USD, MW_USD, ETA, TARGET = (
    10.0,
    10.0,
    50.0,
    400.0,
    12.0,
    5.0,
    0.9,
    0.9,
)


def draw(seed: int, years: int = 60) -> Case:
    """One draw of the failures of so many years of the small world."""
    up = np.random.default_rng(seed).random((UNITS, years * STEPS)) < UP
    engine = cases.backup(
        up.shape[1],
        unit_mw=UNIT_MW,
        capability=up.astype(float),
        annual_cost_usd_per_unit=UNIT_USD,
        marginal_cost_usd_per_mwh=FUEL_USD,
        units_max=UNITS,
    )
    return dataclasses.replace(
        cases.case(
            np.zeros(up.shape[1]),
            LOAD_MW,
            backup=(engine,),
            battery_cost_usd_per_mwh_yr=MWH_USD,
            battery_cost_usd_per_mw_yr=MW_USD,
            eta_charge=ETA,
            eta_discharge=ETA,
            uptime_target=TARGET,
            limits={"solar_mw": (0.0, 0.0), "battery_mwh": (0.0, 100.0), "battery_mw": (0.0, 50.0)},
        ),
        years=years,
    )


def causal_optimum(units: int) -> float:
    """Least mean cost of so many units and any battery, run by any rule that does not foresee. [USD/yr]

    One linear program over all histories of the small world: what is done in an hour depends on what has
    failed up to then and on nothing else; the target is kept on the mean over all of them.
    """
    chance = np.array([1.0])
    for _ in range(units):
        chance = np.convolve(chance, [1 - UP, UP])
    histories = [h for t in range(STEPS) for h in itertools.product(range(units + 1), repeat=t + 1)]
    at = {history: 2 + 5 * i for i, history in enumerate(histories)}  # after E and P: g, c, d, shed, e
    cost, upper = np.zeros(2 + 5 * len(histories)), np.full(2 + 5 * len(histories), np.inf)
    cost[:2] = MWH_USD, MW_USD
    less, less_than, equal, equal_to = [], [], [], []

    def row(entries: dict[int, float]) -> np.ndarray:
        line = np.zeros(cost.size)
        for column, value in entries.items():
            line[column] += value
        return line

    lost = {}
    for history, first in at.items():
        g, c, d, shed, e = range(first, first + 5)
        likely = float(np.prod(chance[list(history)]))
        cost[g], lost[shed] = FUEL_USD * likely, likely
        upper[g], upper[shed] = UNIT_MW * history[-1], LOAD_MW
        less += [row({g: -1.0, d: -1.0, c: 1.0, shed: -1.0}), row({c: 1.0, 1: -1.0}), row({d: 1.0, 1: -1.0})]
        less_than += [-LOAD_MW, 0.0, 0.0]
        less.append(row({e: 1.0, 0: -1.0}))
        less_than.append(0.0)
        before = 0 if len(history) == 1 else at[history[:-1]] + 4
        equal.append(row({e: 1.0, before: -1.0, c: -ETA, d: 1 / ETA}))
        equal_to.append(0.0)
        if len(history) == STEPS:
            equal.append(row({e: 1.0, 0: -1.0}))
            equal_to.append(0.0)
    less.append(row(lost))
    less_than.append((1 - TARGET) * LOAD_MW * STEPS)
    bounds = list(zip(np.zeros(cost.size), upper, strict=True))
    found = linprog(cost, np.array(less), less_than, np.array(equal), equal_to, bounds=bounds, method="highs")
    return np.inf if found.x is None else float(found.fun) + UNIT_USD * units


def bounded(numbers: range, prices: np.ndarray, plant: Plant, optima: int, seed: int) -> FailureBound:
    """Bound of so many draws of the small world, and the optimum of the first of them."""
    saved = saved_by_optima(map(draw, numbers[:optima]), prices, plant)
    assert min(saved) >= 0
    return bound_with_failures(map(draw, numbers), prices, plant, plant, saved, seed)


def test_no_rule_that_does_not_foresee_beats_the_bound_and_the_bound_is_near() -> None:
    causal = min(causal_optimum(units) for units in range(UNITS + 1))
    pilot, pool = draw(1), CutPool(draw(1))
    first = solve_cuts(pilot, gap=1e-4, cut_pool=pool)
    prices = tuned_prices(pilot, first, pool)
    found = bounded(range(100, 200), prices, first.plant, 10, 0)
    assert found.bound.samples == 100
    assert 0 < found.bound.standard_error < 0.02 * causal
    assert found.bound.value <= causal + 2 * found.bound.standard_error
    assert found.bound.value > 0.85 * causal
    nothing_fails = dataclasses.replace(
        pilot, backup=(dataclasses.replace(pilot.backup[0], capability=np.ones((1, pilot.steps))),)
    )
    assert found.bound.value > 1.1 * solve_cuts(nothing_fails).objective_usd_per_yr
    # Another set of draws, and prices that are plainly wrong: lower, never above
    for wrong in (0.5 * prices, 2.0 * prices, 0.0 * prices):
        other = bounded(range(900, 940), wrong, first.plant, 3, 0)
        assert other.bound.value <= causal + 2 * other.bound.standard_error


def test_where_the_cuts_of_another_draw_were_made_changes_no_optimum() -> None:
    pilot, pool = draw(1), CutPool(draw(1))
    first = solve_cuts(pilot, gap=1e-4, cut_pool=pool)
    prices, numbers = tuned_prices(pilot, first, pool), range(100, 106)
    points = list(pool.last_points)
    assert len(points) > 2
    alone = saved_by_optima(map(draw, numbers), prices, first.plant)
    near = saved_by_optima(map(draw, numbers), prices, first.plant, points)
    far = [dataclasses.replace(point, battery_mwh=0.1 * point.battery_mwh) for point in points]
    known = [abs(solve_cuts(price_budgets(draw(n), prices).case).objective_usd_per_yr) for n in numbers]
    for found in (near, saved_by_optima(map(draw, numbers), prices, first.plant, far)):
        assert found != alone  # other cuts
        assert np.abs(np.array(found) - alone) == pytest.approx(0.0, abs=SAVED_GAP * max(known))


@pytest.mark.slow
def test_a_target_asked_of_every_draw_would_be_no_bound() -> None:
    """What the draws cost that each keep the target exceeds what suffices on the mean: why it is priced."""
    causal = min(causal_optimum(units) for units in range(UNITS + 1))
    alone = []
    for i in range(200):
        try:
            alone.append(solve_cuts(draw(100 + i, years=1), gap=1e-4, explains=False).objective_usd_per_yr)
        except InfeasibleDesign:
            alone.append(np.inf)
    assert np.mean(alone) > causal


@pytest.mark.parametrize("seed", slow_after(8, range(24)))
def test_priced_budgets_never_cost_more_than_kept_ones(seed: int) -> None:
    """Weak duality with any prices, over classes, renewable share, carbon dioxide, levels and sinks."""
    rng = np.random.default_rng(seed)
    case = hub(seed) if seed % 2 else study(seed)
    case = with_classes(case, seed) if seed % 4 == 0 else case
    try:
        kept = solve_cuts(case, gap=1e-5, explains=False)
    except InfeasibleDesign:
        pytest.skip("no plant keeps these budgets")
    size = budgets_of(case, 0.0).limit.size
    slack = 1e-5 * abs(kept.objective_usd_per_yr) + 1e-4
    value_before = kept.lost_value_usd_per_yr
    for prices in (np.zeros(size), rng.uniform(0, 300, size), np.array(kept.budget_prices)):
        priced = price_budgets(case, prices)
        relaxed = solve_cuts(priced.case, gap=1e-5, explains=False)
        assert relaxed.bound_usd_per_yr - priced.allowed_usd_per_yr <= kept.objective_usd_per_yr + slack
        assert priced.case.tiers[0].width == case.tiers[0].width
        assert not np.isfinite(budgets_of(priced.case, 0.0).limit).any()
    assert value_before >= 0.0


def test_prices_are_tuned_where_the_duals_of_whole_units_say_nothing() -> None:
    """Spare units leave the target slack, so that it has no price; without one the bound would be far off."""
    case = draw(7, years=40)
    pool = CutPool(case)
    kept = dataclasses.replace(solve_cuts(case, gap=1e-4, cut_pool=pool), budget_prices=(0.0,))
    prices = tuned_prices(case, kept, pool)
    priced = price_budgets(case, prices)
    tuned = solve_cuts(priced.case, gap=1e-4).bound_usd_per_yr - priced.allowed_usd_per_yr
    free = price_budgets(case, np.zeros(1))
    blind = solve_cuts(free.case, gap=1e-4).bound_usd_per_yr
    assert blind < 0.9 * kept.objective_usd_per_yr
    assert 0.95 * kept.objective_usd_per_yr < tuned <= kept.objective_usd_per_yr * (1 + 1e-4)


def test_prices_are_tried_only_as_long_as_others_promise_a_better_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An optimum that no prices come near, as where whole units decide: one budget is soon tried out."""
    case, tried = draw(7, years=40), list[float]()
    pool = CutPool(case)
    kept = solve_cuts(case, gap=1e-4, cut_pool=pool)
    out_of_reach = dataclasses.replace(kept, objective_usd_per_yr=2.0 * kept.objective_usd_per_yr)

    def sized(*question: object) -> object:
        found = of_prices(*question)  # type: ignore[arg-type]
        tried.append(found.bound_usd_per_yr)
        return found

    of_prices = failure_bound._sized
    monkeypatch.setattr(failure_bound, "_sized", sized)
    prices = tuned_prices(case, out_of_reach, pool)
    assert len(tried) < failure_bound._MOST_TRIES
    priced = price_budgets(case, prices)
    best = solve_cuts(priced.case, gap=1e-4).bound_usd_per_yr - priced.allowed_usd_per_yr
    for factor in (0.5, 0.8, 1.25, 2.0):
        other = price_budgets(case, factor * prices)
        bound = solve_cuts(other.case, gap=1e-4).bound_usd_per_yr - other.allowed_usd_per_yr
        assert bound < best + 2e-3 * abs(best)


def test_a_price_far_above_the_first_is_found_though_twice_the_price_brings_next_to_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By hand: 1e6 and 1 a unit of price up to 20,000, less beyond: the top is 100 times the first."""
    case, tried = draw(7, years=2), list[float]()

    def bound(price: float) -> tuple[float, float]:
        return (1e6 + price, 1.0) if price < 2e4 else (1.02e6 - 0.5 * (price - 2e4), -0.5)

    def priced(_: Case, prices: np.ndarray) -> Mock:
        tried.append(float(prices[0]))
        return Mock(allowed_usd_per_yr=0.0)

    monkeypatch.setattr(failure_bound, "price_budgets", priced)
    monkeypatch.setattr(failure_bound, "_sized", lambda *_: Mock(bound_usd_per_yr=bound(tried[-1])[0]))
    monkeypatch.setattr(failure_bound, "_excess", lambda *_: np.array([bound(tried[-1])[1]]))
    optimum = Mock(budget_prices=(200.0,), objective_usd_per_yr=1.021e6)
    found = tuned_prices(case, optimum, Mock(**{"fits.return_value": False}))
    assert found[0] == pytest.approx(2e4, rel=0.05)


def test_same_draws_same_bound_and_one_draw_has_no_error() -> None:
    first = solve_cuts(draw(1), gap=1e-3)
    prices = np.array(first.budget_prices)
    pair = [bounded(range(20, 23), prices, first.plant, 2, 5) for _ in range(2)]
    assert pair[0] == pair[1]
    assert pair[0].bound.value <= pair[0].same_plant.value
    assert np.isnan(failure_bound._error([1.0]))


def test_a_bound_below_that_of_a_world_without_failures_gives_way_to_it() -> None:
    known = failure_bound.FailureBound(Estimate(9e6, 1e5, 12, 0), Estimate(10e6, 2e5, 12, 0))
    assert known.at_least(8e6) == known
    raised = known.at_least(9.5e6)
    assert (raised.bound.value, raised.same_plant.value) == (9.5e6, 10e6)
    assert known.at_least(11e6).same_plant.value == 11e6
    assert raised.bound.standard_error == 1e5
