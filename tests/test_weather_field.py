"""Weather files as people have them: each is read with the right values, or refused with the true cause.

Every file is made here from one known year, so that the truth is known; a right file of the same kind stands
beside each that is refused.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import sitedesign as sd
from sitedesign.errors import InputError
from sitedesign.weather.clear_sky import clear_sky
from sitedesign.weather.site import Site
from sitedesign.weather.solar_geometry import solar_geometry
from sitedesign.weather.weather import Weather
from tests.slow_rest import slow_after

AMARILLO = Site(latitude=35.2, longitude=-101.95, elevation_m=1100.0)
DELHI = Site(latitude=28.6, longitude=77.2, elevation_m=216.0)
CHICAGO = Site(latitude=41.88, longitude=-87.63, elevation_m=180.0)
JOHANNESBURG = Site(latitude=-26.2, longitude=28.04, elevation_m=1700.0)
Year = pd.DataFrame


def year_at(
    site: Site,
    zone_h: float | None = None,
    step: int = 60,
    year: int = 2021,
    instant_min: float | None = None,
) -> Year:
    """A known year: clear but for a dark week in each month; naive index of interval starts in the zone."""
    zone_h = site.utc_offset_h if zone_h is None else zone_h
    sun = solar_geometry(site, step, zone_h, step / 2 if instant_min is None else instant_min)
    ghi, dni = clear_sky(site, sun)
    cosine = np.maximum(np.cos(np.radians(sun.zenith_deg)), 0) * (sun.ghi_extra_w_m2 > 0)
    per_day = 1440 // step
    cloud = np.repeat(np.where(np.arange(365) % 30 < 6, 0.35, 1.0), per_day)
    beam = np.minimum(dni * cloud, ghi * cloud / np.maximum(cosine, 1e-6))
    beam = np.where(cosine > 0.02, beam, 0.0)
    hours = np.arange(365 * per_day) * step / 60
    north = 1 if site.latitude > 0 else -1
    temp = 14 - 9 * north * np.cos(hours / 8760 * 2 * np.pi) - 5 * np.cos((hours % 24 - 3) / 24 * 2 * np.pi)
    frame = pd.DataFrame(
        {"ghi": (ghi * cloud).round(1), "dni": beam.round(1), "dhi": (ghi * cloud - beam * cosine).round(1)}
    )
    frame["temp"], frame["wind"] = temp.round(1), (4 + np.sin(hours / 40)).round(1)
    frame.index = pd.date_range(f"{year}-01-01", periods=len(frame), freq=f"{step}min")
    return frame


def steps(year: Year) -> Iterator[tuple[datetime, Any]]:
    """Stamp and values of every step; pandas' own stamps are written five times as slowly."""
    return zip(year.index.to_pydatetime(), year.itertuples(index=False), strict=True)


def head_of(site: Site, zone: str | float | None = None, convention: str = "start") -> str:
    zone = site.utc_offset_h if zone is None else zone
    place = f"# latitude: {site.latitude}\n# longitude: {site.longitude}\n# elevation: {site.elevation_m} m\n"
    return f"{place}# utc_offset: {zone}\n# convention: {convention}\n"


def plain(year: Year, site: Site = AMARILLO, names: str = "time,ghi,temp_air", **options: str) -> str:
    rows = (f"{t:%Y-%m-%d %H:%M},{r.ghi},{r.temp}" for t, r in steps(year))
    return head_of(site, **options) + names + "\n" + "\n".join(rows) + "\n"


def read(folder: Path, text: str | bytes, site: Site | None = None) -> Weather:
    path = folder / "weather.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Weather.read(path, site=site)


def refusal(folder: Path, text: str | bytes, site: Site | None = None) -> str:
    with pytest.raises(InputError) as caught:
        read(folder, text, site)
    words = str(caught.value)
    assert "Download it again" not in words
    for library in ("pandas", "pvlib", "Traceback", "dateutil", "strptime", "codec"):
        assert library not in words
    return words


def same(weather: Weather, year: Year, *columns: str, atol: float = 0.06) -> None:
    """The weather is the known year, to the digits that were written, with the sun where it belongs."""
    arrays = {
        "ghi": weather.ghi_w_m2,
        "dni": weather.dni_w_m2,
        "dhi": weather.dhi_w_m2,
        "temp": weather.temp_air_c,
        "wind": weather.wind_speed_m_s,
    }
    for name in columns or ("ghi", "temp"):
        np.testing.assert_allclose(arrays[name][0], year[name], atol=atol, err_msg=name)
    quality = weather.quality
    assert quality is not None
    assert abs(quality.by_year[0].sun_error_minutes) < 4
    assert quality.doubts == ()


@pytest.fixture(scope="module")
def amarillo() -> Year:
    return year_at(AMARILLO)


# ------------------------------------------------------------------------------------------ header layouts


def nsrdb(year: Year, site: Site, keys: str, values: str, minute: int = 30) -> str:
    rows = (
        f"{t.year},{t.month},{t.day},{t.hour},{minute},{r.ghi},{r.dni},{r.dhi},{r.temp},{r.wind}"
        for t, r in steps(year)
    )
    names = "Year,Month,Day,Hour,Minute,GHI,DNI,DHI,Temperature,Wind Speed"
    return f"{keys}\n{values}\n{names}\n" + "\n".join(rows) + "\n"


NSRDB_KEYS = (
    "Source,Location ID,City,State,Country,Latitude,Longitude,Time Zone,Elevation,Local Time Zone,Version"
)


@pytest.mark.parametrize(
    ("keys", "values"),
    [
        (NSRDB_KEYS, "NSRDB,1,-,-,-,28.6,77.2,5.5,216,5.5,4.0.1"),
        (NSRDB_KEYS, "NSRDB,1,-,-,-,28.6,77.2,5.5,216.4,5.5,4.0.1"),
        (NSRDB_KEYS.replace(",Local Time Zone", ""), "NSRDB,1,-,-,-,28.6,77.2,5.5,216,4.0.1"),
        (
            NSRDB_KEYS + ",GHI Units,DNI Units,Cloud Type 0,Cloud Type 1",
            "NSRDB,1,-,-,-,28.6,77.2,5.5,216,5.5,4.0.1,w/m2",
        ),
        (NSRDB_KEYS, 'NSRDB,1,"Delhi, New",-,-,28.6,77.2,5.5,216,5.5,4.0.1,,,,'),
        (NSRDB_KEYS.replace(",", ";"), "NSRDB;1;-;-;-;28.6;77.2;5.5;216;5.5;4.0.1"),
    ],
    ids=["fraction", "decimals", "no-local-zone", "unequal", "quoted", "semicolons"],
)
def test_nsrdb_headers_of_every_kind(tmp_path: Path, keys: str, values: str):
    year = year_at(DELHI, instant_min=30.0)
    text = nsrdb(year, DELHI, keys, values)
    if ";" in keys:
        body = text.splitlines()
        text = "\n".join([*body[:2], *(line.replace(",", ";") for line in body[2:])])
    weather = read(tmp_path, text)
    assert weather.utc_offset_h == 5.5
    assert weather.sun_offset_minutes == 30
    same(weather, year, "ghi", "dni", "dhi", "temp", "wind")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_nsrdb_in_any_encoding(tmp_path: Path, encoding: str):
    year = year_at(DELHI, instant_min=30.0)
    text = nsrdb(year, DELHI, NSRDB_KEYS, "NSRDB,1,São,-,-,28.6,77.2,5.5,216,5.5,4.0.1")
    same(read(tmp_path, text.encode(encoding)), year, "ghi", "dni", "dhi", "temp", "wind")


