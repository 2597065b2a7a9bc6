"""Turns pydantic's findings into :class:`~sitedesign.errors.Fault` lines that make sense to an engineer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import ValidationError

from sitedesign.errors import Fault, nearest, shown
from sitedesign.util.gate import GATE, is_number

_SHORT_LIST = 12
_LONGEST_KEY = 60


def unknown_keys(
    prefix: str, data: Iterable[object], known: Iterable[str], belongs: Mapping[str, str] | None = None
) -> list[Fault]:
    """One :class:`Fault` per key that is not known, with the nearest known one.

    Parameters
    ----------
    prefix : str
        Put before each location, for example ``study``.
    data : iterable
        Keys as given, text or not.
    known : iterable of str
    belongs : mapping of str to str, optional
        For keys that are often given here and belong elsewhere: what to write.
    """
    known = list(known)
    faults = []
    for key in (key for key in data if key not in known):
        if not isinstance(key, str):
            faults.append(Fault(prefix, f"the key {shown(key)}", "a key must be the name of a field"))
            continue
        guess = _filled((belongs or {}).get(key, ""), key, data) or nearest(key, known)
        # A long list is only worth its lines when there is nothing better to say.
        few = not guess or len(known) <= _SHORT_LIST
        allowed = f"known keys are {', '.join(known)}" if few else "there is no such key"
        name = key if key.isprintable() and len(key) <= _LONGEST_KEY else shown(key)
        faults.append(Fault(f"{prefix}.{name}", "an unknown key", allowed, guess))
    return faults


def _filled(remedy: str, key: str, data: Iterable[object]) -> str:
    """Write into a remedy with one gap the number that was given: ``{'natural_gas': 4}``."""
    value = data[key] if isinstance(data, Mapping) else None
    return remedy.replace("...", f"{value:.10g}") if remedy.count("...") == 1 and is_number(value) else remedy


def faults_of(error: ValidationError, prefix: str, known: Iterable[str]) -> list[Fault]:
    """One :class:`Fault` per pydantic error.

    Parameters
    ----------
    error : pydantic.ValidationError
    prefix : str
        Put before each location, for example ``study``.
    known : iterable of str
        Field names, for the nearest known one when a key is unknown.
    """
    known = list(known)
    faults = []
    for item in error.errors():
        path = ".".join(shown(part).strip("'") for part in item["loc"])
        where = f"{prefix}.{path}" if path else prefix
        if item["type"] == "extra_forbidden":
            faults += unknown_keys(prefix, [path], known)
        elif item["type"] == "missing":
            faults.append(Fault(where, "nothing", "is needed"))
        elif item["type"] == GATE:
            ctx = item["ctx"]
            faults.append(Fault(where.removesuffix(".[key]"), ctx["found"], ctx["allowed"], ctx["remedy"]))
        else:
            message = item["msg"].removeprefix("Value error, ").removeprefix("Input ")
            faults.append(Fault(where, shown(item["input"]), message[0].lower() + message[1:]))
    return faults
