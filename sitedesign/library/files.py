"""Reads library entries from TOML: the library's own under ``models/`` and a user's files.

One file is one entry. Words stand at the top (``title``, ``coupling`` ...), each number is a table::

    [capex_usd_per_kwh]
    value = 170
    unit = "USD/kWh"
    year = 2025
    source = "Author, Title, publisher, year"
    status = "E"                # letters of sitedesign.library.STATUS
    confidence = "L"            # H, M or L
    range = [110, 240]          # optional: worth a sensitivity run
    note = "why this one"       # optional
    used_by = "nothing yet"     # only where no part of sitedesign reads the number; tested

Many entries of one kind that differ in a few numbers stand in a table beside it, one row an entry: see
:func:`_rows`.

``extends = "lfp"`` starts from another entry of the same kind and amends it. A technology that has no such
number says ``value = "none"``. In a user's own file a bare ``capex_usd_per_kwh = 150`` is enough.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

import sitedesign
from sitedesign.errors import Fault, InputError, nearest, unknown_name
from sitedesign.library.connection import Connection, RegionalTariff, SurplusUse
from sitedesign.library.equipment import Backup, Battery, Fuel, PowerPath, Pv, Wind
from sitedesign.library.number import CONFIDENCE, NOTHING_YET, STATUS, Entry, Number, Quantity
from sitedesign.library.project import DebtTerms, Facility, Finance, Rack, Region, Scale, Schedule
from sitedesign.library.timing import DeliveryRate, Owner, RentalTerms
from sitedesign.util.gate import TEXT, File, OneOf, parse_toml, read_bytes, takes

KINDS: dict[str, type[Entry]] = {
    "pv": Pv,
    "wind": Wind,
    "battery": Battery,
    "backup": Backup,
    "fuel": Fuel,
    "power_path": PowerPath,
    "rack": Rack,
    "facility": Facility,
    "finance": Finance,
    "debt": DebtTerms,
    "schedule": Schedule,
    "delivery": DeliveryRate,
    "rental": RentalTerms,
    "owner": Owner,
    "tariff": RegionalTariff,
    "grid": Connection,
    "surplus": SurplusUse,
    "region": Region,
    "scale": Scale,
}
# Kinds of which entries stand in a table: its file, and the entry that its rows amend.
_TABLES = {"region": ("_states.csv", "us")}
_KEYS = ("value", "unit", "year", "source", "status", "confidence", "range", "note", "used_by")
_NEEDED = ("unit", "year", "source", "status", "confidence")
_TOP = ("kind", "name", "title", "extends")


@takes("the technology library", kind=OneOf(("models", "weather")))
def library_folder(kind: str) -> Path:
    """Folder of declarative data shipped with the package.

    Parameters
    ----------
    kind : str
        ``models`` or ``weather``.

    Returns
    -------
    pathlib.Path
        Inside the package when installed, beside it in a checkout.
    """
    package = Path(sitedesign.__file__).parent
    installed = package / "_library" / kind
    return installed if installed.is_dir() else package.parent / kind


@takes("the technology library", kind=TEXT)
def names(kind: str) -> tuple[str, ...]:
    """Names of all library entries of a kind, sorted.

    Raises
    ------
    InputError
        For an unknown kind.
    """
    if kind not in KINDS:
        raise InputError([unknown_name("kind", kind, KINDS)], "the technology library")
    return _library_names(kind)


@cache
def _library_names(kind: str) -> tuple[str, ...]:
    files = (library_folder("models") / kind).glob("*.toml")
    return tuple(sorted([*(file.stem for file in files if not file.stem.startswith("_")), *_rows(kind)]))


@takes("the technology library", kind=TEXT, name=TEXT)
def entry(kind: str, name: str) -> Entry:
    """Look up one library entry, or read one from a user's file.

    Parameters
    ----------
    kind : str
        Key of `KINDS`.
    name : str
        Library name, or the path of a TOML file (ending in ``.toml``).

    Raises
    ------
    InputError
        For an unknown kind or name (with the nearest known one) or a faulty file.
    """
    if kind not in KINDS:
        raise InputError([unknown_name("kind", kind, KINDS)], "the technology library")
    if name.endswith(".toml"):
        found = load(name)
        if found.kind != kind:
            fault = Fault(f"{name} kind", repr(found.kind), f"must be {kind!r} to be used here")
            raise InputError([fault], str(name))
        return found
    if name not in names(kind):
        raise InputError([unknown_name(kind, str(name), names(kind))], "the technology library")
    return _library_entry(kind, name)


@takes("library.load()", path=File(says="must be the path of a TOML file"))
def load(path: str | Path) -> Entry:
    """Read one entry from a user's own TOML file.

    Parameters
    ----------
    path : str or Path
        The file states its ``kind``; with ``extends`` it needs only what it amends.

    Returns
    -------
    Entry
        Named as the file says, else after the file.

    Raises
    ------
    InputError
        With all faults of the file at once: file, key, what is allowed, what to do.
    """
    path = Path(path)
    table = _parse(path, str(path))
    kind = str(table.get("kind", ""))
    if kind not in KINDS:
        fault = unknown_name(f"{path} kind", kind, KINDS)
        raise InputError([fault if kind else replace(fault, found="nothing")], str(path))
    base = str(table.get("extends", ""))
    if base and base not in names(kind):
        raise InputError([unknown_name(f"{path} extends", base, names(kind))], str(path))
    layers = [*(_library_layers(kind, base) if base else []), _Layer(str(path), table, own=False)]
    return _build(kind, str(table.get("name", path.stem)), layers)


@dataclass(frozen=True)
class _Layer:
    """One file's content; `own` files belong to the library and must state full provenance."""

    label: str
    table: Mapping[str, Any]
    own: bool


