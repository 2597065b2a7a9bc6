"""Names and units of columns that people give to weather, and what they mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sitedesign.errors import Fault, InputError
from sitedesign.util.units import ENERGY_DENSITY, POWER_DENSITY, SPEED, parse_unit, tidy

FloatArray = NDArray[np.float64]

IRRADIANCE = ("ghi", "dni", "dhi")
_NAMES = {
    "ghi": (
        "ghi", "measuredghi", "ghimeasured", "measglo", "measuredglo", "globalhorizontal",
        "globalhorizontalirradiance", "globalhorizontalradiation", "globalhorizontalirradiation",
        "globalirradiance", "globalradiation", "globalirradiation", "globhor", "glohor", "gh", "ggh",
        "global",
        "shortwaveradiation", "shortwaveradiationinstant", "allskysfcswdwn", "solarradiation", "ghiwm",
        "surfacesolarradiationdownwards", "ssrd", "sunyglo", "metstatglo", "modeledghi", "nsrdbghi",
        "globalhorizontalirradianceghi", "rayonnementglobal", "globalstrahlung", "radiacionglobal", "swdown",
        "slrrad", "srad", "solarirradiance", "globalsolarradiation",
    ),
    "dni": (
        "dni", "measureddni", "dnimeasured", "measdir", "measureddir", "directnormal",
        "directnormalirradiance",
        "directnormalradiation", "beamnormal", "beamnormalirradiance", "beam", "gbn", "allskysfcswdni", "bn",
        "directnormalirradiation", "beamnor", "dirnor", "bni", "sunydir", "metstatdir", "modeleddni",
        "nsrdbdni",
        "directnormalirradiancedni", "ebn", "directnormalirradianceinstant",
    ),
    "dhi": (
        "dhi", "measureddhi", "dhimeasured", "measdif", "measureddif", "diffusehorizontal",
        "diffusehorizontalirradiance", "diffusehorizontalradiation", "diffuseradiation",
        "diffusehorizontalirradiation",
        "diffuseirradiance", "diffhor", "difhor", "gdh", "diffuse", "allskysfcswdiff", "dif", "sunydif",
        "metstatdif",
        "modeleddhi", "nsrdbdhi", "diffusehorizontalirradiancedif", "diffusehorizontalirradiancedhi",
        "diffuseradiationinstant",
    ),
    "temp_air": (
        "tempair", "airtemperature", "airtemp", "temperature", "ambienttemperature", "ambienttemp", "temp",
        "tamb",
        "tambient", "tdry", "drybulb", "drybulbtemperature", "t2m", "temperature2m", "tair", "ta",
        "tempambient",
        "temperatureair", "drybulbtemp", "2mtemperature", "lufttemperatur", "outdoortemperature",
        "outsidetemperature", "temperatureambient", "temperatureat2meters", "amtemp", "tempout",
    ),
    "wind_speed": (
        "windspeed", "wind", "wspd", "ws", "ws10m", "windspeed10m", "windvelocity", "windvel", "windspd",
        "ff",
        "10mwindspeed", "ws2m", "ws50m", "vwind", "windspeedat10meters", "windgeschwindigkeit", "u10m",
        "wndspd",
    ),
}  # fmt: skip
"""Without blanks, signs and capitals. Earlier names win: what was measured goes before what was modelled."""
_TIME: dict[str, str] = {
    **dict.fromkeys(
        ("time", "timestamp", "datetime", "date", "timeutc", "utctime", "utc", "timestamputc", "datetimeutc",
         "localtime", "timelocal", "localdatetime", "datetimelocal", "localstandardtime", "validtime",
         "index",
         "timegmt", "gmttime", "datetimegmt", "observationtime", "observationtimelst", "observationtimegmt",
         "unnamed0", "indexlevel0", "level0", "timestamplocal", "timestamplst", "dateandtime", "datum",
         "zeit",
         "zeitstempel", "fecha", "fechahora", "horodatage", "dateheure", "datehour", "datehourminute",
         "stamp",
         "timelst", "datetimelst", "timestampgmt", "datumzeit", "datumuhrzeit", "yyyymmddhhmm", "datehhmm"),
         ""
    ),
    **dict.fromkeys(
        ("periodend", "intervalend", "hourending", "endtime", "timeend", "intervalending", "periodending",
         "timestampend", "periodendutc", "hourend", "enddatetime", "end", "timeending", "datehourending"),
         "end"
    ),
    **dict.fromkeys(
        ("periodstart", "intervalstart", "hourbeginning", "starttime", "timestart", "intervalbeginning",
         "periodbeginning", "timestampstart", "periodstartutc", "hourstart", "startdatetime", "start",
         "timebeginning", "intervalbegin", "datehourbeginning", "begin"), "start"
    ),
    **dict.fromkeys(("periodmid", "periodmiddle", "intervalmid", "timemid"), "middle"),
}  # fmt: skip
"""What a column of stamps may be called, and what the name says of where in the interval they stand."""
_PARTS = ("year", "month", "day", "doy", "hour", "minute")
_PART_NAMES = {
    "mo": "month", "hr": "hour", "min": "minute", "yr": "year", "dy": "day", "dd": "day", "mm": "month",
    "yyyy": "year", "hh": "hour", "dayofyear": "doy", "julianday": "doy", "jday": "doy", "jd": "doy",
    "dayofmonth": "day", "minutes": "minute", "hours": "hour", "hourofday": "hour", "hourlst": "hour",
    "hourending": "hour", "he": "hour", "hourutc": "hour", "hourend": "hour", "heure": "hour", "stunde":
    "hour",
    "months": "month", "days": "day", "jahr": "year", "monat": "month", "tag": "day", "mes": "month",
}  # fmt: skip
_NOT_UNITS = re.compile(
    r"(ghi|dni|dhi|dif|avg|average|mean|measured|modeled|ambient|air|outside|outdoor|\d+ ?m|"
    r"utc|lst|lt|gmt|local|total|hourly|"
    r"2-m|10-m|at 2m|at 10m|dry ?bulb|instant(aneous)?|h|n)",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"(module|cell|panel|back|surface|dew ?point|soil|inverter|max(imum)?|min(imum)?|gust|"
    r"clear ?sky|std)s?\b.*",
    re.IGNORECASE,
)
"""In brackets behind a name: another quantity of the same name."""
_CELSIUS = re.compile(r"(deg(rees?)?|grad)?[ _.°º\"']*(c|celsius|centigrade)", re.IGNORECASE)
_FAHRENHEIT = re.compile(r"(deg(rees?)?|grad)?[ _.°º\"']*(f|fahrenheit)", re.IGNORECASE)
_KELVIN = re.compile(r"(deg(rees?)?)?[ _.°º\"']*(k|kelvin)", re.IGNORECASE)
_LOST_SIGN = re.compile(r"^[^A-Za-z]+(?=[CFK]$)")
_SQUASHED = {
    "wm2": "W/m2", "wm": "W/m2", "kwm2": "kW/m2", "whm2": "Wh/m2", "kwhm2": "kWh/m2", "mjm2": "MJ/m2",
    "kjm2": "kJ/m2", "jm2": "J/m2", "jcm2": "J/cm2", "mwcm2": "mW/cm2", "mjm2h": "MJ/m2/h", "kjm2h":
    "kJ/m2/h",
    "wattspermetersquared": "W/m2", "wattspersquaremeter": "W/m2", "wpm2": "W/m2", "wpersqm": "W/m2",
    "watthourspermetersquared": "Wh/m2", "kilowatthourspermetersquared": "kWh/m2", "calcm2": "cal/cm2",
    "mjperm2": "MJ/m2", "wperm2": "W/m2", "kwhperm2": "kWh/m2", "langley": "ly", "langleys": "ly",
    "ms": "m/s", "mps": "m/s", "meterspersecond": "m/s", "metrespersecond": "m/s", "kmh": "km/h", "kph":
    "km/h",
    "mph": "mph", "kn": "kn", "kt": "kn", "knots": "kn", "milesperhour": "mph", "kilometersperhour": "km/h",
    "c": "C", "degc": "C", "degreesc": "C", "celsius": "C", "degreescelsius": "C", "degf": "F", "f": "F",
    "degreesf": "F", "fahrenheit": "F", "degreesfahrenheit": "F", "k": "K", "degk": "K", "kelvin": "K",
    "kw": "kW", "wh": "Wh", "kwh": "kWh", "mj": "MJ", "w": "W", "kj": "kJ", "degreescentigrade": "C",
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A column of values.

    Attributes
    ----------
    position : int
    variable : str
        ``ghi``, ``dni``, ``dhi``, ``temp_air`` or ``wind_speed``.
    name : str
        As written in the file.
    unit : str
        As written; empty if not named.
    """

    position: int
    variable: str
    name: str
    unit: str

    @property
    def unit_named(self) -> bool:
        """Whether the file names the unit."""
        return bool(self.unit)

    @property
    def said(self) -> str:
        """How the column was understood."""
        default = {"temp_air": "degrees C", "wind_speed": "m/s"}.get(self.variable, "W/m2")
        return f"{self.variable} from column {self.name!r}" + ("" if self.unit else f", taken in {default}")

    def scale(self, values: FloatArray, step_h: float, file: str) -> FloatArray:
        """Convert to W/m2, degrees C or m/s.

        Parameters
        ----------
        values : ndarray
            In the column's unit.
        step_h : float
            Length of a step, for energies. [h]
        file : str
            For messages.

        Returns
        -------
        ndarray
            Sentinels become NaN where scaling would bring them back into the credible range.

        Raises
        ------
        InputError
            If the unit is not known for the variable.
        """
        factor, zero = self._conversion(step_h, file)
        if (factor, zero) == (1.0, 0.0):
            return values
        sentinel = np.isin(values, _HIGH_SENTINELS) | np.isin(values, _LOW_SENTINELS)
        if self.variable != "temp_air":
            sentinel |= values < -90
        return np.where(sentinel, np.nan, values * factor + zero)

    def _conversion(self, step_h: float, file: str) -> tuple[float, float]:
        """Factor and zero point."""
        text = _LOST_SIGN.sub("", tidy(self.unit))
        if not text:
            return 1.0, 0.0
        if self.variable == "temp_air":
            if _CELSIUS.fullmatch(text):
                return 1.0, 0.0
            if _FAHRENHEIT.fullmatch(text):
                return 1 / 1.8, -32 / 1.8
            if _KELVIN.fullmatch(text):
                return 1.0, -273.15
            raise self._unknown(file, "degrees C, F or K")
        unit = parse_unit(text.replace("mp/h", "mph"))
        if self.variable == "wind_speed":
            if unit is not None and unit.dimension == SPEED:
                return unit.factor, 0.0
            raise self._unknown(file, "m/s, km/h, mph or knots")
        if unit is not None and unit.dimension == POWER_DENSITY:
            return unit.factor, 0.0
        if unit is not None and unit.dimension == ENERGY_DENSITY:
            return unit.factor / 3600 / step_h, 0.0
        raise self._unknown(file, "W/m2, kW/m2, Wh/m2, kWh/m2, MJ/m2, kJ/m2, J/m2, J/cm2, cal/cm2 or mW/cm2")

    def _unknown(self, file: str, known: str) -> InputError:
        found = f"the unit {self.unit!r} of column {self.name!r}"
        return InputError(
            [Fault(file, found, f"must be {known}", "Correct the unit in the name.")], "Weather.read()"
        )


