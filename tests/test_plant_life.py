"""A plant at any age: the array wears, the battery holds less, the load grows; what then fails is said."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sitedesign as sd
from sitedesign import library
from sitedesign.case.build import build_case
from sitedesign.components.battery_wear import BatteryDuty
from sitedesign.reliability.estimate import Estimate
from sitedesign.report import figures
from sitedesign.results.battery_life import life_of
from sitedesign.results.plant_life import AtAge, PlantLife
from sitedesign.results.project_terms import _fuel_by_age
from sitedesign.study.ageing import at_age
from tests.cli_runs import EL_PASO, run, run_json

SITE = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
PLANT: dict[str, Any] = {"solar_mw": 26.0, "battery_mwh": 90.0, "battery_mw": 12.0, "backup": {}}


@pytest.fixture(scope="module")
def asked() -> sd.Study:
    return sd.Study(site=SITE, racks=30, uptime=0.85, backup="mobile_gt", weather_years=1)


def test_age_is_that_of_the_array(asked: sd.Study) -> None:
    new, old = (sd.evaluate(asked, age_years=age, **PLANT) for age in (0, 20))
    worn = (1 - asked.pv.degradation_per_yr) ** 20
    assert old.dispatch["solar_mw"].sum() / new.dispatch["solar_mw"].sum() == pytest.approx(worn, rel=0.02)
    assert old.uptime.value < new.uptime.value
    usual = sd.evaluate(asked, **PLANT)
    assert sd.evaluate(asked, age_years=10, **PLANT).uptime.value == usual.uptime.value


def test_load_and_battery_at_an_age(asked: sd.Study) -> None:
    now, then = (
        build_case(item).case
        for item in (asked, at_age(asked, 10, load_growth_per_yr=0.02, battery_held=0.8))
    )
    assert then.load_mwh_per_yr / now.load_mwh_per_yr == pytest.approx(1.02**10)
    assert then.racks_contracted == now.racks_contracted
    assert then.usable[0] == pytest.approx(0.8 * (1 - asked.battery.soc_min_fraction))
    by_power = at_age(sd.Study(site=SITE, it_mw=4, uptime=0.9, weather_years=1), 10, load_growth_per_yr=0.02)
    assert (
        by_power.contracted_racks
        == sd.Study(site=SITE, it_mw=4, uptime=0.9, weather_years=1).contracted_racks
    )


def test_a_roadmap_says_for_which_year_of_growth_its_stages_are_planned() -> None:
    study = sd.Study(
        site=SITE, racks=8, uptime=0.95, backup="recip_fast", weather_years=1, region=None,
        plant_age_yr=12, load_growth_per_yr=0.03,
    )  # fmt: skip
    grown, plain = (
        sd.roadmap(item, ramp={36: 8}, stages=1) for item in (study, study.replace(load_growth_per_yr=0.0))
    )
    assert grown.net_present_cost_usd > 1.2 * plain.net_present_cost_usd
    assert "load of year 12, 1.43 times" in grown.notes[0]
    assert "load_growth" not in " ".join(plain.notes)


def test_a_plant_is_sized_for_the_load_that_has_grown() -> None:
    """With foresight and no failures: kept in every year up to that for which it was sized, and no longer."""
    told = sd.Study(
        site=SITE, it_mw=4, uptime=0.95, backup="diesel", weather_years=1, plant_age_yr=12,
        load_growth_per_yr=0.03,
        limits={"n_plus": 0, "units": {"diesel": 1}},
    )  # fmt: skip
    plain = told.replace(load_growth_per_yr=0.0)
    assert told.contracted_racks == plain.contracted_racks
    assert told.contracted_it_mw == pytest.approx(plain.contracted_it_mw * 1.03**12)
    assert told.load_growth == pytest.approx(1.03**12)
    now, then = (build_case(item).case for item in (plain, told))
    np.testing.assert_allclose(then.load_mw, now.load_mw * 1.03**12)
    assert "load_growth_per_yr" in str(told).replace(" ", "_")
    design = sd.solve(told, certify=False)
    assert "after 12 years of growth by 3 % a year" in " ".join(str(design).split())
    plant = {"solar_mw": design.solar_mw, "battery_mwh": design.battery_mwh, "battery_mw": design.battery_mw}
    kept = {
        age: sd.evaluate(
            told, operation="foresight", age_years=age, racks=design.racks, backup=design.backup, **plant
        ).uptime.value
        for age in (0, 6, 12, 20)
    }
    assert all(kept[age] >= 0.95 - 1e-6 for age in (0, 6, 12))
    assert kept[0] > kept[6] > kept[12] > kept[20]
    assert kept[20] < 0.95
    # What is looked at later grows as the study says
    life = sd.plant_life(design, told, ages=[12, 20], years=2, draws=1)
    assert [item.load_share for item in life.ages] == pytest.approx([1.03**12, 1.03**20])
    assert sd.Study(**told.to_dict() | {"weather": None}) == told


def test_classes_grow_and_an_own_profile_does_not() -> None:
    classes = [
        sd.LoadClass(name="a", racks=10, uptime=0.99),
        sd.LoadClass(name="b", racks=5, uptime=0.9, use="inference"),
    ]
    told = sd.Study(site=SITE, classes=classes, weather_years=1)
    grown = told.replace(load_growth_per_yr=0.02)
    assert grown.contracted_it_mw == pytest.approx(told.contracted_it_mw * 1.02**10)
    assert grown.sustained == pytest.approx(told.sustained * 1.02**10)
    with pytest.raises(sd.InputError, match=r"study\.load_growth_per_yr.*own load profile"):
        sd.Study(site=SITE, racks=4, uptime=0.9, load_profile=[4.0] * 8760, load_growth_per_yr=0.01)
    with pytest.raises(sd.InputError, match="what shrinks is largest at the start"):
        told.replace(load_growth_per_yr=-0.01)


def test_fuel_of_each_year_follows_the_load() -> None:
    """All load from units: what the load grows, their fuel grows; half of it from an ageing array: more."""
    study = sd.Study(site=SITE, racks=4, uptime=0.9, plant_age_yr=10, load_growth_per_yr=0.02)
    plant = SimpleNamespace(
        energy_mwh_per_yr={"backup": 100.0}, imports_mw={}, flows=[], served_mwh_per_yr=100.0
    )
    sheet = SimpleNamespace(result=plant, study=study, terms=SimpleNamespace(degradation=0.005), years=20)
    ages = np.arange(20) + 0.5 - 10
    assert _fuel_by_age(sheet) == pytest.approx(1.02**ages)
    plant.flows, plant.energy_mwh_per_yr = [SimpleNamespace(name="solar", mwh_per_yr=50.0)], {"backup": 50.0}
    assert _fuel_by_age(sheet) == pytest.approx((100 * 1.02**ages - 50 * 0.995**ages) / 50)


def test_what_fails_in_which_year_is_said(asked: sd.Study) -> None:
    result = sd.evaluate(asked, operation="causal", **PLANT)
    life = sd.plant_life(
        result, asked, ages=(20, 1), load_growth_per_yr=0.03, upkeep="none", years=4, draws=1
    )
    first, last = life.ages
    assert (first.age_years, last.age_years) == (1, 20)
    assert last.uptime.value < first.uptime.value
    assert last.battery_share < first.battery_share < 1
    assert life.worst is last
    assert not last.holds
    assert "does not hold in year" in str(life)
    assert f"year 20: NOT held: uptime {last.uptime} does not clear 0.85" in str(life)
    assert f"load {1.03**20:.1%} of the first year" in str(life)
    assert list(life.table()["age_years"]) == [1, 20]
    again = sd.certify(result, asked, age_years=1, years=4, draws=1, attribute=False)
    held = sd.plant_life(result, asked, ages=[1], years=4, draws=1)
    assert held.ages[0].uptime.value == again.uptime.value
    assert held.ages[0].battery_share == asked.battery.usable_fraction_at_check


def test_what_has_one_age_is_refused(asked: sd.Study) -> None:
    own = asked.replace(solar_profile=[0.2] * 8760, load_profile=[4.0] * 8760)
    with pytest.raises(sd.InputError) as told:
        at_age(own, 5, load_growth_per_yr=0.01)
    assert len(told.value.faults) == 2
    with pytest.raises(sd.InputError, match="age_years"):
        sd.evaluate(asked, age_years=90, **PLANT)


def test_lives_are_told_in_a_terminal_and_drawn_in_a_report(tmp_path: Path) -> None:
    """A design of four racks on one year: its ages, its battery, its hours with every unit."""
    saved, hours = tmp_path / "design.json", tmp_path / "hours.csv"
    fixed = [f"--limit={name}" for name in ("solar_mw=4:4", "battery_mwh=9:9", "diesel=1:1")]
    asked = [*EL_PASO, "--racks", 4, "--uptime", 0.9, "--years", 1, "--backup", "diesel"]
    run("solve", *asked, *fixed, "--no-certify", "--save", saved, "--hourly", hours)
    table = pd.read_csv(hours)
    assert (len(table), next(iter(table))) == (8760, "time")
    again = tmp_path / "hours.parquet"
    run("equipment", saved, "--hourly", again)
    np.testing.assert_allclose(pd.read_parquet(again)["load_mw"], table["load_mw"])
    refused = run("equipment", saved, "--hourly", tmp_path / "hours.xlsx", code=2)
    assert "--hourly" in refused.stderr

    report, ages = tmp_path / "report.html", tmp_path / "ages.csv"
    short = ["--ages", "1,20", "--years", 2, "--draws", 1]
    told = run_json("plant-life", saved, *short, "--upkeep", "none", "--csv", ages, "--report", report)
    assert [item["age_years"] for item in told["years"]] == [1, 20]
    assert pd.read_csv(ages)["uptime"].tolist() == pytest.approx([item["uptime"] for item in told["years"]])
    text = report.read_text(encoding="utf-8")
    assert "The plant at each age" in text
    assert "year 20:" in text
    assert "--ages" in run("plant-life", saved, "--ages", "young", code=2).stderr

    told = run_json("battery-life", saved, "--years", 10, "--report", report)
    assert len(told["years"]) == 11
    assert told["warranty_kept"]
    assert "Life of the battery" in report.read_text(encoding="utf-8")


def test_figures_of_lives_hold_what_they_show() -> None:
    ages = tuple(
        AtAge(age, Estimate(value, 1e-4, 100, 7), value > 0.999, (), 0.9, 0.92, 1.0, 5.0)
        for age, value in ((1.0, 0.9995), (20.0, 0.998))
    )
    table = figures.uptime_by_age_data(PlantLife(0.999, ages))
    assert table["lost_h_per_yr"].tolist() == pytest.approx([4.38, 17.52])
    assert table["holds"].tolist() == [True, False]
    assert (table["least_h_per_yr"] < table["lost_h_per_yr"]).all()
    drawn = figures.uptime_by_age(PlantLife(0.999, ages))
    assert list(drawn.data[1].y) == pytest.approx([8.76, 8.76])
    assert drawn.data[0].marker.symbol == ("circle", "x")
    duty = BatteryDuty(250.0, 0.6, (0.05,) * 20)
    life = life_of(library.battery("lfp"), library.finance(), 100.0, duty, 20, "augment")
    drawn = figures.capacity_by_year(life)
    assert list(drawn.data[0].y) == pytest.approx([100 * held for held in life.held], abs=1e-3)
    assert min(drawn.data[0].y) >= drawn.data[2].y[0] > min(drawn.data[1].y)
