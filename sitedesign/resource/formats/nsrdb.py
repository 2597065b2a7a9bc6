"""NSRDB files (PSM 3 and 4, "SAM CSV" with two header rows), local standard time or UTC."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from pvlib.iotools import read_nsrdb_psm4

from sitedesign.resource.formats.record import Record, record_from
from sitedesign.site import Site


def recognise(head: str) -> bool:
    """Tell an NSRDB file by its two header rows and the date columns of the third."""
    lines = head.splitlines()
    return (
        len(lines) > 2
        and lines[0].startswith("Source,Location ID")
        and "Year,Month,Day,Hour,Minute" in lines[2]
    )


def parse(path: Path, site: Site | None = None) -> Record:  # one signature for all families
    """Read one NSRDB file.

    Values are instants at the stamp. ``Time Zone`` of the header is the time of the stamps (0 in UTC files)
    and ``Local Time Zone`` is standard time all year.

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
    data, meta = read_nsrdb_psm4(path)
    return record_of(data, meta, path.name)


def record_of(data: pd.DataFrame, meta: dict[str, Any], file: str) -> Record:
    """Build a record from what pvlib's NSRDB functions return.

    Parameters
    ----------
    data : DataFrame
    meta : dict
        The header, with pvlib's names.
    file : str
        For people.

    Returns
    -------
    Record

    Raises
    ------
    InputError
        If the stamps are faulty.
    """
    data = data.copy()
    data.index = pd.DatetimeIndex(data.index).tz_localize(None)
    zone = float(meta["Time Zone"])
    at = "UTC" if zone == 0 else f"UTC{zone:+g}"
    minutes = sorted({int(minute) for minute in data["Minute"].unique()})
    words = f"instants at minutes {', '.join(map(str, minutes))}, {at} all year"
    return record_from(
        data,
        file,
        f"NSRDB PSM v{str(meta.get('Version', '')).lstrip('v')}",
        "instant",
        zone,
        words=words,
        latitude=float(meta["latitude"]),
        longitude=float(meta["longitude"]),
        elevation_m=float(meta["altitude"]),
        utc_offset_h=float(meta["Local Time Zone"]),
        satellite=True,
    )
