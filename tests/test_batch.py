"""Many sites: what a table may hold, what a folder promises, and what a bad row or a full disk does."""

from __future__ import annotations

import errno
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import sitedesign as sd
from sitedesign import InputError, Site, Study
from sitedesign.batch import one_site, screening, store
from sitedesign.batch.engine import SerialEngine
from sitedesign.batch.one_site import BatchStopped
from sitedesign.batch.progress import ProgressMeter
from sitedesign.batch.table import read_sites
from sitedesign.cli import app
from sitedesign.errors import InfeasibleDesign

EL_PASO = {"latitude": 31.76, "longitude": -106.49}
QUESTION: dict[str, Any] = {"uptime": 0.999, "racks": 10, "quiet": True}
POISON = (
    "latitude,longitude,name,racks,limits.land_acres,weather\n"
    "31.76,-106.49,El Paso,,,\n"
    "95,10,pole,,,\n"
    "31.76,word,text,,,\n"
    "30,-40,ocean,,,\n"
    "31.76,-106.49,El Paso,,,\n"
    "40,-100,many,many,,\n"
    "40,-100,file,,,not_there.csv\n"
    "40,-100,crash,,,\n"
    "40,-100,impossible,,,\n"
    "40,-100,land,20,300,\n"
)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Study]:
    """Solve in no time, in this process; the list fills with what was asked."""
    studies: list[Study] = []

    def solve(study: Study, job: one_site.BatchJob) -> Study:
        studies.append(study)
        if study.site.name == "crash":
            raise ZeroDivisionError("division by zero")
        if study.site.name == "impossible":
            raise InfeasibleDesign("the land does not hold the array")
        return study

    def figures(study: Any) -> dict[str, Any]:
        cost = 1000 * study.site.latitude + study.contracted_racks
        found = dict.fromkeys(one_site.FIGURES, cost / 7)
        return found | {"cost_usd_per_yr": cost, "racks_installed": study.contracted_racks, "units_diesel": 1}

    monkeypatch.setattr(one_site, "_solve", solve)
    monkeypatch.setattr(one_site, "figures", figures)
    monkeypatch.setattr(screening, "check_job", lambda job, studies=(): None)
    monkeypatch.setattr(screening, "_WRITE_EVERY_S", 0.0)  # each by itself, as sites are that take long
    monkeypatch.setattr(
        screening._Batch, "dask", lambda self, tasks, question, job: SerialEngine(tasks, question, job)
    )
    return studies


@pytest.fixture
def poison(tmp_path: Path) -> Path:
    path = tmp_path / "sites.csv"
    path.write_text(POISON)
    return path


def message(*args: Any, **kwargs: Any) -> str:
    with pytest.raises(InputError) as caught:
        sd.solve_many(*args, **kwargs)
    return str(caught.value)


def test_poison_rows_fail_alone_and_say_why(asked: list[Study], poison: Path) -> None:
    found = sd.solve_many(poison, **QUESTION)
    assert found["status"].tolist() == [
        "solved", "bad input", "bad input", "bad input", "solved", "bad input", "bad input", "error",
        "infeasible", "solved",
    ]  # fmt: skip
    errors = dict(zip(found["name"], found["error"], strict=True))
    assert "site.latitude: got 95; must be in [-90, 90]" in errors["pole"]
    assert "site.longitude: got 'word'; must be a number of degrees" in errors["text"]
    assert "which lies in the sea" in errors["ocean"]
    assert "study.racks: got 'many'" in errors["many"]
    assert "not_there.csv" in errors["file"]
    assert errors["crash"] == "ZeroDivisionError: division by zero"
    assert errors["impossible"] == "No design meets the request: the land does not hold the array"


