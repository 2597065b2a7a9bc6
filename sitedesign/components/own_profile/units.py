"""Units that people write beside a load or a production, and what they mean.

A unit stands in a column's name (``Load (kW)``, ``load_kw``, ``Leistung in kW``), in a row below the names or
in a comment. Power and energy per interval, of a plant or per rating, are told apart by it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

Quantity = Literal["power", "energy", "either", "share"]

_POWER_OF_TEN = {"": 1e-6, "k": 1e-3, "m": 1.0, "g": 1e3, "t": 1e6}  # of a watt, in MW
_JOULES_PER_WATT_HOUR = 3600.0
_RATING = r"(?P<rated>kilo|mega|giga|[kmg])?w(?:att)?s?[\s_]?(?:p|dc|pk|peak|ac|inst)?"
_UNIT = re.compile(
    r"""(?<![a-z0-9])
    (?P<prefix>kilo[\s-]?|mega[\s-]?|giga[\s-]?|tera[\s-]?|[kmgt])?
    (?P<base>watt[\s_-]*(?:hours?|hrs?|stunden?)|w[\s_.·*-]?h(?:r|rs|ours?)?|watts?|w|joules?|j)
    (?:_?(?:dc|ac|el|e))?
    (?![a-z0-9])""",
    re.VERBOSE,
)
# What may follow the unit: a rating, a time or something that makes it another quantity.
_PER = r"^[\s)\]]*(?:/|per\b|_per_|pro\b|÷)[\s_(]*"
_PER_RATING = re.compile(rf"{_PER}(?:installed\s+)?{_RATING}(?![a-z0-9])")
_PER_RATING_POWER = re.compile(rf"^[\s·*.]*{_RATING}\s*(?:\^|\*\*)?\s*[-−⁻]\s*[1¹]")
_PER_RATING_NAME = re.compile(r"^_(?P<rated>[kmg])?w(?:p|dc|pk)(?![a-z0-9])")
_PER_HOUR = re.compile(rf"{_PER}(?:1\s*)?(?:h|hr|hour|std|stunde|60\s*min(?:utes?)?)(?![a-z0-9])")
_PER_MINUTES = re.compile(rf"{_PER}(?P<minutes>\d+)[\s_-]*min")
_PER_QUARTER = re.compile(
    rf"{_PER}(?:1/4\s*h|¼\s*h|quarter|viertelstunde|qh\b)|^[\s_,(-]*(?:1/4|¼)[\s-]*(?:h|std)"
)
_PER_HALF = re.compile(rf"{_PER}(?:1/2\s*h|½\s*h|half|halbe)")
_PER_STEP = re.compile(rf"{_PER}(?:interval|step|period|row|reading|time\s?step|intervall|schritt)")
_PER_OTHER = re.compile(rf"{_PER}(?P<other>[a-z°²$€][\w²^-]*)")
_SHARE = re.compile(r"%|(?<![a-z])(?:per[\s_]?cent|percent|pct|prozent|porcentaje|pourcent)(?:age)?(?![a-z])")
_FRACTION = re.compile(
    r"(?<![a-z])(?:p\.\s?u\.?|pu|per[\s_-]unit|capacity[\s_]?factor|cf|fraction|normali[sz]ed|0\s?-\s?1)(?![a-z])"
)
_FOREIGN = re.compile(
    r"(?<![a-z])(?:[kmg]?va|[kmg]?var|(?:mm|k)?btu(?:/h|h)?|therms?|amps?|amperes?|kv|volts?|°\s?[cf]|deg\s?c|hp|"
    r"k?cal|[kmg]?wh?\s*/?\s*m\s?(?:[-^]\s?2|²|2)|m/s|m3|nm3|usd|eur|\$|€|gallons?|kg|lb|tons?)(?![a-z])"
)
_RATING_LINE = re.compile(
    r"nominal|system size|dc size|capacity|installed|nameplate|pnom|rated|rating|peak power|array size"
)
_UNIT_LINE = re.compile(
    r"(?<![a-z])(?:units?|einheit(?:en)?|unit[ée]s?|unidad(?:es)?|values?|werte|all (?:data|columns))"
    r"(?![a-z])"
)
_IN_BRACKETS = re.compile(r"[(\[{]\s*([^()\[\]{}]*?)\s*[)\]}]")


@dataclass(frozen=True)
class Unit:
    """A unit of a profile.

    Attributes
    ----------
    text : str
        As it was written.
    quantity : str
        ``power``, ``energy`` per interval, ``either`` (kW/h, which people write for both), or ``share`` of
        what is installed.
    factor : float
        To MW, MWh or a fraction; with a rating, to MW or MWh per MWdc.
    per_rating : bool
        Whether it is per installed power (kWh/kWp).
    minutes : int or None
        Interval that the unit itself names (kWh/15min). [min]
    """

    text: str
    quantity: Quantity
    factor: float
    per_rating: bool = False
    minutes: int | None = None

    @property
    def of_a_plant(self) -> bool:
        """Whether the numbers are of a whole plant, whose size must then be known."""
        return self.quantity != "share" and not self.per_rating

    def to_mw(self, step_minutes: int) -> float:
        """Factor from the numbers as they stand to MW, MW per MWdc or a fraction.

        Parameters
        ----------
        step_minutes : int
            Step of the profile; only energies need it. [min]
        """
        return self.factor * 60 / step_minutes if self.quantity == "energy" else self.factor


@dataclass(frozen=True)
class NoUnit:
    """A text that names something that is neither power nor energy: ``kVA``, ``W/m2``, ``per month``."""

    text: str


def find_unit(text: str) -> Unit | NoUnit | None:
    """Find the unit in a column's name, a cell, a comment or what somebody says.

    Parameters
    ----------
    text : str
        ``Load (kW)``, ``load_kw``, ``E_Grid [kWh]``, ``kWh/kWp``, ``MWh per 15 min``, ``%``.

    Returns
    -------
    Unit, NoUnit or None
        None when it names none.
    """
    parts = [part for part in _IN_BRACKETS.findall(text) if part] if len(text) < 200 else []
    for part in (*parts, text):
        found = _unit_in(part)
        if found is not None:
            return found
    return None


def unit_of_lines(lines: list[str], column: str) -> Unit | None:
    """Find the unit that comments or the lines before and after a table give for a column.

    Parameters
    ----------
    lines : list of str
        ``# unit: kW``, ``P: PV system power (W)``, ``"electricity": "kW"``; sizes of plants are left out.
    column : str
        Name of the column, empty when it has none.

    Returns
    -------
    Unit or None
        None also when the lines disagree.
    """
    name = column.strip().lower()
    own: list[Unit | NoUnit | None] = []
    general: list[Unit | NoUnit | None] = []
    for line in lines:
        low = line.lower()
        if re.search(r"\d\s*[kmg]?w(?![a-z])", low):  # so many MW: a size
            continue
        legend = re.search(rf'["\']?(?<!\w){re.escape(name)}["\']?\s*[:=]\s*["\']?([^,;"\']+)', low)
        if name and legend:
            own.append(find_unit(line[legend.start(1) : legend.end(1)]))
        elif _UNIT_LINE.search(low) and not _RATING_LINE.search(low) and "{" not in low:
            general.append(find_unit(line.split(":", 1)[-1]))
    for units in (own, general):
        known = [unit for unit in units if isinstance(unit, Unit)]
        if len({(unit.quantity, unit.factor, unit.per_rating) for unit in known}) == 1:
            return known[0]
    return None


def rating_of_lines(lines: list[str]) -> float | None:
    """Size of the array that the lines before a table state. [MWdc]

    Parameters
    ----------
    lines : list of str
        ``Nominal power of the PV system (c-Si) (kWp): 1.0``, ``"DC System Size (kW):","4"``.

    Returns
    -------
    float or None
        None when there is none, or several that differ.
    """
    found: set[float] = set()
    for line in lines:
        low = line.lower()
        for match in re.finditer(r'"capacity"\s*:\s*"?(\d+(?:\.\d+)?)', low):  # renewables.ninja, in kW
            found.add(float(match[1]) / 1000)
        if '"capacity"' in low or not _RATING_LINE.search(low) or re.search(r"\bac\b|inverter", low):
            continue
        unit = re.search(r"(?<![a-z])(k|m|g)?w(?:p|dc|_dc)?(?![a-z])", low)
        number = re.search(r'[:=;,\t]\s*"?\s*(\d+(?:[.,]\d+)?)', low)
        if unit and number:
            found.add(float(number[1].replace(",", ".")) * _POWER_OF_TEN[unit[1] or ""])
    return found.pop() if len(found) == 1 and min(found) > 0 else None


def _unit_in(text: str) -> Unit | NoUnit | None:
    low = text.strip().lower().replace("μ", "µ")
    foreign = _FOREIGN.search(low)
    if foreign:
        return NoUnit(text.strip()[foreign.start() : foreign.end()].strip())
    for match in _UNIT.finditer(low):
        if len(match[0]) == 1 and not _stands_out(low, match):
            continue
        return _with_denominator(text.strip(), low, match)
    share = _SHARE.search(low) or _FRACTION.search(low)
    if share is None:
        return None
    is_percent = _SHARE.search(low) is not None
    return Unit(share[0], "share", 0.01 if is_percent else 1.0)


def _stands_out(low: str, match: re.Match[str]) -> bool:
    """Whether a single letter can be a unit: alone, at the end after ``_`` or ``in``, or before ``/``."""
    before, after = low[: match.start()], low[match.end() :]
    whole = not before.strip() and not after.strip()
    return (
        whole
        or bool(re.match(_PER, after))
        or (not after.strip() and bool(re.search(r"(?:_|\bin\s|\|\s*|,\s*|\d\s*|:\s*)$", before)))
    )


def _with_denominator(text: str, low: str, match: re.Match[str]) -> Unit | NoUnit:
    base, after = match["base"], low[match.end() :]
    prefix = (match["prefix"] or "").strip(" -")[:1]
    is_joule = base.startswith("j")
    is_energy = is_joule or "h" in base.replace("watth", "h") or "stunde" in base
    factor = _POWER_OF_TEN[prefix] / (_JOULES_PER_WATT_HOUR if is_joule else 1.0)
    unit = Unit(text[match.start() : match.end()], "energy" if is_energy else "power", factor)
    for pattern in (_PER_RATING, _PER_RATING_POWER, _PER_RATING_NAME):
        rating = pattern.search(after)
        if rating:
            written = text[match.start() : match.end() + rating.end()]
            scale = _POWER_OF_TEN[(rating["rated"] or "")[:1]]
            unit = replace(unit, text=written, factor=factor / scale, per_rating=True)
            after = after[rating.end() :]
            break
    return _over_time(unit, text, after, match)


def _over_time(unit: Unit, text: str, after: str, match: re.Match[str]) -> Unit | NoUnit:
    """Read what follows a unit: per hour, per 15 minutes, per interval."""
    is_energy = unit.quantity == "energy"
    hour = _PER_HOUR.search(after)
    if hour and not is_energy:
        return replace(unit, quantity="either", text=unit.text + hour[0])
    if hour:
        return replace(unit, quantity="power", text=unit.text + hour[0])
    minutes = _PER_MINUTES.search(after)
    length = 15 if _PER_QUARTER.search(after) else 30 if _PER_HALF.search(after) else None
    length = int(minutes["minutes"]) if minutes else length
    if length is not None:
        return replace(unit, minutes=length if is_energy else None)
    if _PER_STEP.search(after):
        return unit
    other = _PER_OTHER.search(after)
    if other:
        return NoUnit(text[match.start() :].strip(" ()[]"))
    return unit
