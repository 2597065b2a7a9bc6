"""The main job's own decisions: what a method affords, and what is said about it."""

from __future__ import annotations

from pathlib import Path

import pytest

import sitedesign as sd
from sitedesign.foresight.plan import one_year_case
from tests.cases import sizes

SITE = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")


def test_hourly_model_names_the_year_it_takes() -> None:
    weather = sd.Weather.generate(SITE, years=3, seed=2)
    darkest = weather.low_resource_periods(days=(5,))["year"].iloc[0]
    study_case = one_year_case(sd.Study(site=SITE, racks=15, uptime=0.98, weather=weather))
    assert study_case.weather.years == (darkest,)
    assert study_case.case.years == 1
    assert f"one of the 3 weather years: year {darkest}" in study_case.notes[0]


def test_hourly_model_refuses_what_is_too_large() -> None:
    study = sd.Study(site=SITE, racks=15, uptime=0.98, weather_years=1, step_minutes=5)
    with pytest.raises(sd.InputError, match="'extensive' with 105,120 steps a year; affords at most 35,040"):
        sd.solve(study, method="extensive")


def test_frontier_over_a_price_agrees_with_separate_solutions() -> None:
    study = sd.Study(site=SITE, racks=70, uptime=0.99, backup="recip_fast", weather_years=2)
    table = sd.frontier(study, "battery price", [120, 200])
    for price, cost in zip((120, 200), table["cost_usd_per_yr"], strict=True):
        battery = sd.library.battery("lfp").replace(capex_usd_per_kwh=float(price))
        design = sd.solve(study.replace(battery=battery), certify=False)
        assert cost == pytest.approx(design.cost, rel=2.1e-4)


def test_frontier_over_gas_price_agrees_with_a_separate_solution() -> None:
    study = sd.Study(site=SITE, racks=70, uptime=0.99, backup="recip_fast", weather_years=2)
    table = sd.frontier(study, "gas price", [8.0])
    design = sd.solve(study.replace(fuel_price_usd_per_mmbtu={"natural_gas": 8.0}), certify=False)
    assert table["cost_usd_per_yr"].iloc[0] == pytest.approx(design.cost, rel=2.1e-4)


def test_higher_uptime_never_costs_less_along_a_frontier() -> None:
    study = sd.Study(site=SITE, racks=70, uptime=0.99, backup="recip_fast", weather_years=2)
    table = sd.frontier(study, "uptime", [0.9, 0.99, 0.999])
    assert (table["bound_usd_per_yr"].diff().dropna() >= -2e-4 * table["cost_usd_per_yr"].max()).all()
    assert (table["gap"] <= 1e-4 + 1e-12).all()


def test_frontier_shows_what_uptime_is_worth_buying() -> None:
    study = sd.Study(site=SITE, racks=70, objective="compute_cost", backup="recip_fast", weather_years=2)
    chosen = sd.solve(study, certify=False)
    table = sd.frontier(study, "uptime", [0.9, 0.99, chosen.uptime_target, 0.9999])
    assert table["usd_per_rack_h"].idxmin() == 2
    row = table.iloc[2]
    assert row["usd_per_rack_h"] == pytest.approx(chosen.usd_per_rack_h, rel=1e-4)
    assert row["project_usd_per_yr"] == pytest.approx(chosen.project_cost_usd_per_yr, rel=1e-4)
    assert row["delivered_rack_h_per_yr"] == pytest.approx(70 * 8760 * chosen.metrics.rack.value, rel=1e-4)


def test_sweeps_refuse_what_a_study_leaves_open() -> None:
    study = sd.Study(
        site=SITE, racks=7, objective="compute_cost", pv=["tracker_ac", "fixed_dc"], weather_years=1
    )
    with pytest.raises(sd.InputError, match="2 problems in the inputs of tradeoff"):
        sd.tradeoff(study)
    with pytest.raises(sd.InputError, match="several power paths; a sweep takes one"):
        sd.frontier(study, "uptime", [0.9])
    classes = [{"name": name, "racks": 3, "uptime": 0.9} for name in "ab"]
    with pytest.raises(sd.InputError, match="each class has a target of its own"):
        sd.frontier(sd.Study(site=SITE, classes=classes, weather_years=1), "uptime", [0.9])


