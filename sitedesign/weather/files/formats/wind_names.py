"""Names, heights and units of the columns of a wind file, and what they are in m/s, degrees C and Pa."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sitedesign.errors import Fault
from sitedesign.util.units import SPEED, parse_unit, tidy
from sitedesign.weather.files.formats.column_names import squash

FloatArray = NDArray[np.float64]
Quantity = Literal["speed", "u", "v", "temperature", "pressure", "humidity", "density"]

_WORDS: dict[Quantity, frozenset[str]] = {
    "speed": frozenset(
        ("windspeed", "wind", "ws", "wspd", "windspd", "windvelocity", "windspeedat", "meanwindspeed",
         "windspeedmean", "windspeedavg", "averagewindspeed", "speed", "windgeschwindigkeit", "vwind", "ff",
         "wndspd", "velocity", "vitesseduvent", "velocidaddelviento", "wsp", "wsavg", "spd")
    ),
    "u": frozenset(("u", "ucomponentofwind", "eastwardwind", "ugrd")),
    "v": frozenset(("v", "vcomponentofwind", "northwardwind", "vgrd")),
    "temperature": frozenset(
        ("temperature", "airtemperature", "airtemperatureat", "temperatureat", "temp", "tempair", "airtemp",
         "t", "tair", "drybulb", "drybulbtemperature")
    ),
    "pressure": frozenset(
        ("pressure", "airpressure", "airpressureat", "surfaceairpressure", "surfacepressure", "pres", "ps",
         "sp", "stationpressure", "pressureat", "press", "atmosphericpressure")
    ),
    "humidity": frozenset(
        ("relativehumidity", "relativehumidityat", "rh", "humidity", "relhum", "rhum")
    ),
    "density": frozenset(("airdensity", "density", "rho")),
}  # fmt: skip
"""Letters and digits of the name without height and unit; gusts, extremes and directions are none."""
_PASCAL = {
    "pa": 1.0, "pascal": 1.0, "hpa": 100.0, "mbar": 100.0, "mb": 100.0, "millibar": 100.0, "millibars": 100.0,
    "kpa": 1000.0, "bar": 1e5, "atm": 101_325.0, "atmosphere": 101_325.0, "psi": 6894.757, "inhg": 3386.389,
    "mmhg": 133.3224, "torr": 133.3224,
}  # fmt: skip
_HEIGHT = re.compile(
    r"(?<![\d.])(\d{1,3}(?:\.\d+)?)[\s_-]*(m|meters?|metres?|ft|feet)(?![a-z0-9/])", re.IGNORECASE
)
_BARE_HEIGHT = re.compile(r"(?i)^(ws|wspd|wind_?speed|u|v|temp|t|pressure|p)[\s_]?(\d{2,3})$")
_BRACKETS = re.compile(r"[(\[]([^()\[\]]*(?:\([^()]*\)[^()\[\]]*)?)[)\]]")
_HARMLESS = ("agl", "aboveground", "abovegroundlevel", "avg", "mean", "average")
_FOOT_M = 0.3048
_LOWEST_M, _HIGHEST_M = 1.0, 500.0  # of a wind speed
_DEFAULT_HEIGHT_M: dict[Quantity, float] = {
    "pressure": 0.0,
    "temperature": 2.0,
    "humidity": 2.0,
    "density": 0.0,
}
_CELSIUS: tuple[float, float] = (1.0, 0.0)
_TEMPERATURE: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("c", "degc", "degreesc", "celsius", "degreescelsius", "degreecelsius"), _CELSIUS),
    **dict.fromkeys(("f", "degf", "degreesf", "fahrenheit", "degreesfahrenheit"), (1 / 1.8, -32 / 1.8)),
    **dict.fromkeys(("k", "degk", "kelvin", "kelvins"), (1.0, -273.15)),
}
"""Factor and zero point to degrees C."""
_NO_SPEED = (99.0, 99.9, 999.0, 999.9, 9999.0, 99999.0)
_NO_VALUE = (9999.0, 9999.9, 99999.0, 999999.0)
_MOST_HUMID = 1.2  # as a fraction; relative humidity that exceeds it is in per cent
_LEAST_M_S = -90.0  # sentinels are below


@dataclass(frozen=True)
class WindColumn:
    """A column of a wind file.

    Attributes
    ----------
    position : int
    name : str
        As written.
    quantity : str
        ``speed``, ``u``, ``v``, ``temperature``, ``pressure``, ``humidity`` or ``density``.
    height_m : float
        Above ground. [m]
    unit : str
        As written; empty if not named.
    """

    position: int
    name: str
    quantity: Quantity
    height_m: float
    unit: str

    def fault(self, file: str) -> Fault | None:
        """Say what is wrong with the unit, None where it is known."""
        if _factor(self) is not None:
            return None
        known = {"temperature": "C, F or K", "pressure": "Pa, hPa, mbar, kPa, atm, psi or inHg"}
        allowed = known.get(self.quantity, "m/s, km/h, mph, knots or ft/s")
        found = f"the unit {self.unit!r} of column {self.name!r}" if self.unit else (
            f"column {self.name!r} without a unit"
        )  # fmt: skip
        example = f"{self.name.split('(')[0].strip()} ({allowed.split(',')[0]})"
        return Fault(file, found, f"must be {allowed}", f"Name it in the column: '{example}'.")

    def convert(self, values: FloatArray) -> FloatArray:
        """Bring values to m/s, degrees C, Pa, fractions or kg/m3; what means a missing value becomes NaN."""
        missing = np.isin(values, _NO_SPEED if self.quantity == "speed" else _NO_VALUE)
        missing |= values <= (0.0 if self.quantity in ("pressure", "density") else _LEAST_M_S)
        known = np.where(missing, np.nan, values)
        if self.quantity == "humidity":
            highest = float(np.nanmax(known)) if np.isfinite(known).any() else 0.0
            return np.clip(known / 100 if highest > _MOST_HUMID else known, 0, 1)
        factor, zero = _factor(self) or (1.0, 0.0)
        return known * factor + zero


def wind_columns(names: Sequence[str], units: Sequence[str] = ()) -> tuple[WindColumn, ...]:
    """Find the columns of a wind file.

    Parameters
    ----------
    names : sequence of str
        As written.
    units : sequence of str
        From a row of units below the names, if there is one.

    Returns
    -------
    tuple of WindColumn
        Speeds only with a named height.
    """
    found = []
    for position, name in enumerate(names):
        below = units[position].strip("[]() ") if position < len(units) else ""
        column = _column(position, name, below)
        if column is not None:
            found.append(column)
    return tuple(found)


def column_of(position: int, word: str, height_m: float, unit: str) -> WindColumn | None:
    """Name a column by a word and a height given apart from it, as in .srw; None for other words."""
    quantity = _quantity_of(squash(word))
    return (
        None
        if quantity is None
        else WindColumn(position, f"{word} at {height_m:g} m", quantity, height_m, unit)
    )


def _column(position: int, name: str, below: str) -> WindColumn | None:
    text = tidy(name) if not name.strip().startswith(("(", "[")) else name
    inside = [part.strip() for part in _BRACKETS.findall(name)]
    bare = _BRACKETS.sub(" ", name).strip() or text
    heights = [_HEIGHT.search(part) for part in inside]
    unit = next(
        (part for part, height in zip(inside, heights, strict=True) if part and height is None), below
    )
    match = next((height for height in heights if height), None) or _HEIGHT.search(bare)
    height: float | None = None
    if match:
        height = float(match.group(1)) * (_FOOT_M if match.group(2).lower().startswith("f") else 1.0)
        head, tail = (bare[: match.start()], bare[match.end() :]) if match.string is bare else (bare, "")
        named = _tail_unit(tail)
        rest = "" if named or squash(tail) in _HARMLESS else tail  # of a mean; a maximum or a gust is no mean
        bare, unit = f"{head} {rest}", unit or named
    elif short := _BARE_HEIGHT.match(bare):
        bare, height = short[1], float(short[2])
    quantity = _quantity_of(squash(bare))
    if quantity is None and not match:
        bare, unit = _split_unit(bare, unit)
        quantity = _quantity_of(squash(bare))
    if quantity is None:
        return None
    if height is None:
        if quantity not in _DEFAULT_HEIGHT_M:
            return None
        height = _DEFAULT_HEIGHT_M[quantity]
    if quantity in ("speed", "u", "v") and not _LOWEST_M <= height <= _HIGHEST_M:
        return None
    if quantity in ("u", "v") and not unit:
        unit = "m/s"  # reanalyses have no other
    return WindColumn(position, name, quantity, height, unit)


def _quantity_of(word: str) -> Quantity | None:
    return next((quantity for quantity, words in _WORDS.items() if word in words), None)


def _tail_unit(tail: str) -> str:
    """Read the unit behind a height: ``_kmh``, `` m/s``, ``_m_s``."""
    text = tail.strip(" _-,:")
    unit = parse_unit(text) or parse_unit(text.replace("_", "/"))
    if unit is not None and unit.dimension == SPEED:
        return text if parse_unit(text) else text.replace("_", "/")
    bare = squash(text)
    return text if bare in _PASCAL or bare in _TEMPERATURE else ""


def _split_unit(bare: str, unit: str) -> tuple[str, str]:
    """Cut a unit off the end of a name without height: ``surface_pressure_hpa``, ``temp_air_c``."""
    head, mark, last = bare.replace(" ", "_").rpartition("_")
    known = squash(last)
    if mark and (known in _PASCAL or known in _TEMPERATURE):
        return head, unit or known
    return bare, unit


def _factor(column: WindColumn) -> tuple[float, float] | None:
    """Factor and zero point of the column's unit; None where it is not named or not known."""
    unit = tidy(column.unit)
    if column.quantity in ("humidity", "density"):
        return 1.0, 0.0
    if column.quantity == "pressure":
        pascal = _PASCAL.get(squash(unit))
        return None if pascal is None else (pascal, 0.0)
    if column.quantity == "temperature":
        return _TEMPERATURE.get(squash(unit))
    speed = parse_unit(unit.replace("mp/h", "mph").replace("**", "")) if unit else None
    return (speed.factor, 0.0) if speed is not None and speed.dimension == SPEED else None
