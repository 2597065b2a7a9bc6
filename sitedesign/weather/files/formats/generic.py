"""CSV with named columns: units from the names, time from header lines or from the sun itself.

Header lines in any layout of :mod:`sitedesign.weather.files.formats.header` may give ``latitude``,
``longitude``, ``elevation``, ``utc_offset`` (hours, ``UTC``, ``+05:30`` or an IANA name, of which the
standard time is taken), ``convention`` (``start``, ``middle``, ``end``, ``instant``) and
``sun_offset_minutes`` (where the sun stands after the start of an interval). What they leave out is measured
against the sun on clear days and said in the notes; it is never guessed from a missing key alone. The tables
of SAM, Solcast, NASA POWER, Open-Meteo, SolarAnywhere, Meteonorm and the NSRDB of 1991-2010 are such tables.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sitedesign.errors import Fault, InputError
from sitedesign.util.text_table import BLANK, SEPARATORS, TextTable, fields, lines_of, read_table
from sitedesign.util.timestamps import read_stamps
from sitedesign.weather.files.formats.clock import place_in_time
from sitedesign.weather.files.formats.column_names import (
    IRRADIANCE,
    Column,
    part_name,
    squash,
    stamp_convention,
    time_columns,
    value_columns,
)
from sitedesign.weather.files.formats.header import (
    declared_zone_h,
    elevation_fault,
    keys_of,
    place_of,
    zone_h,
)
from sitedesign.weather.files.formats.level import check_levels
from sitedesign.weather.files.formats.source import SourceText
from sitedesign.weather.files.record import TYPICAL_LABEL_YEAR, Convention, WeatherRecord
from sitedesign.weather.site import Site

OF = "Weather.read()"
FloatArray = NDArray[np.float64]
_HEADER_LINES = 100
_CONVENTIONS: dict[str, Convention] = {
    "start": "start", "left": "start", "begin": "start", "beginning": "start",
    "end": "end", "right": "end", "ending": "end",
    "middle": "middle", "mid": "middle", "center": "middle", "centre": "middle",
    "instant": "instant", "instantaneous": "instant",
}  # fmt: skip
_ENOUGH = 0.9
"""A measured column is taken before a modelled one if it has this share of the other's values."""


def recognise(head: str) -> bool:
    """Tell a table by a row of names with a time column and irradiance."""
    return any(_names_weather(line) for line in lines_of(head)[:_HEADER_LINES])


def _names_weather(line: str) -> bool:
    bare = line.lstrip("#").strip()
    for separator in (*SEPARATORS, BLANK):
        names = fields(bare, separator) if separator in bare else []
        found = {column.variable for column in value_columns(names)} if len(names) > 1 else set()
        if ({"ghi"} <= found or {"dni", "dhi"} <= found) and time_columns(names):
            return True
    return False


def parse(source: SourceText, site: Site | None = None) -> WeatherRecord:
    """Read one table; parameters and errors are those of :func:`parse_as`."""
    return parse_as(source, site, "CSV with named columns")


def parse_as(
    source: SourceText,
    site: Site | None,
    kind: str,
    *,
    convention: Convention | None = None,
    usual: Convention | None = None,
    typical: bool | None = None,
    satellite: bool = False,
    notes: tuple[str, ...] = (),
) -> WeatherRecord:
    """Read one table of a known kind.

    Parameters
    ----------
    source : SourceText
    site : Site, optional
        Needed to measure time where the file does not declare it, unless the file names its place.
    kind : str
        For people.
    convention : {'start', 'middle', 'end', 'instant'}, optional
        What the kind says of its stamps; else what header and names say, else measured.
    usual : convention, optional
        What the kind usually means where the sun cannot tell.
    typical : bool, optional
        Known from the kind; else told from the stamps.
    satellite : bool
    notes : tuple of str

    Returns
    -------
    WeatherRecord

    Raises
    ------
    InputError
        If a needed unit, time zone or convention is neither declared nor measurable, or stamps are faulty.
    """
    name = source.name
    table = read_table(source.text, name)
    columns = value_columns(table.names, units_of(table))
    if not columns or not time_columns(table.names):
        found = f"columns {', '.join(map(repr, table.names[:6]))} above the numbers"
        raise InputError([Fault(name, found, "needs a time column and ghi in the row above them")], OF)
    keys = keys_of(table.above, table.separator)
    place = place_of(keys, name)
    if site is None and (fault := elevation_fault(place, keys, name)) is not None:
        raise InputError([fault], OF)
    stamps, stamped_zone, yearless, dated = stamps_of(table)
    known = np.flatnonzero(np.asarray(stamps.notna()))
    table = replace(table, cells=table.cells.iloc[known])
    stamps = on_whole_steps(stamps[known])
    if len(stamps) > 2 and (np.diff(stamps.to_numpy()) < np.timedelta64(0)).mean() > 0.99:
        table, stamps = replace(table, cells=table.cells.iloc[::-1]), stamps[::-1]
        dated = (*dated, "rows run back in time: turned round")
    data, chosen, said = _values(table, columns, _step_h(stamps))
    data.index = stamps
    where = site or (Site(**place) if {"latitude", "longitude"} <= set(place) else None)
    check_levels(data, chosen, name)
    data = data if "ghi" in data else data.assign(ghi=np.nan)
    shift = keys.get("sun_offset_minutes")
    # What a known kind holds needs no saying.
    named = () if kind != "CSV with named columns" else tuple(column.said for column in chosen)
    return place_in_time(
        data,
        name,
        kind,
        zone_h=stamped_zone if stamped_zone is not None else _zone(table, keys, where),
        convention=convention or declared_convention(table, keys, chosen),
        site=where,
        usual=usual or _usual_convention(table),
        notes=(*named, *dated, *said, *notes),
        sun_shift_minutes=None if shift is None else float(shift),
        typical=True if yearless else typical,
        satellite=satellite,
        utc_offset_h=_local_zone(keys, name),
        **place,
    )


