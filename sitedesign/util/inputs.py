"""Inputs declared once: an annotated field says its name, meaning, unit, bounds and default.

Study file, command line, planner, report, table of sites and documentation ask :func:`declared` for them.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from sitedesign.util.gate import Bounds, Gate, Measure, OneOf

M = TypeVar("M", bound=type[BaseModel])
#: ``number``, ``choice``, ``text``, ``day``: one value. ``bounds``: one number or a pair. ``entry``:
#: equipment by name. ``words``: several words. ``file``: a path or what it holds. ``table``: more than that.
Sort = Literal["number", "choice", "text", "day", "bounds", "entry", "words", "file", "table"]


@dataclass(frozen=True)
class Input:
    """What an input is called and what it means; stands beside its gate in the annotation of a field.

    Attributes
    ----------
    title : str
        Label in the planner and in the report.
    text : str
        What it means, in whole sentences without the unit; where there is little room, the first alone.
    group : str
        Heading under which it is asked.
    example : object
        Stands in the template of a study file where the default would say nothing.
    default : object
        What is taken where the field itself cannot hold it: names of equipment.
    option : str
        Of the command line, where it is not the name.
    words : mapping of str to str
        Of a choice: value -> what a person reads in the planner; the values themselves when left out.
    sort, type : str
        How it is given and what the documentation calls its type, where the annotation does not say.
    several : bool
        Whether it may be given several times.
    planner : bool
        Whether the planner asks it as it stands.
    """

    title: str
    text: str = field(repr=False)  # signatures show annotations: the title must do there
    group: str = field(repr=False)
    example: Any = field(default=None, repr=False)
    default: Any = field(default=None, repr=False)
    option: str = field(default="", repr=False)
    words: Mapping[str, str] = field(default_factory=dict, repr=False)
    sort: Sort | None = field(default=None, repr=False)
    type: str = field(default="", repr=False)
    several: bool = field(default=False, repr=False)
    planner: bool = field(default=True, repr=False)

    def __hash__(self) -> int:
        return id(self)


@dataclass(frozen=True)
class Declared:
    """One input of a model, as its field declares it.

    Attributes
    ----------
    name : str
    told : Input
    kind : type
        ``int``, ``float``, ``str``, ``date``, or what the field holds.
    gate : Gate or None
        Unit and bounds.
    choices : tuple of str or int
        All that it may be, where these are few.
    default : object
        None where nothing is taken.
    needed : bool
    """

    name: str
    told: Input
    kind: Any
    gate: Gate | None
    choices: tuple[str | int, ...]
    default: Any
    needed: bool

    @property
    def sort(self) -> Sort:
        """How it is given."""
        if self.told.sort is not None:
            return self.told.sort
        if self.choices:
            return "choice"
        if isinstance(self.gate, Bounds):
            return "bounds"
        plain: dict[Any, Sort] = {int: "number", float: "number", str: "text", date: "day"}
        return plain.get(self.kind, "table")

    @property
    def unit(self) -> str:
        """Unit of its numbers; empty where there is none."""
        gate = self.gate.of if isinstance(self.gate, Bounds) else self.gate
        return gate.unit if isinstance(gate, Measure | OneOf) else ""

    @property
    def option(self) -> str:
        """Option of the command line."""
        return self.told.option or "--" + self.name.replace("_", "-")

    @property
    def brief(self) -> str:
        """First sentence of what it means, without its full stop."""
        return self.told.text.split(". ")[0].rstrip(".").replace("`", "")

    @property
    def type_words(self) -> str:
        """Type as the documentation calls it."""
        if self.told.type:
            return self.told.type
        if self.choices:
            return (
                "{"
                + ", ".join(f'"{item}"' if isinstance(item, str) else f"{item}" for item in self.choices)
                + "}"
            )
        if self.sort == "bounds":
            return "float or (float, float)"
        return getattr(self.kind, "__name__", str(self.kind))


@cache
def declared(model: type[BaseModel]) -> dict[str, Declared]:
    """List the inputs of a model by the name of their field, in the order of the fields."""
    return {item.name: item for item in _declared(model)}


def _declared(model: type[BaseModel]) -> Iterator[Declared]:
    for name, info in model.model_fields.items():
        told = next((item for item in info.metadata if isinstance(item, Input)), None)
        if told is None:
            continue
        kind, choices = _kind(info.annotation)
        gate = next((item for item in info.metadata if isinstance(item, Gate)), None)
        if isinstance(gate, OneOf):
            choices = gate.known
        given = info.get_default(call_default_factory=True, validated_data={})
        given = None if given is PydanticUndefined else given
        default = told.default if told.default is not None else given
        yield Declared(name, told, kind, gate, choices, default, info.is_required() and told.default is None)


def _kind(annotation: Any) -> tuple[Any, tuple[str | int, ...]]:  # noqa: ANN401
    """Type of one value without what is optional, and the words of a choice."""
    if get_origin(annotation) in (Union, UnionType):
        annotation = next(item for item in get_args(annotation) if item is not NoneType)
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    choices = get_args(annotation) if get_origin(annotation) is Literal else ()
    return (str if choices else get_origin(annotation) or annotation), choices


def is_model(kind: Any) -> bool:  # noqa: ANN401
    """Whether a type has fields of its own, which may be inputs."""
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def documented(model: M) -> M:
    """Write the inputs of a model into its docstring, before what it raises."""
    head, raises, tail = inspect.cleandoc(model.__doc__ or "").partition("Raises\n------")
    lines = ["Parameters", "----------"]
    for item in declared(model).values():
        optional = "" if item.needed else ", optional"
        unit = f" [{item.unit}]" if item.unit else ""
        lines.append(f"{item.name} : {item.type_words}{optional}")
        lines += textwrap.wrap(item.told.text + unit, 100, initial_indent="    ", subsequent_indent="    ")
    model.__doc__ = "\n".join([head.rstrip(), "", *lines, "", raises + tail]).rstrip() + "\n"
    return model
