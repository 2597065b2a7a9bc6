"""SAM's .srw: two lines of text, rows of words, units and heights, then a year of rows without stamps.

Rows are instants from 1 January 00:00 in local standard time. The ninth field of the first line is a time
zone in some files and the length of a step in others: it is taken for a zone where it cannot be a step.
"""

from __future__ import annotations

import re

import pandas as pd

from sitedesign.errors import Fault, InputError
from sitedesign.util.text_table import fields, lines_of, read_table
from sitedesign.weather.files.formats.clock import utc_words
from sitedesign.weather.files.formats.header import coordinate
from sitedesign.weather.files.formats.source import SourceText
from sitedesign.weather.files.formats.wind_names import WindColumn, column_of
from sitedesign.weather.files.formats.wind_record import OF, WindRecord, check_zone, record_of
from sitedesign.weather.site import Site

_HEAD_LINES = 5
_YEAR, _LATITUDE, _LONGITUDE, _ELEVATION, _ZONE_OR_STEP = 4, 5, 6, 7, 8
_HEIGHT = re.compile(r"(\d+(?:\.\d+)?)\s*m?")
_STEPS_PER_DAY = (24, 48, 96, 144, 288)


def recognise(head: str) -> bool:
    """Tell .srw by its rows of words, one of them a speed, and of heights."""
    lines = lines_of(head)
    if len(lines) <= _HEAD_LINES:
        return False
    mark = _separator(lines)
    heights = [text for text in fields(lines[4], mark) if text]
    return bool(heights) and all(map(_HEIGHT.fullmatch, heights)) and any(_speeds(lines[2], mark))


def _speeds(line: str, mark: str) -> list[bool]:
    columns = (column_of(0, word, 100.0, "m/s") for word in fields(line, mark))
    return [column is not None and column.quantity == "speed" for column in columns]


def _separator(lines: list[str]) -> str:
    """Find the separator of the row of words; the first line may have commas of its own."""
    return max(",;\t", key=lines[2].count)


def parse(source: SourceText, site: Site, utc_offset_h: float | None = None) -> WindRecord:
    """Read one file.

    Parameters
    ----------
    source : SourceText
    site : Site
        Whose standard time the rows are in.
    utc_offset_h : float, optional
        Of the rows, from somebody who knows better. [h]

    Returns
    -------
    WindRecord

    Raises
    ------
    InputError
        With every fault of the header, or if the rows are no whole year.
    """
    name, lines = source.name, lines_of(source.text)
    mark = _separator(lines)
    head = fields(lines[0], mark)
    # Empty lines keep the numbers of the lines in messages.
    table = read_table("\n" * _HEAD_LINES + "\n".join(lines[_HEAD_LINES:]), name)
    year, faults = _year(head, name)
    place, wrong_place = _place(head, name)
    stamps, wrong_rows = _stamps(len(table.cells), year or 2001, name)
    faults += wrong_place + wrong_rows
    if faults:
        raise InputError(faults, OF)
    zone, clock = _clock(head, site, name)
    if utc_offset_h is not None:
        zone, clock = utc_offset_h, f"{utc_words(utc_offset_h)} as given"
    else:
        check_zone(zone, site, name)
    columns = _columns(lines, mark)
    return record_of(table, columns, stamps, "instant", zone, kind="SAM .srw", clock=clock, place=place)


def _columns(lines: list[str], mark: str) -> list[WindColumn]:
    """Columns by the rows of words, units and heights."""
    words, units, heights = (fields(lines[row], mark) for row in (2, 3, 4))
    columns = []
    for position, (word, unit, text) in enumerate(zip(words, units, heights, strict=False)):
        height = _HEIGHT.fullmatch(text)
        column = column_of(position, word, float(height.group(1)), unit) if height else None
        columns += [column] if column is not None else []
    return columns


def _field(head: list[str], place: int) -> str:
    return head[place].strip() if place < len(head) else ""


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"[-+]?\d+(\.\d+)?", text) else None


def _year(head: list[str], name: str) -> tuple[int | None, list[Fault]]:
    text = _field(head, _YEAR)
    year = _number(text)
    if year is not None and 1900 <= year <= 2200:
        return int(year), []
    remedy = (
        "Wind of no known year cannot stand beside the sun of one: take the .srw of a calendar year, or "
        "write the year that its rows are of into the first line."
    )
    found = f"{text!r}: a typical or nameless year"
    return None, [Fault(f"{name} year", found, "must be a year", remedy)]


def _place(head: list[str], name: str) -> tuple[dict[str, float], list[Fault]]:
    """Place in the first line, if it names one, and what is wrong with it."""
    place: dict[str, float] = {}
    faults: list[Fault] = []
    for axis, position in (("latitude", _LATITUDE), ("longitude", _LONGITUDE)):
        text = _field(head, position)
        if not re.search(r"\d", text):
            continue
        try:
            place[axis] = coordinate(text, axis, name)
        except InputError as error:
            faults += error.faults
    elevation = _number(_field(head, _ELEVATION))
    if len(place) < 2:
        return {}, faults
    return place | ({} if elevation is None else {"elevation_m": elevation}), faults


def _stamps(rows: int, year: int, name: str) -> tuple[pd.DatetimeIndex, list[Fault]]:
    """Stamps of a whole year of rows, with or without 29 February, and what is wrong with their number."""
    days = 366 if pd.Timestamp(year, 1, 1).is_leap_year else 365
    for length in (days, 365):
        if rows % length == 0 and rows // length in _STEPS_PER_DAY:
            minutes = 1440 // (rows // length)
            stamps = pd.date_range(f"{year}-01-01", periods=days * 1440 // minutes, freq=f"{minutes}min")
            if length < days:
                stamps = stamps[~((stamps.month == 2) & (stamps.day == 29))]
            return stamps, []
    found = f"{rows:,} rows for {year}"
    allowed = "must be a whole year of steps of 5, 10, 15, 30 or 60 minutes"
    return pd.DatetimeIndex([]), [Fault(name, found, allowed, "Download the year again.")]


def _clock(head: list[str], site: Site, name: str) -> tuple[float, str]:
    """Offset of the rows from UTC and what it rests on. [h]"""
    ninth = _number(_field(head, _ZONE_OR_STEP))
    if ninth is not None and not 0 < ninth <= 1 and -12 <= ninth <= 14:
        return ninth, f"local standard time {utc_words(ninth)}, as the first line says"
    custom = f"local standard time {utc_words(site.utc_offset_h)}, the custom of .srw, which says no zone"
    return site.utc_offset_h, custom
