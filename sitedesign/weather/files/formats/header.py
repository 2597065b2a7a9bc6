"""What stands above a table: keys and values in any layout of the field, and the place and zone in them.

Layouts: ``# key: value`` or ``key,value`` on a line each; a row of keys above a row of values (NSRDB, SAM,
Open-Meteo); ``key,value,key,value`` on one line; the first row of TMY3 and SolarAnywhere; prose that names
latitude and longitude (NASA POWER).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from sitedesign.errors import Fault, InputError
from sitedesign.util.text_table import fields
from sitedesign.util.units import LENGTH, parse_unit
from sitedesign.weather.files.formats.column_names import squash

OF = "Weather.read()"
_NUMBER = r"[-+\u2212]?\d+(?:[.,]\d+)?"
_KEYS = {
    "latitude": ("latitude", "lat", "latitudedeg", "latitudedegrees", "latitudedecimaldegrees",
    "sitelatitude"),
    "longitude": (
        "longitude", "lon", "lng", "long", "longitudedeg", "longitudedegrees", "longitudedecimaldegrees",
        "sitelongitude",
    ),
    "elevation": (
        "elevation", "elevationm", "elev", "altitude", "altitudem", "alt", "elevationft", "elevationfeet",
        "altitudeft", "elevationmeters", "elevationmetres", "altitudeaslm", "height", "siteelevation",
    ),
    "zone": (
        "utcoffset", "utcoffseth", "utcoffsethours", "timezone", "tz", "localtimezone", "zone", "gmtoffset",
        "timezoneutc", "timezoneh", "utc", "gmt", "timesystem", "timereference",
    ),
    "zone_s": ("utcoffsetseconds",),
    "zone_min": ("utcoffsetminutes", "utcoffsetmin"),
    "convention": (
        "convention", "interval", "intervalconvention", "timestamp", "stamp", "label", "timestampconvention",
        "timeconvention", "averaging",
    ),
    "sun_offset_minutes": ("sunoffsetminutes",),
}  # fmt: skip
_TMY3_FIRST_ROW = ("id", "name", "state", "zone", "latitude", "longitude", "elevation")


def keys_of(above: Sequence[str], separator: str) -> dict[str, str]:
    """Keys and values above a table.

    Parameters
    ----------
    above : sequence of str
        The lines.
    separator : str
        Of the table below.

    Returns
    -------
    dict of str to str
        By the names of this module where it knows the key, else by the key's letters and digits.
    """
    keys: dict[str, str] = {}
    lines = [line.lstrip("#").strip() for line in above]
    for number, line in enumerate(lines):
        parts = fields(line, separator) if separator.strip() else [line]
        below = fields(lines[number + 1], separator) if number + 1 < len(lines) and separator.strip() else []
        if _is_row_of_keys(parts) and len(below) > 1:
            # NSRDB gives units of the columns in keys that have no value; rows may differ in length.
            found = {_key(name): value for name, value in zip(parts, below, strict=False) if name and value}
        elif (
            len(parts) >= 4 and _known(parts[0]) and sum(_known(part) is not None for part in parts[::2]) >= 2
        ):
            found = {_key(name): value for name, value in zip(parts[::2], parts[1::2], strict=False)}
        elif number == 0 and _is_tmy3_row(parts):
            found = dict(zip(_TMY3_FIRST_ROW, parts, strict=False))
        else:
            found = _pairs(line)
        for key, value in found.items():
            if value.strip(" ,;\t"):
                keys.setdefault(key, value.strip(" ,;\t\"'"))
    return keys


def _known(name: str) -> str | None:
    """Name in this module of a key as written, None for others."""
    bare = squash(re.sub(r"[(\[].*?[)\]]", "", name))
    return next((key for key, names in _KEYS.items() if bare in names or squash(name) in names), None)


def _key(name: str) -> str:
    known = _known(name)
    if known == "zone" and squash(name) == "localtimezone":
        return "local_zone"
    unit = re.search(r"[(\[]\s*(ft|feet)\s*[)\]]|(ft|feet)$", name.strip().lower())
    return "elevation_ft" if known == "elevation" and unit else known or squash(name)


def _is_row_of_keys(parts: Sequence[str]) -> bool:
    known = [part for part in parts if _known(part)]
    return {"latitude", "longitude"} <= {_known(part) for part in known} and not any(
        re.fullmatch(_NUMBER, part) for part in parts
    )


def _is_tmy3_row(parts: Sequence[str]) -> bool:
    bare = [re.sub(r"\s*[°º]?\s*[NSEW]$", "", part) for part in parts[3:6]]
    if len(parts) < 7 or not all(re.fullmatch(r"[-+]?\d+(\.\d+)?", part) for part in bare):
        return False
    zone, latitude, longitude = map(float, bare)
    return abs(zone) <= 14 and abs(latitude) <= 90 and abs(longitude) <= 180


def _pairs(line: str) -> dict[str, str]:
    """``key: value`` of one line, and latitude and longitude in prose."""
    prose = {
        key: match.group(1)
        for key in ("latitude", "longitude")
        if (match := re.search(rf"\b{key}\b\s*[:=]?\s*({_NUMBER}(?:\s*°?\s*[NSEW]\b)?)", line, re.IGNORECASE))
    }
    if len(prose) == 2:
        return prose
    pair = re.split(r"[:=,;\t]", line, maxsplit=1)
    return {_key(pair[0].strip("\"' ")): pair[1]} if len(pair) == 2 else {}


def place_of(keys: dict[str, str], file: str) -> dict[str, float]:
    """Latitude, longitude [degrees] and elevation [m] that a header names.

    Raises
    ------
    InputError
        If one of them cannot be read, or the letter of a hemisphere contradicts the sign.
    """
    place: dict[str, float] = {}
    for axis in ("latitude", "longitude"):
        if axis in keys:
            place[axis] = coordinate(keys[axis], axis, file)
    if "elevation_ft" in keys:
        place["elevation_m"] = elevation_m(f"{_bare_number(keys['elevation_ft'])} ft", file)
    elif "elevation" in keys:
        place["elevation_m"] = elevation_m(keys["elevation"], file)
    return place


def _bare_number(text: str) -> str:
    return re.sub(r"[^\d.,+-].*$", "", text)


def coordinate(text: str, axis: str, file: str) -> float:
    """Degrees, from decimal degrees or degrees, minutes and seconds, signed or with the hemisphere's letter.

    Parameters
    ----------
    text : str
        Such as ``-26.2``, ``26.2 S``, ``S26.2``, ``26° 12' 30" S``, ``26 12 30 S`` or ``26:12:30S``.
    axis : {'latitude', 'longitude'}
    file : str
        For messages.

    Returns
    -------
    float
        North and east positive. [degrees]

    Raises
    ------
    InputError
        If it cannot be read, is out of range, or its letter contradicts its sign or axis.
    """
    allowed = "must be degrees, signed or with N, S, E or W"
    where = f"{file} {axis}"
    plain = re.sub(r"[°º˚]", " ", text.replace("\u00c2", ""))
    plain = unicodedata.normalize("NFKC", plain).replace("\u2212", "-").strip("\"' ")
    plain = re.sub(r"(?i)\bnorth\b", "N", plain)
    plain = re.sub(r"(?i)\bsouth\b", "S", plain)
    plain = re.sub(r"(?i)\beast\b", "E", plain)
    plain = re.sub(r"(?i)\bwest\b", "W", plain)
    plain = re.sub(r"(?i)\bdeg(rees?)?\b\.?|(?<=\d)d(?=[\s\d])", " ", plain)
    plain = re.sub(r"(?<=\d)m(?=[\s\d])|(?<=\d)s(?=\s*[NSEW])", " ", plain)
    letters = re.findall(r"[NSEWnsew](?![a-zA-Z])", plain)
    bare = re.sub(r"[NSEWnsew](?![a-zA-Z])", " ", plain)
    bare = re.sub(r"(?<=\d),(?=\d)", ".", bare)
    numbers = re.findall(r"[-+]?\d+(?:\.\d+)?", bare)
    rest = re.sub(r"[-+]?\d+(?:\.\d+)?|['′’\"″”:ms\s]", "", bare)
    if not 1 <= len(numbers) <= 3 or rest or len(letters) > 1:
        raise InputError([Fault(where, repr(text), allowed)], OF)
    degrees, *parts = (float(number) for number in numbers)
    if any(not 0 <= part < 60 for part in parts):
        raise InputError([Fault(where, repr(text), "minutes and seconds must be in [0, 60)")], OF)
    size = abs(degrees) + sum(part / 60 ** (power + 1) for power, part in enumerate(parts))
    negative = numbers[0].startswith("-")
    letter = letters[0].upper() if letters else ""
    if letter and (letter in "NS") != (axis == "latitude"):
        raise InputError([Fault(where, repr(text), f"{letter} is no {axis}", "Are the two exchanged?")], OF)
    if negative and letter in ("N", "E"):
        raise InputError([Fault(where, repr(text), "the sign contradicts the letter", "Leave one out.")], OF)
    if axis == "longitude" and not letter and 180 < size <= 360 and not negative:
        size -= 360  # counted eastward all round
    value = -size if negative or letter in ("S", "W") else size
    if abs(value) > (90 if axis == "latitude" else 180):
        raise InputError(
            [Fault(where, repr(text), "out of range", "Are latitude and longitude exchanged?")], OF
        )
    return float(value)


def elevation_m(text: str, file: str) -> float:
    """Elevation in metres, from metres, feet or kilometres. [m]

    Raises
    ------
    InputError
        If number or unit cannot be read.
    """
    match = re.match(rf"\s*([-+\u2212]?\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|{_NUMBER})\s*(.*)$", text)
    if match is None:
        raise InputError([Fault(f"{file} elevation", repr(text), "must be metres or feet")], OF)
    digits = match.group(1).replace("\u2212", "-")
    grouped = re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?", digits)
    value = float(digits.replace(",", "" if grouped else "."))
    unit_text = re.sub(r"(?i)[\s.]*(a\.?s\.?l\.?|a\.?m\.?s\.?l\.?|above sea level)\.?$", "", match.group(2))
    unit_text = unit_text.strip(" ()[],;.'") or ("ft" if "'" in match.group(2) else "m")
    unit = parse_unit(unit_text)
    if unit is None or unit.dimension != LENGTH:
        raise InputError(
            [Fault(f"{file} elevation", f"the unit {unit_text!r}", "must be metres or feet")], OF
        )
    return float(value * unit.factor)


def zone_h(text: str, file: str) -> float:
    """Offset from UTC of a zone given as number, ``UTC``, ``+05:30`` or IANA name (its standard time). [h]

    Raises
    ------
    InputError
        If it cannot be read or no place on earth has it.
    """
    plain = unicodedata.normalize("NFKC", text).replace("\u2212", "-").strip().strip("\"'() ")
    allowed = "must be hours from UTC, 'UTC', '+05:30' or an IANA name"
    where = f"{file} utc_offset"
    if re.fullmatch(r"(?i)(utc|gmt|z|zulu|universal|utc time|gmt time)", plain):
        return 0.0
    clock = re.fullmatch(
        r"(?i)(?:utc|gmt)?\s*([+-]?)\s*(?:(\d{1,2})[:h](\d{2})(?::00)?|(\d{2})(\d{2})|(\d{1,2}(?:[.,]\d+)?))"
        r"\s*(?:h|hours?|hrs?)?",
        plain,
    )
    if clock:
        sign, hours, minutes, compact, compact_minutes, number = clock.groups()
        if number is not None:
            size = float(number.replace(",", "."))
        else:
            size = int(hours or compact) + int(minutes or compact_minutes) / 60
        value = -size if sign == "-" else size
        if not -12 <= value <= 14 or round(value * 60, 6) % 15:
            raise InputError([Fault(where, repr(text), "must be a zone in use, -12 to +14 h")], OF)
        return value
    from sitedesign.weather.site import _standard_offset_h

    try:
        return _standard_offset_h(plain)
    except (KeyError, ValueError, OSError):
        raise InputError([Fault(where, repr(text), allowed)], OF) from None


def declared_zone_h(keys: dict[str, str], file: str) -> float | None:
    """Offset from UTC of the stamps that a header declares, None if it does not. [h]"""
    for key, per_hour in (("zone_s", 3600), ("zone_min", 60)):
        if key in keys and re.fullmatch(_NUMBER, keys[key]):
            return zone_h(f"{float(keys[key]) / per_hour:g}", file)
    return zone_h(keys["zone"], file) if keys.get("zone") else None


def elevation_fault(place: dict[str, Any], keys: dict[str, str], file: str) -> Fault | None:
    """Say that an elevation without unit looks like feet, compared with pvlib's map."""
    text = keys.get("elevation", "")
    if "elevation_m" not in place or not re.fullmatch(rf"\s*{_NUMBER}\s*", text) or len(place) < 3:
        return None
    from pvlib.location import lookup_altitude  # reads a map of 15 MB

    mapped = float(lookup_altitude(place["latitude"], place["longitude"]))
    given = place["elevation_m"]
    off = abs(given - mapped)
    if off < 250 or abs(given * 0.3048 - mapped) > 0.25 * off:
        return None
    found = f"{given:g} without a unit, where the map has {mapped:.0f} m: that looks like feet"
    return Fault(f"{file} elevation", found, "must be in metres", f"Write '{given:g} ft' or '{given:g} m'.")
