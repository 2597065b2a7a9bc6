"""Roadmaps of toy cases: against every hour in one model, every order by hand, and what must be so."""

from __future__ import annotations

import dataclasses
import itertools
import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

import sitedesign as sd
from sitedesign.case.case import Case, ImportCase, PriceLevel
from sitedesign.case.plant_limits import opened
from sitedesign.case.reserve import ReserveRule
from sitedesign.errors import InfeasibleDesign
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.block_master import BlockMaster, add_block
from sitedesign.optimize.blocks import BlockSearch
from sitedesign.optimize.cut_pool import CutPool
from sitedesign.optimize.extensive_form import add_operation_model, solve_extensive
from sitedesign.optimize.highs import solve_once
from sitedesign.phasing.answer import net_present_cost_usd, orders_of, stages_of, value_usd
from sitedesign.phasing.explain import explained
from sitedesign.phasing.from_study import credit_of
from sitedesign.phasing.problem import Path as Dates
from sitedesign.phasing.problem import RoadmapProblem, costs_from
from sitedesign.phasing.question import BATTERY_MW, BATTERY_MWH, DeliveryCase, RentalCase, RoadmapCase
from sitedesign.phasing.resolved import resolved
from sitedesign.phasing.scenarios import solve_scenarios
from sitedesign.phasing.search import RoadmapPlan, scale_of, solve_roadmap
from sitedesign.phasing.timeline import StageTime, stage_times
from sitedesign.phasing.worth import _with, months_worth
from sitedesign.results.roadmap import MonthsWorth, discount_factor, discounted_years
from sitedesign.study.roadmap_inputs import Scenario
from tests.cases import backup, case

STEPS = 48
RACKS = 8
SHARED = Path(__file__).parent / "data" / "time_to_power" / "worked_cases.json"


def toy(**changes: Any) -> Case:
    """Two days of 80 MW for eight racks that never fail, an array, a battery, engines, units on trailers."""
    hour = (np.arange(STEPS) + 15) % 24
    sun = np.clip(np.sin((hour - 6) / 12 * np.pi), 0, None) * np.repeat([1.0, 0.6], 24)
    year = 8760 / STEPS
    engine = backup(STEPS, "engine", unit_mw=11.0, annual_cost_usd_per_unit=1.5e6 / year, units_max=9)
    mobile = backup(
        STEPS,
        "mobile",
        unit_mw=16.0,
        annual_cost_usd_per_unit=2.4e6 / year,
        marginal_cost_usd_per_mwh=85.0,
        units_max=6,
    )
    base = case(
        sun,
        80.0,
        backup=(engine, mobile),
        solar={"annual_cost_usd_per_mw": 70e3 / year},
        battery_cost_usd_per_mwh_yr=15e3 / year,
        battery_cost_usd_per_mw_yr=9e3 / year,
        racks_contracted=RACKS,
        racks_max=RACKS,
        uptime_target=0.99,
        limits={"battery_mwh": (0.0, 5000.0), "battery_mw": (0.0, 500.0)},
    )
    return dataclasses.replace(base, **changes)


def grid(months: float = 0.0, most: float = 100.0, price: float = 40.0) -> ImportCase:
    return ImportCase(
        "grid", np.ones((1, STEPS)), (PriceLevel("energy", price, 0.4),), 400.0, months, 0.0, most
    )


RENTAL = RentalCase("mobile", 3, 3.0, 600.0, 1500.0, 12.0)
DELIVERIES = {
    "solar": DeliveryCase(10.0, 10.0),
    BATTERY_MWH: DeliveryCase(9.0),
    BATTERY_MW: DeliveryCase(9.0),
    "engine": DeliveryCase(18.0),
    "grid": DeliveryCase(30.0),
}


def question(**changes: Any) -> RoadmapCase:
    """Racks in month 6, 18 and 30; rented units first, engines from month 18, the grid in month 30."""
    base = RoadmapCase(
        toy(imports=(grid(),)),
        ((6.0, 2), (18.0, 5), (30.0, RACKS)),
        120.0,
        0.06,
        DELIVERIES,
        (RENTAL,),
        None,
        frozenset({"mobile"}),
        most_stages=6,
    )
    return dataclasses.replace(base, **changes)


