"""Workbooks, whole or not at all; what a user called something is text in them, whatever it begins with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from sitedesign.errors import Fault, InputError
from sitedesign.util.atomic_file import write_given


@contextmanager
def new_workbook(path: Path, *, where: str, of: str, gaps: bool = True) -> Iterator[Any]:
    """Open a workbook of XlsxWriter, written to its place once all of it is there.

    Parameters
    ----------
    path : Path
    where, of : str
        Name of the argument and of what was called, for messages.
    gaps : bool
        Whether cells may be no numbers, which a sheet shows as an error; refused otherwise.

    Raises
    ------
    InputError
        When XlsxWriter is not installed, or the file cannot be written.
    """
    try:
        import xlsxwriter
    except ImportError:
        fault = Fault(where, "XlsxWriter is not installed", "is needed", "pip install sitedesign[excel]")
        raise InputError([fault], of) from None
    stream = BytesIO()
    plain = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(stream, plain | {"nan_inf_to_errors": gaps}) as book:
        yield book
    write_given(path, stream.getvalue(), where=where, of=of)
