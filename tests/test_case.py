"""Where the chain of weather years begins must not decide the design."""

from __future__ import annotations

import ast

import numpy as np
import pytest

import sitedesign as sd
from sitedesign.case.build import build_case
from sitedesign.case.years import cyclic_start_step, shift_start
from sitedesign.optimize.infeasibility import date_of_step
from tests.cases import sizes
from tests.conftest import ROOT


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
