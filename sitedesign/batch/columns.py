"""Columns of the results: those of the table of sites, and what a batch finds."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from sitedesign import library
from sitedesign.batch.one_site import (
    CERTIFIED_FIGURES,
    CHOSEN,
    FIGURES,
    GRID_FIGURES,
    ROADMAP_FIGURES,
    TAKER_FIGURES,
    BatchJob,
)
from sitedesign.batch.question import Question, class_names, technologies
from sitedesign.batch.store import RUN_FIELDS
from sitedesign.batch.table import NESTED, TEXT_COLUMNS, SiteTable
from sitedesign.library import Backup, Region
from sitedesign.study.inputs import DEFAULT_BACKUP
from sitedesign.study.resolve import takers_of_surplus
from sitedesign.util.inputs import declared


def result_schema(table: SiteTable, question: Question, job: BatchJob) -> pa.Schema:
    """Columns of the results: the table's own, status, figures, error; the same whatever the order."""
    columns = [*table.columns] + ([] if "name" in table.columns else ["name"])
    given = {name: pa.string() if _is_text(table, name) else pa.float64() for name in columns}
    made = made_columns(table, question, job)
    return pa.schema(
        [("key", pa.string()), *(given | {k: v for k, v in made.items() if k not in given}).items()]
    )


def made_columns(table: SiteTable, question: Question, job: BatchJob) -> dict[str, pa.DataType]:
    """Columns that a batch adds to those of its table, with their types."""
    backup = _technologies(table, question, "backup", DEFAULT_BACKUP)
    units = {f"units_{name}": pa.int64() for name in backup}
    farms = {f"{name}_mw": pa.float64() for name in _technologies(table, question, "wind")}
    numbers = {name: pa.float64() for name in FIGURES} | {"racks_installed": pa.int64()}
    sizes, rest = FIGURES[:3], FIGURES[3:]
    if job.stage == "certified":
        numbers |= {name: pa.float64() for name in CERTIFIED_FIGURES}
        rest += CERTIFIED_FIGURES
    made = {name: pa.string() for name in ("status", "stage", "country", "region")}
    made |= {name: numbers[name] for name in sizes}
    made |= farms | units | {name: numbers[name] for name in rest}
    if _has_grid(table, question):
        made |= {name: pa.float64() for name in GRID_FIGURES}
    if job.roadmap is not None:
        made |= {name: pa.float64() for name in ROADMAP_FIGURES}
    made |= {f"{name}{figure}": pa.float64() for name in _takers(table, question) for figure in TAKER_FIGURES}
    made |= {f"second_fuel_mmbtu_{name}": pa.float64() for name in _with_second_fuel(backup, question)}
    made |= {f"uptime_of_{name}": pa.float64() for name in class_names(question)}
    if _chooses_arrays(table, question):
        made |= {f"{name}_built": pa.string() for name in CHOSEN}
    return made | {"weather_flags": pa.string(), "error": pa.string()}


def taken_columns(table: SiteTable, question: Question, job: BatchJob) -> set[str]:
    """Names that no column of the owner's own can have in the results."""
    made = {*made_columns(table, question, job), *CERTIFIED_FIGURES}
    second = {f"certified_{name.removeprefix('certified_')}" for name in made}
    return made | second | {"key", *(field.name for field in RUN_FIELDS)}


def _chooses_arrays(table: SiteTable, question: Question) -> bool:
    """Whether a site may choose among several arrays."""
    several = isinstance(question.fields.get("pv"), list | tuple)
    several = several or bool(question.fields.get("power_paths"))
    return several or any(";" in str(row.get("pv", "")) for row in table.rows)


def _is_text(table: SiteTable, column: str) -> bool:
    if column in table.carried:
        return any(isinstance(row[column], str) for row in table.rows if column in row)
    if column in TEXT_COLUMNS:
        return True
    head, _, name = column.partition(".")
    if head not in NESTED:
        return False
    if head == "region":
        return name in Region.words()
    item = declared(NESTED[head]).get(name)
    if item is not None and item.sort not in ("number", "bounds", "table"):
        return True
    cells = [row[column] for row in table.rows if column in row]
    return any(isinstance(cell, str) and ":" in cell for cell in cells)


def _has_grid(table: SiteTable, question: Question) -> bool:
    """Whether a site may have a connection to the grid."""
    asked = question.fields.get("grid") is not None
    return asked or any(column.partition(".")[0] == "grid" for column in table.columns)


def _technologies(table: SiteTable, question: Question, kind: str, usual: tuple[str, ...] = ()) -> list[str]:
    """Names of every technology of a kind that a row may use, sorted."""
    given = question.fields.get(kind)
    cells = {row[kind] for row in table.rows if isinstance(row.get(kind), str)}
    given = usual if given is None else given
    items = [*(technologies(given) if not hasattr(given, "name") else [given])]
    for cell in cells:
        items += technologies(cell)
    names = {item if isinstance(item, str) else item.name for item in items}
    return sorted(name for name in names if name in library.names(kind) or name not in cells)


def _takers(table: SiteTable, question: Question) -> list[str]:
    """Names of all who may take surplus in any row, sorted."""
    cells = [row["surplus"] for row in table.rows if isinstance(row.get("surplus"), str)]
    given = (question.fields.get("surplus"), *map(technologies, cells))
    return sorted({item.label for some in given for item in takers_of_surplus(some, [])})


def _with_second_fuel(names: Sequence[str], question: Question) -> list[str]:
    """Those of some technologies that have a second fuel."""
    given = question.fields.get("backup")
    own = [
        item for item in (given if isinstance(given, list | tuple) else [given]) if isinstance(item, Backup)
    ]
    known = {name: library.backup(name) for name in names if name in library.names("backup")}
    known |= {item.name: item for item in own}
    return [name for name in names if name in known and known[name].second_fuel != "none"]