_LOW_SENTINELS = (-99.0, -99.9, -999.0, -999.9, -9999.0, -9999.9, -9900.0, -99999.0)
_HIGH_SENTINELS = (9999.0, 99999.0, 999999.0)
SENTINELS = (*_LOW_SENTINELS, *_HIGH_SENTINELS, 99.9, 999.0, 999.9)
"""Numbers that stand for a missing value."""


def squash(name: str) -> str:
    """Letters and digits in lower case: ``Air Temp_2m`` becomes ``airtemp2m``."""
    return re.sub(r"[^a-z0-9]", "", tidy(name).lower())


def value_columns(names: Sequence[str], units: Sequence[str] = ()) -> tuple[Column, ...]:
    """Find the columns of irradiance, temperature and wind.

    Parameters
    ----------
    names : sequence of str
        Names as written.
    units : sequence of str
        From a row of units below the names, if there is one.

    Returns
    -------
    tuple of Column
        By variable, the preferred name first; there may be several for each.
    """
    found: list[tuple[str, int, Column]] = []
    for position, name in enumerate(names):
        for variable, known in _NAMES.items():
            match = _match(name, variable, known)
            if match is not None:
                rank, unit = match
                below = units[position].strip("[]() ") if position < len(units) else ""
                found.append((variable, rank, Column(position, variable, name, unit or below)))
                break
    order = list(_NAMES)
    found.sort(key=lambda item: (order.index(item[0]), item[1], item[2].position))
    return tuple(column for _, _, column in found)