def small_study(**changes: Any) -> sd.Study:
    site = sd.Site(latitude=31.76, longitude=-106.49)
    given = {"racks": 40, "uptime": 0.99, "backup": ["recip_fast"], "weather_years": 1, "seed": 3}
    return sd.Study(site=site, **(given | changes))


def solved(asked: RoadmapCase, gap: float = 1e-5) -> RoadmapPlan:
    return solve_roadmap(asked, gap=gap)


def cost(asked: RoadmapCase, gap: float = 1e-5) -> float:
    """Net present cost less value. [USD]"""
    return solved(asked, gap).cost_usd


def hour_by_hour(asked: RoadmapCase, times: tuple[StageTime, ...]) -> pyo.ConcreteModel:
    """Every hour of every stage in one model. [thousand USD]"""
    problem = RoadmapProblem([Dates(asked, times)], CutPool(asked.case))
    m = pyo.ConcreteModel()
    m.block = pyo.Block(range(len(times)))
    for i, item in enumerate(problem.blocks):
        add_block(m.block[i], item)
        add_operation_model(m.block[i], item.case)
    extra = problem.couple(m)
    m.cost = pyo.Objective(
        expr=sum(item.weight * m.block[i].annual_cost.expr for i, item in enumerate(problem.blocks)) + extra
    )
    return m


# Against every hour in one model ----------------------------------------------------------------------------


@pytest.mark.parametrize("stages", [2, 3])
def test_hour_by_hour_model_of_all_stages_has_the_same_optimum(stages: int) -> None:
    asked = question(most_stages=stages)
    if stages == 2:
        asked = dataclasses.replace(asked, steps=((6.0, 3), (30.0, RACKS)))
    times = stage_times(asked)
    assert len(times) == stages
    whole = solve_once(hour_by_hour(asked, times), gap=1e-6)
    plan = solved(asked)
    assert plan.stopped_by == "gap"
    assert plan.cost_usd == pytest.approx(1e3 * whole.objective, rel=1e-4)
    assert plan.bound_usd <= 1e3 * whole.objective * (1 + 1e-7)


def test_one_stage_over_the_life_is_the_question_of_one_plant() -> None:
    given = toy(imports=(grid(),))
    asked = question(case=given, steps=((0.0, RACKS),), deliveries={}, rentals=(), rented_only=frozenset())
    plan = solved(asked)
    one = solve_cuts(given, gap=1e-5)
    years = discounted_years(0.0, 120.0, 0.06)
    assert len(plan.paths[0].times) == 1
    assert plan.cost_usd == pytest.approx(years * one.objective_usd_per_yr, rel=2e-5)


def test_a_reserve_is_carried_in_every_stage_by_what_stands_there() -> None:
    """As one plant alone where there is one stage; a unit for rent that has left need not be carried."""
    given = toy(imports=(grid(),), reserve=ReserveRule(battery_alone=True, spinning_share=0.03))
    whole = question(case=given, steps=((0.0, RACKS),), deliveries={}, rentals=(), rented_only=frozenset())
    one = solve_cuts(given, gap=1e-5)
    assert cost(whole) == pytest.approx(
        discounted_years(0.0, 120.0, 0.06) * one.objective_usd_per_yr, rel=2e-5
    )
    battery = {BATTERY_MWH: DeliveryCase(6.0), BATTERY_MW: DeliveryCase(6.0)}
    asked = question(case=given, most_stages=3, deliveries=DELIVERIES | battery)
    plan = solved(asked)
    for stage in plan.stages[0]:
        plant = stage.block.plant
        trips = [
            n * item.unit_mw for n, item in zip((min(u, 1) for u in plant.units), given.backup, strict=True)
        ]
        assert plant.battery_mw >= max(trips) - 1e-6
    hours = 1e3 * solve_once(hour_by_hour(asked, plan.paths[0].times), gap=1e-6).objective
    assert plan.cost_usd == pytest.approx(hours, rel=1e-4)
    without = dataclasses.replace(asked, case=dataclasses.replace(given, reserve=None))
    assert plan.cost_usd > cost(without) * (1 + 1e-4)


