"""Figures in the units of SI or of the United States: heat rate, fuel, area, length, temperature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

System = Literal["si", "us"]
SYSTEMS: tuple[System, ...] = ("si", "us")
_BTU_KJ = 1.055056
_ACRE_HA = 0.40468564224
_FOOT_M = 0.3048
_POUND_KG = 0.45359237

#: Unit as it stands -> the other system's unit, and the factor (temperatures apart).
_TO_SI: dict[str, tuple[str, float]] = {
    "Btu/kWh": ("kJ/kWh", _BTU_KJ),
    "MMBtu": ("GJ", _BTU_KJ),
    "acres": ("ha", _ACRE_HA),
    "acre": ("ha", _ACRE_HA),
    "ft": ("m", _FOOT_M),
    "mi": ("km", 5280 * _FOOT_M / 1000),
    "gal": ("L", 3.785411784),
    "lb": ("kg", _POUND_KG),
}
_TO_US: dict[str, tuple[str, float]] = {
    "kJ/kWh": ("Btu/kWh", 1 / _BTU_KJ),
    "GJ": ("MMBtu", 1 / _BTU_KJ),
    "ha": ("acres", 1 / _ACRE_HA),
    "m": ("ft", 1 / _FOOT_M),
    "km": ("mi", 1000 / (5280 * _FOOT_M)),
    "L": ("gal", 1 / 3.785411784),
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
