"""Quality report of weather that was read: what was missing, repaired or suspicious, and how time is read."""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sitedesign.weather.solar_geometry import SolarGeometry, solar_geometry

if TYPE_CHECKING:
    from sitedesign.weather.years import WeatherYears

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

FALSELY_DARK_KT = 0.08
FALSELY_DARK_SPREAD = 0.3
SNOW_KT = 0.35
SNOW_NEIGHBOUR_KT = 0.65
CLEAR_SKY_BAND = (0.90, 1.12)
_LABELS = np.arange(np.datetime64("2001-01-01"), np.datetime64("2002-01-01"))


@dataclass(frozen=True)
class YearQuality:
    """One year of the report.

    Attributes
    ----------
    year : int
    ghi_kwh_m2_day : float
        Annual mean after repair. [kWh/m2/day]
    clearness : float
        Irradiation of the year over extraterrestrial.
    missing_daylight_h : float
        Before repair. [h]
    repaired_share : float
        Share of daylight hours that were repaired.
    longest_gap_days : float
        [days]
    interpolated_h, from_neighbours_h, from_other_years_h : float
        Daylight hours by kind of repair. [h]
    out_of_range : int
        Values outside physical limits (sentinels included), taken as missing.
    false_low_irradiance_days : int
        Days that a satellite retrieval seems to have lost.
    possible_snow_days : int
        Cold, dark, even days between bright ones: fresh snow may have been read as cloud.
    sun_error_minutes : float
        Measured minus declared position of the sun; NaN without enough clear days. [min]
    clear_sky_ratio : float
        Clearest days over a clear-sky model; NaN without them.
    closure : float
        Mean of GHI - (DNI cos zenith + DHI) over mean GHI, as given; NaN unless all three were given.
    """

    year: int
    ghi_kwh_m2_day: float
    clearness: float
    missing_daylight_h: float
    repaired_share: float
    longest_gap_days: float
    interpolated_h: float
    from_neighbours_h: float
    from_other_years_h: float
    out_of_range: int
    false_low_irradiance_days: int
    possible_snow_days: int
    sun_error_minutes: float
    clear_sky_ratio: float
    closure: float


