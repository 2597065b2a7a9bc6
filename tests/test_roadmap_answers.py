"""What a roadmap tells: tables that add up, words, and a file that comes back as it was."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from sitedesign.api.roadmap_answer import Roadmap
from sitedesign.errors import InputError
from sitedesign.report.roadmap_html import render_roadmap
from sitedesign.results.roadmap import MonthsWorth
from sitedesign.results.roadmap_tables import date_after
from sitedesign.results.roadmap_words import worth_words
from tests.report_designs import make_certificate, make_design
from tests.roadmaps import START, VALUE, hand_made, roadmap, stages, uncertain


@pytest.fixture(scope="module")
def plan() -> Roadmap:
    return roadmap(by_hand=hand_made(), **uncertain())


# Tables -----------------------------------------------------------------------------------------------------


def test_money_by_month_adds_up_to_the_net_present_value(plan: Roadmap) -> None:
    table = plan.cash_table()
    assert len(table) == 240
    assert table["discounted"].sum() == pytest.approx(plan.net_present_value_usd, rel=1e-12)
    assert table["cumulative"].iloc[-1] == pytest.approx(plan.net_present_value_usd, rel=1e-12)
    items = [name for name in table if name not in ("date", "net", "discounted", "cumulative")]
    assert table[items].sum(axis=1).to_numpy() == pytest.approx(table["net"].to_numpy())
    assert (table.drop(columns=["date"]).iloc[:6] == 0).all(axis=None)  # nothing before the first power


def test_what_goes_out_is_below_zero_and_once_is_once(plan: Roadmap) -> None:
    table = plan.cash_table()
    assert table["mobilisation mobile_gt"].tolist() == [0.0] * 6 + [-6e6] + [0.0] * 233
    assert table["rent mobile_gt"].sum() == pytest.approx(-25e6 * 30 / 12)
    assert table["racks that run"].sum() == pytest.approx(VALUE * (6 * 180 + 24 * 640 + 204 * 700))
    assert table["grid"].iloc[35:37].tolist() == pytest.approx([0.0, -22e6 / 12])


def test_racks_asked_running_and_idle_by_month(plan: Roadmap) -> None:
    table = plan.month_table()
    assert table["racks_asked"].iloc[[0, 3, 4, 6, 11, 12]].tolist() == [0, 0, 50, 200, 200, 700]
    assert table["racks_running"].iloc[[0, 5, 6, 12, 36]].tolist() == [0, 0, 180, 640, 700]
    assert (table["racks_idle"] == table["racks_asked"] - table["racks_running"]).all()
    assert plan.rack_months_idle == 2 * 50 + 6 * 20 + 24 * 60 == table["racks_idle"].sum()
    assert table["date"].iloc[[0, 1, 13]].tolist() == [START, date(2027, 1, 1), date(2028, 1, 1)]


def test_power_by_source_has_what_is_there_and_no_more(plan: Roadmap) -> None:
    table = plan.month_table()
    power = [name for name in table if str(name).endswith(("_mw", "_mwh"))]
    assert power == [
        "solar_mw",
        "recip_medium_mw",
        "rented_mobile_gt_mw",
        "grid_mw",
        "battery_mw",
        "battery_mwh",
    ]
    assert table.loc[0, power].tolist() == [0.0] * 6
    assert table.loc[20, power].tolist() == [240.0, 75.2, 49.5, 0.0, 60.0, 240.0]
    assert table.loc[239, power].tolist() == [240.0, 75.2, 0.0, 110.0, 60.0, 240.0]


def test_orders_have_dates_and_what_stays_has_none_to_leave(plan: Roadmap) -> None:
    table = plan.order_table().set_index("technology")
    rented = table.loc["mobile_gt"]
    assert (rented["order_date"], rented["delivery_date"]) == (date(2027, 3, 1), date(2027, 6, 1))
    assert (rented["retire_month"], rented["retire_date"]) == (36, date(2029, 12, 1))
    assert pd.isna(table.loc["solar", "retire_month"])
    assert table.loc["solar", "retire_date"] is None


def test_stages_in_a_table(plan: Roadmap) -> None:
    table = plan.stage_table()
    assert table["begins_month"].tolist() == [6, 12, 36]
    assert table["once_usd"].tolist() == [6e6, 0, 0]
    assert table["cost_usd_per_yr"].tolist() == [stage.total_usd_per_yr for stage in stages()]
    assert table["limited_by"].iloc[1] == "solar arrives at 40 MW a month"
    assert table["certified_uptime"].isna().all()


@pytest.mark.parametrize(
    ("start", "months", "day"),
    [(date(2026, 12, 1), 1, date(2027, 1, 1)), (date(2027, 1, 31), 1, date(2027, 2, 28)),
     (date(2027, 1, 1), 0.5, date(2027, 1, 16)), (date(2026, 12, 31), 14, date(2028, 2, 29))],
)  # fmt: skip
def test_days_after_months(start: date, months: float, day: date) -> None:
    assert date_after(start, months) == day


# Words ------------------------------------------------------------------------------------------------------


def test_text_says_the_answer_first(plan: Roadmap) -> None:
    text = str(plan)
    assert text.startswith("Roadmap('El Paso, TX'): OPTIMAL to 0.01% with foresight")
    assert "month 6 (June 2027), all 700 racks in month 36; 1,660 rack-months of waiting" in text
    assert "180 of 200 racks on 50 MW mobile_gt for rent; no more than 3 units" in text
    assert "order now        240 MW solar for month 12, 240 MWh battery for month 12, 4 units recip" in text
    assert "order month 3    3 units mobile_gt for rent for month 6" in text
    assert "solar and battery only: no array and battery keep 99.9 % of 700 racks" in text
    assert "on the first day is worth 2.00 M USD" in text


def test_stages_that_say_the_same_are_one_line() -> None:
    first, second, third = stages()
    parts = (first, replace(second, months=8.0), replace(second, begins_month=20.0, months=16.0), third)
    assert str(roadmap(stages=parts)) == str(roadmap())


def test_html_has_the_same_facts_escaped(plan: Roadmap) -> None:
    page = roadmap(notes=("a < b",), by_hand=hand_made())._repr_html_()
    assert "a &lt; b" in page
    assert "1,660 rack-months of waiting" in page
    assert plan._repr_html_().count("<tr>") == str(plan).count("\n")


def test_worth_in_words_the_dearest_first_and_nothing_left_out_but_nothing(plan: Roadmap) -> None:
    assert worth_words(plan.worth) == [
        "one more mobile_gt to rent is worth 2.20 M USD",
        "a month earlier of the grid is worth 1.50 M USD",
        "a month less of lead time of recip_medium is worth 0.40 M USD",
    ]
    assert worth_words(MonthsWorth()) == []
    whole = MonthsWorth(33.9e6, {"mobile_gt": 2.2e6}, {}, 0.5e6)
    assert worth_words(whole) == [
        "a month earlier of the grid is worth 33.90 M USD (33.40 to 34.40: whole plans solved anew)",
        "one more mobile_gt to rent is worth 2.20 M USD",
    ]


def test_racks_that_never_run_are_said_so() -> None:
    dark = roadmap(stages=(), ramp=((0, 10),))
    assert "never: no rack runs before the horizon" in str(dark)
    assert (dark.rack_months_idle, dark.racks_final) == (2400, 10)
    assert dark.cash_table()["net"].sum() == 0


def test_a_promise_without_a_price_tells_cost_and_bound_alone() -> None:
    promised = roadmap(value_usd_per_rack_month=None, value_usd=0.0)
    assert "(bound " in str(promised)
    assert "racks earn" not in str(promised)


# Report -----------------------------------------------------------------------------------------------------


def test_report_is_one_file_with_every_figure_and_table(plan: Roadmap, tmp_path) -> None:
    page = plan.report(tmp_path / "roadmap.html").read_text(encoding="utf-8")
    for slot in ("gantt", "power", "cash", "comparison", "dates", "decides"):
        assert f'id="figure-{slot}"' in page
    assert "Every stage is planned with perfect foresight" in page
    assert "<li>One more mobile_gt to rent is worth 2.20 M USD.</li>" in page
    assert "month 36, Dec 2029" in page
    assert "late</th><td>40%: grid in month 60" in page
    assert page == render_roadmap(plan)
    assert 'id="figure-comparison"' not in render_roadmap(roadmap())


def test_report_says_whether_every_stage_keeps_its_target() -> None:
    kept = make_certificate(make_design(years=1))
    first, *others = stages()
    certified = [replace(stage, certificate=replace(kept, met=True)) for stage in others]
    good = (replace(first, certificate=replace(kept, met=True)), *certified)
    assert "All 3 stages keep their target" in render_roadmap(roadmap(stages=good))
    missed = (replace(first, certificate=replace(kept, met=False)), *certified)
    assert "2 of 3 stages keep their target when things fail" in render_roadmap(roadmap(stages=missed))
    assert "NOT met" in str(roadmap(stages=missed))
    again = Roadmap.from_dict(json.loads(json.dumps(roadmap(stages=missed).to_dict())))
    assert str(again) == str(roadmap(stages=missed))


# File -------------------------------------------------------------------------------------------------------


def test_a_file_brings_back_what_was_saved(plan: Roadmap, tmp_path) -> None:
    path = plan.save(tmp_path / "roadmap.json")
    assert Roadmap.load(path) == plan
    assert json.loads(path.read_text(encoding="utf-8")) == plan.to_dict()
    assert str(Roadmap.load(path)) == str(plan)
    assert isinstance(Roadmap.load(path), Roadmap)


def test_what_is_no_roadmap_is_refused_in_words(plan: Roadmap, tmp_path) -> None:
    other = tmp_path / "other.json"
    other.write_text('{"format": "sitedesign-design-1"}', encoding="utf-8")
    with pytest.raises(InputError, match=r"must be 'sitedesign-roadmap-1', as Roadmap\.save"):
        Roadmap.load(other)
    other.write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="text that is not JSON"):
        Roadmap.load(other)
    broken = plan.to_dict() | {"horizon_months": "soon"}
    del broken["start"]
    with pytest.raises(InputError) as caught:
        Roadmap.from_dict(broken)
    assert {fault.where for fault in caught.value.faults} == {"roadmap.start", "roadmap.horizon_months"}
