"""Commands around a study: files, sweeps, reports, weather, library, and what a failure looks like."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import sitedesign as sd
from sitedesign import cli
from sitedesign.batch import one_site
from sitedesign.cli import starting
from sitedesign.cli.study_options import QuestionOptions, StudyOptions
from tests.cli_runs import EL_PASO, QUICK, SMALL, run, run_json
from tests.few_numbers import vary_only

SITE = sd.Site(latitude=31.76, longitude=-106.49)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a study file and the design that it gives."""
    path = tmp_path_factory.mktemp("user")
    run("init", path / "study.toml", "--racks", 16, "--uptime", 0.99)
    run(
        "solve",
        path / "study.toml",
        "--years",
        2,
        "--backup",
        "recip_fast",
        *QUICK,
        "--save",
        path / "design.json",
    )
    return path


# study files ------------------------------------------------------------------------------------------------


def test_a_new_study_file_is_solved_and_options_replace_what_it_says(folder: Path) -> None:
    study = sd.Design.load(folder / "design.json").study
    assert (study["site"]["name"], study["racks"], study["uptime"]) == ("El Paso, TX", 16, 0.99)
    assert (study["weather_years"], [item["name"] for item in study["backup"]]) == (2, ["recip_fast"])


def test_every_option_of_a_study_reaches_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[sd.Study] = []

    def solve(study: sd.Study, **_: object) -> sd.Design:
        asked.append(study)
        return sd.Design.load(folder / "design.json")

    monkeypatch.setattr(sd, "solve", solve)
    run(
        *(
            "solve",
            folder / "study.toml",
            "--gpus",
            720,
            "--rack",
            "hgx_b200x4",
            "--objective",
            "compute_cost",
        ),
        *(
            "--metric",
            "compute",
            "--use",
            "inference",
            "--throughput-curve",
            "conservative",
            "--pv",
            "fixed_dc",
        ),
        *(
            "--pv",
            "tracker_ac",
            "--backup",
            "diesel",
            "--facility",
            "evaporative",
            "--fuel-price",
            "diesel=31",
        ),
        *("--min-renewable-share", 0.4, "--limit", "solar_mw=3:9", "--limit", "diesel=2", "--years", 3),
        *("--seed", 5, "--set", "plant_age_yr=5", "--set", "construction_start=2028-01-01", "--name", "mine"),
        *("--set", "in_service=2029-01-01", "--lat", 33),
    )
    (study,) = asked
    assert (study.gpus, study.racks, study.rack.name) == (720, None, "hgx_b200x4")
    assert (study.objective, study.metric, study.use) == ("compute_cost", "compute", "inference")
    assert (study.throughput_curve, study.facility.name) == ("conservative", "evaporative")
    assert [pv.name for pv, _ in study.power_paths] == ["fixed_dc", "tracker_ac"]
    assert study.fuel_price_usd_per_mmbtu == {"diesel": 31}
    assert (study.min_renewable_share, study.weather_years, study.seed) == (0.4, 3, 5)
    assert (study.limits.solar_mw, study.limits.units) == ((3, 9), {"diesel": (0, 2)})
    assert (study.plant_age_yr, study.construction_start.year) == (5, 2028)
    assert (study.site.latitude, study.site.longitude, study.site.name) == (33, -106.49, "mine")