def _fits(variable: str, text: str) -> bool:
    """Whether a text is a unit of the variable."""
    if variable == "temp_air":
        return any(kind.fullmatch(text) for kind in (_CELSIUS, _FAHRENHEIT, _KELVIN))
    unit = parse_unit(text)
    kinds = (SPEED,) if variable == "wind_speed" else (POWER_DENSITY, ENERGY_DENSITY)
    return unit is not None and unit.dimension in kinds


def _match(name: str, variable: str, known: Sequence[str]) -> tuple[int, str] | None:
    """Rank of the name among the known ones and its unit, None if it is none of them."""
    if (bare := _pvgis_name(name)) is not None:
        return (known.index(bare), "W/m2") if bare in known else None
    brackets = re.findall(r"[(\[]([^()\[\]]*(?:\([^()]*\)[^()\[\]]*)?)[)\]]", name)
    outside = re.sub(r"[(\[].*[)\]]", " \x00 ", name).split("\x00")
    before, after = outside[0].strip(), outside[-1].strip() if len(outside) > 1 else ""
    units = [
        part.strip() for part in (*brackets, after) if part.strip() and not _NOT_UNITS.fullmatch(part.strip())
    ]
    if any(_ELSEWHERE.fullmatch(part) for part in units):
        return None
    plain = squash(before)
    for rank, option in enumerate(known):
        if plain == option:
            return rank, units[0] if units else ""
    # The unit may follow the name without brackets: ghi_w_m2, Temperature_DegreesC, GHI W/m2, GHI, W/m2.
    for rank, option in sorted(enumerate(known), key=lambda item: -len(item[1])):
        rest = plain[len(option) :] if plain.startswith(option) else ""
        if rest in _SQUASHED:
            return rank, _SQUASHED[rest]
        tail = re.sub(r"^[\s,:|_-]+", "", _after(before, option)) if rest else ""
        if tail and _fits(variable, tail):
            return rank, tail
    return None