def test_rows_override_any_field(asked: list[Study], tmp_path: Path) -> None:
    study = Study(
        site=Site(**EL_PASO), uptime=0.999, it_mw=50, limits={"solar_mw": 900, "units": {"diesel": 3}},
        fuel_price_usd_per_mmbtu={"diesel": 30.0},
    )  # fmt: skip
    row = EL_PASO | {
        "uptime": 0.9999, "racks": 40, "limits.land_acres": 300, "limits.battery_mwh": "100:400",
        "limits.units.recip_medium": 2, "gas_price": 6.5, "backup": "recip_medium;diesel",
        "rack": "gb200_nvl72",
    }  # fmt: skip
    sd.solve_many([EL_PASO, row], study)
    plain, own = asked
    assert plain.it_mw == 50
    assert plain.limits == study.limits
    assert (own.uptime, own.racks, own.it_mw) == (0.9999, 40, None)
    assert own.limits.solar_mw == (0, 900)
    assert own.limits.land_acres == 300
    assert own.limits.battery_mwh == (100, 400)
    assert own.limits.units == {"diesel": (0, 3), "recip_medium": (0, 2)}
    assert own.fuel_price_usd_per_mmbtu == {"diesel": 30.0, "natural_gas": 6.5}
    assert [item.name for item in own.backup] == ["recip_medium", "diesel"]


def test_rows_may_ask_in_another_unit_of_compute_and_choose_among_arrays(asked: list[Study]) -> None:
    rows = [
        EL_PASO | {"gpus": 720},
        EL_PASO | {"throughput.rack_equivalents": 9.5},
        EL_PASO | {"metric": "compute", "spares": "share"},
        EL_PASO | {"objective": "compute_cost", "lost_compute_usd_per_rack_h": 200.0},
        EL_PASO | {"pv": "tracker_ac;fixed_dc"},
    ]
    found = sd.solve_many(rows, **QUESTION)
    assert found["status"].tolist() == ["solved"] * 5
    gpus, work, sharing, priced, choosing = asked
    assert (gpus.gpus, gpus.racks, gpus.contracted_racks) == (720, None, 10)
    assert (work.racks, work.contracted_racks) == (None, 10)
    assert (sharing.metric, sharing.spares) == ("compute", "share")
    assert (priced.objective, priced.lost_compute_usd_per_rack_h) == ("compute_cost", 200.0)
    assert [(pv.name, battery.name) for pv, battery in choosing.power_paths] == [
        ("tracker_ac", "lfp"), ("fixed_dc", "lfp_dc"),
    ]  # fmt: skip


def test_row_replaces_the_arrays_that_a_study_chooses_among(asked: list[Study]) -> None:
    study = Study(site=Site(**EL_PASO), uptime=0.99, racks=10, pv=["tracker_ac", "fixed_dc"])
    sd.solve_many([EL_PASO, EL_PASO | {"pv": "fixed_ac"}], study)
    assert len(asked[0].power_paths) == 2
    assert (asked[1].pv.name, asked[1].power_paths) == ("fixed_ac", ())


def test_classes_belong_to_the_question_and_have_columns(asked: list[Study], tmp_path: Path) -> None:
    classes = [{"name": "train", "racks": 5, "uptime": 0.9}, {"name": "chat", "racks": 5, "uptime": 0.999}]
    found = sd.solve_many([EL_PASO], out=tmp_path, classes=classes, quiet=True)
    assert {"uptime_of_train", "uptime_of_chat"} <= set(found.columns)
    text = message([EL_PASO | {"classes": classes}], uptime=0.9, racks=3)
    assert text == (
        "1 problem in the inputs of solve_many():\n * sites.classes: got a column; cannot stand in a table "
        "of sites. Give the classes with the question; they are then the same at every site."
    )
    failed = sd.solve_many([EL_PASO | {"uptime": 0.9}], classes=classes)
    assert "each class has its own" in failed["error"][0]


def test_words_in_columns_of_choices_are_kept(asked: list[Study], tmp_path: Path) -> None:
    rows = [EL_PASO | {"objective": "compute_cost", "spares": "standby"}, EL_PASO | {"objective": "cots"}]
    found = sd.solve_many(rows, out=tmp_path, **QUESTION)
    assert found["objective"].tolist() == ["compute_cost", "cots"]
    assert found["spares"][0] == "standby"
    assert "study.objective: got 'cots'" in found["error"][1]


