"""Profiles as meters, spreadsheets and programs export them: the right value, or the true cause.

Each file is written here with a load or a production that is known, so that a wrong unit, clock or column
shows in the values. What is refused has a right file of the same kind beside it that is read.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sitedesign import Site, Study, Weather, library, read_study
from sitedesign.case.build import build_case
from sitedesign.components.own_profile.profile import Beside, Profile, read_profile
from sitedesign.components.pv import solar_yield
from sitedesign.errors import InputError
from tests.slow_rest import slow_after

AMARILLO = Site(latitude=35.2, longitude=-101.95, name="Amarillo, TX")
HOURS = np.arange(8760)
INDEX = pd.date_range("2021-01-01", periods=8760, freq="h")
QUARTERS = pd.date_range("2021-01-01", periods=35_040, freq="15min")
ISO = "%Y-%m-%d %H:%M"
STAMPS = INDEX.strftime(ISO)
LOAD_MW = np.round(12 + 1.5 * np.sin(2 * np.pi * (HOURS % 24 - 9) / 24) + 0.4 * np.cos(HOURS / 300), 4)
BESIDE = {"load": Beside(AMARILLO, 13.0, 1), "solar": Beside(AMARILLO, 0.236, 1)}
Rows = Iterable[Iterable[object]]


@pytest.fixture(scope="module")
def sun() -> np.ndarray:
    """Production of a tracking array in Amarillo, local standard time. [MW per MWdc]"""
    weather = Weather.generate(AMARILLO, years=1, seed=1)
    return np.round(solar_yield(weather, library.entry("pv", "tracker_ac"), 0)[0], 5)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def _write(
        head: str, *columns: Iterable[object], sep: str = ",", foot: str = "", encoding: str = "utf-8"
    ):
        path = tmp_path / "own.csv"
        plain = (column.tolist() if hasattr(column, "tolist") else column for column in columns)
        rows = "\n".join(sep.join(map(str, row)) for row in zip(*plain, strict=True))
        path.write_bytes(f"{head}\n{rows}\n{foot}".encode(encoding))
        return path

    return _write


def read(data: object, kind: str, **said: object) -> Profile:
    """Read with every warning an error: none may reach the user."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message="DatetimeIndex.dayofyear")  # pvlib
        return read_profile(data, kind, beside=BESIDE[kind], **said)


def refused(data: object, kind: str, **said: object) -> str:
    with pytest.raises(InputError) as caught:
        read(data, kind, **said)
    return "\n".join(str(fault) for fault in caught.value.faults)


def hourly(profile: Profile) -> np.ndarray:
    return profile.values[0].reshape(8760, -1).mean(axis=1)


# --- Units -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "per_mw"),
    slow_after(
        6,
        [
            ("Load (kW)", 1e3),
            ("load_kw", 1e3),
            ("P_ac_W", 1e6),
            ("Demand [GW]", 1e-3),
            ("Leistung in kW", 1e3),
            ("MW", 1),
            ("E_total [kWh]", 1e3),
            ("Energy (Wh)", 1e6),
            ("MWh/h", 1),
            ("kW/h", 1e3),  # at hourly steps both readings are the same
            ("Heat rate (GJ per hour)", 3.6),
            ("Electricity:Facility [J](Hourly)", 3.6e9),
            ("Verbrauch kilowattstunden", 1e3),
            ("Facility load (building 3)", 1),
        ],
    ),
)
def test_the_unit_of_a_load_is_read_from_its_name(write, name: str, per_mw: float) -> None:
    profile = read(write(f"time,{name}", STAMPS, LOAD_MW * per_mw), "load")
    np.testing.assert_allclose(profile.values[0], LOAD_MW, rtol=1e-9)
    assert any("converted from" in note or "read as" in note for note in profile.notes)


@pytest.mark.parametrize(
    ("name", "per_mw"),
    [("kWh", 250), ("Energy (MWh)", 0.25), ("kW", 1e3), ("kWh/15min", 250), ("MWh per interval", 0.25)],
)
def test_power_and_energy_per_quarter_of_an_hour_are_told_apart(write, name: str, per_mw: float) -> None:
    values = np.repeat(LOAD_MW * per_mw, 4)
    profile = read(write(f"time,{name}", QUARTERS.strftime(ISO), values), "load")
    np.testing.assert_allclose(profile.values[0], np.repeat(LOAD_MW, 4), rtol=1e-9)


@pytest.mark.parametrize(
    ("head", "kwh_per_mw"),
    [
        ("# unit: kW\ntime,load", 1e3),
        ("# all values in kW\ntime,load", 1e3),
        ("time,load\n,kW", 1e3),
        ("Meter 3; Units: kWh\n\ntime,load", 1e3),
    ],
)
def test_the_unit_may_stand_in_a_comment_or_a_row_of_its_own(write, head: str, kwh_per_mw: float) -> None:
    profile = read(write(head, STAMPS, LOAD_MW * kwh_per_mw), "load")
    np.testing.assert_allclose(profile.values[0], LOAD_MW, rtol=1e-9)


