"""PVGIS files: hourly series and typical years, CSV or JSON; always UTC."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from pvlib.iotools import read_pvgis_hourly, read_pvgis_tmy

from sitedesign.errors import Fault, InputError
from sitedesign.weather.files.formats.source import SourceText
from sitedesign.weather.files.record import WeatherRecord, record_from
from sitedesign.weather.site import Site

_LOWEST_SUN_DEG = 3.0
"""Below this elevation the beam on the horizontal is not divided by its sine but counted as diffuse."""


def recognise_csv(head: str) -> bool:
    """Tell a PVGIS CSV file by its first row."""
    return head.startswith("Latitude (decimal degrees):")


def recognise_json(head: str) -> bool:
    """Tell a PVGIS JSON file by the beginning of its content."""
    compact = re.sub(r"\s+", "", head[:4000])
    return (
        compact.startswith("{")
        and '"inputs"' in compact
        and ('"meteo_data"' in compact or "PVGIS" in compact)
    )


def parse(source: SourceText, site: Site | None = None) -> WeatherRecord:  # one signature for all families
    """Read one PVGIS file.

    Hourly series hold instants at the stamped minute (SARAH, NSRDB) or means around it (ERA5); either way the
    sun stands at the stamp. Typical years are stamped on the hour and name the sun's offset in their header.

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
        If the plane is not horizontal or the stamps are faulty.
    """
    text = source.text
    layout = "json" if text.lstrip().startswith("{") else "csv"
    if '"tmy_hourly"' in text or "\nmonth,year" in text[:600]:
        return _typical(source, layout)
    return _hourly(source, layout)


def _typical(source: SourceText, layout: str) -> WeatherRecord:
    data, meta = read_pvgis_tmy(
        source.stream if layout == "json" else source.byte_stream, pvgis_format=layout
    )
    data.index = pd.DatetimeIndex(data.index).tz_localize(None)
    inputs = meta["inputs"]
    place = inputs.get("location", inputs)
    shift_h = place.get("irradiance time offset", place.get("irradiance_time_offset"))
    notes = (
        ()
        if shift_h is not None
        else ("this older PVGIS typical year does not say where in the hour the sun stands",)
    )
    return record_from(
        data,
        source.name,
        "PVGIS TMY",
        "instant",
        0.0,
        words="instants in UTC, on the hour"
        + (f" plus {shift_h * 60:.0f} min" if shift_h is not None else ""),
        typical=True,
        sun_shift_minutes=None if shift_h is None else float(shift_h) * 60,
        satellite=True,
        notes=notes,
        **_place(place),
    )


def _hourly(source: SourceText, layout: str) -> WeatherRecord:
    data, meta = read_pvgis_hourly(source.stream, pvgis_format=layout)
    inputs = meta["inputs"]
    slope = _slope_deg(inputs)
    if slope:
        found = f"irradiance on a plane of {slope} degrees"
        remedy = "Download again with slope 0 and 'radiation components'."
        raise InputError(
            [Fault(source.name, found, "must be on the horizontal (slope 0)", remedy)], "Weather.read()"
        )
    database = str(inputs.get("radiation_database", inputs.get("meteo_data", {}).get("radiation_db", "")))
    return horizontal_record(
        data, source.name, f"PVGIS hourly {database}".strip(), _place(inputs.get("location", inputs))
    )


def horizontal_record(data: pd.DataFrame, file: str, kind: str, place: dict[str, Any]) -> WeatherRecord:
    """Build a record from what pvlib's PVGIS functions return for a horizontal plane.

    Parameters
    ----------
    data : DataFrame
        With pvlib's names ``poa_direct``, ``poa_sky_diffuse``, ``solar_elevation``, or only ``poa_global``.
    file, kind : str
        For people.
    place : dict
        ``latitude``, ``longitude``, ``elevation_m``.

    Returns
    -------
    WeatherRecord
    """
    data = data.copy()
    data.index = pd.DatetimeIndex(data.index).tz_localize(None)
    if "poa_direct" in data:
        beam = data["poa_direct"]
        diffuse = data["poa_sky_diffuse"] + data.get("poa_ground_diffuse", 0.0)
        high = data["solar_elevation"] > _LOWEST_SUN_DEG
        sine = np.sin(np.radians(data["solar_elevation"].clip(lower=_LOWEST_SUN_DEG)))
        data["ghi"] = beam + diffuse
        data["dni"] = (beam / sine).where(high, 0.0)
        data["dhi"] = diffuse + beam.where(~high, 0.0)
    else:
        data = data.rename(columns={"poa_global": "ghi"})
    return record_from(
        data, file, kind, "instant", 0.0, words="instants at the stamped minute, UTC", satellite=True, **place
    )


def _place(location: dict[str, Any]) -> dict[str, Any]:
    return {
        "latitude": float(location["latitude"]),
        "longitude": float(location["longitude"]),
        "elevation_m": float(location["elevation"]),
    }


def _slope_deg(inputs: dict[str, Any]) -> float:
    """Slope of the plane, 0 if horizontal; tracking planes count as 90."""
    mounting = inputs.get("mounting_system")
    if isinstance(mounting, dict):
        fixed = mounting.get("fixed")
        return float(fixed["slope"]["value"]) if isinstance(fixed, dict) else 90.0
    text = str(inputs.get("Slope", "0"))
    number = re.search(r"-?\d+(\.\d+)?", text)
    return float(number.group()) if number else 0.0
