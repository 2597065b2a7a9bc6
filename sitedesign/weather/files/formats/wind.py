"""Files of wind aloft: WIND Toolkit, .srw, Open-Meteo, NASA POWER, ERA5, ninja, tables with named heights.

Wind has no sun by which a clock could be set: height, unit, zone and convention must be said by the file or
by its family, and are never guessed. What a family says of itself:

* WIND Toolkit CSV: ``Data Timezone`` of the first line, instants at half past. * SAM .srw: local standard
time, instants from 1 January 00:00; the ninth field of the first line is a zone only
  where it cannot be a step.
* Open-Meteo: instants; whole days in the time of the header. A file that starts at another hour than 00:00
and
  would start at 00:00 if its stamps were UTC is in UTC, whatever its header says.
* NASA POWER: hourly means stamped at their start.
* renewables.ninja: UTC, means stamped at their start, the hub's height among the parameters.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sitedesign.errors import Fault, InputError
from sitedesign.util.text_table import TextTable, fields, lines_of, read_table
from sitedesign.weather.files.formats.clock import WORDS, utc_words
from sitedesign.weather.files.formats.column_names import squash, time_columns
from sitedesign.weather.files.formats.generic import declared_convention, on_whole_steps, stamps_of, units_of
from sitedesign.weather.files.formats.header import declared_zone_h, keys_of, place_of, zone_h
from sitedesign.weather.files.formats.record import Convention, place_stamps
from sitedesign.weather.files.formats.source import SourceText
from sitedesign.weather.files.formats.wind_names import Quantity, WindColumn, column_of, wind_columns
from sitedesign.weather.site import Site

OF = "Weather.with_wind()"
OWN = "sitedesign's own table"
WIND_KEY = "wind_aloft"
"""Header line of files that were written with wind aloft; the reader takes it with the sun."""
FloatArray = NDArray[np.float64]
_SRW_HEAD = 5
_LINES = "header lines such as '# utc_offset: -6' and '# convention: instant' (start, middle, end or instant)"


@dataclass(frozen=True, eq=False)
class WindRecord:
    """One parsed file of wind.

    Attributes
    ----------
    file, kind : str
        For people.
    start_utc : DatetimeIndex
        Start of each interval, naive.
    step_minutes : int
        [min]
    speed_m_s : dict of float to ndarray
        By height above ground. [m -> m/s]
    temperature_c, pressure_pa : dict of float to ndarray
        By height above ground. [m -> degrees C, Pa]
    humidity_fraction : ndarray or None
    density_kg_m3 : ndarray or None
        Given as such.
    convention : str
        Clock and stamps in words.
    latitude, longitude, elevation_m : float or None
        [degrees, degrees, m]
    shear_exponent, density_height_m : float or None
        Of sitedesign's own files.
    notes : tuple of str
    """

    file: str
    kind: str
    start_utc: pd.DatetimeIndex
    step_minutes: int
    speed_m_s: dict[float, FloatArray]
    temperature_c: dict[float, FloatArray]
    pressure_pa: dict[float, FloatArray]
    humidity_fraction: FloatArray | None
    density_kg_m3: FloatArray | None
    convention: str
    latitude: float | None = None
    longitude: float | None = None
    elevation_m: float | None = None
    shear_exponent: float | None = None
    density_height_m: float | None = None
    notes: tuple[str, ...] = ()


def parse_wind(source: SourceText, site: Site, utc_offset_h: float | None = None) -> WindRecord:
    """Read one file of wind aloft.

    Parameters
    ----------
    source : SourceText
    site : Site
        Whose standard time a .srw is in.
    utc_offset_h : float, optional
        Of the stamps, from somebody who knows better than the file. [h]

    Returns
    -------
    WindRecord

    Raises
    ------
    InputError
        If height, unit, zone or convention is not said, or stamps are faulty.
    """
    lines = lines_of(source.text)
    if _is_srw(lines):
        return _parse_srw(source.name, lines, site, utc_offset_h)
    return _parse_table(_with_joined_names(source, lines), utc_offset_h)


# SAM's .srw -------------------------------------------------------------------------------------------------


def _is_srw(lines: list[str]) -> bool:
    """Tell .srw by rows of words, units and heights under two rows of text."""
    if len(lines) <= _SRW_HEAD:
        return False
    words = {squash(word) for word in fields(lines[2], ",")}
    heights = [text for text in fields(lines[4], ",") if text]
    return "speed" in words and bool(heights) and all(re.fullmatch(r"\d+(\.\d+)?", text) for text in heights)


def _parse_srw(name: str, lines: list[str], site: Site, utc_offset_h: float | None) -> WindRecord:
    head = [text.strip() for text in lines[0].split(",")]
    year, latitude, longitude, elevation, ninth = (_number(head, place) for place in (4, 5, 6, 7, 8))
    words, units, heights = (fields(lines[row], ",") for row in (2, 3, 4))
    columns = [
        column
        for position, (word, unit, height) in enumerate(zip(words, units, heights, strict=False))
        if height and (column := column_of(position, word, float(height), unit)) is not None
    ]
    faults = []
    if year is None or not 1900 <= year <= 2200:
        shown = head[4] if len(head) > 4 else "nothing"
        remedy = (
            "Wind of no known year cannot stand beside the sun of one: take the .srw of a calendar year, "
            "or write the year that its rows are of into the first line."
        )
        faults.append(
            Fault(f"{name} year", f"{shown!r}: a typical or nameless year", "must be a year", remedy)
        )
    rows = [row for row, line in enumerate(lines) if row >= _SRW_HEAD and line.strip()]
    body = io.StringIO("\n".join(lines[row] for row in rows))
    cells = pd.read_csv(body, header=None, dtype=str, na_filter=False, skipinitialspace=True)
    cells.index = pd.Index([row + 1 for row in rows], name="line")
    day = np.timedelta64(1, "D")
    number = int(year) if year is not None and not faults else 2001
    full = (np.datetime64(f"{number + 1}-01-01") - np.datetime64(f"{number}-01-01")) / day
    per_day = [len(cells) / days for days in dict.fromkeys((365.0, full))]
    steps = next((count for count in per_day if count in (24, 48, 96, 144, 288)), None)
    if steps is None:
        found = f"{len(cells):,} rows"
        allowed = "must be a whole year of steps of 5, 10, 15, 30 or 60 minutes"
        faults.append(Fault(name, found, allowed, "Download the year again."))
    if faults:
        raise InputError(faults, OF)
    minutes = round(1440 / float(steps or 24))
    stamps = pd.date_range(f"{number}-01-01", periods=len(cells), freq=f"{minutes}min")
    if len(cells) * minutes == 365 * 1440 and full == 366:  # 29 February is left out
        stamps = pd.date_range(f"{number}-01-01", periods=366 * 1440 // minutes, freq=f"{minutes}min")
        stamps = stamps[~((stamps.month == 2) & (stamps.day == 29))]
    is_zone = ninth is not None and not 0 < ninth <= 1 and -12 <= ninth <= 14
    offset = float(ninth) if is_zone and ninth is not None else site.utc_offset_h
    clock = f"local standard time {utc_words(offset)}, " + (
        "as the first line says" if is_zone else "the custom of .srw, which says no zone"
    )
    if utc_offset_h is not None:
        offset, clock = utc_offset_h, f"{utc_words(utc_offset_h)} as given"
    table = TextTable(name, tuple(words), tuple(units), cells, (), ",")
    return _record(
        table, columns, stamps, "instant", offset, kind="SAM .srw", clock=clock,
        place=_srw_place(latitude, longitude, elevation),
    )  # fmt: skip


def _number(head: list[str], place: int) -> float | None:
    text = head[place] if place < len(head) else ""
    return float(text) if re.fullmatch(r"[-+]?\d+(\.\d+)?", text) else None


def _srw_place(latitude: float | None, longitude: float | None, elevation: float | None) -> dict[str, float]:
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return {}
    place = {"latitude": latitude, "longitude": longitude}
    return place | ({} if elevation is None else {"elevation_m": elevation})


# Tables with named columns ----------------------------------------------------------------------------------


_SI_UNITS = {"wind_speed": "m/s", "temperature": "K", "pressure": "Pa"}


def _with_joined_names(source: SourceText, lines: list[str]) -> SourceText:
    """Join the rows of names and heights of windpowerlib's table, whose units are fixed (SI); others stay."""
    head = next((row for row, line in enumerate(lines) if line.strip() and not line.startswith("#")), 0)
    names, heights = ([*fields(line, ",")] for line in [*lines, "", ""][head : head + 2])
    is_such = squash(heights[0]) == "height" and len(names) == len(heights) and "wind_speed" in names
    if not is_such:
        return source
    joined = ["time"] + [
        f"{name} {height} m ({_SI_UNITS.get(name, '')})"
        for name, height in zip(names[1:], heights[1:], strict=True)
    ]
    text = "\n".join([*lines[:head], ",".join(joined), *lines[head + 2 :]])
    return SourceText(source.name, text, source.path)


