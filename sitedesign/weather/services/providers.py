"""The four servers: how each is asked through ``pvlib.iotools``, and what its failures mean."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import requests
from pvlib.iotools import get_era5, get_nasa_power, get_pvgis_hourly
from pvlib.iotools.psm4 import PSM4_AGG_URL

from sitedesign.errors import InputError
from sitedesign.util.text_table import decode, lines_of
from sitedesign.weather.files.formats import nsrdb, pvgis
from sitedesign.weather.files.formats.source import SourceText
from sitedesign.weather.files.record import WeatherRecord, record_from
from sitedesign.weather.services.secrets import Secrets
from sitedesign.weather.site import Site

TIMEOUT_S = 60
QUEUE_TIMEOUT_S = 600
_RETRIED = (408, 425, 429, 500, 502, 503, 504)
_BUSY_WORDS = re.compile(
    r"\b(429|5\d\d)\b|too many|rate limit|overload|tempor|try again|time-?d? ?out|unavailable", re.I
)
_YEAR_WORDS = re.compile(r"year|date|range|period|start|end", re.I)


@dataclass(frozen=True)
class Request:
    """What is asked for, apart from the year."""

    site: Site
    secrets: Secrets
    url: str | None


@dataclass(frozen=True)
class Failure:
    """Why a year did not arrive.

    Attributes
    ----------
    kind : {'key', 'year', 'server', 'answer'}
        The key was refused; this request will never succeed; it may succeed later; or an answer came whole
        that cannot be read, as it will again unless the server erred.
    text : str
        For people, scrubbed of secrets.
    retry_after_s : float or None
        What the server asked to wait. [s]
    """

    kind: Literal["key", "year", "server", "answer"]
    text: str
    retry_after_s: float | None = None


@dataclass(frozen=True)
class Server:
    """One source.

    Attributes
    ----------
    ask : callable
        Takes the request and a year, returns a record.
    first_year : int
    key_variable, email_variable, key_page : str
        Environment variables, empty if not needed, and where a key is given out.
    """

    ask: Callable[[Request, int], WeatherRecord]
    first_year: int
    key_variable: str = ""
    email_variable: str = ""
    key_page: str = ""


class IncompleteAnswer(ValueError):
    """The server's answer parses but does not hold the whole year."""


def attempt(server: Server, request: Request, year: int) -> WeatherRecord | Failure:
    """Ask once; every failure comes back as a value, so that no exception can carry a URL with a key in it.

    Parameters
    ----------
    server : Server
    request : Request
    year : int

    Returns
    -------
    WeatherRecord or Failure
    """
    try:
        with request.secrets.kept_from_logs():
            record = server.ask(request, year)
            _check_whole(record, year)
            return record
    except Exception as error:  # pvlib raises bare Exception too, and parsers raise anything
        return _failure(error, request.secrets)


def _check_whole(record: WeatherRecord, year: int) -> None:
    expected = 8784 if pd.Timestamp(year, 1, 1).is_leap_year else 8760
    rows = len(record.frame)
    if rows < expected - 24 * 10 or record.frame["ghi"].notna().sum() < 0.9 * expected:
        msg = f"only {rows} of {expected} hours arrived"
        raise IncompleteAnswer(msg)


def _failure(error: Exception, secrets: Secrets) -> Failure:
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    text = secrets.scrub(" ".join(str(error).split()))[:300] or type(error).__name__
    if response is not None and status is not None:
        shown = f"HTTP {status}: {_without_markup(text)}"
        if status in (401, 403):
            return Failure("key", shown)
        if status in _RETRIED or status >= 500:
            return Failure("server", shown, _retry_after_s(response.headers.get("Retry-After")))
        return Failure("year", shown)
    if isinstance(error, requests.HTTPError) and not isinstance(error, requests.JSONDecodeError):
        # pvlib passes on only the message of PVGIS and NASA POWER, not the status.
        return Failure("server" if _BUSY_WORDS.search(text) else "year", text)
    if isinstance(error, requests.ConnectionError | requests.Timeout | TimeoutError):
        return Failure("server", f"no connection or no answer in time ({type(error).__name__})")
    if re.search(r"\b40[13]\b|unauthori[sz]ed|authenticat|licen[cs]e|forbidden", text, re.I):
        return Failure("key", text)
    if isinstance(error, requests.RequestException | IncompleteAnswer | ConnectionError | OSError):
        return Failure("server", f"an answer that is not complete weather data ({_without_markup(text)})")
    what = "; ".join(map(str, error.faults)) if isinstance(error, InputError) else type(error).__name__
    return Failure("answer", f"an answer that cannot be read ({_without_markup(secrets.scrub(what))})")


def _without_markup(text: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())[:200]