@pytest.mark.parametrize(("factor", "unit"), [(1e3, "kW"), (1e6, "W"), (1e-3, "GW")], ids=["kW", "W", "GW"])
def test_a_load_without_a_unit_is_compared_with_the_racks(write, factor: float, unit: str) -> None:
    stamps = STAMPS
    said = refused(write("time,load", stamps, LOAD_MW * factor), "load")
    assert f'likely {unit}: say load_profile = {{file = "own.csv", unit = "{unit}"}}' in said
    assert "what the contracted racks draw, 13 MW" in said
    path = write("time,load", stamps, LOAD_MW * factor)
    for given in ({"file": path, "unit": unit}, {"data": LOAD_MW * factor, "unit": unit}):
        np.testing.assert_allclose(read(given, "load").values[0], LOAD_MW)
    assert "likely " + unit in refused(LOAD_MW * factor, "load")
    plain = read(write("time,load", stamps, LOAD_MW), "load")
    assert plain.notes == ("no unit given: read as MW",)


@pytest.mark.parametrize(("minutes", "steps"), [(15, 4), (30, 2)])
def test_energy_without_a_unit_is_not_taken_for_power(minutes: int, steps: int) -> None:
    said = refused(np.repeat(LOAD_MW / steps, steps).reshape(1, -1), "load")
    assert "likely MWh per interval" in said
    plain = read(np.repeat(LOAD_MW, steps).reshape(1, -1), "load")
    np.testing.assert_allclose(hourly(plain), LOAD_MW)


def test_a_written_unit_that_cannot_be_is_refused(write) -> None:
    stamps = STAMPS
    assert "likely MW" in refused(write("time,Load (kW)", stamps, LOAD_MW), "load")
    assert "values in 'kVA'" in refused(write("time,Load (kVA)", stamps, LOAD_MW * 1e3), "load")
    assert "'kWh/month'" in refused(write("time,kWh/month", stamps, LOAD_MW * 1e3), "load")
    assert "Irradiance is weather" in refused(write("time,GHI (W/m2)", stamps, LOAD_MW * 40), "solar")
    assert "Irradiance is weather" in refused(write("time,ghi", stamps, LOAD_MW * 40), "solar")
    quarters = QUARTERS.strftime(ISO)
    said = refused(write("time,kW/h", quarters, np.repeat(LOAD_MW * 1e3, 4)), "load")
    assert "'kW/h'" in said
    assert "may be power or energy per 15 min" in said
    said = refused(write("time,MWh per 30 min", quarters, np.repeat(LOAD_MW / 4, 4)), "load")
    assert "MWh per 30 min at steps of 15 min" in said


def test_a_load_in_shares_needs_what_it_is_a_share_of(write) -> None:
    path = write("time,Load (%)", STAMPS, LOAD_MW * 5)
    assert "a share of known MW" in refused(path, "load")
    np.testing.assert_allclose(read(path, "load", rated_mw=20).values[0], LOAD_MW)
    fractions = {"data": LOAD_MW / 20, "unit": "per unit", "rated_mw": 20}
    np.testing.assert_allclose(read(fractions, "load").values[0], LOAD_MW)


def test_a_load_that_its_user_states_is_taken_and_noted() -> None:
    profile = read(LOAD_MW * 10, "load", unit="MW")
    assert any("9.2" in note and "times what the contracted racks draw" in note for note in profile.notes)
    assert "It is 9.2" in refused({"data": LOAD_MW * 10}, "load")


def test_commas_that_group_thousands_are_read_or_named(write) -> None:
    stamps = INDEX.strftime("%m/%d/%Y %I:%M:%S %p")
    tenths = [f'"{value:,.1f}"' for value in LOAD_MW * 1e3]
    profile = read(write("Time,Load (kW)", stamps, tenths), "load")
    np.testing.assert_allclose(profile.values[0], LOAD_MW, atol=1e-4)
    whole = [f'"{value:,.0f}"' for value in LOAD_MW * 1e3]
    assert "Commas in it may group thousands" in refused(write("Time,Load (kW)", stamps, whole), "load")


@pytest.mark.parametrize(
    ("name", "factor"),
    slow_after(
        5,
        [
            ("MW", 1),
            ("kW", 1e3),
            ("W", 1e6),
            ("System power generated | (kW)", 1),
            ("kW/kWp", 1),
            ("kWh per kWp", 1),
            ("pv_w_per_kwp", 1e3),
            ("kWh kWp-1", 1),
            ("%", 100),
            ("capacity factor", 1),
            ("p.u.", 1),
            ("mw_per_mwdc", 1),
            ("P", 1),
        ],
    ),
)
def test_the_unit_of_a_production_is_read_from_its_name(write, sun, name: str, factor: float) -> None:
    profile = read(write(f"time,{name}", STAMPS, sun * factor), "solar")
    np.testing.assert_allclose(profile.values[0], sun, rtol=1e-9)