def _parse_table(source: SourceText, utc_offset_h: float | None) -> WindRecord:
    name = source.name
    table = read_table(source.text, name)
    columns = list(wind_columns(table.names, units_of(table)))
    above = "\n".join(table.above)
    if "renewables.ninja" in above.lower() or "renewables.ninja" in source.text[:3000].lower():
        columns += _ninja_columns(table, source.text[:5000])
    if not time_columns(table.names) or not any(column.quantity in ("speed", "u") for column in columns):
        raise InputError([_no_wind(table)], OF)
    keys = {**keys_of(table.above, table.separator), **_pairs_of_first_line(table)}
    stamps, stamped_zone, yearless, notes = stamps_of(table)
    if yearless:
        remedy = "Wind of no known year cannot stand beside the sun of one: give stamps with years."
        raise InputError([Fault(name, "stamps without a year", "must be of calendar years", remedy)], OF)
    known = np.flatnonzero(np.asarray(stamps.notna()))
    table = TextTable(
        name, table.names, table.units, table.cells.iloc[known], table.above, table.separator, table.decimal,
        table.thousands,
    )  # fmt: skip
    stamps = on_whole_steps(stamps[known])
    kind = _kind(table, keys, source.text[:3000])
    if utc_offset_h is None:
        zone, clock = _zone(table, keys, stamped_zone, stamps, kind)
    elif stamped_zone is None:
        zone, clock = utc_offset_h, f"{utc_words(utc_offset_h)} as given"
    else:
        found = "stamps with offsets of their own"
        raise InputError([Fault(name, found, "need no utc_offset_h", "Leave utc_offset_h out.")], OF)
    convention = _convention(table, keys, stamps, kind)
    return _record(
        table, columns, stamps, convention, zone, kind=kind, clock=clock, place=place_of(keys, name),
        keys=keys, notes=notes,
    )  # fmt: skip


