"""Spare racks that share the work: less load for the same throughput, and a count that is proven."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

import sitedesign as sd
from sitedesign import library
from sitedesign.case.build import build_case, it_mw_at_work
from sitedesign.case.throttling_tiers import hull_of, most_useful_rack_ratio, shared_tiers, throttle_tiers
from sitedesign.foresight.rack_count import best_rack_count, most_racks_to_consider
from sitedesign.optimize.benders import solve_cuts

CURVE = library.rack("gb200_nvl72").curve_default
SITE = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")


def throughput(tiers, power: float) -> float:
    """Throughput kept at a share of the load, by the tiers."""
    left, kept = 1.0 - power, 1.0
    for tier in tiers:
        taken = min(left, tier.width)
        kept, left = kept - taken * tier.weight, left - taken
    return kept


# Tiers ------------------------------------------------------------------------------------------------------


def test_as_many_racks_as_contracted_change_nothing() -> None:
    load, tiers = shared_tiers(CURVE, 0.016, 0.6, 1.0)
    assert load == pytest.approx(1.0)
    for mine, plain in zip(tiers, throttle_tiers(CURVE, 0.016, 0.6), strict=True):
        assert (mine.width, mine.weight) == pytest.approx((plain.width, plain.weight))


def test_full_work_of_more_racks_by_hand() -> None:
    # 1/0.975 as many racks give all of the throughput at power 0.92 each: 0.92 / 0.975 of the load.
    load, tiers = shared_tiers(CURVE, 0.0, 0.6, 1 / 0.975)
    assert load == pytest.approx(0.92 / 0.975)
    # The next segment of the curve costs 0.045 of throughput for 0.08 of power, of each of the racks.
    assert tiers[0].width == pytest.approx(0.08 / 0.92)
    assert tiers[0].weight == pytest.approx(0.045 / 0.975 / (0.08 / 0.92))
    # A tenth of the load, the cooling overhead, does not fall with the racks.
    assert shared_tiers(CURVE, 0.1, 0.6, 1 / 0.975)[0] == pytest.approx(0.1 + 0.9 * 0.92 / 0.975)


@pytest.mark.parametrize("rack_ratio", [1.0, 1.01, 1.1, 1.2, 1.5])
def test_shared_work_is_the_perspective_of_the_curve(rack_ratio: float) -> None:
    powers, works = np.array(hull_of(CURVE, 0.6)[::-1]).T
    load, tiers = shared_tiers(CURVE, 0.0, 0.6, rack_ratio)
    assert sum(tier.width for tier in tiers) == pytest.approx(1.0)
    assert sum(tier.width * tier.weight for tier in tiers) == pytest.approx(1.0)
    assert all(a.weight <= b.weight + 1e-12 for a, b in itertools.pairwise(tiers))
    for power in np.linspace(0.0, load, 23):
        expected = min(1.0, rack_ratio * float(np.interp(power / rack_ratio, powers, works)))
        assert throughput(tiers, power / load) == pytest.approx(expected, abs=1e-9)


def test_more_racks_save_power_up_to_the_knee() -> None:
    knee = most_useful_rack_ratio(CURVE, 0.6)
    assert knee == pytest.approx(1 / 0.78)
    loads = [shared_tiers(CURVE, 0.0, 0.6, rack_ratio)[0] for rack_ratio in (1.0, 1.1, 1.2, knee, 2.0)]
    assert loads[0] > loads[1] > loads[2] > loads[3]
    assert loads[3] == pytest.approx(loads[4]) == pytest.approx(0.68 / 0.78)


def test_a_curve_that_does_not_bend_has_nothing_to_share() -> None:
    straight = ((1.0, 1.0), (0.27, 0.0))
    assert shared_tiers(straight, 0.0, 0.6, 1.3)[0] == pytest.approx(1.0)
    assert most_useful_rack_ratio(straight, 0.6) == 1.0


# The count --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_count_against_every_count(seed: int) -> None:
    rng = np.random.default_rng(seed)
    low, high, rack = 10, 60, float(rng.choice([0.0, 0.3, 1.0, 5.0]))
    plant = 100 + np.cumsum(rng.exponential(1.0, high - low + 1))[::-1]  # falls with the count, not convexly
    first_possible = int(rng.integers(10, 30))
    asked = []

    def price(racks: int) -> tuple[float, float] | None:
        asked.append(racks)
        cost = float(plant[racks - low]) + (racks - low) * rack
        return None if racks < first_possible else (cost, cost)

    found = best_rack_count(price, low, high, rack, 1e-9)
    costs = [plant[r - low] + (r - low) * rack for r in range(first_possible, high + 1)]
    assert found is not None
    assert found.cost_usd_per_yr == pytest.approx(min(costs))
    assert found.bound_usd_per_yr == pytest.approx(min(costs), rel=1e-8)
    assert len(asked) == len(set(asked))
    assert best_rack_count(lambda _: None, low, high, rack, 1e-9) is None


def test_free_racks_are_asked_about_once() -> None:
    asked = []

    def price(racks: int) -> tuple[float, float]:
        asked.append(racks)
        return 100.0 - racks, 100.0 - racks

    best = best_rack_count(price, 10, 60, 0.0, 1e-6)
    assert best is not None
    assert (best.racks, asked) == (60, [60])


def test_counts_worth_considering() -> None:
    assert most_racks_to_consider(100, 1.0, 1.28, 50.0, 0.0) == 128  # free, until nothing more is saved
    assert most_racks_to_consider(100, 1.0, 1.28, 50.0, 5.0) == 110  # more cost more than the whole plant
    assert most_racks_to_consider(100, 0.5, 1.28, 50.0, 0.0) == 256


# The case ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def study() -> sd.Study:
    weather = sd.Weather.generate(SITE, years=2, seed=3)
    more = {"metric": "compute", "spares": "share", "backup": "recip_fast"}
    return sd.Study(site=SITE, racks=70, uptime=0.98, weather=weather, **more)


def test_fixed_count_of_sharing_racks_lowers_the_load(study: sd.Study) -> None:
    standby = build_case(study.replace(spares="standby")).case
    shared = build_case(study.with_racks(77))
    rack_ratio = 77 * study.rack.availability / 70
    fixed = 0.35 * (1 - 1 / 1.047)
    load, _ = shared_tiers(CURVE, fixed, 0.6, rack_ratio)
    np.testing.assert_allclose(shared.case.load_mw, standby.load_mw * load, rtol=1e-3)
    assert (shared.case.racks_min, shared.case.racks_max) == (77, 77)
    assert "All 77 racks share the work" in shared.notes[0]
    rack_share = shared_tiers(CURVE, 0.0, 0.6, rack_ratio)[0]
    assert it_mw_at_work(shared.study, shared.weather) == pytest.approx(8.82 * rack_share, rel=1e-6)


def test_count_is_kept_whatever_it_costs(study: sd.Study) -> None:
    case = build_case(study.replace(spares="standby", limits={"racks": (73, 75)})).case
    assert solve_cuts(case).plant.racks == 73
    assert solve_cuts(replace(case, rack_cost_usd_per_yr=0.0, racks_min=75)).plant.racks == 75


def test_sharing_needs_throttling(study: sd.Study) -> None:
    with pytest.raises(sd.InputError, match=r"study\.spares: got 'share'; needs metric='compute'"):
        study.replace(metric="rack")


# The design -------------------------------------------------------------------------------------------------


def priced(study: sd.Study, usd: float) -> sd.Study:
    return study.replace(rack=study.rack.replace(price_usd=usd))


def test_free_spares_are_installed_and_run_slower(study: sd.Study) -> None:
    cheap = priced(study, 10_000.0)  # the least that the library takes
    standby, shared = (sd.solve(cheap.replace(spares=way), certify=False) for way in ("standby", "share"))
    assert standby.racks < 75
    assert shared.racks > 80
    assert shared.load_mwh_per_yr < 0.93 * standby.load_mwh_per_yr
    assert shared.cost < 0.95 * standby.cost
    assert shared.kwh_per_rack_h < 0.93 * standby.kwh_per_rack_h
    assert shared.uptime.value >= 0.98 - 1e-6
    assert "share the work" in " ".join(repr(shared).split())


def test_count_of_sharing_racks_against_every_count(study: sd.Study) -> None:
    cheap = priced(study, 200_000.0)
    best = sd.solve(cheap, certify=False)
    costs = {racks: sd.solve(cheap.with_racks(racks), certify=False).cost for racks in range(70, 84)}
    assert best.cost == pytest.approx(min(costs.values()), rel=2e-4)
    assert min(costs, key=lambda racks: costs[racks]) not in (70, 83)  # neither end of the scan
    assert best.bound <= min(costs.values())
    assert best.gap <= 1e-4 + 1e-9


def test_dear_spares_are_not_bought_to_run_slower(study: sd.Study) -> None:
    shared, standby = (sd.solve(study.replace(spares=way), certify=False) for way in ("share", "standby"))
    assert shared.racks == standby.racks == 70
    assert shared.cost == pytest.approx(standby.cost, rel=2e-4)


def test_plant_with_sharing_racks_can_be_operated(study: sd.Study) -> None:
    plant = {"solar_mw": 30, "battery_mwh": 60, "battery_mw": 10, "backup": {"recip_fast": 1}}
    few = sd.evaluate(study, **plant, racks=70)
    many = sd.evaluate(study, **plant, racks=77)
    assert many.load_mwh_per_yr < few.load_mwh_per_yr
    assert many.uptime.value > few.uptime.value
    assert many.water_m3_per_yr < few.water_m3_per_yr