def test_frontier_says_where_no_design_is_possible() -> None:
    study = sd.Study(site=SITE, racks=70, uptime=0.99, backup=[], weather_years=2, limits={"solar_mw": 30})
    table = sd.frontier(study, "uptime", [0.2, 0.999])
    assert table["reason"].iloc[0] == ""
    assert table["reason"].iloc[1] != ""


def test_frontier_refuses_what_it_does_not_know() -> None:
    study = sd.Study(site=SITE, racks=70, uptime=0.99, weather_years=1)
    with pytest.raises(sd.InputError, match="Did you mean 'battery price'"):
        sd.frontier(study, "batery price", [1])
    with pytest.raises(sd.InputError, match="got 99"):
        sd.frontier(study, "uptime", [99])


def test_tradeoff_passes_through_the_optimum() -> None:
    study = sd.Study(
        site=SITE, racks=70, uptime=0.99, backup="recip_fast", weather_years=2, min_renewable_share=0.6
    )
    table, design = sd.tradeoff(study, points=5), sd.solve(study, certify=False)
    assert table["cost_usd_per_yr"].min() == pytest.approx(design.cost, rel=1e-2)
    costs = table["cost_usd_per_yr"].dropna()
    assert len(costs) >= 3
    assert (costs >= design.bound * (1 - 1e-9)).all()
    assert (table.loc[table["cost_usd_per_yr"].isna(), "reason"] != "").all()


def test_causal_operation_keeps_less_than_foresight() -> None:
    study = sd.Study(site=SITE, racks=70, uptime=0.99, backup="recip_fast", weather_years=3)
    design = sd.solve(study, certify=False)
    causal = sd.evaluate(
        study,
        **sizes(design),
        operation="causal",
    )
    assert causal.operation == "causal"
    assert causal.uptime.value < design.uptime.value
    part_load = [item for item in causal.costs if item.name == "recip_fast part-load fuel"]
    assert [item.asset for item in part_load] == ["recip_fast"]
    assert part_load[0].usd_per_yr > 0


def test_certificate_of_a_foresight_design_is_not_met_and_says_why() -> None:
    study = sd.Study(site=SITE, racks=70, uptime=0.999, backup="recip_fast", weather_years=3)
    design = sd.solve(study, certify=False)
    certificate = sd.certify(design, years=20, draws=1, seed=3)
    assert not certificate.met
    assert certificate.causes["units"] > 0
    assert certificate.planned["uptime"] == pytest.approx(0.999, abs=1e-4)
    again = sd.certify(sd.Design.from_dict(design.to_dict()), years=20, draws=1, seed=3)
    assert again.uptime == certificate.uptime


def test_certificate_of_a_plant_where_some_things_never_fail_says_so_and_keeps_more() -> None:
    study = sd.Study(site=SITE, racks=70, uptime=0.9, backup="recip_fast", weather_years=3)
    design = sd.solve(study, certify=False)
    real, spared = (
        sd.certify(design, years=20, draws=1, seed=3, attribute=False, without=causes)
        for causes in ((), ("units", "fuel"))
    )
    assert spared.uptime.value > real.uptime.value
    assert spared.off == ("units", "fuel")
    assert "if these never happened: trips, fuel supply" in str(spared)
    assert "never happened" not in str(real)
    with pytest.raises(sd.InputError, match="without: got 'clouds'"):
        sd.certify(design, without=("clouds",))


def test_certificate_takes_no_more_years_than_it_needs() -> None:
    study = sd.Study(site=SITE, racks=70, uptime=0.9, backup="recip_fast", weather_years=3)
    design = sd.solve(study, certify=False)
    short = sd.certify(design, years=400, draws=1, attribute=False, stop_when_converged=True)
    assert short.converged
    assert short.weather_years < 400


def test_certificate_of_files_needs_the_study() -> None:
    weather = sd.Weather.generate(SITE, years=2, seed=2)
    study = sd.Study(site=SITE, racks=15, uptime=0.9, backup="recip_fast", weather=weather)
    result = sd.evaluate(study, solar_mw=5, battery_mwh=5, battery_mw=2, backup={"recip_fast": 1})
    with pytest.raises(sd.InputError, match=r"Give study=\.\.\. as it was solved"):
        sd.certify(result)
    assert sd.certify(result, study, years=20, draws=1, attribute=False).weather_years == 20


