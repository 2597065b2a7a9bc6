"""The planner without a browser: answers become a study, jobs queue, strangers stay out, designs compare."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import time
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import uvicorn

import sitedesign as sd
from sitedesign.report import figures
from sitedesign.report import html as html_report
from sitedesign.report.figures.style import DARK, LIGHT
from sitedesign.results.evaluation import CostItem
from sitedesign.serve import answering, compare, form, mapdata, run, tabs
from sitedesign.serve import planner as planner_module
from sitedesign.serve.answering import DESIGN, DISPATCH, REPORT
from sitedesign.serve.fields import Uploaded
from sitedesign.serve.guard import Access, Guard, is_loopback, names_of
from sitedesign.serve.planner import MOST_OPEN, Planner, letter, slug
from sitedesign.serve.plots import fitted, title_of
from sitedesign.serve.questions import PlantQuestion
from sitedesign.serve.quiet import quieten
from sitedesign.serve.solving import VIEW, EndMessage, Task, perform
from sitedesign.serve.view import View
from sitedesign.serve.worker import Pool
from tests import serve_worker
from tests.report_designs import make_certificate, make_design

# ---- the form

OTHER = {
    "site.latitude": 35.0, "site.longitude": -101.8, "site.name": "Amarillo", "amount": 50, "size": "racks",
    "rack": "hgx_h100x4", "use": "inference", "uptime": 99.99, "metric": "compute", "pv": "fixed_dc",
    "backup": ["diesel"], "facility": "air_chiller", "pv.capex_usd_per_wdc": 0.7,
    "battery.capex_usd_per_kwh": 99, "fuel_price_usd_per_mmbtu.natural_gas": 7,
    "fuel_price_usd_per_mmbtu.diesel": 30, "co2_price_usd_per_t": 20, "delay_cost_usd_per_month": 1e6,
    "limits.land_acres": 900, "limits.months_to_power": 18, "limits.solar_mw": 300,
    "limits.battery_mwh": 2000, "limits.battery_mw": 200, "limits.racks": 2000, "limits.co2_t_per_yr": 1e5,
    "limits.nox_t_per_yr": 80, "limits.co_t_per_yr": 70, "limits.pm_t_per_yr": 9, "tank_h.diesel_standby": 20,
    "limits.n_plus": 1, "limits.battery_cycles_per_yr": 250, "limits.site_night_h": 400,
    "min_renewable_share": 80, "weather_years": 3, "seed": 9, "step_minutes": "30",
    "sustained_fraction": 70, "throughput_curve": "optimistic", "plant_age_yr": 3, "load_growth_per_yr": 2,
    "construction_start": "2028-01-01", "in_service": "2029-06-01", "gas_contract": "interruptible",
    "wind": ["onshore_6mw_170"],
    "surplus": ["miner", "town"], "tank_h.diesel": 30, "tank_h.mobile_gt_dual": 20,
    "tank_h.recip_medium_dual": 10, "tank_h.recip_medium_lng": 10, "ride_through": "ups",
    "practice": "careful",
    "reserve.n_minus": 2, "reserve.load_step_mw": 3, "reserve.spinning_share": 10,
    "reserve.resource_share": 50, "reserve.hold_minutes": 20, "reserve.short_h_per_yr": 9,
    "grid.model": "flexible_one", "grid.mw": 40, "grid.months": 9, "grid.tariff": "pjm",
    "grid.usd_per_mwh": 33, "grid.curtailment": 90, "grid.export_mw": 7, "grid.export": 3,
    "grid.capital_usd_per_kw": 99, "grid.co2_t_per_mwh": 0.2,
    "grid.prices": Uploaded("lmp.csv", b"price (USD/MWh)\n" + b"41.5\n40.25\n" * 4380),
    "grid.export_prices": Uploaded("sold.CSV", b"price (USD/MWh)\n" + b"11.5\n11.25\n" * 4380),
}  # fmt: skip
# What an answer about the grid stands beside
CONNECTED = {"grid.model": "flexible", "grid.tariff": "ercot"}
SELLING = CONNECTED | {"grid.export_mw": 5}
BESIDE = {
    "tank_h.diesel_standby": {"backup": ["diesel_standby"]},
    "tank_h.mobile_gt_dual": {"backup": ["mobile_gt_dual"]},
    "tank_h.recip_medium_dual": {"backup": ["recip_medium_dual"]},
    "tank_h.recip_medium_lng": {"backup": ["recip_medium_lng"]},
    "grid.usd_per_mwh": {"grid.model": "firm"}, "grid.export": SELLING, "grid.export_prices": SELLING,
}  # fmt: skip
# What the library has one of, or none of the technologies at first takes
ONE_OF_ITS_KIND = {"finance", "fuel_price_usd_per_mmbtu.uranium", "fuel_price_usd_per_mmbtu.lng"}


def beside_fields(faults):
    return tabs.beside_fields(faults, "plant")


def asks(study, certify=False):
    return PlantQuestion(study, certify)


def test_untouched_form_asks_what_it_says():
    asked = form.study_of(form.defaults())
    site = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
    assert asked.to_dict() == sd.Study(site=site, it_mw=100, uptime=0.999).to_dict()


def test_every_answer_reaches_the_study():
    assert set(OTHER) == set(form.defaults()) - ONE_OF_ITS_KIND
    for name, value in OTHER.items():
        usual = CONNECTED if name.startswith("grid.") else {}
        beside = form.defaults() | BESIDE.get(name, usual)
        before = {} if name == "grid.usd_per_mwh" else form.study_of(beside).to_dict()
        after = form.study_of(beside | {name: value}).to_dict()
        assert after != before, name
    both = {"fuel_price_usd_per_mmbtu.natural_gas": None, "grid.usd_per_mwh": None, "grid.export": None}
    both |= {
        "tank_h.diesel_standby": None,
        "tank_h.mobile_gt_dual": None,
        "tank_h.recip_medium_dual": None,
        "tank_h.recip_medium_lng": None,
        "gas_contract": "firm",
    }
    study = form.study_of(form.defaults() | OTHER | both)
    assert (study.grid.model, study.grid.mw, study.grid.curtailment.hours_per_yr) == (
        "flexible_one",
        (0, 40),
        90,
    )
    assert study.grid.prices.usd_per_mwh[0, :2].tolist() == [41.5, 40.25]
    assert study.grid.export_prices.usd_per_mwh.mean() == 11.375
    assert [item.name for item in study.wind] == ["onshore_6mw_170"]
    assert (study.racks, study.it_mw, study.uptime, study.min_renewable_share) == (50, None, 0.9999, 0.8)
    assert (study.pv.capex_usd_per_wdc, study.battery.capex_usd_per_kwh) == (0.7, 99)
    assert study.battery.coupling == "dc"
    assert study.limits.solar_mw == (0, 300)
    assert form.study_of(form.defaults() | {"size": "gpus", "amount": 720}).gpus == 720


def test_a_price_left_empty_is_the_librarys():
    study = form.study_of(form.defaults() | {"pv.capex_usd_per_wdc": "", "battery.capex_usd_per_kwh": None})
    assert study.pv == sd.library.pv("tracker_ac")
    assert study.battery == sd.library.battery("lfp")


WRONG = {
    "site.latitude": 95, "amount": -1, "uptime": 120, "backup": ["warp", "diesel"], "rack": "abacus",
    "battery.capex_usd_per_kwh": -3, "pv.capex_usd_per_wdc": "cheap", "limits.land_acres": -1,
    "weather_years": 0, "min_renewable_share": 300, "co2_price_usd_per_t": -1, "wind": ["gale"],
    "grid.mw": 1e9, "grid.months": -2, "grid.curtailment": 9000, "grid.model": "nearest",
    "grid.usd_per_mwh": -1, "grid.prices": Uploaded("lmp.csv", b"price (EUR/MWh)\n1\n2\n"),
    "grid.export_prices": Uploaded("lmp.xlsx", b"PK"),
}  # fmt: skip


def test_all_faults_at_once_each_beside_its_field():
    with pytest.raises(sd.InputError) as caught:
        form.study_of(form.defaults() | WRONG)
    beside, rest = beside_fields(caught.value.faults)
    assert set(beside) == set(WRONG)
    assert rest == []
    assert beside["uptime"] == "Got 120 %; must be above 1 and below 100 %."
    assert "must be in [-90, 90]" in beside["site.latitude"]
    assert "must be one of .csv" in beside["grid.export_prices"]


@pytest.mark.parametrize("name", [field.name for group in form.groups() for field in group.fields
                                  if field.kind == "number"])  # fmt: skip
@pytest.mark.parametrize("value", ["x", "nan", "1e999"])
def test_what_is_no_number_is_said_beside_its_field(name, value):
    with pytest.raises(sd.InputError) as caught:
        form.study_of(form.defaults() | {name: value})
    beside, rest = beside_fields(caught.value.faults)
    assert "must be a number" in beside[name]
    assert rest == []


def test_faults_between_fields_are_shown_too():
    with pytest.raises(sd.InputError) as caught:
        form.study_of(form.defaults() | {"backup": ["diesel"], "fuel_price_usd_per_mmbtu.natural_gas": 5})
    beside, _ = beside_fields(caught.value.faults)
    assert set(beside) == {"fuel_price_usd_per_mmbtu.natural_gas"}
    with pytest.raises(sd.InputError) as caught:
        form.study_of(form.defaults() | {"site.latitude": 0, "site.longitude": -30})
    assert "lies in the sea" in beside_fields(caught.value.faults)[0]["site.latitude"]
    assert beside_fields([sd.Fault("elsewhere", "x", "must be y")])[1] == ["elsewhere: got x; must be y."]


def test_faults_of_a_connection_stand_beside_its_fields():
    def beside(**answers):
        given = {f"grid.{name}": value for name, value in answers.items()}
        abroad = {"site.latitude": -1.29, "site.longitude": 36.82}  # where no region says a tariff
        with pytest.raises(sd.InputError) as caught:
            form.study_of(form.defaults() | abroad | given)
        found, rest = beside_fields(caught.value.faults)
        assert rest == []
        return found

    assert set(beside(mw=5, tariff="ercot")) == {"grid.model"}
    assert "needs a region (caiso, ercot" in beside(model="firm")["grid.tariff"]
    assert set(beside(model="firm", tariff="ercot", usd_per_mwh=5)) == {"grid.usd_per_mwh"}
    assert "not called" in beside(model="firm", tariff="ercot", curtailment=5)["grid.curtailment"]
    assert "480 MW" in beside(model="ex_smelter", tariff="tva", mw=5000)["grid.mw"]
    assert "export_mw" in beside(model="firm", tariff="ercot", export=5)["grid.export"]
    gap = Uploaded("a.csv", b"time,price (USD/MWh)\n2021-01-01 00:00,4\n2021-01-01 01:00,5\n")
    assert "365" in beside(model="firm", prices=gap)["grid.prices"]


def test_a_connection_says_what_is_taken_where_nothing_is_said():
    assert form.connection_hints("ex_smelter")["grid.mw"] == "There are 480 MW."
    assert form.connection_hints("flexible")["grid.curtailment"] == "Library: 177."
    assert form.connection_hints("firm")["grid.curtailment"] == "Never called."
    assert set(form.connection_hints("")) == set(form.connection_hints("firm")) <= set(form.defaults())


def test_limits_say_that_they_are_the_most_where_they_are():
    labels = {field.name: field.label for group in form.groups() for field in group.fields}
    assert labels["limits.land_acres"] == "Most land for the array"
    assert labels["limits.solar_mw"] == "Most solar"
    assert labels["limits.months_to_power"] == "Most months to power"
    assert not labels["limits.n_plus"].startswith("Most")


def test_uptime_in_words():
    assert form.uptime_hint(99.9) == "Leaves 8.76 hours a year."
    assert form.uptime_hint(99.999) == "Leaves 5.3 minutes a year."
    assert form.uptime_hint(None) == form.uptime_hint(100) == ""


# ---- the queue


@pytest.fixture(scope="module")
def study():
    return sd.Study(site=sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX"), it_mw=2, uptime=0.99)


@pytest.fixture
def pool(tmp_path):
    with Pool(tmp_path / "jobs", 1, serve_worker.work) as made:
        yield made


def wait_until(condition):
    """Wait, on a loaded machine too, for what takes a moment; what never comes is told after ten minutes."""
    end = time.monotonic() + 600
    while not condition():
        assert time.monotonic() < end, "took too long"
        time.sleep(0.01)


def test_jobs_wait_their_turn_and_share_a_process(pool, study):
    jobs = [pool.submit(asks(study)) for _ in range(3)]
    wait_until(lambda: jobs[0].state != "waiting")
    assert [pool.position(job) for job in jobs[1:]] in ([1, 2], [0, 1], [0, 0])
    wait_until(lambda: not any(job.open for job in jobs))
    assert [job.state for job in jobs] == ["done"] * 3
    assert jobs[0].ended <= jobs[1].began <= jobs[1].ended <= jobs[2].began
    assert len({job.line for job in jobs}) == 1


def test_cancelling_ends_the_work_and_frees_the_place(pool, study):
    long = pool.submit(asks(study.replace(seed=serve_worker.LAST)))
    queued, after = (pool.submit(asks(study)) for _ in range(2))
    wait_until(lambda: long.line.startswith("process"))
    assert [pool.position(job) for job in (long, queued, after)] == [0, 1, 2]
    pool.cancel(queued)
    assert (queued.state, pool.position(after)) == ("cancelled", 1)
    pool.cancel(long)
    wait_until(lambda: after.state == "done")  # the other would have held the place for an hour
    assert (long.state, long.error) == ("cancelled", "")
    assert after.line != long.line
    pool.cancel(after)
    assert after.state == "done"


def test_a_failure_and_a_death_are_said_and_harm_nobody_else(pool, study):
    failed, died, after = (
        pool.submit(asks(study.replace(seed=seed))) for seed in (serve_worker.FAIL, serve_worker.DIE, 0)
    )
    wait_until(lambda: not after.open)
    assert (failed.state, failed.error) == ("failed", "cannot be done")
    assert died.state == "failed"
    assert "died" in died.error
    assert after.state == "done"


def test_closing_ends_what_runs(tmp_path, study):
    with Pool(tmp_path, 1, serve_worker.work) as pool:
        jobs = [pool.submit(asks(study.replace(seed=serve_worker.LAST))) for _ in range(2)]
        wait_until(lambda: jobs[0].line.startswith("process"))
    assert [job.state for job in jobs] == ["cancelled"] * 2


@pytest.mark.slow
def test_sessions_see_their_own_and_no_more(pool, study):
    planner = Planner(pool)
    mine = planner.submit(asks(study), owner="me")
    yours = planner.submit(asks(study), owner="you")
    assert planner.jobs("me") == [mine]
    assert (mine.label, yours.label) == ("A", "A")
    assert planner.file("me", mine.key, DESIGN) is None or mine.state == "done"
    wait_until(lambda: yours.state == "done")
    path, called = planner.file("me", mine.key, DESIGN)
    assert path == mine.folder / DESIGN
    assert called == "el-paso-tx-design.json"
    assert planner.file("you", mine.key, DESIGN) is None
    assert planner.file("me", mine.key, "../" + DESIGN) is None
    assert planner.file("me", mine.key, VIEW) is None
    planner.forget(mine)
    assert not mine.folder.exists()
    assert planner.jobs("me") == []


def test_one_session_cannot_fill_the_queue(pool, study):
    planner = Planner(pool)
    long = study.replace(seed=serve_worker.LAST)
    for _ in range(MOST_OPEN):
        planner.submit(asks(long), owner="me")
    with pytest.raises(sd.InputError, match="Wait, or cancel one"):
        planner.submit(asks(long), owner="me")
    assert planner.submit(asks(long), owner="you").label == "A"


@pytest.mark.slow
def test_old_results_make_room(pool, study, monkeypatch):
    monkeypatch.setattr("sitedesign.serve.planner.MOST_KEPT", 2)
    planner, jobs = Planner(pool), []
    for _ in range(4):
        jobs.append(planner.submit(asks(study), owner="me"))
        wait_until(lambda: jobs[-1].state == "done")
    assert planner.jobs("me") == jobs[2:]
    assert [job.folder.exists() for job in jobs] == [False, False, True, True]


def test_names_and_letters():
    assert [letter(number) for number in (0, 25, 26, 53)] == ["A", "Z", "A2", "B3"]
    assert slug("../../etc/Å <b>") == "etc-b"
    assert slug("¿?") == "site"


# ---- what a worker leaves


@pytest.fixture(scope="module")
def design():
    return make_design(years=2)


def test_files_of_a_result(design, study, tmp_path, monkeypatch):
    certified = design.model_copy(update={"certificate": make_certificate(design)})
    certified._dispatch = design.dispatch
    monkeypatch.setattr(answering, "solved", lambda *_: (certified, "look out"))
    lines = []
    assert perform(Task(asks(study, True), tmp_path), lines.append) == EndMessage(note="look out")
    assert lines == ["writing the report", "writing the dispatch"]
    assert {path.name for path in tmp_path.iterdir()} == {DESIGN, DISPATCH, VIEW, REPORT}
    assert sd.Design.load(tmp_path / DESIGN) == certified
    read = pd.read_csv(tmp_path / DISPATCH, index_col="time")
    np.testing.assert_allclose(read.to_numpy(), design.dispatch.to_numpy())
    assert read.index[0] == design.dispatch.index[0].isoformat()
    view = View.from_json((tmp_path / VIEW).read_text())
    assert {"week", "cost", "kept", "years", "causes"} <= set(view.figures)
    assert set(view.files) == {DESIGN, DISPATCH, REPORT}
    assert [fact.label for fact in view.facts[0]][:3] == ["Solar array", "Battery", "Backup"]
    assert view == answering.plant_view(certified)


def test_what_cannot_be_built_is_said_in_words(study, tmp_path):
    nothing = study.replace(backup=[], limits={"solar_mw": 0, "battery_mwh": 0}, weather_years=1)
    ended = perform(Task(asks(nothing), tmp_path), lambda _: None)
    assert ended.error.startswith("No design meets the request")
    assert list(tmp_path.iterdir()) == []


def test_an_internal_error_does_not_end_the_worker(study, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(answering, "solved", lambda *_: 1 / 0)
    ended = perform(Task(asks(study), tmp_path), lambda _: None)
    assert ended.error.endswith("ZeroDivisionError: division by zero")
    assert "division by zero" in caplog.text


# ---- figures and the comparison


def test_costs_by_group_add_up(design):
    other = make_design(years=1, units=(8, 0), battery_mwh=0.0)
    groups = compare.cost_groups({"A": design, "B": other})
    assert groups["A"].sum() == pytest.approx(design.cost)
    assert groups["B"].sum() == pytest.approx(other.cost)
    assert groups.loc["other"].abs().max() == 0
    assert groups.loc["fuel", "A"] == pytest.approx(
        sum(item.usd_per_yr for item in design.costs if item.kind == "fuel")
    )
    table = compare.table({"A": design, "B": other})
    assert table.loc["Solar", "A"] == "420.0 MWdc"
    assert table.loc["Uptime is"].tolist() == ["a bound", "a bound"]
    assert table.loc["Backup", "B"] == "8 × recip medium"


def test_no_cost_is_known_by_its_label(design):
    """A bill and a sale stand apart, whatever they are called; the plant's own items keep their groups."""
    before = compare.cost_groups({"A": design})["A"]
    more = [
        CostItem(name="solar battery racks", asset="grid", kind="tariff", capital_usd=0, usd_per_yr=7e6),
        CostItem(name="fuel and running", asset="grid", kind="revenue", capital_usd=0, usd_per_yr=-3e6),
        CostItem(name="part-load", asset="backup", kind="fuel", capital_usd=0, usd_per_yr=1e6),
        CostItem(name="solar wire", asset="grid", kind="capital", capital_usd=5e6, usd_per_yr=4e5),
        CostItem(name="solar?", asset="onshore", kind="capital", capital_usd=9e6, usd_per_yr=2e5),
    ]
    plain = [item.model_copy(update={"name": f"line {n}"}) for n, item in enumerate(design.costs)]
    resources = design.resources_mw | {"onshore": 7.0}
    other = design.model_copy(update={"costs": plain + more, "resources_mw": resources})
    change = compare.cost_groups({"A": other})["A"] - before
    found = {group: usd for group, usd in change.round(3).items() if usd}
    assert found == {"fuel": 1e6, "tariff": 7e6, "revenue": -3e6, "other": 4e5, "wind": 2e5}
    power = other.lcoe_usd_per_mwh - design.lcoe_usd_per_mwh
    assert power * design.served_mwh_per_yr == pytest.approx(5.6e6)
    rows = {row["item"]: row for row in html_report._costs(other)}
    assert rows["fuel and running"]["usd_per_yr"] == -3e6  # what earns money is a row as well


