"""Weather as users hold it: the years, and what can be done with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

from sitedesign.util.gate import FLAG, TEXT, File, Many, Measure, OrNone, takes
from sitedesign.weather.site import Site
from sitedesign.weather.wind_aloft import SHEAR
from sitedesign.weather.years import A_SITE, UTC_OFFSET, WeatherYears

_FILES = File(says="must be the path of a weather file or folder", remedy="Several: read('a.csv', 'b.csv').")
_YEARS = Many(
    Measure("", 1900, 2200, whole=True, says="must be a calendar year from 1900 to 2200"),
    "must be calendar years, for example range(2005, 2024)",
    least=1,
    most=300,
)


class Weather(WeatherYears):
    """Weather years at one site, in local standard time.

    The data are those of :class:`WeatherYears`.

    Examples
    --------
    >>> weather = sd.Weather.generate(site, years=3, seed=1)
    >>> weather.ghi_w_m2.shape
    (3, 8760)
    """

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

        return _with_methods(generate(site, years=years, seed=seed, step_minutes=step_minutes, wind=wind))

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
            If a file is missing, of an unknown kind, or has gaps above the limits of the quality rules.
        """
        from sitedesign.weather.files.read import read

        return _with_methods(read([Path(path) for path in paths], site=site))

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

        return _with_methods(fetch(
            site, source=source, years=list(years), api_key=api_key, email=email, offline=offline,
            cache_dir=cache_dir, url=url,
        ))  # fmt: skip

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

        return _with_methods(
            bootstrap(self, years=years, seed=seed, block_days=block_days, season_days=season_days)
        )

    @takes("Weather.with_wind()", paths=_FILES, shear_exponent=OrNone(SHEAR), utc_offset_h=OrNone(UTC_OFFSET))
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

        return _with_methods(add_wind(self, [Path(path) for path in paths], shear_exponent, utc_offset_h))

    @takes("Weather.low_resource_periods()")
    def low_resource_periods(self, days: Sequence[int] = (3, 5, 10), count: int = 1) -> pd.DataFrame:
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
        from sitedesign.weather.low_resource import low_resource_periods

        return low_resource_periods(self, days=days, count=count)

    def without_false_low_irradiance(self) -> Weather:
        """Copy with the days of false low irradiance replaced, to size with and without them.

        Returns
        -------
        Weather
            Each such day takes the hours of the nearest other day, by clearness; said in the notes. Weather
            without a quality report, or without such days, is as it was.
        """
        from sitedesign.weather.quality import replace_days

        return _with_methods(replace_days(self, self.quality.false_low_irradiance if self.quality else ()))


def _with_methods(years: WeatherYears) -> Weather:
    """Give years that were checked when they were made to their user."""
    own = object.__new__(Weather)
    own.__dict__.update(years.__dict__)
    return own
