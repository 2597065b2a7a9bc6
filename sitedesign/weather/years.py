"""Many weather years on one regular grid, whatever they came from: the data that everybody reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sitedesign.errors import Fault, InputError, shown
from sitedesign.util.gate import (
    Kind,
    Many,
    Measure,
    OneOf,
    OrNone,
    arguments,
    check_fields,
    takes,
)
from sitedesign.weather.site import Site
from sitedesign.weather.wind_aloft import WindAloft

if TYPE_CHECKING:
    from sitedesign.weather.quality import Quality

FloatArray = NDArray[np.float64]
DAYS_PER_YEAR = 365
_ARRAYS = ("ghi_w_m2", "dni_w_m2", "dhi_w_m2", "temp_air_c", "wind_speed_m_s")


A_SITE = Kind((Site,), "must be a sitedesign.Site", "Try sd.Site(latitude=31.76, longitude=-106.49).")
_ROWS = Many(Measure("", 0, 10_000, whole=True), "must be a list of rows", least=1)


@dataclass(frozen=True)
class WeatherSource:
    """Where weather came from.

    Attributes
    ----------
    kind : str
        ``generated``, ``file``, ``fetched`` or ``bootstrap``.
    description : str
        One line for people, for example ``NSRDB PSM v3, 18 files``.
    is_tmy : bool
        True for a typical meteorological year, which is no basis for uptime.
    files : tuple of str
        File names (no folders), if any.
    seed : int or None
        Seed, where sampling was involved.
    notes : tuple of str
        Everything that was assumed, repaired or dropped.
    flags : tuple of str
        What a careful reader should look at, as in ``weather.quality.flags``; weather made from this weather
        keeps them.
    doubts : tuple of str
        Those of the flags that may move the year's energy by more than 2 %.
    """

    kind: Literal["generated", "file", "fetched", "bootstrap"]
    description: str
    is_tmy: bool = False
    files: tuple[str, ...] = ()
    seed: int | None = None
    notes: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


_STEP = OneOf((5, 10, 15, 30, 60), "min")
UTC_OFFSET = Measure("h", -16, 16)
_SUN_OFFSET = Measure("min", -1440, 1440)
_SOURCE = Kind((WeatherSource,), "must be a WeatherSource")
_WIND = OrNone(Kind((WindAloft,), "must be a WindAloft, as generated or read"))


def _is_array(value: object, shape: tuple[int, ...]) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "fiu" and value.shape == shape


@arguments("Weather()")
@dataclass(frozen=True, eq=False)
class WeatherYears:
    """Weather years at one site, in local standard time.

    Column ``j`` of a row covers ``[j, j + 1) * step_minutes`` from 1 January 00:00 local standard time, and
    holds the mean of that interval. Every year has 365 days: 29 February is dropped, and said in the notes.

    Attributes
    ----------
    site : Site
    step_minutes : int
        5, 10, 15, 30 or 60. [min]
    years : tuple of int
        Calendar year of each row; 1, 2, ... for generated years.
    ghi_w_m2, dni_w_m2, dhi_w_m2 : ndarray, shape (years, steps)
        Global horizontal, direct normal and diffuse horizontal irradiance. [W/m2]
    temp_air_c : ndarray, shape (years, steps)
        Dry-bulb air temperature. [degrees C]
    wind_speed_m_s : ndarray, shape (years, steps)
        [m/s]
    utc_offset_h : float
        Local standard time minus UTC. [h]
    source : WeatherSource
    sun_offset_minutes : float
        Minutes after the start of an interval at which the sun stands where the irradiance was sampled: half
        a step for means, 0 for instants stamped at the interval's start. [min]
    quality : Quality or None
        What the reader found; None for generated years, which have nothing to find.
    wind_aloft : WindAloft or None
        Wind at the heights of turbines in the same steps, where it was asked for; `wind_speed_m_s` is that
        near the ground.
    """

    site: Site
    step_minutes: int
    years: tuple[int, ...]
    ghi_w_m2: FloatArray
    dni_w_m2: FloatArray
    dhi_w_m2: FloatArray
    temp_air_c: FloatArray
    wind_speed_m_s: FloatArray
    utc_offset_h: float
    source: WeatherSource
    sun_offset_minutes: float
    quality: Quality | None = field(default=None, repr=False)
    wind_aloft: WindAloft | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Let no number through that is none: whoever made the weather must have filled every step."""
        check_fields("Weather()", self, site=A_SITE, step_minutes=_STEP, utc_offset_h=UTC_OFFSET,
                     sun_offset_minutes=_SUN_OFFSET, source=_SOURCE, wind_aloft=_WIND)  # fmt: skip
        shape = (len(self.years), DAYS_PER_YEAR * self.steps_per_day) if isinstance(self.years, tuple) else ()
        wrong = [
            Fault(f"weather.{name}", shown(getattr(self, name)), f"must be numbers in the shape {shape}")
            for name in _ARRAYS
            if not _is_array(getattr(self, name), shape)
        ]
        if wrong or not shape:
            found = shown(self.years)
            wrong += [] if shape else [Fault("weather.years", found, "must be a tuple of calendar years")]
            raise InputError(wrong, "Weather()")
        faults = [
            Fault(f"weather.{name}", f"{int(bad.sum())} values that are no finite numbers", "must be numbers")
            for name in _ARRAYS
            if (bad := ~np.isfinite(getattr(self, name))).any()
        ]
        if self.wind_aloft is not None and self.wind_aloft.grid != shape:
            found = f"series of the shape {self.wind_aloft.grid}"
            faults.append(Fault("weather.wind_aloft", found, f"must have the shape {shape} of the weather"))
        if faults:
            raise InputError(faults, f"the weather ({self.source.description})")

    def __repr__(self) -> str:
        place, years = self.site.name, f"{len(self.years)} years of {self.step_minutes} min steps"
        return f"Weather({place!r}, {years}: {self.source.description})"

    @takes("Weather.subset()", rows=_ROWS)
    def subset(self, rows: Sequence[int]) -> Self:
        """Copy with only the weather years at these row positions, in this order."""
        pick = list(rows)
        if max(pick) >= len(self.years):
            fault = Fault(
                "rows", f"{max(pick)}", f"the last of {len(self.years)} rows is {len(self.years) - 1}"
            )
            raise InputError([fault], "Weather.subset()")
        arrays = {name: getattr(self, name)[pick] for name in _ARRAYS}
        wind = self.wind_aloft and self.wind_aloft.at(lambda series: series[pick])
        return replace(self, years=tuple(self.years[row] for row in pick), wind_aloft=wind, **arrays)

    @property
    def steps_per_day(self) -> int:
        """Steps in a day."""
        return 24 * 60 // self.step_minutes

    @property
    def step_h(self) -> float:
        """Length of a step. [h]"""
        return self.step_minutes / 60

    @property
    def ghi_daily_kwh_m2(self) -> FloatArray:
        """Daily global horizontal irradiation, shape (years, 365). [kWh/m2/day]"""
        by_day = self.ghi_w_m2.reshape(len(self.years), DAYS_PER_YEAR, self.steps_per_day)
        daily: FloatArray = by_day.sum(axis=2) * self.step_h / 1000
        return daily

    @cached_property
    def data(self) -> pd.DataFrame:
        """All years as one table, indexed by the start of each interval in local standard time."""
        return pd.DataFrame({name: getattr(self, name).ravel() for name in _ARRAYS}, index=self.index)

    @cached_property
    def index(self) -> pd.Index:
        """Start of every interval.

        A ``DatetimeIndex`` with fixed UTC offset; generated years are numbered from 2001, so that every
        label is a valid date. Years follow each other in the order of `years`.
        """
        zone = timezone(timedelta(hours=self.utc_offset_h))
        base = pd.date_range(
            "2001-01-01", periods=DAYS_PER_YEAR * self.steps_per_day, freq=f"{self.step_minutes}min"
        )
        offsets = base - base[0]
        labels = [year if year >= 1600 else 2000 + year for year in self.years]
        parts = [_no_leap(pd.Timestamp(year=label, month=1, day=1), offsets) for label in labels]
        return pd.DatetimeIndex(np.concatenate([part.to_numpy() for part in parts])).tz_localize(zone)


def _no_leap(start: pd.Timestamp, offsets: pd.TimedeltaIndex) -> pd.DatetimeIndex:
    """Add a 365-day year of offsets to 1 January, stepping over 29 February."""
    stamps = start + offsets
    if start.is_leap_year:
        late = offsets >= pd.Timedelta(days=59)
        stamps = pd.DatetimeIndex(np.where(late, stamps + pd.Timedelta(days=1), stamps))
    return pd.DatetimeIndex(stamps)
