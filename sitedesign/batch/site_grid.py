"""Candidate sites on a regular grid, land only."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sitedesign.errors import Fault, InputError
from sitedesign.util.gate import Measure, takes
from sitedesign.weather.site import _land_timezone

MOST_POINTS = 5_000_000


_LATITUDE, _LONGITUDE = Measure("degrees", -90, 90), Measure("degrees", -360, 360)


@takes(
    "land_grid()",
    south=_LATITUDE,
    north=_LATITUDE,
    west=_LONGITUDE,
    east=_LONGITUDE,
    spacing=Measure("degrees", 0, 360, above=True, says="must be positive, in degrees"),
)
def land_grid(south: float, north: float, west: float, east: float, spacing: float) -> pd.DataFrame:
    """Lay a regular grid of candidate sites over a box, leaving out the sea.

    Parameters
    ----------
    south, north : float
        Latitudes of the box, both edges included. [degrees]
    west, east : float
        Longitudes of the box, both edges included. [degrees]
    spacing : float
        Between neighbours, along both axes. [degrees]

    Returns
    -------
    DataFrame
        Columns ``latitude`` and ``longitude``, from south-west to north-east. Lakes count as land.

    Raises
    ------
    InputError
        If the box or the spacing makes no grid, or all of it is sea.

    Examples
    --------
    >>> len(sd.land_grid(south=31, north=35, west=-108, east=-98, spacing=2))
    18
    """
    faults = _faults(south, north, west, east, spacing)
    if faults:
        raise InputError(faults, "land_grid()")
    latitudes, longitudes = _axis(south, north, spacing), _axis(west, east, spacing)
    points = [
        (latitude, longitude)
        for latitude in latitudes
        for longitude in longitudes
        if _land_timezone(latitude, longitude)
    ]
    if not points:
        box = f"{south:g} to {north:g} N, {west:g} to {east:g} E"
        remedy = "Check the sign of the longitudes (west is negative)."
        raise InputError([Fault("grid", box, "has no point on land", remedy)], "land_grid()")
    return pd.DataFrame(points, columns=["latitude", "longitude"])


def parse_grid(text: str) -> pd.DataFrame:
    """Read ``SOUTH,NORTH,WEST,EAST,SPACING`` and lay the grid.

    Raises
    ------
    InputError
        If the text is not five numbers, or for the reasons of :func:`land_grid`.
    """
    try:
        south, north, west, east, spacing = (float(part) for part in text.split(","))
    except ValueError:
        allowed = "must be SOUTH,NORTH,WEST,EAST,SPACING in degrees"
        remedy = "For example 25,49,-125,-67,0.5 for the contiguous US."
        raise InputError([Fault("--grid", repr(text), allowed, remedy)], "the command line") from None
    return land_grid(south, north, west, east, spacing)


def _axis(least: float, most: float, spacing: float) -> list[float]:
    """Evenly spaced coordinates, rounded so that the same box always gives the same numbers."""
    count = int(np.floor((most - least) / spacing + 1e-9)) + 1
    return [round(float(least + i * spacing), 6) for i in range(count)]


def _faults(south: float, north: float, west: float, east: float, spacing: float) -> list[Fault]:
    faults = []
    if not -66 <= south <= north <= 66:
        allowed = "must be -66 <= south <= north <= 66 degrees"
        faults.append(Fault("grid latitudes", f"{south:g} to {north:g}", allowed))
    if not -180 <= west <= east <= 180:
        allowed = "must be -180 <= west <= east <= 180 degrees"
        faults.append(Fault("grid longitudes", f"{west:g} to {east:g}", allowed))
    if not faults:
        points = ((north - south) / spacing + 1) * ((east - west) / spacing + 1)
        if points > MOST_POINTS:
            remedy = "Widen the spacing or split the box."
            faults.append(Fault("grid", f"{points:,.0f} points", f"at most {MOST_POINTS:,}", remedy))
    return faults
