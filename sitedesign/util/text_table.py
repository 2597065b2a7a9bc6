"""Text tables as people have them: encoding, separator, decimal mark, quoting, header rows, row of units.

Programs and spreadsheets of different countries write the same table in different ways. What is unambiguous
is read; what is not is refused with its true cause. Nothing here knows what the columns mean.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sitedesign.errors import Fault, InputError
from sitedesign.util.units import looks_like_unit

FloatArray = NDArray[np.float64]

SEPARATORS = (";", "\t", "|", ",")
"""In this order: a comma may be a decimal mark, the others never are."""
BLANK = " "
"""Separator of columns that are set apart by runs of blanks."""
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_LINES = 60
_NULL_WORDS = frozenset(
    ("", "nan", "null", "none", "na", "n/a", "#n/a", "#na", "nil", "-", "--", "---", ".", "missing", "nodata",
     "no data", "bad", "#value!", "#ref!")
)  # fmt: skip
_NUMBER = re.compile(r"[+-]?(\d+([.,' \u00a0\u202f]\d+)*[.,]?|[.,]\d+)(e[+-]?\d+)?", re.IGNORECASE)
_DATE_LIKE = re.compile(
    r"\d{1,4}[-/.:h]\d{1,2}|\d{1,2}\.?[ -][A-Za-z]{3}|\d{8}[:T ]?\d*$|"
    r"([A-Za-z]{3,9},? )?[A-Za-z]{3,9} \d{1,2}\b"
)
_COMMA_NUMBER = r"[+-]?\d*,\d+"
_COMMA_GROUPS = r"[+-]?[1-9]\d{0,2}(,\d{3})+"
_POINT_NUMBER = r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?"
_POINT_GROUPS = r"[+-]?[1-9]\d{0,2}(\.\d{3})+"


@dataclass(frozen=True, eq=False)
class TextTable:
    """One table of a text file.

    Attributes
    ----------
    file : str
        For messages.
    names : tuple of str
        Column names as written, without quotes; empty when the file has none.
    units : tuple of str
        From a row of units below the names, one for each column; empty texts without one.
    cells : DataFrame of str
        One column for each position, blanks stripped; index: number of the line in the file, from 1.
    above : tuple of str
        Lines above the names.
    separator : str
        ``;``, tab, ``|``, ``,``, a blank for runs of blanks; empty for a single column.
    decimal : str
        ``.`` or ``,``.
    thousands : str
        What groups digits, if anything.
    """

    file: str
    names: tuple[str, ...]
    units: tuple[str, ...]
    cells: pd.DataFrame
    above: tuple[str, ...]
    separator: str
    decimal: str = "."
    thousands: str = ""

    def numbers(self, position: int) -> tuple[FloatArray, tuple[str, ...]]:
        """One column as numbers.

        Parameters
        ----------
        position : int

        Returns
        -------
        values : ndarray
            NaN where the cell is empty or says that there is no value.
        notes : tuple of str
            Cells with other words, taken as missing.

        Raises
        ------
        InputError
            If more than 1 % of the cells are neither numbers nor say that there is none.
        """
        text = self.cells[position]
        plain = pd.to_numeric(text, errors="coerce") if self.decimal == "." and not self.thousands else None
        if plain is None or plain.isna().any():
            tidy = text.str.replace(r"[\s'\u00a0\u202f](?=\d)", "", regex=True)
            if self.thousands:
                tidy = tidy.str.replace(self.thousands, "", regex=False)
            plain = pd.to_numeric(tidy.str.replace(self.decimal, ".", regex=False), errors="coerce")
        values = plain.to_numpy(dtype=np.float64, copy=True)
        values[~np.isfinite(values)] = np.nan
        odd = np.isnan(values) & ~text.str.lower().isin(_NULL_WORDS).to_numpy()
        if not odd.any():
            return values, ()
        name = self.names[position] if self.names else f"column {position + 1}"
        row, cell = self.cells.index[odd][0], text.to_numpy()[odd][0]
        found = f"{int(odd.sum())} cells of {name!r} that are no numbers, the first {cell!r} in line {row}"
        if odd.mean() > 0.01:
            raise InputError([Fault(self.file, found, "must be numbers or empty")], "the table")
        return values, (f"{found}: taken as missing",)


def decode(raw: bytes) -> str:
    """Text of a file in UTF-8, UTF-16, UTF-32 (with or without byte order mark) or Windows-1252.

    Parameters
    ----------
    raw : bytes

    Returns
    -------
    str
        Without byte order mark. Bytes that are no UTF-8 are read as Windows-1252, in which the signs of units
        (degree, square) stand where Latin-1 has them.
    """
    for mark, name in _BOMS:
        if raw.startswith(mark):
            return raw.decode(name, errors="replace")
    if (wide := wide_encoding(raw)) is not None:
        return raw.decode(wide, errors="replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        return raw.decode("cp1252")
    except UnicodeDecodeError:  # five bytes are undefined there
        return raw.decode("latin-1")


def wide_encoding(raw: bytes) -> str | None:
    """Name the encoding of UTF-16 or UTF-32 text without byte order mark by where its zero bytes stand."""
    sample = raw[:4096]
    zeros = [sample[offset::4].count(0) / max(1, len(sample[offset::4])) for offset in range(4)]
    first, second, third, fourth = (share > 0.7 for share in zeros)
    return {
        (False, True, False, True): "utf-16-le",
        (True, False, True, False): "utf-16-be",
        (False, True, True, True): "utf-32-le",
        (True, True, True, False): "utf-32-be",
    }.get((first, second, third, fourth))


def lines_of(text: str) -> list[str]:
    """Lines of a text, whatever system wrote it; str.splitlines splits at characters of old encodings too."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def fields(line: str, separator: str) -> list[str]:
    """Fields of a line, quotes taken off and blanks stripped."""
    if not separator:
        return [line.strip().strip('"').strip()]
    if separator == BLANK:
        return line.split()
    if '"' in line:
        return [
            field.strip() for field in next(csv.reader([line], delimiter=separator, skipinitialspace=True))
        ]
    return [field.strip() for field in line.split(separator)]


