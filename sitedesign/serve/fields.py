"""Fields of forms: what is asked, how it is shown, and how answers are read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from sitedesign import library
from sitedesign.errors import Fault
from sitedesign.study.inputs import StudyInputs
from sitedesign.util.gate import Gate, Measure
from sitedesign.util.inputs import Declared, declared

Kind = Literal["text", "number", "choice", "several", "file", "flag", "rows"]
Answers = Mapping[str, Any]
#: Suffixes of files of prices that the planner takes.
FILES = (".csv", ".txt", ".tsv", ".parquet")


@dataclass(frozen=True)
class Uploaded:
    """File that a browser sent."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Field:
    """One thing that the form asks.

    Attributes
    ----------
    name, label : str
        The name is its place in the study, such as ``limits.land_acres``.
    kind : {"text", "number", "choice", "several", "file", "flag", "rows"}
    default : str, float, tuple or None
    unit : str
        Shown behind a number.
    options : mapping of str to str
        Of a choice: value -> what a person reads.
    hint : str
        Shown below; for a price, what the library says when the field is left empty.
    columns : tuple of Field
        Of a table of rows; its value is a list of mappings.
    suffixes : tuple of str
        Of the files that it takes.
    """

    name: str
    label: str
    kind: Kind = "number"
    default: Any = None
    unit: str = ""
    options: Mapping[str, str] | None = None
    hint: str = ""
    columns: tuple[Field, ...] = ()
    suffixes: tuple[str, ...] = FILES

    @property
    def in_percent(self) -> bool:
        """Whether a fraction is asked in per cent."""
        return self.unit.partition("/")[0] == "%"


@dataclass(frozen=True)
class Group:
    """Fields under one heading; `folded` ones are for those who look for them."""

    title: str
    fields: tuple[Field, ...]
    folded: bool = False


#: Files that fields take.
TAKES_FILES = ("grid.prices", "grid.export_prices")
_OWN = ("site.", "pv.", "battery.", "study.", "terms.", "roadmap.", "finance.", "portfolio.")


def titles(kind: str) -> dict[str, str]:
    """Name the entries of a kind as people read them."""
    return {name: library.entry(kind, name).title for name in library.names(kind)}


def declared_fields(group: str, model: type[BaseModel] = StudyInputs, prefix: str = "") -> tuple[Field, ...]:
    """List the inputs under one heading as fields, as far as the planner can ask them as they stand."""
    return tuple(
        field_of_input(item, prefix)
        for item in declared(model).values()
        if item.told.group == group and item.told.planner and _can_be_asked(item, prefix)
    )


def _can_be_asked(item: Declared, prefix: str) -> bool:
    if item.sort == "words":  # of which some are names of the library
        return item.name in library.KINDS
    return item.sort not in ("table", "file") or prefix + item.name in TAKES_FILES


def field_of_input(item: Declared, prefix: str = "") -> Field:
    """Ask an input as it is declared: its title, first sentence, unit, choices and default."""
    told, several = item.told, isinstance(item.default, tuple)
    if item.sort == "file":
        return Field(prefix + item.name, told.title, "file", hint=f"{item.brief}.")
    options: Mapping[str, str] | None = None
    if item.sort in ("entry", "words") and item.name in library.KINDS:
        options = titles(item.name)
    elif item.choices:
        options = told.words or {str(word): str(word) for word in item.choices}
    plain: Kind = "text" if item.sort in ("text", "day", "entry") else "number"
    kind: Kind = "several" if several else "choice" if options else plain
    unit, default = item.unit if kind == "number" else "", item.default
    if unit.partition("/")[0] == "fraction":
        unit, default = unit.replace("fraction", "%"), None if default is None else default * 100
    if kind in ("text", "choice"):
        default = "" if default is None else str(default)
        options = {"": "as it comes"} | dict(options) if options and not default else options
    upper = item.sort == "bounds" or item.brief.startswith(("Most", "Longest"))
    title = told.title[:1].upper() + told.title[1:]
    label = f"Most {told.title}" if prefix == "limits." and upper else title
    return Field(prefix + item.name, label, kind, default, unit, options, f"{item.brief}.")


def fraction(name: str, percent: float | None, gate: Gate | None, faults: list[Fault]) -> float | None:
    """Fraction from per cent; the form asks in per cent, so it complains in per cent."""
    if percent is None or not isinstance(gate, Measure):
        return None
    found = round(percent / 100, 12)
    rate = gate.unit != "fraction"  # below one per cent is nothing strange there
    slip = not rate and (0 < percent < 1 or (percent == 1 and gate.above))
    if not slip and gate.wrong(found) is None:
        return found
    first = "above 1" if gate.above else "1" if gate.low else "0, or 1"
    remedy = f"A fraction was meant? {percent:g} is {percent * 100:.10g} %." if slip else ""
    if name == "uptime" and percent == 100:
        remedy = "No finite plant is never down; try 99.99."
    allowed = f"must be {first} {'and below' if gate.below else 'to'} 100 %"
    if rate or gate.low not in (0, 1) or gate.high != 1:
        allowed = f"must be in [{gate.low * 100:g}, {gate.high * 100:g}] %"
    faults.append(Fault(where_of(name), f"{percent:g} %", allowed, remedy))
    return None


def where_of(name: str) -> str:
    """Place of a field as faults name it: what is no part of anything else is the study's."""
    return name if name.startswith(_OWN) else f"study.{name}"


def whole(value: float | None) -> float | int | None:
    """Whole numbers as such; anything else stays, so that the study can say what is wrong with it."""
    return int(value) if value is not None and value == int(value) else value


@dataclass(frozen=True)
class Numbers:
    """Reads numbers of the form: None for an empty field, a fault for what is no number."""

    answers: Answers
    faults: list[Fault]

    def __call__(self, name: str) -> float | None:
        """Read one field."""
        value = self.answers.get(name)
        if value is None or str(value).strip() == "":
            return None
        try:
            number = float(str(value).strip())
        except ValueError:
            number = math.nan
        if math.isfinite(number):
            return number
        where = where_of("racks" if name == "amount" else name)
        self.faults.append(Fault(where, repr(str(value)[:40]), "must be a number"))
        return None
