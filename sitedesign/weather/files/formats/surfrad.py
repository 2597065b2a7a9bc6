"""SURFRAD daily files (1- or 3-minute means, UTC, stamped at the end)."""

from __future__ import annotations

import re

import pandas as pd
from pvlib.iotools import read_surfrad

from sitedesign.weather.files.formats.source import SourceText
from sitedesign.weather.files.record import WeatherRecord, record_from
from sitedesign.weather.site import Site

_PLACE = re.compile(r"^\s*-?\d+\.\d+\s+-?\d+\.\d+\s+\d+(\.\d+)?\s+m\s+version\s+\d", re.IGNORECASE)

_NAMES = {"dw_solar": "ghi", "direct_n": "dni", "diffuse": "dhi", "temp": "temp_air", "windspd": "wind_speed"}


def recognise(head: str) -> bool:
    """Tell a SURFRAD file by its second row."""
    lines = head.splitlines()
    return len(lines) > 1 and bool(_PLACE.match(lines[1]))


def parse(source: SourceText, site: Site | None = None) -> WeatherRecord:  # one signature for all families
    """Read the file of one day; values that failed SURFRAD's own checks (flag 1) are taken as missing.

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
    # pvlib's own renaming calls what pandas has deprecated.
    with source.plain_file() as path:
        data, meta = read_surfrad(path, map_variables=False)
    data = data.rename(columns={**_NAMES, **{f"{old}_flag": f"{new}_flag" for old, new in _NAMES.items()}})
    data.index = pd.DatetimeIndex(data.index).tz_localize(None)
    for name in _NAMES.values():
        data[name] = data[name].where(data[f"{name}_flag"] != 1)
    return record_from(
        data,
        source.name,
        f"SURFRAD {meta['name']}",
        "end",
        0.0,
        words="means stamped at their end, UTC",
        typical=False,
        latitude=meta["latitude"],
        longitude=meta["longitude"],
        elevation_m=meta["elevation"],
    )
