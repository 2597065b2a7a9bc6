"""Air permits: rows over annual totals in both formulations, and real hours and starts in the certificate."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import sitedesign as sd
from sitedesign.case.build import build_case
from sitedesign.case.case import Case
from sitedesign.case.relaxation import left_out
from sitedesign.errors import InfeasibleDesign
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.extensive_form import solve_extensive
from sitedesign.results.battery_life import life_of
from sitedesign.study.effort import EFFORTS, Effort
from tests import small_cases
from tests.cases import backup, case, limited
from tests.report_designs import make_design

NO_BATTERY = {"battery_mwh": (0.0, 0.0), "battery_mw": (0.0, 0.0)}
SITE = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
NO_SUN = {"solar_mw": (0.0, 0.0)}


def emitting(item: Any, nox: float) -> Any:
    """The technology with tonnes a MWh of all pollutants."""
    return dataclasses.replace(item, nox_t_per_mwh=nox, co_t_per_mwh=nox / 2, pm_t_per_mwh=nox / 9)


def permitted(seed: int) -> Case | None:
    """A small random study with permits at about half of what it would emit and run without."""
    free = small_cases.study(seed)
    if not free.backup:
        return None
    rng = np.random.default_rng(seed)
    free = dataclasses.replace(
        free, backup=tuple(emitting(b, float(rng.uniform(2e-4, 2e-3))) for b in free.backup)
    )
    try:
        found = solve_cuts(free, gap=1e-5, explains=False)
    except InfeasibleDesign:
        return None
    energy, share = np.array(found.backup_mwh_per_yr), float(rng.uniform(0.4, 0.9))
    if not energy.any():
        return None
    name = str(rng.choice(["nox", "co", "pm", "hours"]))
    k = int(np.argmax(energy))
    item = free.backup[k]
    if name == "hours":
        hours = share * energy[k] / (item.unit_mw * found.plant.units[k])
        bound = dataclasses.replace(item, run_h_limit=float(hours))
        return dataclasses.replace(free, backup=(*free.backup[:k], bound, *free.backup[k + 1 :]))
    tonnes = sum(getattr(b, f"{name}_t_per_mwh") * e for b, e in zip(free.backup, energy, strict=True))
    return limited(free, **{f"max_{name}_t_per_yr": share * float(tonnes)})


# One of each pollutant and four of hours; every one binds, and the last has no plant at all
@pytest.mark.parametrize("seed", [3, 9, 16, 18, 41, 52, 24])
def test_permits_as_rows_have_one_optimum_in_both_formulations(seed: int) -> None:
    c = permitted(seed)
    assert c is not None
    found: list[float | None] = []
    for solve in (solve_cuts, solve_extensive):
        try:
            found.append(solve(c, gap=1e-6).objective_usd_per_yr)
        except InfeasibleDesign:
            found.append(None)
    assert (found[0] is None) == (found[1] is None) == (seed == 24)
    if found[0] is not None:
        assert found[0] == pytest.approx(found[1], rel=3e-5, abs=0.05)
        free = limited(c, max_nox_t_per_yr=None, max_co_t_per_yr=None, max_pm_t_per_yr=None)
        free = dataclasses.replace(
            free, backup=tuple(dataclasses.replace(b, run_h_limit=None) for b in free.backup)
        )
        assert solve_cuts(free, gap=1e-6).objective_usd_per_yr < found[0]


def hours_case(most_h: float) -> Case:
    """10 MW for three hours, no sun: units of 10 MW at 0.8 MUSD/yr that may run so long."""
    return case([0] * 3, [10.0] * 3, uptime_target=1.0, limits=NO_BATTERY | NO_SUN,
                backup=(backup(3, run_h_limit=most_h),))  # fmt: skip


@pytest.mark.parametrize(("most_h", "units"), [(3.0, 1), (1.5, 2), (1.0, 3), (0.7, 5)])
def test_a_limit_on_hours_buys_units_that_share_them(most_h: float, units: int) -> None:
    """30 MWh over 10 MW are three hours at full load; of units that may run 0.7 h each it takes five."""
    for solve in (solve_cuts, solve_extensive):
        found = solve(hours_case(most_h))
        assert found.plant.units == (units,)
        assert found.objective_usd_per_yr == pytest.approx(units * 0.8e6 + 30 * 60)


def test_hours_that_are_too_few_are_named_with_the_least_that_would_do() -> None:
    """Twenty units at most: 3 h / 20 = 0.15 h each."""
    with pytest.raises(InfeasibleDesign) as told:
        solve_cuts(hours_case(0.1))
    change = next(item for item in told.value.relaxations if item.limit == "run_h of engine")
    assert (change.now, change.unit) == (0.1, "h/yr")
    assert 0.15 <= change.needed < 0.1501
    assert solve_cuts(hours_case(change.needed)).plant.units == (20,)


def test_tonnes_that_are_too_few_are_named() -> None:
    """30 MWh x 0.001 t = 0.03 t of NOx: nothing else gives power."""
    unit = backup(3, nox_t_per_mwh=0.001)
    c = case([0] * 3, [10.0] * 3, uptime_target=1.0, limits=NO_BATTERY | NO_SUN | {"max_nox_t_per_yr": 0.01},
             backup=(unit,))  # fmt: skip
    with pytest.raises(InfeasibleDesign) as told:
        solve_cuts(c)
    change = next(item for item in told.value.relaxations if item.limit == "max_nox_t_per_yr")
    assert 0.03 <= change.needed < 0.030003


# ---------------------------------------------------------------------- the operator


@pytest.fixture(scope="module")
def operated() -> tuple[sd.Study, sd.Evaluation]:
    """One turbine and some sun for 30 racks, one year, run by an operator."""
    asked = sd.Study(
        site=SITE, racks=30, uptime=0.9, backup=["mobile_gt", "diesel_standby"], weather_years=1,
        limits={"nox_t_per_yr": 0.5, "run_h": {"mobile_gt": 200}, "starts": {"mobile_gt": 9000},
                "night_h": {"mobile_gt": 500, "diesel_standby": 0}, "site_night_h": 3000,
                "battery_cycles_per_yr": 20},
    )  # fmt: skip
    plant: dict[str, Any] = {"solar_mw": 12, "battery_mwh": 30, "battery_mw": 6, "backup": {"mobile_gt": 1}}
    return asked, sd.evaluate(asked, operation="causal", **plant)


def test_tonnes_are_those_of_the_fuel_really_burnt(operated: tuple[sd.Study, sd.Evaluation]) -> None:
    asked, result = operated
    turbine = asked.backup[0]
    fuel = result.fuel_mmbtu_per_yr["mobile_gt"]
    for name in ("nox", "co", "pm"):
        kg_per_mmbtu = getattr(turbine, f"{name}_kg_per_mmbtu")
        assert result.pollutants_t_per_yr[name] == pytest.approx(fuel * kg_per_mmbtu / 1000, rel=1e-9)
    at_full_load = result.energy_mwh_per_yr["mobile_gt"] * turbine.heat_rate_btu_per_kwh_hhv / 1000
    assert fuel > 1.02 * at_full_load  # part load costs fuel


def test_hours_and_starts_are_those_of_the_record(operated: tuple[sd.Study, sd.Evaluation]) -> None:
    """One unit: its output says when it was on, but for the minutes in which it starts."""
    _, result = operated
    on = (result.dispatch["mobile_gt_mw"] > 1e-9).to_numpy()
    begun = int(on[0]) + int((on[1:] & ~on[:-1]).sum())
    assert on.sum() <= result.on_hours_per_yr["mobile_gt"] <= on.sum() + begun
    assert begun <= result.starts_per_yr["mobile_gt"] <= 1.05 * begun + 2
    assert result.on_hours_per_yr["mobile_gt"] > 1.2 * result.run_hours_per_yr["mobile_gt"]
    assert result.on_hours_per_yr["diesel_standby"] == 0.0


def test_hours_of_noise_are_those_of_the_record(operated: tuple[sd.Study, sd.Evaluation]) -> None:
    """From 22 to 7 h by the clock, in steps in which any unit gives power."""
    asked, result = operated
    on = result.dispatch["mobile_gt_mw"] > 1e-3
    hour = result.dispatch.index.hour
    at_night = float((on & ((hour >= 22) | (hour < 7))).sum())
    used = {use.label: use.mean for use in result.capped}
    assert at_night > 1000
    assert used["hours of noise of mobile_gt at night"] == at_night
    assert used["hours of noise of diesel_standby at night"] == 0
    assert used["hours of noise of the site at night"] == at_night
    assert "hours of noise at night" in left_out(asked)
    # Of all hours of all nights none is quieter than one without units
    dark = sd.evaluate(
        asked, operation="causal", solar_mw=0, battery_mwh=0, battery_mw=0, backup={"mobile_gt": 3}
    )
    used = {use.label: use.mean for use in dark.capped}
    on = sum(dark.dispatch[f"{name}_mw"] for name in ("mobile_gt", "diesel_standby")) > 1e-3
    hour = dark.dispatch.index.hour
    assert used["hours of noise of the site at night"] == (on & ((hour >= 22) | (hour < 7))).sum() > 3100


def test_permits_that_are_not_kept_are_told(operated: tuple[sd.Study, sd.Evaluation]) -> None:
    asked, result = operated
    (note,) = [line for line in result.provenance.notes if "outside the limits" in line]
    assert "NOx: " in note
    assert "run hours of a unit of mobile_gt: " in note
    assert "starts" not in note
    discharged = result.dispatch["discharge_mw"].sum() / 30
    assert f"full cycles of the battery: {discharged:g} /yr, at most 20" in note
    certificate = sd.certify(result, asked, years=2, draws=1, attribute=False)
    told = {use.label: use for use in certificate.capped}
    assert not certificate.permits_kept
    assert [use.kept for use in told.values()] == [False, False, True, True, False, True, True, False]
    assert str(certificate).count("NOT kept") == 4
    cycles = told["full cycles of the battery"]
    assert cycles.mean == pytest.approx(certificate.battery_cycles_per_yr, rel=1e-9)
    assert cycles.worst_year >= cycles.mean > 20
    assert told["NOx"].worst_year is not None
    assert told["NOx"].worst_year >= told["NOx"].mean
    row = certificate.technology_table().set_index("name").loc["mobile_gt"]
    assert row["nox_t_per_yr"] == pytest.approx(certificate.fuel_mmbtu_per_yr[0] * 0.0449 / 1000, rel=1e-9)
    assert row["nox_t_per_yr"] == pytest.approx(told["NOx"].mean, rel=1e-9)
    assert row["run_h_per_unit_yr"] == pytest.approx(certificate.run_h_per_yr[0][0])
    on, at_night = row["any_unit_on_h_per_yr"], row["any_unit_on_at_night_h_per_yr"]
    assert at_night <= on <= 1.01 * row["run_h_per_unit_yr"]
    assert row["full_load_h_per_unit_yr"] < row["run_h_per_unit_yr"]


def test_the_warranty_of_the_battery_is_a_limit_of_one_word(operated: tuple[sd.Study, sd.Evaluation]) -> None:
    """365 cycles a year, or fewer where all of them spread over the life are fewer; counted at the cells."""
    asked, result = operated
    warranted = asked.replace(limits={"battery_cycles_per_yr": "warranty"})
    careful = asked.replace(limits={}, practice="careful")
    for study in (warranted, careful, sd.Study(**warranted.to_dict() | {"weather": None})):
        case = build_case(study).case
        assert (case.limits.battery_cycles_per_yr, case.limits.warranty_cycles_per_yr) == (None, 365.0)
        assert "cycles of the battery" in left_out(study)
    assert build_case(
        careful.replace(limits={"battery_cycles_per_yr": 90})
    ).case.limits == dataclasses.replace(
        build_case(careful).case.limits, battery_cycles_per_yr=90.0, warranty_cycles_per_yr=None
    )
    used_up = warranted.replace(
        battery=asked.battery.replace(warranty_full_cycles=500)
    )  # 25 in each of 20 years
    certificate = sd.certify(result, used_up, years=2, draws=1, attribute=False)
    (use,) = (use for use in certificate.capped if "warranty" in use.label)
    assert use.most == 25.0
    assert use.mean == pytest.approx(
        certificate.battery_cycles_per_yr / build_case(asked).case.eta_discharge, rel=1e-9
    )
    assert not certificate.permits_kept
    assert "full cycles of the battery's cells under warranty" in str(certificate)
    life = life_of(used_up.battery, asked.finance, 30.0, certificate.battery_duty, 20, "augment")
    assert not life.warranty_kept
    assert life.duty.full_cycles_per_yr == pytest.approx(use.mean, rel=0.02)  # one and the same count
    with pytest.raises(sd.InputError, match=r"battery_cycles_per_yr: got 'guaranty'.*or 'warranty'"):
        asked.replace(limits={"battery_cycles_per_yr": "guaranty"})


def test_an_emergency_engine_may_run_so_long_and_no_longer() -> None:
    """Its own limit or the study's, whichever is less; prime power has none of its own."""

    def hours(**limits: Any) -> list[float | None]:
        asked = sd.Study(site=SITE, racks=30, uptime=0.9, weather_years=1,
                         backup=["diesel", "diesel_standby"], limits=limits)  # fmt: skip
        return [item.run_h_limit for item in build_case(asked).case.backup]

    assert hours() == [None, 50.0]
    assert hours(run_h={"diesel": 500, "diesel_standby": 200}) == [500.0, 50.0]
    assert hours(run_h={"diesel_standby": 20}) == [None, 20.0]
    with pytest.raises(sd.InputError, match=r"limits.run_h.diesle: got 'diesle'.*Did you mean 'diesel'"):
        hours(run_h={"diesle": 20})
    with pytest.raises(sd.InputError, match=r"run_h.*9000"):
        hours(run_h={"diesel": 9000})