def test_a_design_keeps_the_weather_it_was_solved_with_but_a_file_does_not(tmp_path: Path) -> None:
    weather = sd.Weather.generate(SITE, years=2, seed=2)
    study = sd.Study(site=SITE, racks=15, uptime=0.9, backup="recip_fast", weather=weather)
    design = sd.solve(study, certify=False)
    quick = {"years": 20, "draws": 1, "attribute": False}
    certificate = sd.certify(design, **quick)
    assert certificate.uptime == sd.certify(design, study, **quick).uptime
    loaded = sd.Design.load(design.save(tmp_path / "design.json"))
    assert loaded == design
    with pytest.raises(sd.InputError, match="read from a file, which does not hold the weather"):
        sd.certify(loaded, **quick)
    assert sd.certify(loaded, study, **quick).uptime == certificate.uptime


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"draws": 1.5}, "draws"),
        ({"seed": -1}, "seed"),
        ({"years": 0}, "years"),
        ({"confidence": 95}, "0.5, 1"),
    ],
)
def test_certify_tells_what_it_cannot_use(options: dict[str, float], words: str) -> None:
    study = sd.Study(site=SITE, racks=15, uptime=0.9, backup="recip_fast", weather_years=1)
    result = sd.evaluate(study, solar_mw=5, battery_mwh=5, battery_mw=2, backup={"recip_fast": 1})
    with pytest.raises(sd.InputError, match=words):
        sd.certify(result, study, **options)


def test_throttling_keeps_more_compute_than_none_under_the_usual_rule() -> None:
    study = sd.Study(site=SITE, racks=70, uptime=0.99, metric="compute", backup=[], weather_years=3)
    design = sd.solve(study, certify=False)
    plant = {
        "solar_mw": design.solar_mw, "battery_mwh": design.battery_mwh, "battery_mw": design.battery_mw,
        "racks": design.racks, "backup": {},
    }  # fmt: skip
    none, usual, cautious = (
        sd.evaluate(asked, **plant, operation="causal", controller=rule).uptime.value
        for asked, rule in (
            (study.replace(metric="rack"), None),
            (study, None),
            (study, sd.Controller(forecast_z_score=2.0)),
        )
    )
    assert usual > none
    assert usual > cautious


def test_operator_and_forecast_can_be_chosen() -> None:
    study = sd.Study(site=SITE, racks=70, uptime=0.99, backup="recip_fast", weather_years=2)
    plant = {"solar_mw": 40, "battery_mwh": 120, "battery_mw": 20, "backup": {"recip_fast": 1}}
    rule = sd.Controller(kind="greedy", start_soc=0.9)
    cautious = sd.evaluate(study, **plant, operation="causal", controller=rule)
    idle = sd.evaluate(
        study, **plant, operation="causal", controller=sd.Controller(kind="greedy", start_soc=0)
    )
    assert cautious.energy_mwh_per_yr["backup"] > 1.05 * idle.energy_mwh_per_yr["backup"]
    quick = {"study": study, "years": 20, "draws": 1, "attribute": False}
    assert sd.certify(cautious, **quick).controller == rule  # an evaluation is certified by its own rule
    quick["controller"] = sd.Controller()
    sure = sd.certify(cautious, **quick, forecast=sd.Forecast(kind="perfect"))
    usual = sd.certify(cautious, **quick, forecast=sd.Forecast(kind="climatology"))
    assert sure.controller.kind == "latest_safe_start"
    assert sure.backup_mwh_per_yr != usual.backup_mwh_per_yr
    with pytest.raises(sd.InputError, match="forecast: got one with 'greedy'; needs operation='causal'"):
        sd.evaluate(study, **plant, forecast=sd.Forecast())


def test_what_is_no_study_and_no_design_is_refused() -> None:
    for use in (sd.certify, sd.tradeoff, lambda x: sd.frontier(x, "uptime", [0.9])):
        with pytest.raises(sd.InputError, match="got 'str'"):
            use("study.toml")
    for use in (sd.sensitivity, sd.cash_flow):
        with pytest.raises(sd.InputError, match=r"got 'study\.toml'; must be a"):
            use("study.toml")
