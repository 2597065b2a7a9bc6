"""What a backup technology costs once per site, and what it burns in hot air: in every part of an answer."""

from __future__ import annotations

import numpy as np
import pytest

import sitedesign as sd
from sitedesign import library
from sitedesign.case.build import build_case
from sitedesign.case.plant import Plant
from sitedesign.components.backup import heat_rate_factor, mean_heat_rate_factor
from sitedesign.finance import annual_cost
from sitedesign.reliability.replay import fixed_cost_usd_per_yr
from tests.cases import backup, case
from tests.hand_cases import NO_BATTERY, NO_SUN
from tests.small_cases import METHODS

EL_PASO = sd.Site(latitude=31.76, longitude=-106.49)
TURBINE = library.backup("mobile_gt")
ALONE = {
    "site": EL_PASO, "racks": 100, "uptime": 0.999, "weather_years": 1,
    "limits": {"solar_mw": 0, "battery_mwh": 0}, "region": None,
}  # fmt: skip
LATERAL = 20e6
PER_YR = LATERAL * annual_cost.capital_recovery_factor(
    0.055, 20
)  # of the library's cost of capital and its life


def turbines(**changes: float) -> sd.Design:
    return sd.solve(backup=[TURBINE.replace(**changes)], certify=False, **ALONE)


# Once per site ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_one_lateral_for_many_units_and_none_for_none_by_hand(method: str) -> None:
    """25 MW in the dark: three units of `own` and its lateral, unless another technology spares the lateral.

    Own: 3 x 0.8 + 2 MUSD/yr. Another at 1.4 MUSD/yr a unit without a lateral: 4.2 < 4.4; at 1.5: 4.5 > 4.4.
    """
    own = backup(3, "own", site_cost_usd_per_yr=2e6)

    def best(usd_per_unit: float):
        other = backup(3, "other", annual_cost_usd_per_unit=usd_per_unit)
        c = case([0, 0, 0], [25.0] * 3, uptime_target=1.0, limits=NO_BATTERY | NO_SUN, backup=(own, other))
        return METHODS[method](c)

    assert best(1.4e6).plant.units == (0, 3)
    assert best(1.4e6).objective_usd_per_yr == pytest.approx(4.2e6 + 75 * 60, rel=1e-6)
    assert best(1.5e6).plant.units == (3, 0)
    assert best(1.5e6).objective_usd_per_yr == pytest.approx(4.4e6 + 75 * 60, rel=1e-6)


def test_a_lateral_is_an_item_of_its_own_in_cost_capital_and_project() -> None:
    without, with_it = turbines(), turbines(site_cost_usd=LATERAL)
    assert library.finance("default").wacc_power_real == 0.055
    assert TURBINE.life_yr == 20
    assert with_it.backup == without.backup
    assert with_it.cost - without.cost == pytest.approx(PER_YR, rel=1e-6)
    assert with_it.bound - without.bound == pytest.approx(PER_YR, rel=1e-3)
    assert with_it.capital_usd - without.capital_usd == pytest.approx(LATERAL)
    assert with_it.project_cost_usd_per_yr - without.project_cost_usd_per_yr == pytest.approx(
        PER_YR, rel=1e-6
    )
    items = {item.name: item for item in with_it.costs}
    assert items["mobile_gt at this site"].usd_per_yr == pytest.approx(PER_YR)
    assert sum(item.usd_per_yr for item in with_it.costs) == pytest.approx(with_it.cost, rel=1e-9)
    assert "mobile_gt at this site" not in {item.name for item in without.costs}


def test_a_plant_without_units_pays_no_lateral() -> None:
    study = sd.Study(backup=[TURBINE.replace(site_cost_usd=LATERAL)], **(ALONE | {"limits": {}}))
    made = build_case(study).case
    none, one, two = (
        fixed_cost_usd_per_yr(made, Plant((0,), 0, 0, (n,), made.racks_contracted)) for n in (0, 1, 2)
    )
    assert none == 0.0
    assert one == pytest.approx(PER_YR + (two - one))
    got = sd.evaluate(study, solar_mw=10, battery_mwh=0, battery_mw=0, backup={})
    assert {item.name: item.usd_per_yr for item in got.costs}["mobile_gt at this site"] == 0.0


