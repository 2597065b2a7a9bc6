"""What every parser of wind returns: speeds by height, on interval starts in UTC."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sitedesign.errors import Fault, InputError
from sitedesign.util.text_table import TextTable
from sitedesign.weather.files.formats.clock import WORDS, utc_words
from sitedesign.weather.files.formats.wind_names import Quantity, WindColumn
from sitedesign.weather.files.record import Convention, place_stamps
from sitedesign.weather.site import Site

OF = "Weather.with_wind()"
OWN = "sitedesign's own table"
WIND_KEY = "wind_aloft"
"""Header line of files that were written with wind aloft; the reader takes it with the sun."""
FloatArray = NDArray[np.float64]
_FARTHEST_ZONE_H = 2.0  # of a declared clock from the site's standard time: summer time, and time of the sun


@dataclass(frozen=True, eq=False)
class WindRecord:
    """One parsed file of wind.

    Attributes
    ----------
    file, kind : str
        For people.
    start_utc : DatetimeIndex
        Start of each interval, naive.
    step_minutes : int
        [min]
    speed_m_s : dict of float to ndarray
        By height above ground. [m -> m/s]
    temperature_c, pressure_pa : dict of float to ndarray
        By height above ground. [m -> degrees C, Pa]
    humidity_fraction : ndarray or None
    density_kg_m3 : ndarray or None
        Given as such.
    convention : str
        Clock and stamps in words.
    latitude, longitude, elevation_m : float or None
        [degrees, degrees, m]
    shear_exponent, density_height_m : float or None
        Of sitedesign's own files.
    notes : tuple of str
    """

    file: str
    kind: str
    start_utc: pd.DatetimeIndex
    step_minutes: int
    speed_m_s: dict[float, FloatArray]
    temperature_c: dict[float, FloatArray]
    pressure_pa: dict[float, FloatArray]
    humidity_fraction: FloatArray | None
    density_kg_m3: FloatArray | None
    convention: str
    latitude: float | None = None
    longitude: float | None = None
    elevation_m: float | None = None
    shear_exponent: float | None = None
    density_height_m: float | None = None
    notes: tuple[str, ...] = ()


def record_of(
    table: TextTable,
    columns: list[WindColumn],
    stamps: pd.DatetimeIndex,
    convention: Convention,
    zone: float,
    *,
    kind: str,
    clock: str,
    place: dict[str, float],
    keys: dict[str, str] | None = None,
    notes: tuple[str, ...] = (),
) -> WindRecord:
    """Convert columns to standard units and stamps to starts of intervals in UTC."""
    usable, faults, said = _usable(columns, table.file)
    if faults:
        raise InputError(faults, OF)
    placed, keep = place_stamps(stamps, table.file, convention, zone, typical=False)
    values: dict[tuple[Quantity, float], FloatArray] = {}
    by_key: dict[tuple[Quantity, float], WindColumn] = {}
    for column in usable:
        numbers, odd = table.numbers(column.position)
        said += odd
        key, found = (column.quantity, column.height_m), column.convert(numbers)[keep]
        if key not in values:
            values[key], by_key[key] = found, column
        elif (fault := _twice_fault(values[key], found, by_key[key], column, table.file)) is not None:
            faults.append(fault)
    if faults:
        raise InputError(faults, OF)
    speed = {height: series for (what, height), series in values.items() if what == "speed"}
    for what, height in values:
        if what == "u" and ("v", height) in values and height not in speed:
            speed[height] = np.hypot(values["u", height], values["v", height])
    if not speed:
        raise InputError([no_wind(table)], OF)
    keys = keys or {}
    return WindRecord(
        file=table.file,
        kind=kind,
        start_utc=placed.start_utc,
        step_minutes=placed.step_minutes,
        speed_m_s=dict(sorted(speed.items())),
        temperature_c=_of(values, "temperature"),
        pressure_pa=_of(values, "pressure"),
        humidity_fraction=next(iter(_of(values, "humidity").values()), None),
        density_kg_m3=next(iter(_of(values, "density").values()), None),
        convention=f"{WORDS[convention]}, {clock}",
        latitude=place.get("latitude"),
        longitude=place.get("longitude"),
        elevation_m=place.get("elevation_m"),
        shear_exponent=_own_number(keys, "windshearexponent"),
        density_height_m=_own_number(keys, "winddensityheightm"),
        notes=(*notes, *said),
    )


def _twice_fault(
    first: FloatArray, second: FloatArray, kept: WindColumn, other: WindColumn, file: str
) -> Fault | None:
    """Say that two columns of one quantity and height differ; None where either will do."""
    both = np.isfinite(first) & np.isfinite(second)
    if not both.any() or np.abs(first - second)[both].mean() <= 0.02 * np.abs(first[both]).mean():
        return None
    found = f"{kept.name!r} and {other.name!r}, which differ"
    return Fault(file, found, f"one {kept.quantity} at {kept.height_m:g} m", "Take one of the columns out.")


def _own_number(keys: dict[str, str], key: str) -> float | None:
    return float(keys[key]) if key in keys else None


def _of(values: dict[tuple[Quantity, float], FloatArray], quantity: Quantity) -> dict[float, FloatArray]:
    found = {height: series for (what, height), series in values.items() if what == quantity}
    return {height: series for height, series in sorted(found.items()) if np.isfinite(series).any()}


def _usable(columns: list[WindColumn], file: str) -> tuple[list[WindColumn], list[Fault], tuple[str, ...]]:
    """Columns whose units are known; speeds must name theirs, the others are left out without."""
    usable, faults, notes = [], [], []
    for column in columns:
        fault = column.fault(file)
        if fault is None:
            usable.append(column)
        elif column.unit or column.quantity in ("speed", "u", "v"):
            faults.append(fault)
        else:
            notes.append(f"{column.name!r} left out: it names no unit")
    return usable, faults, tuple(notes)


def check_zone(zone: float, site: Site, file: str) -> None:
    """Refuse a declared zone that is neither UTC nor near that of the site: its sign is often lost."""
    if zone == 0 or abs(zone - site.utc_offset_h) <= _FARTHEST_ZONE_H:
        return
    found = f"a clock at {utc_words(zone)} for a site at {utc_words(site.utc_offset_h)}"
    remedy = "Is the sign lost? Correct it, or give utc_offset_h if the file is right."
    raise InputError([Fault(file, found, "must be UTC or the time of the site", remedy)], OF)


def no_wind(table: TextTable) -> Fault:
    """Say that a table names no wind that could be used."""
    names = ", ".join(map(repr, table.names[:8]))
    remedy = (
        "Name height and unit of every speed, as in 'wind_speed_100m (m/s)', beside a column of time. "
        "Wind of typical years (TMY, EPW) is of 10 m and of no year, and cannot drive a turbine."
    )
    return Fault(table.file, f"no wind speed at a named height; columns {names}", "needs one", remedy)
