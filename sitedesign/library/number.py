"""What a library number is: its unit, its range, where it came from, and what is wrong with it.

Every field of an entry is declared once, as ``Annotated[float, Number(unit, low, high, meaning)]``; the range
check, the unit check of the files, the printed tables and the sheet in ``models/README.md`` all read that
declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import pairwise
from types import NoneType
from typing import Any, Literal, Self, get_args

from pydantic import ConfigDict, Field, ValidationError

from sitedesign.errors import Fault, InputError, nearest, shown
from sitedesign.util.gate import TEXT, is_number, takes, unnamed
from sitedesign.util.model import Model
from sitedesign.util.validation import faults_of

Value = float | int | date | tuple[tuple[float, float], ...] | tuple[float, ...] | None

STATUS = {
    "V": "read in the primary text, data file or data sheet",
    "S": "read in a secondary relay only",
    "K": "known from the named publication, not re-opened",
    "D": "derived by arithmetic from figures read",
    "E": "engineering judgement, no citable measurement found",
    "user": "set by the user",
}
CONFIDENCE = {
    "H": "good to about 10 %",
    "M": "about 25 %",
    "L": "about 50 % or worse",
    "user": "set by the user",
}


NOTHING_YET: Literal["nothing yet"] = "nothing yet"


class Quantity(Model):
    """One number with its provenance.

    Attributes
    ----------
    value : float, int, date, tuple or None
        In `unit`; None where the technology has no such number.
    unit : str
        For example ``USD/kWh``; ``fraction`` for shares.
    year : int or None
        Year of the price or of the publication.
    source : str
        Author, title, publisher; ``user`` when replaced by the user.
    status : str
        Letters of `STATUS`, joined by ``/``, or ``user``.
    confidence : str
        H, M, L, or ``user``.
    note : str
    range : tuple of float or None
        Low and high value worth a sensitivity run. [unit]
    used_by : str
        `NOTHING_YET` where no part of sitedesign reads the number, so that changing it changes no answer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: Value
    unit: str
    year: int | None
    source: str
    status: str
    confidence: str
    note: str = ""
    range: tuple[float, float] | None = None
    used_by: Literal["", "nothing yet"] = ""


@dataclass(frozen=True)
class Number:
    """Declaration of one number: its unit, its allowed range and what it means.

    Attributes
    ----------
    unit : str
    low, high : float
        Allowed range, both ends included. [unit]
    meaning : str
        One line for tables.
    whole : bool
        Whether only whole numbers make sense.
    """

    unit: str
    low: float
    high: float
    meaning: str
    whole: bool = False

    def wrong(self, value: Any) -> tuple[str, str, str] | None:  # noqa: ANN401
        """Say what is wrong with `value` as (found, allowed, remedy), or None.

        Parameters
        ----------
        value : object
            As read from a file or given by the user.
        """
        if not _is_number(value):
            return shown(value), f"must be a number of {self.unit}", ""
        if not self.low <= value <= self.high:
            return f"{value:g}", *self._out_of_range(value)
        if self.whole and value != int(value):
            return f"{value:g}", f"must be a whole number of {self.unit}", ""
        return None

    def _out_of_range(self, value: float) -> tuple[str, str]:
        as_percent = self.unit.startswith("fraction") and self.low <= value / 100 <= self.high
        if as_percent:
            percent = "%" + self.unit.removeprefix("fraction")
            return f'unit is "{self.unit}"', f'Write {value / 100:g}, or set unit = "{percent}".'
        sign = self.unit.startswith("fraction") and self.low <= -value <= self.high
        remedy = f"Losses are negative here: write {-value:g}." if sign else ""
        return f"must be in [{self.low:g}, {self.high:g}] {self.unit}", remedy


