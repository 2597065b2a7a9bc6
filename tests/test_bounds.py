"""Derived bounds: by hand, and never below what an optimum uses."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import sitedesign as sd
from sitedesign.case.build import build_case
from sitedesign.case.capacity_bounds import battery_upper_mwh, capacity_bounds, solar_upper_mw, units_max
from sitedesign.case.case import Case
from sitedesign.certified.certified_design import _divisible_bound
from sitedesign.errors import InfeasibleDesign
from sitedesign.foresight.plan import foresight_design
from sitedesign.optimize.extensive_form import solve_extensive
from sitedesign.util.progress import silent
from tests.cases import sunny_years
from tests.strategies import small_cases


def test_units_carry_the_peak_at_their_worst_derating() -> None:
    assert units_max(100.0, 11.0, np.array([1.0, 0.9, 0.95])) == 11  # 100 / 9.9 = 10.1
    assert units_max(100.0, 10.0, np.ones(3)) == 10  # not 11 by rounding
    assert units_max(100.0, 10.0, np.array([0.0, 1.0])) == 10  # steps without fuel are no reason for more
    assert units_max(100.0, 10.0, np.zeros(2)) == 0


def test_solar_of_the_darkest_day() -> None:
    """Days of 2, 4 and 8 h of full sun, 240 MWh each, losses of 20 %: 240 / 2 / 0.8 = 150 MW."""
    sun = np.zeros(72)
    sun[8:10], sun[32:36], sun[56:64] = 1.0, 1.0, 1.0
    assert solar_upper_mw(sun, np.full(72, 10.0), 1.0, 0.8) == pytest.approx(150.0)


def test_solar_with_a_sunless_day_looks_at_longer_stretches() -> None:
    sun = np.zeros(96)
    sun[32:40], sun[80:88] = 1.0, 1.0  # every second day: 48 h, 480 MWh, 8 h of sun
    assert solar_upper_mw(sun, np.full(96, 10.0), 1.0, 1.0) == pytest.approx(60.0)


def test_no_sun_no_solar_and_a_battery_of_one_day() -> None:
    bounds = capacity_bounds(np.zeros(48), np.full(48, 10.0), 1.0, 0.8, 1.0)
    assert bounds.solar_mw == 0.0
    assert bounds.battery_mwh == pytest.approx(300.0)


def test_seasonal_store_by_hand() -> None:
    """Half a (short) year of sun, half of dark, no losses: S = 2 x load, all of the dark half is stored."""
    sun = np.repeat([1.0, 0.0], 100)
    assert battery_upper_mwh(sun, np.full(200, 10.0), 1.0, 1.0, 1.0) == pytest.approx(1000.0)


def test_power_reaches_what_the_largest_array_gives() -> None:
    sun, load = sunny_years(), np.full(8760, 100.0)
    bounds = capacity_bounds(sun, load, 1.0, 0.9, 0.95)
    assert bounds.battery_mw == pytest.approx(bounds.solar_mw * sun.max() - 100.0)
    assert 1000 < bounds.solar_mw < 20000
    assert bounds.battery_mwh > 2400


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(small_cases(limited=False))
def test_no_optimum_of_wide_limits_leaves_the_derived_bound_of_units(c: Case) -> None:
    peak = float(c.load_mw.max())
    alike = tuple(
        dataclasses.replace(b, units_min=0, units_max=units_max(peak, b.unit_mw, b.capability) + 3)
        for b in c.backup
        if len(b.capability) == 1
    )
    try:
        s = solve_extensive(dataclasses.replace(c, backup=alike), gap=1e-6, explain_infeasible=False)
    except InfeasibleDesign:
        return
    for b, n in zip(alike, s.plant.units, strict=True):
        assert n <= b.units_max - 3


def test_the_bound_of_units_that_may_be_cut_is_the_same_from_the_cuts_of_whole_ones() -> None:
    study = sd.Study(
        site=sd.Site(latitude=31.76, longitude=-106.49), racks=70, uptime=0.99, backup="recip_medium",
        weather_years=3,
    )  # fmt: skip
    whole = foresight_design(build_case(study), "cuts", 1e-4, None, silent)
    assert whole.cuts is not None
    assert whole.design is not None
    before = whole.cuts.count
    alone, from_cuts = (_divisible_bound(whole.study_case, cuts) for cuts in (None, whole.cuts))
    assert from_cuts == pytest.approx(alone, rel=2e-4)
    assert from_cuts < whole.design.bound * 0.999  # one engine more or less is not nothing
    assert whole.cuts.count == before > 0  # cuts of other units are another pool
