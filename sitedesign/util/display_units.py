"""Figures and texts in the units of SI or of the United States: heat, area, length, volume, mass, warmth."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Literal

System = Literal["si", "us"]
SYSTEMS: tuple[System, ...] = ("si", "us")
_BTU_KJ = 1.055056
_ACRE_HA = 0.40468564224
_FOOT_M = 0.3048
_POUND_KG = 0.45359237
_GALLON_M3 = 0.003785411784

#: Unit as it stands -> the other system's unit, and the factor (temperatures apart).
_TO_SI: dict[str, tuple[str, float]] = {
    "Btu/kWh": ("kJ/kWh", _BTU_KJ),
    "MMBtu": ("GJ", _BTU_KJ),
    "acres": ("ha", _ACRE_HA),
    "acre": ("ha", _ACRE_HA),
    "ft": ("m", _FOOT_M),
    "mi": ("km", 5280 * _FOOT_M / 1000),
    "gal": ("m3", _GALLON_M3),
    "short ton": ("t", 2000 * _POUND_KG / 1000),
    "thousand short tons": ("kt", 2000 * _POUND_KG / 1000),
    "lb": ("kg", _POUND_KG),
}
_TO_US: dict[str, tuple[str, float]] = {
    "kJ/kWh": ("Btu/kWh", 1 / _BTU_KJ),
    "GJ": ("MMBtu", 1 / _BTU_KJ),
    "ha": ("acres", 1 / _ACRE_HA),
    "m": ("ft", 1 / _FOOT_M),
    "km": ("mi", 1000 / (5280 * _FOOT_M)),
    "L": ("gal", 1 / (1000 * _GALLON_M3)),
    "m3": ("gal", 1 / _GALLON_M3),
    "kt": ("thousand short tons", 1000 / (2000 * _POUND_KG)),
    "t": ("short ton", 1000 / (2000 * _POUND_KG)),
    "kg": ("lb", 1 / _POUND_KG),
}
_TEMPERATURE: dict[tuple[str, System], tuple[str, Callable[[float], float]]] = {
    ("degC", "us"): ("degF", lambda celsius: celsius * 9 / 5 + 32),
    ("degF", "si"): ("degC", lambda fahrenheit: (fahrenheit - 32) * 5 / 9),
}


def in_units(value: float, unit: str, system: System) -> tuple[float, str]:
    """Give a figure in the units of a system; what has no other unit there stays.

    Parameters
    ----------
    value : float
        [unit]
    unit : str
        Whole, such as ``degC``, or a quotient: ``kg/MMBtu``, ``MWdc/acre``, ``fraction/degC``. Differences of
        temperature stand in the denominator.
    system : {'si', 'us'}

    Returns
    -------
    tuple of (float, str)
    """
    if (unit, system) in _TEMPERATURE:
        name, change = _TEMPERATURE[unit, system]
        return change(value), name
    table = _TO_SI if system == "si" else _TO_US
    if unit in table:
        name, factor = table[unit]
        return value * factor, name
    top, slash, bottom = unit.partition("/")
    if not slash:
        return value, unit
    above, factor = table.get(top, (top, 1.0))
    head, dash, rest = bottom.partition("-")
    below, divisor = _denominator(head, system)
    return value * factor / divisor, f"{above}/{below}{dash}{rest}"


def _denominator(unit: str, system: System) -> tuple[str, float]:
    """Name and factor of what a figure is divided by; of temperatures a difference is meant."""
    if unit == "degC" and system == "us":
        return "degF", 9 / 5
    if unit == "degF" and system == "si":
        return "degC", 5 / 9
    if unit == "300 m" and system == "us":
        return "1,000 ft", 300 / (1000 * _FOOT_M)
    name, factor = (_TO_SI if system == "si" else _TO_US).get(unit, (unit, 1.0))
    return {"acres": "acre"}.get(name, name), factor


#: Words of text -> unit, as :func:`in_units` knows it. What may mean something else is not among them.
_WORDS = {
    "acres": "acres", "acre": "acre", "MMBtu": "MMBtu", "Btu/kWh": "Btu/kWh", "kJ/kWh": "kJ/kWh",
    "GJ": "GJ", "ha": "ha", "ft": "ft", "mi": "mi", "km": "km", "gal": "gal", "m3": "m3", "t": "t",
    "kt": "kt", "lb": "lb", "m": "m", "short ton": "short ton", "short tons": "short ton",
    "thousand short tons": "thousand short tons", "\u00b0C": "degC", "degC": "degC", "\u00b0F": "degF",
    "degF": "degF",
}  # fmt: skip
_SHOWN = {"degC": "\u00b0C", "degF": "\u00b0F", "short ton": "short tons", "short ton/yr": "short tons/yr"}
_NUMBER = r"-?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?"
_UNIT = "|".join(sorted((re.escape(word) for word in _WORDS), key=len, reverse=True))
_QUANTITY = re.compile(
    rf"(?<![\w.,/+-])({_NUMBER}(?: (?:to|of) {_NUMBER})*)([ \u00a0])"
    rf"((?:USD|kg)/(?:MMBtu|GJ|acre|ha|gal|m3)|{_UNIT})(?![\w%]|\.\d|/(?!yr|a\b|h\b|MWh\b))"
)
_LEAST_DIGITS = 3


class Quoted(str):
    """Text that stays as its author wrote it, such as a source."""

    __slots__ = ()


def text_in(text: str, system: System | None) -> str:
    """Write a text for people in the units of a system: every quantity whose unit is another one there.

    Parameters
    ----------
    text : str
        Quantities stand in it as a number, or several with ``to`` or ``of`` between them, and a unit behind.
    system : {'si', 'us'} or None
        None leaves the text as it is.

    Returns
    -------
    str
        Numbers keep as many digits as they had, and three at least.
    """
    if system is None or isinstance(text, Quoted):
        return text

    def exchange(found: re.Match[str]) -> str:
        numbers, blank, word = found.groups()
        unit = _WORDS.get(word, word)
        name = in_units(1.0, unit, system)[1]
        if name == unit:
            return found.group(0)
        changed = re.sub(_NUMBER, lambda one: _changed(one.group(0), unit, system), numbers)
        return f"{changed}{blank}{_SHOWN.get(name, name)}"

    return _QUANTITY.sub(exchange, text)


def unit_in(unit: str, system: System | None) -> tuple[str, float]:
    """Name of a unit in a system, and the factor of its numbers; temperatures have none and stay."""
    if system is None or (unit, system) in _TEMPERATURE:
        return unit, 1.0
    factor, name = in_units(1.0, unit, system)
    return _SHOWN.get(name, name), factor


def _changed(text: str, unit: str, system: System) -> str:
    """One number in the units of a system, written as exactly as it was."""
    digits = sum(letter.isdigit() for letter in text.partition("e")[0].lstrip("-0.,"))
    value = in_units(float(text.replace(",", "")), unit, system)[0]
    if value == 0:
        return "0"
    places = max(_LEAST_DIGITS, digits) - 1 - math.floor(math.log10(abs(value)))
    shown = f"{round(value, places):,.{max(places, 0)}f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown
