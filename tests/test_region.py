"""Regions: which one a point lies in, what it brings to a study, and what the user's own numbers keep."""

from __future__ import annotations

import csv

import numpy as np
import pytest

import sitedesign as sd
from sitedesign import InputError, library
from sitedesign.batch.question import Question
from sitedesign.batch.table import known_columns
from sitedesign.case.build import unit_costs
from sitedesign.finance.annual_cost import hall_cost, land_cost, solar_cost
from sitedesign.influence.ranges import number_of, with_value
from sitedesign.library.borders import _borders, region_at
from sitedesign.results.saved import rebuilt_study

EL_PASO = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
BOSTON = sd.Site(latitude=42.36, longitude=-71.06, name="Boston, MA")
ASKED = {"racks": 100, "uptime": 0.99, "weather_years": 1}
# Capitals, and points close to borders and coasts
PLACES = [
    (30.27, -97.74, "texas"), (38.58, -121.49, "california"), (42.65, -73.76, "new_york"),
    (47.04, -122.90, "washington"), (58.30, -134.42, "alaska"), (21.31, -157.86, "hawaii"),
    (30.44, -84.28, "florida"), (44.31, -69.78, "maine"), (38.90, -77.04, "district_of_columbia"),
    (38.85, -77.05, "virginia"), (39.10, -84.51, "ohio"), (39.08, -84.51, "kentucky"),
    (42.33, -83.05, "michigan"), (31.90, -106.60, "texas"), (32.31, -106.78, "new_mexico"),
    (24.555, -81.78, "florida"), (41.49, -71.31, "rhode_island"),
]  # fmt: skip


@pytest.mark.parametrize(("latitude", "longitude", "state"), PLACES)
def test_point_lies_in_its_state(latitude: float, longitude: float, state: str) -> None:
    assert region_at(latitude, longitude, "US").name == state


def test_places_of_other_countries_have_no_figures() -> None:
    assert region_at(31.69, -106.42, "MX").name == "elsewhere"  # Ciudad Juárez, beside El Paso
    assert region_at(48.14, 11.58, "DE").name == region_at(48.14, 11.58, "").name == "elsewhere"
    assert region_at(30.27, -97.74, "").name == "texas"  # a time zone of no country says nothing
    assert region_at(18.2, -66.5, "US").name == "us"
    munich = sd.Study(site=sd.Site(latitude=48.14, longitude=11.58), **ASKED)
    own = munich.replace(region=None)
    assert unit_costs(munich) == unit_costs(own)
    assert munich.fuel(munich.backup[0]) == own.fuel(own.backup[0])
    assert "no figures of the place" in munich.region_words


def test_table_borders_and_library_name_the_same_states() -> None:
    path = library.library_folder("models") / "region" / "_states.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    names = {row["name"] for row in rows}
    assert len(names) == 51
    assert names == set(_borders())
    assert names | {"us", "elsewhere"} == set(library.names("region"))
    for row in rows:
        entry = library.region(row["name"])
        assert entry.gas_usd_per_mmbtu == float(row["gas_usd_per_mmbtu"])
        assert entry.sources["gas_usd_per_mmbtu"].source.startswith("EIA")
        low, high = entry.sources["land_usd_per_acre"].range or (0, 0)
        assert low < (entry.land_usd_per_acre or 0) < high
    assert library.region("district_of_columbia").land_usd_per_acre == library.region("us").land_usd_per_acre
    assert library.region("tennessee").large_load_mw is None


def test_rings_of_states_do_not_overlap() -> None:
    rng = np.random.default_rng(3)
    from sitedesign.library.borders import _inside

    for latitude, longitude in zip(rng.uniform(32, 46, 60), rng.uniform(-118, -82, 60), strict=True):
        inside = [name for name, rings in _borders().items() if _inside(rings, latitude, longitude)]
        assert len(inside) <= 1, inside


# What it brings --------------------------------------------------------------------------------------------