def test_effort_is_part_of_what_certified_results_stand_on(asked: list[Study], tmp_path: Path) -> None:
    sd.solve_many([EL_PASO], out=tmp_path / "bound", **QUESTION)
    sd.solve_many([EL_PASO], out=tmp_path / "bound", effort="standard", **QUESTION)
    assert len(asked) == 1  # a bound has no search
    sd.solve_many([EL_PASO], out=tmp_path / "sure", stage="certified", **QUESTION)
    text = message([EL_PASO], out=tmp_path / "sure", stage="certified", effort="standard", **QUESTION)
    assert "job.effort: got standard; the results in" in text


def test_unknown_level_and_effort_are_refused() -> None:
    assert "Did you mean 'certified'?" in message([EL_PASO], stage="certifed", **QUESTION)
    assert "Did you mean 'screening'?" in message([EL_PASO], effort="screning", **QUESTION)


SMALL: dict[str, Any] = {"racks": 10, "uptime": 0.97, "weather_years": 3, "quiet": True}


def test_real_sites_carry_what_is_worth_ranking(tmp_path: Path) -> None:
    rows = [
        EL_PASO,
        EL_PASO | {"metric": "compute"},
        EL_PASO | {"objective": "compute_cost"},
        EL_PASO | {"pv": "tracker_ac;fixed_dc"},
    ]
    found = sd.solve_many(rows, **SMALL)
    assert found["status"].tolist() == ["solved"] * 4
    plain, throttled, priced, choosing = found.to_dict("records")
    design = sd.solve(site=Site(**EL_PASO), certify=False, racks=10, uptime=0.97, weather_years=3)
    for name in ("usd_per_rack_h", "usd_per_gpu_h", "water_m3_per_yr", "capital_usd", "gap"):
        assert plain[name] == getattr(design, name)
    assert throttled["cost_usd_per_yr"] < plain["cost_usd_per_yr"]  # what is shed is the cheapest work
    assert priced["usd_per_rack_h"] < plain["usd_per_rack_h"]
    assert 0.999 * priced["usd_per_rack_h"] < priced["bound_usd_per_rack_h"] <= priced["usd_per_rack_h"]
    assert choosing["pv_built"] in ("tracker_ac", "fixed_dc")
    assert choosing["cost_usd_per_yr"] <= plain["cost_usd_per_yr"] * (1 + 1e-4)
    assert sd.rank(found, by="delivered_rack_h_per_yr")["delivered_rack_h_per_yr"].is_monotonic_decreasing


@pytest.mark.slow
def test_best_site_is_really_certified_and_another_says_why_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sitedesign.study.effort import EFFORTS

    quick = replace(EFFORTS["screening"], years=60, evaluations=60, certificate_years=40, certificates=5)
    monkeypatch.setitem(EFFORTS, "screening", quick)
    monkeypatch.setattr(
        screening._Batch, "dask", lambda self, tasks, question, job: SerialEngine(tasks, question, job)
    )
    rows = [
        EL_PASO | {"name": "gas"},
        EL_PASO | {"name": "sun alone", "backup": "none", "limits.solar_mw": 9.0, "limits.battery_mwh": 44.0},
    ]
    question = SMALL | {"backup": ["recip_fast"]}
    found = sd.solve_many(rows, out=tmp_path, certify_best=2, **question).set_index("name")
    sure = found.loc["gas"]
    assert sure["certified_status"] == "solved"
    assert sure["certified_met"] == 1.0
    assert 0.97 <= sure["certified_uptime_lower"] < sure["certified_uptime"] < 1
    assert sure["certified_uptime_standard_error"] > 0
    assert sure["certified_cost_usd_per_yr"] > sure["cost_usd_per_yr"]
    assert sure["certified_weather_years"] == 40
    lone = found.loc["sun alone"]
    assert (lone["status"], lone["certified_status"]) == ("solved", "infeasible")
    assert "the best plant found keeps" in lone["certified_error"]
    assert "remed" not in lone["certified_error"]  # each would take as long as the site


