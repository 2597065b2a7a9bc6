"""From a saved design back to its study and its plant."""

from __future__ import annotations

import pytest

import sitedesign as sd
from sitedesign.case.build import build_case
from sitedesign.results.saved import missing_series, plant_of, rebuilt_study

ASKED = {
    "site": sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX"),
    "racks": 15, "uptime": 0.98, "backup": ["diesel", "recip_fast"], "weather_years": 1,
    "limits": {"units": {"diesel": 2}, "months_to_power": 24}, "min_renewable_share": 0.3,
}  # fmt: skip


@pytest.fixture(scope="module")
def design() -> sd.Design:
    return sd.solve(sd.Study(**ASKED), certify=False)


def test_study_of_a_design_is_the_one_that_was_solved_also_from_a_file(design: sd.Design) -> None:
    saved = sd.Design.from_dict(design.to_dict())
    assert saved._study is None
    assert missing_series(design) == missing_series(saved) == ()
    assert rebuilt_study(design) is design._study
    assert rebuilt_study(saved).to_dict() == design.study == sd.Study(**ASKED).to_dict()


def test_weather_of_a_saved_design_is_missing_until_it_is_given(design: sd.Design) -> None:
    weather = sd.Weather.generate(ASKED["site"], years=1, seed=4)
    asked = sd.Study(
        **{name: value for name, value in ASKED.items() if name != "weather_years"}, weather=weather
    )
    saved = sd.Design.from_dict(design.model_copy(update={"study": asked.to_dict()}).to_dict())
    assert missing_series(saved) == ("weather",)
    again = rebuilt_study(saved, weather=weather)
    assert again.weather is weather
    assert again.to_dict() == asked.to_dict()


def test_plant_of_a_design_is_in_the_order_of_its_case(design: sd.Design) -> None:
    case = build_case(sd.Study(**ASKED)).case
    plant = plant_of(design, case)
    assert dict(zip((item.name for item in case.backup), plant.units, strict=True)) == design.backup
    assert (plant.solar_mw, plant.battery_mwh, plant.battery_mw, plant.racks) == (
        design.solar_mw, design.battery_mwh, design.battery_mw, design.racks
    )  # fmt: skip


def test_a_design_that_this_version_does_not_take_says_which_wrote_it(design: sd.Design) -> None:
    old = sd.Design.from_dict(design.model_copy(update={"study": design.study | {"uptyme": 1}}).to_dict())
    with pytest.raises(sd.InputError, match=r"does not take .*uptyme.*It was saved by sitedesign \d"):
        sd.cash_flow(old)
    data = design.to_dict()
    del data["racks"]
    with pytest.raises(sd.InputError, match=r"design\.racks.*\n?.*It was saved by sitedesign \d"):
        sd.Design.from_dict(data)
