"""Which region of the library a point lies in, by the borders of the states."""

from __future__ import annotations

import json
from functools import cache, lru_cache
from typing import cast

import numpy as np
from numpy.typing import NDArray

from sitedesign.library.files import entry, library_folder
from sitedesign.library.project import Region

#: Region of a point in the United States that lies in no state, and of all others.
COUNTRY, ELSEWHERE = "us", "elsewhere"
_OFF_COAST_DEGREES = 0.5
FloatArray = NDArray[np.float64]


def region_at(latitude: float, longitude: float, country: str) -> Region:
    """Region that a point lies in.

    Parameters
    ----------
    latitude, longitude : float
        [degrees]
    country : str
        ISO 3166 code; empty where it is not known.

    Returns
    -------
    Region
        A state of the United States; ``us`` for other places of that country, ``elsewhere`` for all others.
        Borders are drawn to about a kilometre: a point off a coast so drawn belongs to the nearest state.
    """
    return cast(Region, entry("region", _name_at(float(latitude), float(longitude), country)))


@lru_cache(maxsize=65536)
def _name_at(latitude: float, longitude: float, country: str) -> str:
    if country not in ("US", ""):
        return ELSEWHERE
    for name, rings in _borders().items():
        if _inside(rings, latitude, longitude):
            return name
    if country != "US":
        return ELSEWHERE
    gaps = {
        name: min(_apart(ring, latitude, longitude) for ring in rings) for name, rings in _borders().items()
    }
    nearest = min(gaps, key=lambda name: gaps[name])
    return nearest if gaps[nearest] < _OFF_COAST_DEGREES else COUNTRY


def _apart(ring: FloatArray, latitude: float, longitude: float) -> float:
    """Distance to the nearest corner of a ring, east-west shortened by the latitude. [degrees]"""
    east = (ring[:, 0] - longitude) * np.cos(np.radians(latitude))
    return float(np.hypot(east, ring[:, 1] - latitude).min())


def _inside(rings: tuple[FloatArray, ...], latitude: float, longitude: float) -> bool:
    """Whether a line from the point to the east crosses the rings an odd number of times."""
    crossings = 0
    for ring in rings:
        x, y = ring[:, 0], ring[:, 1]
        if not y.min() <= latitude <= y.max() or longitude > x.max():
            continue
        above = y > latitude
        turns = np.flatnonzero(above[1:] != above[:-1])
        slope = (x[turns + 1] - x[turns]) / (y[turns + 1] - y[turns])
        crossings += int(np.count_nonzero(x[turns] + (latitude - y[turns]) * slope > longitude))
    return crossings % 2 == 1


@cache
def _borders() -> dict[str, tuple[FloatArray, ...]]:
    """Rings of every state, corners as rows of longitude and latitude. [degrees]

    TopoJSON: a border between two states is one arc of both, written as whole steps; ``~i`` is arc i
    backwards.
    """
    path = library_folder("models") / "region" / "_borders.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    scale, start = np.array(data["transform"]["scale"]), np.array(data["transform"]["translate"])
    arcs = [np.cumsum(np.array(steps), axis=0) * scale + start for steps in data["arcs"]]

    def ring(numbers: list[int]) -> FloatArray:
        return np.concatenate([arcs[number] if number >= 0 else arcs[~number][::-1] for number in numbers])

    return {
        name: tuple(ring(numbers) for polygon in polygons for numbers in polygon)
        for name, polygons in data["states"].items()
    }
