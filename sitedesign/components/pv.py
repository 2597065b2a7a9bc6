"""What an array makes of the weather: MW at the bus per installed MWdc, in every step of every year.

The chain is that of NREL's PVWatts with Hay-Davies transposition and Faiman's cell temperature. Whatever
only the sun decides (tracker angles with backtracking, angle of incidence, incidence-angle modifier, views of
sky and ground) is one year of geometry from pvlib, computed once; each weather year then costs a few array
operations.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pvlib import iam, irradiance, tracking

from sitedesign.weather.solar_geometry import SolarGeometry, solar_geometry

if TYPE_CHECKING:
    from sitedesign.library import Pv
    from sitedesign.weather.weather import Weather

FloatArray = NDArray[np.float64]

# Bare ground and dry grass; PVWatts version 5 manual (Dobos, NREL/TP-6A20-62641, 2014) and pvlib's default.
ALBEDO = 0.2
# Faiman, "Assessing the outdoor operating temperature of photovoltaic modules", Prog. Photovolt. 16
# (2008) 307-315, doi:10.1002/pip.813; also the defaults of pvlib.temperature.faiman.
FAIMAN_U0_W_M2_K = 25.0
FAIMAN_U1_W_S_M3_K = 6.84
# Winter-leaning tilt: Duffie and Beckman, Solar Engineering of Thermal Processes, 4th ed. (2013), section
# 2.20: best for winter at latitude plus 10 to 15 degrees, a broad optimum.
WINTER_TILT_ABOVE_LATITUDE_DEG = 15.0
WINTER_TILT_MAX_DEG = 60.0
# Hay and Davies divide by the sine of the sun's height; pvlib bounds it at one degree, and so do we.
_MIN_COS_ZENITH = 0.01745
_STC_W_M2 = 1000.0
_STC_CELL_C = 25.0


@dataclass(frozen=True, eq=False)
class PlaneGeometry:
    """Everything about the array's plane that only the sun decides; arrays of shape (steps_per_year,).

    Attributes
    ----------
    beam : ndarray
        Cosine of the angle of incidence; 0 when the sun is behind the plane or down. [fraction]
    beam_used : ndarray
        `beam` times the incidence-angle modifier. [fraction]
    beam_ratio : ndarray
        Beam on the plane over beam on the horizontal; at night the sky view, so that twilight counts as
        isotropic. [fraction]
    sky_view : ndarray
        Share of the sky dome in view, (1 + cos tilt) / 2. [fraction]
    ground : ndarray
        Ground-reflected irradiance per GHI, albedo (1 - cos tilt) / 2. [fraction]
    per_dni_extra : ndarray
        One over extraterrestrial normal irradiance. [m2/W]
    """

    beam: FloatArray
    beam_used: FloatArray
    beam_ratio: FloatArray
    sky_view: FloatArray
    ground: FloatArray
    per_dni_extra: FloatArray


def solar_yield(weather: Weather, pv: Pv, age_yr: float) -> FloatArray:
    """Output of an array at the bus, per installed MWdc.

    Parameters
    ----------
    weather : Weather
    pv : Pv
        Mount, coupling and losses.
    age_yr : float
        Age of the plant; the output falls by ``pv.degradation_per_yr`` a year, compounded. [yr]

    Returns
    -------
    ndarray, shape (years, steps)
        [MW/MWdc at the bus]

    Notes
    -----
    Outages of inverter blocks (``pv.availability``) are not in it: sizing and certification add their own.
    Degradation scales the output after clipping, so that yields of any two ages differ by a plain factor;
    with an inverter smaller than the array this is slightly low in clipped hours, when power is ample.
    """
    site = weather.site
    sun = solar_geometry(site, weather.step_minutes, weather.utc_offset_h, weather.sun_offset_minutes)
    plane = plane_geometry(sun, site.latitude, pv)
    remaining = (1 - pv.degradation_per_yr) ** age_yr
    out = np.empty_like(weather.ghi_w_m2, dtype=np.float64)
    for row in range(len(out)):  # year by year: temporaries stay in the processor's cache
        used, total = plane_irradiance(
            plane, weather.ghi_w_m2[row], weather.dni_w_m2[row], weather.dhi_w_m2[row]
        )
        cell = cell_temperature(total, weather.temp_air_c[row], weather.wind_speed_m_s[row])
        out[row] = remaining * bus_power(dc_power(used, cell, pv), pv)
    return out


def fixed_tilt_deg(latitude: float, pv: Pv) -> float:
    """Tilt of a fixed array: its own, else latitude plus 15 degrees, at most 60.

    Parameters
    ----------
    latitude : float
        [degrees]
    pv : Pv

    Returns
    -------
    float
        Leaning to winter, when an array that must run a load is short (Duffie and Beckman 2013, section
        2.20). [degrees]
    """
    if pv.tilt_deg is not None:
        return float(pv.tilt_deg)
    return min(abs(latitude) + WINTER_TILT_ABOVE_LATITUDE_DEG, WINTER_TILT_MAX_DEG)


def plane_geometry(sun: SolarGeometry, latitude: float, pv: Pv) -> PlaneGeometry:
    """Orientation of the plane and its view of sun, sky and ground, for one year.

    Parameters
    ----------
    sun : SolarGeometry
    latitude : float
        Fixed arrays face the equator. [degrees]
    pv : Pv
        ``mount`` is ``tracker`` (horizontal north-south axis, backtracking) or ``fixed``.

    Returns
    -------
    PlaneGeometry
    """
    if pv.mount == "tracker":
        return _tracked(sun, pv.max_tilt_deg, pv.ground_coverage_ratio)
    return _fixed(sun, fixed_tilt_deg(latitude, pv), 180.0 if latitude >= 0 else 0.0)


@lru_cache(maxsize=2)  # the years of a certificate come in many blocks, under one sun
def _tracked(sun: SolarGeometry, most_tilt_deg: float, coverage: float) -> PlaneGeometry:
    angles = tracking.singleaxis(
        sun.apparent_zenith_deg, sun.azimuth_deg, axis_tilt=0, axis_azimuth=180,
        max_angle=most_tilt_deg, backtrack=True, gcr=coverage,
    )  # fmt: skip
    up = _sun_is_up(sun)
    tilt = np.where(up, angles["surface_tilt"], 0.0)  # stowed flat at night
    return _plane(sun, tilt, np.where(up, angles["surface_azimuth"], 180.0))


@lru_cache(maxsize=2)
def _fixed(sun: SolarGeometry, tilt_deg: float, facing_deg: float) -> PlaneGeometry:
    shape = sun.apparent_zenith_deg.shape
    return _plane(sun, np.full(shape, tilt_deg), np.full(shape, facing_deg))


def _sun_is_up(sun: SolarGeometry) -> NDArray[np.bool_]:
    return sun.is_day & (sun.apparent_zenith_deg < 90)


def _plane(sun: SolarGeometry, tilt: FloatArray, facing: FloatArray) -> PlaneGeometry:
    zenith, azimuth, up = sun.apparent_zenith_deg, sun.azimuth_deg, _sun_is_up(sun)
    beam = np.where(up, np.maximum(irradiance.aoi_projection(tilt, facing, zenith, azimuth), 0), 0)
    sky_view = (1 + np.cos(np.radians(tilt))) / 2
    on_horizontal = np.maximum(np.cos(np.radians(zenith)), _MIN_COS_ZENITH)
    return PlaneGeometry(
        beam=beam,
        beam_used=beam * iam.physical(np.degrees(np.arccos(beam))),
        beam_ratio=np.where(up, beam / on_horizontal, sky_view),
        sky_view=sky_view,
        ground=ALBEDO * (1 - np.cos(np.radians(tilt))) / 2,
        per_dni_extra=1 / sun.dni_extra_w_m2,
    )


def plane_irradiance(
    plane: PlaneGeometry, ghi_w_m2: FloatArray, dni_w_m2: FloatArray, dhi_w_m2: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Irradiance on the plane after Hay and Davies (1980).

    Parameters
    ----------
    plane : PlaneGeometry
    ghi_w_m2, dni_w_m2, dhi_w_m2 : ndarray, shape (steps_per_year,)
        [W/m2]

    Returns
    -------
    used_w_m2, total_w_m2 : ndarray, shape (steps_per_year,)
        With the beam's reflection loss taken off (what the cells use), and without (what heats them); the
        diffuse light's reflection is part of the DC losses, as in PVWatts. [W/m2]
    """
    anisotropy = np.clip(dni_w_m2 * plane.per_dni_extra, 0, 1)
    sky = dhi_w_m2 * (plane.sky_view + anisotropy * (plane.beam_ratio - plane.sky_view))
    diffuse = sky + plane.ground * ghi_w_m2
    return dni_w_m2 * plane.beam_used + diffuse, dni_w_m2 * plane.beam + diffuse