def test_a_study_takes_the_figures_of_its_place_unless_told_otherwise() -> None:
    texas, here = library.region("texas"), sd.Study(site=EL_PASO, **ASKED)
    assert here.region_figures == texas
    assert here.fuel(library.backup("recip_medium")).price_usd_per_mmbtu == texas.gas_usd_per_mmbtu
    assert here.fuel(library.backup("diesel")) == library.fuel("diesel")
    costs, array, money = unit_costs(here), library.pv("tracker_ac"), library.finance()
    by_hand = solar_cost(
        array.replace(capex_usd_per_wdc=array.capex_usd_per_wdc * texas.solar_cost_factor),
        money.replace(land_usd_per_acre=texas.land_usd_per_acre),
        0.0,
    )
    assert costs.solar == by_hand
    own = here.replace(region=None)
    assert own.region_words == ""
    assert unit_costs(own).solar == solar_cost(array, money, 0.0)
    assert own.fuel(library.backup("recip_medium")) == library.fuel("natural_gas")
    ratio = unit_costs(here).backup[0].capital_usd / unit_costs(own).backup[0].capital_usd
    assert ratio == pytest.approx(texas.engine_cost_factor)


def test_hall_land_and_transport_are_those_of_the_place() -> None:
    study, region = sd.Study(site=BOSTON, **ASKED), library.region("massachusetts")
    hall = hall_cost(study.local(study.facility), study.finance, 10.0)
    assert hall.capital_usd == pytest.approx(
        region.hall_cost_factor * hall_cost(study.facility, study.finance, 10.0).capital_usd
    )
    assert land_cost(study.local(study.finance), 1.0).capital_usd == region.land_usd_per_acre
    assert (study.gas_contract, study.gas_transport) == (None, "interruptible")
    assert study.replace(gas_contract="firm").gas_transport == "firm"
    assert study.replace(region=None).gas_transport == "firm"
    assert "interruptible transport" in study.region_words
    assert "Massachusetts" in study.region_words


def test_what_the_user_has_set_stays() -> None:
    battery = library.battery("lfp").replace(capex_usd_per_kwh=150.0)
    money = library.finance().replace(land_usd_per_acre=9000.0)
    study = sd.Study(
        site=BOSTON, battery=battery, finance=money, fuel_price_usd_per_mmbtu={"natural_gas": 2.5}, **ASKED
    )
    assert study.local(study.battery).capex_usd_per_kwh == 150.0
    factor = library.region("massachusetts").battery_cost_factor
    assert study.local(study.battery).capex_usd_per_kw == pytest.approx(battery.capex_usd_per_kw * factor)
    assert study.local(study.finance).land_usd_per_acre == 9000.0
    assert study.fuel(library.backup("recip_medium")).price_usd_per_mmbtu == 2.5
    assert "natural gas" not in study.region_words


def test_a_region_is_named_amended_or_left_out() -> None:
    study = sd.Study(site=EL_PASO, region="ohio", **ASKED)
    assert study.region_figures == library.region("ohio")
    cheap = sd.Study(site=EL_PASO, region={"gas_usd_per_mmbtu": 2.0}, **ASKED).region_figures
    assert cheap == library.region("texas").replace(gas_usd_per_mmbtu=2.0)
    other = sd.Study(site=EL_PASO, region={"extends": "iowa", "land_usd_per_acre": "none"}, **ASKED)
    assert other.region_figures == library.region("iowa").replace(land_usd_per_acre=None)
    assert sd.Study(site=EL_PASO, region="none", **ASKED).region_figures is None
    for given in ("site", None, "ohio", {"gas_usd_per_mmbtu": 2.0}):
        asked = sd.Study(site=EL_PASO, region=given, **ASKED)
        assert sd.Study(**asked.to_dict()).to_dict() == asked.to_dict()


@pytest.mark.parametrize(
    ("region", "words"),
    [
        ("texass", "Did you mean 'texas'?"),
        ({"gas": 3}, "study.region.gas: got an unknown key"),
        ({"extends": "texass"}, "study.region.extends"),
        ({"solar_cost_factor": 9}, "study.region.solar_cost_factor: got 9; must be in [0.3, 3] fraction"),
        (7, "must be 'site', None, the name of a region"),
        ({1: 2}, "study.region"),
    ],
)
def test_a_faulty_region_is_told_with_what_is_allowed(region: object, words: str) -> None:
    with pytest.raises(InputError) as error:
        sd.Study(site=EL_PASO, region=region, **ASKED)
    assert words in str(error.value)