def test_with_many_racks_a_month_is_worth_what_the_hour_by_hour_models_differ_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sitedesign.phasing.worth._MANY_RACKS", 0)
    dates = DELIVERIES | {"solar": DeliveryCase(10.0)}
    asked = question(most_stages=5, deliveries=dates)
    plan = solved(asked, 1e-3)
    found = months_worth(plan)

    def least(given: RoadmapCase, times: tuple[StageTime, ...]) -> float:
        m = hour_by_hour(given, times)
        pyo.TransformationFactory("core.relax_integer_vars").apply_to(m)
        return 1e3 * solve_once(m).objective

    for name, month, worth in (
        ("grid", 29.0, found.grid_month_usd),
        ("solar", 9.0, found.lead_month_usd["solar"]),
    ):
        times = _with(plan.paths[0], month)
        sooner = dataclasses.replace(asked, deliveries=dates | {name: DeliveryCase(month)})
        differ = least(asked, times) - least(sooner, times)
        assert differ > 1e-4 * plan.scale_usd
        assert worth == pytest.approx(differ, rel=0.02)


def test_with_many_racks_a_unit_is_worth_what_a_fresh_linear_program_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A large unit for rent stands in for many small ones: nothing of the plan may hold the answer back."""
    monkeypatch.setattr("sitedesign.phasing.worth._MANY_RACKS", 0)
    small = dataclasses.replace(toy().backup[0], unit_mw=2.0, annual_cost_usd_per_unit=5e3, units_max=60)
    given = toy(imports=(grid(),), backup=(small, toy().backup[1]))
    worth = 80_000.0 * STEPS * 12 / 8760
    one = (dataclasses.replace(RENTAL, units=1),)
    dates = DELIVERIES | {"engine": DeliveryCase(8.0, 1.0)}
    asked = question(case=given, most_stages=5, steps=((6.0, RACKS),), rentals=one, deliveries=dates)
    asked = dataclasses.replace(asked, value_usd_per_rack_month=worth)
    plan = solved(asked, 1e-3)

    def least(units: int) -> float:
        rented = (dataclasses.replace(RENTAL, units=units),)
        changed = dataclasses.replace(asked, rentals=rented)
        problem = RoadmapProblem([Dates(changed, plan.paths[0].times)], CutPool(given))
        master = BlockMaster(problem.blocks, problem.couple)
        master.all_vary()
        return BlockSearch(master, 1e-7).least_usd(1e-7, 60)

    unit = least(1) - least(2)
    assert unit > 1e-3 * plan.scale_usd
    assert months_worth(plan).rented_unit_usd["mobile"] == pytest.approx(unit, rel=0.02)


# By hand ----------------------------------------------------------------------------------------------------


def test_every_order_of_two_technologies_in_four_stages_tried_by_hand() -> None:
    """Engines that are dear to own and cheap to run, turbines the other way; no sun: cost is plain sums."""
    year, load = 8760 / STEPS, 10.0
    engine = backup(STEPS, "engine", annual_cost_usd_per_unit=1.2e6 / year, marginal_cost_usd_per_mwh=50.0)
    turbine = backup(STEPS, "turbine", annual_cost_usd_per_unit=0.4e6 / year, marginal_cost_usd_per_mwh=95.0)
    given = toy(
        backup=(dataclasses.replace(engine, units_max=4), dataclasses.replace(turbine, units_max=4)),
        uptime_target=1.0 - 1e-9,
        load_mw=np.full(STEPS, 4 * load),
        racks_contracted=4,
        racks_max=4,
    ).with_resource(bounds_mw=(0.0, 0.0), widest_mw=None)
    rates = {"engine": DeliveryCase(14.0, 2.0), "turbine": DeliveryCase(4.0, 5.0)}
    asked = RoadmapCase(given, ((6.0, 1), (10.0, 2), (20.0, 3), (30.0, 4)), 60.0, 0.08, rates, most_stages=4)
    plan = solved(asked)
    begins, racks = (6.0, 10.0, 20.0, 30.0), (1, 2, 3, 4)
    assert tuple(time.begins for time in plan.paths[0].times) == begins
    years = [discounted_years(a, b, 0.08) for a, b in itertools.pairwise((*begins, 60.0))]
    hours = STEPS * 1.0
    best = np.inf
    paths = [p for p in itertools.product(range(5), repeat=4) if list(p) == sorted(p)]
    for engines, turbines in itertools.product(paths, paths):
        possible = all(
            e + t >= k and 10 * e <= rates["engine"].by(m) and 10 * t <= rates["turbine"].by(m)
            for e, t, k, m in zip(engines, turbines, racks, begins, strict=True)
        )
        if possible:
            total = 0.0
            for e, t, k, y in zip(engines, turbines, racks, years, strict=True):
                by_engine = min(e, k) * load * hours
                fuel = 50.0 * by_engine + 95.0 * (k * load * hours - by_engine)
                total += y * (1.2e6 / year * e + 0.4e6 / year * t + fuel)
            best = min(best, total)
    assert np.isfinite(best)
    assert plan.cost_usd == pytest.approx(best, rel=1e-5)


def test_value_of_a_rack_decides_how_many_run() -> None:
    """Every number of racks in both stages by hand: the value less what they cost as a promise."""
    worth = 80_000.0 * STEPS * 12 / 8760  # a rack-month of two days that stand for a year
    racks = 4
    few = toy(imports=(grid(),), racks_contracted=racks, racks_max=racks)
    base = question(case=few, most_stages=2, horizon_months=48.0)
    years = None
    best = 0.0
    for first, second in itertools.product(range(racks + 1), repeat=2):
        if first > second:
            continue
        steps = tuple(step for step in ((10.0, first), (30.0, second)) if step[1] > 0)
        if not steps or (first and steps[0][0] != 10.0):
            continue
        try:
            plan = solved(dataclasses.replace(base, steps=steps), 1e-4)
        except InfeasibleDesign:
            continue
        years = [time.months for time in plan.paths[0].times]
        stages = stages_of(plan)
        earned = sum(
            12 * worth * stage.racks_running * weight
            for stage, weight in zip(stages, plan.paths[0].weights, strict=True)
        )
        best = min(best, plan.cost_usd - earned)
    asked = dataclasses.replace(base, steps=((10.0, racks),), value_usd_per_rack_month=worth)
    plan = solved(asked, 1e-4)
    assert years is not None
    assert [time.begins for time in plan.paths[0].times] == [10.0, 30.0]
    assert plan.cost_usd <= best + 2e-4 * plan.scale_usd
    assert plan.bound_usd <= best + 1e-6 * plan.scale_usd
    stages = stages_of(plan)
    path = plan.paths[0]
    total = net_present_cost_usd(path, stages) - value_usd(path, stages)
    assert total == pytest.approx(plan.cost_usd, abs=1e-6 * plan.scale_usd)


# What must be so --------------------------------------------------------------------------------------------


def test_stages_and_orders_add_up_to_the_plan() -> None:
    asked = question(costs_at=lambda month: {"solar": 70e3 * STEPS / 8760 * (0.7 if month < 20 else 1.0)})
    plan = solved(asked)
    path, stages = plan.paths[0], stages_of(plan)
    assert net_present_cost_usd(path, stages) == pytest.approx(plan.cost_usd, rel=1e-7)
    assert all(stage.uptime >= 0.99 - 1e-6 for stage in stages)
    orders = orders_of(path, plan.stages[0], {})
    for order in orders:
        assert order.order_month >= 0.0
        if order.kind != "rented":
            known = {"battery": BATTERY_MW}.get(order.technology, order.technology)
            lead = asked.delivery(known).lead_months
            assert order.delivery_month - order.order_month == pytest.approx(lead)
    rented = [order for order in orders if order.kind == "rented"]
    assert rented
    assert all(order.retire_month - order.delivery_month >= 12.0 for order in rented if order.retire_month)
    # What is owned never becomes less, and is never more than can be there
    for before, after in itertools.pairwise(plan.stages[0]):
        assert all(size >= before.owned[name] - 1e-6 for name, size in after.owned.items())
    for stage in plan.stages[0]:
        assert stage.owned["solar"] <= asked.delivery("solar").by(stage.time.begins) + 1e-6
    # An array that comes in time for its credit is paid at that credit to the end
    early = costs_from(asked, 12.0)["solar"]
    assert early == pytest.approx(0.7 * costs_from(asked, 30.0)["solar"])


def test_a_rental_that_is_free_and_always_there_is_always_used() -> None:
    free = RentalCase("mobile", 6, 0.0, 0.0)
    mobile = dataclasses.replace(toy().backup[1], marginal_cost_usd_per_mwh=0.0)
    given = toy(backup=(toy().backup[0], mobile), imports=(grid(),))
    plan = solved(question(case=given, rentals=(free,)))
    assert plan.cost_usd == pytest.approx(0.0, abs=1.0)
    for stage in plan.stages[0]:
        assert stage.rented[0] * 16.0 >= stage.time.racks * 10.0 * 0.98


def test_a_grid_at_month_0_without_limit_ends_all_else() -> None:
    cheap = dataclasses.replace(grid(most=1e4, price=5.0), annual_cost_usd_per_unit=10.0)
    deliveries = DELIVERIES | {"grid": DeliveryCase(0.0)}
    plan = solved(question(case=toy(imports=(cheap,)), deliveries=deliveries))
    for stage in plan.stages[0]:
        assert sum(stage.rented) == 0
        assert all(size < 1e-3 for name, size in stage.owned.items() if name not in ("grid",))
        assert stage.owned["grid"] == pytest.approx(10.0 * stage.time.racks, rel=0.02)


EASIER = {
    "earlier grid": {"deliveries": DELIVERIES | {"grid": DeliveryCase(20.0)}},
    "faster array": {"deliveries": DELIVERIES | {"solar": DeliveryCase(10.0, 30.0)}},
    "more rentals": {"rentals": (dataclasses.replace(RENTAL, units=5),)},
    "shorter term": {"rentals": (dataclasses.replace(RENTAL, min_term_months=0.0),)},
}


@pytest.mark.parametrize("name", EASIER)
def test_what_is_easier_is_never_dearer(name: str) -> None:
    base = question(most_stages=8, steps=((10.0, 3), (20.0, 4), (30.0, RACKS)))
    assert cost(dataclasses.replace(base, **EASIER[name])) <= cost(base) * (1 + 2e-5)


def test_a_ramp_that_cannot_be_kept_is_explained_by_its_first_month() -> None:
    early = question(steps=((6.0, 2), (30.0, RACKS)), rentals=())
    said = str(explained(early, CutPool(early.case)))
    assert "month 6 asks for 2 racks; nothing can deliver before month 11" in said
    much = question(steps=((6.0, 7), (30.0, RACKS)))
    with pytest.raises(InfeasibleDesign):
        solved(much)
    said = str(explained(much, CutPool(much.case)))
    assert "month 6 asks for 7 racks; what can be there by then keeps the uptime of 4" in said
    assert "3 units of mobile for rent" in said


# Dates that are not known, and what they are worth -------------------------------------------------------


def test_orders_are_the_same_until_it_shows_which_dates_come_true() -> None:
    asked = question(most_stages=5)
    soon = Scenario(name="soon", probability=0.5, months={"grid": 30})
    late = Scenario(name="late", probability=0.5, months={"grid": 48})
    plan = solve_scenarios(asked, [soon, late], gap=1e-5)
    known = [alone.cost_usd for alone in plan.known]
    assert known[0] == pytest.approx(cost(asked), rel=2e-5)
    assert known[0] < known[1]
    # Knowing is worth something, and no plan for both does better than the best for each
    assert plan.cost_usd > 1.01 * float(np.mean(known))
    first, second = plan.stages
    for name in first[0].owned:
        lead = asked.delivery(name).lead_months

        def ordered(stages: Any, months: float, of: str = name) -> float:
            there = [stage.owned[of] for stage in stages if stage.time.begins <= months]
            return there[-1] if there else 0.0

        late_lead = 48.0 if name == "grid" else lead
        for month in (0.0, 8.0, 29.0):
            mine, its = ordered(first, lead + month), ordered(second, late_lead + month)
            assert mine == pytest.approx(its, abs=1e-5)


def test_the_same_dates_twice_are_one() -> None:
    asked = question(most_stages=4)
    twice = [Scenario(probability=0.25), Scenario(probability=0.75)]
    assert solve_scenarios(asked, twice, gap=1e-5).cost_usd == pytest.approx(cost(asked), rel=2e-5)


@pytest.mark.parametrize(
    "worth",
    [
        pytest.param(None, id="promise"),
        pytest.param(80_000.0 * STEPS * 12 / 8760, id="value", marks=pytest.mark.slow),
    ],
)
def test_what_a_month_and_a_unit_are_worth_is_what_asking_again_says(worth: float | None) -> None:
    dates = DELIVERIES | {"solar": DeliveryCase(10.0)}  # without a rate the stages stay where they are
    asked = question(most_stages=14, value_usd_per_rack_month=worth, deliveries=dates)
    if worth is not None:
        asked = dataclasses.replace(asked, steps=((6.0, RACKS),))
    plan = solved(asked, 1e-6)
    found = months_worth(plan)
    sooner = dataclasses.replace(asked, deliveries=dates | {"grid": DeliveryCase(29.0)})
    more = dataclasses.replace(asked, rentals=(dataclasses.replace(RENTAL, units=4),))
    month, unit = (plan.cost_usd - cost(item, 1e-6) for item in (sooner, more))
    array = dataclasses.replace(asked, deliveries=dates | {"solar": DeliveryCase(9.0)})
    lead = plan.cost_usd - cost(array, 1e-6)
    assert found.lead_month_usd["solar"] == pytest.approx(lead, rel=0.02, abs=1e-5 * plan.scale_usd)
    assert lead > 1e-4 * plan.scale_usd
    assert month > 1e-3 * abs(plan.cost_usd)
    assert found.grid_month_usd == pytest.approx(month, rel=0.02)
    assert found.rented_unit_usd["mobile"] == pytest.approx(unit, rel=0.02, abs=1e-5 * plan.scale_usd)
    assert (unit > 1e-3 * plan.scale_usd) == (worth is not None)
    about = {"grid": month, "unit": unit}
    whole = resolved(plan, _with(plan.paths[0], 29.0), {"grid": sooner, "unit": more}, about)
    for name, saved in about.items():
        assert abs(whole[name].usd - saved) <= whole[name].within_usd + 3e-6 * plan.scale_usd
        assert whole[name].within_usd <= max(0.015 * saved, 1e-4 * plan.scale_usd)


def test_a_close_search_among_racks_that_fail_finds_what_the_usual_one_does() -> None:
    """Shares bounded from both sides, with the spare racks of those between: no plan is lost by it."""
    given = toy(imports=(grid(),), rack_availability=0.95, racks_max=16, rack_cost_usd_per_yr=9e3)
    worth = 80_000.0 * STEPS * 12 / 8760
    asked = question(case=given, steps=((6.0, RACKS),), value_usd_per_rack_month=worth)
    plan = solved(asked, 1e-4)
    problem = RoadmapProblem(plan.paths, plan.pool)
    search = BlockSearch(
        BlockMaster(problem.blocks, problem.couple), 2e-5, None, scale_of(problem), closely=True
    )
    close = search.solve()
    noise = 2e-5 * plan.scale_usd
    assert close.gap <= plan.gap + 2e-5
    assert plan.bound_usd - noise <= close.bound_usd <= plan.cost_usd + noise
    assert plan.bound_usd - noise <= close.cost_usd <= plan.cost_usd + noise


# Textbook ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def textbook() -> dict[str, Any]:
    """Closed forms of ``time_to_power``."""
    return dict(json.loads(SHARED.read_text(encoding="utf-8"))["textbook"])


def test_a_year_of_delay_at_a_flat_rent(textbook: dict[str, Any]) -> None:
    given = textbook["delay_flat_rent"]
    years = discounted_years(0.0, given["months"], given["discount_per_yr"])
    assert 12 * given["rent_usd_per_rack_month"] * years == pytest.approx(given["npv_loss_usd"], abs=1.0)
    monthly = sum(discount_factor(m, given["discount_per_yr"]) for m in range(1, given["months"] + 1))
    assert monthly / 12 == pytest.approx(years, rel=1e-12)


def test_a_phased_build_follows_the_table(textbook: dict[str, Any]) -> None:
    array = DeliveryCase(10.0, 40.0, 600.0)
    rack_months, racks = 0, 0
    for month, mw, expected in textbook["phased_build"]["months"]:
        assert array.by(month) == mw
        racks = min(727, racks + 300 if month >= 10 else 0, int(mw / 6 / 0.1375))
        assert racks == expected
        rack_months += racks
    assert rack_months == textbook["phased_build"]["rack_months_by_30"]


def test_solar_in_time_earns_its_credit_block_by_block(textbook: dict[str, Any]) -> None:
    given, built = textbook["itc_by_block"], textbook["phased_build"]
    start, study = date.fromisoformat(given["order_date"]), small_study()
    credited = before = 0.0
    for month, mw, _ in built["months"]:
        if credit_of(study, "solar", start, month) > 0.0:
            credited += mw - before
        before = mw
    assert credited == given["credited_mw"]
    assert 0.3 * credited / given["total_mw"] == pytest.approx(given["average_credit"])


def test_a_bridge_breaks_even_where_the_textbook_says(textbook: dict[str, Any]) -> None:
    """A bridge of 18 months pays when a kW-month of compute earns more than it costs, and not when less."""
    given = textbook["bridge_breakeven"]
    year, served = 8760 / STEPS, 10.0
    price = 40.0 + given["extra_energy_usd_per_mwh"]
    units = given["redundancy"]
    mobile = backup(
        STEPS, "mobile", unit_mw=served * units, annual_cost_usd_per_unit=0.0,
        marginal_cost_usd_per_mwh=given["extra_energy_usd_per_mwh"], units_max=1,
    )  # fmt: skip
    free = dataclasses.replace(grid(price=0.0), annual_cost_usd_per_unit=0.0)
    only = toy(backup=(mobile,), imports=(free,), load_mw=np.full(STEPS, served), uptime_target=1 - 1e-9,
               racks_contracted=1, racks_max=1)  # fmt: skip
    only = only.with_resource(bounds_mw=(0.0, 0.0), widest_mw=None)
    kw = 1e3 * served * units / year
    rental = RentalCase(
        "mobile", 1, 0.0, given["rent_usd_per_kw_month"] * kw, given["mobilisation_usd_per_kw"] * kw
    )
    cost_per_kw_month = (
        units * given["rent_usd_per_kw_month"]
        + 0.73 * given["extra_energy_usd_per_mwh"]
        + units * given["mobilisation_usd_per_kw"] / given["months"]
    )
    assert cost_per_kw_month == pytest.approx(given["cost_usd_per_kw_month_served"], abs=1e-6)
    assert price > 40.0
    for factor, runs in ((1.001, 1), (0.999, 0)):
        worth = factor * given["cost_usd_per_kw_month_served"] * 1e3 * served / year
        asked = RoadmapCase(
            only,
            ((0.0, 1),),
            36.0,
            0.0,
            {"grid": DeliveryCase(18.0)},
            (rental,),
            worth,
            frozenset({"mobile"}),
        )
        stages = stages_of(solved(asked))
        assert [stage.begins_month for stage in stages] == [0.0, 18.0]
        assert stages[0].racks_running == runs
        assert stages[1].racks_running == 1


def test_the_extensive_reference_of_one_stage_agrees() -> None:
    given = toy(imports=(grid(),))
    hours = solve_extensive(given, gap=1e-6).objective_usd_per_yr
    assert solve_cuts(opened(given), gap=1e-6).objective_usd_per_yr == pytest.approx(hours, rel=1e-5)


# The public face --------------------------------------------------------------------------------------------


def test_roadmap_of_a_study_adds_up_and_comes_back_from_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sitedesign.api.roadmap.months_worth", lambda _, **__: MonthsWorth(7.0))
    study = small_study(grid=sd.Grid(mw=8, tariff=60), construction_start=date(2026, 12, 1))
    found = sd.roadmap(
        study,
        ramp={18: 10, 24: 40},
        rentals=[sd.Rental(technology="mobile_gt", units=1, rent_usd_per_kw_month=42, from_month=6)],
        deliveries=[sd.Delivery(technology="grid", lead_months=36)],
        horizon_months=120,
        stages=4,
        worth=True,
    )
    assert found.gap <= 1e-3
    assert found.value_of_month_usd == 7.0
    assert found.start == date(2026, 12, 1)
    assert found.first_power_month == 18
    assert [stage.racks_running for stage in found.stages][-1] == 40
    assert found.net_present_cost_usd >= found.bound_usd
    assert all(stage.uptime >= 0.99 - 1e-6 for stage in found.stages)
    assert found.stages[0].connected_mw == 0.0
    assert sd.Roadmap.load(found.save(tmp_path / "plan.json")).to_dict() == found.to_dict()


def test_all_faults_of_a_roadmap_are_told_at_once() -> None:
    study = small_study(limits={"months_to_power": 20})
    with pytest.raises(sd.InputError) as told:
        sd.roadmap(
            study,
            ramp={6: 100},
            rentals=[sd.Rental(technology="steam_engine", units=1, rent_usd_per_kw_month=9)],
            deliveries=[sd.Delivery(technology="grid", lead_months=1)],
        )
    text = str(told.value)
    assert text.startswith("4 problems in the inputs of roadmap()")
    for part in ("months_to_power", "at most the 40 racks", "steam_engine", "'grid'"):
        assert part in text
    with pytest.raises(sd.InputError, match="a ramp or the value of a rack is needed"):
        sd.roadmap(small_study())
    held = small_study(reserve=sd.Reserve(load_step_mw=2))
    with pytest.raises(sd.InputError, match=r"2 problems(.|\n)*load_step_mw(.|\n)*given with a reserve"):
        sd.roadmap(held, ramp=40, dates="library")


def test_a_promise_before_anything_can_come_is_refused_in_plain_words() -> None:
    with pytest.raises(sd.InfeasibleDesign, match="month 2 asks for 10 racks; nothing can deliver before"):
        sd.roadmap(small_study(), ramp={2: 10, 24: 40})


def test_what_is_rented_may_leave_as_soon_as_its_least_time_is_over() -> None:
    """A stage begins when it is: no unit is paid for until the horizon for want of a date to leave."""
    rented = dataclasses.replace(RENTAL, min_term_months=50.0, usd_per_unit_month=9e4)
    asked = question(rentals=(rented,), most_stages=8)
    begins = [time.begins for time in stage_times(asked)]
    assert {6.0 + 50.0, 30.0 + 50.0} <= set(begins)  # of what came with the first racks, and with the last
    plan = solved(asked)
    held = [(stage.time.begins, stage.rented[0]) for stage in plan.stages[0]]
    assert held[0][1] > 0
    assert all(count == 0 for month, count in held if month >= 80.0)


def test_few_racks_of_many_get_the_spare_ones_that_pay_and_no_more() -> None:
    """An array feeds a few of 300 racks first: as few as 37 need spare ones of their own, not hundreds."""
    given = small_study(racks=300, uptime=0.999, backup=["recip_medium"])
    found = sd.roadmap(given, value_usd_per_rack_month=25_000.0, horizon_months=120, stages=8)
    few = [stage for stage in found.stages if 0 < stage.racks_running < 150]
    assert few
    for stage in few:
        assert 1 <= stage.racks_installed - stage.racks_running <= 4
    assert found.gap <= 1e-3


def test_scenarios_of_a_study_say_what_knowing_is_worth() -> None:
    found = sd.roadmap(
        small_study(grid=sd.Grid(mw=8, tariff=40)),
        ramp={24: 20, 36: 40},
        scenarios=[
            {"name": "soon", "months": {"grid": 36}, "probability": 0.5},
            {"name": "late", "months": {"grid": 60}, "probability": 0.5},
        ],
        horizon_months=120,
        stages=3,
    )
    assert [plan.name for plan in found.scenarios] == ["soon", "late"]
    expected = sum(plan.probability * plan.net_present_cost_usd for plan in found.scenarios)
    assert found.net_present_cost_usd == pytest.approx(expected)
    assert found.value_of_knowing_usd is not None
    assert found.value_of_knowing_usd >= -1e-3 * found.net_present_cost_usd
    assert sd.Roadmap.from_dict(found.to_dict()).to_dict() == found.to_dict()
