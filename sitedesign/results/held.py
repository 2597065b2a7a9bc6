"""What a plant is held to in operation, and what is not asked of it: said with every certified answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sitedesign.reliability.certificate import Certificate
from sitedesign.util.words import listed, share

#: What a plain practice leaves out, by the input that asks for it.
_LEFT_OUT = {
    "reserve": "a reserve for the trip of the largest unit",
    "unit_rules": "wear and down time of starts",
    "ride_through": "a ride-through that may fail",
}


def held(study: Mapping[str, Any], units: int, kept: Certificate | None, careful: str) -> str:
    """Say what is held and what is not; empty where no unit stands that would trip or start.

    Parameters
    ----------
    study : mapping
        As a design keeps it.
    units : int
        Of backup, built.
    kept : Certificate, optional
    careful : str
        How the reader asks for what is left out.
    """
    if not units:
        return ""
    asked = [name for name in _LEFT_OUT if _is_asked(study, name)]
    parts = ["lowest load and start times of units"]
    if "reserve" in asked:
        parts.append(_reserve(kept))
    parts += ["wear and down time of starts"] if "unit_rules" in asked else []
    parts += [_ride_through(study)] if "ride_through" in asked else []
    parts += ["the warranty of the battery"] if _holds_warranty(study) else []
    without = [words for name, words in _LEFT_OUT.items() if name not in asked]
    if not without:
        return listed(parts)
    return f"{listed(parts)}; not held: {', '.join(without)} ({careful} holds them)"


def _is_asked(study: Mapping[str, Any], name: str) -> bool:
    if name == "ride_through":
        return bool(study.get(name, "hall") != "hall")
    if name == "unit_rules" and study.get("practice") == "careful":
        return True
    return bool(study.get(name))


def _holds_warranty(study: Mapping[str, Any]) -> bool:
    cycles = (study.get("limits") or {}).get("battery_cycles_per_yr")
    return bool(cycles == "warranty" or (cycles is None and study.get("practice") == "careful"))


def _reserve(kept: Certificate | None) -> str:
    use = None if kept is None else kept.reserve
    if use is None:
        return "a reserve"
    short = use.short_h_per_yr.value
    return f"a reserve ({use.asked}; missing in {short:,.2g} h a year of {use.allowed_h_per_yr:g} allowed)"


def _ride_through(study: Mapping[str, Any]) -> str:
    if study["ride_through"] == "none":
        return "no ride-through"
    fails = study["facility"].get("ride_through_failure_probability")
    return "a ride-through that is paid" + (f" and fails in {share(fails)} of its use" if fails else "")