def test_wind_and_grid_are_asked_from_the_terminal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[sd.Study] = []

    def solve(study: sd.Study, **_: object) -> sd.Design:
        asked.append(study)
        return sd.Design.load(folder / "design.json")

    monkeypatch.setattr(sd, "solve", solve)
    place = [*EL_PASO, "--racks", 16, "--uptime", 0.99]
    grid = [
        *("--grid-model", "flexible", "--grid-mw", "2:5", "--grid-months", 20, "--grid-tariff", "ercot"),
        *("--grid-curtailment", 100, "--grid-export-mw", 3, "--grid-export", 12, "--grid-line-miles", 4),
        *("--grid-capital-usd-per-kw", 90, "--grid-co2-t-per-mwh", 0.3, "--grid-price-levels", 4),
    ]
    run("solve", *place, "--wind", "onshore_6mw_170", "--wind", "onshore_3mw_148", *grid)
    run("solve", *place, "--grid-tariff", 55.5, "--set", "grid={mw = 7, line_miles = 2}")
    path = folder / "windy.toml"
    path.write_text(
        (folder / "study.toml").read_text().replace("#wind", "wind").replace("#[grid]", "[grid]\nmw = 9")
    )
    run("solve", path, "--grid-tariff", "{extends = 'ercot', energy_usd_per_mwh = 20}", "--grid-months", 5)
    run("solve", path, "--wind", "none", "--grid-kind", "none")
    first, second, third, fourth = asked
    assert [item.name for item in first.wind] == ["onshore_6mw_170", "onshore_3mw_148"]
    assert first.grid == sd.Grid(
        model="flexible", mw=(2, 5), months=20, tariff="ercot", curtailment=100, export_mw=3, export=12,
        line_miles=4, capital_usd_per_kw=90, co2_t_per_mwh=0.3, price_levels=4,
    )  # fmt: skip
    assert second.grid == sd.Grid(mw=7, tariff=55.5, line_miles=2)
    tariff = {"extends": "ercot", "energy_usd_per_mwh": 20}
    assert third.grid == sd.Grid(mw=9, tariff=tariff, months=5)
    assert (fourth.wind, fourth.grid) == ((), None)


def test_a_saved_plant_with_wind_and_grid_gets_its_hours_back_for_the_report(tmp_path: Path) -> None:
    path = tmp_path / "hub.json"
    asked = [*EL_PASO, "--racks", 16, "--uptime", 0.99, "--years", 1, "--backup", "diesel", *QUICK]
    grid = ["--grid-model", "flexible", "--grid-mw", "1:2", "--grid-tariff", "ercot", "--grid-export-mw", 1]
    run("solve", *asked, "--wind", "onshore_6mw_170", *grid, "--limit", "onshore_6mw_170=1:2", "--save", path)
    done = run("report", path)
    assert "Without the hours" not in done.stderr
    told = path.with_suffix(".html").read_text(encoding="utf-8")
    assert 'id="packed-series"' in told
    assert "onshore 6mw 170" in told


def test_a_saved_plant_that_earns_gets_its_hours_back_too(tmp_path: Path) -> None:
    """Its cost is below zero, and the same when it is operated again."""
    path = tmp_path / "mill.json"
    asked = [*EL_PASO, "--racks", 16, "--uptime", 0.99, "--years", 1, "--backup", "diesel", *QUICK]
    mill = "surplus={name = 'mill', mw = [50, 50], usd_per_mwh = 150}"
    run("solve", *asked, "--set", mill, "--save", path)
    assert sd.Design.load(path).cost_usd_per_yr < 0
    run("report", path)
    assert 'id="packed-series"' in path.with_suffix(".html").read_text(encoding="utf-8")


def test_faults_of_wind_and_grid_name_their_options() -> None:
    answer = run_json(
        *("solve", *EL_PASO, "--racks", 16, "--uptime", 7, "--wind", "gale", "--grid-mw", "5:2"),
        *("--grid-months", -1, "--grid-model", "fast", "--grid-export", 3),
        code=cli.BAD_INPUT,
    )
    told = {fault["where"] for fault in answer["faults"]}
    assert told == {"--uptime", "--wind", "--grid-mw", "--grid-months", "--grid-model"}
    answer = run_json("solve", *EL_PASO, "--racks", 16, "--grid-mw", "much", code=cli.BAD_INPUT)
    assert [fault["where"] for fault in answer["faults"]] == ["--grid-mw"]
    # Where the region has no price of electricity, or none is wanted
    asked = ("solve", *EL_PASO, "--racks", 16, "--uptime", 0.9, "--grid-mw", 5, "--region", "none")
    answer = run_json(*asked, code=cli.BAD_INPUT)
    assert [fault["where"] for fault in answer["faults"]] == ["--grid-tariff"]