@cache
def _library_entry(kind: str, name: str) -> Entry:
    return _build(kind, name, _library_layers(kind, name))


def _library_layers(kind: str, name: str) -> list[_Layer]:
    """Return the entry's file preceded by those it extends, the most basic first."""
    layers: list[_Layer] = []
    if name in _rows(kind):
        label, name, table = f"models/{kind}/{_TABLES[kind][0]}", _TABLES[kind][1], _rows(kind)[name]
        layers.append(_Layer(label, table, own=True))
    while name:
        label = f"models/{kind}/{name}.toml"
        table = _parse(library_folder("models") / kind / f"{name}.toml", label)
        layers.insert(0, _Layer(label, table, own=True))
        name = str(table.get("extends", ""))
    return layers


@cache
def _rows(kind: str) -> dict[str, dict[str, Any]]:
    """Entries of a kind that stand in a table, by name: words, and numbers as their files would say them.

    Columns are ``name``, ``title``, words and numbers. A number has the provenance that the entry below the
    table states for it; an empty cell is that entry's own value, ``none`` is no number.
    """
    if kind not in _TABLES:
        return {}
    file, base = _TABLES[kind]
    folder, numbers = library_folder("models") / kind, KINDS[kind].numbers()
    below = _parse(folder / f"{base}.toml", f"models/{kind}/{base}.toml")
    found = {}
    with (folder / file).open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            cells = {key: cell for key, cell in row.items() if cell and key != "name"}
            found[row["name"]] = {
                key: _told_below(below[key], cell) if key in numbers else cell for key, cell in cells.items()
            }
    return found


def _told_below(table: Mapping[str, Any], cell: str) -> dict[str, Any]:
    """Give a number of a row the provenance that the entry below states; its range moves with it."""
    told = {key: item for key, item in table.items() if key not in ("value", "range")}
    if cell == "none":
        return told | {"value": cell}
    value, base = float(cell), table["value"]
    if "range" in table and base:
        told["range"] = [round(bound * value / base, 12) for bound in table["range"]]
    return told | {"value": value}


def _parse(path: Path, label: str) -> dict[str, Any]:
    return parse_toml(read_bytes(path, label, "must be the path of a TOML file", of=label), label)


