"""Units that stand by: what the plan must do without, in both formulations, in search and checks."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import sitedesign as sd
from sitedesign.case.build import build_case
from sitedesign.case.case import Case
from sitedesign.case.plant import Plant
from sitedesign.certified.environment import environment_of
from sitedesign.certified.evaluator import Evaluator
from sitedesign.certified.scenario_years import weather_block
from sitedesign.errors import InfeasibleDesign
from sitedesign.operation.state import Controller
from sitedesign.optimize.benders import solve_cuts
from sitedesign.optimize.extensive_form import solve_extensive
from sitedesign.reliability.limit_check import used_spares
from sitedesign.reliability.replay import fixed_cost_usd_per_yr
from sitedesign.study.effort import EFFORTS
from tests import cases, small_cases

SITE = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")


def study(**changes: object) -> sd.Study:
    question = {"site": SITE, "racks": 70, "uptime": 0.99, "weather_years": 1, "backup": ["recip_fast"]}
    return sd.Study(**question | changes)


def with_spares(case: Case, spare: int) -> Case:
    """The same case with alike units, of which so many must be done without."""
    alike = tuple(
        dataclasses.replace(item, capability=item.capability[:1], units_max=item.units_max + spare)
        for item in case.backup
    )
    return cases.limited(dataclasses.replace(case, backup=alike), n_plus=spare)


def least(method: str, case: Case) -> tuple[float, float]:
    """Bound and cost, infinite where no plant is possible."""
    try:
        found = small_cases.METHODS[method](case)
    except InfeasibleDesign:
        return np.inf, np.inf
    return found.bound_usd_per_yr, found.objective_usd_per_yr


@pytest.mark.parametrize("seed", range(0, 24, 2))
def test_both_formulations_agree(seed: int) -> None:
    case = with_spares(small_cases.study(seed), 1 + seed % 3)
    cuts, extensive = least("cuts", case), least("extensive", case)
    slack = 1e-5 * abs(extensive[1]) + 1e-3 if np.isfinite(extensive[1]) else 0.0
    assert cuts[0] <= extensive[1] + slack
    assert extensive[0] <= cuts[1] + slack


@pytest.mark.parametrize("method", ["cuts", "extensive"])
def test_the_plan_works_without_them_and_pays_for_them(method: str) -> None:
    solve = {"cuts": solve_cuts, "extensive": solve_extensive}[method]
    case = with_spares(small_cases.study(4), 1)
    found = solve(case, gap=1e-5)
    assert any(found.plant.units)
    less = tuple(max(n - 1, 0) for n in found.plant.units)
    held = tuple(
        dataclasses.replace(item, units_min=n, units_max=n) for item, n in zip(case.backup, less, strict=True)
    )
    without = solve_cuts(dataclasses.replace(cases.limited(case, n_plus=0), backup=held), gap=1e-5)
    extra = sum(
        item.annual_cost_usd_per_unit for item, n in zip(case.backup, found.plant.units, strict=True) if n
    )
    assert found.objective_usd_per_yr == pytest.approx(without.objective_usd_per_yr + extra, rel=1e-4)
    assert found.dispatch is not None
    assert not used_spares(case, found.plant, found.dispatch.backup_mw)
    running = sum(
        level * mwh
        for level, mwh in zip(
            [b.marginal_cost_usd_per_mwh for b in case.backup], found.backup_mwh_per_yr, strict=True
        )
    )
    whole = fixed_cost_usd_per_yr(case, found.plant) + running + found.lost_value_usd_per_yr
    assert found.objective_usd_per_yr == pytest.approx(whole, rel=1e-6)


def test_a_dispatch_that_uses_them_is_found_out() -> None:
    case = with_spares(small_cases.study(4), 1)
    count = len(case.backup)
    plant = Plant((1.0,), 1.0, 1.0, (2,) * count, 10)
    one = np.array([item.unit_mw * item.capability[0] for item in case.backup])
    assert not used_spares(case, plant, one)
    assert "beyond the units that may be used" in used_spares(case, plant, 1.5 * one)[0]


def test_more_spares_cost_more_and_a_plant_without_units_needs_none() -> None:
    costs = [sd.solve(study(limits={"n_plus": n}), certify=False) for n in (0, 1, 2)]
    assert costs[0].cost < costs[1].cost < costs[2].cost
    assert costs[1].backup["recip_fast"] >= 2
    sun = [
        sd.solve(study(backup=[], uptime=0.9, limits=limits), certify=False) for limits in ({}, {"n_plus": 2})
    ]
    assert sun[0].cost == sun[1].cost


def test_a_limit_on_units_holds_for_all_of_them() -> None:
    design = sd.solve(study(limits={"n_plus": 1, "units": {"recip_fast": (0, 2)}}), certify=False)
    assert design.backup["recip_fast"] <= 2
    with pytest.raises(sd.InputError, match="must be 0, or more than the 2 that stand by"):
        study(limits={"n_plus": 2, "units": {"recip_fast": (1, 4)}})
    with pytest.raises(sd.InputError, match="n_plus"):
        study(limits={"n_plus": 0.5})


def test_an_operator_must_do_without_them_as_well() -> None:
    study_case = build_case(study(limits={"n_plus": 1}))
    evaluator = Evaluator([weather_block(study_case)], environment_of(study_case), "rack", 0)
    unit_mw, peak = study_case.case.backup[0].unit_mw, float(study_case.case.load_mw.max())
    enough = int(np.ceil(1.1 * peak / unit_mw))
    lost = [
        evaluator.lost_without_spares(Plant((0.0,), 0.0, 0.0, (count,), 73), Controller())
        for count in (0, enough, enough + 1)
    ]
    assert lost[0] == 0.0  # nothing stands by where there are no units
    assert lost[1] > 0 or enough * unit_mw > peak + 1.1 * unit_mw
    assert lost[2] == 0.0
    few = Plant((0.0,), 0.0, 0.0, (2,), 73)
    assert evaluator.lost_without_spares(few, Controller()) > 1000.0
    assert evaluator.estimate(few, Controller()).excess_mwh_per_yr > 1000.0


@pytest.mark.slow
def test_a_certified_plant_keeps_its_spares() -> None:
    short = dataclasses.replace(EFFORTS["screening"], years=10, evaluations=25, certificate_years=40)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(EFFORTS, "screening", short)
        plain, spared = (sd.solve(study(limits=limits), effort="screening") for limits in ({}, {"n_plus": 2}))
    assert spared.certificate is not None
    assert spared.certificate.met
    assert spared.cost > plain.cost
    study_case = build_case(study(limits={"n_plus": 2}))
    evaluator = Evaluator([weather_block(study_case)], environment_of(study_case), "rack", 0)
    plant = Plant(
        (spared.solar_mw,),
        spared.battery_mwh,
        spared.battery_mw,
        (spared.backup["recip_fast"],),
        spared.racks,
    )
    assert evaluator.lost_without_spares(plant, spared.certificate.controller) == 0.0
