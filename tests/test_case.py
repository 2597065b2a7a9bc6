"""Where the chain of weather years begins must not decide the design."""

from __future__ import annotations

import ast

import numpy as np
import pytest

import sitedesign as sd
from sitedesign.case.build import build_case
from sitedesign.case.case import Case
from sitedesign.case.plant import Plant
from sitedesign.case.plant_limits import clip_to_limits
from sitedesign.case.years import concat_years, cyclic_start_step, select_years, shift_start, with_series
from sitedesign.optimize.infeasibility import date_of_step
from sitedesign.reliability.limit_check import broken_limits
from tests.cases import sizes
from tests.conftest import ROOT
from tests.hub_cases import hub


@pytest.fixture(scope="module")
def case():
    site = sd.Site(latitude=31.76, longitude=-106.49)
    study = sd.Study(site=site, racks=70, uptime=0.99, backup="recip_fast", weather_years=2, seed=4)
    return build_case(study).case


def test_chain_begins_on_a_summer_afternoon(case) -> None:
    day, hour = divmod(cyclic_start_step(case), 24)
    assert 120 <= day <= 220
    assert 14 <= hour <= 18


def test_southern_summer_is_in_january() -> None:
    site = sd.Site(latitude=-26.2, longitude=28.0)
    day = cyclic_start_step(build_case(sd.Study(site=site, racks=7, uptime=0.9, weather_years=2)).case) // 24
    assert day > 240 or day < 90


def test_rolling_keeps_every_step(case) -> None:
    turned = shift_start(case, 5000)
    assert turned.resources[0].yield_mw_per_mw[0] == case.resources[0].yield_mw_per_mw[5000]
    assert turned.backup[0].capability[0, 0] == case.backup[0].capability[0, 5000]
    np.testing.assert_array_equal(np.roll(turned.load_mw, 5000), case.load_mw)


def test_dates_survive_the_roll(case) -> None:
    assert date_of_step(case, 5000) == date_of_step(shift_start(case, 5000), 0)
    assert date_of_step(case, 0) == "1 January of weather year 1"


def test_solar_and_battery_alone_can_meet_a_target() -> None:
    # Begun at midnight, the last evening would have to be shed to end with a full battery.
    site = sd.Site(latitude=31.76, longitude=-106.49)
    study = sd.Study(site=site, racks=70, uptime=0.999, backup=[], weather_years=2, seed=4)
    result = sd.evaluate(
        study, solar_mw=400, battery_mwh=900, battery_mw=300, racks=75, operation="foresight"
    )
    assert result.energy_mwh_per_yr["shed"] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("how", ["solve", "evaluate"])
def test_dispatch_with_foresight_is_back_in_calendar_order(how: str) -> None:
    # Sun and load of the table are in calendar order; a dispatch left turned would not balance with them.
    site = sd.Site(latitude=31.76, longitude=-106.49)
    study = sd.Study(
        site=site, racks=70, uptime=0.99, backup="recip_fast", weather_years=2, min_renewable_share=0.6
    )
    result = sd.solve(study, certify=False)
    if how == "evaluate":
        result = sd.evaluate(
            study,
            **sizes(result),
            operation="foresight",
        )
    d = result.dispatch
    given = d["solar_mw"] - d["curtailed_mw"] + d["discharge_mw"] - d["charge_mw"] + d["recip_fast_mw"]
    np.testing.assert_allclose(given + d["shed_mw"], d["load_mw"], atol=1e-5)
    night = d["solar_mw"].to_numpy() == 0
    assert d["curtailed_mw"].to_numpy()[night].max() == pytest.approx(0.0, abs=1e-5)


def test_tests_build_cases_in_one_place() -> None:
    """Whoever adds a field to a case finds one place in the tests that must know of it."""
    for file in sorted((ROOT / "tests").rglob("*.py")):
        calls = {
            node.func.id
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        built = calls & {"Case", "BackupCase", "Resource"}
        assert built == (set() if file.name != "cases.py" else {"Case", "BackupCase", "Resource"}), file.name


@pytest.mark.parametrize("seed", range(12))
def test_years_picked_and_put_together_carry_every_series(seed: int) -> None:
    """Resources, supplies, sinks and the levels that hold: whatever stands at the bus."""
    year = hub(seed, steps=24)
    rows = np.array([1, 0, 1])

    def series(case: Case) -> list[np.ndarray]:
        found = [case.load_mw, case.usable, *(item.yield_mw_per_mw for item in case.resources)]
        for item in case.flows:
            found += list(item.capability)
            found += [] if item.active_level is None else [item.active_level]
        return found

    def turned(case: Case) -> Case:
        return with_series(case, lambda values: np.ascontiguousarray(values[::-1]))

    both = concat_years([year, turned(year)])
    assert both.years == 2 * year.years
    assert both.load_mwh_per_yr == pytest.approx(year.load_mwh_per_yr)
    for whole, one in zip(series(both), series(year), strict=True):
        assert (whole == np.concatenate([one, one[::-1]])).all()
    picked = select_years(both, rows)
    assert picked.years == 3
    for whole, one in zip(series(picked), series(year), strict=True):
        assert (whole == np.concatenate([one[::-1], one, one[::-1]])).all()


@pytest.mark.parametrize("seed", range(12))
def test_a_clipped_plant_is_within_the_limits_of_whatever_stands_at_the_bus(seed: int) -> None:
    case = hub(seed)
    for size in (0.0, 1e6):
        resources, units = (size,) * len(case.resources), (int(size),) * len(case.backup)
        imports, sinks = (size,) * len(case.imports), (size,) * len(case.sinks)
        plant = Plant(resources, size, size, units, int(size), imports, sinks)
        clipped = clip_to_limits(plant, case)
        assert broken_limits(case, clipped) == ()
        for item, n in zip((*case.imports, *case.sinks), (*clipped.imports, *clipped.sinks), strict=True):
            assert item.units_min <= n <= item.units_max
        assert clip_to_limits(clipped, case) == clipped
