"""Parquet with named columns: the same table as a CSV, header lines in the schema's metadata."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sitedesign.errors import Fault, InputError
from sitedesign.weather.files.formats import generic
from sitedesign.weather.files.formats.source import SourceText
from sitedesign.weather.files.formats.unsupported import unrecognised
from sitedesign.weather.files.record import WeatherRecord
from sitedesign.weather.site import Site

MAGIC = "PAR1"
_NOT_FOR_PEOPLE = (b"pandas", b"ARROW:schema")


def recognise(head: str) -> bool:
    """Tell a Parquet file by its first four bytes."""
    return head.startswith(MAGIC)


def parse(source: SourceText, site: Site | None = None) -> WeatherRecord:
    """Read one table, as :func:`sitedesign.weather.files.formats.generic.parse` does."""
    text = text_of(source.path)
    if not generic.recognise(text):
        raise InputError([unrecognised(source.name, text)], generic.OF)
    return generic.parse(SourceText(source.name, text, source.path), site)


def text_of(path: Path) -> str:
    """Write a Parquet file as the CSV that it might have been.

    Raises
    ------
    InputError
        If it is not complete.
    """
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        found = f"a Parquet file that cannot be read ({error})"[:200]
        raise InputError(
            [Fault(path.name, found, "must be complete", "Write it again.")], generic.OF
        ) from None
    known = table.schema.metadata or {}
    keys = {key.decode(): value.decode() for key, value in known.items() if key not in _NOT_FOR_PEOPLE}
    frame = table.to_pandas()
    if not isinstance(frame.index, pd.RangeIndex):  # a time index keeps no name of its own
        frame = frame.rename_axis(frame.index.name or "time").reset_index()
    head = "".join(f"# {key}: {value}\n" for key, value in keys.items())
    return head + str(frame.to_csv(index=False))
