"""Units as people write them, and what they are in watts, joules, metres and seconds.

``kWh/m2``, ``kWh m-2``, ``W·m⁻²``, ``MJ/(m² h)``, ``kW-hr/m^2/day``, ``Wh/sqm`` and their like are split into
powers of known units. The case of letters counts only where it decides between milli and mega.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

JOULES_PER_CALORIE = 4.184  # thermochemical, ISO 31-4
JOULES_PER_BTU = 1055.056  # International Table, ISO 31-4
METRES_PER_FOOT = 0.3048  # exact


@dataclass(frozen=True)
class Unit:
    """A unit as a factor and powers of joule, metre and second.

    Attributes
    ----------
    factor : float
        Value in J, m and s of one such unit.
    joule, metre, second : int
        Powers: W/m2 has 1, -2, -1.
    """

    factor: float
    joule: int
    metre: int
    second: int

    @property
    def dimension(self) -> tuple[int, int, int]:
        """Powers of joule, metre and second."""
        return (self.joule, self.metre, self.second)


POWER = (1, 0, -1)
ENERGY = (1, 0, 0)
POWER_DENSITY = (1, -2, -1)
ENERGY_DENSITY = (1, -2, 0)
SPEED = (0, 1, -1)
LENGTH = (0, 1, 0)

_BASE: dict[str, Unit] = {
    "w": Unit(1.0, 1, 0, -1),
    "wh": Unit(3600.0, 1, 0, 0),
    "j": Unit(1.0, 1, 0, 0),
    "cal": Unit(JOULES_PER_CALORIE, 1, 0, 0),
    "btu": Unit(JOULES_PER_BTU, 1, 0, 0),
    "ly": Unit(JOULES_PER_CALORIE * 1e4, 1, -2, 0),  # langley: cal/cm2
    "m": Unit(1.0, 0, 1, 0),
    "cm": Unit(0.01, 0, 1, 0),
    "km": Unit(1000.0, 0, 1, 0),
    "ft": Unit(METRES_PER_FOOT, 0, 1, 0),
    "mi": Unit(1609.344, 0, 1, 0),
    "nmi": Unit(1852.0, 0, 1, 0),
    "s": Unit(1.0, 0, 0, 1),
    "min": Unit(60.0, 0, 0, 1),
    "h": Unit(3600.0, 0, 0, 1),
    "d": Unit(86400.0, 0, 0, 1),
    "mph": Unit(1609.344 / 3600, 0, 1, -1),
    "kn": Unit(1852.0 / 3600, 0, 1, -1),
    "fpm": Unit(METRES_PER_FOOT / 60, 0, 1, -1),
}
_SPELLINGS = {
    "watt": "w", "watts": "w", "whr": "wh", "whrs": "wh", "watthour": "wh", "watthours": "wh", "joule": "j",
    "joules": "j", "calorie": "cal", "calories": "cal", "langley": "ly", "langleys": "ly",
    "metre": "m", "meter": "m", "metres": "m", "meters": "m", "foot": "ft", "feet": "ft", "mile": "mi",
    "miles": "mi", "sec": "s", "second": "s", "seconds": "s", "minute": "min", "minutes": "min",
    "hr": "h", "hrs": "h", "hour": "h", "hours": "h", "std": "h", "day": "d", "days": "d", "dy": "d",
    "kt": "kn", "kts": "kn", "knot": "kn", "knots": "kn", "kmh": "km/h", "kph": "km/h", "kmph": "km/h",
    "mps": "m/s", "ms": "m/s", "fps": "ft/s", "m2": "m2",
}  # fmt: skip
_PREFIXES = {
    "k": 1e3, "kilo": 1e3, "mega": 1e6, "milli": 1e-3, "g": 1e9, "giga": 1e9, "t": 1e12, "u": 1e-6, "µ": 1e-6,
}  # fmt: skip
_PREFIXED = ("w", "wh", "j", "cal", "btu")
_OTHER_UNITS = re.compile(
    r"[%\-]|deg\.?|degrees?|°|[°º]?\s?[cfk]|deg\.?\s?[cfk]|celsius|fahrenheit|kelvin|k?pa|hpa|m?bar|psi|mm|cm|"
    r"inch(es)?|in|g/kg|kg/m3|ppm|v|a|kvar|kva|hz|"
    r"(yyyy|yy|mm|dd)[-/.](mm|dd)[-/.](yyyy|yy|dd)( hh:mm(:ss)?)?|hh:mm(:ss)?|[01]-[01]|unitless|none|n/a|"
    r"lux|klux|(utc|gmt)([+-]\d{1,2}(:\d{2})?)?|lst|local time|\$|usd|okta|tenths"
)


def tidy(text: str) -> str:
    """One spelling for signs: superscripts, dots, minus signs, brackets and damaged encodings."""
    text = text.replace("\u00c2", "").replace("m\ufffd", "m2")  # UTF-8 read as Latin-1; a lost superscript
    text = unicodedata.normalize("NFKC", text.replace("⁻", "-")).replace("μ", "µ")
    text = text.replace("\u2212", "-").replace("\u2013", "-")
    return " ".join(text.strip().strip("[](){}").split())


def parse_unit(text: str) -> Unit | None:
    """Read a unit.

    Parameters
    ----------
    text : str
        Without brackets around it.

    Returns
    -------
    Unit or None
        None for what is no product of powers of known units.
    """
    plain = tidy(text)
    plain = re.sub(r"\bsq\.?\s*(m|meter|metre|cm|ft|feet|foot)s?\b", r"\1 2", plain, flags=re.IGNORECASE)
    plain = re.sub(r"\bsquared?\s*(m|meter|metre|cm|ft|feet|foot)s?\b", r"\1 2", plain, flags=re.IGNORECASE)
    plain = re.sub(r"\b(m|meter|metre|cm|ft|foot)s?\s*squared\b", r"\1 2", plain, flags=re.IGNORECASE)
    plain = re.sub(r"\bsqm\b|\bqm\b", "m2", plain, flags=re.IGNORECASE)
    plain = re.sub(r"\bsqft\b", "ft2", plain, flags=re.IGNORECASE)
    plain = re.sub(r"\bsqcm\b", "cm2", plain, flags=re.IGNORECASE)
    plain = re.sub(r"(?<=[a-z]) 2\b", "2", plain, flags=re.IGNORECASE)
    plain = re.sub(r"(?<=[Ww])[-. ]?(hours?|hrs?|h)\b", "h", plain)  # kW-hr, kW h, watt-hours
    plain = re.sub(r"(?i)(?<=watt)[-. ]?(hours?|hrs?|h)\b", "hour", plain)
    plain = re.sub(r"(?i)\b(?:per|pro)\b", "/", plain)
    plain = re.sub(r"\^\s*\(?\s*(-?\d)\s*\)?|\*\*\s*\(?\s*(-?\d)\s*\)?", r"\1\2", plain)
    plain = re.sub(r"[·⋅∙×]|(?<=[a-z0-9])\.(?=[a-z])", "*", plain, flags=re.IGNORECASE)
    plain = re.sub(r"(?i)(?<=[a-z])-(?=[a-z])", "*", plain)
    plain = re.sub(r"\s*/\s*", "/", plain)
    plain = re.sub(r"(?<=[/ ])(\d+) (?=[a-z])", r"\1", plain, flags=re.IGNORECASE)  # per 15 min
    plain = re.sub(r"\b(k?Wh?|[kM]?J)(m-2)", r"\1 \2", plain)
    plain = re.sub(r"\bms-1\b", "m s-1", plain)
    plain = plain.replace("(", "").replace(")", "").strip()
    if not plain:
        return None
    product = Unit(1.0, 0, 0, 0)
    below = False  # all that follows a stroke stands below it, as in MJ/m2 h and Btu/hr-ft2
    for sign, token in re.findall(r"(^|[*/ ])\s*([^*/ ]+)", plain):
        below = below or sign == "/"
        factor = _power(token, -1 if below and not re.search(r"-\d$", token) else 1)
        if factor is None:
            return None
        product = _times(product, factor)
    return product


def looks_like_unit(text: str) -> bool:
    """Whether a text is a unit of any quantity, as it may stand in a row of units."""
    plain = tidy(text)
    return bool(_OTHER_UNITS.fullmatch(plain.lower())) or parse_unit(plain) is not None


def _power(token: str, sign: int) -> Unit | None:
    """Read a unit to a power, as ``m2``, ``m-2``, ``h-1`` or ``30min``."""
    number = re.match(r"(\d+)(?=[A-Za-z])", token)
    count = float(number.group(1)) if number else 1.0
    rest = token[number.end() :] if number else token
    match = re.fullmatch(r"([A-Za-zµ]+)(-?\d)?", rest)
    if not match:
        return None
    unit = _named(match.group(1))
    if unit is None:
        return None
    power = sign * int(match.group(2) or 1)
    return Unit((count * unit.factor) ** power, unit.joule * power, unit.metre * power, unit.second * power)


def _named(name: str) -> Unit | None:
    lower = name.lower()
    spelled = _SPELLINGS.get(lower, lower)
    if "/" in spelled:
        return parse_unit(spelled)
    if spelled in _BASE:
        return _BASE[spelled]
    for prefix, factor in sorted(_PREFIXES.items(), key=lambda item: -len(item[0])):
        if lower.startswith(prefix) and (base := _prefixed(lower[len(prefix) :])):
            return _times(Unit(factor, 0, 0, 0), base)
    if lower.startswith("m") and (base := _prefixed(lower[1:])):
        # The one prefix whose case decides: mW is a thousandth of a watt, MW a million; MJ is always mega.
        milli = name[0] == "m" and base.dimension == POWER
        return _times(Unit(1e-3 if milli else 1e6, 0, 0, 0), base)
    return None


def _prefixed(rest: str) -> Unit | None:
    spelled = _SPELLINGS.get(rest, rest)
    return _BASE[spelled] if spelled in _PREFIXED else None


def _times(a: Unit, b: Unit) -> Unit:
    return Unit(a.factor * b.factor, a.joule + b.joule, a.metre + b.metre, a.second + b.second)
