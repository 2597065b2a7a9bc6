"""A design as a workbook: the answer, figures, costs, energy, the question and its numbers with sources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sitedesign.report import content
from sitedesign.results.design import Design
from sitedesign.util.workbook import new_workbook

Cell = str | float | None
_WIDEST = 90


def write_design_sheet(design: Design, path: Path) -> Path:
    """Write the workbook.

    Parameters
    ----------
    design : Design
    path : path
        Ending in ``.xlsx``.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        When XlsxWriter is not installed, or the file cannot be written.
    """
    with new_workbook(path, where="path", of="to_excel()") as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        for name, head, rows in _sheets(design):
            _write(book.add_worksheet(name), bold, head, rows)
    return path


def _sheets(design: Design) -> Iterable[tuple[str, Sequence[str], Iterable[Sequence[Any]]]]:
    """Name, heading and rows of each sheet."""
    yield "Answer", (design.answer.head, ""), [tuple(row) for row in design.answer.rows]
    yield "Plant", ("what", "size", "unit"), _plant(design)
    table = design.cost_table()
    yield "Cost", list(table.columns), [list(row) for row in table.itertuples(index=False)]
    energy = [(name, mwh) for name, mwh in design.energy_mwh_per_yr.items()]
    yield "Energy", ("source or use", "MWh/yr"), energy
    if design.certificate is not None:
        yield "Certificate", ("what", "found"), content.certificate_rows(design.certificate, design)
        yield "Causes", ("cause of what is lost", "share"), list(design.certificate.causes.items())
    if design.nearly_as_good is not None:
        near = design.nearly_as_good.table()
        yield "Nearly as good", list(near.columns), [list(row) for row in near.itertuples(index=False)]
    yield "Question", ("input", "value"), content.question_rows(design)
    yield "Numbers", ("entry", "number", "value", "unit", "confidence", "source"), _numbers(design)
    yield "Details", ("what", "text"), [tuple(row) for row in design.details.rows]


def _plant(design: Design) -> list[Sequence[Cell]]:
    rows: list[Sequence[Cell]] = [
        (name, mw, "MWdc" if name == "solar" else "MW") for name, mw in design.resources_mw.items()
    ]
    rows += [("battery energy", design.battery_mwh, "MWh"), ("battery power", design.battery_mw, "MW")]
    for name, units in design.backup.items():
        rows += [
            (f"{name}: units", units, ""),
            (f"{name}: together", units * design.backup_unit_mw[name], "MW"),
        ]
    rows += [(name, mw, "MW") for name, mw in (design.imports_mw | design.sinks_mw).items()]
    rows += [("racks installed", design.racks, ""), ("racks contracted", design.racks_contracted, "")]
    return [*rows, ("first power", design.months_to_power, "months"), ("land", design.land_acres, "acres")]


def _numbers(design: Design) -> list[Sequence[Cell]]:
    return [
        (table.entry.title, row["meaning"], row["value"], row["unit"], row["confidence"], row["source"])
        for table in content.assumptions(design)
        for row in table.to_frame().to_dict("records")
    ]


def _write(sheet: Any, bold: Any, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:  # noqa: ANN401
    """Write a heading and rows, columns as wide as what they hold."""
    lines: list[list[Any]] = [list(head), *(list(row) for row in rows)]
    for number, line in enumerate(lines):
        for column, cell in enumerate(line):
            if cell is not None and cell == cell:  # no number is no cell
                sheet.write(number, column, cell, bold if number == 0 else None)
    for column in range(len(head)):
        widest = max(len(str(line[column])) for line in lines if column < len(line))
        sheet.set_column(column, column, min(widest + 2, _WIDEST))
    sheet.freeze_panes(1, 0)
