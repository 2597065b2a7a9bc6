"""What one more unit of a limit saves: the dual against the same question with a little more."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

import sitedesign as sd
from sitedesign.case.case import Case, ImportCase
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.extensive_form import solve_extensive
from sitedesign.optimize.result import OptimizationResult
from tests.benchmarks.test_hub_speed import hub_of_years
from tests.hub_cases import hub
from tests.slow_rest import slow_after
from tests.test_grid_study import FLEXIBLE, SITE, bound

LAND_ACRES = 700.0


def connected(case: Case, more_mw: float = 0.0) -> Case:
    """The hub with another limit of its connection."""
    grid = case.imports[0]
    return dataclasses.replace(case, imports=(dataclasses.replace(grid, units_max=grid.units_max + more_mw),))


def windy(case: Case, more_mw: float = 0.0) -> Case:
    return case.with_resource("wind", bounds_mw=(0.0, 60.0 + more_mw))


def on_land(case: Case, more_acres: float = 0.0) -> Case:
    return dataclasses.replace(
        case, limits=dataclasses.replace(case.limits, land_acres=LAND_ACRES + more_acres)
    )


def selling(case: Case, more_mw: float = 0.0) -> Case:
    """The hub whose town takes exactly so much."""
    size = 20.0 + more_mw
    town = dataclasses.replace(case.sinks[0], units_min=size, units_max=size)
    return dataclasses.replace(case, sinks=(town, *case.sinks[1:]))


@pytest.mark.parametrize(
    ("name", "limited"),
    slow_after(
        2, [("grid_mw", connected), ("land_acres", on_land), ("wind_mw", windy), ("town_mw", selling)]
    ),
)
def test_one_more_unit_saves_what_it_is_said_to(name: str, limited: Callable[..., Case]) -> None:
    """At the gap of a user, against two solves much closer than what a unit is worth."""
    case = hub_of_years(1, seed=3)
    miners = dataclasses.replace(case.sinks[1], units_min=3, units_max=3)  # whole ones are not told by a dual
    case = dataclasses.replace(case, sinks=(case.sinks[0], miners))
    said = solve_cuts(limited(case)).limit_prices[name]
    less, more = (solve_cuts(limited(case, by), gap=1e-8) for by in (-1.0, 1.0))
    assert less.plant.units == more.plant.units  # what a dual knows nothing of
    assert said == pytest.approx((less.objective_usd_per_yr - more.objective_usd_per_yr) / 2, rel=0.02)
    assert said != 0.0


def test_limits_that_hold_nothing_back_are_worth_nothing_and_derived_ones_are_none() -> None:
    case = connected(hub_of_years(1, seed=3), more_mw=500.0)
    prices = solve_cuts(case).limit_prices
    assert prices["grid_mw"] == pytest.approx(0.0, abs=1.0)
    open_ended = case.with_resource("wind", widest_mw=float("inf"))
    assert "wind_mw" not in solve_cuts(open_ended).limit_prices


@pytest.mark.parametrize("solve", [solve_cuts, solve_extensive])
def test_prices_lie_between_what_a_little_less_costs_and_a_little_more_saves(
    solve: Callable[..., OptimizationResult],
) -> None:
    """Small hubs full of kinks, where the two differ; both methods give a price between them."""
    looked_at, by = 0, 1e-3
    for seed in range(70):
        case = hub(seed, steps=12)
        bought = [item for item in case.imports if not item.whole and item.units_min < item.units_max]
        if not bought:
            continue
        try:
            found, less, more = (
                solve(with_import(case, bought[0], change), gap=1e-9) for change in (0, -by, by)
            )
        except sd.InfeasibleDesign:
            continue
        size = found.plant.imports[case.imports.index(bought[0])]
        if size == 0.0 or not found.plant.units == less.plant.units == more.plant.units:
            continue
        costs = [sizing.objective_usd_per_yr for sizing in (less, found, more)]
        rounding = 1e-7 * abs(costs[1]) / by
        price = found.limit_prices[f"{bought[0].name}_mw"]
        assert (costs[1] - costs[2]) / by - rounding <= price <= (costs[0] - costs[1]) / by + rounding
        looked_at += 1
        if looked_at == 8:
            break
    assert looked_at == 8


def with_import(case: Case, item: ImportCase, more_mw: float) -> Case:
    """The case with another limit of one of its imports."""
    changed = dataclasses.replace(item, units_max=item.units_max + more_mw)
    return dataclasses.replace(case, imports=tuple(changed if i is item else i for i in case.imports))


@pytest.mark.parametrize(
    ("solve", "seed"), [(solve_cuts, 13), (solve_cuts, 17), (solve_extensive, 18), (solve_extensive, 56)]
)
def test_sale_through_the_wires_of_a_connection_has_its_whole_price(
    solve: Callable[..., OptimizationResult], seed: int
) -> None:
    """Its limit stands twice, in its bound and in the row that counts the wires as used."""
    case = hub(seed, steps=12)
    town = next(item for item in case.sinks if not item.whole and item.units_max > 0)
    levels = tuple(dataclasses.replace(lv, usd_per_mwh=lv.usd_per_mwh + 20.0) for lv in town.levels)
    most = max(0.5 * town.units_max, 0.5)

    def selling_up_to(mw: float) -> OptimizationResult:
        wired = dataclasses.replace(
            town, units_min=0.0, units_max=mw, needs=case.imports[0].name, levels=levels,
            annual_cost_usd_per_unit=0.0,
        )  # fmt: skip
        sinks = tuple(wired if item is town else item for item in case.sinks)
        return solve(dataclasses.replace(case, sinks=sinks), gap=1e-9)

    less, found, more = (selling_up_to(most + by) for by in (-1e-3, 0.0, 1e-3))
    assert less.plant.units == found.plant.units == more.plant.units
    said = found.limit_prices[f"{town.name}_mw"]
    assert said > 1.0
    assert said == pytest.approx((less.objective_usd_per_yr - more.objective_usd_per_yr) / 2e-3, rel=1e-3)


def test_a_design_says_what_one_more_mw_of_connection_saves() -> None:
    design = bound(FLEXIBLE | {"mw": 5}, gap=1e-6)
    more, less = (bound(FLEXIBLE | {"mw": 5 + by}, gap=1e-6) for by in (0.25, -0.25))
    assert more.backup == less.backup
    assert design.limit_prices["grid_mw"] == pytest.approx((less.cost - more.cost) / 0.5, rel=0.02)
    words = f"MW of grid {design.limit_prices['grid_mw']:,.0f}"
    assert words in dict(design.summary())["one more unit"]
    assert sd.Design.from_dict(design.to_dict()).limit_prices == design.limit_prices


def test_an_island_without_limits_has_no_such_line() -> None:
    design = sd.solve(
        sd.Study(site=SITE, racks=20, uptime=0.99, weather_years=1, backup="diesel"), certify=False
    )
    assert design.limit_prices == {}
    assert "one more unit" not in dict(design.summary())


def test_a_size_in_no_row_has_no_price() -> None:
    """A sink that can never take anything stands in no row of the hour-by-hour model."""
    found = solve_extensive(hub(11430), gap=1e-3, explain_infeasible=False)
    assert all(usd >= 0.0 for name, usd in found.limit_prices.items() if name.startswith("grid"))
    assert found.limit_prices.keys() >= {"solar_mw", "battery_mwh", "battery_mw"}
