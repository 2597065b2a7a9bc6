"""A fixed plant on given weather: energy adds up, cost adds up, uptime is what the rows say."""

from __future__ import annotations

import json

import numpy as np
import pytest

import sitedesign as sd
from sitedesign import Evaluation, InputError, Study

EL_PASO = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")


@pytest.fixture(scope="module")
def study() -> Study:
    weather = sd.Weather.generate(EL_PASO, years=3, seed=5)
    return Study(site=EL_PASO, racks=70, uptime=0.99, backup="recip_fast", weather=weather)


@pytest.fixture(scope="module")
def result(study: Study) -> Evaluation:
    return sd.evaluate(
        study,
        solar_mw=40,
        battery_mwh=120,
        battery_mw=16,
        backup={"recip_fast": 1},
        racks=72,
        operation="greedy",
    )


def test_energy_of_every_step_balances(result: Evaluation) -> None:
    d = result.dispatch
    served = d["solar_mw"] - d["curtailed_mw"] + d["discharge_mw"] - d["charge_mw"] + d["recip_fast_mw"]
    np.testing.assert_allclose(served + d["shed_mw"], d["load_mw"], atol=1e-9)


def test_annual_energy_is_the_mean_over_years(result: Evaluation) -> None:
    assert result.energy_mwh_per_yr["recip_fast"] == pytest.approx(result.dispatch["recip_fast_mw"].sum() / 3)
    assert result.energy_mwh_per_yr["shed"] == pytest.approx(result.dispatch["shed_mw"].sum() / 3)


def test_uptime_counts_power_and_racks(result: Evaluation) -> None:
    power = 1 - result.dispatch["shed_mw"].sum() / result.dispatch["load_mw"].sum()
    assert result.uptime.value == pytest.approx(power - result.rack_shortfall, abs=1e-12)
    assert 0 < result.rack_shortfall < 1e-3


def test_fuel_and_carbon_follow_the_energy(result: Evaluation) -> None:
    mwh = result.energy_mwh_per_yr["recip_fast"]
    assert result.fuel_mmbtu_per_yr["recip_fast"] == pytest.approx(mwh * 8.4)
    assert result.co2_t_per_yr == pytest.approx(mwh * 8.4 * 0.05306)
    assert result.run_hours_per_yr["recip_fast"] == pytest.approx(mwh / 4.5)


def test_what_goes_to_site(result: Evaluation, study: Study) -> None:
    assert result.battery_containers == 24  # 120 MWh in containers of 5 MWh
    assert result.truckloads == 24 + 72
    assert result.land_acres == pytest.approx(40 / study.pv.power_density_mwdc_per_acre)
    assert result.months_to_power == 18  # the engines; solar 14, battery 12


def test_spare_racks_are_in_the_cost_and_contracted_ones_in_the_project(result: Evaluation) -> None:
    items = {item.name: item for item in [*result.costs, *result.project_costs]}
    assert items["contracted racks"].usd_per_yr == pytest.approx(35 * items["spare racks"].usd_per_yr)
    assert result.project_cost_usd_per_yr > 5 * result.cost_usd_per_yr
    table = result.cost_table()
    assert table.loc[table["decided_by_optimiser"], "usd_per_yr"].sum() == pytest.approx(
        result.cost_usd_per_yr
    )


def test_events_have_dates(result: Evaluation) -> None:
    assert result.events
    assert result.events[0]["start"].startswith("year ")
    assert result.events[0]["duration_h"] > 0


def test_dictionary_is_json(result: Evaluation) -> None:
    assert json.loads(json.dumps(result.to_dict()))["racks"] == 72


def test_foresight_never_does_worse_than_greedy(study: Study, result: Evaluation) -> None:
    best = sd.evaluate(
        study,
        solar_mw=40,
        battery_mwh=120,
        battery_mw=16,
        backup={"recip_fast": 1},
        racks=72,
        operation="foresight",
    )
    assert best.energy_mwh_per_yr["shed"] <= result.energy_mwh_per_yr["shed"] + 1e-6


def test_impossible_plants_are_refused_with_all_faults(study: Study) -> None:
    with pytest.raises(InputError) as caught:
        sd.evaluate(
            study, solar_mw=-1, battery_mwh=1, battery_mw=1, backup={"recip_fst": 1, "diesel": 2}, racks=60
        )
    text = str(caught.value)
    assert text.startswith("4 problems in the inputs of evaluate():")
    assert "solar_mw: got -1; must not be negative." in text
    assert "Did you mean 'recip_fast'?" in text
    assert "racks: got 60; must cover the 70 contracted racks." in text


def test_unknown_operation(study: Study) -> None:
    with pytest.raises(InputError, match="Did you mean 'greedy'"):
        sd.evaluate(study, solar_mw=1, battery_mwh=1, battery_mw=1, operation="gredy")  # type: ignore[arg-type]


def test_no_sun_no_backup_is_dark_once_the_battery_is_empty(study: Study) -> None:
    # 100 MWh usable at 70 racks' ~9.5 MW lasts half a day of three years.
    result = sd.evaluate(study, solar_mw=0, battery_mwh=120, battery_mw=60)
    usable = 120 * 0.92 * 0.95 * np.sqrt(study.battery.round_trip_efficiency)
    served = result.load_mwh_per_yr - result.energy_mwh_per_yr["shed"]
    assert served * 3 == pytest.approx(usable, rel=1e-9)
