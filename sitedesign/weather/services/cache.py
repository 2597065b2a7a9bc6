"""One file per fetched site-year, written atomically and checked when read."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zlib
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import platformdirs

from sitedesign.util.atomic_file import write_atomic
from sitedesign.util.csv_series import csv_series
from sitedesign.weather.files.record import WeatherRecord
from sitedesign.weather.site import Site

_FORMAT = 1
_MOST_BYTES = 64_000_000  # a year of minutes takes some 30 MB


def default_folder() -> Path:
    """Folder of the user's cache; never inside the package."""
    return Path(platformdirs.user_cache_dir("sitedesign", appauthor=False)) / "weather"


def path_of(folder: Path, source: str, site: Site, year: int) -> Path:
    """Cache file of a site-year; places within about 5 m share one."""
    return folder / source / f"{site.latitude:.4f}_{site.longitude:.4f}_{year}.csv.gz"


def store(path: Path, record: WeatherRecord) -> None:
    """Write a record so that a reader sees either nothing or all of it.

    Parameters
    ----------
    path : Path
    record : WeatherRecord

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    body = csv_series(record.frame, label="start_utc", between="T")
    about = {key: value for key, value in asdict(_without_frame(record)).items() if key != "frame"}
    head = {"format": _FORMAT, "sha256": hashlib.sha256(body.encode()).hexdigest(), "record": about}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, gzip.compress(f"{json.dumps(head)}\n{body}".encode(), mtime=0))


def load(path: Path) -> WeatherRecord | None:
    """Read a record back.

    Parameters
    ----------
    path : Path

    Returns
    -------
    WeatherRecord or None
        None if there is no file, or it is damaged (cut short, changed, or of an older format).
    """
    try:
        with gzip.open(path) as file:
            content = file.read(_MOST_BYTES + 1)  # a small file can unpack to gigabytes
        if len(content) > _MOST_BYTES:
            return None
        head, _, body = content.decode().partition("\n")
        about = json.loads(head)
        if about["format"] != _FORMAT or hashlib.sha256(body.encode()).hexdigest() != about["sha256"]:
            return None
        frame = pd.read_csv(io.StringIO(body), index_col="start_utc", parse_dates=True).astype("float64")
        fields = about["record"]
        fields["notes"] = tuple(fields["notes"])
        return WeatherRecord(frame=frame, **fields)
    except (OSError, EOFError, ValueError, KeyError, TypeError, RecursionError, zlib.error):
        return None


def _without_frame(record: WeatherRecord) -> WeatherRecord:
    from dataclasses import replace

    return replace(record, frame=pd.DataFrame())