def cell_temperature(
    total_w_m2: FloatArray, temp_air_c: FloatArray, wind_speed_m_s: FloatArray
) -> FloatArray:
    """Cell temperature after Faiman (2008).

    Parameters
    ----------
    total_w_m2 : ndarray
        Irradiance on the plane. [W/m2]
    temp_air_c : ndarray
        [degrees C]
    wind_speed_m_s : ndarray
        [m/s]

    Returns
    -------
    ndarray
        [degrees C]
    """
    cell: FloatArray = temp_air_c + total_w_m2 / (FAIMAN_U0_W_M2_K + FAIMAN_U1_W_S_M3_K * wind_speed_m_s)
    return cell


def dc_power(used_w_m2: FloatArray, cell_c: FloatArray, pv: Pv) -> FloatArray:
    """Power of the modules after DC losses (PVWatts version 5, equation 8).

    Parameters
    ----------
    used_w_m2 : ndarray
        [W/m2]
    cell_c : ndarray
        [degrees C]
    pv : Pv

    Returns
    -------
    ndarray
        Never negative. [MW/MWdc]
    """
    warmth = 1 + pv.temp_coefficient_per_c * (cell_c - _STC_CELL_C)
    power: FloatArray = np.maximum(used_w_m2 * ((1 - pv.dc_loss_fraction) / _STC_W_M2) * warmth, 0)
    return power


def bus_power(dc_mw_per_mwdc: FloatArray, pv: Pv) -> FloatArray:
    """Power at the bus: through an inverter that clips (AC), or a converter for the whole rating (DC).

    Parameters
    ----------
    dc_mw_per_mwdc : ndarray
        [MW/MWdc]
    pv : Pv
        An AC-coupled array gives at most ``1 / dc_ac_ratio``; a DC-coupled one, which has no such ratio, is
        limited by the rating of its modules only.

    Returns
    -------
    ndarray
        [MW/MWdc at the bus]
    """
    if pv.dc_ac_ratio is not None:  # AC-coupled
        return np.minimum(dc_mw_per_mwdc * pv.converter_efficiency, 1 / pv.dc_ac_ratio)
    return np.minimum(dc_mw_per_mwdc, 1.0) * pv.converter_efficiency