def _no_wind(table: TextTable) -> Fault:
    names = ", ".join(map(repr, table.names[:8]))
    remedy = (
        "Name height and unit of every speed, as in 'wind_speed_100m (m/s)', beside a column of time. "
        "Wind of typical years (TMY, EPW) is of 10 m and of no year, and cannot drive a turbine."
    )
    return Fault(table.file, f"no wind speed at a named height; columns {names}", "needs one", remedy)


def _pairs_of_first_line(table: TextTable) -> dict[str, str]:
    """``SiteID,1052613,Site Timezone,-6,Data Timezone,0,Longitude,...`` of the WIND Toolkit."""
    parts = fields(table.above[0], ",") if table.above else []
    pairs = {squash(key): value for key, value in zip(parts[::2], parts[1::2], strict=False)}
    if "datatimezone" not in pairs:
        return {}
    found = {"zone": pairs["datatimezone"], "wind_toolkit": "yes"}
    return found | {key: pairs[key] for key in ("latitude", "longitude", "elevation") if key in pairs}


def _ninja_columns(table: TextTable, head: str) -> list[WindColumn]:
    """``wind_speed`` of renewables.ninja is that at the hub, whose height stands among the parameters."""
    height = re.search(r'"height"\s*:\s*"?(\d+(?:\.\d+)?)', head)
    places = [place for place, name in enumerate(table.names) if squash(name) == "windspeed"]
    if height is None or not places:
        return []
    return [WindColumn(places[0], "wind_speed", "speed", float(height[1]), "m/s")]