def test_nsrdb_in_utc_for_a_fractional_zone(tmp_path: Path):
    utc = year_at(DELHI, 0.0, step=30, instant_min=0.0)
    rows = nsrdb(utc, DELHI, NSRDB_KEYS, "NSRDB,1,-,-,-,28.6,77.2,0,216,5.5,4.0.1", 0).splitlines()
    fixed = []
    for number, row in enumerate(rows[3:]):
        parts = row.split(",")
        parts[4] = "30" if number % 2 else "0"
        fixed.append(",".join(parts))
    weather = read(tmp_path, "\n".join([*rows[:3], *fixed]))
    assert (weather.utc_offset_h, weather.step_minutes) == (5.5, 30)
    np.testing.assert_allclose(weather.ghi_w_m2[0, 11:], utc["ghi"].to_numpy()[:-11], atol=0.06)


def test_nsrdb_of_1991_to_2010(tmp_path: Path):
    year = year_at(AMARILLO, year=2005)
    names = "YYYY-MM-DD, HH:MM (LST), Zenith (deg), ETR (Wh/m^2), SUNY Glo (Wh/m^2), SUNY Dir (Wh/m^2), "
    names += "SUNY Dif (Wh/m^2), METSTAT Glo (Wh/m^2), METSTAT Glo Flg, Meas Glo (Wh/m^2)"
    rows = (
        f"{t:%Y-%m-%d}, {t.hour + 1}:00, 99, 0, {r.ghi}, {r.dni}, {r.dhi}, {r.ghi * 0.9:.1f}, 1, -99"
        for t, r in steps(year)
    )
    weather = read(tmp_path, names + "\n" + "\n".join(rows), AMARILLO)
    assert any("'SUNY Glo (Wh/m^2)'" in note for note in weather.source.notes)
    same(weather, year, "ghi", "dni", "dhi")


HEADS: list[tuple[str, str]] = [
    ("Source,Latitude,Longitude,Time Zone,Elevation\nstation,{lat},{lon},{zone},{elev}\n", "two rows"),
    ("latitude,{lat},longitude,{lon},tz,{zone},elevation,{elev}\n", "one line"),
    ("Latitude,{lat}\nLongitude,{lon}\nTime zone,{zone}\nElevation,{elev}\n", "a line each"),
    ("# lat = {lat}\n# lon = {lon}\n# tz = {zone}\n# altitude = {elev}\n", "comments"),
    (
        "Location,City,Region,Country,Latitude,Longitude,Time Zone,Elevation,Source\n"
        "1,X,Y,Z,{lat},{lon},{zone},{elev},I\n",
        "sam",
    ),
    (
        '"Site";"X"\n"Latitude [°]";{lat}\n"Longitude [°]";{lon}\n'
        '"Time zone";{zone}\n"Altitude [m]";{elev}\n',
        "semicolons",
    ),
]


@pytest.mark.parametrize(("head", "kind"), slow_after(3, HEADS), ids=[kind for _, kind in HEADS])
@pytest.mark.parametrize("site", [AMARILLO, DELHI], ids=["amarillo", "delhi"])
def test_sam_tables_under_any_header(tmp_path: Path, head: str, kind: str, site: Site):
    year = year_at(site)
    filled = head.format(lat=site.latitude, lon=site.longitude, zone=site.utc_offset_h, elev=site.elevation_m)
    separator = ";" if ";" in head else ","
    names = separator.join(("Year", "Month", "Day", "Hour", "GHI", "DNI", "DHI", "Tdry", "Wspd"))
    rows = (
        separator.join(map(str, (t.year, t.month, t.day, t.hour, r.ghi, r.dni, r.dhi, r.temp, r.wind)))
        for t, r in steps(year)
    )
    weather = read(tmp_path, filled + names + "\n" + "\n".join(rows))
    assert weather.site.elevation_m == site.elevation_m
    assert weather.utc_offset_h == site.utc_offset_h
    same(weather, year, "ghi", "dni", "dhi", "temp", "wind")


def test_sam_tables_with_beam_and_diffuse_only(tmp_path: Path):
    adelaide = Site(latitude=-34.93, longitude=138.52, elevation_m=4.0)
    year = year_at(adelaide)
    head = "Location,City,Latitude,Longitude,Time Zone,Elevation\n1,Adelaide,-34.93,138.52,9.5,4\n"
    rows = (f"{t.year},{t.month},{t.day},{t.hour},{r.dni},{r.dhi},{r.temp}" for t, r in steps(year))
    weather = read(tmp_path, head + "Year,Month,Day,Hour,Beam,Diffuse,Tdry\n" + "\n".join(rows))
    assert weather.utc_offset_h == 9.5
    high = solar_geometry(adelaide, 60, 9.5, 30.0).zenith_deg < 85
    np.testing.assert_allclose(weather.ghi_w_m2[0][high], year["ghi"][high], atol=1.0)
    same(weather, year, "dni", "dhi", "temp")


@pytest.mark.parametrize("seconds", [0, 19800])
def test_open_meteo_means_of_the_hour_before(tmp_path: Path, seconds: int):
    year = year_at(DELHI, seconds / 3600)
    head = "latitude,longitude,elevation,utc_offset_seconds,timezone,timezone_abbreviation\n"
    head += f"28.6,77.2,216.0,{seconds},A,B\n\n"
    names = (
        "time,temperature_2m (°F),wind_speed_10m (km/h),shortwave_radiation (W/m²),diffuse_radiation (W/m²),"
    )
    names += "direct_normal_irradiance (W/m²),direct_radiation (W/m²)"
    rows = (
        f"{t + timedelta(hours=1):%Y-%m-%dT%H:%M},{r.temp * 1.8 + 32:.2f},{r.wind * 3.6:.2f},"
        f"{r.ghi},{r.dhi},{r.dni},0"
        for t, r in steps(year)
    )
    weather = read(tmp_path, head + names + "\n" + "\n".join(rows))
    if seconds:
        assert weather.utc_offset_h == 5.5
        same(weather, year, "ghi", "dni", "dhi", "temp", "wind")
    assert abs(weather.quality.by_year[0].sun_error_minutes) < 4
    assert weather.ghi_w_m2.mean() == pytest.approx(year["ghi"].mean(), rel=1e-3)


