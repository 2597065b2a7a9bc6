"""A fixed plant on given weather: energy adds up, cost adds up, uptime is what the rows say."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import sitedesign as sd
from sitedesign import Evaluation, InputError, Study

EL_PASO = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
PLANT = {
    "solar_mw": 40, "battery_mwh": 120, "battery_mw": 16, "backup": {"recip_fast": 1}, "racks": 72
}  # fmt: skip


@pytest.fixture(scope="module")
def study() -> Study:
    weather = sd.Weather.generate(EL_PASO, years=3, seed=5)
    return Study(site=EL_PASO, racks=70, uptime=0.99, backup="recip_fast", weather=weather, region=None)


@pytest.fixture(scope="module")
def result(study: Study) -> Evaluation:
    return sd.evaluate(study, **PLANT, operation="greedy")


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
    best = sd.evaluate(study, **PLANT, operation="foresight")
    assert best.energy_mwh_per_yr["shed"] <= result.energy_mwh_per_yr["shed"] + 1e-6


def test_impossible_plants_are_refused_with_all_faults(study: Study) -> None:
    with pytest.raises(InputError) as caught:
        sd.evaluate(
            study, solar_mw=-1, battery_mwh=1, battery_mw=1, backup={"recip_fst": 1, "diesel": 2}, racks=60
        )
    text = str(caught.value)
    assert text.startswith("4 problems in the inputs of evaluate():")
    assert "solar_mw: got -1; must be a finite number, not negative." in text
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


# What the racks deliver -----------------------------------------------------------------------------------


def test_project_items_by_hand(result: Evaluation) -> None:
    # 70 racks x 0.126 MW = 8.82 MW; shell 10 M USD/MW over 20 years at 5.5 % (0.083679),
    # staff 0.25 M USD/MW-yr, land 0.25 acre/MW x 3000 USD/acre x 5.5 %
    items = {item.name: item.usd_per_yr for item in result.project_costs}
    assert items["data hall"] == pytest.approx(8.82 * 10e6 * 0.083679, rel=1e-4)
    assert items["data hall staff and maintenance"] == pytest.approx(8.82 * 250_000)
    assert items["data hall land"] == pytest.approx(8.82 * 0.25 * 3000 * 0.055)
    assert set(items) == {
        "contracted racks",
        "data hall",
        "data hall staff and maintenance",
        "data hall land",
    }


def test_cost_of_compute_by_hand(result: Evaluation) -> None:
    hours = 70 * 8760 * result.uptime.value
    assert result.delivered_rack_h_per_yr == pytest.approx(hours)
    assert result.usd_per_rack_h == pytest.approx(result.project_cost_usd_per_yr / hours)
    assert result.usd_per_gpu_h == pytest.approx(result.usd_per_rack_h / 72)
    # 865,000 tokens/s x 3600 s = 3114 million tokens in a rack-hour
    assert result.usd_per_million_tokens == pytest.approx(result.usd_per_rack_h / 3114)
    assert result.tokens_per_s == pytest.approx(70 * result.uptime.value * 865_000)
    assert result.kwh_per_rack_h == pytest.approx(result.served_mwh_per_yr * 1000 / hours)
    assert 126 < result.kwh_per_rack_h < 126 * 1.35  # IT power, then cooling and losses


def test_water_and_cooling_by_hand(study: Study) -> None:
    facility = sd.library.facility("dry_cooler").replace(
        water_l_per_kwh=2.0, pue_by_temp_c=((-60.0, 1.25), (60.0, 1.25)), pue_fixed_share=0.4
    )
    result = sd.evaluate(
        study.replace(facility=facility),
        solar_mw=0,
        battery_mwh=0,
        battery_mw=0,
        backup={"recip_fast": 1},
    )
    share = 1 - result.energy_mwh_per_yr["shed"] / result.load_mwh_per_yr  # load is level: PUE is constant
    assert 0.3 < share < 0.6  # one engine of 4.5 MW for 8.82 MW of racks
    assert result.water_m3_per_yr == pytest.approx(8.82 * 8760 * share * 1000 * 2.0 / 1000)
    assert result.mean_pue == pytest.approx(1.25)
    assert result.fixed_load_share == pytest.approx(0.4 * 0.25 / 1.25)


def test_racks_without_a_token_figure_say_nothing_about_tokens(study: Study) -> None:
    rack = study.rack.replace(tokens_per_s=None)
    result = sd.evaluate(study.replace(rack=rack), solar_mw=40, battery_mwh=120, battery_mw=16)
    assert result.tokens_per_s is None
    assert result.usd_per_million_tokens is None
    assert "tokens" not in repr(result)


# Classes --------------------------------------------------------------------------------------------------

TRAINING = {"name": "training", "racks": 40, "uptime": 0.9, "value_usd_per_rack_h": 100.0}
INFERENCE = {"name": "inference", "racks": 30, "uptime": 0.99, "value_usd_per_rack_h": 300.0}
BATCH = {"name": "batch", "racks": 100, "value_usd_per_rack_h": 20.0}


def operate(study: Study, classes: list[dict[str, object]], **plant: float) -> Evaluation:
    asked = Study(site=study.site, classes=classes, backup="recip_fast", weather=study.weather)
    return sd.evaluate(asked, **({"solar_mw": 40, "battery_mwh": 120, "battery_mw": 16} | plant))


def test_classes_share_the_plant_and_the_loss(study: Study) -> None:
    result = operate(study, [TRAINING, INFERENCE])
    plain = sd.evaluate(study, solar_mw=40, battery_mwh=120, battery_mw=16)
    training, inference = result.classes
    assert training.uptime.value < plain.uptime.value < inference.uptime.value
    total = (40 * training.uptime.value + 30 * inference.uptime.value) / 70
    assert total == pytest.approx(plain.uptime.value, abs=1e-12)
    assert result.delivered_rack_h_per_yr == pytest.approx(plain.delivered_rack_h_per_yr)
    assert inference.value_usd_per_yr == pytest.approx(300 * 30 * 8760 * inference.uptime.value)
    text = dict(result.summary())
    assert "target 99 %, 30 racks" in text["class inference"]
    assert sd.Evaluation.model_validate(result.to_dict()) == result


def test_the_class_worth_more_is_served_before_the_other_loses_all(study: Study) -> None:
    result = operate(study, [TRAINING, INFERENCE])
    dispatch = result.dispatch
    # 4/7 of the load is training: only beyond that does inference lose anything.
    share = dispatch["shed_mw"] / dispatch["load_mw"]
    lost = np.clip(share - 4 / 7, 0, None).to_numpy() * dispatch["load_mw"].to_numpy()
    (inference,) = (
        item for item in operate(study, [TRAINING, INFERENCE]).classes if item.name == "inference"
    )
    expected = 1 - lost.sum() / (3 / 7 * dispatch["load_mw"].sum())
    shortfall = operate(study, [TRAINING, INFERENCE]).rack_shortfall
    assert inference.uptime.value == pytest.approx(expected - shortfall, abs=1e-12)


def test_best_effort_lives_on_curtailed_power_alone(study: Study) -> None:
    without = operate(study, [TRAINING, INFERENCE])
    result = operate(study, [TRAINING, INFERENCE, BATCH])
    assert result.load_mwh_per_yr == without.load_mwh_per_yr
    assert result.cost_usd_per_yr == without.cost_usd_per_yr
    batch = result.classes[-1]
    assert batch.target is None
    d = result.dispatch
    asks = d["load_mw"] * 100 / 70  # same use, same cooling
    used = np.minimum(d["curtailed_mw"], asks)
    assert result.energy_mwh_per_yr["best_effort"] == pytest.approx(used.sum() / 3)
    availability = study.rack.availability
    assert batch.delivered_rack_h_per_yr == pytest.approx((used / asks).sum() / 3 * 100 * availability)
    assert result.best_effort_rack_h_per_yr == batch.delivered_rack_h_per_yr
    assert batch.uptime.value == pytest.approx(batch.delivered_rack_h_per_yr / (100 * 8760), rel=0.01)
    extra = result.project_cost_usd_per_yr - without.project_cost_usd_per_yr
    racks = next(item for item in result.project_costs if item.name == "batch racks")
    assert extra > racks.usd_per_yr > 0
    assert "best effort from surplus" in repr(result)


def test_no_surplus_no_best_effort(study: Study) -> None:
    result = operate(study, [TRAINING, BATCH], solar_mw=0)
    assert result.best_effort_rack_h_per_yr == 0.0


def test_more_valuable_best_effort_comes_first(study: Study) -> None:
    dear = BATCH | {"name": "dear", "value_usd_per_rack_h": 30.0}
    result = operate(study, [TRAINING, BATCH, dear])
    first, second = result.classes[-2:]
    assert (first.name, second.name) == ("dear", "batch")
    assert first.delivered_rack_h_per_yr > second.delivered_rack_h_per_yr > 0


@pytest.mark.parametrize("metric", ["site", "floor"])
def test_shares_of_time_are_reported_by_their_own_figure(study: Study, metric: str) -> None:
    result = sd.evaluate(study.replace(metric=metric), solar_mw=40, battery_mwh=120, battery_mw=16)
    assert result.uptime == getattr(result.metrics, metric)
    # Rack-hours are what is served, whatever the target counts
    served = result.served_mwh_per_yr / result.load_mwh_per_yr - result.rack_shortfall
    assert result.delivered_rack_h_per_yr == pytest.approx(70 * 8760 * served)


NOTHING = {"solar_mw": 0, "battery_mwh": 0, "battery_mw": 0}


@pytest.mark.parametrize("operation", ["greedy", "foresight", "causal"])
@pytest.mark.parametrize("metric", ["rack", "floor"])
def test_a_plant_of_nothing_delivers_nothing_at_no_finite_price(study: Study, operation, metric) -> None:
    nothing = sd.evaluate(study.replace(metric=metric), **NOTHING, operation=operation)
    assert nothing.served_mwh_per_yr == 0
    assert nothing.delivered_rack_h_per_yr == 0
    for price in (
        nothing.usd_per_rack_h,
        nothing.usd_per_gpu_h,
        nothing.lcoe_usd_per_mwh,
        nothing.kwh_per_rack_h,
    ):
        assert price == math.inf
    assert "inf USD/MWh" in str(nothing)
    assert "inf USD/rack-h" in nothing.details._repr_html_()


def test_classes_without_power_deliver_nothing() -> None:
    classes = [
        sd.LoadClass(name="training", racks=50, uptime=0.9, metric="compute"),
        sd.LoadClass(name="inference", racks=20, uptime=0.99),
    ]
    study = Study(site=EL_PASO, classes=classes, backup=[], weather_years=1)
    nothing = sd.evaluate(study, **NOTHING)
    assert [item.delivered_rack_h_per_yr for item in nothing.classes] == [0, 0]
    assert nothing.usd_per_rack_h == math.inf
    assert str(nothing)


def test_a_design_that_need_not_be_built_is_shown_saved_and_reported(tmp_path) -> None:
    """A lost rack-hour at 2 USD is worth no power plant: an answer that is told like any other."""
    design = sd.solve(
        site=EL_PASO, racks=70, weather_years=2, backup="recip_fast", objective="compute_cost",
        lost_compute_usd_per_rack_h=2.0, certify=False,
    )  # fmt: skip
    assert (design.solar_mw, design.battery_mwh, design.backup) == (0, 0, {"recip_fast": 0})
    assert design.usd_per_rack_h == math.inf
    assert "inf USD/rack-h" in str(design.details)
    assert sd.Design.load(design.save(tmp_path / "design.json")) == design
    assert "inf USD" in design.report(tmp_path / "report.html").read_text(encoding="utf-8")