def test_labels_of_bars_are_text(design):
    bars = compare.cost_bars({"<b>A</b>": design})
    assert {name for trace in bars.data for name in trace.y} == {"&lt;b&gt;A&lt;/b&gt;"}


def test_figures_fit_their_screen(design):
    figure = json.loads(figures.cost_breakdown(design).to_json())
    before = json.dumps(figure)
    wide, narrow = (fitted(figure, dark=False, narrow=narrow) for narrow in (False, True))
    dark = json.dumps(fitted(figure, dark=True, narrow=False))
    assert json.dumps(figure) == before
    assert len(wide["data"]) == 2
    assert len(narrow["data"]) == 1
    assert narrow["layout"]["xaxis"]["domain"] == [0, 1]
    assert LIGHT["paper"] not in dark
    assert DARK["paper"] in dark
    assert "title" not in wide["layout"]
    assert title_of(figure).startswith("Cost of the power plant")
    bars = {"data": [{"type": "bar", "orientation": "h", "y": ["a name that is too long for a phone", "b"]}],
            "layout": figure["layout"] | {"annotations": [{"y": "b"}], "shapes": []}}  # fmt: skip
    assert fitted(bars, dark=False, narrow=True)["data"][0]["y"] == [
        "a name that is too long<br>for a phone",
        "b",
    ]


