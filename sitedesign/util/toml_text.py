"""Writes plain values as TOML: tables at the top, inline tables where they stand in lists or other tables."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from datetime import date
from typing import Any


def toml_table(name: str, content: Mapping[str, Any]) -> str:
    """Write a table; what is None is left out, since TOML has no word for it.

    Parameters
    ----------
    name : str
        Of the table.
    content : mapping
        Numbers, texts, truth values, lists and mappings.

    Returns
    -------
    str
        Ending in a newline.
    """
    plain = {key: value for key, value in content.items() if value is not None}
    lines = [f"[{toml_key(name)}]"]
    lines += [f"{toml_key(key)} = {toml_value(value)}" for key, value in plain.items()]
    return "\n".join(lines) + "\n"


def toml_value(value: Any) -> str:  # noqa: ANN401
    """Write one value on one line."""
    if isinstance(value, Mapping):
        items = (f"{toml_key(key)} = {toml_value(item)}" for key, item in value.items() if item is not None)
        return "{" + ", ".join(items) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False)  # numbers, texts and truth values are those of JSON


def toml_key(name: str) -> str:
    """Write a key, in quotes where it needs them."""
    bare = name.replace("_", "").replace("-", "")
    return name if bare.isalnum() and name.isascii() else json.dumps(name, ensure_ascii=False)


def value_of_text(text: str) -> Any:  # noqa: ANN401
    """Read a value as TOML has it; what it has not is text, which needs no quotes."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text.strip()