def test_unknown_columns_are_refused_with_the_nearest_name(asked: list[Study]) -> None:
    text = message([{"latitud": 31, "longitude": -106, "upime": 0.99, "limits.land": 3}], **QUESTION)
    assert "sites.latitud: got an unknown key" in text
    assert "Did you mean 'latitude'?" in text
    assert "Did you mean 'uptime'?" in text
    assert "sites.limits.land: got an unknown key" in text
    assert "sites.latitude: got no such column; is needed, in degrees." in text
    assert not asked


def test_fault_of_the_question_is_found_before_any_site(asked: list[Study]) -> None:
    text = message([EL_PASO], uptime=9.99, rack="gb200")
    assert "study.uptime: got 9.99" in text
    assert "Did you mean 'gb200_nvl72'?" in text
    assert "study.racks: got nothing" in text
    assert not asked
    assert "cannot be combined with a study" in message(
        [EL_PASO], Study(site=Site(**EL_PASO), uptime=0.9, racks=1), racks=3
    )


def test_field_that_rows_give_may_be_missing_in_the_question(asked: list[Study]) -> None:
    found = sd.solve_many([EL_PASO | {"uptime": 0.99, "racks": 5}])
    assert found["status"].tolist() == ["solved"]


def test_same_sites_whatever_the_file(asked: list[Study], tmp_path: Path) -> None:
    frame = pd.DataFrame({"latitude": [31.76, 40.0], "longitude": [-106.49, -100.0], "racks": [5, 7]})
    frame.to_csv(tmp_path / "sites.csv", index=False, encoding="utf-8-sig")
    frame.to_parquet(tmp_path / "sites.parquet")
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [row.longitude, row.latitude]},
            "properties": {"racks": int(row.racks)},
        }
        for row in frame.itertuples()
    ]
    (tmp_path / "sites.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    keys = [read_sites(tmp_path / f"sites.{kind}").keys for kind in ("csv", "parquet", "geojson")]
    assert keys[0] == keys[1] == keys[2] == read_sites(frame).keys
    assert read_sites(frame[::-1]).digest == read_sites(frame).digest


def test_geojson_other_than_points_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sites.geojson"
    feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": []}, "properties": {}}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    assert "sites feature 0: got Polygon; must be a Point. Use the centroids of polygons." in message(
        path, **QUESTION
    )


@pytest.mark.parametrize("text", ["", "latitude,longitude\n", "latitude,longitude\n1,2,3,4\n", '"'])
def test_broken_csv_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sites.csv"
    path.write_text(text)
    assert "sites" in message(path, **QUESTION)


def test_equal_rows_are_told_apart_by_their_number(poison: Path) -> None:
    keys = read_sites(poison).keys
    assert len(set(keys)) == len(keys) == 10
    assert keys[0].removesuffix("-0") == keys[4].removesuffix("-1")


def test_a_word_in_one_row_does_not_change_the_key_of_another(tmp_path: Path) -> None:
    clean, mixed = tmp_path / "clean.csv", tmp_path / "mixed.csv"
    clean.write_text("latitude,longitude\n31.760,-106.49\n")
    mixed.write_text("latitude,longitude\n31.76,-106.490\nword,0\n")
    assert read_sites(clean).keys[0] == read_sites(mixed).keys[0]


