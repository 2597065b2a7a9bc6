"""What may be a slip is asked back or said with the result, whatever way it came in."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import sitedesign as sd
from sitedesign.serve import form, tabs
from sitedesign.study import plausibility
from sitedesign.weather.site import distance_km

EL_PASO = sd.Site(latitude=31.76, longitude=-106.49)
KANSAS = sd.Site(latitude=38.5, longitude=-98.5)
SICHUAN = sd.Site(latitude=31.76, longitude=106.49)
NAIROBI = sd.Site(latitude=-1.29, longitude=36.82)


def refused(**question: Any) -> str:
    with pytest.raises(sd.InputError) as error:
        sd.Study(**({"site": EL_PASO, "uptime": 0.99} | question))
    return str(error.value)


def test_country_and_zone_of_a_place_are_told() -> None:
    assert (EL_PASO.country, EL_PASO.country_name) == ("US", "United States")
    assert EL_PASO.place == "31.7600, -106.4900, United States, America/Denver UTC-7"
    assert "China, Asia/Shanghai UTC+8" in repr(sd.Study(site=SICHUAN, racks=10, uptime=0.99))
    nowhere = sd.Site(latitude=31.76, longitude=-106.49, timezone="Etc/GMT+7")
    assert (nowhere.country, plausibility.notes(nowhere, 0.99)) == ("", ())


def test_prices_of_elsewhere_and_a_lost_sign_are_said() -> None:
    (said,) = plausibility.notes(SICHUAN, 0.999)
    assert "those of the United States; the site lies in China" in said
    assert "With longitude -106.49 it would lie in the United States: was a minus sign left out?" in said
    (said,) = plausibility.notes(NAIROBI, 0.999)
    assert "lies in Kenya" in said
    assert "minus" not in said
    assert plausibility.notes(EL_PASO, 0.999) == ()


def test_notes_reach_the_result() -> None:
    done = sd.evaluate(
        site=SICHUAN, racks=10, uptime=0.3, weather_years=1, solar_mw=5, battery_mwh=0, battery_mw=0
    )
    said = " ".join(done.provenance.notes)
    assert "lies in China" in said
    assert "The target is an uptime of 30 %" in said
    assert ("place", SICHUAN.place) in done.summary()


@pytest.mark.parametrize(
    ("contract", "slip"),
    [
        ({"it_mw": 8000}, "study.it_mw: got 8,000 MW of IT load; must not be more than the largest campus"),
        ({"it_mw": 8000}, "Were these kW? Then it_mw=8."),
        ({"racks": 70_000}, "Were these GPUs? Then gpus=70000."),
        ({"gpus": 8_000_000}, "If it is meant, say so: accept=['large_load']."),
        ({"classes": [{"name": "a", "it_mw": 9000, "uptime": 0.9}], "uptime": None}, "accept=['large_load']"),
    ],
)
def test_a_load_larger_than_any_campus_is_asked_back(contract: dict[str, Any], slip: str) -> None:
    assert slip in refused(**contract)
    meant = sd.Study(**({"site": EL_PASO, "uptime": 0.99, "accept": "large_load"} | contract))
    assert meant.contracted_it_mw > plausibility.LARGEST_CAMPUS_MW


def test_a_large_campus_is_not_asked_back() -> None:
    assert sd.Study(site=EL_PASO, it_mw=2000, uptime=0.99).accept == ()


def test_names_that_nothing_asks_for_are_refused() -> None:
    assert "study.accept: got 'large_lode'; must be one of large_load" in refused(
        racks=10, accept=["large_lode"]
    )


def test_weather_of_another_place_is_refused_in_python_too() -> None:
    weather = sd.Weather.generate(KANSAS, years=1)
    said = refused(racks=10, weather=weather)
    assert "1,043 km from the site" in said
    assert "site=weather.site" in said
    near = sd.Site(latitude=38.6, longitude=-98.45)
    assert sd.Study(site=near, racks=10, uptime=0.99, weather=weather).weather is weather


def test_distance_on_the_globe() -> None:
    quarter = distance_km(0.0, 0.0, 0.0, 90.0)
    assert quarter == pytest.approx(6371.0 * 3.14159265358979 / 2)
    assert distance_km(60.0, 10.0, 60.0, 10.0) == 0.0


def test_fraction_in_a_field_of_per_cent_is_asked_back() -> None:
    answers = {item.name: item.default for group in form.groups() for item in group.fields}
    for field, typed, meant in (("uptime", 0.999, "99.9 %"), ("min_renewable_share", 0.3, "30 %")):
        with pytest.raises(sd.InputError) as error:
            form.study_of(answers | {field: typed})
        beside, rest = tabs.beside_fields(error.value.faults, "plant")
        assert not rest
        assert f"A fraction was meant? {typed:g} is {meant}" in beside[field]
    assert form.study_of(answers | {"uptime": 99.9, "min_renewable_share": 30}).min_renewable_share == 0.3


def test_batch_rows_name_the_country() -> None:
    from sitedesign.batch.one_site import BatchJob, solve_row

    question = SimpleNamespace(study=lambda row: sd.Study(site=NAIROBI, racks=2, uptime=0.9, weather_years=1))
    assert solve_row(question, BatchJob(), "key", {}).row["country"] == "KE"