@dataclass(frozen=True)
class Quality:
    """What the reader found.

    Attributes
    ----------
    by_year : tuple of YearQuality
    time_convention : str
        How the stamps were understood.
    false_low_irradiance : tuple of str
        Dates, ``YYYY-MM-DD``; left in the data, see :meth:`Weather.without_false_low_irradiance`.
    possible_snow : tuple of str
        Dates.
    flags : tuple of str
        What a careful reader should look at; empty when nothing stands out.
    doubts : tuple of str
        Those of the flags that may move the year's energy by more than 2 %: a study takes such weather only
        with ``accept=["weather_flags"]``.
    """

    by_year: tuple[YearQuality, ...]
    time_convention: str
    false_low_irradiance: tuple[str, ...] = ()
    possible_snow: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def table(self) -> pd.DataFrame:
        """One row a year, columns as in :class:`YearQuality`."""
        return pd.DataFrame([asdict(row) for row in self.by_year]).set_index("year")

    @property
    def repaired_share(self) -> float:
        """Share of all daylight hours that were repaired."""
        return float(np.mean([row.repaired_share for row in self.by_year]))

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts; NaN as None."""
        rows = [
            {key: None if value != value else value for key, value in asdict(row).items()}
            for row in self.by_year
        ]
        return {
            "time_convention": self.time_convention,
            "false_low_irradiance": list(self.false_low_irradiance),
            "possible_snow": list(self.possible_snow),
            "flags": list(self.flags),
            "doubts": list(self.doubts),
            "repaired_share": self.repaired_share,
            "by_year": rows,
        }

    def __repr__(self) -> str:
        lines = [*self._lines(), *(f"  ! {flag}" for flag in self.flags), self._short_table().to_string()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        paragraphs = "".join(f"<p>{escape(line)}</p>" for line in self._lines())
        flags = "".join(f"<li>{escape(flag)}</li>" for flag in self.flags)
        return f"{paragraphs}<ul>{flags}</ul>{self._short_table().to_html()}"

    def _lines(self) -> list[str]:
        years = [row.year for row in self.by_year]
        span = f"{len(years)} year{'s' if len(years) != 1 else ''}"
        return [
            f"Weather quality, {span}: {self.repaired_share:.2%} of daylight hours repaired",
            f"Time: {self.time_convention}",
            f"Days of false low irradiance: {_dates(self.false_low_irradiance)}",
            f"Possibly snow read as cloud: {_dates(self.possible_snow)}",
        ]

    def _short_table(self) -> pd.DataFrame:
        table = self.table.drop(columns=["interpolated_h", "from_neighbours_h", "from_other_years_h"])
        return table.round({"clearness": 3, "repaired_share": 4, "clear_sky_ratio": 3, "closure": 4}).round(2)


def false_low_irradiance_days(ghi: FloatArray, geometry: SolarGeometry) -> BoolArray:
    """Find days darker than thick cloud makes them and without the texture that real cloud has.

    A retrieval that lost the scene writes one cloud type all day: the day's clearness index is below 0.08 and
    its hourly values differ by less than 0.3 of their mean.

    Parameters
    ----------
    ghi : ndarray, shape (years, steps)
        [W/m2]
    geometry : SolarGeometry

    Returns
    -------
    ndarray of bool, shape (years, 365)
    """
    clearness, spread = _day_texture(ghi, geometry)
    return (clearness < FALSELY_DARK_KT) & (spread < FALSELY_DARK_SPREAD)


def possible_snow_days(ghi: FloatArray, temp_air: FloatArray, geometry: SolarGeometry) -> BoolArray:
    """Find freezing, evenly dark days with a bright day within two days.

    Parameters
    ----------
    ghi, temp_air : ndarray, shape (years, steps)
        [W/m2], [degrees C]
    geometry : SolarGeometry

    Returns
    -------
    ndarray of bool, shape (years, 365)
        A suspicion only: thick winter cloud looks the same to these data.
    """
    clearness, spread = _day_texture(ghi, geometry)
    warmest = temp_air.reshape(len(temp_air), 365, -1).max(axis=2)
    padded = np.pad(clearness, ((0, 0), (2, 2)), constant_values=0)
    brightest = np.max([padded[:, shift : shift + 365] for shift in range(5)], axis=0)
    even_and_dark = (clearness < SNOW_KT) & (spread < FALSELY_DARK_SPREAD)
    snow: BoolArray = even_and_dark & (warmest < 0) & (brightest > SNOW_NEIGHBOUR_KT)
    return snow


def dates_of(days: BoolArray, years: tuple[int, ...]) -> tuple[str, ...]:
    """Dates of flagged days as ``YYYY-MM-DD``."""
    rows, numbers = np.nonzero(days)
    return tuple(f"{years[row]:04d}-{str(_LABELS[day])[5:]}" for row, day in zip(rows, numbers, strict=True))


def replace_days(weather: WeatherYears, dates: tuple[str, ...]) -> WeatherYears:
    """Give days the hours of the nearest day that is not among them, by clearness.

    Parameters
    ----------
    weather : WeatherYears
    dates : tuple of str
        ``YYYY-MM-DD``.

    Returns
    -------
    WeatherYears
    """
    if not dates:
        return weather
    geometry = solar_geometry(
        weather.site, weather.step_minutes, weather.utc_offset_h, weather.sun_offset_minutes
    )
    rows = {year: row for row, year in enumerate(weather.years)}
    numbers = {str(label)[5:]: number for number, label in enumerate(_LABELS)}
    bad = [(rows[int(date[:4])], numbers[date[5:]]) for date in dates]
    arrays = {name: getattr(weather, name).copy() for name in ("ghi_w_m2", "dni_w_m2", "dhi_w_m2")}
    per_day = weather.steps_per_day
    extra = {"ghi_w_m2": geometry.ghi_extra_w_m2, "dni_w_m2": geometry.dni_extra_w_m2}
    extra["dhi_w_m2"] = extra["ghi_w_m2"]
    for row, day in bad:
        away = [sign * distance for distance in range(1, 31) for sign in (-1, 1)]
        source = next((day + move) % 365 for move in away if (row, (day + move) % 365) not in bad)
        target, origin = (
            slice(day * per_day, (day + 1) * per_day),
            slice(source * per_day, (source + 1) * per_day),
        )
        for name, array in arrays.items():
            with np.errstate(invalid="ignore", divide="ignore"):
                scale = np.where(extra[name][origin] > 0, extra[name][target] / extra[name][origin], 1.0)
            array[row, target] = array[row, origin] * np.clip(scale, 0, 2)
    note = f"{len(dates)} days of false low irradiance replaced by the nearest other day"
    source_after = replace(weather.source, notes=(*weather.source.notes, note))
    return replace(weather, **arrays, source=source_after)


def _day_texture(ghi: FloatArray, geometry: SolarGeometry) -> tuple[FloatArray, FloatArray]:
    """Daily clearness index, and spread of its hourly values over their mean; shape (years, 365)."""
    extra = geometry.ghi_extra_w_m2.reshape(365, -1)
    by_day = ghi.reshape(len(ghi), 365, -1)
    clearness = by_day.sum(axis=2) / extra.sum(axis=1)
    high = extra > 0.1 * geometry.dni_extra_w_m2.reshape(365, -1)
    index = np.where(high, by_day / np.where(high, extra, 1.0), np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # near the polar circles a winter day has no high sun
        mean = np.nanmean(index, axis=2)
        spread = np.nanstd(index, axis=2) / np.where(mean > 0, mean, np.inf)
    return clearness, np.where(mean > 0, spread, 0.0)


def _dates(dates: tuple[str, ...]) -> str:
    if not dates:
        return "none"
    shown = ", ".join(dates[:8])
    return f"{len(dates)} ({shown}{', ...' if len(dates) > 8 else ''})"