def test_coasts_are_where_they_should_be():
    world = json.loads(gzip.decompress(mapdata.world()))
    points = np.concatenate([np.array(line) for line in world["land"]])
    for latitude, longitude in ((25.15, -80.72), (-34.36, 18.47), (51.13, 1.37)):  # Florida, the Cape, Dover
        assert np.hypot(*(points - [latitude, longitude]).T).min() < 0.3
    towns = {name: (latitude, longitude) for name, latitude, longitude, _ in reversed(world.pop("towns"))}
    assert towns["Houston"] == pytest.approx((29.76, -95.36), abs=0.05)
    assert min(len(line) for lines in world.values() for line in lines) > 1
    assert all(line[0] == line[-1] for line in world["lakes"])


def test_the_sketch_of_the_map_is_small_and_shows_the_same_coasts():
    drawn = ElementTree.fromstring(mapdata.sketch())
    south, west, north, east = json.loads(drawn.get("data-bounds"))
    assert (west + east) / 2 == pytest.approx(mapdata.CENTER[1], abs=1e-3)
    assert east - west == pytest.approx(
        900 / 2048 * 360, abs=1e-3
    )  # Leaflet's world is 256 px wide at zoom 0
    assert south < mapdata.CENTER[0] < north
    numbers = [float(number) for number in re.findall(r"-?\d+", drawn[0].get("d").partition("z")[0])]
    track = np.cumsum(np.array(numbers).reshape(-1, 2), axis=0)
    # The tip of Florida, by the formula of Mercator's map
    right = (-80.72 + 98.0) / 360 * 2048 + 450
    down = (
        125
        - (np.arctanh(np.sin(np.radians(25.15))) - np.arctanh(np.sin(np.radians(36.0)))) / 2 / np.pi * 2048
    )
    assert np.hypot(*(track - [right, down]).T).min() < 2
    assert len(gzip.compress(mapdata.sketch().encode())) < 12_000


