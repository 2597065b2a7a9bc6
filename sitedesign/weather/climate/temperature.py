"""Stands in for what files lack: temperature from the embedded climate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sitedesign.weather.climate.stations import daily_from_months, site_climate
from sitedesign.weather.site import Site
from sitedesign.weather.solar_geometry import solar_geometry

FloatArray = NDArray[np.float64]

HOTTEST_HOUR = 15.0


def climate_temperature(
    ghi: FloatArray, site: Site, step_minutes: int, utc_offset_h: float
) -> tuple[FloatArray, str]:
    """Temperature of the embedded climate for a file without any; the same for the same file.

    The day's mean is the climate's for the date, moved by the part of its anomaly that goes with the day's
    clearness; the rest of the anomaly is left out, so cold spells are milder than real ones. The daily swing
    is a cosine with its peak at 15 h.

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
    climate = site_climate(site)
    per_day = 1440 // step_minutes
    extra = solar_geometry(site, step_minutes, utc_offset_h).ghi_extra_w_m2.reshape(365, per_day).sum(axis=1)
    clearness = ghi.reshape(len(ghi), 365, per_day).sum(axis=2) / extra
    month = np.repeat(np.arange(12), [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    anomaly = np.empty_like(clearness)
    for number in range(12):
        days = month == number
        spread = clearness[:, days].std()
        anomaly[:, days] = (clearness[:, days] - clearness[:, days].mean()) / (spread if spread > 0 else 1.0)
    fields = climate.temperature
    daily = (
        daily_from_months(fields["temp_mean_c"])[None, :]
        + anomaly * (fields["corr_temp_ghi"] * fields["temp_anom_sd_c"])[month]
    )
    hours = (np.arange(per_day) + 0.5) * step_minutes / 60
    swing = np.cos(2 * np.pi * (hours - HOTTEST_HOUR) / 24)
    amplitude = fields["diurnal_range_mean_c"][month] / 2
    temp: FloatArray = daily[:, :, None] + amplitude[None, :, None] * swing
    return temp.reshape(ghi.shape), "climatological temperature used (milder than real cold spells)"
