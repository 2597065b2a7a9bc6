"""Land, lakes, borders and towns of the inhabited world for the planner's map; nothing is fetched."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from sitedesign.report.borders import outlines
from sitedesign.serve import gazetteer

SOUTH = -60.0  # no plant stands beyond
_SIZE = "l"
#: What the map shows before anybody moves it: the middle [degrees] and Leaflet's zoom.
CENTER, ZOOM = (36.0, -98.0), 3
#: Part of it that is drawn beforehand, as wide as the form ever is. [px]
_WIDTH, _HEIGHT, _BESIDE = 900, 250, 9
_WORLD_PX = 256 * 2**ZOOM
_STEEPEST = 84.0  # of Mercator's latitudes that are of use
_KINDS = (("land", "gshhs", 1), ("sea", "gshhs", 2), ("state", "states", 1), ("country", "countries", 1))


@cache
def world() -> bytes:
    """Give the lines as packed JSON: per kind a list of lines, each a list of [latitude, longitude].

    In degrees; land and lakes are closed rings.
    """
    drawn = {"land": _lines("gshhs"), "lakes": _lines("gshhs", level=2), "countries": _lines("countries"),
             "states": _lines("states"), "towns": gazetteer.labels()}  # fmt: skip
    return gzip.compress(json.dumps(drawn, separators=(",", ":")).encode(), mtime=0)


def _lines(kind: str, level: int = 1) -> list[list[list[float]]]:
    return [line[:, ::-1].round(2).tolist() for line in outlines(kind, _SIZE, SOUTH, level=level)]


@cache
def sketch() -> str:
    """Draw the first view of the map as SVG, which a browser paints before a script runs.

    Its ``data-bounds`` are south, west, north and east, for the map that takes its place. [degrees]
    """
    (west, north), (east, south) = _from_px(np.array([[0, 0], [_WIDTH, _HEIGHT]])).tolist()
    paths = "".join(
        f'<path class="{name}" d="{"".join(_moves(kind, level))}"/>' for name, kind, level in _KINDS
    )
    return (
        f'<svg class="sketch" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'preserveAspectRatio="none" data-bounds="[{south:.4f},{west:.4f},{north:.4f},{east:.4f}]" '
        f'aria-hidden="true">{paths}</svg>'
    )


def _moves(kind: str, level: int) -> Iterator[str]:
    """Lines in sight as parts of a path, to the pixel."""
    for line in outlines(kind, _SIZE, SOUTH, level=level):
        for turn in (-360.0, 0.0, 360.0):
            points = _to_px(line + np.array([turn, 0.0]))
            if (points.max(axis=0) < 0).any() or (points.min(axis=0) > (_WIDTH, _HEIGHT)).any():
                continue
            points = np.clip(points, -_BESIDE, (_WIDTH + _BESIDE, _HEIGHT + _BESIDE)).round().astype(int)
            steps = np.diff(points, axis=0)
            steps = steps[steps.any(axis=1)]
            if len(steps) > 1:
                moves = " ".join(f"{right} {down}" for right, down in steps.tolist()).replace(" -", "-")
                yield f"M{points[0, 0]} {points[0, 1]}l{moves}" + ("z" if kind == "gshhs" else "")


def _to_px(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Longitude and latitude as Mercator's pixels from the corner of the first view."""
    longitude, latitude = points.T
    latitude = np.radians(np.clip(latitude, -_STEEPEST, _STEEPEST))
    shares = np.column_stack([longitude / 360.0, -np.arcsinh(np.tan(latitude)) / (2.0 * np.pi)])
    found: NDArray[np.float64] = shares * _WORLD_PX - _corner()
    return found


def _from_px(points: NDArray[np.float64]) -> NDArray[np.float64]:
    right, down = ((points + _corner()) / _WORLD_PX).T
    return np.column_stack([right * 360.0, np.degrees(np.arctan(np.sinh(-2.0 * np.pi * down)))])


@cache
def _corner() -> NDArray[np.float64]:
    """Pixels of the upper left corner, from where the equator meets the first meridian."""
    latitude, longitude = CENTER
    down = -np.arcsinh(np.tan(np.radians(latitude))) / (2.0 * np.pi)
    middle = np.array([longitude / 360.0, down]) * _WORLD_PX
    corner: NDArray[np.float64] = middle - np.array([_WIDTH, _HEIGHT]) / 2.0
    return corner