# ---- strangers


@pytest.mark.parametrize(("host", "origin", "local", "open_to_all"), [
    ("127.0.0.1:8080", None, True, True),
    ("localhost:8080", "http://localhost:8080", True, True),
    ("[::1]:8080", "http://[::1]:8080", True, True),
    ("127.0.0.1:8080", "http://evil.example", False, False),
    ("127.0.0.1:8080", "http://127.0.0.1:9999", False, False),
    ("127.0.0.1:8080", "null", False, False),
    ("evil.example:8080", "http://evil.example:8080", False, False),
    ("127.0.0.1.evil.example", None, False, False),
    ("192.168.1.7:8080", "http://192.168.1.7:8080", False, True),
    ("planner.lan:8080", "http://planner.lan:8080", False, True),
    ("PLANNER.lan", None, False, True),
    ("[", None, False, False),
    ("", None, False, False),
])  # fmt: skip
def test_only_pages_of_the_planner_may_ask(host, origin, local, open_to_all):
    headers = [(b"host", host.encode())] + ([(b"origin", origin.encode())] if origin else [])
    names = frozenset({"planner.lan"})
    assert Access(local=True).names_right({"headers": headers}) is local
    assert Access(local=False, names=names).names_right({"headers": headers}) is open_to_all


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_stranger_never_reaches_the_planner(kind):
    reached, sent = [], []

    async def inner(scope, receive, send):
        reached.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive():
        return {"type": f"{kind}.connect"}

    async def send(message):
        sent.append(message)

    guard = Guard(inner, access=Access(local=True))
    stranger = {"type": kind, "headers": [(b"host", b"evil.example")]}
    asyncio.run(guard(stranger, receive, send))
    assert reached == []
    assert sent[0].get("status") == 403 or sent[0]["type"] == "websocket.close"
    sent.clear()
    asyncio.run(guard({"type": kind, "headers": [(b"host", b"localhost")]}, receive, send))
    assert len(reached) == 1
    assert (b"x-frame-options", b"SAMEORIGIN") in sent[0]["headers"]


