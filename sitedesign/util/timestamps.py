"""Dates and times as people write them: every order of day, month and year, 24:00, midnight without time.

Which number is the day is told by the whole column: the reading must be a date in every row, and the rows
must follow each other. Only where two readings do so equally well is the column refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sitedesign.errors import Fault, InputError

OF = "the table"
_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan januar janvier ene enero gen gennaio", "feb februar fevrier febrero febbraio",
         "mar maerz mars marzo mrz", "apr avril abril aprile abr", "may mai mayo maggio mag",
         "jun juni juin junio giugno giu", "jul juli juillet julio luglio lug", "aug aout agosto ago",
         "sep sept septembre septiembre settembre set", "oct okt oktober octobre octubre ottobre ott",
         "nov novembre noviembre", "dec dez dezember decembre dic diciembre dicembre"),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_ZONES = {
    "Z": 0.0, "UTC": 0.0, "GMT": 0.0, "EST": -5.0, "EDT": -4.0, "CDT": -5.0, "MST": -7.0, "MDT": -6.0,
    "PST": -8.0, "PDT": -7.0, "AKST": -9.0, "HST": -10.0, "CET": 1.0, "CEST": 2.0, "MEZ": 1.0, "MESZ": 2.0,
    "EET": 2.0, "EEST": 3.0, "WET": 0.0, "WEST": 1.0, "SAST": 2.0, "JST": 9.0, "KST": 9.0, "AEST": 10.0,
    "AEDT": 11.0, "ACST": 9.5, "ACDT": 10.5, "AWST": 8.0, "NZST": 12.0, "NZDT": 13.0,
}  # fmt: skip
"""Without CST and IST, which two continents use."""
_PATTERN = re.compile(
    r"""(?:(?i:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+)?
    (?P<a>\d{1,4}|[A-Za-zéûä]{3,10})\.?(?P<mark>[-/.\s])\s*
    (?P<b>\d{1,2}|[A-Za-zéûä]{3,10})\.?(?:[-/.,\s]+)(?P<c>\d{4}|\d{1,2}|'\d{2})
    (?:(?:[T\s,:_-]\s*)(?P<hour>\d{1,2})(?:[:.h]\s?(?P<minute>\d{1,2}))?(?:[:.](?P<second>\d{1,2})(?:[.,]\d+)?)?
    \s*h?\s*(?P<half>[AaPp]\.?[Mm]\.?)?)?
    \s*(?:Uhr|hrs)?(?:\s[-–]\s\d{1,2}:\d{2}(?::\d{2})?)?
    \s*(?P<zone>Z|[A-Z]{3,5}|\(?(?:UTC|GMT)?\s?[+-]\d{1,2}(?::?\d{2})?(?::\d{2})?\)?)?""",
    re.VERBOSE,
)
_COMPACT = re.compile(
    r"(?P<a>\d{4})(?P<b>\d{2})(?P<c>\d{2})"
    r"(?:[:T _-]?(?P<hour>\d{2}):?(?P<minute>\d{2})?:?(?P<second>\d{2})?)?"
    r"\s*(?P<zone>Z|UTC|[+-]\d{2}:?\d{2})?"
)
_LONGEST = 100
"""Characters of a stamp: one long remark in the column would make every row as long in memory."""
_ORDERS = {"year-month-day": "abc", "day first": "cba", "month first": "cab", "year-day-month": "acb"}
_HINTS = {"month first": r"\bMM?[-/. ]DD?\b", "day first": r"\bDD?[-/. ]MM?\b|\b[jt]{2}[./]mm\b"}
_EXCEL_DAY_0 = pd.Timestamp("1899-12-30")


@dataclass(frozen=True, eq=False)
class Stamped:
    """A column of stamps.

    Attributes
    ----------
    index : DatetimeIndex
        Naive, in UTC where the stamps carry offsets, otherwise as written; NaT in rows that hold no stamp.
    utc : bool
        Whether the stamps carry their offsets from UTC.
    offsets_h : ndarray
        Offset of each stamp from UTC, NaN without. [h]
    notes : tuple of str
        What was told from the column, such as the day standing first.
    """

    index: pd.DatetimeIndex
    utc: bool
    offsets_h: NDArray[np.float64]
    notes: tuple[str, ...] = ()


def read_stamps(texts: pd.Series, file: str, hint: str = "") -> Stamped:
    """Read a column of stamps.

    Parameters
    ----------
    texts : Series of str
        Index: line in the file, for messages.
    file : str
        For messages.
    hint : str
        The column's name, which may say ``MM/DD/YYYY``; believed where the dates allow it.

    Returns
    -------
    Stamped

    Raises
    ------
    InputError
        If rows in the midst are no stamps, or more than one order of day and month is possible.
    """
    texts = texts.str.strip().str.strip("\"'")
    if (serial := _serial_numbers(texts)) is not None:
        return serial
    pattern = _COMPACT if texts.head(50).str.fullmatch(_COMPACT).mean() > 0.9 else _PATTERN
    parts = _parts(texts, pattern)
    # Whatever follows the last stamp is a footer; among the stamps every row must be one.
    known = parts["a"].notna().to_numpy()
    last = int(np.flatnonzero(known)[-1]) if known.any() else -1
    odd = np.flatnonzero(~known[: last + 1])
    if last < 0 or len(odd) > 0 or last + 1 < 0.5 * len(texts):
        place = int(odd[0]) if len(odd) else 0
        found = f"{len(odd) or len(texts)} stamps that cannot be read, "
        found += f"the first {texts.iloc[place]!r} in line {texts.index[place]}"
        remedy = "Write stamps as 2020-01-31 14:30 or in columns Year, Month, Day, Hour, Minute."
        raise InputError([Fault(file, found, "must be dates and times", remedy)], OF)
    time_of_day = _time_of_day(parts)
    dates, notes = _dates(parts, time_of_day, texts, last, file, hint)
    offsets = _offsets(parts["zone"], texts, file)
    utc = bool(np.isfinite(offsets[: last + 1]).all())
    index = pd.DatetimeIndex(dates + time_of_day)
    if utc:
        index = index - pd.to_timedelta(offsets * 3600, unit="s").round("s")
    return Stamped(index, utc, offsets, notes)


def _parts(texts: pd.Series, pattern: re.Pattern[str]) -> pd.DataFrame:
    """Parts of each stamp by name, as categories; missing where a stamp has not the part, or is none.

    The patterns ask where digits stand, never which they are: of all texts that differ in digits alone, one
    is matched, and the others have their parts in the same places.
    """
    short = texts.where(texts.str.len() <= _LONGEST, "").to_numpy(dtype=object).astype("U")
    signs = short.view(np.uint32).reshape(len(short), -1 if len(short) else 1)
    is_digit = (signs >= ord("0")) & (signs <= ord("9"))
    shape_of_row, shapes = pd.factorize(_as_texts(np.where(is_digit, np.uint32(ord("0")), signs)))
    order = np.argsort(shape_of_row, kind="stable")
    rows_of_shape = np.split(order, np.flatnonzero(np.diff(shape_of_row[order])) + 1)
    found = [
        (rows, match)
        for rows, shape in zip(rows_of_shape, shapes, strict=False)
        if (match := pattern.fullmatch(shape))
    ]
    return pd.DataFrame({name: _part(signs, found, name) for name in pattern.groupindex}, texts.index)


def _as_texts(signs: NDArray[np.uint32]) -> NDArray[np.object_]:
    """Each row of characters as a text; zeros fill it up."""
    width = signs.shape[1]
    return np.ascontiguousarray(signs).view(f"U{width}").ravel().astype(object)


def _part(
    signs: NDArray[np.uint32], found: Sequence[tuple[NDArray[np.intp], re.Match[str]]], name: str
) -> pd.Categorical:
    """One part of every row: that between the places where it stands in the shape of the row."""
    places = [(rows, *match.span(name)) for rows, match in found if match[name]]
    cut = np.zeros((len(signs), max((end - begin for _, begin, end in places), default=1)), np.uint32)
    for rows, begin, end in places:
        cut[rows, : end - begin] = signs[rows, begin:end]
    texts = _as_texts(cut)
    texts[cut[:, 0] == 0] = None
    codes, written = pd.factorize(texts)
    return pd.Categorical.from_codes(codes, pd.Index(written))


def _by_text(column: pd.Series, read: Callable[[pd.Series], pd.Series]) -> pd.Series:
    """Read each text of a part once: a year has 365 dates and 24 hours. NaN where the part is missing."""
    numbers = read(pd.Series(column.cat.categories, dtype=str)).to_numpy(np.float64, na_value=np.nan)
    values = np.append(numbers, np.nan)[column.cat.codes]
    whole = np.isfinite(values).all() and not (values % 1).any()
    return pd.Series(values.astype(np.int64) if whole else values, column.index)


def _serial_numbers(texts: pd.Series) -> Stamped | None:
    """Days since 1900 as spreadsheets keep them, or seconds and milliseconds since 1970; None for others."""
    if (
        not texts.head(50).str.fullmatch(r"\d{5}(?:[.,]\d+)?|\d{10}(?:\.\d+)?|\d{13}|\d{16}|\d{19}").all()
        or texts.empty
    ):
        return None
    values = pd.to_numeric(texts.str.replace(",", ".", regex=False), errors="coerce")
    first = float(values.iloc[0])
    if 20_000 < first < 80_000:
        index = (_EXCEL_DAY_0 + pd.to_timedelta(values, unit="D")).dt.round("s")
        said, utc = "stamps are day numbers of a spreadsheet", False
    else:
        power = int(np.floor(np.log10(first))) - 9  # of a thousandth of a second or less
        if power not in (0, 3, 6, 9):
            return None
        index = pd.Timestamp("1970-01-01") + pd.to_timedelta((values / 10**power).round(3), unit="s")
        said, utc = "stamps count seconds or parts of them since 1970, UTC", True
    offsets = np.full(len(values), 0.0 if utc else np.nan)
    return Stamped(pd.DatetimeIndex(index), utc, offsets, (said,))


def _dates(
    parts: pd.DataFrame, time_of_day: pd.Series, texts: pd.Series, last: int, file: str, hint: str
) -> tuple[pd.Series, tuple[str, ...]]:
    """Midnights of the stamps, in the one order of day, month and year that fits the column."""
    a, b, c = (_by_text(parts[key], _whole) for key in ("a", "b", "c"))
    written = {key: parts[key].cat.categories for key in ("a", "b", "c")}
    words = {key: any(re.search("[A-Za-z]", text) for text in written[key]) for key in ("a", "b")}
    if a.iloc[: last + 1].isna().any() or b.iloc[: last + 1].isna().any():
        place = int(np.flatnonzero((a.isna() | b.isna()).to_numpy()[: last + 1])[0])
        found = f"a month that cannot be read, {texts.iloc[place]!r} in line {texts.index[place]}"
        raise InputError([Fault(file, found, "must be a number or a name", "Write months as numbers.")], OF)
    long_first, long_last = (max(map(len, written[key]), default=0) == 4 for key in ("a", "c"))
    orders = ["day first", "month first", "year-month-day"]
    if words["a"]:
        orders = ["month first"]
    elif words["b"]:
        orders = ["year-month-day"] if long_first else ["day first"]
    elif long_first:
        orders = ["year-month-day", "year-day-month"]
    elif long_last:
        orders = ["day first", "month first"]
    numbers = {"a": a, "b": b, "c": c}
    readings: dict[str, pd.Series] = {}
    for order in orders:
        year, month, day = (numbers[key] for key in _ORDERS[order])
        if month.iloc[: last + 1].max() > 12:
            continue
        year = year.where(year >= 100, year + np.where(year < 70, 2000, 1900))
        dates = pd.to_datetime(pd.DataFrame({"year": year, "month": month, "day": day}), errors="coerce")
        if not dates.iloc[: last + 1].isna().any():
            readings[order] = dates
    if not readings:
        day_first = (a > 12).any() and (b > 12).any() and not long_first
        found = "dates of which some have the day first and some the month first" if day_first else "no dates"
        if day_first:
            place = int(np.flatnonzero((b > 12).to_numpy())[0])
            found += f" ({texts.iloc[place]!r} in line {texts.index[place]})"
        remedy = "A spreadsheet of another country does that; export the file again as year-month-day."
        raise InputError([Fault(file, found, "must have one order of day and month", remedy)], OF)
    scores = {order: _regularity(dates + time_of_day, last) for order, dates in readings.items()}
    best = max(scores, key=lambda order: scores[order])
    rivals = [order for order in scores if scores[order] == scores[best]]
    hinted = next((order for order, look in _HINTS.items() if re.search(look, hint, re.IGNORECASE)), "")
    if hinted in readings:
        return readings[hinted], ()
    if len(rivals) > 1:
        if long_first:
            best = "year-month-day"
        elif "day first" in rivals and bool((parts["mark"].iloc[: last + 1] == ".").all()):
            best = "day first"  # nobody writes the month first with points
        elif not _same(readings, rivals, last):
            found = f"dates such as {texts.iloc[0]!r} that may have {' or '.join(rivals)}"
            remedy = "Write dates as year-month-day."
            raise InputError([Fault(file, found, "must have one reading", remedy)], OF)
    plain = len(orders) == 1 or (best == "year-month-day" and long_first)
    return readings[best], () if plain else (f"dates read with {best}",)


def _same(readings: dict[str, pd.Series], rivals: list[str], last: int) -> bool:
    first = readings[rivals[0]].iloc[: last + 1]
    return all(readings[order].iloc[: last + 1].equals(first) for order in rivals[1:])


def _regularity(stamps: pd.Series, last: int) -> float:
    """Share of rows that follow the one before by the commonest step, 1 where all do."""
    spacing = np.diff(stamps.iloc[: last + 1].to_numpy()) / np.timedelta64(1, "s")
    if spacing.size == 0:
        return 1.0
    values, counts = np.unique(spacing, return_counts=True)
    usual = values[np.argmax(counts)]
    return round(float((spacing == usual).mean()) if usual > 0 else 0.0, 6)


def _whole(column: pd.Series) -> pd.Series:
    numbers = _number(column.str.lstrip("'"))
    if not column.str.contains(r"[A-Za-z]", na=False).any():
        return numbers
    plain = column.str.lower().str.normalize("NFKD").str.replace(r"[^a-z]", "", regex=True)
    named = plain.map(_MONTHS).fillna(plain.str[:3].map(_MONTHS))
    return numbers.fillna(named)


def _number(column: pd.Series) -> pd.Series:
    return pd.to_numeric(column, errors="coerce")


def _time_of_day(parts: pd.DataFrame) -> pd.Series:
    """Since midnight; 24:00 is the end of the day, a stamp without time its beginning."""
    clock = {key: _by_text(parts[key], _number).fillna(0)
             for key in ("hour", "minute", "second") if key in parts}  # fmt: skip
    hour = clock["hour"]
    if "half" in parts:
        late = _by_text(parts["half"], lambda half: half.str.lower().str.startswith("p"))
        hour = hour.where(late.isna(), hour % 12 + 12 * late)
    seconds = hour * 3600 + clock["minute"] * 60 + clock.get("second", 0)
    return pd.to_timedelta(seconds, unit="s")


def _offsets(zones: pd.Series, texts: pd.Series, file: str) -> NDArray[np.float64]:
    offsets: dict[str, float] = {}
    written = zones.cat.categories
    known = _ZONES | ({"CST": -6.0} if "CDT" in written else {})  # beside CDT it is no time of China
    for zone in written:
        name = zone.strip("() ")
        number = re.fullmatch(r"(?:UTC|GMT)?\s?([+-])(\d{1,2})(?::?(\d{2}))?(?::00)?", name)
        if number:
            hours = int(number[2]) + int(number[3] or 0) / 60
            offsets[zone] = -hours if number[1] == "-" else hours
        elif name in known:
            offsets[zone] = known[name]
        else:
            row = int(np.flatnonzero((zones == zone).to_numpy())[0])
            found = (
                f"a time zone {name!r} in line {texts.index[row]}, which more than one country uses or none"
            )
            remedy = "Write the offset from UTC instead, such as -06:00."
            raise InputError([Fault(file, found, "must be UTC or an offset", remedy)], OF)
    return np.append([offsets[zone] for zone in written], np.nan)[zones.cat.codes]