def test_a_connection_without_a_tariff_takes_that_of_the_market() -> None:
    grid = sd.Study(site=EL_PASO, grid={"mw": 50}, **ASKED).grid
    assert grid is not None
    assert (grid.tariff, grid.model) == ("ercot", "firm_ercot")
    flexible = sd.Study(site=EL_PASO, grid={"mw": 50, "kind": "flexible"}, **ASKED).grid
    assert flexible is not None
    assert (flexible.tariff, flexible.model) == ("ercot", None)
    flat = sd.Study(site=BOSTON, grid={"mw": 50}, **ASKED).grid
    assert flat is not None
    assert flat.tariff.energy[0].usd_per_mwh == library.region("massachusetts").electricity_usd_per_mwh
    priced = sd.Study(site=EL_PASO, grid={"mw": 50, "tariff": 40}, **ASKED).grid
    assert priced is not None
    assert priced.model is None
    with pytest.raises(InputError, match=r"grid\.tariff"):
        sd.Study(site=EL_PASO, grid={"mw": 50}, region=None, **ASKED)


def test_sensitivity_varies_the_figures_of_the_place() -> None:
    study = sd.Study(site=EL_PASO, **ASKED)
    gas = number_of(study, "fuel", "natural_gas", "price_usd_per_mmbtu")
    solar = number_of(study, "pv", "tracker_ac", "capex_usd_per_wdc")
    land = number_of(study, "finance", "default", "land_usd_per_acre")
    assert gas is not None and solar is not None and land is not None  # noqa: PT018
    texas = library.region("texas")
    assert (gas.value, land.value) == (texas.gas_usd_per_mmbtu, texas.land_usd_per_acre)
    assert unit_costs(with_value(study, solar, solar.value)).solar == unit_costs(study).solar
    assert unit_costs(with_value(study, land, land.value)) == unit_costs(study)
    dear = with_value(study, gas, 9.0)
    assert dear.fuel(library.backup("recip_medium")).price_usd_per_mmbtu == 9.0
    failing = number_of(study, "fuel", "natural_gas", "interruption_h")
    assert failing is not None
    changed = with_value(study, failing, 30.0).fuel(library.backup("recip_medium"))
    assert (changed.price_usd_per_mmbtu, changed.interruption_h) == (texas.gas_usd_per_mmbtu, 30.0)


def test_a_batch_overrides_each_figure_by_a_column() -> None:
    columns = known_columns()
    assert {"region", "region.gas_usd_per_mmbtu", "region.gas_transport", "region.land_usd_per_acre"} <= set(
        columns
    )
    assert "region.sources" not in columns
    question = Question(dict(ASKED))
    place = {"latitude": 31.76, "longitude": -106.49}
    assert question.study(place).region_figures == library.region("texas")
    amended = question.study({**place, "region.gas_usd_per_mmbtu": 2.0}).region_figures
    assert amended == library.region("texas").replace(gas_usd_per_mmbtu=2.0)
    named = question.study({**place, "region": "ohio", "region.land_usd_per_acre": 1.0}).region_figures
    assert named == library.region("ohio").replace(land_usd_per_acre=1.0)
    assert question.study({**place, "region": "none"}).region_figures is None
    of_all = Question(ASKED | {"region": {"land_usd_per_acre": 5.0}})
    assert of_all.study(place).region_figures == library.region("texas").replace(land_usd_per_acre=5.0)


def test_a_design_of_before_regions_keeps_the_numbers_it_stood_on() -> None:
    study = sd.Study(site=EL_PASO, **ASKED).to_dict()
    before = {name: value for name, value in study.items() if name != "region"} | {"gas_contract": "firm"}

    class Saved:
        _study = None

    saved = Saved()
    saved.study = before  # type: ignore[attr-defined]
    assert rebuilt_study(saved).region is None  # type: ignore[arg-type]
    saved.study = study  # type: ignore[attr-defined]
    assert rebuilt_study(saved).region == "site"  # type: ignore[arg-type]