def _kind(table: TextTable, keys: dict[str, str], head: str) -> str:
    above = "\n".join(table.above)
    if squash(WIND_KEY) in keys:
        return OWN
    if "wind_toolkit" in keys:
        return "WIND Toolkit CSV"
    if "renewables.ninja" in head.lower():
        return "renewables.ninja CSV"
    if "NASA/POWER" in above or "NASA POWER" in above:
        return "NASA POWER CSV"
    if "zone_s" in keys:
        return "Open-Meteo CSV"
    return "CSV with named heights"


def _zone(
    table: TextTable, keys: dict[str, str], stamped: float | None, stamps: pd.DatetimeIndex, kind: str
) -> tuple[float, str]:
    """Offset of the stamps from UTC and what it rests on. [h]"""
    if stamped is not None:
        return stamped, "offsets in the stamps"
    above = "\n".join(table.above)
    if kind == "NASA POWER CSV" and re.search(r"\bLST\b|local solar", above, re.IGNORECASE):
        longitude = place_of(keys, table.file).get("longitude")
        if longitude is not None:  # POWER's local time is that of the sun, to whole hours
            solar = float(round(longitude / 15))
            return solar, f"local solar time of POWER, {utc_words(solar)}"
    if kind == "NASA POWER CSV" and re.search(r"\bUTC\b", above):
        return 0.0, "UTC as declared"
    declared = declared_zone_h(keys, table.file)
    names = " ".join(f"{table.names[place]} {table.units[place]}" for place in time_columns(table.names))
    if kind == "Open-Meteo CSV" and declared:
        return _open_meteo_zone(declared, stamps, table.file)
    if declared is not None:
        return declared, f"{utc_words(declared)} as declared"
    if kind == "renewables.ninja CSV" or re.search(r"(?i)utc|gmt", names):
        offset = re.search(r"(?i)(?:utc|gmt)\s*([+-]\d{1,2}(?::?\d{2})?)", names)
        zone = zone_h(offset[1], table.file) if offset else 0.0
        return zone, f"{utc_words(zone)} by the column's name"
    found = "no time zone, and wind has no sun to measure it by"
    raise InputError(
        [Fault(table.file, found, "the time zone must be known", f"Add {_LINES}, or give utc_offset_h.")], OF
    )


def _open_meteo_zone(declared: float, stamps: pd.DatetimeIndex, file: str) -> tuple[float, str]:
    """Zone of an Open-Meteo table in local time: the service gives whole days of that time."""
    first = stamps[0]
    begins = first.hour * 60 + first.minute
    if begins == 0:
        return declared, f"{utc_words(declared)} as declared"
    if (begins + round(declared * 60)) % 1440 == 0:
        text = f"UTC: the header says {utc_words(declared)}, but the days are whole only if stamps are UTC"
        return 0.0, text
    found = f"a first stamp at {first:%H:%M} under a header of {utc_words(declared)}"
    allowed = "must begin at 00:00 in the time of the header"
    remedy = "The clock cannot be told: download whole days, or give utc_offset_h."
    raise InputError([Fault(file, found, allowed, remedy)], OF)