def test_an_answer_names_the_limits_of_a_year() -> None:
    limits = {"nox_t_per_yr": 9, "night_h": {"diesel": 20}, "battery_cycles_per_yr": "warranty"}
    design = make_design(
        years=1,
        racks=7,
        backup=["diesel"],
        units=(1,),
        solar_mw=5.0,
        battery_mwh=9.0,
        uptime=0.5,
        limits=limits,
    )
    said = " ".join(str(design).split())
    assert "limits a year on NOx, hours of noise at night and cycles of the battery" in said


@pytest.mark.slow
def test_a_certified_plant_is_heard_at_night_no_longer_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less than half as long as the free one, with a larger battery, and for more."""
    effort = Effort(
        years=4, draws=1, evaluations=40, iterations=2, certificate_years=8, certificate_draws=1,
        certificates=4, cause_years=0, explains=False,
    )  # fmt: skip
    monkeypatch.setitem(EFFORTS, "screening", effort)
    # For far fewer racks one turbine is too large, and none is built at all
    asked = sd.Study(site=SITE, racks=120, uptime=0.99, backup="mobile_gt", weather_years=1)
    free, quiet = (
        sd.solve(asked.replace(limits=limits), effort="screening") for limits in ({}, {"site_night_h": 120})
    )
    assert free.certificate.site_night_on_h_per_yr > 240
    assert 0 < quiet.certificate.site_night_on_h_per_yr <= 120
    assert quiet.certificate.permits_kept
    assert quiet.certificate.met
    assert quiet.cost > free.cost
    assert quiet.battery_mwh > free.battery_mwh
    assert "hours of noise at night" in quiet.bound_name
