"""Answers in the address of the page, so that a link can be shared and a reload keeps the form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from sitedesign.serve.fields import Field
from sitedesign.serve.tabs import defaults, fields, tabs
from sitedesign.util.display_units import SYSTEMS, System

_TAB, _BOUND, _UNITS = "tab", "bound", "units"
_OF_SESSION = ("finance.run",)  # means nothing to who is sent the link
_MOST = 4000  # characters of one answer
_MOST_ROWS = 60


def to_query(tab: str, answers: Mapping[str, Any], *, certify: bool, units: System | None = None) -> str:
    """Write what differs from an untouched form as the query of an address; files stay out."""
    usual = defaults()
    said = {_TAB: tab} if tab != next(iter(tabs())) else {}
    said |= {} if certify else {_BOUND: "1"}
    said |= {} if units is None else {_UNITS: units}
    for name, field in fields().items():
        value = answers.get(name)
        if field.kind == "file" or name in _OF_SESSION or same(value, usual[name]):
            continue
        plain = isinstance(value, str)
        said[name] = str(value) if plain else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return urlencode(said)


def from_query(query: Mapping[str, str]) -> tuple[str, dict[str, Any], bool]:
    """Read an address: the tab, the answers it gives, whether to certify. What makes no sense is left out."""
    tab = query.get(_TAB, "")
    found: dict[str, Any] = {}
    for name, field in fields().items():
        if name in query and field.kind != "file":
            value = _read(field, query[name][:_MOST])
            if value is not None:
                found[name] = value[0]
    first = next(iter(tabs()))
    return (tab if tab in tabs() else first), found, query.get(_BOUND) != "1"


def units_of(query: Mapping[str, str]) -> System | None:
    """Units that an address asks for; None for those of the library."""
    return next((system for system in SYSTEMS if query.get(_UNITS) == system), None)


def same(one: Any, other: Any) -> bool:  # noqa: ANN401
    """Whether two answers say the same: nothing is nothing, and 5 is 5.0."""
    empty: tuple[Any, ...] = (None, "", [], ())
    if one in empty or other in empty:
        return one in empty and other in empty
    one, other = (list(item) if isinstance(item, tuple) else item for item in (one, other))
    return bool(one == other)


def _read(field: Field, text: str) -> tuple[Any] | None:
    """Answer of one field in a tuple; None where the text is none."""
    if field.kind == "text":
        return (text,)
    if field.kind == "choice":
        return (text,) if text in (field.options or {}) else None
    try:
        value = json.loads(text)
    except ValueError:
        return (text,) if field.kind == "number" else None  # shown as it is, and refused beside the field
    if field.kind == "number":
        return (value,) if isinstance(value, int | float | str | None) else None
    if field.kind == "flag":
        return (bool(value),)
    if not isinstance(value, list):
        return None
    if field.kind == "several":
        return ([item for item in value if item in (field.options or {})],)
    names = {column.name for column in field.columns}
    rows = [
        {key: cell for key, cell in row.items() if key in names and isinstance(cell, str | int | float)}
        for row in value[:_MOST_ROWS]
        if isinstance(row, dict)
    ]
    return (rows,)
