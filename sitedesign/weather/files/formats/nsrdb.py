"""NSRDB files (PSM 3 and 4, "SAM CSV" with two header rows), local standard time or UTC."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from sitedesign.util.text_table import lines_of, read_table
from sitedesign.weather.files.formats.clock import zone_words
from sitedesign.weather.files.formats.column_names import part_name
from sitedesign.weather.files.formats.generic import parse_as
from sitedesign.weather.files.formats.header import keys_of, zone_h
from sitedesign.weather.files.formats.source import SourceText
from sitedesign.weather.files.record import Convention, WeatherRecord
from sitedesign.weather.site import Site


def recognise(head: str) -> bool:
    """Tell an NSRDB file by its first header row and the date columns of the third."""
    lines = [re.sub(r"[;\t]", ",", line.replace('"', "")) for line in lines_of(head)]
    return (
        len(lines) > 2
        and re.match(r"Source, ?Location ID", lines[0]) is not None
        and re.search(r"Year, ?Month, ?Day, ?Hour", lines[2]) is not None
    )


def parse(source: SourceText, site: Site | None = None) -> WeatherRecord:  # one signature for all families
    """Read one NSRDB file.

    Values are instants at the stamp. ``Time Zone`` of the header is the time of the stamps (0 in UTC files)
    and ``Local Time Zone`` is standard time all year.

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
    table = read_table(source.text, source.name)
    keys = keys_of(table.above, table.separator)
    minutes = next((place for place, name in enumerate(table.names) if part_name(name) == "minute"), None)
    kind = _kind(keys)
    if minutes is None or "zone" not in keys:
        convention: Convention | None = None if minutes is None else "instant"
        return parse_as(source, site, kind, convention=convention, usual="start", satellite=True)
    record = parse_as(source, site, kind, convention="instant", satellite=True)
    values = table.numbers(minutes)[0]
    zone = zone_h(keys["zone"], source.name)
    shown = ", ".join(str(int(minute)) for minute in np.unique(values[np.isfinite(values)]))
    local = record.utc_offset_h if record.utc_offset_h is not None else (zone or None)
    words = f"instants at minutes {shown}, {zone_words(zone)}"
    words = words if zone else f"{words} all year"
    return replace(record, convention=words, utc_offset_h=local)


def _kind(keys: dict[str, str]) -> str:
    version = keys.get("version", "").lstrip("v")
    return f"NSRDB PSM v{version}" if version else "NSRDB CSV"
