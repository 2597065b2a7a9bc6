"""How tables leave: small ones of a notebook, light or dark, and those that a spreadsheet opens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_LEFT = "style='text-align:left;vertical-align:top'"


def table_html(head: str, rows: Iterable[Sequence[str]], columns: Sequence[str] = ()) -> str:
    """Write a table whose first column names the row; every text is escaped.

    The table sets no colour, so it takes that of the notebook's theme.

    Parameters
    ----------
    head : str
        Caption, in bold.
    rows : iterable of sequence of str
        Cells of each row, the name of the row first.
    columns : sequence of str
        Names of the columns; no head row when left out.

    Returns
    -------
    str
    """
    names = "".join(f"<th {_LEFT}>{escape(name)}</th>" for name in columns)
    body = "".join(
        f"<tr><th {_LEFT}>{escape(name)}</th>"
        + "".join(f"<td {_LEFT}>{escape(cell)}</td>" for cell in cells)
        + "</tr>"
        for name, *cells in rows
    )
    top = f"<thead><tr>{names}</tr></thead>" if names else ""
    caption = f"<caption style='text-align:left'><b>{escape(head)}</b></caption>"
    return f"<table>{caption}{top}<tbody>{body}</tbody></table>"


#: A cell that begins with one of these is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def table_csv(table: pd.DataFrame) -> bytes:
    """Write a table as CSV that a spreadsheet shows and never runs: texts like formulas get an apostrophe."""

    def harmless(cell: Any) -> Any:  # noqa: ANN401
        return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell

    return table.rename(columns=harmless).map(harmless).to_csv(index=False).encode()
