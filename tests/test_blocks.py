"""Many blocks in one master: one block is the question of one plant, shares of the load share their cuts."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from sitedesign.case.case import Case, ClassShare, ImportCase, PriceLevel, SinkCase, Tier
from sitedesign.case.plant_limits import opened
from sitedesign.case.rack_shortfall import racks_needed
from sitedesign.errors import InfeasibleDesign
from sitedesign.optimize.annual_budgets import budgets_of
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.block_master import Block, BlockMaster
from sitedesign.optimize.blocks import solve_blocks
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.optimize.dispatch_oracle import Point
from tests.cases import backup, case

STEPS = 72


def days(seed: int = 0, steps: int = STEPS) -> np.ndarray:
    """Sun of a few days, cloudier from day to day."""
    hour = (np.arange(steps) + 16) % 24
    rng = np.random.default_rng(seed)
    return np.clip(np.sin((hour - 6) / 12 * np.pi), 0, None) * rng.uniform(0.4, 1.0, steps)


def small(seed: int = 0, **changes: Any) -> Case:
    """Three days of 100 MW with engines and turbines; 40 racks, of which some fail."""
    year = 8760 / STEPS  # what a MWh of three days stands for
    engine = backup(STEPS, "engine", unit_mw=11.0, annual_cost_usd_per_unit=1.1e6 / year, units_max=12)
    turbine = backup(
        STEPS,
        "turbine",
        unit_mw=34.0,
        annual_cost_usd_per_unit=2.5e6 / year,
        marginal_cost_usd_per_mwh=90.0,
        units_max=4,
    )
    base = case(
        days(seed),
        100.0,
        backup=(engine, turbine),
        solar={"annual_cost_usd_per_mw": 60e3 / year},
        battery_cost_usd_per_mwh_yr=15e3 / year,
        battery_cost_usd_per_mw_yr=9e3 / year,
        racks_contracted=40,
        racks_max=racks_needed(40, 0.98, 1e-2),
        rack_availability=0.98,
        rack_cost_usd_per_yr=0.4e6 / year,
        uptime_target=0.99,
    )
    return dataclasses.replace(base, **changes)


def connected() -> Case:
    """With a grid that is cheap at night, and sale of surplus through its wires."""
    night = (np.arange(STEPS) % 24 < 8).astype(np.int64)
    grid = ImportCase(
        "grid",
        np.ones((1, STEPS)),
        (PriceLevel("day", 70.0, 0.4), PriceLevel("night", 30.0, 0.4)),
        900.0,
        0.0,
        0.0,
        60.0,
        active_level=night,
        site_cost_usd_per_yr=2000.0,
    )
    sale = SinkCase("sale", np.ones((1, STEPS)), (PriceLevel("sale", 20.0),), 50.0, 0.0, 40.0, needs="grid")
    return small(imports=(grid,), sinks=(sale,))


def classes() -> Case:
    """Two classes with targets of their own."""
    shares = (ClassShare("gold", 0.4, 0.999), ClassShare("bulk", 0.6, 0.95))
    return small(load_classes=shares, tiers=(Tier(0.6, 1.0, 1), Tier(0.4, 1.0, 0)), rack_availability=1.0)


def permitted(engine_h: float = 44.0) -> Case:
    """Engines that may run some of the 72 hours each, turbines 20, and a cap on NOx."""
    engine, turbine = small().backup
    engine = dataclasses.replace(engine, run_h_limit=engine_h, nox_t_per_mwh=0.0014)
    turbine = dataclasses.replace(turbine, run_h_limit=20.0, nox_t_per_mwh=0.0004)
    return limited(small(backup=(engine, turbine)), max_nox_t_per_yr=3.0)


def limited(given: Case | None = None, **limits: Any) -> Case:
    given = given or small()
    return dataclasses.replace(given, limits=dataclasses.replace(given.limits, **limits))


CASES = {
    "plain": small,
    "grid and sale": connected,
    "classes": classes,
    "renewable share": lambda: limited(min_renewable_share=0.6),
    "carbon and hours": lambda: limited(max_co2_t_per_yr=1500.0, min_duration_h=2.0, max_duration_h=6.0),
    "permits": permitted,
    "hours too few for any unit": lambda: permitted(30.0),
    "value of compute": lambda: small(uptime_target=0.0, lost_value_usd_per_mwh=300.0),
}


def alone(m: pyo.ConcreteModel) -> float:
    """Nothing ties the blocks."""
    return 0.0


@pytest.mark.parametrize("name", CASES)
def test_one_block_is_the_question_of_one_plant(name: str) -> None:
    given = CASES[name]()
    one = solve_cuts(given, gap=1e-6)
    block = solve_blocks([Block("all", opened(given), CutPool(given))], alone, gap=1e-6)
    assert block.cost_usd == pytest.approx(one.objective_usd_per_yr, rel=2e-6)
    assert block.bound_usd <= one.objective_usd_per_yr * (1 + 1e-7)
    assert one.bound_usd_per_yr <= block.cost_usd * (1 + 1e-7)
    assert block.gap <= 1e-6
    assert block.stopped_by == "gap"


def test_cuts_hold_for_every_share_of_the_load_when_their_constant_is_scaled() -> None:
    """Cuts of one plant, held against the exact operation of 200 others at 0.37 of the load."""
    given = connected()
    pool = CutPool(given)
    solve_cuts(given, cut_pool=pool, gap=1e-4)
    share, rng = 0.37, np.random.default_rng(4)
    smaller = dataclasses.replace(given, load_mw=given.load_mw * share)
    search = CutPool(smaller).search
    budgets = budgets_of(smaller, 0.0)
    worst = -np.inf
    for _ in range(200):
        units = np.array([rng.integers(0, 8), rng.integers(0, 3), rng.uniform(0, 40), rng.uniform(0, 30)])
        point = Point(rng.uniform(0, 250, 1), rng.uniform(0, 300), rng.uniform(0, 90), units.astype(float))
        found = search.least_shed(point, budgets) if rng.random() < 0.5 else search.operate(point, budgets)
        if found.mixture:
            worst = max(worst, float(pool.missing(found.totals, point.vector, share).max()))
    assert pool.count > 10
    assert -1e-3 < worst < 1e-9


def test_a_block_of_a_share_of_the_load_costs_what_it_costs_alone() -> None:
    given = small()
    half = dataclasses.replace(
        given, load_mw=given.load_mw / 2, racks_contracted=20, racks_max=racks_needed(20, 0.98, 1e-2)
    )
    pool, own = CutPool(given), solve_cuts(half, gap=1e-6)
    both = [Block("all", opened(given), pool, 2.0), Block("half", opened(half), pool, 3.0, 0.5)]
    found = solve_blocks(both, alone, gap=1e-6)
    expected = 2.0 * solve_cuts(given, gap=1e-6).objective_usd_per_yr + 3.0 * own.objective_usd_per_yr
    assert found.cost_usd == pytest.approx(expected, rel=3e-6)
    assert found.plans[1].times == 0.5
    assert pool.count > 0


@pytest.mark.parametrize("availability", [1.0, 0.98])
def test_a_share_that_is_decided_is_the_best_of_all_numbers_of_racks(availability: float) -> None:
    """A rack that runs is worth something, but there are only three engines: try every number by hand."""
    racks, worth = 10, 80_000.0

    def bounded(given: Case) -> Case:
        return given.with_resource(bounds_mw=(0.0, 60.0), widest_mw=None)

    def at(running: int) -> Case:
        base = small()
        return bounded(
            dataclasses.replace(
                base,
                backup=(dataclasses.replace(base.backup[0], units_max=3),),
                racks_contracted=running,
                racks_max=racks_needed(running, availability, 1e-2),
                rack_availability=availability,
                load_mw=np.full(STEPS, 100.0 * running / racks),
                given=frozenset({"solar_mw"}),
            )
        )

    best = 0.0
    for running in range(1, racks + 1):
        try:
            cost = solve_cuts(at(running), gap=1e-6, explains=False).objective_usd_per_yr
        except InfeasibleDesign:
            continue
        best = min(best, cost - worth * running)
    given = at(racks)

    def couple(m: pyo.ConcreteModel) -> Any:
        return -worth / 1e3 * m.block[0].racks_running

    found = solve_blocks([Block("all", opened(given), CutPool(given), share=(0.0, 1.0))], couple, gap=1e-5)
    assert best < -worth
    assert 0 < found.plans[0].racks_running < racks
    assert found.bound_usd <= best + 1e-4 * abs(best)
    assert found.cost_usd == pytest.approx(best, rel=1e-4)
    assert found.stopped_by == "gap"


def test_blocks_refuse_a_pool_of_another_load() -> None:
    given = small()
    with pytest.raises(ValueError, match=r"its load is not 0\.5"):
        Block("half", given, CutPool(given), scale=0.5)


def test_what_cannot_be_is_said() -> None:
    given = dataclasses.replace(small(), backup=())
    dark = given.with_resource(bounds_mw=(0.0, 1.0), widest_mw=None)
    with pytest.raises(InfeasibleDesign):
        solve_blocks([Block("dark", dark, CutPool(dark))], alone)


def test_a_master_takes_rows_of_the_caller() -> None:
    """Two blocks that must own the same array share it at the cost of both."""
    given = small()
    pool = CutPool(given)
    blocks = [Block(name, opened(given), pool) for name in "ab"]

    def couple(m: pyo.ConcreteModel) -> float:
        m.same = pyo.Constraint(expr=m.block[0].resource_mw["solar"] == m.block[1].resource_mw["solar"] + 5.0)
        return 0.0

    found = solve_blocks(blocks, couple, gap=1e-5)
    first, second = (plan.plant.solar_mw for plan in found.plans)
    assert first == pytest.approx(second + 5.0)
    assert found.cost_usd >= 2 * solve_cuts(given, gap=1e-5).bound_usd_per_yr
    assert BlockMaster(blocks, couple).solves == 0
