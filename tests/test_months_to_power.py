"""Months to power are those of what is built: in the bound, in the plant's cost, in what is shown.

The yardstick is a second formulation of the whole problem (:mod:`tests.independent_milp`), and plants that
exist: no proven bound may lie above one of them.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import sitedesign as sd
from sitedesign.case.build import build_case
from sitedesign.case.case import NOTHING, Case
from sitedesign.case.plant import Plant, slowest_lead
from sitedesign.case.plant_limits import units_allowed
from sitedesign.components.lead_times import backup_months, hall_months
from sitedesign.errors import InfeasibleDesign
from tests.hand_cases import night
from tests.independent_milp import least_cost_usd
from tests.slow_rest import slow_after
from tests.small_cases import METHODS, study

EL_PASO = sd.Site(latitude=31.76, longitude=-106.49)


def hurried(seed: int) -> Case:
    """A small study in which every month costs and every technology used, at all sorts of lead times."""
    rng, case = np.random.default_rng(10_000 + seed), study(seed)
    return dataclasses.replace(
        case,
        delay_cost_usd_per_month_yr=float(rng.choice([5.0, 30.0, 200.0])),
        resources=case.with_resource(lead_months=float(rng.choice([6, 14]))).resources,
        battery_lead_months=float(rng.choice([3, 12])),
        backup=tuple(
            dataclasses.replace(
                item,
                lead_months=float(rng.choice([2, 9, 30])),
                site_cost_usd_per_yr=float(rng.choice([0.0, 300.0, 3000.0])),
            )
            for item in case.backup
        ),
    )


def some_plants(case: Case, best: Plant, rng: np.random.Generator) -> list[Plant]:
    """Plants around the best one and far from it; many without array or battery, which arrive late."""
    plants = []
    for _ in range(4):
        units = tuple(int(rng.integers(item.units_min, item.units_max + 1)) for item in case.backup)
        scale = rng.choice([0.0, 1.0, 1.5], 2)
        plants.append(
            Plant(
                (float(scale[0] * best.solar_mw),),
                float(scale[1] * best.battery_mwh),
                float(scale[1] * best.battery_mw),
                tuple(max(a, b) for a, b in zip(units, best.units, strict=True)),
                best.racks,
            )
        )
    return plants


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", slow_after(4, range(24)))
def test_both_formulations_find_what_a_third_finds(seed: int, method: str) -> None:
    case = hurried(seed)
    truth = least_cost_usd(case)
    if truth is None:
        with pytest.raises(InfeasibleDesign):
            METHODS[method](case)
        return
    found = METHODS[method](case)
    assert found.bound_usd_per_yr <= truth * (1 + 1e-6)
    assert found.objective_usd_per_yr == pytest.approx(truth, rel=3e-5)


@pytest.mark.parametrize("seed", slow_after(5, range(16)))
def test_no_plant_that_exists_costs_less_than_the_bound(seed: int) -> None:
    case, rng = hurried(seed), np.random.default_rng(seed)
    try:
        found = METHODS["cuts"](case)
    except InfeasibleDesign:
        return
    # The plants tried keep within the capacities; their own land and durations are set aside
    wide = dataclasses.replace(case.limits, land_acres=None, min_duration_h=None, max_duration_h=None)
    case = dataclasses.replace(case, limits=wide)
    found = METHODS["cuts"](case)
    costs = [least_cost_usd(case, plant) for plant in some_plants(case, found.plant, rng)]
    own = least_cost_usd(case, dataclasses.replace(found.plant))
    assert own is None or own == pytest.approx(found.objective_usd_per_yr, rel=1e-5)
    assert all(cost is None or cost >= found.bound_usd_per_yr * (1 - 1e-6) for cost in costs)


@pytest.mark.parametrize("method", METHODS)
def test_fast_battery_and_slow_array_by_hand(method: str) -> None:
    """The night: 22.5 MW of sun and 25 MWh of battery, nothing else can serve it, so 14 months are paid.

    With no uptime asked for nothing is built, and nothing is paid although both may be built.
    """
    hurry = {"delay_cost_usd_per_month_yr": 1e5, "battery_lead_months": 9.0}
    case = dataclasses.replace(night().case.with_resource(lead_months=14.0), **hurry)
    found = METHODS[method](case)
    assert found.objective_usd_per_yr == pytest.approx(night().cost_usd + 14e5, rel=1e-6)
    idle = METHODS[method](dataclasses.replace(case, uptime_target=0.0))
    assert idle.objective_usd_per_yr == pytest.approx(0.0, abs=1.0)
    assert slowest_lead(case, idle.plant) == (0.0, "nothing")


def test_what_rounding_leaves_is_not_built() -> None:
    case = night().case
    assert slowest_lead(case, Plant((NOTHING,), NOTHING, 5.0, (), 10)) == (0.0, "nothing")
    assert slowest_lead(case, Plant((2 * NOTHING,), 0.0, 0.0, (), 10)) == (12.0, "solar array")


QUICK = {
    "site": sd.Site(latitude=31.76, longitude=-106.49), "racks": 100, "uptime": 0.999, "weather_years": 1,
    "backup": ["sofc"], "delay_cost_usd_per_month": 1e7, "certify": False,
}  # fmt: skip


def test_fewer_limits_never_cost_more_and_the_delay_is_that_of_the_plant() -> None:
    """Fuel cells alone come in 6 months; an array (14) and a battery (12) that may be built cost nothing."""
    free = sd.solve(**QUICK)
    tight = sd.solve(limits={"solar_mw": 0, "battery_mwh": 0}, **QUICK)
    landless = sd.solve(limits={"land_acres": 0, "battery_mwh": 0}, **QUICK)
    assert free.bound <= tight.cost * (1 + 1e-9)
    assert free.cost <= tight.cost * (1 + 1e-4)
    items = [{item.name: item.usd_per_yr for item in design.costs} for design in (free, tight, landless)]
    per_month = items[1]["delay"] / tight.months_to_power
    for design, costs in zip((free, tight, landless), items, strict=True):
        assert design.months_to_power == 6
        assert costs["delay"] == pytest.approx(per_month * 6)
        assert sum(costs.values()) == pytest.approx(design.objective_usd_per_yr, rel=1e-9)


@pytest.mark.parametrize(("place", "uptime"), [((31.76, -106.49), 0.9999), ((33.45, -112.07), 0.99)])
def test_no_battery_of_a_few_seconds_is_built(place: tuple[float, float], uptime: float) -> None:
    """Engines carry the night; within the gap a battery of 10 kWh is as good as none."""
    site = sd.Site(latitude=place[0], longitude=place[1])
    found = sd.solve(site=site, racks=200, uptime=uptime, weather_years=4, certify=False)
    assert found.gap <= 1e-4
    assert (found.battery_mwh, found.battery_mw, found.battery_containers) == (0.0, 0.0, 0)


# What the library's months are made of ----------------------------------------------------------------------


def made(backup: sd.library.Backup, **limits: float):
    return build_case(
        sd.Study(site=EL_PASO, racks=60, uptime=0.9, weather_years=1, backup=[backup], limits=limits)
    )


def test_an_air_permit_runs_beside_the_order_and_the_longer_counts():
    trailer = sd.library.backup("mobile_gt")
    assert (trailer.lead_months, trailer.air_permit_months) == (12, 9)
    assert made(trailer).case.backup[0].lead_months == 12
    assert made(trailer.replace(lead_months=3)).case.backup[0].lead_months == 9
    slow = made(trailer.replace(air_permit_months=18), months_to_power=14).case
    assert slow.backup[0].lead_months == 18
    assert units_allowed(slow, slow.backup[0]) == 0


def test_a_unit_too_large_for_the_bus_waits_for_its_transformer():
    schedule, frame = sd.library.schedule(), sd.library.backup("frame_gt")
    assert frame.unit_mw > schedule.generator_bus_mw
    assert backup_months(frame, schedule) == frame.lead_months == 60
    assert backup_months(frame.replace(lead_months=24), schedule) == schedule.generator_transformer_months
    small = frame.replace(lead_months=24, unit_mw=schedule.generator_bus_mw)
    assert backup_months(small, schedule) == 24


def test_the_hall_is_stated_and_not_counted():
    facility, schedule = sd.library.facility("dry_cooler"), sd.library.schedule()
    assert hall_months(facility, schedule) == facility.lead_months == 20
    assert hall_months(facility.replace(lead_months=8), schedule) == schedule.switchgear_months
    asked = {"site": EL_PASO, "racks": 60, "uptime": 0.9, "weather_years": 1, "certify": False}
    soon = sd.solve(**asked, backup=["mobile_gt"], limits={"months_to_power": 14})
    assert soon.months_to_power <= 14
    assert soon.hall_months == 20
    assert f"ready {20 - soon.months_to_power:.0f} months after first power" in str(soon.details)
    late = sd.solve(**asked, backup=["recip_medium"], limits={"solar_mw": 0, "battery_mwh": 0})
    assert late.months_to_power == 24
    assert "after first power" not in str(late.details)
    own = sd.solve(**asked, backup=["recip_medium"], limits={"solar_mw": 0, "battery_mwh": 0},
                   facility=facility.replace(lead_months=30))  # fmt: skip
    assert own.hall_months == 30
    assert own.months_to_power == 24
    assert "ready 6 months after first power" in str(own.details)