def test_production_of_a_whole_plant_needs_its_size(write, sun) -> None:
    path = write("time,P (kW)", STAMPS, sun * 5e4)
    said = refused(path, "solar")
    assert "production of a whole plant in kW" in said
    assert "rated_mw = 45" in said  # by the highest value
    np.testing.assert_allclose(read(path, "solar", rated_mw=50).values[0], sun, rtol=1e-9)
    assert any("divided by the array's 50 MWdc" in note for note in read(path, "solar", rated_mw=50).notes)
    # A size that cannot be is refused although the user says it: what an array gives is physics.
    assert "check the unit and the size" in refused(path, "solar", rated_mw=5000)


@pytest.mark.parametrize(
    ("factor", "likely"),
    [
        (1e3, "likely kW/MWdc"),
        (100, "likely %"),
        (50, "an array of about 50 MWdc"),
        (1e6, "likely W/MWdc"),
        (1e-3, "an array of about 0.001 MWdc"),
    ],
)
def test_production_without_a_unit_is_compared_with_the_sky(sun, factor: float, likely: str) -> None:
    assert likely in refused(sun * factor, "solar")
    np.testing.assert_array_equal(read(sun, "solar").values[0], sun)


def test_energy_per_interval_of_an_array_without_a_unit_is_asked(sun) -> None:
    quarters = np.repeat(sun / 4, 4).reshape(1, -1)
    assert "likely kWh/kWp per interval" in refused(quarters, "solar")
    profile = read(quarters, "solar", unit="kWh/kWp")
    np.testing.assert_allclose(hourly(profile), sun)


def test_a_share_of_its_own_peak_is_no_share_of_the_array(write, sun) -> None:
    share = sun / sun.max()
    path = write("time,% of peak", STAMPS, share * 100)
    assert "must be a share of the array's MWdc" in refused(path, "solar")
    noted = read({"data": share, "unit": "p.u."}, "solar")
    assert any("highest value is exactly 1" in note for note in noted.notes)


# --- Files of programs -------------------------------------------------------------------------------------

PVWATTS = (
    '"PVWatts: Hourly PV Performance Data"\n"Lat (deg N):","35.21"\n"DC System Size (kW):","4"\n'
    '"DC to AC Size Ratio:","1.2"\n\n"Month","Day","Hour","Beam Irradiance (W/m2)","Ambient Temperature (C)",'
    '"DC Array Output (W)","AC System Output (W)"'
)
PVGIS = (
    "Latitude (decimal degrees):\t35.200\nRadiation database:\tPVGIS-NSRDB\n\nSlope: 35 deg. (optimum)\n"
    "Nominal power of the PV system (c-Si) (kWp):\t{kwp}\n"
    "System losses (%):\t14.0\n\ntime,P,G(i),H_sun,T2m,Int"
)
PVGIS_FOOT = (
    "\n\nP: PV system power (W)\nG(i): Global irradiance (W/m2)\n\nPVGIS (c) European Union, 2001-2024\n"
)
NINJA = (
    "# Renewables.ninja PV (Point API)\n"
    '# {{"units":{{"time":"UTC","local_time":"America/Chicago","electricity":"kW"}},'
    '"params":{{"lat":35.2,"capacity":{kw},"date_from":"2021-01-01"}}}}\n'
    "time,local_time,electricity"
)


def quoted(values: Iterable[object]) -> list[str]:
    return [f'"{value}"' for value in values]


def test_pvwatts(write, sun) -> None:
    columns = [quoted(part) for part in (INDEX.month, INDEX.day, INDEX.hour)]
    columns += [quoted(sun * 900), quoted(np.full(8760, 12.5)), quoted(sun * 4200), quoted(sun * 4000)]
    profile = read(write(PVWATTS, *columns, foot='"Totals","","","0","","1","2"\n'), "solar")
    np.testing.assert_allclose(profile.values[0], sun, rtol=1e-9)
    assert "values taken from the column 'AC System Output (W)'" in profile.notes


@pytest.mark.parametrize("kwp", [1.0, 50_000.0])
def test_pvgis(write, sun, kwp: float) -> None:
    zeros = np.zeros(8760)
    columns = [INDEX.strftime("%Y%m%d:%H10"), np.roll(sun, 6) * kwp * 1e3, zeros, zeros, zeros, zeros]
    profile = read(write(PVGIS.format(kwp=kwp), *columns, foot=PVGIS_FOOT), "solar")
    np.testing.assert_allclose(profile.values[0], sun, rtol=1e-9)
    assert any("PVGIS" in note for note in profile.notes)


@pytest.mark.parametrize("kw", [1.0, 500])
def test_renewables_ninja(write, sun, kw: float) -> None:
    local = (INDEX - pd.Timedelta(hours=6)).strftime(ISO)
    profile = read(write(NINJA.format(kw=kw), STAMPS, local, np.roll(sun, 6) * kw), "solar")
    np.testing.assert_allclose(profile.values[0], sun, rtol=1e-9)


