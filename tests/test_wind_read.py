"""Wind of users' files: read as it is meant, or refused with its cause; never silently wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sitedesign as sd

SITE = sd.Site(latitude=32.5, longitude=-100.0)
YEAR = 2013
STEPS = 8760


def weather_of(site: sd.Site = SITE, years: tuple[int, ...] = (YEAR,)) -> sd.Weather:
    """Weather as if it had been read from files of these calendar years."""
    made = sd.Weather.generate(site, years=len(years), seed=4)
    return replace(made, years=years, source=replace(made.source, kind="file"))


SUN = weather_of()
RNG = np.random.default_rng(5)
# Hours that rise and fall over days; temperature like the weather's, so that the clock can be told by it.
SPEED = np.clip(
    8 + 3.5 * np.convolve(RNG.standard_normal(STEPS + 23), np.ones(24) / np.sqrt(24), "valid"), 0.4, 24
)
WARMTH = SUN.temp_air_c[0]
STAMPS = pd.date_range(f"{YEAR}-01-01", periods=STEPS, freq="h")
HEAD = "# utc_offset: -6\n# convention: start\n"


def table(columns: dict[str, np.ndarray], stamps: pd.Index = STAMPS, time: str = "time") -> str:
    frame = pd.DataFrame(columns)
    frame.insert(0, time, pd.Index(stamps))
    return csv_of(frame, "%.6g")


def csv_of(frame: pd.DataFrame, style: str, **given: str) -> str:
    """Text with numbers of one style; `to_csv` takes eight times as long for its `float_format`."""
    texts = {
        place: np.where(column.isna(), "", [style % number for number in column.tolist()])
        for place, (_, column) in enumerate(frame.items())
        if column.dtype.kind == "f"
    }
    for place, text in texts.items():
        frame = frame.assign(**{frame.columns[place]: text})
    return frame.to_csv(index=False, **given)


def written(tmp_path: Path, text: str, name: str = "wind.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def read(tmp_path: Path, text: str, sun: sd.Weather = SUN, name: str = "wind.csv", **given) -> sd.Weather:
    return sun.with_wind(written(tmp_path, text, name), **given)


def refused(tmp_path: Path, text: str, sun: sd.Weather = SUN, name: str = "wind.csv", **given) -> str:
    with pytest.raises(sd.InputError) as caught:
        read(tmp_path, text, sun, name, **given)
    assert all(fault.found and fault.allowed for fault in caught.value.faults)
    return str(caught.value)


# Units and heights ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "factor"),
    [
        ("wind_speed_100m (m/s)", 1.0),
        ("wind speed at 100m (m/s)", 1.0),
        ("Wind Speed (100 m) [km/h]", 3.6),
        ("wind_speed_100m (mph)", 3600 / 1609.344),
        ("windspeed_100m (kn)", 3600 / 1852),
        ("wind_speed_100m (knots)", 3600 / 1852),
        ("wind_speed_100m (ft/s)", 1 / 0.3048),
        ("wind speed 328.084 ft (m/s)", 1.0),
        ("wind_speed_100m_kmh", 3.6),
        ("WS100M (m/s)", 1.0),
        ("ws100 [m/s]", 1.0),
    ],
)
def test_units_and_heights_are_read_from_names(tmp_path, name, factor):
    wind = read(tmp_path, HEAD + table({name: SPEED * factor})).wind_aloft
    assert wind.heights_m == (pytest.approx(100.0, abs=1e-3),)
    np.testing.assert_allclose(wind.speed_m_s[0, 0], SPEED, rtol=2e-5)


def test_a_row_of_units_below_the_names_is_read(tmp_path):
    lines = table({"wind_speed_100m": SPEED * 3.6}).split("\n")
    text = HEAD + "\n".join([lines[0], ",km/h", *lines[1:]])
    np.testing.assert_allclose(read(tmp_path, text).wind_aloft.speed_m_s[0, 0], SPEED, rtol=2e-5)


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("wind_speed_100m", "without a unit"),
        ("wind_speed_100m (furlong/h)", "the unit 'furlong/h'"),
        ("wind_speed (m/s)", "no wind speed at a named height"),
        ("wind_gusts_100m (m/s)", "no wind speed at a named height"),
        ("wind_speed_100m_max (m/s)", "no wind speed at a named height"),
        ("wind_direction_100m (m/s)", "no wind speed at a named height"),
    ],
)
def test_a_speed_without_height_or_unit_is_refused(tmp_path, name, cause):
    assert cause in refused(tmp_path, HEAD + table({name: SPEED}))


def test_all_faults_are_told_at_once(tmp_path):
    text = HEAD + table({"wind_speed_80m": SPEED, "wind_speed_100m (parsec/h)": SPEED})
    message = refused(tmp_path, text)
    assert "2 problems" in message
    assert "wind_speed_80m" in message
    assert "parsec/h" in message


@pytest.mark.parametrize(
    ("factor", "cause"), [(3.6, "km/h, mph or knots"), (2.23694, "on average"), (0.27, "so calm")]
)
def test_speeds_that_no_air_has_are_refused(tmp_path, factor, cause):
    assert cause in refused(tmp_path, HEAD + table({"wind_speed_100m (m/s)": SPEED * factor}))


def test_a_level_far_from_the_climates_is_doubted(tmp_path):
    weather = read(tmp_path, HEAD + table({"wind_speed_100m (m/s)": SPEED * 0.5}))
    assert any("NREL's map" in doubt for doubt in weather.source.doubts)
    assert not read(tmp_path, HEAD + table({"wind_speed_100m (m/s)": SPEED})).source.doubts


@pytest.mark.parametrize(
    "names", [("u100", "v100"), ("100m_u_component_of_wind", "100m_v_component_of_wind")]
)
def test_era5_is_in_utc_and_in_si_units(tmp_path, names):
    east, north = SPEED * np.cos(np.arange(STEPS)), SPEED * np.sin(np.arange(STEPS))
    columns = dict(zip(names, (east, north), strict=True)) | {
        "t2m": WARMTH + 273.15, "sp": np.full(STEPS, 94_800.0), "latitude": 32.5, "longitude": -100.0
    }  # fmt: skip
    wind = read(tmp_path, table(columns, STAMPS + pd.Timedelta(hours=6), "valid_time")).wind_aloft
    np.testing.assert_allclose(wind.speed_m_s[0, 0], SPEED, rtol=1e-4)
    assert wind.density_kg_m3.mean() == pytest.approx(1.125, abs=0.01)


def test_one_component_is_no_speed(tmp_path):
    assert "no wind speed" in refused(tmp_path, table({"u100": SPEED}, time="valid_time"))


def test_columns_of_exchanged_heights_are_refused(tmp_path):
    text = HEAD + table({"wind_speed_100m (m/s)": 0.7 * SPEED, "wind_speed_40m (m/s)": SPEED})
    assert "wind grows with height" in refused(tmp_path, text)


def test_negative_speeds_are_refused_and_sentinels_are_holes(tmp_path):
    signed = np.where(np.arange(STEPS) % 7, SPEED, -SPEED)
    assert "speeds below zero" in refused(tmp_path, HEAD + table({"wind_speed_100m (m/s)": signed}))
    with_gap = SPEED.copy()
    with_gap[100:110] = -999.0
    weather = read(tmp_path, HEAD + table({"wind_speed_100m (m/s)": with_gap}))
    assert np.isfinite(weather.wind_aloft.speed_m_s).all()
    assert weather.wind_aloft.speed_m_s.max() < 25
    assert any("wind speeds repaired" in note for note in weather.source.notes)


# Clocks -----------------------------------------------------------------------------------------------------


def test_zone_and_convention_are_never_guessed(tmp_path):
    body = table({"wind_speed_100m (m/s)": SPEED})
    assert "no time zone" in refused(tmp_path, "# convention: start\n" + body)
    assert "instants or means" in refused(tmp_path, "# utc_offset: -6\n" + body)


@pytest.mark.parametrize(("convention", "later"), [("start", 0), ("instant", 0), ("end", -1)])
def test_stamps_stand_where_they_are_said_to(tmp_path, convention, later):
    text = f"# utc_offset: -6\n# convention: {convention}\n" + table({"wind_speed_100m (m/s)": SPEED})
    found = read(tmp_path, text).wind_aloft.speed_m_s[0, 0]
    np.testing.assert_allclose(found[10:-10], np.roll(SPEED, later)[10:-10], rtol=1e-4)


@pytest.mark.parametrize("how", ["header", "name", "offset", "argument"])
def test_utc_is_understood_however_it_is_said(tmp_path, how):
    utc = STAMPS + pd.Timedelta(hours=6)
    stamps = utc.strftime("%Y-%m-%d %H:%M+00:00") if how == "offset" else utc
    time = "time_utc" if how == "name" else "time"
    text = "# convention: start\n" + table({"wind_speed_100m (m/s)": SPEED}, stamps, time)
    text = "# utc_offset: 0\n" + text if how == "header" else text
    given = {"utc_offset_h": 0.0} if how == "argument" else {}
    found = read(tmp_path, text, **given).wind_aloft.speed_m_s[0, 0]
    np.testing.assert_allclose(found, SPEED, rtol=1e-4)


def test_hours_of_a_utc_year_that_fall_beside_the_local_one_are_rolled(tmp_path):
    text = "# utc_offset: 0\n# convention: start\n" + table({"wind_speed_100m (m/s)": SPEED})
    found = read(tmp_path, text).wind_aloft.speed_m_s[0, 0]
    np.testing.assert_allclose(found, np.roll(SPEED, -6), rtol=1e-4)


@pytest.mark.parametrize("hours", [5, 6, 8, -6, 12])
def test_a_clock_that_is_hours_out_is_seen_by_its_temperatures(tmp_path, hours):
    columns = {"wind_speed_100m (m/s)": np.roll(SPEED, hours), "temperature_2m (C)": np.roll(WARMTH, hours)}
    assert "come" in (message := refused(tmp_path, HEAD + table(columns)))
    assert "time zones" in message


@pytest.mark.parametrize("hours", [0, 1, 2])
def test_temperatures_aloft_may_lag(tmp_path, hours):
    columns = {"wind_speed_100m (m/s)": SPEED, "temperature_100m (C)": np.roll(WARMTH, hours)}
    assert read(tmp_path, HEAD + table(columns)).wind_aloft is not None


def test_a_summer_clock_is_refused(tmp_path):
    stamps = STAMPS.to_numpy().copy()
    stamps[2000:7000] += np.timedelta64(1, "h")
    message = refused(tmp_path, HEAD + table({"wind_speed_100m (m/s)": SPEED}, pd.DatetimeIndex(stamps)))
    assert "daylight saving" in message or "out of order" in message or "twice" in message


def test_stamps_without_a_year_are_refused(tmp_path):
    columns = {"Month": STAMPS.month, "Day": STAMPS.day, "Hour": STAMPS.hour, "wind_speed_100m (m/s)": SPEED}
    assert "without a year" in refused(tmp_path, HEAD + pd.DataFrame(columns).to_csv(index=False))


@pytest.mark.parametrize("zone", ["6", "UTC+6", "+05:30", "Asia/Kolkata"])
def test_a_declared_clock_far_from_the_site_is_refused(tmp_path, zone):
    text = f"# utc_offset: {zone}\n# convention: start\n" + table({"wind_speed_100m (m/s)": SPEED})
    assert "sign lost" in refused(tmp_path, text)
    assert read(tmp_path, text, utc_offset_h=-6.0).wind_aloft is not None  # somebody knows better


def test_rows_that_run_back_in_time_are_turned_round(tmp_path):
    text = HEAD + table({"wind_speed_100m (m/s)": SPEED[::-1]}, STAMPS[::-1])
    np.testing.assert_allclose(read(tmp_path, text).wind_aloft.speed_m_s[0, 0], SPEED, rtol=1e-4)


# What air cannot do -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "hours"), [(0.0, 200), (7.3, 60), (7.3, 8760)])
def test_an_instrument_that_stood_still_is_refused(tmp_path, value, hours):
    stuck = SPEED.copy()
    stuck[:hours] = value
    assert "hours in a row" in refused(tmp_path, HEAD + table({"wind_speed_100m (m/s)": stuck}))


@pytest.mark.parametrize(
    ("values", "unit"), [(WARMTH * 1.8 + 32, "C"), (WARMTH + 273.15, "C"), (WARMTH, "K"), (WARMTH, "F")]
)
def test_temperatures_of_another_unit_are_refused(tmp_path, values, unit):
    text = HEAD + table({"wind_speed_100m (m/s)": SPEED, f"temperature_2m ({unit})": values})
    assert "where the weather has" in refused(tmp_path, text)


@pytest.mark.parametrize(
    ("unit", "per_pa"), [("Pa", 1), ("hPa", 100), ("mbar", 100), ("kPa", 1000), ("atm", 101325)]
)
def test_units_of_pressure_are_read_and_guarded(tmp_path, unit, per_pa):
    right = {"wind_speed_100m (m/s)": SPEED, f"surface_pressure ({unit})": np.full(STEPS, 94_800 / per_pa)}
    density = read(tmp_path, HEAD + table(right)).wind_aloft.density_kg_m3
    assert density.mean() == pytest.approx(1.125, abs=0.01)
    wrong = right | {f"surface_pressure ({unit})": np.full(STEPS, 80_000 / per_pa)}
    assert "another unit" in refused(tmp_path, HEAD + table(wrong))


def test_two_columns_of_one_height_must_agree(tmp_path):
    same = {"wind_speed_100m (m/s)": SPEED, "ws100m (km/h)": SPEED * 3.6}
    assert read(tmp_path, HEAD + table(same)).wind_aloft.heights_m == (100.0,)
    other = {"wind_speed_100m (m/s)": SPEED, "ws100m (m/s)": SPEED * 1.2}
    assert "which differ" in refused(tmp_path, HEAD + table(other))


def test_wind_near_the_ground_alone_is_refused_unless_the_shear_is_given(tmp_path):
    text = HEAD + table({"wind_speed_10m (m/s)": SPEED * 0.6})
    assert "and no higher" in refused(tmp_path, text)
    assert read(tmp_path, text, shear_exponent=0.2).wind_aloft.shear_exponent == 0.2


def test_weather_has_one_wind(tmp_path):
    text = HEAD + table({"wind_speed_100m (m/s)": SPEED})
    assert "has its wind already" in refused(tmp_path, text, read(tmp_path, text))


UNITS = {"m/s": 1.0, "km/h": 3.6, "mph": 3600 / 1609.344, "knots": 3600 / 1852, "ft/s": 1 / 0.3048}
ORDERS = ("%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p", "%Y%m%d%H%M")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    unit=st.sampled_from(sorted(UNITS)),
    separator=st.sampled_from([",", ";", "\t"]),
    comma=st.booleans(),
    order=st.sampled_from(ORDERS),
    zone=st.sampled_from([-6, 0]),
    convention=st.sampled_from(["start", "middle", "end"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_one_year_written_in_any_way_is_read_the_same(
    tmp_path, unit, separator, comma, order, zone, convention, encoding, line_end
):
    mark = "," if comma and separator != "," else "."
    shift = {"start": 0, "middle": 30, "end": 60}[convention]
    stamps = STAMPS + pd.Timedelta(hours=6 + zone, minutes=shift)
    frame = pd.DataFrame({"time": stamps.strftime(order), f"wind_speed_100m ({unit})": SPEED * UNITS[unit]})
    body = frame.to_csv(index=False, sep=separator, decimal=mark, float_format="%.5f")
    text = f"# utc_offset: {zone}\n# convention: {convention}\n{body}"
    path = tmp_path / "wind.csv"
    path.write_bytes(text.replace("\n", line_end).encode(encoding))
    found = SUN.with_wind(path).wind_aloft.speed_m_s[0, 0]
    np.testing.assert_allclose(found, SPEED, atol=2e-5)


# Families ---------------------------------------------------------------------------------------------------


def wind_toolkit(zone: int, drop_leap_day: bool = False, year: int = YEAR) -> str:
    stamps = pd.date_range(f"{year}-01-01 00:30", f"{year}-12-31 23:30", freq="h")
    stamps = stamps[~((stamps.month == 2) & (stamps.day == 29))] if drop_leap_day else stamps
    speed = np.resize(SPEED, len(stamps))
    parts = {"Year": stamps.year, "Month": stamps.month, "Day": stamps.day, "Hour": stamps.hour, "Minute": 30}
    values = {
        "surface air pressure (Pa)": 94_500.0, "relative humidity at 2m (%)": 50.0,
        "wind speed at 100m (m/s)": speed, "wind speed at 120m (m/s)": speed * 1.03,
        "wind direction at 100m (deg)": 200.0, "air temperature at 100m (C)": np.resize(WARMTH, len(stamps)),
        "turbulent kinetic energy at 100m (m2/s2)": "N/A",
    }  # fmt: skip
    head = f"SiteID,1,Site Timezone,-6,Data Timezone,{zone},Longitude,-100.0,Latitude,32.5\n"
    return head + csv_of(pd.DataFrame(parts | values), "%.5g")


def test_wind_toolkit_in_local_time(tmp_path):
    wind = read(tmp_path, wind_toolkit(-6)).wind_aloft
    assert wind.heights_m == (100.0, 120.0)
    np.testing.assert_allclose(wind.speed_m_s[0, 0], SPEED, rtol=1e-3)
    assert wind.humidity_fraction.max() == 0.5
    assert 1.0 < wind.density_kg_m3.mean() < 1.2


def test_wind_toolkit_in_utc_is_told_by_its_header(tmp_path):
    columns = wind_toolkit(0).replace("air temperature at 100m (C)", "skin temperature (C)")
    found = read(tmp_path, columns).wind_aloft.speed_m_s[0, 0]
    np.testing.assert_allclose(found, np.roll(SPEED, -6), rtol=1e-3)
    assert "time zones" in refused(tmp_path, wind_toolkit(0))  # its temperatures are of local time


def test_wind_toolkit_with_its_keys_in_a_row_of_their_own(tmp_path):
    head = "SiteID,Site Timezone,Data Timezone,Longitude,Latitude\n1,-6,-6,-100.0,32.5\n"
    text = head + wind_toolkit(-6).split("\n", 1)[1]
    np.testing.assert_allclose(read(tmp_path, text).wind_aloft.speed_m_s[0, 0], SPEED, rtol=1e-3)


def test_a_leap_year_without_its_day_is_whole(tmp_path):
    sun = weather_of(years=(2012,))
    text = wind_toolkit(-6, drop_leap_day=True, year=2012).replace("air temperature at 100m (C)", "skin (C)")
    np.testing.assert_allclose(read(tmp_path, text, sun).wind_aloft.speed_m_s[0, 0], SPEED, rtol=1e-3)


def srw(first: str, speed_first: bool = True) -> str:
    words = ["Temperature", "Pressure", *(["Speed", "Direction"] if speed_first else ["Direction", "Speed"])]
    units = ["C", "atm", *(["m/s", "Degrees"] if speed_first else ["degrees", "m/s"])]
    lines = [
        first,
        "made for a test",
        ",".join(words * 2),
        ",".join(units * 2),
        "80,80,80,80,120,120,120,120",
    ]
    for speed, warmth in zip(SPEED, WARMTH, strict=True):
        part = {"Temperature": f"{warmth:.2f}", "Pressure": "0.93", "Direction": "200"}
        rows = [
            ",".join((part | {"Speed": f"{speed * factor:.3f}"})[word] for word in words)
            for factor in (1.0, 1.1)
        ]
        lines.append(",".join(rows))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("speed_first", [True, False])
@pytest.mark.parametrize("ninth", ["1", "-6", "n/a"])
def test_srw_in_both_orders_of_columns_and_with_any_ninth_field(tmp_path, speed_first, ninth):
    text = srw(f"1,city,TX,USA,{YEAR},32.5,-100.0,558,{ninth},8760", speed_first)
    weather = read(tmp_path, text, name="wind.srw")
    assert weather.wind_aloft.heights_m == (80.0, 120.0)
    np.testing.assert_allclose(weather.wind_aloft.speed_m_s[0, 0], SPEED, atol=6e-4)
    assert any("local standard time UTC-6" in note for note in weather.source.notes)


@pytest.mark.parametrize("mark", [";", "\t"])
def test_srw_with_other_separators_and_spellings(tmp_path, mark):
    text = srw(f"1,city,TX,USA,{YEAR},32.5N,100.0W,558,1,8760").replace(",", mark)
    text = text.replace("Speed", "WIND SPEED").replace("80;80;80;80", "80 m;80 m;80 m;80 m")
    weather = read(tmp_path, text, name="wind.srw")
    np.testing.assert_allclose(weather.wind_aloft.speed_m_s[0, 0], SPEED, atol=6e-4)


@pytest.mark.parametrize(
    ("first", "cause"),
    [
        (f"1,city,TX,USA,{YEAR},-100.0,32.5,558,1,8760", "exchanged"),
        (f"1,city,TX,USA,{YEAR},32.5,100.0,558,1,8760", "km from the site"),
        (f"1,city,TX,USA,{YEAR},32.5,-100.0,558,6,8760", "sign lost"),
        ("1,city,TX,USA,year??,95,-100.0,558,1,8760", "2 problems"),
    ],
)
def test_first_lines_of_srw_that_cannot_be_are_refused(tmp_path, first, cause):
    assert cause in refused(tmp_path, srw(first), name="wind.srw")


@pytest.mark.parametrize("year", ["year??", "TMY", "0"])
def test_srw_of_a_typical_year_is_refused(tmp_path, year):
    text = srw(f"1,city,TX,USA,{year},32.5,-100.0,558,1,8760")
    assert "typical or nameless year" in refused(tmp_path, text, name="wind.srw")


def test_srw_of_another_zone_is_seen_by_its_temperatures(tmp_path):
    text = srw(f"1,city,TX,USA,{YEAR},32.5,-100.0,558,1,-12,8760").replace(",558,1,-12,", ",558,0,")
    assert "time zones" in refused(tmp_path, text, name="wind.srw")
    text = srw(f"1,city,TX,USA,{YEAR},32.5,-100.0,558,1,8760")
    assert "time zones" in refused(tmp_path, text, name="wind.srw", utc_offset_h=0.0)


def open_meteo(offset_s: int, first: str, unit: str = "km/h", factor: float = 3.6) -> str:
    stamps = pd.date_range(first, periods=STEPS, freq="h").strftime("%Y-%m-%dT%H:%M")
    body = table(
        {f"wind_speed_100m ({unit})": SPEED * factor, "surface_pressure (hPa)": np.full(STEPS, 948.0)}, stamps
    )
    head = "latitude,longitude,elevation,utc_offset_seconds,timezone,timezone_abbreviation\n"
    return head + f"32.5,-100.0,558.0,{offset_s},America/Chicago,GMT-6\n\n" + body


def test_open_meteo_in_its_usual_unit(tmp_path):
    found = read(tmp_path, open_meteo(-21600, f"{YEAR}-01-01 00:00")).wind_aloft.speed_m_s[0, 0]
    np.testing.assert_allclose(found, SPEED, rtol=1e-4)


def test_open_meteo_whose_header_contradicts_its_days_is_in_utc(tmp_path):
    weather = read(tmp_path, open_meteo(-21600, f"{YEAR}-01-01 06:00"))
    np.testing.assert_allclose(weather.wind_aloft.speed_m_s[0, 0], SPEED, rtol=1e-4)
    assert any("only if stamps are UTC" in note for note in weather.source.notes)
    assert "cannot be told" in refused(tmp_path, open_meteo(-21600, f"{YEAR}-01-01 03:00"))


def test_pressure_at_sea_level_is_refused(tmp_path):
    high = sd.Site(latitude=32.5, longitude=-100.0, elevation_m=1500)
    sun = replace(SUN, site=high)
    text = open_meteo(-21600, f"{YEAR}-01-01 00:00").replace("948", "1013")
    assert "reduced to sea level" in refused(tmp_path, text, sun)


def test_nasa_power_by_its_list_of_parameters(tmp_path):
    head = (
        "-BEGIN HEADER-\nNASA/POWER CERES/MERRA2 Native Resolution Hourly Data \n"
        f"Dates (month/day/year): 01/01/{YEAR} through 12/31/{YEAR} in UTC\n"
        "Location: Latitude  32.5   Longitude -100.0 \nElevation from MERRA-2: 558.0 meters\n"
        "The value for missing source data that cannot be computed or is outside of the sources availability "
        "range: -999 \nParameter(s): \nWS50M     MERRA-2 Wind Speed at 50 Meters (m/s) \n"
        "WS10M     MERRA-2 Wind Speed at 10 Meters (m/s) \n-END HEADER-\n"
    )
    utc = STAMPS + pd.Timedelta(hours=6)
    columns = {
        "YEAR": utc.year,
        "MO": utc.month,
        "DY": utc.day,
        "HR": utc.hour,
        "WS50M": SPEED,
        "WS10M": SPEED * 0.7,
    }
    text = head + csv_of(pd.DataFrame(columns), "%.4f")
    wind = read(tmp_path, text).wind_aloft
    assert wind.heights_m == (10.0, 50.0)
    np.testing.assert_allclose(wind.speed_m_s[1, 0], SPEED, atol=1e-4)
    solar = text.replace("in UTC", "in LST")
    found = read(tmp_path, solar).wind_aloft.speed_m_s[1, 0]
    np.testing.assert_allclose(found[10:-10], np.roll(SPEED, 7)[10:-10], atol=1e-4)  # the sun's zone is UTC-7


def test_ninja_names_its_hub_among_the_parameters(tmp_path):
    head = (
        "# Renewables.ninja Wind (Point API) - 32.5, -100.0 - Version: 1.1 - License: "
        "https://creativecommons.org/licenses/by-nc/4.0/ - Reference: https://doi.org/10.1016/j.energy.2016.08.068\n"
        '# Units: time in UTC, electricity in kW, wind_speed in m/s\n# {"units": {"time": "UTC"}, "params": '
        '{"lat": 32.5, "lon": -100.0, "height": 115, "turbine": "Vestas V90 2000"}}\n'
    )
    utc = STAMPS + pd.Timedelta(hours=6)
    text = head + table({"electricity": SPEED / 20, "wind_speed": SPEED}, utc)
    wind = read(tmp_path, text).wind_aloft
    assert wind.heights_m == (115.0,)
    np.testing.assert_allclose(wind.speed_m_s[0, 0], SPEED, rtol=1e-4)


def test_windpowerlib_has_its_heights_in_a_row(tmp_path):
    rows = [
        "# convention: start",
        "variable_name,pressure,temperature,wind_speed,roughness_length,wind_speed",
        "height,0,2,10,0,80",
    ]
    stamps = STAMPS.strftime("%Y-%m-%d %H:%M:%S-06:00")
    rows += [
        f"{stamp},94500,{warmth + 273.15:.2f},{speed * 0.7:.4f},0.15,{speed:.4f}"
        for stamp, warmth, speed in zip(stamps, WARMTH, SPEED, strict=True)
    ]
    wind = read(tmp_path, "\n".join(rows) + "\n").wind_aloft
    assert wind.heights_m == (10.0, 80.0)
    np.testing.assert_allclose(wind.speed_m_s[1, 0], SPEED, atol=1e-4)
    assert 1.0 < wind.density_kg_m3.mean() < 1.2


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        ("wind.csv", b"", "an empty file"),
        ("wind.xlsx", b"PK\x03\x04rest", "Excel workbook"),
        ("wind.html", b"<!DOCTYPE html><html></html>", "web page"),
        ("wind.nc", b"\x89HDF\r\n\x1a\nrest", "HDF5"),
        ("wind.txt", b"dear reader,\nthe wind was strong.\n", "no rows of numbers"),
        ("wind.parquet", b"PAR1 and then nothing", "Parquet"),
    ],
)
def test_what_is_no_table_of_wind_is_named(tmp_path, name, content, cause):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(sd.InputError, match=cause):
        SUN.with_wind(tmp_path / name)


def test_what_is_no_wind_in_a_folder_is_left_out_and_said(tmp_path):
    written(tmp_path, "dear reader,\nthe wind was strong.\n", "letter.txt")
    written(tmp_path, "time,price\n2013-01-01 00:00,7\n", "prices.csv")
    with pytest.raises(sd.InputError, match=r"no file of wind, only letter\.txt, prices\.csv"):
        SUN.with_wind(tmp_path)
    written(tmp_path, HEAD + table({"wind_speed_100m (m/s)": SPEED}), "wind.csv")
    weather = SUN.with_wind(tmp_path)
    np.testing.assert_allclose(weather.wind_aloft.speed_m_s[0, 0], SPEED, rtol=1e-4)
    assert "not wind, left out: letter.txt, prices.csv" in weather.source.notes


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(sd.InputError, match="no such file"):
        SUN.with_wind(tmp_path / "nothing.csv")


# Years and places -------------------------------------------------------------------------------------------


def test_wind_and_sun_of_different_years_are_never_mixed(tmp_path):
    body = HEAD + table({"wind_speed_100m (m/s)": SPEED})
    assert "no wind of 2014" in refused(tmp_path, body, weather_of(years=(2014,)))
    message = refused(tmp_path, body, weather_of(years=(2012, 2013)))
    assert "no wind of 2012, only of 2013" in message


@pytest.mark.parametrize("kind", ["generated", "bootstrap"])
def test_wind_of_real_years_cannot_stand_beside_made_ones(tmp_path, kind):
    sun = replace(SUN, source=replace(SUN.source, kind=kind))
    assert "same days" in refused(tmp_path, HEAD + table({"wind_speed_100m (m/s)": SPEED}), sun)


def test_wind_cannot_stand_beside_a_typical_year(tmp_path):
    sun = replace(SUN, source=replace(SUN.source, is_tmy=True))
    assert "typical year" in refused(tmp_path, HEAD + table({"wind_speed_100m (m/s)": SPEED}), sun)


def test_wind_of_another_place_is_refused(tmp_path):
    text = "# latitude: 40\n# longitude: -100\n" + HEAD + table({"wind_speed_100m (m/s)": SPEED})
    assert "km from the site" in refused(tmp_path, text)


def test_files_of_parts_of_a_year_are_joined_and_overlaps_refused(tmp_path):
    first = HEAD + table({"wind_speed_100m (m/s)": SPEED[:4000]}, STAMPS[:4000])
    rest = HEAD + table({"wind_speed_100m (m/s)": SPEED[4000:]}, STAMPS[4000:])
    a, b = written(tmp_path, first, "a.csv"), written(tmp_path, rest, "b.csv")
    np.testing.assert_allclose(SUN.with_wind(a, b).wind_aloft.speed_m_s[0, 0], SPEED, rtol=1e-4)
    whole = written(tmp_path, HEAD + table({"wind_speed_100m (m/s)": SPEED}), "c.csv")
    with pytest.raises(sd.InputError, match="must not overlap"):
        SUN.with_wind(a, whole)
    with pytest.raises(sd.InputError, match=r"missing, .* hours in a row|no wind of"):
        SUN.with_wind(a)


def test_finer_steps_are_averaged_and_coarser_held(tmp_path):
    fine = pd.date_range(f"{YEAR}-01-01", periods=STEPS * 2, freq="30min")
    text = HEAD + table({"wind_speed_100m (m/s)": np.repeat(SPEED, 2) + np.tile([0.2, -0.2], STEPS)}, fine)
    np.testing.assert_allclose(read(tmp_path, text).wind_aloft.speed_m_s[0, 0], SPEED, rtol=1e-3)
    made = sd.Weather.generate(SITE, years=1, seed=4, step_minutes=30)
    sun = replace(made, years=(YEAR,), source=replace(made.source, kind="file"))
    held = read(tmp_path, HEAD + table({"wind_speed_100m (m/s)": SPEED}), sun)
    np.testing.assert_allclose(held.wind_aloft.speed_m_s[0, 0], np.repeat(SPEED, 2), rtol=1e-4)
    assert any("held over" in note for note in held.source.notes)


# Our own files ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("suffix", "tolerance"), [(".csv", 6e-5), (".parquet", 0.0)])
def test_generated_wind_comes_back_with_its_sun(tmp_path, suffix, tolerance):
    weather = sd.Weather.generate(SITE, years=2, seed=1, wind=True)
    back = sd.Weather.read(weather.write(tmp_path / f"years{suffix}"))
    assert back.wind_aloft.heights_m == weather.wind_aloft.heights_m
    assert back.wind_aloft.shear_exponent == weather.wind_aloft.shear_exponent
    assert back.wind_aloft.density_kg_m3 is None
    np.testing.assert_allclose(
        back.wind_aloft.speed_m_s, weather.wind_aloft.speed_m_s, rtol=0, atol=tolerance
    )


def test_wind_of_files_comes_back_with_density_and_humidity(tmp_path):
    weather = read(tmp_path, wind_toolkit(-6), shear_exponent=0.15)
    back = sd.Weather.read(weather.write(tmp_path / "year.csv"))
    for name in ("speed_m_s", "density_kg_m3", "humidity_fraction"):
        np.testing.assert_allclose(
            getattr(back.wind_aloft, name), getattr(weather.wind_aloft, name), rtol=1e-5
        )
    assert back.wind_aloft.shear_exponent == 0.15
    assert back.wind_aloft.density_height_m == weather.wind_aloft.density_height_m


def test_weather_without_wind_is_written_as_before(tmp_path):
    text = SUN.write(tmp_path / "year.csv").read_text()
    assert "wind_aloft" not in text
    assert sd.Weather.read(tmp_path / "year.csv").wind_aloft is None


def test_bootstrap_takes_wind_and_sun_in_the_same_blocks(tmp_path):
    """A record whose wind is a function of its sun keeps that function."""
    weather = sd.Weather.generate(SITE, years=6, seed=1, wind=True)
    marked = weather.temp_air_c + 100
    record = replace(
        weather,
        source=replace(weather.source, kind="file"),
        wind_aloft=replace(weather.wind_aloft, speed_m_s=(marked / 10)[None], density_kg_m3=marked / 120),
    )
    drawn = record.bootstrap(years=4, seed=2)
    np.testing.assert_array_equal(drawn.wind_aloft.speed_m_s[0], (drawn.temp_air_c + 100) / 10)
    np.testing.assert_array_equal(drawn.wind_aloft.density_kg_m3, (drawn.temp_air_c + 100) / 120)
    some = record.subset([3, 1])
    np.testing.assert_array_equal(some.wind_aloft.speed_m_s[0], (some.temp_air_c + 100) / 10)


# Real files -------------------------------------------------------------------------------------------------


def test_real_files_of_two_sources_at_one_place(wind_real):
    sun = sd.Weather.read(wind_real / "32.31714_-100.18_2013_goes_aggregated_v4_60min_utc_tz.csv")
    wind = sun.with_wind(wind_real / "32.31714_-100.18_2013_wtk_v2_60min_utc_tz.csv").wind_aloft
    assert wind.heights_m == (10.0, 40.0, 60.0, 80.0, 100.0, 120.0, 140.0, 160.0, 200.0)
    # The first instant of the file, half past midnight UTC, is at 18:30 the day before: at the year's end.
    assert wind.speed_m_s[4, 0, 8760 - 6] == pytest.approx(10.11)
    assert wind.speed_m_s[4].mean() == pytest.approx(9.11, abs=0.01)
    assert wind.density_kg_m3.mean() == pytest.approx(1.11, abs=0.02)


def test_real_srw_is_local_and_its_csv_kin_is_not(wind_real):
    sun = sd.Weather.read(wind_real / "34.22_-102.75_psmv3_60_2013.csv")
    srw_file = wind_real / "34.22_-102.75_windtoolkit_2013_60min_100m_120m.srw"
    wind = sun.with_wind(srw_file).wind_aloft
    assert wind.speed_m_s[0, 0, 0] == pytest.approx(4.80)
    with pytest.raises(sd.InputError, match="time zones"):
        sun.with_wind(srw_file, utc_offset_h=0.0)


def test_real_open_meteo_files_agree_although_one_header_is_wrong(wind_real):
    site = sd.Site(latitude=44.04218, longitude=-95.19757)
    sun = weather_of(site, (2023,))
    right = sun.with_wind(wind_real / "open-meteo-44.04N95.20W438m.csv").wind_aloft
    wrong = sun.with_wind(
        wind_real / "44.04218_-95.19757_2023_openmeteo_archive_60min_local_tz.csv"
    ).wind_aloft
    assert right.heights_m == wrong.heights_m == (10.0, 100.0)
    assert np.abs(right.speed_m_s - wrong.speed_m_s).mean() < 0.05


def test_real_files_that_cannot_be_used_say_why(wind_real, weather_real):
    sun = sd.Weather.read(weather_real / "tx_amarillo_nsrdb" / "35.2018863_-101.945027_psmv3_60_2012.csv")
    for name, cause in (
        ("AZ Eastern-Rolling Hills.srw", "typical or nameless year"),
        ("TX-Amarillo_International_Ap_Canyon_Ut.tmy3", "needs wind aloft"),
        ("nasa_blythe_test_wind_data.srw", "km from the site"),
        ("windpowerlib_example_weather.csv", "instants or means"),
    ):
        with pytest.raises(sd.InputError, match=cause):
            sun.with_wind(wind_real / name)


def test_real_blythe_is_in_utc_whatever_srw_means(wind_real):
    sun = weather_of(sd.Site(latitude=33.61773, longitude=-114.58826), (2001,))
    with pytest.raises(sd.InputError, match="give utc_offset_h=0"):
        sun.with_wind(wind_real / "nasa_blythe_test_wind_data.srw")
    wind = sun.with_wind(wind_real / "nasa_blythe_test_wind_data.srw", utc_offset_h=0).wind_aloft
    assert wind.heights_m == (2.0, 10.0, 50.0, 80.0)
