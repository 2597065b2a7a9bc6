"""Plans that people make by hand: what each may choose from, and what is said where there is none."""

from __future__ import annotations

from datetime import date
from typing import Any

import sitedesign as sd
from sitedesign.errors import InfeasibleDesign, NotProvenOptimal
from sitedesign.phasing.from_study import Asked
from sitedesign.phasing.hand_made import GAS, SUN, WAIT, all_gas, hand_made_plans, sun_alone, waiting
from sitedesign.results.roadmap import Roadmap
from sitedesign.study.roadmap_defaults import usual_rental, with_usual
from tests.roadmaps import roadmap

SITE = {"latitude": 31.76, "longitude": -106.49, "elevation_m": 1200.0, "timezone": "America/Denver"}
GRID = sd.Grid(mw=100, kind="firm", months=30, tariff="ercot")


def question(**changes: Any) -> tuple[sd.Study, Asked]:
    fields = {
        "racks": 700, "uptime": 0.999, "backup": ["recip_medium", "diesel"], "wind": ["onshore_6mw_170"],
        "grid": GRID, "limits": {"units": {"diesel": 4, "recip_medium": 9}, "land_acres": 900},
    }  # fmt: skip
    study = sd.Study(site=SITE, **(fields | changes))
    rented = (usual_rental("mobile_gt", 3), usual_rental("diesel", 4))
    ramp = sd.Ramp(steps={6: 100, 12: 700})
    return study, Asked(ramp, 2e4, date(2027, 1, 1), 240, rented, with_usual((), study))


def test_who_waits_has_nothing_before_the_grid() -> None:
    study, asked = question()
    same, waits = waiting(study, asked)
    assert same is study
    assert waits.rentals == ()
    leads = {item.technology: item.lead_months for item in waits.deliveries}
    assert leads == dict.fromkeys(("solar", "battery", "onshore_6mw_170", "recip_medium", "diesel"), 30)
    rates = {item.technology: item.mw_per_month for item in waits.deliveries}
    assert rates["solar"] == 40


def test_what_is_slower_than_the_grid_stays_slower() -> None:
    waits = waiting(*question(grid=GRID.replace(months=12)))[1]
    leads = {item.technology: item.lead_months for item in waits.deliveries}
    assert leads == {"solar": 12, "battery": 12, "onshore_6mw_170": 24, "recip_medium": 24, "diesel": 20}


def test_who_waits_takes_the_date_that_was_given_for_the_grid() -> None:
    study, asked = question()
    later = with_usual((sd.Delivery(technology="grid", lead_months=48),), study)
    waits = waiting(study, Asked(**(vars(asked) | {"deliveries": later})))[1]
    assert {item.lead_months for item in waits.deliveries} == {48}


def test_nobody_waits_for_a_grid_that_is_not_asked_for() -> None:
    assert waiting(*question(grid=None)) == "no grid is asked for"


def test_all_gas_buys_and_rents_what_burns_gas_and_nothing_else() -> None:
    study, asked = all_gas(*question())
    assert [item.name for item in study.backup] == ["recip_medium"]
    assert (study.wind, study.grid) == ((), None)
    assert study.limits.solar_mw == study.limits.battery_mwh == (0, 0)
    assert study.limits.units == {"recip_medium": (0, 9)}
    assert study.limits.land_acres == 900
    assert [item.technology for item in asked.rentals] == ["mobile_gt"]
    assert {item.technology for item in asked.deliveries} == {"solar", "battery", "recip_medium"}
    study, asked = question(backup=["diesel"], limits={})
    assert all_gas(study, Asked(**(vars(asked) | {"rentals": ()}))) == "no gas engine or turbine is asked for"


def test_sun_alone_has_neither_units_nor_grid_nor_rentals() -> None:
    study, asked = sun_alone(*question())
    assert (study.backup, study.wind, study.grid, asked.rentals) == ((), (), None, ())
    assert {item.technology for item in asked.deliveries} == {"solar", "battery"}


def test_plans_carry_their_figures_or_the_reason_why_there_is_none() -> None:
    def solve(study: sd.Study, asked: Asked) -> Roadmap:
        if not study.backup:
            reason = "no array is large enough"
            raise InfeasibleDesign(reason)
        if study.grid is None:
            message = "stopped by the time limit"
            raise NotProvenOptimal(message, roadmap(), -1.0)
        return roadmap()

    wait, gas, sun = hand_made_plans(*question(), solve)
    assert (wait.name, gas.name, sun.name) == (WAIT, GAS, SUN)
    assert wait.net_present_value_usd == roadmap().net_present_value_usd
    assert (wait.first_power_month, wait.rack_months_idle) == (6, 1660)
    assert gas.stages == roadmap().stages
    assert (sun.net_present_value_usd, sun.reason) == (None, "no array is large enough")


def test_a_plan_that_cannot_be_asked_says_why() -> None:
    study, asked = question(grid=None, backup=["diesel"], limits={})
    asked = Asked(**(vars(asked) | {"rentals": ()}))

    def solve(study: sd.Study, asked: Asked) -> Roadmap:
        assert (study.backup, asked.rentals) == ((), ())
        return roadmap()

    reasons = [plan.reason for plan in hand_made_plans(study, asked, solve)]
    assert reasons == ["no grid is asked for", "no gas engine or turbine is asked for", ""]
