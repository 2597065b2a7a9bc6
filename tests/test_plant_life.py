"""A plant at any age: the array wears, the battery holds less, the load grows; what then fails is said."""

from __future__ import annotations

from typing import Any

import pytest

import sitedesign as sd
from sitedesign.case.build import build_case
from sitedesign.study.ageing import at_age

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
