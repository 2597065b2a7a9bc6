"""Load and backup derate, by hand: no loss counted twice, none forgotten."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sitedesign.components.backup import backup_capability
from sitedesign.components.load import delivery_efficiency, load_mw, pue, rack_it_kw

PUE_POINTS = ((10.0, 1.035), (20.0, 1.045), (30.0, 1.065), (38.0, 1.10), (42.0, 1.16), (46.0, 1.24))


def facility(points: tuple[tuple[float, float], ...] = PUE_POINTS) -> Any:
    return SimpleNamespace(pue_by_temp_c=points)


def rack(measured_at: str = "dc_busbar") -> Any:
    return SimpleNamespace(
        measured_at=measured_at,
        power_kw=125.0,
        network_power_fraction=0.12,
        sustained_fraction_training=0.90,
        sustained_fraction_inference=0.70,
    )


PATH: Any = SimpleNamespace(bus_to_rack_efficiency=0.9456, rack_psu_efficiency=0.97)


def weather(temp_air_c: Any) -> Any:
    return SimpleNamespace(temp_air_c=np.asarray(temp_air_c, dtype=float))


def test_pue_is_straight_between_its_points_and_level_beyond() -> None:
    got = pue(np.array([-30.0, 10.0, 15.0, 34.0, 46.0, 60.0]), facility())
    assert got == pytest.approx([1.035, 1.035, 1.04, 1.0825, 1.24, 1.24])


def test_pue_points_may_fall() -> None:
    got = pue(np.array([15.0, 44.0]), facility(PUE_POINTS[::-1]))
    assert got == pytest.approx([1.04, 1.2])


def test_rack_power_by_use() -> None:
    assert rack_it_kw(rack(), "training") == pytest.approx(126.0)  # 125 * 1.12 * 0.9
    assert rack_it_kw(rack(), "inference") == pytest.approx(98.0)  # 125 * 1.12 * 0.7
    assert rack_it_kw(rack(), 1.0) == pytest.approx(140.0)


def test_load_of_seven_hundred_racks_by_hand() -> None:
    # 700 * 126 kW = 88.2 MW at the busbar; / 0.9456 = 93.274 MW; times PUE 1.045 at 20 degC and 1.10 at 38.
    got = load_mw(weather([[20.0, 38.0], [-5.0, 50.0]]), rack(), 700, facility(), PATH, 0.9)
    expected = np.array([[1.045, 1.10], [1.035, 1.24]]) * 88.2 / 0.9456
    assert got.shape == (2, 2)
    np.testing.assert_allclose(got, expected, rtol=1e-12)
    assert got[0, 0] == pytest.approx(97.4714, abs=1e-3)


def test_power_measured_at_the_plug_does_not_pay_the_supply_twice() -> None:
    at_plug = load_mw(weather([[20.0]]), rack("ac_plug"), 100, facility(), PATH, 1.0)
    at_busbar = load_mw(weather([[20.0]]), rack(), 100, facility(), PATH, 1.0)
    assert delivery_efficiency(rack("ac_plug"), PATH) == pytest.approx(0.9456 / 0.97)
    assert at_plug / at_busbar == pytest.approx(0.97)


def backup(**change: float) -> Any:
    values = {
        "power_derate_per_c": 0.0,
        "derate_above_c": 15.0,
        "power_derate_per_300m": 0.0,
        "altitude_free_m": 0.0,
    }
    return SimpleNamespace(**(values | change))


def test_aero_turbine_in_hot_thin_air_by_hand() -> None:
    turbine = backup(power_derate_per_c=-0.009, power_derate_per_300m=-0.035)
    got = backup_capability(turbine, np.array([[-20.0, 15.0, 35.0]]), 1140.0)
    # 1140 m: -3.5 % * 3.8 = -13.3 %; 35 degC: 20 * -0.9 % = -18 %.
    np.testing.assert_allclose(got, [[0.867, 0.867, 0.687]], rtol=1e-12)


def test_reciprocating_engine_is_flat_until_hot_and_high() -> None:
    # -1 % per 100 m above 750 m is -3 % per 300 m; -1 % per degree above 38.
    engine = backup(
        power_derate_per_c=-0.01, derate_above_c=38.0, power_derate_per_300m=-0.03, altitude_free_m=750.0
    )
    assert backup_capability(engine, np.array([37.0, 43.0]), 700.0) == pytest.approx([1.0, 0.95])
    assert backup_capability(engine, np.array([37.0, 43.0]), 1050.0) == pytest.approx([0.97, 0.92])


def test_cold_air_and_low_ground_add_nothing_and_nothing_falls_below_zero() -> None:
    turbine = backup(power_derate_per_c=-0.05, power_derate_per_300m=-0.2)
    got = backup_capability(turbine, np.array([-40.0, 60.0]), -100.0)
    assert got.tolist() == [1.0, 0.0]
