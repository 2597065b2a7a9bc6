"""What would have brought an answer, as an answer of the form."""

from __future__ import annotations

from typing import Any

from sitedesign.errors import LimitChange
from sitedesign.serve.fields import Field
from sitedesign.serve.tabs import fields


def answer_of(change: LimitChange) -> dict[str, Any] | None:
    """Answer of the form that makes a change of a limit; None where the form does not ask it."""
    field = _field(change.limit)
    if field is None or field.kind != "number":
        return None
    return {field.name: _value(change, field)}


def words_of(change: LimitChange) -> str:
    """Say what a change is, as the form calls it."""
    field = _field(change.limit)
    label = change.limit if field is None else field.label
    unit = change.unit if field is None else field.unit
    value = change.needed if field is None else _value(change, field)
    return f"{label[:1].lower()}{label[1:]} {value:g} {unit}".rstrip()


def _value(change: LimitChange, field: Field) -> float:
    return change.needed * 100 if field.unit == "%" and change.unit != "%" else change.needed


def _field(limit: str) -> Field | None:
    """Field that asks a limit, by its name in the study or in the problem."""
    known = fields()
    for name in (limit, f"limits.{limit}", limit.removeprefix("limits.")):
        if name in known:
            return known[name]
    return None
