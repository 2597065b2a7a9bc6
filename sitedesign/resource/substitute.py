"""Stands in for what files lack: temperature from the embedded climate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sitedesign.errors import Fault, InputError
from sitedesign.site import Site

FloatArray = NDArray[np.float64]


def climate_temperature(
    ghi: FloatArray, site: Site, step_minutes: int, utc_offset_h: float
) -> tuple[FloatArray, str]:
    """Temperature of the embedded climate for a file without any.

    Parameters
    ----------
    ghi : ndarray, shape (years, steps)
        [W/m2]
    site : Site
    step_minutes : int
        [min]
    utc_offset_h : float
        [h]

    Returns
    -------
    ndarray, shape (years, steps)
        [degrees C]
    str
        How, for the notes.

    Raises
    ------
    InputError
        If the climate of the site is not embedded.
    """
    raise InputError([Fault("weather file", "no temperature", "temperature is needed")], "Weather.read()")