def read_table(text: str, file: str) -> TextTable:
    """Find the table in a text and cut it into cells.

    Parameters
    ----------
    text : str
        As :func:`decode` gives it.
    file : str
        For messages.

    Returns
    -------
    TextTable

    Raises
    ------
    InputError
        If there is no table, or rows have more fields than there are names (a decimal comma in a table whose
        columns commas set apart is the usual cause).
    """
    lines = lines_of(text)
    kept = [number for number, line in enumerate(lines) if (bare := line.strip()) and bare[0] != "#"]
    separator = _separator([lines[number] for number in kept])
    first = _first_data_row(lines, kept, separator)
    if first is None:
        raise InputError([Fault(file, "no rows of numbers", "must be a table of numbers")], "the table")
    names_row, units_row = _header_rows(lines, kept[first], separator)
    names = tuple(fields(lines[names_row].lstrip("# "), separator)) if names_row is not None else ()
    while names and not names[-1] and len(names) > 1:  # a separator at the end of the line
        names = names[:-1]
    cells = _cells(lines, kept[first:], separator, len(names))
    width = cells.shape[1]
    if names and width > len(names):
        cells = _without_extra(cells, len(names), names, separator, file)
    unit_texts = fields(lines[units_row], separator) if units_row is not None else []
    count = len(names) or width
    units = tuple((unit_texts[place] if place < len(unit_texts) else "") for place in range(count))
    above = tuple(lines[: names_row if names_row is not None else kept[first]])
    decimal, thousands = _decimal_mark(cells, separator, file)
    return TextTable(file, names, units, cells, above, separator, decimal, thousands)


