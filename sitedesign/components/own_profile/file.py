"""Files with a user's own profile, as meters, spreadsheets and simulation programs export them.

Which columns hold the time and the values, in which unit and on which clock, is told from names, units,
comments and content; what has two readings is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta, timezone
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sitedesign.components.own_profile.clock import PLAIN_YEAR, ProfileRecord
from sitedesign.components.own_profile.given import clock_said
from sitedesign.components.own_profile.units import NoUnit, find_unit, rating_of_lines, unit_of_lines
from sitedesign.errors import Fault, InputError
from sitedesign.util.text_table import TextTable, decode, lines_of, read_table
from sitedesign.util.timestamps import Stamped, read_stamps

FloatArray = NDArray[np.float64]
Kind = Literal["solar", "load"]

_MAGIC = (
    (b"PK\x03\x04", "an Excel workbook or a zip archive", "Save the sheet as CSV, or unpack the archive."),
    (b"\xd0\xcf\x11\xe0", "an old Excel file", "Save the sheet as CSV."),
    (b"%PDF", "a PDF document", "Save the table in it as CSV."),
    (b"\x1f\x8b", "a gzip archive", "Unpack it first."),
    (b"{", "a JSON file", "Export the table as CSV."),
    (b"<", "a web page (HTML or XML)", "Export the table as CSV."),
)
_UNIT_IN_CELL = re.compile(r"(?<=\d)[ \u00a0]?([kMG]?Wh?|%)(?=[\"\s]*(?:[;,\t\n\r]|$))")
_WHEN = re.compile(
    r"^\W*(?:date|time|datum|zeit|uhrzeit|stamp|timestamp|datetime|hour|hours|hr|stunde|heure|hora|fecha|from|to|"
    r"von|bis|start|end|begin|beginn|ende|period|interval|year|month|day|minute|jahr|monat|tag|he|index|step|id|"
    r"no|nr|local|utc|gmt|ts)(?![a-z])|"
    r"(?:date|time|stamp|hour[ _]?(?:end|begin|of)|interval|_utc|\butc\b|zeitstempel)",
    re.IGNORECASE,
)
_PARTS = {
    "year": r"ye?a?r|jahr|yyyy|ano|año|ann[ée]e",
    "month": r"mo|mon|month|monat|mm|mes|mois",
    "day": r"da?y|day[ _]of[ _]month|tag|dd|d[ií]a|jour",
    "hour": r"ho?u?rs?|stunde|hh|hora|heure|he|hour[ _]ending|hour[ _]of[ _]day",
    "minute": r"min|minutes?",
}
_NOT_THE_VALUE = re.compile(
    r"ghi|dni|dhi|irradian|globhor|globinc|glob|radiation|g\(i\)|gb\(i\)|gd\(i\)|gr\(i\)|poa|temp|t_?amb|t_?array|"
    r"wind|ws10m|h_?sun|t2m|humid|pressure|albedo|zenith|azimuth|price|soc|quality|flag|status|count|forecast|"
    r"^int$|cell|beam|diffuse",
    re.IGNORECASE,
)
_IRRADIANCE = re.compile(
    r"(?<![a-z])(?:ghi|dni|dhi|poa|glob(?:hor|inc|eff))(?![a-z])|irradian", re.IGNORECASE
)
_IRRADIANCE_REMEDY = "Irradiance is weather: give it as weather, with the place."
# What each program calls the power at its meter, the surest names first.
_SOLAR_NAMES = (
    r"^e_?grid\b|ac system output|system power generated|^gen(?:eration)?\b.*\bac\b",
    r"^electricity\b|^p$|^p_?ac\b|\bac\b.*(?:power|output|energy)|(?:power|energy).*\bac\b",
    r"^eoutinv\b|production|generation|einspeisung|erzeugung|\bpv\b|solar|yield|output",
)
_LOAD_NAMES = (
    r"(?:total|facility|site|net)[ _]?(?:load|demand|power)|gesamt|summe",
    r"load|demand|consumption|verbrauch|last(?![a-z])|bezug|consumo|consommation|usage|leistung|import",
)
_START = re.compile(r"start|from|begin|von(?![a-z])|beginn|\bhb\b", re.IGNORECASE)
_END = re.compile(
    r"(?<![a-z])end(?:ing|e|s)?(?![a-z])|(?:period|interval|hour)_?end|(?<![a-z])to(?![a-z])|bis(?![a-z])|\bhe\b",
    re.IGNORECASE,
)
_WORDS = re.compile(r"^(?!(?:nan|null|none)$).*[A-Za-z]{3}", re.IGNORECASE)
_ABOUT_CLOCK = re.compile(
    r"(?<![a-z])(?:time|times|time[ _]?zone|time[ _]?stamps?|clock|zeit\w*|hora|heure)(?![a-z])"
)
_HOLDS_A_TIME = re.compile(
    r"\d{4}-\d|\d[/.]\d+[/.]\d|(?<![+\-−\d])\d{1,2}:\d{2}|simulat|creat|export|download"
)
_TOTALS = re.compile(r"^\W*(?:totals?|sum|summe|gesamt|average|mean|mittel|min|max)", re.IGNORECASE)
_NO_YEAR = re.compile(
    r"(\d{1,2}/\d{1,2}|[A-Za-z]{3,9}\.? \d{1,2}),?\s+(\d{1,2}:\d{2}(?::\d{2})?(?: ?[AaPp][Mm])?)"
)
_LONGEST_FOOTER = 60
_STEPS_A_DAY = (24, 48, 96, 288)
# Counts that go up by something else than 1 are hours, minutes or seconds, and tell the step.
_COUNTED_MINUTES = {
    0.5: 30,
    0.25: 15,
    1 / 12: 5,
    5: 5,
    15: 15,
    30: 30,
    60: 60,
    300: 5,
    900: 15,
    1800: 30,
    3600: 60,
}


def read_file(path: Path, kind: Kind, column: str | None = None) -> ProfileRecord:
    """Read a file with a profile.

    Parameters
    ----------
    path : Path
        Text table or Parquet.
    kind : str
        ``solar`` or ``load``: what to look for where a file has several columns.
    column : str, optional
        Name of the column of values, or its number from 1.

    Returns
    -------
    ProfileRecord

    Raises
    ------
    InputError
        With the true cause.
    """
    try:
        found = path.stat()
        return _read(path, kind, column, found.st_mtime_ns, found.st_size)
    except FileNotFoundError:
        fault = Fault(path.name, "no such file", "must be a CSV file")
    except IsADirectoryError:
        fault = Fault(path.name or str(path), "a folder", "must be a CSV file", "Name the file in it.")
    except (OSError, ValueError) as error:
        found_text = f"a file that cannot be read ({_reason(error)})"
        fault = Fault(path.name[:100], found_text, "must be a readable CSV file")
    raise InputError([fault], path.name[:100])


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) and error.strerror else "damaged").lower()


@lru_cache(maxsize=8)
def _read(path: Path, kind: Kind, column: str | None, _changed_ns: int, _size: int) -> ProfileRecord:
    raw = path.read_bytes()
    if raw.startswith(b"PAR1"):
        return _read_parquet(path, kind, column)
    return record_of_text(text_of(raw, path.name), path.name, kind, column)


def text_of(raw: bytes, file: str) -> str:
    """Text of a file that holds a table.

    Parameters
    ----------
    raw : bytes
    file : str
        For messages.

    Raises
    ------
    InputError
        If it is a workbook, an archive, a document, or empty.
    """
    for magic, what, remedy in _MAGIC:
        if raw.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(magic):
            raise InputError([Fault(file, what, "must be a CSV or Parquet file", remedy)], file)
    if not raw.strip():
        raise InputError([Fault(file, "an empty file", "must hold at least one year")], file)
    return decode(raw)


def record_of_text(text: str, file: str, kind: Kind, column: str | None = None) -> ProfileRecord:
    """Read the text of a file; as :func:`read_file`."""
    table = _without_footer(_table(_unit_from_cells(_one_field(text)), file))
    return _record(_unfolded(table), kind, column)


def _one_field(text: str) -> str:
    """Text in which stamps like ``Jan 1, 12:00 am`` have no comma, which makes two fields of them."""
    return re.sub(
        r"^([A-Z][a-z]{2} \d{1,2}), (?=\d{1,2}:\d{2} [AaPp][Mm],)", r"\1 ", text, flags=re.MULTILINE
    )


def _unfolded(table: TextTable) -> TextTable:
    """Table of one row a day as one of one row an interval."""
    cells = table.cells
    steps = cells.shape[1] - 1
    if steps not in _STEPS_A_DAY or not _has_dates(cells[0]) or cells[0].str.contains(":").any():
        return table
    if not all(_mostly_numbers(cells[place]) for place in range(1, steps + 1)):
        return table
    if not re.search(r"\d", str(cells.iat[0, 0])):  # names such as 0:00 pass for data
        cells = cells.iloc[1:]
    clocks = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in range(0, 1440, 1440 // steps)]
    stamps = [f"{day} {clock}" for day in cells[0] for clock in clocks]
    long = pd.DataFrame({0: stamps, 1: cells.iloc[:, 1:].to_numpy().ravel()}, dtype=str)
    long.index = pd.Index(np.repeat(cells.index.to_numpy(), steps), name="line")
    name = table.names[0] if table.names else "date"
    return replace(table, names=(name, ""), units=("", ""), cells=long)


def _unit_from_cells(text: str) -> str:
    """Text in which a unit that stands in every row, as in ``10.6 kW``, stands in a comment instead."""
    enough = max(100, 0.9 * text.count("\n"))
    if text.count("W") + text.count("%") < enough:  # each such unit has one of them
        return text
    found = _UNIT_IN_CELL.findall(text)
    if len(found) < enough or len(set(found)) != 1:
        return text
    return f"# unit: {found[0]}\n{_UNIT_IN_CELL.sub('', text)}"


def _table(text: str, file: str) -> TextTable:
    """Cut a text into cells; where no row looks like data, say whether it is the times."""
    try:
        return read_table(text, file)
    except InputError as error:
        rows = [re.split(r"[,;\t]", line) for line in lines_of(text) if line.strip()]
        odd = [row[0] for row in rows if len(row) > 1 and re.fullmatch(r"\s*[\d.,]+\s*", row[-1])]
        if "no rows of numbers" not in str(error) or not odd:
            raise
    found = f"{len(odd)} unreadable times, first {odd[0]!r}"
    raise InputError([Fault(file, found, "must be times such as 2019-01-01 00:00")], file)


def _read_parquet(path: Path, kind: Kind, column: str | None) -> ProfileRecord:
    try:
        frame = pd.read_parquet(path)
    except Exception:  # pyarrow has many of its own
        fault = Fault(path.name, "a damaged Parquet file", "must be readable", "Write it again.")
        raise InputError([fault], path.name) from None
    return record_of_frame(frame, kind, path.name, f"file {path.name}", column)


def record_of_frame(
    frame: pd.DataFrame, kind: Kind, where: str, description: str, column: str | None = None
) -> ProfileRecord:
    """Take the column of values and the times of a table.

    Parameters
    ----------
    frame : DataFrame
        Times in the index, or in a column of times.
    kind : str
        ``solar`` or ``load``.
    where, description : str
        For messages.
    column : str, optional
        Name of the column of values.

    Raises
    ------
    InputError
        If there are several columns of values and none is named.
    """
    timed = [place for place, kept in enumerate(frame.dtypes) if pd.api.types.is_datetime64_any_dtype(kept)]
    if len(timed) == 1 and not isinstance(frame.index, pd.DatetimeIndex | pd.PeriodIndex):
        stamps = frame.iloc[:, timed[0]]
        others = [place for place in range(frame.shape[1]) if place != timed[0]]
        frame = frame.iloc[:, others].set_axis(pd.DatetimeIndex(stamps, name=stamps.name))
    names = [str(name) for name in frame.columns]
    usable = [place for place, name in enumerate(names) if _may_be_power(name)]
    notes: tuple[str, ...] = ()
    if column is not None:
        place = _named(column, names, where)
    elif len(names) == 1:
        place = 0
    elif len(usable) == 1:
        place = usable[0]
        notes = (f"values taken from the column {names[place]!r}",)
    else:
        remedy = "Choose it: frame['name']; times belong in the index."
        if where.endswith("parquet"):
            remedy = _say_column(names, where)
        if not usable:
            remedy = "None of them names power or energy. Irradiance is weather: give it as weather."
        found = f"a table with columns {', '.join(names[:20])}"
        raise InputError([Fault(where, found, "must have one column", remedy)], where)
    record = _of_series(frame.iloc[:, place], where)
    return replace(record, description=description, notes=(*record.notes, *notes))


def _may_be_power(name: str) -> bool:
    return not _NOT_THE_VALUE.search(name) and not isinstance(find_unit(name), NoUnit)


def real_numbers(data: object) -> FloatArray:
    """Values as floats, NaN where they are masked.

    Raises
    ------
    TypeError, ValueError
        If they are no real numbers: nothing is cut off or counted as seconds.
    """
    if isinstance(data, np.ma.MaskedArray):
        data = np.ma.filled(data.astype(np.float64), np.nan)
    found = np.asarray(data)
    if found.dtype.kind in "cmM":
        message = f"values of type {found.dtype}"
        raise TypeError(message)
    return np.array(found, dtype=np.float64)


def _of_series(series: pd.Series, where: str) -> ProfileRecord:
    index: pd.DatetimeIndex | None = None
    if isinstance(series.index, pd.PeriodIndex):
        index = series.index.to_timestamp(how="start")
    elif isinstance(series.index, pd.DatetimeIndex):
        index = series.index
    elif not pd.api.types.is_integer_dtype(series.index):
        remedy = "Turn text into times with pd.to_datetime, or drop the index."
        found = f"an index of {series.index.dtype}"
        raise InputError([Fault(where, found, "must be times or plain", remedy)], where)
    try:
        values = real_numbers(series.to_numpy(na_value=np.nan))
    except (TypeError, ValueError):
        example = next((item for item in series if not isinstance(item, int | float)), "")
        fault = Fault(where, f"values that are not numbers, such as {example!r:.60}", "must be numbers")
        raise InputError([fault], where) from None
    name = "" if series.name is None else str(series.name)
    record = ProfileRecord(values, index, where, "user's series")
    if index is not None and index.tz is None and index.name is not None:
        record = _clock_of_name(record, str(index.name))
    return _with_unit(record, name, "", [])


# --- Text tables -------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Times:
    """Columns that tell the time, and what they say."""

    places: tuple[int, ...]
    index: pd.DatetimeIndex | None
    name: str = ""
    notes: tuple[str, ...] = ()
    yearless: bool = False
    step_minutes: int | None = None


def _without_footer(table: TextTable) -> TextTable:
    """Table without the totals and legends below it, whose text joins the lines above."""
    cells = table.cells
    tail = cells.iloc[-_LONGEST_FOOTER:]
    last = cells.shape[1] - 1
    if last:
        is_row = tail[last].str.match(r"[\d\"'+-.,]") & ~tail[0].str.match(_TOTALS)
        if table.names:  # blanks in the values of data rows are no footer
            is_row |= tail[0].str.match(r"\d") & ~tail[0].str.match(_TOTALS)
    else:
        is_row = ~tail[0].str.contains(_WORDS)
    if is_row.all() or not is_row.any():
        return table
    keep = len(cells) - len(tail) + int(np.flatnonzero(is_row.to_numpy())[-1]) + 1
    below = [" ".join(filter(None, row)) for row in cells.iloc[keep:].to_numpy().tolist()]
    return replace(table, cells=cells.iloc[:keep], above=(*table.above, *below))


def _record(table: TextTable, kind: Kind, column: str | None) -> ProfileRecord:
    width = table.cells.shape[1]
    names = [*table.names, *(f"column {place + 1}" for place in range(len(table.names), width))]
    lines = [line for line in table.above if line.strip()]
    place = _value_place(table, names, kind, column)
    times = _times(table, names, place)
    values, notes = table.numbers(place)
    if column is None and width - len(times.places) > 1:
        notes = (f"values taken from the column {names[place]!r}", *notes)
    index = times.index
    if index is not None and len(index) > 1 and bool((index[1:] < index[:-1]).all()):
        index, values, notes = (
            index[::-1],
            values[::-1],
            (*notes, "rows turned round: the newest stood first"),
        )
    record = ProfileRecord(
        values, index, table.file, f"file {table.file}", yearless=times.yearless, notes=(*times.notes, *notes)
    )
    grouped = table.decimal == "," and table.cells[place].str.fullmatch(r"[1-9]\d{0,2}(,\d{3})+|0?").all()
    record = replace(record, commas_may_group=bool(grouped), step_minutes=times.step_minutes)
    record = _clock_of_name(record, times.name)
    if record.zone_h is None and not record.wall_clock and (times.index is None or times.index.tz is None):
        record = _clock_of_lines(record, lines, times.name)
    if kind == "solar":
        record = replace(record, rated_mw=rating_of_lines(lines))
    header = names[place] if table.names else ""
    unit = table.units[place] if place < len(table.units) else ""
    return _with_unit(record, header, unit or _unit_column(table), lines)


def _unit_column(table: TextTable) -> str:
    """Find the unit that a column of its own repeats in every row, as meters export it; empty for none."""
    for place, name in enumerate(table.names):
        if re.fullmatch(
            r"(?:units?|uom|unit of measure|einheit|unidad|unit[ée])", name.strip(), re.IGNORECASE
        ):
            written = set(table.cells[place]) - {""}
            return written.pop() if len(written) == 1 else ""
    return ""


def _with_unit(record: ProfileRecord, name: str, unit_row: str, lines: list[str]) -> ProfileRecord:
    """ProfileRecord with the unit that its header, its row of units or a comment gives."""
    said = [
        (find_unit(unit_row), "the row or column of units"),
        (find_unit(name), f"the name {name.strip()!r}"),
    ]
    said.append((unit_of_lines(lines, name), "a comment"))
    for unit, who in said:
        if isinstance(unit, NoUnit):
            remedy = "Give power (kW, MW) or energy per interval (kWh, MWh), or say the unit that is meant: "
            remedy += f'{{file = "{record.where}", unit = "kW"}}.'
            if re.search(r"/\s*m|m\s?[-^]\s?2|m²", unit.text.lower()):
                remedy = _IRRADIANCE_REMEDY
            fault = Fault(record.where, f"values in {unit.text!r} ({who})", "must be power or energy", remedy)
            return replace(record, refused=fault)
        if unit is not None:
            return replace(record, unit=unit, said_by=who)
    if _IRRADIANCE.search(name):
        found = f"what its name says is irradiance ({name.strip()!r})"
        fault = Fault(record.where, found, "must be power or energy", _IRRADIANCE_REMEDY)
        return replace(record, refused=fault)
    return record


def _clock_of_name(record: ProfileRecord, name: str) -> ProfileRecord:
    said = clock_said(name) if name else None
    ends = bool(_END.search(name)) and not _START.search(name)
    record = replace(record, ends=ends)
    if said is None or (record.index is not None and record.index.tz is not None):
        return record
    return replace(record, zone_h=said.zone_h, wall_clock=said.wall)


def _clock_of_lines(record: ProfileRecord, lines: Sequence[str], name: str) -> ProfileRecord:
    """Clock that a comment gives: ``# time: UTC``, ``Time zone: -6``, ``"time": "UTC"``."""
    key = re.escape(name.strip().lower())
    for line in lines:
        low = line.lower()
        legend = re.search(rf'"{key}"\s*:\s*"([^"]*)"', low) if key else None
        number = re.search(r"time[ _]?zone\W{1,6}([+-]?\d{1,2}(?:\.\d+)?)\s*$", low)
        if number and abs(float(number[1])) <= 14:
            return replace(record, zone_h=float(number[1]))
        # A line that holds a time itself says when the file was made.
        if legend is None and (not _ABOUT_CLOCK.search(low) or _HOLDS_A_TIME.search(low)):
            continue
        said = clock_said(legend[1] if legend else low)
        if said is not None:
            return replace(record, zone_h=said.zone_h, wall_clock=said.wall)
    return record


