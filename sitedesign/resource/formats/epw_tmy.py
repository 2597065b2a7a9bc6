"""EPW, TMY2 and TMY3 files: hourly means, stamped 1 to 24 by the hour's end."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
from pvlib.iotools import read_epw, read_tmy2, read_tmy3

from sitedesign.resource.formats.record import Record, record_from
from sitedesign.site import Site

_TMY2_HEAD = re.compile(
    r"^.?\d{5} .{22} [A-Z ]{2}\s+-?\d+ [NS] [ \d]{2} [ \d]{2} [EW] [ \d]{3} [ \d]{2}\s+-?\d+"
)
_TYPICAL_WORDS = re.compile(
    r"\b(TMY\w*|IWEC\w*|CWEC\w*|ISHRAE|CSWD|SWERA|RMY|TRY|TYPICAL METEO\w*)\b", re.IGNORECASE
)


def recognise_epw(head: str) -> bool:
    """Tell an EPW file by its first word."""
    return head.startswith("LOCATION,") and "DESIGN CONDITIONS" in head


def recognise_tmy3(head: str) -> bool:
    """Tell a TMY3 file by its second row."""
    lines = head.splitlines()
    return len(lines) > 1 and lines[1].startswith("Date (MM/DD/YYYY),Time (HH:MM)")


def recognise_tmy2(head: str) -> bool:
    """Tell a TMY2 file by the fixed columns of its first row."""
    return bool(_TMY2_HEAD.match(head))


def parse_epw(path: Path, site: Site | None = None) -> Record:  # one signature for all families
    """Read one EPW file (typical or actual year).

    Parameters
    ----------
    path : Path
    site : Site, optional
        Not needed.

    Returns
    -------
    Record
        Typical if the months come from different years or the header names a typical-year product.

    Raises
    ------
    InputError
        If the stamps are faulty.
    """
    with path.open(encoding="utf-8", errors="replace") as lines:
        header = [next(lines, "") for _ in range(8)]
    data, meta = read_epw(path)
    data = _naive(data)
    # Other header rows speak of "typical periods" in every file.
    named = " ".join(line for line in header if line.startswith(("LOCATION", "COMMENTS")))
    one_year = data["year"].nunique() == 1
    typical = not one_year or (bool(_TYPICAL_WORDS.search(named)) and "AMY" not in named)
    notes = (
        ()
        if typical
        else (f"EPW of one calendar year, {int(data['year'].iloc[0])}, taken as that actual year",)
    )
    # pvlib labels EPW hours by their start (hour minus 1).
    return record_from(
        data,
        path.name,
        "EPW",
        "start",
        float(meta["TZ"]),
        words=f"hourly means, hours 1 to 24 by their end, UTC{meta['TZ']:+g} all year",
        typical=typical,
        latitude=float(meta["latitude"]),
        longitude=float(meta["longitude"]),
        elevation_m=float(meta["altitude"]),
        utc_offset_h=float(meta["TZ"]),
        notes=notes,
    )


def parse_tmy3(path: Path, site: Site | None = None) -> Record:  # one signature for all families
    """Read one TMY3 file; always typical.

    Parameters
    ----------
    path : Path
    site : Site, optional
        Not needed.

    Returns
    -------
    Record

    Raises
    ------
    InputError
        If the stamps are faulty.
    """
    data, meta = read_tmy3(path)
    return _tmy(_naive(data), meta, path, "TMY3", "end")


def parse_tmy2(path: Path, site: Site | None = None) -> Record:  # one signature for all families
    """Read one TMY2 file; always typical.

    Parameters
    ----------
    path : Path
    site : Site, optional
        Not needed.

    Returns
    -------
    Record

    Raises
    ------
    InputError
        If the stamps are faulty.
    """
    data, meta = read_tmy2(path)
    data = _naive(data).rename(
        columns={"GHI": "ghi", "DNI": "dni", "DHI": "dhi", "DryBulb": "temp_air", "Wspd": "wind_speed"}
    )
    # Tenths, and pvlib does not scale them.
    data["temp_air"] = data["temp_air"] / 10
    data["wind_speed"] = data["wind_speed"] / 10
    return _tmy(data, meta, path, "TMY2", "start")


def _naive(data: pd.DataFrame) -> pd.DataFrame:
    data = data.copy()
    data.index = pd.DatetimeIndex(data.index).tz_localize(None)
    return data


def _tmy(data: pd.DataFrame, meta: dict[str, object], path: Path, kind: str, stamped: str) -> Record:
    zone = float(str(meta["TZ"]))
    return record_from(
        data,
        path.name,
        kind,
        "end" if stamped == "end" else "start",
        zone,
        words=f"hourly means, hours 1 to 24 by their end, UTC{zone:+g} all year",
        typical=True,
        latitude=float(str(meta["latitude"])),
        longitude=float(str(meta["longitude"])),
        elevation_m=float(str(meta["altitude"])),
        utc_offset_h=zone,
    )
