"""How the tabs of the planner ask for what a public function takes: fields, tables of rows, faults."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from pydantic import BaseModel

from sitedesign.errors import Fault, InputError
from sitedesign.serve.fields import Answers, Field, Numbers, field_of_input, whole
from sitedesign.util.inputs import declared


@cache
def _told(function: Callable[..., Any]) -> Mapping[str, str]:
    """Read what each parameter of a public function means from its docstring, so that it is said once."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in (inspect.getdoc(function) or "").splitlines():
        if not line.startswith(" ") and " : " in line:
            names = line.split(" : ")[0].split(", ")
            name = names[0]
            found |= {one: found.setdefault(name, []) for one in names}
        elif line.startswith("    ") and name:
            found[name].append(line.strip())
        elif not line.startswith(" "):
            name = ""
    return {key: " ".join(lines).replace("`", "") for key, lines in found.items()}


def asked_of(
    function: Callable[..., Any],
    prefix: str,
    name: str,
    label: str,
    **more: Any,  # noqa: ANN401
) -> Field:
    """Field of a keyword of a public function, with the first sentence of its docstring as hint."""
    text = _told(function)[name].partition(" [")[0]
    hint = more.pop("hint", f"{text.split('. ')[0].rstrip('.')}.")
    return Field(f"{prefix}.{name}", label, hint=hint, **more)


def columns_of(model: type[BaseModel], *names: str) -> tuple[Field, ...]:
    """Columns of a table for inputs as they are declared."""
    return tuple(field_of_input(declared(model)[name]) for name in names)


def rows_of(answers: Answers, field: Field, faults: list[Fault]) -> list[dict[str, Any]]:
    """Rows of a table without empty cells and empty rows; numbers whole where they are."""
    found = []
    name, kinds = field.name, {column.name: column.kind for column in field.columns}
    for row in answers.get(name) or ():
        clean: dict[str, Any] = {}
        for key, value in row.items():
            if key not in kinds or value is None or str(value).strip() == "":
                continue
            if kinds[key] != "number":
                clean[key] = str(value).strip()
            elif (cell := Numbers({name: value}, faults)(name)) is not None:
                clean[key] = whole(cell)
        if clean:
            found.append(clean)
    return found


#: Part of a question -> the list that it stands in.
_LISTS = {"delivery": "deliveries", "rental": "rentals", "scenario": "scenarios", "date_range": "dates"}


class _Checked(Exception):
    """All inputs were right: solving began."""


def _begin(_line: str) -> None:
    raise _Checked


def tried(
    call: Callable[[Any], Any], prefix: str, names: Collection[str], not_ours: Iterable[str] = ()
) -> list[Fault]:
    """Find the faults of a call: all are told before it says that it begins to solve, where it is ended.

    Parameters
    ----------
    call : callable
        Takes what progress is told to.
    prefix : str
        Of the names of fields.
    names : collection of str
        Fields that faults may stand beside.
    not_ours : iterable of str
        Arguments whose faults are not of the form.
    """
    try:
        call(_begin)
    except _Checked:
        return []
    except InputError as error:
        own = [fault for fault in error.faults if fault.where not in not_ours]
        return [replace(fault, where=_within(fault.where, prefix, names)) for fault in own]
    return []


def _within(where: str, prefix: str, names: Collection[str]) -> str:
    """Place of a fault as a field of a tab, where there is one."""
    head = where.partition(".")[0].partition("[")[0].partition(" ")[0]
    name = f"{prefix}.{_LISTS.get(head, head)}"
    return name if name in names else where
