"""Fetches measured or satellite years through ``pvlib.iotools``; resumable, polite, and silent about keys."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sitedesign.errors import Fault, InputError, unknown_name
from sitedesign.weather.files.assemble import assemble
from sitedesign.weather.files.gap_filling import year_ranges
from sitedesign.weather.files.record import WeatherRecord
from sitedesign.weather.services.cache import default_folder, load, path_of, store
from sitedesign.weather.services.providers import SERVERS, Failure, Request, attempt
from sitedesign.weather.services.secrets import Secrets
from sitedesign.weather.site import Site
from sitedesign.weather.years import WeatherYears

OF = "Weather.fetch()"
ATTEMPTS = 5
LONGEST_WAIT_S = 120.0
PAUSE_S = 1.0
"""Between two calls: NSRDB allows 1,000 an hour, PVGIS 30 a second."""


@dataclass(frozen=True)
class RetryPolicy:
    """How to wait; replaced in tests.

    Attributes
    ----------
    sleep : callable
        Takes seconds.
    attempts : int
        Calls for one year before giving up.
    pause_s : float
        Between years. [s]
    """

    sleep: Callable[[float], None] = time.sleep
    attempts: int = ATTEMPTS
    pause_s: float = PAUSE_S


def fetch(
    site: Site,
    *,
    source: str = "nsrdb",
    years: Sequence[int],
    api_key: str | None = None,
    email: str | None = None,
    offline: bool = False,
    cache_dir: str | Path | None = None,
    url: str | None = None,
    retry_policy: RetryPolicy | None = None,
) -> WeatherYears:
    """Fetch site-years that are not cached yet, one call each, and join all of them.

    Every year is stored as soon as it is complete, so a later call with the same arguments takes up where
    this one stopped. Answers 408, 429 and 5xx, time-outs and incomplete answers are tried again after 1, 2,
    4, ... s with jitter, or after ``Retry-After`` (at most 120 s). An answer that came whole but cannot be
    read is asked for once more only.

    Parameters
    ----------
    site : Site
    source : {'nsrdb', 'pvgis', 'nasa_power', 'era5'}
    years : sequence of int
        Calendar years.
    api_key, email : str, optional
        Else from the environment (``NSRDB_API_KEY``, ``NSRDB_EMAIL``, ``ECMWF_API_KEY``).
    offline : bool
        Use the cache only.
    cache_dir : path, optional
        Default: the user's cache folder.
    url : str, optional
        Another server.
    retry_policy : RetryPolicy, optional

    Returns
    -------
    WeatherYears

    Raises
    ------
    InputError
        With the years that are there and those that are missing.
    """
    wanted = sorted({int(year) for year in years})
    faults = _argument_faults(source, wanted)
    if faults:
        raise InputError(faults, OF)
    folder = Path(cache_dir) if cache_dir is not None else default_folder()
    records = {
        year: record for year in wanted if (record := load(path_of(folder, source, site, year))) is not None
    }
    missing = [year for year in wanted if year not in records]
    if missing and offline:
        allowed = "with offline=True every year must be in the cache"
        raise InputError([_missing_fault(source, records, missing, "offline", allowed)], OF)
    if missing:
        secrets = _secrets(source, api_key, email)
        request = Request(site, secrets, url)
        failures = _fetch_missing(request, source, missing, folder, records, retry_policy or RetryPolicy())
        if failures:
            still = [year for year in missing if year not in records]
            raise InputError([_failure_fault(source, records, still, failures, folder)], OF)
    joined = [records[year] for year in wanted]
    return assemble(joined, site, kind="fetched", of=OF)


def _fetch_missing(
    request: Request,
    source: str,
    missing: Sequence[int],
    folder: Path,
    records: dict[int, WeatherRecord],
    retry_policy: RetryPolicy,
) -> dict[int, Failure]:
    """Fetch year by year into `records` and the cache; stop where going on is no use."""
    failures: dict[int, Failure] = {}
    for number, year in enumerate(missing):
        if number:
            retry_policy.sleep(retry_policy.pause_s)
        outcome = _persist(request, source, year, retry_policy)
        if isinstance(outcome, Failure):
            failures[year] = outcome
            if outcome.kind != "year":
                break
            continue
        store(path_of(folder, source, request.site, year), outcome)
        records[year] = outcome
    return failures


def _persist(request: Request, source: str, year: int, retry_policy: RetryPolicy) -> WeatherRecord | Failure:
    """Call until there is an answer, a final refusal, or no patience left."""
    outcome: WeatherRecord | Failure = Failure("server", "not tried")
    for turn in range(max(1, retry_policy.attempts)):
        outcome = attempt(SERVERS[source], request, year)
        if isinstance(outcome, WeatherRecord) or outcome.kind not in ("server", "answer"):
            return outcome
        if outcome.kind == "answer" and turn > 0:  # the same again: no patience will change it
            return replace(outcome, kind="year")
        if turn < retry_policy.attempts - 1:
            retry_policy.sleep(wait_s(turn, outcome.retry_after_s))
    return outcome


def wait_s(turn: int, retry_after_s: float | None) -> float:
    """Seconds to wait after the failure number `turn` (from 0).

    Parameters
    ----------
    turn : int
    retry_after_s : float or None
        What the server asked for. [s]

    Returns
    -------
    float
        At least what the server asked for, at most 120 s; else 2^turn with jitter of 50-100 %. [s]
    """
    if retry_after_s is not None:
        return min(LONGEST_WAIT_S, max(0.0, retry_after_s) + random.uniform(0, 1))
    return min(LONGEST_WAIT_S, 2.0**turn) * random.uniform(0.5, 1.0)


def _argument_faults(source: str, years: Sequence[int]) -> list[Fault]:
    if source not in SERVERS:
        return [unknown_name("source", source, SERVERS)]
    if not years:
        return [Fault("years", "none", "needs at least one calendar year, for example range(2005, 2024)")]
    first, last = SERVERS[source].first_year, datetime.now(UTC).year - 1
    outside = [year for year in years if not first <= year <= last]
    if outside:
        return [
            Fault(
                "years",
                ", ".join(map(str, outside)),
                f"{source} has whole years from {first} to {last} at most",
            )
        ]
    return []


def _secrets(source: str, api_key: str | None, email: str | None) -> Secrets:
    server = SERVERS[source]
    key = api_key or os.environ.get(server.key_variable, "") if server.key_variable else ""
    mail = email or os.environ.get(server.email_variable, "") if server.email_variable else ""
    faults: list[Fault] = []
    if server.key_variable and not key:
        remedy = f"Get a free key at {server.key_page}, then pass api_key= or set {server.key_variable}."
        faults.append(Fault("api_key", "nothing", f"{source} needs a key", remedy))
    if server.email_variable and not mail:
        remedy = f"Pass email= or set {server.email_variable} to the address that the key was given to."
        faults.append(Fault("email", "nothing", f"{source} needs an e-mail address", remedy))
    if faults:
        raise InputError(faults, OF)
    return Secrets(key, mail)


def _missing_fault(
    source: str, records: dict[int, WeatherRecord], missing: Sequence[int], where: str, allowed: str
) -> Fault:
    there = year_ranges(sorted(records)) or "none"
    found = f"{source} years in the cache: {there}; missing: {year_ranges(missing)}"
    return Fault(where, found, allowed, "Fetch once with a connection, or leave the missing years out.")


def _failure_fault(
    source: str,
    records: dict[int, WeatherRecord],
    missing: Sequence[int],
    failures: dict[int, Failure],
    folder: Path,
) -> Fault:
    year, failure = next(iter(failures.items()))
    there = year_ranges(sorted(records)) or "none"
    found = f"years fetched or cached: {there}; missing: {year_ranges(missing)}. {year}: {failure.text}"
    remedy = {
        "key": "Check the key and the e-mail address.",
        "year": "Leave these years out, or choose another source.",
        "answer": "Choose another source, or download the file and read it with Weather.read.",
        "server": "Try again later: what was fetched is kept and will not be fetched again.",
    }[failure.kind]
    return Fault(f"{source} server", found, "every year must arrive complete", remedy)
