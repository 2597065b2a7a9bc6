"""Readers: measured files with known numbers, every format from one synthetic year, and ways to be wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sitedesign.errors import InputError
from sitedesign.weather.site import Site
from sitedesign.weather.solar_geometry import solar_geometry
from sitedesign.weather.weather import Weather

# pvlib 0.16 calls what pandas 3.1 has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofyear:DeprecationWarning")

DATA = Path(__file__).parent / "data" / "weather"
MONTH_STARTS = np.cumsum([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30])
SITE = Site(latitude=35.2, longitude=-101.95, elevation_m=1100.0)


def mean_kwh(weather: Weather) -> float:
    return float(weather.ghi_w_m2.mean() * 0.024)


def sun_errors(weather: Weather) -> np.ndarray:
    return weather.quality.table["sun_error_minutes"].to_numpy()


def monthly_clearness(weather: Weather) -> np.ndarray:
    h0 = solar_geometry(
        weather.site, weather.step_minutes, weather.utc_offset_h, weather.sun_offset_minutes
    ).h0_kwh_m2_day
    kt = (weather.ghi_daily_kwh_m2 / h0).mean(axis=0)
    return np.array([part.mean() for part in np.split(kt, MONTH_STARTS[1:])])


# ------------------------------------------------------------------------------------- measured files


@pytest.mark.slow
def test_colusa_18_half_hourly_years_keep_their_level_and_stand_on_the_sun(weather_real):
    weather = Weather.read(weather_real / "ca_colusa_nsrdb_1998_2015")
    assert weather.years == tuple(range(1998, 2016))
    assert weather.step_minutes == 30
    assert weather.sun_offset_minutes == 0
    assert weather.utc_offset_h == -8
    assert weather.ghi_w_m2.shape == (18, 17520)
    assert mean_kwh(weather) == pytest.approx(5.1964, abs=5e-4)
    # January and July of an independent tabulation, whose extraterrestrial sum is 1 % lower in January.
    assert monthly_clearness(weather)[[0, 6]] == pytest.approx([0.5136, 0.7415], abs=0.01)
    assert np.abs(sun_errors(weather)).max() < 1
    assert weather.quality.repaired_share == 0
    assert weather.quality.false_low_irradiance == ("1998-02-02",)
    worst_three_days = np.convolve(weather.ghi_daily_kwh_m2.ravel(), np.ones(3) / 3, "valid").min()
    assert worst_three_days == pytest.approx(0.3143, abs=5e-4)
    assert not weather.source.is_tmy


def test_amarillo_joins_a_local_v3_year_with_a_utc_v4_year(weather_real):
    weather = Weather.read(*(weather_real / "tx_amarillo_nsrdb").iterdir())
    assert weather.years == (2012, 2013)
    assert weather.utc_offset_h == -6
    assert weather.sun_offset_minutes == 30
    assert np.abs(sun_errors(weather)).max() < 1
    assert weather.ghi_daily_kwh_m2.mean(axis=1) == pytest.approx([5.4855, 5.5562], abs=1e-3)
    assert weather.quality.table["missing_daylight_h"].sum() == 0
    assert weather.quality.table["closure"].abs().max() < 0.01


def test_amarillo_utc_year_alone_is_rolled_and_says_so(weather_real):
    file = next((weather_real / "tx_amarillo_nsrdb").glob("*utc*"))
    weather = Weather.read(file)
    assert weather.years == (2013,)
    assert any("6 hours" in note and "UTC file rolled" in note for note in weather.source.notes)
    assert np.isfinite(weather.temp_air_c).all()
    # Local row 0 is 06:30 UTC of the same date.
    raw = pd.read_csv(file, skiprows=2)
    assert weather.temp_air_c[0, 0] == pytest.approx(raw["Temperature"][6])
    assert weather.temp_air_c[0, -1] == pytest.approx(raw["Temperature"][5])


def test_phoenix_typical_year_is_told_by_its_years(weather_real):
    weather = Weather.read(weather_real / "az_phoenix_nsrdb_tmy")
    assert weather.source.is_tmy
    assert weather.years == (1,)
    assert mean_kwh(weather) == pytest.approx(5.7948, abs=5e-4)
    assert monthly_clearness(weather)[[0, 6]] == pytest.approx([0.6378, 0.6633], abs=0.01)
    assert abs(sun_errors(weather)[0]) < 2


def test_table_mountain_time_zone_and_interval_end_are_measured(weather_real):
    site = Site(latitude=40.125, longitude=-105.2368, elevation_m=1689.0)
    weather = Weather.read(weather_real / "co_table_mountain_surfrad_2023_2024", site=site)
    assert weather.years == (2023, 2024)
    assert weather.step_minutes == 15
    assert weather.sun_offset_minutes == 7.5
    assert weather.utc_offset_h == -7
    assert mean_kwh(weather) == pytest.approx(4.6624, abs=0.01)
    assert monthly_clearness(weather)[[0, 6]] == pytest.approx([0.5624, 0.6113], abs=0.01)
    # Foothills to the west take the evening sun: the profile leans by less than five minutes.
    assert np.abs(sun_errors(weather)).max() < 5
    assert "UTC (measured)" in weather.quality.time_convention
    assert any("29 February dropped" in note for note in weather.source.notes)
    assert any("climatological temperature" in note for note in weather.source.notes)


def test_ector_county_sun_fifteen_minutes_after_the_stamp_is_measured(weather_real):
    site = Site(latitude=31.87, longitude=-102.54)
    weather = Weather.read(weather_real / "tx_ector_county_nsrdb_2020" / "Ector.csv", site=site)
    assert weather.years == (2020,)
    assert weather.sun_offset_minutes == 15
    assert abs(sun_errors(weather)[0]) < 2
    assert mean_kwh(weather) == pytest.approx(5.7211, rel=0.004)
    assert monthly_clearness(weather)[[0, 6]] == pytest.approx([0.6138, 0.6959], abs=0.01)
    notes = " ".join(weather.source.notes)
    assert "split from GHI by DISC in 100.0%" in notes
    assert "no temperature in the files" in notes
    # NSRDB beam irradiance at Odessa is about 6.7-7.2 kWh/m2 a day.
    assert weather.dni_w_m2.mean() * 0.024 == pytest.approx(7.0, abs=0.3)
    assert weather.wind_speed_m_s.mean() == pytest.approx(3.515, abs=0.01)


def test_durham_leaves_out_the_year_with_a_16_day_hole_and_says_so(weather_real):
    weather = Weather.read(weather_real / "nc_durham_uscrn_daily")
    assert weather.years == (*range(2008, 2021), 2022, 2023)
    note = next(note for note in weather.source.notes if note.startswith("2021 left out"))
    assert "from 06-01 05:00 to 06-16 19:00" in note


def test_short_record_with_a_16_day_hole_is_refused_and_says_what_remains(weather_real):
    folder = weather_real / "nc_durham_uscrn_daily"
    with pytest.raises(InputError) as caught:
        Weather.read(*(file for file in folder.iterdir() if "-2020-" in file.name or "-2021-" in file.name))
    message = str(caught.value)
    assert "year 2021" in message
    assert "from 06-01 05:00 to 06-16 19:00" in message
    assert "Leave out 2021: 2020 can be used" in message
    assert len(caught.value.faults) == 1


def test_durham_daily_totals_become_hours_that_sum_to_them(weather_real):
    files = [f for f in (weather_real / "nc_durham_uscrn_daily").iterdir() if "2021" not in f.name]
    weather = Weather.read(*files)
    assert weather.years == (*range(2008, 2021), 2022, 2023)
    # First two days of 2008: 12.25 and 9.62 MJ/m2, times 1.065.
    assert weather.ghi_daily_kwh_m2[0, :2] == pytest.approx(np.array([12.25, 9.62]) * 1.065 / 3.6, rel=1e-6)
    assert mean_kwh(weather) == pytest.approx(4.3157 * 1.065, rel=0.01)
    assert weather.temp_air_c.reshape(15, 365, 24).mean(axis=2)[0, 0] == pytest.approx(5.8, abs=0.01)
    notes = " ".join(weather.source.notes)
    assert "multiplied by 1.065" in notes
    assert "2021" in notes
    assert "2024 left out" in notes
    assert weather.quality.table["longest_gap_days"].max() == pytest.approx(3.54, abs=0.1)


def test_muleshoe_leaves_out_years_that_the_record_begins_and_ends_in(weather_real):
    weather = Weather.read(weather_real / "tx_muleshoe_uscrn_daily")
    assert weather.years == tuple(range(2005, 2024))
    assert mean_kwh(weather) == pytest.approx(5.1734 * 1.065, rel=0.006)
    assert weather.quality.table.loc[2007, "from_other_years_h"] > 100  # nine days in June
    assert not weather.quality.false_low_irradiance


# ---------------------------------------------------------------- every format from one synthetic year


def synthetic_year(sun_offset_minutes: float = 30.0, year: int = 2015) -> pd.DataFrame:
    """A clear year with a dark spell, at SITE, in local standard time; index: starts of the hours."""
    sun = solar_geometry(SITE, 60, SITE.utc_offset_h, sun_offset_minutes)
    cosine = np.maximum(np.cos(np.radians(sun.zenith_deg)), 0) * (sun.ghi_extra_w_m2 > 0)
    cloud = np.ones(365)
    cloud[20:25] = 0.3
    dni = np.round(0.65 * sun.dni_extra_w_m2 * np.sqrt(cosine) * np.repeat(cloud, 24))
    dhi = np.round(90 * cosine)
    index = pd.date_range(f"{year}-01-01", periods=8760, freq="h")
    temp = np.round(
        12 - 10 * np.cos(np.arange(8760) / 8760 * 2 * np.pi) + 6 * np.sin(np.arange(8760) / 24 * 2 * np.pi), 1
    )
    wind = np.round(3 + 2 * np.sin(np.arange(8760) / 50.0), 1)
    return pd.DataFrame(
        {"ghi": np.round(dni * cosine + dhi), "dni": dni, "dhi": dhi, "temp": temp, "wind": wind}, index=index
    )


def write_nsrdb(path: Path, year: pd.DataFrame) -> None:
    keys = (
        "Source,Location ID,City,State,Country,Latitude,Longitude,Time Zone,Elevation,Local Time Zone,Version"
    )
    rows = [keys, "NSRDB,1,-,-,-,35.2,-101.95,-6,1100,-6,4.0.1"]
    rows.append("Year,Month,Day,Hour,Minute,GHI,DNI,DHI,Temperature,Wind Speed")
    rows += [
        f"{t.year},{t.month},{t.day},{t.hour},30,{r[0]:.0f},{r[1]:.0f},{r[2]:.0f},{r[3]},{r[4]}"
        for t, *r in year.itertuples()
    ]
    path.write_text("\n".join(rows) + "\n")


def write_nsrdb_typical(path: Path, year: pd.DataFrame) -> None:
    write_nsrdb(path, year)
    years = [2003, 2010, 2001, 2015, 1999, 2004, 2012, 2007, 2003, 1998, 2009, 2011]
    lines = path.read_text().splitlines()
    body = [f"{years[int(line.split(',')[1]) - 1]},{line.split(',', 1)[1]}" for line in lines[3:]]
    path.write_text("\n".join(lines[:3] + body) + "\n")


def write_epw(path: Path, year: pd.DataFrame, source: str = "TMY3") -> None:
    head = [
        f"LOCATION,Amarillo,TX,USA,{source},723630,35.2,-101.95,-6.0,1100.0", "DESIGN CONDITIONS,0",
        "TYPICAL/EXTREME PERIODS,0", "GROUND TEMPERATURES,0", "HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0",
        "COMMENTS 1,made", "COMMENTS 2,", "DATA PERIODS,1,1,Data,Sunday, 1/ 1,12/31",
    ]  # fmt: skip
    rows = []
    for t, *r in year.itertuples():
        values = ["9"] * 35
        values[:6] = [str(t.year), str(t.month), str(t.day), str(t.hour + 1), "60", "?9"]
        values[6], values[13], values[14], values[15] = str(r[3]), f"{r[0]:.0f}", f"{r[1]:.0f}", f"{r[2]:.0f}"
        values[21] = str(r[4])
        rows.append(",".join(values))
    path.write_text("\n".join(head + rows) + "\n")


def write_tmy3(path: Path, year: pd.DataFrame) -> None:
    rows = ['723630,"AMARILLO",TX,-6.0,35.200,-101.950,1100']
    rows.append("Date (MM/DD/YYYY),Time (HH:MM),GHI (W/m^2),DNI (W/m^2),DHI (W/m^2),Dry-bulb (C),Wspd (m/s)")
    years = [1992, 1988, 2003, 1999, 1985, 2001, 1990, 1996, 1980, 1994, 1987, 2002]
    for t, *r in year.itertuples():
        date = f"{t.month:02d}/{t.day:02d}/{years[t.month - 1]}"
        rows.append(f"{date},{t.hour + 1:02d}:00,{r[0]:.0f},{r[1]:.0f},{r[2]:.0f},{r[3]},{r[4]}")
    path.write_text("\n".join(rows) + "\n")


def write_tmy2(path: Path, year: pd.DataFrame) -> None:
    rows = [" 23047 AMARILLO               TX  -6 N 35 12 W 101 57  1100"]
    for t, *r in year.itertuples():
        ghi, dni, dhi, temp, wind = r[0], r[1], r[2], r[3] * 10, r[4] * 10
        flagged = "".join(f"{value:4.0f}A7" for value in (ghi, dni, dhi))
        light = "".join(f"{0:4d}A7" for _ in range(4))
        air = f"{10:2d}A7{10:2d}A7{temp:4.0f}A7{0:4d}A7{50:3d}A7{890:4d}A7"
        rest = f"{air}{180:3d}A7{wind:3.0f}A7{200:4d}A7{77777:5d}A7"
        tail = f"{9999999999:10d}{10:3d}A7{50:3d}A7{0:3d}A7{88:2d}A7"
        rows.append(f" 76{t.month:02d}{t.day:02d}{t.hour + 1:02d}{0:4d}{0:4d}{flagged}{light}{rest}{tail}")
    path.write_text("\n".join(rows) + "\n")


def _utc(year: pd.DataFrame) -> pd.DataFrame:
    """The same hours as a UTC file of that year has them: the end of the local year comes first."""
    shifted = year.set_axis(year.index + pd.Timedelta(hours=6))
    first = shifted.index[0].year
    shifted.index = pd.DatetimeIndex([t if t.year == first else t.replace(year=first) for t in shifted.index])
    return shifted.sort_index()


def _pvgis_rows(year: pd.DataFrame) -> list[dict[str, float | str]]:
    utc = _utc(year)
    sun = solar_geometry(SITE, 60, 0.0, 10.0, year=2015)
    height = 90 - sun.zenith_deg
    rows: list[dict[str, float | str]] = []
    for (t, *r), h in zip(utc.itertuples(), height, strict=True):
        beam = max(r[0] - r[2], 0.0)
        row = {
            "time": f"{t:%Y%m%d:%H}10",
            "Gb(i)": beam,
            "Gd(i)": r[2],
            "Gr(i)": 0.0,
            "H_sun": round(max(h, 0.0), 3),
        }
        rows.append({**row, "T2m": r[3], "WS10m": r[4], "Int": 0.0})
    return rows


def write_pvgis_json(path: Path, year: pd.DataFrame) -> None:
    inputs = {
        "location": {"latitude": 35.2, "longitude": -101.95, "elevation": 1100.0},
        "meteo_data": {"radiation_db": "PVGIS-NSRDB", "year_min": 2015, "year_max": 2015},
        "mounting_system": {"fixed": {"slope": {"value": 0, "optimal": False}, "azimuth": {"value": 0}}},
    }
    text = {"inputs": inputs, "outputs": {"hourly": _pvgis_rows(year)}, "meta": {"inputs": {}, "outputs": {}}}
    path.write_text(json.dumps(text))


def write_pvgis_csv(path: Path, year: pd.DataFrame) -> None:
    rows = _pvgis_rows(year)
    head = [
        "Latitude (decimal degrees):\t35.200", "Longitude (decimal degrees):\t-101.950",
        "Elevation (m):\t1100", "Radiation database:\tPVGIS-NSRDB", "", "Slope: 0 deg. ",
        "Azimuth: 0 deg. ", ",".join(rows[0]),
    ]  # fmt: skip
    body = [",".join(str(value) for value in row.values()) for row in rows]
    path.write_text(
        "\r\n".join(head + body + ["", "Gb(i): Beam irradiance", "PVGIS (c) European Union"]) + "\r\n"
    )


def write_pvgis_typical(path: Path, year: pd.DataFrame) -> None:
    years = [2007, 2012, 2014, 2009, 2016, 2010, 2013, 2011, 2015, 2008, 2006, 2005]
    head = [
        "Latitude (decimal degrees): 35.200",
        "Longitude (decimal degrees): -101.950",
        "Elevation (m): 1100.0",
    ]
    head += [
        "Irradiance Time Offset (h): 0.1667",
        "month,year",
        *(f"{m + 1},{y}" for m, y in enumerate(years)),
    ]
    head.append("time(UTC),T2m,RH,G(h),Gb(n),Gd(h),IR(h),WS10m,WD10m,SP")
    body = [
        f"{years[t.month - 1]}{t:%m%d:%H%M},{r[3]},50,{r[0]},{r[1]},{r[2]},300,{r[4]},180,89000"
        for t, *r in _utc(year).itertuples()
    ]
    path.write_text("\r\n".join(head + body + ["T2m: 2-m air temperature"]) + "\r\n")


def write_plain(path: Path, year: pd.DataFrame) -> None:
    head = ["# latitude: 35.2", "# longitude: -101.95", "# utc_offset: -6", "# convention: end"]
    head.append(
        "Time,Global Horizontal (kW/m2),DNI [W/m2],Diffuse Horizontal (Wh/m2),Temperature (F),"
        "Wind Speed (km/h)"
    )
    body = [
        f"{t + pd.Timedelta(hours=1):%Y-%m-%d %H:%M},{r[0] / 1000:.4f},{r[1]:.0f},{r[2]:.0f},"
        f"{r[3] * 1.8 + 32:.2f},{r[4] * 3.6:.2f}"
        for t, *r in year.itertuples()
    ]
    path.write_text("\n".join(head + body) + "\n")


FORMATS = [
    pytest.param(write_nsrdb, 30.0, False, "NSRDB PSM v4.0.1", id="nsrdb"),
    pytest.param(write_nsrdb_typical, 30.0, True, "NSRDB PSM v4.0.1", id="nsrdb-tmy"),
    pytest.param(write_epw, 30.0, True, "EPW", id="epw"),
    pytest.param(write_tmy3, 30.0, True, "TMY3", id="tmy3"),
    pytest.param(write_tmy2, 30.0, True, "TMY2", id="tmy2"),
    pytest.param(write_pvgis_json, 10.0, False, "PVGIS hourly PVGIS-NSRDB", id="pvgis-json"),
    pytest.param(write_pvgis_csv, 10.0, False, "PVGIS hourly PVGIS-NSRDB", id="pvgis-csv"),
    pytest.param(write_pvgis_typical, 10.0, True, "PVGIS TMY", id="pvgis-tmy"),
    pytest.param(write_plain, 30.0, False, "CSV with named columns", id="plain"),
]


@pytest.mark.parametrize(("write", "sun_offset", "typical", "kind"), FORMATS)
def test_every_format_gives_the_same_year_whatever_the_file_is_called(
    tmp_path: Path, write: Callable[[Path, pd.DataFrame], None], sun_offset: float, typical: bool, kind: str
):
    year = synthetic_year(sun_offset)
    path = tmp_path / "weather.xyz"  # recognised by content
    write(path, year)
    weather = Weather.read(path)
    assert weather.source.description == kind
    assert weather.source.is_tmy is typical
    assert weather.years == ((1,) if typical else (2015,))
    assert weather.step_minutes == 60
    assert weather.utc_offset_h == -6
    assert weather.sun_offset_minutes == pytest.approx(sun_offset, abs=0.01)
    assert weather.site.latitude == pytest.approx(35.2)
    assert weather.site.longitude == pytest.approx(-101.95)
    np.testing.assert_allclose(weather.ghi_w_m2[0], year["ghi"], atol=1.01)
    np.testing.assert_allclose(weather.temp_air_c[0], year["temp"], atol=0.01)
    np.testing.assert_allclose(weather.wind_speed_m_s[0], year["wind"], atol=0.01)
    high = solar_geometry(SITE, 60, -6.0, sun_offset).zenith_deg < 80
    np.testing.assert_allclose(weather.dni_w_m2[0][high], year["dni"][high], atol=8)
    assert abs(sun_errors(weather)[0]) < 3
    assert weather.quality.repaired_share == 0


def test_epw_of_an_actual_year_keeps_it(tmp_path: Path):
    write_epw(tmp_path / "a.epw", synthetic_year(), source="Custom AMY")
    weather = Weather.read(tmp_path / "a.epw")
    assert weather.years == (2015,)
    assert not weather.source.is_tmy
    assert any("taken as that actual year" in note for note in weather.source.notes)


def test_two_years_and_a_readme_in_a_folder_are_joined_in_order(tmp_path: Path):
    write_nsrdb(tmp_path / "b.csv", synthetic_year(year=2014))
    write_nsrdb(tmp_path / "a.csv", synthetic_year(year=2015))
    (tmp_path / "README.md").write_text("Notes on these files.")
    weather = Weather.read(tmp_path)
    assert weather.years == (2014, 2015)
    assert weather.source.files == ("b.csv", "a.csv")
    assert "not weather, left out: README.md" in weather.source.notes


def test_leap_year_drops_29_february_and_keeps_1_march(tmp_path: Path):
    index = pd.date_range("2016-01-01", periods=8784, freq="h")
    year = pd.DataFrame(
        {"ghi": 0.0, "temp": np.asarray(index.day_of_year, dtype=float) % 30, "wind": 1.0}, index=index
    )
    sun = solar_geometry(SITE, 60, -6.0, 30.0).ghi_extra_w_m2
    year["ghi"] = np.insert(sun, 59 * 24, sun[59 * 24 : 60 * 24]) * 0.7
    head = "# latitude: 35.2\n# longitude: -101.95\n# utc_offset: -6\n# convention: start\n"
    (tmp_path / "a.csv").write_text(head + year.to_csv(index_label="time"))
    weather = Weather.read(tmp_path / "a.csv")
    assert weather.ghi_w_m2.shape == (1, 8760)
    assert weather.temp_air_c[0, 59 * 24] == 61 % 30  # 1 March is day 61
    assert "29 February dropped (1 days)" in weather.source.notes


def test_a_european_table_with_semicolons_commas_and_day_first_is_read(tmp_path: Path):
    year = synthetic_year()
    lines = ["# utc_offset: -06:00", "# convention: start", "Time;GHI [W/m²];Tair [°C]"]
    for t, *r in year.itertuples():
        lines.append(f"{t:%d.%m.%Y %H:%M};" + f"{r[0]:.1f};{r[3]:.1f}".replace(".", ","))
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n", encoding="utf-8-sig", newline="\r\n")
    weather = Weather.read(tmp_path / "a.csv", site=SITE)
    np.testing.assert_allclose(weather.ghi_w_m2[0], year["ghi"], atol=0.06)
    np.testing.assert_allclose(weather.temp_air_c[0], year["temp"], atol=1e-9)


def test_windows_line_ends_change_nothing(tmp_path: Path):
    for write in (write_nsrdb, write_epw, write_tmy3, write_plain):
        write(tmp_path / "a", synthetic_year())
        expected = Weather.read(tmp_path / "a").ghi_w_m2
        (tmp_path / "a").write_text((tmp_path / "a").read_text(), newline="\r\n")
        np.testing.assert_array_equal(Weather.read(tmp_path / "a").ghi_w_m2, expected)


def test_hours_1_to_24_in_their_own_columns_are_read(tmp_path: Path):
    year = synthetic_year()
    lines = ["# utc_offset: -6", "# convention: end", "Year,Month,Day,Hour,GHI,Temperature"]
    lines += [f"{t.year},{t.month},{t.day},{t.hour + 1},{r[0]},{r[3]}" for t, *r in year.itertuples()]
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    np.testing.assert_allclose(Weather.read(tmp_path / "a.csv", site=SITE).ghi_w_m2[0], year["ghi"])


@pytest.mark.parametrize("declared", [None, "start", "end"])
def test_plain_csv_without_convention_is_measured_and_a_wrong_one_is_flagged(
    tmp_path: Path, declared: str | None
):
    year = synthetic_year()
    stamps = year.index + pd.Timedelta(hours=1)  # really interval ends
    head = "# utc_offset: -6\n" + (f"# convention: {declared}\n" if declared else "")
    table = year[["ghi", "temp"]].set_axis(stamps)
    (tmp_path / "a.csv").write_text(head + table.to_csv(index_label="time"))
    weather = Weather.read(tmp_path / "a.csv", site=SITE)
    error = sun_errors(weather)[0]
    if declared == "start":
        assert error == pytest.approx(60, abs=3)
        assert any("check time zone" in flag for flag in weather.quality.flags)
    else:
        assert abs(error) < 3
        np.testing.assert_allclose(weather.ghi_w_m2[0, :-1], year["ghi"][:-1], atol=1e-9)
        assert not any("check time zone" in flag for flag in weather.quality.flags)


def test_half_hour_time_zone_starts_days_on_whole_steps(tmp_path: Path):
    site = Site(latitude=23.0, longitude=77.0)  # India, UTC+5:30
    sun = solar_geometry(site, 60, 0.0, 30.0)
    year = pd.DataFrame(
        {"ghi": sun.ghi_extra_w_m2 * 0.7, "temp_air": 20.0},
        index=pd.date_range("2015-01-01", periods=8760, freq="h"),
    )
    (tmp_path / "a.csv").write_text(
        "# utc_offset: UTC\n# convention: start\n" + year.to_csv(index_label="time")
    )
    weather = Weather.read(tmp_path / "a.csv", site=site)
    assert weather.utc_offset_h in (5.0, 6.0)
    assert abs(sun_errors(weather)[0]) < 2
    assert any("no whole number of steps" in note for note in weather.source.notes)


def surfrad_day(day: pd.Timestamp, sun: np.ndarray) -> str:
    """A file of 3-minute means stamped at their end, as SURFRAD wrote before 2009."""
    lines = [" Table Mountain", "  40.125 -105.237 1689 m version 1"]
    for slot in range(480):
        stamp = day + pd.Timedelta(minutes=3 * slot)
        hour = stamp.hour + stamp.minute / 60
        pairs = [
            f"{sun[slot] * 0.7:.1f} 0",
            "-9999.9 0",
            "-9999.9 0",
            f"{sun[slot] * 0.1:.1f} 0",
            *["300.0 0"] * 11,
        ]
        pairs += ["10.5 0", "40.0 0", "2.5 0", "180.0 0", "830.0 0"]
        date = f"{stamp.year} {stamp.day_of_year} {stamp.month} {stamp.day}"
        head = f"{date} {stamp.hour} {stamp.minute} {hour:.3f} 90.0"
        lines.append(f"{head} {' '.join(pairs)}")
    return "\n".join(lines) + "\n"


@pytest.mark.slow
def test_surfrad_days_of_3_minutes_become_a_year_of_15(tmp_path: Path):
    site = Site(latitude=40.125, longitude=-105.237, elevation_m=1689.0)
    sun = solar_geometry(site, 5, 0.0, 2.5).ghi_extra_w_m2
    minutes = np.arange(365 * 480) * 3 - 1.5
    fine = np.interp(minutes, np.arange(len(sun)) * 5 + 2.5, sun)
    for number, day in enumerate(pd.date_range("2007-01-01", periods=365)):
        (tmp_path / f"tbl07{number + 1:03d}.dat").write_text(
            surfrad_day(day, fine[number * 480 : (number + 1) * 480])
        )
    weather = Weather.read(tmp_path)
    assert weather.years == (2007,)
    assert weather.step_minutes == 15
    assert weather.sun_offset_minutes == 7.5
    assert abs(sun_errors(weather)[0]) < 3
    assert mean_kwh(weather) == pytest.approx(sun.mean() * 0.7 * 0.024, rel=0.01)
    assert any("averaged to 15 minutes" in note for note in weather.source.notes)


def test_one_surfrad_day_is_read_but_is_no_year(tmp_path: Path):
    path = tmp_path / "x"
    path.write_text(surfrad_day(pd.Timestamp("2007-06-01"), np.full(480, 300.0)))
    with pytest.raises(InputError, match="24 hours in all; needs at least one whole calendar year"):
        Weather.read(path)


# ---------------------------------------------------------------------------------- what can be wrong


WRONG_KINDS = [
    (b"%PDF-1.7 ...", "a PDF document"),
    (b"PK\x03\x04xl/workbook", "an Excel workbook or zip archive"),
    (b"\x89PNG\r\n\x1a\n....", "a PNG picture"),
    (b"", "an empty file"),
    (b"  <!DOCTYPE html><html><body>502 Bad Gateway</body></html>", "a web page"),
    (b"time,AC_Power (kW)\n2015-01-01 00:00,0\n", "a PV production profile"),
    (b"# Output in kWh\n\nsee the table\n", "text of an unknown kind, beginning '# Output in kWh'"),
    (b"dear sir,\nhello\n", "text of an unknown kind, beginning 'dear sir,'"),
    (b"abc\x00\x01\x02" * 20, "a binary file"),
    (("03758 20080101 0005 " + "1.0 " * 35).encode(), "a USCRN file with 38 columns"),
]


def test_every_wrong_kind_of_file_is_named_all_at_once(tmp_path: Path):
    paths = []
    for number, (content, _) in enumerate(WRONG_KINDS):
        paths.append(tmp_path / f"{number}.csv")
        paths[-1].write_bytes(content)
    with pytest.raises(InputError) as caught:
        Weather.read(*paths, tmp_path / "absent.csv")
    assert len(caught.value.faults) == len(WRONG_KINDS) + 1
    text = str(caught.value)
    for _, words in WRONG_KINDS:
        assert words in text
    assert "no such file or folder" in text
    assert "solar_profile" in text


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda t: pd.concat([t.iloc[:100], t.iloc[99:]]), "1 duplicate stamps, the first 2015-01-05 03:00"),
        (lambda t: pd.concat([t.iloc[5000:], t.iloc[:5000]]), "stamps out of order"),
        (
            lambda t: pd.concat([t.iloc[:4000], t.iloc[4000:].resample("30min").ffill()]),
            "steps of 30, 60 minutes in one file",
        ),
        (lambda t: t.iloc[::3], "a step of 180 minutes"),
        (lambda t: t.drop(t.index[3000:3300]), "first gap above the limit from 05-06"),
        (lambda t: t[t.index.month <= 6], "of daylight hours missing"),
        (lambda t: t.assign(ghi=t["ghi"] / 1000), "irradiance that never exceeds"),
    ],
)
def test_faulty_series_are_refused_with_what_was_found(
    tmp_path: Path, spoil: Callable[[pd.DataFrame], pd.DataFrame], words: str
):
    table = spoil(synthetic_year()[["ghi", "temp"]])
    head = "# utc_offset: -6\n# convention: start\n"
    (tmp_path / "a.csv").write_text(head + table.to_csv(index_label="time"))
    with pytest.raises(InputError) as caught:
        Weather.read(tmp_path / "a.csv", site=SITE)
    assert words in str(caught.value)


def test_files_that_do_not_fit_together_are_refused(tmp_path: Path):
    write_nsrdb(tmp_path / "a.csv", synthetic_year(year=2014))
    write_nsrdb(tmp_path / "b.csv", synthetic_year(year=2014))
    with pytest.raises(InputError, match=r"b\.csv: got 8760 hours that a.csv has too"):
        Weather.read(tmp_path)
    write_nsrdb_typical(tmp_path / "b.csv", synthetic_year())
    with pytest.raises(InputError, match="typical and calendar years mixed"):
        Weather.read(tmp_path)


def test_a_file_from_another_place_is_refused_with_the_distance(tmp_path: Path):
    write_nsrdb(tmp_path / "a.csv", synthetic_year())
    with pytest.raises(InputError, match=r"423 km from the site.*must be within 25 km"):
        Weather.read(tmp_path / "a.csv", site=Site(latitude=31.76, longitude=-103.9))
    near = Weather.read(tmp_path / "a.csv", site=Site(latitude=35.3, longitude=-101.9))
    assert near.site.latitude == 35.3


def test_a_folder_without_weather_says_what_it_holds(tmp_path: Path):
    (tmp_path / "README.md").write_text("Nothing here.")
    (tmp_path / "inner").mkdir()
    with pytest.raises(
        InputError, match=r"no weather file, only README\.md.*Folders are not searched deeper"
    ):
        Weather.read(tmp_path)


def test_a_table_without_place_or_time_asks_for_them(tmp_path: Path):
    (tmp_path / "a.csv").write_text(synthetic_year()[["ghi", "temp"]].to_csv(index_label="time"))
    with pytest.raises(
        InputError, match="no time zone and interval convention, and no place to measure it at"
    ):
        Weather.read(tmp_path / "a.csv")


def test_a_file_cut_short_names_the_format_it_began_like(tmp_path: Path):
    write_pvgis_json(tmp_path / "a.json", synthetic_year(10.0))
    text = (tmp_path / "a.json").read_text()
    (tmp_path / "a.json").write_text(text[: len(text) // 2])
    with pytest.raises(InputError, match="begins like PVGIS JSON but cannot be read"):
        Weather.read(tmp_path / "a.json")


def test_pvgis_on_a_tilted_plane_is_refused(tmp_path: Path):
    write_pvgis_csv(tmp_path / "a.csv", synthetic_year(10.0))
    text = (tmp_path / "a.csv").read_text().replace("Slope: 0 deg", "Slope: 35 deg")
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError, match=r"irradiance on a plane of 35\.0 degrees"):
        Weather.read(tmp_path / "a.csv")


def test_samples_of_every_format_are_recognised_under_a_wrong_name(tmp_path: Path):
    """A few rows of each: parsed, then refused as less than a year, never as an unknown kind."""
    samples = sorted(DATA.glob("*"))
    assert len(samples) >= 8
    for sample in samples:
        copy = tmp_path / "file.bin"
        copy.write_bytes(sample.read_bytes())
        with pytest.raises(InputError) as caught:
            Weather.read(copy, site=None if "plain" not in sample.name else SITE)
        assert "unknown kind" not in str(caught.value), sample.name
        assert "whole calendar year" in str(caught.value) or "daylight hours missing" in str(caught.value), (
            sample.name
        )
