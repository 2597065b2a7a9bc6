"""Results as JSON files: there as a whole or not at all, and read with every fault told."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from sitedesign.errors import Fault, InputError
from sitedesign.util.atomic_file import write_given
from sitedesign.util.gate import read_bytes, text_keys

_Result = TypeVar("_Result")

_LONGEST_VERSION = 40


def write_json(path: str | Path, data: Mapping[str, Any], name: str) -> Path:
    """Write a result; `name` is that of its class.

    Raises
    ------
    InputError
        If the path is none that can be written.
    """
    write_given(Path(path), json.dumps(data, indent=1).encode(), where="path", of=f"{name}.save()")
    return Path(path)


def read_json(path: str | Path, name: str) -> Any:  # noqa: ANN401
    """Read what :func:`write_json` wrote.

    Raises
    ------
    InputError
        If the file is missing, cannot be read or is no JSON.
    """
    of, allowed = f"{name}.load()", f"must be a file that {name}.save() wrote"
    content = read_bytes(Path(path), str(path), allowed, of=of, missing="no file there")
    try:
        return json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):  # neither text nor JSON, or brackets in brackets without end
        raise InputError([Fault(str(path), "text that is not JSON", allowed)], of) from None


def content_of(data: Any, written_as: str, name: str) -> dict[str, Any]:  # noqa: ANN401
    """Take the format off a saved result, once it is the one of this version.

    Raises
    ------
    InputError
        If it is another, or no result at all.
    """
    of, where = f"{name}.from_dict()", name.lower()
    if not isinstance(data, Mapping) or data.get("format") != written_as:
        found = repr(data.get("format", "nothing")) if isinstance(data, Mapping) else type(data).__name__
        allowed = f"must be {written_as!r}, as {name}.save() writes it"
        raise InputError([Fault(f"{where}.format", found, allowed)], of)
    if faults := text_keys(data, where):
        raise InputError(faults, of)
    return {key: item for key, item in data.items() if key != "format"}


def of_another_version(saved: object) -> str:
    """Say what to do with a result that this version does not read, and which wrote it where it says so.

    Parameters
    ----------
    saved : object
        Content of the file; the versions stand under ``provenance``.
    """
    remedy = "solve the study again."
    provenance = saved.get("provenance") if isinstance(saved, Mapping) else None
    versions = provenance.get("versions") if isinstance(provenance, Mapping) else None
    wrote = versions.get("sitedesign") if isinstance(versions, Mapping) else None
    if not isinstance(wrote, str) or not wrote.isprintable() or len(wrote) > _LONGEST_VERSION:
        return f"It may come from another version: {remedy}"
    return f"It was saved by sitedesign {wrote}, perhaps another version than this: {remedy}"


def readable(result: _Result, name: str, words: Callable[[_Result], object] = str) -> _Result:
    """Give a result back once its words can be made: figures may be of the right type and yet make no sense.

    Raises
    ------
    InputError
        If the words cannot be made.
    """
    try:
        words(result)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        found = f"content that nothing can be said of ({type(error).__name__}: {error})"
        allowed = f"must be what {name}.save() wrote, unchanged"
        raise InputError([Fault(name.lower(), found, allowed)], f"{name}.from_dict()") from None
    return result