def test_folder_resumes_exactly_what_is_missing(asked: list[Study], poison: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    head = tmp_path / "head.csv"
    head.write_text("".join(POISON.splitlines(keepends=True)[:5]))
    sd.solve_many(head, out=out, **QUESTION)
    asked.clear()
    found = sd.solve_many(poison, out=out, **QUESTION)
    assert [study.site.name for study in asked] == ["El Paso", "crash", "impossible", "land"]
    assert found["name"].tolist() == [line.split(",")[2] for line in POISON.splitlines()[1:]]
    asked.clear()
    again = sd.solve_many(poison, out=out, **QUESTION)
    assert not asked
    pd.testing.assert_frame_equal(found, again)
    sd.solve_many(poison, out=out, retry_failed=True, **QUESTION)
    assert [study.site.name for study in asked] == ["crash"]


def test_table_may_grow_by_rows_and_columns(asked: list[Study], tmp_path: Path) -> None:
    sd.solve_many([EL_PASO | {"limits.solar_mw": 900.0}], out=tmp_path, **QUESTION)
    grown = [EL_PASO | {"limits.solar_mw": 900.0}, EL_PASO | {"racks": 20, "limits.solar_mw": "100:900"}]
    found = sd.solve_many(grown, out=tmp_path, **QUESTION)
    assert len(asked) == 2  # the first site was not solved again
    assert found["racks_installed"].tolist() == [10, 20]
    assert found["limits.solar_mw"].tolist() == ["900", "100:900"]
    again = sd.solve_many(grown[:1], out=tmp_path, **QUESTION)
    assert again["limits.solar_mw"].tolist() == [900.0]
    assert len(asked) == 2


def test_results_file_is_the_same_bytes_in_any_order(
    asked: list[Study], poison: Path, tmp_path: Path
) -> None:
    sd.solve_many(poison, out=tmp_path / "a", **QUESTION)
    head, *rows = POISON.splitlines()
    poison.write_text("\n".join([head, *reversed(rows)]) + "\n")
    sd.solve_many(poison, out=tmp_path / "b", **QUESTION)
    assert (tmp_path / "a/results.parquet").read_bytes() == (tmp_path / "b/results.parquet").read_bytes()
    names = pq.read_schema(tmp_path / "a/results.parquet").names
    assert not [name for name in names if name.startswith("run_")]
    assert (
        pd.read_parquet(tmp_path / "a/results.parquet")["latitude"].dtype == float
    )  # the word is in the error


def test_folder_and_memory_give_the_same_figures(asked: list[Study], poison: Path, tmp_path: Path) -> None:
    here = sd.solve_many(poison, **QUESTION)
    there = sd.solve_many(poison, out=tmp_path / "out", **QUESTION)
    for column in ("status", "cost_usd_per_yr", "units_diesel", "name"):
        assert here[column].fillna(-1).tolist() == there[column].fillna(-1).tolist()


def test_changed_assumptions_are_refused_with_both_values(asked: list[Study], tmp_path: Path) -> None:
    out = tmp_path / "out"
    sd.solve_many([EL_PASO], out=out, **QUESTION)
    text = message([EL_PASO], out=out, **(QUESTION | {"uptime": 0.9999}), gap=0.01)
    assert text == (
        "2 problems in the inputs of solve_many():\n"
        f" * job.gap: got 0.01; the results in {out} stand on None.\n"
        f" * question.uptime: got 0.9999; the results in {out} stand on 0.999. Results of two questions do "
        "not belong in one table: choose another folder, or --new (new=True) to set these aside and start "
        "over."
    )
    asked.clear()
    sd.solve_many([EL_PASO], out=out, new=True, **(QUESTION | {"uptime": 0.9999}))
    assert len(asked) == 1
    before = pd.read_parquet(out / "previous-1" / "results.parquet")
    assert before["status"].tolist() == ["solved"]  # set aside, not deleted


def test_other_versions_are_refused(
    asked: list[Study], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sd.solve_many([EL_PASO], out=tmp_path, **QUESTION)
    monkeypatch.setattr(screening, "version", lambda _: "99.0")
    assert "versions.sitedesign: got 99.0; the results in" in message([EL_PASO], out=tmp_path, **QUESTION)


def test_manifest_says_what_the_results_stand_on(asked: list[Study], tmp_path: Path) -> None:
    sd.solve_many([EL_PASO], out=tmp_path, seed=7, **QUESTION)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["seed"] == 7
    assert manifest["input"]["sites"] == 1
    assert manifest["assumptions"]["question"] == {"racks": 10, "seed": 7, "uptime": 0.999}
    assert {"sitedesign", "highspy", "numpy"} <= set(manifest["assumptions"]["versions"])
    assert len(manifest["assumptions_sha256"]) == 64


def test_a_batch_stands_on_every_number_of_its_wind_and_its_prices(
    asked: list[Study], tmp_path: Path
) -> None:
    """Also on what is no text: results of other winds or other prices are not taken for these."""
    sky = sd.Weather.generate(sd.Site(**EL_PASO), years=1, wind=True)
    assert sky.wind_aloft is not None
    calm = replace(sky, wind_aloft=replace(sky.wind_aloft, speed_m_s=sky.wind_aloft.speed_m_s * 0.9))
    hours = np.linspace(20.0, 60.0, 8760)
    given = QUESTION | {
        "weather": sky,
        "grid": sd.Grid(mw=5, prices=hours),
        "surplus": [sd.Surplus(name="mill", mw=2, prices=hours[::-1] / 2)],
    }
    sd.solve_many([EL_PASO], out=tmp_path, **given)
    sd.solve_many([EL_PASO], out=tmp_path, **given)
    assert len(asked) == 1  # the same question goes on where it stopped
    dearer = sd.Grid(mw=5, prices=hours + 1e-3)
    assert "question.grid" in message([EL_PASO], out=tmp_path, **(given | {"grid": dearer}))
    assert "question.weather" in message([EL_PASO], out=tmp_path, **(given | {"weather": calm}))


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_folder_that_cannot_be_written_is_refused_before_any_work(
    asked: list[Study], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(path: Path, data: bytes) -> None:
        raise OSError(number, "Read-only file system")

    monkeypatch.setattr(store, "write_atomic", refuse)
    text = message([EL_PASO], out=tmp_path / "out", **QUESTION)
    assert "(Read-only file system); must be a folder that can be written" in text
    assert not asked


def test_folder_under_a_file_is_refused(asked: list[Study], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "must be a folder that can be written" in message([EL_PASO], out=tmp_path / "file/out", **QUESTION)
    assert not asked


def test_two_batches_in_one_folder_are_refused(asked: list[Study], tmp_path: Path) -> None:
    lock = store._lock(tmp_path)
    try:
        assert "in use by another batch" in message([EL_PASO], out=tmp_path, **QUESTION)
    finally:
        lock.release()
    sd.solve_many([EL_PASO], out=tmp_path, **QUESTION)


def test_full_disk_loses_nothing_and_says_so(
    asked: list[Study], poison: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, write = tmp_path / "out", store.write_atomic
    reserve = out / ".reserve"

    def full(path: Path, data: bytes) -> None:
        """Fail like a disk that is full but for the reserve, from the third part on."""
        if path.name.startswith("part-") and path.name >= "part-00000002" and reserve.exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, data)

    monkeypatch.setattr(store, "write_atomic", full)
    with pytest.raises(
        BatchStopped, match=r"the disk is full at .*out\. Every site that was written is kept"
    ):
        sd.solve_many(poison, out=out, **QUESTION)
    assert len(sd.batch.store.read_results(out)) == 3  # the one that found the disk full is there, too
    monkeypatch.setattr(store, "write_atomic", write)
    sd.solve_many(poison, out=out, **QUESTION)
    sd.solve_many(poison, out=tmp_path / "undisturbed", **QUESTION)
    assert (out / "results.parquet").read_bytes() == (tmp_path / "undisturbed/results.parquet").read_bytes()
    assert not list(out.rglob("*.tmp"))


def test_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    store.write_atomic(path, b"old")

    def fail(handle: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(store.os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output"):
        store.write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


def test_results_are_those_of_the_table_in_its_order_however_few_rows_are_written_at_once(
    asked: list[Study], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = pd.DataFrame({"latitude": [40.0, 31.0, 35.0, 33.0, 38.0], "longitude": -100.0})
    whole = sd.solve_many(places, out=tmp_path / "whole", **QUESTION)
    monkeypatch.setattr(store, "_ROWS_AT_ONCE", 2)
    pieces = sd.solve_many(places, out=tmp_path / "pieces", **QUESTION)
    assert pieces["latitude"].tolist() == places["latitude"].tolist()
    pd.testing.assert_frame_equal(whole, pieces)
    read = [pq.read_table(tmp_path / name / "results.parquet") for name in ("whole", "pieces")]
    assert read[0].equals(read[1])
    keys = read[1]["key"].to_pylist()
    assert keys == sorted(keys)
    assert set(keys) == set(pieces["key"])


def test_many_small_parts_are_joined(
    asked: list[Study], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_MOST_SMALL_PARTS", 4)
    rows = [EL_PASO | {"racks": racks} for racks in range(1, 12)]
    found = sd.solve_many(rows, out=tmp_path, quiet=True, uptime=0.999)
    assert found["cost_usd_per_yr"].tolist() == [31760 + racks for racks in range(1, 12)]
    names = sorted(path.name for path in (tmp_path / "sites").iterdir())
    assert names == [
        f"part-{number:08d}.parquet" for number in (9, 10, 11, 12)
    ]  # the first holds eight sites


def test_second_stage_certifies_the_best(asked: list[Study], poison: Path, tmp_path: Path) -> None:
    found = sd.solve_many(poison, out=tmp_path / "out", certify_best=2, **QUESTION)
    certified = found[found["certified_status"].notna()]
    assert certified["name"].tolist() == ["El Paso", "El Paso"]
    assert certified["certified_cost_usd_per_yr"].tolist() == [31770.0, 31770.0]
    assert len(found) == 10


def test_rank_filters_and_orders(asked: list[Study], poison: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    found = sd.solve_many(poison, out=out, **QUESTION)
    ranked = sd.rank(found)
    assert ranked["name"].tolist() == ["El Paso", "El Paso", "land"]
    assert ranked["rank"].tolist() == [1, 2, 3]
    assert sd.rank(out, where="racks_installed > 10")["name"].tolist() == ["land"]
    assert sd.rank(out, where={"latitude": (35, None)})["name"].tolist() == ["land"]
    assert sd.rank(out, by="renewable_share")["name"].tolist()[0] == "land"  # more is better
    with pytest.raises(InputError, match=r"Did you mean 'cost_usd_per_yr'\?"):
        sd.rank(found, by="cost_usd_per_year")
    with pytest.raises(InputError, match="must be an expression of columns"):
        sd.rank(found, where="land_acres <<< 3")
    with pytest.raises(InputError, match="must be the folder of a batch"):
        sd.rank(tmp_path / "nowhere")


def test_grid_is_on_land_and_includes_its_edges() -> None:
    grid = sd.land_grid(30, 32, -120, -114, 1)
    assert grid.values.tolist()[-1] == [32.0, -114.0]
    assert not ((grid["latitude"] == 30) & (grid["longitude"] == -120)).any()  # the Pacific
    assert len(grid) == 10
    with pytest.raises(InputError, match="has no point on land"):
        sd.land_grid(0, 1, -30, -29, 1)
    with pytest.raises(InputError, match=r"must be -66 <= south <= north <= 66"):
        sd.land_grid(49, 25, -125, -67, 1)


def test_progress_tells_rate_and_time_left() -> None:
    clock = iter([0.0, *(t for second in (30.0, 60.0) for t in [second] * 2)])
    said: list[str] = []
    progress = ProgressMeter(10, 4, said.append, 0.0, clock=lambda: next(clock))
    progress.add("solved")
    progress.add("error")
    assert said == [
        "5 of 10 sites, 2.0 sites/min, 150 s left".replace("150 s", "2 min"),
        "6 of 10 sites, 1 without a design, 2.0 sites/min, 2 min left",
    ]


def test_line_per_site_goes_to_the_callable(asked: list[Study]) -> None:
    said: list[str] = []
    sd.solve_many([EL_PASO, EL_PASO], uptime=0.999, racks=10, progress=said.append)
    assert [re.match(r"\d of 2 sites", line) is not None for line in said] == [True, True]


def run_command(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, result.output


def test_a_site_without_a_name_is_told_by_its_place(asked: list[Study], tmp_path: Path) -> None:
    sites = tmp_path / "sites.csv"
    sites.write_text("lat,lon\n0,-30\n", encoding="utf-8")
    code, text = run_command("batch", sites, "--out", tmp_path / "out", "--racks", 10, "--uptime", 0.9)
    assert code == 1
    assert "0.0, -30.0: bad input: site: got 0, -30, which lies in the sea" in text


def test_command_solves_ranks_and_resumes(asked: list[Study], poison: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ("batch", poison, "--out", out, "--racks", 10, "--uptime", 0.999, "--gas-price", 5, "--quiet")
    code, text = run_command(*command, "--limit", "land_acres=900", "--backup", "recip_medium")
    assert code == 0
    told = "10 sites: 5 bad input, 3 solved, 1 error, 1 infeasible (bounds, not designs to build: perfect"
    assert told in " ".join(text.split())
    assert len(pd.read_csv(out / "failed.csv")) == 7
    assert asked[0].limits.land_acres == 900
    assert asked[0].fuel_price_usd_per_mmbtu == {"natural_gas": 5.0}
    assert [item.name for item in asked[0].backup] == ["recip_medium"]
    code, text = run_command(*command)
    assert code == 2
    assert "question.backup" in text
    assert run_command("rank", out, "--where", "racks_installed > 10", "--json")[1].count('"rank"') == 1
    code, text = run_command("rank", out, "--where", "racks_installed > 99")
    assert "None of 3 sites with a design passes 'racks_installed > 99'.\n  racks_installed: 10 to 20" in text
    code, text = run_command("batch", poison, "--out", tmp_path / "out.xlsx", "--racks", 10)
    assert "--out: got" in text
    assert "must be a folder. For a table of every site: --excel" in text
    code, text = run_command(
        "rank", out, "--csv", tmp_path / "ranked.csv", "--excel", tmp_path / "ranked.xlsx"
    )
    assert code == 0
    assert "Bounds, not designs to build: perfect foresight, nothing fails." in text
    assert len(pd.read_excel(tmp_path / "ranked.xlsx")) == 3
    assert pd.read_csv(tmp_path / "ranked.csv")["rank"].tolist() == [1, 2, 3]


def test_command_takes_a_grid_or_a_file(asked: list[Study], poison: Path, tmp_path: Path) -> None:
    common = ("--out", tmp_path / "out", "--racks", 10, "--uptime", 0.999, "--quiet")
    assert run_command("batch", *common, "--grid", "32,33,-107,-106,1")[0] == 0
    assert len(asked) == 4
    code, text = run_command("batch", *common)
    assert code == 2
    assert "SITES and --grid: got neither" in text
    assert run_command("batch", poison, *common, "--grid", "32,33,-107,-106,1")[0] == 2
    code, text = run_command("batch", *common, "--grid", "32,33,-107")
    assert code == 2
    assert "must be SOUTH,NORTH,WEST,EAST,SPACING" in " ".join(text.split())


def test_interrupt_is_an_exit_code_and_a_hint(
    asked: list[Study], poison: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    solve = one_site._solve

    def interrupted(study: Study, job: one_site.BatchJob) -> Any:
        if study.site.name == "land":
            raise KeyboardInterrupt
        return solve(study, job)

    monkeypatch.setattr(one_site, "_solve", interrupted)
    out = tmp_path / "out"
    code, text = run_command("batch", poison, "--out", out, "--racks", 10, "--uptime", 0.999, "--quiet")
    assert code == 130
    assert "Finished sites are in" in text
    assert len(pd.read_parquet(out / "results.parquet")) == 9