@pytest.mark.parametrize(
    "names",
    [
        "PeriodEnd,PeriodStart,Period,AirTemp,Dhi,Dni,Ghi,WindSpeed10m",
        "period_end,period_start,period,air_temp,dhi,dni,ghi,wind_speed_10m",
        "period_start,period_end,period,air_temp,dhi,dni,ghi,wind_speed_10m",
    ],
)
def test_solcast_old_and_new(tmp_path: Path, names: str):
    year = year_at(AMARILLO, 0.0, step=30)
    rows = []
    for t, r in steps(year):
        stamps = [f"{t + timedelta(minutes=30):%Y-%m-%dT%H:%M:%SZ}", f"{t:%Y-%m-%dT%H:%M:%SZ}"]
        stamps = stamps[::-1] if names.startswith("period_start") else stamps
        rows.append(",".join([*stamps, "PT30M", *map(str, (r.temp, r.dhi, r.dni, r.ghi, r.wind))]))
    weather = read(tmp_path, names + "\n" + "\n".join(rows), AMARILLO)
    assert weather.step_minutes == 30
    np.testing.assert_allclose(weather.ghi_w_m2[0, :-12], year["ghi"].to_numpy()[12:], atol=0.06)
    assert abs(weather.quality.by_year[0].sun_error_minutes) < 4
    assert "place must be known" in refusal(tmp_path, names + "\n" + "\n".join(rows))


@pytest.mark.parametrize(("unit", "scale"), [("Wh/m^2", 1.0), ("MJ/hr", 0.0036), ("kW-hr/m^2", 0.001)])
def test_nasa_power(tmp_path: Path, unit: str, scale: float):
    year = year_at(AMARILLO, 0.0)
    head = (
        "-BEGIN HEADER-\nNASA/POWER Source Native Resolution Hourly Data \n"
        "Dates (month/day/year): 01/01/2021 through 12/31/2021 in UTC\n"
        "Location: latitude  35.2   longitude -101.95 \n"
        "elevation from MERRA-2: Average for 0.5 x 0.625 degree lat/lon region = 1100.2 meters\n"
        "The value for missing source data that cannot be computed or is outside of the range: -999 \n"
        f"parameter(s): \nALLSKY_SFC_SW_DWN     CERES SYN1deg All Sky Surface Shortwave ({unit}) \n"
        "T2M                   MERRA-2 Temperature at 2 Meters (C) \n-END HEADER-\n"
    )
    rows = (f"{t.year},{t.month},{t.day},{t.hour},{r.ghi * scale:.5f},{r.temp}" for t, r in steps(year))
    weather = read(tmp_path, head + "YEAR,MO,DY,HR,ALLSKY_SFC_SW_DWN,T2M\n" + "\n".join(rows))
    np.testing.assert_allclose(weather.ghi_w_m2[0, :-6], year["ghi"].to_numpy()[6:], atol=0.1)
    assert weather.site.latitude == 35.2
    assert abs(weather.quality.by_year[0].sun_error_minutes) < 4


def test_solaranywhere(tmp_path: Path, amarillo: Year):
    head = '0,"Data Version: 3.6 / Copyright® / Type: Time Series",TX,-6.0,35.2,-101.95,1100\n'
    names = (
        "ObservationTime(LST),Global Horizontal Irradiance (GHI) W/m2,Direct Normal Irradiance (DNI) W/m2,"
    )
    names += (
        "Diffuse Horizontal Irradiance (DIF) W/m2,AmbientTemperature (deg C),WindSpeed (m/s),Clear Sky GHI\n"
    )
    rows = (f"{t:%m/%d/%Y %H}:30,{r.ghi},{r.dni},{r.dhi},{r.temp},{r.wind},1100" for t, r in steps(amarillo))
    weather = read(tmp_path, (head + names + "\n".join(rows)).encode("latin-1"))
    assert weather.utc_offset_h == -6
    same(weather, amarillo, "ghi", "dni", "dhi", "temp", "wind")
    long = "ObservationTime,GlobalHorizontalIrradiance_WattsPerMeterSquared,AmbientTemperature_DegreesC\n"
    rows = (f"{t:%Y-%m-%dT%H}:30:00-06:00,{r.ghi},{r.temp}" for t, r in steps(amarillo))
    same(read(tmp_path, long + "\n".join(rows), AMARILLO), amarillo)


def test_meteonorm(tmp_path: Path, amarillo: Year):
    rows = (
        f"{t.year}\t{t.month}\t{t.day}\t{t.timetuple().tm_yday}\t{t.hour + 1}\t"
        f"{r.ghi}\t{r.dhi}\t{r.dni}\t{r.temp}\t{r.wind}"
        for t, r in steps(amarillo)
    )
    text = "y\tm\tdm\tdy\th\tG_Gh\tG_Dh\tG_Bn\tTa\tFF\n" + "\n".join(rows)
    same(read(tmp_path, text, AMARILLO), amarillo, "ghi", "dni", "dhi", "temp", "wind")


def test_pvsyst_hourly_results_hold_weather(tmp_path: Path, amarillo: Year):
    head = "PVSYST v7.4.5;;;;\n ;File;File date;Description;\nMeteo data;a.MET;01/01/24 00h00;x;\n;;;;\n"
    names = "date;GlobHor;DiffHor;T_Amb;WindVel;E_Grid\n;W/m²;W/m²;°C;m/s;kW\n;;;;;\n"
    rows = (
        f"{t:%d/%m/%y %H:%M};{r.ghi};{r.dhi};{r.temp};{r.wind};-1.2".replace(".", ",")
        for t, r in steps(amarillo)
    )
    same(
        read(tmp_path, (head + names + "\n".join(rows)).encode("cp1252"), AMARILLO),
        amarillo,
        "ghi",
        "dhi",
        "temp",
    )


# ---------------------------------------------------------------------------------------------- EPW and TMY3

