"""Tables of places: how they are read, and how far the places are."""

from __future__ import annotations

import csv

import numpy as np

from sitedesign.library.files import library_folder
from sitedesign.weather.solar_geometry import FloatArray

EARTH_RADIUS_KM = 6371.0
FULL_KM, NONE_KM = 300.0, 1000.0
"""Up to where the nearest place of a table counts fully, and from where it does not count."""
FADE_POWER = 3.0  # of inverse distance; measured against 2, 2.5 and 4 by leaving stations out
KM_PER_KM_OF_HEIGHT = 200.0
"""A kilometre of height counts as so much distance; measured likewise."""


def read_columns(name: str) -> dict[str, list[str]]:
    """Columns of a table in ``weather/climate``, as text."""
    with (library_folder("weather") / "climate" / name).open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    return {column: [row[column] for row in rows] for column in rows[0]}


def distance_km(
    latitude: float, longitude: float, others_lat: FloatArray, others_lon: FloatArray
) -> FloatArray:
    """Great-circle distance (haversine). [km]"""
    phi, others = np.radians(latitude), np.radians(others_lat)
    half_lat = (others - phi) / 2
    half_lon = np.radians(others_lon - longitude) / 2
    inner = np.sin(half_lat) ** 2 + np.cos(phi) * np.cos(others) * np.sin(half_lon) ** 2
    distance: FloatArray = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(inner))
    return distance
