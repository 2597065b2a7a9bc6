"""Writes weather years as CSV or Parquet with named columns, so that ``Weather.read`` reads them back."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sitedesign.errors import Fault, InputError
from sitedesign.util.atomic_file import write_given
from sitedesign.util.csv_series import csv_series
from sitedesign.weather.files.formats.wind_record import WIND_KEY

if TYPE_CHECKING:
    from sitedesign.weather.years import WeatherYears

FloatArray = NDArray[np.float64]
OF = "Weather.write()"
SUFFIXES = (".csv", ".parquet")
_COLUMNS = {
    "ghi_w_m2": "ghi (W/m2)",
    "dni_w_m2": "dni (W/m2)",
    "dhi_w_m2": "dhi (W/m2)",
    "temp_air_c": "temp_air (C)",
    "wind_speed_m_s": "wind_speed (m/s)",
}


def write(weather: WeatherYears, path: Path) -> Path:
    """Write weather years with their place and time convention; the file is complete or not there at all.

    Parameters
    ----------
    weather : WeatherYears
    path : Path
        Ending in ``.csv`` (six digits) or ``.parquet`` (all digits).

    Returns
    -------
    Path

    Raises
    ------
    InputError
        For another ending, or a typical year, whose file would look like a measured one.
    """
    faults = []
    if path.suffix not in SUFFIXES:
        faults.append(Fault("path", repr(str(path)), f"must end in {' or '.join(SUFFIXES)}"))
    if weather.source.is_tmy:
        remedy = "Keep the file that it was read from."
        faults.append(Fault("weather", "a typical year", "must be years of their own", remedy))
    if faults:
        raise InputError(faults, OF)
    frame = weather.data.rename(columns=_COLUMNS)
    frame = frame.assign(**_wind_columns(weather))
    frame.index = pd.DatetimeIndex(weather.index).tz_localize(None)
    head = _head(weather)
    if path.suffix == ".csv":
        lines = "".join(f"# {key}: {value}\n" for key, value in head.items())
        body = csv_series(frame, label="time", between=" ")
        write_given(path, (lines + body).encode(), where="path", of=OF)
        return path
    table = pa.Table.from_pandas(frame.rename_axis("time").reset_index(), preserve_index=False)
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(head), buffer)
    write_given(path, buffer.getvalue(), where="path", of=OF)
    return path


def _head(weather: WeatherYears) -> dict[str, str]:
    """Place and time, in the words that the reader of named columns knows."""
    site = weather.site
    wind = weather.wind_aloft
    aloft = {} if wind is None else {
        WIND_KEY: wind.source,
        "wind_density_height_m": f"{wind.density_height_m!r}",
        **({} if wind.shear_exponent is None else {"wind_shear_exponent": f"{wind.shear_exponent!r}"}),
    }  # fmt: skip
    return {
        "source": weather.source.description,
        "latitude": f"{site.latitude!r}",
        "longitude": f"{site.longitude!r}",
        "elevation_m": f"{site.elevation_m!r}",
        "utc_offset": f"{weather.utc_offset_h:g}",
        "convention": "start",
        "sun_offset_minutes": f"{weather.sun_offset_minutes:g}",
        **aloft,
    }


def _wind_columns(weather: WeatherYears) -> dict[str, FloatArray]:
    """Wind aloft under the names that its reader knows."""
    wind = weather.wind_aloft
    if wind is None:
        return {}
    speeds = zip(wind.heights_m, wind.speed_m_s, strict=True)
    columns = {f"wind_speed_{height:g}m (m/s)": series.ravel() for height, series in speeds}
    if wind.density_kg_m3 is not None:
        columns["air_density (kg/m3)"] = wind.density_kg_m3.ravel()
    if wind.humidity_fraction is not None:
        columns["relative_humidity (fraction)"] = wind.humidity_fraction.ravel()
    return columns