EPW_HEAD = (
    "LOCATION,{city},TX,USA,Custom,723630,{lat},{lon},{zone},{elev}\nDESIGN CONDITIONS,0\n"
    "TYPICAL/EXTREME PERIODS,0\n"
    "GROUND TEMPERATURES,0\nHOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0\nCOMMENTS 1,made\nCOMMENTS 2,{comment}\n"
    "DATA PERIODS,1,{per_hour},Data,Sunday, 1/ 1,12/31\n"
)


def epw(
    year: Year,
    site: Site,
    stamp: Callable[[datetime], tuple[int, int]],
    comment: str = "-",
    city: str = "X",
) -> str:
    step = round((year.index[1] - year.index[0]) / pd.Timedelta(minutes=1))
    rows = []
    for t, r in steps(year):
        values = ["9"] * 35
        hour, minute = stamp(t)
        values[:6] = [str(t.year), str(t.month), str(t.day), str(hour), str(minute), "?9"]
        values[6], values[13], values[14], values[15], values[21] = map(
            str, (r.temp, r.ghi, r.dni, r.dhi, r.wind)
        )
        rows.append(",".join(values))
    head = EPW_HEAD.format(
        city=city,
        lat=site.latitude,
        lon=site.longitude,
        zone=site.utc_offset_h,
        elev=site.elevation_m,
        comment=comment,
        per_hour=60 // step,
    )
    return head + "\n".join(rows) + "\n"


STAMPS: dict[str, tuple[int, Callable[[datetime], tuple[int, int]]]] = {
    "1-24": (60, lambda t: (t.hour + 1, 0)),
    "1-24 minute 60": (60, lambda t: (t.hour + 1, 60)),
    "0-23": (60, lambda t: (t.hour, 0)),
    "0-23 minute 30": (60, lambda t: (t.hour, 30)),
    "15 min to 60": (15, lambda t: (t.hour + 1, t.minute + 15)),
    "15 min from 0": (15, lambda t: (t.hour + 1, t.minute)),
    "30 min to 60": (30, lambda t: (t.hour + 1, t.minute + 30)),
    "30 min 0-23": (30, lambda t: (t.hour, t.minute)),
}


@pytest.mark.parametrize("kind", slow_after(3, list(STAMPS)))
def test_epw_of_any_step_and_counting(tmp_path: Path, kind: str):
    step, stamp = STAMPS[kind]
    year = year_at(AMARILLO, step=step)
    weather = read(tmp_path, epw(year, AMARILLO, stamp))
    assert weather.step_minutes == step
    same(weather, year, "ghi", "dni", "dhi", "temp", "wind")


ZONES = {
    -3.5: (47.56, -52.71),
    9.5: (-12.46, 130.84),
    5.75: (27.7, 85.3),
    12.75: (-43.95, -176.55),
    5.5: (28.6, 77.2),
}
LAYOUTS = ("epw", "tmy3", "plain", "half hours")


@pytest.mark.parametrize(
    ("zone", "layout"),
    slow_after(
        4,
        [
            *((zone, LAYOUTS[number % 4]) for number, zone in enumerate(ZONES)),
            *((5.75, layout) for layout in LAYOUTS),
        ],
    ),
)
def test_zones_that_are_no_whole_hour_are_exact(tmp_path: Path, zone: float, layout: str):
    site = Site(latitude=ZONES[zone][0], longitude=ZONES[zone][1], elevation_m=20.0)
    assert site.utc_offset_h == zone
    year = year_at(site, step=30 if layout == "half hours" else 60)
    sign, minutes = ("-" if zone < 0 else "+"), round(abs(zone) * 60)
    text = {
        "epw": lambda: epw(year, site, STAMPS["1-24"][1]),
        "tmy3": lambda: tmy3(year, site),
        "plain": lambda: plain(year, site, zone=f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"),
        "half hours": lambda: plain(year, site),
    }[layout]()
    weather = read(tmp_path, text)
    assert weather.utc_offset_h == zone
    same(weather, year)


def test_epw_of_pvgis_counts_hours_of_utc(tmp_path: Path):
    turin = Site(latitude=45.0, longitude=8.0, elevation_m=250.0)
    utc = year_at(turin, 0.0, instant_min=60 * 0.1761)
    comment = "Irradiance Time Offset (h):-0.8239"
    weather = read(tmp_path, epw(utc, turin, STAMPS["1-24"][1], comment=comment))
    assert weather.utc_offset_h == 1
    np.testing.assert_allclose(weather.ghi_w_m2[0, 1:], utc["ghi"].to_numpy()[:-1], atol=0.06)
    assert abs(weather.quality.by_year[0].sun_error_minutes) < 2
    assert weather.quality.doubts == ()


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8-sig", "utf-16", "cp1252"])
def test_epw_and_tmy3_in_any_encoding(tmp_path: Path, amarillo: Year, encoding: str):
    same(
        read(tmp_path, epw(amarillo, AMARILLO, STAMPS["1-24"][1], city="Montréal, Québec").encode(encoding)),
        amarillo,
    )
    same(read(tmp_path, tmy3(amarillo, AMARILLO, "Station® Ñ").encode(encoding)), amarillo)


def tmy3(year: Year, site: Site, name: str = "X") -> str:
    head = f'723170,"{name}",TX,{site.utc_offset_h},{site.latitude},{site.longitude},{site.elevation_m}\n'
    names = "Date (MM/DD/YYYY),Time (HH:MM),GHI (W/m^2),GHI source,DNI (W/m^2),DHI (W/m^2),"
    names += "Dry-bulb (C),Wspd (m/s)\n"
    rows = (
        f"{t:%m/%d/%Y},{t.hour + 1:02d}:00,{r.ghi},1,{r.dni},{r.dhi},{r.temp},{r.wind}"
        for t, r in steps(year)
    )
    return head + names + "\n".join(rows) + "\n"


def test_tmy3_format_of_a_leap_year_and_of_two_years(tmp_path: Path):
    year = year_at(AMARILLO, year=2021)
    leap = year.to_numpy()
    leap = np.insert(leap, 59 * 24, leap[58 * 24 : 59 * 24], axis=0)
    index = pd.date_range("2020-01-01", periods=8784, freq="h")
    leap_year = pd.DataFrame(leap, index=index, columns=year.columns)
    weather = read(tmp_path, tmy3(leap_year, AMARILLO))
    assert (weather.years, weather.source.is_tmy) == ((2020,), False)
    same(weather, year, "ghi", "dni", "dhi", "temp", "wind")
    both = read(tmp_path, tmy3(pd.concat([leap_year, year]), AMARILLO))
    assert both.years == (2020, 2021)
    np.testing.assert_allclose(both.ghi_w_m2[1], year["ghi"], atol=0.06)
    typical = read(tmp_path, tmy3(year, AMARILLO, "TMY3 of X"))
    assert typical.source.is_tmy


# ------------------------------------------------------------------------------------------------------ units

UNITS = {
    "ghi": 1.0,
    "GHI W/m2": 1.0,
    "ghi (kWh m-2)": 0.001,
    "ghi (kWh/m²)": 0.001,
    "ghi_kwh_m2": 0.001,
    "ghi (kW/m2)": 0.001,
    "ghi (MJ/m2/h)": 0.0036,
    "ghi (MJ m-2)": 0.0036,
    "ghi (MJ/(m² h))": 0.0036,
    "ghi (kJ/m²/h)": 3.6,
    "ghi (J/m2)": 3600.0,
    "ghi (J/cm2)": 0.36,
    "ghi (mW/cm2)": 0.1,
    "ghi (mW/cm²)": 0.1,
    "Solar radiation (langley)": 3600 / 41840,
    "ghi (cal/cm2)": 3600 / 41840,
    "ghi (BTU/ft2)": 1 / 3.154591,
    "ghi (Btu/hr-ft2)": 1 / 3.154591,
    "ghi (kcal/m2)": 3.6 / 4.184,
    "ghi [Wh/sqm]": 1.0,
    "ghi (W/mÂ²)": 1.0,
}


@pytest.mark.parametrize("name", slow_after(7, list(UNITS)))
def test_units_of_irradiance_are_converted(tmp_path: Path, amarillo: Year, name: str):
    scaled = amarillo.assign(ghi=(amarillo["ghi"] * UNITS[name]).round(5))
    same(read(tmp_path, plain(scaled, names=f"time,{name},temp_air (C)")), amarillo, atol=0.3)


def test_energy_in_steps_of_half_an_hour_and_of_a_quarter(tmp_path: Path):
    for step in (30, 15):
        year = year_at(AMARILLO, step=step)
        scaled = year.assign(ghi=(year["ghi"] / 1000 * step / 60).round(7))
        same(read(tmp_path, plain(scaled, names="time,ghi (kWh/m2),temp_air")), year)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("temp_air (F)", lambda c: c * 1.8 + 32),
        ("temp_air (°F)", lambda c: c * 1.8 + 32),
        ("t_degF", lambda c: c * 1.8 + 32),
        ("temp_air [K]", lambda c: c + 273.15),
        ("temp_air (deg C)", lambda c: c),
        ("Temperature (℃)", lambda c: c),
        ("Temperature_DegreesC", lambda c: c),
    ],
)
def test_units_of_temperature_are_converted(
    tmp_path: Path, amarillo: Year, name: str, values: Callable[[pd.Series], pd.Series]
):
    name = name if name != "t_degF" else "temp_degF"
    scaled = amarillo.assign(temp=values(amarillo["temp"]).round(2))
    same(read(tmp_path, plain(scaled, names=f"time,ghi,{name}")), amarillo)