@pytest.mark.parametrize(("sep", "decimal"), [(";", "."), (";", ","), ("\t", ","), (",", ".")])
def test_pvsyst(write, sun, sep: str, decimal: str) -> None:
    head = "\n".join(
        [
            f"PVSYST v7.4.5{sep * 3}",
            sep.join(["Simulation:", "Hourly values", "01/01/90", "31/12/90"]),
            sep * 3,
        ]
    )
    names, units = ["date", "GlobHor", "EOutInv", "E_Grid"], ["", "W/m²", "kW", "kW"]
    head += f"\n{sep.join(names)}\n{sep.join(units)}\n{sep * 3}"
    grid = [f"{value * 1e3 if value > 0 else -1.2:.2f}".replace(".", decimal) for value in sun]
    sky = [f"{value * 900:.1f}".replace(".", decimal) for value in sun]
    stamps = INDEX.strftime("%d/%m/90 %H:%M")
    profile = read(write(head, stamps, sky, sky, grid, sep=sep, encoding="latin-1"), "solar")
    np.testing.assert_allclose(profile.values[0], sun, atol=6e-6)
    notes = "; ".join(profile.notes)
    assert "values taken from the column 'E_Grid'" in notes
    assert f"{int((sun == 0).sum())} values just below zero" in notes
    assert "dates read with day first" in notes


def test_more_than_night_consumption_below_zero_is_a_fault(sun) -> None:
    said = refused(np.where(sun > 0, sun, -0.05), "solar")
    assert f"{int((sun == 0).sum())} values below zero" in said
    assert "export" in refused(np.where(LOAD_MW > 11, LOAD_MW, -0.01), "load")


@pytest.mark.parametrize(
    "stamps",
    [
        HOURS,
        HOURS + 1,
        quoted(INDEX.strftime("%b %-d, %I:%M %p")),
        INDEX.strftime("%b %-d %I:%M %p"),
        INDEX.strftime("%b %-d, %I:%M %p"),
    ],
    ids=["from 0", "from 1", "month names", "without comma", "without quotes"],
)
def test_sam(write, sun, stamps: Iterable[object]) -> None:
    profile = read(write("Time stamp,System power generated | (kW)", stamps, sun * 1e3), "solar")
    np.testing.assert_allclose(profile.values[0], sun, rtol=1e-9)


@pytest.mark.parametrize(
    "counts",
    [np.arange(35_040) / 4, np.arange(1, 35_041) / 4, np.arange(35_040) * 15, np.arange(35_040) * 900],
)
def test_a_count_of_hours_minutes_or_seconds_tells_the_step(write, counts: np.ndarray) -> None:
    profile = read(write("HOY,kW", counts, np.repeat(LOAD_MW * 1e3, 4)), "load")
    np.testing.assert_allclose(hourly(profile), LOAD_MW)


def test_two_columns_that_may_both_be_values_are_asked_about(write) -> None:
    path = write("Hall A (kW),Hall B (kW)", LOAD_MW * 1e3, LOAD_MW * 1e3)
    assert "two columns that may both be the values" in refused(path, "load")
    np.testing.assert_allclose(read(path, "load", column="Hall B (kW)").values[0], LOAD_MW)


def test_numbers_of_hours_that_jump_are_named(write) -> None:
    numbers = np.where(HOURS < 50, HOURS, HOURS + 1)
    said = refused(write("Hour,MW", numbers, LOAD_MW), "load")
    assert "numbers of steps that do not go up by 1 in 1 rows, first '51' in line 52" in said


GREEN_BUTTON = "Name,A\nAddress,1 MAIN ST\n\nTYPE,DATE,START TIME,END TIME,USAGE,UNITS,COST,NOTES"


def test_the_unit_may_stand_in_a_column(write) -> None:
    starts, ends = QUARTERS.strftime("%H:%M"), (QUARTERS + pd.Timedelta(minutes=14)).strftime("%H:%M")
    same = [["Electric usage"] * 35_040, ["kWh"] * 35_040, ["$0.31"] * 35_040, [""] * 35_040]
    kwh = np.repeat(LOAD_MW * 250, 4)
    path = write(GREEN_BUTTON, same[0], QUARTERS.strftime("%Y-%m-%d"), starts, ends, kwh, *same[1:])
    np.testing.assert_allclose(hourly(read(path, "load")), LOAD_MW)


@pytest.mark.parametrize("names", ["HE{:d}", "{:02d}:00"])
def test_a_row_a_day(write, names: str) -> None:
    head = ",".join(["Date", *(names.format(hour) for hour in range(24))])
    days = INDEX[::24].strftime("%d/%m/%Y")
    path = write(f"# unit: kW\n{head}", days, *(LOAD_MW.reshape(365, 24).T * 1e3))
    np.testing.assert_allclose(read(path, "load").values[0], LOAD_MW)


def test_numbers_without_stamps_may_have_points_between_thousands(write) -> None:
    numbers = [f"{value:,.2f}".translate(str.maketrans(",.", ".,")) for value in LOAD_MW * 1e3]
    np.testing.assert_allclose(read(write("Leistung kW", numbers), "load").values[0], LOAD_MW)