def _after(name: str, letters: str) -> str:
    """Cut the first letters and digits off a name."""
    count = 0
    for place, sign in enumerate(name):
        if count == len(letters):
            return name[place:]
        count += sign.isalnum()
    return ""


def stamp_convention(name: str) -> str:
    """Say where in the interval a time column's stamps stand by its name; empty for nothing."""
    return _TIME.get(_time_name(name), "")


def _time_name(name: str) -> str:
    bare = squash(re.sub(r"[(\[].*?[)\]]", "", name))
    return bare if bare in _TIME else squash(name)


def time_columns(names: Sequence[str]) -> list[int]:
    """Positions of the time columns: one stamp, date and time, or year to minute; empty if there are none."""
    parts = [part_name(name) for name in names]
    if "year" in parts and ({"month", "day"} <= set(parts) or "doy" in parts):
        return [parts.index(part) for part in _PARTS if part in parts]
    if "year" not in parts and {"month", "day", "hour"} <= set(parts):  # a typical year
        return [parts.index(part) for part in _PARTS if part in parts and part != "doy"]
    lower = [name.strip() for name in names]
    if {"y", "m", "dm", "h"} <= set(lower):  # Meteonorm
        return [lower.index(part) for part in ("y", "m", "dm", "h")]
    bare = [squash(re.sub(r"[(\[].*?[)\]]", "", name)) for name in names]
    date = next(
        (bare.index(option) for option in ("date", "yyyymmdd", "datum", "day", "fecha") if option in bare),
        None,
    )
    clock = next(
        (
            bare.index(option)
            for option in ("time", "hhmm", "hhmmss", "zeit", "uhrzeit", "hora", "heure")
            if option in bare
        ),
        None,
    )
    hour = parts.index("hour") if "hour" in parts else None
    if date is not None and (clock is not None or hour is not None):
        return [date, clock if clock is not None else int(hour or 0)]
    stamps = [place for place, name in enumerate(names) if _time_name(name) in _TIME]
    nameless = [place for place, name in enumerate(names) if not name.strip()]
    return [*stamps, *nameless][:1]


def part_name(name: str) -> str:
    """One of year, month, day, doy, hour and minute; empty for other names."""
    bare = squash(re.sub(r"[(\[].*?[)\]]", "", name))
    part = _PART_NAMES.get(bare, bare)
    return part if part in _PARTS else ""


def fold(name: str) -> str:
    """Lower case with underscores: ``Time Zone`` becomes ``time_zone``."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _pvgis_name(name: str) -> str | None:
    """Names whose brackets are part of the name; empty for irradiance on a tilted plane."""
    return {"G(h)": "ghi", "Gb(n)": "dni", "Gd(h)": "dhi", "G(i)": "", "Gb(i)": "", "Gd(i)": ""}.get(
        name.strip()
    )