@pytest.mark.parametrize(
    ("names", "ghi", "temp", "words"),
    [
        ("time,ghi (foo),temp_air", 1.0, None, r"the unit 'foo' of column 'ghi \(foo\)'"),
        ("time,ghi (W),temp_air", 1.0, None, r"the unit 'W'"),
        ("time,ghi (umol/m2/s),temp_air", 2.0, None, r"the unit 'umol/m2/s'"),
        ("time,ghi,temp_air (mV)", 1.0, None, r"the unit 'mV'"),
        ("time,ghi,temp_air (C)", 0.001, None, r"never exceeds.*look like kW/m2 or kWh/m2"),
        ("time,ghi,temp_air", 0.0036, None, r"never exceeds.*look like MJ/m2"),
        ("time,ghi,temp_air", 3.6, None, r"irradiance of \d+ W/m2.*look like kJ/m2"),
        ("time,ghi,temp_air", 0.1, None, r"never exceeds.*look like mW/cm2"),
        ("time,ghi (W/m2),temp_air", 0.001, None, "never exceeds"),
        ("time,ghi (kW/m2),temp_air", 1.0, None, "irradiance of"),
        ("time,ghi,temp_air", 0.5, None, "brightest days are 0.5. of a cloudless day"),
        ("time,ghi,temp_air", 1.5, None, "brightest days are 1.5. of a cloudless day"),
        ("time,ghi,temp_air", 1.0, lambda c: c * 1.8 + 32, "look like degrees F"),
        ("time,ghi,temp_air", 1.0, lambda c: c + 273.15, "look like K"),
        ("time,ghi,temp_air (F)", 1.0, lambda c: c, "the climate has.*look like degrees C"),
        ("time,ghi,temp_air (K)", 1.0, lambda c: c, "temperatures of -2"),
    ],
)
def test_what_no_sky_gives_is_refused_by_name(
    tmp_path: Path,
    amarillo: Year,
    names: str,
    ghi: float,
    temp: Callable[[pd.Series], pd.Series] | None,
    words: str,
):
    scaled = amarillo.assign(ghi=(amarillo["ghi"] * ghi).round(5))
    scaled["temp"] = amarillo["temp"] if temp is None else temp(amarillo["temp"]).round(2)
    assert re.search(words, refusal(tmp_path, plain(scaled, names=names)))


def test_fahrenheit_where_even_summer_is_mild_is_refused(tmp_path: Path):
    fairbanks = Site(latitude=64.8, longitude=-147.7, elevation_m=140.0)
    year = year_at(fairbanks)
    cold = year.assign(temp=(year["temp"] - 16).round(1))
    same(read(tmp_path, plain(cold, fairbanks)), cold)
    assert "degrees F" in refusal(tmp_path, plain(cold.assign(temp=cold["temp"] * 1.8 + 32), fairbanks))


def test_wind_without_unit_is_guarded_and_converted_with_one(tmp_path: Path, amarillo: Year):
    def table(name: str, factor: float) -> str:
        rows = (f"{t:%Y-%m-%d %H:%M},{r.ghi},{r.wind * factor:.3f}" for t, r in steps(amarillo))
        return head_of(AMARILLO) + f"time,ghi,{name}\n" + "\n".join(rows)

    for name, factor in {
        "wind_speed (km/h)": 3.6,
        "wind_mph": 1 / 0.44704,
        "ws (knots)": 1.94384,
        "ws": 1.0,
    }.items():
        same(read(tmp_path, table(name, factor)), amarillo, "ghi", "wind")
    assert "wind of 14.4 m/s on average" in refusal(tmp_path, table("ws", 3.6))
    assert "the unit 'beaufort'" in refusal(tmp_path, table("ws (beaufort)", 1.0))