def _build(kind: str, name: str, layers: list[_Layer]) -> Entry:
    """Merge the layers and validate once, so that every fault names the file it stands in."""
    of = layers[-1].label
    cls = KINDS[kind]
    faults: list[Fault] = []
    values: dict[str, Any] = {"name": name}
    sources: dict[str, Quantity] = {}
    home: dict[str, str] = {}
    spoiled: set[str] = set()
    for layer in layers:
        for key, item in layer.table.items():
            if key in ("kind", "name", "extends"):
                continue
            where = f"{layer.label} [{key}]"
            if key in cls.numbers():
                quantity, found = _quantity(cls.numbers()[key], item, layer, where)
                faults += found
                if quantity is None:
                    spoiled.add(key)
                else:
                    before = sources.get(key)
                    if before is not None and before.used_by:  # said once, it holds for what extends it
                        quantity = quantity.model_copy(update={"used_by": before.used_by})
                    values[key], sources[key] = quantity.value, quantity
            elif key == "title" or key in cls.words():
                values[key] = item
            else:
                known = [*_TOP, *cls.words(), *cls.numbers()]
                faults.append(Fault(where, "an unknown key", f"must be a number or word of {cls.__name__}",
                                    nearest(key, known)))  # fmt: skip
            home[key] = layer.label
    if "title" not in values:
        faults.append(Fault(f"{of} title", "nothing", "is needed"))
    # A number whose own table is faulty is not reported as missing a second time.
    readable = {field: value for field, value in values.items() if field not in spoiled}
    for fault in cls.faults(readable, lambda field: f"{home.get(field, of)} [{field}]"):
        if fault.where not in {f"{home[field]} [{field}]" for field in spoiled}:
            faults.append(fault)
    if faults:
        raise InputError(faults, of)
    return cls(**values, sources=sources)


def _quantity(number: Number, item: Any, layer: _Layer, where: str) -> tuple[Quantity | None, list[Fault]]:  # noqa: ANN401
    """Read one number's table; a bare value is allowed in a user's file."""
    if not isinstance(item, dict):
        if layer.own:
            return None, [Fault(where, repr(item), "must be a table with value, unit, year, source ...")]
        item = {"value": item, "unit": number.unit}
    faults = [
        Fault(f"{where} {key}", "an unknown key", f"known keys are {', '.join(_KEYS)}", nearest(key, _KEYS))
        for key in item
        if key not in _KEYS
    ]
    needed = _NEEDED if layer.own else ("unit",)
    faults += [
        Fault(f"{where} {key}", "nothing", "is needed") for key in ("value", *needed) if key not in item
    ]
    unit = str(item.get("unit", number.unit))
    in_percent = number.unit.startswith("fraction") and unit == "%" + number.unit.removeprefix("fraction")
    if unit != number.unit and not in_percent:
        faults.append(Fault(f"{where} unit", repr(unit), f"must be {number.unit!r}"))
    faults += _provenance_faults(item, layer.own, where)
    if faults:
        return None, faults
    scale = 0.01 if in_percent else 1.0
    try:
        return Quantity(
            value=_scaled(item["value"], scale),
            unit=number.unit,
            year=item.get("year"),
            source=item.get("source", f"user ({layer.label})"),
            status=item.get("status", "user"),
            confidence=item.get("confidence", "user"),
            note=item.get("note", ""),
            used_by=item.get("used_by", ""),
            range=_scaled(item.get("range", "none"), scale),
        ), []
    except ValidationError:
        wrong = number.wrong(item["value"]) or (
            repr(item),
            "must be a number with its unit and source as text",
            "",
        )
        return None, [Fault(where, *wrong)]


def _provenance_faults(item: Mapping[str, Any], own: bool, where: str) -> list[Fault]:
    faults = []
    status = item.get("status")
    letters = [key for key in STATUS if key != "user"]
    if status is not None and (
        not isinstance(status, str) or not all(s in letters for s in status.split("/"))
    ):
        faults.append(
            Fault(f"{where} status", repr(status), f"must be letters of {', '.join(letters)} joined by /")
        )
    confidence = item.get("confidence")
    if confidence is not None and confidence not in CONFIDENCE:
        faults.append(Fault(f"{where} confidence", repr(confidence), "must be H, M or L"))
    if item.get("used_by", "") not in ("", NOTHING_YET):
        faults.append(
            Fault(f"{where} used_by", repr(item["used_by"]), f"must be {NOTHING_YET!r}, or left out")
        )
    if own and not str(item.get("source", "x")).strip():
        faults.append(Fault(f"{where} source", "an empty text", "must name a publication"))
    return faults


def _scaled(value: Any, scale: float) -> Any:  # noqa: ANN401
    """Apply a unit's scale; the text ``none`` is TOML's missing null."""
    if value == "none":
        return None
    if scale == 1.0:
        return value
    if isinstance(value, list | tuple):
        return [_scaled(item, scale) for item in value]
    return round(value * scale, 15) if isinstance(value, int | float) else value