def test_an_operator_without_foresight_pays_the_lateral_as_well() -> None:
    plant = {"solar_mw": 0, "battery_mwh": 0, "battery_mw": 0, "backup": {"mobile_gt": 3}}

    def cost(usd: float) -> float:
        study = sd.Study(backup=[TURBINE.replace(site_cost_usd=usd)], **(ALONE | {"limits": {}}))
        return sd.evaluate(study, operation="causal", **plant).cost_usd_per_yr

    assert cost(LATERAL) - cost(0.0) == pytest.approx(PER_YR, rel=1e-6)


# Hot air ----------------------------------------------------------------------------------------------------


def test_heat_rate_by_hand() -> None:
    """2 % a degree above 15 degC: at 10, 15 and 25 degC 1, 1 and 1.2; loads of 1, 1 and 2 give 1.1."""
    unit = TURBINE.replace(heat_rate_per_c=0.02, derate_above_c=15.0)
    air = np.array([[10.0, 15.0, 25.0]])
    assert heat_rate_factor(unit, air).ravel() == pytest.approx([1.0, 1.0, 1.2])
    assert mean_heat_rate_factor(unit, air, np.array([1.0, 1.0, 2.0])) == pytest.approx(1.1)


def test_fuel_cost_and_carbon_rise_by_the_mean_of_the_hours() -> None:
    """Turbines carry the load alone, so the mean weighted with the load is that of every hour."""
    cool, hot = turbines(heat_rate_per_c=0.0), turbines(heat_rate_per_c=0.01)
    study_case = build_case(sd.Study(backup=[TURBINE.replace(heat_rate_per_c=0.01)], **ALONE))
    factor = heat_rate_factor(TURBINE.replace(heat_rate_per_c=0.01), study_case.weather.temp_air_c).ravel()
    given = hot.dispatch["mobile_gt_mw"].to_numpy()
    ratio = float((given * factor).sum() / given.sum())
    assert ratio > 1.03
    assert given.sum() == pytest.approx(cool.dispatch["mobile_gt_mw"].sum(), rel=1e-3)
    more = hot.fuel_mmbtu_per_yr["mobile_gt"] / cool.fuel_mmbtu_per_yr["mobile_gt"]
    assert more == pytest.approx(ratio, rel=1e-3)
    assert hot.co2_t_per_yr / cool.co2_t_per_yr == pytest.approx(more, rel=1e-9)
    gas = library.fuel("natural_gas").price_usd_per_mmbtu
    extra = (hot.fuel_mmbtu_per_yr["mobile_gt"] - cool.fuel_mmbtu_per_yr["mobile_gt"]) * gas
    assert hot.cost - cool.cost == pytest.approx(extra, rel=1e-2)


@pytest.mark.parametrize(
    "place", [(31.76, -106.49), (53.3, -6.3), (1.35, 103.8)], ids=["El Paso", "Dublin", "Singapore"]
)
@pytest.mark.parametrize("share", [0.0, 0.6, 0.9])
def test_the_mean_is_within_one_per_cent_of_the_hours(place: tuple[float, float], share: float) -> None:
    """The approximation that an exact dispatch needs, at the library's heat rate and some shares of sun."""
    site = sd.Site(latitude=place[0], longitude=place[1])
    design = sd.solve(
        site=site,
        racks=100,
        uptime=0.999,
        weather_years=2,
        backup=["mobile_gt"],
        min_renewable_share=share,
        certify=False,
    )
    study_case = build_case(
        sd.Study(site=site, racks=100, uptime=0.999, weather_years=2, backup=["mobile_gt"])
    )
    given = design.dispatch["mobile_gt_mw"].to_numpy()
    hourly = heat_rate_factor(TURBINE, study_case.weather.temp_air_c).ravel()
    mean = mean_heat_rate_factor(TURBINE, study_case.weather.temp_air_c, study_case.case.load_mw)
    assert mean == pytest.approx(float((given * hourly).sum() / given.sum()), rel=0.01)


def test_a_gas_price_that_is_varied_counts_the_heat_as_well() -> None:
    study = sd.Study(backup=[TURBINE.replace(heat_rate_per_c=0.02)], **ALONE)
    gas = library.fuel("natural_gas").price_usd_per_mmbtu
    table = sd.frontier(study, over="gas price", values=[gas])
    assert table["cost_usd_per_yr"].iloc[0] == pytest.approx(sd.solve(study, certify=False).cost, rel=2e-4)
