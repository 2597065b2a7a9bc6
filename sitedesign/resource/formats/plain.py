"""CSV with named columns: units from the names, time from header lines or from the sun itself.

Header lines (``# key: value`` or ``key,value`` above the column names) may give ``latitude``, ``longitude``,
``elevation``, ``utc_offset`` (hours, ``UTC``, ``+05:30`` or an IANA name, of which the standard time is
taken), ``convention`` (``start``, ``middle``, ``end``, ``instant``) and ``sun_offset_minutes`` (where the sun
stands after the start of an interval). What they leave out is measured against the sun on clear days and said
in the notes; it is never guessed from a missing key alone.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sitedesign.errors import Fault, InputError
from sitedesign.resource.alignment import TOLERANCE_MINUTES, sun_error_minutes
from sitedesign.resource.formats.names import Column, fold, time_columns, value_columns
from sitedesign.resource.formats.record import Convention, Record, record_from
from sitedesign.resource.grid import lay_out
from sitedesign.resource.sun import solar_geometry
from sitedesign.site import Site

OF = "Weather.read()"
_HEADER_LINES = 100
_CONVENTIONS: dict[str, Convention] = {
    "start": "start", "left": "start", "begin": "start", "beginning": "start", "period_start": "start",
    "end": "end", "right": "end", "ending": "end", "period_end": "end",
    "middle": "middle", "mid": "middle", "center": "middle", "centre": "middle",
    "instant": "instant", "instantaneous": "instant",
}  # fmt: skip


@dataclass(frozen=True)
class Header:
    """What stands above the data: delimiter, row of the column names, their text, and keys."""

    delimiter: str
    row: int
    names: tuple[str, ...]
    keys: dict[str, str]


def recognise(head: str) -> bool:
    """Tell a table by a row of names with a time column and irradiance."""
    return find_header(head) is not None


def find_header(head: str) -> Header | None:
    """Find the row of column names within the first hundred lines.

    Parameters
    ----------
    head : str
        Beginning of the file.

    Returns
    -------
    Header or None
        None if no row names global irradiance (or direct and diffuse) and time.
    """
    keys: dict[str, str] = {}
    for row, line in enumerate(head.splitlines()[:_HEADER_LINES]):
        text = line.lstrip("#").strip()
        delimiter = max(";\t,", key=text.count)
        names = tuple(name.strip().strip('"') for name in text.split(delimiter)) if delimiter in text else ()
        found = {column.variable for column in value_columns(names)}
        if {"ghi"} <= found or {"dni", "dhi"} <= found:
            return Header(delimiter, row, names, keys) if time_columns(names) else None
        pair = re.split(r"[:=,;\t]", text, maxsplit=1)
        if len(pair) == 2 and pair[1].strip(" ,;"):
            keys.setdefault(fold(pair[0]), pair[1].strip(" ,;\t"))
    return None


def parse(path: Path, site: Site | None = None) -> Record:
    """Read one table.

    Parameters
    ----------
    path : Path
    site : Site, optional
        Needed to measure time where the file does not declare it, unless the file names its place.

    Returns
    -------
    Record

    Raises
    ------
    InputError
        If a needed unit, time zone or convention is neither declared nor measurable, or stamps are faulty.
    """
    return parse_text(path.read_text(encoding="utf-8-sig", errors="replace"), path.name, site)


def parse_text(text: str, name: str, site: Site | None = None) -> Record:
    """Read one table from its text; `name` is that of the file, the rest as in :func:`parse`."""
    header = find_header(text)
    if header is None:
        raise InputError([Fault(name, "no row of column names", "needs a time column and ghi")], OF)
    table = _table(text, header)
    columns = value_columns(header.names)
    stamps, declared_zone = _stamps(table, header, name)
    order = np.flatnonzero(np.asarray(stamps.notna()))
    stamps, table = stamps[order], table.iloc[order]
    step_h = float(np.median(np.diff(stamps.to_numpy()) / np.timedelta64(1, "h"))) if len(stamps) > 1 else 1.0
    data = pd.DataFrame({c.variable: c.scale(_numbers(table, c), step_h) for c in columns})
    data.index = stamps
    data = _with_ghi(data)
    _check_units(data, columns, name)
    place = _place(header.keys, name)
    where = site or _site(place)
    zone_text = next((header.keys[k] for k in _ZONE_KEYS if k in header.keys), None)
    zone = declared_zone if zone_text is None or declared_zone is not None else _zone(zone_text, name)
    convention = _declared_convention(header)
    named = tuple(c.said for c in columns)
    if zone is not None and convention is not None:
        words = f"{_WORDS[convention]}, {_at(zone)}, as declared"
        shift = header.keys.get("sun_offset_minutes")
        return _record(
            data, name, convention, zone, words, place, named, None if shift is None else float(shift)
        )
    return _measured(data, name, convention, zone, where, place, named)


_ZONE_KEYS = (
    "utc_offset",
    "utc_offset_h",
    "utc_offset_hours",
    "timezone",
    "time_zone",
    "tz",
    "local_time_zone",
)
_CONVENTION_KEYS = (
    "convention",
    "interval",
    "interval_convention",
    "timestamp",
    "time_stamp",
    "stamp",
    "label",
)
_WORDS = {
    "start": "means stamped at their start",
    "middle": "means stamped at their middle",
    "end": "means stamped at their end",
    "instant": "instants at the stamp",
}


def _table(text: str, header: Header) -> pd.DataFrame:
    body = "\n".join(text.splitlines()[header.row + 1 :])
    decimal = "," if header.delimiter == ";" and re.search(r"\d,\d", body[:5000]) else "."
    # Names are given, so that rows with a trailing delimiter do not shift the columns.
    return pd.read_csv(
        io.StringIO(body),
        sep=header.delimiter,
        header=None,
        names=list(range(len(header.names))),
        usecols=range(len(header.names)),
        decimal=decimal,
        comment="#",
        skip_blank_lines=True,
        low_memory=False,
        index_col=False,
    )


def _numbers(table: pd.DataFrame, column: Column) -> pd.Series:
    return pd.to_numeric(table[column.position], errors="coerce").astype(np.float64)


def _stamps(table: pd.DataFrame, header: Header, file: str) -> tuple[pd.DatetimeIndex, float | None]:
    """Stamps as written, naive, and the offset from UTC if they carry one. [h]"""
    positions = time_columns(header.names)
    parts = {fold(header.names[p]): table[p] for p in positions}
    try:
        if "month" in parts:
            numbers = {key: pd.to_numeric(value) for key, value in parts.items()}
            hour = numbers.get("hour", pd.Series(0, index=table.index))
            dates = pd.to_datetime(pd.DataFrame({key: numbers[key] for key in ("year", "month", "day")}))
            extra = hour * 60 + numbers.get("minute", pd.Series(0, index=table.index))
            return pd.DatetimeIndex(dates + pd.to_timedelta(extra, unit="min")), None
        text = (
            parts.popitem()[1].astype(str)
            if len(parts) == 1
            else table[positions].astype(str).agg(" ".join, axis=1)
        )
        zoned = bool(re.search(r":\d{2}(\.\d+)?\s*(Z|UTC|[+-]\d{2}:?\d{2})\s*$", text.iloc[0]))
        text = text.str.replace(r"\s*UTC\s*$", "Z", regex=True)
        parsed = _dates(text, utc=zoned)
    except (ValueError, TypeError, KeyError) as error:
        found = f"stamps that cannot be read ({error})"[:200]
        remedy = "Write stamps as 2020-01-31 14:30 or columns Year, Month, Day, Hour, Minute."
        raise InputError([Fault(file, found, "must be dates and times", remedy)], OF) from None
    if zoned:
        return pd.DatetimeIndex(parsed).tz_localize(None), 0.0
    utc_named = any("utc" in fold(header.names[p]) or "gmt" in fold(header.names[p]) for p in positions)
    return pd.DatetimeIndex(parsed), 0.0 if utc_named else None


def _dates(text: pd.Series, *, utc: bool) -> pd.Series:
    """Parse stamps; 13.01.2020 shows that the day comes first, and a whole year always has a 13th."""
    try:
        return pd.to_datetime(text, utc=utc)
    except ValueError:
        return pd.to_datetime(text, utc=utc, dayfirst=True)


def _with_ghi(data: pd.DataFrame) -> pd.DataFrame:
    """Make room for global irradiance that is later closed from direct and diffuse."""
    return data if "ghi" in data else data.assign(ghi=np.nan)


def _check_units(data: pd.DataFrame, columns: tuple[Column, ...], file: str) -> None:
    brightest = float(
        np.nanquantile(data.drop(columns="ghi" if data["ghi"].isna().all() else []).iloc[:, 0], 0.999)
    )
    if brightest < 20 and not any(column.unit_named for column in columns):
        found = f"irradiance that never exceeds {brightest:.3g}"
        remedy = "Name the unit in the column, for example 'ghi (kW/m2)' or 'ghi (MJ/m2)'."
        raise InputError([Fault(file, found, "without a named unit it must be in W/m2", remedy)], OF)


def _declared_convention(header: Header) -> Convention | None:
    texts = [header.keys[key] for key in _CONVENTION_KEYS if key in header.keys]
    texts += [header.names[p] for p in time_columns(header.names)]
    for text in texts:
        for word in re.split(r"[^a-z]+", text.lower().replace("period_", "")):
            if word in _CONVENTIONS:
                return _CONVENTIONS[word]
    return None


def _zone(text: str, file: str) -> float:
    """Offset of a time zone given as number, UTC, +hh:mm or IANA name (its standard time). [h]"""
    plain = text.strip().strip("\"'")
    if re.fullmatch(r"(?i)(utc|gmt|z)", plain):
        return 0.0
    clock = re.fullmatch(r"(?i)(?:utc|gmt)?\s*([+-]?)(\d{1,2})(?::?(\d{2}))?(\.\d+)?\s*h?", plain)
    if clock:
        hours = int(clock[2]) + (int(clock[3]) / 60 if clock[3] else 0) + (float(clock[4]) if clock[4] else 0)
        return -hours if clock[1] == "-" else hours
    from sitedesign.site import _standard_offset_h

    try:
        return _standard_offset_h(plain)
    except (KeyError, ValueError, OSError):
        allowed = "must be hours from UTC, 'UTC', '+05:30' or an IANA name"
        raise InputError([Fault(f"{file} utc_offset", repr(text), allowed)], OF) from None


def _place(keys: dict[str, str], file: str) -> dict[str, Any]:
    place: dict[str, Any] = {}
    for name, options in {
        "latitude": ("latitude", "lat", "latitude_deg"),
        "longitude": ("longitude", "lon", "lng", "longitude_deg"),
        "elevation_m": ("elevation", "elevation_m", "altitude", "altitude_m"),
    }.items():
        text = next((keys[key] for key in options if key in keys), None)
        number = re.match(r"-?\d+(\.\d+)?", text) if text else None
        if text and not number:
            raise InputError([Fault(f"{file} {name}", repr(text), "must be a number")], OF)
        if number:
            place[name] = float(number.group())
    return place


def _site(place: dict[str, Any]) -> Site | None:
    return Site(**place) if {"latitude", "longitude"} <= set(place) else None


def _at(zone: float) -> str:
    return "UTC" if zone == 0 else f"UTC{zone:+g} all year"


def _record(
    data: pd.DataFrame,
    file: str,
    convention: Convention,
    zone: float,
    words: str,
    place: dict[str, Any],
    notes: tuple[str, ...],
    sun_shift_minutes: float | None = None,
) -> Record:
    return record_from(
        data, file, "CSV with named columns", convention, zone, words=words, notes=notes,
        sun_shift_minutes=sun_shift_minutes, **place,
    )  # fmt: skip


def _measured(
    data: pd.DataFrame,
    file: str,
    convention: Convention | None,
    zone: float | None,
    site: Site | None,
    place: dict[str, Any],
    notes: tuple[str, ...],
) -> Record:
    """Find what the file does not declare from where the sun stood on clear days."""
    missing = " and ".join(
        word for word, value in (("time zone", zone), ("interval convention", convention)) if value is None
    )
    lines = "header lines such as '# utc_offset: -6' and '# convention: end' (start, middle, end or instant)"
    if site is None:
        fault = Fault(
            file,
            f"no {missing}, and no place to measure it at",
            "time must be known",
            f"Give `site`, or {lines}.",
        )
        raise InputError([fault], OF)
    zones = [zone] if zone is not None else list(dict.fromkeys([site.utc_offset_h, 0.0]))
    errors: dict[float, float] = {}
    for candidate in zones:
        # Stamps taken as instants that begin their intervals; the error is then minus the sun's place in
        # them.
        first = _record(data, file, "start", candidate, "", place, (), sun_shift_minutes=0.0)
        errors[candidate] = _error_minutes(first, site)
    known = {candidate: error for candidate, error in errors.items() if np.isfinite(error)}
    step = _record(data, file, "start", zones[0], "", place, ()).step_minutes
    if not known:
        fault = Fault(
            file, f"no {missing}, and too few clear days to measure it", "time must be known", f"Add {lines}."
        )
        raise InputError([fault], OF)
    best = min(known, key=lambda candidate: abs(known[candidate]))
    error = known[best]
    if abs(error) > step / 2 + TOLERANCE_MINUTES:
        tried = " nor ".join("UTC" if candidate == 0 else f"UTC{candidate:+g}" for candidate in zones)
        found = f"stamps whose sun stands {error:+.0f} min from where it should be, in neither {tried}"
        raise InputError([Fault(file, found, "time must be known", f"Add {lines}.")], OF)
    said = f"{missing} not declared, measured on clear days: sun at stamp {-error:+.0f} min"
    if convention is not None:
        words = f"{_WORDS[convention]}, {_at(best)} (time zone measured)"
        return _record(data, file, convention, best, words, place, (*notes, said))
    # Quarter steps (means of :00 and :30) can be told apart only where they are long.
    options = [0.0, step / 2, -step / 2, *((step / 4, -step / 4) if step == 60 else ())]
    shift = min(options, key=lambda option: abs(option + error))
    words = f"{_MEASURED_WORDS[shift / step]}, {_at(best)} (measured)"
    note = (*notes, f"{said}, taken as {shift:+g} min")
    if shift >= 0:
        return _record(data, file, "start", best, words, place, note, sun_shift_minutes=shift)
    record = _record(data, file, "end", best, words, place, note)
    return replace(record, sun_offset_minutes=step + shift)


_MEASURED_WORDS = {
    0.0: "instants at the stamp",
    0.5: "means stamped at their start",
    -0.5: "means stamped at their end",
    0.25: "means of the stamp and half a step later",
    -0.25: "means of the stamp and half a step earlier",
}


def _error_minutes(record: Record, site: Site) -> float:
    grid = lay_out([record], site.utc_offset_h)
    geometry = solar_geometry(site, grid.step_minutes, grid.utc_offset_h, grid.sun_offset_minutes)
    ghi = np.where((grid.columns["ghi"] < -20) | (grid.columns["ghi"] > 2000), np.nan, grid.columns["ghi"])
    errors = sun_error_minutes(
        ghi, geometry.ghi_extra_w_m2, site.longitude, grid.utc_offset_h, grid.sun_offset_minutes
    )
    return float(np.median(errors[np.isfinite(errors)])) if np.isfinite(errors).any() else float("nan")
