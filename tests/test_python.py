"""What a user of Python meets first: completion, wrong calls, what objects show of themselves."""

from __future__ import annotations

import inspect
from typing import get_type_hints

import pytest

import sitedesign as sd
from sitedesign.study.question import Question, QuestionOfPlant, QuestionOfSites
from sitedesign.study.study import Study
from sitedesign.util.facts import reflowed
from sitedesign.util.inputs import declared

EL_PASO = sd.Site(latitude=31.76, longitude=-106.49)
SMALL = {"site": EL_PASO, "racks": 7, "uptime": 0.9}


def wrong(call, *args, **kwargs):
    with pytest.raises(sd.InputError) as caught:
        call(*args, **kwargs)
    return str(caught.value)


def test_keywords_of_functions_are_the_fields_of_a_study() -> None:
    fields = set(declared(Study))
    assert set(get_type_hints(Question)) == fields
    assert set(get_type_hints(QuestionOfSites)) == fields - {"site", "weather"}
    assert set(get_type_hints(QuestionOfPlant)) == fields - {"racks", "backup"}


@pytest.mark.parametrize("name", ["solve", "evaluate", "solve_many"])
def test_a_signature_shows_every_keyword_with_its_default(name: str) -> None:
    shown = inspect.signature(getattr(sd, name)).parameters
    assert "question" not in shown
    told = declared(Study)
    for key in ("uptime", "limits", "weather_years", "rack", "grid"):
        assert shown[key].kind is inspect.Parameter.KEYWORD_ONLY
        assert shown[key].default == told[key].default
    own = inspect.signature(inspect.unwrap(getattr(sd, name))).parameters
    assert set(own) - {"question"} <= set(shown)


def test_objects_complete_with_what_is_ours() -> None:
    study = sd.Study(**SMALL)
    for thing in (EL_PASO, study, study.limits, study.battery, sd.Grid(tariff=50)):
        names = [name for name in dir(thing) if not name.startswith("_")]
        assert names
        assert not [name for name in names if name.startswith("model_")], type(thing)
        assert not {"copy", "json", "parse_obj", "schema"} & set(names), type(thing)
    assert "replace" in dir(study)
    assert "latitude" in dir(EL_PASO)
    for module in (sd, sd.library):
        assert set(dir(module)) == set(module.__all__)


def test_wrong_calls_are_answered_with_the_right_one() -> None:
    assert "Write sd.Site(latitude=48.1, longitude=11.6)." in wrong(sd.Site, 48.1, 11.6)
    assert "backup=['diesel'], limits={'units': {'diesel': (3, 3)}}" in wrong(
        sd.Study, **SMALL, backup={"diesel": 3}
    )
    assert "Give fuel_price_usd_per_mmbtu={'natural_gas': 4}." in wrong(sd.solve, **SMALL, gas_price=4)
    assert "weather=sd.Weather.read('x.csv')" in wrong(sd.Study, **SMALL, weather="x.csv")
    assert "site=sd.Site(latitude=31.76" in wrong(sd.solve, site=(31.76, -106.49), racks=7, uptime=0.9)
    assert "question" not in wrong(sd.solve, EL_PASO, 700, 0.999)


def test_a_design_as_a_workbook(tmp_path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    from tests.report_designs import make_certificate, make_design

    design = make_design(years=1)
    design = design.model_copy(update={"certificate": make_certificate(design), "site_name": "=1+1"})
    book = openpyxl.load_workbook(design.to_excel(tmp_path / "design.xlsx"))
    assert book.sheetnames[:4] == ["Answer", "Plant", "Cost", "Energy"]
    told = {row[0].value: row[1].value for row in book["Answer"].iter_rows(min_row=2)}
    assert told == dict(design.answer.rows)
    plant = {row[0].value: row[1].value for row in book["Plant"].iter_rows(min_row=2)}
    assert plant["solar"] == design.solar_mw
    cost = list(book["Cost"].iter_rows(values_only=True))
    column = cost[0].index("usd_per_yr")
    decided = cost[0].index("decided_by_optimiser")
    assert sum(row[column] for row in cost[1:] if row[decided]) == pytest.approx(design.cost)
    assert book["Answer"]["A1"].data_type == "s"
    assert any(row[5] for row in book["Numbers"].iter_rows(min_row=2, values_only=True))


@pytest.mark.parametrize("name", ["answer", "details"])
def test_every_line_of_a_narrow_terminal_is_whole(name: str) -> None:
    from tests.report_designs import make_design

    part = getattr(make_design(years=1), name)
    for width in (40, 59, 60, 80):
        lines = part.text(width).splitlines()
        assert all(len(line) <= width or " " not in line.strip() for line in lines)


def test_what_python_shows_of_an_object_is_short_and_says_what_was_given() -> None:
    assert repr(sd.Limits(land_acres=900)) == "Limits(land_acres=900.0)"
    assert repr(sd.Terms(debt_dscr=1.3)) == "Terms(debt_dscr=1.3)"
    assert repr(sd.When(hours=(22, 6))) == "When(hours=((22.0, 6.0),))"
    assert len(repr(sd.Tariff(energy=45))) < 200


def test_lines_of_labels_and_texts_fit_a_narrow_terminal() -> None:
    text = "Portfolio\n  racks     39,682 on 5 of 5,000 candidate sites, of which none is near\n  note: short"
    assert reflowed(text, 200) == text
    assert reflowed(text, 61).splitlines()[1:3] == [
        "  racks     39,682 on 5 of 5,000 candidate sites, of which",
        "            none is near",
    ]
    narrow = reflowed(text, 40).splitlines()
    assert narrow[1:3] == ["  racks", "    39,682 on 5 of 5,000 candidate"]
    assert max(map(len, narrow)) <= 40
    assert "".join(reflowed(text, 40).split()) == "".join(text.split())