def _retry_after_s(header: str | None) -> float | None:
    """``Retry-After`` as seconds or as a date."""
    if not header:
        return None
    try:
        return float(header)
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def _ask_nsrdb(request: Request, year: int) -> WeatherRecord:
    """Ask as pvlib does, but read the answer with our own reader: pvlib's knows only zones of whole hours."""
    site, secrets = request.site, request.secrets
    params = {
        "api_key": secrets.key,
        "email": secrets.email,
        "full_name": "sitedesign",
        "affiliation": "sitedesign",
        "reason": "sitedesign",
        "mailing_list": "false",
        "wkt": f"POINT({site.longitude:.4f} {site.latitude:.4f})",
        "names": str(year),
        "attributes": "ghi,dni,dhi,air_temperature,wind_speed",
        "leap_day": "true",
        "utc": "false",
        "interval": "60",
    }
    response = requests.get(request.url or PSM4_AGG_URL, params=params, timeout=TIMEOUT_S)
    text = "\n".join(lines_of(decode(response.content)))
    if not response.ok:
        raise requests.HTTPError(_reason(response, text), response=response)
    if not nsrdb.recognise(text[:20_000]):
        msg = f"no NSRDB file but {' '.join(text[:80].split())!r}"
        raise IncompleteAnswer(msg)
    if text.count("\n") < 8760 - 24 * 10 or not text.endswith("\n"):
        msg = f"only {len(lines_of(text))} rows arrived"
        raise IncompleteAnswer(msg)
    return nsrdb.parse(SourceText(f"nsrdb {year}", text, Path(f"nsrdb {year}")))


def _reason(response: requests.Response, text: str) -> str:
    """Give the errors that the server lists, else its text."""
    try:
        return str(response.json()["errors"])
    except (ValueError, KeyError, TypeError):
        return text


def _ask_pvgis(request: Request, year: int) -> WeatherRecord:
    site = request.site
    data, _ = get_pvgis_hourly(
        site.latitude,
        site.longitude,
        start=year,
        end=year,
        components=True,
        surface_tilt=0,
        outputformat="json",
        timeout=TIMEOUT_S,
        **_at(request),
    )
    place = {"latitude": site.latitude, "longitude": site.longitude, "elevation_m": site.elevation_m}
    return pvgis.horizontal_record(data, f"pvgis {year}", "PVGIS hourly", place)


def _ask_nasa_power(request: Request, year: int) -> WeatherRecord:
    site = request.site

    def call() -> tuple[pd.DataFrame, dict[str, Any]]:
        answer: tuple[pd.DataFrame, dict[str, Any]] = get_nasa_power(
            site.latitude, site.longitude, f"{year}-01-01", f"{year}-12-31", **_at(request)
        )
        return answer

    data, _ = _with_deadline(call, TIMEOUT_S * 2)
    return _utc_record(data, request, year, "NASA POWER", "start", "hourly means stamped at their start, UTC")


def _ask_era5(request: Request, year: int) -> WeatherRecord:
    site = request.site
    # The last hour of the year is stamped 1 January of the next one.
    data, _ = get_era5(
        site.latitude,
        site.longitude,
        f"{year}-01-01",
        f"{year + 1}-01-01",
        ["ghi", "temp_air", "10m_u_component_of_wind", "10m_v_component_of_wind"],
        request.secrets.key,
        timeout=QUEUE_TIMEOUT_S,
        **_at(request),
    )
    if {"u10", "v10"} <= set(data.columns):
        data["wind_speed"] = np.hypot(data["u10"], data["v10"])
    return _utc_record(data, request, year, "ERA5", "end", "hourly means stamped at their end, UTC")


def _utc_record(
    data: pd.DataFrame, request: Request, year: int, kind: str, stamped: Literal["start", "end"], words: str
) -> WeatherRecord:
    data = data.copy()
    data.index = pd.DatetimeIndex(data.index).tz_localize(None)
    record = record_from(
        data,
        f"{kind} {year}",
        kind,
        stamped,
        0.0,
        words=words,
        typical=False,
        latitude=request.site.latitude,
        longitude=request.site.longitude,
        satellite=True,
    )
    return replace(record, frame=record.frame[pd.DatetimeIndex(record.frame.index).year == year])


def _at(request: Request) -> dict[str, str]:
    """Give the ``url`` argument only where another server is wanted."""
    return {} if request.url is None else {"url": request.url}


def _with_deadline(
    call: Callable[[], tuple[pd.DataFrame, dict[str, Any]]], seconds: float
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Run a call that has no time-out of its own."""
    answers: list[tuple[pd.DataFrame, dict[str, Any]]] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            answers.append(call())
        except Exception as error:  # handed to the caller's thread
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not answers:
        raise TimeoutError
    return answers[0]


SERVERS = {
    "nsrdb": Server(_ask_nsrdb, 1998, "NSRDB_API_KEY", "NSRDB_EMAIL", "https://developer.nlr.gov/signup/"),
    "pvgis": Server(_ask_pvgis, 2005),
    "nasa_power": Server(_ask_nasa_power, 2001),
    "era5": Server(_ask_era5, 1940, "ECMWF_API_KEY", "", "https://cds.climate.copernicus.eu/"),
}