@dataclass(frozen=True)
class Pairs(Number):
    """Declaration of a table of (x, y) pairs, x strictly rising or falling; `low` and `high` bound y.

    Attributes
    ----------
    concave : bool
        Whether y must be concave in x, start at (1, 1) and end at (x, 0): a throughput curve.
    """

    concave: bool = False

    def wrong(self, value: Any) -> tuple[str, str, str] | None:  # noqa: ANN401
        """Say what is wrong with `value` as (found, allowed, remedy), or None."""
        if not _is_pairs(value):
            return shown(value), f"must be two or more pairs [x, y] of {self.unit}", ""
        points = [(float(x), float(y)) for x, y in value]
        steps = [x1 - x0 for (x0, _), (x1, _) in pairwise(points)]
        if not (all(step > 0 for step in steps) or all(step < 0 for step in steps)):
            return shown(value), "the first numbers of the pairs must rise or fall throughout", ""
        for x, y in points:
            if not self.low <= y <= self.high:
                return f"{y:g} at {x:g}", f"must be in [{self.low:g}, {self.high:g}]", ""
        return self._curve_fault(points) if self.concave else None

    @staticmethod
    def _curve_fault(points: list[tuple[float, float]]) -> tuple[str, str, str] | None:
        if points[0] != (1.0, 1.0) or points[-1][1] != 0.0 or not 0 < points[-1][0] < 1:
            return (
                f"{points[0]} to {points[-1]}",
                "must start at (1, 1), full power and throughput, and end at (idle power, 0)",
                "",
            )
        slopes = [(y1 - y0) / (x1 - x0) for (x0, y0), (x1, y1) in pairwise(points)]
        for (x, _), (before, after) in zip(points[1:], pairwise(slopes), strict=False):
            if after < before * (1 - 1e-9):
                return (
                    f"slope {before:.3g} above {x:g} and {after:.3g} below",
                    "the loss of throughput per unit of power must grow as power falls (a concave curve)",
                    f"Drop the point at {x:g} or raise it.",
                )
        return None


@dataclass(frozen=True)
class Shares(Number):
    """Declaration of a list of shares that sum to one, such as a depreciation table."""

    def wrong(self, value: Any) -> tuple[str, str, str] | None:  # noqa: ANN401
        """Say what is wrong with `value` as (found, allowed, remedy), or None."""
        if not isinstance(value, list | tuple) or not value or not all(_is_number(item) for item in value):
            return shown(value), f"must be a list of {self.unit}", ""
        if min(value) < self.low or abs(sum(value) - 1) > 1e-6:
            return f"{list(value)}", "must be shares that sum to 1", ""
        return None


@dataclass(frozen=True)
class Day(Number):
    """Declaration of a calendar day; `low` and `high` bound the year."""

    def wrong(self, value: Any) -> tuple[str, str, str] | None:  # noqa: ANN401
        """Say what is wrong with `value` as (found, allowed, remedy), or None."""
        try:
            day = value if isinstance(value, date) else date.fromisoformat(value)
        except (TypeError, ValueError):
            return shown(value), "must be a day", "Write it as 2026-07-04."
        if not self.low <= day.year <= self.high:
            return str(day), f"the year must be in [{self.low:g}, {self.high:g}]", ""
        return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and is_number(value)


def _is_pairs(value: object) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) >= 2
        and all(
            isinstance(pair, list | tuple) and len(pair) == 2 and all(_is_number(item) for item in pair)
            for pair in value
        )
    )