def _separator(lines: Sequence[str]) -> str:
    """Find the separator of the rows in the middle of the file, where the data are."""
    middle = len(lines) // 2
    sample = lines[max(0, middle - _SAMPLE_LINES // 2) :][:_SAMPLE_LINES]
    for separator in SEPARATORS:
        counts = Counter(len(fields(line, separator)) for line in sample)
        if not counts:
            return ""
        usual, often = counts.most_common(1)[0]
        if usual > 1 and often >= 0.8 * len(sample):
            one_column = separator == "," and all(
                re.fullmatch(rf'"?(?:{_COMMA_NUMBER}|{_POINT_GROUPS},\d+)"?', x.strip()) for x in sample
            )
            if one_column and not _counts_up(sample):
                return ""
            return separator
    counts = Counter(len(line.split()) for line in sample)
    # A single blank may stand between date and time; a table set apart by blanks has more columns than that.
    if counts and counts.most_common(1)[0][0] > 2:
        return BLANK
    return ""


def _counts_up(lines: Sequence[str]) -> bool:
    """Whether whole numbers before the comma count the rows, so that they are a column of their own."""
    whole = np.array([int(re.sub(r"[^\d-].*", "", line.strip().strip('"')) or 0) for line in lines])
    return len(whole) > 2 and bool((np.diff(whole) == 1).mean() > 0.9)


def _is_datum(field: str) -> bool:
    return bool(_NUMBER.fullmatch(field) or _DATE_LIKE.match(field)) or field.lower() in _NULL_WORDS


def _is_data_row(line: str, separator: str) -> bool:
    parts = fields(line, separator)
    data = [field for field in parts if _is_datum(field)]
    written = [field for field in data if field.lower() not in _NULL_WORDS]
    first = next((field for field in parts if field), "")
    # "Latitude,-33.87" is half a number, but its first field names it.
    return bool(written) and (
        len(data) > 0.5 * len(parts) or (2 * len(data) == len(parts) and _is_datum(first))
    )


def _first_data_row(lines: Sequence[str], kept: Sequence[int], separator: str) -> int | None:
    """Position in `kept` of the first of three rows in a row that hold data and are as long as most rows."""
    lengths = Counter(
        len(fields(lines[number], separator)) for number in kept[len(kept) // 2 :][:_SAMPLE_LINES]
    )
    if not lengths:
        return None
    usual = lengths.most_common(1)[0][0]
    run = min(3, len(kept))
    for position in range(len(kept)):
        rows = [lines[number] for number in kept[position : position + run]]
        if all(
            abs(len(fields(row, separator)) - usual) <= 1 and _is_data_row(row, separator) for row in rows
        ):
            return position
    return None


def _header_rows(lines: Sequence[str], first: int, separator: str) -> tuple[int | None, int | None]:
    """Rows of the names and of the units above the first row of data, None where there is none."""
    units: int | None = None
    width = len(fields(lines[first], separator))
    for row in range(first - 1, -1, -1):
        bare = lines[row].lstrip("# ")
        parts = fields(bare, separator)
        if not any(parts):
            continue
        if separator and len(parts) == 1 and width > 1:
            return None, units  # a line of prose
        written = [part for part in parts if part]
        if units is None and all(looks_like_unit(part) for part in written):
            units = row
            continue
        if lines[row].lstrip().startswith("#") and len(parts) < width - 1:
            return None, units
        if all(_is_datum(part) for part in written):
            return None, units
        return row, units
    return (units, None) if units is not None else (None, None)


def _cells(lines: Sequence[str], rows: Sequence[int], separator: str, names: int) -> pd.DataFrame:
    """Cut rows into cells of text, as many columns as the longest row has."""
    lines = [lines[number] for number in rows]
    body = "\n".join(lines)
    numbers = pd.Index(np.asarray(rows) + 1, name="line")
    if not separator:
        texts = pd.Series(body.split("\n"), index=numbers, dtype=str).str.strip().str.strip('"')
        return pd.DataFrame({0: texts.str.strip()})
    # Quoted separators only make this too large; columns that stay empty are taken off below.
    width = max(len(line.split()) if separator == BLANK else line.count(separator) + 1 for line in lines)
    cells = pd.read_csv(
        io.StringIO(body),
        sep=r"\s+" if separator == BLANK else separator,
        header=None,
        names=list(range(max(width, names))),
        dtype=str,
        na_filter=False,
        skip_blank_lines=False,
        skipinitialspace=separator not in (BLANK, "\t"),
        index_col=False,
    )
    cells = cells.fillna("")
    if len(cells) == len(numbers):
        cells.index = numbers
    for column in cells:
        cells[column] = cells[column].str.strip()
    last = max(names, 1)
    while cells.shape[1] > last and (cells.iloc[:, -1] == "").all():
        cells = cells.iloc[:, :-1]
    result: pd.DataFrame = cells
    return result


def _without_extra(
    cells: pd.DataFrame, count: int, names: Sequence[str], separator: str, file: str
) -> pd.DataFrame:
    """Refuse rows with more fields than names, but for a few lines of text at the end of the file."""
    long = (cells.iloc[:, count:] != "").any(axis=1).to_numpy()
    if not long[: -min(30, len(long) // 2) or None].any() and long.mean() < 0.01:
        return cells.iloc[:, :count]
    row = int(np.argmax(long))
    text = separator.join(cells.iloc[row].tolist()).rstrip(separator)
    found = f"{int(long.sum())} rows with more fields than the {count} names, the first {text[:80]!r} "
    found += f"in line {cells.index[row]}"
    remedy = "Save the file again with a name above every column."
    if separator == ",":
        remedy = (
            "If the numbers have decimal commas, save the file again with a decimal point, "
            "or with semicolons between the columns."
        )
    raise InputError([Fault(file, found, "must have one field for each name", remedy)], "the table")


def _decimal_mark(cells: pd.DataFrame, separator: str, file: str) -> tuple[str, str]:
    """Decimal mark and thousands mark of all numbers: one program wrote them."""
    if not any(cells[column].str.contains(",", regex=False).any() for column in cells):
        return ".", ""
    flat = cells.to_numpy(dtype=object).ravel()
    with_comma = pd.Series([cell for cell in flat if "," in cell], dtype=str)
    alone = with_comma.str.fullmatch(_COMMA_NUMBER)
    groups = with_comma.str.fullmatch(_COMMA_GROUPS)
    both = with_comma.str.fullmatch(r"[+-]?\d{1,3}(,\d{3})+\.\d+")
    reverse = with_comma.str.fullmatch(r"[+-]?\d{1,3}([. \u00a0']\d{3})+,\d+")
    others = pd.Series(flat, dtype=str)
    points = others.str.fullmatch(_POINT_NUMBER).any()
    if both.any() and (groups | both | ~alone).all():
        return ".", ","
    if reverse.any():
        return ",", "."
    decimals = alone & ~groups
    if not alone.any():
        return ".", ""
    if decimals.any():
        if points and others.str.fullmatch(_POINT_NUMBER).sum() != others.str.fullmatch(_POINT_GROUPS).sum():
            comma, point = with_comma[decimals].iloc[0], others[others.str.fullmatch(_POINT_NUMBER)].iloc[0]
            found = f"numbers with decimal commas ({comma}) and with decimal points ({point})"
            raise InputError([Fault(file, found, "must have one decimal mark")], "the table")
        return ",", ""
    # Only groups of three: thousands, if numbers of up to three digits are written without a comma.
    small = others[others.str.fullmatch(r"[+-]?[1-9]\d{0,2}(\.\d+)?")]
    return (".", ",") if points or len(small) else (",", "")