# ---------------------------------------------------------------------------------------- clocks and places


@pytest.mark.parametrize(
    ("declared", "words"), [(6, "12 h"), (-18 + 24, "12 h"), (0, "6 h"), (-2, "4 h smaller")]
)
def test_clocks_that_are_hours_out_are_refused(tmp_path: Path, amarillo: Year, declared: float, words: str):
    text = refusal(tmp_path, plain(amarillo, zone=declared))
    assert "sun stands" in text
    assert words in text


def test_a_clock_half_a_day_out_is_refused_where_the_convention_is_measured(tmp_path: Path, amarillo: Year):
    text = plain(amarillo, zone=6).replace("# convention: start\n", "")
    assert "The sun's hours fit about UTC-" in refusal(tmp_path, text)
    same(read(tmp_path, plain(amarillo).replace("# convention: start\n", "")), amarillo)


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    slow_after(
        4,
        [
            ("26.2 S", "28.04 E"),
            ("S 26.2", "E 28.04"),
            ("-26.2", "+28.04"),
            ("26.2°S", "28.04°E"),
            ("26°12'00\" S", "28°2'24\" E"),
            ("26 12 0 S", "28 2 24 E"),
            ("26,2 S", "28,04 E"),
            ("26.2 South", "28.04 East"),
            ("−26.2", "28.04"),
        ],
    ),
)
def test_hemispheres_and_minutes_are_read(tmp_path: Path, latitude: str, longitude: str):
    year = year_at(JOHANNESBURG)
    head = f"# latitude: {latitude}\n# longitude: {longitude}\n# elevation: 5577 ft\n"
    head += "# utc_offset: 2\n# convention: start\n"
    weather = read(tmp_path, head + plain(year).split("start\n")[1])
    assert (weather.site.latitude, weather.site.longitude) == pytest.approx((-26.2, 28.04))
    assert weather.site.elevation_m == pytest.approx(1699.9, abs=0.1)
    same(weather, year)


def test_hemispheres_by_letter_in_headers_of_epw_and_tmy3(tmp_path: Path):
    year = year_at(JOHANNESBURG)
    for text in (epw(year, JOHANNESBURG, STAMPS["1-24"][1]), tmy3(year, JOHANNESBURG)):
        assert "-26.2,28.04" in text
        weather = read(tmp_path, text.replace("-26.2,28.04", "26.2 S,28.04 E"))
        assert (weather.site.latitude, weather.site.longitude) == (-26.2, 28.04)
        same(weather, year)


@pytest.mark.parametrize(
    ("replaced", "by", "words"),
    [
        ("latitude: -26.2", "latitude: 26.2", "whose seasons are those of latitude -26.2"),
        ("latitude: -26.2", "latitude: -26.2 N", "the sign contradicts the letter"),
        ("latitude: -26.2", "latitude: 26.2 E", "E is no latitude"),
        ("latitude: -26.2", "latitude: abc", "must be degrees"),
        ("longitude: 28.04", "longitude: -28.04", "sea"),
        ("elevation: 1700.0 m", "elevation: 5577", "looks like feet"),
        ("elevation: 1700.0 m", "elevation: 1700 yards", "the unit 'yards'"),
    ],
)
def test_places_that_cannot_be_are_refused(tmp_path: Path, replaced: str, by: str, words: str):
    text = plain(year_at(JOHANNESBURG), JOHANNESBURG)
    assert replaced in text
    assert words in refusal(tmp_path, text.replace(replaced, by))


def wall_clock(site: Site, step: int, repeated: bool) -> tuple[Year, Year]:
    """A year and the same as the wall clock writes it, the repeated hour once or twice."""
    year = year_at(site, step=step)
    zone = pd.Timedelta(hours=site.utc_offset_h)
    wall = (year.index - zone).tz_localize("UTC").tz_convert(site.timezone).tz_localize(None)
    written = year.set_axis(wall)
    return year, written if repeated else written[~written.index.duplicated(keep="last")]


@pytest.mark.parametrize(
    ("site", "step", "repeated", "declared"),
    [
        (CHICAGO, 60, False, False),
        (CHICAGO, 60, True, True),
        (CHICAGO, 30, True, False),
        (Site(latitude=52.52, longitude=13.41, elevation_m=38.0), 60, False, True),
        (Site(latitude=-33.87, longitude=151.0, elevation_m=26.0), 60, True, False),
    ],
    ids=["chicago", "chicago-both", "chicago-30", "berlin", "sydney"],
)
def test_wall_clocks_are_found_and_put_on_standard_time(
    tmp_path: Path, site: Site, step: int, repeated: bool, declared: bool
):
    year, written = wall_clock(site, step, repeated)
    text = plain(written, site)
    if not declared:
        text = "\n".join(
            line for line in text.splitlines() if not line.startswith(("# utc_offset", "# convention"))
        )
    weather = read(tmp_path, text)
    assert any("wall clock" in note for note in weather.source.notes)
    same(weather, year, "ghi")


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("style", ["counted", "counted once", "instants"])
def test_wall_clocks_stamped_by_the_end_are_put_on_standard_time(tmp_path: Path, declared: bool, style: str):
    year, written = wall_clock(CHICAGO, 60, repeated=style != "counted once")
    ends = written.set_axis(written.index + pd.Timedelta(hours=1))
    if style == "instants":
        utc = (year.index + pd.Timedelta(hours=7)).tz_localize("UTC")
        ends = year.set_axis(utc.tz_convert("America/Chicago").tz_localize(None))
    text = plain(ends, CHICAGO, convention="end")
    weather = read(tmp_path, text if declared else text.replace("# convention: end\n", ""))
    assert weather.quality.repaired_share == 0
    same(weather, year, "ghi")


def test_a_wall_clock_where_there_is_none_is_refused(tmp_path: Path):
    phoenix = Site(latitude=33.45, longitude=-112.07, elevation_m=340.0)
    year = year_at(phoenix)
    moved = year.copy()
    summer = (year.index.month >= 4) & (year.index.month <= 10)
    moved.index = pd.DatetimeIndex(np.where(summer, year.index + pd.Timedelta(hours=1), year.index))
    assert "later in summer than in winter" in refusal(tmp_path, plain(moved, phoenix))
    same(read(tmp_path, plain(year, phoenix)), year)


# ---------------------------------------------------------------------------------------------------- blanks