def test_which_of_several_columns_is_the_load(write) -> None:
    stamps = STAMPS
    halls = write("time,Hall A (MW),Hall B (MW)", stamps, LOAD_MW, LOAD_MW / 5)
    assert "(values: Hall A (MW), Hall B (MW))" in refused(halls, "load")
    np.testing.assert_allclose(read(halls, "load", column="Hall A (MW)").values[0], LOAD_MW)
    assert "no column 'Hall C'" in refused(halls, "load", column="Hall C")
    total = write("time,IT (MW),Cooling (MW),Total load (MW)", stamps, LOAD_MW / 2, LOAD_MW / 2, LOAD_MW)
    np.testing.assert_allclose(read(total, "load").values[0], LOAD_MW)
    weather = write("time,Outdoor temp (°C),Interval demand (kW)", stamps, LOAD_MW, LOAD_MW * 1e3)
    np.testing.assert_allclose(read(weather, "load").values[0], LOAD_MW)


# --- Stamps ------------------------------------------------------------------------------------------------

LATER = INDEX + pd.Timedelta(hours=1)
CLOCKS = [f"{hour + 1:02d}:00:00" for hour in INDEX.hour]
ENERGY_PLUS = [f" {day}  {clock}" for day, clock in zip(INDEX.strftime("%m/%d"), CLOCKS, strict=True)]
MIDNIGHTS = INDEX.strftime("%Y-%m-%d 00:00:00")


@pytest.mark.parametrize(
    ("head", "columns"),
    slow_after(6, [
        ("time,MW", [INDEX.strftime("%d/%m/%Y %H:%M")]),
        ("time,MW", [INDEX.strftime("%-m/%-d/%y %-H:%M")]),
        ("time,MW", [INDEX.strftime("%d.%m.%Y %H:%M")]),
        ("time,MW", [INDEX.strftime("%m/%d/%Y %I:%M %p")]),
        ("from,to,MW", [STAMPS, LATER.strftime(ISO)]),
        ("Interval end,MW", [LATER.strftime(ISO)]),
        ("Date,Hour ending,MW", [INDEX.strftime("%m/%d/%Y"), INDEX.hour + 1]),
        ("Date,Weekday,Time,MW", [MIDNIGHTS, INDEX.day_name(), INDEX.strftime("%H:%M")]),
        ("Date,HE,MW", [INDEX.strftime("%Y-%m-%d"), (INDEX.hour + 1) * 100]),
        ("Year,Month,Day,Hour,MW", [INDEX.year, INDEX.month, INDEX.day, INDEX.hour]),
        ("Month,Day,Hour,MW", [INDEX.month, INDEX.day, INDEX.hour + 1]),
        ("Date/Time,MW", [ENERGY_PLUS]),
        ("time,MW", [[f"{44_197 + hour / 24:.6f}" for hour in HOURS]]),
        ("Hour,MW", [HOURS + 1]),
    ]),
)  # fmt: skip
def test_stamps_as_people_write_them(write, head: str, columns: list[Any]) -> None:
    profile = read(write(head, *columns, LOAD_MW), "load")
    np.testing.assert_array_equal(profile.values[0], LOAD_MW)


@pytest.mark.parametrize("late", [0, 1])
def test_a_typical_year_is_put_together(write, sun, late: int) -> None:
    years = np.array([2003, 2011, 2004, 2016, 2010, 2007, 2012, 2005, 2009, 2008, 2015, 2006])
    stamps = [
        f"{years[stamp.month - 1]}-{stamp.month:02d}-{stamp.day:02d} {stamp.hour + late:02d}:00"
        for stamp in INDEX
    ]
    profile = read(write("time,MW", stamps, sun), "solar")
    np.testing.assert_array_equal(profile.values[0], sun)
    assert profile.years == (1,)
    assert any(note.startswith("a typical year put together from 2003, 2004") for note in profile.notes)


def test_rows_with_the_newest_first_are_turned_round(write) -> None:
    profile = read(write("time,MW", INDEX[::-1].strftime(ISO), LOAD_MW[::-1]), "load")
    np.testing.assert_array_equal(profile.values[0], LOAD_MW)
    assert any("newest stood first" in note for note in profile.notes)


@pytest.mark.parametrize(("sep", "mark"), [(",", "."), (";", ",")])
def test_a_unit_may_stand_in_every_cell(write, sep: str, mark: str) -> None:
    cells = [f"{value * 1e3:.1f} kW".replace(".", mark) for value in LOAD_MW]
    profile = read(write(f"time{sep}load", STAMPS, cells, sep=sep), "load")
    np.testing.assert_allclose(profile.values[0], LOAD_MW)


def test_24_00_is_the_end_of_the_day(write) -> None:
    days = INDEX.strftime("%Y-%m-%d")
    stamps = [f"{day} {clock}" for day, clock in zip(days, CLOCKS, strict=True)]
    np.testing.assert_array_equal(read(write("time,MW", stamps, LOAD_MW), "load").values[0], LOAD_MW)


