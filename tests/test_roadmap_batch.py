"""Roadmaps of many sites: columns beside the design's, a manifest as before without, faults told at once."""

from __future__ import annotations

from typing import Any

import pytest

import sitedesign as sd
from sitedesign.api import roadmap as api
from sitedesign.batch.one_site import ROADMAP_FIGURES, BatchJob
from sitedesign.errors import InfeasibleDesign
from tests.roadmaps import roadmap

SITES = [{"latitude": 31.76, "longitude": -106.49, "name": "El Paso", "elevation_m": 1200.0}]
ASKED = {"racks": 5, "uptime": 0.9, "backup": ["recip_fast"], "weather_years": 1}


def test_columns_of_a_roadmap_stand_beside_those_of_the_design(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def answer(study: sd.Study, **keywords: Any) -> sd.Roadmap:
        seen.update(keywords, racks=study.racks)
        return roadmap()

    monkeypatch.setattr(api, "roadmap", answer)
    asked = {"ramp": {3: 5}, "rentals": [sd.Rental(technology="diesel", units=1, rent_usd_per_kw_month=9)]}
    (row,) = sd.solve_many(SITES, roadmap=asked, **ASKED).to_dict("records")
    assert row["status"] == "solved"
    assert row["first_power_months"] == 6
    assert row["value_of_month_usd"] == 1.5e6
    assert row["roadmap_usd"] == pytest.approx(roadmap().net_present_value_usd)
    rented = {"technology": "diesel", "units": 1, "rent_usd_per_kw_month": 9}
    assert seen == {"ramp": {"3": 5}, "rentals": [rented], "racks": 5}  # as a file can hold it


def test_who_waits_for_a_grid_is_told_what_a_month_is_worth(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def answer(study: sd.Study, **keywords: Any) -> sd.Roadmap:
        seen.update(keywords)
        return roadmap()

    monkeypatch.setattr(api, "roadmap", answer)
    grid = sd.Grid(mw=2, months=36, tariff=60)
    sd.solve_many(SITES, roadmap={"ramp": {3: 5}}, grid=grid, **ASKED)
    assert seen == {"ramp": {"3": 5}, "worth": "grid"}


def test_a_site_without_a_roadmap_keeps_its_design_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(study: sd.Study, **keywords: Any) -> sd.Roadmap:
        reason = "month 3 asks for 5 racks"
        raise InfeasibleDesign(reason)

    monkeypatch.setattr(api, "roadmap", answer)
    (row,) = sd.solve_many(SITES, roadmap={"ramp": {3: 5}}, **ASKED).to_dict("records")
    assert row["status"] == "solved"
    assert row["cost_usd_per_yr"] > 0
    assert "roadmap: No design meets the request: month 3 asks for 5 racks" in row["error"]


def test_without_a_roadmap_a_job_is_what_it_was() -> None:
    assert "roadmap" not in BatchJob().to_dict()
    assert BatchJob(roadmap={"ramp": {"3": 5}}).to_dict()["roadmap"] == {"ramp": {"3": 5}}
    frame = sd.solve_many(SITES, **ASKED)
    assert not set(ROADMAP_FIGURES) & set(frame.columns)


def test_a_key_that_there_is_not_is_told_before_any_site() -> None:
    with pytest.raises(sd.InputError, match=r"roadmap\.rental: got an unknown key"):
        sd.solve_many(SITES, roadmap={"rental": ["diesel"]}, **ASKED)