def asked(access, path="/", query="", cookie="", host="192.168.1.7:8080", kind="http"):
    """Status and headers of an answer, and whether the planner was reached."""
    reached, sent = [], []

    async def inner(scope, receive, send):
        reached.append(scope)
        headers = [(b"cache-control", b"max-age=86400")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def receive():
        return {"type": f"{kind}.connect"}

    async def send(message):
        sent.append(message)

    headers = [(b"host", host.encode())] + ([(b"cookie", cookie.encode())] if cookie else [])
    scope = {"type": kind, "path": path, "query_string": query.encode(), "headers": headers}
    asyncio.run(Guard(inner, access=access)(scope, receive, send))
    first = sent[0]
    return first.get("status", first["type"]), dict(first.get("headers", ())), bool(reached)


def test_elsewhere_on_the_network_the_token_must_be_known():
    access = Access(local=False, token="s3cret", cookie="sitedesign_8080_token")
    assert asked(access)[::2] == (403, False)
    assert asked(access, query="token=wrong")[::2] == (403, False)
    assert asked(access, kind="websocket")[::2] == ("websocket.close", False)
    status, headers, reached = asked(access, query="token=s3cret")
    assert (status, reached, headers[b"location"]) == (303, False, b"/")
    given = headers[b"set-cookie"].decode()
    assert "HttpOnly" in given
    assert "SameSite=Strict" in given
    cookie = given.split(";")[0]
    assert asked(access, cookie=f"other=1; {cookie}")[::2] == (200, True)
    assert asked(access, cookie=cookie, kind="websocket")[2]
    assert asked(access, cookie="sitedesign_8080_token=wrong")[::2] == (403, False)
    assert asked(access, cookie=cookie, host="evil.example")[::2] == (403, False)
    assert "s3cret" not in repr(access)


def test_every_answer_says_what_it_may_do():
    local = Access(local=True)
    for path, status in (("/", 200), ("/files/a/report.html", 200), ("/", 403)):
        host = "localhost" if status == 200 else "evil.example"
        found, headers, _ = asked(local, path, host=host)
        assert found == status
        assert headers[b"cache-control"] == b"no-store"
        assert b"content-security-policy" in headers
        assert headers[b"x-content-type-options"] == b"nosniff"
    report = asked(local, "/files/a/report.html", host="localhost")[1][b"content-security-policy"]
    assert report.startswith(b"sandbox ")
    assert b"allow-same-origin" not in report
    assert asked(local, "/world.json", host="localhost")[1][b"cache-control"] == b"max-age=86400"


def test_names_of_a_server():
    assert "box.lan" in names_of("Box.lan")
    assert not any(name[:1].isdigit() for name in names_of("0.0.0.0") if name.count(".") == 3)


def test_one_session_cannot_push_out_the_results_of_another(study, tmp_path, monkeypatch):
    monkeypatch.setattr(planner_module, "MOST_KEPT", 3)
    monkeypatch.setattr(planner_module, "MOST_OF_ALL", 5)
    with Pool(tmp_path, 0) as pool:
        planner = Planner(pool)

        def run(owner):
            job = planner.submit(asks(study), owner=owner)
            pool.cancel(job)
            job.ended = time.monotonic()
            return job

        first = run("a")
        mine = [run("b") for _ in range(5)]
        assert planner.jobs("a") == [first]
        assert planner.jobs("b") == mine[-3:]
        run("a")
        with pytest.raises(sd.InputError, match="5 runs of all sessions"):
            run("c")
        first.ended -= planner_module.FORGOTTEN_S + 1
        assert run("c") in planner.jobs("c")
        assert first not in planner.jobs("a")


def test_what_is_not_understood_is_one_line_and_said_once(caplog):
    logger = logging.getLogger("sitedesign.tests.stranger")
    quieten(logger)

    def fail(words):
        try:
            int(words)
        except ValueError:
            logger.exception("Task exception was never retrieved")

    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            fail("nonsense")
        fail("more nonsense")
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert all(text.startswith("not understood: ValueError: ") for text in said)
    assert all(record.exc_info is None for record in caplog.records)


def test_a_server_that_sets_its_loggers_up_stays_quiet():
    logger = logging.getLogger("uvicorn.error")
    before, handlers = logger.filters[:], logger.handlers[:]
    try:
        quieten(logger)
        uvicorn.Config(lambda *_: None)  # what the planner's server does when it starts
        assert len(logger.filters) == len(before) + 1
    finally:
        logger.filters[:], logger.handlers[:] = before, handlers


_LOST = """
import os, signal
from pathlib import Path
from sitedesign import serve
from sitedesign.serve import worker

class Losing(worker.Pool):
    def __enter__(self):
        try:
            signal.raise_signal(signal.SIGTERM)
        except SystemExit:  # as in the callback of a weak reference
            Path(os.environ["TMPDIR"], "lost").touch()
        return self

worker.Pool = Losing
serve.run(port={port}, open_browser=False)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_a_signal_that_python_drops_ends_the_planner(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        script = _LOST.format(port=free.getsockname()[1])
    bare = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env=bare | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (tmp_path / "lost").exists()
    assert ended.returncode == 128 + signal.SIGTERM
    assert list(tmp_path.glob("sitedesign-*")) == []
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_a_terminated_planner_leaves_nothing(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "sitedesign", "serve", "--port", str(port), "--no-browser"]
    # The framework takes a process with variables of pytest for a test of its own
    bare = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment = bare | {"TMPDIR": str(tmp_path)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    try:
        for _ in range(1200):  # a loaded machine may take long to start it
            if process.poll() is not None or list(tmp_path.glob("sitedesign-*")):
                break
            time.sleep(0.1)
        assert list(tmp_path.glob("sitedesign-*"))
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=120)
    finally:
        process.kill()
        said = process.communicate()[1].decode()
    assert list(tmp_path.glob("sitedesign-*")) == []
    assert "Traceback" not in said


def test_loopback_is_told_from_the_rest():
    assert all(is_loopback(host) for host in ("127.0.0.1", "localhost", "::1", "[::1]", "127.8.8.8"))
    assert not any(is_loopback(host) for host in ("0.0.0.0", "192.168.1.2", "example.org", "::", ""))


def test_an_address_that_cannot_be_had_is_refused_before_anything_starts():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(sd.InputError, match=rf"port: got 127\.0\.0\.1:{port}; cannot be had"):
            run(port=port, open_browser=False)
    with pytest.raises(sd.InputError, match="must be in"):
        run(port=0, open_browser=False)
