"""Sweeps of certified plants: what is asked at each value, what stands beside the bound, what is kept."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

import sitedesign as sd
from sitedesign.api import certified_sweep
from sitedesign.api.bound_sweep import study_at
from sitedesign.cli import console
from sitedesign.optimize import parametric
from sitedesign.report import figures
from tests.cli_runs import SMALL, run

SITE = sd.Site(latitude=31.76, longitude=-106.49)
STUDY = sd.Study(
    site=SITE, it_mw=2, uptime=0.97, weather_years=1, backup=["recip_fast", "diesel"],
    limits={"land_acres": 900},
    fuel_price_usd_per_mmbtu={"diesel": 20},
)  # fmt: skip


@pytest.mark.parametrize(
    ("over", "value", "read"),
    [
        ("uptime", 0.9, lambda study: study.uptime),
        ("min_renewable_share", 0.4, lambda study: study.min_renewable_share),
        ("land_acres", 70.0, lambda study: study.limits.land_acres),
        ("months_to_power", 20.0, lambda study: study.limits.months_to_power),
        ("array_mw", 5.0, lambda study: study.limits.solar_mw[1]),
        ("solar price", 1.1, lambda study: study.pv.capex_usd_per_wdc),
        ("battery price", 99.0, lambda study: study.battery.capex_usd_per_kwh),
        ("battery power price", 88.0, lambda study: study.battery.capex_usd_per_kw),
        ("gas price", 7.0, lambda study: study.fuel_price_usd_per_mmbtu["natural_gas"]),
    ],
)
def test_each_value_is_asked_and_the_rest_stays(over, value, read):
    asked = study_at(STUDY, over, value)
    assert read(asked) == value
    assert asked.fuel_price_usd_per_mmbtu["diesel"] == 20
    assert over == "land_acres" or asked.limits.land_acres == 900


def certified(study, **_):
    if study.uptime > 0.98:
        raise sd.InfeasibleDesign("no plant keeps it")
    uptime = SimpleNamespace(value=study.uptime + 2e-3, lower_bound=lambda _: study.uptime + 1e-3)
    certificate = SimpleNamespace(uptime=uptime, confidence=0.95, met=True)
    return SimpleNamespace(
        certificate=certificate, cost_usd_per_yr=3e6, resources_mw={"solar": 4.0}, battery_mwh=2.0,
        battery_mw=1.0, backup={"recip_fast": 2}, imports_mw={}, sinks_mw={}, racks=17,
    )  # fmt: skip


def test_certified_plants_stand_beside_their_bounds_with_their_units(monkeypatch):
    monkeypatch.setattr(certified_sweep, "solve", certified)
    seen: list[pd.DataFrame] = []
    table = sd.frontier(STUDY, "uptime", [0.95, 0.99], certify=True, keep=seen.append)
    assert [len(frame) for frame in seen] == [1, 2, 2, 2]
    first, last = table.to_dict("records")
    assert first["certified_cost_usd_per_yr"] == 3e6 > first["cost_usd_per_yr"]
    assert (first["certified_units_recip_fast"], first["certified_met"]) == (2, True)
    assert first["certified_uptime_lower"] < first["certified_uptime"]
    assert last["certified_reason"] == "no plant keeps it"
    drawn = {trace.name: trace for trace in figures.cost_of_next_nine(table).data}
    assert drawn["cost with foresight"].text[0] == "1 recip fast"
    assert drawn["certified"].text == ("2 recip fast", "")
    assert drawn["certified"].y == (3.0, None)


def test_a_terminal_shows_both(monkeypatch):
    monkeypatch.setattr(certified_sweep, "solve", certified)
    text = run("frontier", *SMALL, "--over", "uptime", "--values", "0.95,0.99", "--certify").stdout
    assert "Certified: without foresight" in text
    assert "No certified plant for 0.99: no plant keeps it" in text


def test_an_interrupt_leaves_the_answers_so_far(monkeypatch, tmp_path):
    solve, calls = parametric.solve_cuts, []

    def once(*given, **more):
        calls.append(given)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return solve(*given, **more)

    monkeypatch.setattr(parametric, "solve_cuts", once)
    file = tmp_path / "f.csv"
    asked = ("frontier", *SMALL, "--over", "uptime", "--values", "0.9,0.95", "--csv", file)
    assert f"What was found until then is in {file}" in run(*asked, code=130).stderr.replace("\n", "")
    assert pd.read_csv(file)["uptime"].tolist() == [0.9]


def test_a_log_gets_a_line_now_and_then(capsys):
    often, rarely = console._log(0.0), console._log(60.0)
    often("solving")
    rarely("solving")
    written = capsys.readouterr().err
    assert written.count("solving") == 1
    assert written[2] == ":"