class Entry(Model):
    """One entry of the technology library: frozen, validated, every number with its source.

    Attributes
    ----------
    kind : str
        Folder of ``models/`` that it belongs to.
    name : str
        Library name, the file's name without its ending.
    title : str
        What it is, in a few words.
    sources : mapping of str to Quantity
        Provenance of every number, by field name.

    Raises
    ------
    InputError
        If a field is missing, unknown, of the wrong type or out of range; all faults at once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    name: str
    title: str
    sources: Mapping[str, Quantity] = Field(default_factory=dict, repr=False)

    def __init__(self, *given: Any, **data: Any) -> None:  # noqa: ANN401
        label = f"{type(self).__name__}()"
        prefix = str(type(self).model_fields["kind"].default)
        faults = unnamed(given, prefix, f"{label[:-1]}name=..., title=..., ...)")
        faults += type(self).faults(data, lambda field: f"{prefix}.{field}")
        if faults:
            raise InputError(faults, label)
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise InputError(faults_of(error, prefix, type(self).model_fields), label) from None

    @classmethod
    def numbers(cls) -> dict[str, Number]:
        """Return the declarations of all numbers, by field name, in order."""
        return _numbers(cls)

    @classmethod
    def words(cls) -> tuple[str, ...]:
        """Names of the fields that are words, not numbers (mount, coupling, fuel ...)."""
        fixed = {"kind", "name", "title", "sources", *cls.numbers()}
        return tuple(name for name in cls.model_fields if name not in fixed)

    @classmethod
    def may_be_none(cls, field: str) -> bool:
        """Whether a technology may lack this number."""
        return NoneType in get_args(cls.model_fields[field].annotation)

    @classmethod
    def faults(cls, data: Mapping[str, Any], where: Callable[[str], str]) -> list[Fault]:
        """Find everything wrong with `data`.

        Parameters
        ----------
        data : mapping
            Field values.
        where : callable
            Turns a field name into the location shown to the user.
        """
        known = [name for name in cls.model_fields if name not in ("kind", "sources")]
        found = [
            Fault(
                where(key),
                "an unknown key",
                f"must be a number or word of {cls.__name__}",
                nearest(key, known),
            )
            for key in data
            if key not in cls.model_fields
        ]
        for field, number in cls.numbers().items():
            if field not in data:
                found.append(
                    Fault(where(field), "nothing", f"is needed, in {number.unit}", number.meaning + ".")
                )
            elif data[field] is None:
                if not cls.may_be_none(field):
                    found.append(Fault(where(field), "none", f"must be a number of {number.unit}"))
            elif wrong := number.wrong(data[field]):
                found.append(Fault(where(field), *wrong))
        for field in cls.words():
            allowed = get_args(cls.model_fields[field].annotation)
            value = data.get(field)
            if allowed and not (isinstance(value, str) and value in allowed):
                name = shown(value) if field in data else "nothing"
                found.append(Fault(where(field), name, f"must be one of {', '.join(allowed)}"))
        if not found:
            found = [Fault(where(field), *rest) for field, *rest in cls.contradictions(data)]
        return found

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
        """Find fields that contradict one another, as (field, found, allowed, remedy)."""
        del data
        return []

    @takes("used_by()", field=TEXT)
    def used_by(self, field: str) -> Literal["", "nothing yet"]:
        """`NOTHING_YET` for a number that no part of sitedesign reads, else an empty text."""
        return self.sources[field].used_by if field in self.sources else ""

    def idle_changes(self) -> list[str]:
        """Names of the numbers that a user has set although nothing reads them."""
        return [name for name, item in self.sources.items() if item.used_by and item.status == "user"]

    @takes("replace()")
    def replace(self, **changes: Any) -> Self:  # noqa: ANN401
        """Return a copy with some fields changed; the changed ones have the source ``user``.

        Parameters
        ----------
        **changes
            New values by field name, in the units of the field names.

        Returns
        -------
        Entry
            Validated like the original.

        Raises
        ------
        InputError
            For unknown fields (with the nearest known one) and values out of range, all at once.
        """
        values = {
            name: getattr(self, name) for name in type(self).model_fields if name not in ("kind", "sources")
        }
        prefix = f"{self.kind}.{self.name}"
        fixed = [name for name in ("kind", "sources") if name in changes]
        faults = [Fault(f"{prefix}.{name}", "a change", "must stay as it is") for name in fixed]
        faults += type(self).faults(values | changes, lambda field: f"{prefix}.{field}")
        if faults:
            raise InputError(faults, f"{self.kind}({self.name!r}).replace()")
        numbers = type(self).numbers()
        amended = {
            name: Quantity(value=value, unit=numbers[name].unit, year=None, source="user", status="user",
                           confidence="user", used_by=self.used_by(name))
            for name, value in changes.items() if name in numbers
        }  # fmt: skip
        return type(self)(**(values | changes), sources={**self.sources, **amended})

    def __hash__(self) -> int:
        """Hash the numbers; the sources are prose."""
        return hash(
            (self.kind, *(getattr(self, name) for name in type(self).model_fields if name != "sources"))
        )

    def __repr__(self) -> str:
        """Name it; `sitedesign.library.show` prints the numbers."""
        return f"{type(self).__name__}({self.name!r}: {self.title})"

    __str__ = __repr__


@cache
def _numbers(cls: type[Entry]) -> dict[str, Number]:
    declared = {
        name: [item for item in info.metadata if isinstance(item, Number)]
        for name, info in cls.model_fields.items()
    }
    return {name: found[0] for name, found in declared.items() if found}
