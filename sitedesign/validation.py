"""Turns pydantic's findings into :class:`~sitedesign.errors.Fault` lines that make sense to an engineer."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import ValidationError

from sitedesign.errors import Fault, nearest

_SHORT_LIST = 12
#: Of a place, and often given to the study itself.
_OF_A_SITE = ("lat", "lon", "latitude", "longitude")


def unknown_keys(prefix: str, data: Iterable[str], known: Iterable[str]) -> list[Fault]:
    """One :class:`Fault` per key that is not known, with the nearest known one."""
    known = list(known)
    faults = []
    for key in (key for key in data if key not in known):
        guess = nearest(key, known)
        if key in _OF_A_SITE and "site" in known:
            guess = "Give site=sd.Site(latitude=..., longitude=...)."
        # A long list is only worth its lines when there is nothing better to say.
        few = not guess or len(known) <= _SHORT_LIST
        allowed = f"known keys are {', '.join(known)}" if few else "there is no such key"
        faults.append(Fault(f"{prefix}.{key}", "an unknown key", allowed, guess))
    return faults


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
        path = ".".join(str(part) for part in item["loc"])
        where = f"{prefix}.{path}" if path else prefix
        if item["type"] == "extra_forbidden":
            faults += unknown_keys(prefix, [path], known)
        elif item["type"] == "missing":
            faults.append(Fault(where, "nothing", "is needed"))
        else:
            message = item["msg"].removeprefix("Value error, ").removeprefix("Input ")
            faults.append(Fault(where, repr(item["input"]), message[0].lower() + message[1:]))
    return faults
