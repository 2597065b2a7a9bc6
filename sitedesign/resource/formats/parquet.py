"""Parquet with named columns: the same table as a CSV, header lines in the schema's metadata."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sitedesign.errors import Fault, InputError
from sitedesign.resource.formats import plain
from sitedesign.resource.formats.record import Record
from sitedesign.resource.formats.source import SourceText
from sitedesign.resource.formats.wrong import unrecognised
from sitedesign.site import Site

MAGIC = "PAR1"
_NOT_FOR_PEOPLE = (b"pandas", b"ARROW:schema")


def recognise(head: str) -> bool:
    """Tell a Parquet file by its first four bytes."""
    return head.startswith(MAGIC)


def parse(source: SourceText, site: Site | None = None) -> Record:
    """Read one table; parameters and errors are those of :func:`sitedesign.resource.formats.plain.parse`."""
    try:
        table = pq.read_table(source.path)
    except (pa.ArrowException, OSError) as error:
        found = f"a Parquet file that cannot be read ({error})"[:200]
        raise InputError(
            [Fault(source.name, found, "must be complete", "Write it again.")], plain.OF
        ) from None
    known = table.schema.metadata or {}
    keys = {key.decode(): value.decode() for key, value in known.items() if key not in _NOT_FOR_PEOPLE}
    frame = table.to_pandas()
    if not isinstance(frame.index, pd.RangeIndex):  # a time index keeps no name of its own
        frame = frame.rename_axis(frame.index.name or "time").reset_index()
    text = "".join(f"# {key}: {value}\n" for key, value in keys.items()) + frame.to_csv(index=False)
    if not plain.recognise(text):
        raise InputError([unrecognised(source.name, text)], plain.OF)
    return plain.parse(SourceText(source.name, text, source.path), site)