def test_options_and_settings_of_one_table_hold_together() -> None:
    given = QuestionOptions(
        limit=["solar_mw=300", "diesel=3"], gas_price=9.0, fuel_price=["uranium=1"], grid_mw="7",
        setting=["limits={n_plus = 1, units = {smr = 1}}", "fuel_price_usd_per_mmbtu={diesel = 30}",
                 "limits={land_acres = 5}", "grid={tariff = 50}"],
    )  # fmt: skip
    asked = given.fields_given()
    assert asked["limits"] == {
        "solar_mw": 300.0, "units": {"diesel": 3.0, "smr": 1}, "n_plus": 1, "land_acres": 5
    }  # fmt: skip
    assert asked["fuel_price_usd_per_mmbtu"] == {"uranium": 1.0, "natural_gas": 9.0, "diesel": 30}
    assert asked["grid"] == {"tariff": 50, "mw": 7.0}


def test_no_connection_is_none_of_the_files_and_of_no_option(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(
        "racks = 9\nuptime = 0.99\n[site]\nlatitude = 31.76\nlongitude = -106.49\n[grid]\ntariff = 50\n"
    )
    assert StudyOptions(file=path, grid_kind="none").study().grid is None
    with pytest.raises(sd.InputError, match="grid-mw"):
        StudyOptions(file=path, grid_kind="none", grid_mw="7").study()


def test_faults_name_the_file_or_the_option(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text("racks = 0\nuptime = 0.99\n[site]\nlatitude = 31.76\nlongitud = 5\n", encoding="utf-8")
    answer = run_json("solve", path, "--metric", "best", "--set", "plant_age=3", code=cli.BAD_INPUT)
    assert {fault["where"] for fault in answer["faults"]} == {
        f"{path} racks",
        f"{path} [site] longitud",
        f"{path} [site] longitude",
        "--metric",
        "--set plant_age",
    }


def test_a_study_without_anything_says_what_it_needs() -> None:
    answer = run_json("solve", code=cli.BAD_INPUT)
    assert [fault["where"] for fault in answer["faults"]] == ["--racks", "--uptime", "--lat and --lon"]


def test_the_uptime_is_the_optimisers_with_compute_cost() -> None:
    assert run_json("solve", *EL_PASO, "--racks", 16, "--objective", "cost", code=cli.BAD_INPUT)["faults"]
    options = cli.designing.StudyOptions(lat=31.76, lon=-106.49, racks=16, objective="compute_cost")
    assert options.study().uptime is None


def test_weather_files_name_the_place(tmp_path: Path) -> None:
    path = sd.Weather.generate(SITE, years=2).write(tmp_path / "years.parquet")
    design = run_json(
        "solve", "--weather", path, "--it-mw", 2, "--uptime", 0.99, "--backup", "recip_fast", *QUICK
    )
    assert design["study"]["site"]["latitude"] == 31.76
    assert design["study"]["weather"].startswith("CSV with named columns")


def test_init_leaves_a_file_alone(folder: Path) -> None:
    before = (folder / "study.toml").read_bytes()
    assert "FILE" in run("init", folder / "study.toml", code=cli.BAD_INPUT).stderr
    assert (folder / "study.toml").read_bytes() == before
    assert "--lat" in run("init", folder / "new.toml", "--lat", 131, code=cli.BAD_INPUT).stderr
    assert not (folder / "new.toml").exists()


def test_what_cannot_be_written_is_said_before_the_work(folder: Path) -> None:
    lost = folder / "nowhere" / "design.json"
    for command in (("solve", *SMALL, "--save", lost), ("report", folder / "design.json", "--out", lost)):
        assert "needs the folder" in run(*command, code=cli.BAD_INPUT).stderr


# sweeps -----------------------------------------------------------------------------------------------------


def test_frontier_in_three_forms(tmp_path: Path) -> None:
    asked = ("frontier", *SMALL, "--over", "min-renewable-share", "--values", "0.2:0.8:3")
    rows = run_json(*asked, "--csv", tmp_path / "f.csv", "--save", tmp_path / "f.json")
    assert json.loads((tmp_path / "f.json").read_text()) == rows
    assert [row["min_renewable_share"] for row in rows] == [0.2, 0.5, 0.8]
    assert rows[0]["cost_usd_per_yr"] <= rows[2]["cost_usd_per_yr"] * (1 + 2e-4)
    assert all(row["renewable_share"] >= row["min_renewable_share"] - 1e-6 for row in rows)
    with (tmp_path / "f.csv").open(encoding="utf-8") as file:
        written = list(csv.DictReader(file))
    assert [float(row["cost_usd_per_yr"]) for row in written] == pytest.approx(
        [r["cost_usd_per_yr"] for r in rows]
    )


def test_frontier_of_uptime_needs_no_uptime_and_names_what_cannot_be() -> None:
    asked = ("frontier", *EL_PASO, "--it-mw", 2, "--years", 2, "--backup", "none", "--limit", "solar_mw=9")
    text = run(*asked, "--over", "uptime", "--values", "0.5,0.9999").stdout
    assert "No design for 0.9999: " in text
    assert "Bounds: perfect foresight" in text


def test_what_is_swept_is_checked() -> None:
    answer = run_json("frontier", *SMALL, "--over", "batery price", "--values", "a", code=cli.BAD_INPUT)
    assert [fault["where"] for fault in answer["faults"]] == ["--over", "--values"]
    assert "Did you mean 'battery price'?" in answer["message"]
    assert "is needed" in run("frontier", *SMALL, "--over", "gas_price", code=cli.BAD_INPUT).stderr


def test_tradeoff_agrees_with_the_function() -> None:
    rows = run_json("tradeoff", *SMALL, "--points", 3)
    study = sd.Study(site=SITE, it_mw=2, weather_years=2, uptime=0.99, backup="recip_fast")
    expected = sd.tradeoff(study, points=3)
    assert [row["cost_usd_per_yr"] for row in rows] == pytest.approx(list(expected["cost_usd_per_yr"]))


@pytest.mark.slow
def test_sensitivity_agrees_with_the_function_and_stands_in_report_and_table(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = ("uptime", "lfp.capex_usd_per_kwh", "natural_gas.price_usd_per_mmbtu", "recip_fast.lead_months")
    vary_only(monkeypatch, *few)
    saved, table = tmp_path / "numbers.json", tmp_path / "numbers.csv"
    asked = ("--range", "uptime=0.95:0.99", "--no-switching", "--save", saved, "--csv", table)
    answer = run_json("sensitivity", *SMALL, "--years", "1", *asked)
    study = sd.Study(site=SITE, it_mw=2, weather_years=1, uptime=0.99, backup="recip_fast")
    expected = sd.sensitivity(study, ranges={"uptime": (0.95, 0.99)}, switching=False)
    assert answer == json.loads(json.dumps(expected.to_dict()))
    assert {item.key for item in expected.numbers} == set(few)
    assert sd.Sensitivity.load(saved) == expected
    assert len(table.read_text().splitlines()) == 1 + len(expected.numbers)
    told = run_json("report", folder / "design.json", "--sensitivity", saved, "--out", tmp_path / "r.html")
    assert "Numbers that decide" in Path(told["written"]).read_text(encoding="utf-8")
    faults = run_json("sensitivity", *SMALL, "--range", "uptime=1", code=cli.BAD_INPUT)["faults"]
    assert [fault["where"] for fault in faults] == ["--range"]


# saved designs ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_report_of_a_saved_design_has_its_hours_and_sweeps(folder: Path, tmp_path: Path) -> None:
    answer = run_json("report", folder / "design.json", "--sweeps", "--out", tmp_path / "r.html")
    text = Path(answer["written"]).read_text(encoding="utf-8")
    for slot in ("week", "sweep_tradeoff", "sweep_uptime", "sweep_min_renewable_share"):
        assert f'"{slot}"' in text


def test_report_without_the_weather_files_says_what_is_missing(folder: Path, tmp_path: Path) -> None:
    content = json.loads((folder / "design.json").read_text(encoding="utf-8"))
    content["study"]["weather"] = "NSRDB, 18 files"
    saved = tmp_path / "design.json"
    saved.write_text(json.dumps(content), encoding="utf-8")
    result = run("report", saved)
    assert "solved with NSRDB, 18 files. Give its files." in result.stderr
    assert (tmp_path / "design.html").is_file()
    assert "--weather" in run("report", saved, "--sweeps", code=cli.BAD_INPUT).stderr
    assert "--weather" in run("certify", saved, code=cli.BAD_INPUT).stderr


def test_report_refuses_a_plant_that_costs_something_else_now(folder: Path, tmp_path: Path) -> None:
    content = json.loads((folder / "design.json").read_text(encoding="utf-8"))
    content["costs"][0]["usd_per_yr"] *= 1.5
    saved = tmp_path / "design.json"
    saved.write_text(json.dumps(content), encoding="utf-8")
    assert "Solve the study again." in run("report", saved).stderr


@pytest.mark.parametrize("text", [None, "not JSON", "[1]", '{"format": "sitedesign-design-1"}'])
def test_what_is_no_design_is_named(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "design.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    (fault,) = run_json("report", path, code=cli.BAD_INPUT)["faults"]
    assert fault["where"] == "DESIGN"
    assert str(path) in fault["found"]


def test_certify_prints_its_certificate(folder: Path) -> None:
    answer = run_json("certify", folder / "design.json", "--years", 4, "--draws", 1)
    assert answer["weather_years"] == 4
    assert 0 < answer["uptime"]["value"] <= 1
    less = run_json("certify", folder / "design.json", "--years", 4, "--draws", 1, "--without", "fuel")
    assert less["off"] == ["fuel"]


# many sites -------------------------------------------------------------------------------------------------


def test_batch_takes_a_study_file_and_speaks_json(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[sd.Study] = []

    def solved(study: sd.Study, _: one_site.BatchJob) -> sd.Design:
        asked.append(study)
        return sd.Design.load(folder / "design.json")

    monkeypatch.setattr(one_site, "_solve", solved)
    sites = tmp_path / "sites.csv"
    sites.write_text("latitude,longitude\n31.76,-106.49\n35.1,-101.8\n", encoding="utf-8")
    out = tmp_path / "out"
    batch = ("batch", sites, "--out", out, "--workers", 1, "--quiet", "--study", folder / "study.toml")
    monkeypatch.setattr("sitedesign.batch.screening.DaskEngine", _here)
    answer = run_json(*batch, "--gas-price", 5)
    assert (answer["sites"], answer["status"]) == (2, {"solved": 2})
    assert [row["rank"] for row in answer["best"]] == [1, 2]
    assert {study.racks for study in asked} == {16}
    assert asked[0].fuel_price_usd_per_mmbtu == {"natural_gas": 5}
    ranked = run_json("rank", out, "--save", tmp_path / "ranked.json")
    assert json.loads((tmp_path / "ranked.json").read_text()) == ranked
    assert len(ranked) == 2
    wrong = run_json("rank", out, "--by", "beauty", code=cli.BAD_INPUT)
    assert wrong["error"] == "InputError"
    assert "--uptime" in run("batch", sites, "--out", tmp_path / "b", "--racks", 3, code=cli.BAD_INPUT).stderr


def _here(tasks: Any, question: Any, job: Any, *_: object) -> Any:
    from sitedesign.batch.engine import SerialEngine

    return SerialEngine(tasks, question, job)


# weather and library ----------------------------------------------------------------------------------------


def test_generated_weather_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "years.csv"
    made = run_json("weather", "generate", *EL_PASO, "--years", 2, "--seed", 3, "--out", path)
    assert (made["years"], made["written"]) == ([1, 2], str(path))
    found = run_json("weather", "check", path)
    assert len(found["years"]) == 2
    again = sd.Weather.generate(SITE, years=2, seed=3)
    assert sd.Weather.read(path).ghi_w_m2 == pytest.approx(again.ghi_w_m2, abs=0.01)
    run("weather", "generate", *EL_PASO, "--years", 1, "--wind", "--out", tmp_path / "wind.csv")
    assert sd.Weather.read(tmp_path / "wind.csv").wind_aloft is not None
    assert (
        "has its wind already"
        in run("weather", "check", tmp_path / "wind.csv", "--wind", path, code=cli.BAD_INPUT).stderr
    )
    wrong = run("weather", "generate", *EL_PASO, "--out", tmp_path / "years.xlsx", code=cli.BAD_INPUT)
    assert "must end in .csv or .parquet" in wrong.stderr


def test_fetch_asks_for_a_key_and_never_shows_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NSRDB_API_KEY", raising=False)
    monkeypatch.delenv("NSRDB_EMAIL", raising=False)
    common = ("weather", "fetch", *EL_PASO, "--cache", tmp_path)
    assert "NSRDB_API_KEY" in run(*common, code=cli.BAD_INPUT).stderr
    monkeypatch.setenv("NSRDB_API_KEY", "topsecret")
    result = run(*common, "--years", "2010,2012-2013", "--offline", code=cli.BAD_INPUT)
    assert "missing: 2010, 2012-2013" in result.stderr
    assert "topsecret" not in result.output
    wrong = run_json(*common, "--years", "soon", "--source", "nsrdb", code=cli.BAD_INPUT)
    assert wrong["faults"][0]["where"] == "--years"


def test_the_library_is_sound() -> None:
    entries = run_json("library", "check")["entries"]
    assert len(entries) == sum(len(sd.library.names(kind)) for kind in sd.library.KINDS)
    assert "no faults" in run("library", "check").stdout


def test_every_fault_of_own_files_is_named(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text('kind = "battery"\nextends = "lfp"\ncapex_usd_per_kwh = 150\n', encoding="utf-8")
    bad.write_text('kind = "battery"\nextends = "lfp"\ncapex = 1\ncapex_usd_per_kwh = -4\n', encoding="utf-8")
    assert "good.toml: battery good" in run("library", "check", good).stdout.replace("\n", "")
    answer = run_json("library", "check", tmp_path, code=cli.BAD_INPUT)
    assert [fault["where"] for fault in answer["faults"]] == [f"{bad} [capex]", f"{bad} [capex_usd_per_kwh]"]


# the planner ------------------------------------------------------------------------------------------------


def test_serve_starts_the_planner_where_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    started: dict[str, object] = {}
    monkeypatch.setattr(starting, "_planner", lambda: started.update)
    assert run_json("serve", "--port", 9000, "--no-browser") == {"url": "http://127.0.0.1:9000"}
    assert started == {"host": "127.0.0.1", "port": 9000, "open_browser": False}


def test_serve_names_the_extra_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("nicegui", "sitedesign.serve"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sd, "serve", None, raising=False)  # what is imported now leaves with the test
    monkeypatch.setitem(sys.modules, "nicegui", None)
    text = run("serve", code=cli.BAD_INPUT).stderr
    assert "no nicegui" in text
    assert "pip install 'sitedesign[serve]'" in text


# failures ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("solve", "--bogus"), "--bogus"),
        (("solve", "--racks", "many"), "--racks"),
        (("evaluate", *SMALL), "--solar-mw"),
        (("nonsense",), "nonsense"),
        (("library", "show", "backup"), "name"),
    ],
)
def test_wrong_words_are_json_too(words: tuple[str, ...], said: str) -> None:
    answer = run_json(*words, code=cli.BAD_INPUT)
    assert answer["exit_code"] == cli.BAD_INPUT
    assert said in answer["message"]
    result = run(*words, code=cli.BAD_INPUT)
    assert (result.stdout, said in result.stderr.lower()) == ("", True)


def test_an_interrupt_is_one_word_and_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sd, "solve", interrupted)
    assert run("solve", *SMALL, code=cli.INTERRUPTED).stderr == "Interrupted.\n"
    assert run_json("solve", *SMALL, code=cli.INTERRUPTED)["message"] == "Interrupted."


def test_an_error_nobody_foresaw_is_json_with_a_traceback_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(sd, "solve", broken)
    result = run("solve", *SMALL, "--json", code=cli.FAILED)
    assert json.loads(result.stdout) == {"error": "ZeroDivisionError", "message": "oops", "exit_code": 1}
    assert "Traceback" in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")
def test_ctrl_c_of_a_process_leaves_no_traceback() -> None:
    code = (
        "import signal, sys, sitedesign as sd, time\nfrom sitedesign.cli import main\n"
        # Tests run in the background hand down that interrupts are ignored; this is to be interrupted
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "sd.solve = lambda *a, **k: (print('ready', file=sys.stderr, flush=True), time.sleep(3600))\n"
        f"sys.argv = ['sitedesign', 'solve', *{SMALL!r}]\nmain()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            assert process.stderr.readline() == "ready\n"
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=600) == cli.INTERRUPTED
            assert process.stderr.read() == "Interrupted.\n"
        finally:  # left alone, it would be reported as the failure of whichever test comes to collect it
            process.kill()