def _named(column: str, names: Sequence[str], where: str) -> int:
    plain = [name.strip().lower() for name in names]
    wanted = column.strip().lower()
    if wanted in plain:
        return plain.index(wanted)
    begins = [place for place, name in enumerate(plain) if name.startswith(wanted)]
    if len(begins) == 1:
        return begins[0]
    if wanted.isdigit() and 1 <= int(wanted) <= len(names):
        return int(wanted) - 1
    found = f"no column {column!r}"
    raise InputError([Fault(where, found, f"must be one of {', '.join(names[:20])}")], where)


def _value_place(table: TextTable, names: list[str], kind: Kind, column: str | None) -> int:
    """Position of the column of values."""
    width = table.cells.shape[1]
    if column is not None:
        return _named(column, names, table.file)
    if width == 1:
        return 0
    usable = [place for place in range(width) if not _tells_time(table, names, place)]
    usable = [place for place in usable if _mostly_numbers(table.cells[place])]
    if table.names:
        units = [table.units[place] if place < len(table.units) else "" for place in range(width)]
        usable = [
            place
            for place in usable
            if not _NOT_THE_VALUE.search(names[place])
            and not isinstance(find_unit(units[place] or names[place]), NoUnit)
        ] or usable
    if len(usable) == 1:
        return usable[0]
    if width == 2 and not usable:
        return 1
    for pattern in _SOLAR_NAMES if kind == "solar" else _LOAD_NAMES:
        matching = [place for place in usable if re.search(pattern, names[place], re.IGNORECASE)]
        if len(matching) == 1:
            return matching[0]
    if not table.names and width == 2:
        return 1
    listed = [names[place] for place in usable] or names
    found = f"{width} columns" if width > 2 else "two columns that may both be the values"
    fault = Fault(table.file, found, "must have one or two columns", _say_column(listed, table.file))
    raise InputError([fault], table.file)


