"""Coasts and borders of the inhabited world for the map of the planner; nothing is ever fetched."""

from __future__ import annotations

import json
from functools import cache

from sitedesign.report.borders import KINDS, Box, lines

SOUTH, NORTH = -60.0, 75.0  # no plant stands beyond
_WIDTH = 120.0  # widest part that is drawn with fine lines


@cache
def world() -> bytes:
    """Give the lines as JSON: per kind a list of lines, each a flat list of latitude, longitude. [degrees]"""
    return json.dumps({kind: _lines(kind) for kind in KINDS}, separators=(",", ":")).encode()


def _lines(kind: str) -> list[list[list[float]]]:
    found: list[list[list[float]]] = []
    west = -180.0
    while west < 180.0:
        longitudes, latitudes = lines(kind, Box(west, west + _WIDTH, SOUTH, NORTH))
        run: list[list[float]] = []
        for longitude, latitude in zip(longitudes, latitudes, strict=True):
            if longitude is None or latitude is None:
                found += [run] if len(run) > 1 else []
                run = []
            else:
                run.append([round(latitude, 2), round(longitude, 2)])
        west += _WIDTH
    return found