def test_days_and_months_that_a_spreadsheet_exchanged_are_named(write) -> None:
    exchanged = np.where(INDEX.day <= 12, INDEX.strftime("%d/%m/%Y %H:%M"), INDEX.strftime("%m/%d/%Y %H:%M"))
    said = refused(write("time,MW", exchanged, LOAD_MW), "load")
    assert said.startswith("own.csv: got 132 days on which day and month are exchanged")


@pytest.mark.parametrize("word", ["", "NaN", "inf", "Bad", "-"])
def test_no_blank_leaves_unnamed(write, word: str) -> None:
    cells = [word if hour in (5, 6, 700) else value for hour, value in enumerate(LOAD_MW)]
    said = refused(write("time,MW", STAMPS, cells), "load")
    assert "3 values without a number, first at 2021-01-01 05:00:00" in said


def test_blanks_of_the_night_are_filled_and_counted(write, sun) -> None:
    cells = ["" if value == 0 else value for value in sun]
    profile = read(write("time,MW", STAMPS, cells), "solar")
    np.testing.assert_array_equal(profile.values[0], sun)
    assert any(
        f"{int((sun == 0).sum())} blanks while the sun is down or low" in note for note in profile.notes
    )
    cells[12] = ""
    assert "values without a number" in refused(write("time,MW", STAMPS, cells), "solar")


# --- Clocks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "stamps"),
    slow_after(
        4,
        [
            ("time(UTC),MW", STAMPS),
            ("time_utc,MW", STAMPS),
            ("Timestamp (GMT),MW", STAMPS),
            ("DateTimeUTC,MW", STAMPS),
            ("time,MW", INDEX.strftime("%Y-%m-%dT%H:%M:%SZ")),
            ("time,MW", INDEX.strftime("%Y-%m-%d %H:%M+00:00")),
            ("# time: UTC\ntime,MW", STAMPS),
            ("Time zone: 0\ntime,MW", STAMPS),
            ("time,MW", 1_609_459_200 + HOURS * 3600),
        ],
    ),
)
def test_universal_time_is_moved_to_the_site(write, sun, head: str, stamps: Iterable[object]) -> None:
    for kind, values in (("solar", sun), ("load", LOAD_MW)):
        profile = read(write(head, stamps, np.roll(values, 6)), kind)
        np.testing.assert_array_equal(profile.values[0], values)
        assert any("moved by -6 h" in note for note in profile.notes)


@pytest.mark.parametrize("step", [60, 30, 15])
@pytest.mark.parametrize("late", [False, True])
def test_an_hour_east_of_greenwich_is_no_end_of_an_interval(write, step: int, late: bool) -> None:
    berlin = Site(latitude=52.5, longitude=13.4)
    stamps = pd.date_range("2021-01-01", periods=525_600 // step, freq=f"{step}min")
    stamps += pd.Timedelta(minutes=step if late else 0)
    values = np.repeat(np.roll(LOAD_MW, -1), 60 // step)
    path = write(f"{'interval end' if late else 'time'} (UTC),MW", stamps.strftime(ISO), values)
    profile = read_profile(path, "load", beside=Beside(berlin, 13.0, 1))
    np.testing.assert_array_equal(hourly(profile), LOAD_MW)


def test_summer_time_at_new_year_wraps_round() -> None:
    sydney = Site(latitude=-33.9, longitude=150.9)
    index = pd.date_range("2021-01-01", "2022-01-01", freq="h", tz="Australia/Sydney", inclusive="left")
    profile = read_profile(pd.Series(LOAD_MW, index), "load", beside=Beside(sydney, 13.0, 1))
    np.testing.assert_array_equal(profile.values[0], np.roll(LOAD_MW, -1))


def test_a_line_on_when_the_file_was_made_is_no_clock(write) -> None:
    head = "# time of export: 2024-01-05 10:00 UTC\ntime,MW"
    np.testing.assert_array_equal(read(write(head, STAMPS, LOAD_MW), "load").values[0], LOAD_MW)


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (6, "as if it were in UTC"),
        (6, 'If it is, say solar_profile = {file = "own.csv", clock = "UTC"}.'),
        (-12, "half a day off"),
        (12, "half a day off"),
        (-1, 'production 1 h early of the sun'),
        (1, "Or are its stamps the ends of intervals"),
        (5, 'clock = "UTC-1"'),
    ],
)  # fmt: skip
def test_a_production_is_compared_with_the_sun(write, sun, hours: int, said: str) -> None:
    stamps = STAMPS
    assert said in refused(write("time,MW", stamps, np.roll(sun, hours)), "solar")
    np.testing.assert_array_equal(read(write("time,MW", stamps, sun), "solar").values[0], sun)