@pytest.mark.parametrize("blank", ["null", "", "NaN", "-9999", "N/A"])
def test_blanks_at_low_sun_are_filled_and_counted(tmp_path: Path, blank: str):
    year = year_at(AMARILLO, step=30)
    sun = solar_geometry(AMARILLO, 30, -6.0, 15.0)
    low = (sun.zenith_deg > 82) & (sun.ghi_extra_w_m2 > 0)
    assert low.mean() > 0.03
    rows = (
        f"{t:%Y-%m-%d %H:%M},{blank if gone else r.ghi}"
        for (t, r), gone in zip(steps(year), low, strict=True)
    )
    weather = read(tmp_path, head_of(AMARILLO) + "time,ghi\n" + "\n".join(rows))
    assert np.isfinite(weather.ghi_w_m2).all()
    assert weather.ghi_w_m2.mean() == pytest.approx(year["ghi"].mean(), rel=0.005)
    assert any("hours at low sun" in note for note in weather.source.notes)
    assert weather.quality.repaired_share == 0
    np.testing.assert_allclose(weather.ghi_w_m2[0][~low], year["ghi"][~low], atol=1e-9)


def test_no_weather_holds_what_is_no_number(amarillo: Year):
    weather = Weather.generate(AMARILLO, years=1)
    for name in ("ghi_w_m2", "temp_air_c", "wind_speed_m_s"):
        for bad in (np.nan, np.inf):
            spoiled = getattr(weather, name).copy()
            spoiled[0, 5] = bad
            with pytest.raises(
                InputError, match=rf"weather\.{name}: got 1 values that are no finite numbers"
            ):
                replace(weather, **{name: spoiled})


# ------------------------------------------------------------------------------------- other shapes of tables


def test_a_decimal_comma_between_commas_names_the_cause(tmp_path: Path, amarillo: Year):
    rows = (f"{t:%Y-%m-%d %H:%M},{r.ghi},{r.temp}".replace(".", ",") for t, r in steps(amarillo))
    assert "decimal commas" in refusal(tmp_path, head_of(AMARILLO) + "time,ghi,temp_air\n" + "\n".join(rows))


def test_day_and_month_exchanged_by_a_spreadsheet_are_named(tmp_path: Path, amarillo: Year):
    rows = (
        f"{t:%d/%m/%Y %H:%M},{r.ghi}" if t.day > 12 else f"{t:%m/%d/%Y %H:%M},{r.ghi}"
        for t, r in steps(amarillo)
    )
    text = refusal(tmp_path, head_of(AMARILLO) + "time,ghi\n" + "\n".join(rows))
    # Read with the day first, the first twelve days of each month run through the months.
    assert "day first" in text or "out of order" in text


@pytest.mark.parametrize("zone", [None, "UTC", "America/Chicago"])
@pytest.mark.parametrize("name", [None, "time", "index"])
def test_parquet_with_an_unnamed_time_index(tmp_path: Path, zone: str | None, name: str | None):
    year = year_at(AMARILLO)
    table = year[["ghi", "temp"]].rename(columns={"temp": "temp_air"}).rename_axis(name)
    if zone is not None:
        index = (year.index + pd.Timedelta(hours=6)).tz_localize("UTC").tz_convert(zone)
        table = table.set_axis(index.rename(name))
    pq.write_table(pa.Table.from_pandas(table), tmp_path / "a.parquet")
    same(Weather.read(tmp_path / "a.parquet", site=AMARILLO), year)


