"""Docstrings are read in a terminal first; here their roles and prompts become what a page shows."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any

import griffe
from pydantic import BaseModel

from sitedesign.util.inputs import declared

_ROLE = re.compile(r":(?:class|func|meth|mod|attr|data):`~?(?:[\w.]*\.)?(\w+)`")
_PROMPT = re.compile(r"(?:^[ \t]*>>>.*\n?(?:^(?!\s*$).*\n?)*)+", re.MULTILINE)


class PlainText(griffe.Extension):
    """Rewrites the text of every docstring before it is parsed."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:  # noqa: ANN401
        """Rewrite one."""
        if obj.docstring is not None and obj.is_class:
            obj.docstring.value = written(obj.path) or obj.docstring.value
        if obj.docstring is not None:
            obj.docstring.value = readable(obj.docstring.value)

    def on_class_members(self, *, cls: griffe.Class, **_: Any) -> None:  # noqa: ANN401
        """Let a model's parameters be its fields, which its constructor takes as ``**data``."""
        start = cls.members.get("__init__")
        takes = [item.name for item in start.parameters] if isinstance(start, griffe.Function) else []
        inherits = any(
            str(base) in ("Checked", "Charge") for base in cls.bases
        )  # whose constructor is such a one
        if cls.docstring is not None and (inherits or takes == ["self", "given", "data"]):
            cls.docstring.value = cls.docstring.value.replace("Parameters\n------", "Attributes\n------", 1)


def written(path: str) -> str:
    """Docstring of a class whose inputs are written into it where it is made; empty for any other."""
    module, _, name = path.rpartition(".")
    found = getattr(importlib.import_module(module), name, None)
    if not (inspect.isclass(found) and issubclass(found, BaseModel) and declared(found)):
        return ""
    return (inspect.getdoc(found) or "").replace("Parameters\n------", "Attributes\n------", 1)


def readable(text: str) -> str:
    """Write roles as code, and prompts outside of a section of examples as a block of code."""
    text = _ROLE.sub(r"`\1`", text)
    if re.search(r"^\s*Examples?\n\s*-+$", text, re.MULTILINE):
        return text
    return _PROMPT.sub(lambda block: f"```pycon\n{block[0].rstrip()}\n```\n", text)