def test_a_clock_that_its_user_states_is_used(write, sun) -> None:
    path = write("time,MW", STAMPS, np.roll(sun, 6))
    for clock in ("UTC", 0, "GMT"):
        np.testing.assert_array_equal(read(path, "solar", clock=clock).values[0], sun)
    array = {"data": np.roll(sun, 6), "clock": "UTC"}
    np.testing.assert_array_equal(read(array, "solar").values[0], sun)
    kept = read(path, "solar", clock="standard")
    assert any("its clock is as its user says" in note for note in kept.notes)


@pytest.mark.parametrize("mount", ["tracker_ac", "fixed_dc"])
@pytest.mark.parametrize(
    "place",
    [(51.5, -0.1), (60.2, 24.9), (1.35, 103.8), (-26.2, 28.0), (28.6, 77.2), (-33.4, -70.6), (43.8, 87.6)],
)
def test_right_clocks_pass_and_wrong_ones_do_not_at_any_place(place: tuple[float, float], mount: str) -> None:
    from sitedesign.components.own_profile.sun import check_sun

    site = Site(latitude=place[0], longitude=place[1])
    weather = Weather.generate(site, years=1, seed=3)
    made = solar_yield(weather, library.entry("pv", mount), 0)
    assert check_sun(made, 60, site).is_right
    for hours in (-11, -6, -1, 1, 2, 9):
        found = check_sun(np.roll(made, hours, axis=1), 60, site)
        assert (found.shift_h, found.explained) == (hours, True)


def test_a_production_is_no_load(sun) -> None:
    assert "only 0.0% of its energy while the sun is down" in refused(sun * 50, "load")
    read(LOAD_MW + 20 * sun, "load")  # a load that is higher by day is one


def test_what_is_made_in_the_dark_is_no_production() -> None:
    assert "of its energy while the sun is down" in refused(np.full(8760, 0.2), "solar")