def test_a_file_cut_short_says_so_and_only_that_one_asks_for_another_download(tmp_path: Path, amarillo: Year):
    text = epw(amarillo, AMARILLO, STAMPS["1-24"][1])
    for keep in (len(text) // 2, len(text) // 2 + 40):
        (tmp_path / "a.epw").write_text(text[:keep])
        with pytest.raises(InputError, match=r"daylight hours missing|cannot be read as such|fields"):
            Weather.read(tmp_path / "a.epw")
    head, body = text.splitlines()[:8], text.splitlines()[8:]
    assert "35 fields" in refusal(tmp_path, "\n".join([*head, *(line[:30] for line in body)]))


def test_reading_says_nothing_on_stderr(
    tmp_path: Path, amarillo: Year, capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
):
    read(tmp_path, plain(amarillo))
    read(tmp_path, epw(amarillo, AMARILLO, STAMPS["0-23"][1]))
    read(tmp_path, tmy3(amarillo, AMARILLO))
    assert capfd.readouterr().err == ""
    assert [str(warning.message) for warning in recwarn] == []


# ----------------------------------------------------------------------------------------------------- flags


def test_flags_stand_with_every_result_and_need_consent(tmp_path: Path, amarillo: Year):
    from sitedesign.batch.one_site import figures
    from sitedesign.report.content import question_rows

    low = read(tmp_path, plain(amarillo.assign(ghi=(amarillo["ghi"] * 0.8).round(1))))
    (flag,) = low.quality.doubts
    assert "check units and calibration" in flag
    assert low.quality.flags == low.source.flags == (flag,)
    with pytest.raises(InputError, match=r"check units and calibration.*accept=\['weather_flags'\]"):
        sd.Study(site=low.site, weather=low, racks=10, uptime=0.9)
    study = sd.Study(site=low.site, weather=low, racks=10, uptime=0.9, accept=["weather_flags"])
    design = sd.solve(study, certify=False)
    assert design.provenance.weather_flags == (flag,)
    assert any(flag in note for note in design.provenance.notes)
    assert flag in design.to_json() if hasattr(design, "to_json") else flag in design.model_dump_json()
    assert ("Flag of the weather", flag) in question_rows(design)
    assert figures(design)["weather_flags"] == flag
    certificate = sd.certify(design, study, years=2, draws=1)
    certificate = getattr(certificate, "certificate", certificate)
    assert certificate.weather_flags == (flag,)
    assert flag in str(certificate)
    assert flag in certificate._repr_html_()


def test_weather_made_from_flagged_weather_keeps_the_flags(tmp_path: Path):
    for number in range(6):
        year = year_at(AMARILLO, year=2010 + number)
        (tmp_path / f"{number}.csv").write_text(plain(year.assign(ghi=(year["ghi"] * 0.8).round(1))))
    weather = Weather.read(tmp_path)
    assert len(weather.quality.doubts) == 6
    drawn = weather.bootstrap(2)
    assert drawn.source.doubts == weather.quality.doubts
    with pytest.raises(InputError, match=r"and 3 more.*weather_flags"):
        sd.Study(site=drawn.site, weather=drawn, racks=10, uptime=0.9)


def test_weather_without_doubts_needs_no_consent(tmp_path: Path, amarillo: Year):
    weather = read(tmp_path, plain(amarillo))
    assert weather.quality.flags == ()
    assert sd.Study(site=weather.site, weather=weather, racks=10, uptime=0.9).accept == ()


def test_much_repaired_irradiation_is_flagged(tmp_path: Path, amarillo: Year):
    with_gap = amarillo.copy()
    with_gap.loc["2021-06-01":"2021-06-09", "ghi"] = np.nan
    (tmp_path / "a.csv").write_text(plain(with_gap).replace(",nan,", ",,"))
    weather = Weather.read(tmp_path / "a.csv")
    assert any("irradiation comes from repaired hours" in flag for flag in weather.quality.doubts)


def test_bytes_that_are_text_of_two_bytes_are_no_binary_file(tmp_path: Path, amarillo: Year):
    text = plain(amarillo)
    for raw in (codecs.BOM_UTF16_BE + text.encode("utf-16-be"), text.encode("utf-16-le")):
        same(read(tmp_path, raw), amarillo)
    buffer = io.BytesIO(b"\x00\x01\x02" * 999)
    assert "binary file" in refusal(tmp_path, buffer.getvalue())


# ---------------------------------------------------------------------------------------- columns of dates

SHAPES: dict[str, Callable[[pd.Timestamp], str]] = {
    "Date,Time": lambda t: f"{t:%d/%m/%Y},{t:%H:%M}",
    "Date (MM/DD/YYYY),Time (hh:mm AM/PM)": lambda t: f"{t:%m/%d/%Y},{t:%I:%M %p}",
    "Date,Hour": lambda t: f"{t:%Y-%m-%d},{t.hour}",
    "YYYYMMDD,HHMM": lambda t: f"{t:%Y%m%d},{int(t.strftime('%H%M'))}",
    "Year,DOY,Hour": lambda t: f"{t.year},{t.timetuple().tm_yday},{t.hour}",
    "Month,Day,Hour": lambda t: f"{t.month},{t.day},{t.hour}",
    ",time": lambda t: f"{t.timetuple().tm_yday * 24 + t.hour},{t:%Y-%m-%d %H:%M}",
    "Time (Uhr)": lambda t: f"{t:%d.%m.%Y %H:%M} Uhr",
    "Time ": lambda t: f"{t:%Y-%m-%d %H:%M} - {t + timedelta(hours=1):%H:%M}",
    "time\nUTC-6": lambda t: f"{t:%Y-%m-%d %H:%M}",
}


@pytest.mark.parametrize("names", slow_after(5, list(SHAPES)))
def test_dates_in_columns_of_any_shape(tmp_path: Path, amarillo: Year, names: str):
    first, _, units = names.partition("\n")
    rows = "\n".join(f"{SHAPES[names](t)},{r.ghi}" for t, r in steps(amarillo))
    below = f"\n{units},W/m2" if units else ""
    weather = read(tmp_path, f"{head_of(AMARILLO)}{first},ghi{below}\n{rows}\n")
    assert weather.source.is_tmy == (names == "Month,Day,Hour")
    same(weather, amarillo, "ghi")


def test_rows_that_run_back_are_turned_round(tmp_path: Path, amarillo: Year):
    rows = plain(amarillo).splitlines()
    weather = read(tmp_path, "\n".join([*rows[:6], *rows[:5:-1]]))
    assert any("turned round" in note for note in weather.source.notes)
    same(weather, amarillo)


def test_nights_that_a_file_leaves_blank_hide_no_clock(tmp_path: Path, amarillo: Year):
    def blank(zone: float) -> str:
        rows = (f"{t:%Y-%m-%d %H:%M},{r.ghi if r.ghi > 0 else -999}" for t, r in steps(amarillo))
        return head_of(AMARILLO, zone) + "time,ghi\n" + "\n".join(rows)

    np.testing.assert_allclose(read(tmp_path, blank(-6)).ghi_w_m2[0], amarillo["ghi"], atol=0.5)
    assert "sun stands" in refusal(tmp_path, blank(6))


def test_tables_without_what_is_needed_say_what_they_hold(tmp_path: Path, amarillo: Year):
    rows = [f"{t:%Y-%m-%d %H:%M},{r.ghi}" for t, r in steps(amarillo)]
    tilted = refusal(tmp_path, "time,poa_global\n" + "\n".join(rows))
    assert "its columns are 'time', 'poa_global'" in tilted
    assert "tilted plane" in tilted
    assert "give 'dni' and 'dhi'" in refusal(tmp_path, "time,dni\n" + "\n".join(rows))
    nothing = "\n".join(f"{row[:16]}," for row in rows)
    assert "every value is missing" in refusal(tmp_path, head_of(AMARILLO) + "time,ghi\n" + nothing)


def test_stamps_a_second_or_a_minute_before_the_hour_end_it(tmp_path: Path, amarillo: Year):
    for style in ("%H:59:59", "%H:59"):
        rows = (f"{t:%Y-%m-%d} {t.strftime(style)},{r.ghi}" for t, r in steps(amarillo))
        text = head_of(AMARILLO, convention="end") + "time,ghi\n" + "\n".join(rows)
        weather = read(tmp_path, text)
        assert weather.utc_offset_h == -6
        same(weather, amarillo, "ghi")


def test_other_quantities_of_the_same_name_are_left_alone(tmp_path: Path, amarillo: Year):
    names = "time,GHI min,GHI uncertainty,GHI,Temp (module) [C],Temp (ambient) [C]\n"
    rows = (f"{t:%Y-%m-%d %H:%M},1,8,{r.ghi},{r.temp + 25},{r.temp}" for t, r in steps(amarillo))
    same(read(tmp_path, head_of(AMARILLO) + names + "\n".join(rows)), amarillo)


@pytest.mark.parametrize("longitude", ["258.05", "-101.95"])
@pytest.mark.parametrize("per_second", [1, 1000, 10**9])
def test_counted_seconds_and_longitudes_all_round(
    tmp_path: Path, amarillo: Year, longitude: str, per_second: int
):
    head = f"# latitude: 35.2\n# longitude: {longitude}\n# elevation: 1100 m\n# convention: start\ntime,ghi\n"
    begin, second = datetime(1970, 1, 1) - timedelta(hours=6), timedelta(seconds=1)
    rows = (f"{(t - begin) // second * per_second},{r.ghi}" for t, r in steps(amarillo))
    same(read(tmp_path, head + "\n".join(rows)), amarillo, "ghi")


def test_epw_on_the_wall_clock_is_put_on_standard_time(tmp_path: Path):
    year, written = wall_clock(CHICAGO, 60, repeated=True)
    weather = read(tmp_path, epw(written, CHICAGO, STAMPS["1-24"][1]))
    assert any("wall clock" in note for note in weather.source.notes)
    same(weather, year, "ghi", "dni")
