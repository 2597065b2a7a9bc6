"""Tables of sites as people with spreadsheets have them."""

from __future__ import annotations

import pandas as pd
import pytest

import sitedesign as sd
from sitedesign.batch.question import make_question
from sitedesign.batch.table import read_sites

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