def wall_clock(zone: str, freq: str = "h", count: int = 8760) -> pd.DatetimeIndex:
    """Stamps of 2021 in standard time as the wall clock shows them."""
    index = pd.date_range("2021-01-01", periods=count, freq=freq, tz="Etc/GMT+6")
    return index.tz_convert(zone).tz_localize(None)


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize(("freq", "steps"), [("h", 1), ("15min", 4)])
def test_daylight_saving_time_is_taken_off(write, sun, freq: str, steps: int, ends: bool) -> None:
    stamps = pd.date_range("2021-01-01", periods=8760 * steps, freq=freq, tz="Etc/GMT+6")
    stamps = (stamps + pd.Timedelta(minutes=60 // steps if ends else 0)).tz_convert("America/Chicago")
    for kind, values in (("solar", sun), ("load", LOAD_MW)):
        path = write("time,MW", stamps.tz_localize(None).strftime(ISO), np.repeat(values, steps))
        profile = read(path, kind)
        np.testing.assert_array_equal(hourly(profile), values)
        assert any("daylight saving put on standard time" in note for note in profile.notes)


def test_the_hour_that_comes_twice_may_be_missing(write) -> None:
    stamps = wall_clock("America/Chicago")
    once = ~stamps.duplicated()
    profile = read(write("time,MW", stamps[once].strftime(ISO), LOAD_MW[once]), "load")
    assert (profile.values[0] != LOAD_MW).sum() == 1
    assert any("1 values of hours that come twice filled" in note for note in profile.notes)


def test_summer_in_the_south_begins_the_year_an_hour_early(write) -> None:
    santiago = Site(latitude=-33.4, longitude=-70.6)
    stamps = pd.date_range("2021-01-01", periods=8760, freq="h", tz="America/Santiago")
    stamps = pd.date_range(stamps[0], periods=8760, freq="h")
    path = write("time,MW", stamps.tz_localize(None).strftime(ISO), LOAD_MW)
    profile = read_profile(path, "load", beside=Beside(santiago, 13.0, 1))
    np.testing.assert_array_equal(profile.values[0], np.roll(LOAD_MW, -1))


def test_summer_an_hour_late_is_found_without_stamps_that_tell(sun) -> None:
    local = INDEX.tz_localize("America/Chicago", ambiguous=np.zeros(8760, bool), nonexistent="shift_forward")
    standard = local.tz_convert("Etc/GMT+6")
    late = sun[(standard.day_of_year - 1) * 24 + standard.hour]
    assert "an hour late in summer only" in refused(late, "solar")
    profile = read(pd.Series(late, INDEX), "solar", clock="wall")
    np.testing.assert_array_equal(profile.values[0], sun)  # the hours of the change are dark


# --- Where a study takes them ------------------------------------------------------------------------------


def test_a_study_converts_compares_and_notes(write, sun) -> None:
    load = write("Datetime,Load (kW)", STAMPS, LOAD_MW * 1e3)
    solar = {"data": np.roll(sun, 6) * 5e4, "unit": "kW", "rated_mw": 50, "clock": "UTC"}
    study = Study(site=AMARILLO, racks=90, uptime=0.9, load_profile=load, solar_profile=solar)
    study_case = build_case(study)
    np.testing.assert_allclose(study_case.case.load_mw, LOAD_MW)
    np.testing.assert_allclose(study_case.case.resources[0].yield_mw_per_mw, sun, rtol=1e-12)
    notes = "\n".join(study_case.notes)
    assert "Own load profile (file own.csv): mean 11.99 MW" in notes
    assert "converted from kW (the name 'Load (kW)') to MW" in notes
    assert "divided by the array's 50 MWdc" in notes
    assert "moved by -6 h" in notes


def test_a_study_names_the_faults_of_both_profiles(write, sun) -> None:
    study = Study(site=AMARILLO, racks=90, uptime=0.9, load_profile=LOAD_MW * 1e3, solar_profile=sun * 100)
    with pytest.raises(InputError) as caught:
        build_case(study)
    assert [fault.where for fault in caught.value.faults] == ["solar_profile", "load_profile"]


def test_a_study_file_says_what_the_profile_does_not(write, tmp_path: Path) -> None:
    write("time,load", STAMPS, LOAD_MW * 1e3)
    toml = tmp_path / "study.toml"
    toml.write_text(
        'racks = 90\nuptime = 0.9\nload_profile = { file = "own.csv", unit = "kW" }\n'
        "[site]\nlatitude = 35.2\nlongitude = -101.95\n"
    )
    np.testing.assert_allclose(build_case(read_study(toml)).case.load_mw[:8760], LOAD_MW)


def test_what_is_said_about_a_profile_is_checked() -> None:
    said = refused(
        {"data": LOAD_MW, "unti": "kW", "unit": "furlong", "clock": "noon", "rated_mw": -1}, "load"
    )
    assert "Did you mean 'unit'?" in said
    assert "'furlong'; must be a unit of power or energy" in said
    assert "'noon'" in said
    assert "must be a number above 0 MW" in said
    assert "neither file nor data" in refused({"unit": "kW"}, "load")
    assert "must be one of (5, 15, 30, 60) min" in refused({"data": LOAD_MW, "step_minutes": 15.7}, "load")
    assert "-inf" in refused({"data": LOAD_MW, "rated_mw": -np.inf}, "load")
    np.testing.assert_array_equal(
        read({"data": LOAD_MW, "step_minutes": np.int64(60)}, "load").values[0], LOAD_MW
    )


@pytest.mark.parametrize(
    "data",
    [
        3, b"x", "a\0b", "x" * 5000, {"a": 1}, object(), None, [], [[1, 2], [3]], "load.csv",
        LOAD_MW + 1j, INDEX.to_numpy(), np.ma.masked_greater(LOAD_MW, 13), pd.DataFrame({"kW": []}),
        pd.DataFrame(np.ones((8760, 2)), columns=["kW", "kW"]),
    ],
)  # fmt: skip
def test_what_holds_no_profile_is_refused(data: object) -> None:
    assert refused({"data": data}, "load")


# --- Parquet, frames, and files that are none --------------------------------------------------------------


def test_parquet_with_or_without_a_name_of_its_index(tmp_path: Path) -> None:
    frame = pd.DataFrame({"load_kw": LOAD_MW * 1e3}, index=INDEX)
    for number, table in enumerate((frame, frame.rename_axis("time"), frame.reset_index())):
        path = tmp_path / f"{number}.parquet"
        table.to_parquet(path)
        np.testing.assert_allclose(read(path, "load").values[0], LOAD_MW)
    damaged = tmp_path / "damaged.parquet"
    damaged.write_bytes(path.read_bytes()[:2000])
    assert "a damaged Parquet file" in refused(damaged, "load")


def test_frames_carry_unit_and_clock_in_their_names(sun) -> None:
    series = pd.Series(np.roll(sun, 6) * 1e3, INDEX.rename("time_utc"), name="pv_kw")
    np.testing.assert_allclose(read(series, "solar").values[0], sun)
    beside = read(pd.DataFrame({"ghi": sun, "P_kw_per_kwp": sun}, INDEX), "solar")
    np.testing.assert_array_equal(beside.values[0], sun)
    assert "values taken from the column 'P_kw_per_kwp'" in beside.notes
    assert "Irradiance is weather" in refused(pd.DataFrame({"ghi": sun, "temp_air": sun}, INDEX), "solar")
    frame = pd.DataFrame({"time": INDEX, "kWh": LOAD_MW * 1e3})
    np.testing.assert_allclose(read(frame, "load").values[0], LOAD_MW)


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"PK\x03\x04rest", "an Excel workbook or a zip archive"),
        (b"", "an empty file"),
        (b'{"outputs": {"hourly": [{"P": 0.0}]}}', "a JSON file"),
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b"\x00\x01\x02" * 500, "no rows of numbers"),
        (b"time,MW\n", "no rows of numbers"),
        (b"time,MW\nyesterday,0.2\nthen,0.3\n", "2 unreadable times, first 'yesterday'"),
    ],
)
def test_what_is_no_profile_is_named(tmp_path: Path, content: bytes, cause: str) -> None:
    path = tmp_path / "own.csv"
    path.write_bytes(content)
    assert cause in refused(path, "load")
    assert "a folder" in refused(tmp_path, "load")
