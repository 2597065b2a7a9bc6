"""Results of a batch as a workbook: every site with its figures, failures with their reasons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from sitedesign.batch.ranking import USABLE
from sitedesign.batch.worth import reason, worth
from sitedesign.errors import Fault, InputError
from sitedesign.util.workbook import new_workbook

_WIDEST, _MOST_ROWS = 60, 1_048_575
_SHARES = ("uptime_standard_error", "gap", "renewable_share")
_NUMBER, _SHARE, _EXACT = "#,##0.00", "0.00%", "0.0000%"


def write_workbook(frame: pd.DataFrame, path: Path) -> Path:
    """Write results with headings that stay, filters, and units in the names of columns.

    Parameters
    ----------
    frame : DataFrame
        What :func:`sitedesign.solve_many` or :func:`sitedesign.rank` returned.
    path : Path
        Ending in ``.xlsx``.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        When XlsxWriter is not installed, the table is longer than a sheet, or the file cannot be written.
    """
    if len(frame) > _MOST_ROWS:
        found = f"{len(frame):,} sites"
        fault = Fault("--excel", found, f"a sheet holds {_MOST_ROWS:,}", "Write --csv instead.")
        raise InputError([fault], "the workbook")
    with new_workbook(path, where="--excel", of="the workbook") as book:
        _write(book, "Sites", frame.drop(columns=["key"], errors="ignore"))
        failed = frame[~frame["status"].isin(USABLE)]
        if len(failed):
            _write(book, "Failed", failures(failed))
        about = pd.DataFrame({"what": ["sites", "without a design", "figures are"],
                              "found": [len(frame), len(failed), worth(frame)]})  # fmt: skip
        _write(book, "About", about)
    return path


def failures(failed: pd.DataFrame) -> pd.DataFrame:
    """Sites without a design and why, the reason on one line."""
    names = [name for name in ("name", "latitude", "longitude", "status", "error") if name in failed]
    table = failed[names].copy()
    if "error" in names:
        table["error"] = [reason(text) for text in table["error"]]
    return table


def _write(book: Any, name: str, table: pd.DataFrame) -> None:  # noqa: ANN401
    """Write one sheet."""
    sheet = book.add_worksheet(name)
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    formats = {text: book.add_format({"num_format": text}) for text in (_NUMBER, _SHARE, _EXACT)}
    for column, (title, cells) in enumerate(table.items()):
        look = formats.get(_format(str(title)))
        sheet.write_string(0, column, str(title), head)
        widest = min(len(str(title)), 18)
        for row, cell in enumerate(cells.tolist(), start=1):
            if cell is None or cell is pd.NA or cell != cell:  # no number is no cell
                continue
            sheet.write(row, column, cell, look if isinstance(cell, float) else None)
            widest = max(widest, len(str(cell)) if isinstance(cell, str) else 12)
        sheet.set_column(column, column, min(widest + 2, _WIDEST))
    sheet.freeze_panes(1, 1 if name == "Sites" else 0)
    sheet.autofilter(0, 0, len(table), len(table.columns) - 1)


def _format(column: str) -> str:
    """Look of the numbers of a column; none where they stay as they are."""
    if column in ("uptime", "uptime_achieved", "greedy_uptime") or column.startswith(
        ("certified_uptime", "uptime_of_")
    ):
        return _EXACT
    if column in _SHARES:
        return _SHARE
    return "" if column in ("latitude", "longitude", "rank") else _NUMBER
