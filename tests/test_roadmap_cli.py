"""The command `roadmap` and the table [roadmap]: what they ask, what they write, what they refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

import sitedesign as sd
from sitedesign.cli import BAD_INPUT, GAP, SOLVED, app
from sitedesign.study.roadmap_defaults import usual_rental
from sitedesign.study.roadmap_file import read_roadmap_table
from sitedesign.study.toml_file import write_template
from tests.roadmaps import roadmap

EL_PASO = ["roadmap", "--lat", "31.76", "--lon", "-106.49", "--racks", "700", "--uptime", "0.999"]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Keywords of the call that the command makes, which is answered by a roadmap made by hand."""
    found: dict[str, Any] = {}

    def answer(study: sd.Study, progress: object = None, **keywords: Any) -> sd.Roadmap:
        found.update(keywords, study=study)
        return roadmap()

    monkeypatch.setattr(sd, "roadmap", answer)
    return found


def run(*words: str) -> Any:
    return CliRunner().invoke(app, list(words))


def test_options_ask_what_the_function_is_asked(asked: dict[str, Any]) -> None:
    done = run(
        *EL_PASO, "--ramp", "12=700", "--ramp", "6=100", "--value", "landlord", "--rent", "mobile_gt=12",
        "--rent", "diesel", "--deliver", "solar=10:40", "--deliver", "battery=9:250", "--deliver", "grid=36",
        "--start", "2027-01-01", "--horizon-months", "180", "--stages", "6", "--by-hand", "--worth",
    )  # fmt: skip
    assert done.exit_code == SOLVED, done.output
    study = asked.pop("study")
    assert (study.racks, study.uptime) == (700, 0.999)
    assert asked == {
        "ramp": {6: 100, 12: 700},
        "value_usd_per_rack_month": "landlord",
        "rentals": [usual_rental("mobile_gt", 12), usual_rental("diesel")],
        "deliveries": [
            {"technology": "solar", "lead_months": 10, "mw_per_month": 40.0},
            {"technology": "battery", "lead_months": 9, "mwh_per_month": 250.0},
            {"technology": "grid", "lead_months": 36},
        ],
        "start": "2027-01-01",
        "horizon_months": 180,
        "stages": 6,
        "by_hand": True,
        "worth": True,
    }
    assert "Roadmap('El Paso, TX')" in done.stdout


def test_a_value_may_be_a_number(asked: dict[str, Any]) -> None:
    assert run(*EL_PASO, "--value", "21000", "--worth-whole").exit_code == SOLVED
    assert asked["value_usd_per_rack_month"] == 21_000.0
    assert asked["worth"] == "whole"


def test_files_hold_the_roadmap_its_months_and_its_money(asked: dict[str, Any], tmp_path: Path) -> None:
    names = {"--save": "r.json", "--csv": "m.csv", "--cash-csv": "c.csv", "--report": "r.html"}
    words = [word for option, name in names.items() for word in (option, str(tmp_path / name))]
    done = run(*EL_PASO, "--ramp", "0=700", *words, "--json")
    assert done.exit_code == SOLVED, done.output
    assert json.loads(done.stdout) == roadmap().to_dict()
    assert sd.Roadmap.load(tmp_path / "r.json") == roadmap()
    assert pd.read_csv(tmp_path / "m.csv")["racks_running"].max() == 700
    assert pd.read_csv(tmp_path / "c.csv")["net"].sum() == pytest.approx(roadmap().cash_table()["net"].sum())
    assert "What comes when" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_every_malformed_option_is_told_at_once(asked: dict[str, Any]) -> None:
    done = run(
        *EL_PASO, "--ramp", "soon=7", "--rent", "mobil_gt", "--rent", "diesel=few", "--deliver", "solar"
    )
    assert done.exit_code == BAD_INPUT
    text = " ".join(done.stderr.split())
    assert text.startswith("4 problems in the inputs of the command line:")
    for said in (
        "--ramp: got 'soon=7'; must be MONTH=RACKS, whole numbers. Try 12=700.",
        "--rent: got 'mobil_gt'; must be one of diesel, mobile_gt, recip_fast. Did you mean 'mobile_gt'?",
        "--rent: got 'diesel=few'; must be NAME=UNITS. Try mobile_gt=12.",
        "--deliver: got 'solar'; must be NAME=LEAD or NAME=LEAD:RATE",
    ):
        assert said in text


def test_faults_of_the_question_are_named_by_option() -> None:
    done = run(*EL_PASO, "--ramp", "6=900", "--horizon-months", "0")
    assert done.exit_code == BAD_INPUT
    assert "--horizon-months: got 0" in done.stderr
    done = run(*EL_PASO, "--ramp", "6=900")
    assert "--ramp: got 900 racks; must be at most the 700 racks of the study" in done.stderr


def test_a_gap_is_an_answer_with_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(study: sd.Study, **keywords: Any) -> sd.Roadmap:
        message = "stopped by the time limit"
        raise sd.NotProvenOptimal(message, roadmap(), -1.0)

    monkeypatch.setattr(sd, "roadmap", stopped)
    done = run(*EL_PASO, "--ramp", "0=700")
    assert done.exit_code == GAP
    assert "stopped by the time limit" in done.stderr
    assert "Roadmap('El Paso, TX')" in done.stdout


# Study file -------------------------------------------------------------------------------------------------

TABLE = """
[roadmap]
value_usd_per_rack_month = "landlord"
start = 2027-01-01
rentals = ["mobile_gt"]
[roadmap.ramp]
12 = 700
6 = 100
[[roadmap.deliveries]]
technology = "solar"
lead_months = 8
"""


def test_a_study_file_holds_the_same(asked: dict[str, Any], tmp_path: Path) -> None:
    path = write_template(tmp_path / "study.toml")
    path.write_text(path.read_text(encoding="utf-8") + TABLE, encoding="utf-8")
    assert sd.read_study(path).racks == 700  # and solve takes it as well
    done = run("roadmap", str(path), "--value", "developer")
    assert done.exit_code == SOLVED, done.output
    assert list(asked["ramp"]) == ["6", "12"]
    assert asked["value_usd_per_rack_month"] == "developer"  # options replace what the file says
    assert asked["rentals"] == ["mobile_gt"]
    assert asked["deliveries"] == [{"technology": "solar", "lead_months": 8}]


def test_the_template_shows_the_table_and_its_lines_are_right(tmp_path: Path) -> None:
    path = write_template(tmp_path / "study.toml")
    text = path.read_text(encoding="utf-8")
    head, _, table = text.partition("#[roadmap]")
    lines = [line.removeprefix("#") for line in table.splitlines()]
    path.write_text("\n".join([head, "[roadmap]", *lines]), encoding="utf-8")
    found = read_roadmap_table(path)
    assert list(found) == ["value_usd_per_rack_month", "start", "rentals", "ramp", "deliveries"]
    assert sd.Ramp(steps=found["ramp"]).steps == ((6, 100), (12, 700))


def test_a_key_that_there_is_not_is_named(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text("[roadmap]\nrental = ['mobile_gt']\n", encoding="utf-8")
    with pytest.raises(sd.InputError, match=r"roadmap\]\.rental: got an unknown key.*rentals"):
        read_roadmap_table(path)
    path.write_text("roadmap = 7\n", encoding="utf-8")
    with pytest.raises(sd.InputError, match="must be a table"):
        read_roadmap_table(path)
    path.write_text("racks = 7\n", encoding="utf-8")
    assert read_roadmap_table(path) == {}
