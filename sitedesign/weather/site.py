"""Site: where the plant stands."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytz
from pydantic import ConfigDict, ValidationError, model_validator

from sitedesign.errors import Fault, InputError, shown
from sitedesign.util.gate import Measure, OrNone, Words, is_number, takes, unnamed
from sitedesign.util.model import Model
from sitedesign.util.validation import faults_of, unknown_keys

if TYPE_CHECKING:
    from timezonefinder import TimezoneFinder

#: Weather from farther away is of another place. [km]
FARTHEST_KM = 25.0
_EARTH_RADIUS_KM = 6371.0

_DEGREES = Measure("degrees", -180, 180)
_GATES = {
    "latitude": _DEGREES,
    "longitude": _DEGREES,
    "elevation_m": OrNone(Measure("m", -450, 6000)),
    "name": OrNone(Words(most=200)),
    "timezone": OrNone(Words("must be an IANA name such as 'America/Denver'", most=100)),
}


class Site(Model):
    """A place on land.

    Parameters
    ----------
    latitude : float
        North positive, -66 to 66 (a solar plant has no winter output beyond). [degrees]
    longitude : float
        East positive. [degrees]
    name : str, optional
        Shown in results; the coordinates when left out.
    elevation_m : float, optional
        Above sea level; from pvlib's altitude map when left out. [m]
    timezone : str, optional
        IANA name; from the timezonefinder package when left out. Only its *standard* time is used.

    Raises
    ------
    InputError
        If the coordinates are out of range, look swapped, or lie in the sea.

    Examples
    --------
    >>> import sitedesign as sd
    >>> site = sd.Site(latitude=31.76, longitude=-106.49, name="El Paso, TX")
    >>> site.country_name, site.timezone
    ('United States', 'America/Denver')
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    latitude: float
    longitude: float
    name: str = ""
    elevation_m: float = float("nan")
    timezone: str = ""

    def __init__(self, *given: Any, **data: Any) -> None:  # noqa: ANN401
        numbers = given if len(given) == 2 and all(map(is_number, given)) else (31.76, -106.49)
        faults = unnamed(given, "site", f"sd.Site(latitude={numbers[0]:g}, longitude={numbers[1]:g})")
        faults += unknown_keys("site", data, type(self).model_fields)
        data = {name: _GATES[name].clean(value) if name in _GATES else value for name, value in data.items()}
        faults += [] if given else _coordinate_faults(data)
        if faults:
            raise InputError(faults, "Site()")
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise InputError(faults_of(error, "site", type(self).model_fields), "Site()") from None

    @model_validator(mode="before")
    @classmethod
    def _look_up(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Look up what was left out; the coordinates have been checked by then."""
        latitude, longitude = float(data["latitude"]), float(data["longitude"])
        found: dict[str, Any] = {"name": f"{latitude:.2f}, {longitude:.2f}"}
        if data.get("timezone") is None:
            found["timezone"] = _land_timezone(latitude, longitude)
        if data.get("elevation_m") is None:
            from pvlib.location import lookup_altitude  # half of what a process takes to begin

            found["elevation_m"] = float(lookup_altitude(latitude, longitude))
        return found | {key: value for key, value in data.items() if value is not None}

    @classmethod
    @takes("Site.on_land()", latitude=_DEGREES, longitude=_DEGREES)
    def on_land(cls, latitude: float, longitude: float) -> Site | None:
        """Give the site at a point; None where no plant can stand, at sea or near a pole."""
        place = {"latitude": latitude, "longitude": longitude}
        return None if _coordinate_faults(place) else cls(**place)

    @property
    def country(self) -> str:
        """ISO 3166 code of the country of the time zone; empty where the zone is of none."""
        return _country_of_zone().get(self.timezone, "")

    @property
    def country_name(self) -> str:
        """Name of the country; empty where it is not known."""
        return str(pytz.country_names[self.country]) if self.country else ""

    @property
    def place(self) -> str:
        """Coordinates with country and time zone, so that a lost sign is seen."""
        offset = f"UTC{self.utc_offset_h:+g}"
        words = [f"{self.latitude:.4f}, {self.longitude:.4f}", self.country_name, f"{self.timezone} {offset}"]
        return ", ".join(word for word in words if word)

    @property
    def utc_offset_h(self) -> float:
        """Standard-time offset from UTC, the same all year. [h]"""
        return _standard_offset_h(self.timezone)


def _coordinate_faults(data: dict[str, Any]) -> list[Fault]:
    faults: list[Fault] = []
    values: dict[str, float] = {}
    for key in ("latitude", "longitude"):
        value = data.get(key)
        if value is None:
            faults.append(Fault(f"site.{key}", "nothing", "is needed, in degrees"))
            continue
        if is_number(value):
            values[key] = float(value)
        else:
            faults += _DEGREES.faults(f"site.{key}", value)
    latitude, longitude = values.get("latitude"), values.get("longitude")
    if latitude is not None and not -90 <= latitude <= 90:
        swapped = longitude is not None and abs(longitude) <= 90
        hint = f"site.longitude is {longitude:g}: were the two swapped?" if swapped else ""
        faults.append(Fault("site.latitude", f"{latitude:g}", "must be in [-90, 90]", hint))
    elif latitude is not None and abs(latitude) > 66:
        remedy = (
            "Beyond the polar circles the sun does not rise in winter; choose a place nearer the equator."
        )
        faults.append(Fault("site.latitude", f"{latitude:g}", "must be in [-66, 66]", remedy))
    if longitude is not None and not -180 <= longitude <= 180:
        faults.append(Fault("site.longitude", f"{longitude:g}", "must be in [-180, 180]"))
    for key in ("name", "elevation_m", "timezone"):
        faults += _GATES[key].faults(f"site.{key}", data.get(key))
    timezone = data.get("timezone")
    if isinstance(timezone, str):
        try:
            ZoneInfo(timezone)
        except (KeyError, ValueError, OSError):
            faults.append(
                Fault("site.timezone", shown(timezone), "must be an IANA name such as 'America/Denver'")
            )
    if not faults and timezone is None and latitude is not None and longitude is not None:
        faults += _sea_fault(latitude, longitude)
    return faults


def _sea_fault(latitude: float, longitude: float) -> list[Fault]:
    if _land_timezone(latitude, longitude):
        return []
    swapped = abs(longitude) <= 66 and _land_timezone(longitude, latitude) if abs(latitude) <= 180 else ""
    hint = (
        "With latitude and longitude exchanged the point is on land: were the two swapped?"
        if swapped
        else (
            "Check the sign of the longitude (west is negative)."
            if _land_timezone(latitude, -longitude)
            else ""
        )
    )
    return [
        Fault("site", f"{latitude:g}, {longitude:g}, which lies in the sea", "must be a point on land", hint)
    ]


def distance_km(latitude_a: float, longitude_a: float, latitude_b: float, longitude_b: float) -> float:
    """Great-circle distance by the haversine formula. [km]"""
    lat_a, lat_b = math.radians(latitude_a), math.radians(latitude_b)
    half_lat, half_lon = (lat_b - lat_a) / 2, math.radians(longitude_b - longitude_a) / 2
    square = math.sin(half_lat) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin(half_lon) ** 2
    return 2 * _EARTH_RADIUS_KM * math.asin(math.sqrt(square))


@lru_cache(maxsize=1)
def _country_of_zone() -> dict[str, str]:
    """IANA time zone -> ISO 3166 code of its country."""
    return {zone: code for code, zones in pytz.country_timezones.items() for zone in zones}


@lru_cache(maxsize=1)
def _finder() -> TimezoneFinder:
    from timezonefinder import TimezoneFinder  # loads pvlib's compiler at the least: a second

    return TimezoneFinder()


@lru_cache(maxsize=65536)
def _land_timezone(latitude: float, longitude: float) -> str:
    """IANA name of the land time zone at a point, empty at sea."""
    return _finder().timezone_at_land(lng=longitude, lat=latitude) or ""


@lru_cache(maxsize=1024)
def _standard_offset_h(timezone: str) -> float:
    """Offset of standard time: the smaller of January's and July's in a recent year."""
    zone = ZoneInfo(timezone)
    offsets = [zone.utcoffset(datetime(2024, month, 15)) or timedelta(0) for month in (1, 7)]
    return min(offsets).total_seconds() / 3600
