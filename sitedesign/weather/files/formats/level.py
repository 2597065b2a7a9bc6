"""Guards every column of weather by what the sky can give: a wrong unit is never taken for weather."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sitedesign.errors import Fault, InputError
from sitedesign.weather.files.formats.column_names import IRRADIANCE, SENTINELS, Column
from sitedesign.weather.solar_geometry import SOLAR_CONSTANT_W_M2

OF = "Weather.read()"
FloatArray = NDArray[np.float64]
_BRIGHTEST = 0.999
_DIMMEST_W_M2 = {"ghi": 350.0, "dni": 250.0, "dhi": 60.0}
"""The brightest hours of any year between the polar circles exceed this by far, in cloudy places too."""
_FEW_W_M2 = 20.0
"""Less than this is no irradiance in W/m2 on any day."""
_HIGHEST_W_M2 = {
    "ghi": 1.25 * SOLAR_CONSTANT_W_M2,
    "dni": 1.05 * SOLAR_CONSTANT_W_M2,
    "dhi": SOLAR_CONSTANT_W_M2,
}
_MOST_OF_A_YEAR_DAYS = 200
_HOTTEST_C, _COLDEST_C = 57.0, -70.0  # Death Valley 1913: 56.7; Oymyakon 1933: -67.7 (WMO)
_WARMEST_MEAN_C, _COLDEST_MEAN_C = 35.0, -30.0  # Dallol 1960-66: 34.6; inland Greenland: -30
_WINDIEST_MEAN_M_S = 14.0  # Cape Denison, the windiest place at sea level: 19; on farmed land below 11
_WINDIEST_M_S = 75.0
_UNITS = (
    ("kW/m2 or kWh/m2", 1000.0), ("MJ/m2", 1e6 / 3600), ("kJ/m2", 1 / 3.6), ("J/cm2", 1e4 / 3600),
    ("mW/cm2", 10.0), ("cal/cm2 (langley)", 41840 / 3600), ("BTU/ft2", 3.1546), ("J/m2", 1 / 3600),
)  # fmt: skip


def check_levels(data: pd.DataFrame, columns: Sequence[Column], file: str) -> None:
    """Refuse columns whose values no sky gives in the unit that was named or assumed.

    Parameters
    ----------
    data : DataFrame
        In W/m2, degrees C and m/s; index: stamps.
    columns : sequence of Column
        Where each came from.
    file : str
        For messages.

    Raises
    ------
    InputError
        With every column at fault and the unit that would fit.
    """
    days = len(pd.DatetimeIndex(data.index).normalize().unique())
    faults = [fault for column in columns if (fault := _fault(column, data[column.variable], days, file))]
    if faults:
        raise InputError(faults, OF)


def _fault(column: Column, values: pd.Series, days: int, file: str) -> Fault | None:
    numbers = values.to_numpy(dtype=np.float64)
    known = numbers[np.isfinite(numbers) & ~np.isin(numbers, SENTINELS)]
    if column.variable != "temp_air":
        known = known[known > -90]
    if known.size == 0:
        return None
    if column.variable in IRRADIANCE:
        return _irradiance_fault(column, known, days, file)
    if column.variable == "temp_air":
        return _temperature_fault(column, known, days, file)
    return _wind_fault(column, known, days, file)


def _irradiance_fault(column: Column, values: FloatArray, days: int, file: str) -> Fault | None:
    brightest = float(np.quantile(values, _BRIGHTEST))
    lowest = _DIMMEST_W_M2[column.variable] if days >= _MOST_OF_A_YEAR_DAYS else _FEW_W_M2
    if column.variable != "ghi" and brightest == 0:
        return None  # a column that was not filled in; global irradiance stands beside it
    if lowest <= brightest <= _HIGHEST_W_M2[column.variable]:
        return None
    unit = f"in {column.unit}" if column.unit else "without a named unit"
    fits = [name for name, factor in _UNITS if 700 <= brightest * factor <= 1300] if not column.unit else []
    which = f" Its values look like {' or '.join(fits)}." if fits else ""
    if brightest < lowest:
        found = f"irradiance that never exceeds {brightest:.3g} W/m2 in column {column.name!r}, {unit}"
    else:
        found = f"irradiance of {brightest:.4g} W/m2 in column {column.name!r}, {unit}"
    allowed = f"must reach {lowest:.0f} and stay below {_HIGHEST_W_M2[column.variable]:.0f} W/m2"
    remedy = f"Name the right unit in the column, for example 'ghi (kW/m2)' or 'ghi (MJ/m2)'.{which}"
    return Fault(file, found, allowed, remedy)


def _temperature_fault(column: Column, values: FloatArray, days: int, file: str) -> Fault | None:
    hottest, coldest = float(np.quantile(values, _BRIGHTEST)), float(np.quantile(values, 1 - _BRIGHTEST))
    mean = float(values.mean())
    whole_year = days >= _MOST_OF_A_YEAR_DAYS
    unit = f"in {column.unit}" if column.unit else "without a named unit, taken in degrees C"
    odd = not (coldest >= _COLDEST_C and hottest <= _HOTTEST_C)
    odd |= whole_year and not _COLDEST_MEAN_C <= mean <= _WARMEST_MEAN_C
    if not odd:
        return None
    fits = []
    if 200 < mean < 320:
        fits = ["K"]
    elif _COLDEST_MEAN_C <= (mean - 32) / 1.8 <= _WARMEST_MEAN_C and not column.unit:
        fits = ["degrees F"]
    found = f"temperatures of {coldest:.0f} to {hottest:.0f} degrees C with a mean of {mean:.0f} in column "
    found += f"{column.name!r}, {unit}"
    which = f" Its values look like {fits[0]}." if fits else ""
    remedy = f"Name the right unit in the column, for example 'temp_air (F)' or 'temp_air (K)'.{which}"
    return Fault(file, found, "must be what air can have", remedy)


def _wind_fault(column: Column, values: FloatArray, days: int, file: str) -> Fault | None:
    mean, strongest = float(values.mean()), float(np.quantile(values, _BRIGHTEST))
    if strongest <= _WINDIEST_M_S and (days < _MOST_OF_A_YEAR_DAYS or mean <= _WINDIEST_MEAN_M_S):
        return None
    found = f"wind of {mean:.3g} m/s on average and {strongest:.3g} at most in column {column.name!r}"
    remedy = "Name the unit in the column, for example 'wind_speed (km/h)' or 'wind_speed (mph)'."
    return Fault(file, found, f"must be below {_WINDIEST_MEAN_M_S:.0f} m/s on average", remedy)
