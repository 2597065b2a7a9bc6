"""Names and units of columns that people give to weather, and what they mean."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd

_NAMES = {
    "ghi": (
        "ghi", "measured_ghi", "ghi_measured", "global_horizontal", "global_horizontal_irradiance",
        "global_horizontal_radiation", "global_irradiance", "global_radiation", "globhor", "glohor",
        "g_h", "gh", "shortwave_radiation", "allsky_sfc_sw_dwn", "solar_radiation", "modeled_ghi",
    ),
    "dni": (
        "dni", "measured_dni", "dni_measured", "direct_normal", "direct_normal_irradiance",
        "direct_normal_radiation", "beam_normal", "beam_normal_irradiance", "gb_n", "allsky_sfc_sw_dni",
        "modeled_dni",
    ),
    "dhi": (
        "dhi", "measured_dhi", "dhi_measured", "diffuse_horizontal", "diffuse_horizontal_irradiance",
        "diffuse_horizontal_radiation", "diffuse_radiation", "diffhor", "gd_h", "diffuse",
        "allsky_sfc_sw_diff", "modeled_dhi",
    ),
    "temp_air": (
        "temp_air", "air_temperature", "air_temp", "temperature", "ambient_temperature", "temp", "tamb",
        "t_amb", "t_ambient", "tdry", "dry_bulb", "dry_bulb_temperature", "t2m", "temperature_2m", "tair",
    ),
    "wind_speed": (
        "wind_speed", "windspeed", "wind", "wspd", "ws", "ws10m", "ws_10m", "wind_speed_10m",
        "wind_velocity", "windvel",
    ),
}  # fmt: skip
"""Earlier names win: what was measured goes before what was modelled."""
_TIME = (
    "", "time", "timestamp", "time_stamp", "datetime", "date_time", "date", "time_utc", "utc_time",
    "timestamp_utc", "datetime_utc", "local_time", "time_local", "period_end", "period_start",
    "period_mid", "valid_time", "index", "time_gmt", "hour_beginning", "hour_ending", "interval_start",
    "interval_end", "unnamed_0",
)  # fmt: skip
_PARTS = ("year", "month", "day", "hour", "minute")
_PART_NAMES = {"mo": "month", "hr": "hour", "min": "minute", "yr": "year"}


@dataclass(frozen=True)
class Column:
    """A column of values.

    Attributes
    ----------
    position : int
    variable : str
        ``ghi``, ``dni``, ``dhi``, ``temp_air`` or ``wind_speed``.
    name : str
        As written in the file.
    unit : str
        As written, without blanks; empty if not named.
    """

    position: int
    variable: str
    name: str
    unit: str

    @property
    def unit_named(self) -> bool:
        """Whether the file names the unit."""
        return bool(self.unit)

    @property
    def said(self) -> str:
        """How the column was understood."""
        default = {"temp_air": "degrees C", "wind_speed": "m/s"}.get(self.variable, "W/m2")
        return f"{self.variable} from column {self.name!r}" + ("" if self.unit else f", taken in {default}")

    def scale(self, values: pd.Series, step_h: float) -> pd.Series:
        """Convert to W/m2, degrees C or m/s.

        Parameters
        ----------
        values : Series
            In the column's unit.
        step_h : float
            Length of a step, for energies. [h]

        Returns
        -------
        Series
        """
        unit = self.unit.lower().replace("²", "2").replace("^", "").replace("**", "").replace("°", "")
        # A sentinel stays what it is: scaling would bring it back into the credible range.
        credible = values.where((values > -90) & (values < 90_000))
        if self.variable == "temp_air":
            if unit in ("f", "degf", "fahrenheit"):
                return (credible - 32) / 1.8
            return credible - 273.15 if unit in ("k", "kelvin") else values
        if self.variable == "wind_speed":
            factor = {
                "km/h": 1 / 3.6,
                "kmh": 1 / 3.6,
                "kph": 1 / 3.6,
                "mph": 0.44704,
                "kn": 0.514444,
                "knots": 0.514444,
            }
            return credible * factor[unit] if unit in factor else values
        factor = {
            "kw/m2": 1000.0, "wh/m2": 1 / step_h, "kwh/m2": 1000 / step_h, "kw-hr/m2": 1000 / step_h,
            "mj/m2": 1e6 / 3600 / step_h, "j/m2": 1 / 3600 / step_h, "kj/m2": 1000 / 3600 / step_h,
            "j/cm2": 1e4 / 3600 / step_h,
        }  # fmt: skip
        if unit == "j/m2":
            return values.where(values > -90) * factor[unit]
        return credible * factor[unit] if unit in factor else values


def fold(name: str) -> str:
    """Lower case, without units and signs: ``Global Horizontal (W/m2)`` becomes ``global_horizontal``."""
    bare = re.sub(r"[\(\[].*?[\)\]]", "", name.lower())
    bare = re.sub(r"[\s_/]+(w|wh|kw|kwh|mj|j|kj)[/_ ]?(per_)?m\^?[-]?[2²].*$", "", bare)
    bare = re.sub(r"_(deg_?c|celsius|c|m_s|ms|w_m2)$", "", bare)
    return re.sub(r"[^a-z0-9]+", "_", bare).strip("_")


def value_columns(names: tuple[str, ...]) -> tuple[Column, ...]:
    """Find the columns of irradiance, temperature and wind.

    Parameters
    ----------
    names : tuple of str
        Names as written.

    Returns
    -------
    tuple of Column
        At most one for each variable: the first in the order of preference.
    """
    folded = [_pvgis_name(name) or fold(name) for name in names]
    columns: list[Column] = []
    for variable, known in _NAMES.items():
        position = next((folded.index(option) for option in known if option in folded), None)
        if position is not None:
            columns.append(Column(position, variable, names[position], _unit(names[position])))
    return tuple(columns)


def time_columns(names: tuple[str, ...]) -> list[int]:
    """Positions of the time columns: one stamp, date and time, or year to minute; empty if there are none."""
    folded = [_PART_NAMES.get(fold(name), fold(name)) for name in names]
    if {"year", "month", "day"} <= set(folded):
        return [folded.index(part) for part in _PARTS if part in folded]
    if "date" in folded and "time" in folded:
        return [folded.index("date"), folded.index("time")]
    return [next((p for p, name in enumerate(folded) if name in _TIME))] if set(folded) & set(_TIME) else []


def _pvgis_name(name: str) -> str:
    """Names whose brackets are part of the name."""
    return {"G(h)": "ghi", "Gb(n)": "dni", "Gd(h)": "dhi", "G(i)": ""}.get(name.strip(), "")


def _unit(name: str) -> str:
    bracket = re.search(r"[\(\[](.+?)[\)\]]\s*$", name)
    if bracket:
        return bracket.group(1).replace(" ", "")
    tail = re.search(r"(?:^|[\s_])((?:w|wh|kw|kwh|mj|kj|j)[/_]c?m\^?[2²])", name.lower())
    if tail:
        return tail.group(1).replace("_", "/").replace("^", "").replace("²", "2")
    degrees = re.search(r"_(?:deg_?)?(c|f|k)$", name.lower())
    return degrees.group(1) if degrees else ""
