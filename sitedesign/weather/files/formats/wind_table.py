"""Tables of wind with named columns: WIND Toolkit, Open-Meteo, NASA POWER, ERA5, ninja, windpowerlib.

Wind has no sun by which a clock could be set: height, unit, zone and convention must be said by the file or
by its family, and are never guessed. What a family says of itself:

* WIND Toolkit CSV: ``Data Timezone`` of the first line, instants at half past.
* Open-Meteo: instants; whole days in the time of the header. A file that starts at another hour than 00:00
  and would start at 00:00 if its stamps were UTC is in UTC, whatever its header says.
* NASA POWER: hourly means stamped at their start.
* ERA5 and other reanalyses, told by the wind's two components: UTC, instants, m/s, K and Pa.
* renewables.ninja: UTC, means stamped at their start, the hub's height among the parameters.
* windpowerlib: names and heights in two rows, SI units.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from sitedesign.errors import Fault, InputError
from sitedesign.util.text_table import TextTable, fields, lines_of, read_table
from sitedesign.weather.files.formats.clock import utc_words
from sitedesign.weather.files.formats.column_names import squash, time_columns
from sitedesign.weather.files.formats.generic import declared_convention, on_whole_steps, stamps_of, units_of
from sitedesign.weather.files.formats.header import declared_zone_h, keys_of, place_of, zone_h
from sitedesign.weather.files.formats.source import SourceText
from sitedesign.weather.files.formats.wind_names import WindColumn, wind_columns
from sitedesign.weather.files.formats.wind_record import (
    OF,
    OWN,
    WIND_KEY,
    WindRecord,
    check_zone,
    no_wind,
    record_of,
)
from sitedesign.weather.files.record import Convention
from sitedesign.weather.site import Site

ERA5 = "ERA5 CSV"
_ERA5_UNITS = {"u": "m/s", "v": "m/s", "temperature": "K", "pressure": "Pa"}
_LINES = "header lines such as '# utc_offset: -6' and '# convention: instant' (start, middle, end or instant)"


_SI_UNITS = {"wind_speed": "m/s", "temperature": "K", "pressure": "Pa"}


def _with_joined_names(source: SourceText) -> SourceText:
    """Join the rows of names and heights of windpowerlib's table, whose units are fixed (SI); others stay."""
    lines = lines_of(source.text)
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


def parse(source: SourceText, site: Site, utc_offset_h: float | None = None) -> WindRecord:
    """Read one table.

    Parameters
    ----------
    source : SourceText
    site : Site
        Near whose standard time a declared clock must be, if it is not UTC.
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
    source = _with_joined_names(source)
    name = source.name
    table = read_table(source.text, name)
    columns = list(wind_columns(table.names, units_of(table)))
    above = "\n".join(table.above)
    if "renewables.ninja" in above.lower() or "renewables.ninja" in source.text[:3000].lower():
        columns += _ninja_columns(table, source.text[:5000])
    if not time_columns(table.names) or not any(column.quantity in ("speed", "u") for column in columns):
        raise InputError([no_wind(table)], OF)
    keys = _with_wind_toolkit(keys_of(table.above, table.separator), table)
    kind = _kind(table, keys, columns, source.text[:3000])
    if kind == ERA5:
        columns = [
            replace(column, unit=column.unit or _ERA5_UNITS.get(column.quantity, "")) for column in columns
        ]
    stamps, stamped_zone, yearless, notes = stamps_of(table)
    if yearless:
        remedy = "Wind of no known year cannot stand beside the sun of one: give stamps with years."
        raise InputError([Fault(name, "stamps without a year", "must be of calendar years", remedy)], OF)
    known = np.flatnonzero(np.asarray(stamps.notna()))
    table = replace(table, cells=table.cells.iloc[known])
    stamps = on_whole_steps(stamps[known])
    if len(stamps) > 2 and (np.diff(stamps.to_numpy()) < np.timedelta64(0)).mean() > 0.99:
        table, stamps = replace(table, cells=table.cells.iloc[::-1]), stamps[::-1]
        notes = (*notes, "rows run back in time: turned round")
    if utc_offset_h is None:
        zone, clock = _zone(table, keys, stamped_zone, stamps, kind)
        if stamped_zone is None:
            check_zone(zone, site, name)
    elif stamped_zone is None:
        zone, clock = utc_offset_h, f"{utc_words(utc_offset_h)} as given"
    else:
        found = "stamps with offsets of their own"
        raise InputError([Fault(name, found, "need no utc_offset_h", "Leave utc_offset_h out.")], OF)
    convention = _convention(table, keys, stamps, kind)
    return record_of(
        table, columns, stamps, convention, zone, kind=kind, clock=clock, place=place_of(keys, name),
        keys=keys, notes=notes,
    )  # fmt: skip


def _with_wind_toolkit(keys: dict[str, str], table: TextTable) -> dict[str, str]:
    """Add what the WIND Toolkit says: ``SiteID,1052613,Site Timezone,-6,Data Timezone,0,Longitude,...``."""
    parts = fields(table.above[0], table.separator) if table.above and table.separator.strip() else []
    pairs = {squash(key): value for key, value in zip(parts[::2], parts[1::2], strict=False)}
    alternating = re.fullmatch(r"[-+]?\d+(\.\d+)?", pairs.get("datatimezone", "")) is not None
    found = {**keys, **pairs} if alternating else keys
    return {**found, "zone": found["datatimezone"]} if "datatimezone" in found else keys


def _ninja_columns(table: TextTable, head: str) -> list[WindColumn]:
    """``wind_speed`` of renewables.ninja is that at the hub, whose height stands among the parameters."""
    height = re.search(r'"height"\s*:\s*"?(\d+(?:\.\d+)?)', head)
    places = [place for place, name in enumerate(table.names) if squash(name) == "windspeed"]
    if height is None or not places:
        return []
    return [WindColumn(places[0], "wind_speed", "speed", float(height[1]), "m/s")]


def _kind(table: TextTable, keys: dict[str, str], columns: list[WindColumn], head: str) -> str:
    above = "\n".join(table.above)
    if squash(WIND_KEY) in keys:
        return OWN
    if "datatimezone" in keys:
        return "WIND Toolkit CSV"
    if "renewables.ninja" in head.lower():
        return "renewables.ninja CSV"
    if "NASA/POWER" in above or "NASA POWER" in above:
        return "NASA POWER CSV"
    if "zone_s" in keys:
        return "Open-Meteo CSV"
    if any(column.quantity == "u" for column in columns):
        return ERA5
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
    if kind == ERA5:
        return 0.0, "UTC, as reanalyses are"
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
        "renewables.ninja CSV": "start", ERA5: "instant",
    }  # fmt: skip
    if kind in by_kind:
        return by_kind[kind]
    minutes = np.unique(np.asarray(stamps.minute))
    if len(minutes) == 1 and minutes[0] not in (0,):  # within the hour, of the instant or of the middle
        return "instant"
    found = "no word on whether values are instants or means, and of which interval"
    raise InputError([Fault(table.file, found, "the convention must be known", f"Add {_LINES}.")], OF)