def _local_zone(keys: dict[str, str], file: str) -> float | None:
    """Local standard time minus UTC, where a header tells it apart from the time of the stamps. [h]"""
    return zone_h(keys["local_zone"], file) if "local_zone" in keys else None


def units_of(table: TextTable) -> tuple[str, ...]:
    """Units of the columns: from their row, or from the list of parameters above (NASA POWER)."""
    if any(table.units):
        return table.units
    listed: dict[str, str] = {}
    for line in table.above:
        match = re.match(r"\s*([A-Z][A-Z0-9_]+)\s{2,}.*\(([^()]+)\)\s*$", line)
        if match:
            # POWER leaves out the area in some versions: irradiation in MJ/hr.
            unit = match[2] if "m" in match[2].lower().replace("mj", "") else f"{match[2]}/m2"
            listed[match[1]] = unit if "SW" in match[1] else match[2]
    return tuple(listed.get(name.strip(), "") for name in table.names)


def on_whole_steps(stamps: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Round seconds off, and 00:59 up to the step that it ends."""
    whole = stamps.round("min")
    step = round(_step_h(whole) * 60)
    late = np.asarray(whole.hour * 60 + whole.minute) % max(step, 1) == step - 1
    return whole + pd.Timedelta(minutes=1) if step >= 5 and late.all() else whole


def _step_h(stamps: pd.DatetimeIndex) -> float:
    if len(stamps) < 2:
        return 1.0
    spacing = np.diff(stamps.to_numpy()) / np.timedelta64(1, "h")
    return float(np.median(spacing[spacing > 0])) if (spacing > 0).any() else 1.0


def _values(
    table: TextTable, columns: Sequence[Column], step_h: float
) -> tuple[pd.DataFrame, list[Column], tuple[str, ...]]:
    """Values in W/m2, degrees C and m/s, of the preferred column of each variable that holds enough."""
    data: dict[str, FloatArray] = {}
    chosen: list[Column] = []
    notes: list[str] = []
    for variable in dict.fromkeys(column.variable for column in columns):
        options = [column for column in columns if column.variable == variable]
        read = [table.numbers(column.position) for column in options]
        filled = [int((values > -90).sum()) for values, _ in read]
        best = next(place for place, count in enumerate(filled) if count >= _ENOUGH * max(filled))
        values, said = read[best]
        data[variable] = options[best].scale(values, step_h, table.file)
        chosen.append(options[best])
        notes += said
    return pd.DataFrame(data), chosen, tuple(notes)


def stamps_of(table: TextTable) -> tuple[pd.DatetimeIndex, float | None, bool, tuple[str, ...]]:
    """Naive stamps; their offset from UTC if they carry one [h]; whether they name no year; notes."""
    positions = time_columns(table.names)
    names = [table.names[place] for place in positions]
    if len(positions) == 1 or part_name(names[0]) != "year":
        if names[0].strip() == "y":
            return _from_parts(table, dict(zip(("year", "month", "day", "hour"), positions, strict=True)))
        parts = [part_name(name) for name in names]
        if "month" in parts:
            return _from_parts(table, dict(zip(parts, positions, strict=True)))
        texts = table.cells[positions[0]]
        if len(positions) == 2:
            texts = texts.str.replace(r"[T ]00:00(:00)?$", "", regex=True)
            texts = (texts + " " + _clock(table.cells[positions[1]])).str.strip()
        stamped = read_stamps(texts, table.file, names[0])
        return stamped.index, 0.0 if stamped.utc else None, False, stamped.notes
    return _from_parts(table, {part_name(name): place for name, place in zip(names, positions, strict=True)})


def _clock(cells: pd.Series) -> pd.Series:
    """Write times of day as hours and minutes, from ``1:00``, ``0100``, ``100`` or the number of the hour."""
    plain = cells.str.replace(r"\.0+$", "", regex=True)
    counted = plain.str.fullmatch(r"\d{1,4}")
    if not counted.any():
        return cells
    largest = pd.to_numeric(plain[counted]).max()
    four = plain.str.zfill(4) if largest > 24 else plain.str.zfill(2) + "00"
    return (four.str[:2] + ":" + four.str[2:]).where(counted, cells)


def _from_parts(
    table: TextTable, parts: dict[str, int]
) -> tuple[pd.DatetimeIndex, float | None, bool, tuple[str, ...]]:
    """Stamps from columns of their own, year (or none, in a typical year) to minute."""
    numbers = {key: pd.Series(table.numbers(place)[0]) for key, place in parts.items()}
    year = numbers.get("year", pd.Series(float(TYPICAL_LABEL_YEAR), index=range(len(table.cells))))
    year = year.where(year >= 100, year + np.where(year < 70, 2000, 1900))
    zero = pd.Series(0.0, index=year.index)
    if "doy" in numbers and "month" not in numbers:
        dates = pd.to_datetime(pd.DataFrame({"year": year, "month": 1, "day": 1}), errors="coerce")
        dates = dates + pd.to_timedelta(numbers["doy"] - 1, unit="D")
    else:
        ymd = {"year": year, "month": numbers["month"], "day": numbers["day"]}
        dates = pd.to_datetime(pd.DataFrame(ymd), errors="coerce")
    bad = dates.isna().to_numpy()
    last = int(np.flatnonzero(~bad)[-1]) if not bad.all() else -1
    if last < 0 or bad[: last + 1].any():
        place = int(np.argmax(bad))
        cells = ", ".join(table.cells.iloc[place][list(parts.values())])
        found = (
            f"{int(bad.sum())} rows without a date, the first ({cells}) in line {table.cells.index[place]}"
        )
        raise InputError([Fault(table.file, found, "must have year, month and day in every row")], OF)
    hour = numbers.get("hour", zero).fillna(0)
    minute = numbers.get("minute", zero).fillna(0)
    if hour.max() > 24:  # 0030, 0100, ... 2400
        hour, minute = hour // 100, minute + hour % 100
    stamps = dates + pd.to_timedelta(hour * 60 + minute, unit="min")
    return pd.DatetimeIndex(stamps), None, "year" not in numbers, ()


def _zone(table: TextTable, keys: dict[str, str], where: Site | None) -> float | None:
    """Offset from UTC that the header or the name of a time column declares. [h]"""
    declared = declared_zone_h(keys, table.file)
    if declared is not None:
        return declared
    names = " ".join(
        f"{table.names[place]} {table.units[place]}" for place in time_columns(table.names)
    ).lower()
    above = "\n".join(table.above)
    if re.search(r"utc|gmt", names) or re.search(r"(?m)^Dates \(month/day/year\).* in UTC", above):
        offset = re.search(r"(?:utc|gmt)\s*([+-]\d{1,2}(?::?\d{2})?)", names)
        return declared_zone_h({"zone": offset[1]}, table.file) if offset else 0.0
    standard = re.search(r"\blst\b|\(lst\)|local standard", names)
    return where.utc_offset_h if standard and where is not None else None


def declared_convention(
    table: TextTable, keys: dict[str, str], columns: Sequence[Column]
) -> Convention | None:
    """Where in its interval a stamp stands, if header or names say so."""
    text = keys.get("convention", "").lower()
    for word in re.split(r"[^a-z]+", text.replace("period_", "")):
        if word in _CONVENTIONS:
            return _CONVENTIONS[word]
    for place in time_columns(table.names):
        said = stamp_convention(table.names[place])
        words = squash(table.names[place])
        if said in _CONVENTIONS:
            return _CONVENTIONS[said]
        if words in ("hourending", "he", "hourend"):
            return "end"
        for word in re.split(r"[^a-z]+", table.names[place].lower()):
            if word in _CONVENTIONS:
                return _CONVENTIONS[word]
    sun = [column for column in columns if column.variable in IRRADIANCE]
    if any(re.search(r"_instant\b", column.name) for column in sun):  # Open-Meteo
        return "instant"
    if any("NASA/POWER" in line for line in table.above):
        return "start"
    return None


def _usual_convention(table: TextTable) -> Convention | None:
    """Take hours from 0 to 23 and from 1 to 24 as they are usually meant, where nothing else tells."""
    for place in time_columns(table.names):
        if part_name(table.names[place]) == "hour":
            hours = table.numbers(place)[0]
            return "end" if np.nanmax(hours) >= 24 and np.nanmin(hours) >= 1 else "start"
    return None
