"""EPW, TMY2 and TMY3 files: hourly means, stamped 1 to 24 by the hour's end, and what others write so."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pvlib.iotools import read_tmy2

from sitedesign.errors import Fault, InputError
from sitedesign.util.text_table import fields, lines_of, read_table
from sitedesign.weather.files.formats.clock import place_in_time, zone_words
from sitedesign.weather.files.formats.column_names import Column
from sitedesign.weather.files.formats.generic import parse_as
from sitedesign.weather.files.formats.header import coordinate, elevation_m, keys_of, zone_h
from sitedesign.weather.files.formats.level import check_levels
from sitedesign.weather.files.formats.source import SourceText
from sitedesign.weather.files.record import Convention, WeatherRecord, is_typical, record_from
from sitedesign.weather.files.wall_clock import unwind
from sitedesign.weather.site import Site

OF = "Weather.read()"
FloatArray = NDArray[np.float64]

_TMY2_HEAD = re.compile(
    r"^.?\d{5} .{22} [A-Z ]{2}\s+-?\d+ [NS] [ \d]{2} [ \d]{2} [EW] [ \d]{3} [ \d]{2}\s+-?\d+"
)
_TYPICAL_WORDS = re.compile(
    r"\b(TMY\w*|IWEC\w*|CWEC\w*|ISHRAE|CSWD|SWERA|RMY|TRY|TYPICAL METEO\w*)\b", re.IGNORECASE
)


def recognise_epw(head: str) -> bool:
    """Tell an EPW file by its first word."""
    first = re.match(r'"?LOCATION"?\s*[,;\t]', head, re.IGNORECASE)
    return first is not None and "DATA PERIODS" in head.upper()


def recognise_tmy3(head: str) -> bool:
    """Tell a TMY3 file by its second row, below a row of place and zone."""
    lines = [line.replace('"', "") for line in lines_of(head)]
    return (
        len(lines) > 1
        and re.match(r"Date \(MM/DD/YYYY\)\s*[,;\t]\s*Time \(HH:MM\)", lines[1]) is not None
        and len(re.split(r"[,;\t]", lines[0])) >= 7
    )


def recognise_tmy2(head: str) -> bool:
    """Tell a TMY2 file by the fixed columns of its first row."""
    return bool(_TMY2_HEAD.match(head))


def parse_epw(
    source: SourceText, site: Site | None = None
) -> WeatherRecord:  # one signature for all families
    """Read one EPW file (typical or actual year, of any step and any counting of hours).

    Parameters
    ----------
    source : SourceText
    site : Site, optional
        Not needed.

    Returns
    -------
    WeatherRecord
        Typical if the months come from different years or the header names a typical-year product.

    Raises
    ------
    InputError
        If the header or the stamps are faulty.
    """
    name = source.name
    lines = lines_of(source.text)
    first = (
        next(row for row, line in enumerate(lines) if line.lstrip('" ').upper().startswith("DATA PERIODS"))
        + 1
    )
    separator = next(mark for mark in lines[0] if mark in ",;\t")
    place, zone = _epw_place(fields(lines[0], separator), name)
    # Empty lines keep the numbers of the lines in messages.
    table = read_table("\n" * first + "\n".join(lines[first:]), name)
    if table.cells.shape[1] <= max(_EPW.values()):
        found = f"rows of {table.cells.shape[1]} fields"
        raise InputError([Fault(name, found, "EPW has 35 fields in a row")], OF)
    values = {key: table.numbers(position)[0] for key, position in _EPW.items()}
    years = values["year"]
    dates = pd.to_datetime(
        pd.DataFrame({key: values[key] for key in ("year", "month", "day")}), errors="coerce"
    )
    if dates.isna().any():
        row = int(np.argmax(dates.isna().to_numpy()))
        raise InputError([Fault(name, f"no date in line {table.cells.index[row]}", "must have one")], OF)
    data = pd.DataFrame({key: values[key] for key in _EPW if key not in _EPW_TIME})
    header = [line for line in lines[:first] if line.upper().startswith(("LOCATION", "COMMENTS"))]
    named = " ".join(header)  # other header rows speak of "typical periods" in every file
    typical = len(np.unique(years)) > 1 or (bool(_TYPICAL_WORDS.search(named)) and "AMY" not in named)
    notes = () if typical else (f"EPW of one calendar year, {int(years[0])}, taken as that actual year",)
    typical = is_typical(pd.DatetimeIndex(dates)) if len(np.unique(years)) > 1 else typical
    check_levels(data.set_index(pd.DatetimeIndex(dates)), _EPW_COLUMNS, name)
    about: dict[str, Any] = {"typical": typical, **place}
    offset = re.search(r"Irradiance Time Offset \(h\)\s*:\s*(-?\d+(?:\.\d+)?)", named)
    if offset:
        return _pvgis_epw(data, dates, values["hour"], float(offset[1]), name, notes, about)
    stamps, convention, said = _epw_stamps(dates, values["hour"], values["minute"])
    data.index = stamps
    where = site or Site(latitude=place["latitude"], longitude=place["longitude"])
    unwound = None if typical or convention is None else unwind(data, name, where)
    if unwound is not None:
        data, zone, notes = unwound.data, unwound.zone_h, (*notes, unwound.note)
    if convention is not None:
        return record_from(
            data, name, "EPW", convention, zone, words=f"{said}, {zone_words(zone)}", utc_offset_h=zone,
            notes=notes, **about,
        )  # fmt: skip
    return place_in_time(
        data, name, "EPW", zone_h=zone, convention=None, usual="start", site=where, utc_offset_h=zone,
        notes=(*notes, said), **about,
    )  # fmt: skip


_EPW = {
    "year": 0, "month": 1, "day": 2, "hour": 3, "minute": 4, "ghi": 13, "dni": 14, "dhi": 15, "temp_air": 6,
    "wind_speed": 21,
}  # fmt: skip
_EPW_TIME = ("year", "month", "day", "hour", "minute")
_EPW_COLUMNS = tuple(
    Column(_EPW[key], key, key, unit)
    for key, unit in (
        ("ghi", "Wh/m2"),
        ("dni", "Wh/m2"),
        ("dhi", "Wh/m2"),
        ("temp_air", "C"),
        ("wind_speed", "m/s"),
    )
)


def _epw_place(location: list[str], file: str) -> tuple[dict[str, float], float]:
    """Place [degrees, m] and zone [h], the last four fields of the first row: names may hold commas."""
    while location and not location[-1]:
        location = location[:-1]
    if len(location) < 6:
        found = f"a first row of {len(location)} fields"
        raise InputError(
            [Fault(file, found, "must end with latitude, longitude, time zone and elevation")], OF
        )
    latitude, longitude, zone, elevation = location[-4:]
    place = {
        "latitude": coordinate(latitude, "latitude", file),
        "longitude": coordinate(longitude, "longitude", file),
        "elevation_m": elevation_m(elevation, file),
    }
    return place, zone_h(zone, file)


def _epw_stamps(
    dates: pd.Series, hour: FloatArray, minute: FloatArray
) -> tuple[pd.DatetimeIndex, Convention | None, str]:
    """Stamps of an EPW file, where in their interval they stand if the counting tells, and words for it.

    Hours run from 1 to 24 by their end, or in other programs from 0 to 23. Minutes of hourly files mean
    nothing; in shorter steps they run from 15 to 60 by the end or from 0 to 45 by the beginning.
    """
    from_one = bool(hour.min() >= 1)
    begun = hour - 1 if from_one else hour
    kinds = np.unique(minute)
    if len(kinds) == 1:
        if from_one:
            return _after(dates, hour * 60), "end", "hourly means, hours 1 to 24 by their end"
        return _after(dates, hour * 60), None, "hours counted from 0 to 23"
    step = int(np.diff(kinds).min())
    counted = f"hours {'1 to 24' if from_one else '0 to 23'}, minutes {kinds[0]:g} to {kinds[-1]:g}"
    by_end = bool((kinds == 60).any())
    words = f"means of {step} minutes stamped at their {'end' if by_end else 'start'}, {counted}"
    return _after(dates, begun * 60 + minute), "end" if by_end else "start", words


def _after(dates: pd.Series, minutes: FloatArray) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(dates + pd.to_timedelta(minutes, unit="min"))


def _pvgis_epw(
    data: pd.DataFrame, dates: pd.Series, hour: FloatArray, offset_h: float, file: str,
    notes: tuple[str, ...], about: dict[str, Any],
) -> WeatherRecord:  # fmt: skip
    """EPW as PVGIS writes it: hours are of UTC whatever the zone says, the sun stands at hour plus offset."""
    whole = int(np.floor(offset_h))
    data = data.set_index(_after(dates, (hour + whole) * 60))
    sun = (offset_h - whole) * 60
    words = f"instants in UTC, {sun:.0f} min into the hour (comment of PVGIS)"
    return record_from(
        data, file, "EPW of PVGIS", "start", 0.0, words=words, sun_shift_minutes=sun, satellite=True,
        notes=notes, **about,
    )  # fmt: skip


def parse_tmy3(
    source: SourceText, site: Site | None = None
) -> WeatherRecord:  # one signature for all families
    """Read one file in the format of TMY3, of a typical year or of actual ones.

    Parameters
    ----------
    source : SourceText
    site : Site, optional
        Not needed.

    Returns
    -------
    WeatherRecord
        Typical if the months come from different years or the first row names a typical-year product.

    Raises
    ------
    InputError
        If the stamps are faulty.
    """
    table = read_table(source.text, source.name)
    hours = table.cells[1].str.extract(r"^(\d{1,2})")[0]
    by_end = bool((hours == "24").any())
    convention: Convention | None = "end" if by_end else None
    typical = True if _TYPICAL_WORDS.search(table.above[0]) else None
    record = parse_as(source, site, "TMY3", convention=convention, usual="end", typical=typical)
    zone = zone_h(keys_of(table.above, table.separator)["zone"], source.name)
    words = f"hourly means, hours 1 to 24 by their end, {zone_words(zone)}" if by_end else record.convention
    notes = record.notes
    if not record.typical:
        years = sorted(set(pd.DatetimeIndex(record.frame.index[: -24 or None]).year))
        notes = (
            *notes,
            f"TMY3 format of calendar years, {', '.join(map(str, years))}, taken as actual years",
        )
    return replace(record, convention=words, notes=notes, utc_offset_h=zone)


def parse_tmy2(
    source: SourceText, site: Site | None = None
) -> WeatherRecord:  # one signature for all families
    """Read one TMY2 file; always typical.

    Parameters
    ----------
    source : SourceText
    site : Site, optional
        Not needed.

    Returns
    -------
    WeatherRecord

    Raises
    ------
    InputError
        If the stamps are faulty.
    """
    with source.plain_file() as path:
        data, meta = read_tmy2(path)
    data.index = pd.DatetimeIndex(data.index).tz_localize(None)
    data = data.rename(
        columns={"GHI": "ghi", "DNI": "dni", "DHI": "dhi", "DryBulb": "temp_air", "Wspd": "wind_speed"}
    )
    # Tenths, and pvlib does not scale them.
    data["temp_air"] = data["temp_air"] / 10
    data["wind_speed"] = data["wind_speed"] / 10
    zone = float(str(meta["TZ"]))
    return record_from(
        data,
        source.name,
        "TMY2",
        "start",
        zone,
        words=f"hourly means, hours 1 to 24 by their end, {zone_words(zone)}",
        typical=True,
        latitude=float(str(meta["latitude"])),
        longitude=float(str(meta["longitude"])),
        elevation_m=float(str(meta["altitude"])),
        utc_offset_h=zone,
    )
