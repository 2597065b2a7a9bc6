"""Names what a file is when it is not weather, so that the message says what to do instead."""

from __future__ import annotations

import re

from sitedesign.errors import Fault
from sitedesign.util.text_table import SEPARATORS, fields, wide_encoding
from sitedesign.weather.files.formats.column_names import time_columns

ALLOWED = (
    "must be NSRDB CSV, PVGIS CSV or JSON, EPW, TMY2, TMY3, SURFRAD, USCRN daily01, or CSV or Parquet with "
    "named columns (a time column and ghi)"
)
_MAGIC = (
    (b"%PDF", "a PDF document", "Save the table in it as CSV."),
    (b"PK\x03\x04", "an Excel workbook or zip archive", "Save the sheet as CSV, or unpack the archive."),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file", "Save the sheet as CSV."),
    (b"\x89PNG", "a PNG picture", "Give the numbers behind it as CSV."),
    (b"\xff\xd8\xff", "a JPEG picture", "Give the numbers behind it as CSV."),
    (b"GIF8", "a GIF picture", "Give the numbers behind it as CSV."),
    (b"\x1f\x8b", "a gzip archive", "Unpack it first."),
    (b"\x89HDF", "an HDF5 or netCDF-4 file", "Extract the point as CSV with named columns."),
    (b"CDF", "a netCDF file", "Extract the point as CSV with named columns."),
    (b"GRIB", "a GRIB file", "Extract the point as CSV with named columns."),
)
_TILTED = re.compile(r"poa|gti|tilted|global_inclined|globinc|plane of array|\bg\(i\)", re.IGNORECASE)
_PRODUCTION = re.compile(
    r"\b(e_grid|earray|ac_power|dc_power|power_?ac|p_?ac|production|generation|output_kw\w*|"
    r"power_kw\w*|pv_?power|system power generated|kwh?)\b",
    re.IGNORECASE,
)


def wrong_kind(file: str, first_bytes: bytes) -> Fault | None:
    """Name a file that cannot be weather by its first bytes.

    Parameters
    ----------
    file : str
        Name for the message.
    first_bytes : bytes
        The beginning of the file.

    Returns
    -------
    Fault or None
        None if it may be weather.
    """
    if not first_bytes.strip():
        return Fault(file, "an empty file", ALLOWED, "Give a file that holds weather.")
    for magic, what, remedy in _MAGIC:
        if first_bytes.startswith(magic):
            return Fault(file, what, ALLOWED, remedy)
    if first_bytes.startswith(b"PAR1"):  # Parquet, the one binary family
        return None
    text = first_bytes[:2000].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        remedy = "The server probably answered with an error page; open it to see why, then download again."
        return Fault(file, "a web page (HTML or XML)", ALLOWED, remedy)
    wide = first_bytes.startswith((b"\xff\xfe", b"\xfe\xff")) or wide_encoding(first_bytes) is not None
    if b"\x00" in first_bytes[:2000] and not wide:
        return Fault(file, "a binary file of an unknown kind", ALLOWED, "Save it as CSV.")
    return None


def _names_production(line: str) -> bool:
    """Whether a line names the columns of a production profile: a time column and power or energy."""
    names = tuple(re.split(r"[,;\t]", line))
    return len(names) > 1 and bool(time_columns(names)) and any(_PRODUCTION.search(name) for name in names)


def _without_irradiance(file: str, lines: list[str]) -> Fault | None:
    """Name the columns of a table that has times but no irradiance that can be used."""
    for line in lines[:100]:
        bare = line.lstrip("# ").strip()
        names = next((fields(bare, mark) for mark in SEPARATORS if mark in bare), [])
        if (
            len(names) < 2
            or not all(names)
            or not time_columns(names)
            or any(re.match(r"[-+]?\d", name) for name in names)
        ):
            continue
        found = f"a table without global irradiance; its columns are {', '.join(map(repr, names[:8]))}"
        remedy = "Name the column of global horizontal irradiance 'ghi', or give 'dni' and 'dhi'."
        if any(_TILTED.search(name) for name in names):
            remedy = "Irradiance on a tilted plane cannot be turned back: take global horizontal irradiance."
        return Fault(file, found, ALLOWED, remedy)
    return None


def unrecognised(file: str, head: str) -> Fault:
    """Say as much as can be said about a text file that no family claims."""
    lines = [line for line in head.splitlines() if line.strip()]
    first = lines[0][:60] if lines else ""
    if any(_names_production(line) for line in lines[:30]):
        remedy = "Give a production profile as Study(solar_profile=...) instead of weather."
        return Fault(file, "what looks like a PV production profile, without irradiance", ALLOWED, remedy)
    if (table := _without_irradiance(file, lines)) is not None:
        return table
    parts = lines[0].split() if lines else []
    if len(parts) > 20 and re.fullmatch(r"\d{5}", parts[0]) and re.fullmatch(r"\d{8}", parts[1]):
        found = f"a USCRN file with {len(parts)} columns, not daily01 (28 columns)"
        return Fault(file, found, ALLOWED, "Download the daily01 files of the station.")
    return Fault(file, f"text of an unknown kind, beginning {first!r}", ALLOWED)