def _say_column(names: Sequence[str], file: str) -> str:
    known = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return (
        "Keep the column of values and, if there is one, the column of times before it; or say which: "
        f'{{file = "{file}", column = "{names[0] if names else "1"}"}} (values: {known}).'
    )


def _mostly_numbers(cells: pd.Series) -> bool:
    sample = cells.iloc[:: max(1, len(cells) // 200)]
    return bool(sample.str.fullmatch(r"[\s+\-\d.,'’eE]*\d[\s\d.,'’eE+\-]*|").mean() > 0.8)


def _tells_time(table: TextTable, names: list[str], place: int) -> bool:
    """Whether a column tells the time: by its content, else by its name."""
    cells = table.cells[place]
    sample = cells.iloc[:: max(1, len(cells) // 50)]
    if sample.str.contains(r"\d[-/:]\d|\d{1,2}\.\d{1,2}\.\d{2,4}|[A-Za-z]{3,}", regex=True).mean() > 0.8:
        return True
    if place == 0 and _counter(cells) is not None:
        return True
    if not table.names:
        return False
    unit = table.units[place] if place < len(table.units) else ""
    name = names[place]
    return _part_of(name) is not None or (bool(_WHEN.search(name)) and find_unit(unit or name) is None)


def _part_of(name: str) -> str | None:
    plain = name.strip().lower()
    return next((part for part, words in _PARTS.items() if re.fullmatch(words, plain)), None)


def _times(table: TextTable, names: list[str], value: int) -> _Times:
    """Find the columns of time and read them."""
    places = [place for place in range(table.cells.shape[1]) if place != value]
    told = [place for place in places if _tells_time(table, names, place)]
    if not told:
        return _Times((), None)
    parts = (
        {part: place for place in reversed(told) if (part := _part_of(names[place]))} if table.names else {}
    )
    if {"month", "day", "hour"} <= parts.keys():
        return _from_parts(table, parts, names)
    dated = [place for place in told if _has_dates(table.cells[place])]
    if dated:
        return _from_dates(table, names, told, dated)
    counted = [place for place in told if _counter(table.cells[place]) is not None]
    if counted:
        note = f"{names[counted[0]]!r} only numbers the steps: read from 1 January 00:00 on"
        counts = _counter(table.cells[counted[0]]) or 1.0
        step = next((min_ for one, min_ in _COUNTED_MINUTES.items() if abs(counts - one) < 1e-3), None)
        said = (note if table.names else "rows are numbered",)
        return _Times(tuple(told), None, names[counted[0]], said, step_minutes=step)
    _refuse_numbers(table, table.cells[told[0]])
    return _stamped(table, told[:1], table.cells[told[0]], names[told[0]])


def _refuse_numbers(table: TextTable, texts: pd.Series) -> None:
    """Refuse numbers of steps that leave some out, come twice or begin elsewhere."""
    if not texts.str.fullmatch(r"\d{1,6}").all():
        return
    steps = np.diff(texts.astype(int).to_numpy())
    jumps = np.flatnonzero(steps != 1)
    if len(jumps) >= 0.1 * len(steps):
        return
    found = f"numbers of steps that begin with {texts.iloc[0]}"
    remedy = "The first is 0 or 1; give stamps for anything else."
    if len(jumps):
        row = int(jumps[0]) + 1
        found = f"numbers of steps that do not go up by 1 in {len(jumps)} rows, "
        found += f"first {texts.iloc[row]!r} in line {texts.index[row]}"
        remedy = "Rows are missing or come twice there."
    raise InputError([Fault(table.file, found, "must number every step", remedy)], table.file)


def _has_dates(cells: pd.Series) -> bool:
    sample = cells.iloc[:: max(1, len(cells) // 50)]
    pattern = r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{8}|\d{1,2}[ -][A-Za-z]{3}|[A-Za-z]{3,9}\.? \d{1,2}|"
    pattern += r"\d{1,2}/\d{1,2}"
    serial = r"[2-7]\d{4}(?:[.,]\d+)?|\d{10}|\d{13}"
    return bool(sample.str.contains(pattern, regex=True).mean() > 0.8) or (
        bool(sample.str.fullmatch(serial).all()) and _counter(cells) is None
    )


def _from_dates(table: TextTable, names: list[str], told: list[int], dated: list[int]) -> _Times:
    """Stamps in one column, or a date in one and the time of day in another."""

    def rank(place: int) -> tuple[bool, bool]:
        said = clock_said(names[place])
        is_utc = said is not None and said.zone_h is not None
        return (bool(_END.search(names[place])) and not _START.search(names[place]), not is_utc)

    if len(dated) > 1:
        dated = sorted(dated, key=rank)
    first = dated[0]
    texts = table.cells[first]
    others = [place for place in told if place not in dated]
    days = texts.str.replace(r"[ T]0{1,2}:00(?::00)?$", "", regex=True)
    if not days.str.contains(r"\d[:h]\d", regex=True).any():
        for place in others:
            clock = _time_of_day(table.cells[place])
            if clock is not None:
                return _stamped(table, told, days + " " + clock, f"{names[first]} {names[place]}")
    return _stamped(table, told, texts, names[first])


def _time_of_day(cells: pd.Series) -> pd.Series | None:
    """Cells as ``HH:MM`` where they are times of day, hours of the day or ``HHMM``; None for others."""
    if cells.str.match(r"\d{1,2}[:.h]\d").mean() > 0.9:
        return cells
    numbers = pd.to_numeric(cells, errors="coerce")
    if (
        numbers.nunique() < 2
        or numbers.isna().any()
        or (numbers % 1).any()
        or not numbers.between(0, 2400).all()
    ):
        return None
    if numbers.max() <= 24:
        return numbers.astype(int).astype(str).str.zfill(2) + ":00"
    padded = numbers.astype(int).astype(str).str.zfill(4)
    return padded.str[:2] + ":" + padded.str[2:]


def _stamped(table: TextTable, places: Sequence[int], texts: pd.Series, name: str) -> _Times:
    bare = texts.iloc[:50].str.strip().str.fullmatch(_NO_YEAR).all()
    if bare:
        texts = texts.str.strip().str.replace(_NO_YEAR, rf"\1/{PLAIN_YEAR} \2", regex=True)
        texts = texts.str.replace(r"^([A-Za-z]{3,9}\.? \d{1,2})/", r"\1 ", regex=True)
    stamped = _read_stamps(texts, table.file)
    index, notes = stamped.index, stamped.notes
    if texts.iloc[:50].str.strip().str.fullmatch(r"\d{8}:\d{4}").all() and not stamped.utc:
        index, notes = index.tz_localize("UTC"), (*notes, "stamps as PVGIS writes them, which are UTC")
    if stamped.utc:
        offsets = np.unique(stamped.offsets_h[np.isfinite(stamped.offsets_h)])
        index = index.tz_localize("UTC")
        if len(offsets) and offsets.min() != 0:  # the smaller offset is standard time
            index = index.tz_convert(timezone(timedelta(hours=float(offsets.min()))))
    if bare:
        notes = (*notes, "stamps without a year: read as a year of 365 days")
    return _Times(tuple(places), index, name if table.names else "", notes, yearless=bool(bare))


def _read_stamps(texts: pd.Series, file: str) -> Stamped:
    """Read stamps; what cannot be read is called times, as everywhere with profiles."""
    try:
        return read_stamps(texts, file)
    except InputError as error:
        words = ("stamps that cannot be read, the first", "unreadable times, first")
        raise InputError(
            [replace(fault, found=fault.found.replace(*words)) for fault in error.faults], file
        ) from None


def _from_parts(table: TextTable, parts: dict[str, int], names: list[str]) -> _Times:
    """Stamps from columns of year, month, day, hour and minute."""
    numbers = {part: pd.to_numeric(table.cells[place], errors="coerce") for part, place in parts.items()}
    if any(column.isna().any() for column in numbers.values()):
        part = next(part for part, column in numbers.items() if column.isna().any())
        row = int(np.flatnonzero(numbers[part].isna())[0])
        found = f"no {part} in line {table.cells.index[row]}"
        raise InputError([Fault(table.file, found, "must be a number")], table.file)
    dates = pd.DataFrame({"month": numbers["month"], "day": numbers["day"]})
    dates["year"] = numbers.get("year", PLAIN_YEAR)
    days = pd.to_datetime(dates, errors="coerce")
    if days.isna().any():
        row = int(np.flatnonzero(days.isna())[0])
        found = f"no date in line {table.cells.index[row]} (month {dates['month'].iloc[row]:g}, day "
        found += f"{dates['day'].iloc[row]:g})"
        raise InputError([Fault(table.file, found, "must be a date")], table.file)
    minutes = numbers["hour"] * 60 + numbers.get("minute", 0)
    index = pd.DatetimeIndex(days + pd.to_timedelta(minutes, unit="min"))
    notes = () if "year" in parts else ("stamps without a year: read as a year of 365 days",)
    return _Times(tuple(parts.values()), index, names[parts["hour"]], notes, yearless="year" not in parts)


def _counter(cells: pd.Series) -> float | None:
    """Step of a column that only numbers the rows from 0, 1 or one step on; None for others."""
    numbers = pd.to_numeric(cells.str.replace(",", ".", regex=False), errors="coerce")
    if numbers.isna().any() or len(numbers) < 2:
        return None
    step = float(numbers.iloc[1] - numbers.iloc[0])
    known = step == 1 or any(abs(step - one) < 1e-3 for one in _COUNTED_MINUTES)
    if not known or not np.allclose(np.diff(numbers), step, atol=1e-3):
        return None
    return (
        step if any(abs(float(numbers.iloc[0]) - first) < 1e-3 for first in (0, 1, step, step / 2)) else None
    )
