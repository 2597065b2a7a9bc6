"""A profile as its user hands it over: the data, and what the user says about them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from numbers import Real
from typing import Any

from sitedesign.components.own_profile.clock import STEPS_MINUTES
from sitedesign.components.own_profile.units import NoUnit, Unit, find_unit
from sitedesign.errors import Fault, InputError, unknown_name

MOST_MW = 1e6
_ZONE = re.compile(
    r"(?:(?<![a-z])(?:utc|gmt|z(?:ulu)?)|(?<=time)(?:utc|gmt)|(?<=date)utc|(?<=stamp)utc)"
    r"(?:\s*(?P<sign>[+\-−])\s*(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?)?(?![a-z])"
)
_NAMED_H = {"cet": 1.0, "mez": 1.0, "wez": 0.0, "eet": 2.0, "est": -5.0, "mst": -7.0,
            "pst": -8.0, "aest": 10.0, "jst": 9.0, "sast": 2.0}  # fmt: skip
_WALL = re.compile(
    r"(?<![a-z])(?:wall|daylight|dst|prevailing|[ecmpa]dt|[ecmp]pt|cest|mesz|bst|aedt|sommerzeit|summer time)"
    r"(?![a-z])"
)


@dataclass(frozen=True)
class ClockSaid:
    """What is said about a clock: its hours ahead of UTC, or that it keeps daylight saving time."""

    zone_h: float | None = None
    wall: bool = False


@dataclass(frozen=True)
class Given:
    """A profile and what its user says about it; what is left out is found out.

    Attributes
    ----------
    data : object
        Series, DataFrame, array, path or Profile.
    unit : Unit or None
        Of the values.
    column : str or None
        Name of the column of values.
    clock : ClockSaid or None
        Of the stamps.
    rated_mw : float or None
        Size of the array whose production it is [MWdc], or the load that a share is of [MW].
    step_minutes : int or None
        Of values without stamps. [min]
    """

    data: Any
    unit: Unit | None = None
    column: str | None = None
    clock: ClockSaid | None = None
    rated_mw: float | None = None
    step_minutes: int | None = None


KEYS = ("file", "data", *(item.name for item in fields(Given) if item.name != "data"))


def given(data: Any, where: str, **said: Any) -> Given:  # noqa: ANN401  # whatever a user may hold
    """Take apart what a user gave.

    Parameters
    ----------
    data : object
        The data themselves, or a mapping with ``file`` or ``data`` and what is said about them.
    where : str
        Name for messages.
    **said
        The same, as keywords.

    Raises
    ------
    InputError
        With every fault of what is said.
    """
    items = {key: value for key, value in said.items() if value is not None}
    faults: list[Fault] = []
    if isinstance(data, Mapping):
        items |= {str(key): value for key, value in data.items()}
        faults += [unknown_name(where, key, KEYS) for key in items if key not in KEYS]
        sources = [key for key in ("file", "data") if items.get(key) is not None]
        if len(sources) != 1:
            found = " and ".join(sources) or "neither file nor data"
            faults.append(Fault(where, found, "needs one of file and data", 'Try file = "load.csv".'))
        data = items.get(sources[0]) if sources else None
    unit = _unit(items.get("unit"), f"{where}.unit", faults)
    clock = _clock(items.get("clock"), f"{where}.clock", faults)
    rated = _positive(items.get("rated_mw"), f"{where}.rated_mw", "MW", faults)
    step = _positive(items.get("step_minutes"), f"{where}.step_minutes", "min", faults)
    if step is not None and step not in STEPS_MINUTES:
        faults.append(Fault(f"{where}.step_minutes", f"{step:g}", f"must be one of {STEPS_MINUTES} min"))
    column = items.get("column")
    if faults:
        raise InputError(faults, where)
    return Given(
        data, unit, None if column is None else str(column), clock, rated, None if step is None else int(step)
    )


def clock_said(text: str) -> ClockSaid | None:
    """Read what a text says about a clock: ``UTC``, ``GMT+1``, ``CET``, ``wall``, ``standard``.

    Parameters
    ----------
    text : str

    Returns
    -------
    ClockSaid or None
        None when it says nothing.
    """
    low = text.lower().replace("_", " ")
    zone = _ZONE.search(low)
    if zone and not re.search(r"offset|from utc|minus utc|to utc", low):
        hours = int(zone["hours"] or 0) + int(zone["minutes"] or 0) / 60
        return ClockSaid(-hours if zone["sign"] and zone["sign"] != "+" else hours)
    if _WALL.search(low):
        return ClockSaid(wall=True)
    for name, hours in _NAMED_H.items():
        if re.search(rf"(?<![a-z]){name}(?![a-z])", low):
            return ClockSaid(hours)
    return None


def _unit(text: Any, where: str, faults: list[Fault]) -> Unit | None:  # noqa: ANN401
    if text is None:
        return None
    found = find_unit(str(text))
    if isinstance(found, Unit):
        return found
    what = "is neither power nor energy" if isinstance(found, NoUnit) else "is no unit"
    remedy = 'Try "kW", "MW", "kWh", "MWh per interval", "kWh/kWp" or "%".'
    faults.append(Fault(where, f"{text!r:.60}", f"must be a unit of power or energy; this {what}", remedy))
    return None


def _clock(value: Any, where: str, faults: list[Fault]) -> ClockSaid | None:  # noqa: ANN401
    if value is None:
        return None
    if isinstance(value, Real) and not isinstance(value, bool) and -14 <= float(value) <= 14:
        return ClockSaid(float(value))
    if str(value).strip().lower() == "standard":
        return ClockSaid()
    said = clock_said(str(value))
    if said is None:
        allowed = (
            'must be "standard" (the site\'s, all year), "wall" (with daylight saving), "UTC" or "UTC-6"'
        )
        faults.append(Fault(where, f"{value!r:.60}", allowed))
    return said


def _positive(value: Any, where: str, unit: str, faults: list[Fault]) -> float | None:  # noqa: ANN401
    if value is None:
        return None
    if isinstance(value, Real) and not isinstance(value, bool) and 0 < float(value) <= MOST_MW:
        return float(value)
    faults.append(Fault(where, f"{value!r:.60}", f"must be a number above 0 {unit}"))
    return None
