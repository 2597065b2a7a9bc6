"""Reserve as rows of the plan: both formulations one optimum, hand-solved cases, a bound that only rises."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sitedesign as sd
from sitedesign.batch.question import make_question
from sitedesign.batch.table import known_columns, read_sites
from sitedesign.case.build import build_case
from sitedesign.case.plant import Plant
from sitedesign.case.plant_limits import clip_to_limits
from sitedesign.case.relaxation import left_out
from sitedesign.case.reserve import ReserveRule, full_step, least_battery_mw
from sitedesign.cli.study_options import QuestionOptions
from sitedesign.errors import InfeasibleDesign
from sitedesign.influence.ranges import ranged_numbers
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.extensive_form import solve_extensive
from sitedesign.reliability.limit_check import broken_limits
from sitedesign.results.held import held
from sitedesign.serve.form import defaults, study_of
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


def test_a_reserve_is_asked_for_in_every_way(tmp_path):
    site, plain = sd.Site(latitude=31.76, longitude=-106.49), {"racks": 7, "uptime": 0.9}
    careful = sd.Study(site=site, **plain, reserve={}).reserve
    assert (careful.n_minus, careful.spinning_share, careful.battery_alone) == (1, 0.03, True)
    assert sd.Study(site=site, **plain).reserve is None
    file = tmp_path / "s.toml"
    file.write_text(
        "racks = 7\nuptime = 0.9\nlorries_per_day = {diesel = 2}\n[site]\nlatitude = 31.76\n"
        "longitude = -106.49\n[reserve]\nn_minus = 2\n[unit_rules.diesel]\nmin_down_h = 1\n"
    )
    study = sd.read_study(file, reserve={"load_step_mw": 0.5})
    assert (study.reserve.n_minus, study.reserve.load_step_mw) == (2, 0.5)
    assert study.unit_rules["diesel"].min_down_h == 1
    assert sd.Study(**study.to_dict() | {"weather": None}) == study
    assert QuestionOptions(reserve_n_minus=2).fields_given() == {"reserve": {"n_minus": 2}}
    assert {"reserve.n_minus", "lorries_per_day.diesel"} <= set(known_columns())
    assert study_of(defaults() | {"amount": 7, "reserve.n_minus": 2}).reserve.n_minus == 2
    assert study_of(defaults() | {"amount": 7}).reserve is None
    with pytest.raises(sd.InputError) as caught:
        sd.Study(site=site, **plain, reserve={"n_minus": -1, "hold": 3}, unit_rules={"boiler": {}})
    assert [fault.where for fault in caught.value.faults] == [
        "study.reserve.hold", "study.reserve.n_minus", "study.unit_rules.boiler",
    ]  # fmt: skip


def test_a_plan_says_what_it_leaves_to_the_operator():
    site = sd.Site(latitude=31.76, longitude=-106.49)
    study = sd.Study(site=site, racks=7, uptime=0.9, reserve={}, unit_rules={"diesel": {}})
    assert left_out(study) == (
        "; left to the operator: which units run for the reserve and starts, down times, ramps and calendars "
        "of units"
    )
    assert left_out(study.replace(reserve=None, unit_rules={})) == ""
    more = study.replace(lorries_per_day={"diesel": 2}, limits={"starts": {"diesel": 9}, "site_night_h": 100})
    for words in ("what lorries can bring", "limits on starts", "hours of noise at night"):
        assert words in left_out(more)


def test_a_ride_through_that_is_paid_costs_the_same_whatever_is_built():
    site = sd.Site(latitude=31.76, longitude=-106.49)
    study = sd.Study(site=site, racks=7, uptime=0.9, weather_years=1, ride_through="ups")
    paid, free = (build_case(item).case for item in (study, study.replace(ride_through="hall")))
    hall = study.facility
    capital = hall.ride_through_usd_per_kw * 1000 * study.contracted_it_mw
    rate, life = study.finance.wacc_power_real, hall.ride_through_life_yr
    yearly = capital * (rate / (1 - (1 + rate) ** -life) + hall.ride_through_om_fraction_per_yr)
    assert paid.fixed_usd_per_yr == pytest.approx(yearly)
    costs = [solve_cuts(item, gap=GAP).objective_usd_per_yr for item in (paid, free)]
    assert costs[0] - costs[1] == pytest.approx(yearly, rel=1e-3)


def test_numbers_of_rules_are_varied_only_where_they_are_asked_for():
    site = sd.Site(latitude=31.76, longitude=-106.49)
    plain = sd.Study(site=site, racks=7, uptime=0.9, backup=["diesel"])
    asked = plain.replace(unit_rules={"diesel": {}}, ride_through="ups", lorries_per_day={"diesel": 1})
    before, after = ({item.field for item in ranged_numbers(study)} for study in (plain, asked))
    assert {"min_down_h", "start_wear_usd_per_mw", "ride_through_usd_per_kw", "lorry_mmbtu"} <= after - before
    assert before < after


def test_a_careful_practice_brings_what_a_question_does_not_say():
    plain = sd.Study(site=sd.Site(latitude=31.76, longitude=-106.49), racks=7, uptime=0.9)
    careful = plain.replace(practice="careful")
    assert (careful.reserve, careful.ride_through) == (sd.Reserve(), "ups")
    assert careful.unit_rules == {item.name: sd.UnitRules() for item in plain.backup}
    assert (plain.reserve, plain.unit_rules, plain.ride_through) == (None, {}, "hall")
    # What is said stays, also where other units are asked for, and in what was saved
    own = careful.replace(
        ride_through="none", unit_rules={"diesel": {"min_down_h": 3}}, reserve={"n_minus": 2}
    )
    assert (own.ride_through, own.reserve.n_minus, own.unit_rules["diesel"].min_down_h) == ("none", 2, 3)
    for study in (own, sd.Study(**own.to_dict() | {"weather": None})):
        other = study.replace(backup=["diesel", "recip_medium_dual"])
        assert list(other.unit_rules) == ["diesel", "recip_medium_dual"]
        assert other.unit_rules["diesel"].min_down_h == 3
        assert study.replace(practice="plain").unit_rules == own._rules_said
    assert sd.Study(**careful.to_dict() | {"weather": None}) == careful
    # In a terminal, in the planner (whose choice of ride-through is left alone), in a table of sites
    assert QuestionOptions(practice="careful").fields_given() == {"practice": "careful"}
    assert study_of(defaults() | {"amount": 7, "practice": "careful"}).ride_through == "ups"
    row = {"latitude": 31.76, "longitude": -106.49, "practice": "careful"}
    row |= {"unit_rules.diesel.min_down_h": "2", "unit_rules.diesel.maintenance_weeks": "12;13"}
    sites = read_sites([row])
    of_row = make_question(None, {"racks": 7, "uptime": 0.9}, sites).study(sites.rows[0])
    assert of_row.reserve == sd.Reserve()
    assert of_row.unit_rules["diesel"] == sd.UnitRules(min_down_h=2, maintenance_weeks=(12, 13))
    with pytest.raises(sd.InputError, match=r"maintenance_weeks\[1\]: got 60; .* at most 52"):
        plain.replace(unit_rules={"diesel": {"maintenance_weeks": (3, 60)}})
    with pytest.raises(sd.InputError, match=r"study\.practice.*pays no ride-through by stage"):
        sd.roadmap(careful, ramp={12: 7})


def test_an_answer_says_what_is_held_and_what_is_not():
    study = sd.Study(site=sd.Site(latitude=31.76, longitude=-106.49), racks=7, uptime=0.9)
    assert held(study.to_dict(), 3, None, "CAREFUL") == (
        "lowest load and start times of units; not held: a reserve for the trip of the largest unit, wear "
        "and down time of starts, a ride-through that may fail (CAREFUL holds them)"
    )
    careful = held(study.replace(practice="careful").to_dict(), 3, None, "CAREFUL")
    assert careful == (
        "lowest load and start times of units, a reserve, wear and down time of starts, a ride-through that "
        "is paid and fails in 0.1 % of its use and the warranty of the battery"
    )
    assert held(study.to_dict(), 0, None, "CAREFUL") == ""
