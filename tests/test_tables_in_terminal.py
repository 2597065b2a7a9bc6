"""Tables of the command line: no number is cut, whatever the width."""

from __future__ import annotations

import pytest

from sitedesign.cli.tables import table_text

HEADS = ["#", "site", "cost\nM USD/yr", "solar\nMWdc"]
ROWS = [["1", "El Paso", "81.8", "1,227"], ["2", "Amarillo", "9.67", "-"]]


@pytest.mark.parametrize("width", [None, 80, 33])
def test_columns_stand_side_by_side_where_they_fit(width) -> None:
    wanted = (
        "                 cost  solar\n"
        "#  site      M USD/yr   MWdc\n"
        "1  El Paso       81.8  1,227\n"
        "2  Amarillo      9.67      -"
    )
    assert table_text(HEADS, ROWS, {1}, width, title=1) == wanted


def test_they_are_stacked_where_they_do_not() -> None:
    wanted = (
        "1 El Paso\n  cost M USD/yr  81.8\n  solar MWdc     1,227\n\n"
        "2 Amarillo\n  cost M USD/yr  9.67\n  solar MWdc     -"
    )
    assert table_text(HEADS, ROWS, {1}, 27, title=1) == wanted
    assert table_text(["uptime", "cost"], [["0.9", "1"]], width=5) == "uptime 0.9\n  cost  1"
