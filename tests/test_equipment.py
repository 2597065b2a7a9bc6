"""What an engineer takes over: schedule, register, hours of every unit, sketch, units of two systems."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import sitedesign as sd
from sitedesign.cli import app
from sitedesign.util.display_units import SYSTEMS, Quoted, in_units, text_in

SITE = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")


@pytest.fixture(scope="module")
def design() -> sd.Design:
    """A bound with units of two kinds, a battery and an array."""
    units = {"mobile_gt": (1, 1), "diesel_standby": (3, 3)}
    limits: dict[str, Any] = {"units": units, "battery_mwh": (40, 40), "solar_mw": (20, 20)}
    return sd.solve(site=SITE, racks=70, uptime=0.99, backup=["mobile_gt", "diesel_standby"], weather_years=1,
                    limits=limits, certify=False)  # fmt: skip


def test_schedule_has_one_line_a_unit(design: sd.Design) -> None:
    table = design.equipment("us").set_index("tag")
    assert [tag for tag in table.index if tag.startswith("diesel")] == [
        f"diesel_standby-0{number}" for number in (1, 2, 3)
    ]
    assert table.index.is_unique
    assert table.loc["mobile_gt-01", "rating"] == "16.5 MW"
    assert "10,500 Btu/kWh" in table.loc["mobile_gt-01", "on_site"]
    assert "11,078 kJ/kWh" in design.equipment().set_index("tag").loc["mobile_gt-01", "on_site"]
    assert "50 h/yr at most" in table.loc["diesel_standby-01", "on_site"]
    assert table.loc["BESS", "on_site"] == "8 containers of 5 MWh"
    assert table.loc["mobile_gt-01", "lead_months"] == 12
    assert (table["source"] != "").all()
    built = table["lead_months"].max()
    assert built == design.months_to_power


def test_register_has_every_number_with_its_source(design: sd.Design) -> None:
    table = design.assumptions("us")
    assert not table.duplicated(["entry", "number"]).any()
    assert (table["source"] != "").all()
    price = table[(table["entry"] == "battery lfp") & (table["number"] == "capex_usd_per_kwh")].iloc[0]
    assert (price["value"], price["unit"], price["low"], price["high"]) == (195, "USD/kWh", 140, 260)
    entries = set(table["entry"])
    assert {"study", "pv tracker_ac", "backup diesel_standby", "fuel diesel", "rack gb200_nvl72"} <= entries
    target = table[(table["entry"] == "study") & (table["number"] == "uptime")].iloc[0]
    assert target["value"] == 0.99
    warm = design.assumptions("us").query("number == 'cell_temperature_c'").iloc[0]
    assert (warm["value"], warm["unit"]) == (77, "degF")


@pytest.mark.parametrize(
    ("value", "unit", "system", "expected"),
    [
        (8300, "Btu/kWh", "si", (8756.96, "kJ/kWh")),
        (1, "kJ/kWh", "us", (0.947817, "Btu/kWh")),
        (25, "degC", "us", (77, "degF")),
        (-0.0035, "fraction/degC", "us", (-0.00194444, "fraction/degF")),
        (0.28, "MWdc/acre", "si", (0.691895, "MWdc/ha")),
        (0.0449, "kg/MMBtu", "us", (0.0989876, "lb/MMBtu")),  # AP-42 says 0.099 lb/MMBtu
        (53.06, "kg/MMBtu", "si", (50.2912, "kg/GJ")),
        (-0.035, "fraction/300 m", "us", (-0.03556, "fraction/1,000 ft")),
        (4, "USD/MMBtu", "si", (3.79127, "USD/GJ")),
        (195, "USD/kWh", "si", (195, "USD/kWh")),
        (100, "acres", "si", (40.4686, "ha")),
        (1, "USD/MMBtu-day", "si", (0.947817, "USD/GJ-day")),
    ],
)
def test_figures_in_two_systems(value: float, unit: str, system: Any, expected: tuple[float, str]) -> None:
    found, name = in_units(value, unit, system)
    assert name == expected[1]
    assert found == pytest.approx(expected[0], rel=2e-5)


def test_sketch_shows_what_is_built(design: sd.Design) -> None:
    texts = [item.text for item in ET.fromstring(design.single_line()).iter() if item.text]
    assert {"PV", "B", "G", "IT", "20 MWdc", "3 × 2.75 MW", "medium-voltage bus (AC)"} <= set(texts)


def test_hours_have_every_unit_of_an_operated_plant() -> None:
    asked = sd.Study(site=SITE, racks=30, uptime=0.9, backup=["mobile_gt", "diesel"], weather_years=1)
    result = sd.evaluate(asked, operation="causal", solar_mw=12, battery_mwh=30, battery_mw=6,
                         backup={"mobile_gt": 1, "diesel": 2})  # fmt: skip
    assert result._units is not None
    assert list(result._units) == ["mobile_gt_1_mw", "diesel_1_mw", "diesel_2_mw"]
    for name in ("mobile_gt", "diesel"):
        units = result._units.filter(regex=rf"^{name}_\d+_mw$").sum(axis=1)
        np.testing.assert_allclose(units, result.dispatch[f"{name}_mw"], atol=1e-9)


def test_command_writes_them(design: sd.Design, tmp_path: Path) -> None:
    saved, schedule, register = (tmp_path / name for name in ("design.json", "eq.csv", "numbers.csv"))
    design.save(saved)
    written = ["--csv", str(schedule), "--assumptions", str(register), "--svg", str(tmp_path / "line.svg")]
    done = CliRunner().invoke(app, ["equipment", str(saved), "--units", "us", *written])
    assert done.exit_code == 0, done.output
    assert "mobile_gt-01: Trailer-mounted gas turbine, 16.5 MW" in done.output
    assert len(schedule.read_text().splitlines()) == 1 + len(design.equipment())
    assert "lb/MMBtu" in register.read_text()
    assert (tmp_path / "line.svg").read_text().startswith("<svg")
    wrong = CliRunner().invoke(app, ["equipment", str(saved), "--units", "imperial"])
    assert wrong.exit_code == 2


@pytest.mark.parametrize(("text", "si", "us"), [
    ("142.8 MWdc on 510 acres", "142.8 MWdc on 206 ha", None),
    ("306,246 t of CO2 a year", None, "337,578 short tons of CO2 a year"),
    ("5,763,531 MMBtu/yr; cost", "6,080,848 GJ/yr; cost", None),
    ("gas at 4.3 USD/MMBtu, land at 3,050 USD/acre,", "gas at 4.08 USD/GJ, land at 7,537 USD/ha,", None),
    ("10 to 45 °C and 1,202 m", None, "50 to 113 °F and 3,944 ft"),
    ("at 291 km; 8,300 Btu/kWh", "at 291 km; 8,757 kJ/kWh", "at 181 mi; 8,300 Btu/kWh"),
    ("418 M USD, 3 m/s, 13.5 min, 99.9 % to 5 MW, 0.138 MMBtu/gal, v2.5 t", None, None),
    ("0 acres", "0 ha", None),
])  # fmt: skip
def test_texts_change_their_units_and_nothing_else(text, si, us):
    assert text_in(text, None) == text
    assert text_in(text, "si") == (si or text)
    assert text_in(text, "us") == (us or text)
    assert text_in(Quoted(text), "us") == text_in(Quoted(text), "si") == text


@given(st.floats(0.01, 1e7), st.sampled_from(["acres", "MMBtu", "t", "km", "m3", "ft", "USD/MMBtu", "t/yr"]))
def test_a_text_says_the_figure_of_its_unit(value, unit):
    written = f"{value:,.6g}"
    for system in SYSTEMS:
        said = text_in(f"{written} {unit}", system).replace("short tons", "short_tons").split(" ")
        exact = in_units(float(written.replace(",", "")), unit, system)[0]
        assert float(said[0].replace(",", "")) == pytest.approx(exact, rel=6e-3)
