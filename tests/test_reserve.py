"""Reserve as rows of the plan: both formulations one optimum, hand-solved cases, a bound that only rises."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sitedesign.case.plant import Plant
from sitedesign.case.plant_limits import clip_to_limits
from sitedesign.case.reserve import ReserveRule, full_step, least_battery_mw
from sitedesign.errors import InfeasibleDesign
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.extensive_form import solve_extensive
from sitedesign.reliability.limit_check import broken_limits
from tests import cases

GAP = 1e-6
DAYS = 4
SUN = np.tile(np.maximum(np.sin((np.arange(24) - 6) / 12 * np.pi), 0.0), DAYS)
LOAD = np.tile(np.where((np.arange(24) < 8), 80.0, 100.0), DAYS)
RULE = ReserveRule(battery_alone=True)


def island(reserve=None, **changes):
    """Four days with two kinds of units, one large and one small."""
    changes.setdefault("uptime_target", 0.999)
    large = cases.backup(LOAD.size, "large", unit_mw=40.0, annual_cost_usd_per_unit=2.4e6, units_max=6)
    small = cases.backup(
        LOAD.size, "small", unit_mw=9.0, annual_cost_usd_per_unit=0.7e6, marginal_cost_usd_per_mwh=75.0
    )
    return cases.case(SUN, LOAD, backup=(large, small), reserve=reserve, **changes)


def cheapest(case):
    """Both formulations, which must agree."""
    fast, slow = solve_cuts(case, gap=GAP), solve_extensive(case, gap=GAP)
    assert fast.objective_usd_per_yr == pytest.approx(slow.objective_usd_per_yr, rel=4 * GAP)
    assert broken_limits(case, fast.plant) == broken_limits(case, slow.plant) == ()
    return fast


def test_the_battery_carries_the_largest_unit_that_is_built():
    without, held = cheapest(island()), cheapest(island(RULE))
    largest = max(item.unit_mw for item, n in zip(island().backup, held.plant.units, strict=True) if n)
    assert held.plant.battery_mw >= largest * (1 - 1e-6)
    assert held.objective_usd_per_yr >= without.objective_usd_per_yr * (1 - GAP)


def test_a_battery_of_little_power_leaves_only_small_units():
    case = island(RULE, limits={"battery_mw": (0.0, 10.0), "solar_mw": (0.0, 0.0)})
    plant = cheapest(case).plant
    assert plant.units[0] == 0
    assert 9.0 - 1e-6 <= plant.battery_mw <= 10.0


def test_a_step_of_the_load_is_carried_by_the_battery_and_by_all_that_is_built():
    rule = ReserveRule(n_minus=0, load_step_mw=25.0, battery_alone=True)
    plant = cheapest(island(rule, uptime_target=0.9999, limits={"solar_mw": (0.0, 0.0)})).plant
    assert plant.battery_mw >= 25.0 - 1e-6
    # No hour may lack it, and next to nothing be shed: 125 MW in all
    built = sum(n * item.unit_mw for n, item in zip(plant.units, island().backup, strict=True))
    assert built + plant.battery_mw >= 125.0 - 0.1


def test_what_is_built_need_not_hold_the_reserve_in_hours_that_may_lack_it():
    strict, lax = (ReserveRule(0, load_step_mw=25.0, short_h_per_yr=h) for h in (0.0, 96.0))
    assert full_step(island(strict)).needed_mw > full_step(island(lax)).needed_mw == 0.0


def test_units_that_stand_by_are_reserve_too():
    limits = {"n_plus": 1, "solar_mw": (0.0, 0.0)}
    rule = ReserveRule(n_minus=0, spinning_share=0.3)
    with_spares = cheapest(island(rule, limits=limits))
    plain = cheapest(island(None, limits=limits))
    assert with_spares.objective_usd_per_yr >= plain.objective_usd_per_yr * (1 - GAP)


@given(
    st.integers(0, 2),
    st.sampled_from([0.0, 15.0, 60.0]),
    st.sampled_from([0.0, 0.2]),
    st.booleans(),
    st.sampled_from([0.9, 0.999]),
)
@settings(max_examples=4, deadline=None, derandomize=True)
def test_a_bound_with_a_rule_is_never_below_one_without(n_minus, step, share, alone, uptime):
    rule = ReserveRule(n_minus, step, share, 0.25, battery_alone=alone)
    held, plain = (cheapest(island(r, uptime_target=uptime)) for r in (rule, None))
    assert held.bound_usd_per_yr >= plain.bound_usd_per_yr * (1 - 4 * GAP)


def test_a_search_keeps_to_what_the_battery_must_carry():
    case = island(RULE)
    weak = Plant((100.0,), 400.0, 5.0, (1, 2), case.racks_contracted)
    assert broken_limits(case, weak) == (
        "battery power for a trip or a step of the load: 5 MW, at least 40 asked",
    )
    moved = clip_to_limits(weak, case)
    assert moved.battery_mw == 40.0
    assert broken_limits(case, moved) == ()
    assert least_battery_mw(case, (0, 2)) == 9.0
    assert least_battery_mw(dataclasses.replace(case, reserve=None), (1, 2)) == 0.0


def test_an_infeasible_request_names_the_units_whose_trip_the_battery_cannot_carry():
    limits = {"battery_mw": (0.0, 5.0), "solar_mw": (0.0, 0.0)}
    with pytest.raises(InfeasibleDesign, match="5 MW allowed: 40 MW for large, 9 MW for small"):
        solve_cuts(island(RULE, limits=limits), gap=GAP)