def _convention(table: TextTable, keys: dict[str, str], stamps: pd.DatetimeIndex, kind: str) -> Convention:
    """Where in its interval a stamp stands, as declared, else by the family, else by half past."""
    declared = declared_convention(table, keys, ())
    if declared is not None:
        return declared
    by_kind: dict[str, Convention] = {
        "WIND Toolkit CSV": "instant", "Open-Meteo CSV": "instant", "NASA POWER CSV": "start",
        "renewables.ninja CSV": "start",
    }  # fmt: skip
    if kind in by_kind:
        return by_kind[kind]
    minutes = np.unique(np.asarray(stamps.minute))
    if len(minutes) == 1 and minutes[0] not in (0,):  # within the hour, of the instant or of the middle
        return "instant"
    if any(re.search(r"(?i)^(100m_)?[uv]_component|^[uv]_?100$", name.strip()) for name in table.names):
        return "instant"  # ERA5
    found = "no word on whether values are instants or means, and of which interval"
    raise InputError([Fault(table.file, found, "the convention must be known", f"Add {_LINES}.")], OF)


# Any --------------------------------------------------------------------------------------------------------


def _record(
    table: TextTable,
    columns: list[WindColumn],
    stamps: pd.DatetimeIndex,
    convention: Convention,
    zone: float,
    *,
    kind: str,
    clock: str,
    place: dict[str, float],
    keys: dict[str, str] | None = None,
    notes: tuple[str, ...] = (),
) -> WindRecord:
    """Convert columns to standard units and stamps to starts of intervals in UTC."""
    usable, faults, said = _usable(columns, table.file)
    if faults:
        raise InputError(faults, OF)
    placed, keep = place_stamps(stamps, table.file, convention, zone, typical=False)
    values: dict[tuple[Quantity, float], FloatArray] = {}
    for column in usable:
        numbers, odd = table.numbers(column.position)
        said += odd
        values.setdefault((column.quantity, column.height_m), column.convert(numbers)[keep])
    speed = {height: series for (what, height), series in values.items() if what == "speed"}
    for what, height in values:
        if what == "u" and ("v", height) in values and height not in speed:
            speed[height] = np.hypot(values["u", height], values["v", height])
    if not speed:
        raise InputError([_no_wind(table)], OF)
    keys = keys or {}
    return WindRecord(
        file=table.file,
        kind=kind,
        start_utc=placed.start_utc,
        step_minutes=placed.step_minutes,
        speed_m_s=dict(sorted(speed.items())),
        temperature_c=_of(values, "temperature"),
        pressure_pa=_of(values, "pressure"),
        humidity_fraction=next(iter(_of(values, "humidity").values()), None),
        density_kg_m3=next(iter(_of(values, "density").values()), None),
        convention=f"{WORDS[convention]}, {clock}",
        latitude=place.get("latitude"),
        longitude=place.get("longitude"),
        elevation_m=place.get("elevation_m"),
        shear_exponent=_own_number(keys, "windshearexponent"),
        density_height_m=_own_number(keys, "winddensityheightm"),
        notes=(*notes, *said),
    )


def _own_number(keys: dict[str, str], key: str) -> float | None:
    return float(keys[key]) if key in keys else None


def _of(values: dict[tuple[Quantity, float], FloatArray], quantity: Quantity) -> dict[float, FloatArray]:
    found = {height: series for (what, height), series in values.items() if what == quantity}
    return {height: series for height, series in sorted(found.items()) if np.isfinite(series).any()}


def _usable(columns: list[WindColumn], file: str) -> tuple[list[WindColumn], list[Fault], tuple[str, ...]]:
    """Columns whose units are known; speeds must name theirs, the others are left out without."""
    usable, faults, notes = [], [], []
    for column in columns:
        fault = column.fault(file)
        if fault is None:
            usable.append(column)
        elif column.unit or column.quantity in ("speed", "u", "v"):
            faults.append(fault)
        else:
            notes.append(f"{column.name!r} left out: it names no unit")
    return usable, faults, tuple(notes)
