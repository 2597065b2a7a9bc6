"""Weather: many weather years on one regular grid, whatever they came from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta, timezone
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sitedesign.errors import Fault, InputError, shown
from sitedesign.util.gate import (
    FLAG,
    TEXT,
    File,
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
from sitedesign.weather.wind_aloft import SHEAR, WindAloft

if TYPE_CHECKING:
    from sitedesign.weather.quality import Quality

FloatArray = NDArray[np.float64]
DAYS_PER_YEAR = 365
_ARRAYS = ("ghi_w_m2", "dni_w_m2", "dhi_w_m2", "temp_air_c", "wind_speed_m_s")


A_SITE = Kind((Site,), "must be a sitedesign.Site", "Try sd.Site(latitude=31.76, longitude=-106.49).")
_FILES = File(says="must be the path of a weather file or folder", remedy="Several: read('a.csv', 'b.csv').")
_YEARS = Many(
    Measure("", 1900, 2200, whole=True, says="must be a calendar year from 1900 to 2200"),
    "must be calendar years, for example range(2005, 2024)",
    least=1,
    most=300,
)
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
_OFFSET = Measure("h", -16, 16)
_SUN_OFFSET = Measure("min", -1440, 1440)
_SOURCE = Kind((WeatherSource,), "must be a WeatherSource")
_WIND = OrNone(Kind((WindAloft,), "must be a WindAloft, as generated or read"))


def _is_array(value: object, shape: tuple[int, ...]) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "fiu" and value.shape == shape


@arguments("Weather()")
@dataclass(frozen=True, eq=False)
class Weather:
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
        check_fields("Weather()", self, site=A_SITE, step_minutes=_STEP, utc_offset_h=_OFFSET,
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

    @staticmethod
    @takes("Weather.generate()", site=A_SITE)
    def generate(
        site: Site, years: int = 20, seed: int = 0, step_minutes: int = 60, *, wind: bool = False
    ) -> Weather:
        """Generate weather years from embedded climate statistics; no key, no network.

        Parameters
        ----------
        site : Site
            On land, between 66 degrees south and 66 degrees north.
        years : int
            Number of years.
        seed : int
            Same seed, same years.
        step_minutes : int
            5, 10, 15, 30 or 60. [min]
        wind : bool
            Whether to add the wind at 115 m that blows in these years (contiguous United States only); the
            sun is the same with and without.

        Returns
        -------
        Weather
            A screening source; see ``weather/README.md`` for what it reproduces.

        Raises
        ------
        InputError
            If the site has no climate data or an argument is out of range.
        """
        from sitedesign.weather.generate import generate

        return generate(site, years=years, seed=seed, step_minutes=step_minutes, wind=wind)

    @staticmethod
    @takes("Weather.read()", paths=_FILES, site=A_SITE)
    def read(*paths: str | Path, site: Site | None = None) -> Weather:
        """Read weather files, recognised by content and joined across years.

        Parameters
        ----------
        *paths : str or path
            NSRDB (PSM3, PSM4) CSV, PVGIS CSV or JSON, EPW, TMY2, TMY3, SURFRAD, USCRN daily, or CSV or
            Parquet with named columns; one or many years, or a folder of them.
        site : Site, optional
            Needed when the file does not name its place; otherwise only checked against it.

        Returns
        -------
        Weather
            With ``weather.quality`` filled.

        Raises
        ------
        InputError
            If a file is missing, of an unknown kind, or has holes above the limits of the quality rules.
        """
        from sitedesign.weather.files.read import read

        return read([Path(path) for path in paths], site=site)

    @staticmethod
    @takes(
        "Weather.fetch()",
        site=A_SITE,
        source=TEXT,
        years=_YEARS,
        api_key=TEXT,
        email=TEXT,
        offline=FLAG,
        cache_dir=File(says="must be the path of a folder"),
        url=TEXT,
    )
    def fetch(
        site: Site,
        source: Literal["nsrdb", "pvgis", "nasa_power", "era5"] = "nsrdb",
        years: Iterable[int] = range(2005, 2024),
        *,
        api_key: str | None = None,
        email: str | None = None,
        offline: bool = False,
        cache_dir: str | Path | None = None,
        url: str | None = None,
    ) -> Weather:
        """Fetch measured or satellite years through ``pvlib.iotools``; one cached file a site-year.

        Parameters
        ----------
        site : Site
        source : str
            ``nsrdb`` (key and e-mail), ``pvgis``, ``nasa_power`` (no key) or ``era5`` (key).
        years : iterable of int
            Calendar years.
        api_key, email : str, optional
            Else from the environment (``NSRDB_API_KEY``, ``NSRDB_EMAIL``, ``ECMWF_API_KEY``); never printed
            or stored.
        offline : bool
            Use the cache only.
        cache_dir : path, optional
            Default: the user's cache folder.
        url : str, optional
            Another server, for mirrors and tests.

        Returns
        -------
        Weather

        Raises
        ------
        InputError
            If a key is missing, a year is not to be had, or `offline` and not cached.
        """
        from sitedesign.weather.services.fetch import fetch

        return fetch(
            site, source=source, years=list(years), api_key=api_key, email=email, offline=offline,
            cache_dir=cache_dir, url=url,
        )  # fmt: skip

    @takes("Weather.write()", path=File())
    def write(self, path: str | Path) -> Path:
        """Write all years to one file that :meth:`read` reads back.

        Parameters
        ----------
        path : path
            Ending in ``.csv`` (six digits) or ``.parquet`` (all digits).

        Returns
        -------
        Path

        Raises
        ------
        InputError
            For another ending, or a typical year.
        """
        from sitedesign.weather.files.write import write

        return write(self, Path(path))

    @takes("Weather.bootstrap()")
    def bootstrap(self, years: int, seed: int = 0, block_days: int = 15, season_days: int = 10) -> Weather:
        """Draw extra years from this record by stationary block bootstrap.

        Parameters
        ----------
        years : int
            Years to draw.
        seed : int
        block_days : int
            Mean block length; no spell longer than a block is new. [days]
        season_days : int
            Blocks come from at most this many days earlier or later in the season. [days]

        Returns
        -------
        Weather

        Raises
        ------
        InputError
            If the record has fewer than 6 years or is a typical year.
        """
        from sitedesign.weather.bootstrap import bootstrap

        return bootstrap(self, years=years, seed=seed, block_days=block_days, season_days=season_days)

    @takes("Weather.with_wind()", paths=_FILES, shear_exponent=OrNone(SHEAR), utc_offset_h=OrNone(_OFFSET))
    def with_wind(
        self, *paths: str | Path, shear_exponent: float | None = None, utc_offset_h: float | None = None
    ) -> Weather:
        """Add wind at the heights of turbines from files of the same years.

        Parameters
        ----------
        *paths : str or path
            WIND Toolkit CSV, SAM .srw, Open-Meteo, NASA POWER, ERA5, renewables.ninja, or CSV or Parquet
            whose columns name height and unit, as ``wind_speed_100m (m/s)``; or a folder of them.
        shear_exponent : float, optional
            How speed grows with height, ``(z / height)**exponent``, above the highest speed and below the
            lowest; needed where all are far below the hub.
        utc_offset_h : float, optional
            Of the stamps, where the files say none or a wrong one. [h]

        Returns
        -------
        Weather
            A copy with ``wind_aloft``.

        Raises
        ------
        InputError
            If a file names no height, unit or time zone, is of other years or another place than the weather,
            or holds what no air does.
        """
        from sitedesign.weather.files.wind import add_wind

        return add_wind(self, [Path(path) for path in paths], shear_exponent, utc_offset_h)

    @takes("Weather.worst_spells()")
    def worst_spells(self, days: Sequence[int] = (3, 5, 10), count: int = 1) -> pd.DataFrame:
        """Darkest spells in the record.

        Parameters
        ----------
        days : sequence of int
            Lengths. [days]
        count : int
            Spells per length, not overlapping.

        Returns
        -------
        DataFrame
            Columns ``days``, ``rank``, ``year``, ``start`` (month-day), ``end``, ``ghi_kwh_m2_day``,
            ``share_of_season`` (against the mean of the same days over all years).
        """
        from sitedesign.weather.low_resource import worst_spells

        return worst_spells(self, days=days, count=count)

    @takes("Weather.subset()", rows=_ROWS)
    def subset(self, rows: Sequence[int]) -> Weather:
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
