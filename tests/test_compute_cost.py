"""What uptime is worth buying: the ratio against a scan, its bound, and one price against a scan."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import sitedesign as sd
from sitedesign.case.case import Case
from sitedesign.case.rack_shortfall import expected_shortfall
from sitedesign.foresight.compute_cost import (
    CheapestCompute,
    cheapest_compute,
    delivered_rack_h_per_yr,
    with_lost_compute,
)
from sitedesign.optimize import parametric
from sitedesign.optimize.benders import solve_cuts
from tests.slow_rest import slow_after
from tests.small_cases import random_case

SUNK = 6e6  # ten racks and their hall [USD/yr]
SITE = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
GAP = 1e-5


def case_of(seed: int) -> Case:
    """Racks that break, three tiers, two technologies, a day of 10 MW in steps that stand for a year."""
    case = random_case(np.random.default_rng(seed), steps=48, ties=False)
    all_of_it = sum(tier.width * tier.weight for tier in case.tiers)  # a dark site loses all, and no more
    tiers = [replace(tier, weight=tier.weight / all_of_it) for tier in case.tiers]
    return replace(
        case,
        step_h=8760 / 48,
        racks_max=16,
        rack_availability=0.97,
        uptime_target=0.0,
        tiers=tuple(sorted(tiers, key=lambda tier: tier.weight)),
    )


def scan(case: Case, targets: np.ndarray) -> list[tuple[float, float]]:
    """Plant cost and rack-hours delivered of the cheapest plant at each uptime that is possible."""
    points = parametric.frontier(case, "uptime", targets.tolist(), gap=GAP)
    return [
        (point.sizing.objective_usd_per_yr, delivered_rack_h_per_yr(case, point.sizing))
        for point in points
        if point.sizing is not None
    ]


def solved(case: Case, **more: float) -> CheapestCompute:
    return cheapest_compute(case, SUNK, gap=GAP, targets=(), **more)


@pytest.mark.parametrize("seed", slow_after(1, range(4)))
def test_no_uptime_of_a_scan_gives_cheaper_compute(seed: int) -> None:
    case = case_of(seed)
    answer = solved(case)
    targets = np.append(np.linspace(0.3, 0.999, 40), answer.uptime - 1e-9)
    ratios = [(SUNK + cost) / hours for cost, hours in scan(case, targets) if hours > 0]
    assert min(ratios) >= answer.cost.bound_usd_per_rack_h * (1 - 1e-9)
    assert answer.cost.usd_per_rack_h <= min(ratios) * (1 + 2 * GAP)
    # the chosen one is in the scan
    assert answer.cost.usd_per_rack_h == pytest.approx(min(ratios), rel=2 * GAP)
    assert 0 <= answer.cost.gap <= GAP


def test_ratio_is_that_of_the_plant() -> None:
    case = case_of(1)
    answer = solved(case)
    lost = answer.sizing.lost_mwh_per_yr / case.load_mwh_per_yr
    short = float(expected_shortfall(10, answer.sizing.plant.racks, 0.97))
    hours = 10 * 8760 * (1 - lost - short)
    assert answer.cost.usd_per_rack_h == pytest.approx((SUNK + answer.plant_cost_usd_per_yr) / hours)
    assert answer.uptime == pytest.approx(1 - lost - short)
    # At the fixed point the price of lost compute is the cost of delivered compute.
    assert answer.cost.lost_compute_usd_per_rack_h == pytest.approx(answer.cost.usd_per_rack_h, rel=2e-3)


@pytest.mark.parametrize("price", slow_after(1, [60.0, 20.0, 200.0]))
def test_a_price_on_lost_compute_balances_plant_and_loss(price: float) -> None:
    case = case_of(2)
    answer = solved(case, lost_compute_usd_per_rack_h=price)
    mine = answer.plant_cost_usd_per_yr - price * delivered_rack_h_per_yr(case, answer.sizing)
    targets = np.append(np.linspace(0.3, 0.999, 40), answer.uptime - 1e-9)
    best = min(cost - price * hours for cost, hours in scan(case, targets))
    scale = answer.sizing.objective_usd_per_yr
    assert mine <= best + 2 * GAP * scale
    assert mine >= best - 2 * GAP * scale
    assert answer.cost.bound_usd_per_rack_h is None


def test_dearer_lost_compute_buys_more_uptime() -> None:
    case = case_of(2)
    kept = [solved(case, lost_compute_usd_per_rack_h=price).uptime for price in (5.0, 50.0, 500.0)]
    assert kept[0] <= kept[1] + 1e-6 <= kept[2] + 2e-6
    assert kept[0] < kept[2]


def test_dearer_racks_buy_more_uptime() -> None:
    case = case_of(0)
    cheap, dear = (cheapest_compute(case, sunk, gap=GAP, targets=()) for sunk in (1e6, 3e7))
    assert cheap.uptime < dear.uptime


def test_a_floor_is_kept() -> None:
    case = case_of(3)
    free = solved(case)
    floor = 0.5 * (1 + free.uptime)
    kept = solved(replace(case, uptime_target=floor))
    assert kept.uptime >= floor - 1e-6
    assert kept.cost.usd_per_rack_h >= free.cost.usd_per_rack_h * (1 - 2 * GAP)


def test_curve_passes_above_the_chosen_point() -> None:
    case = case_of(1)
    answer = cheapest_compute(case, SUNK, gap=GAP, targets=(0.5, 0.8, 0.9, 0.97, 0.99))
    points = answer.cost.curve
    assert len(points) >= 3
    assert all(point.usd_per_rack_h >= answer.cost.usd_per_rack_h * (1 - 2 * GAP) for point in points)
    plants = [point.plant_usd_per_yr for point in points]
    assert plants == sorted(plants)


def test_price_per_rack_hour_is_a_price_per_share_of_the_load() -> None:
    case = case_of(0)
    priced = with_lost_compute(case, 100.0)
    # losing all of the load for a year loses all rack-hours
    assert priced.lost_value_usd_per_mwh * case.load_mwh_per_yr == pytest.approx(100.0 * 10 * 8760)


# Racks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_rack_count_against_every_count(seed: int) -> None:
    """Failures of R racks take e(R) of the budget: solve for each R as if racks never failed."""
    case = replace(case_of(seed), uptime_target=0.97, rack_cost_usd_per_yr=2e4)
    best = solve_cuts(case, gap=GAP)
    costs = {}
    for racks in range(10, 17):
        short = float(expected_shortfall(10, racks, 0.97))
        if case.uptime_target + short >= 1:
            continue
        fixed = replace(case, racks_max=10, rack_availability=1.0, uptime_target=case.uptime_target + short)
        costs[racks] = solve_cuts(fixed, gap=GAP).objective_usd_per_yr + (racks - 10) * 2e4
    assert best.objective_usd_per_yr == pytest.approx(min(costs.values()), rel=3 * GAP)
    assert costs[best.plant.racks] == pytest.approx(min(costs.values()), rel=3 * GAP)
    assert len(costs) >= 6


# The whole way --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def study() -> sd.Study:
    weather = sd.Weather.generate(SITE, years=2, seed=3)
    return sd.Study(site=SITE, racks=70, objective="compute_cost", backup="recip_fast", weather=weather)


@pytest.fixture(scope="module")
def design(study: sd.Study) -> sd.Design:
    return sd.solve(study, certify=False)


def test_study_without_an_uptime_gets_one(design: sd.Design) -> None:
    chosen = design.compute_cost
    assert chosen is not None
    assert 0.9 < chosen.uptime < 1
    assert design.uptime_target == pytest.approx(chosen.uptime, abs=1e-6)
    assert design.metrics.rack.value == pytest.approx(chosen.uptime, abs=1e-6)
    assert design.usd_per_rack_h == pytest.approx(chosen.usd_per_rack_h, rel=1e-6)
    assert design.cost == pytest.approx(design.objective_usd_per_yr, rel=1e-6)  # the value of loss is no cost
    assert design.bound <= design.objective_usd_per_yr
    assert design.gap < 1e-3
    text = dict(design.summary())
    assert f"{chosen.usd_per_rack_h:,.3f} USD/rack-h (bound" in text["uptime bought"]
    assert "at 0.999" in text["other uptimes"]


def test_design_at_the_chosen_uptime_is_the_cheapest_of_its_uptime(
    study: sd.Study, design: sd.Design
) -> None:
    plain = sd.solve(study.replace(objective="cost", uptime=design.uptime_target), certify=False)
    assert plain.cost == pytest.approx(design.cost, rel=3e-4)
    assert design.bound <= plain.cost * (1 + 1e-9)


def test_answer_survives_a_file(design: sd.Design) -> None:
    again = sd.Design.from_dict(json.loads(json.dumps(design.to_dict())))
    assert again == design
    assert sd.Study(**{k: v for k, v in again.study.items() if k != "weather"}).objective == "compute_cost"


def test_hour_by_hour_model_does_not_price_compute(study: sd.Study) -> None:
    with pytest.raises(sd.InputError, match="'extensive' with objective='compute_cost'"):
        sd.solve(study, method="extensive")


# Power paths ----------------------------------------------------------------------------------------------


def test_path_is_the_better_of_two_separate_designs(study: sd.Study) -> None:
    asked = study.replace(objective="cost", uptime=0.99, min_renewable_share=0.5)
    both = sd.solve(asked.replace(pv=["tracker_ac", "fixed_dc"]), certify=False)
    ac = sd.solve(asked, certify=False)
    dc = sd.solve(asked.replace(pv="fixed_dc", battery="lfp_dc"), certify=False)
    better, other = sorted((ac, dc), key=lambda item: item.cost)
    assert both.cost == better.cost
    assert both.study["pv"]["name"] == better.study["pv"]["name"]
    assert both.bound == min(ac.bound, dc.bound)
    (alternative,) = both.alternatives
    assert (alternative.cost_usd_per_yr, alternative.bound_usd_per_yr) == (other.cost, other.bound)
    assert alternative.name.startswith(other.study["pv"]["name"])
    assert alternative.name in dict(both.summary())["other path"]


def test_path_that_cannot_do_it_is_named(study: sd.Study) -> None:
    slow = sd.library.pv("fixed_dc").replace(lead_months=100)
    asked = study.replace(objective="cost", uptime=0.9, backup=[], limits={"months_to_power": 20})
    design = sd.solve(asked.replace(pv=["tracker_ac", slow]), certify=False)
    (alternative,) = design.alternatives
    assert alternative.cost_usd_per_yr is None
    assert alternative.reason
    with pytest.raises(sd.InfeasibleDesign):
        sd.solve(asked.replace(pv=[slow, slow.replace(life_yr=20)]), certify=False)
