"""Frozen classes of a question that tell all their faults at once, those of the classes inside them too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self, get_args

from pydantic import ConfigDict, ValidationError

from sitedesign.errors import Fault, InputError
from sitedesign.util.gate import TEXT, Kind, takes, text_keys, unnamed
from sitedesign.util.model import Model
from sitedesign.util.toml_text import toml_table
from sitedesign.util.validation import faults_of, unknown_keys


class Checked(Model):
    """Base of such classes: fields carry gates, :meth:`_contradictions` finds what is wrong between fields.

    A field that holds another such class may be given as a mapping, one that holds several as a list of
    mappings, so that a table of a TOML file or an object of a JSON file makes the whole.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)
    WHERE: ClassVar[str] = ""
    EXAMPLE: ClassVar[str] = ""

    def __init__(self, *given: Any, **data: Any) -> None:  # noqa: ANN401
        cls = type(self)
        faults = unnamed(given, cls.WHERE, cls.EXAMPLE)
        faults += unknown_keys(cls.WHERE, data, cls.model_fields)
        known = {name: value for name, value in data.items() if name in cls.model_fields}
        known = cls._prepared(known, faults)
        for name in list(known):
            known[name] = _made(cls, name, known[name], faults)
        try:
            super().__init__(**known)
        except ValidationError as error:
            found = [_numbered(fault) for fault in faults_of(error, cls.WHERE, cls.model_fields)]
            # What is already said in better words, of the whole or of a part, is not said again
            faults += [fault for fault in found if not any(_overlap(fault, other) for other in faults)]
        if not faults:
            faults = self._contradictions()
        if faults:
            raise InputError(faults, f"{cls.__name__}()")

    @classmethod
    def _prepared(cls, known: dict[str, Any], faults: list[Fault]) -> dict[str, Any]:
        """Bring short ways to write fields into the long one."""
        del faults
        return known

    def _contradictions(self) -> list[Fault]:
        """Find faults between fields, each of which is right."""
        return []

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Show what was given, not the many fields that were left out."""
        return [(name, value) for name, value in super().__repr_args__() if name in self.model_fields_set]

    @takes("replace()")
    def replace(self, **changes: Any) -> Self:  # noqa: ANN401
        """Copy with some fields changed, validated again."""
        kept = {name: getattr(self, name) for name in self.model_fields_set}
        return type(self)(**(kept | changes))

    def to_dict(self) -> dict[str, Any]:
        """Write what was given as numbers, texts, lists and mappings, for JSON and TOML."""
        return {name: _plain(getattr(self, name)) for name in type(self).model_fields if self._says(name)}

    def _says(self, name: str) -> bool:
        """Whether a field was given and says something: TOML has no word for None."""
        return name in self.model_fields_set and getattr(self, name) is not None

    @takes("to_toml()", name=TEXT)
    def to_toml(self, name: str | None = None) -> str:
        """Write what was given as a TOML table, named after the class when no name is given."""
        return toml_table(name or self.WHERE, self.to_dict())

    @classmethod
    @takes("from_dict()", data=Kind((Mapping,), "must be a mapping of fields"))
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Make one of what :meth:`to_dict` wrote."""
        faults = text_keys(data, cls.WHERE)
        if faults:
            raise InputError(faults, f"{cls.__name__}.from_dict()")
        return cls(**data)


def inside(where: str) -> str:
    """Part of a location behind its first name: ``.hours`` of ``when.hours``, nothing of ``when``."""
    head = re.match(r"[^.\[]*", where)
    return where[head.end() :] if head else where


def _plain(value: Any) -> Any:  # noqa: ANN401
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _numbered(fault: Fault) -> Fault:
    """Write the numbers in a location as everywhere: ``energy[0].tiers`` for ``energy.0.tiers``."""
    return replace(fault, where=re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", fault.where))


def _overlap(fault: Fault, other: Fault) -> bool:
    """Whether one of two faults is about a part of what the other is about."""
    parts = [re.findall(r"[^.\[\]]+", item.where) for item in (fault, other)]
    shared = min(map(len, parts))
    return parts[0][:shared] == parts[1][:shared]


def _checked_class(annotation: Any) -> type[Checked] | None:  # noqa: ANN401
    """Class of this kind that a field holds, alone or several times."""
    if isinstance(annotation, type) and issubclass(annotation, Checked):
        return annotation
    return next((found for part in get_args(annotation) if (found := _checked_class(part))), None)


def _made(cls: type[Checked], name: str, value: Any, faults: list[Fault]) -> Any:  # noqa: ANN401
    """Make the classes inside a field of mappings; what is faulty stays a mapping and its faults are told."""
    inner = _checked_class(cls.model_fields[name].annotation)
    if inner is None:
        return value
    where = f"{cls.WHERE}.{name}"
    if isinstance(value, Mapping):
        return _one(inner, value, where, faults)
    if isinstance(value, list | tuple):
        return tuple(
            _one(inner, item, f"{where}[{number}]", faults) if isinstance(item, Mapping) else item
            for number, item in enumerate(value)
        )
    return value


def _one(inner: type[Checked], value: Mapping[Any, Any], where: str, faults: list[Fault]) -> Any:  # noqa: ANN401
    wrong = text_keys(value, where)
    if wrong:
        faults += wrong
        return None
    try:
        return inner(**value)
    except InputError as error:
        faults += [replace(fault, where=f"{where}{inside(fault.where)}") for fault in error.faults]
        return None
