"""Tables of sites as people with spreadsheets have them."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

import sitedesign as sd
from sitedesign.batch.columns import result_schema, taken_columns
from sitedesign.batch.one_site import BatchJob
from sitedesign.batch.question import make_question
from sitedesign.batch.table import read_sites
from sitedesign.batch.workbook import write_workbook

WANTED = {"latitude": 31.76, "longitude": -106.49, "name": "Cañón", "racks": 70.0}


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("latitude,longitude,name,racks\n31.76,-106.49,Cañón,70\n", "utf-8"),
        ("Lat,LON,name,racks\n31.76,-106.49,Cañón,70\n", "utf-8-sig"),
        ("LATITUDE;Long;name;racks\n31,76;-106,49;Cañón;70\n", "cp1252"),
        ("lat\tlng\tname\tracks\n31.76\t-106.49\tCañón\t70\n", "utf-8"),
    ],
)
def test_headings_separators_encodings_and_decimal_commas(tmp_path, text, encoding) -> None:
    path = tmp_path / "sites.csv"
    path.write_bytes(text.encode(encoding))
    assert read_sites(path).rows == [WANTED]


def test_a_workbook(tmp_path) -> None:
    pytest.importorskip("openpyxl")
    path = tmp_path / "sites.xlsx"
    pd.DataFrame([{"Lat": 31.76, "Lon": -106.49, "name": "Cañón", "racks": 70}]).to_excel(path, index=False)
    assert read_sites(path).rows == [WANTED]


def test_per_cent_in_a_cell_and_thousands_that_might_be_decimals() -> None:
    place = {"lat": 31.76, "lon": -106.49, "racks": 7}
    sites = read_sites([place | {"uptime": "99,9 %"}, place | {"uptime": "99.9 %"}])
    question = make_question(None, {"weather_years": 1, "uptime": 0.9}, sites)
    assert question.study(sites.rows[1]).uptime == 0.999
    assert read_sites([place | {"racks": "1,200"}]).rows[0]["racks"] == "1,200"
    with pytest.raises(sd.InputError, match="a column twice"):
        read_sites(pd.DataFrame([[1, 2, 3]], columns=["lat", "latitude", "lon"]))


def test_a_per_cent_with_a_decimal_comma(tmp_path) -> None:
    path = tmp_path / "sites.csv"
    path.write_text("lat;lon;racks;Uptime\n31,76;-106,49;7;99,9%\n", encoding="cp1252")
    sites = read_sites(path)
    assert make_question(None, {}, sites).study(sites.rows[0]).uptime == 0.999


def test_columns_of_the_owners_own_are_carried_and_never_asked() -> None:
    row = {"Latitude (deg)": 31.76, "lon": -106.49, "Site": "A", "Owner": "Smith", "APN": "0123", "Price": 4}
    sites = read_sites([row | {"status": "optioned", "Gas price": 3.5}])
    assert sites.carried == ("Owner", "APN", "Price", "status")
    assert sites.rows[0]["gas_price"] == 3.5
    question = make_question(None, {"racks": 7, "uptime": 0.9, "weather_years": 1}, sites)
    beside = sites.beside(taken_columns(sites, question, BatchJob()))
    assert beside.rows[0]["given_status"] == "optioned"
    question = replace(question, carried=beside.carried)
    schema = result_schema(beside, question, BatchJob())
    assert schema.field("Price").type == "double"
    assert schema.field("APN").type == "string"
    study = question.study(beside.rows[0])
    assert study.site.name == "A"
    assert study.fuel_price_usd_per_mmbtu["natural_gas"] == 3.5
    assert len(list(question.kinds(beside.rows * 3))) == 1


@pytest.mark.parametrize(
    ("heading", "meant"),
    [
        ("upime", "uptime"),
        ("Racks (MW)", "racks"),
        ("land acres", "limits.land_acres"),
        ("grid.MWs", "grid.mw"),
    ],
)
def test_a_column_with_a_slip_is_refused(heading, meant) -> None:
    with pytest.raises(sd.InputError, match=f"Did you mean '{meant}'. A column of your own needs another"):
        read_sites([{"lat": 1, "lon": 2, heading: 3}])


def test_results_of_a_batch_are_a_table_of_sites() -> None:
    row = {
        "lat": 31.76,
        "lon": -106.49,
        "racks": 7,
        "status": "solved",
        "cost_usd_per_yr": 1.0,
        "land_acres": 3,
    }
    sites = read_sites([row])
    beside = sites.beside(taken_columns(sites, make_question(None, {"uptime": 0.9}, sites), BatchJob()))
    assert beside.carried == ("given_status", "given_cost_usd_per_yr", "given_land_acres")


def test_results_as_a_workbook(tmp_path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    found = {"latitude": [31.76, 0.0], "name": ["A", "=1+1"], "status": ["solved", "bad input"],
             "stage": ["bound", "bound"], "uptime_achieved": [0.99903, float("nan")],
             "error": [None, "1 problem in Site():\n * site: got 0, 0; must be on land."]}  # fmt: skip
    path = write_workbook(pd.DataFrame(found), tmp_path / "out.xlsx")
    book = openpyxl.load_workbook(path)
    assert book["Sites"]["B3"].value == "=1+1"
    assert book["Sites"]["B3"].data_type == "s"
    assert book["Sites"]["E2"].value == 0.99903
    assert book["Sites"]["E2"].number_format == "0.0000%"
    assert book["Sites"]["E3"].value is None
    assert book["Failed"]["D2"].value == "site: got 0, 0; must be on land."
    assert "not designs to build" in book["About"]["B4"].value
