"""A plan's orders on other dates than planned: by hand, against the plan, never better for coming later."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

import sitedesign as sd
from sitedesign.cli.roadmapping import _dates
from sitedesign.phasing.on_dates import OnDates, PlanOnDates
from sitedesign.phasing.question import DeliveryCase, RentalCase, RoadmapCase
from sitedesign.phasing.sampled import Spread, drawn_months, sampled_dates
from sitedesign.phasing.search import RoadmapPlan
from sitedesign.results.sampled_dates import quantiles, standard_error
from sitedesign.study.roadmap_defaults import dates_of, usual_dates
from tests.cases import backup
from tests.test_roadmap_plan import STEPS, question, small_study, solved, toy

YEAR = 8760 / STEPS  # two days stand for a year
WORTH = 80_000.0 * 12 / YEAR
LOAD_MW, FUEL, RENT, OWNED, RENTED_FUEL = 10.0, 50.0, 4000.0, 1.2e6 / YEAR, 70.0


@cache
def toy_plan(worth: float | None) -> RoadmapPlan:
    return solved(question(value_usd_per_rack_month=worth))


@cache
def one_rack(term: float = 6.0) -> RoadmapPlan:
    """One rack that never fails and has no sun: a rented unit from month 3, an engine from month 12."""
    engine = backup(
        STEPS, "engine", annual_cost_usd_per_unit=OWNED, marginal_cost_usd_per_mwh=FUEL, units_max=1
    )
    mobile = backup(STEPS, "mobile", marginal_cost_usd_per_mwh=RENTED_FUEL, units_max=1)
    engine, mobile = (dataclasses.replace(item, unit_mw=LOAD_MW) for item in (engine, mobile))
    given = toy(
        backup=(engine, mobile), uptime_target=1.0 - 1e-9, load_mw=np.full(STEPS, LOAD_MW),
        racks_contracted=1, racks_max=1,
    ).with_resource(bounds_mw=(0.0, 0.0), widest_mw=None)  # fmt: skip
    asked = RoadmapCase(
        given, ((3.0, 1),), 36.0, 0.0, {"engine": DeliveryCase(12.0)},
        (RentalCase("mobile", 1, 3.0, RENT, 500.0, term),), 3 * WORTH, frozenset({"mobile"}),
    )  # fmt: skip
    plan = solved(asked)
    assert [stage.rented for stage in plan.stages[0]] == [(1,), (1,), (0,)]
    return plan


def by_hand(late: float, rented_late: float = 0.0) -> float:
    """Value less cost of :func:`one_rack`: the engine is paid for from month 12, the unit while there."""
    month = WORTH * 3
    energy = LOAD_MW * STEPS / 12
    came, rented = min(max(0.0, 12.0 + late), 36.0), 3.0 + rented_late
    until = min(max(came, rented + 6.0), 36.0)
    engine = (36.0 - max(came, 3.0)) * (month - FUEL * energy)
    before = max(0.0, came - rented) * (month - RENTED_FUEL * energy)
    return engine + before - (until - rented) * RENT - 500.0 - 2 * OWNED


# Against the plan -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("worth", [None, WORTH], ids=["promise", "value"])
def test_on_the_dates_of_the_plan_it_is_the_plan(worth: float | None) -> None:
    plan = toy_plan(worth)
    found = PlanOnDates(plan).on({})
    assert -found.net_present_value_usd == pytest.approx(plan.cost_usd, rel=1e-6)
    assert found.rack_months_late == 0.0
    assert [span.racks for span in found.spans] == [span.planned for span in found.spans]
    assert found.first_power_month == 6.0


def falls(values: Sequence[float]) -> bool:
    return all(b <= a + 1e-6 * abs(a) for a, b in pairwise(values))


@pytest.mark.parametrize("name", ["solar", "battery", "grid", "mobile"])
def test_what_comes_later_is_never_worth_more_and_runs_no_more_racks(name: str) -> None:
    on_dates = PlanOnDates(toy_plan(WORTH))
    found: list[OnDates] = [on_dates.on({name: late}) for late in (-12.0, -4.0, 0.0, 2.0, 9.0, 200.0)]
    assert falls([one.net_present_value_usd for one in found])
    assert falls([-one.rack_months_late for one in found])
    both = on_dates.on({name: 9.0, "grid": 9.0})
    assert both.net_present_value_usd <= found[4].net_present_value_usd * (1 + 1e-6)
    promised = PlanOnDates(toy_plan(None))
    assert falls([-promised.on({name: late}).rack_months_late for late in (-4.0, 0.0, 2.0, 9.0, 200.0)])


# By hand ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [-30.0, -12.0, -5.0, -2.0, 0.0, 1.0, 7.0, 24.0, 99.0])
def test_a_late_engine_by_hand(late: float) -> None:
    """The rented unit stays for as long as the engine is missing, and leaves when its term is over before."""
    found = PlanOnDates(one_rack()).on({"engine": late})
    assert found.net_present_value_usd == pytest.approx(by_hand(late), rel=1e-7)
    assert found.rack_months_late == 0.0


def test_a_late_rental_by_hand_waits_and_is_paid_from_when_it_comes() -> None:
    found = PlanOnDates(one_rack()).on({"mobile": 4.0, "engine": 2.0})
    assert found.net_present_value_usd == pytest.approx(by_hand(2.0, 4.0), rel=1e-7)
    assert (found.first_power_month, found.rack_months_late) == (7.0, 4.0)


def test_draws_by_hand() -> None:
    spreads = [Spread("engine", 9.0, 12.0, 20.0, 12.0)]
    drawn = sampled_dates(one_rack(), spreads, 40, 5)
    months = np.array(drawn.months["engine"])
    values = [by_hand(month - 12.0) for month in months]
    assert drawn.net_present_value_usd == pytest.approx(values, rel=1e-7)
    assert drawn.expected_usd == pytest.approx(np.mean(values))
    assert drawn.standard_error_usd == pytest.approx(np.std(values, ddof=1) / np.sqrt(40))
    assert drawn.planned_net_present_value_usd == pytest.approx(by_hand(0.0))
    (effect,) = drawn.effects
    assert effect.loss_usd == pytest.approx(by_hand(0.0) - np.mean(values))
    assert drawn.deciding == "engine"
    assert drawn.first_power_quantiles() == (3.0, 3.0, 3.0)
    assert drawn == sampled_dates(one_rack(), spreads, 40, 5)
    assert drawn.months != sampled_dates(one_rack(), spreads, 40, 6).months


def test_how_likely_a_stage_is_in_time_is_how_often_it_is() -> None:
    spreads = [Spread("mobile", 2.0, 3.0, 8.0, 3.0)]
    drawn = sampled_dates(one_rack(), spreads, 60, 1)
    months = np.array(drawn.months["mobile"])
    first = drawn.stages[0]
    share = np.mean(months <= 3.0)
    assert 0.2 < share < 0.9
    assert (first.begins_month, first.racks, first.probability) == (3.0, 1, pytest.approx(share))
    assert first.standard_error == pytest.approx(np.sqrt(share * (1 - share) / 60))
    assert drawn.first_power_quantiles() == quantiles(np.clip(months, 3.0, 12.0))
    assert drawn.rack_months_late == pytest.approx(np.clip(months, 3.0, 12.0) - 3.0)
    table = drawn.racks_table()
    assert table["p10"].tolist() == [
        int(quantiles([m <= t or t >= 12 for m in months])[0] and t >= 3) for t in range(36)
    ]


# What dates are drawn from ----------------------------------------------------------------------------------


def test_a_tenth_half_and_nine_tenths_of_the_dates_come_by_their_months() -> None:
    spread = Spread("grid", 240.0, 360.0, 600.0, 360.0)
    normal = 1.2815515655446004
    assert spread.at(np.array([-normal, 0.0, normal])).tolist() == [240.0, 360.0, 600.0]
    drawn = drawn_months([spread], 20_000, 3)["grid"]
    shares = [float(np.mean(drawn <= month)) for month in (240.0, 360.0, 600.0)]
    assert shares == pytest.approx([0.1, 0.5, 0.9], abs=0.01)
    assert Spread("grid", 7.0, 7.0, 7.0, 7.0).at(np.array([-3.0, 2.0])).tolist() == [7.0, 7.0]


def test_one_more_date_that_is_not_known_changes_no_other() -> None:
    one, other = Spread("grid", 24.0, 36.0, 60.0, 36.0), Spread("solar", 8.0, 10.0, 18.0, 10.0)
    alone, both = drawn_months([one], 9, 3), drawn_months([other, one], 9, 3)
    assert alone["grid"].tolist() == both["grid"].tolist()
    assert abs(float(np.corrcoef(both["grid"], both["solar"])[0, 1])) < 0.95


def test_dates_of_the_library_lie_around_those_that_are_planned() -> None:
    study = small_study(grid=sd.Grid(mw=8, tariff=60))
    rented = [sd.Rental(technology="mobile_gt", units=1, rent_usd_per_kw_month=42)]
    planned = {"solar": 20.0, "battery": 9.0, "recip_fast": 18.0, "grid": 36.0, "mobile_gt": 0.0}
    found = {item.technology: item for item in usual_dates(study, rented, planned)}
    assert list(found) == ["solar", "battery", "recip_fast", "grid"]
    assert (found["solar"].p10_months, found["solar"].p90_months) == (16.0, 36.0)
    assert (found["recip_fast"].p10_months, found["recip_fast"].p90_months) == (12.0, 24.0)
    sigma = sd.library.grid("firm").months_sigma
    assert found["grid"].p90_months == pytest.approx(36.0 * np.exp(1.2815515655 * sigma))
    assert found["grid"].p10_months * found["grid"].p90_months == pytest.approx(36.0**2)


# The public face --------------------------------------------------------------------------------------------


def test_dates_by_name_are_ranges() -> None:
    both = dates_of({"grid": (24, 36, 60), "solar": (9, 14)})
    assert both == (
        sd.DateRange(technology="grid", p10_months=24, p50_months=36, p90_months=60),
        sd.DateRange(technology="solar", p10_months=9, p90_months=14),
    )
    assert dates_of({"technology": "grid", "p10_months": 24, "p90_months": 60})[0].p50_months is None
    assert (dates_of(None), dates_of("library")) == ((), "library")
    for wrong in ("soon", 7, {"grid": 7}, {"grid": (3, 2, 1)}, [None]):
        with pytest.raises(sd.InputError):
            dates_of(wrong)


def test_dates_in_a_terminal() -> None:
    faults: list[sd.Fault] = []
    assert _dates(["library"], faults) == "library"
    assert _dates(["grid=24:36:60", "solar=9:14"], faults) == {"grid": [24, 36, 60], "solar": [9, 14]}
    assert not faults
    _dates(["grid=soon", "solar=9:14"], faults)
    assert [fault.where for fault in faults] == ["--dates"]


def test_a_study_on_drawn_dates_comes_back_from_a_file() -> None:
    study = small_study(grid=sd.Grid(mw=8, tariff=60))
    asked = {"value_usd_per_rack_month": 2e4, "horizon_months": 60, "stages": 3}
    found = sd.roadmap(study, **asked, dates={"grid": (24, 48, 60), "solar": (8, 18)}, draws=12)
    drawn = found.sampled
    assert drawn is not None
    assert drawn.planned_net_present_value_usd == pytest.approx(found.net_present_value_usd, rel=2e-3)
    assert {effect.technology for effect in drawn.effects} == {"grid", "solar"}
    assert len(drawn.racks) == 60
    assert "12 draws: leaves" in str(found)
    assert sd.Roadmap.from_dict(found.to_dict()) == found
    with pytest.raises(sd.InputError, match="around the 48 months of the plan"):
        sd.roadmap(study, **asked, dates={"grid": (50, 60)})
    with pytest.raises(sd.InputError) as told:
        sd.roadmap(
            study, **asked, dates={"grid": (24, 60), "steam": (1, 2)}, scenarios=[{"months": {"grid": 50}}]
        )
    assert "'steam'" in str(told.value)
    assert "is asked of one set of dates" in str(told.value)
    assert standard_error([1.0]) == 0.0
