"""Completes global, direct and diffuse irradiance from whichever of them was measured."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pvlib.atmosphere import alt2pres

from sitedesign.weather.clear_sky import direct_normal
from sitedesign.weather.solar_geometry import SolarGeometry

FloatArray = NDArray[np.float64]

_LOWEST_COSINE = 0.065
"""cos 86.3 degrees, pvlib's own limit for decomposition; below it all light counts as diffuse."""


def complete(
    ghi: FloatArray,
    dni: FloatArray | None,
    dhi: FloatArray | None,
    geometry: SolarGeometry,
    elevation_m: float,
) -> tuple[FloatArray, FloatArray, tuple[str, ...]]:
    """Direct and diffuse irradiance where they are missing.

    With one of the two given, the other closes GHI = DNI cos(zenith) + DHI; with neither, DISC (Maxwell
    1987), which is within 5 % in the desert where Erbs is 8 % low.

    Parameters
    ----------
    ghi : ndarray, shape (years, steps)
        Without gaps. [W/m2]
    dni, dhi : ndarray or None
        NaN where missing. [W/m2]
    geometry : SolarGeometry
    elevation_m : float
        [m]

    Returns
    -------
    dni, dhi : ndarray, shape (years, steps)
        [W/m2]
    notes : tuple of str
    """
    cosine = np.cos(np.radians(geometry.zenith_deg))
    up = cosine > _LOWEST_COSINE
    safe = np.where(up, cosine, 1.0)
    notes: list[str] = []
    dni = np.full_like(ghi, np.nan) if dni is None else dni
    dhi = np.full_like(ghi, np.nan) if dhi is None else dhi
    from_dhi = np.isnan(dni) & ~np.isnan(dhi)
    closed = np.where(up, np.clip((ghi - dhi) / safe, 0, geometry.dni_extra_w_m2), 0.0)
    _say(notes, "DNI closed from GHI and DHI", from_dhi, geometry)
    dni = np.where(from_dhi, closed, dni)
    neither = np.isnan(dni)
    if neither.any():
        rows = neither.any(axis=1)
        split = np.full_like(ghi, np.nan)
        split[rows] = _disc(ghi[rows], geometry, elevation_m)
        dni = np.where(neither, split, dni)
        _say(notes, "DNI split from GHI by DISC", neither, geometry)
    open_dhi = np.isnan(dhi)
    if open_dhi.any():
        beam = np.where(up, np.minimum(dni * cosine, ghi), 0.0)
        # Direct light cannot exceed global light; where it does, it is the direct light that gives way.
        too_much = open_dhi & up & (dni * cosine > ghi)
        dni = np.where(too_much, ghi / safe, dni)
        dhi = np.where(open_dhi, ghi - beam, dhi)
        dni = np.where(open_dhi & ~up, 0.0, dni)
        _say(notes, "DHI closed from GHI and DNI", open_dhi & ~neither, geometry)
    return dni, dhi, tuple(notes)


def _disc(ghi: FloatArray, geometry: SolarGeometry, elevation_m: float) -> FloatArray:
    """Direct normal irradiance by DISC, never more than global irradiance holds, shape of `ghi`. [W/m2]"""
    cosine = np.cos(np.radians(geometry.zenith_deg))
    limit = np.where(cosine > _LOWEST_COSINE, ghi / np.maximum(cosine, _LOWEST_COSINE), 0.0)
    dni = direct_normal(ghi, geometry.zenith_deg, geometry.dni_extra_w_m2, float(alt2pres(elevation_m)))
    clipped: FloatArray = np.minimum(dni, limit)
    return clipped


def _say(notes: list[str], what: str, mask: NDArray[np.bool_], geometry: SolarGeometry) -> None:
    """Note what was computed and for how much of daylight; a few odd hours are not worth a line."""
    share = float(mask[:, geometry.is_day].mean())
    if share > 0.0005:
        notes.append(f"{what} in {share:.1%} of daylight")
